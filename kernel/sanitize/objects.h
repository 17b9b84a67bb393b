/* Objects of the slab allocator: each lies between redzones, and a freed one waits in a quarantine
 * before its memory can be used again. */
#ifndef UMBRA_SANITIZE_OBJECTS_H
#define UMBRA_SANITIZE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sanitize/calls.h"

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
