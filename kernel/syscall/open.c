/* New descriptors: open(2), openat2(2), close(2), pipe(2), memfd_create(2). */
#include "file/files.h"
#include "file/pipe.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/variable.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"

#define O_LARGEFILE 0100000u /* as on Linux, F_GETFL tells it of every file of a 64-bit program */

static long open_at(int dirfd, user_t path, unsigned flags, umode_t mode, unsigned resolve)
{
    UNINITIALIZED struct path_call call; /* path_call() */
    struct file *file;
    int error = path_call(&call, dirfd, path, 0);
    if (!error && call.path[0] == '/' && (resolve & UMVFS_RESOLVE_IN_ROOT))
        error = directory_of(dirfd, &call.at);               /* the root of the path */
    bool is_of_dirfd = error == -EBADF || error == -ENOTDIR; /* a missing descriptor goes before */
    int fd =
        error && !is_of_dirfd ? error : files_reserve(current_process->files, descriptor_limit());
    if (fd < 0)
        return fd;
    if (!error)
        error = file_open(&call.view.task, call.at, call.path, flags | O_LARGEFILE, mode, resolve,
                          &file);
    if (error) {
        files_unreserve(current_process->files, (unsigned)fd);
        return error;
    }
    files_fill(current_process->files, (unsigned)fd, file, flags & UMVFS_O_CLOEXEC);
    return fd;
}

long sys_open(user_t path, unsigned flags, umode_t mode)
{
    return open_at(AT_FDCWD, path, flags, mode, 0);
}

long sys_openat(int dirfd, user_t path, unsigned flags, umode_t mode)
{
    return open_at(dirfd, path, flags, mode, 0);
}

long sys_creat(user_t path, umode_t mode)
{
    return open_at(AT_FDCWD, path, UMVFS_O_CREAT | UMVFS_O_WRONLY | UMVFS_O_TRUNC, mode, 0);
}

/* struct open_how of openat2(2) */
struct open_how {
    uint64_t flags, mode, resolve;
};

#define RESOLVE_CACHED  0x20u /* all that there is, is in memory */
#define OPEN_FLAGS      037777703u
#define OPEN_FLAGS_PATH (UMVFS_O_DIRECTORY | UMVFS_O_NOFOLLOW | UMVFS_O_PATH | UMVFS_O_CLOEXEC)
#define OPEN_FLAGS_MAKE (UMVFS_O_CREAT | (UMVFS_O_TMPFILE & ~UMVFS_O_DIRECTORY))

/* Fields that a program knows and this kernel does not must be 0: -E2BIG. */
static int how_from_user(struct open_how *how, user_t user, size_t size)
{
    uint8_t rest[64];
    if (size < sizeof(*how))
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    for (size_t at = sizeof(*how); at < size;) {
        size_t n = size - at < sizeof(rest) ? size - at : sizeof(rest);
        if (copy_from_user(rest, user_add(user, at), n) != 0)
            return -EFAULT;
        for (size_t i = 0; i < n; i++)
            if (rest[i] != 0)
                return -E2BIG;
        at += n;
    }
    return copy_from_user(how, user, sizeof(*how));
}

static int check_how(const struct open_how *how)
{
    const uint64_t scopes = UMVFS_RESOLVE_BENEATH | UMVFS_RESOLVE_IN_ROOT;
    if ((how->flags & ~(uint64_t)OPEN_FLAGS) ||
        (how->resolve & ~(uint64_t)(UMVFS_RESOLVE_ALL | RESOLVE_CACHED)) ||
        (how->resolve & scopes) == scopes)
        return -EINVAL;
    if (how->mode & ~(how->flags & OPEN_FLAGS_MAKE ? (uint64_t)UMVFS_S_IALL : 0))
        return -EINVAL;
    if ((how->flags & UMVFS_O_PATH) && (how->flags & ~(uint64_t)OPEN_FLAGS_PATH))
        return -EINVAL;
    if ((how->resolve & RESOLVE_CACHED) && (how->flags & (OPEN_FLAGS_MAKE | UMVFS_O_TRUNC)))
        return -EAGAIN;
    return 0;
}

long sys_openat2(int dirfd, user_t path, user_t how, size_t size)
{
    struct open_how wanted;
    int error = how_from_user(&wanted, how, size);
    if (!error)
        error = check_how(&wanted);
    return error ? error
                 : open_at(dirfd, path, (unsigned)wanted.flags, (umode_t)wanted.mode,
                           (unsigned)wanted.resolve & UMVFS_RESOLVE_ALL);
}

long sys_close(int fd)
{
    return files_close(current_process->files, (unsigned)fd);
}

/* Pipes. */

static long make_pipe(user_t pipefd, unsigned flags)
{
    struct file *ends[2];
    int fd[2];
    struct files *files = current_process->files;
    uint64_t limit = descriptor_limit();
    if (flags & ~(UMVFS_O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int error = pipe_create(&ends[0], &ends[1]);
    if (error)
        return error;
    for (unsigned i = 0; i < 2; i++) {
        ends[i]->vfs.flags |= flags & O_NONBLOCK;
        fd[i] = files_install(files, ends[i], 0, limit, flags & UMVFS_O_CLOEXEC);
        if (fd[i] < 0) {
            if (i == 1)
                files_close(files, (unsigned)fd[0]);
            else
                file_put(ends[0]);
            file_put(ends[1]);
            return fd[i];
        }
    }
    if (copy_to_user(pipefd, fd, sizeof(fd)) != 0) {
        files_close(files, (unsigned)fd[0]);
        files_close(files, (unsigned)fd[1]);
        return -EFAULT;
    }
    return 0;
}

long sys_pipe(user_t pipefd)
{
    return make_pipe(pipefd, 0);
}

long sys_pipe2(user_t pipefd, unsigned flags)
{
    return make_pipe(pipefd, flags);
}

/* memfd_create(2). */

#define MFD_CLOEXEC 1u

static int create_memory(const char *name, struct file **out)
{
    struct file *file = file_create();
    if (!file)
        return -ENOMEM;
    int error = unnamed_named_memory(name, UMVFS_O_RDWR | O_LARGEFILE, &file->vfs);
    if (error) {
        file_put(file);
        return error;
    }
    umvfs_writer_put(file->vfs.inode);
    file->lets_execute = true;
    *out = file;
    return 0;
}

/* MFD_ALLOW_SEALING is refused, since there are no seals. */
long sys_memfd_create(user_t name, unsigned flags)
{
    char copy[UNNAMED_NAME_MAX + 1];
    struct file *file;
    if (flags & ~MFD_CLOEXEC)
        return -EINVAL;
    long length = copy_string_from_user(copy, name, sizeof(copy));
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    int error = create_memory(copy, &file);
    if (error)
        return error;
    return install_file(file, flags & MFD_CLOEXEC ? UMVFS_O_CLOEXEC : 0);
}
