/* Which task runs. One processor; kernel code runs until it sleeps or returns. */
#ifndef UMBRA_TASK_SCHED_H
#define UMBRA_TASK_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

struct task;
struct trap_frame;

/* Tasks waiting for something, first come first. */
struct wait_queue {
    struct list tasks;
};

static inline void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->tasks);
}

/* Makes a task runnable; nothing if it is already. */
void sched_wake(struct task *task);

/* Makes all tasks of the queue runnable. */
void sched_wake_all(struct wait_queue *queue);

/* Puts the current task into the queue and runs others until it is woken, by sched_wake_all, by a
 * signal, or at `deadline` (monotonic nanoseconds, UINT64_MAX: never). The caller checks again
 * what it waited for. Returns 0, -EINTR if a signal is pending, -ETIMEDOUT at the deadline.
 * sched_sleep_uninterruptible() is for waits that signals do not end. */
int sched_sleep(struct wait_queue *queue, uint64_t deadline);
void sched_sleep_uninterruptible(struct wait_queue *queue);

/* Lets the others run first. */
void sched_yield(void);

/* Leaves the current task, which has ended, for good. */
_Noreturn void sched_exit(void);

/* Enters the first task from boot. */
_Noreturn void sched_start(struct task *first);

/* Accounts a timer tick to the current task and ends its turn when that is over. */
void sched_tick(void);

/* What is to be done before a return to ring 3: another task's turn, then signals. */
void sched_before_user(struct trap_frame *frame);
extern bool sched_turn_is_over;

#endif
