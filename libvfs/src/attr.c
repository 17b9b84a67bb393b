#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "create.h"
#include "data.h"
#include "dcache.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"
#include "tell.h"

#define AT_FLAGS       (UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH)
#define DIR_ENTRY_SIZE 20u /* what an entry adds to a directory's size on tmpfs */

static uint64_t blocks_of(const struct umvfs_inode *inode)
{
    if (!UMVFS_S_ISREG(inode->mode))
        return 0;
    if (umvfs_data_is_small(inode))
        return (inode->u.data.small_cap + 511u) / 512u;
    return inode->rdev_or_pages * (UMVFS_PAGE_SIZE / 512u);
}

int umvfs_inode_stat(struct umvfs_inode *inode, struct umvfs_stat *out)
{
    if (umvfs_is_foreign(inode))
        return umvfs_foreign_refresh(inode, out);
    *out = (struct umvfs_stat){
        .dev = inode->sb->dev,
        .ino = inode->ino,
        .mode = inode->mode,
        .nlink = inode->nlink,
        .uid = inode->uid,
        .gid = inode->gid,
        .rdev = umvfs_inode_rdev(inode),
        .size = inode->size,
        .blocks = blocks_of(inode),
        .atime = umvfs_atime(inode),
        .mtime = umvfs_mtime(inode),
        .ctime = umvfs_time_of(inode->ctime),
        .btime = umvfs_time_of(inode->btime),
    };
    if (umvfs_is_dir(inode))
        out->size = (inode->u.dir.dir->count + UINT64_C(2)) * DIR_ENTRY_SIZE;
    return 0;
}

int umvfs_stat(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               unsigned flags, struct umvfs_stat *out)
{
    struct umvfs_walk w;
    if (flags & ~AT_FLAGS)
        return -UMVFS_EINVAL;
    int err = umvfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    err = umvfs_inode_stat(w.dentry->inode, out);
    umvfs_walk_end(&w);
    return err;
}

/* Walks to an object that shall be changed; the caller ends the walk on success. */
static int walk_to_change(struct umvfs_walk *w, const struct umvfs_task *task,
                          const struct umvfs_path *at, const char *path, unsigned flags)
{
    if (flags & ~AT_FLAGS)
        return -UMVFS_EINVAL;
    int err = umvfs_walk(w, task, at, path, flags, 0);
    if (err)
        return err;
    err = umvfs_mount_writable(w->mnt);
    if (err)
        umvfs_walk_end(w);
    return err;
}

static int set_foreign(struct umvfs_inode *inode, const struct umvfs_setattr *attr)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    struct umvfs_stat st;
    if (!ops->setattr)
        return attr->mask == UMVFS_ATTR_SIZE ? 0 : -UMVFS_EPERM;
    int err = ops->setattr(inode->sb->fs, inode->u.foreign.node, attr);
    if (!err)
        umvfs_foreign_refresh(inode, &st);
    return err;
}

static int change_mode(struct umvfs_inode *inode, const struct umvfs_cred *cred, uint32_t mode)
{
    if (umvfs_is_link(inode))
        return -UMVFS_EOPNOTSUPP;
    if (!umvfs_owns(inode, cred))
        return -UMVFS_EPERM;
    mode &= UMVFS_S_IALL;
    if (mode & UMVFS_S_ISGID && !umvfs_in_group(cred, inode->gid) &&
        !umvfs_capable(cred, UMVFS_CAP_FSETID))
        mode &= ~UMVFS_S_ISGID;
    if (umvfs_is_foreign(inode)) {
        struct umvfs_setattr attr = {.mask = UMVFS_ATTR_MODE, .mode = mode};
        return set_foreign(inode, &attr);
    }
    inode->mode = (uint16_t)((inode->mode & UMVFS_S_IFMT) | mode);
    if (inode->flags & INODE_ACL)
        umvfs_acl_follow_mode(inode);
    umvfs_touch_ctime(inode);
    return 0;
}

int umvfs_chmod(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t mode, unsigned flags)
{
    struct umvfs_walk w;
    int err = walk_to_change(&w, task, at, path, flags);
    if (err)
        return err;
    err = change_mode(w.dentry->inode, task->cred, mode);
    if (!err)
        umvfs_tell_place(w.dentry, UMVFS_IN_ATTRIB);
    umvfs_walk_end(&w);
    return err;
}

static bool may_give(const struct umvfs_inode *inode, const struct umvfs_cred *cred, uint32_t uid,
                     uint32_t gid)
{
    if (umvfs_capable(cred, UMVFS_CAP_CHOWN))
        return true;
    bool owner = cred->uid == inode->uid;
    bool uid_ok = uid == UINT32_MAX || (owner && uid == inode->uid);
    bool gid_ok = gid == UINT32_MAX || (owner && (gid == inode->gid || umvfs_in_group(cred, gid)));
    return uid_ok && gid_ok;
}

static int change_owner(struct umvfs_inode *inode, const struct umvfs_cred *cred, uint32_t uid,
                        uint32_t gid)
{
    if (!may_give(inode, cred, uid, gid))
        return -UMVFS_EPERM;
    if (umvfs_is_foreign(inode)) {
        struct umvfs_setattr attr = {.uid = uid, .gid = gid};
        attr.mask =
            (uid != UINT32_MAX ? UMVFS_ATTR_UID : 0u) | (gid != UINT32_MAX ? UMVFS_ATTR_GID : 0u);
        return set_foreign(inode, &attr);
    }
    uint16_t mode = inode->mode;
    if (!umvfs_is_dir(inode))
        mode = umvfs_mode_without_privileges(inode, cred);
    if (mode != inode->mode && !umvfs_owns(inode, cred))
        return -UMVFS_EPERM; /* it is a chmod too */
    inode->mode = mode;
    if (inode->xattrs && !umvfs_is_dir(inode))
        umvfs_xattr_drop_capability(inode);
    if (uid != UINT32_MAX)
        inode->uid = uid;
    if (gid != UINT32_MAX)
        inode->gid = gid;
    umvfs_touch_ctime(inode);
    return 0;
}

int umvfs_chown(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t uid, uint32_t gid, unsigned flags)
{
    struct umvfs_walk w;
    int err = walk_to_change(&w, task, at, path, flags);
    if (err)
        return err;
    uint16_t mode = w.dentry->inode->mode;
    err = change_owner(w.dentry->inode, task->cred, uid, gid);
    if (!err && (uid != UINT32_MAX || gid != UINT32_MAX || mode != w.dentry->inode->mode))
        umvfs_tell_place(w.dentry, UMVFS_IN_ATTRIB);
    umvfs_walk_end(&w);
    return err;
}

static bool is_omitted(struct umvfs_time time)
{
    return time.nsec == UMVFS_TIME_OMIT;
}

static bool is_now(struct umvfs_time time)
{
    return time.nsec == UMVFS_TIME_NOW;
}

static bool is_valid(struct umvfs_time time)
{
    return time.nsec < 1000000000u || is_omitted(time) || is_now(time);
}

static int may_set_times(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                         const struct umvfs_time times[2])
{
    if (!is_valid(times[0]) || !is_valid(times[1]))
        return -UMVFS_EINVAL;
    if ((is_omitted(times[0]) && is_omitted(times[1])) || umvfs_owns(inode, cred))
        return 0;
    return is_now(times[0]) && is_now(times[1]) ? umvfs_permission(inode, cred, UMVFS_MAY_WRITE)
                                                : -UMVFS_EPERM;
}

static int change_times(struct umvfs_inode *inode, const struct umvfs_time times[2])
{
    int64_t now = umvfs_now(inode->sb->vfs);
    struct umvfs_time present = umvfs_time_of(now);
    struct umvfs_setattr attr = {.atime = is_now(times[0]) ? present : times[0],
                                 .mtime = is_now(times[1]) ? present : times[1]};
    attr.mask = (is_omitted(times[0]) ? 0u : UMVFS_ATTR_ATIME) |
                (is_omitted(times[1]) ? 0u : UMVFS_ATTR_MTIME);
    if (attr.mask == 0)
        return 0;
    if (umvfs_is_foreign(inode))
        return set_foreign(inode, &attr);
    if (attr.mask & UMVFS_ATTR_ATIME)
        umvfs_set_atime(inode, attr.atime);
    if (attr.mask & UMVFS_ATTR_MTIME)
        umvfs_set_mtime(inode, attr.mtime);
    inode->ctime = now;
    return 0;
}

/* Both times are set by utimes(2), one by what reads or writes: so Linux tells of it. */
static void tell_times(const struct umvfs_dentry *dentry, const struct umvfs_time times[2])
{
    if (!is_omitted(times[0]) && !is_omitted(times[1]))
        umvfs_tell_place(dentry, UMVFS_IN_ATTRIB);
    else if (!is_omitted(times[0]))
        umvfs_tell_place(dentry, UMVFS_IN_ACCESS);
    else if (!is_omitted(times[1]))
        umvfs_tell_place(dentry, UMVFS_IN_MODIFY);
}

int umvfs_utimens(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                  const struct umvfs_time times[2], unsigned flags)
{
    struct umvfs_walk w;
    int err = walk_to_change(&w, task, at, path, flags);
    if (err)
        return err;
    err = may_set_times(w.dentry->inode, task->cred, times);
    if (!err)
        err = change_times(w.dentry->inode, times);
    if (!err)
        tell_times(w.dentry, times);
    umvfs_walk_end(&w);
    return err;
}

int umvfs_access(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 uint32_t mask, unsigned flags)
{
    struct umvfs_walk w;
    if (mask & ~(UMVFS_MAY_READ | UMVFS_MAY_WRITE | UMVFS_MAY_EXEC) || flags & ~AT_FLAGS)
        return -UMVFS_EINVAL;
    int err = umvfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    const struct umvfs_inode *inode = w.dentry->inode;
    uint32_t mode = inode->mode;
    bool special = !UMVFS_S_ISREG(mode) && !UMVFS_S_ISDIR(mode) && !UMVFS_S_ISLNK(mode);
    if (mask & UMVFS_MAY_EXEC && UMVFS_S_ISREG(mode) && w.mnt->flags & UMVFS_MS_NOEXEC)
        err = -UMVFS_EACCES;
    if (!err && mask)
        err = umvfs_permission(inode, task->cred, mask);
    if (!err && mask & UMVFS_MAY_WRITE && !special)
        err = umvfs_mount_writable(w.mnt);
    umvfs_walk_end(&w);
    return err;
}

static int check_truncate(const struct umvfs_walk *w, uint64_t size)
{
    const struct umvfs_inode *inode = w->dentry->inode;
    if (umvfs_is_dir(inode))
        return -UMVFS_EISDIR;
    if (!UMVFS_S_ISREG(inode->mode))
        return -UMVFS_EINVAL;
    int err = umvfs_mount_writable(w->mnt);
    if (!err)
        err = umvfs_permission(inode, w->task->cred, UMVFS_MAY_WRITE);
    if (err)
        return err;
    if (inode->writers < 0)
        return -UMVFS_ETXTBSY;
    return size > UMVFS_FILE_SIZE_MAX ? -UMVFS_EFBIG : 0;
}

static int change_size(struct umvfs_dentry *dentry, const struct umvfs_cred *cred, uint64_t size)
{
    struct umvfs_inode *inode = dentry->inode;
    uint16_t mode = inode->mode;
    if (umvfs_is_foreign(inode)) {
        struct umvfs_setattr attr = {.mask = UMVFS_ATTR_SIZE, .size = size};
        return set_foreign(inode, &attr);
    }
    umvfs_data_resize(inode, size);
    umvfs_drop_privileges(inode, cred);
    umvfs_touch_mtime(inode);
    umvfs_tell_resized(dentry, mode);
    return 0;
}

int umvfs_truncate(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   uint64_t size)
{
    struct umvfs_walk w;
    if (size > INT64_MAX)
        return -UMVFS_EINVAL;
    int err = umvfs_walk(&w, task, at, path, 0, 0);
    if (err)
        return err;
    err = check_truncate(&w, size);
    if (!err)
        err = change_size(w.dentry, task->cred, size);
    umvfs_walk_end(&w);
    return err;
}

int umvfs_statfs(const struct umvfs_path *path, struct umvfs_statfs *out)
{
    const struct umvfs_sb *sb = path->mnt->sb;
    struct umvfs_statfs st = {
        .pages = sb->limits.max_pages,
        .pages_used = sb->pages,
        .inodes = sb->limits.max_inodes,
        .inodes_used = sb->inodes,
        .bytes = sb->limits.max_bytes,
        .bytes_used = sb->bytes,
        .name_max = UMVFS_NAME_MAX,
    };
    if (sb->ops) {
        st = (struct umvfs_statfs){.name_max = UMVFS_NAME_MAX};
        int err = sb->ops->statfs ? sb->ops->statfs(sb->fs, &st) : 0;
        if (err)
            return err;
    }
    st.mount_flags = umvfs_mount_bits(path->mnt);
    *out = st;
    return 0;
}

static bool is_within(uint64_t used, uint64_t limit)
{
    return limit == 0 || used <= limit;
}

int umvfs_set_limits(const struct umvfs_path *path, const struct umvfs_limits *limits)
{
    struct umvfs_sb *sb = path->mnt->sb;
    if (sb->ops || !is_within(sb->pages, limits->max_pages) ||
        !is_within(sb->inodes, limits->max_inodes) || !is_within(sb->bytes, limits->max_bytes))
        return -UMVFS_EINVAL;
    sb->limits = *limits;
    return 0;
}

static int copy_target(struct umvfs_inode *inode, char *buf, size_t size)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (!umvfs_is_link(inode))
        return -UMVFS_EINVAL;
    if (umvfs_is_foreign(inode))
        return ops->readlink ? ops->readlink(inode->sb->fs, inode->u.foreign.node, buf, size)
                             : -UMVFS_EINVAL;
    if (size > inode->size)
        size = (size_t)inode->size;
    memcpy(buf, inode->u.link.target, size);
    return (int)size;
}

int umvfs_readlink(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   unsigned flags, char *buf, size_t size)
{
    struct umvfs_walk w;
    if (size == 0 || flags & ~UMVFS_AT_EMPTY_PATH)
        return -UMVFS_EINVAL;
    int result = umvfs_walk(&w, task, at, path, flags | UMVFS_AT_SYMLINK_NOFOLLOW, 0);
    if (result)
        return result;
    result = copy_target(w.dentry->inode, buf, size);
    if (result >= 0)
        umvfs_touch_atime(w.mnt, w.dentry->inode);
    umvfs_walk_end(&w);
    return result;
}
