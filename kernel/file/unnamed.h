/* A file system that no path leads to, for objects without a name: pipes, the console that init starts
 * with, shared anonymous memory. Their inodes are like all others, so that fstat(2), fchmod(2) and the
 * links in /proc/PID/fd work on them. */
#ifndef UMBRA_FILE_UNNAMED_H
#define UMBRA_FILE_UNNAMED_H

#include <stdbool.h>
#include <stdint.h>

#include <vfs/file.h>

/* Makes it. After root_init(). Panics if memory is short. */
void unnamed_init(void);

/* Lets go of it before the root file system is destroyed: at the end of a machine of the hosted tests. */
void unnamed_stop(void);

/* Whether the inode is in it. */
bool unnamed_has(const struct vfs_inode *inode);

/* Makes an object of the current process's user; *number names it below. -ENOMEM. */
int unnamed_create(uint32_t mode, uint64_t device, uint64_t *number);

/* Opens it, without a check of rights. Errors as vfs_open(). */
int unnamed_open(uint64_t number, uint32_t flags, struct vfs_file *out);

/* Removes it; it goes when the last one that has it open closes it. */
void unnamed_remove(uint64_t number);

/* Opens a new file of `size` zeros: shared memory. -ENOSPC, -ENOMEM. */
int unnamed_memory(uint64_t size, struct vfs_file *out);

#endif
