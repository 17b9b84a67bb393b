#include "load.h"

#define PF_MASKOS_MASKPROC 0xfff00000u /* gABI, "Segment Permissions" */
#define LAST_PAGE          (UINT64_MAX - (ELFPARSE_PAGE_SIZE - 1))

/* L2, L3: the file holds what the segment takes from it. */
static uint32_t check_file(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
{
    uint32_t faults = 0;

    if (ELFP_RARE(phdr->filesz > phdr->memsz))
        faults += ELFP_LOAD_FILESZ;
    if (ELFP_RARE(phdr->filesz > bounds->file_size))
        faults += ELFP_LOAD_OFFSET;
    else if (phdr->filesz != 0 && ELFP_RARE(phdr->offset > bounds->file_size - phdr->filesz))
        faults += ELFP_LOAD_OFFSET;
    return faults;
}

/* L5: the mask that p_vaddr and p_offset must agree under is that of a page at least. */
static uint32_t check_align(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
{
    uint64_t unit = phdr->align > ELFPARSE_PAGE_SIZE ? phdr->align : ELFPARSE_PAGE_SIZE;

    if (ELFP_RARE((phdr->align & (phdr->align - 1)) != 0))
        return ELFP_LOAD_ALIGN;
    if (ELFP_RARE(phdr->align > bounds->max_align))
        return ELFP_LOAD_ALIGN_LIMIT;
    if (ELFP_RARE(((phdr->vaddr - phdr->offset) & (unit - 1)) != 0))
        return ELFP_LOAD_CONGRUENT;
    return 0;
}

/*
 * L7: two segments may share a page only if each would map the very same page of the file there with
 * the same permissions: no zero tail of the one or the other may end up in it.
 */
static int may_share(const struct elfp_loads *loads, const struct elfp_phdr *phdr)
{
    return loads->last_whole != 0 && loads->last_flags == phdr->flags &&
           loads->last_delta == phdr->vaddr - phdr->offset && phdr->filesz != 0 &&
           (phdr->filesz == phdr->memsz || phdr->vaddr + phdr->filesz >= loads->end);
}

/* L6, L7: above the segment before it, and on pages of its own. */
static uint32_t check_order(const struct elfp_loads *loads, const struct elfp_phdr *phdr)
{
    if (ELFP_RARE(phdr->vaddr < loads->last_vaddr))
        return ELFP_LOAD_ORDER;
    if (ELFP_RARE(phdr->vaddr < loads->last_end))
        return ELFP_LOAD_OVERLAP;
    if (ELFP_RARE(elfp_page_floor(phdr->vaddr) < loads->end) && !may_share(loads, phdr))
        return ELFP_LOAD_SHARED;
    return 0;
}

/* L4, L9: the pages lie where a program may map, before the bias and after a fitting one. */
static uint32_t check_range(const struct elfp_bounds *bounds, const struct elfp_loads *loads,
                            const struct elfp_phdr *phdr)
{
    uint64_t first = elfp_page_floor(phdr->vaddr);
    uint64_t start = loads->count != 0 ? loads->start : first;

    if (ELFP_RARE(phdr->vaddr > LAST_PAGE) || ELFP_RARE(phdr->memsz > LAST_PAGE - phdr->vaddr))
        return ELFP_LOAD_WRAP;
    if (ELFP_RARE(first < bounds->lowest))
        return ELFP_LOAD_LOW;
    if (ELFP_RARE(phdr->vaddr + phdr->memsz > bounds->user_end))
        return ELFP_LOAD_HIGH;
    if (ELFP_RARE(elfp_page_ceil(phdr->vaddr + phdr->memsz) > start + bounds->room))
        return ELFP_LOAD_SPAN;
    return 0;
}

/* L8, L10 */
static struct elfp_finding check_flags(const struct elfp_phdr *phdr)
{
    struct elfp_finding finding = {0, 0};
    uint32_t flags = phdr->flags;

    if (ELFP_RARE((flags & (ELFPARSE_PF_W | ELFPARSE_PF_X)) == (ELFPARSE_PF_W | ELFPARSE_PF_X)))
        finding.faults += ELFP_LOAD_WX;
    if (ELFP_RARE((flags & ~(7u | PF_MASKOS_MASKPROC)) != 0))
        finding.faults += ELFP_LOAD_FLAGS;
    if (ELFP_RARE((flags & PF_MASKOS_MASKPROC) != 0))
        finding.traits += ELFPARSE_TRAIT_SEGFLAGS;
    if (ELFP_RARE((flags & ELFPARSE_PF_R) == 0))
        finding.traits += ELFPARSE_TRAIT_UNREADABLE;
    if (phdr->memsz != phdr->filesz && ELFP_RARE((flags & ELFPARSE_PF_W) == 0)) {
        if ((flags & ELFPARSE_PF_X) != 0)
            finding.faults += ELFP_LOAD_ZEROPERM;
        else
            finding.traits += ELFPARSE_TRAIT_ZERO_RO;
    }
    return finding;
}

struct elfp_finding elfp_load_check(const struct elfp_bounds *bounds, const struct elfp_loads *loads,
                                    const struct elfp_phdr *phdr)
{
    struct elfp_finding finding = check_flags(phdr);

    finding.faults += check_file(bounds, phdr);
    finding.faults += check_align(bounds, phdr);
    finding.faults += check_order(loads, phdr);
    finding.faults += check_range(bounds, loads, phdr);
    if (ELFP_RARE(phdr->memsz > bounds->max_memory - loads->memory))
        finding.faults += ELFP_LOAD_MEMORY;
    if (ELFP_RARE(loads->count >= bounds->max_loads))
        finding.faults += ELFP_LOAD_LIMIT;
    return finding;
}

/* Counts a range and writes it where there is room. */
static void add_range(struct elfp_loads *loads, const struct elfparse_range *range)
{
    if (loads->range_count < loads->range_capacity)
        loads->ranges[loads->range_count] = *range;
    loads->range_count++;
}

/* A segment without zero tail: whole pages, the last one cut short only by the end of the file. */
static void add_whole(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                      struct elfparse_range *range, uint64_t end)
{
    uint64_t left = bounds->file_size - range->offset;

    range->kind = ELFPARSE_RANGE_FILE;
    range->size = end - range->vaddr;
    range->file_bytes = range->size < left ? range->size : left;
    add_range(loads, range);
}

/* The file's part of a segment that goes on with zeros: whole pages, then the page of the split. */
static void add_file_part(struct elfp_loads *loads, struct elfparse_range *range, uint64_t file_end)
{
    uint64_t split = elfp_page_floor(file_end);

    if (split > range->vaddr) {
        range->kind = ELFPARSE_RANGE_FILE;
        range->size = split - range->vaddr;
        range->file_bytes = range->size;
        add_range(loads, range);
        range->offset += range->size;
        range->vaddr = split;
    }
    if (file_end > split) {
        range->kind = ELFPARSE_RANGE_SPLIT;
        range->size = ELFPARSE_PAGE_SIZE;
        range->file_bytes = file_end - split;
        add_range(loads, range);
        range->vaddr += ELFPARSE_PAGE_SIZE;
    }
}

/* The pages of a segment that hold no byte of the file. */
static void add_zero_part(struct elfp_loads *loads, struct elfparse_range *range, uint64_t end)
{
    if (end > range->vaddr) {
        range->kind = ELFPARSE_RANGE_ZERO;
        range->size = end - range->vaddr;
        range->offset = 0;
        range->file_bytes = 0;
        add_range(loads, range);
    }
}

/* The ranges of a segment from page first on; the page before may be one that it shares. */
static void add_ranges(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                       const struct elfp_phdr *phdr, uint32_t index, uint64_t first)
{
    uint64_t end = elfp_page_ceil(phdr->vaddr + phdr->memsz);
    struct elfparse_range range;

    range.vaddr = first;
    range.offset = first - (phdr->vaddr - phdr->offset);
    range.prot = phdr->flags & 7u;
    range.segment = (uint16_t)index;
    if (phdr->filesz == phdr->memsz) {
        if (end > first)
            add_whole(bounds, loads, &range, end);
        return;
    }
    if (phdr->filesz != 0)
        add_file_part(loads, &range, phdr->vaddr + phdr->filesz);
    add_zero_part(loads, &range, end);
}

void elfp_load_add(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                   const struct elfp_phdr *phdr, uint32_t index)
{
    uint64_t first = elfp_page_floor(phdr->vaddr);

    if (loads->count == 0) {
        loads->start = first;
        loads->first_index = index;
    }
    add_ranges(bounds, loads, phdr, index, first < loads->end ? loads->end : first);
    loads->last_vaddr = phdr->vaddr;
    loads->last_end = phdr->vaddr + phdr->memsz;
    loads->end = elfp_page_ceil(loads->last_end);
    loads->last_delta = phdr->vaddr - phdr->offset;
    loads->last_flags = phdr->flags;
    loads->last_whole = phdr->filesz == phdr->memsz;
    loads->last_index = index;
    loads->memory += phdr->memsz;
    if (phdr->align > loads->align)
        loads->align = phdr->align;
    loads->count++;
}
