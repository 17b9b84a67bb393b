#include "export.h"

#include "inode.h"
#include "memory.h"
#include "xattr.h"

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
    umvfs_export_digits(head, digits, 10, len);
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
    umvfs_export_digits(text, len, 10, value);
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
    umvfs_export_digits(text + sign, len, 10, seconds);
    text[sign + len] = '.';
    umvfs_export_digits(text + sign + len + 1u, 9, 10,
                        borrows ? 1000000000u - time.nsec : time.nsec);
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
    for (size_t i = 0; umvfs_xattr_at(inode, i, &name, &name_len, &value, &value_len); i++) {
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
    if (!umvfs_export_digits(block + at, width - 1u, 8, value))
        umvfs_export_digits(block + at, width - 1u, 8, 0); /* an extended header says it */
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
    umvfs_export_digits(block + 148, 6, 8, sum);
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
    return records.err ? records.err : umvfs_export_zeros(ex, (BLOCK - count.size % BLOCK) % BLOCK);
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

int umvfs_export_tar(struct export *ex, const struct umvfs_inode *inode,
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
    return err || size == 0 ? err : umvfs_export_contents(ex, inode, BLOCK);
}

int umvfs_export_tar_end(struct export *ex)
{
    return umvfs_export_zeros(ex, (size_t)2 * BLOCK);
}
