/*
 * Linking next to the dynamic linker: a program is started with LD_BIND_NOW and stopped when the
 * dynamic linker has relocated everything and called nothing but indirect functions. The same files
 * are linked here, in memory of our own, for the addresses that they have there; the load order and
 * every word that a relocation changes must be the same.
 *
 * Not compared, but counted by kind, as fuzz/divergences.tsv allows: what indirect functions
 * return, which depends on the processor and is taken over; descriptors of thread-local storage,
 * whose function is the dynamic linker's own; copies of two variables that the C library and its
 * dynamic linker set before the first initialiser. No other word is left out, and none of the dynamic linker's own.
 *
 * Arguments: programs, or a number and a folder, of whose programs so many are taken, evenly.
 */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elfparse/elfparse.h>
#include <elfparse/link.h>
#include <elfparse/relocate.h>

#include "divergence.h"

#define OBJECTS 400
#define RANGES  64

/* What is said of each byte of an object. */
enum mark { MARK_NONE, MARK_PLAIN, MARK_COPY, MARK_EARLY, MARK_DESCRIPTOR, MARK_IFUNC, MARK_COUNT };

/* An object of the process, as its dynamic linker has it. */
struct there {
    char path[512];
    uint64_t bias;
};

struct image {
    uint8_t *data, *memory, *marks;
    size_t size;
    struct elfparse_reader reader;
    struct elfparse_plan plan;
    struct elfparse_range ranges[RANGES];
    uint8_t scratch[8192];
};

/* One program. */
struct run {
    const char *program;
    pid_t pid;
    int memory; /* of the process */
    uint64_t base;
    char interpreter[256];
    struct there there[OBJECTS];
    int there_count;
    struct image images[OBJECTS];
    struct elfparse_object objects[OBJECTS];
    struct elfparse_link link;
    unsigned long words[MARK_COUNT];
};

static struct run run;

/* Over all programs. */
static unsigned programs;
static unsigned long sums[MARK_COUNT];
static bool is_allowed[MARK_COUNT]; /* to differ, by the table of differences */

static void die(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s: %s\n", run.program, what, name);
    if (run.pid > 0)
        kill(run.pid, SIGKILL);
    exit(1);
}

static void peek(uint64_t address, void *to, size_t size)
{
    if (pread(run.memory, to, size, (off_t)address) != (ssize_t)size)
        die("memory of the process", "cannot be read");
}

static void poke(uint64_t address, const void *from, size_t size)
{
    if (pwrite(run.memory, from, size, (off_t)address) != (ssize_t)size)
        die("memory of the process", "cannot be written");
}

static uint64_t peek_word(uint64_t address)
{
    uint64_t word;

    peek(address, &word, sizeof(word));
    return word;
}

/* The file's pages as the plan says, in memory of our own. */
static void load_image(struct image *image, const char *path)
{
    struct elfparse_storage storage = {image->scratch, sizeof(image->scratch), image->ranges,
                                       RANGES};
    struct stat about;
    int file = open(path, O_RDONLY);

    if (file < 0 || fstat(file, &about) != 0)
        die("cannot be opened", path);
    image->size = (size_t)about.st_size;
    image->data = malloc(image->size);
    if (read(file, image->data, image->size) != (ssize_t)image->size)
        die("cannot be read", path);
    close(file);
    image->reader = elfparse_reader_memory(image->data, image->size);
    if (elfparse_plan_make(&image->reader, &elfparse_policy_linux_compat, &storage, &image->plan,
                           NULL) != 0)
        die("is refused", path);
}

static void place_image(struct image *image, uint64_t bias, struct elfparse_object *object)
{
    struct elfparse_storage storage = {image->scratch, sizeof(image->scratch), image->ranges,
                                       RANGES};
    struct elfparse_plan *plan = &image->plan;

    if (elfparse_plan_apply_bias(plan, &storage, &elfparse_policy_linux_compat, bias, NULL) != 0)
        die("its address is refused", "bias");
    image->memory = calloc(1, plan->end - plan->start);
    image->marks = calloc(1, plan->end - plan->start);
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *r = &plan->ranges[i];

        memcpy(image->memory + (r->vaddr - plan->start), image->data + r->offset, r->file_bytes);
    }
    object->plan = plan;
    object->memory = image->memory;
}

static int read_auxv(void)
{
    Elf64_auxv_t entry;
    char path[64];
    int file;

    snprintf(path, sizeof(path), "/proc/%d/auxv", run.pid);
    file = open(path, O_RDONLY);
    while (read(file, &entry, sizeof(entry)) == sizeof(entry)) {
        if (entry.a_type == AT_BASE)
            run.base = entry.a_un.a_val;
    }
    close(file);
    return run.base != 0;
}

static uint64_t address_in(struct image *linker, const char *name)
{
    struct elfparse_symbol symbol;
    struct elfparse_file file;

    if (elfparse_file_open(&linker->reader, &file, NULL) != 0 ||
        elfparse_lookup(&file, name, &symbol, NULL) != 0)
        die("the dynamic linker has no", name);
    return run.base + symbol.value;
}

/* Lets the process go on from a breakpoint, whose instruction is first run without it. */
static void pass(uint64_t address, uint8_t instruction)
{
    static const uint8_t breakpoint = 0xcc;
    struct user_regs_struct regs;
    int status;

    ptrace(PTRACE_GETREGS, run.pid, NULL, &regs);
    regs.rip = address;
    ptrace(PTRACE_SETREGS, run.pid, NULL, &regs);
    poke(address, &instruction, 1);
    ptrace(PTRACE_SINGLESTEP, run.pid, NULL, NULL);
    waitpid(run.pid, &status, 0);
    poke(address, &breakpoint, 1);
}

/* Runs the process until its dynamic linker tells debuggers that all objects are in order. */
static void wait_for_linker(struct image *linker)
{
    uint64_t told = address_in(linker, "_dl_debug_state"), debug = address_in(linker, "_r_debug");
    uint8_t instruction, breakpoint = 0xcc;
    int status;

    peek(told, &instruction, 1);
    poke(told, &breakpoint, 1);
    for (;;) {
        ptrace(PTRACE_CONT, run.pid, NULL, NULL);
        waitpid(run.pid, &status, 0);
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            die("the process ended", "before it was linked");
        if ((uint32_t)peek_word(debug + 24) == ELFPARSE_DEBUG_CONSISTENT)
            break;
        pass(told, instruction);
    }
    poke(told, &instruction, 1);
    for (uint64_t map = peek_word(debug + 8); map != 0; map = peek_word(map + 24)) {
        struct there *there = &run.there[run.there_count++];
        uint64_t name = peek_word(map + 8);

        there->bias = peek_word(map);
        for (size_t i = 0; i + 1 < sizeof(there->path); i++) {
            peek(name + i, &there->path[i], 1);
            if (there->path[i] == '\0')
                break;
        }
        if (strstr(there->path, "linux-vdso") != NULL)
            run.there_count--;
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* The callback of link.h: the file that the dynamic linker took. */
static int load(void *ctx, const struct elfparse_object *by, const char *needed,
                struct elfparse_object *object)
{
    for (int i = 1; i < run.there_count; i++) {
        if (strcmp(base_name(run.there[i].path), base_name(needed)) == 0) {
            struct image *image = &run.images[run.link.count];

            object->name = run.there[i].path;
            load_image(image, run.there[i].path);
            place_image(image, run.there[i].bias, object);
            return 0;
        }
    }
    return -1;
}

static void mark(uint64_t place, size_t size, enum mark kind)
{
    for (uint32_t i = 0; i < run.link.count; i++) {
        const struct elfparse_plan *plan = run.objects[i].plan;

        if (place >= plan->start && place < plan->end)
            memset(run.images[i].marks + (place - plan->start), kind, size);
    }
}

/* What an indirect function returned there is taken over. */
static int take_over(void *ctx, uint64_t place, uint64_t resolver, uint64_t *value)
{
    *value = peek_word(place);
    mark(place, 8, MARK_IFUNC);
    return 0;
}

static int mark_read(void *ctx, uint64_t address, void *buf, size_t len)
{
    struct image *image = ctx;

    memcpy(buf, image->memory + (address - image->plan.start), len);
    return 0;
}

static int mark_write(void *ctx, uint64_t address, const void *buf, size_t len)
{
    struct image *image = ctx;

    memset(image->marks + (address - image->plan.start), MARK_PLAIN, len);
    return 0;
}

static int mark_bind(void *ctx, const struct elfparse_relocation *relocation, uint64_t *value)
{
    *value = 0;
    return 0;
}

/* glibc sets the first in __libc_early_init, and the second where its dynamic linker begins. */
static int is_early(const struct image *image, const struct elfparse_symbol *symbol)
{
    struct elfparse_extent strings;
    struct elfparse_file file;
    char name[64] = "";

    if (elfparse_file_open(&image->reader, &file, NULL) != 0 ||
        elfparse_dynamic_strings(&file, &strings, NULL) != 0 ||
        elfparse_string_get(&file, &strings, symbol->name, name, sizeof(name), NULL, NULL) != 0)
        die("a symbol", "has no name");
    return strcmp(name, "__libc_single_threaded") == 0 || strcmp(name, "__libc_stack_end") == 0;
}

static int mark_special(void *ctx, const struct elfparse_relocation *relocation)
{
    enum mark kind = MARK_PLAIN;

    if (relocation->kind == ELFPARSE_SPECIAL_COPY)
        kind = is_early(ctx, &relocation->symbol) ? MARK_EARLY : MARK_COPY;
    else if (relocation->kind == ELFPARSE_SPECIAL_TLS_DESC)
        kind = MARK_DESCRIPTOR;
    mark(relocation->address, relocation->size, kind);
    return 0;
}

/* Finds out which bytes the relocations of an object change. */
static void mark_targets(struct image *image)
{
    struct elfparse_image relocate = {.machine = ELFPARSE_EM_X86_64,
                                      .ranges = image->plan.ranges,
                                      .range_count = image->plan.range_count,
                                      .bias = image->plan.bias,
                                      .dynamic = image->plan.dynamic.vaddr,
                                      .read = mark_read,
                                      .write = mark_write,
                                      .bind = mark_bind,
                                      .special = mark_special,
                                      .ctx = image};

    if (elfparse_relocate(&relocate, NULL) != 0)
        die("its relocations", "cannot be read");
}

/* The bytes that are marked must be equal, but for the kinds that are only counted. */
static void compare_page(const struct image *image, const char *name, uint64_t page)
{
    const uint8_t *marks = image->marks + (page - image->plan.start);
    const uint8_t *here = image->memory + (page - image->plan.start);
    uint8_t there[ELFPARSE_PAGE_SIZE];
    int read = 0;

    for (unsigned i = 0; i < sizeof(there); i++) {
        if (marks[i] == MARK_NONE)
            continue;
        if (!read++)
            peek(page, there, sizeof(there));
        run.words[marks[i]]++;
        if (here[i] == there[i] || is_allowed[marks[i]])
            continue;
        fprintf(stderr, "%s: byte %#lx (mark %d) is %#x, but the dynamic linker has %#x\n", name,
                (unsigned long)(page + i - image->plan.bias), marks[i], here[i], there[i]);
        die("words", "differ");
    }
}

static void compare_object(uint32_t number)
{
    const struct image *image = &run.images[number];

    for (uint64_t page = image->plan.start; page < image->plan.end; page += ELFPARSE_PAGE_SIZE)
        compare_page(image, run.objects[number].name, page);
}

static void start(void)
{
    int status;
    char path[64];

    run.pid = fork();
    if (run.pid == 0) {
        char *argv[] = {(char *)run.program, NULL};

        setenv("LD_BIND_NOW", "1", 1);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(run.program, argv);
        _exit(127);
    }
    waitpid(run.pid, &status, 0);
    if (!WIFSTOPPED(status))
        die("cannot be", "started");
    snprintf(path, sizeof(path), "/proc/%d/mem", run.pid);
    run.memory = open(path, O_RDWR);
}

static void finish(void)
{
    int status;

    kill(run.pid, SIGKILL);
    waitpid(run.pid, &status, 0);
    close(run.memory);
    for (uint32_t i = 0; i < run.link.count; i++) {
        free(run.images[i].data);
        free(run.images[i].memory);
        free(run.images[i].marks);
    }
}

static void link_here(void)
{
    struct elfparse_link_error error;
    char text[ELFPARSE_LINK_ERROR_MAX];

    run.link.machine = ELFPARSE_EM_X86_64;
    run.link.objects = run.objects;
    run.link.capacity = OBJECTS;
    run.link.count = 1;
    run.link.load = load;
    run.link.ifunc = take_over;
    run.link.tls_descriptor = 1;
    run.objects[0].name = run.program;
    if (elfparse_link_load(&run.link, &error) == 0) {
        for (uint32_t i = 0; i < run.link.count; i++)
            mark_targets(&run.images[i]);
        if (elfparse_link_relocate(&run.link, &error) == 0)
            return;
    }
    elfparse_link_error_format(&error, text, sizeof(text));
    die("is not linked", text);
}

static void print(const char *name, unsigned objects, const unsigned long words[MARK_COUNT])
{
    printf("%s: %u objects, %lu bytes of words and %lu of copies are equal; not compared: %lu of "
           "indirect functions, %lu of descriptors, %lu set early\n",
           name, objects, words[MARK_PLAIN], words[MARK_COPY], words[MARK_IFUNC],
           words[MARK_DESCRIPTOR], words[MARK_EARLY]);
}

static void handle(const char *program)
{
    struct image *linker = &run.images[OBJECTS - 1];

    memset(&run, 0, sizeof(run));
    run.program = program;
    load_image(&run.images[0], program);
    if (run.images[0].plan.interp.path == NULL) {
        printf("%s: has no interpreter\n", program);
        free(run.images[0].data);
        return;
    }
    start();
    if (!read_auxv())
        die("has no", "dynamic linker");
    load_image(linker, run.images[0].plan.interp.path);
    wait_for_linker(linker);
    free(linker->data);
    place_image(&run.images[0], run.there[0].bias, &run.objects[0]);
    link_here();
    for (uint32_t i = 1; i < run.link.count; i++) {
        if (strcmp(run.objects[i].name, run.there[i].path) != 0)
            die("another object comes in its place", run.there[i].path);
    }
    for (uint32_t i = 0; i < run.link.count; i++)
        compare_object(i);
    print(program, run.link.count, run.words);
    programs++;
    for (int i = 0; i < MARK_COUNT; i++)
        sums[i] += run.words[i];
    finish();
}

/* 1 if the file is for the dynamic linker, and one may read it. */
static int is_dynamic(const char *path)
{
    static struct image image;
    static const unsigned char magic[5] = {0x7f, 'E', 'L', 'F', 2}; /* ELFCLASS64 */
    struct stat about;
    unsigned char start_bytes[5] = {0};
    int file = open(path, O_RDONLY), elf;

    elf = file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
          (about.st_mode & S_ISUID) == 0 && read(file, start_bytes, 5) == 5 &&
          memcmp(start_bytes, magic, 5) == 0;
    if (file >= 0)
        close(file);
    if (!elf)
        return 0;
    load_image(&image, path);
    elf = image.plan.interp.path != NULL && strstr(image.plan.interp.path, "x86-64") != NULL;
    free(image.data);
    return elf;
}

/* So many programs of a folder, evenly; fewer are a failure. */
static void handle_folder(unsigned wanted, const char *folder)
{
    struct dirent **names;
    static char paths[20000][300];
    int count = scandir(folder, &names, NULL, alphasort);
    unsigned found = 0;

    for (int i = 0; i < count; i++) {
        char path[300];

        snprintf(path, sizeof(path), "%s/%.250s", folder, names[i]->d_name);
        free(names[i]);
        if (found < sizeof(paths) / sizeof(paths[0]) && is_dynamic(path))
            memcpy(paths[found++], path, sizeof(path));
    }
    free(names);
    if (found < wanted) {
        fprintf(stderr, "%s has %u programs, wanted are %u\n", folder, found, wanted);
        exit(1);
    }
    for (unsigned i = 0; i < wanted; i++)
        handle(paths[i * found / wanted]);
}

int main(int argc, char **argv)
{
    char name[32];

    is_allowed[MARK_IFUNC] = divergence_allowed("ld.so", "ifunc");
    is_allowed[MARK_DESCRIPTOR] = divergence_allowed("ld.so", "descriptor");
    is_allowed[MARK_EARLY] = divergence_allowed("ld.so", "early");
    if (argc == 3 && atoi(argv[1]) > 0)
        handle_folder((unsigned)atoi(argv[1]), argv[2]);
    else
        for (int i = 1; i < argc; i++)
            handle(argv[i]);
    snprintf(name, sizeof(name), "%u programs", programs);
    print(name, 0, sums);
    return programs == 0;
}
