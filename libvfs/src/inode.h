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
/* Whether relatime leaves the time of access as it is: it is now, or after the last changes, and the
 * day that begins with its second is not over. In nanoseconds, for which no division is needed; a
 * second that they cannot tell is before or after all times of the clock. */
static inline bool umvfs_atime_stays(const struct umvfs_inode *inode, int64_t now)
{
    const int64_t second = 1000000000, day = INT64_C(24) * 60 * 60;
    const int64_t most = INT64_MAX / second - day - 1;
    bool is_after = umvfs_time_is_after(umvfs_atime(inode), umvfs_mtime(inode));
    if (inode->atime > most || inode->atime < -most)
        return is_after && inode->atime > 0;
    int64_t start = inode->atime * second, at = start + (int64_t)inode->atime_nsec;
    return (is_after && at > inode->ctime && start + day * second > now) || at == now;
}

/* Sets atime as Linux's relatime does, of an inode of the library's own. */
static inline void umvfs_touch_own_atime(const struct umvfs_mount *mnt, struct umvfs_inode *inode)
{
    if (umvfs_mount_bits(mnt) & (UMVFS_MS_RDONLY | UMVFS_MS_NOATIME))
        return;
    int64_t now = umvfs_now(inode->sb->vfs);
    if (!umvfs_atime_stays(inode, now))
        umvfs_set_atime(inode, umvfs_time_of(now));
}

/* The same, of any inode. */
static inline void umvfs_touch_atime(const struct umvfs_mount *mnt, struct umvfs_inode *inode)
{
    if (!umvfs_is_foreign(inode))
        umvfs_touch_own_atime(mnt, inode);
}

#endif
