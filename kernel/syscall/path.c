/* Changing the tree of names and the attributes of what is in it. */
#include <vfs/attr.h>
#include <vfs/tree.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/paths.h"

#define UTIME_NOW   0x3fffffff
#define UTIME_OMIT  0x3ffffffe
#define TMPFS_MAGIC 0x01021994

/* A call with two paths, the second in the other buffer. */
struct two_paths {
    struct path_call old;
    const struct vfs_path *new_at;
    const char *new_path;
};

static int two_paths(struct two_paths *call, int old_fd, uint64_t old_path, int new_fd,
                     uint64_t new_path)
{
    int error = path_call(&call->old, old_fd, old_path);
    if (!error)
        error = path_from_user(PATH_SECOND, new_path, &call->new_path);
    call->new_at = NULL;
    if (!error && call->new_path[0] != '/')
        error = directory_of(new_fd, &call->new_at);
    return error;
}

static long rename_at(int old_fd, uint64_t old_path, int new_fd, uint64_t new_path, unsigned flags)
{
    struct two_paths call;
    int error = two_paths(&call, old_fd, old_path, new_fd, new_path);
    return error ? error
                 : vfs_rename(&call.old.view.task, call.old.at, call.old.path, call.new_at,
                              call.new_path, flags);
}

SYSCALL(rename)
{
    return rename_at(AT_FDCWD, a, AT_FDCWD, b, 0);
}

SYSCALL(renameat)
{
    return rename_at((int)a, b, (int)c, d, 0);
}

SYSCALL(renameat2)
{
    return rename_at((int)a, b, (int)c, d, (unsigned)e);
}

static long link_at(int old_fd, uint64_t old_path, int new_fd, uint64_t new_path, unsigned flags)
{
    struct two_paths call;
    int error = two_paths(&call, old_fd, old_path, new_fd, new_path);
    return error ? error
                 : vfs_link(&call.old.view.task, call.old.at, call.old.path, call.new_at,
                            call.new_path, flags);
}

SYSCALL(link)
{
    return link_at(AT_FDCWD, a, AT_FDCWD, b, 0);
}

SYSCALL(linkat)
{
    return link_at((int)a, b, (int)c, d, (unsigned)e);
}

static long symlink_at(uint64_t target, int fd, uint64_t path)
{
    struct path_call call;
    const char *text;
    int error = path_call(&call, fd, path);
    if (!error)
        error = path_from_user(PATH_SECOND, target, &text);
    return error ? error : vfs_symlink(&call.view.task, text, call.at, call.path);
}

SYSCALL(symlink)
{
    return symlink_at(a, AT_FDCWD, b);
}

SYSCALL(symlinkat)
{
    return symlink_at(a, (int)b, c);
}

static long make_directory(int fd, uint64_t path, uint32_t mode)
{
    struct path_call call;
    int error = path_call(&call, fd, path);
    return error ? error : vfs_mkdir(&call.view.task, call.at, call.path, mode);
}

SYSCALL(mkdir)
{
    return make_directory(AT_FDCWD, a, (uint32_t)b);
}

SYSCALL(mkdirat)
{
    return make_directory((int)a, b, (uint32_t)c);
}

/* dev_t of Linux: minor bits 0-7 and 20-31, major bits 8-19. */
static long make_node(int fd, uint64_t path, uint32_t mode, uint64_t device)
{
    struct path_call call;
    uint64_t major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);
    int error = path_call(&call, fd, path);
    return error ? error : vfs_mknod(&call.view.task, call.at, call.path, mode, major << 8 | minor);
}

SYSCALL(mknod)
{
    return make_node(AT_FDCWD, a, (uint32_t)b, c);
}

SYSCALL(mknodat)
{
    return make_node((int)a, b, (uint32_t)c, d);
}

static long remove_at(int fd, uint64_t path, unsigned flags)
{
    struct path_call call;
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    int error = path_call(&call, fd, path);
    if (error)
        return error;
    return flags ? vfs_rmdir(&call.view.task, call.at, call.path)
                 : vfs_unlink(&call.view.task, call.at, call.path);
}

SYSCALL(rmdir)
{
    return remove_at(AT_FDCWD, a, AT_REMOVEDIR);
}

SYSCALL(unlink)
{
    return remove_at(AT_FDCWD, a, 0);
}

SYSCALL(unlinkat)
{
    return remove_at((int)a, b, (unsigned)c);
}

/* The calls that take an open file instead of a path: "" at its place. */
static int file_call(struct path_call *call, int fd)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    vfs_view_of(current_process, false, &call->view);
    call->at = &file->vfs.path;
    call->path = "";
    return 0;
}

static long change_mode(int fd, uint64_t path, uint32_t mode)
{
    struct path_call call;
    int error = path_call(&call, fd, path);
    return error ? error : vfs_chmod(&call.view.task, call.at, call.path, mode, 0);
}

SYSCALL(chmod)
{
    return change_mode(AT_FDCWD, a, (uint32_t)b);
}

SYSCALL(fchmodat)
{
    return change_mode((int)a, b, (uint32_t)c);
}

SYSCALL(fchmod)
{
    struct path_call call;
    int error = file_call(&call, (int)a);
    return error ? error : vfs_chmod(&call.view.task, call.at, "", (uint32_t)b, VFS_AT_EMPTY_PATH);
}

static long change_owner(int fd, uint64_t path, uint32_t uid, uint32_t gid, unsigned flags)
{
    struct path_call call;
    int error = path_call(&call, fd, path);
    return error ? error : vfs_chown(&call.view.task, call.at, call.path, uid, gid, flags);
}

SYSCALL(chown)
{
    return change_owner(AT_FDCWD, a, (uint32_t)b, (uint32_t)c, 0);
}

SYSCALL(lchown)
{
    return change_owner(AT_FDCWD, a, (uint32_t)b, (uint32_t)c, VFS_AT_SYMLINK_NOFOLLOW);
}

SYSCALL(fchownat)
{
    return change_owner((int)a, b, (uint32_t)c, (uint32_t)d, (unsigned)e);
}

SYSCALL(fchown)
{
    struct path_call call;
    int error = file_call(&call, (int)a);
    return error ? error
                 : vfs_chown(&call.view.task, call.at, "", (uint32_t)b, (uint32_t)c,
                             VFS_AT_EMPTY_PATH);
}

SYSCALL(truncate)
{
    struct path_call call;
    if ((int64_t)b < 0)
        return -EINVAL;
    struct vfs_stat stat = {0};
    int error = path_call(&call, AT_FDCWD, a);
    if (!error && b > current_process->limits[RLIMIT_FSIZE].soft)
        error = vfs_stat(&call.view.task, call.at, call.path, 0, &stat);
    if (!error && VFS_S_ISREG(stat.mode))
        error = file_check_new_size(stat.size, b);
    return error ? error : vfs_truncate(&call.view.task, call.at, call.path, b);
}

SYSCALL(ftruncate)
{
    struct file *file;
    int error = file_of((int)a, &file);
    if (error)
        return error;
    if ((int64_t)b < 0 || file->ops)
        return -EINVAL;
    error = file_check_new_size(vfs_inode_size(file->vfs.inode), b);
    return error ? error : vfs_file_truncate(&file->vfs, b);
}

SYSCALL(fallocate)
{
    struct file *file;
    int error = file_of((int)a, &file);
    if (error)
        return error;
    if ((int64_t)c < 0 || (int64_t)d <= 0)
        return -EINVAL;
    if (file->ops)
        return -ESPIPE;
    if (!(b & VFS_FALLOC_KEEP_SIZE))
        error = file_check_new_size(vfs_inode_size(file->vfs.inode), c + d);
    return error ? error : vfs_fallocate(&file->vfs, (uint32_t)b, c, d);
}

static int time_of(const struct timespec *time, int64_t *out)
{
    if (time->nanoseconds == UTIME_NOW || time->nanoseconds == UTIME_OMIT) {
        *out = time->nanoseconds == UTIME_NOW ? VFS_TIME_NOW : VFS_TIME_OMIT;
        return 0;
    }
    if (time->nanoseconds < 0 || time->nanoseconds >= (int64_t)NS_PER_SECOND)
        return -EINVAL;
    if (time->seconds > INT64_MAX / (int64_t)NS_PER_SECOND - 1 ||
        time->seconds < -(INT64_MAX / (int64_t)NS_PER_SECOND - 1))
        return -EINVAL;
    *out = time->seconds * (int64_t)NS_PER_SECOND + time->nanoseconds;
    return 0;
}

static long set_times(int fd, uint64_t path, const struct timespec times[2], unsigned flags)
{
    struct path_call call;
    int64_t atime, mtime;
    int error = path ? path_call(&call, fd, path) : file_call(&call, fd);
    if (!error)
        error = time_of(&times[0], &atime);
    if (!error)
        error = time_of(&times[1], &mtime);
    if (error)
        return error;
    return vfs_utimens(&call.view.task, call.at, call.path, atime, mtime,
                       path ? flags : VFS_AT_EMPTY_PATH);
}

SYSCALL(utimensat)
{
    struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (c && copy_from_user(times, user_ptr(c), sizeof(times)) != 0)
        return -EFAULT;
    return set_times((int)a, b, times, (unsigned)d);
}

SYSCALL(utimes)
{
    struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (b && copy_from_user(times, user_ptr(b), sizeof(times)) != 0)
        return -EFAULT;
    for (unsigned i = 0; b && i < 2; i++) {
        if (times[i].nanoseconds < 0 || times[i].nanoseconds >= 1000000)
            return -EINVAL;
        times[i].nanoseconds *= 1000;
    }
    return set_times(AT_FDCWD, a, times, 0);
}

static int put_statfs(const struct vfs_statfs *from, uint64_t user)
{
    uint64_t total = from->pages ? from->pages : frame_total();
    uint64_t left = from->pages ? from->pages - from->pages_used : frame_count(FRAME_FREE);
    int64_t to[15] = {
        [0] = TMPFS_MAGIC,
        [1] = (int64_t)PAGE_SIZE,
        [2] = (int64_t)total,
        [3] = (int64_t)left,
        [4] = (int64_t)left,
        [5] = (int64_t)from->inodes,
        [6] = from->inodes ? (int64_t)(from->inodes - from->inodes_used) : 0,
        [8] = VFS_NAME_MAX,
        [9] = (int64_t)PAGE_SIZE,
        [10] = from->mount_flags,
    };
    return copy_to_user(user_ptr(user), to, sizeof(to));
}

SYSCALL(statfs)
{
    struct path_call call;
    struct vfs_path place;
    struct vfs_statfs stat;
    int error = path_call(&call, AT_FDCWD, a);
    if (!error)
        error = vfs_lookup(&call.view.task, call.at, call.path, 0, 0, &place);
    if (error)
        return error;
    error = vfs_statfs(&place, &stat);
    vfs_path_put(&place);
    return error ? error : put_statfs(&stat, b);
}

SYSCALL(fstatfs)
{
    struct file *file;
    struct vfs_statfs stat = {0};
    int error = file_of((int)a, &file);
    if (!error)
        error = vfs_statfs(&file->vfs.path, &stat);
    return error ? error : put_statfs(&stat, b);
}

SYSCALL(fsync)
{
    struct file *file;
    int error = file_of((int)a, &file);
    return error ? error : file->ops ? -EINVAL : 0;
}

SYSCALL(fdatasync)
{
    return sys_fsync(a, 0, 0, 0, 0, 0);
}

SYSCALL(sync)
{
    return 0;
}
