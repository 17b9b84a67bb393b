#include <umvfs/tree.h>

#include "create.h"
#include "dcache.h"
#include "foreign.h"
#include "inode.h"
#include "perm.h"
#include "radix.h"
#include "tell.h"

struct rename {
    struct umvfs_walk from;
    struct umvfs_walk to;
    struct umvfs_dentry *source;
    struct umvfs_dentry *target; /* NULL: the new name is free */
    unsigned flags;
    char *far;                        /* room for a long new name */
    struct umvfs_inode *whiteout;     /* what takes the old name; NULL: nothing */
    struct umvfs_dentry *whiteout_at; /* its name */
};

static bool is_ancestor(const struct umvfs_dentry *dentry, const struct umvfs_dentry *of)
{
    while (of != dentry && of->parent != of)
        of = of->parent;
    return of == dentry;
}

/* The refusals that come before the names are looked up. */
static int check_parents(struct rename *r)
{
    if (r->from.mnt != r->to.mnt)
        return -UMVFS_EXDEV;
    if (r->from.last_type != WALK_NAME)
        return -UMVFS_EBUSY;
    if (r->to.last_type != WALK_NAME)
        return r->flags & UMVFS_RENAME_NOREPLACE ? -UMVFS_EEXIST : -UMVFS_EBUSY;
    return umvfs_mount_writable(r->from.mnt);
}

static int find_both(struct rename *r)
{
    bool exchange = r->flags & UMVFS_RENAME_EXCHANGE;
    int err = umvfs_walk_child(&r->from, &r->source);
    if (err)
        return err;
    err = umvfs_walk_child(&r->to, &r->target);
    if (err == -UMVFS_ENOENT && !exchange && !(r->to.dentry->inode->flags & INODE_DEAD)) {
        r->target = NULL;
        err = 0;
    }
    if (err)
        return err;
    if (r->target && r->flags & UMVFS_RENAME_NOREPLACE)
        return -UMVFS_EEXIST;
    if (exchange && r->to.must_be_dir && !umvfs_is_dir(r->target->inode))
        return -UMVFS_ENOTDIR;
    if (!umvfs_is_dir(r->source->inode) &&
        (r->from.must_be_dir || (!exchange && r->to.must_be_dir)))
        return -UMVFS_ENOTDIR;
    if (is_ancestor(r->source, r->to.dentry))
        return -UMVFS_EINVAL;
    if (r->target && is_ancestor(r->target, r->from.dentry))
        return exchange ? -UMVFS_EINVAL : -UMVFS_ENOTEMPTY;
    return 0;
}

/* Permissions, in the order of Linux's umvfs_rename. */
static int check_rights(const struct rename *r)
{
    const struct umvfs_cred *cred = r->from.task->cred;
    const struct umvfs_inode *old_dir = r->from.dentry->inode;
    const struct umvfs_inode *new_dir = r->to.dentry->inode;
    const struct umvfs_inode *source = r->source->inode;
    const struct umvfs_inode *target = r->target ? r->target->inode : NULL;
    bool exchange = r->flags & UMVFS_RENAME_EXCHANGE;
    int err = umvfs_may_delete(old_dir, source, cred, umvfs_is_dir(source));
    if (err)
        return err;
    err = !target
              ? umvfs_may_create(new_dir, cred)
              : umvfs_may_delete(new_dir, target, cred, umvfs_is_dir(exchange ? target : source));
    if (!err && old_dir != new_dir && umvfs_is_dir(source))
        err = umvfs_permission(source, cred, UMVFS_MAY_WRITE);
    if (!err && old_dir != new_dir && exchange && umvfs_is_dir(target))
        err = umvfs_permission(target, cred, UMVFS_MAY_WRITE);
    return err;
}

static int check_state(const struct rename *r)
{
    if (r->source->flags & DENTRY_MOUNTED || (r->target && r->target->flags & DENTRY_MOUNTED))
        return -UMVFS_EBUSY;
    if (r->target && !(r->flags & UMVFS_RENAME_EXCHANGE) && umvfs_is_dir(r->target->inode) &&
        !umvfs_is_foreign(r->target->inode) && !umvfs_dir_is_empty(r->target->inode))
        return -UMVFS_ENOTEMPTY;
    return 0;
}

static void set_parent(struct umvfs_dentry *dentry, struct umvfs_dentry *parent)
{
    parent->refs++;
    umvfs_dentry_drop(dentry->parent);
    dentry->parent = parent;
}

static void set_place(struct umvfs_dentry *dentry, struct umvfs_dentry *parent, uint64_t cookie)
{
    dentry->cookie = cookie & DIR_COOKIE_MAX;
    umvfs_radix_set(&parent->inode->u.dir.dir->order, RADIX_DIR_BITS, cookie, dentry);
}

static void touch(struct rename *r)
{
    struct umvfs_inode *source = r->source->inode;
    umvfs_touch_mtime(r->from.dentry->inode);
    source->ctime = r->from.dentry->inode->ctime;
    umvfs_stamp(r->to.dentry->inode, source->ctime);
    if (r->target)
        r->target->inode->ctime = source->ctime;
}

static bool is_told(const struct rename *r)
{
    unsigned flags = r->from.dentry->inode->flags | r->to.dentry->inode->flags |
                     r->source->inode->flags | (r->target ? r->target->inode->flags : 0u);
    return flags & INODE_WATCHED;
}

/* Tells of the move, before what it replaces may end. */
static void tell(const struct rename *r)
{
    bool swaps = r->flags & UMVFS_RENAME_EXCHANGE;
    if (!is_told(r))
        return;
    umvfs_tell_move(&r->from, &r->to, r->source->inode,
                    r->target && !swaps ? r->target->inode : NULL);
    if (swaps)
        umvfs_tell_move(&r->to, &r->from, r->target->inode, NULL);
}

static void exchange(struct rename *r)
{
    struct umvfs *vfs = r->from.task->vfs;
    struct umvfs_dentry *a = r->source;
    struct umvfs_dentry *b = r->target;
    struct umvfs_dentry *a_dir = r->from.dentry;
    struct umvfs_dentry *b_dir = r->to.dentry;
    uint64_t a_cookie = a->cookie;
    int moved = (int)umvfs_is_dir(a->inode) - (int)umvfs_is_dir(b->inode);
    umvfs_table_del(vfs, a);
    umvfs_table_del(vfs, b);
    set_place(a, b_dir, b->cookie);
    set_place(b, a_dir, a_cookie);
    set_parent(a, b_dir);
    set_parent(b, a_dir);
    umvfs_dentry_swap_names(a, b);
    umvfs_dentry_rehash(a);
    umvfs_dentry_rehash(b);
    umvfs_table_add(vfs, a);
    umvfs_table_add(vfs, b);
    b_dir->inode->nlink += (uint32_t)moved;
    a_dir->inode->nlink -= (uint32_t)moved;
    tell(r);
}

/* Allocates what a move needs: a place in the new directory if none is taken over, and the name. */
static int prepare(struct rename *r)
{
    struct umvfs_inode *dir = r->to.dentry->inode;
    struct umvfs_dir *entries = dir->u.dir.dir;
    bool needs_place = !r->target && r->from.dentry != r->to.dentry;
    int err = umvfs_name_prepare(dir->sb, r->to.last.text, r->to.last.len, &r->far);
    if (err || !needs_place)
        return err;
    err = entries->next_cookie > DIR_COOKIE_MAX || entries->count == UINT32_MAX
              ? -UMVFS_ENOSPC
              : umvfs_radix_reserve(dir->sb, &entries->order, RADIX_DIR_BITS, entries->next_cookie);
    if (err && r->far)
        umvfs_obj_free(dir->sb, r->far, r->to.last.len);
    return err;
}

/* Allocates a whiteout with a place in the old directory. Nothing can fail after it. */
static int prepare_whiteout(struct rename *r)
{
    static const struct umvfs_new_object what = {.mode = UMVFS_S_IFCHR};
    struct umvfs_inode *dir = r->from.dentry->inode;
    int err = umvfs_new_inode_in(dir, r->from.task, &what, &r->whiteout);
    if (err)
        return err;
    err = umvfs_dir_prepare(dir, &r->from.last, &r->whiteout_at);
    if (err)
        umvfs_inode_drop(r->whiteout);
    return err;
}

/* Takes back what prepare() allocated. */
static void unprepare(struct rename *r)
{
    struct umvfs_inode *dir = r->to.dentry->inode;
    struct umvfs_dir *entries = dir->u.dir.dir;
    if (r->far)
        umvfs_obj_free(dir->sb, r->far, r->to.last.len);
    if (!r->target && r->from.dentry != r->to.dentry)
        umvfs_radix_clear(dir->sb, &entries->order, RADIX_DIR_BITS, entries->next_cookie);
}

/* Takes the target's name out of the tree and leaves its place in the order to the source. */
static void bury_target(struct rename *r)
{
    struct umvfs_inode *inode = r->target->inode;
    struct umvfs_inode *dir = r->to.dentry->inode;
    if (umvfs_is_dir(inode)) {
        inode->nlink = 0;
        inode->flags |= INODE_DEAD;
        dir->nlink--;
    } else {
        inode->nlink--;
    }
    umvfs_table_del(inode->sb->vfs, r->target);
    r->target->flags &= (uint8_t)~DENTRY_LINKED;
    r->target->flags |= DENTRY_DEAD;
}

static void move(struct rename *r)
{
    struct umvfs_dentry *source = r->source;
    struct umvfs_inode *old_dir = r->from.dentry->inode;
    struct umvfs_inode *new_dir = r->to.dentry->inode;
    struct umvfs_dir *old_entries = old_dir->u.dir.dir;
    struct umvfs_dir *new_entries = new_dir->u.dir.dir;
    bool crosses = r->from.dentry != r->to.dentry;
    umvfs_table_del(old_dir->sb->vfs, source);
    if (r->whiteout) { /* before the place of the source goes, and what it has reserved beside it */
        r->whiteout->nlink = 1;
        umvfs_dir_add(r->from.dentry, r->whiteout_at, r->whiteout);
    }
    if (crosses || r->target) {
        umvfs_radix_clear(old_dir->sb, &old_entries->order, RADIX_DIR_BITS, source->cookie);
        old_entries->count--;
        new_entries->count += !r->target;
        set_place(source, r->to.dentry, r->target ? r->target->cookie : new_entries->next_cookie);
        new_entries->next_cookie += !r->target;
    }
    if (umvfs_is_dir(source->inode) && crosses) {
        old_dir->nlink--;
        new_dir->nlink++;
    }
    if (r->target)
        bury_target(r);
    set_parent(source, r->to.dentry);
    umvfs_dentry_rename(new_dir->sb, source, r->to.last.text, r->to.last.len, r->far);
    source->hash = r->to.last.hash;
    umvfs_table_add(new_dir->sb->vfs, source);
    tell(r);
    if (r->target)
        umvfs_dentry_drop(r->target);
}

/* Takes a name of a foreign file system out of the index; says whether it was pinned there. */
static bool unpin(struct umvfs_dentry *dentry)
{
    if (!(dentry->flags & DENTRY_HASHED))
        return false;
    umvfs_table_del(dentry->inode->sb->vfs, dentry);
    return true;
}

/* What is pinned, since there are mounts on it or below it, goes by its new name. The old parents
 * may be held by nothing but the names that leave them. */
static void follow_rename(struct rename *r)
{
    struct umvfs_dentry *source = r->source, *target = r->target;
    bool source_pinned = unpin(source), target_pinned = target && unpin(target);
    if (r->flags & UMVFS_RENAME_EXCHANGE) {
        struct umvfs_dentry *parent = source->parent; /* each has one name less and one more */
        source->parent = target->parent;
        target->parent = parent;
        umvfs_dentry_swap_names(source, target);
        if (target_pinned)
            umvfs_foreign_pin(target);
    } else {
        set_parent(source, r->to.dentry);
        umvfs_dentry_rename(source->inode->sb, source, r->to.last.text, r->to.last.len, r->far);
        if (target)
            target->flags = (uint8_t)((target->flags & ~DENTRY_LINKED) | DENTRY_DEAD);
    }
    if (source_pinned)
        umvfs_foreign_pin(source);
}

static int rename_foreign(struct rename *r)
{
    struct umvfs_sb *sb = r->from.mnt->sb;
    if (!sb->ops->rename)
        return -UMVFS_EPERM;
    int err = r->flags & UMVFS_RENAME_EXCHANGE
                  ? 0
                  : umvfs_name_prepare(sb, r->to.last.text, r->to.last.len, &r->far);
    if (err)
        return err;
    err = sb->ops->rename(sb->fs, umvfs_inode_node(r->from.dentry->inode), r->from.last.text,
                          r->from.last.len, umvfs_inode_node(r->to.dentry->inode), r->to.last.text,
                          r->to.last.len, r->flags);
    if (!err)
        follow_rename(r);
    else if (r->far)
        umvfs_obj_free(sb, r->far, r->to.last.len);
    return err;
}

static int rename_walked(struct rename *r)
{
    int err = umvfs_walk_parent(&r->to);
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
        return r->flags & UMVFS_RENAME_WHITEOUT ? -UMVFS_EINVAL : rename_foreign(r);
    if (!(r->flags & UMVFS_RENAME_EXCHANGE))
        err = prepare(r);
    if (err)
        return err;
    if (r->flags & UMVFS_RENAME_WHITEOUT)
        err = prepare_whiteout(r);
    if (err) {
        unprepare(r);
        return err;
    }
    touch(r);
    if (r->flags & UMVFS_RENAME_EXCHANGE)
        exchange(r);
    else
        move(r);
    return 0;
}

int umvfs_rename(const struct umvfs_task *task, const struct umvfs_path *old_at,
                 const char *old_path, const struct umvfs_path *new_at, const char *new_path,
                 unsigned flags)
{
    struct rename r;
    const unsigned others = UMVFS_RENAME_NOREPLACE | UMVFS_RENAME_WHITEOUT;
    if (flags & ~(others | UMVFS_RENAME_EXCHANGE) ||
        (flags & UMVFS_RENAME_EXCHANGE && flags & others))
        return -UMVFS_EINVAL;
    r.flags = flags;
    r.target = NULL;
    r.far = NULL;
    r.whiteout = NULL;
    int err = umvfs_walk_init(&r.from, task, old_at, old_path, 0, 0);
    if (err)
        return err;
    err = umvfs_walk_parent(&r.from);
    if (!err)
        err = umvfs_walk_init(&r.to, task, new_at, new_path, 0, 0);
    if (!err) {
        err = rename_walked(&r);
        umvfs_walk_end(&r.to);
    }
    umvfs_walk_end(&r.from);
    return err;
}
