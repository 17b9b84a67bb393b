/* The kernel's one instance of libvfs: its memory and clock, the initrd in it, and what a process is to it. */
#ifndef UMBRA_FILE_ROOT_H
#define UMBRA_FILE_ROOT_H

#include <stdbool.h>

#include <umvfs/types.h>
#include <umvfs/vfs.h>

#include "mm/boot_info.h"

extern struct umvfs *root_vfs;

/* Makes the instance with an empty root. Panics if memory is short. */
void root_init(void);

/* Unpacks the initrd into the root as Linux does, and frees each of its frames after reading it; then
 * the archive of device_size bytes in the open file of the fw_cfg device (dev/fw_cfg.h), whose files
 * replace those of the initrd. Prints the entries that are skipped, with the name of the archive.
 * Returns 0, or a negative error after printing the entry that ended it, its offset and the reason;
 * what was unpacked before stays. */
int root_import(const struct boot_info *info, const char *name, uint32_t device_size);

/* Frees what libvfs left to be freed later (umvfs_reap()), in chunks with scheduling points
 * between: for a thread with WORK_REAP, before its call returns and before it ends. */
void root_reap(void);

/* The default limits of a file system in memory: half of memory. */
void root_limits(struct umvfs_limits *out);

/* Sets these limits for the root, or its current size and some more if that is larger. */
void root_set_limits(void);

struct process;

/* The view of a process that libvfs needs: credentials, directories, limits. */
struct vfs_view {
    struct umvfs_task task;
    struct umvfs_cred cred;
};

/* Fills in *out with the current values. Its pointers are the process's own. With `real` the real
 * ids are used instead of the effective ones (access(2)). */
void vfs_view_of(const struct process *process, bool real, struct vfs_view *out);

#endif
