/*
 * replay [-n ROUNDS] DIRECTORY...: runs a target over all files there, from memory and without a
 * fuzzer, and says how many executions a second that were.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILES 20000
#define MAX_SIZE  65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* Nothing is mutated here, but the target's mutator refers to it. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    (void)data;
    return size < max ? size : max;
}

struct input {
    uint8_t *data; /* of exactly size bytes, so that a sanitizer sees the first byte beyond */
    size_t size;
};

static struct input inputs[MAX_FILES];
static unsigned input_count;

static void load(const char *directory)
{
    static uint8_t buf[MAX_SIZE];
    struct dirent **names;
    int n = scandir(directory, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[4096];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
        file = names[i]->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        free(names[i]);
        if (file == NULL || input_count == MAX_FILES)
            continue;
        struct input *input = &inputs[input_count++];

        input->size = fread(buf, 1, sizeof(buf), file);
        input->data = malloc(input->size);
        memcpy(input->data, buf, input->size);
        fclose(file);
    }
    if (n >= 0)
        free(names);
}

int main(int argc, char **argv)
{
    unsigned rounds = 1;
    struct timespec start, end;
    int option;

    while ((option = getopt(argc, argv, "n:")) == 'n')
        rounds = (unsigned)atoi(optarg);
    if (option != -1)
        return 2;
    for (int i = optind; i < argc; i++)
        load(argv[i]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < input_count; i++)
            LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    printf("%u files, %.0f executions, %.0f a second\n", input_count, (double)rounds * input_count,
           rounds * input_count / seconds);
    return input_count == 0;
}
