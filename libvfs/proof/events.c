/* Eva: watches and queues of events under an arbitrary loop of operations: watch, unwatch, tell,
 * end of an object, read, on QUEUES queues of one event each and OBJECTS objects, where any
 * allocation may fail. Eva keeps every state apart and ends when the loop finds no new one, so that
 * the number of operations is not bounded. Nothing is used after it was freed, a queue has no more
 * than its event and the word of lost ones, and after the end of all queues nothing is left.
 * Numbers of watches start again from the lowest that is free; both tables have one bucket. OVER is
 * a name that is said to be longer than its memory, to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include <umvfs/event.h>

/* Eva does not know the value of a pointer: `hash >> 32 & (UMVFS_EVENT_BUCKETS - 1u)` becomes 0. */
#undef UMVFS_EVENT_BUCKETS
#define UMVFS_EVENT_BUCKETS 0u), (1u
#include "../src/event.c"

#define BLOCKS  (QUEUES * (OBJECTS + 1))
#define NOWHERE 1u
#define WORDS   7 /* of a watch; an event with a name of one byte is smaller */

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

static const struct block {
    uint64_t word[WORDS];
} nowhere = {{NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE}};
static struct block pool[BLOCKS];
static int taken[BLOCKS];
static char object[OBJECTS];
static const char name[1] = {'x'};
static struct umvfs_event_queue queue[QUEUES];
static struct umvfs_events events;

static int either(void)
{
    return Frama_C_interval(0, 1) ? 1 : 0;
}

static void *get(void *ctx, struct umvfs_event_queue *of, size_t size)
{
    if (size > sizeof(pool[0]))
        WRONG();
    if (Frama_C_interval(0, 1))
        return NULL;
    for (int i = 0; i < BLOCKS; i++) {
        if (taken[i])
            continue;
        taken[i] = 1;
        return &pool[i];
    }
    WRONG(); /* more than the watches and events that there may be */
    return NULL;
}

static void put_back(void *ctx, struct umvfs_event_queue *of, void *ptr, size_t size)
{
    size_t at = (size_t)((char *)ptr - (char *)pool), i = at / sizeof(pool[0]);
    if (at % sizeof(pool[0]) != 0 || i >= BLOCKS || !taken[i])
        WRONG();
    taken[i] = 0;
    pool[i] = nowhere;
}

static void wake(void *ctx, struct umvfs_event_queue *of)
{
    if (umvfs_event_size(of) == 0)
        WRONG();
}

static void begin(void)
{
    const struct umvfs_event_config config = {.alloc = get, .free = put_back, .wake = wake};
    umvfs_events_init(&events, &config);
    for (int i = 0; i < BLOCKS; i++)
        pool[i] = nowhere;
    for (int i = 0; i < QUEUES; i++)
        umvfs_event_queue_init(&queue[i], 1);
}

static void read_one(struct umvfs_event_queue *of)
{
    uint8_t memory[sizeof(struct umvfs_event_record) + UMVFS_EVENT_ALIGN];
    size_t size = umvfs_event_size(of);
    if (size == 0)
        return;
    if (size > sizeof(memory))
        WRONG();
    if (umvfs_event_take(&events, of, memory + sizeof(memory) - size) != size)
        WRONG();
}

static void tell_one(const void *about)
{
    struct umvfs_event event = {.object = about, .mask = UMVFS_IN_OPEN};
    if (either()) {
        event.name = name;
        event.len = sizeof(name) + OVER;
    }
    umvfs_event_tell(&events, &event);
}

static void step(void)
{
    struct umvfs_event_queue *of = QUEUES > 1 && either() ? &queue[1] : &queue[0];
    const void *about = OBJECTS > 1 && either() ? &object[1] : &object[0];
    of->last_wd = 0;
    switch (Frama_C_interval(0, 4)) {
    case 0:
        umvfs_event_watch(&events, of, about, UMVFS_IN_OPEN | (either() ? UMVFS_IN_ONESHOT : 0));
        break;
    case 1:
        umvfs_event_unwatch(&events, of, either() ? 1 : 2);
        break;
    case 2:
        tell_one(about);
        break;
    case 3:
        umvfs_event_gone(&events, about, UMVFS_IN_DELETE_SELF);
        break;
    default:
        read_one(of);
    }
    of->last_wd = 0;
}

static void check(void)
{
    for (int i = 0; i < QUEUES; i++)
        if (queue[i].count > 2 || queue[i].count == 2 != (queue[i].first != queue[i].last))
            WRONG();
}

int main(void)
{
    begin();
    while (Frama_C_interval(0, 1)) {
        step();
        check();
    }
    for (int i = 0; i < QUEUES; i++)
        umvfs_event_queue_end(&events, &queue[i]);
    for (int i = 0; i < BLOCKS; i++)
        if (taken[i])
            WRONG();
    return 0;
}
