#include "task/rights.h"

#include "lib/errno.h"
#include "task/process.h"

static bool may_do_other_things(const struct ids *old, const struct ids *new)
{
    return old->effective != new->effective || old->fs != new->fs;
}

/* Whose process it is, and who pays from now on. */
static void set_users(struct process *process, struct user *user, struct user *payer)
{
    struct user *old_user = process->user, *old_payer = process->payer;
    process->user = user;
    process->payer = payer;
    if (user != old_user) {
        old_user->processes--;
        user->processes++;
        process->passed_limit =
            user->uid != 0 && user->processes > process->limits[RLIMIT_NPROC].soft;
    }
    user_put(old_user);
    user_put(old_payer);
}

int credentials_set(const struct credentials *wanted)
{
    struct process *process = current_process;
    struct user *user = user_find(wanted->user.real);
    struct user *payer = user ? user_find(wanted->user.fs) : NULL;
    if (!payer) {
        if (user)
            user_put(user);
        return -EAGAIN;
    }
    set_users(process, user, payer);
    if (may_do_other_things(&process->cred.user, &wanted->user) ||
        may_do_other_things(&process->cred.group, &wanted->group))
        process->undumpable = true;
    process->cred = *wanted;
    process_set_floor(process);
    frame_floor = process->frame_floor;
    return 0;
}

void credentials_exec(struct process *process)
{
    const struct credentials *c = &process->cred;
    process->undumpable = c->user.real != c->user.effective || c->group.real != c->group.effective;
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
