/* Whole trees: the walk, recursive removal, paths made at once, and listings with attributes. */
#include "tests.h"

static const struct step setting[] = {
    {"mkpath /t/a/b", 0},
    {"mkdir /t/empty", 0},
    {"write /t/a/f text", 0},
    {"write /t/a/b/g longer", 0},
    {"symlink ../.. /t/a/up", 0},
    {"mkdir /t/mnt", 0},
    {"tmpfs /t/mnt", 0},
    {"mkpath /t/mnt/in/side", 0},
    {"mkdir /t/z", 0},
    {0},
};

/* What the visits were, as text: each name with its depth, a directory that is left with a slash behind
 * and the error. A visitor may have something to do at one name, and an answer to one. */
struct trace {
    struct world *world;
    const char *at; /* the name where `command` is run, and `answer` given */
    const char *command;
    int answer;
    size_t len;
    unsigned visits;
    char text[600];
};

static int trace(void *ctx, const struct umvfs_visit *v)
{
    struct trace *t = ctx;
    struct umvfs_stat st;
    char path[UMVFS_PATH_MAX];
    const char *name = v->len ? v->name : "-";
    bool is_here = t->at && !strcmp(name, t->at) && !v->is_leaving;
    assert_int_equal(v->len, strlen(v->name));
    assert_int_equal(v->dir == NULL, v->depth == 0);
    assert_int_equal(umvfs_inode_stat(umvfs_path_inode(v->place), &st), 0);
    assert_memory_equal(&st, &v->stat, offsetof(struct umvfs_stat, atime));
    if (v->dir && umvfs_path_linked(v->place)) {
        int len = umvfs_path_name(v->place, &t->world->task.root, path, sizeof(path));
        assert_true(len > (int)v->len && !strcmp(path + len - v->len, v->name));
    }
    if (t->len < sizeof(t->text))
        t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s%u%s", name,
                                   v->depth, v->is_leaving ? "/" : " ");
    if (v->is_leaving && t->len < sizeof(t->text))
        t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len,
                                   v->error ? "%d " : " ", v->error);
    t->visits++;
    if (is_here && t->command)
        run(t->world, t->command);
    return is_here ? t->answer : 0;
}

struct walk_case {
    const char *path;
    unsigned flags;
    const char *at, *command;
    int answer, expected;
    const char *visits;
};

#define ALL "-0 a1 b2 g3 b2/ f2 up2 a1/ empty1 empty1/ mnt1 z1 z1/ -0/ "

static const struct walk_case walk_cases[] = {
    {"/t", 0, NULL, NULL, 0, 0, ALL},
    {"/t", UMVFS_WALK_MOUNTS, NULL, NULL, 0, 0,
     "-0 a1 b2 g3 b2/ f2 up2 a1/ empty1 empty1/ mnt1 in2 side3 side3/ in2/ mnt1/ z1 z1/ -0/ "},
    {"/t/a/f", 0, NULL, NULL, 0, 0, "-0 "},
    {"/t/a/up", 0, NULL, NULL, 0, 0, NULL}, /* leads to the root: follows */
    {"/t/a/up", UMVFS_AT_SYMLINK_NOFOLLOW, NULL, NULL, 0, 0, "-0 "},
    {"/t/none", 0, NULL, NULL, 0, -UMVFS_ENOENT, ""},
    {"/t", 1, NULL, NULL, 0, -UMVFS_EINVAL, ""},
    {"/t", 0, "a", NULL, UMVFS_WALK_SKIP, 0, "-0 a1 empty1 empty1/ mnt1 z1 z1/ -0/ "},
    {"/t", 0, "-", NULL, UMVFS_WALK_SKIP, 0, "-0 "},
    {"/t", 0, "g", NULL, UMVFS_WALK_SKIP, 0, ALL},
    {"/t", 0, "g", NULL, 77, 77, "-0 a1 b2 g3 "},
    /* A mount that has been detached is walked to its end: its root has no name any more. */
    {"/t", UMVFS_WALK_MOUNTS, "in", "umount /t/mnt detach", 0, 0,
     "-0 a1 b2 g3 b2/ f2 up2 a1/ empty1 empty1/ mnt1 in2 side3 side3/ in2/ -1/ z1 z1/ -0/ "},
    {"/t", 0, "g", NULL, -UMVFS_EIO, -UMVFS_EIO, "-0 a1 b2 g3 "},
    /* The tree changes under the walk. What has gone is not visited, and what is new either. */
    {"/t", 0, "a", "unlink /t/a/f", 0, 0,
     "-0 a1 b2 g3 b2/ up2 a1/ empty1 empty1/ mnt1 z1 z1/ -0/ "},
    {"/t", 0, "g", "rmtree /t/a", 0, 0, "-0 a1 b2 g3 b2/-2 a1/-2 empty1 empty1/ mnt1 z1 z1/ -0/ "},
    {"/t", 0, "b", "rmtree /t/a/b", 0, 0,
     "-0 a1 b2 b2/-2 f2 up2 a1/ empty1 empty1/ mnt1 z1 z1/ -0/ "},
    {"/t", 0, "g", "write /t/a/b/h new", 0, 0, ALL},
    {"/t", 0, "b", "mkpath /t/a/b/new/deep", 0, 0,
     "-0 a1 b2 g3 new3 b2/ f2 up2 a1/ empty1 empty1/ mnt1 z1 z1/ -0/ "},
    {"/t", 0, "g", "rename /t/a/b /t/z/b", 0, 0,
     "-0 a1 b2 g3 b2/ f2 up2 a1/ empty1 empty1/ mnt1 z1 b2 g3 b2/ z1/ -0/ "},
    {"/t", 0, "g", "rename /t/a/b /t/a/c", 0, 0,
     "-0 a1 b2 g3 c2/ f2 up2 a1/ empty1 empty1/ mnt1 z1 z1/ -0/ "},
};

static void walks_visit_before_and_after(void **state)
{
    for (size_t i = 0; i < sizeof(walk_cases) / sizeof(walk_cases[0]); i++) {
        const struct walk_case *c = &walk_cases[i];
        struct world w;
        struct trace t = {.world = &w, .at = c->at, .command = c->command, .answer = c->answer};
        world_begin(&w, NULL);
        run_steps(&w, setting);
        int result = umvfs_walk_tree(&w.task, NULL, c->path, c->flags, trace, &t);
        if (result != c->expected || (c->visits && strcmp(t.text, c->visits) != 0))
            fail_msg("case %u: %d: %s", (unsigned)i, result, t.text);
        run(&w, "umount /t/mnt detach");
        world_end(&w);
    }
}

static void what_may_not_be_read_is_told(void **state)
{
    struct world w;
    struct trace t = {.world = &w};
    world_begin(&w, NULL);
    run_steps(&w, setting);
    run(&w, "chmod /t/a/b 0300"); /* no listing */
    run(&w, "chmod /t/z 0600");   /* no look-up of entries, and there are none */
    run(&w, "mkdir /t/z/inside");
    run(&w, "chown /t/a/b 1000 0");
    run(&w, "chown /t/z 1000 0");
    run(&w, "as alice");
    assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/t", 0, trace, &t), 0);
    assert_string_equal(t.text, "-0 a1 b2 b2/-13 f2 up2 a1/ empty1 empty1/ mnt1 z1 z1/-13 -0/ ");
    run(&w, "as root");
    run(&w, "umount /t/mnt detach");
    world_end(&w);
}

/* A visitor that makes a directory in each directory, and one that moves two into each other in turn. */
static int dig(void *ctx, const struct umvfs_visit *v)
{
    struct trace *t = ctx;
    assert_true(++t->visits < 100);
    if (UMVFS_S_ISDIR(v->stat.mode) && !v->is_leaving)
        assert_int_equal(umvfs_mkdir(&t->world->task, v->place, "deeper", 0755), 0);
    return 0;
}

static int swing(void *ctx, const struct umvfs_visit *v)
{
    struct trace *t = ctx;
    t->visits++;
    if (v->is_leaving || v->depth < 2 || !UMVFS_S_ISDIR(v->stat.mode))
        return 0;
    /* What is around goes out, and comes back below. */
    const char *outer = v->name[0] == 'x' ? "y" : "x";
    assert_int_equal(umvfs_rename(&t->world->task, v->dir, v->name, NULL, "/s/aside", 0), 0);
    assert_int_equal(
        umvfs_rename(&t->world->task, NULL, t->answer ? "/s/x" : "/s/y", v->place, outer, 0), 0);
    assert_int_equal(
        umvfs_rename(&t->world->task, NULL, "/s/aside", NULL, t->answer ? "/s/y" : "/s/x", 0), 0);
    t->answer = !t->answer;
    return 0;
}

static void walks_end_whatever_visitors_do(void **state)
{
    struct world w;
    struct trace t = {.world = &w};
    world_begin(&w, NULL);
    run_steps(&w, setting);
    assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/t", 0, dig, &t), 0);
    run(&w, "umount /t/mnt detach");
    run(&w, "mkpath /s/x/y");
    t = (struct trace){.world = &w, .answer = 1};
    assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/s", 0, swing, &t), 0);
    assert_in_range(t.visits, UMVFS_DIR_DEPTH_MAX, 2 * UMVFS_DIR_DEPTH_MAX + 10);
    world_end(&w);
}

static void removal_goes_on_or_stops(void **state)
{
    struct world w;
    struct trace t = {.world = &w};
    world_begin(&w, NULL);
    run_steps(&w, setting);
    run(&w, "mkpath /t/a/b/d/e");
    run(&w, "chown /t/a/b 5 5"); /* alice may not take anything from it; sticky for the rest */
    run(&w, "chmod /t/a/b 0755");
    run(&w, "chmod /t 0777");
    run(&w, "chmod /t/a 0777");
    run(&w, "as alice");
    /* Without a report the first error ends it, in the order of the listing. */
    assert_int_equal(run(&w, "rmtree /t"), -UMVFS_EACCES); /* the root's t is not hers */
    assert_int_equal(run(&w, "rmtree /t/a"), -UMVFS_EACCES);
    assert_int_equal(run(&w, "stat /t/a/f"), 0);
    assert_int_equal(umvfs_remove_tree(&w.task, NULL, "/t/a", trace, &t), -UMVFS_EACCES);
    assert_string_equal(t.text, "g2 e3/-13 ");
    assert_int_equal(run(&w, "stat /t/a/f"), -UMVFS_ENOENT);
    assert_int_equal(run(&w, "stat /t/a/b/g"), 0);
    run(&w, "as root");
    t = (struct trace){.world = &w};
    assert_int_equal(umvfs_remove_tree(&w.task, NULL, "/t", trace, &t), -UMVFS_EBUSY);
    assert_string_equal(t.text, "mnt1 ");
    assert_int_equal(run(&w, "stat /t/mnt/in/side"), 0);
    assert_int_equal(run(&w, "stat /t/z"), -UMVFS_ENOENT);
    run(&w, "umount /t/mnt detach");
    t = (struct trace){.world = &w, .at = "never"};
    assert_int_equal(umvfs_remove_tree(&w.task, NULL, "/t", trace, &t), 0);
    assert_int_equal(t.visits, 0);
    world_end(&w);
}

static const struct step removals[] = {
    {"mkpath /t/a/b", 0},
    {"write /t/f text", 0},
    {"symlink t /l", 0},
    {"rmtree /none", -UMVFS_ENOENT},
    {"rmtree /", -UMVFS_EBUSY},
    {"rmtree /t/.", -UMVFS_EINVAL},
    {"rmtree /t/a/..", -UMVFS_ENOTEMPTY},
    {"rmtree /t/a/../", -UMVFS_ENOTEMPTY},
    {"stat /t/a/b", 0},
    {"rmtree /t/f/", -UMVFS_ENOTDIR},
    {"rmtree /l/", -UMVFS_ENOTDIR},
    {"rmtree /l", 0},
    {"stat /t/f", 0},
    {"mkpath /t/..a/..", 0},
    {"rmtree /t/..a", 0},
    {"remount / r", 0},
    {"rmtree /t", -UMVFS_EROFS},
    {"remount /", 0},
    {"chdir /t/a/b", 0},
    {"rmtree /t/", 0},
    {"stat /t", -UMVFS_ENOENT},
    /* names that begin as the two dots do */
    {"mkpath /.t/..u/.v", 0},
    {"write /.t/.w text", 0},
    {"mkpath /..t/u/..", 0},
    {"rmtree /.t/..u/..", -UMVFS_ENOTEMPTY},
    {"rmtree /.t/..u", 0},
    {"stat /.t/.w", 0},
    {"rmtree /.t", 0},
    {"rmtree /..t", 0},
    {"stat /.t", -UMVFS_ENOENT},
    {"stat /..t", -UMVFS_ENOENT},
    {0},
};

static const struct step paths[] = {
    {"mkpath /", 0},
    {"mkpath /a//b/./c/../d/", 0},
    {"stat /a/b/c", 0},
    {"stat /a/b/d", 0},
    {"mkpath /a/b/d", 0},
    {"chdir /a", 0},
    {"mkpath b/e", 0},
    {"stat /a/b/e", 0},
    {"write /f text", 0},
    {"mkpath /f", -UMVFS_EEXIST},
    {"mkpath /f/", -UMVFS_EEXIST},
    {"mkpath /f/g", -UMVFS_ENOTDIR},
    {"symlink a/b /l", 0},
    {"symlink none /dangling", 0},
    {"symlink loop /loop", 0},
    {"mkpath /l/m", 0},
    {"stat /a/b/m", 0},
    {"mkpath /l", 0},
    {"mkpath /dangling", -UMVFS_EEXIST},
    {"mkpath /dangling/x", -UMVFS_EEXIST},
    {"mkpath /loop/x", -UMVFS_ELOOP},
    {"mkdir /closed 0700", 0},
    {"mkdir /closed/in", 0},
    {"as alice", 0},
    {"mkpath /a/b", 0}, /* exists: that she may not write does not matter */
    {"mkpath /new", -UMVFS_EACCES},
    {"mkpath /closed/in", -UMVFS_EACCES},
    {"as root", 0},
    {"remount / r", 0},
    {"mkpath /a/b/c", 0},
    {"mkpath /a/b/new", -UMVFS_EROFS},
    {0},
};

static void removals_and_paths(void **state)
{
    run_world(removals);
    run_world(paths);
}

static uint32_t mode_of(struct world *w, const char *path)
{
    struct umvfs_stat st;
    assert_int_equal(umvfs_stat(&w->task, NULL, path, 0, &st), 0);
    return st.mode & UMVFS_S_IALL;
}

static void paths_have_modes_and_limits(void **state)
{
    struct world w;
    char path[UMVFS_PATH_MAX + 1];
    world_begin(&w, NULL);
    assert_int_equal(umvfs_make_path(&w.task, NULL, "", 0755), -UMVFS_ENOENT);
    w.task.umask = 0777;
    assert_int_equal(umvfs_make_path(&w.task, NULL, "/a/b/c", 01750), 0);
    assert_int_equal(mode_of(&w, "/a"), 0300);
    assert_int_equal(mode_of(&w, "/a/b"), 0300);
    assert_int_equal(mode_of(&w, "/a/b/c"), 01000);
    w.task.umask = 022;
    assert_int_equal(umvfs_make_path(&w.task, NULL, "/d/e", 01777), 0);
    assert_int_equal(mode_of(&w, "/d"), 0755);
    assert_int_equal(mode_of(&w, "/d/e"), 01755);
    memset(path, 'n', sizeof(path));
    path[0] = path[4] = path[4 + UMVFS_NAME_MAX + 1] = '/';
    path[4 + UMVFS_NAME_MAX + 3] = '\0';
    assert_int_equal(umvfs_make_path(&w.task, NULL, path, 0755), 0);
    path[3] = '/';
    path[4] = 'n';
    assert_int_equal(umvfs_make_path(&w.task, NULL, path, 0755), -UMVFS_ENAMETOOLONG);
    assert_int_equal(run(&w, "stat /nn"), 0); /* made before the error */
    path[4] = '/';
    memset(path + 5, 'n', sizeof(path) - 5);
    for (unsigned len = UMVFS_NAME_MAX; len <= UMVFS_NAME_MAX + 2; len++) {
        path[5 + len] = '\0';
        assert_int_equal(umvfs_make_path(&w.task, NULL, path, 0755),
                         len == UMVFS_NAME_MAX ? 0 : -UMVFS_ENAMETOOLONG);
        path[5 + len] = 'n';
    }
    struct umvfs_path at;
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/a/b", 0, 0, &at), 0);
    assert_int_equal(umvfs_make_path(&w.task, &at, "x/y", 0755), 0);
    umvfs_path_put(&at);
    assert_int_equal(run(&w, "stat /a/b/x/y"), 0);
    for (unsigned i = 0; i < UMVFS_PATH_MAX; i++)
        path[i] = i % 2 ? 'p' : '/';
    path[UMVFS_PATH_MAX] = '\0';
    assert_int_equal(umvfs_make_path(&w.task, NULL, path, 0755), -UMVFS_ENAMETOOLONG);
    assert_int_equal(run(&w, "stat /p"), -UMVFS_ENOENT);
    path[UMVFS_PATH_MAX - 1] = '\0';
    assert_int_equal(umvfs_make_path(&w.task, NULL, path, 0755), 0);
    assert_int_equal(umvfs_remove_tree(&w.task, NULL, "/p", NULL, NULL), 0);
    assert_int_equal(run(&w, "stat /p"), -UMVFS_ENOENT);
    world_end(&w);
}

static int count_errors(void *ctx, const struct umvfs_visit *v)
{
    struct trace *t = ctx;
    t->visits++;
    t->answer += v->error == -UMVFS_ENAMETOOLONG && v->depth == UMVFS_DIR_DEPTH_MAX;
    return 0;
}

/* Deeper than a walk goes, which paths cannot reach, and all of it can be removed. */
static void trees_of_any_depth_are_removed(void **state)
{
    struct world w;
    struct trace t = {.world = &w};
    world_begin(&w, NULL);
    for (unsigned i = 0; i < UMVFS_DIR_DEPTH_MAX + 2; i++) {
        assert_int_equal(run(&w, "mkdir d"), 0);
        assert_int_equal(run(&w, "chdir d"), 0);
    }
    assert_int_equal(run(&w, "chdir /"), 0);
    t.len = sizeof(t.text);
    assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/d", 0, count_errors, &t), 0);
    assert_int_equal(t.visits, 2 * (UMVFS_DIR_DEPTH_MAX + 1)); /* one is too deep */
    assert_int_equal(t.answer, 1);
    assert_int_equal(run(&w, "rmtree /d"), 0);
    assert_int_equal(run(&w, "stat /d"), -UMVFS_ENOENT);
    world_end(&w);
}

/* Every allocation fails in turn: nothing leaks, and what is left can be walked. */
static void failures_leave_a_tree(void **state)
{
    static const char *const commands[] = {"mkpath /t/p/q/r", "rmtree /t/a"};
    for (unsigned i = 0; i < 6; i++) {
        int result = -UMVFS_ENOMEM;
        for (uint64_t n = 1; result == -UMVFS_ENOMEM; n++) {
            struct world w;
            struct trace t = {.world = &w, .len = sizeof(t.text)};
            world_begin(&w, NULL);
            run_steps(&w, setting);
            run(&w, "umount /t/mnt detach");
            w.host.fail_at = w.host.calls + n;
            result = run(&w, commands[i % 2]);
            w.host.fail_at = 0;
            assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/", 0, trace, &t), 0);
            assert_int_equal(result == 0, w.host.failed == 0);
            world_end(&w);
        }
        assert_int_equal(result, 0);
    }
}

struct listed {
    struct world *world;
    int stop_at;
    unsigned count;
    uint64_t next[8];
    char text[80];
};

static int list(void *ctx, const struct umvfs_entry *e)
{
    struct listed *l = ctx;
    if ((int)l->count == l->stop_at)
        return 1;
    assert_int_equal(e->len, strlen(e->name));
    l->next[l->count++] = e->next;
    snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "%s:%o:%u ", e->name,
             e->stat.mode >> 12, (unsigned)e->stat.size);
    assert_int_equal(umvfs_inode_number(umvfs_path_inode(&e->place)), e->stat.ino);
    return 0;
}

static void listings_have_attributes(void **state)
{
    struct world w;
    struct listed l = {.world = &w, .stop_at = -1};
    world_begin(&w, NULL);
    run_steps(&w, setting);
    run(&w, "mkdir /t/mnt/in/2");
    assert_int_equal(run(&w, "keep /t/a rd"), 0);
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &l), 0);
    assert_string_equal(l.text, ".:4:100 ..:4:120 b:4:60 f:10:4 up:12:5 ");
    assert_int_equal(umvfs_seek(&w.kept, 0, UMVFS_SEEK_SET), 0);
    l = (struct listed){.world = &w, .stop_at = 3};
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &l), 0);
    assert_string_equal(l.text, ".:4:100 ..:4:120 b:4:60 ");
    assert_int_equal(w.kept.offset, l.next[2]);
    l = (struct listed){.world = &w, .stop_at = -1};
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &l), 0);
    assert_string_equal(l.text, "f:10:4 up:12:5 ");
    assert_int_equal(run(&w, "close"), 0);
    assert_int_equal(run(&w, "keep /t rd"), 0); /* what is mounted, not the mount point */
    l = (struct listed){.world = &w, .stop_at = -1};
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &l), 0);
    assert_string_equal(l.text, ".:4:120 ..:4:60 a:4:100 empty:4:40 mnt:4:60 z:4:40 ");
    assert_int_equal(run(&w, "close"), 0);
    assert_int_equal(run(&w, "chmod /t/a 0744"), 0);
    assert_int_equal(run(&w, "as alice"), 0);
    assert_int_equal(run(&w, "keep /t/a rd"), 0);
    l = (struct listed){.world = &w, .stop_at = -1};
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &l), -UMVFS_EACCES);
    assert_int_equal(w.kept.offset, 0);
    assert_int_equal(run(&w, "close"), 0);
    assert_int_equal(run(&w, "keep /t/a/f r"), -UMVFS_EACCES);
    run(&w, "as root");
    assert_int_equal(run(&w, "keep /t/a/f r"), 0);
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &l), -UMVFS_ENOTDIR);
    assert_int_equal(run(&w, "close"), 0);
    run(&w, "umount /t/mnt detach");
    world_end(&w);
}

static int skip_left(void *ctx, const struct umvfs_visit *v)
{
    ++*(unsigned *)ctx;
    return v->is_leaving ? UMVFS_WALK_SKIP : 0;
}

/* Makes a directory where one is still to be removed: it is too new to be entered. */
static int make_more(void *ctx, const struct umvfs_visit *v)
{
    struct trace *t = ctx;
    if (t->visits++ == 0)
        assert_int_equal(run(t->world, "mkpath /t/z/new/er"), 0);
    t->answer = v->error;
    return 0;
}

static void second_visits_skip_nothing_and_new_directories_stay(void **state)
{
    struct world w;
    struct trace t = {.world = &w};
    unsigned visits = 0;
    world_begin(&w, NULL);
    run_steps(&w, setting);
    assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/t", 0, skip_left, &visits), 0);
    assert_int_equal(visits, 14);
    assert_int_equal(umvfs_remove_tree(&w.task, NULL, "/t", make_more, &t), -UMVFS_EBUSY);
    assert_int_equal(t.visits, 2); /* the mount point, and what is new */
    assert_int_equal(t.answer, -UMVFS_ENOTEMPTY);
    assert_int_equal(run(&w, "stat /t/z/new/er"), 0);
    assert_int_equal(run(&w, "stat /t/a"), -UMVFS_ENOENT);
    run(&w, "umount /t/mnt detach");
    world_end(&w);
}

/* Foreign file systems list a name that is too long, and one that leads nowhere. */
static int list_ghost(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    if (*cookie == 3 && !emit(ctx, "ghost", 5, 9, 0, 4))
        *cookie = 4;
    return 0;
}

static int list_long(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    static const char longest[UMVFS_NAME_MAX + 1] = {'n'};
    if (*cookie == 3 && !emit(ctx, longest, sizeof(longest), 9, 0, 4))
        *cookie = 4;
    return 0;
}

static void listings_of_foreign_trees_fail(void **state)
{
    struct world w;
    struct ledger l;
    struct umvfs_fs_ops ops = ledger_ops;
    struct trace t = {.world = &w};
    struct listed listed = {.world = &w, .stop_at = -1};
    int result = -UMVFS_EIO;
    ops.readdir = list_long;
    ledger_begin(&w, &l, &ops);
    assert_int_equal(run(&w, "keep /l rd"), 0);
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &listed), -UMVFS_ENAMETOOLONG);
    assert_int_equal(w.kept.offset, 3);
    ops.readdir = list_ghost;
    assert_int_equal(umvfs_readdir_stat(&w.task, &w.kept, list, &listed), 0);
    assert_string_equal(listed.text, ".:4:0 ..:4:60 ");
    ops.readdir = ledger_ops.readdir;
    for (unsigned works = 0; result; works++) { /* each operation fails in turn */
        l.works = works;
        l.fail = -UMVFS_EIO;
        listed = (struct listed){.world = &w, .stop_at = -1};
        assert_int_equal(umvfs_seek(&w.kept, 0, UMVFS_SEEK_SET), 0);
        result = umvfs_readdir_stat(&w.task, &w.kept, list, &listed);
        assert_true(result == 0 || result == -UMVFS_EIO);
        assert_int_equal(l.refs, 1);
    }
    l.works = 0; /* the attributes of where the walk begins */
    l.fail = -UMVFS_EIO;
    assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/l", 0, trace, &t), -UMVFS_EIO);
    l.fail = 0;
    ledger_end(&w, &l);
}

static void foreign_trees_are_walked(void **state)
{
    struct world w;
    struct ledger l;
    struct trace t = {.world = &w};
    ledger_begin(&w, &l, &ledger_ops);
    assert_int_equal(umvfs_walk_tree(&w.task, NULL, "/", UMVFS_WALK_MOUNTS, trace, &t), 0);
    assert_string_equal(t.text, "-0 l1 d2 d2/ f2 l2 l1/ -0/ ");
    assert_int_equal(l.refs, 1);
    assert_int_equal(run(&w, "mkpath /l/p/q"), 0);
    assert_int_equal(run(&w, "rmtree /l/p"), 0);
    assert_int_equal(run(&w, "stat /l/p"), -UMVFS_ENOENT);
    assert_int_equal(l.refs, 1);
    ledger_end(&w, &l);
}

int trees_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_visit_before_and_after),
        cmocka_unit_test(what_may_not_be_read_is_told),
        cmocka_unit_test(walks_end_whatever_visitors_do),
        cmocka_unit_test(removal_goes_on_or_stops),
        cmocka_unit_test(removals_and_paths),
        cmocka_unit_test(paths_have_modes_and_limits),
        cmocka_unit_test(trees_of_any_depth_are_removed),
        cmocka_unit_test(failures_leave_a_tree),
        cmocka_unit_test(listings_have_attributes),
        cmocka_unit_test(foreign_trees_are_walked),
        cmocka_unit_test(second_visits_skip_nothing_and_new_directories_stay),
        cmocka_unit_test(listings_of_foreign_trees_fail),
    };
    return cmocka_run_group_tests_name("trees", tests, NULL, NULL);
}
