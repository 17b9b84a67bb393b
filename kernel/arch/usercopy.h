/* The instructions of arch/usercopy.S; only mm/usercopy.c calls them. */
#ifndef UMBRA_ARCH_USERCOPY_H
#define UMBRA_ARCH_USERCOPY_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that were not copied, or not zeroed. */
size_t usercopy_bytes(void *to, const void *from, size_t size);
size_t usercopy_zero(void *to, size_t size);

/* The string's length without NUL, size if there is no NUL within, -1 for a fault. */
long usercopy_string(char *to, const char *from, size_t size);

/* The address of an instruction that may fault, and of its fix-up (see boot/kernel.ld). */
struct usercopy_fixup {
    uint64_t at, to;
};
extern const struct usercopy_fixup extable_start[], extable_end[];

#endif
