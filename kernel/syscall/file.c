/* Files by descriptor and by path. */
#include <vfs/attr.h>
#include <vfs/tree.h>

#include "file/devices.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
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

int any_file_of(int fd, struct file **out)
{
    *out = files_use((unsigned)fd);
    return *out ? 0 : -EBADF;
}

int directory_of(int fd, const struct vfs_path **out)
{
    struct file *file;
    *out = NULL;
    if (fd == AT_FDCWD)
        return 0;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    *out = &file->vfs.path;
    return 0;
}

int path_call(struct path_call *call, int fd, uint64_t path)
{
    vfs_view_of(current_process, false, &call->view);
    int error = path_from_user(PATH_FIRST, path, &call->path);
    call->at = NULL;
    if (!error && call->path[0] != '/')
        error = directory_of(fd, &call->at);
    return error;
}

uint64_t descriptor_limit(void)
{
    uint64_t limit = current_process->limits[RLIMIT_NOFILE].soft;
    return limit < FILES_MAX ? limit : FILES_MAX;
}

static long open_at(int fd, uint64_t path, uint32_t flags, uint32_t mode)
{
    struct path_call call;
    struct file *file;
    int error = path_call(&call, fd, path);
    if (!error)
        error = file_open(&call.view.task, call.at, call.path, flags, mode, 0, &file);
    if (error)
        return error;
    int installed =
        files_install(current_process->files, file, 0, descriptor_limit(), flags & O_CLOEXEC);
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
    return files_close(current_process->files, (unsigned)a);
}

/* The user memory of a call with one buffer. */
struct single {
    struct user_range range;
    struct user_iter iter;
};

/* All of it must be user addresses, also the part that the call does not get to. */
static inline int single_range(struct single *s, uint64_t base, uint64_t size)
{
    if (base > USER_END || size > USER_END - base)
        return -EFAULT;
    s->range = (struct user_range){user_ptr(base), size};
    s->iter = (struct user_iter){&s->range, 0, size < RW_MAX ? size : RW_MAX};
    return 0;
}

/* That of a call with a vector: copied in once. */
struct vector {
    struct user_range *range, few[8];
    struct user_iter iter;
};

static void vector_free(struct vector *v)
{
    if (v->range != v->few)
        slab_free(v->range);
}

static int check_ranges(struct vector *v, uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t base = v->range[i].base.value, size = v->range[i].size;
        if (size > INT64_MAX)
            return -EINVAL;
        if (base > USER_END || size > USER_END - base)
            return -EFAULT;
        sum = sum + size < RW_MAX ? sum + size : RW_MAX;
    }
    v->iter = (struct user_iter){v->range, 0, sum};
    return 0;
}

static int vector_from_user(struct vector *v, uint64_t user, uint64_t count)
{
    _Static_assert(sizeof(struct user_range) == 16, "struct iovec");
    v->range = v->few;
    if (count > IOV_MAX)
        return -EINVAL;
    if (count > sizeof(v->few) / sizeof(v->few[0]))
        v->range = slab_alloc(count * sizeof(v->range[0]));
    if (!v->range)
        return -ENOMEM;
    int error = copy_from_user(v->range, user_ptr(user), count * sizeof(v->range[0]));
    if (!error)
        error = check_ranges(v, count);
    if (error)
        vector_free(v);
    return error;
}

/* The whole buffer must be user addresses, also the part that the call does not get to. */
static bool is_user_range(uint64_t base, uint64_t size)
{
    return base <= USER_END && size <= USER_END - base;
}

SYSCALL(read)
{
    struct file *file;
    if (file_of((int)a, &file) != 0)
        return -EBADF;
    if (!is_user_range(b, c))
        return -EFAULT;
    return file_read_buffer(file, user_ptr(b), c < RW_MAX ? c : RW_MAX);
}

SYSCALL(write)
{
    struct file *file;
    if (file_of((int)a, &file) != 0)
        return -EBADF;
    if (!is_user_range(b, c))
        return -EFAULT;
    return file_write_buffer(file, user_ptr(b), c < RW_MAX ? c : RW_MAX);
}

/* pread and pwrite. */
static long at_offset(int fd, uint64_t buf, uint64_t size, uint64_t offset,
                      int64_t (*transfer)(struct file *, struct user_iter *, uint64_t *))
{
    struct file *file;
    struct single v;
    if ((int64_t)offset < 0)
        return -EINVAL;
    int error = file_of(fd, &file);
    if (!error)
        error = single_range(&v, buf, size);
    return error ? error : transfer(file, &v.iter, &offset);
}

SYSCALL(pread64)
{
    return at_offset((int)a, b, c, d, file_pread);
}

SYSCALL(pwrite64)
{
    return at_offset((int)a, b, c, d, file_pwrite);
}

static long vectored(int fd, uint64_t vector, uint64_t count,
                     int64_t (*transfer)(struct file *, struct user_iter *))
{
    struct file *file;
    struct vector v;
    int error = file_of(fd, &file);
    if (!error)
        error = vector_from_user(&v, vector, count);
    if (error)
        return error;
    long n = transfer(file, &v.iter);
    vector_free(&v);
    return n;
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
        size_t allowed = n > 0 ? (size_t)n : 0;
        if (n > 0 && (error = file_check_size_limit(to->vfs.offset, &allowed)) != 0)
            n = error;
        int64_t written = n > 0 ? vfs_write(&to->vfs, page, allowed) : n;
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
    return file_seek(file, (int64_t)b, (int)c);
}

SYSCALL(ioctl)
{
    struct file *file;
    int error = file_of((int)a, &file);
    if (error)
        return error;
    return file->ops && file->ops->ioctl ? file->ops->ioctl(file, (unsigned)b, c) : -ENOTTY;
}

static long duplicate(int fd, unsigned from, bool close_on_exec)
{
    struct file *file;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    file_get(file);
    int installed =
        files_install(current_process->files, file, from, descriptor_limit(), close_on_exec);
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
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    file_get(file);
    error = files_replace(current_process->files, (unsigned)to, file, descriptor_limit(),
                          close_on_exec);
    if (error)
        file_put(file);
    return error ? error : to;
}

SYSCALL(dup2)
{
    struct file *file;
    if ((uint32_t)a == (uint32_t)b)
        return any_file_of((int)a, &file) ? -EBADF : (int)a;
    return duplicate_to((int)a, (int)b, false);
}

SYSCALL(dup3)
{
    if ((uint32_t)a == (uint32_t)b || ((uint32_t)c & ~O_CLOEXEC))
        return -EINVAL;
    return duplicate_to((int)a, (int)b, c & O_CLOEXEC);
}

static long duplicate_from(int fd, uint64_t from, bool close_on_exec)
{
    return from >= descriptor_limit() ? -EINVAL : duplicate(fd, (unsigned)from, close_on_exec);
}

SYSCALL(fcntl)
{
    struct file *file;
    unsigned fd = (unsigned)a;
    uint8_t *close_on_exec;
    int error = any_file_of((int)fd, &file);
    if (error)
        return error;
    close_on_exec = &current_process->files->close_on_exec[fd];
    switch ((unsigned)b) {
    case F_DUPFD:
        return duplicate_from((int)fd, (uint32_t)c, false);
    case F_DUPFD_CLOEXEC:
        return duplicate_from((int)fd, (uint32_t)c, true);
    case F_GETFD:
        return *close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
        *close_on_exec = c & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return (long)(file->vfs.flags & ~(VFS_O_CREAT | VFS_O_EXCL | VFS_O_TRUNC | O_CLOEXEC));
    case F_SETFL:
        if (file->vfs.flags & VFS_O_PATH)
            return -EBADF;
        file->vfs.flags = (file->vfs.flags & ~SETFL_MASK) | ((uint32_t)c & SETFL_MASK);
        return 0;
    default:
        return file->vfs.flags & VFS_O_PATH ? -EBADF : -EINVAL;
    }
}

static long access_at(int fd, uint64_t path, uint32_t mask, unsigned flags)
{
    struct path_call call;
    int error = path_call(&call, fd, path);
    if (error)
        return error;
    if (!(flags & AT_EACCESS))
        vfs_view_of(current_process, true, &call.view);
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
    uint32_t old = current_process->fs->umask;
    current_process->fs->umask = (uint32_t)a & 0777;
    return (long)old;
}

SYSCALL(getcwd)
{
    static char name[VFS_PATH_MAX];
    int n =
        vfs_path_name(&current_process->fs->cwd, &current_process->fs->root, name, sizeof(name));
    if (n < 0)
        return n;
    if (b < (uint64_t)n + 1)
        return -ERANGE;
    if (!vfs_path_linked(&current_process->fs->cwd))
        return -ENOENT;
    return copy_to_user(user_ptr(a), name, (size_t)n + 1) == 0 ? n + 1 : -EFAULT;
}

static void change_directory(struct vfs_path *to)
{
    struct vfs_path old = current_process->fs->cwd;
    current_process->fs->cwd = *to;
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
    struct vfs_view view;
    struct vfs_path place;
    int error = any_file_of((int)a, &file);
    if (error)
        return error;
    vfs_view_of(current_process, false, &view);
    error = vfs_lookup_dir(&view.task, &file->vfs.path, "", VFS_AT_EMPTY_PATH, &place);
    if (!error)
        change_directory(&place);
    return error;
}
