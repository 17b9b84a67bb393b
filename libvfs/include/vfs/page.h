/* File contents as pages, for mapping them. A page never moves: the page that is mapped is the page
 * that vfs_read and vfs_write touch, so both see each other's changes at once. */
#ifndef VFS_PAGE_H
#define VFS_PAGE_H

#include <vfs/vfs.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/* A hole gives *out = NULL: map a page of zeros. config.hole_filled says when that must go because
 * the hole is filled; without it, whoever needs to see that uses VFS_PAGE_WRITE. */
#define VFS_PAGE_READ 0u
/* A hole is filled with a page of zeros, charged to the quota. */
#define VFS_PAGE_WRITE 1u

/* Page `index` of a regular file, with a reference for the caller (config.page_get), to be dropped
 * by vfs_page_put or by the embedder's own page_put. Bytes after the end of the file are zero when
 * the page is handed out. A small file is moved to a page first. *out is only the page: its address
 * is what page_alloc returned.
 * -VFS_ENXIO: wholly past the end (SIGBUS); -VFS_ENODEV: not a regular file; -VFS_ENOSPC,
 * -VFS_ENOMEM; -VFS_ENOSYS: config.page_get is NULL. */
int vfs_page_get(struct vfs_inode *inode, uint64_t index, unsigned flags, void **out);
void vfs_page_put(struct vfs *vfs, void *page);

/* Where long work on the pages of a file can be cut. vfs_inode_tail(): the least multiple of the page size at
 * or behind which the file holds no more than so many pages (not 0), be they in the file's size or not.
 * vfs_inode_span(): how far from offset on, and up to end, it holds no more. What holds no pages
 * at all (a small file, what is not a regular file of the library) has tail 0, and any span. */
uint64_t vfs_inode_tail(const struct vfs_inode *inode, size_t pages);
uint64_t vfs_inode_span(const struct vfs_inode *inode, uint64_t offset, uint64_t end, size_t pages);

/* The pages of [index, index + count) that exist, each with a reference, in out[0..]; NULL for a
 * hole. No page is made, and a file that is still small is left so. Returns how many elements of
 * out were filled: fewer than count past the end of the file, and where finding more would take
 * another descent of the index; 0 where vfs_page_get fails. For mapping the neighbours of a page
 * that was asked for. */
unsigned vfs_page_get_run(struct vfs_inode *inode, uint64_t index, unsigned count, void **out);

/* A mapping was written: sets mtime and ctime (msync, munmap of a shared mapping). */
void vfs_page_written(struct vfs_inode *inode);

/* Reads up to len bytes at offset without a file; returns the bytes read, 0 at the end.
 * -VFS_EISDIR, -VFS_EINVAL. */
int64_t vfs_inode_read(struct vfs_inode *inode, uint64_t offset, void *buf, size_t len);

/* A reader callback for parsers: `inode` is a struct vfs_inode. Fills all of buf and returns 0, or
 * returns -VFS_EIO if the file ends before offset + len (buf is then undefined), or as
 * vfs_inode_read. */
int vfs_read_exact(void *inode, uint64_t offset, void *buf, size_t len);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
