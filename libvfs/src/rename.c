#include <vfs/tree.h>

#include "create.h"
#include "dcache.h"
#include "dir.h"
#include "foreign.h"
#include "inode.h"
#include "perm.h"
#include "radix.h"

struct rename {
    struct vfs_walk from;
    struct vfs_walk to;
    struct vfs_dentry *source;
    struct vfs_dentry *target; /* NULL: the new name is free */
    unsigned flags;
    char *far; /* room for a long new name */
};

static bool is_ancestor(const struct vfs_dentry *dentry, const struct vfs_dentry *of)
{
    while (of != dentry && of->parent != of)
        of = of->parent;
    return of == dentry;
}

/* The refusals that come before the names are looked up. */
static int check_parents(struct rename *r)
{
    if (r->from.mnt != r->to.mnt)
        return -VFS_EXDEV;
    if (r->from.last_type != WALK_NAME)
        return -VFS_EBUSY;
    if (r->to.last_type != WALK_NAME)
        return r->flags & VFS_RENAME_NOREPLACE ? -VFS_EEXIST : -VFS_EBUSY;
    return vfs_mount_writable(r->from.mnt);
}

static int find_both(struct rename *r)
{
    bool exchange = r->flags & VFS_RENAME_EXCHANGE;
    int err = vfs_walk_child(&r->from, &r->source);
    if (err)
        return err;
    err = vfs_walk_child(&r->to, &r->target);
    if (err == -VFS_ENOENT && !exchange && !(r->to.dentry->inode->flags & INODE_DEAD)) {
        r->target = NULL;
        err = 0;
    }
    if (err)
        return err;
    if (r->target && r->flags & VFS_RENAME_NOREPLACE)
        return -VFS_EEXIST;
    if (exchange && r->to.must_be_dir && !vfs_is_dir(r->target->inode))
        return -VFS_ENOTDIR;
    if (!vfs_is_dir(r->source->inode) && (r->from.must_be_dir || (!exchange && r->to.must_be_dir)))
        return -VFS_ENOTDIR;
    if (is_ancestor(r->source, r->to.dentry))
        return -VFS_EINVAL;
    if (r->target && is_ancestor(r->target, r->from.dentry))
        return exchange ? -VFS_EINVAL : -VFS_ENOTEMPTY;
    return 0;
}

/* Permissions, in the order of Linux's vfs_rename. */
static int check_rights(const struct rename *r)
{
    const struct vfs_cred *cred = r->from.task->cred;
    const struct vfs_inode *old_dir = r->from.dentry->inode;
    const struct vfs_inode *new_dir = r->to.dentry->inode;
    const struct vfs_inode *source = r->source->inode;
    const struct vfs_inode *target = r->target ? r->target->inode : NULL;
    bool exchange = r->flags & VFS_RENAME_EXCHANGE;
    int err = vfs_may_delete(old_dir, source, cred, vfs_is_dir(source));
    if (err)
        return err;
    err = !target ? vfs_may_create(new_dir, cred)
                  : vfs_may_delete(new_dir, target, cred, vfs_is_dir(exchange ? target : source));
    if (!err && old_dir != new_dir && vfs_is_dir(source))
        err = vfs_permission(source, cred, VFS_MAY_WRITE);
    if (!err && old_dir != new_dir && exchange && vfs_is_dir(target))
        err = vfs_permission(target, cred, VFS_MAY_WRITE);
    return err;
}

static int check_state(const struct rename *r)
{
    if (r->source->flags & DENTRY_MOUNTED || (r->target && r->target->flags & DENTRY_MOUNTED))
        return -VFS_EBUSY;
    if (r->target && !(r->flags & VFS_RENAME_EXCHANGE) && vfs_is_dir(r->target->inode) &&
        !vfs_is_foreign(r->target->inode) && !vfs_dir_is_empty(r->target->inode))
        return -VFS_ENOTEMPTY;
    return 0;
}

static void set_parent(struct vfs_dentry *dentry, struct vfs_dentry *parent)
{
    parent->refs++;
    vfs_dentry_drop(dentry->parent);
    dentry->parent = parent;
}

static void set_place(struct vfs_dentry *dentry, struct vfs_dentry *parent, uint64_t cookie)
{
    dentry->cookie = cookie & DIR_COOKIE_MAX;
    vfs_radix_set(&parent->inode->u.dir.dir->order, RADIX_DIR_BITS, cookie, dentry);
}

static void touch(struct rename *r)
{
    struct vfs_inode *source = r->source->inode;
    vfs_touch_mtime(r->from.dentry->inode);
    source->ctime = r->from.dentry->inode->ctime;
    vfs_stamp(r->to.dentry->inode, source->ctime);
    if (r->target)
        r->target->inode->ctime = source->ctime;
}

static void exchange(struct rename *r)
{
    struct vfs *vfs = r->from.task->vfs;
    struct vfs_dentry *a = r->source;
    struct vfs_dentry *b = r->target;
    struct vfs_dentry *a_dir = r->from.dentry;
    struct vfs_dentry *b_dir = r->to.dentry;
    uint64_t a_cookie = a->cookie;
    int moved = (int)vfs_is_dir(a->inode) - (int)vfs_is_dir(b->inode);
    vfs_table_del(vfs, a);
    vfs_table_del(vfs, b);
    set_place(a, b_dir, b->cookie);
    set_place(b, a_dir, a_cookie);
    set_parent(a, b_dir);
    set_parent(b, a_dir);
    vfs_dentry_swap_names(a, b);
    vfs_dentry_rehash(a);
    vfs_dentry_rehash(b);
    vfs_table_add(vfs, a);
    vfs_table_add(vfs, b);
    b_dir->inode->nlink += (uint32_t)moved;
    a_dir->inode->nlink -= (uint32_t)moved;
}

/* Allocates what a move needs: a place in the new directory if none is taken over, and the name. */
static int prepare(struct rename *r)
{
    struct vfs_inode *dir = r->to.dentry->inode;
    struct vfs_dir *entries = dir->u.dir.dir;
    bool needs_place = !r->target && r->from.dentry != r->to.dentry;
    int err = vfs_name_prepare(dir->sb, r->to.last.text, r->to.last.len, &r->far);
    if (err || !needs_place)
        return err;
    err = entries->next_cookie > DIR_COOKIE_MAX || entries->count == UINT32_MAX
              ? -VFS_ENOSPC
              : vfs_radix_reserve(dir->sb, &entries->order, RADIX_DIR_BITS, entries->next_cookie);
    if (err && r->far)
        vfs_obj_free(dir->sb, r->far, r->to.last.len);
    return err;
}

/* Takes the target's name out of the tree and leaves its place in the order to the source. */
static void bury_target(struct rename *r)
{
    struct vfs_inode *inode = r->target->inode;
    struct vfs_inode *dir = r->to.dentry->inode;
    if (vfs_is_dir(inode)) {
        inode->nlink = 0;
        inode->flags |= INODE_DEAD;
        dir->nlink--;
    } else {
        inode->nlink--;
    }
    vfs_table_del(inode->sb->vfs, r->target);
    r->target->flags &= (uint8_t)~DENTRY_LINKED;
    r->target->flags |= DENTRY_DEAD;
}

static void move(struct rename *r)
{
    struct vfs_dentry *source = r->source;
    struct vfs_inode *old_dir = r->from.dentry->inode;
    struct vfs_inode *new_dir = r->to.dentry->inode;
    struct vfs_dir *old_entries = old_dir->u.dir.dir;
    struct vfs_dir *new_entries = new_dir->u.dir.dir;
    bool crosses = r->from.dentry != r->to.dentry;
    vfs_table_del(old_dir->sb->vfs, source);
    if (crosses || r->target) {
        vfs_radix_clear(old_dir->sb, &old_entries->order, RADIX_DIR_BITS, source->cookie);
        old_entries->count--;
        new_entries->count += !r->target;
        set_place(source, r->to.dentry, r->target ? r->target->cookie : new_entries->next_cookie);
        new_entries->next_cookie += !r->target;
    }
    if (vfs_is_dir(source->inode) && crosses) {
        old_dir->nlink--;
        new_dir->nlink++;
    }
    if (r->target)
        bury_target(r);
    set_parent(source, r->to.dentry);
    vfs_dentry_rename(new_dir->sb, source, r->to.last.text, r->to.last.len, r->far);
    source->hash = r->to.last.hash;
    vfs_table_add(new_dir->sb->vfs, source);
    if (r->target)
        vfs_dentry_drop(r->target);
}

/* Takes a name of a foreign file system out of the index; says whether it was pinned there. */
static bool unpin(struct vfs_dentry *dentry)
{
    if (!(dentry->flags & DENTRY_HASHED))
        return false;
    vfs_table_del(dentry->inode->sb->vfs, dentry);
    return true;
}

/* What is pinned, since there are mounts on it or below it, goes by its new name. The old parents
 * may be held by nothing but the names that leave them. */
static void follow_rename(struct rename *r)
{
    struct vfs_dentry *source = r->source, *target = r->target;
    bool source_pinned = unpin(source), target_pinned = target && unpin(target);
    if (r->flags & VFS_RENAME_EXCHANGE) {
        struct vfs_dentry *parent = source->parent; /* each has one name less and one more */
        source->parent = target->parent;
        target->parent = parent;
        vfs_dentry_swap_names(source, target);
        if (target_pinned)
            vfs_foreign_pin(target);
    } else {
        set_parent(source, r->to.dentry);
        vfs_dentry_rename(source->inode->sb, source, r->to.last.text, r->to.last.len, r->far);
        if (target)
            target->flags = (uint8_t)((target->flags & ~DENTRY_LINKED) | DENTRY_DEAD);
    }
    if (source_pinned)
        vfs_foreign_pin(source);
}

static int rename_foreign(struct rename *r)
{
    struct vfs_sb *sb = r->from.mnt->sb;
    if (!sb->ops->rename)
        return -VFS_EPERM;
    int err = r->flags & VFS_RENAME_EXCHANGE
                  ? 0
                  : vfs_name_prepare(sb, r->to.last.text, r->to.last.len, &r->far);
    if (err)
        return err;
    err = sb->ops->rename(sb->fs, vfs_inode_node(r->from.dentry->inode), r->from.last.text,
                          r->from.last.len, vfs_inode_node(r->to.dentry->inode), r->to.last.text,
                          r->to.last.len, r->flags);
    if (!err)
        follow_rename(r);
    else if (r->far)
        vfs_obj_free(sb, r->far, r->to.last.len);
    return err;
}

static int rename_walked(struct rename *r)
{
    int err = vfs_walk_parent(&r->to);
    if (!err)
        err = check_parents(r);
    if (!err)
        err = find_both(r);
    if (err || (r->target && r->source->inode == r->target->inode))
        return err;
    err = check_rights(r);
    if (!err)
        err = check_state(r);
    if (err)
        return err;
    if (r->from.mnt->sb->ops)
        return rename_foreign(r);
    if (!(r->flags & VFS_RENAME_EXCHANGE))
        err = prepare(r);
    if (err)
        return err;
    touch(r);
    if (r->flags & VFS_RENAME_EXCHANGE)
        exchange(r);
    else
        move(r);
    return 0;
}

int vfs_rename(const struct vfs_task *task, const struct vfs_path *old_at, const char *old_path,
               const struct vfs_path *new_at, const char *new_path, unsigned flags)
{
    struct rename r;
    if (flags & ~(VFS_RENAME_NOREPLACE | VFS_RENAME_EXCHANGE) ||
        flags == (VFS_RENAME_NOREPLACE | VFS_RENAME_EXCHANGE))
        return -VFS_EINVAL;
    r.flags = flags;
    r.target = NULL;
    r.far = NULL;
    int err = vfs_walk_init(&r.from, task, old_at, old_path, 0, 0);
    if (err)
        return err;
    err = vfs_walk_parent(&r.from);
    if (!err)
        err = vfs_walk_init(&r.to, task, new_at, new_path, 0, 0);
    if (!err) {
        err = rename_walked(&r);
        vfs_walk_end(&r.to);
    }
    vfs_walk_end(&r.from);
    return err;
}
