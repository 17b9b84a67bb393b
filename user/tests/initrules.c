/*
 * The rules for process 1. Signals without a handler do not end it, blocked or not, not even
 * SIGKILL from itself. It adopts orphans, which send SIGCHLD at their end, whatever signal their
 * parent had chosen. A process of another user cannot signal it.
 *
 * If the test is not process 1, it becomes the first process of a new process id namespace, which
 * needs root. Where the kernel has no such namespaces, the test has no points.
 */
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t got[65];

static void count(int number)
{
    got[number]++;
}

static int kill_first(void *number)
{
    return kill(1, *(int *)number) == 0 ? 0 : errno;
}

static void test_signals(void)
{
    int numbers[] = {SIGTERM, SIGHUP, SIGSEGV, SIGUSR1, SIGALRM, 40, SIGKILL, SIGSTOP};
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        is(kill(getpid(), numbers[i]), 0, "process 1 sends itself signal %d and lives", numbers[i]);
        is(run_child(kill_first, &numbers[i], false), EXITED(0), "its child sends it");
        is(run_child(kill_first, &numbers[i], true), EXITED(EPERM), "a stranger may not");
        sigprocmask(SIG_SETMASK, &all, NULL);
        is(kill(getpid(), numbers[i]), 0, "it blocks the signal and sends it");
        is(run_child(kill_first, &numbers[i], false), EXITED(0), "its child sends it too");
        sigprocmask(SIG_SETMASK, &none, NULL);
        is(getpid(), 1, "it lives when it unblocks signal %d", numbers[i]);
    }
}

static void test_handled(void)
{
    int number = SIGTERM;

    signal(SIGTERM, count);
    got[SIGTERM] = 0;
    is(run_child(kill_first, &number, false), EXITED(0), "a child sends SIGTERM");
    is(got[SIGTERM], 1, "the handler of process 1 runs");
    is(run_child(kill_first, &number, true), EXITED(EPERM), "a stranger may not");
    is(got[SIGTERM], 1, "and it does not run");
    signal(SIGTERM, SIG_DFL);
}

static int make_orphan(void *number)
{
    if (RAW(SYS_clone, *(int *)number, 0, 0, 0, 0) == 0) {
        for (int i = 0; i < 1000 && getppid() != 1; i++) {
            sleep_ms(2);
        }
        RAW(SYS_exit_group, getppid() == 1 ? 5 : 6);
    }
    return 0;
}

static void test_orphan(int number)
{
    int status = 0;
    pid_t pid = 0;

    signal(SIGCHLD, count);
    signal(number, count);
    memset((void *)(uintptr_t)got, 0, sizeof got);
    is(run_child(make_orphan, &number, true), EXITED(0), "a parent ends, its child tells by %d",
       number);
    do {
        pid = waitpid(-1, &status, 0);
    } while (pid < 0 && errno == EINTR);
    is(status, EXITED(5), "the orphan has process 1 as its parent, which waits for it");
    ok(got[SIGCHLD] > 0, "it is told by SIGCHLD");
    ok(number == SIGCHLD || got[number] == 0, "and by nothing else");
    signal(SIGCHLD, SIG_DFL);
    signal(number, SIG_DFL);
}

static int end_at_once(void *unused)
{
    (void)unused;
    return 0;
}

/* Ends as the parent of zombies, which process 1 adopts; process 1 may ignore SIGCHLD. */
static int leave_zombies(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        begin(end_at_once, NULL);
    }
    sleep_ms(100);
    return 0;
}

static void test_zombies(void)
{
    int reaped = 0;

    is(run_child(leave_zombies, NULL, false), EXITED(0), "twenty zombies lose their parent");
    while (waitpid(-1, NULL, 0) > 0) {
        reaped++;
    }
    is(reaped, 20, "process 1 can wait for each");
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = begin(leave_zombies, NULL);
    is(waitpid(pid, NULL, 0), -1, "where it ignores SIGCHLD there is nothing to wait for");
    is(errno, ECHILD, "they are gone at once");
    signal(SIGCHLD, SIG_DFL);
    is(result_of(waitpid(-1, NULL, WNOHANG)), -ECHILD, "and none is left");
}

static int limit_first(void *unused)
{
    struct rlimit limit = {1, 1};

    (void)unused;
    return prlimit(1, RLIMIT_CPU, &limit, NULL) == 0 ? 0 : errno;
}

static int test_all(void)
{
    test_signals();
    test_handled();
    test_orphan(SIGCHLD);
    test_orphan(SIGTERM);
    test_orphan(SIGUSR1);
    test_zombies();
    is(run_child(limit_first, NULL, true), EXITED(EPERM), "a stranger sets no limits of process 1");
    return tap_end();
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    if (getpid() == 1) {
        return test_all();
    }
    long error = is_root() ? RAW(SYS_unshare, CLONE_NEWPID) : -EPERM;
    if (error != 0) {
        skip(error == -EPERM ? "needs root" : "no process id namespaces", "process 1");
        return tap_end();
    }
    pid_t pid = fork();
    if (pid == 0) {
        return test_all();
    }
    return wait_for(pid) == EXITED(0) ? 0 : 1;
}
