/* Credentials of a process, and the right to inspect another (credentials(7), ptrace(2)). */
#ifndef UMBRA_TASK_RIGHTS_H
#define UMBRA_TASK_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "task/process.h"

/* Changes the credentials of the current process. A change of its privileges makes it undumpable,
 * since its memory may contain data that its new user may not read. Returns 0, or -EAGAIN if there
 * is no memory for the user's record. */
int credentials_set(const struct credentials *wanted);

/* What a new program runs with. is_secure: more rights than the real user has (AT_SECURE). */
struct exec_credentials {
    struct credentials cred;
    bool is_secure;
};

/* Stores the credentials of the program that the current process executes next: the saved and fs
 * ids become the effective ones, and user 0 gets all capabilities. A process that shares its
 * directories (CLONE_FS) or has no_new_privs gains nothing: if it would, it gets its real ids, or
 * keeps the effective ones if it shares and has CAP_SETUID. */
void credentials_for_exec(struct exec_credentials *out);

/* At exec of the current process: it gets the credentials, and is dumpable again if its real and
 * effective ids were the same and it gained nothing, unless exec_commit() finds that its user may not read
 * the program. Returns 0, or -EAGAIN as credentials_set(). */
int credentials_exec(const struct exec_credentials *wanted);

/* Sets the capabilities that belong to the new user ids of `wanted`: after a change by setuid(2)
 * and the like, whose old ids are given, and by setfsuid(2). */
void credentials_follow_user(struct credentials *wanted, const struct ids *old);
void credentials_follow_fs_user(struct credentials *wanted, uint32_t old_fs);

/* True if the current process may read another's memory, files and directories, as Linux's
 * PTRACE_MODE_READ_FSCREDS: both are the same process, or it has CAP_SYS_PTRACE, or its fs ids equal
 * all ids of the other process, which is dumpable and has no capabilities beyond its own. */
bool rights_to_inspect(const struct process *target);

/* True if it may also change that memory, as Linux's PTRACE_MODE_ATTACH_REALCREDS: the same with the
 * real ids. */
bool rights_to_attach(const struct process *target);

/* True if it may send the signal to the other process (kill(2)): to itself, with CAP_KILL, or if its real or effective
 * id is the other's real or saved one; SIGCONT also within its session. */
bool rights_to_signal(const struct process *target, int signal);

#endif
