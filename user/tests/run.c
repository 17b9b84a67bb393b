/*
 * Runs the test programs of a list, one after the other, and merges their points into one TAP
 * stream, with the plan at its end. Exits with 0 only if every point passed and every program ran
 * to its end. As process 1 it may have any name, and finds the tests in /test.
 *
 *     run [LIST]...    LIST defaults to tests.list; lists and programs are beside `run`
 *
 * A line of a list is `PROGRAM SECONDS [ARGUMENT]...`; `#` starts a comment; a program with a `?`
 * before it may be missing. A program that takes more processor time or more wall time than SECONDS
 * is ended (RLIMIT_CPU and alarm, so far as the kernel has them) and counts as failed.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LIST      4096
#define MAX_ARGUMENTS 8

struct entry {
    char *words[MAX_ARGUMENTS + 1]; /* the program and its arguments */
    unsigned seconds;
    bool may_be_missing;
};

extern char **environ;

static char counter_variable[] = COUNTER_VARIABLE "=yes";

/*
 * Opens the counter at its descriptor, by opening files until the number comes up, without dup2.
 * Every program gets the environment of `run` and the variable that says that points are counted.
 */
static bool open_counter(const char *list)
{
    int fd = -1;

    do {
        fd = open(list, O_RDONLY | O_CLOEXEC);
    } while (fd >= 0 && fd < COUNTER_FD - 1);
    fd = open(list, O_RDONLY);
    for (int i = STDERR_FILENO + 1; i < COUNTER_FD; i++) {
        close(i);
    }
    if (fd != COUNTER_FD) {
        diag("%s: cannot open the counter: %s", list, strerror(errno));
        return false;
    }
    return putenv(counter_variable) == 0;
}

static bool read_text(const char *path, char text[MAX_LIST])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, MAX_LIST);

    if (fd >= 0) {
        close(fd);
    }
    if (size < 0 || size == MAX_LIST) {
        ok(false, "%s: %s", path, size < 0 ? strerror(errno) : "too long");
        return false;
    }
    text[size] = '\0';
    return true;
}

/* Splits one line, in place. 1 for an entry, 0 for an empty line, -1 for a malformed one. */
static int parse_line(char *line, struct entry *entry)
{
    char *rest = NULL;
    size_t count = 0;

    line[strcspn(line, "#")] = '\0';
    char *program = strtok_r(line, " \t", &rest);
    if (program == NULL) {
        return 0;
    }
    char *number = strtok_r(NULL, " \t", &rest);
    if (number == NULL || atoi(number) <= 0) {
        return -1;
    }
    memset(entry, 0, sizeof *entry);
    entry->seconds = (unsigned)atoi(number);
    entry->may_be_missing = program[0] == '?';
    entry->words[count++] = program + (entry->may_be_missing ? 1 : 0);
    for (char *word = strtok_r(NULL, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        if (count == MAX_ARGUMENTS) {
            return -1;
        }
        entry->words[count++] = word;
    }
    return 1;
}

/*
 * Starts the program with its limits. The vfork child sets them for itself. On a kernel without
 * these calls the program runs without limits.
 */
static int spawn_limited(pid_t *pid, struct entry *entry)
{
    const char *path = beside(entry->words[0]);
    struct rlimit cpu = {entry->seconds, entry->seconds};
    volatile int error = 0;

    entry->words[0] = (char *)(size_t)path;
    pid_t child = vfork();
    if (child == 0) {
        setrlimit(RLIMIT_CPU, &cpu);
        alarm(entry->seconds);
        execve(path, entry->words, environ);
        error = errno;
        _exit(127);
    }
    if (child < 0) {
        return errno;
    }
    if (error != 0) {
        wait_for(child);
        return error;
    }
    *pid = child;
    return 0;
}

/* Waits for this process. Reaps adopted orphans too, if this is process 1, without a report. */
static int wait_among_orphans(pid_t pid)
{
    int status = NOT_RUN;
    pid_t got = 0;

    do {
        got = waitpid(-1, &status, 0);
    } while (got > 0 ? got != pid : errno == EINTR);
    return got == pid ? status : NOT_RUN;
}

static bool run_entry(struct entry *entry)
{
    const char *name = entry->words[0];
    pid_t pid = 0;

    diag("%s", name);
    int error = spawn_limited(&pid, entry);
    int status = error == 0 ? wait_among_orphans(pid) : NOT_RUN;
    bool good = status == EXITED(0);

    tap_begin(0, NULL); /* continue the program's numbering */
    if (error == ENOENT && entry->may_be_missing) {
        skip("it was not built", "%s", name);
        return true;
    }
    ok(good, "%s ran to its end, and all its points passed", name);
    if (error != 0) {
        diag("%s cannot be started: %s", name, strerror(error));
    } else if (!good) {
        diag("%s ended with %s", name, status_text(status));
    }
    return good;
}

static bool run_list(const char *path)
{
    static char text[MAX_LIST];
    bool good = read_text(path, text);
    unsigned number = 0;

    for (char *line = good ? text : NULL, *next; line != NULL; line = next) {
        struct entry entry;
        number++;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        int kind = parse_line(line, &entry);
        if (kind < 0) {
            good = ok(false, "%s:%u is PROGRAM SECONDS [ARGUMENT]...", path, number) && good;
        } else if (kind > 0) {
            good = run_entry(&entry) && good;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    static char own_path[] = "/test/run";
    bool good = true;

    if (getpid() == 1) {
        argv[0] = own_path;
    }
    tap_begin(argc, argv);
    if (!open_counter(beside(argc > 1 ? argv[1] : "tests.list"))) {
        return 1;
    }
    tap_begin(0, NULL);
    for (int i = 1; i < argc || i == 1; i++) {
        good = run_list(beside(i < argc ? argv[i] : "tests.list")) && good;
    }
    printf("1..%ld\n", (long)lseek(COUNTER_FD, 0, SEEK_CUR));
    printf("# %s\n", good ? "all passed" : "FAILED");
    return good ? 0 : 1;
}
