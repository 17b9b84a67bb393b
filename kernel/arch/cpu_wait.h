/* Taking interrupts while in ring 0, where they are off otherwise. Linked from arch/cpu_wait.c in the
 * kernel; the hosted tests link their own, with a clock that they turn. */
#ifndef UMBRA_ARCH_CPU_WAIT_H
#define UMBRA_ARCH_CPU_WAIT_H

/* Takes the interrupts that have come, if any. */
void cpu_interrupt_window(void);

/* Waits for one interrupt and takes it. */
void cpu_idle(void);

#endif
