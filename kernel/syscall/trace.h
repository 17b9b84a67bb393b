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

#include "syscall/calls.h"

/* Reads the command line. Returns whether any call is to be traced. */
bool trace_init(void);

/* Whether this call (a number below SYSCALLS_MAX) of the current process is to be traced: never
 * unless trace_init() said so. */
bool trace_wants(uint64_t number);

/* Makes the call, and prints it with its result; exit(2) before it is made. A call that does not
 * return otherwise is not allowed. */
long trace_call(uint64_t number, syscall_fn call, const struct trap_frame *frame);

#endif
