/* Open files. A struct umvfs_file lives in storage of the caller (embed it in a file description);
 * share one between descriptors for a shared offset. */
#ifndef UMVFS_FILE_H
#define UMVFS_FILE_H

#include <umvfs/path.h>

UMVFS_BEGIN_DECLS

struct umvfs_file {
    struct umvfs_path path;    /* counted; survives the name's removal */
    struct umvfs_inode *inode; /* of path */
    uint32_t flags;      /* UMVFS_O_*; the caller may change UMVFS_O_APPEND and foreign bits */
    uint32_t state;      /* private to the library */
    uint64_t offset;     /* bytes; directories: a readdir cookie */
    uint64_t end_cookie; /* private: directories, where the present listing ends */
    void *private_data;  /* of the embedder or a foreign file system; NULL at open */
};

/* Opens, and with UMVFS_O_CREAT or UMVFS_O_TMPFILE makes, a file. mode: permission bits of a new
 * file, task->umask applies. resolve: UMVFS_RESOLVE_*. Devices and FIFOs open without further
 * meaning: the embedder looks at umvfs_inode_mode, _rdev and _cookie. With UMVFS_O_EMPTY_PATH and
 * path "" the object `at` itself is opened, with the same checks (FUSE opens inodes, not paths); it
 * does not go with UMVFS_O_CREAT and UMVFS_O_TMPFILE (-UMVFS_EINVAL). The errors are those of
 * open(2), among them -UMVFS_ETXTBSY (for writing, while executed), -UMVFS_ENXIO (a socket),
 * -UMVFS_EISDIR. */
int umvfs_open(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               uint32_t flags, uint32_t mode, unsigned resolve, struct umvfs_file *out);

/* Opens for execution: a regular file, execute permission, no UMVFS_MS_NOEXEC (-UMVFS_EACCES), not
 * open for writing (-UMVFS_ETXTBSY). Until umvfs_close nobody can open it for writing. The file can
 * be read without read permission. flags: UMVFS_AT_SYMLINK_NOFOLLOW, UMVFS_AT_EMPTY_PATH. Also the
 * errors of umvfs_lookup. */
int umvfs_open_exec(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    unsigned flags, struct umvfs_file *out);

/* Drops everything that the file holds, and clears it. */
void umvfs_close(struct umvfs_file *file);

/* A second, independent user of the same file description needs no call: share the struct.
 * This makes a new description of the same place with the same flags (offset 0), without any
 * permission check: for an embedder that keeps open files across its own structures. Only the open
 * of a foreign file system fails. */
int umvfs_reopen(const struct umvfs_file *file, struct umvfs_file *out);

/* The execution guard by itself: while the count of denials is above 0, opening for writing fails
 * with -UMVFS_ETXTBSY; umvfs_deny_write fails with -UMVFS_ETXTBSY while the inode is open for
 * writing. */
int umvfs_deny_write(struct umvfs_inode *inode);
void umvfs_allow_write(struct umvfs_inode *inode);

/* Counts as an open file for writing, so that nobody may deny it: a mapping that outlives its file.
 * The first is taken while the inode is open for writing. */
void umvfs_writer_get(struct umvfs_inode *inode);
void umvfs_writer_put(struct umvfs_inode *inode);

/* Reads or writes at file->offset and advances it, or at `offset`, into plain memory. Return the
 * bytes moved, fewer only at the end of the file or when space ran out after the first byte.
 * -UMVFS_EBADF: not open for it; -UMVFS_EISDIR; -UMVFS_EINVAL: not a regular file (the embedder
 * serves those itself), or offset above UMVFS_FILE_SIZE_MAX; -UMVFS_EFBIG; -UMVFS_ENOSPC;
 * -UMVFS_ENOMEM. */
int64_t umvfs_read(struct umvfs_file *file, void *buf, size_t len);
int64_t umvfs_write(struct umvfs_file *file, const void *buf, size_t len);
int64_t umvfs_pread(struct umvfs_file *file, void *buf, size_t len, uint64_t offset);
int64_t umvfs_pwrite(struct umvfs_file *file, const void *buf, size_t len, uint64_t offset);

/* The same through a copy callback. `buf` is the embedder's address, which is only ever handed to
 * copy->copy: as dst by a read, as src by a write. The callback must not call libvfs, not even from
 * a page fault on `buf`, which may lie in a mapping of the same file: it copies less instead.
 * *offset is advanced by the bytes moved; with UMVFS_O_APPEND a write starts at the end instead and
 * *offset ends after it. For task accounting (S_ISUID is dropped by writes without
 * UMVFS_CAP_FSETID) cred may be NULL: as unprivileged. */
int64_t umvfs_read_to(struct umvfs_file *file, void *buf, size_t len, uint64_t *offset,
                      const struct umvfs_copy *copy);
int64_t umvfs_write_from(struct umvfs_file *file, const struct umvfs_cred *cred, const void *buf,
                         size_t len, uint64_t *offset, const struct umvfs_copy *copy);

/* lseek(2), with UMVFS_SEEK_DATA and _HOLE in units of pages. Returns the new offset. For a
 * directory, UMVFS_SEEK_SET takes 0 or a cookie got from umvfs_readdir. -UMVFS_EINVAL,
 * -UMVFS_ENXIO, -UMVFS_ESPIPE, -UMVFS_EBADF. */
int64_t umvfs_seek(struct umvfs_file *file, int64_t offset, int whence);

/* fallocate(2): mode 0 or KEEP_SIZE reserves pages, PUNCH_HOLE|KEEP_SIZE frees whole pages and
 * zeroes the rest, ZERO_RANGE zeroes. All or nothing. -UMVFS_EOPNOTSUPP, -UMVFS_EINVAL,
 * -UMVFS_EBADF, -UMVFS_EFBIG, -UMVFS_ENOSPC, -UMVFS_ENODEV (not a regular file). */
int umvfs_fallocate(struct umvfs_file *file, uint32_t mode, uint64_t offset, uint64_t len);

/* ftruncate(2). -UMVFS_EINVAL (not open for writing, not regular), -UMVFS_EFBIG, -UMVFS_EBADF (opened
 * with UMVFS_O_PATH). */
int umvfs_file_truncate(struct umvfs_file *file, uint64_t size);

/* Sets atime as a read does (mmap). */
void umvfs_file_accessed(const struct umvfs_file *file);

/* The same two on behalf of somebody: without UMVFS_CAP_FSETID they take set-user-id bits as a
 * write does. cred may be NULL: as unprivileged, which is what the functions above do. */
int umvfs_fallocate_as(struct umvfs_file *file, const struct umvfs_cred *cred, uint32_t mode,
                       uint64_t offset, uint64_t len);
int umvfs_file_truncate_as(struct umvfs_file *file, const struct umvfs_cred *cred, uint64_t size);

/* Tells config.event of something done with an open file (UMVFS_IN_OPEN, _ACCESS, _MODIFY, _CLOSE_*):
 * for its directory, if that is watched, and for the inode, if that is. */
void umvfs_file_event(const struct umvfs_file *file, uint32_t mask);

/* One directory entry. Return 0 to take it, anything else to stop before it. `next` is the cookie
 * to continue after this entry; name has `len` bytes, no NUL. */
typedef int (*umvfs_emit)(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                          uint64_t next);

/* Emits the entries from file->offset on, "." and ".." first, and advances it. A cookie stays valid
 * whatever happens to the directory: an entry present all the time is emitted exactly once. Entries
 * that are made after a call at offset 0 (the first, or the first after a seek to 0) are not emitted
 * before the next such call, so that a listing always ends; a file system of the embedder's own sees
 * to that itself. Returns 0 at the end or when emit stopped. -UMVFS_ENOTDIR, -UMVFS_EBADF,
 * -UMVFS_ENOENT (the directory has been removed). The callback may change the directory. */
int umvfs_readdir(struct umvfs_file *file, umvfs_emit emit, void *ctx);

/* An entry with what fstatat(2) says of it. */
struct umvfs_entry {
    const char *name; /* with a NUL */
    size_t len;       /* without it */
    /* Of the object, or of what is mounted there; the library's reference. */
    struct umvfs_path place;
    struct umvfs_stat stat; /* of `place`; of a symbolic link itself */
    uint64_t next;          /* the cookie to continue after this entry */
};

/* Returns 0 to take the entry, anything else to stop before it. The entry is valid during the call;
 * umvfs_path_get keeps its place. */
typedef int (*umvfs_emit_entry)(void *ctx, const struct umvfs_entry *entry);

/* umvfs_readdir with the attributes and the place of each entry, looked up by the task. Cookies,
 * order and the end of a listing are the same. An entry that has gone meanwhile is passed over. The
 * errors of umvfs_readdir and, with the offset left before the entry, of umvfs_lookup: -UMVFS_EACCES,
 * if the task may not search the directory. */
int umvfs_readdir_stat(const struct umvfs_task *task, struct umvfs_file *file,
                       umvfs_emit_entry emit, void *ctx);

UMVFS_END_DECLS

#endif
