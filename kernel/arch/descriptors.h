/* The GDT, the IDT and the TSS: set up once, and the stack that ring 3 enters ring 0 on. */
#ifndef UMBRA_ARCH_DESCRIPTORS_H
#define UMBRA_ARCH_DESCRIPTORS_H

#include <stdint.h>

/* Loads GDT, IDT and TSS, and sets the MSRs of SYSCALL. */
void descriptors_init(void);

/* Gives double fault, NMI, machine check and debug exceptions guarded stacks of their own. */
void descriptors_set_ist(unsigned index, uint64_t top);

/* The stack on which the next entry from ring 3 begins: the current task's. */
void descriptors_set_kernel_stack(uint64_t top);

#endif
