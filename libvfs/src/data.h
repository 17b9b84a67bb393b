/* Contents of regular files: a small buffer, or a sparse array of pages. In either, bytes after the
 * end of the file are zero, except those that a mapping wrote; these are zeroed when the file
 * grows over them. A small file's bytes past its buffer read as zeros. */
#ifndef UMVFS_DATA_H
#define UMVFS_DATA_H

#include "radix.h"
#include "memory.h"

static inline bool umvfs_data_is_small(const struct umvfs_inode *inode)
{
    return inode->u.data.small_cap > 0;
}

/* Whether a regular file is not to be freed at once, see umvfs_reap(). */
static inline bool umvfs_data_is_large(const struct umvfs_inode *inode)
{
    const struct umvfs_config *cfg = &inode->sb->vfs->cfg;
    return inode->rdev_or_pages > cfg->late_above && cfg->late && !(inode->flags & INODE_FOREIGN);
}

/* The pages as a tree for the functions of radix.h; copy it back after changes. */
static inline struct umvfs_radix umvfs_data_tree(const struct umvfs_inode *inode)
{
    return (struct umvfs_radix){inode->u.data.root, inode->u.data.height};
}

/* Page `index`, or NULL for a hole. The file must not be small. */
static inline void *umvfs_data_page(const struct umvfs_inode *inode, uint64_t index)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    return umvfs_radix_get(&tree, RADIX_PAGE_BITS, index);
}

/* Where the bytes are that are read and written most: within one page that is there, and within the
 * file. NULL: these are not such. */
static inline char *umvfs_data_near(const struct umvfs_inode *inode, uint64_t offset, size_t len)
{
    size_t within = offset % UMVFS_PAGE_SIZE;
    if (umvfs_data_is_small(inode) || len > UMVFS_PAGE_SIZE - within || offset >= inode->size ||
        len > inode->size - offset)
        return NULL;
    char *page = umvfs_data_page(inode, offset / UMVFS_PAGE_SIZE);
    return page ? page + within : NULL;
}

/* Reserves the way to a page; a page of the caller's, its contents complete, takes that place, and
 * the embedder is told if it knows of holes. Infallible: set, drop. */
int umvfs_data_reserve(struct umvfs_inode *inode, uint64_t index);
void umvfs_data_unreserve(struct umvfs_inode *inode, uint64_t index);
void umvfs_data_set(struct umvfs_inode *inode, uint64_t index, void *page);

/* What a small file was held in before it became one of pages. All zero: it had been one already.
 */
struct umvfs_small {
    void *buf;
    uint32_t cap;
};

/* Makes a small file one of pages and keeps the buffer in *old, for either of the two that follow.
 * On failure nothing has changed, and nothing is kept. */
int umvfs_data_to_pages(struct umvfs_inode *inode, struct umvfs_small *old);
void umvfs_data_to_pages_commit(struct umvfs_inode *inode, struct umvfs_small *old);
void umvfs_data_to_pages_undo(struct umvfs_inode *inode, struct umvfs_small *old);

/* A larger buffer with the contents of a file without pages, for `size` bytes, at most
 * UMVFS_SMALL_MAX; not yet the file's. new->buf is NULL if the present one suffices. */
int umvfs_data_small_prepare(const struct umvfs_inode *inode, uint64_t size,
                             struct umvfs_small *new);
void umvfs_data_small_commit(struct umvfs_inode *inode, const struct umvfs_small *new);

/* Frees the pages first..last (inclusive) after telling the embedder. */
void umvfs_data_drop_pages(struct umvfs_inode *inode, uint64_t first, uint64_t last);
/* Tells the embedder that pages are about to go. */
void umvfs_data_unmap(struct umvfs_inode *inode, uint64_t first, uint64_t last);
/* Frees pages of a file that nobody can reach any more, and takes their number off *budget; whether all are gone. */
bool umvfs_data_drop_some(struct umvfs_inode *inode, size_t *budget);
/* Zeroes bytes that are held; holes stay holes. */
void umvfs_data_zero(struct umvfs_inode *inode, uint64_t from, uint64_t to);
/* Makes the file `size` bytes long; cannot fail. Times are the caller's. */
void umvfs_data_resize(struct umvfs_inode *inode, uint64_t size);
/* Frees everything. */
void umvfs_data_free(struct umvfs_inode *inode);

/* Moving bytes in and out of regular files by inode. */

static inline size_t umvfs_copy_plainly(void *ctx, void *dst, const void *src, size_t len)
{
    (void)ctx;
    memcpy(dst, src, len);
    return len;
}

/* A copy that is memcpy, here so that a compiler can see that it is. */
static const struct umvfs_copy umvfs_copy_memory = {umvfs_copy_plainly, NULL};

/* Up to len bytes at offset; returns the bytes moved, or -UMVFS_EFAULT if the copy moved none. */
int64_t umvfs_data_read(const struct umvfs_inode *inode, uint64_t offset, char *buf, size_t len,
                        const struct umvfs_copy *copy);
/* Writes len bytes at offset and grows the file; returns the bytes moved, or the error that kept it
 * from moving any. Times are the caller's. */
int64_t umvfs_data_write(struct umvfs_inode *inode, uint64_t offset, const char *buf, size_t len,
                         const struct umvfs_copy *copy);

#endif
