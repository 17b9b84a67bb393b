#include <umvfs/mount.h>

#include "foreign.h"
#include "inode.h"
#include "mount_table.h"
#include "perm.h"
#include "walk.h"

#define MOUNT_FLAGS                                                                                \
    (UMVFS_MS_RDONLY | UMVFS_MS_NOSUID | UMVFS_MS_NODEV | UMVFS_MS_NOEXEC | UMVFS_MS_NOATIME |     \
     UMVFS_MS_NOSYMFOLLOW)

static int check_caller(const struct umvfs_task *task, unsigned flags, unsigned allowed)
{
    if (flags & ~allowed)
        return -UMVFS_EINVAL;
    return umvfs_capable(task->cred, UMVFS_CAP_SYS_ADMIN) ? 0 : -UMVFS_EPERM;
}

/* Walks to a mount point; the caller ends the walk on success. */
static int walk_to_point(struct umvfs_walk *w, const struct umvfs_task *task,
                         const struct umvfs_path *at, const char *path)
{
    int err = umvfs_walk(w, task, at, path, UMVFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    if (!(w->dentry->flags & DENTRY_LINKED) || !w->mnt->mounted)
        err = -UMVFS_ENOENT;
    if (err)
        umvfs_walk_end(w);
    return err;
}

static int attach(const struct umvfs_walk *w, struct umvfs_sb *sb, struct umvfs_dentry *root,
                  unsigned flags)
{
    struct umvfs_path point = {w->mnt, w->dentry};
    struct umvfs_mount *mnt;
    if (umvfs_is_dir(root->inode) != umvfs_is_dir(w->dentry->inode))
        return -UMVFS_ENOTDIR;
    int err = umvfs_mount_attach(sb, root, &point, flags, &mnt);
    if (!err)
        umvfs_foreign_pin(w->dentry);
    return err;
}

static int mount_foreign(const struct umvfs_walk *w, const struct umvfs_fs_ops *ops, void *fs,
                         void *root, unsigned flags)
{
    struct umvfs_sb *sb;
    int err = umvfs_sb_new(w->task->vfs, NULL, &sb);
    if (err)
        return err;
    sb->ops = ops;
    sb->fs = fs;
    sb->is_readonly = flags & UMVFS_MS_RDONLY;
    err = umvfs_foreign_wrap(sb, NULL, NULL, 0, root, &sb->root);
    if (!err)
        err = attach(w, sb, sb->root, flags);
    if (!err)
        return 0;
    sb->ops = NULL; /* root and fs remain the caller's */
    if (sb->root)
        umvfs_sb_kill(sb);
    else
        umvfs_sb_release(sb);
    return err;
}

int umvfs_mount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                const struct umvfs_fs_ops *ops, void *fs, void *root, unsigned flags)
{
    struct umvfs_walk w;
    if (!ops || !ops->getattr || !ops->lookup)
        return -UMVFS_EINVAL;
    int err = check_caller(task, flags, MOUNT_FLAGS);
    if (err)
        return err;
    err = walk_to_point(&w, task, at, path);
    if (err)
        return err;
    err = mount_foreign(&w, ops, fs, root, flags);
    umvfs_walk_end(&w);
    return err;
}

int umvfs_mount_memory(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                       const struct umvfs_limits *limits, uint32_t mode, unsigned flags)
{
    struct umvfs_walk w;
    struct umvfs_sb *sb;
    int err = check_caller(task, flags, MOUNT_FLAGS);
    if (err)
        return err;
    err = walk_to_point(&w, task, at, path);
    if (err)
        return err;
    err = umvfs_sb_new_memory(task->vfs, limits, mode, task->cred->uid, task->cred->gid, &sb);
    if (!err) {
        sb->is_readonly = flags & UMVFS_MS_RDONLY;
        err = attach(&w, sb, sb->root, flags);
        if (err)
            umvfs_sb_kill(sb);
    }
    umvfs_walk_end(&w);
    return err;
}

static bool is_within(const struct umvfs_dentry *dentry, const struct umvfs_dentry *top)
{
    while (dentry != top && dentry->parent != dentry)
        dentry = dentry->parent;
    return dentry == top;
}

/* Takes away all mounts made after `last`. */
static void detach_after(struct umvfs *vfs, const struct umvfs_mount *last)
{
    while (vfs->last != last)
        umvfs_mount_detach(vfs->last);
}

/* Gives the copy `top` of from's mount copies of the mounts below. A mount comes after its parent
 * in the list, so that one pass over those that were there before finds each parent's copy made. */
static int copy_below(const struct umvfs_walk *from, struct umvfs_mount *top,
                      struct umvfs_mount *last)
{
    struct umvfs *vfs = from->task->vfs;
    int err = 0;
    from->mnt->copy = top;
    for (struct umvfs_mount *mnt = vfs->first; !err; mnt = mnt->next) {
        bool below = mnt->parent && mnt->parent->copy &&
                     (mnt->parent != from->mnt || is_within(mnt->point, from->dentry));
        if (below) {
            struct umvfs_path point = {mnt->parent->copy, mnt->point};
            err = umvfs_mount_attach(mnt->sb, mnt->root, &point, mnt->flags, &mnt->copy);
        }
        if (mnt == last)
            break;
    }
    for (struct umvfs_mount *mnt = vfs->first; mnt; mnt = mnt->next)
        mnt->copy = NULL;
    from->mnt->copy = NULL;
    return err;
}

static int bind_walked(const struct umvfs_walk *from, const struct umvfs_walk *to, unsigned flags)
{
    struct umvfs *vfs = from->task->vfs;
    struct umvfs_mount *last = vfs->last;
    int err = attach(to, from->mnt->sb, from->dentry, from->mnt->flags);
    if (!err)
        umvfs_foreign_pin(from->dentry);
    if (!err && flags & UMVFS_MS_REC)
        err = copy_below(from, vfs->last, last);
    if (err)
        detach_after(vfs, last);
    return err;
}

int umvfs_bind(const struct umvfs_task *task, const struct umvfs_path *from_at,
               const char *from_path, const struct umvfs_path *at, const char *path, unsigned flags)
{
    struct umvfs_walk from;
    struct umvfs_walk to;
    int err = check_caller(task, flags, UMVFS_MS_REC);
    if (err)
        return err;
    err = walk_to_point(&from, task, from_at, from_path);
    if (err)
        return err;
    err = walk_to_point(&to, task, at, path);
    if (!err) {
        err = bind_walked(&from, &to, flags);
        umvfs_walk_end(&to);
    }
    umvfs_walk_end(&from);
    return err;
}

/* Walks to the root of a mount; the caller ends the walk on success. */
static int walk_to_mount(struct umvfs_walk *w, const struct umvfs_task *task,
                         const struct umvfs_path *at, const char *path, unsigned flags)
{
    int err = umvfs_walk(w, task, at, path, flags, 0);
    if (!err && !umvfs_is_mount_root(&(struct umvfs_path){w->mnt, w->dentry})) {
        umvfs_walk_end(w);
        err = -UMVFS_EINVAL;
    }
    return err;
}

static int move_walked(const struct umvfs_walk *from, const struct umvfs_walk *to)
{
    if (!from->mnt->parent || umvfs_is_dir(from->dentry->inode) != umvfs_is_dir(to->dentry->inode))
        return -UMVFS_EINVAL;
    if (umvfs_mount_is_on(to->mnt, from->mnt))
        return -UMVFS_ELOOP;
    umvfs_mount_move(from->mnt, &(struct umvfs_path){to->mnt, to->dentry});
    umvfs_foreign_pin(to->dentry);
    return 0;
}

int umvfs_move_mount(const struct umvfs_task *task, const struct umvfs_path *from_at,
                     const char *from_path, const struct umvfs_path *at, const char *path)
{
    struct umvfs_walk from;
    struct umvfs_walk to;
    int err = check_caller(task, 0, 0);
    if (err)
        return err;
    err = walk_to_point(&to, task, at, path);
    if (err)
        return err;
    err = walk_to_mount(&from, task, from_at, from_path, UMVFS_AT_EMPTY_PATH);
    if (!err) {
        err = move_walked(&from, &to);
        umvfs_walk_end(&from);
    }
    umvfs_walk_end(&to);
    return err;
}

/* Whether a file is open for writing: at this mount, or at any of its file system. */
static bool has_writers(const struct umvfs_mount *mnt, bool only_here)
{
    if (only_here)
        return mnt->writers > 0;
    for (const struct umvfs_mount *other = mnt->vfs->first; other; other = other->next) {
        if (other->sb == mnt->sb && other->writers > 0)
            return true;
    }
    return mnt->writers > 0;
}

int umvfs_remount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                  unsigned flags)
{
    struct umvfs_walk w;
    int err = check_caller(task, flags, MOUNT_FLAGS | UMVFS_MS_BIND);
    if (err)
        return err;
    err = walk_to_mount(&w, task, at, path, 0);
    if (err)
        return err;
    if (flags & UMVFS_MS_RDONLY && has_writers(w.mnt, flags & UMVFS_MS_BIND)) {
        err = -UMVFS_EBUSY;
    } else {
        w.mnt->flags = flags & ~UMVFS_MS_BIND;
        if (!(flags & UMVFS_MS_BIND))
            w.mnt->sb->is_readonly = flags & UMVFS_MS_RDONLY;
    }
    umvfs_walk_end(&w);
    return err;
}

/* Takes a mount and all on it out of the tree; children come later in the list. */
static void detach_tree(struct umvfs_mount *top)
{
    struct umvfs_mount *mnt = top->vfs->last;
    while (mnt != top) {
        struct umvfs_mount *before = mnt->prev;
        if (umvfs_mount_is_on(mnt, top))
            umvfs_mount_detach(mnt);
        mnt = before;
    }
    umvfs_mount_detach(top);
}

void umvfs_mount_detach_below(struct umvfs_dentry *place)
{
    struct umvfs *vfs = place->inode->sb->vfs;
    for (struct umvfs_mount *mnt = vfs->last, *before; mnt; mnt = before) {
        before = mnt->prev;
        if (!mnt->point || !is_within(mnt->point, place))
            continue;
        detach_tree(mnt);
        before = vfs->last;
    }
}

int umvfs_umount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 unsigned flags)
{
    struct umvfs_walk w;
    int err = check_caller(task, flags, UMVFS_MNT_DETACH | UMVFS_UMOUNT_NOFOLLOW);
    if (err)
        return err;
    err = walk_to_mount(&w, task, at, path,
                        flags & UMVFS_UMOUNT_NOFOLLOW ? UMVFS_AT_SYMLINK_NOFOLLOW : 0);
    if (err)
        return err;
    struct umvfs_mount *mnt = w.mnt;
    if (!mnt->parent)
        err = -UMVFS_EINVAL;
    else if (!(flags & UMVFS_MNT_DETACH) && mnt->refs > 1)
        err = -UMVFS_EBUSY;
    else
        detach_tree(mnt);
    umvfs_walk_end(&w);
    return err;
}

/* Whether no place that it is reached by has gone. A look-up there detaches it. */
static bool is_reachable(const struct umvfs_mount *mnt)
{
    for (; mnt->parent; mnt = mnt->parent) {
        const struct umvfs_inode *inode = mnt->point->inode;
        const struct umvfs_fs_ops *ops = umvfs_ops(inode);
        if (ops && ops->revalidate && !ops->revalidate(inode->sb->fs, inode->u.foreign.node))
            return false;
    }
    return true;
}

int umvfs_mounts(struct umvfs *vfs,
                 int (*fn)(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                           void *fs, unsigned flags),
                 void *ctx)
{
    for (struct umvfs_mount *mnt = vfs->first; mnt; mnt = mnt->next) {
        struct umvfs_path root = {mnt, mnt->root};
        if (!is_reachable(mnt))
            continue;
        int stop = fn(ctx, &root, mnt->sb->ops, mnt->sb->fs, umvfs_mount_bits(mnt));
        if (stop)
            return stop;
    }
    return 0;
}

bool umvfs_is_mount_root(const struct umvfs_path *path)
{
    return path->dentry == path->mnt->root && path->mnt->mounted;
}

unsigned umvfs_mount_flags(const struct umvfs_path *path)
{
    return umvfs_mount_bits(path->mnt);
}
