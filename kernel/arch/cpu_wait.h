/* Taking interrupts in ring 0, where they are off otherwise. The kernel links arch/cpu_wait.c; the
 * hosted tests link their own version, with a clock that they set. */
#ifndef UMBRA_ARCH_CPU_WAIT_H
#define UMBRA_ARCH_CPU_WAIT_H

/* Takes the interrupts that have come, if any. */
void cpu_interrupt_window(void);

/* Waits for one interrupt and takes it. */
void cpu_idle(void);

#endif
