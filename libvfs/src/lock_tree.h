/* The locks of one file: a tree by first byte and owner. Each node knows the last byte that is locked
 * below its left child, so that overlaps are found without looking at all locks, and a walk reads no
 * node beside its path. The tree is a treap: its shape depends on random numbers alone. */
#ifndef UMVFS_LOCK_TREE_H
#define UMVFS_LOCK_TREE_H

#include <umvfs/lock.h>

/* A cache line on a 64-bit machine: a walk through a large tree waits for one line at each level. */
struct lock_node {
    struct lock_node *left;
    struct lock_node *right;
    const void *owner;
    uint64_t start;
    uint64_t end;
    uint64_t past;       /* greatest end + 1 of the locks of the left subtree; 0: there are none */
    uint64_t past_write; /* the same for write locks */
    int32_t pid;
    unsigned kind : 2;
    unsigned type : 2;
    unsigned priority : 28;
};
_Static_assert(sizeof(struct lock_node) <= 64, "a node is a cache line");

/* A search for locks that overlap [start, end], by order of their first bytes. */
struct lock_search {
    uint64_t start;
    uint64_t end;
    bool writes;             /* write locks only */
    const void *owner;       /* of this owner only; NULL: of any */
    const void *other_owner; /* not of this owner */
    bool after;              /* only what comes after this place in the order: */
    uint64_t after_start;
    const void *after_owner;
    unsigned *passed; /* counts locks that a search for one owner passes, if not NULL */
};

struct lock_node *umvfs_lock_tree_find(struct lock_node *root, const struct lock_search *search);
/* Returns the new root. The node's links are set; it is not in a tree. */
struct lock_node *umvfs_lock_tree_add(struct lock_node *root, struct lock_node *node);
struct lock_node *umvfs_lock_tree_remove(struct lock_node *root, struct lock_node *node);

#endif
