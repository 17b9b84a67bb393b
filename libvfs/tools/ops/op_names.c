#include "op_names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "op.h"

const struct op_name op_access_names[] = {
    {"F", F_OK}, {"R", R_OK}, {"W", W_OK}, {"X", X_OK}, {NULL, 0},
};

const struct op_name op_fallocate_names[] = {
    {"ALLOCATE", 0},
    {"KEEP_SIZE", FALLOC_FL_KEEP_SIZE},
    {"PUNCH_HOLE", FALLOC_FL_PUNCH_HOLE},
    {"COLLAPSE_RANGE", FALLOC_FL_COLLAPSE_RANGE},
    {"ZERO_RANGE", FALLOC_FL_ZERO_RANGE},
    {"INSERT_RANGE", FALLOC_FL_INSERT_RANGE},
    {NULL, 0},
};

const struct op_name op_open_names[] = {
    {"RDONLY", O_RDONLY},     {"WRONLY", O_WRONLY},       {"RDWR", O_RDWR},
    {"CREAT", O_CREAT},       {"EXCL", O_EXCL},           {"TRUNC", O_TRUNC},
    {"APPEND", O_APPEND},     {"DIRECTORY", O_DIRECTORY}, {"NOFOLLOW", O_NOFOLLOW},
    {"PATH", O_PATH},         {"TMPFILE", O_TMPFILE},     {"NOATIME", O_NOATIME},
    {"NONBLOCK", O_NONBLOCK}, {"CLOEXEC", O_CLOEXEC},     {NULL, 0},
};

const struct op_name op_rename_names[] = {
    {"NONE", 0},
    {"NOREPLACE", RENAME_NOREPLACE},
    {"EXCHANGE", RENAME_EXCHANGE},
    {NULL, 0},
};

const struct op_name op_resolve_names[] = {
    {"NONE", 0},
    {"NO_XDEV", RESOLVE_NO_XDEV},
    {"NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS},
    {"NO_SYMLINKS", RESOLVE_NO_SYMLINKS},
    {"BENEATH", RESOLVE_BENEATH},
    {"IN_ROOT", RESOLVE_IN_ROOT},
    {NULL, 0},
};

const struct op_name op_setxattr_names[] = {
    {"ANY", 0},
    {"CREATE", XATTR_CREATE},
    {"REPLACE", XATTR_REPLACE},
    {NULL, 0},
};

const struct op_name op_type_names[] = {
    {"file", S_IFREG}, {"dir", S_IFDIR},   {"symlink", S_IFLNK}, {"fifo", S_IFIFO},
    {"char", S_IFCHR}, {"block", S_IFBLK}, {"socket", S_IFSOCK}, {NULL, 0},
};

const struct op_name op_whence_names[] = {
    {"SET", SEEK_SET},   {"CUR", SEEK_CUR},   {"END", SEEK_END},
    {"DATA", SEEK_DATA}, {"HOLE", SEEK_HOLE}, {NULL, 0},
};

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_TYPE] = "type",   [FIELD_MODE] = "mode",     [FIELD_NLINK] = "nlink",
    [FIELD_UID] = "uid",     [FIELD_GID] = "gid",       [FIELD_SIZE] = "size",
    [FIELD_RDEV] = "rdev",   [FIELD_BLOCKS] = "blocks", [FIELD_ATIME] = "atime",
    [FIELD_MTIME] = "mtime",
};

static bool parse_one(const struct op_name *names, const char *text, size_t length, uint64_t *bits)
{
    for (; names->name; names++)
        if (strlen(names->name) == length && strncmp(names->name, text, length) == 0) {
            *bits |= names->value;
            return true;
        }
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 0);
    if (end == text || (size_t)(end - text) != length)
        return false;
    *bits |= number;
    return true;
}

bool op_names_parse(const struct op_name *names, const char *text, uint64_t *value)
{
    uint64_t bits = 0;
    for (;;) {
        size_t length = strcspn(text, "|");
        if (!parse_one(names, text, length, &bits))
            return false;
        if (text[length] == '\0')
            break;
        text += length + 1;
    }
    *value = bits;
    return true;
}

const char *op_names_find(const struct op_name *names, uint64_t value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return "?";
}

int op_field_by_name(const char *name, size_t length)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (strlen(field_names[field]) == length && strncmp(field_names[field], name, length) == 0)
            return field;
    return -1;
}
