/* Inodes of the library's own file systems: birth, references, death. */
#ifndef VFS_INODE_H
#define VFS_INODE_H

#include "core.h"

/* An inode with one reference and nlink 0, charged to the quota; times are now, ids 0. Directories
 * get their entry table and key. -VFS_ENOSPC, -VFS_ENOMEM. */
int vfs_inode_new(struct vfs_sb *sb, uint32_t mode, struct vfs_inode **out);

/* As vfs_inode_put, for references that are the library's own. */
void vfs_inode_drop(struct vfs_inode *inode);
/* Frees an inode that has no references, and its file system if that is due. */
void vfs_inode_end(struct vfs_inode *inode);

static inline bool vfs_is_dir(const struct vfs_inode *inode)
{
    return VFS_S_ISDIR(inode->mode);
}

static inline bool vfs_is_link(const struct vfs_inode *inode)
{
    return VFS_S_ISLNK(inode->mode);
}

static inline bool vfs_is_foreign(const struct vfs_inode *inode)
{
    return inode->flags & INODE_FOREIGN;
}

/* The foreign operations: NULL for the library's own inodes, and for a foreign root whose mount has
 * failed, which nobody but its release ever sees. */
static inline const struct vfs_fs_ops *vfs_ops(const struct vfs_inode *inode)
{
    return inode->sb->ops;
}

/* Sets ctime, or mtime and ctime, to now. */
void vfs_touch_ctime(struct vfs_inode *inode);
void vfs_touch_mtime(struct vfs_inode *inode);
/* Sets atime as Linux's relatime does: only if it is not newer than mtime and ctime. */
static inline void vfs_touch_atime(const struct vfs_mount *mnt, struct vfs_inode *inode)
{
    if ((inode->atime > inode->mtime && inode->atime > inode->ctime) || vfs_is_foreign(inode) ||
        mnt->flags & (VFS_MS_RDONLY | VFS_MS_NOATIME))
        return;
    inode->atime = vfs_now(inode->sb->vfs);
}

#endif
