#include "arch/tlb.h"
#include "arch/features.h"
#include "lib/cmdline.h"
#include "dev/power.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "mm/kernel_map.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "task/task.h"

#define WNOHANG          1
#define WUNTRACED        2
#define WCONTINUED       8
#define WAIT_ALL_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | 0xe0000000)

/* Gives up the program: address space, files, directory. */
static void release(struct task *task)
{
    struct aspace *as = task->aspace;
    files_put(task->files);
    fs_context_put(task->fs);
    task->files = NULL;
    task->fs = NULL;
    task->aspace = NULL;
    tlb_switch(frame_phys(kernel_pagetable.root));
    aspace_put(as);
    image_put(task->image);
    task->image = NULL;
}

static void give_children_to_init(struct task *task)
{
    struct task *init = task_find(1);
    LIST_FOR_EACH (child, &task->children, struct task, siblings) {
        list_remove(&child->siblings);
        child->parent = init;
        list_append(&init->children, &child->siblings);
        if (child->state == TASK_ZOMBIE)
            sched_wake_all(&init->child_changed);
    }
}

static bool wants_no_zombies(const struct task *parent)
{
    const struct sigaction *action = &parent->signals.actions[SIGCHLD - 1];
    return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

static void tell_parent(const struct task *task, int status)
{
    int signal = status & 0x7f;
    struct signal_info info = {.code = signal ? CLD_KILLED : CLD_EXITED,
                               .pid = task->pid,
                               .uid = task->cred.user.real,
                               .status = signal ? signal : status >> 8};
    signal_send(task->parent, task->exit_signal, &info);
}

/* With the word `check` the protection of the kernel is looked at once more, after all that ran. */
static _Noreturn void end_of_init(int status)
{
    if (cmdline_value("check")) {
        kernel_map_check();
        features_check();
        print("check: the kernel is protected as it was at the start");
    }
    if ((status & 0x7f) == 0)
        power_off(VERDICT_EXIT, (unsigned)status >> 8);
    power_off(VERDICT_SIGNAL, (unsigned)status & 0x7f);
}

void task_exit(int status)
{
    struct task *task = current_task;
    if (cmdline_lists("show", "exit"))
        image_print_frames(task->image->path, task->aspace);
    if (task->pid == 1)
        end_of_init(status);
    if (task->clear_child_tid) {
        int zero = 0;
        (void)copy_to_user(user_ptr(task->clear_child_tid), &zero, sizeof(zero));
    }
    debug_stop(STOP_EXIT, task);
    release(task);
    give_children_to_init(task);
    task->wait_status = status;
    task->state = TASK_ZOMBIE;
    task->vfork_pending = false;
    sched_wake_all(&task->vfork_done);
    if (task->exit_signal)
        tell_parent(task, status);
    sched_wake_all(&task->parent->child_changed);
    sched_exit();
}

static bool matches(const struct task *child, int pid)
{
    if (pid > 0)
        return child->pid == pid;
    if (pid == -1)
        return true;
    return child->pgid == (pid == 0 ? current_task->pgid : -pid);
}

static long reap(struct task *child, int *status)
{
    int pid = child->pid;
    *status = child->wait_status;
    current_task->child_ticks += child->user_ticks + child->system_ticks + child->child_ticks;
    task_free(child);
    return pid;
}

/* 1: there are children to wait for, none has ended. */
static long find_ended(int pid, int *status)
{
    long found = -ECHILD;
    LIST_FOR_EACH (child, &current_task->children, struct task, siblings) {
        if (!matches(child, pid))
            continue;
        if (child->state == TASK_ZOMBIE && !wants_no_zombies(current_task))
            return reap(child, status);
        if (child->state == TASK_ZOMBIE) {
            int ignored;
            reap(child, &ignored);
            continue;
        }
        found = 0;
    }
    return found;
}

long task_wait(int pid, int *status, int options)
{
    if ((unsigned)options & ~WAIT_ALL_OPTIONS)
        return -EINVAL;
    for (;;) {
        long found = find_ended(pid, status);
        if (found != 0 || (options & WNOHANG))
            return found;
        int error = sched_sleep(&current_task->child_changed, UINT64_MAX);
        if (error)
            return -ERESTARTSYS;
    }
}
