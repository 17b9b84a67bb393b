/* The hashes of symbol names, a byte at a time. Internal. */
#ifndef ELFP_HASH_H
#define ELFP_HASH_H

#include <stdint.h>

/* Linux gABI extensions, "GNU hash" */
#define ELFP_GNU_HASH_START 5381u

static inline uint32_t elfp_gnu_hash_add(uint32_t hash, uint8_t byte)
{
    return hash * 33u + byte;
}

/* gABI, "Hash Table"; starts with 0 */
static inline uint32_t elfp_sysv_hash_add(uint32_t hash, uint8_t byte)
{
    hash = (hash << 4) + byte;
    return (hash ^ ((hash >> 24) & 0xf0)) & 0x0fffffff;
}

#endif
