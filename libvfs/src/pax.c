/* pax extended headers: records "LENGTH KEY=VALUE\n", LENGTH counting itself (POSIX pax(1), "pax
 * Extended Header"). Values may contain any byte. Unknown keys are skipped. Of a global
 * header, owner and time count for what follows. Sparse files are those of GNU tar's manual
 * ("Storing Sparse Files"), versions 0.0, 0.1 and 1.0. */
#include "import.h"

#include "memory.h"
#include "inode.h"

#define LENGTH_MAX  20u  /* digits */
#define KEY_MAX     300u /* bytes; longer ones are unknown */
#define NUMBER_MAX  40u
#define ENCODED_MAX (UMVFS_OBJECT_MAX - KEY_MAX)

static int next_record(struct umvfs_import *imp);
static int length_byte(struct umvfs_import *imp);
static int key_byte(struct umvfs_import *imp);
static int map_byte(struct umvfs_import *imp);
static int end_record(struct umvfs_import *imp);

int umvfs_import_pax(struct umvfs_import *imp, uint64_t size, bool global)
{
    imp->tar.left = size;
    imp->tar.global = global;
    imp->tar.own.given |= global ? 0 : TAR_GIVEN_PAX;
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
    if (len == 0 && umvfs_import_is_lenient(imp)) { /* as libarchive: the header's counts */
        imp->tar.own.given &= ~(link ? TAR_GIVEN_LINK : TAR_GIVEN_NAME);
        umvfs_import_warn(imp, UMVFS_ARCHIVE_NOT_KEPT, -UMVFS_EINVAL);
    } else {
        imp->tar.own.given |= link ? TAR_GIVEN_LINK : TAR_GIVEN_NAME;
    }
    return end_record(imp);
}

static bool number_in(const struct umvfs_import *imp, uint64_t max, uint64_t *out)
{
    return umvfs_import_parse_digits(imp->buf, imp->want, 10, out) && *out <= max;
}

/* What the records of this header are about. */
static struct tar_values *values(struct umvfs_import *imp)
{
    return imp->tar.global ? &imp->tar.all : &imp->tar.own;
}

static int end_number(struct umvfs_import *imp, uint32_t given, bool ok)
{
    if (!ok)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    values(imp)->given |= given;
    return end_record(imp);
}

static int end_size(struct umvfs_import *imp)
{
    return end_number(imp, TAR_GIVEN_SIZE, number_in(imp, UMVFS_FILE_SIZE_MAX, &imp->tar.own.size));
}

static int end_uid(struct umvfs_import *imp)
{
    uint64_t id = 0;
    bool ok = number_in(imp, UINT32_MAX, &id);
    values(imp)->uid = (uint32_t)id;
    return end_number(imp, TAR_GIVEN_UID, ok);
}

static int end_gid(struct umvfs_import *imp)
{
    uint64_t id = 0;
    bool ok = number_in(imp, UINT32_MAX, &id);
    values(imp)->gid = (uint32_t)id;
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
    return end_number(imp, TAR_GIVEN_MTIME, parse_time(imp->buf, imp->want, &values(imp)->mtime));
}

static int end_real(struct umvfs_import *imp)
{
    return end_number(imp, TAR_GIVEN_SPARSE | TAR_GIVEN_REAL,
                      number_in(imp, UMVFS_FILE_SIZE_MAX, &imp->tar.map.real));
}

/* Version 1.0, whose map is not in records. */
static int end_major(struct umvfs_import *imp)
{
    uint64_t major = 0;
    bool ok = number_in(imp, 1, &major);
    imp->tar.map.in_front = major == 1;
    return end_number(imp, TAR_GIVEN_SPARSE, ok);
}

static int end_minor(struct umvfs_import *imp)
{
    uint64_t minor = 0;
    return end_number(imp, TAR_GIVEN_SPARSE, number_in(imp, 1, &minor));
}

/* Version 0.0 has a record for each offset and for each length, in turn. */
static int end_piece(struct umvfs_import *imp, bool length)
{
    uint64_t number = 0;
    if (!number_in(imp, UMVFS_FILE_SIZE_MAX, &number))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    if (!(imp->tar.own.given & TAR_GIVEN_OFFSET) == length)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_SPARSE);
    imp->tar.own.given |= TAR_GIVEN_SPARSE;
    int err = umvfs_sparse_number(imp, number);
    return err ? err : end_record(imp);
}

static int end_offset(struct umvfs_import *imp)
{
    return end_piece(imp, false);
}

static int end_length(struct umvfs_import *imp)
{
    return end_piece(imp, true);
}

/* A byte of the map of version 0.1: numbers with commas between them. */
static int map_byte(struct umvfs_import *imp)
{
    size_t used = imp->have;
    bool comma = imp->buf[used - 1u] == ',';
    bool last = imp->tar.record == 1;
    uint64_t number = 0;
    if (!comma && !last)
        return used < LENGTH_MAX ? more(imp, used, map_byte)
                                 : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    if (!umvfs_import_parse_digits(imp->buf, comma ? used - 1u : used, 10, &number))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    int err = umvfs_sparse_number(imp, number);
    if (err)
        return err;
    return last ? end_record(imp) : more(imp, 0, map_byte);
}

static int read_map(struct umvfs_import *imp)
{
    imp->tar.own.given |= TAR_GIVEN_SPARSE;
    return imp->tar.record == 1 ? end_record(imp) : more(imp, 0, map_byte);
}

/* bsdtar writes each attribute in both forms: then the second is the same again. */
static int add_xattr(struct umvfs_import *imp, const char *name, size_t name_len, size_t len)
{
    int err = umvfs_xattr_append(imp->sb, &imp->entry.xattrs, name, name_len, imp->dst, len);
    if (err == -UMVFS_EEXIST && imp->tar.own.given & TAR_GIVEN_ENCODED)
        err = 0;
    if (err == -UMVFS_EINVAL || err == -UMVFS_EEXIST)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    return err ? umvfs_import_fail_with(imp, UMVFS_ARCHIVE_NO_SPACE, err) : end_record(imp);
}

/* The key stays in front of the value in buf. */
static int end_xattr(struct umvfs_import *imp)
{
    const char *name = imp->buf + sizeof("SCHILY.xattr.") - 1u;
    return add_xattr(imp, name, (size_t)(imp->dst - name) - 1u, imp->want);
}

/* The value of a digit of base 64, or 64. */
static unsigned base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned value = 0;
    while (value < 64 && digits[value] != c)
        value++;
    return value;
}

/* Decodes base 64 without padding in place, and gives the length: of each four digits, all but the
 * first complete a byte. */
static bool decode_base64(char *text, size_t len, size_t *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = base64_digit(text[i]);
        if (digit > 63)
            return false;
        bits = bits << 6 | digit;
        if (i % 4 > 0)
            text[i / 4 * 3 + i % 4 - 1] = (char)(bits >> (6u - 2u * (i % 4)));
    }
    *out = len * 3 / 4;
    return len % 4 != 1;
}

/* As libarchive writes attributes: the value in base 64. */
static int end_encoded(struct umvfs_import *imp)
{
    const char *name = imp->buf + sizeof("LIBARCHIVE.xattr.") - 1u;
    size_t len = 0;
    if (!decode_base64(imp->dst, imp->want, &len))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    imp->tar.own.given |= TAR_GIVEN_ENCODED;
    return add_xattr(imp, name, (size_t)(imp->dst - name) - 1u, len);
}

static const struct {
    const char *name;
    size_t len;
    import_then then;
    bool global; /* a global header's counts too */
} numbers[] = {
    {"size", 4, end_size, false},
    {"uid", 3, end_uid, true},
    {"gid", 3, end_gid, true},
    {"mtime", 5, end_mtime, true},
    {"GNU.sparse.size", 15, end_real, false},
    {"GNU.sparse.realsize", 19, end_real, false},
    {"GNU.sparse.major", 16, end_major, false},
    {"GNU.sparse.minor", 16, end_minor, false},
    {"GNU.sparse.offset", 17, end_offset, false},
    {"GNU.sparse.numbytes", 19, end_length, false},
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
                  {"LIBARCHIVE.xattr.", 17},
                  {"RHT.security.", 13}};
    const struct umvfs_import_options *options = &imp->options;
    for (size_t i = 0; options->lost && i < sizeof(losses) / sizeof(losses[0]); i++) {
        if (starts_with(imp, losses[i].key, losses[i].len))
            options->lost(options->lost_ctx, imp->entry_number, imp->entry_offset, imp->buf,
                          imp->have - 1u);
    }
}

/* The names, of which those of sparse files are in a record of their own: "path" is made up there. */
static int text_value(struct umvfs_import *imp, bool link)
{
    struct import_entry *e = &imp->entry;
    return value(imp, link ? e->link : e->name, UMVFS_PATH_MAX - 1u, end_text);
}

static int skip_unknown(struct umvfs_import *imp)
{
    tell_loss(imp);
    return skip_value(imp);
}

/* Whether the key has %XX in it. */
static bool is_encoded(const struct umvfs_import *imp)
{
    size_t i = 0;
    while (i < imp->have && imp->buf[i] != '%')
        i++;
    return i < imp->have;
}

/* Whether the key is one of attributes, and the task may give an object the one that it names. */
static bool is_xattr(const struct umvfs_import *imp, const char *prefix, size_t len)
{
    const size_t shortest = sizeof("user.a") - 1u;
    return starts_with(imp, prefix, len) && imp->have > len + shortest &&
           umvfs_xattr_is_kept(imp->task.cred, imp->buf + len, imp->have - 1u - len);
}

/* An attribute. libarchive's form is left alone if the value does not fit the buffer or the name is
 * encoded: mostly the other form follows. */
static int xattr_value(struct umvfs_import *imp)
{
    if (is_xattr(imp, "SCHILY.xattr.", 13))
        return value(imp, imp->buf + imp->have, UMVFS_XATTR_VALUE_MAX, end_xattr);
    if (is_xattr(imp, "LIBARCHIVE.xattr.", 17) && imp->tar.record <= ENCODED_MAX &&
        !is_encoded(imp))
        return value(imp, imp->buf + imp->have, ENCODED_MAX, end_encoded);
    return skip_unknown(imp);
}

/* A record of a global header about what only one entry can have. */
static int skip_global(struct umvfs_import *imp)
{
    static const char sparse[] = "GNU.sparse.";
    if (is_key(imp, "path", 4) || is_key(imp, "linkpath", 8) || is_key(imp, "size", 4) ||
        starts_with(imp, sparse, sizeof(sparse) - 1u))
        umvfs_import_warn(imp, UMVFS_ARCHIVE_NOT_KEPT, -UMVFS_EINVAL);
    return skip_unknown(imp);
}

static int end_key(struct umvfs_import *imp)
{
    bool global = imp->tar.global;
    if (imp->tar.record == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (is_key(imp, numbers[i].name, numbers[i].len) && (numbers[i].global || !global))
            return value(imp, imp->buf, NUMBER_MAX, numbers[i].then);
    }
    if (global)
        return skip_global(imp);
    if (is_key(imp, "GNU.sparse.name", 15)) {
        imp->tar.own.given |= TAR_GIVEN_SPARSE | TAR_GIVEN_TITLE;
        return text_value(imp, false);
    }
    if (is_key(imp, "path", 4))
        return imp->tar.own.given & TAR_GIVEN_TITLE ? skip_value(imp) : text_value(imp, false);
    if (is_key(imp, "linkpath", 8))
        return text_value(imp, true);
    if (is_key(imp, "GNU.sparse.map", 14))
        return read_map(imp);
    return xattr_value(imp);
}

static int key_byte(struct umvfs_import *imp)
{
    size_t used = imp->have;
    if (imp->buf[used - 1u] == '=')
        return end_key(imp);
    return used < KEY_MAX ? more(imp, used, key_byte)
                          : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
}
