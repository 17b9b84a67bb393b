#include <vfs/mount.h>

#include "foreign.h"
#include "inode.h"
#include "mount_table.h"
#include "perm.h"
#include "walk.h"

#define MOUNT_FLAGS                                                                                \
    (VFS_MS_RDONLY | VFS_MS_NOSUID | VFS_MS_NODEV | VFS_MS_NOEXEC | VFS_MS_NOATIME |               \
     VFS_MS_NOSYMFOLLOW)

static int check_caller(const struct vfs_task *task, unsigned flags, unsigned allowed)
{
    if (flags & ~allowed)
        return -VFS_EINVAL;
    return vfs_capable(task->cred, VFS_CAP_SYS_ADMIN) ? 0 : -VFS_EPERM;
}

/* Walks to a mount point; the caller ends the walk on success. */
static int walk_to_point(struct vfs_walk *w, const struct vfs_task *task, const struct vfs_path *at,
                         const char *path)
{
    int err = vfs_walk(w, task, at, path, VFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    if (!(w->dentry->flags & DENTRY_LINKED) || !w->mnt->mounted)
        err = -VFS_ENOENT;
    if (err)
        vfs_walk_end(w);
    return err;
}

static int attach(const struct vfs_walk *w, struct vfs_sb *sb, struct vfs_dentry *root,
                  unsigned flags)
{
    struct vfs_path point = {w->mnt, w->dentry};
    struct vfs_mount *mnt;
    if (vfs_is_dir(root->inode) != vfs_is_dir(w->dentry->inode))
        return -VFS_ENOTDIR;
    int err = vfs_mount_attach(sb, root, &point, flags, &mnt);
    if (!err)
        vfs_foreign_pin(w->dentry);
    return err;
}

static int mount_foreign(const struct vfs_walk *w, const struct vfs_fs_ops *ops, void *fs,
                         void *root, unsigned flags)
{
    struct vfs_sb *sb;
    int err = vfs_sb_new(w->task->vfs, NULL, &sb);
    if (err)
        return err;
    sb->ops = ops;
    sb->fs = fs;
    err = vfs_foreign_wrap(sb, NULL, NULL, 0, root, &sb->root);
    if (!err)
        err = attach(w, sb, sb->root, flags);
    if (!err)
        return 0;
    sb->ops = NULL; /* root and fs remain the caller's */
    if (sb->root)
        vfs_sb_kill(sb);
    else
        vfs_sb_release(sb);
    return err;
}

int vfs_mount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              const struct vfs_fs_ops *ops, void *fs, void *root, unsigned flags)
{
    struct vfs_walk w;
    if (!ops || !ops->getattr || !ops->lookup)
        return -VFS_EINVAL;
    int err = check_caller(task, flags, MOUNT_FLAGS);
    if (err)
        return err;
    err = walk_to_point(&w, task, at, path);
    if (err)
        return err;
    err = mount_foreign(&w, ops, fs, root, flags);
    vfs_walk_end(&w);
    return err;
}

int vfs_mount_memory(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                     const struct vfs_limits *limits, uint32_t mode, unsigned flags)
{
    struct vfs_walk w;
    struct vfs_sb *sb;
    int err = check_caller(task, flags, MOUNT_FLAGS);
    if (err)
        return err;
    err = walk_to_point(&w, task, at, path);
    if (err)
        return err;
    err = vfs_sb_new_memory(task->vfs, limits, mode, task->cred->uid, task->cred->gid, &sb);
    if (!err) {
        err = attach(&w, sb, sb->root, flags);
        if (err)
            vfs_sb_kill(sb);
    }
    vfs_walk_end(&w);
    return err;
}

static bool is_within(const struct vfs_dentry *dentry, const struct vfs_dentry *top)
{
    while (dentry != top && dentry->parent != dentry)
        dentry = dentry->parent;
    return dentry == top;
}

/* Takes away all mounts made after `last`. */
static void detach_after(struct vfs *vfs, const struct vfs_mount *last)
{
    while (vfs->last != last)
        vfs_mount_detach(vfs->last);
}

/* Gives the copy `top` of from's mount copies of the mounts below. A mount comes after its parent
 * in the list, so that one pass over those that were there before finds each parent's copy made. */
static int copy_below(const struct vfs_walk *from, struct vfs_mount *top, struct vfs_mount *last)
{
    struct vfs *vfs = from->task->vfs;
    int err = 0;
    from->mnt->copy = top;
    for (struct vfs_mount *mnt = vfs->first; !err; mnt = mnt->next) {
        bool below = mnt->parent && mnt->parent->copy &&
                     (mnt->parent != from->mnt || is_within(mnt->point, from->dentry));
        if (below) {
            struct vfs_path point = {mnt->parent->copy, mnt->point};
            err = vfs_mount_attach(mnt->sb, mnt->root, &point, mnt->flags, &mnt->copy);
        }
        if (mnt == last)
            break;
    }
    for (struct vfs_mount *mnt = vfs->first; mnt; mnt = mnt->next)
        mnt->copy = NULL;
    from->mnt->copy = NULL;
    return err;
}

static int bind_walked(const struct vfs_walk *from, const struct vfs_walk *to, unsigned flags)
{
    struct vfs *vfs = from->task->vfs;
    struct vfs_mount *last = vfs->last;
    int err = attach(to, from->mnt->sb, from->dentry, from->mnt->flags);
    if (!err)
        vfs_foreign_pin(from->dentry);
    if (!err && flags & VFS_MS_REC)
        err = copy_below(from, vfs->last, last);
    if (err)
        detach_after(vfs, last);
    return err;
}

int vfs_bind(const struct vfs_task *task, const struct vfs_path *from_at, const char *from_path,
             const struct vfs_path *at, const char *path, unsigned flags)
{
    struct vfs_walk from;
    struct vfs_walk to;
    int err = check_caller(task, flags, VFS_MS_REC);
    if (err)
        return err;
    err = walk_to_point(&from, task, from_at, from_path);
    if (err)
        return err;
    err = walk_to_point(&to, task, at, path);
    if (!err) {
        err = bind_walked(&from, &to, flags);
        vfs_walk_end(&to);
    }
    vfs_walk_end(&from);
    return err;
}

/* Walks to the root of a mount; the caller ends the walk on success. */
static int walk_to_mount(struct vfs_walk *w, const struct vfs_task *task, const struct vfs_path *at,
                         const char *path, bool follow)
{
    int err = vfs_walk(w, task, at, path, follow ? 0 : VFS_AT_SYMLINK_NOFOLLOW, 0);
    if (!err && (w->dentry != w->mnt->root || !w->mnt->mounted)) {
        vfs_walk_end(w);
        err = -VFS_EINVAL;
    }
    return err;
}

int vfs_remount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                unsigned flags)
{
    struct vfs_walk w;
    int err = check_caller(task, flags, MOUNT_FLAGS);
    if (err)
        return err;
    err = walk_to_mount(&w, task, at, path, true);
    if (err)
        return err;
    if (flags & VFS_MS_RDONLY && w.mnt->writers > 0)
        err = -VFS_EBUSY;
    else
        w.mnt->flags = flags;
    vfs_walk_end(&w);
    return err;
}

static bool descends(const struct vfs_mount *mnt, const struct vfs_mount *from)
{
    while (mnt && mnt != from)
        mnt = mnt->parent;
    return mnt == from;
}

/* Takes a mount and all on it out of the tree; children come later in the list. */
static void detach_tree(struct vfs_mount *top)
{
    struct vfs_mount *mnt = top->vfs->last;
    while (mnt != top) {
        struct vfs_mount *before = mnt->prev;
        if (descends(mnt, top))
            vfs_mount_detach(mnt);
        mnt = before;
    }
    vfs_mount_detach(top);
}

int vfs_umount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               unsigned flags)
{
    struct vfs_walk w;
    int err = check_caller(task, flags, VFS_MNT_DETACH | VFS_UMOUNT_NOFOLLOW);
    if (err)
        return err;
    err = walk_to_mount(&w, task, at, path, !(flags & VFS_UMOUNT_NOFOLLOW));
    if (err)
        return err;
    struct vfs_mount *mnt = w.mnt;
    if (!mnt->parent)
        err = -VFS_EINVAL;
    else if (!(flags & VFS_MNT_DETACH) && mnt->refs > 1)
        err = -VFS_EBUSY;
    else
        detach_tree(mnt);
    vfs_walk_end(&w);
    return err;
}

int vfs_mounts(struct vfs *vfs,
               int (*fn)(void *ctx, const struct vfs_path *root, const struct vfs_fs_ops *ops,
                         void *fs, unsigned flags),
               void *ctx)
{
    for (struct vfs_mount *mnt = vfs->first; mnt; mnt = mnt->next) {
        struct vfs_path root = {mnt, mnt->root};
        int stop = fn(ctx, &root, mnt->sb->ops, mnt->sb->fs, mnt->flags);
        if (stop)
            return stop;
    }
    return 0;
}

unsigned vfs_mount_flags(const struct vfs_path *path)
{
    return path->mnt->flags;
}
