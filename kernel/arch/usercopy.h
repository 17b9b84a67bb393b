/* The instructions of arch/usercopy.S; only mm/usercopy.c calls them. */
#ifndef UMBRA_ARCH_USERCOPY_H
#define UMBRA_ARCH_USERCOPY_H

#include <stddef.h>
#include <stdint.h>

#include "arch/user_state.h"

/* Bytes that were not copied, or not zeroed. */
size_t usercopy_bytes(void *to, const void *from, size_t size);
size_t usercopy_zero(void *to, size_t size);

/* The string's length without NUL, size if there is no NUL within, -1 for a fault. */
long usercopy_string(char *to, const char *from, size_t size);

/* Store and load the x87, SSE and AVX state (arch/user_state.h), of which `components` are bits of XCR0, or 0
 * for the area of FXSAVE, without header and end. 1 if that faults, which may leave half of it done. */
int usercopy_fpu_save(void *to, uint32_t components, const struct fpu_around *around);
int usercopy_fpu_load(const void *from, uint32_t components);

/* The address of an instruction that may fault, and of its fix-up (see boot/kernel.ld), for the exceptions whose
 * bits are set. */
struct usercopy_fixup {
    uint64_t at, to, vectors;
};
extern const struct usercopy_fixup extable_start[], extable_end[];

#endif
