/* Random bytes: RDRAND where the processor has it, mixed into a generator that is seeded from it and
 * from the cycle counter. */
#ifndef UMBRA_DEV_RANDOM_H
#define UMBRA_DEV_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Seeds the generator; `seed=N` on the command line makes it repeatable, for debugging. */
void random_init(void);

void random_bytes(void *to, size_t size);
uint64_t random_u64(void);

#endif
