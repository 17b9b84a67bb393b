/* Locks: what ranges become, who waits for whom, and that Linux answers the same to random operations
 * of open file descriptions. The fuzz target fuzz_vfs_locks has a model of everything. */
#define _GNU_SOURCE
#include "tests.h"

#include <umvfs/errno.h>
#include <umvfs/lock.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

struct locked {
    struct umvfs_locks locks;
    uint64_t objects;
    uint64_t fail_at;
    struct umvfs_lock_waiter *woken[8];
    unsigned wakes;
};

static const char owner[8], file[2];

static void *lock_alloc(void *ctx, size_t size)
{
    struct locked *l = ctx;
    if (l->fail_at && --l->fail_at == 0)
        return NULL;
    l->objects++;
    return malloc(size);
}

static void lock_free(void *ctx, void *object, size_t size)
{
    struct locked *l = ctx;
    (void)size;
    l->objects--;
    free(object);
}

static void lock_wake(void *ctx, struct umvfs_lock_waiter *waiter)
{
    struct locked *l = ctx;
    l->woken[l->wakes++ % 8] = waiter;
}

static void begin(struct locked *l)
{
    const struct umvfs_lock_config config = {
        .alloc = lock_alloc, .free = lock_free, .wake = lock_wake, .ctx = l};
    *l = (struct locked){0};
    umvfs_locks_init(&l->locks, &config, 7);
}

static struct umvfs_lock lock_of(unsigned who, enum umvfs_lock_type type, uint64_t start,
                                 uint64_t end)
{
    return (struct umvfs_lock){.file = &file[0],
                               .owner = &owner[who],
                               .start = start,
                               .end = end,
                               .pid = (int32_t)who,
                               .type = type};
}

static int set(struct locked *l, unsigned who, enum umvfs_lock_type type, uint64_t start,
               uint64_t end)
{
    struct umvfs_lock lock = lock_of(who, type, start, end);
    return umvfs_lock_set(&l->locks, &lock, NULL);
}

/* The locks of owner 0, as owner 7 meets them. */
static void expect_ranges(struct locked *l, const char *expected)
{
    char text[256] = "";
    struct umvfs_lock found;
    for (uint64_t at = 0; at < 1000; at = found.end + 1) {
        struct umvfs_lock ask = lock_of(7, UMVFS_LOCK_WRITE, at, 1000);
        if (!umvfs_lock_get(&l->locks, &ask, &found))
            break;
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%c%u-%u ",
                 found.type == UMVFS_LOCK_READ ? 'r' : 'w', (unsigned)found.start,
                 (unsigned)found.end);
    }
    assert_string_equal(text, expected);
}

static void end(struct locked *l)
{
    for (unsigned i = 0; i < 8; i++)
        umvfs_lock_release(&l->locks, &file[0], &owner[i], UMVFS_LOCK_POSIX);
    assert_false(umvfs_locks_any(&l->locks));
    assert_int_equal(l->objects, 0);
}

static void ranges_split_and_join(void **state)
{
    struct locked l;
    begin(&l);
    assert_int_equal(set(&l, 0, UMVFS_LOCK_READ, 10, 19), 0);
    assert_int_equal(set(&l, 0, UMVFS_LOCK_READ, 30, 39), 0);
    expect_ranges(&l, "r10-19 r30-39 ");
    assert_int_equal(set(&l, 0, UMVFS_LOCK_READ, 20, 29), 0);
    expect_ranges(&l, "r10-39 ");
    assert_int_equal(set(&l, 0, UMVFS_LOCK_WRITE, 15, 24), 0);
    expect_ranges(&l, "r10-14 w15-24 r25-39 ");
    assert_int_equal(set(&l, 0, UMVFS_LOCK_NONE, 12, 30), 0);
    expect_ranges(&l, "r10-11 r31-39 ");
    assert_int_equal(set(&l, 0, UMVFS_LOCK_WRITE, 0, 100), 0);
    expect_ranges(&l, "w0-100 ");
    assert_int_equal(set(&l, 0, UMVFS_LOCK_READ, 0, 100), 0);
    expect_ranges(&l, "r0-100 ");
    assert_int_equal(set(&l, 1, UMVFS_LOCK_READ, 0, 100), 0);
    assert_int_equal(set(&l, 0, UMVFS_LOCK_WRITE, 0, 100), -UMVFS_EAGAIN);
    assert_int_equal(set(&l, 1, UMVFS_LOCK_NONE, 0, 100), 0);
    assert_int_equal(set(&l, 0, UMVFS_LOCK_WRITE, 0, 100), 0);
    expect_ranges(&l, "w0-100 ");
    assert_int_equal(l.locks.count, 1);
    end(&l);
}

static void failures_change_nothing(void **state)
{
    for (uint64_t fail = 1; fail <= 2; fail++) {
        struct locked l;
        begin(&l);
        assert_int_equal(set(&l, 0, UMVFS_LOCK_READ, 10, 39), 0);
        l.fail_at = fail;
        assert_int_equal(set(&l, 0, UMVFS_LOCK_WRITE, 20, 29), -UMVFS_ENOLCK);
        expect_ranges(&l, "r10-39 ");
        assert_int_equal(set(&l, 1, UMVFS_LOCK_WRITE, 39, 50), -UMVFS_EAGAIN);
        l.fail_at = fail;
        assert_int_equal(set(&l, 0, UMVFS_LOCK_READ, 100, 110), fail == 1 ? -UMVFS_ENOLCK : 0);
        end(&l);
    }
}

static void waiters_are_woken_in_order_and_deadlocks_found(void **state)
{
    struct locked l;
    struct umvfs_lock_waiter w[3];
    struct umvfs_lock ask;
    begin(&l);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(set(&l, i, UMVFS_LOCK_WRITE, i, i), 0);
    for (unsigned i = 0; i < 2; i++) { /* 0 waits for 1, 1 waits for 2 */
        ask = lock_of(i, UMVFS_LOCK_WRITE, i + 1, i + 1);
        assert_int_equal(umvfs_lock_set(&l.locks, &ask, &w[i]), UMVFS_LOCK_WAITS);
    }
    ask = lock_of(2, UMVFS_LOCK_READ, 0, 0);
    assert_int_equal(umvfs_lock_set(&l.locks, &ask, &w[2]), -UMVFS_EDEADLK);
    ask = lock_of(3, UMVFS_LOCK_READ, 2, 2);
    assert_int_equal(umvfs_lock_set(&l.locks, &ask, &w[2]), UMVFS_LOCK_WAITS);
    umvfs_lock_release(&l.locks, &file[0], &owner[2], UMVFS_LOCK_POSIX);
    assert_int_equal(l.wakes, 2);
    assert_ptr_equal(l.woken[0], &w[1]);
    assert_ptr_equal(l.woken[1], &w[2]);
    umvfs_lock_cancel(&l.locks, &w[0]);
    umvfs_lock_release(&l.locks, &file[0], &owner[1], UMVFS_LOCK_POSIX);
    assert_int_equal(l.wakes, 2);
    end(&l);
}

/* As on Linux: a record lock meets that of a description which waits for the same owner's record lock. A
 * description is never told of a deadlock, and what waits for a description is not followed. */
static void descriptions_that_wait_are_in_deadlocks(void **state)
{
    struct locked l;
    struct umvfs_lock_waiter w[3];
    begin(&l);
    struct umvfs_lock ask = lock_of(1, UMVFS_LOCK_WRITE, 1, 1);
    ask.kind = UMVFS_LOCK_OFD;
    assert_int_equal(umvfs_lock_set(&l.locks, &ask, NULL), 0);
    assert_int_equal(set(&l, 0, UMVFS_LOCK_WRITE, 0, 0), 0);
    assert_int_equal(set(&l, 2, UMVFS_LOCK_WRITE, 2, 2), 0);
    ask.start = ask.end = 0;
    assert_int_equal(umvfs_lock_set(&l.locks, &ask, &w[1]), UMVFS_LOCK_WAITS);
    struct umvfs_lock closing = lock_of(0, UMVFS_LOCK_READ, 1, 1);
    assert_int_equal(umvfs_lock_set(&l.locks, &closing, &w[0]), -UMVFS_EDEADLK);
    closing = lock_of(2, UMVFS_LOCK_READ, 1, 1); /* waits for the description, which waits for 0 */
    assert_int_equal(umvfs_lock_set(&l.locks, &closing, &w[2]), UMVFS_LOCK_WAITS);
    closing = lock_of(0, UMVFS_LOCK_READ, 2, 2); /* through it to the description */
    assert_int_equal(umvfs_lock_set(&l.locks, &closing, &w[0]), UMVFS_LOCK_WAITS);
    for (unsigned i = 0; i < 3; i++)
        umvfs_lock_cancel(&l.locks, &w[i]);
    umvfs_lock_release(&l.locks, &file[0], &owner[1], UMVFS_LOCK_OFD);
    end(&l);
}

/* More files than buckets, which go in another order than they came; and one without memory. */
static void files_share_buckets(void **state)
{
    static const char files[512];
    struct locked l;
    struct umvfs_lock ask = lock_of(0, UMVFS_LOCK_WRITE, 0, 0);
    begin(&l);
    for (unsigned i = 0; i < sizeof(files); i++) {
        ask.file = &files[i];
        assert_int_equal(umvfs_lock_set(&l.locks, &ask, NULL), 0);
    }
    for (unsigned i = 0; i < sizeof(files); i++) {
        ask.owner = &owner[1];
        ask.file = &files[i * 3 % sizeof(files)];
        assert_int_equal(umvfs_lock_set(&l.locks, &ask, NULL), -UMVFS_EAGAIN);
        umvfs_lock_release(&l.locks, ask.file, &owner[0], UMVFS_LOCK_POSIX);
    }
    assert_int_equal(l.objects, 0);
    l.fail_at = 1;
    assert_int_equal(set(&l, 0, UMVFS_LOCK_WRITE, 0, 0), -UMVFS_ENOLCK);
    assert_int_equal(set(&l, 0, UMVFS_LOCK_NONE, 0, 0), 0);
    end(&l);
}

/* A search for a deadlock ends: among so many waiters none is found, and the caller waits. */
static void searches_have_a_limit(void **state)
{
    static struct umvfs_lock_waiter crowd[10000], last;
    for (unsigned waiters = 6000; waiters <= 10000; waiters += 4000) {
        struct locked l;
        struct umvfs_lock_waiter first;
        struct umvfs_lock ask = lock_of(6, UMVFS_LOCK_WRITE, 0, 0);
        ask.kind = UMVFS_LOCK_FLOCK;
        begin(&l);
        assert_int_equal(umvfs_lock_set(&l.locks, &ask, NULL), 0);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(set(&l, i, UMVFS_LOCK_WRITE, i, i), 0);
        struct umvfs_lock wait = lock_of(0, UMVFS_LOCK_WRITE, 1, 1); /* 0 waits for 1 */
        assert_int_equal(umvfs_lock_set(&l.locks, &wait, &first), UMVFS_LOCK_WAITS);
        ask.owner = &owner[5];
        for (unsigned i = 0; i < waiters; i++)
            assert_int_equal(umvfs_lock_set(&l.locks, &ask, &crowd[i]), UMVFS_LOCK_WAITS);
        wait = lock_of(1, UMVFS_LOCK_WRITE, 0, 0); /* and 1 for 0 */
        assert_int_equal(umvfs_lock_set(&l.locks, &wait, &last),
                         waiters == 6000 ? -UMVFS_EDEADLK : UMVFS_LOCK_WAITS);
        if (waiters > 6000)
            umvfs_lock_cancel(&l.locks, &last);
        wait = lock_of(2, UMVFS_LOCK_WRITE, 0, 0);
        assert_int_equal(umvfs_lock_set(&l.locks, &wait, &last), UMVFS_LOCK_WAITS);
        umvfs_lock_cancel(&l.locks, &last);
        umvfs_lock_cancel(&l.locks, &first);
        for (unsigned i = 0; i < waiters; i++)
            umvfs_lock_cancel(&l.locks, &crowd[i]);
        umvfs_lock_release(&l.locks, &file[0], &owner[6], UMVFS_LOCK_FLOCK);
        end(&l);
    }
}

/* So it does among so many locks: who holds 8000 of them is passed while each of the waiters, all of which want
 * these and hold another, is asked for what the caller wants. The last one wants what the caller has. */
static void searches_pass_a_limited_number_of_locks(void **state)
{
    enum { RANGES = 8000, MOST = 90, FAR = 2 * RANGES };
    static const char owners[MOST + 2];
    static struct umvfs_lock_waiter crowd[MOST], last;
    for (unsigned waiters = MOST / 2; waiters <= MOST; waiters += MOST / 2) {
        struct locked l;
        struct umvfs_lock ask = lock_of(0, UMVFS_LOCK_READ, 0, 0);
        begin(&l);
        for (unsigned i = 0; i < waiters + 2; i++) {
            ask.owner = &owners[i];
            ask.start = ask.end = i == 0 ? 0 : FAR + 2 * i;
            assert_int_equal(umvfs_lock_set(&l.locks, &ask, NULL), 0);
        }
        ask = lock_of(0, UMVFS_LOCK_WRITE, 0, FAR);
        for (unsigned i = 0; i < waiters; i++) {
            ask.owner = &owners[i + 1];
            ask.start = i + 1 < waiters ? 0 : FAR + 2 * (waiters + 1);
            ask.end = i + 1 < waiters ? FAR : UMVFS_LOCK_END;
            assert_int_equal(umvfs_lock_set(&l.locks, &ask, &crowd[i]), UMVFS_LOCK_WAITS);
        }
        for (unsigned i = 1; i < RANGES; i++) {
            ask = lock_of(0, UMVFS_LOCK_READ, 2 * i, 2 * i);
            ask.owner = &owners[0];
            assert_int_equal(umvfs_lock_set(&l.locks, &ask, NULL), 0);
        }
        ask = lock_of(0, UMVFS_LOCK_WRITE, 0, UMVFS_LOCK_END);
        ask.owner = &owners[waiters + 1];
        assert_int_equal(umvfs_lock_set(&l.locks, &ask, &last),
                         waiters < MOST ? -UMVFS_EDEADLK : UMVFS_LOCK_WAITS);
        umvfs_lock_cancel(&l.locks, &last);
        for (unsigned i = 0; i < waiters; i++)
            umvfs_lock_cancel(&l.locks, &crowd[i]);
        for (unsigned i = 0; i < waiters + 2; i++)
            umvfs_lock_release(&l.locks, &file[0], &owners[i], UMVFS_LOCK_POSIX);
        end(&l);
    }
}

/* A number of locks for which lists would take a second. */
static void many_ranges_are_fast(void **state)
{
    struct locked l;
    struct umvfs_lock ask, found;
    begin(&l);
    for (uint64_t i = 0; i < 100000; i++)
        assert_int_equal(
            set(&l, i & 1, UMVFS_LOCK_WRITE, i * 7919 % 100000 * 2, i * 7919 % 100000 * 2), 0);
    assert_int_equal(l.locks.count, 100000);
    for (uint64_t i = 0; i < 100000; i++) {
        ask = lock_of(2, UMVFS_LOCK_WRITE, i * 2 + 1, i * 2 + 1);
        assert_false(umvfs_lock_get(&l.locks, &ask, &found));
    }
    assert_int_equal(set(&l, 2, UMVFS_LOCK_WRITE, 150001, 150001), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(set(&l, i, UMVFS_LOCK_NONE, 0, UMVFS_LOCK_END), 0);
    end(&l);
}

enum { DESCRIPTIONS = 4, SPAN = 24 };

static int linux_set(int fd, bool whole, int type, unsigned start, unsigned last, bool get,
                     struct flock *out)
{
    static const int flocks[] = {LOCK_SH, LOCK_EX, LOCK_UN};
    *out = (struct flock){.l_type = (short)type,
                          .l_whence = SEEK_SET,
                          .l_start = start,
                          .l_len = last == SPAN ? 0 : (off_t)last - start + 1};
    int result =
        whole ? flock(fd, flocks[type] | LOCK_NB) : fcntl(fd, get ? F_OFD_GETLK : F_OFD_SETLK, out);
    return result ? -errno : 0;
}

static void answers_are_those_of_linux(void **state)
{
    struct locked l;
    char name[] = "/tmp/vfs-locks.XXXXXX";
    int fd[DESCRIPTIONS];
    uint64_t random = 1;
    int made = mkstemp(name);
    assert_true(made >= 0);
    for (unsigned i = 0; i < DESCRIPTIONS; i++)
        fd[i] = open(name, O_RDWR);
    begin(&l);
    for (unsigned step = 0; step < 100000; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned bits = (unsigned)(random >> 33), who = bits % DESCRIPTIONS;
        unsigned a = bits >> 8 & 15u, b = a + (bits >> 12 & 15u);
        bool whole = (bits >> 20 & 3u) == 0, get = !whole && (bits >> 22 & 1u);
        int type = (int)((bits >> 24) % (get ? 2u : 3u));
        struct flock answer;
        struct umvfs_lock lock = lock_of(who, (enum umvfs_lock_type)type, a, b), found;
        if (b >= SPAN) {
            b = SPAN;
            lock.end = UMVFS_LOCK_END;
        }
        lock.kind = whole ? UMVFS_LOCK_FLOCK : UMVFS_LOCK_OFD;
        int expected = linux_set(fd[who], whole, type, a, b, get, &answer);
        if (get) {
            assert_int_equal(expected, 0);
            assert_int_equal(umvfs_lock_get(&l.locks, &lock, &found), answer.l_type != F_UNLCK);
        } else {
            assert_int_equal(umvfs_lock_set(&l.locks, &lock, NULL), expected);
        }
    }
    for (unsigned i = 0; i < DESCRIPTIONS; i++) {
        close(fd[i]);
        umvfs_lock_release(&l.locks, &file[0], &owner[i], UMVFS_LOCK_FLOCK);
    }
    close(made);
    unlink(name);
    end(&l);
}

int lock_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_split_and_join),
        cmocka_unit_test(failures_change_nothing),
        cmocka_unit_test(waiters_are_woken_in_order_and_deadlocks_found),
        cmocka_unit_test(descriptions_that_wait_are_in_deadlocks),
        cmocka_unit_test(files_share_buckets),
        cmocka_unit_test(searches_have_a_limit),
        cmocka_unit_test(searches_pass_a_limited_number_of_locks),
        cmocka_unit_test(many_ranges_are_fast),
        cmocka_unit_test(answers_are_those_of_linux),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
