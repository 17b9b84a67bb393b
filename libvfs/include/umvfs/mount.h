/* Mounts, and the operations table by which an embedder adds file systems of its own.
 *
 * A foreign file system names its objects by `node` pointers. The library wraps each node that it
 * looks up in an inode and a dentry, which live while they are referenced, and gives the node back
 * by put. Operations that are NULL are answered as said at each. Callbacks get a `task` or `cred`
 * only where a decision needs it; permissions are checked by the library from getattr, unless
 * `permission` is there. They may call into the instance for lookups, but must not change it. */
#ifndef UMVFS_MOUNT_H
#define UMVFS_MOUNT_H

#include <umvfs/file.h>

UMVFS_BEGIN_DECLS

struct umvfs_setattr {
    uint32_t mask; /* which fields count: UMVFS_ATTR_* */
    uint32_t mode; /* permission bits */
    uint32_t uid;
    uint32_t gid;
    uint64_t size;
    struct umvfs_time atime;
    struct umvfs_time mtime;
};
#define UMVFS_ATTR_MODE  0x01u
#define UMVFS_ATTR_UID   0x02u
#define UMVFS_ATTR_GID   0x04u
#define UMVFS_ATTR_SIZE  0x08u
#define UMVFS_ATTR_ATIME 0x10u
#define UMVFS_ATTR_MTIME 0x20u

struct umvfs_fs_ops {
    /* Required. Fills everything but dev. */
    int (*getattr)(void *fs, void *node, struct umvfs_stat *out);
    /* Required. The node of a name ("." and ".." never come), with a reference for the library. */
    int (*lookup)(void *fs, void *dir, const char *name, size_t len, void **node);
    /* The library keeps nodes that lead to mount points and to places that are mounted elsewhere. Whether such a
     * node still has its name: if not, the mounts on it and below are detached, as by UMVFS_MNT_DETACH, and the
     * name is looked up again. NULL: it has. */
    bool (*revalidate)(void *fs, void *node);
    /* Drops a reference that lookup, create or the mount's root gave. NULL: nodes need none. */
    void (*put)(void *fs, void *node);
    /* Entries from *cookie on, without "." and ".."; cookies are above 2; sets *cookie to the next
     * one whenever emit took an entry. It is also called with a cookie after all entries, to ask
     * for an error before "." is listed. NULL: -UMVFS_EPERM. */
    int (*readdir)(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx);
    /* Contents of a symbolic link; returns the length, at most size. NULL: -UMVFS_EINVAL. */
    int (*readlink)(void *fs, void *node, char *buf, size_t size);
    /* A magic link (/proc/self/exe): gives the place itself, counted, instead of a string.
     * -UMVFS_ENOSYS: this one is an ordinary link. NULL: all links are ordinary. */
    int (*follow)(void *fs, void *node, const struct umvfs_task *task, struct umvfs_path *out);
    /* Instead of the check by mode bits; mask UMVFS_MAY_*. NULL: mode bits. */
    int (*permission)(void *fs, void *node, const struct umvfs_cred *cred, uint32_t mask);
    /* file->private_data is theirs. NULL: always succeeds; nothing to release. */
    int (*open)(void *fs, void *node, struct umvfs_file *file);
    void (*release)(void *fs, void *node, struct umvfs_file *file);
    /* Regular files only, through umvfs_read_to and umvfs_write_from; return bytes or an error.
     * NULL: -UMVFS_EINVAL. */
    int64_t (*read)(void *fs, void *node, struct umvfs_file *file, uint64_t offset, void *buf,
                    size_t len, const struct umvfs_copy *copy);
    int64_t (*write)(void *fs, void *node, struct umvfs_file *file, uint64_t offset,
                     const void *buf, size_t len, const struct umvfs_copy *copy);
    /* A page with a reference, as umvfs_page_get. NULL: -UMVFS_ENODEV. */
    int (*page)(void *fs, void *node, uint64_t index, unsigned flags, void **out);
    /* NULL: -UMVFS_EPERM (size: accepted and ignored, so that O_TRUNC works on control files). */
    int (*setattr)(void *fs, void *node, const struct umvfs_setattr *attr);
    /* A new object of any type that mode names; target: symbolic links only, with a NUL. NULL:
     * -UMVFS_EACCES for regular files, else -UMVFS_EPERM. */
    int (*create)(void *fs, void *dir, const char *name, size_t len, uint32_t mode, uint64_t rdev,
                  const char *target, const struct umvfs_cred *cred, void **node);
    /* NULL: -UMVFS_EPERM. */
    int (*link)(void *fs, void *node, void *dir, const char *name, size_t len);
    int (*unlink)(void *fs, void *dir, const char *name, size_t len, void *node, bool is_dir);
    int (*rename)(void *fs, void *old_dir, const char *old_name, size_t old_len, void *new_dir,
                  const char *new_name, size_t new_len, unsigned flags);
    /* NULL: all zero. */
    int (*statfs)(void *fs, struct umvfs_statfs *out);
    /* The last reference to the mounted file system has gone. NULL: nothing. */
    void (*unmount)(void *fs);
};

/* All need UMVFS_CAP_SYS_ADMIN (-UMVFS_EPERM). flags: UMVFS_MS_*. -UMVFS_ENOTDIR: one is a
 * directory, the other not; -UMVFS_ENOSPC: UMVFS_MOUNT_MAX; -UMVFS_ENOMEM; -UMVFS_ENOENT: the place
 * was removed. */

/* A foreign file system with root node `root` on an existing directory. The structure behind ops
 * must outlive the mount. On failure root and fs remain the caller's. */
int umvfs_mount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                const struct umvfs_fs_ops *ops, void *fs, void *root, unsigned flags);

/* An empty in-memory file system with quotas of its own (tmpfs), root permission bits `mode`. */
int umvfs_mount_memory(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                       const struct umvfs_limits *limits, uint32_t mode, unsigned flags);

/* What is at `from` appears at `path` as well; with UMVFS_MS_REC the mounts below it too. */
int umvfs_bind(const struct umvfs_task *task, const struct umvfs_path *from_at, const char *from,
               const struct umvfs_path *at, const char *path, unsigned flags);

/* The mount that `from` is the root of, and all on it, moves to `path`: its files stay open, and who works in it
 * stays in it. As MS_MOVE of mount(2), but without propagation. -UMVFS_EINVAL: not a mount's root, or the instance's,
 * or one is a directory, the other not; -UMVFS_ELOOP: `path` is on that mount. */
int umvfs_move_mount(const struct umvfs_task *task, const struct umvfs_path *from_at,
                     const char *from, const struct umvfs_path *at, const char *path);

/* Changes the UMVFS_MS_* flags of the mount that `path` is the root of. UMVFS_MS_RDONLY holds for
 * the file system, at all its mounts, or with UMVFS_MS_BIND for this mount only. -UMVFS_EBUSY:
 * read-only, while a file is open for writing there; -UMVFS_EINVAL: not a mount's root. */
int umvfs_remount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                  unsigned flags);

/* Takes away the topmost mount at a place. -UMVFS_EBUSY: in use, or mounts on it; -UMVFS_EINVAL:
 * not a mount, or the instance's root. UMVFS_MNT_DETACH: takes it and all below out of the tree
 * now, and lets it go when the last user does. */
int umvfs_umount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 unsigned flags);

/* Calls fn for each mount in the order they were made or moved last, until it returns non-zero, which is
 * returned (/proc/mounts). Mounts whose place has gone (revalidate of umvfs_fs_ops) are left out. The paths are not
 * counted for the callee. */
int umvfs_mounts(struct umvfs *vfs,
                 int (*fn)(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                           void *fs, unsigned flags),
                 void *ctx);

/* Whether a place is the root of a mount that is in the tree. */
bool umvfs_is_mount_root(const struct umvfs_path *path);

/* Flags of the mount that a place is on, and UMVFS_MS_RDONLY if its file system is read-only. */
unsigned umvfs_mount_flags(const struct umvfs_path *path);

UMVFS_END_DECLS

#endif
