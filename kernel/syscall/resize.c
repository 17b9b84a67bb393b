/* The size of files. */
#include <umvfs/attr.h>
#include <umvfs/page.h>

#include "file/files.h"
#include "file/root.h"
#include "lib/errno.h"
#include "lib/variable.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "task/process.h"
#include "task/sched.h"

/* RLIMIT_FSIZE: a file may not grow beyond it. Sends SIGXFSZ and returns -EFBIG. */
static int check_growth(const struct umvfs_stat *stat, uint64_t size)
{
    size_t byte = 1;
    return size > stat->size ? file_check_size_limit(size - 1, &byte) : 0;
}

static int check_file_growth(const struct file *file, uint64_t size)
{
    struct umvfs_stat stat;
    int error = umvfs_inode_stat(file->vfs.inode, &stat);
    return error ? error : check_growth(&stat, size);
}

/* What a file's set-user-id bits become depends on who resizes it. */
static int truncate_as_caller(struct umvfs_file *file, uint64_t length)
{
    UNINITIALIZED struct vfs_view view; /* vfs_view_of() */
    vfs_view_of(current_process, false, &view);
    return umvfs_file_truncate_as(file, &view.cred, length);
}

static int fallocate_as_caller(struct umvfs_file *file, unsigned mode, uint64_t at, uint64_t len)
{
    UNINITIALIZED struct vfs_view view; /* vfs_view_of() */
    vfs_view_of(current_process, false, &view);
    return umvfs_fallocate_as(file, &view.cred, mode, at, len);
}

#define CHUNK ((size_t)8192) /* pages between two scheduling points */

/* Pages that are held beyond the end of the file go as well. */
static int cut_at(struct umvfs_file *file, uint64_t at)
{
    if (at < umvfs_inode_size(file->inode))
        return truncate_as_caller(file, at);
    return fallocate_as_caller(file, UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE, at,
                               UMVFS_FILE_SIZE_MAX - at);
}

/* A file that becomes much shorter does so in steps, from its end on, with scheduling points between: others see
 * lengths between the old one and the new. A process that is ended meanwhile leaves one of these. */
static int file_shorten(struct umvfs_file *file, uint64_t length)
{
    uint64_t tail;
    while ((tail = umvfs_inode_tail(file->inode, CHUNK)) > length) {
        int error = cut_at(file, tail);
        if (!error)
            error = sched_point();
        if (error)
            return error;
    }
    return truncate_as_caller(file, length);
}

/* Names are looked up once: what is checked, and shortened in steps, is one file. As on Linux, whether it may be
 * written at all comes before how large it may become. */
static int resize_named(const struct path_call *call, uint64_t length)
{
    struct umvfs_file file;
    struct umvfs_stat stat;
    int error = umvfs_open(&call->view.task, call->at, call->path, UMVFS_O_WRONLY, 0, 0, &file);
    if (error)
        return error;
    error = umvfs_inode_stat(file.inode, &stat);
    if (!error)
        error = check_growth(&stat, length);
    if (!error)
        error = file_shorten(&file, length);
    umvfs_close(&file);
    return error;
}

long sys_truncate(user_t path, int64_t length)
{
    struct path_call call;
    struct umvfs_stat stat;
    uint64_t size = (uint64_t)length;
    if (length < 0)
        return -EINVAL;
    int error = path_call(&call, AT_FDCWD, path, 0);
    if (!error)
        error = umvfs_stat(&call.view.task, call.at, call.path, 0, &stat);
    if (error)
        return error;
    if (UMVFS_S_ISREG(stat.mode) && (size > stat.size || stat.blocks > CHUNK * (PAGE_SIZE / 512)))
        return resize_named(&call, size);
    return umvfs_truncate(&call.view.task, call.at, call.path, size);
}

long sys_ftruncate(int fd, int64_t length)
{
    struct file *file;
    if (length < 0)
        return -EINVAL;
    int error = file_of(fd, &file);
    if (!error &&
        (file->ops || !file_may_write(file) || !UMVFS_S_ISREG(umvfs_inode_mode(file->vfs.inode))))
        error = -EINVAL;
    if (!error)
        error = check_file_growth(file, (uint64_t)length);
    return error ? error : file_shorten(&file->vfs, (uint64_t)length);
}

/* The next part of [at, end) that one call may work on: so many pages, or only so many of those that are held. */
static uint64_t part_end(const struct umvfs_file *file, unsigned mode, uint64_t at, uint64_t end)
{
    uint64_t step = page_floor(at) + CHUNK * PAGE_SIZE;
    if (mode & UMVFS_FALLOC_PUNCH_HOLE)
        return umvfs_inode_span(file->inode, at, end, CHUNK);
    return end > step ? step : end;
}

/* After an error what was made beyond the end of the file is given back; within it, where holes and zeros are the
 * same to a reader, it stays. The end is another one after each scheduling point at which somebody has written. */
static void give_back(struct umvfs_file *file, uint64_t offset, uint64_t end)
{
    unsigned mode = UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE;
    for (uint64_t at = offset, next;; at = next) {
        uint64_t size = page_ceil(umvfs_inode_size(file->inode));
        at = at > size ? at : size;
        if (at >= end)
            return;
        next = part_end(file, mode, at, end);
        (void)fallocate_as_caller(file, mode, at, next - at);
        (void)sched_point();
    }
}

/* A large range in steps, with scheduling points between. The last one sets the size. */
static int allocate(struct umvfs_file *file, unsigned mode, uint64_t offset, uint64_t len)
{
    uint64_t at = offset, end = offset + len, next;
    int error = 0;
    bool is_valid = end <= UMVFS_FILE_SIZE_MAX && UMVFS_S_ISREG(umvfs_inode_mode(file->inode));
    while (is_valid && !error && (next = part_end(file, mode, at, end)) < end) {
        error = fallocate_as_caller(file, mode | UMVFS_FALLOC_KEEP_SIZE, at, next - at);
        at = error ? at : next;
        if (!error)
            error = sched_point();
    }
    if (!error)
        error = fallocate_as_caller(file, mode, at, end - at);
    if (error && at > offset && !(mode & UMVFS_FALLOC_PUNCH_HOLE))
        give_back(file, offset, at);
    return error;
}

#define FALLOCATE_MODES                                                                            \
    0x7bu /* of all file systems of Linux: what others lack comes after the checks of the file */

long sys_fallocate(int fd, unsigned mode, int64_t offset, int64_t len)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if (offset < 0 || len <= 0)
        return -EINVAL;
    if ((mode & ~FALLOCATE_MODES) ||
        ((mode & UMVFS_FALLOC_PUNCH_HOLE) && !(mode & UMVFS_FALLOC_KEEP_SIZE)))
        return -EOPNOTSUPP;
    if (!file_may_write(file))
        return -EBADF;
    if (UMVFS_S_ISFIFO(umvfs_inode_mode(file->vfs.inode)))
        return -ESPIPE;
    if (file->ops)
        return -ENODEV;
    uint64_t end = (uint64_t)offset + (uint64_t)len;
    error = mode & UMVFS_FALLOC_PUNCH_HOLE ? 0 : check_file_growth(file, end);
    return error ? error : allocate(&file->vfs, mode, (uint64_t)offset, (uint64_t)len);
}

#define ADVICE_LAST 5 /* POSIX_FADV_NOREUSE */

/* Files are in memory already, so advice has no effect. */
long sys_fadvise64(int fd, int64_t offset, size_t len, int advice)
{
    struct file *file;
    int error = file_of(fd, &file);
    (void)offset;
    if (error)
        return error;
    if (UMVFS_S_ISFIFO(umvfs_inode_mode(file->vfs.inode)))
        return -ESPIPE;
    return len > INT64_MAX || advice < 0 || advice > ADVICE_LAST ? -EINVAL : 0;
}

long sys_syncfs(int fd)
{
    struct file *file;
    return file_of(fd, &file);
}

/* Files are in memory already. */
long sys_readahead(int fd, int64_t offset, size_t count)
{
    struct file *file;
    (void)offset;
    if (file_of(fd, &file) != 0 || !file_may_read(file))
        return -EBADF;
    return count > INT64_MAX || file->ops || !UMVFS_S_ISREG(umvfs_inode_mode(file->vfs.inode))
               ? -EINVAL
               : 0;
}

#define SYNC_FILE_RANGE_ALL 7u

long sys_sync_file_range(int fd, int64_t offset, int64_t nbytes, unsigned flags)
{
    struct file *file;
    int64_t end;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if ((flags & ~SYNC_FILE_RANGE_ALL) || offset < 0 || nbytes < 0 ||
        __builtin_add_overflow(offset, nbytes, &end))
        return -EINVAL;
    uint32_t mode = umvfs_inode_mode(file->vfs.inode);
    return UMVFS_S_ISREG(mode) || UMVFS_S_ISDIR(mode) ? 0 : -ESPIPE;
}
