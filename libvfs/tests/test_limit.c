#include "tests.h"

#include "core.h"

/* Fills a file's list of attribute names up to `left` bytes below the limit. */
static void fill_list(struct world *w, size_t left)
{
    char name[VFS_XATTR_NAME_MAX + 1];
    size_t used = 0;
    for (unsigned i = 0; used < VFS_XATTR_LIST_MAX - left; i++) {
        size_t len = VFS_XATTR_LIST_MAX - left - used - 1;
        if (len > 255)
            len = VFS_XATTR_LIST_MAX - left - used < 512 ? 240 : 255;
        snprintf(name, sizeof(name), "user.%05u%0*d", i, (int)len - 10, 0);
        assert_int_equal(vfs_setxattr(&w->task, NULL, "/f", name, "", 0, 0, 0), 0);
        used += len + 1;
    }
    assert_int_equal(vfs_listxattr(&w->task, NULL, "/f", NULL, 0, 0), VFS_XATTR_LIST_MAX - left);
}

static void lists_of_attributes_have_a_limit(void **state)
{
    /* "user.12345" and its NUL are 11 bytes. */
    for (size_t left = 10; left <= 12; left++) {
        struct world w;
        static char list[VFS_XATTR_LIST_MAX];
        int expected = left < 11 ? -VFS_ENOSPC : 0;
        world_begin(&w, NULL);
        assert_int_equal(run(&w, "write /f x"), 0);
        fill_list(&w, left);
        assert_int_equal(run(&w, "setx /f user.zzzzz v"), expected);
        int size = vfs_listxattr(&w.task, NULL, "/f", list, sizeof(list), 0);
        assert_int_equal(size, (int)(VFS_XATTR_LIST_MAX - left) + (left < 11 ? 0 : 11));
        world_end(&w);
    }
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
            struct vfs_file dir;
            struct vfs_path place;
            uint64_t last = 0;
            world_begin(&w, NULL);
            assert_int_equal(run(&w, "mkdir /d"), 0);
            assert_int_equal(run(&w, "write /f x"), 0);
            assert_int_equal(vfs_lookup(&w.task, NULL, "/d", 0, 0, &place), 0);
            vfs_path_inode(&place)->u.dir.dir->next_cookie = DIR_COOKIE_MAX - 1 + d;
            vfs_path_put(&place);
            assert_int_equal(run(&w, commands[i]), d < 2 ? 0 : -VFS_ENOSPC);
            assert_int_equal(vfs_open(&w.task, NULL, "/d", VFS_O_DIRECTORY, 0, 0, &dir), 0);
            assert_int_equal(vfs_readdir(&dir, note, &last), 0);
            assert_int_equal(last, d < 2 ? DIR_COOKIE_MAX + d : DIR_COOKIE_FIRST);
            vfs_close(&dir);
            world_end(&w);
        }
    }
}

int limit_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_attributes_have_a_limit),
        cmocka_unit_test(directories_run_out_of_cookies),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
