/*
 * A small service manager for process 1. It reads a list of units, starts them, reaps every child
 * and prints one line for each unit that ends. It exits when no unit is left to wait for, with 0
 * if all of them succeeded. The kernel then powers the machine off with that status.
 *
 *     init [FILE]          FILE defaults to /etc/umbra/units
 *
 * A line of the list is `NAME MODE COMMAND [ARGUMENT]...`; `#` starts a comment. Modes:
 *     wait      run it, and go on to the next line only when it has ended
 *     once      start it and go on
 *     respawn   start it, and start it again whenever it ends, until the others are done
 *
 * It uses only the system calls open, read, write, vfork, execve, wait4 and kill.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define MAX_UNITS         32
#define MAX_WORDS         24
#define MAX_LIST          8192
#define MAX_FAST_FAILURES 5 /* a respawn unit that fails so many times in a row is given up */

enum mode { MODE_WAIT, MODE_ONCE, MODE_RESPAWN };

struct unit {
    const char *name;
    enum mode mode;
    char *words[MAX_WORDS + 1];
    pid_t pid; /* 0 while it is not running */
    unsigned failures;
};

static char list_text[MAX_LIST + 1];
static struct unit units[MAX_UNITS];
static size_t unit_count;
static bool all_succeeded = true;
static bool stopping;

/* Reads the whole list into list_text. Returns 0 or a positive errno value. */
static int read_list(const char *path)
{
    size_t used = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    do {
        got = read(fd, list_text + used, sizeof list_text - used);
        used += got > 0 ? (size_t)got : 0;
    } while (got > 0 && used < sizeof list_text);
    int error = got < 0 ? errno : used > MAX_LIST ? EFBIG : 0;
    list_text[error == 0 ? used : 0] = '\0';
    close(fd);
    return error;
}

static const char *set_mode(struct unit *unit, const char *word)
{
    if (word == NULL) {
        return "the mode is missing";
    }
    if (strcmp(word, "wait") == 0) {
        unit->mode = MODE_WAIT;
    } else if (strcmp(word, "once") == 0) {
        unit->mode = MODE_ONCE;
    } else if (strcmp(word, "respawn") == 0) {
        unit->mode = MODE_RESPAWN;
    } else {
        return "the mode must be wait, once or respawn";
    }
    return NULL;
}

/* Splits one line, in place, into a unit. Returns NULL, or a message that describes the error. */
static const char *parse_line(char *line, struct unit *unit)
{
    static const char blanks[] = " \t\r";
    char *rest = NULL;
    size_t count = 0;

    unit->name = strtok_r(line, blanks, &rest);
    const char *wrong = set_mode(unit, strtok_r(NULL, blanks, &rest));
    if (wrong != NULL) {
        return wrong;
    }
    for (char *word = strtok_r(NULL, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        if (count == MAX_WORDS) {
            return "the command has too many words";
        }
        unit->words[count++] = word;
    }
    if (count == 0) {
        return "the command is missing";
    }
    return unit->words[0][0] == '/' ? NULL : "the command is not an absolute path";
}

/* Fills units[] from list_text. On an error prints it with the line number and returns false. */
static bool parse_list(const char *path)
{
    unsigned number = 0;

    for (char *line = list_text, *next; line != NULL; line = next) {
        number++;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        line[strcspn(line, "#")] = '\0';
        if (line[strspn(line, " \t\r")] == '\0') {
            continue;
        }
        const char *wrong = "there are too many units";
        if (unit_count < MAX_UNITS) {
            wrong = parse_line(line, &units[unit_count]);
        }
        if (wrong != NULL) {
            printf("init: %s:%u: %s\n", path, number, wrong);
            return false;
        }
        unit_count++;
    }
    return true;
}

static void report(const struct unit *unit, int status)
{
    if (WIFSIGNALED(status)) {
        printf("init: %s (pid %d) was ended by signal %d, %s\n", unit->name, unit->pid,
               WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        printf("init: %s (pid %d) ended with status %d\n", unit->name, unit->pid,
               WEXITSTATUS(status));
    }
}

/*
 * Starts the unit. A child of vfork runs in the memory of its parent until it calls execve, so the
 * child stores the error of a failed execve in a variable of the parent.
 */
static void start(struct unit *unit)
{
    volatile int error = 0;

    fflush(stdout);
    pid_t pid = vfork();
    if (pid == 0) {
        execve(unit->words[0], unit->words, environ);
        error = errno;
        _exit(127);
    }
    if (pid < 0) {
        error = errno;
    } else if (error != 0) {
        waitpid(pid, NULL, 0);
    }
    unit->pid = error == 0 ? pid : 0;
    if (error != 0) {
        printf("init: %s: cannot start %s: %s\n", unit->name, unit->words[0], strerror(error));
        all_succeeded = false;
    }
}

static void ended(struct unit *unit, int status)
{
    if (unit->mode == MODE_RESPAWN && stopping) {
        unit->pid = 0;
        return;
    }
    report(unit, status);
    unit->pid = 0;
    if (unit->mode != MODE_RESPAWN) {
        all_succeeded = all_succeeded && status == 0;
        return;
    }
    unit->failures = status == 0 ? 0 : unit->failures + 1;
    if (unit->failures == MAX_FAST_FAILURES) {
        printf("init: %s failed %u times in a row, given up\n", unit->name, unit->failures);
        all_succeeded = false;
        return;
    }
    start(unit);
}

/* Waits for one child, a unit's or an adopted orphan. Returns false if there is no child. */
static bool reap_one(void)
{
    int status = 0;
    pid_t pid = 0;

    fflush(stdout);
    do {
        pid = waitpid(-1, &status, 0);
    } while (pid < 0 && errno == EINTR);
    for (size_t i = 0; pid > 0 && i < unit_count; i++) {
        if (units[i].pid == pid) {
            ended(&units[i], status);
            break;
        }
    }
    return pid > 0;
}

static bool any_running(bool respawned)
{
    for (size_t i = 0; i < unit_count; i++) {
        if (units[i].pid != 0 && (units[i].mode == MODE_RESPAWN) == respawned) {
            return true;
        }
    }
    return false;
}

static void run_units(void)
{
    for (size_t i = 0; i < unit_count; i++) {
        start(&units[i]);
        while (units[i].mode == MODE_WAIT && units[i].pid != 0 && reap_one()) {
        }
    }
    while (any_running(false) && reap_one()) {
    }
}

static void stop_respawned(void)
{
    stopping = true;
    for (size_t i = 0; i < unit_count; i++) {
        if (units[i].pid != 0) {
            kill(units[i].pid, SIGKILL);
        }
    }
    while (any_running(true) && reap_one()) {
    }
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/etc/umbra/units";
    static char default_path[] = "PATH=/bin:/sbin";

    putenv(default_path);
    printf("init: mini-systemd, process %d, units from %s\n", getpid(), path);
    int error = read_list(path);
    if (error != 0) {
        printf("init: %s: %s\n", path, strerror(error));
        return 1;
    }
    if (!parse_list(path)) {
        return 1;
    }
    run_units();
    stop_respawned();
    printf("init: all units are done, %s\n",
           all_succeeded ? "every one succeeded" : "not all succeeded");
    return all_succeeded ? 0 : 1;
}
