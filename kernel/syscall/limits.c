/* Limits of resources, and how much of them is used. */
#include "dev/timer.h"
#include "file/files.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "task/process.h"

/* prlimit(2): the caller must have CAP_SYS_RESOURCE, or have the same user and group ids. */
static bool may_limit(const struct process *target)
{
    const struct credentials *own = &current_process->cred, *its = &target->cred;
    return target == current_process || capable(CAP_SYS_RESOURCE) ||
           (own->user.real == its->user.real && own->user.real == its->user.effective &&
            own->user.real == its->user.saved && own->group.real == its->group.real &&
            own->group.real == its->group.effective && own->group.real == its->group.saved);
}

static long limits_of(struct process *process, unsigned resource, const struct rlimit *wanted,
                      user_t old)
{
    struct rlimit before = process->limits[resource];
    if (wanted && wanted->soft > wanted->hard)
        return -EINVAL;
    if (wanted && resource == RLIMIT_NOFILE && wanted->hard > FILES_MAX)
        return -EPERM;
    if (wanted && wanted->hard > before.hard && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (wanted) {
        process->limits[resource] = *wanted;
        process_limits_changed(process);
    }
    return user_is_null(old) ? 0 : copy_to_user(old, &before, sizeof(before));
}

static long limits(int pid, unsigned resource, user_t new, user_t old)
{
    struct rlimit wanted;
    bool sets = !user_is_null(new);
    if (sets && copy_from_user(&wanted, new, sizeof(wanted)) != 0)
        return -EFAULT;
    struct process *process = process_find(pid ? pid : current_process->pid);
    if (!process)
        return -ESRCH;
    long result = -EPERM;
    if (may_limit(process))
        result =
            resource < RLIMITS ? limits_of(process, resource, sets ? &wanted : NULL, old) : -EINVAL;
    process_put(process);
    return result;
}

long sys_prlimit64(int pid, unsigned resource, user_t new_limit, user_t old_limit)
{
    return limits(pid, resource, new_limit, old_limit);
}

long sys_getrlimit(unsigned resource, user_t rlim)
{
    long error = limits(0, resource, user_ptr(0), rlim);
    return !error && user_is_null(rlim) ? -EFAULT : error;
}

long sys_setrlimit(unsigned resource, user_t rlim)
{
    return user_is_null(rlim) ? -EFAULT : limits(0, resource, rlim, user_ptr(0));
}

/* getrusage(2) and times(2). */

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1
#define USER_HZ         100 /* sysconf(_SC_CLK_TCK) */

_Static_assert(TIMER_HZ == USER_HZ, "struct tms counts ticks");

long sys_getrusage(int who, user_t usage)
{
    struct usage used;
    switch (who) {
    case RUSAGE_SELF:
        used = process_usage(current_process);
        break;
    case RUSAGE_CHILDREN:
        used = current_process->child_used;
        break;
    case RUSAGE_THREAD:
        used = current_thread->used;
        used.most_pages = process_usage(current_process).most_pages;
        break;
    default:
        return -EINVAL;
    }
    struct rusage out = rusage_of(&used);
    return copy_to_user(usage, &out, sizeof(out));
}

/* Returns the ticks since the start of the machine. */
long sys_times(user_t buf)
{
    const struct usage used = process_usage(current_process);
    const struct usage *children = &current_process->child_used;
    const uint64_t tms[4] = {used.user_ticks, used.system_ticks, children->user_ticks,
                             children->system_ticks};
    if (!user_is_null(buf) && copy_to_user(buf, tms, sizeof(tms)) != 0)
        return -EFAULT;
    return (long)(timer_monotonic_ns() / (NS_PER_SECOND / USER_HZ));
}
