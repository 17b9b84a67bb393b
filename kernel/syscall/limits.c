/* Limits of resources. */
#include "file/files.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/user.h"
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

static long limits_of(struct process *process, unsigned resource, user_t new, user_t old)
{
    struct rlimit wanted, before = process->limits[resource];
    bool set = !user_is_null(new);
    if (set && copy_from_user(&wanted, new, sizeof(wanted)) != 0)
        return -EFAULT;
    if (set && wanted.soft > wanted.hard)
        return -EINVAL;
    if (set && resource == RLIMIT_NOFILE && wanted.hard > FILES_MAX)
        return -EPERM;
    if (set && wanted.hard > before.hard && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (set) {
        process->limits[resource] = wanted;
        process_apply_limits(process);
    }
    return user_is_null(old) ? 0 : copy_to_user(old, &before, sizeof(before));
}

static long limits(int pid, unsigned resource, user_t new, user_t old)
{
    struct process *process = process_find(pid ? pid : current_process->pid);
    if (!process)
        return -ESRCH;
    long result = -EPERM;
    if (may_limit(process))
        result = resource < RLIMITS ? limits_of(process, resource, new, old) : -EINVAL;
    process_put(process);
    return result;
}

long sys_prlimit64(int pid, unsigned resource, user_t new_limit, user_t old_limit)
{
    return limits(pid, resource, new_limit, old_limit);
}

long sys_getrlimit(unsigned resource, user_t rlim)
{
    return user_is_null(rlim) ? -EFAULT : limits(0, resource, user_ptr(0), rlim);
}

long sys_setrlimit(unsigned resource, user_t rlim)
{
    return user_is_null(rlim) ? -EFAULT : limits(0, resource, rlim, user_ptr(0));
}
