/* The wrappers of the allocators; ram.h has the functions for tests. */
#ifndef UMBRA_HOST_ALLOC_H
#define UMBRA_HOST_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

/* Clears the recorded objects and the failure that was requested. */
void alloc_forget(void);

/* Whether the frame was filled with the pattern when it was allocated, and nobody has asked since. */
bool alloc_take_scribbled(uint64_t physical);

#endif
