/*
 * What a call waits for, and a signal, come in one turn: the call is done, it is not interrupted.
 * A helper makes the event, then sends the signal. Its handler does not ask for restarts. And a
 * signal that a call's own mask lets through ends the call even if that would not have waited.
 */
#include "edge.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2];
static char path[64];
static char page[4096];
static volatile sig_atomic_t came;

static void note(int number)
{
    (void)number;
    came++;
}

static void handle(int number)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    sigaction(number, &action, NULL);
}

static void put_byte(void)
{
    (void)!write(ends[1], "x", 1);
}

static long take_byte(void)
{
    char byte;

    return read(ends[0], &byte, 1);
}

static long poll_byte(void)
{
    struct pollfd entry = {ends[0], POLLIN, 0};

    return poll(&entry, 1, 5000);
}

static long select_byte(void)
{
    fd_set set;
    struct timeval limit = {5, 0};

    FD_ZERO(&set);
    FD_SET((size_t)ends[0], &set);
    return select(ends[0] + 1, &set, NULL, NULL, &limit);
}

static void take_page(void)
{
    (void)!read(ends[0], page, sizeof page);
}

/* Writes a page into a pipe that is full. */
static long put_page(void)
{
    return write(ends[1], page, sizeof page);
}

static void fill_pipe(void)
{
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], page, sizeof page) > 0) {
    }
    fcntl(ends[1], F_SETFL, 0);
}

/* It stays open until the helper ends. */
static void open_writer(void)
{
    (void)!open(path, O_WRONLY);
}

static void make_fifo(void)
{
    mkfifo(path, 0600);
}

static long open_reader(void)
{
    int fd = open(path, O_RDONLY);

    return fd < 0 ? fd : (close(fd), 1);
}

static const struct {
    const char *name;
    void (*before)(void);
    long (*call)(void);
    void (*event)(void);
    long result;
} cases[] = {
    {"read of an empty pipe", NULL, take_byte, put_byte, 1},
    {"poll", NULL, poll_byte, put_byte, 1},
    {"select", NULL, select_byte, put_byte, 1},
    {"write to a full pipe", fill_pipe, put_page, take_page, sizeof page},
    {"open of a FIFO", make_fifo, open_reader, open_writer, 1},
};

static void help(void (*event)(void), pid_t parent)
{
    sleep_ms(50);
    event();
    kill(parent, SIGUSR1);
    _exit(0);
}

static void test_events(void)
{
    handle(SIGUSR1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pid_t parent = getpid();

        if (pipe(ends) != 0) {
            ok(false, "a pipe");
            return;
        }
        if (cases[i].before != NULL) {
            cases[i].before();
        }
        pid_t helper = fork();
        if (helper == 0) {
            help(cases[i].event, parent);
        }
        is(result_of(cases[i].call()), cases[i].result, "%s: done, not interrupted", cases[i].name);
        while (waitpid(helper, NULL, 0) < 0 && errno == EINTR) {
        }
        close(ends[0]);
        close(ends[1]);
    }
    unlink(path);
}

/* The end of a child is the event, and its SIGCHLD is the signal. */
static void test_child(void)
{
    int status = 0;

    handle(SIGCHLD);
    came = 0;
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(50);
        _exit(7);
    }
    is(result_of(waitpid(child, &status, 0)), child, "wait for a child whose end sends a signal");
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "its status");
    is(came, 1, "the handler ran once");
    signal(SIGCHLD, SIG_DFL);
}

static void test_lock(void)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600), other = open(path, O_RDWR);
    pid_t parent = getpid();

    pid_t helper = fork();
    if (helper == 0) {
        close(fd);
        flock(other, LOCK_EX);
        put_byte();
        sleep_ms(50);
        flock(other, LOCK_UN);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    take_byte();
    is(result_of(flock(fd, LOCK_EX)), 0, "flock of a file that is unlocked: done, not interrupted");
    while (waitpid(helper, NULL, 0) < 0 && errno == EINTR) {
    }
    close(fd);
    close(other);
    unlink(path);
}

/* A hang-up is nothing that a select for writing asks for; poll is told without asking. */
static void test_hangup(void)
{
    struct pollfd entry = {0, POLLOUT, 0};
    struct timeval limit = {0, 20000};
    struct timespec begin, end;
    fd_set set;
    int own[2];

    if (pipe(own) != 0) {
        ok(false, "a pipe");
        return;
    }
    close(own[1]);
    entry.fd = own[0];
    is(poll(&entry, 1, 5000), 1, "poll of a pipe without writers");
    is(entry.revents, POLLHUP, "is a hang-up");
    FD_ZERO(&set);
    FD_SET((size_t)own[0], &set);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    is(select(own[0] + 1, NULL, &set, NULL, &limit), 0, "select for writing has nothing");
    clock_gettime(CLOCK_MONOTONIC, &end);
    long waited = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    ok(waited >= 19, "and waits for its time, 20 ms");
    close(own[0]);
}

/* With a time limit of zero nothing waits; the signal that the mask lets through comes first. */
static void test_no_time(void)
{
    const struct timespec none = {0, 0};
    struct pollfd entry = {ends[0], POLLIN, 0};
    sigset_t blocked, open_mask;
    fd_set set;

    sigemptyset(&open_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGUSR1);
    is(result_of(ppoll(&entry, 1, &none, &open_mask)), -EINTR, "ppoll that lets a signal through");
    raise(SIGUSR1);
    FD_ZERO(&set);
    FD_SET((size_t)ends[0], &set);
    is(result_of(pselect(ends[0] + 1, &set, NULL, NULL, &none, &open_mask)), -EINTR, "pselect");
    put_byte();
    came = 0;
    raise(SIGUSR1);
    is(result_of(ppoll(&entry, 1, &none, &open_mask)), 1, "ppoll with something to report");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    is(came, 1, "the signal comes after it");
    is(result_of(ppoll(NULL, 0, &none, &open_mask)), 0, "ppoll of nothing");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    snprintf(path, sizeof path, "/tmp/done.%d", (int)getpid());
    test_events();
    test_child();
    if (pipe(ends) == 0) {
        test_lock();
        test_no_time();
        test_hangup();
    }
    return tap_end();
}
