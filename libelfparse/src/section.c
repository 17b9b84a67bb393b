#include <elfparse/file.h>
#include <elfparse/version.h>

#include "form.h"

/* Elf64_Chdr, Elf32_Chdr (gABI, "Section Compression") */
#define CHDR_SIZE   24u
#define CHDR32_SIZE 12u

int elfparse_section_named(const struct elfparse_file *file, const char *name, uint32_t from,
                           struct elfparse_section *section, struct elfparse_error *error)
{
    struct elfparse_section candidate = {0};
    struct elfparse_extent names = {0};
    uint32_t i;
    int code = elfparse_section_names(file, &names, error);

    for (i = from; code == 0 && i < file->shnum; i++) {
        code = elfparse_section_get(file, i, &candidate, error);
        if (code == 0)
            code = elfp_string_equal(file, &names, candidate.name, name, error);
        if (code == 1) {
            *section = candidate;
            return 0;
        }
        /* A name that is damaged is not the one that is looked for. */
        if (code == ELFPARSE_ESTRING)
            code = 0;
    }
    if (code != 0)
        return code;
    return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, 0, 0);
}

/* The SHT_SYMTAB_SHNDX section of that symbol table. */
static int find_indices(const struct elfparse_file *file, uint32_t symtab,
                        struct elfparse_section *section, struct elfparse_error *error)
{
    uint32_t from = 0;
    int code;

    do {
        code = elfparse_section_find(file, ELFPARSE_SHT_SYMTAB_SHNDX, from, section, error);
        from = section->index + 1;
    } while (code == 0 && section->link != symtab);
    return code;
}

int elfparse_symbol_section(const struct elfparse_file *file, const struct elfparse_section *symtab,
                            uint32_t index, const struct elfparse_symbol *symbol, uint32_t *shndx,
                            struct elfparse_error *error)
{
    struct elfparse_section section = {0};
    struct elfparse_extent extent = {0};
    uint8_t bytes[4] = {0};
    int code;

    if (symbol->shndx != ELFPARSE_SHN_XINDEX) {
        *shndx = symbol->shndx;
        return 0;
    }
    code = find_indices(file, symtab->index, &section, error);
    if (code == 0)
        code = elfparse_section_extent(file, &section, &extent, error);
    if (code == 0 && index >= extent.size / sizeof(bytes))
        code = elfp_fail(error, ELFPARSE_ELINK, ELFPARSE_RULE_NONE, extent.offset,
                         extent.size / sizeof(bytes), index);
    if (code == 0)
        code = elfp_read(file->reader, extent.offset + (uint64_t)index * sizeof(bytes), bytes,
                         sizeof(bytes), error);
    if (code == 0)
        *shndx = elfp_word(file, bytes);
    return code;
}

int elfparse_compression_get(const struct elfparse_file *file,
                             const struct elfparse_section *section,
                             struct elfparse_compression *compression, struct elfparse_error *error)
{
    struct elfparse_section whole = *section; /* header and compressed bytes */
    struct elfparse_extent extent = {0};
    const uint32_t size = elfp_either(file, CHDR_SIZE, CHDR32_SIZE);
    uint8_t bytes[CHDR_SIZE] = {0};
    int code;

    if ((section->flags & ELFPARSE_SHF_COMPRESSED) == 0)
        return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, ELFPARSE_SHF_COMPRESSED,
                         section->flags);
    whole.flags = 0;
    code = elfparse_section_extent(file, &whole, &extent, error);
    if (code == 0 && extent.size < size)
        code =
            elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_NONE, extent.offset, size, extent.size);
    if (code == 0)
        code = elfp_read(file->reader, extent.offset, bytes, size, error);
    if (code != 0)
        return code;
    compression->type = elfp_word(file, bytes);
    compression->size = elfp_number(file, bytes, 8, 4);
    compression->align = elfp_number(file, bytes, 16, 8);
    compression->data.offset = extent.offset + size;
    compression->data.size = extent.size - size;
    return 0;
}

int elfparse_debuglink_get(const struct elfparse_file *file, char *name, size_t size,
                           size_t *length, uint32_t *crc, struct elfparse_error *error)
{
    struct elfparse_section section = {0};
    struct elfparse_extent extent = {0};
    uint8_t bytes[4] = {0};
    size_t whole = 0;
    uint64_t at;
    int code = elfparse_section_named(file, ".gnu_debuglink", 0, &section, error);

    if (code == 0)
        code = elfparse_section_extent(file, &section, &extent, error);
    if (code == 0)
        code = elfparse_string_get(file, &extent, 0, name, size, &whole, error);
    if (code != 0)
        return code;
    /* The name, its NUL, zeros up to a multiple of 4, the CRC */
    at = ((uint64_t)whole + sizeof(bytes)) & ~(uint64_t)(sizeof(bytes) - 1);
    if (!elfp_inside(at, sizeof(bytes), extent.size))
        return elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_NONE, extent.offset,
                         at + sizeof(bytes), extent.size);
    code = elfp_read(file->reader, extent.offset + at, bytes, sizeof(bytes), error);
    if (code != 0)
        return code;
    if (length != NULL)
        *length = whole;
    *crc = elfp_word(file, bytes);
    return 0;
}

/* Sizes of Verdef, Verdaux, Verneed and Vernaux (Linux gABI extensions, "Symbol Versioning"). */
#define VERDEF_SIZE  20u
#define VERDAUX_SIZE 8u
#define VERNEED_SIZE 16u
#define VERNAUX_SIZE 16u

/* The only format that there is: vd_version, vn_version. */
#define FORMAT 1u

/* Each version has an index of its own; a table with more entries runs in circles. */
#define MAX_STEPS (2 * (ELFPARSE_VERSYM_INDEX + UINT64_C(1)))

/* Reads size bytes at an address. */
static int read_at(const struct elfparse_file *file, uint64_t address, uint8_t *bytes, size_t size,
                   struct elfparse_error *error)
{
    struct elfparse_extent extent = {0};
    int code = elfparse_extent_at(file, address, size, &extent, error);

    if (code == 0)
        code = elfp_read(file->reader, extent.offset, bytes, size, error);
    return code;
}

/* Reads a record or part, if the table did not have too many of them. */
static int read_step(struct elfparse_versions *versions, uint64_t address, uint8_t *bytes,
                     size_t size, struct elfparse_error *error)
{
    if (versions->steps >= MAX_STEPS)
        return elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_NONE, 0, MAX_STEPS, versions->steps);
    versions->steps++;
    return read_at(versions->file, address, bytes, size, error);
}

static int check_format(const struct elfparse_file *file, const uint8_t *bytes,
                        struct elfparse_error *error)
{
    if (elfp_half(file, bytes) != FORMAT)
        return elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_NONE, 0, FORMAT,
                         elfp_half(file, bytes));
    return 0;
}

/* Address of what stands next bytes after at; 0 where next says that nothing does. */
static uint64_t follow(uint64_t at, uint32_t next)
{
    return next == 0 ? 0 : at + next;
}

int elfparse_versions_open(const struct elfparse_file *file, enum elfparse_version_kind kind,
                           struct elfparse_versions *versions, struct elfparse_error *error)
{
    uint64_t table = 0;
    int code = elfparse_dynamic_find(
        file, kind == ELFPARSE_VERSIONS_DEFINED ? ELFPARSE_DT_VERDEF : ELFPARSE_DT_VERNEED, &table,
        error);

    if (code != 0 && code != ELFPARSE_ENOTFOUND)
        return code;
    versions->file = file;
    versions->record = code == 0 ? table : 0;
    versions->part = 0;
    versions->library = 0;
    versions->steps = 0;
    versions->kind = kind;
    return 0;
}

/* A Verdef and its first Verdaux, which has the version's name; the others are its parents. */
static int next_defined(struct elfparse_versions *versions, struct elfparse_version *version,
                        struct elfparse_error *error)
{
    uint8_t record[VERDEF_SIZE] = {0}, part[VERDAUX_SIZE] = {0};
    int code;

    if (versions->record == 0)
        return 0;
    code = read_step(versions, versions->record, record, sizeof(record), error);
    if (code == 0)
        code = check_format(versions->file, record, error);
    if (code == 0)
        code = read_at(versions->file, versions->record + elfp_word(versions->file, record + 12),
                       part, sizeof(part), error);
    if (code != 0)
        return code;
    version->flags = elfp_half(versions->file, record + 2);
    version->index = elfp_half(versions->file, record + 4) & ELFPARSE_VERSYM_INDEX;
    version->hash = elfp_word(versions->file, record + 8);
    version->name = elfp_word(versions->file, part);
    version->library = 0;
    versions->record = follow(versions->record, elfp_word(versions->file, record + 16));
    return 1;
}

/* The Verneed of the next library: its parts are the versions. */
static int next_library(struct elfparse_versions *versions, struct elfparse_error *error)
{
    uint8_t record[VERNEED_SIZE] = {0};
    int code = read_step(versions, versions->record, record, sizeof(record), error);

    if (code == 0)
        code = check_format(versions->file, record, error);
    if (code != 0)
        return code;
    versions->library = elfp_word(versions->file, record + 4);
    versions->part = follow(versions->record, elfp_word(versions->file, record + 8));
    versions->record = follow(versions->record, elfp_word(versions->file, record + 12));
    return 0;
}

static int next_needed(struct elfparse_versions *versions, struct elfparse_version *version,
                       struct elfparse_error *error)
{
    uint8_t part[VERNAUX_SIZE] = {0};
    int code = 0;

    while (versions->part == 0) {
        if (versions->record == 0)
            return 0;
        code = next_library(versions, error);
        if (code != 0)
            return code;
    }
    code = read_step(versions, versions->part, part, sizeof(part), error);
    if (code != 0)
        return code;
    version->hash = elfp_word(versions->file, part);
    version->flags = elfp_half(versions->file, part + 4);
    version->index = elfp_half(versions->file, part + 6) & ELFPARSE_VERSYM_INDEX;
    version->name = elfp_word(versions->file, part + 8);
    version->library = versions->library;
    versions->part = follow(versions->part, elfp_word(versions->file, part + 12));
    return 1;
}

int elfparse_version_next(struct elfparse_versions *versions, struct elfparse_version *version,
                          struct elfparse_error *error)
{
    return versions->kind == ELFPARSE_VERSIONS_DEFINED ? next_defined(versions, version, error)
                                                       : next_needed(versions, version, error);
}

/* Looks for the index in one of the tables; 1 if it is there, 0 if not, or a code. */
static int find_in(const struct elfparse_file *file, enum elfparse_version_kind kind,
                   uint32_t index, struct elfparse_version *version, struct elfparse_error *error)
{
    struct elfparse_version candidate = {0};
    struct elfparse_versions versions;
    int more = elfparse_versions_open(file, kind, &versions, error);

    if (more != 0)
        return more;
    while ((more = elfparse_version_next(&versions, &candidate, error)) == 1) {
        if (candidate.index == index) {
            *version = candidate;
            return 1;
        }
    }
    return more;
}

int elfparse_version_find(const struct elfparse_file *file, uint32_t index,
                          struct elfparse_version *version, struct elfparse_error *error)
{
    struct elfp_counted counted;
    int found;

    elfp_count_reads(&counted, file);
    found = find_in(&counted.file, ELFPARSE_VERSIONS_DEFINED, index, version, error);
    if (found == 0)
        found = find_in(&counted.file, ELFPARSE_VERSIONS_NEEDED, index, version, error);
    found = elfp_counted_code(&counted, found, ELFPARSE_ETABLE, error);
    if (found != 0)
        return found < 0 ? found : 0;
    return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, 0, index);
}

int elfparse_symbol_version(const struct elfparse_file *file, uint32_t symbol, uint32_t *versym,
                            struct elfparse_error *error)
{
    uint8_t bytes[2] = {0};
    uint64_t table = 0;
    int code = elfparse_dynamic_find(file, ELFPARSE_DT_VERSYM, &table, error);

    if (code == 0)
        code = read_at(file, table + (uint64_t)symbol * sizeof(bytes), bytes, sizeof(bytes), error);
    if (code == 0)
        *versym = elfp_half(file, bytes);
    return code;
}
