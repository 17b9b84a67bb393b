/* Explanations of exceptions, in words: for panics, and with show=faults for those of programs. */
#ifndef UMBRA_TRAP_EXPLAIN_H
#define UMBRA_TRAP_EXPLAIN_H

#include <stddef.h>

#include "arch/entry.h"
#include "arch/phys.h"
#include "arch/x86.h"
#include "mm/aspace.h"

struct process;

/* Writes what the exception is and what its error code says. Names are those of the SDM. */
void explain_exception(const struct trap_frame *frame, char *buf, size_t size);

/* Prints the walk of the address from the PML4 at `root`: a line for each level, with the entry and
 * its bits in words, and why it ends. */
void explain_walk(phys_t root, virt_t address);

/* Prints which area of the process has the address and what the access would have needed there, or the
 * nearest areas. access: ACCESS_*. */
void explain_area(const struct process *process, virt_t address, unsigned access);

/* Prints the names of the bits that are set in RFLAGS, CR0 and CR4, and the ring. */
void explain_registers(const struct trap_frame *frame, uint64_t cr0, uint64_t cr4);

/* Prints what the host needs for a backtrace of the program: registers, where the code of files is mapped,
 * and the words above the stack pointer. Nothing for a process without memory or a frame of ring 0. */
void explain_stack(const struct process *process, const struct trap_frame *frame);

/* All of it for an exception of a program: a page fault if `address` is not NULL. */
void explain_fault(const struct trap_frame *frame, const virt_t *address);

/* The kind of access that caused a page fault, from its error code: ACCESS_*. */
static inline unsigned explain_access(uint64_t error)
{
    if (error & PF_ID)
        return ACCESS_EXEC;
    return error & PF_WR ? ACCESS_WRITE : ACCESS_READ;
}

#endif
