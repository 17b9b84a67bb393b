/* Who may do what: the rules of path_resolution(7), credentials(7) and proc_sys_fs(5). All return 0
 * or the error that Linux gives. */
#ifndef UMVFS_PERM_H
#define UMVFS_PERM_H

#include "core.h"

static inline bool umvfs_capable(const struct umvfs_cred *cred, uint32_t cap)
{
    return cred && (cred->caps & cap) == cap;
}

bool umvfs_in_group(const struct umvfs_cred *cred, uint32_t gid);

/* mask UMVFS_MAY_* against mode, owner and group, or the foreign file system's own check. */
int umvfs_permission(const struct umvfs_inode *inode, const struct umvfs_cred *cred, uint32_t mask);

/* Whether anybody may search: a directory of the library's own with all its x bits. */
static inline bool umvfs_all_may_search(const struct umvfs_inode *dir)
{
    return (dir->mode & (UMVFS_S_IFMT | 0111u)) == (UMVFS_S_IFDIR | 0111u) &&
           !(dir->flags & INODE_FOREIGN);
}

/* Search permission: the common case decided inline. */
static inline int umvfs_may_search(const struct umvfs_inode *dir, const struct umvfs_cred *cred)
{
    if ((dir->mode & 0111u) == 0111u && !(dir->flags & INODE_FOREIGN))
        return 0;
    return umvfs_permission(dir, cred, UMVFS_MAY_EXEC);
}

static inline bool umvfs_owns(const struct umvfs_inode *inode, const struct umvfs_cred *cred)
{
    return cred->uid == inode->uid || umvfs_capable(cred, UMVFS_CAP_FOWNER);
}

/* Whether an entry can be made in dir: -UMVFS_ENOENT if dir was removed, -UMVFS_EACCES. */
int umvfs_may_create(const struct umvfs_inode *dir, const struct umvfs_cred *cred);
/* Whether victim's name can leave dir: -UMVFS_EACCES, -UMVFS_EPERM (sticky); then, with as_dir
 * saying what the operation removes, -UMVFS_ENOTDIR, -UMVFS_EISDIR. */
int umvfs_may_delete(const struct umvfs_inode *dir, const struct umvfs_inode *victim,
                     const struct umvfs_cred *cred, bool as_dir);

/* protected_symlinks: -UMVFS_EACCES. */
int umvfs_may_follow(const struct umvfs_inode *dir, const struct umvfs_inode *link,
                     const struct umvfs_cred *cred);
/* protected_hardlinks: -UMVFS_EPERM. */
int umvfs_may_link(const struct umvfs_inode *inode, const struct umvfs_cred *cred);
/* protected_fifos and protected_regular, for opening what exists with O_CREAT: -UMVFS_EACCES. */
int umvfs_may_open_sticky(const struct umvfs_inode *dir, const struct umvfs_inode *inode,
                          const struct umvfs_cred *cred);

/* The mode without S_ISUID, and without S_ISGID if group execution is allowed or the caller is
 * neither in the group nor has UMVFS_CAP_FSETID: what remains after a change of the contents by
 * somebody without UMVFS_CAP_FSETID, and after any chown. cred may be NULL. */
uint16_t umvfs_mode_without_privileges(const struct umvfs_inode *inode,
                                       const struct umvfs_cred *cred);

/* Takes these bits unless cred has UMVFS_CAP_FSETID; NULL has not. Takes the file's capabilities from
 * whomever. */
void umvfs_drop_privileges(struct umvfs_inode *inode, const struct umvfs_cred *cred);

#endif
