/* Threads: the units that the scheduler runs. */
#ifndef UMBRA_TASK_THREAD_H
#define UMBRA_TASK_THREAD_H

#include "arch/entry.h"
#include "arch/phys.h"
#include "arch/user_state.h"
#include "lib/list.h"
#include "lib/ref.h"
#include "task/sched.h"
#include "task/signal.h"

struct file;
struct process;

#define THREAD_HELD_MAX 4  /* files that one system call looks up */
#define COMM_SIZE       16 /* with its NUL, as Linux's TASK_COMM_LEN */

enum thread_state { THREAD_RUNNABLE, THREAD_SLEEPING, THREAD_ENDED };

/* Work that is pending before the thread returns to ring 3, or at its next entry. */
#define WORK_TURN_OVER    1u   /* another thread's turn has come */
#define WORK_SIGNAL       2u   /* a signal may be deliverable: set whenever one is */
#define WORK_RESTORE_MASK 4u   /* a call has replaced the mask of blocked signals */
#define WORK_HELD         8u   /* the call holds files */
#define WORK_FORCED       16u  /* a fault without a handler: it ends even init */
#define WORK_SHORTAGE     32u  /* it found no memory */
#define WORK_RESERVE      64u  /* and then took a page that was kept back */
#define WORK_BOUND        128u /* between bound_begin() and bound_end() */
#define WORK_REAP         256u /* umvfs_reap() has something to do */
#define WORK_LIMITS                                                                                \
    512u /* it shares memory with a process of other limits: see process_limits_changed() */

/* The pages of an area. */
struct maps_count {
    size_t seen;        /* the frame of zeros included */
    size_t pages[2][2]; /* [anonymous][shared] */
    size_t part;        /* bytes; of a shared page only a part */
};

/* What a reader of a file of /proc is at: the areas with or without their pages, or all pages. */
enum maps_reader { READS_MAPS, READS_SMAPS, COUNTS_PAGES };

/* Where a reader of /proc/PID/maps or smaps stands, so that the next read need not begin at the first
 * area. */
struct maps_cursor {
    const struct aspace *as; /* only compared */
    enum maps_reader reader;
    uint64_t offset; /* where the line begins ... */
    virt_t area;     /* ... of the first area from this address on */
    virt_t counted;  /* of the area in which this is, the pages below it */
    struct maps_count count;
};

/* libvfs reads or writes a file for user memory, and a page fault must not enter it again. */
#define VFS_COPY_WHOLE 1u

/* What getrusage(2) reports of a thread, or of several together. */
struct usage {
    uint64_t user_ticks, system_ticks;
    uint64_t faults;      /* page faults of programs that were served */
    uint64_t switches[2]; /* to another thread: [0] when this one slept, [1] when it could go on */
    size_t most_pages;    /* that were mapped at one time */
};

static inline void usage_add(struct usage *sum, const struct usage *more)
{
    sum->user_ticks += more->user_ticks;
    sum->system_ticks += more->system_ticks;
    sum->faults += more->faults;
    sum->switches[0] += more->switches[0];
    sum->switches[1] += more->switches[1];
    sum->most_pages = more->most_pages > sum->most_pages ? more->most_pages : sum->most_pages;
}

struct thread {
    uint64_t kernel_rsp;   /* of context_switch() while another runs */
    uint64_t kernel_stack; /* its top */
    uint32_t work;         /* WORK_* */
    struct ref refs;
    int tid;
    enum thread_state state;
    struct process *process; /* held */
    struct list siblings;    /* in process->threads */
    char comm[COMM_SIZE];

    struct list queue; /* in the run queue */
    struct list timed; /* among those that sleep with a deadline */
    uint64_t wake_at;  /* monotonic ns */
    bool timed_out;
    bool killable_only; /* sleeps so that only a fatal signal wakes it */
    unsigned turn;      /* ticks left of its turn */
    struct usage used;

    struct file *held[THREAD_HELD_MAX]; /* until the system call returns */
    unsigned nr_held;

    struct thread_signals signals;
    user_t clear_child_tid;  /* set_tid_address(2) */
    user_t robust_list;      /* set_robust_list(2) */
    struct maps_cursor maps; /* of the last read of a file maps */
    unsigned lent;           /* see lend_begin() */
    uint64_t vfs_copy; /* 0: none; VFS_COPY_WHOLE, or where the copy ended early: see trap/trap.c */
    uint16_t bound_row;     /* of task/bound.h */
    struct user_state user; /* while another thread runs; behind what is used at each call */
};

extern struct thread *current_thread;
extern struct process *current_process; /* the current thread's */

/* True if a pending signal has an effect on the thread, which ends interruptible sleeps. */
bool signal_check_pending(const struct thread *thread);
static inline bool signal_is_pending(const struct thread *thread)
{
    return (thread->work & WORK_SIGNAL) && signal_check_pending(thread);
}

/* True if a pending signal will end the process. */
bool signal_check_fatal(const struct thread *thread);
static inline bool signal_is_fatal(const struct thread *thread)
{
    return (thread->work & WORK_SIGNAL) && signal_check_fatal(thread);
}

/* Creates a sleeping thread of the process, with a kernel stack. The caller gets the one reference,
 * which the thread's end drops. Returns NULL if memory is short. */
struct thread *thread_create(struct process *process, int tid);

/* Drops a reference; the last one frees the record, and its kernel stack. */
void thread_put(struct thread *thread);

/* The registers with which the thread entered ring 0. */
static inline struct trap_frame *thread_frame(const struct thread *thread)
{
    return (struct trap_frame *)(thread->kernel_stack - sizeof(struct trap_frame));
}

/* Prepares the stack so that the thread returns to ring 3 by its trap frame when it first runs.
 * Before that it calls `first`, if that is not NULL. */
void thread_prepare(struct thread *thread, void (*first)(void));

#endif
