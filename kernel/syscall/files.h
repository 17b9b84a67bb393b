/* What the calls on files and paths share. */
#ifndef UMBRA_SYSCALL_FILES_H
#define UMBRA_SYSCALL_FILES_H

#include "arch/phys.h"
#include "file/files.h"
#include "file/root.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "task/process.h"

/* The open files of a system call. */

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

/* Puts a file at the lowest free descriptor and returns that. flags: UMVFS_O_CLOEXEC or 0. Without a free one, -EMFILE
 * or -ENOMEM, it drops the reference. */
static inline int install_file(struct file *file, unsigned flags)
{
    int fd =
        files_install(current_process->files, file, 0, descriptor_limit(), flags & UMVFS_O_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}

/* The first steps of system calls with a path. */

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

/* Reads the path and finds the directory from which it starts. Only with UMVFS_AT_EMPTY_PATH the path may be empty.
 * -EFAULT, -ENAMETOOLONG, -ENOENT, -EBADF. */
int path_call(struct path_call *call, int fd, user_t path, unsigned flags);

/* The same for a call with two paths. */
struct two_paths {
    struct path_call old;
    const struct umvfs_path *new_at;
    const char *new_path;
    bool old_is_good; /* if there is an error, it is one of the second path */
};
int two_paths(struct two_paths *call, int old_fd, user_t old_path, unsigned flags, int new_fd,
              user_t new_path);

/* For calls that take an open file instead of a path: "" at its place. -EBADF. */
int file_call(struct path_call *call, int fd);

/* The commands F_GETLK, F_SETLK, F_SETLKW and F_OFD_* of fcntl(2). */
long fcntl_lock(struct file *file, int fd, unsigned cmd, user_t user);

#define TRANSFER_MAX 0x7ffff000ull /* the most bytes of one call, as on Linux */

#endif
