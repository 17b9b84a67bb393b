/* Clocks, and sleeping until a time. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/uninitialized.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "syscall/user.h"
#include "task/process.h"

#define CLOCK_REALTIME         0
#define CLOCK_PROCESS          2
#define CLOCK_THREAD           3
#define CLOCK_MONOTONIC_RAW    4
#define CLOCK_REALTIME_COARSE  5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_REALTIME_ALARM   8
#define CLOCK_SGI_CYCLE        10 /* taken out of Linux */
#define CLOCK_TAI              11 /* as on Linux while no leap seconds are set */
#define TIMER_ABSTIME          1u

/* A clock of processor time as an id: a pid, negated, above three bits. */
#define CLOCK_OF_THREAD 4u
#define CLOCK_KIND      3u
#define CLOCK_VIRTUAL   1u /* user mode only */
#define CLOCK_FD        3u /* the clock of a device */
#define CLOCK_OF_SELF   (-8)

#define ZONE_MAX    (15 * 60)                                                     /* minutes */
#define SECONDS_MAX (INT64_MAX / (int64_t)NS_PER_SECOND - 30ll * 365 * 24 * 3600) /* as on Linux */

/* Sleep until a time of day, which may be set meanwhile. */
static struct wait_queue realtime_sleepers = {
    {&realtime_sleepers.waiters, &realtime_sleepers.waiters}};

static __attribute__((noinline)) int processor_clock_ns(int clock, uint64_t *ns)
{
    unsigned kind = (unsigned)clock & CLOCK_KIND;
    int pid = ~(clock >> 3);
    const struct process *process = pid == 0 ? current_process : process_peek(pid);
    if (kind == CLOCK_FD || !process ||
        (((unsigned)clock & CLOCK_OF_THREAD) && process != current_process))
        return -EINVAL;
    uint64_t ticks = process_user_ticks(process);
    if (kind != CLOCK_VIRTUAL)
        ticks += process_system_ticks(process);
    *ns = ticks * (NS_PER_SECOND / TIMER_HZ);
    return 0;
}

static int clock_ns(int clock, uint64_t *ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        *ns = (uint64_t)timer_realtime_ns();
        return 0;
    case CLOCK_PROCESS:
    case CLOCK_THREAD:
        return processor_clock_ns(CLOCK_OF_SELF, ns);
    default:
        if (clock < 0)
            return processor_clock_ns(clock, ns);
        if (clock == CLOCK_SGI_CYCLE || clock > CLOCK_TAI)
            return -EINVAL;
        *ns = timer_monotonic_ns();
        return 0;
    }
}

long sys_clock_gettime(int clockid, user_t tp)
{
    UNINITIALIZED uint64_t ns; /* clock_ns(), or an error is the answer */
    int error = clock_ns(clockid, &ns);
    if (error)
        return error;
    struct timespec time = timespec_of_ns(ns);
    return copy_to_user(tp, &time, sizeof(time));
}

long sys_clock_getres(int clockid, user_t res)
{
    uint64_t ns;
    struct timespec resolution = {0, 1};
    int error = clock_ns(clockid, &ns);
    return error || user_is_null(res) ? error : copy_to_user(res, &resolution, sizeof(resolution));
}

static int check_time_to_set(int64_t seconds, int64_t nanoseconds)
{
    if (seconds < 0 || seconds >= SECONDS_MAX || nanoseconds < 0 ||
        nanoseconds >= (int64_t)NS_PER_SECOND)
        return -EINVAL;
    return capable(CAP_SYS_TIME) ? 0 : -EPERM;
}

/* The time of day cannot be before the start of the machine. */
static int set_time(int64_t seconds, int64_t nanoseconds)
{
    int64_t ns = seconds * (int64_t)NS_PER_SECOND + nanoseconds;
    if (ns < (int64_t)timer_monotonic_ns())
        return -EINVAL;
    timer_set_realtime_ns(ns);
    sched_wake_all(&realtime_sleepers);
    return 0;
}

long sys_clock_settime(int clockid, user_t tp)
{
    struct timespec time;
    uint64_t ns;
    if (clockid < 0)
        return processor_clock_ns(clockid, &ns) ? -EINVAL : -EPERM;
    if (clockid != CLOCK_REALTIME)
        return -EINVAL;
    if (copy_from_user(&time, tp, sizeof(time)) != 0)
        return -EFAULT;
    int error = check_time_to_set(time.seconds, time.nanoseconds);
    return error ? error : set_time(time.seconds, time.nanoseconds);
}

long sys_settimeofday(user_t tv, user_t tz)
{
    struct timeval time = {0, 0};
    int32_t zone[2] = {0, 0}; /* struct timezone: minutes west of Greenwich, ... */
    if (!user_is_null(tv)) {
        if (copy_from_user(&time, tv, sizeof(time)) != 0)
            return -EFAULT;
        if (time.microseconds < 0 || time.microseconds > 1000000)
            return -EINVAL;
    }
    if (!user_is_null(tz) && copy_from_user(zone, tz, sizeof(zone)) != 0)
        return -EFAULT;
    int error = check_time_to_set(time.seconds, time.microseconds * 1000);
    if (error)
        return error;
    if (zone[0] < -ZONE_MAX || zone[0] > ZONE_MAX)
        return -EINVAL;
    return user_is_null(tv) ? 0 : set_time(time.seconds, time.microseconds * 1000);
}

long sys_gettimeofday(user_t tv, user_t tz)
{
    struct timeval time = timeval_of_ns((uint64_t)timer_realtime_ns());
    uint64_t zone = 0; /* struct timezone: minutes west of Greenwich, and a kind of summer time */
    if (!user_is_null(tv) && copy_to_user(tv, &time, sizeof(time)) != 0)
        return -EFAULT;
    return user_is_null(tz) ? 0 : copy_to_user(tz, &zone, sizeof(zone));
}

long sys_time(user_t tloc)
{
    int64_t now = timer_realtime_ns() / (int64_t)NS_PER_SECOND;
    if (!user_is_null(tloc) && copy_to_user(tloc, &now, sizeof(now)) != 0)
        return -EFAULT;
    return now;
}

/* rem gets the time that is left when a signal ends the sleep. */
static long sleep_until(uint64_t deadline, user_t rem)
{
    struct wait_queue queue;
    wait_queue_init(&queue);
    int error = 0;
    while (timer_monotonic_ns() < deadline && error != -EINTR)
        error = sched_sleep(&queue, deadline);
    if (error != -EINTR)
        return 0;
    struct timespec left = timespec_of_ns(time_left(deadline));
    if (!user_is_null(rem) && copy_to_user(rem, &left, sizeof(left)) != 0)
        return -EFAULT;
    return -EINTR;
}

long sys_nanosleep(user_t duration, user_t rem)
{
    struct timespec time;
    int error = timespec_from_user(duration, &time);
    return error ? error : sleep_until(timer_monotonic_ns() + timespec_ns(&time), rem);
}

/* Sleeps until a time of day; setting it wakes the sleepers, who look again. */
static long sleep_until_time(uint64_t realtime)
{
    for (;;) {
        uint64_t now = (uint64_t)timer_realtime_ns();
        if (now >= realtime)
            return 0;
        if (sched_sleep(&realtime_sleepers, timer_monotonic_ns() + (realtime - now)) == -EINTR)
            return -EINTR;
    }
}

/* Some clocks cannot be used for sleeping. */
static int check_sleep(int clock)
{
    if (clock == CLOCK_THREAD || clock < 0)
        return -EINVAL;
    if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
        clock == CLOCK_MONOTONIC_COARSE)
        return -EOPNOTSUPP;
    return 0;
}

long sys_clock_nanosleep(int clockid, unsigned flags, user_t t, user_t remain)
{
    struct timespec time;
    uint64_t now;
    int error = clock_ns(clockid, &now);
    if (!error)
        error = check_sleep(clockid);
    if (!error)
        error = timespec_from_user(t, &time);
    if (error)
        return error;
    uint64_t monotonic = timer_monotonic_ns(), ns = timespec_ns(&time);
    if (!(flags & TIMER_ABSTIME))
        return sleep_until(monotonic + ns, remain);
    if (clockid == CLOCK_REALTIME || clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_TAI)
        return sleep_until_time(ns);
    return ns <= now ? 0 : sleep_until(monotonic + (ns - now), user_ptr(0));
}
