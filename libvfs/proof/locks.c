/* Eva: record locks of OWNERS owners on one file of BYTES bytes under an arbitrary loop of operations:
 * lock, unlock, wait, cancel, release, where any allocation may fail. Eva keeps every state apart
 * and ends when the loop finds no new one, so that the number of operations is not bounded. After
 * each operation every byte is locked as a model says, a failure has changed nothing, and who waits
 * has a conflict. Nothing is used after it was freed, and after the release of all locks nothing is
 * left. Priorities are of PRIORITIES values, which decide the shape of the tree; the table of files
 * has one bucket. FORGET is a release that is left out, to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include <umvfs/errno.h>
#include <umvfs/lock.h>

/* Eva does not know the value of a pointer: the number of a bucket becomes 0, and owners, which are
 * of one array, are compared as pointers. */
#undef UMVFS_LOCK_FILES
#define UMVFS_LOCK_FILES 0u), (1u
#define uintptr_t const char *
#include "../src/lock_tree.c"
#undef uintptr_t
#include "../src/lock.c"

#define BLOCKS  (OWNERS * BYTES + 2) /* a lock a byte, the new one, the file */
#define NOWHERE 1u
#define WORDS   8

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

static const struct block {
    uint64_t word[WORDS];
} nowhere = {{NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE}};
static struct block pool[BLOCKS];
static int taken[BLOCKS];
static char file, owner[OWNERS + 1]; /* the last has no locks */
static struct umvfs_locks locks;
static struct umvfs_lock_waiter waiter[OWNERS];
static enum umvfs_lock_type held[OWNERS][BYTES]; /* the model */

static int any(int last)
{
    int value = Frama_C_interval(0, last);
    for (int i = 0; i < last; i++)
        if (value == i)
            return i;
    return last;
}

static void *get(void *ctx, size_t size)
{
    if (size > sizeof(pool[0]))
        WRONG();
    if (any(1))
        return NULL;
    for (int i = 0; i < BLOCKS; i++) {
        if (taken[i])
            continue;
        taken[i] = 1;
        return &pool[i];
    }
    WRONG(); /* more than there may be */
    return NULL;
}

static void put_back(void *ctx, void *ptr, size_t size)
{
    size_t at = (size_t)((char *)ptr - (char *)pool), i = at / sizeof(pool[0]);
    if (at % sizeof(pool[0]) != 0 || i >= BLOCKS || !taken[i])
        WRONG();
    taken[i] = 0;
    pool[i] = nowhere;
}

static void woken(void *ctx, struct umvfs_lock_waiter *of)
{
    if (of->waits)
        WRONG();
}

static int meets(const struct umvfs_lock *lock)
{
    int other = lock->owner == &owner[0] ? 1 : 0;
    if (OWNERS == 1 || lock->type == UMVFS_LOCK_NONE)
        return 0;
    for (uint64_t i = lock->start; i <= lock->end; i++)
        if (held[other][i] == UMVFS_LOCK_WRITE ||
            (held[other][i] == UMVFS_LOCK_READ && lock->type == UMVFS_LOCK_WRITE))
            return 1;
    return 0;
}

static struct umvfs_lock request(int who)
{
    struct umvfs_lock lock = {.file = &file, .owner = &owner[who]};
    int first = any(BYTES - 1), last = any(BYTES - 1), type = any(TYPES - 1);
    lock.start = (uint64_t)(first < last ? first : last);
    lock.end = (uint64_t)(first < last ? last : first);
    lock.type = type == 0 ? UMVFS_LOCK_NONE : type == 1 ? UMVFS_LOCK_WRITE : UMVFS_LOCK_READ;
    return lock;
}

static void set_one(int who)
{
    struct umvfs_lock lock = request(who);
    int may_wait = OWNERS > 1 && !waiter[who].waits ? any(1) : 0;
    int conflict = meets(&lock), result;
    locks.random = PRIORITIES > 1 && any(1) ? ~UINT64_C(0) : 0;
    result = umvfs_lock_set(&locks, &lock, may_wait ? &waiter[who] : NULL);
    locks.random = 0;
    if (result == -UMVFS_ENOLCK)
        return;
    if (conflict != (result != 0))
        WRONG();
    if (result == 0)
        for (uint64_t i = lock.start; i <= lock.end; i++)
            held[who][i] = lock.type;
    if (conflict && may_wait) {
        if (result != (waiter[OWNERS - 1 - who].waits ? -UMVFS_EDEADLK : UMVFS_LOCK_WAITS))
            WRONG();
    } else if (conflict && result != -UMVFS_EAGAIN) {
        WRONG();
    }
}

static void release_all(int who)
{
    umvfs_lock_release(&locks, &file, &owner[who], UMVFS_LOCK_POSIX);
    for (int i = 0; i < BYTES; i++)
        held[who][i] = UMVFS_LOCK_NONE;
}

static void step(void)
{
    int who = any(OWNERS - 1);
    switch (any(2)) {
    case 0:
        set_one(who);
        break;
    case 1:
        umvfs_lock_cancel(&locks, &waiter[who]);
        break;
    default:
        release_all(who);
    }
    for (int i = 0; i < OWNERS; i++)
        if (!waiter[i].waits)
            waiter[i] = (struct umvfs_lock_waiter){0};
}

static void check_byte(int i)
{
    struct umvfs_lock found, lock = {.file = &file,
                                     .owner = &owner[OWNERS],
                                     .start = (uint64_t)i,
                                     .end = (uint64_t)i,
                                     .type = UMVFS_LOCK_WRITE};
    int who = held[0][i] != UMVFS_LOCK_NONE ? 0 : OWNERS - 1;
    if (umvfs_lock_get(&locks, &lock, &found)
            ? found.owner != &owner[who] || found.type != held[who][i]
            : held[who][i] != UMVFS_LOCK_NONE)
        WRONG();
}

static void check(void)
{
    for (int i = 0; i < BYTES; i++)
        check_byte(i);
    for (int who = 0; who < OWNERS; who++)
        if (waiter[who].waits && !meets(&waiter[who].lock))
            WRONG();
}

int main(void)
{
    const struct umvfs_lock_config config = {.alloc = get, .free = put_back, .wake = woken};
    umvfs_locks_init(&locks, &config, 0);
    for (int i = 0; i < BLOCKS; i++)
        pool[i] = nowhere;
    for (int who = 0; who < OWNERS; who++)
        for (int i = 0; i < BYTES; i++)
            held[who][i] = UMVFS_LOCK_NONE;
    while (any(1)) {
        step();
        check();
    }
    for (int who = FORGET; who < OWNERS; who++) {
        umvfs_lock_cancel(&locks, &waiter[who]);
        release_all(who);
    }
    for (int i = 0; i < BLOCKS; i++)
        if (taken[i])
            WRONG();
    return 0;
}
