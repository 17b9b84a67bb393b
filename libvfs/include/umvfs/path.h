/* Places in the tree and how to get there. Resolution is iterative and follows path_resolution(7)
 * and openat2(2) of Linux. Wherever a function takes (task, at, path): an absolute path starts at
 * task->root; a relative one at `at`, or at task->cwd if `at` is NULL. */
#ifndef UMVFS_PATH_H
#define UMVFS_PATH_H

#include <umvfs/vfs.h>

UMVFS_BEGIN_DECLS

/* Takes one more reference on a place and returns a copy of it; on all zero, nothing happens. */
struct umvfs_path umvfs_path_get(const struct umvfs_path *path);
/* Drops the reference and clears the structure; on all zero, nothing happens. */
void umvfs_path_put(struct umvfs_path *path);
/* Same mount and same name (not merely the same inode). */
bool umvfs_path_equal(const struct umvfs_path *a, const struct umvfs_path *b);

/* Resolves a path to a place, with search permission checked on every directory passed.
 * flags: UMVFS_AT_SYMLINK_NOFOLLOW leaves a last symbolic link alone, UMVFS_AT_EMPTY_PATH allows
 * "". resolve: UMVFS_RESOLVE_*, 0 for none.
 * -UMVFS_ENOENT, -UMVFS_ENOTDIR, -UMVFS_EACCES, -UMVFS_ELOOP, -UMVFS_ENAMETOOLONG, -UMVFS_ENOMEM
 * (foreign file systems only), -UMVFS_EXDEV (BENEATH, NO_XDEV), -UMVFS_EINVAL (unknown flags). */
int umvfs_lookup(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 unsigned flags, unsigned resolve, struct umvfs_path *out);

/* As umvfs_lookup, but fails with -UMVFS_ENOTDIR unless the place is a directory that the task may
 * search: what chdir, chroot and fchdir want. */
int umvfs_lookup_dir(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                     unsigned flags, struct umvfs_path *out);

/* Writes the absolute name of a place as seen from `root` (getcwd, /proc/PID/exe), with its NUL,
 * and returns its length without it. A removed place gets " (deleted)" at its end, one that
 * cannot be reached from root "(unreachable)" in front. -UMVFS_ERANGE: size is too small;
 * -UMVFS_ENAMETOOLONG: longer than UMVFS_PATH_MAX. */
int umvfs_path_name(const struct umvfs_path *path, const struct umvfs_path *root, char *buf,
                    size_t size);

/* Whether the name still exists (false after unlink, rmdir, or for a UMVFS_O_TMPFILE). */
bool umvfs_path_linked(const struct umvfs_path *path);

UMVFS_END_DECLS

#endif
