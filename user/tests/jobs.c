/*
 * The right to send signals when real, effective and saved ids differ; the operations on its
 * terminal that a background process may do; and exec of a parent, which resets its children's exit
 * signal.
 */
#include "edge.h"
#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OTHER        1001
#define WALL         0x40000000

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
    char *argv[] = {"jobs", "adopt", NULL}, *envp[] = {NULL};
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

static void count(int number)
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
    action.sa_handler = ignore != NULL ? SIG_IGN : count;
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
        pid_t got = waitpid(pid, &status, WUNTRACED);
        kill(pid, SIGKILL);
        return got == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU ? 0 : 1;
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

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "adopt") == 0) {
        return adopt();
    }
    tap_begin(argc, argv);
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
    return tap_end();
}
