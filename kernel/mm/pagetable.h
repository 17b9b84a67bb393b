/* Paging structures as the SDM draws them (volume 3A, "4-Level Paging"):
 *
 *    47     39 38     30 29     21 20     12 11        0
 *   +---------+---------+---------+---------+-----------+
 *   |  PML4   |  PDPT   |   PD    |   PT    |  offset   |   level 4, 3, 2, 1
 *   +---------+---------+---------+---------+-----------+
 *
 * Entries 0-255 of the PML4 are a process's own; 256-511, the kernel half, are the same in every
 * address space. A leaf of the user half is empty (0) or holds one reference on a frame; it may hold
 * one without being present (PTE_P clear): a page that nobody may access now (PROT_NONE) keeps its
 * contents so. The frame record of a user table counts its entries that are not empty (in_use); a
 * table whose count comes down to 0 is freed.
 *
 * Intermediate entries allow everything; the leaf alone decides (SDM, "Access Rights").
 *
 * TLB: the functions here change tables only. Whoever takes away a translation or a right flushes
 * afterwards through a struct pt_flush, before the frames that it collected can be used again. */
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
};

/* Collects what must leave the TLB. */
struct pt_flush {
    bool active; /* the table is the one in use: there is something to flush */
    bool all;    /* too many pages for one by one */
    unsigned nr; /* pages in address[] */
    virt_t address[16];
    struct list tables; /* freed tables, held until the flush */
};

/* The kernel half, filled at boot by kernel_map_init(). */
extern struct pagetable kernel_pagetable;

/* PTE_XD, or 0 on a processor without it (then the bit is reserved). */
extern pte_t pte_execute_disable;

/* An empty user half above the shared kernel half. Returns 0 or -ENOMEM. */
int pt_create(struct pagetable *pt);

/* Frees the root; the user half must be empty. */
void pt_destroy(struct pagetable *pt);

/* The level-1 entry that maps the address, or NULL if there is no table for it. */
pte_t *pt_lookup(const struct pagetable *pt, virt_t address);

/* As pt_lookup, after making the missing tables; NULL if memory is short, and nothing changed. */
pte_t *pt_ensure(struct pagetable *pt, virt_t address);

/* Moves the leaves of [from, from + size) to the same places from `to` on, which are empty; the ranges do
 * not overlap. pt_move_prepare() makes the tables first: 0 or -ENOMEM (some may have been made then);
 * pt_move() cannot fail. Tables that become empty stay until pt_unmap(). The cost is that of
 * the leaves, not of the range. */
int pt_move_prepare(struct pagetable *pt, virt_t from, virt_t to, uint64_t size);
void pt_move(struct pagetable *pt, virt_t from, virt_t to, uint64_t size, struct pt_flush *flush);

/* What looking through a level-1 table costs beside its leaves, in leaves: 512 entries of 3 instructions. */
#define PT_TABLE_COST 16

/* How far a change may go that begins at start and that *budget is to pay for, where a table costs
 * PT_TABLE_COST and each of its leaves 1: to the table after the one that used up the budget, or to end.
 * Takes the cost off *budget, down to 0. With more than 0, at least one table is within. */
virt_t pt_chunk_end(const struct pagetable *pt, virt_t start, virt_t end, size_t *budget);

/* Takes the leaves in [start, end) away, with their references, and the tables that become empty. */
void pt_unmap(struct pagetable *pt, virt_t start, virt_t end, struct pt_flush *flush);

/* The same for leaves of frames of one kind only. */
void pt_unmap_kind(struct pagetable *pt, virt_t start, virt_t end, enum frame_kind kind,
                   struct pt_flush *flush);

/* Which leaves may be writable: those of frames of one kind with no more than `refs_max` holders. */
struct pt_writable {
    enum frame_kind kind;
    uint32_t refs_max;
};

static inline bool pt_may_write(struct pt_writable rule, const struct frame *frame)
{
    return frame->kind == rule.kind && frame->refs <= rule.refs_max;
}

/* Gives every leaf in [start, end) the bits PTE_P, PTE_US, PTE_RW, PTE_XD of `bits`, except that
 * PTE_RW is left out where the rule forbids it: those pages are copied or asked about first. */
void pt_protect(struct pagetable *pt, virt_t start, virt_t end, pte_t bits, struct pt_writable rule,
                struct pt_flush *flush);

/* Copies the leaves of [start, end) to the same place in `to`, each with a reference of its own. With
 * `cow` both sides lose PTE_RW. pt_copy_prepare() makes the tables first: 0 or -ENOMEM (some may have
 * been made then); pt_copy() cannot fail. */
int pt_copy_prepare(struct pagetable *to, const struct pagetable *from, virt_t start, virt_t end);
void pt_copy(struct pagetable *to, struct pagetable *from, virt_t start, virt_t end, bool cow,
             struct pt_flush *flush);

/* Calls visit for each leaf in [start, end), in ascending order, until it returns other than
 * 0; returns that, or 0. */
int pt_walk(const struct pagetable *pt, virt_t start, virt_t end,
            int (*visit)(void *ctx, virt_t address, pte_t *entry), void *ctx);

/* Begins and ends a batch of changes to pt. pt_flush_end() flushes and frees the tables. */
void pt_flush_begin(struct pt_flush *flush, const struct pagetable *pt);
void pt_flush_page(struct pt_flush *flush, virt_t address);
void pt_flush_end(struct pt_flush *flush);

/* Maps [start, end) of the kernel half to physical memory with the largest pages that fit (1 GiB only
 * if `huge`). Panics if memory is short: for boot. start, end and base are page-aligned. */
void pt_map_kernel(virt_t start, virt_t end, phys_t base, pte_t bits, bool huge);

static inline struct frame *pte_frame(pte_t entry)
{
    return frame_of(phys(entry & PTE_ADDRESS));
}

/* Writes a leaf with all its bits into an empty entry. Takes over one reference on the frame. */
static inline void pt_set(pte_t *entry, struct frame *frame, pte_t bits)
{
    DEBUG_CHECK(*entry == 0, "entry %#lx", *entry);
    *entry = frame_phys(frame).value | bits;
    frame_of_ptr((void *)page_floor((uint64_t)entry))->in_use++;
}

#endif
