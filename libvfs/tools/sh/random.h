/* A small generator of random numbers (xorshift64*), the same on every machine for a seed. */
#ifndef SH_RANDOM_H
#define SH_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* never 0 */
};

static inline struct random random_seed(uint64_t seed)
{
    return (struct random){
        seed * 0x9e3779b97f4a7c15u + 0x1234567u ? seed * 0x9e3779b97f4a7c15u + 0x1234567u : 1};
}

static inline uint64_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 0x2545f4914f6cdd1du;
}

/* A number from 0 to limit - 1. */
static inline unsigned random_below(struct random *random, unsigned limit)
{
    return (unsigned)((random_next(random) >> 33) % limit);
}

#endif
