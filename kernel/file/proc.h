/* /proc: information about the kernel and every process, in Linux's formats. */
#ifndef UMBRA_FILE_PROC_H
#define UMBRA_FILE_PROC_H

#include <umvfs/path.h>

/* Mounts it at a directory. Errors as umvfs_mount(). */
int proc_mount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               unsigned flags);

#endif
