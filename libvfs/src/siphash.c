#include "siphash.h"

uint64_t vfs_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    const unsigned char *p = data;
    struct sip s = sip_begin(k0, k1);
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)p[i] << 8 * (i % 8);
        if (i % 8 == 7) {
            sip_absorb(&s, word);
            word = 0;
        }
    }
    return sip_end(&s, word, len);
}
