/* Objects of foreign file systems: nodes wrapped in dentries and inodes while they are referenced.
 */
#ifndef UMVFS_FOREIGN_H
#define UMVFS_FOREIGN_H

#include "dcache.h"

/* Wraps a node as the child `name` of parent (NULL: as the root of sb); gives a counted dentry and
 * takes over the node's reference. On failure the node remains the caller's. */
int umvfs_foreign_wrap(struct umvfs_sb *sb, struct umvfs_dentry *parent, const char *name,
                       size_t len, void *node, struct umvfs_dentry **out);

/* The child of a foreign directory as a counted dentry. -UMVFS_ENOENT and what lookup says. */
int umvfs_foreign_lookup(struct umvfs_dentry *parent, const struct umvfs_name *name,
                         struct umvfs_dentry **out);

/* Reads the attributes anew. */
int umvfs_foreign_refresh(struct umvfs_inode *inode, struct umvfs_stat *out);

/* Gives the node back. */
void umvfs_foreign_release(struct umvfs_inode *inode);

/* Makes a mount point findable: hashes the dentry and the foreign ones above it. */
void umvfs_foreign_pin(struct umvfs_dentry *dentry);

#endif
