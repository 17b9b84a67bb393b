/* An independent page walk, written from the SDM (volume 3A, "4-Level Paging" and "Determination of
 * Access Rights") and not from the kernel's code. */
#ifndef UMBRA_HOST_WALK_H
#define UMBRA_HOST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/phys.h"

struct walk_leaf {
    uint64_t entry; /* as it is in the table; 0: there is no entry, or an empty one */
    uint64_t frame; /* physical address of the page */
    bool present;   /* a translation exists; else the processor ignores the entry's other bits */
    bool user, writable, executable; /* over all levels */
    unsigned level;                  /* 1: 4 KiB, 2: 2 MiB, 3: 1 GiB */
};

/* The translation of one address. Every entry on the way is checked: reserved bits, tables inside
 * RAM; a wrong one is a host_fail(). */
struct walk_leaf walk_at(phys_t root, virt_t address);

/* The same for `pages` pages of 4 KiB from start on, quicker. */
void walk_range(phys_t root, virt_t start, unsigned pages, struct walk_leaf *out);

/* Calls visit for each leaf entry that is not empty in the user half, ascending, and table for each
 * table of it, the root included, with the number of its entries that are not empty (of the user
 * half only). Either may be NULL. */
struct walk_visitor {
    void (*leaf)(void *ctx, virt_t address, const struct walk_leaf *leaf);
    void (*table)(void *ctx, phys_t table, unsigned level, unsigned entries);
    void *ctx;
};
void walk_user(phys_t root, const struct walk_visitor *visitor);

/* The table that holds the level-1 entry of the address, 0 if there is none: what the processor
 * keeps in its paging-structure caches. */
uint64_t walk_table_of(phys_t root, virt_t address);

#endif
