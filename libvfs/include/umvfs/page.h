/* File contents as pages, for mapping them. A page never moves: the page that is mapped is the page
 * that umvfs_read and umvfs_write touch, so both see each other's changes at once. */
#ifndef UMVFS_PAGE_H
#define UMVFS_PAGE_H

#include <umvfs/vfs.h>

UMVFS_BEGIN_DECLS

/* A hole gives *out = NULL: map a page of zeros. config.hole_filled says when that must go because
 * the hole is filled; without it, whoever needs to see that uses UMVFS_PAGE_WRITE. */
#define UMVFS_PAGE_READ 0u
/* A hole is filled with a page of zeros, charged to the quota. */
#define UMVFS_PAGE_WRITE 1u

/* Page `index` of a regular file, with a reference for the caller (config.page_get), to be dropped
 * by umvfs_page_put or by the embedder's own page_put. Bytes after the end of the file are zero, or
 * what a mapping has stored there: other mappings see that until the file's size changes, which
 * zeroes them. A small file is moved to a page first. *out is only the page: its address is what
 * page_alloc returned.
 * -UMVFS_ENXIO: wholly past the end (SIGBUS); -UMVFS_ENODEV: not a regular file; -UMVFS_ENOSPC,
 * -UMVFS_ENOMEM; -UMVFS_ENOSYS: config.page_get is NULL. */
int umvfs_page_get(struct umvfs_inode *inode, uint64_t index, unsigned flags, void **out);
void umvfs_page_put(struct umvfs *vfs, void *page);

/* Where long work on the pages of a file can be cut. umvfs_inode_tail(): the least multiple of the
 * page size at or behind which the file holds no more than so many pages (not 0), be they in the
 * file's size or not. umvfs_inode_span(): how far from offset on, and up to end, it holds no more.
 * What holds no pages at all (a small file, what is not a regular file of the library) has tail 0,
 * and any span. */
uint64_t umvfs_inode_tail(const struct umvfs_inode *inode, size_t pages);
uint64_t umvfs_inode_span(const struct umvfs_inode *inode, uint64_t offset, uint64_t end,
                          size_t pages);

/* The pages of [index, index + count) that exist, each with a reference, in out[0..]; NULL for a
 * hole. No page is made, and a file that is still small is left so. Returns how many elements of
 * out were filled: fewer than count past the end of the file, and where finding more would take
 * another descent of the index; 0 where umvfs_page_get fails. For mapping the neighbours of a page
 * that was asked for. */
unsigned umvfs_page_get_run(struct umvfs_inode *inode, uint64_t index, unsigned count, void **out);

/* A mapping was written for the first time, or again after it was read-only: sets mtime and ctime. */
void umvfs_page_written(struct umvfs_inode *inode);

/* Reads up to len bytes at offset without a file; returns the bytes read, 0 at the end.
 * -UMVFS_EISDIR, -UMVFS_EINVAL. */
int64_t umvfs_inode_read(struct umvfs_inode *inode, uint64_t offset, void *buf, size_t len);

/* A reader callback for parsers: `inode` is a struct umvfs_inode. Fills all of buf and returns 0,
 * or returns -UMVFS_EIO if the file ends before offset + len (buf is then undefined), or as
 * umvfs_inode_read. */
int umvfs_read_exact(void *inode, uint64_t offset, void *buf, size_t len);

UMVFS_END_DECLS

#endif
