/* Moving bytes in and out of regular files by inode. */
#ifndef VFS_RW_H
#define VFS_RW_H

#include "core.h"

/* Up to len bytes at offset; returns the bytes moved, or -VFS_EFAULT if the copy moved none. */
int64_t vfs_data_read(const struct vfs_inode *inode, uint64_t offset, char *buf, size_t len,
                      const struct vfs_copy *copy);
/* Writes len bytes at offset and grows the file; returns the bytes moved, or the error that kept it
 * from moving any. Times are the caller's. */
int64_t vfs_data_write(struct vfs_inode *inode, uint64_t offset, const char *buf, size_t len,
                       const struct vfs_copy *copy);

/* A copy that is memcpy. */
struct vfs_copy vfs_copy_memory(void);

#endif
