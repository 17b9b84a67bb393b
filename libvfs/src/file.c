#include <umvfs/file.h>

#include "create.h"
#include "data.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"
#include "radix.h"
#include "tell.h"

/* Why bytes cannot be moved. */
static int64_t refuse_transfer(const struct umvfs_file *file, uint32_t right)
{
    if (!(file->state & right))
        return -UMVFS_EBADF;
    return umvfs_is_dir(file->inode) ? -UMVFS_EISDIR : -UMVFS_EINVAL;
}

static inline int64_t check_transfer(const struct umvfs_file *file, uint32_t right, uint64_t offset)
{
    if (file->state & right && UMVFS_S_ISREG(file->inode->mode) && offset <= INT64_MAX)
        return 0;
    return refuse_transfer(file, right);
}

static int64_t read_foreign(struct umvfs_file *file, uint64_t offset, void *buf, size_t len,
                            const struct umvfs_copy *copy)
{
    struct umvfs_inode *inode = file->inode;
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (!ops->read)
        return -UMVFS_EINVAL;
    const uint64_t most = INT64_MAX;
    if (len > most)
        len = (size_t)most;
    return ops->read(inode->sb->fs, inode->u.foreign.node, file, offset, buf, len, copy);
}

void umvfs_file_accessed(const struct umvfs_file *file)
{
    if (!(file->flags & UMVFS_O_NOATIME))
        umvfs_touch_atime(file->path.mnt, file->inode);
}

/* Reads what is not near, see umvfs_data_near(). */
static int64_t read_far(struct umvfs_file *file, void *buf, size_t len, uint64_t offset,
                        const struct umvfs_copy *copy)
{
    struct umvfs_inode *inode = file->inode;
    int64_t got = check_transfer(file, FILE_READ, offset);
    if (got)
        return got;
    if (!umvfs_is_foreign(inode))
        got = umvfs_data_read(inode, offset, buf, len, copy);
    else
        got = read_foreign(file, offset, buf, len, copy);
    umvfs_file_accessed(file); /* also if the memory of the caller takes nothing, as on Linux */
    return got;
}

/* The bytes that a file has near and that may be read, or NULL. Counts as an access. */
static inline const char *read_near(struct umvfs_file *file, size_t len, uint64_t offset)
{
    const uint32_t needed = FILE_READ | FILE_BYTES;
    if ((file->state & needed) != needed)
        return NULL;
    const char *src = umvfs_data_near(file->inode, offset, len);
    if (src && !(file->flags & UMVFS_O_NOATIME))
        umvfs_touch_own_atime(file->path.mnt, file->inode);
    return src;
}

int64_t umvfs_read_to(struct umvfs_file *file, void *buf, size_t len, uint64_t *offset,
                      const struct umvfs_copy *copy)
{
    const char *src = read_near(file, len, *offset);
    int64_t got;
    if (src) {
        size_t done = copy->copy(copy->ctx, buf, src, len);
        got = done > 0 || len == 0 ? (int64_t)done : -UMVFS_EFAULT;
    } else {
        got = read_far(file, buf, len, *offset, copy);
    }
    if (got > 0)
        *offset += (uint64_t)got;
    return got;
}

static int64_t write_own(struct umvfs_file *file, const struct umvfs_cred *cred, const void *buf,
                         size_t len, uint64_t offset, const struct umvfs_copy *copy)
{
    struct umvfs_inode *inode = file->inode;
    if (len > 0 && offset >= UMVFS_FILE_SIZE_MAX)
        return -UMVFS_EFBIG;
    if (len > UMVFS_FILE_SIZE_MAX - offset)
        len = (size_t)(UMVFS_FILE_SIZE_MAX - offset);
    int64_t done = umvfs_data_write(inode, offset, buf, len, copy);
    /* Memory of the caller that cannot be read is met last: as on Linux, it was a write of nothing. */
    if (done <= 0 && done != -UMVFS_EFAULT)
        return done;
    umvfs_drop_privileges(inode, cred);
    umvfs_touch_mtime(inode);
    return done;
}

int64_t umvfs_write_from(struct umvfs_file *file, const struct umvfs_cred *cred, const void *buf,
                         size_t len, uint64_t *offset, const struct umvfs_copy *copy)
{
    struct umvfs_inode *inode = file->inode;
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    uint64_t at = *offset;
    int64_t done = check_transfer(file, FILE_WRITE, at);
    if (done)
        return done;
    if (file->flags & UMVFS_O_APPEND && !umvfs_is_foreign(inode))
        at = inode->size;
    if (!umvfs_is_foreign(inode))
        done = write_own(file, cred, buf, len, at, copy);
    else if (ops->write)
        done = ops->write(inode->sb->fs, inode->u.foreign.node, file, at, buf, len, copy);
    else
        done = -UMVFS_EINVAL;
    if (done > 0)
        *offset = at + (uint64_t)done;
    return done;
}

int64_t umvfs_read(struct umvfs_file *file, void *buf, size_t len)
{
    int64_t got = umvfs_pread(file, buf, len, file->offset);
    if (got > 0)
        file->offset += (uint64_t)got;
    return got;
}

int64_t umvfs_write(struct umvfs_file *file, const void *buf, size_t len)
{
    return umvfs_write_from(file, NULL, buf, len, &file->offset, &umvfs_copy_memory);
}

int64_t umvfs_pread(struct umvfs_file *file, void *buf, size_t len, uint64_t offset)
{
    const char *src = read_near(file, len, offset);
    if (!src)
        return read_far(file, buf, len, offset, &umvfs_copy_memory);
    memcpy(buf, src, len);
    return (int64_t)len;
}

int64_t umvfs_pwrite(struct umvfs_file *file, const void *buf, size_t len, uint64_t offset)
{
    return umvfs_write_from(file, NULL, buf, len, &offset, &umvfs_copy_memory);
}

/* The next page at or after offset that is data (or a hole); a small buffer is one page. */
static int64_t seek_data(const struct umvfs_inode *inode, uint64_t offset, bool data)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    uint64_t index = offset / UMVFS_PAGE_SIZE;
    uint64_t found;
    if (offset >= inode->size)
        return -UMVFS_ENXIO;
    if (umvfs_data_is_small(inode)) {
        found = index == 0 ? 0 : UINT64_MAX;
        if (!data)
            found = index == 0 ? 1 : index;
    } else if (data) {
        found = umvfs_radix_next(&tree, RADIX_PAGE_BITS, &index) ? index : UINT64_MAX;
    } else {
        while (umvfs_radix_get(&tree, RADIX_PAGE_BITS, index))
            index++;
        found = index;
    }
    if (data && (found == UINT64_MAX || found * UMVFS_PAGE_SIZE >= inode->size))
        return -UMVFS_ENXIO;
    uint64_t at = found * UMVFS_PAGE_SIZE;
    if (at < offset)
        at = offset;
    return (int64_t)(at < inode->size ? at : inode->size);
}

static int64_t seek_regular(struct umvfs_file *file, int64_t offset, int whence)
{
    int64_t base = whence == UMVFS_SEEK_CUR   ? (int64_t)file->offset
                   : whence == UMVFS_SEEK_END ? (int64_t)file->inode->size
                                              : 0;
    int64_t at;
    switch (whence) {
    case UMVFS_SEEK_SET:
    case UMVFS_SEEK_CUR:
    case UMVFS_SEEK_END:
        if (__builtin_add_overflow(base, offset, &at))
            return -UMVFS_EINVAL;
        return at < 0 || at > (int64_t)UMVFS_FILE_SIZE_MAX ? -UMVFS_EINVAL : at;
    case UMVFS_SEEK_DATA:
    case UMVFS_SEEK_HOLE:
        if (offset < 0)
            return -UMVFS_ENXIO;
        return umvfs_is_foreign(file->inode)
                   ? -UMVFS_EINVAL
                   : seek_data(file->inode, (uint64_t)offset, whence == UMVFS_SEEK_DATA);
    default:
        return -UMVFS_EINVAL;
    }
}

int64_t umvfs_seek(struct umvfs_file *file, int64_t offset, int whence)
{
    uint32_t mode = file->inode->mode;
    int64_t at;
    if (file->state & FILE_PATH)
        return -UMVFS_EBADF;
    if (UMVFS_S_ISFIFO(mode) || UMVFS_S_ISSOCK(mode))
        return -UMVFS_ESPIPE;
    if (UMVFS_S_ISREG(mode)) {
        at = seek_regular(file, offset, whence);
    } else {
        if (whence != UMVFS_SEEK_SET && whence != UMVFS_SEEK_CUR)
            return -UMVFS_EINVAL;
        int64_t base = whence == UMVFS_SEEK_CUR ? (int64_t)file->offset : 0;
        if (__builtin_add_overflow(base, offset, &at) || at < 0)
            return -UMVFS_EINVAL;
    }
    if (at >= 0)
        file->offset = (uint64_t)at;
    return at;
}

int umvfs_file_truncate(struct umvfs_file *file, uint64_t size)
{
    return umvfs_file_truncate_as(file, NULL, size);
}

int umvfs_file_truncate_as(struct umvfs_file *file, const struct umvfs_cred *cred, uint64_t size)
{
    struct umvfs_inode *inode = file->inode;
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (file->state & FILE_PATH)
        return -UMVFS_EBADF;
    if (size > INT64_MAX || !(file->state & FILE_WRITE) || !UMVFS_S_ISREG(inode->mode))
        return -UMVFS_EINVAL;
    if (size > UMVFS_FILE_SIZE_MAX)
        return -UMVFS_EFBIG;
    if (umvfs_is_foreign(inode)) {
        struct umvfs_setattr attr = {.mask = UMVFS_ATTR_SIZE, .size = size};
        return ops->setattr ? ops->setattr(inode->sb->fs, inode->u.foreign.node, &attr) : 0;
    }
    uint16_t mode = inode->mode;
    umvfs_data_resize(inode, size);
    umvfs_drop_privileges(inode, cred);
    umvfs_touch_mtime(inode);
    umvfs_tell_resized(file->path.dentry, mode);
    return 0;
}
