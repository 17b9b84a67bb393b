/* PT_LOAD: rules L2 to L10 for one segment. Internal, pure. */
#ifndef ELFP_LOAD_H
#define ELFP_LOAD_H

#include <elfparse/plan.h>

#include "phdr.h"

/* In the order in which they are reported; the first 13 of one segment. */
enum elfp_load_fault {
    ELFP_LOAD_FILESZ = 1u << 0,      /* L2 */
    ELFP_LOAD_OFFSET = 1u << 1,      /* L3 */
    ELFP_LOAD_WRAP = 1u << 2,        /* L4 */
    ELFP_LOAD_ALIGN = 1u << 3,       /* L5 */
    ELFP_LOAD_ALIGN_LIMIT = 1u << 4, /* L5 */
    ELFP_LOAD_CONGRUENT = 1u << 5,   /* L5 */
    ELFP_LOAD_ORDER = 1u << 6,       /* L6 */
    ELFP_LOAD_OVERLAP = 1u << 7,     /* L6 */
    ELFP_LOAD_SHARED = 1u << 8,      /* L7 */
    ELFP_LOAD_WX = 1u << 9,          /* L8 */
    ELFP_LOAD_FLAGS = 1u << 10,      /* L8 */
    ELFP_LOAD_HIGH = 1u << 11,       /* L9 */
    ELFP_LOAD_ZEROPERM = 1u << 12,   /* L10 */
    ELFP_LOAD_LOW = 1u << 13,        /* L9, of all segments together, as the next three */
    ELFP_LOAD_SPAN = 1u << 14,       /* L9 */
    ELFP_LOAD_MEMORY = 1u << 15,     /* L11 */
    ELFP_LOAD_LIMIT = 1u << 16,      /* policy.max_loads */
    ELFP_LOAD_DUPLICATE = 1u << 17   /* O2 to O8, of another header */
};

/* No policy reaches beyond the lower half of a 57-bit address space (Intel SDM, 5-Level Paging). */
#define ELFP_ADDRESS_END (UINT64_C(1) << 56)

/* The fields of the judgement that the rules for one segment look at. */
struct elfp_bounds {
    uint64_t file_size;
    uint64_t user_end; /* at most ELFP_ADDRESS_END */
    uint64_t max_align;
};

/*
 * All faults and traits of the segment at phdr, p_memsz not 0. last: the segment taken in before
 * it, which ends, rounded up to its page, at last_end; for the first, last_end is 0.
 */
struct elfp_finding elfp_load_check(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr,
                                    const struct elfp_phdr *last, uint64_t last_end);

/* addr rounded down to its page. */
/*@ assigns \nothing;
    ensures \result <= addr;
*/
static inline uint64_t elfp_page_floor(uint64_t addr)
{
    return addr & ~(ELFPARSE_PAGE_SIZE - 1);
}

/* addr rounded up to a page; addr is at most 2^64 - 4096. */
static inline uint64_t elfp_page_ceil(uint64_t addr)
{
    return (addr + (ELFPARSE_PAGE_SIZE - 1)) & ~(ELFPARSE_PAGE_SIZE - 1);
}

#endif
