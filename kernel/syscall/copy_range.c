/* copy_file_range(2), between regular files. */
#include <umvfs/attr.h>

#include "file/events.h"
#include "file/files.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/held.h"
#include "syscall/transfer.h"
#include "syscall/user.h"

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
    return 0;
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
    if (*len > 0)
        error = file_check_size_limit(to->at, len);
    bool overlap = from->at < to->at + *len && to->at < from->at + *len;
    return !error && overlap && from->file->vfs.inode == to->file->vfs.inode ? -EINVAL : error;
}

static long copy(struct side *from, struct side *to, uint64_t left)
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
    long total = copy(&from, &to, len < TRANSFER_MAX ? len : TRANSFER_MAX);
    events_tell_moved(from.file, UMVFS_IN_ACCESS, total);
    events_tell_moved(to.file, UMVFS_IN_MODIFY, total);
    if (total > 0 && (write_offset(&from) != 0 || write_offset(&to) != 0))
        return -EFAULT;
    return total;
}
