/* What Linux makes of the entries of an initramfs: do_name() and do_symlink() of its
 * init/initramfs.c by the library's own calls, in the same order; except that most names are free, so
 * what is there is looked for after an entry could not be made. The task's root is the target. */
#include "import.h"

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "create.h"
#include "dcache.h"
#include "inode.h"
#include "memory.h"

#define NUMBER_DIGITS 32u /* inode, device and type, eight digits each */

/* Linux takes an empty name for the root. */
static const char *name_of(const struct umvfs_import *imp)
{
    return imp->entry.name_len ? imp->entry.name : ".";
}

static enum umvfs_archive_reason reason_of(int err)
{
    switch (err) {
    case -UMVFS_ENOENT:
        return UMVFS_ARCHIVE_NO_PARENT;
    case -UMVFS_ENOTDIR:
        return UMVFS_ARCHIVE_NOT_DIRECTORY;
    case -UMVFS_ENAMETOOLONG:
        return UMVFS_ARCHIVE_BAD_NAME;
    case -UMVFS_EEXIST:
    case -UMVFS_EISDIR:
        return UMVFS_ARCHIVE_CONFLICT;
    default:
        return UMVFS_ARCHIVE_REFUSED;
    }
}

static bool is_lack_of_room(int err)
{
    return err == -UMVFS_ENOSPC || err == -UMVFS_ENOMEM;
}

/* Whether an entry could not be made for what may be there already. */
static bool may_be_taken(int err)
{
    return err && !is_lack_of_room(err);
}

/* What cannot be made is skipped, but not for lack of room. */
static int skip(struct umvfs_import *imp, int err)
{
    if (is_lack_of_room(err))
        return umvfs_import_fail_with(imp, UMVFS_ARCHIVE_NO_SPACE, err);
    return umvfs_import_warn(imp, reason_of(err), err);
}

void umvfs_initramfs_clear(const struct umvfs_import *imp, uint32_t mode)
{
    const char *name = name_of(imp);
    struct umvfs_stat st;
    if (umvfs_stat(&imp->task, NULL, name, UMVFS_AT_SYMLINK_NOFOLLOW, &st) ||
        !((st.mode ^ mode) & UMVFS_S_IFMT))
        return;
    if (UMVFS_S_ISDIR(st.mode))
        (void)umvfs_rmdir(&imp->task, NULL, name);
    else
        (void)umvfs_unlink(&imp->task, NULL, name);
}

static void set_owner(const struct umvfs_import *imp, const struct umvfs_path *path)
{
    const struct import_entry *e = &imp->entry;
    if (!imp->options.owner_is_task)
        (void)umvfs_chown(&imp->task, path, "", e->uid, e->gid, UMVFS_AT_EMPTY_PATH);
}

static int set_mode(const struct umvfs_import *imp, const struct umvfs_path *path)
{
    return umvfs_chmod(&imp->task, path, "", imp->entry.mode & UMVFS_S_IALL, UMVFS_AT_EMPTY_PATH);
}

static void set_times(const struct umvfs_import *imp, const struct umvfs_path *path,
                      struct umvfs_time time)
{
    const struct umvfs_time times[2] = {time, time};
    (void)umvfs_utimens(&imp->task, path, "", times, UMVFS_AT_EMPTY_PATH);
}

static void print_digits(char *dst, uint32_t value)
{
    for (unsigned i = 0; i < 8; i++)
        dst[i] = "0123456789abcdef"[value >> (28u - 4u * i) & 15u];
}

/* Remembers the entry's name under its number. */
static int remember(struct umvfs_import *imp, const char *number)
{
    struct umvfs_name key = umvfs_name_of(imp->links, number, NUMBER_DIGITS);
    struct umvfs_inode *inode;
    struct umvfs_dentry *dentry;
    void *target = NULL;
    int err = umvfs_inode_new(imp->sb, UMVFS_S_IFLNK | 0777u, &inode);
    if (err)
        return err;
    err = umvfs_obj_alloc(imp->sb, imp->entry.name_len + 1u, &target);
    if (!err) {
        memcpy(target, imp->entry.name, imp->entry.name_len + 1u);
        inode->u.link.target = target;
        inode->size = imp->entry.name_len;
        err = umvfs_dir_prepare(imp->links->inode, &key, &dentry);
    }
    if (err) {
        umvfs_inode_drop(inode);
        return err;
    }
    inode->nlink = 1;
    umvfs_dir_add(imp->links, dentry, inode);
    return 0;
}

/* The first entry of a number is made and remembered; later ones become links to its name. Sets
 * *linked if that was done. */
static int link_numbered(struct umvfs_import *imp, bool *linked)
{
    char number[NUMBER_DIGITS];
    *linked = false;
    if (imp->cpio.nlink < 2)
        return 0;
    print_digits(number, imp->cpio.ino);
    print_digits(number + 8, imp->cpio.major);
    print_digits(number + 16, imp->cpio.minor);
    print_digits(number + 24, imp->entry.mode & UMVFS_S_IFMT);
    const struct umvfs_dentry *known = umvfs_find(imp->task.vfs, imp->links, number, NUMBER_DIGITS);
    if (!known)
        return remember(imp, number);
    const char *old = known->inode->size ? known->inode->u.link.target : ".";
    umvfs_initramfs_clear(imp, 0);
    int err = umvfs_link(&imp->task, NULL, old, NULL, name_of(imp), 0);
    *linked = !err;
    return err;
}

/* Opens a regular file of the library's own, or makes it. What it makes on a file system of the embedder's stays,
 * empty, and is not opened either. */
static int open_with(const struct umvfs_import *imp, uint32_t flags, struct umvfs_file *out)
{
    int err =
        umvfs_open(&imp->task, NULL, name_of(imp), flags | UMVFS_O_WRONLY, imp->entry.mode, 0, out);
    if (!err && (!UMVFS_S_ISREG(out->inode->mode) || umvfs_is_foreign(out->inode))) {
        umvfs_close(out);
        err = -UMVFS_EOPNOTSUPP;
    }
    return err;
}

/* Not by one call with UMVFS_O_CREAT: that may refuse a file which exists in a sticky directory. */
static int open_file(const struct umvfs_import *imp, uint32_t flags, struct umvfs_file *out)
{
    int err = open_with(imp, flags, out);
    return err == -UMVFS_ENOENT ? open_with(imp, flags | UMVFS_O_CREAT, out) : err;
}

/* Where something may be already. */
static int replace_file(struct umvfs_import *imp, struct umvfs_file *out)
{
    bool linked;
    umvfs_initramfs_clear(imp, imp->entry.mode);
    int err = link_numbered(imp, &linked);
    return err ? err : open_file(imp, linked ? 0 : UMVFS_O_TRUNC, out);
}

int umvfs_initramfs_file(struct umvfs_import *imp)
{
    const struct import_entry *e = &imp->entry;
    struct umvfs_file file;
    int err = -UMVFS_EEXIST;
    if (imp->cpio.nlink < 2)
        err = open_with(imp, UMVFS_O_CREAT | UMVFS_O_EXCL, &file);
    if (may_be_taken(err))
        err = replace_file(imp, &file);
    if (err)
        return skip(imp, err);
    set_owner(imp, &file.path);
    (void)set_mode(imp, &file.path);
    if (e->size > 0)
        err = umvfs_file_truncate_as(&file, imp->task.cred, e->size);
    if (!err) {
        file.inode->refs++;
        imp->file = file.inode;
        imp->file_at = 0;
    }
    umvfs_close(&file);
    return err ? skip(imp, err) : 0;
}

void umvfs_initramfs_file_done(struct umvfs_import *imp)
{
    umvfs_touch_ctime(imp->file);
    umvfs_set_atime(imp->file, imp->entry.mtime);
    umvfs_set_mtime(imp->file, imp->entry.mtime);
    umvfs_import_file_done(imp);
}

/* Later entries change the directory's times, so they are set again at the end. */
static int remember_times(struct umvfs_import *imp)
{
    void *mem;
    int err = umvfs_obj_alloc(imp->sb, sizeof(struct dir_times), &mem);
    if (err)
        return err;
    struct dir_times *times = mem;
    *times = (struct dir_times){
        .next = imp->dir_times, .mtime = imp->entry.mtime, .name_len = imp->entry.name_len};
    err = umvfs_obj_alloc(imp->sb, times->name_len + 1u, &mem);
    if (err) {
        umvfs_obj_free(imp->sb, times, sizeof(*times));
        return err;
    }
    times->name = mem;
    memcpy(times->name, imp->entry.name, times->name_len + 1u);
    imp->dir_times = times;
    return 0;
}

int umvfs_initramfs_dir(struct umvfs_import *imp)
{
    const struct import_entry *e = &imp->entry;
    const char *name = name_of(imp);
    int err = umvfs_mkdir(&imp->task, NULL, name, e->mode & UMVFS_S_IALL);
    if (may_be_taken(err)) {
        umvfs_initramfs_clear(imp, e->mode);
        err = umvfs_mkdir(&imp->task, NULL, name, e->mode & UMVFS_S_IALL);
    }
    struct umvfs_path path;
    int attributes = umvfs_lookup(&imp->task, NULL, name, 0, 0, &path);
    if (!attributes) {
        set_owner(imp, &path);
        attributes = set_mode(imp, &path);
        umvfs_path_put(&path);
    }
    if (err && (err != -UMVFS_EEXIST || attributes))
        err = skip(imp, err);
    else
        err = 0;
    if (err)
        return err;
    err = remember_times(imp);
    return err ? umvfs_import_fail_with(imp, UMVFS_ARCHIVE_NO_SPACE, err) : 0;
}

/* Whether what is there is of the entry's type, as a node that stays. */
static bool is_there(const struct umvfs_import *imp)
{
    struct umvfs_stat st;
    return !umvfs_stat(&imp->task, NULL, name_of(imp), UMVFS_AT_SYMLINK_NOFOLLOW, &st) &&
           !((st.mode ^ imp->entry.mode) & UMVFS_S_IFMT);
}

int umvfs_initramfs_node(struct umvfs_import *imp)
{
    const struct import_entry *e = &imp->entry;
    const char *name = name_of(imp);
    bool linked;
    if (imp->options.no_devices && (UMVFS_S_ISCHR(e->mode) || UMVFS_S_ISBLK(e->mode)))
        return umvfs_import_warn(imp, UMVFS_ARCHIVE_BAD_TYPE, -UMVFS_EPERM);
    umvfs_initramfs_clear(imp, e->mode);
    int err = link_numbered(imp, &linked);
    if (err || linked)
        return err ? skip(imp, err) : 0;
    err = umvfs_mknod(&imp->task, NULL, name, e->mode, e->rdev);
    struct umvfs_path path;
    if (!umvfs_lookup(&imp->task, NULL, name, 0, 0, &path)) {
        set_owner(imp, &path);
        (void)set_mode(imp, &path);
        set_times(imp, &path, e->mtime);
        umvfs_path_put(&path);
    }
    return err && !(err == -UMVFS_EEXIST && is_there(imp)) ? skip(imp, err) : 0;
}

/* Linux does not look at the target's length as symlink() does: it may be empty. */
static int make_link(const struct umvfs_import *imp, const char *name)
{
    return umvfs_symlink_to(&imp->task, imp->entry.link, imp->entry.link_len, NULL, name);
}

int umvfs_initramfs_symlink(struct umvfs_import *imp)
{
    const char *name = name_of(imp);
    int err = make_link(imp, name);
    if (may_be_taken(err)) {
        umvfs_initramfs_clear(imp, 0);
        err = make_link(imp, name);
    }
    struct umvfs_path path;
    if (!umvfs_lookup(&imp->task, NULL, name, UMVFS_AT_SYMLINK_NOFOLLOW, 0, &path)) {
        set_owner(imp, &path);
        set_times(imp, &path, imp->entry.mtime);
        umvfs_path_put(&path);
    }
    if (err && imp->entry.link_len >= UMVFS_PATH_MAX)
        return umvfs_import_warn(imp, UMVFS_ARCHIVE_BAD_LINK, err);
    return err ? skip(imp, err) : 0;
}

/* From the last directory to the first, as Linux: of several times of one name the first counts. */
void umvfs_initramfs_end(struct umvfs_import *imp, bool set)
{
    while (imp->dir_times) {
        struct dir_times *times = imp->dir_times;
        const char *name = times->name_len ? times->name : ".";
        struct umvfs_path path;
        if (set && !umvfs_lookup(&imp->task, NULL, name, UMVFS_AT_SYMLINK_NOFOLLOW, 0, &path)) {
            set_times(imp, &path, times->mtime);
            umvfs_path_put(&path);
        }
        imp->dir_times = times->next;
        umvfs_obj_free(imp->sb, times->name, times->name_len + 1u);
        umvfs_obj_free(imp->sb, times, sizeof(*times));
    }
}
