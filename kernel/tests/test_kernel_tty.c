/* The terminal of a whole kernel on the host: typed lines, editing, signals, job control. */
#include "tests/kernel_test.h"

#include "file/devices.h"
#include "proc/proc.h"
#include "syscall/poll.h"

#define TCGETS     0x5401
#define TCSETS     0x5402
#define TCSETSF    0x5404
#define TIOCSCTTY  0x540e
#define TIOCGPGRP  0x540f
#define TIOCSPGRP  0x5410
#define TIOCNOTTY  0x5422
#define TIOCGSID   0x5429
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414

#define LFLAG 12 /* offsets in struct termios */
#define VMIN  (17 + 6)

static void expect_line(const char *wanted)
{
    char line[300] = "";
    size_t size = strlen(wanted);
    expect(size, sys(SYS_read, 0, AT(4), 299));
    user_read(line, AT(4), size);
    line[size] = '\0';
    if (strcmp(line, wanted) != 0)
        host_fail("read \"%s\", not \"%s\"", line, wanted);
}

PROGRAM_TEST(lines_are_edited)
{
    user_type("first\nsecond\n");
    expect_line("first\n");
    expect_line("second\n");
    user_type("mistape\177\177\177akee\b\r");
    expect_line("mistake\n");
    user_type("all gone\025new\n");
    expect_line("new\n");
    user_type("end\004");
    expect_line("end");
    user_type("\004");
    expect(0, sys(SYS_read, 0, AT(4), 10));
    user_type("\177\177abc\n");
    expect(2, sys(SYS_read, 0, AT(4), 2));
    expect_line("c\n");
}

static void catches(int signal, virt_t info, virt_t context)
{
    (void)info, (void)context;
    user_store(AT(8), (uint64_t)signal);
}

PROGRAM_TEST(input_is_echoed)
{
    console_forget();
    user_type("ab\177c\n");
    expect(0, strcmp(console_text(), "ab\b \bc\n"));
    expect_line("ac\n");
    console_forget();
    expect(0, user_on_signal(SIGINT, catches, 0, 0));
    user_type("x\003");
    expect(0, strcmp(console_text(), "x^C"));
}

static void types_later(void)
{
    call_sleep_ms(50);
    user_type("late\n");
}

PROGRAM_TEST(read_waits_for_a_line)
{
    long pid = user_fork(types_later, 0);
    expect_line("late\n");
    expect_exit(pid, 0);
}

PROGRAM_TEST(poll_waits_for_a_line)
{
    const struct pollfd entry = {0, POLLIN, 0};
    user_write(AT(5), &entry, sizeof(entry));
    expect(0, sys(SYS_poll, AT(5), 1, 10));
    long pid = user_fork(types_later, 0);
    expect(1, sys(SYS_poll, AT(5), 1, (uint64_t)-1));
    expect_line("late\n");
    expect_exit(pid, 0);
}

static void make_raw(uint8_t min)
{
    uint32_t lflag;
    expect(0, sys(SYS_ioctl, 0, TCGETS, AT(6)));
    user_read(&lflag, AT(6) + LFLAG, sizeof(lflag));
    lflag &= ~(2u | 8u | 1u); /* ICANON, ECHO, ISIG */
    user_write(AT(6) + LFLAG, &lflag, sizeof(lflag));
    user_write(AT(6) + VMIN, &min, 1);
    expect(0, sys(SYS_ioctl, 0, TCSETS, AT(6)));
}

PROGRAM_TEST(raw_bytes)
{
    user_type("half");
    make_raw(1);
    expect_line("half");
    user_type("\003\004\177");
    expect_line("\003\004\177");
    make_raw(0);
    expect(0, sys(SYS_read, 0, AT(4), 10));
    expect(0, sys(SYS_ioctl, 0, TCSETSF, AT(6)));
    expect(-EFAULT, sys(SYS_ioctl, 0, TCSETS, 8));
}

PROGRAM_TEST(ring_is_full)
{
    static char text[5001];
    memset(text, 'x', 5000);
    make_raw(1);
    user_type(text);
    for (unsigned left = 5000; left > 0;) {
        long n = sys(SYS_read, 0, AT(4), 200);
        expect(1, n > 0 && n <= 200);
        left -= (unsigned)n;
    }
}

static void sleeps_in_group(void)
{
    expect(0, sys(SYS_setpgid, 0, 0));
    for (;;)
        sys(SYS_pause);
}

static void stays_in_group(void)
{
    for (;;)
        sys(SYS_pause);
}

static long set_foreground(long group)
{
    int32_t number = (int32_t)group;
    user_write(AT(7), &number, sizeof(number));
    return sys(SYS_ioctl, 0, TIOCSPGRP, AT(7));
}

/* ^C ends the foreground group, and no other process. */
PROGRAM_TEST(interrupt_ends_the_foreground)
{
    const uint64_t ignore[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    long own = user_fork(stays_in_group, 0), other = user_fork(sleeps_in_group, 0);
    call_sleep_ms(10);
    user_type("half a line\003");
    expect_signal(own, SIGINT);
    user_write(AT(2), ignore, sizeof(ignore));
    expect(0, sys(SYS_rt_sigaction, SIGTTOU, AT(2), 0, 8));
    expect(0, set_foreground(other));
    user_type("\034");
    expect_signal(other, SIGQUIT);
    expect(-ESRCH, set_foreground(other));
    expect(-EINVAL, set_foreground(-1));
}

static void reads_in_background(void)
{
    expect(0, sys(SYS_setpgid, 0, 0));
    expect(-EIO, sys(SYS_read, 0, AT(4), 1));
    expect(-EIO, sys(SYS_ioctl, 0, TCSETS, AT(6)));
    expect(-ENOTTY, set_foreground(sys(SYS_getpid)));
}

PROGRAM_TEST(background_may_not_read)
{
    expect_exit(user_fork(reads_in_background, 0), 0);
}

static void reads_with_handler(void)
{
    expect(0, sys(SYS_setpgid, 0, 0));
    long pid = user_fork(NULL, 0); /* a parent in the same group does not count */
    expect_exit(pid, 0);
    expect(0, user_on_signal(SIGTTIN, catches, 0, 0));
    (void)sys(SYS_read, 0, AT(4), 1);
}

PROGRAM_TEST(background_reader_is_told)
{
    expect_exit(user_fork(reads_with_handler, 0), 0);
}

static void leads_a_session(void)
{
    long sid = sys(SYS_setsid);
    expect(sys(SYS_getpid), sid);
    expect(-ENOTTY, sys(SYS_ioctl, 0, TIOCGPGRP, AT(7)));
    expect(-ENXIO, call_open("/dev/tty", O_RDWR, 0));
    expect(0, sys(SYS_ioctl, 0, TIOCSCTTY, 1));
    expect(0, sys(SYS_ioctl, 0, TIOCGSID, AT(7)));
    expect(sid, user_load(AT(7)) & 0xffffffff);
    expect(3, call_open("/dev/tty", O_RDWR, 0));
    long pid = user_fork(stays_in_group, 0);
    call_sleep_ms(10);
    expect(0, user_on_signal(SIGHUP, catches, 0, 0));
    expect(0, sys(SYS_ioctl, 0, TIOCNOTTY, 0));
    expect(SIGHUP, user_load(AT(8)));
    expect_signal(pid, SIGHUP);
}

PROGRAM_TEST(a_session_takes_the_terminal)
{
    expect_exit(user_fork(leads_a_session, 0), 0);
}

static void leader_ends(void)
{
    expect(sys(SYS_getpid), sys(SYS_setsid));
    expect(3, call_open("/dev/ttyS0", O_RDWR, 0));
    expect(0, sys(SYS_ioctl, 0, TIOCGSID, AT(7)));
    (void)user_fork(stays_in_group, 0);
    call_sleep_ms(10);
}

PROGRAM_TEST(the_end_of_a_leader_hangs_up)
{
    int status;
    expect_exit(user_fork(leader_ends, 0), 0);
    expect(1, call_wait(-1, &status) > 0);
    expect(SIGHUP, status);
}

PROGRAM_TEST(window_size)
{
    const uint16_t size[4] = {50, 132, 1, 2};
    expect(0, sys(SYS_ioctl, 0, TIOCGWINSZ, AT(7)));
    expect(24 | 80 << 16, user_load(AT(7)) & 0xffffffff);
    user_write(AT(7), size, sizeof(size));
    expect(0, sys(SYS_ioctl, 1, TIOCSWINSZ, AT(7)));
    expect(0, sys(SYS_ioctl, 2, TIOCGWINSZ, AT(9)));
    expect(user_load(AT(7)), user_load(AT(9)));
    expect(-ENOTTY, sys(SYS_ioctl, 0, 0x1234, 0));
}

static void expect_size(uint64_t rows, uint64_t columns)
{
    expect(0, sys(SYS_ioctl, 0, TIOCGWINSZ, AT(7)));
    expect((long)(rows | columns << 16), user_load(AT(7)) & 0xffffffff);
}

PROGRAM_TEST(the_host_resizes_the_window)
{
    static const char *const wrong[] = {"30\n",       "30 0\n",     "0 30\n", "x30\n",
                                        "30 40 50\n", "70000 30\n", "\n",     "30 4294967336\n",
                                        "-1 30\n",    "30 \n"};
    expect(0, user_on_signal(SIGWINCH, catches, 0, 0));
    user_resize_window("50 13");
    expect_size(24, 80);
    user_resize_window("2\n");
    expect_size(50, 132);
    expect(SIGWINCH, user_load(AT(8)));
    user_store(AT(8), 0);
    user_resize_window("50 132\n");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        user_resize_window(wrong[i]);
    expect_size(50, 132);
    expect(0, user_load(AT(8)));
    user_resize_window("65535 65535\n24 80\n");
    expect_size(24, 80);
    expect(SIGWINCH, user_load(AT(8)));
}

static void has_forty_rows(void)
{
    expect_size(40, 100);
}

static void has_the_usual_size(void)
{
    expect_size(24, 80);
}

static void test_window_of_the_command_line(void **state)
{
    struct machine_options options = {.cmdline = "window=40x100"};
    (void)state;
    assert_int_equal(machine_run(has_forty_rows, &options).value, 0);
    options.cmdline = "window=40x";
    assert_int_equal(machine_run(has_the_usual_size, &options).value, 0);
}

PROGRAM_TEST(output)
{
    console_forget();
    expect(6, sys(SYS_write, 1, user_string(AT(4), "hello\n"), 6));
    expect(0, strcmp(console_text(), "hello\n"));
    expect(-EFAULT, sys(SYS_write, 1, 8, 6));
    expect(600, sys(SYS_write, 1, AT(4), 600));
    expect(40, sys(SYS_write, 1, USER_DATA + USER_DATA_SIZE - 40, 300));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_edited),
        cmocka_unit_test(test_input_is_echoed),
        cmocka_unit_test(test_read_waits_for_a_line),
        cmocka_unit_test(test_poll_waits_for_a_line),
        cmocka_unit_test(test_raw_bytes),
        cmocka_unit_test(test_ring_is_full),
        cmocka_unit_test(test_interrupt_ends_the_foreground),
        cmocka_unit_test(test_background_may_not_read),
        cmocka_unit_test(test_background_reader_is_told),
        cmocka_unit_test(test_a_session_takes_the_terminal),
        cmocka_unit_test(test_the_end_of_a_leader_hangs_up),
        cmocka_unit_test(test_window_size),
        cmocka_unit_test(test_the_host_resizes_the_window),
        cmocka_unit_test(test_window_of_the_command_line),
        cmocka_unit_test(test_output),
    };
    return cmocka_run_group_tests_name("terminal", tests, NULL, check_stacks);
}
