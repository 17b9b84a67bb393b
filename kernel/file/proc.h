/* /proc: information about the kernel and every process, in Linux's formats. */
#ifndef UMBRA_FILE_PROC_H
#define UMBRA_FILE_PROC_H

#include <vfs/path.h>

/* Mounts it at a directory. Errors as vfs_mount(). */
int proc_mount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               unsigned flags);

#endif
