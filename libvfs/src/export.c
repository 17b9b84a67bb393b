#include "export.h"

#include "data.h"
#include "dcache.h"
#include "dir.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"
#include "radix.h"
#include "rw.h"
#include "walk.h"

bool umvfs_export_digits(char *dst, size_t width, unsigned base, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = width; i > 0; i--) {
        dst[i - 1u] = digits[value % base];
        value /= base;
    }
    return value == 0;
}

int umvfs_export_zeros(struct export *ex, size_t count)
{
    static const char zeros[512];
    while (count > 0) {
        size_t part = count < sizeof(zeros) ? count : sizeof(zeros);
        int err = ex->write(ex->ctx, zeros, part);
        if (err)
            return err;
        count -= part;
    }
    return 0;
}

int umvfs_export_contents(struct export *ex, const struct umvfs_inode *inode, size_t unit)
{
    char block[512];
    uint64_t at = 0;
    while (at < inode->size) {
        int64_t got = umvfs_data_read(inode, at, block, sizeof(block), &umvfs_copy_memory);
        int err = ex->write(ex->ctx, block, (size_t)got);
        if (err)
            return err;
        at += (uint64_t)got;
    }
    return umvfs_export_zeros(ex, (unit - (size_t)(at % unit)) % unit);
}

/* The name of a dentry relative to the top, written backwards and moved to the front. */
static int name_of(const struct export *ex, const struct umvfs_dentry *dentry, char *buf,
                   size_t *len)
{
    size_t left = UMVFS_PATH_MAX;
    for (; dentry != ex->top; dentry = dentry->parent) {
        if (dentry->name_len + 1u > left)
            return -UMVFS_ENAMETOOLONG;
        buf[--left] = '/';
        left -= dentry->name_len;
        memcpy(buf + left, umvfs_dentry_name(dentry), dentry->name_len);
    }
    if (left == UMVFS_PATH_MAX) {
        memcpy(buf, ".", 2);
        *len = 1;
        return 0;
    }
    *len = UMVFS_PATH_MAX - left - 1u;
    memmove(buf, buf + left, *len);
    buf[*len] = '\0';
    return 0;
}

/* Finds the first name of a file that has several, or makes this one the first. */
static int find_first(struct export *ex, struct umvfs_dentry *dentry,
                      const struct umvfs_dentry **first)
{
    const struct umvfs_inode *inode = dentry->inode;
    *first = NULL;
    if (umvfs_is_dir(inode) || inode->nlink < 2)
        return 0;
    *first = umvfs_radix_get(&ex->first, RADIX_DIR_BITS, inode->ino);
    if (*first)
        return 0;
    int err = umvfs_radix_reserve(ex->sb, &ex->first, RADIX_DIR_BITS, inode->ino);
    if (!err)
        umvfs_radix_set(&ex->first, RADIX_DIR_BITS, inode->ino, dentry);
    return err;
}

static int write_entry(struct export *ex, struct umvfs_dentry *dentry)
{
    const struct umvfs_inode *inode = dentry->inode;
    const struct umvfs_dentry *first;
    int err = name_of(ex, dentry, ex->name, &ex->name_len);
    if (!err)
        err = find_first(ex, dentry, &first);
    ex->link_len = 0;
    if (!err && first) {
        err = name_of(ex, first, ex->link, &ex->link_len);
    } else if (!err && umvfs_is_link(inode)) {
        ex->link_len = (size_t)inode->size;
        memcpy(ex->link, inode->u.link.target, ex->link_len + 1u);
    }
    if (err)
        return err;
    return ex->format == UMVFS_ARCHIVE_TAR ? umvfs_export_tar(ex, inode, first)
                                           : umvfs_export_cpio(ex, inode, first);
}

/* Pre-order, without recursion. */
static int write_tree(struct export *ex, struct umvfs_dentry *top)
{
    struct umvfs_dentry *dir = top;
    uint64_t cookie = 0;
    int err = write_entry(ex, top);
    while (!err) {
        struct umvfs_dentry *child = umvfs_dir_next(dir->inode, &cookie);
        if (child) {
            err = write_entry(ex, child);
            bool down = umvfs_is_dir(child->inode);
            dir = down ? child : dir;
            cookie = down ? 0 : cookie + 1u;
        } else if (dir != top) {
            cookie = dir->cookie + 1u;
            dir = dir->parent;
        } else {
            break;
        }
    }
    if (err)
        return err;
    return ex->format == UMVFS_ARCHIVE_TAR ? umvfs_export_tar_end(ex) : umvfs_export_cpio_end(ex);
}

static void free_table(struct export *ex)
{
    uint64_t ino = 0;
    while (umvfs_radix_next(&ex->first, RADIX_DIR_BITS, &ino))
        umvfs_radix_clear(ex->sb, &ex->first, RADIX_DIR_BITS, ino);
}

static int export_with_buffers(struct export *ex, struct umvfs_dentry *top)
{
    void *name;
    void *link;
    int err = umvfs_obj_alloc(ex->sb, UMVFS_OBJECT_MAX, &name);
    if (err)
        return err;
    err = umvfs_obj_alloc(ex->sb, UMVFS_OBJECT_MAX, &link);
    if (!err) {
        ex->name = name;
        ex->link = link;
        err = write_tree(ex, top);
        free_table(ex);
        umvfs_obj_free(ex->sb, link, UMVFS_OBJECT_MAX);
    }
    umvfs_obj_free(ex->sb, name, UMVFS_OBJECT_MAX);
    return err;
}

int umvfs_export(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 enum umvfs_archive_format format,
                 int (*write)(void *ctx, const void *data, size_t len), void *ctx)
{
    struct umvfs_walk w;
    if (format != UMVFS_ARCHIVE_CPIO && format != UMVFS_ARCHIVE_CPIO_CRC &&
        format != UMVFS_ARCHIVE_TAR)
        return -UMVFS_EINVAL;
    int err = umvfs_walk(&w, task, at, path, UMVFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    if (!umvfs_is_dir(w.dentry->inode))
        err = -UMVFS_ENOTDIR;
    if (!err)
        err = umvfs_permission(w.dentry->inode, task->cred, UMVFS_MAY_READ | UMVFS_MAY_EXEC);
    if (!err && umvfs_is_foreign(w.dentry->inode))
        err = -UMVFS_EOPNOTSUPP;
    if (!err) {
        struct export ex = {.vfs = task->vfs,
                            .sb = w.mnt->sb,
                            .top = w.dentry,
                            .format = format,
                            .write = write,
                            .ctx = ctx};
        err = export_with_buffers(&ex, w.dentry);
    }
    umvfs_walk_end(&w);
    return err;
}
