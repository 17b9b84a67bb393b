/*
 * Of the unit tests' cases that break a rule: how many do libelf and Linux refuse? libelf refuses
 * if the Ehdr or one of the program headers cannot be had, which is all that a loader on it asks
 * for; Linux if its execve does not come to the first instruction.
 *
 * Linux has to be asked about the rule alone. So a case counts for it only if the same file
 * without the case's damage runs: the image, which does, since it is a dynamic program with the
 * usual interpreter.
 */
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

/* Exit status of a child that cannot be traced. */
#define NO_TRACE 99

static void child(int fd)
{
    char *const argv[] = {"x", NULL}, *const envp[] = {NULL};

    alarm(1); /* survives execve */
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(NO_TRACE);
    execveat(fd, "", argv, envp, AT_EMPTY_PATH);
    _exit(0);
}

/* 1: stopped by a successful execve; the child is gone afterwards. */
static int watch(pid_t pid)
{
    int status, runs;

    while (waitpid(pid, &status, 0) != pid) {
        if (errno != EINTR)
            return -1;
    }
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == NO_TRACE ? -1 : 0;
    if (WIFSIGNALED(status))
        return 0;
    runs = WSTOPSIG(status) == SIGTRAP;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return runs;
}

/*
 * Hands size bytes to execve and stops what comes of it before its first instruction, or kills it
 * after a second. 1: it would run; 0: it is refused, or killed by execve itself; -1: this cannot be
 * told here (no memfd, no ptrace).
 */
static int linux_runs(const uint8_t *file, size_t size)
{
    int fd = memfd_create("elf", MFD_CLOEXEC), runs = -1;
    pid_t pid;

    if (fd < 0)
        return -1;
    if (write(fd, file, size) == (ssize_t)size) {
        pid = fork();
        if (pid == 0)
            child(fd);
        if (pid > 0)
            runs = watch(pid);
    }
    close(fd);
    return runs;
}

struct count {
    unsigned broken, libelf_refuses, linux_refuses;
};

static struct count counts[ELFPARSE_RULE_COUNT];
static int verbose;

static int libelf_reads(uint8_t *file, size_t size)
{
    Elf *elf = elf_memory((char *)file, size);
    Elf64_Ehdr *ehdr = elf64_getehdr(elf);
    int reads = ehdr != NULL && elf64_getphdr(elf) != NULL;

    elf_end(elf);
    return reads;
}

static void run_case(const struct test_case *test)
{
    struct count *count = &counts[test->expect.rule];
    uint8_t image[IMAGE_MAX];
    size_t size = case_make(test, image);
    uint8_t *copy = malloc(size);
    int runs = linux_runs(image, size);

    memcpy(copy, image, size);
    count->broken++;
    count->libelf_refuses += !libelf_reads(copy, size);
    count->linux_refuses += runs == 0;
    if (verbose)
        printf("%-9s %s\n", runs == 1 ? "runs" : "refused", test->name);
    free(copy);
}

static void run(const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cases[i].expect.code != 0)
            run_case(&cases[i]);
    }
}

/* The file that each case damages. */
static int image_runs(void)
{
    uint8_t image[IMAGE_MAX];

    image_make(image);
    return linux_runs(image, IMAGE_SIZE) == 1;
}

int main(int argc, char **argv)
{
    int asks_linux = image_runs();

    (void)argv;
    verbose = argc > 1; /* whatever is said: each case */
    elf_version(EV_CURRENT);
    run(ehdr_cases, ehdr_case_count);
    run(load_cases, load_case_count);
    run(other_cases, other_case_count);
    if (!asks_linux)
        puts("Linux does not run the image itself here: its column says nothing");
    puts("rule  libelf refuses  Linux refuses");
    for (uint32_t rule = 1; rule < ELFPARSE_RULE_COUNT; rule++) {
        const struct count *c = &counts[rule];

        if (c->broken != 0)
            printf("%-4s  %2u of %-2u        %2u of %u\n", elfparse_rule_name(rule),
                   c->libelf_refuses, c->broken, c->linux_refuses, c->broken);
    }
    return 0;
}
