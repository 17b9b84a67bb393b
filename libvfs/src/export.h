/* The inside of an export: one walk over the tree, and a writer for each format. */
#ifndef VFS_EXPORT_H
#define VFS_EXPORT_H

#include <vfs/archive.h>

#include "core.h"

struct export
{
    struct vfs *vfs;
    struct vfs_sb *sb;
    const struct vfs_dentry *top;
    enum vfs_archive_format format;
    int (*write)(void *ctx, const void *data, size_t len);
    void *ctx;
    struct vfs_radix first; /* inode number -> the first name written of a file that has several */
    char *name;             /* VFS_OBJECT_MAX bytes: of the entry, relative to top */
    size_t name_len;
    char *link; /* the same: of the first name, or a symbolic link's target */
    size_t link_len;
};

/* Writes one entry. first: another name of the same file, written before, or NULL. */
int export_cpio(struct export *export, const struct vfs_inode *inode,
                const struct vfs_dentry *first);
int export_tar(struct export *export, const struct vfs_inode *inode,
               const struct vfs_dentry *first);
/* Writes what ends the archive. */
int export_cpio_end(struct export *export);
int export_tar_end(struct export *export);

/* The contents of a regular file, and zeros up to a multiple of `unit`. */
int export_contents(struct export *export, const struct vfs_inode *inode, size_t unit);
int export_zeros(struct export *export, size_t count);

/* Writes value as digits of base 8, 10 or 16, right-aligned with leading zeros in width bytes;
 * false: it does not fit. */
bool export_digits(char *dst, size_t width, unsigned base, uint64_t value);

#endif
