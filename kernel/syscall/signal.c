/* Signals: actions, masks, waiting, sending. */
#include <limits.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/variable.h"
#include "mm/usercopy.h"
#include "proc/before_user.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "task/process.h"
#include "task/rights.h"

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

/* struct sigaction of rt_sigaction(2) */
struct user_sigaction {
    uint64_t handler, flags, restorer, mask;
};

/* Sets an action. If it ignores the signal, the signal is not pending any more. */
static void set_action(int signal, const struct user_sigaction *wanted)
{
    struct sigaction *action = sighand_entry(current_process->sighand, signal);
    action->handler = wanted->handler;
    action->flags = (uint32_t)wanted->flags & SA_KNOWN; /* as Linux since 5.11 */
    action->restorer = wanted->restorer;
    action->mask = wanted->mask & ~SIGNALS_UNBLOCKABLE;
    if (wanted->handler > SIG_IGN || !signal_is_ignored(current_process, signal))
        return;
    pending_signals_clear(&current_process->pending, SIGNAL_BIT(signal));
    pending_signals_clear(&current_thread->signals.pending, SIGNAL_BIT(signal));
}

static struct user_sigaction user_action(const struct sigaction *action)
{
    return (struct user_sigaction){action->handler, action->flags, action->restorer, action->mask};
}

long sys_rt_sigaction(int signum, user_t act, user_t oldact, size_t sigsetsize)
{
    UNINITIALIZED struct user_sigaction wanted; /* copy_from_user(), or it is not used */
    UNINITIALIZED struct user_sigaction old;    /* an assignment; it has no padding */
    bool set = !user_is_null(act);
    if (sigsetsize != sizeof(uint64_t))
        return -EINVAL;
    if (set && copy_from_user(&wanted, act, sizeof(wanted)) != 0)
        return -EFAULT;
    if (signum < 1 || signum > NSIG || (set && (signum == SIGKILL || signum == SIGSTOP)))
        return -EINVAL;
    if (!user_is_null(oldact))
        old = user_action(sighand_action(current_process->sighand, signum));
    if (set)
        set_action(signum, &wanted);
    return user_is_null(oldact) ? 0 : copy_to_user(oldact, &old, sizeof(old));
}

static int change_mask(int how, uint64_t set)
{
    uint64_t old = current_thread->signals.blocked;
    switch (how) {
    case SIG_BLOCK:
        signal_set_blocked(old | set);
        return 0;
    case SIG_UNBLOCK:
        signal_set_blocked(old & ~set);
        return 0;
    case SIG_SETMASK:
        signal_set_blocked(set);
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_rt_sigprocmask(int how, user_t set, user_t oldset, size_t sigsetsize)
{
    uint64_t wanted, old = current_thread->signals.blocked;
    int error = 0;
    if (sigsetsize != sizeof(wanted))
        return -EINVAL;
    if (!user_is_null(set)) {
        error = copy_from_user(&wanted, set, sizeof(wanted));
        if (!error)
            error = change_mask(how, wanted);
    }
    return error || user_is_null(oldset) ? error : copy_to_user(oldset, &old, sizeof(old));
}

long sys_rt_sigpending(user_t set, size_t sigsetsize)
{
    uint64_t pending = signal_pending_set(current_thread) & current_thread->signals.blocked;
    if (sigsetsize > sizeof(pending))
        return -EINVAL;
    return copy_to_user(set, &pending, sigsetsize);
}

long sys_rt_sigreturn(void)
{
    return signal_return(thread_frame(current_thread));
}

/* Goes on waiting if no handler runs, since what came is ignored. */
static long wait_for_signal(void)
{
    struct wait_queue queue;
    wait_queue_init(&queue);
    while (!signal_is_pending(current_thread))
        sched_sleep(&queue, SLEEP_FOREVER);
    return -ERESTARTNOHAND;
}

long sys_pause(void)
{
    return wait_for_signal();
}

long sys_rt_sigsuspend(user_t mask, size_t sigsetsize)
{
    uint64_t set;
    if (sigsetsize != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, mask, sizeof(set)) != 0)
        return -EFAULT;
    signal_set_blocked_for_call(set);
    return wait_for_signal();
}

static int put_info(const struct signal_info *info, user_t user)
{
    struct user_siginfo out;
    siginfo_to_user(&out, info);
    return copy_to_user(user, &out, sizeof(out));
}

/* Sleeps until a signal of the set is pending. They end the sleep although they are blocked. */
static int wait_for_set(uint64_t set, uint64_t deadline)
{
    struct wait_queue queue;
    int error = 0;
    wait_queue_init(&queue);
    current_thread->signals.waited_for = set;
    while (!(signal_pending_set(current_thread) & set) && error != -EINTR &&
           timer_monotonic_ns() < deadline)
        error = sched_sleep(&queue, deadline);
    current_thread->signals.waited_for = 0;
    return error;
}

/* Signals whose default action writes a core file where there are such. */
#define SIGNALS_CORE                                                                               \
    (SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) |        \
     SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGXCPU) |         \
     SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS))

/* As on Linux, a signal that was not blocked before ends the process although it is waited for, unless it
 * would write a core file. */
static bool is_ended_by(uint64_t signals)
{
    for (signals &= ~SIGNALS_CORE; signals; signals &= signals - 1)
        if (signal_ends_process(current_thread, __builtin_ctzll(signals) + 1))
            return true;
    return false;
}

long sys_rt_sigtimedwait(user_t set, user_t info, user_t timeout, size_t sigsetsize)
{
    struct signal_info taken;
    uint64_t wanted, deadline;
    if (sigsetsize != sizeof(wanted))
        return -EINVAL;
    if (copy_from_user(&wanted, set, sizeof(wanted)) != 0)
        return -EFAULT;
    int error = deadline_from_user(timeout, &deadline);
    if (error)
        return error;
    wanted &= ~SIGNALS_UNBLOCKABLE;
    error = wait_for_set(wanted, deadline);
    if (is_ended_by(signal_pending_set(current_thread) & ~current_thread->signals.blocked))
        return -EINTR;
    int signal = signal_take(wanted, &taken);
    if (!signal)
        return error == -EINTR ? -EINTR : -EAGAIN;
    return !user_is_null(info) && put_info(&taken, info) != 0 ? -EFAULT : signal;
}

long sys_sigaltstack(user_t ss, user_t old_ss)
{
    uint64_t rsp = thread_frame(current_thread)->rsp;
    struct signal_stack wanted, old = signal_altstack(rsp);
    int error = 0;
    if (!user_is_null(ss)) {
        if (copy_from_user(&wanted, ss, sizeof(wanted)) != 0)
            return -EFAULT;
        error = signal_set_altstack(&wanted, rsp);
    }
    return error || user_is_null(old_ss) ? error : copy_to_user(old_ss, &old, sizeof(old));
}

/* Sending signals. */

static struct signal_info info_of_sender(int code)
{
    return (struct signal_info){
        .code = code, .pid = current_process->pid, .uid = current_process->cred.user.real};
}

static long kill_process(struct process *process, int signal, const struct signal_info *info)
{
    if (signal < 0 || signal > NSIG)
        return -EINVAL;
    if (process != current_process && !rights_to_signal(process, signal))
        return -EPERM;
    return signal > 0 ? signal_send(process, signal, info) : 0;
}

static bool kill_matches(const struct process *process, int pid)
{
    if (pid == -1)
        return process->pid > 1 && process != current_process;
    return process->pgid == (pid == 0 ? current_process->pgid : -pid);
}

/* To a group (pid 0: the caller's), or with -1 to all: then, as on Linux, one that may not be
 * signalled is not an error. */
static long kill_many(int pid, int signal, const struct signal_info *info)
{
    long result = -ESRCH;
    FOR_EACH_PROCESS (process) {
        if (!kill_matches(process, pid))
            continue;
        long sent = kill_process(process, signal, info);
        if (sent == -EINVAL)
            return sent;
        if (sent == 0 || pid == -1)
            result = 0;
        else if (result)
            result = sent;
    }
    return result;
}

long sys_kill(int pid, int sig)
{
    struct signal_info info = info_of_sender(SI_USER);
    if (pid <= 0)
        return pid == INT_MIN ? -ESRCH : kill_many(pid, sig, &info);
    LENDING();
    struct process *process = process_peek(pid);
    return process ? kill_process(process, sig, &info) : -ESRCH;
}

static long kill_one(int tgid, int tid, int signal, const struct signal_info *info)
{
    LENDING();
    struct process *process = process_peek(tid);
    if (tid <= 0)
        return -EINVAL;
    if (!process || (tgid > 0 && tgid != process->pid))
        return -ESRCH;
    if (signal < 0 || signal > NSIG)
        return -EINVAL;
    if (process != current_process && !rights_to_signal(process, signal))
        return -EPERM;
    struct thread *thread = process_main_thread(process);
    return signal > 0 && thread ? signal_send_thread(thread, signal, info) : 0;
}

long sys_tkill(int tid, int sig)
{
    const struct signal_info info = info_of_sender(SI_TKILL);
    return kill_one(0, tid, sig, &info);
}

long sys_tgkill(int tgid, int tid, int sig)
{
    const struct signal_info info = info_of_sender(SI_TKILL);
    return tgid <= 0 ? -EINVAL : kill_one(tgid, tid, sig, &info);
}

/* Linux knows what follows with SI_ASYNCNL, and with codes from SI_DETHREAD up to the last one of the signal.
 * With others, bytes after those that it keeps must be zero. */
#define SI_DETHREAD         (-7)
#define SI_ASYNCNL          (-60)
#define SI_CODES_MAX        6 /* of signals that have no codes of their own */
#define KERNEL_SIGINFO_SIZE 48

static bool is_known_code(int signal, int code)
{
    static const uint8_t codes_max[NSIG + 1] = {
        [SIGILL] = 11,  [SIGTRAP] = 6, [SIGBUS] = 5, [SIGFPE] = 15,
        [SIGSEGV] = 10, [SIGCHLD] = 6, [SIGSYS] = 2};
    if (code <= SI_USER)
        return code >= SI_DETHREAD || code == SI_ASYNCNL;
    int most =
        signal >= 1 && signal <= NSIG && codes_max[signal] ? codes_max[signal] : SI_CODES_MAX;
    return code <= most || code == SI_KERNEL;
}

static bool has_unknown_rest(const struct user_siginfo *info, int signal)
{
    const uint8_t *bytes = (const uint8_t *)info;
    if (is_known_code(signal, info->code))
        return false;
    for (size_t i = KERNEL_SIGINFO_SIZE; i < sizeof(*info); i++)
        if (bytes[i] != 0)
            return true;
    return false;
}

/* Reads what a program says of a signal. */
static long info_from_user(user_t uinfo, int signal, struct signal_info *out)
{
    struct user_siginfo info;
    if (copy_from_user(&info, uinfo, sizeof(info)) != 0)
        return -EFAULT;
    if (has_unknown_rest(&info, signal))
        return -E2BIG;
    siginfo_from_user(out, &info, signal);
    return 0;
}

/* Only to itself may a program say what the kernel or kill(2) would. */
static bool may_say(const struct signal_info *info, int pid)
{
    return (info->code < 0 && info->code != SI_TKILL) || pid == current_process->pid;
}

long sys_rt_sigqueueinfo(int tgid, int sig, user_t uinfo)
{
    struct signal_info info;
    long error = info_from_user(uinfo, sig, &info);
    if (error)
        return error;
    if (!may_say(&info, tgid))
        return -EPERM;
    LENDING();
    struct process *process = process_peek(tgid);
    return process ? kill_process(process, sig, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(int tgid, int tid, int sig, user_t uinfo)
{
    struct signal_info info;
    long error = info_from_user(uinfo, sig, &info);
    if (error)
        return error;
    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return may_say(&info, tid) ? kill_one(tgid, tid, sig, &info) : -EPERM;
}
