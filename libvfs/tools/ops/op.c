#include "op.h"

#include <string.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/openat2.h>
#include <errno.h>
#include <inttypes.h>

const struct op_spec op_table[OP_COUNT] = {
    [OP_ACCESS] = {"access", "pa"},
    [OP_CHMOD] = {"chmod", "pm"},
    [OP_CHOWN] = {"chown", "pug"},
    [OP_CLOSE] = {"close", "s"},
    [OP_FALLOCATE] = {"fallocate", "sFol"},
    [OP_FCHMOD] = {"fchmod", "sm"},
    [OP_FCHOWN] = {"fchown", "sug"},
    [OP_FGETXATTR] = {"fgetxattr", "sn?l"},
    [OP_FLINK] = {"flink", "sq"},
    [OP_FLISTXATTR] = {"flistxattr", "s?l"},
    [OP_FREMOVEXATTR] = {"fremovexattr", "sn"},
    [OP_FSETXATTR] = {"fsetxattr", "snd?X"},
    [OP_FSTAT] = {"fstat", "s?i"},
    [OP_FTRUNCATE] = {"ftruncate", "sl"},
    [OP_FUTIMENS] = {"futimens", "stt"},
    [OP_GETXATTR] = {"getxattr", "pn?l"},
    [OP_LCHOWN] = {"lchown", "pug"},
    [OP_LGETXATTR] = {"lgetxattr", "pn?l"},
    [OP_LINK] = {"link", "pq"},
    [OP_LINKF] = {"linkf", "pq"},
    [OP_LIST] = {"list", "s"},
    [OP_LISTXATTR] = {"listxattr", "p?l"},
    [OP_LLISTXATTR] = {"llistxattr", "p?l"},
    [OP_LREMOVEXATTR] = {"lremovexattr", "pn"},
    [OP_LS] = {"ls", "p"},
    [OP_LSEEK] = {"lseek", "sow"},
    [OP_LSETXATTR] = {"lsetxattr", "pnd?X"},
    [OP_LSTAT] = {"lstat", "p?i"},
    [OP_LUTIMENS] = {"lutimens", "ptt"},
    [OP_MAKE] = {"make", "yp?m"},
    [OP_MARK] = {"mark", "p"},
    [OP_MKDIR] = {"mkdir", "pm"},
    [OP_MKNOD] = {"mknod", "pym?v"},
    [OP_OPEN] = {"open", "spf?m"},
    [OP_OPENAT2] = {"openat2", "spfmr"},
    [OP_PREAD] = {"pread", "slo"},
    [OP_PWRITE] = {"pwrite", "sdo"},
    [OP_READ] = {"read", "sl"},
    [OP_READLINK] = {"readlink", "p?l"},
    [OP_REMOVE] = {"remove", "p"},
    [OP_REMOVEXATTR] = {"removexattr", "pn"},
    [OP_RENAME] = {"rename", "pq?R"},
    [OP_RMDIR] = {"rmdir", "p"},
    [OP_SAME] = {"same", "pq"},
    [OP_SETXATTR] = {"setxattr", "pnd?X"},
    [OP_SINCE] = {"since", "p"},
    [OP_STAT] = {"stat", "p?i"},
    [OP_STATFS] = {"statfs", "p"},
    [OP_SYMLINK] = {"symlink", "dq"},
    [OP_TRUNCATE] = {"truncate", "pl"},
    [OP_UMASK] = {"umask", "m"},
    [OP_UNLINK] = {"unlink", "p"},
    [OP_UTIMENS] = {"utimens", "ptt"},
    [OP_WRITE] = {"write", "sd"},
};

const char *op_errno_name(int error)
{
    const char *name = strerrorname_np(error);
    return name ? name : "E?";
}

/*
 * The names of flags, types and fields in operation lines. Flags are joined by |, and a plain
 * number may stand for any of them, so that invalid flags can be tested too.
 */

/* One name and its bits. A table ends with a NULL name. */
struct op_name {
    const char *name;
    uint64_t value;
};

/* Parses NAME|NAME|... Stores the bits and returns true if all names are known. */
static bool op_names_parse(const struct op_name *names, const char *text, uint64_t *value);

/* The name of a value in a table of single values, or "?". */
static const char *op_names_find(const struct op_name *names, uint64_t value);

/* The field called by the `length` bytes at `name`, or -1. */
static int op_field_by_name(const char *name, size_t length);

static const struct op_name op_access_names[] = {
    {"F", F_OK}, {"R", R_OK}, {"W", W_OK}, {"X", X_OK}, {NULL, 0},
};

static const struct op_name op_fallocate_names[] = {
    {"ALLOCATE", 0},
    {"KEEP_SIZE", FALLOC_FL_KEEP_SIZE},
    {"PUNCH_HOLE", FALLOC_FL_PUNCH_HOLE},
    {"COLLAPSE_RANGE", FALLOC_FL_COLLAPSE_RANGE},
    {"ZERO_RANGE", FALLOC_FL_ZERO_RANGE},
    {"INSERT_RANGE", FALLOC_FL_INSERT_RANGE},
    {NULL, 0},
};

static const struct op_name op_open_names[] = {
    {"RDONLY", O_RDONLY},     {"WRONLY", O_WRONLY},       {"RDWR", O_RDWR},
    {"CREAT", O_CREAT},       {"EXCL", O_EXCL},           {"TRUNC", O_TRUNC},
    {"APPEND", O_APPEND},     {"DIRECTORY", O_DIRECTORY}, {"NOFOLLOW", O_NOFOLLOW},
    {"PATH", O_PATH},         {"TMPFILE", O_TMPFILE},     {"NOATIME", O_NOATIME},
    {"NONBLOCK", O_NONBLOCK}, {"CLOEXEC", O_CLOEXEC},     {NULL, 0},
};

static const struct op_name op_rename_names[] = {
    {"NONE", 0},
    {"NOREPLACE", RENAME_NOREPLACE},
    {"EXCHANGE", RENAME_EXCHANGE},
    {NULL, 0},
};

static const struct op_name op_resolve_names[] = {
    {"NONE", 0},
    {"NO_XDEV", RESOLVE_NO_XDEV},
    {"NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS},
    {"NO_SYMLINKS", RESOLVE_NO_SYMLINKS},
    {"BENEATH", RESOLVE_BENEATH},
    {"IN_ROOT", RESOLVE_IN_ROOT},
    {NULL, 0},
};

static const struct op_name op_setxattr_names[] = {
    {"ANY", 0},
    {"CREATE", XATTR_CREATE},
    {"REPLACE", XATTR_REPLACE},
    {NULL, 0},
};

static const struct op_name op_type_names[] = {
    {"file", S_IFREG}, {"dir", S_IFDIR},   {"symlink", S_IFLNK}, {"fifo", S_IFIFO},
    {"char", S_IFCHR}, {"block", S_IFBLK}, {"socket", S_IFSOCK}, {NULL, 0},
};

static const struct op_name op_whence_names[] = {
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

static bool op_names_parse(const struct op_name *names, const char *text, uint64_t *value)
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

static const char *op_names_find(const struct op_name *names, uint64_t value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return "?";
}

static int op_field_by_name(const char *name, size_t length)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (strlen(field_names[field]) == length && strncmp(field_names[field], name, length) == 0)
            return field;
    return -1;
}

/* From the words of a line to a struct op. */

/* Numbers are decimal, octal with a leading 0, hexadecimal with 0x. */
static bool parse_number(const char *text, int64_t *value)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 0);
    if (end == text || *end || errno)
        return false;
    *value = number;
    return true;
}

static bool parse_u32(const char *text, uint32_t *value)
{
    int64_t number;
    if (!parse_number(text, &number) || number < -1 || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool parse_slot(const char *text, int *slot)
{
    int64_t number;
    if (!parse_number(text, &number) || number < 0 || number >= OP_SLOTS)
        return false;
    *slot = (int)number;
    return true;
}

static bool parse_path(const char *text, struct op_path *path)
{
    *path = (struct op_path){OP_SLOT_CWD, text};
    if (*text != '%')
        return true;
    char *end = NULL;
    long slot = strtol(text + 1, &end, 10);
    if (end == text + 1 || *end != ':' || slot < 0 || slot >= OP_SLOTS)
        return false;
    *path = (struct op_path){(int)slot, end + 1};
    return true;
}

/* now, omit, or SECONDS[.NANOSECONDS] with the latter as a plain number. */
static bool parse_time(const char *text, struct op_time *time)
{
    *time = (struct op_time){0, UTIME_NOW};
    if (strcmp(text, "now") == 0)
        return true;
    time->nanoseconds = UTIME_OMIT;
    if (strcmp(text, "omit") == 0)
        return true;
    char *end = NULL;
    time->seconds = strtoll(text, &end, 10);
    time->nanoseconds = 0;
    if (end == text)
        return false;
    return *end == '\0' || (*end == '.' && parse_number(end + 1, &time->nanoseconds));
}

static bool parse_device(const char *text, struct op *op)
{
    int end = 0;
    return sscanf(text, "%u:%u%n", &op->major, &op->minor, &end) == 2 && text[end] == '\0';
}

static bool parse_flags(const struct op_name *names, const char *text, int *flags)
{
    uint64_t value;
    if (!op_names_parse(names, text, &value))
        return false;
    *flags = (int)value;
    return true;
}

static bool parse_type(const char *text, struct op *op)
{
    uint64_t type;
    if (!op_names_parse(op_type_names, text, &type))
        return false;
    op->mode = (uint32_t)type;
    return true;
}

/* The mode of mknod comes after the type, and is added to it. */
static bool parse_mode(const char *text, struct op *op)
{
    uint32_t mode;
    if (!parse_u32(text, &mode))
        return false;
    op->mode |= mode;
    return true;
}

static bool parse_fields(const char *text, struct op *op)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        int field = op_field_by_name(text, length);
        if (field < 0 || op->field_count == OP_FIELDS_MAX)
            return false;
        op->field[op->field_count++] = (enum op_field)field;
        text += length + (text[length] == ',');
    }
    return true;
}

static bool parse_word(struct op *op, char kind, size_t *times, const struct bytes *token)
{
    const char *text = bytes_string(token);
    switch (kind) {
    case 'a':
        return parse_flags(op_access_names, text, &op->flags);
    case 'd':
        op->data = text;
        op->data_length = token->length;
        return true;
    case 'f':
        return parse_flags(op_open_names, text, &op->flags);
    case 'g':
        return parse_u32(text, &op->gid);
    case 'i':
        return parse_fields(text, op);
    case 'l':
        return parse_number(text, &op->length);
    case 'm':
        return parse_mode(text, op);
    case 'n':
        op->name = text;
        return true;
    case 'o':
        return parse_number(text, &op->offset);
    case 'p':
        return parse_path(text, &op->path);
    case 'q':
        return parse_path(text, &op->path2);
    case 'r':
        return op_names_parse(op_resolve_names, text, &op->resolve);
    case 's':
        return parse_slot(text, &op->slot);
    case 't':
        return parse_time(text, &op->time[(*times)++]);
    case 'u':
        return parse_u32(text, &op->uid);
    case 'v':
        return parse_device(text, op);
    case 'w':
        return parse_flags(op_whence_names, text, &op->flags);
    case 'y':
        return parse_type(text, op);
    case 'F':
        return parse_flags(op_fallocate_names, text, &op->flags);
    case 'R':
        return parse_flags(op_rename_names, text, &op->flags);
    case 'X':
        return parse_flags(op_setxattr_names, text, &op->flags);
    default:
        return false;
    }
}

/* @UID[:GID[,GROUP...]]; the gid is the uid where it is not given. */
static bool parse_caller(const char *text, struct op_caller *caller)
{
    char *end = NULL;
    caller->uid = (uint32_t)strtoul(text + 1, &end, 10);
    caller->gid = caller->uid;
    if (end == text + 1)
        return false;
    if (*end == ':')
        caller->gid = (uint32_t)strtoul(end + 1, &end, 10);
    while (*end == ',' && caller->group_count < OP_GROUPS_MAX)
        caller->group[caller->group_count++] = (uint32_t)strtoul(end + 1, &end, 10);
    return *end == '\0';
}

static int code_by_name(const char *name)
{
    for (int code = 0; code < OP_COUNT; code++)
        if (strcmp(op_table[code].name, name) == 0)
            return code;
    return -1;
}

static bool is_end(const struct tokens *tokens, size_t index)
{
    return index >= tokens->count || strcmp(bytes_string(&tokens->token[index]), "=") == 0;
}

static const char *decode_arguments(struct op *op, const struct tokens *tokens, size_t *at)
{
    size_t times = 0;
    bool optional = false;
    for (const char *kind = op_table[op->code].arguments; *kind; kind++) {
        if (*kind == '?') {
            optional = true;
            continue;
        }
        if (is_end(tokens, *at))
            return optional ? NULL : "an argument is missing";
        if (!parse_word(op, *kind, &times, &tokens->token[*at]))
            return "an argument is malformed";
        *at += 1;
    }
    return is_end(tokens, *at) ? NULL : "too many arguments";
}

const char *op_decode(struct op *op, const struct tokens *tokens, size_t from, size_t *next)
{
    struct op decoded = {.path = {OP_SLOT_CWD, ""}, .path2 = {OP_SLOT_CWD, ""}, .length = -1};
    if (!is_end(tokens, from) && bytes_string(&tokens->token[from])[0] == '@') {
        if (!parse_caller(bytes_string(&tokens->token[from]), &decoded.caller))
            return "the caller is not @UID[:GID[,GROUP...]]";
        from++;
    }
    if (is_end(tokens, from))
        return "no operation";
    int code = code_by_name(bytes_string(&tokens->token[from]));
    if (code < 0)
        return "no such operation";
    decoded.code = (enum op_code)code;
    from++;
    const char *wrong = decode_arguments(&decoded, tokens, &from);
    if (wrong)
        return wrong;
    *op = decoded;
    *next = from;
    return NULL;
}

/* From a result to its text. */

enum { DAY = 86400 }; /* a time that is nearer to now than this prints as "now" */

/* What `stat` prints when no field is asked for: what every file system must agree on. The size of
 * a directory is left out, since it means something else to each. */
static const enum op_field default_fields[] = {
    FIELD_TYPE, FIELD_MODE, FIELD_NLINK, FIELD_UID, FIELD_GID, FIELD_SIZE, FIELD_RDEV,
};

static void spell_time(struct bytes *out, struct op_time time, int64_t now)
{
    int64_t age = now - time.seconds;
    if (age > -DAY && age < DAY)
        bytes_text(out, "now");
    else if (time.nanoseconds)
        bytes_printf(out, "%" PRId64 ".%" PRId64, time.seconds, time.nanoseconds);
    else
        bytes_printf(out, "%" PRId64, time.seconds);
}

static void spell_size(struct bytes *out, const struct op_stat *stat)
{
    if (S_ISDIR(stat->mode))
        bytes_text(out, "-");
    else
        bytes_printf(out, "%" PRIu64, stat->size);
}

static void spell_rdev(struct bytes *out, const struct op_stat *stat)
{
    if (S_ISCHR(stat->mode) || S_ISBLK(stat->mode))
        bytes_printf(out, "%u:%u", stat->major, stat->minor);
    else
        bytes_text(out, "-");
}

static void spell_field(struct bytes *out, enum op_field field, const struct op_result *result)
{
    const struct op_stat *stat = &result->stat;
    switch (field) {
    case FIELD_TYPE:
        bytes_text(out, op_names_find(op_type_names, stat->mode & S_IFMT));
        break;
    case FIELD_MODE:
        bytes_printf(out, "%04o", stat->mode & 07777);
        break;
    case FIELD_NLINK:
        bytes_printf(out, "%" PRIu64, stat->links);
        break;
    case FIELD_UID:
        bytes_printf(out, "%" PRIu32, stat->uid);
        break;
    case FIELD_GID:
        bytes_printf(out, "%" PRIu32, stat->gid);
        break;
    case FIELD_SIZE:
        spell_size(out, stat);
        break;
    case FIELD_RDEV:
        spell_rdev(out, stat);
        break;
    case FIELD_BLOCKS:
        bytes_printf(out, "%" PRIu64, stat->blocks);
        break;
    case FIELD_ATIME:
        spell_time(out, stat->time[0], result->now);
        break;
    case FIELD_MTIME:
        spell_time(out, stat->time[1], result->now);
        break;
    case FIELD_COUNT:
        break;
    }
}

static void spell_stat(struct bytes *out, const struct op *op, const struct op_result *result)
{
    const enum op_field *field = op->field_count ? op->field : default_fields;
    size_t count =
        op->field_count ? op->field_count : sizeof default_fields / sizeof default_fields[0];
    for (size_t i = 0; i < count; i++) {
        if (i)
            bytes_push(out, ' ');
        spell_field(out, field[i], result);
    }
}

static void spell_names(struct bytes *out, const struct bytes *names)
{
    if (names->length == 0)
        bytes_text(out, "empty");
    for (size_t at = 0; at < names->length;) {
        size_t length = strlen(names->data + at);
        if (at)
            bytes_push(out, ' ');
        token_spell(out, names->data + at, length);
        at += length + 1;
    }
}

/* With a length of 0 the attribute calls answer the size alone. */
static void spell_attribute(struct bytes *out, const struct op *op, const struct op_result *result)
{
    bool is_list =
        op->code == OP_LISTXATTR || op->code == OP_LLISTXATTR || op->code == OP_FLISTXATTR;
    if (op->length == 0)
        bytes_printf(out, "%" PRId64, result->code);
    else if (is_list)
        spell_names(out, &result->data);
    else
        token_spell(out, result->data.data, result->data.length);
}

static void spell_success(struct bytes *out, const struct op *op, const struct op_result *result)
{
    switch (op->code) {
    case OP_STAT:
    case OP_LSTAT:
    case OP_FSTAT:
        spell_stat(out, op, result);
        break;
    case OP_READ:
    case OP_PREAD:
    case OP_READLINK:
    case OP_SINCE:
        token_spell(out, result->data.data, result->data.length);
        break;
    case OP_GETXATTR:
    case OP_LGETXATTR:
    case OP_FGETXATTR:
        spell_attribute(out, op, result);
        break;
    case OP_LS:
    case OP_LIST:
        spell_names(out, &result->data);
        break;
    case OP_LISTXATTR:
    case OP_LLISTXATTR:
    case OP_FLISTXATTR:
        spell_attribute(out, op, result);
        break;
    case OP_WRITE:
    case OP_PWRITE:
    case OP_LSEEK:
        bytes_printf(out, "%" PRId64, result->code);
        break;
    case OP_UMASK:
        bytes_printf(out, "%04o", (unsigned)result->code);
        break;
    case OP_SAME:
        bytes_text(out, result->code ? "yes" : "no");
        break;
    case OP_STATFS:
        bytes_printf(out, "namelen %" PRId64, result->code);
        break;
    default:
        bytes_text(out, "ok");
    }
}

void op_spell_result(struct bytes *out, const struct op *op, const struct op_result *result)
{
    if (result->code == OP_NOT_RUN)
        bytes_text(out, "not-run");
    else if (result->code < 0)
        bytes_text(out, op_errno_name((int)-result->code));
    else
        spell_success(out, op, result);
}
