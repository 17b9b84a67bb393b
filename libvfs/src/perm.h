/* Who may do what: the rules of path_resolution(7), credentials(7) and proc_sys_fs(5). All return 0
 * or the error that Linux gives. */
#ifndef VFS_PERM_H
#define VFS_PERM_H

#include "core.h"

static inline bool vfs_capable(const struct vfs_cred *cred, uint32_t cap)
{
    return cred && (cred->caps & cap) == cap;
}

bool vfs_in_group(const struct vfs_cred *cred, uint32_t gid);

/* mask VFS_MAY_* against mode, owner and group, or the foreign file system's own check. */
int vfs_permission(const struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t mask);

/* Whether anybody may search: a directory of the library's own with all its x bits. */
static inline bool vfs_all_may_search(const struct vfs_inode *dir)
{
    return (dir->mode & (VFS_S_IFMT | 0111u)) == (VFS_S_IFDIR | 0111u) &&
           !(dir->flags & INODE_FOREIGN);
}

/* Search permission: the common case decided inline. */
static inline int vfs_may_search(const struct vfs_inode *dir, const struct vfs_cred *cred)
{
    if ((dir->mode & 0111u) == 0111u && !(dir->flags & INODE_FOREIGN))
        return 0;
    return vfs_permission(dir, cred, VFS_MAY_EXEC);
}

static inline bool vfs_owns(const struct vfs_inode *inode, const struct vfs_cred *cred)
{
    return cred->uid == inode->uid || vfs_capable(cred, VFS_CAP_FOWNER);
}

/* Whether an entry can be made in dir: -VFS_ENOENT if dir was removed, -VFS_EACCES. */
int vfs_may_create(const struct vfs_inode *dir, const struct vfs_cred *cred);
/* Whether victim's name can leave dir: -VFS_EACCES, -VFS_EPERM (sticky); then, with as_dir saying
 * what the operation removes, -VFS_ENOTDIR, -VFS_EISDIR. */
int vfs_may_delete(const struct vfs_inode *dir, const struct vfs_inode *victim,
                   const struct vfs_cred *cred, bool as_dir);

/* protected_symlinks: -VFS_EACCES. */
int vfs_may_follow(const struct vfs_inode *dir, const struct vfs_inode *link,
                   const struct vfs_cred *cred);
/* protected_hardlinks: -VFS_EPERM. */
int vfs_may_link(const struct vfs_inode *inode, const struct vfs_cred *cred);
/* protected_fifos and protected_regular, for opening what exists with O_CREAT: -VFS_EACCES. */
int vfs_may_open_sticky(const struct vfs_inode *dir, const struct vfs_inode *inode,
                        const struct vfs_cred *cred);

/* The mode without S_ISUID, and without S_ISGID if group execution is allowed or the caller is
 * neither in the group nor has VFS_CAP_FSETID: what remains after a change of the contents by
 * somebody without VFS_CAP_FSETID, and after any chown. cred may be NULL. */
uint16_t vfs_mode_without_privileges(const struct vfs_inode *inode, const struct vfs_cred *cred);

/* Takes these bits unless cred has VFS_CAP_FSETID; NULL has not. */
void vfs_drop_privileges(struct vfs_inode *inode, const struct vfs_cred *cred);

#endif
