#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 400

static bool counted_by_run;
static long points;
static long failures;
static char directory[512] = "."; /* of the program, wherever it goes */

/* Prints a line by one write, so that lines of several processes never mix. */
static void print_line(const char *start, const char *format, va_list arguments, const char *end)
{
    char line[LINE_SIZE];
    size_t used = (size_t)snprintf(line, sizeof line, "%s", start);

    int more = vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    used += more > 0 ? (size_t)more : 0;
    if (used < sizeof line - 1) {
        used += (size_t)snprintf(line + used, sizeof line - used, "%s", end);
    }
    if (used > sizeof line - 2) {
        used = sizeof line - 2;
    }
    line[used++] = '\n';
    if (write(STDOUT_FILENO, line, used) < 0) {
        failures++;
    }
}

/* True if only the owner may look for files below the path: user 0's home, say. */
static bool is_hidden(const char *path)
{
    char part[sizeof directory];
    struct stat st;

    for (size_t i = 1; path[i] != '\0'; i++) {
        snprintf(part, sizeof part, "%.*s", (int)i + 1, path);
        if (path[i + 1] != '/' && path[i + 1] != '\0') {
            continue;
        }
        if (stat(part, &st) != 0 || (st.st_mode & S_IXOTH) == 0) {
            return true;
        }
    }
    return false;
}

void keep_directory(void)
{
    int fd = on_linux() && is_hidden(directory) ? open(directory, O_PATH | O_DIRECTORY) : -1;

    if (fd >= 0) {
        snprintf(directory, sizeof directory, "/proc/self/fd/%d", fcntl(fd, F_DUPFD, 800));
        close(fd);
    }
}

void tap_begin(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

    if (slash != NULL) {
        char here[256] = "";
        if (argv[0][0] != '/' && getcwd(here, sizeof here - 1) != NULL) {
            strcat(here, "/");
        }
        snprintf(directory, sizeof directory, "%s%.*s", here, (int)(slash - argv[0]), argv[0]);
    }
    counted_by_run = getenv(COUNTER_VARIABLE) != NULL;
    points = counted_by_run ? lseek(COUNTER_FD, 0, SEEK_CUR) : 0;
}

int tap_end(void)
{
    if (!counted_by_run) {
        char plan[32];
        int length = snprintf(plan, sizeof plan, "1..%ld\n", points);
        if (write(STDOUT_FILENO, plan, (size_t)length) < 0) {
            return 1;
        }
    }
    return failures == 0 ? 0 : 1;
}

static void point(bool good, const char *end, const char *format, va_list arguments)
{
    char start[32];

    points++;
    failures += good ? 0 : 1;
    if (counted_by_run) {
        lseek(COUNTER_FD, points, SEEK_SET);
    }
    snprintf(start, sizeof start, "%sok %ld - ", good ? "" : "not ", points);
    print_line(start, format, arguments, end);
}

bool ok(bool good, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    point(good, "", format, arguments);
    va_end(arguments);
    return good;
}

bool is(long got, long expected, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    point(got == expected, "", format, arguments);
    va_end(arguments);
    if (got != expected) {
        diag("got %ld (0x%lx), expected %ld (0x%lx)", got, (unsigned long)got, expected,
             (unsigned long)expected);
    }
    return got == expected;
}

void skip(const char *reason, const char *format, ...)
{
    char end[120];
    va_list arguments;

    snprintf(end, sizeof end, " # SKIP %s", reason);
    va_start(arguments, format);
    point(true, end, format, arguments);
    va_end(arguments);
}

void diag(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line("# ", format, arguments, "");
    va_end(arguments);
}

const char *beside(const char *name)
{
    static char paths[4][sizeof directory + 64];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

bool on_linux(void)
{
    struct utsname names;

    return uname(&names) != 0 || strstr(names.release, "umbra") == NULL;
}

extern char **environ;

int spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[])
{
    volatile int error = 0;
    pid_t child = vfork();

    if (child == 0) {
        execve(path, argv, envp);
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

pid_t start(const char *name, const char *first, const char *second, const char *third)
{
    const char *path = beside(name);
    char *argv[] = {(char *)(size_t)path, (char *)(size_t)first, (char *)(size_t)second,
                    (char *)(size_t)third, NULL};
    pid_t pid = 0;
    int error = spawn(&pid, path, argv, environ);

    if (error != 0) {
        diag("cannot start %s: errno %d", path, error);
    }
    return error == 0 ? pid : -error;
}

int wait_for(pid_t pid)
{
    int status = NOT_RUN;
    pid_t got = 0;

    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    return got == pid ? status : NOT_RUN;
}

int run(const char *name, const char *first, const char *second, const char *third)
{
    pid_t pid = start(name, first, second, third);

    return pid > 0 ? wait_for(pid) : NOT_RUN;
}

const char *status_text(int status)
{
    static char text[32];

    if (status == NOT_RUN) {
        return "not run";
    }
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
    } else {
        snprintf(text, sizeof text, "exit %d", WEXITSTATUS(status));
    }
    return text;
}

int in_child(int (*act)(void *argument), void *argument)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(act(argument));
    }
    return pid > 0 ? wait_for(pid) : NOT_RUN;
}

static int read_byte(void *address)
{
    (void)*(volatile char *)address;
    return 0;
}

static int write_byte(void *address)
{
    volatile char *byte = address;

    *byte = *byte;
    return 0;
}

static int call_address(void *address)
{
    __asm__ volatile("call *%0" : : "r"(address) : "memory", "cc");
    return 0;
}

static int signal_of(int (*act)(void *), uintptr_t address)
{
    int status = in_child(act, (void *)address);

    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

int read_signal(const volatile void *address)
{
    return signal_of(read_byte, (uintptr_t)address);
}

int write_signal(volatile void *address)
{
    return signal_of(write_byte, (uintptr_t)address);
}

int call_signal(const void *address)
{
    return signal_of(call_address, (uintptr_t)address);
}

int all_are(const void *start, size_t size, unsigned char value)
{
    const unsigned char *bytes = start;
    unsigned char difference = 0;

    for (size_t i = 0; i < size; i++) {
        difference |= (unsigned char)(bytes[i] ^ value);
    }
    return difference == 0;
}

unsigned char file_byte(size_t offset)
{
    return (unsigned char)(offset * 13 % 241 + 1);
}

int temporary_file(size_t size)
{
    static unsigned number;
    char path[64];
    unsigned char bytes[512];

    snprintf(path, sizeof path, "/tmp/umbra-test-%d-%u", getpid(), number++);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || unlink(path) != 0) {
        return -1;
    }
    for (size_t offset = 0; offset < size;) {
        size_t part = size - offset < sizeof bytes ? size - offset : sizeof bytes;
        for (size_t i = 0; i < part; i++) {
            bytes[i] = file_byte(offset + i);
        }
        if (write(fd, bytes, part) != (ssize_t)part) {
            close(fd);
            return -1;
        }
        offset += part;
    }
    return fd;
}

static __attribute__((noinline)) void touch_stack(void)
{
    volatile char below[8 * PAGE];

    for (size_t at = 0; at < sizeof below; at += PAGE) {
        below[at] = 0;
    }
}

long free_memory(void)
{
    struct sysinfo info = {0};

    touch_stack();
    return sysinfo(&info) == 0 ? (long)(info.freeram * info.mem_unit) : -1;
}

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
