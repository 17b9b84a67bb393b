/* getrusage(2) and times(2). */
#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/rusage.h"
#include "syscall/user.h"
#include "task/process.h"

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1
#define USER_HZ         100 /* sysconf(_SC_CLK_TCK) */

_Static_assert(TIMER_HZ == USER_HZ, "struct tms counts ticks");

/* Page faults so far, including those of threads that have ended. */
static uint64_t process_faults(const struct process *process)
{
    uint64_t faults = process->faults;
    LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
        faults += thread->faults;
    return faults;
}

static struct rusage usage_of(uint64_t user_ticks, uint64_t system_ticks, uint64_t faults)
{
    return (struct rusage){.user = rusage_time(user_ticks),
                           .system = rusage_time(system_ticks),
                           .minor_faults = (int64_t)faults};
}

long sys_getrusage(int who, user_t usage)
{
    const struct process *process = current_process;
    struct rusage out;
    switch (who) {
    case RUSAGE_SELF:
        out = usage_of(process_user_ticks(process), process_system_ticks(process),
                       process_faults(process));
        break;
    case RUSAGE_CHILDREN:
        out =
            usage_of(process->child_user_ticks, process->child_system_ticks, process->child_faults);
        break;
    case RUSAGE_THREAD:
        out = usage_of(current_thread->user_ticks, current_thread->system_ticks,
                       current_thread->faults);
        break;
    default:
        return -EINVAL;
    }
    return copy_to_user(usage, &out, sizeof(out));
}

/* Returns the ticks since the start of the machine. */
long sys_times(user_t buf)
{
    const struct process *process = current_process;
    const uint64_t tms[4] = {process_user_ticks(process), process_system_ticks(process),
                             process->child_user_ticks, process->child_system_ticks};
    if (!user_is_null(buf) && copy_to_user(buf, tms, sizeof(tms)) != 0)
        return -EFAULT;
    return (long)(timer_monotonic_ns() / (NS_PER_SECOND / USER_HZ));
}
