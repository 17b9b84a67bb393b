/*
 * The iterators: whatever the file, they stay in it and come to an end after no more entries than
 * the file has room for.
 *
 * Input: an ELF file; a mutator repairs what a byte flip breaks.
 * Proves: iterators, symbols, relocations, notes and hash look-up read inside the file and come
 * to an end.
 * Does not prove: that the names and values found are right (the unit tests compare them with
 * libelf).
 * Oracles: a reader that knows its bounds; no more entries than the file has room for.
 * Rate: 80,000/s
 */
#include <stdlib.h>
#include <string.h>

#include <elfparse/file.h>
#include <elfparse/symbolize.h>
#include <elfparse/version.h>

#include "elfparse/invariants.h"
#include "elfparse/mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return seed % 2 ? elf_mutate(data, size, max, seed / 2) : LLVMFuzzerMutate(data, size, max);
}

struct bytes {
    const uint8_t *data;
    size_t size;
    uint64_t reads; /* of all calls for one input */
};

/* More reads than this many look-ups may make: some call does not come to an end. */
#define MAX_READS (UINT64_C(64) << 20)

/* A reader that knows its bounds, and calls that must not have happened. */
static int read_checked(void *ctx, uint64_t offset, void *buf, size_t len)
{
    struct bytes *bytes = ctx;

    HOLDS(++bytes->reads < MAX_READS);
    HOLDS(len != 0 && offset < bytes->size && len <= bytes->size - offset);
    memcpy(buf, bytes->data + offset, len);
    return 0;
}

static void walk_symbols(const struct elfparse_file *file, const struct elfparse_section *section)
{
    struct elfparse_extent extent, strings;
    struct elfparse_cursor cursor;
    struct elfparse_symbol symbol;
    uint64_t count = 0;

    if (elfparse_section_extent(file, section, &extent, NULL) != 0 ||
        elfparse_symbols_open(file, &extent, &cursor, NULL) != 0)
        return;
    int named = elfparse_section_strings(file, section, &strings, NULL) == 0;
    while (elfparse_symbol_next(&cursor, &symbol, NULL) == 1) {
        char name[40];
        size_t length;
        uint32_t shndx, versym;

        if (count < 64 &&
            elfparse_symbol_section(file, section, (uint32_t)count, &symbol, &shndx, NULL) == 0)
            HOLDS(shndx == symbol.shndx || symbol.shndx == ELFPARSE_SHN_XINDEX);
        if (count < 64 && elfparse_symbol_version(file, (uint32_t)count, &versym, NULL) == 0)
            HOLDS(versym <= 0xffff);
        if (named && count < 64 &&
            elfparse_string_get(file, &strings, symbol.name, name, sizeof(name), &length, NULL) ==
                0)
            HOLDS(strlen(name) == (length < 39 ? length : 39));
        count++;
    }
    HOLDS(count == extent.size / (file->elf_class == ELFPARSE_CLASS32 ? 16 : 24));
}

static void walk_relocations(const struct elfparse_file *file,
                             const struct elfparse_section *section)
{
    struct elfparse_extent extent;
    struct elfparse_cursor cursor;
    struct elfparse_rela rela;
    const uint64_t word = file->elf_class == ELFPARSE_CLASS32 ? 4 : 8;
    uint64_t address, count = 0;

    if (elfparse_section_extent(file, section, &extent, NULL) != 0)
        return;
    if (elfparse_relas_open(file, &extent, &cursor, NULL) == 0) {
        while (elfparse_rela_next(&cursor, &rela, NULL) == 1)
            count++;
        HOLDS(count == extent.size / (3 * word));
    }
    if (elfparse_rels_open(file, &extent, &cursor, NULL) == 0) {
        for (count = 0; elfparse_rel_next(&cursor, &rela, NULL) == 1; count++)
            HOLDS(rela.addend == 0);
        HOLDS(count == extent.size / (2 * word));
    }
    if (elfparse_relrs_open(file, &extent, &cursor, NULL) == 0) {
        for (count = 0; elfparse_relr_next(&cursor, &address, NULL) == 1;)
            count++;
        HOLDS(count <= extent.size / word * (8 * word - 1)); /* a bit of a word is its kind */
    }
}

static void walk_notes(const struct elfparse_file *file, const struct elfparse_extent *extent,
                       uint64_t align)
{
    struct elfparse_cursor cursor;
    struct elfparse_note note;
    uint64_t end = extent->offset + extent->size;

    if (elfparse_notes_open(file, extent, align, &cursor, NULL) != 0)
        return;
    while (elfparse_note_next(&cursor, &note, NULL) == 1)
        HOLDS(note.desc.offset + note.desc.size <= end && note.name.size <= extent->size);
}

static void walk_compressed(const struct elfparse_file *file,
                            const struct elfparse_section *section)
{
    struct elfparse_compression compression;

    if (elfparse_compression_get(file, section, &compression, NULL) == 0)
        HOLDS(compression.data.offset + compression.data.size == section->offset + section->size &&
              compression.data.size <= file->reader->size);
}

static void walk_sections(const struct elfparse_file *file)
{
    struct elfparse_section section;
    struct elfparse_extent extent, names;
    char name[20];
    int named = elfparse_section_names(file, &names, NULL) == 0;

    for (uint32_t i = 0; elfparse_section_get(file, i, &section, NULL) == 0 && i < 200; i++) {
        if (named)
            elfparse_string_get(file, &names, section.name, name, sizeof(name), NULL, NULL);
        walk_symbols(file, &section);
        walk_relocations(file, &section);
        walk_compressed(file, &section);
        if (elfparse_section_extent(file, &section, &extent, NULL) == 0)
            walk_notes(file, &extent, section.addralign);
    }
}

static void walk_segments(const struct elfparse_file *file)
{
    struct elfparse_segment segment;

    for (uint32_t i = 0; elfparse_segment_get(file, i, &segment, NULL) == 0 && i < 200; i++) {
        struct elfparse_extent extent = {segment.offset, segment.filesz};

        if (segment.type == ELFPARSE_PT_NOTE)
            walk_notes(file, &extent, segment.align);
    }
}

/* Versions, and look-ups of the name of the first one that is defined. */
static void walk_versions(const struct elfparse_file *file)
{
    struct elfparse_extent strings;
    struct elfparse_versions versions;
    struct elfparse_version version, found;
    struct elfparse_symbol symbol;
    char name[24] = "VERSION";

    for (int kind = ELFPARSE_VERSIONS_DEFINED; kind <= ELFPARSE_VERSIONS_NEEDED; kind++) {
        unsigned count = 0;

        if (elfparse_versions_open(file, kind, &versions, NULL) != 0)
            continue;
        while (elfparse_version_next(&versions, &version, NULL) == 1) {
            HOLDS(count++ < 0x10000 && version.index <= ELFPARSE_VERSYM_INDEX);
            if (count == 1 && elfparse_dynamic_strings(file, &strings, NULL) == 0)
                elfparse_string_get(file, &strings, version.name, name, sizeof(name), NULL, NULL);
            if (count == 1 && elfparse_version_find(file, version.index, &found, NULL) == 0)
                HOLDS(found.index == version.index);
        }
    }
    elfparse_lookup_version(file, "main", name, &symbol, NULL);
    elfparse_lookup_reference(file, "main", name, &symbol, NULL);
    elfparse_lookup_reference(file, "main", NULL, &symbol, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size, 0};
    struct elfparse_reader reader = {read_checked, &bytes, size};
    struct elfparse_location location;
    struct elfparse_cursor cursor;
    struct elfparse_symbol symbol;
    struct elfparse_file file;
    struct elfparse_section section;
    struct elfparse_dyn dyn;
    uint32_t crc;
    char name[24];

    if (elfparse_file_open(&reader, &file, NULL) != 0)
        return 0;
    walk_segments(&file);
    walk_sections(&file);
    if (elfparse_dynamic_open(&file, &cursor, NULL) == 0) {
        while (elfparse_dynamic_next(&cursor, &dyn, NULL) == 1)
            HOLDS(dyn.tag != ELFPARSE_DT_NULL);
    }
    elfparse_lookup(&file, "main", &symbol, NULL);
    walk_versions(&file);
    elfparse_debuglink_get(&file, name, sizeof(name), NULL, &crc, NULL);
    elfparse_section_named(&file, ".text", 0, &section, NULL);
    if (elfparse_symbolize(&reader, file.entry, name, sizeof(name), &location, NULL) == 0)
        HOLDS(location.symbol + location.offset == file.entry);
    return 0;
}
