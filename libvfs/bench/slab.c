#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define PIECE (1u << 16)

static void *slab_alloc(void *ctx, size_t size)
{
    struct slab *slab = ctx;
    size_t class = (size + 15) / 16;
    struct slab_class *c = &slab->class[class];
    void *mem = c->free;
    slab->used += class * 16;
    if (mem) {
        memcpy(&c->free, mem, sizeof(void *));
        return mem;
    }
    if (c->left < class * 16) {
        c->piece = aligned_alloc(UMVFS_PAGE_SIZE, PIECE);
        c->left = PIECE;
        if (!c->piece)
            abort();
    }
    mem = c->piece;
    c->piece += class * 16;
    c->left -= class * 16;
    return mem;
}

static void slab_free(void *ctx, void *ptr, size_t size)
{
    struct slab *slab = ctx;
    size_t class = (size + 15) / 16;
    slab->used -= class * 16;
    memcpy(ptr, &slab->class[class].free, sizeof(void *));
    slab->class[class].free = ptr;
}

static void *page_alloc(void *ctx)
{
    (void)ctx;
    return aligned_alloc(UMVFS_PAGE_SIZE, UMVFS_PAGE_SIZE);
}

/* The benchmark lets go of the pages that it looked at before it closes their file. */
static void page_get(void *ctx, void *page)
{
    (void)ctx;
    (void)page;
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

struct umvfs_config slab_config(struct slab *slab)
{
    return (struct umvfs_config){
        .ctx = slab,
        .alloc = slab_alloc,
        .free = slab_free,
        .page_alloc = page_alloc,
        .page_get = page_get,
        .page_put = page_put,
        .now = now,
        .seed = {0x243f6a8885a308d3u, 0x13198a2e03707344u},
    };
}
