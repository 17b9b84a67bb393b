/* Inodes of the library's own file systems: birth, references, death. */
#ifndef UMVFS_INODE_H
#define UMVFS_INODE_H

#include <umvfs/file.h>
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

/* Extended attributes of an inode: a list of objects, each with name and value. */

/* Frees all attributes of an inode. */
void umvfs_xattr_free(struct umvfs_inode *inode);

/* Whether an import by somebody keeps an attribute of that name. */
bool umvfs_xattr_is_kept(const struct umvfs_cred *cred, const char *name, size_t len);

/* The value of the attribute of that name and its size; NULL: there is none. */
void *umvfs_xattr_value(const struct umvfs_inode *inode, const char *name, size_t len,
                        size_t *size);

/* Sets an attribute, whoever asks: xflags and errors as umvfs_setxattr(). */
int umvfs_xattr_store(struct umvfs_inode *inode, const char *name, size_t len, const void *value,
                      size_t size, unsigned xflags);

/* Removes the attribute of that name; false: there is none. */
bool umvfs_xattr_drop(struct umvfs_inode *inode, const char *name, size_t len);

/* Takes the capabilities of a file, as any change of its contents or owner does. */
void umvfs_xattr_drop_capability(struct umvfs_inode *inode);

/* Puts an attribute in front of a list that is not an inode's yet. -UMVFS_EINVAL: not a name that an
 * attribute can have; -UMVFS_EEXIST: twice the same; -UMVFS_ENOSPC, -UMVFS_ENOMEM. */
int umvfs_xattr_append(struct umvfs_sb *sb, struct umvfs_xattr **list, const char *name, size_t len,
                       const void *value, size_t size);

/* Reads an attribute of an inode. Returns the next one, or NULL. */
const struct umvfs_xattr *umvfs_xattr_read(const struct umvfs_xattr *x, const char **name,
                                           size_t *name_len, const char **value, size_t *value_len);

/* The bytes that a list of the names would take, NULs included. */
size_t umvfs_xattr_list_size(const struct umvfs_inode *inode);

/* umvfs_file.state */
#define FILE_READ   1u  /* may be read */
#define FILE_WRITE  2u  /* may be written */
#define FILE_WRITER 4u  /* counted in inode->writers and mnt->writers */
#define FILE_EXEC   8u  /* counted in inode->writers as a denial */
#define FILE_PATH   16u /* O_PATH: a place only */
#define FILE_OPENED 32u /* a foreign file system's open was called */
#define FILE_BYTES  64u /* a regular file of the library's own */

/* The next entry: 1, with a place for the caller to put back; 0 at the end; or an error, and the
 * offset stays. `name` has room for UMVFS_NAME_MAX bytes and a NUL. Names that have gone since they
 * were listed are passed over. */
int umvfs_next_entry(const struct umvfs_task *task, struct umvfs_file *file, char *name,
                     struct umvfs_entry *out);

#endif
