/* The machine and the time. */
#include "dev/power.h"
#include "dev/random.h"
#include "dev/timer.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/syscall.h"

#define REBOOT_MAGIC1    0xfee1dead
#define REBOOT_RESTART   0x01234567
#define REBOOT_HALT      0xcdef0123
#define REBOOT_POWER_OFF 0x4321fedc
#define REBOOT_CAD_ON    0x89abcdef
#define REBOOT_CAD_OFF   0x00000000

#define CLOCK_REALTIME  0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS   2
#define CLOCK_THREAD    3
#define CLOCK_MAX       11
#define TIMER_ABSTIME   1

#define FUTEX_WAKE    1
#define FUTEX_COMMAND 0x7f

SYSCALL(uname)
{
    static const char names[6][65] = {"Linux",    "umbra",  "6.1.0-umbra",
                                      "#1 umbra", "x86_64", "(none)"};
    return copy_to_user(user_ptr(a), names, sizeof(names));
}

SYSCALL(sysinfo)
{
    struct {
        int64_t uptime;
        uint64_t loads[3], total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
        uint16_t processes, pad;
        uint64_t total_high, free_high;
        uint32_t unit;
        char pad2[4];
    } info = {
        .uptime = (int64_t)(timer_monotonic_ns() / NS_PER_SECOND),
        .total_ram = frame_total() * PAGE_SIZE,
        .free_ram = frame_count(FRAME_FREE) * PAGE_SIZE,
        .shared_ram = frame_count(FRAME_FILE) * PAGE_SIZE,
        .unit = 1,
    };
    _Static_assert(sizeof(info) == 112, "struct sysinfo");
    LIST_FOR_EACH (process, &process_list, struct process, all)
        info.processes++;
    return copy_to_user(user_ptr(a), &info, sizeof(info));
}

SYSCALL(reboot)
{
    if (current_process->cred.user.effective != 0)
        return -EPERM;
    if ((uint32_t)a != REBOOT_MAGIC1)
        return -EINVAL;
    switch ((uint32_t)c) {
    case REBOOT_POWER_OFF:
    case REBOOT_HALT:
        power_off(VERDICT_EXIT, 0);
    case REBOOT_RESTART:
        print("restart");
        power_reset();
    case REBOOT_CAD_ON:
    case REBOOT_CAD_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}

SYSCALL(getrandom)
{
    uint8_t bytes[128];
    uint64_t size = b < 0x1ffffff ? b : 0x1ffffff;
    if (c & ~7ull)
        return -EINVAL;
    for (uint64_t done = 0; done < size;) {
        size_t n = size - done < sizeof(bytes) ? size - done : sizeof(bytes);
        random_bytes(bytes, n);
        if (copy_to_user(user_ptr(a + done), bytes, n) != 0)
            return done > 0 ? (long)done : -EFAULT;
        done += n;
    }
    return (long)size;
}

static int clock_ns(int clock, uint64_t *ns)
{
    if (clock < 0 || clock > CLOCK_MAX)
        return -EINVAL;
    if (clock == CLOCK_PROCESS || clock == CLOCK_THREAD)
        *ns = (process_user_ticks(current_process) + process_system_ticks(current_process)) *
              (NS_PER_SECOND / TIMER_HZ);
    else
        *ns = clock == CLOCK_REALTIME || clock == 5 ? (uint64_t)timer_realtime_ns()
                                                    : timer_monotonic_ns();
    return 0;
}

SYSCALL(clock_gettime)
{
    uint64_t ns;
    int error = clock_ns((int)a, &ns);
    if (error)
        return error;
    struct timespec time = {(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND)};
    return copy_to_user(user_ptr(b), &time, sizeof(time));
}

SYSCALL(clock_getres)
{
    uint64_t ns;
    struct timespec resolution = {0, 1};
    int error = clock_ns((int)a, &ns);
    return error || !b ? error : copy_to_user(user_ptr(b), &resolution, sizeof(resolution));
}

SYSCALL(gettimeofday)
{
    int64_t now = timer_realtime_ns() / 1000;
    int64_t time[2] = {now / 1000000, now % 1000000};
    uint64_t zone = 0;
    if (a && copy_to_user(user_ptr(a), time, sizeof(time)) != 0)
        return -EFAULT;
    return b ? copy_to_user(user_ptr(b), &zone, sizeof(zone)) : 0;
}

SYSCALL(time)
{
    int64_t now = timer_realtime_ns() / (int64_t)NS_PER_SECOND;
    if (a && copy_to_user(user_ptr(a), &now, sizeof(now)) != 0)
        return -EFAULT;
    return now;
}

int timespec_from_user(uint64_t user, struct timespec *out)
{
    if (copy_from_user(out, user_ptr(user), sizeof(*out)) != 0)
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

static long sleep_until(uint64_t deadline, uint64_t remaining)
{
    struct wait_queue queue;
    wait_queue_init(&queue);
    int error = 0;
    while (timer_monotonic_ns() < deadline && error != -EINTR)
        error = sched_sleep(&queue, deadline);
    if (error != -EINTR)
        return 0;
    uint64_t now = timer_monotonic_ns(), left = deadline > now ? deadline - now : 0;
    struct timespec rest = {(int64_t)(left / NS_PER_SECOND), (int64_t)(left % NS_PER_SECOND)};
    if (remaining && copy_to_user(user_ptr(remaining), &rest, sizeof(rest)) != 0)
        return -EFAULT;
    return -EINTR;
}

SYSCALL(nanosleep)
{
    struct timespec time;
    int error = timespec_from_user(a, &time);
    return error ? error : sleep_until(timer_monotonic_ns() + timespec_ns(&time), b);
}

SYSCALL(clock_nanosleep)
{
    struct timespec time;
    uint64_t now;
    int error = clock_ns((int)a, &now);
    if (!error)
        error = timespec_from_user(c, &time);
    if (error)
        return error;
    uint64_t monotonic = timer_monotonic_ns(), ns = timespec_ns(&time);
    if (!(b & TIMER_ABSTIME))
        return sleep_until(monotonic + ns, d);
    return ns <= now ? 0 : sleep_until(monotonic + (ns - now), 0);
}

/* Without threads nobody can be waiting. */
SYSCALL(futex)
{
    uint32_t word;
    if ((b & FUTEX_COMMAND) != FUTEX_WAKE)
        return -ENOSYS;
    return copy_from_user(&word, user_ptr(a), sizeof(word));
}
