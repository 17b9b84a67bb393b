/* Exceptions of a whole kernel on the host that no program can cause: those of the kernel itself end the machine with
 * a sentence that says what happened. */
#include "tests/kernel_test.h"

#include "arch/descriptors.h"
#include "arch/entry.h"
#include "arch/x86.h"
#include "dev/timer.h"
#include "host/cpu.h"
#include "trap/trap.h"

/* An exception while the kernel runs. */
static void trap_of_kernel(unsigned vector, uint64_t error, uint64_t rip, virt_t address)
{
    struct trap_frame frame = {.vector = vector,
                               .error = error,
                               .rip = rip,
                               .cs = SEL_KERNEL_CS,
                               .ss = SEL_KERNEL_DS,
                               .rflags = RFLAGS_FIXED};
    cpu_set_fault_address(address);
    trap_dispatch(&frame);
}

static void run_with_stops(void *init)
{
    const struct machine_options options = {.cmdline = "stop=fault"};
    (void)machine_run((user_fn *)init, &options);
}

static void expect_panic(user_fn *init, const char *text)
{
    const char *finding = fail_of(run_with_stops, (void *)init);
    assert_non_null(finding);
    if (!strstr(finding, text))
        fail_msg("%s, not: %s", finding, text);
}

static void faults_in_the_kernel(void)
{
    trap_of_kernel(VEC_PF, 0, 0x1234, 8);
}

static void faults_above_user_memory(void)
{
    trap_of_kernel(VEC_PF, PF_WR, 0x1000, USER_END); /* where the copy from and to a program is */
}

static void finds_reserved_bits(void)
{
    trap_of_kernel(VEC_PF, PF_RSVD | PF_P, 0x1234, 0x5000);
}

static void divides_in_the_kernel(void)
{
    trap_of_kernel(VEC_DE, 0, 0x1234, 0);
}

static void needs_stacks(void)
{
    for (;;)
        trap_init();
}

static void passes_a_point_while_lending(void)
{
    FOR_EACH_PROCESS (process)
        sched_point();
}

static void sleeps_while_lending(void)
{
    LENDING();
    (void)sched_wait(timer_monotonic_ns() + 1000000);
}

static void test_lending_ends_before_a_sleep(void **state)
{
    (void)state;
    expect_panic(passes_a_point_while_lending, "a scheduling point while something is lent");
    expect_panic(sleeps_while_lending, "a thread sleeps while something is lent");
}

static void test_faults_of_the_kernel_end_it(void **state)
{
    (void)state;
    expect_panic(faults_in_the_kernel, "page fault in the kernel at 0x8");
    expect_panic(faults_above_user_memory, "page fault in the kernel at 0x7ffffffff000");
    expect_panic(finds_reserved_bits, "reserved bit in the page tables for 0x5000");
    expect_panic(divides_in_the_kernel, "exception 0");
    expect_panic(needs_stacks, "no memory for exception stacks");
}

PROGRAM_TEST(exceptions_that_mean_nothing)
{
    trap_of_kernel(VEC_NMI, 0, 0x1234, 0);
    trap_of_kernel(VEC_DB, 0, (uint64_t)entry_syscall, 0);
    user_exception_at(VEC_NMI, 0);
}

/* With stops, a fault that cannot be served is a signal as without. */
static void faults_with_stops(void)
{
    (void)user_load(8);
}

static void forks_one_that_faults(void)
{
    expect_signal(user_fork(faults_with_stops, 0), SIGSEGV);
}

static void test_faults_with_stops(void **state)
{
    const struct machine_options options = {.cmdline = "stop=fault", .check_calls = true};
    (void)state;
    assert_int_equal(machine_run(forks_one_that_faults, &options).value, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_the_kernel_end_it),
        cmocka_unit_test(test_lending_ends_before_a_sleep),
        cmocka_unit_test(test_exceptions_that_mean_nothing),
        cmocka_unit_test(test_faults_with_stops),
    };
    return cmocka_run_group_tests_name("traps of a whole kernel", tests, NULL, NULL);
}
