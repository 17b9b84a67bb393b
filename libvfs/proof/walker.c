/* Eva: the path walker, for any path of up to ROOM bytes and any flags, over a tree that is made up
 * as the walk goes: what a look-up finds is any of a directory, a link and another file of the
 * library's own or of a foreign file system, or nothing, a mount may be on top of it, a foreign
 * link may be a magic one, and each call of a foreign file system and each allocation may fail. The
 * contents of links are any bytes. A string ends where its memory ends, so that reading one byte
 * further is an alarm. Every state is kept apart, so that references are counted exactly: after the
 * walk nothing is held. LINKS takes the place of VFS_SYMLINK_MAX.
 *
 * MORE is what the code allows above the number of texts there are for links, to show that the
 * proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include <vfs/types.h>
#undef VFS_SYMLINK_MAX
#define VFS_SYMLINK_MAX LINKS
#include "dcache.h"

/* The name index has a proof of its own (store.c). */
static struct vfs_dentry *find(const struct vfs *v, const struct vfs_dentry *parent,
                               const struct vfs_name *name);
#define vfs_table_find find
#include "walk.h"

#include "foreign.h"
#include "inode.h"
#include "perm.h"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

#define REFS    1000u

enum {
    OWN_DIR,
    OWN_FILE,
    OWN_LINK,
    FOREIGN_DIR,
    FOREIGN_LINK,
    KINDS,
};

static char path[ROOM + 1];
static char target[TARGET + 1];
static char answer[TARGET + 1]; /* memory of what a foreign link says */
static bool answer_taken;
static struct vfs vfs;
static struct vfs_sb own, foreign;
static struct vfs_fs_ops ops;
static struct vfs_inode inodes[KINDS];
static struct vfs_dentry dentries[KINDS];
static struct vfs_mount first, second;
static struct vfs_cred cred;
static struct vfs_task task;

static struct vfs_dentry *find(const struct vfs *v, const struct vfs_dentry *parent,
                               const struct vfs_name *name)
{
    if (parent->inode != &inodes[OWN_DIR])
        return NULL;
    switch (Frama_C_interval(0, 3)) {
    case 0:
        return &dentries[OWN_DIR];
    case 1:
        return &dentries[OWN_FILE];
    case 2:
        return &dentries[OWN_LINK];
    default:
        return NULL;
    }
}

int vfs_foreign_lookup(struct vfs_dentry *parent, const struct vfs_name *name,
                       struct vfs_dentry **out)
{
    struct vfs_dentry *found = &dentries[Frama_C_interval(0, 1) ? FOREIGN_DIR : FOREIGN_LINK];
    if (parent != &dentries[FOREIGN_DIR])
        WRONG();
    if (Frama_C_interval(0, 1))
        return -VFS_EIO;
    found->refs++;
    *out = found;
    return 0;
}

struct vfs_mount *vfs_mount_find(const struct vfs_mount *parent, const struct vfs_dentry *point)
{
    return parent == &first && point == &dentries[OWN_DIR] && Frama_C_interval(0, 1) ? &second
                                                                                     : NULL;
}

uint64_t vfs_name_sum_rest(const struct vfs_name_keys *keys, const char *text, size_t len)
{
    return 0;
}

void *vfs_inode_node(const struct vfs_inode *inode)
{
    return inode->u.foreign.node;
}

/* The tree holds each of these: a walk never drops the last reference. */

void vfs_mount_free(struct vfs_mount *mnt)
{
    WRONG();
}

void vfs_dentry_free(struct vfs_dentry *dentry)
{
    WRONG();
}

void vfs_inode_drop(struct vfs_inode *inode)
{
    if (--inode->refs < REFS)
        WRONG();
}

static void *get(void *ctx, size_t size)
{
    if (size != VFS_PATH_MAX || answer_taken || Frama_C_interval(0, 1))
        return NULL;
    answer_taken = true;
    return answer;
}

static void put(void *ctx, void *ptr, size_t size)
{
    if (ptr != answer || size != VFS_PATH_MAX || !answer_taken)
        WRONG();
    answer_taken = false;
}

static int readlink(void *fs, void *node, char *buf, size_t size)
{
    if (buf != answer || size != VFS_PATH_MAX - 1)
        WRONG();
    if (Frama_C_interval(0, 1))
        return Frama_C_interval(0, 1) ? -VFS_EIO : 0;
    Frama_C_make_unknown(answer, TARGET);
    return TARGET;
}

static int follow(void *fs, void *node, const struct vfs_task *who, struct vfs_path *out)
{
    struct vfs_path to = {&first, &dentries[OWN_DIR]};
    switch (Frama_C_interval(0, 2)) {
    case 0:
        return -VFS_EIO;
    case 1:
        return -VFS_ENOSYS;
    default:
        to.mnt->refs++;
        to.dentry->refs++;
        vfs.users++;
        *out = to;
        return 0;
    }
}

static int permission(void *fs, void *node, const struct vfs_cred *who, uint32_t mask)
{
    return Frama_C_interval(0, 1) ? -VFS_EACCES : 0;
}

#undef VFS_SYMLINK_MAX
#define VFS_SYMLINK_MAX (LINKS + MORE)
#include "walk.c"

static void set_object(int kind, struct vfs_sb *sb, uint16_t mode, unsigned dentry_flags)
{
    inodes[kind] = (struct vfs_inode){.sb = sb, .refs = REFS, .mode = mode};
    inodes[kind].flags = sb == &foreign ? INODE_FOREIGN : 0;
    dentries[kind].inode = &inodes[kind];
    dentries[kind].parent = sb->root;
    dentries[kind].flags = dentry_flags;
    dentries[kind].refs = REFS;
}

static void set_tree(void)
{
    vfs.cfg.alloc = get;
    vfs.cfg.free = put;
    own.vfs = foreign.vfs = &vfs;
    own.root = &dentries[OWN_DIR];
    foreign.root = &dentries[FOREIGN_DIR];
    ops.follow = follow;
    ops.readlink = readlink;
    ops.permission = permission;
    foreign.ops = &ops;
    set_object(OWN_DIR, &own, VFS_S_IFDIR | 0755u, DENTRY_LINKED | DENTRY_MOUNTED);
    set_object(OWN_FILE, &own, VFS_S_IFREG, DENTRY_LINKED);
    set_object(OWN_LINK, &own, VFS_S_IFLNK, DENTRY_LINKED | DENTRY_SYMLINK);
    set_object(FOREIGN_DIR, &foreign, VFS_S_IFDIR, DENTRY_LINKED | DENTRY_FOREIGN);
    set_object(FOREIGN_LINK, &foreign, VFS_S_IFLNK,
               DENTRY_LINKED | DENTRY_FOREIGN | DENTRY_SYMLINK);
    inodes[OWN_LINK].u.link.target = target;
    first = (struct vfs_mount){.vfs = &vfs, .sb = &own, .root = own.root, .refs = REFS};
    second = (struct vfs_mount){.vfs = &vfs, .sb = &foreign, .root = foreign.root, .refs = REFS};
    second.parent = &first;
    second.point = own.root;
    task.vfs = &vfs;
    task.cred = &cred;
    task.root = (struct vfs_path){&first, own.root};
    task.cwd = task.root;
}

static void check_references(unsigned held)
{
    if (answer_taken || vfs.users != held || first.refs + second.refs != 2 * REFS + held)
        WRONG();
    unsigned sum = 0;
    for (int i = 0; i < KINDS; i++) {
        sum += dentries[i].refs - REFS;
        if (inodes[i].refs != REFS)
            WRONG();
    }
    if (sum != held)
        WRONG();
}

int main(void)
{
    struct vfs_walk walk;
    struct vfs_path out;
    set_tree();
    Frama_C_make_unknown(path, ROOM);
    Frama_C_make_unknown(target, TARGET);
    unsigned resolve = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    unsigned flags = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    int err = vfs_walk(&walk, &task, NULL, path, flags, resolve);
    if (!err) {
        vfs_walk_take(&walk, &out);
        vfs_walk_end(&walk);
    }
    check_references(err ? 0 : 1);
    return err;
}
