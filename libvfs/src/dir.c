#include "dcache.h"

#include <umvfs/attr.h>

#include "inode.h"
#include "radix.h"
#include "memory.h"

int umvfs_dir_prepare(struct umvfs_inode *inode, const struct umvfs_name *name,
                      struct umvfs_dentry **out)
{
    struct umvfs_dir *dir = inode->u.dir.dir;
    struct umvfs_dentry *dentry;
    if (dir->next_cookie > DIR_COOKIE_MAX || dir->count == UINT32_MAX)
        return -UMVFS_ENOSPC;
    int err = umvfs_dentry_new(inode->sb, name->text, name->len, &dentry);
    if (err)
        return err;
    err = umvfs_radix_reserve(inode->sb, &dir->order, RADIX_DIR_BITS, dir->next_cookie);
    if (err) {
        umvfs_dentry_discard(inode->sb, dentry);
        return err;
    }
    dentry->hash = name->hash;
    *out = dentry;
    return 0;
}

void umvfs_dir_add(struct umvfs_dentry *parent, struct umvfs_dentry *dentry,
                   struct umvfs_inode *inode)
{
    struct umvfs_dir *dir = parent->inode->u.dir.dir;
    dentry->parent = parent;
    parent->refs++;
    dentry->inode = inode;
    dentry->cookie = dir->next_cookie & DIR_COOKIE_MAX;
    dentry->flags |= DENTRY_LINKED | (umvfs_is_link(inode) ? DENTRY_SYMLINK : 0u);
    umvfs_radix_set(&dir->order, RADIX_DIR_BITS, dir->next_cookie, dentry);
    dir->next_cookie++;
    dir->count++;
    umvfs_table_add(inode->sb->vfs, dentry);
}

void umvfs_dir_remove(struct umvfs_dentry *dentry)
{
    struct umvfs_inode *parent = dentry->parent->inode;
    struct umvfs_dir *dir = parent->u.dir.dir;
    umvfs_radix_clear(parent->sb, &dir->order, RADIX_DIR_BITS, dentry->cookie);
    dir->count--;
    umvfs_table_del(parent->sb->vfs, dentry);
    dentry->flags &= (uint8_t)~DENTRY_LINKED;
    dentry->flags |= DENTRY_DEAD;
    umvfs_dentry_drop(dentry);
}

struct umvfs_dentry *umvfs_dir_next(const struct umvfs_inode *dir, uint64_t *cookie)
{
    return umvfs_radix_next(&dir->u.dir.dir->order, RADIX_DIR_BITS, cookie);
}

/* Takes one entry without children out of the tree. */
static void bury(struct umvfs_dentry *dentry)
{
    struct umvfs_inode *inode = dentry->inode;
    if (umvfs_is_dir(inode)) {
        inode->nlink = 0;
        inode->flags |= INODE_DEAD;
        dentry->parent->inode->nlink--;
    } else {
        inode->nlink--;
    }
    umvfs_dir_remove(dentry);
}

bool umvfs_dir_empty(struct umvfs_dentry *root, size_t *budget)
{
    struct umvfs_dentry *at = root;
    for (; *budget > 0; --*budget) {
        uint64_t cookie = 0;
        struct umvfs_dentry *child = umvfs_dir_next(at->inode, &cookie);
        if (child && umvfs_is_dir(child->inode) && !umvfs_dir_is_empty(child->inode)) {
            at = child;
        } else if (child) {
            bury(child);
        } else if (at != root) {
            at = at->parent;
        } else {
            return true;
        }
    }
    return false;
}

/* Cookies: 0 is the start, 1 after ".", 2 after "..", then entry cookies; the offset is the cookie
 * of the next entry to be looked at. */
static int emit_dots(struct umvfs_file *file, umvfs_emit emit, void *ctx)
{
    const struct umvfs_dentry *dentry = file->path.dentry;
    if (file->offset == 0) {
        if (emit(ctx, ".", 1, dentry->inode->ino, UMVFS_DT_OF(UMVFS_S_IFDIR), 1))
            return 1;
        file->offset = 1;
    }
    if (file->offset == 1) {
        if (emit(ctx, "..", 2, dentry->parent->inode->ino, UMVFS_DT_OF(UMVFS_S_IFDIR),
                 DIR_COOKIE_FIRST))
            return 1;
        file->offset = DIR_COOKIE_FIRST;
    }
    return 0;
}

/* A listing from the start takes a note of where the directory ends; so does a first one from
 * elsewhere. Entries that are made later are not listed, so that every listing ends. */
static void set_end(struct umvfs_file *file)
{
    if (file->offset == 0 || file->end_cookie == 0)
        file->end_cookie = file->inode->u.dir.dir->next_cookie;
}

static int emit_entries(struct umvfs_file *file, umvfs_emit emit, void *ctx)
{
    for (;;) {
        uint64_t cookie = file->offset;
        struct umvfs_dentry *entry = umvfs_dir_next(file->inode, &cookie);
        if (!entry || cookie >= file->end_cookie)
            return 0;
        if (emit(ctx, umvfs_dentry_name(entry), entry->name_len, entry->inode->ino,
                 UMVFS_DT_OF(entry->inode->mode), cookie + 1u))
            return 0;
        file->offset = cookie + 1u;
    }
}

static int emit_nothing(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                        uint64_t next)
{
    (void)ctx, (void)name, (void)len, (void)ino, (void)type, (void)next;
    return 1;
}

/* A foreign directory that has gone has no "." either. */
static int check_foreign(struct umvfs_inode *inode)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    uint64_t end = UINT64_MAX;
    return ops->readdir
               ? ops->readdir(inode->sb->fs, inode->u.foreign.node, &end, emit_nothing, NULL)
               : 0;
}

int umvfs_readdir(struct umvfs_file *file, umvfs_emit emit, void *ctx)
{
    struct umvfs_inode *inode = file->inode;
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (file->state & FILE_PATH)
        return -UMVFS_EBADF;
    if (!umvfs_is_dir(inode))
        return -UMVFS_ENOTDIR;
    if (inode->flags & INODE_DEAD || !(file->path.dentry->flags & DENTRY_LINKED))
        return -UMVFS_ENOENT;
    if (!umvfs_is_foreign(inode))
        set_end(file);
    umvfs_file_accessed(file); /* even if the first entry finds no room */
    int err = umvfs_is_foreign(inode) && file->offset == 0 ? check_foreign(inode) : 0;
    if (err)
        return err;
    if (emit_dots(file, emit, ctx))
        return 0;
    if (!umvfs_is_foreign(inode))
        return emit_entries(file, emit, ctx);
    if (!ops->readdir)
        return -UMVFS_EPERM;
    uint64_t cookie = file->offset;
    err = ops->readdir(inode->sb->fs, inode->u.foreign.node, &cookie, emit, ctx);
    if (!err)
        file->offset = cookie;
    return err;
}

struct one_name {
    char *text;
    size_t len;
    uint64_t next; /* 0: nothing was listed */
};

static int take_one(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                    uint64_t next)
{
    struct one_name *one = ctx;
    (void)ino;
    (void)type;
    if (one->next != 0)
        return 1;
    one->len = len;
    one->next = next;
    if (len <= UMVFS_NAME_MAX) {
        memcpy(one->text, name, len);
        one->text[len] = '\0';
    }
    return 0;
}

/* A place and attributes for a name that was listed. */
static int find_entry(const struct umvfs_task *task, const struct umvfs_file *file,
                      struct umvfs_entry *out)
{
    struct umvfs_path place;
    if (out->len > UMVFS_NAME_MAX)
        return -UMVFS_ENAMETOOLONG;
    int err = umvfs_lookup(task, &file->path, out->name, UMVFS_AT_SYMLINK_NOFOLLOW, 0, &place);
    if (err)
        return err;
    err = umvfs_inode_stat(place.dentry->inode, &out->stat);
    if (err)
        umvfs_path_put(&place);
    else
        out->place = place;
    return err;
}

int umvfs_next_entry(const struct umvfs_task *task, struct umvfs_file *file, char *name,
                     struct umvfs_entry *out)
{
    for (;;) {
        uint64_t offset = file->offset;
        struct one_name one = {.text = name};
        int err = umvfs_readdir(file, take_one, &one);
        if (err || one.next == 0)
            return err;
        out->name = name;
        out->len = one.len;
        out->next = one.next;
        err = find_entry(task, file, out);
        if (!err)
            return 1;
        if (err != -UMVFS_ENOENT) {
            file->offset = offset;
            return err;
        }
    }
}

int umvfs_readdir_stat(const struct umvfs_task *task, struct umvfs_file *file,
                       umvfs_emit_entry emit, void *ctx)
{
    char name[UMVFS_NAME_MAX + 1u];
    struct umvfs_entry entry;
    for (;;) {
        uint64_t offset = file->offset;
        int got = umvfs_next_entry(task, file, name, &entry);
        if (got <= 0)
            return got;
        int stop = emit(ctx, &entry);
        umvfs_path_put(&entry.place);
        if (stop) {
            file->offset = offset;
            return 0;
        }
    }
}
