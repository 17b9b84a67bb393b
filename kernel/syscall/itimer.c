/* The timer that sends SIGALRM. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "proc/before_user.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "syscall/user.h"
#include "task/process.h"

#define ITIMER_REAL 0
#define ITIMER_PROF 2

struct itimerval {
    struct timeval interval, value;
};

static struct itimerval alarm_left(void)
{
    uint64_t at = current_process->alarm_at, left = time_left(at);
    if (at && left < 1000)
        left = 1000; /* it is still to come */
    return (struct itimerval){timeval_of_ns(current_process->alarm_interval),
                              timeval_of_ns(at ? left : 0)};
}

static bool is_valid(const struct timeval *time)
{
    return time->seconds >= 0 && time->seconds < INT32_MAX && time->microseconds >= 0 &&
           time->microseconds < 1000000;
}

static uint64_t ns_of(const struct timeval *time)
{
    return (uint64_t)time->seconds * NS_PER_SECOND + (uint64_t)time->microseconds * 1000;
}

static void set_alarm(uint64_t value_ns, uint64_t interval_ns)
{
    process_set_alarm(value_ns ? timer_monotonic_ns() + value_ns : 0, interval_ns);
}

static int check_timer(int which)
{
    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    return which == ITIMER_REAL ? 0 : -ENOSYS;
}

long sys_getitimer(int which, user_t curr_value)
{
    struct itimerval now = alarm_left();
    int error = check_timer(which);
    return error ? error : copy_to_user(curr_value, &now, sizeof(now));
}

long sys_setitimer(int which, user_t new_value, user_t old_value)
{
    struct itimerval wanted = {{0, 0}, {0, 0}}, old = alarm_left();
    int error = check_timer(which);
    if (error)
        return error;
    if (!user_is_null(new_value) && copy_from_user(&wanted, new_value, sizeof(wanted)) != 0)
        return -EFAULT;
    if (!is_valid(&wanted.interval) || !is_valid(&wanted.value))
        return -EINVAL;
    if (!user_is_null(old_value) && copy_to_user(old_value, &old, sizeof(old)) != 0)
        return -EFAULT;
    set_alarm(ns_of(&wanted.value), ns_of(&wanted.interval));
    return 0;
}

/* The seconds that were left are rounded up, so that a timer that runs is not 0. */
long sys_alarm(unsigned seconds)
{
    struct itimerval old = alarm_left();
    set_alarm(seconds * NS_PER_SECOND, 0);
    return old.value.seconds + (old.value.microseconds > 0 ? 1 : 0);
}
