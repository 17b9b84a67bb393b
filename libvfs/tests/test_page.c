#include "tests.h"

/* A file of five pages, of which 1 and 3 are there, kept open by the world. */
static void begin_sparse(struct world *w)
{
    world_begin(w, NULL);
    assert_int_equal(run(w, "fill /f 4096 4096"), 0);
    assert_int_equal(run(w, "fill /f 4096 12288"), 0);
    assert_int_equal(run(w, "truncate /f 20480"), 0);
    assert_int_equal(run(w, "keep /f b"), 0);
}

static void runs_are_pages_and_holes(void **state)
{
    static const struct {
        uint64_t index;
        unsigned count;
        unsigned got;
        const char *kinds; /* p: a page, -: a hole */
    } cases[] = {
        {0, 5, 5, "-p-p-"}, {0, 9, 5, "-p-p-"}, {1, 2, 2, "p-"},        {4, 8, 1, "-"},
        {5, 1, 0, ""},      {3, 0, 0, ""},      {UINT64_MAX, 2, 0, ""},
    };
    struct world w;
    begin_sparse(&w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        void *out[9];
        unsigned got = umvfs_page_get_run(w.kept.inode, cases[i].index, cases[i].count, out);
        assert_int_equal(got, cases[i].got);
        for (unsigned j = 0; j < got; j++) {
            assert_int_equal(out[j] != NULL, cases[i].kinds[j] == 'p');
            if (!out[j])
                continue;
            assert_int_equal(host_page_refs(out[j]), 2);
            assert_int_equal(*(char *)out[j], 'x');
            umvfs_page_put(w.vfs, out[j]);
        }
    }
    assert_int_equal(w.host.pages, 2);
    world_end(&w);
}

/* 64 pages share a node of the index; a run ends with it. */
static void runs_end_with_a_node(void **state)
{
    struct world w;
    void *out[80];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "fill /f 327680"), 0);
    assert_int_equal(run(&w, "keep /f r"), 0);
    assert_int_equal(umvfs_page_get_run(w.kept.inode, 60, 10, out), 4);
    for (unsigned i = 0; i < 4; i++)
        umvfs_page_put(w.vfs, out[i]);
    world_end(&w);
}

/* A mapping's stores after the end stay for other mappings, until the file grows or shrinks. */
static void stores_after_the_end_stay(void **state)
{
    struct world w;
    void *page;
    void *out[1];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "fill /f 5000"), 0);
    assert_int_equal(run(&w, "keep /f r"), 0);
    assert_int_equal(umvfs_page_get(w.kept.inode, 1, UMVFS_PAGE_WRITE, &page), 0);
    memset((char *)page + 904, '!', UMVFS_PAGE_SIZE - 904); /* as a mapping may */
    assert_int_equal(umvfs_page_get_run(w.kept.inode, 1, 1, out), 1);
    assert_ptr_equal(out[0], page);
    assert_int_equal(((char *)page)[904], '!');
    umvfs_page_put(w.vfs, page);
    assert_int_equal(umvfs_page_get(w.kept.inode, 1, UMVFS_PAGE_READ, &page), 0);
    assert_int_equal(((char *)page)[904], '!');
    umvfs_page_put(w.vfs, page);
    assert_int_equal(run(&w, "truncate /f 6000"), 0);
    assert_int_equal(((char *)page)[904], 0);
    assert_int_equal(((char *)page)[1903], 0);
    umvfs_page_put(w.vfs, page);
    world_end(&w);
}

static void nothing_else_has_runs(void **state)
{
    struct world w;
    struct umvfs_path root;
    void *out[1];
    static const char *const others[] = {"mknod /p 010600", "write /p small"};
    for (size_t i = 0; i < 2; i++) {
        world_begin(&w, NULL);
        assert_int_equal(run(&w, others[i]), 0);
        assert_int_equal(run(&w, "keep /p r"), 0);
        assert_int_equal(umvfs_page_get_run(w.kept.inode, 0, 1, out), 0);
        umvfs_root(w.vfs, &root);
        assert_int_equal(umvfs_page_get_run(umvfs_path_inode(&root), 0, 1, out), 0);
        umvfs_path_put(&root);
        assert_int_equal(w.host.pages, 0);
        world_end(&w);
    }
}

static void without_references_there_are_no_pages(void **state)
{
    struct world w;
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    void *out[1];
    config.page_get = NULL;
    world_begin(&w, &config);
    assert_int_equal(run(&w, "fill /f 5000"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    assert_int_equal(umvfs_page_get(w.kept.inode, 0, UMVFS_PAGE_READ, out), -UMVFS_ENOSYS);
    assert_int_equal(umvfs_page_get_run(w.kept.inode, 0, 1, out), 0);
    world_end(&w);
}

/* Each way to fill page 2 of the sparse file, once a mapping knows that it is a hole. */
static int fill_by_writing(struct world *w)
{
    return umvfs_pwrite(&w->kept, "z", 1, 2 * UMVFS_PAGE_SIZE + 7) == 1 ? 0 : -1;
}

static int fill_by_allocating(struct world *w)
{
    return umvfs_fallocate(&w->kept, 0, 2 * UMVFS_PAGE_SIZE, 1);
}

static int fill_by_mapping(struct world *w)
{
    void *page;
    int err = umvfs_page_get(w->kept.inode, 2, UMVFS_PAGE_WRITE, &page);
    if (!err)
        umvfs_page_put(w->vfs, page);
    return err;
}

static void filled_holes_are_told(void **state)
{
    static int (*const ways[])(struct world *) = {fill_by_writing, fill_by_allocating,
                                                  fill_by_mapping};
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        void *page;
        begin_sparse(&w);
        assert_int_equal(umvfs_pwrite(&w.kept, "z", 1, 0), 1);
        assert_int_equal(w.host.filled_calls, 0); /* nobody knew of the hole */
        assert_int_equal(umvfs_page_get(w.kept.inode, 2, UMVFS_PAGE_READ, &page), 0);
        assert_null(page);
        assert_int_equal(umvfs_pwrite(&w.kept, "z", 1, UMVFS_PAGE_SIZE), 1);
        assert_int_equal(w.host.filled_calls, 0); /* no hole was there */
        w.host.fail_at = w.host.calls + 1;
        assert_int_equal(ways[i](&w) < 0, 1);
        assert_int_equal(w.host.filled_calls, 0);
        w.host.fail_at = 0;
        assert_int_equal(ways[i](&w), 0);
        assert_int_equal(w.host.filled_calls, 1);
        assert_int_equal(w.host.filled, 2);
        assert_int_equal(ways[i](&w), 0);
        assert_int_equal(w.host.filled_calls, 1);
        world_end(&w);
    }
}

static void holes_seen_in_a_run_are_told(void **state)
{
    struct world w;
    void *out[3];
    begin_sparse(&w);
    assert_int_equal(umvfs_page_get_run(w.kept.inode, 1, 1, out), 1);
    umvfs_page_put(w.vfs, out[0]);
    assert_int_equal(umvfs_pwrite(&w.kept, "z", 1, 4 * UMVFS_PAGE_SIZE), 1);
    assert_int_equal(w.host.filled_calls, 0);
    assert_int_equal(umvfs_page_get_run(w.kept.inode, 0, 1, out), 1);
    assert_int_equal(umvfs_pwrite(&w.kept, "z", 1, 0), 1);
    assert_int_equal(w.host.filled_calls, 1);
    assert_int_equal(w.host.filled, 0);
    world_end(&w);
}

static void nobody_need_be_told(void **state)
{
    struct world w;
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    void *page;
    config.hole_filled = NULL;
    world_begin(&w, &config);
    assert_int_equal(run(&w, "truncate /f 1"), -UMVFS_ENOENT);
    assert_int_equal(run(&w, "fill /f 1 9000"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    assert_int_equal(umvfs_page_get(w.kept.inode, 0, UMVFS_PAGE_READ, &page), 0);
    assert_null(page);
    assert_int_equal(umvfs_pwrite(&w.kept, "z", 1, 0), 1);
    world_end(&w);
}

/* Pages 0, 2, 63, 64 and 5000 of a file of one page, so that some are beyond its end. */
static void begin_scattered(struct world *w)
{
    static const uint64_t index[] = {0, 2, 63, 64, 5000};
    world_begin(w, NULL);
    assert_int_equal(run(w, "write /f x"), 0);
    assert_int_equal(run(w, "keep /f b"), 0);
    for (size_t i = 0; i < sizeof(index) / sizeof(index[0]); i++)
        assert_int_equal(
            umvfs_fallocate(&w->kept, UMVFS_FALLOC_KEEP_SIZE, index[i] * UMVFS_PAGE_SIZE, 1), 0);
}

static void tails_hold_so_many_pages(void **state)
{
    static const uint64_t tail[] = {65, 64, 3, 1, 0, 0};
    struct world w;
    begin_scattered(&w);
    for (size_t pages = 1; pages <= 6; pages++)
        assert_int_equal(umvfs_inode_tail(w.kept.inode, pages), tail[pages - 1] * UMVFS_PAGE_SIZE);
    assert_int_equal(umvfs_fallocate(&w.kept, UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE,
                                     65 * UMVFS_PAGE_SIZE,
                                     UMVFS_FILE_SIZE_MAX - 65 * UMVFS_PAGE_SIZE),
                     0);
    assert_int_equal(umvfs_inode_tail(w.kept.inode, 4), 0);
    assert_int_equal(umvfs_inode_tail(w.kept.inode, 3), UMVFS_PAGE_SIZE);
    assert_int_equal(umvfs_fallocate(&w.kept, UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE, 0,
                                     UMVFS_PAGE_SIZE),
                     0);
    assert_int_equal(umvfs_inode_tail(w.kept.inode, 9), 0); /* no page 0 to end with */
    assert_int_equal(umvfs_fallocate(&w.kept, UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE, 0,
                                     UMVFS_FILE_SIZE_MAX),
                     0);
    assert_int_equal(umvfs_inode_tail(w.kept.inode, 1), 0);
    world_end(&w);
}

static uint64_t blocks_of(const struct umvfs_file *file)
{
    struct umvfs_stat stat;
    assert_int_equal(umvfs_inode_stat(file->inode, &stat), 0);
    return stat.blocks;
}

/* Pages beyond the end stay if a file grows, and go if it gets the size that it has. */
static void the_same_size_frees_pages_beyond(void **state)
{
    struct world w;
    begin_scattered(&w);
    assert_int_equal(blocks_of(&w.kept), 5 * UMVFS_PAGE_SIZE / 512);
    assert_int_equal(umvfs_file_truncate(&w.kept, 2), 0);
    assert_int_equal(blocks_of(&w.kept), 5 * UMVFS_PAGE_SIZE / 512);
    assert_int_equal(umvfs_file_truncate(&w.kept, 2), 0);
    assert_int_equal(blocks_of(&w.kept), 1 * UMVFS_PAGE_SIZE / 512);
    assert_int_equal(umvfs_file_truncate(&w.kept, 0), 0);
    assert_int_equal(umvfs_fallocate(&w.kept, UMVFS_FALLOC_KEEP_SIZE, 0, 9000), 0);
    assert_int_equal(run(&w, "truncate /f 0"), 0);
    assert_int_equal(blocks_of(&w.kept), 0);
    world_end(&w);
}

static void spans_hold_so_many_pages(void **state)
{
    static const struct {
        uint64_t from, end, pages, span;
    } cases[] = {
        {0, 9000, 1, 2},     {0, 9000, 2, 63},    {1, 9000, 1, 63},      {2, 9000, 3, 5000},
        {0, 9000, 5, 9000},  {0, 64, 9, 64},      {0, 64, 3, 64},        {0, 65, 3, 64},
        {65, 5000, 1, 5000}, {65, 5001, 1, 5001}, {5001, 6000, 1, 6000},
    };
    struct world w;
    begin_scattered(&w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(umvfs_inode_span(w.kept.inode, cases[i].from * UMVFS_PAGE_SIZE,
                                          cases[i].end * UMVFS_PAGE_SIZE, cases[i].pages),
                         cases[i].span * UMVFS_PAGE_SIZE);
    world_end(&w);
}

static void what_has_no_pages_has_no_tail(void **state)
{
    struct world w;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /small x"), 0);
    assert_int_equal(run(&w, "keep /small b"), 0);
    assert_int_equal(umvfs_inode_tail(w.kept.inode, 1), 0);
    assert_int_equal(umvfs_inode_span(w.kept.inode, 5, 7, 1), 7);
    assert_int_equal(umvfs_inode_tail(umvfs_path_inode(&w.task.root), 1), 0);
    world_end(&w);
}

static void begin_late(struct world *w)
{
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    config.late = host_late;
    config.late_above = 8;
    world_begin(w, &config);
    assert_int_equal(run(w, "fill /f 40000 0"), 0);
}

/* By whatever a file of ten pages ends, its pages go as they are reaped. */
static void large_files_are_freed_later(void **state)
{
    static const char *const ends[] = {"unlink /f", "truncate /f 0", "rename /g /f"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct world w;
        begin_late(&w);
        assert_int_equal(run(&w, "write /g x"), 0);
        assert_int_equal(w.host.pages, 10);
        assert_int_equal(run(&w, ends[i]), 0);
        assert_int_equal(w.host.late_calls, 1);
        assert_int_equal(w.host.pages, 10);
        assert_true(umvfs_reap(w.vfs, 3));
        assert_int_equal(w.host.pages, 7);
        assert_true(umvfs_reap(w.vfs, 6));
        assert_int_equal(w.host.pages, 1);
        assert_false(umvfs_reap(w.vfs, 1));
        assert_int_equal(w.host.pages, 0);
        world_end(&w);
    }
}

static void count_unmap(void *ctx, struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    int *calls = umvfs_inode_cookie(inode);
    (void)ctx;
    (void)first;
    (void)last;
    ++*calls;
}

static void free_cookie(void *ctx, struct umvfs_inode *inode, void *cookie)
{
    (void)ctx;
    (void)inode;
    assert_int_equal(*(int *)cookie, 1);
    free(cookie);
}

static void get_and_unlink(struct world *w, const char *keep, const char *unlink)
{
    void *page;
    assert_int_equal(run(w, keep), 0);
    umvfs_inode_set_cookie(w->kept.inode, calloc(1, sizeof(int)));
    assert_int_equal(umvfs_page_get(w->kept.inode, 0, UMVFS_PAGE_READ, &page), 0);
    umvfs_page_put(w->vfs, page);
    assert_int_equal(run(w, unlink), 0);
    assert_int_equal(run(w, "close"), 0);
}

/* For each file `unmap` is called, then `inode_free`, then nothing: also if the pages go later. */
static void nobody_uses_a_cookie_that_was_freed(void **state)
{
    for (int refuses = 0; refuses < 2; refuses++) {
        struct world w;
        struct host host = {0};
        struct umvfs_config config = host_config(&host);
        config.late = host_late;
        config.late_above = 8;
        config.unmap = count_unmap;
        config.inode_free = free_cookie;
        world_begin(&w, &config);
        w.host.refuses_late = refuses;
        assert_int_equal(run(&w, "fill /f 40000 0"), 0);
        assert_int_equal(run(&w, "fill /g 40000 0"), 0);
        get_and_unlink(&w, "keep /f b", "unlink /f");
        get_and_unlink(&w, "keep /g b", "unlink /g");
        while (umvfs_reap(w.vfs, 3))
            ;
        world_end(&w);
    }
}

static void what_is_not_reaped_goes_with_the_instance(void **state)
{
    struct world w;
    begin_late(&w);
    assert_int_equal(run(&w, "unlink /f"), 0);
    assert_int_equal(w.host.pages, 10);
    world_end(&w); /* checks that nothing is left */
}

static void large_files_are_freed_at_once_if_the_embedder_says_so(void **state)
{
    struct world w;
    begin_late(&w);
    w.host.refuses_late = true;
    assert_int_equal(run(&w, "unlink /f"), 0);
    assert_int_equal(w.host.pages, 0);
    assert_false(umvfs_reap(w.vfs, 1));
    world_end(&w);
}

/* A truncation needs an inode for what is freed later; without memory for it all goes at once. */
static void truncation_needs_no_memory(void **state)
{
    struct world w;
    begin_late(&w);
    w.host.fail_at = w.host.calls + 1;
    assert_int_equal(run(&w, "truncate /f 0"), 0);
    assert_int_equal(w.host.failed, 1);
    assert_int_equal(w.host.pages, 0);
    world_end(&w);
}

static void full_file_systems_are_freed_later(void **state)
{
    struct world w;
    char line[32];
    begin_late(&w);
    assert_int_equal(run(&w, "mkdir /m"), 0);
    uint64_t objects = w.host.objects;
    assert_int_equal(run(&w, "tmpfs /m"), 0);
    for (int i = 0; i < 10; i++) {
        snprintf(line, sizeof(line), i % 2 ? "write /m/%d x" : "mkdir /m/%d", i);
        assert_int_equal(run(&w, line), 0);
    }
    assert_int_equal(run(&w, "umount /m"), 0);
    assert_int_equal(w.host.late_calls, 1);
    for (int i = 0; i < 4; i++)
        assert_true(umvfs_reap(w.vfs, 2));
    assert_false(umvfs_reap(w.vfs, 100));
    assert_int_equal(w.host.objects, objects);
    world_end(&w);
}

int page_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_pages_and_holes),
        cmocka_unit_test(runs_end_with_a_node),
        cmocka_unit_test(stores_after_the_end_stay),
        cmocka_unit_test(nothing_else_has_runs),
        cmocka_unit_test(without_references_there_are_no_pages),
        cmocka_unit_test(filled_holes_are_told),
        cmocka_unit_test(holes_seen_in_a_run_are_told),
        cmocka_unit_test(nobody_need_be_told),
        cmocka_unit_test(tails_hold_so_many_pages),
        cmocka_unit_test(the_same_size_frees_pages_beyond),
        cmocka_unit_test(spans_hold_so_many_pages),
        cmocka_unit_test(what_has_no_pages_has_no_tail),
        cmocka_unit_test(large_files_are_freed_later),
        cmocka_unit_test(nobody_uses_a_cookie_that_was_freed),
        cmocka_unit_test(what_is_not_reaped_goes_with_the_instance),
        cmocka_unit_test(large_files_are_freed_at_once_if_the_embedder_says_so),
        cmocka_unit_test(truncation_needs_no_memory),
        cmocka_unit_test(full_file_systems_are_freed_later),
    };
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
