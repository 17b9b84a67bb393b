/*
 * Scalars out of bytes and into them, whatever the host's byte order and alignment rules: compilers
 * turn each into one load or store where the host allows it. And the functions that move bytes.
 */
#ifndef ELFP_BYTES_H
#define ELFP_BYTES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Compilers that optimise for size would call these: they see the bytes before they see the one
 * load.
 */
#define ELFP_LOAD static inline __attribute__((always_inline))

/*@ requires \valid_read(p + (0 .. 1));
    assigns \nothing;
    ensures 0 <= \result <= 0xffff;
*/
ELFP_LOAD uint32_t elfp_le16(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8);
}

/*@ requires \valid_read(p + (0 .. 3));
    assigns \nothing;
*/
ELFP_LOAD uint32_t elfp_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

/*@ requires \valid_read(p + (0 .. 7));
    assigns \nothing;
*/
ELFP_LOAD uint64_t elfp_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | ((uint64_t)p[1] << 8) | ((uint64_t)p[2] << 16) |
           ((uint64_t)p[3] << 24) | ((uint64_t)p[4] << 32) | ((uint64_t)p[5] << 40) |
           ((uint64_t)p[6] << 48) | ((uint64_t)p[7] << 56);
}

/*
 * gcc 12 does not merge eight stores of one byte each where the value's bytes were swapped before,
 * nor four loads whose value becomes wider, so that hosts that need not swap do each at once here.
 * Frama-C is shown the bytes.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(__FRAMAC__)
static inline uint32_t elfp_load32(const uint8_t *p)
{
    uint32_t value;

    __builtin_memcpy(&value, p, sizeof(value));
    return value;
}

static inline void elfp_put32(uint8_t *p, uint32_t value)
{
    __builtin_memcpy(p, &value, sizeof(value));
}

static inline void elfp_put64(uint8_t *p, uint64_t value)
{
    __builtin_memcpy(p, &value, sizeof(value));
}
#else
static inline uint32_t elfp_load32(const uint8_t *p)
{
    return elfp_le32(p);
}

static inline void elfp_put32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

static inline void elfp_put64(uint8_t *p, uint64_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
    p[4] = (uint8_t)(value >> 32);
    p[5] = (uint8_t)(value >> 40);
    p[6] = (uint8_t)(value >> 48);
    p[7] = (uint8_t)(value >> 56);
}
#endif

/* In the byte order of a file: big is not 0 if its highest byte comes first. */
static inline uint32_t elfp_get16(const uint8_t *p, uint32_t big)
{
    return big ? (uint32_t)p[1] | ((uint32_t)p[0] << 8) : elfp_le16(p);
}

static inline uint32_t elfp_get32(const uint8_t *p, uint32_t big)
{
    return big ? __builtin_bswap32(elfp_load32(p)) : elfp_load32(p);
}

static inline uint64_t elfp_get64(const uint8_t *p, uint32_t big)
{
    return big ? __builtin_bswap64(elfp_le64(p)) : elfp_le64(p);
}

/*
 * What the library asks of its embedder (ISO C, 7.24), declared here since freestanding C has no
 * string.h.
 */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

#endif
