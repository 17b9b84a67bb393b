/* Signals: pending signals, and the actions of a process. */
#ifndef UMBRA_TASK_SIGNAL_H
#define UMBRA_TASK_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/ref.h"

struct process;
struct thread;

#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGUSR1   10
#define SIGSEGV   11
#define SIGUSR2   12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGSTKFLT 16
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGXCPU   24
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGIO     29
#define SIGPWR    30
#define SIGSYS    31
#define SIGRTMIN  32
#define NSIG      64

#define SIGNAL_BIT(signal) (1ull << ((signal) - 1))

#define SIG_DFL 0ull
#define SIG_IGN 1ull

/* The action of a process for a signal. */
struct sigaction {
    uint64_t handler, restorer, mask;
    uint32_t flags; /* SA_* */
    union {         /* see struct sighand */
        struct ref refs;
        uint32_t used;
    };
};

#define SA_NOCLDSTOP      1u
#define SA_NOCLDWAIT      2u
#define SA_SIGINFO        4u
#define SA_EXPOSE_TAGBITS 0x800u
#define SA_RESTORER       0x04000000u
#define SA_ONSTACK        0x08000000u
#define SA_RESTART        0x10000000u
#define SA_NODEFER        0x40000000u
#define SA_RESETHAND      0x80000000u
#define SA_KNOWN                                                                                   \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK |     \
     SA_RESTART | SA_NODEFER | SA_RESETHAND)

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000u /* the stack is none while a handler runs on it */
#define MINSIGSTKSZ   2048

/* The information of siginfo_t about one signal. */
struct signal_info {
    int signal, code; /* code: SI_* or a fault's code */
    int pid, status;
    uint32_t uid;
    uint64_t address; /* of a fault, or the value of rt_sigqueueinfo(2) */
};

#define SI_USER     0
#define SI_KERNEL   0x80
#define SI_TIMER    (-2)
#define SI_TKILL    (-6)
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN  1
#define BUS_ADRERR  2
#define CLD_EXITED  1
#define CLD_KILLED  2

/* Signals that no program can block. */
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* Pending signals: the set, and a record of each. A standard signal is pending once; real-time
 * signals are queued. A signal in the set has no record if memory was short. */
struct pending_signals {
    uint64_t set;              /* SIGNAL_BIT(n) */
    struct signal_info record; /* of one standard signal, without an allocation; signal 0: unused */
    struct list queue;         /* of the others: struct queued_signal, in the order of arrival */
    struct process *process;   /* whose limit of queued signals counts */
};

/* The table of actions, which CLONE_SIGHAND shares. Those of the first `used` signals are set; the
 * others are the default, and cost nothing at fork and exec. The entry of SIGKILL has the reference
 * count, and that of SIGSTOP has `used`, so that two tables fit in a frame. */
struct sighand {
    struct sigaction actions[NSIG];
};
_Static_assert(sizeof(struct sighand) == 2048, "half a frame");

static inline struct ref *sighand_refs(struct sighand *sighand)
{
    return &sighand->actions[SIGKILL - 1].refs;
}

static inline uint32_t *sighand_used(struct sighand *sighand)
{
    return &sighand->actions[SIGSTOP - 1].used;
}

/* The action for a signal. To change it, see sighand_entry(). */
extern const struct sigaction sigaction_default;
static inline const struct sigaction *sighand_action(const struct sighand *sighand, int signal)
{
    bool is_set = (uint32_t)signal <= sighand->actions[SIGSTOP - 1].used;
    return is_set ? &sighand->actions[signal - 1] : &sigaction_default;
}

/* The place of the action in the table. It is set from then on. */
void sighand_extend(struct sighand *sighand, int signal);
static inline struct sigaction *sighand_entry(struct sighand *sighand, int signal)
{
    if ((uint32_t)signal > *sighand_used(sighand))
        sighand_extend(sighand, signal);
    return &sighand->actions[signal - 1];
}

/* stack_t: the alternate stack of handlers. */
struct signal_stack {
    uint64_t start;
    uint32_t flags, pad; /* SS_*, as sigaltstack(2) got them */
    uint64_t size;
};

struct thread_signals {
    struct pending_signals pending; /* of this thread alone */
    uint64_t blocked;               /* never SIGNALS_UNBLOCKABLE */
    uint64_t waited_for;            /* blocked, but rt_sigtimedwait(2) waits for it */
    uint64_t saved_blocked;         /* the mask that WORK_RESTORE_MASK restores */
    struct signal_stack altstack;   /* its size is 0: none */
};

void pending_signals_init(struct pending_signals *pending, struct process *process);

/* Forgets the signals of `set`. */
void pending_signals_drop(struct pending_signals *pending, uint64_t set);
static inline void pending_signals_clear(struct pending_signals *pending, uint64_t set)
{
    if (pending->set & set) /* a signal that has a record is in the set */
        pending_signals_drop(pending, set);
}

/* Forgets the signals that timers have sent, or somebody who says so: a new program does not get them. */
void pending_signals_drop_timers(struct pending_signals *pending);

struct sighand *sighand_create(void);
struct sighand *sighand_copy(struct sighand *from);
void sighand_put(struct sighand *sighand);

/* Makes a signal pending for a process, or for one of its threads, and wakes the thread if it acts
 * on the signal. info NULL: the kernel is the sender. An ignored signal is dropped. Returns -EAGAIN
 * if the limit of queued real-time signals is reached or memory is short. */
int signal_send(struct process *process, int signal, const struct signal_info *info);
int signal_send_thread(struct thread *thread, int signal, const struct signal_info *info);

/* Sends a signal to the current thread because of what its call does (SIGPIPE, SIGXFSZ): as on Linux, its
 * own process is the sender. */
void signal_send_self(int signal);

/* Sends a signal that an instruction of the current thread caused. An unblocked handler handles it;
 * otherwise it ends the process. Returns true if a handler will run. */
bool signal_force(int signal, const struct signal_info *info);

/* Takes the next signal of `set` that is pending for the current thread or its process: faults
 * first, then the lowest number. Returns its number and fills *info, or returns 0. */
int signal_take(uint64_t set, struct signal_info *info);

/* True if the default action for the signal ends the thread's process. Init gets only the signals
 * for which it has a handler, and those that an instruction of its own caused. */
bool signal_ends_process(const struct thread *thread, int signal);

/* Sets the mask of blocked signals of the current thread. */
void signal_set_blocked(uint64_t blocked);

/* True if the stack pointer is in the current thread's alternate stack. */
bool signal_on_altstack(uint64_t rsp);

/* The alternate stack as sigaltstack(2) tells a program with this stack pointer. */
struct signal_stack signal_altstack(uint64_t rsp);

/* Sets the alternate stack of the current thread, for a program with this stack pointer. Returns -EPERM if it
 * runs there, -EINVAL for flags that do not exist, or -ENOMEM if the stack is too small. */
int signal_set_altstack(const struct signal_stack *wanted, uint64_t rsp);

/* Sets a mask for one system call. The old one is restored at its end, or after the handler. */
void signal_set_blocked_for_call(uint64_t blocked);

/* Restores it at once: a signal that only the mask of the call lets through stays pending. */
void signal_restore_blocked(void);

/*
 * At exec: sets handlers to the default, and keeps ignored signals. The table must not be shared.
 */
void sighand_reset(struct sighand *sighand);

/* True if the signal has no effect: it is ignored, or its default action is to do nothing. */
bool signal_is_ignored(const struct process *process, int signal);

/* Signals whose default action does nothing, and those whose default action would stop the
 * process. */
#define SIGNALS_IGNORED                                                                            \
    (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
#define SIGNALS_STOPPING                                                                           \
    (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

const char *signal_name(int signal);

#endif
