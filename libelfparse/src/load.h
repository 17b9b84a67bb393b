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
    ELFP_LOAD_DUPLICATE = 1u << 17,  /* O2 to O8, of another header */
    ELFP_LOAD_EMPTY_HIGH = 1u << 18  /* L13 */
};

/* No policy reaches beyond the lower half of a 57-bit address space (Intel SDM, 5-Level Paging). */
#define ELFP_ADDRESS_END (UINT64_C(1) << 56)

/* Programs of 32 bits reach no further. */
#define ELFP_ADDRESS32_END (UINT64_C(1) << 32)

/* The fields of the judgement that the rules for one segment look at. */
struct elfp_bounds {
    uint64_t file_size;
    uint64_t user_end; /* at most ELFP_ADDRESS_END */
    uint64_t max_align;
    uint64_t usual_align; /* p_align that needs no closer look: a page, or 0 if max_align is less */
    uint64_t usual_end; /* user_end; 0 if pages do not have the usual size: all get a closer look */
    uint64_t page;      /* their size, a power of two; unspecified where there is but one */
};

/* Of these machines there are other page sizes than 4 KiB (Linux: PAGE_SIZE of arch/). */
#define ELFP_MACHINES_PAGES                                                                        \
    (~(ELFPARSE_MACHINE_X86_64 | ELFPARSE_MACHINE_I386 | ELFPARSE_MACHINE_S390X))

/* bounds->page, known at compile time where no machine is left that has other sizes. */
#if (ELFPARSE_MACHINES & ELFP_MACHINES_PAGES) != 0
#define ELFP_PAGE(bounds) ((bounds)->page)
#else
#define ELFP_PAGE(bounds) ((void)(bounds), ELFPARSE_PAGE_SIZE)
#endif

/*@ predicate in_file(struct elfp_bounds *b, struct elfp_phdr *p) =
      p->filesz <= p->memsz && (p->filesz == 0 || p->offset + p->filesz <= b->file_size);
    predicate is_page(integer size) = size == 4096 || size == 16384 || size == 65536;
    predicate shares(struct elfp_phdr *last, struct elfp_phdr *p) =
      last->flags == p->flags && last->filesz == last->memsz && p->filesz != 0;
*/

/*
 * All faults and traits of the segment at phdr, p_memsz not 0. last: the segment taken in before
 * it, which ends, rounded up to its page, at last_end; for the first, last_end is 0.
 */
struct elfp_finding elfp_load_check(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr,
                                    const struct elfp_phdr *last, uint64_t last_end);

/* addr rounded down to its page; page is a power of two. */
/*@ assigns \nothing;
    ensures is_page(page) ==> \result <= addr;
*/
static inline uint64_t elfp_page_floor(uint64_t addr, uint64_t page)
{
    return addr & ~(page - 1);
}

/* addr rounded up to a page; addr is at most 2^64 - page. */
static inline uint64_t elfp_page_ceil(uint64_t addr, uint64_t page)
{
    return (addr + (page - 1)) & ~(page - 1);
}

/*
 * A fast check that nearly every segment passes. It returns not 0 for a segment that is readable,
 * has aligned file bytes on pages of its own, and has zeros after them only if it is writable: then
 * elfp_load_check would find no fault. After 0, elfp_load_check must decide. Decodes the 56 bytes
 * at header; *phdr is complete only if the result is not 0. Other arguments: see elfp_load_check.
 */
/*@ requires \valid_read(bounds) && \valid_read(header + (0 .. 55)) && \valid(phdr);
    requires \separated(phdr, bounds, header + (0 .. 55));
    assigns *phdr;
    ensures in_file: \result != 0 ==> in_file(bounds, phdr);
    ensures in_range: \result != 0 ==> phdr->vaddr + phdr->memsz <= bounds->usual_end;
    ensures no_wx: \result != 0 ==> phdr->flags != 3 && phdr->flags <= 6;
    ensures alone: \result != 0 ==> phdr->vaddr >= last_end;
    ensures zeros: \result != 0 && phdr->filesz < phdr->memsz ==> phdr->flags == 6;
*/
static inline int elfp_load_usual(const struct elfp_bounds *bounds, const uint8_t *header,
                                  uint64_t last_end, struct elfp_phdr *phdr)
{
    phdr->vaddr = elfp_le64(header + ELFP_P_VADDR);
    phdr->memsz = elfp_le64(header + ELFP_P_MEMSZ);
    if (phdr->vaddr > bounds->usual_end || phdr->memsz > bounds->usual_end - phdr->vaddr)
        return 0;
    phdr->offset = elfp_le64(header + ELFP_P_OFFSET);
    phdr->filesz = elfp_le64(header + ELFP_P_FILESZ);
    if (phdr->offset > bounds->file_size ||
        phdr->filesz - 1 >= bounds->file_size - phdr->offset || /* nor is it 0 */
        ((phdr->vaddr ^ phdr->offset) & (ELFPARSE_PAGE_SIZE - 1)) != 0 ||
        elfp_page_floor(phdr->vaddr, ELFPARSE_PAGE_SIZE) < last_end)
        return 0;
    phdr->align = elfp_le64(header + ELFP_P_ALIGN);
    phdr->flags = elfp_le32(header + ELFP_P_FLAGS);
    if (phdr->align != bounds->usual_align)
        return 0;
    if (phdr->memsz == phdr->filesz)
        return phdr->flags >= ELFPARSE_PF_R && phdr->flags <= (ELFPARSE_PF_R | ELFPARSE_PF_W);
    return phdr->memsz > phdr->filesz && phdr->flags == (ELFPARSE_PF_R | ELFPARSE_PF_W);
}

/* O1: entry is one of the segment's executable file bytes; the segment was judged. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
    ensures inside: \result != 0 && phdr->vaddr + phdr->filesz <= ELFP_ADDRESS_END ==>
            phdr->vaddr <= entry < phdr->vaddr + phdr->filesz;
    ensures executable: \result != 0 ==> (phdr->flags & 1) != 0;
*/
static inline int elfp_holds_entry(const struct elfp_phdr *phdr, uint64_t entry)
{
    return (phdr->flags & ELFPARSE_PF_X) != 0 && entry - phdr->vaddr < phdr->filesz;
}

#endif
