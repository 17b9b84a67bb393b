/*
 * Reading for tools: each iterator entry for entry against libelf, and damaged tables by hand.
 * test_file FIXTURE... [-- FILE...]: other files than fixture.c's are only compared with libelf.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gelf.h>

#include <elfparse/file.h>
#include <elfparse/symbolize.h>

#include "divergence.h"

static char **paths;
static int path_count, fixture_count;

struct both {
    uint8_t *data;
    size_t size;
    Elf *elf;
    struct elfparse_reader reader;
    struct elfparse_file file;
};

static void open_both(const char *path, struct both *both)
{
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    both->size = (size_t)ftell(f);
    rewind(f);
    both->data = malloc(both->size);
    assert_int_equal(fread(both->data, 1, both->size, f), both->size);
    fclose(f);
    elf_version(EV_CURRENT);
    both->elf = elf_memory((char *)both->data, both->size);
    both->reader = elfparse_reader_memory(both->data, both->size);
    assert_int_equal(elfparse_file_open(&both->reader, &both->file, NULL), 0);
}

static void close_both(struct both *both)
{
    elf_end(both->elf);
    free(both->data);
}

static void compare_ehdr(struct both *both)
{
    GElf_Ehdr ehdr;
    size_t count, names, segments;

    assert_non_null(gelf_getehdr(both->elf, &ehdr));
    assert_int_equal(both->file.entry, ehdr.e_entry);
    assert_int_equal(both->file.type, ehdr.e_type);
    assert_int_equal(both->file.machine, ehdr.e_machine);
    assert_int_equal(both->file.flags, ehdr.e_flags);
    assert_int_equal(both->file.elf_class, ehdr.e_ident[EI_CLASS]);
    assert_int_equal(both->file.data, ehdr.e_ident[EI_DATA]);
    elf_getphdrnum(both->elf, &segments); /* which may be more than e_phnum can say */
    assert_int_equal(both->file.phnum, segments);
    elf_getshdrnum(both->elf, &count);
    elf_getshdrstrndx(both->elf, &names);
    assert_int_equal(both->file.shnum, count);
    assert_int_equal(both->file.shstrndx, names);
}

static void compare_segments(struct both *both)
{
    for (uint32_t i = 0; i < both->file.phnum; i++) {
        struct elfparse_segment s;
        GElf_Phdr p;

        assert_int_equal(elfparse_segment_get(&both->file, i, &s, NULL), 0);
        assert_non_null(gelf_getphdr(both->elf, (int)i, &p));
        assert_true(s.type == p.p_type && s.flags == p.p_flags && s.offset == p.p_offset);
        assert_true(s.vaddr == p.p_vaddr && s.paddr == p.p_paddr && s.align == p.p_align);
        assert_true(s.filesz == p.p_filesz && s.memsz == p.p_memsz);
    }
}

static void compare_symbols(struct both *both, const struct elfparse_section *section,
                            Elf_Data *data)
{
    struct elfparse_extent extent, strings;
    struct elfparse_cursor cursor;
    struct elfparse_symbol symbol;
    int i = 0;

    assert_int_equal(elfparse_section_extent(&both->file, section, &extent, NULL), 0);
    assert_int_equal(elfparse_section_strings(&both->file, section, &strings, NULL), 0);
    assert_int_equal(elfparse_symbols_open(&both->file, &extent, &cursor, NULL), 0);
    for (; elfparse_symbol_next(&cursor, &symbol, NULL) == 1; i++) {
        char name[64];
        size_t length;
        GElf_Sym s;

        assert_non_null(gelf_getsym(data, i, &s));
        assert_true(symbol.name == s.st_name && symbol.info == s.st_info);
        assert_true(symbol.other == s.st_other && symbol.shndx == s.st_shndx);
        assert_true(symbol.value == s.st_value && symbol.size == s.st_size);
        assert_int_equal(elfparse_string_get(&both->file, &strings, symbol.name, name, sizeof(name),
                                             &length, NULL),
                         0);
        const char *whole = elf_strptr(both->elf, section->link, s.st_name);
        assert_int_equal(strlen(whole), length);
        assert_memory_equal(whole, name, strlen(name));
    }
    assert_null(gelf_getsym(data, i, &(GElf_Sym){0}));
}

/* libelf has no layout of its own for the r_info of MIPS64, little-endian: a row of fuzz/divergences.tsv. */
static void check_info(const struct both *both, const struct elfparse_rela *rela, uint64_t info)
{
    if (both->file.machine == EM_MIPS && both->file.elf_class == ELFCLASS64 &&
        both->file.data == ELFDATA2LSB && divergence_allowed("libelf", "MIPS64 r_info"))
        info = info << 32 | (info >> 56 & 0xff) | (info >> 40 & 0xff00) | (info >> 24 & 0xff0000) |
               (info >> 8 & 0xff000000);
    assert_int_equal(rela->type, GELF_R_TYPE(info));
    assert_int_equal(rela->symbol, GELF_R_SYM(info));
}

static void compare_relas(struct both *both, const struct elfparse_section *section, Elf_Data *data)
{
    struct elfparse_extent extent;
    struct elfparse_cursor cursor;
    struct elfparse_rela rela;
    int i = 0;

    assert_int_equal(elfparse_section_extent(&both->file, section, &extent, NULL), 0);
    assert_int_equal(elfparse_relas_open(&both->file, &extent, &cursor, NULL), 0);
    for (; elfparse_rela_next(&cursor, &rela, NULL) == 1; i++) {
        GElf_Rela r;

        assert_non_null(gelf_getrela(data, i, &r));
        assert_true(rela.offset == r.r_offset && rela.addend == r.r_addend);
        check_info(both, &rela, r.r_info);
    }
    assert_null(gelf_getrela(data, i, &(GElf_Rela){0}));
}

static void compare_rels(struct both *both, const struct elfparse_section *section, Elf_Data *data)
{
    struct elfparse_extent extent;
    struct elfparse_cursor cursor;
    struct elfparse_rela rel;
    int i = 0;

    assert_int_equal(elfparse_section_extent(&both->file, section, &extent, NULL), 0);
    assert_int_equal(elfparse_rels_open(&both->file, &extent, &cursor, NULL), 0);
    for (; elfparse_rel_next(&cursor, &rel, NULL) == 1; i++) {
        GElf_Rel r;

        assert_non_null(gelf_getrel(data, i, &r));
        assert_true(rel.offset == r.r_offset && rel.addend == 0);
        check_info(both, &rel, r.r_info);
    }
    assert_null(gelf_getrel(data, i, &(GElf_Rel){0}));
}

static void compare_notes(struct both *both, const struct elfparse_section *section, Elf_Data *data)
{
    struct elfparse_extent extent;
    struct elfparse_cursor cursor;
    struct elfparse_note note;
    size_t next = 0, name, desc;
    GElf_Nhdr nhdr;

    assert_int_equal(elfparse_section_extent(&both->file, section, &extent, NULL), 0);
    assert_int_equal(elfparse_notes_open(&both->file, &extent, section->addralign, &cursor, NULL),
                     0);
    while ((next = gelf_getnote(data, next, &nhdr, &name, &desc)) > 0) {
        assert_int_equal(elfparse_note_next(&cursor, &note, NULL), 1);
        assert_true(note.type == nhdr.n_type && note.name.size == nhdr.n_namesz);
        assert_true(note.desc.size == nhdr.n_descsz && note.desc.offset == extent.offset + desc);
    }
    assert_int_equal(elfparse_note_next(&cursor, &note, NULL), 0);
}

static void compare_dynamic(struct both *both, Elf_Data *data)
{
    struct elfparse_cursor cursor;
    struct elfparse_dyn dyn;
    GElf_Dyn d;
    int i = 0;

    assert_int_equal(elfparse_dynamic_open(&both->file, &cursor, NULL), 0);
    for (; elfparse_dynamic_next(&cursor, &dyn, NULL) == 1; i++) {
        assert_non_null(gelf_getdyn(data, i, &d));
        assert_true(dyn.tag == d.d_tag && dyn.value == d.d_un.d_val);
    }
    assert_non_null(gelf_getdyn(data, i, &d));
    assert_int_equal(d.d_tag, DT_NULL);
}

static void compare_section(struct both *both, uint32_t index)
{
    struct elfparse_section s;
    Elf_Scn *scn = elf_getscn(both->elf, index);
    GElf_Shdr h;

    assert_int_equal(elfparse_section_get(&both->file, index, &s, NULL), 0);
    assert_non_null(gelf_getshdr(scn, &h));
    assert_true(s.name == h.sh_name && s.type == h.sh_type && s.flags == h.sh_flags);
    assert_true(s.addr == h.sh_addr && s.offset == h.sh_offset && s.size == h.sh_size);
    assert_true(s.link == h.sh_link && s.info == h.sh_info);
    assert_true(s.addralign == h.sh_addralign && s.entsize == h.sh_entsize);
    if (s.type == SHT_SYMTAB || s.type == SHT_DYNSYM)
        compare_symbols(both, &s, elf_getdata(scn, NULL));
    else if (s.type == SHT_RELA)
        compare_relas(both, &s, elf_getdata(scn, NULL));
    else if (s.type == SHT_REL)
        compare_rels(both, &s, elf_getdata(scn, NULL));
    else if (s.type == SHT_NOTE)
        compare_notes(both, &s, elf_getdata(scn, NULL));
    else if (s.type == SHT_DYNAMIC)
        compare_dynamic(both, elf_getdata(scn, NULL));
}

static void everything_agrees_with_libelf(void **state)
{
    for (int i = 0; i < path_count; i++) {
        struct both both;

        open_both(paths[i], &both);
        compare_ehdr(&both);
        compare_segments(&both);
        for (uint32_t s = 0; s < both.file.shnum; s++)
            compare_section(&both, s);
        close_both(&both);
    }
}

static uint64_t symbol_value(struct both *both, const char *wanted)
{
    struct elfparse_extent extent, strings;
    struct elfparse_section section;
    struct elfparse_cursor cursor;
    struct elfparse_symbol symbol;

    assert_int_equal(elfparse_section_find(&both->file, ELFPARSE_SHT_SYMTAB, 0, &section, NULL), 0);
    assert_int_equal(elfparse_section_extent(&both->file, &section, &extent, NULL), 0);
    assert_int_equal(elfparse_section_strings(&both->file, &section, &strings, NULL), 0);
    assert_int_equal(elfparse_symbols_open(&both->file, &extent, &cursor, NULL), 0);
    while (elfparse_symbol_next(&cursor, &symbol, NULL) == 1) {
        char name[64];

        elfparse_string_get(&both->file, &strings, symbol.name, name, sizeof(name), NULL, NULL);
        if (strcmp(name, wanted) == 0)
            return symbol.value;
    }
    fail_msg("no symbol %s", wanted);
    return 0;
}

/* Through the hash table of either kind, as a dynamic linker finds them. */
static void lookup_finds_what_is_exported(void **state)
{
    for (int i = 0; i < fixture_count; i++) {
        struct elfparse_symbol symbol;
        struct elfparse_error error;
        struct both both;

        open_both(paths[i], &both);
        assert_int_equal(elfparse_lookup(&both.file, "fixture_one", &symbol, &error), 0);
        assert_int_equal(symbol.value, symbol_value(&both, "fixture_one"));
        assert_int_equal(elfparse_lookup(&both.file, "fixture_pointers", &symbol, &error), 0);
        assert_int_equal(symbol.size, both.file.elf_class == ELFPARSE_CLASS32 ? 400 : 800);
        assert_int_equal(elfparse_lookup(&both.file, "fixture_hidden", &symbol, &error),
                         ELFPARSE_ENOTFOUND);
        assert_int_equal(elfparse_lookup(&both.file, "", &symbol, &error), ELFPARSE_ENOTFOUND);
        close_both(&both);
    }
}

static void symbolize_names_the_function_around_an_address(void **state)
{
    struct elfparse_location location;
    struct elfparse_error error;
    struct both both;
    char name[64];

    open_both(paths[0], &both);
    uint64_t one = symbol_value(&both, "fixture_one");
    assert_int_equal(elfparse_symbolize(&both.reader, one + 3, name, sizeof(name), &location, NULL),
                     0);
    assert_string_equal(name, "fixture_one");
    assert_int_equal(location.symbol, one);
    assert_int_equal(location.offset, 3);
    assert_int_equal(location.length, 11);
    assert_int_equal(elfparse_symbolize(&both.reader, symbol_value(&both, "fixture_hidden"), name,
                                        5, &location, NULL),
                     0);
    assert_string_equal(name, "fixt");
    assert_int_equal(location.length, 14);
    assert_int_equal(elfparse_symbolize(&both.reader, 1, name, sizeof(name), &location, &error),
                     ELFPARSE_ENOTFOUND);
    assert_int_equal(
        elfparse_symbolize(&both.reader, UINT64_MAX, name, sizeof(name), &location, &error),
        ELFPARSE_ENOTFOUND);
    assert_int_equal(elfparse_symbolize(&both.reader, one, name, 0, &location, &error),
                     ELFPARSE_EBUFFER);
    close_both(&both);
}

/* Damage of one field of the section header table or of an Ehdr, and what comes of it. */
static void open_damaged(size_t offset, uint64_t value, size_t bytes, int code, uint32_t rule)
{
    struct elfparse_error error;
    struct elfparse_file file;
    struct both both;

    open_both(paths[0], &both);
    for (size_t i = 0; i < bytes; i++)
        both.data[offset + i] = (uint8_t)(value >> (8 * i));
    assert_int_equal(elfparse_file_open(&both.reader, &file, &error), code);
    if (code != 0) {
        assert_int_equal(error.code, code);
        assert_int_equal(error.rule, rule);
    }
    close_both(&both);
}

/* Segments and dynamic entries can still be read; the sections, or only their names, cannot. */
static void open_without_sections(size_t offset, uint64_t value, size_t bytes, int code)
{
    struct elfparse_extent names;
    struct elfparse_segment segment;
    struct elfparse_symbol symbol;
    struct elfparse_section section;
    struct elfparse_file file;
    struct both both;

    open_both(paths[0], &both);
    for (size_t i = 0; i < bytes; i++)
        both.data[offset + i] = (uint8_t)(value >> (8 * i));
    assert_int_equal(elfparse_file_open(&both.reader, &file, NULL), 0);
    assert_int_equal(file.sections, code);
    assert_int_equal(elfparse_segment_get(&file, 0, &segment, NULL), 0);
    assert_int_equal(elfparse_lookup(&file, "fixture_one", &symbol, NULL), 0);
    assert_int_equal(elfparse_section_get(&file, 1, &section, NULL),
                     code == ELFPARSE_ESHSTRNDX ? 0 : ELFPARSE_ELINK);
    assert_int_not_equal(elfparse_section_names(&file, &names, NULL), 0);
    close_both(&both);
}

static void e10_section_headers_are_validated_when_a_tool_opens_the_file(void **state)
{
    open_damaged(0, 0, 1, ELFPARSE_EMAGIC, ELFPARSE_RULE_E1);
    open_damaged(4, 3, 1, ELFPARSE_ECLASS, ELFPARSE_RULE_E2);
    open_damaged(5, 3, 1, ELFPARSE_EDATA, ELFPARSE_RULE_E2);
    open_damaged(6, 0, 1, ELFPARSE_EVERSION, ELFPARSE_RULE_E3);
    open_damaged(54, 55, 2, ELFPARSE_EPHENTSIZE, ELFPARSE_RULE_E7);
    open_damaged(32, UINT64_MAX, 8, ELFPARSE_EPHTABLE, ELFPARSE_RULE_E9);
    open_without_sections(58, 63, 2, ELFPARSE_ETABLE);
    open_without_sections(40, UINT64_MAX - 63, 8, ELFPARSE_ESHTABLE);
    open_without_sections(60, 0xffff, 2, ELFPARSE_ESHTABLE);
    open_without_sections(62, 0xfffe, 2, ELFPARSE_ESHSTRNDX);
    open_damaged(62, 0, 2, 0, 0);
    open_damaged(40, 0, 8, 0, 0);
}

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* gABI, "ELF Header": section 0 holds what does not fit the Ehdr. */
static void e10_extended_numbering_is_understood(void **state)
{
    struct elfparse_extent names;
    struct elfparse_file file;
    struct both both;
    uint64_t shoff;

    open_both(paths[0], &both);
    shoff = both.file.shoff;
    put(both.data + shoff + 32, both.file.shnum, 8);
    put(both.data + shoff + 40, both.file.shstrndx, 4);
    put(both.data + 60, 0, 2);
    put(both.data + 62, 0xffff, 2);
    assert_int_equal(elfparse_file_open(&both.reader, &file, NULL), 0);
    assert_int_equal(file.shnum, both.file.shnum);
    assert_int_equal(file.shstrndx, both.file.shstrndx);
    assert_int_equal(elfparse_section_names(&file, &names, NULL), 0);
    put(both.data + shoff + 32, UINT64_C(1) << 58, 8);
    assert_int_equal(elfparse_file_open(&both.reader, &file, NULL), 0);
    assert_int_equal(file.sections, ELFPARSE_ESHTABLE);
    close_both(&both);
}

static void indices_and_types_out_of_place_are_refused(void **state)
{
    struct elfparse_section section;
    struct elfparse_segment segment;
    struct elfparse_extent extent;
    struct elfparse_error error;
    struct both both;

    open_both(paths[0], &both);
    assert_int_equal(elfparse_section_get(&both.file, both.file.shnum, &section, &error),
                     ELFPARSE_ELINK);
    assert_int_equal(elfparse_segment_get(&both.file, both.file.phnum, &segment, &error),
                     ELFPARSE_ELINK);
    assert_int_equal(elfparse_section_find(&both.file, 0x12345, 0, &section, &error),
                     ELFPARSE_ENOTFOUND);
    assert_int_equal(elfparse_section_get(&both.file, 1, &section, NULL), 0);
    section.link = 1;
    assert_int_equal(elfparse_section_strings(&both.file, &section, &extent, &error),
                     ELFPARSE_ETABLE);
    section.offset = both.size - section.size + 1;
    assert_int_equal(elfparse_section_extent(&both.file, &section, &extent, &error),
                     ELFPARSE_EBOUNDS);
    section.type = ELFPARSE_SHT_NOBITS;
    assert_int_equal(elfparse_section_extent(&both.file, &section, &extent, &error), 0);
    assert_int_equal(extent.size, 0);
    both.file.shstrndx = 0;
    assert_int_equal(elfparse_section_names(&both.file, &extent, &error), ELFPARSE_ENOTFOUND);
    assert_int_equal(elfparse_extent_at(&both.file, UINT64_MAX - 7, 8, &extent, &error),
                     ELFPARSE_EUNMAPPED);
    close_both(&both);
}

/* A file that is nothing but an Ehdr and 64 bytes of the case's own. */
struct tiny {
    uint8_t data[128];
    struct elfparse_reader reader;
    struct elfparse_file file;
};

static void make_tiny(struct tiny *tiny, const void *bytes, size_t size)
{
    memset(tiny->data, 0, sizeof(tiny->data));
    memcpy(tiny->data, "\177ELF\2\1\1", 7);
    memcpy(tiny->data + 64, bytes, size);
    tiny->reader = elfparse_reader_memory(tiny->data, sizeof(tiny->data));
    assert_int_equal(elfparse_file_open(&tiny->reader, &tiny->file, NULL), 0);
}

static void relr_yields_addresses_and_bitmaps(void **state)
{
    static const uint64_t expected[] = {0x1000, 0x1008, 0x1018, 0x1000 + 8 * 64, 0x5000};
    uint8_t words[32];
    struct elfparse_extent extent = {64, 32};
    struct elfparse_cursor cursor;
    struct tiny tiny;
    uint64_t address;

    put(words, 0x1000, 8);
    put(words + 8, 1 | 1 << 1 | 1 << 3, 8);
    put(words + 16, 1 | 1 << 1, 8);
    put(words + 24, 0x5000, 8);
    make_tiny(&tiny, words, sizeof(words));
    assert_int_equal(elfparse_relrs_open(&tiny.file, &extent, &cursor, NULL), 0);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(elfparse_relr_next(&cursor, &address, NULL), 1);
        assert_int_equal(address, expected[i]);
    }
    assert_int_equal(elfparse_relr_next(&cursor, &address, NULL), 0);
}

static void tables_that_do_not_fit_are_refused(void **state)
{
    struct elfparse_extent uneven = {64, 25}, outside = {120, 24};
    struct elfparse_cursor cursor;
    struct elfparse_error error;
    struct tiny tiny;

    make_tiny(&tiny, "", 0);
    assert_int_equal(elfparse_symbols_open(&tiny.file, &uneven, &cursor, &error), ELFPARSE_ETABLE);
    assert_int_equal(error.found, 25);
    assert_int_equal(elfparse_relas_open(&tiny.file, &outside, &cursor, &error), ELFPARSE_EBOUNDS);
    assert_int_equal(elfparse_dynamic_open(&tiny.file, &cursor, &error), ELFPARSE_ENOTFOUND);
    assert_int_equal(elfparse_section_get(&tiny.file, 0, &(struct elfparse_section){0}, &error),
                     ELFPARSE_ELINK);
}

static void strings_end_inside_their_table(void **state)
{
    struct elfparse_extent table = {64, 8};
    struct elfparse_error error;
    struct tiny tiny;
    char buf[16];
    size_t length;

    make_tiny(&tiny, "ab\0cdefgh", 9);
    assert_int_equal(elfparse_string_get(&tiny.file, &table, 0, buf, sizeof(buf), &length, &error),
                     0);
    assert_string_equal(buf, "ab");
    assert_int_equal(length, 2);
    assert_int_equal(elfparse_string_get(&tiny.file, &table, 3, buf, sizeof(buf), NULL, &error),
                     ELFPARSE_ESTRING);
    assert_int_equal(elfparse_string_get(&tiny.file, &table, 8, buf, sizeof(buf), NULL, &error),
                     ELFPARSE_ESTRING);
    assert_int_equal(
        elfparse_string_get(&tiny.file, &table, UINT64_MAX, buf, sizeof(buf), NULL, &error),
        ELFPARSE_ESTRING);
    assert_int_equal(elfparse_string_get(&tiny.file, &table, 1, buf, 1, &length, &error), 0);
    assert_string_equal(buf, "");
    assert_int_equal(length, 1);
}

static void notes_that_pass_their_end_are_refused(void **state)
{
    static const uint8_t note[] = {4, 0, 0,   0,   4,   0, 0, 0, 9, 0,
                                   0, 0, 'G', 'N', 'U', 0, 1, 2, 3, 4};
    struct elfparse_extent extent = {64, 20}, part = {64, 19}, rest = {64, 31};
    struct elfparse_cursor cursor;
    struct elfparse_error error;
    struct elfparse_note out;
    struct tiny tiny;

    make_tiny(&tiny, note, sizeof(note));
    assert_int_equal(elfparse_notes_open(&tiny.file, &extent, 4, &cursor, NULL), 0);
    assert_int_equal(elfparse_note_next(&cursor, &out, NULL), 1);
    assert_int_equal(out.type, 9);
    assert_int_equal(out.desc.offset, 80);
    assert_int_equal(elfparse_note_next(&cursor, &out, NULL), 0);
    assert_int_equal(elfparse_notes_open(&tiny.file, &part, 4, &cursor, NULL), 0);
    assert_int_equal(elfparse_note_next(&cursor, &out, &error), ELFPARSE_ENOTE);
    assert_int_equal(elfparse_notes_open(&tiny.file, &rest, 4, &cursor, NULL), 0);
    assert_int_equal(elfparse_note_next(&cursor, &out, &error), 1);
    assert_int_equal(elfparse_note_next(&cursor, &out, &error), ELFPARSE_ENOTE);
    assert_int_equal(error.found, 12);
}

static int read_failing(void *ctx, uint64_t offset, void *buf, size_t len)
{
    int *countdown = ctx;

    if ((*countdown)-- == 0)
        return -7;
    memcpy(buf, *(uint8_t **)(void *)(countdown + 2) + offset, len);
    return 0;
}

/* Every read of a symbolisation and of a look-up fails once; none of these is taken for an answer.
 */
static void every_read_that_fails_is_reported(void **state)
{
    struct {
        int countdown;
        int unused;
        uint8_t *data;
    } ctx;
    struct both both;

    open_both(paths[0], &both);
    ctx.data = both.data;
    for (int call = 0; call < 2; call++) {
        int code = ELFPARSE_EREAD, n;

        for (n = 0; code == ELFPARSE_EREAD; n++) {
            struct elfparse_reader reader = {read_failing, &ctx, both.size};
            struct elfparse_location location;
            struct elfparse_symbol symbol;
            struct elfparse_file file;
            char name[16];

            ctx.countdown = n;
            if (call == 0) {
                code = elfparse_symbolize(&reader, 1, name, sizeof(name), &location, NULL);
            } else {
                code = elfparse_file_open(&reader, &file, NULL);
                if (code == 0)
                    code = elfparse_lookup(&file, "fixture_two", &symbol, NULL);
            }
        }
        assert_int_equal(code, call == 0 ? ELFPARSE_ENOTFOUND : 0);
        assert_true(n > 4);
    }
    close_both(&both);
}

/* A section 0 that cannot be read is an error, unlike one with wrong contents. */
static void e10_a_failed_read_of_section_0_is_reported(void **state)
{
    struct {
        int countdown;
        int unused;
        uint8_t *data;
    } ctx = {.countdown = 1};
    struct elfparse_error error = {0};
    struct elfparse_file file;
    struct both both;

    open_both(paths[0], &both);
    put(both.data + 60, 0, 2);
    ctx.data = both.data;
    struct elfparse_reader reader = {read_failing, &ctx, both.size};
    assert_int_equal(elfparse_file_open(&reader, &file, &error), ELFPARSE_EREAD);
    assert_int_equal(error.code, ELFPARSE_EREAD);
    assert_true(error.offset == both.file.shoff);
    close_both(&both);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_agrees_with_libelf),
        cmocka_unit_test(lookup_finds_what_is_exported),
        cmocka_unit_test(symbolize_names_the_function_around_an_address),
        cmocka_unit_test(e10_section_headers_are_validated_when_a_tool_opens_the_file),
        cmocka_unit_test(e10_a_failed_read_of_section_0_is_reported),
        cmocka_unit_test(e10_extended_numbering_is_understood),
        cmocka_unit_test(indices_and_types_out_of_place_are_refused),
        cmocka_unit_test(relr_yields_addresses_and_bitmaps),
        cmocka_unit_test(tables_that_do_not_fit_are_refused),
        cmocka_unit_test(strings_end_inside_their_table),
        cmocka_unit_test(notes_that_pass_their_end_are_refused),
        cmocka_unit_test(every_read_that_fails_is_reported),
    };

    paths = argv + 1;
    for (int i = 1; i < argc; i++) {
        if (fixture_count == 0 && strcmp(argv[i], "--") == 0)
            fixture_count = path_count;
        else
            argv[++path_count] = argv[i];
    }
    fixture_count = fixture_count == 0 ? path_count : fixture_count;
    return path_count == 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
