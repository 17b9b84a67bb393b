/* The locks of one file: a tree by first byte and owner, which knows the last byte that is locked
 * below each node, so that overlaps are found without looking at all locks. It is a treap: its shape
 * depends on random numbers alone. */
#ifndef UMVFS_LOCK_TREE_H
#define UMVFS_LOCK_TREE_H

#include <umvfs/lock.h>

struct lock_node {
    struct lock_node *left;
    struct lock_node *right;
    const void *owner;
    uint64_t start;
    uint64_t end;
    uint64_t past;       /* greatest end + 1 of the locks from here down */
    uint64_t past_write; /* the same for write locks; 0: there are none */
    uint32_t priority;
    int32_t pid;
    uint8_t kind;
    uint8_t type;
};

/* A search for locks that overlap [start, end], by order of their first bytes. */
struct lock_search {
    uint64_t start;
    uint64_t end;
    bool writes; /* write locks only */
    bool after;  /* only what comes after this place in the order: */
    uint64_t after_start;
    const void *after_owner;
};

struct lock_node *umvfs_lock_tree_find(struct lock_node *root, const struct lock_search *search);
/* Returns the new root. The node's links are set; it is not in a tree. */
struct lock_node *umvfs_lock_tree_add(struct lock_node *root, struct lock_node *node);
struct lock_node *umvfs_lock_tree_remove(struct lock_node *root, struct lock_node *node);

#endif
