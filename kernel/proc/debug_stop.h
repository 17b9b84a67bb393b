/* Points at which the machine stops in the debugger of Bochs, selected by stop=NAME[,NAME...] on
 * the command line. The names are those of the enumeration in lower case. Without that word, and
 * outside Bochs, they have no effect. */
#ifndef UMBRA_PROC_DEBUG_STOP_H
#define UMBRA_PROC_DEBUG_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct process;

enum debug_stop {
    STOP_EXEC, /* a new program is complete, its first instruction has not run */
    STOP_FORK, /* the child is complete, the parent's call is about to return */
    STOP_MMAP, /* this and the next five: the call has succeeded */
    STOP_MUNMAP,
    STOP_MPROTECT,
    STOP_MREMAP,
    STOP_MADVISE,
    STOP_BRK,
    STOP_COW,    /* a write fault on a present read-only page has been resolved */
    STOP_GROW,   /* a fault has extended an area down, and its page is present */
    STOP_FAULT,  /* any other fault has been resolved */
    STOP_EXIT,   /* a process ends, its memory is still mapped */
    STOP_EXITED, /* its parent has waited for it, and its memory is free */
    STOP_SPACES, /* not a stop: each stop also prints all address spaces */
    DEBUG_STOPS
};

/* The stops that the command line asks for: bits by enum debug_stop. */
extern uint32_t debug_stops;

/* Reads the command line. */
void debug_stop_init(void);

/* Prints `stop: NAME pid P cr3 0x... path PATH` and, if the address is not 0, ` at ADDRESS`, and
 * executes the magic break. With `spaces` it first prints `space: pid P cr3 0x... path PATH` for
 * each process that has memory. stop_path=PATH restricts it to one program, stop_skip=N skips the
 * first N. */
void debug_stop_now(enum debug_stop stop, const struct process *process, uint64_t address);

static inline bool debug_stop_wanted(enum debug_stop stop)
{
    return debug_stops >> stop & 1;
}

static inline void debug_stop_at(enum debug_stop stop, const struct process *process,
                                 uint64_t address)
{
    if (debug_stop_wanted(stop))
        debug_stop_now(stop, process, address);
}

static inline void debug_stop(enum debug_stop stop, const struct process *process)
{
    debug_stop_at(stop, process, 0);
}

#endif
