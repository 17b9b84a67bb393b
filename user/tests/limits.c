/*
 * Processes that never end by themselves, and processes that use the same address for memory of
 * their own.
 */
#include "tap.h"
#include "proc.h"

#include <signal.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_isolation();
    test_stack();
    test_endless();
    return tap_end();
}
