/* Processes: ids, groups and sessions, new ones, and what their threads ask for. */
#include "file/futex.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/signal.h"

#define ROBUST_LIST_SIZE 24 /* of struct robust_list_head */

long sys_getpid(void)
{
    return current_process->pid;
}

long sys_gettid(void)
{
    return current_process->pid;
}

long sys_getppid(void)
{
    return current_process->parent ? current_process->parent->pid : 0;
}

long sys_set_tid_address(user_t tidptr)
{
    current_thread->clear_child_tid = tidptr;
    return current_process->pid;
}

long sys_set_robust_list(user_t head, size_t size)
{
    if (size != ROBUST_LIST_SIZE)
        return -EINVAL;
    current_thread->robust_list = head;
    return 0;
}

long sys_sched_yield(void)
{
    sched_yield();
    return 0;
}

/* Process groups and sessions. */

/* Takes no reference. */
static struct process *process_or_self(int pid)
{
    return pid ? process_peek(pid) : current_process;
}

/* True if the session has this process group. */
static bool group_exists(int group, int session)
{
    FOR_EACH_PROCESS (process)
        if (process->pgid == group && process->sid == session)
            return true;
    return false;
}

long sys_setpgid(int pid, int pgid)
{
    LENDING();
    struct process *process = process_or_self(pid);
    int group = pgid ? pgid : pid;
    if (group < 0)
        return -EINVAL;
    if (!process || (process != current_process && process->parent != current_process))
        return -ESRCH;
    if (process->sid != current_process->sid || process->pid == process->sid)
        return -EPERM;
    if (process != current_process && process->exec_id != process->parent_exec_id)
        return -EACCES; /* the child runs another program already */
    group = group ? group : process->pid;
    if (group != process->pid && !group_exists(group, process->sid))
        return -EPERM;
    process_set_group(process, group, process->sid);
    return 0;
}

long sys_getpgid(int pid)
{
    LENDING();
    const struct process *process = process_or_self(pid);
    return process ? process->pgid : -ESRCH;
}

long sys_getpgrp(void)
{
    return current_process->pgid;
}

long sys_getsid(int pid)
{
    LENDING();
    const struct process *process = process_or_self(pid);
    return process ? process->sid : -ESRCH;
}

long sys_setsid(void)
{
    FOR_EACH_PROCESS (process)
        if (process->pgid == current_process->pid)
            return -EPERM;
    process_set_group(current_process, current_process->pid, current_process->pid);
    current_process->has_terminal = false;
    return current_process->pid;
}

/* fork(2), vfork(2) and clone(2). */

/* About tracers, System V semaphores and input-output contexts, of which there are none, and a flag
 * that has had no meaning since Linux 2.6.2. */
#define CLONE_IGNORED 0x80c42000u /* PTRACE, SYSVSEM, DETACHED, UNTRACED, IO */
#define CLONE_SUPPORTED                                                                            \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_SETTLS |              \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_IGNORED)
#define CSIGNAL 0xffu

static __attribute__((noinline)) long not_supported(uint64_t flags)
{
    static bool is_said;
    if (flags & CLONE_THREAD)
        say_absent(&is_said, "there are no threads here: EINVAL");
    return -EINVAL;
}

/* flags: the lower 32 bits count; their lowest byte is the signal at the child's end, the rest are
 * CLONE_*. */
long sys_clone(uint64_t flags, uint64_t stack, user_t parent_tid, user_t child_tid, uint64_t tls)
{
    unsigned word = (unsigned)flags;
    struct clone_args args = {word & ~CSIGNAL, stack, parent_tid,
                              child_tid,       tls,   (int)(word & CSIGNAL)};
    if (args.flags & ~(uint64_t)CLONE_SUPPORTED)
        return not_supported(args.flags);
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

/* futex(2). */

#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_REQUEUE        3
#define FUTEX_CMP_REQUEUE    4
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_PRIVATE        128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_COMMAND        0x7f

/* Stores when a wait ends. That of FUTEX_WAIT_BITSET is absolute. The time of day that is meant is not
 * computed again when the clock is set. */
static int futex_deadline(int command, bool is_realtime, user_t timeout, uint64_t *deadline)
{
    struct timespec time;
    if (command == FUTEX_WAIT || user_is_null(timeout))
        return deadline_from_user(timeout, deadline);
    int error = timespec_from_user(timeout, &time);
    if (error)
        return error;
    uint64_t at = timespec_ns(&time), now = (uint64_t)timer_realtime_ns();
    if (is_realtime)
        at = timer_monotonic_ns() + (at > now ? at - now : 0);
    *deadline = at;
    return 0;
}

/* FUTEX_WAIT and FUTEX_WAIT_BITSET; out of line, so that those who wake need no stack for it. */
static __attribute__((noinline)) long wait_for_futex(user_t word, int op, unsigned value,
                                                     user_t timeout, unsigned bits)
{
    uint64_t deadline;
    int command = op & FUTEX_COMMAND;
    bool is_realtime = op & FUTEX_CLOCK_REALTIME;
    int error = futex_deadline(command, is_realtime, timeout, &deadline);
    if (error)
        return error;
    if (is_realtime && command == FUTEX_WAIT)
        return -ENOSYS;
    error = futex_wait(word, op & FUTEX_PRIVATE, value,
                       command == FUTEX_WAIT ? FUTEX_ALL_BITS : bits, deadline);
    return error == -EINTR && deadline == SLEEP_FOREVER ? -ERESTARTSYS : error;
}

/* timeout: a second number for FUTEX_REQUEUE and FUTEX_CMP_REQUEUE. */
long sys_futex(user_t uaddr, int op, unsigned val, uint64_t timeout, user_t uaddr2, unsigned val3)
{
    bool is_private = op & FUTEX_PRIVATE;
    switch (op & ~FUTEX_PRIVATE) {
    case FUTEX_WAKE:
        return futex_wake(uaddr, is_private, (int)val, FUTEX_ALL_BITS);
    case FUTEX_WAKE_BITSET:
        return futex_wake(uaddr, is_private, (int)val, val3);
    case FUTEX_WAIT:
    case FUTEX_WAIT | FUTEX_CLOCK_REALTIME:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME:
        return wait_for_futex(uaddr, op, val, user_ptr(timeout), val3);
    case FUTEX_REQUEUE:
        return futex_requeue(uaddr, uaddr2, is_private, (int)val, (int)timeout, FUTEX_ANY_VALUE);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(uaddr, uaddr2, is_private, (int)val, (int)timeout, val3);
    default:
        return -ENOSYS;
    }
}

/* membarrier(2). On one processor a switch of threads orders all accesses, and each return to a program
 * serializes its instructions: there is nothing to do. */

#define QUERY                           0
#define GLOBAL                          0x01
#define GLOBAL_EXPEDITED                0x02
#define REGISTER_GLOBAL_EXPEDITED       0x04
#define PRIVATE_EXPEDITED               0x08
#define REGISTER_PRIVATE_EXPEDITED      0x10
#define PRIVATE_EXPEDITED_CORE          0x20
#define REGISTER_PRIVATE_EXPEDITED_CORE 0x40
#define ALL                             0x7f

/* cpu: of a flag that does not exist here. */
long sys_membarrier(int cmd, unsigned flags, int cpu)
{
    struct aspace *as = current_process->aspace;
    (void)cpu;
    if (flags != 0)
        return -EINVAL;
    switch (cmd) {
    case QUERY:
        return ALL;
    case GLOBAL:
    case GLOBAL_EXPEDITED:
        return 0;
    case REGISTER_GLOBAL_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED_CORE:
        as->barriers |= (uint8_t)cmd;
        return 0;
    case PRIVATE_EXPEDITED:
    case PRIVATE_EXPEDITED_CORE:
        return as->barriers & cmd << 1 ? 0 : -EPERM;
    default:
        return -EINVAL;
    }
}
