/* Which thread runs. One processor; kernel code runs until it sleeps, returns, or comes to a scheduling
 * point (sched_point). */
#ifndef UMBRA_TASK_SCHED_H
#define UMBRA_TASK_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

struct thread;

/* Threads that wait for something, first come first. A thread may stand in several queues, with a waiter
 * in each. */
struct wait_queue {
    struct list waiters;
};

struct waiter {
    struct list link;
    struct thread *thread;
};

static inline void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->waiters);
}

#define SLEEP_FOREVER UINT64_MAX
#define TURN_TICKS    (TIMER_HZ / 20) /* 50 ms */

/* Forgets all threads: before the first one, and between two machines of the hosted tests. */
void sched_init(void);

/* Puts the current thread into a queue, and takes it out again. The object with the queue must be held
 * meanwhile. */
void wait_begin(struct wait_queue *queue, struct waiter *waiter);
void wait_end(struct waiter *waiter);

/* Sleeps until a queue in which the thread waits is woken, a signal is pending, or the deadline has
 * come (monotonic nanoseconds, or SLEEP_FOREVER). The caller checks again what it waited for. Returns 0,
 * -EINTR if a signal is pending, -ETIMEDOUT at the deadline. sched_wait_killable() is for waits that
 * only a signal that ends the process may interrupt. */
int sched_wait(uint64_t deadline);
int sched_wait_killable(void);

/* The same in one queue: wait_begin(), sched_wait(), wait_end(). */
int sched_sleep(struct wait_queue *queue, uint64_t deadline);
int sched_sleep_killable(struct wait_queue *queue);

/* A scheduling point: a place in a long call at which nothing is half done and nothing is lent. Takes
 * interrupts, and lets others run if the turn is over. Returns -EINTR if the process is about to be ended
 * by a signal: the caller then gives up the rest of its work. */
int sched_point(void);

/* Makes a thread runnable; does nothing if it is already. */
void sched_wake(struct thread *thread);

/* Makes all threads of the queue runnable. */
void sched_wake_all(struct wait_queue *queue);

/* Lets the others run first. */
void sched_yield(void);

/* Leaves the current thread, which has ended, for good. Its record and stack are freed by the next
 * one that runs. */
_Noreturn void sched_exit(void);

/* Enters the first thread from boot. */
_Noreturn void sched_start(struct thread *first);

/* Accounts a timer tick to the current thread and ends its turn when that is over. */
void sched_tick(bool from_user);

/* While something is lent (a pointer to a counted object that is not held), the current thread must not
 * sleep: checked in debug builds. The calls nest. */
#ifdef UMBRA_DEBUG
void lend_begin(void);
void lend_end(void);
#else
static inline void lend_begin(void)
{
}
static inline void lend_end(void)
{
}
#endif

#endif
