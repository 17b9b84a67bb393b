/* An embedder's allocator as a kernel has it: for each size a free list and pieces of its own, so
 * that what is as large as a cache line is aligned to one. */
#ifndef UMVFS_BENCH_SLAB_H
#define UMVFS_BENCH_SLAB_H

#include <umvfs/vfs.h>

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
