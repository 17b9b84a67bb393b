/* Clocks, times in user memory, sleeping until a time, and the timers of a process. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/variable.h"
#include "mm/usercopy.h"
#include "proc/before_user.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "task/process.h"
#include "task/sched.h"

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
    struct usage used = process_usage(process);
    *ns = (used.user_ticks + (kind == CLOCK_VIRTUAL ? 0 : used.system_ticks)) * NS_PER_TICK;
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

/* As on Linux, of the clocks of processor time only those that count while a process runs are exact. */
static bool is_coarse(int clock)
{
    return clock < 0 ? ((unsigned)clock & CLOCK_KIND) <= CLOCK_VIRTUAL
                     : clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
}

long sys_clock_getres(int clockid, user_t res)
{
    uint64_t ns;
    struct timespec resolution = {0, is_coarse(clockid) ? NS_PER_TICK : 1};
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
    if (clockid > CLOCK_REALTIME)
        return -EINVAL;
    if (copy_from_user(&time, tp, sizeof(time)) != 0)
        return -EFAULT;
    if (clockid < 0)
        return processor_clock_ns(clockid, &ns) ? -EINVAL : -EPERM;
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

/* How the clock is corrected: it never is. */

#define ADJ_OFFSET_SS_READ 0xa001u
#define STA_UNSYNC         0x40
#define TIME_ERROR         5 /* the clock is not synchronised */

/* struct timex of Linux. The times are microseconds. */
struct timex {
    uint32_t modes;
    int64_t offset, frequency, most_error, likely_error;
    int32_t status;
    int64_t constant, precision, tolerance;
    struct timeval time;
    int64_t tick;
    int64_t pulse_frequency, pulse_jitter;
    int32_t pulse_shift;
    int64_t pulse_stability, pulse_counts[4];
    int32_t tai;
    int32_t unused[11];
};
_Static_assert(sizeof(struct timex) == 208, "struct timex");

static long adjust(user_t user, struct timex *clock)
{
    if (clock->modes != 0 && clock->modes != ADJ_OFFSET_SS_READ)
        return capable(CAP_SYS_TIME) ? -EINVAL : -EPERM;
    clock->offset = clock->frequency = 0;
    clock->most_error = clock->likely_error = 16000000;
    clock->status = STA_UNSYNC;
    clock->constant = 2;
    clock->precision = 1;
    clock->tolerance = 32768000; /* 500 in a million, in units of 2^-16 */
    clock->time = timeval_of_ns((uint64_t)timer_realtime_ns());
    clock->tick = 10000;
    clock->pulse_frequency = clock->pulse_jitter = clock->pulse_shift = 0;
    clock->pulse_stability = clock->tai = 0;
    memset(clock->pulse_counts, 0, sizeof(clock->pulse_counts));
    return copy_to_user(user, clock, sizeof(*clock)) ? -EFAULT : TIME_ERROR;
}

long sys_adjtimex(user_t buf)
{
    struct timex clock;
    return copy_from_user(&clock, buf, sizeof(clock)) ? -EFAULT : adjust(buf, &clock);
}

long sys_clock_adjtime(int clockid, user_t buf)
{
    struct timex clock;
    uint64_t ns;
    if (copy_from_user(&clock, buf, sizeof(clock)) != 0)
        return -EFAULT;
    if (clockid == CLOCK_REALTIME)
        return adjust(buf, &clock);
    return clockid < 0 && ((unsigned)clockid & CLOCK_KIND) == CLOCK_FD ? -EINVAL
           : clockid >= 0 && clock_ns(clockid, &ns) != 0               ? -EINVAL
                                                                       : -EOPNOTSUPP;
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
    const unsigned device = CLOCK_OF_THREAD | CLOCK_KIND;
    if (clock < 0)
        return ((unsigned)clock & device) == CLOCK_FD ? -EOPNOTSUPP : 0;
    if (clock == CLOCK_SGI_CYCLE || clock > CLOCK_TAI)
        return -EINVAL;
    if (clock == CLOCK_THREAD || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
        clock == CLOCK_MONOTONIC_COARSE)
        return -EOPNOTSUPP;
    return 0;
}

/* Until a process has used so much time: the one that sleeps and one that has gone never have. The clock counts ticks, so
 * that looking again more often is of no use. */
static void sleep_processor(int clock, uint64_t deadline)
{
    struct wait_queue queue;
    const int pid = ~(clock >> 3);
    const struct process *process = pid == 0 ? current_process : process_peek(pid);
    const uint64_t key = process->key;
    wait_queue_init(&queue);
    for (int error = 0; error != -EINTR;) {
        uint64_t now, left = 0;
        process = process_peek_key(key);
        if (process && processor_clock_ns(clock, &now) == 0) {
            if (now >= deadline)
                return;
            left = deadline - now > NS_PER_TICK ? deadline - now : NS_PER_TICK;
        }
        error = sched_sleep(&queue, left == 0 || process == current_process
                                        ? SLEEP_FOREVER
                                        : timer_monotonic_ns() + left);
    }
}

/* Sleeps by a clock of processor time. As on Linux, a process can sleep by its own clock or another's, but not by that of
 * its own thread, and a sleep of no time is over. */
static __attribute__((noinline)) long sleep_by_processor(int clock, bool is_absolute, uint64_t ns,
                                                         user_t rem)
{
    uint64_t now, deadline = ns;
    if (((unsigned)clock & CLOCK_OF_THREAD) || processor_clock_ns(clock, &now) != 0)
        return -EINVAL;
    if (ns == 0)
        return 0;
    if (!is_absolute)
        deadline = ns < INT64_MAX - now ? now + ns : INT64_MAX;
    sleep_processor(clock, deadline);
    if (processor_clock_ns(clock, &now) != 0)
        now = 0;
    if (now >= deadline)
        return 0;
    struct timespec left = timespec_of_ns(deadline - now);
    if (!is_absolute && !user_is_null(rem) && copy_to_user(rem, &left, sizeof(left)) != 0)
        return -EFAULT;
    return -EINTR;
}

long sys_clock_nanosleep(int clockid, unsigned flags, user_t t, user_t remain)
{
    struct timespec time;
    uint64_t now;
    int error = check_sleep(clockid);
    if (!error)
        error = timespec_from_user(t, &time);
    if (!error && (clockid < 0 || clockid == CLOCK_PROCESS))
        return sleep_by_processor(clockid < 0 ? clockid : CLOCK_OF_SELF, flags & TIMER_ABSTIME,
                                  timespec_ns(&time), remain);
    if (!error)
        error = clock_ns(clockid, &now);
    if (error)
        return error;
    uint64_t monotonic = timer_monotonic_ns(), ns = timespec_ns(&time);
    if (!(flags & TIMER_ABSTIME))
        return sleep_until(monotonic + ns, remain);
    if (clockid == CLOCK_REALTIME || clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_TAI)
        return sleep_until_time(ns);
    return ns <= now ? 0 : sleep_until(monotonic + (ns - now), user_ptr(0));
}

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

/* The timers of a process: of the time that passes, and of the processor time that it uses. */

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
    return time->seconds >= 0 && time->microseconds >= 0 && time->microseconds < 1000000;
}

/* At most INT64_MAX, which is some 292 years. */
static uint64_t ns_of(const struct timeval *time)
{
    const struct timespec exact = {time->seconds, time->microseconds * 1000};
    return timespec_ns(&exact);
}

static void set_alarm(uint64_t value_ns, uint64_t interval_ns)
{
    process_set_alarm(value_ns ? timer_monotonic_ns() + value_ns : 0, interval_ns);
}

static struct itimerval cpu_left(int which)
{
    const struct cpu_timer *timer = &current_process->cpu_timers[which - ITIMER_VIRTUAL];
    return (struct itimerval){timeval_of_ns(timer->interval),
                              timeval_of_ns(timer->left * NS_PER_TICK)};
}

static struct itimerval timer_left(int which)
{
    return which == ITIMER_REAL ? alarm_left() : cpu_left(which);
}

static void set_timer(int which, const struct itimerval *wanted)
{
    struct process *process = current_process;
    if (which == ITIMER_REAL) {
        uint64_t value = ns_of(&wanted->value);
        set_alarm(value, value ? ns_of(&wanted->interval) : 0); /* no timer, no interval */
        return;
    }
    process->cpu_timers[which - ITIMER_VIRTUAL] =
        (struct cpu_timer){timer_ticks_of(ns_of(&wanted->value)), ns_of(&wanted->interval)};
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
    set_timer(which, &wanted); /* even if the old value cannot be stored */
    return user_is_null(old_value) ? 0 : copy_to_user(old_value, &old, sizeof(old));
}

/* The seconds that were left are rounded to the nearest, but those of a timer that runs are not 0. */
long sys_alarm(unsigned seconds)
{
    const struct timeval old = alarm_left().value;
    bool is_more = old.microseconds >= 500000 || (old.seconds == 0 && old.microseconds > 0);
    set_alarm(seconds * NS_PER_SECOND, 0);
    return (unsigned)(old.seconds + is_more);
}
