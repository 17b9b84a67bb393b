/* The hash of names. What comes after the first bytes of a name is hashed by SipHash-1-3 (Aumasson,
 * Bernstein: "SipHash: a fast short-input PRF"): without the key nobody can choose names that
 * collide. */
#ifndef UMVFS_NAME_H
#define UMVFS_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "memory.h"

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

/* Names as they are looked for: cut out of a path, taken apart into words, and hashed.
 *
 * The hash is Multilinear-HM (Lemire, Kaser: "Strongly universal string hashing is fast") over the
 * first 24 bytes in halves of words, which takes one multiplication for eight bytes, and
 * SipHash-1-3 of what comes after them. The keys and the additive constant, a secret of each
 * directory's own, come from the caller's seed by SipHash: for any two names, in one directory or
 * in two, all pairs of values are equally likely, so that whoever does not see hashes cannot make
 * names meet. What does not depend on the directory is computed first, so that a processor can work
 * on the next name while it waits for this one's entry. */
struct umvfs_name {
    const char *text;
    size_t len;
    uint32_t hash;
    uint64_t word[3]; /* the first bytes, the first in the lowest bits, zero-padded */
};

/* Sets the keys of the hash from a seed. */
void umvfs_name_keys(struct umvfs_name_keys *keys, const uint64_t seed[2]);

/* The part of the sum that is due to what comes after the first 24 bytes. */
uint64_t umvfs_name_sum_rest(const struct umvfs_name_keys *keys, const char *text, size_t len);

/* Exactly len bytes, hashed for a directory. */
struct umvfs_name umvfs_name_of(const struct umvfs_dentry *dir, const char *text, size_t len);

static inline uint64_t umvfs_word_at(const char *p)
{
    uint64_t word;
    __builtin_memcpy(&word, p, sizeof(word));
    return umvfs_little64(word);
}

/* The len bytes at p, fewer than eight, of which no others are touched. */
static inline uint64_t umvfs_word_of(const char *p, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)p;
    uint32_t first;
    uint32_t last;
    if (len >= 4) {
        __builtin_memcpy(&first, p, sizeof(first));
        __builtin_memcpy(&last, p + len - 4, sizeof(last));
        return umvfs_little32(first) | (uint64_t)umvfs_little32(last) << 8 * (len - 4);
    }
    if (len == 0)
        return 0;
    return bytes[0] | (uint64_t)bytes[len / 2] << 8 * (len / 2) |
           (uint64_t)bytes[len - 1] << 8 * (len - 1);
}

static inline uint64_t umvfs_name_product(const struct umvfs_name_keys *keys, size_t i,
                                          uint64_t word)
{
    return (keys->pair[i][0] + (uint32_t)word) * (keys->pair[i][1] + (word >> 32));
}

/* Fills word[], and says what of the hash does not depend on the directory. */
static inline uint64_t umvfs_name_sum(const struct umvfs_name_keys *keys, struct umvfs_name *name)
{
    const char *text = name->text;
    size_t len = name->len;
    uint64_t rest = 0;
    name->word[1] = name->word[2] = 0;
    name->word[0] = len < 8 ? umvfs_word_of(text, len) : umvfs_word_at(text);
    if (len <= 8)
        return umvfs_name_product(keys, 0, name->word[0]) + keys->short_name;
    if (len <= 16) {
        name->word[1] = umvfs_word_at(text + len - 8) >> 8 * (16 - len);
    } else {
        name->word[1] = umvfs_word_at(text + 8);
        name->word[2] =
            len >= 24 ? umvfs_word_at(text + 16) : umvfs_word_at(text + len - 8) >> 8 * (24 - len);
        if (len > 24)
            rest = umvfs_name_sum_rest(keys, text, len);
    }
    return umvfs_name_product(keys, 0, name->word[0]) + umvfs_name_product(keys, 1, name->word[1]) +
           umvfs_name_product(keys, 2, name->word[2]) + rest;
}

/* Returns the 32-bit hash of a sum. The upper half of the sum is the universal hash. The steps
 * after that are a bijection, so that different values stay different. They hide the sum from an
 * attacker who finds out which names share a bucket. */
static inline uint32_t umvfs_name_mix(const struct umvfs_name_keys *keys, uint64_t sum)
{
    uint32_t hash = (uint32_t)(sum >> 32);
    hash = (hash ^ hash >> 16) * keys->mix;
    return hash ^ hash >> 16;
}

static inline uint32_t umvfs_name_finish(const struct umvfs_name_keys *keys,
                                         const struct umvfs_inode *dir, uint64_t sum)
{
    uint64_t key = dir->flags & INODE_FOREIGN ? dir->u.foreign.key : dir->u.dir.key;
    return umvfs_name_mix(keys, sum + key);
}

/* The component that text starts with, up to a slash or NUL, hashed for a directory. */
static inline struct umvfs_name umvfs_name_scan(const struct umvfs *vfs,
                                                const struct umvfs_inode *dir, const char *text)
{
    struct umvfs_name name = {.text = text};
    while (text[name.len] && text[name.len] != '/')
        name.len++;
    uint64_t sum = umvfs_name_sum(&vfs->name_keys, &name);
    name.hash = umvfs_name_finish(&vfs->name_keys, dir, sum);
    return name;
}

#endif
