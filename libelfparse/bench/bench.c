/*
 * Nanoseconds (and, under valgrind, instructions) per file for libelfparse next to libelf, over the
 * same files in the same run. A benchmark, not a test: it prints figures and asserts nothing.
 *
 *   bench [-n ROUNDS] [-o WHAT] [-c] [DIRECTORY [FILES]]
 *
 * -o runs one of them ROUNDS times over the files and prints nothing: see subjects[]. -c prints the
 * number of files.
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

#include "image.h"

#define MAX_FILES 1000

struct file {
    void *data;
    void *narrow; /* the same as ELF32, and big-endian */
    void *big;
    size_t size;
};

static struct file files[MAX_FILES];
static unsigned file_count;

enum what { NOTHING, LIBELF, HEADERS, ALL, HEADERS_32, ALL_32, HEADERS_BIG, ALL_BIG };

/* The last four: the same files re-encoded, as ELF32 and as big-endian ELF64. */
static const char *const subjects[] = {
    [LIBELF] = "libelf",         [HEADERS] = "headers", [ALL] = "all",
    [HEADERS_32] = "headers-32", [ALL_32] = "all-32",   [HEADERS_BIG] = "headers-big",
    [ALL_BIG] = "all-big",
};

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

/* The numbers of a note's header, and of a property's. */
static void swap_words(uint8_t *word, unsigned count)
{
    for (; count-- > 0; word += 4) {
        uint8_t bytes[4] = {word[3], word[2], word[1], word[0]};

        memcpy(word, bytes, 4);
    }
}

/* The notes of the file, of which the copy gets big-endian ones. */
static void swap_notes(const struct file *file, const Elf64_Phdr *phdr, uint8_t *copy)
{
    const uint8_t *data = file->data;
    uint64_t align = phdr->p_align == 8 ? 8 : 4, next;

    for (uint64_t at = phdr->p_offset; at + 16 <= phdr->p_offset + phdr->p_filesz; at = next) {
        Elf64_Nhdr note;

        memcpy(&note, data + at, sizeof(note));
        if (memcmp(data + at, copy + at, 4) == 0) /* not done by another header */
            swap_words(copy + at, 3);
        uint64_t desc = (at + 12 + note.n_namesz + align - 1) & -align;
        next = (desc + note.n_descsz + align - 1) & -align;
        if (note.n_type != NT_GNU_PROPERTY_TYPE_0)
            continue;
        for (uint64_t p = desc; p + 12 <= desc + note.n_descsz;) {
            uint32_t size;

            memcpy(&size, data + p + 4, 4);
            if (memcmp(data + p, copy + p, 8) == 0)
                swap_words(copy + p, 3);
            p += (size + 8 + 7) & ~7u;
        }
    }
}

/*
 * Moves the properties of a note together: in ELF32 each is padded to 4 bytes, not to 8. The note
 * is the only one of its header, as linkers write it.
 */
static void narrow_properties(const Elf64_Phdr *phdr, uint8_t *copy, uint8_t *narrow_phdr)
{
    uint8_t *note = copy + phdr->p_offset, *to = note + 16, *from = to;
    const uint8_t *end;
    Elf64_Nhdr nhdr;

    memcpy(&nhdr, note, sizeof(nhdr));
    if (nhdr.n_type != NT_GNU_PROPERTY_TYPE_0 || 16 + (uint64_t)nhdr.n_descsz != phdr->p_filesz)
        return;
    end = from + nhdr.n_descsz;
    while (from < end) {
        uint32_t size;

        memcpy(&size, from + 4, 4);
        memmove(to, from, 8 + size);
        to += 8 + ((size + 3) & ~3u);
        from += 8 + ((size + 7) & ~7u);
    }
    image_put(note, 4, (uint64_t)(to - note - 16), 4);
    image_put(narrow_phdr, offsetof(Elf32_Phdr, p_filesz), (uint64_t)(to - note), 4);
}

/* The notes of every header are those of ELF32. */
static void narrow_notes(const struct file *file)
{
    const Elf64_Ehdr *ehdr = file->data;
    const Elf64_Phdr *phdr = (const void *)((const char *)file->data + ehdr->e_phoff);
    uint8_t *table = (uint8_t *)file->narrow + ehdr->e_phoff;

    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        if (phdr[i].p_type == PT_NOTE)
            narrow_properties(&phdr[i], file->narrow, table + i * sizeof(Elf32_Phdr));
    }
    /* It has the bytes of one of them. */
    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        uint32_t size;

        if (phdr[i].p_type != PT_GNU_PROPERTY)
            continue;
        memcpy(&size, (uint8_t *)file->narrow + phdr[i].p_offset + 4, 4);
        image_put(table + i * sizeof(Elf32_Phdr), offsetof(Elf32_Phdr, p_filesz), 16 + size, 4);
    }
}

static void re_encode(struct file *file)
{
    static const struct image_form narrow = {ELFPARSE_CLASS32, ELFPARSE_DATALSB, ELFPARSE_EM_386};
    static const struct image_form big = {ELFPARSE_CLASS64, ELFPARSE_DATAMSB, ELFPARSE_EM_S390};
    const Elf64_Ehdr *ehdr = file->data;
    const Elf64_Phdr *phdr = (const void *)((const char *)file->data + ehdr->e_phoff);

    file->narrow = malloc(file->size);
    file->big = malloc(file->size);
    if (!image_re_encode(file->data, file->size, &narrow, file->narrow) ||
        !image_re_encode(file->data, file->size, &big, file->big))
        abort();
    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        if (phdr[i].p_type == PT_NOTE || phdr[i].p_type == PT_GNU_PROPERTY)
            swap_notes(file, &phdr[i], file->big);
    }
    narrow_notes(file);
}

static struct elfparse_policy headers_alone;
static struct elfparse_policy others_alone;
static struct elfparse_policy others;

__attribute__((always_inline)) static inline uint64_t
run_elfparse(const void *data, size_t size, const struct elfparse_policy *policy)
{
    static uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
    static struct elfparse_range ranges[64];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, 64};
    struct elfparse_reader reader = elfparse_reader_memory(data, size);
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

__attribute__((always_inline)) static inline uint64_t run(enum what what, const struct file *file)
{
    switch (what) {
    case HEADERS:
        return run_elfparse(file->data, file->size, &headers_alone);
    case ALL:
        return run_elfparse(file->data, file->size, &elfparse_policy_linux_compat);
    case HEADERS_32:
        return run_elfparse(file->narrow, file->size, &others_alone);
    case ALL_32:
        return run_elfparse(file->narrow, file->size, &others);
    case HEADERS_BIG:
        return run_elfparse(file->big, file->size, &others_alone);
    case ALL_BIG:
        return run_elfparse(file->big, file->size, &others);
    default:
        return run_libelf(file);
    }
}

static void run_all(enum what what)
{
    for (unsigned i = 0; i < file_count; i++)
        sink += run(what, &files[i]);
}

/* The best of several rounds over all files, in nanoseconds a file. */
static double measure(enum what what, unsigned rounds)
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

static enum what find_subject(const char *name)
{
    for (unsigned i = LIBELF; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        if (strcmp(subjects[i], name) == 0)
            return (enum what)i;
    }
    return NOTHING;
}

/* The re-encoded file gets the verdict and the entry of the file itself. */
static int is_same(const struct file *file)
{
    return run(HEADERS_32, file) == run(HEADERS, file) && run(ALL_32, file) == run(ALL, file) &&
           run(HEADERS_BIG, file) == run(HEADERS, file) && run(ALL_BIG, file) == run(ALL, file);
}

int main(int argc, char **argv)
{
    unsigned rounds = 200;
    enum what only = NOTHING;
    int option, count = 0;

    while ((option = getopt(argc, argv, "n:o:c")) != -1) {
        if (option == 'n')
            rounds = (unsigned)atoi(optarg);
        else if (option == 'o')
            only = find_subject(optarg);
        else if (option == 'c')
            count = 1;
        if (option == '?' || (option == 'o' && only == NOTHING))
            return 2;
    }
    elf_version(EV_CURRENT);
    headers_alone = elfparse_policy_linux_compat;
    headers_alone.contents = 0;
    others = elfparse_policy_linux_compat;
    others.machines = ELFPARSE_MACHINE_I386 | ELFPARSE_MACHINE_S390X;
    others_alone = others;
    others_alone.contents = 0;
    load(optind < argc ? argv[optind] : "/usr/bin",
         optind + 1 < argc ? (unsigned)atoi(argv[optind + 1]) : 200);
    if (file_count == 0)
        return 1;
    if (count) {
        printf("%u\n", file_count);
        return 0;
    }
    for (unsigned i = 0; i < file_count; i++) {
        re_encode(&files[i]);
        if (!is_same(&files[i]))
            return 1;
    }
    if (only != NOTHING) {
        for (unsigned i = 0; i < rounds; i++)
            run_all(only);
        return 0;
    }
    double headers = measure(HEADERS, rounds);
    double all = measure(ALL, rounds);
    double libelf = measure(LIBELF, rounds);

    printf("%u files, ns a file\n", file_count);
    printf("  libelfparse, headers and PT_LOAD plan  %6.1f  (%.2f of libelf)\n", headers,
           headers / libelf);
    printf("  libelfparse, everything                %6.1f  (%.2f of libelf)\n", all, all / libelf);
    printf("  libelf, headers alone                  %6.1f\n", libelf);
    return 0;
}
