#include "edge.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long raw_call(unsigned long number, const unsigned long arguments[6])
{
    register unsigned long r10 __asm__("r10") = arguments[3];
    register unsigned long r8 __asm__("r8") = arguments[4];
    register unsigned long r9 __asm__("r9") = arguments[5];
    long result = 0;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]),
                       "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

long result_of(long returned)
{
    return returned == -1 ? -errno : returned;
}

bool is_root(void)
{
    return geteuid() == 0;
}

void drop_to_user(void)
{
    if (setgroups(0, NULL) != 0 || setgid(USER) != 0 || setuid(USER) != 0) {
        _exit(99);
    }
    prctl(PR_SET_DUMPABLE, 1); /* setuid cleared it, which closes /proc/self */
}

void sleep_ms(unsigned milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}

/* The clock decides: when another process runs, a short sleep may last long. */
static long now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

pid_t begin(int (*act)(void *argument), void *argument)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(act(argument));
    }
    return pid;
}

int finish(pid_t pid, unsigned milliseconds)
{
    long end = now_ms() + milliseconds;
    int status = 0;

    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid) {
            return status;
        }
        if (got < 0 && errno != EINTR) {
            return NOT_RUN;
        }
        if (now_ms() >= end) {
            return TIMED_OUT;
        }
        sleep_ms(2);
    }
}

int finish_or_kill(pid_t pid, unsigned milliseconds)
{
    int status = finish(pid, milliseconds);

    if (status == TIMED_OUT) {
        kill(pid, SIGKILL);
        finish(pid, 2000);
    }
    return status;
}

int run_child(int (*act)(void *argument), void *argument, bool as_user)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (as_user) {
            drop_to_user();
        }
        _exit(act(argument));
    }
    return pid > 0 ? finish_or_kill(pid, 10000) : NOT_RUN;
}

char state_of(pid_t pid)
{
    char path[32], text[128];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[size > 0 ? size : 0] = '\0';
    const char *bracket = strrchr(text, ')');
    return bracket != NULL && bracket[1] == ' ' ? bracket[2] : '\0';
}

bool falls_asleep(pid_t pid)
{
    long end = now_ms() + 5000;
    unsigned seen = 0;

    while (seen < 4 && now_ms() < end) {
        char state = state_of(pid);
        if (state == '\0' || state == 'Z') {
            return false;
        }
        seen = state == 'S' || state == 'D' ? seen + 1 : 0;
        sleep_ms(5);
    }
    return seen == 4;
}

uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return (uint32_t)(*state >> 33);
}
