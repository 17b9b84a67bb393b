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

/* Starts the generator of one call: three numbers that name it. */
struct random random_start(uint64_t seed, uint64_t episode, uint64_t index);

/* The next 64 bits (splitmix64). */
uint64_t random_next(struct random *random);

/* A number below `count`, which is not 0. */
unsigned random_below(struct random *random, unsigned count);

/* True once in `count` times. */
bool random_once_in(struct random *random, unsigned count);

/* Fills memory. */
void random_fill(struct random *random, void *memory, size_t size);

#endif
