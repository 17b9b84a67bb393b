/* What memory holds when the allocators give it. Nothing in particular; in the build that looks for leaks
 * (the option kernel_pattern), the byte with which the compiler fills variables there, too. */
#ifndef UMBRA_MM_FILL_H
#define UMBRA_MM_FILL_H

#include <stddef.h>

#include "lib/string.h"

#ifdef UMBRA_FILL_PATTERN
#define FILL_BYTE 0xfe /* gcc's */

static inline void fill_fresh(void *memory, size_t size)
{
    memset(memory, FILL_BYTE, size);
}
#else
static inline void fill_fresh(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}
#endif

#endif
