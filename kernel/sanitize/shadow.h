/* The shadow of AddressSanitizer: one byte for each granule of 8 bytes of kernel memory says how
 * many of them may be accessed. It covers the direct map, the kernel image and the kernel stacks;
 * accesses to other addresses are not checked, for the page tables decide about them.
 *
 * This folder is linked into the image umbra.kasan.elf only. It takes the place of functions of the
 * kernel at link time (--wrap, see meson.build), so that the other folders do not know of it. */
#ifndef UMBRA_SANITIZE_SHADOW_H
#define UMBRA_SANITIZE_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRANULE 8

/* The compiler knows the same number (-fasan-shadow-offset): it marks stack frames without a
 * call. */
#define SHADOW_OFFSET 0xdffffc0000000000ull

/* What a shadow byte says: 0: the whole granule may be accessed; 1 to 7: so many bytes at its
 * start; otherwise no byte, and why. The values below 0xf9 are the compiler's. */
enum shadow_value {
    SHADOW_ALLOCA_LEFT = 0xca,
    SHADOW_ALLOCA_RIGHT = 0xcb,
    SHADOW_STACK_LEFT = 0xf1,
    SHADOW_STACK_MIDDLE = 0xf2,
    SHADOW_STACK_RIGHT = 0xf3,
    SHADOW_STACK_SCOPE = 0xf8,
    SHADOW_GLOBAL_REDZONE = 0xf9,
    SHADOW_SLAB_FREED = 0xfb,
    SHADOW_SLAB_REDZONE = 0xfc,
    SHADOW_FREE_FRAME = 0xff,
};

static inline uint8_t *shadow_of(uint64_t address)
{
    return (uint8_t *)((address / GRANULE) + SHADOW_OFFSET);
}

/* The end of the covered area that an address lies in, or 0 if no shadow covers it. Nothing is
 * covered before the shadow is mapped, and after shadow_off(). */
uint64_t shadow_covered_end(uint64_t address);

/* The first byte of an access that is forbidden, or 0 if there is none. */
uint64_t shadow_forbidden(uint64_t address, size_t size);

/* Forbids all granules that [address, address + size) touches; allows exactly these bytes. The
 * address is a multiple of GRANULE. Nothing happens where no shadow covers it. */
void shadow_forbid(uint64_t address, size_t size, enum shadow_value value);
void shadow_allow(uint64_t address, size_t size);

/* Ends all checks, for a report. */
void shadow_off(void);

/* Makes a new kernel stack accessible as a whole. Returns false if memory for its shadow is short.
 * */
bool shadow_add_stack(uint64_t bottom, uint64_t top);

/* What the shadow says of a granule, after shadow_off() too; 0 for an address that is not covered.
 * */
uint8_t shadow_value_at(uint64_t address);

#endif
