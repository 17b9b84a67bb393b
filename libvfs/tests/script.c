#include "tests.h"

#include <limits.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOT_MINE INT_MIN /* the command belongs to another group */

static const struct umvfs_cred creds[] = {
    {.uid = 0, .gid = 0, .caps = UMVFS_CAP_ALL},
    {.uid = 1000, .gid = 1000},
    {.uid = 1001, .gid = 1001},
};

void world_adopt(struct world *w, struct umvfs *vfs)
{
    w->vfs = vfs;
    w->cred = creds[0];
    w->kept = (struct umvfs_file){0};
    w->task = (struct umvfs_task){.vfs = vfs, .cred = &w->cred, .umask = 022};
    umvfs_root(vfs, &w->task.root);
    umvfs_root(vfs, &w->task.cwd);
}

void world_begin(struct world *w, const struct umvfs_config *config)
{
    struct umvfs *vfs;
    memset(w, 0, sizeof(*w));
    struct umvfs_config cfg = config ? *config : host_config(&w->host);
    cfg.ctx = &w->host;
    assert_int_equal(umvfs_new(&cfg, &vfs), 0);
    world_adopt(w, vfs);
}

void world_end(struct world *w)
{
    umvfs_close(&w->kept);
    assert_int_equal(umvfs_destroy(w->vfs), -UMVFS_EBUSY);
    umvfs_path_put(&w->task.root);
    umvfs_path_put(&w->task.cwd);
    assert_int_equal(umvfs_destroy(w->vfs), 0);
    assert_true(host_is_empty(&w->host));
    assert_true(w->host.largest <= UMVFS_OBJECT_MAX);
}

static uint32_t octal(const char *word, uint32_t otherwise)
{
    return word ? (uint32_t)strtoul(word, NULL, 8) : otherwise;
}

static uint64_t number(const char *word)
{
    return word ? strtoull(word, NULL, 0) : 0;
}

static uint32_t letters(const char *word, const char *set, const uint32_t *values)
{
    uint32_t flags = 0;
    for (; word && *word; word++) {
        const char *at = strchr(set, *word);
        assert_non_null(at);
        flags |= values[at - set];
    }
    return flags;
}

static uint32_t open_flags(const char *word)
{
    static const uint32_t values[] = {UMVFS_O_RDONLY,    UMVFS_O_WRONLY,   UMVFS_O_CREAT,
                                      UMVFS_O_EXCL,      UMVFS_O_TRUNC,    UMVFS_O_APPEND,
                                      UMVFS_O_DIRECTORY, UMVFS_O_NOFOLLOW, UMVFS_O_PATH,
                                      UMVFS_O_TMPFILE,   UMVFS_O_RDWR,     UMVFS_O_NOATIME};
    return letters(word, "rwcxtadnpTbA", values);
}

static uint32_t resolve_flags(const char *word)
{
    static const uint32_t values[] = {UMVFS_RESOLVE_NO_XDEV,
                                      UMVFS_RESOLVE_NO_SYMLINKS,
                                      UMVFS_RESOLVE_NO_MAGICLINKS,
                                      UMVFS_RESOLVE_BENEATH,
                                      UMVFS_RESOLVE_IN_ROOT,
                                      0,
                                      0x80000000u};
    return letters(word, "xsmbin?", values);
}

static uint32_t mount_flags(const char *word)
{
    static const uint32_t values[] = {UMVFS_MS_RDONLY,  UMVFS_MS_NODEV,       UMVFS_MS_NOEXEC,
                                      UMVFS_MS_NOATIME, UMVFS_MS_NOSYMFOLLOW, 0x80000000u,
                                      UMVFS_MS_BIND};
    return letters(word && strcmp(word, "-") != 0 ? word : "", "rdxas?b", values);
}

static int put_text(struct world *w, const char *path, uint32_t flags, const char *text)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, path, flags | UMVFS_O_WRONLY, 0644, 0, &file);
    if (err)
        return err;
    int64_t done = umvfs_write(&file, text, strlen(text));
    umvfs_close(&file);
    return done < 0 ? (int)done : 0;
}

static int fill_file(struct world *w, const char *path, size_t size, uint64_t at)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, path, UMVFS_O_WRONLY | UMVFS_O_CREAT, 0644, 0, &file);
    if (err)
        return err;
    char *buf = malloc(size + 1);
    assert_non_null(buf);
    memset(buf, 'x', size);
    int64_t done = umvfs_pwrite(&file, buf, size, at);
    free(buf);
    umvfs_close(&file);
    return done < 0 ? (int)done : done == (int64_t)size ? 0 : -UMVFS_EAGAIN;
}

static int open_and_close(struct world *w, char **arg)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, arg[1], open_flags(arg[2]), octal(arg[3], 0644),
                         resolve_flags(arg[3] ? arg[4] : NULL), &file);
    if (!err)
        umvfs_close(&file);
    return err;
}

static int look(struct world *w, char **arg)
{
    struct umvfs_path place;
    bool nofollow = arg[2] && strchr(arg[2], 'n');
    int err = umvfs_lookup(&w->task, NULL, arg[1], nofollow ? UMVFS_AT_SYMLINK_NOFOLLOW : 0,
                           resolve_flags(arg[2]), &place);
    if (!err)
        umvfs_path_put(&place);
    return err;
}

static int change_place(struct world *w, const char *path, struct umvfs_path *which)
{
    struct umvfs_path place;
    int err = umvfs_lookup_dir(&w->task, NULL, path, 0, &place);
    if (err)
        return err;
    umvfs_path_put(which);
    *which = place;
    return 0;
}

static int become(struct world *w, const char *name)
{
    w->cred = creds[name[0] == 'r' ? 0 : name[0] == 'a' ? 1 : 2];
    return 0;
}

/* Makes the value of an ACL of a text such as "u=6,u1000=7,g=4,g100=5,m=7,o=0"; returns its size. */
static size_t acl_of(const char *text, uint8_t value[256])
{
    static const char letters[] = "u g m o";
    static const uint8_t tags[][2] = {
        ['u'] = {1, 2}, ['g'] = {4, 8}, ['m'] = {16, 16}, ['o'] = {32, 32}};
    size_t size = 4;
    memcpy(value, (uint8_t[]){2, 0, 0, 0}, 4);
    while (*text) {
        uint8_t letter = (uint8_t)*text++;
        assert_non_null(strchr(letters, letter));
        bool is_named = *text != '=';
        uint32_t id = is_named ? (uint32_t)strtoul(text, (char **)&text, 10) : UINT32_MAX;
        uint8_t rights = (uint8_t)(text[1] - '0');
        for (unsigned i = 0; i < 4; i++)
            value[size + 4 + i] = (uint8_t)(id >> 8 * i);
        memcpy(value + size, (uint8_t[]){tags[letter][is_named], 0, rights, 0}, 4);
        size += 8;
        text += text[2] == ',' ? 3 : 2;
    }
    return size;
}

static const char *acl_name(const char *word)
{
    return word ? "system.posix_acl_default" : "system.posix_acl_access";
}

/* acl PATH LIST [default] sets an ACL, acl? compares it; a list "-" is none. */
static int run_acl(struct world *w, char **arg)
{
    uint8_t value[256], got[256];
    const char *name = acl_name(arg[3]);
    size_t size = strcmp(arg[2], "-") != 0 ? acl_of(arg[2], value) : 0;
    if (!strcmp(arg[0], "acl"))
        return size == 0 ? umvfs_removexattr(&w->task, NULL, arg[1], name, 0)
                         : umvfs_setxattr(&w->task, NULL, arg[1], name, value, size, 0, 0);
    int n = umvfs_getxattr(&w->task, NULL, arg[1], name, got, sizeof(got), 0);
    if (size == 0)
        return n == -UMVFS_ENODATA ? 0 : n;
    return n < 0 ? n : n == (int)size && !memcmp(value, got, size) ? 0 : -UMVFS_EEXIST;
}

static int run_tree(struct world *w, char **arg)
{
    const struct umvfs_task *t = &w->task;
    const char *flag = arg[1] && arg[2] ? arg[3] : NULL;
    if (!strcmp(arg[0], "mkdir"))
        return umvfs_mkdir(t, NULL, arg[1], octal(arg[2], 0755));
    if (!strcmp(arg[0], "mkpath"))
        return umvfs_make_path(t, NULL, arg[1], octal(arg[2], 0755));
    if (!strcmp(arg[0], "rmtree"))
        return umvfs_remove_tree(t, NULL, arg[1], NULL, NULL);
    if (!strcmp(arg[0], "rmdir"))
        return umvfs_rmdir(t, NULL, arg[1]);
    if (!strcmp(arg[0], "unlink"))
        return umvfs_unlink(t, NULL, arg[1]);
    if (!strcmp(arg[0], "mknod"))
        return umvfs_mknod(t, NULL, arg[1], octal(arg[2], 0), number(flag));
    if (!strcmp(arg[0], "symlink"))
        return umvfs_symlink(t, arg[1], NULL, arg[2]);
    if (!strcmp(arg[0], "link"))
        return umvfs_link(t, NULL, arg[1], NULL, arg[2], flag ? UMVFS_AT_SYMLINK_FOLLOW : 0);
    if (!strcmp(arg[0], "rename"))
        return umvfs_rename(t, NULL, arg[1], NULL, arg[2],
                            !flag            ? 0
                            : flag[0] == 'n' ? UMVFS_RENAME_NOREPLACE
                            : flag[0] == 'e' ? UMVFS_RENAME_EXCHANGE
                            : flag[0] == 'w' ? UMVFS_RENAME_WHITEOUT
                                             : 0xffu);
    return NOT_MINE;
}

static int run_attr(struct world *w, char **arg)
{
    const struct umvfs_task *t = &w->task;
    struct umvfs_stat st;
    char buf[256];
    if (!strcmp(arg[0], "stat") || !strcmp(arg[0], "lstat"))
        return umvfs_stat(t, NULL, arg[1], arg[0][0] == 'l' ? UMVFS_AT_SYMLINK_NOFOLLOW : 0, &st);
    if (!strcmp(arg[0], "mode?"))
        return umvfs_stat(t, NULL, arg[1], 0, &st) == 0 && (st.mode & 07777) == octal(arg[2], 0)
                   ? 0
                   : -(int)(st.mode & 07777);
    if (!strcmp(arg[0], "acl") || !strcmp(arg[0], "acl?"))
        return run_acl(w, arg);
    if (!strcmp(arg[0], "chmod"))
        return umvfs_chmod(t, NULL, arg[1], octal(arg[2], 0), 0);
    if (!strcmp(arg[0], "chown") || !strcmp(arg[0], "lchown"))
        return umvfs_chown(t, NULL, arg[1], (uint32_t)atoi(arg[2]), (uint32_t)atoi(arg[3]),
                           arg[0][0] == 'l' ? UMVFS_AT_SYMLINK_NOFOLLOW : 0);
    if (!strcmp(arg[0], "access"))
        return umvfs_access(t, NULL, arg[1],
                            (strchr(arg[2], 'r') ? UMVFS_MAY_READ : 0u) |
                                (strchr(arg[2], 'w') ? UMVFS_MAY_WRITE : 0u) |
                                (strchr(arg[2], 'x') ? UMVFS_MAY_EXEC : 0u),
                            0);
    if (!strcmp(arg[0], "truncate"))
        return umvfs_truncate(t, NULL, arg[1], number(arg[2]));
    if (!strcmp(arg[0], "readlink"))
        return umvfs_readlink(t, NULL, arg[1], 0, buf, sizeof(buf));
    if (!strcmp(arg[0], "setx"))
        return umvfs_setxattr(t, NULL, arg[1], arg[2], arg[3], strlen(arg[3]), 0, 0);
    if (!strcmp(arg[0], "getx"))
        return umvfs_getxattr(t, NULL, arg[1], arg[2], buf, sizeof(buf), 0);
    if (!strcmp(arg[0], "rmx"))
        return umvfs_removexattr(t, NULL, arg[1], arg[2], 0);
    return NOT_MINE;
}

static int run_mount(struct world *w, char **arg)
{
    const struct umvfs_task *t = &w->task;
    if (!strcmp(arg[0], "tmpfs"))
        return umvfs_mount_memory(t, NULL, arg[1], NULL, 0755, mount_flags(arg[2]));
    if (!strcmp(arg[0], "bind"))
        return umvfs_bind(t, NULL, arg[1], NULL, arg[2], arg[3] ? UMVFS_MS_REC : 0);
    if (!strcmp(arg[0], "move"))
        return umvfs_move_mount(t, NULL, arg[1], NULL, arg[2]);
    if (!strcmp(arg[0], "remount"))
        return umvfs_remount(t, NULL, arg[1], mount_flags(arg[2]));
    if (!strcmp(arg[0], "umount"))
        return umvfs_umount(t, NULL, arg[1], arg[2] ? UMVFS_MNT_DETACH : 0);
    return NOT_MINE;
}

static int run_file(struct world *w, char **arg)
{
    if (!strcmp(arg[0], "write"))
        return put_text(w, arg[1], UMVFS_O_CREAT | UMVFS_O_TRUNC, arg[2]);
    if (!strcmp(arg[0], "append"))
        return put_text(w, arg[1], UMVFS_O_APPEND, arg[2]);
    if (!strcmp(arg[0], "fill"))
        return fill_file(w, arg[1], (size_t)number(arg[2]), number(arg[3]));
    if (!strcmp(arg[0], "open"))
        return open_and_close(w, arg);
    if (!strcmp(arg[0], "keep"))
        return umvfs_open(&w->task, NULL, arg[1], open_flags(arg[2]), 0644, 0, &w->kept);
    if (!strcmp(arg[0], "exec"))
        return umvfs_open_exec(&w->task, NULL, arg[1], 0, &w->kept);
    return NOT_MINE;
}

static int run_task(struct world *w, char **arg)
{
    if (!strcmp(arg[0], "lookup"))
        return look(w, arg);
    if (!strcmp(arg[0], "chdir"))
        return change_place(w, arg[1], &w->task.cwd);
    if (!strcmp(arg[0], "chroot"))
        return change_place(w, arg[1], &w->task.root);
    if (!strcmp(arg[0], "as"))
        return become(w, arg[1]);
    if (!strcmp(arg[0], "umask"))
        return (int)(w->task.umask = octal(arg[1], 0)) & 0;
    if (!strcmp(arg[0], "close")) {
        umvfs_close(&w->kept);
        return 0;
    }
    return NOT_MINE;
}

int run(struct world *w, const char *command)
{
    static int (*const groups[])(struct world *, char **) = {run_tree, run_attr, run_mount,
                                                             run_file, run_task};
    char line[8192];
    char *arg[8] = {0};
    size_t n = 0;
    assert_true(strlen(command) < sizeof(line));
    strcpy(line, command);
    for (char *word = strtok(line, " "); word && n < 7; word = strtok(NULL, " "))
        arg[n++] = strcmp(word, "\"\"") ? word : word + 2;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        int result = groups[i](w, arg);
        if (result != NOT_MINE)
            return result;
    }
    fail_msg("unknown command: %s", command);
    return 0;
}

void run_steps(struct world *w, const struct step *steps)
{
    for (; steps->command; steps++) {
        int result = run(w, steps->command);
        if ((result < 0 ? result : 0) != steps->expected)
            fail_msg("%.200s: %d instead of %d", steps->command, result, steps->expected);
    }
}

void run_world(const struct step *steps)
{
    struct world w;
    world_begin(&w, NULL);
    run_steps(&w, steps);
    world_end(&w);
}

int64_t slurp(struct world *w, const char *path, char *buf, size_t size)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, path, UMVFS_O_RDONLY, 0, 0, &file);
    if (err)
        return err;
    int64_t got = umvfs_read(&file, buf, size - 1);
    buf[got > 0 ? got : 0] = '\0';
    umvfs_close(&file);
    return got;
}

/* The foreign file system. */

static int failure(struct ledger *l)
{
    int err = l->fail;
    if (err && l->works > 0) {
        l->works--;
        return 0;
    }
    l->fail = 0;
    return err;
}

static int number_of(const struct ledger *l, const void *node)
{
    return (int)((const struct item *)node - l->item);
}

static struct item *find(struct ledger *l, const void *dir, const char *name, size_t len)
{
    for (int i = 1; i < LEDGER_ITEMS; i++) {
        struct item *it = &l->item[i];
        if (it->used && it->dir == number_of(l, dir) && strlen(it->name) == len &&
            memcmp(it->name, name, len) == 0)
            return it;
    }
    return NULL;
}

static int l_getattr(void *fs, void *node, struct umvfs_stat *out)
{
    int err = failure(fs);
    if (!err)
        *out = ((struct item *)node)->st;
    return err;
}

static int l_lookup(void *fs, void *dir, const char *name, size_t len, void **node)
{
    struct ledger *l = fs;
    struct item *it = find(l, dir, name, len);
    if (!it)
        return -UMVFS_ENOENT;
    l->refs++;
    *node = it;
    return 0;
}

static void l_put(void *fs, void *node)
{
    ((struct ledger *)fs)->refs--;
}

static int l_readdir(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    struct ledger *l = fs;
    int err = failure(l);
    for (; !err && *cookie < LEDGER_ITEMS + 3; ++*cookie) {
        struct item *it = &l->item[*cookie - 3];
        if (*cookie > 3 && it->used && it->dir == number_of(l, dir) &&
            emit(ctx, it->name, strlen(it->name), it->st.ino, UMVFS_DT_OF(it->st.mode),
                 *cookie + 1))
            return 0;
    }
    return err;
}

static int l_readlink(void *fs, void *node, char *buf, size_t size)
{
    int err = failure(fs);
    size_t len = strlen(((struct item *)node)->text);
    memcpy(buf, ((struct item *)node)->text, len < size ? len : size);
    return err ? err : (int)len;
}

static int l_permission(void *fs, void *node, const struct umvfs_cred *cred, uint32_t mask)
{
    ((struct ledger *)fs)->asked |= mask;
    return 0;
}

static int l_open(void *fs, void *node, struct umvfs_file *file)
{
    struct ledger *l = fs;
    int err = failure(l);
    l->opened += !err;
    return err;
}

static void l_release(void *fs, void *node, struct umvfs_file *file)
{
    ((struct ledger *)fs)->opened--;
}

static int64_t l_read(void *fs, void *node, struct umvfs_file *file, uint64_t offset, void *buf,
                      size_t len, const struct umvfs_copy *copy)
{
    struct item *it = node;
    int err = failure(fs);
    if (err || offset >= it->st.size)
        return err;
    size_t left = it->st.size - offset;
    return (int64_t)copy->copy(copy->ctx, buf, it->text + offset, len < left ? len : left);
}

static int64_t l_write(void *fs, void *node, struct umvfs_file *file, uint64_t offset,
                       const void *buf, size_t len, const struct umvfs_copy *copy)
{
    struct item *it = node;
    int err = failure(fs);
    if (err || offset + len > sizeof(it->text))
        return err ? err : -UMVFS_ENOSPC;
    it->st.size = offset + len;
    return (int64_t)copy->copy(copy->ctx, it->text + offset, buf, len);
}

static int l_page(void *fs, void *node, uint64_t index, unsigned flags, void **out)
{
    *out = ((struct ledger *)fs)->page;
    return 0;
}

static int l_setattr(void *fs, void *node, const struct umvfs_setattr *a)
{
    struct umvfs_stat *st = &((struct item *)node)->st;
    int err = failure(fs);
    if (err)
        return err;
    if (a->mask & UMVFS_ATTR_MODE)
        st->mode = (st->mode & UMVFS_S_IFMT) | a->mode;
    st->uid = a->mask & UMVFS_ATTR_UID ? a->uid : st->uid;
    st->gid = a->mask & UMVFS_ATTR_GID ? a->gid : st->gid;
    st->size = a->mask & UMVFS_ATTR_SIZE ? a->size : st->size;
    st->atime = a->mask & UMVFS_ATTR_ATIME ? a->atime : st->atime;
    st->mtime = a->mask & UMVFS_ATTR_MTIME ? a->mtime : st->mtime;
    return 0;
}

static int l_create(void *fs, void *dir, const char *name, size_t len, uint32_t mode, uint64_t rdev,
                    const char *target, const struct umvfs_cred *cred, void **node)
{
    struct ledger *l = fs;
    int err = failure(l);
    int i = 1;
    while (l->item[i].used)
        i++;
    if (err)
        return err;
    struct item *it = &l->item[i];
    *it = (struct item){.used = true, .dir = number_of(l, dir)};
    it->st = (struct umvfs_stat){.ino = (uint64_t)i + 1, .mode = mode, .nlink = 1, .rdev = rdev};
    memcpy(it->name, name, len);
    if (target)
        strcpy(it->text, target);
    l->refs++;
    *node = it;
    return 0;
}

static int l_link(void *fs, void *node, void *dir, const char *name, size_t len)
{
    struct item *it = node;
    if (it->st.nlink >= 2)
        return -UMVFS_EMLINK;
    it->st.nlink++;
    return 0;
}

static int l_unlink(void *fs, void *dir, const char *name, size_t len, void *node, bool is_dir)
{
    int err = failure(fs);
    if (!err)
        ((struct item *)node)->used = false;
    return err;
}

static int l_rename(void *fs, void *old_dir, const char *old_name, size_t old_len, void *new_dir,
                    const char *new_name, size_t new_len, unsigned flags)
{
    struct item *it = find(fs, old_dir, old_name, old_len);
    struct item *target = find(fs, new_dir, new_name, new_len);
    int err = failure(fs);
    if (err)
        return err;
    if (flags & UMVFS_RENAME_EXCHANGE) {
        struct item old = *it;
        memcpy(it->name, target->name, sizeof(it->name));
        memcpy(target->name, old.name, sizeof(it->name));
        it->dir = target->dir;
        target->dir = old.dir;
        return 0;
    }
    if (target)
        target->used = false;
    memset(it->name, 0, sizeof(it->name));
    memcpy(it->name, new_name, new_len);
    it->dir = number_of(fs, new_dir);
    return 0;
}

static int l_statfs(void *fs, struct umvfs_statfs *out)
{
    out->inodes = LEDGER_ITEMS;
    return failure(fs);
}

const struct umvfs_fs_ops ledger_ops = {
    .getattr = l_getattr,
    .lookup = l_lookup,
    .put = l_put,
    .readdir = l_readdir,
    .readlink = l_readlink,
    .permission = l_permission,
    .open = l_open,
    .release = l_release,
    .read = l_read,
    .write = l_write,
    .page = l_page,
    .setattr = l_setattr,
    .create = l_create,
    .link = l_link,
    .unlink = l_unlink,
    .rename = l_rename,
    .statfs = l_statfs,
};

const struct umvfs_fs_ops ledger_bare_ops = {.getattr = l_getattr, .lookup = l_lookup};

void ledger_begin(struct world *w, struct ledger *l, const struct umvfs_fs_ops *ops)
{
    static const uint32_t modes[] = {UMVFS_S_IFDIR | 0755, UMVFS_S_IFDIR | 0755,
                                     UMVFS_S_IFREG | 0644, UMVFS_S_IFLNK | 0777};
    static const char *const names[] = {"", "d", "f", "l"};
    world_begin(w, NULL);
    *l = (struct ledger){0};
    for (unsigned i = 0; i < 4; i++) {
        l->item[i].used = true;
        l->item[i].st = (struct umvfs_stat){.ino = i + 1, .mode = modes[i], .nlink = 1};
        strcpy(l->item[i].name, names[i]);
        strcpy(l->item[i].text, "/l/f");
    }
    l->item[2].st.size = 4;
    assert_int_equal(run(w, "mkdir /l"), 0);
    l->refs = 1;
    assert_int_equal(umvfs_mount(&w->task, NULL, "/l", ops, l, &l->item[0], 0), 0);
}

void ledger_end(struct world *w, struct ledger *l)
{
    umvfs_close(&w->kept);
    assert_int_equal(run(w, "umount /l"), 0);
    assert_int_equal(l->opened, 0);
    world_end(w);
}

/* All groups of tests. */
int main(void)
{
    static int (*const groups[])(void) = {
        tree_tests,    walk_tests,    perm_tests,   file_tests,    page_tests,
        limit_tests,   mount_tests,   fail_tests,   archive_tests, tar_tests,
        foreign_tests, refusal_tests, import_tests, index_tests,   initramfs_tests,
        lock_tests,    event_tests,   sparse_tests, trees_tests};
    int failures = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        failures += groups[i]();
    return failures != 0;
}
