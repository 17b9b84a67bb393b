#include <vfs/file.h>

#include "create.h"
#include "data.h"
#include "dcache.h"
#include "file_state.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"

#define O_TMPFILE_BIT (VFS_O_TMPFILE & ~VFS_O_DIRECTORY)

struct opening {
    struct vfs_walk walk;
    uint32_t flags;
    uint32_t mode;
    uint32_t mask; /* VFS_MAY_* that the flags ask for */
    bool created;
};

static int check_flags(struct opening *o, uint32_t flags, uint32_t mode)
{
    static const uint8_t masks[4] = {VFS_MAY_READ, VFS_MAY_WRITE, VFS_MAY_READ | VFS_MAY_WRITE,
                                     VFS_MAY_READ | VFS_MAY_WRITE};
    if (flags & VFS_O_PATH)
        flags &= VFS_O_PATH | VFS_O_DIRECTORY | VFS_O_NOFOLLOW | VFS_O_CLOEXEC;
    if ((flags & (VFS_O_CREAT | VFS_O_DIRECTORY)) == (VFS_O_CREAT | VFS_O_DIRECTORY))
        return -VFS_EINVAL;
    o->mask = flags & VFS_O_PATH ? 0 : masks[flags & VFS_O_ACCMODE];
    if (flags & O_TMPFILE_BIT && (!(flags & VFS_O_DIRECTORY) || !(o->mask & VFS_MAY_WRITE)))
        return -VFS_EINVAL;
    if (flags & VFS_O_TRUNC)
        o->mask |= VFS_MAY_WRITE;
    if ((flags & (VFS_O_CREAT | VFS_O_EXCL)) == (VFS_O_CREAT | VFS_O_EXCL))
        flags |= VFS_O_NOFOLLOW;
    o->flags = flags;
    o->mode = VFS_S_IFREG | (mode & VFS_S_IALL);
    o->created = false;
    return 0;
}

/* The last name does not exist: makes it. */
static int create_last(struct opening *o)
{
    struct vfs_walk *w = &o->walk;
    struct vfs_new_object what = {.mode = o->mode};
    struct vfs_dentry *dentry;
    int err = vfs_mount_writable(w->mnt);
    if (!err)
        err = vfs_may_create(w->dentry->inode, w->task->cred);
    if (!err)
        err = vfs_make(w, &what, &dentry);
    if (err)
        return err;
    w->dentry = dentry;
    o->created = true;
    return 0;
}

/* What exists may not be what O_CREAT wanted. */
static int check_existing(const struct opening *o, const struct vfs_dentry *dir)
{
    const struct vfs_inode *inode = o->walk.dentry->inode;
    if (o->flags & VFS_O_EXCL)
        return -VFS_EEXIST;
    if (vfs_is_dir(inode))
        return -VFS_EISDIR;
    return vfs_may_open_sticky(dir->inode, inode, o->walk.task->cred);
}

/* Resolves for O_CREAT: the last component may be missing, also at the end of symbolic links. */
static int resolve_create(struct opening *o)
{
    struct vfs_walk *w = &o->walk;
    for (;;) {
        struct vfs_mount *mnt = w->mnt;
        struct vfs_dentry *dir = w->dentry;
        struct vfs_dentry *child;
        if (w->last_type != WALK_NAME) {
            int err = vfs_walk_last(w, true);
            return err ? err : check_existing(o, w->dentry);
        }
        if (w->must_be_dir)
            return -VFS_EISDIR;
        int err = vfs_walk_child(w, &child);
        if (err == -VFS_ENOENT)
            return create_last(o);
        if (!err)
            err = vfs_walk_onto(w, child);
        if (err)
            return err;
        if (!vfs_is_link(w->dentry->inode) || o->flags & VFS_O_NOFOLLOW)
            return check_existing(o, dir);
        err = vfs_walk_follow(w, mnt, dir);
        if (err)
            return err;
    }
}

static int check_type(const struct opening *o)
{
    const struct vfs_inode *inode = o->walk.dentry->inode;
    switch (inode->mode & VFS_S_IFMT) {
    case VFS_S_IFLNK:
        return -VFS_ELOOP;
    case VFS_S_IFDIR:
        return o->mask & VFS_MAY_WRITE ? -VFS_EISDIR : 0;
    case VFS_S_IFCHR:
    case VFS_S_IFBLK:
        return o->walk.mnt->flags & VFS_MS_NODEV ? -VFS_EACCES : 0;
    default:
        return 0;
    }
}

/* May the task open what the walk has reached? */
static int check_open(const struct opening *o)
{
    const struct vfs_walk *w = &o->walk;
    const struct vfs_inode *inode = w->dentry->inode;
    bool special = !VFS_S_ISREG(inode->mode) && !vfs_is_dir(inode);
    if (o->flags & VFS_O_DIRECTORY && !vfs_is_dir(inode))
        return -VFS_ENOTDIR;
    if (o->flags & VFS_O_PATH)
        return 0;
    int err = check_type(o);
    if (!err && !o->created)
        err = vfs_permission(inode, w->task->cred, o->mask);
    if (err)
        return err;
    if (o->flags & VFS_O_NOATIME && !vfs_owns(inode, w->task->cred))
        return -VFS_EPERM;
    if (VFS_S_ISSOCK(inode->mode))
        return -VFS_ENXIO;
    if (o->mask & VFS_MAY_WRITE && !special && inode->writers < 0)
        return -VFS_ETXTBSY;
    return o->mask & VFS_MAY_WRITE && !special ? vfs_mount_writable(w->mnt) : 0;
}

static uint32_t state_of(const struct opening *o)
{
    static const uint8_t rights[4] = {FILE_READ, FILE_WRITE, FILE_READ | FILE_WRITE, 0};
    if (o->flags & VFS_O_PATH)
        return FILE_PATH;
    return rights[o->flags & VFS_O_ACCMODE];
}

static int open_foreign(struct vfs_file *file)
{
    const struct vfs_fs_ops *ops = vfs_ops(file->inode);
    if (!ops || !ops->open || file->state & FILE_PATH)
        return 0;
    int err = ops->open(file->inode->sb->fs, file->inode->u.foreign.node, file);
    if (!err)
        file->state |= FILE_OPENED;
    return err;
}

static int truncate_opened(const struct opening *o, struct vfs_inode *inode)
{
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (!(o->flags & VFS_O_TRUNC) || o->created || !VFS_S_ISREG(inode->mode))
        return 0;
    if (vfs_is_foreign(inode)) {
        struct vfs_setattr attr = {.mask = VFS_ATTR_SIZE};
        return ops->setattr ? ops->setattr(inode->sb->fs, inode->u.foreign.node, &attr) : 0;
    }
    vfs_data_resize(inode, 0);
    vfs_drop_privileges(inode, o->walk.task->cred);
    vfs_touch_mtime(inode);
    return 0;
}

/* The commit: nothing fails any more, except what a foreign file system says. */
static int finish(struct opening *o, struct vfs_file *out)
{
    struct vfs_walk *w = &o->walk;
    struct vfs_file file = {.flags = o->flags, .state = state_of(o)};
    file.inode = w->dentry->inode;
    file.path = (struct vfs_path){w->mnt, w->dentry};
    int err = truncate_opened(o, file.inode);
    if (!err)
        err = open_foreign(&file);
    if (err)
        return err;
    vfs_walk_take(w, &file.path);
    if (file.state & FILE_WRITE && VFS_S_ISREG(file.inode->mode)) {
        file.inode->writers++;
        file.path.mnt->writers++;
        file.state |= FILE_WRITER;
    }
    *out = file;
    return 0;
}

/* An inode without a name: its dentry is dead from the start. */
static int make_tmpfile(struct opening *o)
{
    struct vfs_walk *w = &o->walk;
    struct vfs_dentry *dir = w->dentry;
    struct vfs_new_object what = {.mode = o->mode};
    struct vfs_inode *inode;
    struct vfs_dentry *dentry;
    int err = vfs_mount_writable(w->mnt);
    if (!err)
        err = vfs_permission(dir->inode, w->task->cred, VFS_MAY_WRITE | VFS_MAY_EXEC);
    if (!err && vfs_is_foreign(dir->inode))
        err = -VFS_EOPNOTSUPP;
    if (err)
        return err;
    err = vfs_dentry_new(dir->inode->sb, "#tmpfile", 8, &dentry);
    if (err)
        return err;
    err = vfs_new_inode_in(dir->inode, w->task, &what, &inode);
    if (err) {
        vfs_dentry_discard(dir->inode->sb, dentry);
        return err;
    }
    if (!(o->flags & VFS_O_EXCL))
        inode->flags |= INODE_LINKABLE;
    dentry->flags = DENTRY_DEAD;
    dentry->inode = inode;
    dentry->parent = dir;
    dir->refs++;
    w->mnt->refs++;
    if (w->held.mnt)
        vfs_place_drop(w->held.mnt, w->held.dentry);
    w->held = (struct vfs_path){w->mnt, dentry};
    w->dentry = dentry;
    o->created = true;
    return 0;
}

static int open_walked(struct opening *o, struct vfs_file *out)
{
    int err = vfs_walk_parent(&o->walk);
    if (err)
        return err;
    if (o->flags & O_TMPFILE_BIT) {
        err = vfs_walk_last(&o->walk, !(o->flags & VFS_O_NOFOLLOW));
        if (!err && !vfs_is_dir(o->walk.dentry->inode))
            err = -VFS_ENOTDIR;
        if (!err)
            err = make_tmpfile(o);
        return err ? err : finish(o, out);
    }
    if (o->flags & VFS_O_CREAT)
        err = resolve_create(o);
    else
        err = vfs_walk_last(&o->walk, !(o->flags & VFS_O_NOFOLLOW));
    if (!err)
        err = check_open(o);
    return err ? err : finish(o, out);
}

/* VFS_O_EMPTY_PATH: there is nothing to resolve. */
static int open_place(struct opening *o, const struct vfs_task *task, const struct vfs_path *at,
                      struct vfs_file *out)
{
    if (o->flags & (VFS_O_CREAT | O_TMPFILE_BIT))
        return -VFS_EINVAL;
    int err = vfs_walk(&o->walk, task, at, "", VFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    err = check_open(o);
    if (!err)
        err = finish(o, out);
    vfs_walk_end(&o->walk);
    return err;
}

int vfs_open(const struct vfs_task *task, const struct vfs_path *at, const char *path,
             uint32_t flags, uint32_t mode, unsigned resolve, struct vfs_file *out)
{
    struct opening o;
    int err = check_flags(&o, flags, mode);
    if (err)
        return err;
    if (flags & VFS_O_EMPTY_PATH && path[0] == '\0')
        return open_place(&o, task, at, out);
    err = vfs_walk_init(&o.walk, task, at, path, 0, resolve);
    if (err)
        return err;
    err = open_walked(&o, out);
    vfs_walk_end(&o.walk);
    return err;
}

static int check_exec(const struct vfs_walk *w)
{
    const struct vfs_inode *inode = w->dentry->inode;
    if (vfs_is_link(inode))
        return -VFS_ELOOP;
    if (!VFS_S_ISREG(inode->mode) || w->mnt->flags & VFS_MS_NOEXEC)
        return -VFS_EACCES;
    int err = vfs_permission(inode, w->task->cred, VFS_MAY_EXEC);
    if (err)
        return err;
    return inode->writers > 0 ? -VFS_ETXTBSY : 0;
}

int vfs_open_exec(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                  unsigned flags, struct vfs_file *out)
{
    struct vfs_walk w;
    int err = vfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    err = check_exec(&w);
    struct vfs_file file = {.inode = w.dentry->inode, .state = FILE_READ | FILE_EXEC};
    if (!err)
        err = open_foreign(&file);
    if (!err) {
        vfs_walk_take(&w, &file.path);
        file.inode->writers--;
        *out = file;
    }
    vfs_walk_end(&w);
    return err;
}

void vfs_close(struct vfs_file *file)
{
    struct vfs_inode *inode = file->inode;
    if (!inode)
        return;
    const struct vfs_fs_ops *ops = vfs_ops(inode);
    if (file->state & FILE_OPENED && ops->release)
        ops->release(inode->sb->fs, inode->u.foreign.node, file);
    if (file->state & FILE_WRITER) {
        inode->writers--;
        file->path.mnt->writers--;
    }
    if (file->state & FILE_EXEC)
        inode->writers++;
    vfs_path_put(&file->path);
    *file = (struct vfs_file){0};
}

int vfs_reopen(const struct vfs_file *file, struct vfs_file *out)
{
    struct vfs_file copy = {.inode = file->inode, .flags = file->flags};
    copy.state = file->state & ~(FILE_OPENED);
    copy.path = file->path;
    int err = open_foreign(&copy);
    if (err)
        return err;
    copy.path = vfs_path_get(&file->path);
    if (copy.state & FILE_WRITER) {
        copy.inode->writers++;
        copy.path.mnt->writers++;
    }
    if (copy.state & FILE_EXEC)
        copy.inode->writers--;
    *out = copy;
    return 0;
}

int vfs_deny_write(struct vfs_inode *inode)
{
    if (inode->writers > 0)
        return -VFS_ETXTBSY;
    inode->writers--;
    return 0;
}

void vfs_allow_write(struct vfs_inode *inode)
{
    inode->writers++;
}
