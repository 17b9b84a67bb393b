#include <vfs/tree.h>

#include "create.h"
#include "dcache.h"
#include "dir.h"
#include "inode.h"
#include "perm.h"

/* What unlink and rmdir say of names that are none; the root cannot be either's victim. */
static int last_error(enum walk_last type, bool as_dir)
{
    if (!as_dir)
        return -VFS_EISDIR;
    if (type == WALK_DOTDOT)
        return -VFS_ENOTEMPTY;
    return type == WALK_DOT ? -VFS_EINVAL : -VFS_EBUSY;
}

static int check_remove(const struct vfs_walk *w, const struct vfs_dentry *victim, bool as_dir)
{
    const struct vfs_inode *inode = victim->inode;
    if (!as_dir && w->must_be_dir)
        return vfs_is_dir(inode) ? -VFS_EISDIR : -VFS_ENOTDIR;
    int err = vfs_may_delete(w->dentry->inode, inode, w->task->cred, as_dir);
    if (err)
        return err;
    if (victim->flags & DENTRY_MOUNTED)
        return -VFS_EBUSY;
    if (as_dir && !vfs_is_foreign(inode) && !vfs_dir_is_empty(inode))
        return -VFS_ENOTEMPTY;
    return 0;
}

static int remove_foreign(const struct vfs_walk *w, struct vfs_dentry *victim, bool as_dir)
{
    const struct vfs_sb *sb = w->mnt->sb;
    if (!sb->ops->unlink)
        return -VFS_EPERM;
    int err = sb->ops->unlink(sb->fs, vfs_inode_node(w->dentry->inode), w->last.text, w->last.len,
                              vfs_inode_node(victim->inode), as_dir);
    if (!err) {
        if (victim->flags & DENTRY_HASHED)
            vfs_table_del(sb->vfs, victim);
        victim->flags &= (uint8_t)~DENTRY_LINKED;
        victim->flags |= DENTRY_DEAD;
    }
    return err;
}

static void remove_own(struct vfs_inode *dir, struct vfs_dentry *victim)
{
    struct vfs_inode *inode = victim->inode;
    vfs_touch_mtime(dir);
    inode->ctime = dir->ctime;
    if (vfs_is_dir(inode)) {
        inode->nlink = 0;
        inode->flags |= INODE_DEAD;
        dir->nlink--;
    } else {
        inode->nlink--;
    }
    vfs_dir_remove(victim);
}

static int remove_at(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                     bool as_dir)
{
    struct vfs_walk w;
    struct vfs_dentry *victim;
    int err = vfs_walk_init(&w, task, at, path, 0, 0);
    if (err)
        return err;
    err = vfs_walk_parent(&w);
    if (!err && w.last_type != WALK_NAME)
        err = last_error(w.last_type, as_dir);
    if (!err)
        err = vfs_mount_writable(w.mnt);
    if (!err)
        err = vfs_walk_child(&w, &victim);
    if (!err)
        err = check_remove(&w, victim, as_dir);
    if (!err && vfs_is_foreign(w.dentry->inode))
        err = remove_foreign(&w, victim, as_dir);
    else if (!err)
        remove_own(w.dentry->inode, victim);
    vfs_walk_end(&w);
    return err;
}

int vfs_unlink(const struct vfs_task *task, const struct vfs_path *at, const char *path)
{
    return remove_at(task, at, path, false);
}

int vfs_rmdir(const struct vfs_task *task, const struct vfs_path *at, const char *path)
{
    return remove_at(task, at, path, true);
}
