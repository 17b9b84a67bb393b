/* What system calls with a path begin with. */
#ifndef UMBRA_SYSCALL_PATHS_H
#define UMBRA_SYSCALL_PATHS_H

#include "syscall/syscall.h"

#define AT_REMOVEDIR 0x200u
#define AT_EACCESS   0x200u

struct path_call {
    struct vfs_view view;
    const struct vfs_path *at; /* NULL: the current directory */
    const char *path;
};

/* Reads the path and finds the directory that it starts from. -EFAULT, -ENAMETOOLONG, -EBADF. */
int path_call(struct path_call *call, int fd, uint64_t path);

#endif
