/*
 * From an address to the name of the function around it, for backtraces. Nothing is allocated and
 * nothing is kept: each call reads the symbol table through the reader.
 */
#ifndef ELFPARSE_SYMBOLIZE_H
#define ELFPARSE_SYMBOLIZE_H

#include <elfparse/error.h>
#include <elfparse/reader.h>

ELFPARSE_BEGIN_DECLS

struct elfparse_location {
    uint64_t symbol; /* st_value of the symbol found */
    uint64_t size;   /* its st_size; 0 if the symbol has none */
    uint64_t offset; /* addr - symbol */
    size_t length;   /* of the whole name without the NUL, also if it was cut */
};

/*
 * Finds the function symbol of .symtab (of .dynsym where there is no .symtab) that covers addr, an
 * address as the file has it: subtract the load bias first. A symbol without a size reaches to the
 * next one or to the end of its section. Writes the name, cut to name_size - 1 bytes and
 * NUL-terminated, to name, and the rest to *location. Returns 0; ELFPARSE_ENOTFOUND where no symbol
 * covers addr or there are no symbols; another code where the tables are damaged or cannot be read.
 * On failure nothing is written but *error, which may be NULL. Uses under 512 bytes of stack.
 * Source: gABI, "Symbol Table".
 */
int elfparse_symbolize(const struct elfparse_reader *reader, uint64_t addr, char *name,
                       size_t name_size, struct elfparse_location *location,
                       struct elfparse_error *error);

ELFPARSE_END_DECLS

#endif
