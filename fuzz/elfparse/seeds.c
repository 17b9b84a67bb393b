/* seeds DIRECTORY STAMP: writes each case of the unit tests as a file, one for each policy byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cases.h"

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_case(const char *directory, const struct test_case *test, const char *table,
                       size_t index)
{
    static const uint8_t modes[] = {
        [KERNEL] = 1, [LINUX] = 0, [INTERP] = 1, [EXACT] = 1, [BARE] = 4};
    uint8_t image[IMAGE_MAX + 1];
    size_t size = case_make(test, image);
    char path[4096];

    for (unsigned oracle = 0; oracle < 4; oracle++) {
        image[size] = (uint8_t)(modes[test->policy] | oracle << 6);
        snprintf(path, sizeof(path), "%s/%s-%03zu-%u", directory, table, index, oracle);
        write_file(path, image, size + 1);
    }
    image[size] = (uint8_t)(8 | (index % 16) << 4);
    snprintf(path, sizeof(path), "%s/%s-%03zu-little-scratch", directory, table, index);
    write_file(path, image, size + 1);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    mkdir(argv[1], 0777);
    for (size_t i = 0; i < ehdr_case_count; i++)
        write_case(argv[1], &ehdr_cases[i], "ehdr", i);
    for (size_t i = 0; i < load_case_count; i++)
        write_case(argv[1], &load_cases[i], "load", i);
    for (size_t i = 0; i < other_case_count; i++)
        write_case(argv[1], &other_cases[i], "other", i);
    write_file(argv[2], (const uint8_t *)"", 0);
    return 0;
}
