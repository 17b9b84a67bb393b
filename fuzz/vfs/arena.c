/* A heap that costs a tenth of AddressSanitizer's: pieces by size, each followed by poison, and
 * poisoned itself from when it is freed until it is its turn again, at least QUEUE frees later.
 * Reports name no allocation; a replay with VFS_FUZZ_EFFORT=all uses malloc, and does. */
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/types.h>

#include "check.h"
#include "host.h"

#define UNIT    32u /* a word of the shadow */
#define STRIP   32u /* of poison after each piece */
#define CLASSES (UMVFS_OBJECT_MAX / UNIT + 2u)
#define PAGES   (CLASSES - 1u) /* the class of pages, which are aligned */
#define QUEUE   64u
#define ALIVE   8192u /* more pieces of one size no input needs; a power of two */
#define CHUNK   (1u << 20)

struct class
{
    void *queue[ALIVE]; /* freed, in that order */
    size_t head;
    size_t tail;
    char *chunk;
    size_t left;
};

static struct class classes[CLASSES];

static size_t class_of(size_t align, size_t size)
{
    return align > 16 ? PAGES : (size + UNIT - 1) / UNIT;
}

static char *carve(struct class *class, size_t size)
{
    if (class->left < size) {
        class->chunk = aligned_alloc(UMVFS_PAGE_SIZE, CHUNK);
        class->left = CHUNK;
        if (!class->chunk)
            abort();
        ASAN_POISON_MEMORY_REGION(class->chunk, CHUNK);
    }
    char *mem = class->chunk;
    class->chunk += size;
    class->left -= size;
    return mem;
}

/* What AddressSanitizer's own calls do to its shadow, a byte for eight, for pieces that begin with
 * a unit; most of the time of those goes into what pieces need not. */
#define POISON 0xf7u /* "poisoned by the user" */

/* For a loop that is not to become a call of memset. */
#ifdef __clang__
#define PLAIN_LOOP __attribute__((no_sanitize("address", "undefined"), no_builtin("memset")))
#else
#define PLAIN_LOOP                                                                                 \
    __attribute__((no_sanitize("address", "undefined"),                                            \
                   optimize("no-tree-loop-distribute-patterns")))
#endif

#if __has_feature(address_sanitizer)
PLAIN_LOOP static void mark(const void *mem, size_t size, uint32_t value)
{
    static size_t scale;
    static size_t offset;
    if (!offset)
        __asan_get_shadow_mapping(&scale, &offset);
    uint8_t *shadow = (uint8_t *)(((uintptr_t)mem >> 3) + offset);
    uint32_t *unit = (uint32_t *)(void *)shadow;
    for (size_t i = 0; i < (size + UNIT - 1) / UNIT; i++)
        unit[i] = value * 0x01010101u;
    size_t whole = size / 8;
    if (value == 0 && size % 8)
        shadow[whole++] = size % 8;
    for (; value == 0 && whole % 4; whole++)
        shadow[whole] = POISON;
}
#else
static void mark(const void *mem, size_t size, uint32_t value)
{
    (void)mem, (void)size, (void)value;
}
#endif

/* Fills whole units, past the end of what is not poisoned too: AddressSanitizer's memset would look
 * at the shadow of each byte, which has just been written. */
PLAIN_LOOP static void fill(void *mem, size_t size)
{
    static const uint64_t garbage = 0xa5a5a5a5a5a5a5a5u;
    uint64_t *word = mem;
    for (size_t i = 0; i < (size + UNIT - 1) / UNIT * (UNIT / sizeof(*word)); i++)
        word[i] = garbage;
}

static void *get_from_malloc(size_t align, size_t size)
{
    size_t whole = (size + align - 1) / align * align;
    void *mem = align > 16 ? aligned_alloc(align, whole) : malloc(size);
    if (!mem)
        abort();
    return memset(mem, 0xa5, size);
}

void *heap_get(size_t align, size_t size)
{
    size_t number = class_of(align, size);
    struct class *class = &classes[number];
    char *mem;
    if (all_effort())
        return get_from_malloc(align, size);
    if (class->tail - class->head > QUEUE)
        mem = class->queue[class->head++ % ALIVE];
    else
        mem = carve(class, number == PAGES ? 2 * UMVFS_PAGE_SIZE : number * UNIT + STRIP);
    mark(mem, size, 0);
    fill(mem, size);
    return mem;
}

void heap_put(void *ptr, size_t align, size_t size)
{
    struct class *class = &classes[class_of(align, size)];
    if (all_effort()) {
        free(ptr);
        return;
    }
    mark(ptr, size, POISON);
    if (class->tail - class->head == ALIVE)
        abort();
    class->queue[class->tail++ % ALIVE] = ptr;
}
