/* The path walker: from a string to a place, iteratively, as path_resolution(7) and openat2(2). A
 * walk takes no references on what the tree keeps alive anyhow; only foreign objects and places
 * that a magic link gave are held. Between init and end the tree must not change, except by the
 * operation that the walk is for, as its last step. */
#ifndef VFS_WALK_H
#define VFS_WALK_H

#include "dcache.h"
#include "mount_table.h"
#include "perm.h"

enum walk_last {
    WALK_ROOT, /* nothing but slashes, or an empty path that is allowed */
    WALK_DOT,
    WALK_DOTDOT,
    WALK_NAME,
};

struct vfs_walk {
    const struct vfs_task *task;
    struct vfs_path root;  /* where ".." ends and "/" leads, uncounted */
    struct vfs_mount *mnt; /* the place reached, uncounted */
    struct vfs_dentry *dentry;
    struct vfs_path held; /* keeps foreign objects alive; counted or zero */
    const char *start;    /* of the caller's string; NULL once its length is known good */
    struct vfs_name last; /* last component, hashed for the place reached */
    enum walk_last last_type;
    bool must_be_dir; /* a slash came after it */
    unsigned resolve;
    unsigned links;
    unsigned link_text; /* bytes in them */
    unsigned depth;
    struct {
        const char *next;       /* what is still to walk */
        struct vfs_inode *link; /* counted: whose contents this is */
        char *buf;              /* VFS_PATH_MAX bytes: what a foreign link said */
    } text[VFS_SYMLINK_MAX + 1u];
};

/* Starts a walk. flags: VFS_AT_EMPTY_PATH counts. On failure nothing is to be ended.
 * -VFS_ENOENT (""), -VFS_EINVAL, -VFS_EXDEV. */
int vfs_walk_init(struct vfs_walk *walk, const struct vfs_task *task, const struct vfs_path *at,
                  const char *path, unsigned flags, unsigned resolve);
/* Lets go of everything that a walk holds. */
void vfs_walk_release(struct vfs_walk *walk);

static inline void vfs_walk_end(struct vfs_walk *walk)
{
    if (walk->depth > 0 || walk->text[0].link || walk->text[0].buf || walk->held.mnt)
        vfs_walk_release(walk);
}

/* Walks up to the last component, which is left in last and last_type. */
int vfs_walk_parent(struct vfs_walk *walk);
/* The child that last names in the place reached; no mount is crossed. -VFS_ENOENT,
 * -VFS_ENAMETOOLONG: only now, as on Linux. */
int vfs_walk_child(struct vfs_walk *walk, struct vfs_dentry **out);
/* Walks the last component too; follow: a symbolic link as well. */
int vfs_walk_last(struct vfs_walk *walk, bool follow);
/* Steps onto the child got from vfs_walk_child: crosses mounts. */
int vfs_walk_onto(struct vfs_walk *walk, struct vfs_dentry *child);
/* Follows the link that the walk stands on, which is the last component, up to the last component
 * of what it leads to (WALK_ROOT: a magic link has arrived). `dir` is where the link is. */
int vfs_walk_follow(struct vfs_walk *walk, struct vfs_mount *mnt, struct vfs_dentry *dir);

/* init, parent and last in one; flags VFS_AT_*. The caller ends the walk if this succeeds. */
int vfs_walk(struct vfs_walk *walk, const struct vfs_task *task, const struct vfs_path *at,
             const char *path, unsigned flags, unsigned resolve);
/* parent and last in one, after init, and the end of the walk if they fail. */
int vfs_walk_rest(struct vfs_walk *walk, unsigned flags);

static inline const char *vfs_skip_slashes(const char *text)
{
    while (*text == '/')
        text++;
    return text;
}

/* The child of that name if stepping onto it takes nothing but the step: no link, no mount point,
 * no foreign object. NULL otherwise, and for all that is not found. */
static inline struct vfs_dentry *
vfs_plain_child(const struct vfs *vfs, const struct vfs_dentry *dir, const struct vfs_name *name)
{
    struct vfs_dentry *child = vfs_table_find(vfs, dir, name);
    const unsigned special = DENTRY_SYMLINK | DENTRY_MOUNTED | DENTRY_FOREIGN;
    return child && !(child->flags & special) ? child : NULL;
}

/* Walks down from a directory as long as everybody may search and names lead to plain children, and
 * leaves *dir and *text where that ends: it decides nothing, and what is left of the text is for
 * the general walk. */
static inline void vfs_walk_straight(const struct vfs *vfs, struct vfs_dentry **dir,
                                     const char **text)
{
    do {
        const char *next = vfs_skip_slashes(*text);
        if (!*next || !vfs_all_may_search((*dir)->inode))
            return;
        struct vfs_name name = vfs_name_scan(vfs, (*dir)->inode, next);
        struct vfs_dentry *child = vfs_plain_child(vfs, *dir, &name);
        if (!child)
            return;
        *dir = child;
        *text = next + name.len;
    } while (**text);
}

/* A counted reference for the embedder on the place reached. */
static inline void vfs_walk_take(const struct vfs_walk *walk, struct vfs_path *out)
{
    vfs_place_hold(walk->mnt, walk->dentry);
    walk->task->vfs->users++;
    *out = (struct vfs_path){walk->mnt, walk->dentry};
}

#endif
