#include <umvfs/file.h>

#include "create.h"
#include "data.h"
#include "dcache.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"
#include "tell.h"

#define O_TMPFILE_BIT (UMVFS_O_TMPFILE & ~UMVFS_O_DIRECTORY)

struct opening {
    struct umvfs_walk walk;
    uint32_t flags;
    uint32_t mode;
    uint32_t mask; /* UMVFS_MAY_* that the flags ask for */
    bool follows;  /* a link that the path ends with */
    bool created;
};

static int check_flags(struct opening *o, uint32_t flags, uint32_t mode)
{
    static const uint8_t masks[4] = {UMVFS_MAY_READ, UMVFS_MAY_WRITE,
                                     UMVFS_MAY_READ | UMVFS_MAY_WRITE,
                                     UMVFS_MAY_READ | UMVFS_MAY_WRITE};
    if (flags & UMVFS_O_PATH)
        flags &= UMVFS_O_PATH | UMVFS_O_DIRECTORY | UMVFS_O_NOFOLLOW | UMVFS_O_CLOEXEC;
    if ((flags & (UMVFS_O_CREAT | UMVFS_O_DIRECTORY)) == (UMVFS_O_CREAT | UMVFS_O_DIRECTORY))
        return -UMVFS_EINVAL;
    o->mask = flags & UMVFS_O_PATH ? 0 : masks[flags & UMVFS_O_ACCMODE];
    if (flags & O_TMPFILE_BIT && (!(flags & UMVFS_O_DIRECTORY) || !(o->mask & UMVFS_MAY_WRITE)))
        return -UMVFS_EINVAL;
    if (flags & UMVFS_O_TRUNC)
        o->mask |= UMVFS_MAY_WRITE;
    o->follows = !(flags & UMVFS_O_NOFOLLOW) &&
                 (flags & (UMVFS_O_CREAT | UMVFS_O_EXCL)) != (UMVFS_O_CREAT | UMVFS_O_EXCL);
    o->flags = flags;
    o->mode = UMVFS_S_IFREG | (mode & UMVFS_S_IALL);
    o->created = false;
    return 0;
}

/* The last name does not exist: makes it. */
static int create_last(struct opening *o)
{
    struct umvfs_walk *w = &o->walk;
    struct umvfs_new_object what = {.mode = o->mode};
    struct umvfs_dentry *dentry;
    int err = umvfs_mount_writable(w->mnt);
    if (!err)
        err = umvfs_may_create(w->dentry->inode, w->task->cred);
    if (!err)
        err = umvfs_make(w, &what, &dentry);
    if (err)
        return err;
    w->dentry = dentry;
    o->created = true;
    return 0;
}

/* What exists may not be what O_CREAT wanted. */
static int check_existing(const struct opening *o, const struct umvfs_dentry *dir)
{
    const struct umvfs_inode *inode = o->walk.dentry->inode;
    if (o->flags & UMVFS_O_EXCL)
        return -UMVFS_EEXIST;
    if (umvfs_is_dir(inode))
        return -UMVFS_EISDIR;
    return umvfs_may_open_sticky(dir->inode, inode, o->walk.task->cred);
}

/* Resolves for O_CREAT: the last component may be missing, also at the end of symbolic links. */
static int resolve_create(struct opening *o)
{
    struct umvfs_walk *w = &o->walk;
    for (;;) {
        struct umvfs_mount *mnt = w->mnt;
        struct umvfs_dentry *dir = w->dentry;
        struct umvfs_dentry *child;
        if (w->last_type != WALK_NAME) {
            int err = umvfs_walk_last(w, true);
            return err ? err : check_existing(o, w->dentry);
        }
        if (w->must_be_dir)
            return -UMVFS_EISDIR;
        int err = umvfs_walk_child(w, &child);
        if (err == -UMVFS_ENOENT)
            return create_last(o);
        if (!err)
            err = umvfs_walk_onto(w, child);
        if (err)
            return err;
        if (!umvfs_is_link(w->dentry->inode) || !o->follows)
            return check_existing(o, dir);
        err = umvfs_walk_follow(w, mnt, dir);
        if (err)
            return err;
    }
}

static int check_type(const struct opening *o)
{
    const struct umvfs_inode *inode = o->walk.dentry->inode;
    switch (inode->mode & UMVFS_S_IFMT) {
    case UMVFS_S_IFLNK:
        return -UMVFS_ELOOP;
    case UMVFS_S_IFDIR:
        return o->mask & UMVFS_MAY_WRITE ? -UMVFS_EISDIR : 0;
    case UMVFS_S_IFCHR:
    case UMVFS_S_IFBLK:
        return o->walk.mnt->flags & UMVFS_MS_NODEV ? -UMVFS_EACCES : 0;
    default:
        return 0;
    }
}

/* Access mode 3 asks for both rights, but what it opens can neither be read nor written. */
static bool writes_bytes(const struct opening *o)
{
    return o->mask & UMVFS_MAY_WRITE &&
           ((o->flags & UMVFS_O_ACCMODE) != UMVFS_O_ACCMODE || o->flags & UMVFS_O_TRUNC);
}

/* May the task open what the walk has reached? */
static int check_open(const struct opening *o)
{
    const struct umvfs_walk *w = &o->walk;
    const struct umvfs_inode *inode = w->dentry->inode;
    bool special = !UMVFS_S_ISREG(inode->mode) && !umvfs_is_dir(inode);
    if (o->flags & UMVFS_O_DIRECTORY && !umvfs_is_dir(inode))
        return -UMVFS_ENOTDIR;
    if (o->flags & UMVFS_O_PATH)
        return 0;
    int err = check_type(o);
    if (!err && !o->created)
        err = umvfs_permission(inode, w->task->cred, o->mask);
    if (err)
        return err;
    if (o->flags & UMVFS_O_NOATIME && !umvfs_owns(inode, w->task->cred))
        return -UMVFS_EPERM;
    if (UMVFS_S_ISSOCK(inode->mode))
        return -UMVFS_ENXIO;
    if (writes_bytes(o) && !special && inode->writers < 0)
        return -UMVFS_ETXTBSY;
    return o->mask & UMVFS_MAY_WRITE && !special ? umvfs_mount_writable(w->mnt) : 0;
}

/* What an inode adds to the state of its files. */
static uint32_t state_for(const struct umvfs_inode *inode)
{
    return UMVFS_S_ISREG(inode->mode) && !umvfs_is_foreign(inode) ? FILE_BYTES : 0;
}

static uint32_t state_of(const struct opening *o)
{
    static const uint8_t rights[4] = {FILE_READ, FILE_WRITE, FILE_READ | FILE_WRITE, 0};
    if (o->flags & UMVFS_O_PATH)
        return FILE_PATH;
    return rights[o->flags & UMVFS_O_ACCMODE] | state_for(o->walk.dentry->inode);
}

static int open_foreign(struct umvfs_file *file)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(file->inode);
    if (!ops || !ops->open || file->state & FILE_PATH)
        return 0;
    int err = ops->open(file->inode->sb->fs, file->inode->u.foreign.node, file);
    if (!err)
        file->state |= FILE_OPENED;
    return err;
}

static int truncate_opened(const struct opening *o, struct umvfs_inode *inode)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (!(o->flags & UMVFS_O_TRUNC) || o->created || !UMVFS_S_ISREG(inode->mode))
        return 0;
    if (umvfs_is_foreign(inode)) {
        struct umvfs_setattr attr = {.mask = UMVFS_ATTR_SIZE};
        return ops->setattr ? ops->setattr(inode->sb->fs, inode->u.foreign.node, &attr) : 0;
    }
    uint16_t mode = inode->mode;
    umvfs_data_resize(inode, 0);
    umvfs_drop_privileges(inode, o->walk.task->cred);
    umvfs_touch_mtime(inode);
    umvfs_tell_resized(o->walk.dentry, mode);
    return 0;
}

/* The commit: nothing fails any more, except what a foreign file system says. */
static int finish(struct opening *o, struct umvfs_file *out)
{
    struct umvfs_walk *w = &o->walk;
    struct umvfs_file file = {.flags = o->flags, .state = state_of(o)};
    file.inode = w->dentry->inode;
    file.path = (struct umvfs_path){w->mnt, w->dentry};
    int err = truncate_opened(o, file.inode);
    if (!err)
        err = open_foreign(&file);
    if (err)
        return err;
    umvfs_walk_take(w, &file.path);
    if (file.state & FILE_WRITE && UMVFS_S_ISREG(file.inode->mode)) {
        file.inode->writers++;
        file.path.mnt->writers++;
        file.state |= FILE_WRITER;
    }
    *out = file;
    return 0;
}

/* The name that events tell of what has none: its number, so that those of two differ, as on Linux. */
static void name_by_number(struct umvfs_dentry *dentry, uint64_t number)
{
    char *name = dentry->name.near;
    size_t len = 2;
    _Static_assert(sizeof(dentry->name.near) >= 21, "any number fits");
    for (uint64_t rest = number; rest >= 10; rest /= 10)
        len++;
    dentry->name_len = (uint8_t)len;
    name[0] = '#';
    for (size_t i = len - 1u; i > 0; number /= 10)
        name[i--] = (char)('0' + number % 10);
}

/* An inode without a name: its dentry is dead from the start. */
static int make_tmpfile(struct opening *o)
{
    struct umvfs_walk *w = &o->walk;
    struct umvfs_dentry *dir = w->dentry;
    struct umvfs_new_object what = {.mode = o->mode};
    struct umvfs_inode *inode;
    struct umvfs_dentry *dentry;
    int err = umvfs_mount_writable(w->mnt);
    if (!err)
        err = umvfs_permission(dir->inode, w->task->cred, UMVFS_MAY_WRITE | UMVFS_MAY_EXEC);
    if (!err && umvfs_is_foreign(dir->inode))
        err = -UMVFS_EOPNOTSUPP;
    if (err)
        return err;
    err = umvfs_dentry_new(dir->inode->sb, "#", 1, &dentry);
    if (err)
        return err;
    err = umvfs_new_inode_in(dir->inode, w->task, &what, &inode);
    if (err) {
        umvfs_dentry_discard(dir->inode->sb, dentry);
        return err;
    }
    if (!(o->flags & UMVFS_O_EXCL))
        inode->flags |= INODE_LINKABLE;
    dentry->flags = DENTRY_DEAD;
    dentry->inode = inode;
    name_by_number(dentry, inode->ino);
    dentry->parent = dir;
    dir->refs++;
    w->mnt->refs++;
    if (w->held.mnt)
        umvfs_place_drop(w->held.mnt, w->held.dentry);
    w->held = (struct umvfs_path){w->mnt, dentry};
    w->dentry = dentry;
    o->created = true;
    return 0;
}

static int open_walked(struct opening *o, struct umvfs_file *out)
{
    int err = umvfs_walk_parent(&o->walk);
    if (err)
        return err;
    if (o->flags & O_TMPFILE_BIT) {
        err = umvfs_walk_last(&o->walk, o->follows);
        if (!err && !umvfs_is_dir(o->walk.dentry->inode))
            err = -UMVFS_ENOTDIR;
        if (!err)
            err = make_tmpfile(o);
        return err ? err : finish(o, out);
    }
    if (o->flags & UMVFS_O_CREAT)
        err = resolve_create(o);
    else
        err = umvfs_walk_last(&o->walk, o->follows);
    if (!err)
        err = check_open(o);
    return err ? err : finish(o, out);
}

/* UMVFS_O_EMPTY_PATH: there is nothing to resolve. */
static int open_place(struct opening *o, const struct umvfs_task *task, const struct umvfs_path *at,
                      struct umvfs_file *out)
{
    if (o->flags & (UMVFS_O_CREAT | O_TMPFILE_BIT))
        return -UMVFS_EINVAL;
    int err = umvfs_walk(&o->walk, task, at, "", UMVFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    err = check_open(o);
    if (!err)
        err = finish(o, out);
    umvfs_walk_end(&o->walk);
    return err;
}

int umvfs_open(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               uint32_t flags, uint32_t mode, unsigned resolve, struct umvfs_file *out)
{
    struct opening o;
    int err = check_flags(&o, flags, mode);
    if (err)
        return err;
    if (flags & UMVFS_O_EMPTY_PATH && path[0] == '\0')
        return open_place(&o, task, at, out);
    err = umvfs_walk_init(&o.walk, task, at, path, 0, resolve);
    if (err)
        return err;
    err = open_walked(&o, out);
    umvfs_walk_end(&o.walk);
    return err;
}

static int check_exec(const struct umvfs_walk *w)
{
    const struct umvfs_inode *inode = w->dentry->inode;
    if (umvfs_is_link(inode))
        return -UMVFS_ELOOP;
    if (!UMVFS_S_ISREG(inode->mode) || w->mnt->flags & UMVFS_MS_NOEXEC)
        return -UMVFS_EACCES;
    int err = umvfs_permission(inode, w->task->cred, UMVFS_MAY_EXEC);
    if (err)
        return err;
    return inode->writers > 0 ? -UMVFS_ETXTBSY : 0;
}

int umvfs_open_exec(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    unsigned flags, struct umvfs_file *out)
{
    struct umvfs_walk w;
    int err = umvfs_walk(&w, task, at, path, flags, 0);
    if (err)
        return err;
    err = check_exec(&w);
    struct umvfs_file file = {.inode = w.dentry->inode, .state = FILE_READ | FILE_EXEC};
    file.state |= state_for(file.inode);
    if (!err)
        err = open_foreign(&file);
    if (!err) {
        umvfs_walk_take(&w, &file.path);
        file.inode->writers--;
        *out = file;
    }
    umvfs_walk_end(&w);
    return err;
}

void umvfs_close(struct umvfs_file *file)
{
    struct umvfs_inode *inode = file->inode;
    if (!inode)
        return;
    const struct umvfs_fs_ops *ops = umvfs_ops(inode);
    if (file->state & FILE_OPENED && ops->release)
        ops->release(inode->sb->fs, inode->u.foreign.node, file);
    if (file->state & FILE_WRITER) {
        inode->writers--;
        file->path.mnt->writers--;
    }
    if (file->state & FILE_EXEC)
        inode->writers++;
    umvfs_path_put(&file->path);
    *file = (struct umvfs_file){0};
}

int umvfs_reopen(const struct umvfs_file *file, struct umvfs_file *out)
{
    struct umvfs_file copy = {.inode = file->inode, .flags = file->flags};
    copy.state = file->state & ~(FILE_OPENED);
    copy.path = file->path;
    int err = open_foreign(&copy);
    if (err)
        return err;
    copy.path = umvfs_path_get(&file->path);
    if (copy.state & FILE_WRITER) {
        copy.inode->writers++;
        copy.path.mnt->writers++;
    }
    if (copy.state & FILE_EXEC)
        copy.inode->writers--;
    *out = copy;
    return 0;
}

int umvfs_deny_write(struct umvfs_inode *inode)
{
    if (inode->writers > 0)
        return -UMVFS_ETXTBSY;
    inode->writers--;
    return 0;
}

void umvfs_allow_write(struct umvfs_inode *inode)
{
    inode->writers++;
}

void umvfs_writer_get(struct umvfs_inode *inode)
{
    inode->writers++;
}

void umvfs_writer_put(struct umvfs_inode *inode)
{
    inode->writers--;
}
