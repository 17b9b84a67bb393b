/* /proc of a whole kernel on the host: every directory is listed, in buffers of every size, and every file is read. */
#include "dev/timer.h"
#include "tests/kernel_test.h"

#define PATH    AT(40)
#define RECORDS (USER_DATA + 0x8000)
#define ROOM    4096

static long open_path(const char *path, int flags)
{
    return sys(SYS_open, user_string(PATH, path), (uint64_t)flags);
}

/* Lists a directory with buffers of `room` bytes; returns how many entries there are, and in *found whether one is
 * called `name`. */
static unsigned list(const char *path, size_t room, const char *name, bool *found)
{
    uint8_t records[ROOM];
    unsigned count = 0;
    long n, fd = open_path(path, O_RDONLY);
    expect(true, fd >= 0);
    *found = false;
    while ((n = sys(SYS_getdents64, (uint64_t)fd, RECORDS, room)) > 0) {
        user_read(records, RECORDS, (size_t)n);
        for (long at = 0; at < n; count++) {
            uint16_t size;
            memcpy(&size, records + at + 16, sizeof(size));
            *found = *found || strcmp((const char *)records + at + 19, name) == 0;
            at += size;
        }
    }
    expect(0, n);
    expect(0, call_close(fd));
    return count;
}

PROGRAM_TEST(directories_in_small_buffers)
{
    static const struct {
        const char *path, *name;
    } directories[] = {{"/proc", "self"},      {"/proc/sys", "kernel"},
                       {"/proc/1", "fd"},      {"/proc/sys/kernel", "osrelease"},
                       {"/proc/self/fd", "1"}, {"/proc/self/fdinfo", "1"}};
    for (unsigned i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        bool found, found_again;
        unsigned all = list(directories[i].path, ROOM, directories[i].name, &found);
        unsigned again = list(directories[i].path, 48, directories[i].name, &found_again);
        expect(all, again);
        expect(true, found && found_again);
    }
}

/* Reads a file in pieces; returns whether its text contains `part`. */
static bool has_text(const char *path, const char *part)
{
    char text[ROOM + 1] = "";
    size_t length = 0;
    long n, fd = open_path(path, O_RDONLY);
    expect(true, fd >= 0);
    while ((n = sys(SYS_read, (uint64_t)fd, RECORDS, 100)) > 0 && length + (size_t)n <= ROOM) {
        user_read(text + length, RECORDS, (size_t)n);
        length += (size_t)n;
    }
    expect(0, n);
    expect(0, call_close(fd));
    return strstr(text, part) != NULL;
}

PROGRAM_TEST(files_of_the_system)
{
    static const struct {
        const char *path, *part;
    } files[] = {
        {"/proc/meminfo", "MemTotal"},
        {"/proc/uptime", "."},
        {"/proc/mounts", " / "},
        {"/proc/version", "Linux version"},
        {"/proc/umbra-frames", "total"},
        {"/proc/umbra-users", "0 1 "},
        {"/proc/stat", "cpu"},
        {"/proc/loadavg", "."},
        {"/proc/cpuinfo", "processor"},
        {"/proc/filesystems", "tmpfs"},
        {"/proc/sys/kernel/pid_max", "32768\n"},
        {"/proc/sys/kernel/hostname", "box\n"},
        {"/proc/sys/kernel/osrelease", "6.1.0"},
        {"/proc/sys/kernel/random/uuid", "-4"},
        {"/proc/sys/kernel/random/boot_id", "-4"},
        {"/proc/sys/fs/pipe-max-size", "1048576\n"},
        {"/proc/1/personality", "00000000\n"},
        {"/proc/1/timerslack_ns", "50000\n"},
        {"/proc/1/smaps_rollup", "[rollup]\nRss: "},
        {"/proc/1/status", "Uid:"},
        {"/proc/1/maps", "[heap]"},
    };
    expect(0, sys(SYS_sethostname, user_string(PATH, "box"), 3));
    long heap = sys(SYS_brk, 0);
    expect(heap + 0x1000, sys(SYS_brk, (uint64_t)heap + 0x1000));
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (!has_text(files[i].path, files[i].part))
            user_expect(__FILE__, __LINE__, files[i].path, 1, 0);
}

static void waits_for_ticks(void)
{
    for (unsigned i = 0; i < 60 * TIMER_HZ; i++)
        user_tick();
}

/* Two processes run for two minutes, in which the load is sampled 23 times: 2 (1 - e^(-115 s / 1 min)) and so on. */
PROGRAM_TEST(load_averages)
{
    uint64_t info[14];
    expect(true, has_text("/proc/loadavg", "0.00 0.00 0.00 1/1 1\n"));
    long pid = user_fork(waits_for_ticks, 0);
    waits_for_ticks();
    expect(pid, sys(SYS_wait4, (uint64_t)pid, 0, 0, 0));
    expect(0, sys(SYS_sysinfo, RECORDS));
    user_read(info, RECORDS, sizeof(info));
    expect(170, (long)(info[1] * 100 >> 16));
    expect(true, has_text("/proc/loadavg", "1.71 0.64 0.24 1/1 1\n"));
}

static void names_the_first(void)
{
    long fd = open_path("/proc/1/comm", UMVFS_O_RDWR);
    expect(-EINVAL, sys(SYS_write, (uint64_t)fd, user_string(AT(41), "other"), 5));
    expect(0, call_close(fd));
}

/* A name cannot begin a line of status, and nobody gives another process one. */
PROGRAM_TEST(names_of_processes)
{
    expect(0, sys(SYS_prctl, 15 /* PR_SET_NAME */, user_string(PATH, "a\nUid:\\")));
    expect(true, has_text("/proc/self/status", "Name:\ta\\nUid:\\\\\nUmask:"));
    expect(true, has_text("/proc/self/comm", "a\nUid:\\\n"));
    expect_exit(user_fork(names_the_first, 0), 0);
    expect(true, has_text("/proc/1/comm", "a\nUid:\\\n"));
}

/* A page of a file that outlives the process is not charged to it. */
PROGRAM_TEST(score_with_a_file)
{
    long fd = sys(SYS_open, user_string(PATH, "/tmp/mapped"), UMVFS_O_RDWR | UMVFS_O_CREAT, 0600);
    expect(0, sys(SYS_ftruncate, (uint64_t)fd, 0x1000));
    uint64_t at = (uint64_t)sys(SYS_mmap, 0, 0x1000, 3, 1, (uint64_t)fd, 0);
    user_store(at, 1);
    expect(true, has_text("/proc/self/oom_score", "\n"));
    expect(0, call_close(fd));
}

/* Of an open descriptor, and of one that was closed since. */
PROGRAM_TEST(descriptors)
{
    long first = open_path("/proc/mounts", O_RDONLY | UMVFS_O_CLOEXEC);
    expect(3, first);
    expect(5, sys(SYS_lseek, 3, 5, 0));
    expect(true, has_text("/proc/self/fdinfo/3", "pos:\t5\nflags:\t02"));
    expect(true, has_text("/proc/self/fdinfo/3", "mnt_id:\t2"));
    expect(true, has_text("/proc/self/fdinfo/3", "ino:\t"));
    expect(4, open_path("/proc/1/fdinfo/3", UMVFS_O_RDWR));
    expect(-EINVAL, sys(SYS_write, 4, RECORDS, 4));
    expect(0, call_close(3));
    expect(-ENOENT, sys(SYS_read, 4, RECORDS, 4));
}

PROGRAM_TEST(names_that_are_not_there)
{
    static const struct {
        const char *path;
        long error;
    } names[] = {
        {"/proc/nothing", -ENOENT},        {"/proc/sys/net", -ENOENT},
        {"/proc/sys/kernel/net", -ENOENT}, {"/proc/1/nothing", -ENOENT},
        {"/proc/1/fdinfo/9", -ENOENT},     {"/proc/1/fdinfo/x", -ENOENT},
        {"/proc/1/fd/9", -ENOENT},         {"/proc/1/fd/x", -ENOENT},
        {"/proc/9999", -ENOENT},           {"/proc/sys/kernel/pid_max/x", -ENOTDIR},
    };
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        expect(names[i].error, open_path(names[i].path, O_RDONLY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directories_in_small_buffers),
        cmocka_unit_test(test_files_of_the_system),
        cmocka_unit_test(test_load_averages),
        cmocka_unit_test(test_names_of_processes),
        cmocka_unit_test(test_score_with_a_file),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_names_that_are_not_there),
    };
    return cmocka_run_group_tests_name("proc of a whole kernel", tests, NULL, check_stacks);
}
