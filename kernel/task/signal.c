#include "task/signal.h"

#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/process.h"

/* Signals that an instruction of the program causes. They are delivered before all others. */
#define SIGNALS_FAULTS                                                                             \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |         \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

struct queued_signal {
    struct list link;
    struct user
        *user; /* the user in whose count it is; the process may have changed its user since */
    struct signal_info info;
};

void pending_signals_init(struct pending_signals *pending, struct process *process)
{
    pending->set = 0;
    pending->record.signal = 0;
    pending->process = process;
    list_init(&pending->queue);
}

static void free_queued(struct queued_signal *queued)
{
    list_remove(&queued->link);
    queued->user->queued_signals--;
    slab_free(queued);
}

void pending_signals_drop(struct pending_signals *pending, uint64_t set)
{
    pending->set &= ~set;
    if (pending->record.signal && (set & SIGNAL_BIT(pending->record.signal)))
        pending->record.signal = 0;
    LIST_FOR_EACH (queued, &pending->queue, struct queued_signal, link)
        if (set & SIGNAL_BIT(queued->info.signal))
            free_queued(queued);
}

void pending_signals_drop_timers(struct pending_signals *pending)
{
    uint64_t dropped = 0, kept = 0;
    if (pending->record.signal && pending->record.code == SI_TIMER) {
        dropped = SIGNAL_BIT(pending->record.signal);
        pending->record.signal = 0;
    }
    LIST_FOR_EACH (queued, &pending->queue, struct queued_signal, link) {
        if (queued->info.code == SI_TIMER) {
            dropped |= SIGNAL_BIT(queued->info.signal);
            free_queued(queued);
        } else {
            kept |= SIGNAL_BIT(queued->info.signal);
        }
    }
    pending->set &= ~(dropped & ~kept);
}

const struct sigaction sigaction_default;

/* Leaves what the table keeps in its entries. */
static void set_default(struct sigaction *action)
{
    action->handler = SIG_DFL;
    action->restorer = action->mask = 0;
    action->flags = 0;
}

void sighand_extend(struct sighand *sighand, int signal)
{
    uint32_t *used = sighand_used(sighand);
    while (*used < (uint32_t)signal)
        set_default(&sighand->actions[(*used)++]);
}

struct sighand *sighand_create(void)
{
    struct sighand *sighand = slab_alloc(sizeof(*sighand));
    if (sighand) {
        *sighand_refs(sighand) = REF_ONE;
        *sighand_used(sighand) = 0;
    }
    return sighand;
}

struct sighand *sighand_copy(struct sighand *from)
{
    struct sighand *sighand = slab_alloc(sizeof(*sighand));
    if (sighand) {
        memcpy(sighand, from, *sighand_used(from) * sizeof(sighand->actions[0]));
        *sighand_refs(sighand) = REF_ONE;
        *sighand_used(sighand) = *sighand_used(from);
    }
    return sighand;
}

void sighand_put(struct sighand *sighand)
{
    if (sighand && ref_put(sighand_refs(sighand)))
        slab_free(sighand);
}

void sighand_reset(struct sighand *sighand)
{
    uint32_t ignored = 0, used = *sighand_used(sighand);
    for (uint32_t i = 0; i < used; i++) {
        bool is_ignored = sighand->actions[i].handler == SIG_IGN;
        set_default(&sighand->actions[i]);
        if (is_ignored) {
            sighand->actions[i].handler = SIG_IGN;
            ignored = i + 1;
        }
    }
    *sighand_used(sighand) = ignored;
}

static bool is_protected(const struct process *process)
{
    return process->pid == 1 && !cmdline_options.init_killable;
}

bool signal_is_ignored(const struct process *process, int signal)
{
    uint64_t handler = sighand_action(process->sighand, signal)->handler;
    if (is_protected(process) && handler == SIG_DFL)
        return true; /* init gets only signals for which it has a handler */
    return handler == SIG_IGN || (handler == SIG_DFL && (SIGNALS_IGNORED & SIGNAL_BIT(signal)));
}

bool signal_check_pending(const struct thread *thread)
{
    return signal_pending_set(thread) & (~thread->signals.blocked | thread->signals.waited_for);
}

bool signal_ends_process(const struct thread *thread, int signal)
{
    const struct sigaction *action = sighand_action(thread->process->sighand, signal);
    return action->handler == SIG_DFL &&
           (!is_protected(thread->process) || (thread->work & WORK_FORCED)) &&
           !((SIGNALS_IGNORED | SIGNALS_STOPPING) & SIGNAL_BIT(signal));
}

bool signal_check_fatal(const struct thread *thread)
{
    uint64_t ready = signal_pending_set(thread) & ~thread->signals.blocked;
    for (; ready; ready &= ready - 1)
        if (signal_ends_process(thread, __builtin_ctzll(ready) + 1))
            return true;
    return false;
}

static void wake_for_signals(struct thread *thread)
{
    if (!signal_check_pending(thread))
        return;
    thread->work |= WORK_SIGNAL;
    if (!thread->killable_only || signal_is_fatal(thread))
        sched_wake(thread);
}

/* A record for the information of a signal; NULL if the limit is reached or memory is short. */
static struct signal_info *new_record(struct pending_signals *pending, bool is_standard)
{
    struct process *process = pending->process;
    if (is_standard && pending->record.signal == 0)
        return &pending->record;
    if (process->user->queued_signals >= process->limits[RLIMIT_SIGPENDING].soft)
        return NULL;
    struct queued_signal *queued = slab_alloc(sizeof(*queued));
    if (!queued)
        return NULL;
    queued->user = process->user;
    process->user->queued_signals++;
    list_append(&pending->queue, &queued->link);
    return &queued->info;
}

/* A standard signal is pending once, with the information of the first. Without memory for the
 * record it is still pending, and so is a real-time signal of kill(2). */
static inline int make_pending(struct pending_signals *pending, int signal,
                               const struct signal_info *info)
{
    bool is_standard = signal < SIGRTMIN;
    if (is_standard && (pending->set & SIGNAL_BIT(signal)))
        return 0;
    struct signal_info *record = new_record(pending, is_standard);
    if (record) {
        *record = info ? *info : (struct signal_info){.code = SI_KERNEL};
        record->signal = signal;
    } else if (!is_standard && info && info->code != SI_USER) {
        return -EAGAIN;
    }
    pending->set |= SIGNAL_BIT(signal);
    return 0;
}

#define SIGNALS_JOB_CONTROL (SIGNALS_STOPPING | SIGNAL_BIT(SIGCONT))

/* A stop signal cancels SIGCONT, and the other way round, whatever happens to the new one. Nothing stops here: a
 * stop signal that Linux would obey is lost, and true is returned. It must not end a sleep, since on Linux the
 * sleep goes on after SIGCONT. */
static __attribute__((noinline)) bool job_control_is_lost(struct thread *thread, int signal)
{
    struct process *process = thread->process;
    uint64_t bit = SIGNAL_BIT(signal);
    uint64_t opposites = signal == SIGCONT ? SIGNALS_STOPPING : SIGNAL_BIT(SIGCONT);
    pending_signals_clear(&process->pending, opposites);
    LIST_FOR_EACH (sibling, &process->threads, struct thread, siblings)
        pending_signals_clear(&sibling->signals.pending, opposites);
    return (SIGNALS_STOPPING & bit & ~(thread->signals.waited_for | thread->signals.blocked)) &&
           sighand_action(process->sighand, signal)->handler == SIG_DFL;
}

static int send(struct thread *thread, struct pending_signals *pending, int signal,
                const struct signal_info *info)
{
    struct process *process = thread->process;
    if (process->state != PROCESS_LIVE || thread->state == THREAD_ENDED)
        return 0;
    if ((SIGNALS_JOB_CONTROL & SIGNAL_BIT(signal)) && job_control_is_lost(thread, signal))
        return 0;
    bool blocked = thread->signals.blocked & SIGNAL_BIT(signal);
    if (!blocked && signal_is_ignored(process, signal))
        return 0;
    int error = make_pending(pending, signal, info);
    if (!error)
        wake_for_signals(thread);
    return error;
}

int signal_send(struct process *process, int signal, const struct signal_info *info)
{
    struct thread *thread = process_main_thread(process);
    return thread ? send(thread, &process->pending, signal, info) : 0;
}

int signal_send_thread(struct thread *thread, int signal, const struct signal_info *info)
{
    return send(thread, &thread->signals.pending, signal, info);
}

void signal_send_self(int signal)
{
    const struct signal_info info = {.signal = signal,
                                     .code = SI_USER,
                                     .pid = current_process->pid,
                                     .uid = current_process->cred.user.real};
    (void)signal_send_thread(current_thread, signal, &info);
}

bool signal_force(int signal, const struct signal_info *info)
{
    struct thread_signals *s = &current_thread->signals;
    uint64_t handler = sighand_action(current_process->sighand, signal)->handler;
    if (handler == SIG_IGN || (s->blocked & SIGNAL_BIT(signal)))
        sighand_entry(current_process->sighand, signal)->handler = handler = SIG_DFL;
    s->blocked &= ~SIGNAL_BIT(signal);
    pending_signals_clear(&s->pending, SIGNAL_BIT(signal));
    (void)make_pending(&s->pending, signal, info);
    current_thread->work |= WORK_SIGNAL | (handler == SIG_DFL ? WORK_FORCED : 0);
    return handler != SIG_DFL;
}

bool signal_on_altstack(uint64_t rsp)
{
    const struct signal_stack *stack = &current_thread->signals.altstack;
    return stack->size > 0 && rsp - stack->start - 1 < stack->size;
}

/* A handler on a stack with SS_AUTODISARM has left it as far as the calls are concerned. */
static bool altstack_is_in_use(uint64_t rsp)
{
    return !(current_thread->signals.altstack.flags & SS_AUTODISARM) && signal_on_altstack(rsp);
}

struct signal_stack signal_altstack(uint64_t rsp)
{
    struct signal_stack stack = current_thread->signals.altstack;
    uint32_t mode = stack.size == 0 ? SS_DISABLE : altstack_is_in_use(rsp) ? SS_ONSTACK : 0;
    stack.flags = mode | (stack.flags & SS_AUTODISARM);
    return stack;
}

int signal_set_altstack(const struct signal_stack *wanted, uint64_t rsp)
{
    uint32_t mode = wanted->flags & ~SS_AUTODISARM;
    if (altstack_is_in_use(rsp))
        return -EPERM;
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
        return -EINVAL;
    if (mode != SS_DISABLE && wanted->size < MINSIGSTKSZ)
        return -ENOMEM;
    struct signal_stack *stack = &current_thread->signals.altstack;
    *stack = (struct signal_stack){.flags = wanted->flags};
    if (mode != SS_DISABLE) {
        stack->start = wanted->start;
        stack->size = wanted->size;
    }
    return 0;
}

/* Takes the first record of a signal out of the queue; the signal stays pending if there is
 * another. */
static void take_queued(struct pending_signals *pending, int signal, struct signal_info *info)
{
    struct queued_signal *first = NULL;
    *info = (struct signal_info){.signal = signal};
    LIST_FOR_EACH (queued, &pending->queue, struct queued_signal, link) {
        if (queued->info.signal != signal)
            continue;
        if (first) {
            pending->set |= SIGNAL_BIT(signal);
            break;
        }
        first = queued;
    }
    if (first) {
        *info = first->info;
        free_queued(first);
    }
}

static void take(struct pending_signals *pending, int signal, struct signal_info *info)
{
    pending->set &= ~SIGNAL_BIT(signal);
    if (pending->record.signal == signal) {
        *info = pending->record;
        pending->record.signal = 0;
    } else {
        take_queued(pending, signal, info);
    }
}

int signal_take(uint64_t set, struct signal_info *info)
{
    struct pending_signals *pending = &current_thread->signals.pending;
    if (!(pending->set & set))
        pending = &current_process->pending;
    uint64_t ready = pending->set & set;
    if (!ready)
        return 0;
    if (ready & SIGNALS_FAULTS)
        ready &= SIGNALS_FAULTS;
    int signal = __builtin_ctzll(ready) + 1;
    take(pending, signal, info);
    return signal;
}

void signal_set_blocked(uint64_t blocked)
{
    current_thread->signals.blocked = blocked & ~SIGNALS_UNBLOCKABLE;
    if (signal_check_pending(current_thread))
        current_thread->work |= WORK_SIGNAL;
}

void signal_set_blocked_for_call(uint64_t blocked)
{
    current_thread->signals.saved_blocked = current_thread->signals.blocked;
    current_thread->work |= WORK_RESTORE_MASK;
    signal_set_blocked(blocked);
}

void signal_restore_blocked(void)
{
    if (!(current_thread->work & WORK_RESTORE_MASK))
        return;
    current_thread->work &= ~WORK_RESTORE_MASK;
    signal_set_blocked(current_thread->signals.saved_blocked);
}

const char *signal_name(int signal)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",       [SIGINT] = "SIGINT",       [SIGQUIT] = "SIGQUIT",
        [SIGILL] = "SIGILL",       [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
        [SIGBUS] = "SIGBUS",       [SIGFPE] = "SIGFPE",       [SIGKILL] = "SIGKILL",
        [SIGUSR1] = "SIGUSR1",     [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
        [SIGPIPE] = "SIGPIPE",     [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
        [SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",
        [SIGSTOP] = "SIGSTOP",     [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",
        [SIGTTOU] = "SIGTTOU",     [SIGURG] = "SIGURG",       [SIGXCPU] = "SIGXCPU",
        [SIGXFSZ] = "SIGXFSZ",     [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
        [SIGWINCH] = "SIGWINCH",   [SIGIO] = "SIGIO",         [SIGPWR] = "SIGPWR",
        [SIGSYS] = "SIGSYS",
    };
    const char *name = NULL;
    if (signal > 0 && (size_t)signal < sizeof(names) / sizeof(names[0]))
        name = names[signal];
    return name ? name : "signal";
}
