/* sendfile(2), from a regular file to any file that can be written. */
#include "file/events.h"
#include "file/pipe.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/held.h"
#include "syscall/transfer.h"
#include "syscall/user.h"

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
        if (written < n || (left > 0 && sched_point() != 0))
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
    return from->ops || UMVFS_S_ISDIR(umvfs_inode_mode(from->vfs.inode)) ? -EINVAL : 0;
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
