#include "foreign.h"

#include "dcache.h"
#include "inode.h"

int vfs_foreign_refresh(struct vfs_inode *inode, struct vfs_stat *out)
{
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    struct vfs_stat st = {0};
    int err = ops->getattr(inode->sb->fs, inode->u.foreign.node, &st);
    if (err)
        return err;
    st.dev = inode->sb->dev;
    inode->mode = (uint16_t)st.mode;
    inode->uid = st.uid;
    inode->gid = st.gid;
    inode->ino = st.ino;
    inode->size = st.size;
    inode->nlink = st.nlink;
    inode->rdev_or_pages = st.rdev;
    *out = st;
    return 0;
}

static int new_inode(struct vfs_sb *sb, void *node, struct vfs_inode **out)
{
    void *mem;
    struct vfs_stat st;
    int err = vfs_obj_alloc(sb, sizeof(struct vfs_inode), &mem);
    if (err)
        return err;
    struct vfs_inode *inode = mem;
    *inode = (struct vfs_inode){.sb = sb, .refs = 1, .flags = INODE_FOREIGN};
    inode->u.foreign.node = node;
    inode->u.foreign.key = vfs_new_key(sb->vfs);
    err = vfs_foreign_refresh(inode, &st);
    if (err) {
        vfs_obj_free(sb, inode, sizeof(*inode));
        return err;
    }
    sb->inodes++;
    *out = inode;
    return 0;
}

int vfs_foreign_wrap(struct vfs_sb *sb, struct vfs_dentry *parent, const char *name, size_t len,
                     void *node, struct vfs_dentry **out)
{
    struct vfs_inode *inode;
    struct vfs_dentry *dentry;
    int err = vfs_dentry_new(sb, name, len, &dentry);
    if (err)
        return err;
    err = new_inode(sb, node, &inode);
    if (err) {
        vfs_dentry_discard(sb, dentry);
        return err;
    }
    dentry->inode = inode;
    dentry->parent = parent ? parent : dentry;
    dentry->flags = DENTRY_FOREIGN | DENTRY_LINKED | (vfs_is_link(inode) ? DENTRY_SYMLINK : 0u);
    if (parent)
        parent->refs++;
    *out = dentry;
    return 0;
}

int vfs_foreign_lookup(struct vfs_dentry *parent, const struct vfs_name *name,
                       struct vfs_dentry **out)
{
    struct vfs_sb *sb = parent->inode->sb;
    const struct vfs_fs_ops *ops = sb->ops;
    void *node;
    struct vfs_dentry *pinned = vfs_table_find(sb->vfs, parent, name);
    if (pinned) {
        pinned->refs++;
        *out = pinned;
        return 0;
    }
    int err = ops->lookup(sb->fs, parent->inode->u.foreign.node, name->text, name->len, &node);
    if (err)
        return err;
    err = vfs_foreign_wrap(sb, parent, name->text, name->len, node, out);
    if (err && ops->put)
        ops->put(sb->fs, node);
    return err;
}

void vfs_foreign_release(struct vfs_inode *inode)
{
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (ops && ops->put)
        ops->put(inode->sb->fs, inode->u.foreign.node);
}

void vfs_foreign_pin(struct vfs_dentry *dentry)
{
    while (dentry->flags & DENTRY_FOREIGN && dentry->parent != dentry) {
        if (!(dentry->flags & DENTRY_HASHED)) {
            vfs_dentry_rehash(dentry);
            vfs_table_add(dentry->inode->sb->vfs, dentry);
        }
        dentry = dentry->parent;
    }
}
