/*
 * Archives of the host, read into an instance of libvfs and written from it.
 */
#ifndef OPS_ARCHIVE_H
#define OPS_ARCHIVE_H

#include <umvfs/archive.h>

#include "bytes.h"

/* Reads the archive `path` ("-" is standard input) into the root of `vfs`. Returns 0, or a negative
 * errno with what, where and why appended to *message; the tree is then as it was. */
int archive_load(struct umvfs *vfs, const char *path, const struct umvfs_import_options *options,
                 struct bytes *message);

/* Writes the tree of `vfs` to the file `path` ("-" is standard output). Returns 0, or a negative
 * errno with a message; the file is then removed. */
int archive_save(struct umvfs *vfs, const char *path, enum umvfs_archive_format format,
                 struct bytes *message);

/* The format called `name` (cpio, cpio-crc, tar), or UMVFS_ARCHIVE_AUTO for any other name. */
enum umvfs_archive_format archive_format_by_name(const char *name);

#endif
