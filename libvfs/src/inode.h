/* Inodes of the library's own file systems: birth, references, death. */
#ifndef VFS_INODE_H
#define VFS_INODE_H

#include "core.h"

/* An inode with one reference and nlink 0, charged to the quota; times are now, ids 0. Directories
 * get their entry table and key. -VFS_ENOSPC, -VFS_ENOMEM. */
int vfs_inode_new(struct vfs_sb *sb, uint32_t mode, struct vfs_inode **out);

/* As vfs_inode_put, for references that are the library's own. */
void vfs_inode_drop(struct vfs_inode *inode);
/* Frees an inode that has no references, and its file system if that is due. */
void vfs_inode_end(struct vfs_inode *inode);

static inline bool vfs_is_dir(const struct vfs_inode *inode)
{
    return VFS_S_ISDIR(inode->mode);
}

static inline bool vfs_is_link(const struct vfs_inode *inode)
{
    return VFS_S_ISLNK(inode->mode);
}

static inline bool vfs_is_foreign(const struct vfs_inode *inode)
{
    return inode->flags & INODE_FOREIGN;
}

/* The foreign operations: NULL for the library's own inodes, and for a foreign root whose mount has
 * failed, which nobody but its release ever sees. */
static inline const struct vfs_fs_ops *vfs_ops(const struct vfs_inode *inode)
{
    return inode->sb->ops;
}

/* A time of the configuration's clock. */
static inline struct vfs_time vfs_time_of(int64_t ns)
{
    int64_t rest = ns % 1000000000;
    int64_t below = rest < 0;
    return (struct vfs_time){ns / 1000000000 - below, (uint32_t)(rest + below * 1000000000)};
}

static inline bool vfs_time_is_after(struct vfs_time a, struct vfs_time b)
{
    return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

/* At the extremes there are no nanoseconds, as on tmpfs. */
static inline uint32_t vfs_time_nsec(struct vfs_time time)
{
    return time.sec == INT64_MAX || time.sec == INT64_MIN ? 0 : time.nsec;
}

static inline struct vfs_time vfs_atime(const struct vfs_inode *inode)
{
    return (struct vfs_time){inode->atime, inode->atime_nsec};
}

static inline struct vfs_time vfs_mtime(const struct vfs_inode *inode)
{
    return (struct vfs_time){inode->mtime, inode->mtime_nsec};
}

static inline void vfs_set_atime(struct vfs_inode *inode, struct vfs_time time)
{
    inode->atime = time.sec;
    inode->atime_nsec = vfs_time_nsec(time);
}

static inline void vfs_set_mtime(struct vfs_inode *inode, struct vfs_time time)
{
    inode->mtime = time.sec;
    inode->mtime_nsec = vfs_time_nsec(time);
}

/* Sets ctime, or mtime and ctime, to now. */
void vfs_touch_ctime(struct vfs_inode *inode);
void vfs_touch_mtime(struct vfs_inode *inode);
/* Sets mtime and ctime to a time of the clock. */
void vfs_stamp(struct vfs_inode *inode, int64_t now);
/* Sets atime as Linux's relatime does: only if it is not newer than mtime and ctime. */
static inline void vfs_touch_atime(const struct vfs_mount *mnt, struct vfs_inode *inode)
{
    struct vfs_time atime = vfs_atime(inode);
    if ((vfs_time_is_after(atime, vfs_mtime(inode)) &&
         vfs_time_is_after(atime, vfs_time_of(inode->ctime))) ||
        vfs_is_foreign(inode) || mnt->flags & (VFS_MS_RDONLY | VFS_MS_NOATIME))
        return;
    vfs_set_atime(inode, vfs_time_of(vfs_now(inode->sb->vfs)));
}

#endif
