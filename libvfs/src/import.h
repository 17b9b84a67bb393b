/* The inside of an import: a demand for bytes, the entry being read, and the detached tree.
 *
 * A format's reader never looks ahead: it states a demand (so many bytes here, so many bytes of
 * file contents, ...) and what to do when it is met. The engine in import.c meets demands from
 * pushes of any size. */
#ifndef UMVFS_IMPORT_H
#define UMVFS_IMPORT_H

#include <umvfs/archive.h>

#include "core.h"

enum import_demand {
    DEMAND_COLLECT, /* have of want bytes are at dst */
    DEMAND_DATA,    /* left bytes go to the entry's file and into the sum; others have none */
    DEMAND_SKIP,    /* left bytes mean nothing */
    DEMAND_ZEROS,   /* any number of zero bytes; met by another byte */
};

typedef int (*import_then)(struct umvfs_import *import);

/* An entry as an archive describes it. */
struct import_entry {
    char *name; /* UMVFS_PATH_MAX bytes, NUL-terminated */
    char *link; /* the same: target of a symbolic or (tar) hard link */
    size_t name_len;
    size_t link_len;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint64_t rdev;
    uint64_t size;
    struct umvfs_time mtime;
    struct umvfs_xattr *xattrs;
};

/* What extended headers say about the entry to come, or a global one about all that follow. */
struct tar_values {
    uint32_t given; /* TAR_GIVEN_* */
    uint64_t size;
    uint32_t uid;
    uint32_t gid;
    struct umvfs_time mtime;
};
#define TAR_GIVEN_NAME    1u
#define TAR_GIVEN_LINK    2u
#define TAR_GIVEN_SIZE    4u
#define TAR_GIVEN_UID     8u
#define TAR_GIVEN_GID     16u
#define TAR_GIVEN_MTIME   32u
#define TAR_GIVEN_PAX     64u   /* there was an extended header */
#define TAR_GIVEN_SPARSE  128u  /* the records are of a sparse file; which kind is in the map */
#define TAR_GIVEN_REAL    256u  /* its real size */
#define TAR_GIVEN_OFFSET  512u  /* of a piece whose length is to come */
#define TAR_GIVEN_TITLE   1024u /* the name is that of a sparse file, which counts before "path" */
#define TAR_GIVEN_ENCODED 2048u /* an attribute in libarchive's form */

/* The map of a sparse file: where the bytes that the archive has of it belong. It may be longer than
 * any buffer, so the pieces are in a file that has no name. */
struct tar_map {
    struct umvfs_inode *pieces; /* counted; NULL: there are none */
    uint64_t size;              /* bytes of pieces, struct tar_piece */
    uint64_t at;                /* of them used */
    uint64_t end;               /* where the last piece ends in the file */
    uint64_t total;             /* bytes that the archive has of the file */
    uint64_t offset;            /* with TAR_GIVEN_OFFSET */
    uint64_t real;              /* with TAR_GIVEN_REAL */
    uint64_t numbers;           /* of a map in front of the contents, still to be read */
    uint64_t read;              /* bytes of that map */
    bool counted;               /* how many numbers there are has been read */
    bool in_front;              /* the map stands in front of the contents (pax 1.0) */
};

struct tar_state {
    struct tar_values own;
    struct tar_values all; /* a global header's: uid, gid, mtime */
    struct tar_map map;
    uint64_t left;   /* bytes of records still to come */
    uint64_t record; /* bytes of the present record still to come, with its newline */
    bool global;     /* the records are a global header's */
};

/* What a cpio header says besides its entry. */
struct cpio_state {
    uint32_t ino;
    uint32_t nlink;
    uint32_t major;
    uint32_t minor;
};

/* A directory whose times are set when the import ends; see initramfs_tree.c. */
struct dir_times {
    struct dir_times *next;
    struct umvfs_time mtime;
    char *name;
    size_t name_len;
};

struct umvfs_import {
    struct umvfs_task task;
    struct umvfs_path target; /* counted */
    struct umvfs_import_options options;
    struct umvfs_sb *sb;
    struct umvfs_dentry *top;    /* root of the detached tree */
    struct umvfs_dentry *links;  /* names: what hard links are known by; inodes: what they lead to,
                                 * for policy Linux as symbolic links with the first name */
    struct dir_times *dir_times; /* the last one first */
    bool top_given;              /* the archive said what the top directory is like */
    bool linux_tree;             /* entries are made in the target at once: nothing is grafted */

    enum import_demand demand;
    char *dst;
    size_t want;
    size_t have;
    uint64_t left;
    import_then then;
    uint64_t offset; /* of the next byte */
    bool may_end;    /* the data may end here */
    bool unmarked;   /* it may end here, before the next byte, though a mark is missing */

    char *buf; /* UMVFS_OBJECT_MAX bytes: headers */
    struct import_entry entry;
    struct umvfs_inode *file; /* whose contents are being read; counted */
    uint64_t file_at;
    uint32_t sum;
    uint32_t sum_wanted;
    bool crc;
    struct tar_state tar;
    struct cpio_state cpio;
    const char *compression;

    uint64_t entry_offset;
    uint64_t entry_number;
    enum umvfs_archive_reason reason; /* sticky, with error */
    int error;
};

static inline bool umvfs_import_is_lenient(const struct umvfs_import *import)
{
    return import->options.policy == UMVFS_IMPORT_LENIENT;
}

/* Demands. */
int umvfs_import_collect(struct umvfs_import *import, char *dst, size_t want, import_then then);
int umvfs_import_data(struct umvfs_import *import, uint64_t size, import_then then);
int umvfs_import_skip(struct umvfs_import *import, uint64_t size, import_then then);
int umvfs_import_zeros(struct umvfs_import *import, import_then then);

/* Records why the import fails; the error is -UMVFS_EINVAL, or what a reason for it says. */
int umvfs_import_fail(struct umvfs_import *import, enum umvfs_archive_reason reason);
int umvfs_import_fail_with(struct umvfs_import *import, enum umvfs_archive_reason reason,
                           int error);

/* So many bytes show whether they may be tar: a header up to the end of its magic. */
#define IMPORT_TAR_KNOWN 265u

/* Names the compression that `buf` begins with, if any, as the reason, or else gives `reason`. */
int umvfs_import_fail_unless_compressed(struct umvfs_import *import, size_t len,
                                        enum umvfs_archive_reason reason);

/* The readers' starts; the first bytes may be in buf already (have). */
int umvfs_import_cpio(struct umvfs_import *import);
#ifndef UMVFS_WITHOUT_TAR
int umvfs_import_tar(struct umvfs_import *import);
#endif
int umvfs_import_initramfs(struct umvfs_import *import);

/* Says that the present entry is skipped. Returns 0. */
int umvfs_import_warn(struct umvfs_import *import, enum umvfs_archive_reason reason, int error);

/* The tree under policy Linux. All skip with a warning what cannot be made; they fail for lack of
 * room only. umvfs_initramfs_file sets import->file unless it is skipped. */
int umvfs_initramfs_file(struct umvfs_import *import);
int umvfs_initramfs_dir(struct umvfs_import *import);
int umvfs_initramfs_node(struct umvfs_import *import);
int umvfs_initramfs_symlink(struct umvfs_import *import);
/* Removes what is of another type than the entry. */
void umvfs_initramfs_clear(const struct umvfs_import *import, uint32_t mode);
/* The entry's file has all its contents. */
void umvfs_initramfs_file_done(struct umvfs_import *import);
/* Frees what is remembered of directories; set: their times are set first. */
void umvfs_initramfs_end(struct umvfs_import *import, bool set);

/* An import whose reader was left out when the library was built. */
static inline int umvfs_import_left_out(struct umvfs_import *import)
{
    return umvfs_import_fail_with(import, UMVFS_ARCHIVE_UNKNOWN_FORMAT, -UMVFS_EOPNOTSUPP);
}

#ifdef UMVFS_WITHOUT_TAR
#define umvfs_import_tar umvfs_import_left_out
static inline void umvfs_sparse_forget(struct umvfs_import *import)
{
}
#endif

/* Reads the records of a pax header of `size` bytes; umvfs_import_tar_pad follows. */
int umvfs_import_pax(struct umvfs_import *import, uint64_t size, bool global);
/* The rest of a header's last block, and then the next header. */
int umvfs_import_tar_pad(struct umvfs_import *import, uint64_t size);
/* The entry is complete but for the rest of its last block. */
int umvfs_import_tar_end(struct umvfs_import *import);

/* A sparse file of the header in buf and of the records before it: its map, its contents, the end. */
int umvfs_sparse_old(struct umvfs_import *import);
int umvfs_sparse_pax(struct umvfs_import *import);
/* The next number of a map: an offset, or the length of the piece at the offset before it. */
int umvfs_sparse_number(struct umvfs_import *import, uint64_t number);
/* Forgets the map. */
#ifndef UMVFS_WITHOUT_TAR
void umvfs_sparse_forget(struct umvfs_import *import);
#endif
/* The fields of a header, see field.c. A number is octal, or binary as GNU writes it. */
#define TAR_BLOCK 512u
bool umvfs_tar_is_zero(const char *block);
bool umvfs_tar_checksum_matches(const char *block);
bool umvfs_tar_number(const char *block, size_t at, size_t len, int64_t *out);
/* Appends a text that may fill its field without a NUL to dst, which has `len` bytes; the new length. */
size_t umvfs_tar_append(char *dst, size_t len, const char *block, size_t at, size_t max);

/* Makes what import->entry describes; a regular file is then import->file, to be filled. */
int umvfs_import_make(struct umvfs_import *import);
/* Gives an existing object, found by name in the tree, the entry's name too. */
int umvfs_import_link(struct umvfs_import *import);
/* Hard links by number: *known is set if the number was met before, and then the entry's name leads
 * to the object of that time. Else the entry is made. */
int umvfs_import_make_numbered(struct umvfs_import *import, const char *number, size_t len);
/* Bytes of import->file, which there is if an entry has contents. */
int umvfs_import_write(struct umvfs_import *import, const char *data, size_t len);
void umvfs_import_file_done(struct umvfs_import *import);
/* Frees the attributes that the entry has not given to an object. */
void umvfs_import_forget_xattrs(struct umvfs_import *import);
/* Forgets the numbers: a new archive begins. */
void umvfs_import_forget_links(struct umvfs_import *import);

/* Moves the detached tree into the target: all of it or nothing. */
int umvfs_import_graft(struct umvfs_import *import);

/* Digits of both formats: nothing but digits, at least one, and the value fits. */
bool umvfs_import_parse_digits(const char *text, size_t len, unsigned base, uint64_t *out);

#endif
