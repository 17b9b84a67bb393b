/* From the words of a line to a struct op. */
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "op_names.h"

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
