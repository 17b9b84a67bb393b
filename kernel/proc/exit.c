#include "arch/features.h"
#include "arch/tlb.h"
#include "dev/power.h"
#include "dev/print.h"
#include "exec/image.h"
#include "file/files.h"
#include "file/futex.h"
#include "file/root.h"
#include "file/tty.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kernel_map.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "task/bound.h"
#include "task/process.h"
#include "task/rights.h"

void process_leave_aspace(struct aspace *as)
{
    if (ref_put(&as->refs))
        while (aspace_free_some(as, aspace_budget(as)))
            (void)sched_point();
}

/*
 * Releases files, directory, signal actions and address space. Other processes see that they are
 * gone.
 */
static void release(struct process *process)
{
    struct files *files = process->files;
    struct fs_context *fs = process->fs;
    struct aspace *as = process->aspace;
    struct image *image = process->image;
    process->files = NULL;
    process->fs = NULL;
    process->aspace = NULL;
    process->image = NULL;
    files_put(files);
    fs_context_put(fs);
    tlb_switch(frame_phys(kernel_pagetable.root));
    process_leave_aspace(as);
    image_put(image);
    if (current_thread->work & WORK_REAP)
        root_reap();
}

static bool wants_no_zombies(const struct process *parent)
{
    const struct sigaction *action = sighand_action(parent->sighand, SIGCHLD);
    return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

/* Signals the end of a process to its parent. Returns true if the parent ignores its children: then
 * no process will wait for this one. */
static bool tell_parent(const struct process *process)
{
    struct process *parent = process->parent;
    int by_signal = process->wait_status & 0x7f, signal = process->exit_signal;
    if (process->parent_exec_id != parent->exec_id)
        signal = SIGCHLD; /* the parent has executed another program since, even if it was 0 */
    struct signal_info info = {.code = by_signal ? CLD_KILLED : CLD_EXITED,
                               .pid = process->pid,
                               .uid = process->cred.user.real,
                               .status = by_signal ? by_signal : process->wait_status >> 8};
    bool nobody_waits = signal == SIGCHLD && wants_no_zombies(parent);
    /* A SIGCHLD that is ignored is not even kept while it is blocked. */
    bool drops = signal == SIGCHLD && sighand_action(parent->sighand, signal)->handler == SIG_IGN;
    if (signal && !drops)
        (void)signal_send(parent, signal, &info);
    sched_wake_all(&parent->child_changed);
    return nobody_waits;
}

/* The process that gets the orphans: the nearest ancestor that asked for them, or process 1. */
static struct process *reaper_of(const struct process *process)
{
    struct process *reaper = process->parent;
    while (reaper && !(reaper->is_subreaper && reaper->state == PROCESS_LIVE))
        reaper = reaper->parent;
    return reaper ? reaper : process_peek(1);
}

/* `process` is the current one. As on Linux, only children that it may signal get a signal at its death. */
static void give_children_away(struct process *process)
{
    if (list_empty(&process->children))
        return;
    struct process *reaper = reaper_of(process);
    const struct signal_info info = {
        .code = SI_USER, .pid = process->pid, .uid = process->cred.user.real};
    LIST_FOR_EACH (child, &process->children, struct process, siblings) {
        list_remove(&child->siblings);
        child->parent = reaper;
        child->exit_signal = SIGCHLD;
        list_append(&reaper->children, &child->siblings);
        if (child->death_signal && child->state == PROCESS_LIVE &&
            rights_to_signal(child, child->death_signal))
            (void)signal_send(child, child->death_signal, &info);
        if (child->state == PROCESS_ZOMBIE && tell_parent(child))
            process_unlist(child);
    }
}

/* With the word `check` the protections of the kernel are checked again at the end. */
static _Noreturn void end_of_init(int status)
{
    if (cmdline_value("check")) {
        kernel_map_check();
        features_check();
        print("check: the kernel is protected as it was at the start");
    }
    bound_print();
    if ((status & 0x7f) == 0)
        power_off(VERDICT_EXIT, (unsigned)status >> 8);
    power_off(VERDICT_SIGNAL, (unsigned)status & 0x7f);
}

/* From here on the process has no thread. */
static void end_thread(struct thread *thread)
{
    struct process *process = thread->process;
    pending_signals_clear(&thread->signals.pending, UINT64_MAX);
    usage_add(&process->used, &thread->used);
    memcpy(process->last_comm, thread->comm, sizeof(process->last_comm));
    list_remove(&thread->siblings);
    thread->state = THREAD_ENDED;
}

static void become_zombie(struct process *process, int status)
{
    process->wait_status = status;
    process->state = PROCESS_ZOMBIE;
    process->io_priority = 0;
    pending_signals_clear(&process->pending, UINT64_MAX);
    sighand_put(process->sighand);
    process->sighand = NULL;
    if (tell_parent(process))
        process_unlist(process);
}

void process_leave_memory(void)
{
    const int zero = 0;
    user_t place = current_thread->clear_child_tid;
    process_keep_usage();
    futex_leave_mutexes();
    current_thread->clear_child_tid = user_ptr(0);
    if (user_is_null(place) || current_process->aspace->refs.count <= 1)
        return;
    (void)copy_to_user(place, &zero, sizeof(zero));
    (void)futex_wake(place, false, 1, FUTEX_ALL_BITS);
}

void process_exit(int status)
{
    struct process *process = current_process;
    frame_floor = process->frame_floor = 0; /* a process that ends may use the reserve */
    if (cmdline_options.shows_exit)
        image_print_frames(process->image->path, process->aspace);
    debug_stop(STOP_EXIT, process);
    if (process->pid == 1)
        end_of_init(status);
    process_leave_memory();
    release(process);
    give_children_away(process);
    tty_session_exit(process);
    end_thread(current_thread);
    process->vfork_pending = false;
    sched_wake_all(&process->vfork_done);
    become_zombie(process, status);
    sched_exit();
}

/* A child whose exit signal is not SIGCHLD matches __WCLONE or __WALL. */
static bool matches(const struct process *child, const struct wait_request *wanted)
{
    unsigned options = wanted->options;
    if (!(options & WALL) && (child->exit_signal != SIGCHLD) != ((options & WCLONE) != 0))
        return false;
    if (wanted->kind == WAIT_PID)
        return child->pid == wanted->id;
    return wanted->kind == WAIT_ANY || child->pgid == wanted->id;
}

static void describe(const struct process *child, struct ended_child *out)
{
    *out = (struct ended_child){
        .pid = child->pid,
        .status = child->wait_status,
        .uid = child->cred.user.real,
        .usage = child->used,
    };
    usage_add(&out->usage, &child->child_used);
}

static void reap(struct process *child, const struct usage *used)
{
    usage_add(&current_process->child_used, used);
    process_unlist(child);
}

/* -ECHILD if the child is not one to wait for, 0 if it has not ended. */
static long look_at(struct process *child, const struct wait_request *wanted,
                    struct ended_child *out)
{
    if (!matches(child, wanted))
        return -ECHILD;
    if (child->state != PROCESS_ZOMBIE)
        return 0;
    if (!(wanted->options & WEXITED))
        return -ECHILD;
    describe(child, out);
    if (!(wanted->options & WNOWAIT))
        reap(child, &out->usage);
    return out->pid;
}

/* Returns 0 if there are children to wait for and none of them has ended. */
static long find_ended(const struct wait_request *wanted, struct ended_child *out)
{
    long found = -ECHILD;
    if (wanted->kind == WAIT_PID) {
        struct process *child = process_peek(wanted->id);
        return child && child->parent == current_process ? look_at(child, wanted, out) : -ECHILD;
    }
    LIST_FOR_EACH (child, &current_process->children, struct process, siblings) {
        long result = look_at(child, wanted, out);
        if (result > 0)
            return result;
        if (result == 0)
            found = 0;
    }
    return found;
}

long process_wait(const struct wait_request *wanted, struct ended_child *out)
{
    for (;;) {
        long found = find_ended(wanted, out);
        if (found != 0 || (wanted->options & WNOHANG))
            return found;
        int error = sched_sleep(&current_process->child_changed, SLEEP_FOREVER);
        if (error)
            return -ERESTARTSYS;
    }
}
