/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"), a keyed hash for names:
 * without the key nobody can choose names that collide. Depends on nothing. */
#ifndef VFS_SIPHASH_H
#define VFS_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of len bytes under a 128-bit key. */
uint64_t vfs_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len);

#endif
