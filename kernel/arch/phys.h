/* Physical addresses, virtual addresses and the pointers that programs pass are three types. None converts
 * to another or to a number by itself (tests/addresses.py tries). Kernel pointers reach RAM through the
 * direct map. */
#ifndef UMBRA_ARCH_PHYS_H
#define UMBRA_ARCH_PHYS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/layout.h"

typedef struct {
    uint64_t value;
} phys_t;

/* A virtual address of any address space: never dereferenced. `value` is for comparisons, bits and output;
 * a distance between two addresses is a number. */
typedef struct {
    uint64_t value;
} virt_t;

/* A pointer that a program passed, not checked. Only mm/usercopy.h uses its address. */
typedef struct {
    uint64_t value;
} user_t;

/* The address of physical address 0 in the direct map: DIRECT_MAP in the kernel, the arena that
 * represents RAM in the hosted tests. */
extern uintptr_t direct_map_base;

static inline phys_t phys(uint64_t value)
{
    return (phys_t){value};
}

static inline virt_t virt(uint64_t value)
{
    return (virt_t){value};
}

/* The address so many bytes above or below. It may wrap: the caller validates ranges before it uses them. */
static inline virt_t virt_add(virt_t address, uint64_t bytes)
{
    return (virt_t){address.value + bytes};
}

static inline virt_t virt_sub(virt_t address, uint64_t bytes)
{
    return (virt_t){address.value - bytes};
}

/* Bytes from one address up to another, modulo 2^64. */
static inline uint64_t virt_distance(virt_t from, virt_t to)
{
    return to.value - from.value;
}

/* The lower and the higher of two addresses, which clip a range to another. */
static inline virt_t virt_min(virt_t a, virt_t b)
{
    return a.value < b.value ? a : b;
}

static inline virt_t virt_max(virt_t a, virt_t b)
{
    return a.value > b.value ? a : b;
}

/* The address that a pointer of a program has. */
static inline virt_t user_virt(user_t pointer)
{
    return virt(pointer.value);
}

/* True if so many bytes from an address on end at USER_END or below, without wrapping. */
static inline bool virt_in_user(virt_t start, uint64_t size)
{
    return start.value <= USER_END && size <= USER_END - start.value;
}

static inline user_t user_ptr(uint64_t value)
{
    return (user_t){value};
}

/* The pointer plus `bytes`. It may wrap; the copy then refuses it. */
static inline user_t user_add(user_t pointer, uint64_t bytes)
{
    return (user_t){pointer.value + bytes};
}

static inline void *phys_ptr(phys_t address)
{
    return (void *)(direct_map_base + address.value);
}

static inline phys_t ptr_phys(const void *pointer)
{
    return phys((uintptr_t)pointer - direct_map_base);
}

static inline uint64_t page_floor(uint64_t address)
{
    return address & ~PAGE_MASK;
}

/* Rounds up to a page. The caller ensures that this does not wrap. */
static inline uint64_t page_ceil(uint64_t address)
{
    return (address + PAGE_MASK) & ~PAGE_MASK;
}

/* The same for virtual addresses. */
static inline virt_t virt_floor(virt_t address)
{
    return virt(page_floor(address.value));
}

static inline virt_t virt_ceil(virt_t address)
{
    return virt(page_ceil(address.value));
}

/* page_zero() fills the page at `to` with zeros; page_copy() copies the page at `from` to it. Both take page-aligned
 * kernel addresses. */
void page_zero(void *to);
void page_copy(void *restrict to, const void *restrict from);

#endif
