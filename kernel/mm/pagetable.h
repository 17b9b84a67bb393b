/* Paging structures, as in the SDM (volume 3A, "4-Level Paging"):
 *
 *    47     39 38     30 29     21 20     12 11        0
 *   +---------+---------+---------+---------+-----------+
 *   |  PML4   |  PDPT   |   PD    |   PT    |  offset   |   level 4, 3, 2, 1
 *   +---------+---------+---------+---------+-----------+
 *
 * Entries 0-255 of the PML4 are a process's own; 256-511, the kernel half, are the same in every
 * address space. A leaf of the user half is empty (0) or holds one reference on a frame. It may
 * hold one without being present (PTE_P clear), so that an inaccessible page (PROT_NONE) keeps its
 * contents. The frame record of a user table counts its entries that are not empty (in_use); a
 * table whose count becomes 0 is freed.
 *
 * Intermediate entries allow everything; the leaf alone decides (SDM, "Access Rights").
 *
 * TLB: the functions here change tables only. A caller that removes a translation or a right must
 * flush through a struct pt_flush before the frames that it collected are used again. */
#ifndef UMBRA_MM_PAGETABLE_H
#define UMBRA_MM_PAGETABLE_H

#include <stdbool.h>

#include "arch/x86.h"
#include "lib/check.h"
#include "mm/frame.h"

typedef uint64_t pte_t;

#define PT_ENTRIES  512
#define PTE_ADDRESS 0x000ffffffffff000ull /* bits 51:12, the frame */

struct pagetable {
    struct frame *root; /* the PML4 */
    size_t tables;      /* frames of the user half's tables and the root */
    size_t leaves;      /* of the user half, those that map the frame of zeros included */
    size_t most_leaves; /* before the last removal: see pt_most_leaves() */
    bool keeps_tables;  /* those that become empty stay: pt_move() will fill some of them */
};

/* Collects the translations that must be flushed from the TLB. */
struct pt_flush {
    bool all;    /* too many pages for one by one */
    uint16_t nr; /* pages in address[] */
    bool active; /* the table is in use, so that a flush is needed */
    virt_t address[16];
    struct list tables; /* freed tables, held until the flush */
};

/* The kernel half, filled at boot by kernel_map_init(). */
extern struct pagetable kernel_pagetable;

/* PTE_XD, or 0 on a processor without it (then the bit is reserved). */
extern pte_t pte_execute_disable;

/* Creates a root table with an empty user half and the kernel half. Returns 0 or -ENOMEM. */
int pt_create(struct pagetable *pt);

/* Frees the root; the user half must be empty. */
void pt_destroy(struct pagetable *pt);

/* The most leaves that there have been at one time. */
static inline size_t pt_most_leaves(const struct pagetable *pt)
{
    return pt->leaves > pt->most_leaves ? pt->leaves : pt->most_leaves;
}

/* The level-1 entry that maps the address, or NULL if there is no table for it. */
pte_t *pt_lookup(const struct pagetable *pt, virt_t address);

/* As pt_lookup, but makes missing tables. Returns NULL and changes nothing if memory is short. */
pte_t *pt_ensure(struct pagetable *pt, virt_t address);

/* Moves the leaves of [from, from + size) to the addresses from `to`, whose entries are empty. The
 * ranges must not overlap. pt_move_prepare() makes the tables first: 0 or -ENOMEM (some may have
 * been made then); pt_move() cannot fail. Tables that become empty stay until pt_unmap(). The cost
 * depends on the number of leaves, not on the range. */
int pt_move_prepare(struct pagetable *pt, virt_t from, virt_t to, uint64_t size);
void pt_move(struct pagetable *pt, virt_t from, virt_t to, uint64_t size, struct pt_flush *flush);

/* The cost of scanning a level-1 table, in leaves: 512 entries of 3 instructions. */
#define PT_TABLE_COST 16

/* Returns how far a change from start may go with *budget: to the end of the table that uses it up,
 * or to `end`. A table costs PT_TABLE_COST and each of its leaves 1. Subtracts the cost from
 * *budget, down to 0. With a budget above 0 the result includes at least one table. */
virt_t pt_chunk_end(const struct pagetable *pt, virt_t start, virt_t end, size_t *budget);

/* Removes the leaves in [start, end) with their references, and the tables that become empty. */
void pt_unmap(struct pagetable *pt, virt_t start, virt_t end, struct pt_flush *flush);

/* The same for leaves of frames of one kind only. */
void pt_unmap_kind(struct pagetable *pt, virt_t start, virt_t end, enum frame_kind kind,
                   struct pt_flush *flush);

/* The leaves that may be writable: frames of one kind with at most `refs_max` references. */
struct pt_writable {
    enum frame_kind kind;
    uint32_t refs_max;
};

static inline bool pt_may_write(struct pt_writable rule, const struct frame *frame)
{
    return frame->kind == rule.kind && frame->refs <= rule.refs_max;
}

/* Sets PTE_P, PTE_US, PTE_RW and PTE_XD of every leaf in [start, end) to those of `bits`. PTE_RW
 * stays clear where the rule forbids it: a write to such a page faults first. */
void pt_protect(struct pagetable *pt, virt_t start, virt_t end, pte_t bits, struct pt_writable rule,
                struct pt_flush *flush);

/* Copies the leaves of [start, end) to the same addresses in `to`, each with a new reference. With
 * `cow` both sides lose PTE_RW. pt_copy_prepare() makes the tables first: 0 or -ENOMEM (some may
 * have been made then); pt_copy() cannot fail. */
int pt_copy_prepare(struct pagetable *to, const struct pagetable *from, virt_t start, virt_t end);
void pt_copy(struct pagetable *to, struct pagetable *from, virt_t start, virt_t end, bool cow,
             struct pt_flush *flush);

/* Calls visit for each leaf in [start, end), in ascending order, until it returns a value other
 * than 0. Returns that value, or 0. */
int pt_walk(const struct pagetable *pt, virt_t start, virt_t end,
            int (*visit)(void *ctx, virt_t address, pte_t *entry), void *ctx);

/* Begins and ends a batch of changes to pt. pt_flush_end() flushes and frees the tables. */
void pt_flush_begin(struct pt_flush *flush, const struct pagetable *pt);
void pt_flush_page(struct pt_flush *flush, virt_t address);
void pt_flush_end(struct pt_flush *flush);

/* Maps [start, end) of the kernel half to physical memory with the largest pages that fit (1 GiB
 * only if `huge`). Panics if memory is short: for boot. start, end and base are page-aligned. */
void pt_map_kernel(virt_t start, virt_t end, phys_t base, pte_t bits, bool huge);

static inline struct frame *pte_frame(pte_t entry)
{
    /* frame_of() in one instruction less: by the record's offset, not its number */
    const uint64_t scale = PAGE_SIZE / sizeof(struct frame);
    uint64_t offset = entry / scale & PTE_ADDRESS / scale;
    return (struct frame *)((uint8_t *)frame_records + offset);
}

/* Writes a leaf with all its bits into an empty entry of pt. Takes over one reference on the frame. */
static inline void pt_set(struct pagetable *pt, pte_t *entry, struct frame *frame, pte_t bits)
{
    DEBUG_CHECK(*entry == 0, "entry %#lx", *entry);
    *entry = frame_phys(frame).value | bits;
    pt->leaves++;
    frame_of_ptr((void *)page_floor((uint64_t)entry))->in_use++;
}

#endif
