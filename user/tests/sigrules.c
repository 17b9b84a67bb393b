/*
 * The rules of signals: sigwait receives its signal, pending signals are delivered in Linux's
 * order, real-time signals queue, the flags of sigaction work, a blocked signal is kept even if it
 * is ignored, and sigreturn to an impossible address is a fault that can be handled.
 */
#include "test.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define NON_CANONICAL 0x0000800000000000UL

static char order[64];
static volatile sig_atomic_t taken, depth, deepest;
static volatile int last_code;
static volatile pid_t last_pid;

static void note(int number, siginfo_t *info, void *context)
{
    (void)context;
    last_code = info != NULL ? info->si_code : -1;
    last_pid = info != NULL ? info->si_pid : -1;
    depth++;
    deepest = depth > deepest ? depth : deepest;
    if (taken < (int)sizeof order - 1) {
        order[taken++] = (char)(number == SIGUSR1   ? '1'
                                : number == SIGUSR2 ? '2'
                                : number == SIGHUP  ? 'h'
                                                    : 'a' + number - 34);
    }
    depth--;
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags, int masked)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigemptyset(&action.sa_mask);
    if (masked != 0) {
        sigaddset(&action.sa_mask, masked);
    }
    sigaction(number, &action, NULL);
}

static sigset_t set_of(int first, int second)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, first);
    sigaddset(&set, second);
    return set;
}

static void forget(void)
{
    memset(order, 0, sizeof order);
    taken = depth = deepest = 0;
}

/* The kernel builds both frames first: the handler of the second, higher signal runs first. */
static void test_order(void)
{
    sigset_t both = set_of(SIGUSR1, SIGUSR2), old;

    handle(SIGUSR1, note, 0, 0);
    handle(SIGUSR2, note, 0, 0);
    forget();
    sigprocmask(SIG_BLOCK, &both, &old);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    is(taken, 0, "blocked signals wait");
    sigprocmask(SIG_SETMASK, &old, NULL);
    ok(strcmp(order, "21") == 0, "unblocked at once, the higher number's handler runs first: %s",
       order);
    handle(SIGUSR1, note, 0, SIGUSR2);
    forget();
    sigprocmask(SIG_BLOCK, &both, &old);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    sigprocmask(SIG_SETMASK, &old, NULL);
    ok(strcmp(order, "12") == 0, "unless the lower one's handler masks the higher: %s", order);
}

/* Of five real-time signals all five arrive, however they are sent; of five ordinary ones, one. */
static void test_queue(void)
{
    sigset_t set = set_of(40, 41), usr = set_of(SIGUSR1, SIGUSR2), old;

    handle(40, note, 0, 0);
    handle(41, note, 0, 0);
    forget();
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 5; i++) {
        kill(getpid(), 40);
    }
    struct timespec none = {0, 0};
    is(sigtimedwait(&set, NULL, &none), 40, "of five real-time signals one is waited for");
    kill(getpid(), 41);
    sigprocmask(SIG_SETMASK, &old, NULL);
    ok(strcmp(order, "hgggg") == 0, "the other four and a higher one arrive: %s", order);
    forget();
    sigprocmask(SIG_BLOCK, &usr, &old);
    for (int i = 0; i < 5; i++) {
        kill(getpid(), SIGUSR1);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    is(taken, 1, "of five ordinary signals one arrives");
}

static void test_values(void)
{
    union sigval value = {.sival_int = 0};
    sigset_t set = set_of(42, 42), old;
    struct timespec none = {0, 0};
    siginfo_t info;

    sigprocmask(SIG_BLOCK, &set, &old);
    for (value.sival_int = 100; value.sival_int < 105; value.sival_int++) {
        is(sigqueue(getpid(), 42, value), 0, "sigqueue with %d", value.sival_int);
    }
    for (int i = 100; i < 105; i++) {
        int got = sigtimedwait(&set, &info, &none);
        ok(got == 42 && info.si_value.sival_int == i && info.si_code == SI_QUEUE &&
               info.si_pid == getpid(),
           "%d is taken in its turn", i);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static int end_soon(void *unused);

static volatile long handled_value;

static void note_value(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    handled_value = (long)info->si_value.sival_ptr;
}

/* The siginfo that a program may send with rt_sigqueueinfo(2) and rt_tgsigqueueinfo(2). */
static void test_said(void)
{
    siginfo_t info = {.si_code = SI_USER};
    unsigned char *bytes = (unsigned char *)&info;
    sigset_t set = set_of(42, 42), old;
    pid_t self = getpid(), child = begin(end_soon, NULL);
    union sigval value = {.sival_ptr = (void *)0x123456789abcdef0};

    is(RAW(SYS_rt_sigqueueinfo, child, 0, &info), -EPERM, "as kill(2), to another process");
    info.si_code = SI_TKILL;
    is(RAW(SYS_rt_sigqueueinfo, child, 0, &info), -EPERM, "as tgkill(2)");
    is(RAW(SYS_rt_tgsigqueueinfo, child, child, 0, &info), -EPERM, "by its thread's id");
    is(RAW(SYS_rt_sigqueueinfo, 0, 0, &info), -EPERM, "to no process");
    info.si_code = SI_QUEUE;
    is(RAW(SYS_rt_sigqueueinfo, child, 0, &info), 0, "as sigqueue(3)");
    is(RAW(SYS_rt_tgsigqueueinfo, child, child, 0, &info), 0, "and by its thread's id");
    is(RAW(SYS_rt_tgsigqueueinfo, self, child, 0, &info), -ESRCH, "but not of another process");
    is(RAW(SYS_rt_tgsigqueueinfo, self, 0, 0, &info), -EINVAL, "and not thread 0");
    is(RAW(SYS_rt_sigqueueinfo, 0, 0, &info), -ESRCH, "process 0 is none");
    is(RAW(SYS_rt_sigqueueinfo, child, 65, &info), -EINVAL, "signal 65");
    is(RAW(SYS_rt_sigqueueinfo, child, 0, NULL), -EFAULT, "no information");
    info.si_code = -100;
    is(RAW(SYS_rt_sigqueueinfo, child, 0, &info), 0, "a code of one's own");
    bytes[127] = 1;
    is(RAW(SYS_rt_sigqueueinfo, child, 0, &info), -E2BIG, "which says more than fits");
    info.si_code = SI_QUEUE;
    is(RAW(SYS_rt_sigqueueinfo, child, 0, &info), 0, "with a known code that is passed over");
    static const struct {
        int signal, code, error;
    } rows[] = {/* code 10 of SIGSEGV is new in Linux 6.6 */
                {SIGUSR1, 6, EPERM}, {SIGUSR1, 7, E2BIG},   {SIGSEGV, 7, EPERM},
                {SIGSEGV, 9, EPERM}, {SIGSEGV, 11, E2BIG},  {SIGSYS, 2, EPERM},
                {SIGSYS, 3, E2BIG},  {SIGUSR1, 128, EPERM}, {0, 129, E2BIG}};
    for (unsigned i = 0; i < COUNT(rows); i++) {
        info.si_code = rows[i].code;
        is(RAW(SYS_rt_sigqueueinfo, child, rows[i].signal, &info), -rows[i].error,
           "signal %d with code %d", rows[i].signal, rows[i].code);
    }
    finish(child, 10000);
    handle(42, note_value, 0, 0);
    is(sigqueue(self, 42, value) == 0 && handled_value == (long)value.sival_ptr, 1,
       "a handler reads all 64 bits of the value");
    handled_value = 0;
    info = (siginfo_t){.si_code = SI_USER};
    info.si_value = value;
    RAW(SYS_rt_sigqueueinfo, self, 42, &info);
    is(handled_value, (long)value.sival_ptr, "also of a signal that looks like one of kill(2)");
    sigprocmask(SIG_BLOCK, &set, &old);
    info = (siginfo_t){.si_code = SI_TIMER, .si_signo = 1};
    info.si_pid = 7, info.si_uid = 8, info.si_value = value;
    RAW(SYS_rt_tgsigqueueinfo, self, self, 42, &info);
    memset(&info, 0, sizeof info);
    is(sigwaitinfo(&set, &info), 42, "the number of the signal is that of the call");
    is(info.si_signo == 42 && info.si_code == SI_TIMER && info.si_pid == 7 && info.si_uid == 8 &&
           info.si_value.sival_ptr == value.sival_ptr,
       1, "the rest is as it was said");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static int end_soon(void *unused)
{
    (void)unused;
    sleep_ms(100);
    return 3;
}

/* A blocked signal that is waited for is not dropped, although its default action is to ignore. */
static void test_wait_for_ignored(void)
{
    sigset_t child = set_of(SIGCHLD, SIGCHLD), winch = set_of(SIGWINCH, SIGURG), old, pending;
    struct timespec limit = {5, 0}, none = {0, 0};
    siginfo_t info;

    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &child, &old);
    pid_t pid = begin(end_soon, NULL);
    is(sigtimedwait(&child, &info, &limit), SIGCHLD, "SIGCHLD at its default is waited for");
    ok(info.si_pid == pid && info.si_status == 3 && info.si_code == CLD_EXITED,
       "with the child, its status and CLD_EXITED");
    is(finish(pid, 5000), EXITED(3), "which can be waited for");
    sigprocmask(SIG_BLOCK, &winch, NULL);
    kill(getpid(), SIGWINCH);
    sigpending(&pending);
    is(sigismember(&pending, SIGWINCH), 1, "SIGWINCH, blocked, is pending");
    is(sigtimedwait(&winch, NULL, &none), SIGWINCH, "and is taken");
    is(result_of(sigtimedwait(&winch, NULL, &none)), -EAGAIN, "once");
    signal(SIGURG, SIG_IGN);
    kill(getpid(), SIGURG);
    sigpending(&pending);
    is(sigismember(&pending, SIGURG), 1, "SIGURG, ignored and blocked, is pending");
    signal(SIGURG, SIG_IGN);
    sigpending(&pending);
    is(sigismember(&pending, SIGURG), 0, "and gone when the program ignores it again");
    sigprocmask(SIG_SETMASK, &old, NULL);
    kill(getpid(), SIGWINCH);
    sigpending(&pending);
    is(sigismember(&pending, SIGWINCH), 0, "not blocked, it is dropped");
}

static void test_reset(void)
{
    struct sigaction old;

    handle(SIGUSR1, note, (int)SA_RESETHAND, 0);
    forget();
    last_code = -1;
    kill(getpid(), SIGUSR1);
    is(taken, 1, "SA_RESETHAND: the handler runs");
    ok(last_code == SI_USER && last_pid == getpid(), "with its siginfo");
    sigaction(SIGUSR1, NULL, &old);
    ok(old.sa_handler == SIG_DFL, "then the action is the default");
    is(old.sa_flags & (SA_SIGINFO | (int)SA_RESETHAND), SA_SIGINFO | (int)SA_RESETHAND,
       "its flags stay");
}

static void nest(int number, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    depth++;
    deepest = depth > deepest ? depth : deepest;
    if (++taken < 3) {
        kill(getpid(), number);
    }
    depth--;
}

static void test_nesting(void)
{
    handle(SIGUSR1, nest, 0, 0);
    forget();
    kill(getpid(), SIGUSR1);
    ok(deepest == 1, "a handler's own signal is blocked in it");
    handle(SIGUSR1, nest, SA_NODEFER, 0);
    forget();
    kill(getpid(), SIGUSR1);
    is(deepest, 3, "with SA_NODEFER it is not");
    handle(SIGUSR1, nest, SA_NODEFER, SIGUSR1);
    forget();
    kill(getpid(), SIGUSR1);
    is(deepest, 1, "with SA_NODEFER and itself in the mask it is");
    is(taken, 3, "and comes afterwards");
}

static void test_unblockable(void)
{
    sigset_t all, got;

    sigfillset(&all);
    is(sigprocmask(SIG_SETMASK, &all, NULL), 0, "all signals can be asked to be blocked");
    sigprocmask(SIG_BLOCK, NULL, &got);
    ok(!sigismember(&got, SIGKILL) && !sigismember(&got, SIGSTOP) && sigismember(&got, SIGTERM),
       "but SIGKILL and SIGSTOP are not");
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    struct sigaction action = {.sa_handler = SIG_IGN};
    is(result_of(sigaction(SIGKILL, &action, NULL)), -EINVAL, "SIGKILL cannot be ignored");
    is(result_of(sigaction(SIGSTOP, &action, NULL)), -EINVAL, "nor SIGSTOP");
    is(result_of(sigaction(SIGKILL, NULL, &action)), 0, "but asked about");
    is(RAW(SYS_rt_sigaction, 0, 0, 0, 8), -EINVAL, "there is no signal 0");
    is(RAW(SYS_rt_sigaction, 65, 0, 0, 8), -EINVAL, "nor 65");
    is(RAW(SYS_rt_sigprocmask, 3, &got, 0, 8), -EINVAL, "nor a fourth way to set a mask");
    is(RAW(SYS_rt_sigprocmask, 3, 0, &got, 8), 0, "which without a mask is not looked at");
}

/* A handler's mask applies while it runs; the mask that it writes in the context applies after. */
static sigset_t mask_inside;

static void change_mask(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    sigprocmask(SIG_BLOCK, NULL, &mask_inside);
    sigaddset(&user->uc_sigmask, SIGHUP);
    sigaddset(&user->uc_sigmask, SIGKILL);
}

static void test_context_mask(void)
{
    sigset_t after, none;

    handle(SIGUSR1, change_mask, 0, SIGUSR2);
    kill(getpid(), SIGUSR1);
    sigprocmask(SIG_BLOCK, NULL, &after);
    ok(sigismember(&mask_inside, SIGUSR1) && sigismember(&mask_inside, SIGUSR2) &&
           !sigismember(&mask_inside, SIGHUP),
       "the mask in a handler");
    ok(!sigismember(&after, SIGUSR1) && sigismember(&after, SIGHUP) &&
           !sigismember(&after, SIGKILL),
       "the mask that its context gives");
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* sigsuspend: the signal is handled under the temporary mask, and the old one comes back. */
static void test_suspend(void)
{
    sigset_t usr = set_of(SIGUSR1, SIGUSR1), none, after;

    handle(SIGUSR1, note, 0, 0);
    sigemptyset(&none);
    forget();
    sigprocmask(SIG_BLOCK, &usr, NULL);
    kill(getpid(), SIGUSR1);
    is(result_of(sigsuspend(&none)), -EINTR, "sigsuspend ends with EINTR");
    is(taken, 1, "after the handler ran");
    sigprocmask(SIG_BLOCK, NULL, &after);
    is(sigismember(&after, SIGUSR1), 1, "and the signal is blocked again");
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Which sleeps go on after a handler with SA_RESTART, and which never do. */
static int pipe_ends[2];

static long sleep_in_read(void)
{
    char byte = 0;

    return RAW(SYS_read, pipe_ends[0], &byte, 1);
}

static long sleep_in_poll(void)
{
    return RAW(SYS_poll, 0, 0, 10000);
}

static long sleep_in_nanosleep(void)
{
    struct timespec time = {10, 0};

    return RAW(SYS_nanosleep, &time, 0);
}

static long sleep_in_wait(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        sleep_ms(400);
        _exit(0);
    }
    return RAW(SYS_wait4, pid, 0, 0, 0) == pid ? 1 : -EINTR;
}

static long sleep_in_pause(void)
{
    return RAW(SYS_pause);
}

struct interrupted {
    const char *name;
    long (*sleep)(void);
    int flags;
    long result;
};

static int be_interrupted(void *argument)
{
    const struct interrupted *c = argument;

    handle(SIGUSR1, note, c->flags, 0);
    return c->sleep() == c->result && taken == 1 ? 0 : 1;
}

static void test_interrupted(void)
{
    static const struct interrupted cases[] = {
        {"read, SA_RESTART", sleep_in_read, SA_RESTART, 1},
        {"read", sleep_in_read, 0, -EINTR},
        {"wait4, SA_RESTART", sleep_in_wait, SA_RESTART, 1},
        {"wait4", sleep_in_wait, 0, -EINTR},
        {"poll, SA_RESTART", sleep_in_poll, SA_RESTART, -EINTR},
        {"nanosleep, SA_RESTART", sleep_in_nanosleep, SA_RESTART, -EINTR},
        {"pause, SA_RESTART", sleep_in_pause, SA_RESTART, -EINTR},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool good = pipe(pipe_ends) == 0;
        forget();
        pid_t pid = begin(be_interrupted, (void *)(uintptr_t)&cases[i]);
        good = falls_asleep(pid) && good;
        kill(pid, SIGUSR1);
        sleep_ms(20);
        good = write(pipe_ends[1], "x", 1) == 1 && good;
        ok(finish_or_kill(pid, 5000) == EXITED(0) && good, "%s: interrupted as it should be",
           cases[i].name);
        close(pipe_ends[0]);
        close(pipe_ends[1]);
    }
}

/* Waits for a signal whose action is the default one; it arrives after the wait has begun. */
struct waited {
    int number;
    bool blocked;
};

static int waits_for(void *argument)
{
    const struct waited *waited = argument;
    const struct timespec limit = {10, 0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, waited->number);
    sigprocmask(waited->blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
    signal(waited->number, SIG_DFL);
    return sigtimedwait(&set, NULL, &limit);
}

static int status_of_wait(int number, bool blocked)
{
    struct waited waited = {number, blocked};
    pid_t pid = begin(waits_for, &waited);

    sleep_ms(50);
    kill(pid, number);
    int status = finish_or_kill(pid, 5000);
    return WITHOUT_CORE(status);
}

/* Waiting for a signal does not block it: one that ends processes does so, unless it would dump core. */
static void test_wait_for_fatal(void)
{
    is(status_of_wait(SIGTERM, true), EXITED(SIGTERM), "sigtimedwait takes a blocked SIGTERM");
    is(status_of_wait(SIGTERM, false), KILLED(SIGTERM), "one that is not blocked ends the process");
    is(status_of_wait(SIGALRM, false), KILLED(SIGALRM), "so does SIGALRM");
    is(status_of_wait(SIGQUIT, false), EXITED(SIGQUIT), "SIGQUIT is taken");
}

/* sigsuspend unblocks a signal that is ignored: it goes on waiting for one with a handler. */
static int suspends(void *argument)
{
    const struct itimerval soon = {{0, 0}, {0, 50000}};
    sigset_t set, none;

    (void)argument;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR2, SIG_IGN);
    raise(SIGUSR2);
    taken = 0;
    handle(SIGALRM, note, SA_RESTART, 0);
    setitimer(ITIMER_REAL, &soon, NULL);
    if (sigsuspend(&none) != -1 || errno != EINTR || taken != 1) {
        return 1;
    }
    sigpending(&set);
    return sigismember(&set, SIGUSR2) ? 2 : 0;
}

/* Whether SIGCHLD of a child is pending while it is blocked. */
static int keeps_sigchld(void *handler)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, handler);
    if (fork() == 0) {
        _exit(0);
    }
    sleep_ms(50);
    sigpending(&set);
    return sigismember(&set, SIGCHLD);
}

static void test_ignored(void)
{
    is(finish(begin(suspends, NULL), 10000), 0, "sigsuspend passes over a signal that is ignored");
    is(finish(begin(keeps_sigchld, (void *)SIG_DFL), 10000), EXITED(1),
       "a blocked SIGCHLD is kept");
    is(finish(begin(keeps_sigchld, (void *)SIG_IGN), 10000), EXITED(0),
       "one that is ignored is not");
}

static int sleeps_half_a_second(void *unused)
{
    struct timespec time = {0, 500000000}, before, after;

    (void)unused;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (nanosleep(&time, NULL) != 0) {
        return 8;
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    after.tv_nsec += (after.tv_sec - before.tv_sec) * 1000000000;
    return after.tv_nsec - before.tv_nsec >= time.tv_nsec ? 7 : 9;
}

/* Linux stops the process for a moment; a sleep goes on in any case. */
static void test_stopped_sleep(void)
{
    static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

    for (size_t i = 0; i < COUNT(stops); i++) {
        pid_t pid = begin(sleeps_half_a_second, NULL);
        falls_asleep(pid);
        kill(pid, stops[i]);
        sleep_ms(10);
        kill(pid, SIGCONT);
        is(finish(pid, 10000), EXITED(7), "signal %d and SIGCONT neither end nor shorten a sleep",
           stops[i]);
    }
}

static int pends(int number)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, number);
}

static int cancels(void *unused)
{
    sigset_t set;
    struct timespec none = {0, 0};

    (void)unused;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGTSTP);
    kill(getpid(), SIGTTIN);
    RAW(SYS_tkill, getpid(), SIGTTOU);
    if (!pends(SIGTSTP) || !pends(SIGTTIN) || !pends(SIGTTOU)) {
        return 1;
    }
    kill(getpid(), SIGCONT);
    if (pends(SIGTSTP) || pends(SIGTTIN) || pends(SIGTTOU) || !pends(SIGCONT)) {
        return 2;
    }
    signal(SIGTTOU, SIG_IGN);
    kill(getpid(), SIGTTOU);
    if (pends(SIGCONT) || !pends(SIGTTOU)) {
        return 3;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGTTOU);
    return sigtimedwait(&set, NULL, &none) == SIGTTOU ? 0 : 4;
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_order();
    test_queue();
    test_values();
    test_said();
    test_wait_for_ignored();
    test_reset();
    test_nesting();
    test_unblockable();
    test_context_mask();
    test_suspend();
    test_interrupted();
    test_wait_for_fatal();
    test_ignored();
    test_stopped_sleep();
    is(finish(begin(cancels, NULL), 10000), EXITED(0),
       "stop signals and SIGCONT cancel each other");
    return tap_end();
}
