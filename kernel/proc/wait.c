#include <limits.h>

#include "lib/errno.h"
#include "proc/proc.h"
#include "task/process.h"

#define WNOHANG          1u
#define WUNTRACED        2u
#define WCONTINUED       8u
#define WNOTHREAD        0x20000000u
#define WALL             0x40000000u
#define WCLONE           0x80000000u
#define WAIT_ALL_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)

/* A child whose exit signal is not SIGCHLD matches __WCLONE or __WALL. */
static bool matches(const struct process *child, int pid, unsigned options)
{
    if (!(options & WALL) && (child->exit_signal != SIGCHLD) != ((options & WCLONE) != 0))
        return false;
    if (pid > 0)
        return child->pid == pid;
    if (pid == -1)
        return true;
    return child->pgid == (pid == 0 ? current_process->pgid : -pid);
}

static long reap(struct process *child, int *status, struct child_usage *usage)
{
    int pid = child->pid;
    *status = child->wait_status;
    *usage = (struct child_usage){child->user_ticks + child->child_user_ticks,
                                  child->system_ticks + child->child_system_ticks,
                                  child->faults + child->child_faults};
    current_process->child_faults += usage->faults;
    current_process->child_user_ticks += usage->user_ticks;
    current_process->child_system_ticks += usage->system_ticks;
    process_unlist(child);
    return pid;
}

/* Returns 0 if there are children to wait for and none of them has ended. */
static long find_ended(int pid, unsigned options, int *status, struct child_usage *usage)
{
    long found = -ECHILD;
    LIST_FOR_EACH (child, &current_process->children, struct process, siblings) {
        if (!matches(child, pid, options))
            continue;
        if (child->state == PROCESS_ZOMBIE)
            return reap(child, status, usage);
        found = 0;
    }
    return found;
}

long process_wait(int pid, int options, int *status, struct child_usage *usage)
{
    unsigned wanted = (unsigned)options;
    if (wanted & ~WAIT_ALL_OPTIONS)
        return -EINVAL;
    if (pid == INT_MIN)
        return -ESRCH;
    for (;;) {
        long found = find_ended(pid, wanted, status, usage);
        if (found != 0 || (wanted & WNOHANG))
            return found;
        int error = sched_sleep(&current_process->child_changed, SLEEP_FOREVER);
        if (error)
            return -ERESTARTSYS;
    }
}
