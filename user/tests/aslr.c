/*
 * The base addresses of the stack, of mmap, of the break and of a position-independent program
 * differ from run to run. `aslr same` expects the opposite, for a kernel that was started with
 * `noaslr`.
 */
#include "tap.h"
#include "proc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RUNS 8

struct bases {
    uintptr_t text, stack, mmap, brk;
};

static struct bases own_bases(void)
{
    struct bases bases;
    int local = 0;

    bases.text = (uintptr_t)own_bases;
    bases.stack = (uintptr_t)&local;
    bases.mmap = (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bases.brk = (uintptr_t)sbrk(0);
    return bases;
}

/* The program runs itself RUNS times; each run writes its bases to a file that it inherits. */
static int collect(const char *program, struct bases runs[RUNS])
{
    char path[64];
    char number[16];

    snprintf(path, sizeof path, "/tmp/umbra-aslr-%d", getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    unlink(path);
    snprintf(number, sizeof number, "%d", fd);
    for (int i = 0; i < RUNS; i++) {
        if (run(program, "bases", number, NULL) != EXITED(0)) {
            return -1;
        }
    }
    lseek(fd, 0, SEEK_SET);
    ssize_t got = read(fd, runs, RUNS * sizeof runs[0]);
    close(fd);
    return got == (ssize_t)(RUNS * sizeof runs[0]) ? 0 : -1;
}

static int all_same(const struct bases runs[RUNS], size_t offset)
{
    for (int i = 1; i < RUNS; i++) {
        if (memcmp((const char *)&runs[i] + offset, (const char *)&runs[0] + offset,
                   sizeof(uintptr_t)) != 0) {
            return 0;
        }
    }
    return 1;
}

static int all_aligned(const struct bases runs[RUNS])
{
    uintptr_t any = 0;

    for (int i = 0; i < RUNS; i++) {
        any |= (runs[i].mmap | (runs[i].text ^ runs[0].text)) & 4095;
        any |= runs[i].stack >> 47 | runs[i].mmap >> 47 | runs[i].brk >> 47;
    }
    return any == 0;
}

static void test_program(const char *program, int same)
{
    static const struct {
        const char *name;
        size_t offset;
    } bases[] = {{"stack", offsetof(struct bases, stack)},
                 {"mmap base", offsetof(struct bases, mmap)},
                 {"break", offsetof(struct bases, brk)}};
    struct bases runs[RUNS];

    if (!ok(collect(program, runs) == 0, "%d runs of %s", RUNS, program)) {
        return;
    }
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        is(all_same(runs, bases[i].offset), same, "%s: the %s %s", program, bases[i].name,
           same ? "is always the same" : "differs");
    }
    int fixed = strcmp(program, "aslr") == 0;
    is(all_same(runs, offsetof(struct bases, text)), same || fixed, "%s: the text %s", program,
       same || fixed ? "is always at the same place" : "differs");
    ok(all_aligned(runs), "%s: bases are page-aligned and in the user half", program);
}

int main(int argc, char **argv)
{
    int same = argc > 1 && strcmp(argv[1], "same") == 0;

    if (argc == 3 && strcmp(argv[1], "bases") == 0) {
        struct bases bases = own_bases();
        int fd = 0;
        return sscanf(argv[2], "%d", &fd) == 1 &&
                       write(fd, &bases, sizeof bases) == (ssize_t)sizeof bases
                   ? 0
                   : 1;
    }
    tap_begin(argc, argv);
    test_program("aslr", same);
    if (access(beside("aslr-pie"), X_OK) == 0) {
        test_program("aslr-pie", same);
    } else {
        skip("it was not built", "a position-independent program");
    }
    return tap_end();
}
