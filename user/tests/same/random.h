/*
 * Random numbers that depend on a seed and on nothing else. Every call of a sequence has its own
 * generator, so that the arguments of a call stay the same when another call is left out.
 */
#ifndef UMBRA_SAME_RANDOM_H
#define UMBRA_SAME_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
    bool widened; /* an argument got an upper half that Linux does not look at */
};

static inline uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/* Starts the generator of one call: three numbers that name it. */
static inline struct random random_start(uint64_t seed, uint64_t episode, uint64_t index)
{
    return (struct random){.state = mix(mix(mix(seed) + episode) + index)};
}

/* The next 64 bits (splitmix64). */
static inline uint64_t random_next(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return mix(random->state);
}

/* A number below `count`, which is not 0. */
static inline unsigned random_below(struct random *random, unsigned count)
{
    return (unsigned)((random_next(random) >> 32) % count);
}

/* True once in `count` times. */
static inline bool random_once_in(struct random *random, unsigned count)
{
    return random_below(random, count) == 0;
}

/* Fills memory. */
static inline void random_fill(struct random *random, void *memory, size_t size)
{
    unsigned char *bytes = memory;
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++) {
        word = i % 8 == 0 ? random_next(random) : word >> 8;
        bytes[i] = (unsigned char)word;
    }
}

#endif
