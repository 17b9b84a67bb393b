/* What the bench measures with: a floor for finding a path, and an allocator. */
#ifndef UMVFS_BENCH_H
#define UMVFS_BENCH_H

#include <umvfs/vfs.h>

/* The least that finding a path can cost: each name hashed, one flat table of a chain a bucket,
 * names compared by memcmp; no permissions, no mounts, no references, no limits. */
struct floor;

/* A table for that many names. keyed: the hash that libvfs uses; else FNV-1a, which has no key and
 * can be made to collide. */
struct floor *floor_new(size_t names, bool keyed);
void floor_free(struct floor *floor);
/* Adds a name to the directory that the path leads to. */
void floor_add(struct floor *floor, const char *dir, const char *name);
/* The number of the node that a path leads to; 0: none. */
uint64_t floor_walk(const struct floor *floor, const char *path);

/* An embedder's allocator as a kernel has it: for each size a free list and pieces of its own, so
 * that what is as large as a cache line is aligned to one. */
struct slab_class {
    void *free;
    char *piece;
    size_t left;
};

struct slab {
    struct slab_class class[UMVFS_OBJECT_MAX / 16 + 1];
    uint64_t used; /* bytes handed out, rounded to 16 */
};

struct umvfs_config slab_config(struct slab *slab);

#endif
