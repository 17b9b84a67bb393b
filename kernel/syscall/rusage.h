/* The resource usage that programs read. */
#ifndef UMBRA_SYSCALL_RUSAGE_H
#define UMBRA_SYSCALL_RUSAGE_H

#include <stdint.h>

#include "dev/timer.h"
#include "syscall/times.h"

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
