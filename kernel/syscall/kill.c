/* Sending signals. */
#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

static bool may_signal(const struct process *target)
{
    const struct ids *own = &current_process->cred.user, *other = &target->cred.user;
    return own->effective == 0 || own->effective == other->saved || own->effective == other->real ||
           own->real == other->saved || own->real == other->real;
}

static struct signal_info info_of_sender(int code)
{
    return (struct signal_info){
        .code = code, .pid = current_process->pid, .uid = current_process->cred.user.real};
}

static bool kill_matches(const struct process *process, int pid)
{
    if (pid > 0)
        return process->pid == pid;
    if (pid == -1)
        return process->pid > 1 && process != current_process;
    return process->pgid == (pid == 0 ? current_process->pgid : -pid);
}

long sys_kill(int pid, int sig)
{
    long result = -ESRCH;
    struct signal_info info = info_of_sender(SI_USER);
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    LIST_FOR_EACH (process, &process_list, struct process, all) {
        if (!kill_matches(process, pid))
            continue;
        if (!may_signal(process)) {
            result = result == 0 ? 0 : -EPERM;
            continue;
        }
        if (sig > 0)
            (void)signal_send(process, sig, &info);
        result = 0;
    }
    return result;
}

static long kill_one(int tgid, int tid, int signal)
{
    struct process *process = process_peek(tid);
    struct signal_info info = info_of_sender(SI_TKILL);
    if (tid <= 0 || signal < 0 || signal > NSIG)
        return -EINVAL;
    if (!process || (tgid > 0 && tgid != process->pid))
        return -ESRCH;
    if (!may_signal(process))
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
