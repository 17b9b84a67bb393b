/* The shadow of AddressSanitizer: one byte for each granule of 8 bytes of kernel memory gives the
 * number of accessible bytes. It covers the direct map, the kernel image and the kernel stacks.
 * Accesses to other addresses are not checked: the page tables control them.
 *
 * Only the image umbra.kasan.elf links this folder. Its functions replace functions of the kernel
 * at link time (--wrap, see meson.build), so that the other folders need no changes. */
#ifndef UMBRA_SANITIZE_SHADOW_H
#define UMBRA_SANITIZE_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRANULE 8

/* The compiler knows the same number (-fasan-shadow-offset): it marks stack frames without a
 * call. */
#define SHADOW_OFFSET 0xdffffc0000000000ull

/* Values of a shadow byte. 0: the whole granule may be accessed; 1 to 7: so many bytes at its
 * start; otherwise no byte, with the reason. The compiler defines the values below 0xf9. */
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

/* The end of the covered area that contains the address, or 0 if no shadow covers it. No address is
 * covered before the shadow is mapped, or after shadow_off(). */
uint64_t shadow_covered_end(uint64_t address);

/* The first byte of an access that is forbidden, or 0 if there is none. */
uint64_t shadow_forbidden(uint64_t address, size_t size);

/* Forbids all granules that [address, address + size) touches; allows exactly these bytes. The
 * address is a multiple of GRANULE. Nothing happens where no shadow covers it. */
void shadow_forbid(uint64_t address, size_t size, enum shadow_value value);
void shadow_allow(uint64_t address, size_t size);

/* Ends all checks, for a report. */
void shadow_off(void);

/* Makes a new kernel stack accessible as a whole. Returns false if memory for its shadow is
 * short. */
bool shadow_add_stack(uint64_t bottom, uint64_t top);

/* The shadow byte of an address, also after shadow_off(); 0 if the address is not covered. */
uint8_t shadow_value_at(uint64_t address);

#endif
