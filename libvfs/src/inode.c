#include "inode.h"

#include "data.h"
#include "foreign.h"
#include "memory.h"
#include "tell.h"

static int init_dir(struct umvfs_sb *sb, struct umvfs_inode *inode)
{
    void *mem;
    int err = umvfs_obj_alloc(sb, sizeof(struct umvfs_dir), &mem);
    if (err)
        return err;
    struct umvfs_dir *dir = mem;
    *dir = (struct umvfs_dir){.next_cookie = DIR_COOKIE_FIRST};
    inode->u.dir.dir = dir;
    inode->u.dir.key = umvfs_new_key(sb->vfs);
    return 0;
}

int umvfs_inode_new(struct umvfs_sb *sb, uint32_t mode, struct umvfs_inode **out)
{
    void *mem;
    if (sb->limits.max_inodes && sb->inodes >= sb->limits.max_inodes)
        return -UMVFS_ENOSPC;
    int err = umvfs_obj_alloc(sb, sizeof(struct umvfs_inode), &mem);
    if (err)
        return err;
    struct umvfs_inode *inode = mem;
    *inode = (struct umvfs_inode){.sb = sb, .refs = 1, .mode = (uint16_t)mode};
    if (UMVFS_S_ISDIR(mode))
        err = init_dir(sb, inode);
    if (err) {
        umvfs_obj_free(sb, mem, sizeof(*inode));
        return err;
    }
    inode->ino = sb->next_ino++;
    umvfs_touch_mtime(inode);
    umvfs_set_atime(inode, umvfs_mtime(inode));
    inode->btime = inode->ctime;
    sb->inodes++;
    *out = inode;
    return 0;
}

static void free_contents(struct umvfs_inode *inode)
{
    struct umvfs_sb *sb = inode->sb;
    if (umvfs_is_foreign(inode))
        umvfs_foreign_release(inode);
    else if (umvfs_is_dir(inode))
        umvfs_obj_free(sb, inode->u.dir.dir, sizeof(struct umvfs_dir));
    else if (umvfs_is_link(inode) && inode->u.link.target)
        umvfs_obj_free(sb, inode->u.link.target, (size_t)inode->size + 1u);
    else if (UMVFS_S_ISREG(inode->mode))
        umvfs_data_free(inode);
    umvfs_xattr_free(inode);
}

void umvfs_inode_end(struct umvfs_inode *inode)
{
    struct umvfs_sb *sb = inode->sb;
    free_contents(inode);
    umvfs_obj_free(sb, inode, sizeof(*inode));
    sb->inodes--;
    umvfs_sb_release(sb);
}

/* The embedder's last calls for the inode: none comes after the one that frees its cookie. */
static void part_from_embedder(struct umvfs_inode *inode)
{
    const struct umvfs_config *cfg = &inode->sb->vfs->cfg;
    if (inode->flags & INODE_MAPPED) {
        umvfs_data_unmap(inode, 0, UINT64_MAX);
        inode->flags &= (uint8_t)~INODE_MAPPED;
    }
    umvfs_tell_self(inode, UMVFS_IN_UNMOUNT); /* what has lost its names is not watched any more */
    if (inode->cookie && cfg->inode_free)
        cfg->inode_free(cfg->ctx, inode, inode->cookie);
    inode->cookie = NULL;
}

void umvfs_inode_drop(struct umvfs_inode *inode)
{
    struct umvfs_sb *sb = inode->sb;
    if (--inode->refs > 0)
        return;
    part_from_embedder(inode);
    if (UMVFS_S_ISREG(inode->mode) && umvfs_data_is_large(inode) && umvfs_is_late(sb->vfs)) {
        inode->cookie = sb->vfs->late_inodes;
        sb->vfs->late_inodes = inode;
        return;
    }
    umvfs_inode_end(inode);
}

void umvfs_inode_get(struct umvfs_inode *inode)
{
    inode->refs++;
    inode->sb->vfs->users++;
}

void umvfs_inode_put(struct umvfs_inode *inode)
{
    inode->sb->vfs->users--;
    umvfs_inode_drop(inode);
}

void umvfs_touch_ctime(struct umvfs_inode *inode)
{
    inode->ctime = umvfs_now(inode->sb->vfs);
}

void umvfs_touch_mtime(struct umvfs_inode *inode)
{
    umvfs_stamp(inode, umvfs_now(inode->sb->vfs));
}

void umvfs_stamp(struct umvfs_inode *inode, int64_t now)
{
    inode->ctime = now;
    umvfs_set_mtime(inode, umvfs_time_of(now));
}

uint32_t umvfs_inode_mode(const struct umvfs_inode *inode)
{
    return inode->mode;
}

uint64_t umvfs_inode_size(const struct umvfs_inode *inode)
{
    return inode->size;
}

uint64_t umvfs_inode_number(const struct umvfs_inode *inode)
{
    return inode->ino;
}

uint64_t umvfs_inode_device(const struct umvfs_inode *inode)
{
    return inode->sb->dev;
}

uint64_t umvfs_inode_rdev(const struct umvfs_inode *inode)
{
    return UMVFS_S_ISREG(inode->mode) ? 0 : inode->rdev_or_pages;
}

void *umvfs_inode_cookie(const struct umvfs_inode *inode)
{
    return inode->cookie;
}

void umvfs_inode_set_cookie(struct umvfs_inode *inode, void *cookie)
{
    inode->cookie = cookie;
}

void *umvfs_inode_node(const struct umvfs_inode *inode)
{
    return umvfs_is_foreign(inode) ? inode->u.foreign.node : NULL;
}

const struct umvfs_fs_ops *umvfs_inode_ops(const struct umvfs_inode *inode)
{
    return inode->sb->ops;
}
