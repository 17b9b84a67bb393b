/* A sparse array of pointers as a radix tree, charged to a file system. Used with 64 slots a node
 * for the pages of a file and with 16 for the entries of a directory. Setting is in two steps, so
 * that it can be part of an operation that must not fail half-way: reserve may fail, set cannot.
 * `bits` (4 or 6) must be the same in all calls on one tree. */
#ifndef UMVFS_RADIX_H
#define UMVFS_RADIX_H

#include "core.h"
#include "memory.h"

#define RADIX_DIR_BITS  4u
#define RADIX_PAGE_BITS 6u

struct umvfs_radix_node {
    uint64_t used; /* slots that are not NULL */
    void *slot[];
};

static inline bool umvfs_radix_fits(const struct umvfs_radix *tree, unsigned bits, uint64_t index)
{
    unsigned shift = tree->height * bits;
    return shift >= 64 || index >> shift == 0;
}

static inline size_t umvfs_radix_slot(unsigned bits, unsigned level, uint64_t index)
{
    return (size_t)(index >> level * bits) & ((1u << bits) - 1u);
}

static inline struct umvfs_radix_node *umvfs_radix_leaf(const struct umvfs_radix *tree,
                                                        unsigned bits, uint64_t index)
{
    struct umvfs_radix_node *node = tree->root;
    if (!node || !umvfs_radix_fits(tree, bits, index))
        return NULL;
    for (unsigned shift = tree->height * bits; (shift -= bits) > 0 && node;)
        node = node->slot[(index >> shift) & ((1u << bits) - 1u)];
    return node;
}

/* The pointer at index, or NULL. */
static inline void *umvfs_radix_get(const struct umvfs_radix *tree, unsigned bits, uint64_t index)
{
    struct umvfs_radix_node *leaf = umvfs_radix_leaf(tree, bits, index);
    return leaf ? leaf->slot[umvfs_radix_slot(bits, 0, index)] : NULL;
}

/* Makes the nodes on the way to index. On failure the tree is as before. */
int umvfs_radix_reserve(struct umvfs_sb *sb, struct umvfs_radix *tree, unsigned bits,
                        uint64_t index);

/* Stores a pointer (not NULL) at a reserved or occupied index. */
void umvfs_radix_set(struct umvfs_radix *tree, unsigned bits, uint64_t index, void *ptr);

/* Empties an index and frees the nodes that are empty then; also takes back a reservation. Returns
 * what was there. */
void *umvfs_radix_clear(struct umvfs_sb *sb, struct umvfs_radix *tree, unsigned bits,
                        uint64_t index);

/* The first occupied index from *index on: its pointer, and *index set to it; NULL: none. */
void *umvfs_radix_next(const struct umvfs_radix *tree, unsigned bits, uint64_t *index);

/* The same downwards: the last occupied index up to *index. */
void *umvfs_radix_prev(const struct umvfs_radix *tree, unsigned bits, uint64_t *index);

/* The slots of the leaf that holds index, counted from index, and how many there are up to the
 * leaf's end; NULL if there is no such leaf. */
void *const *umvfs_radix_run(const struct umvfs_radix *tree, unsigned bits, uint64_t index,
                             size_t *count);

#endif
