/*
 * Locks of five owners of each kind on two files of 32 bytes, against a model with a type for each
 * byte.
 *
 * Input: operations, a few bytes each: owner, file, kind and type of the lock, range.
 * Proves: results, conflicts, the number of locks, who is woken and when, and deadlocks are those
 * of the model.
 * Does not prove: that Linux answers the same (a test of libvfs and a guest test compare).
 * Oracles: the model; nothing is left when all owners have ended.
 * Rate: 5,000/s
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/errno.h>
#include <umvfs/lock.h>

#include "check.h"

enum { OWNERS = 5, KINDS = 3, FILES = 2, BYTES = 32, WAITERS = 8 };

static char files[FILES], owners[KINDS * OWNERS];

/* What the model knows: the type of each byte. */
static uint8_t held[FILES][KINDS * OWNERS][BYTES];

static struct {
    struct umvfs_lock_waiter waiter;
    bool waits;
    uint64_t arrival;
} slots[WAITERS];

static struct umvfs_locks locks;
static uint64_t arrivals, objects, woken, fail_in;

static void *lock_alloc(void *ctx, size_t size)
{
    (void)ctx;
    if (fail_in && --fail_in == 0)
        return NULL;
    objects++;
    return malloc(size);
}

static void lock_free(void *ctx, void *object, size_t size)
{
    (void)ctx;
    memset(object, 0xa5, size);
    objects--;
    free(object);
}

static unsigned file_of(const struct umvfs_lock *lock)
{
    return (unsigned)((const char *)lock->file - files);
}

static unsigned owner_of(const struct umvfs_lock *lock)
{
    return (unsigned)((const char *)lock->owner - owners);
}

static bool same_space(unsigned owner, const struct umvfs_lock *lock)
{
    return (owner / OWNERS == UMVFS_LOCK_FLOCK) == (lock->kind == UMVFS_LOCK_FLOCK);
}

/* Whether a byte that an owner holds stands in the way of a request. */
static bool meets(const struct umvfs_lock *lock, unsigned owner, unsigned byte)
{
    uint8_t type = held[file_of(lock)][owner][byte];
    return owner != owner_of(lock) && same_space(owner, lock) && type != UMVFS_LOCK_NONE &&
           lock->type != UMVFS_LOCK_NONE &&
           (type == UMVFS_LOCK_WRITE || lock->type == UMVFS_LOCK_WRITE);
}

static unsigned last_byte(const struct umvfs_lock *lock)
{
    return lock->end < BYTES ? (unsigned)lock->end : BYTES - 1;
}

static bool is_in_the_way(const struct umvfs_lock *lock, unsigned owner)
{
    for (unsigned byte = (unsigned)lock->start; byte <= last_byte(lock); byte++)
        if (meets(lock, owner, byte))
            return true;
    return false;
}

static bool has_conflict(const struct umvfs_lock *lock)
{
    for (unsigned owner = 0; owner < KINDS * OWNERS; owner++)
        if (is_in_the_way(lock, owner))
            return true;
    return false;
}

/* The next waiter that must be woken, or NULL: the first to have come without a conflict. */
static struct umvfs_lock_waiter *due(const void *file)
{
    unsigned best = WAITERS;
    for (unsigned i = 0; i < WAITERS; i++)
        if (slots[i].waits && slots[i].waiter.lock.file == file &&
            !has_conflict(&slots[i].waiter.lock) &&
            (best == WAITERS || slots[i].arrival < slots[best].arrival))
            best = i;
    return best == WAITERS ? NULL : &slots[best].waiter;
}

/* Waking is compared after the operation, when the model has changed too. */
static struct umvfs_lock_waiter *woken_list[WAITERS];

static void lock_wake(void *ctx, struct umvfs_lock_waiter *waiter)
{
    (void)ctx;
    CHECK(woken < WAITERS && !waiter->waits);
    woken_list[woken++] = waiter;
}

static void check_woken(const void *file)
{
    for (uint64_t i = 0; i < woken; i++) {
        CHECK(due(file) == woken_list[i]);
        for (unsigned k = 0; k < WAITERS; k++)
            if (&slots[k].waiter == woken_list[i])
                slots[k].waits = false;
    }
    CHECK(due(file) == NULL);
    woken = 0;
}

/* Whether waiting for the request would never end. Of descriptions, only those that hold what it wants count. */
static bool deadlocks(const struct umvfs_lock *lock)
{
    bool reached[WAITERS] = {false};
    for (unsigned round = 0; round <= WAITERS; round++) {
        for (unsigned i = 0; i < WAITERS; i++) {
            const struct umvfs_lock *w = &slots[i].waiter.lock;
            if (!slots[i].waits || w->kind == UMVFS_LOCK_FLOCK)
                continue;
            reached[i] = reached[i] || is_in_the_way(lock, owner_of(w));
            for (unsigned k = 0; k < WAITERS; k++)
                if (w->kind == UMVFS_LOCK_POSIX && reached[k] &&
                    is_in_the_way(&slots[k].waiter.lock, owner_of(w)))
                    reached[i] = true;
            if (reached[i] && is_in_the_way(w, owner_of(lock)))
                return true;
        }
    }
    return false;
}

static void put(const struct umvfs_lock *lock, enum umvfs_lock_type type)
{
    for (unsigned byte = (unsigned)lock->start; byte <= last_byte(lock); byte++)
        held[file_of(lock)][owner_of(lock)][byte] = (uint8_t)type;
}

static uint64_t count_runs(void)
{
    uint64_t runs = 0;
    for (unsigned file = 0; file < FILES; file++)
        for (unsigned owner = 0; owner < KINDS * OWNERS; owner++)
            for (unsigned byte = 0; byte < BYTES; byte++) {
                uint8_t type = held[file][owner][byte];
                runs +=
                    type != UMVFS_LOCK_NONE && (byte == 0 || held[file][owner][byte - 1] != type);
            }
    return runs;
}

/* The conflict that is reported: of the lock that starts first, and then of the lowest owner. */
static void check_conflict(const struct umvfs_lock *lock)
{
    struct umvfs_lock found;
    unsigned best = BYTES, best_owner = 0, end = 0;
    for (unsigned owner = 0; owner < KINDS * OWNERS; owner++) {
        for (unsigned byte = (unsigned)lock->start; byte <= last_byte(lock); byte++) {
            const uint8_t *types = held[file_of(lock)][owner];
            unsigned start = byte;
            if (!meets(lock, owner, byte))
                continue;
            while (start > 0 && types[start - 1] == types[byte])
                start--;
            if (start < best) {
                best = start;
                best_owner = owner;
                for (end = byte; end + 1 < BYTES && types[end + 1] == types[byte];)
                    end++;
            }
            break;
        }
    }
    bool any = umvfs_lock_get(&locks, lock, &found);
    CHECK(any == (best < BYTES));
    if (any) {
        CHECK(found.start == best && found.owner == &owners[best_owner]);
        CHECK(end == BYTES - 1 ? found.end == UMVFS_LOCK_END : found.end == end);
        CHECK(found.type == held[file_of(lock)][best_owner][best]);
        CHECK(found.pid == (int32_t)best_owner && found.kind == best_owner / OWNERS);
    }
}

static int expected(const struct umvfs_lock *lock, bool waits)
{
    if (!has_conflict(lock))
        return 0;
    if (!waits)
        return -UMVFS_EAGAIN;
    return lock->kind == UMVFS_LOCK_POSIX && deadlocks(lock) ? -UMVFS_EDEADLK : UMVFS_LOCK_WAITS;
}

static void set(const struct umvfs_lock *lock, unsigned slot)
{
    bool may_wait = slot < WAITERS && !slots[slot].waits;
    struct umvfs_lock_waiter *waiter = may_wait ? &slots[slot].waiter : NULL;
    enum umvfs_lock_type old = (enum umvfs_lock_type)held[file_of(lock)][owner_of(lock)][0];
    int result = umvfs_lock_set(&locks, lock, waiter);
    bool no_memory = result == -UMVFS_ENOLCK;
    CHECK(!no_memory || fail_in == 0);
    if (lock->kind == UMVFS_LOCK_FLOCK && old != lock->type && !no_memory)
        put(lock, UMVFS_LOCK_NONE);
    if (!no_memory)
        CHECK(result == expected(lock, may_wait));
    if (result == 0)
        put(lock, lock->type);
    check_woken(lock->file);
    if (result == UMVFS_LOCK_WAITS) {
        slots[slot].waits = true;
        slots[slot].arrival = arrivals++;
    }
}

static void begin(void)
{
    static const struct umvfs_lock_config config = {
        .alloc = lock_alloc, .free = lock_free, .wake = lock_wake};
    memset(held, UMVFS_LOCK_NONE, sizeof(held));
    memset(slots, 0, sizeof(slots));
    objects = woken = fail_in = 0;
    umvfs_locks_init(&locks, &config, 1);
}

static void end(void)
{
    for (unsigned i = 0; i < WAITERS; i++)
        umvfs_lock_cancel(&locks, &slots[i].waiter);
    for (unsigned file = 0; file < FILES; file++)
        for (unsigned owner = 0; owner < KINDS * OWNERS; owner++)
            umvfs_lock_release(&locks, &files[file], &owners[owner],
                               (enum umvfs_lock_kind)(owner / OWNERS));
    CHECK(objects == 0 && !umvfs_locks_any(&locks) && woken == 0);
}

/* Five bytes an operation: owner, what and file, first byte, last byte, waiter or failure. */
static void step(const uint8_t *op)
{
    unsigned owner = op[0] % (KINDS * OWNERS);
    struct umvfs_lock lock = {.file = &files[op[1] >> 7],
                              .owner = &owners[owner],
                              .start = op[2] % BYTES,
                              .end = op[3] % BYTES,
                              .pid = (int32_t)owner,
                              .kind = (enum umvfs_lock_kind)(owner / OWNERS),
                              .type = (enum umvfs_lock_type)(op[1] % 3)};
    if (lock.start > lock.end || lock.end == BYTES - 1)
        lock.end = UMVFS_LOCK_END;
    if (lock.kind == UMVFS_LOCK_FLOCK) {
        lock.start = 0;
        lock.end = UMVFS_LOCK_END;
    }
    fail_in = op[4] >= 0xf0 ? op[4] - 0xefu : 0;
    if ((op[1] & 0x7fu) >= 0x78) {
        umvfs_lock_release(&locks, lock.file, lock.owner, lock.kind);
        memset(held[file_of(&lock)][owner], UMVFS_LOCK_NONE, BYTES);
        check_woken(lock.file);
    } else if ((op[1] & 0x7fu) >= 0x70) {
        umvfs_lock_cancel(&locks, &slots[op[4] % WAITERS].waiter);
        slots[op[4] % WAITERS].waits = false;
    } else {
        check_conflict(&lock);
        set(&lock, op[4] % (2 * WAITERS));
    }
    CHECK(locks.count == count_runs());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin();
    for (; size >= 5; data += 5, size -= 5)
        step(data);
    end();
    return 0;
}
