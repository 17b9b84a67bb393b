/* The only access to user memory. Every function checks that the range lies below USER_END, may
 * sleep in a page fault, and returns -EFAULT for a bad pointer. */
#ifndef UMBRA_MM_USERCOPY_H
#define UMBRA_MM_USERCOPY_H

#include <stddef.h>
#include <stdint.h>

#include "arch/phys.h"

/* Copies size bytes. Returns 0 or -EFAULT; part of them may have been copied then. */
int copy_from_user(void *to, user_t from, size_t size);
int copy_to_user(user_t to, const void *from, size_t size);

/* The same, but returns the number of bytes that were copied, from the start. */
size_t copy_from_user_some(void *to, user_t from, size_t size);
size_t copy_to_user_some(user_t to, const void *from, size_t size);

/* Zeroes size bytes. Returns 0 or -EFAULT. */
int zero_user(user_t to, size_t size);

/* Copies a string with its NUL, read once. Returns its length without the NUL, -EFAULT, or
 * -ENAMETOOLONG if it has no NUL within size bytes. */
long copy_string_from_user(char *to, user_t from, size_t size);

/*
 * The address of the fix-up for a fault of the kernel instruction at `rip`; 0 if it must not fault.
 */
uint64_t usercopy_fixup(uint64_t rip);

#endif
