/* Memory that the allocators give out: frames and objects, and the call stacks of their allocation and free. */
#include "dev/print.h"
#include "lib/check.h"
#include "mm/frame.h"
#include "mm/kernel_map.h"
#include "mm/slab.h"
#include "sanitize/memory.h"
#include "sanitize/report.h"
#include "sanitize/shadow.h"
#include "sanitize/wrapped.h"
#include "trap/trap.h"

#define SLOT_SIZE (KSTACK_SIZE + PAGE_SIZE) /* a stack and its guard page (mm/kernel_map.c) */

/* The end of the stack that contains the address. */
static uint64_t stack_end(uint64_t address)
{
    if (address >= KSTACK_BASE)
        return KSTACK_BASE + ((address - KSTACK_BASE) / SLOT_SIZE + 1) * SLOT_SIZE;
    return (uint64_t)boot_stack + BOOT_STACK_SIZE;
}

/* A function in assembly may leave any value in the frame pointer. Only addresses further up the
 * same stack are followed. */
void calls_record(struct calls *calls, const void *frame)
{
    uint64_t at = (uint64_t)frame, end = stack_end(at), last = at - 1;
    unsigned n = 0;
    while (n < CALLS_MAX && at > last && at % 8 == 0 && at + 16 <= end) {
        const uint64_t *saved = (const uint64_t *)at;
        if (!kernel_text_contains(saved[1]))
            break;
        calls->low[n++] = (uint32_t)saved[1];
        last = at;
        at = saved[0];
    }
    if (n < CALLS_MAX)
        calls->low[n] = 0;
}

static uint64_t whole(uint32_t low)
{
    return low ? 0xffffffff00000000 | low : 0;
}

/* Builds a chain of stack frames, which backtrace_print() can read. */
void calls_print(const struct calls *calls)
{
    uint64_t chain[CALLS_MAX][2];
    if (calls->low[0] == 0) {
        print("kasan: (not recorded)");
        return;
    }
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        bool last = i + 1 == CALLS_MAX || calls->low[i] == 0;
        chain[i][0] = (uint64_t)(last ? NULL : chain[i + 1]);
        chain[i][1] = last ? 0 : whole(calls->low[i + 1]);
    }
    backtrace_print(whole(calls->low[0]) - 1, (uint64_t)chain);
}

/* The frame allocator. Free frames are forbidden. The frames of slabs stay forbidden until objects
 * are allocated from them (below). */

static bool recording;

void frames_record_calls(void)
{
    recording = true;
}

struct frame_calls *frame_calls_of(const struct frame *frame)
{
    return recording ? (struct frame_calls *)FRAME_CALLS + (frame - frame_records) : NULL;
}

static struct frame *taken(struct frame *frame, enum frame_kind kind, unsigned order,
                           const void *caller)
{
    struct frame_calls *calls = frame ? frame_calls_of(frame) : NULL;
    if (!frame)
        return NULL;
    if (kind == FRAME_SLAB)
        shadow_forbid((uint64_t)frame_ptr(frame), PAGE_SIZE << order, SHADOW_SLAB_REDZONE);
    else
        shadow_allow((uint64_t)frame_ptr(frame), PAGE_SIZE << order);
    for (size_t i = 0; calls && i < (size_t)1 << order; i++)
        calls_record(&calls[i].allocated, caller);
    return frame;
}

static struct frame *alloc_block(enum frame_kind kind, unsigned order)
{
    struct frame *frame = __real_frame_alloc_block(kind, order);
    if (!frame && objects_release_all())
        frame = __real_frame_alloc_block(kind, order);
    return frame;
}

static struct frame *alloc_one(enum frame_kind kind)
{
    struct frame *frame = __real_frame_alloc(kind);
    if (!frame && objects_release_all())
        frame = __real_frame_alloc(kind);
    return frame;
}

struct frame *__wrap_frame_alloc_block(enum frame_kind kind, unsigned order)
{
    return taken(alloc_block(kind, order), kind, order, __builtin_frame_address(0));
}

struct frame *__wrap_frame_alloc(enum frame_kind kind)
{
    return taken(alloc_one(kind), kind, 0, __builtin_frame_address(0));
}

struct frame *__wrap_frame_alloc_zeroed(enum frame_kind kind)
{
    struct frame *frame = taken(alloc_one(kind), kind, 0, __builtin_frame_address(0));
    if (frame)
        __real_page_zero(frame_ptr(frame));
    return frame;
}

/* The kernel's own function comes first: it panics if the frame is free already. */
void __wrap_frame_free(struct frame *frame)
{
    size_t n = (size_t)1 << frame->order;
    struct frame_calls *calls = frame_calls_of(frame);
    __real_frame_free(frame);
    shadow_forbid((uint64_t)frame_ptr(frame), n * PAGE_SIZE, SHADOW_FREE_FRAME);
    for (size_t i = 0; calls && i < n; i++)
        calls_record(&calls[i].freed, __builtin_frame_address(0));
}

/* Memory in the quarantine counts as free. */
size_t __wrap_frame_count(enum frame_kind kind)
{
    if (kind == FRAME_FREE || kind == FRAME_SLAB) {
        (void)objects_release_all();
        slab_trim();
    }
    return __real_frame_count(kind);
}

#define SLAB_LINK    16   /* bytes at the start of a free object that the slab allocator uses */
#define REDZONE_SIZE 16   /* at least, after an object */
#define NEAR         1024 /* a forbidden address further away than this says nothing of an object */
#define MARK         0x6f626a6563743a29ull

static struct object *oldest, *newest;
static size_t quarantine_size;

static uint64_t mark_of(const struct object *object)
{
    return MARK ^ (uint64_t)object;
}

static uint64_t start_of(const struct object *object)
{
    return (uint64_t)(object + 1);
}

static void release_oldest(void)
{
    struct object *object = oldest;
    oldest = object->next;
    quarantine_size -= object->real_size;
    object->state = OBJECT_FREED;
    __real_slab_free(object->real);
}

bool objects_release_all(void)
{
    bool any = oldest;
    while (oldest)
        release_oldest();
    return any;
}

static void *real_alloc(size_t size)
{
    void *real = __real_slab_alloc(size);
    if (!real && objects_release_all())
        real = __real_slab_alloc(size);
    return real;
}

/* An object of nearly SLAB_LIMIT leaves no room for redzones. It begins at a page, as no other
 * does. */
static void *alloc_bare(size_t size)
{
    void *real = real_alloc(size);
    if (real)
        shadow_allow((uint64_t)real, size);
    return real;
}

static void *alloc(size_t size, const void *caller)
{
    uint64_t align = size % 64 == 0 ? 64 : 16;
    size_t before = SLAB_LINK + sizeof(struct object);
    size_t whole = before + (align - 16) + size + REDZONE_SIZE;
    if (size > SLAB_LIMIT || whole > SLAB_LIMIT)
        return alloc_bare(size);
    void *real = real_alloc(whole);
    if (!real)
        return NULL;
    uint64_t start = ((uint64_t)real + before + align - 1) & ~(align - 1);
    struct object *object = (struct object *)start - 1;
    object->mark = mark_of(object);
    object->real = real;
    object->size = (uint32_t)size;
    object->real_size = (uint32_t)whole;
    object->state = OBJECT_LIVE;
    calls_record(&object->allocated, caller);
    shadow_forbid((uint64_t)real, whole, SHADOW_SLAB_REDZONE);
    shadow_allow(start, size);
    return (void *)start;
}

void *__wrap_slab_alloc(size_t size)
{
    return alloc(size, __builtin_frame_address(0));
}

void *__wrap_slab_alloc_zeroed(size_t size)
{
    void *start = alloc(size, __builtin_frame_address(0));
    if (start)
        __real_memset(start, 0, size);
    return start;
}

static bool is_object(const void *start)
{
    uint64_t frame = ((uint64_t)start - DIRECT_MAP) / PAGE_SIZE;
    if ((uint64_t)start % 16 != 0 || frame >= frame_records_size ||
        frame_records[frame].kind == FRAME_FREE)
        return false;
    const struct object *object = (const struct object *)start - 1;
    uint8_t value = shadow_value_at((uint64_t)object);
    return object->mark == mark_of(object) && (value == SHADOW_SLAB_REDZONE || value == 0);
}

static void keep(struct object *object)
{
    object->next = NULL;
    if (oldest)
        newest->next = object;
    else
        oldest = object;
    newest = object;
    object->state = OBJECT_QUARANTINED;
    quarantine_size += object->real_size;
    while (quarantine_size > QUARANTINE_SIZE)
        release_oldest();
}

void __wrap_slab_free(void *start)
{
    if (!start)
        return;
    if ((uint64_t)start % PAGE_SIZE == 0) {
        __real_slab_free(start);
        return;
    }
    if (!is_object(start))
        report_free((uint64_t)start, "free of what is not an object");
    struct object *object = (struct object *)start - 1;
    if (object->state != OBJECT_LIVE)
        report_free((uint64_t)start, "double free");
    calls_record(&object->freed, __builtin_frame_address(0));
    shadow_forbid((uint64_t)start, object->size, SHADOW_SLAB_FREED);
    if (object->real_size <= QUARANTINE_OBJECT_MAX) {
        keep(object);
    } else {
        object->state = OBJECT_FREED;
        __real_slab_free(object->real);
    }
}

static const struct object *object_if_valid(uint64_t start)
{
    return is_object((const void *)start) ? (const struct object *)start - 1 : NULL;
}

/* The nearest object that begins at or below the address. */
static const struct object *object_below(uint64_t address)
{
    const struct object *found = NULL;
    for (uint64_t at = address & ~15ull; !found && at > address - SLAB_LIMIT && at > DIRECT_MAP;
         at -= 16) {
        if (at % PAGE_SIZE == 0 && frame_of_ptr((void *)at)->kind != FRAME_SLAB)
            break;
        found = at % PAGE_SIZE == 0 ? NULL : object_if_valid(at);
    }
    bool near = found && address < start_of(found) + found->size + NEAR;
    return near ? found : NULL;
}

static const struct object *object_above(uint64_t address)
{
    const struct object *found = NULL;
    for (uint64_t at = (address | 15) + 1; !found && at < address + NEAR; at += 16)
        found = object_if_valid(at);
    return found;
}

/* In a redzone: whichever is nearer, the object before or the one after. */
const struct object *object_at(uint64_t address)
{
    uint64_t frame = (address - DIRECT_MAP) / PAGE_SIZE;
    if (frame >= frame_records_size || frame_records[frame].kind != FRAME_SLAB)
        return NULL;
    const struct object *below = object_below(address), *above = object_above(address);
    if (!below || !above || address < start_of(below) + below->size)
        return below ? below : above;
    uint64_t past = address - (start_of(below) + below->size);
    return past <= start_of(above) - address ? below : above;
}
