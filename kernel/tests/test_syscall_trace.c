/* The output of trace=: the arguments of dozens of system calls, and the lines of several
 * processes. User memory is this program's own. */
#include "test.h"

#include "dev/print.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/trace.h"
#include "task/process.h"

#define BAD 0x10ull /* an address that is not mapped */

/* Stubs of the functions that syscall/trace.c and syscall/decode.c call. */
static struct process processes[2] = {{.pid = 1}, {.pid = 2}};
static struct thread threads[2] = {{.comm = "init"}, {.comm = "sh"}};
struct thread *current_thread = &threads[0];
struct process *current_process = &processes[0];

static char printed[4096];

void print(const char *fmt, ...)
{
    size_t used = strlen(printed);
    va_list args;
    va_start(args, fmt);
    vsnprintf(printed + used, sizeof(printed) - used, fmt, args);
    va_end(args);
    strncat(printed, "\n", sizeof(printed) - strlen(printed) - 1);
}

static bool memory_is_short;

void *slab_alloc(size_t size)
{
    return memory_is_short ? NULL : malloc(size);
}

void slab_free(void *object)
{
    free(object);
}

int copy_from_user(void *to, user_t from, size_t size)
{
    if (from.value < PAGE_SIZE)
        return -EFAULT;
    memcpy(to, (const void *)from.value, size);
    return 0;
}

long copy_string_from_user(char *to, user_t from, size_t size)
{
    if (from.value < PAGE_SIZE)
        return -EFAULT;
    const char *s = (const char *)from.value;
    size_t length = 0;
    while (length < size && s[length])
        length++;
    memcpy(to, s, length < size ? length + 1 : size);
    return length < size ? (long)length : -ENAMETOOLONG;
}

#define P(pointer) ((uint64_t)(uintptr_t)(pointer))

static const struct call_info *info_of(const char *name)
{
    for (uint64_t number = 0; number < SYSCALLS_MAX; number++)
        if (call_info(number)->name && strcmp(call_info(number)->name, name) == 0)
            return call_info(number);
    fail_msg("there is no call %s", name);
    return NULL;
}

/* The line of a trace, NAME(ARGUMENTS) = RESULT. */
static const char *decoded(const char *name, long result, const uint64_t value[6])
{
    static char line[1024];
    struct made_call call = {.info = info_of(name)};
    struct text text = {0, line, sizeof(line) - 1, 0, false};
    memcpy(call.value, value, sizeof(call.value));
    text_printf(&text, "%s(", name);
    for (unsigned i = 0; i < call.info->count; i++) {
        char before[512];
        struct text piece = {0, before, sizeof(before) - 1, 0, false};
        decode_before(&piece, &call, i);
        before[piece.used] = '\0';
        text_printf(&text, "%s%s", i > 0 ? ", " : "", before);
        decode_after(&text, &call, i, result, before);
    }
    text_printf(&text, ") = ");
    decode_result(&text, &call, result);
    line[text.used] = '\0';
    return line;
}

#define DECODES(text, name, result, ...)                                                           \
    assert_string_equal(decoded(name, result, (const uint64_t[6]){__VA_ARGS__}), text)

#define AT_FDCWD_REGISTER 0xffffff9cull /* -100 in 32 bits, as programs pass it */

static void files_and_paths(void **state)
{
    (void)state;
    DECODES("openat(AT_FDCWD, \"/etc/motd\", O_RDONLY|O_CLOEXEC, 0) = 3", "openat", 3,
            AT_FDCWD_REGISTER, P("/etc/motd"), 02000000, 0);
    DECODES("openat(AT_FDCWD, \"x\", O_RDWR|O_CREAT|O_EXCL, 0644) = -1 EEXIST", "openat", -EEXIST,
            (uint64_t)-100, P("x"), 0302, 0xffff0000 | 0644);
    DECODES("openat(5, \"\", O_WRONLY|O_TRUNC|O_APPEND|O_SYNC, 0) = -1 ENOENT", "openat", -ENOENT,
            5, P(""), 04013001, 0);
    DECODES("open(0x10, O_RDONLY|0x40000000, 0) = -1 EFAULT", "open", -EFAULT, BAD, 0x40000000, 0);
    DECODES("open(NULL, O_RDWR|O_TMPFILE, 0600) = -1 EFAULT", "open", -EFAULT, 0, 020200002, 0600);
    DECODES("close(-1) = -1 EBADF", "close", -EBADF, 0xffffffff);
    DECODES("close(7) = 0", "close", 0, 0xdeadbeef00000007);
    DECODES("lseek(3, -1, SEEK_END) = 41", "lseek", 41, 3, (uint64_t)-1, 2);
    DECODES("lseek(3, 0, 9) = -1 EINVAL", "lseek", -EINVAL, 3, 0, 9);
    DECODES("mkdir(\"d\", 0755) = 0", "mkdir", 0, P("d"), 0x10000 | 0755);
    DECODES("mknod(\"null\", 020666, makedev(0x1, 0x3)) = 0", "mknod", 0, P("null"), 020666, 0x103);
    DECODES("chown(\"f\", 1000, -1) = 0", "chown", 0, P("f"), 1000, 0xffffffff);
    DECODES("unlinkat(3, \"d\", AT_REMOVEDIR) = 0", "unlinkat", 0, 3, P("d"), 0x200);
    DECODES("renameat2(AT_FDCWD, \"a\", 4, \"b\", RENAME_NOREPLACE) = -1 EXDEV", "renameat2",
            -EXDEV, AT_FDCWD_REGISTER, P("a"), 4, P("b"), 1);
    DECODES("access(\"/\", F_OK) = 0", "access", 0, P("/"), 0);
    DECODES("access(\"/\", R_OK|X_OK) = 0", "access", 0, P("/"), 5);
    DECODES("faccessat2(3, \"f\", W_OK, AT_EACCESS) = 0", "faccessat2", 0, 3, P("f"), 2, 0x200);
    DECODES("fcntl(3, F_SETFD, 1) = 0", "fcntl", 0, 3, 2, 1);
    DECODES("ioctl(1, TIOCGWINSZ, 0x7ffc00001000) = -1 ENOTTY", "ioctl", -ENOTTY, 1, 0x5413,
            0x7ffc00001000);
    DECODES("mount(\"none\", \"/tmp\", \"tmpfs\", MS_NOSUID|MS_NODEV, \"size=1m\") = 0", "mount", 0,
            P("none"), P("/tmp"), P("tmpfs"), 6, P("size=1m"));
}

static void strings_and_buffers(void **state)
{
    static const char many[] = "0123456789012345678901234567890123456789012345678901234567890123"
                               "456789";
    (void)state;
    DECODES("chdir(\"a\\\"b\\\\c\\n\\t\\x01\\xff\") = 0", "chdir", 0, P("a\"b\\c\n\t\x01\xff"));
    DECODES("chdir(\"0123456789012345678901234567890123456789012345678901234567890123\"...) = 0",
            "chdir", 0, P(many));
    DECODES("write(1, \"hi\\n\", 3) = 3", "write", 3, 1, P("hi\n"), 3);
    DECODES("write(1, \"0123456789012345678901234567890123456789012345678901234567890123\"..., 70) "
            "= 70",
            "write", 70, 1, P(many), 70);
    DECODES("read(0, \"01\", 100) = 2", "read", 2, 0, P(many), 100);
    DECODES("read(0, \"\", 100) = 0", "read", 0, 0, P(many), 100);
    DECODES("read(0, 0x7000, 100) = -1 EINTR", "read", -EINTR, 0, 0x7000, 100);
    DECODES("read(0, NULL, 100) = -1 EFAULT", "read", -EFAULT, 0, 0, 100);
    DECODES("read(0, 0x7000, 100) = ? ERESTARTSYS", "read", -ERESTARTSYS, 0, 0x7000, 100);
    DECODES("readlink(\"l\", \"0123\", 64) = 4", "readlink", 4, P("l"), P(many), 64);
    DECODES("getcwd(\"/root\", 4096) = 6", "getcwd", 6, P("/root"), 4096);
    const char *argv[] = {"sh", "-c", "exit", "1", "2", NULL}, *few[] = {"ls", NULL};
    char expected[128];
    snprintf(expected, sizeof(expected),
             "execve(\"/bin/sh\", [\"sh\", \"-c\", \"exit\", \"1\", ...], %p /* 1 strings */) = 0",
             (void *)few);
    DECODES(expected, "execve", 0, P("/bin/sh"), P(argv), P(few));
    DECODES("execve(\"x\", [\"ls\"], NULL) = -1 ENOENT", "execve", -ENOENT, P("x"), P(few), 0);
}

static void structures(void **state)
{
    int64_t time[2] = {1, 500};
    uint64_t mask = 1ull << 1 | 1ull << 16, action[4] = {1, 0x10000000, 0, mask}, full = ~mask;
    uint64_t limit[2] = {1024, UINT64_MAX};
    int32_t fds[2] = {3, 4}, status = 256;
    struct {
        int32_t fd;
        int16_t events, revents;
    } polled[2] = {{0, 1, 0}, {-1, 4, 0x20}};
    struct {
        const char *base;
        uint64_t size;
    } vector[2] = {{"ab", 2}, {"c", 1}};
    (void)state;
    DECODES("nanosleep({tv_sec=1, tv_nsec=500}, NULL) = 0", "nanosleep", 0, P(time), 0);
    DECODES("clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=500}) = 0", "clock_gettime", 0, 1,
            P(time));
    DECODES("clock_gettime(77, 0x9000) = -1 EINVAL", "clock_gettime", -EINVAL, 77, 0x9000);
    DECODES("rt_sigprocmask(SIG_BLOCK, [SIGINT SIGCHLD], NULL, 8) = 0", "rt_sigprocmask", 0, 0,
            P(&mask), 0, 8);
    DECODES("rt_sigprocmask(SIG_SETMASK, ~[SIGINT SIGCHLD], NULL, 8) = 0", "rt_sigprocmask", 0, 2,
            P(&full), 0, 8);
    DECODES("rt_sigaction(SIGCHLD, {sa_handler=0x1, sa_mask=[SIGINT SIGCHLD], sa_flags=SA_RESTART, "
            "sa_restorer=NULL}, NULL, 8) = 0",
            "rt_sigaction", 0, 17, P(action), 0, 8);
    DECODES("kill(-1, SIGKILL) = 0", "kill", 0, (uint64_t)-1, 9);
    DECODES("kill(5, 0) = -1 ESRCH", "kill", -ESRCH, 5, 0);
    DECODES("pipe2([3, 4], O_RDONLY|O_CLOEXEC) = 0", "pipe2", 0, P(fds), 02000000);
    DECODES("pipe(0x9000) = -1 EMFILE", "pipe", -EMFILE, 0x9000);
    DECODES("wait4(-1, [256], WNOHANG, NULL) = 7", "wait4", 7, (uint64_t)-1, P(&status), 1, 0);
    DECODES("prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1024, rlim_max=18446744073709551615}) = 0",
            "prlimit64", 0, 0, 7, 0, P(limit));
    DECODES(
        "poll([{fd=0, events=POLLIN, revents=0}, {fd=-1, events=POLLOUT, revents=POLLNVAL}], 2, "
        "-1) = 1",
        "poll", 1, P(polled), 2, (uint64_t)-1);
    DECODES("poll([], 0, 10) = 0", "poll", 0, P(polled), 0, 10);
    DECODES("writev(1, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"c\", iov_len=1}], 2) = 3",
            "writev", 3, 1, P(vector), 2);
    DECODES("setgroups(2, [3, 4]) = 0", "setgroups", 0, 2, P(fds));
    DECODES("set_tid_address(0x9000) = 1", "set_tid_address", 1, 0x9000);
}

static void memory_and_processes(void **state)
{
    (void)state;
    DECODES(
        "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000",
        "mmap", 0x7f0000000000, 0, 4096, 3, 0x22, (uint64_t)-1, 0);
    DECODES("mmap(0x1000, 1, PROT_NONE, MAP_SHARED|MAP_FIXED, 3, 0) = -1 ENOMEM", "mmap", -ENOMEM,
            0x1000, 1, 0, 0x11, 3, 0);
    DECODES("mprotect(0x1000, 4096, PROT_READ|PROT_EXEC) = -1 EACCES", "mprotect", -EACCES, 0x1000,
            4096, 5);
    DECODES("mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE, NULL) = 0x2000", "mremap", 0x2000, 0x1000,
            4096, 8192, 1, 0);
    DECODES("madvise(0x1000, 4096, MADV_DONTNEED) = 0", "madvise", 0, 0x1000, 4096, 4);
    DECODES("brk(NULL) = 0x5000", "brk", 0x5000, 0);
    DECODES("getpid() = 12", "getpid", 12, 0);
    DECODES("setuid(1000) = -1 EPERM", "setuid", -EPERM, 0xffffffff000003e8);
    DECODES("umask(022) = 18", "umask", 18, 022);
    DECODES("clone(CLONE_VM|CLONE_VFORK|SIGCHLD, 0x7000, NULL, NULL, NULL) = 9", "clone", 9, 0x4111,
            0x7000, 0, 0, 0);
    DECODES("arch_prctl(ARCH_SET_FS, 0x410698) = 0", "arch_prctl", 0, 0x1002, 0x410698);
    DECODES("prctl(PR_SET_NAME, 0x410698, 0, 0, 0) = 0", "prctl", 0, 15, 0x410698, 0, 0, 0);
    DECODES("futex(NULL, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) = -1 EFAULT", "futex", -EFAULT, 0,
            129, 1, 0, 0, 0);
    DECODES("reboot(0xfee1dead, 0x28121969, LINUX_REBOOT_CMD_POWER_OFF, NULL) = -1 EPERM", "reboot",
            -EPERM, 0xfee1dead, 0x28121969, 0x4321fedc, 0);
    DECODES("getrandom(0x9000, 8, GRND_NONBLOCK|0x10) = -1 EINVAL", "getrandom", -EINVAL, 0x9000, 8,
            0x11);
    DECODES("getppid() = -1 error 1000", "getppid", -1000, 0);
}

static int32_t changing[2];

static void what_a_call_changes_is_printed_twice(void **state)
{
    int64_t offset = 10;
    struct made_call call = {.info = info_of("sendfile"), .value = {1, 2, P(&offset), 5}};
    char before[64], line[64];
    struct text text = {0, before, sizeof(before) - 1, 0, false};
    (void)state;
    decode_before(&text, &call, 2);
    before[text.used] = '\0';
    assert_string_equal(before, "[10]");
    offset = 15;
    text = (struct text){0, line, sizeof(line) - 1, 0, false};
    decode_after(&text, &call, 2, 5, before);
    line[text.used] = '\0';
    assert_string_equal(line, " => [15]");
}

/* Calls for trace_call(). */
static long fills_two(const struct trap_frame *frame)
{
    (void)frame;
    changing[0] = 5;
    changing[1] = 6;
    return 0;
}

static long forgets_its_path(const struct trap_frame *frame)
{
    strcpy((char *)frame->rdi, "changed");
    return -ENOENT;
}

static long another_runs(const struct trap_frame *frame)
{
    static const struct trap_frame inner = {.rdi = 9};
    (void)frame;
    current_thread = &threads[1];
    current_process = &processes[1];
    trace_call(3, fills_two, &inner);
    current_thread = &threads[0];
    current_process = &processes[0];
    return 2;
}

#define PRINTS(text)                                                                               \
    do {                                                                                           \
        assert_string_equal(printed, text);                                                        \
        printed[0] = '\0';                                                                         \
    } while (0)

static void a_call_becomes_a_line(void **state)
{
    char path[] = "/as it was";
    struct trap_frame frame = {.rdi = P(changing)};
    (void)state;
    assert_int_equal(trace_call(22, fills_two, &frame), 0);
    PRINTS("trace: 1 init: pipe([5, 6]) = 0\n");
    frame.rdi = P(path);
    assert_int_equal(trace_call(80, forgets_its_path, &frame), -ENOENT);
    PRINTS("trace: 1 init: chdir(\"/as it was\") = -1 ENOENT\n");
    frame.rdi = 3;
    trace_call(231, fills_two, &frame);
    PRINTS("trace: 1 init: exit_group(3) = ?\n");
    trace_call(213, fills_two, &frame);
    PRINTS("trace: 1 init: epoll_create() = 0\n");
    trace_call(500, fills_two, &frame);
    PRINTS("trace: 1 init: unknown() = 0\n");
}

static void an_interrupted_line_is_finished_later(void **state)
{
    struct trap_frame frame = {.rdi = (uint64_t)-1, .rsi = P(changing), .rdx = 1};
    (void)state;
    changing[0] = 0;
    assert_int_equal(trace_call(61, another_runs, &frame), 2);
    PRINTS("trace: 1 init: wait4(-1, <unfinished ...>\n"
           "trace: 2 sh: close(9) = 0\n"
           "trace: 1 init: <... wait4 resumed> [5], WNOHANG, NULL) = 2\n");
    frame = (struct trap_frame){.rdi = 0};
    trace_call(34, another_runs, &frame);
    PRINTS("trace: 1 init: pause(<unfinished ...>\n"
           "trace: 2 sh: close(9) = 0\n"
           "trace: 1 init: <... pause resumed> ) = 2\n");
}

static void a_call_is_made_without_memory_for_its_line(void **state)
{
    struct trap_frame frame = {.rdi = P(changing)};
    (void)state;
    memory_is_short = true;
    changing[0] = 0;
    assert_int_equal(trace_call(22, fills_two, &frame), 0);
    memory_is_short = false;
    assert_int_equal(changing[0], 5);
    PRINTS("");
}

static void a_long_line_is_cut(void **state)
{
    char name[8192];
    const char *argv[] = {name, name, name, name, name, NULL};
    struct trap_frame frame = {.rdi = P(name), .rsi = P(argv), .rdx = P(argv)};
    (void)state;
    memset(name, '\x01', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    trace_call(59, fills_two, &frame);
    assert_true(strlen(printed) < PRINT_MAX);
    assert_true(strlen(printed) > 300);
    printed[0] = '\0';
}

static bool boot_with(const char *cmdline)
{
    assert_null(cmdline_init(cmdline));
    return trace_init();
}

static bool wants(int pid, uint64_t number)
{
    struct process process = {.pid = pid};
    current_process = &process;
    bool wanted = trace_wants(number);
    current_process = &processes[0];
    return wanted;
}

static void the_command_line_chooses(void **state)
{
    (void)state;
    assert_false(boot_with("quiet"));
    assert_false(boot_with("trace="));
    assert_true(boot_with("trace=all"));
    assert_true(wants(1, 0) && wants(30000, 511));
    assert_true(boot_with("trace=openat,close"));
    assert_true(wants(1, 257) && wants(2, 3));
    assert_false(wants(1, 0) || wants(1, 256));
    assert_true(boot_with("trace=7"));
    assert_true(wants(7, 0) && wants(7, 400));
    assert_false(wants(1, 0) || wants(77, 0));
    assert_true(boot_with("trace=7,12,read"));
    assert_true(wants(7, 0) && wants(12, 0));
    assert_false(wants(7, 1) || wants(1, 0));
    PRINTS("");
    assert_true(boot_with("trace=readx,read"));
    assert_true(wants(1, 0));
    PRINTS("trace: there is no system call readx\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_paths),
        cmocka_unit_test(strings_and_buffers),
        cmocka_unit_test(structures),
        cmocka_unit_test(memory_and_processes),
        cmocka_unit_test(what_a_call_changes_is_printed_twice),
        cmocka_unit_test(a_call_becomes_a_line),
        cmocka_unit_test(an_interrupted_line_is_finished_later),
        cmocka_unit_test(a_call_is_made_without_memory_for_its_line),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(the_command_line_chooses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
