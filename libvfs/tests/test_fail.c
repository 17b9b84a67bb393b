#include "tests.h"

struct sum {
    struct world *world;
    const struct umvfs_path *dir;
    uint64_t value;
};

static void mix(struct sum *sum, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum->value = (sum->value ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
}

/* Field by field: the padding of a structure has any value. */
static void mix_time(struct sum *sum, const struct umvfs_time *time)
{
    mix(sum, &time->sec, sizeof(time->sec));
    mix(sum, &time->nsec, sizeof(time->nsec));
}

static int mix_entry(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                     uint64_t next);

/* Everything that can be seen of a tree but access times. */
static void mix_tree(struct sum *sum, const struct umvfs_path *at)
{
    struct umvfs_stat st;
    struct umvfs_file dir;
    char buf[4096];
    const struct umvfs_task *task = &sum->world->task;
    assert_int_equal(umvfs_inode_stat(umvfs_path_inode(at), &st), 0);
    mix(sum, &st, offsetof(struct umvfs_stat, atime));
    mix_time(sum, &st.mtime);
    mix_time(sum, &st.ctime);
    int len = umvfs_listxattr(task, at, "", buf, sizeof(buf), UMVFS_AT_EMPTY_PATH);
    mix(sum, buf, (size_t)len);
    for (int64_t got, offset = 0; UMVFS_S_ISREG(st.mode); offset += got) {
        got = umvfs_inode_read(umvfs_path_inode(at), (uint64_t)offset, buf, sizeof(buf));
        if (got == 0)
            break;
        mix(sum, buf, (size_t)got);
    }
    if (UMVFS_S_ISDIR(st.mode)) {
        const struct umvfs_path *outer = sum->dir;
        sum->dir = at;
        assert_int_equal(umvfs_open(task, at, ".", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
        assert_int_equal(umvfs_readdir(&dir, mix_entry, sum), 0);
        umvfs_close(&dir);
        sum->dir = outer;
    }
}

static int mix_entry(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                     uint64_t next)
{
    struct sum *sum = ctx;
    struct umvfs_path child;
    char text[256];
    memcpy(text, name, len);
    text[len] = '\0';
    mix(sum, text, len);
    mix(sum, &next, sizeof(next));
    if (!strcmp(text, ".") || !strcmp(text, ".."))
        return 0;
    assert_int_equal(
        umvfs_lookup(&sum->world->task, sum->dir, text, UMVFS_AT_SYMLINK_NOFOLLOW, 0, &child), 0);
    mix_tree(sum, &child);
    umvfs_path_put(&child);
    return 0;
}

static uint64_t fingerprint(struct world *w)
{
    struct sum sum = {.world = w};
    struct umvfs_statfs st;
    mix_tree(&sum, &w->task.root);
    assert_int_equal(umvfs_statfs(&w->task.root, &st), 0);
    mix(&sum, &st, sizeof(st));
    mix(&sum, &w->host.objects, sizeof(w->host.objects));
    mix(&sum, &w->host.pages, sizeof(w->host.pages));
    return sum.value;
}

static const struct step setting[] = {
    {"mkdir /d", 0},
    {"mkdir /e", 0},
    {"mkdir /e/sub", 0},
    {"write /f small", 0},
    {"fill /big 9000", 0},
    {"symlink f /l", 0},
    {"setx /f user.a one", 0},
    {"mkdir /mnt", 0},
    {"mkdir /acl", 0},
    {"acl /acl u=7,u1000=5,g=5,m=5,o=0 default", 0},
    {0},
};

static const char *const commands[] = {
    "mkdir /d/new",
    "mkdir /d/a-name-that-does-not-fit-into-a-dentry",
    "mknod /d/new 010600",
    "symlink target /d/new",
    "link /f /d/another-name-that-is-longer-than-inline",
    "rename /f /d/yet-another-name-that-is-longer",
    "rename /f /d/g",
    "rename /e /d/g",
    "rename /big /f",
    "rename /d /e exchange",
    "rename /f /d/yet-another-name-that-is-longer whiteout",
    "rename /e /d whiteout",
    "rename /f /g whiteout",
    "write /d/new text",
    "open /d/new wc",
    "open /d wT",
    "fill /f 3000",
    "fill /f 100 1000",
    "fill /f 10 100000",
    "fill /f 1 1000000000000",
    "fill /big 20000 5000",
    "setx /f user.a another-value",
    "setx /f user.b value",
    "acl /f u=6,u1000=7,g=4,m=5,o=0",
    "acl /acl u=7,u1000=7,u1001=7,g=7,m=7,o=7 default",
    "mkdir /acl/new",
    "write /acl/new text",
    "tmpfs /mnt",
    "bind /e /mnt",
    "bind / /mnt rec",
};

/* Every command with the first allocation failing, then the second, ... until all succeed. */
static void failed_allocations_change_nothing(void **state)
{
    for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
        for (uint64_t n = 1;; n++) {
            struct world w;
            world_begin(&w, NULL);
            run_steps(&w, setting);
            uint64_t before = fingerprint(&w);
            w.host.fail_at = w.host.calls + n;
            int result = run(&w, commands[c]);
            w.host.fail_at = 0;
            bool failed = w.host.failed > 0;
            if (result < 0) {
                bool partial = result == -UMVFS_EAGAIN; /* some bytes were written */
                if (!partial && (result != -UMVFS_ENOMEM || fingerprint(&w) != before) &&
                    strncmp(commands[c], "write", 5) != 0)
                    fail_msg("%s: allocation %u: %d", commands[c], (unsigned)n, result);
            }
            world_end(&w);
            if (!failed)
                break;
            assert_true(n < 100);
        }
    }
}

static void fallocate_is_all_or_nothing(void **state)
{
    for (uint64_t n = 1;; n++) {
        struct world w;
        world_begin(&w, NULL);
        run_steps(&w, setting);
        assert_int_equal(run(&w, "keep /f b"), 0);
        uint64_t before = fingerprint(&w);
        w.host.fail_at = w.host.calls + n;
        int result = umvfs_fallocate(&w.kept, 0, 100, 200 * UMVFS_PAGE_SIZE);
        w.host.fail_at = 0;
        if (result) {
            assert_int_equal(result, -UMVFS_ENOMEM);
            assert_true(fingerprint(&w) == before);
        }
        world_end(&w);
        if (!result)
            break;
    }
}

static void instances_survive_failing_to_start(void **state)
{
    for (uint64_t n = 1;; n++) {
        struct host host = {.fail_at = n};
        struct umvfs_config config = host_config(&host);
        struct umvfs *vfs;
        int err = umvfs_new(&config, &vfs);
        if (!err) {
            assert_int_equal(umvfs_destroy(vfs), 0);
            assert_true(n > 5);
            break;
        }
        assert_int_equal(err, -UMVFS_ENOMEM);
        assert_true(host_is_empty(&host));
    }
}

static void quotas_are_exact(void **state)
{
    struct world w;
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    struct umvfs_statfs st;
    config.root_limits = (struct umvfs_limits){.max_pages = 4, .max_inodes = 3};
    world_begin(&w, &config);
    static const struct step steps[] = {
        {"fill /a 8192", 0},
        {"fill /a 8192 8192", 0},
        {"fill /a 1 16384", -UMVFS_ENOSPC},
        {"fill /a 4096 4096", 0},
        {"mkdir /d", 0},
        {"mkdir /e", -UMVFS_ENOSPC},
        {"rmdir /d", 0},
        {"mkdir /e", 0},
        {"truncate /a 12288", 0},
        {"fill /a 1 20000", 0},
        {"unlink /a", 0},
        {"fill /a 16384", 0},
        {0},
    };
    run_steps(&w, steps);
    assert_int_equal(umvfs_statfs(&w.task.root, &st), 0);
    assert_int_equal(st.pages_used, 4);
    assert_int_equal(st.pages_used, w.host.pages);
    assert_int_equal(st.inodes_used, 3);
    world_end(&w);
}

static void byte_quota_is_exact(void **state)
{
    struct world w;
    struct host host = {0};
    struct umvfs_statfs st;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(umvfs_statfs(&w.task.root, &st), 0);
    world_end(&w);
    for (int d = -1; d <= 1; d++) {
        struct umvfs_config config = host_config(&host);
        config.root_limits.max_bytes = st.bytes_used + (uint64_t)(int64_t)d;
        world_begin(&w, &config);
        assert_int_equal(run(&w, "mkdir /d"), d < 0 ? -UMVFS_ENOSPC : 0);
        world_end(&w);
    }
}

static void configurations_are_checked(void **state)
{
    struct host host = {0};
    struct umvfs *vfs;
    struct umvfs_config config = host_config(&host);
    config.alloc = NULL;
    assert_int_equal(umvfs_new(&config, &vfs), -UMVFS_EINVAL);
    config = host_config(&host);
    config.page_put = NULL;
    assert_int_equal(umvfs_new(&config, &vfs), -UMVFS_EINVAL);
    assert_int_equal(umvfs_new(NULL, &vfs), -UMVFS_EINVAL);
    assert_int_equal(host.calls, 0);
}

int fail_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_allocations_change_nothing),
        cmocka_unit_test(fallocate_is_all_or_nothing),
        cmocka_unit_test(instances_survive_failing_to_start),
        cmocka_unit_test(quotas_are_exact),
        cmocka_unit_test(byte_quota_is_exact),
        cmocka_unit_test(configurations_are_checked),
    };
    return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
