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

/* Whether anybody may search: a directory of the library's own with all its x bits and no ACL. */
static inline bool umvfs_all_may_search(const struct umvfs_inode *dir)
{
    return (dir->mode & (UMVFS_S_IFMT | 0111u)) == (UMVFS_S_IFDIR | 0111u) &&
           !(dir->flags & (INODE_FOREIGN | INODE_ACL));
}

/* Search permission: the common case decided inline. */
static inline int umvfs_may_search(const struct umvfs_inode *dir, const struct umvfs_cred *cred)
{
    if ((dir->mode & 0111u) == 0111u && !(dir->flags & (INODE_FOREIGN | INODE_ACL)))
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

/* POSIX ACLs, as acl(5) and Linux's tmpfs have them: two extended attributes, in the form of Linux's
 * <linux/posix_acl_xattr.h>. An access ACL decides instead of the mode, whose group bits are its mask;
 * INODE_ACL says that there is one. One that says no more than a mode is not kept. The default ACL of a
 * directory is what new objects in it get (INODE_DEFAULT_ACL). */
enum acl_type { ACL_NONE, ACL_ACCESS, ACL_DEFAULT };

#ifndef UMVFS_WITHOUT_ACL
/* Which of the two an attribute's name is. */
enum acl_type umvfs_acl_type(const char *name, size_t len);

/* Whether these bytes are an ACL. */
bool umvfs_acl_is_valid(const void *value, size_t size);

/* Whether the access ACL, which there is, grants all of `wanted` (UMVFS_MAY_*) to somebody who is not the owner. */
bool umvfs_acl_allows(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                      uint32_t wanted);

/* Sets an ACL, or removes it (size 0, or no entries), with the errors of umvfs_setxattr() in Linux's order. */
int umvfs_acl_set(struct umvfs_inode *inode, const struct umvfs_cred *cred, enum acl_type type,
                  const void *value, size_t size);

/* After a change of the mode: the access ACL, which there is, says the same. */
void umvfs_acl_follow_mode(struct umvfs_inode *inode);

/* Gives a new inode, whose mode is as asked for and without the umask, what the default ACL of `dir` says.
 * -UMVFS_ENOSPC, -UMVFS_ENOMEM. */
int umvfs_acl_inherit(const struct umvfs_inode *dir, struct umvfs_inode *inode);

/* Makes ACLs among attributes that an import has given the inode count; the mode becomes what they say. False: such
 * an object cannot have one of them. */
bool umvfs_acl_adopt(struct umvfs_inode *inode);

#else
static inline enum acl_type umvfs_acl_type(const char *name, size_t len)
{
    (void)name, (void)len;
    return ACL_NONE;
}

static inline bool umvfs_acl_is_valid(const void *value, size_t size)
{
    (void)value, (void)size;
    return false;
}

static inline bool umvfs_acl_allows(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                                    uint32_t wanted)
{
    (void)inode, (void)cred, (void)wanted;
    return false;
}

static inline int umvfs_acl_set(struct umvfs_inode *inode, const struct umvfs_cred *cred,
                                enum acl_type type, const void *value, size_t size)
{
    (void)inode, (void)cred, (void)type, (void)value, (void)size;
    return -UMVFS_EOPNOTSUPP;
}

static inline void umvfs_acl_follow_mode(struct umvfs_inode *inode)
{
    (void)inode;
}

static inline int umvfs_acl_inherit(const struct umvfs_inode *dir, struct umvfs_inode *inode)
{
    (void)dir, (void)inode;
    return 0;
}

static inline bool umvfs_acl_adopt(struct umvfs_inode *inode)
{
    (void)inode;
    return true;
}
#endif

#endif
