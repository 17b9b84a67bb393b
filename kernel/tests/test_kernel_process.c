/* Processes of a whole kernel on the host: creation, end, waiting, sharing. */
#include "tests/kernel_test.h"

#include "proc/proc.h"

static void exits_with_argument(void)
{
    sys(SYS_exit_group, user_argument());
}

PROGRAM_TEST(wait_returns_each_child)
{
    long pid[5];
    int status;
    for (uint64_t i = 0; i < 5; i++)
        pid[i] = user_fork(exits_with_argument, 40 + i);
    for (int i = 4; i >= 0; i--)
        expect_exit(pid[i], 40 + i);
    expect(-ECHILD, call_wait(-1, &status));
}

PROGRAM_TEST(wait_without_hang)
{
    long pid = user_fork(exits_with_argument, 1);
    expect(0, sys(SYS_wait4, (uint64_t)-1, 0, 1, 0));
    expect(0, sys(SYS_sched_yield));
    expect(pid, sys(SYS_wait4, (uint64_t)-1, 0, 1, 0));
    expect(-ECHILD, sys(SYS_wait4, (uint64_t)-1, 0, 1, 0));
}

static void sleeps(void)
{
    call_sleep_ms(user_argument());
    sys(SYS_exit_group, 3);
}

PROGRAM_TEST(wait_sleeps_until_the_end)
{
    long slow = user_fork(sleeps, 500), quick = user_fork(sleeps, 100);
    int status;
    expect(quick, call_wait(-1, &status));
    expect(slow, call_wait(-1, &status));
    expect(3 << 8, status);
}

/* The memory of parent and child is copied when one of them writes. */
static void writes_its_copy(void)
{
    expect(1, user_load(AT(8)));
    user_store(AT(8), 2);
    expect(2, user_load(AT(8)));
}

PROGRAM_TEST(fork_copies_memory)
{
    user_store(AT(8), 1);
    expect_exit(user_fork(writes_its_copy, 0), 0);
    expect(1, user_load(AT(8)));
}

static void makes_orphans(void)
{
    (void)user_fork(sleeps, 50);
    (void)user_fork(exits_with_argument, 9);
    sys(SYS_sched_yield); /* the second is a zombie by now */
    sys(SYS_exit_group, 6);
}

PROGRAM_TEST(orphans_become_children_of_init)
{
    int status;
    expect_exit(user_fork(makes_orphans, 0), 6);
    long zombie = call_wait(-1, &status);
    expect(9 << 8, status);
    long sleeper = call_wait(-1, &status);
    expect(3 << 8, status);
    expect(-ECHILD, call_wait(-1, &status));
    expect(zombie, sleeper + 1);
}

/* The children of a process that ignores SIGCHLD need no wait. */
PROGRAM_TEST(ignored_children_leave_no_zombie)
{
    const uint64_t ignore[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    int status;
    user_write(AT(2), ignore, sizeof(ignore));
    expect(0, sys(SYS_rt_sigaction, SIGCHLD, AT(2), 0, 8));
    long pid = user_fork(exits_with_argument, 0);
    expect(-ECHILD, call_wait(pid, &status));
    expect(-ESRCH, call_kill(pid, 0));
}

static void stores_and_exits(void)
{
    user_store(AT(8), 77);
    sys(SYS_exit_group, 5);
}

PROGRAM_TEST(vfork_waits_and_shares_memory)
{
    user_store(AT(8), 1);
    long pid = user_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, stores_and_exits, 0);
    expect(77, user_load(AT(8)));
    expect_exit(pid, 5);
}

static void sleeps_forever(void)
{
    for (;;)
        sys(SYS_pause);
}

static void vforks_for_ever(void)
{
    (void)user_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, sleeps_forever, 0);
}

/* The child still uses the memory when its parent ends. */
PROGRAM_TEST(parent_is_killed_in_vfork)
{
    long pid = user_fork(vforks_for_ever, 0);
    int status;
    call_sleep_ms(50);
    expect(0, call_kill(pid, SIGTERM));
    expect(pid, call_wait(pid, &status));
    expect(0, call_kill(pid + 1, SIGKILL));
    expect_signal(pid + 1, SIGKILL);
}

static void closes_0(void)
{
    expect(0, call_close(0));
    expect(3, call_open("/dev/null", O_RDWR, 0) == 0 ? 3 : -1);
    expect(0, call_close(0));
}

PROGRAM_TEST(clone_files_shares_the_table)
{
    expect_exit(user_clone(CLONE_FILES | SIGCHLD, 0, closes_0, 0), 0);
    expect(-EBADF, call_close(0));
    expect(0, call_open("/dev/null", O_RDWR, 0));
}

static void moves(void)
{
    expect(0, sys(SYS_chdir, user_string(AT(0), "/tmp")));
    expect(022, sys(SYS_umask, 077));
}

PROGRAM_TEST(clone_fs_shares_place_and_umask)
{
    char place[8];
    expect_exit(user_fork(moves, 0), 0);
    expect(2, sys(SYS_getcwd, AT(2), 8));
    expect_exit(user_clone(CLONE_FS | SIGCHLD, 0, moves, 0), 0);
    expect(5, sys(SYS_getcwd, AT(2), 8));
    user_read(place, AT(2), 5);
    expect(0, strcmp(place, "/tmp"));
    expect(077, sys(SYS_umask, 022));
}

PROGRAM_TEST(clone_refuses)
{
    expect(-EINVAL, user_clone(CLONE_SIGHAND | SIGCHLD, 0, NULL, 0));
    expect(-EINVAL, user_clone(CLONE_THREAD | SIGCHLD, 0, NULL, 0));
    expect(-EPERM, sys(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, USER_END));
}

static void does_nothing(void)
{
}

/* A number above those of the signals: no signal is sent, and only WCLONE finds the child. */
PROGRAM_TEST(clone_takes_any_exit_signal)
{
    long pid = user_clone(255, 0, does_nothing, 0);
    expect(-ECHILD, sys(SYS_wait4, (uint64_t)pid, 0, 0, 0));
    expect(pid, sys(SYS_wait4, (uint64_t)pid, 0, WCLONE, 0));
}

static void reports_tid(void)
{
    expect(sys(SYS_getpid), user_load(USER_DATA) & 0xffffffff);
}

PROGRAM_TEST(clone_stores_pids)
{
    const uint64_t flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD;
    long pid = user_clone(flags, 0, reports_tid, 0);
    expect(pid, user_load(USER_DATA) & 0xffffffff);
    expect_exit(pid, 0);
}

/* CLONE_CHILD_CLEARTID: the word is cleared in shared memory at the end. */
PROGRAM_TEST(clone_clears_the_tid)
{
    user_store(USER_DATA, 1234);
    long pid = user_clone(CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, 0, NULL, 0);
    expect_exit(pid, 0);
    expect(0, user_load(USER_DATA) & 0xffffffff);
}

static void spins(void)
{
    for (int i = 0; i < 40; i++)
        user_tick();
}

PROGRAM_TEST(turns_end_and_times_count)
{
    uint64_t usage[18];
    long pid[3];
    for (int i = 0; i < 3; i++)
        pid[i] = user_fork(spins, 0);
    for (int i = 0; i < 3; i++)
        expect(pid[i], sys(SYS_wait4, (uint64_t)pid[i], 0, 0, AT(2)));
    user_read(usage, AT(2), sizeof(usage));
    expect(400000, usage[1]); /* ru_utime in microseconds */
}

/* A tick that came during a call is taken after it, and is the system's time. */
PROGRAM_TEST(ticks_of_the_kernel_are_system_time)
{
    uint64_t tms[4];
    for (int i = 0; i < 5; i++) {
        (void)sys(SYS_getpid);
        user_tick_in_call();
    }
    user_tick();
    (void)sys(SYS_times, USER_DATA);
    user_read(tms, USER_DATA, sizeof(tms));
    expect(1, (long)tms[0]);
    expect(5, (long)tms[1]);
}

/* Whether a child can be found before its fork has returned. */
static bool forks_now, is_found;

static void ends_turn(void)
{
    current_thread->work |= WORK_TURN_OVER;
}

static void kills_the_next(void)
{
    uint64_t next = (uint64_t)sys(SYS_getpid) + 1;
    while (!forks_now)
        sys(SYS_sched_yield);
    while (forks_now) {
        long error = sys(SYS_kill, next, SIGKILL);
        is_found |= forks_now && error != -ESRCH;
        sys(SYS_sched_yield);
    }
}

/* More areas than a fork copies between two scheduling points. */
PROGRAM_TEST(a_child_is_not_found_before_it_is_whole)
{
    uint64_t areas = (uint64_t)sys(SYS_mmap, 0, 4000 * PAGE_SIZE, 3, 0x22, (uint64_t)-1, 0);
    for (uint64_t i = 0; i < 4000; i += 2)
        expect(0, sys(SYS_mprotect, areas + i * PAGE_SIZE, PAGE_SIZE, 1));
    is_found = false;
    long killer = user_fork(kills_the_next, 0);
    machine_at_point = ends_turn;
    forks_now = true;
    long child = user_fork(NULL, 0);
    forks_now = false;
    machine_at_point = NULL;
    expect(killer + 1, child);
    expect_exit(killer, 0);
    expect_exit(child, 0);
    expect(false, is_found);
}

static void takes_a_number(void)
{
    sys(SYS_exit_group, 0);
}

/* The number of a group is not reused while it has members. */
PROGRAM_TEST(groups_and_sessions)
{
    long pid = user_fork(sleeps_forever, 0);
    expect(0, sys(SYS_setpgid, (uint64_t)pid, 0));
    expect(pid, sys(SYS_getpgid, (uint64_t)pid));
    expect(1, sys(SYS_getsid, (uint64_t)pid));
    expect(-EPERM, sys(SYS_setsid));
    expect(0, call_kill(-pid, SIGTERM));
    expect_signal(pid, SIGTERM);
    expect(-ESRCH, sys(SYS_getpgid, (uint64_t)pid));
    expect_exit(user_fork(takes_a_number, 0), 0);
}

PROGRAM_TEST(process_limit)
{
    const uint64_t limit[2] = {3, 3};
    user_write(AT(2), limit, sizeof(limit));
    expect(0, sys(SYS_setrlimit, RLIMIT_NPROC, AT(2)));
    expect(0, sys(SYS_setresuid, 5, 5, 5));
    long first = user_fork(sleeps_forever, 0), second = user_fork(sleeps_forever, 0);
    expect(-EAGAIN, user_fork(NULL, 0));
    expect(0, call_kill(first, SIGKILL));
    expect(0, call_kill(second, SIGKILL));
    expect_signal(first, SIGKILL);
    expect_signal(second, SIGKILL);
}

static void forks_until_nothing_is_left(void)
{
    long pid;
    unsigned n = 0;
    while ((pid = user_fork(NULL, 0)) > 0)
        n++;
    expect(1, pid == -EAGAIN || pid == -ENOMEM);
    while (n-- > 0)
        expect(1, sys(SYS_wait4, (uint64_t)-1, 0, 0, 0) > 0);
}

/* Without the checks, which would be too slow with so many objects. */
static void test_too_many_processes(void **state)
{
    const struct machine_options few = {.frames = 1024}, many = {.frames = 16000};
    (void)state;
    assert_int_equal(machine_run(forks_until_nothing_is_left, &few).value, 0);
    assert_int_equal(machine_run(forks_until_nothing_is_left, &many).value, 0);
}

static void faults(void)
{
    (void)user_load(8);
}

static void test_init_ends_by_a_fault(void **state)
{
    (void)state;
    struct machine_end end = machine_run(faults, NULL);
    assert_int_equal(end.verdict, VERDICT_SIGNAL);
    assert_int_equal(end.value, SIGSEGV);
    assert_non_null(strstr(console_text(), "SIGSEGV: read from 0x8"));
}

static void reboots(void)
{
    sys(SYS_reboot, 0xfee1dead, 672274793, 0x1234567);
}

static void test_reboot(void **state)
{
    (void)state;
    assert_true(machine_run(reboots, NULL).reset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_returns_each_child),
        cmocka_unit_test(test_wait_without_hang),
        cmocka_unit_test(test_wait_sleeps_until_the_end),
        cmocka_unit_test(test_fork_copies_memory),
        cmocka_unit_test(test_orphans_become_children_of_init),
        cmocka_unit_test(test_ignored_children_leave_no_zombie),
        cmocka_unit_test(test_vfork_waits_and_shares_memory),
        cmocka_unit_test(test_parent_is_killed_in_vfork),
        cmocka_unit_test(test_clone_files_shares_the_table),
        cmocka_unit_test(test_clone_fs_shares_place_and_umask),
        cmocka_unit_test(test_clone_refuses),
        cmocka_unit_test(test_clone_takes_any_exit_signal),
        cmocka_unit_test(test_clone_stores_pids),
        cmocka_unit_test(test_clone_clears_the_tid),
        cmocka_unit_test(test_turns_end_and_times_count),
        cmocka_unit_test(test_ticks_of_the_kernel_are_system_time),
        cmocka_unit_test(test_a_child_is_not_found_before_it_is_whole),
        cmocka_unit_test(test_groups_and_sessions),
        cmocka_unit_test(test_process_limit),
        cmocka_unit_test(test_too_many_processes),
        cmocka_unit_test(test_init_ends_by_a_fault),
        cmocka_unit_test(test_reboot),
    };
    return cmocka_run_group_tests_name("processes", tests, NULL, check_stacks);
}
