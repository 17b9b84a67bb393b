#include "dir.h"

#include "dcache.h"
#include "inode.h"
#include "radix.h"

int vfs_dir_prepare(struct vfs_inode *inode, const struct vfs_name *name, struct vfs_dentry **out)
{
    struct vfs_dir *dir = inode->u.dir.dir;
    struct vfs_dentry *dentry;
    if (dir->next_cookie > DIR_COOKIE_MAX || dir->count == UINT32_MAX)
        return -VFS_ENOSPC;
    int err = vfs_dentry_new(inode->sb, name->text, name->len, &dentry);
    if (err)
        return err;
    err = vfs_radix_reserve(inode->sb, &dir->order, RADIX_DIR_BITS, dir->next_cookie);
    if (err) {
        vfs_dentry_discard(inode->sb, dentry);
        return err;
    }
    dentry->hash = name->hash;
    *out = dentry;
    return 0;
}

void vfs_dir_add(struct vfs_dentry *parent, struct vfs_dentry *dentry, struct vfs_inode *inode)
{
    struct vfs_dir *dir = parent->inode->u.dir.dir;
    dentry->parent = parent;
    parent->refs++;
    dentry->inode = inode;
    dentry->cookie = dir->next_cookie & DIR_COOKIE_MAX;
    dentry->flags |= DENTRY_LINKED | (vfs_is_link(inode) ? DENTRY_SYMLINK : 0u);
    vfs_radix_set(&dir->order, RADIX_DIR_BITS, dir->next_cookie, dentry);
    dir->next_cookie++;
    dir->count++;
    vfs_table_add(inode->sb->vfs, dentry);
}

void vfs_dir_remove(struct vfs_dentry *dentry)
{
    struct vfs_inode *parent = dentry->parent->inode;
    struct vfs_dir *dir = parent->u.dir.dir;
    vfs_radix_clear(parent->sb, &dir->order, RADIX_DIR_BITS, dentry->cookie);
    dir->count--;
    vfs_table_del(parent->sb->vfs, dentry);
    dentry->flags &= (uint8_t)~DENTRY_LINKED;
    dentry->flags |= DENTRY_DEAD;
    vfs_dentry_drop(dentry);
}

struct vfs_dentry *vfs_dir_next(const struct vfs_inode *dir, uint64_t *cookie)
{
    return vfs_radix_next(&dir->u.dir.dir->order, RADIX_DIR_BITS, cookie);
}

/* Takes one entry without children out of the tree. */
static void bury(struct vfs_dentry *dentry)
{
    struct vfs_inode *inode = dentry->inode;
    if (vfs_is_dir(inode)) {
        inode->nlink = 0;
        inode->flags |= INODE_DEAD;
        dentry->parent->inode->nlink--;
    } else {
        inode->nlink--;
    }
    vfs_dir_remove(dentry);
}

bool vfs_dir_empty(struct vfs_dentry *root, size_t *budget)
{
    struct vfs_dentry *at = root;
    for (; *budget > 0; --*budget) {
        uint64_t cookie = 0;
        struct vfs_dentry *child = vfs_dir_next(at->inode, &cookie);
        if (child && vfs_is_dir(child->inode) && !vfs_dir_is_empty(child->inode)) {
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
