/* The "newc" format as init/initramfs.c of Linux 6.1 reads it, which decides differently from cpio.c
 * whenever an archive is unusual: numbers end at the first character that is not a digit, a name
 * ends at its first NUL, NULs may come between any two entries, and no trailer is needed. What it
 * makes of the entries is in initramfs_tree.c. */
#include "import.h"

#include "memory.h"

#define MAGIC_SIZE  6u
#define FIELD_SIZE  8u
#define HEADER_SIZE 110u

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

static int parse_magic(struct umvfs_import *imp);
static int parse_header(struct umvfs_import *imp);

static uint64_t padding(uint64_t size)
{
    return (4u - size % 4u) % 4u;
}

/* Bytes before the first NUL, or `most` if there is none among so many. */
static size_t text_len(const char *text, size_t most)
{
    for (size_t len = 0; len < most; len++) {
        if (!text[len])
            return len;
    }
    return most;
}

static int start_header(struct umvfs_import *imp)
{
    imp->may_end = false;
    imp->entry_offset = imp->offset;
    imp->entry.name_len = 0;
    if (imp->offset % 4 != 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PADDING);
    return umvfs_import_collect(imp, imp->buf, MAGIC_SIZE, parse_magic);
}

/* Before and after each entry there may be NULs, and the data may end. */
static int between(struct umvfs_import *imp)
{
    imp->may_end = true;
    return umvfs_import_zeros(imp, start_header);
}

int umvfs_import_initramfs(struct umvfs_import *imp)
{
    imp->linux_tree = true;
    imp->task.root = imp->target;
    imp->task.cwd = imp->target;
    imp->task.umask = 0;
    return between(imp);
}

static int parse_magic(struct umvfs_import *imp)
{
    const char *magic = imp->buf;
    if (memcmp(magic, "070701", MAGIC_SIZE) == 0 || memcmp(magic, "070702", MAGIC_SIZE) == 0)
        return umvfs_import_collect(imp, imp->buf + MAGIC_SIZE, HEADER_SIZE - MAGIC_SIZE,
                                    parse_header);
    if (memcmp(magic, "070707", MAGIC_SIZE) == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_OLD_CPIO);
    if (imp->offset == MAGIC_SIZE && imp->options.format == UMVFS_ARCHIVE_AUTO) {
        imp->linux_tree = false;
        return umvfs_import_tar(imp);
    }
    return umvfs_import_fail_unless_compressed(imp, MAGIC_SIZE, UMVFS_ARCHIVE_BAD_MAGIC);
}

/* The value of a digit, or more than 15. Most digits of an archive are decimal. */
static inline unsigned hex_digit(char c)
{
    unsigned digit = (unsigned char)c - (unsigned)'0';
    if (digit > 9) {
        digit = ((unsigned char)c | 0x20u) - (unsigned)'a';
        digit = digit > 5 ? 16 : digit + 10u;
    }
    return digit;
}

/* As simple_strtoul(text, NULL, 16) of a field: an optional "0x", then what digits there are. */
static uint32_t field(const struct umvfs_import *imp, enum field f)
{
    const char *text = imp->buf + MAGIC_SIZE + FIELD_SIZE * (size_t)f;
    const char *end = text + FIELD_SIZE;
    uint32_t value = 0;
    unsigned digit;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    while (text < end && (digit = hex_digit(*text)) < 16) {
        value = value << 4 | digit;
        text++;
    }
    return value;
}

/* Linux packs a device number into 32 bits, 12 of them the major number. */
static uint64_t device(uint32_t major, uint32_t minor)
{
    uint32_t packed = (uint32_t)((uint64_t)major << 20) | minor;
    return UMVFS_MKDEV(packed >> 20, packed & 0xfffffu);
}

static int next_entry(struct umvfs_import *imp)
{
    imp->entry_number++;
    return between(imp);
}

static int skip_padding(struct umvfs_import *imp)
{
    imp->may_end = true;
    return umvfs_import_skip(imp, padding(imp->entry.size), next_entry);
}

/* Leaves out what is left of the entry: bytes of contents, and their padding. */
static int skip_contents(struct umvfs_import *imp, uint64_t bytes)
{
    return umvfs_import_skip(imp, bytes, skip_padding);
}

static int skip_entry(struct umvfs_import *imp, enum umvfs_archive_reason reason, uint64_t bytes)
{
    umvfs_import_warn(imp, reason, -UMVFS_EINVAL);
    return skip_contents(imp, bytes);
}

static int end_contents(struct umvfs_import *imp)
{
    umvfs_initramfs_file_done(imp);
    if (imp->crc && imp->sum != imp->sum_wanted)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_CHECKSUM);
    return skip_padding(imp);
}

static int make_file(struct umvfs_import *imp)
{
    int err = umvfs_initramfs_file(imp);
    if (err)
        return err;
    return imp->file ? umvfs_import_data(imp, imp->entry.size, end_contents)
                     : skip_contents(imp, imp->entry.size);
}

static int make_symlink(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    e->link_len = text_len(e->link, e->link_len);
    if (e->link_len < UMVFS_OBJECT_MAX) /* a longer one is skipped */
        e->link[e->link_len] = '\0';
    int err = umvfs_initramfs_symlink(imp);
    return err ? err : skip_padding(imp);
}

/* An entry without contents, or with contents and type 0. Linux removes what is there even if it
 * then makes nothing. */
static int make_other(struct umvfs_import *imp)
{
    uint32_t mode = imp->entry.mode;
    int err = 0;
    if (UMVFS_S_ISDIR(mode)) {
        err = umvfs_initramfs_dir(imp);
    } else if (UMVFS_S_ISCHR(mode) || UMVFS_S_ISBLK(mode) || UMVFS_S_ISFIFO(mode) ||
               UMVFS_S_ISSOCK(mode)) {
        err = umvfs_initramfs_node(imp);
    } else {
        umvfs_initramfs_clear(imp, mode);
        umvfs_import_warn(imp, UMVFS_ARCHIVE_BAD_TYPE, -UMVFS_EINVAL);
    }
    return err ? err : skip_padding(imp);
}

static int make_entry(struct umvfs_import *imp)
{
    static const char trailer[] = "TRAILER!!!";
    struct import_entry *e = &imp->entry;
    if (imp->options.max_entries && imp->entry_number >= imp->options.max_entries)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_TOO_LARGE);
    if (UMVFS_S_ISLNK(e->mode))
        return umvfs_import_collect(imp, e->link, e->link_len, make_symlink);
    if (e->name_len == sizeof(trailer) - 1u && memcmp(e->name, trailer, e->name_len) == 0) {
        umvfs_import_forget_links(imp);
        return skip_contents(imp, e->size);
    }
    return UMVFS_S_ISREG(e->mode) ? make_file(imp) : make_other(imp);
}

/* The name ends at its first NUL, and must have one at its end. */
static int parse_name(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    imp->may_end = false;
    if (e->name[e->name_len])
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    e->name_len = text_len(e->name, e->name_len);
    return make_entry(imp);
}

/* Linux reads the padding with the name: without it there is no entry, but a trailer needs none. */
static int skip_name_padding(struct umvfs_import *imp)
{
    static const char trailer[] = "TRAILER!!!";
    imp->entry.name_len = imp->want - 1u;
    imp->may_end = imp->want == sizeof(trailer) && memcmp(imp->entry.name, trailer, imp->want) == 0;
    return umvfs_import_skip(imp, padding(HEADER_SIZE + imp->want), parse_name);
}

static void take_numbers(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    imp->crc = imp->buf[MAGIC_SIZE - 1u] == '2';
    imp->sum = 0;
    imp->sum_wanted = field(imp, CHECK);
    imp->cpio = (struct cpio_state){.ino = field(imp, INO),
                                    .nlink = field(imp, NLINK),
                                    .major = field(imp, MAJOR),
                                    .minor = field(imp, MINOR)};
    e->mode = field(imp, MODE) & (UMVFS_S_IFMT | UMVFS_S_IALL); /* 16 bits */
    e->uid = field(imp, UID);
    e->gid = field(imp, GID);
    e->mtime = (struct umvfs_time){.sec = (int64_t)field(imp, MTIME)};
    e->size = field(imp, SIZE);
    e->rdev = device(field(imp, RMAJOR), field(imp, RMINOR));
}

static int parse_header(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    uint32_t name_size = field(imp, NAMESIZE);
    uint64_t rest = name_size + padding((uint64_t)HEADER_SIZE + name_size);
    take_numbers(imp);
    if (name_size == 0 || name_size > UMVFS_PATH_MAX)
        return skip_entry(imp, UMVFS_ARCHIVE_BAD_NAME, rest + e->size);
    if (UMVFS_S_ISLNK(e->mode)) {
        if (e->size > UMVFS_PATH_MAX)
            return skip_entry(imp, UMVFS_ARCHIVE_BAD_LINK, rest + e->size);
        e->link_len = (size_t)e->size;
    } else if (!UMVFS_S_ISREG(e->mode) && e->size > 0) {
        return skip_entry(imp, UMVFS_ARCHIVE_UNWANTED_DATA, rest + e->size);
    }
    return umvfs_import_collect(imp, e->name, name_size, skip_name_padding);
}
