/*
 * Processes: how they start and end, fork, isolation, and what 1300 of them leave.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Processes: how they start and end, isolation, and what 1300 of them leave.
 */

/*
 * vfork, execve and wait4: statuses, errors, what a new program inherits, many children.
 */

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define MANY           40

static void test_statuses(void)
{
    static const struct {
        const char *mode, *argument;
        int status;
    } cases[] = {
        {"exit", "0", EXITED(0)},     {"exit", "1", EXITED(1)},   {"exit", "42", EXITED(42)},
        {"exit", "255", EXITED(255)}, {"exit", "256", EXITED(0)}, {"exit", "-1", EXITED(255)},
        {"kill", "9", KILLED(9)},     {"kill", "15", KILLED(15)}, {"kill", "1", KILLED(1)},
        {"kill", "10", KILLED(10)},   {"kill", "17", EXITED(99)}, {"kill", "18", EXITED(99)},
        {"kill", "34", KILLED(34)},   {"kill", "64", KILLED(64)},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is(WITHOUT_CORE(run("child", cases[i].mode, cases[i].argument, NULL)), cases[i].status,
           "the status of %s %s", cases[i].mode, cases[i].argument);
    }
}

static void test_wait_errors(void)
{
    int status = 0;

    is(ERROR_OF(waitpid(-1, &status, 0)), ECHILD, "wait without children is ECHILD");
    is(ERROR_OF(waitpid(1, &status, 0)), ECHILD, "wait for another's child is ECHILD");
    is(ERROR_OF(waitpid(getpid(), &status, 0)), ECHILD, "wait for oneself is ECHILD");
    is(ERROR_OF(waitpid(-1, &status, 0x100)), EINVAL, "an unknown option is EINVAL");
    pid_t pid = start("child", "sleep", "50", NULL);
    is(waitpid(pid, &status, WNOHANG), 0, "WNOHANG: the child runs still");
    is(ERROR_OF(waitpid(pid + 1000, &status, 0)), ECHILD, "wait for a process that is not there");
    is(waitpid(0, &status, 0), pid, "wait for the own process group");
    is(status, EXITED(0), "its status");
    is(ERROR_OF(waitpid(pid, &status, 0)), ECHILD, "a child is reported once");
    is(ERROR_OF(kill(pid, 0)), ESRCH, "and is gone then");
}

static void test_zombie(void)
{
    struct rusage usage;
    int status = 0;
    pid_t pid = start("child", "exit", "7", NULL);

    usleep(100000);
    is(kill(pid, 0), 0, "a child that has ended is there until it is waited for");
    is(wait4(pid, &status, WNOHANG, &usage), pid, "WNOHANG: the child has ended");
    is(status, EXITED(7), "its status");
    ok(usage.ru_utime.tv_sec < 100 && usage.ru_stime.tv_sec < 100, "its usage is filled in");
    pid = start("child", "exit", "7", NULL);
    is(wait4(pid, NULL, 0, NULL), pid, "wait4 with NULL for status and usage");
}

static void test_many(void)
{
    pid_t pids[MANY];
    unsigned seen = 0;
    bool right = true;

    for (int i = 0; i < MANY; i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", i);
        pids[i] = start("child", "exit", code, NULL);
        right = right && pids[i] > 0;
    }
    for (int i = 0; i < MANY; i++) {
        for (int j = 0; j < i; j++) {
            right = right && pids[i] != pids[j];
        }
    }
    ok(right, "%d children at once, each with a process id of its own", MANY);
    for (int n = 0; n < MANY; n++) {
        int status = NOT_RUN;
        pid_t pid = waitpid(-1, &status, 0);
        for (int i = 0; i < MANY; i++) {
            seen += pids[i] == pid && status == EXITED(i);
        }
    }
    is(seen, MANY, "each is reported once, with its own status");
    is(ERROR_OF(wait(NULL)), ECHILD, "then there are none");
}

static void test_inheritance(void)
{
    char number[16];
    char byte[8];
    unsigned char data[3];
    int open_one = open(beside("fixtures/data.bin"), O_RDONLY);
    int closed = open(beside("fixtures/data.bin"), O_RDONLY | O_CLOEXEC);

    snprintf(number, sizeof number, "%d", getpid());
    is(run("child", "parent", number, NULL), EXITED(0), "getppid of a child");
    snprintf(number, sizeof number, "%d", closed);
    is(run("child", "open", number, NULL), EXITED(1), "O_CLOEXEC closes a file on execve");
    is(lseek(closed, 0, SEEK_CUR), 0, "but not the parent's");
    snprintf(number, sizeof number, "%d", open_one);
    is(run("child", "open", number, NULL), EXITED(0), "other files stay open");
    is(read(open_one, data, 3), 3, "the parent reads");
    is(lseek(open_one, 0, SEEK_SET), 0, "and goes back to the start");
    snprintf(byte, sizeof byte, "%d", data[0]);
    is(run("child", "read", number, byte), EXITED(0), "the child reads on from the file");
    is(lseek(open_one, 0, SEEK_CUR), 1, "and moves the offset that both share");
    close(open_one);
    close(closed);
}

static void test_arguments(void)
{
    static char long_word[100001];
    static char many_words[2004][8];
    static char *argv[2006];
    char sum[16];
    pid_t pid = 0;

    memset(long_word, 'x', sizeof long_word - 1);
    snprintf(sum, sizeof sum, "%d", 'x' * 100000);
    char *one[] = {"child", "words", "1", sum, long_word, NULL};
    is(spawn(&pid, beside("child"), one, one + 5), 0, "execve with a word of 100000 bytes");
    is(wait_for(pid), EXITED(0), "it arrives whole");
    argv[0] = "child";
    argv[1] = "words";
    argv[2] = "2000";
    snprintf(sum, sizeof sum, "%d", ('a' + 'b') * 2000);
    argv[3] = sum;
    for (int i = 0; i < 2000; i++) {
        strcpy(many_words[i], "ab");
        argv[4 + i] = many_words[i];
    }
    is(spawn(&pid, beside("child"), argv, argv + 2004), 0, "execve with 2000 words");
    is(wait_for(pid), EXITED(0), "they all arrive");
    char *environment[] = {"FIRST=1", "SECOND=", "=", NULL};
    char *words[] = {"child", "env", "3", "FIRST=1", NULL};
    is(spawn(&pid, beside("child"), words, environment), 0, "execve with an environment");
    is(wait_for(pid), EXITED(0), "it arrives");
    char *empty[] = {"child", "env", "0", "", NULL};
    is(spawn(&pid, beside("child"), empty, NULL), 0, "execve with NULL for the environment");
    is(wait_for(pid), EXITED(0), "it is empty");
    is(spawn(&pid, beside("child"), NULL, NULL), 0, "execve with NULL for argv");
    is(wait_for(pid), EXITED(77), "the program gets one empty word");
}

/* vfork: the parent goes on when the child has ended or called execve. */
static void test_vfork(void)
{
    volatile int shared = 1;
    pid_t pid = vfork();

    if (pid == 0) {
        shared = 2;
        _exit(5);
    }
    is(shared, 2, "a vfork child runs in its parent's memory, and first");
    is(wait_for(pid), EXITED(5), "its status");
    shared = 1;
    pid = vfork();
    if (pid == 0) {
        shared = chdir("/") + 3;
        close(STDIN_FILENO);
        _exit(0);
    }
    is(shared, 3, "a second one");
    wait_for(pid);
    struct stat file;
    ok(fstat(STDIN_FILENO, &file) == 0, "what it closes stays open in the parent");
}

static void test_orphan(void)
{
    is(run("child", "orphan", "30", NULL), EXITED(0), "a child leaves a grandchild behind");
    usleep(60000);
    int status = 0;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    ok(pid == -1 ? errno == ECHILD : getpid() == 1, "which is not ours to wait for");
}

static void test_processes(void)
{
    test_wait_errors();
    test_statuses();
    test_zombie();
    test_many();
    test_inheritance();
    test_arguments();
    test_vfork();
    test_orphan();
}

/*
 * Processes that never end by themselves, and processes that use the same address for memory of
 * their own.
 */

static void test_isolation(void)
{
    pid_t first = start("child", "own", "0x1111111100000000", NULL);
    pid_t second = start("child", "own", "0x2222222200000000", NULL);
    pid_t third = start("child", "own", "0x3333333300000000", NULL);

    is(wait_for(first), EXITED(0), "a process keeps its own value at an address");
    is(wait_for(second), EXITED(0), "a second one at the same address too");
    is(wait_for(third), EXITED(0), "and a third");
}

static void test_endless(void)
{
    pid_t pid = start("child", "spin", NULL, NULL);

    usleep(50000);
    is(kill(pid, SIGKILL), 0, "kill of a process that spins");
    is(wait_for(pid), KILLED(SIGKILL), "ends it");
    is(WITHOUT_CORE(run("child", "cpu", "1", "3")), KILLED(SIGXCPU),
       "the soft limit of RLIMIT_CPU ends it by SIGXCPU");
    is(WITHOUT_CORE(run("child", "cpu", "1", "1")), KILLED(SIGKILL), "the hard limit by SIGKILL");
    is(run("child", "alarm", "1", NULL), KILLED(SIGALRM), "a timer by SIGALRM");
}

static void test_stack(void)
{
    is(run("child", "stack", "64", NULL), EXITED(0), "64 KiB of stack can be used");
    is(run("child", "stack", "100", NULL), EXITED(0), "100 KiB of stack can be used");
}

static void test_limits(void)
{
    test_isolation();
    test_stack();
    test_endless();
}

/*
 * A process that ends gives all its memory back: free memory before and after many processes, ended
 * in every way, is the same to the byte.
 */

static unsigned run_many(unsigned count, const char *mode, const char *argument, int status)
{
    unsigned good = 0;

    for (unsigned i = 0; i < count; i++) {
        good += WITHOUT_CORE(run("child", mode, argument, NULL)) == status;
    }
    return good;
}

static void test_kind(unsigned count, const char *mode, const char *argument, int status)
{
    run_many(4, mode, argument, status); /* fills the kernel's caches */
    long before = free_memory();
    unsigned good = run_many(count, mode, argument, status);
    long after = free_memory();

    is(good, count, "%u processes: %s %s", count, mode, argument);
    if (on_linux()) {
        skip("others use the memory of this machine", "leave the free memory as it was");
    } else {
        is(after - before, 0, "leave the free memory as it was");
    }
}

/* Runs many processes at once, so that frames are freed in another order than they were taken. They
 * sleep longer than it takes to start all of them: as many end in the second round as in the first,
 * after which the kernel keeps some of their stacks. */
static void test_at_once(void)
{
    enum { AT_ONCE = 30 };
    long before = 0;

    for (int round = 0; round < 2; round++) {
        before = round == 1 ? free_memory() : 0;
        for (int i = 0; i < AT_ONCE; i++) {
            start("child", "sleep", i % 2 == 0 ? "300" : "200", NULL);
        }
        while (waitpid(-1, NULL, 0) > 0) {
        }
    }
    if (on_linux()) {
        skip("others use the memory of this machine", "%d at once leave it too", AT_ONCE);
    } else {
        is(free_memory() - before, 0, "%d at once leave it too", AT_ONCE);
    }
}

static void test_resources(void)
{
    const unsigned count = 1000;

    test_kind(count, "exit", "0", EXITED(0));
    test_kind(count / 10, "kill", "9", KILLED(9));
    test_kind(count / 10, "stack", "60", EXITED(0));
    test_kind(count / 10, "trap-call", "", KILLED(5));
    test_at_once();
}

/*
 * fork: the child gets its parent's memory as it was, and later writes are private to each process;
 * shared mappings stay shared. A page is copied only at a write (COW), and freed with its process.
 */

#define MANY_PAGES 512

static volatile int data_word = 1;
static volatile int bss_word;
static volatile unsigned char *area; /* MANY_PAGES pages */
static volatile int *shared;

static void fill(unsigned char value)
{
    for (size_t i = 0; i < MANY_PAGES; i++) {
        area[i * PAGE] = (unsigned char)(value + i);
    }
}

static int holds(unsigned char value)
{
    for (size_t i = 0; i < MANY_PAGES; i++) {
        if (area[i * PAGE] != (unsigned char)(value + i)) {
            return 0;
        }
    }
    return 1;
}

static int sees_and_changes(void *stack_word)
{
    int good = data_word == 1 && bss_word == 2 && *(int *)stack_word == 3 && holds(10);

    data_word = 91;
    bss_word = 92;
    *(int *)stack_word = 93;
    fill(20);
    return good && holds(20) ? 0 : 1;
}

static void test_child_writes(void)
{
    int stack_word = 3;

    bss_word = 2;
    fill(10);
    is(in_child(sees_and_changes, &stack_word), EXITED(0), "the child sees its parent's memory");
    is(data_word, 1, "its writes do not reach the parent's data");
    is(bss_word, 2, "nor its bss");
    is(stack_word, 3, "nor its stack");
    ok(holds(10), "nor %d pages of anonymous memory", MANY_PAGES);
}

/* The child waits until the parent has written everywhere, and must still see the old values. */
static void test_parent_writes(void)
{
    fill(30);
    *shared = 0;
    pid_t pid = fork();
    if (pid == 0) {
        while (*shared == 0) {
            usleep(1000);
        }
        _exit(holds(30) ? 0 : 1);
    }
    fill(40);
    *shared = 1;
    is(wait_for(pid), EXITED(0), "the parent's writes do not reach the child");
    ok(holds(40), "and are there in the parent");
}

static int generation(void *depth)
{
    intptr_t level = (intptr_t)depth;
    unsigned char mine = (unsigned char)(50 + level);

    if (!holds((unsigned char)(mine - 1))) {
        return 1;
    }
    fill(mine);
    if (level < 6 && in_child(generation, (void *)(level + 1)) != EXITED(0)) {
        return 2;
    }
    return holds(mine) ? 0 : 3;
}

static int adds_to_shared(void *amount)
{
    *shared += (int)(intptr_t)amount;
    return 0;
}

static void test_shared(void)
{
    *shared = 5;
    is(in_child(adds_to_shared, (void *)7), EXITED(0), "a child writes to shared memory");
    is(*shared, 12, "and the parent sees it");
}

static int reads_all(void *unused)
{
    (void)unused;
    return holds(60) ? 0 : 1;
}

/* A child that only reads copies nothing. A child that writes one page copies one page. */
static void test_cost(void)
{
    fill(60);
    *shared = 0;
    long before = free_memory();
    pid_t pid = fork();
    if (pid == 0) {
        int good = holds(60);
        *shared = 1;
        while (*shared == 1) {
            usleep(1000);
        }
        _exit(good ? 0 : 1);
    }
    while (*shared == 0) {
        usleep(1000);
    }
    long used = before - free_memory();
    *shared = 2;
    is(wait_for(pid), EXITED(0), "a child reads %d pages", MANY_PAGES);
    if (on_linux()) {
        skip("others use the memory of this machine", "which costs no copy of them");
    } else {
        ok(used < (long)(MANY_PAGES * PAGE / 4), "which costs no copy of them: %ld bytes", used);
    }
}

static int forks(int rounds)
{
    int good = 0;

    for (int i = 0; i < rounds; i++) {
        good += in_child(i % 2 ? reads_all : sees_and_changes, &(int){3}) != NOT_RUN;
    }
    return good;
}

/* A kernel with sanitizers keeps freed objects for a while, and a page more or less with them: a leak is in each of
 * several tries. */
static void test_leak(void)
{
    enum { ROUNDS = 50 };
    int good = 2 + ROUNDS;
    long taken = 1;

    for (int tries = 0; tries < 5 && taken != 0 && good == 2 + ROUNDS; tries++) {
        good = forks(2);
        long before = free_memory();
        good += forks(ROUNDS);
        taken = on_linux() ? 0 : before - free_memory();
    }
    is(good, ROUNDS + 2, "%d forks", ROUNDS + 2);
    if (on_linux()) {
        skip("others use the memory of this machine", "leave the free memory as it was");
    } else {
        is(taken, 0, "leave the free memory as it was");
    }
}

static int runs_program(void *unused)
{
    char *argv[] = {"child", "exit", "12", NULL};

    (void)unused;
    execv(beside("child"), argv);
    return 1;
}

static int sees_read_only(void *page)
{
    return all_are(page, PAGE, 0x44) ? 0 : 1;
}

static void test_protection(void)
{
    unsigned char *page =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(page, 0x44, PAGE);
    mprotect(page, PAGE, PROT_READ);
    is(in_child(sees_read_only, page), EXITED(0), "a read-only page is there in a child");
    is(write_signal(page), 11, "and is read-only there too, not COW");
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    is(write_signal(page), 0, "when it has become writable, a child may write to it");
    is(page[0], 0x44, "to its own copy");
    munmap(page, PAGE);
}

static void test_fork(void)
{
    area =
        mmap(NULL, MANY_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!ok(area != MAP_FAILED && shared != MAP_FAILED, "memory, private and shared")) {
        return;
    }
    test_child_writes();
    test_parent_writes();
    fill(50);
    is(in_child(generation, (void *)1), EXITED(0), "six generations each have their own memory");
    ok(holds(50), "and the first has kept its own");
    test_shared();
    test_cost();
    test_protection();
    is(in_child(runs_program, NULL), EXITED(12), "execve after fork");
    test_leak();
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_processes();
    test_limits();
    test_resources();
    test_fork();
    return tap_end();
}
