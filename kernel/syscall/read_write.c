/* read(2), write(2) and their variants. */
#include "file/events.h"
#include "file/files.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"

#define IOV_MAX 1024

/* The user memory of a call with one buffer and an offset. */
struct single {
    struct user_range range;
    struct user_iter iter;
};

/* All of it must be user addresses, also the part that the call does not reach. */
static inline int single_range(struct single *s, user_t base, size_t size)
{
    if (!user_range_is_valid(base, size))
        return -EFAULT;
    s->range = (struct user_range){base, size};
    s->iter = (struct user_iter){&s->range, 0, size < TRANSFER_MAX ? size : TRANSFER_MAX, NULL};
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
        uint64_t size = v->range[i].size;
        if (size > INT64_MAX)
            return -EINVAL;
        if (!user_range_is_valid(v->range[i].base, size))
            return -EFAULT;
        sum = sum + size < TRANSFER_MAX ? sum + size : TRANSFER_MAX;
    }
    v->iter = (struct user_iter){v->range, 0, sum, NULL};
    return 0;
}

static int vector_from_user(struct vector *v, user_t user, uint64_t count)
{
    _Static_assert(sizeof(struct user_range) == 16, "struct iovec");
    v->range = v->few;
    if (count > IOV_MAX)
        return -EINVAL;
    if (count > sizeof(v->few) / sizeof(v->few[0]))
        v->range = slab_alloc(count * sizeof(v->range[0]));
    if (!v->range)
        return -ENOMEM;
    int error = 0;
    if (count > 0) /* the pointer of an empty vector is not looked at */
        error = copy_from_user(v->range, user, count * sizeof(v->range[0]));
    if (!error)
        error = check_ranges(v, count);
    if (error)
        vector_free(v);
    return error;
}

/* The whole buffer must be user addresses, also the part that the call does not reach. */
long sys_read(int fd, user_t buf, size_t count)
{
    struct file *file;
    if (file_of(fd, &file) != 0)
        return -EBADF;
    if (!user_range_is_valid(buf, count))
        return file_may_read(file) ? -EFAULT : -EBADF;
    return file_read_buffer(file, buf, count < TRANSFER_MAX ? count : TRANSFER_MAX);
}

long sys_write(int fd, user_t buf, size_t count)
{
    struct file *file;
    if (file_of(fd, &file) != 0)
        return -EBADF;
    if (!user_range_is_valid(buf, count))
        return file_may_write(file) ? -EFAULT : -EBADF;
    return file_write_buffer(file, buf, count < TRANSFER_MAX ? count : TRANSFER_MAX);
}

/* The error of a call whose memory is bad: as on Linux, what the file does not allow goes first. */
static int error_before_memory(const struct file *file, bool reads, bool at_offset, int error)
{
    if (at_offset && file->ops && !file->ops->has_offsets)
        return -ESPIPE;
    if (reads ? !file_may_read(file) : !file_may_write(file))
        return -EBADF;
    if (file->ops && (reads ? !file->ops->read : !file->ops->write))
        return -EINVAL;
    return error;
}

static long at_offset(int fd, user_t buf, size_t count, int64_t offset,
                      int64_t (*transfer)(struct file *, struct user_iter *, uint64_t *))
{
    struct file *file;
    struct single s;
    if (offset < 0)
        return -EINVAL;
    uint64_t at = (uint64_t)offset;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if (single_range(&s, buf, count) != 0)
        return error_before_memory(file, transfer == file_pread, true, -EFAULT);
    return transfer(file, &s.iter, &at);
}

long sys_pread64(int fd, user_t buf, size_t count, int64_t offset)
{
    return at_offset(fd, buf, count, offset, file_pread);
}

long sys_pwrite64(int fd, user_t buf, size_t count, int64_t offset)
{
    return at_offset(fd, buf, count, offset, file_pwrite);
}

#define RWF_NOTHING 7 /* HIPRI, DSYNC, SYNC: files are in memory */
#define RWF_APPEND  0x10

/* Writes to the end of the file, where the offset is afterwards. */
static int64_t append(struct file *file, struct user_iter *from)
{
    uint64_t at = umvfs_inode_size(file->vfs.inode);
    int64_t n = file_pwrite(file, from, &at);
    if (n > 0)
        file->vfs.offset = at;
    return n;
}

static bool flags_exist(int flags)
{
    return !(flags & ~(RWF_NOTHING | RWF_APPEND));
}

/* Reads with vectors tell even of nothing that was moved, as on Linux; other calls do not. */
static long tell_nothing_read(const struct file *file, bool is_read, long n)
{
    if (n == 0 && is_read)
        events_tell(file, UMVFS_IN_ACCESS);
    return n;
}

static long vectored(int fd, user_t iov, unsigned count, int flags,
                     int64_t (*transfer)(struct file *, struct user_iter *))
{
    struct file *file;
    struct vector v;
    int error = file_of(fd, &file);
    if (error)
        return error;
    error = vector_from_user(&v, iov, count);
    if (error)
        return error_before_memory(file, transfer == file_read, false, error);
    if (v.iter.left == 0) { /* nothing is asked of the file, not even of a directory */
        vector_free(&v);
        return tell_nothing_read(file, transfer == file_read,
                                 error_before_memory(file, transfer == file_read, false, 0));
    }
    bool appends = (flags & RWF_APPEND) && transfer == file_write && !file->ops;
    long n = !flags_exist(flags)
                 ? error_before_memory(file, transfer == file_read, false, -EOPNOTSUPP)
             : appends ? append(file, &v.iter)
                       : transfer(file, &v.iter);
    vector_free(&v);
    return tell_nothing_read(file, transfer == file_read, n);
}

/* Of the descriptor and the count Linux takes all 64 bits, and then uses the lower 32. */
long sys_readv(uint64_t fd, user_t iov, uint64_t iovcnt)
{
    return vectored((int)fd, iov, (uint32_t)iovcnt, 0, file_read);
}

long sys_writev(uint64_t fd, user_t iov, uint64_t iovcnt)
{
    return vectored((int)fd, iov, (uint32_t)iovcnt, 0, file_write);
}

static long vectored_at(int fd, user_t iov, unsigned count, int64_t offset, int flags,
                        int64_t (*transfer)(struct file *, struct user_iter *, uint64_t *))
{
    struct file *file;
    struct vector v;
    if (offset < 0)
        return -EINVAL;
    uint64_t at = (uint64_t)offset;
    int error = file_of(fd, &file);
    if (error)
        return error;
    if (file->ops && !file->ops->has_offsets)
        return -ESPIPE;
    error = vector_from_user(&v, iov, count);
    if (error)
        return error_before_memory(file, transfer == file_pread, true, error);
    if (v.iter.left == 0) {
        vector_free(&v);
        return tell_nothing_read(file, transfer == file_pread,
                                 error_before_memory(file, transfer == file_pread, true, 0));
    }
    if ((flags & RWF_APPEND) && transfer == file_pwrite && !file->ops)
        at = umvfs_inode_size(file->vfs.inode);
    long n = flags_exist(flags)
                 ? transfer(file, &v.iter, &at)
                 : error_before_memory(file, transfer == file_pread, true, -EOPNOTSUPP);
    vector_free(&v);
    return tell_nothing_read(file, transfer == file_pread, n);
}

/* The offset has all 64 bits in one register; the one for the upper half of a 32-bit program is not
 * used. */
long sys_preadv(uint64_t fd, user_t iov, uint64_t iovcnt, int64_t offset, uint64_t offset_high)
{
    (void)offset_high;
    return vectored_at((int)fd, iov, (uint32_t)iovcnt, offset, 0, file_pread);
}

long sys_pwritev(uint64_t fd, user_t iov, uint64_t iovcnt, int64_t offset, uint64_t offset_high)
{
    (void)offset_high;
    return vectored_at((int)fd, iov, (uint32_t)iovcnt, offset, 0, file_pwrite);
}

/* Offset -1 means the file's own offset. */
long sys_preadv2(uint64_t fd, user_t iov, uint64_t iovcnt, int64_t offset, uint64_t offset_high,
                 int flags)
{
    (void)offset_high;
    if (offset == -1)
        return vectored((int)fd, iov, (uint32_t)iovcnt, flags, file_read);
    return vectored_at((int)fd, iov, (uint32_t)iovcnt, offset, flags, file_pread);
}

long sys_pwritev2(uint64_t fd, user_t iov, uint64_t iovcnt, int64_t offset, uint64_t offset_high,
                  int flags)
{
    (void)offset_high;
    if (offset == -1)
        return vectored((int)fd, iov, (uint32_t)iovcnt, flags, file_write);
    return vectored_at((int)fd, iov, (uint32_t)iovcnt, offset, flags, file_pwrite);
}

long sys_lseek(int fd, int64_t offset, int whence)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (!error && (whence < 0 || whence > UMVFS_SEEK_HOLE))
        error = -EINVAL;
    return error ? error : file_seek(file, offset, whence);
}
