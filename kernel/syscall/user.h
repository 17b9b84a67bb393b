/* Checks of a user pointer without an access. */
#ifndef UMBRA_SYSCALL_USER_H
#define UMBRA_SYSCALL_USER_H

#include <stdbool.h>

#include "arch/phys.h"

static inline bool user_is_null(user_t pointer)
{
    return pointer.value == 0;
}

/* True if the whole range is within user addresses. */
static inline bool user_range_is_valid(user_t start, uint64_t size)
{
    return start.value <= USER_END && size <= USER_END - start.value;
}

#endif
