/* Attributes of files: mode, owner, size. */
#include <umvfs/attr.h>

#include "file/files.h"
#include "lib/errno.h"
#include "syscall/calls.h"
#include "syscall/paths.h"

static long change_mode(int dirfd, user_t path, umode_t mode, unsigned flags)
{
    struct path_call call;
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_call(&call, dirfd, path);
    return error ? error : umvfs_chmod(&call.view.task, call.at, call.path, mode, flags);
}

long sys_chmod(user_t path, umode_t mode)
{
    return change_mode(AT_FDCWD, path, mode, 0);
}

long sys_fchmodat(int dirfd, user_t path, umode_t mode)
{
    return change_mode(dirfd, path, mode, 0);
}

long sys_fchmodat2(int dirfd, user_t path, umode_t mode, unsigned flags)
{
    return change_mode(dirfd, path, mode, flags);
}

long sys_fchmod(int fd, umode_t mode)
{
    struct path_call call;
    int error = file_call(&call, fd);
    return error ? error : umvfs_chmod(&call.view.task, call.at, "", mode, UMVFS_AT_EMPTY_PATH);
}

static long change_owner(int dirfd, user_t path, unsigned owner, unsigned group, unsigned flags)
{
    struct path_call call;
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = path_call(&call, dirfd, path);
    return error ? error : umvfs_chown(&call.view.task, call.at, call.path, owner, group, flags);
}

long sys_chown(user_t path, unsigned owner, unsigned group)
{
    return change_owner(AT_FDCWD, path, owner, group, 0);
}

long sys_lchown(user_t path, unsigned owner, unsigned group)
{
    return change_owner(AT_FDCWD, path, owner, group, UMVFS_AT_SYMLINK_NOFOLLOW);
}

long sys_fchownat(int dirfd, user_t path, unsigned owner, unsigned group, unsigned flags)
{
    return change_owner(dirfd, path, owner, group, flags);
}

long sys_fchown(int fd, unsigned owner, unsigned group)
{
    struct path_call call;
    int error = file_call(&call, fd);
    return error ? error
                 : umvfs_chown(&call.view.task, call.at, "", owner, group, UMVFS_AT_EMPTY_PATH);
}
