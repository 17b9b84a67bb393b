/* Bytes from one file to another: sendfile(2) and copy_file_range(2). */
#include <umvfs/attr.h>

#include "file/events.h"
#include "file/files.h"
#include "file/pipe.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"

/* Writes the bytes of one kernel page. A pipe that is full is not waited for. */
static int64_t write_page(struct file *to, const void *page, size_t size)
{
    struct user_iter iter = user_iter_from_kernel(page, size);
    if (pipe_is(to))
        return pipe_put_page(to, page, size);
    if (to->ops)
        return file_write(to, &iter);
    if (!file_may_write(to))
        return -EBADF;
    int error = file_check_size_limit(to->vfs.offset, &size);
    return error ? error : file_write_bytes(to, page, size, &to->vfs.offset);
}

/* Moves at most `count` bytes from *offset on, which moves on with them. */
static long send(struct file *to, struct file *from, uint64_t *offset, uint64_t count)
{
    long total = 0;
    uint8_t *page = slab_alloc(PAGE_SIZE);
    if (!page)
        return -ENOMEM;
    for (uint64_t left = count; left > 0;) {
        size_t room = PAGE_SIZE - *offset % PAGE_SIZE; /* a page of the file is one of a pipe */
        int64_t n = umvfs_pread(&from->vfs, page, left < room ? left : room, *offset);
        int64_t written = n > 0 ? write_page(to, page, (size_t)n) : n;
        if (written <= 0) {
            total = total ? total : written;
            break;
        }
        *offset += (uint64_t)written;
        total += written;
        left -= (uint64_t)written;
        /* Of a regular file the next piece tells why: SIGXFSZ is sent, although bytes have been moved. */
        if ((written < n && to->ops) || (left > 0 && sched_point() != 0))
            break;
    }
    slab_free(page);
    return total;
}

/* As on Linux, all that the source does not allow goes before what the target does not. */
static int check_source(const struct file *from, bool at_offset)
{
    if (!file_may_read(from))
        return -EBADF;
    return at_offset && from->ops && !from->ops->has_offsets ? -ESPIPE : 0;
}

/* What the kinds of the files allow, which comes last; a pipe is waited for before that. Nothing can
 * be sent from directories and devices too. */
static int check_pair(const struct file *to, const struct file *from, size_t count)
{
    bool is_pipe = pipe_is(to);
    int error = is_pipe ? pipe_wait_for_room(to) : 0;
    if (error)
        return error;
    if (!is_pipe && (to->vfs.flags & UMVFS_O_APPEND))
        return -EINVAL;
    if (count == 0 && (is_pipe || !from->ops || from->ops->has_offsets))
        return 0;
    bool is_directory = UMVFS_S_ISDIR(umvfs_inode_mode(from->vfs.inode));
    if (is_directory && !from->ops && !is_pipe)
        umvfs_file_accessed(&from->vfs); /* as Linux does even then */
    return from->ops || is_directory ? -EINVAL : 0;
}

long sys_sendfile(int out_fd, int in_fd, user_t offset, size_t count)
{
    struct file *to, *from;
    uint64_t at = 0;
    if (!user_is_null(offset) && copy_from_user(&at, offset, sizeof(at)) != 0)
        return -EFAULT;
    int error = file_of(in_fd, &from);
    if (!error)
        error = check_source(from, !user_is_null(offset));
    if (user_is_null(offset) && !error)
        at = from->vfs.offset;
    if (!error && (at > INT64_MAX || count > INT64_MAX - at))
        error = -EINVAL;
    if (!error && (file_of(out_fd, &to) != 0 || !file_may_write(to)))
        error = -EBADF;
    if (error)
        return error;
    error = check_pair(to, from, count);
    if (error)
        return error;
    if (count == 0 && !from->ops && !pipe_is(to))
        umvfs_file_accessed(&from->vfs); /* as Linux does even then */
    long total = count == 0 ? 0 : send(to, from, &at, count < TRANSFER_MAX ? count : TRANSFER_MAX);
    events_tell_moved(from, UMVFS_IN_ACCESS, total);
    events_tell_moved(to, UMVFS_IN_MODIFY, total);
    if (user_is_null(offset))
        from->vfs.offset = at;
    else if (copy_to_user(offset, &at, sizeof(at)) != 0)
        return -EFAULT;
    return total;
}

/* Nothing is spliced: EINVAL tells programs to read and write instead, such as grep, which empties a pipe
 * into /dev/null by splice and fails for any other error. */
long sys_splice(int fd_in, user_t off_in, int fd_out, user_t off_out, size_t len, unsigned flags)
{
    const unsigned all_flags = 0xf; /* SPLICE_F_* */
    struct file *from, *to;
    (void)off_in;
    (void)off_out;
    if (len == 0)
        return 0;
    if (flags & ~all_flags)
        return -EINVAL;
    if (file_of(fd_in, &from) != 0 || file_of(fd_out, &to) != 0)
        return -EBADF;
    return !file_may_read(from) || !file_may_write(to) ? -EBADF : -EINVAL;
}

/* copy_file_range(2), between regular files of one file system. */

/* One of the two sides. */
struct side {
    struct file *file;
    user_t offset; /* null: the file's own */
    uint64_t at;
};

static int read_offset(struct side *side)
{
    side->at = side->file->vfs.offset;
    return user_is_null(side->offset) ? 0
                                      : copy_from_user(&side->at, side->offset, sizeof(side->at));
}

static int write_offset(struct side *side)
{
    if (!user_is_null(side->offset))
        return copy_to_user(side->offset, &side->at, sizeof(side->at));
    side->file->vfs.offset = side->at;
    return 0;
}

static int check_kinds(const struct side *from, const struct side *to)
{
    uint32_t from_mode = umvfs_inode_mode(from->file->vfs.inode);
    uint32_t to_mode = umvfs_inode_mode(to->file->vfs.inode);
    if (UMVFS_S_ISDIR(from_mode) || UMVFS_S_ISDIR(to_mode))
        return -EISDIR;
    if (!UMVFS_S_ISREG(from_mode) || !UMVFS_S_ISREG(to_mode))
        return -EINVAL;
    if (!file_may_read(from->file) || !file_may_write(to->file) ||
        (to->file->vfs.flags & UMVFS_O_APPEND))
        return -EBADF;
    bool same_system =
        umvfs_inode_device(from->file->vfs.inode) == umvfs_inode_device(to->file->vfs.inode);
    return same_system ? 0 : -EXDEV;
}

/* Reduces *len to the bytes that can be read and that may be written. */
static int check_range(const struct side *from, const struct side *to, size_t *len)
{
    struct umvfs_stat stat;
    if (from->at + *len < *len || to->at + *len < *len)
        return -EOVERFLOW;
    if (from->at > INT64_MAX || to->at > INT64_MAX)
        return -EINVAL;
    *len = *len < INT64_MAX - to->at ? *len : INT64_MAX - to->at;
    int error = umvfs_inode_stat(from->file->vfs.inode, &stat);
    if (error)
        return error;
    uint64_t left = from->at < stat.size ? stat.size - from->at : 0;
    *len = *len < left ? *len : left;
    size_t room =
        *len > 0 ? *len : 1; /* the place must allow a byte even if there is none, as on Linux */
    error = file_check_size_limit(to->at, &room);
    if (!error && to->at == INT64_MAX)
        error = -EFBIG;
    *len = *len < room ? *len : room;
    bool overlap = from->at < to->at + *len && to->at < from->at + *len;
    return !error && overlap && from->file->vfs.inode == to->file->vfs.inode ? -EINVAL : error;
}

static long copy_in_pieces(struct side *from, struct side *to, uint64_t left)
{
    long total = 0;
    uint8_t *page = slab_alloc(PAGE_SIZE);
    if (!page)
        return -ENOMEM;
    while (left > 0) {
        size_t part = left < PAGE_SIZE ? left : PAGE_SIZE;
        int64_t n = umvfs_pread(&from->file->vfs, page, part, from->at);
        int64_t written = n > 0 ? file_write_bytes(to->file, page, (size_t)n, &to->at) : n;
        if (written <= 0) {
            total = total ? total : written;
            break;
        }
        from->at += (uint64_t)written;
        total += written;
        left -= (uint64_t)written;
        if (written < n || (left > 0 && sched_point() != 0))
            break;
    }
    slab_free(page);
    return total;
}

long sys_copy_file_range(int fd_in, user_t off_in, int fd_out, user_t off_out, size_t len,
                         unsigned flags)
{
    struct side from = {.offset = off_in}, to = {.offset = off_out};
    if (file_of(fd_in, &from.file) != 0 || file_of(fd_out, &to.file) != 0)
        return -EBADF;
    if (read_offset(&from) != 0 || read_offset(&to) != 0)
        return -EFAULT;
    int error = flags ? -EINVAL : check_kinds(&from, &to);
    if (!error)
        error = check_range(&from, &to, &len);
    if (error)
        return error;
    long total = copy_in_pieces(&from, &to, len < TRANSFER_MAX ? len : TRANSFER_MAX);
    events_tell_moved(from.file, UMVFS_IN_ACCESS, total);
    events_tell_moved(to.file, UMVFS_IN_MODIFY, total);
    if (total > 0 && (write_offset(&from) != 0 || write_offset(&to) != 0))
        return -EFAULT;
    return total;
}
