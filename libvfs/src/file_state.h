/* What the sources share of open files. */
#ifndef UMVFS_FILE_STATE_H
#define UMVFS_FILE_STATE_H

#include <umvfs/file.h>

/* umvfs_file.state */
#define FILE_READ   1u  /* may be read */
#define FILE_WRITE  2u  /* may be written */
#define FILE_WRITER 4u  /* counted in inode->writers and mnt->writers */
#define FILE_EXEC   8u  /* counted in inode->writers as a denial */
#define FILE_PATH   16u /* O_PATH: a place only */
#define FILE_OPENED 32u /* a foreign file system's open was called */
#define FILE_BYTES  64u /* a regular file of the library's own */

/* The next entry: 1, with a place for the caller to put back; 0 at the end; or an error, and the
 * offset stays. `name` has room for UMVFS_NAME_MAX bytes and a NUL. Names that have gone since they
 * were listed are passed over. */
int umvfs_next_entry(const struct umvfs_task *task, struct umvfs_file *file, char *name,
                     struct umvfs_entry *out);

#endif
