/* tar as POSIX pax(1) describes ustar and the pax extended headers, and as GNU tar's manual ("Basic
 * Tar Format") describes base-256 numbers and the long names of types L and K. */
#include "import.h"

#include "memory.h"

#define BLOCK 512u

/* Offset and length of the header's fields. */
#define NAME        0u, 100u
#define MODE        100u, 8u
#define UID         108u, 8u
#define GID         116u, 8u
#define SIZE        124u, 12u
#define MTIME       136u, 12u
#define CHECKSUM    148u, 8u
#define LINKNAME    157u, 100u
#define DEVMAJOR    329u, 8u
#define DEVMINOR    337u, 8u
#define PREFIX      345u, 155u
#define TYPE_AT     156u
#define MAGIC_AT    257u
#define CHECKSUM_AT 148u

static int parse_block(struct umvfs_import *imp);
static int after_zero_block(struct umvfs_import *imp);

static int next_block(struct umvfs_import *imp)
{
    if (imp->tar.given == 0) {
        imp->entry_offset = imp->offset;
        imp->entry.name_len = 0;
    }
    return umvfs_import_collect(imp, imp->buf, BLOCK, parse_block);
}

int umvfs_import_tar(struct umvfs_import *imp)
{
    size_t have = imp->have;
    umvfs_import_collect(imp, imp->buf, BLOCK, parse_block);
    imp->have = have;
    return 0;
}

int umvfs_import_tar_pad(struct umvfs_import *imp, uint64_t size)
{
    return umvfs_import_skip(imp, (BLOCK - size % BLOCK) % BLOCK, next_block);
}

static bool is_zero(const char *block)
{
    for (size_t i = 0; i < BLOCK; i++) {
        if (block[i])
            return false;
    }
    return true;
}

/* GNU's binary form: the first byte is 0x80, the rest a big-endian number. */
static bool parse_base256(const char *text, size_t len, uint64_t *out)
{
    uint64_t value = (unsigned char)text[0] & 0x7fu;
    for (size_t i = 1; i < len; i++) {
        if (value >> 56)
            return false;
        value = value << 8 | (unsigned char)text[i];
    }
    *out = value;
    return true;
}

/* Octal digits after optional spaces, ended by the field's end, spaces or NULs; nothing is 0. */
static bool parse_number(const char *block, size_t at, size_t len, uint64_t *out)
{
    const char *text = block + at;
    size_t begin = 0;
    if ((unsigned char)text[0] & 0x80u)
        return parse_base256(text, len, out);
    while (begin < len && text[begin] == ' ')
        begin++;
    size_t digits = 0;
    while (begin + digits < len && text[begin + digits] && text[begin + digits] != ' ')
        digits++;
    for (size_t i = begin + digits; i < len; i++) {
        if (text[i] && text[i] != ' ')
            return false;
    }
    *out = 0;
    return digits == 0 || umvfs_import_parse_digits(text + begin, digits, 8, out);
}

static bool checksum_matches(const char *block)
{
    uint64_t wanted = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i - CHECKSUM_AT < 8 ? (unsigned char)' ' : (unsigned char)block[i];
    return parse_number(block, CHECKSUM, &wanted) && sum == wanted;
}

/* Appends a field that may fill its space without a NUL. */
static size_t append_field(char *dst, size_t len, const char *block, size_t at, size_t max)
{
    size_t n = 0;
    while (n < max && block[at + n])
        n++;
    memcpy(dst + len, block + at, n);
    dst[len + n] = '\0';
    return len + n;
}

static bool is_gnu(const char *block)
{
    return memcmp(block + MAGIC_AT, "ustar  ", 8) == 0;
}

static void take_names(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    if (!(imp->tar.given & TAR_GIVEN_NAME)) {
        e->name_len = is_gnu(imp->buf) ? 0 : append_field(e->name, 0, imp->buf, PREFIX);
        if (e->name_len > 0)
            e->name[e->name_len++] = '/';
        e->name_len = append_field(e->name, e->name_len, imp->buf, NAME);
    }
    if (!(imp->tar.given & TAR_GIVEN_LINK))
        e->link_len = append_field(e->link, 0, imp->buf, LINKNAME);
}

/* The numbers of a header; what extended headers said takes precedence. */
static bool take_numbers(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    const struct tar_state *t = &imp->tar;
    uint64_t mode = 0, uid = 0, gid = 0, mtime = 0, major = 0, minor = 0;
    const char *block = imp->buf;
    if (!parse_number(block, MODE, &mode) || !parse_number(block, UID, &uid) ||
        !parse_number(block, GID, &gid) || !parse_number(block, SIZE, &e->size) ||
        !parse_number(block, MTIME, &mtime) || !parse_number(block, DEVMAJOR, &major) ||
        !parse_number(block, DEVMINOR, &minor))
        return false;
    if (mode > (UMVFS_S_IFMT | UMVFS_S_IALL) || uid > UINT32_MAX || gid > UINT32_MAX ||
        major > UINT32_MAX || minor > UINT32_MAX || mtime > INT64_MAX)
        return false;
    e->mode = (uint32_t)mode & UMVFS_S_IALL;
    e->uid = t->given & TAR_GIVEN_UID ? t->uid : (uint32_t)uid;
    e->gid = t->given & TAR_GIVEN_GID ? t->gid : (uint32_t)gid;
    e->mtime = t->given & TAR_GIVEN_MTIME ? t->mtime : (struct umvfs_time){.sec = (int64_t)mtime};
    if (t->given & TAR_GIVEN_SIZE)
        e->size = t->size;
    e->rdev = UMVFS_MKDEV(major, minor);
    return true;
}

static int end_entry(struct umvfs_import *imp)
{
    umvfs_import_file_done(imp);
    imp->tar.given = 0;
    imp->entry_number++;
    return umvfs_import_tar_pad(imp, imp->entry.size);
}

/* Types without contents may still state a size, which then means nothing, except for links. That a
 * link's target is not too long has been seen to where it was read. */
static int make_entry(struct umvfs_import *imp, uint32_t type)
{
    struct import_entry *e = &imp->entry;
    e->mode |= type;
    if (UMVFS_S_ISLNK(type) && e->link_len == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_LINK);
    if (!UMVFS_S_ISREG(type))
        e->size = 0;
    int err = umvfs_import_make(imp);
    return err ? err : umvfs_import_data(imp, e->size, end_entry);
}

static int make_hard_link(struct umvfs_import *imp)
{
    imp->entry.mode |= UMVFS_S_IFREG;
    imp->entry.size = 0;
    int err = umvfs_import_link(imp);
    return err ? err : end_entry(imp);
}

static int end_long(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    bool link = imp->dst == e->link;
    char *text = imp->dst;
    size_t len = imp->want;
    while (len > 0 && !text[len - 1u])
        len--;
    if (len >= UMVFS_PATH_MAX)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    text[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (!text[i])
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    }
    *(link ? &e->link_len : &e->name_len) = len;
    imp->tar.given |= link ? TAR_GIVEN_LINK : TAR_GIVEN_NAME;
    return umvfs_import_tar_pad(imp, imp->want);
}

/* A GNU long name: its NUL-terminated text is the contents. */
static int read_long(struct umvfs_import *imp, char *dst)
{
    uint64_t size = 0;
    if (!parse_number(imp->buf, SIZE, &size))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    if (size < 2 || size > UMVFS_PATH_MAX)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    return umvfs_import_collect(imp, dst, (size_t)size, end_long);
}

static int read_pax(struct umvfs_import *imp, bool global)
{
    uint64_t size = 0;
    if (!parse_number(imp->buf, SIZE, &size))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    return umvfs_import_pax(imp, size, global);
}

static int parse_entry(struct umvfs_import *imp)
{
    static const uint32_t types[] = {
        ['0'] = UMVFS_S_IFREG, ['2'] = UMVFS_S_IFLNK, ['3'] = UMVFS_S_IFCHR, ['4'] = UMVFS_S_IFBLK,
        ['5'] = UMVFS_S_IFDIR, ['6'] = UMVFS_S_IFIFO, ['7'] = UMVFS_S_IFREG};
    unsigned char type = (unsigned char)imp->buf[TYPE_AT];
    take_names(imp);
    if (imp->entry.name_len == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    if (!take_numbers(imp))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    if (type == '1')
        return make_hard_link(imp);
    uint32_t made = type == 0                                 ? UMVFS_S_IFREG
                    : type < sizeof(types) / sizeof(types[0]) ? types[type]
                                                              : 0;
    if (made == UMVFS_S_IFREG && imp->entry.name[imp->entry.name_len - 1u] == '/')
        made = UMVFS_S_IFDIR;
    return made ? make_entry(imp, made) : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_TYPE);
}

static int parse_block(struct umvfs_import *imp)
{
    const char *block = imp->buf;
    if (is_zero(block))
        return imp->tar.given ? umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX)
                              : umvfs_import_collect(imp, imp->buf, BLOCK, after_zero_block);
    if (memcmp(block + MAGIC_AT,
               "ustar\0"
               "00",
               8) != 0 &&
        !is_gnu(block))
        return umvfs_import_fail_unless_compressed(
            imp, imp->entry_number ? 0 : BLOCK,
            imp->entry_number ? UMVFS_ARCHIVE_BAD_MAGIC : UMVFS_ARCHIVE_UNKNOWN_FORMAT);
    if (!checksum_matches(block))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_CHECKSUM);
    switch (block[TYPE_AT]) {
    case 'L':
        return read_long(imp, imp->entry.name);
    case 'K':
        return read_long(imp, imp->entry.link);
    case 'x':
    case 'g':
        return read_pax(imp, block[TYPE_AT] == 'g');
    default:
        return parse_entry(imp);
    }
}

static int after_end(struct umvfs_import *imp)
{
    return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PADDING);
}

static int after_zero_block(struct umvfs_import *imp)
{
    if (!is_zero(imp->buf))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PADDING);
    imp->may_end = true;
    return umvfs_import_zeros(imp, after_end);
}
