/*
 * Shared by the tests of a whole kernel. A test is a program for process 1; it ends the test by
 * expect().
 */
#ifndef UMBRA_TESTS_KERNEL_TEST_H
#define UMBRA_TESTS_KERNEL_TEST_H

#include "tests/test.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "host/machine.h"
#include "lib/errno.h"
#include "task/process.h"

/* The most bytes of kernel stack that a call may use, in builds without sanitizers, whose frames
 * are as large as in the kernel. 0: it is not measured. */
#ifndef KERNEL_STACK_BOUND
#define KERNEL_STACK_BOUND 0
#endif

/* A group's teardown: checks that no call has used more. */
static inline int check_stacks(void **state)
{
    int error = 0;
    (void)state;
    for (unsigned number = 0; KERNEL_STACK_BOUND > 0 && number < 512; number++) {
        size_t depth = machine_stack_of(number);
        if (depth > KERNEL_STACK_BOUND * 3 / 4)
            print_message("# system call %u: %zu bytes of stack\n", number, depth);
        if (depth > KERNEL_STACK_BOUND)
            error = -1;
    }
    return error;
}

/* Runs /init with all checks after each call, and asserts that it exits with 0. */
static inline void run_init_with(user_fn *init, const struct machine_file *files, size_t nr)
{
    const struct machine_options options = {.check_calls = true,
                                            .files = files,
                                            .nr_files = nr,
                                            .measure_stacks = KERNEL_STACK_BOUND > 0};
    struct machine_end end = machine_run(init, &options);
    assert_int_equal(end.verdict, VERDICT_EXIT);
    assert_int_equal(end.value, 0);
}

#define PROGRAM_TEST(name)                                                                         \
    static void name(void);                                                                        \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        run_init_with(name, NULL, 0);                                                              \
    }                                                                                              \
    static void name(void)

/* Calls that many tests use. The slots for strings and structures are at the start of USER_DATA. */
#define AT(n) (USER_DATA + 0x1000 + 0x100 * (n)) /* slots of 256 bytes */

static inline long call_open(const char *path, int flags, unsigned mode)
{
    return sys(SYS_open, user_string(AT(0), path), (uint64_t)flags, mode);
}

static inline long call_close(long fd)
{
    return sys(SYS_close, (uint64_t)fd);
}

static inline long call_wait(long pid, int *status)
{
    long got = sys(SYS_wait4, (uint64_t)pid, AT(1), 0, 0);
    user_read(status, AT(1), sizeof(*status));
    return got;
}

/* Waits for the child and expects that it exits with the value. */
static inline void expect_exit(long pid, int value)
{
    int status;
    expect(pid, call_wait(pid, &status));
    expect(value << 8, status);
}

static inline void expect_signal(long pid, int signal)
{
    int status;
    expect(pid, call_wait(pid, &status));
    expect(signal, status);
}

static inline void call_pipe(int fds[2])
{
    expect(0, sys(SYS_pipe, AT(1)));
    user_read(fds, AT(1), 2 * sizeof(fds[0]));
}

static inline void call_sleep_ms(uint64_t ms)
{
    const uint64_t time[2] = {ms / 1000, ms % 1000 * 1000000};
    user_write(AT(1), time, sizeof(time));
    (void)sys(SYS_nanosleep, AT(1), 0);
}

/* rt_sigprocmask(2) with this set. */
static inline long call_mask(int how, uint64_t set)
{
    user_store(AT(21), set);
    return sys(SYS_rt_sigprocmask, (uint64_t)how, AT(21), 0, 8);
}

static inline long call_kill(long pid, int signal)
{
    return sys(SYS_kill, (uint64_t)pid, (uint64_t)signal);
}

#endif
