/* What exceptions and interrupts lead to. */
#ifndef UMBRA_TRAP_TRAP_H
#define UMBRA_TRAP_TRAP_H

#include "arch/entry.h"

/* Gives the exceptions that may come on a bad stack their own ones. After kernel_map_init(), debug_stop_init() and
 * bound_init(). */
void trap_init(void);

/* Prints registers and a backtrace of the interrupted kernel code and stops the machine. */
_Noreturn void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the return addresses from a frame pointer on, with symbols where they are known. */
void backtrace_print(uint64_t rip, uint64_t rbp);

/* Lets backtraces find the kernel's own symbols in what the loader left of its ELF file. */
struct boot_info;
void backtrace_init(const struct boot_info *info);

/* Ends the current task for an exception of its own, with one line that says what it did. */
void user_exception(struct trap_frame *frame);

/* The same for a page fault that the address space could not resolve (error: as aspace_fault). */
void user_page_fault(struct trap_frame *frame, uint64_t address, int error);

#endif
