/* pax extended headers: records "LENGTH KEY=VALUE\n", LENGTH counting itself (POSIX pax(1), "pax
 * Extended Header"). Values may contain any byte. Unknown keys are skipped; sparse files are
 * refused. */
#include "import.h"

#include "memory.h"
#include "xattr.h"

#define LENGTH_MAX 20u  /* digits */
#define KEY_MAX    300u /* bytes; longer ones are unknown */
#define NUMBER_MAX 40u

static int next_record(struct umvfs_import *imp);
static int length_byte(struct umvfs_import *imp);
static int key_byte(struct umvfs_import *imp);
static int end_record(struct umvfs_import *imp);

int umvfs_import_pax(struct umvfs_import *imp, uint64_t size, bool global)
{
    imp->tar.left = size;
    imp->tar.global = global;
    imp->entry.size = size;
    return next_record(imp);
}

/* One byte more, appended to what is in buf. */
static int more(struct umvfs_import *imp, size_t used, import_then then)
{
    if (imp->tar.record == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    imp->tar.record--;
    imp->tar.left--;
    umvfs_import_collect(imp, imp->buf, used + 1u, then);
    imp->have = used;
    return 0;
}

static int next_record(struct umvfs_import *imp)
{
    if (imp->tar.left == 0)
        return umvfs_import_tar_pad(imp, imp->entry.size);
    imp->tar.record = imp->tar.left;
    return more(imp, 0, length_byte);
}

static int length_byte(struct umvfs_import *imp)
{
    size_t used = imp->have;
    uint64_t length = 0;
    if (imp->buf[used - 1u] != ' ')
        return used < LENGTH_MAX ? more(imp, used, length_byte)
                                 : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    if (!umvfs_import_parse_digits(imp->buf, used - 1u, 10, &length) || length < used ||
        length - used > imp->tar.left)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    imp->tar.record = length - used;
    return more(imp, 0, key_byte);
}

static bool is_key(const struct umvfs_import *imp, const char *key, size_t len)
{
    return imp->have == len + 1u && memcmp(imp->buf, key, len) == 0;
}

static bool starts_with(const struct umvfs_import *imp, const char *key, size_t len)
{
    return imp->have > len + 1u && memcmp(imp->buf, key, len) == 0;
}

/* Collects the value, which has the record's rest but its newline. */
static int value(struct umvfs_import *imp, char *dst, size_t max, import_then then)
{
    uint64_t size = imp->tar.record - 1u;
    if (size > max)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    imp->tar.left -= size;
    imp->tar.record = 1;
    return umvfs_import_collect(imp, dst, (size_t)size, then);
}

static int skip_value(struct umvfs_import *imp)
{
    uint64_t size = imp->tar.record - 1u;
    imp->tar.left -= size;
    imp->tar.record = 1;
    return umvfs_import_skip(imp, size, end_record);
}

/* The newline that ends a record. */
static int newline(struct umvfs_import *imp)
{
    return imp->buf[0] == '\n' ? next_record(imp) : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
}

static int end_record(struct umvfs_import *imp)
{
    return more(imp, 0, newline);
}

static int end_text(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    bool link = imp->dst == e->link;
    size_t len = imp->want;
    for (size_t i = 0; i < len; i++) {
        if (!imp->dst[i])
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    }
    imp->dst[len] = '\0';
    *(link ? &e->link_len : &e->name_len) = len;
    imp->tar.given |= link ? TAR_GIVEN_LINK : TAR_GIVEN_NAME;
    return end_record(imp);
}

static bool number_in(const struct umvfs_import *imp, uint64_t max, uint64_t *out)
{
    return umvfs_import_parse_digits(imp->buf, imp->want, 10, out) && *out <= max;
}

static int end_number(struct umvfs_import *imp, uint32_t given, bool ok)
{
    if (!ok)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    imp->tar.given |= given;
    return end_record(imp);
}

static int end_size(struct umvfs_import *imp)
{
    return end_number(imp, TAR_GIVEN_SIZE, number_in(imp, UMVFS_FILE_SIZE_MAX, &imp->tar.size));
}

static int end_uid(struct umvfs_import *imp)
{
    uint64_t id = 0;
    bool ok = number_in(imp, UINT32_MAX, &id);
    imp->tar.uid = (uint32_t)id;
    return end_number(imp, TAR_GIVEN_UID, ok);
}

static int end_gid(struct umvfs_import *imp)
{
    uint64_t id = 0;
    bool ok = number_in(imp, UINT32_MAX, &id);
    imp->tar.gid = (uint32_t)id;
    return end_number(imp, TAR_GIVEN_GID, ok);
}

/* The nine digits of a fraction that count, after the point at text[dot]. */
static bool parse_nanos(const char *text, size_t len, size_t dot, uint32_t *out)
{
    uint32_t nanos = 0;
    for (unsigned i = 1; i <= 9; i++) {
        char c = dot + i < len ? text[dot + i] : '0';
        if (c < '0' || c > '9')
            return false;
        nanos = nanos * 10u + (unsigned)(c - '0');
    }
    *out = nanos;
    return true;
}

/* Seconds with an optional fraction; negative for before the Epoch. */
static bool parse_time(const char *text, size_t len, struct umvfs_time *out)
{
    bool negative = len > 0 && text[0] == '-';
    size_t at = negative;
    size_t dot = at;
    uint64_t seconds = 0;
    uint32_t nanos = 0;
    while (dot < len && text[dot] != '.')
        dot++;
    if (!umvfs_import_parse_digits(text + at, dot - at, 10, &seconds) || seconds > INT64_MAX ||
        !parse_nanos(text, len, dot, &nanos))
        return false;
    *out = (struct umvfs_time){(int64_t)seconds, nanos};
    if (negative) /* the fraction counts forward */
        *out =
            (struct umvfs_time){-(int64_t)seconds - (nanos > 0), nanos ? 1000000000u - nanos : 0};
    return true;
}

static int end_mtime(struct umvfs_import *imp)
{
    return end_number(imp, TAR_GIVEN_MTIME, parse_time(imp->buf, imp->want, &imp->tar.mtime));
}

/* The key stays in front of the value in buf. */
static int end_xattr(struct umvfs_import *imp)
{
    static const size_t prefix = sizeof("SCHILY.xattr.") - 1u;
    const char *name = imp->buf + prefix;
    size_t name_len = (size_t)(imp->dst - imp->buf) - prefix - 1u;
    int err = umvfs_xattr_append(imp->sb, &imp->entry.xattrs, name, name_len, imp->dst, imp->want);
    if (err == -UMVFS_EINVAL)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    return err ? umvfs_import_fail_with(imp, UMVFS_ARCHIVE_NO_SPACE, err) : end_record(imp);
}

static const struct {
    const char *name;
    size_t len;
    import_then then;
} numbers[] = {
    {"size", 4, end_size},
    {"uid", 3, end_uid},
    {"gid", 3, end_gid},
    {"mtime", 5, end_mtime},
};

/* Says that an attribute is not kept. */
static void tell_loss(const struct umvfs_import *imp)
{
    static const struct {
        const char *key;
        size_t len;
    } losses[] = {{"SCHILY.xattr.", 13},
                  {"SCHILY.acl.", 11},
                  {"SCHILY.fflags", 12},
                  {"LIBARCHIVE.xattr.", 17}};
    const struct umvfs_import_options *options = &imp->options;
    for (size_t i = 0; options->lost && i < sizeof(losses) / sizeof(losses[0]); i++) {
        if (starts_with(imp, losses[i].key, losses[i].len))
            options->lost(options->lost_ctx, imp->entry_number, imp->entry_offset, imp->buf,
                          imp->have - 1u);
    }
}

static int end_key(struct umvfs_import *imp)
{
    static const char xattr[] = "SCHILY.xattr.user.";
    static const char sparse[] = "GNU.sparse.";
    if (imp->tar.record == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    if (imp->tar.global)
        return skip_value(imp);
    if (starts_with(imp, sparse, sizeof(sparse) - 1u))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_TYPE);
    if (is_key(imp, "path", 4))
        return value(imp, imp->entry.name, UMVFS_PATH_MAX - 1u, end_text);
    if (is_key(imp, "linkpath", 8))
        return value(imp, imp->entry.link, UMVFS_PATH_MAX - 1u, end_text);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (is_key(imp, numbers[i].name, numbers[i].len))
            return value(imp, imp->buf, NUMBER_MAX, numbers[i].then);
    }
    if (starts_with(imp, xattr, sizeof(xattr) - 1u))
        return value(imp, imp->buf + imp->have, UMVFS_XATTR_VALUE_MAX, end_xattr);
    tell_loss(imp);
    return skip_value(imp);
}

static int key_byte(struct umvfs_import *imp)
{
    size_t used = imp->have;
    if (imp->buf[used - 1u] == '=')
        return end_key(imp);
    return used < KEY_MAX ? more(imp, used, key_byte)
                          : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
}
