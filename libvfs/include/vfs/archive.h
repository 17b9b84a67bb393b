/* Import and export of archives: cpio "newc" (070701) and its checksummed form (070702), any number
 * of them one after another with NUL padding between, as Linux's initramfs; tar as ustar, pax and
 * GNU (long names).
 *
 * An import is pushed in pieces of any size and needs three objects of VFS_OBJECT_MAX besides what
 * it builds, and an entry of the size of a name for each file with several names. It
 * builds a detached tree, which vfs_import_finish grafts; before that nothing can be seen, and on
 * any error nothing remains. Compressed archives are the caller's to unpack. */
#ifndef VFS_ARCHIVE_H
#define VFS_ARCHIVE_H

#include <vfs/path.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(hidden)

enum vfs_archive_format {
    VFS_ARCHIVE_AUTO = 0, /* by the first bytes; import only */
    VFS_ARCHIVE_CPIO = 1, /* export: newc */
    VFS_ARCHIVE_CPIO_CRC = 2,
    VFS_ARCHIVE_TAR = 3, /* export: pax */
};

enum vfs_archive_reason {
    VFS_ARCHIVE_OK = 0,
    VFS_ARCHIVE_UNKNOWN_FORMAT,  /* neither cpio nor tar */
    VFS_ARCHIVE_BAD_MAGIC,       /* no header where one must be */
    VFS_ARCHIVE_BAD_NUMBER,      /* a digit that is none, or a value out of range */
    VFS_ARCHIVE_BAD_CHECKSUM,    /* tar header, or cpio 070702 contents */
    VFS_ARCHIVE_BAD_NAME,        /* empty, NUL inside, unterminated, or a component too long */
    VFS_ARCHIVE_ABSOLUTE_NAME,   /* refused by policy */
    VFS_ARCHIVE_PARENT_NAME,     /* "..": refused by policy */
    VFS_ARCHIVE_THROUGH_SYMLINK, /* a directory of the name is a symbolic link */
    VFS_ARCHIVE_NOT_DIRECTORY,   /* a directory of the name is something else */
    VFS_ARCHIVE_BAD_TYPE,        /* a type that has no meaning here */
    VFS_ARCHIVE_BAD_LINK,        /* a hard link to nothing, or a symbolic link too long or empty */
    VFS_ARCHIVE_BAD_PAX,         /* a pax record that does not parse */
    VFS_ARCHIVE_BAD_PADDING,     /* bytes other than NUL between archives */
    VFS_ARCHIVE_TRUNCATED,       /* the data ends inside an entry or without an end mark */
    VFS_ARCHIVE_TOO_LARGE,       /* above vfs_import_options, or a size above VFS_FILE_SIZE_MAX */
    VFS_ARCHIVE_CONFLICT,        /* the name exists in the target as something else */
    VFS_ARCHIVE_NO_SPACE,        /* quota, or no memory */
    VFS_ARCHIVE_OLD_CPIO,        /* cpio, but "odc" (070707) or binary */
};

/* Zero is a good default for everything. */
struct vfs_import_options {
    enum vfs_archive_format format;
    uint64_t max_entries; /* 0: no limit but the quota */
    bool allow_absolute;  /* leading slashes are dropped instead of refused */
    bool replace;         /* non-directories in the target may be replaced by the archive's */
    bool owner_is_task;   /* everything belongs to the task instead of whom the archive says */
    bool no_devices;      /* device nodes are refused (BAD_TYPE) */

    /* Told of each attribute of an entry that is not kept (tar: extended attributes other than
     * "user.", ACLs, file flags): the entry's number, the offset of its first header, and the pax
     * key of `len` bytes. NULL: nobody is told. It must not call the library. */
    void (*lost)(void *ctx, uint64_t entry, uint64_t offset, const char *key, size_t len);
    void *lost_ctx;
};

/* What went wrong. Zero it or not; written by failing calls only. */
struct vfs_import_error {
    enum vfs_archive_reason reason;
    int error;                    /* the negative errno that the call returned */
    uint64_t offset;              /* of the entry's header in the bytes pushed */
    uint64_t entry;               /* number of the entry, from 0 */
    char name[VFS_NAME_MAX + 1u]; /* its name, cut at the front to its last bytes, or "" */
};

struct vfs_import;

/* Starts an import into the directory `at` + path, which it keeps referenced. error may be NULL in
 * all of these. -VFS_EACCES: the task may not write there; -VFS_ENOTDIR; -VFS_EROFS; -VFS_ENOMEM;
 * -VFS_EOPNOTSUPP: the directory is not on an in-memory file system. The task must stay valid until
 * the end. Directories that an archive leaves out are made with mode 0755. */
int vfs_import_begin(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                     const struct vfs_import_options *options, struct vfs_import **out);

/* Takes the next bytes. After an error (always -VFS_EINVAL for damaged contents, -VFS_ENOSPC,
 * -VFS_ENOMEM, ...) every further push answers the same. */
int vfs_import_push(struct vfs_import *import, const void *data, size_t len,
                    struct vfs_import_error *error);

/* Ends the import: grafts the tree if all was well, else removes it. The handle is gone in both
 * cases. */
int vfs_import_finish(struct vfs_import *import, struct vfs_import_error *error);

/* Gives up: removes the detached tree and the handle. */
void vfs_import_abort(struct vfs_import *import);

/* All of it at once from memory. */
int vfs_import_memory(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                      const struct vfs_import_options *options, const void *data, size_t len,
                      struct vfs_import_error *error);

/* A sentence for a reason, such as "a directory of the name is a symbolic link". Never NULL. */
const char *vfs_archive_reason_text(enum vfs_archive_reason reason);

/* Writes the tree below a directory as an archive (mounts below it are left out), in readdir order,
 * hard links kept, times in whole seconds (tar: nanoseconds by pax), attributes "user.*" by tar
 * only. No permissions are checked below the directory: it is a tool of the instance's owner. write
 * returns 0 or a negative error that ends the export and is returned. Needs memory for one table of
 * hard links. -VFS_EOVERFLOW: the format cannot say it (cpio: files of 4 GiB, times before 1970 or
 * after 2106; tar: sockets, device numbers above 2097151); -VFS_EOPNOTSUPP: a foreign file system.
 */
int vfs_export(const struct vfs_task *task, const struct vfs_path *at, const char *path,
               enum vfs_archive_format format,
               int (*write)(void *ctx, const void *data, size_t len), void *ctx);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
