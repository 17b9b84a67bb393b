/* The path walker: from a string to a place, iteratively, as path_resolution(7) and openat2(2). A
 * walk takes no references on what the tree keeps alive anyhow; only foreign objects and places
 * that a magic link gave are held. Between init and end the tree must not change, except by the
 * operation that the walk is for, as its last step. */
#ifndef UMVFS_WALK_H
#define UMVFS_WALK_H

#include "dcache.h"
#include "mount_table.h"
#include "perm.h"

enum walk_last {
    WALK_ROOT, /* nothing but slashes, or an empty path that is allowed */
    WALK_DOT,
    WALK_DOTDOT,
    WALK_NAME,
};

struct umvfs_walk {
    const struct umvfs_task *task;
    struct umvfs_path root;  /* where ".." ends and "/" leads, uncounted */
    struct umvfs_mount *mnt; /* the place reached, uncounted */
    struct umvfs_dentry *dentry;
    struct umvfs_path held; /* keeps foreign objects alive; counted or zero */
    const char *start;      /* of the caller's string; NULL once its length is known good */
    struct umvfs_name last; /* last component, hashed for the place reached */
    enum walk_last last_type;
    bool must_be_dir;                /* a slash came after it */
    const struct umvfs_mount *below; /* while the walk is in this mount, it is below its root */
    unsigned resolve;
    unsigned links;
    unsigned link_text; /* bytes in them */
    unsigned depth;
    struct {
        const char *next;         /* what is still to walk */
        struct umvfs_inode *link; /* counted: whose contents this is */
        char *buf;                /* UMVFS_PATH_MAX bytes: what a foreign link said */
    } text[UMVFS_SYMLINK_MAX + 1u];
};

/* Starts a walk. flags: UMVFS_AT_EMPTY_PATH counts. On failure nothing is to be ended.
 * -UMVFS_ENOENT (""), -UMVFS_EINVAL, -UMVFS_EXDEV. */
int umvfs_walk_init(struct umvfs_walk *walk, const struct umvfs_task *task,
                    const struct umvfs_path *at, const char *path, unsigned flags,
                    unsigned resolve);
/* Lets go of everything that a walk holds. */
void umvfs_walk_release(struct umvfs_walk *walk);

static inline void umvfs_walk_end(struct umvfs_walk *walk)
{
    if (walk->depth > 0 || walk->text[0].link || walk->text[0].buf || walk->held.mnt)
        umvfs_walk_release(walk);
}

/* Walks up to the last component, which is left in last and last_type. */
int umvfs_walk_parent(struct umvfs_walk *walk);
/* The child that last names in the place reached; no mount is crossed. -UMVFS_ENOENT,
 * -UMVFS_ENAMETOOLONG: only now, as on Linux. */
int umvfs_walk_child(struct umvfs_walk *walk, struct umvfs_dentry **out);
/* Walks the last component too; follow: a symbolic link as well. */
int umvfs_walk_last(struct umvfs_walk *walk, bool follow);
/* Steps onto the child got from umvfs_walk_child: crosses mounts. */
int umvfs_walk_onto(struct umvfs_walk *walk, struct umvfs_dentry *child);
/* Follows the link that the walk stands on, which is the last component, up to the last component
 * of what it leads to (WALK_ROOT: a magic link has arrived). `dir` is where the link is. */
int umvfs_walk_follow(struct umvfs_walk *walk, struct umvfs_mount *mnt, struct umvfs_dentry *dir);

/* init, parent and last in one; flags UMVFS_AT_*. The caller ends the walk if this succeeds. */
int umvfs_walk(struct umvfs_walk *walk, const struct umvfs_task *task, const struct umvfs_path *at,
               const char *path, unsigned flags, unsigned resolve);
/* parent and last in one, after init, and the end of the walk if they fail. */
int umvfs_walk_rest(struct umvfs_walk *walk, unsigned flags);

static inline const char *umvfs_skip_slashes(const char *text)
{
    while (*text == '/')
        text++;
    return text;
}

/* The child of that name if stepping onto it takes nothing but the step: no link, no mount point,
 * no foreign object. NULL otherwise, and for all that is not found. */
static inline struct umvfs_dentry *umvfs_plain_child(const struct umvfs *vfs,
                                                     const struct umvfs_dentry *dir,
                                                     const struct umvfs_name *name)
{
    struct umvfs_dentry *child = umvfs_table_find(vfs, dir, name);
    const unsigned special = DENTRY_SYMLINK | DENTRY_MOUNTED | DENTRY_FOREIGN;
    return child && !(child->flags & special) ? child : NULL;
}

/* Walks down from a directory as long as everybody may search and names lead to plain children, and
 * leaves *dir and *text where that ends: it decides nothing, and what is left of the text is for
 * the general walk. */
static inline void umvfs_walk_straight(const struct umvfs *vfs, struct umvfs_dentry **dir,
                                       const char **text)
{
    do {
        const char *next = umvfs_skip_slashes(*text);
        if (!*next || !umvfs_all_may_search((*dir)->inode))
            return;
        struct umvfs_name name = umvfs_name_scan(vfs, (*dir)->inode, next);
        struct umvfs_dentry *child = umvfs_plain_child(vfs, *dir, &name);
        if (!child)
            return;
        *dir = child;
        *text = next + name.len;
    } while (**text);
}

/* A counted reference for the embedder on the place reached. */
static inline void umvfs_walk_take(const struct umvfs_walk *walk, struct umvfs_path *out)
{
    umvfs_place_hold(walk->mnt, walk->dentry);
    walk->task->vfs->users++;
    *out = (struct umvfs_path){walk->mnt, walk->dentry};
}

#endif
