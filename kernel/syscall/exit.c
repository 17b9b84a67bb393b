/* The end of a process, and waiting for children. */
#include <limits.h>
#include <stddef.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "task/process.h"

/* The status as wait4(2) reports it: the lower byte, above that of a signal. */
long sys_exit(int status)
{
    process_exit((status & 0xff) << 8);
}

long sys_exit_group(int status)
{
    process_exit((status & 0xff) << 8);
}

static int usage_to_user(user_t to, const struct usage *used)
{
    struct rusage usage = rusage_of(used);
    return copy_to_user(to, &usage, sizeof(usage));
}

#define WAIT_MODES       (WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)
#define WAIT_EVENTS      (WEXITED | WUNTRACED | WCONTINUED)
#define WAIT_ALL_OPTIONS (WAIT_MODES | WEXITED | WNOWAIT)

long sys_wait4(int pid, user_t wstatus, unsigned options, user_t rusage)
{
    struct wait_request wanted = {.kind = WAIT_PID, .id = pid, .options = options | WEXITED};
    struct ended_child ended = {.pid = 0};
    if (options & ~WAIT_MODES)
        return -EINVAL;
    if (pid == INT_MIN)
        return -ESRCH;
    if (pid == -1)
        wanted.kind = WAIT_ANY;
    else if (pid <= 0)
        wanted.kind = WAIT_GROUP, wanted.id = pid == 0 ? current_process->pgid : -pid;
    long child = process_wait(&wanted, &ended);
    if (child <= 0)
        return child;
    if (!user_is_null(wstatus) && copy_to_user(wstatus, &ended.status, sizeof(ended.status)) != 0)
        return -EFAULT;
    if (!user_is_null(rusage) && usage_to_user(rusage, &ended.usage) != 0)
        return -EFAULT;
    debug_stop(STOP_EXITED, current_process);
    return child;
}

/* The first members of siginfo_t, as waitid(2) fills them; it leaves the others alone. */
struct wait_info {
    int signal, error, code, padding;
    int pid;
    uint32_t uid;
    int status;
};

static int wait_request_of(int idtype, int id, unsigned options, struct wait_request *out)
{
    enum { P_ALL, P_PID, P_PGID, P_PIDFD };
    *out = (struct wait_request){.id = id, .options = options};
    if ((options & ~WAIT_ALL_OPTIONS) || !(options & WAIT_EVENTS))
        return -EINVAL;
    switch (idtype) {
    case P_ALL:
        out->kind = WAIT_ANY;
        return 0;
    case P_PID:
        out->kind = WAIT_PID;
        return id > 0 ? 0 : -EINVAL;
    case P_PGID:
        out->kind = WAIT_GROUP;
        if (id == 0)
            out->id = current_process->pgid;
        return id >= 0 ? 0 : -EINVAL;
    case P_PIDFD: /* no descriptor is one of a process */
        return id >= 0 ? -EBADF : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* Linux writes zeros if it found no child, also for an error. */
static int info_to_user(user_t to, long child, const struct ended_child *ended)
{
    struct wait_info info = {.signal = 0};
    if (child > 0) {
        int signal = ended->status & 0x7f;
        info.signal = SIGCHLD;
        info.code = signal ? CLD_KILLED : CLD_EXITED;
        info.status = signal ? signal : ended->status >> 8;
        info.pid = ended->pid;
        info.uid = ended->uid;
    }
    int error = copy_to_user(to, &info, offsetof(struct wait_info, padding));
    return error ? error
                 : copy_to_user(user_add(to, offsetof(struct wait_info, pid)), &info.pid,
                                sizeof(info) - offsetof(struct wait_info, pid));
}

long sys_waitid(int idtype, int id, user_t info, int options, user_t rusage)
{
    struct wait_request wanted;
    struct ended_child ended = {.pid = 0};
    long child = wait_request_of(idtype, id, (unsigned)options, &wanted);
    if (!child)
        child = process_wait(&wanted, &ended);
    if (child > 0 && !user_is_null(rusage) && usage_to_user(rusage, &ended.usage) != 0)
        return -EFAULT;
    if (!user_is_null(info) && info_to_user(info, child, &ended) != 0)
        return -EFAULT;
    return child < 0 ? child : 0;
}
