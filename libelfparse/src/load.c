#include "load.h"

#define PF_MASKOS_MASKPROC 0xfff00000u /* gABI, "Segment Permissions" */

/*@ predicate in_file(struct elfp_bounds *b, struct elfp_phdr *p) =
      p->filesz <= p->memsz && (p->filesz == 0 || p->offset + p->filesz <= b->file_size);
*/

/* L2, L3: the file holds what the segment takes from it; an empty part may lie anywhere. */
/*@ requires \valid_read(bounds) && \valid_read(phdr);
    assigns \nothing;
    ensures in_file: \result == 0 ==> in_file(bounds, phdr);
*/
static ELFP_COLD uint32_t check_file(const struct elfp_bounds *bounds,
                                     const struct elfp_phdr *phdr)
{
    uint32_t faults = 0;

    if (phdr->filesz > phdr->memsz)
        faults += ELFP_LOAD_FILESZ;
    if (phdr->filesz > bounds->file_size)
        faults += ELFP_LOAD_OFFSET;
    else if (phdr->filesz != 0 && phdr->offset > bounds->file_size - phdr->filesz)
        faults += ELFP_LOAD_OFFSET;
    return faults;
}

/* L5: the unit that p_vaddr and p_offset must agree under is a page at least. */
/*@ requires \valid_read(bounds) && \valid_read(phdr);
    assigns \nothing;
    ensures limit: \result == 0 ==> phdr->align <= bounds->max_align;
*/
static ELFP_COLD uint32_t check_align(const struct elfp_bounds *bounds,
                                      const struct elfp_phdr *phdr)
{
    uint64_t unit = phdr->align > ELFPARSE_PAGE_SIZE ? phdr->align : ELFPARSE_PAGE_SIZE;

    if ((phdr->align & (phdr->align - 1)) != 0)
        return ELFP_LOAD_ALIGN;
    if (phdr->align > bounds->max_align)
        return ELFP_LOAD_ALIGN_LIMIT;
    if (((phdr->vaddr - phdr->offset) & (unit - 1)) != 0)
        return ELFP_LOAD_CONGRUENT;
    return 0;
}

/*
 * L7: two segments may share a page only if each would map the very same page of the file there
 * with the same permissions: no zero tail of the one or the other may end up in it.
 */
/*@ requires \valid_read(last) && \valid_read(phdr);
    assigns \nothing;
    ensures equal: \result != 0 ==> last->flags == phdr->flags && last->filesz == last->memsz &&
            phdr->filesz != 0;
*/
static int may_share(const struct elfp_phdr *last, const struct elfp_phdr *phdr, uint64_t last_end)
{
    return last->filesz == last->memsz && last->flags == phdr->flags &&
           last->vaddr - last->offset == phdr->vaddr - phdr->offset && phdr->filesz != 0 &&
           (phdr->filesz == phdr->memsz || phdr->vaddr + phdr->filesz >= last_end);
}

/* L6, L7: above the segment before it, and on pages of its own. */
/*@ requires \valid_read(loads) && \valid_read(phdr) && \valid_read(loads->last + (0 .. 55));
    assigns \nothing;
*/
static ELFP_COLD uint32_t check_order(const struct elfp_loads *loads, const struct elfp_phdr *phdr)
{
    struct elfp_phdr last;

    elfp_phdr_decode(loads->last, &last);
    if (phdr->vaddr < last.vaddr)
        return ELFP_LOAD_ORDER;
    if (phdr->vaddr < last.vaddr + last.memsz)
        return ELFP_LOAD_OVERLAP;
    if (!may_share(&last, phdr, loads->end))
        return ELFP_LOAD_SHARED;
    return 0;
}

/* A page holds both file bytes and zeros, and somebody has to write the zeros. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
*/
static int splits_page(const struct elfp_phdr *phdr)
{
    return phdr->filesz != 0 && ((phdr->vaddr + phdr->filesz) & (ELFPARSE_PAGE_SIZE - 1)) != 0;
}

/* L8, L10; Linux as well runs a read-only segment whose zeros have pages of their own. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
    ensures no_wx: \result.faults == 0 ==> (phdr->flags & 3) != 3;
    ensures zeros: \result.faults == 0 && phdr->memsz > phdr->filesz ==>
            ((phdr->flags & 2) != 0 || (phdr->flags & 1) == 0);
    ensures bounded: \result.faults <= ELFP_LOAD_WX + ELFP_LOAD_FLAGS + ELFP_LOAD_ZEROPERM;
*/
static ELFP_COLD struct elfp_finding check_flags(const struct elfp_phdr *phdr)
{
    struct elfp_finding finding = {0, 0};
    uint32_t flags = phdr->flags;

    if ((flags & (ELFPARSE_PF_W | ELFPARSE_PF_X)) == (ELFPARSE_PF_W | ELFPARSE_PF_X))
        finding.faults += ELFP_LOAD_WX;
    if ((flags & ~(7u | PF_MASKOS_MASKPROC)) != 0)
        finding.faults += ELFP_LOAD_FLAGS;
    if ((flags & PF_MASKOS_MASKPROC) != 0)
        finding.traits += ELFPARSE_TRAIT_SEGFLAGS;
    if ((flags & ELFPARSE_PF_R) == 0)
        finding.traits += ELFPARSE_TRAIT_UNREADABLE;
    if (phdr->memsz > phdr->filesz && (flags & ELFPARSE_PF_W) == 0) {
        if ((flags & ELFPARSE_PF_X) != 0 || splits_page(phdr))
            finding.faults += ELFP_LOAD_ZEROPERM;
        else
            finding.traits += ELFPARSE_TRAIT_ZERO_RO;
    }
    return finding;
}

/* L4, L9 */
/*@ requires \valid_read(phdr);
    assigns \nothing;
    ensures \result == ELFP_LOAD_WRAP || \result == ELFP_LOAD_HIGH;
*/
static ELFP_COLD uint32_t range_fault(const struct elfp_phdr *phdr)
{
    const uint64_t last_page = UINT64_MAX - (ELFPARSE_PAGE_SIZE - 1);

    if (phdr->vaddr > last_page || phdr->memsz > last_page - phdr->vaddr)
        return ELFP_LOAD_WRAP;
    return ELFP_LOAD_HIGH;
}

/*
 * All rules for one segment. The conditions here are what ordinary segments pass at once; only what
 * does not is looked at closely.
 */
/*@ requires \valid_read(bounds) && \valid_read(loads) && \valid_read(phdr);
    requires \valid_read(loads->last + (0 .. 55));
    assigns \nothing;
    ensures in_file: \result.faults == 0 ==> in_file(bounds, phdr);
    ensures in_range: \result.faults == 0 ==> phdr->vaddr + phdr->memsz <= bounds->user_end;
    ensures no_wx: \result.faults == 0 ==> (phdr->flags & 3) != 3;
*/
static inline struct elfp_finding check_load(const struct elfp_bounds *bounds,
                                             const struct elfp_loads *loads,
                                             const struct elfp_phdr *phdr, uint64_t first)
{
    struct elfp_finding finding = {0, 0};

    if (ELFP_RARE(phdr->flags - ELFPARSE_PF_R > ELFPARSE_PF_W) ||
        (phdr->memsz != phdr->filesz && ELFP_RARE(phdr->flags < (ELFPARSE_PF_R | ELFPARSE_PF_W))))
        finding = check_flags(phdr);
    if (ELFP_RARE(phdr->filesz > phdr->memsz) || ELFP_RARE(phdr->filesz > bounds->file_size) ||
        ELFP_RARE(phdr->offset > bounds->file_size - phdr->filesz))
        finding.faults += check_file(bounds, phdr);
    if (ELFP_RARE(phdr->align != ELFPARSE_PAGE_SIZE) ||
        ELFP_RARE(((phdr->vaddr - phdr->offset) & (ELFPARSE_PAGE_SIZE - 1)) != 0))
        finding.faults += check_align(bounds, phdr);
    if (ELFP_RARE(first < loads->end))
        finding.faults += check_order(loads, phdr);
    if (ELFP_RARE(phdr->vaddr > bounds->user_end) ||
        ELFP_RARE(phdr->memsz > bounds->user_end - phdr->vaddr))
        finding.faults += range_fault(phdr);
    return finding;
}

/* Counts a range and says where it goes; beyond the capacity that is a place nobody looks at. */
static inline struct elfparse_range *next_range(struct elfp_loads *loads)
{
    uint32_t n = loads->range_count++;

    return n < loads->range_capacity ? &loads->ranges[n] : &loads->spill;
}

static inline void put_range(struct elfp_loads *loads, const struct elfparse_range *range)
{
    *next_range(loads) = *range;
}

/*
 * The ranges of a segment that goes on with zeros after its file bytes, from page first on: the
 * whole pages of the file, the page of the split, and what holds no byte of the file.
 */
static void add_split(struct elfp_loads *loads, const struct elfp_phdr *phdr,
                      struct elfparse_range range, uint64_t end)
{
    uint64_t file_end = phdr->vaddr + phdr->filesz;
    uint64_t split = phdr->filesz != 0 ? elfp_page_floor(file_end) : range.vaddr;

    if (split > range.vaddr) {
        range.size = split - range.vaddr;
        range.file_bytes = range.size;
        put_range(loads, &range);
        range.offset += range.size;
        range.vaddr = split;
    }
    if (phdr->filesz != 0 && file_end > split) {
        range.kind = ELFPARSE_RANGE_SPLIT;
        range.size = ELFPARSE_PAGE_SIZE;
        range.file_bytes = file_end - split;
        put_range(loads, &range);
        range.vaddr += ELFPARSE_PAGE_SIZE;
    }
    if (end > range.vaddr) {
        range.kind = ELFPARSE_RANGE_ZERO;
        range.size = end - range.vaddr;
        range.offset = 0;
        range.file_bytes = 0;
        put_range(loads, &range);
    }
}

/* The ranges of a segment from page first on; the page before may be one that it shares. */
static inline void add_ranges(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                              const struct elfp_phdr *phdr, uint32_t index, uint64_t first,
                              uint64_t end)
{
    struct elfparse_range range;
    uint64_t left;

    range.vaddr = first;
    range.size = end - first;
    range.offset = first - (phdr->vaddr - phdr->offset);
    range.file_bytes = range.size;
    range.prot = phdr->flags & 7u;
    range.segment = (uint16_t)index;
    range.kind = ELFPARSE_RANGE_FILE;
    if (phdr->filesz != phdr->memsz) {
        add_split(loads, phdr, range, end);
    } else if (ELFP_RARE(end > first)) {
        /* Whole pages, the last one cut short only by the end of the file. */
        left = bounds->file_size - range.offset;
        if (range.size > left)
            range.file_bytes = left;
        put_range(loads, &range);
    }
}

/* Takes in a segment without faults. */
static inline void take_load(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                             const struct elfp_phdr *phdr, uint32_t index, uint64_t first)
{
    uint64_t end = elfp_page_ceil(phdr->vaddr + phdr->memsz);

    if (loads->count++ == 0) {
        loads->start = first;
        loads->first_index = index;
    }
    add_ranges(bounds, loads, phdr, index, ELFP_RARE(first < loads->end) ? loads->end : first, end);
    loads->end = end;
    loads->last_index = index;
    loads->memory += phdr->memsz;
    if (ELFP_RARE(phdr->align > loads->align))
        loads->align = phdr->align;
    if ((phdr->flags & ELFPARSE_PF_X) != 0 && bounds->entry - phdr->vaddr < phdr->filesz)
        loads->entry_found = 1;
}

/* L13: an empty segment takes nothing from the file either. */
static ELFP_COLD struct elfp_finding check_empty(const struct elfp_phdr *phdr)
{
    struct elfp_finding finding = {0, ELFPARSE_TRAIT_EMPTY_LOAD};

    if (phdr->filesz != 0) {
        finding.faults = ELFP_LOAD_FILESZ;
        finding.traits = 0;
    }
    return finding;
}

static inline struct elfp_finding scan_load(const struct elfp_bounds *bounds,
                                            struct elfp_loads *loads, const uint8_t *header,
                                            uint32_t index)
{
    struct elfp_finding finding;
    struct elfp_phdr phdr;
    uint64_t first;

    elfp_phdr_decode(header, &phdr);
    if (ELFP_RARE(phdr.memsz == 0))
        return check_empty(&phdr);
    first = elfp_page_floor(phdr.vaddr);
    finding = check_load(bounds, loads, &phdr, first);
    if (ELFP_RARE(finding.faults != 0))
        return finding;
    take_load(bounds, loads, &phdr, index, first);
    loads->last = header;
    return finding;
}

/* The headers besides PT_LOAD and PT_NOTE that the library knows; these are p_type 0 to 7. */
static const uint8_t low_types[8] = {
    ELFP_SINGLES, ELFP_SINGLES, ELFP_DYNAMIC, ELFP_INTERP,
    ELFP_SINGLES, ELFP_SINGLES, ELFP_PHDR,    ELFP_TLS,
};

/* From PT_GNU_EH_FRAME on. */
static const uint8_t gnu_types[4] = {ELFP_SINGLES, ELFP_STACK, ELFP_RELRO, ELFP_PROPERTY};

uint32_t elfp_single_of_type(uint32_t type)
{
    if (type < 8)
        return low_types[type];
    if (type - ELFPARSE_PT_GNU_EH_FRAME < 4)
        return gnu_types[type - ELFPARSE_PT_GNU_EH_FRAME];
    return ELFP_SINGLES;
}

/* Remembers where a header is that is judged once all segments are known (O9: the rest is skipped).
 */
static inline uint32_t scan_other(struct elfp_loads *loads, uint32_t type, uint32_t index)
{
    uint32_t single = elfp_single_of_type(type);

    if (type == ELFPARSE_PT_NOTE) {
        if (loads->first_note == ELFPARSE_NO_INDEX)
            loads->first_note = index;
        loads->last_note = index;
    } else if (single != ELFP_SINGLES) {
        if (ELFP_RARE(loads->single[single] != ELFPARSE_NO_INDEX))
            return ELFP_LOAD_DUPLICATE;
        loads->single[single] = index;
    }
    return 0;
}

uint32_t elfp_load_scan(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                        const uint8_t *bytes, uint32_t phnum, uint32_t from,
                        struct elfp_finding *finding)
{
    struct elfp_finding found = {0, 0};
    uint32_t i;

    for (i = from; i < phnum; i++) {
        const uint8_t *header = bytes + (size_t)i * ELFPARSE_PHDR_SIZE;
        uint32_t type = elfp_le32(header);

        if (type == ELFPARSE_PT_LOAD)
            found = scan_load(bounds, loads, header, i);
        else if (loads->want_others != 0)
            found.faults = scan_other(loads, type, i);
        if (ELFP_RARE((found.faults | found.traits) != 0))
            break;
    }
    *finding = found;
    return i;
}
