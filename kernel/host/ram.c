#include "host/ram.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <string.h>

#include "arch/phys.h"
#include "arch/tlb.h"
#include "host/fail.h"
#include "mm/aspace.h"
#include "mm/slab.h"

uintptr_t direct_map_base;
static size_t arena_frames;

#define SPARSE_SINGLES                                                                             \
    3 /* quarters of the arena that hold single frames; the last one holds blocks */
#define SPARSE_BLOCK 8

void page_zero(void *to)
{
    memset(to, 0, PAGE_SIZE);
}

void page_copy(void *restrict to, const void *restrict from)
{
    memcpy(to, from, PAGE_SIZE);
}

void ram_arena(size_t frames)
{
    const size_t size = RAM_FRAMES_MAX * PAGE_SIZE;
    if (!direct_map_base) {
        direct_map_base = (uintptr_t)host_map(1, size) + PAGE_SIZE;
    }
    if (frames > RAM_FRAMES_MAX)
        host_fail("%zu frames wanted", frames);
    __asan_unpoison_memory_region((void *)direct_map_base, size);
    if (frames < RAM_FRAMES_MAX)
        __asan_poison_memory_region(phys_ptr(phys(frames * PAGE_SIZE)), size - frames * PAGE_SIZE);
    arena_frames = frames;
    alloc_forget();
}

bool ram_contains(uint64_t physical, uint64_t size)
{
    uint64_t end = arena_frames * PAGE_SIZE;
    return physical < end && size <= end - physical;
}

/* The first range has room for the frame records only. */
static size_t sparse_ranges(struct frame_range *ranges, size_t frames)
{
    size_t records = (frames * sizeof(struct frame) + PAGE_SIZE - 1) / PAGE_SIZE;
    size_t nr = 1, at = records + 2, singles = frames / 4 * SPARSE_SINGLES;
    for (; at < singles; at += 2)
        ranges[nr++] = (struct frame_range){at * PAGE_SIZE, (at + 1) * PAGE_SIZE};
    at = (at + 2 * SPARSE_BLOCK) / SPARSE_BLOCK * SPARSE_BLOCK;
    for (; at + 2 * SPARSE_BLOCK <= frames; at += 2 * SPARSE_BLOCK)
        ranges[nr++] = (struct frame_range){at * PAGE_SIZE, (at + SPARSE_BLOCK) * PAGE_SIZE};
    uint64_t used = (ranges[nr - 1].end >> PAGE_SHIFT) * sizeof(struct frame);
    ranges[0] = (struct frame_range){0, PAGE_SIZE + page_ceil(used)};
    return nr;
}

/* Poisons everything that is not in use: free frames, and memory that is not RAM. */
static void poison_unused(void)
{
    for (size_t i = 0; i < frame_records_size; i++)
        if (frame_records[i].kind == FRAME_FREE || frame_records[i].kind == FRAME_RESERVED)
            __asan_poison_memory_region(phys_ptr(phys(i << PAGE_SHIFT)), PAGE_SIZE);
    __asan_poison_memory_region(phys_ptr(phys(frame_records_size << PAGE_SHIFT)),
                                (arena_frames - frame_records_size) * PAGE_SIZE);
}

/* Makes a kernel half that is not empty, so that tests can check that every address space has
 * it. */
static void make_kernel_half(void)
{
    kernel_pagetable.root = frame_alloc_zeroed(FRAME_TABLE);
    if (!kernel_pagetable.root)
        host_fail("no memory for the kernel's page table");
    pt_map_kernel(virt(DIRECT_MAP), virt(DIRECT_MAP + (4ull << 20)), phys(0),
                  PTE_RW | PTE_G | pte_execute_disable, false);
    pt_map_kernel(virt(KERNEL_BASE), virt(KERNEL_BASE + 4 * PAGE_SIZE), phys(PAGE_SIZE), PTE_G,
                  false);
}

void ram_start(enum ram_layout layout, size_t frames)
{
    static struct frame_range ranges[RAM_FRAMES_MAX];
    size_t nr = 1;
    ram_arena(frames);
    ranges[0] = (struct frame_range){0, frames * PAGE_SIZE};
    if (layout == RAM_SPARSE)
        nr = sparse_ranges(ranges, frames);
    if (!frame_init(ranges, nr, NULL, 0, frames * PAGE_SIZE))
        host_fail("no room for the frame records");
    poison_unused();
    slab_init(0xf4ee0b1ec7f4ee00);
    pte_execute_disable = PTE_XD;
    make_kernel_half();
    tlb_switch(frame_phys(kernel_pagetable.root));
    if (aspace_init() != 0)
        host_fail("no memory for the frame of zeros");
}

struct ram_counts ram_counts(void)
{
    struct ram_counts counts;
    alloc_flush();
    slab_trim();
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++)
        counts.of[kind] = frame_count((enum frame_kind)kind);
    return counts;
}

const char *ram_difference(const struct ram_counts *before, const struct ram_counts *after,
                           char *buf, size_t size)
{
    buf[0] = '\0';
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++) {
        if (before->of[kind] == after->of[kind] || kind == FRAME_FREE)
            continue;
        snprintf(buf, size, "%s: %zu frames before, %zu after",
                 frame_kind_name((enum frame_kind)kind), before->of[kind], after->of[kind]);
        break;
    }
    return buf;
}
