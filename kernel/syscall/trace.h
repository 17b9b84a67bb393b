/* Printing system calls as programs make them: trace=all, or trace=ITEM[,ITEM...] on the command
 * line, where an item is a pid or the name of a call. With pids only those processes are traced,
 * with names only those calls. A call becomes one line,
 *
 *     trace: PID COMM: openat(AT_FDCWD, "/etc/motd", O_RDONLY, 0) = 3
 *
 * or two, if another traced call comes between: `NAME(... <unfinished ...>` at first, and
 * `<... NAME resumed> ...) = 3` at its end. */
#ifndef UMBRA_SYSCALL_TRACE_H
#define UMBRA_SYSCALL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/format.h"
#include "syscall/calls.h"
#include "syscall/describe.h"

/* Reads the command line. Returns true if any call is to be traced. */
bool trace_init(void);

/* True if this call (a number below SYSCALLS_MAX) of the current process is to be traced. Always
 * false unless trace_init() returned true. */
bool trace_wants(uint64_t number);

/* Makes the call, and prints it with its result. exit(2) is printed before the call. No other call
 * may fail to return. */
long trace_call(uint64_t number, syscall_fn call, const struct trap_frame *frame);

/* System calls as text, as strace(1) prints them. */

/* A call that was made: its arguments as the registers had them. */
struct made_call {
    const struct call_info *info;
    uint64_t value[ARGUMENTS_MAX];
};

/* Prints the part of an argument that is known before the call: the input of the call, also through
 * pointers. A pointer to output of the call is printed only if it is NULL. Reads user memory. */
void decode_before(struct text *text, const struct made_call *call, unsigned index);

/* Prints the rest of the argument after the call, which has returned `result`. `before` is the text
 * of decode_before(). A value that the call has changed is printed as BEFORE => AFTER. */
void decode_after(struct text *text, const struct made_call *call, unsigned index, long result,
                  const char *before);

/* Prints a result: a number, or an error by its name. */
void decode_result(struct text *text, const struct made_call *call, long result);

#endif
