/* Sleeping system calls of a whole kernel on the host: which signals end each sleep. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_in_every_sleep),
        cmocka_unit_test(test_interrupted_in_every_sleep),
        cmocka_unit_test(test_restarted_sleeps),
        cmocka_unit_test(test_ignored_and_blocked_signals_do_not_wake),
    };
    return cmocka_run_group_tests_name("sleeps", tests, NULL, check_stacks);
}
