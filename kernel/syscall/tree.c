/* Calls that change the tree of names: mkdir(2), link(2), rename(2) and so on. */
#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "lib/errno.h"
#include "lib/variable.h"
#include "syscall/calls.h"
#include "syscall/files.h"

/* Two calls whose second path or descriptor is bad: as on Linux, they look up the first before. A
 * rename to the root shows whether the walk to the first one's directory succeeds; it changes nothing. */
static int error_of_old_parent(const struct two_paths *call, int error)
{
    int found = umvfs_rename(&call->old.view.task, call->old.at, call->old.path, NULL, "/", 0);
    return found == -EBUSY || found == -EXDEV || found == 0 ? error : found;
}

static int error_of_old(const struct two_paths *call, unsigned flags, int error)
{
    unsigned nofollow = flags & UMVFS_AT_SYMLINK_FOLLOW ? 0 : UMVFS_AT_SYMLINK_NOFOLLOW;
    int found = umvfs_access(&call->old.view.task, call->old.at, call->old.path, 0,
                             nofollow | (flags & UMVFS_AT_EMPTY_PATH));
    return found ? found : error;
}

static long rename_at(int old_fd, user_t old_path, int new_fd, user_t new_path, unsigned flags)
{
    struct two_paths call;
    const unsigned others = UMVFS_RENAME_NOREPLACE | UMVFS_RENAME_WHITEOUT;
    if (flags & ~(others | UMVFS_RENAME_EXCHANGE) ||
        (flags & UMVFS_RENAME_EXCHANGE && flags & others))
        return -EINVAL;
    int error = two_paths(&call, old_fd, old_path, 0, new_fd, new_path);
    if (error && call.old_is_good)
        return error_of_old_parent(&call, error);
    return error ? error
                 : umvfs_rename(&call.old.view.task, call.old.at, call.old.path, call.new_at,
                                call.new_path, flags);
}

long sys_rename(user_t oldpath, user_t newpath)
{
    return rename_at(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

long sys_renameat(int olddirfd, user_t oldpath, int newdirfd, user_t newpath)
{
    return rename_at(olddirfd, oldpath, newdirfd, newpath, 0);
}

long sys_renameat2(int olddirfd, user_t oldpath, int newdirfd, user_t newpath, unsigned flags)
{
    return rename_at(olddirfd, oldpath, newdirfd, newpath, flags);
}

static long link_at(int old_fd, user_t old_path, int new_fd, user_t new_path, unsigned flags)
{
    struct two_paths call;
    if (flags & ~(UMVFS_AT_SYMLINK_FOLLOW | UMVFS_AT_EMPTY_PATH))
        return -EINVAL;
    int error = two_paths(&call, old_fd, old_path, flags, new_fd, new_path);
    if (error && call.old_is_good)
        return error_of_old(&call, flags, error);
    return error ? error
                 : umvfs_link(&call.old.view.task, call.old.at, call.old.path, call.new_at,
                              call.new_path, flags);
}

long sys_link(user_t oldpath, user_t newpath)
{
    return link_at(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

long sys_linkat(int olddirfd, user_t oldpath, int newdirfd, user_t newpath, unsigned flags)
{
    return link_at(olddirfd, oldpath, newdirfd, newpath, flags);
}

static long symlink_at(user_t target, int dirfd, user_t path)
{
    struct path_call call;
    const char *text;
    int error = path_from_user(PATH_SECOND, target, &text);
    if (!error && *text == '\0')
        error = -ENOENT;
    if (!error)
        error = path_call(&call, dirfd, path, 0);
    return error ? error : umvfs_symlink(&call.view.task, text, call.at, call.path);
}

long sys_symlink(user_t target, user_t linkpath)
{
    return symlink_at(target, AT_FDCWD, linkpath);
}

long sys_symlinkat(user_t target, int newdirfd, user_t linkpath)
{
    return symlink_at(target, newdirfd, linkpath);
}

static long make_directory(int dirfd, user_t path, umode_t mode)
{
    struct path_call call;
    int error = path_call(&call, dirfd, path, 0);
    return error ? error : umvfs_mkdir(&call.view.task, call.at, call.path, mode);
}

long sys_mkdir(user_t path, umode_t mode)
{
    return make_directory(AT_FDCWD, path, mode);
}

long sys_mkdirat(int dirfd, user_t path, umode_t mode)
{
    return make_directory(dirfd, path, mode);
}

static bool type_is_known(unsigned type)
{
    return type == 0 || UMVFS_S_ISREG(type) || UMVFS_S_ISCHR(type) || UMVFS_S_ISBLK(type) ||
           UMVFS_S_ISFIFO(type) || UMVFS_S_ISSOCK(type);
}

/* dev_t of Linux: minor bits 0-7 and 20-31, major bits 8-19. */
static long make_node(int dirfd, user_t path, umode_t mode, unsigned dev)
{
    struct path_call call;
    unsigned type = mode & UMVFS_S_IFMT;
    if (type == UMVFS_S_IFDIR)
        return -EPERM;
    if (!type_is_known(type))
        return -EINVAL;
    uint64_t major = dev >> 8 & 0xfff, minor = (dev & 0xff) | (dev >> 12 & 0xfff00);
    int error = path_call(&call, dirfd, path, 0);
    return error ? error
                 : umvfs_mknod(&call.view.task, call.at, call.path, mode, major << 8 | minor);
}

long sys_mknod(user_t path, umode_t mode, unsigned dev)
{
    return make_node(AT_FDCWD, path, mode, dev);
}

long sys_mknodat(int dirfd, user_t path, umode_t mode, unsigned dev)
{
    return make_node(dirfd, path, mode, dev);
}

static long remove_at(int dirfd, user_t path, unsigned flags)
{
    UNINITIALIZED struct path_call call; /* path_call() */
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    int error = path_call(&call, dirfd, path, 0);
    if (error)
        return error;
    return flags ? umvfs_rmdir(&call.view.task, call.at, call.path)
                 : umvfs_unlink(&call.view.task, call.at, call.path);
}

long sys_rmdir(user_t path)
{
    return remove_at(AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_unlink(user_t path)
{
    return remove_at(AT_FDCWD, path, 0);
}

long sys_unlinkat(int dirfd, user_t path, unsigned flags)
{
    return remove_at(dirfd, path, flags);
}
