#include "task/process.h"

#include "lib/check.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

#define PID_HASH 256

struct list process_list;
uint64_t processes_started;
static struct process *by_pid[PID_HASH]; /* chained through hash_next */
static uint32_t pid_users[PID_MAX]; /* processes, groups, sessions and others with the number */
static uint64_t last_key;           /* of the process that was created last */

void processes_init(void)
{
    list_init(&process_list);
    memset(by_pid, 0, sizeof(by_pid));
    memset(pid_users, 0, sizeof(pid_users));
    last_key = 0;
    processes_started = 0;
    users_init();
}

struct process *process_peek(int pid)
{
    if (pid <= 0)
        return NULL;
    for (struct process *process = by_pid[pid % PID_HASH]; process; process = process->hash_next)
        if (process->pid == pid)
            return process->state == PROCESS_NEW ? NULL : process;
    return NULL;
}

struct process *process_peek_key(uint64_t key)
{
    struct process *process = process_peek(pid_of_key(key));
    return process && process->key == key ? process : NULL;
}

struct process *process_find(int pid)
{
    struct process *process = process_peek(pid);
    if (process)
        process_get(process);
    return process;
}

void pid_reserve(int pid)
{
    if (pid > 0)
        pid_users[pid]++;
}

void pid_release(int pid)
{
    if (pid > 0)
        pid_users[pid]--;
}

void process_set_group(struct process *process, int group, int session)
{
    pid_reserve(group);
    pid_reserve(session);
    pid_release(process->pgid);
    pid_release(process->sid);
    process->pgid = group;
    process->sid = session;
}

/* Returns a new key whose pid names no process, group or session; 0 if there is none. After the first round
 * pid 1 is left out. */
static uint64_t new_key(void)
{
    for (int tries = 0; tries < PID_MAX; tries++) {
        last_key++;
        int pid = pid_of_key(last_key);
        if (last_key == 1 || (pid > 1 && pid_users[pid] == 0))
            return last_key;
    }
    return 0;
}

/* Sets the users of the current process; user 0 for the first process. */
static bool give_users(struct process *process)
{
    const struct process *parent = current_process;
    process->user = parent ? parent->user : user_find(0);
    if (!process->user)
        return false;
    process->payer = parent ? parent->payer : process->user;
    process->user->processes++;
    process->payer->payers++;
    return true;
}

static void leave_users(struct process *process)
{
    struct user *user = process->user, *payer = process->payer;
    process->user = process->payer = NULL;
    user->processes--;
    payer->payers--;
    if (payer != user)
        user_left(payer);
    if (user->processes == 0)
        user_left(user);
}

/* As process_create() says, but for the links. */
static struct process *new_process(void)
{
    const size_t inherited = offsetof(struct process, cred);
    struct process *process = slab_alloc(sizeof(*process));
    if (!process)
        return NULL;
    memset(process, 0, inherited);
    if (current_process) {
        process->cred = current_process->cred;
        memcpy(process->limits, current_process->limits, sizeof(process->limits));
    } else {
        memset((char *)process + inherited, 0, sizeof(*process) - inherited);
        process->cred.caps = (struct capabilities){CAP_ALL, CAP_ALL, 0, CAP_ALL, 0};
    }
    return process;
}

struct process *process_create(void)
{
    uint64_t key = new_key();
    int pid = pid_of_key(key);
    struct process *process = key ? new_process() : NULL;
    if (!process)
        return NULL;
    if (!give_users(process)) {
        slab_free(process);
        return NULL;
    }
    process->refs = REF_ONE;
    process->pid = pid;
    process->key = key;
    pid_reserve(pid);
    process->hash_next = by_pid[pid % PID_HASH];
    by_pid[pid % PID_HASH] = process;
    list_init(&process->threads);
    list_init(&process->siblings);
    list_init(&process->children);
    wait_queue_init(&process->child_changed);
    wait_queue_init(&process->vfork_done);
    pending_signals_init(&process->pending, process);
    list_append(&process_list, &process->all);
    return process;
}

void process_unlist(struct process *process)
{
    struct process **link = &by_pid[process->pid % PID_HASH];
    while (*link != process)
        link = &(*link)->hash_next;
    *link = process->hash_next;
    pid_release(process->pid);
    pid_release(process->pgid);
    pid_release(process->sid);
    list_remove(&process->all);
    list_remove(&process->siblings);
    leave_users(process);
    process->state = PROCESS_REAPED;
    process->parent = NULL;
    process_put(process);
}

void process_put(struct process *process)
{
    if (!ref_put(&process->refs))
        return;
    pending_signals_clear(&process->pending, UINT64_MAX);
    slab_free(process);
}

void process_set_floor(struct process *process)
{
    size_t reserve = frame_reserve();
    if (process->pid == 1 || process->is_victim)
        reserve = 0;
    bool is_admin = process->cred.caps.effective & CAP_BIT(CAP_SYS_ADMIN);
    process->frame_floor = is_admin ? reserve / 2 : reserve;
}

/* The thread is marked, and waits for memory before it returns to ring 3 (proc/proc.h). */
int process_fault(virt_t address, unsigned access)
{
    struct process *process = current_process;
    int error = process->aspace ? aspace_fault(process->aspace, address, access) : -EFAULT;
    if (error != -ENOMEM)
        return error;
    frame_floor = 0;
    error = aspace_fault(process->aspace, address, access);
    frame_floor = process->frame_floor;
    current_thread->work |= WORK_RESERVE;
    return error;
}

bool process_may_fork(void)
{
    const struct process *process = current_process;
    return process->cred.user.real == 0 || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN) ||
           process->user->processes < process->limits[RLIMIT_NPROC].soft;
}

bool process_may_exec(void)
{
    struct process *process = current_process;
    bool passed_limit = process->passed_limit;
    process->passed_limit = false;
    return !passed_limit || process->user->processes <= process->limits[RLIMIT_NPROC].soft;
}

struct usage process_usage(const struct process *process)
{
    struct usage sum = process->used;
    LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
        usage_add(&sum, &thread->used);
    if (process->aspace) {
        const struct usage space = {.most_pages = pt_most_leaves(&process->aspace->pt)};
        usage_add(&sum, &space);
    }
    return sum;
}

void process_keep_usage(void)
{
    current_process->used.most_pages = process_usage(current_process).most_pages;
}

const char *process_comm(const struct process *process)
{
    const struct thread *thread = process_main_thread(process);
    return thread ? thread->comm : process->last_comm;
}

void process_apply_limits(const struct process *process)
{
    if (!process->aspace)
        return;
    bool locks_all = process->cred.caps.effective & CAP_BIT(CAP_IPC_LOCK);
    const struct rlimit *data = &process->limits[RLIMIT_DATA];
    process->aspace->limits = (struct aspace_limits){
        .total = process->limits[RLIMIT_AS].soft,
        /* As on Linux, for Valgrind: a soft limit of 0 stops brk(2) only. */
        .data = data->soft ? data->soft : data->hard,
        .fixed_heap = data->soft == 0,
        .stack = process->limits[RLIMIT_STACK].soft,
        .locked = locks_all ? UINT64_MAX : process->limits[RLIMIT_MEMLOCK].soft,
    };
}

static void mark_sharers(const struct aspace *as)
{
    FOR_EACH_PROCESS (process) {
        if (process->aspace != as)
            continue;
        LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
            thread->work |= WORK_LIMITS;
    }
}

void process_limits_changed(const struct process *process)
{
    bool is_shared = process->aspace && process->aspace->refs.count > 1;
    if (is_shared)
        mark_sharers(process->aspace);
    if (!is_shared || process == current_process)
        process_apply_limits(process);
}

void process_renew_limits(void)
{
    process_apply_limits(current_process);
    if (current_process->aspace->refs.count == 1)
        current_thread->work &= ~WORK_LIMITS;
}

struct fs_context *fs_context_create(const struct umvfs_path *root)
{
    struct fs_context *fs = slab_alloc(sizeof(*fs));
    if (fs)
        *fs = (struct fs_context){REF_ONE, umvfs_path_get(root), umvfs_path_get(root), 022};
    return fs;
}

struct fs_context *fs_context_copy(const struct fs_context *from)
{
    struct fs_context *fs = slab_alloc(sizeof(*fs));
    if (fs)
        *fs = (struct fs_context){REF_ONE, umvfs_path_get(&from->root), umvfs_path_get(&from->cwd),
                                  from->umask};
    return fs;
}

void fs_context_put(struct fs_context *fs)
{
    if (!fs || !ref_put(&fs->refs))
        return;
    umvfs_path_put(&fs->root);
    umvfs_path_put(&fs->cwd);
    slab_free(fs);
}
