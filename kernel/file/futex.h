/* Futexes: words of user memory that threads wait on, futex(2). */
#ifndef UMBRA_FILE_FUTEX_H
#define UMBRA_FILE_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/phys.h"

/* Empties the list of those who wait. */
void futexes_init(void);

/* Threads mean the same word if it is at the same place of a file or of shared memory, or at the same address of one
 * address space. `is_private` tells that only the latter counts, so that the word is not looked for. */

#define FUTEX_ALL_BITS UINT32_MAX

/* Sleeps until futex_wake() with one of these bits, if the word has the expected value. -EAGAIN: it has
 * another; -ETIMEDOUT: the deadline has come (as sched_sleep()); -EINTR; -EINVAL: the address is not a
 * multiple of 4, or `bits` is 0; -EFAULT. */
int futex_wait(user_t word, bool is_private, uint32_t expected, uint32_t bits, uint64_t deadline);

/* Wakes the first `count` threads (at least one) that wait with one of these bits. Returns their number,
 * -EINVAL or -EFAULT. */
long futex_wake(user_t word, bool is_private, int count, uint32_t bits);

/* Wakes the first `count` threads, and lets the next `moved` wait for another word. Returns the number of
 * both, -EINVAL, -EFAULT, or -EAGAIN if the word does not have the expected value. */
#define FUTEX_ANY_VALUE UINT64_MAX
long futex_requeue(user_t from, user_t to, bool is_private, int count, int moved,
                   uint64_t expected);

/* Before the current thread leaves its memory: marks the mutexes that it owns as those of an owner that died, and
 * wakes one waiter of each (set_robust_list(2), and Documentation/locking/robust-futexes of Linux). The thread has no
 * list afterwards. There are scheduling points between. */
void futex_leave_mutexes(void);

#endif
