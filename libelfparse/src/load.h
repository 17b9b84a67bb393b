/* PT_LOAD: rules L2 to L10, L12 and L13 for one segment after another, and their ranges. Internal,
 * pure. */
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
    ELFP_LOAD_HIGH = 1u << 11,       /* L9 */
    ELFP_LOAD_ZEROPERM = 1u << 12,   /* L10 */
    ELFP_LOAD_LOW = 1u << 13,        /* L9, of all segments together, as those that follow */
    ELFP_LOAD_SPAN = 1u << 14,       /* L9 */
    ELFP_LOAD_MEMORY = 1u << 15,     /* L11 */
    ELFP_LOAD_LIMIT = 1u << 16,      /* policy.max_loads */
    ELFP_LOAD_DUPLICATE = 1u << 17   /* O2 to O7; no other fault is with it */
};

/* What a segment is judged against, fixed for the file. */
struct elfp_bounds {
    uint64_t file_size;
    uint64_t user_end; /* at most ELFP_ADDRESS_END */
    uint64_t max_align;
    uint64_t entry;
};

/* No policy reaches beyond the lower half of a 57-bit address space (Intel SDM, 5-Level Paging). */
#define ELFP_ADDRESS_END (UINT64_C(1) << 56)

/* Program headers of which a file has at most one. */
enum elfp_single {
    ELFP_INTERP,
    ELFP_PHDR,
    ELFP_DYNAMIC,
    ELFP_TLS,
    ELFP_STACK,
    ELFP_RELRO,
    ELFP_PROPERTY,
    ELFP_SINGLES
};

/* What the walk over the program headers found so far. */
struct elfp_loads {
    uint64_t start;  /* first page of the first segment */
    uint64_t end;    /* page end of the last segment; 0 before the first */
    uint64_t memory; /* sum of p_memsz; they are disjoint, so it is at most user_end */
    uint64_t align;  /* largest p_align, a page at least */
    const uint8_t *last;  /* the last segment's program header */
    uint32_t first_index; /* of the first segment's program header */
    uint32_t last_index;
    uint32_t count;
    uint32_t entry_found; /* 1: the entry lies in executable file bytes */
    uint32_t range_count; /* needed so far, also beyond range_capacity */
    uint32_t range_capacity;
    struct elfparse_range *ranges;
    struct elfparse_range spill; /* what the capacity has no room for */

    uint32_t want_others;          /* 0: the rest of the struct stays as it is */
    uint32_t single[ELFP_SINGLES]; /* index of the header, or ELFPARSE_NO_INDEX */
    uint32_t first_note;           /* ELFPARSE_NO_INDEX: none */
    uint32_t last_note;            /* PT_NOTEs lie between the two, with others */
};

/*
 * Walks over phnum program headers at bytes, beginning with that of index from. Segments without
 * faults are taken in, and their ranges written as far as the capacity reaches; those with faults
 * are left out. Stops at the first header with a finding and returns its index, or phnum after the
 * last one. A header that repeats one that a file has once has the fault ELFP_LOAD_DUPLICATE.
 */
uint32_t elfp_load_scan(const struct elfp_bounds *bounds, struct elfp_loads *loads,
                        const uint8_t *bytes, uint32_t phnum, uint32_t from,
                        struct elfp_finding *finding);

/* Which of enum elfp_single a p_type is, or ELFP_SINGLES. */
uint32_t elfp_single_of_type(uint32_t type);

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
