/* Tells the embedder what has happened to inodes that it watches (umvfs_config.event). Where none is
 * watched this costs a test of the flags of the inodes that take part. */
#ifndef UMVFS_TELL_H
#define UMVFS_TELL_H

#include "walk.h"

/* One event of a watched inode. name NULL: about the inode itself. */
void umvfs_tell(const struct umvfs_inode *inode, uint32_t mask, const char *name, size_t len);

/* UMVFS_IN_ISDIR for what is about a directory. */
static inline uint32_t umvfs_event_type(const struct umvfs_inode *inode)
{
    return UMVFS_S_ISDIR(inode->mode) ? UMVFS_IN_ISDIR : 0;
}

static inline bool umvfs_is_watched(const struct umvfs_inode *inode)
{
    return inode->flags & INODE_WATCHED;
}

static inline void umvfs_tell_self(const struct umvfs_inode *inode, uint32_t mask)
{
    if (umvfs_is_watched(inode))
        umvfs_tell(inode, mask | umvfs_event_type(inode), NULL, 0);
}

/* A name, which is not in the tree or whose file system ends, is freed. Linux tells of the end of an
 * inode that has no name left when it frees any of its names, not when it frees the inode. */
static inline void umvfs_tell_name_gone(const struct umvfs_inode *inode)
{
    if (umvfs_is_watched(inode) && inode->nlink == 0)
        umvfs_tell(inode,
                   inode->sb->mounts ? UMVFS_IN_DELETE_SELF
                                     : UMVFS_IN_UNMOUNT | umvfs_event_type(inode),
                   NULL, 0);
}

/* About an entry of a directory. */
static inline void umvfs_tell_entry(const struct umvfs_inode *dir, uint32_t mask, const char *name,
                                    size_t len)
{
    if (umvfs_is_watched(dir))
        umvfs_tell(dir, mask, name, len);
}

/* About the inode behind a name: its directory, and then itself. */
void umvfs_tell_place_watched(const struct umvfs_dentry *dentry, uint32_t mask, bool is_file);

static inline void umvfs_tell_place(const struct umvfs_dentry *dentry, uint32_t mask)
{
    if (umvfs_is_watched(dentry->inode) || umvfs_is_watched(dentry->parent->inode))
        umvfs_tell_place_watched(dentry, mask, false);
}

/* A file got a new size; with set-user-id bits it may have lost these of its mode before. */
static inline void umvfs_tell_resized(const struct umvfs_dentry *dentry, uint16_t mode_before)
{
    bool same = dentry->inode->mode == mode_before;
    umvfs_tell_place(dentry, same ? UMVFS_IN_MODIFY : UMVFS_IN_MODIFY | UMVFS_IN_ATTRIB);
}

/* Both names of a move, told after it: what was `moved` from one directory to the other. `replaced`
 * has lost a name by it, or is NULL. */
void umvfs_tell_move(const struct umvfs_walk *from, const struct umvfs_walk *to,
                     const struct umvfs_inode *moved, const struct umvfs_inode *replaced);

#endif
