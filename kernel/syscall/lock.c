/* flock(2), and the record locks of fcntl(2). */

#include "file/files.h"
#include "file/locks.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "task/process.h"

#define F_GETLK      5
#define F_SETLKW     7
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#define SEEK_SET     0
#define SEEK_CUR     1
#define SEEK_END     2
#define LOCK_SH      1u
#define LOCK_EX      2u
#define LOCK_NB      4u
#define LOCK_UN      8u
#define LOCK_MAND    32u

/* struct flock of Linux on x86-64 */
struct user_flock {
    int16_t type; /* enum umvfs_lock_type */
    int16_t whence;
    int32_t pad;
    int64_t start;
    int64_t len;
    int32_t pid;
    int32_t pad_end;
};
_Static_assert(sizeof(struct user_flock) == 32, "a part of the ABI");

/* The bytes that a request is about. A negative length counts backwards; 0 is up to the end. */
static int range_of(const struct file *file, const struct user_flock *flock,
                    struct umvfs_lock *lock)
{
    int64_t base = 0, start, end = UMVFS_LOCK_END;
    if (flock->whence == SEEK_CUR)
        base = (int64_t)file->vfs.offset;
    else if (flock->whence == SEEK_END)
        base = (int64_t)umvfs_inode_size(file->vfs.inode);
    else if (flock->whence != SEEK_SET)
        return -EINVAL;
    if (__builtin_add_overflow(base, flock->start, &start))
        return flock->start > 0 ? -EOVERFLOW : -EINVAL;
    if (start < 0)
        return -EINVAL;
    if (flock->len > 0 && __builtin_add_overflow(start, flock->len - 1, &end))
        return -EOVERFLOW;
    if (flock->len < 0) {
        end = start - 1;
        if (__builtin_add_overflow(start, flock->len, &start) || start < 0)
            return -EINVAL;
    }
    lock->start = (uint64_t)start;
    lock->end = (uint64_t)end;
    return 0;
}

static int request_of(const struct file *file, bool ofd, const struct user_flock *flock,
                      struct umvfs_lock *lock)
{
    *lock = (struct umvfs_lock){.file = file->vfs.inode,
                                .owner = ofd ? (const void *)file : current_process->files,
                                .pid = ofd ? -1 : current_process->pid,
                                .kind = ofd ? UMVFS_LOCK_OFD : UMVFS_LOCK_POSIX,
                                .type = (enum umvfs_lock_type)flock->type};
    int error = range_of(file, flock, lock);
    if (!error && (flock->type < UMVFS_LOCK_READ || flock->type > UMVFS_LOCK_NONE))
        error = -EINVAL;
    return error;
}

static long get_lock(const struct file *file, bool ofd, user_t user, struct user_flock *flock)
{
    struct umvfs_lock lock, found;
    if (flock->type != UMVFS_LOCK_READ && flock->type != UMVFS_LOCK_WRITE)
        return -EINVAL;
    int error = request_of(file, ofd, flock, &lock);
    if (error || (ofd && flock->pid != 0))
        return error ? error : -EINVAL;
    if (umvfs_lock_get(&file_locks, &lock, &found)) {
        flock->type = (int16_t)found.type;
        flock->whence = SEEK_SET;
        flock->start = (int64_t)found.start;
        flock->len = found.end == UMVFS_LOCK_END ? 0 : (int64_t)(found.end - found.start + 1);
        flock->pid = found.pid;
    } else {
        flock->type = UMVFS_LOCK_NONE;
    }
    return copy_to_user(user, flock, sizeof(*flock));
}

/* A descriptor that was closed during the sleep takes the lock with it: nobody else would. */
static long set_lock(struct file *file, int fd, bool ofd, bool wait, const struct user_flock *flock)
{
    struct umvfs_lock lock;
    int error = request_of(file, ofd, flock, &lock);
    if (error)
        return error;
    if ((lock.type == UMVFS_LOCK_READ && !file_may_read(file)) ||
        (lock.type == UMVFS_LOCK_WRITE && !file_may_write(file)))
        return -EBADF;
    if (ofd && flock->pid != 0)
        return -EINVAL;
    file_get(file);
    error = locks_set(&lock, wait);
    if (!error && !ofd && files_peek(current_process->files, (unsigned)fd) != file) {
        locks_descriptor_closed(current_process->files, file);
        error = -EBADF;
    }
    file_put(file);
    return error;
}

long fcntl_lock(struct file *file, int fd, unsigned cmd, user_t user)
{
    struct user_flock flock;
    bool ofd = cmd >= F_OFD_GETLK;
    if (copy_from_user(&flock, user, sizeof(flock)) != 0)
        return -EFAULT;
    if (cmd == F_GETLK || cmd == F_OFD_GETLK)
        return get_lock(file, ofd, user, &flock);
    return set_lock(file, fd, ofd, cmd == F_SETLKW || cmd == F_OFD_SETLKW, &flock);
}

static int flock_type(unsigned operation, enum umvfs_lock_type *out)
{
    switch (operation & ~LOCK_NB) {
    case LOCK_SH:
        *out = UMVFS_LOCK_READ;
        return 0;
    case LOCK_EX:
        *out = UMVFS_LOCK_WRITE;
        return 0;
    case LOCK_UN:
        *out = UMVFS_LOCK_NONE;
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_flock(int fd, unsigned operation)
{
    struct file *file;
    enum umvfs_lock_type type;
    if (operation & LOCK_MAND) /* Linux does nothing for it */
        return 0;
    int error = flock_type(operation, &type);
    if (!error)
        error = file_of(fd, &file);
    /* One that was opened with access mode 3, for ioctl(2) only, cannot be locked. */
    if (!error && type != UMVFS_LOCK_NONE && !file_may_read(file) && !file_may_write(file))
        error = -EBADF;
    if (error)
        return error;
    const struct umvfs_lock lock = {.file = file->vfs.inode,
                                    .owner = file,
                                    .end = UMVFS_LOCK_END,
                                    .kind = UMVFS_LOCK_FLOCK,
                                    .type = type};
    file_get(file);
    error = locks_set(&lock, !(operation & LOCK_NB));
    file_put(file);
    return error;
}
