/* What the library asks of its embedder (ISO C, 7.24), declared here since freestanding C has no
 * string.h. */
#ifndef ELFP_MEMORY_H
#define ELFP_MEMORY_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

#endif
