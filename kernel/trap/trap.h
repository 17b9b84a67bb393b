/* The handlers of exceptions and interrupts. */
#ifndef UMBRA_TRAP_TRAP_H
#define UMBRA_TRAP_TRAP_H

#include "arch/entry.h"
#include "arch/phys.h"

/* Whether page faults are measured, or may stop in the debugger, is settled here. After
 * debug_stop_init() and syscall_init(). */
void trap_watch_faults(void);

/* Sets guarded stacks for the exceptions that may arrive on a bad stack. After kernel_map_init(). */
void trap_init(void);

/* Prints registers and a backtrace of the interrupted kernel code and stops the machine. */
_Noreturn void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the return addresses from a frame pointer upwards, with their symbols if known. */
void backtrace_print(uint64_t rip, uint64_t rbp);

/*
 * Stores where the loader put the sections of the kernel's ELF file, for the symbols of backtraces.
 */
struct boot_info;
void backtrace_init(const struct boot_info *info);

/* The name of an exception. */
const char *exception_text(uint64_t vector);

/* Ends the current process for an exception of its own, with one line that describes it. */
void user_exception(struct trap_frame *frame);

/* The same for a page fault that the address space could not resolve (error: as aspace_fault). */
void user_page_fault(struct trap_frame *frame, virt_t address, int error);

#endif
