/* The GDT, the IDT and the TSS, and the stack on which an entry from ring 3 begins. */
#ifndef UMBRA_ARCH_DESCRIPTORS_H
#define UMBRA_ARCH_DESCRIPTORS_H

#include <stdint.h>

/* Loads GDT, IDT and TSS, and sets the MSRs of SYSCALL. */
void descriptors_init(void);

/* Sets the stack of one entry of the interrupt stack table: `top` is above a guarded stack. */
void descriptors_set_ist(unsigned index, uint64_t top);

/* Sets the stack on which the next entry from ring 3 begins: the kernel stack of the thread. */
void descriptors_set_kernel_stack(uint64_t top);

#endif
