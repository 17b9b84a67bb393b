/* The GDT, the IDT and the TSS, the stack on which an entry from ring 3 begins, and the moments at which ring 0 takes
 * interrupts. The hosted tests have their own version. */
#ifndef UMBRA_ARCH_DESCRIPTORS_H
#define UMBRA_ARCH_DESCRIPTORS_H

#include <stdint.h>

/* Loads GDT, IDT and TSS, and sets the MSRs of SYSCALL. */
void descriptors_init(void);

/* Sets the stack of one entry of the interrupt stack table: `top` is above a guarded stack. */
void descriptors_set_ist(unsigned index, uint64_t top);

/* Sets the stack on which the next entry from ring 3 begins: the kernel stack of the thread. */
void descriptors_set_kernel_stack(uint64_t top);

/* Interrupts are off in ring 0 otherwise. The first takes those that have come, if any; the second waits for one and
 * takes it. */
void cpu_interrupt_window(void);
void cpu_idle(void);

#endif
