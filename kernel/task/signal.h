/* Signals: what is pending, and what a process does about each. */
#ifndef UMBRA_TASK_SIGNAL_H
#define UMBRA_TASK_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

struct task;
struct trap_frame;

#define SIGHUP   1
#define SIGINT   2
#define SIGQUIT  3
#define SIGILL   4
#define SIGTRAP  5
#define SIGABRT  6
#define SIGBUS   7
#define SIGFPE   8
#define SIGKILL  9
#define SIGSEGV  11
#define SIGPIPE  13
#define SIGALRM  14
#define SIGTERM  15
#define SIGCHLD  17
#define SIGCONT  18
#define SIGSTOP  19
#define SIGTSTP  20
#define SIGTTIN  21
#define SIGTTOU  22
#define SIGURG   23
#define SIGXCPU  24
#define SIGXFSZ  25
#define SIGWINCH 28
#define NSIG     64

#define SIG_DFL 0ull
#define SIG_IGN 1ull

/* The kernel's view of struct sigaction in rt_sigaction(2). */
struct sigaction {
    uint64_t handler, flags, restorer, mask;
};

/* What siginfo_t tells of one signal. */
struct signal_info {
    int code; /* SI_* or a fault's code */
    int pid, status;
    uint32_t uid;
    uint64_t address;
};

#define SI_USER     0
#define SI_KERNEL   0x80
#define SI_TKILL    (-6)
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN  1
#define BUS_ADRERR  2
#define CLD_EXITED  1
#define CLD_KILLED  2

#define SA_SIGINFO   4ull
#define SA_RESTORER  0x04000000ull
#define SA_ONSTACK   0x08000000ull
#define SA_RESTART   0x10000000ull
#define SA_NODEFER   0x40000000ull
#define SA_RESETHAND 0x80000000ull
#define SA_NOCLDWAIT 2ull

#define SS_ONSTACK 1
#define SS_DISABLE 2

#define SIGNAL_INFOS 32 /* signals below it keep their information; one of each number is kept */

/* No program can block these. */
#define SIGNALS_UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

struct signals {
    uint64_t pending, blocked; /* bit n - 1: signal n; never blocked: SIGNALS_UNBLOCKABLE */
    uint64_t saved_blocked;    /* what rt_sigsuspend goes back to */
    bool restore_blocked;
    uint64_t altstack, altstack_size;  /* 0: none */
    uint64_t alarm_at, alarm_interval; /* monotonic ns, 0: off (ITIMER_REAL) */
    struct signal_info info[SIGNAL_INFOS];
    struct sigaction actions[NSIG];
};

/* Makes a signal pending and wakes the task if it will act on it. info NULL: from the kernel. */
void signal_send(struct task *task, int signal, const struct signal_info *info);

/* A signal that the task brought upon itself by an instruction: goes to its handler if it has one
 * that is not blocked, else ends it. Prints nothing. Returns whether a handler will run. */
bool signal_force(struct task *task, int signal, const struct signal_info *info);

/* Whether a pending signal would do something. */
static inline bool signals_pending(const struct signals *signals)
{
    return signals->pending & ~signals->blocked;
}

/* Acts on pending signals before a return to ring 3: builds a handler's frame in `frame`, restarts
 * or interrupts a system call, or ends the task and does not return. */
void signal_deliver(struct trap_frame *frame);

/* rt_sigreturn(2): takes the state that the handler's frame on the user stack holds. Returns the value
 * for RAX, or ends the task if the frame is no good. */
long signal_return(struct trap_frame *frame);

/* At exec: handlers become defaults; what is ignored stays so. */
void signal_reset(struct signals *signals);

/* Sends SIGALRM to every task whose timer has run out. Called at each tick. */
void signal_check_alarms(void);

const char *signal_name(int signal);

#endif
