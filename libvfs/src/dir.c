#include "dir.h"

#include "dcache.h"
#include "inode.h"
#include "radix.h"

int umvfs_dir_prepare(struct umvfs_inode *inode, const struct umvfs_name *name,
                      struct umvfs_dentry **out)
{
    struct umvfs_dir *dir = inode->u.dir.dir;
    struct umvfs_dentry *dentry;
    if (dir->next_cookie > DIR_COOKIE_MAX || dir->count == UINT32_MAX)
        return -UMVFS_ENOSPC;
    int err = umvfs_dentry_new(inode->sb, name->text, name->len, &dentry);
    if (err)
        return err;
    err = umvfs_radix_reserve(inode->sb, &dir->order, RADIX_DIR_BITS, dir->next_cookie);
    if (err) {
        umvfs_dentry_discard(inode->sb, dentry);
        return err;
    }
    dentry->hash = name->hash;
    *out = dentry;
    return 0;
}

void umvfs_dir_add(struct umvfs_dentry *parent, struct umvfs_dentry *dentry,
                   struct umvfs_inode *inode)
{
    struct umvfs_dir *dir = parent->inode->u.dir.dir;
    dentry->parent = parent;
    parent->refs++;
    dentry->inode = inode;
    dentry->cookie = dir->next_cookie & DIR_COOKIE_MAX;
    dentry->flags |= DENTRY_LINKED | (umvfs_is_link(inode) ? DENTRY_SYMLINK : 0u);
    umvfs_radix_set(&dir->order, RADIX_DIR_BITS, dir->next_cookie, dentry);
    dir->next_cookie++;
    dir->count++;
    umvfs_table_add(inode->sb->vfs, dentry);
}

void umvfs_dir_remove(struct umvfs_dentry *dentry)
{
    struct umvfs_inode *parent = dentry->parent->inode;
    struct umvfs_dir *dir = parent->u.dir.dir;
    umvfs_radix_clear(parent->sb, &dir->order, RADIX_DIR_BITS, dentry->cookie);
    dir->count--;
    umvfs_table_del(parent->sb->vfs, dentry);
    dentry->flags &= (uint8_t)~DENTRY_LINKED;
    dentry->flags |= DENTRY_DEAD;
    umvfs_dentry_drop(dentry);
}

struct umvfs_dentry *umvfs_dir_next(const struct umvfs_inode *dir, uint64_t *cookie)
{
    return umvfs_radix_next(&dir->u.dir.dir->order, RADIX_DIR_BITS, cookie);
}

/* Takes one entry without children out of the tree. */
static void bury(struct umvfs_dentry *dentry)
{
    struct umvfs_inode *inode = dentry->inode;
    if (umvfs_is_dir(inode)) {
        inode->nlink = 0;
        inode->flags |= INODE_DEAD;
        dentry->parent->inode->nlink--;
    } else {
        inode->nlink--;
    }
    umvfs_dir_remove(dentry);
}

bool umvfs_dir_empty(struct umvfs_dentry *root, size_t *budget)
{
    struct umvfs_dentry *at = root;
    for (; *budget > 0; --*budget) {
        uint64_t cookie = 0;
        struct umvfs_dentry *child = umvfs_dir_next(at->inode, &cookie);
        if (child && umvfs_is_dir(child->inode) && !umvfs_dir_is_empty(child->inode)) {
            at = child;
        } else if (child) {
            bury(child);
        } else if (at != root) {
            at = at->parent;
        } else {
            return true;
        }
    }
    return false;
}
