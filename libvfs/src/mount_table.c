#include "mount_table.h"

#include "dcache.h"
#include "memory.h"

/* Into the list, and out of it. */
static void append(struct umvfs_mount *mnt)
{
    struct umvfs *vfs = mnt->vfs;
    mnt->next = NULL;
    mnt->prev = vfs->last;
    *(vfs->last ? &vfs->last->next : &vfs->first) = mnt;
    vfs->last = mnt;
    mnt->mounted = 1;
    vfs->mount_count++;
}

static void unlink(struct umvfs_mount *mnt)
{
    struct umvfs *vfs = mnt->vfs;
    *(mnt->prev ? &mnt->prev->next : &vfs->first) = mnt->next;
    *(mnt->next ? &mnt->next->prev : &vfs->last) = mnt->prev;
    mnt->mounted = 0;
    vfs->mount_count--;
}

static int new_mount(struct umvfs_sb *sb, struct umvfs_dentry *root, unsigned flags,
                     struct umvfs_mount **out)
{
    struct umvfs *vfs = sb->vfs;
    if (vfs->mount_count >= UMVFS_MOUNT_MAX)
        return -UMVFS_ENOSPC;
    struct umvfs_mount *mnt = vfs->cfg.alloc(vfs->cfg.ctx, sizeof(*mnt));
    if (!mnt)
        return -UMVFS_ENOMEM;
    *mnt = (struct umvfs_mount){.vfs = vfs, .sb = sb, .root = root, .refs = 1, .flags = flags};
    sb->mounts++;
    root->refs++;
    *out = mnt;
    return 0;
}

int umvfs_mount_attach_first(struct umvfs *vfs, struct umvfs_sb *sb)
{
    (void)vfs;
    struct umvfs_mount *mnt;
    int err = new_mount(sb, sb->root, 0, &mnt);
    if (!err)
        append(mnt);
    return err;
}

static void enter_point(struct umvfs_mount *mnt, const struct umvfs_path *point)
{
    mnt->parent = point->mnt;
    mnt->point = point->dentry;
    umvfs_place_hold(mnt->parent, mnt->point);
    mnt->point->flags |= DENTRY_MOUNTED;
}

int umvfs_mount_attach(struct umvfs_sb *sb, struct umvfs_dentry *root,
                       const struct umvfs_path *point, unsigned flags, struct umvfs_mount **out)
{
    struct umvfs_mount *mnt;
    int err = new_mount(sb, root, flags, &mnt);
    if (err)
        return err;
    enter_point(mnt, point);
    append(mnt);
    *out = mnt;
    return 0;
}

static bool is_point(const struct umvfs *vfs, const struct umvfs_dentry *dentry)
{
    for (const struct umvfs_mount *mnt = vfs->first; mnt; mnt = mnt->next) {
        if (mnt->point == dentry)
            return true;
    }
    return false;
}

/* Of a mount that is not in the list. */
static void leave_point(struct umvfs_mount *mnt)
{
    if (!is_point(mnt->vfs, mnt->point))
        mnt->point->flags &= (uint8_t)~DENTRY_MOUNTED;
    umvfs_place_drop(mnt->parent, mnt->point);
    mnt->parent = NULL;
    mnt->point = NULL;
}

void umvfs_mount_detach(struct umvfs_mount *mnt)
{
    unlink(mnt);
    if (mnt->parent)
        leave_point(mnt);
    umvfs_mount_drop(mnt);
}

void umvfs_mount_move(struct umvfs_mount *mnt, const struct umvfs_path *point)
{
    const struct umvfs_mount *last = mnt->vfs->last;
    struct umvfs_mount *at = mnt->next;
    bool more = mnt != last;
    unlink(mnt);
    leave_point(mnt);
    enter_point(mnt, point);
    append(mnt);
    while (more) {
        struct umvfs_mount *next = at->next;
        more = at != last;
        if (umvfs_mount_is_on(at, mnt)) {
            unlink(at);
            append(at);
        }
        at = next;
    }
}

void umvfs_mount_detach_all(struct umvfs *vfs)
{
    while (vfs->last)
        umvfs_mount_detach(vfs->last);
}

bool umvfs_mount_is_on(const struct umvfs_mount *mnt, const struct umvfs_mount *from)
{
    while (mnt && mnt != from)
        mnt = mnt->parent;
    return mnt == from;
}

/* A mount comes after its parent, so that any number of mounts on one place are found in one pass. */
struct umvfs_mount *umvfs_mount_find(const struct umvfs_mount *parent,
                                     const struct umvfs_dentry *point)
{
    struct umvfs_mount *mnt = parent->mounted ? parent->next : NULL;
    while (mnt && (mnt->point != point || mnt->parent != parent))
        mnt = mnt->next;
    return mnt;
}

void umvfs_mount_free(struct umvfs_mount *mnt)
{
    struct umvfs *vfs = mnt->vfs;
    struct umvfs_sb *sb = mnt->sb;
    umvfs_dentry_drop(mnt->root);
    vfs->cfg.free(vfs->cfg.ctx, mnt, sizeof(*mnt));
    if (--sb->mounts == 0)
        umvfs_sb_kill(sb);
}
