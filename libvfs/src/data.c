#include "data.h"

#include "inode.h"
#include "memory.h"
#include "radix.h"

#define SMALL_MIN 32u /* first buffer of a small file; doubled as it grows */

static void put_tree(struct umvfs_inode *inode, struct umvfs_radix tree)
{
    inode->u.data.root = tree.root;
    inode->u.data.height = tree.height;
}

int umvfs_data_reserve(struct umvfs_inode *inode, uint64_t index)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    int err = umvfs_radix_reserve(inode->sb, &tree, RADIX_PAGE_BITS, index);
    put_tree(inode, tree);
    return err;
}

void umvfs_data_unreserve(struct umvfs_inode *inode, uint64_t index)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    umvfs_radix_clear(inode->sb, &tree, RADIX_PAGE_BITS, index);
    put_tree(inode, tree);
}

void umvfs_data_set(struct umvfs_inode *inode, uint64_t index, void *page)
{
    const struct umvfs_config *cfg = &inode->sb->vfs->cfg;
    struct umvfs_radix tree = umvfs_data_tree(inode);
    umvfs_radix_set(&tree, RADIX_PAGE_BITS, index, page);
    inode->rdev_or_pages++;
    if (inode->flags & INODE_HOLES && cfg->hole_filled)
        cfg->hole_filled(cfg->ctx, inode, index);
}

static void free_small(struct umvfs_inode *inode)
{
    umvfs_obj_free(inode->sb, inode->u.data.root, inode->u.data.small_cap);
    inode->u.data.root = NULL;
    inode->u.data.small_cap = 0;
}

int umvfs_data_to_pages(struct umvfs_inode *inode, struct umvfs_small *old)
{
    void *page;
    struct umvfs_small small = {inode->u.data.root, inode->u.data.small_cap};
    *old = (struct umvfs_small){0};
    if (!small.cap)
        return 0;
    int err = umvfs_data_page_alloc(inode->sb, &page);
    if (err)
        return err;
    put_tree(inode, (struct umvfs_radix){0});
    inode->u.data.small_cap = 0;
    err = umvfs_data_reserve(inode, 0);
    if (err) {
        inode->u.data.root = small.buf;
        inode->u.data.small_cap = small.cap;
        umvfs_data_page_free(inode->sb, page);
        return err;
    }
    memcpy(page, small.buf, small.cap);
    memset((char *)page + small.cap, 0, UMVFS_PAGE_SIZE - small.cap);
    umvfs_data_set(inode, 0, page);
    *old = small;
    return 0;
}

void umvfs_data_to_pages_commit(struct umvfs_inode *inode, struct umvfs_small *old)
{
    if (old->cap)
        umvfs_obj_free(inode->sb, old->buf, old->cap);
}

void umvfs_data_to_pages_undo(struct umvfs_inode *inode, struct umvfs_small *old)
{
    if (!old->cap)
        return;
    void *page = umvfs_data_page(inode, 0);
    umvfs_data_unreserve(inode, 0);
    umvfs_data_page_free(inode->sb, page);
    inode->rdev_or_pages--;
    put_tree(inode, (struct umvfs_radix){.root = old->buf});
    inode->u.data.small_cap = old->cap;
}

int umvfs_data_small_prepare(const struct umvfs_inode *inode, uint64_t size,
                             struct umvfs_small *new)
{
    uint32_t old = inode->u.data.small_cap;
    uint32_t cap = old ? old : SMALL_MIN;
    *new = (struct umvfs_small){0};
    while (cap < size)
        cap *= 2;
    if (cap == old)
        return 0;
    int err = umvfs_obj_alloc(inode->sb, cap, &new->buf);
    if (err)
        return err;
    if (old)
        memcpy(new->buf, inode->u.data.root, old);
    memset((char *)new->buf + old, 0, cap - old);
    new->cap = cap;
    return 0;
}

void umvfs_data_small_commit(struct umvfs_inode *inode, const struct umvfs_small *new)
{
    if (inode->u.data.small_cap)
        free_small(inode);
    inode->u.data.root = new->buf;
    inode->u.data.small_cap = new->cap;
}

void umvfs_data_unmap(struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    struct umvfs_config *cfg = &inode->sb->vfs->cfg;
    if (inode->flags & INODE_MAPPED && cfg->unmap)
        cfg->unmap(cfg->ctx, inode, first, last);
}

void umvfs_data_drop_pages(struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    uint64_t index = first;
    umvfs_data_unmap(inode, first, last);
    for (;;) {
        void *page = umvfs_radix_next(&tree, RADIX_PAGE_BITS, &index);
        if (!page || index > last)
            break;
        umvfs_radix_clear(inode->sb, &tree, RADIX_PAGE_BITS, index);
        umvfs_data_page_free(inode->sb, page);
        inode->rdev_or_pages--;
    }
    put_tree(inode, tree);
}

bool umvfs_data_drop_some(struct umvfs_inode *inode, size_t *budget)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    uint64_t index = 0;
    void *page = NULL;
    for (; (page = umvfs_radix_next(&tree, RADIX_PAGE_BITS, &index)) && *budget > 0; --*budget) {
        umvfs_radix_clear(inode->sb, &tree, RADIX_PAGE_BITS, index);
        umvfs_data_page_free(inode->sb, page);
        inode->rdev_or_pages--;
    }
    put_tree(inode, tree);
    return !page;
}

static void zero_small(struct umvfs_inode *inode, uint64_t from, uint64_t to)
{
    uint32_t cap = inode->u.data.small_cap;
    if (to > cap)
        to = cap;
    if (from < to)
        memset((char *)inode->u.data.root + from, 0, (size_t)(to - from));
}

void umvfs_data_zero(struct umvfs_inode *inode, uint64_t from, uint64_t to)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    if (umvfs_data_is_small(inode)) {
        zero_small(inode, from, to);
        return;
    }
    while (from < to) {
        uint64_t index = from / UMVFS_PAGE_SIZE;
        char *page = umvfs_radix_next(&tree, RADIX_PAGE_BITS, &index);
        uint64_t base = index * UMVFS_PAGE_SIZE;
        if (!page || base >= to)
            return;
        uint64_t begin = from > base ? from - base : 0;
        uint64_t end = to - base < UMVFS_PAGE_SIZE ? to - base : UMVFS_PAGE_SIZE;
        memset(page + begin, 0, (size_t)(end - begin));
        from = base + UMVFS_PAGE_SIZE;
    }
}

/* Gives all pages to an inode without a name, which ends at once and is freed later. If there is none to be had,
 * the pages stay. */
static void cast_off(struct umvfs_inode *inode)
{
    struct umvfs_inode *other;
    if (umvfs_inode_new(inode->sb, UMVFS_S_IFREG, &other) != 0)
        return;
    umvfs_data_unmap(inode, 0, UINT64_MAX);
    put_tree(other, umvfs_data_tree(inode));
    put_tree(inode, (struct umvfs_radix){0});
    other->rdev_or_pages = inode->rdev_or_pages;
    inode->rdev_or_pages = 0;
    umvfs_inode_drop(other);
}

void umvfs_data_resize(struct umvfs_inode *inode, uint64_t size)
{
    if (size == 0 && umvfs_data_is_large(inode))
        cast_off(inode);
    uint64_t old = inode->size;
    uint64_t edge = size < old ? size : old;
    uint64_t keep = (edge + UMVFS_PAGE_SIZE - 1u) / UMVFS_PAGE_SIZE;
    if (size < old || inode->flags & INODE_MAPPED)
        umvfs_data_zero(inode, edge, keep * UMVFS_PAGE_SIZE);
    if (size < old && umvfs_data_is_small(inode)) {
        if (size == 0)
            free_small(inode);
    } else if (size < old) {
        umvfs_data_drop_pages(inode, keep, UINT64_MAX);
    }
    inode->size = size;
}

void umvfs_data_free(struct umvfs_inode *inode)
{
    if (umvfs_data_is_small(inode))
        free_small(inode);
    else
        umvfs_data_drop_pages(inode, 0, UINT64_MAX);
}
