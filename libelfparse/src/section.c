#include <elfparse/file.h>

#include "fail.h"
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
