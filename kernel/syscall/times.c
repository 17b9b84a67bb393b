#include "syscall/times.h"

#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/user.h"
#include "task/sched.h"

int timespec_from_user(user_t user, struct timespec *out)
{
    if (copy_from_user(out, user, sizeof(*out)) != 0)
        return -EFAULT;
    return out->seconds < 0 || out->nanoseconds < 0 || out->nanoseconds >= (int64_t)NS_PER_SECOND
               ? -EINVAL
               : 0;
}

uint64_t timespec_ns(const struct timespec *time)
{
    uint64_t ns;
    if (__builtin_mul_overflow((uint64_t)time->seconds, NS_PER_SECOND, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)time->nanoseconds, &ns) || ns > INT64_MAX)
        return INT64_MAX;
    return ns;
}

struct timespec timespec_of_ns(uint64_t ns)
{
    return (struct timespec){(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND)};
}

struct timeval timeval_of_ns(uint64_t ns)
{
    return (struct timeval){(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND / 1000)};
}

int deadline_from_user(user_t user, uint64_t *deadline)
{
    struct timespec time;
    *deadline = SLEEP_FOREVER;
    if (user_is_null(user))
        return 0;
    int error = timespec_from_user(user, &time);
    if (!error)
        *deadline = timer_monotonic_ns() + timespec_ns(&time);
    return error;
}

uint64_t time_left(uint64_t deadline)
{
    uint64_t now = timer_monotonic_ns();
    return deadline > now ? deadline - now : 0;
}
