#include "arch/tlb.h"

#include "arch/cpu.h"

void tlb_flush_page(virt_t address)
{
    cpu_invlpg(address.value);
}

void tlb_flush_all(void)
{
    cpu_write_cr3(cpu_read_cr3());
}

void tlb_switch(phys_t root)
{
    cpu_write_cr3(root.value);
}

phys_t tlb_current(void)
{
    return phys(page_floor(cpu_read_cr3()));
}

virt_t tlb_fault_address(void)
{
    return virt(cpu_read_cr2());
}
