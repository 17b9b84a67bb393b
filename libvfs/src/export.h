/* The inside of an export: one walk over the tree, and a writer for each format. */
#ifndef UMVFS_EXPORT_H
#define UMVFS_EXPORT_H

#include <umvfs/archive.h>

#include "core.h"

struct export
{
    struct umvfs *vfs;
    struct umvfs_sb *sb;
    const struct umvfs_dentry *top;
    enum umvfs_archive_format format;
    int (*write)(void *ctx, const void *data, size_t len);
    void *ctx;
    struct umvfs_radix
        first;  /* inode number -> the first name written of a file that has several */
    char *name; /* UMVFS_OBJECT_MAX bytes: of the entry, relative to top */
    size_t name_len;
    char *link; /* the same: of the first name, or a symbolic link's target */
    size_t link_len;
};

/* Writes one entry. first: another name of the same file, written before, or NULL. */
int umvfs_export_cpio(struct export *export, const struct umvfs_inode *inode,
                      const struct umvfs_dentry *first);
int umvfs_export_tar(struct export *export, const struct umvfs_inode *inode,
                     const struct umvfs_dentry *first);
/* Writes what ends the archive. */
int umvfs_export_cpio_end(struct export *export);
int umvfs_export_tar_end(struct export *export);

/* The contents of a regular file, and zeros up to a multiple of `unit`. */
int umvfs_export_contents(struct export *export, const struct umvfs_inode *inode, size_t unit);
int umvfs_export_zeros(struct export *export, size_t count);

/* Writes value as digits of base 8, 10 or 16, right-aligned with leading zeros in width bytes;
 * false: it does not fit. */
bool umvfs_export_digits(char *dst, size_t width, unsigned base, uint64_t value);

#endif
