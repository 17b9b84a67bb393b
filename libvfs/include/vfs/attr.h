/* Attributes of objects. flags: VFS_AT_SYMLINK_NOFOLLOW, and VFS_AT_EMPTY_PATH: with path "" and
 * at = &file.path these are fstat, fchmod, fchown, futimens, fgetxattr and so on. */
#ifndef VFS_ATTR_H
#define VFS_ATTR_H

#include <vfs/path.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

int vfs_stat(const struct vfs_task *task, const struct vfs_path *at, const char *path,
             unsigned flags, struct vfs_stat *out);
/* The same for an inode at hand. Only foreign file systems fail. */
int vfs_inode_stat(struct vfs_inode *inode, struct vfs_stat *out);

/* Permission bits. -VFS_EPERM: not the owner; -VFS_EOPNOTSUPP: a symbolic link. S_ISGID is dropped
 * where Linux drops it. */
int vfs_chmod(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t mode, unsigned flags);

/* Owner and group; UINT32_MAX leaves one as it is. -VFS_EPERM. */
int vfs_chown(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t uid, uint32_t gid, unsigned flags);

/* utimensat(2): access and modification time, where nsec may be VFS_TIME_NOW or VFS_TIME_OMIT. Every
 * second can be kept; nanoseconds at the first and the last of them become 0, as on tmpfs.
 * -VFS_EINVAL (nsec), -VFS_EPERM, -VFS_EACCES. */
int vfs_utimens(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                const struct vfs_time times[2], unsigned flags);

/* Whether the task may do `mask` (VFS_MAY_*; 0: exists). For access(2) pass a task with the real
 * ids. -VFS_EACCES, -VFS_EROFS, -VFS_EINVAL. */
int vfs_access(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               uint32_t mask, unsigned flags);

/* Size by path; needs write permission. -VFS_EISDIR, -VFS_EINVAL (not a regular file),
 * -VFS_EFBIG, -VFS_ETXTBSY. The bytes that are cut off read as zero when the file grows again. */
int vfs_truncate(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 uint64_t size);

int vfs_statfs(const struct vfs_path *path, struct vfs_statfs *out);

/* Other quotas for the file system that `path` is on. -VFS_EINVAL: it holds more than that already, or
 * is a foreign one. */
int vfs_set_limits(const struct vfs_path *path, const struct vfs_limits *limits);

/* Extended attributes "user.*" of regular files and directories. get and list return the length,
 * with size 0 without copying. -VFS_ENODATA, -VFS_ERANGE (buffer or name length), -VFS_EEXIST,
 * -VFS_EOPNOTSUPP (other prefix), -VFS_EPERM (other kinds of object), -VFS_E2BIG (above 65536),
 * -VFS_ENOSPC (above VFS_XATTR_VALUE_MAX, or no room). */
int vfs_setxattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 const char *name, const void *value, size_t size, unsigned xflags, unsigned flags);
int vfs_getxattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 const char *name, void *value, size_t size, unsigned flags);
int vfs_listxattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                  char *list, size_t size, unsigned flags);
int vfs_removexattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                    const char *name, unsigned flags);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
