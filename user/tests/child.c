/*
 * The program that the tests start as another process: `child MODE [ARGUMENT]...`.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

/* exit N: end with that status. */
static int mode_exit(char **arguments)
{
    return atoi(arguments[0]);
}

/* kill N: end by that signal. */
static int mode_kill(char **arguments)
{
    signal(atoi(arguments[0]), SIG_DFL); /* nohup has it ignored */
    kill(getpid(), atoi(arguments[0]));
    return 99;
}

/* spin: never end. */
static int mode_spin(char **arguments)
{
    volatile unsigned long turns = 0;

    while (arguments != NULL) {
        turns++;
    }
    return 97;
}

/* cpu SOFT HARD: limit the processor time and spin. */
static int mode_cpu(char **arguments)
{
    struct rlimit limit = {(rlim_t)atoi(arguments[0]), (rlim_t)atoi(arguments[1])};

    return setrlimit(RLIMIT_CPU, &limit) != 0 ? 98 : mode_spin(arguments);
}

/* alarm SECONDS: ask for SIGALRM and spin. */
static int mode_alarm(char **arguments)
{
    struct itimerval in = {{0, 0}, {atoi(arguments[0]), 0}};

    return setitimer(ITIMER_REAL, &in, NULL) != 0 ? 98 : mode_spin(arguments);
}

/* sleep MILLISECONDS */
static int mode_sleep(char **arguments)
{
    return usleep((useconds_t)atoi(arguments[0]) * 1000) == 0 ? 0 : 1;
}

/* parent PID: succeed if that is the parent. */
static int mode_parent(char **arguments)
{
    return getppid() == atoi(arguments[0]) ? 0 : 1;
}

/* open FD: succeed if that descriptor is open. */
static int mode_open(char **arguments)
{
    return lseek(atoi(arguments[0]), 0, SEEK_CUR) >= 0 ? 0 : 1;
}

/* read FD BYTE: succeed if the next byte there is that one. */
static int mode_read(char **arguments)
{
    unsigned char byte = 0;

    return read(atoi(arguments[0]), &byte, 1) == 1 && byte == atoi(arguments[1]) ? 0 : 1;
}

/* own VALUE: write it to an address that other such processes use too, and check that it stays. */
static int mode_own(char **arguments)
{
    static volatile unsigned long owned[1024];
    unsigned long value = strtoul(arguments[0], NULL, 0);

    for (size_t i = 0; i < 1024; i++) {
        owned[i] = value + i;
    }
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < 1024; i++) {
            if (owned[i] != value + i) {
                return 1;
            }
        }
        usleep(100);
    }
    return 0;
}

/* words N SUM: succeed if there are N further arguments whose bytes add up to SUM. */
static int mode_words(char **arguments)
{
    unsigned long sum = 0;
    int count = 0;

    for (char **word = arguments + 2; *word != NULL; word++, count++) {
        for (const char *byte = *word; *byte != '\0'; byte++) {
            sum += (unsigned char)*byte;
        }
    }
    return count == atoi(arguments[0]) && sum == strtoul(arguments[1], NULL, 0) ? 0 : 1;
}

/* env N FIRST: succeed if the environment has N entries and that one is the first. */
static int mode_env(char **arguments)
{
    int count = 0;

    while (environ[count] != NULL) {
        count++;
    }
    bool right = count == 0 || strcmp(environ[0], arguments[1]) == 0;
    return right && count == atoi(arguments[0]) ? 0 : 1;
}

/* orphan FILE-DESCRIPTOR: start a grandchild that outlives this process, and do not wait for it. */
static int mode_orphan(char **arguments)
{
    return start("child", "sleep", arguments[0], NULL) > 0 ? 0 : 1;
}

/* trap-call: single-step into a system call. */
static int mode_trap_call(char **arguments)
{
    long number = 39; /* getpid */

    (void)arguments;
    __asm__ volatile("pushf; orl $0x100, (%%rsp); popf; syscall; nop; nop"
                     : "+a"(number)
                     :
                     : "rcx", "r11", "memory");
    return 0;
}

/* stack KIB: use that much stack. */
static int mode_stack(char **arguments)
{
    size_t size = strtoul(arguments[0], NULL, 0) * 1024;
    char *low = (char *)__builtin_frame_address(0) - size;

    for (volatile char *byte = (char *)&size - 256; byte > low; byte -= 1024) {
        __asm__ volatile("" : : : "memory");
        *byte = 1;
    }
    return 0;
}

static const struct mode {
    const char *name;
    int arguments;
    int (*act)(char **arguments);
} modes[] = {
    {"exit", 1, mode_exit},     {"kill", 1, mode_kill},   {"spin", 0, mode_spin},
    {"cpu", 2, mode_cpu},       {"alarm", 1, mode_alarm}, {"sleep", 1, mode_sleep},
    {"parent", 1, mode_parent}, {"open", 1, mode_open},   {"read", 2, mode_read},
    {"own", 1, mode_own},       {"words", 2, mode_words}, {"env", 2, mode_env},
    {"orphan", 1, mode_orphan}, {"stack", 1, mode_stack}, {"trap-call", 0, mode_trap_call},
};

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    if (argc == 1) { /* started with an argv of NULL: see wait.c */
        return argv[0] != NULL && argv[0][0] == '\0' ? 77 : 97;
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(argv[1], modes[i].name) == 0 && argc - 2 >= modes[i].arguments) {
            return modes[i].act(argv + 2);
        }
    }
    fprintf(stderr, "child: unknown mode %s\n", argv[1]);
    return 96;
}
