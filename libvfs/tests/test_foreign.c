/* What the library makes of a foreign file system. */
#include "tests.h"

#include "core.h"

/* The steps in a world of their own. Then only the mount holds anything, and without it nothing. */
static void play(const struct step *steps)
{
    struct world w;
    struct ledger l;
    ledger_begin(&w, &l, &ledger_ops);
    run_steps(&w, steps);
    assert_int_equal(l.refs, 1);
    ledger_end(&w, &l);
    assert_int_equal(l.refs, 0);
}

static void objects_are_made_and_removed(void **state)
{
    static const struct step steps[] = {
        {"mkdir /l/new", 0},
        {"mkdir /l/new", -UMVFS_EEXIST},
        {"open /l/new/f wc", 0},
        {"rename /l/new/f /l/g whiteout", -UMVFS_EINVAL},
        {"rename /l/new/f /l/g", 0},
        /* Whether that is empty is the file system's to know; the name is where the library's own
         * directories have their count. */
        {"mkdir /l/a-name-of-24-characters", 0},
        {"rename /l/new /l/a-name-of-24-characters", 0},
        {"stat /l/new", -UMVFS_ENOENT},
        {"rmdir /l/a-name-of-24-characters", 0},
        {"mkdir /l/new", 0},
        {"stat /l/g", 0},
        {"stat /l/new/f", -UMVFS_ENOENT},
        {"unlink /l/g", 0},
        {"stat /l/g", -UMVFS_ENOENT},
        {"rmdir /l/new", 0},
        {"symlink f /l/s", 0},
        {"stat /l/s", 0},
        {"mknod /l/dev 020600 5", 0},
        {"link /l/f /l/h", 0},
        {"link /l/f /l/h", -UMVFS_EMLINK},
        {"open /l/d wT", -UMVFS_EOPNOTSUPP},
        {"setx /l/f user.a b", -UMVFS_EOPNOTSUPP},
        {"getx /l/f user.a", -UMVFS_EOPNOTSUPP},
        {0},
    };
    play(steps);
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
    struct umvfs_statfs fs;
    struct umvfs_path place;
    ledger_begin(&w, &l, &ledger_ops);
    run_steps(&w, steps);
    struct umvfs_stat *st = &l.item[2].st;
    const struct umvfs_time atime_only[] = {{7, 0}, {0, UMVFS_TIME_OMIT}},
                            mtime_only[] = {{0, UMVFS_TIME_OMIT}, {8, 0}};
    assert_int_equal(st->mode, UMVFS_S_IFREG | 0600);
    assert_int_equal(st->uid, 5);
    assert_int_equal(st->gid, 6);
    assert_int_equal(st->size, 0);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/l/f", atime_only, 0), 0);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/l/f", mtime_only, 0), 0);
    assert_int_equal(st->atime.sec, 7);
    assert_int_equal(st->mtime.sec, 8);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/l/f", 0, 0, &place), 0);
    assert_ptr_equal(umvfs_inode_node(umvfs_path_inode(&place)), &l.item[2]);
    assert_ptr_equal(umvfs_inode_ops(umvfs_path_inode(&place)), &ledger_ops);
    assert_int_equal(umvfs_inode_tail(umvfs_path_inode(&place), 1), 0);
    assert_int_equal(umvfs_set_limits(&place, &(struct umvfs_limits){0}), -UMVFS_EINVAL);
    assert_int_equal(umvfs_statfs(&place, &fs), 0);
    assert_int_equal(fs.inodes, LEDGER_ITEMS);
    l.fail = -UMVFS_EIO;
    assert_int_equal(umvfs_statfs(&place, &fs), -UMVFS_EIO);
    umvfs_path_put(&place);
    ledger_end(&w, &l);
}

static void contents_are_handed_on(void **state)
{
    struct world w;
    struct ledger l;
    struct umvfs_file again;
    char text[8] = "";
    char page[1];
    void *got;
    ledger_begin(&w, &l, &ledger_ops);
    l.page = page;
    assert_int_equal(run(&w, "keep /l/f b"), 0);
    assert_int_equal(l.opened, 1);
    assert_int_equal(umvfs_pwrite(&w.kept, "hello", 5, 0), 5);
    assert_int_equal(umvfs_pread(&w.kept, text, 8, 0), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(umvfs_pread(&w.kept, text, SIZE_MAX, 0), 5); /* more than a result can say */
    assert_int_equal(umvfs_inode_read(w.kept.inode, 1, text, 8), 4);
    assert_int_equal(run(&w, "close"), 0);
    assert_int_equal(run(&w, "keep /l/f ba"), 0); /* where the end is, the file system knows */
    assert_int_equal(umvfs_pwrite(&w.kept, "LL", 2, 2), 2);
    assert_int_equal(umvfs_pread(&w.kept, text, 8, 0), 4);
    assert_memory_equal(text, "heLL", 4);
    assert_int_equal(umvfs_page_get(w.kept.inode, 0, UMVFS_PAGE_READ, &got), 0);
    assert_ptr_equal(got, page);
    assert_int_equal(umvfs_page_get_run(w.kept.inode, 0, 1, &got), 0);
    assert_int_equal(umvfs_file_truncate(&w.kept, 2), 0);
    assert_int_equal(l.item[2].st.size, 2);
    assert_int_equal(umvfs_fallocate(&w.kept, 0, 0, 1), -UMVFS_EOPNOTSUPP);
    assert_int_equal(umvfs_seek(&w.kept, 0, UMVFS_SEEK_DATA), -UMVFS_EINVAL);
    assert_int_equal(umvfs_reopen(&w.kept, &again), 0);
    assert_int_equal(l.opened, 2);
    assert_int_equal(umvfs_pread(&again, text, 8, 0), 2);
    umvfs_close(&again);
    ledger_end(&w, &l);
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
    struct umvfs_file dir;
    int names = 0;
    ledger_begin(&w, &l, &ledger_ops);
    assert_int_equal(umvfs_open(&w.task, NULL, "/l", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
    l.fail = -UMVFS_EIO;
    assert_int_equal(umvfs_readdir(&dir, count, &names), -UMVFS_EIO);
    assert_int_equal(umvfs_seek(&dir, 0, UMVFS_SEEK_SET), 0);
    names = 0;
    assert_int_equal(umvfs_readdir(&dir, count, &names), 0);
    assert_int_equal(names, 5);
    assert_int_equal(umvfs_readdir(&dir, count, &names), 0);
    assert_int_equal(names, 5);
    umvfs_close(&dir);
    ledger_end(&w, &l);
}

/* What each operation says if the file system's own fail, each in turn. */
static void failures_are_handed_on(void **state)
{
    static const struct {
        const char *command;
        unsigned calls; /* whose failure is told */
    } cases[] = {
        {"chmod /l/f 0600", 2}, {"chown /l/f 1 1", 2}, {"truncate /l/f 1", 2},
        {"stat /l/f", 2},       {"open /l/x wc", 3},   {"mkdir /l/x", 2},
        {"unlink /l/f", 2},     {"stat /l/l", 4},      {"exec /l/f", 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned calls = 0; calls <= cases[i].calls; calls++) {
            struct world w;
            struct ledger l;
            ledger_begin(&w, &l, &ledger_ops);
            assert_int_equal(run(&w, "chmod /l/f 0700"), 0);
            l.fail = -UMVFS_EIO;
            l.works = calls;
            int result = run(&w, cases[i].command);
            if (result != (calls < cases[i].calls ? -UMVFS_EIO : 0))
                fail_msg("%s: %d after %u calls", cases[i].command, result, calls);
            l.fail = 0;
            assert_int_equal(l.refs, w.kept.inode ? 2 : 1);
            ledger_end(&w, &l);
        }
    }
}

/* A directory that could not be removed is still one; when it was, whoever has it open learns it.
 */
static void removed_directories_are_not_listed(void **state)
{
    struct world w;
    struct ledger l;
    struct umvfs_file dir;
    int names = 0;
    ledger_begin(&w, &l, &ledger_ops);
    /* Two walks meet in one dentry of the directory while something is mounted below it. */
    assert_int_equal(run(&w, "mkdir /l/d/point"), 0);
    assert_int_equal(run(&w, "tmpfs /l/d/point"), 0);
    assert_int_equal(umvfs_open(&w.task, NULL, "/l/d", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
    assert_int_equal(run(&w, "umount /l/d/point"), 0);
    assert_int_equal(run(&w, "rmdir /l/d/point"), 0);
    l.fail = -UMVFS_EIO;
    assert_int_equal(run(&w, "rmdir /l/d"), -UMVFS_EIO);
    assert_int_equal(umvfs_readdir(&dir, count, &names), 0);
    assert_int_equal(names, 2);
    assert_int_equal(run(&w, "rmdir /l/d"), 0);
    assert_int_equal(umvfs_seek(&dir, 0, UMVFS_SEEK_SET), 0);
    assert_int_equal(umvfs_readdir(&dir, count, &names), -UMVFS_ENOENT);
    assert_int_equal(names, 2);
    assert_int_equal(run(&w, "stat /l/d"), -UMVFS_ENOENT);
    assert_int_equal(run(&w, "mkdir /l/d"), 0);
    umvfs_close(&dir);
    assert_int_equal(l.refs, 1);
    ledger_end(&w, &l);
}

/* Inodes of a foreign file system are freed at once, whatever device number a file of it has. */
static int endless_readdir(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    return emit(ctx, "x", 1, 7, UMVFS_S_IFREG >> 12, 1) ? 0 : -UMVFS_EIO;
}

/* Whether a directory is still there is asked before its first entry, by an offset after the last one.
 * A file system that has entries there too is not listed for that. */
static void a_question_lists_nothing(void **state)
{
    struct world w;
    struct ledger l;
    struct umvfs_file dir;
    int names = 0;
    struct umvfs_fs_ops ops = ledger_ops;
    ops.readdir = endless_readdir;
    ledger_begin(&w, &l, &ops);
    assert_int_equal(umvfs_open(&w.task, NULL, "/l", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
    assert_int_equal(umvfs_readdir(&dir, count, &names), -UMVFS_EIO);
    assert_int_equal(names, 3); /* ".", ".." and the one that is always there */
    umvfs_close(&dir);
    ledger_end(&w, &l);
}

static void foreign_files_are_not_late(void **state)
{
    struct world w;
    struct ledger l;
    ledger_begin(&w, &l, &ledger_ops);
    w.vfs->cfg.late = host_late;
    w.vfs->cfg.late_above = 8;
    l.item[2].st.rdev = 100;
    assert_int_equal(run(&w, "stat /l/f"), 0);
    assert_int_equal(w.host.late_calls, 0);
    assert_int_equal(l.refs, 1);
    ledger_end(&w, &l);
}

/* Directories on the way to several mount points are found by each. */
static void mounts_share_the_way(void **state)
{
    static const struct step steps[] = {
        {"mkdir /l/d/a", 0},  {"mkdir /l/d/b", 0},     {"tmpfs /l/d/a", 0},
        {"tmpfs /l/d/b", 0},  {"write /l/d/a/f x", 0}, {"stat /l/d/b/f", -UMVFS_ENOENT},
        {"umount /l/d/a", 0}, {"write /l/d/b/g x", 0}, {"umount /l/d/b", 0},
        {"rmdir /l/d/a", 0},  {"rmdir /l/d/b", 0},     {0},
    };
    play(steps);
}

/* The way to a mount goes by the new names, and the old ones are gone. */
static void mounts_go_with_a_renamed_directory(void **state)
{
    static const struct step steps[] = {
        {"mkdir /l/d/p", 0},
        {"mkdir /l/x", 0},
        {"tmpfs /l/d/p", 0},
        {"write /l/d/p/f x", 0},
        {"rename /l/d /l/x/a-name-that-does-not-fit-a-d", 0},
        {"stat /l/d", -UMVFS_ENOENT},
        {"mkdir /l/d", 0},
        {"stat /l/d/p", -UMVFS_ENOENT},
        {"stat /l/x/a-name-that-does-not-fit-a-d/p/f", 0},
        {"rename /l/x/a-name-that-does-not-fit-a-d /l/d exchange", 0},
        {"stat /l/d/p/f", 0},
        {"stat /l/x/a-name-that-does-not-fit-a-d/p", -UMVFS_ENOENT},
        {"rename /l/x/a-name-that-does-not-fit-a-d /l/d exchange", 0},
        {"rename /l/x/a-name-that-does-not-fit-a-d/p /l/p", -UMVFS_EBUSY},
        {"umount /l/x/a-name-that-does-not-fit-a-d/p", 0},
        {"rmdir /l/x/a-name-that-does-not-fit-a-d/p", 0},
        {"rename /l/x/a-name-that-does-not-fit-a-d /l/d", 0},
        {"rmdir /l/d", 0},
        {"rmdir /l/x", 0},
        {0},
    };
    play(steps);
}

/* Neither the file system's refusal nor the lack of memory for the name changes anything. */
static void failed_renames_change_nothing(void **state)
{
    static const char command[] = "rename /l/d /l/a-name-that-does-not-fit-a-d";
    struct world w;
    struct ledger l;
    ledger_begin(&w, &l, &ledger_ops);
    assert_int_equal(run(&w, "mkdir /l/d/p"), 0);
    assert_int_equal(run(&w, "tmpfs /l/d/p"), 0);
    uint64_t objects = w.host.objects;
    l.fail = -UMVFS_EIO;
    assert_int_equal(run(&w, "rename /l/d /l/short"), -UMVFS_EIO);
    for (uint64_t call = 1; call < 8; call++) {
        w.host.failed = 0;
        w.host.fail_at = w.host.calls + call;
        int err = run(&w, command);
        w.host.fail_at = 0;
        if (!w.host.failed) {
            assert_int_equal(err, 0);
            assert_true(call > 1);
            break;
        }
        assert_int_equal(err, -UMVFS_ENOMEM);
        assert_int_equal(w.host.objects, objects);
        assert_int_equal(run(&w, "stat /l/d/p"), 0);
    }
    objects = w.host.objects;
    unsigned refused = 0;
    for (;; refused++) {
        l.works = refused;
        l.fail = -UMVFS_EIO;
        int err = run(&w, "rename /l/a-name-that-does-not-fit-a-d /l/another-name-that-is-long");
        l.fail = 0;
        if (!err)
            break;
        assert_int_equal(err, -UMVFS_EIO);
        assert_int_equal(w.host.objects, objects);
        assert_int_equal(run(&w, "stat /l/a-name-that-does-not-fit-a-d/p"), 0);
    }
    assert_true(refused > 0);
    assert_int_equal(run(&w, "umount /l/another-name-that-is-long/p"), 0);
    ledger_end(&w, &l);
}

static void what_is_missing_is_refused(void **state)
{
    static const struct step steps[] = {
        {"mkdir /l/x", -UMVFS_EPERM},
        {"open /l/x wc", -UMVFS_EACCES},
        {"unlink /l/f", -UMVFS_EPERM},
        {"readlink /l/l", -UMVFS_EINVAL},
        {"stat /l/l", -UMVFS_EINVAL},
        {"chmod /l/f 0600", -UMVFS_EPERM},
        {"chown /l/f 1 1", -UMVFS_EPERM},
        {"truncate /l/f 0", 0},
        {"open /l/f wt", 0},
        {"write /l/f x", -UMVFS_EINVAL},
        {"link /l/f /l/g", -UMVFS_EPERM},
        {"rename /l/f /l/g", -UMVFS_EPERM},
        {"keep /l/f b", 0},
        {0},
    };
    struct world w;
    struct ledger l;
    struct umvfs_statfs fs;
    struct umvfs_file dir;
    void *page;
    char text[4];
    int names = 0;
    ledger_begin(&w, &l, &ledger_bare_ops);
    run_steps(&w, steps);
    assert_int_equal(umvfs_pread(&w.kept, text, 4, 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_inode_read(w.kept.inode, 0, text, 4), -UMVFS_EINVAL);
    assert_int_equal(umvfs_page_get(w.kept.inode, 0, UMVFS_PAGE_READ, &page), -UMVFS_ENODEV);
    assert_int_equal(umvfs_file_truncate(&w.kept, 0), 0);
    assert_int_equal(umvfs_statfs(&w.kept.path, &fs), 0);
    assert_int_equal(fs.inodes, 0);
    assert_int_equal(umvfs_open(&w.task, NULL, "/l", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
    assert_int_equal(umvfs_readdir(&dir, count, &names), -UMVFS_EPERM);
    umvfs_close(&dir);
    ledger_end(&w, &l);
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
            ledger_begin(&w, &l, &ledger_ops);
            w.host.fail_at = w.host.calls + n;
            int result = run(&w, commands[c]);
            bool failed = w.host.failed > 0;
            assert_int_equal(result, failed ? -UMVFS_ENOMEM : 0);
            w.host.fail_at = 0;
            if (c == 3 && !failed)
                assert_int_equal(run(&w, "umount /l/d"), 0);
            assert_int_equal(l.refs, 1);
            ledger_end(&w, &l);
            if (!failed)
                break;
        }
    }
}

/* A file system that counts no references has none to be given back. */
static void nodes_need_not_be_counted(void **state)
{
    struct umvfs_fs_ops ops = ledger_ops;
    int result = -UMVFS_ENOMEM;
    ops.put = NULL;
    for (uint64_t n = 1; result; n++) {
        struct world w;
        struct ledger l;
        ledger_begin(&w, &l, &ops);
        w.host.fail_at = w.host.calls + n;
        result = run(&w, "open /l/new wc");
        w.host.fail_at = 0;
        assert_int_equal(result, w.host.failed ? -UMVFS_ENOMEM : 0);
        assert_int_equal(run(&w, "stat /l/new"), 0);
        ledger_end(&w, &l);
        assert_true(result || n == 3); /* dentry and inode are two allocations */
    }
}

static void failed_mounts_leave_the_root_to_the_caller(void **state)
{
    struct ledger l;
    struct world w;
    const struct umvfs_fs_ops none = {.getattr = ledger_ops.getattr};
    for (uint64_t n = 1;; n++) {
        ledger_begin(&w, &l, &ledger_ops);
        w.host.fail_at = w.host.calls + n;
        int err = umvfs_mount(&w.task, NULL, "/l", &ledger_ops, &l, &l.item[0], 0);
        w.host.fail_at = 0;
        assert_int_equal(l.refs, 1);
        if (!err) {
            l.refs++;
            assert_int_equal(run(&w, "umount /l"), 0);
        } else {
            assert_true(err == -UMVFS_ENOMEM);
        }
        ledger_end(&w, &l);
        if (!err)
            break;
    }
    ledger_begin(&w, &l, &ledger_ops);
    assert_int_equal(umvfs_mount(&w.task, NULL, "/l/f", &ledger_ops, &l, &l.item[0], 0),
                     -UMVFS_ENOTDIR);
    assert_int_equal(umvfs_mount(&w.task, NULL, "/none", &ledger_ops, &l, &l.item[0], 0),
                     -UMVFS_ENOENT);
    assert_int_equal(umvfs_mount(&w.task, NULL, "/l", &none, &l, &l.item[0], 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_mount(&w.task, NULL, "/l", NULL, &l, &l.item[0], 0), -UMVFS_EINVAL);
    ledger_end(&w, &l);
}

/* Objects that are held outlive the mount, and answer that they are stale. */
static void objects_outlive_the_mount(void **state)
{
    struct world w;
    struct ledger l;
    struct umvfs_path place;
    struct umvfs_stat st;
    ledger_begin(&w, &l, &ledger_ops);
    assert_int_equal(run(&w, "keep /l/f r"), 0);
    struct umvfs_inode *inode = w.kept.inode;
    umvfs_inode_get(inode);
    umvfs_close(&w.kept);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/l", 0, 0, &place), 0);
    assert_int_equal(run(&w, "umount /l detach"), 0);
    umvfs_path_put(&place);
    assert_int_equal(umvfs_inode_stat(inode, &st), 0);
    umvfs_inode_put(inode);
    assert_int_equal(run(&w, "tmpfs /l"), 0);
    ledger_end(&w, &l);
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
        cmocka_unit_test(removed_directories_are_not_listed),
        cmocka_unit_test(a_question_lists_nothing),
        cmocka_unit_test(foreign_files_are_not_late),
        cmocka_unit_test(mounts_share_the_way),
        cmocka_unit_test(mounts_go_with_a_renamed_directory),
        cmocka_unit_test(failed_renames_change_nothing),
        cmocka_unit_test(nodes_need_not_be_counted),
        cmocka_unit_test(failed_mounts_leave_the_root_to_the_caller),
        cmocka_unit_test(objects_outlive_the_mount),
    };
    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
