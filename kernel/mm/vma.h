/* Virtual memory areas: the rights of a process on a range of its addresses, and the contents. They
 * are kept twice: in an AVL tree by address, in which each node stores the largest gap in its
 * subtree, and in a list in the same order. */
#ifndef UMBRA_MM_VMA_H
#define UMBRA_MM_VMA_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/list.h"
#include "arch/phys.h"

struct aspace;
struct umvfs_inode;

/* Protections, with the values of PROT_* in mmap(2). */
#define PROT_READ  1u
#define PROT_WRITE 2u
#define PROT_EXEC  4u
#define PROT_ALL   7u

#define VMA_SHARED    1u  /* writes reach the file and other mappings; else copy-on-write */
#define VMA_GROWSDOWN 2u  /* a fault just below extends it: stacks */
#define VMA_NO_WRITE  4u  /* shared mapping of a file that is not open for writing */
#define VMA_BRK       8u  /* the heap that brk(2) moves; merges with its own kind only */
#define VMA_NORESERVE 32u /* may be larger than memory */
#define VMA_MOVING    64u /* from or to here mremap(2) moves pages: never merged, keeps its tables */
#define VMA_LOCKED    128u  /* mlock(2): pages never leave memory here, but they are counted */
#define VMA_DONTFORK  256u  /* madvise(2): fork leaves it out */
#define VMA_WIPEFORK  512u  /* madvise(2): private anonymous; the child of fork finds zeros */
#define VMA_WRITER    1024u /* of a file that was open for writing: nobody executes it meanwhile */
#define VMA_HAS_ANON  16u /* private file area in which pages were copied; not compared by merges */

struct vma {
    struct aspace *owner;
    virt_t start, end; /* page-aligned, end exclusive */
    uint8_t prot;      /* PROT_*; never WRITE and EXEC */
    uint8_t height;    /* of the subtree */
    uint16_t flags;    /* VMA_* */
    struct vma *child[2];
    uint64_t gap, max_gap;     /* bytes free below start; largest such in the subtree */
    struct list link;          /* in vma_set.list, ascending */
    struct umvfs_inode *inode; /* counted; NULL: anonymous */
    uint64_t page_index;       /* of the file, at start */
    struct list mapping;       /* in the inode's list of mappings */
};

struct vma_set {
    struct vma *root;
    struct vma *hint; /* found last, or NULL */
    struct list list;
    size_t count;
};

static inline uint64_t vma_size(const struct vma *vma)
{
    return virt_distance(vma->start, vma->end);
}

/* The page of the file at an address of the area. */
static inline uint64_t vma_page_index(const struct vma *vma, virt_t address)
{
    return vma->page_index + (virt_distance(vma->start, address) >> PAGE_SHIFT);
}

void vma_set_init(struct vma_set *set);

/* As vma_find(), always from the root. */
struct vma *vma_search(struct vma_set *set, virt_t address);

/* The area that contains the address, or the next one above it; NULL if there is none. The last
 * result is tried first, for the addresses in it and in the gap below it. */
static inline struct vma *vma_find(struct vma_set *set, virt_t address)
{
    struct vma *hint = set->hint;
    if (hint && address.value < hint->end.value && address.value >= hint->start.value - hint->gap)
        return hint;
    return vma_search(set, address);
}

/* Neighbours in address order, NULL at the ends. */
static inline struct vma *vma_next(const struct vma_set *set, const struct vma *vma)
{
    struct list *link = vma->link.next;
    return link == &set->list ? NULL : CONTAINER_OF(link, struct vma, link);
}

static inline struct vma *vma_prev(const struct vma_set *set, const struct vma *vma)
{
    struct list *link = vma->link.prev;
    return link == &set->list ? NULL : CONTAINER_OF(link, struct vma, link);
}

/* The area before `above`, or the last one if that is NULL; NULL if there is none. */
static inline struct vma *vma_below(const struct vma_set *set, const struct vma *above)
{
    struct list *link = above ? above->link.prev : set->list.prev;
    return link == &set->list ? NULL : CONTAINER_OF(link, struct vma, link);
}

/* vma_insert() adds an area that overlaps no other; vma_remove() removes one; vma_moved() updates
 * the set after start or end of an area changed without passing a neighbour. None can fail. */
void vma_insert(struct vma_set *set, struct vma *vma);
void vma_remove(struct vma_set *set, struct vma *vma);
void vma_moved(struct vma_set *set, struct vma *vma);
void vma_end_moved(struct vma_set *set, struct vma *vma); /* the same if only `end` changed */

/* The highest page-aligned address at which `size` bytes are free within [low, high); 0 if none. */
virt_t vma_find_gap(struct vma_set *set, uint64_t size, virt_t low, virt_t high);

/* Recomputes heights, order, gaps and the list. Panics if the two subtrees of a node differ in
 * height by more than 1, or a stored value differs. For tests. */
void vma_check(struct vma_set *set);

#endif
