/* Import and export of archives: cpio "newc" (070701) and its checksummed form (070702), any number
 * of them one after another with NUL padding between, as Linux's initramfs; tar as ustar, pax, GNU
 * (long names, sparse files) and Unix version 7.
 *
 * An import is pushed in pieces of any size and needs three objects of UMVFS_OBJECT_MAX besides
 * what it builds, and an entry of the size of a name for each file with several names. It
 * builds a detached tree, which umvfs_import_finish grafts; before that nothing can be seen, and on
 * any error nothing remains; UMVFS_IMPORT_LINUX differs. Compressed archives are the caller's to
 * unpack.
 *
 * Time and memory grow with the bytes of the archive. A byte takes up to some 350 bytes of memory (a
 * page for a byte of a sparse file, or the directories of a name), for which there are the limits of
 * the file system and max_entries, and up to some 1500 instructions (an attribute is compared with all
 * others of its object, whose names have UMVFS_XATTR_LIST_MAX bytes at most). With UMVFS_IMPORT_LINUX
 * an entry also takes look-ups that follow up to UMVFS_LINK_TEXT_MAX bytes of links each: some 10
 * million instructions. */
#ifndef UMVFS_ARCHIVE_H
#define UMVFS_ARCHIVE_H

#include <umvfs/path.h>

UMVFS_BEGIN_DECLS

enum umvfs_archive_format {
    UMVFS_ARCHIVE_AUTO = 0, /* by the first bytes; import only */
    UMVFS_ARCHIVE_CPIO = 1, /* export: newc */
    UMVFS_ARCHIVE_CPIO_CRC = 2,
    UMVFS_ARCHIVE_TAR = 3, /* export: pax */
};

enum umvfs_archive_reason {
    UMVFS_ARCHIVE_OK = 0,
    UMVFS_ARCHIVE_UNKNOWN_FORMAT,  /* neither cpio nor tar */
    UMVFS_ARCHIVE_BAD_MAGIC,       /* no header where one must be */
    UMVFS_ARCHIVE_BAD_NUMBER,      /* a digit that is none, or a value out of range */
    UMVFS_ARCHIVE_BAD_CHECKSUM,    /* tar header, or cpio 070702 contents */
    UMVFS_ARCHIVE_BAD_NAME,        /* empty, NUL inside, unterminated, or a component too long */
    UMVFS_ARCHIVE_ABSOLUTE_NAME,   /* refused by policy */
    UMVFS_ARCHIVE_PARENT_NAME,     /* "..": refused by policy */
    UMVFS_ARCHIVE_THROUGH_SYMLINK, /* a directory of the name is a symbolic link */
    UMVFS_ARCHIVE_NOT_DIRECTORY,   /* a directory of the name is something else */
    UMVFS_ARCHIVE_BAD_TYPE,        /* a type that has no meaning here */
    UMVFS_ARCHIVE_BAD_LINK,    /* a hard link to nothing, or a symbolic link too long or empty */
    UMVFS_ARCHIVE_BAD_PAX,     /* a pax record that does not parse */
    UMVFS_ARCHIVE_BAD_PADDING, /* bytes other than NUL between archives */
    UMVFS_ARCHIVE_TRUNCATED,   /* the data ends inside an entry or without an end mark */
    UMVFS_ARCHIVE_TOO_LARGE,   /* above umvfs_import_options, or a size above UMVFS_FILE_SIZE_MAX */
    UMVFS_ARCHIVE_CONFLICT,    /* the name exists in the target as something else */
    UMVFS_ARCHIVE_NO_SPACE,    /* quota, or no memory */
    UMVFS_ARCHIVE_OLD_CPIO,    /* cpio, but "odc" (070707) or binary */
    UMVFS_ARCHIVE_COMPRESSED,  /* compressed; umvfs_import_error.compression says how */
    UMVFS_ARCHIVE_NO_PARENT,   /* the directory of the name is missing (policy Linux) */
    UMVFS_ARCHIVE_UNWANTED_DATA, /* contents on an entry that has none (policy Linux) */
    UMVFS_ARCHIVE_REFUSED,       /* the file system refuses it (policy Linux) */
    UMVFS_ARCHIVE_BAD_SPARSE,    /* tar: the map of a sparse file is damaged */
    UMVFS_ARCHIVE_NOT_KEPT, /* tar, a warning: a label, an incremental list, the rest of a file of
                             * another volume, a global record that only one entry can have */
    UMVFS_ARCHIVE_NO_END,   /* tar, a warning of policy lenient: the end mark is missing */
};

/* What is made of entries that a careful reader refuses. */
enum umvfs_import_policy {
    /* What is damaged or ambiguous is refused, and the import is all or nothing. */
    UMVFS_IMPORT_STRICT = 0,

    /* cpio archives are read as Linux 6.1 reads an initramfs, with the directory as root: entries
     * are made at once, one after another, by the calls that a program would make. A name may lead
     * through symbolic links and "..", which stay inside the directory. An entry replaces what is
     * there of another type, unless that is a directory with entries; files, directories and nodes
     * of the same type keep their inode. What cannot be made is skipped with a warning. An error
     * ends the import, and what was made until then stays. tar is read as by UMVFS_IMPORT_STRICT.
     *
     * The protected_* rules of the instance count, of which Debian's Linux begins with those of
     * symbolic and hard links. A symbolic link may have an empty target, as on Linux, where no
     * program can make one: such a link leads to the directory that it is in. What differs from
     * Linux: data that ends inside an entry is reported as UMVFS_ARCHIVE_TRUNCATED, or by what is wrong with the part that is there. */
    UMVFS_IMPORT_LINUX = 1,

    /* As STRICT, but for tar archives without an end mark or with other bytes behind it, which are
     * ignored, for entries of an unknown type, which become files, and for pax records of an empty
     * name or link, for which the header's counts. Each with a warning. GNU's records of long names
     * may be of one byte without a NUL. */
    UMVFS_IMPORT_LENIENT = 2,
};

struct umvfs_import_error;

/* Zero is a good default for everything. */
struct umvfs_import_options {
    enum umvfs_archive_format format;
    enum umvfs_import_policy policy; /* LINUX: allow_absolute and replace mean nothing for cpio */
    uint64_t max_entries;            /* 0: no limit but the quota */
    bool allow_absolute;             /* leading slashes are dropped instead of refused */
    bool replace;       /* non-directories in the target may be replaced by the archive's */
    bool owner_is_task; /* everything belongs to the task instead of whom the archive says */
    bool no_devices;    /* device nodes are refused (BAD_TYPE) */
    bool concatenated;  /* tar: behind the end mark may come another archive (cpio: always) */

    /* Told of each attribute of an entry that is not kept (tar: ACLs as text, file flags, and extended
     * attributes that the task may not set; the values of others are not looked at): the entry's
     * number, the offset of its first header, and the pax key of `len` bytes. NULL: nobody is told.
     * It must not call the library. */
    void (*lost)(void *ctx, uint64_t entry, uint64_t offset, const char *key, size_t len);
    void *lost_ctx;

    /* Told of each entry that is skipped, wholly or in part, and of what UMVFS_IMPORT_LENIENT lets
     * pass: `what` is valid during the call. NULL: nobody is told. It must not call the library. */
    void (*warn)(void *ctx, const struct umvfs_import_error *what);
    void *warn_ctx;
};

/* What went wrong. Zero it or not; written by failing calls only. */
struct umvfs_import_error {
    enum umvfs_archive_reason reason;
    int error;                      /* the negative errno that the call returned */
    uint64_t offset;                /* of the entry's header in the bytes pushed */
    uint64_t entry;                 /* number of the entry, from 0 */
    const char *compression;        /* with UMVFS_ARCHIVE_COMPRESSED: "gzip", ...; else NULL */
    char name[UMVFS_NAME_MAX + 1u]; /* its name, cut at the front to its last bytes, or "" */
};

struct umvfs_import;

/* Starts an import into the directory `at` + path, which it keeps referenced. error may be NULL in
 * all of these. -UMVFS_EACCES: the task may not write there; -UMVFS_ENOTDIR; -UMVFS_EROFS;
 * -UMVFS_ENOMEM; -UMVFS_EINVAL: an unknown format; -UMVFS_EOPNOTSUPP: the directory is not on an
 * in-memory file system; the errors of umvfs_lookup. The task must stay valid until the end.
 * Directories that an archive leaves out are made with mode 0755 (UMVFS_IMPORT_LINUX: what is in them
 * is skipped). */
int umvfs_import_begin(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                       const struct umvfs_import_options *options, struct umvfs_import **out);

/* Takes the next bytes. After an error every further push answers the same: -UMVFS_EINVAL for what is
 * damaged or refused, -UMVFS_ENOSPC (the quota), -UMVFS_ENOMEM, or -UMVFS_EOPNOTSUPP for a reader that
 * was left out when the library was built. */
int umvfs_import_push(struct umvfs_import *import, const void *data, size_t len,
                      struct umvfs_import_error *error);

/* Ends the import: grafts the tree if all was well, else removes it (UMVFS_IMPORT_LINUX: sets the
 * times of directories in both cases). The handle is gone in both cases. The error of the pushes, if
 * there was one; else -UMVFS_EINVAL if the bytes do not end an archive, and -UMVFS_EEXIST
 * (UMVFS_ARCHIVE_CONFLICT) if names of the target are in the way. */
int umvfs_import_finish(struct umvfs_import *import, struct umvfs_import_error *error);

/* Gives up: removes the detached tree and the handle (UMVFS_IMPORT_LINUX: what was made stays). */
void umvfs_import_abort(struct umvfs_import *import);

/* All of it at once from memory, with the errors of begin, push and finish. */
int umvfs_import_memory(const struct umvfs_task *task, const struct umvfs_path *at,
                        const char *path, const struct umvfs_import_options *options,
                        const void *data, size_t len, struct umvfs_import_error *error);

/* The name of the compression whose files begin with these bytes ("gzip", "bzip2", "lzma", "xz", "lzo",
 * "lz4" or "zstd"), or NULL. Six bytes tell all of them. */
const char *umvfs_archive_compression(const void *data, size_t len);

/* A sentence for a reason, such as "a directory of the name is a symbolic link". Never NULL. */
const char *umvfs_archive_reason_text(enum umvfs_archive_reason reason);

/* Writes the tree below a directory as an archive (mounts below it are left out), in readdir order,
 * hard links kept, times in whole seconds (tar: nanoseconds by pax), extended attributes by tar
 * only. No permissions are checked below the directory: it is a tool of the instance's owner. write
 * returns 0 or a negative error that ends the export and is returned. Needs memory for one table of
 * hard links. -UMVFS_EOVERFLOW: the format cannot say it (cpio: files of 4 GiB, times before 1970
 * or after 2106; tar: sockets, device numbers above 2097151); -UMVFS_EINVAL: another format;
 * -UMVFS_EACCES: the task may not read or search the directory; -UMVFS_ENOTDIR, -UMVFS_ENOMEM;
 * -UMVFS_EOPNOTSUPP: a foreign file system; the errors of umvfs_lookup. What was written before an
 * error is the beginning of an archive. */
int umvfs_export(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 enum umvfs_archive_format format,
                 int (*write)(void *ctx, const void *data, size_t len), void *ctx);

UMVFS_END_DECLS

#endif
