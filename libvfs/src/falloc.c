#include <umvfs/file.h>

#include "data.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"
#include "radix.h"
#include "tell.h"

/* Pages first..last that are not there yet. */
static uint64_t count_missing(const struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    uint64_t missing = last - first + 1u;
    for (uint64_t index = first; umvfs_radix_next(&tree, RADIX_PAGE_BITS, &index) && index <= last;
         index++)
        missing--;
    return missing;
}

/* Takes back what reserve_pages got: a chain of pages, linked through their first bytes. */
static void give_back(struct umvfs_inode *inode, void *chain, uint64_t first, uint64_t end)
{
    while (chain) {
        void *next;
        memcpy(&next, chain, sizeof(next));
        umvfs_data_page_free(inode->sb, chain);
        chain = next;
    }
    for (uint64_t index = first; index < end; index++) {
        if (!umvfs_data_page(inode, index))
            umvfs_data_unreserve(inode, index);
    }
}

/* Gets every missing page and its place in the tree, or nothing. */
static int reserve_pages(struct umvfs_inode *inode, uint64_t first, uint64_t last, void **out)
{
    void *chain = NULL;
    for (uint64_t index = first; index <= last; index++) {
        void *page;
        if (umvfs_data_page(inode, index))
            continue;
        int err = umvfs_data_page_alloc(inode->sb, &page);
        if (!err) {
            memcpy(page, &chain, sizeof(chain));
            chain = page;
            err = umvfs_data_reserve(inode, index);
        }
        if (err) {
            give_back(inode, chain, first, index);
            return err;
        }
    }
    *out = chain;
    return 0;
}

static int fill(struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    const struct umvfs_sb *sb = inode->sb;
    uint64_t missing = count_missing(inode, first, last);
    void *chain;
    if (sb->limits.max_pages && missing > sb->limits.max_pages - sb->pages)
        return -UMVFS_ENOSPC;
    int err = reserve_pages(inode, first, last, &chain);
    if (err)
        return err;
    for (uint64_t index = first; index <= last && chain; index++) {
        if (umvfs_data_page(inode, index))
            continue;
        void *page = chain;
        memcpy(&chain, page, sizeof(chain));
        memset(page, 0, UMVFS_PAGE_SIZE);
        umvfs_data_set(inode, index, page);
    }
    return 0;
}

/* Frees whole pages, zeroes what is left of the range at its ends. */
static void punch(struct umvfs_inode *inode, uint64_t offset, uint64_t end)
{
    uint64_t first = (offset + UMVFS_PAGE_SIZE - 1u) / UMVFS_PAGE_SIZE;
    uint64_t last = end / UMVFS_PAGE_SIZE; /* the first that stays */
    if (umvfs_data_is_small(inode) && first == 0 && last > 0) {
        umvfs_data_free(inode);
        return;
    }
    umvfs_data_zero(inode, offset, end);
    if (first < last && !umvfs_data_is_small(inode))
        umvfs_data_drop_pages(inode, first, last - 1u);
}

static int check_mode(const struct umvfs_file *file, uint32_t mode)
{
    if (mode != 0 && mode != UMVFS_FALLOC_KEEP_SIZE && mode != UMVFS_FALLOC_ZERO_RANGE &&
        mode != (UMVFS_FALLOC_ZERO_RANGE | UMVFS_FALLOC_KEEP_SIZE) &&
        mode != (UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE))
        return -UMVFS_EOPNOTSUPP;
    if (!(file->state & FILE_WRITE))
        return -UMVFS_EBADF;
    if (UMVFS_S_ISFIFO(file->inode->mode))
        return -UMVFS_ESPIPE;
    return UMVFS_S_ISREG(file->inode->mode) ? 0 : -UMVFS_ENODEV;
}

/* Pages for all of the range. The small buffer becomes a page first. */
static int allocate(struct umvfs_inode *inode, uint64_t offset, uint64_t end)
{
    struct umvfs_small old;
    int err = umvfs_data_to_pages(inode, &old);
    if (err)
        return err;
    err = fill(inode, offset / UMVFS_PAGE_SIZE, (end - 1u) / UMVFS_PAGE_SIZE);
    if (err)
        umvfs_data_to_pages_undo(inode, &old);
    else
        umvfs_data_to_pages_commit(inode, &old);
    return err;
}

int umvfs_fallocate(struct umvfs_file *file, uint32_t mode, uint64_t offset, uint64_t len)
{
    return umvfs_fallocate_as(file, NULL, mode, offset, len);
}

int umvfs_fallocate_as(struct umvfs_file *file, const struct umvfs_cred *cred, uint32_t mode,
                       uint64_t offset, uint64_t len)
{
    struct umvfs_inode *inode = file->inode;
    if (len == 0 || offset > INT64_MAX || len > INT64_MAX)
        return -UMVFS_EINVAL;
    int err = check_mode(file, mode);
    if (err)
        return err;
    uint64_t end = offset + len; /* does not wrap: neither is above INT64_MAX */
    if (end > UMVFS_FILE_SIZE_MAX)
        return -UMVFS_EFBIG;
    if (umvfs_is_foreign(inode))
        return -UMVFS_EOPNOTSUPP;
    if (!(mode & UMVFS_FALLOC_PUNCH_HOLE))
        err = allocate(inode, offset, end);
    if (err)
        return err;
    if (mode & UMVFS_FALLOC_PUNCH_HOLE)
        punch(inode, offset, end);
    if (mode & UMVFS_FALLOC_ZERO_RANGE)
        umvfs_data_zero(inode, offset, end);
    if (!(mode & UMVFS_FALLOC_KEEP_SIZE) && end > inode->size)
        umvfs_data_resize(inode, end);
    uint16_t mode_before = inode->mode;
    umvfs_drop_privileges(inode, cred);
    umvfs_touch_mtime(inode);
    if (inode->mode != mode_before)
        umvfs_tell_place(file->path.dentry, UMVFS_IN_ATTRIB);
    umvfs_file_event(file, UMVFS_IN_MODIFY);
    return 0;
}
