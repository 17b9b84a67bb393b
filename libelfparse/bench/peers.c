/*
 * Of the unit tests' cases that break a rule: how many does libelf refuse? It counts as a refusal if
 * the Ehdr or one of the program headers cannot be had, which is all that a loader on libelf asks for.
 */
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"

static unsigned broken[ELFPARSE_RULE_COUNT], refused[ELFPARSE_RULE_COUNT];

static int libelf_reads(uint8_t *file, size_t size)
{
    Elf *elf = elf_memory((char *)file, size);
    Elf64_Ehdr *ehdr = elf64_getehdr(elf);
    int reads = ehdr != NULL && elf64_getphdr(elf) != NULL;

    elf_end(elf);
    return reads;
}

static void run(const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t image[IMAGE_MAX];
        size_t size = case_make(&cases[i], image);
        uint8_t *copy;

        if (cases[i].expect.code == 0)
            continue;
        copy = malloc(size);
        memcpy(copy, image, size);
        broken[cases[i].expect.rule]++;
        refused[cases[i].expect.rule] += !libelf_reads(copy, size);
        free(copy);
    }
}

int main(void)
{
    elf_version(EV_CURRENT);
    run(ehdr_cases, ehdr_case_count);
    run(load_cases, load_case_count);
    run(other_cases, other_case_count);
    puts("rule  libelf refuses");
    for (uint32_t rule = 1; rule < ELFPARSE_RULE_COUNT; rule++) {
        if (broken[rule] != 0)
            printf("%-4s  %u of %u\n", elfparse_rule_name(rule), refused[rule], broken[rule]);
    }
    return 0;
}
