/* Calls on any descriptor: copies, flags, ioctl(2). */
#include <umvfs/attr.h>

#include "file/files.h"
#include "file/pipe.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_GETLK         5
#define F_SETLK         6
#define F_SETLKW        7
#define F_GETOWN        9
#define F_OFD_GETLK     36
#define F_OFD_SETLK     37
#define F_OFD_SETLKW    38
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ    1031
#define F_GETPIPE_SZ    1032
#define F_ADD_SEALS     1033
#define F_GET_SEALS     1034
#define FIONREAD        0x541bu
#define FIONBIO         0x5421u
#define FIONCLEX        0x5450u
#define FIOCLEX         0x5451u
#define FD_CLOEXEC      1
#define F_SEAL_SEAL     1u
#define F_SEALS         0x3fu /* all of them */
#define SETFL_MASK      (UMVFS_O_APPEND | O_NONBLOCK | UMVFS_O_NOATIME)

/* Copies to the lowest free descriptor that is not below `from`. */
static long duplicate(int fd, unsigned from, bool close_on_exec)
{
    struct file *file;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    file_get(file);
    int installed =
        files_install(current_process->files, file, from, descriptor_limit(), close_on_exec);
    if (installed < 0)
        file_put(file);
    return installed;
}

static long duplicate_from(int fd, unsigned from, bool close_on_exec)
{
    return from >= descriptor_limit() ? -EINVAL : duplicate(fd, from, close_on_exec);
}

static long duplicate_to(int fd, int to, bool close_on_exec)
{
    struct file *file;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    file_get(file);
    error = files_replace(current_process->files, (unsigned)to, file, descriptor_limit(),
                          close_on_exec);
    if (error)
        file_put(file);
    return error ? error : to;
}

long sys_dup(int oldfd)
{
    return duplicate(oldfd, 0, false);
}

long sys_dup2(int oldfd, int newfd)
{
    struct file *file;
    if (oldfd == newfd)
        return any_file_of(oldfd, &file) ? -EBADF : oldfd;
    return duplicate_to(oldfd, newfd, false);
}

long sys_dup3(int oldfd, int newfd, unsigned flags)
{
    if (oldfd == newfd || (flags & ~UMVFS_O_CLOEXEC))
        return -EINVAL;
    return duplicate_to(oldfd, newfd, flags & UMVFS_O_CLOEXEC);
}

static long set_flags(struct file *file, unsigned flags)
{
    file->vfs.flags = (file->vfs.flags & ~SETFL_MASK) | (flags & SETFL_MASK);
    return 0;
}

/* A regular file in memory, which is sealed against seals; no other file can have any. */
static bool is_sealed(const struct file *file)
{
    const struct umvfs_inode *inode = file->vfs.inode;
    return UMVFS_S_ISREG(umvfs_inode_mode(inode)) && !umvfs_inode_ops(inode);
}

static long add_seals(const struct file *file, unsigned seals)
{
    if (!file_may_write(file))
        return -EPERM;
    return (seals & ~F_SEALS) || !is_sealed(file) ? -EINVAL : -EPERM;
}

static long seals_of(const struct file *file)
{
    return is_sealed(file) ? (long)F_SEAL_SEAL : -EINVAL;
}

/* arg: a pointer for record locks, else a number (int). cmd decides. */
long sys_fcntl(int fd, unsigned cmd, uint64_t arg)
{
    struct file *file;
    unsigned number = (unsigned)arg;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    uint8_t *close_on_exec = &current_process->files->close_on_exec[fd];
    switch (cmd) {
    case F_DUPFD:
        return duplicate_from(fd, number, false);
    case F_DUPFD_CLOEXEC:
        return duplicate_from(fd, number, true);
    case F_GETFD:
        return *close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
        *close_on_exec = number & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return file_flags(file);
    case F_SETFL:
        return file->vfs.flags & UMVFS_O_PATH ? -EBADF : set_flags(file, number);
    case F_GETOWN:
        return file->vfs.flags & UMVFS_O_PATH ? -EBADF : 0;
    case F_GETPIPE_SZ:
        return pipe_capacity(file);
    case F_SETPIPE_SZ:
        return pipe_set_capacity(file, number);
    case F_ADD_SEALS:
        return file->vfs.flags & UMVFS_O_PATH ? -EBADF : add_seals(file, number);
    case F_GET_SEALS:
        return file->vfs.flags & UMVFS_O_PATH ? -EBADF : seals_of(file);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return file->vfs.flags & UMVFS_O_PATH ? -EBADF : fcntl_lock(file, fd, cmd, user_ptr(arg));
    default:
        return file->vfs.flags & UMVFS_O_PATH ? -EBADF : -EINVAL;
    }
}

static long set_nonblocking(struct file *file, user_t user)
{
    int on;
    if (copy_from_user(&on, user, sizeof(on)) != 0)
        return -EFAULT;
    file->vfs.flags = on ? file->vfs.flags | O_NONBLOCK : file->vfs.flags & ~O_NONBLOCK;
    return 0;
}

/* FIONREAD of a regular file: the bytes from its offset to its end. */
static long bytes_left(const struct file *file, user_t user)
{
    struct umvfs_stat stat;
    int error = umvfs_inode_stat(file->vfs.inode, &stat);
    int left = error ? 0 : (int)(stat.size - file->vfs.offset);
    return error ? error : copy_to_user(user, &left, sizeof(left));
}

/* arg: a pointer or a number, depending on the request. */
long sys_ioctl(int fd, unsigned request, uint64_t arg)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        current_process->files->close_on_exec[fd] = request == FIOCLEX;
        return 0;
    case FIONBIO:
        return set_nonblocking(file, user_ptr(arg));
    case FIONREAD:
        if (UMVFS_S_ISREG(umvfs_inode_mode(file->vfs.inode)))
            return bytes_left(file, user_ptr(arg));
    }
    return file->ops && file->ops->ioctl ? file->ops->ioctl(file, request, arg) : -ENOTTY;
}
