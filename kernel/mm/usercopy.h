/* The only access to user memory. Every function checks that the range lies below USER_END, may
 * cause page faults, in which it never sleeps, and returns -EFAULT for a bad pointer. */
#ifndef UMBRA_MM_USERCOPY_H
#define UMBRA_MM_USERCOPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/phys.h"

/* Copies size bytes. Returns 0 or -EFAULT; part of them may have been copied then. As on Linux, no bytes can be
 * copied from and to anywhere: a call that checks its pointer even then uses user_range_is_valid(). */
int copy_from_user(void *to, user_t from, size_t size);
int copy_to_user(user_t to, const void *from, size_t size);

/* The same, but returns the number of bytes that were copied, from the start. */
size_t copy_from_user_some(void *to, user_t from, size_t size);
size_t copy_to_user_some(user_t to, const void *from, size_t size);

/* Zeroes size bytes. Returns the number of bytes that were zeroed, from the start. */
size_t zero_user_some(user_t to, size_t size);

/* Copies a string with its NUL, read once. Returns its length without the NUL, -EFAULT, or
 * -ENAMETOOLONG if it has no NUL within size bytes. */
long copy_string_from_user(char *to, user_t from, size_t size);

/* Stores the processor's x87, SSE and AVX state, of which `components` are bits of XCR0, with what is `around` it in a
 * signal frame; or the area of FXSAVE for 0. Returns 0 or -EFAULT. */
struct fpu_around;
int fpu_state_to_user(user_t to, uint64_t components, const struct fpu_around *around);

/* Loads the state. What the area says to be in its initial state becomes that, components that are not named stay. Returns
 * -EFAULT if it cannot be read, is not at a multiple of 64 (FXSAVE: 16), or is not valid (SDM, "XRSTOR"); the state
 * is undefined then, but a state. */
int fpu_state_from_user(user_t from, uint64_t components);

/* The address of the fix-up for an exception of the kernel instruction at `rip`; 0 if it must not happen. */
uint64_t usercopy_fixup(uint64_t rip, uint64_t vector);

/* The checks of a user pointer without an access. */
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
