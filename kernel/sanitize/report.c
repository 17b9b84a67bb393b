#include "sanitize/report.h"

#include "dev/print.h"
#include "lib/check.h"
#include "mm/kernel_map.h"
#include "sanitize/compiler.h"
#include "sanitize/memory.h"
#include "sanitize/shadow.h"

static const char *meaning(uint8_t value)
{
    switch (value) {
    case SHADOW_ALLOCA_LEFT:
    case SHADOW_ALLOCA_RIGHT:
    case SHADOW_STACK_LEFT:
    case SHADOW_STACK_MIDDLE:
    case SHADOW_STACK_RIGHT:
        return "out of bounds of a stack variable";
    case SHADOW_STACK_SCOPE:
        return "use after scope";
    case SHADOW_GLOBAL_REDZONE:
        return "out of bounds of a global variable";
    case SHADOW_SLAB_FREED:
        return "use after free";
    case SHADOW_SLAB_REDZONE:
        return "out of bounds of a slab object";
    case SHADOW_FREE_FRAME:
        return "use of a free frame";
    default:
        return "access to forbidden memory";
    }
}

/* If only the first bytes of a granule are accessible, the next granule has the reason. */
static uint8_t value_at(uint64_t address)
{
    uint8_t value = shadow_value_at(address);
    return value > 0 && value < GRANULE ? shadow_value_at(address + GRANULE) : value;
}

static void describe_object(const struct object *object, uint64_t address)
{
    uint64_t start = (uint64_t)(object + 1), end = start + object->size;
    uint64_t distance = address < start ? start - address : address - start;
    const char *where = address < start ? "before it" : "inside";
    if (address >= end) {
        distance = address - end;
        where = "after its end";
    }
    print("kasan: object of %u bytes at %#lx, the address is %lu bytes %s; allocated by",
          object->size, start, distance, where);
    calls_print(&object->allocated);
    if (object->state == OBJECT_LIVE)
        return;
    print("kasan: freed by");
    calls_print(&object->freed);
}

static void describe_frame(const struct frame *frame)
{
    const struct frame_calls *calls = frame_calls_of(frame);
    print("kasan: frame %#lx, now %s; allocated by", frame_phys(frame).value,
          frame_kind_name(frame->kind));
    calls_print(&calls->allocated);
    if (frame->kind != FRAME_FREE)
        return;
    print("kasan: freed by");
    calls_print(&calls->freed);
}

/* The compiler writes a description of each stack frame's variables to the frame's lowest
 * redzone. */
static void describe_stack(uint64_t address)
{
    uint64_t at = address & ~(GRANULE - 1ull);
    for (unsigned n = 0; n < KSTACK_SIZE / GRANULE; n++, at -= GRANULE)
        if (shadow_value_at(at) == SHADOW_STACK_LEFT)
            break;
    while (shadow_value_at(at - GRANULE) == SHADOW_STACK_LEFT)
        at -= GRANULE;
    const struct stack_description *frame = (const struct stack_description *)at;
    if (shadow_value_at(at) != SHADOW_STACK_LEFT || frame->mark != STACK_DESCRIPTION_MARK)
        return;
    print("kasan: stack frame at %#lx, the address is %lu bytes inside; its variables are", at,
          address - at);
    print("kasan: (count; place, size, length of name, name) %s", frame->text);
}

static void describe_global(uint64_t address)
{
    const struct global *global = global_at(address);
    if (global)
        print("kasan: global variable %s of %lu bytes at %#lx, in %s", global->name, global->size,
              global->start, global->file);
}

static void describe(uint64_t address)
{
    const struct object *object = object_at(address);
    uint64_t frame = (address - DIRECT_MAP) / PAGE_SIZE;
    if (object)
        describe_object(object, address);
    else if (frame < frame_records_size)
        describe_frame(&frame_records[frame]);
    else if (value_at(address) == SHADOW_GLOBAL_REDZONE)
        describe_global(address);
    else
        describe_stack(address);
}

void report_access(uint64_t address, size_t size, bool write, uint64_t forbidden)
{
    shadow_off();
    const char *what = meaning(value_at(forbidden)), *access = write ? "write" : "read";
    print("kasan: %s: %s of %zu bytes at %#lx", what, access, size, address);
    describe(forbidden);
    panic("kasan: %s: %s of %zu bytes at %#lx", what, access, size, address);
}

void report_free(uint64_t address, const char *what)
{
    shadow_off();
    print("kasan: %s: %#lx", what, address);
    describe(address);
    panic("kasan: %s: %#lx", what, address);
}
