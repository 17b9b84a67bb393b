/* Files by descriptor and by path. */
#include <vfs/attr.h>
#include <vfs/tree.h>

#include "file/devices.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/paths.h"

#define O_CLOEXEC VFS_O_CLOEXEC
#define IOV_MAX   1024
#define RW_MAX    0x7ffff000ull /* the most that one read or write moves, as on Linux */

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC      1
#define SETFL_MASK      (VFS_O_APPEND | O_NONBLOCK | VFS_O_NOATIME)

static char path_buffers[2][VFS_PATH_MAX];

int path_from_user(enum path_slot slot, uint64_t user, const char **out)
{
    long n = copy_string_from_user(path_buffers[slot], user_ptr(user), VFS_PATH_MAX);
    *out = path_buffers[slot];
    return n < 0 ? (int)n : 0;
}

int file_of(int fd, struct file **out)
{
    *out = files_get(current_task->files, fd);
    return *out ? 0 : -EBADF;
}

int directory_of(int fd, const struct vfs_path **out)
{
    struct file *file;
    *out = NULL;
    if (fd == AT_FDCWD)
        return 0;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if (!file->vfs.inode)
        return -ENOTDIR;
    *out = &file->vfs.path;
    return 0;
}

int path_call(struct path_call *call, int fd, uint64_t path)
{
    task_vfs_view(current_task, false, &call->view);
    int error = path_from_user(PATH_FIRST, path, &call->path);
    call->at = NULL;
    if (!error && call->path[0] != '/')
        error = directory_of(fd, &call->at);
    return error;
}

static uint64_t descriptor_limit(void)
{
    uint64_t limit = current_task->limits[RLIMIT_NOFILE].soft;
    return limit < FILES_MAX ? limit : FILES_MAX;
}

static long open_at(int fd, uint64_t path, uint32_t flags, uint32_t mode)
{
    struct path_call call;
    struct file *file;
    int error = path_call(&call, fd, path);
    if (!error)
        error = file_open(&call.view.task, call.at, call.path, flags, mode, &file);
    if (error)
        return error;
    int installed =
        files_install(current_task->files, file, 0, descriptor_limit(), flags & O_CLOEXEC);
    if (installed < 0)
        file_put(file);
    return installed;
}

SYSCALL(open)
{
    return open_at(AT_FDCWD, a, (uint32_t)b, (uint32_t)c);
}

SYSCALL(openat)
{
    return open_at((int)a, b, (uint32_t)c, (uint32_t)d);
}

SYSCALL(close)
{
    return files_close(current_task->files, (int)a);
}

/* The whole range must be user addresses, also the part that one call does not get to. */
static long transfer_one(struct file *file, uint64_t buf, uint64_t size,
                         int64_t (*transfer)(struct file *, virt_t, size_t))
{
    if (buf > USER_END || size > USER_END - buf)
        return -EFAULT;
    return transfer(file, buf, size < RW_MAX ? size : RW_MAX);
}

SYSCALL(read)
{
    struct file *file;
    int error = file_of((int)a, &file);
    return error ? error : transfer_one(file, b, c, file_read);
}

SYSCALL(write)
{
    struct file *file;
    int error = file_of((int)a, &file);
    return error ? error : transfer_one(file, b, c, file_write);
}

/* pread and pwrite: with the offset put aside for the while. */
static long at_offset(int fd, uint64_t buf, uint64_t size, uint64_t offset,
                      int64_t (*transfer)(struct file *, virt_t, size_t))
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if ((int64_t)offset < 0)
        return -EINVAL;
    if (file->ops)
        return -ESPIPE;
    uint64_t kept = file->vfs.offset;
    file->vfs.offset = offset;
    long n = transfer_one(file, buf, size, transfer);
    file->vfs.offset = kept;
    return n;
}

SYSCALL(pread64)
{
    return at_offset((int)a, b, c, d, file_read);
}

SYSCALL(pwrite64)
{
    return at_offset((int)a, b, c, d, file_write);
}

/* Lengths are checked before the first byte moves: none negative, and their sum neither. */
static int check_vector(uint64_t vector, uint64_t count)
{
    uint64_t sum = 0;
    if (count > IOV_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t iov[2];
        if (copy_from_user(iov, user_ptr(vector + i * sizeof(iov)), sizeof(iov)) != 0)
            return -EFAULT;
        if (iov[1] > INT64_MAX || (sum += iov[1]) > INT64_MAX)
            return -EINVAL;
    }
    return 0;
}

static long vectored(int fd, uint64_t vector, uint64_t count,
                     int64_t (*transfer)(struct file *, virt_t, size_t))
{
    struct file *file;
    long total = 0;
    int error = file_of(fd, &file);
    if (error)
        return error;
    error = check_vector(vector, count);
    if (error)
        return error;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t iov[2];
        error = copy_from_user(iov, user_ptr(vector + i * sizeof(iov)), sizeof(iov));
        if (error)
            return total ? total : error;
        uint64_t room = RW_MAX - (uint64_t)total;
        if (iov[1] > room)
            iov[1] = room;
        if (iov[1] == 0)
            continue;
        long n = transfer_one(file, iov[0], iov[1], transfer);
        if (n < 0)
            return total ? total : n;
        total += n;
        if ((uint64_t)n < iov[1])
            break;
    }
    return total;
}

SYSCALL(readv)
{
    return vectored((int)a, b, c, file_read);
}

SYSCALL(writev)
{
    return vectored((int)a, b, c, file_write);
}

/* sendfile(2) from file to file; of other pairs Linux says EINVAL too, where it cannot, and programs
 * then read and write. */
SYSCALL(sendfile)
{
    static uint8_t page[PAGE_SIZE]; /* nothing sleeps between filling and writing it */
    struct file *to, *from;
    uint64_t offset;
    long total = 0;
    int error = file_of((int)a, &to);
    if (!error)
        error = file_of((int)b, &from);
    if (!error && c)
        error = copy_from_user(&offset, user_ptr(c), sizeof(offset));
    if (error)
        return error;
    if (to->ops || from->ops || (to->vfs.flags & VFS_O_APPEND) || (c && (int64_t)offset < 0))
        return -EINVAL;
    if (!c)
        offset = from->vfs.offset;
    for (uint64_t left = d < RW_MAX ? d : RW_MAX; left > 0;) {
        int64_t n = vfs_pread(&from->vfs, page, left < PAGE_SIZE ? left : PAGE_SIZE, offset);
        int64_t written = n > 0 ? vfs_write(&to->vfs, page, (size_t)n) : n;
        if (written <= 0) {
            total = total ? total : (long)written;
            break;
        }
        offset += (uint64_t)written;
        total += written;
        left -= (uint64_t)written;
    }
    if (!c)
        from->vfs.offset = offset;
    else if (copy_to_user(user_ptr(c), &offset, sizeof(offset)) != 0)
        return -EFAULT;
    return total;
}

SYSCALL(lseek)
{
    struct file *file;
    int error = file_of((int)a, &file);
    if (error)
        return error;
    if (file->ops && !file->vfs.inode)
        return -ESPIPE;
    return file->ops ? -ESPIPE : vfs_seek(&file->vfs, (int64_t)b, (int)c);
}

SYSCALL(ioctl)
{
    struct file *file;
    int error = file_of((int)a, &file);
    if (error)
        return error;
    return file->ops && file->ops->ioctl ? file->ops->ioctl(file, (unsigned)b, c) : -ENOTTY;
}

static long duplicate(int fd, int from, bool close_on_exec)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if (from < 0 || (uint64_t)from >= descriptor_limit())
        return -EINVAL;
    file_get(file);
    int installed =
        files_install(current_task->files, file, from, descriptor_limit(), close_on_exec);
    if (installed < 0)
        file_put(file);
    return installed;
}

SYSCALL(dup)
{
    return duplicate((int)a, 0, false);
}

static long duplicate_to(int fd, int to, bool close_on_exec)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    file_get(file);
    error = files_replace(current_task->files, to, file, descriptor_limit(), close_on_exec);
    if (error)
        file_put(file);
    return error ? error : to;
}

SYSCALL(dup2)
{
    struct file *file;
    if (a == b)
        return file_of((int)a, &file) ? -EBADF : (int)a;
    return duplicate_to((int)a, (int)b, false);
}

SYSCALL(dup3)
{
    if (a == b || (c & ~(uint64_t)O_CLOEXEC))
        return -EINVAL;
    return duplicate_to((int)a, (int)b, c & O_CLOEXEC);
}

SYSCALL(fcntl)
{
    struct file *file;
    int error = file_of((int)a, &file);
    if (error)
        return error;
    switch (b) {
    case F_DUPFD:
        return duplicate((int)a, (int)c, false);
    case F_DUPFD_CLOEXEC:
        return duplicate((int)a, (int)c, true);
    case F_GETFD:
        return current_task->files->close_on_exec[a] ? FD_CLOEXEC : 0;
    case F_SETFD:
        current_task->files->close_on_exec[a] = c & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return (long)(file->vfs.flags & ~(VFS_O_CREAT | VFS_O_EXCL | VFS_O_TRUNC | O_CLOEXEC));
    case F_SETFL:
        file->vfs.flags = (file->vfs.flags & ~SETFL_MASK) | ((uint32_t)c & SETFL_MASK);
        return 0;
    default:
        return -EINVAL;
    }
}

static long access_at(int fd, uint64_t path, uint32_t mask, unsigned flags)
{
    struct path_call call;
    int error = path_call(&call, fd, path);
    if (error)
        return error;
    if (!(flags & AT_EACCESS))
        task_vfs_view(current_task, true, &call.view);
    return vfs_access(&call.view.task, call.at, call.path, mask, flags & ~AT_EACCESS);
}

SYSCALL(access)
{
    return access_at(AT_FDCWD, a, (uint32_t)b, 0);
}

SYSCALL(faccessat)
{
    return access_at((int)a, b, (uint32_t)c, 0);
}

SYSCALL(faccessat2)
{
    return access_at((int)a, b, (uint32_t)c, (unsigned)d);
}

static long read_link(int fd, uint64_t path, uint64_t buf, uint64_t size)
{
    static char target[VFS_PATH_MAX];
    struct path_call call;
    if ((int64_t)size <= 0)
        return -EINVAL;
    int error = path_call(&call, fd, path);
    if (error)
        return error;
    int n = vfs_readlink(&call.view.task, call.at, call.path, VFS_AT_EMPTY_PATH, target,
                         size < sizeof(target) ? size : sizeof(target));
    if (n < 0)
        return n;
    return copy_to_user(user_ptr(buf), target, (size_t)n) == 0 ? n : -EFAULT;
}

SYSCALL(readlink)
{
    return read_link(AT_FDCWD, a, b, c);
}

SYSCALL(readlinkat)
{
    return read_link((int)a, b, c, d);
}

SYSCALL(umask)
{
    uint32_t old = current_task->fs->umask;
    current_task->fs->umask = (uint32_t)a & 0777;
    return (long)old;
}

SYSCALL(getcwd)
{
    static char name[VFS_PATH_MAX];
    int n = vfs_path_name(&current_task->fs->cwd, &current_task->fs->root, name, sizeof(name));
    if (n < 0)
        return n;
    if (b < (uint64_t)n + 1)
        return -ERANGE;
    if (!vfs_path_linked(&current_task->fs->cwd))
        return -ENOENT;
    return copy_to_user(user_ptr(a), name, (size_t)n + 1) == 0 ? n + 1 : -EFAULT;
}

static void change_directory(struct vfs_path *to)
{
    struct vfs_path old = current_task->fs->cwd;
    current_task->fs->cwd = *to;
    vfs_path_put(&old);
}

SYSCALL(chdir)
{
    struct path_call call;
    struct vfs_path place;
    int error = path_call(&call, AT_FDCWD, a);
    if (!error)
        error = vfs_lookup_dir(&call.view.task, NULL, call.path, 0, &place);
    if (!error)
        change_directory(&place);
    return error;
}

SYSCALL(fchdir)
{
    struct file *file;
    struct vfs_task_view view;
    struct vfs_path place;
    int error = file_of((int)a, &file);
    if (error)
        return error;
    if (!file->vfs.inode)
        return -ENOTDIR;
    task_vfs_view(current_task, false, &view);
    error = vfs_lookup_dir(&view.task, &file->vfs.path, "", VFS_AT_EMPTY_PATH, &place);
    if (!error)
        change_directory(&place);
    return error;
}
