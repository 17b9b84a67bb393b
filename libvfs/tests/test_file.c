#include "tests.h"

static struct vfs_file open_file(struct world *w, const char *path, uint32_t flags)
{
    struct vfs_file file;
    assert_int_equal(vfs_open(&w->task, NULL, path, flags, 0644, 0, &file), 0);
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
        {"open /none r", -VFS_ENOENT},
        {"open /none wc", 0},
        {"open /none wcx", -VFS_EEXIST},
        {"open /d w", -VFS_EISDIR},
        {"open /d rc", -VFS_EISDIR},
        {"open /d rd", 0},
        {"open /f rd", -VFS_ENOTDIR},
        {"open /f rdc", -VFS_EINVAL},
        {"open /l rn", -VFS_ELOOP},
        {"open /l rnd", -VFS_ENOTDIR},
        {"open /l np", 0},
        {"open /l p", 0},
        {"open /s r", -VFS_ENXIO},
        {"open /p b", 0},
        {"open /d wT", 0},
        {"open /d rT", -VFS_EINVAL},
        {"open /f wT", -VFS_ENOTDIR},
        {"open /new/ wc", -VFS_EISDIR},
        {"open . wc", -VFS_EISDIR},
        {"open . rcx", -VFS_EEXIST},
        {0},
    };
    run_world(steps);
}

static void execution_and_writing_exclude_each_other(void **state)
{
    struct world w;
    struct vfs_file file;
    static const struct step steps[] = {
        {"write /x text", 0},
        {"exec /x", -VFS_EACCES},
        {"chmod /x 0711", 0},
        {"as alice", 0},
        {"exec /x", 0},
        {"as root", 0},
        {"open /x w", -VFS_ETXTBSY},
        {"open /x b", -VFS_ETXTBSY},
        {"truncate /x 0", -VFS_ETXTBSY},
        {"open /x rt", -VFS_ETXTBSY},
        {"open /x r", 0},
        {"close", 0},
        {"keep /x w", 0},
        {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(vfs_open_exec(&w.task, NULL, "/x", 0, &file), -VFS_ETXTBSY);
    assert_int_equal(vfs_deny_write(w.kept.inode), -VFS_ETXTBSY);
    assert_int_equal(run(&w, "close"), 0);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(run(&w, "exec /d"), -VFS_EACCES);
    assert_int_equal(run(&w, "exec /x"), 0);
    world_end(&w);
}

static void holes_read_as_zeros_and_are_found(void **state)
{
    struct world w;
    char buf[3];
    world_begin(&w, NULL);
    struct vfs_file f = open_file(&w, "/f", VFS_O_RDWR | VFS_O_CREAT);
    assert_int_equal(vfs_pwrite(&f, "x", 1, 3 * VFS_PAGE_SIZE), 1);
    assert_int_equal(vfs_pwrite(&f, "y", 1, 100), 1);
    assert_int_equal(w.host.pages, 2);
    assert_int_equal(vfs_pread(&f, buf, 3, 2 * VFS_PAGE_SIZE), 3);
    assert_memory_equal(buf, "\0\0\0", 3);
    assert_int_equal(vfs_seek(&f, 0, VFS_SEEK_DATA), 0);
    assert_int_equal(vfs_seek(&f, 0, VFS_SEEK_HOLE), VFS_PAGE_SIZE);
    assert_int_equal(vfs_seek(&f, VFS_PAGE_SIZE, VFS_SEEK_DATA), 3 * VFS_PAGE_SIZE);
    assert_int_equal(vfs_seek(&f, 3 * VFS_PAGE_SIZE, VFS_SEEK_HOLE), 3 * VFS_PAGE_SIZE + 1);
    assert_int_equal(vfs_seek(&f, 3 * VFS_PAGE_SIZE + 1, VFS_SEEK_DATA), -VFS_ENXIO);
    assert_int_equal(vfs_seek(&f, -1, VFS_SEEK_SET), -VFS_EINVAL);
    assert_int_equal(vfs_seek(&f, 0, 9), -VFS_EINVAL);
    assert_int_equal(
        vfs_fallocate(&f, VFS_FALLOC_PUNCH_HOLE | VFS_FALLOC_KEEP_SIZE, 0, 3 * VFS_PAGE_SIZE), 0);
    assert_int_equal(w.host.pages, 1);
    assert_int_equal(vfs_fallocate(&f, VFS_FALLOC_PUNCH_HOLE, 0, 1), -VFS_EOPNOTSUPP);
    assert_int_equal(vfs_fallocate(&f, 0, 0, 5 * VFS_PAGE_SIZE), 0);
    assert_int_equal(w.host.pages, 5);
    assert_int_equal(vfs_inode_size(f.inode), 5 * VFS_PAGE_SIZE);
    assert_int_equal(vfs_file_truncate(&f, 1), 0);
    assert_int_equal(w.host.pages, 1);
    vfs_close(&f);
    world_end(&w);
}

/* Pages beyond the end are no data of the file, and part of a buffer is no page. */
static void ends_are_within_pages(void **state)
{
    struct world w;
    const uint32_t keep = VFS_FALLOC_KEEP_SIZE;
    char text[11] = "";
    world_begin(&w, NULL);
    struct vfs_file f = open_file(&w, "/f", VFS_O_RDWR | VFS_O_CREAT);
    assert_int_equal(vfs_file_truncate(&f, 2 * VFS_PAGE_SIZE), 0);
    assert_int_equal(vfs_fallocate(&f, keep, 2 * VFS_PAGE_SIZE, 1), 0);
    assert_int_equal(w.host.pages, 1);
    assert_int_equal(vfs_seek(&f, 0, VFS_SEEK_DATA), -VFS_ENXIO);
    assert_int_equal(vfs_seek(&f, 0, VFS_SEEK_HOLE), 0);
    assert_int_equal(vfs_file_truncate(&f, 2 * VFS_PAGE_SIZE + 1), 0);
    assert_int_equal(vfs_seek(&f, 0, VFS_SEEK_DATA), 2 * VFS_PAGE_SIZE);
    vfs_close(&f);
    assert_int_equal(run(&w, "write /small 0123456789"), 0);
    uint64_t bytes = w.host.object_bytes;
    f = open_file(&w, "/small", VFS_O_RDWR);
    assert_int_equal(vfs_fallocate(&f, VFS_FALLOC_PUNCH_HOLE | keep, 0, 5), 0);
    assert_int_equal(vfs_pread(&f, text, sizeof(text), 0), 10);
    assert_memory_equal(text, "\0\0\0\0\00056789", 10);
    assert_int_equal(w.host.object_bytes, bytes);
    assert_int_equal(vfs_fallocate(&f, VFS_FALLOC_PUNCH_HOLE | keep, 0, VFS_PAGE_SIZE), 0);
    assert_true(w.host.object_bytes < bytes);
    assert_int_equal(vfs_pread(&f, text, sizeof(text), 0), 10);
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0\0", 10);
    vfs_close(&f);
    world_end(&w);
}

static void sizes_have_a_limit(void **state)
{
    struct world w;
    world_begin(&w, NULL);
    struct vfs_file f = open_file(&w, "/f", VFS_O_RDWR | VFS_O_CREAT);
    for (int64_t d = -1; d <= 1; d++)
        assert_int_equal(vfs_file_truncate(&f, VFS_FILE_SIZE_MAX + (uint64_t)d),
                         d <= 0 ? 0 : -VFS_EFBIG);
    assert_int_equal(vfs_pwrite(&f, "ab", 2, VFS_FILE_SIZE_MAX - 1), 1);
    assert_int_equal(vfs_pwrite(&f, "ab", 2, VFS_FILE_SIZE_MAX), -VFS_EFBIG);
    for (unsigned size = VFS_SMALL_MAX - 1; size <= VFS_SMALL_MAX + 1; size++) {
        char line[32];
        snprintf(line, sizeof(line), "fill /small%u %u", size, size);
        uint64_t before = w.host.pages;
        assert_int_equal(run(&w, line), 0);
        assert_int_equal(w.host.pages - before, size > VFS_SMALL_MAX);
    }
    vfs_close(&f);
    world_end(&w);
}

static void appends_at_the_end(void **state)
{
    struct world w;
    char text[16];
    world_begin(&w, NULL);
    struct vfs_file a = open_file(&w, "/f", VFS_O_WRONLY | VFS_O_CREAT | VFS_O_APPEND);
    struct vfs_file b = open_file(&w, "/f", VFS_O_WRONLY | VFS_O_APPEND);
    assert_int_equal(vfs_write(&a, "one", 3), 3);
    assert_int_equal(vfs_write(&b, "two", 3), 3);
    assert_int_equal(b.offset, 6);
    assert_int_equal(vfs_write(&a, "three", 5), 5);
    assert_int_equal(vfs_read(&a, text, 1), -VFS_EBADF);
    assert_int_equal(slurp(&w, "/f", text, sizeof(text)), 11);
    assert_string_equal(text, "onetwothree");
    vfs_close(&a);
    vfs_close(&b);
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

static void faults_keep_what_was_moved(void **state)
{
    struct world w;
    static char buf[3 * VFS_PAGE_SIZE];
    size_t left;
    uint64_t offset = 0;
    struct vfs_copy copy = {copy_limited, &left};
    world_begin(&w, NULL);
    struct vfs_file f = open_file(&w, "/f", VFS_O_RDWR | VFS_O_CREAT);
    uint64_t objects = w.host.object_bytes;
    left = 0;
    assert_int_equal(vfs_write_from(&f, NULL, buf, 10, &offset, &copy), -VFS_EFAULT);
    assert_int_equal(vfs_write_from(&f, NULL, buf, sizeof(buf), &offset, &copy), -VFS_EFAULT);
    assert_int_equal(vfs_inode_size(f.inode), 0);
    assert_int_equal(w.host.object_bytes, objects);
    assert_int_equal(w.host.pages, 0);
    memset(buf, 'z', sizeof(buf));
    left = VFS_PAGE_SIZE + 5;
    assert_int_equal(vfs_write_from(&f, NULL, buf, sizeof(buf), &offset, &copy), VFS_PAGE_SIZE + 5);
    assert_int_equal(offset, VFS_PAGE_SIZE + 5);
    assert_int_equal(vfs_inode_size(f.inode), VFS_PAGE_SIZE + 5);
    left = 7;
    offset = VFS_PAGE_SIZE - 3;
    assert_int_equal(vfs_read_to(&f, buf, 100, &offset, &copy), 7);
    offset = 0;
    assert_int_equal(vfs_read_to(&f, buf, 100, &offset, &copy), -VFS_EFAULT);
    /* Over the end of a page that is there, and of one more. */
    offset = VFS_PAGE_SIZE - 3;
    assert_int_equal(vfs_write_from(&f, NULL, "abcdef", 6, &offset, &copy), -VFS_EFAULT);
    assert_int_equal(offset, VFS_PAGE_SIZE - 3);
    left = 3;
    assert_int_equal(vfs_write_from(&f, NULL, "abcdef", 6, &offset, &copy), 3);
    assert_int_equal(offset, VFS_PAGE_SIZE);
    assert_int_equal(vfs_inode_size(f.inode), VFS_PAGE_SIZE + 5);
    assert_int_equal(vfs_pread(&f, buf, 8, VFS_PAGE_SIZE - 4), 8);
    assert_memory_equal(buf, "zabczzzz", 8);
    vfs_close(&f);
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
    struct vfs_file f = open_file(&w, "/f", VFS_O_RDWR);
    assert_int_equal(vfs_page_get(f.inode, 0, VFS_PAGE_READ, &page), 0);
    assert_int_equal((uintptr_t)page % VFS_PAGE_SIZE, 0);
    assert_int_equal(host_page_refs(page), 2);
    assert_memory_equal(page, "hello\0\0", 7);
    ((char *)page)[0] = 'J';
    ((char *)page)[6] = '!'; /* past the end: nobody else sees it */
    assert_int_equal(vfs_pread(&f, text, 5, 0), 5);
    assert_string_equal(text, "Jello");
    assert_int_equal(vfs_pwrite(&f, "y", 1, 4), 1);
    assert_int_equal(((char *)page)[4], 'y');
    assert_int_equal(vfs_file_truncate(&f, 8), 0);
    assert_int_equal(vfs_pread(&f, text, 8, 0), 8);
    assert_memory_equal(text, "Jelly\0\0\0", 8);
    assert_int_equal(vfs_page_get(f.inode, 1, VFS_PAGE_WRITE, &other), -VFS_ENXIO);
    assert_int_equal(vfs_file_truncate(&f, 3 * VFS_PAGE_SIZE), 0);
    assert_int_equal(vfs_page_get(f.inode, 2, VFS_PAGE_READ, &other), 0);
    assert_null(other);
    assert_int_equal(vfs_page_get(f.inode, 2, VFS_PAGE_WRITE, &other), 0);
    assert_non_null(other);
    assert_int_equal(w.host.unmap_calls, 0);
    assert_int_equal(vfs_file_truncate(&f, 0), 0);
    assert_int_equal(w.host.unmap_calls, 1);
    assert_int_equal(w.host.unmap_first, 0);
    assert_int_equal(host_page_refs(page), 1); /* still the mapping's */
    vfs_page_put(w.vfs, page);
    vfs_page_put(w.vfs, other);
    assert_int_equal(w.host.pages, 0);
    vfs_close(&f);
    world_end(&w);
}

static void reads_exactly_for_parsers(void **state)
{
    struct world w;
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f 0123456789"), 0);
    assert_int_equal(run(&w, "keep /f r"), 0);
    assert_int_equal(vfs_read_exact(w.kept.inode, 6, buf, 4), 0);
    assert_memory_equal(buf, "6789", 4);
    assert_int_equal(vfs_read_exact(w.kept.inode, 7, buf, 4), -VFS_EIO);
    assert_int_equal(vfs_read_exact(w.kept.inode, UINT64_MAX, buf, 4), -VFS_EIO);
    assert_int_equal(vfs_read_exact(vfs_path_inode(&w.task.root), 0, buf, 1), -VFS_EISDIR);
    world_end(&w);
}

static void tmpfiles_can_get_a_name(void **state)
{
    struct world w;
    struct vfs_file f;
    world_begin(&w, NULL);
    assert_int_equal(vfs_open(&w.task, NULL, "/", VFS_O_RDWR | VFS_O_TMPFILE, 0600, 0, &f), 0);
    assert_int_equal(vfs_write(&f, "x", 1), 1);
    assert_int_equal(vfs_link(&w.task, &f.path, "", NULL, "/named", VFS_AT_EMPTY_PATH), 0);
    vfs_close(&f);
    assert_int_equal(run(&w, "stat /named"), 0);
    assert_int_equal(
        vfs_open(&w.task, NULL, "/", VFS_O_RDWR | VFS_O_TMPFILE | VFS_O_EXCL, 0600, 0, &f), 0);
    assert_int_equal(vfs_link(&w.task, &f.path, "", NULL, "/again", VFS_AT_EMPTY_PATH),
                     -VFS_ENOENT);
    vfs_close(&f);
    world_end(&w);
}

static void link_counts_have_a_limit(void **state)
{
    struct world w;
    char line[32];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /0 x"), 0);
    for (unsigned i = 1; i <= VFS_LINK_MAX; i++) {
        snprintf(line, sizeof(line), "link /0 /%u", i);
        assert_int_equal(run(&w, line), i < VFS_LINK_MAX ? 0 : -VFS_EMLINK);
    }
    world_end(&w);
}

static void cookies_of_inodes_are_given_back(void **state)
{
    struct world w;
    int anything;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mknod /p 010600"), 0);
    assert_int_equal(run(&w, "keep /p b"), 0);
    vfs_inode_set_cookie(w.kept.inode, &anything);
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
        cmocka_unit_test(faults_keep_what_was_moved),
        cmocka_unit_test(pages_are_shared_with_mappings),
        cmocka_unit_test(reads_exactly_for_parsers),
        cmocka_unit_test(tmpfiles_can_get_a_name),
        cmocka_unit_test(link_counts_have_a_limit),
        cmocka_unit_test(cookies_of_inodes_are_given_back),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
