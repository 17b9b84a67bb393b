/* An embedder's allocator as a kernel has it: a free list a size, carved from large pieces. */
#ifndef VFS_BENCH_SLAB_H
#define VFS_BENCH_SLAB_H

#include <vfs/vfs.h>

struct slab {
    void *free[VFS_OBJECT_MAX / 16 + 1];
    char *piece;
    size_t left;
    uint64_t used; /* bytes handed out, rounded to 16 */
};

struct vfs_config slab_config(struct slab *slab);

#endif
