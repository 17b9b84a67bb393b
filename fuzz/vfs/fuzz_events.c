/*
 * Watches of three queues on four objects, and what the queues hold, against a model that was
 * written from inotify(7).
 *
 * Input: operations of four bytes each: watch, unwatch, tell, rename, end of an object, read, end
 * of a queue, and the queues whose allocations fail during it.
 * Proves: results, numbers of watches, events with names and cookies, what is merged and what is
 * lost, who is woken, and which objects are watched are those of the model.
 * Does not prove: that Linux tells the same (a test of libvfs compares), nor which events an
 * operation on a tree makes.
 * Oracles: the model; nothing is left when all queues have ended.
 * Rate: 30,000/s
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/errno.h>
#include <umvfs/event.h>

#include "check.h"

enum { QUEUES = 3, OBJECTS = 4, EVENTS = 8, WATCHES = 9, NAME = 255 };

static char objects[OBJECTS];
static struct umvfs_events events;

struct known {
    int32_t wd;
    uint32_t mask;
    uint32_t cookie;
    uint32_t len;
    const char *name;
};

static struct model {
    struct umvfs_event_queue queue;
    struct known event[EVENTS + 1]; /* the last one may tell that events were lost */
    uint32_t count;
    uint32_t max;
    bool overflown;
    int32_t last_wd;
    int32_t wd[OBJECTS]; /* 0: not watched */
    uint32_t mask[OBJECTS];
    uint32_t wakes;
    bool fails; /* every allocation */
} models[QUEUES];

static uint64_t allocated, bytes_allocated, begun;
static uint32_t cookies;
static bool marked[OBJECTS];

static struct model *model_of(struct umvfs_event_queue *queue)
{
    for (unsigned i = 0; i < QUEUES; i++)
        if (queue == &models[i].queue)
            return &models[i];
    CHECK(!"a queue");
    return NULL;
}

static void *event_alloc(void *ctx, struct umvfs_event_queue *queue, size_t size)
{
    (void)ctx;
    if (model_of(queue)->fails)
        return NULL;
    allocated++;
    bytes_allocated += size;
    return malloc(size);
}

static void event_free(void *ctx, struct umvfs_event_queue *queue, void *object, size_t size)
{
    (void)ctx;
    model_of(queue);
    memset(object, 0xa5, size);
    allocated--;
    bytes_allocated -= size;
    free(object);
}

static void event_wake(void *ctx, struct umvfs_event_queue *queue)
{
    (void)ctx;
    CHECK(umvfs_event_size(queue) > 0);
    model_of(queue)->wakes++;
}

static bool watch_begins(void *ctx, struct umvfs_event_queue *queue)
{
    (void)ctx;
    model_of(queue);
    if (begun == WATCHES)
        return false;
    begun++;
    return true;
}

static void watch_ends(void *ctx, struct umvfs_event_queue *queue)
{
    (void)ctx;
    model_of(queue);
    CHECK(begun > 0);
    begun--;
}

static void watched(void *ctx, const void *object, bool is_watched)
{
    size_t at = (size_t)((const char *)object - objects);
    (void)ctx;
    CHECK(at < OBJECTS && marked[at] != is_watched);
    marked[at] = is_watched;
}

/* The model ------------------------------------------------------------------------------- */

static unsigned woken; /* the wakes of one operation that the model expects, a byte a queue */

static void append(struct model *m, const struct known *event)
{
    CHECK(m->count <= m->max);
    m->event[m->count++] = *event;
    woken += 1u << 8 * (m - models);
}

/* "If successive output inotify events produced on the inotify file descriptor are identical (same
 * wd, mask, cookie, and name), then they are coalesced into a single event". Linux does not compare
 * cookies. */
static bool is_repeated(const struct model *m, const struct known *event)
{
    const struct known *last = m->count ? &m->event[m->count - 1] : NULL;
    return last && last->mask != UMVFS_IN_IGNORED && last->wd == event->wd &&
           last->mask == event->mask && last->len == event->len &&
           (!event->len || memcmp(last->name, event->name, event->len) == 0);
}

static void put(struct model *m, const struct known *event)
{
    static const struct known lost = {.wd = -1, .mask = UMVFS_IN_Q_OVERFLOW};
    bool is_full = m->count >= m->max;
    if (!is_full && is_repeated(m, event))
        return;
    if (!is_full && !m->fails) {
        append(m, event);
    } else if (!m->overflown) {
        append(m, &lost);
        m->overflown = true;
    }
}

static void end_watch(struct model *m, unsigned object)
{
    const struct known ignored = {.wd = m->wd[object], .mask = UMVFS_IN_IGNORED};
    put(m, &ignored);
    m->wd[object] = 0;
}

static void tell_model(struct model *m, const struct umvfs_event *event)
{
    unsigned object = (unsigned)((const char *)event->object - objects);
    uint32_t mask = m->mask[object];
    struct known known = {.wd = m->wd[object],
                          .mask = event->mask,
                          .cookie = event->cookie,
                          .len = (uint32_t)event->len,
                          .name = event->name};
    if (!m->wd[object] || (mask & UMVFS_IN_EXCL_UNLINK && event->is_unlinked))
        return;
    if (!(event->mask & mask & UMVFS_IN_ALL_EVENTS) && !(event->mask & UMVFS_IN_UNMOUNT))
        return;
    if (event->mask & (UMVFS_IN_DELETE_SELF | UMVFS_IN_MOVE_SELF))
        known.mask &= ~UMVFS_IN_ISDIR;
    put(m, &known);
    if (mask & UMVFS_IN_ONESHOT)
        end_watch(m, object);
}

static bool number_is_used(const struct model *m, int32_t wd)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        if (m->wd[i] == wd)
            return true;
    return false;
}

static unsigned count_watches(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < QUEUES * OBJECTS; i++)
        count += models[i / OBJECTS].wd[i % OBJECTS] != 0;
    return count;
}

static int watch_model(struct model *m, unsigned object, uint32_t mask)
{
    const uint32_t known = 0x0000efff | UMVFS_IN_ONLYDIR | UMVFS_IN_DONT_FOLLOW |
                           UMVFS_IN_EXCL_UNLINK | UMVFS_IN_MASK_CREATE | UMVFS_IN_MASK_ADD |
                           UMVFS_IN_ISDIR | UMVFS_IN_ONESHOT;
    bool adds = mask & UMVFS_IN_MASK_ADD, creates = mask & UMVFS_IN_MASK_CREATE;
    uint32_t kept = mask & (UMVFS_IN_ALL_EVENTS | UMVFS_IN_EXCL_UNLINK | UMVFS_IN_ONESHOT);
    if (mask == 0 || mask & ~known || (adds && creates))
        return -UMVFS_EINVAL;
    if (m->wd[object]) {
        if (creates)
            return -UMVFS_EEXIST;
        m->mask[object] = kept | (adds ? m->mask[object] : 0);
        return m->wd[object];
    }
    if (m->fails)
        return -UMVFS_ENOMEM;
    if (count_watches() == WATCHES)
        return -UMVFS_ENOSPC;
    do
        m->last_wd = m->last_wd == INT32_MAX ? 1 : m->last_wd + 1;
    while (number_is_used(m, m->last_wd));
    m->mask[object] = kept;
    m->wd[object] = m->last_wd;
    return m->last_wd;
}

/* Operations ------------------------------------------------------------------------------ */

static void begin_queue(struct model *m, uint32_t max)
{
    *m = (struct model){.max = max};
    umvfs_event_queue_init(&m->queue, max);
}

/* As if 2^31 watches had come and gone: the numbers begin again. */
static void use_up_numbers(struct model *m, int32_t left)
{
    m->last_wd = INT32_MAX - left;
    m->queue.last_wd = m->last_wd;
}

static void end_queue(struct model *m)
{
    umvfs_event_queue_end(&events, &m->queue);
    memset(m->wd, 0, sizeof(m->wd));
    m->count = 0;
}

static void watch(struct model *m, unsigned object, unsigned bits)
{
    static const uint32_t flags[16] = {0,
                                       UMVFS_IN_MASK_ADD,
                                       UMVFS_IN_MASK_CREATE,
                                       UMVFS_IN_ONESHOT,
                                       UMVFS_IN_EXCL_UNLINK,
                                       UMVFS_IN_MASK_ADD | UMVFS_IN_ONESHOT,
                                       UMVFS_IN_MASK_ADD | UMVFS_IN_MASK_CREATE,
                                       0x1000,
                                       UMVFS_IN_ISDIR | UMVFS_IN_ONLYDIR,
                                       UMVFS_IN_DONT_FOLLOW,
                                       UMVFS_IN_IGNORED | UMVFS_IN_Q_OVERFLOW,
                                       0x08000000,
                                       UMVFS_IN_UNMOUNT,
                                       UMVFS_IN_MASK_CREATE | UMVFS_IN_ONESHOT,
                                       UMVFS_IN_EXCL_UNLINK | UMVFS_IN_ONESHOT,
                                       0};
    uint32_t mask = (bits & UMVFS_IN_ALL_EVENTS) | flags[bits >> 12 & 15];
    int expected = watch_model(m, object, mask);
    CHECK(umvfs_event_watch(&events, &m->queue, &objects[object], mask) == expected);
}

static void unwatch(struct model *m, unsigned object, int32_t other)
{
    int32_t wd = m->wd[object] ? m->wd[object] : other;
    int expected = -UMVFS_EINVAL;
    for (unsigned i = 0; i < OBJECTS && expected; i++) {
        if (wd && m->wd[i] == wd) {
            end_watch(m, i);
            expected = 0;
        }
    }
    CHECK(umvfs_event_unwatch(&events, &m->queue, wd) == expected);
}

static void tell(unsigned object, uint32_t mask, unsigned name, uint32_t cookie)
{
    static const uint8_t lengths[] = {0, 1, 15, 16, 17, NAME};
    static char texts[2][NAME];
    char *text = texts[name & 1];
    struct umvfs_event event = {.object = &objects[object], .mask = mask, .cookie = cookie};
    memset(text, name & 1 ? 'x' : 'y', NAME);
    event.len = lengths[(name >> 1) % sizeof(lengths)];
    event.name = event.len ? text + NAME - event.len : NULL; /* ends where its memory ends */
    event.is_unlinked = name & 0x80;
    for (unsigned i = 0; i < QUEUES; i++)
        tell_model(&models[i], &event);
    umvfs_event_tell(&events, &event);
}

/* The directory that the name leaves, the one that gets it, and what is renamed. */
static void rename_one(unsigned from, unsigned to, unsigned object, unsigned name)
{
    uint32_t is_dir = name & 0x40 ? UMVFS_IN_ISDIR : 0;
    cookies++;
    tell(from, UMVFS_IN_MOVED_FROM | is_dir, name, cookies);
    tell(to, UMVFS_IN_MOVED_TO | is_dir, name >> 2, cookies);
    tell(object, UMVFS_IN_MOVE_SELF | is_dir, 0, 0);
}

static void gone(unsigned object, unsigned how)
{
    uint32_t mask =
        how & 1 ? UMVFS_IN_UNMOUNT : UMVFS_IN_DELETE_SELF | (how & 2 ? UMVFS_IN_ISDIR : 0);
    const struct umvfs_event event = {.object = &objects[object], .mask = mask};
    for (unsigned i = 0; i < QUEUES; i++) {
        tell_model(&models[i], &event);
        if (models[i].wd[object])
            end_watch(&models[i], object);
    }
    umvfs_event_gone(&events, &objects[object], mask);
}

/* A name has at least one NUL, and ends at a multiple of 16. */
static uint32_t padded(uint32_t len)
{
    return len == 0 ? 0 : len + 16u - len % 16u;
}

static void read_one(struct model *m)
{
    static char memory[sizeof(struct umvfs_event_record) + NAME + 1];
    const struct known *first = &m->event[0];
    size_t size = sizeof(struct umvfs_event_record) + padded(first->len);
    char *buf = memory + sizeof(memory) - size; /* ends where its memory ends */
    struct umvfs_event_record record;
    if (m->count == 0)
        return;
    CHECK(umvfs_event_take(&events, &m->queue, buf) == size);
    memcpy(&record, buf, sizeof(record));
    CHECK(record.wd == first->wd && record.mask == first->mask);
    CHECK(record.cookie == first->cookie && record.size == padded(first->len));
    CHECK(!first->len || memcmp(buf + sizeof(record), first->name, first->len) == 0);
    for (size_t i = sizeof(record) + first->len; i < size; i++)
        CHECK(buf[i] == 0);
    if (first->mask == UMVFS_IN_Q_OVERFLOW)
        m->overflown = false;
    m->count--;
    memmove(&m->event[0], &m->event[1], m->count * sizeof(m->event[0]));
}

static void check_queue(struct model *m)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < m->count; i++)
        bytes += sizeof(struct umvfs_event_record) + padded(m->event[i].len);
    CHECK(m->queue.count == m->count && m->queue.bytes == bytes);
    CHECK(umvfs_event_size(&m->queue) ==
          (m->count ? sizeof(struct umvfs_event_record) + padded(m->event[0].len) : 0));
    CHECK(m->wakes == (woken >> 8 * (m - models) & 0xff));
    m->wakes = 0;
}

static void check(void)
{
    uint64_t expected = count_watches();
    CHECK(begun == expected);
    for (unsigned i = 0; i < QUEUES; i++) {
        check_queue(&models[i]);
        expected += models[i].count - models[i].overflown;
    }
    CHECK(allocated == expected);
    for (unsigned i = 0; i < OBJECTS; i++)
        CHECK(marked[i] == (models[0].wd[i] || models[1].wd[i] || models[2].wd[i]));
    woken = 0;
}

/* Operation and failing queues, queue and objects, and two bytes that are its own. */
static void step(const uint8_t *op)
{
    struct model *m = &models[(op[1] & 3u) % QUEUES];
    unsigned object = op[1] >> 2 & 3u, other = op[1] >> 4 & 3u, third = op[1] >> 6;
    unsigned bits = op[2] | (unsigned)op[3] << 8;
    for (unsigned i = 0; i < QUEUES; i++)
        models[i].fails = (op[0] >> 4) == 8 + i;
    switch (op[0] & 15u) {
    case 0:
    case 1:
    case 2:
        watch(m, object, bits);
        break;
    case 3:
        unwatch(m, object, op[2]);
        break;
    case 4:
        rename_one(object, other, third, op[2]);
        break;
    case 5:
        gone(object, op[2]);
        break;
    case 6:
        end_queue(m);
        begin_queue(m, op[2] % (EVENTS + 1));
        break;
    case 7:
        use_up_numbers(m, op[2] & 1);
        break;
    case 8:
    case 9:
        read_one(m);
        break;
    default:
        tell(object, 1u << op[2] % 12 | (op[2] & 0x80 ? UMVFS_IN_ISDIR : 0), op[3], 0);
    }
    check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct umvfs_event_config config = {.alloc = event_alloc,
                                                     .free = event_free,
                                                     .wake = event_wake,
                                                     .watch_begins = watch_begins,
                                                     .watch_ends = watch_ends,
                                                     .watched = watched};
    cookies = 0;
    woken = 0;
    umvfs_events_init(&events, &config);
    for (unsigned i = 0; i < QUEUES; i++)
        begin_queue(&models[i], EVENTS / (i + 1));
    for (; size >= 4; data += 4, size -= 4)
        step(data);
    for (unsigned i = 0; i < QUEUES; i++) {
        while (i && models[i].count)
            read_one(&models[i]);
        end_queue(&models[i]);
    }
    CHECK(allocated == 0 && bytes_allocated == 0 && begun == 0 && count_watches() == 0);
    for (unsigned i = 0; i < OBJECTS; i++)
        CHECK(!marked[i]);
    return 0;
}
