/* Wrappers that the linker puts before frame_alloc*(), frame_free() and slab_*() (--wrap). They
 * fail on demand and keep AddressSanitizer informed. Each call counts once, whichever function
 * makes it. While a whole kernel runs, freed objects wait in a quarantine before the allocator
 * gets them back. */

#include <sanitizer/asan_interface.h>
#include <string.h>

#include "host/fail.h"
#include "host/ram.h"
#include "mm/slab.h"

struct frame *__real_frame_alloc_block(enum frame_kind kind, unsigned order);
struct frame *__real_frame_alloc(enum frame_kind kind);
void __real_frame_free(struct frame *frame);
void *__real_slab_alloc(size_t size);
void __real_slab_free(void *object);

struct frame *__wrap_frame_alloc_block(enum frame_kind kind, unsigned order);
struct frame *__wrap_frame_alloc(enum frame_kind kind);
struct frame *__wrap_frame_alloc_zeroed(enum frame_kind kind);
void __wrap_frame_free(struct frame *frame);
void *__wrap_slab_alloc(size_t size);
void *__wrap_slab_alloc_zeroed(size_t size);
void __wrap_slab_free(void *object);

#define SCRIBBLED 64
#define UNIT      16 /* slab objects begin at multiples of it */

static uint64_t calls, failed, fail_at;
static bool fail_after, tracking = true;
static size_t scribbled = SCRIBBLED;
static bool is_scribbled[RAM_FRAMES_MAX];
static uint32_t object_size[RAM_FRAMES_MAX * PAGE_SIZE / UNIT]; /* 0: none begins there */
static size_t objects;
static uint64_t objects_end; /* of the used part of object_size */

#define QUARANTINE 256

/* Objects that were freed and are not reused yet: a ring, the oldest first. */
static struct {
    void *object;
    size_t size;
} waiting[QUARANTINE];
static unsigned oldest, nr_waiting;
static bool quarantine;

void alloc_fail_at(uint64_t n, bool after)
{
    calls = failed = 0;
    fail_at = n;
    fail_after = after;
}

uint64_t alloc_calls(void)
{
    return calls;
}

uint64_t alloc_failed(void)
{
    return failed;
}

size_t alloc_objects(void)
{
    return objects;
}

void alloc_track(bool on)
{
    tracking = on;
}

void alloc_quarantine(bool on)
{
    if (!on)
        alloc_flush();
    quarantine = on;
}

void alloc_forget(void)
{
    quarantine = false;
    nr_waiting = 0;
    memset(object_size, 0, objects_end * sizeof(object_size[0]));
    objects_end = objects = 0;
    tracking = true;
    scribbled = SCRIBBLED;
    alloc_fail_at(0, false);
}

static bool fails(void)
{
    calls++;
    bool now = fail_at && (calls == fail_at || (fail_after && calls > fail_at));
    failed += now;
    return now;
}

static struct frame *unpoison(struct frame *frame, unsigned order)
{
    if (frame)
        __asan_unpoison_memory_region(frame_ptr(frame), PAGE_SIZE << order);
    return frame;
}

void alloc_scribble(size_t bytes)
{
    scribbled = bytes;
}

/* Fills new frames with a pattern, since their contents are undefined. */
static struct frame *scribble(struct frame *frame, unsigned order)
{
    size_t size = PAGE_SIZE << order;
    if (!unpoison(frame, order))
        return NULL;
    memset(frame_ptr(frame), 0xa5, scribbled < size ? scribbled : size);
    memset(&is_scribbled[frame_phys(frame).value >> PAGE_SHIFT], true, 1u << order);
    return frame;
}

bool alloc_take_scribbled(uint64_t physical)
{
    bool was_scribbled = is_scribbled[physical >> PAGE_SHIFT];
    is_scribbled[physical >> PAGE_SHIFT] = false;
    return was_scribbled;
}

/* What waits in the quarantine must not be what memory is short of. */
static void make_room(void)
{
    if (nr_waiting > 0 && frame_count(FRAME_FREE) <= frame_floor + QUARANTINE)
        alloc_flush();
}

struct frame *__wrap_frame_alloc_block(enum frame_kind kind, unsigned order)
{
    make_room();
    return fails() ? NULL : scribble(__real_frame_alloc_block(kind, order), order);
}

struct frame *__wrap_frame_alloc(enum frame_kind kind)
{
    make_room();
    return fails() ? NULL : scribble(__real_frame_alloc(kind), 0);
}

struct frame *__wrap_frame_alloc_zeroed(enum frame_kind kind)
{
    make_room();
    struct frame *frame = fails() ? NULL : unpoison(__real_frame_alloc(kind), 0);
    if (!frame)
        return NULL;
    memset(frame_ptr(frame), 0, PAGE_SIZE);
    is_scribbled[frame_phys(frame).value >> PAGE_SHIFT] = false;
    return frame;
}

void __wrap_frame_free(struct frame *frame)
{
    unsigned order = frame->order;
    __real_frame_free(frame);
    if (frame->kind == FRAME_FREE)
        __asan_poison_memory_region(frame_ptr(frame), PAGE_SIZE << order);
}

static uint32_t *size_of(const void *object)
{
    uint64_t unit = ptr_phys(object).value / UNIT;
    if (unit >= objects_end)
        objects_end = unit + 1;
    return &object_size[unit];
}

void *__wrap_slab_alloc(size_t size)
{
    uint8_t *object = fails() ? NULL : __real_slab_alloc(size);
    if (!object || !tracking)
        return object;
    if (*size_of(object))
        host_fail("slab_alloc() gave out %p twice", (void *)object);
    *size_of(object) = (uint32_t)size;
    objects++;
    size_t rounded = (size + UNIT - 1) / UNIT * UNIT;
    __asan_unpoison_memory_region(object, size);
    __asan_poison_memory_region(object + size, rounded - size);
    memset(object, 0xa5, size < scribbled ? size : scribbled);
    return object;
}

void *__wrap_slab_alloc_zeroed(size_t size)
{
    void *object = __wrap_slab_alloc(size);
    if (object)
        memset(object, 0, size);
    return object;
}

/* The allocator keeps its list and a mark in the first sixteen bytes of a free object. */
#define LINK_SIZE 16

/* Gives the object back to the allocator. */
static void release(void *object, size_t size)
{
    __asan_unpoison_memory_region(object, LINK_SIZE);
    __real_slab_free(object);
    if (size > LINK_SIZE)
        __asan_poison_memory_region((uint8_t *)object + LINK_SIZE, size - LINK_SIZE);
}

static void release_oldest(void)
{
    void *object = waiting[oldest].object;
    size_t size = waiting[oldest].size;
    oldest = (oldest + 1) % QUARANTINE;
    nr_waiting--;
    release(object, size);
}

void alloc_flush(void)
{
    while (nr_waiting > 0)
        release_oldest();
}

/* Nobody may touch any byte of the object until it is given back. */
static void hold(void *object, size_t size)
{
    if (nr_waiting == QUARANTINE)
        release_oldest();
    unsigned at = (oldest + nr_waiting++) % QUARANTINE;
    waiting[at].object = object;
    waiting[at].size = size;
    __asan_poison_memory_region(object, size);
}

void __wrap_slab_free(void *object)
{
    if (!object || !tracking) {
        __real_slab_free(object);
        return;
    }
    size_t size = *size_of(object);
    if (size == 0)
        host_fail("slab object %p is freed, but not in use", object);
    *size_of(object) = 0;
    objects--;
    if (quarantine && size <= PAGE_SIZE)
        hold(object, size);
    else
        release(object, size);
}
