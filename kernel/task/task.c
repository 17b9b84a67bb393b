#include "task/task.h"

#include "arch/cpu.h"
#include "file/root.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kernel_map.h"
#include "mm/slab.h"

struct task *current_task;
struct list task_list = {&task_list, &task_list};

#define PID_HASH 256
static struct task *by_pid[PID_HASH]; /* chained through hash_next */
static int last_pid;

struct task *task_find(int pid)
{
    if (pid <= 0)
        return NULL;
    for (struct task *task = by_pid[pid % PID_HASH]; task; task = task->hash_next)
        if (task->pid == pid)
            return task;
    return NULL;
}

static int new_pid(void)
{
    for (int tries = 0; tries < PID_MAX; tries++) {
        last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 2;
        if (!task_find(last_pid))
            return last_pid;
    }
    return 0;
}

struct task *task_create(void)
{
    int pid = new_pid();
    struct task *task = pid ? slab_alloc_zeroed(sizeof(*task)) : NULL;
    if (!task)
        return NULL;
    task->kernel_stack = kstack_alloc();
    if (!task->kernel_stack) {
        slab_free(task);
        return NULL;
    }
    task->pid = pid;
    task->hash_next = by_pid[pid % PID_HASH];
    by_pid[pid % PID_HASH] = task;
    task->state = TASK_SLEEPING;
    list_init(&task->siblings);
    list_init(&task->children);
    list_init(&task->queue);
    list_init(&task->timed);
    wait_queue_init(&task->child_changed);
    wait_queue_init(&task->vfork_done);
    list_append(&task_list, &task->all);
    return task;
}

void task_free(struct task *task)
{
    struct task **link = &by_pid[task->pid % PID_HASH];
    while (*link != task)
        link = &(*link)->hash_next;
    *link = task->hash_next;
    list_remove(&task->all);
    list_remove(&task->siblings);
    kstack_free(task->kernel_stack);
    slab_free(task);
}

struct trap_frame *task_frame(const struct task *task)
{
    return (struct trap_frame *)(task->kernel_stack - sizeof(struct trap_frame));
}

void task_vfs_view(const struct task *task, bool real, struct vfs_task_view *out)
{
    const struct credentials *c = &task->cred;
    uint32_t uid = real ? c->user.real : c->user.fs;
    out->cred = (struct vfs_cred){
        .uid = uid,
        .gid = real ? c->group.real : c->group.fs,
        .caps = uid == 0 ? VFS_CAP_ALL : 0,
        .group_count = c->nr_groups,
        .groups = c->groups,
    };
    out->task = (struct vfs_task){
        .vfs = root_vfs,
        .cred = &out->cred,
        .root = task->fs->root,
        .cwd = task->fs->cwd,
        .umask = task->fs->umask,
    };
}

void task_apply_limits(struct task *task)
{
    task->aspace->limits = (struct aspace_limits){
        .total = task->limits[RLIMIT_AS].soft,
        .data = task->limits[RLIMIT_DATA].soft,
        .stack = task->limits[RLIMIT_STACK].soft,
    };
}

struct fs_context *fs_context_create(const struct vfs_path *root)
{
    struct fs_context *fs = slab_alloc(sizeof(*fs));
    if (fs)
        *fs = (struct fs_context){1, vfs_path_get(root), vfs_path_get(root), 022};
    return fs;
}

struct fs_context *fs_context_copy(const struct fs_context *from)
{
    struct fs_context *fs = slab_alloc(sizeof(*fs));
    if (fs)
        *fs = (struct fs_context){1, vfs_path_get(&from->root), vfs_path_get(&from->cwd),
                                  from->umask};
    return fs;
}

void fs_context_put(struct fs_context *fs)
{
    if (!fs || --fs->refs > 0)
        return;
    vfs_path_put(&fs->root);
    vfs_path_put(&fs->cwd);
    slab_free(fs);
}
