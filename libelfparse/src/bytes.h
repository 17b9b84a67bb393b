/*
 * Little-endian scalars out of bytes, whatever the host's byte order and alignment rules. Compilers
 * turn each into one load where the host allows it.
 */
#ifndef ELFP_BYTES_H
#define ELFP_BYTES_H

#include <stdint.h>

/*@ requires \valid_read(p + (0 .. 1));
    assigns \nothing;
    ensures 0 <= \result <= 0xffff;
*/
static inline uint32_t elfp_le16(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8);
}

/*@ requires \valid_read(p + (0 .. 3));
    assigns \nothing;
*/
static inline uint32_t elfp_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

/*@ requires \valid_read(p + (0 .. 7));
    assigns \nothing;
*/
static inline uint64_t elfp_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | ((uint64_t)p[1] << 8) | ((uint64_t)p[2] << 16) |
           ((uint64_t)p[3] << 24) | ((uint64_t)p[4] << 32) | ((uint64_t)p[5] << 40) |
           ((uint64_t)p[6] << 48) | ((uint64_t)p[7] << 56);
}

#endif
