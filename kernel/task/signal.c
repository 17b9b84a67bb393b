#include "task/signal.h"

#include "dev/timer.h"
#include "lib/string.h"
#include "task/sched.h"
#include "task/task.h"

#define BIT_OF(signal)     (1ull << ((signal) - 1))
#define IGNORED_BY_DEFAULT (BIT_OF(SIGCHLD) | BIT_OF(SIGCONT) | BIT_OF(SIGURG) | BIT_OF(SIGWINCH))

static bool is_ignored(const struct task *task, int signal)
{
    uint64_t handler = task->signals.actions[signal - 1].handler;
    if (task->pid == 1 && handler == SIG_DFL)
        return true; /* init gets only what it asked for */
    return handler == SIG_IGN || (handler == SIG_DFL && (IGNORED_BY_DEFAULT & BIT_OF(signal)));
}

static void make_pending(struct task *task, int signal, const struct signal_info *info)
{
    static const struct signal_info from_kernel = {.code = SI_KERNEL};
    task->signals.pending |= BIT_OF(signal);
    if (signal < SIGNAL_INFOS)
        task->signals.info[signal] = info ? *info : from_kernel;
}

void signal_send(struct task *task, int signal, const struct signal_info *info)
{
    bool blocked = task->signals.blocked & BIT_OF(signal);
    if (task->state == TASK_ZOMBIE || (is_ignored(task, signal) && !blocked))
        return;
    make_pending(task, signal, info);
    if (signals_pending(&task->signals) && !task->vfork_waiting)
        sched_wake(task);
}

bool signal_force(struct task *task, int signal, const struct signal_info *info)
{
    struct signals *s = &task->signals;
    struct sigaction *action = &s->actions[signal - 1];
    if (action->handler == SIG_IGN || (s->blocked & BIT_OF(signal)))
        *action = (struct sigaction){0};
    s->blocked &= ~BIT_OF(signal);
    make_pending(task, signal, info);
    return action->handler != SIG_DFL;
}

void signal_reset(struct signals *signals)
{
    for (int i = 0; i < NSIG; i++)
        if (signals->actions[i].handler != SIG_IGN)
            signals->actions[i] = (struct sigaction){0};
    signals->altstack = signals->altstack_size = 0;
}

void signal_check_alarms(void)
{
    uint64_t now = 0;
    LIST_FOR_EACH (task, &task_list, struct task, all) {
        struct signals *s = &task->signals;
        if (s->alarm_at == 0)
            continue;
        now = now ? now : timer_monotonic_ns();
        if (now < s->alarm_at)
            continue;
        s->alarm_at = s->alarm_interval ? now + s->alarm_interval : 0;
        signal_send(task, SIGALRM, NULL);
    }
}

const char *signal_name(int signal)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
        [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
        [SIGKILL] = "SIGKILL", [SIGSEGV] = "SIGSEGV", [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM",
        [SIGTERM] = "SIGTERM", [SIGXCPU] = "SIGXCPU",
    };
    const char *name = NULL;
    if (signal > 0 && (size_t)signal < sizeof(names) / sizeof(names[0]))
        name = names[signal];
    return name ? name : "signal";
}
