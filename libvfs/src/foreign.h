/* Objects of foreign file systems: nodes wrapped in dentries and inodes while they are referenced.
 */
#ifndef VFS_FOREIGN_H
#define VFS_FOREIGN_H

#include "dcache.h"

/* Wraps a node as the child `name` of parent (NULL: as the root of sb); gives a counted dentry and
 * takes over the node's reference. On failure the node remains the caller's. */
int vfs_foreign_wrap(struct vfs_sb *sb, struct vfs_dentry *parent, const char *name, size_t len,
                     void *node, struct vfs_dentry **out);

/* The child of a foreign directory as a counted dentry. -VFS_ENOENT and what lookup says. */
int vfs_foreign_lookup(struct vfs_dentry *parent, const struct vfs_name *name,
                       struct vfs_dentry **out);

/* Reads the attributes anew. */
int vfs_foreign_refresh(struct vfs_inode *inode, struct vfs_stat *out);

/* Gives the node back. */
void vfs_foreign_release(struct vfs_inode *inode);

/* Makes a mount point findable: hashes the dentry and the foreign ones above it. */
void vfs_foreign_pin(struct vfs_dentry *dentry);

#endif
