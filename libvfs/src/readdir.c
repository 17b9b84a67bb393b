#include <umvfs/file.h>

#include "dcache.h"
#include "dir.h"
#include "file_state.h"
#include "inode.h"

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
    if (emit_dots(file, emit, ctx))
        return 0;
    if (!umvfs_is_foreign(inode))
        return emit_entries(file, emit, ctx);
    if (!ops->readdir)
        return -UMVFS_EPERM;
    uint64_t cookie = file->offset;
    int err = ops->readdir(inode->sb->fs, inode->u.foreign.node, &cookie, emit, ctx);
    if (!err)
        file->offset = cookie;
    return err;
}
