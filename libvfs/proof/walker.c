/* Eva: the path walker, for any path of up to ROOM bytes and any flags, over a tree that is made up
 * as the walk goes: what a look-up finds is any of a directory, a link and another file of the
 * library's own or of a foreign file system, or nothing, a mount may be on top of it, a foreign
 * link may be a magic one, and each call of a foreign file system and each allocation may fail. The
 * contents of links are any bytes. A string ends where its memory ends, so that reading one byte
 * further is an alarm. Every state is kept apart, so that references are counted exactly: after the
 * walk nothing is held. LINKS takes the place of UMVFS_SYMLINK_MAX.
 *
 * MORE is what the code allows above the number of texts there are for links, to show that the
 * proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include <umvfs/types.h>
#undef UMVFS_SYMLINK_MAX
#define UMVFS_SYMLINK_MAX LINKS
#include "dcache.h"

/* The name index has a proof of its own (store.c). */
static struct umvfs_dentry *find(const struct umvfs *v, const struct umvfs_dentry *parent,
                                 const struct umvfs_name *name);
#define umvfs_table_find find
#include "walk.h"

#include "foreign.h"
#include "inode.h"
#include "perm.h"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

#define REFS 1000u

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
static struct umvfs vfs;
static struct umvfs_sb own, foreign;
static struct umvfs_fs_ops ops;
static struct umvfs_inode inodes[KINDS];
static struct umvfs_dentry dentries[KINDS];
static struct umvfs_mount first, second;
static struct umvfs_cred cred;
static struct umvfs_task task;

static struct umvfs_dentry *find(const struct umvfs *v, const struct umvfs_dentry *parent,
                                 const struct umvfs_name *name)
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

int umvfs_foreign_lookup(struct umvfs_dentry *parent, const struct umvfs_name *name,
                         struct umvfs_dentry **out)
{
    struct umvfs_dentry *found = &dentries[Frama_C_interval(0, 1) ? FOREIGN_DIR : FOREIGN_LINK];
    if (parent != &dentries[FOREIGN_DIR])
        WRONG();
    if (Frama_C_interval(0, 1))
        return -UMVFS_EIO;
    found->refs++;
    *out = found;
    return 0;
}

struct umvfs_mount *umvfs_mount_find(const struct umvfs_mount *parent,
                                     const struct umvfs_dentry *point)
{
    return parent == &first && point == &dentries[OWN_DIR] && Frama_C_interval(0, 1) ? &second
                                                                                     : NULL;
}

uint64_t umvfs_name_sum_rest(const struct umvfs_name_keys *keys, const char *text, size_t len)
{
    return 0;
}

void *umvfs_inode_node(const struct umvfs_inode *inode)
{
    return inode->u.foreign.node;
}

/* The tree holds each of these: a walk never drops the last reference. */

void umvfs_mount_free(struct umvfs_mount *mnt)
{
    WRONG();
}

void umvfs_dentry_free(struct umvfs_dentry *dentry)
{
    WRONG();
}

void umvfs_inode_drop(struct umvfs_inode *inode)
{
    if (--inode->refs < REFS)
        WRONG();
}

static void *get(void *ctx, size_t size)
{
    if (size != UMVFS_PATH_MAX || answer_taken || Frama_C_interval(0, 1))
        return NULL;
    answer_taken = true;
    return answer;
}

static void put(void *ctx, void *ptr, size_t size)
{
    if (ptr != answer || size != UMVFS_PATH_MAX || !answer_taken)
        WRONG();
    answer_taken = false;
}

static int64_t now(void *ctx)
{
    return Frama_C_interval(0, 1);
}

static int readlink(void *fs, void *node, char *buf, size_t size)
{
    if (buf != answer || size != UMVFS_PATH_MAX - 1)
        WRONG();
    if (Frama_C_interval(0, 1))
        return Frama_C_interval(0, 1) ? -UMVFS_EIO : 0;
    Frama_C_make_unknown(answer, TARGET);
    return TARGET;
}

static int follow(void *fs, void *node, const struct umvfs_task *who, struct umvfs_path *out)
{
    struct umvfs_path to = {&first, &dentries[OWN_DIR]};
    switch (Frama_C_interval(0, 2)) {
    case 0:
        return -UMVFS_EIO;
    case 1:
        return -UMVFS_ENOSYS;
    default:
        to.mnt->refs++;
        to.dentry->refs++;
        vfs.users++;
        *out = to;
        return 0;
    }
}

static int permission(void *fs, void *node, const struct umvfs_cred *who, uint32_t mask)
{
    return Frama_C_interval(0, 1) ? -UMVFS_EACCES : 0;
}

#undef UMVFS_SYMLINK_MAX
#define UMVFS_SYMLINK_MAX (LINKS + MORE)
#include "walk.c"

static void set_object(int kind, struct umvfs_sb *sb, uint16_t mode, unsigned dentry_flags)
{
    inodes[kind] = (struct umvfs_inode){.sb = sb, .refs = REFS, .mode = mode};
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
    vfs.cfg.now = now;
    own.vfs = foreign.vfs = &vfs;
    own.root = &dentries[OWN_DIR];
    foreign.root = &dentries[FOREIGN_DIR];
    ops.follow = follow;
    ops.readlink = readlink;
    ops.permission = permission;
    foreign.ops = &ops;
    set_object(OWN_DIR, &own, UMVFS_S_IFDIR | 0755u, DENTRY_LINKED | DENTRY_MOUNTED);
    set_object(OWN_FILE, &own, UMVFS_S_IFREG, DENTRY_LINKED);
    set_object(OWN_LINK, &own, UMVFS_S_IFLNK, DENTRY_LINKED | DENTRY_SYMLINK);
    set_object(FOREIGN_DIR, &foreign, UMVFS_S_IFDIR, DENTRY_LINKED | DENTRY_FOREIGN);
    set_object(FOREIGN_LINK, &foreign, UMVFS_S_IFLNK,
               DENTRY_LINKED | DENTRY_FOREIGN | DENTRY_SYMLINK);
    inodes[OWN_LINK].u.link.target = target;
    first = (struct umvfs_mount){.vfs = &vfs, .sb = &own, .root = own.root, .refs = REFS};
    second = (struct umvfs_mount){.vfs = &vfs, .sb = &foreign, .root = foreign.root, .refs = REFS};
    second.parent = &first;
    second.point = own.root;
    task.vfs = &vfs;
    task.cred = &cred;
    task.root = (struct umvfs_path){&first, own.root};
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
    struct umvfs_walk walk;
    struct umvfs_path out;
    set_tree();
    Frama_C_make_unknown(path, ROOM);
    Frama_C_make_unknown(target, TARGET);
    unsigned resolve = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    unsigned flags = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    int err = umvfs_walk(&walk, &task, NULL, path, flags, resolve);
    if (!err) {
        umvfs_walk_take(&walk, &out);
        umvfs_walk_end(&walk);
    }
    check_references(err ? 0 : 1);
    return err;
}
