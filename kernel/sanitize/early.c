/* Nothing is checked before kernel_map_init(), but compiled code writes the shadow of its stack
 * frames already. One page, mapped repeatedly, is all the shadow that the boot stack has. */
#include "arch/cpu.h"
#include "mm/pagetable.h"
#include "sanitize/shadow.h"
#include "sanitize/wrapped.h"

static pte_t tables[3][PT_ENTRIES] __attribute__((aligned(4096)));
static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));

static pte_t entry_of(const void *symbol)
{
    return ((uint64_t)symbol - KERNEL_BASE) | PTE_P | PTE_RW;
}

void __wrap_kernel_main(uint64_t magic, uint64_t info)
{
    uint64_t start = (uint64_t)shadow_of(KERNEL_BASE);
    pte_t *root = (pte_t *)(KERNEL_BASE + (cpu_read_cr3() & PTE_ADDRESS));
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        tables[1][i] = entry_of(tables[2]);
        tables[2][i] = entry_of(page);
    }
    tables[0][(start >> 30) % PT_ENTRIES] = entry_of(tables[1]);
    root[(start >> 39) % PT_ENTRIES] = entry_of(tables[0]);
    __real_kernel_main(magic, info);
}
