/* The simulated processor: accesses by user code, through a TLB that keeps stale translations. */
#ifndef UMBRA_HOST_CPU_H
#define UMBRA_HOST_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "mm/aspace.h"

/* Switches to the address space, as the scheduler does; NULL: the kernel's own. */
void cpu_switch(struct aspace *as);
struct aspace *cpu_current(void);

/* One access by user code to 8 bytes inside one page, with ACCESS_READ, _WRITE or _EXEC: translates
 * by TLB or walk, calls aspace_fault() like the page-fault handler, and moves *value. Returns 0, or
 * the error of aspace_fault(), for which the program would get a signal. A use of a stale
 * translation, or a fault that does not go away, is a host_fail(). */
int cpu_access(virt_t address, unsigned access, uint64_t *value);

/* The kernel's own copies (mm/usercopy.h) use the same TLB. This function resolves their faults: at
 * first as cpu_access() does, on a whole machine by the trap handler. Returns 0 or an error. */
extern int (*cpu_serve_fault)(virt_t address, unsigned access);

/* Called for each copy, with the user range, and the bytes if it was to user memory; or NULL. */
extern void (*cpu_on_copy)(virt_t user, size_t size, const void *written);

/* As a page fault of the kernel's user copy, by trap_dispatch() (devices.c). */
int machine_serve_fault(virt_t address, unsigned access);

/* Sets the result of tlb_fault_address(). */
void cpu_set_fault_address(virt_t address);

/* Compares the contents of the TLB and the paging-structure caches with the tables. A cached
 * translation that leads to another frame, or allows more than the tables, is a host_fail(). */
void tlb_check(void);

/* Translates as cpu_access() does. */
struct walk_leaf tlb_translate(virt_t address, unsigned access);
void tlb_drop(virt_t address);

/* Flushes since the start. */
struct tlb_counts {
    uint64_t pages, all;
};
struct tlb_counts tlb_counts(void);

#endif
