/*
 * seeds DIRECTORY [STAMP]: writes each case of the unit tests as a file named after its rule and
 * what it does. With a stamp, which is written last, each for every oracle and with little scratch;
 * without, each once, as the committed corpus has them.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cases.h"
#include "setting.h"

static const char *directory;
static int once;

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* The case's name in lower case, with dashes for what is no letter or digit. */
static void write_seed(const struct test_case *test, const char *suffix, uint8_t *image,
                       size_t size, unsigned mode)
{
    char path[4096];
    int at = snprintf(path, sizeof(path), "%s/", directory);

    for (const char *c = test->name; *c != '\0'; c++) {
        if (isalnum((unsigned char)*c))
            path[at++] = (char)tolower((unsigned char)*c);
        else if (path[at - 1] != '-')
            path[at++] = '-';
    }
    while (path[at - 1] == '-')
        at--;
    snprintf(path + at, sizeof(path) - (size_t)at, "%s", suffix);
    image[size] = (uint8_t)mode;
    write_file(path, image, size + 1);
}

static void write_case(const struct test_case *test, unsigned index)
{
    static const uint8_t modes[] = {[KERNEL] = SETTING_KERNEL,
                                    [LINUX] = 0,
                                    [INTERP] = SETTING_EXACT | SETTING_INTERP,
                                    [EXACT] = SETTING_EXACT,
                                    [BARE] = SETTING_EXACT | SETTING_BARE,
                                    [STRICT] = SETTING_EXACT | SETTING_STRICT};
    static const char *const suffixes[] = {"-same", "-diagnosed", "-longer", "-biased"};
    uint8_t image[IMAGE_MAX + 1];
    size_t size = case_make(test, image);
    unsigned mode = modes[test->policy];

    if (once) {
        write_seed(test, test->policy == LINUX ? "-linux" : "", image, size,
                   mode | (index % 4) << 6);
        return;
    }
    for (unsigned oracle = 0; oracle < 4; oracle++)
        write_seed(test, suffixes[oracle], image, size, mode | oracle << 6);
    write_seed(test, "-little-scratch", image, size, SETTING_LITTLE | (index % 16) << 4);
}

/* What no case has: storage that is too small, and a trait that neither preset refuses. */
static void write_others(void)
{
    static const struct test_case empty = {
        .name = "L13 empty segment refused",
        .patches = {{PH(IMAGE_RODATA, FILESZ), 8, 0}, {PH(IMAGE_RODATA, MEMSZ), 8, 0}}};
    static const struct test_case interp = {.name = "O2 an interpreter refused"};
    static const struct test_case scratch = {.name = "storage scratch"};
    static const struct test_case ranges = {.name = "storage ranges"};
    uint8_t image[IMAGE_MAX + 1];

    write_seed(&scratch, "", image, case_make(&scratch, image), SETTING_LITTLE);
    write_seed(&empty, "", image, case_make(&empty, image),
               SETTING_KERNEL | SETTING_TRAIT | 8 << 4);
    write_seed(&interp, "", image, case_make(&interp, image),
               SETTING_KERNEL | SETTING_TRAIT | 10 << 4);
    write_seed(&ranges, "", image, case_make(&ranges, image), SETTING_EXACT | SETTING_TRAIT);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3)
        return 2;
    directory = argv[1];
    once = argc == 2;
    mkdir(directory, 0777);
    for (size_t i = 0; i < ehdr_case_count; i++)
        write_case(&ehdr_cases[i], (unsigned)i);
    for (size_t i = 0; i < load_case_count; i++)
        write_case(&load_cases[i], (unsigned)i);
    for (size_t i = 0; i < other_case_count; i++)
        write_case(&other_cases[i], (unsigned)i);
    write_others();
    if (!once)
        write_file(argv[2], (const uint8_t *)"", 0);
    return 0;
}
