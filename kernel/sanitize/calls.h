/* The call stacks of allocations and frees. */
#ifndef UMBRA_SANITIZE_CALLS_H
#define UMBRA_SANITIZE_CALLS_H

#include <stdint.h>

#define CALLS_MAX 8

/* Return addresses, the innermost first, 0 after the last. All lie in the image, so that the lower
 * half of each is enough. */
struct calls {
    uint32_t low[CALLS_MAX];
};

/* Records the return addresses of the current stack, from a frame (__builtin_frame_address()). */
void calls_record(struct calls *calls, const void *frame);

/* Prints them as a backtrace. */
void calls_print(const struct calls *calls);

#endif
