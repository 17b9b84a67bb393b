/* What a system call asks of a user pointer without following it. */
#ifndef UMBRA_SYSCALL_USER_H
#define UMBRA_SYSCALL_USER_H

#include <stdbool.h>

#include "arch/phys.h"

static inline bool user_is_null(user_t pointer)
{
    return pointer.value == 0;
}

/* Whether all of the range lies where user memory can be. */
static inline bool user_range_is_valid(user_t start, uint64_t size)
{
    return start.value <= USER_END && size <= USER_END - start.value;
}

#endif
