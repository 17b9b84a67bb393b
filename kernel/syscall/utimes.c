/* utimensat(2) and its variants. */
#include <umvfs/attr.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/paths.h"
#include "syscall/times.h"
#include "syscall/user.h"

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
    int error = of_file ? file_call(&call, dirfd) : path_call(&call, dirfd, path);
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
