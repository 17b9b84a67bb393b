/* What umvfs_file.state says of an open file. */
#ifndef UMVFS_FILE_STATE_H
#define UMVFS_FILE_STATE_H

#include <umvfs/file.h>

#define FILE_READ   1u  /* may be read */
#define FILE_WRITE  2u  /* may be written */
#define FILE_WRITER 4u  /* counted in inode->writers and mnt->writers */
#define FILE_EXEC   8u  /* counted in inode->writers as a denial */
#define FILE_PATH   16u /* O_PATH: a place only */
#define FILE_OPENED 32u /* a foreign file system's open was called */

#endif
