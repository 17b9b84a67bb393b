#include "data.h"

#include "inode.h"
#include "memory.h"
#include "radix.h"

#define SMALL_MIN 32u /* first buffer of a small file; doubled as it grows */

static void put_tree(struct vfs_inode *inode, struct vfs_radix tree)
{
    inode->u.data.root = tree.root;
    inode->u.data.height = tree.height;
}

int vfs_data_reserve(struct vfs_inode *inode, uint64_t index)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    int err = vfs_radix_reserve(inode->sb, &tree, RADIX_PAGE_BITS, index);
    put_tree(inode, tree);
    return err;
}

void vfs_data_unreserve(struct vfs_inode *inode, uint64_t index)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    vfs_radix_clear(inode->sb, &tree, RADIX_PAGE_BITS, index);
    put_tree(inode, tree);
}

void vfs_data_set(struct vfs_inode *inode, uint64_t index, void *page)
{
    const struct vfs_config *cfg = &inode->sb->vfs->cfg;
    struct vfs_radix tree = vfs_data_tree(inode);
    vfs_radix_set(&tree, RADIX_PAGE_BITS, index, page);
    inode->rdev_or_pages++;
    if (inode->flags & INODE_HOLES && cfg->hole_filled)
        cfg->hole_filled(cfg->ctx, inode, index);
}

static void free_small(struct vfs_inode *inode)
{
    vfs_obj_free(inode->sb, inode->u.data.root, inode->u.data.small_cap);
    inode->u.data.root = NULL;
    inode->u.data.small_cap = 0;
}

int vfs_data_to_pages(struct vfs_inode *inode, struct vfs_small *old)
{
    void *page;
    struct vfs_small small = {inode->u.data.root, inode->u.data.small_cap};
    *old = (struct vfs_small){0};
    if (!small.cap)
        return 0;
    int err = vfs_data_page_alloc(inode->sb, &page);
    if (err)
        return err;
    put_tree(inode, (struct vfs_radix){0});
    inode->u.data.small_cap = 0;
    err = vfs_data_reserve(inode, 0);
    if (err) {
        inode->u.data.root = small.buf;
        inode->u.data.small_cap = small.cap;
        vfs_data_page_free(inode->sb, page);
        return err;
    }
    memcpy(page, small.buf, small.cap);
    memset((char *)page + small.cap, 0, VFS_PAGE_SIZE - small.cap);
    vfs_data_set(inode, 0, page);
    *old = small;
    return 0;
}

void vfs_data_to_pages_commit(struct vfs_inode *inode, struct vfs_small *old)
{
    if (old->cap)
        vfs_obj_free(inode->sb, old->buf, old->cap);
}

void vfs_data_to_pages_undo(struct vfs_inode *inode, struct vfs_small *old)
{
    if (!old->cap)
        return;
    void *page = vfs_data_page(inode, 0);
    vfs_data_unreserve(inode, 0);
    vfs_data_page_free(inode->sb, page);
    inode->rdev_or_pages--;
    put_tree(inode, (struct vfs_radix){.root = old->buf});
    inode->u.data.small_cap = old->cap;
}

int vfs_data_small_prepare(const struct vfs_inode *inode, uint64_t size, struct vfs_small *new)
{
    uint32_t old = inode->u.data.small_cap;
    uint32_t cap = old ? old : SMALL_MIN;
    *new = (struct vfs_small){0};
    while (cap < size)
        cap *= 2;
    if (cap == old)
        return 0;
    int err = vfs_obj_alloc(inode->sb, cap, &new->buf);
    if (err)
        return err;
    if (old)
        memcpy(new->buf, inode->u.data.root, old);
    memset((char *)new->buf + old, 0, cap - old);
    new->cap = cap;
    return 0;
}

void vfs_data_small_commit(struct vfs_inode *inode, const struct vfs_small *new)
{
    if (inode->u.data.small_cap)
        free_small(inode);
    inode->u.data.root = new->buf;
    inode->u.data.small_cap = new->cap;
}

void vfs_data_unmap(struct vfs_inode *inode, uint64_t first, uint64_t last)
{
    struct vfs_config *cfg = &inode->sb->vfs->cfg;
    if (inode->flags & INODE_MAPPED && cfg->unmap)
        cfg->unmap(cfg->ctx, inode, first, last);
}

void vfs_data_drop_pages(struct vfs_inode *inode, uint64_t first, uint64_t last)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    uint64_t index = first;
    vfs_data_unmap(inode, first, last);
    for (;;) {
        void *page = vfs_radix_next(&tree, RADIX_PAGE_BITS, &index);
        if (!page || index > last)
            break;
        vfs_radix_clear(inode->sb, &tree, RADIX_PAGE_BITS, index);
        vfs_data_page_free(inode->sb, page);
        inode->rdev_or_pages--;
    }
    put_tree(inode, tree);
}

bool vfs_data_drop_some(struct vfs_inode *inode, size_t *budget)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    uint64_t index = 0;
    void *page = NULL;
    for (; (page = vfs_radix_next(&tree, RADIX_PAGE_BITS, &index)) && *budget > 0; --*budget) {
        vfs_radix_clear(inode->sb, &tree, RADIX_PAGE_BITS, index);
        vfs_data_page_free(inode->sb, page);
        inode->rdev_or_pages--;
    }
    put_tree(inode, tree);
    return !page;
}

static void zero_small(struct vfs_inode *inode, uint64_t from, uint64_t to)
{
    uint32_t cap = inode->u.data.small_cap;
    if (to > cap)
        to = cap;
    if (from < to)
        memset((char *)inode->u.data.root + from, 0, to - from);
}

void vfs_data_zero(struct vfs_inode *inode, uint64_t from, uint64_t to)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    if (vfs_data_is_small(inode)) {
        zero_small(inode, from, to);
        return;
    }
    while (from < to) {
        uint64_t index = from / VFS_PAGE_SIZE;
        char *page = vfs_radix_next(&tree, RADIX_PAGE_BITS, &index);
        uint64_t base = index * VFS_PAGE_SIZE;
        if (!page || base >= to)
            return;
        uint64_t begin = from > base ? from - base : 0;
        uint64_t end = to - base < VFS_PAGE_SIZE ? to - base : VFS_PAGE_SIZE;
        memset(page + begin, 0, end - begin);
        from = base + VFS_PAGE_SIZE;
    }
}

/* Gives all pages to an inode without a name, which ends at once and is freed later. If there is none to be had,
 * the pages stay. */
static void cast_off(struct vfs_inode *inode)
{
    struct vfs_inode *other;
    if (vfs_inode_new(inode->sb, VFS_S_IFREG, &other) != 0)
        return;
    vfs_data_unmap(inode, 0, UINT64_MAX);
    put_tree(other, vfs_data_tree(inode));
    put_tree(inode, (struct vfs_radix){0});
    other->rdev_or_pages = inode->rdev_or_pages;
    inode->rdev_or_pages = 0;
    vfs_inode_drop(other);
}

void vfs_data_resize(struct vfs_inode *inode, uint64_t size)
{
    if (size == 0 && vfs_data_is_large(inode))
        cast_off(inode);
    uint64_t old = inode->size;
    uint64_t edge = size < old ? size : old;
    uint64_t keep = (edge + VFS_PAGE_SIZE - 1u) / VFS_PAGE_SIZE;
    if (size < old || inode->flags & INODE_MAPPED)
        vfs_data_zero(inode, edge, keep * VFS_PAGE_SIZE);
    if (size < old && vfs_data_is_small(inode)) {
        if (size == 0)
            free_small(inode);
    } else if (size < old) {
        vfs_data_drop_pages(inode, keep, UINT64_MAX);
    }
    inode->size = size;
}

void vfs_data_free(struct vfs_inode *inode)
{
    if (vfs_data_is_small(inode))
        free_small(inode);
    else
        vfs_data_drop_pages(inode, 0, UINT64_MAX);
}
