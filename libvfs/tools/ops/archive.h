/*
 * Archives of the host, read into an instance of libvfs and written from it.
 */
#ifndef OPS_ARCHIVE_H
#define OPS_ARCHIVE_H

#include <umvfs/archive.h>

#include "bytes.h"

/* What archive_load returns if an archive that is read by UMVFS_IMPORT_LINUX ends the import. */
enum { ARCHIVE_STOPPED = 1 };

/* Reads the archive `path` ("-" is standard input) into the root of `vfs`. Returns 0, or a negative
 * errno with what, where and why appended to *message; the tree is then as it was. ARCHIVE_STOPPED:
 * the same for an error of the archive under UMVFS_IMPORT_LINUX, but what was made stays. */
int archive_load(struct umvfs *vfs, const char *path, const struct umvfs_import_options *options,
                 struct bytes *message);

/* Writes the tree of `vfs` to the file `path` ("-" is standard output). Returns 0, or a negative
 * errno with a message; the file is then removed. */
int archive_save(struct umvfs *vfs, const char *path, enum umvfs_archive_format format,
                 struct bytes *message);

/* Appends entry, name, offset and reason of what was met in the archive `path`. */
void archive_describe(struct bytes *message, const char *path,
                      const struct umvfs_import_error *what);

/* The format called `name` (cpio, cpio-crc, tar), or UMVFS_ARCHIVE_AUTO for any other name. */
enum umvfs_archive_format archive_format_by_name(const char *name);

#endif
