/* sendfile(2), from file to file. Of other pairs Linux says EINVAL too, where it cannot, and programs then
 * read and write. */
#include "file/files.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/held.h"
#include "syscall/transfer.h"
#include "syscall/user.h"

/* Moves at most `count` bytes from *offset on, which moves on with them. */
static long send(struct vfs_file *to, struct vfs_file *from, uint64_t *offset, uint64_t count)
{
    static uint8_t page[PAGE_SIZE]; /* nothing sleeps between filling and writing it */
    long total = 0;
    for (uint64_t left = count; left > 0;) {
        int64_t n = vfs_pread(from, page, left < PAGE_SIZE ? left : PAGE_SIZE, *offset);
        size_t allowed = n > 0 ? (size_t)n : 0;
        int error = file_check_size_limit(to->offset, &allowed);
        int64_t written = error ? error : n > 0 ? vfs_write(to, page, allowed) : n;
        if (written <= 0)
            return total ? total : written;
        *offset += (uint64_t)written;
        total += written;
        left -= (uint64_t)written;
    }
    return total;
}

long sys_sendfile(int out_fd, int in_fd, user_t offset, size_t count)
{
    struct file *to, *from;
    uint64_t at = 0;
    if (!user_is_null(offset) && copy_from_user(&at, offset, sizeof(at)) != 0)
        return -EFAULT;
    int error = file_of(in_fd, &from);
    if (!error)
        error = file_of(out_fd, &to);
    if (error)
        return error;
    if (user_is_null(offset))
        at = from->vfs.offset;
    if (to->ops || from->ops || (to->vfs.flags & VFS_O_APPEND) || at > INT64_MAX)
        return -EINVAL;
    long total = send(&to->vfs, &from->vfs, &at, count < TRANSFER_MAX ? count : TRANSFER_MAX);
    if (user_is_null(offset))
        from->vfs.offset = at;
    else if (copy_to_user(offset, &at, sizeof(at)) != 0)
        return -EFAULT;
    return total;
}
