/* Making new objects, for mkdir, mknod, symlink and open. */
#ifndef UMVFS_CREATE_H
#define UMVFS_CREATE_H

#include "walk.h"

struct umvfs_new_object {
    uint32_t mode;      /* type and permission bits as asked for, umask not yet applied */
    uint64_t rdev;      /* device nodes */
    const char *target; /* symbolic links, target_len bytes and a NUL */
    size_t target_len;
};

/* -UMVFS_EROFS if the mount, or its file system, is read-only. */
int umvfs_mount_writable(const struct umvfs_mount *mnt);

/* An inode as the task would make it in dir: owner, group, umask, set-group-id rules, contents of
 * links. One reference, nlink 0 (directories 2). */
int umvfs_new_inode_in(const struct umvfs_inode *dir, const struct umvfs_task *task,
                       const struct umvfs_new_object *what, struct umvfs_inode **out);

/* Puts it into the directory the walk stands in, under the walk's last name, which must be free;
 * permission to create is the caller's to have checked. Gives the dentry: uncounted for the
 * library's own file systems, held by the walk for foreign ones. */
int umvfs_make(struct umvfs_walk *walk, const struct umvfs_new_object *what,
               struct umvfs_dentry **out);

/* umvfs_symlink() for a target of `len` bytes and a NUL, which may also be empty: such a link leads to the
 * directory that it is in. */
int umvfs_symlink_to(const struct umvfs_task *task, const char *target, size_t len,
                     const struct umvfs_path *at, const char *path);

#endif
