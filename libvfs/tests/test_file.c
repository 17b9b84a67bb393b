#include "tests.h"

#include "core.h"

static struct umvfs_file open_file(struct world *w, const char *path, uint32_t flags)
{
    struct umvfs_file file;
    assert_int_equal(umvfs_open(&w->task, NULL, path, flags, 0644, 0, &file), 0);
    return file;
}

static void opens_as_linux_does(void **state)
{
    static const struct step steps[] = {
        {"mkdir /d", 0},
        {"write /f x", 0},
        {"symlink f /l", 0},
        {"mknod /s 0140644", 0},
        {"mknod /p 010644", 0},
        {"open /none r", -UMVFS_ENOENT},
        {"open /none wc", 0},
        {"open /none wcx", -UMVFS_EEXIST},
        {"open /d w", -UMVFS_EISDIR},
        {"open /d rc", -UMVFS_EISDIR},
        {"open /d rd", 0},
        {"open /f rd", -UMVFS_ENOTDIR},
        {"open /f rdc", -UMVFS_EINVAL},
        {"open /l rn", -UMVFS_ELOOP},
        {"open /l rnd", -UMVFS_ENOTDIR},
        {"open /l np", 0},
        {"open /l p", 0},
        {"open /s r", -UMVFS_ENXIO},
        {"open /p b", 0},
        {"open /d wT", 0},
        {"open /d rT", -UMVFS_EINVAL},
        {"open /f wT", -UMVFS_ENOTDIR},
        {"open /new/ wc", -UMVFS_EISDIR},
        {"open . wc", -UMVFS_EISDIR},
        {"open . rcx", -UMVFS_EEXIST},
        {0},
    };
    run_world(steps);
}

static void execution_and_writing_exclude_each_other(void **state)
{
    struct world w;
    struct umvfs_file file;
    static const struct step steps[] = {
        {"write /x text", 0},
        {"exec /x", -UMVFS_EACCES},
        {"chmod /x 0711", 0},
        {"as alice", 0},
        {"exec /x", 0},
        {"as root", 0},
        {"open /x w", -UMVFS_ETXTBSY},
        {"open /x b", -UMVFS_ETXTBSY},
        {"truncate /x 0", -UMVFS_ETXTBSY},
        {"open /x rt", -UMVFS_ETXTBSY},
        {"open /x r", 0},
        {"close", 0},
        {"keep /x w", 0},
        {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_open_exec(&w.task, NULL, "/x", 0, &file), -UMVFS_ETXTBSY);
    assert_int_equal(umvfs_deny_write(w.kept.inode), -UMVFS_ETXTBSY);
    assert_int_equal(run(&w, "close"), 0);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(run(&w, "exec /d"), -UMVFS_EACCES);
    assert_int_equal(run(&w, "exec /x"), 0);
    assert_int_equal(umvfs_open(&w.task, NULL, "/x", UMVFS_O_ACCMODE, 0, 0, &file), 0);
    umvfs_close(&file);
    assert_int_equal(umvfs_open(&w.task, NULL, "/x", UMVFS_O_ACCMODE | UMVFS_O_TRUNC, 0, 0, &file),
                     -UMVFS_ETXTBSY);
    world_end(&w);
}

static void holes_read_as_zeros_and_are_found(void **state)
{
    struct world w;
    char buf[3];
    world_begin(&w, NULL);
    struct umvfs_file f = open_file(&w, "/f", UMVFS_O_RDWR | UMVFS_O_CREAT);
    assert_int_equal(umvfs_pwrite(&f, "x", 1, 3 * UMVFS_PAGE_SIZE), 1);
    assert_int_equal(umvfs_pwrite(&f, "y", 1, 100), 1);
    assert_int_equal(w.host.pages, 2);
    assert_int_equal(umvfs_pread(&f, buf, 3, 2 * UMVFS_PAGE_SIZE), 3);
    assert_memory_equal(buf, "\0\0\0", 3);
    assert_int_equal(umvfs_seek(&f, 0, UMVFS_SEEK_DATA), 0);
    assert_int_equal(umvfs_seek(&f, 0, UMVFS_SEEK_HOLE), UMVFS_PAGE_SIZE);
    assert_int_equal(umvfs_seek(&f, UMVFS_PAGE_SIZE, UMVFS_SEEK_DATA), 3 * UMVFS_PAGE_SIZE);
    assert_int_equal(umvfs_seek(&f, 3 * UMVFS_PAGE_SIZE, UMVFS_SEEK_HOLE), 3 * UMVFS_PAGE_SIZE + 1);
    assert_int_equal(umvfs_seek(&f, 3 * UMVFS_PAGE_SIZE + 1, UMVFS_SEEK_DATA), -UMVFS_ENXIO);
    assert_int_equal(umvfs_seek(&f, -1, UMVFS_SEEK_SET), -UMVFS_EINVAL);
    assert_int_equal(umvfs_seek(&f, 0, 9), -UMVFS_EINVAL);
    assert_int_equal(umvfs_fallocate(&f, UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE, 0,
                                     3 * UMVFS_PAGE_SIZE),
                     0);
    assert_int_equal(w.host.pages, 1);
    assert_int_equal(umvfs_fallocate(&f, UMVFS_FALLOC_PUNCH_HOLE, 0, 1), -UMVFS_EOPNOTSUPP);
    assert_int_equal(umvfs_fallocate(&f, 0, 0, 5 * UMVFS_PAGE_SIZE), 0);
    assert_int_equal(w.host.pages, 5);
    assert_int_equal(umvfs_inode_size(f.inode), 5 * UMVFS_PAGE_SIZE);
    assert_int_equal(umvfs_file_truncate(&f, 1), 0);
    assert_int_equal(w.host.pages, 1);
    umvfs_close(&f);
    world_end(&w);
}

/* Pages beyond the end are no data of the file, and part of a buffer is no page. */
static void ends_are_within_pages(void **state)
{
    struct world w;
    const uint32_t keep = UMVFS_FALLOC_KEEP_SIZE;
    char text[11] = "";
    world_begin(&w, NULL);
    struct umvfs_file f = open_file(&w, "/f", UMVFS_O_RDWR | UMVFS_O_CREAT);
    assert_int_equal(umvfs_file_truncate(&f, 2 * UMVFS_PAGE_SIZE), 0);
    assert_int_equal(umvfs_fallocate(&f, keep, 2 * UMVFS_PAGE_SIZE, 1), 0);
    assert_int_equal(w.host.pages, 1);
    assert_int_equal(umvfs_seek(&f, 0, UMVFS_SEEK_DATA), -UMVFS_ENXIO);
    assert_int_equal(umvfs_seek(&f, 0, UMVFS_SEEK_HOLE), 0);
    assert_int_equal(umvfs_file_truncate(&f, 2 * UMVFS_PAGE_SIZE + 1), 0);
    assert_int_equal(umvfs_seek(&f, 0, UMVFS_SEEK_DATA), 2 * UMVFS_PAGE_SIZE);
    umvfs_close(&f);
    assert_int_equal(run(&w, "write /small 0123456789"), 0);
    uint64_t bytes = w.host.object_bytes;
    f = open_file(&w, "/small", UMVFS_O_RDWR);
    assert_int_equal(umvfs_fallocate(&f, UMVFS_FALLOC_PUNCH_HOLE | keep, 0, 5), 0);
    assert_int_equal(umvfs_pread(&f, text, sizeof(text), 0), 10);
    assert_memory_equal(text, "\0\0\0\0\00056789", 10);
    assert_int_equal(w.host.object_bytes, bytes);
    assert_int_equal(umvfs_fallocate(&f, UMVFS_FALLOC_PUNCH_HOLE | keep, 0, UMVFS_PAGE_SIZE), 0);
    assert_true(w.host.object_bytes < bytes);
    assert_int_equal(umvfs_pread(&f, text, sizeof(text), 0), 10);
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0\0", 10);
    umvfs_close(&f);
    world_end(&w);
}

static void sizes_have_a_limit(void **state)
{
    struct world w;
    world_begin(&w, NULL);
    struct umvfs_file f = open_file(&w, "/f", UMVFS_O_RDWR | UMVFS_O_CREAT);
    for (int64_t d = -1; d <= 1; d++)
        assert_int_equal(umvfs_file_truncate(&f, UMVFS_FILE_SIZE_MAX + (uint64_t)d),
                         d <= 0 ? 0 : -UMVFS_EFBIG);
    assert_int_equal(umvfs_pwrite(&f, "ab", 2, UMVFS_FILE_SIZE_MAX - 1), 1);
    assert_int_equal(umvfs_pwrite(&f, "ab", 2, UMVFS_FILE_SIZE_MAX), -UMVFS_EFBIG);
    for (unsigned size = UMVFS_SMALL_MAX - 1; size <= UMVFS_SMALL_MAX + 1; size++) {
        char line[32];
        snprintf(line, sizeof(line), "fill /small%u %u", size, size);
        uint64_t before = w.host.pages;
        assert_int_equal(run(&w, line), 0);
        assert_int_equal(w.host.pages - before, size > UMVFS_SMALL_MAX);
    }
    umvfs_close(&f);
    world_end(&w);
}

static void appends_at_the_end(void **state)
{
    struct world w;
    char text[16];
    world_begin(&w, NULL);
    struct umvfs_file a = open_file(&w, "/f", UMVFS_O_WRONLY | UMVFS_O_CREAT | UMVFS_O_APPEND);
    struct umvfs_file b = open_file(&w, "/f", UMVFS_O_WRONLY | UMVFS_O_APPEND);
    assert_int_equal(umvfs_write(&a, "one", 3), 3);
    assert_int_equal(umvfs_write(&b, "two", 3), 3);
    assert_int_equal(b.offset, 6);
    assert_int_equal(umvfs_write(&a, "three", 5), 5);
    assert_int_equal(umvfs_read(&a, text, 1), -UMVFS_EBADF);
    assert_int_equal(slurp(&w, "/f", text, sizeof(text)), 11);
    assert_string_equal(text, "onetwothree");
    umvfs_close(&a);
    umvfs_close(&b);
    world_end(&w);
}

/* Copies only so many bytes in all, as user memory that ends there. */
static size_t copy_limited(void *ctx, void *dst, const void *src, size_t len)
{
    size_t *left = ctx;
    size_t part = len < *left ? len : *left;
    memcpy(dst, src, part);
    *left -= part;
    return part;
}

/* Of a file with pages, whose reads take the short path. */
static void reads_without_access_times(void **state)
{
    static char page[UMVFS_PAGE_SIZE];
    struct world w;
    struct umvfs_file file;
    struct umvfs_stat st[3];
    const uint32_t flags[2] = {UMVFS_O_RDWR | UMVFS_O_CREAT | UMVFS_O_NOATIME, UMVFS_O_RDONLY};
    world_begin(&w, NULL);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(umvfs_open(&w.task, NULL, "/f", flags[i], 0644, 0, &file), 0);
        if (i == 0)
            assert_int_equal(umvfs_pwrite(&file, page, sizeof(page), 0), sizeof(page));
        umvfs_stat(&w.task, NULL, "/f", 0, &st[i]);
        assert_int_equal(umvfs_pread(&file, page, sizeof(page), 0), sizeof(page));
        umvfs_stat(&w.task, NULL, "/f", 0, &st[i + 1]);
        assert_int_equal(st[i].atime.sec == st[i + 1].atime.sec &&
                             st[i].atime.nsec == st[i + 1].atime.nsec,
                         i == 0);
        umvfs_close(&file);
    }
    world_end(&w);
}

static void faults_keep_what_was_moved(void **state)
{
    struct world w;
    static char buf[3 * UMVFS_PAGE_SIZE];
    size_t left;
    uint64_t offset = 0;
    struct umvfs_copy copy = {copy_limited, &left};
    world_begin(&w, NULL);
    struct umvfs_file f = open_file(&w, "/f", UMVFS_O_RDWR | UMVFS_O_CREAT);
    uint64_t objects = w.host.object_bytes;
    left = 0;
    assert_int_equal(umvfs_write_from(&f, NULL, buf, 10, &offset, &copy), -UMVFS_EFAULT);
    assert_int_equal(umvfs_write_from(&f, NULL, buf, sizeof(buf), &offset, &copy), -UMVFS_EFAULT);
    assert_int_equal(umvfs_inode_size(f.inode), 0);
    assert_int_equal(w.host.object_bytes, objects);
    assert_int_equal(w.host.pages, 0);
    memset(buf, 'z', sizeof(buf));
    left = UMVFS_PAGE_SIZE + 5;
    assert_int_equal(umvfs_write_from(&f, NULL, buf, sizeof(buf), &offset, &copy),
                     UMVFS_PAGE_SIZE + 5);
    assert_int_equal(offset, UMVFS_PAGE_SIZE + 5);
    assert_int_equal(umvfs_inode_size(f.inode), UMVFS_PAGE_SIZE + 5);
    left = 7;
    offset = UMVFS_PAGE_SIZE - 3;
    assert_int_equal(umvfs_read_to(&f, buf, 100, &offset, &copy), 7);
    offset = 0;
    assert_int_equal(umvfs_read_to(&f, buf, 100, &offset, &copy), -UMVFS_EFAULT);
    /* Over the end of a page that is there, and of one more. */
    offset = UMVFS_PAGE_SIZE - 3;
    assert_int_equal(umvfs_write_from(&f, NULL, "abcdef", 6, &offset, &copy), -UMVFS_EFAULT);
    assert_int_equal(offset, UMVFS_PAGE_SIZE - 3);
    left = 3;
    assert_int_equal(umvfs_write_from(&f, NULL, "abcdef", 6, &offset, &copy), 3);
    assert_int_equal(offset, UMVFS_PAGE_SIZE);
    assert_int_equal(umvfs_inode_size(f.inode), UMVFS_PAGE_SIZE + 5);
    assert_int_equal(umvfs_pread(&f, buf, 8, UMVFS_PAGE_SIZE - 4), 8);
    assert_memory_equal(buf, "zabczzzz", 8);
    umvfs_close(&f);
    world_end(&w);
}

static void pages_are_shared_with_mappings(void **state)
{
    struct world w;
    void *page;
    void *other;
    char text[8] = "";
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f hello"), 0);
    struct umvfs_file f = open_file(&w, "/f", UMVFS_O_RDWR);
    assert_int_equal(umvfs_page_get(f.inode, 0, UMVFS_PAGE_READ, &page), 0);
    assert_int_equal((uintptr_t)page % UMVFS_PAGE_SIZE, 0);
    assert_int_equal(host_page_refs(page), 2);
    assert_memory_equal(page, "hello\0\0", 7);
    ((char *)page)[0] = 'J';
    ((char *)page)[6] = '!'; /* past the end: nobody else sees it */
    assert_int_equal(umvfs_pread(&f, text, 5, 0), 5);
    assert_string_equal(text, "Jello");
    assert_int_equal(umvfs_pwrite(&f, "y", 1, 4), 1);
    assert_int_equal(((char *)page)[4], 'y');
    assert_int_equal(umvfs_file_truncate(&f, 8), 0);
    assert_int_equal(umvfs_pread(&f, text, 8, 0), 8);
    assert_memory_equal(text, "Jelly\0\0\0", 8);
    ((char *)page)[8] = ((char *)page)[9] = ((char *)page)[20] = '!';
    assert_int_equal(umvfs_pwrite(&f, "z", 1, 8), 1); /* no gap: what is behind it stays */
    assert_memory_equal((char *)page + 8, "z!", 2);
    assert_int_equal(umvfs_pwrite(&f, "z", 1, 12), 1); /* the gap is cleared, and no more */
    assert_memory_equal((char *)page + 8, "z\0\0\0z", 5);
    assert_int_equal(((char *)page)[20], '!');
    assert_int_equal(umvfs_pwrite(&f, "z", 1, 2 * UMVFS_PAGE_SIZE), 1);
    assert_int_equal(((char *)page)[20], 0);
    assert_int_equal(umvfs_file_truncate(&f, 8), 0);
    w.host.unmap_calls = 0;
    assert_int_equal(umvfs_page_get(f.inode, 1, UMVFS_PAGE_WRITE, &other), -UMVFS_ENXIO);
    assert_int_equal(umvfs_file_truncate(&f, 3 * UMVFS_PAGE_SIZE), 0);
    assert_int_equal(umvfs_page_get(f.inode, 2, UMVFS_PAGE_READ, &other), 0);
    assert_null(other);
    assert_int_equal(umvfs_page_get(f.inode, 2, UMVFS_PAGE_WRITE, &other), 0);
    assert_non_null(other);
    assert_int_equal(w.host.unmap_calls, 0);
    assert_int_equal(umvfs_file_truncate(&f, 0), 0);
    assert_int_equal(w.host.unmap_calls, 1);
    assert_int_equal(w.host.unmap_first, 0);
    assert_int_equal(host_page_refs(page), 1); /* still the mapping's */
    umvfs_page_put(w.vfs, page);
    umvfs_page_put(w.vfs, other);
    assert_int_equal(w.host.pages, 0);
    umvfs_close(&f);
    world_end(&w);
}

static void reads_exactly_for_parsers(void **state)
{
    struct world w;
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f 0123456789"), 0);
    assert_int_equal(run(&w, "keep /f r"), 0);
    assert_int_equal(umvfs_read_exact(w.kept.inode, 6, buf, 4), 0);
    assert_memory_equal(buf, "6789", 4);
    assert_int_equal(umvfs_read_exact(w.kept.inode, 7, buf, 4), -UMVFS_EIO);
    assert_int_equal(umvfs_read_exact(w.kept.inode, UINT64_MAX, buf, 4), -UMVFS_EIO);
    assert_int_equal(umvfs_read_exact(umvfs_path_inode(&w.task.root), 0, buf, 1), -UMVFS_EISDIR);
    world_end(&w);
}

/* As on Linux, events and names of places call it by its number. */
static void tmpfiles_are_called_by_number(void **state)
{
    struct world w;
    char wanted[40];
    world_begin(&w, NULL);
    for (unsigned i = 0; i < 12; i++) { /* numbers of one and of two digits */
        struct umvfs_file f;
        struct umvfs_stat st;
        assert_int_equal(
            umvfs_open(&w.task, NULL, "/", UMVFS_O_RDWR | UMVFS_O_TMPFILE, 0600, 0, &f), 0);
        assert_int_equal(umvfs_stat(&w.task, &f.path, "", UMVFS_AT_EMPTY_PATH, &st), 0);
        int len = snprintf(wanted, sizeof(wanted), "#%llu", (unsigned long long)st.ino);
        assert_int_equal(f.path.dentry->name_len, len);
        assert_memory_equal(f.path.dentry->name.near, wanted, (size_t)len);
        assert_int_equal(st.ino, i + 2);
        umvfs_close(&f);
    }
    world_end(&w);
}

static void tmpfiles_can_get_a_name(void **state)
{
    struct world w;
    struct umvfs_file f;
    world_begin(&w, NULL);
    assert_int_equal(umvfs_open(&w.task, NULL, "/", UMVFS_O_RDWR | UMVFS_O_TMPFILE, 0600, 0, &f),
                     0);
    assert_int_equal(umvfs_write(&f, "x", 1), 1);
    assert_int_equal(umvfs_link(&w.task, &f.path, "", NULL, "/named", UMVFS_AT_EMPTY_PATH), 0);
    umvfs_close(&f);
    assert_int_equal(run(&w, "stat /named"), 0);
    assert_int_equal(
        umvfs_open(&w.task, NULL, "/", UMVFS_O_RDWR | UMVFS_O_TMPFILE | UMVFS_O_EXCL, 0600, 0, &f),
        0);
    assert_int_equal(umvfs_link(&w.task, &f.path, "", NULL, "/again", UMVFS_AT_EMPTY_PATH),
                     -UMVFS_ENOENT);
    umvfs_close(&f);
    world_end(&w);
}

static void link_counts_have_a_limit(void **state)
{
    struct world w;
    struct umvfs_stat st;
    char line[32];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /0 x"), 0);
    for (unsigned i = 1; i <= 70000; i++) {
        snprintf(line, sizeof(line), "link /0 /%u", i);
        assert_int_equal(run(&w, line), 0);
    }
    assert_int_equal(umvfs_stat(&w.task, NULL, "/0", 0, &st), 0);
    assert_int_equal(st.nlink, 70001);
    assert_int_equal(run(&w, "keep /0 b"), 0);
    w.kept.inode->nlink = UMVFS_LINK_MAX - 1;
    assert_int_equal(run(&w, "link /0 /last"), 0);
    assert_int_equal(run(&w, "link /0 /more"), -UMVFS_EMLINK);
    assert_int_equal(run(&w, "stat /more"), -UMVFS_ENOENT);
    w.kept.inode->nlink = 70002;
    world_end(&w);
}

static void cookies_of_inodes_are_given_back(void **state)
{
    struct world w;
    int anything;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mknod /p 010600"), 0);
    assert_int_equal(run(&w, "keep /p b"), 0);
    umvfs_inode_set_cookie(w.kept.inode, &anything);
    assert_int_equal(run(&w, "unlink /p"), 0);
    assert_int_equal(w.host.freed_cookies, 0);
    assert_int_equal(run(&w, "close"), 0);
    assert_int_equal(w.host.freed_cookies, 1);
    world_end(&w);
}

int file_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_as_linux_does),
        cmocka_unit_test(execution_and_writing_exclude_each_other),
        cmocka_unit_test(holes_read_as_zeros_and_are_found),
        cmocka_unit_test(ends_are_within_pages),
        cmocka_unit_test(sizes_have_a_limit),
        cmocka_unit_test(appends_at_the_end),
        cmocka_unit_test(reads_without_access_times),
        cmocka_unit_test(faults_keep_what_was_moved),
        cmocka_unit_test(pages_are_shared_with_mappings),
        cmocka_unit_test(reads_exactly_for_parsers),
        cmocka_unit_test(tmpfiles_are_called_by_number),
        cmocka_unit_test(tmpfiles_can_get_a_name),
        cmocka_unit_test(link_counts_have_a_limit),
        cmocka_unit_test(cookies_of_inodes_are_given_back),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
