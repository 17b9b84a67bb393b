/*
 * Too little memory: a call over a limit returns ENOMEM, and so does a request for more than there
 * is; nothing leaks, and the program goes on.
 */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define RW             (PROT_READ | PROT_WRITE)
#define PRIVATE        (MAP_PRIVATE | MAP_ANONYMOUS)
#define MIB            (1024UL * 1024)

static void *map(size_t size)
{
    return mmap(NULL, size, RW, PRIVATE, -1, 0);
}

static int limit_of_address_space(void *unused)
{
    struct rlimit limit = {64 * MIB, 64 * MIB};

    (void)unused;
    if (setrlimit(RLIMIT_AS, &limit) != 0) {
        return 1;
    }
    void *area = map(32 * MIB);
    if (area == MAP_FAILED) {
        return 2;
    }
    if (map(40 * MIB) != MAP_FAILED || errno != ENOMEM) {
        return 3;
    }
    munmap(area, 32 * MIB);
    if (map(40 * MIB) == MAP_FAILED) {
        return 4;
    }
    uintptr_t end = (uintptr_t)syscall(SYS_brk, 0);
    if ((uintptr_t)syscall(SYS_brk, end + 40 * MIB) != end) {
        return 5;
    }
    return mremap(map(8 * MIB), 8 * MIB, 30 * MIB, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM
               ? 0
               : 6;
}

static int limit_of_data(void *unused)
{
    struct rlimit limit = {4 * MIB, 4 * MIB};
    uintptr_t end = (uintptr_t)syscall(SYS_brk, 0);

    (void)unused;
    if (setrlimit(RLIMIT_DATA, &limit) != 0) {
        return 1;
    }
    if ((uintptr_t)syscall(SYS_brk, end + MIB) != end + MIB) {
        return 2;
    }
    if ((uintptr_t)syscall(SYS_brk, end + 5 * MIB) != end + MIB) {
        return 3;
    }
    return map(8 * MIB) == MAP_FAILED && errno == ENOMEM ? 0 : 4;
}

/* A soft limit of 0 stops brk only, as Valgrind needs it; for mmap the hard limit counts. */
static int limit_of_no_data(void *unused)
{
    struct rlimit limit = {0, 64 * MIB};
    uintptr_t end = (uintptr_t)syscall(SYS_brk, 0);

    (void)unused;
    if (setrlimit(RLIMIT_DATA, &limit) != 0) {
        return 1;
    }
    if ((uintptr_t)syscall(SYS_brk, end + MIB) != end) {
        return 2;
    }
    if (map(MIB) == MAP_FAILED) {
        return 3;
    }
    if (map(65 * MIB) != MAP_FAILED || errno != ENOMEM) {
        return 4;
    }
    limit.rlim_max = 0;
    if (setrlimit(RLIMIT_DATA, &limit) != 0) {
        return 5;
    }
    return map(MIB) == MAP_FAILED && errno == ENOMEM ? 0 : 6;
}

/* exec of a program that the limit has no room for. */
static int exec_below_limit(void *resource)
{
    struct rlimit limit = {4096, 4096};
    char *argv[] = {"memory", "exit", NULL}, *envp[] = {NULL};

    if (setrlimit(*(int *)resource, &limit) != 0) {
        return 1;
    }
    execve("/proc/self/exe", argv, envp);
    return 2;
}

/* Takes half of the free memory, in a child that ends without unmapping it. */
static int takes_half(void *unused)
{
    (void)unused;
    size_t size = (size_t)free_memory() / 2;
    unsigned char *area = map(size);
    if (area == MAP_FAILED) {
        return 1;
    }
    for (size_t at = 0; at < size; at += PAGE) {
        area[at] = 1;
    }
    return 0;
}

/* Takes more memory than there is: either the call fails, or a touch ends the process. */
static int takes_too_much(void *unused)
{
    struct sysinfo info;

    (void)unused;
    sysinfo(&info);
    size_t size = info.totalram * info.mem_unit * 2;
    unsigned char *area = map(size);
    if (area == MAP_FAILED) {
        return errno == ENOMEM ? 7 : 1;
    }
    for (size_t at = 0; at < size; at += PAGE) {
        area[at] = 1;
    }
    return 2;
}

static int forks_without_end(void *unused)
{
    struct rlimit limit = {40, 40};

    (void)unused;
    setrlimit(RLIMIT_NPROC, &limit);
    for (int i = 0; i < 1000; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        if (pid < 0) {
            return errno == EAGAIN ? 0 : 1;
        }
        wait_for(pid);
    }
    return 0;
}

static void test_machine(void)
{
    long before = 0;

    if (on_linux()) {
        skip("others use the memory of this machine", "using up the memory");
        return;
    }
    for (int round = 0; round < 2; round++) {
        before = free_memory();
        is(in_child(takes_half, NULL), EXITED(0), "a process uses half of the free memory");
        is(free_memory() - before, 0, "and it is there again");
        int status = in_child(takes_too_much, NULL);
        ok(status == EXITED(7) || status == KILLED(SIGKILL) || status == KILLED(SIGBUS),
           "twice the memory there is: ENOMEM, or the end of the process that touches it");
        is(free_memory() - before, 0, "and it is there again");
        is(run("child", "exit", "3", NULL), EXITED(3), "other programs run");
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return 0; /* exec_below_limit() */
    }
    tap_begin(argc, argv);
    is(in_child(limit_of_address_space, NULL), EXITED(0), "RLIMIT_AS");
    is(in_child(limit_of_data, NULL), EXITED(0), "RLIMIT_DATA");
    is(in_child(limit_of_no_data, NULL), EXITED(0), "RLIMIT_DATA of 0");
    int resources[] = {RLIMIT_CORE, RLIMIT_AS, RLIMIT_DATA};
    is(in_child(exec_below_limit, &resources[0]), EXITED(0), "exec below another limit");
    is(WITHOUT_CORE(in_child(exec_below_limit, &resources[1])), KILLED(SIGSEGV),
       "exec below RLIMIT_AS");
    is(WITHOUT_CORE(in_child(exec_below_limit, &resources[2])), KILLED(SIGSEGV),
       "exec below RLIMIT_DATA");
    ok(ERROR_OF((long)map(1UL << 46)) == ENOMEM || on_linux(), "mmap of 64 TiB is ENOMEM");
    is(in_child(forks_without_end, NULL), EXITED(0), "forks, one after the other");
    test_machine();
    return tap_end();
}
