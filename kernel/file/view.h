/* The view of a process that libvfs needs: credentials, directories, limits. */
#ifndef UMBRA_FILE_VIEW_H
#define UMBRA_FILE_VIEW_H

#include <stdbool.h>

#include <umvfs/types.h>

struct process;

struct vfs_view {
    struct umvfs_task task;
    struct umvfs_cred cred;
};

/* Fills in *out with the current values. Its pointers are the process's own. With `real` the real
 * ids are used instead of the effective ones (access(2)). */
void vfs_view_of(const struct process *process, bool real, struct vfs_view *out);

#endif
