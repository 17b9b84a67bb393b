/*
 * vfork, execve and wait4: statuses, errors, what a new program inherits, many children.
 */
#include "tap.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define MANY           40

static void test_statuses(void)
{
    static const struct {
        const char *mode, *argument;
        int status;
    } cases[] = {
        {"exit", "0", EXITED(0)},     {"exit", "1", EXITED(1)},   {"exit", "42", EXITED(42)},
        {"exit", "255", EXITED(255)}, {"exit", "256", EXITED(0)}, {"exit", "-1", EXITED(255)},
        {"kill", "9", KILLED(9)},     {"kill", "15", KILLED(15)}, {"kill", "1", KILLED(1)},
        {"kill", "10", KILLED(10)},   {"kill", "17", EXITED(99)}, {"kill", "18", EXITED(99)},
        {"kill", "34", KILLED(34)},   {"kill", "64", KILLED(64)},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is(WITHOUT_CORE(run("child", cases[i].mode, cases[i].argument, NULL)), cases[i].status,
           "the status of %s %s", cases[i].mode, cases[i].argument);
    }
}

static void test_wait_errors(void)
{
    int status = 0;

    is(ERROR_OF(waitpid(-1, &status, 0)), ECHILD, "wait without children is ECHILD");
    is(ERROR_OF(waitpid(1, &status, 0)), ECHILD, "wait for another's child is ECHILD");
    is(ERROR_OF(waitpid(getpid(), &status, 0)), ECHILD, "wait for oneself is ECHILD");
    is(ERROR_OF(waitpid(-1, &status, 0x100)), EINVAL, "an unknown option is EINVAL");
    pid_t pid = start("child", "sleep", "50", NULL);
    is(waitpid(pid, &status, WNOHANG), 0, "WNOHANG: the child runs still");
    is(ERROR_OF(waitpid(pid + 1000, &status, 0)), ECHILD, "wait for a process that is not there");
    is(waitpid(0, &status, 0), pid, "wait for the own process group");
    is(status, EXITED(0), "its status");
    is(ERROR_OF(waitpid(pid, &status, 0)), ECHILD, "a child is reported once");
    is(ERROR_OF(kill(pid, 0)), ESRCH, "and is gone then");
}

static void test_zombie(void)
{
    struct rusage usage;
    int status = 0;
    pid_t pid = start("child", "exit", "7", NULL);

    usleep(100000);
    is(kill(pid, 0), 0, "a child that has ended is there until it is waited for");
    is(wait4(pid, &status, WNOHANG, &usage), pid, "WNOHANG: the child has ended");
    is(status, EXITED(7), "its status");
    ok(usage.ru_utime.tv_sec < 100 && usage.ru_stime.tv_sec < 100, "its usage is filled in");
    pid = start("child", "exit", "7", NULL);
    is(wait4(pid, NULL, 0, NULL), pid, "wait4 with NULL for status and usage");
}

static void test_many(void)
{
    pid_t pids[MANY];
    unsigned seen = 0;
    bool right = true;

    for (int i = 0; i < MANY; i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", i);
        pids[i] = start("child", "exit", code, NULL);
        right = right && pids[i] > 0;
    }
    for (int i = 0; i < MANY; i++) {
        for (int j = 0; j < i; j++) {
            right = right && pids[i] != pids[j];
        }
    }
    ok(right, "%d children at once, each with a process id of its own", MANY);
    for (int n = 0; n < MANY; n++) {
        int status = NOT_RUN;
        pid_t pid = waitpid(-1, &status, 0);
        for (int i = 0; i < MANY; i++) {
            seen += pids[i] == pid && status == EXITED(i);
        }
    }
    is(seen, MANY, "each is reported once, with its own status");
    is(ERROR_OF(wait(NULL)), ECHILD, "then there are none");
}

static void test_inheritance(void)
{
    char number[16];
    char byte[8];
    unsigned char data[3];
    int open_one = open(beside("fixtures/data.bin"), O_RDONLY);
    int closed = open(beside("fixtures/data.bin"), O_RDONLY | O_CLOEXEC);

    snprintf(number, sizeof number, "%d", getpid());
    is(run("child", "parent", number, NULL), EXITED(0), "getppid of a child");
    snprintf(number, sizeof number, "%d", closed);
    is(run("child", "open", number, NULL), EXITED(1), "O_CLOEXEC closes a file on execve");
    is(lseek(closed, 0, SEEK_CUR), 0, "but not the parent's");
    snprintf(number, sizeof number, "%d", open_one);
    is(run("child", "open", number, NULL), EXITED(0), "other files stay open");
    is(read(open_one, data, 3), 3, "the parent reads");
    is(lseek(open_one, 0, SEEK_SET), 0, "and goes back to the start");
    snprintf(byte, sizeof byte, "%d", data[0]);
    is(run("child", "read", number, byte), EXITED(0), "the child reads on from the file");
    is(lseek(open_one, 0, SEEK_CUR), 1, "and moves the offset that both share");
    close(open_one);
    close(closed);
}

static void test_arguments(void)
{
    static char long_word[100001];
    static char many_words[2004][8];
    static char *argv[2006];
    char sum[16];
    pid_t pid = 0;

    memset(long_word, 'x', sizeof long_word - 1);
    snprintf(sum, sizeof sum, "%d", 'x' * 100000);
    char *one[] = {"child", "words", "1", sum, long_word, NULL};
    is(spawn(&pid, beside("child"), one, one + 5), 0, "execve with a word of 100000 bytes");
    is(wait_for(pid), EXITED(0), "it arrives whole");
    argv[0] = "child";
    argv[1] = "words";
    argv[2] = "2000";
    snprintf(sum, sizeof sum, "%d", ('a' + 'b') * 2000);
    argv[3] = sum;
    for (int i = 0; i < 2000; i++) {
        strcpy(many_words[i], "ab");
        argv[4 + i] = many_words[i];
    }
    is(spawn(&pid, beside("child"), argv, argv + 2004), 0, "execve with 2000 words");
    is(wait_for(pid), EXITED(0), "they all arrive");
    char *environment[] = {"FIRST=1", "SECOND=", "=", NULL};
    char *words[] = {"child", "env", "3", "FIRST=1", NULL};
    is(spawn(&pid, beside("child"), words, environment), 0, "execve with an environment");
    is(wait_for(pid), EXITED(0), "it arrives");
    char *empty[] = {"child", "env", "0", "", NULL};
    is(spawn(&pid, beside("child"), empty, NULL), 0, "execve with NULL for the environment");
    is(wait_for(pid), EXITED(0), "it is empty");
    is(spawn(&pid, beside("child"), NULL, NULL), 0, "execve with NULL for argv");
    is(wait_for(pid), EXITED(77), "the program gets one empty word");
}

/* vfork: the parent goes on when the child has ended or called execve. */
static void test_vfork(void)
{
    volatile int shared = 1;
    pid_t pid = vfork();

    if (pid == 0) {
        shared = 2;
        _exit(5);
    }
    is(shared, 2, "a vfork child runs in its parent's memory, and first");
    is(wait_for(pid), EXITED(5), "its status");
    shared = 1;
    pid = vfork();
    if (pid == 0) {
        shared = chdir("/") + 3;
        close(STDIN_FILENO);
        _exit(0);
    }
    is(shared, 3, "a second one");
    wait_for(pid);
    struct stat file;
    ok(fstat(STDIN_FILENO, &file) == 0, "what it closes stays open in the parent");
}

static void test_orphan(void)
{
    is(run("child", "orphan", "30", NULL), EXITED(0), "a child leaves a grandchild behind");
    usleep(60000);
    int status = 0;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    ok(pid == -1 ? errno == ECHILD : getpid() == 1, "which is not ours to wait for");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_wait_errors();
    test_statuses();
    test_zombie();
    test_many();
    test_inheritance();
    test_arguments();
    test_vfork();
    test_orphan();
    return tap_end();
}
