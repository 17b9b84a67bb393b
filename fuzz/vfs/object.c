#include "object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/attr.h>
#include <umvfs/mount.h>
#include <umvfs/tree.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static const char *const names[OBJECT_XATTRS] = {"user.a", "user.b",
                                                 "user.a-long-name-that-is-another"};

/* Whether an error is a refusal that the model knows nothing of, or what it says. */
static bool agrees(const struct object_run *run, uint64_t failed, const char *path, int64_t got,
                   int64_t want)
{
    if ((got == -UMVFS_ENOMEM && run->host->failed > failed) ||
        (got == -UMVFS_ENOSPC && run->quota))
        return true;
    if (got != want)
        fprintf(stderr, "%.300s: %ld, model says %ld\n", path, (long)got, (long)want);
    return got == want;
}

static bool has_xattrs(const struct object_run *run, int node)
{
    uint32_t type = run->model->node[node].type;
    return type == UMVFS_S_IFREG || type == UMVFS_S_IFDIR;
}

static bool set_xattr(struct object_run *run, const char *path, int node, unsigned a, unsigned b)
{
    static unsigned char value[UMVFS_XATTR_VALUE_MAX + 13];
    unsigned i = a % OBJECT_XATTRS, flags = a / 4 % 3;
    size_t size = (b * 13u) % sizeof(value);
    uint64_t failed = run->host->failed;
    uint32_t *held = node >= 0 ? &run->state->node[node].size[i] : NULL;
    memset(value, (int)b, size);
    int64_t got = umvfs_setxattr(run->task, NULL, path, names[i], value, size, flags, 0);
    int64_t want = node < 0                                 ? node
                   : !has_xattrs(run, node)                 ? -UMVFS_EPERM
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
                   : !has_xattrs(run, node)          ? -UMVFS_EPERM
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
    if (a & 4)
        CHECK(umvfs_umount(run->task, NULL, "/a", UMVFS_MNT_DETACH) == 0);
    umvfs_path_put(&root);
    if (!(a & 4))
        CHECK(umvfs_umount(run->task, NULL, "/a", 0) == 0);
    return true;
}

bool object_op(struct object_run *run, unsigned which, const char *path, unsigned a, unsigned b)
{
    int node = model_lookup(run->model, path, true, 0);
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
    if (UMVFS_S_ISREG(st.mode) || UMVFS_S_ISDIR(st.mode))
        compare_xattrs(state, task, at, node);
}
