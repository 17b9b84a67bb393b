/* Credentials of a process, and the right to inspect another (credentials(7), ptrace(2)). */
#ifndef UMBRA_TASK_RIGHTS_H
#define UMBRA_TASK_RIGHTS_H

#include <stdbool.h>

struct credentials;
struct ids;
struct process;

/* Changes the credentials of the current process. A change of its privileges makes it undumpable,
 * since its memory may contain data that its new user may not read. Returns 0, or -EAGAIN if there
 * is no memory for the user's record. */
int credentials_set(const struct credentials *wanted);

/* At exec of the current process: the saved and fs ids become the effective ones, and the program
 * is dumpable again if its real ids are the same too. Returns 0, or -EAGAIN as credentials_set(). */
int credentials_exec(void);

/* Whether the capabilities over files are missing after a change of the user ids. */
bool credentials_lack_file_caps(const struct credentials *before, const struct ids *wanted);

/* True if the current process may read another's memory, files and directories, as Linux's
 * PTRACE_MODE_READ_FSCREDS: both are the same process, or it has user 0's privileges, or its fs ids
 * equal all ids of the other process, which is dumpable. */
bool rights_to_inspect(const struct process *target);

#endif
