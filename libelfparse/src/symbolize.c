#include <elfparse/symbolize.h>

#include <elfparse/file.h>

#include "fail.h"

#define STT_MASK 15u
#define STT_FUNC 2u

/* From here on st_shndx is not the index of a section. */
#define SHN_LORESERVE 0xff00u

/* Opens .symtab, or .dynsym where there is none, and its strings. */
static int open_symbols(const struct elfparse_file *file, struct elfparse_section *section,
                        struct elfparse_cursor *cursor, struct elfparse_extent *strings,
                        struct elfparse_error *error)
{
    struct elfparse_extent extent = {0};
    int code = elfparse_section_find(file, ELFPARSE_SHT_SYMTAB, 0, section, error);

    if (code == ELFPARSE_ENOTFOUND)
        code = elfparse_section_find(file, ELFPARSE_SHT_DYNSYM, 0, section, error);
    if (code == 0)
        code = elfparse_section_extent(file, section, &extent, error);
    if (code == 0)
        code = elfparse_section_strings(file, section, strings, error);
    if (code == 0)
        code = elfparse_symbols_open(file, &extent, cursor, error);
    return code;
}

/*
 * The defined function that starts last at or before addr, one with a size before one without; 1, 0
 * if there is none, or a code.
 */
static int find_function(struct elfparse_cursor *cursor, uint64_t addr,
                         struct elfparse_symbol *best, uint32_t *index,
                         struct elfparse_error *error)
{
    struct elfparse_symbol symbol;
    uint32_t next = 0;
    int found = 0;
    int more;

    while ((more = elfparse_symbol_next(cursor, &symbol, error)) == 1) {
        next++;
        if ((symbol.info & STT_MASK) != STT_FUNC || symbol.shndx == 0 || symbol.value > addr)
            continue;
        if (!found || symbol.value > best->value ||
            (symbol.value == best->value && best->size == 0)) {
            *best = symbol;
            *index = next - 1;
            found = 1;
        }
    }
    return more < 0 ? more : found;
}

/* 1 if the symbol reaches as far as addr; one without a size does to the end of its section. */
static int covers(const struct elfparse_file *file, const struct elfparse_section *symtab,
                  uint32_t index, const struct elfparse_symbol *symbol, uint64_t addr)
{
    struct elfparse_section section = {0};
    uint32_t shndx = 0;

    if (symbol->size != 0)
        return addr - symbol->value < symbol->size;
    if (symbol->shndx >= SHN_LORESERVE && symbol->shndx != ELFPARSE_SHN_XINDEX)
        return 0;
    return elfparse_symbol_section(file, symtab, index, symbol, &shndx, NULL) == 0 &&
           elfparse_section_get(file, shndx, &section, NULL) == 0 &&
           addr - section.addr < section.size;
}

int elfparse_symbolize(const struct elfparse_reader *reader, uint64_t addr, char *name,
                       size_t name_size, struct elfparse_location *location,
                       struct elfparse_error *error)
{
    struct elfparse_symbol symbol = {0, 0, 0, 0, 0, 0};
    struct elfparse_cursor cursor;
    struct elfparse_extent strings = {0};
    struct elfparse_section symtab = {0};
    struct elfparse_file file = {0};
    uint32_t index = 0;
    size_t length = 0;
    int code = elfparse_file_open(reader, &file, error);

    if (code == 0)
        code = open_symbols(&file, &symtab, &cursor, &strings, error);
    if (code == 0)
        code = find_function(&cursor, addr, &symbol, &index, error);
    if (code < 0)
        return code;
    if (code == 0 || !covers(&file, &symtab, index, &symbol, addr))
        return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, 0, addr);
    code = elfparse_string_get(&file, &strings, symbol.name, name, name_size, &length, error);
    if (code != 0)
        return code;
    location->symbol = symbol.value;
    location->size = symbol.size;
    location->offset = addr - symbol.value;
    location->length = length;
    return 0;
}
