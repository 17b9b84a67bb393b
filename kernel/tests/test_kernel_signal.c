/* Signals of a whole kernel on the host: handlers, masks, timers, hostile frames. */
#include "tests/kernel_test.h"

#include "arch/x86.h"
#include "proc/proc.h"

/* The address of a handler's counter. */
#define RUNS AT(20)

static void counts(int signal, uint64_t info, uint64_t context)
{
    (void)info, (void)context;
    user_store(RUNS, user_load(RUNS) * 100 + (uint64_t)signal);
}

PROGRAM_TEST(handler_runs_and_returns)
{
    expect(0, user_on_signal(SIGUSR1, counts, 0, 0));
    expect(0, call_kill(1, SIGUSR1));
    expect(SIGUSR1, user_load(RUNS));
}

PROGRAM_TEST(blocked_signals_wait)
{
    uint64_t pending;
    expect(0, user_on_signal(SIGUSR1, counts, 0, 0));
    expect(0, user_on_signal(SIGUSR2, counts, 0, 0));
    expect(0, call_mask(0, SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2)));
    expect(0, call_kill(1, SIGUSR2));
    expect(0, call_kill(1, SIGUSR1));
    expect(0, call_kill(1, SIGUSR1));
    expect(0, sys(SYS_rt_sigpending, AT(22), 8));
    user_read(&pending, AT(22), sizeof(pending));
    expect(SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2), pending);
    expect(0, user_load(RUNS));
    expect(0, call_mask(1, UINT64_MAX));
    /* frames are stacked in the order of numbers: the last one runs first */
    expect(SIGUSR2 * 100 + SIGUSR1, user_load(RUNS));
}

static void raises_again(int signal, uint64_t info, uint64_t context)
{
    (void)info, (void)context;
    uint64_t runs = user_load(RUNS) + 1;
    user_store(RUNS, runs);
    if (runs < 5)
        expect(0, call_kill(1, signal));
    user_store(AT(23), user_load(AT(23)) + (user_load(RUNS) == 5)); /* only nested runs see 5 */
}

PROGRAM_TEST(handlers_nest_with_nodefer)
{
    expect(0, user_on_signal(SIGUSR1, raises_again, SA_NODEFER, 0));
    expect(0, call_kill(1, SIGUSR1));
    expect(5, user_load(RUNS));
    expect(5, user_load(AT(23)));
}

PROGRAM_TEST(handlers_follow_each_other_without_nodefer)
{
    expect(0, user_on_signal(SIGUSR1, raises_again, 0, 0));
    expect(0, call_kill(1, SIGUSR1));
    expect(5, user_load(RUNS));
    expect(1, user_load(AT(23)));
}

static void kills_itself_twice(void)
{
    expect(0, user_on_signal(SIGUSR1, counts, SA_RESETHAND, 0));
    expect(0, call_kill(sys(SYS_getpid), SIGUSR1));
    expect(SIGUSR1, user_load(RUNS));
    (void)call_kill(sys(SYS_getpid), SIGUSR1);
}

PROGRAM_TEST(reset_handler)
{
    expect_signal(user_fork(kills_itself_twice, 0), SIGUSR1);
}

/* The handler of a fault skips the instruction. */
static void skips(int signal, uint64_t info, uint64_t context)
{
    expect(SIGSEGV, signal);
    user_store(AT(24), user_load(info + 16));
    user_store(AT(25), user_load(info + 8) & 0xffffffff);
    user_skip(context);
}

PROGRAM_TEST(fault_leads_to_a_handler)
{
    expect(0, user_on_signal(SIGSEGV, skips, 0, 0));
    expect(0, user_load(0x10008));
    expect(0x10008, user_load(AT(24)));
    expect(SEGV_MAPERR, user_load(AT(25)));
    user_store(USER_TEXT + 16, 1);
    expect(USER_TEXT + 16, user_load(AT(24)));
    expect(SEGV_ACCERR, user_load(AT(25)));
    user_fetch(USER_DATA);
    expect(USER_DATA, user_load(AT(24)));
    expect(0, user_load(USER_END + 8));
}

static void causes_exception(void)
{
    user_exception_at((unsigned)user_argument(), 0);
}

PROGRAM_TEST(exceptions_end_a_process)
{
    static const struct {
        unsigned vector;
        int signal;
    } cases[] = {{VEC_DE, SIGFPE},  {VEC_DB, SIGTRAP}, {VEC_BP, SIGTRAP}, {VEC_OF, SIGSEGV},
                 {VEC_UD, SIGILL},  {VEC_GP, SIGSEGV}, {VEC_SS, SIGBUS},  {VEC_AC, SIGBUS},
                 {VEC_MF, SIGFPE},  {VEC_XM, SIGFPE},  {VEC_NP, SIGBUS},  {VEC_TS, SIGSEGV},
                 {VEC_NM, SIGSEGV}, {VEC_BR, SIGSEGV}, {21, SIGSEGV}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_signal(user_fork(causes_exception, cases[i].vector), cases[i].signal);
}

static void catches(int signal, uint64_t info, uint64_t context)
{
    (void)info;
    user_store(RUNS, (uint64_t)signal);
    user_skip(context);
}

PROGRAM_TEST(exception_leads_to_a_handler)
{
    expect(0, user_on_signal(SIGFPE, catches, 0, 0));
    user_exception_at(VEC_DE, 0);
    expect(SIGFPE, user_load(RUNS));
}

static void faults_while_blocked(void)
{
    expect(0, user_on_signal(SIGSEGV, skips, 0, 0));
    expect(0, call_mask(0, SIGNAL_BIT(SIGSEGV)));
    (void)user_load(8);
}

PROGRAM_TEST(blocked_fault_ends_the_process)
{
    expect_signal(user_fork(faults_while_blocked, 0), SIGSEGV);
}

/* The handler's frame is on the alternate stack. */
static void notes_its_stack(int signal, uint64_t info, uint64_t context)
{
    (void)signal, (void)context;
    user_store(AT(26), info);
    expect(-EPERM, sys(SYS_sigaltstack, AT(27), 0)); /* not while it is in use */
}

static void notes_disarmed_stack(int signal, uint64_t info, uint64_t context)
{
    (void)signal, (void)context;
    user_store(AT(26), info);
    expect(0, sys(SYS_sigaltstack, 0, AT(27)));
    expect(2, user_load(AT(27) + 8) & 0xffffffff); /* SS_DISABLE */
}

PROGRAM_TEST(alternate_stack)
{
    const uint64_t stack[3] = {USER_DATA + 0x10000, 0, 0x4000};
    user_write(AT(27), stack, sizeof(stack));
    expect(0, sys(SYS_sigaltstack, AT(27), 0));
    expect(0, user_on_signal(SIGUSR1, notes_its_stack, SA_ONSTACK, 0));
    expect(0, call_kill(1, SIGUSR1));
    expect(1, user_load(AT(26)) - stack[0] < stack[2]);
    const uint64_t disarmed[3] = {stack[0], 1u << 31, stack[2]}; /* SS_AUTODISARM */
    user_write(AT(27), disarmed, sizeof(disarmed));
    expect(0, sys(SYS_sigaltstack, AT(27), 0));
    expect(0, user_on_signal(SIGUSR1, notes_disarmed_stack, SA_ONSTACK, 0));
    user_store(AT(26), 0);
    expect(0, call_kill(1, SIGUSR1));
    expect(1, user_load(AT(26)) - stack[0] < stack[2]);
    expect(0, sys(SYS_sigaltstack, 0, AT(27)));
    expect(1u << 31, user_load(AT(27) + 8) & 0xffffffff); /* armed again */
}

static void has_no_stack(void)
{
    thread_frame(current_thread)->rsp = user_argument();
    expect(0, user_on_signal(SIGUSR1, counts, 0, 0));
    (void)call_kill(sys(SYS_getpid), SIGUSR1);
}

PROGRAM_TEST(no_room_for_the_frame)
{
    static const uint64_t stacks[] = {
        0, 8, 0x10000, USER_TEXT + 0x800, USER_END, UINT64_MAX - 8, 0x8000000000000000};
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
        expect_signal(user_fork(has_no_stack, stacks[i]), SIGSEGV);
}

/* A handler that overwrites its saved registers; offsets in Linux's struct ucontext. */
#define CONTEXT_WORD(n) (40 + 8 * (n))
#define CONTEXT_FPU     CONTEXT_WORD(23)
static uint64_t damage_word, damage_value;

static void damages(int signal, uint64_t info, uint64_t context)
{
    (void)signal, (void)info;
    user_store(context + CONTEXT_WORD(damage_word), damage_value);
}

static void returns_damaged(void)
{
    expect(0, user_on_signal(SIGUSR1, damages, 0, 0));
    (void)call_kill(sys(SYS_getpid), SIGUSR1);
}

PROGRAM_TEST(hostile_sigreturn)
{
    static const struct {
        uint64_t word, value;
        int signal; /* that ends it; 0: it goes on */
    } cases[] = {
        {16, 0x800000000000, SIGSEGV},     /* a RIP that is not canonical */
        {16, 0xdead000000000000, SIGSEGV}, /* another */
        {17, UINT64_MAX, 0},               /* all flags */
        {17, 0, 0},                        /* none, not even IF */
        {18, UINT64_MAX, SIGSEGV},         /* selectors of nothing */
        {18, 0x002b000000000010, SIGSEGV}, /* the kernel's CS */
        {18, 0x0018000000000033, SIGSEGV}, /* the kernel's SS */
        {18, 0x0028000000000030, 0},       /* a program's; bits 0 and 1 have no effect */
        {23, 8, SIGSEGV},                  /* an FPU state that cannot be read */
        {23, USER_END, SIGSEGV},           /* beyond the end */
        {23, USER_DATA + 0x8000, 0},       /* another one, all zero */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        damage_word = cases[i].word;
        damage_value = cases[i].value;
        long pid = user_fork(returns_damaged, 0);
        if (cases[i].signal)
            expect_signal(pid, cases[i].signal);
        else
            expect_exit(pid, 0);
    }
}

static void returns_from_nothing(void)
{
    thread_frame(current_thread)->rsp = user_argument();
    (void)sys(SYS_rt_sigreturn);
}

PROGRAM_TEST(sigreturn_without_a_frame)
{
    static const uint64_t stacks[] = {0, 8, 0x10000, USER_END, UINT64_MAX, 0x8000000000000000};
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
        expect_signal(user_fork(returns_from_nothing, stacks[i]), SIGSEGV);
}

static void notes_value(int signal, uint64_t info, uint64_t context)
{
    (void)context;
    user_store(RUNS, user_load(RUNS) + 1);
    expect(signal, user_load(info) & 0xffffffff);
}

PROGRAM_TEST(real_time_signals_are_queued)
{
    expect(0, user_on_signal(SIGRTMIN + 2, notes_value, 0, 0));
    expect(0, call_mask(0, SIGNAL_BIT(SIGRTMIN + 2)));
    for (int i = 0; i < 10; i++)
        expect(0, call_kill(1, SIGRTMIN + 2));
    expect(0, call_mask(1, SIGNAL_BIT(SIGRTMIN + 2)));
    expect(10, user_load(RUNS));
}

PROGRAM_TEST(timed_wait_takes_a_signal)
{
    const uint64_t time[2] = {1, 0};
    user_store(AT(21), SIGNAL_BIT(SIGUSR1));
    user_write(AT(22), time, sizeof(time));
    expect(0, call_mask(0, SIGNAL_BIT(SIGUSR1)));
    expect(-EAGAIN, sys(SYS_rt_sigtimedwait, AT(21), 0, AT(22), 8));
    expect(0, call_kill(1, SIGUSR1));
    expect(SIGUSR1, sys(SYS_rt_sigtimedwait, AT(21), AT(23), AT(22), 8));
    expect(SIGUSR1, user_load(AT(23)) & 0xffffffff);
}

PROGRAM_TEST(mask_of_a_call_that_no_signal_ended)
{
    const uint64_t argument[2] = {AT(24), 8};
    expect(0, user_on_signal(SIGUSR1, notes_value, 0, 0));
    user_store(AT(23), 0);
    user_store(AT(24), 0);
    user_write(AT(25), argument, sizeof(argument));
    expect(0, call_mask(0, SIGNAL_BIT(SIGUSR1)));
    expect(0, call_kill(1, SIGUSR1));
    expect(-EINVAL, sys(SYS_pselect6, (uint64_t)-1, 0, 0, 0, 0, AT(25)));
    expect(-EINVAL, sys(SYS_ppoll, 0, UINT32_MAX, 0, AT(24), 8));
    expect(0, user_load(RUNS));
    expect(-EINTR, sys(SYS_ppoll, 0, 0, 0, AT(24), 8));
    expect(1, user_load(RUNS));
    expect(0, call_mask(0, SIGNAL_BIT(SIGURG)));
    expect(0, call_kill(1, SIGURG)); /* which is ignored */
    user_write(AT(26), (const uint64_t[2]){0, 1000}, 16);
    expect(0, sys(SYS_ppoll, 0, 0, AT(26), AT(24), 8));
    expect(0, call_kill(1, SIGURG));
    user_write(AT(26), (const uint64_t[2]){0, 1000}, 16);
    expect(0, sys(SYS_pselect6, 0, 0, 0, 0, AT(26), AT(25)));
}

PROGRAM_TEST(alarms_and_intervals)
{
    const uint64_t timer[4] = {0, 200000, 0, 100000}; /* each 200 ms, first after 100 ms */
    uint64_t left[4];
    expect(0, user_on_signal(SIGALRM, notes_value, 0, 0));
    user_write(AT(2), timer, sizeof(timer));
    expect(0, sys(SYS_setitimer, 0, AT(2), 0));
    for (int i = 0; i < 3; i++)
        expect(-EINTR, sys(SYS_pause));
    expect(3, user_load(RUNS));
    expect(0, sys(SYS_getitimer, 0, AT(2)));
    user_read(left, AT(2), sizeof(left));
    expect(1, left[3] > 0 && left[3] <= 200000);
    expect(1, sys(SYS_alarm, 10));
    expect(10, sys(SYS_alarm, 0));
}

static void runs_for_ticks(void)
{
    for (unsigned i = 0; i < 40; i++)
        user_tick();
}

/* By the clock of another process, which runs, ends and is not waited for, and by the caller's own. */
PROGRAM_TEST(sleeps_by_processor_time)
{
    const uint64_t timer[4] = {0, 0, 1, 0}, ignore[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    expect(0, user_on_signal(SIGALRM, notes_value, 0, 0));
    user_write(AT(2), ignore, sizeof(ignore));
    expect(0, sys(SYS_rt_sigaction, SIGCHLD, AT(2), 0, 8));
    user_write(AT(2), timer, sizeof(timer));
    user_write(AT(3), (const uint64_t[2]){0, 50000000}, 16);
    user_write(AT(4), (const uint64_t[2]){100, 0}, 16);
    uint64_t clock = (uint64_t)(~user_fork(runs_for_ticks, 0) * 8 + 2);
    expect(0, sys(SYS_clock_nanosleep, clock, 0, AT(3), 0));
    expect(0, sys(SYS_clock_nanosleep, clock, 1, AT(3), 0));
    expect(0, sys(SYS_setitimer, 0, AT(2), 0));
    expect(-EINTR, sys(SYS_clock_nanosleep, clock, 0, AT(4), AT(5)));
    expect(-EINVAL, sys(SYS_clock_nanosleep, clock, 0, AT(4), AT(5)));
    expect(0, sys(SYS_setitimer, 0, AT(2), 0));
    expect(-EINTR, sys(SYS_clock_nanosleep, 2, 0, AT(4), AT(5)));
    expect(true, user_load(AT(5)) >= 99);
    expect(0, sys(SYS_setitimer, 0, AT(2), 0));
    expect(-EFAULT, sys(SYS_clock_nanosleep, 2, 0, AT(4), 8));
    expect(0, sys(SYS_setitimer, 0, AT(2), 0));
    expect(-EINTR, sys(SYS_clock_nanosleep, 2, 1, AT(4), AT(5)));
}

PROGRAM_TEST(alarms_keep_their_rate)
{
    const uint64_t timer[4] = {0, 15000, 0, 15000}; /* one and a half ticks */
    expect(0, user_on_signal(SIGALRM, notes_value, 0, 0));
    user_write(AT(2), timer, sizeof(timer));
    expect(0, sys(SYS_setitimer, 0, AT(2), 0));
    for (int i = 0; i < 12; i++)
        user_tick();
    expect(8, user_load(RUNS));
}

static void exhausts_its_time(void)
{
    const uint64_t limit[2] = {1, 2};
    user_write(AT(2), limit, sizeof(limit));
    expect(0, sys(SYS_setrlimit, RLIMIT_CPU, AT(2)));
    expect(0, user_on_signal(SIGXCPU, notes_value, 0, 0));
    for (int i = 0; i < 150; i++)
        user_tick();
    expect(1, user_load(RUNS));
    for (;;)
        user_tick();
}

PROGRAM_TEST(processor_time_limit)
{
    expect_signal(user_fork(exhausts_its_time, 0), SIGKILL);
}

static void acts_on_shared_table(void)
{
    expect(0, user_on_signal(SIGUSR1, counts, 0, 0));
}

PROGRAM_TEST(clone_sighand_shares_actions)
{
    const uint64_t flags = CLONE_VM | CLONE_SIGHAND | SIGCHLD;
    expect_exit(user_clone(flags, 0, acts_on_shared_table, 0), 0);
    expect(0, call_kill(1, SIGUSR1));
    expect(SIGUSR1, user_load(RUNS));
}

static void kills_itself(void)
{
    (void)sys(SYS_kill, 1, SIGTERM);
}

static void test_init_is_protected_unless_asked(void **state)
{
    struct machine_options options = {.cmdline = ""};
    (void)state;
    assert_int_equal(machine_run(kills_itself, &options).verdict, VERDICT_EXIT);
    options.cmdline = "init_killable";
    struct machine_end end = machine_run(kills_itself, &options);
    assert_int_equal(end.verdict, VERDICT_SIGNAL);
    assert_int_equal(end.value, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handler_runs_and_returns),
        cmocka_unit_test(test_blocked_signals_wait),
        cmocka_unit_test(test_handlers_nest_with_nodefer),
        cmocka_unit_test(test_handlers_follow_each_other_without_nodefer),
        cmocka_unit_test(test_reset_handler),
        cmocka_unit_test(test_fault_leads_to_a_handler),
        cmocka_unit_test(test_exceptions_end_a_process),
        cmocka_unit_test(test_exception_leads_to_a_handler),
        cmocka_unit_test(test_blocked_fault_ends_the_process),
        cmocka_unit_test(test_alternate_stack),
        cmocka_unit_test(test_no_room_for_the_frame),
        cmocka_unit_test(test_hostile_sigreturn),
        cmocka_unit_test(test_sigreturn_without_a_frame),
        cmocka_unit_test(test_real_time_signals_are_queued),
        cmocka_unit_test(test_timed_wait_takes_a_signal),
        cmocka_unit_test(test_mask_of_a_call_that_no_signal_ended),
        cmocka_unit_test(test_alarms_and_intervals),
        cmocka_unit_test(test_sleeps_by_processor_time),
        cmocka_unit_test(test_alarms_keep_their_rate),
        cmocka_unit_test(test_processor_time_limit),
        cmocka_unit_test(test_init_is_protected_unless_asked),
        cmocka_unit_test(test_clone_sighand_shares_actions),
    };
    return cmocka_run_group_tests_name("signals", tests, NULL, check_stacks);
}
