#include "perm.h"

#include "inode.h"

bool vfs_in_group(const struct vfs_cred *cred, uint32_t gid)
{
    if (cred->gid == gid)
        return true;
    for (uint32_t i = 0; i < cred->group_count; i++) {
        if (cred->groups[i] == gid)
            return true;
    }
    return false;
}

static bool mode_allows(const struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t mask)
{
    uint32_t bits = inode->mode;
    if (cred->uid == inode->uid)
        bits >>= 6;
    else if (vfs_in_group(cred, inode->gid))
        bits >>= 3;
    return (mask & ~bits & 7u) == 0;
}

static bool caps_allow(const struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t mask)
{
    bool search = vfs_capable(cred, VFS_CAP_DAC_READ_SEARCH);
    bool override = vfs_capable(cred, VFS_CAP_DAC_OVERRIDE);
    if (vfs_is_dir(inode))
        return override || (search && !(mask & VFS_MAY_WRITE));
    if (search && mask == VFS_MAY_READ)
        return true;
    return override && (!(mask & VFS_MAY_EXEC) || inode->mode & 0111u);
}

int vfs_permission(const struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t mask)
{
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (ops && ops->permission)
        return ops->permission(inode->sb->fs, vfs_inode_node(inode), cred, mask);
    return mode_allows(inode, cred, mask) || caps_allow(inode, cred, mask) ? 0 : -VFS_EACCES;
}

int vfs_may_create(const struct vfs_inode *dir, const struct vfs_cred *cred)
{
    if (dir->flags & INODE_DEAD)
        return -VFS_ENOENT;
    return vfs_permission(dir, cred, VFS_MAY_WRITE | VFS_MAY_EXEC);
}

int vfs_may_delete(const struct vfs_inode *dir, const struct vfs_inode *victim,
                   const struct vfs_cred *cred, bool as_dir)
{
    int err = vfs_permission(dir, cred, VFS_MAY_WRITE | VFS_MAY_EXEC);
    if (err)
        return err;
    if (dir->mode & VFS_S_ISVTX && cred->uid != victim->uid && cred->uid != dir->uid &&
        !vfs_capable(cred, VFS_CAP_FOWNER))
        return -VFS_EPERM;
    if (as_dir && !vfs_is_dir(victim))
        return -VFS_ENOTDIR;
    if (!as_dir && vfs_is_dir(victim))
        return -VFS_EISDIR;
    return 0;
}

int vfs_may_follow(const struct vfs_inode *dir, const struct vfs_inode *link,
                   const struct vfs_cred *cred)
{
    const uint32_t shared = VFS_S_ISVTX | 0002u;
    if (!dir->sb->vfs->cfg.protected_symlinks || cred->uid == link->uid ||
        (dir->mode & shared) != shared || dir->uid == link->uid)
        return 0;
    return -VFS_EACCES;
}

/* A source that its owner would not mind being linked to by anybody who can read and write it. */
static bool safe_source(const struct vfs_inode *inode, const struct vfs_cred *cred)
{
    const uint32_t setgid = VFS_S_ISGID | VFS_S_IXGRP;
    return VFS_S_ISREG(inode->mode) && !(inode->mode & VFS_S_ISUID) &&
           (inode->mode & setgid) != setgid &&
           vfs_permission(inode, cred, VFS_MAY_READ | VFS_MAY_WRITE) == 0;
}

int vfs_may_link(const struct vfs_inode *inode, const struct vfs_cred *cred)
{
    if (!inode->sb->vfs->cfg.protected_hardlinks || safe_source(inode, cred) ||
        vfs_owns(inode, cred))
        return 0;
    return -VFS_EPERM;
}

int vfs_may_open_sticky(const struct vfs_inode *dir, const struct vfs_inode *inode,
                        const struct vfs_cred *cred)
{
    const struct vfs_config *cfg = &dir->sb->vfs->cfg;
    /* The rules can only be switched off for these two. */
    unsigned level = VFS_S_ISFIFO(inode->mode)  ? cfg->protected_fifos
                     : VFS_S_ISREG(inode->mode) ? cfg->protected_regular
                                                : 1;
    if (level == 0 || !(dir->mode & VFS_S_ISVTX) || inode->uid == dir->uid ||
        inode->uid == cred->uid)
        return 0;
    if (dir->mode & 0002u || (dir->mode & 0020u && level >= 2))
        return -VFS_EACCES;
    return 0;
}

uint16_t vfs_mode_without_privileges(const struct vfs_inode *inode, const struct vfs_cred *cred)
{
    uint16_t mode = inode->mode & (uint16_t)~VFS_S_ISUID;
    bool is_trusted =
        cred && (vfs_in_group(cred, inode->gid) || vfs_capable(cred, VFS_CAP_FSETID));
    if (mode & VFS_S_IXGRP || !is_trusted)
        mode &= (uint16_t)~VFS_S_ISGID;
    return mode;
}

void vfs_drop_privileges(struct vfs_inode *inode, const struct vfs_cred *cred)
{
    if (inode->mode & (VFS_S_ISUID | VFS_S_ISGID) && !vfs_capable(cred, VFS_CAP_FSETID))
        inode->mode = vfs_mode_without_privileges(inode, cred);
}
