#include "siphash.h"

#include "core.h"
#include "memory.h"

uint64_t umvfs_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    const unsigned char *p = data;
    struct sip s = sip_begin(k0, k1);
    size_t at = 0;
    for (; len - at >= 8; at += 8) {
        uint64_t word;
        __builtin_memcpy(&word, p + at, sizeof(word));
        sip_absorb(&s, umvfs_little64(word));
    }
    uint64_t tail = 0;
    for (size_t i = 0; at + i < len; i++)
        tail |= (uint64_t)p[at + i] << 8 * i;
    return sip_end(&s, tail, len);
}
