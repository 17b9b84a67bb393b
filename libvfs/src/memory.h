/* The four functions that the library wants from its surroundings. A freestanding <string.h> need
 * not exist, so they are declared here as ISO C does. */
#ifndef UMVFS_MEMORY_H
#define UMVFS_MEMORY_H

#include <stddef.h>

#pragma GCC visibility push(default)
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#pragma GCC visibility pop

#endif
