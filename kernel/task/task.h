/* Tasks: what the scheduler runs. A process is a task; what processes may share (address space, files,
 * directory, program) is counted. */
#ifndef UMBRA_TASK_TASK_H
#define UMBRA_TASK_TASK_H

#include <vfs/file.h>

#include "arch/entry.h"
#include "exec/image.h"
#include "lib/list.h"
#include "mm/aspace.h"
#include "file/files.h"
#include "task/sched.h"
#include "task/signal.h"

#define PID_MAX    32768
#define GROUPS_MAX 32

enum task_state { TASK_RUNNABLE, TASK_SLEEPING, TASK_ZOMBIE };

/* getrlimit(2) */
#define RLIMIT_CPU    0
#define RLIMIT_FSIZE  1
#define RLIMIT_DATA   2
#define RLIMIT_STACK  3
#define RLIMIT_CORE   4
#define RLIMIT_NOFILE 7
#define RLIMIT_AS     9
#define RLIMITS       16
#define RLIM_INFINITY UINT64_MAX

struct rlimit {
    uint64_t soft, hard;
};

/* Where a process is in the tree of names; shared by CLONE_FS. */
struct fs_context {
    unsigned refs;
    struct vfs_path root, cwd;
    uint32_t umask;
};

/* credentials(7): `fs` is what file permissions are checked with, and follows `effective`. */
struct ids {
    uint32_t real, effective, saved, fs;
};

struct credentials {
    struct ids user, group;
    uint32_t nr_groups;
    uint32_t groups[GROUPS_MAX];
};

struct task {
    uint8_t fpu[512] __attribute__((aligned(16))); /* FXSAVE area while another task runs */
    uint64_t kernel_rsp;                           /* of context_switch() while another runs */
    uint64_t kernel_stack;                         /* its top */
    uint64_t fs_base, gs_base;
    int pid, pgid, sid;
    enum task_state state;
    char comm[IMAGE_COMM_SIZE];

    struct task *parent;
    struct task *hash_next; /* same pid hash */
    struct list siblings, children, all;
    struct wait_queue child_changed; /* the task itself waits here in wait4 */
    struct wait_queue vfork_done;    /* the parent waits here until this task execs or ends */
    bool vfork_pending;              /* this task still borrows its parent's memory */
    bool vfork_waiting;              /* this task waits for its child to give that back */
    int exit_signal;                 /* sent to the parent at the end */
    int wait_status;                 /* as wait4(2) reports it, once a zombie */

    struct list queue; /* run queue or wait queue */
    uint64_t wake_at;  /* monotonic ns; UINT64_MAX: no time-out */
    struct list timed; /* sleeping with a time-out */
    bool timed_out;
    uint64_t user_ticks, system_ticks, child_ticks;
    uint64_t start_ns;
    unsigned turn; /* ticks left of its turn */

    struct aspace *aspace;
    struct image *image; /* what is being executed */
    struct files *files;
    struct fs_context *fs;
    struct credentials cred;
    struct signals signals;
    struct rlimit limits[RLIMITS];
    uint64_t clear_child_tid; /* set_tid_address(2) */
};

extern struct task *current_task;

/* Before a return to ring 3: sched_before_user() if there is anything to do. */
static inline void task_before_user(struct trap_frame *frame)
{
    const struct signals *signals = &current_task->signals;
    if (sched_turn_is_over || signals_pending(signals) || signals->restore_blocked)
        sched_before_user(frame);
}
extern struct list task_list;

/* A task with pid, kernel stack and nothing else; NULL: memory or pids are short. */
struct task *task_create(void);

/* Frees a task that never ran, or one that has ended and was waited for. */
void task_free(struct task *task);

struct task *task_find(int pid);

/* The registers with which the task entered ring 0. */
struct trap_frame *task_frame(const struct task *task);

/* What the VFS wants to know of a task, as of now; the pointers are the task's own. With `real` the
 * real ids count instead of the effective ones. */
struct vfs_task_view {
    struct vfs_task task;
    struct vfs_cred cred;
};
void task_vfs_view(const struct task *task, bool real, struct vfs_task_view *out);

/* Hands the memory limits on to the task's address space. */
void task_apply_limits(struct task *task);

struct fs_context *fs_context_create(const struct vfs_path *root);
struct fs_context *fs_context_copy(const struct fs_context *from);
void fs_context_put(struct fs_context *fs);

/* fork, vfork and clone: a copy of the current task that returns 0 from the call. flags: CLONE_*.
 * stack: of the child, 0: the parent's. Returns the pid or an error. */
#define CLONE_VM             0x100u
#define CLONE_FS             0x200u
#define CLONE_FILES          0x400u
#define CLONE_SIGHAND        0x800u
#define CLONE_VFORK          0x4000u
#define CLONE_THREAD         0x10000u
#define CLONE_SETTLS         0x80000u
#define CLONE_PARENT_SETTID  0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_CHILD_SETTID   0x1000000u
struct clone_args {
    uint64_t flags, stack, parent_tid, child_tid, tls;
    int exit_signal;
};
long task_clone(const struct clone_args *args);

/* Ends the current task. status: as wait4(2) reports it. */
_Noreturn void task_exit(int status);

/* wait4(2) */
long task_wait(int pid, int *status, int options);

#endif
