/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"), a keyed hash for names:
 * without the key nobody can choose names that collide. Depends on nothing. */
#ifndef UMVFS_SIPHASH_H
#define UMVFS_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t sip_rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = sip_rotate(s->v1, 13) ^ s->v0;
    s->v0 = sip_rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = sip_rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = sip_rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = sip_rotate(s->v1, 17) ^ s->v2;
    s->v2 = sip_rotate(s->v2, 32);
}

/* Eight bytes more, the first in the lowest bits. */
static inline void sip_absorb(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline struct sip sip_begin(uint64_t k0, uint64_t k1)
{
    return (struct sip){0x736f6d6570736575u ^ k0, 0x646f72616e646f6du ^ k1,
                        0x6c7967656e657261u ^ k0, 0x7465646279746573u ^ k1};
}

/* tail: the last len % 8 bytes. */
static inline uint64_t sip_end(struct sip *s, uint64_t tail, size_t len)
{
    sip_absorb(s, (uint64_t)len << 56 | tail);
    s->v2 ^= 0xff;
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* The hash of the eight bytes of a word under a 128-bit key. */
static inline uint64_t sip_word(uint64_t k0, uint64_t k1, uint64_t word)
{
    struct sip s = sip_begin(k0, k1);
    sip_absorb(&s, word);
    return sip_end(&s, 0, sizeof(word));
}

/* The hash of len bytes under a 128-bit key. */
uint64_t umvfs_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len);

#endif
