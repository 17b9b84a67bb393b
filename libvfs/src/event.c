/* The rules of inotify(7) of Linux (fs/notify): who is told, what is merged, what is lost. */
#include <umvfs/event.h>

#include <umvfs/errno.h>

#include "memory.h"

#define MASK_FLAGS                                                                                 \
    (UMVFS_IN_ONLYDIR | UMVFS_IN_DONT_FOLLOW | UMVFS_IN_EXCL_UNLINK | UMVFS_IN_MASK_CREATE |       \
     UMVFS_IN_MASK_ADD | UMVFS_IN_ISDIR | UMVFS_IN_ONESHOT)
#define MASK_TOLD  (UMVFS_IN_UNMOUNT | UMVFS_IN_Q_OVERFLOW | UMVFS_IN_IGNORED)
#define MASK_VALID (UMVFS_IN_ALL_EVENTS | MASK_TOLD | MASK_FLAGS)
#define MASK_KEPT  (UMVFS_IN_ALL_EVENTS | UMVFS_IN_EXCL_UNLINK | UMVFS_IN_ONESHOT)

struct umvfs_watch {
    struct umvfs_watch *object_next; /* in its bucket of by_object */
    struct umvfs_watch *number_next; /* in its bucket of by_number */
    struct umvfs_watch *prev;        /* of the queue */
    struct umvfs_watch *next;
    struct umvfs_event_queue *queue;
    const void *object;
    uint32_t mask;
    int32_t wd;
};

void umvfs_events_init(struct umvfs_events *events, const struct umvfs_event_config *config)
{
    *events = (struct umvfs_events){.config = *config};
}

void umvfs_event_queue_init(struct umvfs_event_queue *queue, uint32_t max)
{
    *queue =
        (struct umvfs_event_queue){.max = max, .overflow = {.wd = -1, .mask = UMVFS_IN_Q_OVERFLOW}};
}

static struct umvfs_watch **bucket(struct umvfs_watch **table, const void *key, int32_t wd)
{
    uint64_t hash = ((uint64_t)(uintptr_t)key + (uint32_t)wd) * UINT64_C(0x9e3779b97f4a7c15);
    return &table[hash >> 32 & (UMVFS_EVENT_BUCKETS - 1u)];
}

static struct umvfs_watch **bucket_of_object(struct umvfs_events *events, const void *object)
{
    return bucket(events->by_object, object, 0);
}

/* The first watch on an object from this one of its bucket on. */
static struct umvfs_watch *watch_on(struct umvfs_watch *watch, const void *object)
{
    while (watch && watch->object != object)
        watch = watch->object_next;
    return watch;
}

static struct umvfs_watch *find_own(struct umvfs_events *events,
                                    const struct umvfs_event_queue *queue, const void *object)
{
    struct umvfs_watch *watch = watch_on(*bucket_of_object(events, object), object);
    while (watch && watch->queue != queue)
        watch = watch_on(watch->object_next, object);
    return watch;
}

static struct umvfs_watch *find_number(struct umvfs_events *events,
                                       const struct umvfs_event_queue *queue, int32_t wd)
{
    struct umvfs_watch *watch = *bucket(events->by_number, queue, wd);
    while (watch && (watch->queue != queue || watch->wd != wd))
        watch = watch->number_next;
    return watch;
}

/* Queues ---------------------------------------------------------------------------------- */

static char *name_of(struct umvfs_event_node *node)
{
    return (char *)(node + 1);
}

static uint32_t padded(uint32_t len)
{
    return len ? (len + UMVFS_EVENT_ALIGN) / UMVFS_EVENT_ALIGN * UMVFS_EVENT_ALIGN : 0;
}

static size_t size_of(const struct umvfs_event_node *node)
{
    return sizeof(struct umvfs_event_record) + padded(node->len);
}

static void append(struct umvfs_events *events, struct umvfs_event_queue *queue,
                   struct umvfs_event_node *node)
{
    node->next = NULL;
    if (queue->last)
        queue->last->next = node;
    else
        queue->first = node;
    queue->last = node;
    queue->count++;
    queue->bytes += size_of(node);
    events->config.wake(events->config.ctx, queue);
}

static void lose(struct umvfs_events *events, struct umvfs_event_queue *queue)
{
    if (queue->overflown)
        return;
    queue->overflown = true;
    append(events, queue, &queue->overflow);
}

static bool is_same(struct umvfs_event_node *node, int32_t wd, const struct umvfs_event *event)
{
    return node && !(node->mask & UMVFS_IN_IGNORED) && node->mask == event->mask &&
           node->wd == wd && node->len == event->len &&
           (!event->len || memcmp(name_of(node), event->name, event->len) == 0);
}

static void put(struct umvfs_events *events, struct umvfs_event_queue *queue, int32_t wd,
                const struct umvfs_event *event)
{
    struct umvfs_event_node *node = NULL;
    if (queue->count < queue->max) {
        if (is_same(queue->last, wd, event))
            return;
        node = events->config.alloc(events->config.ctx, queue, sizeof(*node) + event->len);
    }
    if (!node) {
        lose(events, queue);
        return;
    }
    *node = (struct umvfs_event_node){
        .cookie = event->cookie, .mask = event->mask, .wd = wd, .len = (uint32_t)event->len};
    if (event->len)
        memcpy(name_of(node), event->name, event->len);
    append(events, queue, node);
}

static struct umvfs_event_node *pop(struct umvfs_event_queue *queue)
{
    struct umvfs_event_node *node = queue->first;
    queue->first = node->next;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    queue->bytes -= size_of(node);
    if (node == &queue->overflow)
        queue->overflown = false;
    return node;
}

static void discard(struct umvfs_events *events, struct umvfs_event_queue *queue,
                    struct umvfs_event_node *node)
{
    if (node != &queue->overflow)
        events->config.free(events->config.ctx, queue, node, sizeof(*node) + node->len);
}

size_t umvfs_event_size(const struct umvfs_event_queue *queue)
{
    return queue->first ? size_of(queue->first) : 0;
}

size_t umvfs_event_take(struct umvfs_events *events, struct umvfs_event_queue *queue, void *buf)
{
    struct umvfs_event_node *node = pop(queue);
    size_t size = size_of(node);
    struct umvfs_event_record record = {
        .wd = node->wd, .mask = node->mask, .cookie = node->cookie, .size = padded(node->len)};
    char *name = (char *)buf + sizeof(record);
    memcpy(buf, &record, sizeof(record));
    if (node->len) {
        memcpy(name, name_of(node), node->len);
        memset(name + node->len, 0, record.size - node->len);
    }
    discard(events, queue, node);
    return size;
}

/* Watches --------------------------------------------------------------------------------- */

static void link_watch(struct umvfs_events *events, struct umvfs_watch *watch)
{
    struct umvfs_watch **by_object = bucket_of_object(events, watch->object);
    struct umvfs_watch **by_number = bucket(events->by_number, watch->queue, watch->wd);
    watch->object_next = *by_object;
    *by_object = watch;
    watch->number_next = *by_number;
    *by_number = watch;
    watch->next = watch->queue->watches;
    if (watch->next)
        watch->next->prev = watch;
    watch->queue->watches = watch;
}

static void unlink_watch(struct umvfs_events *events, const struct umvfs_watch *watch)
{
    struct umvfs_watch **at = bucket_of_object(events, watch->object);
    while (*at != watch)
        at = &(*at)->object_next;
    *at = watch->object_next;
    at = bucket(events->by_number, watch->queue, watch->wd);
    while (*at != watch)
        at = &(*at)->number_next;
    *at = watch->number_next;
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        watch->queue->watches = watch->next;
    if (watch->next)
        watch->next->prev = watch->prev;
}

static void tell_watched(struct umvfs_events *events, const void *object, bool is_watched)
{
    if (events->config.watched && !watch_on(*bucket_of_object(events, object), object))
        events->config.watched(events->config.ctx, object, is_watched);
}

static void free_watch(struct umvfs_events *events, struct umvfs_watch *watch)
{
    const struct umvfs_event_config *config = &events->config;
    struct umvfs_event_queue *queue = watch->queue;
    const void *object = watch->object;
    unlink_watch(events, watch);
    config->free(config->ctx, queue, watch, sizeof(*watch));
    if (config->watch_ends)
        config->watch_ends(config->ctx, queue);
    tell_watched(events, object, false);
}

static void remove_watch(struct umvfs_events *events, struct umvfs_watch *watch)
{
    const struct umvfs_event ignored = {.object = watch->object, .mask = UMVFS_IN_IGNORED};
    put(events, watch->queue, watch->wd, &ignored);
    free_watch(events, watch);
}

/* The next number that is free, after the last one that was given. */
static int32_t next_number(struct umvfs_events *events, struct umvfs_event_queue *queue)
{
    do
        queue->last_wd = queue->last_wd == INT32_MAX ? 1 : queue->last_wd + 1;
    while (find_number(events, queue, queue->last_wd));
    return queue->last_wd;
}

static int new_watch(struct umvfs_events *events, struct umvfs_event_queue *queue,
                     const void *object, uint32_t mask)
{
    const struct umvfs_event_config *config = &events->config;
    struct umvfs_watch *watch = config->alloc(config->ctx, queue, sizeof(*watch));
    if (!watch)
        return -UMVFS_ENOMEM;
    if (config->watch_begins && !config->watch_begins(config->ctx, queue)) {
        config->free(config->ctx, queue, watch, sizeof(*watch));
        return -UMVFS_ENOSPC;
    }
    *watch = (struct umvfs_watch){.queue = queue,
                                  .object = object,
                                  .mask = mask & MASK_KEPT,
                                  .wd = next_number(events, queue)};
    tell_watched(events, object, true);
    link_watch(events, watch);
    return watch->wd;
}

int umvfs_event_watch(struct umvfs_events *events, struct umvfs_event_queue *queue,
                      const void *object, uint32_t mask)
{
    if (!mask || mask & ~MASK_VALID || (mask & UMVFS_IN_MASK_ADD && mask & UMVFS_IN_MASK_CREATE))
        return -UMVFS_EINVAL;
    struct umvfs_watch *watch = find_own(events, queue, object);
    if (!watch)
        return new_watch(events, queue, object, mask);
    if (mask & UMVFS_IN_MASK_CREATE)
        return -UMVFS_EEXIST;
    if (!(mask & UMVFS_IN_MASK_ADD))
        watch->mask = 0;
    watch->mask |= mask & MASK_KEPT;
    return watch->wd;
}

int umvfs_event_unwatch(struct umvfs_events *events, struct umvfs_event_queue *queue, int32_t wd)
{
    struct umvfs_watch *watch = find_number(events, queue, wd);
    if (!watch)
        return -UMVFS_EINVAL;
    remove_watch(events, watch);
    return 0;
}

void umvfs_event_queue_end(struct umvfs_events *events, struct umvfs_event_queue *queue)
{
    while (queue->watches)
        free_watch(events, queue->watches);
    while (queue->first)
        discard(events, queue, pop(queue));
}

/* Tells one watch, and removes it if it was for one event. */
static void tell(struct umvfs_events *events, struct umvfs_watch *watch,
                 const struct umvfs_event *event)
{
    /* With a watch on everything, an event that is about the object itself has no UMVFS_IN_ISDIR. */
    const uint32_t self = UMVFS_IN_MOVE_SELF | UMVFS_IN_DELETE_SELF;
    uint32_t wanted = (watch->mask & UMVFS_IN_ALL_EVENTS) | UMVFS_IN_UNMOUNT;
    struct umvfs_event told = *event;
    if (!(event->mask & wanted) || (event->is_unlinked && watch->mask & UMVFS_IN_EXCL_UNLINK))
        return;
    if (told.mask & self)
        told.mask &= ~UMVFS_IN_ISDIR;
    put(events, watch->queue, watch->wd, &told);
    if (watch->mask & UMVFS_IN_ONESHOT)
        remove_watch(events, watch);
}

void umvfs_event_tell(struct umvfs_events *events, const struct umvfs_event *event)
{
    struct umvfs_watch *watch = watch_on(*bucket_of_object(events, event->object), event->object);
    while (watch) {
        struct umvfs_watch *next = watch_on(watch->object_next, event->object);
        tell(events, watch, event);
        watch = next;
    }
}

void umvfs_event_gone(struct umvfs_events *events, const void *object, uint32_t mask)
{
    const struct umvfs_event event = {.object = object, .mask = mask};
    struct umvfs_watch *watch;
    umvfs_event_tell(events, &event);
    while ((watch = watch_on(*bucket_of_object(events, object), object)))
        remove_watch(events, watch);
}
