/* Contents of regular files: a small buffer, or a sparse array of pages. In either, bytes after the
 * end of the file are zero, except those that a mapping wrote; these are zeroed when the file
 * grows over them. A small file's bytes past its buffer read as zeros. */
#ifndef VFS_DATA_H
#define VFS_DATA_H

#include "radix.h"

static inline bool vfs_data_is_small(const struct vfs_inode *inode)
{
    return inode->u.data.small_cap > 0;
}

/* Whether a regular file is not to be freed at once, see vfs_reap(). */
static inline bool vfs_data_is_large(const struct vfs_inode *inode)
{
    const struct vfs_config *cfg = &inode->sb->vfs->cfg;
    return inode->rdev_or_pages > cfg->late_above && cfg->late && !(inode->flags & INODE_FOREIGN);
}

/* The pages as a tree for the functions of radix.h; copy it back after changes. */
static inline struct vfs_radix vfs_data_tree(const struct vfs_inode *inode)
{
    return (struct vfs_radix){inode->u.data.root, inode->u.data.height};
}

/* Page `index`, or NULL for a hole. The file must not be small. */
static inline void *vfs_data_page(const struct vfs_inode *inode, uint64_t index)
{
    struct vfs_radix tree = vfs_data_tree(inode);
    return vfs_radix_get(&tree, RADIX_PAGE_BITS, index);
}

/* Reserves the way to a page; a page of the caller's, its contents complete, takes that place, and
 * the embedder is told if it knows of holes. Infallible: set, drop. */
int vfs_data_reserve(struct vfs_inode *inode, uint64_t index);
void vfs_data_unreserve(struct vfs_inode *inode, uint64_t index);
void vfs_data_set(struct vfs_inode *inode, uint64_t index, void *page);

/* What a small file was held in before it became one of pages. All zero: it had been one already.
 */
struct vfs_small {
    void *buf;
    uint32_t cap;
};

/* Makes a small file one of pages and keeps the buffer in *old, for either of the two that follow.
 * On failure nothing has changed, and nothing is kept. */
int vfs_data_to_pages(struct vfs_inode *inode, struct vfs_small *old);
void vfs_data_to_pages_commit(struct vfs_inode *inode, struct vfs_small *old);
void vfs_data_to_pages_undo(struct vfs_inode *inode, struct vfs_small *old);

/* A larger buffer with the contents of a file without pages, for `size` bytes, at most
 * VFS_SMALL_MAX; not yet the file's. new->buf is NULL if the present one suffices. */
int vfs_data_small_prepare(const struct vfs_inode *inode, uint64_t size, struct vfs_small *new);
void vfs_data_small_commit(struct vfs_inode *inode, const struct vfs_small *new);

/* Frees the pages first..last (inclusive) after telling the embedder. */
void vfs_data_drop_pages(struct vfs_inode *inode, uint64_t first, uint64_t last);
/* Tells the embedder that pages are about to go. */
void vfs_data_unmap(struct vfs_inode *inode, uint64_t first, uint64_t last);
/* Frees pages of a file that nobody can reach any more, and takes their number off *budget; whether all are gone. */
bool vfs_data_drop_some(struct vfs_inode *inode, size_t *budget);
/* Zeroes bytes that are held; holes stay holes. */
void vfs_data_zero(struct vfs_inode *inode, uint64_t from, uint64_t to);
/* Makes the file `size` bytes long; cannot fail. Times are the caller's. */
void vfs_data_resize(struct vfs_inode *inode, uint64_t size);
/* Frees everything. */
void vfs_data_free(struct vfs_inode *inode);

#endif
