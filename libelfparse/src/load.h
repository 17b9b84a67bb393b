/* PT_LOAD: rules L2 to L10 for one segment after another, and the ranges they make. Internal, pure. */
#ifndef ELFP_LOAD_H
#define ELFP_LOAD_H

#include <elfparse/plan.h>

#include "phdr.h"

/* In the order in which they are reported. */
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
    ELFP_LOAD_LOW = 1u << 11,        /* L9 */
    ELFP_LOAD_HIGH = 1u << 12,       /* L9 */
    ELFP_LOAD_SPAN = 1u << 13,       /* L9 */
    ELFP_LOAD_ZEROPERM = 1u << 14,   /* L10 */
    ELFP_LOAD_MEMORY = 1u << 15,     /* L11 */
    ELFP_LOAD_LIMIT = 1u << 16       /* policy.max_loads */
};

/* What a segment is judged against, fixed for the file. */
struct elfp_bounds {
    uint64_t file_size;
    uint64_t lowest;     /* user_min for ET_EXEC; 0 for ET_DYN, which is moved */
    uint64_t user_end;   /* at most ELFP_ADDRESS_END */
    uint64_t room;       /* user_end - user_min: the largest span */
    uint64_t max_memory;
    uint64_t max_align;
    uint32_t max_loads;
};

/* No policy reaches beyond the lower half of a 57-bit address space (Intel SDM, 5-Level Paging). */
#define ELFP_ADDRESS_END (UINT64_C(1) << 56)

/* The segments so far; all zero before the first. */
struct elfp_loads {
    uint64_t start;      /* first page of the first segment */
    uint64_t end;        /* page end of the last segment */
    uint64_t last_vaddr; /* of the last segment */
    uint64_t last_end;   /* of the last segment, exact */
    uint64_t last_delta; /* p_vaddr - p_offset of the last segment, modulo 2^64 */
    uint64_t memory;     /* sum of p_memsz, at most max_memory */
    uint64_t align;      /* largest p_align */
    uint32_t last_flags;
    uint32_t last_whole; /* 1: the last segment's pages hold nothing but file pages */
    uint32_t last_index; /* of its program header */
    uint32_t first_index;
    uint32_t count;
    uint32_t range_count; /* needed so far, also beyond range_capacity */
    uint32_t range_capacity;
    struct elfparse_range *ranges;
};

/*
 * Judges a segment of p_memsz above 0 against the bounds and against those before it; changes nothing.
 * With faults 0 the segment may be handed to elfp_load_add.
 */
struct elfp_finding elfp_load_check(const struct elfp_bounds *bounds, const struct elfp_loads *loads,
                                    const struct elfp_phdr *phdr);

/* Takes a segment without faults in, and writes its ranges as far as the capacity reaches. */
void elfp_load_add(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                   const struct elfp_phdr *phdr, uint32_t index);

/* addr rounded down to its page. */
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
