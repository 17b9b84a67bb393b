#include "create.h"

#include <vfs/tree.h>

#include "dcache.h"
#include "dir.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"

int vfs_mount_writable(const struct vfs_mount *mnt)
{
    return mnt->flags & VFS_MS_RDONLY ? -VFS_EROFS : 0;
}

static uint32_t initial_mode(const struct vfs_inode *dir, const struct vfs_task *task,
                             uint32_t mode)
{
    const uint32_t setgid = VFS_S_ISGID | VFS_S_IXGRP;
    if (VFS_S_ISLNK(mode))
        return VFS_S_IFLNK | 0777u;
    if (VFS_S_ISDIR(mode)) {
        mode &= VFS_S_IFMT | VFS_S_ISVTX | 0777u;
        mode &= ~(task->umask & 0777u);
        return mode | (dir->mode & VFS_S_ISGID);
    }
    if (dir->mode & VFS_S_ISGID && (mode & setgid) == setgid &&
        !vfs_in_group(task->cred, dir->gid) && !vfs_capable(task->cred, VFS_CAP_FSETID))
        mode &= ~VFS_S_ISGID; /* before the umask, as in Linux */
    return mode & ~(task->umask & 0777u);
}

static int set_target(struct vfs_inode *inode, const struct vfs_new_object *what)
{
    void *mem;
    int err = vfs_obj_alloc(inode->sb, what->target_len + 1u, &mem);
    if (err)
        return err;
    char *target = mem;
    memcpy(target, what->target, what->target_len);
    target[what->target_len] = '\0';
    inode->u.link.target = target;
    inode->size = what->target_len;
    return 0;
}

int vfs_new_inode_in(const struct vfs_inode *dir, const struct vfs_task *task,
                     const struct vfs_new_object *what, struct vfs_inode **out)
{
    struct vfs_inode *inode;
    int err = vfs_inode_new(dir->sb, initial_mode(dir, task, what->mode), &inode);
    if (err)
        return err;
    inode->uid = task->cred->uid;
    inode->gid = dir->mode & VFS_S_ISGID ? dir->gid : task->cred->gid;
    if (vfs_is_dir(inode))
        inode->nlink = 2;
    if (VFS_S_ISCHR(inode->mode) || VFS_S_ISBLK(inode->mode))
        inode->rdev_or_pages = what->rdev;
    if (vfs_is_link(inode))
        err = set_target(inode, what);
    if (err) {
        vfs_inode_drop(inode);
        return err;
    }
    *out = inode;
    return 0;
}

static int make_foreign(struct vfs_walk *w, const struct vfs_new_object *what,
                        struct vfs_dentry **out)
{
    struct vfs_sb *sb = w->mnt->sb;
    struct vfs_inode *dir = w->dentry->inode;
    struct vfs_dentry *dentry;
    void *node;
    if (!sb->ops->create)
        return VFS_S_ISREG(what->mode) ? -VFS_EACCES : -VFS_EPERM;
    int err = sb->ops->create(sb->fs, dir->u.foreign.node, w->last.text, w->last.len,
                              initial_mode(dir, w->task, what->mode), what->rdev, what->target,
                              w->task->cred, &node);
    if (err)
        return err;
    err = vfs_foreign_wrap(sb, w->dentry, w->last.text, w->last.len, node, &dentry);
    if (err) {
        if (sb->ops->put)
            sb->ops->put(sb->fs, node);
        return err;
    }
    if (w->held.mnt)
        vfs_place_drop(w->held.mnt, w->held.dentry);
    w->mnt->refs++;
    w->held = (struct vfs_path){w->mnt, dentry};
    *out = dentry;
    return 0;
}

int vfs_make(struct vfs_walk *w, const struct vfs_new_object *what, struct vfs_dentry **out)
{
    struct vfs_inode *dir = w->dentry->inode;
    struct vfs_inode *inode;
    struct vfs_dentry *dentry;
    if (vfs_is_foreign(dir))
        return make_foreign(w, what, out);
    int err = vfs_new_inode_in(dir, w->task, what, &inode);
    if (err)
        return err;
    err = vfs_dir_prepare(dir, &w->last, &dentry);
    if (err) {
        vfs_inode_drop(inode);
        return err;
    }
    if (vfs_is_dir(inode))
        dir->nlink++;
    else
        inode->nlink = 1;
    vfs_dir_add(w->dentry, dentry, inode);
    vfs_stamp(dir, inode->ctime);
    *out = dentry;
    return 0;
}

/* Walks to where a new name shall be. On success the caller ends the walk, and has permission to
 * create still to check. */
static int walk_to_new(struct vfs_walk *w, const struct vfs_task *task, const struct vfs_path *at,
                       const char *path, bool is_dir)
{
    struct vfs_dentry *child;
    int err = vfs_walk_init(w, task, at, path, 0, 0);
    if (err)
        return err;
    err = vfs_walk_parent(w);
    if (!err && w->last_type != WALK_NAME)
        err = -VFS_EEXIST;
    if (!err) {
        err = vfs_walk_child(w, &child);
        err = !err ? -VFS_EEXIST : err == -VFS_ENOENT ? 0 : err;
    }
    if (!err && w->must_be_dir && !is_dir)
        err = -VFS_ENOENT;
    if (!err)
        err = vfs_mount_writable(w->mnt);
    if (err)
        vfs_walk_end(w);
    return err;
}

static int make_at(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                   const struct vfs_new_object *what)
{
    struct vfs_walk w;
    struct vfs_dentry *dentry;
    bool device = VFS_S_ISBLK(what->mode) || (VFS_S_ISCHR(what->mode) && what->rdev != 0);
    int err = walk_to_new(&w, task, at, path, VFS_S_ISDIR(what->mode));
    if (err)
        return err;
    err = vfs_may_create(w.dentry->inode, task->cred);
    if (!err && device && !vfs_capable(task->cred, VFS_CAP_MKNOD))
        err = -VFS_EPERM;
    if (!err)
        err = vfs_make(&w, what, &dentry);
    vfs_walk_end(&w);
    return err;
}

int vfs_mkdir(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t mode)
{
    struct vfs_new_object what = {.mode = VFS_S_IFDIR | (mode & VFS_S_IALL)};
    return make_at(task, at, path, &what);
}

int vfs_mknod(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t mode, uint64_t rdev)
{
    struct vfs_new_object what = {.mode = mode & (VFS_S_IFMT | VFS_S_IALL), .rdev = rdev};
    switch (mode & VFS_S_IFMT) {
    case 0:
        what.mode |= VFS_S_IFREG;
        break;
    case VFS_S_IFREG:
    case VFS_S_IFIFO:
    case VFS_S_IFSOCK:
    case VFS_S_IFCHR:
    case VFS_S_IFBLK:
        break;
    case VFS_S_IFDIR:
        return -VFS_EPERM;
    default:
        return -VFS_EINVAL;
    }
    return make_at(task, at, path, &what);
}

int vfs_symlink(const struct vfs_task *task, const char *target, const struct vfs_path *at,
                const char *path)
{
    size_t len = 0;
    while (len < VFS_PATH_MAX && target[len])
        len++;
    if (len == 0)
        return -VFS_ENOENT;
    if (len >= VFS_PATH_MAX)
        return -VFS_ENAMETOOLONG;
    struct vfs_new_object what = {.mode = VFS_S_IFLNK, .target = target, .target_len = len};
    return make_at(task, at, path, &what);
}

static int check_link(const struct vfs_walk *old, const struct vfs_walk *new)
{
    const struct vfs_inode *inode = old->dentry->inode;
    if (new->dentry->inode->flags & INODE_DEAD)
        return -VFS_ENOENT;
    if (old->mnt != new->mnt)
        return -VFS_EXDEV;
    int err = vfs_may_link(inode, old->task->cred);
    if (err)
        return err;
    err = vfs_may_create(new->dentry->inode, new->task->cred);
    if (err)
        return err;
    if (vfs_is_dir(inode))
        return -VFS_EPERM;
    if (inode->nlink == 0 && !(inode->flags & INODE_LINKABLE))
        return -VFS_ENOENT;
    return inode->nlink >= VFS_LINK_MAX ? -VFS_EMLINK : 0;
}

static int link_to(struct vfs_walk *new, struct vfs_inode *inode)
{
    struct vfs_inode *dir = new->dentry->inode;
    struct vfs_dentry *dentry;
    const struct vfs_fs_ops *ops = vfs_ops(dir);
    if (vfs_is_foreign(dir)) {
        return !ops->link ? -VFS_EPERM
                          : ops->link(dir->sb->fs, inode->u.foreign.node, dir->u.foreign.node,
                                      new->last.text, new->last.len);
    }
    int err = vfs_dir_prepare(dir, &new->last, &dentry);
    if (err)
        return err;
    inode->nlink++;
    inode->refs++;
    inode->flags &= (uint16_t)~INODE_LINKABLE;
    vfs_dir_add(new->dentry, dentry, inode);
    vfs_touch_mtime(dir);
    inode->ctime = dir->ctime;
    return 0;
}

int vfs_link(const struct vfs_task *task, const struct vfs_path *old_at, const char *old_path,
             const struct vfs_path *new_at, const char *new_path, unsigned flags)
{
    struct vfs_walk old;
    struct vfs_walk new;
    if (flags & ~(VFS_AT_SYMLINK_FOLLOW | VFS_AT_EMPTY_PATH))
        return -VFS_EINVAL;
    unsigned nofollow = flags & VFS_AT_SYMLINK_FOLLOW ? 0 : VFS_AT_SYMLINK_NOFOLLOW;
    int err = vfs_walk(&old, task, old_at, old_path, nofollow | (flags & VFS_AT_EMPTY_PATH), 0);
    if (err)
        return err;
    err = walk_to_new(&new, task, new_at, new_path, false);
    if (!err) {
        err = check_link(&old, &new);
        if (!err)
            err = link_to(&new, old.dentry->inode);
        vfs_walk_end(&new);
    }
    vfs_walk_end(&old);
    return err;
}
