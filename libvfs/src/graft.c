/* The end of an import: the detached tree joins the target. Directories that both have are merged;
 * other names must be free in the target, or may be replaced. First everything is checked and every
 * place in the target's directories is reserved; then all is moved, and nothing can fail. */
#include "import.h"

#include "dcache.h"
#include "inode.h"
#include "memory.h"
#include "radix.h"

/* A pass over all pairs of merged directories and the entries of the detached one. */
struct pass {
    struct umvfs_import *imp;
    struct umvfs_dentry *from; /* in the detached tree */
    struct umvfs_dentry *to;   /* its counterpart in the target */
    uint64_t cookie;           /* where in from to go on */
};

static struct umvfs_dentry *counterpart(const struct pass *p, const struct umvfs_dentry *child)
{
    return umvfs_find(p->imp->task.vfs, p->to, umvfs_dentry_name(child), child->name_len);
}

static bool merges(const struct umvfs_dentry *child, const struct umvfs_dentry *there)
{
    return there && umvfs_is_dir(child->inode) && umvfs_is_dir(there->inode);
}

/* How many entries of from will need places in to. */
static uint64_t count_new(const struct pass *p)
{
    uint64_t count = 0;
    uint64_t cookie = 0;
    struct umvfs_dentry *child;
    for (; (child = umvfs_dir_next(p->from->inode, &cookie)); cookie++)
        count += !counterpart(p, child);
    return count;
}

static void release(const struct pass *p)
{
    struct umvfs_inode *inode = p->to->inode;
    struct umvfs_dir *dir = inode->u.dir.dir;
    uint64_t count = count_new(p);
    for (uint64_t i = 0; i < count; i++)
        umvfs_radix_clear(inode->sb, &dir->order, RADIX_DIR_BITS, dir->next_cookie + i);
}

static int reserve(const struct pass *p)
{
    struct umvfs_inode *inode = p->to->inode;
    struct umvfs_dir *dir = inode->u.dir.dir;
    uint64_t count = count_new(p);
    int err = count > DIR_COOKIE_MAX + 1u - dir->next_cookie || count > UINT32_MAX - dir->count
                  ? -UMVFS_ENOSPC
                  : 0;
    for (uint64_t i = 0; i < count && !err; i++)
        err = umvfs_radix_reserve(inode->sb, &dir->order, RADIX_DIR_BITS, dir->next_cookie + i);
    return err ? umvfs_import_fail_with(p->imp, UMVFS_ARCHIVE_NO_SPACE, err) : 0;
}

static int check_child(const struct pass *p, struct umvfs_dentry *child)
{
    struct umvfs_import *imp = p->imp;
    const struct umvfs_dentry *there = counterpart(p, child);
    if (!there)
        return 0;
    if (imp->options.replace && !umvfs_is_dir(child->inode) && !umvfs_is_dir(there->inode) &&
        !(there->flags & DENTRY_MOUNTED))
        return 0;
    imp->entry.name_len = child->name_len;
    memcpy(imp->entry.name, umvfs_dentry_name(child), child->name_len);
    return umvfs_import_fail(imp, UMVFS_ARCHIVE_CONFLICT);
}

/* A directory takes over what the archive said of its counterpart. */
static void merge_attributes(const struct pass *p)
{
    struct umvfs_inode *from = p->from->inode;
    struct umvfs_inode *to = p->to->inode;
    if (p->from == p->imp->top && !p->imp->top_given)
        return;
    const uint16_t acls = INODE_ACL | INODE_DEFAULT_ACL;
    to->mode = from->mode;
    to->flags = (uint16_t)((to->flags & ~acls) | (from->flags & acls));
    to->uid = from->uid;
    to->gid = from->gid;
    umvfs_set_atime(to, umvfs_atime(from));
    umvfs_set_mtime(to, umvfs_mtime(from));
    struct umvfs_xattr *old = to->xattrs;
    to->xattrs = from->xattrs;
    from->xattrs = old;
}

static void take_place_of(struct umvfs_dentry *there, struct umvfs_dentry *child)
{
    struct umvfs_dir *dir = there->parent->inode->u.dir.dir;
    there->inode->nlink--;
    umvfs_touch_ctime(there->inode);
    umvfs_table_del(there->inode->sb->vfs, there);
    there->flags &= (uint8_t)~DENTRY_LINKED;
    there->flags |= DENTRY_DEAD;
    child->cookie = there->cookie;
    umvfs_radix_set(&dir->order, RADIX_DIR_BITS, there->cookie, child);
    umvfs_dentry_drop(there);
}

static void take_new_place(struct umvfs_dentry *to, struct umvfs_dentry *child)
{
    struct umvfs_dir *dir = to->inode->u.dir.dir;
    child->cookie = dir->next_cookie & DIR_COOKIE_MAX;
    umvfs_radix_set(&dir->order, RADIX_DIR_BITS, dir->next_cookie, child);
    dir->next_cookie++;
    dir->count++;
    to->inode->nlink += umvfs_is_dir(child->inode);
}

static int move_child(const struct pass *p, struct umvfs_dentry *child)
{
    struct umvfs *vfs = p->imp->task.vfs;
    struct umvfs_dir *dir = p->from->inode->u.dir.dir;
    struct umvfs_dentry *there = counterpart(p, child);
    umvfs_table_del(vfs, child);
    umvfs_radix_clear(p->imp->sb, &dir->order, RADIX_DIR_BITS, child->cookie);
    dir->count--;
    p->from->inode->nlink -= umvfs_is_dir(child->inode);
    if (there)
        take_place_of(there, child);
    else
        take_new_place(p->to, child);
    p->to->refs++;
    umvfs_dentry_drop(child->parent);
    child->parent = p->to;
    umvfs_dentry_rehash(child);
    umvfs_table_add(vfs, child);
    return 0;
}

/* Runs one pass: `enter` for each pair, before its entries; `visit` for each entry that is not a
 * pair itself. An entry may leave the directory while it is visited. */
static int run(struct umvfs_import *imp, int (*enter)(const struct pass *p),
               int (*visit)(const struct pass *p, struct umvfs_dentry *child))
{
    struct pass p = {.imp = imp, .from = imp->top, .to = imp->target.dentry};
    int err = enter(&p);
    while (!err) {
        struct umvfs_dentry *child = umvfs_dir_next(p.from->inode, &p.cookie);
        struct umvfs_dentry *there = child ? counterpart(&p, child) : NULL;
        if (child && merges(child, there)) {
            p.from = child;
            p.to = there;
            p.cookie = 0;
            err = enter(&p);
        } else if (child) {
            err = visit(&p, child);
            p.cookie++;
        } else if (p.from != imp->top) {
            p.cookie = p.from->cookie + 1u;
            p.from = p.from->parent;
            p.to = p.to->parent;
        } else {
            break;
        }
    }
    return err;
}

static int enter_release(const struct pass *p)
{
    release(p);
    return 0;
}

static int visit_nothing(const struct pass *p, struct umvfs_dentry *child)
{
    (void)p;
    (void)child;
    return 0;
}

static int enter_move(const struct pass *p)
{
    umvfs_touch_mtime(p->to->inode);
    merge_attributes(p);
    return 0;
}

int umvfs_import_graft(struct umvfs_import *imp)
{
    int err = run(imp, reserve, check_child);
    if (err) {
        run(imp, enter_release, visit_nothing);
        return err;
    }
    return run(imp, enter_move, move_child);
}
