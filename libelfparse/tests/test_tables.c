/* Hash tables, strings and sections that contradict themselves; every read of them failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <elfparse/file.h>
#include <elfparse/symbolize.h>
#include <elfparse/version.h>

#include "image.h"

#define SIZE     0x1000u
#define DYNAMIC  0x100u
#define STRTAB   0x200u
#define SYMTAB   0x300u
#define HASH     0x400u
#define VERSIONS 0x480u
#define STRSZ    0x90u

static uint8_t image[IMAGE_MAX];

static void put_dynamic(unsigned entry, uint64_t tag, uint64_t value)
{
    image_put(image, DYNAMIC + entry * 16, tag, 8);
    image_put(image, DYNAMIC + entry * 16 + 8, value, 8);
}

/* Two segments and no sections: symbol 1 is "name", 2 is "und" and not defined. */
static void make(uint64_t hash_tag, uint64_t hash)
{
    image_make(image);
    memset(image + 64, 0, SIZE - 64);
    image_put(image, E_PHNUM, 2, 2);
    image_put(image, PH(0, TYPE), ELFPARSE_PT_LOAD, 4);
    image_put(image, PH(0, FLAGS), 5, 4);
    image_put(image, PH(0, FILESZ), SIZE, 8);
    image_put(image, PH(0, MEMSZ), SIZE, 8);
    image_put(image, PH(1, TYPE), ELFPARSE_PT_DYNAMIC, 4);
    image_put(image, PH(1, OFFSET), DYNAMIC, 8);
    image_put(image, PH(1, VADDR), DYNAMIC, 8);
    image_put(image, PH(1, FILESZ), 6 * 16, 8);
    put_dynamic(0, ELFPARSE_DT_SYMTAB, SYMTAB);
    put_dynamic(1, ELFPARSE_DT_STRTAB, STRTAB);
    put_dynamic(2, ELFPARSE_DT_STRSZ, STRSZ);
    put_dynamic(3, hash_tag, hash);
    memcpy(image + STRTAB, "\0name\0und", 10);
    memset(image + STRTAB + 16, 'n', STRSZ - 17); /* a name longer than one read brings */
    image_put(image, SYMTAB + 24, 1, 4);
    image_put(image, SYMTAB + 28, 0x12, 1);
    image_put(image, SYMTAB + 30, 1, 2);
    image_put(image, SYMTAB + 32, 0x100, 8);
    image_put(image, SYMTAB + 48, 6, 4);
}

static void put_words(uint64_t at, const uint32_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        image_put(image, at + 4 * i, words[i], 4);
}

static int look_up(const char *name)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
    struct elfparse_symbol symbol;
    struct elfparse_file file;

    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    return elfparse_lookup(&file, name, &symbol, NULL);
}

struct table_case {
    const char *name;
    uint32_t words[7];
    int code;
};

/* Buckets, chains, one bucket, chains */
static void sysv_tables(void **state)
{
    static const struct table_case cases[] = {
        {"name", {1, 3, 1, 0, 2, 0}, 0},
        {"name", {1, 3, 2, 0, 0, 1}, 0},
        {"und", {1, 3, 1, 0, 2, 0}, ELFPARSE_ENOTFOUND},
        {"other", {1, 3, 1, 0, 2, 0}, ELFPARSE_ENOTFOUND},
        {"name", {0, 3, 1, 0, 2, 0}, ELFPARSE_ENOTFOUND},
        {"name", {1, 3, 0, 0, 2, 0}, ELFPARSE_ENOTFOUND},
        {"name", {1, 3, 3, 0, 2, 0}, ELFPARSE_EHASH},
        {"name", {1, 1, 1, 0, 2, 0}, ELFPARSE_EHASH},
        {"other", {1, 3, 1, 0, 1, 0}, ELFPARSE_EHASH},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(ELFPARSE_DT_HASH, HASH);
        put_words(HASH, cases[i].words, 6);
        assert_int_equal(look_up(cases[i].name), cases[i].code);
    }
    make(ELFPARSE_DT_HASH, SIZE - 4);
    assert_int_equal(look_up("name"), ELFPARSE_EUNMAPPED);
    make(ELFPARSE_DT_HASH, SIZE);
    assert_int_equal(look_up("name"), ELFPARSE_EUNMAPPED);
}

static uint64_t reads;

static int read_counted(void *ctx, uint64_t offset, void *buf, size_t len)
{
    reads++;
    memcpy(buf, image + offset, len);
    return 0;
}

/* Whatever number of chains the table claims. */
static void chains_in_circles_end_soon(void **state)
{
    static const uint32_t words[] = {1, UINT32_MAX, 1, 0, 2, 1};
    struct elfparse_reader reader = {read_counted, NULL, SIZE};
    struct elfparse_symbol symbol;
    struct elfparse_error error;
    struct elfparse_file file;
    char sentence[ELFPARSE_ERROR_MAX];

    make(ELFPARSE_DT_HASH, HASH);
    put_words(HASH, words, 6);
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    reads = 0;
    assert_int_equal(elfparse_lookup(&file, "other", &symbol, &error), ELFPARSE_EHASH);
    assert_int_equal(reads, 4 * SIZE + (1 << 20));
    elfparse_error_format(&error, sentence, sizeof(sentence));
    assert_string_equal(sentence, "the hash table leads to 1064961 where at most 1064960 fit "
                                  "(symbols, steps or reads)");
    put_words(HASH + 20, (const uint32_t[]){0}, 1);
    reader.size = UINT64_MAX; /* no limit overflows */
    assert_int_equal(elfparse_lookup(&file, "other", &symbol, NULL), ELFPARSE_ENOTFOUND);
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33u + (uint8_t)*name;
    return hash;
}

/* Buckets, first symbol, words of the filter, its shift, one bucket, hashes */
static void gnu_tables(void **state)
{
    const uint32_t name = gnu_hash("name") & ~1u, und = gnu_hash("und") | 1u;
    const struct table_case cases[] = {
        {"name", {1, 1, 0, 0, 1, name, und}, 0},
        {"name", {1, 1, 0, 0, 2, 0, name | 1}, ELFPARSE_ENOTFOUND},
        {"und", {1, 1, 0, 0, 1, name, und}, ELFPARSE_ENOTFOUND},
        {"other", {1, 1, 0, 0, 1, name, und}, ELFPARSE_ENOTFOUND},
        {"name", {0, 1, 0, 0, 1, name, und}, ELFPARSE_ENOTFOUND},
        {"name", {1, 1, 0, 0, 0, name, und}, ELFPARSE_ENOTFOUND},
        {"name", {1, 2, 0, 0, 1, name, und}, ELFPARSE_EHASH},
        {"name", {1, 1, 0xffffffff, 0, 1, name, und}, ELFPARSE_EUNMAPPED},
        {"name", {1, 1, 0, 0, UINT32_MAX - 1, name, und}, ELFPARSE_EUNMAPPED},
        {"name", {1, UINT32_MAX, 0, 0, UINT32_MAX, name, und}, ELFPARSE_ENOTFOUND},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(ELFPARSE_DT_GNU_HASH, HASH);
        put_words(HASH, cases[i].words, 7);
        assert_int_equal(look_up(cases[i].name), cases[i].code);
    }
    make(ELFPARSE_DT_GNU_HASH, SIZE - 24);
    put_words(SIZE - 24, (const uint32_t[]){1, 1, 0, 0, 1, 2}, 6);
    assert_int_equal(look_up("name"), ELFPARSE_EUNMAPPED); /* the chain does not end in the file */
}

static void names_that_do_not_end(void **state)
{
    static const uint32_t words[] = {1, 3, 1, 0, 0, 0};
    char name[STRSZ];

    memset(name, 'n', sizeof(name));
    name[STRSZ - 17] = '\0';
    make(ELFPARSE_DT_HASH, HASH);
    put_words(HASH, words, 6);
    image_put(image, SYMTAB + 24, 16, 4);
    assert_int_equal(look_up(name), 0);
    image[STRTAB + STRSZ - 1] = 'n';
    name[STRSZ - 17] = 'n';
    name[STRSZ - 1] = '\0';
    assert_int_equal(look_up(name), ELFPARSE_ESTRING);
    image_put(image, SYMTAB + 24, STRSZ, 4);
    assert_int_equal(look_up(""), ELFPARSE_ESTRING);
}

struct failing {
    int countdown;
};

static int read_failing(void *ctx, uint64_t offset, void *buf, size_t len)
{
    if (((struct failing *)ctx)->countdown-- == 0)
        return -5;
    memcpy(buf, image + offset, len);
    return 0;
}

/* Symbols 1 and 2 have the name, in this order in the chain, and these versions. */
static void make_versions(int64_t hash_tag, uint32_t first, uint32_t second)
{
    static const uint32_t sysv[] = {1, 3, 1, 0, 2, 0};
    const uint32_t gnu[] = {1, 1, 0, 0, 1, gnu_hash("name") & ~1u, gnu_hash("name") | 1};

    make((uint64_t)hash_tag, HASH);
    put_dynamic(4, ELFPARSE_DT_VERSYM, VERSIONS);
    if (hash_tag == ELFPARSE_DT_HASH)
        put_words(HASH, sysv, 6);
    else
        put_words(HASH, gnu, 7);
    for (unsigned i = 1; i <= 2; i++) {
        image_put(image, SYMTAB + 24 * i, 1, 4);
        image_put(image, SYMTAB + 24 * i + 4, 0x12, 1);
        image_put(image, SYMTAB + 24 * i + 6, 1, 2);
        image_put(image, SYMTAB + 24 * i + 8, 100 * i, 8);
    }
    image_put(image, VERSIONS + 2, first, 2);
    image_put(image, VERSIONS + 4, second, 2);
}

static int look_up_versions(int64_t hash_tag, uint32_t first, uint32_t second, uint64_t *value)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
    struct elfparse_symbol symbol;
    struct elfparse_file file;
    int code;

    make_versions(hash_tag, first, second);
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    code = elfparse_lookup(&file, "name", &symbol, NULL);
    if (code == 0)
        *value = symbol.value;
    return code;
}

/* What dlsym takes: the default version, and what has none even where it is hidden. */
static void old_versions_are_passed_over(void **state)
{
    static const int64_t tags[] = {ELFPARSE_DT_HASH, ELFPARSE_DT_GNU_HASH};
    uint64_t value = 0;

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(look_up_versions(tags[i], 0x8002, 3, &value), 0);
        assert_int_equal(value, 200);
        assert_int_equal(look_up_versions(tags[i], 2, 0x8003, &value), 0);
        assert_int_equal(value, 100);
        assert_int_equal(look_up_versions(tags[i], 0x8001, 3, &value), 0);
        assert_int_equal(value, 100);
        assert_int_equal(look_up_versions(tags[i], 0x8002, 0x8003, &value), ELFPARSE_ENOTFOUND);
        /* Two default versions: neither; but a symbol without version after one. */
        assert_int_equal(look_up_versions(tags[i], 2, 3, &value), ELFPARSE_ENOTFOUND);
        assert_int_equal(look_up_versions(tags[i], 2, 1, &value), 0);
        assert_int_equal(value, 200);
    }
    put_dynamic(4, ELFPARSE_DT_VERSYM, SIZE - 3);
    assert_int_equal(look_up("name"), ELFPARSE_EUNMAPPED);
}

/* A version that the file does not name, or only names itself by, is as good as none. */
static void versions_that_name_nothing(void **state)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
    struct elfparse_symbol symbol = {0};
    struct elfparse_file file;

    for (unsigned base = 0; base < 2; base++) {
        make_versions(ELFPARSE_DT_HASH, 0x8005, 5);
        if (base == 1) {
            put_dynamic(5, ELFPARSE_DT_VERDEF, VERSIONS + 16);
            image_put(image, VERSIONS + 16, 1, 2);
            image_put(image, VERSIONS + 16 + 2, ELFPARSE_VER_FLG_BASE, 2);
            image_put(image, VERSIONS + 16 + 4, 5, 2);
            image_put(image, VERSIONS + 16 + 12, 20, 4);
            image_put(image, VERSIONS + 16 + 20, 1, 4);
        }
        assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
        assert_int_equal(elfparse_lookup_version(&file, "name", "name", &symbol, NULL),
                         ELFPARSE_ENOTFOUND);
        assert_int_equal(elfparse_lookup_reference(&file, "name", "name", &symbol, NULL), 0);
        assert_int_equal(symbol.value, 200); /* the one that is not hidden */
    }
    image_put(image, VERSIONS + 16 + 2, 0, 2); /* a version by that name */
    assert_int_equal(elfparse_lookup_version(&file, "name", "name", &symbol, NULL), 0);
    assert_int_equal(symbol.value, 100);
    put_dynamic(5, ELFPARSE_DT_VERDEF, SIZE - 8);
    assert_int_equal(elfparse_lookup_version(&file, "name", "name", &symbol, NULL),
                     ELFPARSE_EUNMAPPED);
}

/* A number as a file of another byte order has it. */
static void put_as(const struct image_form *form, uint64_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        image[at + (form->data == 2 ? bytes - 1 - i : i)] = (uint8_t)(value >> (8 * i));
}

/* The file with symbol 1, "name", as another class, byte order and machine. */
static void make_as(const struct image_form *form)
{
    static const uint64_t dynamic[] = {ELFPARSE_DT_SYMTAB, SYMTAB, ELFPARSE_DT_STRTAB, STRTAB,
                                       ELFPARSE_DT_STRSZ,  STRSZ,  ELFPARSE_DT_HASH,   HASH};
    static const unsigned sysv[] = {1, 2, 1, 0, 0};
    static uint8_t other[IMAGE_MAX];
    unsigned word = form->elf_class == 1 ? 4 : 8, entry = form->machine == 22 ? 8 : 4;

    make(ELFPARSE_DT_HASH, HASH);
    memset(other, 0, sizeof(other));
    assert_int_equal(image_re_encode(image, SIZE, form, other), 1);
    memcpy(image, other, SIZE);
    memset(image + DYNAMIC, 0, STRTAB - DYNAMIC);
    memset(image + SYMTAB, 0, SIZE - SYMTAB);
    for (unsigned i = 0; i < 8; i++)
        put_as(form, DYNAMIC + i * word, dynamic[i], word);
    for (unsigned i = 0; i < 5; i++)
        put_as(form, HASH + i * entry, sysv[i], entry);
    put_as(form, SYMTAB + (word == 8 ? 24 : 16), 1, 4);
    put_as(form, SYMTAB + 28, 0x12, 1);
    put_as(form, SYMTAB + 30, 1, 2);
    put_as(form, SYMTAB + (word == 8 ? 32 : 20), 0x100, word);
}

/* Look-ups and relocations in files of other classes and byte orders. */
static void tables_of_other_forms(void **state)
{
    static const struct {
        struct image_form form;
        uint64_t info;
        uint32_t type, symbol;
    } cases[] = {
        {{2, 2, 22}, UINT64_C(0x4d00000008), 8, 77}, /* s390x, with words of 64 bits in DT_HASH */
        {{1, 1, 3}, 0x4d08, 8, 77},
        {{1, 2, 8}, 0x4d08, 8, 77},
        {{2, 2, 8}, UINT64_C(0x4d00001203), 0x1203, 77}, /* MIPS64, whose bytes are in order */
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct image_form *form = &cases[i].form;
        unsigned word = form->elf_class == 1 ? 4 : 8;
        struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
        struct elfparse_extent extent = {HASH + 0x100, 3 * (uint64_t)word};
        struct elfparse_rela rela = {0};
        struct elfparse_cursor cursor;
        struct elfparse_file file;

        make_as(form);
        assert_int_equal(look_up("name"), 0);
        assert_int_equal(look_up("und"), ELFPARSE_ENOTFOUND);
        put_as(form, extent.offset, 0x1234, word);
        put_as(form, extent.offset + word, cases[i].info, word);
        put_as(form, extent.offset + 2 * (uint64_t)word, (uint64_t)0 - 8, word);
        assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
        assert_int_equal(elfparse_relas_open(&file, &extent, &cursor, NULL), 0);
        assert_int_equal(elfparse_rela_next(&cursor, &rela, NULL), 1);
        assert_int_equal(rela.offset, 0x1234);
        assert_int_equal(rela.type, cases[i].type);
        assert_int_equal(rela.symbol, cases[i].symbol);
        assert_int_equal(rela.addend, -8);
    }
}

/* Each read failing in turn, until none is left to fail. */
static void every_read_of_a_look_up_may_fail(void **state)
{
    static const uint32_t sysv[] = {1, 3, 2, 0, 0, 1};
    const uint32_t gnu[] = {1, 1, 0, 0, 1, gnu_hash("name") | 1};

    for (int kind = 0; kind < 2; kind++) {
        int code = -1;

        make(kind == 0 ? ELFPARSE_DT_HASH : ELFPARSE_DT_GNU_HASH, HASH);
        put_words(HASH, kind == 0 ? sysv : gnu, 6);
        put_dynamic(4, ELFPARSE_DT_VERSYM, VERSIONS);
        for (int n = 0; code != 0; n++) {
            struct failing failing = {n};
            struct elfparse_reader reader = {read_failing, &failing, SIZE};
            struct elfparse_symbol symbol;
            struct elfparse_file file;

            code = elfparse_file_open(&reader, &file, NULL);
            if (code == 0)
                code = elfparse_lookup(&file, "name", &symbol, NULL);
            assert_true(code == 0 || code == ELFPARSE_EREAD);
            assert_true(n < 200);
        }
    }
}

/* A string and a note whose bytes cannot be read. */
static void reads_of_strings_and_notes_may_fail(void **state)
{
    struct failing failing = {2};
    struct elfparse_reader reader = {read_failing, &failing, SIZE};
    struct elfparse_extent strings = {STRTAB, STRSZ};
    struct elfparse_cursor cursor;
    struct elfparse_note note;
    struct elfparse_file file;
    char name[8];

    make(ELFPARSE_DT_HASH, HASH);
    failing.countdown = 1000;
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    failing.countdown = 0;
    assert_int_equal(elfparse_string_get(&file, &strings, 1, name, sizeof(name), NULL, NULL),
                     ELFPARSE_EREAD);
    assert_int_equal(elfparse_notes_open(&file, &strings, 4, &cursor, NULL), 0);
    failing.countdown = 0;
    assert_int_equal(elfparse_note_next(&cursor, &note, NULL), ELFPARSE_EREAD);
}

/* What a dynamic linker does not bind to is not found. */
static void only_exported_symbols_are_found(void **state)
{
    static const uint32_t words[] = {1, 3, 1, 0, 0, 0};
    static const struct {
        unsigned info, other, shndx;
        uint64_t value;
        int code;
    } cases[] = {
        {0x12, 0, 1, 0x100, 0},
        {0x22, 0, 1, 0x100, 0},
        {0x1a, 0, 1, 0x100, 0},
        {0x15, 0, 1, 0x100, 0},
        {0x12, 3, 1, 0x100, 0},
        {0x16, 0, 1, 0, 0},
        {0x11, 0, 0xfff1, 0, 0},
        {0x02, 0, 1, 0x100, ELFPARSE_ENOTFOUND},
        {0x13, 0, 1, 0x100, ELFPARSE_ENOTFOUND},
        {0x14, 0, 1, 0x100, ELFPARSE_ENOTFOUND},
        {0x17, 0, 1, 0x100, ELFPARSE_ENOTFOUND},
        {0x12, 1, 1, 0x100, ELFPARSE_ENOTFOUND},
        {0x12, 2, 1, 0x100, ELFPARSE_ENOTFOUND},
        {0x12, 0, 1, 0, ELFPARSE_ENOTFOUND},
        {0x12, 0, 0, 0x100, ELFPARSE_ENOTFOUND},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(ELFPARSE_DT_HASH, HASH);
        put_words(HASH, words, 6);
        image_put(image, SYMTAB + 28, cases[i].info, 1);
        image_put(image, SYMTAB + 29, cases[i].other, 1);
        image_put(image, SYMTAB + 30, cases[i].shndx, 2);
        image_put(image, SYMTAB + 32, cases[i].value, 8);
        assert_int_equal(look_up("name"), cases[i].code);
    }
}

/* Alpha and s390x have words of 64 bits in DT_HASH. */
static void wide_hash_tables(void **state)
{
    static const unsigned machines[] = {0x9026, 22};
    static const uint32_t words[] = {1, 0, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0};

    for (unsigned i = 0; i < 2; i++) {
        make(ELFPARSE_DT_HASH, HASH);
        put_words(HASH, words, 12);
        assert_int_equal(look_up("name"), ELFPARSE_EHASH);
        image_put(image, E_MACHINE, machines[i], 2);
        assert_int_equal(look_up("name"), 0);
        image_put(image, HASH + 20, 1, 4);
        assert_int_equal(look_up("name"), ELFPARSE_EHASH);
        make(ELFPARSE_DT_HASH, SIZE - 4);
        image_put(image, E_MACHINE, machines[i], 2);
        assert_int_equal(look_up("name"), ELFPARSE_EUNMAPPED);
        make(ELFPARSE_DT_HASH, SIZE);
        image_put(image, E_MACHINE, machines[i], 2);
        assert_int_equal(look_up("name"), ELFPARSE_EUNMAPPED);
    }
}

#define SHDRS 0x500u

static void put_section(unsigned index, uint32_t type, uint64_t addr, uint64_t offset,
                        uint64_t size)
{
    uint64_t at = SHDRS + index * 64;

    image_put(image, at + 4, type, 4);
    image_put(image, at + 16, addr, 8);
    image_put(image, at + 24, offset, 8);
    image_put(image, at + 32, size, 8);
    image_put(image, at + 40, 3, 4);
    image_put(image, at + 56, 24, 8);
}

static void put_symbol(unsigned index, uint32_t name, unsigned info, unsigned shndx, uint64_t value,
                       uint64_t size)
{
    uint64_t at = SYMTAB + index * 24;

    image_put(image, at, name, 4);
    image_put(image, at + 4, info, 1);
    image_put(image, at + 6, shndx, 2);
    image_put(image, at + 8, value, 8);
    image_put(image, at + 16, size, 8);
}

/* Sections: none, code at 0x1000, symbols, their names. */
static void make_sections(void)
{
    make(ELFPARSE_DT_HASH, HASH);
    put_section(1, 1, 0x1000, 0x100, 0x100);
    put_section(2, ELFPARSE_SHT_SYMTAB, 0, SYMTAB, 8 * 24);
    put_section(3, 3, 0, STRTAB, STRSZ);
    memcpy(image + STRTAB, "\0a\0b\0c\0d", 9);
    image_put(image, E_SHOFF, SHDRS, 8);
    image_put(image, E_SHENTSIZE, 64, 2);
    image_put(image, E_SHNUM, 4, 2);
    put_symbol(1, 1, 2, 1, 0x1000, 0);
    put_symbol(2, 3, 2, 1, 0x1000, 0x10);
    put_symbol(3, 1, 2, 1, 0x1000, 0);
    put_symbol(4, 5, 2, 1, 0x1040, 0);
    put_symbol(5, 7, 2, 0xfff1, 0x1080, 0);
    put_symbol(6, 7, 2, 0, 0x1041, 4);
    put_symbol(7, 7, 1, 1, 0x1041, 4);
}

static void addresses_have_names(void **state)
{
    static const struct {
        uint64_t addr;
        int code;
        const char *name;
    } cases[] = {
        {0xfff, ELFPARSE_ENOTFOUND, ""},
        {0x1000, 0, "b"},
        {0x100f, 0, "b"},
        {0x1010, ELFPARSE_ENOTFOUND, ""},
        {0x1040, 0, "c"},
        {0x107f, 0, "c"},
        {0x1080, ELFPARSE_ENOTFOUND, ""},
        {0x2000, ELFPARSE_ENOTFOUND, ""},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
        struct elfparse_location location;
        char name[8] = "";

        make_sections();
        assert_int_equal(
            elfparse_symbolize(&reader, cases[i].addr, name, sizeof(name), &location, NULL),
            cases[i].code);
        if (cases[i].code == 0)
            assert_string_equal(name, cases[i].name);
    }
    make_sections();
    put_symbol(5, 0, 0, 0, 0, 0);
    struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
    struct elfparse_location location;
    char name[8];

    assert_int_equal(elfparse_symbolize(&reader, 0x10ff, name, sizeof(name), &location, NULL), 0);
    assert_string_equal(name, "c");
    assert_int_equal(elfparse_symbolize(&reader, 0x1100, name, sizeof(name), &location, NULL),
                     ELFPARSE_ENOTFOUND); /* without a size: to the end of the section */
}

static int open_file(int countdown, struct elfparse_file *file)
{
    static struct failing failing;
    static struct elfparse_reader reader;

    failing.countdown = countdown;
    reader = (struct elfparse_reader){read_failing, &failing, SIZE};
    return elfparse_file_open(&reader, file, NULL);
}

/* The Ehdr of ELF32 has 52 bytes, that of ELF64 64. */
static void files_shorter_than_an_ehdr(void **state)
{
    static const struct {
        size_t size;
        uint8_t elf_class;
        int truncated;
    } cases[] = {{51, 1, 1}, {52, 1, 0}, {63, 1, 0}, {51, 2, 1}, {63, 2, 1}, {64, 2, 0}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct elfparse_reader reader = elfparse_reader_memory(image, cases[i].size);
        struct elfparse_file file;

        image_make(image);
        image[4] = cases[i].elf_class;
        assert_int_equal(elfparse_file_open(&reader, &file, NULL) == ELFPARSE_ETRUNCATED,
                         cases[i].truncated);
    }
}

/* A function without a size ends with its section, where that is known. */
static void functions_without_a_section(void **state)
{
    static const unsigned sections[] = {0xffff, 77, 0xff00, 0xfff1};

    for (unsigned i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        struct elfparse_reader reader = elfparse_reader_memory(image, SIZE);
        struct elfparse_location location;
        char name[8] = "";

        make_sections();
        put_symbol(5, 7, 2, sections[i], 0x1080, 0);
        assert_int_equal(elfparse_symbolize(&reader, 0x1081, name, sizeof(name), &location, NULL),
                         ELFPARSE_ENOTFOUND);
        put_symbol(5, 7, 2, 1, 0x1080, 0);
        assert_int_equal(elfparse_symbolize(&reader, 0x1081, name, sizeof(name), &location, NULL),
                         0);
        assert_string_equal(name, "d");
    }
}

/* gABI, "ELF Header": with e_shnum 0 and e_shstrndx 0xffff section 0 has the numbers. */
static void e10_extended_numbers(void **state)
{
    struct elfparse_file file;

    make_sections();
    image_put(image, E_SHNUM, 0, 2);
    image_put(image, SHDRS + 32, 4, 8);
    image_put(image, E_SHSTRNDX, 3, 2);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(file.shnum, 4);
    assert_int_equal(file.shstrndx, 3);
    assert_int_equal(open_file(1, &file), ELFPARSE_EREAD);
    image_put(image, E_SHSTRNDX, 0xffff, 2);
    image_put(image, SHDRS + 40, 2, 4);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(file.shstrndx, 2);
    image_put(image, E_SHNUM, 4, 2);
    image_put(image, SHDRS + 40, 4, 4);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(file.sections, ELFPARSE_ESHSTRNDX);
    image_put(image, E_SHNUM, 0, 2);
    image_put(image, SHDRS + 32, (SIZE - SHDRS) / 64 + 1, 8);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(file.sections, ELFPARSE_ESHTABLE);
    image_put(image, SHDRS + 32, UINT64_MAX, 8);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(file.sections, ELFPARSE_ESHTABLE);
}

/* gABI, "ELF Header": with e_phnum 0xffff (PN_XNUM) section 0 has the number. */
static void pn_xnum(void **state)
{
    struct elfparse_file file;

    make_sections();
    image_put(image, E_PHNUM, 0xffff, 2);
    image_put(image, SHDRS + 44, 2, 4);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(file.phnum, 2);
    assert_int_equal(open_file(1, &file), ELFPARSE_EREAD);
    image_put(image, SHDRS + 44, SIZE, 4);
    assert_int_equal(open_file(-1, &file), ELFPARSE_EPHTABLE);
    image_put(image, SHDRS + 44, 0, 4); /* so many headers after all */
    assert_int_equal(open_file(-1, &file), ELFPARSE_EPHTABLE);
    image_put(image, SHDRS + 44, 2, 4);
    image_put(image, E_SHOFF, SIZE - 63, 8);
    assert_int_equal(open_file(-1, &file), ELFPARSE_ESHTABLE);
    image_put(image, E_SHOFF, 0, 8);
    assert_int_equal(open_file(-1, &file), ELFPARSE_EPHTABLE);
}

/* Section 1 is compressed, or .gnu_debuglink; section 2 has symbols, 3 strings, 1 their sections. */
static void make_named(const char *name)
{
    make_sections();
    image_put(image, E_SHSTRNDX, 3, 2);
    strcpy((char *)image + STRTAB + 9, name);
    image_put(image, SHDRS + 64, 9, 4);
}

static void sections_by_name(void **state)
{
    struct elfparse_section section;
    struct elfparse_file file;
    int n, code = -1;

    make_named(".text");
    for (n = 0; code != 0; n++) {
        code = open_file(n, &file);
        if (code == 0)
            code = elfparse_section_named(&file, ".text", 0, &section, NULL);
        assert_true(code == 0 || code == ELFPARSE_EREAD);
        assert_true(n < 20);
    }
    assert_int_equal(section.index, 1);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(elfparse_section_named(&file, ".text", 2, &section, NULL), ELFPARSE_ENOTFOUND);
    image_put(image, SHDRS, STRSZ, 4); /* the name of section 0 is damaged */
    assert_int_equal(elfparse_section_named(&file, ".text", 0, &section, NULL), 0);
    file.shstrndx = 0;
    assert_int_equal(elfparse_section_named(&file, ".text", 0, &section, NULL), ELFPARSE_ENOTFOUND);
}

static void compressed_sections(void **state)
{
    struct elfparse_compression compression;
    struct elfparse_section section;
    struct elfparse_extent extent;
    struct elfparse_file file;

    make_named(".debug_info");
    image_put(image, SHDRS + 64 + 24, HASH, 8);
    image_put(image, SHDRS + 64 + 32, 100, 8);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(elfparse_section_get(&file, 1, &section, NULL), 0);
    assert_int_equal(elfparse_compression_get(&file, &section, &compression, NULL),
                     ELFPARSE_ENOTFOUND);
    section.flags = ELFPARSE_SHF_COMPRESSED;
    assert_int_equal(elfparse_section_extent(&file, &section, &extent, NULL), ELFPARSE_ECOMPRESSED);
    image_put(image, HASH, 2, 4);
    image_put(image, HASH + 8, 1000, 8);
    image_put(image, HASH + 16, 16, 8);
    assert_int_equal(elfparse_compression_get(&file, &section, &compression, NULL), 0);
    assert_true(compression.type == 2 && compression.size == 1000 && compression.align == 16);
    assert_true(compression.data.offset == HASH + 24 && compression.data.size == 76);
    section.size = 23;
    assert_int_equal(elfparse_compression_get(&file, &section, &compression, NULL),
                     ELFPARSE_ETABLE);
    section.size = SIZE;
    assert_int_equal(elfparse_compression_get(&file, &section, &compression, NULL),
                     ELFPARSE_EBOUNDS);
    section.size = 24;
    assert_int_equal(open_file(1, &file), 0);
    assert_int_equal(elfparse_compression_get(&file, &section, &compression, NULL), ELFPARSE_EREAD);
}

static void debug_links(void **state)
{
    struct elfparse_file file;
    size_t length;
    uint32_t crc = 0;
    char name[8];
    int n, code = -1;

    make_named(".gnu_debuglink");
    image_put(image, SHDRS + 64 + 24, HASH, 8);
    image_put(image, SHDRS + 64 + 32, 12, 8);
    strcpy((char *)image + HASH, "a.debug");
    image_put(image, HASH + 8, 0x12345678, 4);
    for (n = 0; code != 0; n++) {
        code = open_file(n, &file);
        if (code == 0)
            code = elfparse_debuglink_get(&file, name, sizeof(name), &length, &crc, NULL);
        assert_true(code == 0 || code == ELFPARSE_EREAD);
        assert_true(n < 20);
    }
    assert_string_equal(name, "a.debug");
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(length, 7);
    assert_int_equal(crc, 0x12345678);
    assert_int_equal(elfparse_debuglink_get(&file, name, sizeof(name), NULL, &crc, NULL), 0);
    image_put(image, SHDRS + 64 + 32, 11, 8);
    assert_int_equal(elfparse_debuglink_get(&file, name, sizeof(name), NULL, &crc, NULL),
                     ELFPARSE_ETABLE);
    image_put(image, SHDRS + 64 + 32, 7, 8);
    assert_int_equal(elfparse_debuglink_get(&file, name, sizeof(name), NULL, &crc, NULL),
                     ELFPARSE_ESTRING);
    image_put(image, SHDRS + 64 + 32, SIZE, 8);
    assert_int_equal(elfparse_debuglink_get(&file, name, sizeof(name), NULL, &crc, NULL),
                     ELFPARSE_EBOUNDS);
}

static void sections_of_symbols(void **state)
{
    struct elfparse_symbol symbol = {0, 0, 0, 5, 0, 0};
    struct elfparse_section symtab;
    struct elfparse_file file;
    uint32_t shndx = 0;

    make_sections();
    put_section(1, ELFPARSE_SHT_SYMTAB_SHNDX, 0, HASH, 12);
    image_put(image, SHDRS + 64 + 40, 2, 4);
    image_put(image, HASH + 8, 0x12345, 4);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(elfparse_section_get(&file, 2, &symtab, NULL), 0);
    assert_int_equal(elfparse_symbol_section(&file, &symtab, 2, &symbol, &shndx, NULL), 0);
    assert_int_equal(shndx, 5);
    symbol.shndx = ELFPARSE_SHN_XINDEX;
    assert_int_equal(elfparse_symbol_section(&file, &symtab, 2, &symbol, &shndx, NULL), 0);
    assert_int_equal(shndx, 0x12345);
    assert_int_equal(elfparse_symbol_section(&file, &symtab, 3, &symbol, &shndx, NULL),
                     ELFPARSE_ELINK);
    symtab.index = 3;
    assert_int_equal(elfparse_symbol_section(&file, &symtab, 2, &symbol, &shndx, NULL),
                     ELFPARSE_ENOTFOUND);
    symtab.index = 2;
    image_put(image, SHDRS + 64 + 32, SIZE, 8);
    assert_int_equal(elfparse_symbol_section(&file, &symtab, 2, &symbol, &shndx, NULL),
                     ELFPARSE_EBOUNDS);
    image_put(image, SHDRS + 64 + 32, 12, 8);
    assert_int_equal(open_file(3, &file), 0);
    assert_int_equal(elfparse_symbol_section(&file, &symtab, 2, &symbol, &shndx, NULL),
                     ELFPARSE_EREAD);
}

/* SHT_REL, and r_info as MIPS64 has it: symbol, r_ssym, r_type3, r_type2, r_type. */
static void relocations_without_addend_and_of_mips64(void **state)
{
    struct elfparse_extent extent = {HASH, 32};
    struct elfparse_cursor cursor;
    struct elfparse_rela rela;
    struct elfparse_file file;

    make_sections();
    image_put(image, HASH, 0x1234, 8);
    image_put(image, HASH + 8, 8, 4);
    image_put(image, HASH + 12, 77, 4);
    image_put(image, HASH + 16, 0x5678, 8);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(elfparse_rels_open(&file, &extent, &cursor, NULL), 0);
    rela.addend = 5;
    assert_int_equal(elfparse_rel_next(&cursor, &rela, NULL), 1);
    assert_true(rela.offset == 0x1234 && rela.type == 8 && rela.symbol == 77 && rela.addend == 0);
    assert_int_equal(elfparse_rel_next(&cursor, &rela, NULL), 1);
    assert_int_equal(rela.offset, 0x5678);
    assert_int_equal(elfparse_rel_next(&cursor, &rela, NULL), 0);
    image_put(image, E_MACHINE, 8, 2);
    image_put(image, HASH + 8, 77, 4);
    image_put(image, HASH + 12, 0x03120405, 4);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(elfparse_rels_open(&file, &extent, &cursor, NULL), 0);
    assert_int_equal(elfparse_rel_next(&cursor, &rela, NULL), 1);
    assert_true(rela.type == 0x05041203 && rela.symbol == 77);
    extent.size = 24;
    assert_int_equal(elfparse_relas_open(&file, &extent, &cursor, NULL), 0);
    assert_int_equal(elfparse_rela_next(&cursor, &rela, NULL), 1);
    assert_true(rela.type == 0x05041203 && rela.symbol == 77 && rela.addend == 0x5678);
    extent.size = 17;
    assert_int_equal(elfparse_rels_open(&file, &extent, &cursor, NULL), ELFPARSE_ETABLE);
}

/* A reader that says that the file is huge, so that only the number of sections is too large. */
static void e10_more_sections_than_32_bits_count(void **state)
{
    struct failing failing = {-1};
    struct elfparse_reader reader = {read_failing, &failing, UINT64_MAX};
    struct elfparse_file file;

    make_sections();
    image_put(image, E_SHNUM, 0, 2);
    image_put(image, SHDRS + 32, UINT32_MAX, 8);
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    assert_int_equal(file.shnum, UINT32_MAX);
    image_put(image, SHDRS + 32, UINT64_C(0x100000000), 8);
    assert_int_equal(elfparse_file_open(&reader, &file, NULL), 0);
    assert_int_equal(file.sections, ELFPARSE_ESHTABLE);
    assert_int_equal(file.shnum, 0);
}

/* Without program headers e_phoff means nothing. */
static void no_program_headers(void **state)
{
    struct elfparse_file file;

    make_sections();
    image_put(image, E_PHOFF, UINT64_MAX, 8);
    assert_int_equal(open_file(-1, &file), ELFPARSE_EPHTABLE);
    image_put(image, E_PHNUM, 0, 2);
    assert_int_equal(open_file(-1, &file), 0);
}

/* A segment that says more than the file holds maps nothing of it. */
static void l3_segment_beyond_the_file(void **state)
{
    struct elfparse_extent extent;
    struct elfparse_file file;

    make_sections();
    image_put(image, PH(0, FILESZ), SIZE + 1, 8);
    assert_int_equal(open_file(-1, &file), 0);
    assert_int_equal(elfparse_extent_at(&file, 0x100, 8, &extent, NULL), ELFPARSE_EBOUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sysv_tables),
        cmocka_unit_test(chains_in_circles_end_soon),
        cmocka_unit_test(gnu_tables),
        cmocka_unit_test(names_that_do_not_end),
        cmocka_unit_test(old_versions_are_passed_over),
        cmocka_unit_test(only_exported_symbols_are_found),
        cmocka_unit_test(wide_hash_tables),
        cmocka_unit_test(versions_that_name_nothing),
        cmocka_unit_test(tables_of_other_forms),
        cmocka_unit_test(pn_xnum),
        cmocka_unit_test(sections_by_name),
        cmocka_unit_test(compressed_sections),
        cmocka_unit_test(debug_links),
        cmocka_unit_test(sections_of_symbols),
        cmocka_unit_test(relocations_without_addend_and_of_mips64),
        cmocka_unit_test(every_read_of_a_look_up_may_fail),
        cmocka_unit_test(reads_of_strings_and_notes_may_fail),
        cmocka_unit_test(addresses_have_names),
        cmocka_unit_test(files_shorter_than_an_ehdr),
        cmocka_unit_test(functions_without_a_section),
        cmocka_unit_test(e10_extended_numbers),
        cmocka_unit_test(e10_more_sections_than_32_bits_count),
        cmocka_unit_test(no_program_headers),
        cmocka_unit_test(l3_segment_beyond_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
