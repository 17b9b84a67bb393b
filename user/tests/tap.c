#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 400

static bool counted_by_run;
static long points;
static long failures;
static char directory[256] = ".";

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

void tap_begin(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

    if (slash != NULL && (size_t)(slash - argv[0]) < sizeof directory) {
        memcpy(directory, argv[0], (size_t)(slash - argv[0]));
        directory[slash - argv[0]] = '\0';
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
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

bool on_linux(void)
{
    return getenv(ON_LINUX_VARIABLE) != NULL;
}
