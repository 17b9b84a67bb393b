/* Process groups and sessions. */
#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

/* Takes no reference. */
static struct process *process_or_self(int pid)
{
    return pid ? process_peek(pid) : current_process;
}

/* True if the session has this process group. */
static bool group_exists(int group, int session)
{
    FOR_EACH_PROCESS (process)
        if (process->pgid == group && process->sid == session)
            return true;
    return false;
}

long sys_setpgid(int pid, int pgid)
{
    LENDING();
    struct process *process = process_or_self(pid);
    int group = pgid ? pgid : pid;
    if (group < 0)
        return -EINVAL;
    if (!process || (process != current_process && process->parent != current_process))
        return -ESRCH;
    if (process->sid != current_process->sid || process->pid == process->sid)
        return -EPERM;
    if (process != current_process && process->exec_id != process->parent_exec_id)
        return -EACCES; /* the child runs another program already */
    group = group ? group : process->pid;
    if (group != process->pid && !group_exists(group, process->sid))
        return -EPERM;
    process_set_group(process, group, process->sid);
    return 0;
}

long sys_getpgid(int pid)
{
    LENDING();
    const struct process *process = process_or_self(pid);
    return process ? process->pgid : -ESRCH;
}

long sys_getpgrp(void)
{
    return current_process->pgid;
}

long sys_getsid(int pid)
{
    LENDING();
    const struct process *process = process_or_self(pid);
    return process ? process->sid : -ESRCH;
}

long sys_setsid(void)
{
    FOR_EACH_PROCESS (process)
        if (process->pgid == current_process->pid)
            return -EPERM;
    process_set_group(current_process, current_process->pid, current_process->pid);
    current_process->has_terminal = false;
    return current_process->pid;
}
