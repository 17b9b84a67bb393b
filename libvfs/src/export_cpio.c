#include "export.h"

#include "inode.h"
#include "memory.h"
#include "rw.h"

#define HEADER_SIZE 110u

static const char trailer[] = "TRAILER!!!";

static int write_header(struct export *ex, const uint64_t *fields, const char *name, size_t len)
{
    char header[HEADER_SIZE];
    memcpy(header, ex->format == UMVFS_ARCHIVE_CPIO_CRC ? "070702" : "070701", 6);
    for (size_t i = 0; i < 13; i++) {
        if (!umvfs_export_digits(header + 6u + 8u * i, 8, 16, fields[i]))
            return -UMVFS_EOVERFLOW;
    }
    int err = ex->write(ex->ctx, header, sizeof(header));
    if (!err)
        err = ex->write(ex->ctx, name, len);
    size_t end = HEADER_SIZE + len;
    return err ? err : umvfs_export_zeros(ex, 1u + (4u - (end + 1u) % 4u) % 4u);
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
        return umvfs_export_contents(ex, inode, 4);
    int err = ex->write(ex->ctx, ex->link, ex->link_len);
    return err ? err : umvfs_export_zeros(ex, (4u - ex->link_len % 4u) % 4u);
}

/* An entry that is called as what ends an archive goes by a longer name for the same place. */
static void unlike_trailer(struct export *ex)
{
    static const char in_place[] = "./TRAILER!!!";
    if (ex->name_len != sizeof(trailer) - 1u || memcmp(ex->name, trailer, ex->name_len) != 0)
        return;
    memcpy(ex->name, in_place, sizeof(in_place));
    ex->name_len = sizeof(in_place) - 1u;
}

int umvfs_export_cpio(struct export *ex, const struct umvfs_inode *inode,
                      const struct umvfs_dentry *first)
{
    bool file = UMVFS_S_ISREG(inode->mode);
    bool body = inode->size > 0 && !first; /* only files and links have a size */
    uint64_t rdev = umvfs_inode_rdev(inode);
    uint32_t sum = 0;
    if (inode->mtime < 0 || inode->mtime > UINT32_MAX)
        return -UMVFS_EOVERFLOW;
    unlike_trailer(ex);
    if (body && file && ex->format == UMVFS_ARCHIVE_CPIO_CRC)
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

int umvfs_export_cpio_end(struct export *ex)
{
    const uint64_t fields[13] = {[4] = 1, [11] = sizeof(trailer)};
    return write_header(ex, fields, trailer, sizeof(trailer) - 1u);
}
