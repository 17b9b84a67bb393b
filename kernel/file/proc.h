/* /proc: what the kernel tells of itself and of every process, in Linux's formats. */
#ifndef UMBRA_FILE_PROC_H
#define UMBRA_FILE_PROC_H

#include <vfs/path.h>

struct file;

/* Mounts it at a directory. Errors as vfs_mount(). */
int proc_mount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               unsigned flags);

/* What the last path led to, if that was a pipe by its descriptor (/proc/PID/fd/N): such a walk ends
 * with -ENXIO, for a pipe has no place in the tree, and file_open() then opens the pipe itself. Not
 * counted; NULL: none. */
extern struct file *proc_followed_pipe;

#endif
