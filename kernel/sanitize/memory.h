/* Memory that the allocators give out, frames and objects, with the call stacks of its allocation and free. */
#ifndef UMBRA_SANITIZE_MEMORY_H
#define UMBRA_SANITIZE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/frame.h"

/* The call stacks of allocations and frees. */

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

/* The call stacks of the allocation and the free of each frame. */

/* The table's address: an array with an element for each frame record. shadow.c maps it. */
#define FRAME_CALLS 0xffffe00000000000ull

struct frame_calls {
    struct calls allocated, freed;
};

/* From now on the table exists. */
void frames_record_calls(void);

/* The element of a frame, or NULL before the table exists. */
struct frame_calls *frame_calls_of(const struct frame *frame);

/* Objects of the slab allocator: each lies between redzones, and a freed one waits in a quarantine
 * before its memory can be used again. */

#define QUARANTINE_SIZE       ((size_t)512 << 10) /* bytes that freed objects may hold */
#define QUARANTINE_OBJECT_MAX ((size_t)64 << 10)  /* a larger one is not kept */

enum object_state { OBJECT_LIVE = 1, OBJECT_QUARANTINED, OBJECT_FREED };

/* The redzone before an object. */
struct object {
    uint64_t mark;
    struct object *next; /* in the quarantine */
    void *real;          /* what the slab allocator gave; its first 16 bytes are left to it */
    uint32_t size;       /* as it was asked for */
    uint32_t real_size;
    uint8_t state;
    struct calls allocated, freed;
} __attribute__((aligned(16)));

/* The object whose memory or redzone holds the address, or NULL. For reports. */
const struct object *object_at(uint64_t address);

/* Returns all objects of the quarantine to the slab allocator. Returns false if it was empty. */
bool objects_release_all(void);

#endif
