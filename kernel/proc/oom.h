/* Out of memory: ends a process. */
#ifndef UMBRA_PROC_OOM_H
#define UMBRA_PROC_OOM_H

#include <stdbool.h>

struct trap_frame;

/* Installs the hook that marks a thread that found no memory. */
void oom_init(void);

/* Ends the largest process of the user with the most memory, except process 1, unless a process
 * that was ended before is still there, and lets the others run. Returns 0: try again; -EINTR: the
 * current process is about to end; -ENOMEM: no process can be ended. With `spare_caller` the
 * current process gets -ENOMEM and is not ended. The caller must not use uncounted pointers or
 * leave data inconsistent. */
int oom_wait(bool spare_caller);

/* Before a thread that found no memory returns to ring 3: restarts a call that failed for it, and
 * waits until the frames that the kernel took from the reserve are free again. */
void oom_before_user(struct trap_frame *frame);

#endif
