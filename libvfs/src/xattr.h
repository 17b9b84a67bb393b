/* Extended attributes of an inode: a list of objects, each with name and value. */
#ifndef VFS_XATTR_H
#define VFS_XATTR_H

#include "core.h"

/* Frees all attributes of an inode. */
void vfs_xattr_free(struct vfs_inode *inode);

/* The bytes that a list of the names would take, NULs included. */
size_t vfs_xattr_list_size(const struct vfs_inode *inode);

#endif
