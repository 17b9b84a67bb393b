#include <vfs/file.h>

#include "create.h"
#include "data.h"
#include "file_state.h"
#include "inode.h"
#include "perm.h"
#include "radix.h"
#include "rw.h"

/* Why bytes cannot be moved. */
static int64_t refuse_transfer(const struct vfs_file *file, uint32_t right)
{
    if (!(file->state & right))
        return -VFS_EBADF;
    return vfs_is_dir(file->inode) ? -VFS_EISDIR : -VFS_EINVAL;
}

static inline int64_t check_transfer(const struct vfs_file *file, uint32_t right, uint64_t offset)
{
    if (file->state & right && VFS_S_ISREG(file->inode->mode) && offset <= INT64_MAX)
        return 0;
    return refuse_transfer(file, right);
}

static int64_t read_foreign(struct vfs_file *file, uint64_t offset, void *buf, size_t len,
                            const struct vfs_copy *copy)
{
    struct vfs_inode *inode = file->inode;
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (!ops->read)
        return -VFS_EINVAL;
    return ops->read(inode->sb->fs, inode->u.foreign.node, file, offset, buf, len, copy);
}

__attribute__((always_inline)) static inline int64_t
read_at(struct vfs_file *file, void *buf, size_t len, uint64_t offset, const struct vfs_copy *copy)
{
    struct vfs_inode *inode = file->inode;
    int64_t got = check_transfer(file, FILE_READ, offset);
    if (got)
        return got;
    if (len > INT64_MAX)
        len = INT64_MAX;
    if (!vfs_is_foreign(inode))
        got = vfs_data_read(inode, offset, buf, len, copy);
    else
        got = read_foreign(file, offset, buf, len, copy);
    if (got >= 0 && !(file->flags & VFS_O_NOATIME))
        vfs_touch_atime(file->path.mnt, inode);
    return got;
}

int64_t vfs_read_to(struct vfs_file *file, void *buf, size_t len, uint64_t *offset,
                    const struct vfs_copy *copy)
{
    int64_t got = read_at(file, buf, len, *offset, copy);
    if (got > 0)
        *offset += (uint64_t)got;
    return got;
}

static int64_t write_own(struct vfs_file *file, const struct vfs_cred *cred, const void *buf,
                         size_t len, uint64_t offset, const struct vfs_copy *copy)
{
    struct vfs_inode *inode = file->inode;
    if (len > 0 && offset >= VFS_FILE_SIZE_MAX)
        return -VFS_EFBIG;
    if (len > VFS_FILE_SIZE_MAX - offset)
        len = (size_t)(VFS_FILE_SIZE_MAX - offset);
    int64_t done = vfs_data_write(inode, offset, buf, len, copy);
    if (done <= 0)
        return done;
    vfs_drop_privileges(inode, cred);
    vfs_touch_mtime(inode);
    return done;
}

int64_t vfs_write_from(struct vfs_file *file, const struct vfs_cred *cred, const void *buf,
                       size_t len, uint64_t *offset, const struct vfs_copy *copy)
{
    struct vfs_inode *inode = file->inode;
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    uint64_t at = *offset;
    int64_t done = check_transfer(file, FILE_WRITE, at);
    if (done)
        return done;
    if (file->flags & VFS_O_APPEND && !vfs_is_foreign(inode))
        at = inode->size;
    if (!vfs_is_foreign(inode))
        done = write_own(file, cred, buf, len, at, copy);
    else if (ops->write)
        done = ops->write(inode->sb->fs, inode->u.foreign.node, file, at, buf, len, copy);
    else
        done = -VFS_EINVAL;
    if (done > 0)
        *offset = at + (uint64_t)done;
    return done;
}

int64_t vfs_read(struct vfs_file *file, void *buf, size_t len)
{
    return vfs_read_to(file, buf, len, &file->offset, &vfs_copy_memory);
}

int64_t vfs_write(struct vfs_file *file, const void *buf, size_t len)
{
    return vfs_write_from(file, NULL, buf, len, &file->offset, &vfs_copy_memory);
}

int64_t vfs_pread(struct vfs_file *file, void *buf, size_t len, uint64_t offset)
{
    return read_at(file, buf, len, offset, &vfs_copy_memory);
}

int64_t vfs_pwrite(struct vfs_file *file, const void *buf, size_t len, uint64_t offset)
{
    return vfs_write_from(file, NULL, buf, len, &offset, &vfs_copy_memory);
}

/* The next page at or after offset that is data (or a hole); a small buffer is one page. */
static int64_t seek_data(const struct vfs_inode *inode, uint64_t offset, bool data)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    uint64_t index = offset / VFS_PAGE_SIZE;
    uint64_t found;
    if (offset >= inode->size)
        return -VFS_ENXIO;
    if (vfs_data_is_small(inode)) {
        found = index == 0 ? 0 : UINT64_MAX;
        if (!data)
            found = index == 0 ? 1 : index;
    } else if (data) {
        found = vfs_radix_next(&tree, RADIX_PAGE_BITS, &index) ? index : UINT64_MAX;
    } else {
        while (vfs_radix_get(&tree, RADIX_PAGE_BITS, index))
            index++;
        found = index;
    }
    if (data && (found == UINT64_MAX || found * VFS_PAGE_SIZE >= inode->size))
        return -VFS_ENXIO;
    uint64_t at = found * VFS_PAGE_SIZE;
    if (at < offset)
        at = offset;
    return (int64_t)(at < inode->size ? at : inode->size);
}

static int64_t seek_regular(struct vfs_file *file, int64_t offset, int whence)
{
    int64_t base = whence == VFS_SEEK_CUR   ? (int64_t)file->offset
                   : whence == VFS_SEEK_END ? (int64_t)file->inode->size
                                            : 0;
    int64_t at;
    switch (whence) {
    case VFS_SEEK_SET:
    case VFS_SEEK_CUR:
    case VFS_SEEK_END:
        if (__builtin_add_overflow(base, offset, &at))
            return -VFS_EINVAL;
        return at < 0 || at > (int64_t)VFS_FILE_SIZE_MAX ? -VFS_EINVAL : at;
    case VFS_SEEK_DATA:
    case VFS_SEEK_HOLE:
        if (offset < 0)
            return -VFS_ENXIO;
        return vfs_is_foreign(file->inode)
                   ? -VFS_EINVAL
                   : seek_data(file->inode, (uint64_t)offset, whence == VFS_SEEK_DATA);
    default:
        return -VFS_EINVAL;
    }
}

int64_t vfs_seek(struct vfs_file *file, int64_t offset, int whence)
{
    uint32_t mode = file->inode->mode;
    int64_t at;
    if (file->state & FILE_PATH)
        return -VFS_EBADF;
    if (VFS_S_ISFIFO(mode) || VFS_S_ISSOCK(mode))
        return -VFS_ESPIPE;
    if (VFS_S_ISREG(mode)) {
        at = seek_regular(file, offset, whence);
    } else {
        if (whence != VFS_SEEK_SET && whence != VFS_SEEK_CUR)
            return -VFS_EINVAL;
        int64_t base = whence == VFS_SEEK_CUR ? (int64_t)file->offset : 0;
        if (__builtin_add_overflow(base, offset, &at) || at < 0)
            return -VFS_EINVAL;
    }
    if (at >= 0)
        file->offset = (uint64_t)at;
    return at;
}

int vfs_file_truncate(struct vfs_file *file, uint64_t size)
{
    return vfs_file_truncate_as(file, NULL, size);
}

int vfs_file_truncate_as(struct vfs_file *file, const struct vfs_cred *cred, uint64_t size)
{
    struct vfs_inode *inode = file->inode;
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (file->state & FILE_PATH)
        return -VFS_EBADF;
    if (size > INT64_MAX || !(file->state & FILE_WRITE) || !VFS_S_ISREG(inode->mode))
        return -VFS_EINVAL;
    if (size > VFS_FILE_SIZE_MAX)
        return -VFS_EFBIG;
    if (vfs_is_foreign(inode)) {
        struct vfs_setattr attr = {.mask = VFS_ATTR_SIZE, .size = size};
        return ops->setattr ? ops->setattr(inode->sb->fs, inode->u.foreign.node, &attr) : 0;
    }
    vfs_data_resize(inode, size);
    vfs_drop_privileges(inode, cred);
    vfs_touch_mtime(inode);
    return 0;
}
