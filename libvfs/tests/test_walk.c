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

int walk_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_symbolic_links),
        cmocka_unit_test(limits_text_of_links),
        cmocka_unit_test(limits_names_and_paths),
        cmocka_unit_test(walks_as_posix_says),
        cmocka_unit_test(keeps_to_openat2_restrictions),
        cmocka_unit_test(search_permission_on_every_component),
        cmocka_unit_test(long_paths_that_fail_early),
        cmocka_unit_test(mounts_are_not_crossed),
        cmocka_unit_test(moved_places_are_unreachable),
        cmocka_unit_test(mounts_tell_places_apart),
        cmocka_unit_test(names_of_places),
    };
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
