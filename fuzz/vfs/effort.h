/* How much a target looks at. The replay of a corpus (VFS_FUZZ_EFFORT=all in the environment)
 * checks every invariant after every step; while fuzzing, one input in 32 is worth that, which its
 * bytes decide, so that what it finds can be repeated. */
#ifndef FUZZ_VFS_EFFORT_H
#define FUZZ_VFS_EFFORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the environment asks for everything. */
bool all_effort(void);

bool worth_every_step(const uint8_t *data, size_t size);

#endif
