/* Scheduling policies and affinity. All processes are scheduled equally, on one processor. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "task/process.h"

#define SCHED_OTHER    0
#define SCHED_FIFO     1
#define SCHED_RR       2
#define SCHED_BATCH    3
#define SCHED_IDLE     5
#define SCHED_DEADLINE 6
#define RESET_ON_FORK  0x40000000
#define RT_MIN         1
#define RT_MAX         99

static struct process *target(int pid)
{
    return pid == 0 ? current_process : process_peek(pid);
}

static bool may_change(const struct process *process)
{
    uint32_t self = current_process->cred.user.effective;
    const struct ids *ids = &process->cred.user;
    return capable(CAP_SYS_NICE) || ids->real == self || ids->effective == self;
}

/* A process with capabilities that the caller lacks may not be slowed down by it. */
static bool may_slow(const struct process *process)
{
    uint64_t more = process->cred.caps.permitted & ~current_process->cred.caps.permitted;
    return more == 0 || capable(CAP_SYS_NICE);
}

long sys_sched_getaffinity(int pid, unsigned size, user_t mask)
{
    const uint64_t first = 1;
    const unsigned bits = size * 8; /* as on Linux, where it overflows */
    if (bits == 0 || size % sizeof(first) != 0)
        return -EINVAL;
    if (!target(pid))
        return -ESRCH;
    return copy_to_user(mask, &first, sizeof(first)) != 0 ? -EFAULT : (long)sizeof(first);
}

long sys_sched_setaffinity(int pid, unsigned size, user_t mask)
{
    uint64_t wanted = 0;
    if (copy_from_user(&wanted, mask, size < sizeof(wanted) ? size : sizeof(wanted)) != 0)
        return -EFAULT;
    LENDING();
    const struct process *process = target(pid);
    if (!process)
        return -ESRCH;
    if (!may_change(process) || !may_slow(process))
        return -EPERM;
    return wanted & 1 ? 0 : -EINVAL;
}

long sys_sched_getscheduler(int pid)
{
    if (pid < 0)
        return -EINVAL;
    const struct process *process = target(pid);
    return process ? process->policy : -ESRCH;
}

long sys_sched_getparam(int pid, user_t param)
{
    const int priority = 0;
    if (user_is_null(param) || pid < 0)
        return -EINVAL;
    if (!target(pid))
        return -ESRCH;
    return copy_to_user(param, &priority, sizeof(priority));
}

static bool is_real_time(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* Those that are kept; the scheduler treats them the same. */
static bool is_ordinary(int policy)
{
    return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

static int check_policy(int policy, unsigned priority)
{
    if (is_real_time(policy))
        return priority < RT_MIN || priority > RT_MAX ? -EINVAL : 0;
    return policy == SCHED_DEADLINE || (is_ordinary(policy) && priority == 0) ? 0 : -EINVAL;
}

/* Whether a process may get a nice value that is lower than the one it has. */
static bool may_be_nicer(const struct process *process, int nice)
{
    return (uint64_t)(20 - nice) <= process->limits[RLIMIT_NICE].soft || capable(CAP_SYS_NICE);
}

/* Real-time policies are refused for all users. */
static bool may_set_policy(const struct process *process, int policy)
{
    if (!is_ordinary(policy) || !may_change(process) || !may_slow(process))
        return false;
    return process->policy != SCHED_IDLE || policy == SCHED_IDLE ||
           may_be_nicer(process, process->nice);
}

static long set_policy(struct process *process, int policy, unsigned priority)
{
    int error = check_policy(policy, priority);
    if (error)
        return error;
    if (!may_set_policy(process, policy))
        return -EPERM;
    process->policy = (uint8_t)policy;
    return 0;
}

#define KEEP_POLICY (-1)

static long set_by_param(int pid, int policy, user_t param)
{
    int priority;
    if (user_is_null(param) || pid < 0)
        return -EINVAL;
    if (copy_from_user(&priority, param, sizeof(priority)) != 0)
        return -EFAULT;
    LENDING();
    struct process *process = target(pid);
    if (!process)
        return -ESRCH;
    return set_policy(process, policy == KEEP_POLICY ? process->policy : policy,
                      (unsigned)priority);
}

long sys_sched_setscheduler(int pid, int policy, user_t param)
{
    return policy < 0 ? -EINVAL : set_by_param(pid, policy & ~RESET_ON_FORK, param);
}

long sys_sched_setparam(int pid, user_t param)
{
    return set_by_param(pid, KEEP_POLICY, param);
}

static bool is_policy(int policy)
{
    return policy == SCHED_OTHER || is_real_time(policy) || policy == SCHED_BATCH ||
           policy == SCHED_IDLE || policy == SCHED_DEADLINE;
}

long sys_sched_get_priority_max(int policy)
{
    return !is_policy(policy) ? -EINVAL : is_real_time(policy) ? RT_MAX : 0;
}

long sys_sched_get_priority_min(int policy)
{
    return !is_policy(policy) ? -EINVAL : is_real_time(policy) ? RT_MIN : 0;
}

/* The length of a turn. */
long sys_sched_rr_get_interval(int pid, user_t interval)
{
    if (pid < 0)
        return -EINVAL;
    if (!target(pid))
        return -ESRCH;
    struct timespec turn = timespec_of_ns(TURN_TICKS * (NS_PER_SECOND / TIMER_HZ));
    return copy_to_user(interval, &turn, sizeof(turn));
}

/* struct sched_attr; the first version ends before the last two fields. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least_use, most_use;
};
#define ATTRIBUTES_FIRST 48u /* bytes of the first version */
#define FLAG_KEEP_POLICY 0x08u
#define FLAG_KEEP_PARAMS 0x10u
#define FLAG_CLAMPS      0x60u
#define FLAG_ALL         0x7fu

long sys_sched_getattr(int pid, user_t attr, unsigned size, unsigned flags)
{
    struct attributes out = {.size = sizeof(out)};
    if (user_is_null(attr) || pid < 0 || size > PAGE_SIZE || size < ATTRIBUTES_FIRST || flags)
        return -EINVAL;
    LENDING();
    const struct process *process = target(pid);
    if (!process)
        return -ESRCH;
    if (!user_range_is_valid(attr, size))
        return -EFAULT;
    out.policy = process->policy;
    out.nice = process->nice;
    if (size < sizeof(out))
        out.size = size;
    return copy_to_user(attr, &out, out.size);
}

/* -E2BIG: fields that this kernel does not know and that are not 0; it writes the size that it knows. */
static int attributes_from_user(struct attributes *out, user_t user)
{
    uint32_t size, known = sizeof(*out);
    uint8_t byte;
    if (copy_from_user(&size, user, sizeof(size)) != 0)
        return -EFAULT;
    if (size == 0)
        size = ATTRIBUTES_FIRST;
    bool is_wrong = size < ATTRIBUTES_FIRST || size > PAGE_SIZE;
    for (uint32_t at = known; at < size && !is_wrong; at++) {
        if (copy_from_user(&byte, user_add(user, at), 1) != 0)
            return -EFAULT;
        is_wrong = byte != 0;
    }
    if (is_wrong)
        return copy_to_user(user, &known, sizeof(known)) != 0 ? -EFAULT : -E2BIG;
    *out = (struct attributes){0};
    if (copy_from_user((char *)out + sizeof(size), user_add(user, sizeof(size)),
                       (size < known ? size : known) - sizeof(size)) != 0)
        return -EFAULT;
    return (out->flags & FLAG_CLAMPS) && size < known ? -EINVAL : 0;
}

/* As on Linux, FLAG_KEEP_PARAMS keeps the policy too, but all fields are checked; the idle class has no nice value. */
static long set_attributes(struct process *process, const struct attributes *wanted)
{
    bool keeps = wanted->flags & FLAG_KEEP_PARAMS;
    int policy = wanted->flags & FLAG_KEEP_POLICY ? process->policy : (int)wanted->policy;
    int nice = wanted->nice < -20 ? -20 : wanted->nice > 19 ? 19 : wanted->nice;
    bool sets_nice = !keeps && (policy == SCHED_OTHER || policy == SCHED_BATCH);
    if ((wanted->flags & ~(uint64_t)FLAG_ALL) || check_policy(policy, wanted->priority) != 0)
        return -EINVAL;
    if (sets_nice && nice < process->nice && !may_be_nicer(process, nice))
        return -EPERM;
    if (!may_set_policy(process, policy))
        return -EPERM;
    if (wanted->flags & FLAG_CLAMPS)
        return -EOPNOTSUPP;
    if (!keeps)
        process->policy = (uint8_t)policy;
    if (sets_nice)
        process->nice = nice;
    return 0;
}

long sys_sched_setattr(int pid, user_t attr, unsigned flags)
{
    struct attributes wanted;
    if (user_is_null(attr) || pid < 0 || flags)
        return -EINVAL;
    int error = attributes_from_user(&wanted, attr);
    if (error)
        return error;
    if ((int)wanted.policy < 0)
        return -EINVAL;
    LENDING();
    struct process *process = target(pid);
    return process ? set_attributes(process, &wanted) : -ESRCH;
}

/* Nice values. They are stored and reported, but do not change the scheduling. */

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
    if (value < process->nice && !may_be_nicer(process, value))
        return -EACCES;
    if (!may_slow(process))
        return -EPERM;
    process->nice = value;
    return 0;
}

/* If several processes refuse, the error is that of the oldest one of a group, or of the newest one of a user, as on
 * Linux. */
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
        if (error == -ESRCH || (refused && (which == PRIO_USER || !error)))
            error = refused;
    }
    return error;
}

#define IOPRIO_CLASS(value) ((unsigned)(value) >> 13 & 7)
#define IOPRIO_NONE         0u
#define IOPRIO_RT           1u
#define IOPRIO_BE           2u
#define IOPRIO_IDLE         3u
#define IOPRIO_LEVELS       8 /* of a class */

/* The I/O priority of a process that has not set one: it follows from the policy and the nice value. */
static int usual_io_priority(const struct process *process)
{
    unsigned class = process->policy == SCHED_IDLE ? IOPRIO_IDLE : IOPRIO_BE;
    return (int)(class << 13) + (process->nice - NICE_MIN) / 5;
}

/* The best I/O priority of the selected processes; the lower value is the better one. That of one process is
 * as it was set, and 0 if it was not. */
long sys_ioprio_get(int which, int who)
{
    int best = -1;
    if (which < PRIO_PROCESS + 1 || which > PRIO_USER + 1)
        return -EINVAL;
    FOR_EACH_PROCESS (process) {
        int value = process->io_priority;
        if (IOPRIO_CLASS(value) == IOPRIO_NONE && which - 1 != PRIO_PROCESS)
            value = usual_io_priority(process);
        if (is_meant(process, which - 1, who) && (best < 0 || value < best))
            best = value;
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
    if (!may_slow(process))
        return -EPERM;
    if (process_main_thread(process)) /* one that has ended has no such state any more */
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
