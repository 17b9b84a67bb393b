#include "walk.h"

#include "dcache.h"
#include "foreign.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"

static void hold(struct umvfs_walk *w, struct umvfs_path counted)
{
    struct umvfs_path old = w->held;
    w->held = counted;
    if (old.mnt)
        umvfs_place_drop(old.mnt, old.dentry);
}

static void free_text(struct umvfs_walk *w)
{
    struct umvfs *vfs = w->task->vfs;
    if (w->text[w->depth].link)
        umvfs_inode_drop(w->text[w->depth].link);
    if (w->text[w->depth].buf)
        vfs->cfg.free(vfs->cfg.ctx, w->text[w->depth].buf, UMVFS_PATH_MAX);
    w->text[w->depth].link = NULL;
    w->text[w->depth].buf = NULL;
}

void umvfs_walk_release(struct umvfs_walk *w)
{
    free_text(w);
    while (w->depth > 0) {
        w->depth--;
        free_text(w);
    }
    hold(w, (struct umvfs_path){0});
}

/* Whether the caller's string is within UMVFS_PATH_MAX; looked at once, at the end of the string or
 * when the walk fails before it. */
static int check_length(struct umvfs_walk *w)
{
    const char *p = w->start;
    w->start = NULL;
    for (size_t len = 0; p && p[len]; len++) {
        if (len + 1u >= UMVFS_PATH_MAX)
            return -UMVFS_ENAMETOOLONG;
    }
    return 0;
}

static int fail(struct umvfs_walk *w, int err)
{
    int too_long = check_length(w);
    return too_long ? too_long : err;
}

static inline int set_start(struct umvfs_walk *w, const struct umvfs_path *at, const char *path)
{
    const struct umvfs_path *from = at ? at : &w->task->cwd;
    bool scoped = w->resolve & (UMVFS_RESOLVE_BENEATH | UMVFS_RESOLVE_IN_ROOT);
    w->root = scoped ? *from : w->task->root;
    if (*path == '/' && w->resolve & UMVFS_RESOLVE_BENEATH)
        return -UMVFS_EXDEV;
    if (*path == '/')
        from = &w->root;
    if (*path == '/' && scoped && !umvfs_is_dir(from->dentry->inode))
        return -UMVFS_ENOTDIR;
    w->mnt = from->mnt;
    w->dentry = from->dentry;
    return 0;
}

static inline int walk_init(struct umvfs_walk *w, const struct umvfs_task *task,
                            const struct umvfs_path *at, const char *path, unsigned flags,
                            unsigned resolve)
{
    const unsigned both = UMVFS_RESOLVE_BENEATH | UMVFS_RESOLVE_IN_ROOT;
    if (resolve & ~UMVFS_RESOLVE_ALL || (resolve & both) == both)
        return -UMVFS_EINVAL;
    if (!*path && !(flags & UMVFS_AT_EMPTY_PATH))
        return -UMVFS_ENOENT;
    w->task = task;
    w->held = (struct umvfs_path){0};
    w->start = path;
    w->must_be_dir = false;
    w->below = NULL;
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

int umvfs_walk_init(struct umvfs_walk *w, const struct umvfs_task *task,
                    const struct umvfs_path *at, const char *path, unsigned flags, unsigned resolve)
{
    return walk_init(w, task, at, path, flags, resolve);
}

static bool is_below(const struct umvfs_dentry *dentry, const struct umvfs_dentry *top)
{
    while (dentry != top && dentry->parent != dentry)
        dentry = dentry->parent;
    return dentry == top;
}

/* Whether the place reached is in its mount's tree. A walk that stays there asks once: each further step up is
 * from below the root, as each step down and each way back from a mount point is. */
static bool is_in_mount(struct umvfs_walk *w)
{
    const struct umvfs_mount *mnt = w->mnt;
    if (mnt->root == mnt->sb->root || mnt == w->below)
        return true;
    if (!is_below(w->dentry, mnt->root))
        return false;
    w->below = mnt;
    return true;
}

/* One step up: never above the root of the walk, out of mounts to their mount points, and not out
 * of a bind mount whose directory has been moved away. */
static int step_up(struct umvfs_walk *w)
{
    for (;;) {
        if (w->dentry == w->root.dentry && w->mnt == w->root.mnt) {
            if (w->resolve & UMVFS_RESOLVE_BENEATH)
                return -UMVFS_EXDEV;
            break;
        }
        if (w->dentry != w->mnt->root) {
            if (!is_in_mount(w))
                return -UMVFS_ENOENT;
            w->dentry = w->dentry->parent;
            break;
        }
        if (!w->mnt->parent)
            break;
        if (w->resolve & UMVFS_RESOLVE_NO_XDEV)
            return -UMVFS_EXDEV;
        w->dentry = w->mnt->point;
        w->mnt = w->mnt->parent;
    }
    struct umvfs_mount *before = w->mnt;
    umvfs_mount_cross(&w->mnt, &w->dentry);
    return w->mnt != before && w->resolve & UMVFS_RESOLVE_NO_XDEV ? -UMVFS_EXDEV : 0;
}

static int find_child(struct umvfs_walk *w, const struct umvfs_name *name,
                      struct umvfs_dentry **out)
{
    struct umvfs_dentry *dir = w->dentry;
    if (!umvfs_is_foreign(dir->inode)) {
        *out = umvfs_table_find(w->task->vfs, dir, name);
        return *out ? 0 : -UMVFS_ENOENT;
    }
    struct umvfs_dentry *child;
    int err = umvfs_foreign_lookup(dir, name, &child);
    if (err)
        return err;
    w->mnt->refs++;
    hold(w, (struct umvfs_path){w->mnt, child});
    *out = child;
    return 0;
}

/* A removed directory has no names, not even too long ones. */
static int check_name_length(const struct umvfs_walk *w, size_t len)
{
    if (len <= UMVFS_NAME_MAX)
        return 0;
    return w->dentry->inode->flags & INODE_DEAD ? -UMVFS_ENOENT : -UMVFS_ENAMETOOLONG;
}

int umvfs_walk_child(struct umvfs_walk *w, struct umvfs_dentry **out)
{
    int err = check_name_length(w, w->last.len);
    if (err)
        return err;
    return find_child(w, &w->last, out);
}

int umvfs_walk_onto(struct umvfs_walk *w, struct umvfs_dentry *child)
{
    struct umvfs_mount *before = w->mnt;
    w->dentry = child;
    if (child->flags & DENTRY_MOUNTED)
        umvfs_mount_cross(&w->mnt, &w->dentry);
    return w->mnt != before && w->resolve & UMVFS_RESOLVE_NO_XDEV ? -UMVFS_EXDEV : 0;
}

/* A magic link leads straight to a place. */
static int jump(struct umvfs_walk *w, struct umvfs_inode *link)
{
    const struct umvfs_fs_ops *ops = umvfs_ops(link);
    struct umvfs_path to;
    if (!ops->follow)
        return -UMVFS_ENOSYS;
    int err = ops->follow(link->sb->fs, link->u.foreign.node, w->task, &to);
    if (err)
        return err;
    w->task->vfs->users--; /* the reference becomes the library's */
    if (w->resolve & UMVFS_RESOLVE_NO_MAGICLINKS)
        err = -UMVFS_ELOOP;
    else if (w->resolve & (UMVFS_RESOLVE_BENEATH | UMVFS_RESOLVE_IN_ROOT) ||
             (w->resolve & UMVFS_RESOLVE_NO_XDEV && to.mnt != w->mnt))
        err = -UMVFS_EXDEV;
    if (err) {
        umvfs_place_drop(to.mnt, to.dentry);
        return err;
    }
    w->mnt = to.mnt;
    w->dentry = to.dentry;
    w->below = NULL;
    hold(w, to);
    return 0;
}

static int count_text(struct umvfs_walk *w, uint64_t size)
{
    w->link_text += (unsigned)size;
    return w->link_text > UMVFS_LINK_TEXT_MAX ? -UMVFS_ELOOP : 0;
}

/* The contents of a link as the text of the current depth. */
static int read_link(struct umvfs_walk *w, struct umvfs_inode *link)
{
    struct umvfs *vfs = w->task->vfs;
    if (!umvfs_is_foreign(link)) {
        link->refs++;
        w->text[w->depth].link = link;
        w->text[w->depth].next = link->u.link.target;
        return count_text(w, link->size);
    }
    const struct umvfs_fs_ops *ops = umvfs_ops(link);
    if (!ops->readlink)
        return -UMVFS_EINVAL;
    char *buf = vfs->cfg.alloc(vfs->cfg.ctx, UMVFS_PATH_MAX);
    if (!buf)
        return -UMVFS_ENOMEM;
    w->text[w->depth].buf = buf;
    w->text[w->depth].next = buf;
    int len = ops->readlink(link->sb->fs, link->u.foreign.node, buf, UMVFS_PATH_MAX - 1u);
    buf[len > 0 ? len : 0] = '\0';
    if (len <= 0)
        return len < 0 ? len : -UMVFS_ENOENT;
    return count_text(w, (uint64_t)len);
}

/* Where the link's contents start: at the root, or where the link is. */
static int start_of_link(struct umvfs_walk *w, struct umvfs_mount *mnt, struct umvfs_dentry *dir)
{
    w->mnt = mnt;
    w->dentry = dir;
    if (*w->text[w->depth].next != '/')
        return 0;
    if (w->resolve & UMVFS_RESOLVE_BENEATH)
        return -UMVFS_EXDEV;
    if (w->resolve & UMVFS_RESOLVE_NO_XDEV && w->root.mnt != mnt)
        return -UMVFS_EXDEV;
    w->mnt = w->root.mnt;
    w->dentry = w->root.dentry;
    w->below = NULL;
    return 0;
}

/* Takes the link that the walk stands on, found in dir. What follows it is walked after its
 * contents; if nothing does, its contents take the place of the current text, so that the depth
 * stays below the number of links. */
static int enter_link(struct umvfs_walk *w, struct umvfs_mount *mnt, struct umvfs_dentry *dir)
{
    struct umvfs_inode *link = w->dentry->inode;
    if (w->resolve & UMVFS_RESOLVE_NO_SYMLINKS || w->mnt->flags & UMVFS_MS_NOSYMFOLLOW)
        return -UMVFS_ELOOP;
    if (w->links++ >= UMVFS_SYMLINK_MAX)
        return -UMVFS_ELOOP;
    umvfs_touch_atime(w->mnt, link);
    link->refs++;
    int err = umvfs_is_foreign(link) ? jump(w, link) : -UMVFS_ENOSYS;
    if (err == -UMVFS_ENOSYS) {
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
    umvfs_inode_drop(link);
    return err;
}

/* One component that is not the last of the walk. */
static int step(struct umvfs_walk *w, const struct umvfs_name *name, enum walk_last type)
{
    struct umvfs_mount *mnt = w->mnt;
    struct umvfs_dentry *dir = w->dentry;
    struct umvfs_dentry *child;
    if (type == WALK_DOT)
        return 0;
    if (type == WALK_DOTDOT)
        return step_up(w);
    int err = check_name_length(w, name->len);
    if (!err)
        err = find_child(w, name, &child);
    if (!err)
        err = umvfs_walk_onto(w, child);
    if (!err && w->dentry->flags & DENTRY_SYMLINK)
        err = enter_link(w, mnt, dir);
    return err;
}

static inline enum walk_last type_of(const struct umvfs_name *name)
{
    if (name->word[0] == '.')
        return WALK_DOT;
    return name->word[0] == ('.' << 8 | '.') ? WALK_DOTDOT : WALK_NAME;
}

/* Whether names may be looked for in the place reached. */
static inline int may_enter(const struct umvfs_walk *w)
{
    const struct umvfs_inode *dir = w->dentry->inode;
    if (umvfs_all_may_search(dir))
        return 0;
    return umvfs_is_dir(dir) ? umvfs_may_search(dir, w->task->cred) : -UMVFS_ENOTDIR;
}

/* Nothing is left of the current text but slashes up to its end. Says whether it was the outermost.
 */
static bool end_text(struct umvfs_walk *w, const char *end)
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
static void set_last(struct umvfs_walk *w, const struct umvfs_name *name)
{
    w->last = *name;
    w->last_type = type_of(name);
}

/* The rest of a text whose last component may be the last of all. */
static inline int walk_text(struct umvfs_walk *w)
{
    const char *text = w->text[w->depth].next;
    for (;;) {
        text = umvfs_skip_slashes(text);
        if (!*text) {
            if (end_text(w, text))
                return 0;
            text = w->text[w->depth].next;
            continue;
        }
        int err = may_enter(w);
        if (err)
            return err;
        struct umvfs_name name = umvfs_name_scan(w->task->vfs, w->dentry->inode, text);
        const char *end = text + name.len;
        text = umvfs_skip_slashes(end);
        w->text[w->depth].next = text;
        if (!*text && w->depth == 0) {
            w->must_be_dir |= text != end;
            set_last(w, &name);
            return 0;
        }
        struct umvfs_dentry *child = umvfs_plain_child(w->task->vfs, w->dentry, &name);
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

int umvfs_walk_parent(struct umvfs_walk *w)
{
    w->last_type = WALK_ROOT;
    int err = walk_text(w);
    if (err)
        return fail(w, err);
    if (w->start && w->text[0].next - w->start < (ptrdiff_t)UMVFS_PATH_MAX)
        w->start = NULL;
    return w->start ? -UMVFS_ENAMETOOLONG : 0;
}

int umvfs_walk_follow(struct umvfs_walk *w, struct umvfs_mount *mnt, struct umvfs_dentry *dir)
{
    struct umvfs_inode *link = w->dentry->inode;
    int err = umvfs_may_follow(dir->inode, link, w->task->cred);
    if (!err)
        err = enter_link(w, mnt, dir);
    return err ? err : umvfs_walk_parent(w);
}

int umvfs_walk_last(struct umvfs_walk *w, bool follow)
{
    for (;;) {
        struct umvfs_mount *mnt = w->mnt;
        struct umvfs_dentry *dir = w->dentry;
        struct umvfs_dentry *child;
        int err = 0;
        if (w->last_type == WALK_DOTDOT)
            err = step_up(w);
        if (err)
            return err;
        if (w->last_type != WALK_NAME)
            break;
        err = umvfs_walk_child(w, &child);
        if (!err)
            err = umvfs_walk_onto(w, child);
        if (err)
            return err;
        if (!(w->dentry->flags & DENTRY_SYMLINK) || !(follow || w->must_be_dir))
            break;
        err = umvfs_walk_follow(w, mnt, dir);
        if (err)
            return err;
    }
    return w->must_be_dir && !umvfs_is_dir(w->dentry->inode) ? -UMVFS_ENOTDIR : 0;
}

int umvfs_walk_rest(struct umvfs_walk *w, unsigned flags)
{
    int err = umvfs_walk_parent(w);
    if (!err && (w->last_type != WALK_ROOT || w->must_be_dir))
        err = umvfs_walk_last(w, !(flags & UMVFS_AT_SYMLINK_NOFOLLOW));
    if (err)
        umvfs_walk_end(w);
    return err;
}

int umvfs_walk(struct umvfs_walk *w, const struct umvfs_task *task, const struct umvfs_path *at,
               const char *path, unsigned flags, unsigned resolve)
{
    int err = walk_init(w, task, at, path, flags, resolve);
    if (err)
        return err;
    umvfs_walk_straight(task->vfs, &w->dentry, &w->text[0].next);
    return umvfs_walk_rest(w, flags);
}
