/*
 * How children end; signals to groups; the terminal from the background.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/*
 * How children end. Children whose end is ignored leave no zombie. The parent gets the signal that
 * was passed to clone; exec, and the loss of the parent, change it to SIGCHLD. wait4 reports the
 * kinds of children that it is asked for, and waitid tells the same without a status word.
 */

#define FEW       300
#define MANY      40000 /* more than there are process ids, so that leftovers would use them up */
#define LINUX_HAS 2000  /* on Linux, where other programs share the machine */
#define LONG      8     /* seconds, after which the loop ends */
#define WALL      0x40000000
#define WCLONE    0x80000000u

static volatile sig_atomic_t got[65];

static void count(int number)
{
    got[number]++;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(number, &action, NULL);
}

static int end_at_once(void *unused)
{
    (void)unused;
    return 3;
}

static int wait_a_little(void *unused)
{
    (void)unused;
    sleep_ms(100);
    return 3;
}

/* Starts children that end at once, and checks that they disappear without a wait. */
static void test_none_stays(const char *how)
{
    static pid_t pids[FEW];
    unsigned started = 0, stay = FEW;

    for (unsigned i = 0; i < FEW; i++) {
        pids[i] = begin(end_at_once, NULL);
        started += pids[i] > 0;
    }
    for (unsigned tries = 0; tries < 200 && stay > 0; tries++) {
        stay = 0;
        for (unsigned i = 0; i < FEW; i++) {
            stay += state_of(pids[i]) != '\0';
        }
        sleep_ms(stay > 0 ? 10 : 0);
    }
    is(started, FEW, "%s: %d children", how, FEW);
    is(stay, 0, "%s: none of them is left, without a wait", how);
}

static void test_ignored_waits(const char *how)
{
    pid_t pid = begin(wait_a_little, NULL);

    is(result_of(waitpid(pid, NULL, WNOHANG)), 0, "%s: a child that runs can be asked for", how);
    is(result_of(waitpid(pid, NULL, 0)), -ECHILD, "%s: a wait lasts to its end, then ECHILD", how);
    is(state_of(pid), 0, "%s: and it is gone", how);
}

static int start_many(void *unused)
{
    long wanted = on_linux() ? LINUX_HAS : MANY, i = 0;
    time_t end = time(NULL) + LONG;

    (void)unused;
    signal(SIGCHLD, SIG_IGN);
    for (i = 0; i < wanted && (i < LINUX_HAS || time(NULL) < end); i++) {
        pid_t pid = begin(end_at_once, NULL);
        for (int tries = 0; pid < 0 && errno == EAGAIN && tries < 100; tries++) {
            sleep_ms(5); /* those before have not ended yet */
            pid = begin(end_at_once, NULL);
        }
        if (pid < 0) {
            diag("fork %ld: errno %d", i, errno);
            return 1;
        }
    }
    diag("%ld children", i);
    return 0;
}

static void test_ignored(void)
{
    handle(SIGCHLD, SIG_IGN, 0);
    test_none_stays("SIGCHLD ignored");
    test_ignored_waits("SIGCHLD ignored");
    handle(SIGCHLD, count, SA_NOCLDWAIT | SA_RESTART);
    got[SIGCHLD] = 0;
    test_none_stays("SA_NOCLDWAIT");
    ok(got[SIGCHLD] > 0, "SA_NOCLDWAIT: the handler is told nevertheless");
    test_ignored_waits("SA_NOCLDWAIT");
    handle(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
    test_none_stays("SA_NOCLDWAIT, no handler");
    handle(SIGCHLD, SIG_DFL, 0);
    pid_t pid = begin(end_at_once, NULL);
    falls_asleep(pid);
    is(state_of(pid), 'Z', "the default action of SIGCHLD leaves a zombie");
    handle(SIGCHLD, SIG_IGN, 0);
    is(state_of(pid), 'Z', "which stays when SIGCHLD is ignored later");
    is(finish(pid, 5000), EXITED(3), "and is waited for");
    handle(SIGCHLD, SIG_DFL, 0);
    pid = begin(start_many, NULL);
    is(wait_for(pid), EXITED(0), "fork goes on working after many ignored children");
    is(run_child(end_at_once, NULL, false), EXITED(3), "and still afterwards");
}

/* Starts a child that sends this signal at its end (0: none). */
static pid_t start_telling(int number, bool executes)
{
    char *argv[] = {"children", "end", NULL}, *envp[] = {NULL};
    pid_t pid = (pid_t)RAW(SYS_clone, number, 0, 0, 0, 0);

    if (pid == 0) {
        if (executes) {
            RAW(SYS_execve, "/proc/self/exe", argv, envp);
        }
        RAW(SYS_exit_group, 3);
    }
    return pid;
}

static void wait_for_zombie(pid_t pid)
{
    for (int i = 0; i < 1000 && state_of(pid) != 'Z'; i++) {
        sleep_ms(2);
    }
}

static void test_exit_signal(int number, const char *name)
{
    int status = 0;

    handle(SIGCHLD, count, SA_RESTART);
    handle(SIGUSR1, count, SA_RESTART);
    got[SIGCHLD] = got[SIGUSR1] = 0;
    pid_t pid = start_telling(number, false);
    wait_for_zombie(pid);
    is(got[SIGUSR1], number == SIGUSR1, "%s: SIGUSR1", name);
    is(got[SIGCHLD], number == SIGCHLD, "%s: SIGCHLD", name);
    bool plain = number == SIGCHLD;
    is(RAW(SYS_wait4, pid, &status, WNOHANG | (plain ? WCLONE : 0), 0), -ECHILD,
       "%s: wait4 for the other kind does not see it", name);
    is(RAW(SYS_wait4, pid, &status, WALL, 0), pid, "%s: with __WALL it does", name);
    is(status, EXITED(3), "%s: its status", name);
    pid = start_telling(number, false);
    wait_for_zombie(pid);
    is(RAW(SYS_wait4, -1, &status, plain ? 0 : WCLONE, 0), pid, "%s: and for its own kind", name);
    got[SIGCHLD] = got[SIGUSR1] = 0;
    pid = start_telling(number, true);
    wait_for_zombie(pid);
    is(got[SIGCHLD] * 2 + got[SIGUSR1], 2, "%s: after exec it is SIGCHLD", name);
    is(RAW(SYS_wait4, pid, &status, 0, 0), pid, "%s: and a plain wait4 sees it", name);
    handle(SIGCHLD, SIG_DFL, 0);
}

/* Only children that send SIGCHLD disappear by themselves. */
static void test_ignored_exit_signal(void)
{
    int status = 0;

    handle(SIGCHLD, SIG_IGN, 0);
    handle(SIGUSR1, SIG_IGN, 0);
    pid_t pid = start_telling(SIGUSR1, false);
    wait_for_zombie(pid);
    is(state_of(pid), 'Z', "with SIGUSR1 as its signal and all ignored it stays");
    is(RAW(SYS_wait4, pid, &status, WALL, 0), pid, "and is waited for");
    handle(SIGCHLD, SIG_DFL, 0);
    handle(SIGUSR1, SIG_DFL, 0);
}

static void test_clone_refusals(void)
{
    is(RAW(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), -EINVAL,
       "clone with CLONE_SIGHAND and without CLONE_VM");
    is(RAW(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), -EINVAL,
       "clone with CLONE_THREAD and without CLONE_SIGHAND");
    is(RAW(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), -EINVAL,
       "clone with CLONE_NEWNS and CLONE_FS");
}

/* A child that executes a program at once, after a clone with CLONE_VM and these further flags. */
static int executes_at_once(void *unused)
{
    char *argv[] = {"children", "end", NULL}, *envp[] = {NULL};

    (void)unused;
    RAW(SYS_execve, "/proc/self/exe", argv, envp);
    return 99;
}

static pid_t sharing(int (*act)(void *), int flags, volatile int *tid)
{
    static char stack[65536] __attribute__((aligned(16)));

    return clone(act, stack + sizeof stack, CLONE_VM | CLONE_VFORK | flags | SIGCHLD, NULL, NULL,
                 NULL, tid);
}

/* The words for thread ids: a bad pointer stops nobody, and only those who share the memory see the end. */
static void test_tids(void)
{
    const int flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    volatile int *tid = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    pid_t pid = (pid_t)RAW(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, 0, 8, 0, 0);
    if (pid == 0) {
        RAW(SYS_exit_group, 3);
    }
    is(wait_for(pid), EXITED(3), "clone with a bad pointer for the parent's word");
    pid = (pid_t)RAW(SYS_clone, CLONE_CHILD_SETTID | SIGCHLD, 0, 0, 8, 0);
    if (pid == 0) {
        RAW(SYS_exit_group, 3);
    }
    is(wait_for(pid), EXITED(3), "clone with a bad pointer for the child's word");
    pid = (pid_t)RAW(SYS_clone, flags | SIGCHLD, 0, 0, tid, 0);
    if (pid == 0) {
        RAW(SYS_exit_group, 3);
    }
    is(wait_for(pid), EXITED(3), "a child with memory of its own");
    is(*tid, pid, "which keeps its word");
    pid = sharing(end_at_once, flags, tid);
    is(wait_for(pid), EXITED(3), "a child that shares its memory");
    is(*tid, 0, "whose word is cleared");
    pid = sharing(executes_at_once, flags, tid);
    is(wait_for(pid), EXITED(3), "another one, which executes a program");
    is(*tid, 0, "before that its word is cleared");
    munmap((void *)tid, PAGE);
}

#define SMALL_LIMIT (4UL << 20)

static int limited;

static int limits_itself(void *unused)
{
    struct rlimit limit;

    RAW(SYS_getrlimit, limited, &limit);
    limit.rlim_cur = limited == RLIMIT_MEMLOCK ? 0 : SMALL_LIMIT;
    RAW(SYS_setrlimit, limited, &limit);
    return executes_at_once(unused);
}

/* A limit is one of its process, not of the memory that processes share. */
static void test_limits_of_sharers(void)
{
    static const int limits[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK};

    for (unsigned i = 0; i < COUNT(limits); i++) {
        limited = limits[i];
        is(wait_for(sharing(limits_itself, 0, NULL)), EXITED(3), "limit %d: a child sets it",
           limited);
        void *more =
            mmap(NULL, 4 * SMALL_LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ok(more != MAP_FAILED, "limit %d: its parent maps more", limited);
        is(result_of(mlock(more, PAGE)), 0, "limit %d: and locks some of it", limited);
        munmap(more, 4 * SMALL_LIMIT);
    }
}

static int leave(void *status)
{
    RAW(SYS_exit_group, *(int *)status);
    return 0;
}

static int be_killed(void *unused)
{
    (void)unused;
    RAW(SYS_kill, RAW(SYS_getpid), SIGKILL);
    return 0;
}

/* Whether waitid filled what Linux fills, and left the rest of the structure alone. */
static int filled(const siginfo_t *info, int number, int code, pid_t pid, int status)
{
    siginfo_t wanted;
    size_t end = offsetof(siginfo_t, si_status) + sizeof info->si_status;

    memset(&wanted, 0xa5, sizeof wanted);
    wanted.si_signo = number;
    wanted.si_errno = 0;
    wanted.si_code = code;
    wanted.si_pid = pid;
    wanted.si_uid = number ? getuid() : 0;
    wanted.si_status = status;
    return memcmp(info, &wanted, end) == 0 &&
           memcmp((const char *)info + end, (const char *)&wanted + end, sizeof wanted - end) == 0;
}

static long wait_id(int type, int id, siginfo_t *info, int options, struct rusage *usage)
{
    memset(info, 0xa5, sizeof *info);
    return RAW(SYS_waitid, type, id, info, options, usage);
}

static void test_waitid(void)
{
    int status = 0x107; /* the upper bits are not told */
    siginfo_t info;
    struct rusage usage;

    pid_t pid = begin(leave, &status);
    is(wait_id(P_PID, pid, &info, WEXITED | WNOWAIT, NULL), 0, "waitid with WNOWAIT");
    ok(filled(&info, SIGCHLD, CLD_EXITED, pid, 7), "tells of a child that has ended");
    is(wait_id(P_PID, pid, &info, WSTOPPED | WNOHANG, NULL), -ECHILD,
       "one that has ended cannot stop");
    is(wait_id(P_ALL, 0, &info, WSTOPPED | WNOHANG, NULL), -ECHILD,
       "waitid without WEXITED does not see it");
    ok(filled(&info, 0, 0, 0, 0), "and clears the information");
    memset(&usage, 0xa5, sizeof usage);
    is(wait_id(P_ALL, 12345, &info, WEXITED, &usage), 0, "waitid of any child finds it again");
    ok(filled(&info, SIGCHLD, CLD_EXITED, pid, 7), "with the same information");
    ok(usage.ru_minflt > 0 && usage.ru_minflt < 100000, "and its page faults");
    is(wait_id(P_PID, pid, &info, WEXITED, NULL), -ECHILD, "and frees it");
    pid = begin(be_killed, NULL);
    is(wait_id(P_PGID, 0, &info, WEXITED, NULL), 0, "waitid of the own group");
    ok(filled(&info, SIGCHLD, CLD_KILLED, pid, SIGKILL), "tells the signal of a child");
    pid = begin(wait_a_little, NULL);
    is(wait_id(P_PGID, getpgrp(), &info, WEXITED | WNOHANG, NULL), 0, "waitid with WNOHANG");
    ok(filled(&info, 0, 0, 0, 0), "tells of none if none has ended");
    is(RAW(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL), 0, "waitid without a structure");
    is(waitpid(pid, NULL, 0) < 0 ? errno : 0, ECHILD, "frees the child, too");
}

static void test_waitid_refusals(void)
{
    siginfo_t info;
    int status = 0;

    is(wait_id(P_ALL, 0, &info, 0, NULL), -EINVAL, "waitid without an event");
    is(wait_id(P_ALL, 0, &info, WNOHANG, NULL), -EINVAL, "waitid with WNOHANG alone");
    is(wait_id(P_ALL, 0, &info, WEXITED | 0x10, NULL), -EINVAL, "waitid with an unknown option");
    ok(filled(&info, 0, 0, 0, 0), "clears the information");
    is(wait_id(3 /* P_PIDFD */, 0, &info, WEXITED, NULL), -EBADF,
       "waitid of a descriptor that is no process's");
    is(wait_id(4, 0, &info, WEXITED, NULL), -EINVAL, "waitid of an unknown kind");
    is(wait_id(P_PID, 0, &info, WEXITED, NULL), -EINVAL, "waitid of process 0");
    is(wait_id(P_PID, -1, &info, WEXITED, NULL), -EINVAL, "waitid of process -1");
    is(wait_id(P_PGID, -1, &info, WEXITED, NULL), -EINVAL, "waitid of group -1");
    is(wait_id(P_PID, 1 << 30, &info, WEXITED, NULL), -ECHILD, "waitid of no process");
    pid_t pid = begin(leave, &status);
    is(RAW(SYS_waitid, P_PID, pid, 8, WEXITED, NULL), -EFAULT, "waitid to a bad address");
    is(wait_id(P_PID, pid, &info, WEXITED, NULL), -ECHILD, "has freed the child before");
}

static int burn(void *unused)
{
    struct timespec start, now;

    (void)unused;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 300);
    return 0;
}

static long microseconds(const struct rusage *usage)
{
    return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 + usage->ru_utime.tv_usec +
           usage->ru_stime.tv_usec;
}

static void test_usage(void)
{
    struct rusage usage;

    memset(&usage, 0xa5, sizeof usage);
    pid_t pid = begin(burn, NULL);
    is(wait4(pid, NULL, 0, &usage), pid, "wait4 with a place for the usage");
    ok(microseconds(&usage) >= 20000, "the processor time of the child is in it");
    ok(microseconds(&usage) < 60000000, "and is not more than there was");
    ok(usage.ru_minflt > 0 && usage.ru_minflt < 100000, "so are its page faults");
}

static int make_orphan(void *unused)
{
    (void)unused;
    if (RAW(SYS_clone, SIGUSR1, 0, 0, 0, 0) == 0) {
        sleep_ms(100);
        RAW(SYS_exit_group, 5);
    }
    return 0;
}

/* Runs where a process can adopt orphans; `initrules` tests the same for process 1. */
static void test_orphan(void)
{
    int status = 0;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        skip("no PR_SET_CHILD_SUBREAPER", "the exit signal of an orphan");
        return;
    }
    handle(SIGCHLD, count, SA_RESTART);
    handle(SIGUSR1, count, SA_RESTART);
    got[SIGUSR1] = 0;
    is(run_child(make_orphan, NULL, is_root()), EXITED(0), "a parent ends before its child");
    while (waitpid(-1, &status, 0) < 0 && errno == EINTR) {
    }
    is(status, EXITED(5), "the orphan is adopted");
    is(got[SIGUSR1], 0, "and tells by SIGCHLD, not by the signal of its maker's choice");
}

static void test_children(void)
{
    test_ignored();
    test_exit_signal(SIGCHLD, "SIGCHLD");
    test_exit_signal(SIGUSR1, "SIGUSR1");
    test_exit_signal(0, "no signal");
    test_ignored_exit_signal();
    test_clone_refusals();
    test_tids();
    test_limits_of_sharers();
    test_waitid();
    test_waitid_refusals();
    test_usage();
    test_orphan();
}

/*
 * The right to send signals when real, effective and saved ids differ; the operations on its
 * terminal that a background process may do; and exec of a parent, which resets its children's exit
 * signal.
 */

#define OTHER 1001

/* The ids (real, effective, saved) of a sender and of a receiver. */
struct pair {
    uid_t sender[3], target[3];
    int error;
};

static volatile int *ready;

static int become_target(void *argument)
{
    const struct pair *pair = argument;

    if (setresuid(pair->target[0], pair->target[1], pair->target[2]) != 0) {
        return 98;
    }
    *ready = 1;
    alarm(20);
    pause();
    return 0;
}

static const struct pair *sent;

static int send_to(void *pid)
{
    const uid_t *ids = sent->sender;

    if (setresuid(ids[0], ids[1], ids[2]) != 0) {
        return 98;
    }
    return kill(*(pid_t *)pid, 0) == 0 ? 0 : errno;
}

static void test_kill(void)
{
    static const struct pair pairs[] = {
        {{USER, USER, USER}, {USER, USER, USER}, 0},
        {{USER, USER, USER}, {OTHER, OTHER, OTHER}, EPERM},
        {{USER, USER, USER}, {0, 0, 0}, EPERM},
        {{USER, USER, USER}, {0, USER, 0}, EPERM},
        {{USER, USER, USER}, {USER, 0, 0}, 0},
        {{USER, USER, USER}, {0, 0, USER}, 0},
        {{USER, USER, USER}, {OTHER, USER, OTHER}, EPERM},
        {{USER, OTHER, USER}, {OTHER, OTHER, OTHER}, 0},
        {{OTHER, USER, USER}, {OTHER, 0, 0}, 0},
        {{USER, USER, OTHER}, {OTHER, OTHER, OTHER}, EPERM},
        {{USER, USER, 0}, {0, 0, 0}, EPERM},
        {{USER, 0, USER}, {OTHER, OTHER, OTHER}, 0},
        {{0, USER, 0}, {0, 0, 0}, 0},
        {{0, USER, 0}, {OTHER, OTHER, OTHER}, EPERM},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const struct pair *p = &pairs[i];
        *ready = 0;
        pid_t pid = begin(become_target, (void *)(uintptr_t)p);
        for (int tries = 0; tries < 1000 && !*ready; tries++) {
            sleep_ms(2);
        }
        sent = p;
        is(run_child(send_to, &pid, false), EXITED(p->error),
           "kill by %u/%u/%u of %u/%u/%u (real, effective, saved)", p->sender[0], p->sender[1],
           p->sender[2], p->target[0], p->target[1], p->target[2]);
        kill(pid, SIGKILL);
        finish(pid, 5000);
    }
}

/* A child's exit signal, also none, is meant for the program that made it. The program after exec
 * gets SIGCHLD. */
static int make_child_and_exec(void *exit_signal)
{
    char *argv[] = {"children", "adopt", NULL}, *envp[] = {NULL};
    const uint64_t all = ~0ull;

    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
    if (RAW(SYS_clone, *(int *)exit_signal, 0, 0, 0, 0) == 0) {
        sleep_ms(200);
        RAW(SYS_exit_group, 4);
    }
    RAW(SYS_execve, "/proc/self/exe", argv, envp);
    return 97;
}

static int adopt(void)
{
    int status = 0;
    uint64_t pending = 0;

    if (RAW(SYS_wait4, -1, &status, WALL, 0) <= 0 || status != EXITED(4)) {
        return 1;
    }
    RAW(SYS_rt_sigpending, &pending, 8);
    return pending == 1ull << (SIGCHLD - 1) ? 0 : 2;
}

/* A terminal for a new session: a pseudo-terminal, or the console where there is none. */
static int open_terminal(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);

    if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0) {
        return open(ptsname(fd), O_RDWR);
    }
    fd = on_linux() ? -1 : open("/dev/console", O_RDWR);
    if (fd >= 0 && ioctl(fd, TIOCSCTTY, 0) != 0 && tcgetsid(fd) != getpid()) {
        return -1;
    }
    return fd;
}

static int terminal;
static volatile sig_atomic_t stops;

static void count_of_jobs(int number)
{
    (void)number;
    stops++;
}

enum { TOOK_IT = 1, INTERRUPTED = 2, REFUSED = 3, WITHOUT_TERMINAL = 77 };

/* Runs in a background group of its own and tries to make that group the foreground group. */
static int take_terminal(void *ignore)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = ignore != NULL ? SIG_IGN : count_of_jobs;
    sigaction(SIGTTOU, &action, NULL);
    setpgid(0, 0);
    if (tcsetpgrp(terminal, getpgrp()) == 0) {
        return TOOK_IT;
    }
    return errno == EINTR && stops == 1 ? INTERRUPTED : REFUSED;
}

static int take_terminal_and_stop(void *unused)
{
    (void)unused;
    setpgid(0, 0);
    tcsetpgrp(terminal, getpgrp());
    return 9;
}

static int read_in_background(void *unused)
{
    char byte = 0;

    (void)unused;
    setpgid(0, 0);
    signal(SIGTTIN, SIG_IGN);
    return read(terminal, &byte, 1) == -1 && errno == EIO ? 0 : 1;
}

static int lead_session(void *which)
{
    int status = 0;

    setsid();
    terminal = open_terminal();
    if (terminal < 0 || tcgetpgrp(terminal) != getpgrp()) {
        return WITHOUT_TERMINAL;
    }
    switch (*(int *)which) {
    case 0:
        return run_child(take_terminal, NULL, false) == EXITED(INTERRUPTED) ? 0 : 1;
    case 1:
        return run_child(take_terminal, which, false) == EXITED(TOOK_IT) ? 0 : 1;
    case 2: {
        pid_t pid = begin(take_terminal_and_stop, NULL);
        pid_t stopped = waitpid(pid, &status, WUNTRACED);
        kill(pid, SIGKILL);
        return stopped == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU ? 0 : 1;
    }
    case 3:
        return tcsetpgrp(terminal, 0x3ffffff0) == -1 && errno == ESRCH ? 0 : 1;
    case 4:
        return tcsetpgrp(terminal, getppid()) == -1 && (errno == EPERM || errno == ESRCH) ? 0 : 1;
    case 5:
        return tcsetpgrp(terminal, -1) == -1 && errno == EINVAL ? 0 : 1;
    default:
        return run_child(read_in_background, NULL, false) == EXITED(0) ? 0 : 1;
    }
}

static void test_terminal(void)
{
    static const char *const names[] = {
        "TIOCSPGRP from the background is a SIGTTOU",
        "if that is ignored, it is allowed",
        "if not, the process stops",
        "TIOCSPGRP of a group that does not exist",
        "of a group of another session",
        "of a negative number",
        "a read from the background with SIGTTIN ignored is EIO",
    };
    for (int i = 0; i < (int)COUNT(names); i++) {
        int status = run_child(lead_session, &i, false);
        if (i == 2 && !on_linux()) {
            skip("umbra has no job control", "%s", names[i]);
        } else if (status == EXITED(WITHOUT_TERMINAL)) {
            skip("no terminal here", "%s", names[i]);
        } else {
            is(status, EXITED(0), "%s", names[i]);
        }
    }
}

static void test_jobs(void)
{
    ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (is_root()) {
        test_kill();
    } else {
        skip("needs root", "kill between different users");
    }
    for (int i = 0; i < 5; i++) {
        int signals[] = {SIGUSR1, SIGCHLD, 0, 65,
                         255}; /* the last two are not signals: none is sent */
        is(run_child(make_child_and_exec, &signals[i], false), EXITED(0),
           "after exec a child with exit signal %d is waited for, and SIGCHLD comes", signals[i]);
    }
    test_terminal();
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "end") == 0) {
        return 3;
    }
    if (argc > 1 && strcmp(argv[1], "adopt") == 0) {
        return adopt();
    }
    tap_begin(argc, argv);
    test_children();
    test_jobs();
    return tap_end();
}
