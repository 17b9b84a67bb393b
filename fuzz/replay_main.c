/*
 * TARGET [-runs=N] [OPTION...] [FILE|FOLDER...]: a target without a fuzzing engine. Runs it once for each file, in the
 * order of their names; without an argument once for the empty input. Options of libFuzzer are accepted and have no
 * effect, and nothing is mutated. Any compiler builds it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Mutators of targets refer to it. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    (void)data;
    return size < max ? size : max;
}

static unsigned long runs;

/* The input is a heap block of its exact size, so that a sanitizer sees the first byte beyond. */
static void run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size);

    if (!file || (size > 0 && !data) || fread(data, 1, size, file) != size) {
        perror(path);
        exit(2);
    }
    fclose(file);
    fprintf(stderr, "Running: %s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    runs++;
    free(data);
}

static void run_path(const char *path)
{
    struct dirent **names;
    struct stat status;

    if (stat(path, &status) != 0) {
        perror(path);
        exit(2);
    }
    if (!S_ISDIR(status.st_mode)) {
        run_file(path, (size_t)status.st_size);
        return;
    }
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char inner[4096];
        snprintf(inner, sizeof(inner), "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            run_path(inner);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

int main(int argc, char **argv)
{
    int paths = 0;

    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            continue;
        run_path(argv[i]);
        paths++;
    }
    if (paths == 0) {
        LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
        runs++;
    }
    fprintf(stderr, "Done %lu runs\n", runs);
    return 0;
}
