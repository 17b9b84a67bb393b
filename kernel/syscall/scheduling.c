/* Scheduling policies and affinity. All processes are scheduled equally, on one processor. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "syscall/user.h"
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

long sys_sched_getaffinity(int pid, unsigned size, user_t mask)
{
    const uint64_t first = 1;
    if (size == 0 || size % sizeof(first) != 0)
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
    if (!may_change(process))
        return -EPERM;
    return wanted & 1 ? 0 : -EINVAL;
}

long sys_sched_getscheduler(int pid)
{
    if (pid < 0)
        return -EINVAL;
    return target(pid) ? SCHED_OTHER : -ESRCH;
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

/* Real-time policies are refused for all users. */
static long set_policy(int pid, int policy, user_t param)
{
    int priority;
    if (user_is_null(param) || pid < 0)
        return -EINVAL;
    if (copy_from_user(&priority, param, sizeof(priority)) != 0)
        return -EFAULT;
    LENDING();
    const struct process *process = target(pid);
    if (!process)
        return -ESRCH;
    if (is_real_time(policy))
        return priority < RT_MIN || priority > RT_MAX ? -EINVAL : -EPERM;
    if (policy != SCHED_OTHER || priority != 0)
        return -EINVAL;
    return may_change(process) ? 0 : -EPERM;
}

long sys_sched_setscheduler(int pid, int policy, user_t param)
{
    return policy < 0 ? -EINVAL : set_policy(pid, policy & ~RESET_ON_FORK, param);
}

long sys_sched_setparam(int pid, user_t param)
{
    return set_policy(pid, SCHED_OTHER, param);
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
