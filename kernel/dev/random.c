#include "dev/random.h"

#include "arch/cpu.h"
#include "arch/features.h"
#include "lib/cmdline.h"
#include "dev/timer.h"
#include "lib/string.h"
#include "lib/uninitialized.h"

/* A generator from ChaCha20's block function (RFC 8439, 2.3). The key is the state. The first half
 * of every block replaces it, so that the state does not reveal earlier output. */
static uint32_t key[8];
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

static void next_block(uint32_t out[16])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
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
    for (unsigned i = 0; i < 16; i++)
        out[i] += start[i];
    memcpy(key, out, sizeof(key));
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
    for (unsigned i = 0; i < 4; i++) {
        uint64_t word = repeatable ? cmdline_number("seed", 0) : hardware_word();
        word ^= repeatable ? 0 : (uint64_t)timer_realtime_ns();
        memcpy(key + 2 * i, &word, sizeof(word));
    }
}

void random_bytes(void *to, size_t size)
{
    uint8_t *p = to;
    if (!repeatable)
        key[0] ^= (uint32_t)cpu_rdtsc();
    while (size > 0) {
        UNINITIALIZED uint32_t block[16]; /* next_block() */
        next_block(block);
        size_t n = size < 32 ? size : 32;
        memcpy(p, block + 8, n);
        p += n;
        size -= n;
    }
}

uint64_t random_u64(void)
{
    uint64_t word;
    random_bytes(&word, sizeof(word));
    return word;
}
