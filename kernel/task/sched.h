/* The scheduler. There is one processor; kernel code runs until it sleeps, returns, or reaches a
 * scheduling point (sched_point). */
#ifndef UMBRA_TASK_SCHED_H
#define UMBRA_TASK_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

struct thread;

/* Threads that wait for an event, in order of arrival. A thread may be in several queues, with one
 * waiter in each. */
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

/* Empties the scheduler's lists, before the first thread and between machines of the hosted
 * tests. */
void sched_init(void);

/* Puts the current thread into a queue, and takes it out again. The caller must hold a reference on
 * the object that contains the queue. */
void wait_begin(struct wait_queue *queue, struct waiter *waiter);
void wait_end(struct waiter *waiter);

/* Sleeps until a queue in which the thread waits is woken, a signal comes, or the deadline has come
 * (monotonic nanoseconds, or SLEEP_FOREVER). Returns 0 or, at the deadline, -ETIMEDOUT; -EINTR
 * without any sleep if a signal is pending already. So the caller checks its condition in a loop,
 * and a call that is done when a signal comes is done, as on Linux. Only a signal that ends the
 * process interrupts sched_wait_killable(), also after the sleep. */
int sched_wait(uint64_t deadline);
int sched_wait_killable(void);

/* The same in one queue: wait_begin(), sched_wait(), wait_end(). */
int sched_sleep(struct wait_queue *queue, uint64_t deadline);
int sched_sleep_killable(struct wait_queue *queue);

/* A scheduling point: a place in a long call where the data is consistent and no uncounted pointer
 * is in use. Takes interrupts, and lets other threads run if the turn is over. Returns -EINTR if a
 * signal is about to end the process; the caller then stops its work. */
int sched_point(void);

/* Makes a thread runnable; does nothing if it is already. */
void sched_wake(struct thread *thread);

/* Makes all threads of the queue runnable. */
void sched_wake_all(struct wait_queue *queue);

/* Lets the other runnable threads run first. */
void sched_yield(void);

/*
 * Leaves the current thread, which has ended. The next thread that runs frees its record and stack.
 */
_Noreturn void sched_exit(void);

/* Enters the first thread from boot. */
_Noreturn void sched_start(struct thread *first);

/* The load averages of one, five and fifteen minutes, in 2048ths: how many threads run or wait for the processor. */
#define LOAD_SHIFT 11
extern uint32_t sched_loads[3];

/* Accounts a timer tick to the current thread, as its own or as the system's, and ends its turn when that is over.
 * Brings the load averages up to date every five seconds. */
void sched_tick(bool of_program);

#endif
