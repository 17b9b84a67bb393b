#include <vfs/path.h>

#include "dcache.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"
#include "walk.h"

void vfs_root(struct vfs *vfs, struct vfs_path *out)
{
    struct vfs_path root = {vfs->first, vfs->first->root};
    *out = vfs_path_get(&root);
}

struct vfs_path vfs_path_get(const struct vfs_path *path)
{
    if (path->mnt) {
        vfs_place_hold(path->mnt, path->dentry);
        path->mnt->vfs->users++;
    }
    return *path;
}

void vfs_path_put(struct vfs_path *path)
{
    struct vfs_path old = *path;
    *path = (struct vfs_path){0};
    if (old.mnt) {
        old.mnt->vfs->users--;
        vfs_place_drop(old.mnt, old.dentry);
    }
}

bool vfs_path_equal(const struct vfs_path *a, const struct vfs_path *b)
{
    return a->mnt == b->mnt && a->dentry == b->dentry;
}

struct vfs_inode *vfs_path_inode(const struct vfs_path *path)
{
    return path->dentry->inode;
}

bool vfs_path_linked(const struct vfs_path *path)
{
    return path->dentry->flags & DENTRY_LINKED;
}

/* What a path leads to, the way down to *dir and up to *rest being walked already. Apart from
 * vfs_lookup, which needs no room for a walk. */
__attribute__((noinline)) static int lookup_rest(const struct vfs_task *task,
                                                 const struct vfs_path *at, const char *path,
                                                 unsigned flags, unsigned resolve,
                                                 struct vfs_dentry *dir, const char *rest,
                                                 struct vfs_path *out)
{
    struct vfs_walk w;
    int err = vfs_walk_init(&w, task, at, path, flags, resolve);
    if (err)
        return err;
    w.dentry = dir;
    w.text[0].next = rest;
    err = vfs_walk_rest(&w, flags);
    if (err)
        return err;
    vfs_walk_take(&w, out);
    vfs_walk_end(&w);
    return 0;
}

int vfs_lookup(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               unsigned flags, unsigned resolve, struct vfs_path *out)
{
    const struct vfs_path *from = at ? at : &task->cwd;
    if (flags & ~(VFS_AT_SYMLINK_NOFOLLOW | VFS_AT_EMPTY_PATH))
        return -VFS_EINVAL;
    if (*path == '/' && !(resolve & VFS_RESOLVE_IN_ROOT))
        from = &task->root;
    struct vfs_dentry *dentry = from->dentry;
    const char *rest = path;
    vfs_walk_straight(task->vfs, &dentry, &rest);
    if (resolve || rest == path || *rest || rest - path >= (ptrdiff_t)VFS_PATH_MAX)
        return lookup_rest(task, at, path, flags, resolve, dentry, rest, out);
    vfs_place_hold(from->mnt, dentry);
    task->vfs->users++;
    *out = (struct vfs_path){from->mnt, dentry};
    return 0;
}

int vfs_lookup_dir(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                   unsigned flags, struct vfs_path *out)
{
    struct vfs_walk w;
    if (flags & ~(VFS_AT_SYMLINK_NOFOLLOW | VFS_AT_EMPTY_PATH))
        return -VFS_EINVAL;
    int err = vfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    if (!vfs_is_dir(w.dentry->inode))
        err = -VFS_ENOTDIR;
    if (!err)
        err = vfs_may_search(w.dentry->inode, task->cred);
    if (!err)
        vfs_walk_take(&w, out);
    vfs_walk_end(&w);
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
static bool prepend_names(struct backwards *b, const struct vfs_path *path,
                          const struct vfs_path *root)
{
    const struct vfs_mount *mnt = path->mnt;
    const struct vfs_dentry *dentry = path->dentry;
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
        prepend(b, vfs_dentry_name(dentry), dentry->name_len);
        prepend(b, "/", 1);
        dentry = dentry->parent;
    }
    return true;
}

static void prepend_all(struct backwards *b, const struct vfs_path *path,
                        const struct vfs_path *root)
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

int vfs_path_name(const struct vfs_path *path, const struct vfs_path *root, char *buf, size_t size)
{
    struct backwards count = {0};
    prepend_all(&count, path, root);
    if (count.used > VFS_PATH_MAX)
        return -VFS_ENAMETOOLONG;
    if (count.used > size)
        return -VFS_ERANGE;
    struct backwards write = {.end = buf + count.used};
    prepend_all(&write, path, root);
    return (int)(count.used - 1u);
}
