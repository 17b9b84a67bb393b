/* Random bytes from a generator that is seeded from the cycle counter and, if the processor has it,
 * RDRAND, and that mixes in more of RDRAND. */
#ifndef UMBRA_DEV_RANDOM_H
#define UMBRA_DEV_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Seeds the generator; `seed=N` on the command line makes it repeatable, for debugging. */
void random_init(void);

void random_bytes(void *to, size_t size);
uint64_t random_u64(void);

#endif
