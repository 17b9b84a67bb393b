/* access(2) and readlink(2). */
#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/paths.h"

static long access_at(int dirfd, user_t path, unsigned mode, unsigned flags)
{
    struct path_call call;
    if (mode & ~7u || flags & ~(AT_EACCESS | UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_call(&call, dirfd, path);
    if (error)
        return error;
    if (!(flags & AT_EACCESS))
        vfs_view_of(current_process, true, &call.view);
    return umvfs_access(&call.view.task, call.at, call.path, mode, flags & ~AT_EACCESS);
}

long sys_access(user_t path, unsigned mode)
{
    return access_at(AT_FDCWD, path, mode, 0);
}

long sys_faccessat(int dirfd, user_t path, unsigned mode)
{
    return access_at(dirfd, path, mode, 0);
}

long sys_faccessat2(int dirfd, user_t path, unsigned mode, unsigned flags)
{
    return access_at(dirfd, path, mode, flags);
}

static long read_link(int dirfd, user_t path, user_t buf, int bufsiz)
{
    static char target[UMVFS_PATH_MAX];
    struct path_call call;
    if (bufsiz <= 0)
        return -EINVAL;
    size_t size = (size_t)bufsiz < sizeof(target) ? (size_t)bufsiz : sizeof(target);
    int error = path_call(&call, dirfd, path);
    if (error)
        return error;
    int n = umvfs_readlink(&call.view.task, call.at, call.path, UMVFS_AT_EMPTY_PATH, target, size);
    if (n == -EINVAL && call.path[0] == '\0')
        return -ENOENT; /* an empty path that leads to no link */
    if (n < 0)
        return n == -EINVAL && call.path[0] == '\0' ? -ENOENT : n;
    return copy_to_user(buf, target, (size_t)n) == 0 ? n : -EFAULT;
}

long sys_readlink(user_t path, user_t buf, int bufsiz)
{
    return read_link(AT_FDCWD, path, buf, bufsiz);
}

long sys_readlinkat(int dirfd, user_t path, user_t buf, int bufsiz)
{
    return read_link(dirfd, path, buf, bufsiz);
}
