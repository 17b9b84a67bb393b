#include "mm/kernel_map.h"

#include "arch/cpu.h"
#include "arch/features.h"
#include "arch/tlb.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "lib/variable.h"
#include "mm/pagetable.h"

SEALED uintptr_t direct_map_base = DIRECT_MAP;

#define KSTACK_SLOT_PAGES (KSTACK_PAGES + 1) /* the lowest page is the guard */
#define KSTACK_SLOT_SIZE  (KSTACK_SLOT_PAGES * PAGE_SIZE)
#define KSTACK_SLOTS      8192

/* Free stack slots, and free stacks that are still mapped. The stack that was freed last is
 * allocated first. */
static uint64_t cached_stacks[8];
static unsigned nr_cached;
static uint32_t free_slots[KSTACK_SLOTS];
static unsigned nr_free_slots, nr_used_slots;

const struct image_section image_sections[IMAGE_SECTIONS] = {
    {"text", (uint64_t)text_start, (uint64_t)text_end, 0},
    {"rodata", (uint64_t)rodata_start, (uint64_t)rodata_end, PTE_XD},
    {"sealed", (uint64_t)sealed_start, (uint64_t)sealed_end, PTE_XD | PTE_RW},
    {"data", (uint64_t)data_start, (uint64_t)data_end, PTE_XD | PTE_RW},
};

static phys_t image_phys(const char *symbol)
{
    return phys((uint64_t)symbol - KERNEL_BASE);
}

struct frame_range kernel_image_range(void)
{
    return (struct frame_range){image_phys(image_start).value, image_phys(image_end).value};
}

bool kernel_text_contains(uint64_t address)
{
    return address >= (uint64_t)text_start && address < (uint64_t)text_end;
}

static void map_direct(uint64_t start, uint64_t end)
{
    if (start < end)
        pt_map_kernel(virt(DIRECT_MAP + start), virt(DIRECT_MAP + end), phys(start),
                      PTE_RW | PTE_G | pte_execute_disable, features.huge_pages);
}

static void map_image(void)
{
    for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
        const struct image_section *s = &image_sections[i];
        uint64_t bits = (s->bits & ~PTE_XD) | (s->bits & pte_execute_disable) | PTE_G;
        if (planted(PLANT_KERNEL_USER_BIT) && i == 1)
            bits |= PTE_US;
        pt_map_kernel(virt(s->start), virt(s->end), phys(s->start - KERNEL_BASE), bits, false);
    }
    /* Of the init part only the boot stack is still in use; the page below it is its guard. */
    pt_map_kernel(virt((uint64_t)boot_stack), virt((uint64_t)init_end), image_phys(boot_stack),
                  PTE_RW | PTE_G | pte_execute_disable, false);
}

void kernel_map_init(const struct boot_info *info)
{
    uint64_t hole_start = image_phys(text_start).value, hole_end = image_phys(sealed_end).value;
    if (planted(PLANT_KERNEL_TEXT_ALIAS))
        hole_start = hole_end;
    pte_execute_disable = features.nx ? PTE_XD : 0;
    kernel_pagetable.root = frame_alloc_zeroed(FRAME_TABLE);
    if (!kernel_pagetable.root)
        panic("no memory for the kernel's page tables");
    for (size_t i = 0; i < info->nr_ram; i++) {
        uint64_t start = page_ceil(info->ram[i].start), end = page_floor(info->ram[i].end);
        if (start < hole_end && end > hole_start) {
            map_direct(start, hole_start);
            map_direct(hole_end, end);
        } else {
            map_direct(start, end);
        }
    }
    map_image();
    tlb_switch(frame_phys(kernel_pagetable.root));
    cpu_write_cr4(cpu_read_cr4() | (features.global_pages ? CR4_PGE : 0));
}

static pte_t *kernel_pte(uint64_t address)
{
    return pt_lookup(&kernel_pagetable, virt(address));
}

static void unmap_pages(uint64_t start, unsigned pages)
{
    for (unsigned i = 0; i < pages; i++) {
        pte_t *entry = kernel_pte(start + i * PAGE_SIZE);
        struct frame *frame = pte_frame(*entry);
        *entry = 0;
        tlb_flush_page(virt(start + i * PAGE_SIZE));
        frame_put(frame);
    }
}

static uint64_t map_new_stack(void)
{
    uint32_t slot;
    struct pagetable tables = kernel_pagetable; /* itself sealed; its count of tables is not used */
    struct frame *frames[KSTACK_PAGES];
    if (nr_free_slots == 0 && nr_used_slots == KSTACK_SLOTS)
        return 0;
    for (unsigned i = 0; i < KSTACK_PAGES; i++) {
        frames[i] = frame_alloc(FRAME_STACK);
        if (!frames[i]) {
            while (i > 0)
                frame_put(frames[--i]);
            return 0;
        }
    }
    slot = nr_free_slots > 0 ? free_slots[nr_free_slots - 1] : nr_used_slots;
    uint64_t bottom = KSTACK_BASE + slot * KSTACK_SLOT_SIZE + PAGE_SIZE;
    if (!pt_ensure(&tables, virt(bottom)) || !pt_ensure(&tables, virt(bottom + KSTACK_SIZE - 1))) {
        for (unsigned i = 0; i < KSTACK_PAGES; i++)
            frame_put(frames[i]);
        return 0;
    }
    if (nr_free_slots > 0)
        nr_free_slots--;
    else
        nr_used_slots++;
    for (unsigned i = 0; i < KSTACK_PAGES; i++)
        pt_map_kernel(virt(bottom + i * PAGE_SIZE), virt(bottom + (i + 1) * PAGE_SIZE),
                      frame_phys(frames[i]), PTE_RW | PTE_G | pte_execute_disable, false);
    return bottom + KSTACK_SIZE;
}

void kernel_map_free_init(void)
{
    unmap_pages((uint64_t)boot_stack, BOOT_STACK_SIZE >> PAGE_SHIFT);
    for (const char *page = init_start; page < boot_stack; page += PAGE_SIZE)
        frame_put(frame_of(image_phys(page)));
}

void kernel_map_seal(void)
{
    for (uint64_t at = (uint64_t)sealed_start; at < (uint64_t)sealed_end; at += PAGE_SIZE) {
        *kernel_pte(at) &= ~PTE_RW;
        tlb_flush_page(virt(at));
    }
}

uint64_t kstack_alloc(void)
{
    return nr_cached > 0 ? cached_stacks[--nr_cached] : map_new_stack();
}

void kstack_free(uint64_t top)
{
    if (nr_cached < sizeof(cached_stacks) / sizeof(cached_stacks[0])) {
        cached_stacks[nr_cached++] = top;
        return;
    }
    unmap_pages(top - KSTACK_SIZE, KSTACK_PAGES);
    free_slots[nr_free_slots++] = (uint32_t)((top - KSTACK_BASE) / KSTACK_SLOT_SIZE - 1);
}

bool kstack_is_guard(uint64_t address)
{
    if (address < (uint64_t)boot_stack && address >= (uint64_t)boot_stack - PAGE_SIZE)
        return true;
    return address >= KSTACK_BASE && address < KSTACK_BASE + KSTACK_SLOTS * KSTACK_SLOT_SIZE &&
           (address - KSTACK_BASE) % KSTACK_SLOT_SIZE < PAGE_SIZE;
}
