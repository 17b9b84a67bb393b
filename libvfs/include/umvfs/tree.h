/* Operations that change the tree of names. Rules and order of errors are those of Linux. All take
 * -UMVFS_EROFS (mount is read-only), -UMVFS_ENOSPC (quota), -UMVFS_ENOMEM and the errors of
 * umvfs_lookup besides those that are named. */
#ifndef UMVFS_TREE_H
#define UMVFS_TREE_H

#include <umvfs/path.h>

UMVFS_BEGIN_DECLS

/* New directory; task->umask applies. -UMVFS_EEXIST, -UMVFS_EACCES, -UMVFS_EMLINK. */
int umvfs_mkdir(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t mode);

/* New regular file (type 0 or UMVFS_S_IFREG), FIFO, socket or device node. -UMVFS_EEXIST;
 * -UMVFS_EPERM: a device without UMVFS_CAP_MKNOD, or a directory; -UMVFS_EINVAL: another type. */
int umvfs_mknod(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t mode, uint64_t rdev);

/* New symbolic link with `target` as its contents. -UMVFS_ENOENT: target is empty;
 * -UMVFS_ENAMETOOLONG: target has UMVFS_PATH_MAX bytes or more; -UMVFS_EEXIST. */
int umvfs_symlink(const struct umvfs_task *task, const char *target, const struct umvfs_path *at,
                  const char *path);

/* Another name for an existing object. flags: UMVFS_AT_SYMLINK_FOLLOW, UMVFS_AT_EMPTY_PATH (a file
 * opened with UMVFS_O_TMPFILE gets its name so). -UMVFS_EPERM: a directory, or protected_hardlinks;
 * -UMVFS_EXDEV; -UMVFS_EEXIST; -UMVFS_EMLINK; -UMVFS_ENOENT: the object has no name any more. */
int umvfs_link(const struct umvfs_task *task, const struct umvfs_path *old_at, const char *old_path,
               const struct umvfs_path *new_at, const char *new_path, unsigned flags);

/* Removes a name that is not a directory's. The object lives on while it is open or referenced.
 * -UMVFS_EISDIR, -UMVFS_EPERM (sticky directory), -UMVFS_EACCES, -UMVFS_EBUSY (mount point). */
int umvfs_unlink(const struct umvfs_task *task, const struct umvfs_path *at, const char *path);

/* Removes an empty directory. -UMVFS_ENOTEMPTY (also for ".."), -UMVFS_ENOTDIR, -UMVFS_EINVAL (for
 * "."), -UMVFS_EBUSY (root or mount point), -UMVFS_EPERM, -UMVFS_EACCES. */
int umvfs_rmdir(const struct umvfs_task *task, const struct umvfs_path *at, const char *path);

/* renameat2(2). flags: UMVFS_RENAME_NOREPLACE or UMVFS_RENAME_EXCHANGE. An entry that is replaced
 * keeps its readdir cookie, as does one that is renamed within its directory. -UMVFS_EINVAL: into
 * itself, or unknown flags; -UMVFS_ENOTEMPTY, -UMVFS_EISDIR, -UMVFS_ENOTDIR, -UMVFS_EXDEV,
 * -UMVFS_EBUSY, -UMVFS_EEXIST, -UMVFS_EMLINK. */
int umvfs_rename(const struct umvfs_task *task, const struct umvfs_path *old_at,
                 const char *old_path, const struct umvfs_path *new_at, const char *new_path,
                 unsigned flags);

/* Copies the contents of a symbolic link, without a NUL, cut to `size` as POSIX has it, and
 * returns the bytes copied. flags: UMVFS_AT_EMPTY_PATH. -UMVFS_EINVAL: not a link, or size is 0. */
int umvfs_readlink(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   unsigned flags, char *buf, size_t size);

UMVFS_END_DECLS

#endif
