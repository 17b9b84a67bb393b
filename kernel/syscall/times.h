/* Times in user memory, and the resource usage that programs read. */
#ifndef UMBRA_SYSCALL_TIMES_H
#define UMBRA_SYSCALL_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/phys.h"
#include "dev/timer.h"
#include "task/thread.h"

struct timespec {
    int64_t seconds, nanoseconds;
};

struct timeval {
    int64_t seconds, microseconds;
};

/* Reads a timespec and checks its range. -EFAULT, -EINVAL. */
int timespec_from_user(user_t user, struct timespec *out);

/* The time in nanoseconds, at most INT64_MAX. */
uint64_t timespec_ns(const struct timespec *time);

struct timespec timespec_of_ns(uint64_t ns);
struct timeval timeval_of_ns(uint64_t ns);

/* Reads a relative time-out and stores its end in monotonic nanoseconds; SLEEP_FOREVER for a null
 * pointer. Returns 0, -EFAULT or -EINVAL. */
int deadline_from_user(user_t user, uint64_t *deadline);

/* The time from now to a deadline; 0 if it has passed. */
uint64_t time_left(uint64_t deadline);

/* struct rusage of getrusage(2) */
struct rusage {
    struct timeval user, system;
    int64_t most_memory; /* KiB that were mapped at one time */
    int64_t sizes[3];    /* not kept, like the others below: 0 */
    int64_t minor_faults, others[7];
    int64_t voluntary_switches, involuntary_switches;
};
_Static_assert(sizeof(struct rusage) == 144, "struct rusage");

static inline struct rusage rusage_of(const struct usage *used)
{
    const uint64_t ns_per_tick = NS_PER_SECOND / TIMER_HZ;
    return (struct rusage){.user = timeval_of_ns(used->user_ticks * ns_per_tick),
                           .system = timeval_of_ns(used->system_ticks * ns_per_tick),
                           .most_memory = (int64_t)(used->most_pages * (PAGE_SIZE >> 10)),
                           .minor_faults = (int64_t)used->faults,
                           .voluntary_switches = (int64_t)used->switches[0],
                           .involuntary_switches = (int64_t)used->switches[1]};
}

#endif
