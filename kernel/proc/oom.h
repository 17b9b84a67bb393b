/* Memory is short: somebody has to end. */
#ifndef UMBRA_PROC_OOM_H
#define UMBRA_PROC_OOM_H

#include <stdbool.h>

struct trap_frame;

/* Notes for each thread that it found no memory. */
void oom_init(void);

/* Ends the largest process of the user with the most memory, never process 1, unless one that was ended
 * for that is still there, and lets the others run. Returns 0: try again; -EINTR: the current process is
 * about to end; -ENOMEM: nothing can be ended. With `spare_caller` the current process is not ended, but
 * told -ENOMEM: it can deal with it. Nothing is lent, held half-done or locked. */
int oom_wait(bool spare_caller);

/* Before a return to ring 3 of a thread that found no memory: makes a call that failed for it again, and
 * waits until what the kernel took from the reserve is there again. */
void oom_before_user(struct trap_frame *frame);

#endif
