/* Places in the tree and how to get there. Resolution is iterative and follows path_resolution(7)
 * and openat2(2) of Linux. Wherever a function takes (task, at, path): an absolute path starts at
 * task->root; a relative one at `at`, or at task->cwd if `at` is NULL. */
#ifndef VFS_PATH_H
#define VFS_PATH_H

#include <vfs/vfs.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/* Takes one more reference on a place and returns a copy of it; on all zero, nothing happens. */
struct vfs_path vfs_path_get(const struct vfs_path *path);
/* Drops the reference and clears the structure; on all zero, nothing happens. */
void vfs_path_put(struct vfs_path *path);
/* Same mount and same name (not merely the same inode). */
bool vfs_path_equal(const struct vfs_path *a, const struct vfs_path *b);

/* Resolves a path to a place, with search permission checked on every directory passed.
 * flags: VFS_AT_SYMLINK_NOFOLLOW leaves a last symbolic link alone, VFS_AT_EMPTY_PATH allows "".
 * resolve: VFS_RESOLVE_*, 0 for none.
 * -VFS_ENOENT, -VFS_ENOTDIR, -VFS_EACCES, -VFS_ELOOP, -VFS_ENAMETOOLONG, -VFS_ENOMEM (foreign file
 * systems only), -VFS_EXDEV (BENEATH, NO_XDEV), -VFS_EINVAL (unknown flags). */
int vfs_lookup(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               unsigned flags, unsigned resolve, struct vfs_path *out);

/* As vfs_lookup, but fails with -VFS_ENOTDIR unless the place is a directory that the task may
 * search: what chdir, chroot and fchdir want. */
int vfs_lookup_dir(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                   unsigned flags, struct vfs_path *out);

/* Writes the absolute name of a place as seen from `root` (getcwd, /proc/PID/exe), with its NUL,
 * and returns its length without it. A removed place gets " (deleted)" at its end, one that
 * cannot be reached from root "(unreachable)" in front. -VFS_ERANGE: size is too small;
 * -VFS_ENAMETOOLONG: longer than VFS_PATH_MAX. */
int vfs_path_name(const struct vfs_path *path, const struct vfs_path *root, char *buf, size_t size);

/* Whether the name still exists (false after unlink, rmdir, or for a VFS_O_TMPFILE). */
bool vfs_path_linked(const struct vfs_path *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
