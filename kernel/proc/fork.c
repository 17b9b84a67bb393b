#include "dev/timer.h"
#include "exec/image.h"
#include "file/files.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "task/process.h"

static void copy_frame(struct thread *child, const struct clone_args *args)
{
    struct trap_frame *frame = thread_frame(child);
    *frame = *thread_frame(current_thread);
    frame->rax = 0;
    if (args->stack)
        frame->rsp = args->stack;
    thread_prepare(child, NULL);
}

/* Copies in chunks, but in one piece if other processes use the address space and may change it. */
static int copy_memory(struct aspace *from, struct aspace **out)
{
    virt_t at = virt(0);
    struct aspace *copy;
    if (from->refs.count > 1)
        return aspace_clone(from, out);
    int error = aspace_clone_begin(from, &copy);
    if (error)
        return error;
    do {
        error = aspace_clone_some(from, copy, &at, aspace_budget(from));
        if (!error && at.value < USER_END)
            error = sched_point();
    } while (!error && at.value < USER_END);
    if (error) {
        process_leave_aspace(copy);
        return error;
    }
    *out = copy;
    return 0;
}

static int share_or_copy_memory(struct process *child, uint64_t flags)
{
    if (!(flags & CLONE_VM))
        return copy_memory(current_process->aspace, &child->aspace);
    child->aspace = current_process->aspace;
    aspace_get(child->aspace);
    return 0;
}

static int share_or_copy(struct process *child, uint64_t flags)
{
    const struct process *parent = current_process;
    if (flags & CLONE_FILES)
        files_get(child->files = parent->files);
    else if (!(child->files = files_copy(parent->files)))
        return -ENOMEM;
    if (flags & CLONE_FS)
        ref_get(&(child->fs = parent->fs)->refs);
    else if (!(child->fs = fs_context_copy(parent->fs)))
        return -ENOMEM;
    if (flags & CLONE_SIGHAND)
        ref_get(sighand_refs(child->sighand = parent->sighand));
    else if (!(child->sighand = sighand_copy(parent->sighand)))
        return -ENOMEM;
    return share_or_copy_memory(child, flags);
}

static void undo(struct process *child, struct thread *thread)
{
    if (child->aspace)
        process_leave_aspace(child->aspace);
    files_put(child->files);
    fs_context_put(child->fs);
    sighand_put(child->sighand);
    if (thread)
        thread_put(thread);
    process_unlist(child);
}

static void copy_process(struct process *child, const struct clone_args *args)
{
    const struct process *parent = current_process;
    child->nice = parent->nice;
    child->io_priority = parent->io_priority;
    child->policy = parent->policy;
    child->oom_adjust = parent->oom_adjust;
    child->oom_adjust_min = parent->oom_adjust_min;
    child->timer_slack = parent->timer_slack;
    child->undumpable = parent->undumpable;
    child->personality = parent->personality;
    child->has_terminal = parent->has_terminal;
    process_set_floor(child);
    child->image = parent->image;
    image_get(child->image);
    process_set_group(child, parent->pgid, parent->sid);
    child->exit_signal = args->exit_signal;
    child->start_ns = timer_monotonic_ns();
    child->exec_id = child->parent_exec_id = parent->exec_id;
}

static void copy_thread(struct thread *child, const struct clone_args *args)
{
    struct thread *parent = current_thread;
    user_state_save(&child->user); /* the parent's, which is in the processor */
    if (args->flags & CLONE_SETTLS)
        child->user.fs_base = args->tls;
    memcpy(child->comm, parent->comm, sizeof(child->comm));
    child->signals.blocked = parent->signals.blocked;
    if (args->flags & CLONE_VM)
        child->work |= parent->work & WORK_LIMITS;
    if (!(args->flags & CLONE_VM) || (args->flags & CLONE_VFORK))
        child->signals.altstack = parent->signals.altstack;
    child->clear_child_tid =
        user_ptr(args->flags & CLONE_CHILD_CLEARTID ? args->child_tid.value : 0);
    copy_frame(child, args);
}

/* The parent waits until the child stops using its memory. Only a fatal signal interrupts it. */
static void wait_for_vfork(struct process *child)
{
    process_get(child);
    while (child->vfork_pending)
        if (sched_sleep_killable(&child->vfork_done) != 0)
            break;
    process_put(child);
}

/* As on Linux, a bad pointer does not stop the child. -ENOMEM */
static int store_pids(const struct process *child, const struct clone_args *args)
{
    int error = 0;
    if (args->flags & CLONE_CHILD_SETTID)
        error = aspace_write(child->aspace, user_virt(args->child_tid), &child->pid,
                             sizeof(child->pid));
    if (args->flags & CLONE_PARENT_SETTID)
        (void)copy_to_user(args->parent_tid, &child->pid, sizeof(child->pid));
    return error == -ENOMEM ? error : 0;
}

/* There are scheduling points while the memory is copied. Other processes find the child only when it is whole:
 * its thread cannot be woken before, nor are its rights set. */
long process_clone(const struct clone_args *args)
{
    if ((args->flags & CLONE_SETTLS) && args->tls >= USER_END)
        return -EPERM;
    if (!process_may_fork())
        return -EAGAIN;
    struct process *child = process_create();
    if (!child)
        return -EAGAIN;
    struct thread *thread = thread_create(child, child->pid);
    int error = thread ? share_or_copy(child, args->flags) : -ENOMEM;
    if (!error)
        error = store_pids(child, args);
    if (error) {
        undo(child, thread);
        return error;
    }
    copy_process(child, args);
    copy_thread(thread, args);
    child->parent = current_process;
    list_append(&current_process->children, &child->siblings);
    child->vfork_pending = args->flags & CLONE_VFORK;
    int pid = child->pid;
    child->state = PROCESS_LIVE;
    processes_started++;
    sched_wake(thread);
    debug_stop(STOP_FORK, current_process);
    if (args->flags & CLONE_VFORK)
        wait_for_vfork(child);
    return pid;
}
