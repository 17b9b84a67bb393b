/* Entries of the library's own directories. Adding is in two steps: prepare may fail, add cannot.
 */
#ifndef UMVFS_DIR_H
#define UMVFS_DIR_H

#include "dcache.h"

/* A dentry for a new name in dir, with a place reserved in its order. */
int umvfs_dir_prepare(struct umvfs_inode *dir, const struct umvfs_name *name,
                      struct umvfs_dentry **out);
/* Links a prepared dentry; takes over one reference on it and one on inode. Times and link counts
 * are the caller's. */
void umvfs_dir_add(struct umvfs_dentry *parent, struct umvfs_dentry *dentry,
                   struct umvfs_inode *inode);

/* Unlinks a dentry and drops the directory's reference on it. */
void umvfs_dir_remove(struct umvfs_dentry *dentry);

/* Removes everything below a directory, without recursion; drops the names' link counts. Stops when the budget,
 * of which each entry costs one or two, is 0; whether all is gone. */
bool umvfs_dir_empty(struct umvfs_dentry *root, size_t *budget);

/* The first entry whose cookie is at least *cookie, which is set to it; NULL: none. */
struct umvfs_dentry *umvfs_dir_next(const struct umvfs_inode *dir, uint64_t *cookie);

static inline bool umvfs_dir_is_empty(const struct umvfs_inode *dir)
{
    return dir->u.dir.dir->count == 0;
}

#endif
