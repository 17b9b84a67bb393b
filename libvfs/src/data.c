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
    if (size <= old || inode->flags & INODE_MAPPED)
        umvfs_data_zero(inode, edge, keep * UMVFS_PAGE_SIZE);
    if (size <= old && umvfs_data_is_small(inode)) {
        if (size == 0)
            free_small(inode);
    } else if (size <= old) { /* the same size: pages beyond it that fallocate(2) has made go */
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

static const char zero_page[UMVFS_PAGE_SIZE];

/* The address `done` bytes behind `buf`. It is the embedder's, and may be any number, 0 or one that
 * wraps too, with which C has no arithmetic of pointers. */
static char *behind(const char *buf, size_t done)
{
    return (char *)((uintptr_t)buf + done);
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Copies from a chunk in memory (NULL: zeros) and says whether all of it went. */
static bool give(const struct umvfs_copy *copy, char *buf, const char *src, size_t len,
                 size_t *done)
{
    size_t want = len;
    while (want > 0) {
        size_t part = src ? want : min_size(want, sizeof(zero_page));
        size_t got = copy->copy(copy->ctx, behind(buf, *done), src ? src : zero_page, part);
        *done += got;
        want -= got;
        if (got < part)
            return false;
    }
    return true;
}

static bool read_small(const struct umvfs_inode *inode, uint64_t offset, char *buf, size_t len,
                       const struct umvfs_copy *copy, size_t *done)
{
    uint32_t cap = inode->u.data.small_cap;
    size_t held = offset < cap ? min_size(len, (size_t)(cap - offset)) : 0;
    if (held > 0 && !give(copy, buf, (const char *)inode->u.data.root + offset, held, done))
        return false;
    return give(copy, buf, NULL, len - held, done);
}

/* Pages are taken from the tree a leaf at a time. */
static bool read_pages(const struct umvfs_inode *inode, uint64_t offset, char *buf, size_t len,
                       const struct umvfs_copy *copy, size_t *done)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    size_t within = offset % UMVFS_PAGE_SIZE;
    uint64_t index = offset / UMVFS_PAGE_SIZE;
    size_t run = 0;
    void *const *slots = NULL;
    while (*done < len) {
        size_t part = min_size(len - *done, UMVFS_PAGE_SIZE - within);
        if (run == 0)
            slots = umvfs_radix_run(&tree, RADIX_PAGE_BITS, index, &run);
        const char *page = slots ? *slots : NULL;
        if (!give(copy, buf, page ? page + within : NULL, part, done))
            return false;
        within = 0;
        index++;
        if (slots) {
            slots++;
            run--;
        }
    }
    return true;
}

int64_t umvfs_data_read(const struct umvfs_inode *inode, uint64_t offset, char *buf, size_t len,
                        const struct umvfs_copy *copy)
{
    size_t done = 0;
    bool all;
    if (offset >= inode->size || len == 0)
        return 0;
    if (len > inode->size - offset)
        len = (size_t)(inode->size - offset);
    if (umvfs_data_is_small(inode))
        all = read_small(inode, offset, buf, len, copy, &done);
    else
        all = read_pages(inode, offset, buf, len, copy, &done);
    return all || done > 0 ? (int64_t)done : -UMVFS_EFAULT;
}

/* Grows the file to `end`, once the bytes before it are in place. */
static void extend(struct umvfs_inode *inode, uint64_t end)
{
    if (end > inode->size)
        inode->size = end;
}

/* The copy goes into the new buffer, if one is needed, before that becomes the file's. */
static int64_t write_small(struct umvfs_inode *inode, uint64_t offset, const char *buf, size_t len,
                           const struct umvfs_copy *copy)
{
    struct umvfs_small new;
    int err = umvfs_data_small_prepare(inode, offset + len, &new);
    if (err)
        return err;
    char *dst = new.buf ? new.buf : inode->u.data.root;
    size_t got = copy->copy(copy->ctx, dst + offset, buf, len);
    if (got == 0) {
        if (new.buf)
            umvfs_obj_free(inode->sb, new.buf, new.cap);
        return -UMVFS_EFAULT;
    }
    if (new.buf)
        umvfs_data_small_commit(inode, &new);
    extend(inode, offset + got);
    return (int64_t)got;
}

/* Writes into a page that is not there yet. It joins the file only if something was copied. */
static int write_new_page(struct umvfs_inode *inode, uint64_t index, size_t within, const char *buf,
                          size_t len, const struct umvfs_copy *copy, size_t *got)
{
    void *mem;
    int err = umvfs_data_page_alloc(inode->sb, &mem);
    if (err)
        return err;
    err = umvfs_data_reserve(inode, index);
    if (err) {
        umvfs_data_page_free(inode->sb, mem);
        return err;
    }
    char *page = mem;
    memset(page, 0, within);
    *got = copy->copy(copy->ctx, page + within, buf, len);
    if (*got == 0) {
        umvfs_data_unreserve(inode, index);
        umvfs_data_page_free(inode->sb, mem);
        return -UMVFS_EFAULT;
    }
    memset(page + within + *got, 0, UMVFS_PAGE_SIZE - within - *got);
    umvfs_data_set(inode, index, page);
    return 0;
}

static int64_t write_pages(struct umvfs_inode *inode, uint64_t offset, const char *buf, size_t len,
                           const struct umvfs_copy *copy)
{
    size_t done = 0;
    int err = 0;
    while (done < len) {
        uint64_t index = (offset + done) / UMVFS_PAGE_SIZE;
        size_t within = (offset + done) % UMVFS_PAGE_SIZE;
        size_t part = min_size(len - done, UMVFS_PAGE_SIZE - within);
        size_t got = 0;
        char *page = umvfs_data_page(inode, index);
        if (page) {
            got = copy->copy(copy->ctx, page + within, behind(buf, done), part);
            err = got == 0 ? -UMVFS_EFAULT : 0;
        } else {
            err = write_new_page(inode, index, within, behind(buf, done), part, copy, &got);
        }
        done += got;
        if (got > 0)
            extend(inode, offset + done);
        if (got < part)
            break;
    }
    return done > 0 ? (int64_t)done : err;
}

/* Before a write at offset: what a mapping stored in the gap that the file gets would come to
 * light. Behind the write it stays, as on Linux: the next growth clears it in turn. */
static void hide_gap(struct umvfs_inode *inode, uint64_t offset)
{
    uint64_t page_end = inode->size + (-inode->size & (UMVFS_PAGE_SIZE - 1u));

    if (inode->flags & INODE_MAPPED && offset > inode->size)
        umvfs_data_zero(inode, inode->size, offset < page_end ? offset : page_end);
}

int64_t umvfs_data_write(struct umvfs_inode *inode, uint64_t offset, const char *buf, size_t len,
                         const struct umvfs_copy *copy)
{
    char *dst = umvfs_data_near(inode, offset, len);
    if (dst && len > 0) {
        size_t got = copy->copy(copy->ctx, dst, buf, len);
        return got > 0 ? (int64_t)got : -UMVFS_EFAULT;
    }
    bool small = umvfs_data_is_small(inode) || !(inode->u.data.root || inode->flags & INODE_MAPPED);
    struct umvfs_small old;
    if (len == 0)
        return 0;
    if (small && offset <= UMVFS_SMALL_MAX && len <= UMVFS_SMALL_MAX - offset)
        return write_small(inode, offset, buf, len, copy);
    int err = umvfs_data_to_pages(inode, &old);
    if (err)
        return err;
    hide_gap(inode, offset);
    int64_t done = write_pages(inode, offset, buf, len, copy);
    if (done < 0)
        umvfs_data_to_pages_undo(inode, &old);
    else
        umvfs_data_to_pages_commit(inode, &old);
    return done;
}
