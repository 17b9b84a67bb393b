/*
 * The stack grows when it is touched, down to its limit and not below; a gap stays below it.
 */
#include "tap.h"
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

static int with_limit(void *kib)
{
    struct rlimit limit = {256 * 1024, 256 * 1024};
    char *argv[] = {"child", "stack", kib, NULL};

    setrlimit(RLIMIT_STACK, &limit);
    execv(beside("child"), argv);
    return 99;
}

static void test_limit(void)
{
    is(in_child(with_limit, "200"), EXITED(0), "200 of 256 KiB can be used");
    is(WITHOUT_CORE(in_child(with_limit, "300")), KILLED(SIGSEGV), "300 of them cannot");
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

int main(int argc, char **argv)
{
    struct rlimit limit = {8 * MIB, 8 * MIB};

    tap_begin(argc, argv);
    is(setrlimit(RLIMIT_STACK, &limit), 0, "RLIMIT_STACK is 8 MiB");
    test_growth();
    test_limit();
    test_gap();
    test_growsdown();
    test_not_executable();
    is(in_child(many_words, NULL), EXITED(3), "900 kB of arguments go on a stack of 8 MiB");
    return tap_end();
}
