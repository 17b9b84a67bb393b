/*
 * A script of operations against libvfs and against the naive model: every answer is compared
 * after each step, and the whole tree and every invariant at the end; where effort.h says so,
 * also after each step. Allocations fail and quotas end where the script says; an operation that
 * is refused so must have changed nothing, but for those on whole trees: the model follows what these
 * have done by then.
 *
 * Input: operations of up to 256 steps, failing allocations and quotas.
 * Proves: every answer and the whole tree are those of a naive model, and a refused operation
 * changes nothing.
 * Does not prove: anything about several threads or tasks.
 * Oracles: the model and the invariants, at the end of an input and for one in 32 after every
 * step.
 * Rate: 20,000/s
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/page.h>
#include <umvfs/tree.h>

#include "check.h"
#include "host.h"
#include "model.h"

#define MAPPED 0x77 /* the byte that mappings store */

struct run {
    const uint8_t *data;
    size_t left;
    struct host host;
    struct umvfs *vfs;
    struct umvfs_task task;
    bool quota;
    struct model model;
    struct object_state objects;
    struct umvfs_file file[MODEL_OPEN];
    int node[MODEL_OPEN]; /* -1: closed */
};

static uint8_t byte(struct run *r)
{
    if (r->left == 0)
        return 0;
    r->left--;
    return *r->data++;
}

/* Components that paths are made of: writes one and returns its end. */
static char *append_component(char *end, unsigned n)
{
    static char longest[256];
    static const char *const names[] = {
        "a", "b", "c", "d", ".", "..", "", "a-name-of-25-bytes-so-far", "e.", "..f"};
    if (n % 16 >= 14) {
        if (!*longest)
            memset(longest, 'x', sizeof(longest));
        size_t len = n % 16 == 15 ? 256 : 255;
        memcpy(end, longest, len);
        return end + len;
    }
    const char *name = n % 16 < 10 ? names[n % 16] : names[n % 4];
    while (*name)
        *end++ = *name++;
    return end;
}

static const char *read_path(struct run *r, char *path)
{
    uint8_t shape = byte(r);
    unsigned count = shape & 3;
    char *end = path;
    if (shape & 4)
        *end++ = '/';
    for (unsigned i = 0; i <= count && (count || !(shape & 16)); i++) {
        end = append_component(end, byte(r));
        if (i < count || shape & 8)
            *end++ = '/';
    }
    *end = '\0';
    return path;
}

/* Whether an error is a refusal that the model knows nothing of. */
static bool refused(const struct run *r, uint64_t failed_before, int64_t result)
{
    return (result == -UMVFS_ENOMEM && r->host.failed > failed_before) ||
           (result == -UMVFS_ENOSPC && r->quota);
}

/* Whether both answered the same; says what they did answer if not. */
static int same(const char *what, const char *path, int64_t got, int64_t want)
{
    if (got != want)
        fprintf(stderr, "%s %.300s: %ld, model says %ld\n", what, path, (long)got, (long)want);
    return got == want;
}

static const unsigned char zeros[MODEL_DATA];

static void compare_dir(struct run *r, const struct umvfs_path *at, int node);

static void compare_file(struct run *r, const struct umvfs_path *at, const struct umvfs_stat *st,
                         int node)
{
    static unsigned char bytes[MODEL_DATA];
    struct model_node *m = &r->model.node[node];
    CHECK(st->size == m->size);
    if (st->size == 0)
        return;
    CHECK(umvfs_inode_read(umvfs_path_inode(at), 0, bytes, sizeof(bytes)) == (int64_t)st->size);
    CHECK(memcmp(bytes, m->data ? m->data : zeros, st->size) == 0);
}

static void compare(struct run *r, const struct umvfs_path *at, int node)
{
    struct umvfs_stat st;
    char target[4096];
    struct model_node *m = &r->model.node[node];
    CHECK(umvfs_inode_stat(umvfs_path_inode(at), &st) == 0);
    CHECK((st.mode & UMVFS_S_IFMT) == m->type && st.nlink == m->nlink);
    object_compare(&r->objects, &r->task, at, node);
    if (UMVFS_S_ISREG(st.mode)) {
        compare_file(r, at, &st, node);
    } else if (UMVFS_S_ISLNK(st.mode)) {
        int len = umvfs_readlink(&r->task, at, "", UMVFS_AT_EMPTY_PATH, target, sizeof(target));
        CHECK(len == (int)strlen(m->target) && memcmp(target, m->target, (size_t)len) == 0);
    } else if (UMVFS_S_ISDIR(st.mode)) {
        compare_dir(r, at, node);
    }
}

struct listing {
    struct run *run;
    const struct umvfs_path *dir;
    int node;
    int next;
};

static int compare_entry(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                         uint64_t cookie)
{
    struct listing *l = ctx;
    struct model_node *m = &l->run->model.node[l->node];
    struct umvfs_path child;
    if ((len == 1 && name[0] == '.') || (len == 2 && memcmp(name, "..", 2) == 0))
        return 0;
    CHECK(l->next < m->count);
    CHECK(strlen(m->entry[l->next].name) == len && memcmp(m->entry[l->next].name, name, len) == 0);
    CHECK(umvfs_lookup(&l->run->task, l->dir, m->entry[l->next].name, UMVFS_AT_SYMLINK_NOFOLLOW, 0,
                       &child) == 0);
    compare(l->run, &child, m->entry[l->next].node);
    umvfs_path_put(&child);
    l->next++;
    return 0;
}

static void compare_dir(struct run *r, const struct umvfs_path *at, int node)
{
    struct umvfs_file dir;
    struct listing l = {.run = r, .dir = at, .node = node};
    CHECK(umvfs_open(&r->task, at, ".", UMVFS_O_RDONLY | UMVFS_O_DIRECTORY, 0, 0, &dir) == 0);
    CHECK(umvfs_readdir(&dir, compare_entry, &l) == 0);
    CHECK(l.next == r->model.node[node].count);
    umvfs_close(&dir);
}

static void compare_all(struct run *r)
{
    uint64_t fail_at = r->host.fail_at;
    r->host.fail_at = 0;
    compare(r, &r->task.root, r->model.root);
    for (int i = 0; i < MODEL_OPEN; i++) {
        if (r->node[i] >= 0)
            compare(r, &r->file[i].path, r->node[i]);
    }
    r->host.fail_at = fail_at;
}

static int tree_op(struct run *r, unsigned op)
{
    static char a[2200];
    static char b[2200];
    static const unsigned flags[] = {0, 0, UMVFS_RENAME_NOREPLACE, UMVFS_RENAME_EXCHANGE};
    const struct umvfs_task *t = &r->task;
    struct model *m = &r->model;
    uint64_t failed = r->host.failed;
    int got;
    unsigned flag = flags[op >> 4 & 3];
    read_path(r, a);
    switch (op & 7) {
    case 0:
        got = umvfs_mkdir(t, NULL, a, 0755);
        return refused(r, failed, got) ||
               same("mkdir", a, got, model_make(m, a, UMVFS_S_IFDIR, NULL));
    case 1:
        got = umvfs_mknod(t, NULL, a, flag ? UMVFS_S_IFIFO : UMVFS_S_IFREG, 0);
        return refused(r, failed, got) ||
               same("mknod", a, got, model_make(m, a, flag ? UMVFS_S_IFIFO : UMVFS_S_IFREG, NULL));
    case 2:
        read_path(r, b);
        b[599] = '\0';
        got = umvfs_symlink(t, b, NULL, a);
        return refused(r, failed, got) ||
               same("symlink", a, got, model_make(m, a, UMVFS_S_IFLNK, b));
    case 3:
        read_path(r, b);
        got = umvfs_link(t, NULL, a, NULL, b, flag ? UMVFS_AT_SYMLINK_FOLLOW : 0);
        return refused(r, failed, got) || same("link", a, got, model_link(m, a, b, flag));
    case 4:
        got = umvfs_unlink(t, NULL, a);
        return same("unlink", a, got, model_remove(m, a, false));
    case 5:
        got = umvfs_rmdir(t, NULL, a);
        return same("rmdir", a, got, model_remove(m, a, true));
    case 7:
        read_path(r, b);
        flag &= UMVFS_RENAME_NOREPLACE;
        got = umvfs_rename(t, NULL, a, NULL, b, flag | UMVFS_RENAME_WHITEOUT);
        return refused(r, failed, got) || same("rename", a, got, object_whiteout(m, a, b, flag));
    default:
        read_path(r, b);
        got = umvfs_rename(t, NULL, a, NULL, b, flag);
        return refused(r, failed, got) || same("rename", a, got, model_rename(m, a, b, flag));
    }
}

static void close_slot(struct run *r, unsigned slot)
{
    if (r->node[slot] < 0)
        return;
    umvfs_close(&r->file[slot]);
    model_close(&r->model, r->node[slot]);
    r->node[slot] = -1;
}

/* With O_CREAT nobody opens another user's device in a directory that everybody may write, has the sticky bit and does
 * not belong to that user either. For regular files and FIFOs the rule is off here. A slash at the end is refused
 * before. */
static bool is_protected(struct run *r, const char *path)
{
    struct model_place p;
    if (model_resolve(&r->model, path, MODEL_CREATE, 0, &p) != 0 || p.kind != MODEL_NAME ||
        p.slash || p.node < 0 || r->model.node[p.node].type != UMVFS_S_IFCHR)
        return false;
    const struct object_state *known = &r->objects;
    uint32_t owner = known->node[p.node].uid; /* 0 at first, as the caller's */
    return known->node[p.parent].mode_known && (known->node[p.parent].mode & 01002) == 01002 &&
           owner != known->node[p.parent].uid && owner != r->task.cred->uid;
}

static int open_op(struct run *r, unsigned op)
{
    static char path[2200];
    unsigned slot = op >> 4 & 3;
    uint32_t flags = UMVFS_O_RDWR | UMVFS_O_CREAT | (op & 4 ? UMVFS_O_EXCL : 0);
    uint64_t failed = r->host.failed;
    close_slot(r, slot);
    read_path(r, path);
    int got = umvfs_open(&r->task, NULL, path, flags, 0644, 0, &r->file[slot]);
    if (refused(r, failed, got))
        return 1;
    if (!(flags & UMVFS_O_EXCL) && is_protected(r, path))
        return same("open", path, got, -UMVFS_EACCES);
    int node = model_open(&r->model, path, flags);
    bool fifo = node >= 0 && r->model.node[node].type != UMVFS_S_IFREG;
    if (got == 0 && node >= 0 && !fifo) {
        r->node[slot] = node;
        return 1;
    }
    if (got == 0)
        umvfs_close(&r->file[slot]);
    if (node >= 0)
        model_close(&r->model, node);
    return same("open", path, got, node < 0 ? node : 0);
}

static uint64_t read_offset(struct run *r)
{
    uint8_t b = byte(r);
    return b & 0x80 ? (uint64_t)(b & 0x7f) * 128u : (uint64_t)(b & 3) * 4096u + (b >> 2) % 16u - 2u;
}

static int write_op(struct run *r, unsigned slot)
{
    static unsigned char bytes[6000];
    uint64_t at = read_offset(r);
    size_t len = (size_t)byte(r) * 23u;
    uint64_t failed = r->host.failed;
    if (at > MODEL_DATA - sizeof(bytes))
        return 1;
    memset(bytes, byte(r) | 1, len);
    int64_t got = umvfs_pwrite(&r->file[slot], bytes, len, at);
    if (refused(r, failed, got))
        return 1;
    if (got < 0 || ((size_t)got < len && r->host.failed == failed && !r->quota))
        return 0;
    model_write(&r->model, r->node[slot], at, bytes, (size_t)got);
    return 1;
}

static int range_op(struct run *r, unsigned op, unsigned slot)
{
    static const uint32_t modes[] = {0, UMVFS_FALLOC_KEEP_SIZE,
                                     UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE,
                                     UMVFS_FALLOC_ZERO_RANGE};
    uint32_t mode = modes[op >> 2 & 3];
    uint64_t at = read_offset(r);
    uint64_t len = read_offset(r);
    uint64_t failed = r->host.failed;
    if (at > MODEL_DATA / 2 || len > MODEL_DATA / 2)
        return 1;
    int got = umvfs_fallocate(&r->file[slot], mode, at, len);
    if (refused(r, failed, got))
        return 1;
    if (got != (len == 0 ? -UMVFS_EINVAL : 0))
        return 0;
    struct model_node *node = &r->model.node[r->node[slot]];
    if (got == 0 && mode & (UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_ZERO_RANGE))
        model_zero(&r->model, r->node[slot], at, at + len < node->size ? at + len : node->size);
    if (got == 0 && !(mode & UMVFS_FALLOC_KEEP_SIZE) && at + len > node->size)
        model_resize(&r->model, r->node[slot], at + len);
    return 1;
}

/* The page has the file's bytes, and behind its end zeros or what a mapping has stored there (MAPPED). */
static bool is_page_of(const struct model_node *node, uint64_t index, const unsigned char *page)
{
    uint64_t begin = index * UMVFS_PAGE_SIZE;
    uint64_t left = node->size > begin ? node->size - begin : 0;
    size_t inside = left < UMVFS_PAGE_SIZE ? (size_t)left : UMVFS_PAGE_SIZE;
    if (inside > 0 && memcmp(page, node->data ? node->data + begin : zeros, inside) != 0)
        return false;
    for (size_t i = inside; i < UMVFS_PAGE_SIZE; i++)
        if (page[i] != 0 && page[i] != MAPPED)
            return false;
    return true;
}

static int page_op(struct run *r, unsigned op, unsigned slot)
{
    void *page;
    uint64_t index = byte(r) % 6u;
    uint64_t failed = r->host.failed;
    struct model_node *node = &r->model.node[r->node[slot]];
    int got = umvfs_page_get(r->file[slot].inode, index,
                             op & 4 ? UMVFS_PAGE_WRITE : UMVFS_PAGE_READ, &page);
    if (refused(r, failed, got))
        return 1;
    if (got)
        return got == -UMVFS_ENXIO && index * UMVFS_PAGE_SIZE >= node->size;
    CHECK(is_page_of(node, index, page ? page : zeros));
    if (page && op & 4) {
        memset(page, MAPPED, UMVFS_PAGE_SIZE); /* as a mapping may, also past the end */
        uint64_t end = node->size - index * UMVFS_PAGE_SIZE;
        static unsigned char bytes[UMVFS_PAGE_SIZE];
        memset(bytes, MAPPED, sizeof(bytes));
        model_write(&r->model, r->node[slot], index * UMVFS_PAGE_SIZE, bytes,
                    end < UMVFS_PAGE_SIZE ? (size_t)end : UMVFS_PAGE_SIZE);
    }
    if (page)
        umvfs_page_put(r->vfs, page);
    return 1;
}

static int file_op(struct run *r, unsigned op)
{
    unsigned slot = op >> 4 & 3;
    if (r->node[slot] < 0)
        return 1;
    switch (op & 3) {
    case 0:
        return write_op(r, slot);
    case 1:
        return range_op(r, op, slot);
    case 2:
        return page_op(r, op, slot);
    default: {
        uint64_t size = read_offset(r);
        if (size > MODEL_DATA)
            return 1;
        model_resize(&r->model, r->node[slot], size);
        return umvfs_file_truncate(&r->file[slot], size) == 0;
    }
    }
}

static int chdir_op(struct run *r)
{
    static char path[2200];
    struct umvfs_path place;
    read_path(r, path);
    int got = umvfs_lookup_dir(&r->task, NULL, path, 0, &place);
    int node = model_lookup(&r->model, path, true, 0);
    if (node >= 0 && r->model.node[node].type != UMVFS_S_IFDIR)
        node = -UMVFS_ENOTDIR;
    if (got)
        return same("chdir", path, got, node);
    umvfs_path_put(&r->task.cwd);
    r->task.cwd = place;
    r->model.cwd = node;
    return node >= 0;
}

static int single_op(struct run *r, unsigned op)
{
    static char path[2200];
    unsigned slot = op & 3;
    struct object_run run = {&r->task, &r->model, &r->objects, &r->host, r->quota, NULL, -1};
    if (r->node[slot] >= 0) {
        run.file = &r->file[slot];
        run.file_node = r->node[slot];
    }
    unsigned which = byte(r), a = byte(r), b = byte(r);
    read_path(r, path);
    return object_op(&run, which, path, a, b);
}

static int one_op(struct run *r)
{
    uint8_t op = byte(r);
    switch (op >> 6) {
    case 0:
        return tree_op(r, op);
    case 1:
        return file_op(r, op);
    case 2:
        return op & 1 ? open_op(r, op) : tree_op(r, op >> 1);
    default:
        if (op & 0x20)
            r->host.fail_at = r->host.calls + 1 + (op & 7);
        else if (op & 0x10)
            close_slot(r, op & 3);
        else if (op & 8)
            return single_op(r, op);
        else
            return chdir_op(r);
        return 1;
    }
}

/* What is removed lives on as long as it is open or the working directory, or above that. */
static void check_inside(const struct run *r)
{
    size_t unnamed = count_unnamed(&r->task.cwd);
    for (unsigned i = 0; i < MODEL_OPEN; i++)
        unnamed += r->node[i] >= 0 ? count_unnamed(&r->file[i].path) : 0;
    check_invariants(r->vfs, unnamed);
}

static void begin(struct run *r)
{
    static const struct umvfs_cred root = {.caps = UMVFS_CAP_ALL};
    struct umvfs_config config = host_config(&r->host);
    uint8_t limits = byte(r);
    if (limits & 1)
        config.root_limits.max_pages = (limits >> 3) % 8u + 1u;
    if (limits & 2)
        config.root_limits.max_inodes = (limits >> 3) % 8u + 2u;
    if (limits & 4)
        config.root_limits.max_bytes = 1000u + (uint64_t)(limits >> 3) * 100u;
    r->quota = limits & 7;
    if (limits & 8) {
        config.late = host_late;
        config.late_above = 1;
    }
    CHECK(umvfs_new(&config, &r->vfs) == 0);
    r->task = (struct umvfs_task){.vfs = r->vfs, .cred = &root};
    umvfs_root(r->vfs, &r->task.root);
    umvfs_root(r->vfs, &r->task.cwd);
    model_begin(&r->model);
    r->objects = (struct object_state){0};
    for (int i = 0; i < MODEL_OPEN; i++)
        r->node[i] = -1;
}

static void end(struct run *r)
{
    for (unsigned i = 0; i < MODEL_OPEN; i++)
        close_slot(r, i);
    umvfs_path_put(&r->task.root);
    umvfs_path_put(&r->task.cwd);
    CHECK(umvfs_destroy(r->vfs) == 0);
    CHECK(r->host.objects == 0 && r->host.object_bytes == 0 && r->host.pages == 0);
    model_end(&r->model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r;
    r.data = data;
    r.left = size;
    r.host = (struct host){0};
    bool every_step = worth_every_step(data, size);
    begin(&r);
    for (int steps = 0; r.left > 0 && steps < 256 && !r.model.full; steps++) {
        uint64_t failed = r.host.failed;
        CHECK(one_op(&r) || r.model.full);
        while (umvfs_reap(r.vfs, 1))
            ;
        if (r.model.full || !every_step)
            continue;
        check_inside(&r);
        if (r.host.failed > failed || steps % 16 == 15)
            compare_all(&r);
    }
    if (!r.model.full) {
        check_inside(&r);
        compare_all(&r);
    }
    end(&r);
    return 0;
}
