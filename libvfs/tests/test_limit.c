#include "tests.h"

#include "core.h"
#include "xattr.h"

/* Fills a file's list of attribute names up to `left` bytes below the limit. */
static void fill_list(struct world *w, size_t left)
{
    char name[UMVFS_XATTR_NAME_MAX + 1];
    size_t used = 0;
    for (unsigned i = 0; used < UMVFS_XATTR_LIST_MAX - left; i++) {
        size_t len = UMVFS_XATTR_LIST_MAX - left - used - 1;
        if (len > 255)
            len = UMVFS_XATTR_LIST_MAX - left - used < 512 ? 240 : 255;
        snprintf(name, sizeof(name), "user.%05u%0*d", i, (int)len - 10, 0);
        assert_int_equal(umvfs_setxattr(&w->task, NULL, "/f", name, "", 0, 0, 0), 0);
        used += len + 1;
    }
    assert_int_equal(umvfs_listxattr(&w->task, NULL, "/f", NULL, 0, 0),
                     UMVFS_XATTR_LIST_MAX - left);
}

static void lists_of_attributes_have_a_limit(void **state)
{
    /* "user.12345" and its NUL are 11 bytes. */
    for (size_t left = 10; left <= 12; left++) {
        struct world w;
        static char list[UMVFS_XATTR_LIST_MAX];
        int expected = left < 11 ? -UMVFS_ENOSPC : 0;
        world_begin(&w, NULL);
        assert_int_equal(run(&w, "write /f x"), 0);
        fill_list(&w, left);
        assert_int_equal(run(&w, "setx /f user.zzzzz v"), expected);
        int size = umvfs_listxattr(&w.task, NULL, "/f", list, sizeof(list), 0);
        assert_int_equal(size, (int)(UMVFS_XATTR_LIST_MAX - left) + (left < 11 ? 0 : 11));
        world_end(&w);
    }
}

/* What an archive's attributes may be called, and how many there may be. */
static void attributes_of_archives_are_checked(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        int expected;
    } cases[] = {
        {"user.k", 6, 0},           {"user.k", 6, -UMVFS_EEXIST},   {"user.", 5, -UMVFS_EINVAL},
        {"user", 4, -UMVFS_EINVAL}, {"user.k", 6, -UMVFS_EEXIST},   {"user.\0", 6, -UMVFS_EINVAL},
        {"user.l", 6, 0},           {"system.k", 8, -UMVFS_EINVAL},
    };
    struct world w;
    char name[UMVFS_XATTR_NAME_MAX + 2];
    world_begin(&w, NULL);
    struct umvfs_inode staged = {.sb = w.task.root.mnt->sb};
    struct umvfs_xattr **list = &staged.xattrs;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(umvfs_xattr_append(staged.sb, list, cases[i].name, cases[i].len, "v", 1),
                         cases[i].expected);
    umvfs_xattr_free(&staged);
    memset(name, 'n', sizeof(name));
    for (unsigned i = 0; i < UMVFS_XATTR_LIST_MAX / 256 - 1; i++) {
        name[snprintf(name, sizeof(name), "user.%03u", i)] = 'n';
        assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 256, "", 0), -UMVFS_EINVAL);
        assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 255, "", 0), 0);
    }
    /* 256 bytes are left, of which this name and its NUL take 7. */
    assert_int_equal(umvfs_xattr_append(staged.sb, list, "user.x", 6, "", 0), 0);
    memset(name + 5, 'o', 250);
    assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 249, "", 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 248, "", 0), 0);
    assert_int_equal(umvfs_xattr_list_size(&staged), UMVFS_XATTR_LIST_MAX);
    umvfs_xattr_free(&staged);
    world_end(&w);
}

static int note(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
    *(uint64_t *)ctx = next;
    return 0;
}

/* Directories hand out each cookie once; the last one's entry can still be listed. */
static void directories_run_out_of_cookies(void **state)
{
    static const char *const commands[] = {"mkdir /d/y", "link /f /d/y", "rename /f /d/y",
                                           "open /d/y wc"};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        for (uint64_t d = 0; d <= 2; d++) {
            struct world w;
            struct umvfs_file dir;
            struct umvfs_path place;
            uint64_t last = 0;
            world_begin(&w, NULL);
            assert_int_equal(run(&w, "mkdir /d"), 0);
            assert_int_equal(run(&w, "write /f x"), 0);
            assert_int_equal(umvfs_lookup(&w.task, NULL, "/d", 0, 0, &place), 0);
            umvfs_path_inode(&place)->u.dir.dir->next_cookie = DIR_COOKIE_MAX - 1 + d;
            umvfs_path_put(&place);
            assert_int_equal(run(&w, commands[i]), d < 2 ? 0 : -UMVFS_ENOSPC);
            assert_int_equal(umvfs_open(&w.task, NULL, "/d", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
            assert_int_equal(umvfs_readdir(&dir, note, &last), 0);
            assert_int_equal(last, d < 2 ? DIR_COOKIE_MAX + d : DIR_COOKIE_FIRST);
            umvfs_close(&dir);
            world_end(&w);
        }
    }
}

static struct umvfs_dir *dir_of(struct world *w, const char *path)
{
    struct umvfs_path place;
    assert_int_equal(umvfs_lookup(&w->task, NULL, path, 0, 0, &place), 0);
    struct umvfs_dir *dir = umvfs_path_inode(&place)->u.dir.dir;
    umvfs_path_put(&place);
    return dir;
}

/* Nobody has so many entries: the directory is told that it has. */
static void directories_have_a_largest_count(void **state)
{
    static const char *const commands[] = {"mkdir /d/y", "link /f /d/y", "rename /f /d/y"};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        for (uint32_t more = UINT32_MAX - 2; more > 0; more++) {
            struct world w;
            world_begin(&w, NULL);
            assert_int_equal(run(&w, "mkdir /d"), 0);
            assert_int_equal(run(&w, "write /f x"), 0);
            struct umvfs_dir *dir = dir_of(&w, "/d");
            dir->count += more;
            assert_int_equal(run(&w, commands[i]), more < UINT32_MAX ? 0 : -UMVFS_ENOSPC);
            dir->count -= more;
            assert_int_equal(dir->count, more < UINT32_MAX);
            assert_int_equal(run(&w, "lookup /d/y n"), more < UINT32_MAX ? 0 : -UMVFS_ENOENT);
            world_end(&w);
        }
    }
}

struct tape {
    char bytes[4096];
    size_t len;
};

static int take(void *ctx, const void *data, size_t len)
{
    struct tape *t = ctx;
    assert_true(len <= sizeof(t->bytes) - t->len);
    memcpy(t->bytes + t->len, data, len);
    t->len += len;
    return 0;
}

/* The two entries of an archive find room in a directory, for their cookies and in the count. */
static void grafts_need_room(void **state)
{
    static const struct {
        uint64_t next_cookie;
        uint32_t more; /* entries that the directory is told to have */
        int expected;
    } cases[] = {
        {DIR_COOKIE_MAX - 2, 0, 0},
        {DIR_COOKIE_MAX - 1, 0, 0},
        {DIR_COOKIE_MAX, 0, -UMVFS_ENOSPC},
        {DIR_COOKIE_MAX + 1, 0, -UMVFS_ENOSPC},
        {DIR_COOKIE_FIRST, UINT32_MAX - 2, 0},
        {DIR_COOKIE_FIRST, UINT32_MAX - 1, -UMVFS_ENOSPC},
        {DIR_COOKIE_FIRST, UINT32_MAX, -UMVFS_ENOSPC},
    };
    static const struct step steps[] = {
        {"mkdir /from", 0}, {"write /from/a x", 0}, {"write /from/b x", 0}, {"mkdir /d", 0}, {0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        struct tape t = {.len = 0};
        struct umvfs_import_error error = {0};
        world_begin(&w, NULL);
        run_steps(&w, steps);
        assert_int_equal(umvfs_export(&w.task, NULL, "/from", UMVFS_ARCHIVE_CPIO, take, &t), 0);
        struct umvfs_dir *dir = dir_of(&w, "/d");
        dir->next_cookie = cases[i].next_cookie;
        dir->count += cases[i].more;
        int err = umvfs_import_memory(&w.task, NULL, "/d", NULL, t.bytes, t.len, &error);
        dir->count -= cases[i].more;
        assert_int_equal(err, cases[i].expected);
        assert_int_equal(error.reason, err ? UMVFS_ARCHIVE_NO_SPACE : UMVFS_ARCHIVE_OK);
        assert_int_equal(dir->count, err ? 0 : 2);
        assert_true(dir->next_cookie == cases[i].next_cookie + dir->count);
        assert_int_equal(run(&w, "stat /d/b"), err ? -UMVFS_ENOENT : 0);
        world_end(&w);
    }
}

static void limits_change_but_not_below_what_is_held(void **state)
{
    struct world w;
    struct umvfs_statfs held, now;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(run(&w, "fill /p 9000"), 0);
    assert_int_equal(umvfs_statfs(&w.task.root, &held), 0);
    const struct umvfs_limits exact = {held.pages_used, held.inodes_used, held.bytes_used};
    const struct umvfs_limits less[] = {
        {exact.max_pages - 1, exact.max_inodes, exact.max_bytes},
        {exact.max_pages, exact.max_inodes - 1, exact.max_bytes},
        {exact.max_pages, exact.max_inodes, exact.max_bytes - 1},
    };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(umvfs_set_limits(&w.task.root, &less[i]), -UMVFS_EINVAL);
    assert_int_equal(umvfs_set_limits(&w.task.root, &exact), 0);
    assert_int_equal(umvfs_statfs(&w.task.root, &now), 0);
    assert_int_equal(now.pages, exact.max_pages);
    assert_int_equal(now.inodes, exact.max_inodes);
    assert_int_equal(now.bytes, exact.max_bytes);
    assert_int_equal(run(&w, "write /g x"), -UMVFS_ENOSPC);
    assert_int_equal(run(&w, "mkdir /d"), -UMVFS_ENOSPC);
    assert_int_equal(umvfs_set_limits(&w.task.root, &(struct umvfs_limits){0, 0, 0}), 0);
    assert_int_equal(run(&w, "write /g x"), 0);
    assert_int_equal(umvfs_set_limits(&w.task.root, &exact), -UMVFS_EINVAL);
    world_end(&w);
}

int limit_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_change_but_not_below_what_is_held),
        cmocka_unit_test(lists_of_attributes_have_a_limit),
        cmocka_unit_test(attributes_of_archives_are_checked),
        cmocka_unit_test(directories_run_out_of_cookies),
        cmocka_unit_test(directories_have_a_largest_count),
        cmocka_unit_test(grafts_need_room),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
