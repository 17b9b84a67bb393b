/* Physical addresses are a type of their own, so that mixing them up with virtual ones does not
 * compile. Kernel pointers reach RAM through the direct map. */
#ifndef UMBRA_ARCH_PHYS_H
#define UMBRA_ARCH_PHYS_H

#include <stdint.h>

#include "arch/layout.h"

typedef struct {
    uint64_t value;
} phys_t;

/* A user virtual address: never dereferenced. It is an integer, unlike the other two, because mm/ and
 * exec/ round it, compare it and split it into indices everywhere. Neither of the others converts to it or
 * from it implicitly (tests/addresses.py tries). The compiler does not notice a size or a file offset in its
 * place. */
typedef uint64_t virt_t;

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

#endif
