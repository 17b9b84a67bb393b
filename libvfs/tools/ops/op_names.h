/*
 * The names of flags, types and fields in operation lines. Flags are joined by |, and a plain
 * number may stand for any of them, so that invalid flags can be tested too.
 */
#ifndef OPS_OP_NAMES_H
#define OPS_OP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One name and its bits. A table ends with a NULL name. */
struct op_name {
    const char *name;
    uint64_t value;
};

extern const struct op_name op_access_names[];
extern const struct op_name op_fallocate_names[];
extern const struct op_name op_open_names[];
extern const struct op_name op_rename_names[];
extern const struct op_name op_resolve_names[];
extern const struct op_name op_setxattr_names[];
extern const struct op_name op_type_names[];
extern const struct op_name op_whence_names[];

/* Parses NAME|NAME|... Stores the bits and returns true if all names are known. */
bool op_names_parse(const struct op_name *names, const char *text, uint64_t *value);

/* The name of a value in a table of single values, or "?". */
const char *op_names_find(const struct op_name *names, uint64_t value);

/* The field called by the `length` bytes at `name`, or -1. */
int op_field_by_name(const char *name, size_t length);

#endif
