/* The mounts of an instance. A mount is attached (in the list, one reference for being so) or
 * detached and alive as long as users hold it. */
#ifndef UMVFS_MOUNT_TABLE_H
#define UMVFS_MOUNT_TABLE_H

#include "dcache.h"

/* The first mount of an instance, of sb's root. */
int umvfs_mount_attach_first(struct umvfs *vfs, struct umvfs_sb *sb);

/* A mount of `root` (in sb), attached at mount point `point` of `parent`. -UMVFS_ENOSPC:
 * UMVFS_MOUNT_MAX; -UMVFS_ENOMEM. */
int umvfs_mount_attach(struct umvfs_sb *sb, struct umvfs_dentry *root,
                       const struct umvfs_path *point, unsigned flags, struct umvfs_mount **out);
/* Moves a mount that has a parent to another mount point, and all that is on it. In the list they come last then, so
 * that a mount still comes after its parent. The caller holds the new place. */
void umvfs_mount_move(struct umvfs_mount *mnt, const struct umvfs_path *point);
/* Takes a mount out of the tree and drops the tree's reference. */
void umvfs_mount_detach(struct umvfs_mount *mnt);
void umvfs_mount_detach_all(struct umvfs *vfs);
/* Detaches the mounts on a place and below it. The caller holds the place. */
void umvfs_mount_detach_below(struct umvfs_dentry *place);

/* Whether a mount is `from`, or on it at any depth. */
bool umvfs_mount_is_on(const struct umvfs_mount *mnt, const struct umvfs_mount *from);

/* The mount whose mount point is this place, or NULL; no reference. */
struct umvfs_mount *umvfs_mount_find(const struct umvfs_mount *parent,
                                     const struct umvfs_dentry *point);

/* What dropping the last reference does. */
void umvfs_mount_free(struct umvfs_mount *mnt);

static inline void umvfs_mount_drop(struct umvfs_mount *mnt)
{
    if (--mnt->refs == 0)
        umvfs_mount_free(mnt);
}

/* References on a place that are the library's own. */
static inline void umvfs_place_hold(struct umvfs_mount *mnt, struct umvfs_dentry *dentry)
{
    mnt->refs++;
    dentry->refs++;
}
static inline void umvfs_place_drop(struct umvfs_mount *mnt, struct umvfs_dentry *dentry)
{
    umvfs_dentry_drop(dentry);
    umvfs_mount_drop(mnt);
}

/* Follows mount points from a place to the root of the topmost mount there. */
static inline void umvfs_mount_cross(struct umvfs_mount **mnt, struct umvfs_dentry **dentry)
{
    while ((*dentry)->flags & DENTRY_MOUNTED) {
        struct umvfs_mount *on_top = umvfs_mount_find(*mnt, *dentry);
        if (!on_top)
            return;
        *mnt = on_top;
        *dentry = on_top->root;
    }
}

#endif
