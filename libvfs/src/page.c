#include <umvfs/page.h>

#include "data.h"
#include "inode.h"
#include "memory.h"
#include "radix.h"

static int fill_hole(struct umvfs_inode *inode, uint64_t index, void **out)
{
    void *page;
    int err = umvfs_data_page_alloc(inode->sb, &page);
    if (err)
        return err;
    err = umvfs_data_reserve(inode, index);
    if (err) {
        umvfs_data_page_free(inode->sb, page);
        return err;
    }
    memset(page, 0, UMVFS_PAGE_SIZE);
    umvfs_data_set(inode, index, page);
    *out = page;
    return 0;
}

int umvfs_page_get(struct umvfs_inode *inode, uint64_t index, unsigned flags, void **out)
{
    const struct umvfs_config *cfg = &inode->sb->vfs->cfg;
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (umvfs_is_foreign(inode))
        return ops->page ? ops->page(inode->sb->fs, inode->u.foreign.node, index, flags, out)
                         : -UMVFS_ENODEV;
    if (!UMVFS_S_ISREG(inode->mode))
        return -UMVFS_ENODEV;
    if (!cfg->page_get)
        return -UMVFS_ENOSYS;
    if (index >= (inode->size + UMVFS_PAGE_SIZE - 1u) / UMVFS_PAGE_SIZE)
        return -UMVFS_ENXIO;
    struct umvfs_small old;
    int err = umvfs_data_to_pages(inode, &old);
    if (err)
        return err;
    void *page = umvfs_data_page(inode, index);
    if (!page && flags & UMVFS_PAGE_WRITE)
        err = fill_hole(inode, index, &page);
    if (err) {
        umvfs_data_to_pages_undo(inode, &old);
        return err;
    }
    umvfs_data_to_pages_commit(inode, &old);
    inode->flags |= page ? INODE_MAPPED : INODE_MAPPED | INODE_HOLES;
    if (page)
        cfg->page_get(cfg->ctx, page);
    *out = page;
    return 0;
}

unsigned umvfs_page_get_run(struct umvfs_inode *inode, uint64_t index, unsigned count, void **out)
{
    const struct umvfs_config *cfg = &inode->sb->vfs->cfg;
    size_t room;
    if (umvfs_is_foreign(inode) || !UMVFS_S_ISREG(inode->mode) || !cfg->page_get ||
        umvfs_data_is_small(inode))
        return 0;
    struct umvfs_radix tree = umvfs_data_tree(inode);
    uint64_t pages = (inode->size + UMVFS_PAGE_SIZE - 1u) / UMVFS_PAGE_SIZE;
    void *const *slot =
        index < pages ? umvfs_radix_run(&tree, RADIX_PAGE_BITS, index, &room) : NULL;
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
        cfg->page_get(cfg->ctx, out[i]);
    }
    return count;
}

static bool has_pages(const struct umvfs_inode *inode)
{
    return !umvfs_is_foreign(inode) && UMVFS_S_ISREG(inode->mode) && !umvfs_data_is_small(inode);
}

uint64_t umvfs_inode_tail(const struct umvfs_inode *inode, size_t pages)
{
    uint64_t index = UINT64_MAX;
    if (!has_pages(inode))
        return 0;
    struct umvfs_radix tree = umvfs_data_tree(inode);
    for (size_t seen = 0; umvfs_radix_prev(&tree, RADIX_PAGE_BITS, &index); seen++) {
        if (seen == pages)
            return (index + 1u) * UMVFS_PAGE_SIZE;
        if (index-- == 0)
            break;
    }
    return 0;
}

uint64_t umvfs_inode_span(const struct umvfs_inode *inode, uint64_t offset, uint64_t end,
                          size_t pages)
{
    uint64_t index = offset / UMVFS_PAGE_SIZE;
    if (!has_pages(inode))
        return end;
    struct umvfs_radix tree = umvfs_data_tree(inode);
    for (size_t seen = 0; umvfs_radix_next(&tree, RADIX_PAGE_BITS, &index); seen++, index++) {
        if (index >= end / UMVFS_PAGE_SIZE)
            return end;
        if (seen == pages)
            return index * UMVFS_PAGE_SIZE;
    }
    return end;
}

void umvfs_page_put(struct umvfs *vfs, void *page)
{
    vfs->cfg.page_put(vfs->cfg.ctx, page);
}

void umvfs_page_written(struct umvfs_inode *inode)
{
    umvfs_touch_mtime(inode);
}

int64_t umvfs_inode_read(struct umvfs_inode *inode, uint64_t offset, void *buf, size_t len)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (umvfs_is_dir(inode))
        return -UMVFS_EISDIR;
    if (!UMVFS_S_ISREG(inode->mode))
        return -UMVFS_EINVAL;
    if (umvfs_is_foreign(inode))
        return ops->read ? ops->read(inode->sb->fs, inode->u.foreign.node, NULL, offset, buf, len,
                                     &umvfs_copy_memory)
                         : -UMVFS_EINVAL;
    return umvfs_data_read(inode, offset, buf, len, &umvfs_copy_memory);
}

int umvfs_read_exact(void *inode, uint64_t offset, void *buf, size_t len)
{
    size_t done = 0;
    while (done < len) {
        uint64_t at;
        if (__builtin_add_overflow(offset, done, &at))
            return -UMVFS_EIO;
        int64_t got = umvfs_inode_read(inode, at, (char *)buf + done, len - done);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return -UMVFS_EIO;
        done += (size_t)got;
    }
    return 0;
}
