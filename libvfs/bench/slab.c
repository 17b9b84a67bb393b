#include "slab.h"

#include <stdlib.h>
#include <string.h>

#define PIECE (1u << 20)

static void *slab_alloc(void *ctx, size_t size)
{
    struct slab *slab = ctx;
    size_t class = (size + 15) / 16;
    void *mem = slab->free[class];
    slab->used += class * 16;
    if (mem) {
        memcpy(&slab->free[class], mem, sizeof(void *));
        return mem;
    }
    if (slab->left < class * 16) {
        slab->piece = aligned_alloc(VFS_PAGE_SIZE, PIECE);
        slab->left = PIECE;
        if (!slab->piece)
            abort();
    }
    mem = slab->piece;
    slab->piece += class * 16;
    slab->left -= class * 16;
    return mem;
}

static void slab_free(void *ctx, void *ptr, size_t size)
{
    struct slab *slab = ctx;
    size_t class = (size + 15) / 16;
    slab->used -= class * 16;
    memcpy(ptr, &slab->free[class], sizeof(void *));
    slab->free[class] = ptr;
}

static void *page_alloc(void *ctx)
{
    (void)ctx;
    return aligned_alloc(VFS_PAGE_SIZE, VFS_PAGE_SIZE);
}

static void page_put(void *ctx, void *page)
{
    (void)ctx;
    free(page);
}

static int64_t now(void *ctx)
{
    static int64_t ticks;
    (void)ctx;
    return ++ticks;
}

struct vfs_config slab_config(struct slab *slab)
{
    return (struct vfs_config){
        .ctx = slab,
        .alloc = slab_alloc,
        .free = slab_free,
        .page_alloc = page_alloc,
        .page_put = page_put,
        .now = now,
        .seed = {0x243f6a8885a308d3u, 0x13198a2e03707344u},
    };
}
