/* inotify_init(2), inotify_add_watch(2) and inotify_rm_watch(2). */
#include <umvfs/attr.h>
#include <umvfs/path.h>

#include "file/events.h"
#include "lib/errno.h"
#include "syscall/calls.h"
#include "syscall/files.h"

#define MASK_VALID                                                                                 \
    (UMVFS_IN_ALL_EVENTS | UMVFS_IN_UNMOUNT | UMVFS_IN_Q_OVERFLOW | UMVFS_IN_IGNORED |             \
     UMVFS_IN_ONLYDIR | UMVFS_IN_DONT_FOLLOW | UMVFS_IN_EXCL_UNLINK | UMVFS_IN_MASK_CREATE |       \
     UMVFS_IN_MASK_ADD | UMVFS_IN_ISDIR | UMVFS_IN_ONESHOT)
#define MASK_BOTH (UMVFS_IN_MASK_ADD | UMVFS_IN_MASK_CREATE)

long sys_inotify_init1(int flags)
{
    struct file *file;
    if ((unsigned)flags & ~(UMVFS_O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int error = events_create(&file);
    if (error)
        return error;
    file->vfs.flags |= (unsigned)flags & O_NONBLOCK;
    return install_file(file, (unsigned)flags);
}

long sys_inotify_init(void)
{
    return sys_inotify_init1(0);
}

static int instance_of(int fd, struct file **out)
{
    int error = file_of(fd, out);
    return error ? error : events_is_instance(*out) ? 0 : -EINVAL;
}

/* Finds what shall be watched, which the caller must be able to read. */
static int find(const struct path_call *call, uint32_t mask, struct umvfs_path *out)
{
    const struct umvfs_task *task = &call->view.task;
    unsigned flags = mask & UMVFS_IN_DONT_FOLLOW ? UMVFS_AT_SYMLINK_NOFOLLOW : 0;
    int error = umvfs_lookup(task, call->at, call->path, flags, 0, out);
    if (error)
        return error;
    if (mask & UMVFS_IN_ONLYDIR && !UMVFS_S_ISDIR(umvfs_inode_mode(umvfs_path_inode(out))))
        error = -ENOTDIR;
    if (!error)
        error = umvfs_access(task, out, "", UMVFS_MAY_READ, UMVFS_AT_EMPTY_PATH);
    if (error)
        umvfs_path_put(out);
    return error;
}

long sys_inotify_add_watch(int fd, user_t path, unsigned mask)
{
    struct file *file;
    struct path_call call;
    struct umvfs_path place;
    if (mask & ~MASK_VALID || !mask)
        return -EINVAL;
    int error = file_of(fd, &file);
    if (!error && (mask & MASK_BOTH) == MASK_BOTH)
        error = -EINVAL;
    if (!error && !events_is_instance(file))
        error = -EINVAL;
    if (!error)
        error = path_call(&call, AT_FDCWD, path, 0);
    if (!error)
        error = find(&call, mask, &place);
    if (error)
        return error;
    int wd = events_watch(file, umvfs_path_inode(&place), mask);
    umvfs_path_put(&place);
    return wd;
}

long sys_inotify_rm_watch(int fd, int wd)
{
    struct file *file;
    int error = instance_of(fd, &file);
    return error ? error : events_unwatch(file, wd);
}
