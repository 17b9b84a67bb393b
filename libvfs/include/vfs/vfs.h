/* libvfs: an in-memory file system and its path resolver, for kernels and tools.
 *
 * The library is serialised by its caller: no two calls on one instance may overlap. It has no
 * globals, never blocks, never logs and needs nothing from outside but memcpy, memmove, memset,
 * memcmp and the callbacks below. Callbacks must not call back into the same instance, except
 * where said so.
 *
 * Every operation prepares, then commits: if it returns an error, nothing has changed (reads and
 * writes report the bytes that were moved before an error instead). Outputs are written only on
 * success. */
#ifndef VFS_VFS_H
#define VFS_VFS_H

#include <vfs/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

/* Fill a file system of one's own with this; used for the root and for vfs_mount_memory. */
struct vfs_limits {
    uint64_t max_pages;  /* data pages; 0: unlimited */
    uint64_t max_inodes; /* 0: unlimited */
    uint64_t max_bytes;  /* bytes of objects; 0: unlimited */
};

/* Everything the library needs from its embedder. Zero the structure first; every field says what
 * zero means. The structure is copied; `ctx` is handed to every callback. */
struct vfs_config {
    void *ctx; /* NULL is as good as any */

    /* Objects: at most VFS_OBJECT_MAX bytes, aligned to 16. alloc may return NULL, the contents
     * need not be zero; free gets the size that was asked for. NULL: invalid. */
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *ptr, size_t size);

    /* Data pages: VFS_PAGE_SIZE bytes, so aligned. page_alloc returns a page with one reference,
     * contents arbitrary, or NULL; page_put drops a reference and frees the page with the last.
     * NULL: invalid. page_get adds a reference; NULL: vfs_page_get answers -VFS_ENOSYS, and
     * page_put is then simply free. A kernel passes its frame counts: it may drop a reference got
     * from vfs_page_get by its own means. */
    void *(*page_alloc)(void *ctx);
    void (*page_get)(void *ctx, void *page);
    void (*page_put)(void *ctx, void *page);

    /* Nanoseconds since the Epoch. NULL: all times are 0. */
    int64_t (*now)(void *ctx);

    /* Called before pages first..last (inclusive; UINT64_MAX: to the end) leave an inode of which
     * vfs_page_get has ever handed one out, by truncation, hole-punching or the end of the inode:
     * drop the mappings. NULL: nobody is told. */
    void (*unmap)(void *ctx, struct vfs_inode *inode, uint64_t first, uint64_t last);

    /* Called when a page of contents has come to be where vfs_page_get or vfs_page_get_run has once
     * said that this inode has a hole (not necessarily there): drop what page `index` is mapped to,
     * which is zeros, so that the next access finds the page. Contents are in place, the new size
     * of a file that grows may not be. Called within vfs_page_get too, where that fills the hole.
     * NULL: such mappings go on showing zeros. */
    void (*hole_filled)(void *ctx, struct vfs_inode *inode, uint64_t index);

    /* Called when an inode with a cookie is about to be freed. NULL: nobody is told. */
    void (*inode_free)(void *ctx, struct vfs_inode *inode, void *cookie);

    /* Called when so much has come to its end (a file with more than late_above pages, a file system
     * with more inodes than that) that freeing it would take long. True: the caller goes on to call vfs_reap() until nothing is left.
     * False, or NULL: all of it is freed at once. No function of the library may be called from here. */
    bool (*late)(void *ctx);
    uint32_t late_above;

    uint64_t seed[2]; /* key of the name hash: random. Zero: names can be made to collide */

    struct vfs_limits root_limits; /* quotas of the root file system */
    uint32_t root_mode;            /* permission bits of "/"; 0: 0755 */
    uint32_t root_uid;
    uint32_t root_gid;

    /* Linux's sysctls of these names. 0: off; regular and fifos know 1 and 2. */
    uint8_t protected_symlinks;
    uint8_t protected_hardlinks;
    uint8_t protected_fifos;
    uint8_t protected_regular;
};

/* Makes an instance with an empty root file system.
 * -VFS_EINVAL: a callback is missing; -VFS_ENOMEM. */
int vfs_new(const struct vfs_config *config, struct vfs **out);

/* Frees the instance with all mounts, inodes and pages. -VFS_EBUSY: the caller still holds a path,
 * file or import of it; nothing has changed then. */
int vfs_destroy(struct vfs *vfs);

/* Frees some of what `late` was told of: as many pages and directory entries as the budget says. Returns
 * whether something is left. Until then it counts in the figures of its file system. */
bool vfs_reap(struct vfs *vfs, size_t budget);

/* The root of the instance's first mount, with a reference for the caller. */
void vfs_root(struct vfs *vfs, struct vfs_path *out);

/* Changes the protected_* rules of a running instance (the kernel's sysctls). */
void vfs_set_protection(struct vfs *vfs, uint8_t symlinks, uint8_t hardlinks, uint8_t fifos,
                        uint8_t regular);

/* Inodes ---------------------------------------------------------------------------------- */

/* The inode behind a place; no reference is taken, it lives as long as the place is held. */
struct vfs_inode *vfs_path_inode(const struct vfs_path *path);

/* One reference more or less on an inode (a mapping that outlives its file, for instance). */
void vfs_inode_get(struct vfs_inode *inode);
void vfs_inode_put(struct vfs_inode *inode);

/* Cheap getters: as of now, no checks. */
uint32_t vfs_inode_mode(const struct vfs_inode *inode);
uint64_t vfs_inode_size(const struct vfs_inode *inode);
uint64_t vfs_inode_number(const struct vfs_inode *inode);
uint64_t vfs_inode_device(const struct vfs_inode *inode); /* stat's dev */
uint64_t vfs_inode_rdev(const struct vfs_inode *inode);

/* One pointer of the embedder's per inode: a pipe behind a FIFO, the list of mappings of a file.
 * NULL at first. For an inode of a foreign file system it is the embedder's too, but lives only as
 * long as the inode is referenced. */
void *vfs_inode_cookie(const struct vfs_inode *inode);
void vfs_inode_set_cookie(struct vfs_inode *inode, void *cookie);

/* The node that a foreign file system gave for this inode; NULL for the library's own. */
void *vfs_inode_node(const struct vfs_inode *inode);
/* The operations of the inode's file system; NULL for the library's own. */
const struct vfs_fs_ops *vfs_inode_ops(const struct vfs_inode *inode);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
