/* A file system without a path, for objects without a name: pipes, the console of init, shared
 * anonymous memory. They have ordinary inodes, so that fstat(2), fchmod(2) and the links in
 * /proc/PID/fd work on them. */
#ifndef UMBRA_FILE_UNNAMED_H
#define UMBRA_FILE_UNNAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <umvfs/file.h>

/* Creates the file system, after root_init(). Panics if memory is short. */
void unnamed_init(void);

/* Releases it before the root file system is destroyed. Only the hosted tests do that. */
void unnamed_stop(void);

/* True if the inode is in it. */
bool unnamed_has(const struct umvfs_inode *inode);

/* Creates an object of the current process's user and stores its number. Returns 0 or -ENOMEM. */
#define UNNAMED_INOTIFY 0 /* the device of an instance of inotify(7), which is a character device */
int unnamed_create(uint32_t mode, uint64_t device, uint64_t *number);

/* Opens an object without a check of rights. Errors as umvfs_open(). */
int unnamed_open(uint64_t number, uint32_t flags, struct umvfs_file *out);

/* Removes an object. It is freed when its last open file is closed. */
void unnamed_remove(uint64_t number);

/* Opens a new file of `size` zeros: shared memory. -ENOSPC, -ENOMEM. */
int unnamed_memory(uint64_t size, struct umvfs_file *out);

/* The same, empty, with a name for /proc of up to UNNAMED_NAME_MAX bytes: memfd_create(2). flags:
 * UMVFS_O_*. */
#define UNNAMED_NAME_MAX 249
int unnamed_named_memory(const char *name, uint32_t flags, struct umvfs_file *out);

/* Writes the name of a regular file there, as /proc shows it. Returns its length, or a negative
 * error. */
int unnamed_memory_name(const struct umvfs_path *place, char *name, size_t size);

#endif
