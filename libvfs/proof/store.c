/* Eva: the inode store, the name index and the directories under an arbitrary loop of operations by
 * path: the first LAST + 1 of those in any_operation, on NAMES names (1 or 2, of one hash) in the
 * root; any allocation may fail. Eva keeps every state apart and comes to its end when a loop finds
 * no new one, so that the number of operations is not bounded. Inode numbers, keys and the places
 * in a directory's order start again from the lowest that is free, without which there would be no
 * end of states. There is room for FILES objects besides the root.
 *
 * The allocator has a pool for each size and hands out the lowest free object; what is freed is
 * filled with pointers to nowhere, and whoever writes to it is found. The loop can end after any
 * operation: then all names are removed and the instance is destroyed, and nothing may be left.
 * FORGET is a name that is made without counting it, to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include <umvfs/tree.h>

#include "dcache.h"
#include "inode.h"
#include "radix.h"

#define OBJECTS (1 + FILES)
#define NOWHERE 0x0101010101010101u

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

#define WORDS(type) (sizeof(type) / 8)

static uint64_t inodes[OBJECTS][WORDS(struct umvfs_inode)];
static uint64_t dirs[OBJECTS][WORDS(struct umvfs_dir)];
static uint64_t dentries[1 + NAMES][WORDS(struct umvfs_dentry)];
static uint64_t nodes[1][17];
static uint64_t instance[WORDS(struct umvfs)];
static uint64_t file_system[WORDS(struct umvfs_sb)];
static uint64_t mount[WORDS(struct umvfs_mount)];
static uint64_t piece[TABLE_FAN];

static struct pool {
    uint64_t *words;
    size_t size;
    int count;
    int taken[OBJECTS + NAMES];
} pools[] = {
    {inodes[0], sizeof(inodes[0]), OBJECTS},
    {dirs[0], sizeof(dirs[0]), OBJECTS},
    {dentries[0], sizeof(dentries[0]), 1 + NAMES},
    {nodes[0], sizeof(nodes[0]), 1},
    {instance, sizeof(instance), 1},
    {file_system, sizeof(file_system), 1},
    {mount, sizeof(mount), 1},
    {piece, sizeof(piece), 1},
};
#define POOLS ((int)(sizeof(pools) / sizeof(pools[0])))

static const char *const names[] = {"a", "b"};
static bool may_fail;
static struct umvfs *vfs;
static struct umvfs_task task;
static struct umvfs_cred cred;
static struct umvfs_path held;

static void *get(void *ctx, size_t size)
{
    if (may_fail && Frama_C_interval(0, 1))
        return NULL;
    for (int p = 0; p < POOLS; p++) {
        if (pools[p].size != size)
            continue;
        for (int i = 0; i < pools[p].count; i++) {
            uint64_t *words = pools[p].words + (size_t)i * (size / 8);
            if (pools[p].taken[i])
                continue;
            for (size_t w = 0; w < size / 8; w += 2) {
                if (words[w] != NOWHERE)
                    WRONG(); /* written after it was freed */
            }
            pools[p].taken[i] = 1;
            return words;
        }
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
            uint64_t *words = pools[p].words + (size_t)i * (size / 8);
            if (words != ptr)
                continue;
            if (!pools[p].taken[i])
                WRONG();
            pools[p].taken[i] = 0;
            memset(words, 1, size);
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

static void begin(void)
{
    struct umvfs_config config = {
        .alloc = get, .free = put, .page_alloc = no_page, .page_put = put_page};
    for (int p = 0; p < POOLS; p++)
        memset(pools[p].words, 1, (size_t)pools[p].count * pools[p].size);
    if (umvfs_new(&config, &vfs))
        WRONG();
    memset(&vfs->name_keys, 0, sizeof(vfs->name_keys));
    cred.caps = UMVFS_CAP_DAC_OVERRIDE;
    task.vfs = vfs;
    task.cred = &cred;
    umvfs_root(vfs, &task.root);
    task.cwd = task.root;
}

static void reuse_numbers(void)
{
    struct umvfs_sb *sb = vfs->first->sb;
    struct umvfs_inode *root = sb->root->inode;
    uint64_t cookie = DIR_COOKIE_FIRST;
    while (umvfs_radix_get(&root->u.dir.dir->order, RADIX_DIR_BITS, cookie))
        cookie++;
    root->u.dir.dir->next_cookie = cookie;
    root->u.dir.key = 0;
    sb->next_ino = 1;
    vfs->next_key = 0;
}

static void any_operation(const char *name, const char *other)
{
    switch (Frama_C_interval(0, LAST)) {
    case 0:
        if (!umvfs_mknod(&task, NULL, name, UMVFS_S_IFREG, 0) && FORGET)
            vfs->first->sb->root->inode->u.dir.dir->count--;
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
}

static uint64_t taken_bytes(void)
{
    uint64_t sum = 0;
    for (int p = 0; p < 4; p++) {
        for (int i = 0; i < pools[p].count; i++)
            sum += pools[p].taken[i] ? pools[p].size : 0;
    }
    return sum;
}

static void check(void)
{
    const struct umvfs_sb *sb = vfs->first->sb;
    uint64_t linked = 0;
    for (int i = 0; i < NAMES; i++)
        linked += umvfs_find(vfs, sb->root, names[i], 1) != NULL;
    if (linked != sb->root->inode->u.dir.dir->count || linked != vfs->table.entries)
        WRONG();
    if (sb->bytes != taken_bytes())
        WRONG();
}

static void end(void)
{
    may_fail = false;
    umvfs_path_put(&held);
    for (int i = 0; i < NAMES; i++) {
        int err = umvfs_unlink(&task, NULL, names[i]);
        if (err == -UMVFS_EISDIR)
            err = umvfs_rmdir(&task, NULL, names[i]);
        if (err && err != -UMVFS_ENOENT)
            WRONG();
    }
    if (vfs->first->sb->inodes != 1 || vfs->first->sb->root->inode->nlink != 2)
        WRONG();
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
    may_fail = true;
    while (Frama_C_interval(0, 1)) {
        if (NAMES == 2 && Frama_C_interval(0, 1))
            any_operation(names[1], names[0]);
        else
            any_operation(names[0], names[NAMES - 1]);
        reuse_numbers();
        check();
    }
    end();
    return 0;
}
