/* The size of files. */
#include <vfs/attr.h>

#include "file/files.h"
#include "lib/errno.h"
#include "syscall/calls.h"
#include "syscall/paths.h"

/* RLIMIT_FSIZE: a file may not grow beyond it. Sends SIGXFSZ and returns -EFBIG. */
static int check_growth(const struct vfs_stat *stat, uint64_t size)
{
    size_t byte = 1;
    return size > stat->size ? file_check_size_limit(size - 1, &byte) : 0;
}

static int check_file_growth(const struct file *file, uint64_t size)
{
    struct vfs_stat stat;
    int error = vfs_inode_stat(file->vfs.inode, &stat);
    return error ? error : check_growth(&stat, size);
}

long sys_truncate(user_t path, int64_t length)
{
    struct path_call call;
    struct vfs_stat stat;
    if (length < 0)
        return -EINVAL;
    int error = path_call(&call, AT_FDCWD, path);
    if (!error && current_process->limits[RLIMIT_FSIZE].soft != RLIM_INFINITY) {
        error = vfs_stat(&call.view.task, call.at, call.path, 0, &stat);
        if (!error)
            error = check_growth(&stat, (uint64_t)length);
    }
    return error ? error : vfs_truncate(&call.view.task, call.at, call.path, (uint64_t)length);
}

long sys_ftruncate(int fd, int64_t length)
{
    struct file *file;
    if (length < 0)
        return -EINVAL;
    int error = file_of(fd, &file);
    if (!error && file->ops)
        error = -EINVAL;
    if (!error)
        error = check_file_growth(file, (uint64_t)length);
    return error ? error : vfs_file_truncate(&file->vfs, (uint64_t)length);
}

long sys_fallocate(int fd, unsigned mode, int64_t offset, int64_t len)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if (offset < 0 || len <= 0)
        return -EINVAL;
    if ((file->vfs.flags & VFS_O_ACCMODE) == VFS_O_RDONLY)
        return -EBADF;
    if (VFS_S_ISFIFO(vfs_inode_mode(file->vfs.inode)))
        return -ESPIPE;
    if (file->ops)
        return -ENODEV;
    uint64_t end = (uint64_t)offset + (uint64_t)len;
    error = mode & VFS_FALLOC_KEEP_SIZE ? 0 : check_file_growth(file, end);
    return error ? error : vfs_fallocate(&file->vfs, mode, (uint64_t)offset, (uint64_t)len);
}

#define ADVICE_LAST 5 /* POSIX_FADV_NOREUSE */

/* Files are in memory already, so advice has no effect. */
long sys_fadvise64(int fd, int64_t offset, size_t len, int advice)
{
    struct file *file;
    int error = file_of(fd, &file);
    (void)offset;
    if (error)
        return error;
    if (VFS_S_ISFIFO(vfs_inode_mode(file->vfs.inode)))
        return -ESPIPE;
    return len > INT64_MAX || advice < 0 || advice > ADVICE_LAST ? -EINVAL : 0;
}

long sys_syncfs(int fd)
{
    struct file *file;
    return file_of(fd, &file);
}
