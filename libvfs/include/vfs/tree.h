/* Operations that change the tree of names. Rules and order of errors are those of Linux. All take
 * -VFS_EROFS (mount is read-only), -VFS_ENOSPC (quota), -VFS_ENOMEM and the errors of vfs_lookup
 * besides those that are named. */
#ifndef VFS_TREE_H
#define VFS_TREE_H

#include <vfs/path.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/* New directory; task->umask applies. -VFS_EEXIST, -VFS_EACCES, -VFS_EMLINK. */
int vfs_mkdir(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t mode);

/* New regular file (type 0 or VFS_S_IFREG), FIFO, socket or device node. -VFS_EEXIST; -VFS_EPERM:
 * a device without VFS_CAP_MKNOD, or a directory; -VFS_EINVAL: another type. */
int vfs_mknod(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t mode, uint64_t rdev);

/* New symbolic link with `target` as its contents. -VFS_ENOENT: target is empty;
 * -VFS_ENAMETOOLONG: target has VFS_PATH_MAX bytes or more; -VFS_EEXIST. */
int vfs_symlink(const struct vfs_task *task, const char *target, const struct vfs_path *at,
                const char *path);

/* Another name for an existing object. flags: VFS_AT_SYMLINK_FOLLOW, VFS_AT_EMPTY_PATH (a file
 * opened with VFS_O_TMPFILE gets its name so). -VFS_EPERM: a directory, or protected_hardlinks;
 * -VFS_EXDEV; -VFS_EEXIST; -VFS_EMLINK; -VFS_ENOENT: the object has no name any more. */
int vfs_link(const struct vfs_task *task, const struct vfs_path *old_at, const char *old_path,
             const struct vfs_path *new_at, const char *new_path, unsigned flags);

/* Removes a name that is not a directory's. The object lives on while it is open or referenced.
 * -VFS_EISDIR, -VFS_EPERM (sticky directory), -VFS_EACCES, -VFS_EBUSY (mount point). */
int vfs_unlink(const struct vfs_task *task, const struct vfs_path *at, const char *path);

/* Removes an empty directory. -VFS_ENOTEMPTY (also for ".."), -VFS_ENOTDIR, -VFS_EINVAL (for "."),
 * -VFS_EBUSY (root or mount point), -VFS_EPERM, -VFS_EACCES. */
int vfs_rmdir(const struct vfs_task *task, const struct vfs_path *at, const char *path);

/* renameat2(2). flags: VFS_RENAME_NOREPLACE or VFS_RENAME_EXCHANGE. An entry that is replaced
 * keeps its readdir cookie, as does one that is renamed within its directory. -VFS_EINVAL: into
 * itself, or unknown flags; -VFS_ENOTEMPTY, -VFS_EISDIR, -VFS_ENOTDIR, -VFS_EXDEV, -VFS_EBUSY,
 * -VFS_EEXIST, -VFS_EMLINK. */
int vfs_rename(const struct vfs_task *task, const struct vfs_path *old_at, const char *old_path,
               const struct vfs_path *new_at, const char *new_path, unsigned flags);

/* Copies the contents of a symbolic link, without a NUL, cut to `size` as POSIX has it, and
 * returns the bytes copied. flags: VFS_AT_EMPTY_PATH. -VFS_EINVAL: not a link, or size is 0. */
int vfs_readlink(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 unsigned flags, char *buf, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
