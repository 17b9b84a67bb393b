/*
 * A process that ends gives all its memory back: free memory before and after many processes, ended
 * in every way, is the same to the byte.
 */
#include "tap.h"
#include "proc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static long free_bytes(void)
{
    struct sysinfo info;

    memset(&info, 0, sizeof info);
    return sysinfo(&info) == 0 ? (long)(info.freeram * info.mem_unit) : -1;
}

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
    long before = free_bytes();
    unsigned good = run_many(count, mode, argument, status);
    long after = free_bytes();

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
        before = round == 1 ? free_bytes() : 0;
        for (int i = 0; i < AT_ONCE; i++) {
            start("child", "sleep", i % 2 == 0 ? "300" : "200", NULL);
        }
        while (waitpid(-1, NULL, 0) > 0) {
        }
    }
    if (on_linux()) {
        skip("others use the memory of this machine", "%d at once leave it too", AT_ONCE);
    } else {
        is(free_bytes() - before, 0, "%d at once leave it too", AT_ONCE);
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;

    tap_begin(argc, argv);
    test_kind(count, "exit", "0", EXITED(0));
    test_kind(count / 10, "kill", "9", KILLED(9));
    test_kind(count / 10, "stack", "60", EXITED(0));
    test_kind(count / 10, "trap-call", "", KILLED(5));
    test_at_once();
    return tap_end();
}
