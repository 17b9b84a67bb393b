/* The open files of a system call. */
#ifndef UMBRA_SYSCALL_HELD_H
#define UMBRA_SYSCALL_HELD_H

#include "file/files.h"
#include "lib/errno.h"
#include "task/process.h"

/* Finds the current process's open file: of any kind, or (file_of) one that was not opened with
 * O_PATH. It stays valid until the call returns, see files_use(). -EBADF. */
static inline int any_file_of(int fd, struct file **out)
{
    *out = files_use((unsigned)fd);
    return *out ? 0 : -EBADF;
}

static inline int file_of(int fd, struct file **out)
{
    struct file *file = files_use((unsigned)fd);
    *out = file;
    return !file || (file->vfs.flags & UMVFS_O_PATH) ? -EBADF : 0;
}

/* The limit of descriptor numbers of the current process, exclusive. */
static inline uint64_t descriptor_limit(void)
{
    uint64_t limit = current_process->limits[RLIMIT_NOFILE].soft;
    return limit < FILES_MAX ? limit : FILES_MAX;
}

#endif
