/* What may not have happened to a process since the last check. Of check.c. */
#ifndef UMBRA_HOST_HISTORY_H
#define UMBRA_HOST_HISTORY_H

struct process;

void history_start(void);

/* For each process of a check that follows a call, or a trap (UINT32_MAX). Fails with host_fail() if the process
 * is a zombie for which nobody can wait, if an orphan would send process 1 a signal of its own choice, if what
 * exec must copy is shared after it, or if the limits were set by a process that may not. */
void history_check(const struct process *process, unsigned call);

#endif
