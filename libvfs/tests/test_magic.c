/* Links of foreign file systems that lead straight to a place, and file systems that fail at any
 * of their operations. */
#include "tests.h"

enum { ROOT, DIR, FILE_, LINK, NODES };

struct oracle {
    struct umvfs_path to; /* where the link leads: uncounted */
    int calls;            /* operations that still work before one fails; below 0: all do */
    int text;             /* what readlink answers */
    bool magic;
    int node[NODES];
};

static int next(struct oracle *o)
{
    return o->calls-- == 0 ? -UMVFS_EIO : 0;
}

static int o_getattr(void *fs, void *node, struct umvfs_stat *out)
{
    static const uint32_t modes[] = {UMVFS_S_IFDIR | 0755, UMVFS_S_IFDIR | 0755,
                                     UMVFS_S_IFREG | 0755, UMVFS_S_IFLNK | 0777};
    struct oracle *o = fs;
    int err = next(o);
    if (!err)
        *out = (struct umvfs_stat){.mode = modes[(int *)node - o->node], .nlink = 1, .size = 9};
    return err;
}

static int o_lookup(void *fs, void *dir, const char *name, size_t len, void **node)
{
    struct oracle *o = fs;
    int err = next(o);
    if (err || len != 1)
        return err ? err : -UMVFS_ENOENT;
    *node = &o->node[name[0] == 'd' ? DIR : name[0] == 'f' ? FILE_ : LINK];
    return 0;
}

static int o_readlink(void *fs, void *node, char *buf, size_t size)
{
    struct oracle *o = fs;
    int err = next(o);
    buf[0] = 'f';
    return err ? err : o->text;
}

static int o_follow(void *fs, void *node, const struct umvfs_task *task, struct umvfs_path *out)
{
    struct oracle *o = fs;
    if (!o->magic)
        return -UMVFS_ENOSYS;
    int err = next(o);
    if (!err)
        *out = umvfs_path_get(&o->to);
    return err;
}

static int o_open(void *fs, void *node, struct umvfs_file *file)
{
    return next(fs);
}

static int64_t o_read(void *fs, void *node, struct umvfs_file *file, uint64_t offset, void *buf,
                      size_t len, const struct umvfs_copy *copy)
{
    int err = next(fs);
    return err ? err : (int64_t)copy->copy(copy->ctx, buf, "x", 1);
}

static int o_setattr(void *fs, void *node, const struct umvfs_setattr *attr)
{
    return next(fs);
}

static const struct umvfs_fs_ops oracle_ops = {
    .getattr = o_getattr,
    .lookup = o_lookup,
    .readlink = o_readlink,
    .follow = o_follow,
    .open = o_open,
    .read = o_read,
    .setattr = o_setattr,
};

static void begin(struct world *w, struct oracle *o)
{
    static const struct step steps[] = {
        {"mkdir /o", 0}, {"mkdir /own", 0}, {"write /own/f x", 0}, {"tmpfs /own", 0}, {0}};
    world_begin(w, NULL);
    run_steps(w, steps);
    *o = (struct oracle){.calls = -1, .text = 1, .magic = true};
    assert_int_equal(umvfs_mount(&w->task, NULL, "/o", &oracle_ops, o, &o->node[ROOT], 0), 0);
    assert_int_equal(umvfs_lookup(&w->task, NULL, "/own", 0, 0, &o->to), 0);
}

static void end(struct world *w, struct oracle *o)
{
    o->calls = -1;
    umvfs_close(&w->kept);
    umvfs_path_put(&o->to);
    assert_int_equal(run(w, "umount /o"), 0);
    world_end(w);
}

static void magic_links_lead_to_places(void **state)
{
    static const struct step steps[] = {
        {"stat /o/l", 0},
        {"open /o/l wT", 0},
        {"open /o/l/f wc", 0},
        {"stat /own/f", 0},
        {"lookup /o/l m", -UMVFS_ELOOP},
        {"lookup /o/l b", -UMVFS_EXDEV},
        {"lookup /o/l i", -UMVFS_EXDEV},
        {"lookup /o/l x", -UMVFS_EXDEV},
        {"chdir /o", 0},
        {"lookup l x", -UMVFS_EXDEV},
        {"lookup l/f b", -UMVFS_EXDEV},
        {"chdir /", 0},
        {0},
    };
    struct world w;
    struct oracle o;
    begin(&w, &o);
    run_steps(&w, steps);
    /* One that leads to where it is crosses no mount. */
    struct umvfs_path own = o.to;
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/o", 0, 0, &o.to), 0);
    assert_int_equal(run(&w, "chdir /o"), 0);
    assert_int_equal(run(&w, "lookup l x"), 0);
    assert_int_equal(run(&w, "lookup l/d x"), 0);
    assert_int_equal(run(&w, "chdir /"), 0);
    umvfs_path_put(&o.to);
    o.to = own;
    end(&w, &o);
}

static void foreign_links_may_be_odd(void **state)
{
    static const struct {
        int text;
        int expected;
    } cases[] = {{1, 0}, {0, -UMVFS_ENOENT}, {-UMVFS_EACCES, -UMVFS_EACCES}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        struct oracle o;
        begin(&w, &o);
        o.magic = false;
        o.text = cases[i].text;
        assert_int_equal(run(&w, "stat /o/l"), cases[i].expected);
        end(&w, &o);
    }
}

/* Each operation of the file system that a command asks for fails in turn, and the command says so.
 */
static void every_operation_may_fail(void **state)
{
    static const struct {
        const char *command;
        bool rereads; /* the attributes when it is done, which may fail */
    } cases[] = {
        {"stat /o/f", false},      {"stat /o/l", false},    {"stat /o/d/f", false},
        {"open /o/f r", false},    {"open /o/f rt", false}, {"exec /o/f", false},
        {"chmod /o/f 0600", true}, {"keep /o/f r", false},  {"stat /o/l/f", false},
        {"open /o/l rn", false},   {"chdir /o/d", false},   {"readlink /o/l", false},
        {"truncate /o/f 3", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool failed = true;
        for (int n = 0; failed; n++) {
            struct world w;
            struct oracle o;
            begin(&w, &o);
            o.calls = n;
            o.magic = false;
            int result = run(&w, cases[i].command);
            failed = o.calls < 0;
            if (failed && !(cases[i].rereads && result == 0))
                assert_int_equal(result, -UMVFS_EIO);
            o.calls = -1;
            assert_int_equal(run(&w, "chdir /"), 0);
            end(&w, &o);
        }
    }
}

static void files_that_fail_to_open_again(void **state)
{
    struct world w;
    struct oracle o;
    struct umvfs_file again;
    char buf[8];
    begin(&w, &o);
    assert_int_equal(run(&w, "keep /o/f b"), 0);
    o.calls = 0;
    assert_int_equal(umvfs_reopen(&w.kept, &again), -UMVFS_EIO);
    o.calls = -1;
    assert_int_equal(umvfs_reopen(&w.kept, &again), 0);
    umvfs_close(&again);
    /* It says that there is always more, even past the last offset. */
    assert_int_equal(umvfs_read_exact(w.kept.inode, 0, buf, 8), 0);
    assert_int_equal(umvfs_read_exact(w.kept.inode, UINT64_MAX - 1, buf, 8), -UMVFS_EIO);
    assert_int_equal(umvfs_pread(&w.kept, buf, 8, 0), 1);
    umvfs_close(&w.kept);
    assert_int_equal(run(&w, "keep /o/f p"), 0);
    assert_int_equal(umvfs_pread(&w.kept, buf, 8, 0), -UMVFS_EBADF);
    end(&w, &o);
}

static int sink(void *ctx, const void *data, size_t len)
{
    return 0;
}

static void archives_are_for_own_file_systems(void **state)
{
    struct world w;
    struct oracle o;
    struct umvfs_import *imp;
    char value[8];
    static const struct umvfs_cred nobody = {.uid = 5, .gid = 5};
    begin(&w, &o);
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/o", NULL, &imp), -UMVFS_EOPNOTSUPP);
    assert_int_equal(umvfs_export(&w.task, NULL, "/o", UMVFS_ARCHIVE_TAR, sink, NULL),
                     -UMVFS_EOPNOTSUPP);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/o/f", "trusted.x", value, 8, 0),
                     -UMVFS_EOPNOTSUPP);
    w.task.cred = &nobody;
    assert_int_equal(umvfs_mount(&w.task, NULL, "/own", &oracle_ops, &o, &o.node[ROOT], 0),
                     -UMVFS_EPERM);
    assert_int_equal(umvfs_chown(&w.task, NULL, "/o/f", UINT32_MAX, UINT32_MAX, 0), 0);
    w.task.cred = &w.cred;
    static const struct umvfs_fs_ops blind = {.lookup = o_lookup};
    assert_int_equal(umvfs_mount(&w.task, NULL, "/own", &blind, &o, &o.node[ROOT], 0),
                     -UMVFS_EINVAL);
    end(&w, &o);
}

int magic_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(magic_links_lead_to_places),
        cmocka_unit_test(foreign_links_may_be_odd),
        cmocka_unit_test(every_operation_may_fail),
        cmocka_unit_test(files_that_fail_to_open_again),
        cmocka_unit_test(archives_are_for_own_file_systems),
    };
    return cmocka_run_group_tests_name("magic", tests, NULL, NULL);
}
