/* Arguments that are refused, and small answers that nothing else asks for. */
#include "tests.h"

#include "dcache.h"

static void unknown_flags_are_refused(void **state)
{
    struct world w;
    struct umvfs_path place;
    struct umvfs_stat st;
    struct umvfs_file file;
    char buf[8];
    const unsigned odd = 0x40000000u;
    world_begin(&w, NULL);
    const struct umvfs_task *t = &w.task;
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(umvfs_lookup(t, NULL, "/f", odd, 0, &place), -UMVFS_EINVAL);
    assert_int_equal(umvfs_lookup_dir(t, NULL, "/", odd, &place), -UMVFS_EINVAL);
    assert_int_equal(umvfs_stat(t, NULL, "/f", odd, &st), -UMVFS_EINVAL);
    assert_int_equal(umvfs_chmod(t, NULL, "/f", 0, odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_access(t, NULL, "/f", 8, 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_access(t, NULL, "/f", 4, odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_readlink(t, NULL, "/f", odd, buf, 8), -UMVFS_EINVAL);
    assert_int_equal(umvfs_readlink(t, NULL, "/f", 0, buf, 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_link(t, NULL, "/f", NULL, "/g", odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_rename(t, NULL, "/f", NULL, "/g", odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_setxattr(t, NULL, "/f", "user.a", "", 0, odd, 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_setxattr(t, NULL, "/f", "user.a", "", 0, 0, odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_getxattr(t, NULL, "/f", "", buf, 8, 0), -UMVFS_ERANGE);
    assert_int_equal(umvfs_listxattr(t, NULL, "/f", buf, 8, odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_removexattr(t, NULL, "/f", "", 0), -UMVFS_ERANGE);
    assert_int_equal(umvfs_umount(t, NULL, "/", odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_bind(t, NULL, "/", NULL, "/", odd), -UMVFS_EINVAL);
    assert_int_equal(umvfs_mount_memory(t, NULL, "/none", NULL, 0, 0), -UMVFS_ENOENT);
    assert_int_equal(umvfs_bind(t, NULL, "/none", NULL, "/", 0), -UMVFS_ENOENT);
    assert_int_equal(umvfs_bind(t, NULL, "/", NULL, "/none", 0), -UMVFS_ENOENT);
    assert_int_equal(umvfs_remount(t, NULL, "/none", 0), -UMVFS_ENOENT);
    assert_int_equal(umvfs_umount(t, NULL, "/none", 0), -UMVFS_ENOENT);
    assert_int_equal(umvfs_truncate(t, NULL, "/f", UINT64_MAX), -UMVFS_EINVAL);
    assert_int_equal(umvfs_open_exec(t, NULL, "/none", 0, &file), -UMVFS_ENOENT);
    world_end(&w);
}

static void offsets_are_checked(void **state)
{
    struct world w;
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    struct umvfs_file *f = &w.kept;
    assert_int_equal(umvfs_pread(f, buf, SIZE_MAX, 1), 3);
    assert_int_equal(umvfs_pread(f, buf, 1, UINT64_MAX), -UMVFS_EINVAL);
    assert_int_equal(umvfs_pwrite(f, buf, 1, UINT64_MAX), -UMVFS_EINVAL);
    assert_int_equal(umvfs_seek(f, 3, UMVFS_SEEK_SET), 3);
    assert_int_equal(umvfs_seek(f, INT64_MAX, UMVFS_SEEK_CUR), -UMVFS_EINVAL);
    assert_int_equal(umvfs_seek(f, INT64_MAX, UMVFS_SEEK_END), -UMVFS_EINVAL);
    assert_int_equal(umvfs_seek(f, -4, UMVFS_SEEK_CUR), -UMVFS_EINVAL);
    assert_int_equal(umvfs_seek(f, -1, UMVFS_SEEK_DATA), -UMVFS_ENXIO);
    assert_int_equal(umvfs_seek(f, 1, UMVFS_SEEK_DATA), 1);
    assert_int_equal(umvfs_seek(f, 1, UMVFS_SEEK_HOLE), 4);
    assert_int_equal(umvfs_file_truncate(f, 5000), 0); /* still small */
    assert_int_equal(umvfs_seek(f, 4500, UMVFS_SEEK_DATA), -UMVFS_ENXIO);
    assert_int_equal(umvfs_seek(f, 4500, UMVFS_SEEK_HOLE), 4500);
    assert_int_equal(umvfs_read_exact(f->inode, UINT64_MAX, buf, 8), -UMVFS_EIO);
    assert_int_equal(umvfs_fallocate(f, 0, 0, 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_fallocate(f, 0, INT64_MAX, INT64_MAX), -UMVFS_EFBIG);
    assert_int_equal(umvfs_file_truncate(f, UINT64_MAX), -UMVFS_EINVAL);
    world_end(&w);
}

static void sizes_have_a_limit(void **state)
{
    struct world w;
    const uint64_t max = UMVFS_FILE_SIZE_MAX;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    struct umvfs_file *f = &w.kept;
    assert_int_equal(umvfs_truncate(&w.task, NULL, "/f", max + 1), -UMVFS_EFBIG);
    assert_int_equal(umvfs_truncate(&w.task, NULL, "/f", max), 0);
    assert_int_equal(umvfs_file_truncate(f, max + 1), -UMVFS_EFBIG);
    assert_true(umvfs_seek(f, (int64_t)max, UMVFS_SEEK_SET) == (int64_t)max);
    assert_int_equal(umvfs_seek(f, (int64_t)max + 1, UMVFS_SEEK_SET), -UMVFS_EINVAL);
    assert_int_equal(umvfs_seek(f, INT64_MAX, UMVFS_SEEK_CUR), -UMVFS_EINVAL);
    assert_int_equal(umvfs_file_truncate(f, 4), 0);
    assert_int_equal(umvfs_fallocate(f, 0, UINT64_MAX, 1), -UMVFS_EINVAL);
    assert_int_equal(umvfs_fallocate(f, 0, 1, UINT64_MAX), -UMVFS_EINVAL);
    assert_int_equal(umvfs_fallocate(f, 0x80, 0, 1), -UMVFS_EOPNOTSUPP);
    assert_int_equal(umvfs_fallocate(f, UMVFS_FALLOC_ZERO_RANGE | UMVFS_FALLOC_KEEP_SIZE, 0, 1), 0);
    assert_int_equal(umvfs_fallocate(f, UMVFS_FALLOC_KEEP_SIZE, 8192, 1), 0);
    assert_int_equal(umvfs_seek(f, 5000, UMVFS_SEEK_DATA), -UMVFS_ENXIO); /* a page after the end */
    world_end(&w);
}

/* An embedder without a clock and without what mappings need, with limits and a root of its own. */
static void configurations_may_be_sparse(void **state)
{
    struct world w;
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    struct umvfs_stat st;
    void *page;
    config.now = NULL;
    config.page_get = NULL;
    config.unmap = NULL;
    config.inode_free = NULL;
    config.root_mode = 0700;
    world_begin(&w, &config);
    assert_int_equal(run(&w, "fill /f 5000"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    assert_int_equal(umvfs_page_get(w.kept.inode, 0, UMVFS_PAGE_READ, &page), -UMVFS_ENOSYS);
    umvfs_inode_set_cookie(w.kept.inode, &page);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/", 0, &st), 0);
    assert_int_equal(st.mode, UMVFS_S_IFDIR | 0700);
    assert_int_equal(st.mtime.sec, 0);
    assert_int_equal(st.mtime.nsec, 0);
    world_end(&w);
    config = host_config(&host);
    config.unmap = NULL;
    world_begin(&w, &config);
    assert_int_equal(run(&w, "fill /f 5000"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    assert_int_equal(umvfs_page_get(w.kept.inode, 1, UMVFS_PAGE_READ, &page), 0);
    umvfs_page_put(w.vfs, page);
    assert_int_equal(umvfs_file_truncate(&w.kept, 1), 0);
    struct umvfs_path nowhere = {0};
    assert_null(umvfs_path_get(&nowhere).mnt);
    umvfs_path_put(&nowhere);
    world_end(&w);
    config.free = NULL;
    assert_int_equal(umvfs_new(&config, &w.vfs), -UMVFS_EINVAL);
    config = host_config(&host);
    config.page_alloc = NULL;
    assert_int_equal(umvfs_new(&config, &w.vfs), -UMVFS_EINVAL);
}

/* Times of access where the mount, or nothing else, forbids them. */
static void access_times_stay(void **state)
{
    static const char *const mounts[] = {"tmpfs /m", "tmpfs /m a"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        struct umvfs_stat before;
        struct umvfs_stat after;
        char text[8];
        world_begin(&w, NULL);
        assert_int_equal(run(&w, "mkdir /m"), 0);
        assert_int_equal(run(&w, mounts[i]), 0);
        assert_int_equal(run(&w, "write /m/f text"), 0);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/m/f", 0, &before), 0);
        assert_int_equal(slurp(&w, "/m/f", text, sizeof(text)), 4);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/m/f", 0, &after), 0);
        assert_int_equal(after.atime.nsec > before.atime.nsec, i == 0);
        world_end(&w);
    }
}

static void open_flags_are_checked(void **state)
{
    static const struct step steps[] = {
        {"write /f x", 0},
        {"mkdir /d", 0},
        {"mknod /b 060600 5", 0},
        {"mknod /p 010600", 0},
        {"open /b r", 0},
        {"open /p bt", 0}, /* nothing to cut short */
        {"open /d rT", -UMVFS_EINVAL},
        {"open /f wT", -UMVFS_ENOTDIR},
        {"open /d wTn", 0},
        {"open /d/.. wc", -UMVFS_EISDIR},
        {"open /none/.. wc", -UMVFS_ENOENT},
        {"access /p w", 0},
        {"tmpfs /d r", 0},
        {"open /d wT", -UMVFS_EROFS},
        {"getx /f us", -UMVFS_EOPNOTSUPP},
        {"chmod /f 0", 0},
        {"as bob", 0},
        {"getx /f trusted.x", -UMVFS_ENODATA},
        {"getx /f foo.x", -UMVFS_EACCES},
        {"as root", 0},
        {0},
    };
    struct world w;
    struct umvfs_file file;
    world_begin(&w, NULL);
    run_steps(&w, steps);
    const uint32_t bit = UMVFS_O_TMPFILE & ~UMVFS_O_DIRECTORY;
    assert_int_equal(umvfs_open(&w.task, NULL, "/d", bit | UMVFS_O_RDWR, 0, 0, &file),
                     -UMVFS_EINVAL);
    assert_int_equal(umvfs_open(&w.task, NULL, "/f", UMVFS_O_EMPTY_PATH, 0, 0, &file), 0);
    umvfs_close(&file);
    world_end(&w);
}

static void other_types_have_no_contents(void **state)
{
    static const struct {
        const char *path;
        int64_t seek;
        int64_t falloc;
        int64_t read;
    } cases[] = {
        {"/fifo", -UMVFS_ESPIPE, -UMVFS_ESPIPE, -UMVFS_EINVAL},
        {"/dev", 0, -UMVFS_ENODEV, -UMVFS_EINVAL},
    };
    struct world w;
    struct umvfs_file dir;
    void *page;
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mknod /fifo 010600"), 0);
    assert_int_equal(run(&w, "mknod /dev 020600 5"), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(umvfs_open(&w.task, NULL, cases[i].path, UMVFS_O_RDWR, 0, 0, &w.kept), 0);
        assert_int_equal(umvfs_seek(&w.kept, 0, UMVFS_SEEK_SET), cases[i].seek);
        assert_int_equal(umvfs_fallocate(&w.kept, 0, 0, 1), cases[i].falloc);
        assert_int_equal(umvfs_file_truncate(&w.kept, 0), -UMVFS_EINVAL);
        assert_int_equal(umvfs_inode_read(w.kept.inode, 0, buf, 8), cases[i].read);
        assert_int_equal(umvfs_pread(&w.kept, buf, 8, 0), cases[i].read);
        assert_int_equal(umvfs_pwrite(&w.kept, buf, 8, 0), cases[i].read);
        assert_int_equal(umvfs_page_get(w.kept.inode, 0, 0, &page), -UMVFS_ENODEV);
        umvfs_close(&w.kept);
    }
    assert_int_equal(umvfs_open(&w.task, NULL, "/", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
    assert_int_equal(umvfs_seek(&dir, 0, UMVFS_SEEK_END), -UMVFS_EINVAL);
    assert_int_equal(umvfs_seek(&dir, -1, UMVFS_SEEK_CUR), -UMVFS_EINVAL);
    assert_true(umvfs_seek(&dir, INT64_MAX, UMVFS_SEEK_SET) == INT64_MAX);
    assert_int_equal(umvfs_seek(&dir, 1, UMVFS_SEEK_CUR), -UMVFS_EINVAL);
    assert_int_equal(umvfs_fallocate(&dir, 0, 0, 1), -UMVFS_EBADF);
    assert_int_equal(umvfs_inode_read(dir.inode, 0, buf, 8), -UMVFS_EISDIR);
    umvfs_close(&dir);
    umvfs_close(&dir); /* nothing is left to close */
    world_end(&w);
}

static void places_answer(void **state)
{
    struct world w;
    struct umvfs_path f, g;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mknod /f 020640 9"), 0);
    assert_int_equal(run(&w, "link /f /g"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/f", 0, 0, &f), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/g", 0, 0, &g), 0);
    struct umvfs_inode *inode = umvfs_path_inode(&f);
    assert_false(umvfs_path_equal(&f, &g));
    assert_true(umvfs_path_equal(&f, &f));
    assert_ptr_equal(inode, umvfs_path_inode(&g));
    assert_int_equal(umvfs_inode_mode(inode), UMVFS_S_IFCHR | 0640);
    assert_int_equal(umvfs_inode_number(inode), 2);
    assert_int_equal(umvfs_inode_device(inode), 1);
    assert_int_equal(umvfs_inode_rdev(inode), 9);
    assert_int_equal(umvfs_inode_size(inode), 0);
    assert_null(umvfs_inode_node(inode));
    assert_null(umvfs_inode_ops(inode));
    assert_int_equal(umvfs_mount_flags(&f), 0);
    assert_true(umvfs_path_linked(&f));
    assert_int_equal(run(&w, "unlink /f"), 0);
    assert_false(umvfs_path_linked(&f));
    umvfs_inode_get(inode);
    umvfs_path_put(&f);
    umvfs_path_put(&g);
    umvfs_page_written(inode);
    umvfs_inode_put(inode);
    assert_null(umvfs_name_of(w.task.root.dentry, "", 0).word[0] ? "" : NULL);
    world_end(&w);
}

static void files_are_opened_by_place(void **state)
{
    struct world w;
    struct umvfs_path place;
    struct umvfs_file file;
    struct umvfs_file again;
    const uint32_t empty = UMVFS_O_EMPTY_PATH;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/f", 0, 0, &place), 0);
    assert_int_equal(umvfs_open(&w.task, &place, "", empty | UMVFS_O_CREAT, 0, 0, &file),
                     -UMVFS_EINVAL);
    assert_int_equal(umvfs_open(&w.task, &place, "", empty | UMVFS_O_DIRECTORY, 0, 0, &file),
                     -UMVFS_ENOTDIR);
    assert_int_equal(umvfs_open(&w.task, &place, "", empty | UMVFS_O_WRONLY, 0, 0, &file), 0);
    assert_int_equal(umvfs_reopen(&file, &again), 0);
    assert_int_equal(umvfs_deny_write(file.inode), -UMVFS_ETXTBSY);
    umvfs_close(&file);
    assert_int_equal(umvfs_deny_write(again.inode), -UMVFS_ETXTBSY);
    assert_int_equal(umvfs_write(&again, "T", 1), 1);
    umvfs_writer_get(again.inode); /* a mapping that outlives its file */
    umvfs_close(&again);
    assert_int_equal(umvfs_deny_write(umvfs_path_inode(&place)), -UMVFS_ETXTBSY);
    umvfs_writer_put(umvfs_path_inode(&place));
    assert_int_equal(umvfs_deny_write(umvfs_path_inode(&place)), 0);
    assert_int_equal(run(&w, "open /f w"), -UMVFS_ETXTBSY);
    umvfs_allow_write(umvfs_path_inode(&place));
    assert_int_equal(run(&w, "chmod /f 0755"), 0);
    assert_int_equal(umvfs_open_exec(&w.task, NULL, "/f", 0, &file), 0);
    assert_int_equal(umvfs_reopen(&file, &again), 0);
    umvfs_close(&file);
    assert_int_equal(run(&w, "open /f w"), -UMVFS_ETXTBSY);
    umvfs_close(&again);
    assert_int_equal(run(&w, "symlink f /s"), 0);
    assert_int_equal(umvfs_open_exec(&w.task, NULL, "/s", UMVFS_AT_SYMLINK_NOFOLLOW, &file),
                     -UMVFS_ELOOP);
    umvfs_path_put(&place);
    world_end(&w);
}

static int stop_at(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                   uint64_t next)
{
    return --*(int *)ctx < 0;
}

static void listings_stop_anywhere(void **state)
{
    struct world w;
    struct umvfs_file dir;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /a x"), 0);
    assert_int_equal(run(&w, "write /b x"), 0);
    static const uint64_t offsets[] = {0, 1, DIR_COOKIE_FIRST, DIR_COOKIE_FIRST + 1};
    for (int taken = 0; taken < 4; taken++) {
        int left = taken;
        assert_int_equal(umvfs_open(&w.task, NULL, "/", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
        assert_int_equal(umvfs_readdir(&dir, stop_at, &left), 0);
        assert_int_equal(dir.offset, offsets[taken]);
        umvfs_close(&dir);
    }
    world_end(&w);
}

struct seen {
    unsigned mounts;
    unsigned stop;
    unsigned flags;
};

static int see(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops, void *fs,
               unsigned flags)
{
    struct seen *seen = ctx;
    assert_null(ops);
    seen->flags |= flags;
    return ++seen->mounts == seen->stop ? 7 : 0;
}

static void mounts_are_listed(void **state)
{
    struct world w;
    struct seen seen = {0};
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /m"), 0);
    assert_int_equal(run(&w, "tmpfs /m r"), 0);
    assert_int_equal(umvfs_mounts(w.vfs, see, &seen), 0);
    assert_int_equal(seen.mounts, 2);
    assert_int_equal(seen.flags, UMVFS_MS_RDONLY);
    seen = (struct seen){.stop = 1};
    assert_int_equal(umvfs_mounts(w.vfs, see, &seen), 7);
    assert_int_equal(seen.mounts, 1);
    world_end(&w);
}

/* A recursive bind that runs out of memory on the way takes its first mounts back. */
static void recursive_binds_are_all_or_nothing(void **state)
{
    static const struct step setting[] = {
        {"mkdir /a", 0},
        {"mkdir /b", 0},
        {"mkdir /a/x", 0},
        {"mkdir /a/y", 0},
        {"tmpfs /a/x", 0},
        {"tmpfs /a/y", 0},
        {0},
    };
    for (uint64_t n = 1;; n++) {
        struct world w;
        struct seen seen = {0};
        world_begin(&w, NULL);
        run_steps(&w, setting);
        w.host.fail_at = w.host.calls + n;
        int result = run(&w, "bind /a /b rec");
        w.host.fail_at = 0;
        assert_int_equal(umvfs_mounts(w.vfs, see, &seen), 0);
        assert_int_equal(seen.mounts, result ? 3 : 6);
        world_end(&w);
        if (!result)
            break;
        assert_int_equal(result, -UMVFS_ENOMEM);
    }
}

static void names_of_places(void **state)
{
    struct world w;
    struct umvfs_path place;
    char buf[8192];
    static char long_path[4096];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(run(&w, "mkdir /e"), 0);
    assert_int_equal(run(&w, "tmpfs /d"), 0);
    assert_int_equal(run(&w, "mkdir /d/in"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/d/in", 0, 0, &place), 0);
    assert_int_equal(umvfs_path_name(&place, &w.task.root, buf, sizeof(buf)), 5);
    assert_string_equal(buf, "/d/in");
    assert_int_equal(umvfs_path_name(&place, &w.task.root, buf, 5), -UMVFS_ERANGE);
    assert_int_equal(run(&w, "umount /d detach"), 0);
    assert_int_equal(umvfs_path_name(&place, &w.task.root, buf, sizeof(buf)), 16);
    assert_string_equal(buf, "(unreachable)/in");
    umvfs_path_put(&place);
    /* A directory deeper than a path can say. */
    assert_int_equal(run(&w, "chdir /e"), 0);
    memset(long_path, 'n', 250);
    for (int i = 0; i < 17; i++) {
        struct umvfs_path next;
        assert_int_equal(umvfs_mkdir(&w.task, NULL, long_path, 0755), 0);
        assert_int_equal(umvfs_lookup_dir(&w.task, NULL, long_path, 0, &next), 0);
        umvfs_path_put(&w.task.cwd);
        w.task.cwd = next;
    }
    assert_int_equal(umvfs_path_name(&w.task.cwd, &w.task.root, buf, sizeof(buf)),
                     -UMVFS_ENAMETOOLONG);
    world_end(&w);
}

/* ".." of a directory that was moved out of the bind mount through which it was reached. */
static void moved_out_of_a_bind(void **state)
{
    static const struct step steps[] = {
        {"mkdir /a", 0},
        {"mkdir /a/d", 0},
        {"mkdir /b", 0},
        {"bind /a /b", 0},
        {"chdir /b/d", 0},
        {"stat ..", 0},
        {"rename /a/d /d", 0},
        {"stat .", 0},
        {"stat ..", -UMVFS_ENOENT},
        {"stat ../x", -UMVFS_ENOENT},
        {"open .. wc", -UMVFS_ENOENT},
        {"chdir /", 0},
        {0},
    };
    run_world(steps);
}

static size_t fault(void *ctx, void *dst, const void *src, size_t len)
{
    return 0;
}

/* Says that all of it went. */
static size_t pretend(void *ctx, void *dst, const void *src, size_t len)
{
    return len;
}

/* Addresses with which C has no arithmetic are handed on as they are: small, in pages, and holes. */
static void any_address_is_handed_on(void **state)
{
    struct world w;
    const struct umvfs_copy refuse = {fault, NULL}, take = {pretend, NULL};
    char *const addresses[] = {NULL, (char *)(UINTPTR_MAX - 1)};
    static const char *const files[] = {"keep /f b", "keep /g b", "keep /h b"};
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(run(&w, "fill /g 9000"), 0);
    assert_int_equal(run(&w, "write /h x"), 0);
    assert_int_equal(run(&w, "truncate /h 9000"), 0);
    for (size_t i = 0; i < 6; i++) {
        char *buf = addresses[i % 2];
        uint64_t offset = 0;
        assert_int_equal(run(&w, files[i / 2]), 0);
        assert_int_equal(umvfs_read_to(&w.kept, buf, 8999, &offset, &refuse), -UMVFS_EFAULT);
        assert_int_equal(umvfs_write_from(&w.kept, &w.cred, buf, 8999, &offset, &refuse),
                         -UMVFS_EFAULT);
        assert_int_equal(offset, 0);
        assert_true(umvfs_read_to(&w.kept, buf, 8999, &offset, &take) > 0);
        assert_true(umvfs_write_from(&w.kept, &w.cred, buf, 8999, &offset, &take) > 0);
        umvfs_close(&w.kept);
    }
    world_end(&w);
}

static void faults_of_small_files(void **state)
{
    struct world w;
    const struct umvfs_copy copy = {fault, NULL};
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(run(&w, "fill /g 5000"), 0);
    static const char *const files[] = {"keep /f b", "keep /g b"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t offset = 0;
        assert_int_equal(run(&w, files[i]), 0);
        assert_int_equal(umvfs_read_to(&w.kept, buf, 4, &offset, &copy), -UMVFS_EFAULT);
        assert_int_equal(umvfs_write_from(&w.kept, &w.cred, buf, 4, &offset, &copy), -UMVFS_EFAULT);
        assert_int_equal(offset, 0);
        umvfs_close(&w.kept);
    }
    world_end(&w);
}

static void changes_of_owner_are_changes_of_mode(void **state)
{
    struct world w;
    struct umvfs_import *imp;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(run(&w, "chmod /f 04755"), 0);
    assert_int_equal(run(&w, "symlink f /l"), 0);
    assert_int_equal(umvfs_chmod(&w.task, NULL, "/l", 0, UMVFS_AT_SYMLINK_NOFOLLOW),
                     -UMVFS_EOPNOTSUPP);
    w.cred = (struct umvfs_cred){.uid = 5, .caps = UMVFS_CAP_CHOWN};
    assert_int_equal(run(&w, "chown /f 6 6"), -UMVFS_EPERM);
    w.cred = (struct umvfs_cred){.caps = UMVFS_CAP_ALL};
    for (uint64_t n = 1; n < 4; n++) {
        w.host.fail_at = w.host.calls + n;
        assert_int_equal(umvfs_import_begin(&w.task, NULL, "/", NULL, &imp), -UMVFS_ENOMEM);
    }
    world_end(&w);
}

int refusal_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_flags_are_refused),
        cmocka_unit_test(offsets_are_checked),
        cmocka_unit_test(other_types_have_no_contents),
        cmocka_unit_test(places_answer),
        cmocka_unit_test(files_are_opened_by_place),
        cmocka_unit_test(listings_stop_anywhere),
        cmocka_unit_test(mounts_are_listed),
        cmocka_unit_test(recursive_binds_are_all_or_nothing),
        cmocka_unit_test(names_of_places),
        cmocka_unit_test(moved_out_of_a_bind),
        cmocka_unit_test(any_address_is_handed_on),
        cmocka_unit_test(faults_of_small_files),
        cmocka_unit_test(changes_of_owner_are_changes_of_mode),
        cmocka_unit_test(sizes_have_a_limit),
        cmocka_unit_test(configurations_may_be_sparse),
        cmocka_unit_test(access_times_stay),
        cmocka_unit_test(open_flags_are_checked),
    };
    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
