#include "foreign.h"

#include "dcache.h"
#include "inode.h"
#include "mount_table.h"

int umvfs_foreign_refresh(struct umvfs_inode *inode, struct umvfs_stat *out)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    struct umvfs_stat st = {0};
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

static int new_inode(struct umvfs_sb *sb, void *node, struct umvfs_inode **out)
{
    void *mem;
    struct umvfs_stat st;
    int err = umvfs_obj_alloc(sb, sizeof(struct umvfs_inode), &mem);
    if (err)
        return err;
    struct umvfs_inode *inode = mem;
    *inode = (struct umvfs_inode){.sb = sb, .refs = 1, .flags = INODE_FOREIGN};
    inode->u.foreign.node = node;
    inode->u.foreign.key = umvfs_new_key(sb->vfs);
    err = umvfs_foreign_refresh(inode, &st);
    if (err) {
        umvfs_obj_free(sb, inode, sizeof(*inode));
        return err;
    }
    sb->inodes++;
    *out = inode;
    return 0;
}

int umvfs_foreign_wrap(struct umvfs_sb *sb, struct umvfs_dentry *parent, const char *name,
                       size_t len, void *node, struct umvfs_dentry **out)
{
    struct umvfs_inode *inode;
    struct umvfs_dentry *dentry;
    int err = umvfs_dentry_new(sb, name, len, &dentry);
    if (err)
        return err;
    err = new_inode(sb, node, &inode);
    if (err) {
        umvfs_dentry_discard(sb, dentry);
        return err;
    }
    dentry->inode = inode;
    dentry->parent = parent ? parent : dentry;
    dentry->flags = DENTRY_FOREIGN | DENTRY_LINKED | (umvfs_is_link(inode) ? DENTRY_SYMLINK : 0u);
    if (parent)
        parent->refs++;
    *out = dentry;
    return 0;
}

/* A kept node that is still there, counted; NULL: there is none, or none any more. */
static struct umvfs_dentry *find_pinned(const struct umvfs_dentry *parent,
                                        const struct umvfs_name *name)
{
    struct umvfs_sb *sb = parent->inode->sb;
    struct umvfs_dentry *pinned = umvfs_table_find(sb->vfs, parent, name);
    if (!pinned)
        return NULL;
    pinned->refs++;
    if (!sb->ops->revalidate || sb->ops->revalidate(sb->fs, pinned->inode->u.foreign.node))
        return pinned;
    umvfs_mount_detach_below(pinned);
    umvfs_table_del(sb->vfs, pinned);
    umvfs_dentry_drop(pinned);
    return NULL;
}

int umvfs_foreign_lookup(struct umvfs_dentry *parent, const struct umvfs_name *name,
                         struct umvfs_dentry **out)
{
    struct umvfs_sb *sb = parent->inode->sb;
    const struct umvfs_fs_ops *ops = sb->ops;
    void *node;
    struct umvfs_dentry *pinned = find_pinned(parent, name);
    if (pinned) {
        *out = pinned;
        return 0;
    }
    int err = ops->lookup(sb->fs, parent->inode->u.foreign.node, name->text, name->len, &node);
    if (err)
        return err;
    err = umvfs_foreign_wrap(sb, parent, name->text, name->len, node, out);
    if (err && ops->put)
        ops->put(sb->fs, node);
    return err;
}

void umvfs_foreign_release(struct umvfs_inode *inode)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (ops && ops->put)
        ops->put(inode->sb->fs, inode->u.foreign.node);
}

void umvfs_foreign_pin(struct umvfs_dentry *dentry)
{
    while (dentry->flags & DENTRY_FOREIGN && dentry->parent != dentry) {
        if (!(dentry->flags & DENTRY_HASHED)) {
            umvfs_dentry_rehash(dentry);
            umvfs_table_add(dentry->inode->sb->vfs, dentry);
        }
        dentry = dentry->parent;
    }
}
