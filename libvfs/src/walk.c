#include "walk.h"

#include "dcache.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"

static void hold(struct vfs_walk *w, struct vfs_path counted)
{
    struct vfs_path old = w->held;
    w->held = counted;
    if (old.mnt)
        vfs_place_drop(old.mnt, old.dentry);
}

static void free_text(struct vfs_walk *w)
{
    struct vfs *vfs = w->task->vfs;
    if (w->text[w->depth].link)
        vfs_inode_drop(w->text[w->depth].link);
    if (w->text[w->depth].buf)
        vfs->cfg.free(vfs->cfg.ctx, w->text[w->depth].buf, VFS_PATH_MAX);
    w->text[w->depth].link = NULL;
    w->text[w->depth].buf = NULL;
}

void vfs_walk_release(struct vfs_walk *w)
{
    free_text(w);
    while (w->depth > 0) {
        w->depth--;
        free_text(w);
    }
    hold(w, (struct vfs_path){0});
}

/* Whether the caller's string is within VFS_PATH_MAX; looked at once, at the end of the string or
 * when the walk fails before it. */
static int check_length(struct vfs_walk *w)
{
    const char *p = w->start;
    w->start = NULL;
    for (size_t len = 0; p && p[len]; len++) {
        if (len + 1u >= VFS_PATH_MAX)
            return -VFS_ENAMETOOLONG;
    }
    return 0;
}

static int fail(struct vfs_walk *w, int err)
{
    int too_long = check_length(w);
    return too_long ? too_long : err;
}

static inline int set_start(struct vfs_walk *w, const struct vfs_path *at, const char *path)
{
    const struct vfs_path *from = at ? at : &w->task->cwd;
    bool scoped = w->resolve & (VFS_RESOLVE_BENEATH | VFS_RESOLVE_IN_ROOT);
    w->root = scoped ? *from : w->task->root;
    if (*path == '/' && w->resolve & VFS_RESOLVE_BENEATH)
        return -VFS_EXDEV;
    if (*path == '/')
        from = &w->root;
    w->mnt = from->mnt;
    w->dentry = from->dentry;
    return 0;
}

static inline int walk_init(struct vfs_walk *w, const struct vfs_task *task,
                            const struct vfs_path *at, const char *path, unsigned flags,
                            unsigned resolve)
{
    const unsigned both = VFS_RESOLVE_BENEATH | VFS_RESOLVE_IN_ROOT;
    if (resolve & ~VFS_RESOLVE_ALL || (resolve & both) == both)
        return -VFS_EINVAL;
    if (!*path && !(flags & VFS_AT_EMPTY_PATH))
        return -VFS_ENOENT;
    w->task = task;
    w->held = (struct vfs_path){0};
    w->start = path;
    w->must_be_dir = false;
    w->resolve = resolve;
    w->links = 0;
    w->link_text = 0;
    w->depth = 0;
    w->text[0].next = path;
    w->text[0].link = NULL;
    w->text[0].buf = NULL;
    int err = set_start(w, at, path);
    return err ? fail(w, err) : 0;
}

int vfs_walk_init(struct vfs_walk *w, const struct vfs_task *task, const struct vfs_path *at,
                  const char *path, unsigned flags, unsigned resolve)
{
    return walk_init(w, task, at, path, flags, resolve);
}

static bool is_below(const struct vfs_dentry *dentry, const struct vfs_dentry *top)
{
    while (dentry != top && dentry->parent != dentry)
        dentry = dentry->parent;
    return dentry == top;
}

/* One step up: never above the root of the walk, out of mounts to their mount points, and not out
 * of a bind mount whose directory has been moved away. */
static int step_up(struct vfs_walk *w)
{
    for (;;) {
        if (w->dentry == w->root.dentry && w->mnt == w->root.mnt) {
            if (w->resolve & VFS_RESOLVE_BENEATH)
                return -VFS_EXDEV;
            break;
        }
        if (w->dentry != w->mnt->root) {
            if (w->mnt->root != w->mnt->sb->root && !is_below(w->dentry, w->mnt->root))
                return -VFS_ENOENT;
            w->dentry = w->dentry->parent;
            break;
        }
        if (!w->mnt->parent)
            break;
        if (w->resolve & VFS_RESOLVE_NO_XDEV)
            return -VFS_EXDEV;
        w->dentry = w->mnt->point;
        w->mnt = w->mnt->parent;
    }
    struct vfs_mount *before = w->mnt;
    vfs_mount_cross(&w->mnt, &w->dentry);
    return w->mnt != before && w->resolve & VFS_RESOLVE_NO_XDEV ? -VFS_EXDEV : 0;
}

static int find_child(struct vfs_walk *w, const struct vfs_name *name, struct vfs_dentry **out)
{
    struct vfs_dentry *dir = w->dentry;
    if (!vfs_is_foreign(dir->inode)) {
        *out = vfs_table_find(w->task->vfs, dir, name);
        return *out ? 0 : -VFS_ENOENT;
    }
    struct vfs_dentry *child;
    int err = vfs_foreign_lookup(dir, name, &child);
    if (err)
        return err;
    w->mnt->refs++;
    hold(w, (struct vfs_path){w->mnt, child});
    *out = child;
    return 0;
}

/* A removed directory has no names, not even too long ones. */
static int check_name_length(const struct vfs_walk *w, size_t len)
{
    if (len <= VFS_NAME_MAX)
        return 0;
    return w->dentry->inode->flags & INODE_DEAD ? -VFS_ENOENT : -VFS_ENAMETOOLONG;
}

int vfs_walk_child(struct vfs_walk *w, struct vfs_dentry **out)
{
    int err = check_name_length(w, w->last.len);
    if (err)
        return err;
    return find_child(w, &w->last, out);
}

int vfs_walk_onto(struct vfs_walk *w, struct vfs_dentry *child)
{
    struct vfs_mount *before = w->mnt;
    w->dentry = child;
    if (child->flags & DENTRY_MOUNTED)
        vfs_mount_cross(&w->mnt, &w->dentry);
    return w->mnt != before && w->resolve & VFS_RESOLVE_NO_XDEV ? -VFS_EXDEV : 0;
}

/* A magic link leads straight to a place. */
static int jump(struct vfs_walk *w, struct vfs_inode *link)
{
    const struct vfs_fs_ops *ops = vfs_ops(link);
    struct vfs_path to;
    if (!ops->follow)
        return -VFS_ENOSYS;
    int err = ops->follow(link->sb->fs, link->u.foreign.node, w->task, &to);
    if (err)
        return err;
    w->task->vfs->users--; /* the reference becomes the library's */
    if (w->resolve & VFS_RESOLVE_NO_MAGICLINKS)
        err = -VFS_ELOOP;
    else if (w->resolve & (VFS_RESOLVE_BENEATH | VFS_RESOLVE_IN_ROOT) ||
             (w->resolve & VFS_RESOLVE_NO_XDEV && to.mnt != w->mnt))
        err = -VFS_EXDEV;
    if (err) {
        vfs_place_drop(to.mnt, to.dentry);
        return err;
    }
    w->mnt = to.mnt;
    w->dentry = to.dentry;
    hold(w, to);
    return 0;
}

static int count_text(struct vfs_walk *w, uint64_t size)
{
    w->link_text += (unsigned)size;
    return w->link_text > VFS_LINK_TEXT_MAX ? -VFS_ELOOP : 0;
}

/* The contents of a link as the text of the current depth. */
static int read_link(struct vfs_walk *w, struct vfs_inode *link)
{
    struct vfs *vfs = w->task->vfs;
    if (!vfs_is_foreign(link)) {
        link->refs++;
        w->text[w->depth].link = link;
        w->text[w->depth].next = link->u.link.target;
        return count_text(w, link->size);
    }
    const struct vfs_fs_ops *ops = vfs_ops(link);
    if (!ops->readlink)
        return -VFS_EINVAL;
    char *buf = vfs->cfg.alloc(vfs->cfg.ctx, VFS_PATH_MAX);
    if (!buf)
        return -VFS_ENOMEM;
    w->text[w->depth].buf = buf;
    w->text[w->depth].next = buf;
    int len = ops->readlink(link->sb->fs, link->u.foreign.node, buf, VFS_PATH_MAX - 1u);
    buf[len > 0 ? len : 0] = '\0';
    if (len <= 0)
        return len < 0 ? len : -VFS_ENOENT;
    return count_text(w, (uint64_t)len);
}

/* Where the link's contents start: at the root, or where the link is. */
static int start_of_link(struct vfs_walk *w, struct vfs_mount *mnt, struct vfs_dentry *dir)
{
    w->mnt = mnt;
    w->dentry = dir;
    if (*w->text[w->depth].next != '/')
        return 0;
    if (w->resolve & VFS_RESOLVE_BENEATH)
        return -VFS_EXDEV;
    if (w->resolve & VFS_RESOLVE_NO_XDEV && w->root.mnt != mnt)
        return -VFS_EXDEV;
    w->mnt = w->root.mnt;
    w->dentry = w->root.dentry;
    return 0;
}

/* Takes the link that the walk stands on, found in dir. What follows it is walked after its
 * contents; if nothing does, its contents take the place of the current text, so that the depth
 * stays below the number of links. */
static int enter_link(struct vfs_walk *w, struct vfs_mount *mnt, struct vfs_dentry *dir)
{
    struct vfs_inode *link = w->dentry->inode;
    if (w->resolve & VFS_RESOLVE_NO_SYMLINKS || w->mnt->flags & VFS_MS_NOSYMFOLLOW)
        return -VFS_ELOOP;
    if (w->links++ >= VFS_SYMLINK_MAX)
        return -VFS_ELOOP;
    vfs_touch_atime(w->mnt, link);
    link->refs++;
    int err = vfs_is_foreign(link) ? jump(w, link) : -VFS_ENOSYS;
    if (err == -VFS_ENOSYS) {
        if (*w->text[w->depth].next) {
            w->depth++;
            w->text[w->depth].link = NULL;
            w->text[w->depth].buf = NULL;
        } else {
            free_text(w);
        }
        err = read_link(w, link);
        if (!err)
            err = start_of_link(w, mnt, dir);
    }
    vfs_inode_drop(link);
    return err;
}

/* One component that is not the last of the walk. */
static int step(struct vfs_walk *w, const struct vfs_name *name, enum walk_last type)
{
    struct vfs_mount *mnt = w->mnt;
    struct vfs_dentry *dir = w->dentry;
    struct vfs_dentry *child;
    if (type == WALK_DOT)
        return 0;
    if (type == WALK_DOTDOT)
        return step_up(w);
    int err = check_name_length(w, name->len);
    if (!err)
        err = find_child(w, name, &child);
    if (!err)
        err = vfs_walk_onto(w, child);
    if (!err && w->dentry->flags & DENTRY_SYMLINK)
        err = enter_link(w, mnt, dir);
    return err;
}

static inline enum walk_last type_of(const struct vfs_name *name)
{
    if (name->word[0] == '.')
        return WALK_DOT;
    return name->word[0] == ('.' << 8 | '.') ? WALK_DOTDOT : WALK_NAME;
}

/* Whether names may be looked for in the place reached. */
static inline int may_enter(const struct vfs_walk *w)
{
    const struct vfs_inode *dir = w->dentry->inode;
    if (vfs_all_may_search(dir))
        return 0;
    return vfs_is_dir(dir) ? vfs_may_search(dir, w->task->cred) : -VFS_ENOTDIR;
}

/* Nothing is left of the current text but slashes up to its end. Says whether it was the outermost.
 */
static bool end_text(struct vfs_walk *w, const char *end)
{
    if (w->depth > 0) {
        free_text(w);
        w->depth--;
        return false;
    }
    w->must_be_dir |= end != w->text[0].next;
    w->text[0].next = end;
    return true;
}

/* The last component of the walk, which is left to the caller. */
static void set_last(struct vfs_walk *w, const struct vfs_name *name)
{
    w->last = *name;
    w->last_type = type_of(name);
}

/* The rest of a text whose last component may be the last of all. */
static inline int walk_text(struct vfs_walk *w)
{
    const char *text = w->text[w->depth].next;
    for (;;) {
        text = vfs_skip_slashes(text);
        if (!*text) {
            if (end_text(w, text))
                return 0;
            text = w->text[w->depth].next;
            continue;
        }
        int err = may_enter(w);
        if (err)
            return err;
        struct vfs_name name = vfs_name_scan(w->task->vfs, w->dentry->inode, text);
        const char *end = text + name.len;
        text = vfs_skip_slashes(end);
        w->text[w->depth].next = text;
        if (!*text && w->depth == 0) {
            w->must_be_dir |= text != end;
            set_last(w, &name);
            return 0;
        }
        struct vfs_dentry *child = vfs_plain_child(w->task->vfs, w->dentry, &name);
        if (child) {
            w->dentry = child;
            continue;
        }
        err = step(w, &name, type_of(&name));
        if (err)
            return err;
        text = w->text[w->depth].next;
    }
}

int vfs_walk_parent(struct vfs_walk *w)
{
    w->last_type = WALK_ROOT;
    int err = walk_text(w);
    if (err)
        return fail(w, err);
    if (w->start && w->text[0].next - w->start < (ptrdiff_t)VFS_PATH_MAX)
        w->start = NULL;
    return w->start ? -VFS_ENAMETOOLONG : 0;
}

int vfs_walk_follow(struct vfs_walk *w, struct vfs_mount *mnt, struct vfs_dentry *dir)
{
    struct vfs_inode *link = w->dentry->inode;
    int err = vfs_may_follow(dir->inode, link, w->task->cred);
    if (!err)
        err = enter_link(w, mnt, dir);
    return err ? err : vfs_walk_parent(w);
}

int vfs_walk_last(struct vfs_walk *w, bool follow)
{
    for (;;) {
        struct vfs_mount *mnt = w->mnt;
        struct vfs_dentry *dir = w->dentry;
        struct vfs_dentry *child;
        int err = 0;
        if (w->last_type == WALK_DOTDOT)
            err = step_up(w);
        if (err)
            return err;
        if (w->last_type != WALK_NAME)
            break;
        err = vfs_walk_child(w, &child);
        if (!err)
            err = vfs_walk_onto(w, child);
        if (err)
            return err;
        if (!(w->dentry->flags & DENTRY_SYMLINK) || !(follow || w->must_be_dir))
            break;
        err = vfs_walk_follow(w, mnt, dir);
        if (err)
            return err;
    }
    return w->must_be_dir && !vfs_is_dir(w->dentry->inode) ? -VFS_ENOTDIR : 0;
}

int vfs_walk_rest(struct vfs_walk *w, unsigned flags)
{
    int err = vfs_walk_parent(w);
    if (!err && (w->last_type != WALK_ROOT || w->must_be_dir))
        err = vfs_walk_last(w, !(flags & VFS_AT_SYMLINK_NOFOLLOW));
    if (err)
        vfs_walk_end(w);
    return err;
}

int vfs_walk(struct vfs_walk *w, const struct vfs_task *task, const struct vfs_path *at,
             const char *path, unsigned flags, unsigned resolve)
{
    int err = walk_init(w, task, at, path, flags, resolve);
    if (err)
        return err;
    vfs_walk_straight(task->vfs, &w->dentry, &w->text[0].next);
    return vfs_walk_rest(w, flags);
}
