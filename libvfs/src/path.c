#include <umvfs/path.h>

#include "dcache.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"
#include "walk.h"

void umvfs_root(struct umvfs *vfs, struct umvfs_path *out)
{
    struct umvfs_path root = {vfs->first, vfs->first->root};
    *out = umvfs_path_get(&root);
}

struct umvfs_path umvfs_path_get(const struct umvfs_path *path)
{
    if (path->mnt) {
        umvfs_place_hold(path->mnt, path->dentry);
        path->mnt->vfs->users++;
    }
    return *path;
}

void umvfs_path_put(struct umvfs_path *path)
{
    struct umvfs_path old = *path;
    *path = (struct umvfs_path){0};
    if (old.mnt) {
        old.mnt->vfs->users--;
        umvfs_place_drop(old.mnt, old.dentry);
    }
}

bool umvfs_path_equal(const struct umvfs_path *a, const struct umvfs_path *b)
{
    return a->mnt == b->mnt && a->dentry == b->dentry;
}

struct umvfs_inode *umvfs_path_inode(const struct umvfs_path *path)
{
    return path->dentry->inode;
}

bool umvfs_path_linked(const struct umvfs_path *path)
{
    return path->dentry->flags & DENTRY_LINKED;
}

/* What a path leads to, the way down to *dir and up to *rest being walked already. Apart from
 * umvfs_lookup, which needs no room for a walk. */
__attribute__((noinline)) static int lookup_rest(const struct umvfs_task *task,
                                                 const struct umvfs_path *at, const char *path,
                                                 unsigned flags, unsigned resolve,
                                                 struct umvfs_dentry *dir, const char *rest,
                                                 struct umvfs_path *out)
{
    struct umvfs_walk w;
    int err = umvfs_walk_init(&w, task, at, path, flags, resolve);
    if (err)
        return err;
    w.dentry = dir;
    w.text[0].next = rest;
    err = umvfs_walk_rest(&w, flags);
    if (err)
        return err;
    umvfs_walk_take(&w, out);
    umvfs_walk_end(&w);
    return 0;
}

int umvfs_lookup(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 unsigned flags, unsigned resolve, struct umvfs_path *out)
{
    const struct umvfs_path *from = at ? at : &task->cwd;
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -UMVFS_EINVAL;
    if (*path == '/' && !(resolve & UMVFS_RESOLVE_IN_ROOT))
        from = &task->root;
    struct umvfs_dentry *dentry = from->dentry;
    const char *rest = path;
    umvfs_walk_straight(task->vfs, &dentry, &rest);
    if (resolve || rest == path || *rest || rest - path >= (ptrdiff_t)UMVFS_PATH_MAX)
        return lookup_rest(task, at, path, flags, resolve, dentry, rest, out);
    umvfs_place_hold(from->mnt, dentry);
    task->vfs->users++;
    *out = (struct umvfs_path){from->mnt, dentry};
    return 0;
}

int umvfs_lookup_dir(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                     unsigned flags, struct umvfs_path *out)
{
    struct umvfs_walk w;
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -UMVFS_EINVAL;
    int err = umvfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    if (!umvfs_is_dir(w.dentry->inode))
        err = -UMVFS_ENOTDIR;
    if (!err)
        err = umvfs_may_search(w.dentry->inode, task->cred);
    if (!err)
        umvfs_walk_take(&w, out);
    umvfs_walk_end(&w);
    return err;
}

/* Writes a name from the end of a buffer towards its front; without a buffer it only counts. */
struct backwards {
    char *end; /* NULL: count */
    size_t used;
};

static void prepend(struct backwards *b, const char *text, size_t len)
{
    b->used += len;
    if (b->end)
        memcpy(b->end - b->used, text, len);
}

/* The names from a place up to root; says whether root was met. */
static bool prepend_names(struct backwards *b, const struct umvfs_path *path,
                          const struct umvfs_path *root)
{
    const struct umvfs_mount *mnt = path->mnt;
    const struct umvfs_dentry *dentry = path->dentry;
    while (mnt != root->mnt || dentry != root->dentry) {
        if (dentry == mnt->root) {
            if (!mnt->parent)
                return false;
            dentry = mnt->point;
            mnt = mnt->parent;
            continue;
        }
        if (dentry->parent == dentry)
            return false;
        prepend(b, umvfs_dentry_name(dentry), dentry->name_len);
        prepend(b, "/", 1);
        dentry = dentry->parent;
    }
    return true;
}

static void prepend_all(struct backwards *b, const struct umvfs_path *path,
                        const struct umvfs_path *root)
{
    static const char deleted[] = " (deleted)";
    static const char unreachable[] = "(unreachable)";
    prepend(b, "", 1);
    if (path->dentry->flags & DENTRY_DEAD)
        prepend(b, deleted, sizeof(deleted) - 1u);
    size_t before = b->used;
    bool reached = prepend_names(b, path, root);
    if (b->used == before)
        prepend(b, "/", 1);
    if (!reached)
        prepend(b, unreachable, sizeof(unreachable) - 1u);
}

int umvfs_path_name(const struct umvfs_path *path, const struct umvfs_path *root, char *buf,
                    size_t size)
{
    struct backwards count = {0};
    prepend_all(&count, path, root);
    if (count.used > UMVFS_PATH_MAX)
        return -UMVFS_ENAMETOOLONG;
    if (count.used > size)
        return -UMVFS_ERANGE;
    struct backwards write = {.end = buf + count.used};
    prepend_all(&write, path, root);
    return (int)(count.used - 1u);
}
