#include "lib/errno.h"
#include "dev/print.h"
#include "exec/image.h"
#include "proc/before_user.h"
#include "syscall/syscall.h"

static const syscall_fn table[SYSCALLS_MAX] = {
#define ENTRY(number, name) [number] = sys_##name,
    FOR_EACH_SYSCALL(ENTRY)
#undef ENTRY
};

/* Calls that were asked for and do not exist: each is said once. */
static uint64_t reported[SYSCALLS_MAX / 64];

static long unknown(uint64_t number)
{
    if (number < SYSCALLS_MAX && !(reported[number / 64] >> number % 64 & 1)) {
        reported[number / 64] |= 1ull << number % 64;
        print("pid %d %s: system call %lu does not exist here: ENOSYS", current_process->pid,
              current_process->image->path, number);
    }
    return -ENOSYS;
}

void syscall_dispatch(struct trap_frame *frame)
{
    uint64_t number = (uint32_t)frame->error; /* Linux looks at the lower half only */
    syscall_fn call = number < SYSCALLS_MAX ? table[number] : NULL;
    frame->rax =
        (uint64_t)(call ? call(frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9)
                        : unknown(number));
    before_user(frame);
}
