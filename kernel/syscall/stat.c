/* stat(2), statx(2) and their variants, with Linux's structures. */
#include <umvfs/attr.h>
#include <umvfs/mount.h>
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "dev/timer.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "lib/variable.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "syscall/times.h"

/* struct stat of x86-64 */
struct linux_stat {
    uint64_t dev, ino, nlink;
    uint32_t mode, uid, gid, pad;
    uint64_t rdev;
    int64_t size, block_size, blocks;
    struct timespec atime, mtime, ctime;
    int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

/* struct statx of linux/stat.h */
struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds, pad;
};
struct statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t unused[14];
};
_Static_assert(sizeof(struct statx) == 256, "struct statx");

#define STATX_BASIC_STATS     0x7ffu
#define STATX_BTIME           0x800u
#define STATX_RESERVED        0x80000000u
#define AT_STATX_SYNC_TYPE    0x6000u
#define STATX_ATTR_MOUNT_ROOT 0x2000u

static struct timespec file_time(struct umvfs_time time)
{
    return (struct timespec){time.sec, time.nsec};
}

static int put_stat(const struct umvfs_stat *from, user_t user)
{
    struct linux_stat to = {
        .dev = from->dev,
        .ino = from->ino,
        .nlink = from->nlink,
        .mode = from->mode,
        .uid = from->uid,
        .gid = from->gid,
        .rdev = from->rdev,
        .size = (int64_t)from->size,
        .block_size = (int64_t)PAGE_SIZE,
        .blocks = (int64_t)from->blocks,
        .atime = file_time(from->atime),
        .mtime = file_time(from->mtime),
        .ctime = file_time(from->ctime),
    };
    return copy_to_user(user, &to, sizeof(to));
}

/* `is_root`, if it is not NULL, tells whether it is the root of a mount. */
static int stat_of_file(int fd, struct umvfs_stat *out, bool *is_root)
{
    struct file *file;
    int error = any_file_of(fd, &file);
    if (!error && is_root)
        *is_root = umvfs_is_mount_root(&file->vfs.path);
    return error ? error : umvfs_inode_stat(file->vfs.inode, out);
}

static __attribute__((noinline)) int stat_and_root(const struct umvfs_task *task,
                                                   const struct umvfs_path *at, const char *name,
                                                   unsigned flags, struct umvfs_stat *out,
                                                   bool *is_root)
{
    struct umvfs_path place;
    int error = umvfs_lookup(task, at, name, flags, 0, &place);
    if (error)
        return error;
    *is_root = umvfs_is_mount_root(&place);
    error = umvfs_inode_stat(umvfs_path_inode(&place), out);
    umvfs_path_put(&place);
    return error;
}

static int stat_of_path(int dirfd, user_t path, unsigned flags, struct umvfs_stat *out,
                        bool *is_root)
{
    UNINITIALIZED struct vfs_view view; /* vfs_view_of() */
    const struct umvfs_path *at = NULL;
    const char *name;
    int error = path_from_user(PATH_FIRST, path, &name);
    if (error)
        return error;
    if (name[0] == '\0' && (flags & UMVFS_AT_EMPTY_PATH) && dirfd != AT_FDCWD)
        return stat_of_file(dirfd, out, is_root);
    if (name[0] != '/')
        error = name[0] || (flags & UMVFS_AT_EMPTY_PATH) ? directory_of(dirfd, &at) : -ENOENT;
    if (error)
        return error;
    vfs_view_of(current_process, false, &view);
    flags &= ~AT_NO_AUTOMOUNT;
    return is_root ? stat_and_root(&view.task, at, name, flags, out, is_root)
                   : umvfs_stat(&view.task, at, name, flags, out);
}

static long stat_at(int dirfd, user_t path, user_t statbuf, unsigned flags)
{
    UNINITIALIZED struct umvfs_stat stat; /* umvfs_stat(), or an error is the answer */
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    int error = stat_of_path(dirfd, path, flags, &stat, NULL);
    return error ? error : put_stat(&stat, statbuf);
}

long sys_stat(user_t path, user_t statbuf)
{
    return stat_at(AT_FDCWD, path, statbuf, 0);
}

long sys_lstat(user_t path, user_t statbuf)
{
    return stat_at(AT_FDCWD, path, statbuf, UMVFS_AT_SYMLINK_NOFOLLOW);
}

long sys_newfstatat(int dirfd, user_t path, user_t statbuf, unsigned flags)
{
    return stat_at(dirfd, path, statbuf, flags & ~AT_STATX_SYNC_TYPE);
}

long sys_fstat(int fd, user_t statbuf)
{
    UNINITIALIZED struct umvfs_stat stat; /* umvfs_stat(), or an error is the answer */
    int error = stat_of_file(fd, &stat, NULL);
    return error ? error : put_stat(&stat, statbuf);
}

static struct statx_time statx_time(struct umvfs_time time)
{
    return (struct statx_time){time.sec, time.nsec, 0};
}

static int put_statx(const struct umvfs_stat *from, bool is_root, unsigned mask, user_t user)
{
    bool has_btime = mask & STATX_BTIME && (from->btime.sec != 0 || from->btime.nsec != 0);
    struct statx to = {
        .mask = STATX_BASIC_STATS | (has_btime ? STATX_BTIME : 0),
        .block_size = PAGE_SIZE,
        .attributes = is_root ? STATX_ATTR_MOUNT_ROOT : 0,
        .attributes_mask = STATX_ATTR_MOUNT_ROOT,
        .nlink = from->nlink,
        .uid = from->uid,
        .gid = from->gid,
        .mode = (uint16_t)from->mode,
        .ino = from->ino,
        .size = from->size,
        .blocks = from->blocks,
        .atime = statx_time(from->atime),
        .btime = statx_time(has_btime ? from->btime : (struct umvfs_time){0}),
        .ctime = statx_time(from->ctime),
        .mtime = statx_time(from->mtime),
        .rdev_major = UMVFS_MAJOR(from->rdev),
        .rdev_minor = UMVFS_MINOR(from->rdev),
        .dev_major = UMVFS_MAJOR(from->dev),
        .dev_minor = UMVFS_MINOR(from->dev),
    };
    return copy_to_user(user, &to, sizeof(to));
}

/* All basic fields are always filled in, whatever the mask; the time of creation if it asks for that. */
long sys_statx(int dirfd, user_t path, unsigned flags, unsigned mask, user_t buf)
{
    UNINITIALIZED struct umvfs_stat stat; /* umvfs_stat(), or an error is the answer */
    bool is_root;
    const unsigned known = UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
    if (mask & STATX_RESERVED)
        return -EINVAL;
    if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
        (flags & ~(known | AT_STATX_SYNC_TYPE)))
        return -EINVAL;
    int error = stat_of_path(dirfd, path, flags & known, &stat, &is_root);
    return error ? error : put_statx(&stat, is_root, mask, buf);
}

/* statfs(2), and the calls that sync a file system. */

#define TMPFS_MAGIC  0x01021994
#define PROC_MAGIC   0x9fa0
#define PIPEFS_MAGIC 0x50495045

/* struct statfs of x86-64 */
struct linux_statfs {
    int64_t type, block_size;
    uint64_t blocks, blocks_free, blocks_available, files, files_free;
    int32_t id[2];
    int64_t name_max, fragment_size, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

static int64_t magic_of(const struct umvfs_inode *inode)
{
    if (umvfs_inode_ops(inode)) /* the only file system that is not libvfs's own */
        return PROC_MAGIC;
    bool is_pipe = unnamed_has(inode) && UMVFS_S_ISFIFO(umvfs_inode_mode(inode));
    return is_pipe ? PIPEFS_MAGIC : TMPFS_MAGIC;
}

static int put_statfs(const struct umvfs_path *place, user_t user)
{
    struct umvfs_statfs stat = {0}, *from = &stat;
    int error = umvfs_statfs(place, &stat);
    if (error)
        return error;
    /* A file system without a limit has zeros, as on Linux. */
    uint64_t left = from->pages ? from->pages - from->pages_used : 0;
    struct linux_statfs to = {
        .type = magic_of(umvfs_path_inode(place)),
        .block_size = PAGE_SIZE,
        .blocks = from->pages,
        .blocks_free = left,
        .blocks_available = left,
        .files = from->inodes,
        .files_free = from->inodes ? from->inodes - from->inodes_used : 0,
        .name_max = UMVFS_NAME_MAX,
        .fragment_size = PAGE_SIZE,
        .flags = from->mount_flags,
    };
    return copy_to_user(user, &to, sizeof(to));
}

long sys_statfs(user_t path, user_t buf)
{
    struct path_call call;
    struct umvfs_path place;
    int error = path_call(&call, AT_FDCWD, path, 0);
    if (!error)
        error = umvfs_lookup(&call.view.task, call.at, call.path, 0, 0, &place);
    if (error)
        return error;
    error = put_statfs(&place, buf);
    umvfs_path_put(&place);
    return error;
}

long sys_fstatfs(int fd, user_t buf)
{
    struct file *file;
    int error = any_file_of(fd, &file);
    return error ? error : put_statfs(&file->vfs.path, buf);
}

/* No effect, since all files are in memory. */
static long sync_file(int fd)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    return file->ops || umvfs_inode_ops(file->vfs.inode) ? -EINVAL
                                                         : 0; /* nor are files of /proc kept */
}

long sys_fsync(int fd)
{
    return sync_file(fd);
}

long sys_fdatasync(int fd)
{
    return sync_file(fd);
}

long sys_sync(void)
{
    return 0;
}
