/* Attributes of files, in Linux's structure. */
#include <vfs/attr.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/paths.h"
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

static struct timespec file_time(int64_t ns)
{
    int64_t second = (int64_t)NS_PER_SECOND;
    int64_t seconds = ns / second, rest = ns % second;
    if (rest < 0) {
        rest += second;
        seconds--;
    }
    return (struct timespec){seconds, rest};
}

static int put_stat(const struct vfs_stat *from, user_t user)
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

static long stat_file(int fd, user_t statbuf)
{
    struct file *file;
    struct vfs_stat stat;
    int error = any_file_of(fd, &file);
    if (!error)
        error = vfs_inode_stat(file->vfs.inode, &stat);
    return error ? error : put_stat(&stat, statbuf);
}

static long stat_at(int dirfd, user_t path, user_t statbuf, unsigned flags)
{
    struct vfs_view view;
    struct vfs_stat stat;
    const struct vfs_path *at = NULL;
    const char *name;
    if (flags & ~(VFS_AT_SYMLINK_NOFOLLOW | VFS_AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    int error = path_from_user(PATH_FIRST, path, &name);
    if (error)
        return error;
    if (name[0] == '\0' && (flags & VFS_AT_EMPTY_PATH) && dirfd != AT_FDCWD)
        return stat_file(dirfd, statbuf);
    if (name[0] != '/')
        error = directory_of(dirfd, &at);
    if (error)
        return error;
    vfs_view_of(current_process, false, &view);
    error = vfs_stat(&view.task, at, name, flags & ~AT_NO_AUTOMOUNT, &stat);
    return error ? error : put_stat(&stat, statbuf);
}

long sys_stat(user_t path, user_t statbuf)
{
    return stat_at(AT_FDCWD, path, statbuf, 0);
}

long sys_lstat(user_t path, user_t statbuf)
{
    return stat_at(AT_FDCWD, path, statbuf, VFS_AT_SYMLINK_NOFOLLOW);
}

long sys_newfstatat(int dirfd, user_t path, user_t statbuf, unsigned flags)
{
    return stat_at(dirfd, path, statbuf, flags);
}

long sys_fstat(int fd, user_t statbuf)
{
    return stat_file(fd, statbuf);
}
