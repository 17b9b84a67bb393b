/* Credentials of a process, and the right to inspect another (credentials(7), ptrace(2)). */
#ifndef UMBRA_TASK_RIGHTS_H
#define UMBRA_TASK_RIGHTS_H

#include <stdbool.h>

struct credentials;
struct process;

/* Changes the credentials of the current process. A change of its privileges makes it undumpable,
 * since its memory may contain data that its new user may not read. Returns 0, or -EAGAIN if there
 * is no memory for the user's record. */
int credentials_set(const struct credentials *wanted);

/* At exec: the new program is dumpable again if its real and effective ids are the same. */
void credentials_exec(struct process *process);

/* True if the current process may read another's memory, files and directories, as Linux's
 * PTRACE_MODE_READ_FSCREDS: both are the same process, or it has user 0's privileges, or its fs ids
 * equal all ids of the other process, which is dumpable. */
bool rights_to_inspect(const struct process *target);

#endif
