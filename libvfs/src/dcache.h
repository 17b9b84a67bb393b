/* Names: dentries and the index that finds them by directory and name. The index is one hash table
 * for the instance, which grows and shrinks by one bucket at a time (linear hashing) over pieces of
 * one page, so that no operation ever pays for a whole table and no piece is larger than
 * VFS_OBJECT_MAX. If a piece cannot be allocated the table stays as it is: only slower. */
#ifndef VFS_DCACHE_H
#define VFS_DCACHE_H

#include "core.h"

int vfs_table_init(struct vfs *vfs);
void vfs_table_free(struct vfs *vfs);

/* A name as it is looked for: hashed for a directory, and its first bytes as words, so that a short
 * name is compared in three steps. */
struct vfs_name {
    const char *text;
    size_t len;
    uint32_t hash;
    uint64_t word[3]; /* zero-padded */
};

/* Scans the component that text starts with, up to a slash or NUL, for a directory. */
struct vfs_name vfs_name_scan(const struct vfs_dentry *dir, const char *text);
/* The same for exactly len bytes. */
struct vfs_name vfs_name_of(const struct vfs_dentry *dir, const char *text, size_t len);

/* A dentry with one reference, without parent and inode. -VFS_ENOSPC, -VFS_ENOMEM. */
int vfs_dentry_new(struct vfs_sb *sb, const char *name, size_t len, struct vfs_dentry **out);
/* Frees a dentry that never got a parent or an inode. */
void vfs_dentry_discard(struct vfs_sb *sb, struct vfs_dentry *dentry);
/* Drops a reference; the last one lets go of name, inode and parent. */
void vfs_dentry_drop(struct vfs_dentry *dentry);

static inline const char *vfs_dentry_name(const struct vfs_dentry *dentry)
{
    return dentry->name_len > sizeof(dentry->name.near) ? dentry->name.far : dentry->name.near;
}

/* The child of that name, or NULL; no reference. */
struct vfs_dentry *vfs_table_find(struct vfs *vfs, const struct vfs_dentry *parent,
                                  const struct vfs_name *name);
/* The same for a name that was not scanned. */
struct vfs_dentry *vfs_find(struct vfs *vfs, const struct vfs_dentry *parent, const char *text,
                            size_t len);

/* Computes the hash anew, after name or parent have changed. */
void vfs_dentry_rehash(struct vfs_dentry *dentry);
/* Adds a dentry whose hash is right. */
void vfs_table_add(struct vfs *vfs, struct vfs_dentry *dentry);
void vfs_table_del(struct vfs *vfs, struct vfs_dentry *dentry);

/* A name buffer for vfs_dentry_rename: NULL if the name is short enough to need none. */
int vfs_name_prepare(struct vfs_sb *sb, const char *name, size_t len, char **far);
/* Gives an unhashed dentry another name; far is from vfs_name_prepare. */
void vfs_dentry_rename(struct vfs_sb *sb, struct vfs_dentry *dentry, const char *name, size_t len,
                       char *far);
/* Swaps the names of two unhashed dentries. */
void vfs_dentry_swap_names(struct vfs_dentry *a, struct vfs_dentry *b);

#endif
