#include "mm/frame.h"

#include "arch/phys.h"
#include "lib/check.h"
#include "lib/variable.h"
#include "lib/string.h"
#include "mm/fill.h"

SEALED struct frame *frame_records;
SEALED size_t frame_records_size;

static struct list free_lists[FRAME_MAX_ORDER + 1];
static size_t counts[FRAME_KINDS];

#define RESERVE_SHARE 128 /* one frame in so many */
#define RESERVE_MIN   32

size_t frame_floor;
void (*frame_on_shortage)(void);

size_t frame_reserve(void)
{
    size_t share = frame_total() / RESERVE_SHARE;
    return share > RESERVE_MIN ? share : RESERVE_MIN;
}

/* Single free frames, freed last or split from a block in advance. They are not in the buddy lists,
 * so that short-lived frames are not split and merged one by one. They count as FRAME_FREE. */
#define HOT_MAX   64
#define HOT_ORDER 4 /* of the block that fills the list when it is empty */
static struct frame *hot[HOT_MAX];
static unsigned nr_hot;

/* How many of them frame_free() keeps: none if it wipes frames, so that the usual case needs no extra
 * test. */
SEALED static unsigned hot_limit = HOT_MAX;

/* The debugger's scenarios (boot/bochs/frames.py) read the records from memory. */
_Static_assert(sizeof(struct frame) == 32 && offsetof(struct frame, refs) == 16 &&
                   offsetof(struct frame, kind) == 20,
               "RECORD in boot/bochs/frames.py");

static size_t frame_index(const struct frame *frame)
{
    return (size_t)(frame - frame_records);
}

static void set_kind(struct frame *first, unsigned order, enum frame_kind kind)
{
    size_t n = (size_t)1 << order;
    counts[first->kind] -= n;
    counts[kind] += n;
    for (size_t i = 0; i < n; i++)
        first[i].kind = (uint8_t)kind;
}

static void free_list_add(struct frame *frame, unsigned order)
{
    frame->order = (uint8_t)order;
    list_insert_after(&free_lists[order], &frame->link);
}

/* A block can merge with its buddy if that is a whole free block of the same order in a list. */
static struct frame *free_buddy(const struct frame *frame, unsigned order)
{
    size_t index = frame_index(frame) ^ ((size_t)1 << order);
    if (index >= frame_records_size)
        return NULL;
    struct frame *buddy = &frame_records[index];
    return buddy->kind == FRAME_FREE && buddy->order == order && buddy->refs == 0 ? buddy : NULL;
}

/* In a hot frame refs is 1, so that its buddy does not merge with it. */
static void release_block(struct frame *frame, unsigned order)
{
    frame->refs = 0;
    while (order < FRAME_MAX_ORDER) {
        struct frame *buddy = free_buddy(frame, order);
        if (!buddy)
            break;
        list_remove(&buddy->link);
        buddy->order = UINT8_MAX; /* inside a block, or the first frame of a larger one */
        frame->order = UINT8_MAX;
        if (buddy < frame)
            frame = buddy;
        order++;
    }
    free_list_add(frame, order);
}

static void drain_hot(void)
{
    while (nr_hot > 0)
        release_block(hot[--nr_hot], 0);
}

static struct frame *take_block(unsigned order)
{
    unsigned have = order;
    while (have <= FRAME_MAX_ORDER && list_empty(&free_lists[have]))
        have++;
    if (have > FRAME_MAX_ORDER)
        return NULL;
    struct frame *frame = CONTAINER_OF(free_lists[have].next, struct frame, link);
    list_remove(&frame->link);
    while (have > order) {
        have--;
        free_list_add(frame + ((size_t)1 << have), have);
    }
    return frame;
}

static __attribute__((noinline)) struct frame *run_short(void)
{
    if (frame_on_shortage)
        frame_on_shortage();
    return NULL;
}

struct frame *frame_alloc_block(enum frame_kind kind, unsigned order)
{
    CHECK(order <= FRAME_MAX_ORDER, "order %u", order);
    if (counts[FRAME_FREE] < frame_floor + ((size_t)1 << order))
        return run_short();
    struct frame *frame = take_block(order);
    if (!frame && nr_hot > 0) {
        drain_hot();
        frame = take_block(order);
    }
    if (!frame)
        return run_short();
    set_kind(frame, order, kind);
    frame->order = (uint8_t)order;
    frame->refs = 1;
    frame->in_use = 0;
    frame->payer = NULL;
    fill_fresh(frame_ptr(frame), PAGE_SIZE << order);
    return frame;
}

static void refill_hot(void)
{
    struct frame *frame = take_block(HOT_ORDER);
    for (; frame && nr_hot < 1u << HOT_ORDER; frame++) {
        frame->order = 0;
        frame->refs = 1;
        hot[nr_hot++] = frame;
    }
}

static inline struct frame *alloc_one(enum frame_kind kind)
{
    if (counts[FRAME_FREE] <= frame_floor)
        return run_short();
    if (nr_hot == 0)
        refill_hot();
    if (nr_hot == 0)
        return frame_alloc_block(kind, 0);
    struct frame *frame = hot[--nr_hot];
    frame->kind = (uint8_t)kind;
    frame->in_use = 0;
    frame->payer = NULL;
    counts[FRAME_FREE]--;
    counts[kind]++;
    fill_fresh(frame_ptr(frame), PAGE_SIZE);
    return frame;
}

struct frame *frame_alloc(enum frame_kind kind)
{
    return alloc_one(kind);
}

struct frame *frame_alloc_zeroed(enum frame_kind kind)
{
    struct frame *frame = alloc_one(kind);
    if (frame)
        page_zero(frame_ptr(frame));
    return frame;
}

void frame_wipe_freed(bool wipe)
{
    hot_limit = wipe ? 0 : HOT_MAX;
}

static __attribute__((noinline)) void wipe_and_free(struct frame *frame, unsigned order)
{
    memset(frame_ptr(frame), 0, PAGE_SIZE << order);
    set_kind(frame, order, FRAME_FREE);
    release_block(frame, order);
}

void frame_free(struct frame *frame)
{
    CHECK(frame->refs == 1 && frame->kind != FRAME_FREE, "frame %#lx, kind %u, %u references",
          frame_phys(frame).value, frame->kind, frame->refs);
    if (frame->kind == FRAME_FILE && frame->payer)
        frame->payer->pages--;
    unsigned order = frame->order;
    if (order == 0 && nr_hot < hot_limit) {
        counts[frame->kind]--;
        counts[FRAME_FREE]++;
        frame->kind = FRAME_FREE;
        hot[nr_hot++] = frame;
        return;
    }
    if (__builtin_expect(hot_limit == 0, 0)) {
        wipe_and_free(frame, order);
        return;
    }
    set_kind(frame, order, FRAME_FREE);
    release_block(frame, order);
}

static bool is_reserved(uint64_t address, const struct frame_range *reserved, size_t nr,
                        uint64_t *next)
{
    for (size_t i = 0; i < nr; i++) {
        if (address + PAGE_SIZE > reserved[i].start && address < reserved[i].end) {
            *next = page_ceil(reserved[i].end);
            return true;
        }
    }
    return false;
}

/* The lowest address of `size` bytes of RAM below `limit` without reserved bytes; 0: none. */
static uint64_t find_hole(uint64_t size, const struct frame_range *ram, size_t nr_ram,
                          const struct frame_range *reserved, size_t nr_reserved, uint64_t limit)
{
    for (size_t i = 0; i < nr_ram; i++) {
        uint64_t start = page_ceil(ram[i].start), end = page_floor(ram[i].end), at, next = 0;
        if (start == 0)
            start = PAGE_SIZE;
        if (end > limit)
            end = limit;
        for (at = start; at < end && at - start < size; at += PAGE_SIZE) {
            if (is_reserved(at, reserved, nr_reserved, &next)) {
                start = next;
                at = next - PAGE_SIZE;
            }
        }
        if (start < end && at - start >= size)
            return start;
    }
    return 0;
}

/* Gives free frames that are in no block yet to the lists, in the largest blocks that fit. */
static void give_blocks(struct frame *frame, const struct frame *end)
{
    while (frame < end) {
        unsigned order = 0;
        while (order < FRAME_MAX_ORDER && (frame_index(frame) & (size_t)1 << order) == 0 &&
               (size_t)(end - frame) >= (size_t)2 << order)
            order++;
        release_block(frame, order);
        frame += (size_t)1 << order;
    }
}

/* Ranges of the memory map may overlap: frames that have an owner already are left alone. */
static void give_free_run(uint64_t start, uint64_t end)
{
    struct frame *frame = frame_of(phys(start)), *stop = frame_of(phys(end));
    if (frame == frame_records)
        frame++;
    while (frame < stop) {
        struct frame *first = frame;
        for (; frame < stop && frame->kind == FRAME_RESERVED; frame++) {
            frame->kind = FRAME_FREE;
            frame->order = UINT8_MAX;
        }
        counts[FRAME_RESERVED] -= (size_t)(frame - first);
        counts[FRAME_FREE] += (size_t)(frame - first);
        give_blocks(first, frame);
        if (frame == first)
            frame++;
    }
}

/* The first page at or after `at` with reserved bytes; `end` if there is none. */
static uint64_t next_reserved(uint64_t at, uint64_t end, const struct frame_range *reserved,
                              size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        uint64_t start = page_floor(reserved[i].start);
        if (reserved[i].end > at && start < end)
            end = start > at ? start : at;
    }
    return end;
}

static void give_range(struct frame_range range, const struct frame_range *reserved,
                       size_t nr_reserved)
{
    uint64_t end = page_floor(range.end), next = 0;
    for (uint64_t at = page_ceil(range.start); at < end; at = next) {
        if (is_reserved(at, reserved, nr_reserved, &next))
            continue;
        next = next_reserved(at, end, reserved, nr_reserved);
        give_free_run(at, next);
    }
}

bool frame_init(const struct frame_range *ram, size_t nr_ram, const struct frame_range *reserved,
                size_t nr_reserved, uint64_t mapped_end)
{
    uint64_t top = 0;
    for (size_t i = 0; i < nr_ram; i++)
        if (ram[i].end > top)
            top = ram[i].end;
    uint64_t size = page_ceil((top >> PAGE_SHIFT) * sizeof(struct frame));
    uint64_t place = find_hole(size, ram, nr_ram, reserved, nr_reserved, mapped_end);
    if (place == 0)
        return false;

    frame_records = phys_ptr(phys(place));
    frame_records_size = (size_t)(top >> PAGE_SHIFT);
    memset(frame_records, 0, size);
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++)
        list_init(&free_lists[order]);
    nr_hot = 0;
    memset(counts, 0, sizeof(counts));
    counts[FRAME_RESERVED] = frame_records_size;

    struct frame_range own = {place, place + size};
    frame_adopt(own, FRAME_KERNEL);
    for (size_t i = 0; i < nr_ram; i++)
        give_range(ram[i], reserved, nr_reserved);
    return true;
}

void frame_adopt(struct frame_range range, enum frame_kind kind)
{
    for (uint64_t at = page_floor(range.start); at < range.end; at += PAGE_SIZE) {
        struct frame *frame = frame_of(phys(at));
        if (!frame_exists(phys(at)) || frame->kind != FRAME_RESERVED || at == 0)
            continue;
        set_kind(frame, 0, kind);
        frame->order = 0;
        frame->refs = 1;
    }
}

size_t frame_count(enum frame_kind kind)
{
    return counts[kind];
}

size_t frame_total(void)
{
    return frame_records_size - counts[FRAME_RESERVED];
}

const char *frame_kind_name(enum frame_kind kind)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_RESERVED] = "reserved", [FRAME_FREE] = "free",   [FRAME_KERNEL] = "kernel",
        [FRAME_BOOT] = "boot",         [FRAME_TABLE] = "table", [FRAME_SLAB] = "slab",
        [FRAME_STACK] = "stack",       [FRAME_ANON] = "anon",   [FRAME_FILE] = "file",
    };
    return names[kind];
}

void frame_check(void)
{
    size_t found[FRAME_KINDS] = {0}, listed = nr_hot;
    for (size_t i = 0; i < frame_records_size; i++)
        found[frame_records[i].kind]++;
    for (unsigned kind = 0; kind < FRAME_KINDS; kind++)
        CHECK(found[kind] == counts[kind], "%s: %zu records, %zu counted",
              frame_kind_name((enum frame_kind)kind), found[kind], counts[kind]);
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        LIST_FOR_EACH (frame, &free_lists[order], struct frame, link) {
            CHECK(frame->kind == FRAME_FREE && frame->order == order, "frame %#lx in list %u",
                  frame_phys(frame).value, order);
            listed += (size_t)1 << order;
        }
    }
    CHECK(listed == counts[FRAME_FREE], "%zu frames listed, %zu counted", listed,
          counts[FRAME_FREE]);
}
