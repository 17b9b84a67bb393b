/* The frame allocator. Free frames are forbidden. The frames of slabs stay forbidden until objects
 * are allocated from them (objects.c). */
#include "sanitize/frames.h"

#include "mm/slab.h"

#include "sanitize/objects.h"
#include "sanitize/shadow.h"
#include "sanitize/wrapped.h"

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
