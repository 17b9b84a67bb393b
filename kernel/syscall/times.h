/* Times in user memory, and the resource usage that programs read. */
#ifndef UMBRA_SYSCALL_TIMES_H
#define UMBRA_SYSCALL_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/phys.h"
#include "dev/timer.h"

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
    int64_t sizes[4]; /* not kept, like the rest: 0 */
    int64_t minor_faults, rest[9];
};
_Static_assert(sizeof(struct rusage) == 144, "struct rusage");

static inline struct timeval rusage_time(uint64_t ticks)
{
    return timeval_of_ns(ticks * (NS_PER_SECOND / TIMER_HZ));
}

#endif
