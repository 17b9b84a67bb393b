/* Who a process is, and what one process may learn of another (credentials(7), ptrace(2)). */
#ifndef UMBRA_TASK_RIGHTS_H
#define UMBRA_TASK_RIGHTS_H

#include <stdbool.h>

struct credentials;
struct process;

/* Gives the current process other credentials. A change of what it may do makes it undumpable: what it had
 * in memory before is not for its new user to read. -EAGAIN: no memory for the user's record. */
int credentials_set(const struct credentials *wanted);

/* At exec: the new program is dumpable again if its real and effective ids are the same. */
void credentials_exec(struct process *process);

/* Whether the current process may look at another's memory, files and places, as Linux's
 * PTRACE_MODE_READ_FSCREDS: both are the same, it has user 0's privileges, or its ids are all those of
 * the other one and the other one is dumpable. */
bool rights_to_inspect(const struct process *target);

#endif
