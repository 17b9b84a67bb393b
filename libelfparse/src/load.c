#include "load.h"

#define PF_MASKOS_MASKPROC 0xfff00000u /* gABI, "Segment Permissions" */

/* L2, L3: the file holds what the segment takes from it; an empty part may lie anywhere. */
/*@ requires \valid_read(bounds) && \valid_read(phdr);
    assigns \nothing;
    ensures in_file: \result == 0 ==> in_file(bounds, phdr);
    ensures bounded: \result <= ELFP_LOAD_FILESZ + ELFP_LOAD_OFFSET;
*/
static uint32_t check_file(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
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
    ensures bounded: \result <= ELFP_LOAD_CONGRUENT;
*/
static uint32_t check_align(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
{
    uint64_t unit = phdr->align > ELFP_PAGE(bounds) ? phdr->align : ELFP_PAGE(bounds);

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
    ensures equal: \result != 0 ==> shares(last, phdr);
*/
static int may_share(const struct elfp_phdr *last, const struct elfp_phdr *phdr, uint64_t last_end)
{
    return last->filesz == last->memsz && last->flags == phdr->flags &&
           last->vaddr - last->offset == phdr->vaddr - phdr->offset && phdr->filesz != 0 &&
           (phdr->filesz == phdr->memsz || phdr->vaddr + phdr->filesz >= last_end);
}

/* L6, L7: above the segment before it, and on pages of its own. */
/*@ requires \valid_read(bounds) && \valid_read(last) && \valid_read(phdr);
    requires is_page(bounds->page);
    assigns \nothing;
    ensures alone: \result == 0 ==> phdr->vaddr >= last_end || shares(last, phdr);
    ensures bounded: \result <= ELFP_LOAD_SHARED;
*/
static uint32_t check_order(const struct elfp_bounds *bounds, const struct elfp_phdr *last,
                            const struct elfp_phdr *phdr, uint64_t last_end)
{
    if (elfp_page_floor(phdr->vaddr, ELFP_PAGE(bounds)) >= last_end)
        return 0;
    if (phdr->vaddr < last->vaddr)
        return ELFP_LOAD_ORDER;
    if (phdr->vaddr < last->vaddr + last->memsz)
        return ELFP_LOAD_OVERLAP;
    if (!may_share(last, phdr, last_end))
        return ELFP_LOAD_SHARED;
    return 0;
}

/* A page holds both file bytes and zeros, and somebody has to write the zeros. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
*/
static int splits_page(const struct elfp_phdr *phdr, uint64_t page)
{
    return phdr->filesz != 0 && ((phdr->vaddr + phdr->filesz) & (page - 1)) != 0;
}

/* L8, L10; Linux as well runs a read-only segment whose zeros have pages of their own. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
    ensures no_wx: \result.faults == 0 ==> (phdr->flags & 3) != 3;
    ensures zeros: \result.faults == 0 && phdr->memsz > phdr->filesz ==>
            ((phdr->flags & 2) != 0 || (phdr->flags & 1) == 0);
    ensures bounded: \result.faults <= ELFP_LOAD_WX + ELFP_LOAD_FLAGS + ELFP_LOAD_ZEROPERM;
*/
static struct elfp_finding check_flags(const struct elfp_phdr *phdr, uint64_t page)
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
        if ((flags & ELFPARSE_PF_X) != 0 || splits_page(phdr, page))
            finding.faults += ELFP_LOAD_ZEROPERM;
        else
            finding.traits += ELFPARSE_TRAIT_ZERO_RO;
    }
    return finding;
}

/* L4, L9 */
/*@ requires \valid_read(bounds) && \valid_read(phdr);
    requires is_page(bounds->page);
    assigns \nothing;
    ensures in_range: \result == 0 ==> phdr->vaddr + phdr->memsz <= bounds->user_end;
    ensures bounded: \result <= ELFP_LOAD_HIGH;
*/
static uint32_t check_range(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
{
    const uint64_t last_page = UINT64_MAX - (ELFP_PAGE(bounds) - 1);

    if (phdr->vaddr > last_page || phdr->memsz > last_page - phdr->vaddr)
        return ELFP_LOAD_WRAP;
    if (phdr->vaddr + phdr->memsz > bounds->user_end)
        return ELFP_LOAD_HIGH;
    return 0;
}

/*@ requires \valid_read(bounds) && \valid_read(phdr) && \valid_read(last);
    requires is_page(bounds->page);
    assigns \nothing;
    ensures in_file: \result.faults == 0 ==> in_file(bounds, phdr);
    ensures in_range: \result.faults == 0 ==> phdr->vaddr + phdr->memsz <= bounds->user_end;
    ensures no_wx: \result.faults == 0 ==> (phdr->flags & 3) != 3;
    ensures alone: \result.faults == 0 ==> phdr->vaddr >= last_end || shares(last, phdr);
*/
ELFP_COLD struct elfp_finding elfp_load_check(const struct elfp_bounds *bounds,
                                              const struct elfp_phdr *phdr,
                                              const struct elfp_phdr *last, uint64_t last_end)
{
    struct elfp_finding finding = check_flags(phdr, ELFP_PAGE(bounds));

    finding.faults += check_file(bounds, phdr);
    finding.faults += check_align(bounds, phdr);
    finding.faults += check_order(bounds, last, phdr, last_end);
    finding.faults += check_range(bounds, phdr);
    return finding;
}
