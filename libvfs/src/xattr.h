/* Extended attributes of an inode: a list of objects, each with name and value. */
#ifndef UMVFS_XATTR_H
#define UMVFS_XATTR_H

#include "core.h"

/* Frees all attributes of an inode. */
void umvfs_xattr_free(struct umvfs_inode *inode);

/* Whether an import by somebody keeps an attribute of that name. */
bool umvfs_xattr_is_kept(const struct umvfs_cred *cred, const char *name, size_t len);

/* Takes the capabilities of a file, as any change of its contents or owner does. */
void umvfs_xattr_drop_capability(struct umvfs_inode *inode);

/* Puts an attribute in front of a list that is not an inode's yet. -UMVFS_EINVAL: not a name that an
 * attribute can have; -UMVFS_EEXIST: twice the same; -UMVFS_ENOSPC, -UMVFS_ENOMEM. */
int umvfs_xattr_append(struct umvfs_sb *sb, struct umvfs_xattr **list, const char *name, size_t len,
                       const void *value, size_t size);

/* Attribute number `index` of an inode; false: there are no more. */
bool umvfs_xattr_at(const struct umvfs_inode *inode, size_t index, const char **name,
                    size_t *name_len, const char **value, size_t *value_len);

/* The bytes that a list of the names would take, NULs included. */
size_t umvfs_xattr_list_size(const struct umvfs_inode *inode);

#endif
