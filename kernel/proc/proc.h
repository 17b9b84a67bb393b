/* Creating, replacing and ending processes. */
#ifndef UMBRA_PROC_PROC_H
#define UMBRA_PROC_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/phys.h"
#include "task/thread.h"

struct aspace;
struct exec_credentials;
struct new_image;
struct process;
struct rusage;

/* clone(2) */
#define CLONE_VM             0x100u
#define CLONE_FS             0x200u
#define CLONE_FILES          0x400u
#define CLONE_SIGHAND        0x800u
#define CLONE_VFORK          0x4000u
#define CLONE_THREAD         0x10000u
#define CLONE_SETTLS         0x80000u
#define CLONE_PARENT_SETTID  0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_CHILD_SETTID   0x1000000u

struct clone_args {
    uint64_t flags, stack; /* CLONE_*; stack: of the child, 0: the parent's */
    user_t parent_tid, child_tid;
    uint64_t tls;
    int exit_signal;
};

/* fork, vfork and clone: a copy of the current process that returns 0 from the call. Returns its
 * pid, -EAGAIN (no pid, or the user's limit of processes), -ENOMEM, -EPERM (tls is not a user
 * address). On error nothing has changed. */
long process_clone(const struct clone_args *args);

/* Ends the current process. status: as wait4(2) reports it. */
_Noreturn void process_exit(int status);

/* Before the current thread leaves its memory, by exec or its end: leaves its robust mutexes, and (CLONE_CHILD_CLEARTID)
 * tells those with whom it shares the memory, if there are any. There are scheduling points. */
void process_leave_memory(void);

/* Gives up a reference on an address space that is not the one in use. The last one frees it in chunks, with
 * scheduling points between. */
void process_leave_aspace(struct aspace *as);

/* Options of wait4(2) and waitid(2), those of POSIX as the C library has them: hosted tests may include both. */
#define WNOHANG    1
#define WUNTRACED  2 /* the same as WSTOPPED */
#define WEXITED    4
#define WCONTINUED 8
#define WNOWAIT    0x01000000
#define WNOTHREAD  0x20000000u
#define WALL       0x40000000u
#define WCLONE     0x80000000u

/* Which children to wait for. */
struct wait_request {
    enum { WAIT_ANY, WAIT_PID, WAIT_GROUP } kind;
    int id;           /* of the process or group */
    unsigned options; /* W*; without WEXITED no child is found */
};

/* The processor time and page faults include those of its children that were waited for. */
struct ended_child {
    int pid, status; /* status: as wait4(2) reports it */
    uint32_t uid;    /* its real user */
    struct usage usage;
};

/* Waits until a child has ended. Returns its pid with the rest in *out, and frees the child unless
 * WNOWAIT is set; 0 with WNOHANG if none has ended; -ECHILD, -ERESTARTSYS. */
long process_wait(const struct wait_request *wanted, struct ended_child *out);

/* Replaces the program of the current process by the new image and frees the old one. The process
 * then has the credentials of credentials_for_exec(), its own descriptor table and signal actions, close-on-exec descriptors are closed, and
 * the trap frame has the initial registers. -ENOMEM: nothing has changed, and the caller still owns
 * the image. */
int exec_commit(struct new_image *new_image, const struct exec_credentials *cred);

/* Out of memory: ends a process. */

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
