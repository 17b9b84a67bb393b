/* How long the kernel runs without a scheduling point: the word `bound` on the command line. For each system
 * call, and for page faults, exceptions and interrupts, the longest piece is kept with the arguments. A piece
 * begins at an entry from ring 3, at the end of a sleep, or at a scheduling point, and ends at the next of these
 * or at the return to ring 3. It is measured by the time-stamp counter: in instructions where the machine counts
 * these (QEMU's -icount shift=0, Bochs), else in cycles. */
#ifndef UMBRA_TASK_BOUND_H
#define UMBRA_TASK_BOUND_H

#include <stdbool.h>
#include <stdint.h>

struct trap_frame;

#define BOUND_CALLS 512 /* rows of system calls, by number; then three more */
enum bound_row { BOUND_PAGE_FAULT = BOUND_CALLS, BOUND_EXCEPTION, BOUND_INTERRUPT, BOUND_ROWS };

struct bound_piece {
    uint64_t longest; /* 0: the row has not been entered */
    uint64_t argument[6];
};

extern bool bound_on;

/* Reads the command line; name_of_call gives NULL for a number that has no name. Returns bound_on. */
bool bound_init(const char *(*name_of_call)(uint64_t number));

/* The rest is called only if bound_on. bound_begin() is called at an entry from ring 3, or a little after it, and
 * bound_end() before the return. bound_pause() ends a piece, and bound_resume() begins the next one if the
 * current thread is between the two. */
void bound_begin(unsigned row);
void bound_end(void);
void bound_pause(void);
void bound_resume(void);

/* Another thread takes the processor: it goes on where bound_pause() or this function has left it. */
struct thread;
void bound_switch(const struct thread *next);

/* A row's name, and its piece with longest 0 if it has none. */
const char *bound_row_name(unsigned row);
struct bound_piece bound_row_piece(unsigned row);

/* Prints all rows, if the measuring is on: called when the machine is switched off. */
void bound_print(void);

#endif
