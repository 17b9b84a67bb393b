/* The vocabulary of libvfs: limits, modes, flags and plain structures. All numbers that Linux has
 * too have Linux's x86-64 values. Depends on <stdint.h>, <stddef.h> and <stdbool.h> only. */
#ifndef VFS_TYPES_H
#define VFS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vfs/errno.h>

/* Limits. Each is tested one below, at, and one above. */
#define VFS_PAGE_SIZE       4096u /* the unit of file data, and what the processor maps */
#define VFS_NAME_MAX        255u  /* bytes in a component: POSIX NAME_MAX on Linux */
#define VFS_PATH_MAX        4096u /* bytes in a path with its NUL: Linux PATH_MAX */
#define VFS_SYMLINK_MAX     40u   /* symbolic links followed in one resolution: Linux MAXSYMLINKS */
#define VFS_LINK_TEXT_MAX   65536u /* bytes of the links followed in one resolution */
#define VFS_LINK_MAX        65000u /* names of one inode, as ext4 */
#define VFS_FILE_SIZE_MAX   0x7ffffffffffff000ull /* page-aligned, so that offsets fit off_t */
#define VFS_XATTR_NAME_MAX  255u   /* with its "user." prefix: Linux XATTR_NAME_MAX */
#define VFS_XATTR_VALUE_MAX 3072u  /* so that name and value fit one object; above: ENOSPC */
#define VFS_XATTR_LIST_MAX  65536u /* bytes in the list of one inode's names: Linux */
#define VFS_SMALL_MAX       2048u  /* a file up to this size needs no page until it is mapped */
#define VFS_OBJECT_MAX      4096u  /* no object allocation is ever larger than this */
#define VFS_MOUNT_MAX       1024u  /* mounts of an instance: the table is searched linearly */
#define VFS_DIR_DEPTH_MAX   4096u  /* nested directories in an archive; a path cannot name more */

/* File types and permission bits of a mode. */
#define VFS_S_IFMT   0170000u
#define VFS_S_IFSOCK 0140000u
#define VFS_S_IFLNK  0120000u
#define VFS_S_IFREG  0100000u
#define VFS_S_IFBLK  0060000u
#define VFS_S_IFDIR  0040000u
#define VFS_S_IFCHR  0020000u
#define VFS_S_IFIFO  0010000u
#define VFS_S_ISUID  0004000u
#define VFS_S_ISGID  0002000u
#define VFS_S_ISVTX  0001000u
#define VFS_S_IXGRP  0000010u
#define VFS_S_IALL   0007777u

#define VFS_S_ISREG(m)  (((m) & VFS_S_IFMT) == VFS_S_IFREG)
#define VFS_S_ISDIR(m)  (((m) & VFS_S_IFMT) == VFS_S_IFDIR)
#define VFS_S_ISLNK(m)  (((m) & VFS_S_IFMT) == VFS_S_IFLNK)
#define VFS_S_ISCHR(m)  (((m) & VFS_S_IFMT) == VFS_S_IFCHR)
#define VFS_S_ISBLK(m)  (((m) & VFS_S_IFMT) == VFS_S_IFBLK)
#define VFS_S_ISFIFO(m) (((m) & VFS_S_IFMT) == VFS_S_IFIFO)
#define VFS_S_ISSOCK(m) (((m) & VFS_S_IFMT) == VFS_S_IFSOCK)

/* Device numbers as glibc's makedev(3) packs them, and as archives give them to rdev. */
#define VFS_MKDEV(major, minor)                                                                    \
    (((uint64_t)(major) & 0xfffff000u) << 32 | ((uint64_t)(major) & 0xfffu) << 8 |                 \
     ((uint64_t)(minor) & 0xffffff00u) << 12 | ((uint64_t)(minor) & 0xffu))
#define VFS_MAJOR(dev) ((uint32_t)((dev) >> 32 & 0xfffff000u) | (uint32_t)((dev) >> 8 & 0xfffu))
#define VFS_MINOR(dev) ((uint32_t)((dev) >> 12 & 0xffffff00u) | (uint32_t)((dev) & 0xffu))

/* open(2) flags. Those not listed (CLOEXEC, NONBLOCK, SYNC, ...) are kept in vfs_file.flags and
 * mean nothing to the library. */
#define VFS_O_RDONLY     00u
#define VFS_O_WRONLY     01u
#define VFS_O_RDWR       02u
#define VFS_O_ACCMODE    03u
#define VFS_O_CREAT      0100u
#define VFS_O_EXCL       0200u
#define VFS_O_TRUNC      01000u
#define VFS_O_APPEND     02000u
#define VFS_O_DIRECTORY  0200000u
#define VFS_O_NOFOLLOW   0400000u
#define VFS_O_NOATIME    01000000u
#define VFS_O_CLOEXEC    02000000u
#define VFS_O_EMPTY_PATH 0x10000000u /* not Linux's: "" means the object `at` itself */
#define VFS_O_PATH       010000000u
#define VFS_O_TMPFILE    (020000000u | VFS_O_DIRECTORY)

/* openat2(2) resolve flags. */
#define VFS_RESOLVE_NO_XDEV       0x01u
#define VFS_RESOLVE_NO_MAGICLINKS 0x02u
#define VFS_RESOLVE_NO_SYMLINKS   0x04u
#define VFS_RESOLVE_BENEATH       0x08u
#define VFS_RESOLVE_IN_ROOT       0x10u
#define VFS_RESOLVE_ALL           0x1fu

/* AT_* flags of the functions that take a path. */
#define VFS_AT_SYMLINK_NOFOLLOW 0x100u
#define VFS_AT_SYMLINK_FOLLOW   0x400u  /* vfs_link only */
#define VFS_AT_EMPTY_PATH       0x1000u /* "" means the object `at` itself */

/* renameat2(2), fallocate(2), lseek(2), access(2), setxattr(2), mount(2), umount2(2). */
#define VFS_RENAME_NOREPLACE 1u
#define VFS_RENAME_EXCHANGE  2u

#define VFS_FALLOC_KEEP_SIZE  0x01u
#define VFS_FALLOC_PUNCH_HOLE 0x02u
#define VFS_FALLOC_ZERO_RANGE 0x10u

#define VFS_SEEK_SET  0
#define VFS_SEEK_CUR  1
#define VFS_SEEK_END  2
#define VFS_SEEK_DATA 3
#define VFS_SEEK_HOLE 4

#define VFS_MAY_EXEC  1u
#define VFS_MAY_WRITE 2u
#define VFS_MAY_READ  4u

#define VFS_XATTR_CREATE  1u
#define VFS_XATTR_REPLACE 2u

#define VFS_MS_RDONLY      1u
#define VFS_MS_NOSUID      2u
#define VFS_MS_NODEV       4u
#define VFS_MS_NOEXEC      8u
#define VFS_MS_NOATIME     1024u
#define VFS_MS_REC         16384u
#define VFS_MS_NOSYMFOLLOW 256u

#define VFS_MNT_DETACH      2u
#define VFS_UMOUNT_NOFOLLOW 8u

/* Types in directory entries (getdents64 d_type): (mode & VFS_S_IFMT) >> 12. */
#define VFS_DT_OF(mode) ((unsigned)(((mode) & VFS_S_IFMT) >> 12))

/* What nsec may be in vfs_utimens besides a number below a milliard: UTIME_NOW and UTIME_OMIT. */
#define VFS_TIME_NOW  0x3fffffffu
#define VFS_TIME_OMIT 0x3ffffffeu

/* Privileges of a caller, as Linux's capabilities of these names; 0 means none. */
#define VFS_CAP_CHOWN           0x01u
#define VFS_CAP_DAC_OVERRIDE    0x02u
#define VFS_CAP_DAC_READ_SEARCH 0x04u
#define VFS_CAP_FOWNER          0x08u
#define VFS_CAP_FSETID          0x10u
#define VFS_CAP_MKNOD           0x20u
#define VFS_CAP_SYS_ADMIN       0x40u /* mount, bind, unmount, trusted resolution */
#define VFS_CAP_ALL             0x7fu /* what Linux gives uid 0 */

struct vfs;        /* an instance: owns everything below */
struct vfs_mount;  /* a file system at a place in the tree */
struct vfs_dentry; /* a name in a directory */
struct vfs_inode;  /* an object: file, directory, link, device */
struct vfs_file;
struct vfs_fs_ops;

/* Who asks. Held by the caller; read during a call only. */
struct vfs_cred {
    uint32_t uid; /* 0: no privilege by itself, see caps */
    uint32_t gid;
    uint32_t caps;          /* VFS_CAP_*; 0: none */
    uint32_t group_count;   /* 0: groups is not read */
    const uint32_t *groups; /* supplementary groups, any order */
};

/* A place in the tree: a counted reference, taken by whatever returns one and dropped by
 * vfs_path_put. All zero: no place. Copy it with vfs_path_get, never by assignment alone. */
struct vfs_path {
    struct vfs_mount *mnt;
    struct vfs_dentry *dentry;
};

/* What a process contributes to a call. Held by the caller. The library takes no reference of its
 * own on root and cwd; the owner holds them while the task exists. */
struct vfs_task {
    struct vfs *vfs;
    const struct vfs_cred *cred;
    struct vfs_path root; /* where "/" and the topmost ".." lead */
    struct vfs_path cwd;  /* where relative paths start when `at` is NULL */
    uint32_t umask;       /* permission bits taken from new objects; 0: none */
};

/* Since the Epoch; before it, sec is negative and nsec still counts forward. */
struct vfs_time {
    int64_t sec;
    uint32_t nsec; /* below 1000000000 */
};

struct vfs_stat {
    uint64_t dev;   /* number of the file system within the instance, from 1 */
    uint64_t ino;   /* unique within dev; never reused */
    uint32_t mode;  /* type and permissions */
    uint32_t nlink; /* names; directories: 2 + subdirectories */
    uint32_t uid;
    uint32_t gid;
    uint64_t rdev;   /* device nodes: what the embedder gave */
    uint64_t size;   /* bytes; directories: 20 an entry with "." and "..", as tmpfs */
    uint64_t blocks; /* of 512 bytes, that are really held */
    struct vfs_time atime;
    struct vfs_time mtime;
    struct vfs_time ctime;
};

struct vfs_statfs {
    uint64_t pages;      /* quota; 0: none */
    uint64_t pages_used; /* data pages held by the file system, exact */
    uint64_t inodes;     /* quota; 0: none */
    uint64_t inodes_used;
    uint64_t bytes;       /* quota of object bytes (names, inodes, small files, indexes); 0: none */
    uint64_t bytes_used;  /* exact: what alloc gave minus what free took back */
    uint32_t mount_flags; /* VFS_MS_* */
    uint32_t name_max;
};

/* Moves bytes between a page of the library and memory of the embedder. Returns how many bytes
 * were copied, from the start; fewer than len means that the embedder's memory faulted there. The
 * bytes before the fault count; a transfer that moves none at all ends with -VFS_EFAULT. */
struct vfs_copy {
    size_t (*copy)(void *ctx, void *dst, const void *src, size_t len);
    void *ctx;
};

#endif
