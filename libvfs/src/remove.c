#include <umvfs/tree.h>

#include "create.h"
#include "dcache.h"
#include "dir.h"
#include "inode.h"
#include "perm.h"
#include "tell.h"

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
