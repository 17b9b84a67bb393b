/*
 * Nanoseconds (and, under valgrind, instructions) per file for libelfparse next to libelf, over the
 * same files in the same run. A benchmark, not a test: it prints figures and asserts nothing.
 *
 *   bench [-n ROUNDS] [-o headers|all|libelf] [-c] [DIRECTORY [FILES]]
 *
 * -o runs one of them ROUNDS times over the files and prints nothing; -c prints the number of
 * files.
 */
#include <dirent.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <elfparse/elfparse.h>

#define MAX_FILES 1000

struct file {
    void *data;
    size_t size;
};

static struct file files[MAX_FILES];
static unsigned file_count;

/* Calls are not dropped by the compiler as long as their results end up here. */
static volatile uint64_t sink;

static int is_elf(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void load(const char *directory, unsigned limit)
{
    struct dirent **names;
    int n = scandir(directory, &names, is_elf, alphasort);

    for (int i = 0; i < n && file_count < limit; i++) {
        char path[4096];
        struct stat st;
        int fd;

        snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
        fd = open(path, O_RDONLY);
        if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 64) {
            if (fd >= 0)
                close(fd);
            continue;
        }
        /* A private writable copy of the mapping: libelf wants one, and pages are resident. */
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_POPULATE, fd, 0);
        close(fd);
        if (data == MAP_FAILED || memcmp(data, "\177ELF\2\1", 6) != 0)
            continue;
        files[file_count].data = data;
        files[file_count++].size = (size_t)st.st_size;
    }
}

static struct elfparse_policy headers_alone;

static uint64_t run_elfparse(const struct file *file, const struct elfparse_policy *policy)
{
    static uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
    static struct elfparse_range ranges[64];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, 64};
    struct elfparse_reader reader = elfparse_reader_memory(file->data, file->size);
    struct elfparse_plan plan;

    return (uint64_t)elfparse_plan_make(&reader, policy, &storage, &plan, NULL) + plan.entry;
}

/* What a loader on libelf does at least: the header and each program header, without any check. */
static uint64_t run_libelf(const struct file *file)
{
    Elf *elf = elf_memory(file->data, file->size);
    Elf64_Ehdr *ehdr = elf64_getehdr(elf);
    Elf64_Phdr *phdr = elf64_getphdr(elf);
    uint64_t sum = 0;

    for (unsigned i = 0; ehdr != NULL && phdr != NULL && i < ehdr->e_phnum; i++)
        sum += phdr[i].p_type == PT_LOAD ? phdr[i].p_vaddr : 0;
    elf_end(elf);
    return sum;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t run(char what, const struct file *file)
{
    if (what == 'h')
        return run_elfparse(file, &headers_alone);
    if (what == 'a')
        return run_elfparse(file, &elfparse_policy_linux_compat);
    return run_libelf(file);
}

static void run_all(char what)
{
    for (unsigned i = 0; i < file_count; i++)
        sink += run(what, &files[i]);
}

/* The best of several rounds over all files, in nanoseconds a file. */
static double measure(char what, unsigned rounds)
{
    double best = 0;

    for (int attempt = 0; attempt < 9; attempt++) {
        double start = now();

        for (unsigned r = 0; r < rounds; r++)
            run_all(what);
        double ns = (now() - start) / rounds / file_count;
        best = attempt == 0 || ns < best ? ns : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    unsigned rounds = 200;
    char only = 0;
    int option;

    while ((option = getopt(argc, argv, "n:o:c")) != -1) {
        if (option == 'n')
            rounds = (unsigned)atoi(optarg);
        else if (option == 'o')
            only = optarg[0];
        else if (option == 'c')
            only = 'c';
        else
            return 2;
    }
    elf_version(EV_CURRENT);
    headers_alone = elfparse_policy_linux_compat;
    headers_alone.contents = 0;
    load(optind < argc ? argv[optind] : "/usr/bin",
         optind + 1 < argc ? (unsigned)atoi(argv[optind + 1]) : 200);
    if (file_count == 0)
        return 1;
    if (only == 'c') {
        printf("%u\n", file_count);
        return 0;
    }
    if (only != 0) {
        for (unsigned i = 0; i < rounds; i++)
            run_all(only);
        return 0;
    }
    double headers = measure('h', rounds);
    double all = measure('a', rounds);
    double libelf = measure('l', rounds);

    printf("%u files, ns a file\n", file_count);
    printf("  libelfparse, headers and PT_LOAD plan  %6.1f  (%.2f of libelf)\n", headers,
           headers / libelf);
    printf("  libelfparse, everything                %6.1f  (%.2f of libelf)\n", all, all / libelf);
    printf("  libelf, headers alone                  %6.1f\n", libelf);
    return 0;
}
