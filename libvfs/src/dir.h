/* Entries of the library's own directories. Adding is in two steps: prepare may fail, add cannot.
 */
#ifndef VFS_DIR_H
#define VFS_DIR_H

#include "dcache.h"

/* A dentry for a new name in dir, with a place reserved in its order. */
int vfs_dir_prepare(struct vfs_inode *dir, const struct vfs_name *name, struct vfs_dentry **out);
/* Links a prepared dentry; takes over one reference on it and one on inode. Times and link counts
 * are the caller's. */
void vfs_dir_add(struct vfs_dentry *parent, struct vfs_dentry *dentry, struct vfs_inode *inode);

/* Unlinks a dentry and drops the directory's reference on it. */
void vfs_dir_remove(struct vfs_dentry *dentry);

/* Removes everything below a directory, without recursion; drops the names' link counts. Stops when the budget,
 * of which each entry costs one or two, is 0; whether all is gone. */
bool vfs_dir_empty(struct vfs_dentry *root, size_t *budget);

/* The first entry whose cookie is at least *cookie, which is set to it; NULL: none. */
struct vfs_dentry *vfs_dir_next(const struct vfs_inode *dir, uint64_t *cookie);

static inline bool vfs_dir_is_empty(const struct vfs_inode *dir)
{
    return dir->u.dir.dir->count == 0;
}

#endif
