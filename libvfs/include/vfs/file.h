/* Open files. A struct vfs_file lives in storage of the caller (embed it in a file description);
 * share one between descriptors for a shared offset. */
#ifndef VFS_FILE_H
#define VFS_FILE_H

#include <vfs/path.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

struct vfs_file {
    struct vfs_path path;    /* counted; survives the name's removal */
    struct vfs_inode *inode; /* of path */
    uint32_t flags;          /* VFS_O_*; the caller may change VFS_O_APPEND and foreign bits */
    uint32_t state;          /* private to the library */
    uint64_t offset;         /* bytes; directories: a readdir cookie */
    uint64_t end_cookie;     /* private: directories, where the present listing ends */
    void *private_data;      /* of the embedder or a foreign file system; NULL at open */
};

/* Opens, and with VFS_O_CREAT or VFS_O_TMPFILE makes, a file. mode: permission bits of a new file,
 * task->umask applies. resolve: VFS_RESOLVE_*. Devices and FIFOs open without further meaning:
 * the embedder looks at vfs_inode_mode, _rdev and _cookie. With VFS_O_EMPTY_PATH and path "" the
 * object `at` itself is opened, with the same checks (FUSE opens inodes, not paths); it does not go
 * with VFS_O_CREAT and VFS_O_TMPFILE (-VFS_EINVAL). The errors are those of open(2), among
 * them -VFS_ETXTBSY (for writing, while executed), -VFS_ENXIO (a socket), -VFS_EISDIR. */
int vfs_open(const struct vfs_task *task, const struct vfs_path *at, const char *path,
             uint32_t flags, uint32_t mode, unsigned resolve, struct vfs_file *out);

/* Opens for execution: a regular file, execute permission, no VFS_MS_NOEXEC (-VFS_EACCES), not
 * open for writing (-VFS_ETXTBSY). Until vfs_close nobody can open it for writing. The file can be
 * read without read permission. flags: VFS_AT_SYMLINK_NOFOLLOW, VFS_AT_EMPTY_PATH. */
int vfs_open_exec(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                  unsigned flags, struct vfs_file *out);

/* Drops everything that the file holds, and clears it. */
void vfs_close(struct vfs_file *file);

/* A second, independent user of the same file description needs no call: share the struct.
 * This makes a new description of the same place with the same flags (offset 0), without any
 * permission check: for an embedder that keeps open files across its own structures. */
int vfs_reopen(const struct vfs_file *file, struct vfs_file *out);

/* The execution guard by itself: while the count of denials is above 0, opening for writing fails
 * with -VFS_ETXTBSY; vfs_deny_write fails with -VFS_ETXTBSY while the inode is open for writing. */
int vfs_deny_write(struct vfs_inode *inode);
void vfs_allow_write(struct vfs_inode *inode);

/* Reads or writes at file->offset and advances it, or at `offset`, into plain memory. Return the
 * bytes moved, fewer only at the end of the file or when space ran out after the first byte.
 * -VFS_EBADF: not open for it; -VFS_EISDIR; -VFS_EINVAL: not a regular file (the embedder serves
 * those itself), or offset above VFS_FILE_SIZE_MAX; -VFS_EFBIG; -VFS_ENOSPC; -VFS_ENOMEM. */
int64_t vfs_read(struct vfs_file *file, void *buf, size_t len);
int64_t vfs_write(struct vfs_file *file, const void *buf, size_t len);
int64_t vfs_pread(struct vfs_file *file, void *buf, size_t len, uint64_t offset);
int64_t vfs_pwrite(struct vfs_file *file, const void *buf, size_t len, uint64_t offset);

/* The same through a copy callback. `buf` is the embedder's address, which is only ever handed to
 * copy->copy: as dst by a read, as src by a write. *offset is advanced by the bytes moved; with
 * VFS_O_APPEND a write starts at the end instead and *offset ends after it. For task accounting
 * (S_ISUID is dropped by writes without VFS_CAP_FSETID) cred may be NULL: as unprivileged. */
int64_t vfs_read_to(struct vfs_file *file, void *buf, size_t len, uint64_t *offset,
                    const struct vfs_copy *copy);
int64_t vfs_write_from(struct vfs_file *file, const struct vfs_cred *cred, const void *buf,
                       size_t len, uint64_t *offset, const struct vfs_copy *copy);

/* lseek(2), with VFS_SEEK_DATA and _HOLE in units of pages. Returns the new offset. For a
 * directory, VFS_SEEK_SET takes 0 or a cookie got from vfs_readdir. -VFS_EINVAL, -VFS_ENXIO,
 * -VFS_ESPIPE, -VFS_EBADF. */
int64_t vfs_seek(struct vfs_file *file, int64_t offset, int whence);

/* fallocate(2): mode 0 or KEEP_SIZE reserves pages, PUNCH_HOLE|KEEP_SIZE frees whole pages and
 * zeroes the rest, ZERO_RANGE zeroes. All or nothing. -VFS_EOPNOTSUPP, -VFS_EINVAL, -VFS_EBADF,
 * -VFS_EFBIG, -VFS_ENOSPC, -VFS_ENODEV (not a regular file). */
int vfs_fallocate(struct vfs_file *file, uint32_t mode, uint64_t offset, uint64_t len);

/* ftruncate(2). -VFS_EINVAL (not open for writing, not regular), -VFS_EFBIG. */
int vfs_file_truncate(struct vfs_file *file, uint64_t size);

/* The same two on behalf of somebody: without VFS_CAP_FSETID they take set-user-id bits as a write
 * does. cred may be NULL: as unprivileged, which is what the functions above do. */
int vfs_fallocate_as(struct vfs_file *file, const struct vfs_cred *cred, uint32_t mode,
                     uint64_t offset, uint64_t len);
int vfs_file_truncate_as(struct vfs_file *file, const struct vfs_cred *cred, uint64_t size);

/* One directory entry. Return 0 to take it, anything else to stop before it. `next` is the cookie
 * to continue after this entry; name has `len` bytes, no NUL. */
typedef int (*vfs_emit)(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                        uint64_t next);

/* Emits the entries from file->offset on, "." and ".." first, and advances it. A cookie stays valid
 * whatever happens to the directory: an entry present all the time is emitted exactly once. Entries
 * that are made after a call at offset 0 (the first, or the first after a seek to 0) are not emitted
 * before the next such call, so that a listing always ends; a file system of the embedder's own sees
 * to that itself. Returns 0 at the end or when emit stopped. -VFS_ENOTDIR, -VFS_EBADF, -VFS_ENOENT
 * (the directory has been removed). The callback may change the directory. */
int vfs_readdir(struct vfs_file *file, vfs_emit emit, void *ctx);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
