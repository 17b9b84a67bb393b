/* Sending signals. */
#include <limits.h>

#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

static bool may_signal(const struct process *target, int signal)
{
    const struct ids *own = &current_process->cred.user, *other = &target->cred.user;
    if (target == current_process || (signal == SIGCONT && target->sid == current_process->sid))
        return true;
    return own->effective == other->saved || own->effective == other->real ||
           own->real == other->saved || own->real == other->real || capable(CAP_KILL);
}

static struct signal_info info_of_sender(int code)
{
    return (struct signal_info){
        .code = code, .pid = current_process->pid, .uid = current_process->cred.user.real};
}

static long kill_process(struct process *process, int signal, const struct signal_info *info)
{
    if (signal < 0 || signal > NSIG)
        return -EINVAL;
    if (!may_signal(process, signal))
        return -EPERM;
    if (signal > 0)
        (void)signal_send(process, signal, info);
    return 0;
}

static bool kill_matches(const struct process *process, int pid)
{
    if (pid == -1)
        return process->pid > 1 && process != current_process;
    return process->pgid == (pid == 0 ? current_process->pgid : -pid);
}

/* To a group (pid 0: the caller's), or with -1 to all: then, as on Linux, one that may not be
 * signalled is not an error. */
static long kill_many(int pid, int signal, const struct signal_info *info)
{
    long result = -ESRCH;
    FOR_EACH_PROCESS (process) {
        if (!kill_matches(process, pid))
            continue;
        long sent = kill_process(process, signal, info);
        if (sent == -EINVAL)
            return sent;
        if (sent == 0 || pid == -1)
            result = 0;
        else if (result)
            result = sent;
    }
    return result;
}

long sys_kill(int pid, int sig)
{
    struct signal_info info = info_of_sender(SI_USER);
    if (pid <= 0)
        return pid == INT_MIN ? -ESRCH : kill_many(pid, sig, &info);
    LENDING();
    struct process *process = process_peek(pid);
    return process ? kill_process(process, sig, &info) : -ESRCH;
}

static long kill_one(int tgid, int tid, int signal)
{
    LENDING();
    struct process *process = process_peek(tid);
    struct signal_info info = info_of_sender(SI_TKILL);
    if (tid <= 0)
        return -EINVAL;
    if (!process || (tgid > 0 && tgid != process->pid))
        return -ESRCH;
    if (signal < 0 || signal > NSIG)
        return -EINVAL;
    if (!may_signal(process, signal))
        return -EPERM;
    struct thread *thread = process_main_thread(process);
    return signal > 0 && thread ? signal_send_thread(thread, signal, &info) : 0;
}

long sys_tkill(int tid, int sig)
{
    return kill_one(0, tid, sig);
}

long sys_tgkill(int tgid, int tid, int sig)
{
    return tgid <= 0 ? -EINVAL : kill_one(tgid, tid, sig);
}
