/* fork(2), vfork(2) and clone(2). */
#include "lib/errno.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "task/signal.h"

/* About tracers, System V semaphores and input-output contexts, of which there are none, and a flag
 * that has had no meaning since Linux 2.6.2. */
#define CLONE_IGNORED 0x80c42000u /* PTRACE, SYSVSEM, DETACHED, UNTRACED, IO */
#define CLONE_SUPPORTED                                                                            \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_SETTLS |              \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_IGNORED)
#define CSIGNAL 0xffu

/* flags: the lower 32 bits count; their lowest byte is the signal at the child's end, the rest are
 * CLONE_*. */
long sys_clone(uint64_t flags, uint64_t stack, user_t parent_tid, user_t child_tid, uint64_t tls)
{
    unsigned word = (unsigned)flags;
    struct clone_args args = {word & ~CSIGNAL, stack, parent_tid,
                              child_tid,       tls,   (int)(word & CSIGNAL)};
    if (args.flags & ~(uint64_t)CLONE_SUPPORTED)
        return -EINVAL;
    if (args.exit_signal > NSIG)
        args.exit_signal = 0; /* not a signal: none is sent */
    if ((args.flags & CLONE_SIGHAND) && !(args.flags & CLONE_VM))
        return -EINVAL;
    return process_clone(&args);
}

long sys_fork(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    return process_clone(&args);
}

long sys_vfork(void)
{
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
    return process_clone(&args);
}
