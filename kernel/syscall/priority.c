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

#define IOPRIO_CLASS(value) ((unsigned)(value) >> 13)
#define IOPRIO_NONE         0u
#define IOPRIO_RT           1u
#define IOPRIO_BE           2u
#define IOPRIO_IDLE         3u
#define IOPRIO_LEVELS       8 /* of a class */

/* The best I/O priority of the selected processes. Of each class the lower value is the better one, and
 * none at all, which is 0, the usual one. */
long sys_ioprio_get(int which, int who)
{
    const int usual = (int)(IOPRIO_BE << 13) + IOPRIO_LEVELS / 2;
    int best = -1, best_rank = 0;
    if (which < PRIO_PROCESS + 1 || which > PRIO_USER + 1)
        return -EINVAL;
    FOR_EACH_PROCESS (process) {
        int value = process->io_priority, rank = value ? value : usual;
        if (is_meant(process, which - 1, who) && (best < 0 || rank < best_rank)) {
            best = value;
            best_rank = rank;
        }
    }
    return best < 0 ? -ESRCH : best;
}

static int check_io_priority(int value)
{
    int level = value & 0x1fff;
    switch (IOPRIO_CLASS(value)) {
    case IOPRIO_RT:
        if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
            return -EPERM;
        return level < IOPRIO_LEVELS ? 0 : -EINVAL;
    case IOPRIO_BE:
        return level < IOPRIO_LEVELS ? 0 : -EINVAL;
    case IOPRIO_IDLE:
        return 0;
    default:
        return value == 0 ? 0 : -EINVAL;
    }
}

static int set_io_priority(struct process *process, int value)
{
    uint32_t real = process->cred.user.real;
    const struct ids *own = &current_process->cred.user;
    if (real != own->effective && real != own->real && !capable(CAP_SYS_NICE))
        return -EPERM;
    process->io_priority = (uint16_t)value;
    return 0;
}

/* The value is stored, and has no effect: files are in memory. */
long sys_ioprio_set(int which, int who, int ioprio)
{
    int error = check_io_priority(ioprio);
    if (error)
        return error;
    if (which < PRIO_PROCESS + 1 || which > PRIO_USER + 1)
        return -EINVAL;
    error = -ESRCH;
    FOR_EACH_PROCESS (process) {
        if (!is_meant(process, which - 1, who))
            continue;
        error = set_io_priority(process, ioprio);
        if (error)
            break;
    }
    return error;
}
