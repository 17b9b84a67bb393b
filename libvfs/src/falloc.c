#include <vfs/file.h>

#include "data.h"
#include "file_state.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"
#include "radix.h"

/* Pages first..last that are not there yet. */
static uint64_t count_missing(const struct vfs_inode *inode, uint64_t first, uint64_t last)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    uint64_t missing = last - first + 1u;
    for (uint64_t index = first; vfs_radix_next(&tree, RADIX_PAGE_BITS, &index) && index <= last;
         index++)
        missing--;
    return missing;
}

/* Takes back what reserve_pages got: a chain of pages, linked through their first bytes. */
static void give_back(struct vfs_inode *inode, void *chain, uint64_t first, uint64_t end)
{
    while (chain) {
        void *next;
        memcpy(&next, chain, sizeof(next));
        vfs_data_page_free(inode->sb, chain);
        chain = next;
    }
    for (uint64_t index = first; index < end; index++) {
        if (!vfs_data_page(inode, index))
            vfs_data_unreserve(inode, index);
    }
}

/* Gets every missing page and its place in the tree, or nothing. */
static int reserve_pages(struct vfs_inode *inode, uint64_t first, uint64_t last, void **out)
{
    void *chain = NULL;
    for (uint64_t index = first; index <= last; index++) {
        void *page;
        if (vfs_data_page(inode, index))
            continue;
        int err = vfs_data_page_alloc(inode->sb, &page);
        if (!err) {
            memcpy(page, &chain, sizeof(chain));
            chain = page;
            err = vfs_data_reserve(inode, index);
        }
        if (err) {
            give_back(inode, chain, first, index);
            return err;
        }
    }
    *out = chain;
    return 0;
}

static int fill(struct vfs_inode *inode, uint64_t first, uint64_t last)
{
    const struct vfs_sb *sb = inode->sb;
    uint64_t missing = count_missing(inode, first, last);
    void *chain;
    if (sb->limits.max_pages && missing > sb->limits.max_pages - sb->pages)
        return -VFS_ENOSPC;
    int err = reserve_pages(inode, first, last, &chain);
    if (err)
        return err;
    for (uint64_t index = first; index <= last && chain; index++) {
        if (vfs_data_page(inode, index))
            continue;
        void *page = chain;
        memcpy(&chain, page, sizeof(chain));
        memset(page, 0, VFS_PAGE_SIZE);
        vfs_data_set(inode, index, page);
    }
    return 0;
}

/* Frees whole pages, zeroes what is left of the range at its ends. */
static void punch(struct vfs_inode *inode, uint64_t offset, uint64_t end)
{
    uint64_t first = (offset + VFS_PAGE_SIZE - 1u) / VFS_PAGE_SIZE;
    uint64_t last = end / VFS_PAGE_SIZE; /* the first that stays */
    if (vfs_data_is_small(inode) && first == 0 && last > 0) {
        vfs_data_free(inode);
        return;
    }
    vfs_data_zero(inode, offset, end);
    if (first < last && !vfs_data_is_small(inode))
        vfs_data_drop_pages(inode, first, last - 1u);
}

static int check_mode(const struct vfs_file *file, uint32_t mode)
{
    if (mode != 0 && mode != VFS_FALLOC_KEEP_SIZE && mode != VFS_FALLOC_ZERO_RANGE &&
        mode != (VFS_FALLOC_ZERO_RANGE | VFS_FALLOC_KEEP_SIZE) &&
        mode != (VFS_FALLOC_PUNCH_HOLE | VFS_FALLOC_KEEP_SIZE))
        return -VFS_EOPNOTSUPP;
    if (!(file->state & FILE_WRITE))
        return -VFS_EBADF;
    if (VFS_S_ISFIFO(file->inode->mode))
        return -VFS_ESPIPE;
    return VFS_S_ISREG(file->inode->mode) ? 0 : -VFS_ENODEV;
}

/* Pages for all of the range. The small buffer becomes a page first. */
static int allocate(struct vfs_inode *inode, uint64_t offset, uint64_t end)
{
    struct vfs_small old;
    int err = vfs_data_to_pages(inode, &old);
    if (err)
        return err;
    err = fill(inode, offset / VFS_PAGE_SIZE, (end - 1u) / VFS_PAGE_SIZE);
    if (err)
        vfs_data_to_pages_undo(inode, &old);
    else
        vfs_data_to_pages_commit(inode, &old);
    return err;
}

int vfs_fallocate(struct vfs_file *file, uint32_t mode, uint64_t offset, uint64_t len)
{
    return vfs_fallocate_as(file, NULL, mode, offset, len);
}

int vfs_fallocate_as(struct vfs_file *file, const struct vfs_cred *cred, uint32_t mode,
                     uint64_t offset, uint64_t len)
{
    struct vfs_inode *inode = file->inode;
    if (len == 0 || offset > INT64_MAX || len > INT64_MAX)
        return -VFS_EINVAL;
    int err = check_mode(file, mode);
    if (err)
        return err;
    uint64_t end = offset + len; /* does not wrap: neither is above INT64_MAX */
    if (end > VFS_FILE_SIZE_MAX)
        return -VFS_EFBIG;
    if (vfs_is_foreign(inode))
        return -VFS_EOPNOTSUPP;
    if (!(mode & VFS_FALLOC_PUNCH_HOLE))
        err = allocate(inode, offset, end);
    if (err)
        return err;
    if (mode & VFS_FALLOC_PUNCH_HOLE)
        punch(inode, offset, end);
    if (mode & VFS_FALLOC_ZERO_RANGE)
        vfs_data_zero(inode, offset, end);
    if (!(mode & VFS_FALLOC_KEEP_SIZE) && end > inode->size)
        vfs_data_resize(inode, end);
    vfs_drop_privileges(inode, cred);
    vfs_touch_mtime(inode);
    return 0;
}
