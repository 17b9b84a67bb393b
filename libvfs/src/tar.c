/* tar as POSIX pax(1) describes ustar and the pax extended headers, as GNU tar's manual ("Basic Tar
 * Format") describes base-256 numbers and the long names of types L and K, and as Unix version 7 had
 * it: a header without a magic, of which only the checksum says that it is one. */
#include "import.h"

#include "memory.h"

/* Offset and length of the header's fields. */
#define NAME     0u, 100u
#define MODE     100u, 8u
#define UID      108u, 8u
#define GID      116u, 8u
#define SIZE     124u, 12u
#define MTIME    136u, 12u
#define LINKNAME 157u, 100u
#define DEVMAJOR 329u, 8u
#define DEVMINOR 337u, 8u
#define PREFIX   345u, 155u
#define TYPE_AT  156u
#define MAGIC_AT 257u

static int parse_block(struct umvfs_import *imp);
static int after_zero_block(struct umvfs_import *imp);

static int next_block(struct umvfs_import *imp)
{
    if (imp->tar.own.given == 0) {
        imp->entry_offset = imp->offset;
        imp->entry.name_len = 0;
        imp->unmarked = umvfs_import_is_lenient(imp);
    }
    return umvfs_import_collect(imp, imp->buf, TAR_BLOCK, parse_block);
}

int umvfs_import_tar(struct umvfs_import *imp)
{
    size_t have = imp->have;
    umvfs_import_collect(imp, imp->buf, TAR_BLOCK, parse_block);
    imp->have = have;
    return 0;
}

int umvfs_import_tar_pad(struct umvfs_import *imp, uint64_t size)
{
    return umvfs_import_skip(imp, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK, next_block);
}

/* A number of a field from 0 to max. */
static bool parse_number(const char *block, size_t at, size_t len, uint64_t max, uint64_t *out)
{
    int64_t value = 0;
    bool ok = umvfs_tar_number(block, at, len, &value);
    *out = (uint64_t)value;
    return ok && *out <= max; /* a negative one is above any maximum */
}

static bool is_gnu(const char *block)
{
    return memcmp(block + MAGIC_AT, "ustar  ", 8) == 0;
}

/* As POSIX has it, with whatever version: not GNU's, and not of version 7. */
static bool is_ustar(const char *block)
{
    return memcmp(block + MAGIC_AT, "ustar", 5) == 0 && !is_gnu(block);
}

static void take_names(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    if (!(imp->tar.own.given & TAR_GIVEN_NAME)) {
        e->name_len = is_ustar(imp->buf) ? umvfs_tar_append(e->name, 0, imp->buf, PREFIX) : 0;
        if (e->name_len > 0)
            e->name[e->name_len++] = '/';
        e->name_len = umvfs_tar_append(e->name, e->name_len, imp->buf, NAME);
    }
    if (!(imp->tar.own.given & TAR_GIVEN_LINK))
        e->link_len = umvfs_tar_append(e->link, 0, imp->buf, LINKNAME);
}

/* The device number, which the header has if it is not of version 7. */
static bool take_device(struct umvfs_import *imp)
{
    const char *block = imp->buf;
    uint64_t major = 0, minor = 0;
    bool given =
        (block[TYPE_AT] == '3' || block[TYPE_AT] == '4') && (is_ustar(block) || is_gnu(block));
    bool ok = !given || (parse_number(block, DEVMAJOR, UINT32_MAX, &major) &&
                         parse_number(block, DEVMINOR, UINT32_MAX, &minor));
    imp->entry.rdev = UMVFS_MKDEV(major, minor);
    return ok;
}

/* Owner and time: what an extended header said, else a global one, else the header itself. */
static void take_owner(struct import_entry *e, const struct tar_values *values)
{
    if (values->given & TAR_GIVEN_UID)
        e->uid = values->uid;
    if (values->given & TAR_GIVEN_GID)
        e->gid = values->gid;
    if (values->given & TAR_GIVEN_MTIME)
        e->mtime = values->mtime;
}

static bool take_numbers(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    const struct tar_values *own = &imp->tar.own;
    uint64_t mode = 0, uid = 0, gid = 0;
    int64_t mtime = 0;
    const char *block = imp->buf;
    if (!parse_number(block, MODE, UINT32_MAX, &mode) || /* Tcl's tar: 1040755 */
        !parse_number(block, UID, UINT32_MAX, &uid) ||
        !parse_number(block, GID, UINT32_MAX, &gid) ||
        !parse_number(block, SIZE, INT64_MAX, &e->size) ||
        !umvfs_tar_number(block, MTIME, &mtime) || !take_device(imp))
        return false;
    e->mode = (uint32_t)mode & UMVFS_S_IALL;
    e->uid = (uint32_t)uid;
    e->gid = (uint32_t)gid;
    e->mtime = (struct umvfs_time){.sec = mtime};
    take_owner(e, &imp->tar.all);
    take_owner(e, own);
    if (own->given & TAR_GIVEN_SIZE)
        e->size = own->size;
    return true;
}

int umvfs_import_tar_end(struct umvfs_import *imp)
{
    umvfs_import_file_done(imp);
    umvfs_sparse_forget(imp);
    umvfs_import_forget_xattrs(imp); /* of a hard link, or of what was left out */
    imp->tar.own.given = 0;
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
    return err ? err : umvfs_import_data(imp, e->size, umvfs_import_tar_end);
}

/* Behind a pax header, a further name may come with the contents once more. */
static int make_hard_link(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    e->mode |= UMVFS_S_IFREG;
    if (!(imp->tar.own.given & TAR_GIVEN_PAX))
        e->size = 0;
    int err = umvfs_import_link(imp);
    if (err)
        return err;
    return imp->file ? umvfs_import_data(imp, e->size, umvfs_import_tar_end)
                     : umvfs_import_skip(imp, e->size, umvfs_import_tar_end);
}

/* A directory of an incremental archive: the list of what was in it has no place here. */
static int make_listed_dir(struct umvfs_import *imp)
{
    struct import_entry *e = &imp->entry;
    uint64_t list = e->size;
    e->mode |= UMVFS_S_IFDIR;
    e->size = 0;
    int err = umvfs_import_make(imp);
    e->size = list;
    if (list)
        umvfs_import_warn(imp, UMVFS_ARCHIVE_NOT_KEPT, -UMVFS_EOPNOTSUPP);
    return err ? err : umvfs_import_skip(imp, list, umvfs_import_tar_end);
}

/* What is about the archive or about another entry: a label, the rest of a file that began on another
 * volume, names to be changed later, an ACL of Solaris. */
static int skip_entry(struct umvfs_import *imp)
{
    umvfs_import_warn(imp, UMVFS_ARCHIVE_NOT_KEPT, -UMVFS_EOPNOTSUPP);
    return umvfs_import_skip(imp, imp->entry.size, umvfs_import_tar_end);
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
    imp->tar.own.given |= link ? TAR_GIVEN_LINK : TAR_GIVEN_NAME;
    return umvfs_import_tar_pad(imp, imp->want);
}

static int end_skipped(struct umvfs_import *imp)
{
    return umvfs_import_tar_pad(imp, imp->entry.size);
}

/* A GNU long name: its NUL-terminated text is the contents. A name of an extended header counts before
 * it, as for GNU tar and libarchive. */
static int read_long(struct umvfs_import *imp, char *dst)
{
    const uint32_t name = dst == imp->entry.link ? TAR_GIVEN_LINK : TAR_GIVEN_NAME;
    const uint32_t both = name | TAR_GIVEN_PAX;
    uint64_t size = 0;
    if (!parse_number(imp->buf, SIZE, INT64_MAX, &size))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    if (size < (umvfs_import_is_lenient(imp) ? 1u : 2u) || size > UMVFS_PATH_MAX)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    if ((imp->tar.own.given & both) == both) {
        imp->entry.size = size;
        return umvfs_import_skip(imp, size, end_skipped);
    }
    return umvfs_import_collect(imp, dst, (size_t)size, end_long);
}

/* Of two extended headers before an entry, GNU tar and libarchive take the second alone, and others both. */
static int forget_pax(struct umvfs_import *imp)
{
    if (!umvfs_import_is_lenient(imp))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
    umvfs_import_warn(imp, UMVFS_ARCHIVE_BAD_PAX, -UMVFS_EINVAL);
    umvfs_sparse_forget(imp);
    umvfs_import_forget_xattrs(imp);
    imp->tar.own.given = 0;
    return 0;
}

static int read_pax(struct umvfs_import *imp, bool global)
{
    uint64_t size = 0;
    int err = !global && imp->tar.own.given & TAR_GIVEN_PAX ? forget_pax(imp) : 0;
    if (err)
        return err;
    if (!parse_number(imp->buf, SIZE, INT64_MAX, &size))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    return umvfs_import_pax(imp, size, global);
}

/* The type of the object that a header is about; 0: it has none of its own. */
static uint32_t object_type(const struct umvfs_import *imp)
{
    static const uint32_t types[] = {
        ['0'] = UMVFS_S_IFREG, ['2'] = UMVFS_S_IFLNK, ['3'] = UMVFS_S_IFCHR, ['4'] = UMVFS_S_IFBLK,
        ['5'] = UMVFS_S_IFDIR, ['6'] = UMVFS_S_IFIFO, ['7'] = UMVFS_S_IFREG};
    unsigned char type = (unsigned char)imp->buf[TYPE_AT];
    uint32_t made = type == 0                                 ? UMVFS_S_IFREG
                    : type < sizeof(types) / sizeof(types[0]) ? types[type]
                                                              : 0;
    bool slash = imp->entry.name[imp->entry.name_len - 1u] == '/';
    return made == UMVFS_S_IFREG && slash ? UMVFS_S_IFDIR : made;
}

/* Types beside those of POSIX. */
static int make_special(struct umvfs_import *imp)
{
    switch (imp->buf[TYPE_AT]) {
    case '1':
        return make_hard_link(imp);
    case 'D':
        return make_listed_dir(imp);
    case 'V':
    case 'M':
    case 'N':
    case 'A':
        return skip_entry(imp);
    case 'S':
        if (is_gnu(imp->buf))
            return umvfs_sparse_old(imp);
        break;
    default:
        break;
    }
    if (!umvfs_import_is_lenient(imp))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_TYPE);
    umvfs_import_warn(imp, UMVFS_ARCHIVE_BAD_TYPE, -UMVFS_EINVAL);
    return make_entry(imp, UMVFS_S_IFREG); /* as POSIX wants of a type that is not known */
}

static int parse_entry(struct umvfs_import *imp)
{
    take_names(imp);
    if (imp->entry.name_len == 0)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
    if (!take_numbers(imp))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    uint32_t type = object_type(imp);
    if (imp->tar.own.given & TAR_GIVEN_SPARSE)
        return UMVFS_S_ISREG(type) ? umvfs_sparse_pax(imp)
                                   : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_SPARSE);
    return type ? make_entry(imp, type) : make_special(imp);
}

static int parse_header(struct umvfs_import *imp)
{
    switch (imp->buf[TYPE_AT]) {
    case 'L':
        return read_long(imp, imp->entry.name);
    case 'K':
        return read_long(imp, imp->entry.link);
    case 'x':
    case 'X': /* Solaris */
        return read_pax(imp, false);
    case 'g':
        return read_pax(imp, true);
    default:
        return parse_entry(imp);
    }
}

static int parse_block(struct umvfs_import *imp)
{
    const char *block = imp->buf;
    imp->may_end = false;
    imp->unmarked = false;
    if (umvfs_tar_is_zero(block)) {
        if (imp->tar.own.given)
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
        imp->may_end = umvfs_import_is_lenient(imp);
        return umvfs_import_collect(imp, imp->buf, TAR_BLOCK, after_zero_block);
    }
    if (umvfs_tar_checksum_matches(block))
        return parse_header(imp);
    if (is_ustar(block) || is_gnu(block))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_CHECKSUM);
    return umvfs_import_fail_unless_compressed(imp, imp->entry_number ? 0 : TAR_BLOCK,
                                               imp->entry_number ? UMVFS_ARCHIVE_BAD_MAGIC
                                                                 : UMVFS_ARCHIVE_UNKNOWN_FORMAT);
}

/* The data goes on, and nothing of it counts. */
static int ignore(struct umvfs_import *imp)
{
    imp->may_end = true;
    return umvfs_import_skip(imp, UINT64_MAX, ignore);
}

static int ignore_rest(struct umvfs_import *imp)
{
    if (!umvfs_import_is_lenient(imp))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PADDING);
    umvfs_import_warn(imp, UMVFS_ARCHIVE_BAD_PADDING, -UMVFS_EINVAL);
    return ignore(imp);
}

/* A byte that is not zero comes after the end mark: another archive, if that is allowed. */
static int after_end(struct umvfs_import *imp)
{
    if (!imp->options.concatenated || imp->offset % TAR_BLOCK)
        return ignore_rest(imp);
    imp->tar.all.given = 0;
    imp->may_end = false;
    return next_block(imp);
}

static int after_zero_block(struct umvfs_import *imp)
{
    if (!umvfs_tar_is_zero(imp->buf))
        return ignore_rest(imp);
    imp->may_end = true;
    return umvfs_import_zeros(imp, after_end);
}
