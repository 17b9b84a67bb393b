/*
 * Where things are in memory: random places, bases of segments, and the stack.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The base addresses of the stack, of mmap, of the break and of a position-independent program
 * differ from run to run. `aslr same` expects the opposite, for a kernel that was started with
 * `noaslr`.
 */

#define RUNS 8

struct bases {
    uintptr_t text, stack, mmap, brk;
};

static struct bases own_bases(void)
{
    struct bases bases;
    int local = 0;

    bases.text = (uintptr_t)own_bases;
    bases.stack = (uintptr_t)&local;
    bases.mmap = (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bases.brk = (uintptr_t)sbrk(0);
    return bases;
}

/* The program runs itself RUNS times; each run writes its bases to a file that it inherits. */
static int collect(const char *program, struct bases runs[RUNS])
{
    char path[64];
    char number[16];

    snprintf(path, sizeof path, "/tmp/umbra-aslr-%d", getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    unlink(path);
    snprintf(number, sizeof number, "%d", fd);
    for (int i = 0; i < RUNS; i++) {
        if (run(program, "bases", number, NULL) != EXITED(0)) {
            return -1;
        }
    }
    lseek(fd, 0, SEEK_SET);
    ssize_t got = read(fd, runs, RUNS * sizeof runs[0]);
    close(fd);
    return got == (ssize_t)(RUNS * sizeof runs[0]) ? 0 : -1;
}

static int all_same(const struct bases runs[RUNS], size_t offset)
{
    for (int i = 1; i < RUNS; i++) {
        if (memcmp((const char *)&runs[i] + offset, (const char *)&runs[0] + offset,
                   sizeof(uintptr_t)) != 0) {
            return 0;
        }
    }
    return 1;
}

static int all_aligned(const struct bases runs[RUNS])
{
    uintptr_t any = 0;

    for (int i = 0; i < RUNS; i++) {
        any |= (runs[i].mmap | (runs[i].text ^ runs[0].text)) & 4095;
        any |= runs[i].stack >> 47 | runs[i].mmap >> 47 | runs[i].brk >> 47;
    }
    return any == 0;
}

static void test_program(const char *program, int same)
{
    static const struct {
        const char *name;
        size_t offset;
    } bases[] = {{"stack", offsetof(struct bases, stack)},
                 {"mmap base", offsetof(struct bases, mmap)},
                 {"break", offsetof(struct bases, brk)}};
    struct bases runs[RUNS];

    if (!ok(collect(program, runs) == 0, "%d runs of %s", RUNS, program)) {
        return;
    }
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        is(all_same(runs, bases[i].offset), same, "%s: the %s %s", program, bases[i].name,
           same ? "is always the same" : "differs");
    }
    int fixed = strcmp(program, "addresses") == 0;
    is(all_same(runs, offsetof(struct bases, text)), same || fixed, "%s: the text %s", program,
       same || fixed ? "is always at the same place" : "differs");
    ok(all_aligned(runs), "%s: bases are page-aligned and in the user half", program);
}

static int write_bases(const char *descriptor)
{
    struct bases bases = own_bases();
    int fd = 0;

    return sscanf(descriptor, "%d", &fd) == 1 &&
                   write(fd, &bases, sizeof bases) == (ssize_t)sizeof bases
               ? 0
               : 1;
}

static void test_aslr(bool same)
{
    test_program("addresses", same);
    if (access(beside("addresses-pie"), X_OK) == 0) {
        test_program("addresses-pie", same);
    } else {
        skip("it was not built", "a position-independent program");
    }
}

/*
 * The segment bases that arch_prctl and clone accept, and those that no processor accepts; and the
 * start of the stack, whose offset within its page differs from exec to exec.
 */

#define AT            0x100000000000UL
#define NON_CANONICAL 0x0000800000000000UL
#define ARCH_SET_GS   0x1001
#define ARCH_SET_FS   0x1002
#define ARCH_GET_FS   0x1003
#define ARCH_GET_GS   0x1004

static int set_base(void *argument)
{
    const unsigned long *values = argument;

    return (int)-RAW(SYS_arch_prctl, values[0], values[1]);
}

static int clone_with_base(void *base)
{
    long pid = RAW(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, base);

    if (pid == 0) {
        unsigned long got = 0;
        long error = RAW(SYS_arch_prctl, ARCH_GET_FS, &got);
        RAW(SYS_exit_group, error == 0 && got == (unsigned long)base ? 0 : 1);
    }
    return pid < 0 ? (int)-pid : wait_for((pid_t)pid) == EXITED(0) ? 0 : 99;
}

static void test_bases(void)
{
    static const struct {
        unsigned long base;
        int error;
    } cases[] = {{0, 0},
                 {AT, 0},
                 {USER_END - 1, 0},
                 {NON_CANONICAL, EPERM},
                 {0xffff7fffffffffff, EPERM},
                 {0x8000000000000000, EPERM},
                 {0xffff800000000000, EPERM},
                 {0xffffffff80000000, EPERM},
                 {0xffffffffffffffff, EPERM}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned long fs[2] = {ARCH_SET_FS, cases[i].base}, gs[2] = {ARCH_SET_GS, cases[i].base};
        is(run_child(set_base, fs, false), EXITED(cases[i].error), "ARCH_SET_FS to 0x%lx", fs[1]);
        is(run_child(set_base, gs, false), EXITED(cases[i].error), "ARCH_SET_GS to 0x%lx", gs[1]);
        is(run_child(clone_with_base, (void *)cases[i].base, false), EXITED(cases[i].error),
           "clone with CLONE_SETTLS to 0x%lx", fs[1]);
    }
    is(RAW(SYS_arch_prctl, ARCH_GET_FS, 8), -EFAULT, "ARCH_GET_FS to nowhere");
    is(RAW(SYS_arch_prctl, ARCH_GET_GS, 8), -EFAULT, "ARCH_GET_GS to nowhere");
    is(RAW(SYS_arch_prctl, 0x9999, 0), -EINVAL, "an arch_prctl that is unknown");
}

/* Returns the lowest bits of the stack pointer above its alignment, after exec. */
static int exec_to_stack(void *unused)
{
    char *argv[] = {"addresses", "stack", NULL}, *envp[] = {NULL};

    (void)unused;
    RAW(SYS_execve, "/proc/self/exe", argv, envp);
    return 0;
}

static void test_stack_at_entry(void)
{
    unsigned char seen[256] = {0};
    int different = 0;

    for (int i = 0; i < 24; i++) {
        int status = run_child(exec_to_stack, NULL, false);
        different += status != NOT_RUN && seen[status >> 8 & 0xff]++ == 0;
    }
    ok(different >= 8, "the stack starts at another place in its page in each exec (%d of 24)",
       different);
}

static void test_segments(void)
{
    test_bases();
    test_stack_at_entry();
}

/*
 * The stack grows when it is touched, down to its limit and not below; a gap stays below it. Its limit
 * is also one of the arguments of a program.
 */

#define MIB (1024UL * 1024)

static void test_growth(void)
{
    is(run("child", "stack", "1024", NULL), EXITED(0), "1 MiB of stack can be used");
    is(run("child", "stack", "7000", NULL), EXITED(0), "7000 KiB of 8 MiB can be used");
    is(WITHOUT_CORE(run("child", "stack", "8400", NULL)), KILLED(SIGSEGV),
       "more than 8 MiB cannot");
}

static void limit_stack(rlim_t bytes)
{
    struct rlimit limit = {bytes, bytes};

    setrlimit(RLIMIT_STACK, &limit);
}

struct use {
    unsigned kib;
    char *used; /* also in KiB */
};

static int uses_stack(void *argument)
{
    const struct use *use = argument;
    char *argv[] = {"child", "stack", use->used, NULL};

    limit_stack(use->kib * 1024);
    execv(beside("child"), argv);
    return 99;
}

static int exits(void *unused)
{
    char *argv[] = {"child", "exit", "3", NULL};

    (void)unused;
    limit_stack(0);
    execv(beside("child"), argv);
    return 99;
}

static void test_limit(void)
{
    is(in_child(uses_stack, &(struct use){256, "200"}), EXITED(0), "200 of 256 KiB can be used");
    is(WITHOUT_CORE(in_child(uses_stack, &(struct use){256, "300"})), KILLED(SIGSEGV),
       "300 of them cannot");
    is(in_child(uses_stack, &(struct use){64, "30"}), EXITED(0), "30 of 64 KiB can be used");
    is(WITHOUT_CORE(in_child(uses_stack, &(struct use){64, "80"})), KILLED(SIGSEGV),
       "80 of them cannot, although the area of a new program is usually larger");
    is(WITHOUT_CORE(in_child(uses_stack, &(struct use){0, "20"})), KILLED(SIGSEGV),
       "none can with a limit of 0");
    int status = WITHOUT_CORE(in_child(exits, NULL));
    /* on Linux by chance: all may lie on one page */
    ok(status == KILLED(SIGSEGV) || (on_linux() && status == EXITED(3)),
       "and a program ends before it starts");
}

/* A page far below the stack pointer, but within the limit. */
static int touches_far_below(void *unused)
{
    volatile char here = 0;

    (void)unused;
    *((volatile char *)((uintptr_t)&here & ~(PAGE - 1)) - 3 * MIB) = 1;
    return here;
}

/* Maps a page as near below the stack as possible: the stack must not grow into it. */
static int runs_into_mapping(void *unused)
{
    volatile char here = 0;
    uintptr_t stack = (uintptr_t)&here & ~(PAGE - 1);
    unsigned char *below = mmap((void *)(stack - 2 * MIB), PAGE, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    (void)unused;
    memset(below, 0, PAGE);
    for (volatile char *byte = (char *)stack; (unsigned char *)byte > below + PAGE; byte -= PAGE) {
        *byte = 1;
    }
    return 99;
}

static void test_gap(void)
{
    is(in_child(touches_far_below, NULL), EXITED(0), "a page 3 MiB below is within the limit");
    is(WITHOUT_CORE(in_child(runs_into_mapping, NULL)), KILLED(SIGSEGV),
       "a gap stays between the stack and a mapping below it");
}

/* MAP_GROWSDOWN: a stack of one's own. */
static void test_growsdown(void)
{
    unsigned char *room = mmap(NULL, 4 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(room, 4 * MIB);
    unsigned char *own = mmap(room + 3 * MIB, PAGE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);

    ok(own == room + 3 * MIB, "MAP_GROWSDOWN");
    is(write_signal(own - 1), 0, "the page below is taken when it is touched");
    is(write_signal(own + PAGE), SIGSEGV, "the one above is not");
}

static void test_not_executable(void)
{
    unsigned char code[16] = {RET_INSTRUCTION};

    is(call_signal(code), SIGSEGV, "the stack is not executable");
}

static int many_words(void *unused)
{
    static char word[100000];
    char *argv[13] = {"child", "exit", "3"};

    (void)unused;
    memset(word, 'w', sizeof word - 1);
    for (size_t i = 3; i < 12; i++) {
        argv[i] = word; /* 900 kB, under a quarter of 8 MiB */
    }
    execv(beside("child"), argv);
    return errno == E2BIG ? 98 : 99;
}

/* Arguments under a limit of the stack, in KiB, and how many bytes of strings it allows. */
static const struct room {
    unsigned kib;
    size_t strings;
} rooms[] = {
    {0, 4096 - 8},
    {20, 20 * 1024 - 8},             /* they must fit in the stack with a pointer */
    {256, 128 * 1024 - 4 * 8},       /* 128 KiB with four pointers are always allowed, */
    {2048, 2048 / 4 * 1024 - 8 * 8}, /* and otherwise a quarter of the stack with the pointers */
};

struct attempt {
    const struct room *room;
    size_t more;
};

/* Executes a program with so many bytes of strings, the program's path among them. */
static int fills_room(void *argument)
{
    static char word[128 * 1024];
    const struct attempt *attempt = argument;
    size_t left = attempt->room->strings + attempt->more;
    const char *path = beside("child");
    char *argv[10] = {"child", "exit", NULL}, *none[] = {NULL};

    memset(word, 'w', sizeof word - 1);
    left -= strlen(path) + 1 + sizeof "child" + sizeof "exit";
    int argc = 2;
    for (; left > 100000; left -= 100000) {
        argv[argc++] = word + sizeof word - 100000;
    }
    argv[argc++] = word + sizeof word - left;
    limit_stack(attempt->room->kib * 1024);
    execve(path, argv, none);
    return errno == E2BIG ? 98 : 99;
}

static void test_room_of_arguments(void)
{
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        struct attempt most = {&rooms[i], 0}, more = {&rooms[i], 1};
        int status = in_child(fills_room, &most);
        ok(status != EXITED(98) && status != EXITED(99), "a stack of %u KiB: %zu bytes of strings",
           rooms[i].kib, rooms[i].strings);
        is(in_child(fills_room, &more), EXITED(98), "and no byte more");
    }
}

static int tells_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_STACK, &limit);
    return (int)(limit.rlim_cur / MIB);
}

static int gets_other_user(void *is_secure)
{
    char *argv[] = {"addresses", "limit", NULL};

    limit_stack(16 * MIB);
    if (is_secure && setresuid(1000, 0, 0) != 0) {
        return 99;
    }
    execv(beside("addresses"), argv);
    return 99;
}

/* A program that its user gives more rights than he has. */
static void test_limit_of_privileged(void)
{
    if (!is_root()) {
        skip("needs user 0", "the limit of a program with other rights");
        return;
    }
    is(in_child(gets_other_user, NULL), EXITED(16), "exec keeps a limit of 16 MiB");
    is(in_child(gets_other_user, ""), EXITED(8), "but of a program with AT_SECURE it makes 8 MiB");
}

static void test_stack(void)
{
    struct rlimit limit = {8 * MIB, RLIM_INFINITY};
    is(setrlimit(RLIMIT_STACK, &limit), 0, "RLIMIT_STACK is 8 MiB");
    test_growth();
    test_limit();
    test_room_of_arguments();
    test_limit_of_privileged();
    test_gap();
    test_growsdown();
    test_not_executable();
    is(in_child(many_words, NULL), EXITED(3), "900 kB of arguments go on a stack of 8 MiB");
}

int main(int argc, char **argv)
{
    bool same = argc > 1 && strcmp(argv[1], "same") == 0;

    if (argc == 3 && strcmp(argv[1], "bases") == 0) {
        return write_bases(argv[2]);
    }
    if (argc > 1 && strcmp(argv[1], "stack") == 0) {
        return (int)((uintptr_t)argv >> 4 & 0xff);
    }
    if (argc == 2 && strcmp(argv[1], "limit") == 0) {
        return tells_limit();
    }
    tap_begin(argc, argv);
    test_aslr(same);
    test_segments();
    test_stack();
    return tap_end();
}
