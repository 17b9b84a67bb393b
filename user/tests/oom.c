/*
 * Memory runs out. The process that has taken most of it ends, whichever process notices; others,
 * and process 1, go on. Runs only on umbra: on Linux other programs use the memory of the machine.
 */
#include "edge.h"
#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define GREEDY 54321
#define MODEST 54322
#define PAGE   4096UL
#define FAILED 99
#define WAIT   60000

static size_t free_pages(void)
{
    struct sysinfo info;

    memset(&info, 0, sizeof info);
    sysinfo(&info);
    return info.freeram * info.mem_unit / PAGE;
}

static void become(uid_t uid)
{
    if (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0) {
        _exit(FAILED);
    }
}

static char *reserve(size_t pages)
{
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        _exit(FAILED);
    }
    return memory;
}

/* A process that touches so many pages, and then writes a byte to the pipe. */
struct holder {
    uid_t uid;
    size_t pages;
    int told[2];
};

static int hold(void *argument)
{
    struct holder *holder = argument;

    become(holder->uid);
    char *memory = reserve(holder->pages);
    for (size_t i = 0; i < holder->pages; i++) {
        memory[i * PAGE] = 1;
    }
    if (write(holder->told[1], "x", 1) != 1) {
        return FAILED;
    }
    alarm(120);
    pause();
    return 0;
}

static pid_t start_holder(uid_t uid, size_t pages)
{
    struct holder holder = {uid, pages, {-1, -1}};
    char byte;

    if (pipe(holder.told) != 0) {
        return -1;
    }
    pid_t pid = begin(hold, &holder);
    close(holder.told[1]);
    bool good = read(holder.told[0], &byte, 1) == 1;
    close(holder.told[0]);
    return good ? pid : -1;
}

static bool is_alive(pid_t pid)
{
    char state = state_of(pid);

    return state != 0 && state != 'Z';
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    wait_for(pid);
}

/* Takes memory until it is ended: by touching it, or by calls that fill untouched memory. */
static int take_all(void *by_calls)
{
    size_t pages = free_pages() * 2;
    char *memory = reserve(pages);
    int fd = by_calls != NULL ? open("/dev/zero", O_RDONLY) : -1;

    become(GREEDY);
    for (size_t i = 0; i < pages; i += 64) {
        if (fd >= 0 && read(fd, memory + i * PAGE, 64 * PAGE) <= 0) {
            return errno == EFAULT ? 1 : 2;
        }
        for (size_t j = i; j < i + 64; j++) {
            memory[j * PAGE] = 1;
        }
    }
    return 3;
}

static void test_one(const char *how, void *by_calls)
{
    pid_t bystander = start_holder(MODEST, 16);
    pid_t pid = begin(take_all, by_calls);

    is(finish_or_kill(pid, WAIT), KILLED(SIGKILL), "who takes all memory by %s is ended", how);
    ok(is_alive(bystander), "another user's process is not");
    end(bystander);
}

/* The user with the largest sum pays, although another user has the largest single process. */
static void test_sum(void)
{
    size_t all = free_pages();
    pid_t large = start_holder(MODEST, all / 4);
    pid_t small[4];
    unsigned alive = 0;

    for (int i = 0; i < 4; i++) {
        small[i] = start_holder(GREEDY, all / 7);
    }
    pid_t asks = start_holder(0, all / 4);
    ok(asks > 0, "user 0 gets a quarter of memory, of which an eighth was free");
    ok(is_alive(large), "the largest process is alive: its user has not most of it");
    for (int i = 0; i < 4; i++) {
        alive += is_alive(small[i]);
    }
    is(alive, 3, "one of the four of the user with most of it was ended");
    for (int i = 0; i < 4; i++) {
        end(small[i]);
    }
    end(large);
    end(asks);
}

static char directory[] = "/tmp/oom.XXXXXX";

static int open_file(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
}

/* Writes until nothing fits. Returns the error of the last write. */
static int fill_file(void *unused)
{
    static char part[16 * PAGE];
    int fd = open_file("large");
    size_t size = sizeof part;

    (void)unused;
    become(GREEDY);
    if (fd < 0) {
        return FAILED;
    }
    while (size > 0) {
        if (write(fd, part, size) < 0) {
            size = size == 1 ? 0 : size > PAGE ? PAGE : 1;
        }
    }
    return errno;
}

static int touch_some(void *unused)
{
    (void)unused;
    char *memory = reserve(8);
    for (size_t i = 0; i < 8; i++) {
        memory[i * PAGE] = 1;
    }
    return 0;
}

/* No process frees these pages when it ends: user 0 goes on with the pages that are kept back. */
static void test_files(const char *options, int error)
{
    is(mount("none", directory, "tmpfs", 0, options), 0, "a tmpfs with %s", options);
    is(run_child(fill_file, NULL, false), EXITED(error), "a user fills it");
    is(run_child(touch_some, NULL, false), EXITED(0), "user 0 starts a process that needs pages");
    is(umount(directory), 0, "and unmounts it");
}

static int write_a_megabyte(void *unused)
{
    static char part[PAGE];
    int fd = open_file("other");

    (void)unused;
    become(MODEST);
    for (int i = 0; i < 256; i++) {
        if (fd < 0 || write(fd, part, PAGE) != (ssize_t)PAGE) {
            return errno;
        }
    }
    return 0;
}

/* A system call finds no memory because another process has it. */
static void test_call(void)
{
    is(mount("none", directory, "tmpfs", 0, "mode=777"), 0, "a tmpfs");
    size_t all = free_pages(), kept_back = all / 100 + 64;
    pid_t greedy = start_holder(GREEDY, all - kept_back - 200);
    ok(greedy > 0, "a user has nearly all memory");
    is(run_child(write_a_megabyte, NULL, false), EXITED(0), "another user's writes succeed");
    ok(!is_alive(greedy), "for that the first one was ended");
    end(greedy);
    umount(directory);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    if (on_linux()) {
        skip("others use the memory of this machine", "who ends when memory runs out");
        return tap_end();
    }
    size_t before = free_pages();
    test_one("touching it", NULL);
    test_one("calls", directory);
    test_sum();
    if (ok(mkdtemp(directory) != NULL, "a directory")) {
        test_files("size=50%", ENOSPC);
        test_files("size=200%", ENOMEM);
        test_call();
        rmdir(directory);
    }
    size_t after = free_pages();
    ok(after + 16 >= before, "memory is free again: %zu pages, %zu before", after, before);
    return tap_end();
}
