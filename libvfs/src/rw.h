/* Moving bytes in and out of regular files by inode. */
#ifndef UMVFS_RW_H
#define UMVFS_RW_H

#include "data.h"
#include "memory.h"

static inline size_t umvfs_copy_plainly(void *ctx, void *dst, const void *src, size_t len)
{
    memcpy(dst, src, len);
    return len;
}

/* A copy that is memcpy, here so that a compiler can see that it is. */
static const struct umvfs_copy umvfs_copy_memory = {umvfs_copy_plainly, NULL};

int64_t umvfs_data_read_any(const struct umvfs_inode *inode, uint64_t offset, char *buf, size_t len,
                            const struct umvfs_copy *copy);

/* Up to len bytes at offset; returns the bytes moved, or -UMVFS_EFAULT if the copy moved none. What
 * is read most, bytes of one page that is there, is read here. */
static inline int64_t umvfs_data_read(const struct umvfs_inode *inode, uint64_t offset, char *buf,
                                      size_t len, const struct umvfs_copy *copy)
{
    size_t within = offset % UMVFS_PAGE_SIZE;
    if (umvfs_data_is_small(inode) || len == 0 || len > UMVFS_PAGE_SIZE - within ||
        offset >= inode->size || len > inode->size - offset)
        return umvfs_data_read_any(inode, offset, buf, len, copy);
    const char *page = umvfs_data_page(inode, offset / UMVFS_PAGE_SIZE);
    if (!page)
        return umvfs_data_read_any(inode, offset, buf, len, copy);
    size_t done = copy->copy(copy->ctx, buf, page + within, len);
    return done > 0 ? (int64_t)done : -UMVFS_EFAULT;
}
/* Writes len bytes at offset and grows the file; returns the bytes moved, or the error that kept it
 * from moving any. Times are the caller's. */
int64_t umvfs_data_write(struct umvfs_inode *inode, uint64_t offset, const char *buf, size_t len,
                         const struct umvfs_copy *copy);

#endif
