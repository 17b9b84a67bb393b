#include <vfs/page.h>

#include "data.h"
#include "inode.h"
#include "memory.h"
#include "radix.h"
#include "rw.h"

static int fill_hole(struct vfs_inode *inode, uint64_t index, void **out)
{
    void *page;
    int err = vfs_data_page_alloc(inode->sb, &page);
    if (err)
        return err;
    err = vfs_data_reserve(inode, index);
    if (err) {
        vfs_data_page_free(inode->sb, page);
        return err;
    }
    memset(page, 0, VFS_PAGE_SIZE);
    vfs_data_set(inode, index, page);
    *out = page;
    return 0;
}

/* Zeroes what a mapping wrote after the end, so that nobody is handed it. */
static void zero_after_end(const struct vfs_inode *inode, uint64_t index, char *page)
{
    if (index == inode->size / VFS_PAGE_SIZE) {
        size_t used = inode->size % VFS_PAGE_SIZE;
        memset(page + used, 0, VFS_PAGE_SIZE - used);
    }
}

int vfs_page_get(struct vfs_inode *inode, uint64_t index, unsigned flags, void **out)
{
    const struct vfs_config *cfg = &inode->sb->vfs->cfg;
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (vfs_is_foreign(inode))
        return ops->page ? ops->page(inode->sb->fs, inode->u.foreign.node, index, flags, out)
                         : -VFS_ENODEV;
    if (!VFS_S_ISREG(inode->mode))
        return -VFS_ENODEV;
    if (!cfg->page_get)
        return -VFS_ENOSYS;
    if (index >= (inode->size + VFS_PAGE_SIZE - 1u) / VFS_PAGE_SIZE)
        return -VFS_ENXIO;
    struct vfs_small old;
    int err = vfs_data_to_pages(inode, &old);
    if (err)
        return err;
    void *page = vfs_data_page(inode, index);
    if (!page && flags & VFS_PAGE_WRITE)
        err = fill_hole(inode, index, &page);
    if (err) {
        vfs_data_to_pages_undo(inode, &old);
        return err;
    }
    vfs_data_to_pages_commit(inode, &old);
    inode->flags |= page ? INODE_MAPPED : INODE_MAPPED | INODE_HOLES;
    if (page) {
        zero_after_end(inode, index, page);
        cfg->page_get(cfg->ctx, page);
    }
    *out = page;
    return 0;
}

unsigned vfs_page_get_run(struct vfs_inode *inode, uint64_t index, unsigned count, void **out)
{
    const struct vfs_config *cfg = &inode->sb->vfs->cfg;
    size_t room;
    if (vfs_is_foreign(inode) || !VFS_S_ISREG(inode->mode) || !cfg->page_get ||
        vfs_data_is_small(inode))
        return 0;
    struct vfs_radix tree = vfs_data_tree(inode);
    uint64_t pages = (inode->size + VFS_PAGE_SIZE - 1u) / VFS_PAGE_SIZE;
    void *const *slot = index < pages ? vfs_radix_run(&tree, RADIX_PAGE_BITS, index, &room) : NULL;
    if (!slot)
        return 0;
    if (count > pages - index)
        count = (unsigned)(pages - index);
    if (count > room)
        count = (unsigned)room;
    inode->flags |= INODE_MAPPED;
    for (unsigned i = 0; i < count; i++) {
        out[i] = slot[i];
        if (!out[i]) {
            inode->flags |= INODE_HOLES;
            continue;
        }
        zero_after_end(inode, index + i, out[i]);
        cfg->page_get(cfg->ctx, out[i]);
    }
    return count;
}

static bool has_pages(const struct vfs_inode *inode)
{
    return !vfs_is_foreign(inode) && VFS_S_ISREG(inode->mode) && !vfs_data_is_small(inode);
}

uint64_t vfs_inode_tail(const struct vfs_inode *inode, size_t pages)
{
    uint64_t index = UINT64_MAX;
    if (!has_pages(inode))
        return 0;
    struct vfs_radix tree = vfs_data_tree(inode);
    for (size_t seen = 0; vfs_radix_prev(&tree, RADIX_PAGE_BITS, &index); seen++) {
        if (seen == pages)
            return (index + 1u) * VFS_PAGE_SIZE;
        if (index-- == 0)
            break;
    }
    return 0;
}

uint64_t vfs_inode_span(const struct vfs_inode *inode, uint64_t offset, uint64_t end, size_t pages)
{
    uint64_t index = offset / VFS_PAGE_SIZE;
    if (!has_pages(inode))
        return end;
    struct vfs_radix tree = vfs_data_tree(inode);
    for (size_t seen = 0; vfs_radix_next(&tree, RADIX_PAGE_BITS, &index); seen++, index++) {
        if (index >= end / VFS_PAGE_SIZE)
            return end;
        if (seen == pages)
            return index * VFS_PAGE_SIZE;
    }
    return end;
}

void vfs_page_put(struct vfs *vfs, void *page)
{
    vfs->cfg.page_put(vfs->cfg.ctx, page);
}

void vfs_page_written(struct vfs_inode *inode)
{
    vfs_touch_mtime(inode);
}

int64_t vfs_inode_read(struct vfs_inode *inode, uint64_t offset, void *buf, size_t len)
{
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (vfs_is_dir(inode))
        return -VFS_EISDIR;
    if (!VFS_S_ISREG(inode->mode))
        return -VFS_EINVAL;
    if (vfs_is_foreign(inode))
        return ops->read ? ops->read(inode->sb->fs, inode->u.foreign.node, NULL, offset, buf, len,
                                     &vfs_copy_memory)
                         : -VFS_EINVAL;
    return vfs_data_read(inode, offset, buf, len, &vfs_copy_memory);
}

int vfs_read_exact(void *inode, uint64_t offset, void *buf, size_t len)
{
    size_t done = 0;
    while (done < len) {
        uint64_t at;
        if (__builtin_add_overflow(offset, done, &at))
            return -VFS_EIO;
        int64_t got = vfs_inode_read(inode, at, (char *)buf + done, len - done);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return -VFS_EIO;
        done += (size_t)got;
    }
    return 0;
}
