#include "tests.h"

static void counts_symbolic_links(void **state)
{
    struct world w;
    char line[64];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /l0 x"), 0);
    for (unsigned i = 1; i <= UMVFS_SYMLINK_MAX + 1; i++) {
        snprintf(line, sizeof(line), "symlink l%u /l%u", i - 1, i);
        assert_int_equal(run(&w, line), 0);
    }
    for (unsigned i = UMVFS_SYMLINK_MAX - 1; i <= UMVFS_SYMLINK_MAX + 1; i++) {
        snprintf(line, sizeof(line), "stat /l%u", i);
        assert_int_equal(run(&w, line), i <= UMVFS_SYMLINK_MAX ? 0 : -UMVFS_ELOOP);
    }
    world_end(&w);
}

/* Links with contents of the greatest length, each to the next one: 16 are 16 bytes below the limit. */
static void limits_text_of_links(void **state)
{
    enum { LONGEST = UMVFS_PATH_MAX - 1, FIT = UMVFS_LINK_TEXT_MAX / LONGEST };
    struct world w;
    char target[UMVFS_PATH_MAX], name[8];
    struct umvfs_stat st;
    unsigned left = UMVFS_LINK_TEXT_MAX - FIT * LONGEST;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /l0 x"), 0);
    for (unsigned i = 1; i <= FIT; i++) {
        memset(target, '/', LONGEST);
        snprintf(target + LONGEST - 4, 5, "//l%x", i - 1);
        snprintf(name, sizeof(name), "/l%x", i);
        assert_int_equal(umvfs_symlink(&w.task, target, NULL, name), 0);
    }
    for (unsigned more = left - 1; more <= left + 1; more++) {
        memset(target, '/', more);
        snprintf(target + more - 3, 4, "l%x", FIT);
        assert_int_equal(umvfs_symlink(&w.task, target, NULL, "/last"), 0);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/last", 0, &st),
                         more <= left ? 0 : -UMVFS_ELOOP);
        assert_int_equal(umvfs_unlink(&w.task, NULL, "/last"), 0);
    }
    world_end(&w);
    (void)state;
}

static void limits_names_and_paths(void **state)
{
    struct world w;
    char path[UMVFS_PATH_MAX + 8];
    world_begin(&w, NULL);
    for (unsigned len = UMVFS_NAME_MAX - 1; len <= UMVFS_NAME_MAX + 1; len++) {
        memset(path, 'n', len);
        path[len] = '\0';
        int expected = len <= UMVFS_NAME_MAX ? 0 : -UMVFS_ENAMETOOLONG;
        assert_int_equal(umvfs_mkdir(&w.task, NULL, path, 0755), expected);
        assert_int_equal(umvfs_rmdir(&w.task, NULL, path), expected);
        strcat(path, "/x");
        assert_int_equal(umvfs_mkdir(&w.task, NULL, path, 0755),
                         expected ? expected : -UMVFS_ENOENT);
    }
    assert_int_equal(run(&w, "mkdir /d"), 0);
    for (unsigned len = UMVFS_PATH_MAX - 2; len <= UMVFS_PATH_MAX; len++) {
        memset(path, '/', len);
        path[len] = '\0';
        struct umvfs_stat st;
        int expected = len < UMVFS_PATH_MAX ? 0 : -UMVFS_ENAMETOOLONG;
        assert_int_equal(umvfs_stat(&w.task, NULL, path, 0, &st), expected);
        path[len - 1] = 'd'; /* nothing stops the straight walk */
        struct umvfs_path place;
        assert_int_equal(umvfs_lookup(&w.task, NULL, path, 0, 0, &place), expected);
        if (!expected)
            umvfs_path_put(&place);
        memcpy(path, "/none/", 6);
        assert_int_equal(umvfs_stat(&w.task, NULL, path, 0, &st),
                         expected ? expected : -UMVFS_ENOENT);
        memset(path, 't', len);
        assert_int_equal(umvfs_symlink(&w.task, path, NULL, "/s"), expected);
        assert_int_equal(umvfs_unlink(&w.task, NULL, "/s"), expected ? -UMVFS_ENOENT : 0);
    }
    world_end(&w);
}

static void walks_as_posix_says(void **state)
{
    static const struct step steps[] = {
        {"mkdir /d", 0},
        {"mkdir /d/e", 0},
        {"write /f x", 0},
        {"symlink d /l", 0},
        {"symlink /l/e /abs", 0},
        {"symlink f/ /slash", 0},
        {"symlink none /dangling", 0},
        {"symlink new /d/create", 0},
        {"stat //d///e/", 0},
        {"stat /d/e/../../f", 0},
        {"stat /../../f", 0},
        {"stat /f/", -UMVFS_ENOTDIR},
        {"stat /f/.", -UMVFS_ENOTDIR},
        {"stat /f/..", -UMVFS_ENOTDIR},
        {"stat /l/e", 0},
        {"stat /abs/..", 0},
        {"stat /slash", -UMVFS_ENOTDIR},
        {"stat /dangling", -UMVFS_ENOENT},
        {"lookup /l n", 0},
        {"lookup /l/ n", 0},
        {"open /dangling/ wc", -UMVFS_EISDIR},
        {"open /dangling wcx", -UMVFS_EEXIST},
        {"open /dangling wc", 0},
        {"stat /none", 0},
        {"write /d/create x", 0},
        {"stat /d/new", 0},
        {"mkdir /dangling", -UMVFS_EEXIST},
        {"chdir /d", 0},
        {"stat e", 0},
        {"stat ../f", 0},
        {"chroot /d", 0},
        {"stat /e", 0},
        {"stat /../f", -UMVFS_ENOENT},
        {"stat /../e", 0},
        {0},
    };
    run_world(steps);
}

static void keeps_to_openat2_restrictions(void **state)
{
    static const struct step steps[] = {
        {"mkdir /in", 0},
        {"mkdir /in/d", 0},
        {"mkdir /in/mnt", 0},
        {"write /in/f x", 0},
        {"symlink /etc /in/abs", 0},
        {"symlink ../out /in/up", 0},
        {"symlink f /in/ok", 0},
        {"symlink /f /in/rooted", 0},
        {"tmpfs /in/mnt", 0},
        {"chdir /in", 0},
        {"lookup f b", 0},
        {"lookup d/../f b", 0},
        {"lookup .. b", -UMVFS_EXDEV},
        {"lookup d/../../in b", -UMVFS_EXDEV},
        {"lookup /in b", -UMVFS_EXDEV},
        {"lookup abs b", -UMVFS_EXDEV},
        {"lookup up b", -UMVFS_EXDEV},
        {"lookup ok b", 0},
        {"lookup rooted b", -UMVFS_EXDEV},
        {"lookup rooted i", 0},
        {"lookup /f i", 0},
        {"lookup ../../f i", 0},
        {"lookup abs i", -UMVFS_ENOENT},
        {"lookup ok s", -UMVFS_ELOOP},
        {"lookup ok sn", 0},
        {"lookup mnt x", -UMVFS_EXDEV},
        {"lookup mnt/.. x", -UMVFS_EXDEV},
        {"lookup mnt", 0},
        {"chdir mnt", 0},
        {"lookup .. x", -UMVFS_EXDEV},
        {"lookup .. b", -UMVFS_EXDEV},
        {"lookup . x", 0},
        {"lookup f bi", -UMVFS_EINVAL},
        {"lookup f ?", -UMVFS_EINVAL},
        {"chdir /", 0},
        {0},
    };
    run_world(steps);
}

static void search_permission_on_every_component(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /a/b", 0},
        {"write /a/b/f x", 0},
        {"chmod /a 0744", 0},
        {"as alice", 0},
        {"stat /a/b/f", -UMVFS_EACCES},
        {"stat /a/..", -UMVFS_EACCES},
        {"stat /a/none", -UMVFS_EACCES},
        {"stat /a", 0},
        {"open /a r", 0},
        {"chdir /a", -UMVFS_EACCES},
        {"as root", 0},
        {"chmod /a 0711", 0},
        {"as alice", 0},
        {"stat /a/b/f", 0},
        {"open /a r", -UMVFS_EACCES},
        {"as root", 0},
        {0},
    };
    run_world(steps);
}

/* A path that is too long is so, whatever else is wrong with it, and only if nobody is told sooner
 * that the directory itself has gone. */
static void long_paths_that_fail_early(void **state)
{
    struct world w;
    struct umvfs_stat st;
    static char path[UMVFS_PATH_MAX + 16];
    world_begin(&w, NULL);
    for (size_t len = UMVFS_PATH_MAX - 1; len <= UMVFS_PATH_MAX; len++) {
        memset(path, 'n', len);
        memcpy(path, "/none/", 6);
        path[len] = '\0';
        assert_int_equal(umvfs_stat(&w.task, NULL, path, 0, &st),
                         len < UMVFS_PATH_MAX ? -UMVFS_ENOENT : -UMVFS_ENAMETOOLONG);
    }
    static const struct step steps[] = {{"mkdir /d", 0}, {"chdir /d", 0}, {"rmdir /d", 0}, {0}};
    run_steps(&w, steps);
    memset(path, 'n', 300);
    path[300] = '\0';
    assert_int_equal(umvfs_stat(&w.task, NULL, path, 0, &st), -UMVFS_ENOENT);
    assert_int_equal(run(&w, "chdir /"), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, path, 0, &st), -UMVFS_ENAMETOOLONG);
    world_end(&w);
}

/* Steps between mounts that NO_XDEV forbids: down, up, and by absolute links. */
static void mounts_are_not_crossed(void **state)
{
    static const struct step steps[] = {
        {"mkdir /m", 0},
        {"tmpfs /m", 0},
        {"symlink /f /m/abs", 0},
        {"symlink . /m/rel", 0},
        {"symlink /m /up", 0},
        {"write /f x", 0},
        {"lookup /m/abs", 0},
        {"chdir /m", 0},
        {"lookup abs x", -UMVFS_EXDEV},
        {"lookup rel x", 0},
        {"lookup .. x", -UMVFS_EXDEV},
        {"mkdir over", 0},
        {"mkdir over/in", 0},
        {"chdir over/in", 0},
        {"tmpfs /m/over", 0},
        {"lookup .. x", -UMVFS_EXDEV}, /* what was mounted over the parent since */
        {"lookup ..", 0},
        {"chdir /", 0},
        {"lookup up x", -UMVFS_EXDEV},
        {0},
    };
    run_world(steps);
}

/* The name of what was moved out of the bind mount that it is reached through. */
static void moved_places_are_unreachable(void **state)
{
    static const struct step steps[] = {{"mkdir /a", 0},
                                        {"mkdir /a/d", 0},
                                        {"mkdir /b", 0},
                                        {"bind /a /b", 0},
                                        {"chdir /b/d", 0},
                                        {"rename /a/d /d", 0},
                                        {0}};
    struct world w;
    char buf[32];
    world_begin(&w, NULL);
    run_steps(&w, steps);
    int len = umvfs_path_name(&w.task.cwd, &w.task.root, buf, sizeof(buf));
    assert_int_equal(len, 15);
    assert_string_equal(buf, "(unreachable)/d");
    world_end(&w);
}

/* The same directory through another mount is another place, also for "..". */
static void mounts_tell_places_apart(void **state)
{
    struct world w;
    struct umvfs_path place;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /b"), 0);
    assert_int_equal(run(&w, "bind / /b"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/b", 0, 0, &place), 0);
    assert_ptr_equal(umvfs_path_inode(&place), umvfs_path_inode(&w.task.root));
    assert_false(umvfs_path_equal(&place, &w.task.root));
    umvfs_path_put(&place);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/b/..", 0, 0, &place), 0);
    assert_true(umvfs_path_equal(&place, &w.task.root));
    umvfs_path_put(&place);
    assert_int_equal(run(&w, "symlink none /l"), 0);
    assert_int_equal(umvfs_access(&w.task, NULL, "/l", UMVFS_MAY_WRITE, UMVFS_AT_SYMLINK_NOFOLLOW),
                     0);
    world_end(&w);
}

static void names_of_places(void **state)
{
    struct world w;
    struct umvfs_path place;
    char buf[32];
    static const struct step steps[] = {
        {"mkdir /a", 0}, {"mkdir /a/m", 0}, {"tmpfs /a/m", 0}, {"mkdir /a/m/b", 0}, {0}};
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/a/m/b", 0, 0, &place), 0);
    assert_int_equal(umvfs_path_name(&place, &w.task.root, buf, 7), 6);
    assert_string_equal(buf, "/a/m/b");
    assert_int_equal(umvfs_path_name(&place, &w.task.root, buf, 6), -UMVFS_ERANGE);
    assert_int_equal(umvfs_path_name(&w.task.root, &w.task.root, buf, 2), 1);
    assert_string_equal(buf, "/");
    assert_int_equal(umvfs_path_name(&w.task.root, &place, buf, sizeof(buf)), 14);
    assert_string_equal(buf, "(unreachable)/");
    umvfs_path_put(&place);
    world_end(&w);
}

/* Links of foreign file systems that lead straight to a place, and file systems that fail at any
 * of their operations. */

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

/* openat2 with RESOLVE_IN_ROOT, and a file as the root. */
static void a_root_is_a_directory(void **state)
{
    struct world w;
    struct umvfs_path file, found;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/f", 0, 0, &file), 0);
    assert_int_equal(umvfs_lookup(&w.task, &file, "/f", 0, UMVFS_RESOLVE_IN_ROOT, &found),
                     -UMVFS_ENOTDIR);
    assert_int_equal(umvfs_lookup(&w.task, &file, "/", 0, UMVFS_RESOLVE_IN_ROOT, &found),
                     -UMVFS_ENOTDIR);
    umvfs_path_put(&file);
    world_end(&w);
}

int walk_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_symbolic_links),
        cmocka_unit_test(limits_text_of_links),
        cmocka_unit_test(limits_names_and_paths),
        cmocka_unit_test(walks_as_posix_says),
        cmocka_unit_test(keeps_to_openat2_restrictions),
        cmocka_unit_test(a_root_is_a_directory),
        cmocka_unit_test(search_permission_on_every_component),
        cmocka_unit_test(long_paths_that_fail_early),
        cmocka_unit_test(mounts_are_not_crossed),
        cmocka_unit_test(moved_places_are_unreachable),
        cmocka_unit_test(mounts_tell_places_apart),
        cmocka_unit_test(names_of_places),
        cmocka_unit_test(magic_links_lead_to_places),
        cmocka_unit_test(foreign_links_may_be_odd),
        cmocka_unit_test(every_operation_may_fail),
        cmocka_unit_test(files_that_fail_to_open_again),
        cmocka_unit_test(archives_are_for_own_file_systems),
    };
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
