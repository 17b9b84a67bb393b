/*
 * The stack grows when it is touched, down to its limit and not below; a gap stays below it. Its limit
 * is also one of the arguments of a program.
 */
#include "tap.h"
#include "edge.h"
#include "proc.h"
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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
    char *argv[] = {"stack", "limit", NULL};

    limit_stack(16 * MIB);
    if (is_secure && setresuid(1000, 0, 0) != 0) {
        return 99;
    }
    execv(beside("stack"), argv);
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

int main(int argc, char **argv)
{
    struct rlimit limit = {8 * MIB, RLIM_INFINITY};

    if (argc == 2 && strcmp(argv[1], "limit") == 0) {
        return tells_limit();
    }
    tap_begin(argc, argv);
    is(setrlimit(RLIMIT_STACK, &limit), 0, "RLIMIT_STACK is 8 MiB");
    test_growth();
    test_limit();
    test_room_of_arguments();
    test_limit_of_privileged();
    test_gap();
    test_growsdown();
    test_not_executable();
    is(in_child(many_words, NULL), EXITED(3), "900 kB of arguments go on a stack of 8 MiB");
    return tap_end();
}
