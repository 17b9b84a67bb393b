/*
 * codes DIRECTORY: every code with which a file can be refused is found in the files there, each
 * judged under the policy that its last byte chooses.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "setting.h"

#define MAX_FILE 65536

/* What no file alone can bring about, and what only reading for tools meets (the unit tests do). */
static const int excused[] = {ELFPARSE_EREAD,     ELFPARSE_EARGUMENT,  ELFPARSE_ESHTABLE,
                              ELFPARSE_ESHSTRNDX, ELFPARSE_EBIASFIXED, ELFPARSE_EBIASALIGN,
                              ELFPARSE_EBIASTWICE};

static unsigned found[128];

static int count(void *ctx, const struct elfparse_error *error)
{
    if (error->code < 0 && error->code > -128)
        found[-error->code]++;
    return 0;
}

static void judge(const uint8_t *file, size_t size, uint8_t mode)
{
    static uint8_t scratch[SETTING_SCRATCH];
    static struct elfparse_range ranges[SETTING_RANGES];
    struct setting setting = setting_of(mode);
    struct elfparse_storage storage = {scratch, setting.scratch_size, ranges,
                                       setting.range_capacity};
    struct elfparse_reader reader = elfparse_reader_memory(file, size);
    struct elfparse_plan plan;

    elfparse_plan_diagnose(&reader, &setting.policy, &storage, &plan, count, NULL);
}

static int is_excused(int code)
{
    for (size_t i = 0; i < sizeof(excused) / sizeof(excused[0]); i++) {
        if (excused[i] == code)
            return 1;
    }
    return 0;
}

/* A number is a code if the formatter knows a sentence for it. */
static int is_code(int code)
{
    struct elfparse_error error = {.code = code};
    struct elfparse_error none = {.code = -1000};
    char text[2][ELFPARSE_ERROR_MAX];

    elfparse_error_format(&error, text[0], sizeof(text[0]));
    elfparse_error_format(&none, text[1], sizeof(text[1]));
    return strcmp(text[0], text[1]) != 0;
}

int main(int argc, char **argv)
{
    static uint8_t data[MAX_FILE];
    DIR *directory = opendir(argc == 2 ? argv[1] : "");
    const struct dirent *entry;
    unsigned files = 0, codes = 0, missing = 0;

    if (directory == NULL)
        return 2;
    while ((entry = readdir(directory)) != NULL) {
        char path[4096];
        size_t size;
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (entry->d_name[0] == '.' || (file = fopen(path, "rb")) == NULL)
            continue;
        size = fread(data, 1, sizeof(data), file);
        fclose(file);
        if (size == 0)
            continue;
        judge(data, size - 1, data[size - 1]);
        files++;
    }
    closedir(directory);
    for (int code = -1; code > -100; code--) {
        if (!is_code(code) || is_excused(code))
            continue;
        codes++;
        if (found[-code] == 0) {
            printf("no file brings about code %d\n", code);
            missing++;
        }
    }
    printf("%u files, %u of %u codes\n", files, codes - missing, codes);
    return files == 0 || missing != 0;
}
