/* GNU C's checked arithmetic, spelled out for Frama-C, on the type that the proved sources use it
 * with. */
#ifndef UMVFS_PROOF_BUILTINS_H
#define UMVFS_PROOF_BUILTINS_H

#include <stdint.h>

static inline int proof_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b != 0 && a > UINT64_MAX / b)
        return 1;
    *out = a * b;
    return 0;
}

static inline int proof_add(uint64_t a, uint64_t b, uint64_t *out)
{
    if (a > UINT64_MAX - b)
        return 1;
    *out = a + b;
    return 0;
}

#define __builtin_mul_overflow(a, b, out) proof_mul(a, b, out)
#define __builtin_add_overflow(a, b, out) proof_add(a, b, out)
#define __builtin_memcpy                  memcpy
#define __builtin_prefetch(at)            ((void)(at))

#endif
