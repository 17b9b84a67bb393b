/* The machine of kernel/host itself: it boots and ends several times, and detects leaks. */
#include "tests/test.h"

#include <sys/syscall.h>

#include "host/machine.h"
#include "task/signal.h"

static const struct machine_options checked = {.check_calls = true};

static void exits_with_7(void)
{
    sys(SYS_exit_group, 7);
}

static void test_init_exits(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct machine_end end = machine_run(exits_with_7, &checked);
        assert_int_equal(end.verdict, VERDICT_EXIT);
        assert_int_equal(end.value, 7);
    }
}

static void child(void)
{
    sys(SYS_exit_group, 20 + user_argument());
}

static void forks(void)
{
    for (unsigned i = 0; i < 3; i++) {
        long pid = user_fork(child, i);
        expect(2 + i, pid);
        expect(pid, sys(SYS_wait4, (uint64_t)-1, USER_DATA, 0, 0));
        expect((20 + i) << 8, user_load(USER_DATA) & 0xffffffff);
    }
    expect(-10, sys(SYS_wait4, (uint64_t)-1, 0, 0, 0));
}

static void test_fork_and_wait(void **state)
{
    (void)state;
    assert_int_equal(machine_run(forks, &checked).value, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_exits),
        cmocka_unit_test(test_fork_and_wait),
    };
    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
