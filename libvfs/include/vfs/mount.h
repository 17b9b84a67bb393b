/* Mounts, and the operations table by which an embedder adds file systems of its own.
 *
 * A foreign file system names its objects by `node` pointers. The library wraps each node that it
 * looks up in an inode and a dentry, which live while they are referenced, and gives the node back
 * by put. Operations that are NULL are answered as said at each. Callbacks get a `task` or `cred`
 * only where a decision needs it; permissions are checked by the library from getattr, unless
 * `permission` is there. They may call into the instance for lookups, but must not change it. */
#ifndef VFS_MOUNT_H
#define VFS_MOUNT_H

#include <vfs/file.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

struct vfs_setattr {
    uint32_t mask; /* which fields count: VFS_ATTR_* */
    uint32_t mode; /* permission bits */
    uint32_t uid;
    uint32_t gid;
    uint64_t size;
    struct vfs_time atime;
    struct vfs_time mtime;
};
#define VFS_ATTR_MODE  0x01u
#define VFS_ATTR_UID   0x02u
#define VFS_ATTR_GID   0x04u
#define VFS_ATTR_SIZE  0x08u
#define VFS_ATTR_ATIME 0x10u
#define VFS_ATTR_MTIME 0x20u

struct vfs_fs_ops {
    /* Required. Fills everything but dev. */
    int (*getattr)(void *fs, void *node, struct vfs_stat *out);
    /* Required. The node of a name ("." and ".." never come), with a reference for the library. */
    int (*lookup)(void *fs, void *dir, const char *name, size_t len, void **node);
    /* Drops a reference that lookup, create or the mount's root gave. NULL: nodes need none. */
    void (*put)(void *fs, void *node);
    /* Entries from *cookie on, without "." and ".."; cookies are above 2; sets *cookie to the next
     * one whenever emit took an entry. NULL: -VFS_EPERM. */
    int (*readdir)(void *fs, void *dir, uint64_t *cookie, vfs_emit emit, void *ctx);
    /* Contents of a symbolic link; returns the length, at most size. NULL: -VFS_EINVAL. */
    int (*readlink)(void *fs, void *node, char *buf, size_t size);
    /* A magic link (/proc/self/exe): gives the place itself, counted, instead of a string.
     * -VFS_ENOSYS: this one is an ordinary link. NULL: all links are ordinary. */
    int (*follow)(void *fs, void *node, const struct vfs_task *task, struct vfs_path *out);
    /* Instead of the check by mode bits; mask VFS_MAY_*. NULL: mode bits. */
    int (*permission)(void *fs, void *node, const struct vfs_cred *cred, uint32_t mask);
    /* file->private_data is theirs. NULL: always succeeds; nothing to release. */
    int (*open)(void *fs, void *node, struct vfs_file *file);
    void (*release)(void *fs, void *node, struct vfs_file *file);
    /* Regular files only, through vfs_read_to and vfs_write_from; return bytes or an error.
     * NULL: -VFS_EINVAL. */
    int64_t (*read)(void *fs, void *node, struct vfs_file *file, uint64_t offset, void *buf,
                    size_t len, const struct vfs_copy *copy);
    int64_t (*write)(void *fs, void *node, struct vfs_file *file, uint64_t offset, const void *buf,
                     size_t len, const struct vfs_copy *copy);
    /* A page with a reference, as vfs_page_get. NULL: -VFS_ENODEV. */
    int (*page)(void *fs, void *node, uint64_t index, unsigned flags, void **out);
    /* NULL: -VFS_EPERM (size: accepted and ignored, so that O_TRUNC works on control files). */
    int (*setattr)(void *fs, void *node, const struct vfs_setattr *attr);
    /* A new object of any type that mode names; target: symbolic links only. NULL: -VFS_EACCES for
     * regular files, else -VFS_EPERM. */
    int (*create)(void *fs, void *dir, const char *name, size_t len, uint32_t mode, uint64_t rdev,
                  const char *target, const struct vfs_cred *cred, void **node);
    /* NULL: -VFS_EPERM. */
    int (*link)(void *fs, void *node, void *dir, const char *name, size_t len);
    int (*unlink)(void *fs, void *dir, const char *name, size_t len, void *node, bool is_dir);
    int (*rename)(void *fs, void *old_dir, const char *old_name, size_t old_len, void *new_dir,
                  const char *new_name, size_t new_len, unsigned flags);
    /* NULL: all zero. */
    int (*statfs)(void *fs, struct vfs_statfs *out);
    /* The last reference to the mounted file system has gone. NULL: nothing. */
    void (*unmount)(void *fs);
};

/* All need VFS_CAP_SYS_ADMIN (-VFS_EPERM). flags: VFS_MS_*. -VFS_ENOTDIR: one is a directory, the
 * other not; -VFS_ENOSPC: VFS_MOUNT_MAX; -VFS_ENOMEM; -VFS_ENOENT: the place was removed. */

/* A foreign file system with root node `root` on an existing directory. The structure behind ops
 * must outlive the mount. On failure root and fs remain the caller's. */
int vfs_mount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              const struct vfs_fs_ops *ops, void *fs, void *root, unsigned flags);

/* An empty in-memory file system with quotas of its own (tmpfs), root permission bits `mode`. */
int vfs_mount_memory(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                     const struct vfs_limits *limits, uint32_t mode, unsigned flags);

/* What is at `from` appears at `path` as well; with VFS_MS_REC the mounts below it too. */
int vfs_bind(const struct vfs_task *task, const struct vfs_path *from_at, const char *from,
             const struct vfs_path *at, const char *path, unsigned flags);

/* Changes the VFS_MS_* flags of the mount that `path` is the root of. -VFS_EBUSY: read-only, while
 * a file is open for writing; -VFS_EINVAL: not a mount's root. */
int vfs_remount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                unsigned flags);

/* Takes away the topmost mount at a place. -VFS_EBUSY: in use, or mounts on it; -VFS_EINVAL: not a
 * mount, or the instance's root. VFS_MNT_DETACH: takes it and all below out of the tree now, and
 * lets it go when the last user does. */
int vfs_umount(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               unsigned flags);

/* Calls fn for each mount in the order they were made, until it returns non-zero, which is
 * returned (/proc/mounts). The paths are not counted for the callee. */
int vfs_mounts(struct vfs *vfs,
               int (*fn)(void *ctx, const struct vfs_path *root, const struct vfs_fs_ops *ops,
                         void *fs, unsigned flags),
               void *ctx);

/* Flags of the mount that a place is on. */
unsigned vfs_mount_flags(const struct vfs_path *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
