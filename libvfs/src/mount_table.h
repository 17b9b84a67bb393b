/* The mounts of an instance. A mount is attached (in the list, one reference for being so) or
 * detached and alive as long as users hold it. */
#ifndef VFS_MOUNT_TABLE_H
#define VFS_MOUNT_TABLE_H

#include "dcache.h"

/* The first mount of an instance, of sb's root. */
int vfs_mount_attach_first(struct vfs *vfs, struct vfs_sb *sb);

/* A mount of `root` (in sb), attached at mount point `point` of `parent`. -VFS_ENOSPC:
 * VFS_MOUNT_MAX; -VFS_ENOMEM. */
int vfs_mount_attach(struct vfs_sb *sb, struct vfs_dentry *root, const struct vfs_path *point,
                     unsigned flags, struct vfs_mount **out);
/* Takes a mount out of the tree and drops the tree's reference. */
void vfs_mount_detach(struct vfs_mount *mnt);
void vfs_mount_detach_all(struct vfs *vfs);

/* The mount whose mount point is this place, or NULL; no reference. */
struct vfs_mount *vfs_mount_find(const struct vfs_mount *parent, const struct vfs_dentry *point);

/* What dropping the last reference does. */
void vfs_mount_free(struct vfs_mount *mnt);

static inline void vfs_mount_drop(struct vfs_mount *mnt)
{
    if (--mnt->refs == 0)
        vfs_mount_free(mnt);
}

/* References on a place that are the library's own. */
static inline void vfs_place_hold(struct vfs_mount *mnt, struct vfs_dentry *dentry)
{
    mnt->refs++;
    dentry->refs++;
}
static inline void vfs_place_drop(struct vfs_mount *mnt, struct vfs_dentry *dentry)
{
    vfs_dentry_drop(dentry);
    vfs_mount_drop(mnt);
}

/* Follows mount points from a place to the root of the topmost mount there. */
static inline void vfs_mount_cross(struct vfs_mount **mnt, struct vfs_dentry **dentry)
{
    while ((*dentry)->flags & DENTRY_MOUNTED) {
        struct vfs_mount *on_top = vfs_mount_find(*mnt, *dentry);
        if (!on_top)
            return;
        *mnt = on_top;
        *dentry = on_top->root;
    }
}

#endif
