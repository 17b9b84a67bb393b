#include "create.h"

#include <umvfs/tree.h>

#include "dcache.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"
#include "tell.h"

int umvfs_mount_writable(const struct umvfs_mount *mnt)
{
    return umvfs_mount_bits(mnt) & UMVFS_MS_RDONLY ? -UMVFS_EROFS : 0;
}

static uint32_t initial_mode(const struct umvfs_inode *dir, const struct umvfs_task *task,
                             uint32_t mode)
{
    const uint32_t setgid = UMVFS_S_ISGID | UMVFS_S_IXGRP;
    uint32_t umask = dir->flags & INODE_DEFAULT_ACL ? 0 : task->umask & 0777u;
    if (UMVFS_S_ISLNK(mode))
        return UMVFS_S_IFLNK | 0777u;
    if (UMVFS_S_ISDIR(mode)) {
        mode &= UMVFS_S_IFMT | UMVFS_S_ISVTX | 0777u;
        mode &= ~umask;
        return mode | (dir->mode & UMVFS_S_ISGID);
    }
    if (dir->mode & UMVFS_S_ISGID && (mode & setgid) == setgid &&
        !umvfs_in_group(task->cred, dir->gid) && !umvfs_capable(task->cred, UMVFS_CAP_FSETID))
        mode &= ~UMVFS_S_ISGID; /* before the umask, as in Linux */
    return mode & ~umask;
}

static int set_target(struct umvfs_inode *inode, const struct umvfs_new_object *what)
{
    void *mem;
    int err = umvfs_obj_alloc(inode->sb, what->target_len + 1u, &mem);
    if (err)
        return err;
    char *target = mem;
    memcpy(target, what->target, what->target_len);
    target[what->target_len] = '\0';
    inode->u.link.target = target;
    inode->size = what->target_len;
    return 0;
}

int umvfs_new_inode_in(const struct umvfs_inode *dir, const struct umvfs_task *task,
                       const struct umvfs_new_object *what, struct umvfs_inode **out)
{
    struct umvfs_inode *inode;
    int err = umvfs_inode_new(dir->sb, initial_mode(dir, task, what->mode), &inode);
    if (err)
        return err;
    inode->uid = task->cred->uid;
    inode->gid = dir->mode & UMVFS_S_ISGID ? dir->gid : task->cred->gid;
    if (umvfs_is_dir(inode))
        inode->nlink = 2;
    if (UMVFS_S_ISCHR(inode->mode) || UMVFS_S_ISBLK(inode->mode))
        inode->rdev_or_pages = what->rdev;
    if (umvfs_is_link(inode))
        err = set_target(inode, what);
    else if (dir->flags & INODE_DEFAULT_ACL)
        err = umvfs_acl_inherit(dir, inode);
    if (err) {
        umvfs_inode_drop(inode);
        return err;
    }
    *out = inode;
    return 0;
}

static int make_foreign(struct umvfs_walk *w, const struct umvfs_new_object *what,
                        struct umvfs_dentry **out)
{
    struct umvfs_sb *sb = w->mnt->sb;
    struct umvfs_inode *dir = w->dentry->inode;
    struct umvfs_dentry *dentry;
    void *node;
    if (!sb->ops->create)
        return UMVFS_S_ISREG(what->mode) ? -UMVFS_EACCES : -UMVFS_EPERM;
    int err = sb->ops->create(sb->fs, dir->u.foreign.node, w->last.text, w->last.len,
                              initial_mode(dir, w->task, what->mode), what->rdev, what->target,
                              w->task->cred, &node);
    if (err)
        return err;
    err = umvfs_foreign_wrap(sb, w->dentry, w->last.text, w->last.len, node, &dentry);
    if (err) {
        if (sb->ops->put)
            sb->ops->put(sb->fs, node);
        return err;
    }
    if (w->held.mnt)
        umvfs_place_drop(w->held.mnt, w->held.dentry);
    w->mnt->refs++;
    w->held = (struct umvfs_path){w->mnt, dentry};
    *out = dentry;
    return 0;
}

int umvfs_make(struct umvfs_walk *w, const struct umvfs_new_object *what, struct umvfs_dentry **out)
{
    struct umvfs_inode *dir = w->dentry->inode;
    struct umvfs_inode *inode;
    struct umvfs_dentry *dentry;
    if (umvfs_is_foreign(dir))
        return make_foreign(w, what, out);
    int err = umvfs_new_inode_in(dir, w->task, what, &inode);
    if (err)
        return err;
    err = umvfs_dir_prepare(dir, &w->last, &dentry);
    if (err) {
        umvfs_inode_drop(inode);
        return err;
    }
    if (umvfs_is_dir(inode))
        dir->nlink++;
    else
        inode->nlink = 1;
    umvfs_dir_add(w->dentry, dentry, inode);
    umvfs_stamp(dir, inode->ctime);
    umvfs_tell_entry(dir, UMVFS_IN_CREATE | umvfs_event_type(inode), w->last.text, w->last.len);
    *out = dentry;
    return 0;
}

/* Walks to where a new name shall be. On success the caller ends the walk, and has permission to
 * create still to check. */
static int walk_to_new(struct umvfs_walk *w, const struct umvfs_task *task,
                       const struct umvfs_path *at, const char *path, bool is_dir)
{
    struct umvfs_dentry *child;
    int err = umvfs_walk_init(w, task, at, path, 0, 0);
    if (err)
        return err;
    err = umvfs_walk_parent(w);
    if (!err && w->last_type != WALK_NAME)
        err = -UMVFS_EEXIST;
    if (!err) {
        err = umvfs_walk_child(w, &child);
        err = !err ? -UMVFS_EEXIST : err == -UMVFS_ENOENT ? 0 : err;
    }
    if (!err && w->must_be_dir && !is_dir)
        err = -UMVFS_ENOENT;
    if (!err)
        err = umvfs_mount_writable(w->mnt);
    if (err)
        umvfs_walk_end(w);
    return err;
}

static int make_at(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   const struct umvfs_new_object *what)
{
    struct umvfs_walk w;
    struct umvfs_dentry *dentry;
    bool device = UMVFS_S_ISBLK(what->mode) || (UMVFS_S_ISCHR(what->mode) && what->rdev != 0);
    int err = walk_to_new(&w, task, at, path, UMVFS_S_ISDIR(what->mode));
    if (err)
        return err;
    err = umvfs_may_create(w.dentry->inode, task->cred);
    if (!err && device && !umvfs_capable(task->cred, UMVFS_CAP_MKNOD))
        err = -UMVFS_EPERM;
    if (!err)
        err = umvfs_make(&w, what, &dentry);
    umvfs_walk_end(&w);
    return err;
}

int umvfs_mkdir(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t mode)
{
    struct umvfs_new_object what = {.mode = UMVFS_S_IFDIR | (mode & UMVFS_S_IALL)};
    return make_at(task, at, path, &what);
}

int umvfs_mknod(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t mode, uint64_t rdev)
{
    struct umvfs_new_object what = {.mode = mode & (UMVFS_S_IFMT | UMVFS_S_IALL), .rdev = rdev};
    switch (mode & UMVFS_S_IFMT) {
    case 0:
        what.mode |= UMVFS_S_IFREG;
        break;
    case UMVFS_S_IFREG:
    case UMVFS_S_IFIFO:
    case UMVFS_S_IFSOCK:
    case UMVFS_S_IFCHR:
    case UMVFS_S_IFBLK:
        break;
    case UMVFS_S_IFDIR:
        return -UMVFS_EPERM;
    default:
        return -UMVFS_EINVAL;
    }
    return make_at(task, at, path, &what);
}

int umvfs_symlink_to(const struct umvfs_task *task, const char *target, size_t len,
                     const struct umvfs_path *at, const char *path)
{
    if (len >= UMVFS_PATH_MAX)
        return -UMVFS_ENAMETOOLONG;
    struct umvfs_new_object what = {.mode = UMVFS_S_IFLNK, .target = target, .target_len = len};
    return make_at(task, at, path, &what);
}

int umvfs_symlink(const struct umvfs_task *task, const char *target, const struct umvfs_path *at,
                  const char *path)
{
    size_t len = 0;
    while (len < UMVFS_PATH_MAX && target[len])
        len++;
    return len == 0 ? -UMVFS_ENOENT : umvfs_symlink_to(task, target, len, at, path);
}

static int check_link(const struct umvfs_walk *old, const struct umvfs_walk *new)
{
    const struct umvfs_inode *inode = old->dentry->inode;
    if (new->dentry->inode->flags & INODE_DEAD)
        return -UMVFS_ENOENT;
    if (old->mnt != new->mnt)
        return -UMVFS_EXDEV;
    int err = umvfs_may_link(inode, old->task->cred);
    if (err)
        return err;
    err = umvfs_may_create(new->dentry->inode, new->task->cred);
    if (err)
        return err;
    if (umvfs_is_dir(inode))
        return -UMVFS_EPERM;
    if (inode->nlink == 0 && !(inode->flags & INODE_LINKABLE))
        return -UMVFS_ENOENT;
    return inode->nlink >= UMVFS_LINK_MAX ? -UMVFS_EMLINK : 0;
}

static int link_to(struct umvfs_walk *new, struct umvfs_inode *inode)
{
    struct umvfs_inode *dir = new->dentry->inode;
    struct umvfs_dentry *dentry;
    const struct umvfs_fs_ops *ops = umvfs_ops(dir);
    if (umvfs_is_foreign(dir)) {
        return !ops->link ? -UMVFS_EPERM
                          : ops->link(dir->sb->fs, inode->u.foreign.node, dir->u.foreign.node,
                                      new->last.text, new->last.len);
    }
    int err = umvfs_dir_prepare(dir, &new->last, &dentry);
    if (err)
        return err;
    inode->nlink++;
    inode->refs++;
    inode->flags &= (uint16_t)~INODE_LINKABLE;
    umvfs_dir_add(new->dentry, dentry, inode);
    umvfs_touch_mtime(dir);
    inode->ctime = dir->ctime;
    umvfs_tell_self(inode, UMVFS_IN_ATTRIB);
    umvfs_tell_entry(dir, UMVFS_IN_CREATE, new->last.text, new->last.len);
    return 0;
}

int umvfs_link(const struct umvfs_task *task, const struct umvfs_path *old_at, const char *old_path,
               const struct umvfs_path *new_at, const char *new_path, unsigned flags)
{
    struct umvfs_walk old;
    struct umvfs_walk new;
    if (flags & ~(UMVFS_AT_SYMLINK_FOLLOW | UMVFS_AT_EMPTY_PATH))
        return -UMVFS_EINVAL;
    unsigned nofollow = flags & UMVFS_AT_SYMLINK_FOLLOW ? 0 : UMVFS_AT_SYMLINK_NOFOLLOW;
    int err = umvfs_walk(&old, task, old_at, old_path, nofollow | (flags & UMVFS_AT_EMPTY_PATH), 0);
    if (err)
        return err;
    err = walk_to_new(&new, task, new_at, new_path, false);
    if (!err) {
        err = check_link(&old, &new);
        if (!err)
            err = link_to(&new, old.dentry->inode);
        umvfs_walk_end(&new);
    }
    umvfs_walk_end(&old);
    return err;
}

/* What unlink and rmdir say of names that are none; the root cannot be either's victim. */
static int last_error(enum walk_last type, bool as_dir)
{
    if (!as_dir)
        return -UMVFS_EISDIR;
    if (type == WALK_DOTDOT)
        return -UMVFS_ENOTEMPTY;
    return type == WALK_DOT ? -UMVFS_EINVAL : -UMVFS_EBUSY;
}

static int check_remove(const struct umvfs_walk *w, const struct umvfs_dentry *victim, bool as_dir)
{
    const struct umvfs_inode *inode = victim->inode;
    if (!as_dir && w->must_be_dir)
        return umvfs_is_dir(inode) ? -UMVFS_EISDIR : -UMVFS_ENOTDIR;
    int err = umvfs_may_delete(w->dentry->inode, inode, w->task->cred, as_dir);
    if (err)
        return err;
    if (victim->flags & DENTRY_MOUNTED)
        return -UMVFS_EBUSY;
    if (as_dir && !umvfs_is_foreign(inode) && !umvfs_dir_is_empty(inode))
        return -UMVFS_ENOTEMPTY;
    return 0;
}

static int remove_foreign(const struct umvfs_walk *w, struct umvfs_dentry *victim, bool as_dir)
{
    const struct umvfs_sb *sb = w->mnt->sb;
    if (!sb->ops->unlink)
        return -UMVFS_EPERM;
    int err = sb->ops->unlink(sb->fs, umvfs_inode_node(w->dentry->inode), w->last.text, w->last.len,
                              umvfs_inode_node(victim->inode), as_dir);
    if (!err) {
        if (victim->flags & DENTRY_HASHED)
            umvfs_table_del(sb->vfs, victim);
        victim->flags &= (uint8_t)~DENTRY_LINKED;
        victim->flags |= DENTRY_DEAD;
    }
    return err;
}

static void remove_own(const struct umvfs_walk *w, struct umvfs_dentry *victim)
{
    struct umvfs_inode *dir = w->dentry->inode;
    struct umvfs_inode *inode = victim->inode;
    uint32_t type = umvfs_event_type(inode);
    umvfs_touch_mtime(dir);
    inode->ctime = dir->ctime;
    if (umvfs_is_dir(inode)) {
        inode->nlink = 0;
        inode->flags |= INODE_DEAD;
        dir->nlink--;
    } else {
        inode->nlink--;
        umvfs_tell_self(inode, UMVFS_IN_ATTRIB);
    }
    umvfs_dir_remove(victim);
    umvfs_tell_entry(dir, UMVFS_IN_DELETE | type, w->last.text, w->last.len);
}

static int remove_at(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                     bool as_dir)
{
    struct umvfs_walk w;
    struct umvfs_dentry *victim;
    int err = umvfs_walk_init(&w, task, at, path, 0, 0);
    if (err)
        return err;
    err = umvfs_walk_parent(&w);
    if (!err && w.last_type != WALK_NAME)
        err = last_error(w.last_type, as_dir);
    if (!err)
        err = umvfs_mount_writable(w.mnt);
    if (!err)
        err = umvfs_walk_child(&w, &victim);
    if (!err)
        err = check_remove(&w, victim, as_dir);
    if (!err && umvfs_is_foreign(w.dentry->inode))
        err = remove_foreign(&w, victim, as_dir);
    else if (!err)
        remove_own(&w, victim);
    umvfs_walk_end(&w);
    return err;
}

int umvfs_unlink(const struct umvfs_task *task, const struct umvfs_path *at, const char *path)
{
    return remove_at(task, at, path, false);
}

int umvfs_rmdir(const struct umvfs_task *task, const struct umvfs_path *at, const char *path)
{
    return remove_at(task, at, path, true);
}
