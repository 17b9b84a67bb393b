/* String tables. Internal. */
#ifndef ELFP_STRINGS_H
#define ELFP_STRINGS_H

#include <elfparse/file.h>

/* 1 if the string at offset of the table is name, 0 if it is another, or an error's code. */
int elfp_string_equal(const struct elfparse_file *file, const struct elfparse_extent *strings,
                      uint64_t offset, const char *name, struct elfparse_error *error);

#endif
