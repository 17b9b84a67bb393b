/* libvfs: an in-memory file system and its path resolver, for kernels and tools.
 *
 * The library is serialised by its caller: no two calls on one instance may overlap. It has no
 * globals, never blocks, never logs and needs nothing from outside but memcpy, memmove, memset,
 * memcmp and the callbacks below. Callbacks must not call back into the same instance, except
 * where said so.
 *
 * Every operation prepares, then commits: if it returns an error, nothing has changed (reads and
 * writes report the bytes that were moved before an error instead, and what works on whole trees
 * says so). Outputs are written only on success. */
#ifndef UMVFS_VFS_H
#define UMVFS_VFS_H

#include <umvfs/types.h>

UMVFS_BEGIN_DECLS

/* The version of the library that is linked, as UMVFS_VERSION. */
uint32_t umvfs_version(void);

/* Fill a file system of one's own with this; used for the root and for umvfs_mount_memory. */
struct umvfs_limits {
    uint64_t max_pages;  /* data pages; 0: unlimited */
    uint64_t max_inodes; /* 0: unlimited */
    uint64_t max_bytes;  /* bytes of objects; 0: unlimited */
};

/* Everything the library needs from its embedder. Zero the structure first; every field says what
 * zero means. The structure is copied; `ctx` is handed to every callback. */
struct umvfs_config {
    void *ctx; /* NULL is as good as any */

    /* Objects: at most UMVFS_OBJECT_MAX bytes, aligned to 16. alloc may return NULL, the contents
     * need not be zero; free gets the size that was asked for. NULL: invalid. */
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *ptr, size_t size);

    /* Data pages: UMVFS_PAGE_SIZE bytes, so aligned. page_alloc returns a page with one reference,
     * contents arbitrary, or NULL; page_put drops a reference and frees the page with the last.
     * NULL: invalid. page_get adds a reference; NULL: umvfs_page_get answers -UMVFS_ENOSYS, and
     * page_put is then simply free. A kernel passes its frame counts: it may drop a reference got
     * from umvfs_page_get by its own means. */
    void *(*page_alloc)(void *ctx);
    void (*page_get)(void *ctx, void *page);
    void (*page_put)(void *ctx, void *page);

    /* Nanoseconds since the Epoch. NULL: all times are 0. */
    int64_t (*now)(void *ctx);

    /* Called before pages first..last (inclusive; UINT64_MAX: to the end) leave an inode of which
     * umvfs_page_get has ever handed one out, by truncation, hole-punching or the end of the inode:
     * drop the mappings. NULL: nobody is told. */
    void (*unmap)(void *ctx, struct umvfs_inode *inode, uint64_t first, uint64_t last);

    /* Called when an inode gets a page at `index` where it had a hole, if umvfs_page_get or
     * umvfs_page_get_run has ever reported a hole of this inode. The embedder removes its mappings
     * of that page, which show zeros, so that the next access finds the new page. The page has its
     * contents already; the size of a file that grows may change after the call. umvfs_page_get
     * itself makes this call if it fills the hole. NULL: such mappings go on showing zeros. */
    void (*hole_filled)(void *ctx, struct umvfs_inode *inode, uint64_t index);

    /* Called when an inode with a cookie is about to be freed. NULL: nobody is told. */
    void (*inode_free)(void *ctx, struct umvfs_inode *inode, void *cookie);

    /* Called after something has happened to an inode that umvfs_inode_set_watched() has marked, or to
     * an entry of such a directory: changes of the tree, of attributes and of sizes. Opens, reads,
     * writes and closes are told by the embedder, with umvfs_file_event(), since it knows what one
     * operation is. UMVFS_IN_DELETE_SELF and UMVFS_IN_UNMOUNT are the last event of an inode, before
     * inode_free. Pass them on to umvfs/event.h. NULL: nobody is told. */
    void (*event)(void *ctx, const struct umvfs_event *event);

    /* Called when so much has come to its end (a file with more than late_above pages, a file
     * system with more inodes than that) that freeing it would take long. True: the caller goes on
     * to call umvfs_reap() until nothing is left. False, or NULL: all of it is freed at once. No
     * function of the library may be called from here. */
    bool (*late)(void *ctx);
    uint32_t late_above;

    uint64_t seed[2]; /* key of the name hash: random. Zero: names can be made to collide */

    struct umvfs_limits root_limits; /* quotas of the root file system */
    uint32_t root_mode;              /* permission bits of "/"; 0: 0755 */
    uint32_t root_uid;
    uint32_t root_gid;

    /* Linux's sysctls of these names. 0: off; regular and fifos know 1 and 2. */
    uint8_t protected_symlinks;
    uint8_t protected_hardlinks;
    uint8_t protected_fifos;
    uint8_t protected_regular;
};

/* Makes an instance with an empty root file system.
 * -UMVFS_EINVAL: a callback is missing; -UMVFS_ENOMEM. */
int umvfs_new(const struct umvfs_config *config, struct umvfs **out);

/* Frees the instance with all mounts, inodes and pages. -UMVFS_EBUSY: the caller still holds a
 * path, file or import of it; nothing has changed then. */
int umvfs_destroy(struct umvfs *vfs);

/* Frees some of what `late` was told of: as many pages and directory entries as the budget says.
 * Returns whether something is left. Until then it counts in the figures of its file system. */
bool umvfs_reap(struct umvfs *vfs, size_t budget);

/* The root of the instance's first mount, with a reference for the caller. */
void umvfs_root(struct umvfs *vfs, struct umvfs_path *out);

/* Changes the protected_* rules of a running instance (the kernel's sysctls). */
void umvfs_set_protection(struct umvfs *vfs, uint8_t symlinks, uint8_t hardlinks, uint8_t fifos,
                          uint8_t regular);

/* Inodes ---------------------------------------------------------------------------------- */

/* The inode behind a place; no reference is taken, it lives as long as the place is held. */
struct umvfs_inode *umvfs_path_inode(const struct umvfs_path *path);

/* One reference more or less on an inode (a mapping that outlives its file, for instance). */
void umvfs_inode_get(struct umvfs_inode *inode);
void umvfs_inode_put(struct umvfs_inode *inode);

/* Cheap getters: as of now, no checks. */
uint32_t umvfs_inode_mode(const struct umvfs_inode *inode);
uint64_t umvfs_inode_size(const struct umvfs_inode *inode);
uint64_t umvfs_inode_number(const struct umvfs_inode *inode);
uint64_t umvfs_inode_device(const struct umvfs_inode *inode); /* stat's dev */
uint64_t umvfs_inode_rdev(const struct umvfs_inode *inode);

/* One pointer of the embedder's per inode: a pipe behind a FIFO, the list of mappings of a file.
 * NULL at first. For an inode of a foreign file system it is the embedder's too, but lives only as
 * long as the inode is referenced. */
void *umvfs_inode_cookie(const struct umvfs_inode *inode);
void umvfs_inode_set_cookie(struct umvfs_inode *inode, void *cookie);

/* Marks an inode of which config.event shall be told. */
void umvfs_inode_set_watched(struct umvfs_inode *inode, bool is_watched);

/* The node that a foreign file system gave for this inode; NULL if the inode is not foreign. */
void *umvfs_inode_node(const struct umvfs_inode *inode);
/* The operations of the inode's file system; NULL if the inode is not foreign. */
const struct umvfs_fs_ops *umvfs_inode_ops(const struct umvfs_inode *inode);

UMVFS_END_DECLS

#endif
