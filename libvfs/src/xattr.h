/* Extended attributes of an inode: a list of objects, each with name and value. */
#ifndef VFS_XATTR_H
#define VFS_XATTR_H

#include "core.h"

/* Frees all attributes of an inode. */
void vfs_xattr_free(struct vfs_inode *inode);

/* Puts an attribute in front of a list that is not an inode's yet. -VFS_EINVAL: not a name that a
 * user attribute can have, or twice the same; -VFS_ENOSPC, -VFS_ENOMEM. */
int vfs_xattr_append(struct vfs_sb *sb, struct vfs_xattr **list, const char *name, size_t len,
                     const void *value, size_t size);

/* Attribute number `index` of an inode; false: there are no more. */
bool vfs_xattr_at(const struct vfs_inode *inode, size_t index, const char **name, size_t *name_len,
                  const char **value, size_t *value_len);

/* The bytes that a list of the names would take, NULs included. */
size_t vfs_xattr_list_size(const struct vfs_inode *inode);

#endif
