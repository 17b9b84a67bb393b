/* Where the embedder for tests gets memory. The unit tests' heap is malloc's; the fuzz targets have
 * a faster one of their own. Both let AddressSanitizer see what is touched before, after and too
 * late. */
#ifndef UMVFS_TESTS_HEAP_H
#define UMVFS_TESTS_HEAP_H

#include <stddef.h>

/* size bytes, aligned to `align` (16 or UMVFS_PAGE_SIZE), all of them 0xa5; never NULL. */
void *heap_get(size_t align, size_t size);
/* Takes them back; what reads them afterwards is reported, or finds 0x5a. */
void heap_put(void *ptr, size_t align, size_t size);

#endif
