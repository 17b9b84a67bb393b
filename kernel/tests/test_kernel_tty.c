/* The terminal of a whole kernel on the host: typed lines, editing, signals, job control; and the same keys and
 * settings at a pseudo-terminal of Linux. */
#define _GNU_SOURCE
#include "tests/kernel_test.h"

#include <stdio.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
#define TCSBRK     0x5409
#define TCXONC     0x540a
#define TCFLSH     0x540b
#define TIOCOUTQ   0x5411
#define FIONREAD   0x541b

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
    user_type("mistape\177\177\177akee\177\r");
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

static void catches(int signal, uint64_t info, uint64_t context)
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

/* Bytes that did not fit are in the port: they come in when the ring has room, however it gets it. */
PROGRAM_TEST(room_lets_the_port_in)
{
    static char text[5001];
    uint32_t ready;
    memset(text, 'x', 5000);
    make_raw(1);
    for (unsigned how = 0; how < 3; how++) {
        user_type(text);
        if (how == 0)
            expect(0, sys(SYS_ioctl, 0, TCFLSH, 0));
        else if (how == 1)
            expect(0, sys(SYS_ioctl, 0, TCSETSF, AT(6)));
        else
            expect(-EFAULT, sys(SYS_read, 0, 8, 5000));
        expect(0, sys(SYS_ioctl, 0, FIONREAD, AT(8)));
        user_read(&ready, AT(8), sizeof(ready));
        expect(1, ready > 5000 - 4096);
        expect(0, console_has_input() && ready < 4095);
        expect(0, sys(SYS_ioctl, 0, TCFLSH, 0));
        expect(0, sys(SYS_ioctl, 0, TCFLSH, 0));
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

static void ends_at_once(void)
{
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

/* The terminal keeps the number of a group that has ended, and no new process gets it. */
PROGRAM_TEST(no_other_group_becomes_the_foreground)
{
    const uint64_t ignore[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    long group = user_fork(sleeps_in_group, 0);
    call_sleep_ms(10);
    user_write(AT(2), ignore, sizeof(ignore));
    expect(0, sys(SYS_rt_sigaction, SIGTTOU, AT(2), 0, 8));
    expect(0, set_foreground(group));
    user_type("\003");
    expect_signal(group, SIGINT);
    expect(0, sys(SYS_ioctl, 0, TIOCGPGRP, AT(7)));
    expect(group, user_load(AT(7)) & 0xffffffff);
    for (long i = 0; i < PID_MAX; i++) {
        long pid = user_fork(ends_at_once, 0);
        expect(true, pid != group);
        expect_exit(pid, 0);
    }
    expect(0, set_foreground(sys(SYS_getpgrp)));
    for (long i = 0; i < PID_MAX; i++) {
        long pid = user_fork(ends_at_once, 0);
        expect_exit(pid, 0);
        if (pid == group)
            return;
    }
    host_fail("the number %ld is not used again", group);
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

static void writes_in_background(void)
{
    expect(0, sys(SYS_setpgid, 0, 0));
    expect((long)user_argument(), sys(SYS_write, 1, AT(4), 1));
}

PROGRAM_TEST(background_may_not_write_with_tostop)
{
    uint32_t lflag;
    expect_exit(user_fork(writes_in_background, 1), 0);
    expect(0, sys(SYS_ioctl, 0, TCGETS, AT(6)));
    user_read(&lflag, AT(6) + LFLAG, sizeof(lflag));
    lflag |= 0400; /* TOSTOP */
    user_write(AT(6) + LFLAG, &lflag, sizeof(lflag));
    expect(0, sys(SYS_ioctl, 0, TCSETS, AT(6)));
    expect_exit(user_fork(writes_in_background, (uint64_t)-EIO), 0);
    expect(1, sys(SYS_write, 1, AT(4), 1)); /* from the foreground */
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

/* Ends of lines, keys that edit, and waits of plain bytes. */
PROGRAM_TEST(keys_of_lines)
{
    user_type("one two_3  \027\027four\n");
    expect_line("four\n");
    user_type("a\026\003\026\026b\n");
    expect_line("a\003\026b\n");
    user_type("abc\004def\n");
    expect(3, sys(SYS_read, 0, AT(4), 3));
    expect_line("def\n"); /* the read before took the ^D too */
    user_type("lost\032kept\n");
    expect_line("kept\n");
    user_type("12\n\00434");
    expect(0, sys(SYS_ioctl, 0, FIONREAD, AT(7)));
    expect(3, user_load(AT(7)) & 0xffffffff);
    expect(0, sys(SYS_ioctl, 0, TCFLSH, 0));
    expect(-EINVAL, sys(SYS_ioctl, 0, TCFLSH, 3));
    expect(0, sys(SYS_ioctl, 0, FIONREAD, AT(7)));
    expect(0, user_load(AT(7)) & 0xffffffff);
    expect(0, sys(SYS_ioctl, 0, TCSBRK, 1));
    expect(0, sys(SYS_ioctl, 0, TIOCOUTQ, AT(7)));
}

#define LINE_MAX 4095 /* of Linux, without the line feed */

/* A line that is too long can still be ended. */
PROGRAM_TEST(long_line)
{
    static char text[6001];
    memset(text, 'x', 6000);
    user_type(text);
    user_type("\003");
    user_type(text);
    user_type("y\n");
    expect(LINE_MAX + 1, sys(SYS_read, 0, AT(4), 6000));
    expect('x' | '\n' << 8, user_load(AT(4) + LINE_MAX - 1) & 0xffff);
    user_type("next\n");
    expect_line("next\n");
}

static void writes_a_line(void)
{
    expect(6, sys(SYS_write, 1, user_string(AT(4), "hello\n"), 6));
}

static void polls_for_output(long wanted)
{
    const struct pollfd entry = {1, POLLOUT, 0};
    user_write(AT(5), &entry, sizeof(entry));
    expect(wanted, sys(SYS_poll, AT(5), 1, 0));
}

/* ^S stops output, echoes included, until ^Q or a key of a signal. */
PROGRAM_TEST(output_is_stopped)
{
    console_forget();
    user_type("\023a");
    polls_for_output(0);
    long pid = user_fork(writes_a_line, 0);
    call_sleep_ms(10);
    expect(0, strcmp(console_text(), ""));
    user_type("\021");
    polls_for_output(1);
    expect_exit(pid, 0);
    expect(0, strcmp(console_text(), "ahello\n"));
    user_type("\023");
    pid = user_fork(writes_a_line, 0);
    call_sleep_ms(10);
    expect(0, sys(SYS_kill, (uint64_t)pid, SIGTERM));
    expect_signal(pid, SIGTERM);
    expect(0, sys(SYS_fcntl, 1, F_SETFL, O_RDWR | O_NONBLOCK));
    expect(-EAGAIN, sys(SYS_write, 1, AT(4), 6));
    expect(0, user_on_signal(SIGINT, catches, 0, 0));
    user_type("\003");
    writes_a_line();
}

/* ^Q does not start output that a program has stopped. */
PROGRAM_TEST(programs_stop_output)
{
    expect(0, sys(SYS_fcntl, 1, F_SETFL, O_RDWR | O_NONBLOCK));
    expect(0, sys(SYS_ioctl, 0, TCXONC, 0));
    expect(0, user_on_signal(SIGINT, catches, 0, 0));
    user_type("\021\003");
    expect(-EAGAIN, sys(SYS_write, 1, AT(4), 6));
    expect(0, sys(SYS_ioctl, 0, TCXONC, 1));
    writes_a_line();
    console_forget();
    expect(0, sys(SYS_ioctl, 0, TCXONC, 2));
    expect(0, sys(SYS_ioctl, 0, TCXONC, 3));
    expect(0, strcmp(console_text(), "\023\021"));
    expect(-EINVAL, sys(SYS_ioctl, 0, TCXONC, 4));
    expect(0, sys(SYS_ioctl, 0, TCXONC, 1));
    writes_a_line();
}

static char flood[6001];

/* Echoes that are held back have a limit. */
PROGRAM_TEST(many_echoes_are_held_back)
{
    memset(flood, 'x', 6000);
    console_forget();
    user_type("\023");
    user_type(flood);
    user_type("\n");
    expect(LINE_MAX + 1, sys(SYS_read, 0, AT(4), 6000));
    expect(0, strcmp(console_text(), ""));
    user_type("\021");
    expect('x', console_text()[0]);
    make_raw(1);
    user_type(flood);
    expect(LINE_MAX, sys(SYS_read, 0, AT(4), 6000));
}

static uint64_t now_ms(void)
{
    expect(0, sys(SYS_clock_gettime, 1, AT(9)));
    return user_load(AT(9)) * 1000 + user_load(AT(9) + 8) / 1000000;
}

static void types_three(void)
{
    for (unsigned i = 0; i < 3; i++) {
        call_sleep_ms(50);
        user_type("k");
    }
}

/* VMIN and VTIME. */
PROGRAM_TEST(plain_bytes_are_waited_for)
{
    uint8_t tenths = 2;
    make_raw(0);
    user_write(AT(6) + VMIN - 1, &tenths, 1);
    expect(0, sys(SYS_ioctl, 0, TCSETS, AT(6)));
    uint64_t start = now_ms();
    expect(0, sys(SYS_read, 0, AT(4), 10));
    expect(1, now_ms() - start >= 200 && now_ms() - start < 300);
    make_raw(3);
    tenths = 0;
    user_write(AT(6) + VMIN - 1, &tenths, 1);
    expect(0, sys(SYS_ioctl, 0, TCSETS, AT(6)));
    long pid = user_fork(types_three, 0);
    const struct pollfd entry = {0, POLLIN, 0};
    user_write(AT(5), &entry, sizeof(entry));
    expect(0, sys(SYS_poll, AT(5), 1, 120));
    expect(1, sys(SYS_poll, AT(5), 1, 1000));
    expect_exit(pid, 0);
    expect_line("kkk");
    pid = user_fork(types_three, 0);
    expect_line("kkk");
    expect_exit(pid, 0);
    tenths = 1;
    user_write(AT(6) + VMIN - 1, &tenths, 1);
    expect(0, sys(SYS_ioctl, 0, TCSETS, AT(6)));
    user_type("k");
    start = now_ms();
    expect_line("k");
    expect(1, now_ms() - start >= 100 && now_ms() - start < 200);
}

/* As struct termios of the kernel. */
struct setting {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line, cc[19];
};

#define LAST_TRY 200000 /* microseconds */

static uint64_t seed;
static int master, slave, patience_us;
static struct setting setting;

static unsigned below(unsigned limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % limit;
}

static uint32_t some_of(uint32_t flags)
{
    return flags & (below(UINT32_MAX) | below(UINT32_MAX));
}

static void change_setting(void)
{
    static const uint8_t ends[] = {0, ';', 'a', 0xc3};
    setting.iflag = some_of(0047750); /* all but of breaks and parity, IXOFF, IMAXBEL */
    setting.oflag = below(3) ? 5 : some_of(0014077);
    setting.lflag = some_of(0105373); /* all but XCASE, TOSTOP, ECHOPRT, FLUSHO, PENDIN, EXTPROC */
    setting.cc[5] = 0;
    setting.cc[6] = (uint8_t)below(4);
    setting.cc[11] = ends[below(4)];
    setting.cc[16] = ends[below(4)];
    user_write(AT(6), &setting, sizeof(setting));
    expect(0, sys(SYS_ioctl, 0, TCSETS, AT(6)));
    if (syscall(SYS_ioctl, slave, TCSETS, &setting) != 0)
        host_fail("TCSETS of the pseudo-terminal");
}

static void show(const char *what, const char *bytes, size_t size)
{
    print_message("%s:", what);
    for (size_t i = 0; i < size; i++)
        print_message(" %02x", (uint8_t)bytes[i]);
    print_message("\n");
}

/* Returns false if the terminals have shown something else. */
static bool same_output(const char *what)
{
    char shown[4096];
    usleep((unsigned)patience_us);
    ssize_t n = read(master, shown, sizeof(shown));
    size_t size = n < 0 ? 0 : (size_t)n, own = strlen(console_text());
    bool is_same = own == size && memcmp(console_text(), shown, size) == 0;
    if (!is_same && patience_us == LAST_TRY) {
        show(what, console_text(), own);
        show("on Linux", shown, size);
    }
    console_forget();
    return is_same;
}

/* Keys that are signals, or stop output, come alone: on Linux they act before keys of the same write are shown. */
static bool types_the_same(void)
{
    static const char keys[] = "abC _1\t\t\n\r\177\177\025\027\026\022\004;\303\251\033\b\377\337";
    static const char alone[] = "\003\032\034\021\021\023";
    char text[8] = {alone[below(sizeof(alone) - 1)]};
    unsigned size = below(8);
    for (unsigned i = 0; i < size; i++)
        text[i] = keys[below(sizeof(keys) - 1)];
    size = size ? size : 1;
    text[size] = '\0';
    user_type(text);
    bool is_same = write(master, text, size) == (ssize_t)size && same_output("shown");
    if (!is_same && patience_us == LAST_TRY)
        show("typed", text, size);
    return is_same;
}

static bool writes_the_same(void)
{
    static const char bytes[] = "ab\t\n\r\b\337\351";
    char text[6];
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = bytes[below(sizeof(bytes) - 1)];
    user_write(AT(4), text, sizeof(text));
    long own = sys(SYS_write, 1, AT(4), sizeof(text));
    long wanted = syscall(SYS_write, slave, text, sizeof(text));
    wanted = wanted < 0 ? -errno : wanted;
    if (own != wanted && patience_us == LAST_TRY)
        print_message("write returned %ld, and on Linux %ld\n", own, wanted);
    return own == wanted && same_output("written");
}

static bool reads_the_same(void)
{
    char own[64], other[64];
    size_t size = 1 + below(40);
    long got = sys(SYS_read, 0, AT(4), size);
    long wanted = syscall(SYS_read, slave, other, size);
    wanted = wanted < 0 ? -errno : wanted;
    if (got > 0)
        user_read(own, AT(4), (size_t)got);
    bool is_same = got == wanted && (got <= 0 || memcmp(own, other, (size_t)got) == 0);
    if (!is_same && patience_us == LAST_TRY) {
        print_message("read(%zu) returned %ld, and on Linux %ld\n", size, got, wanted);
        show("read", own, got > 0 ? (size_t)got : 0);
        show("on Linux", other, wanted > 0 ? (size_t)wanted : 0);
    }
    return is_same && same_output("shown");
}

static bool counts_the_same(void)
{
    int count = 0;
    expect(0, sys(SYS_ioctl, 0, FIONREAD, AT(7)));
    return syscall(SYS_ioctl, slave, FIONREAD, &count) == 0 &&
           count == (int)(uint32_t)user_load(AT(7));
}

static void run_keys(void)
{
    bool is_same = true;
    console_forget();
    for (unsigned step = 0; step < 40 && is_same; step++) {
        unsigned kind = below(16);
        if (kind == 0)
            change_setting();
        is_same = kind < 9    ? types_the_same()
                  : kind < 11 ? writes_the_same()
                  : kind < 15 ? reads_the_same()
                              : counts_the_same();
    }
    sys(SYS_exit_group, !is_same);
}

static void compares(void)
{
    (void)sys(SYS_fcntl, 0, F_SETFL, O_RDWR | O_NONBLOCK);
    expect(0, sys(SYS_ioctl, 0, TCGETS, AT(6)));
    user_read(&setting, AT(6), sizeof(setting));
    if (syscall(SYS_ioctl, slave, TCSETS, &setting) != 0)
        host_fail("TCSETS of the pseudo-terminal");
    run_keys();
}

static bool open_terminal(void)
{
    char name[64];
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
        ptsname_r(master, name, sizeof(name)) != 0)
        return false;
    slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    return slave >= 0;
}

/* Returns false if the terminals differ, or skips the test if there are no pseudo-terminals here. */
static bool runs_the_same(uint64_t first, int microseconds)
{
    if (!open_terminal())
        skip();
    seed = first;
    patience_us = microseconds;
    bool is_same = machine_run(compares, NULL).value == 0;
    close(slave);
    close(master);
    return is_same;
}

/* Linux handles keys a little later: what differs is tried again with more time. */
static void test_keys_as_on_linux(void **state)
{
    (void)state;
    console_shows_returns = true;
    for (unsigned i = 0; i < 100; i++)
        if (!runs_the_same(i, 200) && !runs_the_same(i, 10000) && !runs_the_same(i, LAST_TRY))
            fail_msg("seed %u", i);
    console_shows_returns = false;
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
        cmocka_unit_test(test_room_lets_the_port_in),
        cmocka_unit_test(test_interrupt_ends_the_foreground),
        cmocka_unit_test(test_no_other_group_becomes_the_foreground),
        cmocka_unit_test(test_background_may_not_read),
        cmocka_unit_test(test_background_may_not_write_with_tostop),
        cmocka_unit_test(test_background_reader_is_told),
        cmocka_unit_test(test_a_session_takes_the_terminal),
        cmocka_unit_test(test_the_end_of_a_leader_hangs_up),
        cmocka_unit_test(test_window_size),
        cmocka_unit_test(test_the_host_resizes_the_window),
        cmocka_unit_test(test_window_of_the_command_line),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_keys_of_lines),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_output_is_stopped),
        cmocka_unit_test(test_programs_stop_output),
        cmocka_unit_test(test_many_echoes_are_held_back),
        cmocka_unit_test(test_plain_bytes_are_waited_for),
        cmocka_unit_test(test_keys_as_on_linux),
    };
    return cmocka_run_group_tests_name("terminal", tests, NULL, check_stacks);
}
