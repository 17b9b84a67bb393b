#include "mm/slab.h"

#include "lib/check.h"
#include "lib/variable.h"
#include "lib/string.h"
#include "mm/fill.h"
#include "mm/frame.h"

static const uint16_t sizes[] = {16,  32,  48,  64,  96,  128,  192,  256,
                                 320, 448, 576, 672, 816, 1024, 1344, 2048};
#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Slabs of a size with at least one free object. */
static struct list partial[NR_SIZES];
SEALED static uint8_t class_of_size[2048 / 16 + 1];
SEALED static uint64_t secret;

/* Classes from this one on are not freed straight away: large objects, and all if they are wiped. */
SEALED static unsigned first_special = NR_SIZES;

void slab_init(uint64_t random)
{
    unsigned class = 0;
    secret = random;
    for (unsigned i = 0; i < NR_SIZES; i++)
        list_init(&partial[i]);
    for (unsigned units = 0; units <= 2048 / 16; units++) {
        if (units * 16 > sizes[class])
            class ++;
        class_of_size[units] = (uint8_t)class;
    }
}

/* A free object: a link to the next one, and a mark that shows a double free or a write to it. The
 * mark contains a secret, so that it cannot be forged. */
struct free_object {
    struct free_object *next;
    uint64_t mark;
};
_Static_assert(sizeof(struct free_object) <= 16, "the smallest object");

static uint64_t mark_of(const struct free_object *object)
{
    return (uint64_t)(uintptr_t)object ^ secret;
}

/* Not instrumented: a fuzzer that sees comparisons would learn the mark and write it to objects. */
#ifdef __clang__
__attribute__((noinline, no_sanitize("coverage")))
#endif
static bool
is_marked(const struct free_object *object)
{
    return object->mark == mark_of(object);
}

static void push(struct frame *frame, struct free_object *object)
{
    *object = (struct free_object){frame->objects, mark_of(object)};
    frame->objects = object;
}

/* The size class of a slab. It is stored in the reference count of the slab's frame, which slabs do
 * not need. */
static unsigned slab_class(const struct frame *frame)
{
    return frame->refs - 1;
}

static struct frame *new_slab(unsigned class)
{
    struct frame *frame = frame_alloc(FRAME_SLAB);
    if (!frame)
        return NULL;
    uint8_t *base = frame_ptr(frame);
    frame->objects = NULL;
    for (size_t n = PAGE_SIZE / sizes[class]; n > 0; n--)
        push(frame, (struct free_object *)(void *)(base + (n - 1) * sizes[class]));
    frame->refs = class + 1;
    list_insert_after(&partial[class], &frame->link);
    return frame;
}

static __attribute__((noinline)) void *alloc_large(size_t size)
{
    unsigned order = 0;
    if (size > SLAB_LIMIT)
        return NULL;
    while (size > PAGE_SIZE << order)
        order++;
    struct frame *frame = frame_alloc_block(FRAME_SLAB, order);
    if (!frame)
        return NULL;
    frame->refs = NR_SIZES + 1; /* no size class */
    return frame_ptr(frame);
}

static inline void *take_first(struct frame *frame, unsigned class)
{
    struct free_object *object = frame->objects;
    CHECK(is_marked(object), "object %p written to after it was freed", (void *)object);
    object->mark = 0;
    frame->objects = object->next;
    frame->in_use++;
    if (!frame->objects)
        list_remove(&frame->link);
    fill_fresh(object, sizes[class]);
    return object;
}

static __attribute__((noinline)) void *alloc_from_new(unsigned class)
{
    struct frame *frame = new_slab(class);
    return frame ? take_first(frame, class) : NULL;
}

void *slab_alloc(size_t size)
{
    if (size > SLAB_SMALL_MAX)
        return alloc_large(size);
    unsigned class = class_of_size[(size + 15) / 16];
    if (list_empty(&partial[class]))
        return alloc_from_new(class);
    return take_first(CONTAINER_OF(partial[class].next, struct frame, link), class);
}

void *slab_alloc_zeroed(size_t size)
{
    void *object = slab_alloc(size);
    if (object)
        memset(object, 0, size);
    return object;
}

/* The only slab of its size with free objects is kept even if it is empty: making a new one for the
 * next object costs more than the object. */
static bool is_only_partial(unsigned class, const struct frame *frame)
{
    return partial[class].next == &frame->link && partial[class].prev == &frame->link;
}

static void free_slab(struct frame *frame)
{
    list_remove(&frame->link);
    frame->refs = 1;
    frame_put(frame);
}

void slab_wipe_freed(bool wipe)
{
    first_special = wipe ? 0 : NR_SIZES;
}

static inline __attribute__((always_inline)) void free_small(struct frame *frame, unsigned class,
                                                             void *object)
{
    struct free_object *freed = object;
    CHECK(frame->in_use > 0 && !is_marked(freed), "object %p freed twice", object);
    if (!frame->objects)
        list_insert_after(&partial[class], &frame->link);
    push(frame, freed);
    if (--frame->in_use == 0 && !is_only_partial(class, frame))
        free_slab(frame);
}

/* The frames of a large object wipe themselves. */
static __attribute__((noinline)) void free_special(struct frame *frame, unsigned class,
                                                   void *object)
{
    const size_t link = sizeof(struct free_object);
    if (class == NR_SIZES) {
        frame->refs = 1;
        frame_put(frame);
    } else {
        memset((uint8_t *)object + link, 0, sizes[class] - link);
        free_small(frame, class, object);
    }
}

void slab_free(void *object)
{
    if (!object)
        return;
    struct frame *frame = frame_of_ptr(object);
    unsigned class = slab_class(frame);
    CHECK(frame->kind == FRAME_SLAB && class <= NR_SIZES, "object %p, kind %u", object,
          frame->kind);
    if (class >= first_special)
        free_special(frame, class, object);
    else
        free_small(frame, class, object);
}

void slab_trim(void)
{
    for (unsigned class = 0; class < NR_SIZES; class ++)
        LIST_FOR_EACH (frame, &partial[class], struct frame, link)
            if (frame->in_use == 0)
                free_slab(frame);
}
