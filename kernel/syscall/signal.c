/* Signals and the timer that sends one. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/syscall.h"

#define MINSIGSTKSZ 2048

static bool may_signal(const struct task *target)
{
    const struct ids *own = &current_task->cred.user, *other = &target->cred.user;
    return own->effective == 0 || own->effective == other->saved || own->effective == other->real ||
           own->real == other->saved || own->real == other->real;
}

static struct signal_info info_of_sender(int code)
{
    return (struct signal_info){
        .code = code, .pid = current_task->pid, .uid = current_task->cred.user.real};
}

static bool kill_matches(const struct task *task, int pid)
{
    if (pid > 0)
        return task->pid == pid;
    if (pid == -1)
        return task->pid > 1 && task != current_task;
    return task->pgid == (pid == 0 ? current_task->pgid : -pid);
}

SYSCALL(kill)
{
    int pid = (int)a, signal = (int)b;
    long result = -ESRCH;
    struct signal_info info = info_of_sender(SI_USER);
    if (signal < 0 || signal > NSIG)
        return -EINVAL;
    LIST_FOR_EACH (task, &task_list, struct task, all) {
        if (!kill_matches(task, pid))
            continue;
        if (!may_signal(task)) {
            result = result == 0 ? 0 : -EPERM;
            continue;
        }
        if (signal > 0)
            signal_send(task, signal, &info);
        result = 0;
    }
    return result;
}

static long kill_one(int tgid, int tid, int signal)
{
    struct task *task = task_find(tid);
    struct signal_info info = info_of_sender(SI_TKILL);
    if (tid <= 0 || signal < 0 || signal > NSIG)
        return -EINVAL;
    if (!task || (tgid > 0 && tgid != task->pid))
        return -ESRCH;
    if (!may_signal(task))
        return -EPERM;
    if (signal > 0)
        signal_send(task, signal, &info);
    return 0;
}

SYSCALL(tkill)
{
    return kill_one(0, (int)a, (int)b);
}

SYSCALL(tgkill)
{
    return (int)a <= 0 ? -EINVAL : kill_one((int)a, (int)b, (int)c);
}

SYSCALL(rt_sigaction)
{
    struct signals *s = &current_task->signals;
    struct sigaction wanted, old;
    int signal = (int)a;
    if (d != sizeof(uint64_t) || signal < 1 || signal > NSIG)
        return -EINVAL;
    if (b && (signal == SIGKILL || signal == SIGSTOP))
        return -EINVAL;
    if (b && copy_from_user(&wanted, user_ptr(b), sizeof(wanted)) != 0)
        return -EFAULT;
    old = s->actions[signal - 1];
    if (c && copy_to_user(user_ptr(c), &old, sizeof(old)) != 0)
        return -EFAULT;
    if (b) {
        wanted.mask &= ~SIGNALS_UNBLOCKABLE;
        s->actions[signal - 1] = wanted;
    }
    return 0;
}

SYSCALL(rt_sigprocmask)
{
    struct signals *s = &current_task->signals;
    uint64_t set = 0, old = s->blocked;
    if (d != sizeof(set))
        return -EINVAL;
    if (b && copy_from_user(&set, user_ptr(b), sizeof(set)) != 0)
        return -EFAULT;
    if (b && a > 2)
        return -EINVAL;
    if (c && copy_to_user(user_ptr(c), &old, sizeof(old)) != 0)
        return -EFAULT;
    if (b)
        s->blocked = (a == 0 ? old | set : a == 1 ? old & ~set : set) & ~SIGNALS_UNBLOCKABLE;
    return 0;
}

SYSCALL(rt_sigpending)
{
    uint64_t set = current_task->signals.pending & current_task->signals.blocked;
    if (b > sizeof(set))
        return -EINVAL;
    return copy_to_user(user_ptr(a), &set, b);
}

SYSCALL(rt_sigreturn)
{
    return signal_return(task_frame(current_task));
}

static long wait_for_signal(void)
{
    struct wait_queue queue;
    wait_queue_init(&queue);
    while (!signals_pending(&current_task->signals))
        sched_sleep(&queue, UINT64_MAX);
    return -EINTR;
}

SYSCALL(pause)
{
    return wait_for_signal();
}

SYSCALL(rt_sigsuspend)
{
    struct signals *s = &current_task->signals;
    uint64_t set;
    if (b != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, user_ptr(a), sizeof(set)) != 0)
        return -EFAULT;
    s->saved_blocked = s->blocked;
    s->restore_blocked = true;
    s->blocked = set & ~SIGNALS_UNBLOCKABLE;
    return wait_for_signal();
}

SYSCALL(rt_sigtimedwait)
{
    struct signals *s = &current_task->signals;
    struct wait_queue queue;
    struct timespec time;
    uint64_t set, deadline = UINT64_MAX;
    if (d != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, user_ptr(a), sizeof(set)) != 0)
        return -EFAULT;
    int error = c ? timespec_from_user(c, &time) : 0;
    if (error)
        return error;
    if (c)
        deadline = timer_monotonic_ns() + timespec_ns(&time);
    wait_queue_init(&queue);
    uint64_t blocked = s->blocked;
    while (!(s->pending & set) && error != -EINTR && timer_monotonic_ns() < deadline) {
        s->blocked = blocked & ~set; /* so that one of them ends the sleep */
        error = sched_sleep(&queue, deadline);
        s->blocked = blocked;
    }
    if (!(s->pending & set))
        return error == -EINTR ? -EINTR : -EAGAIN;
    int signal = __builtin_ctzll(s->pending & set) + 1;
    uint32_t info[32] = {(uint32_t)signal};
    if (signal < SIGNAL_INFOS) {
        info[2] = (uint32_t)s->info[signal].code;
        info[4] = (uint32_t)s->info[signal].pid;
        info[5] = s->info[signal].uid;
        info[6] = (uint32_t)s->info[signal].status;
    }
    if (b && copy_to_user(user_ptr(b), info, sizeof(info)) != 0)
        return -EFAULT;
    s->pending &= ~(1ull << (signal - 1));
    return signal;
}

SYSCALL(sigaltstack)
{
    struct signals *s = &current_task->signals;
    uint64_t rsp = task_frame(current_task)->rsp;
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

static struct itimerval alarm_left(const struct signals *s)
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

static void set_alarm(struct signals *s, uint64_t value_ns, uint64_t interval_ns)
{
    s->alarm_at = value_ns ? timer_monotonic_ns() + value_ns : 0;
    s->alarm_interval = interval_ns;
}

SYSCALL(getitimer)
{
    struct itimerval now = alarm_left(&current_task->signals);
    return a > 2 ? -EINVAL : a > 0 ? -ENOSYS : copy_to_user(user_ptr(b), &now, sizeof(now));
}

SYSCALL(setitimer)
{
    struct signals *s = &current_task->signals;
    struct itimerval wanted = {{0, 0}, {0, 0}}, old = alarm_left(s);
    if (a > 0)
        return a > 2 ? -EINVAL : -ENOSYS;
    if (b && copy_from_user(&wanted, user_ptr(b), sizeof(wanted)) != 0)
        return -EFAULT;
    if (!timeval_is_valid(wanted.interval) || !timeval_is_valid(wanted.value))
        return -EINVAL;
    if (c && copy_to_user(user_ptr(c), &old, sizeof(old)) != 0)
        return -EFAULT;
    set_alarm(s, timeval_ns(wanted.value), timeval_ns(wanted.interval));
    return 0;
}

SYSCALL(alarm)
{
    struct signals *s = &current_task->signals;
    struct itimerval old = alarm_left(s);
    set_alarm(s, (uint32_t)a * NS_PER_SECOND, 0);
    return old.value[0] + (old.value[1] > 0 ? 1 : 0);
}
