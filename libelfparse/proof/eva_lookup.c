/*
 * Eva: strings, look-up by hash and symbolisation, over a reader whose every answer is fresh, for
 * names of up to NAME bytes and buffers of up to ROOM. Cursors and the file's sections and segments
 * have proofs of their own (eva_cursor.c); here they hand out anything, and any number
 * of entries.
 */
#include "eva_tools.h"

#include <elfparse/symbolize.h>
#include <elfparse/version.h>

#define NAME 3
#define ROOM 4

static char buf[ROOM];

static int any_code(void)
{
    return Frama_C_interval(-1, 0);
}

/* 0 with size bytes of anything at to, or a code. */
static int give(void *to, size_t size)
{
    int code = any_code();

    if (code == 0)
        Frama_C_make_unknown((char *)to, size);
    return code;
}

int elfparse_file_open(const struct elfparse_reader *from, struct elfparse_file *opened,
                       struct elfparse_error *why)
{
    int code = give(opened, sizeof(*opened));

    if (code == 0)
        opened->reader = from;
    return code;
}

int elfparse_section_get(const struct elfparse_file *of, uint32_t index,
                         struct elfparse_section *section, struct elfparse_error *why)
{
    return give(section, sizeof(*section));
}

int elfparse_section_find(const struct elfparse_file *of, uint32_t type, uint32_t from,
                          struct elfparse_section *section, struct elfparse_error *why)
{
    return up_to(1) == 1 ? ELFPARSE_ENOTFOUND : give(section, sizeof(*section));
}

int elfparse_section_extent(const struct elfparse_file *of, const struct elfparse_section *section,
                            struct elfparse_extent *bytes, struct elfparse_error *why)
{
    return give(bytes, sizeof(*bytes));
}

int elfparse_section_strings(const struct elfparse_file *of, const struct elfparse_section *section,
                             struct elfparse_extent *strings, struct elfparse_error *why)
{
    return give(strings, sizeof(*strings));
}

int elfparse_extent_at(const struct elfparse_file *of, uint64_t vaddr, uint64_t size,
                       struct elfparse_extent *bytes, struct elfparse_error *why)
{
    return give(bytes, sizeof(*bytes));
}

int elfparse_symbol_section(const struct elfparse_file *of, const struct elfparse_section *symtab,
                            uint32_t index, const struct elfparse_symbol *symbol, uint32_t *shndx,
                            struct elfparse_error *why)
{
    return give(shndx, sizeof(*shndx));
}

int elfparse_dynamic_strings(const struct elfparse_file *of, struct elfparse_extent *strings,
                             struct elfparse_error *why)
{
    return give(strings, sizeof(*strings));
}

int elfparse_version_find(const struct elfparse_file *of, uint32_t index,
                          struct elfparse_version *version, struct elfparse_error *why)
{
    return up_to(1) == 1 ? ELFPARSE_ENOTFOUND : give(version, sizeof(*version));
}

int elfparse_symbol_version(const struct elfparse_file *of, uint32_t symbol, uint32_t *versym,
                            struct elfparse_error *why)
{
    return give(versym, sizeof(*versym));
}

int elfparse_symbols_open(const struct elfparse_file *of, const struct elfparse_extent *table,
                          struct elfparse_cursor *cursor, struct elfparse_error *why)
{
    return any_code();
}

int elfparse_symbol_next(struct elfparse_cursor *cursor, struct elfparse_symbol *symbol,
                         struct elfparse_error *why)
{
    int more = Frama_C_interval(-1, 1);

    if (more == 1)
        Frama_C_make_unknown((char *)symbol, sizeof(*symbol));
    return more;
}

int elfparse_dynamic_find(const struct elfparse_file *of, int64_t tag, uint64_t *value,
                          struct elfparse_error *why)
{
    int code = any_code();

    if (code == 0)
        *value = any();
    return code;
}

/* A buffer that ends where its memory does. */
static size_t any_size(void)
{
    size_t size = up_to(ROOM);

    //@ split size;
    return size;
}

/* As dlsym does, by version, and as a reference; the version is called like the symbol. */
static void look_up(const char *name, struct elfparse_symbol *symbol)
{
    switch (up_to(2)) {
    case 0:
        elfparse_lookup(&file, name, symbol, &error);
        break;
    case 1:
        elfparse_lookup_version(&file, name, name, symbol, &error);
        break;
    default:
        elfparse_lookup_reference(&file, name, up_to(1) == 1 ? name : NULL, symbol, &error);
    }
}

int main(void)
{
    struct elfparse_location location;
    struct elfparse_symbol symbol;
    char name[NAME + 1];
    size_t size, length;

    any_file();
    switch (PART) {
    case 0:
        size = any_size();
        elfparse_string_get(&file, &extent, any(), buf + ROOM - size, size, &length, &error);
        break;
    case 1:
        Frama_C_make_unknown(name, NAME);
        name[NAME] = '\0';
        elfparse_lookup(&file, name, &symbol, &error);
        break;
    case 3: /* takes minutes, so by hand only */
        Frama_C_make_unknown(name, NAME);
        name[NAME] = '\0';
        look_up(name, &symbol);
        break;
    default:
        size = any_size();
        elfparse_symbolize(&reader, any(), buf + ROOM - size, size, &location, &error);
    }
    return 0;
}
