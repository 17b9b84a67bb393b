#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "dcache.h"
#include "inode.h"
#include "radix.h"

/* AddressSanitizer asks for this. What is freed need not be remembered for longer than an input,
 * and the replay switches on what is slow. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=4:detect_stack_use_after_return=0";
}

bool all_effort(void)
{
    static int all = -1;
    if (all < 0) {
        const char *effort = getenv("VFS_FUZZ_EFFORT");
        all = effort && strcmp(effort, "all") == 0;
    }
    return all;
}

bool worth_every_step(const uint8_t *data, size_t size)
{
    uint32_t hash = 2166136261u;
    if (all_effort())
        return true;
    for (size_t i = 0; i < size && i < 64; i++)
        hash = (hash ^ data[i]) * 16777619u;
    return hash >> 27 == 0;
}

struct totals {
    uint64_t names;
    uint64_t inodes; /* each counted by its share of names */
    uint64_t pages;
    uint64_t shared; /* names beyond the first, of files with several */
};

static void check_file(const struct umvfs_inode *inode, struct totals *totals)
{
    struct umvfs_radix tree = umvfs_data_tree(inode);
    uint64_t pages = 0;
    uint64_t index = 0;
    if (umvfs_data_is_small(inode)) {
        const char *bytes = inode->u.data.root;
        for (uint64_t i = inode->size; i < inode->u.data.small_cap; i++)
            CHECK(bytes[i] == 0);
        CHECK(inode->u.data.small_cap <= UMVFS_SMALL_MAX && inode->rdev_or_pages == 0);
        return;
    }
    for (; umvfs_radix_next(&tree, RADIX_PAGE_BITS, &index); index++)
        pages++;
    CHECK(pages == inode->rdev_or_pages);
    totals->pages += pages;
}

static void check_inode(const struct umvfs_inode *inode, struct totals *totals)
{
    CHECK(inode->refs > 0);
    if (UMVFS_S_ISREG(inode->mode) && inode->nlink == 1)
        check_file(inode, totals);
    if (!umvfs_is_dir(inode)) {
        CHECK(inode->nlink > 0 && inode->nlink <= inode->refs);
        totals->shared += inode->nlink > 1;
    }
}

static void check_name(struct umvfs *vfs, const struct umvfs_dentry *dir,
                       struct umvfs_dentry *dentry, uint64_t cookie)
{
    CHECK(dentry->parent == dir && dentry->cookie == cookie && dentry->refs > 0);
    CHECK((dentry->flags & (DENTRY_LINKED | DENTRY_HASHED | DENTRY_DEAD)) ==
          (DENTRY_LINKED | DENTRY_HASHED));
    CHECK(umvfs_find(vfs, dir, umvfs_dentry_name(dentry), dentry->name_len) == dentry);
}

static void check_dir(struct umvfs *vfs, struct umvfs_dentry *dir, struct totals *totals,
                      unsigned depth)
{
    uint64_t count = 0;
    uint32_t subdirs = 0;
    uint64_t cookie = 0;
    struct umvfs_dentry *child;
    CHECK(depth < 5000);
    for (; (child = umvfs_dir_next(dir->inode, &cookie)); cookie++) {
        check_name(vfs, dir, child, cookie);
        check_inode(child->inode, totals);
        count++;
        if (umvfs_is_dir(child->inode)) {
            subdirs++;
            check_dir(vfs, child, totals, depth + 1);
        }
    }
    CHECK(count == dir->inode->u.dir.dir->count);
    CHECK(dir->inode->nlink == subdirs + 2);
    CHECK(dir->refs >= count + 1);
    totals->names += count;
}

void check_invariants(struct umvfs *vfs, size_t unnamed)
{
    uint64_t names = 0;
    for (struct umvfs_mount *mnt = vfs->first; mnt; mnt = mnt->next) {
        struct umvfs_sb *sb = mnt->sb;
        struct totals totals = {0};
        CHECK(mnt->refs > 0 && sb->mounts > 0);
        if (sb->ops || mnt->root != sb->root)
            continue;
        check_dir(vfs, sb->root, &totals, 0);
        names += totals.names;
        if (totals.shared == 0) {
            CHECK(sb->inodes >= totals.names + 1 && sb->inodes <= totals.names + 1 + unnamed);
            CHECK(unnamed || sb->pages == totals.pages);
        }
        CHECK(!sb->limits.max_inodes || sb->inodes <= sb->limits.max_inodes);
        CHECK(!sb->limits.max_pages || sb->pages <= sb->limits.max_pages);
        CHECK(!sb->limits.max_bytes || sb->bytes <= sb->limits.max_bytes);
    }
    CHECK(vfs->table.entries >= names);
}

size_t count_unnamed(const struct umvfs_path *place)
{
    size_t count = 0;
    for (const struct umvfs_dentry *at = place->dentry; at != at->parent; at = at->parent)
        count += !(at->flags & DENTRY_LINKED);
    return count;
}
