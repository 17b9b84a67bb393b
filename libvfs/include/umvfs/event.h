/* Events of files, as inotify(7) reports them: watches on objects, and bounded queues of events. This
 * part needs nothing of the others: objects are pointers that are compared and never followed. It
 * holds the state and says whom to wake; the caller brings descriptors and sleeping. With
 * umvfs_config.event the caller learns what happens to the objects of a tree.
 *
 * An object without watches costs nothing. Among n watches an operation looks at some
 * n / UMVFS_EVENT_BUCKETS of others, and at those of its object: the caller limits both
 * (watch_begins). Serialised by the caller. */
#ifndef UMVFS_EVENT_H
#define UMVFS_EVENT_H

#include <umvfs/types.h>

UMVFS_BEGIN_DECLS

#define UMVFS_EVENT_BUCKETS 1024u /* of each of the two tables of watches */

/* The names of a directory's entries are padded with NULs to a multiple of this. */
#define UMVFS_EVENT_ALIGN 16u

/* The layout of Linux's struct inotify_event. `size` bytes of the name and its padding follow. */
struct umvfs_event_record {
    int32_t wd;
    uint32_t mask;
    uint32_t cookie;
    uint32_t size; /* 0: no name */
};

struct umvfs_watch;

struct umvfs_event_node {
    struct umvfs_event_node *next;
    uint32_t cookie;
    uint32_t mask;
    int32_t wd;
    uint32_t len; /* of the name, which follows; 0: none */
};

/* A queue and its watches, in storage of the caller. Private, except that `count` (of events) and
 * `bytes` (that they take when they are read) may be read. */
struct umvfs_event_queue {
    struct umvfs_event_node *first;
    struct umvfs_event_node *last;
    struct umvfs_watch *watches;
    uint64_t bytes;
    uint32_t count;
    uint32_t max;
    int32_t last_wd;
    bool overflown;                   /* `overflow` is in the queue */
    struct umvfs_event_node overflow; /* says that events were lost */
};

struct umvfs_event_config {
    /* Memory for a queue's event or watch, which is not needed after the queue's end. alloc may return
     * NULL. */
    void *(*alloc)(void *ctx, struct umvfs_event_queue *queue, size_t size);
    void (*free)(void *ctx, struct umvfs_event_queue *queue, void *object, size_t size);

    /* A queue that was read empty or not yet full has one event more. */
    void (*wake)(void *ctx, struct umvfs_event_queue *queue);

    /* A watch begins (false: it may not) and ends. NULL: nobody counts them. */
    bool (*watch_begins)(void *ctx, struct umvfs_event_queue *queue);
    void (*watch_ends)(void *ctx, struct umvfs_event_queue *queue);

    /* An object has its first watch, or the last one has gone. NULL: nobody is told. */
    void (*watched)(void *ctx, const void *object, bool is_watched);
    void *ctx;
};

/* An instance, in storage of the caller. Private. No callback may call this part, except that `wake`
 * may read a queue's counts. */
struct umvfs_events {
    struct umvfs_event_config config;
    struct umvfs_watch *by_object[UMVFS_EVENT_BUCKETS];
    struct umvfs_watch *by_number[UMVFS_EVENT_BUCKETS];
};

/* Begins without watches; alloc, free and wake are needed. */
void umvfs_events_init(struct umvfs_events *events, const struct umvfs_event_config *config);

/* Begins an empty queue that holds up to `max` events and one that tells of lost ones. */
void umvfs_event_queue_init(struct umvfs_event_queue *queue, uint32_t max);

/* Ends a queue: frees its events and watches. */
void umvfs_event_queue_end(struct umvfs_events *events, struct umvfs_event_queue *queue);

/* Watches an object, or changes the queue's watch on it: inotify_add_watch(2) after the path was
 * resolved. mask: UMVFS_IN_*. Returns the number of the watch, which is above 0. -UMVFS_EINVAL,
 * -UMVFS_EEXIST (UMVFS_IN_MASK_CREATE), -UMVFS_ENOSPC (watch_begins), -UMVFS_ENOMEM. */
int umvfs_event_watch(struct umvfs_events *events, struct umvfs_event_queue *queue,
                      const void *object, uint32_t mask);

/* Removes a watch, of which UMVFS_IN_IGNORED is the last event. -UMVFS_EINVAL: there is none. */
int umvfs_event_unwatch(struct umvfs_events *events, struct umvfs_event_queue *queue, int32_t wd);

/* Puts an event into the queues of all watches on its object whose mask has one of its bits. If
 * that is equal to the last event of the queue, or the queue is full, it is dropped; the latter, and
 * failed allocations, are told by one UMVFS_IN_Q_OVERFLOW. */
void umvfs_event_tell(struct umvfs_events *events, const struct umvfs_event *event);

/* The object is about to end: tells mask, which is UMVFS_IN_DELETE_SELF or UMVFS_IN_UNMOUNT, and
 * removes its watches. */
void umvfs_event_gone(struct umvfs_events *events, const void *object, uint32_t mask);

/* The bytes that the first event takes: a struct umvfs_event_record and its name. 0: no event. */
size_t umvfs_event_size(const struct umvfs_event_queue *queue);

/* Moves the first event into a buffer of umvfs_event_size() bytes, and returns these. */
size_t umvfs_event_take(struct umvfs_events *events, struct umvfs_event_queue *queue, void *buf);

UMVFS_END_DECLS

#endif
