/* Processes: the state that the threads of a program share, and the relations between processes. */
#ifndef UMBRA_TASK_PROCESS_H
#define UMBRA_TASK_PROCESS_H

#include <stdint.h>
#include <umvfs/path.h>

#include "mm/aspace.h"
#include "task/lend.h"
#include "task/thread.h"
#include "task/user.h"

/* capabilities(7): the privileges of user 0, one by one. */

#define CAP_CHOWN           0
#define CAP_DAC_OVERRIDE    1
#define CAP_DAC_READ_SEARCH 2
#define CAP_FOWNER          3
#define CAP_FSETID          4
#define CAP_KILL            5
#define CAP_SETGID          6
#define CAP_SETUID          7
#define CAP_SETPCAP         8
#define CAP_IPC_LOCK        14
#define CAP_SYS_CHROOT      18
#define CAP_SYS_PTRACE      19
#define CAP_SYS_ADMIN       21
#define CAP_SYS_BOOT        22
#define CAP_SYS_NICE        23
#define CAP_SYS_RESOURCE    24
#define CAP_SYS_TIME        25
#define CAP_MKNOD           27
#define CAP_SETFCAP         31
#define CAP_LAST            40 /* of Linux 6.1 */

#define CAP_BIT(cap) (1ull << (cap))
#define CAP_ALL      (CAP_BIT(CAP_LAST + 1) - 1)
/* Those that setfsuid(2) drops and raises: the first five, and 9, 27 and 32. */
#define CAP_FILES 0x10800021full

/* A bit for each capability. `effective` and `ambient` are subsets of `permitted`. */
struct capabilities {
    uint64_t effective, permitted, inheritable, bounding, ambient;
};

/* prctl(PR_SET_SECUREBITS). The bit above each one forbids to change it. */
#define SECURE_NOROOT           0x01u
#define SECURE_NO_SETUID_FIXUP  0x04u
#define SECURE_KEEP_CAPS        0x10u
#define SECURE_NO_AMBIENT_RAISE 0x40u
#define SECURE_ALL_BITS         0x55u
#define SECURE_ALL_LOCKS        0xaau

struct files;
struct image;

#define PID_MAX        32768
#define OOM_ADJUST_MAX 1000
#define OOM_ADJUST_MIN (-1000) /* never ended when memory runs out */
#define GROUPS_MAX     32
#define TIMER_SLACK    50000 /* nanoseconds; the usual one on Linux */

/* A new process is not whole yet: nobody finds it, signals it or asks for its rights. */
enum process_state { PROCESS_NEW, PROCESS_LIVE, PROCESS_ZOMBIE, PROCESS_REAPED };

/* getrlimit(2) */
#define RLIMIT_CPU        0
#define RLIMIT_FSIZE      1
#define RLIMIT_DATA       2
#define RLIMIT_STACK      3
#define RLIMIT_CORE       4
#define RLIMIT_RSS        5
#define RLIMIT_NPROC      6
#define RLIMIT_NOFILE     7
#define RLIMIT_MEMLOCK    8
#define RLIMIT_AS         9
#define RLIMIT_SIGPENDING 11
#define RLIMIT_NICE       13 /* 20 less the lowest nice value */
#define RLIMIT_RTPRIO     14
#define RLIMITS           16
#define RLIM_INFINITY     UINT64_MAX
#define STACK_LIMIT       (8ull << 20) /* of a stack, usually */

struct rlimit {
    uint64_t soft, hard;
};

/* The root and working directory of a process; CLONE_FS shares them. */
struct fs_context {
    struct ref refs;
    struct umvfs_path root, cwd;
    uint32_t umask;
};

/* credentials(7). `fs` is used for file permissions, and changes with `effective`. */
struct ids {
    uint32_t real, effective, saved, fs;
};

/* The capabilities change with the user ids: see task/rights.h. */
struct credentials {
    struct ids user, group;
    struct capabilities caps;
    uint8_t secure_bits;    /* SECURE_* */
    bool no_new_privileges; /* exec gives none: prctl(PR_SET_NO_NEW_PRIVS) */
    uint32_t nr_groups;
    uint32_t groups[GROUPS_MAX];
};

/* A timer of processor time. */
struct cpu_timer {
    uint64_t left;     /* ticks; 0: off */
    uint64_t interval; /* ns, as it was set */
};

#define ADDR_NO_RANDOMIZE 0x40000u
#define READ_IMPLIES_EXEC 0x400000u
#define PER_MASK          0xffu /* the low bits name a kind of system */
#define PER_LINUX32       0x8u  /* uname(2) tells of i686 */

struct process {
    struct ref refs;
    enum process_state state;
    int pid, pgid, sid;
    uint64_t key;              /* never used again, unlike the pid: see pid_of_key() */
    struct process *hash_next; /* same pid hash */
    struct list all;           /* in process_list, until it is reaped */
    struct list threads;       /* struct thread, by siblings */

    struct process *parent; /* NULL: none; lives at least as long */
    struct list siblings, children;
    struct wait_queue child_changed;  /* for wait4(2) of its threads */
    struct wait_queue vfork_done;     /* the parent waits here until this process execs or ends */
    bool vfork_pending;               /* it still uses its parent's memory */
    int exit_signal;                  /* sent to the parent at the end; 0: none */
    int death_signal;                 /* sent to it when its parent ends; 0: none */
    bool is_subreaper;                /* its descendants' orphans become its children */
    int wait_status;                  /* as wait4(2) reports it, once a zombie */
    uint32_t exec_id, parent_exec_id; /* programs that it, and its parent at its start, had run */
    uint64_t start_ns;
    struct usage used;       /* by threads that have ended */
    struct usage child_used; /* by children that were waited for */

    /* NULL once it has ended */
    struct aspace *aspace;
    struct image *image; /* the program */
    struct files *files;
    struct fs_context *fs;
    struct sighand *sighand;

    struct pending_signals pending;
    uint64_t alarm_at, alarm_interval; /* monotonic ns, 0: off (ITIMER_REAL) */
    struct cpu_timer cpu_timers[2];    /* ITIMER_VIRTUAL, ITIMER_PROF */
    bool has_cpu_timer;                /* one of them runs */
    struct user *user;         /* of cred.user.real, until it is reaped: it counts in processes */
    struct user *payer;        /* of cred.user.fs, charged for files: it counts in payers */
    bool passed_limit;         /* setuid to a user with too many: see process_may_exec() */
    bool is_victim;            /* ended because memory is short */
    size_t frame_floor;        /* of mm/frame.h, while it runs */
    bool undumpable;           /* see rights_to_inspect() */
    unsigned personality;      /* personality(2): PER_LINUX32, ADDR_NO_RANDOMIZE */
    int nice;                  /* setpriority(2) */
    uint16_t io_priority;      /* ioprio_set(2), kept only */
    uint8_t policy;            /* SCHED_OTHER, SCHED_BATCH or SCHED_IDLE, kept only */
    int oom_adjust;            /* /proc/PID/oom_score_adj */
    int oom_adjust_min;        /* to which anybody may lower it */
    uint64_t timer_slack;      /* prctl(PR_SET_TIMERSLACK), kept only; 0: TIMER_SLACK */
    bool has_terminal;         /* the terminal of its session is its controlling one */
    char last_comm[COMM_SIZE]; /* of the thread that ended last */

    /* Copied whole from the parent; last, so that nothing clears them before. */
    struct credentials cred;
    struct rlimit limits[RLIMITS];
};

/* All processes that are not reaped, in the order of their start. A walk lends each of them
 * (task/lend.h), and leaves new ones out. */
extern struct list process_list;
extern uint64_t processes_started; /* since the start of the machine */
#define FOR_EACH_PROCESS(process)                                                                  \
    LENDING_LOOP LIST_FOR_EACH (process, &process_list, struct process,                            \
                                all) if (process->state != PROCESS_NEW)

/* Empties the tables of processes. */
void processes_init(void);

/* Creates a process without threads, with the credentials and limits of the current one (zeros for
 * the first). Of the rest only its pid and its list links are set. The lists hold its one reference. It is
 * new until the caller sets its state, once it is whole. Returns NULL if memory or pids are short. */
struct process *process_create(void);

/* pid_reserve() keeps new processes from getting a number until pid_release() was called as often: for a number that
 * is stored outside its process. Both do nothing for 0. */
void pid_reserve(int pid);
void pid_release(int pid);

/* Puts the process into a group of a session. New processes do not get these numbers meanwhile. */
void process_set_group(struct process *process, int group, int session);

/* Removes the process from the lists and drops their reference: for one that never ran, or that
 * ended and was waited for. */
void process_unlist(struct process *process);

static inline void process_get(struct process *process)
{
    ref_get(&process->refs);
}
void process_put(struct process *process);

/* Returns the process with the pid and takes a reference; NULL if there is none. process_peek()
 * lends it (task/lend.h). */
struct process *process_find(int pid);
struct process *process_peek(int pid);

/* A process's key is its pid plus PID_MAX for each time that all pids had been used. process_peek_key() lends the
 * process with the key, or returns NULL, also if another process has its pid now. */
static inline int pid_of_key(uint64_t key)
{
    return (int)(key % PID_MAX);
}
struct process *process_peek_key(uint64_t key);

/* The thread that gets the signals of the process; NULL once it has ended. No reference is
 * taken. */
static inline struct thread *process_main_thread(const struct process *process)
{
    return list_empty(&process->threads)
               ? NULL
               : CONTAINER_OF(process->threads.next, struct thread, siblings);
}

/* All signals that are pending for a thread, its process's included. */
static inline uint64_t signal_pending_set(const struct thread *thread)
{
    return thread->signals.pending.set | thread->process->pending.set;
}

/* The sum over its threads, including those that have ended. */
struct usage process_usage(const struct process *process);

/* Keeps what process_usage() tells of the address space, which the current process is about to leave. */
void process_keep_usage(void);

/* The name for messages: that of the main thread, or of the thread that ended last. */
const char *process_comm(const struct process *process);

/* Sets the memory limits in the process's address space, if it has one. */
void process_apply_limits(const struct process *process);

/* After a change of the process's limits, or of what it may lock. Of processes that share memory each has its own:
 * once they differ, the threads get WORK_LIMITS, and each sets its own by process_renew_limits() before it returns
 * to ring 3. */
void process_limits_changed(const struct process *process);
void process_renew_limits(void);

/* Makes a page of the current process present for an access of the kernel (ACCESS_*), which cannot wait: if memory is
 * short, the page comes from the reserve. Errors as aspace_fault(). */
int process_fault(virt_t address, unsigned access);

/* Sets frame_floor: process 1, and a process that is about to end, may use all memory. */
void process_set_floor(struct process *process);

/* process_may_fork(): true if RLIMIT_NPROC allows the current process a new one.
 * process_may_exec(): false if it has changed to a user with too many processes. */
bool process_may_fork(void);
bool process_may_exec(void);

/* The user who is charged for new objects; NULL during boot. No reference is taken. */
static inline struct user *current_payer(void)
{
    return current_process ? current_process->payer : NULL;
}

/* Whether the capability CAP_* is effective in the current process. */
static inline bool capable(unsigned cap)
{
    return (current_process->cred.caps.effective & CAP_BIT(cap)) != 0;
}

/* Returns NULL if memory is short. */
struct fs_context *fs_context_create(const struct umvfs_path *root);
struct fs_context *fs_context_copy(const struct fs_context *from);
void fs_context_put(struct fs_context *fs);

#endif
