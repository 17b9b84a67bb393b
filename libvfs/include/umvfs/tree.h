/* Operations that change the tree of names. Rules and order of errors are those of Linux. All take
 * -UMVFS_EROFS (mount is read-only), -UMVFS_ENOSPC (quota), -UMVFS_ENOMEM and the errors of
 * umvfs_lookup besides those that are named; -UMVFS_EINVAL is an unknown flag. */
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

/* renameat2(2). flags: UMVFS_RENAME_EXCHANGE, or UMVFS_RENAME_NOREPLACE and UMVFS_RENAME_WHITEOUT: a
 * character device 0:0 without permissions takes the old name, for which no privilege is needed, as
 * since Linux 5.8 (a foreign file system: -UMVFS_EINVAL). An entry that is replaced
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

/* Whole trees. Each of these is made of the operations of umvfs/path.h, umvfs/file.h and above, with
 * their checks; what was done before an error stays done. */

/* An object that a walk has come to. Valid during the visit. */
struct umvfs_visit {
    const struct umvfs_path *place; /* umvfs_path_get keeps it, umvfs_path_name spells it */
    const struct umvfs_path *dir;   /* where its name is; NULL: the walk began with it */
    const char *name;               /* in `dir`, with a NUL; "" if the walk began with it */
    size_t len;                     /* of the name, without the NUL */
    struct umvfs_stat stat;
    uint32_t depth;  /* directories between it and where the walk began; 0: there */
    int error;       /* of a directory that is left: why not all of it was visited; else 0 */
    bool is_leaving; /* the second visit of a directory, after its entries */
};

/* Returns 0 to go on; UMVFS_WALK_SKIP to pass over the entries of a directory, which then has no
 * second visit; anything else to stop the walk, which returns it. It may call the library. */
typedef int (*umvfs_visitor)(void *ctx, const struct umvfs_visit *visit);

/* Visits what the path leads to and all that is below it, in the order of umvfs_readdir: each object
 * before the entries that it has, and each directory whose entries were asked for once more after
 * them. flags: UMVFS_AT_SYMLINK_NOFOLLOW and _EMPTY_PATH for the path; below it no link is followed;
 * UMVFS_WALK_MOUNTS: a mount point is visited in any case, and with this flag what is in it too.
 *
 * The task needs permission to read and to search each directory: without it, the walk goes on
 * beside that directory, whose second visit has the error. It takes about 100 bytes a level of
 * config.alloc, which no quota counts (-UMVFS_ENOMEM, as such an error).
 *
 * Visitors may change the tree, and the walk ends whatever they do: it enters no directory that was
 * made after the walk had come to its file system, in each directory it sees what has been there
 * when it was entered and is there still, and it goes no deeper than UMVFS_DIR_DEPTH_MAX
 * (-UMVFS_ENAMETOOLONG, as such an error). Returns 0, what a visit returned, or the error of the
 * path. */
int umvfs_walk_tree(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    unsigned flags, umvfs_visitor visit, void *ctx);

/* Removes what the path names, with all that is below it, as umvfs_unlink and umvfs_rmdir would one
 * by one, with the permissions that these ask for in each directory. A symbolic link is removed
 * itself, and no mount is entered: -UMVFS_EBUSY. If the object of the path itself could not be
 * removed, nothing is.
 *
 * An object that cannot be removed stays, and so do the directories around it. `report` is called
 * with the object and the error, not with those directories. If it returns 0 or UMVFS_WALK_SKIP, the
 * rest is removed, and the first error is returned at the end; any other answer ends the removal and
 * is returned. NULL: the first error ends it. What has been removed by then is gone, and what is left
 * is a tree. */
int umvfs_remove_tree(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                      umvfs_visitor report, void *ctx);

/* Makes a directory and those on the way to it that are missing, as mkdir -p. Only the last gets
 * `mode`; the others get 0777, and all of them lose the bits of task->umask, the others never 0300.
 * If the directory exists, or a link to one, that is not an error, whatever its mode. Directories
 * that were made before an error stay. -UMVFS_EEXIST: the last name is something else, or a link that
 * leads nowhere; -UMVFS_ENOTDIR: a name before it is; the errors of umvfs_mkdir. */
int umvfs_make_path(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    uint32_t mode);

UMVFS_END_DECLS

#endif
