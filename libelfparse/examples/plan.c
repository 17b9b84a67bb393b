/* Prints what a loader would map of the program named on the command line. */
#include <stdio.h>
#include <stdlib.h>

#include <elfparse/elfparse.h>

static int read_file(void *ctx, uint64_t offset, void *buf, size_t len)
{
    FILE *file = (FILE *)ctx;

    return fseek(file, (long)offset, SEEK_SET) == 0 && fread(buf, 1, len, file) == len ? 0 : -1;
}

int main(int argc, char **argv)
{
    static unsigned char scratch[ELFPARSE_SCRATCH_SIZE(128, 4096)];
    static struct elfparse_range ranges[64 * ELFPARSE_RANGES_PER_LOAD];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges,
                                       sizeof(ranges) / sizeof(ranges[0])};
    struct elfparse_reader reader = {read_file, NULL, 0};
    struct elfparse_plan plan;
    struct elfparse_error error;
    char text[ELFPARSE_ERROR_MAX];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return EXIT_FAILURE;
    reader.ctx = file;
    reader.size = (uint64_t)ftell(file);
    if (elfparse_plan_make(&reader, &elfparse_policy_linux_compat, &storage, &plan, &error) != 0) {
        elfparse_error_format(&error, text, sizeof(text));
        fprintf(stderr, "%s: %s\n", argv[1], text);
        return EXIT_FAILURE;
    }
    for (uint32_t i = 0; i < plan.range_count; i++)
        printf("map %#llx, %llu bytes, %llu of them from offset %llu\n",
               (unsigned long long)ranges[i].vaddr, (unsigned long long)ranges[i].size,
               (unsigned long long)ranges[i].file_bytes, (unsigned long long)ranges[i].offset);
    return EXIT_SUCCESS;
}
