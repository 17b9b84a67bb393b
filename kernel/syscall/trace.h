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

/* Reads the command line. Returns true if any call is to be traced. */
bool trace_init(void);

/* True if this call (a number below SYSCALLS_MAX) of the current process is to be traced. Always
 * false unless trace_init() returned true. */
bool trace_wants(uint64_t number);

/* Makes the call, and prints it with its result. exit(2) is printed before the call. No other call
 * may fail to return. */
long trace_call(uint64_t number, syscall_fn call, const struct trap_frame *frame);

#endif
