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

/* Up to len bytes at offset; returns the bytes moved, or -UMVFS_EFAULT if the copy moved none. */
int64_t umvfs_data_read(const struct umvfs_inode *inode, uint64_t offset, char *buf, size_t len,
                        const struct umvfs_copy *copy);
/* Writes len bytes at offset and grows the file; returns the bytes moved, or the error that kept it
 * from moving any. Times are the caller's. */
int64_t umvfs_data_write(struct umvfs_inode *inode, uint64_t offset, const char *buf, size_t len,
                         const struct umvfs_copy *copy);

#endif
