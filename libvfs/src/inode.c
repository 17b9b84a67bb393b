#include "inode.h"

#include "data.h"
#include "foreign.h"
#include "memory.h"
#include "xattr.h"

static int init_dir(struct vfs_sb *sb, struct vfs_inode *inode)
{
    void *mem;
    int err = vfs_obj_alloc(sb, sizeof(struct vfs_dir), &mem);
    if (err)
        return err;
    struct vfs_dir *dir = mem;
    *dir = (struct vfs_dir){.next_cookie = DIR_COOKIE_FIRST};
    inode->u.dir.dir = dir;
    inode->u.dir.key = vfs_new_key(sb->vfs);
    return 0;
}

int vfs_inode_new(struct vfs_sb *sb, uint32_t mode, struct vfs_inode **out)
{
    void *mem;
    if (sb->limits.max_inodes && sb->inodes >= sb->limits.max_inodes)
        return -VFS_ENOSPC;
    int err = vfs_obj_alloc(sb, sizeof(struct vfs_inode), &mem);
    if (err)
        return err;
    struct vfs_inode *inode = mem;
    *inode = (struct vfs_inode){.sb = sb, .refs = 1, .mode = (uint16_t)mode};
    if (VFS_S_ISDIR(mode))
        err = init_dir(sb, inode);
    if (err) {
        vfs_obj_free(sb, mem, sizeof(*inode));
        return err;
    }
    inode->ino = sb->next_ino++;
    vfs_touch_mtime(inode);
    vfs_set_atime(inode, vfs_mtime(inode));
    sb->inodes++;
    *out = inode;
    return 0;
}

static void free_contents(struct vfs_inode *inode)
{
    struct vfs_sb *sb = inode->sb;
    if (vfs_is_foreign(inode))
        vfs_foreign_release(inode);
    else if (vfs_is_dir(inode))
        vfs_obj_free(sb, inode->u.dir.dir, sizeof(struct vfs_dir));
    else if (vfs_is_link(inode) && inode->u.link.target)
        vfs_obj_free(sb, inode->u.link.target, (size_t)inode->size + 1u);
    else if (VFS_S_ISREG(inode->mode))
        vfs_data_free(inode);
    vfs_xattr_free(inode);
}

void vfs_inode_end(struct vfs_inode *inode)
{
    struct vfs_sb *sb = inode->sb;
    free_contents(inode);
    vfs_obj_free(sb, inode, sizeof(*inode));
    sb->inodes--;
    vfs_sb_release(sb);
}

void vfs_inode_drop(struct vfs_inode *inode)
{
    struct vfs_sb *sb = inode->sb;
    if (--inode->refs > 0)
        return;
    if (inode->cookie && sb->vfs->cfg.inode_free)
        sb->vfs->cfg.inode_free(sb->vfs->cfg.ctx, inode, inode->cookie);
    if (VFS_S_ISREG(inode->mode) && vfs_data_is_large(inode) && vfs_is_late(sb->vfs)) {
        vfs_data_unmap(inode, 0, UINT64_MAX);
        inode->cookie = sb->vfs->late_inodes;
        sb->vfs->late_inodes = inode;
        return;
    }
    vfs_inode_end(inode);
}

void vfs_inode_get(struct vfs_inode *inode)
{
    inode->refs++;
    inode->sb->vfs->users++;
}

void vfs_inode_put(struct vfs_inode *inode)
{
    inode->sb->vfs->users--;
    vfs_inode_drop(inode);
}

void vfs_touch_ctime(struct vfs_inode *inode)
{
    inode->ctime = vfs_now(inode->sb->vfs);
}

void vfs_touch_mtime(struct vfs_inode *inode)
{
    vfs_stamp(inode, vfs_now(inode->sb->vfs));
}

void vfs_stamp(struct vfs_inode *inode, int64_t now)
{
    inode->ctime = now;
    vfs_set_mtime(inode, vfs_time_of(now));
}

uint32_t vfs_inode_mode(const struct vfs_inode *inode)
{
    return inode->mode;
}

uint64_t vfs_inode_size(const struct vfs_inode *inode)
{
    return inode->size;
}

uint64_t vfs_inode_number(const struct vfs_inode *inode)
{
    return inode->ino;
}

uint64_t vfs_inode_device(const struct vfs_inode *inode)
{
    return inode->sb->dev;
}

uint64_t vfs_inode_rdev(const struct vfs_inode *inode)
{
    return VFS_S_ISREG(inode->mode) ? 0 : inode->rdev_or_pages;
}

void *vfs_inode_cookie(const struct vfs_inode *inode)
{
    return inode->cookie;
}

void vfs_inode_set_cookie(struct vfs_inode *inode, void *cookie)
{
    inode->cookie = cookie;
}

void *vfs_inode_node(const struct vfs_inode *inode)
{
    return vfs_is_foreign(inode) ? inode->u.foreign.node : NULL;
}

const struct vfs_fs_ops *vfs_inode_ops(const struct vfs_inode *inode)
{
    return inode->sb->ops;
}
