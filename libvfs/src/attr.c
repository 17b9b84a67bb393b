#include <vfs/attr.h>
#include <vfs/tree.h>

#include "create.h"
#include "data.h"
#include "dir.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"

#define AT_FLAGS       (VFS_AT_SYMLINK_NOFOLLOW | VFS_AT_EMPTY_PATH)
#define DIR_ENTRY_SIZE 20u /* what an entry adds to a directory's size on tmpfs */

static uint64_t blocks_of(const struct vfs_inode *inode)
{
    if (!VFS_S_ISREG(inode->mode))
        return 0;
    if (vfs_data_is_small(inode))
        return (inode->u.data.small_cap + 511u) / 512u;
    return inode->rdev_or_pages * (VFS_PAGE_SIZE / 512u);
}

int vfs_inode_stat(struct vfs_inode *inode, struct vfs_stat *out)
{
    if (vfs_is_foreign(inode))
        return vfs_foreign_refresh(inode, out);
    *out = (struct vfs_stat){
        .dev = inode->sb->dev,
        .ino = inode->ino,
        .mode = inode->mode,
        .nlink = inode->nlink,
        .uid = inode->uid,
        .gid = inode->gid,
        .rdev = vfs_inode_rdev(inode),
        .size = inode->size,
        .blocks = blocks_of(inode),
        .atime = vfs_atime(inode),
        .mtime = vfs_mtime(inode),
        .ctime = vfs_time_of(inode->ctime),
    };
    if (vfs_is_dir(inode))
        out->size = (inode->u.dir.dir->count + UINT64_C(2)) * DIR_ENTRY_SIZE;
    return 0;
}

int vfs_stat(const struct vfs_task *task, const struct vfs_path *at, const char *path,
             unsigned flags, struct vfs_stat *out)
{
    struct vfs_walk w;
    if (flags & ~AT_FLAGS)
        return -VFS_EINVAL;
    int err = vfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    err = vfs_inode_stat(w.dentry->inode, out);
    vfs_walk_end(&w);
    return err;
}

/* Walks to an object that shall be changed; the caller ends the walk on success. */
static int walk_to_change(struct vfs_walk *w, const struct vfs_task *task,
                          const struct vfs_path *at, const char *path, unsigned flags)
{
    if (flags & ~AT_FLAGS)
        return -VFS_EINVAL;
    int err = vfs_walk(w, task, at, path, flags, 0);
    if (err)
        return err;
    err = vfs_mount_writable(w->mnt);
    if (err)
        vfs_walk_end(w);
    return err;
}

static int set_foreign(struct vfs_inode *inode, const struct vfs_setattr *attr)
{
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    struct vfs_stat st;
    if (!ops->setattr)
        return attr->mask == VFS_ATTR_SIZE ? 0 : -VFS_EPERM;
    int err = ops->setattr(inode->sb->fs, inode->u.foreign.node, attr);
    if (!err)
        vfs_foreign_refresh(inode, &st);
    return err;
}

static int change_mode(struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t mode)
{
    if (vfs_is_link(inode))
        return -VFS_EOPNOTSUPP;
    if (!vfs_owns(inode, cred))
        return -VFS_EPERM;
    mode &= VFS_S_IALL;
    if (mode & VFS_S_ISGID && !vfs_in_group(cred, inode->gid) && !vfs_capable(cred, VFS_CAP_FSETID))
        mode &= ~VFS_S_ISGID;
    if (vfs_is_foreign(inode)) {
        struct vfs_setattr attr = {.mask = VFS_ATTR_MODE, .mode = mode};
        return set_foreign(inode, &attr);
    }
    inode->mode = (uint16_t)((inode->mode & VFS_S_IFMT) | mode);
    vfs_touch_ctime(inode);
    return 0;
}

int vfs_chmod(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t mode, unsigned flags)
{
    struct vfs_walk w;
    int err = walk_to_change(&w, task, at, path, flags);
    if (err)
        return err;
    err = change_mode(w.dentry->inode, task->cred, mode);
    vfs_walk_end(&w);
    return err;
}

static bool may_give(const struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t uid,
                     uint32_t gid)
{
    if (vfs_capable(cred, VFS_CAP_CHOWN))
        return true;
    bool owner = cred->uid == inode->uid;
    bool uid_ok = uid == UINT32_MAX || (owner && uid == inode->uid);
    bool gid_ok = gid == UINT32_MAX || (owner && (gid == inode->gid || vfs_in_group(cred, gid)));
    return uid_ok && gid_ok;
}

static int change_owner(struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t uid,
                        uint32_t gid)
{
    if (!may_give(inode, cred, uid, gid))
        return -VFS_EPERM;
    if (vfs_is_foreign(inode)) {
        struct vfs_setattr attr = {.uid = uid, .gid = gid};
        attr.mask =
            (uid != UINT32_MAX ? VFS_ATTR_UID : 0u) | (gid != UINT32_MAX ? VFS_ATTR_GID : 0u);
        return set_foreign(inode, &attr);
    }
    uint16_t mode = inode->mode;
    if (!vfs_is_dir(inode))
        mode = vfs_mode_without_privileges(inode, cred);
    if (mode != inode->mode && !vfs_owns(inode, cred))
        return -VFS_EPERM; /* it is a chmod too */
    inode->mode = mode;
    if (uid != UINT32_MAX)
        inode->uid = uid;
    if (gid != UINT32_MAX)
        inode->gid = gid;
    vfs_touch_ctime(inode);
    return 0;
}

int vfs_chown(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t uid, uint32_t gid, unsigned flags)
{
    struct vfs_walk w;
    int err = walk_to_change(&w, task, at, path, flags);
    if (err)
        return err;
    err = change_owner(w.dentry->inode, task->cred, uid, gid);
    vfs_walk_end(&w);
    return err;
}

static bool is_omitted(struct vfs_time time)
{
    return time.nsec == VFS_TIME_OMIT;
}

static bool is_now(struct vfs_time time)
{
    return time.nsec == VFS_TIME_NOW;
}

static bool is_valid(struct vfs_time time)
{
    return time.nsec < 1000000000u || is_omitted(time) || is_now(time);
}

static int may_set_times(const struct vfs_inode *inode, const struct vfs_cred *cred,
                         const struct vfs_time times[2])
{
    if (!is_valid(times[0]) || !is_valid(times[1]))
        return -VFS_EINVAL;
    if ((is_omitted(times[0]) && is_omitted(times[1])) || vfs_owns(inode, cred))
        return 0;
    return is_now(times[0]) && is_now(times[1]) ? vfs_permission(inode, cred, VFS_MAY_WRITE)
                                                : -VFS_EPERM;
}

static int change_times(struct vfs_inode *inode, const struct vfs_time times[2])
{
    int64_t now = vfs_now(inode->sb->vfs);
    struct vfs_time present = vfs_time_of(now);
    struct vfs_setattr attr = {.atime = is_now(times[0]) ? present : times[0],
                               .mtime = is_now(times[1]) ? present : times[1]};
    attr.mask =
        (is_omitted(times[0]) ? 0u : VFS_ATTR_ATIME) | (is_omitted(times[1]) ? 0u : VFS_ATTR_MTIME);
    if (attr.mask == 0)
        return 0;
    if (vfs_is_foreign(inode))
        return set_foreign(inode, &attr);
    if (attr.mask & VFS_ATTR_ATIME)
        vfs_set_atime(inode, attr.atime);
    if (attr.mask & VFS_ATTR_MTIME)
        vfs_set_mtime(inode, attr.mtime);
    inode->ctime = now;
    return 0;
}

int vfs_utimens(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                const struct vfs_time times[2], unsigned flags)
{
    struct vfs_walk w;
    int err = walk_to_change(&w, task, at, path, flags);
    if (err)
        return err;
    err = may_set_times(w.dentry->inode, task->cred, times);
    if (!err)
        err = change_times(w.dentry->inode, times);
    vfs_walk_end(&w);
    return err;
}

int vfs_access(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               uint32_t mask, unsigned flags)
{
    struct vfs_walk w;
    if (mask & ~(VFS_MAY_READ | VFS_MAY_WRITE | VFS_MAY_EXEC) || flags & ~AT_FLAGS)
        return -VFS_EINVAL;
    int err = vfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    const struct vfs_inode *inode = w.dentry->inode;
    uint32_t mode = inode->mode;
    bool special = !VFS_S_ISREG(mode) && !VFS_S_ISDIR(mode) && !VFS_S_ISLNK(mode);
    if (mask & VFS_MAY_EXEC && VFS_S_ISREG(mode) && w.mnt->flags & VFS_MS_NOEXEC)
        err = -VFS_EACCES;
    if (!err && mask)
        err = vfs_permission(inode, task->cred, mask);
    if (!err && mask & VFS_MAY_WRITE && !special)
        err = vfs_mount_writable(w.mnt);
    vfs_walk_end(&w);
    return err;
}

static int check_truncate(const struct vfs_walk *w, uint64_t size)
{
    const struct vfs_inode *inode = w->dentry->inode;
    if (vfs_is_dir(inode))
        return -VFS_EISDIR;
    if (!VFS_S_ISREG(inode->mode))
        return -VFS_EINVAL;
    int err = vfs_mount_writable(w->mnt);
    if (!err)
        err = vfs_permission(inode, w->task->cred, VFS_MAY_WRITE);
    if (err)
        return err;
    if (inode->writers < 0)
        return -VFS_ETXTBSY;
    return size > VFS_FILE_SIZE_MAX ? -VFS_EFBIG : 0;
}

static int change_size(struct vfs_inode *inode, const struct vfs_cred *cred, uint64_t size)
{
    if (vfs_is_foreign(inode)) {
        struct vfs_setattr attr = {.mask = VFS_ATTR_SIZE, .size = size};
        return set_foreign(inode, &attr);
    }
    vfs_data_resize(inode, size);
    vfs_drop_privileges(inode, cred);
    vfs_touch_mtime(inode);
    return 0;
}

int vfs_truncate(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 uint64_t size)
{
    struct vfs_walk w;
    if (size > INT64_MAX)
        return -VFS_EINVAL;
    int err = vfs_walk(&w, task, at, path, 0, 0);
    if (err)
        return err;
    err = check_truncate(&w, size);
    if (!err)
        err = change_size(w.dentry->inode, task->cred, size);
    vfs_walk_end(&w);
    return err;
}

int vfs_statfs(const struct vfs_path *path, struct vfs_statfs *out)
{
    const struct vfs_sb *sb = path->mnt->sb;
    struct vfs_statfs st = {
        .pages = sb->limits.max_pages,
        .pages_used = sb->pages,
        .inodes = sb->limits.max_inodes,
        .inodes_used = sb->inodes,
        .bytes = sb->limits.max_bytes,
        .bytes_used = sb->bytes,
        .name_max = VFS_NAME_MAX,
    };
    if (sb->ops) {
        st = (struct vfs_statfs){.name_max = VFS_NAME_MAX};
        int err = sb->ops->statfs ? sb->ops->statfs(sb->fs, &st) : 0;
        if (err)
            return err;
    }
    st.mount_flags = path->mnt->flags;
    *out = st;
    return 0;
}

static bool is_within(uint64_t used, uint64_t limit)
{
    return limit == 0 || used <= limit;
}

int vfs_set_limits(const struct vfs_path *path, const struct vfs_limits *limits)
{
    struct vfs_sb *sb = path->mnt->sb;
    if (sb->ops || !is_within(sb->pages, limits->max_pages) ||
        !is_within(sb->inodes, limits->max_inodes) || !is_within(sb->bytes, limits->max_bytes))
        return -VFS_EINVAL;
    sb->limits = *limits;
    return 0;
}

static int copy_target(struct vfs_inode *inode, char *buf, size_t size)
{
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (!vfs_is_link(inode))
        return -VFS_EINVAL;
    if (vfs_is_foreign(inode))
        return ops->readlink ? ops->readlink(inode->sb->fs, inode->u.foreign.node, buf, size)
                             : -VFS_EINVAL;
    if (size > inode->size)
        size = (size_t)inode->size;
    memcpy(buf, inode->u.link.target, size);
    return (int)size;
}

int vfs_readlink(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 unsigned flags, char *buf, size_t size)
{
    struct vfs_walk w;
    if (size == 0 || flags & ~VFS_AT_EMPTY_PATH)
        return -VFS_EINVAL;
    int result = vfs_walk(&w, task, at, path, flags | VFS_AT_SYMLINK_NOFOLLOW, 0);
    if (result)
        return result;
    result = copy_target(w.dentry->inode, buf, size);
    if (result >= 0)
        vfs_touch_atime(w.mnt, w.dentry->inode);
    vfs_walk_end(&w);
    return result;
}
