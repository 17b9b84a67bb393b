/* The end of a process, and waiting for children. */
#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "syscall/rusage.h"
#include "syscall/user.h"
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

static int usage_to_user(user_t to, const struct child_usage *used)
{
    struct rusage usage = {.user = rusage_time(used->user_ticks),
                           .system = rusage_time(used->system_ticks),
                           .minor_faults = (int64_t)used->faults};
    return copy_to_user(to, &usage, sizeof(usage));
}

long sys_wait4(int pid, user_t wstatus, unsigned options, user_t rusage)
{
    int status = 0;
    struct child_usage used = {0, 0, 0};
    long child = process_wait(pid, (int)options, &status, &used);
    if (child <= 0)
        return child;
    if (!user_is_null(wstatus) && copy_to_user(wstatus, &status, sizeof(status)) != 0)
        return -EFAULT;
    if (!user_is_null(rusage) && usage_to_user(rusage, &used) != 0)
        return -EFAULT;
    debug_stop(STOP_EXITED, current_process);
    return child;
}
