/* From registers to typed arguments: a wrapper for each call narrows each register to the width of
 * the parameter. The table has the wrappers by number. */
#include "syscall/calls.h"

#define FROM_int(value)      ((int)(value))
#define FROM_unsigned(value) ((unsigned)(value))
#define FROM_umode_t(value)  ((umode_t)(value))
#define FROM_size_t(value)   ((size_t)(value))
#define FROM_int64_t(value)  ((int64_t)(value))
#define FROM_uint64_t(value) (value)
#define FROM_virt_t(value)   virt(value)
#define FROM_user_t(value)   user_ptr(value)

#define NARROW_AS(type, value)     FROM_##type(value)
#define NARROW_TO(type, value)     NARROW_AS(type, value)
#define NARROW(register, argument) NARROW_TO(TYPE_OF argument, frame->register)
#define NARROW_NONE
#define CALL(number, name, state, count, ...)                                                      \
    static long call_##name(const struct trap_frame *frame)                                        \
    {                                                                                              \
        (void)frame;                                                                               \
        return sys_##name(LIST_ARGUMENTS(count, NARROW, __VA_ARGS__));                             \
    }
#include "syscall/calls.def"

const syscall_fn syscall_table[SYSCALLS_MAX] = {
#define CALL(number, name, state, count, ...) [number] = call_##name,
#include "syscall/calls.def"
};
