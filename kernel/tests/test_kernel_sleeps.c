/* Sleeping system calls of a whole kernel on the host: which signals end each sleep, and whom a futex wakes. */
#include "tests/kernel_test.h"

#include "proc/proc.h"

/* The address of a handler's counter. */
#define RUNS AT(20)

static void counts(int signal, uint64_t info, uint64_t context)
{
    (void)signal, (void)info, (void)context;
    user_store(RUNS, user_load(RUNS) + 1);
}

/* Calls that sleep, each from a child of its own. */
static int empty_pipe[2], full_pipe[2];

static void make_sleepers_files(void)
{
    call_pipe(empty_pipe);
    call_pipe(full_pipe);
    expect(65536, sys(SYS_write, (uint64_t)full_pipe[1], USER_DATA, 65536));
    expect(0, sys(SYS_mknod, user_string(AT(0), "/tmp/fifo"), 0010644, 0));
}

enum sleeper {
    IN_PAUSE,
    IN_NANOSLEEP,
    IN_READ,
    IN_WRITE,
    IN_POLL,
    IN_SELECT,
    IN_WAIT,
    IN_OPEN,
    IN_SUSPEND,
    IN_TIMEDWAIT,
    IN_CONSOLE,
    IN_FUTEX,
    IN_TIMED_FUTEX,
    IN_VFORK,
    SLEEPERS
};

static void lasts(void)
{
    call_sleep_ms(1000000);
}

static long sleep_in(enum sleeper which)
{
    const uint64_t time[2] = {1000, 0};
    const int32_t polled[2] = {empty_pipe[0], 1};
    user_write(AT(3), time, sizeof(time));
    switch (which) {
    case IN_PAUSE:
        return sys(SYS_pause);
    case IN_NANOSLEEP:
        return sys(SYS_nanosleep, AT(3), AT(3));
    case IN_READ:
        return sys(SYS_read, (uint64_t)empty_pipe[0], AT(4), 1);
    case IN_WRITE:
        return sys(SYS_write, (uint64_t)full_pipe[1], AT(4), 1);
    case IN_POLL:
        user_write(AT(4), polled, sizeof(polled));
        return sys(SYS_poll, AT(4), 1, (uint64_t)-1);
    case IN_SELECT:
        user_store(AT(4), 1ull << empty_pipe[0]);
        return sys(SYS_select, (uint64_t)empty_pipe[0] + 1, AT(4), 0, 0, 0);
    case IN_WAIT:
        (void)user_fork(lasts, 0);
        return sys(SYS_wait4, (uint64_t)-1, 0, 0, 0);
    case IN_OPEN:
        return call_open("/tmp/fifo", O_RDONLY, 0);
    case IN_SUSPEND:
        user_store(AT(4), 0);
        return sys(SYS_rt_sigsuspend, AT(4), 8);
    case IN_TIMEDWAIT:
        user_store(AT(4), SIGNAL_BIT(SIGUSR2));
        return sys(SYS_rt_sigtimedwait, AT(4), 0, AT(3), 8);
    case IN_CONSOLE:
        return sys(SYS_read, 0, AT(4), 1);
    case IN_FUTEX: /* in memory that others may share */
        return sys(SYS_futex, (uint64_t)sys(SYS_mmap, 0, PAGE_SIZE, 3, 0x21, (uint64_t)-1, 0), 0);
    case IN_TIMED_FUTEX: /* in memory of the process */
        user_store(AT(4), 0);
        return sys(SYS_futex, AT(4), 0, 0, AT(3));
    case IN_VFORK:
        return user_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, lasts, 0);
    default:
        return 0;
    }
}

static void sleeps_until_killed(void)
{
    (void)sleep_in((enum sleeper)user_argument());
}

PROGRAM_TEST(killed_in_every_sleep)
{
    make_sleepers_files();
    for (unsigned i = 0; i < SLEEPERS; i++) {
        long pid = user_fork(sleeps_until_killed, i);
        call_sleep_ms(20);
        expect(0, call_kill(pid, SIGKILL));
        expect_signal(pid, SIGKILL);
    }
}

static void sleeps_until_interrupted(void)
{
    expect(0, user_on_signal(SIGUSR1, counts, (uint32_t)(user_argument() >> 32), 0));
    long result = sleep_in((enum sleeper)(uint32_t)user_argument());
    expect(1, user_load(RUNS) > 0);
    expect(-EINTR, result);
    sys(SYS_exit_group, 1);
}

/* A handler without SA_RESTART ends each sleep, except that of a parent in vfork. */
PROGRAM_TEST(interrupted_in_every_sleep)
{
    make_sleepers_files();
    for (unsigned i = 0; i < SLEEPERS; i++) {
        if (i == IN_VFORK)
            continue;
        long pid = user_fork(sleeps_until_interrupted, i);
        call_sleep_ms(20);
        expect(0, call_kill(pid, SIGUSR1));
        expect_exit(pid, 1);
    }
}

/* With SA_RESTART some sleeps continue until a signal ends the process. */
PROGRAM_TEST(restarted_sleeps)
{
    static const bool restarts[SLEEPERS] = {
        [IN_READ] = true, [IN_WRITE] = true,   [IN_WAIT] = true,
        [IN_OPEN] = true, [IN_CONSOLE] = true, [IN_FUTEX] = true};
    make_sleepers_files();
    for (unsigned i = 0; i < SLEEPERS; i++) {
        if (i == IN_VFORK)
            continue;
        long pid = user_fork(sleeps_until_interrupted, i | (uint64_t)SA_RESTART << 32);
        call_sleep_ms(20);
        expect(0, call_kill(pid, SIGUSR1));
        call_sleep_ms(20);
        expect(0, call_kill(pid, SIGTERM));
        if (restarts[i])
            expect_signal(pid, SIGTERM);
        else
            expect_exit(pid, 1);
    }
}

/* A signal that is ignored or blocked does not end a sleep. */
static void sleeps_through(void)
{
    const uint64_t ignore[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    user_write(AT(2), ignore, sizeof(ignore));
    expect(0, sys(SYS_rt_sigaction, SIGUSR1, AT(2), 0, 8));
    expect(0, call_mask(0, SIGNAL_BIT(SIGUSR2)));
    call_sleep_ms(100);
    sys(SYS_exit_group, 2);
}

PROGRAM_TEST(ignored_and_blocked_signals_do_not_wake)
{
    long pid = user_fork(sleeps_through, 0);
    call_sleep_ms(20);
    expect(0, call_kill(pid, SIGUSR1));
    expect(0, call_kill(pid, SIGUSR2));
    expect_exit(pid, 2);
}

/* Futexes. Words are in memory that parent and child share, if a test does not say otherwise. */

#define WAIT           0u
#define WAKE           1u
#define REQUEUE        3u
#define CMP_REQUEUE    4u
#define WAIT_BITSET    9u
#define WAKE_BITSET    10u
#define PRIVATE        128u
#define CLOCK_REALTIME 256u

#define SHARED     0x10000000ull
#define WORD(n)    (SHARED + 4 * (uint64_t)(n))
#define ALL_BITS   0xffffffffu
#define MANY       1000
#define FUTEX(...) sys(SYS_futex, __VA_ARGS__)

static void map_shared(uint64_t at, long fd)
{
    uint64_t flags = 0x11 | (fd < 0 ? 0x20 : 0); /* MAP_SHARED, MAP_FIXED, MAP_ANONYMOUS */
    expect((long)at, sys(SYS_mmap, at, PAGE_SIZE, 3, flags, (uint64_t)fd, 0));
}

static uint32_t word(unsigned n)
{
    uint32_t value;
    user_read(&value, WORD(n), sizeof(value));
    return value;
}

static void set_word(unsigned n, uint32_t value)
{
    user_write(WORD(n), &value, sizeof(value));
}

/* Waits for the first word with the bits of its argument, and exits with them. */
static void waits_with_bits(void)
{
    expect(0, FUTEX(WORD(0), WAIT_BITSET, 0, 0, 0, user_argument()));
    sys(SYS_exit_group, user_argument());
}

static long start_waiter(uint64_t bits)
{
    long pid = user_fork(waits_with_bits, bits);
    call_sleep_ms(10);
    return pid;
}

PROGRAM_TEST(a_futex_wakes_by_bits_and_in_order)
{
    map_shared(SHARED, -1);
    long one = start_waiter(1), two = start_waiter(2), both = start_waiter(3);
    expect(0, FUTEX(WORD(0), WAKE_BITSET, MANY, 0, 0, 4));
    expect(0, FUTEX(WORD(0) + PAGE_SIZE / 2, WAKE, MANY));
    expect(0, FUTEX(WORD(0), WAKE | PRIVATE, MANY)); /* the key of another kind */
    expect(1, FUTEX(WORD(0), WAKE_BITSET, 1, 0, 0, 2));
    expect_exit(two, 2);
    expect(2, FUTEX(WORD(0), WAKE, MANY));
    expect_exit(one, 1);
    expect_exit(both, 3);
    long first = start_waiter(7), second = start_waiter(8);
    expect(1, FUTEX(WORD(0), WAKE, 1));
    expect_exit(first, 7);
    expect(1, FUTEX(WORD(0), WAKE, 1));
    expect_exit(second, 8);
    expect(0, FUTEX(WORD(0), WAKE, 1));
}

PROGRAM_TEST(waiters_are_requeued)
{
    long pid[5];
    map_shared(SHARED, -1);
    for (unsigned i = 0; i < 5; i++)
        pid[i] = start_waiter(i + 1);
    expect(-EAGAIN, FUTEX(WORD(0), CMP_REQUEUE, 1, 1, WORD(1), 77));
    expect(0, FUTEX(WORD(1), REQUEUE, 1, MANY, WORD(0)));
    expect(3, FUTEX(WORD(0), REQUEUE, 1, 2, WORD(1))); /* the first is woken, two are moved */
    expect_exit(pid[0], 1);
    expect(2, FUTEX(WORD(0), CMP_REQUEUE, 0, MANY, WORD(0), 0)); /* to where they are */
    expect(2, FUTEX(WORD(0), CMP_REQUEUE, 0, MANY, AT(5), 0));   /* to memory of this process */
    expect(0, FUTEX(WORD(0), WAKE, MANY));
    expect(1, FUTEX(WORD(1), WAKE, 1));
    expect_exit(pid[1], 2);
    expect(2, FUTEX(AT(5), WAKE, MANY));
    expect_exit(pid[3], 4);
    expect_exit(pid[4], 5);
    expect(0, call_kill(pid[2], SIGKILL)); /* while it waits where it was moved to */
    expect_signal(pid[2], SIGKILL);
    expect(0, FUTEX(WORD(1), WAKE, MANY));
}

/* A word of a file is the same one through each mapping; one that was copied by fork is not. */
static void maps_elsewhere(void)
{
    map_shared(SHARED + 8 * PAGE_SIZE, (long)user_argument());
    expect(0, sys(SYS_munmap, SHARED, PAGE_SIZE));
    expect(0, FUTEX(SHARED + 8 * PAGE_SIZE, WAIT, 0));
}

static void waits_in_its_copy(void)
{
    (void)FUTEX(AT(5), WAIT, 0);
}

PROGRAM_TEST(what_is_one_futex)
{
    long fd = call_open("/tmp/f", O_RDWR | O_CREAT, 0600);
    expect(0, sys(SYS_ftruncate, (uint64_t)fd, PAGE_SIZE));
    map_shared(SHARED, fd);
    long pid = user_fork(maps_elsewhere, (uint64_t)fd);
    call_sleep_ms(10);
    expect(0, sys(SYS_unlink, user_string(AT(0), "/tmp/f")));
    expect(0, call_close(fd));
    expect(1, FUTEX(WORD(0), WAKE, MANY));
    expect_exit(pid, 0);
    user_store(AT(5), 0);
    pid = user_fork(waits_in_its_copy, 0);
    call_sleep_ms(10);
    expect(0, FUTEX(AT(5), WAKE, MANY));
    expect(0, call_kill(pid, SIGKILL));
    expect_signal(pid, SIGKILL);
}

PROGRAM_TEST(futex_arguments)
{
    const int64_t bad_time[2] = {0, -1}, past[2] = {0, 1};
    map_shared(SHARED, -1);
    user_write(AT(3), bad_time, sizeof(bad_time));
    user_write(AT(4), past, sizeof(past));
    expect(-EINVAL, FUTEX(WORD(0) + 1, WAIT, 0));
    expect(-EINVAL, FUTEX(WORD(0) + 2, WAKE, 1));
    expect(-EFAULT, FUTEX(8, WAIT, 0));
    expect(-EFAULT, FUTEX(1ull << 63, WAKE | PRIVATE, 1));
    expect(-EFAULT, FUTEX(8, WAKE, 1));
    expect(-EINVAL, FUTEX(WORD(0), WAIT_BITSET, 0, 0, 0, 0));
    expect(-EINVAL, FUTEX(WORD(0), WAKE_BITSET, 1, 0, 0, 0));
    expect(-EAGAIN, FUTEX(WORD(0), WAIT, 1));
    expect(-EINVAL, FUTEX(WORD(0), WAIT, 0, AT(3)));
    expect(-EINVAL, FUTEX(WORD(0), WAIT_BITSET, 0, AT(3), 0, ALL_BITS));
    expect(-EFAULT, FUTEX(WORD(0), WAIT_BITSET, 0, 8, 0, ALL_BITS));
    expect(-ETIMEDOUT, FUTEX(WORD(0), WAIT, 0, AT(4)));
    expect(-ETIMEDOUT, FUTEX(WORD(0), WAIT_BITSET, 0, AT(4), 0, ALL_BITS));
    expect(-ETIMEDOUT,
           FUTEX(WORD(0), WAIT_BITSET | CLOCK_REALTIME | PRIVATE, 0, AT(4), 0, ALL_BITS));
    expect(-ENOSYS, FUTEX(WORD(0), WAIT | CLOCK_REALTIME, 0, AT(4)));
    expect(-ENOSYS, FUTEX(WORD(0), 6)); /* FUTEX_LOCK_PI */
    expect(-EINVAL, FUTEX(WORD(0), REQUEUE, (uint64_t)-1, 1, WORD(1)));
    expect(-EINVAL, FUTEX(WORD(0), REQUEUE, 1, (uint64_t)-1, WORD(1)));
    expect(-EINVAL, FUTEX(WORD(0), REQUEUE, 1, 1, WORD(1) + 1));
    expect(-EFAULT, FUTEX(WORD(0), REQUEUE, 1, 1, 8));
}

/* A robust list: its head, and an entry before each mutex. In shared memory, so that the parent sees the words. */

#define HEAD         (SHARED + 0xf00)
#define ENTRY(n)     (SHARED + 0x800 + 16 * (uint64_t)(n))
#define OWNER_DIED   0x40000000u
#define HAS_WAITERS  0x80000000u
#define OFFSET(n)    (WORD(n) - ENTRY(n)) /* of the n-th mutex; the list has one offset only */
#define MUTEX(n)     ((unsigned)((ENTRY(n) + OFFSET(0) - SHARED) / 4))
#define NO_PENDING   0
#define NR_ENTRIES   70 /* more than are looked at in one piece */
#define PATIENT_WAIT 40 /* the number of a mutex somebody waits for */

static void write_list(uint64_t first, uint64_t pending)
{
    const uint64_t head[3] = {first, OFFSET(0), pending};
    user_write(HEAD, head, sizeof(head));
    expect(0, sys(SYS_set_robust_list, HEAD, 24));
}

static void owns_mutexes(void)
{
    uint32_t tid = (uint32_t)sys(SYS_gettid);
    for (unsigned i = 0; i < NR_ENTRIES; i++) {
        user_store(ENTRY(i), i + 1 < NR_ENTRIES ? ENTRY(i + 1) : HEAD);
        set_word(MUTEX(i), i == 3   ? tid + 1 /* of another thread */
                           : i == 5 ? 0
                                    : tid | (i == PATIENT_WAIT ? HAS_WAITERS : 0));
    }
    set_word(MUTEX(NR_ENTRIES), tid); /* about to be taken */
    write_list(ENTRY(0) | 1, ENTRY(NR_ENTRIES));
    set_word(0, tid);
    call_sleep_ms(20); /* meanwhile somebody waits */
}

static void waits_for_mutex(void)
{
    expect(0, FUTEX(WORD(user_argument()), WAIT, word((unsigned)user_argument())));
}

static void check_mutexes(uint32_t tid)
{
    for (unsigned i = 0; i <= NR_ENTRIES; i++) {
        uint32_t wanted = i == 3              ? tid + 1
                          : i == 5            ? 0
                          : i == PATIENT_WAIT ? OWNER_DIED | HAS_WAITERS
                                              : OWNER_DIED;
        expect(wanted, word(MUTEX(i)));
    }
}

static void mutexes_pass_on(void)
{
    map_shared(SHARED, -1);
    long owner = user_fork(owns_mutexes, 0);
    call_sleep_ms(5);
    long waiter = user_fork(waits_for_mutex, MUTEX(PATIENT_WAIT));
    expect_exit(owner, 0);
    expect_exit(waiter, 0);
    check_mutexes((uint32_t)owner);
}

static void test_mutexes_of_a_dead_owner_pass_on(void **state)
{
    const struct machine_options chopped = {.check_calls = true, .cmdline = "chop"};
    (void)state;
    run_init_with(mutexes_pass_on, NULL, 0);
    assert_int_equal(machine_run(mutexes_pass_on, &chopped).value, 0);
}

/* Lists that lead nowhere, or round in a circle: what comes before is left, and the process ends. */
static void owns_a_circle(void)
{
    uint32_t tid = (uint32_t)sys(SYS_gettid);
    set_word(MUTEX(0), tid);
    set_word(MUTEX(1), tid);
    user_store(ENTRY(0), ENTRY(1));
    user_store(ENTRY(1), user_argument());
    write_list(ENTRY(0), NO_PENDING);
}

/* The mutex is free by now; whoever waits for it would have been woken by the owner. */
static void has_left_a_mutex(void)
{
    user_store(ENTRY(0), HEAD);
    write_list(HEAD, ENTRY(0));
    call_sleep_ms(20);
}

static void owns_read_only_memory(void)
{
    owns_a_circle();
    expect(0, sys(SYS_mprotect, SHARED, PAGE_SIZE, 1));
}

static void has_no_list(void)
{
    expect(0, sys(SYS_set_robust_list, user_argument(), 24));
}

static void leaves_broken_lists(void)
{
    const uint64_t ends[] = {ENTRY(0),    ENTRY(1), 8, 1ull << 63, SHARED + PAGE_SIZE - 4,
                             ENTRY(1) + 1};
    map_shared(SHARED, -1);
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        expect_exit(user_fork(owns_a_circle, ends[i]), 0);
        expect(OWNER_DIED, word(MUTEX(0)));
        expect(OWNER_DIED, word(MUTEX(1)));
    }
    expect_exit(user_fork(owns_read_only_memory, HEAD), 0);
    expect(1, word(MUTEX(0)) > 1 && word(MUTEX(0)) < OWNER_DIED);
    expect_exit(user_fork(has_no_list, 8), 0);
    expect_exit(user_fork(has_no_list, 1ull << 63), 0);
    expect(-EINVAL, sys(SYS_set_robust_list, HEAD, 23));
    set_word(MUTEX(0), 0);
    long owner = user_fork(has_left_a_mutex, 0);
    long waiter = user_fork(waits_for_mutex, MUTEX(0));
    expect_exit(owner, 0);
    expect_exit(waiter, 0);
}

/* A circle is read again and again. */
static void test_broken_robust_lists(void **state)
{
    const struct machine_options options = {.check_calls = true, .allow_refetch = true};
    (void)state;
    assert_int_equal(machine_run(leaves_broken_lists, &options).value, 0);
}

/* A descriptor is closed while another process that shares it waits for a lock by it: nobody gets the lock. */
static void waits_for_a_lock(void)
{
    const int16_t wanted[16] = {1}; /* F_WRLCK, of the whole file */
    user_write(AT(3), wanted, sizeof(wanted));
    expect(-EBADF, sys(SYS_fcntl, user_argument(), F_SETLKW, AT(3)));
}

static void closes_its_file(void)
{
    long pid = user_clone(CLONE_FILES | SIGCHLD, 0, waits_for_a_lock, user_argument());
    call_sleep_ms(20);
    expect(0, call_close((long)user_argument()));
    expect_exit(pid, 0);
}

PROGRAM_TEST(a_lock_by_a_closed_descriptor)
{
    const int16_t all[16] = {1}, none[16] = {2}; /* F_WRLCK, F_UNLCK */
    uint64_t fd = (uint64_t)call_open("/tmp/f", O_RDWR | O_CREAT, 0600);
    user_write(AT(3), all, sizeof(all));
    expect(0, sys(SYS_fcntl, fd, F_SETLK, AT(3)));
    long pid = user_fork(closes_its_file, fd);
    call_sleep_ms(50);
    user_write(AT(3), none, sizeof(none));
    expect(0, sys(SYS_fcntl, fd, F_SETLK, AT(3)));
    expect_exit(pid, 0);
    user_write(AT(3), all, sizeof(all));
    expect(0, sys(SYS_fcntl, fd, F_SETLK, AT(3)));
}

static void reads_late(void)
{
    call_sleep_ms(20);
    for (unsigned i = 0; i < 2; i++) {
        expect(32768, sys(SYS_read, user_argument(), USER_DATA + 0x4000, 32768));
        call_sleep_ms(20);
    }
}

/* sendfile(2) waits for room in the pipe before each page. */
PROGRAM_TEST(sendfile_to_a_full_pipe)
{
    make_sleepers_files();
    uint64_t fd = (uint64_t)call_open("/tmp/f", O_RDWR | O_CREAT, 0600);
    expect(0, sys(SYS_ftruncate, fd, 32768));
    long pid = user_fork(reads_late, (uint64_t)full_pipe[0]);
    long done = 0, n = 1;
    while (n > 0 && done < 32768) {
        n = sys(SYS_sendfile, (uint64_t)full_pipe[1], fd, 0, 32768);
        done += n;
    }
    expect(32768, done);
    expect_exit(pid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_in_every_sleep),
        cmocka_unit_test(test_a_lock_by_a_closed_descriptor),
        cmocka_unit_test(test_sendfile_to_a_full_pipe),
        cmocka_unit_test(test_interrupted_in_every_sleep),
        cmocka_unit_test(test_restarted_sleeps),
        cmocka_unit_test(test_ignored_and_blocked_signals_do_not_wake),
        cmocka_unit_test(test_a_futex_wakes_by_bits_and_in_order),
        cmocka_unit_test(test_waiters_are_requeued),
        cmocka_unit_test(test_what_is_one_futex),
        cmocka_unit_test(test_futex_arguments),
        cmocka_unit_test(test_mutexes_of_a_dead_owner_pass_on),
        cmocka_unit_test(test_broken_robust_lists),
    };
    return cmocka_run_group_tests_name("sleeps", tests, NULL, check_stacks);
}
