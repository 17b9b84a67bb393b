/* Exceptions of a whole kernel on the host that no program can cause: those of the kernel itself end the machine with
 * a sentence that says what happened. */
#include "tests/kernel_test.h"

#include "arch/descriptors.h"
#include "arch/entry.h"
#include "arch/x86.h"
#include "dev/timer.h"
#include "host/cpu.h"
#include "trap/explain.h"
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
    trap_of_kernel(VEC_PF, 0, 0x1234, virt(8));
}

static void faults_above_user_memory(void)
{
    trap_of_kernel(VEC_PF, PF_WR, 0x1000,
                   virt(USER_END)); /* where the copy from and to a program is */
}

static void finds_reserved_bits(void)
{
    trap_of_kernel(VEC_PF, PF_RSVD | PF_P, 0x1234, virt(0x5000));
}

static void divides_in_the_kernel(void)
{
    trap_of_kernel(VEC_DE, 0, 0x1234, virt(0));
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
    trap_of_kernel(VEC_NMI, 0, 0x1234, virt(0));
    trap_of_kernel(VEC_DB, 0, (uint64_t)entry_syscall, virt(0));
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

static void says(unsigned vector, uint64_t error, const char *wanted)
{
    struct trap_frame frame = {.vector = vector, .error = error};
    char text[128];
    explain_exception(&frame, text, sizeof(text));
    if (strcmp(text, wanted) != 0)
        fail_msg("%s, not: %s", text, wanted);
}

static void test_error_codes_are_decoded(void **state)
{
    (void)state;
    says(VEC_PF, 0, "page fault: the kernel read from a page that is not present");
    says(VEC_PF, PF_P | PF_WR | PF_US,
         "page fault: the program wrote to a page that is present but does not allow it");
    says(VEC_PF, PF_P | PF_ID,
         "page fault: the kernel executed a page that is present but does not allow it");
    says(VEC_PF, PF_P | PF_RSVD,
         "page fault: the kernel read from a page whose entry has a reserved bit set");
    says(VEC_GP, 0, "general protection: no selector is the cause");
    says(VEC_GP, 0x18, "general protection: caused by entry 3 of the GDT");
    says(VEC_NP, 0x14, "segment not present: caused by entry 2 of the LDT");
    says(VEC_SS, 0xff8 | 2, "stack segment: caused by entry 511 of the IDT");
    says(VEC_DE, 0, "divide error");
    says(VEC_DF, 0, "double fault");
    says(9, 0, "unknown exception");
}

static void expect_said(const char *text)
{
    if (!strstr(console_text(), text))
        host_fail("\"%s\" is not in: %s", text, console_text());
}

PROGRAM_TEST(a_walk_is_explained)
{
    phys_t root = frame_phys(current_process->aspace->pt.root);
    user_store(AT(1), 1);
    console_forget();
    explain_walk(root, virt(AT(1)));
    expect_said("walk: PML4 entry ");
    expect_said("walk: PT entry ");
    expect_said(": writable, user, not executable, the page is at 0x");
    console_forget();
    explain_walk(root, virt(0x700000000000));
    expect_said("is 0x0: not present, so nothing is mapped in these 536870912 KiB");
    console_forget();
    explain_walk(root, virt(0x800000000000));
    expect_said("0x800000000000 is not canonical");
    expect(1, strstr(console_text(), "PML4 entry") == NULL);
    console_forget();
    explain_walk(phys(1ull << 50), virt(0));
    expect_said("the PML4 at 0x4000000000000 is not in memory");
}

PROGRAM_TEST(a_walk_ends_at_a_large_page)
{
    struct frame *tables[3];
    for (unsigned i = 0; i < 3; i++)
        tables[i] = frame_alloc_zeroed(FRAME_STACK);
    for (unsigned i = 0; i < 2; i++)
        *(uint64_t *)frame_ptr(tables[i]) = frame_phys(tables[i + 1]).value | PTE_P | PTE_RW;
    ((uint64_t *)frame_ptr(tables[2]))[1] = PTE_P | PTE_PS | PTE_XD;
    console_forget();
    explain_walk(frame_phys(tables[0]), virt(0x200000));
    expect_said(
        "walk: PD entry 1 is 0x8000000000000081: read-only, kernel only, not executable, the page");
    expect(1, strstr(console_text(), "walk: PT entry") == NULL);
    for (unsigned i = 0; i < 3; i++)
        frame_put(tables[i]);
}

PROGRAM_TEST(the_area_is_explained)
{
    long at = sys(SYS_mmap, 0x30000000, 2 * PAGE_SIZE, PROT_READ, 0x22, (uint64_t)-1, 0);
    virt_t start = virt((uint64_t)at);
    console_forget();
    explain_area(current_process, virt_add(start, 5), ACCESS_WRITE);
    expect_said("r-- (no file) has it and would need the right to write");
    console_forget();
    explain_area(current_process, virt_add(start, 5), ACCESS_READ);
    expect_said("has it and allows the read");
    console_forget();
    explain_area(current_process, virt_add(start, 2 * PAGE_SIZE + 7), ACCESS_READ);
    expect_said("area: none has");
    expect_said("area: 7 bytes above the end of");
    console_forget();
    explain_area(current_process, virt_sub(start, 3), ACCESS_READ);
    expect_said("area: 3 bytes below the start of");
    console_forget();
    explain_area(current_process, virt(USER_END), ACCESS_READ);
    expect(0, (long)strlen(console_text()));
}

static void reads_nothing(void)
{
    (void)user_load(0x700000000000);
}

static void test_details_of_a_fault(void **state)
{
    struct machine_options options = {.cmdline = ""};
    (void)state;
    assert_int_equal(machine_run(reads_nothing, &options).verdict, VERDICT_SIGNAL);
    assert_null(strstr(console_text(), "walk:"));
    options.cmdline = "show=faults";
    assert_int_equal(machine_run(reads_nothing, &options).verdict, VERDICT_SIGNAL);
    assert_non_null(strstr(console_text(),
                           "fault: page fault: the program read from a page that is not present"));
    assert_non_null(strstr(console_text(), "walk: PML4 entry 224 is 0x0"));
    assert_non_null(strstr(console_text(), "area: none has 0x700000000000"));
    assert_non_null(strstr(console_text(), "umbra: user: rip 0x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_the_kernel_end_it),
        cmocka_unit_test(test_lending_ends_before_a_sleep),
        cmocka_unit_test(test_exceptions_that_mean_nothing),
        cmocka_unit_test(test_error_codes_are_decoded),
        cmocka_unit_test(test_a_walk_is_explained),
        cmocka_unit_test(test_a_walk_ends_at_a_large_page),
        cmocka_unit_test(test_the_area_is_explained),
        cmocka_unit_test(test_details_of_a_fault),
        cmocka_unit_test(test_faults_with_stops),
    };
    return cmocka_run_group_tests_name("traps of a whole kernel", tests, NULL, NULL);
}
