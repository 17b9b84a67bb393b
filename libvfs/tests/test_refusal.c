/* Arguments that are refused, and small answers that nothing else asks for. */
#include "tests.h"

#include "dcache.h"

static void unknown_flags_are_refused(void **state)
{
    struct world w;
    struct vfs_path place;
    struct vfs_stat st;
    struct vfs_file file;
    char buf[8];
    const unsigned odd = 0x40000000u;
    world_begin(&w, NULL);
    const struct vfs_task *t = &w.task;
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(vfs_lookup(t, NULL, "/f", odd, 0, &place), -VFS_EINVAL);
    assert_int_equal(vfs_lookup_dir(t, NULL, "/", odd, &place), -VFS_EINVAL);
    assert_int_equal(vfs_stat(t, NULL, "/f", odd, &st), -VFS_EINVAL);
    assert_int_equal(vfs_chmod(t, NULL, "/f", 0, odd), -VFS_EINVAL);
    assert_int_equal(vfs_access(t, NULL, "/f", 8, 0), -VFS_EINVAL);
    assert_int_equal(vfs_access(t, NULL, "/f", 4, odd), -VFS_EINVAL);
    assert_int_equal(vfs_readlink(t, NULL, "/f", odd, buf, 8), -VFS_EINVAL);
    assert_int_equal(vfs_readlink(t, NULL, "/f", 0, buf, 0), -VFS_EINVAL);
    assert_int_equal(vfs_link(t, NULL, "/f", NULL, "/g", odd), -VFS_EINVAL);
    assert_int_equal(vfs_rename(t, NULL, "/f", NULL, "/g", odd), -VFS_EINVAL);
    assert_int_equal(vfs_setxattr(t, NULL, "/f", "user.a", "", 0, odd, 0), -VFS_EINVAL);
    assert_int_equal(vfs_setxattr(t, NULL, "/f", "user.a", "", 0, 0, odd), -VFS_EINVAL);
    assert_int_equal(vfs_getxattr(t, NULL, "/f", "", buf, 8, 0), -VFS_ERANGE);
    assert_int_equal(vfs_listxattr(t, NULL, "/f", buf, 8, odd), -VFS_EINVAL);
    assert_int_equal(vfs_removexattr(t, NULL, "/f", "", 0), -VFS_ERANGE);
    assert_int_equal(vfs_umount(t, NULL, "/", odd), -VFS_EINVAL);
    assert_int_equal(vfs_bind(t, NULL, "/", NULL, "/", odd), -VFS_EINVAL);
    assert_int_equal(vfs_mount_memory(t, NULL, "/none", NULL, 0, 0), -VFS_ENOENT);
    assert_int_equal(vfs_bind(t, NULL, "/none", NULL, "/", 0), -VFS_ENOENT);
    assert_int_equal(vfs_bind(t, NULL, "/", NULL, "/none", 0), -VFS_ENOENT);
    assert_int_equal(vfs_remount(t, NULL, "/none", 0), -VFS_ENOENT);
    assert_int_equal(vfs_umount(t, NULL, "/none", 0), -VFS_ENOENT);
    assert_int_equal(vfs_truncate(t, NULL, "/f", UINT64_MAX), -VFS_EINVAL);
    assert_int_equal(vfs_open_exec(t, NULL, "/none", 0, &file), -VFS_ENOENT);
    world_end(&w);
}

static void offsets_are_checked(void **state)
{
    struct world w;
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    struct vfs_file *f = &w.kept;
    assert_int_equal(vfs_pread(f, buf, SIZE_MAX, 1), 3);
    assert_int_equal(vfs_pread(f, buf, 1, UINT64_MAX), -VFS_EINVAL);
    assert_int_equal(vfs_pwrite(f, buf, 1, UINT64_MAX), -VFS_EINVAL);
    assert_int_equal(vfs_seek(f, 3, VFS_SEEK_SET), 3);
    assert_int_equal(vfs_seek(f, INT64_MAX, VFS_SEEK_CUR), -VFS_EINVAL);
    assert_int_equal(vfs_seek(f, INT64_MAX, VFS_SEEK_END), -VFS_EINVAL);
    assert_int_equal(vfs_seek(f, -4, VFS_SEEK_CUR), -VFS_EINVAL);
    assert_int_equal(vfs_seek(f, -1, VFS_SEEK_DATA), -VFS_ENXIO);
    assert_int_equal(vfs_seek(f, 1, VFS_SEEK_DATA), 1);
    assert_int_equal(vfs_seek(f, 1, VFS_SEEK_HOLE), 4);
    assert_int_equal(vfs_file_truncate(f, 5000), 0); /* still small */
    assert_int_equal(vfs_seek(f, 4500, VFS_SEEK_DATA), -VFS_ENXIO);
    assert_int_equal(vfs_seek(f, 4500, VFS_SEEK_HOLE), 4500);
    assert_int_equal(vfs_read_exact(f->inode, UINT64_MAX, buf, 8), -VFS_EIO);
    assert_int_equal(vfs_fallocate(f, 0, 0, 0), -VFS_EINVAL);
    assert_int_equal(vfs_fallocate(f, 0, INT64_MAX, INT64_MAX), -VFS_EFBIG);
    assert_int_equal(vfs_file_truncate(f, UINT64_MAX), -VFS_EINVAL);
    world_end(&w);
}

static void sizes_have_a_limit(void **state)
{
    struct world w;
    const uint64_t max = VFS_FILE_SIZE_MAX;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    struct vfs_file *f = &w.kept;
    assert_int_equal(vfs_truncate(&w.task, NULL, "/f", max + 1), -VFS_EFBIG);
    assert_int_equal(vfs_truncate(&w.task, NULL, "/f", max), 0);
    assert_int_equal(vfs_file_truncate(f, max + 1), -VFS_EFBIG);
    assert_true(vfs_seek(f, (int64_t)max, VFS_SEEK_SET) == (int64_t)max);
    assert_int_equal(vfs_seek(f, (int64_t)max + 1, VFS_SEEK_SET), -VFS_EINVAL);
    assert_int_equal(vfs_seek(f, INT64_MAX, VFS_SEEK_CUR), -VFS_EINVAL);
    assert_int_equal(vfs_file_truncate(f, 4), 0);
    assert_int_equal(vfs_fallocate(f, 0, UINT64_MAX, 1), -VFS_EINVAL);
    assert_int_equal(vfs_fallocate(f, 0, 1, UINT64_MAX), -VFS_EINVAL);
    assert_int_equal(vfs_fallocate(f, 0x80, 0, 1), -VFS_EOPNOTSUPP);
    assert_int_equal(vfs_fallocate(f, VFS_FALLOC_ZERO_RANGE | VFS_FALLOC_KEEP_SIZE, 0, 1), 0);
    assert_int_equal(vfs_fallocate(f, VFS_FALLOC_KEEP_SIZE, 8192, 1), 0);
    assert_int_equal(vfs_seek(f, 5000, VFS_SEEK_DATA), -VFS_ENXIO); /* a page after the end */
    world_end(&w);
}

/* An embedder without a clock and without what mappings need, with limits and a root of its own. */
static void configurations_may_be_sparse(void **state)
{
    struct world w;
    struct host host = {0};
    struct vfs_config config = host_config(&host);
    struct vfs_stat st;
    void *page;
    config.now = NULL;
    config.page_get = NULL;
    config.unmap = NULL;
    config.inode_free = NULL;
    config.root_mode = 0700;
    world_begin(&w, &config);
    assert_int_equal(run(&w, "fill /f 5000"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    assert_int_equal(vfs_page_get(w.kept.inode, 0, VFS_PAGE_READ, &page), -VFS_ENOSYS);
    vfs_inode_set_cookie(w.kept.inode, &page);
    assert_int_equal(vfs_stat(&w.task, NULL, "/", 0, &st), 0);
    assert_int_equal(st.mode, VFS_S_IFDIR | 0700);
    assert_int_equal(st.mtime.sec, 0);
    assert_int_equal(st.mtime.nsec, 0);
    world_end(&w);
    config = host_config(&host);
    config.unmap = NULL;
    world_begin(&w, &config);
    assert_int_equal(run(&w, "fill /f 5000"), 0);
    assert_int_equal(run(&w, "keep /f b"), 0);
    assert_int_equal(vfs_page_get(w.kept.inode, 1, VFS_PAGE_READ, &page), 0);
    vfs_page_put(w.vfs, page);
    assert_int_equal(vfs_file_truncate(&w.kept, 1), 0);
    struct vfs_path nowhere = {0};
    assert_null(vfs_path_get(&nowhere).mnt);
    vfs_path_put(&nowhere);
    world_end(&w);
    config.free = NULL;
    assert_int_equal(vfs_new(&config, &w.vfs), -VFS_EINVAL);
    config = host_config(&host);
    config.page_alloc = NULL;
    assert_int_equal(vfs_new(&config, &w.vfs), -VFS_EINVAL);
}

/* Times of access where the mount, or nothing else, forbids them. */
static void access_times_stay(void **state)
{
    static const char *const mounts[] = {"tmpfs /m", "tmpfs /m a"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        struct vfs_stat before;
        struct vfs_stat after;
        char text[8];
        world_begin(&w, NULL);
        assert_int_equal(run(&w, "mkdir /m"), 0);
        assert_int_equal(run(&w, mounts[i]), 0);
        assert_int_equal(run(&w, "write /m/f text"), 0);
        assert_int_equal(vfs_stat(&w.task, NULL, "/m/f", 0, &before), 0);
        assert_int_equal(slurp(&w, "/m/f", text, sizeof(text)), 4);
        assert_int_equal(vfs_stat(&w.task, NULL, "/m/f", 0, &after), 0);
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
        {"open /d rT", -VFS_EINVAL},
        {"open /f wT", -VFS_ENOTDIR},
        {"open /d wTn", 0},
        {"open /d/.. wc", -VFS_EISDIR},
        {"open /none/.. wc", -VFS_ENOENT},
        {"access /p w", 0},
        {"tmpfs /d r", 0},
        {"open /d wT", -VFS_EROFS},
        {"getx /f us", -VFS_EOPNOTSUPP},
        {"chmod /f 0", 0},
        {"as bob", 0},
        {"getx /f trusted.x", -VFS_EACCES},
        {"as root", 0},
        {0},
    };
    struct world w;
    struct vfs_file file;
    world_begin(&w, NULL);
    run_steps(&w, steps);
    const uint32_t bit = VFS_O_TMPFILE & ~VFS_O_DIRECTORY;
    assert_int_equal(vfs_open(&w.task, NULL, "/d", bit | VFS_O_RDWR, 0, 0, &file), -VFS_EINVAL);
    assert_int_equal(vfs_open(&w.task, NULL, "/f", VFS_O_EMPTY_PATH, 0, 0, &file), 0);
    vfs_close(&file);
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
        {"/fifo", -VFS_ESPIPE, -VFS_ESPIPE, -VFS_EINVAL},
        {"/dev", 0, -VFS_ENODEV, -VFS_EINVAL},
    };
    struct world w;
    struct vfs_file dir;
    void *page;
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mknod /fifo 010600"), 0);
    assert_int_equal(run(&w, "mknod /dev 020600 5"), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(vfs_open(&w.task, NULL, cases[i].path, VFS_O_RDWR, 0, 0, &w.kept), 0);
        assert_int_equal(vfs_seek(&w.kept, 0, VFS_SEEK_SET), cases[i].seek);
        assert_int_equal(vfs_fallocate(&w.kept, 0, 0, 1), cases[i].falloc);
        assert_int_equal(vfs_file_truncate(&w.kept, 0), -VFS_EINVAL);
        assert_int_equal(vfs_inode_read(w.kept.inode, 0, buf, 8), cases[i].read);
        assert_int_equal(vfs_pread(&w.kept, buf, 8, 0), cases[i].read);
        assert_int_equal(vfs_pwrite(&w.kept, buf, 8, 0), cases[i].read);
        assert_int_equal(vfs_page_get(w.kept.inode, 0, 0, &page), -VFS_ENODEV);
        vfs_close(&w.kept);
    }
    assert_int_equal(vfs_open(&w.task, NULL, "/", VFS_O_DIRECTORY, 0, 0, &dir), 0);
    assert_int_equal(vfs_seek(&dir, 0, VFS_SEEK_END), -VFS_EINVAL);
    assert_int_equal(vfs_seek(&dir, -1, VFS_SEEK_CUR), -VFS_EINVAL);
    assert_true(vfs_seek(&dir, INT64_MAX, VFS_SEEK_SET) == INT64_MAX);
    assert_int_equal(vfs_seek(&dir, 1, VFS_SEEK_CUR), -VFS_EINVAL);
    assert_int_equal(vfs_fallocate(&dir, 0, 0, 1), -VFS_EBADF);
    assert_int_equal(vfs_inode_read(dir.inode, 0, buf, 8), -VFS_EISDIR);
    vfs_close(&dir);
    vfs_close(&dir); /* nothing is left to close */
    world_end(&w);
}

static void places_answer(void **state)
{
    struct world w;
    struct vfs_path f, g;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mknod /f 020640 9"), 0);
    assert_int_equal(run(&w, "link /f /g"), 0);
    assert_int_equal(vfs_lookup(&w.task, NULL, "/f", 0, 0, &f), 0);
    assert_int_equal(vfs_lookup(&w.task, NULL, "/g", 0, 0, &g), 0);
    struct vfs_inode *inode = vfs_path_inode(&f);
    assert_false(vfs_path_equal(&f, &g));
    assert_true(vfs_path_equal(&f, &f));
    assert_ptr_equal(inode, vfs_path_inode(&g));
    assert_int_equal(vfs_inode_mode(inode), VFS_S_IFCHR | 0640);
    assert_int_equal(vfs_inode_number(inode), 2);
    assert_int_equal(vfs_inode_device(inode), 1);
    assert_int_equal(vfs_inode_rdev(inode), 9);
    assert_int_equal(vfs_inode_size(inode), 0);
    assert_null(vfs_inode_node(inode));
    assert_null(vfs_inode_ops(inode));
    assert_int_equal(vfs_mount_flags(&f), 0);
    assert_true(vfs_path_linked(&f));
    assert_int_equal(run(&w, "unlink /f"), 0);
    assert_false(vfs_path_linked(&f));
    vfs_inode_get(inode);
    vfs_path_put(&f);
    vfs_path_put(&g);
    vfs_page_written(inode);
    vfs_inode_put(inode);
    assert_null(vfs_name_of(w.task.root.dentry, "", 0).word[0] ? "" : NULL);
    world_end(&w);
}

static void files_are_opened_by_place(void **state)
{
    struct world w;
    struct vfs_path place;
    struct vfs_file file;
    struct vfs_file again;
    const uint32_t empty = VFS_O_EMPTY_PATH;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(vfs_lookup(&w.task, NULL, "/f", 0, 0, &place), 0);
    assert_int_equal(vfs_open(&w.task, &place, "", empty | VFS_O_CREAT, 0, 0, &file), -VFS_EINVAL);
    assert_int_equal(vfs_open(&w.task, &place, "", empty | VFS_O_DIRECTORY, 0, 0, &file),
                     -VFS_ENOTDIR);
    assert_int_equal(vfs_open(&w.task, &place, "", empty | VFS_O_WRONLY, 0, 0, &file), 0);
    assert_int_equal(vfs_reopen(&file, &again), 0);
    assert_int_equal(vfs_deny_write(file.inode), -VFS_ETXTBSY);
    vfs_close(&file);
    assert_int_equal(vfs_deny_write(again.inode), -VFS_ETXTBSY);
    assert_int_equal(vfs_write(&again, "T", 1), 1);
    vfs_close(&again);
    assert_int_equal(vfs_deny_write(vfs_path_inode(&place)), 0);
    assert_int_equal(run(&w, "open /f w"), -VFS_ETXTBSY);
    vfs_allow_write(vfs_path_inode(&place));
    assert_int_equal(run(&w, "chmod /f 0755"), 0);
    assert_int_equal(vfs_open_exec(&w.task, NULL, "/f", 0, &file), 0);
    assert_int_equal(vfs_reopen(&file, &again), 0);
    vfs_close(&file);
    assert_int_equal(run(&w, "open /f w"), -VFS_ETXTBSY);
    vfs_close(&again);
    assert_int_equal(run(&w, "symlink f /s"), 0);
    assert_int_equal(vfs_open_exec(&w.task, NULL, "/s", VFS_AT_SYMLINK_NOFOLLOW, &file),
                     -VFS_ELOOP);
    vfs_path_put(&place);
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
    struct vfs_file dir;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /a x"), 0);
    assert_int_equal(run(&w, "write /b x"), 0);
    static const uint64_t offsets[] = {0, 1, DIR_COOKIE_FIRST, DIR_COOKIE_FIRST + 1};
    for (int taken = 0; taken < 4; taken++) {
        int left = taken;
        assert_int_equal(vfs_open(&w.task, NULL, "/", VFS_O_DIRECTORY, 0, 0, &dir), 0);
        assert_int_equal(vfs_readdir(&dir, stop_at, &left), 0);
        assert_int_equal(dir.offset, offsets[taken]);
        vfs_close(&dir);
    }
    world_end(&w);
}

struct seen {
    unsigned mounts;
    unsigned stop;
    unsigned flags;
};

static int see(void *ctx, const struct vfs_path *root, const struct vfs_fs_ops *ops, void *fs,
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
    assert_int_equal(vfs_mounts(w.vfs, see, &seen), 0);
    assert_int_equal(seen.mounts, 2);
    assert_int_equal(seen.flags, VFS_MS_RDONLY);
    seen = (struct seen){.stop = 1};
    assert_int_equal(vfs_mounts(w.vfs, see, &seen), 7);
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
        assert_int_equal(vfs_mounts(w.vfs, see, &seen), 0);
        assert_int_equal(seen.mounts, result ? 3 : 6);
        world_end(&w);
        if (!result)
            break;
        assert_int_equal(result, -VFS_ENOMEM);
    }
}

static void names_of_places(void **state)
{
    struct world w;
    struct vfs_path place;
    char buf[8192];
    static char long_path[4096];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(run(&w, "mkdir /e"), 0);
    assert_int_equal(run(&w, "tmpfs /d"), 0);
    assert_int_equal(run(&w, "mkdir /d/in"), 0);
    assert_int_equal(vfs_lookup(&w.task, NULL, "/d/in", 0, 0, &place), 0);
    assert_int_equal(vfs_path_name(&place, &w.task.root, buf, sizeof(buf)), 5);
    assert_string_equal(buf, "/d/in");
    assert_int_equal(vfs_path_name(&place, &w.task.root, buf, 5), -VFS_ERANGE);
    assert_int_equal(run(&w, "umount /d detach"), 0);
    assert_int_equal(vfs_path_name(&place, &w.task.root, buf, sizeof(buf)), 16);
    assert_string_equal(buf, "(unreachable)/in");
    vfs_path_put(&place);
    /* A directory deeper than a path can say. */
    assert_int_equal(run(&w, "chdir /e"), 0);
    memset(long_path, 'n', 250);
    for (int i = 0; i < 17; i++) {
        struct vfs_path next;
        assert_int_equal(vfs_mkdir(&w.task, NULL, long_path, 0755), 0);
        assert_int_equal(vfs_lookup_dir(&w.task, NULL, long_path, 0, &next), 0);
        vfs_path_put(&w.task.cwd);
        w.task.cwd = next;
    }
    assert_int_equal(vfs_path_name(&w.task.cwd, &w.task.root, buf, sizeof(buf)), -VFS_ENAMETOOLONG);
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
        {"stat ..", -VFS_ENOENT},
        {"stat ../x", -VFS_ENOENT},
        {"open .. wc", -VFS_ENOENT},
        {"chdir /", 0},
        {0},
    };
    run_world(steps);
}

static size_t fault(void *ctx, void *dst, const void *src, size_t len)
{
    return 0;
}

static void faults_of_small_files(void **state)
{
    struct world w;
    const struct vfs_copy copy = {fault, NULL};
    char buf[8];
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f text"), 0);
    assert_int_equal(run(&w, "fill /g 5000"), 0);
    static const char *const files[] = {"keep /f b", "keep /g b"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t offset = 0;
        assert_int_equal(run(&w, files[i]), 0);
        assert_int_equal(vfs_read_to(&w.kept, buf, 4, &offset, &copy), -VFS_EFAULT);
        assert_int_equal(vfs_write_from(&w.kept, &w.cred, buf, 4, &offset, &copy), -VFS_EFAULT);
        assert_int_equal(offset, 0);
        vfs_close(&w.kept);
    }
    world_end(&w);
}

static void changes_of_owner_are_changes_of_mode(void **state)
{
    struct world w;
    struct vfs_import *imp;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(run(&w, "chmod /f 04755"), 0);
    assert_int_equal(run(&w, "symlink f /l"), 0);
    assert_int_equal(vfs_chmod(&w.task, NULL, "/l", 0, VFS_AT_SYMLINK_NOFOLLOW), -VFS_EOPNOTSUPP);
    w.cred = (struct vfs_cred){.uid = 5, .caps = VFS_CAP_CHOWN};
    assert_int_equal(run(&w, "chown /f 6 6"), -VFS_EPERM);
    w.cred = (struct vfs_cred){.caps = VFS_CAP_ALL};
    for (uint64_t n = 1; n < 4; n++) {
        w.host.fail_at = w.host.calls + n;
        assert_int_equal(vfs_import_begin(&w.task, NULL, "/", NULL, &imp), -VFS_ENOMEM);
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
        cmocka_unit_test(faults_of_small_files),
        cmocka_unit_test(changes_of_owner_are_changes_of_mode),
        cmocka_unit_test(sizes_have_a_limit),
        cmocka_unit_test(configurations_may_be_sparse),
        cmocka_unit_test(access_times_stay),
        cmocka_unit_test(open_flags_are_checked),
    };
    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
