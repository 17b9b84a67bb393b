/* Attributes of files: mode, owner, rights, times; and readlink(2). */
#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "dev/timer.h"
#include "file/files.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "syscall/times.h"

static long change_mode(int dirfd, user_t path, umode_t mode, unsigned flags)
{
    struct path_call call;
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_call(&call, dirfd, path, flags);
    return error ? error : umvfs_chmod(&call.view.task, call.at, call.path, mode, flags);
}

long sys_chmod(user_t path, umode_t mode)
{
    return change_mode(AT_FDCWD, path, mode, 0);
}

long sys_fchmodat(int dirfd, user_t path, umode_t mode)
{
    return change_mode(dirfd, path, mode, 0);
}

long sys_fchmodat2(int dirfd, user_t path, umode_t mode, unsigned flags)
{
    return change_mode(dirfd, path, mode, flags);
}

long sys_fchmod(int fd, umode_t mode)
{
    struct path_call call;
    int error = file_call(&call, fd);
    return error ? error : umvfs_chmod(&call.view.task, call.at, "", mode, UMVFS_AT_EMPTY_PATH);
}

static long change_owner(int dirfd, user_t path, unsigned owner, unsigned group, unsigned flags)
{
    struct path_call call;
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_call(&call, dirfd, path, flags);
    return error ? error : umvfs_chown(&call.view.task, call.at, call.path, owner, group, flags);
}

long sys_chown(user_t path, unsigned owner, unsigned group)
{
    return change_owner(AT_FDCWD, path, owner, group, 0);
}

long sys_lchown(user_t path, unsigned owner, unsigned group)
{
    return change_owner(AT_FDCWD, path, owner, group, UMVFS_AT_SYMLINK_NOFOLLOW);
}

long sys_fchownat(int dirfd, user_t path, unsigned owner, unsigned group, unsigned flags)
{
    return change_owner(dirfd, path, owner, group, flags);
}

long sys_fchown(int fd, unsigned owner, unsigned group)
{
    struct path_call call;
    int error = file_call(&call, fd);
    return error ? error
                 : umvfs_chown(&call.view.task, call.at, "", owner, group, UMVFS_AT_EMPTY_PATH);
}

/* access(2) and readlink(2). */

static long access_at(int dirfd, user_t path, unsigned mode, unsigned flags)
{
    struct path_call call;
    if (mode & ~7u || flags & ~(AT_EACCESS | UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_call(&call, dirfd, path, flags);
    if (error)
        return error;
    if (!(flags & AT_EACCESS))
        vfs_view_of(current_process, true, &call.view);
    return umvfs_access(&call.view.task, call.at, call.path, mode, flags & ~AT_EACCESS);
}

long sys_access(user_t path, unsigned mode)
{
    return access_at(AT_FDCWD, path, mode, 0);
}

long sys_faccessat(int dirfd, user_t path, unsigned mode)
{
    return access_at(dirfd, path, mode, 0);
}

long sys_faccessat2(int dirfd, user_t path, unsigned mode, unsigned flags)
{
    return access_at(dirfd, path, mode, flags);
}

static long read_link(int dirfd, user_t path, user_t buf, int bufsiz)
{
    static char target[UMVFS_PATH_MAX];
    struct path_call call;
    if (bufsiz <= 0)
        return -EINVAL;
    size_t size = (size_t)bufsiz < sizeof(target) ? (size_t)bufsiz : sizeof(target);
    int error = path_call(&call, dirfd, path, UMVFS_AT_EMPTY_PATH);
    if (error)
        return error;
    int n = umvfs_readlink(&call.view.task, call.at, call.path, UMVFS_AT_EMPTY_PATH, target, size);
    if (n == -EINVAL && call.path[0] == '\0')
        return -ENOENT; /* an empty path that leads to no link */
    if (n < 0)
        return n == -EINVAL && call.path[0] == '\0' ? -ENOENT : n;
    return copy_to_user(buf, target, (size_t)n) == 0 ? n : -EFAULT;
}

long sys_readlink(user_t path, user_t buf, int bufsiz)
{
    return read_link(AT_FDCWD, path, buf, bufsiz);
}

long sys_readlinkat(int dirfd, user_t path, user_t buf, int bufsiz)
{
    return read_link(dirfd, path, buf, bufsiz);
}

/* utimensat(2) and its variants. */

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe
_Static_assert(UTIME_NOW == UMVFS_TIME_NOW && UTIME_OMIT == UMVFS_TIME_OMIT,
               "libvfs's are Linux's");

static int time_of(const struct timespec *time, struct umvfs_time *out)
{
    bool special = time->nanoseconds == UTIME_NOW || time->nanoseconds == UTIME_OMIT;
    if (!special && (time->nanoseconds < 0 || time->nanoseconds >= (int64_t)NS_PER_SECOND))
        return -EINVAL;
    *out = (struct umvfs_time){time->seconds, (uint32_t)time->nanoseconds};
    return 0;
}

/* A null path means the open file dirfd. */
static long set_times(int dirfd, user_t path, const struct timespec times[2], unsigned flags)
{
    struct path_call call;
    struct umvfs_time set[2];
    bool of_file = user_is_null(path) && dirfd != AT_FDCWD;
    if (flags & ~(of_file ? 0 : UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = of_file ? file_call(&call, dirfd) : path_call(&call, dirfd, path, flags);
    if (error)
        return error;
    flags = of_file ? UMVFS_AT_EMPTY_PATH : flags;
    error = time_of(&times[0], &set[0]);
    if (!error)
        error = time_of(&times[1], &set[1]);
    if (error) { /* a path that does not exist is reported first */
        int found = umvfs_access(&call.view.task, call.at, call.path, 0, flags);
        return found ? found : error;
    }
    return umvfs_utimens(&call.view.task, call.at, call.path, set, flags);
}

long sys_utimensat(int dirfd, user_t path, user_t times, unsigned flags)
{
    struct timespec both[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (!user_is_null(times) && copy_from_user(both, times, sizeof(both)) != 0)
        return -EFAULT;
    if (both[0].nanoseconds == UTIME_OMIT && both[1].nanoseconds == UTIME_OMIT)
        return 0;
    return set_times(dirfd, path, both, flags);
}

static long set_microseconds(int dirfd, user_t path, user_t times)
{
    struct timespec both[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    struct timeval from[2];
    if (!user_is_null(times) && copy_from_user(from, times, sizeof(from)) != 0)
        return -EFAULT;
    for (unsigned i = 0; !user_is_null(times) && i < 2; i++) {
        if (from[i].microseconds < 0 || from[i].microseconds >= 1000000)
            return -EINVAL;
        both[i] = (struct timespec){from[i].seconds, from[i].microseconds * 1000};
    }
    return set_times(dirfd, path, both, 0);
}

long sys_utimes(user_t path, user_t times)
{
    return set_microseconds(AT_FDCWD, path, times);
}

long sys_futimesat(int dirfd, user_t path, user_t times)
{
    return set_microseconds(dirfd, path, times);
}

long sys_utime(user_t path, user_t times)
{
    struct timespec both[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    int64_t seconds[2];
    if (!user_is_null(times)) {
        if (copy_from_user(seconds, times, sizeof(seconds)) != 0)
            return -EFAULT;
        both[0] = (struct timespec){seconds[0], 0};
        both[1] = (struct timespec){seconds[1], 0};
    }
    return set_times(AT_FDCWD, path, both, 0);
}
