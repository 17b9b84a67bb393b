/* Export: one walk over the tree, and a writer for each format. */
#include <umvfs/archive.h>

#include "core.h"
#include "data.h"
#include "dcache.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"
#include "radix.h"
#include "walk.h"

struct export
{
    struct umvfs *vfs;
    struct umvfs_sb *sb;
    const struct umvfs_dentry *top;
    enum umvfs_archive_format format;
    int (*write)(void *ctx, const void *data, size_t len);
    void *ctx;
    struct umvfs_radix
        first;  /* inode number -> the first name written of a file that has several */
    char *name; /* UMVFS_OBJECT_MAX bytes: of the entry, relative to top */
    size_t name_len;
    char *link; /* the same: of the first name, or a symbolic link's target */
    size_t link_len;
};

/* Writes one entry. first: another name of the same file, written before, or NULL. */
static int export_cpio(struct export *export, const struct umvfs_inode *inode,
                       const struct umvfs_dentry *first);
static int export_tar(struct export *export, const struct umvfs_inode *inode,
                      const struct umvfs_dentry *first);
/* Writes what ends the archive. */
static int export_cpio_end(struct export *export);
static int export_tar_end(struct export *export);

/* The contents of a regular file, and zeros up to a multiple of `unit`. */
static int export_contents(struct export *export, const struct umvfs_inode *inode, size_t unit);
static int export_zeros(struct export *export, size_t count);

/* Writes value as digits of base 8, 10 or 16, right-aligned with leading zeros in width bytes;
 * false: it does not fit. */
static bool export_digits(char *dst, size_t width, unsigned base, uint64_t value);

static bool export_digits(char *dst, size_t width, unsigned base, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = width; i > 0; i--) {
        dst[i - 1u] = digits[value % base];
        value /= base;
    }
    return value == 0;
}

static int export_zeros(struct export *ex, size_t count)
{
    static const char zeros[512];
    while (count > 0) {
        size_t part = count < sizeof(zeros) ? count : sizeof(zeros);
        int err = ex->write(ex->ctx, zeros, part);
        if (err)
            return err;
        count -= part;
    }
    return 0;
}

static int export_contents(struct export *ex, const struct umvfs_inode *inode, size_t unit)
{
    char block[512];
    uint64_t at = 0;
    while (at < inode->size) {
        int64_t got = umvfs_data_read(inode, at, block, sizeof(block), &umvfs_copy_memory);
        int err = ex->write(ex->ctx, block, (size_t)got);
        if (err)
            return err;
        at += (uint64_t)got;
    }
    return export_zeros(ex, (unit - (size_t)(at % unit)) % unit);
}

/* The name of a dentry relative to the top, written backwards and moved to the front. */
static int name_of(const struct export *ex, const struct umvfs_dentry *dentry, char *buf,
                   size_t *len)
{
    size_t left = UMVFS_PATH_MAX;
    for (; dentry != ex->top; dentry = dentry->parent) {
        if (dentry->name_len + 1u > left)
            return -UMVFS_ENAMETOOLONG;
        buf[--left] = '/';
        left -= dentry->name_len;
        memcpy(buf + left, umvfs_dentry_name(dentry), dentry->name_len);
    }
    if (left == UMVFS_PATH_MAX) {
        memcpy(buf, ".", 2);
        *len = 1;
        return 0;
    }
    *len = UMVFS_PATH_MAX - left - 1u;
    memmove(buf, buf + left, *len);
    buf[*len] = '\0';
    return 0;
}

/* Finds the first name of a file that has several, or makes this one the first. */
static int find_first(struct export *ex, struct umvfs_dentry *dentry,
                      const struct umvfs_dentry **first)
{
    const struct umvfs_inode *inode = dentry->inode;
    *first = NULL;
    if (umvfs_is_dir(inode) || inode->nlink < 2)
        return 0;
    *first = umvfs_radix_get(&ex->first, RADIX_DIR_BITS, inode->ino);
    if (*first)
        return 0;
    int err = umvfs_radix_reserve(ex->sb, &ex->first, RADIX_DIR_BITS, inode->ino);
    if (!err)
        umvfs_radix_set(&ex->first, RADIX_DIR_BITS, inode->ino, dentry);
    return err;
}

static int write_entry(struct export *ex, struct umvfs_dentry *dentry)
{
    const struct umvfs_inode *inode = dentry->inode;
    const struct umvfs_dentry *first;
    int err = name_of(ex, dentry, ex->name, &ex->name_len);
    if (!err)
        err = find_first(ex, dentry, &first);
    ex->link_len = 0;
    if (!err && first) {
        err = name_of(ex, first, ex->link, &ex->link_len);
    } else if (!err && umvfs_is_link(inode)) {
        ex->link_len = (size_t)inode->size;
        memcpy(ex->link, inode->u.link.target, ex->link_len + 1u);
    }
    if (err)
        return err;
    return ex->format == UMVFS_ARCHIVE_TAR ? export_tar(ex, inode, first)
                                           : export_cpio(ex, inode, first);
}

/* Pre-order, without recursion. */
static int write_tree(struct export *ex, struct umvfs_dentry *top)
{
    struct umvfs_dentry *dir = top;
    uint64_t cookie = 0;
    int err = write_entry(ex, top);
    while (!err) {
        struct umvfs_dentry *child = umvfs_dir_next(dir->inode, &cookie);
        if (child) {
            err = write_entry(ex, child);
            bool down = umvfs_is_dir(child->inode);
            dir = down ? child : dir;
            cookie = down ? 0 : cookie + 1u;
        } else if (dir != top) {
            cookie = dir->cookie + 1u;
            dir = dir->parent;
        } else {
            break;
        }
    }
    if (err)
        return err;
    return ex->format == UMVFS_ARCHIVE_TAR ? export_tar_end(ex) : export_cpio_end(ex);
}

static void free_table(struct export *ex)
{
    uint64_t ino = 0;
    while (umvfs_radix_next(&ex->first, RADIX_DIR_BITS, &ino))
        umvfs_radix_clear(ex->sb, &ex->first, RADIX_DIR_BITS, ino);
}

static int export_with_buffers(struct export *ex, struct umvfs_dentry *top)
{
    void *name;
    void *link;
    int err = umvfs_obj_alloc(ex->sb, UMVFS_OBJECT_MAX, &name);
    if (err)
        return err;
    err = umvfs_obj_alloc(ex->sb, UMVFS_OBJECT_MAX, &link);
    if (!err) {
        ex->name = name;
        ex->link = link;
        err = write_tree(ex, top);
        free_table(ex);
        umvfs_obj_free(ex->sb, link, UMVFS_OBJECT_MAX);
    }
    umvfs_obj_free(ex->sb, name, UMVFS_OBJECT_MAX);
    return err;
}

int umvfs_export(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 enum umvfs_archive_format format,
                 int (*write)(void *ctx, const void *data, size_t len), void *ctx)
{
    struct umvfs_walk w;
    if (format != UMVFS_ARCHIVE_CPIO && format != UMVFS_ARCHIVE_CPIO_CRC &&
        format != UMVFS_ARCHIVE_TAR)
        return -UMVFS_EINVAL;
    int err = umvfs_walk(&w, task, at, path, UMVFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    if (!umvfs_is_dir(w.dentry->inode))
        err = -UMVFS_ENOTDIR;
    if (!err)
        err = umvfs_permission(w.dentry->inode, task->cred, UMVFS_MAY_READ | UMVFS_MAY_EXEC);
    if (!err && umvfs_is_foreign(w.dentry->inode))
        err = -UMVFS_EOPNOTSUPP;
    if (!err) {
        struct export ex = {.vfs = task->vfs,
                            .sb = w.mnt->sb,
                            .top = w.dentry,
                            .format = format,
                            .write = write,
                            .ctx = ctx};
        err = export_with_buffers(&ex, w.dentry);
    }
    umvfs_walk_end(&w);
    return err;
}

#define HEADER_SIZE 110u

static const char last_name[] = "TRAILER!!!";

static int write_header(struct export *ex, const uint64_t *fields, const char *name, size_t len)
{
    char header[HEADER_SIZE];
    memcpy(header, ex->format == UMVFS_ARCHIVE_CPIO_CRC ? "070702" : "070701", 6);
    for (size_t i = 0; i < 13; i++) {
        if (!export_digits(header + 6u + 8u * i, 8, 16, fields[i]))
            return -UMVFS_EOVERFLOW;
    }
    int err = ex->write(ex->ctx, header, sizeof(header));
    if (!err)
        err = ex->write(ex->ctx, name, len);
    size_t end = HEADER_SIZE + len;
    return err ? err : export_zeros(ex, 1u + (4u - (end + 1u) % 4u) % 4u);
}

static uint32_t checksum(const struct umvfs_inode *inode)
{
    unsigned char block[512];
    uint32_t sum = 0;
    for (uint64_t at = 0; at < inode->size;) {
        int64_t got = umvfs_data_read(inode, at, (char *)block, sizeof(block), &umvfs_copy_memory);
        for (int64_t i = 0; i < got; i++)
            sum += block[i];
        at += (uint64_t)got;
    }
    return sum;
}

static int write_body(struct export *ex, const struct umvfs_inode *inode)
{
    if (UMVFS_S_ISREG(inode->mode))
        return export_contents(ex, inode, 4);
    int err = ex->write(ex->ctx, ex->link, ex->link_len);
    return err ? err : export_zeros(ex, (4u - ex->link_len % 4u) % 4u);
}

/* An entry that is called as what ends an archive goes by a longer name for the same place. */
static void unlike_trailer(struct export *ex)
{
    static const char in_place[] = "./TRAILER!!!";
    if (ex->name_len != sizeof(last_name) - 1u || memcmp(ex->name, last_name, ex->name_len) != 0)
        return;
    memcpy(ex->name, in_place, sizeof(in_place));
    ex->name_len = sizeof(in_place) - 1u;
}

static int export_cpio(struct export *ex, const struct umvfs_inode *inode,
                       const struct umvfs_dentry *first)
{
    bool file = UMVFS_S_ISREG(inode->mode);
    bool body = inode->size > 0 && !first; /* only files and links have a size */
    uint64_t rdev = umvfs_inode_rdev(inode);
    uint32_t sum = 0;
    if (inode->mtime < 0 || inode->mtime > UINT32_MAX)
        return -UMVFS_EOVERFLOW;
    unlike_trailer(ex);
    /* A larger one is refused, and not summed up: it may be all holes. */
    bool fits = inode->size <= UINT32_MAX;
    if (body && file && fits && ex->format == UMVFS_ARCHIVE_CPIO_CRC)
        sum = checksum(inode);
    const uint64_t fields[13] = {inode->ino,
                                 inode->mode,
                                 inode->uid,
                                 inode->gid,
                                 inode->nlink,
                                 (uint64_t)inode->mtime,
                                 body ? inode->size : 0,
                                 0,
                                 0,
                                 UMVFS_MAJOR(rdev),
                                 UMVFS_MINOR(rdev),
                                 ex->name_len + 1u,
                                 sum};
    int err = write_header(ex, fields, ex->name, ex->name_len);
    return err || !body ? err : write_body(ex, inode);
}

static int export_cpio_end(struct export *ex)
{
    const uint64_t fields[13] = {[4] = 1, [11] = sizeof(last_name)};
    return write_header(ex, fields, last_name, sizeof(last_name) - 1u);
}

#define BLOCK      512u
#define OCTAL7_MAX 07777777u
#define SIZE_MAX11 077777777777ll

/* The largest record: key, value and length, with room to spare. */
#define RECORD_FIXED_MAX 400u

static size_t decimal_len(uint64_t value)
{
    size_t len = 1;
    for (; value >= 10; value /= 10)
        len++;
    return len;
}

/* The length of a record that counts its own digits. */
static size_t record_len(size_t key_len, size_t value_len)
{
    size_t rest = key_len + value_len + 3u; /* space, '=', newline */
    size_t len = rest + decimal_len(rest);
    return rest + decimal_len(len);
}

/* Counts (write == false) or writes the records of an entry's extended header. */
struct records {
    struct export *ex;
    bool write;
    size_t size;
    int err;
};

static void add_record(struct records *r, const char *key, size_t key_len, const void *value,
                       size_t value_len)
{
    char head[RECORD_FIXED_MAX];
    size_t len = record_len(key_len, value_len);
    size_t digits = decimal_len(len);
    r->size += len;
    if (!r->write || r->err)
        return;
    export_digits(head, digits, 10, len);
    head[digits] = ' ';
    memcpy(head + digits + 1u, key, key_len);
    head[digits + 1u + key_len] = '=';
    r->err = r->ex->write(r->ex->ctx, head, digits + key_len + 2u);
    if (!r->err && value_len)
        r->err = r->ex->write(r->ex->ctx, value, value_len);
    if (!r->err)
        r->err = r->ex->write(r->ex->ctx, "\n", 1);
}

static void add_number(struct records *r, const char *key, size_t key_len, uint64_t value)
{
    char text[20];
    size_t len = decimal_len(value);
    export_digits(text, len, 10, value);
    add_record(r, key, key_len, text, len);
}

/* Seconds, a point and nine digits. */
static void add_mtime(struct records *r, struct umvfs_time time)
{
    char text[32];
    size_t sign = time.sec < 0;
    bool borrows = sign && time.nsec > 0; /* the fraction of a negative number counts back */
    uint64_t seconds = sign ? 0u - (uint64_t)time.sec - borrows : (uint64_t)time.sec;
    size_t len = decimal_len(seconds);
    text[0] = '-';
    export_digits(text + sign, len, 10, seconds);
    text[sign + len] = '.';
    export_digits(text + sign + len + 1u, 9, 10, borrows ? 1000000000u - time.nsec : time.nsec);
    add_record(r, "mtime", 5, text, sign + len + 10u);
}

static void add_xattrs(struct records *r, const struct umvfs_inode *inode)
{
    static const char prefix[] = "SCHILY.xattr.";
    char key[sizeof(prefix) + UMVFS_XATTR_NAME_MAX];
    const char *name;
    const char *value;
    size_t name_len;
    size_t value_len;
    for (const struct umvfs_xattr *x = inode->xattrs; x;) {
        x = umvfs_xattr_read(x, &name, &name_len, &value, &value_len);
        memcpy(key, prefix, sizeof(prefix) - 1u);
        memcpy(key + sizeof(prefix) - 1u, name, name_len);
        add_record(r, key, sizeof(prefix) - 1u + name_len, value, value_len);
    }
}

static bool fits_seconds(struct umvfs_time time)
{
    return time.sec >= 0 && time.nsec == 0 && time.sec <= SIZE_MAX11;
}

/* Everything that the plain header cannot say. */
static void add_records(struct records *r, const struct umvfs_inode *inode, uint64_t size)
{
    const struct export *ex = r->ex;
    if (ex->name_len + 1u > 100)
        add_record(r, "path", 4, ex->name, ex->name_len);
    if (ex->link_len > 100)
        add_record(r, "linkpath", 8, ex->link, ex->link_len);
    if (size > (uint64_t)SIZE_MAX11)
        add_number(r, "size", 4, size);
    if (inode->uid > OCTAL7_MAX)
        add_number(r, "uid", 3, inode->uid);
    if (inode->gid > OCTAL7_MAX)
        add_number(r, "gid", 3, inode->gid);
    if (!fits_seconds(umvfs_mtime(inode)))
        add_mtime(r, umvfs_mtime(inode));
    add_xattrs(r, inode);
}

/* A time that does not fit the field is said by a record. */
static uint64_t header_time(int64_t seconds)
{
    return seconds >= 0 && seconds <= SIZE_MAX11 ? (uint64_t)seconds : 0;
}

static void put_octal(char *block, size_t at, size_t width, uint64_t value)
{
    if (!export_digits(block + at, width - 1u, 8, value))
        export_digits(block + at, width - 1u, 8, 0); /* an extended header says it */
}

static int write_block(struct export *ex, char *block)
{
    uint64_t sum = 0;
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    export_digits(block + 148, 6, 8, sum);
    block[154] = '\0';
    return ex->write(ex->ctx, block, BLOCK);
}

static int write_extended(struct export *ex, const struct umvfs_inode *inode, uint64_t size)
{
    struct records count = {.ex = ex};
    add_records(&count, inode, size);
    if (count.size == 0)
        return 0;
    char block[BLOCK] = "PaxHeader";
    put_octal(block, 100, 8, 0644);
    put_octal(block, 108, 8, 0);
    put_octal(block, 116, 8, 0);
    put_octal(block, 124, 12, count.size);
    put_octal(block, 136, 12, 0);
    block[156] = 'x';
    int err = write_block(ex, block);
    struct records records = {.ex = ex, .write = true, .err = err};
    add_records(&records, inode, size);
    return records.err ? records.err : export_zeros(ex, (BLOCK - count.size % BLOCK) % BLOCK);
}

static char type_of(const struct umvfs_inode *inode, const struct umvfs_dentry *first)
{
    static const char types[16] = {
        [1] = '6', [2] = '3', [4] = '5', [6] = '4', [8] = '0', [10] = '2'};
    return first ? '1' : types[UMVFS_DT_OF(inode->mode)];
}

static void fill_header(const struct export *ex, const struct umvfs_inode *inode, uint64_t size,
                        char *block)
{
    size_t name_len = ex->name_len < 100 ? ex->name_len : 100;
    size_t link_len = ex->link_len < 100 ? ex->link_len : 100;
    uint64_t rdev = umvfs_inode_rdev(inode);
    memcpy(block, ex->name, name_len);
    if (umvfs_is_dir(inode) && name_len < 100)
        block[name_len] = '/';
    memcpy(block + 157, ex->link, link_len);
    put_octal(block, 100, 8, inode->mode & UMVFS_S_IALL);
    put_octal(block, 108, 8, inode->uid);
    put_octal(block, 116, 8, inode->gid);
    put_octal(block, 124, 12, size);
    put_octal(block, 136, 12, header_time(inode->mtime));
    put_octal(block, 329, 8, UMVFS_MAJOR(rdev));
    put_octal(block, 337, 8, UMVFS_MINOR(rdev));
}

static int export_tar(struct export *ex, const struct umvfs_inode *inode,
                      const struct umvfs_dentry *first)
{
    char block[BLOCK] = {0};
    char type = type_of(inode, first);
    uint64_t size = type == '0' ? inode->size : 0;
    uint64_t rdev = umvfs_inode_rdev(inode);
    if (!type || UMVFS_MAJOR(rdev) > OCTAL7_MAX || UMVFS_MINOR(rdev) > OCTAL7_MAX)
        return -UMVFS_EOVERFLOW;
    int err = write_extended(ex, inode, size);
    if (err)
        return err;
    fill_header(ex, inode, size, block);
    block[156] = type;
    err = write_block(ex, block);
    return err || size == 0 ? err : export_contents(ex, inode, BLOCK);
}

static int export_tar_end(struct export *ex)
{
    return export_zeros(ex, (size_t)2 * BLOCK);
}
