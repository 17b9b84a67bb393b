/* Opening and closing. */
#include "file/files.h"
#include "syscall/calls.h"
#include "syscall/paths.h"

static long open_at(int dirfd, user_t path, unsigned flags, umode_t mode)
{
    struct path_call call;
    struct file *file;
    int error = path_call(&call, dirfd, path);
    int fd = error ? error : files_reserve(current_process->files, descriptor_limit());
    if (fd < 0)
        return fd;
    error = file_open(&call.view.task, call.at, call.path, flags, mode, 0, &file);
    if (error) {
        files_unreserve(current_process->files, (unsigned)fd);
        return error;
    }
    files_fill(current_process->files, (unsigned)fd, file, flags & VFS_O_CLOEXEC);
    return fd;
}

long sys_open(user_t path, unsigned flags, umode_t mode)
{
    return open_at(AT_FDCWD, path, flags, mode);
}

long sys_openat(int dirfd, user_t path, unsigned flags, umode_t mode)
{
    return open_at(dirfd, path, flags, mode);
}

long sys_creat(user_t path, umode_t mode)
{
    return open_at(AT_FDCWD, path, VFS_O_CREAT | VFS_O_WRONLY | VFS_O_TRUNC, mode);
}

long sys_close(int fd)
{
    return files_close(current_process->files, (unsigned)fd);
}
