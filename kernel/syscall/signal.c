/* Signals and the timer that sends one. */
#include <limits.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/before_user.h"
#include "syscall/syscall.h"

#define MINSIGSTKSZ 2048

static bool may_signal(const struct process *target, int signal)
{
    const struct ids *own = &current_process->cred.user, *other = &target->cred.user;
    if (target == current_process || (signal == SIGCONT && target->sid == current_process->sid))
        return true;
    return own->effective == 0 || own->effective == other->saved || own->effective == other->real ||
           own->real == other->saved || own->real == other->real;
}

static struct signal_info info_of_sender(int code)
{
    return (struct signal_info){
        .code = code, .pid = current_process->pid, .uid = current_process->cred.user.real};
}

static long kill_process(struct process *process, int signal, const struct signal_info *info)
{
    if (signal < 0 || signal > NSIG)
        return -EINVAL;
    if (!may_signal(process, signal))
        return -EPERM;
    if (signal > 0)
        (void)signal_send(process, signal, info);
    return 0;
}

static bool kill_matches(const struct process *process, int pid)
{
    if (pid == -1)
        return process->pid > 1 && process != current_process;
    return process->pgid == (pid == 0 ? current_process->pgid : -pid);
}

/* To a group (pid 0: the own one), or with -1 to all: then, as on Linux, one that is not allowed is no
 * error. */
static long kill_many(int pid, int signal, const struct signal_info *info)
{
    long result = -ESRCH;
    LIST_FOR_EACH (process, &process_list, struct process, all) {
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

SYSCALL(kill)
{
    int pid = (int)a, signal = (int)b;
    struct signal_info info = info_of_sender(SI_USER);
    if (pid <= 0)
        return pid == INT_MIN ? -ESRCH : kill_many(pid, signal, &info);
    struct process *process = process_peek(pid);
    return process ? kill_process(process, signal, &info) : -ESRCH;
}

static long kill_one(int tgid, int tid, int signal)
{
    struct process *process = process_peek(tid);
    struct signal_info info = info_of_sender(SI_TKILL);
    if (tid <= 0 || signal < 0 || signal > NSIG)
        return -EINVAL;
    if (!process || (tgid > 0 && tgid != process->pid))
        return -ESRCH;
    if (!may_signal(process, signal))
        return -EPERM;
    struct thread *thread = process_main_thread(process);
    return signal > 0 && thread ? signal_send_thread(thread, signal, &info) : 0;
}

SYSCALL(tkill)
{
    return kill_one(0, (int)a, (int)b);
}

SYSCALL(tgkill)
{
    return (int)a <= 0 ? -EINVAL : kill_one((int)a, (int)b, (int)c);
}

/* struct sigaction of rt_sigaction(2) */
struct user_sigaction {
    uint64_t handler, flags, restorer, mask;
};

/* A signal that is ignored from now on is not pending any more. */
static void set_action(int signal, const struct user_sigaction *wanted)
{
    struct sigaction *action = &current_process->sighand->actions[signal - 1];
    action->handler = wanted->handler;
    action->flags = (uint32_t)wanted->flags;
    action->restorer = wanted->restorer;
    action->mask = wanted->mask & ~SIGNALS_UNBLOCKABLE;
    if (wanted->handler > SIG_IGN || !signal_is_ignored(current_process, signal))
        return;
    pending_signals_clear(&current_process->pending, SIGNAL_BIT(signal));
    pending_signals_clear(&current_thread->signals.pending, SIGNAL_BIT(signal));
}

SYSCALL(rt_sigaction)
{
    struct user_sigaction wanted, old;
    int signal = (int)a;
    if (d != sizeof(uint64_t))
        return -EINVAL;
    if (b && copy_from_user(&wanted, user_ptr(b), sizeof(wanted)) != 0)
        return -EFAULT;
    if (signal < 1 || signal > NSIG || (b && (signal == SIGKILL || signal == SIGSTOP)))
        return -EINVAL;
    const struct sigaction *action = &current_process->sighand->actions[signal - 1];
    old = (struct user_sigaction){action->handler, action->flags, action->restorer, action->mask};
    if (b)
        set_action(signal, &wanted);
    return c ? copy_to_user(user_ptr(c), &old, sizeof(old)) : 0;
}

SYSCALL(rt_sigprocmask)
{
    struct thread_signals *s = &current_thread->signals;
    uint64_t set = 0, old = s->blocked;
    if (d != sizeof(set))
        return -EINVAL;
    if (b && copy_from_user(&set, user_ptr(b), sizeof(set)) != 0)
        return -EFAULT;
    if (b && (uint32_t)a > 2)
        return -EINVAL;
    if (c && copy_to_user(user_ptr(c), &old, sizeof(old)) != 0)
        return -EFAULT;
    if (b)
        signal_set_blocked((uint32_t)a == 0 ? old | set : (uint32_t)a == 1 ? old & ~set : set);
    return 0;
}

SYSCALL(rt_sigpending)
{
    uint64_t set = signal_pending_set(current_thread) & current_thread->signals.blocked;
    if (b > sizeof(set))
        return -EINVAL;
    return copy_to_user(user_ptr(a), &set, b);
}

SYSCALL(rt_sigreturn)
{
    return signal_return(thread_frame(current_thread));
}

static long wait_for_signal(void)
{
    struct wait_queue queue;
    wait_queue_init(&queue);
    while (!signal_is_pending(current_thread))
        sched_sleep(&queue, SLEEP_FOREVER);
    return -EINTR;
}

SYSCALL(pause)
{
    return wait_for_signal();
}

SYSCALL(rt_sigsuspend)
{
    uint64_t set;
    if (b != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, user_ptr(a), sizeof(set)) != 0)
        return -EFAULT;
    signal_set_blocked_for_call(set);
    return wait_for_signal();
}

/* siginfo_t as far as a sender is told */
struct sender_info {
    int32_t signal, error, code, pad, pid;
    uint32_t uid;
    int32_t status;
    uint8_t rest[100];
};
_Static_assert(sizeof(struct sender_info) == 128, "siginfo_t");

static int put_info(const struct signal_info *info, user_t user)
{
    struct sender_info out = {.signal = info->signal,
                              .code = info->code,
                              .pid = info->pid,
                              .uid = info->uid,
                              .status = info->status};
    return copy_to_user(user, &out, sizeof(out));
}

/* Sleeps until one of the set is pending: those are blocked, yet they end the sleep. */
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

SYSCALL(rt_sigtimedwait)
{
    struct timespec time;
    struct signal_info info;
    uint64_t set, deadline = SLEEP_FOREVER;
    if (d != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, user_ptr(a), sizeof(set)) != 0)
        return -EFAULT;
    int error = c ? timespec_from_user(c, &time) : 0;
    if (error)
        return error;
    if (c)
        deadline = timer_monotonic_ns() + timespec_ns(&time);
    set &= ~SIGNALS_UNBLOCKABLE;
    error = wait_for_set(set, deadline);
    int signal = signal_take(set, &info);
    if (!signal)
        return error == -EINTR ? -EINTR : -EAGAIN;
    return b && put_info(&info, user_ptr(b)) != 0 ? -EFAULT : signal;
}

SYSCALL(sigaltstack)
{
    struct thread_signals *s = &current_thread->signals;
    uint64_t rsp = thread_frame(current_thread)->rsp;
    struct {
        uint64_t start;
        int32_t flags, pad;
        uint64_t size;
    } wanted = {0}, old = {s->altstack, 0, 0, s->altstack_size};
    bool in_use = s->altstack_size > 0 && rsp - s->altstack - 1 < s->altstack_size;
    old.flags = s->altstack_size == 0 ? SS_DISABLE : in_use ? SS_ONSTACK : 0;
    if (a && copy_from_user(&wanted, user_ptr(a), sizeof(wanted)) != 0)
        return -EFAULT;
    if (a && in_use)
        return -EPERM;
    if (a && wanted.flags != 0 && wanted.flags != SS_DISABLE && wanted.flags != SS_ONSTACK)
        return -EINVAL;
    if (a && wanted.flags != SS_DISABLE && wanted.size < MINSIGSTKSZ)
        return -ENOMEM;
    if (b && copy_to_user(user_ptr(b), &old, sizeof(old)) != 0)
        return -EFAULT;
    if (a) {
        s->altstack = wanted.flags == SS_DISABLE ? 0 : wanted.start;
        s->altstack_size = wanted.flags == SS_DISABLE ? 0 : wanted.size;
    }
    return 0;
}

struct itimerval {
    int64_t interval[2], value[2]; /* seconds, microseconds */
};

static struct itimerval alarm_left(const struct process *s)
{
    uint64_t now = timer_monotonic_ns();
    uint64_t left = s->alarm_at > now ? s->alarm_at - now : s->alarm_at ? 1000 : 0;
    return (struct itimerval){
        {(int64_t)(s->alarm_interval / NS_PER_SECOND),
         (int64_t)(s->alarm_interval % NS_PER_SECOND / 1000)},
        {(int64_t)(left / NS_PER_SECOND), (int64_t)(left % NS_PER_SECOND / 1000)}};
}

static bool timeval_is_valid(const int64_t time[2])
{
    return time[0] >= 0 && time[0] < INT32_MAX && time[1] >= 0 && time[1] < 1000000;
}

static uint64_t timeval_ns(const int64_t time[2])
{
    return (uint64_t)time[0] * NS_PER_SECOND + (uint64_t)time[1] * 1000;
}

static void set_alarm(uint64_t value_ns, uint64_t interval_ns)
{
    process_set_alarm(value_ns ? timer_monotonic_ns() + value_ns : 0, interval_ns);
}

SYSCALL(getitimer)
{
    struct itimerval now = alarm_left(current_process);
    return a > 2 ? -EINVAL : a > 0 ? -ENOSYS : copy_to_user(user_ptr(b), &now, sizeof(now));
}

SYSCALL(setitimer)
{
    struct itimerval wanted = {{0, 0}, {0, 0}}, old = alarm_left(current_process);
    if (a > 0)
        return a > 2 ? -EINVAL : -ENOSYS;
    if (b && copy_from_user(&wanted, user_ptr(b), sizeof(wanted)) != 0)
        return -EFAULT;
    if (!timeval_is_valid(wanted.interval) || !timeval_is_valid(wanted.value))
        return -EINVAL;
    if (c && copy_to_user(user_ptr(c), &old, sizeof(old)) != 0)
        return -EFAULT;
    set_alarm(timeval_ns(wanted.value), timeval_ns(wanted.interval));
    return 0;
}

SYSCALL(alarm)
{
    struct itimerval old = alarm_left(current_process);
    set_alarm((uint32_t)a * NS_PER_SECOND, 0);
    return old.value[0] + (old.value[1] > 0 ? 1 : 0);
}
