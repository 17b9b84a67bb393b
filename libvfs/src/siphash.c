#include "siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

/* Little-endian value of the first n bytes, n < 8, without touching the ones after. */
static inline uint64_t tail(const unsigned char *p, size_t n)
{
    uint64_t word = 0;
    if (n & 4) {
        uint32_t four;
        __builtin_memcpy(&four, p, 4);
        word = four;
        p += 4;
    }
    if (n & 2) {
        uint16_t two;
        __builtin_memcpy(&two, p, 2);
        word |= (uint64_t)two << 8 * (n & 4);
        p += 2;
    }
    if (n & 1)
        word |= (uint64_t)*p << 8 * (n & 6);
    return word;
}

uint64_t vfs_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    const unsigned char *p = data;
    struct state s = {0x736f6d6570736575u ^ k0, 0x646f72616e646f6du ^ k1, 0x6c7967656e657261u ^ k0,
                      0x7465646279746573u ^ k1};
    for (size_t left = len; left >= 8; left -= 8, p += 8) {
        uint64_t word;
        __builtin_memcpy(&word, p, 8);
        absorb(&s, word);
    }
    absorb(&s, (uint64_t)len << 56 | tail(p, len & 7));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
