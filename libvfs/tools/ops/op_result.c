/* From a result to its text. */
#include "op.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "op_names.h"

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
