/* A heap that costs a tenth of AddressSanitizer's: pieces by size, each followed by poison, and
 * poisoned itself from when it is freed until it is its turn again, at least QUEUE frees later.
 * Reports name no allocation; a replay with VFS_FUZZ_EFFORT=all uses malloc, and does. */
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vfs/types.h>

#include "effort.h"
#include "heap.h"

#define UNIT    32u
#define STRIP   32u /* of poison after each piece */
#define CLASSES (VFS_OBJECT_MAX / UNIT + 2u)
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
        class->chunk = aligned_alloc(VFS_PAGE_SIZE, CHUNK);
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

/* Fills whole units, past the end of what is not poisoned too: AddressSanitizer's memset would look
 * at the shadow of each byte, which has just been written. */
__attribute__((no_sanitize("address", "undefined"), no_builtin("memset"))) static void
fill(void *mem, size_t size)
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
        mem = carve(class, number == PAGES ? 2 * VFS_PAGE_SIZE : number * UNIT + STRIP);
    ASAN_UNPOISON_MEMORY_REGION(mem, size);
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
    ASAN_POISON_MEMORY_REGION(ptr, size);
    if (class->tail - class->head == ALIVE)
        abort();
    class->queue[class->tail++ % ALIVE] = ptr;
}
