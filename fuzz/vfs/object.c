#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/attr.h>
#include <umvfs/mount.h>
#include <umvfs/tree.h>

#include "check.h"

#define WHOLE_TREES 200 /* operations from this number on are about whole trees */

static const char *const names[OBJECT_XATTRS] = {"user.a", "user.b",
                                                 "trusted.a-name-that-is-longer"};

/* Whether an error is a refusal that the model knows nothing of. An operation on a whole tree may be
 * half done then. */
static bool is_refused(const struct object_run *run, uint64_t failed, int64_t got)
{
    return (got == -UMVFS_ENOMEM && run->host->failed > failed) ||
           (got == -UMVFS_ENOSPC && run->quota);
}

/* Whether an answer is such a refusal, or what the model says. */
static bool agrees(const struct object_run *run, uint64_t failed, const char *path, int64_t got,
                   int64_t want)
{
    if (is_refused(run, failed, got))
        return true;
    if (got != want)
        fprintf(stderr, "%.300s: %ld, model says %ld\n", path, (long)got, (long)want);
    return got == want;
}

/* Attributes of users are for files and directories, and the last of the names is another. */
static bool has_xattrs(const struct object_run *run, int node, unsigned name)
{
    if (name == OBJECT_XATTRS - 1)
        return true;
    uint32_t type = run->model->node[node].type;
    return type == UMVFS_S_IFREG || type == UMVFS_S_IFDIR;
}

/* ACLs of one user and one group beside what every ACL has, with the permissions that the bits of `a` and `b` say. */

#define ACL_OPS 240 /* of set_xattr: from this `a` on */

enum { ACL_OWNER, ACL_USER, ACL_OWNING, ACL_GROUP, ACL_MASK, ACL_OTHER, ACL_ENTRIES };
#define ACL_SIZE (4u + 8u * ACL_ENTRIES)

static const char *const acl_names[] = {"system.posix_acl_access", "system.posix_acl_default"};

static void make_acl(unsigned char value[ACL_SIZE], const unsigned rights[ACL_ENTRIES])
{
    memset(value, 0xff, ACL_SIZE);
    memcpy(value, (unsigned char[]){2, 0, 0, 0}, 4);
    for (unsigned i = 0; i < ACL_ENTRIES; i++) {
        bool is_named = i == ACL_USER || i == ACL_GROUP;
        memcpy(value + 4 + 8 * i,
               (unsigned char[]){(unsigned char)(1u << i), 0, (unsigned char)rights[i], 0}, 4);
        if (is_named)
            memcpy(value + 8 + 8 * i, (unsigned char[]){7, 0, 0, 0}, 4);
    }
}

static bool acl_is(const struct object_run *run, const char *path, unsigned type,
                   const unsigned rights[ACL_ENTRIES])
{
    unsigned char want[ACL_SIZE], got[ACL_SIZE + 8];
    make_acl(want, rights);
    return umvfs_getxattr(run->task, NULL, path, acl_names[type], got, sizeof(got), 0) ==
               ACL_SIZE &&
           memcmp(want, got, ACL_SIZE) == 0;
}

/* What acl(5) says of user `uid`, who is in group `gid` alone. */
static bool acl_grants(const unsigned rights[ACL_ENTRIES], const struct umvfs_stat *st,
                       uint32_t uid, uint32_t gid, unsigned wanted)
{
    unsigned mask = rights[ACL_MASK];
    if (uid == st->uid)
        return !(wanted & ~rights[ACL_OWNER]);
    if (mask == 0) /* the mode decides on Linux, whose group bits are the mask */
        return !(wanted & ~(gid == st->gid ? 0 : rights[ACL_OTHER]));
    if (uid == 7)
        return !(wanted & ~(rights[ACL_USER] & mask));
    if (gid != st->gid && gid != 7)
        return !(wanted & ~rights[ACL_OTHER]);
    return (gid == st->gid && !(wanted & ~(rights[ACL_OWNING] & mask))) ||
           (gid == 7 && !(wanted & ~(rights[ACL_GROUP] & mask)));
}

static bool acl_decides(const struct object_run *run, const char *path,
                        const unsigned rights[ACL_ENTRIES])
{
    struct umvfs_path place;
    struct umvfs_stat st;
    bool is_good = true;
    if (umvfs_lookup(run->task, NULL, path, 0, 0, &place) != 0)
        return false;
    is_good =
        umvfs_inode_stat(umvfs_path_inode(&place), &st) == 0 &&
        (st.mode & 0777u) == (rights[ACL_OWNER] << 6 | rights[ACL_MASK] << 3 | rights[ACL_OTHER]);
    for (unsigned i = 0; is_good && i < 4 * 8; i++) {
        struct umvfs_cred cred = {.uid = i / 8 == 0   ? 7
                                         : i / 8 == 1 ? st.uid
                                                      : 9,
                                  .gid = i / 8 == 2   ? 7
                                         : i / 8 == 3 ? st.gid
                                                      : 9};
        struct umvfs_task task = *run->task;
        task.cred = &cred;
        int got = umvfs_access(&task, &place, "", i % 8, UMVFS_AT_EMPTY_PATH);
        is_good = (got == 0) == acl_grants(rights, &st, cred.uid, cred.gid, i % 8);
    }
    umvfs_path_put(&place);
    return is_good;
}

/* A new object in a directory with a default ACL, for a while; the model does not see it. */
static bool inherits(struct object_run *run, const char *path, const unsigned rights[ACL_ENTRIES])
{
    struct umvfs_path place;
    struct umvfs_task task = *run->task;
    unsigned kept[ACL_ENTRIES];
    bool is_good = true;
    if (umvfs_lookup(run->task, NULL, path, 0, 0, &place) != 0)
        return false;
    task.cwd = place;
    task.umask = 0777;
    memcpy(kept, rights, sizeof(kept));
    kept[ACL_OWNER] &= 6;
    kept[ACL_MASK] &= 5;
    kept[ACL_OTHER] &= 3;
    if (umvfs_mkdir(&task, NULL, "acl-new", 0653) == 0) {
        struct object_run inner = *run;
        inner.task = &task;
        is_good = acl_is(&inner, "acl-new", 0, kept) && acl_is(&inner, "acl-new", 1, rights) &&
                  acl_decides(&inner, "acl-new", kept) && umvfs_rmdir(&task, NULL, "acl-new") == 0;
    }
    umvfs_path_put(&place);
    return is_good;
}

/* Sets an ACL, looks at what it does, and removes it again, so that the model's nodes have none. */
static bool set_acl(struct object_run *run, const char *path, int node, unsigned a, unsigned b)
{
    unsigned char value[ACL_SIZE];
    unsigned rights[ACL_ENTRIES], type = a & 1;
    uint32_t kind = node >= 0 ? run->model->node[node].type : 0;
    uint64_t failed = run->host->failed;
    for (unsigned i = 0; i < ACL_ENTRIES; i++)
        rights[i] = (((a / 4 * 256 + b) * 0x9e3779b1u) >> (3 * i + 7)) & 7;
    make_acl(value, rights);
    if (a & 2)
        value[4 + b % (ACL_SIZE - 4)] ^=
            (unsigned char)(1u << (b >> 8 & 7)); /* perhaps none then */
    int64_t got = umvfs_setxattr(run->task, NULL, path, acl_names[type], value, ACL_SIZE, 0, 0);
    int64_t want = node < 0                             ? node
                   : type == 1 && kind != UMVFS_S_IFDIR ? -UMVFS_EACCES
                   : kind == UMVFS_S_IFLNK              ? -UMVFS_EOPNOTSUPP
                                                        : 0;
    if (got != 0 || want != 0)
        return (a & 2 && got == -UMVFS_EINVAL) || agrees(run, failed, path, got, want);
    bool is_good = true;
    if (!(a & 2) && type == 1)
        is_good = acl_is(run, path, 1, rights) && inherits(run, path, rights);
    if (!(a & 2) && type == 0) {
        is_good = acl_is(run, path, 0, rights) && acl_decides(run, path, rights);
        rights[ACL_OWNER] = 7, rights[ACL_MASK] = 5, rights[ACL_OTHER] = 1;
        is_good = is_good && umvfs_chmod(run->task, NULL, path, 0751, 0) == 0 &&
                  acl_is(run, path, 0, rights) && acl_decides(run, path, rights);
    }
    if (type == 0)
        run->state->node[node].mode_known = false;
    return is_good && umvfs_removexattr(run->task, NULL, path, acl_names[type], 0) == 0;
}

static bool set_xattr(struct object_run *run, const char *path, int node, unsigned a, unsigned b)
{
    static unsigned char value[UMVFS_XATTR_VALUE_MAX + 13];
    if (a >= ACL_OPS)
        return set_acl(run, path, node, a, b);
    unsigned i = a % OBJECT_XATTRS, flags = a / 4 % 3;
    size_t size = (b * 13u) % sizeof(value);
    uint64_t failed = run->host->failed;
    uint32_t *held = node >= 0 ? &run->state->node[node].size[i] : NULL;
    memset(value, (int)b, size);
    int64_t got = umvfs_setxattr(run->task, NULL, path, names[i], value, size, flags, 0);
    int64_t want = node < 0                                 ? node
                   : !has_xattrs(run, node, i)              ? -UMVFS_EPERM
                   : *held && flags == UMVFS_XATTR_CREATE   ? -UMVFS_EEXIST
                   : !*held && flags == UMVFS_XATTR_REPLACE ? -UMVFS_ENODATA
                   : size > UMVFS_XATTR_VALUE_MAX           ? -UMVFS_ENOSPC
                                                            : 0;
    if (got == 0 && want == 0) {
        *held = (uint32_t)size + 1;
        run->state->node[node].fill[i] = (unsigned char)b;
    }
    return agrees(run, failed, path, got, want);
}

static bool remove_xattr(struct object_run *run, const char *path, int node, unsigned a)
{
    unsigned i = a % OBJECT_XATTRS;
    int64_t got = umvfs_removexattr(run->task, NULL, path, names[i], 0);
    int64_t want = node < 0                          ? node
                   : !has_xattrs(run, node, i)       ? -UMVFS_EPERM
                   : !run->state->node[node].size[i] ? -UMVFS_ENODATA
                                                     : 0;
    if (got == 0 && want == 0)
        run->state->node[node].size[i] = 0;
    return agrees(run, run->host->failed, path, got, want);
}

static bool change_mode(struct object_run *run, const char *path, int node, unsigned a, unsigned b)
{
    uint32_t mode = (a << 2 | (b & 3u)) & 01777u;
    int64_t got = umvfs_chmod(run->task, NULL, path, mode, 0);
    if (got == 0 && node >= 0) {
        run->state->node[node].mode_known = true;
        run->state->node[node].mode = mode;
    }
    return agrees(run, run->host->failed, path, got, node < 0 ? node : 0);
}

static bool change_owner(struct object_run *run, const char *path, int node, unsigned a, unsigned b)
{
    int64_t got = umvfs_chown(run->task, NULL, path, a, b, 0);
    if (got == 0 && node >= 0) {
        run->state->node[node].owner_known = true;
        run->state->node[node].uid = a;
        run->state->node[node].gid = b;
    }
    return agrees(run, run->host->failed, path, got, node < 0 ? node : 0);
}

static bool set_times(struct object_run *run, const char *path, int node, unsigned a, unsigned b)
{
    static const int64_t seconds[] = {0, -1, 1, INT64_MAX, INT64_MIN, 253402300800};
    static const uint32_t nanos[] = {0, 1, 999999999, 1000000000, UMVFS_TIME_OMIT, UMVFS_TIME_NOW};
    const struct umvfs_time times[2] = {{seconds[a % 6], nanos[b % 6]},
                                        {seconds[a / 6 % 6], nanos[b / 6 % 6]}};
    bool invalid = nanos[b % 6] == 1000000000 || nanos[b / 6 % 6] == 1000000000;
    struct umvfs_stat st;
    int64_t got = umvfs_utimens(run->task, NULL, path, times, 0);
    if (got == 0 && times[1].nsec < 1000000000) {
        bool extreme = times[1].sec == INT64_MAX || times[1].sec == INT64_MIN;
        CHECK(umvfs_stat(run->task, NULL, path, 0, &st) == 0);
        CHECK(st.mtime.sec == times[1].sec && st.mtime.nsec == (extreme ? 0 : times[1].nsec));
    }
    return agrees(run, run->host->failed, path, got, node < 0 ? node : invalid ? -UMVFS_EINVAL : 0);
}

static bool truncate_path(struct object_run *run, const char *path, int node, unsigned a,
                          unsigned b)
{
    uint64_t size = (a << 8 | b) % MODEL_DATA;
    int64_t got = umvfs_truncate(run->task, NULL, path, size);
    uint32_t type = node < 0 ? 0 : run->model->node[node].type;
    int64_t want = node < 0                ? node
                   : type == UMVFS_S_IFDIR ? -UMVFS_EISDIR
                   : type == UMVFS_S_IFREG ? 0
                                           : -UMVFS_EINVAL;
    if (got == 0 && want == 0)
        model_resize(run->model, node, size);
    return agrees(run, run->host->failed, path, got, want);
}

/* The superuser may read and write all, and execute files that somebody may execute. */
static bool access_path(struct object_run *run, const char *path, int node, unsigned a)
{
    uint32_t mask = a % 8;
    if (node >= 0 && mask & UMVFS_MAY_EXEC && !run->state->node[node].mode_known)
        mask &= ~UMVFS_MAY_EXEC;
    bool may = !(mask & UMVFS_MAY_EXEC) ||
               run->model->node[node < 0 ? 0 : node].type == UMVFS_S_IFDIR ||
               (node >= 0 && run->state->node[node].mode & 0111);
    int64_t got = umvfs_access(run->task, NULL, path, mask, 0);
    return agrees(run, run->host->failed, path, got, node < 0 ? node : may ? 0 : -UMVFS_EACCES);
}

static bool execute(struct object_run *run, const char *path, int node)
{
    struct umvfs_file program, writer;
    uint64_t failed = run->host->failed;
    if (node >= 0 && !run->state->node[node].mode_known)
        return true;
    int64_t got = umvfs_open_exec(run->task, NULL, path, 0, &program);
    bool may = node >= 0 && run->model->node[node].type == UMVFS_S_IFREG &&
               run->state->node[node].mode & 0111;
    int64_t want = node < 0                           ? node
                   : !may                             ? -UMVFS_EACCES
                   : run->model->node[node].opens > 0 ? -UMVFS_ETXTBSY
                                                      : 0;
    if (got == 0) {
        CHECK(umvfs_open(run->task, NULL, path, UMVFS_O_WRONLY, 0, 0, &writer) == -UMVFS_ETXTBSY);
        umvfs_close(&program);
    }
    return agrees(run, failed, path, got, want);
}

static bool seek_and_read(struct object_run *run, unsigned a, unsigned b)
{
    static unsigned char bytes[300];
    if (!run->file)
        return true;
    const struct model_node *node = &run->model->node[run->file_node];
    uint64_t at = (a << 8 | b) % MODEL_DATA;
    bool from_end = a & 0x80 && at <= node->size;
    int64_t want = (int64_t)(from_end ? node->size - at : at);
    CHECK(umvfs_seek(run->file, from_end ? -(int64_t)at : (int64_t)at,
                     from_end ? UMVFS_SEEK_END : UMVFS_SEEK_SET) == want);
    int64_t got = umvfs_read(run->file, bytes, sizeof(bytes));
    uint64_t left = (uint64_t)want < node->size ? node->size - (uint64_t)want : 0;
    CHECK(got == (int64_t)(left < sizeof(bytes) ? left : sizeof(bytes)));
    CHECK(umvfs_seek(run->file, 0, UMVFS_SEEK_CUR) == want + got);
    for (int64_t i = 0; i < got; i++)
        CHECK(bytes[i] == (node->data ? node->data[want + i] : 0));
    return true;
}

static int count_mount(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                       void *fs, unsigned flags)
{
    ++*(unsigned *)ctx;
    return 0;
}

/* A mount on "/a", which is gone again when this returns. */
static bool mount_for_a_while(struct object_run *run, unsigned a)
{
    int node = model_lookup(run->model, "/a", false, 0);
    const struct umvfs_limits limits = {.max_inodes = 5, .max_bytes = 5000};
    struct umvfs_path root;
    struct umvfs_statfs statfs;
    unsigned mounts = 0;
    uint64_t failed = run->host->failed;
    if (node < 0 || run->model->node[node].type != UMVFS_S_IFDIR)
        return true;
    int64_t got = a & 1 ? umvfs_bind(run->task, NULL, "/", NULL, "/a", a & 2 ? UMVFS_MS_REC : 0)
                        : umvfs_mount_memory(run->task, NULL, "/a", &limits, 0700, 0);
    if (got)
        return agrees(run, failed, "/a", got, 0);
    CHECK(umvfs_mounts(run->task->vfs, count_mount, &mounts) == 0 && mounts == 2);
    /* of a bind mount only itself, and not the file system that the model knows */
    unsigned flags = UMVFS_MS_RDONLY | (a & 1 ? UMVFS_MS_BIND : 0);
    CHECK(umvfs_remount(run->task, NULL, "/a", flags) == 0);
    CHECK(umvfs_mkdir(run->task, NULL, "/a/unlikely", 0700) == -UMVFS_EROFS);
    CHECK(umvfs_lookup(run->task, NULL, "/a", 0, 0, &root) == 0);
    CHECK(umvfs_mount_flags(&root) == UMVFS_MS_RDONLY && umvfs_statfs(&root, &statfs) == 0);
    CHECK(statfs.mount_flags == UMVFS_MS_RDONLY);
    CHECK(umvfs_umount(run->task, NULL, "/a", 0) == -UMVFS_EBUSY);
    CHECK(umvfs_move_mount(run->task, NULL, "/a", NULL, "/a") == -UMVFS_ELOOP);
    CHECK(umvfs_move_mount(run->task, NULL, "/", NULL, "/a") == -UMVFS_EINVAL);
    /* on top of the root, and back below it */
    CHECK(umvfs_move_mount(run->task, NULL, "/a", NULL, "/") == 0);
    CHECK(umvfs_move_mount(run->task, &root, "", NULL, "/a") == 0);
    if (a & 4)
        CHECK(umvfs_umount(run->task, NULL, "/a", UMVFS_MNT_DETACH) == 0);
    umvfs_path_put(&root);
    if (!(a & 4))
        CHECK(umvfs_umount(run->task, NULL, "/a", 0) == 0);
    return true;
}

/* Whether the library has a name. Fails no allocation. */
static bool exists(struct object_run *run, const struct umvfs_path *at, const char *path,
                   struct umvfs_path *place)
{
    uint64_t fail_at = run->host->fail_at;
    run->host->fail_at = 0;
    int err = umvfs_lookup(run->task, at, path, UMVFS_AT_SYMLINK_NOFOLLOW, 0, place);
    run->host->fail_at = fail_at;
    return err == 0;
}

/* One directory of a path, in directory *at, which becomes it. */
static int model_step(struct model *m, int *at, const char *name, bool last)
{
    int cwd = m->cwd;
    m->cwd = *at;
    int made = model_make(m, name, UMVFS_S_IFDIR, NULL);
    int node = made && made != -UMVFS_EEXIST ? made : model_lookup(m, name, true, 0);
    m->cwd = cwd;
    if (node < 0)
        return made == -UMVFS_EEXIST && node == -UMVFS_ENOENT ? -UMVFS_EEXIST : node;
    if (m->node[node].type != UMVFS_S_IFDIR)
        return last ? -UMVFS_EEXIST : -UMVFS_ENOTDIR;
    *at = node;
    return 0;
}

/* Makes the directories of a path, if it is half done only as far as the library has them. */
static int model_make_path(struct object_run *run, const char *path, bool half_done)
{
    static char copy[2200];
    struct model *m = run->model;
    int at = *path == '/' ? m->root : m->cwd;
    int err = *path ? 0 : -UMVFS_ENOENT;
    char *name, *rest = copy;
    snprintf(copy, sizeof(copy), "%s", path);
    while (!err && !m->full && (name = strtok_r(rest, "/", &rest))) {
        struct umvfs_path place;
        char prefix[sizeof(copy)];
        snprintf(prefix, sizeof(prefix), "%.*s", (int)(name - copy + (ptrdiff_t)strlen(name)),
                 path);
        if (half_done && !exists(run, NULL, prefix, &place))
            return 0;
        if (half_done)
            umvfs_path_put(&place);
        err = model_step(m, &at, name, rest[strspn(rest, "/")] == '\0');
    }
    return err;
}

static bool make_path(struct object_run *run, const char *path)
{
    uint64_t failed = run->host->failed;
    int64_t got = umvfs_make_path(run->task, NULL, path, 0755);
    bool half_done = is_refused(run, failed, got);
    int err = model_make_path(run, path, half_done);
    return half_done || run->model->full || agrees(run, failed, path, got, err);
}

static void model_empty(struct object_run *run, int node, const struct umvfs_path *place);

/* Removes an entry of a directory, or, if the library still has it there, what has gone below it. */
static bool model_empty_entry(struct object_run *run, int dir, int entry,
                              const struct umvfs_path *place)
{
    struct model *m = run->model;
    const struct model_entry e = m->node[dir].entry[entry];
    struct umvfs_path child;
    bool is_dir = m->node[e.node].type == UMVFS_S_IFDIR;
    bool stays = place && exists(run, place, e.name, &child);
    if (is_dir)
        model_empty(run, e.node, stays ? &child : NULL);
    if (stays) {
        umvfs_path_put(&child);
        return false;
    }
    int cwd = m->cwd;
    m->cwd = dir;
    CHECK(model_remove(m, e.name, is_dir) == 0);
    m->cwd = cwd;
    return true;
}

/* Removes what is in a directory; but what is still at `place`, unless that is NULL, stays. */
static void model_empty(struct object_run *run, int node, const struct umvfs_path *place)
{
    for (int i = 0; i < run->model->node[node].count;)
        i += !model_empty_entry(run, node, i, place);
}

static int model_remove_tree(struct object_run *run, const char *path, bool half_done)
{
    struct model_place p;
    struct umvfs_path place;
    struct model *m = run->model;
    bool stays = half_done && exists(run, NULL, path, &place);
    int err = stays ? -UMVFS_ENOTEMPTY : model_remove(m, path, false);
    if (err == -UMVFS_EISDIR)
        err = model_remove(m, path, true);
    if (err == -UMVFS_ENOTEMPTY && !model_resolve(m, path, MODEL_PARENT, 0, &p) &&
        p.kind == MODEL_NAME && p.node >= 0 && m->node[p.node].type == UMVFS_S_IFDIR) {
        model_empty(run, p.node, stays ? &place : NULL);
        err = stays ? 0 : model_remove(m, path, true);
    }
    if (stays)
        umvfs_path_put(&place);
    return err;
}

static int stop_or_not(void *ctx, const struct umvfs_visit *visit)
{
    return *(const unsigned *)ctx & 1 ? visit->error : 0;
}

static bool remove_tree(struct object_run *run, const char *path, unsigned a)
{
    uint64_t failed = run->host->failed;
    int64_t got = umvfs_remove_tree(run->task, NULL, path, a & 2 ? stop_or_not : NULL, &a);
    bool half_done = is_refused(run, failed, got);
    int err = model_remove_tree(run, path, half_done);
    return half_done || agrees(run, failed, path, got, err);
}

/* A number made of all visits of a walk. */
struct visits {
    uint64_t hash;
    bool has_no_memory;
};

static void add_visit(struct visits *v, const char *name, uint32_t type, uint32_t depth,
                      bool leaving, int error)
{
    for (; *name; name++)
        v->hash = (v->hash ^ (unsigned char)*name) * 0x100000001b3u;
    uint32_t facts[] = {type, depth, leaving, (uint32_t)error};
    for (unsigned i = 0; i < 4; i++)
        v->hash = (v->hash ^ facts[i]) * 0x100000001b3u;
    v->has_no_memory |= error == -UMVFS_ENOMEM;
}

static int see_visit(void *ctx, const struct umvfs_visit *visit)
{
    add_visit(ctx, visit->name, visit->stat.mode & UMVFS_S_IFMT, visit->depth, visit->is_leaving,
              visit->error);
    return 0;
}

static void model_walk(const struct model *m, int node, const char *name, uint32_t depth,
                       struct visits *v)
{
    const struct model_node *n = &m->node[node];
    add_visit(v, name, n->type, depth, false, 0);
    if (n->type != UMVFS_S_IFDIR)
        return;
    for (int i = 0; i < n->count; i++)
        model_walk(m, n->entry[i].node, n->entry[i].name, depth + 1, v);
    add_visit(v, name, n->type, depth, true, n->nlink ? 0 : -UMVFS_ENOENT);
}

static bool walk_tree(struct object_run *run, const char *path, unsigned a)
{
    struct visits seen = {0}, want = {0};
    unsigned flags = (a & 1 ? UMVFS_AT_SYMLINK_NOFOLLOW : 0) | (a & 2 ? UMVFS_WALK_MOUNTS : 0);
    uint64_t failed = run->host->failed;
    int node = model_lookup(run->model, path, !(a & 1), 0);
    int64_t got = umvfs_walk_tree(run->task, NULL, path, flags, see_visit, &seen);
    if (node >= 0)
        model_walk(run->model, node, "", 0, &want);
    CHECK(seen.hash == want.hash || (seen.has_no_memory && run->host->failed > failed));
    return agrees(run, failed, path, got, node < 0 ? node : 0);
}

struct expected {
    const struct model *model;
    int node, next, stop; /* entries with the two dots */
};

static int see_entry(void *ctx, const struct umvfs_entry *entry)
{
    struct expected *x = ctx;
    const struct model_node *dir = &x->model->node[x->node];
    if (x->next == x->stop)
        return 1;
    int i = x->next++ - 2;
    int node = i == -2 ? x->node : i == -1 ? dir->parent : dir->entry[i].node;
    CHECK(i < dir->count && strcmp(entry->name, i == -2   ? "."
                                                : i == -1 ? ".."
                                                          : dir->entry[i].name) == 0);
    CHECK(strlen(entry->name) == entry->len);
    CHECK((entry->stat.mode & UMVFS_S_IFMT) == x->model->node[node].type);
    CHECK(entry->stat.nlink == x->model->node[node].nlink);
    CHECK(umvfs_inode_number(umvfs_path_inode(&entry->place)) == entry->stat.ino);
    return 0;
}

/* A listing in two pieces. */
static bool list_entries(struct object_run *run, const char *path, int node, unsigned a)
{
    struct umvfs_file dir;
    struct expected x = {.model = run->model, .node = node, .stop = (int)(a % 8)};
    if (node < 0 || umvfs_open(run->task, NULL, path, UMVFS_O_DIRECTORY, 0, 0, &dir))
        return true;
    int count = run->model->node[node].count + 2;
    int want = run->model->node[node].nlink ? 0 : -UMVFS_ENOENT;
    int got = umvfs_readdir_stat(run->task, &dir, see_entry, &x);
    CHECK(got == want && (got || x.next == (count < x.stop ? count : x.stop)));
    x.stop = -1;
    CHECK(umvfs_readdir_stat(run->task, &dir, see_entry, &x) == want && (want || x.next == count));
    umvfs_close(&dir);
    return true;
}

static bool whole_tree_op(struct object_run *run, unsigned which, const char *path, int node,
                          unsigned a)
{
    switch (which % 4) {
    case 0:
        return make_path(run, path);
    case 1:
        return remove_tree(run, path, a);
    case 2:
        return walk_tree(run, path, a);
    default:
        return list_entries(run, path, node, a);
    }
}

int object_whiteout(struct model *m, const char *from, const char *to, unsigned flags)
{
    struct model_place a, b;
    bool moves = !model_resolve(m, from, MODEL_PARENT, 0, &a) &&
                 !model_resolve(m, to, MODEL_PARENT, 0, &b) && a.node != b.node;
    int err = model_rename(m, from, to, flags);
    if (!err && moves) {
        int cwd = m->cwd;
        m->cwd = a.parent;
        err = model_make(m, a.name, UMVFS_S_IFCHR, NULL);
        m->cwd = cwd;
    }
    return err;
}

bool object_op(struct object_run *run, unsigned which, const char *path, unsigned a, unsigned b)
{
    int node = model_lookup(run->model, path, true, 0);
    if (which >= WHOLE_TREES)
        return whole_tree_op(run, which, path, node, a);
    switch (which % 10) {
    case 0:
        return set_xattr(run, path, node, a, b);
    case 1:
        return remove_xattr(run, path, node, a);
    case 2:
        return change_mode(run, path, node, a, b);
    case 3:
        return change_owner(run, path, node, a, b);
    case 4:
        return set_times(run, path, node, a, b);
    case 5:
        return truncate_path(run, path, node, a, b);
    case 6:
        return access_path(run, path, node, a);
    case 7:
        return execute(run, path, node);
    case 8:
        return seek_and_read(run, a, b);
    default:
        return mount_for_a_while(run, a);
    }
}

static void compare_xattrs(const struct object_state *state, const struct umvfs_task *task,
                           const struct umvfs_path *at, int node)
{
    static char list[256];
    static unsigned char value[UMVFS_XATTR_VALUE_MAX];
    int total = 0;
    for (unsigned i = 0; i < OBJECT_XATTRS; i++) {
        uint32_t held = state->node[node].size[i];
        int got = umvfs_getxattr(task, at, "", names[i], value, sizeof(value), UMVFS_AT_EMPTY_PATH);
        CHECK(got == (held ? (int)held - 1 : -UMVFS_ENODATA));
        for (int at_byte = 0; at_byte < got; at_byte++)
            CHECK(value[at_byte] == state->node[node].fill[i]);
        total += held ? (int)strlen(names[i]) + 1 : 0;
    }
    CHECK(umvfs_listxattr(task, at, "", list, sizeof(list), UMVFS_AT_EMPTY_PATH) == total);
}

void object_compare(const struct object_state *state, const struct umvfs_task *task,
                    const struct umvfs_path *at, int node)
{
    struct umvfs_stat st;
    CHECK(umvfs_inode_stat(umvfs_path_inode(at), &st) == 0);
    if (state->node[node].mode_known)
        CHECK((st.mode & UMVFS_S_IALL) == state->node[node].mode);
    if (state->node[node].owner_known)
        CHECK(st.uid == state->node[node].uid && st.gid == state->node[node].gid);
    CHECK(st.btime.sec < st.ctime.sec ||
          (st.btime.sec == st.ctime.sec && st.btime.nsec <= st.ctime.nsec));
    compare_xattrs(state, task, at, node);
}
