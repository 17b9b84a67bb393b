/* The first steps of system calls with a path. */
#ifndef UMBRA_SYSCALL_PATHS_H
#define UMBRA_SYSCALL_PATHS_H

#include "arch/phys.h"
#include "file/view.h"
#include "syscall/held.h"

#define AT_FDCWD        (-100)
#define AT_REMOVEDIR    0x200u
#define AT_EACCESS      0x200u
#define AT_NO_AUTOMOUNT 0x800u

/* Copies a path from user memory into one of two static buffers. One pair is enough, since no
 * system call sleeps between reading its paths and using them. -EFAULT, -ENAMETOOLONG. */
enum path_slot { PATH_FIRST, PATH_SECOND };
int path_from_user(enum path_slot slot, user_t user, const char **out);

/* Finds the directory from which relative paths of an *at call start: NULL for the current one.
 * -EBADF. */
int directory_of(int fd, const struct umvfs_path **out);

struct path_call {
    struct vfs_view view;
    const struct umvfs_path *at; /* NULL: the current directory */
    const char *path;
};

/* Reads the path and finds the directory from which it starts. -EFAULT, -ENAMETOOLONG, -EBADF. */
int path_call(struct path_call *call, int fd, user_t path);

/* The same for a call with two paths. */
struct two_paths {
    struct path_call old;
    const struct umvfs_path *new_at;
    const char *new_path;
    bool old_is_good; /* if there is an error, it is one of the second path */
};
int two_paths(struct two_paths *call, int old_fd, user_t old_path, int new_fd, user_t new_path);

/* For calls that take an open file instead of a path: "" at its place. -EBADF. */
int file_call(struct path_call *call, int fd);

#endif
