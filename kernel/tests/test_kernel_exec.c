/* exec in a whole kernel on the host: the state that a process keeps or loses, and each failure;
 * boot from an archive. */
#include "tests/kernel_test.h"

#include <stdio.h>

#include "dev/print.h"
#include "exec/args.h"
#include "proc/proc.h"

#define ARGV AT(10)
#define ENVP AT(11)

static long call_exec(const char *path)
{
    const uint64_t argv[3] = {user_string(AT(12), "zero"), user_string(AT(13), "one"), 0};
    const uint64_t envp[2] = {user_string(AT(14), "A=1"), 0};
    user_write(ARGV, argv, sizeof(argv));
    user_write(ENVP, envp, sizeof(envp));
    return sys(SYS_execve, user_string(AT(0), path), ARGV, ENVP);
}

/* The new program: checks its initial stack (psABI, "Process Initialization"). */
static void other(void)
{
    char text[8] = "";
    uint64_t stack = thread_frame(current_thread)->rsp;
    uint64_t argc = user_load(stack);
    expect(0, stack % 16);
    user_read(text, user_load(stack + 8 * argc), 4); /* the last argument */
    expect(0, strcmp(text, "one"));
    user_read(text, user_load(stack + 8 * (argc + 2)), 4); /* the first of the environment */
    expect(0, strcmp(text, "A=1"));
    sys(SYS_exit_group, 30 + argc);
}

/* A program that does not fit its limits ends: the old one is gone already. */
static void execs_beyond_its_limit(void)
{
    const uint64_t limit[2] = {PAGE_SIZE, PAGE_SIZE};
    user_write(AT(2), limit, sizeof(limit));
    expect(0, sys(SYS_setrlimit, RLIMIT_DATA, AT(2)));
    (void)call_exec("/other");
    host_fail("execve of a good program returns");
}

static void has_a_limit(void)
{
    expect_signal(user_fork(execs_beyond_its_limit, 0), SIGSEGV);
}

static void test_exec_beyond_a_limit(void **state)
{
    const struct machine_file files[] = {{"/other", .program = other}};
    (void)state;
    run_init_with(has_a_limit, files, 1);
}

static void execs_other(void)
{
    (void)call_exec("/other");
    host_fail("execve of a good program returns");
}

static void execs_script(void)
{
    (void)call_exec("/script");
    host_fail("execve of a good script returns");
}

PROGRAM_TEST(nothing)
{
}

static void starts_programs(void)
{
    expect_exit(user_fork(execs_other, 0), 32);
    expect_exit(user_fork(execs_script, 0), 34);
    expect_exit(user_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, execs_other, 0), 32);
}

/* The state that exec keeps or resets: descriptors, handlers, ignored signals, the mask, pending
 * signals, the alarm. */
static void handler(int signal, uint64_t info, uint64_t context)
{
    (void)signal, (void)info, (void)context;
}

static void after_exec(void)
{
    uint64_t action[4], set;
    expect(-EBADF, call_close(3));
    expect(0, call_close(4));
    expect(0, sys(SYS_rt_sigaction, SIGUSR1, 0, AT(2), 8));
    user_read(action, AT(2), sizeof(action));
    expect(SIG_DFL, action[0]);
    expect(0, sys(SYS_rt_sigaction, SIGUSR2, 0, AT(2), 8));
    user_read(action, AT(2), sizeof(action));
    expect(SIG_IGN, action[0]);
    expect(0, sys(SYS_rt_sigpending, AT(2), 8));
    user_read(&set, AT(2), sizeof(set));
    expect(SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(41) | SIGNAL_BIT(42), set);
    expect(100, sys(SYS_alarm, 0));
    sys(SYS_exit_group, 7);
}

static void queue(int signal, int code, bool to_thread)
{
    const uint64_t pid = (uint64_t)sys(SYS_getpid);
    const int info[32] = {0, 0, code};
    user_write(AT(3), info, sizeof(info));
    expect(0, to_thread ? sys(SYS_rt_tgsigqueueinfo, pid, pid, (uint64_t)signal, AT(3))
                        : sys(SYS_rt_sigqueueinfo, pid, (uint64_t)signal, AT(3)));
}

/* Blocked signals, of which those of timers are dropped. */
static void queues_signals(void)
{
    const uint64_t blocked = SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGUSR1) |
                             SIGNAL_BIT(40) | SIGNAL_BIT(41) | SIGNAL_BIT(42);
    user_store(AT(2), blocked);
    expect(0, sys(SYS_rt_sigprocmask, 0, AT(2), 0, 8));
    queue(SIGUSR1, SI_TIMER, false);
    queue(SIGURG, SI_TIMER, true);
    queue(40, SI_TIMER, true);
    queue(40, SI_TIMER, false);
    queue(41, SI_TIMER, false);
    queue(41, -1, false); /* SI_QUEUE */
    queue(42, -1, true);
}

static void prepares_and_execs(void)
{
    const uint64_t ignore[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    expect(3, call_open("/dev/null", O_RDWR | 02000000, 0));
    expect(4, call_open("/dev/null", O_RDWR, 0));
    expect(0, user_on_signal(SIGUSR1, handler, 0, 0));
    user_write(AT(2), ignore, sizeof(ignore));
    expect(0, sys(SYS_rt_sigaction, SIGUSR2, AT(2), 0, 8));
    user_store(AT(2), SIGNAL_BIT(SIGHUP));
    expect(0, sys(SYS_rt_sigprocmask, 0, AT(2), 0, 8));
    expect(0, call_kill(sys(SYS_getpid), SIGHUP));
    queues_signals();
    expect(0, sys(SYS_alarm, 100));
    (void)call_exec("/after");
}

static void checks_what_stays(void)
{
    expect_exit(user_fork(prepares_and_execs, 0), 7);
    /* a shared table of descriptors and of signals is not the old one any more */
    expect_exit(user_clone(CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_VFORK | SIGCHLD, 0,
                           prepares_and_execs, 0),
                7);
    expect(0, call_close(3));
    expect(0, call_close(4));
}

/* An exec that may not gain anything: see credentials_for_exec(). */
static void has_real_user(void)
{
    expect(5, sys(SYS_geteuid));
    expect(9, sys(SYS_getegid));
    expect(-EPERM, sys(SYS_setresuid, 6, 6, 6));
    sys(SYS_exit_group, 8);
}

static void keeps_effective_user(void)
{
    expect(0, sys(SYS_geteuid));
    expect(8, sys(SYS_getegid));
    expect(0, sys(SYS_setresuid, 6, 6, 6));
    sys(SYS_exit_group, 8);
}

static void sets_effective_ids(uint64_t caps)
{
    const uint32_t header[2] = {0x20080522, 0};
    const uint32_t sets[6] = {(uint32_t)caps, (uint32_t)caps, 0, (uint32_t)(caps >> 32),
                              (uint32_t)(caps >> 32)};
    expect(0, sys(SYS_setresgid, 9, 8, 8));
    expect(0, sys(SYS_setresuid, 5, 0, 0));
    user_write(AT(2), header, sizeof(header));
    user_write(AT(3), sets, sizeof(sets));
    expect(0, sys(SYS_capset, AT(2), AT(3)));
}

static void execs_without_caps(void)
{
    sets_effective_ids(0);
    (void)call_exec("/has-real-user");
}

static void execs_with_setuid(void)
{
    sets_effective_ids(CAP_BIT(CAP_SETUID));
    (void)call_exec("/keeps-effective-user");
}

static void execs_without_new_rights(void)
{
    expect(0, sys(SYS_prctl, 38, 1, 0, 0, 0)); /* PR_SET_NO_NEW_PRIVS */
    sets_effective_ids(CAP_BIT(CAP_SETUID));
    (void)call_exec("/has-real-user-and-setuid");
}

static void has_real_user_and_setuid(void)
{
    expect(5, sys(SYS_geteuid));
    expect(9, sys(SYS_getegid));
    expect(0, sys(SYS_setresuid, 6, 6, 6));
    sys(SYS_exit_group, 8);
}

static void execs_unsafely(void)
{
    expect_exit(user_clone(CLONE_FS | SIGCHLD, 0, execs_without_caps, 0), 8);
    expect_exit(user_clone(CLONE_FS | SIGCHLD, 0, execs_with_setuid, 0), 8);
    expect_exit(user_fork(execs_without_new_rights, 0), 8);
}

/* Strings have as much room as the stack may have, at least a page: the path is one of them. */
static void has_no_room_for_the_path(void)
{
    static char path[4091];
    const uint64_t limit[2] = {PAGE_SIZE, PAGE_SIZE};
    memset(path, '/', sizeof(path) - 1);
    memcpy(path + sizeof(path) - sizeof("other"), "other", sizeof("other"));
    user_write(AT(2), limit, sizeof(limit));
    expect(0, sys(SYS_setrlimit, RLIMIT_STACK, AT(2)));
    expect(-E2BIG, sys(SYS_execve, user_string(USER_DATA + 0x8000, path), 0, 0));
}

static void fails_in_all_ways(void)
{
    static char longer[5000];
    memset(longer, 'a', sizeof(longer) - 1);
    expect_exit(user_fork(has_no_room_for_the_path, 0), 0);
    expect(-ENOENT, call_exec("/none"));
    expect(-ENOENT, call_exec(""));
    expect(-EACCES, call_exec("/tmp"));
    expect(-EACCES, call_exec("/dev/null"));
    expect(-EACCES, call_exec("/not-executable"));
    expect(-ENOEXEC, call_exec("/empty"));
    expect(-ENOEXEC, call_exec("/text"));
    expect(-ENOEXEC, call_exec("/cut"));
    expect(-ENOENT, call_exec("/no-interpreter"));
    expect(-ELOOP, call_exec("/itself"));
    expect(-ENAMETOOLONG, sys(SYS_execve, user_string(USER_DATA + 0x8000, longer), 0, 0));
    expect(-EFAULT, sys(SYS_execve, 8, 0, 0));
    expect(-EFAULT, sys(SYS_execve, user_string(AT(0), "/other"), 8, 0));
    expect(-EFAULT, sys(SYS_execve, user_string(AT(0), "/other"), 0, USER_END));
    user_store(ARGV, 8); /* a string at an address that is not mapped */
    user_store(ARGV + 8, 0);
    expect(-EFAULT, sys(SYS_execve, user_string(AT(0), "/other"), ARGV, 0));
    /* too long a string, too many of them */
    const uint64_t large = 0x20000000, size = 0x400000;
    expect(large, sys(SYS_mmap, large, size, 3, 0x32, UINT64_MAX, 0));
    for (uint64_t at = large; at < large + 0x21000; at += 8)
        user_store(at, 0x6161616161616161);
    user_store(ARGV, large);
    expect(-E2BIG, sys(SYS_execve, user_string(AT(0), "/other"), ARGV, 0));
    long fd = call_open("/other", O_WRONLY, 0);
    expect(1, fd >= 0);
    expect(-ETXTBSY, call_exec("/other"));
    expect(0, call_close(fd));
    expect(-ETXTBSY, call_open("/init", O_WRONLY, 0));
}

/* execveat: the file of a descriptor, and paths from a directory. */
static uint64_t exec_place, exec_flags;
static const char *exec_path;

static long call_exec_at(void)
{
    const uint64_t argv[3] = {user_string(AT(12), "zero"), user_string(AT(13), "one"), 0};
    const uint64_t envp[2] = {user_string(AT(14), "A=1"), 0};
    user_write(ARGV, argv, sizeof(argv));
    user_write(ENVP, envp, sizeof(envp));
    return sys(SYS_execveat, exec_place, user_string(AT(0), exec_path), ARGV, ENVP, exec_flags);
}

static void execs_at(void)
{
    (void)call_exec_at();
}

static long exec_at(uint64_t place, const char *path, uint64_t flags)
{
    exec_place = place;
    exec_path = path;
    exec_flags = flags;
    return call_exec_at();
}

static void expect_exec_at(uint64_t place, const char *path, uint64_t flags, int status)
{
    exec_place = place;
    exec_path = path;
    exec_flags = flags;
    expect_exit(user_fork(execs_at, 0), status);
}

static void execs_by_descriptors(void)
{
    const uint64_t empty = 0x1000, nofollow = 0x100;
    uint64_t root = (uint64_t)call_open("/", O_RDONLY, 0);
    uint64_t program = (uint64_t)call_open("/other", 010000000, 0); /* O_PATH */
    uint64_t text = (uint64_t)call_open("/script", O_RDONLY, 0);
    uint64_t hidden = (uint64_t)call_open("/script", 02000000, 0); /* O_CLOEXEC */
    expect_exec_at(program, "", empty, 32);
    expect_exec_at(root, "other", 0, 32);
    expect_exec_at((uint64_t)-1, "/other", nofollow, 32);
    expect_exec_at(root, "script", empty, 34);
    expect_exec_at(text, "", empty, 34);
    expect(-ENOENT, exec_at(hidden, "", empty));
    expect(-ENOENT, exec_at(program, "", 0));
    expect(-EACCES, exec_at(root, "", empty));
    expect(-EACCES, exec_at((uint64_t)-100, "", empty));
    expect(-ENOTDIR, exec_at(text, "other", 0));
    expect(-EBADF, exec_at(99, "other", 0));
    expect(-EINVAL, exec_at(99, "other", 0x200));
    expect(0, sys(SYS_symlink, user_string(AT(0), "/other"), user_string(AT(1), "/link")));
    expect(-ELOOP, exec_at(root, "link", nofollow));
    expect_exec_at(root, "link", 0, 32);
    /* in memory, whose descriptor may write */
    uint64_t from = (uint64_t)call_open("/other", O_RDONLY, 0);
    uint64_t memory = (uint64_t)sys(SYS_memfd_create, user_string(AT(0), "copy"), 0);
    expect(1, sys(SYS_sendfile, memory, from, 0, 1u << 20) > 0);
    expect_exec_at(memory, "", empty, 32);
    expect(0, sys(SYS_fcntl, memory, 2, 0)); /* F_SETFD */
    expect(0, call_close((long)memory));
}

static const char text_file[] = "hello\n";
static const char script[] = "#!/other  word\n";
static const char no_interpreter[] = "#!/none\n";
static const char itself[] = "#!/itself\n";
static const char elf_cut[] = "\177ELF\2\1\1";

static void runs_itself(void)
{
    static bool again;
    bool is_second = again;
    again = !again;
    if (!is_second)
        (void)call_exec("/proc/self/exe");
}

static void test_a_link_of_proc_is_resolved(void **state)
{
    static const struct machine_file files[] = {{"/itself-again", .program = runs_itself}};
    const struct machine_options options = {
        .cmdline = "show=exec init=/itself-again", .files = files, .nr_files = 1};
    (void)state;
    assert_int_equal(machine_run(NULL, &options).verdict, VERDICT_EXIT);
    assert_null(strstr(console_text(), "/proc/self/exe"));
    const char *first = strstr(console_text(), "loaded: /itself-again:");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "loaded: /itself-again:"));
}

static const struct machine_file exec_files[] = {
    {"/other", .program = other},
    {"/after", .program = after_exec},
    {"/script", .data = script, .size = sizeof(script) - 1},
    {"/has-real-user", .program = has_real_user},
    {"/has-real-user-and-setuid", .program = has_real_user_and_setuid},
    {"/keeps-effective-user", .program = keeps_effective_user},
    {"/not-executable", .program = other, .mode = 0644},
    {"/empty", .data = ""},
    {"/text", .data = text_file, .size = sizeof(text_file) - 1},
    {"/cut", .data = elf_cut, .size = sizeof(elf_cut)},
    {"/no-interpreter", .data = no_interpreter, .size = sizeof(no_interpreter) - 1},
    {"/itself", .data = itself, .size = sizeof(itself) - 1},
};

static void run_with_files(user_fn *init)
{
    run_init_with(init, exec_files, sizeof(exec_files) / sizeof(exec_files[0]));
}

static void test_programs_are_started(void **state)
{
    (void)state;
    run_with_files(starts_programs);
}

static void test_what_exec_keeps(void **state)
{
    (void)state;
    run_with_files(checks_what_stays);
}

static void test_unsafe_exec(void **state)
{
    (void)state;
    run_with_files(execs_unsafely);
}

static void test_programs_of_descriptors(void **state)
{
    (void)state;
    run_with_files(execs_by_descriptors);
}

static void test_every_failure(void **state)
{
    (void)state;
    run_with_files(fails_in_all_ways);
}

/* A program of real size from this machine; its instructions do not run. */
static void execs_busybox(void)
{
    (void)call_exec("/busybox");
}

static void starts_busybox(void)
{
    expect_exit(user_fork(execs_busybox, 0), 0);
}

static void test_busybox_is_loaded(void **state)
{
    (void)state;
    static uint8_t program[4 << 20];
    FILE *file = fopen("/bin/busybox", "rb");
    if (!file) {
        print_message("no /bin/busybox here\n");
        return;
    }
    size_t size = fread(program, 1, sizeof(program), file);
    (void)fclose(file);
    const struct machine_file files[] = {{"/busybox", .data = program, .size = size}};
    run_init_with(starts_busybox, files, 1);
}

/* cpio(5), "New ASCII format" */
static size_t add_entry(char *out, const char *name, unsigned mode, const void *data, size_t size)
{
    size_t length = strlen(name) + 1;
    int n = sprintf(out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1, mode, 0,
                    0, 1, 0, size, 0, 0, 0, 0, length, 0);
    size_t at = (size_t)n;
    memcpy(out + at, name, length);
    at = (at + length + 3) / 4 * 4;
    memcpy(out + at, data, size);
    return (at + size + 3) / 4 * 4;
}

static void reads_archive_file(void)
{
    long fd = call_open("/etc/motd", O_RDONLY, 0);
    expect(6, sys(SYS_read, (uint64_t)fd, AT(2), 100));
}

/* Without a device at /dev/console the console has no name. */
static void has_no_console(void)
{
    char text[16] = "";
    for (uint64_t fd = 0; fd < 3; fd++) {
        sprintf(text, "/proc/self/fd/%u", (unsigned)fd);
        expect(12, sys(SYS_readlink, user_string(AT(0), text), AT(2), 100));
        user_read(text, AT(2), 12);
        expect(0, memcmp(text, "/dev/console", 12));
        expect(0, sys(SYS_fstat, fd, AT(3)));
        expect(0x501, user_load(AT(3) + 40)); /* st_rdev */
    }
    expect(6, sys(SYS_write, 1, user_string(AT(0), "shown\n"), 6));
}

static void test_messages(void **state)
{
    (void)state;
    print("exec: %s: is bad", "a\numbra: \033[2J\177\303\244");
    assert_non_null(strstr(console_text(), "umbra: exec: a?umbra: ?[2J?\303\244: is bad\n"));
}

static void test_console_without_a_name(void **state)
{
    static char archive[1024];
    size_t size = add_entry(archive, "dev/console", 0100644, "", 0);
    (void)state;
    size += add_entry(archive + size, "TRAILER!!!", 0, "", 0);
    const struct machine_options options = {
        .check_calls = true, .archive = archive, .archive_size = size};
    assert_int_equal(machine_run(has_no_console, &options).value, 0);
    assert_non_null(strstr(console_text(), "shown"));
}

static void test_archive_is_unpacked(void **state)
{
    static char archive[2048];
    size_t size = 0;
    (void)state;
    memset(archive, 0, sizeof(archive));
    size += add_entry(archive + size, "etc", 0040755, "", 0);
    size += add_entry(archive + size, "etc/motd", 0100644, "hello\n", 6);
    size += add_entry(archive + size, "TRAILER!!!", 0, "", 0);
    struct machine_options options = {
        .check_calls = true, .archive = archive, .archive_size = size};
    assert_int_equal(machine_run(reads_archive_file, &options).value, 0);
    assert_non_null(strstr(console_text(), "unpacked"));
    size += add_entry(archive + size, "none/file", 0100644, "", 0);
    archive[size] = 'x';
    options.archive_size = size + 512;
    assert_int_equal(machine_run(reads_archive_file, &options).value, 0);
    assert_non_null(strstr(console_text(), "(none/file) at byte"));
    assert_non_null(strstr(console_text(), ": 1 entries were skipped"));
    assert_non_null(strstr(console_text(), "was not read to its end"));
}

static void test_compressed_archive_is_named(void **state)
{
    static char archive[1024] = "\x28\xb5\x2f\xfd";
    const struct machine_options options = {.archive = archive, .archive_size = sizeof(archive)};
    (void)state;
    assert_int_equal(machine_run(nothing, &options).value, 0);
    assert_non_null(strstr(console_text(), "unpack it with zstd before the boot"));
}

static void test_archive_of_the_device(void **state)
{
    static char archive[2048], other[8192], large[5000];
    size_t size = 0, other_size = 0;
    (void)state;
    memset(archive, 0, sizeof(archive));
    size += add_entry(archive + size, "etc", 0040755, "", 0);
    size += add_entry(archive + size, "etc/motd", 0100644, "wrong", 5);
    size += add_entry(archive + size, "TRAILER!!!", 0, "", 0);
    other_size += add_entry(other + other_size, "large", 0100644, large, sizeof(large));
    other_size += add_entry(other + other_size, "etc", 0040755, "", 0);
    other_size += add_entry(other + other_size, "etc/motd", 0100644, "hello\n", 6);
    other_size += add_entry(other + other_size, "TRAILER!!!", 0, "", 0);
    struct machine_options options = {
        .check_calls = true, .device_archive = other, .device_size = other_size};
    assert_int_equal(machine_run(reads_archive_file, &options).value, 0);
    assert_non_null(strstr(console_text(), "opt/umbra/initrd"));
    options.archive = archive;
    options.archive_size = size;
    assert_int_equal(machine_run(reads_archive_file, &options).value, 0);
    options.device_size = 4096 + 100; /* cut in the large file */
    assert_int_equal(machine_run(nothing, &options).value, 0);
    assert_non_null(strstr(console_text(), "was not read to its end"));
}

static void test_no_init(void **state)
{
    static const char *const words[] = {"init=/none", "init=/proc/self/exe", "init=/proc/1/exe",
                                        "init=/proc/thread-self/fd/0", "init=/proc/mounts"};
    (void)state;
    assert_int_equal(machine_run(NULL, NULL).verdict, VERDICT_NO_INIT);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const struct machine_options options = {.cmdline = words[i]};
        assert_int_equal(machine_run(nothing, &options).verdict, VERDICT_NO_INIT);
    }
}

/* init may be named by a link of /proc, as on Linux. */
static void test_init_in_proc(void **state)
{
    const struct machine_options options = {.cmdline = "init=/proc/self/root/init",
                                            .check_calls = true};
    (void)state;
    assert_int_equal(machine_run(nothing, &options).verdict, VERDICT_EXIT);
}

static void gets_arguments(void)
{
    expect(3, user_load(thread_frame(current_thread)->rsp));
}

static void test_arguments_of_init(void **state)
{
    const struct machine_options options = {.cmdline =
                                                "noaslr show=exec,exit check HOME=/x -- a b"};
    (void)state;
    assert_int_equal(machine_run(gets_arguments, &options).value, 0);
}

static void gets_listed_arguments(void)
{
    static const char wanted[] = "a\0b \"\n\\\0\0\xff\0--"; /* after the path */
    const char *string = wanted;
    char text[16];
    uint64_t stack = thread_frame(current_thread)->rsp;
    expect(6, user_load(stack));
    for (unsigned i = 1; i < 6; i++, string += strlen(string) + 1) {
        user_read(text, user_load(stack + 8 * (i + 1)), strlen(string) + 1);
        expect(0, strcmp(text, string));
    }
    expect(-ENOENT, sys(SYS_access, user_string(AT(0), "/list"), 0));
}

static struct machine_end boot_with_list(user_fn *init, const char *list, size_t size)
{
    const struct machine_file file = {.path = "/list", .data = list, .size = size};
    const struct machine_options options = {
        .cmdline = "init_args=/list -- a", .files = &file, .nr_files = 1};
    return machine_run(init, &options);
}

/* Empty ones, any bytes, more than a page; and a list that cannot be used. */
static void test_listed_arguments_of_init(void **state)
{
    static char list[ARG_TOTAL_MAX];
    (void)state;
    assert_int_equal(boot_with_list(gets_listed_arguments, "b \"\n\\\0\0\xff\0--", 11).value, 0);
    assert_int_equal(boot_with_list(nothing, "", 0).value, 0);
    assert_int_equal(boot_with_list(nothing, list, 100000).value, 0);
    assert_int_equal(boot_with_list(nothing, list, sizeof(list) / 8).verdict, VERDICT_NO_INIT);
    assert_non_null(strstr(console_text(), "too many arguments"));
    assert_int_equal(boot_with_list(nothing, "no end", 6).verdict, VERDICT_NO_INIT);
    assert_non_null(strstr(console_text(), "arguments in /list cannot be used"));
    memset(list, 'x', ARG_STRING_MAX);
    assert_int_equal(boot_with_list(nothing, list + 1, ARG_STRING_MAX).value, 0);
    assert_int_equal(boot_with_list(nothing, list, ARG_STRING_MAX + 1).verdict, VERDICT_NO_INIT);
    const struct machine_options none = {.cmdline = "init_args=/none"};
    assert_int_equal(machine_run(nothing, &none).verdict, VERDICT_NO_INIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_programs_are_started),
        cmocka_unit_test(test_what_exec_keeps),
        cmocka_unit_test(test_unsafe_exec),
        cmocka_unit_test(test_programs_of_descriptors),
        cmocka_unit_test(test_every_failure),
        cmocka_unit_test(test_busybox_is_loaded),
        cmocka_unit_test(test_archive_is_unpacked),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_console_without_a_name),
        cmocka_unit_test(test_exec_beyond_a_limit),
        cmocka_unit_test(test_compressed_archive_is_named),
        cmocka_unit_test(test_archive_of_the_device),
        cmocka_unit_test(test_a_link_of_proc_is_resolved),
        cmocka_unit_test(test_no_init),
        cmocka_unit_test(test_init_in_proc),
        cmocka_unit_test(test_arguments_of_init),
        cmocka_unit_test(test_listed_arguments_of_init),
    };
    return cmocka_run_group_tests_name("exec", tests, NULL, check_stacks);
}
