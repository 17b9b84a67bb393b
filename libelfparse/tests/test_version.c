/* Symbol versions: look-ups beside the C library's own dlsym and dlvsym, and damaged tables. */
#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elfparse/version.h>

#include "image.h"

#define NAME 256

struct library {
    void *handle;
    const struct link_map *map;
    uint8_t *data;
    struct elfparse_reader reader;
    struct elfparse_file file;
    struct elfparse_extent strings;
};

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    data = malloc(*size);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

static void open_library(const char *name, struct library *library)
{
    struct link_map *map;
    size_t size;

    library->handle = dlopen(name, RTLD_NOW);
    assert_non_null(library->handle);
    assert_int_equal(dlinfo(library->handle, RTLD_DI_LINKMAP, &map), 0);
    library->map = map;
    library->data = read_file(map->l_name, &size);
    library->reader = elfparse_reader_memory(library->data, size);
    assert_int_equal(elfparse_file_open(&library->reader, &library->file, NULL), 0);
    assert_int_equal(elfparse_dynamic_strings(&library->file, &library->strings, NULL), 0);
}

static void close_library(struct library *library)
{
    dlclose(library->handle);
    free(library->data);
}

static void get_string(const struct library *library, uint32_t offset, char name[NAME])
{
    assert_int_equal(
        elfparse_string_get(&library->file, &library->strings, offset, name, NAME, NULL, NULL), 0);
}

/* dlsym calls an indirect function, and of a thread-local one gives this thread's copy. */
static int has_plain_address(const struct elfparse_symbol *symbol)
{
    return (symbol->info & 15) != 10 && (symbol->info & 15) != 6 && symbol->shndx != 0xfff1;
}

static void expect_same(const struct library *library, const char *name, void *address, int code,
                        const struct elfparse_symbol *symbol)
{
    if (code == 0 && !has_plain_address(symbol))
        return;
    if ((code == 0) != (address != NULL) ||
        (code == 0 && library->map->l_addr + symbol->value != (uintptr_t)address))
        fail_msg("%s: code %d, value %#lx, address %p at %#lx", name, code,
                 (unsigned long)symbol->value, address, (unsigned long)library->map->l_addr);
}

/* The symbol with that index: its version, and by name and version as the C library finds it. */
static void compare_symbol(const struct library *library, uint32_t index,
                           const struct elfparse_symbol *symbol)
{
    struct elfparse_version version = {0};
    struct elfparse_symbol found = {0};
    char name[NAME], wanted[NAME];
    uint32_t versym;
    int code;

    assert_int_equal(elfparse_symbol_version(&library->file, index, &versym, NULL), 0);
    get_string(library, symbol->name, name);
    if (symbol->shndx == 0 || symbol->shndx == 0xfff1 || strlen(name) > NAME - 2)
        return;
    code = elfparse_lookup(&library->file, name, &found, NULL);
    expect_same(library, name, dlsym(library->handle, name), code, &found);
    if ((versym & ELFPARSE_VERSYM_INDEX) < 2)
        return;
    assert_int_equal(
        elfparse_version_find(&library->file, versym & ELFPARSE_VERSYM_INDEX, &version, NULL), 0);
    get_string(library, version.name, wanted);
    code = elfparse_lookup_version(&library->file, name, wanted, &found, NULL);
    assert_int_equal(code, 0);
    assert_int_equal(found.value, symbol->value);
    expect_same(library, name, dlvsym(library->handle, name, wanted), code, &found);
    assert_int_equal(elfparse_lookup_reference(&library->file, name, wanted, &found, NULL), 0);
    assert_int_equal(found.value, symbol->value);
    assert_int_equal(elfparse_lookup_version(&library->file, name, "NO_SUCH_1.0", &found, NULL),
                     ELFPARSE_ENOTFOUND);
}

static void look_ups_agree_with_the_c_library(void **state)
{
    static const char *const names[] = {"libc.so.6", "libm.so.6"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct elfparse_section section;
        struct elfparse_extent extent;
        struct elfparse_cursor cursor;
        struct elfparse_symbol symbol;
        struct library library;
        uint32_t index = 0;

        open_library(names[i], &library);
        assert_int_equal(elfparse_section_named(&library.file, ".dynsym", 0, &section, NULL), 0);
        assert_int_equal(section.type, ELFPARSE_SHT_DYNSYM);
        assert_int_equal(elfparse_section_extent(&library.file, &section, &extent, NULL), 0);
        assert_int_equal(elfparse_symbols_open(&library.file, &extent, &cursor, NULL), 0);
        for (; elfparse_symbol_next(&cursor, &symbol, NULL) == 1; index++)
            compare_symbol(&library, index, &symbol);
        assert_true(index > 500);
        close_library(&library);
    }
}

/* A reference without version takes the oldest: of exp, not the default one. */
static void references_without_version_take_the_first(void **state)
{
    struct elfparse_version version = {0};
    struct elfparse_symbol symbol, old;
    struct elfparse_versions versions;
    struct library library;
    unsigned defined = 0, needed = 0;
    char name[NAME];

    open_library("libm.so.6", &library);
    assert_int_equal(elfparse_lookup_version(&library.file, "exp", "GLIBC_2.2.5", &old, NULL), 0);
    assert_int_equal(elfparse_lookup_reference(&library.file, "exp", NULL, &symbol, NULL), 0);
    assert_int_equal(symbol.value, old.value);
    assert_int_equal(elfparse_lookup(&library.file, "exp", &symbol, NULL), 0);
    assert_int_not_equal(symbol.value, old.value);
    assert_int_equal(
        elfparse_versions_open(&library.file, ELFPARSE_VERSIONS_DEFINED, &versions, NULL), 0);
    for (; elfparse_version_next(&versions, &version, NULL) == 1; defined++)
        assert_int_equal((version.flags & ELFPARSE_VER_FLG_BASE) != 0, version.index == 1);
    assert_int_equal(
        elfparse_versions_open(&library.file, ELFPARSE_VERSIONS_NEEDED, &versions, NULL), 0);
    for (; elfparse_version_next(&versions, &version, NULL) == 1; needed++) {
        get_string(&library, version.library, name);
        assert_true(strstr(name, ".so") != NULL);
        get_string(&library, version.name, name);
        assert_true(strncmp(name, "GLIBC_", 6) == 0);
    }
    assert_true(defined > 5 && needed > 0);
    close_library(&library);
}

#define SIZE    0x1000u
#define DYNAMIC 0x100u
#define TABLE   0x400u

static uint8_t image[IMAGE_MAX];

/* One segment, whose dynamic entries name a table of needed or defined versions. */
static void make(uint64_t tag, uint64_t table)
{
    image_make(image);
    memset(image + 64, 0, SIZE - 64);
    image_put(image, E_PHNUM, 2, 2);
    image_put(image, PH(0, TYPE), ELFPARSE_PT_LOAD, 4);
    image_put(image, PH(0, FILESZ), SIZE, 8);
    image_put(image, PH(0, MEMSZ), SIZE, 8);
    image_put(image, PH(1, TYPE), ELFPARSE_PT_DYNAMIC, 4);
    image_put(image, PH(1, OFFSET), DYNAMIC, 8);
    image_put(image, PH(1, VADDR), DYNAMIC, 8);
    image_put(image, PH(1, FILESZ), 32, 8);
    image_put(image, DYNAMIC, tag, 8);
    image_put(image, DYNAMIC + 8, table, 8);
    image_put(image, TABLE, 1, 2);
}

/* Walks the table to its end and counts; *code is how that came. */
static unsigned count_versions(enum elfparse_version_kind kind, int *code)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
    struct elfparse_versions versions;
    struct elfparse_version version;
    struct elfparse_file file;
    unsigned count = 0;

    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    assert_int_equal(elfparse_versions_open(&file, kind, &versions, NULL), 0);
    while ((*code = elfparse_version_next(&versions, &version, NULL)) == 1)
        count++;
    return count;
}

/* Versions are found among the needed ones as well, and only where they are. */
static void versions_by_index(void **state)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
    struct elfparse_version version;
    struct elfparse_file file;
    uint32_t versym;

    make(ELFPARSE_DT_VERNEED, TABLE);
    image_put(image, TABLE + 8, 16, 4);
    image_put(image, TABLE + 16 + 6, 7, 2);
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    assert_int_equal(elfparse_version_find(&file, 7, &version, NULL), 0);
    assert_int_equal(version.index, 7);
    assert_int_equal(elfparse_version_find(&file, 8, &version, NULL), ELFPARSE_ENOTFOUND);
    assert_int_equal(elfparse_symbol_version(&file, 1, &versym, NULL), ELFPARSE_ENOTFOUND);
    image_put(image, TABLE, 2, 2);
    assert_int_equal(elfparse_version_find(&file, 7, &version, NULL), ELFPARSE_ETABLE);
    image_put(image, PH(1, FILESZ), 33, 8);
    assert_int_equal(elfparse_version_find(&file, 7, &version, NULL), ELFPARSE_ETABLE);
}

static void damaged_tables_end(void **state)
{
    int code;

    make(ELFPARSE_DT_VERDEF, TABLE);
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_DEFINED, &code), 1);
    assert_int_equal(code, 0);
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_NEEDED, &code), 0);
    assert_int_equal(code, 0);
    image_put(image, TABLE, 2, 2); /* vd_version */
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_DEFINED, &code), 0);
    assert_int_equal(code, ELFPARSE_ETABLE);
    make(ELFPARSE_DT_VERDEF, TABLE);
    image_put(image, TABLE + 12, SIZE - TABLE - 7, 4); /* vd_aux */
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_DEFINED, &code), 0);
    assert_int_equal(code, ELFPARSE_EUNMAPPED);
    make(ELFPARSE_DT_VERDEF, SIZE - 19);
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_DEFINED, &code), 0);
    assert_int_equal(code, ELFPARSE_EUNMAPPED);
    make(ELFPARSE_DT_VERNEED, SIZE - 15);
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_NEEDED, &code), 0);
    assert_int_equal(code, ELFPARSE_EUNMAPPED);
    make(ELFPARSE_DT_VERNEED, TABLE); /* without parts, then with one, then another library */
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_NEEDED, &code), 0);
    assert_int_equal(code, 0);
    image_put(image, TABLE + 8, 16, 4);
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_NEEDED, &code), 1);
    assert_int_equal(code, 0);
    image_put(image, TABLE + 12, 32, 4);
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_NEEDED, &code), 1);
    assert_int_equal(code, ELFPARSE_ETABLE);
    image_put(image, TABLE + 16 + 12, SIZE, 4); /* vna_next */
    assert_int_equal(count_versions(ELFPARSE_VERSIONS_NEEDED, &code), 1);
    assert_int_equal(code, ELFPARSE_EUNMAPPED);
}

#define LONG 0x400000u

/* A file that goes on with parts, each of which names the one after it. */
static int read_long(void *ctx, uint64_t offset, void *buf, size_t len)
{
    memset(buf, 0, len);
    if (offset + len <= SIZE)
        memcpy(buf, image + offset, len);
    else
        ((uint8_t *)buf)[12] = 16; /* vna_next */
    return 0;
}

static void tables_with_more_entries_than_indices_are_refused(void **state)
{
    struct elfparse_reader reader = {read_long, NULL, LONG};
    struct elfparse_versions versions;
    struct elfparse_version version;
    struct elfparse_file file;
    unsigned count = 0;
    int code;

    make(ELFPARSE_DT_VERNEED, TABLE);
    image_put(image, PH(0, FILESZ), LONG, 8);
    image_put(image, PH(0, MEMSZ), LONG, 8);
    image_put(image, TABLE + 8, SIZE, 4); /* vn_aux */
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    assert_int_equal(elfparse_versions_open(&file, ELFPARSE_VERSIONS_NEEDED, &versions, NULL), 0);
    while ((code = elfparse_version_next(&versions, &version, NULL)) == 1)
        count++;
    assert_int_equal(code, ELFPARSE_ETABLE);
    assert_int_equal(count, 0xffff); /* and the record of the library */
}

#define CROWD      102u /* program headers */
#define PARTS      0x3000u
#define PARTS_SIZE 0x50000u

static uint8_t crowded[PARTS_SIZE];
static uint64_t reads;

static int read_crowded(void *ctx, uint64_t offset, void *buf, size_t len)
{
    reads++;
    memcpy(buf, crowded + offset, len);
    return 0;
}

/* Parts that overlap, each of them behind many segments: no more reads than file.h says. */
static void looking_for_a_version_ends_soon(void **state)
{
    struct elfparse_reader reader = {read_crowded, NULL, PARTS_SIZE};
    struct elfparse_version version;
    struct elfparse_error error;
    struct elfparse_file file;

    make(ELFPARSE_DT_VERNEED, PARTS);
    memcpy(crowded, image, SIZE);
    memset(crowded + 64, 0, SIZE - 64);
    image_put(crowded, E_PHNUM, CROWD, 2);
    for (unsigned i = 0; i < CROWD - 2; i++)
        image_put(crowded, PH(i, TYPE), ELFPARSE_PT_LOAD, 4);
    memcpy(crowded + PH(CROWD - 2, TYPE), image + PH(0, TYPE), 2 * 56);
    image_put(crowded, PH(CROWD - 2, FILESZ), PARTS_SIZE, 8);
    image_put(crowded, PH(CROWD - 1, OFFSET), PARTS - 64, 8);
    memcpy(crowded + PARTS - 64, image + DYNAMIC, 32);
    for (uint64_t i = PARTS; i < PARTS_SIZE; i += 4)
        image_put(crowded, i, 4,
                  4); /* vna_next; the lowest part of the first record is vn_version */
    image_put(crowded, PARTS, 1, 2);
    image_put(crowded, PARTS + 12, 0, 4);
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    reads = 0;
    assert_int_equal(elfparse_version_find(&file, 7, &version, &error), ELFPARSE_ETABLE);
    assert_int_equal(reads, 4 * PARTS_SIZE + (1 << 20));
    assert_int_equal(error.expected, reads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look_ups_agree_with_the_c_library),
        cmocka_unit_test(references_without_version_take_the_first),
        cmocka_unit_test(versions_by_index),
        cmocka_unit_test(damaged_tables_end),
        cmocka_unit_test(tables_with_more_entries_than_indices_are_refused),
        cmocka_unit_test(looking_for_a_version_ends_soon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
