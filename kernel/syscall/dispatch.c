/* From the system-call entry to the call. */
#include "dev/print.h"
#include "lib/errno.h"
#include "proc/before_user.h"
#include "syscall/calls.h"
#include "syscall/describe.h"
#include "task/process.h"

/* Calls that were asked for and do not exist: each is said once. */
static uint64_t reported[SYSCALLS_MAX / 64];

static long missing(uint64_t number)
{
    if (number >= SYSCALLS_MAX)
        return -ENOSYS;
    const struct call_info *info = call_info(number);
    if (!info->silent && !(reported[number / 64] >> number % 64 & 1)) {
        reported[number / 64] |= 1ull << number % 64;
        print("pid %d %s: system call %lu (%s) does not exist here: ENOSYS", current_process->pid,
              current_thread->comm, number, info->name ? info->name : "no name");
    }
    return -ENOSYS;
}

void syscall_dispatch(struct trap_frame *frame)
{
    uint64_t number = (uint32_t)frame->error; /* Linux looks at the lower half only */
    syscall_fn call = number < SYSCALLS_MAX ? syscall_table[number] : NULL;
    frame->rax = (uint64_t)(call ? call(frame) : missing(number));
    before_user(frame);
}
