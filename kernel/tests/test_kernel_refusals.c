/* What calls of a whole kernel on the host refuse, and rare ways in which they succeed: tables of single calls. */
#include "tests/kernel_test.h"

#define O_PATH  010000000
#define BAD     8 /* no address of a program */
#define NEGATED ((uint64_t)-1)
#define AT_CWD  ((uint64_t)-100)
#define LAST    (USER_DATA + USER_DATA_SIZE - 4) /* four bytes before the end of memory */
#define AREA    0x10000000ull

/* Descriptors that the tables use. */
#define FD_FILE   3 /* /tmp/f, of 100 bytes */
#define FD_PATH   4 /* /tmp, O_PATH */
#define FD_READ   5 /* /tmp/f */
#define FD_WRITE  6
#define FD_PIPE   7  /* its reading end; the other one is the next */
#define FD_FOLDER 9  /* /tmp */
#define FD_ZEROS  10 /* /dev/zero */

/* Words and strings that they point to. */
#define ZERO      AT(10)
#define CAPS_1    AT(11) /* version 1, the caller */
#define CAPS_NONE AT(12) /* pid 999 */
#define CAPS_NEG  AT(13)
#define MINUS     AT(14)
#define FIVE      AT(15)
#define LIMIT     AT(16)
#define VECTORS   AT(17)
#define HOW_PATH  AT(18)
#define HOW_CACHE AT(19)
#define TIMES     AT(20)
#define OMITTED   AT(21)
#define OUT       AT(22)
#define PATH_F    AT(30)
#define PATH_M    AT(31)
#define TMPFS     AT(32)
#define OPTIONS   AT(33)
#define EMPTY     AT(34)
#define XATTR     AT(35)
#define ROOT      AT(36)
#define POLLED    AT(37)
#define ATTRS     AT(38) /* SCHED_OTHER, nice 19 */
#define LONG_NAME (USER_DATA + 0x8000)

struct row {
    unsigned line, number;
    uint64_t a[6];
    long result;
};
#define ROW(result, number, ...) {__LINE__, number, {__VA_ARGS__}, result}

static void put_words(uint64_t at, uint64_t first, uint64_t second, uint64_t third)
{
    const uint64_t words[3] = {first, second, third};
    user_write(at, words, sizeof(words));
}

static void put_strings(void)
{
    char name[600];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    user_string(LONG_NAME, name);
    user_string(PATH_F, "/tmp/f");
    user_string(PATH_M, "/tmp/m");
    user_string(TMPFS, "tmpfs");
    user_string(OPTIONS, "nr_inodes=100,mode=700,size=8k");
    user_string(EMPTY, "");
    user_string(ROOT, "/");
    user_string(XATTR, "user.a");
}

static void prepare(void)
{
    const int last_version = 0x20080522;
    put_words(ZERO, 0, 0, 0);
    put_words(CAPS_1, 0x19980330, 0, 0);
    put_words(CAPS_NONE, 999ull << 32 | 0x20080522, 0, 0);
    put_words(CAPS_NEG, NEGATED << 32 | 0x20080522, 0, 0);
    put_words(MINUS, NEGATED, 0, 0);
    put_words(FIVE, 5, 0, 0);
    put_words(LIMIT, 10, 2000, 0);
    put_words(VECTORS, OUT, UINT64_MAX, 0);
    put_words(VECTORS + 32, 1ull << 60, 10, 0);
    put_words(VECTORS + 64, OUT, 4, 0);
    put_words(HOW_PATH, O_PATH | O_APPEND, 0, 0);
    put_words(HOW_CACHE, O_CREAT | O_RDWR, 0600, 0x20);
    put_words(TIMES, (uint64_t)-2, 5, (uint64_t)-2);
    put_words(TIMES + 24, 5, 0, 0);
    put_words(ATTRS, 48, 0, 19);
    put_words(POLLED, FD_PATH | 1ull << 32, 0, 0);
    put_words(OMITTED, 0, 0x3ffffffe, 0);
    put_words(OMITTED + 24, 0x3ffffffe, 0, 0);
    put_strings();
    user_write(LAST, &last_version, sizeof(last_version));
    expect(FD_FILE, sys(SYS_open, PATH_F, O_RDWR | O_CREAT, 0666));
    expect(100, sys(SYS_write, FD_FILE, LONG_NAME, 100));
    expect(FD_PATH, call_open("/tmp", O_PATH, 0));
    expect(FD_READ, sys(SYS_open, PATH_F, O_RDONLY));
    expect(FD_WRITE, sys(SYS_open, PATH_F, O_WRONLY));
    expect(0, sys(SYS_pipe, OUT));
    expect(FD_FOLDER, call_open("/tmp", O_RDONLY, 0));
    expect(FD_ZEROS, call_open("/dev/zero", O_RDWR, 0));
    expect(0, sys(SYS_mkdir, PATH_M, 0755));
    expect(0, sys(SYS_setxattr, PATH_F, XATTR, OUT, 4, 0));
}

static void run_rows(const struct row *rows, size_t count)
{
    for (const struct row *row = rows; row < rows + count; row++) {
        struct user_args args;
        memcpy(args.a, row->a, sizeof(args.a));
        user_expect(__FILE__, (int)row->line, "the call", row->result,
                    user_call(row->number, args));
    }
}
#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof(rows[0]))

static const struct row of_files[] = {
    ROW(-EINVAL, SYS_copy_file_range, FD_FILE, MINUS, FD_WRITE, 0, 0),
    ROW(-EOVERFLOW, SYS_copy_file_range, FD_FILE, MINUS, FD_WRITE, 0, 10),
    ROW(-EOVERFLOW, SYS_copy_file_range, FD_FILE, FIVE, FD_WRITE, 0, UINT64_MAX),
    ROW(-EFAULT, SYS_copy_file_range, FD_FILE, BAD, FD_WRITE, 0, 10),
    ROW(-EISDIR, SYS_copy_file_range, FD_FOLDER, 0, FD_WRITE, 0, 10),
    ROW(-EINVAL, SYS_copy_file_range, FD_PIPE, 0, FD_WRITE, 0, 10),
    ROW(-EINVAL, SYS_openat2, AT_CWD, PATH_F, HOW_PATH, 24),
    ROW(-EAGAIN, SYS_openat2, AT_CWD, PATH_F, HOW_CACHE, 24),
    ROW(-EINVAL, SYS_readv, FD_FILE, VECTORS, 1),
    ROW(-EFAULT, SYS_readv, FD_FILE, VECTORS + 32, 1),
    ROW(0, SYS_preadv, FD_FILE, VECTORS + 64, 0, 0, 0),
    ROW(4, SYS_pwritev2, FD_FILE, VECTORS + 64, 1, NEGATED, 0, 0),
    ROW(-EBADF, SYS_sendfile, FD_READ, FD_FILE, ZERO, 10),
    ROW(-EFAULT, SYS_sendfile, FD_FILE, FD_READ, USER_TEXT, 0),
    ROW(-EINVAL, SYS_getdents64, FD_FOLDER, OUT, 20),
    ROW(-EBADF, SYS_fstatfs, 99, OUT),
    ROW(0, SYS_fstatfs, FD_PIPE, OUT),
    ROW(0, SYS_utimensat, AT_CWD, PATH_F, OMITTED, 0),
    ROW(0, SYS_utimensat, AT_CWD, PATH_F, TIMES, 0), /* before 1970 */
    ROW(0, SYS_stat, PATH_F, LONG_NAME),
    ROW(-ERANGE, SYS_getxattr, PATH_F, EMPTY, OUT, 10),
    ROW(-ERANGE, SYS_getxattr, PATH_F, LONG_NAME + 200, OUT, 10),
    ROW(-EFAULT, SYS_getxattr, PATH_F, XATTR, BAD, 10),
    ROW(-EFAULT, SYS_listxattr, PATH_F, BAD, 10),
    ROW(-EFAULT, SYS_poll, USER_TEXT, 1, 0), /* it cannot be written */
    ROW(-EFAULT, SYS_ppoll, ZERO, 0, 0, BAD, 8),
    ROW(-EFAULT, SYS_select, 1, 0, USER_TEXT, 0, ZERO),
    ROW(-EINVAL, SYS_select, 1, ZERO, 0, 0, MINUS),
    ROW(-ENOENT, SYS_readlink, EMPTY, OUT, 10),
    ROW(-EINVAL, SYS_readlink, PATH_F, OUT, 0),
    ROW(-EFAULT, SYS_utimensat, AT_CWD, PATH_F, BAD, 0),
    ROW(-EBADF, SYS_pread64, FD_WRITE, OUT, 4, 0),
    ROW(-EINVAL, SYS_pread64, FD_FILE, OUT, 4, INT64_MAX - 1),
    ROW(-EINVAL, SYS_pwrite64, FD_FILE, OUT, 4, INT64_MAX - 1),
    ROW(-ESPIPE, SYS_sync_file_range, FD_PIPE, 0, 0, 0),
    ROW(1, SYS_poll, POLLED, 1, 0), /* O_PATH: POLLNVAL */
    ROW(8192, SYS_write, FD_PIPE + 1, LONG_NAME, 8192),
    ROW(-EBUSY, SYS_fcntl, FD_PIPE, 1031, 4096), /* F_SETPIPE_SZ: less than what is in it */
    ROW(0, SYS_chdir, PATH_M),
    ROW(0, SYS_rmdir, PATH_M),
    ROW(-ENOENT, SYS_getcwd, OUT, 100),
    ROW(0, SYS_chdir, ROOT),
    ROW(0, SYS_mkdir, PATH_M, 0755),
};

static const struct row of_mounts[] = {
    ROW(-EINVAL, SYS_mount, 0, PATH_M, TMPFS, 0x2000, 0), /* MS_MOVE of nothing */
    ROW(-EINVAL, SYS_mount, ROOT, PATH_M, 0, 0x2000, 0),  /* of the root */
    ROW(-EFAULT, SYS_mount, 0, PATH_M, TMPFS, 0, BAD),
    ROW(-ENODEV, SYS_mount, TMPFS, PATH_M, EMPTY, 0, 0),
    ROW(-EFAULT, SYS_mount, TMPFS, PATH_M, BAD, 0, 0),
    ROW(-EFAULT, SYS_mount, BAD, PATH_M, 0, 0x1000, 0), /* MS_BIND */
    ROW(-EFAULT, SYS_mount, BAD, BAD, 0, 0, 0),
    ROW(-EINVAL, SYS_mount, 0, PATH_M, 0, 0x1000, 0),         /* MS_BIND of nothing */
    ROW(-EINVAL, SYS_mount, 0, PATH_M, TMPFS, 1ull << 31, 0), /* MS_NOUSER */
    ROW(-EINVAL, SYS_mount, TMPFS, PATH_M, 0, 0x20, OPTIONS), /* MS_REMOUNT of no mount */
    ROW(0, SYS_mount, 0, PATH_M, TMPFS, 0xc0ed0008, OPTIONS),
    ROW(-EFAULT, SYS_mount, TMPFS, PATH_M, 0, 0x20, BAD),
    ROW(0, SYS_umount2, PATH_M, 0),
};

static const struct row of_processes[] = {
    ROW(0, SYS_capget, CAPS_1, OUT),
    ROW(-EINVAL, SYS_capget, CAPS_NEG, OUT),
    ROW(-ESRCH, SYS_capget, CAPS_NONE, OUT),
    ROW(-EFAULT, SYS_capget, LAST, OUT),
    ROW(-EFAULT, SYS_capset, LAST, OUT),
    ROW(-EFAULT, SYS_capset, CAPS_1, BAD),
    ROW(-EPERM, SYS_capset, CAPS_NONE, OUT),
    ROW(-ESRCH, SYS_wait4, 0x80000000, 0, 0, 0),
    ROW(-EINVAL, SYS_tkill, 1, 99),
    ROW(-EPERM, SYS_prlimit64, 0, RLIMIT_NOFILE, LIMIT, 0),
    ROW(-EFAULT, SYS_sched_setaffinity, 0, 8, BAD),
    ROW(-EINVAL, SYS_sched_getparam, 0, 0),
    ROW(-ESRCH, SYS_sched_getattr, 999, OUT, 48, 0),
    ROW(-EFAULT, SYS_sched_getattr, 0, BAD, 48, 0),
    ROW(-EFAULT, SYS_sched_setattr, 0, BAD, 0),
    ROW(-E2BIG, SYS_sched_setattr, 0, LAST, 0), /* stores the size that is known */
    ROW(-EFAULT, SYS_sched_setattr, 0, LAST, 0),
    ROW(0, SYS_sched_setattr, 0, ZERO, 0), /* the size of the first version */
    ROW(-EFAULT, SYS_rt_sigsuspend, BAD, 8),
    ROW(-EFAULT, SYS_rt_sigtimedwait, BAD, 0, 0, 8),
    ROW(-EFAULT, SYS_rt_sigtimedwait, ZERO, 0, BAD, 8),
    ROW(-EINVAL, SYS_reboot, 1, 672274793, 0),
    ROW(-EINVAL, SYS_reboot, 0xfee1dead, 672274793, 1),
    ROW(0, SYS_getrusage, 1, OUT), /* RUSAGE_THREAD */
};

#define PAGES(n) ((uint64_t)(n) << PAGE_SHIFT)

static const struct row of_memory[] = {
    ROW(AREA, SYS_mmap, AREA, PAGES(1), 3, 0x12, FD_ZEROS, PAGES(5)),
    ROW(0, SYS_munmap, AREA, PAGES(1)),
    ROW(-EACCES, SYS_mmap, 0, PAGES(1), 1, 2, FD_WRITE, 0),
    ROW(-ENODEV, SYS_mmap, 0, PAGES(1), 1, 2, FD_PIPE, 0),
    ROW(AREA, SYS_mmap, AREA, PAGES(1), 1, 0x11, FD_READ, PAGES(5)),
    ROW(-EFAULT, SYS_madvise, AREA, PAGES(1),
        22), /* MADV_POPULATE_READ, behind the end of the file */
    ROW(AREA, SYS_mmap, AREA, PAGES(1), 1, 0x11, FD_READ, 0),
    ROW(-EINVAL, SYS_madvise, AREA, PAGES(1), 23), /* MADV_POPULATE_WRITE */
    ROW(-ENOMEM, SYS_madvise, AREA, PAGES(2), 22),
    ROW(-EACCES, SYS_mprotect, AREA, PAGES(1), 3),
    ROW(0, SYS_mprotect, AREA, 0, 3),
    ROW(-EINVAL, SYS_mmap, 0, PAGES(1), 1, 0x102, FD_READ, 0), /* MAP_GROWSDOWN */
    ROW(-EINVAL, SYS_madvise, AREA, PAGES(1), 18),             /* MADV_WIPEFORK */
    ROW(-EINVAL, SYS_madvise, AREA, UINT64_MAX, 4),            /* MADV_DONTNEED */
    ROW(0, SYS_mlock, AREA, PAGES(1)),
    ROW(-EINVAL, SYS_madvise, AREA, PAGES(1), 20), /* MADV_COLD */
    ROW(0, SYS_munlock, AREA, PAGES(1)),
    ROW(-ENOMEM, SYS_mremap, AREA, PAGES(1), UINT64_MAX / 2, 0),
    ROW(-EINVAL, SYS_mremap, AREA, UINT64_MAX / 2, PAGES(1), 0),
    ROW(-EINVAL, SYS_mremap, AREA, PAGES(1), PAGES(1), 3, USER_END),
    ROW(-ENOMEM, SYS_msync, AREA, UINT64_MAX, 4),
    ROW(-ENOMEM, SYS_mincore, AREA, UINT64_MAX / 2, OUT),
    ROW(AREA, SYS_mmap, AREA, PAGES(1), 1, 0x32, NEGATED, 0),
    ROW(-EFAULT, SYS_futex, AREA, 1, 1), /* FUTEX_WAKE of what nobody can change */
    ROW(AREA, SYS_mmap, AREA, PAGES(3000), 3, 0x32, NEGATED, 0),
    ROW(0, SYS_mincore, AREA, PAGES(3000), LONG_NAME),
    ROW(0, SYS_mprotect, AREA, PAGES(3000), 1),
    ROW(0, SYS_munmap, AREA, PAGES(3000)),
};

PROGRAM_TEST(refused_to_everybody)
{
    prepare();
    RUN(of_files);
    RUN(of_mounts);
    RUN(of_processes);
    RUN(of_memory);
}

static const struct row of_strangers[] = {
    ROW(-EPERM, SYS_tkill, 1, 9),
    ROW(-EPERM, SYS_prlimit64, 1, RLIMIT_NOFILE, 0, OUT),
    ROW(-EPERM, SYS_setpriority, 0, 1, 5),
    ROW(0, SYS_setpriority, 0, 0, 5),
    ROW(-EACCES, SYS_setpriority, 0, 0, 4),
    ROW(-EPERM, SYS_sched_setaffinity, 1, 8, FIVE),
    ROW(-EPERM, SYS_sched_setscheduler, 1, 3, ZERO), /* SCHED_BATCH */
    ROW(-EPERM, SYS_sched_setattr, 0, ZERO, 0),      /* nice 0, below 5 */
    ROW(-EPERM, SYS_sched_setattr, 1, ATTRS, 0),
    ROW(-EPERM, SYS_ioprio_set, 1, 1, 2 << 13 | 4),
    ROW(-EPERM, SYS_setgroups, 0, 0),
    ROW(-EPERM, SYS_mount, 0, PATH_M, TMPFS, 0, 0),
    ROW(-ENOENT, SYS_mount, 0, XATTR, TMPFS, 0, 0), /* no such place */
};

static void looks_at_process_1(void)
{
    user_store(AT(2), 7);
    expect(0, sys(SYS_setgroups, 1, AT(2)));
    expect(0, sys(SYS_setgid, 1000));
    expect(0, sys(SYS_setuid, 1000));
    RUN(of_strangers);
    expect(-EACCES, call_open("/proc/1/maps", O_RDONLY, 0));
    expect(-EACCES, sys(SYS_readlink, user_string(AT(0), "/proc/1/exe"), AT(2), 100));
    expect(-ENOENT, call_open("/proc/01/maps", O_RDONLY, 0));
    expect(-ENOENT, call_open("/proc/99999999/maps", O_RDONLY, 0));
    expect(true, call_open("/proc/self/maps", O_RDONLY, 0) >= 0);
}

PROGRAM_TEST(refused_to_strangers)
{
    prepare();
    expect_exit(user_fork(looks_at_process_1, 0), 0);
}

static void writes_beyond(void)
{
    put_words(LIMIT, 150, 150, 0);
    expect(0, sys(SYS_setrlimit, RLIMIT_FSIZE, LIMIT));
    expect(-EFAULT, sys(SYS_truncate, BAD, 200));
    expect(0, sys(SYS_truncate, PATH_F, 120));
    expect(50, sys(SYS_pwrite64, FD_FILE, LONG_NAME, 100, 100));
    sys(SYS_truncate, PATH_F, 200);
}

PROGRAM_TEST(files_have_a_limit)
{
    prepare();
    expect_signal(user_fork(writes_beyond, 0), SIGXFSZ);
    expect_exit(user_fork(NULL, 0), 0);
    (void)user_fork(NULL, 0);
    expect(-EFAULT, sys(SYS_wait4, NEGATED, BAD, 0, 0));
}

static void unshares(void)
{
    expect(0, sys(SYS_unshare, 0x200)); /* CLONE_FS */
    expect(0, sys(SYS_chdir, PATH_M));
}

PROGRAM_TEST(a_directory_is_shared_no_longer)
{
    char text[8] = "";
    prepare();
    expect_exit(user_clone(0x200 | SIGCHLD, 0, unshares, 0), 0);
    expect(2, sys(SYS_getcwd, OUT, 10));
    user_read(text, OUT, 2);
    expect(0, strcmp(text, "/"));
}

/* The heap, advice and files that are so large that a call goes through them in pieces. */
static void goes_in_pieces(void)
{
    const uint64_t middle = AREA + PAGES(20000), last = AREA + PAGES(40000) - 8;
    long heap = sys(SYS_brk, 0), top = heap + (70 << 20);
    expect(top, sys(SYS_brk, (uint64_t)top));
    user_store((uint64_t)top - 8, 1);
    expect(heap + 5, sys(SYS_brk, (uint64_t)heap + 5));

    expect((long)AREA, sys(SYS_mmap, AREA, PAGES(40000), 3, 0x4032, NEGATED, 0));
    expect(0, sys(SYS_munmap, middle, PAGES(1)));
    user_store(AREA, 1);
    user_store(last, 1);
    expect(-ENOMEM, sys(SYS_madvise, AREA, PAGES(40000), 4)); /* MADV_DONTNEED, with a hole */
    expect(0, user_load(AREA));
    expect(0, user_load(last));

    uint64_t fd = (uint64_t)call_open("/tmp/large", O_RDWR | O_CREAT, 0600);
    expect(0, sys(SYS_fallocate, fd, 0, 0, PAGES(9000)));
    expect(0, sys(SYS_ftruncate, fd, 5));
    expect(0, sys(SYS_fallocate, fd, 1, 0, PAGES(9000))); /* FALLOC_FL_KEEP_SIZE */
    expect(0, sys(SYS_ftruncate, fd, 5));
    expect(0, sys(SYS_fstat, fd, OUT));
    expect(5, user_load(OUT + 48));
    expect(8, user_load(OUT + 64)); /* one page is left, in units of 512 bytes */
}

static void test_large_ones_go_in_pieces(void **state)
{
    const struct machine_options options = {.frames = 20000, .check_calls = true};
    (void)state;
    struct machine_end end = machine_run(goes_in_pieces, &options);
    assert_int_equal(end.verdict, VERDICT_EXIT);
    assert_int_equal(end.value, 0);
}

static void switches_off(void)
{
    sys(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc);
    expect(0, 1);
}

static void halts(void)
{
    sys(SYS_reboot, 0xfee1dead, 672274793, 0xcdef0123);
    expect(0, 1);
}

static void test_power_off(void **state)
{
    user_fn *const programs[] = {switches_off, halts};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct machine_end end = machine_run(programs[i], NULL);
        assert_int_equal(end.verdict, VERDICT_EXIT);
        assert_false(end.reset);
    }
}

static void ends(void)
{
}

static void test_tracing_of_no_call(void **state)
{
    const struct machine_options options = {.cmdline = "trace=nonsense"};
    (void)state;
    (void)machine_run(ends, &options);
    assert_non_null(strstr(console_text(), "trace: there is no system call nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_to_everybody),
        cmocka_unit_test(test_refused_to_strangers),
        cmocka_unit_test(test_files_have_a_limit),
        cmocka_unit_test(test_a_directory_is_shared_no_longer),
        cmocka_unit_test(test_large_ones_go_in_pieces),
        cmocka_unit_test(test_power_off),
        cmocka_unit_test(test_tracing_of_no_call),
    };
    return cmocka_run_group_tests_name("refusals of a whole kernel", tests, NULL, check_stacks);
}
