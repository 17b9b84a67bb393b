/*
 * SIGKILL ends a process soon: in every call that sleeps, in every call that a program can make
 * long, while stopped, with all signals blocked and ignored, and as a parent in vfork. The limit is
 * the test's own, far below the time that the call would take.
 */
#include "edge.h"
#include "killable.h"
#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON 5000 /* milliseconds; the calls themselves would take an hour */

/* Blocks and ignores all signals that can be blocked or ignored. */
static __attribute__((noreturn)) int become_victim(void *argument)
{
    const struct victim *victim = argument;
    sigset_t all;

    for (int number = 1; number < 65; number++) {
        if (number != SIGCHLD) {
            signal(number, SIG_IGN);
        }
    }
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        victim->act();
    }
}

static bool settles(pid_t pid, const struct victim *victim)
{
    if (victim->kind == SLEEPS) {
        return falls_asleep(pid);
    }
    for (int i = 0; victim->kind == STOPS && i < 1000 && state_of(pid) != 'T'; i++) {
        sleep_ms(2);
    }
    sleep_ms(victim->kind == RUNS ? 30 : 0);
    return victim->kind == RUNS || state_of(pid) == 'T';
}

static void test_victim(const struct victim *victim)
{
    if (victim->kind == STOPS && !on_linux()) {
        skip("umbra has no job control", "SIGKILL ends what SIGSTOP has stopped");
        return;
    }
    memset(victim_shared, 0, sizeof *victim_shared);
    pid_t pid = begin(become_victim, (void *)(uintptr_t)victim);
    bool settled = settles(pid, victim);
    int status = 0;
    if (!settled && waitpid(pid, &status, WNOHANG) == pid && status == EXITED(NOT_HERE)) {
        skip("no such call or device here", "SIGKILL ends %s", victim->name);
        return;
    }
    ok(settled && kill(pid, SIGTERM) == 0 && waitpid(pid, NULL, WNOHANG) == 0,
       "%s: it goes on at a signal that it ignores", victim->name);
    kill(pid, SIGKILL);
    is(finish(pid, SOON), KILLED(SIGKILL), "%s: SIGKILL ends it", victim->name);
}

/* The child of a vfork whose parent was killed keeps running in memory that is still mapped. */
static void test_vfork_child(void)
{
    static const struct victim victim = {"vfork", in_vfork, SLEEPS};

    memset(victim_shared, 0, sizeof *victim_shared);
    pid_t pid = begin(become_victim, (void *)(uintptr_t)&victim);
    bool asleep = falls_asleep(pid);
    kill(pid, SIGKILL);
    ok(asleep && finish(pid, SOON) == KILLED(SIGKILL), "the parent of a vfork is ended");
    victim_shared->done = 1;
    for (int i = 0; i < 1000 && victim_shared->word != 7; i++) {
        sleep_ms(5);
    }
    is(victim_shared->word, 7, "its child goes on");
}

static int vfork_and_go_on(void *unused)
{
    (void)unused;
    if (vfork() == 0) {
        victim_shared->pid = (pid_t)RAW(SYS_getpid);
        for (;;) {
            RAW(SYS_pause);
        }
    }
    return 8;
}

static void test_vfork_parent(void)
{
    memset(victim_shared, 0, sizeof *victim_shared);
    pid_t pid = begin(vfork_and_go_on, NULL);
    for (int i = 0; i < 1000 && victim_shared->pid == 0; i++) {
        sleep_ms(2);
    }
    is(kill(victim_shared->pid, SIGKILL), 0, "the child of a vfork is ended");
    is(finish_or_kill(pid, SOON), EXITED(8), "its parent goes on");
}

static __attribute__((noreturn)) int pause_in_group(void *unused)
{
    (void)unused;
    setpgid(0, 0);
    for (int i = 0; i < 3 && fork() > 0; i++) {
    }
    for (;;) {
        pause();
    }
}

static void test_group(void)
{
    pid_t pid = begin(pause_in_group, NULL);

    falls_asleep(pid);
    is(kill(-pid, SIGKILL), 0, "SIGKILL for a group");
    is(finish(pid, SOON), KILLED(SIGKILL), "ends its leader");
    for (int i = 0; i < 1000 && kill(-pid, 0) == 0; i++) {
        sleep_ms(2);
    }
    is(kill(-pid, 0) == 0 ? 0 : errno, ESRCH, "and the others");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    victim_shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unlink(FIFO);
    int fd = open(HOLE, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ok(mkfifo(FIFO, 0600) == 0 && ftruncate(fd, 1L << 30) == 0 && pipe(victim_empty) == 0 &&
           pipe(victim_full) == 0 &&
           write(victim_full[1], victim_bytes, sizeof victim_bytes) == sizeof victim_bytes,
       "a FIFO, a hole, an empty pipe and a full one");
    close(fd);
    for (const struct victim *victim = victims; victim->name != NULL; victim++) {
        test_victim(victim);
    }
    test_vfork_child();
    test_vfork_parent();
    test_group();
    unlink(FIFO);
    unlink(HOLE);
    return tap_end();
}
