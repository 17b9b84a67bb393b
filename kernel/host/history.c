#include "host/history.h"

#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

#include "file/files.h"
#include "host/fail.h"
#include "task/process.h"

#define PAST_MAX 256

/* A process as the last check found it; pid 0: none. */
struct past {
    int pid, parent;
    bool is_live, nobody_waits, is_adopted;
    uint32_t exec_id;
    struct rlimit limits[RLIMITS];
};

static struct past pasts[PAST_MAX];

void history_start(void)
{
    memset(pasts, 0, sizeof(pasts));
}

/* Whether the parent has said that its children leave no zombies. */
static bool nobody_waits(const struct process *process)
{
    const struct process *parent = process->parent;
    if (!parent || !parent->sighand || process->exit_signal != SIGCHLD)
        return false;
    const struct sigaction *action = &parent->sighand->actions[SIGCHLD - 1];
    return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

static bool may_set_limits(const struct process *own, const struct process *its)
{
    const struct ids *user = &its->cred.user, *group = &its->cred.group;
    uint32_t uid = own->cred.user.real, gid = own->cred.group.real;
    return own == its || (own->cred.caps.effective & CAP_BIT(CAP_SYS_RESOURCE)) ||
           (user->real == uid && user->effective == uid && user->saved == uid &&
            group->real == gid && group->effective == gid && group->saved == gid);
}

static void check_limits(const struct process *process, const struct past *past)
{
    if (!may_set_limits(current_process, process) &&
        memcmp(past->limits, process->limits, sizeof(past->limits)) != 0)
        host_fail("pid %d sets the limits of pid %d, and may not", current_process->pid,
                  process->pid);
    for (unsigned i = 0; i < RLIMITS && !capable(CAP_SYS_RESOURCE); i++)
        if (process->limits[i].hard > past->limits[i].hard)
            host_fail("pid %d raises hard limit %u of pid %d, and may not", current_process->pid, i,
                      process->pid);
}

static void check_change(const struct process *process, const struct past *past, unsigned call)
{
    bool is_zombie = process->state == PROCESS_ZOMBIE;
    bool is_adopted = past->is_adopted || (process->parent && process->parent->pid != past->parent);
    if (is_zombie && past->is_live && past->nobody_waits && nobody_waits(process) &&
        past->parent == process->parent->pid)
        host_fail("pid %d is a zombie, and its parent waits for none", process->pid);
    if (is_adopted && process->exit_signal != SIGCHLD)
        host_fail("pid %d, an orphan, tells process 1 of its end by signal %d", process->pid,
                  process->exit_signal);
    if (!is_zombie && process->exec_id != past->exec_id &&
        (process->files->refs.count != 1 || sighand_refs(process->sighand)->count != 1))
        host_fail("pid %d shares descriptors or signal actions after exec", process->pid);
    if (call == SYS_prlimit64 || call == SYS_setrlimit)
        check_limits(process, past);
}

void history_check(const struct process *process, unsigned call)
{
    struct past *past = &pasts[process->pid % PAST_MAX];
    int parent = process->parent ? process->parent->pid : 0;
    if (past->pid != process->pid)
        *past = (struct past){.pid = process->pid, .parent = parent};
    else
        check_change(process, past, call);
    past->is_adopted = past->is_adopted || past->parent != parent;
    past->parent = parent;
    past->is_live = process->state == PROCESS_LIVE;
    past->nobody_waits = nobody_waits(process);
    past->exec_id = process->exec_id;
    memcpy(past->limits, process->limits, sizeof(past->limits));
}
