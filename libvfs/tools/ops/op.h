/*
 * File-system operations as lines of text, and their results as text.
 *
 *     [@UID[:GID[,GROUP...]]] OPERATION ARGUMENT...
 *
 * `op_table` lists the operations and their arguments. A path is relative to the working directory
 * of the tree (its root), or with %SLOT:PATH to the directory that is open in a slot. Slots number
 * the open files of a script. Two lines with equal results have equal result texts, so a line and
 * the text that it must print make a test, and two file systems are compared by comparing text.
 */
#ifndef OPS_OP_H
#define OPS_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum {
    OP_SLOTS = 32,       /* open files of a script */
    OP_GROUPS_MAX = 16,  /* supplementary groups of a line's caller */
    OP_FIELDS_MAX = 16,  /* fields asked of one stat */
    OP_IO_MAX = 1 << 20, /* bytes of one read */
    OP_NOT_RUN = -4096,  /* no errno: the operation cannot be carried out by this backend */
    OP_SLOT_CWD = -1,    /* the `slot` of a path without %SLOT: */
};

enum op_code {
    OP_ACCESS,
    OP_CHMOD,
    OP_CHOWN,
    OP_CLOSE,
    OP_FALLOCATE,
    OP_FCHMOD,
    OP_FCHOWN,
    OP_FGETXATTR,
    OP_FLINK,
    OP_FLISTXATTR,
    OP_FREMOVEXATTR,
    OP_FSETXATTR,
    OP_FSTAT,
    OP_FTRUNCATE,
    OP_FUTIMENS,
    OP_GETXATTR,
    OP_LCHOWN,
    OP_LGETXATTR,
    OP_LINK,
    OP_LINKF,
    OP_LIST,
    OP_LISTXATTR,
    OP_LLISTXATTR,
    OP_LREMOVEXATTR,
    OP_LS,
    OP_LSEEK,
    OP_LSETXATTR,
    OP_LSTAT,
    OP_LUTIMENS,
    OP_MAKE,
    OP_MARK,
    OP_MKDIR,
    OP_MKNOD,
    OP_OPEN,
    OP_OPENAT2,
    OP_PREAD,
    OP_PWRITE,
    OP_READ,
    OP_READLINK,
    OP_REMOVE,
    OP_REMOVEXATTR,
    OP_RENAME,
    OP_RMDIR,
    OP_SAME,
    OP_SETXATTR,
    OP_SINCE,
    OP_STAT,
    OP_STATFS,
    OP_SYMLINK,
    OP_TRUNCATE,
    OP_UMASK,
    OP_UNLINK,
    OP_UTIMENS,
    OP_WRITE,
    OP_COUNT,
};

/* Who carries out a line. */
struct op_caller {
    uint32_t uid;
    uint32_t gid;
    size_t group_count;
    uint32_t group[OP_GROUPS_MAX];
};

/* A path and the slot of the directory it starts from. The text belongs to the line's tokens. */
struct op_path {
    int slot;
    const char *text;
};

/* A time to set: seconds and nanoseconds, where UTIME_NOW and UTIME_OMIT have their meaning. */
struct op_time {
    int64_t seconds;
    int64_t nanoseconds;
};

enum op_field {
    FIELD_TYPE,
    FIELD_MODE,
    FIELD_NLINK,
    FIELD_UID,
    FIELD_GID,
    FIELD_SIZE,
    FIELD_RDEV,
    FIELD_BLOCKS,
    FIELD_ATIME,
    FIELD_MTIME,
    FIELD_COUNT,
};

/* One decoded line. Which members count is said by the operation's arguments. Pointers point into
 * the tokens it was decoded from. */
struct op {
    enum op_code code;
    struct op_caller caller;
    struct op_path path, path2;
    int slot;
    int flags;     /* open, access, fallocate, whence, rename, setxattr */
    uint32_t mode; /* permission bits, or type and permission bits of mknod */
    uint32_t uid, gid;
    uint32_t major, minor;
    int64_t offset, length;
    uint64_t resolve; /* RESOLVE_* of openat2 */
    struct op_time time[2];
    const char *name; /* of an extended attribute */
    const char *data;
    size_t data_length;
    size_t field_count;
    enum op_field field[OP_FIELDS_MAX];
};

/* What a stat answers. */
struct op_stat {
    uint32_t mode; /* with type */
    uint32_t uid, gid;
    uint32_t major, minor;
    uint64_t inode, links, size, blocks;
    struct op_time time[3]; /* access, modification, change */
};

/* A result. `code` is a negative errno, OP_NOT_RUN, or what the operation returns. */
struct op_result {
    int64_t code;
    struct bytes data; /* of read, readlink, getxattr; sorted names, each with a NUL, of lists */
    struct op_stat stat;
    int64_t now; /* the file system's idea of the time in seconds, to judge stat.time by */
};

/* The name of an operation and its arguments, a letter each, those after ? optional:
 * a access mode, d data, f open flags, g gid, i fields, l length, m mode, n name, o offset, p path,
 * q second path, r RESOLVE_ flags, s slot, t time, u uid, v device MAJOR:MINOR, w whence,
 * y file type, F fallocate flags, R rename flags, X setxattr flags. */
struct op_spec {
    const char *name;
    const char *arguments;
};
extern const struct op_spec op_table[OP_COUNT];

/* Decodes words `from`.. of `tokens` up to a word "=" or the end into *op and stores the index
 * behind in *next. Returns NULL, or what is wrong, and then nothing is stored. */
const char *op_decode(struct op *op, const struct tokens *tokens, size_t from, size_t *next);

/* Appends the result's text: "ok", an errno's name, or the values that the operation answers. */
void op_spell_result(struct bytes *out, const struct op *op, const struct op_result *result);

/* The name of an errno ("ENOENT") for a positive number; a number that has none is "E?". */
const char *op_errno_name(int error);

#endif
