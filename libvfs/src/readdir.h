/* Entries of a directory one at a time, with a place and attributes. */
#ifndef UMVFS_READDIR_H
#define UMVFS_READDIR_H

#include <umvfs/file.h>

/* The next entry: 1, with a place for the caller to put back; 0 at the end; or an error, and the
 * offset stays. `name` has room for UMVFS_NAME_MAX bytes and a NUL. Names that have gone since they
 * were listed are passed over. */
int umvfs_next_entry(const struct umvfs_task *task, struct umvfs_file *file, char *name,
                     struct umvfs_entry *out);

#endif
