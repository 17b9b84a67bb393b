/* The "newc" format as GNU cpio writes it and Linux's usr/gen_init_cpio and initramfs read it: a
 * header of 110 bytes, thirteen numbers of eight hexadecimal digits, name, contents, the latter two
 * padded to four bytes. */
#include "import.h"

#include "memory.h"

#define HEADER_SIZE 110u
#define MAGIC_SIZE  6u

enum field {
    INO,
    MODE,
    UID,
    GID,
    NLINK,
    MTIME,
    SIZE,
    MAJOR,
    MINOR,
    RMAJOR,
    RMINOR,
    NAMESIZE,
    CHECK
};

static int parse_header(struct umvfs_import *imp);
static int parse_name(struct umvfs_import *imp);
static int start_next(struct umvfs_import *imp);

static int start_header(struct umvfs_import *imp)
{
    imp->may_end = false;
    imp->entry_offset = imp->offset;
    imp->entry.name_len = 0;
    return umvfs_import_collect(imp, imp->buf, HEADER_SIZE, parse_header);
}

int umvfs_import_cpio(struct umvfs_import *imp)
{
    size_t have = imp->have;
    start_header(imp);
    imp->have = have;
    imp->entry_offset = 0;
    return 0;
}

/* A byte that is not zero comes after a trailer: another archive, on a boundary of four. */
static int restart(struct umvfs_import *imp)
{
    start_header(imp);
    return imp->offset % 4 == 0 ? 0 : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PADDING);
}

static uint64_t padding(uint64_t size)
{
    return (4u - size % 4u) % 4u;
}

/* The eight digits of a field, already known to be digits. */
static uint32_t field(const struct umvfs_import *imp, enum field f)
{
    uint64_t value = 0;
    umvfs_import_parse_digits(imp->buf + MAGIC_SIZE + 8u * (size_t)f, 8, 16, &value);
    return (uint32_t)value;
}

static int parse_header(struct umvfs_import *imp)
{
    uint64_t value[CHECK + 1] = {0};
    struct import_entry *e = &imp->entry;
    if (memcmp(imp->buf, "070707", MAGIC_SIZE) == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_OLD_CPIO);
    if (memcmp(imp->buf, "07070", MAGIC_SIZE - 1u) != 0 ||
        (imp->buf[MAGIC_SIZE - 1u] != '1' && imp->buf[MAGIC_SIZE - 1u] != '2'))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_MAGIC);
    for (size_t f = INO; f <= CHECK; f++) {
        if (!umvfs_import_parse_digits(imp->buf + MAGIC_SIZE + 8 * f, 8, 16, &value[f]))
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    }
    if (value[NAMESIZE] < 2 || value[NAMESIZE] > UMVFS_PATH_MAX)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    if (value[MODE] & ~(uint64_t)(UMVFS_S_IFMT | UMVFS_S_IALL))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    imp->crc = imp->buf[MAGIC_SIZE - 1u] == '2';
    imp->sum = 0;
    imp->sum_wanted = (uint32_t)value[CHECK];
    e->mode = (uint32_t)value[MODE];
    e->uid = (uint32_t)value[UID];
    e->gid = (uint32_t)value[GID];
    e->mtime = (struct umvfs_time){.sec = (int64_t)value[MTIME]};
    e->size = value[SIZE];
    e->rdev = UMVFS_MKDEV((uint32_t)value[RMAJOR], (uint32_t)value[RMINOR]);
    return umvfs_import_collect(imp, e->name, (size_t)value[NAMESIZE], parse_name);
}

static int end_contents(struct umvfs_import *imp)
{
    umvfs_import_file_done(imp);
    if (imp->crc && UMVFS_S_ISREG(imp->entry.mode) && imp->sum != imp->sum_wanted)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_CHECKSUM);
    return umvfs_import_skip(imp, padding(imp->entry.size), start_next);
}

static int start_next(struct umvfs_import *imp)
{
    imp->entry_number++;
    return start_header(imp);
}

static int make_link(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    size_t len = 0;
    while (len < e->link_len && e->link[len])
        len++;
    /* Linux's gen_init_cpio counts the NUL after the target, too. */
    if (len == 0 || len == UMVFS_PATH_MAX || len + 1u < e->link_len)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_LINK);
    e->link[len] = '\0';
    e->link_len = len;
    int err = umvfs_import_make(imp);
    return err ? err : umvfs_import_skip(imp, padding(e->size), start_next);
}

/* Hard links to files share device and inode number; the contents may come with any of them. */
static int make_entry(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    if (UMVFS_S_ISLNK(e->mode)) {
        if (e->size == 0 || e->size > UMVFS_PATH_MAX)
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_LINK);
        e->link_len = (size_t)e->size;
        return umvfs_import_collect(imp, e->link, e->link_len, make_link);
    }
    if (!UMVFS_S_ISREG(e->mode) && e->size != 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    int err;
    if (!UMVFS_S_ISDIR(e->mode) && field(imp, NLINK) > 1) {
        const uint32_t number[] = {field(imp, INO), field(imp, MAJOR), field(imp, MINOR)};
        err = umvfs_import_make_numbered(imp, (const char *)number, sizeof(number));
    } else {
        err = umvfs_import_make(imp);
    }
    return err ? err : umvfs_import_data(imp, e->size, end_contents);
}

static int between(struct umvfs_import *imp)
{
    imp->may_end = true;
    umvfs_import_forget_links(imp);
    return umvfs_import_zeros(imp, restart);
}

static int parse_name(struct umvfs_import *imp)
{
    static const char trailer[] = "TRAILER!!!";
    struct import_entry *e = &imp->entry;
    e->name_len = imp->want - 1u;
    for (size_t i = 0; i <= e->name_len; i++) {
        if (!e->name[i] != (i == e->name_len)) {
            e->name_len = 0;
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
        }
    }
    bool last = e->name_len == sizeof(trailer) - 1u && memcmp(e->name, trailer, e->name_len) == 0;
    if (last && e->size != 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    return umvfs_import_skip(imp, padding(HEADER_SIZE + imp->want), last ? between : make_entry);
}
