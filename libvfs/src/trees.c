#include <umvfs/tree.h>

#include <umvfs/attr.h>
#include <umvfs/file.h>

#include "inode.h"
#include "walk.h"

/* A directory whose entries are being visited. Levels are the instance's memory, not charged. */
struct level {
    struct level *up;
    struct umvfs_file file;
    uint64_t bound; /* inodes of its file system from this number on are too new to be entered */
};

struct tree {
    const struct umvfs_task *task;
    umvfs_visitor visit;
    void *ctx;
    struct level *level; /* the deepest */
    uint32_t depth;      /* how many levels there are */
    uint32_t depth_max;
    bool crosses;
    char name[UMVFS_NAME_MAX + 1u]; /* of what is visited */
};

static int push(struct tree *t, const struct umvfs_path *place, uint64_t bound)
{
    const struct umvfs_config *cfg = &t->task->vfs->cfg;
    const uint32_t flags = UMVFS_O_RDONLY | UMVFS_O_DIRECTORY | UMVFS_O_EMPTY_PATH;
    if (t->depth >= t->depth_max)
        return -UMVFS_ENAMETOOLONG;
    struct level *level = cfg->alloc(cfg->ctx, sizeof(*level));
    if (!level)
        return -UMVFS_ENOMEM;
    int err = umvfs_open(t->task, place, "", flags, 0, 0, &level->file);
    if (err) {
        cfg->free(cfg->ctx, level, sizeof(*level));
        return err;
    }
    level->up = t->level;
    level->bound = bound;
    t->level = level;
    t->depth++;
    return 0;
}

static void pop(struct tree *t)
{
    const struct umvfs_config *cfg = &t->task->vfs->cfg;
    struct level *level = t->level;
    t->level = level->up;
    t->depth--;
    umvfs_close(&level->file);
    cfg->free(cfg->ctx, level, sizeof(*level));
}

/* The visit of what is at `place`, an entry of the directory of level `up`, whose name is t->name. */
static struct umvfs_visit visit_of(const struct tree *t, const struct umvfs_path *place,
                                   const struct level *up, uint32_t depth)
{
    return (struct umvfs_visit){.place = place,
                                .dir = up ? &up->file.path : NULL,
                                .name = t->name,
                                .len = 0,
                                .depth = depth};
}

/* The second visit of a directory. */
static int visit_again(struct tree *t, struct umvfs_visit *visit, int error)
{
    visit->error = error;
    visit->is_leaving = true;
    int result = t->visit(t->ctx, visit);
    return result == UMVFS_WALK_SKIP ? 0 : result;
}

/* Visits an object, and makes the next level of a directory. */
static int come_to(struct tree *t, const struct umvfs_entry *entry)
{
    const struct umvfs_path *place = &entry->place;
    const struct umvfs_inode *inode = place->dentry->inode;
    const struct umvfs_sb *sb = inode->sb;
    const struct level *up = t->level;
    bool same_sb = up && up->file.inode->sb == sb;
    uint64_t bound = same_sb ? up->bound : umvfs_is_foreign(inode) ? UINT64_MAX : sb->next_ino;
    struct umvfs_visit visit = visit_of(t, place, up, t->depth);
    visit.len = entry->len;
    visit.stat = entry->stat;
    int result = t->visit(t->ctx, &visit);
    if (result || !umvfs_is_dir(inode))
        return result == UMVFS_WALK_SKIP ? 0 : result;
    if (up && place->mnt != up->file.path.mnt && !t->crosses)
        return 0;
    if (inode->ino >= bound)
        return 0;
    int err = push(t, place, bound);
    return err ? visit_again(t, &visit, err) : 0;
}

/* The name of a level's directory in the one above, where a mount goes by its mount point's. */
static size_t name_again(struct tree *t)
{
    struct umvfs_path at = t->level->file.path;
    size_t len = 0;
    if (t->level->up) {
        while (at.dentry == at.mnt->root && at.mnt->parent)
            at = (struct umvfs_path){at.mnt->parent, at.mnt->point};
        len = at.dentry->name_len;
        memcpy(t->name, umvfs_dentry_name(at.dentry), len);
    }
    t->name[len] = '\0';
    return len;
}

static int leave(struct tree *t, int error)
{
    const struct level *level = t->level;
    struct umvfs_visit visit = visit_of(t, &level->file.path, level->up, t->depth - 1u);
    visit.len = name_again(t);
    int err = umvfs_inode_stat(level->file.inode, &visit.stat);
    int result = visit_again(t, &visit, error ? error : err);
    pop(t);
    return result;
}

static bool is_dots(const struct umvfs_entry *entry)
{
    const char *name = entry->name;
    return name[0] == '.' && (entry->len == 1 || (entry->len == 2 && name[1] == '.'));
}

static int walk_tree(struct tree *t, const struct umvfs_path *at, const char *path, unsigned flags)
{
    struct umvfs_entry entry = {.name = t->name};
    int got = umvfs_lookup(t->task, at, path, flags, 0, &entry.place);
    if (got)
        return got;
    t->name[0] = '\0';
    int result = umvfs_inode_stat(entry.place.dentry->inode, &entry.stat);
    if (!result)
        result = come_to(t, &entry);
    umvfs_path_put(&entry.place);
    while (t->level && !result) {
        got = umvfs_next_entry(t->task, &t->level->file, t->name, &entry);
        if (got <= 0) {
            result = leave(t, got);
            continue;
        }
        if (!is_dots(&entry))
            result = come_to(t, &entry);
        umvfs_path_put(&entry.place);
    }
    while (t->level)
        pop(t);
    return result;
}

int umvfs_walk_tree(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    unsigned flags, umvfs_visitor visit, void *ctx)
{
    struct tree t = {.task = task,
                     .visit = visit,
                     .ctx = ctx,
                     .depth_max = UMVFS_DIR_DEPTH_MAX,
                     .crosses = flags & UMVFS_WALK_MOUNTS};
    return walk_tree(&t, at, path, flags & ~UMVFS_WALK_MOUNTS);
}

struct removal {
    const struct umvfs_task *task;
    umvfs_visitor report;
    void *ctx;
    int first_error;
    uint32_t left; /* depth of the last object that stays; the directories around it stay too */
};

static int keep(struct removal *r, const struct umvfs_visit *visit, int error)
{
    struct umvfs_visit failed = *visit;
    failed.error = error;
    r->left = visit->depth;
    if (!r->first_error)
        r->first_error = error;
    return r->report ? r->report(r->ctx, &failed) : error;
}

static int remove_visited(void *ctx, const struct umvfs_visit *visit)
{
    struct removal *r = ctx;
    bool is_dir = UMVFS_S_ISDIR(visit->stat.mode);
    bool is_mount = visit->dir && visit->place->mnt != visit->dir->mnt;
    if (is_dir && !visit->is_leaving && !is_mount)
        return 0;
    if (visit->is_leaving && r->left == visit->depth + 1u) {
        r->left = visit->depth;
        return 0;
    }
    if (!visit->dir) /* the caller removes where the walk began */
        return visit->error ? keep(r, visit, visit->error) : 0;
    int err = is_dir ? umvfs_rmdir(r->task, visit->dir, visit->name)
                     : umvfs_unlink(r->task, visit->dir, visit->name);
    if (err == -UMVFS_ENOTEMPTY && visit->error)
        err = visit->error;
    return err ? keep(r, visit, err) : 0;
}

static bool ends_in_dotdot(const char *path)
{
    const char *last = path;
    for (const char *at = umvfs_skip_slashes(path); *at; at = umvfs_skip_slashes(at)) {
        last = at;
        while (*at && *at != '/')
            at++;
    }
    return last[0] == '.' && last[1] == '.' && (last[2] == '\0' || last[2] == '/');
}

int umvfs_remove_tree(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                      umvfs_visitor report, void *ctx)
{
    struct removal r = {.task = task, .report = report, .ctx = ctx, .left = UINT32_MAX};
    struct tree t = {.task = task, .visit = remove_visited, .ctx = &r, .depth_max = UINT32_MAX};
    int err = umvfs_unlink(task, at, path);
    if (err == -UMVFS_EISDIR)
        err = umvfs_rmdir(task, at, path);
    if (err != -UMVFS_ENOTEMPTY || ends_in_dotdot(path))
        return err;
    err = walk_tree(&t, at, path, UMVFS_AT_SYMLINK_NOFOLLOW);
    if (!err)
        err = r.first_error;
    return err ? err : umvfs_rmdir(task, at, path);
}

/* Makes one directory of a path, or finds it. */
static int make_step(const struct umvfs_task *task, const struct umvfs_path *dir, const char *name,
                     uint32_t mode, bool is_last, struct umvfs_path *out)
{
    int err = umvfs_mkdir(task, dir, name, mode);
    if (err && err != -UMVFS_EEXIST)
        return err;
    err = umvfs_lookup(task, dir, name, 0, 0, out);
    if (err)
        return err == -UMVFS_ENOENT ? -UMVFS_EEXIST : err; /* a link that leads nowhere */
    if (umvfs_is_dir(out->dentry->inode))
        return 0;
    umvfs_path_put(out);
    return is_last ? -UMVFS_EEXIST : -UMVFS_ENOTDIR;
}

/* The component that *text begins with, or of a longer one as much as is too long, with a NUL. */
static void cut_component(const char **text, char *name)
{
    size_t len = 0;
    for (; **text && **text != '/'; ++*text) {
        if (len <= UMVFS_NAME_MAX)
            name[len++] = **text;
    }
    name[len] = '\0';
    *text = umvfs_skip_slashes(*text);
}

int umvfs_make_path(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    uint32_t mode)
{
    char name[UMVFS_NAME_MAX + 2u];
    struct umvfs_task between = *task; /* whoever makes a directory gets into it */
    const struct umvfs_path *start = *path == '/' ? &task->root : at ? at : &task->cwd;
    size_t len = 0;
    while (len < UMVFS_PATH_MAX && path[len])
        len++;
    if (len == 0 || len == UMVFS_PATH_MAX)
        return len == 0 ? -UMVFS_ENOENT : -UMVFS_ENAMETOOLONG;
    between.umask &= ~0300u;
    struct umvfs_path place = umvfs_path_get(start);
    const char *text = umvfs_skip_slashes(path);
    int err = 0;
    while (*text && !err) {
        struct umvfs_path next;
        cut_component(&text, name);
        bool is_last = !*text;
        err = make_step(is_last ? task : &between, &place, name, is_last ? mode : 0777u, is_last,
                        &next);
        if (!err) {
            umvfs_path_put(&place);
            place = next;
        }
    }
    umvfs_path_put(&place);
    return err;
}
