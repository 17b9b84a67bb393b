/*
 * Relocation next to the dynamic linker: libraries of this process are loaded once more, beside
 * themselves, with the bias that they have, relocated here, and compared with what the dynamic
 * linker made of them, in every word that is read-only after relocation.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <elfparse/elfparse.h>
#include <elfparse/relocate.h>
#include <elfparse/version.h>

#define RANGES 64

struct library {
    const char *name;
    void *handle;
    const struct link_map *map;
    uint8_t *data;
    size_t size;
    struct elfparse_reader reader;
    struct elfparse_file file;
    struct elfparse_extent strings;
    struct elfparse_plan plan;
    struct elfparse_range ranges[RANGES];
    uint8_t scratch[4096];
    uint8_t *memory;
    unsigned special, resolved;
};

static void die(const struct library *library, const char *what)
{
    fprintf(stderr, "%s: %s\n", library->name, what);
    exit(1);
}

static void read_library(struct library *library)
{
    struct link_map *map;
    FILE *file;

    library->handle = dlopen(library->name, RTLD_NOW | RTLD_GLOBAL);
    if (library->handle == NULL || dlinfo(library->handle, RTLD_DI_LINKMAP, &map) != 0)
        die(library, "cannot be opened");
    library->map = map;
    file = fopen(map->l_name, "rb");
    if (file == NULL)
        die(library, "cannot be read");
    fseek(file, 0, SEEK_END);
    library->size = (size_t)ftell(file);
    rewind(file);
    library->data = malloc(library->size);
    if (fread(library->data, 1, library->size, file) != library->size)
        die(library, "cannot be read");
    fclose(file);
}

/* Its pages as the plan says, in memory of our own. */
static void load_library(struct library *library)
{
    struct elfparse_storage storage = {library->scratch, sizeof(library->scratch), library->ranges,
                                       RANGES};
    struct elfparse_plan *plan = &library->plan;

    library->reader = elfparse_reader_memory(library->data, library->size);
    if (elfparse_file_open(&library->reader, &library->file, NULL) != 0 ||
        elfparse_dynamic_strings(&library->file, &library->strings, NULL) != 0 ||
        elfparse_plan_make(&library->reader, &elfparse_policy_linux_compat, &storage, plan, NULL) !=
            0 ||
        elfparse_plan_apply_bias(plan, &storage, &elfparse_policy_linux_compat,
                                 library->map->l_addr, NULL) != 0)
        die(library, "is refused");
    library->memory = calloc(1, plan->end - plan->start);
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *r = &plan->ranges[i];

        memcpy(library->memory + (r->vaddr - plan->start), library->data + r->offset,
               r->file_bytes);
    }
}

/* As the dynamic linker of the process has it, by name and version. */
static int resolve(void *ctx, uint32_t index, const struct elfparse_symbol *symbol, uint64_t *value)
{
    struct library *library = ctx;
    struct elfparse_version version = {0};
    char name[512], wanted[64];
    uint32_t versym = 0;

    if (elfparse_string_get(&library->file, &library->strings, symbol->name, name, sizeof(name),
                            NULL, NULL) != 0)
        die(library, "a symbol has no name");
    elfparse_symbol_version(&library->file, index, &versym, NULL);
    library->resolved++;
    if (elfparse_version_find(&library->file, versym & ELFPARSE_VERSYM_INDEX, &version, NULL) !=
            0 ||
        (version.flags & ELFPARSE_VER_FLG_BASE) != 0) {
        *value = (uintptr_t)dlsym(RTLD_DEFAULT, name);
        return 0;
    }
    if (elfparse_string_get(&library->file, &library->strings, version.name, wanted, sizeof(wanted),
                            NULL, NULL) != 0)
        die(library, "a version has no name");
    *value = (uintptr_t)dlvsym(RTLD_DEFAULT, name, wanted);
    return 0;
}

/* Left alone here: what the dynamic linker stored is taken over. */
static int take_over(void *ctx, const struct elfparse_relocation *relocation)
{
    struct library *library = ctx;

    library->special++;
    memcpy(library->memory + (relocation->address - library->plan.start),
           (const void *)(uintptr_t)relocation->address, relocation->size);
    return 0;
}

/* Every word of the pages that RELRO makes read-only. */
static unsigned compare(const struct library *library)
{
    const struct elfparse_plan *plan = &library->plan;
    uint64_t end = (plan->relro.vaddr + plan->relro.size) & ~(ELFPARSE_PAGE_SIZE - 1);
    unsigned words = 0;

    for (uint64_t at = (plan->relro.vaddr + 7) & ~UINT64_C(7); at + 8 <= end; at += 8, words++) {
        const uint8_t *mine = library->memory + (at - plan->start);

        /* The dynamic linker relocates its own copy of the dynamic entries in place. */
        if (at - plan->dynamic.vaddr < plan->dynamic.size)
            continue;
        if (memcmp(mine, (const void *)(uintptr_t)at, 8) != 0) {
            uint64_t here, there;

            memcpy(&here, mine, 8);
            memcpy(&there, (const void *)(uintptr_t)at, 8);
            fprintf(stderr, "%s: at %#lx is %#lx, but the dynamic linker has %#lx\n", library->name,
                    (unsigned long)(at - plan->bias), (unsigned long)here, (unsigned long)there);
            exit(1);
        }
    }
    return words;
}

static void handle(const char *name)
{
    static struct library library;
    struct elfparse_image image = {0};
    struct elfparse_error error;
    char text[ELFPARSE_ERROR_MAX];

    memset(&library, 0, sizeof(library));
    library.name = name;
    read_library(&library);
    load_library(&library);
    image.machine = ELFPARSE_EM_X86_64;
    image.ranges = library.plan.ranges;
    image.range_count = library.plan.range_count;
    image.bias = library.plan.bias;
    image.dynamic = library.plan.dynamic.vaddr;
    image.memory = library.memory;
    image.start = library.plan.start;
    image.size = library.plan.end - library.plan.start;
    image.resolve = resolve;
    image.special = take_over;
    image.ctx = &library;
    if (elfparse_relocate(&image, &error) != 0) {
        elfparse_error_format(&error, text, sizeof(text));
        die(&library, text);
    }
    printf("%s: %u words are equal, %u symbols resolved, %u relocations taken over\n", name,
           compare(&library), library.resolved, library.special);
    free(library.memory);
    free(library.data);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 1;
    for (int i = 1; i < argc; i++)
        handle(argv[i]);
    return 0;
}
