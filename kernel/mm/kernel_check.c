/* A check of the kernel half, entry by entry, that does not rely on kernel_map.c. */
#include "arch/features.h"
#include "arch/tlb.h"
#include "lib/check.h"
#include "mm/kernel_map.h"
#include "mm/pagetable.h"

#define LEVELS         4
#define KERNEL_SLOT    (PT_ENTRIES / 2) /* the first entry of the root that is the kernel's */
#define SIGN_EXTENSION 0xffff000000000000ull

static bool overlaps(uint64_t start, uint64_t size, uint64_t other, uint64_t other_end)
{
    return start < other_end && other < start + size;
}

/* True for the physical addresses of read-only parts: text, rodata, sealed data. */
static bool is_constant(uint64_t physical, uint64_t size)
{
    return overlaps(physical, size, (uint64_t)text_start - KERNEL_BASE,
                    (uint64_t)sealed_end - KERNEL_BASE);
}

/* Returns the fault of a mapping of `size` bytes, NULL if it has none. */
static const char *leaf_fault(uint64_t address, uint64_t size, pte_t entry)
{
    bool writable = entry & PTE_RW, executable = features.nx && !(entry & PTE_XD);
    uint64_t physical = entry & PTE_ADDRESS & ~(size - 1);
    if (entry & PTE_US)
        return "is open to user code";
    if (writable && executable)
        return "is writable and executable";
    if (executable && (!kernel_text_contains(address) || !kernel_text_contains(address + size - 1)))
        return "is executable and no text";
    if (writable && is_constant(physical, size))
        return "is a writable alias of text or constants";
    if (overlaps(address, size, (uint64_t)init_start, (uint64_t)init_end))
        return "is left of the init part";
    if (size == PAGE_SIZE && kstack_is_guard(address))
        return "is a guard page";
    if (!frame_exists(phys(physical)))
        return "is no RAM";
    return NULL;
}

/* The first fault in a table and those below it; `base` is the first address that it maps. */
static const char *table_fault(const pte_t *table, unsigned level, uint64_t base, uint64_t *at)
{
    uint64_t span = PAGE_SIZE << (9 * (level - 1));
    const char *fault = NULL;
    for (unsigned i = 0; i < PT_ENTRIES && !fault; i++) {
        pte_t entry = table[i];
        if (!(entry & PTE_P))
            continue;
        *at = base + i * span;
        if (level == 1 || (entry & PTE_PS))
            fault = leaf_fault(*at, span, entry);
        else if (entry & PTE_US)
            fault = "lies below a table that is open to user code";
        else
            fault = table_fault(phys_ptr(phys(entry & PTE_ADDRESS)), level - 1, *at, at);
    }
    return fault;
}

const char *kernel_map_fault(uint64_t *address)
{
    const pte_t *root = frame_ptr(kernel_pagetable.root);
    const pte_t *in_use = phys_ptr(tlb_current());
    const char *fault = NULL;
    for (unsigned i = 0; i < PT_ENTRIES && !fault; i++) {
        uint64_t base = (uint64_t)i << (PAGE_SHIFT + 9 * (LEVELS - 1));
        *address = i < KERNEL_SLOT ? base : base | SIGN_EXTENSION;
        if (i < KERNEL_SLOT && root[i] != 0)
            fault = "belongs to the low half of the kernel's own tables";
        else if (i >= KERNEL_SLOT && in_use[i] != root[i])
            fault = "is another in the address space in use";
        else if (root[i] & PTE_US)
            fault = "lies below a table that is open to user code";
        else if (root[i] & PTE_P)
            fault =
                table_fault(phys_ptr(phys(root[i] & PTE_ADDRESS)), LEVELS - 1, *address, address);
    }
    return fault;
}

void kernel_map_check(void)
{
    uint64_t address;
    const char *fault = kernel_map_fault(&address);
    if (fault)
        panic("kernel map: %#lx %s", address, fault);
}
