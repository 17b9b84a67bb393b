#include "mount_table.h"

#include "dcache.h"
#include "memory.h"

static void append(struct vfs_mount *mnt)
{
    struct vfs *vfs = mnt->vfs;
    mnt->prev = vfs->last;
    if (vfs->last)
        vfs->last->next = mnt;
    else
        vfs->first = mnt;
    vfs->last = mnt;
    mnt->mounted = 1;
    vfs->mount_count++;
}

static int new_mount(struct vfs_sb *sb, struct vfs_dentry *root, unsigned flags,
                     struct vfs_mount **out)
{
    struct vfs *vfs = sb->vfs;
    if (vfs->mount_count >= VFS_MOUNT_MAX)
        return -VFS_ENOSPC;
    struct vfs_mount *mnt = vfs->cfg.alloc(vfs->cfg.ctx, sizeof(*mnt));
    if (!mnt)
        return -VFS_ENOMEM;
    *mnt = (struct vfs_mount){.vfs = vfs, .sb = sb, .root = root, .refs = 1, .flags = flags};
    sb->mounts++;
    root->refs++;
    *out = mnt;
    return 0;
}

int vfs_mount_attach_first(struct vfs *vfs, struct vfs_sb *sb)
{
    struct vfs_mount *mnt;
    int err = new_mount(sb, sb->root, 0, &mnt);
    if (!err)
        append(mnt);
    return err;
}

int vfs_mount_attach(struct vfs_sb *sb, struct vfs_dentry *root, const struct vfs_path *point,
                     unsigned flags, struct vfs_mount **out)
{
    struct vfs_mount *mnt;
    int err = new_mount(sb, root, flags, &mnt);
    if (err)
        return err;
    mnt->parent = point->mnt;
    mnt->point = point->dentry;
    vfs_place_hold(mnt->parent, mnt->point);
    mnt->point->flags |= DENTRY_MOUNTED;
    append(mnt);
    *out = mnt;
    return 0;
}

static bool is_point(const struct vfs *vfs, const struct vfs_dentry *dentry)
{
    for (const struct vfs_mount *mnt = vfs->first; mnt; mnt = mnt->next) {
        if (mnt->point == dentry)
            return true;
    }
    return false;
}

void vfs_mount_detach(struct vfs_mount *mnt)
{
    struct vfs *vfs = mnt->vfs;
    *(mnt->prev ? &mnt->prev->next : &vfs->first) = mnt->next;
    *(mnt->next ? &mnt->next->prev : &vfs->last) = mnt->prev;
    mnt->mounted = 0;
    vfs->mount_count--;
    if (mnt->parent) {
        if (!is_point(vfs, mnt->point))
            mnt->point->flags &= (uint8_t)~DENTRY_MOUNTED;
        vfs_place_drop(mnt->parent, mnt->point);
        mnt->parent = NULL;
        mnt->point = NULL;
    }
    vfs_mount_drop(mnt);
}

void vfs_mount_detach_all(struct vfs *vfs)
{
    while (vfs->last)
        vfs_mount_detach(vfs->last);
}

struct vfs_mount *vfs_mount_find(const struct vfs_mount *parent, const struct vfs_dentry *point)
{
    struct vfs_mount *mnt = parent->vfs->last;
    while (mnt && (mnt->point != point || mnt->parent != parent))
        mnt = mnt->prev;
    return mnt;
}

void vfs_mount_free(struct vfs_mount *mnt)
{
    struct vfs *vfs = mnt->vfs;
    struct vfs_sb *sb = mnt->sb;
    vfs_dentry_drop(mnt->root);
    vfs->cfg.free(vfs->cfg.ctx, mnt, sizeof(*mnt));
    if (--sb->mounts == 0)
        vfs_sb_kill(sb);
}
