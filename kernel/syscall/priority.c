/* Nice values. They are stored and reported, but do not change the scheduling. */
#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

#define PRIO_PROCESS 0
#define PRIO_PGRP    1
#define PRIO_USER    2
#define NICE_MIN     (-20)
#define NICE_MAX     19

static bool is_meant(const struct process *process, int which, int who)
{
    const struct process *self = current_process;
    switch (which) {
    case PRIO_PROCESS:
        return process->pid == (who ? who : self->pid);
    case PRIO_PGRP:
        return process->pgid == (who ? who : self->pgid);
    default:
        return process->cred.user.real == (who ? (uint32_t)who : self->cred.user.real);
    }
}

/* The highest priority of the selected processes, as 20 - nice; -ESRCH: there are none. */
long sys_getpriority(int which, int who)
{
    long best = -ESRCH;
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    FOR_EACH_PROCESS (process)
        if (is_meant(process, which, who) && 20 - process->nice > best)
            best = 20 - process->nice;
    return best;
}

static int set_nice(struct process *process, int value)
{
    uint32_t self = current_process->cred.user.effective;
    const struct ids *ids = &process->cred.user;
    if (!capable(CAP_SYS_NICE) && ids->real != self && ids->effective != self)
        return -EPERM;
    if (!capable(CAP_SYS_NICE) && value < process->nice)
        return -EACCES;
    process->nice = value;
    return 0;
}

long sys_setpriority(int which, int who, int value)
{
    int error = -ESRCH;
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    value = value < NICE_MIN ? NICE_MIN : value > NICE_MAX ? NICE_MAX : value;
    FOR_EACH_PROCESS (process) {
        if (!is_meant(process, which, who))
            continue;
        int refused = set_nice(process, value);
        error = refused ? refused : error == -ESRCH ? 0 : error;
    }
    return error;
}

/* No process has an I/O scheduling class. */
long sys_ioprio_get(int which, int who)
{
    if (which < PRIO_PROCESS + 1 || which > PRIO_USER + 1)
        return -EINVAL;
    FOR_EACH_PROCESS (process)
        if (is_meant(process, which - 1, who))
            return 0;
    return -ESRCH;
}
