#include "perm.h"

#include "inode.h"

bool umvfs_in_group(const struct umvfs_cred *cred, uint32_t gid)
{
    if (cred->gid == gid)
        return true;
    for (uint32_t i = 0; i < cred->group_count; i++) {
        if (cred->groups[i] == gid)
            return true;
    }
    return false;
}

static bool mode_allows(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                        uint32_t mask)
{
    uint32_t bits = inode->mode;
    if (cred->uid == inode->uid)
        bits >>= 6;
    else if (inode->flags & INODE_ACL && bits & 0070u) /* else the mode decides, as in Linux */
        return umvfs_acl_allows(inode, cred, mask & 7u);
    else if (umvfs_in_group(cred, inode->gid))
        bits >>= 3;
    return (mask & ~bits & 7u) == 0;
}

static bool caps_allow(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                       uint32_t mask)
{
    bool search = umvfs_capable(cred, UMVFS_CAP_DAC_READ_SEARCH);
    bool override = umvfs_capable(cred, UMVFS_CAP_DAC_OVERRIDE);
    if (umvfs_is_dir(inode))
        return override || (search && !(mask & UMVFS_MAY_WRITE));
    if (search && mask == UMVFS_MAY_READ)
        return true;
    return override && (!(mask & UMVFS_MAY_EXEC) || inode->mode & 0111u);
}

int umvfs_permission(const struct umvfs_inode *inode, const struct umvfs_cred *cred, uint32_t mask)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    bool is_content =
        UMVFS_S_ISREG(inode->mode) || UMVFS_S_ISLNK(inode->mode) || umvfs_is_dir(inode);
    if (mask & UMVFS_MAY_WRITE && inode->sb->is_readonly && is_content)
        return -UMVFS_EROFS;
    if (ops && ops->permission)
        return ops->permission(inode->sb->fs, umvfs_inode_node(inode), cred, mask);
    return mode_allows(inode, cred, mask) || caps_allow(inode, cred, mask) ? 0 : -UMVFS_EACCES;
}

int umvfs_may_create(const struct umvfs_inode *dir, const struct umvfs_cred *cred)
{
    if (dir->flags & INODE_DEAD)
        return -UMVFS_ENOENT;
    return umvfs_permission(dir, cred, UMVFS_MAY_WRITE | UMVFS_MAY_EXEC);
}

int umvfs_may_delete(const struct umvfs_inode *dir, const struct umvfs_inode *victim,
                     const struct umvfs_cred *cred, bool as_dir)
{
    int err = umvfs_permission(dir, cred, UMVFS_MAY_WRITE | UMVFS_MAY_EXEC);
    if (err)
        return err;
    if (dir->mode & UMVFS_S_ISVTX && cred->uid != victim->uid && cred->uid != dir->uid &&
        !umvfs_capable(cred, UMVFS_CAP_FOWNER))
        return -UMVFS_EPERM;
    if (as_dir && !umvfs_is_dir(victim))
        return -UMVFS_ENOTDIR;
    if (!as_dir && umvfs_is_dir(victim))
        return -UMVFS_EISDIR;
    return 0;
}

int umvfs_may_follow(const struct umvfs_inode *dir, const struct umvfs_inode *link,
                     const struct umvfs_cred *cred)
{
    const uint32_t shared = UMVFS_S_ISVTX | 0002u;
    if (!dir->sb->vfs->cfg.protected_symlinks || cred->uid == link->uid ||
        (dir->mode & shared) != shared || dir->uid == link->uid)
        return 0;
    return -UMVFS_EACCES;
}

/* A source that its owner would not mind being linked to by anybody who can read and write it. */
static bool safe_source(const struct umvfs_inode *inode, const struct umvfs_cred *cred)
{
    const uint32_t setgid = UMVFS_S_ISGID | UMVFS_S_IXGRP;
    return UMVFS_S_ISREG(inode->mode) && !(inode->mode & UMVFS_S_ISUID) &&
           (inode->mode & setgid) != setgid &&
           umvfs_permission(inode, cred, UMVFS_MAY_READ | UMVFS_MAY_WRITE) == 0;
}

int umvfs_may_link(const struct umvfs_inode *inode, const struct umvfs_cred *cred)
{
    if (!inode->sb->vfs->cfg.protected_hardlinks || safe_source(inode, cred) ||
        umvfs_owns(inode, cred))
        return 0;
    return -UMVFS_EPERM;
}

int umvfs_may_open_sticky(const struct umvfs_inode *dir, const struct umvfs_inode *inode,
                          const struct umvfs_cred *cred)
{
    const struct umvfs_config *cfg = &dir->sb->vfs->cfg;
    /* The rules can only be switched off for these two. */
    unsigned level = UMVFS_S_ISFIFO(inode->mode)  ? cfg->protected_fifos
                     : UMVFS_S_ISREG(inode->mode) ? cfg->protected_regular
                                                  : 1;
    if (level == 0 || !(dir->mode & UMVFS_S_ISVTX) || inode->uid == dir->uid ||
        inode->uid == cred->uid)
        return 0;
    if (dir->mode & 0002u || (dir->mode & 0020u && level >= 2))
        return -UMVFS_EACCES;
    return 0;
}

uint16_t umvfs_mode_without_privileges(const struct umvfs_inode *inode,
                                       const struct umvfs_cred *cred)
{
    uint16_t mode = inode->mode & (uint16_t)~UMVFS_S_ISUID;
    bool is_trusted =
        cred && (umvfs_in_group(cred, inode->gid) || umvfs_capable(cred, UMVFS_CAP_FSETID));
    if (mode & UMVFS_S_IXGRP || !is_trusted)
        mode &= (uint16_t)~UMVFS_S_ISGID;
    return mode;
}

void umvfs_drop_privileges(struct umvfs_inode *inode, const struct umvfs_cred *cred)
{
    if (inode->xattrs)
        umvfs_xattr_drop_capability(inode);
    if (inode->mode & (UMVFS_S_ISUID | UMVFS_S_ISGID) && !umvfs_capable(cred, UMVFS_CAP_FSETID))
        inode->mode = umvfs_mode_without_privileges(inode, cred);
}
