/*
 * The system calls of calls.def: the functions that implement them, and the table for the dispatch.
 */
#ifndef UMBRA_SYSCALL_CALLS_H
#define UMBRA_SYSCALL_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/entry.h"
#include "arch/phys.h"

#define SYSCALLS_MAX 512 /* all numbers are below */

/* A file mode: Linux takes the lower 16 bits of a register. */
typedef uint16_t umode_t;

/* f(register, argument) for each argument of a call in calls.def, separated by commas; f_NONE if it
 * has none: LIST_ARGUMENTS(count, f, arguments...). */
#define LIST_ARGUMENTS(count, f, ...) LIST##count(f, __VA_ARGS__)
#define LIST0(f, none)                f##_NONE
#define LIST1(f, a)                   f(rdi, a)
#define LIST2(f, a, b)                f(rdi, a), f(rsi, b)
#define LIST3(f, a, b, c)             f(rdi, a), f(rsi, b), f(rdx, c)
#define LIST4(f, a, b, c, d)          f(rdi, a), f(rsi, b), f(rdx, c), f(r10, d)
#define LIST5(f, a, b, c, d, e)       f(rdi, a), f(rsi, b), f(rdx, c), f(r10, d), f(r8, e)
#define LIST6(f, a, b, c, d, e, g)    f(rdi, a), f(rsi, b), f(rdx, c), f(r10, d), f(r8, e), f(r9, g)

#define TYPE_OF(type, name, meaning)      type
#define NAME_OF(type, name, meaning)      name
#define PARAMETER_OF(type, name, meaning) type name

/* Declares long sys_NAME(...) for each call: it returns a value, or a negative error. */
#define PARAMETER(register, argument) PARAMETER_OF argument
#define PARAMETER_NONE                void
#define CALL(number, name, state, count, ...)                                                      \
    long sys_##name(LIST_ARGUMENTS(count, PARAMETER, __VA_ARGS__));
#include "syscall/calls.def"

/* The form in which a call is dispatched: it takes its arguments from the registers. */
typedef long (*syscall_fn)(const struct trap_frame *frame);

/* By number; NULL: no such call. */
extern const syscall_fn syscall_table[SYSCALLS_MAX];

/* Reads the words about traces (syscall/trace.h) and about measuring (task/bound.h) from the command line. The entry
 * of system calls is syscall_dispatch() of arch/entry.h. */
void syscall_init(void);

/* Prints that the current program asked for something that does not exist here. *is_said, which is static, keeps it from
 * being printed again. */
void say_absent(bool *is_said, const char *what);

#endif
