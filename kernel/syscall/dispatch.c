/* From the system-call entry to the call. */
#include "dev/print.h"
#include "lib/errno.h"
#include "proc/before_user.h"
#include "syscall/calls.h"
#include "lib/sealed.h"
#include "syscall/describe.h"
#include "syscall/dispatch.h"
#include "syscall/trace.h"
#include "task/bound.h"
#include "task/process.h"

/* Calls that were asked for and do not exist: each is said once. */
static uint64_t reported[SYSCALLS_MAX / 64];

/* Numbers below this one go straight to their calls: none while calls are traced or measured, so that this
 * costs nothing while it is off. */
static uint64_t direct_numbers SEALED = SYSCALLS_MAX;

_Static_assert(BOUND_CALLS == SYSCALLS_MAX, "a row for each number");

static const char *name_of_call(uint64_t number)
{
    return call_info(number)->name;
}

void syscall_init(void)
{
    bool is_traced = trace_init(), is_measured = bound_init(name_of_call);
    direct_numbers = is_traced || is_measured ? 0 : SYSCALLS_MAX;
}

/* A call that has a number, and does not exist. */
static long missing(const struct trap_frame *frame)
{
    uint64_t number = (uint32_t)frame->error;
    const struct call_info *info = call_info(number);
    if (!info->silent && !(reported[number / 64] >> number % 64 & 1)) {
        reported[number / 64] |= 1ull << number % 64;
        print("pid %d %s: system call %lu (%s) does not exist here: ENOSYS", current_process->pid,
              current_thread->comm, number, info->name ? info->name : "no name");
    }
    return -ENOSYS;
}

/* For numbers that are not below `direct_numbers`, or have no call. Kept out of line: it would make
 * the path of every call save more registers. */
static __attribute__((noinline)) long dispatch_slowly(const struct trap_frame *frame)
{
    uint64_t number = (uint32_t)frame->error;
    if (number >= SYSCALLS_MAX)
        return -ENOSYS;
    syscall_fn call = syscall_table[number] ? syscall_table[number] : missing;
    return trace_wants(number) ? trace_call(number, call, frame) : call(frame);
}

static __attribute__((noinline)) long dispatch_measured(const struct trap_frame *frame)
{
    uint64_t number = (uint32_t)frame->error;
    if (number < SYSCALLS_MAX)
        bound_begin((unsigned)number);
    return dispatch_slowly(frame);
}

void syscall_dispatch(struct trap_frame *frame)
{
    uint64_t number = (uint32_t)frame->error; /* Linux looks at the lower half only */
    syscall_fn call = number < direct_numbers ? syscall_table[number] : NULL;
    bool direct = __builtin_expect(call != NULL, 1);
    frame->rax = (uint64_t)(direct     ? call(frame)
                            : bound_on ? dispatch_measured(frame)
                                       : dispatch_slowly(frame));
    before_user(frame);
}
