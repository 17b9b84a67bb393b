/* A libvfs instance over the machine's frames, glued to the address spaces as the kernel glues its
 * own (file/root.c). */
#ifndef UMBRA_HOST_FILES_H
#define UMBRA_HOST_FILES_H

#include <vfs/file.h>

/* Makes the instance; the machine is running. Quota: that many pages, 0 for none. */
void files_start(uint64_t max_pages);

/* Destroys it: a reference that someone still holds is a host_fail(). */
void files_stop(void);

/* A task with all capabilities at the root. */
const struct vfs_task *files_task(void);

/* Makes, or empties, the file with the contents and mode 0755 or so. */
void files_write(const char *path, uint32_t mode, const void *data, size_t size);

/* Opens a file; fails the test if that does not work. */
struct vfs_file files_open(const char *path, uint32_t flags);

/* What the file system holds, to be compared. */
struct vfs_statfs files_usage(void);

/* Whether the file could be opened for writing now. */
bool files_writable(const char *path);

#endif
