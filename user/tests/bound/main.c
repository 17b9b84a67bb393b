/*
 * The longest pieces of kernel code between two scheduling points, call by call, with the worst
 * arguments that a program can give on this machine (worst.c). The kernel runs with the word `bound` and keeps
 * them in /proc/umbra-bound; each row there must stay below the limit. Without arguments all groups run, with
 * arguments those of these names.
 */
#include "bound.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT    20000000u /* instructions */
#define ROWS_MAX 600
#define NO_CASE  77

static uint64_t values[SYMBOLS_END - SYMBOL];

void set(enum symbol symbol, uint64_t value)
{
    values[symbol - SYMBOL] = value;
}

uint64_t get(enum symbol symbol)
{
    return values[symbol - SYMBOL];
}

void need(int good, const char *what)
{
    if (!good) {
        printf("# %s: %m\n", what);
        exit(NO_CASE);
    }
}

/* Rows of /proc/umbra-bound. */
struct row {
    char name[40];
    unsigned long longest;
    char arguments[160];
};

struct table {
    struct row row[ROWS_MAX];
    unsigned count;
};

/* What the process of a group shares with the one that waits for it. */
static struct shared {
    unsigned points, failed;
    size_t done;         /* the row that it has come to */
    struct table before; /* what had been longest before the last point */
} *shared;

static struct table after;

static void read_table(struct table *table)
{
    FILE *file = fopen("/proc/umbra-bound", "r");
    need(file != NULL, "/proc/umbra-bound");
    for (table->count = 0; table->count < ROWS_MAX; table->count++) {
        struct row *row = &table->row[table->count];
        if (fscanf(file, "%39s %lu %159[^\n]", row->name, &row->longest, row->arguments) != 3) {
            break;
        }
    }
    fclose(file);
}

static unsigned long longest_of(const struct table *table, const char *name)
{
    for (unsigned i = 0; i < table->count; i++) {
        if (strcmp(table->row[i].name, name) == 0) {
            return table->row[i].longest;
        }
    }
    return 0;
}

static void point(bool good, const char *group, const char *what)
{
    shared->failed += !good;
    printf("%sok %u %s: %s\n", good ? "" : "not ", ++shared->points, group, what);
}

/* One point: nothing has become longer than the limit. A comment says what has become longer at all. */
static void judge(const char *group, const char *what, bool made)
{
    bool good = made;
    read_table(&after);
    for (unsigned i = 0; i < after.count; i++) {
        const struct row *row = &after.row[i];
        unsigned long old = longest_of(&shared->before, row->name);
        if (row->longest <= old || row->longest < LIMIT / 20) {
            continue;
        }
        printf("# %s: %s %lu.%03lu million instructions (%s)\n", what, row->name,
               row->longest / 1000000, row->longest / 1000 % 1000, row->arguments);
        good = good && row->longest <= LIMIT;
    }
    shared->before = after;
    point(good, group, what);
}

static void make(const struct worst *row)
{
    uint64_t a[6];
    for (unsigned i = 0; i < 6; i++) {
        uint64_t value = row->argument[i];
        a[i] = value > SYMBOL && value < SYMBOLS_END ? get((enum symbol)value) : value;
    }
    for (uint64_t i = 0; i < (row->times ? row->times : 1); i++) {
        long result = syscall(row->call, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (result == 0 && row->call == SYS_fork) {
            _exit(0);
        }
        if (result == -1 && i == 0) {
            printf("# %s: %m\n", row->what);
        }
    }
}

static _Noreturn void run(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        shared->done = i;
        if (worst[i].prepare) {
            worst[i].prepare();
            continue;
        }
        fflush(stdout);
        shared->done += i + 1 == to; /* it may be execve */
        make(&worst[i]);
        if (i + 1 < to) {
            judge(worst[i].group, worst[i].what, true);
        }
    }
    fflush(stdout);
    _exit(0);
}

/* The last call of a group and the end of its process are one point. */
static void run_group(size_t from, size_t to)
{
    int status;
    const char *group = worst[from].group;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        run(from, to);
    }
    need(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
    while (waitpid(-1, NULL, 0) > 0) {
    }
    bool is_complete = shared->done == to && status == 0;
    if (!is_complete) {
        printf("# status %#x at %s\n", (unsigned)status, worst[shared->done].what);
    }
    judge(group, "and its end", is_complete);
    fflush(stdout);
}

static bool wanted(const char *group, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], group) == 0) {
            return true;
        }
    }
    return argc == 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-") == 0) {
        return 0; /* made by execve, in a group */
    }
    need(mount("", "/tmp", "tmpfs", 0, "size=100%") == 0, "a file system on /tmp");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(shared != MAP_FAILED, "shared memory");
    read_table(&shared->before);
    for (size_t from = 0, to; from < worst_count; from = to) {
        for (to = from; to < worst_count && strcmp(worst[to].group, worst[from].group) == 0; to++) {
        }
        if (wanted(worst[from].group, argc, argv)) {
            run_group(from, to);
        }
    }
    printf("1..%u\n", shared->points);
    return shared->failed ? 1 : 0;
}
