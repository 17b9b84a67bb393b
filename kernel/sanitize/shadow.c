#include "sanitize/shadow.h"

#include "arch/cpu.h"
#include "lib/check.h"
#include "lib/string.h"
#include "mm/kernel_map.h"
#include "mm/pagetable.h"
#include "sanitize/compiler.h"
#include "sanitize/memory.h"
#include "sanitize/wrapped.h"

#define SHADOW_PAGE    (PAGE_SIZE * GRANULE) /* bytes that one page of shadow covers */
#define EIGHT_GRANULES (8ull * GRANULE)      /* the shadow of these is one word */

struct area {
    uint64_t start, size;
};

/* Size 0: not covered. */
static struct area direct = {DIRECT_MAP, 0};
static struct area image = {0, 0};
static struct area stacks = {KSTACK_BASE, 0};
static struct area covered_at_off[3];
static bool mapped;

static const struct area *const areas[] = {&direct, &image, &stacks};

uint64_t shadow_covered_end(uint64_t address)
{
    if (address - direct.start < direct.size)
        return direct.start + direct.size;
    if (address - image.start < image.size)
        return image.start + image.size;
    if (address - stacks.start < stacks.size)
        return stacks.start + stacks.size;
    return 0;
}

/* The first forbidden byte of [at, end) in the granule of `at`, or 0. */
static uint64_t forbidden_in_granule(uint64_t at, uint64_t end)
{
    uint64_t start = at & ~(GRANULE - 1ull);
    uint8_t value = *shadow_of(at);
    if (value == 0)
        return 0;
    uint64_t first = value < GRANULE && at < start + value ? start + value : at;
    return first < end && first < start + GRANULE ? first : 0;
}

uint64_t shadow_forbidden(uint64_t address, size_t size)
{
    uint64_t end = shadow_covered_end(address);
    if (end == 0 || size == 0)
        return 0;
    if (size < end - address)
        end = address + size;
    for (uint64_t at = address; at < end; at = (at | (GRANULE - 1)) + 1) {
        while (at % EIGHT_GRANULES == 0 && end - at > EIGHT_GRANULES &&
               *(const uint64_t *)shadow_of(at) == 0)
            at += EIGHT_GRANULES;
        uint64_t forbidden = forbidden_in_granule(at, end);
        if (forbidden)
            return forbidden;
    }
    return 0;
}

void shadow_forbid(uint64_t address, size_t size, enum shadow_value value)
{
    if (shadow_covered_end(address))
        __real_memset(shadow_of(address), (int)value, (size + GRANULE - 1) / GRANULE);
}

void shadow_allow(uint64_t address, size_t size)
{
    if (!shadow_covered_end(address))
        return;
    __real_memset(shadow_of(address), 0, size / GRANULE);
    if (size % GRANULE)
        *shadow_of(address + size) = size % GRANULE;
}

void shadow_off(void)
{
    for (unsigned i = 0; i < 3 && direct.size > 0; i++)
        covered_at_off[i] = *areas[i];
    direct.size = image.size = stacks.size = 0;
}

uint8_t shadow_value_at(uint64_t address)
{
    if (shadow_covered_end(address))
        return *shadow_of(address);
    for (unsigned i = 0; i < 3; i++)
        if (address - covered_at_off[i].start < covered_at_off[i].size)
            return *shadow_of(address);
    return 0;
}

static pte_t data_bits(void)
{
    return PTE_RW | PTE_G | pte_execute_disable;
}

static struct frame *new_frame(void)
{
    struct frame *frame = __wrap_frame_alloc_zeroed(FRAME_KERNEL);
    if (!frame)
        panic("no memory for the shadow of AddressSanitizer");
    return frame;
}

/* Maps new zeroed frames at [start, end), in whole pages. */
static void map_new(uint64_t start, uint64_t end)
{
    for (uint64_t at = page_floor(start); at < end; at += PAGE_SIZE)
        pt_map_kernel(virt(at), virt(at + PAGE_SIZE), frame_phys(new_frame()), data_bits(), false);
}

static bool any_ram(size_t first, size_t end)
{
    for (size_t i = first; i < end && i < frame_records_size; i++)
        if (frame_records[i].kind != FRAME_RESERVED)
            return true;
    return false;
}

/* One read-only frame of zeros is the shadow of all addresses without RAM. */
static void map_direct_shadow(void)
{
    const size_t step = SHADOW_PAGE / PAGE_SIZE;
    struct frame *zeros = new_frame();
    for (size_t i = 0; i < frame_records_size; i += step) {
        uint64_t at = (uint64_t)shadow_of(DIRECT_MAP + i * PAGE_SIZE);
        if (any_ram(i, i + step))
            map_new(at, at + PAGE_SIZE);
        else
            pt_map_kernel(virt(at), virt(at + PAGE_SIZE), frame_phys(zeros), data_bits() & ~PTE_RW,
                          false);
    }
}

static void map_shadow(void)
{
    map_direct_shadow();
    map_new((uint64_t)shadow_of((uint64_t)image_start), (uint64_t)shadow_of((uint64_t)image_end));
    map_new(FRAME_CALLS, FRAME_CALLS + frame_records_size * sizeof(struct frame_calls));
}

static void run_constructors(void)
{
    for (constructor_t *const *at = constructors_start; at < constructors_end; at++)
        (*at)();
}

static void fill_shadow(void)
{
    image.start = (uint64_t)image_start;
    image.size = (uint64_t)(image_end - image_start);
    direct.size = frame_records_size * PAGE_SIZE;
    for (size_t i = 0; i < frame_records_size; i++)
        if (frame_records[i].kind == FRAME_FREE)
            shadow_forbid(DIRECT_MAP + i * PAGE_SIZE, PAGE_SIZE, SHADOW_FREE_FRAME);
    frames_record_calls();
    run_constructors();
}

/* The first switch is at the end of kernel_map_init(). The new tables must have the shadow by then,
 * since compiled code writes to it at the end of each function that has arrays. */
void __wrap_tlb_switch(phys_t root)
{
    bool first = !mapped;
    if (first)
        map_shadow();
    mapped = true;
    __real_tlb_switch(root);
    if (first)
        fill_shadow();
}

/* The slots are adjacent, so the shadow of the guard page is mapped too. */
bool shadow_add_stack(uint64_t bottom, uint64_t top)
{
    struct pagetable tables = kernel_pagetable;
    uint64_t end = (uint64_t)shadow_of(top);
    for (uint64_t at = page_floor((uint64_t)shadow_of(bottom - PAGE_SIZE)); at < end;
         at += PAGE_SIZE) {
        pte_t *entry = pt_ensure(&tables, virt(at));
        struct frame *frame = !entry || *entry ? NULL : __wrap_frame_alloc_zeroed(FRAME_KERNEL);
        if (!entry || (!*entry && !frame))
            return false;
        if (frame)
            *entry = frame_phys(frame).value | data_bits() | PTE_P;
    }
    if (stacks.size < top - KSTACK_BASE)
        stacks.size = top - KSTACK_BASE;
    shadow_allow(bottom, top - bottom);
    return true;
}

uint64_t __wrap_kstack_alloc(void)
{
    uint64_t top = __real_kstack_alloc();
    if (top && !shadow_add_stack(top - KSTACK_SIZE, top)) {
        kstack_free(top);
        return 0;
    }
    return top;
}

/* Nothing is checked before kernel_map_init(), but compiled code writes the shadow of its stack
 * frames already. One page, mapped repeatedly, is all the shadow that the boot stack has. */

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

#define FILES_MAX 256 /* source files with global variables */

static struct {
    const struct global *first;
    size_t count;
} files[FILES_MAX];
static unsigned nr_files;

void __asan_register_globals(const struct global *first, size_t count)
{
    CHECK(nr_files < FILES_MAX, "%u files", nr_files);
    files[nr_files].first = first;
    files[nr_files++].count = count;
    for (const struct global *g = first; g < first + count; g++) {
        shadow_forbid(g->start, g->size_with_redzone, SHADOW_GLOBAL_REDZONE);
        shadow_allow(g->start, g->size);
    }
}

void __asan_unregister_globals(const struct global *first, size_t count)
{
    (void)first;
    (void)count;
}

const struct global *global_at(uint64_t address)
{
    for (unsigned i = 0; i < nr_files; i++)
        for (const struct global *g = files[i].first; g < files[i].first + files[i].count; g++)
            if (address - g->start < g->size_with_redzone)
                return g;
    return NULL;
}
