/* Points at which the machine stops in the debugger of Bochs, chosen by stop=NAME[,NAME...] on the
 * command line. Without that, and outside Bochs, they do nothing.
 *
 *      exec      a new program is complete, its first instruction has not run
 *      fork      the child is complete; the parent's call is about to return
 *      mmap, munmap, mprotect, mremap, brk, madvise     the call has succeeded
 *      cow       a write to a page that was there read-only has been made possible; `at` has the address
 *      grow      a fault has extended an area down and its page is there; `at` likewise
 *      fault     any other fault has been served; `at` likewise
 *      exit      a process ends; its memory is still there
 *      exited    the parent has waited for it; nothing of it is left */
#ifndef UMBRA_PROC_DEBUG_STOP_H
#define UMBRA_PROC_DEBUG_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct task;

/* Whether the command line asks for any stop, so that the rest costs nothing if not. */
extern bool debug_stops;

/* Reads the command line. */
void debug_stop_init(void);

/* If the command line lists this stop: prints a line `space: pid P cr3 0x... path PATH` for each
 * process that has memory, then `stop: NAME pid P cr3 0x... path PATH`, and executes the magic
 * break. stop_path=PATH restricts it to one program, stop_skip=N passes the first N. */
void debug_stop(const char *name, const struct task *task);

/* The same, with ` at ADDRESS` at the end of the line. */
void debug_stop_at(const char *name, const struct task *task, uint64_t address);

/* The stop for a system call's result, if it is no error; returns the result. */
long debug_stop_result(const char *name, long result);

#endif
