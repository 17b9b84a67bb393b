#include "task/rights.h"

#include "task/process.h"

static bool may_do_other_things(const struct ids *old, const struct ids *new)
{
    return old->effective != new->effective || old->fs != new->fs;
}

void credentials_set(const struct credentials *wanted)
{
    struct process *process = current_process;
    if (may_do_other_things(&process->cred.user, &wanted->user) ||
        may_do_other_things(&process->cred.group, &wanted->group))
        process->undumpable = true;
    process->cred = *wanted;
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
