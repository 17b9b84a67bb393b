/* The dispatch of system calls. */
#include "dev/print.h"
#include "lib/errno.h"
#include "proc/before_user.h"
#include "syscall/calls.h"
#include "lib/variable.h"
#include "syscall/describe.h"
#include "syscall/trace.h"
#include "task/bound.h"
#include "task/process.h"

/* Calls that do not exist and were reported: each is reported once. */
static uint64_t reported[SYSCALLS_MAX / 64];

/* Numbers below this one go straight to their calls: none while calls are traced or measured, so that this
 * costs nothing while it is off. */
static uint32_t direct_numbers SEALED = SYSCALLS_MAX;

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

void say_absent(bool *is_said, const char *what)
{
    if (!*is_said)
        print("pid %d %s: %s", current_process->pid, current_thread->comm, what);
    *is_said = true;
}

/* Answers a call that does not exist. */
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

/* For numbers that are not below `direct_numbers`, or have no call. Kept out of line, so that the path
 * of the others needs no stack. */
static __attribute__((noinline)) long dispatch_slowly(const struct trap_frame *frame)
{
    uint64_t number = (uint32_t)frame->error;
    syscall_fn call = syscall_table[number] ? syscall_table[number] : missing;
    return trace_wants(number) ? trace_call(number, call, frame) : call(frame);
}

/* While calls are traced or measured. */
static __attribute__((noinline)) long dispatch_at_length(const struct trap_frame *frame)
{
    if (bound_on)
        bound_begin((uint32_t)frame->error);
    return dispatch_slowly(frame);
}

long syscall_dispatch(struct trap_frame *frame)
{
    uint32_t number = (uint32_t)frame->error; /* Linux uses the lower half only */
    if (__builtin_expect(number >= direct_numbers, 0))
        return number < SYSCALLS_MAX ? dispatch_at_length(frame) : -ENOSYS;
    syscall_fn call = syscall_table[number];
    return __builtin_expect(call != NULL, 1) ? call(frame) : dispatch_slowly(frame);
}

void syscall_end(struct trap_frame *frame)
{
    before_user(frame);
}
