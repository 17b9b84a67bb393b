/* The vocabulary of libvfs: limits, modes, flags and plain structures. All numbers that Linux has
 * too have Linux's x86-64 values. Depends on <stdint.h>, <stddef.h> and <stdbool.h> only. */
#ifndef UMVFS_TYPES_H
#define UMVFS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <umvfs/errno.h>

/* The version of these headers; umvfs_version() gives that of the library. */
#define UMVFS_VERSION_MAJOR  0
#define UMVFS_VERSION_MINOR  2
#define UMVFS_VERSION_PATCH  0
#define UMVFS_VERSION_STRING "0.2.0"

/* A version as a number, to compare: UMVFS_VERSION >= UMVFS_VERSION_NUMBER(0, 2, 0). */
#define UMVFS_VERSION_NUMBER(major, minor, patch) ((major) * 1000000 + (minor) * 1000 + (patch))
#define UMVFS_VERSION                                                                              \
    UMVFS_VERSION_NUMBER(UMVFS_VERSION_MAJOR, UMVFS_VERSION_MINOR, UMVFS_VERSION_PATCH)

/* Around declarations. In a freestanding compile, such as that of the static library or of a
 * kernel, functions are reached without a table of addresses. In a hosted one they may be in a
 * shared library; the shared library's own compile defines UMVFS_SHARED. */
#if __STDC_HOSTED__ || defined UMVFS_SHARED
#define UMVFS_PUSH_VISIBILITY _Pragma("GCC visibility push(default)")
#else
#define UMVFS_PUSH_VISIBILITY _Pragma("GCC visibility push(hidden)")
#endif
#ifdef __cplusplus
#define UMVFS_BEGIN_DECLS                                                                          \
    extern "C" {                                                                                   \
    UMVFS_PUSH_VISIBILITY
#define UMVFS_END_DECLS                                                                            \
    _Pragma("GCC visibility pop")                                                                  \
    }
#else
#define UMVFS_BEGIN_DECLS UMVFS_PUSH_VISIBILITY
#define UMVFS_END_DECLS   _Pragma("GCC visibility pop")
#endif

/* Limits. Each is tested one below, at, and one above. */
#define UMVFS_PAGE_SIZE       4096u /* the unit of file data, and what the processor maps */
#define UMVFS_NAME_MAX        255u  /* bytes in a component: POSIX NAME_MAX on Linux */
#define UMVFS_PATH_MAX        4096u /* bytes in a path with its NUL: Linux PATH_MAX */
#define UMVFS_SYMLINK_MAX     40u /* symbolic links followed in one resolution: Linux MAXSYMLINKS */
#define UMVFS_LINK_TEXT_MAX   65536u      /* bytes of the links followed in one resolution */
#define UMVFS_LINK_MAX        2147483647u /* names of one inode, as XFS */
#define UMVFS_FILE_SIZE_MAX   0x7ffffffffffff000ull /* page-aligned, so that offsets fit off_t */
#define UMVFS_XATTR_NAME_MAX  255u                  /* with its prefix: Linux XATTR_NAME_MAX */
#define UMVFS_XATTR_VALUE_MAX 3072u  /* so that name and value fit one object; above: ENOSPC */
#define UMVFS_XATTR_LIST_MAX  65536u /* bytes in the list of one inode's names: Linux */
#define UMVFS_SMALL_MAX       2048u  /* a file up to this size needs no page until it is mapped */
#define UMVFS_OBJECT_MAX      4096u  /* no object allocation is ever larger than this */
#define UMVFS_MOUNT_MAX       1024u  /* mounts of an instance: the table is searched linearly */
#define UMVFS_DIR_DEPTH_MAX   4096u  /* nested directories in an archive; a path cannot name more */

/* File types and permission bits of a mode. */
#define UMVFS_S_IFMT   0170000u
#define UMVFS_S_IFSOCK 0140000u
#define UMVFS_S_IFLNK  0120000u
#define UMVFS_S_IFREG  0100000u
#define UMVFS_S_IFBLK  0060000u
#define UMVFS_S_IFDIR  0040000u
#define UMVFS_S_IFCHR  0020000u
#define UMVFS_S_IFIFO  0010000u
#define UMVFS_S_ISUID  0004000u
#define UMVFS_S_ISGID  0002000u
#define UMVFS_S_ISVTX  0001000u
#define UMVFS_S_IXGRP  0000010u
#define UMVFS_S_IALL   0007777u

#define UMVFS_S_ISREG(m)  (((m) & UMVFS_S_IFMT) == UMVFS_S_IFREG)
#define UMVFS_S_ISDIR(m)  (((m) & UMVFS_S_IFMT) == UMVFS_S_IFDIR)
#define UMVFS_S_ISLNK(m)  (((m) & UMVFS_S_IFMT) == UMVFS_S_IFLNK)
#define UMVFS_S_ISCHR(m)  (((m) & UMVFS_S_IFMT) == UMVFS_S_IFCHR)
#define UMVFS_S_ISBLK(m)  (((m) & UMVFS_S_IFMT) == UMVFS_S_IFBLK)
#define UMVFS_S_ISFIFO(m) (((m) & UMVFS_S_IFMT) == UMVFS_S_IFIFO)
#define UMVFS_S_ISSOCK(m) (((m) & UMVFS_S_IFMT) == UMVFS_S_IFSOCK)

/* Device numbers as glibc's makedev(3) packs them, and as archives give them to rdev. */
#define UMVFS_MKDEV(major, minor)                                                                  \
    (((uint64_t)(major) & 0xfffff000u) << 32 | ((uint64_t)(major) & 0xfffu) << 8 |                 \
     ((uint64_t)(minor) & 0xffffff00u) << 12 | ((uint64_t)(minor) & 0xffu))
#define UMVFS_MAJOR(dev) ((uint32_t)((dev) >> 32 & 0xfffff000u) | (uint32_t)((dev) >> 8 & 0xfffu))
#define UMVFS_MINOR(dev) ((uint32_t)((dev) >> 12 & 0xffffff00u) | (uint32_t)((dev) & 0xffu))

/* open(2) flags. Those not listed (CLOEXEC, NONBLOCK, SYNC, ...) are kept in umvfs_file.flags and
 * mean nothing to the library. */
#define UMVFS_O_RDONLY     00u
#define UMVFS_O_WRONLY     01u
#define UMVFS_O_RDWR       02u
#define UMVFS_O_ACCMODE    03u
#define UMVFS_O_CREAT      0100u
#define UMVFS_O_EXCL       0200u
#define UMVFS_O_TRUNC      01000u
#define UMVFS_O_APPEND     02000u
#define UMVFS_O_DIRECTORY  0200000u
#define UMVFS_O_NOFOLLOW   0400000u
#define UMVFS_O_NOATIME    01000000u
#define UMVFS_O_CLOEXEC    02000000u
#define UMVFS_O_EMPTY_PATH 0x10000000u /* not Linux's: "" means the object `at` itself */
#define UMVFS_O_PATH       010000000u
#define UMVFS_O_TMPFILE    (020000000u | UMVFS_O_DIRECTORY)

/* openat2(2) resolve flags. */
#define UMVFS_RESOLVE_NO_XDEV       0x01u
#define UMVFS_RESOLVE_NO_MAGICLINKS 0x02u
#define UMVFS_RESOLVE_NO_SYMLINKS   0x04u
#define UMVFS_RESOLVE_BENEATH       0x08u
#define UMVFS_RESOLVE_IN_ROOT       0x10u
#define UMVFS_RESOLVE_ALL           0x1fu

/* AT_* flags of the functions that take a path. */
#define UMVFS_AT_SYMLINK_NOFOLLOW 0x100u
#define UMVFS_AT_SYMLINK_FOLLOW   0x400u  /* umvfs_link only */
#define UMVFS_AT_EMPTY_PATH       0x1000u /* "" means the object `at` itself */

/* umvfs_walk_tree: a flag, into what is mounted below; and what a visitor returns to pass over what
 * is in a directory. */
#define UMVFS_WALK_MOUNTS 0x10000u
#define UMVFS_WALK_SKIP   1

/* renameat2(2), fallocate(2), lseek(2), access(2), setxattr(2), mount(2), umount2(2). */
#define UMVFS_RENAME_NOREPLACE 1u
#define UMVFS_RENAME_EXCHANGE  2u
#define UMVFS_RENAME_WHITEOUT  4u

#define UMVFS_FALLOC_KEEP_SIZE  0x01u
#define UMVFS_FALLOC_PUNCH_HOLE 0x02u
#define UMVFS_FALLOC_ZERO_RANGE 0x10u

#define UMVFS_SEEK_SET  0
#define UMVFS_SEEK_CUR  1
#define UMVFS_SEEK_END  2
#define UMVFS_SEEK_DATA 3
#define UMVFS_SEEK_HOLE 4

#define UMVFS_MAY_EXEC  1u
#define UMVFS_MAY_WRITE 2u
#define UMVFS_MAY_READ  4u

#define UMVFS_XATTR_CREATE  1u
#define UMVFS_XATTR_REPLACE 2u

#define UMVFS_MS_RDONLY      1u
#define UMVFS_MS_NOSUID      2u
#define UMVFS_MS_NODEV       4u
#define UMVFS_MS_NOEXEC      8u
#define UMVFS_MS_NOATIME     1024u
#define UMVFS_MS_BIND        4096u
#define UMVFS_MS_REC         16384u
#define UMVFS_MS_NOSYMFOLLOW 256u

#define UMVFS_MNT_DETACH      2u
#define UMVFS_UMOUNT_NOFOLLOW 8u

/* inotify(7): what happens to a watched object or to an entry of a watched directory, ... */
#define UMVFS_IN_ACCESS        0x00000001u
#define UMVFS_IN_MODIFY        0x00000002u
#define UMVFS_IN_ATTRIB        0x00000004u
#define UMVFS_IN_CLOSE_WRITE   0x00000008u
#define UMVFS_IN_CLOSE_NOWRITE 0x00000010u
#define UMVFS_IN_OPEN          0x00000020u
#define UMVFS_IN_MOVED_FROM    0x00000040u
#define UMVFS_IN_MOVED_TO      0x00000080u
#define UMVFS_IN_CREATE        0x00000100u
#define UMVFS_IN_DELETE        0x00000200u
#define UMVFS_IN_DELETE_SELF   0x00000400u
#define UMVFS_IN_MOVE_SELF     0x00000800u
#define UMVFS_IN_ALL_EVENTS    0x00000fffu
/* ... what is told unasked, and how to watch. */
#define UMVFS_IN_UNMOUNT     0x00002000u
#define UMVFS_IN_Q_OVERFLOW  0x00004000u
#define UMVFS_IN_IGNORED     0x00008000u
#define UMVFS_IN_ONLYDIR     0x01000000u
#define UMVFS_IN_DONT_FOLLOW 0x02000000u
#define UMVFS_IN_EXCL_UNLINK 0x04000000u
#define UMVFS_IN_MASK_CREATE 0x10000000u
#define UMVFS_IN_MASK_ADD    0x20000000u
#define UMVFS_IN_ISDIR       0x40000000u
#define UMVFS_IN_ONESHOT     0x80000000u

/* Types in directory entries (getdents64 d_type): (mode & UMVFS_S_IFMT) >> 12. */
#define UMVFS_DT_OF(mode) ((unsigned)(((mode) & UMVFS_S_IFMT) >> 12))

/* What nsec may be in umvfs_utimens besides a number below a milliard: UTIME_NOW and UTIME_OMIT. */
#define UMVFS_TIME_NOW  0x3fffffffu
#define UMVFS_TIME_OMIT 0x3ffffffeu

/* Privileges of a caller, as Linux's capabilities of these names; 0 means none. */
#define UMVFS_CAP_CHOWN           0x01u
#define UMVFS_CAP_DAC_OVERRIDE    0x02u
#define UMVFS_CAP_DAC_READ_SEARCH 0x04u
#define UMVFS_CAP_FOWNER          0x08u
#define UMVFS_CAP_FSETID          0x10u
#define UMVFS_CAP_MKNOD           0x20u
#define UMVFS_CAP_SYS_ADMIN       0x40u /* mount, bind, unmount, trusted resolution */
#define UMVFS_CAP_SETFCAP         0x80u /* the attribute security.capability */
#define UMVFS_CAP_ALL             0xffu /* what Linux gives uid 0 */

struct umvfs;        /* an instance: owns everything below */
struct umvfs_mount;  /* a file system at a place in the tree */
struct umvfs_dentry; /* a name in a directory */
struct umvfs_inode;  /* an object: file, directory, link, device */
struct umvfs_file;
struct umvfs_fs_ops;

/* Who asks. Held by the caller; read during a call only. */
struct umvfs_cred {
    uint32_t uid; /* 0: no privilege by itself, see caps */
    uint32_t gid;
    uint32_t caps;          /* UMVFS_CAP_*; 0: none */
    uint32_t group_count;   /* 0: groups is not read */
    const uint32_t *groups; /* supplementary groups, any order */
};

/* A place in the tree: a counted reference, taken by whatever returns one and dropped by
 * umvfs_path_put. All zero: no place. Copy it with umvfs_path_get, never by assignment alone. */
struct umvfs_path {
    struct umvfs_mount *mnt;
    struct umvfs_dentry *dentry;
};

/* What a process contributes to a call. Held by the caller. The library takes no reference of its
 * own on root and cwd; the owner holds them while the task exists. */
struct umvfs_task {
    struct umvfs *vfs;
    const struct umvfs_cred *cred;
    struct umvfs_path root; /* where "/" and the topmost ".." lead */
    struct umvfs_path cwd;  /* where relative paths start when `at` is NULL */
    uint32_t umask;         /* permission bits taken from new objects; 0: none */
};

/* Since the Epoch; before it, sec is negative and nsec still counts forward. */
struct umvfs_time {
    int64_t sec;
    uint32_t nsec; /* below 1000000000 */
};

struct umvfs_stat {
    uint64_t dev;   /* number of the file system within the instance, from 1 */
    uint64_t ino;   /* unique within dev; never reused */
    uint32_t mode;  /* type and permissions */
    uint32_t nlink; /* names; directories: 2 + subdirectories */
    uint32_t uid;
    uint32_t gid;
    uint64_t rdev;   /* device nodes: what the embedder gave */
    uint64_t size;   /* bytes; directories: 20 an entry with "." and "..", as tmpfs */
    uint64_t blocks; /* of 512 bytes, that are really held */
    struct umvfs_time atime;
    struct umvfs_time mtime;
    struct umvfs_time ctime;
    struct umvfs_time btime; /* when it was made; all zero: a foreign file system does not say */
};

/* Something that has happened to a watched object. */
struct umvfs_event {
    const void *object; /* the inode */
    const char *name;   /* of the entry, if the object is a directory and it is about an entry */
    size_t len;         /* of the name, without NUL; 0: about the object itself */
    uint32_t mask;      /* UMVFS_IN_*; ISDIR: it is about a directory */
    uint32_t cookie;    /* the same for the two names of one rename, else 0 */
    bool is_unlinked;   /* done with an open file whose name has gone */
};

struct umvfs_statfs {
    uint64_t pages;      /* quota; 0: none */
    uint64_t pages_used; /* data pages held by the file system, exact */
    uint64_t inodes;     /* quota; 0: none */
    uint64_t inodes_used;
    uint64_t bytes;       /* quota of object bytes (names, inodes, small files, indexes); 0: none */
    uint64_t bytes_used;  /* exact: what alloc gave minus what free took back */
    uint32_t mount_flags; /* UMVFS_MS_* */
    uint32_t name_max;
};

/* Moves bytes between a page of the library and memory of the embedder. Returns how many bytes
 * were copied, from the start; fewer than len means that the embedder's memory faulted there. The
 * bytes before the fault count; a transfer that moves none at all ends with -UMVFS_EFAULT. */
struct umvfs_copy {
    size_t (*copy)(void *ctx, void *dst, const void *src, size_t len);
    void *ctx;
};

#endif
