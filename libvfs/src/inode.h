/* Inodes of the library's own file systems: birth, references, death. */
#ifndef UMVFS_INODE_H
#define UMVFS_INODE_H

#include "core.h"

/* An inode with one reference and nlink 0, charged to the quota; times are now, ids 0. Directories
 * get their entry table and key. -UMVFS_ENOSPC, -UMVFS_ENOMEM. */
int umvfs_inode_new(struct umvfs_sb *sb, uint32_t mode, struct umvfs_inode **out);

/* As umvfs_inode_put, for references that are the library's own. */
void umvfs_inode_drop(struct umvfs_inode *inode);
/* Frees an inode that has no references, and its file system if that is due. */
void umvfs_inode_end(struct umvfs_inode *inode);

static inline bool umvfs_is_dir(const struct umvfs_inode *inode)
{
    return UMVFS_S_ISDIR(inode->mode);
}

static inline bool umvfs_is_link(const struct umvfs_inode *inode)
{
    return UMVFS_S_ISLNK(inode->mode);
}

static inline bool umvfs_is_foreign(const struct umvfs_inode *inode)
{
    return inode->flags & INODE_FOREIGN;
}

/* The operations of a foreign file system. NULL for an inode that is not foreign, and for the root
 * of a foreign file system whose mount has failed: only the release of the root sees that one. */
static inline const struct umvfs_fs_ops *umvfs_ops(const struct umvfs_inode *inode)
{
    return inode->sb->ops;
}

/* A time of the configuration's clock. */
static inline struct umvfs_time umvfs_time_of(int64_t ns)
{
    int64_t rest = ns % 1000000000;
    int64_t below = rest < 0;
    return (struct umvfs_time){ns / 1000000000 - below, (uint32_t)(rest + below * 1000000000)};
}

static inline bool umvfs_time_is_after(struct umvfs_time a, struct umvfs_time b)
{
    return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

/* Whether a time is after one of the clock, without a division. The clock's last second does not
 * count. */
static inline bool umvfs_time_is_after_ns(struct umvfs_time a, int64_t ns)
{
    const int64_t most = INT64_MAX / 1000000000;
    if (a.sec >= most || a.sec <= -most)
        return a.sec > 0;
    return a.sec * 1000000000 + (int64_t)a.nsec > ns;
}

/* At the extremes there are no nanoseconds, as on tmpfs. */
static inline uint32_t umvfs_time_nsec(struct umvfs_time time)
{
    return time.sec == INT64_MAX || time.sec == INT64_MIN ? 0 : time.nsec;
}

static inline struct umvfs_time umvfs_atime(const struct umvfs_inode *inode)
{
    return (struct umvfs_time){inode->atime, inode->atime_nsec};
}

static inline struct umvfs_time umvfs_mtime(const struct umvfs_inode *inode)
{
    return (struct umvfs_time){inode->mtime, inode->mtime_nsec};
}

static inline void umvfs_set_atime(struct umvfs_inode *inode, struct umvfs_time time)
{
    inode->atime = time.sec;
    inode->atime_nsec = umvfs_time_nsec(time);
}

static inline void umvfs_set_mtime(struct umvfs_inode *inode, struct umvfs_time time)
{
    inode->mtime = time.sec;
    inode->mtime_nsec = umvfs_time_nsec(time);
}

/* Sets ctime, or mtime and ctime, to now. */
void umvfs_touch_ctime(struct umvfs_inode *inode);
void umvfs_touch_mtime(struct umvfs_inode *inode);
/* Sets mtime and ctime to a time of the clock. */
void umvfs_stamp(struct umvfs_inode *inode, int64_t now);
/* Sets atime as Linux's relatime does: only if it is not newer than mtime and ctime. */
static inline void umvfs_touch_atime(const struct umvfs_mount *mnt, struct umvfs_inode *inode)
{
    struct umvfs_time atime = umvfs_atime(inode);
    if ((umvfs_time_is_after(atime, umvfs_mtime(inode)) &&
         umvfs_time_is_after_ns(atime, inode->ctime)) ||
        umvfs_is_foreign(inode) || umvfs_mount_bits(mnt) & (UMVFS_MS_RDONLY | UMVFS_MS_NOATIME))
        return;
    umvfs_set_atime(inode, umvfs_time_of(umvfs_now(inode->sb->vfs)));
}

#endif
