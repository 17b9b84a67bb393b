#include "lib/errno.h"
#include "proc/proc.h"
#include "task/process.h"

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
        .usage = {child->user_ticks + child->child_user_ticks,
                  child->system_ticks + child->child_system_ticks,
                  child->faults + child->child_faults},
    };
}

static void reap(struct process *child, const struct child_usage *usage)
{
    current_process->child_faults += usage->faults;
    current_process->child_user_ticks += usage->user_ticks;
    current_process->child_system_ticks += usage->system_ticks;
    process_unlist(child);
}

/* Returns 0 if there are children to wait for and none of them has ended. */
static long find_ended(const struct wait_request *wanted, struct ended_child *out)
{
    long found = -ECHILD;
    LIST_FOR_EACH (child, &current_process->children, struct process, siblings) {
        if (!matches(child, wanted))
            continue;
        if (child->state != PROCESS_ZOMBIE) {
            found = 0;
        } else if (wanted->options & WEXITED) {
            describe(child, out);
            if (!(wanted->options & WNOWAIT))
                reap(child, &out->usage);
            return out->pid;
        }
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
