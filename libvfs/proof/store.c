/* Eva: operations by path in an arbitrary loop, where any allocation may fail. PART is one of
 * names: the inode store, the name index and the directories: the first LAST + 1 operations of
 *     names(), on NAMES names (1 or 2, of one hash) in the root.
 * renames: umvfs_rename() between the places of a tree (TREE), of the kinds from FIRST to LAST, and
 *     making and removing what is there. A model says what each rename answers and where the
 *     objects are then.
 * attributes: the attributes from FIRST to LAST (0 and 1) of an object: two of a file, or the ACL and
 *     the default ACL of a directory, which what is made in it inherits; and what else changes an
 *     inode. A model says what each attribute is.
 * There is room for FILES objects with NAMES names besides the root. Bit i of DIRS says that what is
 * made at place i is a directory; the first KEPT places have theirs from the beginning, and no
 * operation is on these. Eva keeps every state apart and comes to its end when a loop finds no new
 * one, so that the number of operations is not bounded.
 * Inode numbers, keys and the places in a directory's order start again from the lowest that is
 * free, without which there would be no end of states.
 *
 * The allocator has a pool for each size and hands out the lowest free object; what is freed is
 * filled with pointers to nowhere, and whoever writes to it is found. The loop can end after any
 * operation: then the instance is destroyed, and nothing may be left. FORGET is a name that is made
 * without counting it, an inode that is held for ever, or an attribute that is lost, to show that
 * the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "data.h"
#include "dcache.h"
#include "inode.h"
#include "radix.h"

#define SHORT_NAMES     0 /* values of TREE */
#define LONG_NAME       1
#define TWO_DIRECTORIES 2
#define ONE_FILE        3
#define NESTED          4
#define THREE_LEVELS    5
#ifndef TREE
#define TREE SHORT_NAMES
#endif
#ifndef DIRS
#define DIRS 0
#endif
#ifndef KEPT
#define KEPT 0
#endif
#ifndef FIRST
#define FIRST 0
#endif
#ifndef LAST
#define LAST 3
#endif
#define ACLS (TREE == NESTED)
#ifndef HASHES
#define HASHES 1u /* 0: all names have one hash */
#endif

#define OBJECTS  (1 + FILES)
#define DENTRIES (1 + NAMES)
#define NOWHERE  0x0101010101010101u

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

#define WORDS(size) (((size) + 7u) / 8u)

/* Where objects are made. */
struct place {
    const char *path, *name;
    size_t len;
    int parent; /* -1: the root */
    bool is_dir;
};
#define LONG      "of more than 24 characters"
#define IS_DIR(i) ((DIRS >> (i)) & 1)
static const struct place places[] = {
    {"a", "a", 1, -1, IS_DIR(0)},
#if TREE == LONG_NAME
    {LONG, LONG, sizeof(LONG) - 1, -1, IS_DIR(1)},
#elif TREE == NESTED
    {"a/c", "c", 1, 0, IS_DIR(1)},
#elif TREE != ONE_FILE
    {"b", "b", 1, -1, IS_DIR(1)},
#endif
#if TREE == TWO_DIRECTORIES || TREE == THREE_LEVELS
    {"a/c", "c", 1, 0, IS_DIR(2)},
    {"b/c", "c", 1, 1, IS_DIR(3)},
#endif
#if TREE == THREE_LEVELS
    {"a/c/c", "c", 1, 2, IS_DIR(4)},
#endif
};
#define PLACES ((int)(sizeof(places) / sizeof(places[0])))

static const char capability[20] = {0, 0, 0, 2};
#define ACL_HEADER         2, 0, 0, 0
#define ENTRY(tag, rights) tag, 0, rights, 0, -1, -1, -1, -1
static const signed char acl[36] = {ACL_HEADER, ENTRY(1, 7), ENTRY(4, 5), ENTRY(16, 4),
                                    ENTRY(32, 1)};
/* It says no more than a mode. */
static const signed char plain_acl[28] = {ACL_HEADER, ENTRY(1, 6), ENTRY(4, 4), ENTRY(32, 4)};

struct value {
    const void *bytes;
    size_t size;
};
static const struct attribute {
    const char *name;
    size_t len;
    struct value values[2];
} attributes_of[] = {
#if TREE == NESTED
    {"system.posix_acl_access", 23, {{acl, 36}, {plain_acl, 28}}},
    {"system.posix_acl_default", 24, {{acl, 36}, {acl, 36}}},
#else
    {"user.a", 6, {{"1", 1}, {"of seventeen byte", 17}}},
    {"security.capability", 19, {{capability, 20}, {capability, 20}}},
#endif
};

static uint64_t inodes[OBJECTS][WORDS(sizeof(struct umvfs_inode))];
static uint64_t dirs[OBJECTS][WORDS(sizeof(struct umvfs_dir))];
static uint64_t dentries[DENTRIES][WORDS(sizeof(struct umvfs_dentry))];
static uint64_t nodes[OBJECTS][17];
static uint64_t instance[WORDS(sizeof(struct umvfs))];
static uint64_t file_system[WORDS(sizeof(struct umvfs_sb))];
static uint64_t mount[WORDS(sizeof(struct umvfs_mount))];
static uint64_t piece[TABLE_FAN];
static uint64_t texts[2][WORDS(sizeof(LONG) - 1)];
static uint64_t xattrs[4][2][10];

static struct pool {
    uint64_t *words;
    size_t size;
    int count;
    bool is_charged;
    int taken[OBJECTS + NAMES + 1];
} pools[] = {
    {inodes[0], sizeof(struct umvfs_inode), OBJECTS, true},
    {dirs[0], sizeof(struct umvfs_dir), OBJECTS, true},
    {dentries[0], sizeof(struct umvfs_dentry), DENTRIES, true},
    {nodes[0], sizeof(nodes[0]), OBJECTS, true},
    {instance, sizeof(struct umvfs), 1, false},
    {file_system, sizeof(struct umvfs_sb), 1, false},
    {mount, sizeof(struct umvfs_mount), 1, false},
    {piece, sizeof(piece), 1, false},
    {texts[0], sizeof(LONG) - 1, 2, true},
#define XATTR_SIZE(name_len, size) (16 + (name_len) + 1 + (size))
    {xattrs[0][0], XATTR_SIZE(6, 1), 2, true},
    {xattrs[1][0], XATTR_SIZE(6, 17), 2, true},
    {xattrs[2][0], ACLS ? XATTR_SIZE(23, 36) : XATTR_SIZE(19, 20), 2, true},
    {xattrs[3][0], XATTR_SIZE(24, 36), 2, true},
};
#define POOLS ((int)(sizeof(pools) / sizeof(pools[0])))

static bool may_fail, has_failed;
static struct umvfs *vfs;
static struct umvfs_task task;
static struct umvfs_cred cred;
static struct umvfs_path held;
static uint64_t charged; /* bytes of the objects that are taken */

/* Frama-C's libc has a contract for it, but no body. */
int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

/* Any of 0 to n - 1, each in a state of its own. */
static int choose(int n)
{
    int i = 0;
    while (i < n - 1 && Frama_C_interval(0, 1))
        i++;
    return i;
}

static void *get(void *ctx, size_t size)
{
    if (may_fail && Frama_C_interval(0, 1)) {
        has_failed = true;
        return NULL;
    }
    for (int p = 0; p < POOLS; p++) {
        if (pools[p].size != size)
            continue;
        for (int i = 0; i < pools[p].count; i++) {
            uint64_t *words = pools[p].words + (size_t)i * WORDS(size);
            if (pools[p].taken[i])
                continue;
            for (size_t w = 0; w < WORDS(size); w += 2) {
                if (words[w] != NOWHERE)
                    WRONG(); /* written after it was freed */
            }
            pools[p].taken[i] = 1;
            charged += pools[p].is_charged ? size : 0;
            return words;
        }
        has_failed = true;
        return NULL;
    }
    WRONG();
    return NULL;
}

static void put(void *ctx, void *ptr, size_t size)
{
    for (int p = 0; p < POOLS; p++) {
        if (pools[p].size != size)
            continue;
        for (int i = 0; i < pools[p].count; i++) {
            uint64_t *words = pools[p].words + (size_t)i * WORDS(size);
            if (words != ptr)
                continue;
            if (!pools[p].taken[i])
                WRONG();
            pools[p].taken[i] = 0;
            charged -= pools[p].is_charged ? size : 0;
            memset(words, 1, WORDS(size) * 8);
            return;
        }
    }
    WRONG();
}

static void *no_page(void *ctx)
{
    return NULL;
}

static void put_page(void *ctx, void *page)
{
    WRONG();
}

#ifndef ATTRIBUTES
/* Contents and attributes are not part of this: there are none. */

void umvfs_data_free(struct umvfs_inode *inode)
{
    if (inode->u.data.root)
        WRONG();
}

void umvfs_xattr_free(struct umvfs_inode *inode)
{
    if (inode->xattrs)
        WRONG();
}
#endif

static struct umvfs_dentry *root(void)
{
    return vfs->first->sb->root;
}

static struct umvfs_inode *object(int i)
{
    return pools[0].taken[i] ? (struct umvfs_inode *)inodes[i] : NULL;
}

static void reuse_numbers(void)
{
    root()->inode->u.dir.key = 0;
    vfs->first->sb->next_ino = 1;
    vfs->next_key = 0;
    for (int i = 0; i < OBJECTS; i++) {
        struct umvfs_inode *inode = object(i);
        if (!inode || !umvfs_is_dir(inode))
            continue;
        uint64_t cookie = DIR_COOKIE_FIRST;
        while (umvfs_radix_get(&inode->u.dir.dir->order, RADIX_DIR_BITS, cookie))
            cookie++;
        inode->u.dir.dir->next_cookie = cookie;
        if (inode != root()->inode)
            inode->ino = 1;
    }
}

/* The entry at each place, or NULL. */
static struct entries {
    struct umvfs_dentry *at[PLACES];
} found;

static void find_all(void)
{
    for (int i = 0; i < PLACES; i++) {
        const struct umvfs_dentry *parent =
            places[i].parent < 0 ? root() : found.at[places[i].parent];
        bool is_dir = parent && umvfs_is_dir(parent->inode);
        found.at[i] = is_dir ? umvfs_find(vfs, parent, places[i].name, places[i].len) : NULL;
    }
}

static void begin(void)
{
    struct umvfs_config config = {
        .alloc = get, .free = put, .page_alloc = no_page, .page_put = put_page};
    for (int p = 0; p < POOLS; p++)
        memset(pools[p].words, 1, (size_t)pools[p].count * WORDS(pools[p].size) * 8);
    if (umvfs_new(&config, &vfs))
        WRONG();
    memset(&vfs->name_keys, 0, sizeof(vfs->name_keys));
    vfs->name_keys.pair[0][1] = UINT64_C(1) << 32;
    vfs->name_keys.mix = HASHES;
    cred.caps = UMVFS_CAP_ALL;
    task.vfs = vfs;
    task.cred = &cred;
    umvfs_root(vfs, &task.root);
    task.cwd = task.root;
    reuse_numbers();
    for (int i = 0; i < KEPT; i++) {
        if (umvfs_mkdir(&task, NULL, places[i].path, 0755))
            WRONG();
        reuse_numbers();
    }
    find_all();
    may_fail = true;
}

static struct umvfs_inode *inode_of(const struct umvfs_dentry *dentry)
{
    return dentry ? dentry->inode : NULL;
}

static void names(void)
{
    int place = choose(NAMES);
    const char *name = places[place].path, *other = places[NAMES - 1 - place].path;
    switch (Frama_C_interval(0, LAST)) {
    case 0:
        if (!umvfs_mknod(&task, NULL, name, UMVFS_S_IFREG, 0) && FORGET)
            root()->inode->u.dir.dir->count--;
        break;
    case 1:
        (void)umvfs_unlink(&task, NULL, name);
        break;
    case 2:
        (void)umvfs_link(&task, NULL, name, NULL, other, 0);
        break;
    case 3:
        (void)umvfs_mkdir(&task, NULL, name, 0);
        break;
    case 4:
        (void)umvfs_rmdir(&task, NULL, name);
        break;
    case 5:
        if (!held.mnt)
            (void)umvfs_lookup(&task, NULL, name, 0, 0, &held);
        break;
    default:
        umvfs_path_put(&held);
        break;
    }
    find_all();
}

/* Makes or removes what is at a place. */
static void make_or_remove(int place)
{
    const struct umvfs_dentry *there = found.at[place];
    const char *path = places[place].path;
    if (!there)
        (void)(places[place].is_dir ? umvfs_mkdir(&task, NULL, path, 0755)
                                    : umvfs_mknod(&task, NULL, path, UMVFS_S_IFREG | 0644u, 0));
    else if (umvfs_is_dir(there->inode))
        (void)umvfs_rmdir(&task, NULL, path);
    else
        (void)umvfs_unlink(&task, NULL, path);
    find_all();
}

static bool is_below(int place, int above)
{
    while (place >= 0 && place != above)
        place = places[place].parent;
    return place == above;
}

/* What umvfs_rename() answers if there is memory. */
static int rename_result(int from, int to, unsigned flags, const struct entries *before)
{
    const struct umvfs_inode *source = inode_of(before->at[from]);
    const struct umvfs_inode *target = inode_of(before->at[to]);
    for (int i = 0; i < 2; i++) {
        int parent = places[i ? to : from].parent;
        const struct umvfs_dentry *dir = parent < 0 ? root() : before->at[parent];
        if (!dir)
            return -UMVFS_ENOENT;
        if (!umvfs_is_dir(dir->inode))
            return -UMVFS_ENOTDIR;
    }
    if (!source || (!target && flags & UMVFS_RENAME_EXCHANGE))
        return -UMVFS_ENOENT;
    if (target && flags & UMVFS_RENAME_NOREPLACE)
        return -UMVFS_EEXIST;
    if (from != to && is_below(to, from))
        return -UMVFS_EINVAL;
    if (from != to && is_below(from, to))
        return flags & UMVFS_RENAME_EXCHANGE ? -UMVFS_EINVAL : -UMVFS_ENOTEMPTY;
    if (!target || flags & UMVFS_RENAME_EXCHANGE || source == target)
        return 0;
    if (umvfs_is_dir(source) != umvfs_is_dir(target))
        return umvfs_is_dir(source) ? -UMVFS_ENOTDIR : -UMVFS_EISDIR;
    return umvfs_is_dir(target) && target->u.dir.dir->count ? -UMVFS_ENOTEMPTY : 0;
}

static void rename_any(int from, const struct entries *before)
{
    static const unsigned kinds[] = {0, UMVFS_RENAME_NOREPLACE, UMVFS_RENAME_EXCHANGE,
                                     UMVFS_RENAME_WHITEOUT};
    int to = KEPT + choose(PLACES - KEPT);
    unsigned flags = kinds[FIRST + (to == from ? 0 : choose(LAST - FIRST + 1))];
    struct umvfs_inode *moved = inode_of(before->at[from]);
    struct umvfs_inode *replaced = inode_of(before->at[to]);
    int expected = rename_result(from, to, flags, before);
    int err = umvfs_rename(&task, NULL, places[from].path, NULL, places[to].path, flags);
    find_all();
    struct umvfs_inode *left = inode_of(found.at[from]), *there = inode_of(found.at[to]);
    if (err != expected && !(expected == 0 && has_failed && err == -UMVFS_ENOMEM))
        WRONG();
    if (err || moved == replaced) {
        if (left != moved || there != replaced)
            WRONG();
        return;
    }
    if (there != moved)
        WRONG();
    if (flags & UMVFS_RENAME_WHITEOUT) {
        if (left->mode != UMVFS_S_IFCHR || left->rdev_or_pages)
            WRONG();
    } else if (left != (flags & UMVFS_RENAME_EXCHANGE ? replaced : NULL)) {
        WRONG();
    }
    if (FORGET)
        moved->refs++;
}

static void renames(void)
{
    const struct entries before = found;
    int place = KEPT + choose(PLACES - KEPT);
    if (Frama_C_interval(0, 1))
        make_or_remove(place);
    else
        rename_any(place, &before);
}

#ifdef ATTRIBUTES
static int size_of(const struct umvfs_inode *inode, int key)
{
    size_t size;
    const void *value =
        umvfs_xattr_value(inode, attributes_of[key].name, attributes_of[key].len, &size);
    return value ? (int)size : -UMVFS_ENODATA;
}

/* The attribute has that value; NULL: there is none. */
static void check_attribute(int key, const void *bytes, size_t size)
{
    char now[40];
    int got =
        umvfs_getxattr(&task, NULL, places[0].path, attributes_of[key].name, now, sizeof(now), 0);
    if (bytes ? got != (int)size || memcmp(now, bytes, size) != 0 : got != -UMVFS_ENODATA)
        WRONG();
}

static void check_list(const struct umvfs_inode *inode)
{
    char list[50];
    int total = 0;
    for (int key = 0; key < 2; key++)
        total += size_of(inode, key) < 0 ? 0 : (int)attributes_of[key].len + 1;
    if (umvfs_listxattr(&task, NULL, places[0].path, list, sizeof(list), 0) != total)
        WRONG();
}

static void set_attribute(struct umvfs_inode *inode, int key)
{
    struct value value = attributes_of[key].values[key == 0 ? choose(2) : 0];
    unsigned xflags = ACLS || key ? 0 : choose(3); /* CREATE and REPLACE */
    int before = size_of(inode, key), other = size_of(inode, 1 - key);
    int expected = xflags == UMVFS_XATTR_CREATE && before >= 0   ? -UMVFS_EEXIST
                   : xflags == UMVFS_XATTR_REPLACE && before < 0 ? -UMVFS_ENODATA
                                                                 : 0;
    int err = umvfs_setxattr(&task, NULL, places[0].path, attributes_of[key].name, value.bytes,
                             value.size, xflags, 0);
    if (err != expected && !(expected == 0 && has_failed && err == -UMVFS_ENOMEM))
        WRONG();
    if (!err)
        check_attribute(key, value.bytes == plain_acl ? NULL : value.bytes, value.size);
    if ((err && size_of(inode, key) != before) || size_of(inode, 1 - key) != other)
        WRONG();
    if (FORGET && !err)
        inode->xattrs = NULL;
}

static void remove_attribute(const struct umvfs_inode *inode, int key)
{
    int before = size_of(inode, key), other = size_of(inode, 1 - key);
    int err = umvfs_removexattr(&task, NULL, places[0].path, attributes_of[key].name, 0);
    if (err != (before >= 0 || ACLS ? 0 : -UMVFS_ENODATA))
        WRONG();
    check_attribute(key, NULL, 0);
    if (size_of(inode, 1 - key) != other)
        WRONG();
}

/* Another mode, owner, times or size, for a caller that is allowed to set it and one that is not; then all as before. */
static void change_inode(struct umvfs_inode *inode)
{
    const char *path = places[0].path;
    uint16_t mode = inode->mode;
    struct umvfs_time times[2] = {{1, 2}, {3, UMVFS_TIME_NOW}};
    bool loses = false;
    int user = size_of(inode, 0), err = 0;
    cred.uid = (unsigned)choose(2);
    cred.caps = cred.uid ? 0 : UMVFS_CAP_ALL;
    int refusal = cred.uid ? -UMVFS_EPERM : 0;
    switch (Frama_C_interval(0, 3)) {
    case 0:
        err = umvfs_chmod(&task, NULL, path, 06755, 0);
        if (err != refusal || inode->mode != (err ? mode : (mode & UMVFS_S_IFMT) | 06755u))
            WRONG();
        break;
    case 1:
        err = umvfs_chown(&task, NULL, path, 1, UINT32_MAX, 0);
        if (err != refusal || inode->uid != !err)
            WRONG();
        loses = !err;
        break;
    case 2:
        err = umvfs_utimens(&task, NULL, path, times, 0);
        if (err != refusal || inode->atime != !err || inode->atime_nsec != (err ? 0 : 2))
            WRONG();
        break;
    default:
        err = umvfs_truncate(&task, NULL, path, 5000);
        if (err != (places[0].is_dir ? -UMVFS_EISDIR
                    : cred.uid       ? -UMVFS_EACCES
                                     : 0) ||
            (!err && inode->size != 5000))
            WRONG();
        loses = !err;
        break;
    }
    cred = (struct umvfs_cred){.caps = UMVFS_CAP_ALL};
    if (!ACLS && ((loses && size_of(inode, 1) >= 0) || size_of(inode, 0) != user))
        WRONG();
    if (umvfs_chmod(&task, NULL, path, mode & UMVFS_S_IALL, 0))
        WRONG();
    inode->uid = 0;
    inode->atime = inode->atime_nsec = 0;
    if (!places[0].is_dir)
        inode->size = 0;
}

/* What is made in a directory with a default ACL has an ACL, and a directory a default ACL too. */
static void check_inherited(const struct umvfs_inode *dir, const struct umvfs_inode *inode)
{
    for (int key = 0; key < 2; key++) {
        bool passes_on = size_of(dir, 1) >= 0 && (key == 0 || umvfs_is_dir(inode));
        int expected = passes_on ? 36 : -UMVFS_ENODATA;
        if (size_of(inode, key) != expected)
            WRONG();
    }
}

static void attributes(void)
{
    const struct entries before = found;
    struct umvfs_inode *inode = inode_of(before.at[0]);
    int what = KEPT + choose(PLACES - KEPT + 3);
    if (what < PLACES) {
        make_or_remove(what);
        if (what == 1 && !before.at[what] && found.at[what])
            check_inherited(inode, found.at[what]->inode);
        return;
    }
    if (!inode)
        return;
    if (what == PLACES)
        set_attribute(inode, FIRST + choose(LAST - FIRST + 1));
    else if (what == PLACES + 1)
        remove_attribute(inode, FIRST + choose(LAST - FIRST + 1));
    else
        change_inode(inode);
    check_list(inode);
}
#endif

/* The counts are those of the names that are there. */
static void check(void)
{
    const struct umvfs_sb *sb = vfs->first->sb;
    uint64_t linked = 0, all = 0;
    for (int i = 0; i < PLACES; i++)
        linked += found.at[i] != NULL;
    for (int i = 0; i < OBJECTS; i++) {
        const struct umvfs_inode *inode = object(i);
        uint32_t named = inode == root()->inode, entries = 0, subdirs = 0;
        for (int p = 0; p < PLACES; p++) {
            if (!found.at[p])
                continue;
            named += found.at[p]->inode == inode;
            entries += found.at[p]->parent->inode == inode;
            subdirs += found.at[p]->parent->inode == inode && umvfs_is_dir(found.at[p]->inode);
        }
        if (!inode)
            continue;
        all++;
        if (umvfs_is_dir(inode)) {
            if (named ? inode->nlink != 2 + subdirs || inode->u.dir.dir->count != entries
                      : inode->nlink || inode->u.dir.dir->count)
                WRONG();
        } else if (inode->nlink != named) {
            WRONG();
        }
        if (!held.mnt && inode->refs != named)
            WRONG();
    }
    if (linked != vfs->table.entries || sb->bytes != charged || sb->inodes != all)
        WRONG();
}

static void end(void)
{
    may_fail = false;
    umvfs_path_put(&held);
    umvfs_path_put(&task.root);
    if (umvfs_destroy(vfs))
        WRONG();
    for (int p = 0; p < POOLS; p++) {
        for (int i = 0; i < pools[p].count; i++) {
            if (pools[p].taken[i])
                WRONG();
        }
    }
}

int main(void)
{
    begin();
    while (Frama_C_interval(0, 1)) {
        PART();
        has_failed = false;
        reuse_numbers();
        check();
    }
    end();
    return 0;
}
