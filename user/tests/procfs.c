/*
 * What is in /proc: the files of a process and of its threads, and those of the system.
 */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_TEXT 65536

static char text[MAX_TEXT + 1];

static bool read_all(int fd)
{
    ssize_t used = 0;
    ssize_t got = 0;

    while (used < MAX_TEXT && (got = read(fd, text + used, (size_t)(MAX_TEXT - used))) > 0) {
        used += got;
    }
    text[used] = '\0';
    return got == 0;
}

static bool read_text(const char *path)
{
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        return false;
    }
    bool whole = read_all(fd);
    close(fd);
    return whole;
}

static void test_exe(const char *name)
{
    static char target[PATH_MAX + 1];
    static char own[PATH_MAX + 1];
    char *argv[] = {"child", "exit", "21", NULL};
    pid_t pid = 0;

    ssize_t length = readlink("/proc/self/exe", target, PATH_MAX);
    ok(length > 0 && target[0] == '/', "/proc/self/exe is a link to an absolute path");
    target[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(target, '/');
    ok(slash != NULL && strcmp(slash + 1, name) == 0, "to this program");
    is(spawn(&pid, "/proc/self/exe", argv, argv + 3), 0, "it can be executed");
    is(wait_for(pid), EXITED(21), "and is this program");
    is(readlink("/proc/self/exe", own, 3), 3, "a short buffer gets the first bytes");
}

struct seen {
    unsigned lines, wrong, writable_and_executable;
    bool text, stack, mapping;
    uintptr_t last_end;
};

static void note_line(const char *line, struct seen *seen, uintptr_t mapping)
{
    uintptr_t start = 0;
    uintptr_t end = 0;
    char permissions[5] = "";
    uintptr_t code = (uintptr_t)note_line;
    uintptr_t local = (uintptr_t)&permissions;

    if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) != 3) {
        seen->wrong++;
        return;
    }
    if (start >= USER_END) {
        return; /* Linux lists its vsyscall page */
    }
    seen->lines++;
    seen->wrong += start < seen->last_end || end <= start || ((start | end) & 4095) != 0;
    seen->last_end = end;
    seen->writable_and_executable += permissions[1] == 'w' && permissions[2] == 'x';
    seen->text = seen->text || (code - start < end - start && strcmp(permissions, "r-xp") == 0);
    seen->stack = seen->stack || (local - start < end - start && strcmp(permissions, "rw-p") == 0);
    seen->mapping = seen->mapping || (mapping - start < end - start && mapping + PAGE <= end &&
                                      strcmp(permissions, "r--s") == 0);
}

static void test_maps(void)
{
    struct seen seen = {0};
    void *mapping = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ok(read_text("/proc/self/maps"), "/proc/self/maps");
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        note_line(line, &seen, (uintptr_t)mapping);
    }
    ok(seen.lines >= 4 && seen.wrong == 0, "its lines are in order and do not overlap");
    ok(seen.text, "the text is there, readable and executable");
    ok(seen.stack, "the stack is there, readable and writable");
    ok(seen.mapping, "a shared read-only mapping is there as such");
    is(seen.writable_and_executable, 0, "nothing is writable and executable");
}

static long field(const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL ? atol(at + strlen(name)) : -1;
}

static void test_meminfo(void)
{
    struct sysinfo info;
    int fd = open("/proc/meminfo", O_RDONLY);

    /* The first round makes the pages that both need; closing the file may free one. */
    for (int round = 0; round < 2; round++) {
        ok(fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 && read_all(fd), "/proc/meminfo");
        sysinfo(&info);
    }
    close(fd);
    long total = (long)(info.totalram * info.mem_unit / 1024);
    long free = (long)(info.freeram * info.mem_unit / 1024);
    is(field("MemTotal:"), total, "MemTotal is what sysinfo says");
    if (on_linux()) {
        skip("others use the memory of this machine", "MemFree is what sysinfo says");
        return;
    }
    is(field("MemFree:"), free, "MemFree is what sysinfo says");
}

/* The whole text of /proc/self/NAME, or of another file of /proc. */
static bool read_proc(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%s", name);
    return read_text(path);
}

/* Writes to a file and returns 0 or -errno. */
static long write_proc(const char *name, const char *value)
{
    char path[64];
    long result = 0;

    snprintf(path, sizeof path, "/proc/%s", name);
    int fd = open(path, O_WRONLY);
    if (fd < 0) {
        return -errno;
    }
    if (write(fd, value, strlen(value)) != (ssize_t)strlen(value)) {
        result = -errno;
    }
    close(fd);
    return result;
}

/* Files with one number. */
static void test_numbers(void)
{
    static const struct {
        const char *file;
        long least;
    } numbers[] = {
        {"sys/kernel/cap_last_cap", 40},
        {"sys/kernel/ngroups_max", 32},
        {"sys/kernel/pid_max", 32768},
        {"sys/kernel/randomize_va_space", 0},
        {"sys/kernel/overflowuid", 65534},
        {"sys/vm/max_map_count", 65530},
        {"sys/vm/mmap_min_addr", 4096},
        {"sys/vm/overcommit_memory", 0},
        {"sys/fs/nr_open", 1024},
        {"sys/fs/overflowgid", 65534},
        {"sys/fs/file-max", 1024},
        {"sys/fs/pipe-max-size", 4096},
        {"sys/kernel/threads-max", 1},
        {"sys/kernel/tainted", 0},
        {"sys/kernel/random/poolsize", 256},
        {"sys/kernel/random/entropy_avail", 1},
        {"self/timerslack_ns", 1},
    };
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char *end = NULL;
        ok(read_proc(numbers[i].file) && strtol(text, &end, 10) >= numbers[i].least &&
               strcmp(end, "\n") == 0,
           "/proc/%s", numbers[i].file);
    }
}

static void test_system(void)
{
    struct utsname names;
    char want[200], target[32] = "", own[32];
    static const struct {
        const char *file, *part;
    } files[] = {
        {"version", "Linux version "},
        {"vmstat", "nr_free_pages "},
        {"filesystems", "nodev\ttmpfs\n"},
        {"swaps", "Filename"},
        {"devices", "Character devices:\n  1 mem\n"},
        {"cmdline", "\n"},
        {"sys/kernel/ostype", "Linux\n"},
    };

    for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
        ok(read_proc(files[i].file) && strstr(text, files[i].part) != NULL, "/proc/%s",
           files[i].file);
    }
    uname(&names);
    const char *const same[][2] = {{"sys/kernel/osrelease", names.release},
                                   {"sys/kernel/version", names.version},
                                   {"sys/kernel/hostname", names.nodename}};
    for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++) {
        snprintf(want, sizeof want, "%s\n", same[i][1]);
        ok(read_proc(same[i][0]) && strcmp(text, want) == 0, "/proc/%s is that of uname",
           same[i][0]);
    }
    ok(readlink("/proc/mounts", target, sizeof target) == 11 &&
           strncmp(target, "self/mounts", 11) == 0,
       "/proc/mounts is a link");
    int length = snprintf(own, sizeof own, "%d/task/%d", (int)getpid(), (int)getpid());
    ok(readlink("/proc/thread-self", target, sizeof target) == length &&
           strncmp(target, own, (size_t)length) == 0,
       "/proc/thread-self");
}

/* Random numbers as text: "01234567-89ab-4def-8123-456789abcdef". */
static bool read_uuid(const char *name, char *uuid)
{
    if (!read_proc(name) || strlen(text) != 37 || strspn(text, "0123456789abcdef-") != 36) {
        return false;
    }
    memcpy(uuid, text, 38);
    return uuid[14] == '4' && strchr("89ab", uuid[19]) != NULL && uuid[8] == '-' && uuid[23] == '-';
}

static void test_uuid(void)
{
    char first[38] = "", second[38] = "";

    ok(read_uuid("sys/kernel/random/uuid", first) && read_uuid("sys/kernel/random/uuid", second),
       "sys/kernel/random/uuid");
    ok(strcmp(first, second) != 0, "is another one for each read");
    ok(read_uuid("sys/kernel/random/boot_id", first) &&
           read_uuid("sys/kernel/random/boot_id", second),
       "sys/kernel/random/boot_id");
    ok(strcmp(first, second) == 0, "stays the same");
}

/* Files about the whole process. */
static void test_of_process(void)
{
    is(personality(PER_LINUX | ADDR_NO_RANDOMIZE), 0, "personality");
    ok(read_proc("self/personality") && strcmp(text, "00040000\n") == 0, "is what the file tells");
    personality(PER_LINUX);
    prctl(PR_SET_TIMERSLACK, 12345);
    ok(read_proc("self/timerslack_ns") && strcmp(text, "12345\n") == 0, "timerslack_ns");
    prctl(PR_SET_TIMERSLACK, 0);
    ok(read_proc("self/loginuid") && text[0] != '\0', "loginuid");
    ok(read_proc("self/uid_map") && strncmp(text, "         0 ", 11) == 0, "uid_map");
}

static void test_limits(void)
{
    struct rlimit limit;
    unsigned long soft = 0, hard = 0;

    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 4096});
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 200});
    ok(read_proc("self/limits"), "/proc/self/limits");
    const char *line = strstr(text, "\nMax open files  ");
    ok(line != NULL && sscanf(line, "\nMax open files %lu %lu files", &soft, &hard) == 2 &&
           soft == 100 && hard == 200,
       "it has the limit of open files");
    ok(strstr(text, "\nMax core file size        0                    4096                 bytes  "
                    "   \n") != NULL,
       "in Linux's columns");
    ok(strstr(text, "Limit                     Soft Limit           Hard Limit           Units     "
                    "\n") == text,
       "with Linux's first line");
    getrlimit(RLIMIT_MEMLOCK, &limit);
    line = strstr(text, "\nMax locked memory");
    ok(line != NULL && sscanf(line, "\nMax locked memory %lu", &soft) == 1 &&
           soft == limit.rlim_cur,
       "and that of locked memory");
}

static void test_sizes(void)
{
    unsigned long size = 0, resident = 0, shared = 0, rest[4];
    static const char lost[] = "\nVmSize:";

    ok(read_proc("self/statm") && sscanf(text, "%lu %lu %lu %lu %lu %lu %lu", &size, &resident,
                                         &shared, &rest[0], &rest[1], &rest[2], &rest[3]) == 7,
       "/proc/self/statm has seven numbers");
    ok(resident > 0 && resident <= size && shared <= resident && rest[0] > 0,
       "which fit to each other");
    read_proc("self/status");
    const char *line = strstr(text, lost);
    is(line != NULL ? atol(line + sizeof lost - 1) / 4 : 0, (long)size, "VmSize is the same");
    ok(strstr(text, "\nState:\tR (running)\n") != NULL, "and the process runs");
}

static void test_auxv(void)
{
    unsigned long pairs[64][2];
    int fd = open("/proc/self/auxv", O_RDONLY);
    ssize_t got = read(fd, pairs, sizeof pairs);
    unsigned count = got > 0 ? (unsigned)got / 16 : 0, equal = 0;

    close(fd);
    for (unsigned i = 0; i + 1 < count; i++) {
        equal += getauxval(pairs[i][0]) == pairs[i][1];
    }
    ok(count > 10 && got % 16 == 0 && equal == count - 1, "/proc/self/auxv has the values");
    ok(count > 0 && pairs[count - 1][0] == 0, "and ends with AT_NULL");
}

static int other_name(void *parent)
{
    char name[32];

    snprintf(name, sizeof name, "%d/comm", *(pid_t *)parent);
    return (int)-write_proc(name, "stranger");
}

static void test_names(void)
{
    char name[16] = "";
    pid_t self = getpid();

    is(write_proc("self/comm", "a name that is too long"), 0, "/proc/self/comm can be written");
    prctl(PR_GET_NAME, name);
    ok(strcmp(name, "a name that is ") == 0, "and is the name of the thread");
    ok(read_proc("self/comm") && strcmp(text, "a name that is \n") == 0, "which it contains");
    is(run_child(other_name, &self, false), EXITED(EINVAL), "others do not write it");
    ok(read_proc("self/wchan") && strcmp(text, "0") == 0, "/proc/self/wchan of a running process");
}

/* A name cannot add lines or fields. */
static void test_escapes(void)
{
    prctl(PR_SET_NAME, "a\nUid:\t7 \\)");
    ok(read_proc("self/status") && strncmp(text, "Name:\ta\\nUid:\t7 \\\\)\n", 18) == 0,
       "status has a name of two lines in one");
    ok(strstr(text, "\nUid:\t7") == NULL, "so that it tells no other user");
    ok(read_proc("self/stat") && strstr(text, " (a\nUid:\t7 \\)) R ") != NULL,
       "stat has it as it is, between parentheses");
    ok(read_proc("self/comm") && strcmp(text, "a\nUid:\t7 \\)\n") == 0, "comm has it as it is");
    prctl(PR_SET_NAME, "procfs");
}

/* Whether maps has a line that ends with this name, in Linux's column, and a line after it. */
static bool has_mapping(const char *name)
{
    const char *at = strstr(text, name);
    const char *line = at;

    while (line != NULL && line > text && line[-1] != '\n') {
        line--;
    }
    return at != NULL && at - line == 73 && at[strlen(name)] == '\n' &&
           at[strlen(name) + 1] != '\0';
}

/* The names of mapped files: with a line's end, and longer than a line usually is. */
static void test_mapped_names(void)
{
    static char folder[PATH_MAX], name[PATH_MAX + 16];
    char part[201] = "";
    int here = open(".", O_RDONLY | O_DIRECTORY);
    size_t length = (size_t)snprintf(folder, sizeof folder, "/tmp/procfs.%d", (int)getpid());

    memset(part, 'd', sizeof part - 1);
    mkdir(folder, 0700);
    for (unsigned i = 0; i < 4; i++) {
        length += (size_t)snprintf(folder + length, sizeof folder - length, "/%s", part);
        mkdir(folder, 0700);
    }
    chdir(folder);
    int fd = open("a b\\\n0-1", O_CREAT | O_RDWR, 0600);
    void *mapping = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    snprintf(name, sizeof name, "%s/a b\\\\0120-1", folder);
    ok(mapping != MAP_FAILED && read_proc("self/maps") && has_mapping(name),
       "maps has a name of 800 bytes with a line's end");
    ok(read_proc("self/smaps") && has_mapping(name), "likewise smaps");
    munmap(mapping, PAGE);
    close(fd);
    unlink("a b\\\n0-1");
    for (unsigned i = 0; i < 5; i++) {
        rmdir(folder);
        *strrchr(folder, '/') = '\0';
    }
    is(fchdir(here), 0, "back");
    close(here);
}

/* Fields of /proc/PID/stat by their numbers in proc(5), from 4 on; 0: there are fewer. */
static long stat_field(unsigned number)
{
    const char *at = strrchr(text, ')');

    for (unsigned i = 2; at != NULL && i < number; i++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? atol(at) : 0;
}

static int renounced(void *unused)
{
    (void)unused;
    prctl(PR_SET_DUMPABLE, 0);
    return read_text("/proc/self/stat") && stat_field(28) != 0 ? 0 : 1;
}

static int reads_others(void *pid)
{
    char name[32];

    snprintf(name, sizeof name, "%d/stat", *(pid_t *)pid);
    if (!read_proc(name)) {
        return 1;
    }
    return stat_field(28) != 0 ? 2 : stat_field(48) != 0 ? 3 : stat_field(23) == 0 ? 4 : 0;
}

static void test_stat(char **argv)
{
    struct rusage usage;
    pid_t self = getpid();
    uintptr_t code = (uintptr_t)test_stat;

    setpriority(PRIO_PROCESS, 0, 3);
    ok(read_proc("self/stat"), "/proc/self/stat");
    is(stat_field(4), getppid(), "the parent");
    is(stat_field(5), getpgrp(), "the group");
    is(stat_field(6), getsid(0), "the session");
    getrusage(RUSAGE_SELF, &usage);
    ok(stat_field(10) > 0 && stat_field(10) <= usage.ru_minflt, "page faults");
    is(stat_field(18), 23, "the priority");
    is(stat_field(19), 3, "and nice");
    ok((stat_field(24) > 0 || on_linux()) && stat_field(24) <= stat_field(23) / 4096,
       "resident pages, of which Linux counts some late");
    ok((uintptr_t)stat_field(26) <= code && code < (uintptr_t)stat_field(27), "the text's place");
    is(stat_field(48), (long)argv[0], "the arguments' place");
    is(stat_field(38), 17, "the exit signal");
    ok(strlen(text) > 100 && stat_field(52) == 0 && text[strlen(text) - 2] == '0', "52 fields");
    is(run_child(renounced, NULL, false), EXITED(0), "who cannot be dumped knows its own places");
    if (is_root()) {
        is(run_child(reads_others, &self, true), EXITED(0), "other users do not know them");
    }
    ok(read_proc("self/status"), "/proc/self/status");
    ok(strstr(text, "\nvoluntary_ctxt_switches:\t") && strstr(text, "\nFDSize:\t") &&
           strstr(text, "\nSigQ:\t") && strstr(text, "\nVmData:\t"),
       "has what tools look for");
    ok(read_proc("stat") && strstr(text, "\nctxt ") && strstr(text, "\nprocesses "),
       "/proc/stat counts switches and processes");
}

#define MOST_SIZE ((size_t)24 << 20)
#define LATE      1024 /* KiB that Linux counts late */

static int touches(void *unused)
{
    (void)unused;
    char *pages = mmap(NULL, MOST_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t at = 0; pages != MAP_FAILED && at < MOST_SIZE; at += PAGE) {
        pages[at] = 1;
    }
    return pages == MAP_FAILED || munmap(pages, MOST_SIZE) != 0;
}

/* Executes a program that ends at once. */
static int touches_and_executes(void *unused)
{
    char *const arguments[] = {"procfs", "exit", "0", NULL};

    if (touches(unused) == 0) {
        execv("/proc/self/exe", arguments);
    }
    return 1;
}

static long most_of_children(void)
{
    struct rusage children;

    getrusage(RUSAGE_CHILDREN, &children);
    return children.ru_maxrss;
}

/* What a process had at most: VmPeak, VmHWM and ru_maxrss. */
static void test_most(void)
{
    const long size = MOST_SIZE >> 10;
    struct rusage self, thread, child;
    int status;

    ok(read_proc("self/status"), "/proc/self/status");
    long before = field("VmHWM:"), space = field("VmSize:");
    ok(before >= field("VmRSS:") && field("VmPeak:") >= space, "at most is no less than now");
    ok(most_of_children() < size, "the children had little");
    pid_t pid = fork();
    if (pid == 0) {
        _exit(touches(NULL));
    }
    ok(wait4(pid, &status, 0, &child) == pid && status == 0, "a child takes memory and returns it");
    ok(child.ru_maxrss >= size - LATE && child.ru_maxrss < size + before + LATE,
       "wait4 tells of it");
    is(most_of_children(), child.ru_maxrss, "getrusage too");
    ok(read_proc("self/status") && field("VmHWM:") < before + LATE, "but it is not the parent's");
    pid = fork();
    if (pid == 0) {
        _exit(touches_and_executes(NULL));
    }
    ok(wait4(pid, &status, 0, &child) == pid && status == 0 && child.ru_maxrss >= size - LATE,
       "an executed program leaves it as it was");
    is(touches(NULL), 0, "the program does the same");
    ok(read_proc("self/status") && field("VmPeak:") >= space + size, "VmPeak");
    ok(field("VmSize:") < space + LATE, "VmSize is as before");
    ok(field("VmHWM:") >= size - LATE && field("VmRSS:") < size, "VmHWM");
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_THREAD, &thread);
    ok(self.ru_maxrss >= field("VmHWM:") - LATE, "ru_maxrss, also of programs before an execve");
    ok(labs(thread.ru_maxrss - self.ru_maxrss) <= LATE, "a thread has the program's");
    pid = fork();
    if (pid == 0) {
        _exit(read_proc("self/status") && field("VmHWM:") < size - LATE ? 0 : 1);
    }
    ok(waitpid(pid, &status, 0) == pid && status == 0, "a child begins with what it has");
}

static int adjust_score(void *unused)
{
    static const struct {
        const char *value;
        long result;
    } rows[] = {
        {"500", 0},   {"1001", -EINVAL}, {"-1001", -EINVAL}, {"x", -EINVAL},  {"5x", -EINVAL},
        {" 20\n", 0}, {"+30", 0},        {"0\n", 0},         {"-1", -EACCES},
    };

    (void)unused;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (write_proc("self/oom_score_adj", rows[i].value) != rows[i].result) {
            return (int)i + 1;
        }
    }
    write_proc("self/oom_score_adj", "300");
    if (!read_proc("self/oom_score_adj") || strcmp(text, "300\n") != 0) {
        return 50;
    }
    if (!read_proc("self/oom_score") || atol(text) < 800) {
        return 51;
    }
    return fork() == 0 && (!read_proc("self/oom_score_adj") || strcmp(text, "300\n") != 0) ? 52 : 0;
}

static unsigned lines_of(const char *name)
{
    unsigned lines = 0;

    read_proc(name);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    return lines;
}

static void test_mounts(void)
{
    unsigned id = 0, parent = 0, wrong = 0, root = 0, major = 0, minor = 0;
    char inner[256], place[256], options[256];
    unsigned lines = lines_of("self/mounts");

    is(lines_of("self/mountinfo"), lines, "mountinfo has as many lines as mounts");
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        wrong += sscanf(line, "%u %u %u:%u %255s %255s %255s", &id, &parent, &major, &minor, inner,
                        place, options) != 7 ||
                 strstr(line, " - ") == NULL;
        root += strcmp(place, "/") == 0;
    }
    is(wrong, 0, "each with its fields");
    ok(root > 0, "one of them is the root");
}

/* In a mount namespace of its own on Linux, so that nothing is left there. */
static int mounts_with_options(void *unused)
{
    char folder[] = "/tmp/proc mount.XXXXXX", name[40], options[80] = "";
    (void)unused;
    if (on_linux() &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
        return 77;
    }
    if (mkdtemp(folder) == NULL ||
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) {
        return 78;
    }
    snprintf(name, sizeof name, "tmpfs /tmp/proc\\040mount.%s tmpfs ", strchr(folder, '.') + 1);
    const char *line = read_proc("self/mounts") ? strstr(text, name) : NULL;
    if (line != NULL) {
        sscanf(line + strlen(name), "%79s", options);
    }
    int is_right = strncmp(options, "rw,nosuid,nodev,noexec,relatime", 31) == 0;
    /* who has another root directory is shown what is below it, and where it is for him */
    int proc = open("/proc", O_PATH | O_DIRECTORY);
    if (chroot(folder) == 0) {
        int fd = openat(proc, "self/mounts", O_RDONLY);
        ssize_t n = read(fd, text, sizeof text - 1);
        text[n > 0 ? n : 0] = '\0';
        is_right = is_right && strncmp(text, "tmpfs / tmpfs rw,nosuid,", 24) == 0 &&
                   strchr(text, '\n') == text + n - 1;
        close(fd);
        is_right = is_right && fchdir(proc) == 0 && chdir("..") == 0 && chroot(".") == 0;
    }
    close(proc);
    snprintf(name, sizeof name, " /tmp/proc\\040mount.%s rw,nosuid,", strchr(folder, '.') + 1);
    is_right = is_right && read_proc("self/mountinfo") && strstr(text, name) != NULL;
    if (umount(folder) != 0 || rmdir(folder) != 0) {
        return 79;
    }
    return !is_right;
}

#define ANY_MODE 07777 /* what logs in on the console changes its permissions */

/* Whether a directory has a node with this number and these permissions. */
static bool has_device(const char *directory, const char *device, dev_t number, mode_t mode)
{
    char name[60];
    struct stat st;

    snprintf(name, sizeof name, "%s/%s", directory, device);
    return stat(name, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == number &&
           (mode == ANY_MODE || ((st.st_mode & 07777) == mode && st.st_uid == 0));
}

static int mounts_devices(void *unused)
{
    char folder[] = "/tmp/devices.XXXXXX";
    (void)unused;
    if (on_linux() &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
        return 77;
    }
    if (mkdtemp(folder) == NULL || mount("dev", folder, "devtmpfs", MS_NOSUID, NULL) != 0) {
        return 78;
    }
    bool is_right = has_device(folder, "null", makedev(1, 3), 0666) &&
                    has_device(folder, "zero", makedev(1, 5), 0666) &&
                    has_device(folder, "full", makedev(1, 7), 0666) &&
                    has_device(folder, "random", makedev(1, 8), 0666) &&
                    has_device(folder, "urandom", makedev(1, 9), 0666) &&
                    has_device(folder, "tty", makedev(5, 0), 0666) &&
                    has_device(folder, "console", makedev(5, 1), on_linux() ? ANY_MODE : 0600);
    if (umount(folder) != 0 || rmdir(folder) != 0) {
        return 79;
    }
    return !is_right;
}

/* A file system that is open moves with a folder of it in which the caller works. */
static int moves_a_mount(void *unused)
{
    char base[] = "/tmp/moves.XXXXXX", place[64];
    (void)unused;
    if (on_linux() &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
        return 77;
    }
    if (mkdtemp(base) == NULL || chdir(base) != 0 || mkdir("a", 0755) != 0 ||
        mkdir("b", 0755) != 0 || mount("tmpfs", "a", "tmpfs", 0, NULL) != 0 ||
        mkdir("a/in", 0755) != 0 || mount("tmpfs", "a/in", "tmpfs", 0, NULL) != 0) {
        return 78;
    }
    int fd = open("a/in/file", O_RDWR | O_CREAT, 0644);
    bool is_right = fd >= 0 && mount("b", "a", NULL, MS_MOVE, NULL) != 0 && errno == EINVAL &&
                    mount("a", "a/in", NULL, MS_MOVE, NULL) != 0 && errno == ELOOP &&
                    mount("", "a", NULL, MS_MOVE, NULL) != 0 && errno == EINVAL &&
                    chdir("a/in") == 0 && mount("../../a", "../../b", NULL, MS_MOVE, NULL) == 0;
    snprintf(place, sizeof place, "%s/b/in", base);
    is_right = is_right && getcwd(text, sizeof text) != NULL && strcmp(text, place) == 0 &&
               chdir(base) == 0 && rmdir("a") == 0 && access("b/in/file", F_OK) == 0 &&
               write(fd, "x", 1) == 1 && close(fd) == 0;
    if (umount("b/in") != 0 || umount("b") != 0 || rmdir("b") != 0 || rmdir(base) != 0) {
        return 79;
    }
    return !is_right;
}

static void test_mount(int (*mounts)(void *), const char *name)
{
    int status = run_child(mounts, NULL, false);
    if (on_linux() && (!is_root() || status == EXITED(77) || status == EXITED(78))) {
        skip("this user may not mount", name);
    } else {
        is(status, EXITED(0), name);
    }
}

static void test_mount_options(void)
{
    test_mount(mounts_with_options, "mounts has the options of a mount, and its blanks escaped");
    test_mount(mounts_devices, "devtmpfs has the devices, and may be mounted");
    test_mount(moves_a_mount, "a mount moves");
}

/* A link in /proc/PID/fd tells what its file was opened for. */
static void test_descriptor_links(const char *program)
{
    static const struct {
        int flags;
        mode_t mode;
    } cases[] = {{O_RDONLY, 0500}, {O_WRONLY, 0300}, {O_RDWR, 0700}, {O_PATH, 0}};
    char name[64];
    struct stat st;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = open(cases[i].flags == O_PATH ? program : "/dev/null", cases[i].flags);
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        int error = lstat(name, &st);
        ok(fd >= 0 && error == 0 && st.st_mode == (S_IFLNK | cases[i].mode) && st.st_size == 64,
           "the link of a descriptor with flags %x has mode %o", (unsigned)cases[i].flags,
           (unsigned)cases[i].mode);
        close(fd);
    }
}

/* Kilobytes. */
static long rollup(const char *name)
{
    const char *line = read_proc("self/smaps_rollup") ? strstr(text, name) : NULL;

    return line != NULL ? atol(line + strlen(name)) : -1;
}

static void test_smaps(void)
{
    char want[40];
    unsigned char *at =
        mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    at[0] = at[PAGE] = at[2 * PAGE] = 1;
    mprotect(at + 3 * PAGE, PAGE, PROT_NONE); /* an area with three pages, all of them written */
    unsigned areas = lines_of("self/maps");
    ok(read_proc("self/smaps"), "/proc/self/smaps");
    unsigned sizes = 0;
    for (const char *line = text; (line = strstr(line, "\nRss:")) != NULL; line++) {
        sizes++;
    }
    is(sizes, areas, "it has the areas of maps");
    snprintf(want, sizeof want, "%08lx-%08lx rw-p", (unsigned long)at,
             (unsigned long)at + 3 * PAGE);
    const char *area = strstr(text, want);
    const char *dirty = area != NULL ? strstr(area, "\nPrivate_Dirty:") : NULL;
    ok(area != NULL, "with the same bounds");
    is(dirty != NULL ? atol(dirty + 15) : -1, 12, "and counts the pages that were written");
    ok(read_proc("self/smaps_rollup") && strstr(text, " [rollup]\nRss: ") != NULL, "smaps_rollup");
    long before = rollup("Private_Dirty:");
    unsigned char *more =
        mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(more, 1, 64 * PAGE);
    long got = rollup("Private_Dirty:") - before;
    ok(got >= 256 && got < 280, "counts 64 pages more");
    munmap(more, 64 * PAGE);
}

static void test_threads(void)
{
    char name[64];
    unsigned count = 0;
    int self = getpid();
    DIR *folder = opendir("/proc/self/task");

    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
        snprintf(name, sizeof name, "%.20s", entry->d_name[0] != '.' ? entry->d_name : "0");
    }
    ok(folder != NULL && count == 1 && atoi(name) == self, "/proc/self/task has one thread");
    if (folder != NULL) {
        closedir(folder);
    }
    snprintf(name, sizeof name, "self/task/%d/stat", self);
    ok(read_proc(name) && atoi(text) == self, "with its files");
    snprintf(name, sizeof name, "/proc/self/task/%d/task", self);
    ok(access(name, F_OK) != 0 && errno == ENOENT, "and without a folder task of its own");
    snprintf(name, sizeof name, "/proc/self/task/%d", self + 1);
    ok(access(name, F_OK) != 0 && errno == ENOENT, "another's is not there");
}

static int reads_info_of_parent(void *name)
{
    return setuid(1000) == 0 && open(name, O_RDONLY) < 0 ? errno : 0;
}

/* As ttyname(3) looks for the name of a terminal. */
static void test_console(void)
{
    char name[64] = "";
    struct stat open_file, named;

    if (on_linux()) {
        skip("process 1 is another program", "its standard input");
        return;
    }
    ok(readlink("/proc/1/fd/0", name, sizeof name - 1) > 0 && stat(name, &named) == 0 &&
           stat("/proc/1/fd/0", &open_file) == 0 && open_file.st_ino == named.st_ino &&
           open_file.st_dev == named.st_dev && S_ISCHR(named.st_mode),
       "the standard input of process 1 is /dev/console");
}

/* Offset, flags and inode of an open file, as they are at each read. */
static void test_fdinfo(const char *program)
{
    char name[64], want[64];
    struct stat st;
    int fd = open(program, O_RDONLY | O_CREAT | O_CLOEXEC, 0), other = dup(fd);

    snprintf(name, sizeof name, "self/fdinfo/%d", fd);
    snprintf(want, sizeof want, "pos:\t%d\nflags:\t0%o\nmnt_id:\t", 17,
             O_RDONLY | O_CLOEXEC | 0100000);
    ok(lseek(fd, 17, SEEK_SET) == 17 && read_proc(name) && strncmp(text, want, strlen(want)) == 0,
       "/proc/self/fdinfo has offset and flags");
    snprintf(want, sizeof want, "\nino:\t%lu\n",
             fstat(fd, &st) == 0 ? (unsigned long)st.st_ino : 0);
    ok(strstr(text, want) != NULL, "and the inode");
    snprintf(name, sizeof name, "self/fdinfo/%d", other);
    snprintf(want, sizeof want, "pos:\t17\nflags:\t0%o\n", O_RDONLY | 0100000);
    ok(read_proc(name) && strncmp(text, want, strlen(want)) == 0,
       "a duplicate has flags of its own");
    snprintf(name, sizeof name, "/proc/%d/fdinfo/%d", getpid(), other);
    int info = open(name, O_RDONLY), folder = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY);
    ok(info >= 0 && folder >= 0, "both can be opened");
    is(geteuid() == 0 ? run_child(reads_info_of_parent, name, false) : EXITED(EACCES),
       EXITED(EACCES), "not by another user");
    close(other);
    is(read(info, text, 10) < 0 ? -errno : 0, -ENOENT, "a descriptor that is closed has none");
    ok(access(name, F_OK) != 0 && errno == ENOENT, "nor a name");
    close(info);
    close(folder);
    close(fd);
}

/* Whether /proc/self/cmdline has these bytes and no others. */
static bool cmdline_is(const char *wanted, size_t size)
{
    char shown[8192];
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t got = read(fd, shown, sizeof shown);

    close(fd);
    return got == (ssize_t)size && memcmp(shown, wanted, size) == 0;
}

/* A program may write a title over its arguments, and on over its environment. */
static void test_title(int argc, char **argv)
{
    char *start = argv[0], *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
    size_t size = (size_t)(end - start);

    ok(cmdline_is(start, size), "cmdline has the arguments");
    if (environ[0] != end || strlen(end) < 2 || size > 2048) {
        skip("no environment after them", "and the title that was written over them");
        return;
    }
    pid_t pid = fork();
    if (pid != 0) {
        is(wait_for(pid), EXITED(0), "and the title that was written over them");
        return;
    }
    memset(start, 'x', size);
    strcpy(end, "y");
    bool goes_on = cmdline_is(start, size + 2);
    start[1] = '\0';
    bool is_one_string = cmdline_is(start, 2);
    end[-1] = '\0';
    _exit(!goes_on || !is_one_string || !cmdline_is(start, size));
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    if (argc == 3 && strcmp(argv[1], "exit") == 0) {
        return atoi(argv[2]);
    }
    if (on_linux() && access("/proc/self", F_OK) != 0) {
        skip("/proc is not mounted", "what is in /proc");
        return tap_end();
    }
    test_title(argc, argv);
    test_exe(strrchr(argv[0], '/') + 1);
    test_maps();
    test_meminfo();
    test_system();
    test_numbers();
    test_uuid();
    test_of_process();
    test_limits();
    test_sizes();
    test_auxv();
    test_names();
    test_escapes();
    test_mapped_names();
    test_stat(argv);
    test_most();
    is(run_child(adjust_score, NULL, is_root()), EXITED(0), "/proc/self/oom_score_adj");
    test_mounts();
    test_mount_options();
    test_descriptor_links(argv[0]);
    test_smaps();
    test_threads();
    test_console();
    test_fdinfo(argv[0]);
    return tap_end();
}
