/* An embedder for tests: counted objects and pages, a clock that ticks, failures on demand. */
#ifndef UMVFS_TESTS_HOST_H
#define UMVFS_TESTS_HOST_H

#include <umvfs/vfs.h>

struct host {
    uint64_t objects;      /* alive */
    uint64_t object_bytes; /* alive */
    uint64_t pages;        /* alive */
    uint64_t calls;        /* allocations tried, of both kinds */
    uint64_t fail_at;      /* the call that fails; 0: none */
    bool fail_after;       /* all calls after fail_at fail too */
    uint64_t failed;       /* how many failed */
    uint64_t largest;      /* object ever asked for */
    int64_t clock;
    uint64_t unmap_calls;
    uint64_t unmap_first;
    uint64_t unmap_last;
    uint64_t filled_calls;
    uint64_t filled; /* page of the last hole */
    uint64_t freed_cookies;
    bool refuses_late; /* what host_late() says */
    uint64_t late_calls;
    uint32_t of_size[UMVFS_OBJECT_MAX / 16 + 1]; /* objects alive, by size in units of 16 bytes */
};

/* A configuration whose ctx is host. Everything else is zero but seed. */
struct umvfs_config host_config(struct host *host);
/* Whether no object and no page is alive; else it prints how many of which size are. */
bool host_is_empty(const struct host *host);
/* For config.late. */
bool host_late(void *ctx);
/* References on a page of this embedder. */
unsigned host_page_refs(const void *page);

/* Where it gets memory. The unit tests' heap is malloc's; the fuzz targets have a faster one of their
 * own. Both let AddressSanitizer see what is touched before, after and too late. */

/* size bytes, aligned to `align` (16 or UMVFS_PAGE_SIZE), all of them 0xa5; never NULL. */
void *heap_get(size_t align, size_t size);
/* Takes them back; what reads them afterwards is reported, or finds 0x5a. */
void heap_put(void *ptr, size_t align, size_t size);

#endif
