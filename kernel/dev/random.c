#include "dev/random.h"

#include "arch/cpu.h"
#include "arch/features.h"
#include "lib/cmdline.h"
#include "dev/timer.h"
#include "lib/string.h"

/* ChaCha20's block function (RFC 8439, 2.3) as a generator: the key is the state. A refill of the pool
 * makes a few blocks; their first 32 bytes become the next key, and bytes of the pool are cleared as they
 * are given out. So earlier output cannot be told from what is in memory. */
#define POOL_BLOCKS 4
#define BLOCK_WORDS 16
static uint32_t key[8];
static uint32_t pool[POOL_BLOCKS * BLOCK_WORDS];
static size_t left; /* bytes at the pool's end that are not given out yet */
static uint64_t counter;
static int repeatable;

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void quarter_round(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

static void next_block(uint32_t out[BLOCK_WORDS])
{
    uint32_t start[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(start + 4, key, sizeof(key));
    start[12] = (uint32_t)counter;
    start[13] = (uint32_t)(counter++ >> 32);
    memcpy(out, start, sizeof(start));
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            quarter_round(out, i, 4 + i, 8 + i, 12 + i);
        for (unsigned i = 0; i < 4; i++)
            quarter_round(out, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        out[i] += start[i];
}

static void refill(void)
{
    if (!repeatable)
        key[0] ^= (uint32_t)cpu_rdtsc();
    for (size_t i = 0; i < POOL_BLOCKS; i++)
        next_block(pool + i * BLOCK_WORDS);
    memcpy(key, pool, sizeof(key));
    memset(pool, 0, sizeof(key));
    left = sizeof(pool) - sizeof(key);
}

/* Gives out `size` bytes, which are there. */
static inline void take(void *to, size_t size)
{
    uint8_t *from = (uint8_t *)pool + sizeof(pool) - left;
    memcpy(to, from, size);
    memset(from, 0, size);
    left -= size;
}

static uint64_t hardware_word(void)
{
    uint64_t word = 0;
    for (unsigned tries = 0; features.rdrand && tries < 10; tries++)
        if (cpu_rdrand(&word))
            break;
    return word ^ cpu_rdtsc();
}

void random_init(void)
{
    repeatable = cmdline_value("seed") != NULL;
    for (size_t i = 0; i < 4; i++) {
        uint64_t word = repeatable ? cmdline_number("seed", 0) : hardware_word();
        word ^= repeatable ? 0 : (uint64_t)timer_realtime_ns();
        memcpy(key + 2 * i, &word, sizeof(word));
    }
    left = 0;
}

void random_bytes(void *to, size_t size)
{
    uint8_t *p = to;
    while (size > 0) {
        if (left == 0)
            refill();
        size_t n = size < left ? size : left;
        take(p, n);
        p += n;
        size -= n;
    }
}

uint64_t random_u64(void)
{
    uint64_t word;
    if (left < sizeof(word))
        refill();
    take(&word, sizeof(word));
    return word;
}
