/*
 * The longest pieces of kernel code between two scheduling points, call by call, with the worst
 * arguments that a program can give on this machine (worst.c). The kernel runs with the word `bound` and keeps
 * them in /proc/umbra-bound; each row there must stay below the limit. Without arguments all groups run, with
 * arguments those of these names.
 */
#include "bound.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define LIMIT    20000000u /* instructions */
#define ROWS_MAX 600
#define NO_CASE  77

static uint64_t values[SYMBOLS_END - SYMBOL];

void set(enum symbol symbol, uint64_t value)
{
    values[symbol - SYMBOL] = value;
}

uint64_t get(enum symbol symbol)
{
    return values[symbol - SYMBOL];
}

void need(int good, const char *what)
{
    if (!good) {
        printf("# %s: %m\n", what);
        exit(NO_CASE);
    }
}

/* Rows of /proc/umbra-bound. */
struct row {
    char name[40];
    unsigned long longest;
    char arguments[160];
};

struct table {
    struct row row[ROWS_MAX];
    unsigned count;
};

/* What the process of a group shares with the one that waits for it. */
static struct shared {
    unsigned points, failed;
    size_t done;         /* the row that it has come to */
    struct table before; /* what had been longest before the last point */
} *shared;

static struct table after;

static void read_table(struct table *table)
{
    FILE *file = fopen("/proc/umbra-bound", "r");
    need(file != NULL, "/proc/umbra-bound");
    for (table->count = 0; table->count < ROWS_MAX; table->count++) {
        struct row *row = &table->row[table->count];
        if (fscanf(file, "%39s %lu %159[^\n]", row->name, &row->longest, row->arguments) != 3) {
            break;
        }
    }
    fclose(file);
}

static unsigned long longest_of(const struct table *table, const char *name)
{
    for (unsigned i = 0; i < table->count; i++) {
        if (strcmp(table->row[i].name, name) == 0) {
            return table->row[i].longest;
        }
    }
    return 0;
}

static void point(bool good, const char *group, const char *what)
{
    shared->failed += !good;
    printf("%sok %u %s: %s\n", good ? "" : "not ", ++shared->points, group, what);
}

/* One point: nothing has become longer than the limit. A comment says what has become longer at all. */
static void judge(const char *group, const char *what, bool made)
{
    bool good = made;
    read_table(&after);
    for (unsigned i = 0; i < after.count; i++) {
        const struct row *row = &after.row[i];
        unsigned long old = longest_of(&shared->before, row->name);
        if (row->longest <= old || row->longest < LIMIT / 20) {
            continue;
        }
        printf("# %s: %s %lu.%03lu million instructions (%s)\n", what, row->name,
               row->longest / 1000000, row->longest / 1000 % 1000, row->arguments);
        good = good && row->longest <= LIMIT;
    }
    shared->before = after;
    point(good, group, what);
}

static void make(const struct worst *row)
{
    uint64_t a[6];
    for (unsigned i = 0; i < 6; i++) {
        uint64_t value = row->argument[i];
        a[i] = value > SYMBOL && value < SYMBOLS_END ? get((enum symbol)value) : value;
    }
    for (uint64_t i = 0; i < (row->times ? row->times : 1); i++) {
        long result = syscall(row->call, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (result == 0 && row->call == SYS_fork) {
            _exit(0);
        }
        if (result == -1 && i == 0) {
            printf("# %s: %m\n", row->what);
        }
    }
}

static _Noreturn void run(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        shared->done = i;
        if (worst[i].prepare) {
            worst[i].prepare();
            continue;
        }
        fflush(stdout);
        shared->done += i + 1 == to; /* it may be execve */
        make(&worst[i]);
        if (i + 1 < to) {
            judge(worst[i].group, worst[i].what, true);
        }
    }
    fflush(stdout);
    _exit(0);
}

/* The last call of a group and the end of its process are one point. */
static void run_group(size_t from, size_t to)
{
    int status;
    const char *group = worst[from].group;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        run(from, to);
    }
    need(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
    while (waitpid(-1, NULL, 0) > 0) {
    }
    bool is_complete = shared->done == to && status == 0;
    if (!is_complete) {
        printf("# status %#x at %s\n", (unsigned)status, worst[shared->done].what);
    }
    judge(group, "and its end", is_complete);
    fflush(stdout);
}

static uint8_t *map(size_t size, int flags);

#define REPEATS     2000
#define SLEEPERS    1000
#define DESCRIPTORS 1000

static void switches(void)
{
    sched_yield();
}

static void forks(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void opens(void)
{
    close(open("/dev/null", O_RDONLY));
}

static void uses_a_pipe(void)
{
    int ends[2];
    char byte = 0;
    need(pipe(ends) == 0 && write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1, "pipe");
    close(ends[0]);
    close(ends[1]);
}

static void maps(void)
{
    uint8_t *at = map(4 * 4096, 0);
    *at = 1;
    munmap(at, 4 * 4096);
}

static void signals_itself(void)
{
    kill(getpid(), SIGCHLD);
}

static void polls(void)
{
    poll(NULL, 0, 0);
}

/* What must cost the same, however many processes sleep until a later time and descriptors are open. */
static const struct {
    const char *what;
    void (*make)(void);
    bool copies; /* descriptors too */
} works[] = {
    {"a switch", switches, false},  {"fork and wait", forks, true}, {"open", opens, false},
    {"a pipe", uses_a_pipe, false}, {"mmap", maps, false},          {"kill", signals_itself, false},
    {"poll", polls, false},
};

#define KINDS (sizeof works / sizeof works[0])

/* Nanoseconds, which are instructions here, beside a process that yields all the time. */
static void time_all(uint64_t result[KINDS])
{
    struct timespec start, end;
    pid_t other = fork();
    while (other == 0) {
        sched_yield();
    }
    need(other > 0, "fork");
    for (size_t kind = 0; kind < KINDS; kind++) {
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (unsigned i = 0; i < REPEATS; i++) {
            works[kind].make();
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        result[kind] = (uint64_t)(end.tv_sec - start.tv_sec) * 1000000000u +
                       (uint64_t)(end.tv_nsec - start.tv_nsec);
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
}

static void start_sleepers(pid_t *group)
{
    fflush(stdout);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        pid_t pid = fork();
        need(pid >= 0, "fork");
        if (pid == 0) {
            setpgid(0, *group);
            poll(NULL, 0, 3600 * 1000 + (int)i);
            _exit(0);
        }
        *group = *group ? *group : pid;
        setpgid(pid, *group);
    }
    usleep(100000); /* until they sleep */
}

static void compare(const char *crowd, const uint64_t before[KINDS], bool compares_copies)
{
    uint64_t now[KINDS];
    time_all(now);
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (works[kind].copies && !compares_copies) {
            continue;
        }
        printf("# %s: %s takes %lu instructions, it was %lu\n", crowd, works[kind].what,
               now[kind] / REPEATS, before[kind] / REPEATS);
        point(now[kind] < before[kind] + before[kind] / 10, crowd, works[kind].what);
    }
}

static void compare_in_crowds(void)
{
    uint64_t alone[KINDS];
    pid_t group = 0;
    time_all(alone);
    start_sleepers(&group);
    compare("many that sleep", alone, true);
    kill(-group, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    for (unsigned i = 0; i < DESCRIPTORS; i++) {
        need(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0, "open");
    }
    compare("many descriptors", alone, false);
}

static bool wanted(const char *group, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], group) == 0) {
            return true;
        }
    }
    return argc == 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-") == 0) {
        return 0; /* made by execve, in a group */
    }
    need(mount("", "/tmp", "tmpfs", 0, "size=100%") == 0, "a file system on /tmp");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(shared != MAP_FAILED, "shared memory");
    read_table(&shared->before);
    for (size_t from = 0, to; from < worst_count; from = to) {
        for (to = from; to < worst_count && strcmp(worst[to].group, worst[from].group) == 0; to++) {
        }
        if (wanted(worst[from].group, argc, argv)) {
            run_group(from, to);
        }
    }
    if (wanted("crowds", argc, argv)) {
        compare_in_crowds();
    }
    printf("1..%u\n", shared->points);
    return shared->failed ? 1 : 0;
}

/* What the groups of worst.c need before they make their calls. */

#define MB         (1UL << 20)
#define DENSE      (640 * MB)
#define TABLE      (2 * MB) /* what one page table maps */
#define TABLES     70000    /* three frames each when they are moved or copied */
#define AREAS      65000
#define FILES      50000
#define CHILDREN   1500
#define LEVELS     2030 /* of directories with a name of one letter: a path of 4096 bytes */
#define LINKS      15   /* that many contents of 4096 bytes are followed, see libvfs */
#define ARGS       (2 * MB)
#define BUFFER_MAX (64 * MB)
#define ATTRIBUTES 6000

static uint8_t *map(size_t size, int flags)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    need(at != MAP_FAILED, "mmap");
    return at;
}

/* An address with that much room, on a page table's edge. */
static uint64_t free_place(size_t size)
{
    uint8_t *at = map(size + TABLE, MAP_NORESERVE);
    munmap(at, size + TABLE);
    return ((uint64_t)at + TABLE - 1) / TABLE * TABLE;
}

static void set_area(uint64_t at, size_t size)
{
    set(AREA, at);
    set(SIZE, size);
    set(ELSEWHERE, free_place(size));
}

/* All pages of an area. */
void prepare_dense(void)
{
    set_area((uint64_t)map(DENSE, MAP_POPULATE), DENSE);
}

/* One page in each table. */
void prepare_sparse(void)
{
    size_t size = TABLES * TABLE;
    uint64_t at = free_place(size);
    at = (uint64_t)mmap((void *)at, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    for (size_t i = 0; i < TABLES; i++) {
        *(volatile uint8_t *)(at + i * TABLE) = 1;
    }
    set_area(at, size);
}

void prepare_heap(void)
{
    uint64_t end = (uint64_t)syscall(SYS_brk, 0);
    need((uint64_t)syscall(SYS_brk, end + DENSE) == end + DENSE, "brk");
    memset((void *)end, 1, DENSE);
    set(TOP, end);
}

/* As many areas as there may be, a page each. */
void prepare_areas(void)
{
    uint8_t *at = map(AREAS * 4096UL, MAP_POPULATE);
    for (size_t i = 0; i < AREAS; i += 2) {
        mprotect(at + i * 4096, 4096, PROT_READ);
    }
    set_area((uint64_t)at, AREAS * 4096UL);
}

void prepare_proc_maps(void)
{
    prepare_areas();
    prepare_buffer();
    int fd = open("/proc/self/maps", O_RDONLY);
    need(fd >= 0, "/proc/self/maps");
    set(FD, (uint64_t)fd);
}

static void open_smaps(void)
{
    prepare_buffer();
    int smaps = open("/proc/self/smaps", O_RDONLY), status = open("/proc/self/status", O_RDONLY);
    need(smaps >= 0 && status >= 0, "/proc/self");
    set(FD, (uint64_t)smaps);
    set(FD2, (uint64_t)status);
}

void prepare_proc_smaps(void)
{
    prepare_areas();
    open_smaps();
}

void prepare_proc_smaps_dense(void)
{
    prepare_dense();
    open_smaps();
}

void prepare_proc(void)
{
    prepare_buffer();
    int users = open("/proc/umbra-users", O_RDONLY), frames = open("/proc/umbra-frames", O_RDONLY);
    need(users >= 0 && frames >= 0, "/proc");
    set(FD, (uint64_t)users);
    set(FD2, (uint64_t)frames);
}

/* Another process takes all memory, and is ended. */
void exhaust_memory(void)
{
    int status;
    pid_t pid = fork();
    for (uint8_t *at = NULL; pid == 0; *at = 1) {
        at = map(4096, 0);
    }
    need(pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "out of memory");
}

static void set_program(void)
{
    static char path[] = "/test/bound";
    set(PATH, (uint64_t)path);
}

/* A program's strings: almost 2 MiB in empty ones, which cost a pointer each. */
void prepare_strings(void)
{
    size_t count = ARGS / 9 - 1000;
    char **strings = (char **)map((count + 2) * sizeof *strings, 0);
    for (size_t i = 0; i < count; i++) {
        strings[i] = "";
    }
    strings[0] = "bound";
    strings[1] = "-";
    set_program();
    set(VECTOR, (uint64_t)strings);
    set(VECTOR2, 0);
}

static int make_file(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/%s", name);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    need(fd >= 0, path);
    return fd;
}

/* A file of DENSE bytes with all its pages; made again each time. */
void prepare_large_file(void)
{
    static char path[] = "/tmp/large";
    int fd = make_file("large");
    for (size_t at = 0; at < DENSE; at += 16 * MB) {
        need(fallocate(fd, 0, (off_t)at, 16 * MB) == 0, "fallocate");
    }
    set(FD, (uint64_t)fd);
    set(SIZE, DENSE);
    set(PATH, (uint64_t)path);
}

void map_file_again(void)
{
    void *at =
        mmap(NULL, DENSE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, (int)get(FD), 0);
    need(at != MAP_FAILED, "mmap");
    set_area((uint64_t)at, DENSE);
}

void prepare_mapped_file(void)
{
    prepare_large_file();
    map_file_again();
}

/* The longest robust list. All its entries and words are on pages of their own, for which the kernel has a fault each. */
void prepare_mutexes(void)
{
    const size_t count = 2048, page = 4096, size = (2 * count + 1) * page;
    int fd = make_file("mutexes");
    need(ftruncate(fd, (long)size) == 0, "ftruncate");
    char *made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *used = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(made != MAP_FAILED && used != MAP_FAILED, "mmap");
    for (size_t i = 0; i < count; i++) {
        bool is_last = i + 1 == count;
        *(uint64_t *)(made + i * page) = (uint64_t)(used + (is_last ? 2 * count : i + 1) * page);
        *(uint32_t *)(made + (count + i) * page) = 0x80000000u | (uint32_t)getpid();
    }
    uint64_t *head = (uint64_t *)(made + 2 * count * page);
    head[0] = (uint64_t)used;
    head[1] = count * page;
    need(syscall(SYS_set_robust_list, used + 2 * count * page, 24) == 0, "set_robust_list");
}

/* The descriptor is the last that holds the file. */
void prepare_removed_file(void)
{
    prepare_large_file();
    unlink("/tmp/large");
}

/* A hole. */
void prepare_sparse_file(void)
{
    static char path[] = "/tmp/sparse";
    int fd = make_file("sparse");
    need(ftruncate(fd, 1L << 30) == 0, "ftruncate");
    set(FD, (uint64_t)fd);
    set(PATH, (uint64_t)path);
}

void prepare_second_file(void)
{
    static char path[] = "/tmp/second";
    set(FD2, (uint64_t)make_file("second"));
    set(PATH2, (uint64_t)path);
}

void prepare_buffer(void)
{
    set(BUFFER, (uint64_t)map(BUFFER_MAX, MAP_POPULATE));
    set(BUFFER_SIZE, BUFFER_MAX);
}

/* Lines of a comment, so that the driver reads on behind them. */
void prepare_console(void)
{
    prepare_buffer();
    char *text = (char *)get(BUFFER);
    for (size_t i = 0; i < 64 * 1024; i++) {
        text[i] = i % 64 == 63 ? '\n' : '#';
    }
}

/* A file system with many files in one directory. */
void prepare_mount(void)
{
    static char path[] = "/tmp/mount";
    mkdir(path, 0700);
    need(mount("", path, "tmpfs", 0, "size=100%") == 0 && chdir(path) == 0, "mount");
    for (int i = 0; i < FILES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        need(mknod(name, S_IFREG | 0600, 0) == 0, "mknod");
    }
    set(PATH, (uint64_t)path);
}

void leave_mount(void)
{
    need(chdir("/") == 0 && close((int)get(FD)) == 0, "chdir");
}

void prepare_directory(void)
{
    prepare_mount();
    prepare_buffer();
    int fd = open("/tmp/mount", O_RDONLY | O_DIRECTORY);
    need(fd >= 0, "/tmp/mount");
    set(FD, (uint64_t)fd);
}

/* Links at the end of the longest path; each leads there and to the next. */
void prepare_links(void)
{
    static char path[4096], path2[4096];
    size_t length = (size_t)snprintf(path, sizeof path, "/tmp/l");
    mkdir(path, 0700);
    need(chdir(path) == 0, path);
    for (int i = 0; i < LEVELS; i++) {
        need(mkdir("d", 0700) == 0 && chdir("d") == 0, "mkdir");
        length += (size_t)snprintf(path + length, sizeof path - length, "/d");
    }
    for (int i = 0; i < LINKS; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        snprintf(path + length, sizeof path - length, i + 1 < LINKS ? "/%d" : "/f", i + 1);
        need(symlink(path, name) == 0, "symlink");
    }
    need(mknod("f", S_IFREG | 0700, 0) == 0 && chdir("/") == 0, "mknod");
    /* the directory behind the links, and two names in it */
    snprintf(path + length, sizeof path - length, "/.");
    snprintf(path + length, sizeof path - length, "/f");
    unlink(path);
    need(symlink(".", path) == 0, "symlink");
    snprintf(path + length, sizeof path - length, "/0/x");
    memcpy(path2, path, length);
    snprintf(path2 + length, sizeof path2 - length, "/0/y");
    need(mknod(path, S_IFREG | 0700, 0) == 0, path);
    prepare_buffer();
    set(PATH, (uint64_t)path);
    set(PATH2, (uint64_t)path2);
}

static _Noreturn void sleep_for_ever(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        pause();
    }
}

void prepare_children(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();
        need(pid >= 0, "fork");
        if (pid == 0) {
            sleep_for_ever();
        }
    }
    int fd = open("/proc", O_RDONLY | O_DIRECTORY);
    need(fd >= 0, "/proc");
    set(FD, (uint64_t)fd);
    fd = open("/proc/umbra-users", O_RDONLY);
    set(FD2, (uint64_t)fd);
    prepare_buffer();
}

/* As many descriptors as there may be, all of pipes. */
void prepare_descriptors(void)
{
    int fds[2];
    struct pollfd *polled = (struct pollfd *)map(1024 * sizeof *polled, 0);
    while (pipe(fds) == 0) {
    }
    for (int i = 0; i < 1024; i++) {
        polled[i] = (struct pollfd){.fd = i, .events = POLLIN};
    }
    uint8_t *bits = map(3 * 128, 0);
    memset(bits, 0xff, 128);
    set(VECTOR, (uint64_t)polled);
    set(BUFFER, (uint64_t)bits);
    set(COUNT, 1024);
}

/* The longest vector, of large parts, all of them the same memory. */
void prepare_vector(void)
{
    struct iovec *vector = (struct iovec *)map(1024 * sizeof *vector, 0);
    prepare_buffer();
    for (int i = 0; i < 1024; i++) {
        vector[i] = (struct iovec){.iov_base = (void *)get(BUFFER), .iov_len = 65536};
    }
    set(VECTOR, (uint64_t)vector);
    set(COUNT, 1024);
    set(FD, (uint64_t)make_file("vector"));
}

/* As many attributes as a file may have. */
void prepare_attributes(void)
{
    static char path[] = "/tmp/attributes", name[] = "user.last";
    close(make_file("attributes"));
    for (int i = 0; i < ATTRIBUTES; i++) {
        char attribute[32];
        snprintf(attribute, sizeof attribute, "user.%d", i);
        if (setxattr(path, attribute, "", 0, 0) != 0) {
            break;
        }
    }
    prepare_buffer();
    set(PATH, (uint64_t)path);
    set(PATH2, (uint64_t)name);
}
