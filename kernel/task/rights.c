#include "task/rights.h"

#include "lib/errno.h"
#include "task/process.h"

static bool may_do_other_things(const struct ids *old, const struct ids *new)
{
    return old->effective != new->effective || old->fs != new->fs;
}

/* Sets the real user of the process, and the user who is charged from now on. */
static int set_users(struct process *process, uint32_t uid, uint32_t payer_uid)
{
    struct user *old_user = process->user, *old_payer = process->payer;
    struct user *user = user_find(uid);
    if (!user)
        return -EAGAIN;
    user->processes++;
    struct user *payer = user_find(payer_uid);
    if (payer)
        payer->payers++;
    else
        old_user = user; /* nothing changes */
    old_user->processes--;
    if (!payer)
        return -EAGAIN;
    old_payer->payers--;
    process->user = user;
    process->payer = payer;
    process->passed_limit = user != old_user && user->uid != 0 &&
                            user->processes - 1 > process->limits[RLIMIT_NPROC].soft;
    user_left(old_user);
    if (old_payer != old_user)
        user_left(old_payer);
    return 0;
}

int credentials_set(const struct credentials *wanted)
{
    struct process *process = current_process;
    int error = set_users(process, wanted->user.real, wanted->user.fs);
    if (error)
        return error;
    if (may_do_other_things(&process->cred.user, &wanted->user) ||
        may_do_other_things(&process->cred.group, &wanted->group))
        process->undumpable = true;
    process->cred = *wanted;
    process_set_floor(process);
    frame_floor = process->frame_floor;
    return 0;
}

int credentials_exec(void)
{
    struct process *process = current_process;
    struct credentials c = process->cred;
    c.user.saved = c.user.fs = c.user.effective;
    c.group.saved = c.group.fs = c.group.effective;
    c.lacks_file_caps = c.user.effective != 0;
    int error = credentials_set(&c);
    if (error)
        return error;
    process->undumpable = c.user.real != c.user.effective || c.group.real != c.group.effective;
    return 0;
}

bool credentials_lack_file_caps(const struct credentials *before, const struct ids *wanted)
{
    if (wanted->real != 0 && wanted->effective != 0 && wanted->saved != 0)
        return true;
    if ((before->user.effective == 0) != (wanted->effective == 0))
        return wanted->effective != 0;
    return before->lacks_file_caps;
}

static bool are_all(const struct ids *ids, uint32_t id)
{
    return ids->real == id && ids->effective == id && ids->saved == id;
}

bool rights_to_inspect(const struct process *target)
{
    const struct credentials *own = &current_process->cred, *its = &target->cred;
    if (target == current_process || is_privileged())
        return true;
    if (!are_all(&its->user, own->user.fs) || !are_all(&its->group, own->group.fs))
        return false;
    return !target->aspace || !target->undumpable;
}
