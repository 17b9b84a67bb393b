/*
 * Of the unit tests' cases that break a rule: how many do libelf and Linux refuse? libelf refuses
 * if the Ehdr or one of the program headers cannot be had, which is all that a loader on it asks
 * for; Linux if its execve does not come to the first instruction.
 *
 * Linux has to be asked about the rule alone. So a case counts for it only if the same file
 * without the case's damage runs: the image, which does, since it is a dynamic program with the
 * usual interpreter.
 */
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "linux.h"

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
