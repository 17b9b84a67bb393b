/*
 * fork: the child gets its parent's memory as it was, and later writes are private to each process;
 * shared mappings stay shared. A page is copied only at a write (COW), and freed with its process.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void test_leak(void)
{
    enum { ROUNDS = 50 };
    int good = 0;
    long before = 0;

    for (int i = 0; i < ROUNDS + 2; i++) {
        before = i == 2 ? free_memory() : before;
        good += in_child(i % 2 ? reads_all : sees_and_changes, &(int){3}) != NOT_RUN;
    }
    is(good, ROUNDS + 2, "%d forks", ROUNDS + 2);
    if (on_linux()) {
        skip("others use the memory of this machine", "leave the free memory as it was");
    } else {
        is(free_memory() - before, 0, "leave the free memory as it was");
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

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    area =
        mmap(NULL, MANY_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!ok(area != MAP_FAILED && shared != MAP_FAILED, "memory, private and shared")) {
        return tap_end();
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
    return tap_end();
}
