#include "arch/cpu_wait.h"

#include "arch/cpu.h"

void cpu_interrupt_window(void)
{
    cpu_take_interrupts();
}

void cpu_idle(void)
{
    cpu_wait_for_interrupt();
}
