/* Listings of directories that change meanwhile: each ends, and gives what was there once. */
#include "tests.h"

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

int readdir_tests(void)
{
    const struct CMUnitTest tests[] = {
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
    return cmocka_run_group_tests_name("readdir", tests, NULL, NULL);
}
