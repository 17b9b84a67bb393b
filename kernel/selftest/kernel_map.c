#include "arch/tlb.h"
#include "dev/print.h"
#include "mm/kernel_map.h"
#include "mm/pagetable.h"
#include "selftest/attacks.h"

#define IMAGE_ENTRY 510 /* of the highest page directory pointer table: the kernel image */

/* Changes the entry, runs the check, restores it. `address` is the first that the entry maps. */
static void judge(const char *what, pte_t *entry, pte_t value, uint64_t address)
{
    uint64_t found = 0;
    pte_t old = *entry;
    *entry = value;
    tlb_flush_page(virt(address));
    const char *fault = kernel_map_fault(&found);
    *entry = old;
    tlb_flush_page(virt(address));
    if (!fault)
        print("selftest: %s: MISSED", what);
    else
        print("selftest: %s: %s, it %s", what, found == address ? "noticed" : "MISTAKEN", fault);
}

static void judge_page(const char *what, const char *page, pte_t set, pte_t clear)
{
    uint64_t address = (uint64_t)page;
    pte_t *entry = pt_lookup(&kernel_pagetable, virt(address));
    judge(what, entry, (*entry & ~clear) | set, address);
}

/* Maps a page at an address that must not be mapped. */
static void judge_new(const char *what, uint64_t address, uint64_t physical)
{
    struct pagetable tables = kernel_pagetable;
    pte_t *entry = pt_ensure(&tables, virt(address));
    if (entry)
        judge(what, entry, physical | PTE_P | PTE_RW | pte_execute_disable, address);
}

void selftest_kernel_map(void)
{
    uint64_t text = (uint64_t)text_start, constants = (uint64_t)rodata_start;
    pte_t *root = frame_ptr(kernel_pagetable.root);
    /* Data that is not in use, and has an entry of its own in every image: the deepest page of the first stack. */
    const char *data = (const char *)KSTACK_BASE + PAGE_SIZE;
    judge_page("writable text", text_start, PTE_RW, 0);
    judge_page("executable data", data, 0, PTE_XD);
    judge_page("executable constants", rodata_start, 0, PTE_XD);
    judge_page("data for user code", data, PTE_US, 0);
    judge_page("writable constants", rodata_start, PTE_RW, 0);
    judge_page("writable sealed data", sealed_start, PTE_RW, 0);
    judge_page("no RAM", data, PTE_ADDRESS & ~(pte_t)0xff0000000000, 0);
    judge_new("an alias of text", DIRECT_MAP + text - KERNEL_BASE, text - KERNEL_BASE);
    judge_new("an alias of constants", DIRECT_MAP + constants - KERNEL_BASE,
              constants - KERNEL_BASE);
    judge_new("the init part", (uint64_t)init_start, (uint64_t)data_start - KERNEL_BASE);
    judge_new("a guard page", KSTACK_BASE, (uint64_t)data_start - KERNEL_BASE);
    judge("the low half", &root[0], root[PT_ENTRIES - 1], 0);
    judge("another root", &root[PT_ENTRIES - 1], root[PT_ENTRIES - 1] | PTE_US, 0xffffff8000000000);
    pte_t *table = phys_ptr(phys(root[PT_ENTRIES - 1] & PTE_ADDRESS));
    judge("a table for user code", &table[IMAGE_ENTRY], table[IMAGE_ENTRY] | PTE_US, KERNEL_BASE);
}
