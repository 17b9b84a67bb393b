#include "host.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <string.h>

/* A page is followed by a poisoned strip and its reference count. */
#define COUNT_AT  (UMVFS_PAGE_SIZE + 64u)
#define PAGE_ROOM (COUNT_AT + 16u)

static unsigned *count_of(const void *page)
{
    return (unsigned *)(void *)((char *)(uintptr_t)page + COUNT_AT);
}

unsigned host_page_refs(const void *page)
{
    return *count_of(page);
}

bool host_is_empty(const struct host *host)
{
    if (host->objects == 0 && host->object_bytes == 0 && host->pages == 0)
        return true;
    fprintf(stderr, "left: %llu objects of %llu bytes in all, %llu pages\n",
            (unsigned long long)host->objects, (unsigned long long)host->object_bytes,
            (unsigned long long)host->pages);
    for (unsigned i = 1; i <= UMVFS_OBJECT_MAX / 16; i++)
        if (host->of_size[i] != 0)
            fprintf(stderr, "left: %u objects of %u to %u bytes\n", host->of_size[i], 16 * i - 15,
                    16 * i);
    return false;
}

static bool fails(struct host *host)
{
    host->calls++;
    bool now = host->fail_at &&
               (host->calls == host->fail_at || (host->fail_after && host->calls > host->fail_at));
    host->failed += now;
    return now;
}

static void *host_alloc(void *ctx, size_t size)
{
    struct host *host = ctx;
    if (fails(host))
        return NULL;
    assert(size > 0 && size <= UMVFS_OBJECT_MAX);
    if (size > host->largest)
        host->largest = size;
    host->objects++;
    host->object_bytes += size;
    host->of_size[(size + 15) / 16]++;
    return heap_get(16, size);
}

static void host_free(void *ctx, void *ptr, size_t size)
{
    struct host *host = ctx;
    assert(ptr && host->objects > 0 && host->object_bytes >= size);
    host->objects--;
    host->object_bytes -= size;
    host->of_size[(size + 15) / 16]--;
    heap_put(ptr, 16, size);
}

static void *host_page_alloc(void *ctx)
{
    struct host *host = ctx;
    if (fails(host))
        return NULL;
    char *page = heap_get(UMVFS_PAGE_SIZE, PAGE_ROOM);
    *count_of(page) = 1;
    ASAN_POISON_MEMORY_REGION(page + UMVFS_PAGE_SIZE, COUNT_AT - UMVFS_PAGE_SIZE);
    host->pages++;
    return page;
}

static void host_page_get(void *ctx, void *page)
{
    (void)ctx;
    assert(*count_of(page) > 0);
    ++*count_of(page);
}

static void host_page_put(void *ctx, void *page)
{
    struct host *host = ctx;
    assert(*count_of(page) > 0);
    if (--*count_of(page) > 0)
        return;
    ASAN_UNPOISON_MEMORY_REGION((char *)page + UMVFS_PAGE_SIZE, COUNT_AT - UMVFS_PAGE_SIZE);
    host->pages--;
    heap_put(page, UMVFS_PAGE_SIZE, PAGE_ROOM);
}

static int64_t host_now(void *ctx)
{
    return ++((struct host *)ctx)->clock;
}

static void host_unmap(void *ctx, struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    struct host *host = ctx;
    (void)inode;
    host->unmap_calls++;
    host->unmap_first = first;
    host->unmap_last = last;
}

static void host_hole_filled(void *ctx, struct umvfs_inode *inode, uint64_t index)
{
    struct host *host = ctx;
    (void)inode;
    host->filled_calls++;
    host->filled = index;
}

static void host_inode_free(void *ctx, struct umvfs_inode *inode, void *cookie)
{
    assert(umvfs_inode_cookie(inode) == cookie);
    ((struct host *)ctx)->freed_cookies++;
}

bool host_late(void *ctx)
{
    struct host *host = ctx;
    host->late_calls++;
    return !host->refuses_late;
}

struct umvfs_config host_config(struct host *host)
{
    return (struct umvfs_config){
        .ctx = host,
        .alloc = host_alloc,
        .free = host_free,
        .page_alloc = host_page_alloc,
        .page_get = host_page_get,
        .page_put = host_page_put,
        .now = host_now,
        .unmap = host_unmap,
        .hole_filled = host_hole_filled,
        .inode_free = host_inode_free,
        .seed = {0x0123456789abcdefu, 0xfedcba9876543210u},
    };
}
