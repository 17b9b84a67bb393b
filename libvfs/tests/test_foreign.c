/* A foreign file system that implements every operation, and can be told to fail. */
#include "tests.h"

#define ITEMS 16

struct item {
    bool used;
    int dir;
    char name[32];
    struct vfs_stat st;
    char text[64];
};

struct ledger {
    struct item item[ITEMS];
    int fail; /* what the next operation answers instead of working */
    int refs; /* above what the mount holds */
    int opened;
    unsigned asked;
    void *page;
};

static int failure(struct ledger *l)
{
    int err = l->fail;
    l->fail = 0;
    return err;
}

static int number_of(const struct ledger *l, const void *node)
{
    return (int)((const struct item *)node - l->item);
}

static struct item *find(struct ledger *l, const void *dir, const char *name, size_t len)
{
    for (int i = 1; i < ITEMS; i++) {
        struct item *it = &l->item[i];
        if (it->used && it->dir == number_of(l, dir) && strlen(it->name) == len &&
            memcmp(it->name, name, len) == 0)
            return it;
    }
    return NULL;
}

static int l_getattr(void *fs, void *node, struct vfs_stat *out)
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
        return -VFS_ENOENT;
    l->refs++;
    *node = it;
    return 0;
}

static void l_put(void *fs, void *node)
{
    ((struct ledger *)fs)->refs--;
}

static int l_readdir(void *fs, void *dir, uint64_t *cookie, vfs_emit emit, void *ctx)
{
    struct ledger *l = fs;
    int err = failure(l);
    for (; !err && *cookie < ITEMS + 3; ++*cookie) {
        struct item *it = &l->item[*cookie - 3];
        if (*cookie > 3 && it->used && it->dir == number_of(l, dir) &&
            emit(ctx, it->name, strlen(it->name), it->st.ino, VFS_DT_OF(it->st.mode), *cookie + 1))
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

static int l_permission(void *fs, void *node, const struct vfs_cred *cred, uint32_t mask)
{
    ((struct ledger *)fs)->asked |= mask;
    return 0;
}

static int l_open(void *fs, void *node, struct vfs_file *file)
{
    struct ledger *l = fs;
    int err = failure(l);
    l->opened += !err;
    return err;
}

static void l_release(void *fs, void *node, struct vfs_file *file)
{
    ((struct ledger *)fs)->opened--;
}

static int64_t l_read(void *fs, void *node, struct vfs_file *file, uint64_t offset, void *buf,
                      size_t len, const struct vfs_copy *copy)
{
    struct item *it = node;
    int err = failure(fs);
    if (err || offset >= it->st.size)
        return err;
    size_t left = it->st.size - offset;
    return (int64_t)copy->copy(copy->ctx, buf, it->text + offset, len < left ? len : left);
}

static int64_t l_write(void *fs, void *node, struct vfs_file *file, uint64_t offset,
                       const void *buf, size_t len, const struct vfs_copy *copy)
{
    struct item *it = node;
    int err = failure(fs);
    if (err || offset + len > sizeof(it->text))
        return err ? err : -VFS_ENOSPC;
    it->st.size = offset + len;
    return (int64_t)copy->copy(copy->ctx, it->text + offset, buf, len);
}

static int l_page(void *fs, void *node, uint64_t index, unsigned flags, void **out)
{
    *out = ((struct ledger *)fs)->page;
    return 0;
}

static int l_setattr(void *fs, void *node, const struct vfs_setattr *a)
{
    struct vfs_stat *st = &((struct item *)node)->st;
    int err = failure(fs);
    if (err)
        return err;
    if (a->mask & VFS_ATTR_MODE)
        st->mode = (st->mode & VFS_S_IFMT) | a->mode;
    st->uid = a->mask & VFS_ATTR_UID ? a->uid : st->uid;
    st->gid = a->mask & VFS_ATTR_GID ? a->gid : st->gid;
    st->size = a->mask & VFS_ATTR_SIZE ? a->size : st->size;
    st->atime = a->mask & VFS_ATTR_ATIME ? a->atime : st->atime;
    st->mtime = a->mask & VFS_ATTR_MTIME ? a->mtime : st->mtime;
    return 0;
}

static int l_create(void *fs, void *dir, const char *name, size_t len, uint32_t mode, uint64_t rdev,
                    const char *target, const struct vfs_cred *cred, void **node)
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
    it->st = (struct vfs_stat){.ino = (uint64_t)i + 1, .mode = mode, .nlink = 1, .rdev = rdev};
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
        return -VFS_EMLINK;
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
    memset(it->name, 0, sizeof(it->name));
    memcpy(it->name, new_name, new_len);
    it->dir = number_of(fs, new_dir);
    return 0;
}

static int l_statfs(void *fs, struct vfs_statfs *out)
{
    out->inodes = ITEMS;
    return failure(fs);
}

static const struct vfs_fs_ops ledger_ops = {
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

/* The least that there must be. */
static const struct vfs_fs_ops bare_ops = {.getattr = l_getattr, .lookup = l_lookup};

static void begin(struct world *w, struct ledger *l, const struct vfs_fs_ops *ops)
{
    static const uint32_t modes[] = {VFS_S_IFDIR | 0755, VFS_S_IFDIR | 0755, VFS_S_IFREG | 0644,
                                     VFS_S_IFLNK | 0777};
    static const char *const names[] = {"", "d", "f", "l"};
    world_begin(w, NULL);
    *l = (struct ledger){0};
    for (unsigned i = 0; i < 4; i++) {
        l->item[i].used = true;
        l->item[i].st = (struct vfs_stat){.ino = i + 1, .mode = modes[i], .nlink = 1};
        strcpy(l->item[i].name, names[i]);
        strcpy(l->item[i].text, "/l/f");
    }
    l->item[2].st.size = 4;
    assert_int_equal(run(w, "mkdir /l"), 0);
    l->refs = 1;
    assert_int_equal(vfs_mount(&w->task, NULL, "/l", ops, l, &l->item[0], 0), 0);
}

static void end(struct world *w, struct ledger *l)
{
    vfs_close(&w->kept);
    assert_int_equal(run(w, "umount /l"), 0);
    assert_int_equal(l->opened, 0);
    world_end(w);
}

static void objects_are_made_and_removed(void **state)
{
    static const struct step steps[] = {
        {"mkdir /l/new", 0},
        {"mkdir /l/new", -VFS_EEXIST},
        {"open /l/new/f wc", 0},
        {"rename /l/new/f /l/g", 0},
        {"stat /l/g", 0},
        {"stat /l/new/f", -VFS_ENOENT},
        {"unlink /l/g", 0},
        {"stat /l/g", -VFS_ENOENT},
        {"rmdir /l/new", 0},
        {"symlink f /l/s", 0},
        {"stat /l/s", 0},
        {"mknod /l/dev 020600 5", 0},
        {"link /l/f /l/h", 0},
        {"link /l/f /l/h", -VFS_EMLINK},
        {"open /l/d wT", -VFS_EOPNOTSUPP},
        {"setx /l/f user.a b", -VFS_EOPNOTSUPP},
        {"getx /l/f user.a", -VFS_EOPNOTSUPP},
        {0},
    };
    struct world w;
    struct ledger l;
    begin(&w, &l, &ledger_ops);
    run_steps(&w, steps);
    assert_int_equal(l.refs, 1);
    end(&w, &l);
    assert_int_equal(l.refs, 0);
}

static void attributes_are_handed_on(void **state)
{
    static const struct step steps[] = {
        {"chmod /l/f 0600", 0},
        {"chown /l/f 5 6", 0},
        {"truncate /l/f 3", 0},
        {"open /l/f wt", 0},
        {0},
    };
    struct world w;
    struct ledger l;
    struct vfs_statfs fs;
    struct vfs_path place;
    begin(&w, &l, &ledger_ops);
    run_steps(&w, steps);
    struct vfs_stat *st = &l.item[2].st;
    assert_int_equal(st->mode, VFS_S_IFREG | 0600);
    assert_int_equal(st->uid, 5);
    assert_int_equal(st->gid, 6);
    assert_int_equal(st->size, 0);
    assert_int_equal(vfs_utimens(&w.task, NULL, "/l/f", 7, VFS_TIME_OMIT, 0), 0);
    assert_int_equal(vfs_utimens(&w.task, NULL, "/l/f", VFS_TIME_OMIT, 8, 0), 0);
    assert_int_equal(st->atime, 7);
    assert_int_equal(st->mtime, 8);
    assert_int_equal(vfs_lookup(&w.task, NULL, "/l/f", 0, 0, &place), 0);
    assert_ptr_equal(vfs_inode_node(vfs_path_inode(&place)), &l.item[2]);
    assert_ptr_equal(vfs_inode_ops(vfs_path_inode(&place)), &ledger_ops);
    assert_int_equal(vfs_statfs(&place, &fs), 0);
    assert_int_equal(fs.inodes, ITEMS);
    l.fail = -VFS_EIO;
    assert_int_equal(vfs_statfs(&place, &fs), -VFS_EIO);
    vfs_path_put(&place);
    end(&w, &l);
}

static void contents_are_handed_on(void **state)
{
    struct world w;
    struct ledger l;
    struct vfs_file again;
    char text[8] = "";
    char page[1];
    void *got;
    begin(&w, &l, &ledger_ops);
    l.page = page;
    assert_int_equal(run(&w, "keep /l/f b"), 0);
    assert_int_equal(l.opened, 1);
    assert_int_equal(vfs_pwrite(&w.kept, "hello", 5, 0), 5);
    assert_int_equal(vfs_pread(&w.kept, text, 8, 0), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(vfs_inode_read(w.kept.inode, 1, text, 8), 4);
    assert_int_equal(vfs_page_get(w.kept.inode, 0, VFS_PAGE_READ, &got), 0);
    assert_ptr_equal(got, page);
    assert_int_equal(vfs_page_get_run(w.kept.inode, 0, 1, &got), 0);
    assert_int_equal(vfs_file_truncate(&w.kept, 2), 0);
    assert_int_equal(l.item[2].st.size, 2);
    assert_int_equal(vfs_fallocate(&w.kept, 0, 0, 1), -VFS_EOPNOTSUPP);
    assert_int_equal(vfs_seek(&w.kept, 0, VFS_SEEK_DATA), -VFS_EINVAL);
    assert_int_equal(vfs_reopen(&w.kept, &again), 0);
    assert_int_equal(l.opened, 2);
    assert_int_equal(vfs_pread(&again, text, 8, 0), 2);
    vfs_close(&again);
    end(&w, &l);
}

static int count(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                 uint64_t next)
{
    ++*(int *)ctx;
    return 0;
}

static void directories_are_listed(void **state)
{
    struct world w;
    struct ledger l;
    struct vfs_file dir;
    int names = 0;
    begin(&w, &l, &ledger_ops);
    assert_int_equal(vfs_open(&w.task, NULL, "/l", VFS_O_DIRECTORY, 0, 0, &dir), 0);
    l.fail = -VFS_EIO;
    assert_int_equal(vfs_readdir(&dir, count, &names), -VFS_EIO);
    assert_int_equal(vfs_seek(&dir, 0, VFS_SEEK_SET), 0);
    names = 0;
    assert_int_equal(vfs_readdir(&dir, count, &names), 0);
    assert_int_equal(names, 5);
    assert_int_equal(vfs_readdir(&dir, count, &names), 0);
    assert_int_equal(names, 5);
    vfs_close(&dir);
    end(&w, &l);
}

/* What each operation says if the file system's own fails. */
static void failures_are_handed_on(void **state)
{
    static const char *const commands[] = {
        "chmod /l/f 0600", "chown /l/f 1 1", "truncate /l/f 1", "stat /l/f", "open /l/x wc",
        "mkdir /l/x",      "unlink /l/f",    "stat /l/l",       "exec /l/f",
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct world w;
        struct ledger l;
        struct vfs_path cwd;
        begin(&w, &l, &ledger_ops);
        assert_int_equal(run(&w, "chmod /l/f 0700"), 0);
        /* The object is pinned, so that getattr is not asked first. */
        assert_int_equal(vfs_lookup(&w.task, NULL, "/l/f", 0, 0, &cwd), 0);
        l.fail = -VFS_EIO;
        assert_int_equal(run(&w, commands[i]), -VFS_EIO);
        l.fail = 0;
        vfs_path_put(&cwd);
        assert_int_equal(l.refs, 1);
        end(&w, &l);
    }
}

static void what_is_missing_is_refused(void **state)
{
    static const struct step steps[] = {
        {"mkdir /l/x", -VFS_EPERM},
        {"open /l/x wc", -VFS_EACCES},
        {"unlink /l/f", -VFS_EPERM},
        {"readlink /l/l", -VFS_EINVAL},
        {"stat /l/l", -VFS_EINVAL},
        {"chmod /l/f 0600", -VFS_EPERM},
        {"chown /l/f 1 1", -VFS_EPERM},
        {"truncate /l/f 0", 0},
        {"open /l/f wt", 0},
        {"write /l/f x", -VFS_EINVAL},
        {"link /l/f /l/g", -VFS_EPERM},
        {"rename /l/f /l/g", -VFS_EPERM},
        {"keep /l/f b", 0},
        {0},
    };
    struct world w;
    struct ledger l;
    struct vfs_statfs fs;
    struct vfs_file dir;
    void *page;
    char text[4];
    int names = 0;
    begin(&w, &l, &bare_ops);
    run_steps(&w, steps);
    assert_int_equal(vfs_pread(&w.kept, text, 4, 0), -VFS_EINVAL);
    assert_int_equal(vfs_inode_read(w.kept.inode, 0, text, 4), -VFS_EINVAL);
    assert_int_equal(vfs_page_get(w.kept.inode, 0, VFS_PAGE_READ, &page), -VFS_ENODEV);
    assert_int_equal(vfs_file_truncate(&w.kept, 0), 0);
    assert_int_equal(vfs_statfs(&w.kept.path, &fs), 0);
    assert_int_equal(fs.inodes, 0);
    assert_int_equal(vfs_open(&w.task, NULL, "/l", VFS_O_DIRECTORY, 0, 0, &dir), 0);
    assert_int_equal(vfs_readdir(&dir, count, &names), -VFS_EPERM);
    vfs_close(&dir);
    end(&w, &l);
}

/* Every allocation of looking up and making foreign objects fails in turn. */
static void failed_allocations_give_nodes_back(void **state)
{
    static const char *const commands[] = {"stat /l/f", "stat /l/l", "open /l/new wc",
                                           "tmpfs /l/d"};
    for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
        for (uint64_t n = 1;; n++) {
            struct world w;
            struct ledger l;
            begin(&w, &l, &ledger_ops);
            w.host.fail_at = w.host.calls + n;
            int result = run(&w, commands[c]);
            bool failed = w.host.failed > 0;
            assert_int_equal(result, failed ? -VFS_ENOMEM : 0);
            w.host.fail_at = 0;
            if (c == 3 && !failed)
                assert_int_equal(run(&w, "umount /l/d"), 0);
            assert_int_equal(l.refs, 1);
            end(&w, &l);
            if (!failed)
                break;
        }
    }
}

static void failed_mounts_leave_the_root_to_the_caller(void **state)
{
    struct ledger l;
    struct world w;
    static const struct vfs_fs_ops none = {.getattr = l_getattr};
    for (uint64_t n = 1;; n++) {
        begin(&w, &l, &ledger_ops);
        w.host.fail_at = w.host.calls + n;
        int err = vfs_mount(&w.task, NULL, "/l", &ledger_ops, &l, &l.item[0], 0);
        w.host.fail_at = 0;
        assert_int_equal(l.refs, 1);
        if (!err) {
            l.refs++;
            assert_int_equal(run(&w, "umount /l"), 0);
        } else {
            assert_true(err == -VFS_ENOMEM);
        }
        end(&w, &l);
        if (!err)
            break;
    }
    begin(&w, &l, &ledger_ops);
    assert_int_equal(vfs_mount(&w.task, NULL, "/l/f", &ledger_ops, &l, &l.item[0], 0),
                     -VFS_ENOTDIR);
    assert_int_equal(vfs_mount(&w.task, NULL, "/none", &ledger_ops, &l, &l.item[0], 0),
                     -VFS_ENOENT);
    assert_int_equal(vfs_mount(&w.task, NULL, "/l", &none, &l, &l.item[0], 0), -VFS_EINVAL);
    assert_int_equal(vfs_mount(&w.task, NULL, "/l", NULL, &l, &l.item[0], 0), -VFS_EINVAL);
    end(&w, &l);
}

/* Objects that are held outlive the mount, and answer that they are stale. */
static void objects_outlive_the_mount(void **state)
{
    struct world w;
    struct ledger l;
    struct vfs_path place;
    struct vfs_stat st;
    begin(&w, &l, &ledger_ops);
    assert_int_equal(run(&w, "keep /l/f r"), 0);
    struct vfs_inode *inode = w.kept.inode;
    vfs_inode_get(inode);
    vfs_close(&w.kept);
    assert_int_equal(vfs_lookup(&w.task, NULL, "/l", 0, 0, &place), 0);
    assert_int_equal(run(&w, "umount /l detach"), 0);
    vfs_path_put(&place);
    assert_int_equal(vfs_inode_stat(inode, &st), 0);
    vfs_inode_put(inode);
    assert_int_equal(run(&w, "tmpfs /l"), 0);
    end(&w, &l);
}

int foreign_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_made_and_removed),
        cmocka_unit_test(attributes_are_handed_on),
        cmocka_unit_test(contents_are_handed_on),
        cmocka_unit_test(directories_are_listed),
        cmocka_unit_test(failures_are_handed_on),
        cmocka_unit_test(what_is_missing_is_refused),
        cmocka_unit_test(failed_allocations_give_nodes_back),
        cmocka_unit_test(failed_mounts_leave_the_root_to_the_caller),
        cmocka_unit_test(objects_outlive_the_mount),
    };
    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
