#include "arch/cpu.h"
#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "task/task.h"

/* Below its trap frame the child's stack gets what context_switch() pops: six registers and the
 * address to go on at. */
static void prepare_stack(struct task *child, const struct clone_args *args)
{
    struct trap_frame *frame = task_frame(child);
    *frame = *task_frame(current_task);
    frame->rax = 0;
    if (args->stack)
        frame->rsp = args->stack;
    uint64_t *stack = (uint64_t *)frame;
    *--stack = (uint64_t)entry_return;
    for (unsigned i = 0; i < 6; i++)
        *--stack = 0;
    child->kernel_rsp = (uint64_t)stack;
}

static int share_or_copy(struct task *child, uint64_t flags)
{
    struct task *parent = current_task;
    if (flags & CLONE_VM) {
        child->aspace = parent->aspace;
        child->aspace->refs++;
    } else if (aspace_clone(parent->aspace, &child->aspace) != 0) {
        return -ENOMEM;
    }
    if (flags & CLONE_FILES) {
        child->files = parent->files;
        child->files->refs++;
    } else if (!(child->files = files_copy(parent->files))) {
        return -ENOMEM;
    }
    if (flags & CLONE_FS) {
        child->fs = parent->fs;
        child->fs->refs++;
    } else if (!(child->fs = fs_context_copy(parent->fs))) {
        return -ENOMEM;
    }
    return 0;
}

static void undo(struct task *child)
{
    if (child->aspace)
        aspace_put(child->aspace);
    files_put(child->files);
    fs_context_put(child->fs);
    task_free(child);
}

static void copy_plain(struct task *child, const struct clone_args *args)
{
    struct task *parent = current_task;
    cpu_fxsave(parent->fpu);
    memcpy(child->fpu, parent->fpu, sizeof(child->fpu));
    child->fs_base = args->flags & CLONE_SETTLS ? args->tls : cpu_read_msr(MSR_FS_BASE);
    child->gs_base = cpu_read_msr(MSR_GS_BASE);
    memcpy(child->comm, parent->comm, sizeof(child->comm));
    memcpy(child->limits, parent->limits, sizeof(child->limits));
    child->cred = parent->cred;
    child->signals = parent->signals;
    child->signals.pending = 0;
    child->signals.alarm_at = 0;
    child->image = parent->image;
    image_get(child->image);
    child->pgid = parent->pgid;
    child->sid = parent->sid;
    child->exit_signal = args->exit_signal;
    child->start_ns = timer_monotonic_ns();
    child->clear_child_tid = args->flags & CLONE_CHILD_CLEARTID ? args->child_tid : 0;
}

static void wait_for_vfork(struct task *child)
{
    current_task->vfork_waiting = true;
    while (child->vfork_pending)
        sched_sleep_uninterruptible(&child->vfork_done);
    current_task->vfork_waiting = false;
}

long task_clone(const struct clone_args *args)
{
    struct task *child = task_create();
    if (!child)
        return -EAGAIN;
    int error = share_or_copy(child, args->flags);
    if (!error && (args->flags & CLONE_CHILD_SETTID))
        error = aspace_write(child->aspace, args->child_tid, &child->pid, sizeof(child->pid));
    if (!error && (args->flags & CLONE_PARENT_SETTID))
        error = copy_to_user(user_ptr(args->parent_tid), &child->pid, sizeof(child->pid));
    if (error) {
        undo(child);
        return error == -ENOMEM ? -ENOMEM : -EFAULT;
    }
    copy_plain(child, args);
    prepare_stack(child, args);
    child->parent = current_task;
    list_append(&current_task->children, &child->siblings);
    child->vfork_pending = args->flags & CLONE_VFORK;
    int pid = child->pid;
    sched_wake(child);
    debug_stop(STOP_FORK, current_task);
    if (args->flags & CLONE_VFORK)
        wait_for_vfork(child);
    return pid;
}
