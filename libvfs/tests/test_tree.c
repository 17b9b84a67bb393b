#include "tests.h"

static void makes_and_removes_names(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /a", -UMVFS_EEXIST},
        {"mkdir /a/", -UMVFS_EEXIST},
        {"mkdir /b/", 0},
        {"mkdir /", -UMVFS_EEXIST},
        {"mkdir .", -UMVFS_EEXIST},
        {"mkdir ..", -UMVFS_EEXIST},
        {"mkdir /none/x", -UMVFS_ENOENT},
        {"mkdir \"\"", -UMVFS_ENOENT},
        {"write /a/f hello", 0},
        {"mkdir /a/f", -UMVFS_EEXIST},
        {"mkdir /a/f/x", -UMVFS_ENOTDIR},
        {"mknod /a/fifo 010644", 0},
        {"mknod /a/null 020666 259", 0},
        {"mknod /a/sock 0140644", 0},
        {"mknod /a/reg 0644", 0},
        {"mknod /a/x 040755", -UMVFS_EPERM},
        {"mknod /a/x 0120777", -UMVFS_EINVAL},
        {"mknod /a/x/ 0644", -UMVFS_ENOENT},
        {"symlink f /a/l", 0},
        {"symlink \"\" /a/m", -UMVFS_ENOENT},
        {"symlink x /a/l", -UMVFS_EEXIST},
        {"symlink x /a/new/", -UMVFS_ENOENT},
        {"stat /a/l", 0},
        {"readlink /a/l", 0},
        {"readlink /a/f", -UMVFS_EINVAL},
        {"unlink /a/l/", -UMVFS_ENOTDIR},
        {"unlink /a", -UMVFS_EISDIR},
        {"unlink /a/", -UMVFS_EISDIR},
        {"unlink /", -UMVFS_EISDIR},
        {"unlink .", -UMVFS_EISDIR},
        {"unlink ..", -UMVFS_EISDIR},
        {"unlink /none", -UMVFS_ENOENT},
        {"rmdir /a", -UMVFS_ENOTEMPTY},
        {"rmdir /a/f", -UMVFS_ENOTDIR},
        {"rmdir /", -UMVFS_EBUSY},
        {"rmdir /a/.", -UMVFS_EINVAL},
        {"rmdir /a/..", -UMVFS_ENOTEMPTY},
        {"rmdir /none", -UMVFS_ENOENT},
        {"unlink /a/f", 0},
        {"stat /a/l", -UMVFS_ENOENT},
        {"lstat /a/l", 0},
        {"unlink /a/l", 0},
        {"unlink /a/fifo", 0},
        {"unlink /a/null", 0},
        {"unlink /a/sock", 0},
        {"unlink /a/reg", 0},
        {"rmdir /a/", 0},
        {"stat /a", -UMVFS_ENOENT},
        {0},
    };
    run_world(steps);
}

static void links_hard(void **state)
{
    struct world w;
    struct umvfs_stat st;
    static const struct step steps[] = {
        {"write /f one", 0},
        {"mkdir /d", 0},
        {"symlink f /s", 0},
        {"link /f /d/g", 0},
        {"link /f /d/g", -UMVFS_EEXIST},
        {"link /f /d/g/", -UMVFS_EEXIST},
        {"link /f /new/", -UMVFS_ENOENT},
        {"link /d /e", -UMVFS_EPERM},
        {"link /none /e", -UMVFS_ENOENT},
        {"link /f/ /e", -UMVFS_ENOTDIR},
        {"link /f .", -UMVFS_EEXIST},
        {"link /s /t", 0},
        {"lstat /t", 0},
        {"readlink /t", 0},
        {"link /s /u follow", 0},
        {"readlink /u", -UMVFS_EINVAL},
        {"tmpfs /d", 0},
        {"link /f /d/x", -UMVFS_EXDEV},
        {"rename /f /d/x", -UMVFS_EXDEV},
        {"umount /d", 0},
        {"append /d/g two", 0},
        {0},
    };
    char text[16];
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
    assert_int_equal(st.nlink, 3);
    assert_int_equal(slurp(&w, "/u", text, sizeof(text)), 6);
    assert_string_equal(text, "onetwo");
    assert_int_equal(umvfs_link(&w.task, NULL, "/f", NULL, "/x", 0x80000000u), -UMVFS_EINVAL);
    world_end(&w);
}

static void renames_as_linux_does(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /a/b", 0},
        {"mkdir /a/b/c", 0},
        {"mkdir /e", 0},
        {"write /f one", 0},
        {"write /g two", 0},
        {"rename /a /a/b/d", -UMVFS_EINVAL},
        {"rename /a /a/x", -UMVFS_EINVAL},
        {"rename /a/b /a", -UMVFS_ENOTEMPTY},
        {"rename /a/b/c /a exchange", -UMVFS_EINVAL},
        {"rename /e /a", -UMVFS_ENOTEMPTY},
        {"rename /e /f", -UMVFS_ENOTDIR},
        {"rename /f /e", -UMVFS_EISDIR},
        {"rename /f/ /h", -UMVFS_ENOTDIR},
        {"rename /f /h/", -UMVFS_ENOTDIR},
        {"rename /none /h", -UMVFS_ENOENT},
        {"rename /f /none/h", -UMVFS_ENOENT},
        {"rename /f /g noreplace", -UMVFS_EEXIST},
        {"rename /f /none exchange", -UMVFS_ENOENT},
        {"rename /f /g bad", -UMVFS_EINVAL},
        {"rename /. /x", -UMVFS_EBUSY},
        {"rename /f /..", -UMVFS_EBUSY},
        {"rename /f /. noreplace", -UMVFS_EEXIST},
        {"rename /f /e/ exchange", 0},
        {"stat /f/.", 0},
        {"stat /e/.", -UMVFS_ENOTDIR},
        {"rename /e /f exchange", 0},
        {"rename /e /f/ exchange", -UMVFS_ENOTDIR},
        {"rename /f /f", 0},
        {"rename /f /g", 0},
        {"stat /f", -UMVFS_ENOENT},
        {"rename /g /e/this-name-is-longer-than-24-bytes", 0},
        {"rename /e/this-name-is-longer-than-24-bytes /a/b/c/g", 0},
        {"rename /a/b /e/b", 0},
        {"rename /e/b/c /c/", 0},
        {"stat /c/g", 0},
        {"stat /c/..", 0},
        {"rename /e/b /a", 0},
        {"rename /c /a noreplace", -UMVFS_EEXIST},
        {"tmpfs /a", 0},
        {"rename /e /a", -UMVFS_EBUSY},
        {"rename /a /x", -UMVFS_EBUSY},
        {"rmdir /a", -UMVFS_EBUSY},
        {"umount /a", 0},
        {0},
    };
    run_world(steps);
}

static void exchange_moves_link_counts(void **state)
{
    struct world w;
    struct umvfs_stat st;
    static const struct step steps[] = {
        {"mkdir /p", 0},
        {"mkdir /q", 0},
        {"mkdir /p/dir", 0},
        {"write /q/a-rather-long-name-of-a-file text", 0},
        {"rename /p/dir /q/a-rather-long-name-of-a-file exchange", 0},
        {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/p", 0, &st), 0);
    assert_int_equal(st.nlink, 2);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/q", 0, &st), 0);
    assert_int_equal(st.nlink, 3);
    assert_int_equal(run(&w, "rmdir /q/a-rather-long-name-of-a-file"), 0);
    assert_int_equal(run(&w, "unlink /p/dir"), 0);
    world_end(&w);
}

static void open_files_outlive_their_names(void **state)
{
    struct world w;
    char text[8] = "";
    char name[64];
    static const struct step steps[] = {
        {"mkdir /d", 0},    {"write /d/f hello", 0}, {"keep /d/f r", 0},
        {"unlink /d/f", 0}, {"rmdir /d", 0},         {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_read(&w.kept, text, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(umvfs_path_name(&w.kept.path, &w.task.root, name, sizeof(name)), 14);
    assert_string_equal(name, "/d/f (deleted)");
    assert_false(umvfs_path_linked(&w.kept.path));
    world_end(&w);
}

static void a_removed_directory_takes_no_entries(void **state)
{
    static const struct step steps[] = {
        {"mkdir /d", 0},
        {"chdir /d", 0},
        {"rmdir /d", 0},
        {"mkdir x", -UMVFS_ENOENT},
        {"write x t", -UMVFS_ENOENT},
        {"stat .", 0},
        {"stat ..", 0},
        {"lookup ../d", -UMVFS_ENOENT},
        {"open . T", -UMVFS_EINVAL},
        {"symlink a b", -UMVFS_ENOENT},
        {"tmpfs .", -UMVFS_ENOENT},
        {"chdir ..", 0},
        {"mkdir d", 0},
        {0},
    };
    run_world(steps);
}

struct names {
    char text[4096];
    size_t stop_after;
    size_t count;
    uint64_t next;
};

static int collect(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                   uint64_t next)
{
    struct names *names = ctx;
    if (names->count == names->stop_after)
        return 1;
    names->count++;
    names->next = next;
    strncat(names->text, name, len);
    strcat(names->text, " ");
    return 0;
}

static void cookies_survive_changes(void **state)
{
    struct world w;
    struct names names = {.stop_after = 4};
    static const struct step before[] = {
        {"mkdir /d", 0},     {"write /d/a x", 0}, {"write /d/b x", 0}, {"write /d/c x", 0},
        {"write /d/d x", 0}, {"write /d/e x", 0}, {"keep /d r", 0},    {0},
    };
    static const struct step between[] = {
        {"unlink /d/a", 0},  {"unlink /d/c", 0},      {"rename /d/d /d/D", 0},
        {"write /d/f x", 0}, {"rename /d/b /d/B", 0}, {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, before);
    assert_int_equal(umvfs_readdir(&w.kept, collect, &names), 0);
    assert_string_equal(names.text, ". .. a b ");
    assert_int_equal(w.kept.offset, names.next);
    run_steps(&w, between);
    names = (struct names){.stop_after = SIZE_MAX};
    assert_int_equal(umvfs_readdir(&w.kept, collect, &names), 0);
    assert_string_equal(names.text, "D e ");
    assert_int_equal(umvfs_readdir(&w.kept, collect, &names), 0);
    assert_string_equal(names.text, "D e ");
    assert_int_equal(umvfs_seek(&w.kept, 0, UMVFS_SEEK_SET), 0);
    names = (struct names){.stop_after = SIZE_MAX};
    assert_int_equal(umvfs_readdir(&w.kept, collect, &names), 0);
    assert_string_equal(names.text, ". .. B D e f ");
    world_end(&w);
}

static void a_replaced_entry_keeps_its_cookie(void **state)
{
    struct world w;
    struct names names = {.stop_after = 3};
    static const struct step before[] = {
        {"mkdir /d", 0},     {"write /d/a x", 0}, {"write /d/b x", 0},
        {"write /d/c x", 0}, {"keep /d r", 0},    {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, before);
    assert_int_equal(umvfs_readdir(&w.kept, collect, &names), 0);
    assert_int_equal(run(&w, "rename /d/c /d/a"), 0);
    names = (struct names){.stop_after = SIZE_MAX};
    assert_int_equal(umvfs_readdir(&w.kept, collect, &names), 0);
    assert_string_equal(names.text, "b ");
    world_end(&w);
}

static void big_directories_are_found_and_emptied(void **state)
{
    struct world w;
    char line[64];
    enum { COUNT = 40000 };
    world_begin(&w, NULL);
    for (int i = 0; i < COUNT; i++) {
        snprintf(line, sizeof(line), "mknod /file-number-%d 0644", i);
        assert_int_equal(run(&w, line), 0);
    }
    for (int i = 0; i < COUNT; i += 7) {
        snprintf(line, sizeof(line), "stat /file-number-%d", i);
        assert_int_equal(run(&w, line), 0);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(line, sizeof(line), "unlink /file-number-%d", i * 7 % COUNT);
        assert_int_equal(run(&w, line), 0);
    }
    world_end(&w);
}

static void the_library_is_as_old_as_its_headers(void **state)
{
    (void)state;
    assert_true(umvfs_version() == UMVFS_VERSION);
    assert_true(UMVFS_VERSION_NUMBER(0, 2, 1) > UMVFS_VERSION_NUMBER(0, 2, 0));
    assert_true(UMVFS_VERSION_NUMBER(1, 0, 0) > UMVFS_VERSION_NUMBER(0, 999, 999));
}

static const struct step whiteouts[] = {
    {"mkdir /w 02755", 0},
    {"mkdir /v", 0},
    {"write /w/f text", 0},
    {"rename /w/f /v/f whiteout", 0},
    {"stat /v/f", 0},
    {"rename /v/f /w/f whiteout", 0}, /* replaces the whiteout */
    {"rename /w/f /w/a-name-that-does-not-fit-a-dentry whiteout", 0},
    {"rename /w /v/dir whiteout", 0},
    {"stat /v/dir/a-name-that-does-not-fit-a-dentry", 0},
    {"rename /w /w2 whiteout", 0},
    {"rmdir /w", -UMVFS_ENOTDIR},
    {"chown /v 1000 1000", 0},
    {"write /v/own text", 0},
    {"as alice", 0},
    {"rename /v/own /v/kept whiteout", 0},
    {"as root", 0},
    {"rename /v/f /v/f2", 0}, /* a whiteout is a name like others */
    {"rmdir /v/dir", -UMVFS_ENOTEMPTY},
    {"unlink /v/dir/f", 0},
    {"unlink /v/dir/a-name-that-does-not-fit-a-dentry", 0},
    {"rmdir /v/dir", 0},
    {0},
};

static void renames_leave_whiteouts(void **state)
{
    struct world w;
    struct umvfs_stat st;
    world_begin(&w, NULL);
    run_steps(&w, whiteouts);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/v/own", 0, &st), 0);
    assert_true(st.mode == UMVFS_S_IFCHR && st.rdev == 0 && st.uid == 1000 && st.nlink == 1);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/", 0, &st), 0);
    assert_int_equal(st.nlink, 3);
    assert_int_equal(umvfs_rename(&w.task, NULL, "/v/own", NULL, "/v/kept",
                                  UMVFS_RENAME_WHITEOUT | UMVFS_RENAME_NOREPLACE),
                     -UMVFS_EEXIST);
    assert_int_equal(umvfs_rename(&w.task, NULL, "/v/own", NULL, "/v/kept",
                                  UMVFS_RENAME_WHITEOUT | UMVFS_RENAME_EXCHANGE),
                     -UMVFS_EINVAL);
    world_end(&w);
}

/* Listings of directories that change meanwhile: each ends, and gives what was there once. */

enum { COUNT = 100, TOO_MANY = 20 * COUNT };

/* What a listing has seen. */
struct listing {
    struct world *world;
    void (*change)(struct world *world, const char *name); /* or NULL */
    unsigned stop_after;                                   /* entries; 0: never */
    unsigned seen[COUNT];
    unsigned entries; /* but "." and ".." */
    unsigned others;  /* with a name that is not a number */
    uint64_t next;
};

static int see(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
    struct listing *l = ctx;
    char text[256];
    if (l->stop_after && l->entries == l->stop_after)
        return 1;
    assert_true(l->entries < TOO_MANY);
    l->next = next;
    if (name[0] == '.')
        return 0;
    memcpy(text, name, len);
    text[len] = '\0';
    l->entries++;
    if (name[0] >= '0' && name[0] <= '9')
        l->seen[atoi(text)]++;
    else
        l->others++;
    if (l->change)
        l->change(l->world, text);
    return 0;
}

static void command(struct world *w, const char *format, const char *name)
{
    char line[300];
    snprintf(line, sizeof(line), format, name, name);
    assert_int_equal(run(w, line), 0);
}

static void make_again(struct world *w, const char *name)
{
    command(w, "unlink /d/%s", name);
    command(w, "mknod /d/%s 0644", name);
}

static void move_away_and_back(struct world *w, const char *name)
{
    command(w, "rename /d/%s /o/%s", name);
    command(w, "rename /o/%s /d/%s", name);
}

static void rename_in_place(struct world *w, const char *name)
{
    command(w, "rename /d/%s /d/TEMP", name);
    command(w, "rename /d/TEMP /d/%s", name);
}

static void replace(struct world *w, const char *name)
{
    command(w, "mknod /d/new-%s 0644", name);
    command(w, "rename /d/new-%s /d/%s", name);
}

static void make_another(struct world *w, const char *name)
{
    command(w, "mknod /d/new-%s 0644", name);
}

static void exchange(struct world *w, const char *name)
{
    command(w, "rename /d/%s /o/other exchange", name);
    command(w, "rename /d/%s /o/other exchange", name);
}

static void (*const changes[])(struct world *, const char *) = {
    make_again, move_away_and_back, rename_in_place, replace, make_another, exchange};

static void begin(struct world *w)
{
    world_begin(w, NULL);
    assert_int_equal(run(w, "mkdir /d"), 0);
    assert_int_equal(run(w, "mkdir /o"), 0);
    assert_int_equal(run(w, "mknod /o/other 0644"), 0);
    for (int i = 0; i < COUNT; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", i);
        command(w, "mknod /d/%s 0644", name);
    }
    assert_int_equal(run(w, "keep /d r"), 0);
}

static void assert_each_once(const struct listing *l)
{
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(l->seen[i], 1);
    assert_int_equal(l->others, 0);
}

static void changes_by_the_callback_are_not_listed(void **state)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct world w;
        struct listing l = {.world = &w, .change = changes[i]};
        begin(&w);
        assert_int_equal(umvfs_readdir(&w.kept, see, &l), 0);
        assert_each_once(&l);
        world_end(&w);
    }
}

/* One entry a call, as a program with a small buffer. */
static void changes_between_calls_are_not_listed(void **state)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct world w;
        struct listing l = {.world = &w, .change = changes[i], .stop_after = 1};
        begin(&w);
        for (unsigned before = 0; umvfs_readdir(&w.kept, see, &l) == 0 && l.entries > before;
             l.stop_after++)
            before = l.entries;
        assert_each_once(&l);
        world_end(&w);
    }
}

/* The callback may make entries as early as for ".": the listing has begun by then. */
static int make_at_dot(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                       uint64_t next)
{
    struct listing *l = ctx;
    if (len == 1 && name[0] == '.')
        assert_int_equal(run(l->world, "mknod /d/made 0644"), 0);
    return see(ctx, name, len, ino, type, next);
}

static void a_listing_begins_before_its_first_entry(void **state)
{
    struct world w;
    struct listing l = {.world = &w};
    begin(&w);
    assert_int_equal(umvfs_readdir(&w.kept, make_at_dot, &l), 0);
    assert_each_once(&l);
    world_end(&w);
}

static void two_descriptors_end_each_where_they_began(void **state)
{
    struct world w;
    struct umvfs_file second;
    struct listing l = {.world = &w, .stop_after = 10};
    begin(&w);
    assert_int_equal(umvfs_readdir(&w.kept, see, &l), 0);
    make_another(&w, "1");
    assert_int_equal(umvfs_reopen(&w.kept, &second), 0);
    struct listing late = {.world = &w};
    assert_int_equal(umvfs_readdir(&second, see, &late), 0);
    assert_int_equal(late.entries, COUNT + 1);
    l.stop_after = 0;
    assert_int_equal(umvfs_readdir(&w.kept, see, &l), 0);
    assert_each_once(&l);
    umvfs_close(&second);
    world_end(&w);
}

static void a_rewind_lists_what_is_new(void **state)
{
    struct world w;
    struct listing first = {.world = &w}, again = {.world = &w};
    begin(&w);
    assert_int_equal(umvfs_readdir(&w.kept, see, &first), 0);
    make_another(&w, "1");
    assert_int_equal(umvfs_readdir(&w.kept, see, &first), 0);
    assert_each_once(&first);
    assert_int_equal(umvfs_seek(&w.kept, 0, UMVFS_SEEK_SET), 0);
    assert_int_equal(umvfs_readdir(&w.kept, see, &again), 0);
    assert_int_equal(again.entries, COUNT + 1);
    assert_int_equal(again.others, 1);
    world_end(&w);
}

/* A seek to a cookie keeps the end; a descriptor that never was at the start gets one there. */
static void a_seek_keeps_the_end(void **state)
{
    struct world w;
    struct umvfs_file second;
    struct listing half = {.world = &w, .stop_after = COUNT / 2};
    begin(&w);
    assert_int_equal(umvfs_readdir(&w.kept, see, &half), 0);
    uint64_t middle = half.next;
    make_another(&w, "1");
    struct listing rest = {.world = &w};
    assert_int_equal(umvfs_seek(&w.kept, (int64_t)middle, UMVFS_SEEK_SET), middle);
    assert_int_equal(umvfs_readdir(&w.kept, see, &rest), 0);
    assert_int_equal(rest.entries, COUNT / 2);
    assert_int_equal(umvfs_reopen(&w.kept, &second), 0);
    assert_int_equal(umvfs_seek(&second, (int64_t)middle, UMVFS_SEEK_SET), middle);
    struct listing other = {.world = &w, .change = make_another};
    assert_int_equal(run(&w, "unlink /d/new-1"), 0);
    assert_int_equal(umvfs_readdir(&second, see, &other), 0);
    assert_int_equal(other.entries, COUNT / 2);
    umvfs_close(&second);
    world_end(&w);
}

/* The name of an entry that was listed replaces one that was not: its place is the latter's. */
static void a_rename_over_a_later_entry_ends_too(void **state)
{
    struct world w;
    struct listing l = {.world = &w, .stop_after = 1};
    begin(&w);
    assert_int_equal(umvfs_readdir(&w.kept, see, &l), 0);
    assert_int_equal(run(&w, "rename /d/0 /d/50"), 0);
    l.stop_after = 0;
    assert_int_equal(umvfs_readdir(&w.kept, see, &l), 0);
    assert_each_once(&l);
    world_end(&w);
}

static int no_room(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                   uint64_t next)
{
    return 1;
}

/* As on Linux: a buffer that is too small for the first entry reads the directory, too. */
static void a_listing_without_room_sets_the_time(void **state)
{
    struct world w;
    struct umvfs_stat before, after;
    begin(&w);
    assert_int_equal(umvfs_inode_stat(w.kept.inode, &before), 0);
    assert_int_equal(umvfs_readdir(&w.kept, no_room, NULL), 0);
    assert_int_equal(umvfs_inode_stat(w.kept.inode, &after), 0);
    assert_true(after.atime.sec != before.atime.sec || after.atime.nsec != before.atime.nsec);
    world_end(&w);
}

static struct umvfs_stat stat_after(struct world *w, int64_t seconds, const char *command)
{
    struct umvfs_stat st;
    char text[8];
    w->host.clock += seconds * 1000000000;
    if (command)
        assert_true(run(w, command) >= 0);
    assert_true(slurp(w, "/f", text, sizeof(text)) >= 0);
    assert_int_equal(umvfs_stat(&w->task, NULL, "/f", 0, &st), 0);
    return st;
}

static void times_of_access_and_creation(void **state)
{
    struct world w;
    world_begin(&w, NULL);
    run(&w, "write /f text");
    int64_t made = stat_after(&w, 1, NULL).btime.sec;
    int64_t read = stat_after(&w, 1, NULL).atime.sec;
    assert_int_equal(stat_after(&w, 24 * 60 * 60 - 3, NULL).atime.sec, read);
    assert_true(stat_after(&w, 3, NULL).atime.sec >= read + 24 * 60 * 60);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", AT(INT64_MAX, 0), 0), 0);
    struct umvfs_stat st = stat_after(&w, 1, "chmod /f 0600");
    assert_true(st.atime.sec == INT64_MAX && st.ctime.sec > made);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", AT(INT64_MIN, INT64_MIN), 0), 0);
    st = stat_after(&w, 1, "link /f /g");
    assert_true(st.btime.sec == made && st.atime.sec > made && st.mtime.sec == INT64_MIN);
    const int64_t now = w.host.clock + 100; /* what the clock says at the next reading */
    const struct umvfs_time times[] = {{now / 1000000000, (uint32_t)(now % 1000000000)},
                                       {INT64_MAX, 0}};
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", times, 0), 0);
    w.host.clock = now - 1;
    assert_int_equal(stat_after(&w, 0, NULL).atime.nsec, times[0].nsec);
    world_end(&w);
}

int tree_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renames_leave_whiteouts),
        cmocka_unit_test(makes_and_removes_names),
        cmocka_unit_test(links_hard),
        cmocka_unit_test(renames_as_linux_does),
        cmocka_unit_test(exchange_moves_link_counts),
        cmocka_unit_test(open_files_outlive_their_names),
        cmocka_unit_test(a_removed_directory_takes_no_entries),
        cmocka_unit_test(cookies_survive_changes),
        cmocka_unit_test(a_replaced_entry_keeps_its_cookie),
        cmocka_unit_test(big_directories_are_found_and_emptied),
        cmocka_unit_test(the_library_is_as_old_as_its_headers),
        cmocka_unit_test(times_of_access_and_creation),
        cmocka_unit_test(changes_by_the_callback_are_not_listed),
        cmocka_unit_test(changes_between_calls_are_not_listed),
        cmocka_unit_test(a_listing_begins_before_its_first_entry),
        cmocka_unit_test(two_descriptors_end_each_where_they_began),
        cmocka_unit_test(a_rewind_lists_what_is_new),
        cmocka_unit_test(a_seek_keeps_the_end),
        cmocka_unit_test(a_listing_without_room_sets_the_time),
        cmocka_unit_test(a_rename_over_a_later_entry_ends_too),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
