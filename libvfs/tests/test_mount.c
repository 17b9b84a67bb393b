#include "tests.h"

/* A foreign file system of five nodes: "/", "/file", "/dir", "/dir/inner", "/link" -> "dir" and
 * "/magic", which leads to wherever `magic` is. */
enum { ROOT, FILE_NODE, DIR, INNER, LINK, MAGIC, NODES };

struct toy {
    int node[NODES]; /* its index; the nodes are pointers to these */
    int refs;
    int gone; /* this node has lost its name to another one; 0: none */
    bool unmounted;
    struct umvfs_path magic;
    char text[16];
};

static const char *const toy_names[NODES] = {"", "file", "dir", "inner", "link", "magic"};
static const uint32_t toy_modes[NODES] = {UMVFS_S_IFDIR | 0755, UMVFS_S_IFREG | 0644,
                                          UMVFS_S_IFDIR | 0755, UMVFS_S_IFREG | 0600,
                                          UMVFS_S_IFLNK | 0777, UMVFS_S_IFLNK | 0777};

static int toy_getattr(void *fs, void *node, struct umvfs_stat *out)
{
    int i = *(int *)node;
    (void)fs;
    *out = (struct umvfs_stat){.ino = (uint64_t)i + 1, .mode = toy_modes[i], .nlink = 1, .size = 5};
    return 0;
}

static int toy_lookup(void *fs, void *dir, const char *name, size_t len, void **node)
{
    struct toy *toy = fs;
    int at = *(int *)dir;
    for (int i = FILE_NODE; i < NODES; i++) {
        if ((i == INNER) == (at == DIR) && strlen(toy_names[i]) == len &&
            memcmp(toy_names[i], name, len) == 0) {
            toy->refs++;
            *node = &toy->node[i];
            return 0;
        }
    }
    return -UMVFS_ENOENT;
}

static bool toy_revalidate(void *fs, void *node)
{
    const struct toy *toy = fs;
    return toy->gone == 0 || toy->gone != *(int *)node;
}

static void toy_put(void *fs, void *node)
{
    (void)node;
    ((struct toy *)fs)->refs--;
}

static int toy_readdir(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    (void)fs;
    (void)dir;
    for (; *cookie < 5; ++*cookie) {
        int i = *cookie == 3 ? FILE_NODE : LINK;
        if (emit(ctx, toy_names[i], strlen(toy_names[i]), (uint64_t)i + 1,
                 UMVFS_DT_OF(toy_modes[i]), *cookie + 1))
            return 0;
    }
    return 0;
}

static int toy_readlink(void *fs, void *node, char *buf, size_t size)
{
    (void)fs;
    (void)node;
    memcpy(buf, "dir", size < 3 ? size : 3);
    return 3;
}

static int toy_follow(void *fs, void *node, const struct umvfs_task *task, struct umvfs_path *out)
{
    struct toy *toy = fs;
    (void)task;
    if (*(int *)node != MAGIC)
        return -UMVFS_ENOSYS;
    *out = umvfs_path_get(&toy->magic);
    return 0;
}

static int64_t toy_read(void *fs, void *node, struct umvfs_file *file, uint64_t offset, void *buf,
                        size_t len, const struct umvfs_copy *copy)
{
    struct toy *toy = fs;
    (void)node;
    (void)file;
    if (offset >= 5)
        return 0;
    return (int64_t)copy->copy(copy->ctx, buf, toy->text + offset, len < 5 ? len : 5);
}

static void toy_unmount(void *fs)
{
    ((struct toy *)fs)->unmounted = true;
}

static const struct umvfs_fs_ops toy_ops = {
    .getattr = toy_getattr,
    .lookup = toy_lookup,
    .revalidate = toy_revalidate,
    .put = toy_put,
    .readdir = toy_readdir,
    .readlink = toy_readlink,
    .follow = toy_follow,
    .read = toy_read,
    .unmount = toy_unmount,
};

static void toy_begin(struct world *w, struct toy *toy)
{
    world_begin(w, NULL);
    *toy = (struct toy){.refs = 1, .text = "hello"};
    for (int i = 0; i < NODES; i++)
        toy->node[i] = i;
    assert_int_equal(run(w, "mkdir /toy"), 0);
    assert_int_equal(umvfs_mount(&w->task, NULL, "/toy", &toy_ops, toy, &toy->node[ROOT], 0), 0);
}

static void foreign_file_systems(void **state)
{
    struct world w;
    struct toy toy;
    char text[16];
    static const struct step steps[] = {
        {"stat /toy/file", 0},
        {"stat /toy/dir/inner", 0},
        {"stat /toy/link/inner", 0},
        {"stat /toy/link/../../toy/dir/inner/", -UMVFS_ENOTDIR},
        {"stat /toy/none", -UMVFS_ENOENT},
        {"readlink /toy/link", 0},
        {"mkdir /toy/new", -UMVFS_EPERM},
        {"open /toy/new wc", -UMVFS_EACCES},
        {"unlink /toy/file", -UMVFS_EPERM},
        {"rename /toy/file /toy/new", -UMVFS_EPERM},
        {"link /toy/file /toy/new", -UMVFS_EPERM},
        {"symlink x /toy/new", -UMVFS_EPERM},
        {"chmod /toy/file 0600", -UMVFS_EPERM},
        {"setx /toy/file user.a b", -UMVFS_EOPNOTSUPP},
        {"acl /toy/file u=7,g=5,o=5", -UMVFS_EOPNOTSUPP},
        {"getx /toy/file system.posix_acl_access", -UMVFS_EOPNOTSUPP},
        {"rename /toy/file /new", -UMVFS_EXDEV},
        {"mkdir /x", 0},
        {"tmpfs /toy/dir", 0},
        {"write /toy/link/made x", 0},
        {"stat /toy/dir/inner", -UMVFS_ENOENT},
        {"umount /toy", -UMVFS_EBUSY},
        {"umount /toy/dir", 0},
        {"stat /toy/dir/inner", 0},
        {"as alice", 0},
        {"open /toy/dir/inner r", -UMVFS_EACCES},
        {"as root", 0},
        {0},
    };
    toy_begin(&w, &toy);
    run_steps(&w, steps);
    assert_int_equal(slurp(&w, "/toy/file", text, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(toy.refs, 1);
    assert_int_equal(run(&w, "umount /toy"), 0);
    assert_int_equal(toy.refs, 0);
    assert_true(toy.unmounted);
    world_end(&w);
}

static void magic_links_lead_to_places(void **state)
{
    struct world w;
    struct toy toy;
    toy_begin(&w, &toy);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(run(&w, "write /d/f x"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/d", 0, 0, &toy.magic), 0);
    assert_int_equal(run(&w, "rename /d /moved"), 0);
    static const struct step steps[] = {
        {"stat /toy/magic/f", 0},
        {"stat /toy/magic/../moved", 0},
        {"lookup /toy/magic n", 0},
        {"lookup /toy/magic m", -UMVFS_ELOOP},
        {"lookup /toy/magic x", -UMVFS_EXDEV},
        {"lookup toy/magic b", -UMVFS_EXDEV},
        {"unlink /moved/f", 0},
        {"rmdir /moved", 0},
        {"stat /toy/magic", 0},
        {"stat /toy/magic/..", 0},
        {0},
    };
    run_steps(&w, steps);
    umvfs_path_put(&toy.magic);
    world_end(&w);
}

/* A walk that was in a bind mount's tree comes to what was moved out of it: by a magic link, and by a root that was
 * moved out. From there no step leads up. */
static void walks_notice_what_was_moved_out_of_a_bind_mount(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /a/d", 0},
        {"mkdir /a/r", 0},
        {"mkdir /a/r/s", 0},
        {"mkdir /a/r/s/t", 0},
        {"mkdir /b", 0},
        {"symlink / /a/d/l", 0},
        {"bind /a /b", 0},
        {"chdir /b/d", 0},
        {"stat ../d/../r", 0},
        {0},
    };
    struct world w;
    struct toy toy;
    struct umvfs_path out;
    toy_begin(&w, &toy);
    run_steps(&w, steps);
    struct umvfs_task task = w.task;
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/b/r", 0, 0, &task.root), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/b/r/s", 0, 0, &toy.magic), 0);
    assert_int_equal(run(&w, "rename /a/r /out"), 0);
    assert_int_equal(run(&w, "stat ../../toy/magic/t"), 0);
    assert_int_equal(run(&w, "stat ../../toy/magic/.."), -UMVFS_ENOENT);
    assert_int_equal(run(&w, "stat ../d/../d"), 0);
    assert_int_equal(umvfs_lookup(&task, NULL, "../d/l/s/t", 0, 0, &out), 0);
    umvfs_path_put(&out);
    assert_int_equal(umvfs_lookup(&task, NULL, "../d/l/s/..", 0, 0, &out), -UMVFS_ENOENT);
    umvfs_path_put(&task.root);
    umvfs_path_put(&toy.magic);
    world_end(&w);
}

/* Mounts on mounts are found, also with others between them, and none from a mount that was detached, though
 * there is one on the same directory elsewhere, and the mount after it has gone. */
static void mounts_on_mounts_are_found(void **state)
{
    static const struct step steps[] = {
        {"mkdir /m", 0},
        {"mkdir /n", 0},
        {"mkdir /a", 0},
        {"mkdir /a/d", 0},
        {"tmpfs /m", 0},
        {"mkdir /m/d", 0},
        {"tmpfs /n", 0},
        {"tmpfs /m", 0},
        {"write /m/top x", 0},
        {"stat /m/d", -UMVFS_ENOENT},
        {"umount /m", 0},
        {"stat /m/d", 0},
        {"bind /a /m/d", 0},
        {"tmpfs /n", 0},
        {"chdir /m/d/d", 0},
        {"umount /m/d detach", 0},
        {"umount /n", 0},
        {"tmpfs /a/d", 0},
        {"write /a/d/f x", 0},
        {"stat ../d", 0},
        {"stat ../d/f", -UMVFS_ENOENT},
        {"chdir /", 0},
        {0},
    };
    run_world(steps);
}

static int count_mount(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                       void *fs, unsigned flags)
{
    (void)root, (void)ops, (void)fs, (void)flags;
    ++*(int *)ctx;
    return 0;
}

/* The nodes of a file system that cannot say so keep their names. */
static void mounts_stay_without_revalidate(void **state)
{
    struct world w;
    struct toy toy;
    int mounts = 0;
    struct umvfs_fs_ops steady = toy_ops;
    steady.revalidate = NULL;
    toy_begin(&w, &toy);
    toy.refs++;
    assert_int_equal(run(&w, "mkdir /steady"), 0);
    assert_int_equal(umvfs_mount(&w.task, NULL, "/steady", &steady, &toy, &toy.node[ROOT], 0), 0);
    assert_int_equal(run(&w, "tmpfs /steady/dir"), 0);
    toy.gone = DIR;
    umvfs_mounts(w.vfs, count_mount, &mounts);
    assert_int_equal(mounts, 4);
    assert_int_equal(run(&w, "write /steady/dir/f x"), 0);
    world_end(&w);
}

/* A node that has lost its name takes the mounts on it and below with it; their users keep them. */
static void mounts_go_with_their_node(void **state)
{
    static const struct step before[] = {
        {"tmpfs /toy/dir", 0},       {"mkdir /toy/dir/sub", 0},     {"tmpfs /toy/dir/sub", 0},
        {"tmpfs /toy/dir/sub", 0},   {"write /toy/dir/sub/f x", 0}, {"mkdir /other", 0},
        {"bind /toy /other", 0},     {"tmpfs /other/dir", 0},       {"mkdir /last", 0},
        {"bind /toy/link /last", 0}, {"chdir /toy/dir/sub", 0},     {0},
    };
    static const struct step after[] = {
        {"stat /toy/dir/sub", -UMVFS_ENOENT},
        {"stat /toy/dir/inner", 0},
        {"stat /other/dir/inner", 0},
        {"stat f", 0},
        {"stat ..", 0},
        {"umount /toy/dir", -UMVFS_EINVAL},
        {"umount /other", 0},
        {"umount /last", 0},
        {"chdir /", 0},
        {"umount /toy", 0},
        {0},
    };
    struct world w;
    struct toy toy;
    int mounts = 0;
    toy_begin(&w, &toy);
    run_steps(&w, before);
    umvfs_mounts(w.vfs, count_mount, &mounts);
    assert_int_equal(mounts, 8);
    toy.gone = DIR;
    mounts = 0;
    umvfs_mounts(w.vfs, count_mount, &mounts);
    assert_int_equal(mounts, 4);
    run_steps(&w, after);
    mounts = 0;
    umvfs_mounts(w.vfs, count_mount, &mounts);
    assert_int_equal(mounts, 1);
    assert_int_equal(toy.refs, 0);
    assert_true(toy.unmounted);
    world_end(&w);
}

static void binds_and_unmounts(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /a/sub", 0},
        {"mkdir /b", 0},
        {"write /f x", 0},
        {"write /g y", 0},
        {"tmpfs /a/sub", 0},
        {"write /a/sub/in x", 0},
        {"bind /a /b", 0},
        {"stat /b/sub", 0},
        {"stat /b/sub/in", -UMVFS_ENOENT},
        {"stat /b/../f", 0},
        {"umount /b", 0},
        {"bind /a /b rec", 0},
        {"stat /b/sub/in", 0},
        {"umount /b", -UMVFS_EBUSY},
        {"umount /b detach", 0},
        {"stat /a/sub/in", 0},
        {"bind /f /g", 0},
        {"unlink /g", -UMVFS_EBUSY},
        {"bind /f /b", -UMVFS_ENOTDIR},
        {"tmpfs /f", -UMVFS_ENOTDIR},
        {"umount /g", 0},
        {"umount /f", -UMVFS_EINVAL},
        {"umount /", -UMVFS_EINVAL},
        {"chdir /a/sub", 0},
        {"umount /a/sub", -UMVFS_EBUSY},
        {"umount /a/sub detach", 0},
        {"stat in", 0},
        {"write new x", 0},
        {"stat ..", 0},
        {"chdir /", 0},
        {"as alice", 0},
        {"tmpfs /a", -UMVFS_EPERM},
        {"bind /a /b", -UMVFS_EPERM},
        {"umount /a", -UMVFS_EPERM},
        {"as root", 0},
        {0},
    };
    run_world(steps);
}

/* Read-only is a mount, or the file system at all its mounts; only that comes before the mode. */
static void a_mount_or_its_file_system_is_read_only(void **state)
{
    static const struct step steps[] = {
        {"mkdir /m", 0},
        {"mkdir /n", 0},
        {"tmpfs /m", 0},
        {"bind /m /n", 0},
        {"write /m/f x", 0},
        {"symlink f /m/l", 0},
        {"mknod /m/dev 020600 5", 0},
        {"keep /m/f w", 0},
        {"remount /n rb", 0},
        {"remount /n r", -UMVFS_EBUSY},
        {"write /n/f x", -UMVFS_EROFS},
        {"close", 0},
        {"write /m/f x", 0},
        {"as alice", 0},
        {"open /n/f w", -UMVFS_EACCES},
        {"as root", 0},
        {"remount /n r", 0},
        {"write /m/f x", -UMVFS_EROFS},
        {"mkdir /m/d", -UMVFS_EROFS},
        {"as alice", 0},
        {"open /m/f w", -UMVFS_EROFS},
        {"open /n/f r", 0},
        {"open /m/dev w", -UMVFS_EACCES},
        {"as root", 0},
        {"remount /n -", 0},
        {"write /m/f x", 0},
        {"write /n/f x", 0},
        {"tmpfs /n r", 0},
        {"bind /n /m", 0},
        {"as alice", 0},
        {"mkdir /m/d", -UMVFS_EROFS},
        {0},
    };
    run_world(steps);
}

static void mount_flags_are_kept(void **state)
{
    static const struct step steps[] = {
        {"mkdir /m", 0},
        {"tmpfs /m", 0},
        {"write /m/f x", 0},
        {"chmod /m/f 0755", 0},
        {"mknod /m/dev 020666 5", 0},
        {"symlink f /m/l", 0},
        {"keep /m/f w", 0},
        {"remount /m r", -UMVFS_EBUSY},
        {"close", 0},
        {"remount /m/f r", -UMVFS_EINVAL},
        {"remount /m r", 0},
        {"write /m/f x", -UMVFS_EROFS},
        {"open /m/f r", 0},
        {"open /m/new wc", -UMVFS_EROFS},
        {"mkdir /m/d", -UMVFS_EROFS},
        {"mkdir /m/f", -UMVFS_EEXIST},
        {"unlink /m/f", -UMVFS_EROFS},
        {"rename /m/f /m/g", -UMVFS_EROFS},
        {"link /m/f /m/g", -UMVFS_EROFS},
        {"chmod /m/f 0600", -UMVFS_EROFS},
        {"truncate /m/f 0", -UMVFS_EROFS},
        {"setx /m/f user.a b", -UMVFS_EROFS},
        {"access /m/f w", -UMVFS_EROFS},
        {"access /m/dev w", 0},
        {"remount /m dxs", 0},
        {"exec /m/f", -UMVFS_EACCES},
        {"access /m/f x", -UMVFS_EACCES},
        {"open /m/dev r", -UMVFS_EACCES},
        {"stat /m/l", -UMVFS_ELOOP},
        {"remount /m ?", -UMVFS_EINVAL},
        {0},
    };
    run_world(steps);
}

static void mounts_have_a_limit(void **state)
{
    struct world w;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /m"), 0);
    for (unsigned i = 1; i <= UMVFS_MOUNT_MAX; i++)
        assert_int_equal(run(&w, "tmpfs /m"), i < UMVFS_MOUNT_MAX ? 0 : -UMVFS_ENOSPC);
    world_end(&w);
}

/* A recursive bind of a directory copies the mounts below it and those on them, and no others. */
static void recursive_binds_copy_what_is_below(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /a/in", 0},
        {"mkdir /a/in/x", 0},
        {"mkdir /a/beside", 0},
        {"mkdir /b", 0},
        {"tmpfs /a/beside", 0},
        {"mkdir /a/beside/deeper", 0},
        {"tmpfs /a/beside/deeper", 0},
        {"tmpfs /a/in/x", 0},
        {"mkdir /a/in/x/y", 0},
        {"tmpfs /a/in/x/y", 0},
        {"write /a/in/x/y/f x", 0},
        {"bind /a/in /b rec", 0},
        {"stat /b/x/y/f", 0},
        {"stat /b/beside", -UMVFS_ENOENT},
        {"umount /b/x", -UMVFS_EBUSY},
        {"umount /b detach", 0},
        {"stat /b/x", -UMVFS_ENOENT},
        {"stat /a/in/x/y/f", 0},
        {"umount /a/beside detach", 0}, /* others came after it, and stay */
        {"stat /a/in/x/y/f", 0},
        {0},
    };
    run_world(steps);
}

/* A mount moves with all on it, past mounts that are younger, and can then be found and taken away there. */
static void mounts_move(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /b", 0},
        {"write /f x", 0},
        {"tmpfs /a", 0},
        {"mkdir /a/in", 0},
        {"tmpfs /a/in", 0},
        {"write /a/in/f x", 0},
        {"tmpfs /b", 0},
        {"mkdir /b/c", 0},
        {"tmpfs /b/c", 0},
        {"chdir /a/in", 0},
        {"move /a /b/c", 0},
        {"stat /a/in", -UMVFS_ENOENT},
        {"stat /b/c/in/f", 0},
        {"stat f", 0},
        {"stat ../../../b", 0},
        {"rmdir /a", 0},
        {"umount /b/c", -UMVFS_EBUSY},
        {"move /b /b/c/in", -UMVFS_ELOOP},
        {"move /b/c/in /b/c/in", -UMVFS_ELOOP},
        {"move /b/c /b/c/in", -UMVFS_ELOOP},
        {"move /b/c /f", -UMVFS_EINVAL},
        {"move / /b/c", -UMVFS_EINVAL},
        {"move /f /f", -UMVFS_EINVAL},
        {"move /none /b", -UMVFS_ENOENT},
        {"move /b/c /none", -UMVFS_ENOENT},
        {"bind /f /b/c/in/f", 0},
        {"write /g x", 0},
        {"move /b/c/in/f /g", 0},
        {"umount /g", 0},
        {"as alice", 0},
        {"move /b/c /b", -UMVFS_EPERM},
        {"as root", 0},
        {"chdir /", 0},
        {"umount /b/c/in", 0},
        {"umount /b/c", 0},
        {"umount /b/c", 0},
        {"rmdir /b/c", 0},
        {"umount /b", 0},
        {0},
    };
    run_world(steps);
}

/* As switch_root(8): the new root goes on top of the old one, which its users no longer reach. */
static void a_mount_becomes_the_root(void **state)
{
    static const struct step steps[] = {
        {"mkdir /new", 0},
        {"tmpfs /new", 0},
        {"mkdir /dev", 0},
        {"tmpfs /dev", 0},
        {"write /dev/null x", 0},
        {"mkdir /new/dev", 0},
        {"move /dev /new/dev", 0},
        {"chdir /new", 0},
        {"move . /", 0},
        {"chroot .", 0},
        {"chdir /", 0},
        {"stat /dev/null", 0},
        {"stat /new", -UMVFS_ENOENT},
        {"stat ../dev", 0},
        {"umount /dev", 0},
        {"stat /dev/null", -UMVFS_ENOENT},
        {0},
    };
    run_world(steps);
}

/* Places in what is not mounted any more are neither mount points nor to be unmounted. */
static void detached_places_take_no_mounts(void **state)
{
    static const struct step steps[] = {
        {"mkdir /m", 0},
        {"tmpfs /m", 0},
        {"mkdir /m/d", 0},
        {"symlink m /l", 0},
        {"chdir /m", 0},
        {"umount /m detach", 0},
        {"tmpfs d", -UMVFS_ENOENT},
        {"umount .", -UMVFS_EINVAL},
        {"remount .", -UMVFS_EINVAL},
        {"chdir /", 0},
        {"tmpfs /m", 0},
        {0},
    };
    struct world w;
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_umount(&w.task, NULL, "/l", UMVFS_UMOUNT_NOFOLLOW), -UMVFS_EINVAL);
    assert_int_equal(umvfs_umount(&w.task, NULL, "/l", 0), 0);
    world_end(&w);
}

int mount_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_file_systems),
        cmocka_unit_test(magic_links_lead_to_places),
        cmocka_unit_test(walks_notice_what_was_moved_out_of_a_bind_mount),
        cmocka_unit_test(mounts_on_mounts_are_found),
        cmocka_unit_test(mounts_stay_without_revalidate),
        cmocka_unit_test(mounts_go_with_their_node),
        cmocka_unit_test(binds_and_unmounts),
        cmocka_unit_test(mount_flags_are_kept),
        cmocka_unit_test(a_mount_or_its_file_system_is_read_only),
        cmocka_unit_test(mounts_have_a_limit),
        cmocka_unit_test(recursive_binds_copy_what_is_below),
        cmocka_unit_test(mounts_move),
        cmocka_unit_test(a_mount_becomes_the_root),
        cmocka_unit_test(detached_places_take_no_mounts),
    };
    return cmocka_run_group_tests_name("mount", tests, NULL, NULL);
}
