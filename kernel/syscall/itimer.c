/* The timers of a process: of the time that passes, and of the processor time that it uses. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "proc/before_user.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "syscall/user.h"
#include "task/process.h"

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

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

#define NS_PER_TICK (NS_PER_SECOND / TIMER_HZ)

static struct itimerval cpu_left(int which)
{
    const struct cpu_timer *timer = &current_process->cpu_timers[which - ITIMER_VIRTUAL];
    return (struct itimerval){timeval_of_ns(timer->interval * NS_PER_TICK),
                              timeval_of_ns(timer->left * NS_PER_TICK)};
}

static struct itimerval timer_left(int which)
{
    return which == ITIMER_REAL ? alarm_left() : cpu_left(which);
}

static uint64_t ticks_of(const struct timeval *time)
{
    return (ns_of(time) + NS_PER_TICK - 1) / NS_PER_TICK;
}

static void set_timer(int which, const struct itimerval *wanted)
{
    struct process *process = current_process;
    if (which == ITIMER_REAL) {
        set_alarm(ns_of(&wanted->value), ns_of(&wanted->interval));
        return;
    }
    process->cpu_timers[which - ITIMER_VIRTUAL] =
        (struct cpu_timer){ticks_of(&wanted->value), ticks_of(&wanted->interval)};
    process->has_cpu_timer = process->cpu_timers[0].left > 0 || process->cpu_timers[1].left > 0;
}

static bool is_timer(int which)
{
    return which >= ITIMER_REAL && which <= ITIMER_PROF;
}

long sys_getitimer(int which, user_t curr_value)
{
    if (!is_timer(which))
        return -EINVAL;
    struct itimerval now = timer_left(which);
    return copy_to_user(curr_value, &now, sizeof(now));
}

long sys_setitimer(int which, user_t new_value, user_t old_value)
{
    struct itimerval wanted = {{0, 0}, {0, 0}};
    if (!user_is_null(new_value) && copy_from_user(&wanted, new_value, sizeof(wanted)) != 0)
        return -EFAULT;
    if (!is_timer(which) || !is_valid(&wanted.interval) || !is_valid(&wanted.value))
        return -EINVAL;
    struct itimerval old = timer_left(which);
    if (!user_is_null(old_value) && copy_to_user(old_value, &old, sizeof(old)) != 0)
        return -EFAULT;
    set_timer(which, &wanted);
    return 0;
}

/* The seconds that were left are rounded up, so that a timer that runs is not 0. */
long sys_alarm(unsigned seconds)
{
    struct itimerval old = alarm_left();
    set_alarm(seconds * NS_PER_SECOND, 0);
    return old.value.seconds + (old.value.microseconds > 0 ? 1 : 0);
}
