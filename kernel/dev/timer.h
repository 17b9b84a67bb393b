/* Time: a periodic tick from the PIT, and the time-stamp counter between ticks. */
#ifndef UMBRA_DEV_TIMER_H
#define UMBRA_DEV_TIMER_H

#include <stdint.h>

#define TIMER_HZ      100
#define NS_PER_SECOND 1000000000ull
#define NS_PER_TICK   (NS_PER_SECOND / TIMER_HZ)

/* The ticks that are at least so long; ns + NS_PER_TICK must not overflow. */
static inline uint64_t timer_ticks_of(uint64_t ns)
{
    return (ns + NS_PER_TICK - 1) / NS_PER_TICK;
}

/* Programs the interrupt controllers (every line masked but the timer's and
 * COM1's) and the PIT, measures the TSC against it, and reads the real-time clock. */
void timer_init(void);

/* Unmasks one more interrupt line (0-7). */
void timer_enable_line(unsigned line);

/* Handles one interrupt line (0-15); acknowledges it. */
void timer_interrupt(unsigned line);

/* Nanoseconds since boot. Never goes back. */
uint64_t timer_monotonic_ns(void);

/* The same time as a counter that costs a few instructions to read, for comparisons with a time to come:
 * timer_cycles() is the counter now, timer_cycles_at() its value at `ns`, or a little before. */
uint64_t timer_cycles(void);
uint64_t timer_cycles_at(uint64_t ns);

/* Nanoseconds since the Epoch. */
int64_t timer_realtime_ns(void);
void timer_set_realtime_ns(int64_t ns);

/* The same at the last tick, for a few instructions: the times of files, as on Linux. */
int64_t timer_coarse_realtime_ns(void);

#endif
