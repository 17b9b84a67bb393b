/* The structures of an instance and their life. Who owns what:
 *
 *   vfs -> sb (a file system) -> root dentry -> child dentries -> inodes -> pages
 *   mount -> sb, its root dentry, its mount point; path = mount + dentry, counted
 *
 * A dentry is referenced by its directory while it is linked, by its children, and by users; it
 * holds its parent and its inode. An inode is freed with its last reference, a file system with its
 * last mount and its last inode. */
#ifndef UMVFS_CORE_H
#define UMVFS_CORE_H

#include <umvfs/mount.h>

struct umvfs_radix_node;
struct umvfs_xattr;

/* Words of bytes in memory, the first in the lowest bits. */
static inline uint32_t umvfs_little32(uint32_t word)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap32(word);
}

static inline uint64_t umvfs_little64(uint64_t word)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

/* Sparse array of pointers; see radix.h. */
struct umvfs_radix {
    void *root;
    uint32_t height;
};

struct umvfs_dentry {
    struct umvfs_dentry *hash_next;
    struct umvfs_dentry *parent; /* counted; the root's is itself, uncounted */
    struct umvfs_inode *inode;   /* counted */
    uint64_t cookie : 48;        /* place in the directory's order */
    uint64_t name_len : 8;
    uint64_t flags : 8; /* DENTRY_* */
    union {
        char near[24];
        char *far; /* name_len above sizeof near */
    } name;        /* no NUL */
    uint32_t hash;
    uint32_t refs;
};
_Static_assert(sizeof(void *) == 8 ? sizeof(struct umvfs_dentry) == 64
                                   : sizeof(struct umvfs_dentry) <= 56,
               "a dentry fills one cache line, and with pointers of 32 bits less");

#define DENTRY_LINKED  1u /* in its directory */
#define DENTRY_HASHED  2u
#define DENTRY_MOUNTED 4u /* a mount point of some mount */
#define DENTRY_FOREIGN 8u
#define DENTRY_DEAD    16u /* was linked once, removed since */
#define DENTRY_SYMLINK 32u /* so that a walk need not look at the inode */

#define DIR_COOKIE_FIRST 3u /* 0, 1 and 2 belong to ".", ".." and the start */
#define DIR_COOKIE_MAX   ((UINT64_C(1) << 48) - 1u)

struct umvfs_dir {
    struct umvfs_radix order; /* cookie -> dentry */
    uint64_t next_cookie;
    uint32_t count;
};

struct umvfs_inode {
    struct umvfs_sb *sb;
    uint32_t refs;
    uint16_t mode;
    uint16_t flags; /* INODE_* */
    uint32_t uid;
    uint32_t gid;
    union {
        struct {
            struct umvfs_dir *dir;
            uint64_t key; /* of the hash of names in it */
        } dir;
        struct {
            void *root; /* radix node, or the buffer of a small file */
            uint32_t height;
            uint32_t small_cap; /* bytes of the buffer; 0: pages */
        } data;
        struct {
            char *target; /* size bytes and a NUL */
        } link;
        struct {
            void *node;
            uint64_t key;
        } foreign;
    } u;
    uint64_t size; /* directories: unused */
    uint64_t ino;
    void *cookie;
    int64_t atime; /* seconds, with atime_nsec */
    int64_t mtime; /* seconds, with mtime_nsec */
    int64_t ctime; /* nanoseconds: what the clock of the configuration says */
    int64_t btime; /* the same, when it was made */
    uint32_t atime_nsec;
    uint32_t mtime_nsec;
    struct umvfs_xattr *xattrs;
    uint32_t nlink;
    int32_t writers; /* open for writing; below 0: denied so many times */
    uint64_t rdev_or_pages;
};
_Static_assert(sizeof(struct umvfs_inode) <= 128, "two cache lines");

#define INODE_MAPPED      1u /* umvfs_page_get has handed out a page */
#define INODE_LINKABLE    2u /* opened with O_TMPFILE and without O_EXCL */
#define INODE_DEAD        4u /* a removed directory */
#define INODE_FOREIGN     8u
#define INODE_HOLES       16u /* umvfs_page_get has said that there is a hole */
#define INODE_WATCHED     32u /* config.event is told */
#define INODE_ACL         64u /* has an access ACL */
#define INODE_DEFAULT_ACL 128u

/* A file system: the library's own (ops == NULL) or a foreign one. */
struct umvfs_sb {
    struct umvfs *vfs;
    const struct umvfs_fs_ops *ops;
    void *fs;
    struct umvfs_dentry *root;  /* counted */
    struct umvfs_limits limits; /* never exceeded */
    uint64_t pages;             /* held */
    uint64_t inodes;            /* held */
    uint64_t bytes;             /* of objects, held */
    uint64_t next_ino;
    struct umvfs_sb *next_late; /* see umvfs_reap() */
    uint32_t dev;
    uint32_t mounts;
    bool is_readonly; /* at all mounts */
};

struct umvfs_mount {
    struct umvfs *vfs;
    struct umvfs_sb *sb;
    struct umvfs_dentry *root;  /* counted */
    struct umvfs_mount *parent; /* counted; NULL: the first mount, or detached */
    struct umvfs_dentry *point; /* counted; in parent */
    struct umvfs_mount *copy;   /* during a recursive bind: its copy */
    struct umvfs_mount *prev;   /* order of mounting and moving: a parent comes first */
    struct umvfs_mount *next;
    uint32_t refs; /* users, children, and one while mounted */
    uint32_t flags;
    uint32_t writers;
    uint32_t mounted;
};

/* The flags that hold at a mount: UMVFS_MS_RDONLY also comes from its file system. */
static inline uint32_t umvfs_mount_bits(const struct umvfs_mount *mnt)
{
    return mnt->flags | (mnt->sb->is_readonly ? UMVFS_MS_RDONLY : 0);
}

/* Name index of the instance; see dcache.c. */
struct umvfs_table {
    void *root;
    uint64_t buckets;
    uint64_t mask; /* of the round of splitting that is under way */
    uint64_t entries;
    uint32_t height;
};

/* Keys of the hash of names; see name.h. */
struct umvfs_name_keys {
    uint64_t pair[3][2];
    uint64_t short_name; /* what pair[1] and pair[2] add to a name of up to eight bytes */
    uint64_t rest[2];
    uint32_t mix; /* odd */
};

struct umvfs {
    struct umvfs_config cfg;
    struct umvfs_name_keys name_keys;
    struct umvfs_inode *late_inodes; /* linked by their cookies; see umvfs_reap() */
    struct umvfs_sb *late_sbs;
    struct umvfs_table table;
    struct umvfs_mount *first;
    struct umvfs_mount *last;
    uint64_t users; /* references that the embedder holds, in all */
    uint64_t next_key;
    uint32_t mount_count; /* attached */
    uint32_t next_dev;
    uint32_t event_cookie; /* of the last rename that was told */
};

/* Objects of a file system, charged to its quota: -UMVFS_ENOSPC or -UMVFS_ENOMEM. */
int umvfs_obj_alloc(struct umvfs_sb *sb, size_t size, void **out);
void umvfs_obj_free(struct umvfs_sb *sb, void *ptr, size_t size);
/* A page charged to the quota, contents arbitrary: -UMVFS_ENOSPC or -UMVFS_ENOMEM. */
int umvfs_data_page_alloc(struct umvfs_sb *sb, void **out);
void umvfs_data_page_free(struct umvfs_sb *sb, void *page);

/* A new file system without mounts; its root inode and dentry, if any, come later. */
int umvfs_sb_new(struct umvfs *vfs, const struct umvfs_limits *limits, struct umvfs_sb **out);
/* Frees it if neither a mount nor an inode is left. */
void umvfs_sb_release(struct umvfs_sb *sb);
/* A new library file system with an empty root directory. */
int umvfs_sb_new_memory(struct umvfs *vfs, const struct umvfs_limits *limits, uint32_t mode,
                        uint32_t uid, uint32_t gid, struct umvfs_sb **out);
/* Unlinks everything in it and lets go of the root: called when its last mount goes. */
void umvfs_sb_kill(struct umvfs_sb *sb);

/* Whether the embedder will call umvfs_reap() for something that is large. */
bool umvfs_is_late(const struct umvfs *vfs);

static inline int64_t umvfs_now(const struct umvfs *vfs)
{
    return vfs->cfg.now(vfs->cfg.ctx);
}

/* A secret for a directory's part of the name hash. */
uint64_t umvfs_new_key(struct umvfs *vfs);

#endif
