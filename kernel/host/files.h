/* A libvfs instance over the machine's frames, connected with the address spaces in the same way as
 * the kernel's own (file/root.c). */
#ifndef UMBRA_HOST_FILES_H
#define UMBRA_HOST_FILES_H

#include <umvfs/file.h>

/* Creates the instance on a running machine, with a limit of pages; 0: no limit. */
void files_start(uint64_t max_pages);

/* Destroys it. A remaining reference is a host_fail(). */
void files_stop(void);

/* A task with all capabilities whose directory is the root. */
const struct umvfs_task *files_task(void);

/* Creates or replaces a file with the mode and the contents. */
void files_write(const char *path, uint32_t mode, const void *data, size_t size);

/* Opens a file. Fails the test on an error. */
struct umvfs_file files_open(const char *path, uint32_t flags);

/* The usage of the file system, for comparisons. */
struct umvfs_statfs files_usage(void);

/* True if the file can be opened for writing now. */
bool files_writable(const char *path);

#endif
