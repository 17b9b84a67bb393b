/* System calls of a whole kernel on the host: devices, scheduling, capabilities, and the errors of
 * each call; stops for the debugger; out of memory. */
#include "tests/kernel_test.h"

#include "proc/proc.h"

#define S(n, text) user_string(AT(40 + (n)), text)
#define RESULT     (USER_DATA + 0x8000)
#define AREA       0x10000000ull
#define AT_CWD     ((uint64_t)-100)

PROGRAM_TEST(devices)
{
    long null = call_open("/dev/null", O_RDWR, 0), zero = call_open("/dev/zero", O_RDWR, 0);
    long full = call_open("/dev/full", O_RDWR, 0), rnd = call_open("/dev/random", O_RDWR, 0);
    expect(0, sys(SYS_read, (uint64_t)null, RESULT, 10));
    expect(10, sys(SYS_write, (uint64_t)null, RESULT, 10));
    expect(0, sys(SYS_lseek, (uint64_t)null, 5, 0));
    expect(10, sys(SYS_read, (uint64_t)zero, RESULT, 10));
    expect(-EFAULT, sys(SYS_read, (uint64_t)zero, 8, 10));
    expect(-ENOSPC, sys(SYS_write, (uint64_t)full, RESULT, 10));
    expect(1000, sys(SYS_read, (uint64_t)rnd, RESULT, 1000));
    expect(20, sys(SYS_read, (uint64_t)rnd, USER_DATA + USER_DATA_SIZE - 20, 100));
    expect(-ENXIO, call_open("/dev/none", O_RDWR, 0));
    expect(-ENOTTY, sys(SYS_ioctl, (uint64_t)null, 0x5401, RESULT));
    expect(0, sys(SYS_pread64, (uint64_t)null, RESULT, 10, 3));
}

PROGRAM_TEST(descriptor_controls)
{
    user_store(AT(2), 1);
    expect(3, sys(SYS_fcntl, 0, 1030, 3)); /* F_DUPFD_CLOEXEC */
    expect(0, sys(SYS_fcntl, 0, 9, 0));    /* F_GETOWN */
    expect(-EBADF, sys(SYS_fcntl, 0, 1032, 0));
    expect(0, sys(SYS_pipe, AT(3)));
    expect(65536, sys(SYS_fcntl, 4, 1032, 0));
    expect(0, sys(SYS_ioctl, 4, 0x5421, AT(2))); /* FIONBIO */
    expect(-EFAULT, sys(SYS_ioctl, 4, 0x5421, 8));
    expect(-EAGAIN, sys(SYS_read, 4, RESULT, 1));
    expect(0, sys(SYS_ioctl, 4, 0x5451, 0)); /* FIOCLEX */
    expect(1, sys(SYS_fcntl, 4, 1, 0));
    expect(0, sys(SYS_ioctl, 4, 0x5450, 0));
    long fd = sys(SYS_creat, S(0, "/tmp/f"), 0600);
    expect(4, sys(SYS_write, (uint64_t)fd, RESULT, 4));
    expect(0, sys(SYS_lseek, (uint64_t)fd, 0, 0));
    expect(0, sys(SYS_ioctl, (uint64_t)fd, 0x541b, AT(3)));
    expect(4, user_load(AT(3)) & 0xffffffff);
    expect(0, sys(SYS_close_range, 4, 6, 4)); /* close on exec */
    expect(0, sys(SYS_close_range, 4, 5, 2)); /* in a table of its own */
    expect(-EINVAL, sys(SYS_close_range, 5, 4, 0));
    const uint64_t how[3] = {O_RDONLY, 0, 0};
    user_write(AT(4), how, sizeof(how));
    expect(1, sys(SYS_openat2, AT_CWD, S(0, "/tmp/f"), AT(4), 24) > 0);
    expect(-EINVAL, sys(SYS_openat2, AT_CWD, S(0, "/tmp/f"), AT(4), 8));
    expect(-EFAULT, sys(SYS_openat2, AT_CWD, S(0, "/tmp/f"), 8, 24));
    const uint64_t last = USER_DATA + USER_DATA_SIZE - 24; /* what follows is not mapped */
    user_write(last, how, sizeof(how));
    expect(-EFAULT, sys(SYS_openat2, AT_CWD, S(0, "/tmp/f"), last, 32));
    const uint64_t in_root[3] = {O_RDONLY, 0, 0x10}; /* RESOLVE_IN_ROOT */
    user_write(AT(5), in_root, sizeof(in_root));
    expect(-EBADF, sys(SYS_openat2, 99, S(0, "/tmp/f"), AT(5), 24));
    expect(-ENOTDIR, sys(SYS_openat2, (uint64_t)fd, S(0, "/tmp/f"), AT(5), 24));
    user_store(AT(4) + 8, 0777);
    expect(-EINVAL, sys(SYS_openat2, AT_CWD, S(0, "/tmp/f"), AT(4), 24));
}

PROGRAM_TEST(scheduling)
{
    const int32_t param = 0;
    user_write(AT(2), &param, sizeof(param));
    expect(0, sys(SYS_sched_getscheduler, 0));
    expect(0, sys(SYS_sched_getparam, 0, AT(3)));
    expect(0, sys(SYS_sched_setparam, 0, AT(2)));
    expect(0, sys(SYS_sched_setscheduler, 0, 0, AT(2)));
    expect(-EINVAL, sys(SYS_sched_setscheduler, 0, 99, AT(2)));
    expect(-ESRCH, sys(SYS_sched_getscheduler, 999));
    expect(0, sys(SYS_sched_get_priority_max, 0));
    expect(0, sys(SYS_sched_get_priority_min, 0));
    expect(-EINVAL, sys(SYS_sched_get_priority_max, 99));
    expect(0, sys(SYS_sched_rr_get_interval, 0, AT(3)));
    expect(8, sys(SYS_sched_getaffinity, 0, 8, AT(3)));
    expect(-EINVAL, sys(SYS_sched_getaffinity, 0, 1, AT(3)));
    expect(0, sys(SYS_sched_setaffinity, 0, 8, AT(3)));
    expect(20, sys(SYS_getpriority, 0, 0));
    expect(0, sys(SYS_setpriority, 0, 0, 5));
    expect(15, sys(SYS_getpriority, 0, 0));
    expect(15, sys(SYS_getpriority, 1, 0));
    expect(15, sys(SYS_getpriority, 2, 0));
    expect(-EINVAL, sys(SYS_getpriority, 9, 0));
    expect(-ESRCH, sys(SYS_setpriority, 0, 999, 1));
    expect(0, sys(SYS_getcpu, AT(3), AT(4), 0));
    expect(0, sys(SYS_personality, 8));
    expect(8, sys(SYS_personality, 0x40000));
    expect(-EINVAL, sys(SYS_personality, 9));
    expect(-EINVAL, sys(SYS_personality, 0x400000));
    expect(0x40000, sys(SYS_personality, 0xffffffff));
    expect(0, sys(SYS_sethostname, S(0, "host"), 4));
    expect(-EINVAL, sys(SYS_sethostname, S(0, "host"), 1000));
    expect(0, sys(SYS_getrusage, (uint64_t)-1, RESULT));
    expect(-EINVAL, sys(SYS_getrusage, 9, RESULT));
}

PROGRAM_TEST(capabilities)
{
    const uint32_t header[2] = {0x20080522, 0};
    user_write(AT(2), header, sizeof(header));
    expect(0, sys(SYS_capget, AT(2), AT(3)));
    expect(0, sys(SYS_capset, AT(2), AT(3)));
    user_store(AT(2), 1);
    expect(-EINVAL, sys(SYS_capget, AT(2), AT(3)));
    expect(-EFAULT, sys(SYS_capget, 8, AT(3)));
    user_write(AT(2), header, sizeof(header));
    expect(0, sys(SYS_setresuid, 5, 5, 5));
    expect(0, sys(SYS_capget, AT(2), AT(4)));
    expect(0, user_load(AT(4)));
    expect(-EPERM, sys(SYS_capset, AT(2), AT(3)));
    expect(-EPERM, sys(SYS_sethostname, S(0, "host"), 4));
    expect(-EPERM, sys(SYS_mount, 0, S(0, "/tmp"), S(1, "tmpfs"), 0, 0));
    expect(-EPERM, sys(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc));
}

/* By a process that is permitted less than process 1, whose user it has. */
static void slows_its_parent(void)
{
    const uint32_t header[2] = {0x20080522, 0}, none[6] = {0};
    const uint32_t attributes[12] = {48};
    user_write(AT(2), header, sizeof(header));
    user_write(AT(3), none, sizeof(none));
    user_store(AT(4), 0);
    user_store(AT(5), 1);
    user_write(AT(6), attributes, sizeof(attributes));
    expect(0, sys(SYS_capset, AT(2), AT(3)));
    expect(-EPERM, sys(SYS_setpriority, 0, 1, 19));
    expect(-EPERM, sys(SYS_sched_setscheduler, 1, 3, AT(4)));
    expect(-EPERM, sys(SYS_sched_setattr, 1, AT(6), 0));
    expect(-EPERM, sys(SYS_sched_setaffinity, 1, 8, AT(5)));
    expect(-EPERM, sys(SYS_ioprio_set, 1, 1, 2 << 13));
    expect(0, sys(SYS_setpriority, 0, 0, 19));
}

PROGRAM_TEST(permitted_processes_are_not_slowed_down)
{
    expect_exit(user_fork(slows_its_parent, 0), 0);
}

PROGRAM_TEST(priorities_of_several_processes)
{
    expect((2 << 13) + 4, sys(SYS_ioprio_get, 2, 0));
    expect(0, sys(SYS_ioprio_get, 1, 0));
    expect(0, sys(SYS_setpriority, 0, 0, 19));
    expect((2 << 13) + 7, sys(SYS_ioprio_get, 3, 0));
    expect(0, sys(SYS_ioprio_set, 1, 0, 1 << 16 | 2 << 13 | 1));
    expect((2 << 13) + 1, sys(SYS_ioprio_get, 2, 0));
    user_store(AT(2), 0);
    expect(0, sys(SYS_sched_setscheduler, 0, 5, AT(2)));
    expect(0, sys(SYS_ioprio_set, 1, 0, 0));
    expect((3 << 13) + 7, sys(SYS_ioprio_get, 2, 0));
}

/* process_vm_readv(2) at the edges of both memories. */
PROGRAM_TEST(memory_that_ends)
{
    const uint64_t own[4] = {AREA + 1, 0x2000, USER_END, 8};
    const uint64_t other[6] = {AREA + 0x4000, 0x2000, AREA, UINT64_MAX / 2, 0, 0};
    user_write(AT(2), own, sizeof(own));
    user_write(AT(3), other, sizeof(other));
    expect(AREA, sys(SYS_mmap, AREA, 0x1000, 3, 0x32, UINT64_MAX, 0));
    expect(AREA + 0x4000, sys(SYS_mmap, AREA + 0x4000, 0x2000, 3, 0x32, UINT64_MAX, 0));
    expect(0xfff, sys(SYS_process_vm_readv, 1, AT(2), 1, AT(3), 1, 0));
    expect(0xfff, sys(SYS_process_vm_writev, 1, AT(2), 1, AT(3), 1, 0));
    expect(-EFAULT, sys(SYS_process_vm_readv, 1, AT(2), 2, AT(3), 1, 0));
    expect(0, sys(SYS_process_vm_readv, 1, AT(2), 1, AT(3) + 32, 1, 0));
    expect(0, sys(SYS_process_vm_readv, 1, AT(3) + 32, 1, AT(3), 1, 0));
    expect(-EINVAL, sys(SYS_process_vm_readv, 1, AT(2), 1025, AT(3), 1, 0));
    user_store(AT(2), AREA + 0x2000); /* not mapped */
    expect(-EFAULT, sys(SYS_process_vm_writev, 1, AT(2), 1, AT(3), 1, 0));
    expect(0, sys(SYS_mprotect, AREA + 0x4000, 0x2000, 2)); /* written only */
    user_store(AT(2), AREA);
    expect(-EFAULT, sys(SYS_process_vm_readv, 1, AT(2), 1, AT(3), 1, 0));
    user_store(RESULT, UINT64_MAX);
    expect(-ENOMEM, sys(SYS_mincore, AREA, 0x2000, RESULT));
    expect((long)(UINT64_MAX << 8 | 1), (long)user_load(RESULT));
    expect(-EFAULT, sys(SYS_mincore, AREA, 0x2000, 8));
    expect(-EFAULT, sys(SYS_mincore, AREA, 0x1000, USER_END));
}

PROGRAM_TEST(what_is_wrong_first)
{
    const uint64_t soon[2] = {0, 1000}, wrong[2] = {0, UINT64_MAX}, part[2] = {AREA, 1};
    uint8_t info[128] = {0};
    user_write(AT(2), soon, sizeof(soon));
    user_write(AT(3), wrong, sizeof(wrong));
    user_write(AT(4), part, sizeof(part));
    expect(-EFAULT, sys(SYS_ppoll, USER_END + 1, 0, AT(2), 0, 8));
    expect(0, sys(SYS_select, 0, USER_END + 1, 0, 0, AT(2)));
    expect(-EOPNOTSUPP, sys(SYS_clock_nanosleep, 3, 0, AT(3), 0));
    expect(-EOPNOTSUPP, sys(SYS_clock_nanosleep, (uint64_t)-5, 0, AT(2), 0)); /* of a device */
    expect(-EINVAL, sys(SYS_clock_nanosleep, (uint64_t)-6, 0, AT(3), 0));
    expect(-EINVAL, sys(SYS_clock_nanosleep, 10, 0, AT(2), 0));
    user_write(AT(6), (uint64_t[2]){0, 0}, 16);
    expect(0, sys(SYS_clock_nanosleep, 2, 0, AT(6), 0));
    expect(0, sys(SYS_clock_nanosleep, 2, 1, AT(6), 0));
    expect(0, sys(SYS_clock_nanosleep, (uint64_t)(~1l * 8 + 2), 0, AT(6), 0));
    expect(-EINVAL, sys(SYS_clock_nanosleep, (uint64_t)-2, 0, AT(6), 0)); /* of a thread */
    expect(-EINVAL, sys(SYS_clock_nanosleep, (uint64_t)(~99l * 8 + 2), 0, AT(6), 0));
    expect(-EFAULT, sys(SYS_clock_settime, (uint64_t)-6, 8));
    expect(-EPERM, sys(SYS_clock_settime, (uint64_t)-6, AT(2)));
    expect(-EINVAL, sys(SYS_clock_settime, (uint64_t)-5, AT(2)));
    expect(0, sys(SYS_clock_getres, 6, AT(5)));
    expect(10000000, user_load(AT(5) + 8));
    expect(0, sys(SYS_clock_getres, (uint64_t)-7, AT(5))); /* in user mode */
    expect(10000000, user_load(AT(5) + 8));
    expect(-EFAULT, sys(SYS_setrlimit, 99, 8));
    expect(-EINVAL, sys(SYS_getrlimit, 99, 0));
    expect(-EFAULT, sys(SYS_getrlimit, 1, 0));
    expect(-EFAULT, sys(SYS_getrandom, USER_END + 1, 0, 0));
    expect(-EBADF,
           sys(SYS_pwritev2, (uint64_t)call_open("/init", O_RDONLY, 0), AT(4), 1, 0, 0, 1 << 30));
    expect(-EBADF, sys(SYS_pwritev2, 3, AT(4), 1, UINT64_MAX, 0, 1 << 30));
    user_store(AT(5), UINT64_MAX);
    expect(-EINVAL, sys(SYS_setgroups, 2, AT(5)));
    expect(-EINVAL, sys(SYS_readahead, 3, 0, UINT64_MAX));
    expect(-EBADF, sys(SYS_flock, (uint64_t)call_open("/init", 3, 0), 1));
    expect(0, sys(SYS_statx, AT_CWD, S(0, "/proc"), 0, 0x7ff, RESULT));
    expect(0x2000, user_load(RESULT + 8)); /* the root of a mount */
    expect(0,
           sys(SYS_statx, (uint64_t)call_open("/proc", O_RDONLY, 0), S(0, ""), 0x1000, 0, RESULT));
    expect(0x2000, user_load(RESULT + 8));
    expect(-ENOENT, sys(SYS_statx, AT_CWD, S(0, "/nowhere"), 0, 0x7ff, RESULT));
    info[8] = 7, info[127] = 1; /* si_code, which no signal of its own has */
    user_write(RESULT, info, sizeof(info));
    expect(-E2BIG, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, RESULT));
    info[8] = 6;
    user_write(RESULT, info, sizeof(info));
    expect(0, sys(SYS_rt_sigqueueinfo, 1, 0, RESULT));
}

PROGRAM_TEST(memory_is_refused)
{
    long file = call_open("/init", O_RDONLY, 0);
    static const struct {
        uint64_t a[6];
        long error;
    } maps[] = {
        {{0, 0x1000, 3, 0x20, 0, 0}, -EINVAL},             /* neither shared nor private */
        {{0, 0x1000, 3, 1, 3, 0}, -EACCES},                /* shared, writable, opened to read */
        {{0, 0x1000, 3, 2, 99, 0}, -EBADF},                /* no file */
        {{0, 0x1000, 3, 2, 3, 1}, -EINVAL},                /* offset */
        {{0, UINT64_MAX, 3, 0x22, 0, 0}, -ENOMEM},         /* size */
        {{0x1001, 0x1000, 3, 0x32, 0, 0}, -EINVAL},        /* place */
        {{USER_END, 0x1000, 3, 0x32, 0, 0}, -ENOMEM},      /* beyond the end */
        {{USER_DATA, 0x1000, 3, 0x100022, 0, 0}, -EEXIST}, /* MAP_FIXED_NOREPLACE */
        {{0, 0x1000, 3, 2, 3, 0xfffffffffffff000}, -EOVERFLOW}, /* end of the file's range */
    };
    expect(3, file);
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        struct user_args args;
        memcpy(args.a, maps[i].a, sizeof(args.a));
        expect(maps[i].error, user_call(SYS_mmap, args));
    }
    expect(-EINVAL, sys(SYS_mprotect, 0x1001, 0x1000, 3));
    expect(-ENOMEM, sys(SYS_mprotect, AREA, 0x1000, 3));
    expect(-EACCES, sys(SYS_mprotect, USER_DATA, 0x1000, 7));
    expect(-EINVAL, sys(SYS_munmap, 1, 0x1000));
    expect(-EINVAL, sys(SYS_mremap, 1, 0x1000, 0x1000, 0));
    expect(-EINVAL, sys(SYS_mremap, USER_DATA, 0x1000, 0, 0));
    expect(-EINVAL, sys(SYS_mremap, USER_DATA, 0x1000, 0x1000, 2, AREA));
    expect(-EINVAL, sys(SYS_mincore, 1, 0x1000, AT(3)));
    expect(-ENOMEM, sys(SYS_mincore, AREA, 0x1000, AT(3)));
    expect(-EINVAL, sys(SYS_msync, USER_DATA, 0x1000, 5));
    expect(-EINVAL, sys(SYS_madvise, USER_DATA, 0x1000, 99));
    expect(0, sys(SYS_madvise, USER_DATA, 0x1000, 3));
    expect(AREA, sys(SYS_mmap, AREA, 0x1000, 1, 0x12, 3, 0));
    expect(-EFAULT, sys(SYS_read, 3, AREA, 10));
}

/* A program that takes all memory is ended; the others and process 1 go on. */
static void takes_memory(void)
{
    for (uint64_t at = AREA;; at += 0x100000) {
        if (sys(SYS_mmap, at, 0x100000, 3, 0x32, UINT64_MAX, 0) < 0)
            sys(SYS_exit_group, 1);
        for (uint64_t page = at; page < at + 0x100000; page += PAGE_SIZE)
            user_store(page, 1);
    }
}

static void shares_little_memory(void)
{
    long greedy = user_fork(takes_memory, 0), other = user_fork(takes_memory, 0);
    int status;
    expect(greedy, call_wait(greedy, &status));
    expect(SIGKILL, status);
    expect(other, call_wait(other, &status));
    expect(SIGKILL, status);
}

static void test_out_of_memory(void **state)
{
    const struct machine_options options = {.frames = 1024};
    (void)state;
    assert_int_equal(machine_run(shares_little_memory, &options).value, 0);
    assert_non_null(strstr(console_text(), "out of memory: user 0"));
}

static void stops(void)
{
    expect(AREA, sys(SYS_mmap, AREA, 0x4000, 3, 0x32, UINT64_MAX, 0));
    user_store(AREA, 1);
    long pid = user_fork(NULL, 0);
    user_store(AREA, 2);
    user_store(thread_frame(current_thread)->rsp - 0x24000, 1);
    expect_exit(pid, 0);
    expect(0, sys(SYS_munmap, AREA, 0x1000));
}

static void test_stops_for_the_debugger(void **state)
{
    const struct machine_options options = {
        .check_calls = true,
        .cmdline = "stop=fork,cow,fault,grow,mmap,munmap,exit,exited,spaces stop_skip=1"};
    (void)state;
    assert_int_equal(machine_run(stops, &options).value, 0);
    assert_non_null(strstr(console_text(), "stop: cow pid 1"));
    assert_non_null(strstr(console_text(), "stop: exited pid 1"));
}

/* The first two of the steps in which fallocate(2) makes a large range, and the size of the file system. */
#define STEP     (8192 * PAGE_SIZE)
#define FS_BYTES "70m"

static void takes_turns(void)
{
    current_thread->work |= WORK_TURN_OVER;
}

static uint64_t blocks_of(long fd)
{
    expect(0, sys(SYS_fstat, (uint64_t)fd, RESULT));
    return user_load(RESULT + 64);
}

/* Waits until the range is being given back, and writes into the part that is still there. */
static void writes_behind(void)
{
    long fd = (long)user_argument();
    while (blocks_of(fd) < 2 * STEP / 512)
        (void)sys(SYS_sched_yield);
    while (blocks_of(fd) == 2 * STEP / 512)
        (void)sys(SYS_sched_yield);
    expect(STEP / 512, blocks_of(fd));
    expect(1, sys(SYS_pwrite64, (uint64_t)fd, S(1, "x"), 1, STEP + 5));
}

static void fails_to_allocate(void)
{
    expect(0, sys(SYS_mkdir, S(0, "/tmp/m"), 0755));
    expect(0, sys(SYS_mount, 0, S(0, "/tmp/m"), S(1, "tmpfs"), 0, S(2, "size=" FS_BYTES)));
    long fd = call_open("/tmp/m/f", O_RDWR | O_CREAT, 0600);
    long pid = user_fork(writes_behind, (uint64_t)fd);
    expect(-ENOSPC, sys(SYS_fallocate, (uint64_t)fd, 0, 0, 3 * STEP));
    expect_exit(pid, 0);
    expect(1, sys(SYS_pread64, (uint64_t)fd, RESULT, 1, STEP + 5));
    expect('x', user_load(RESULT) & 0xff);
}

/* What others write while a large allocation is given back after an error stays. */
static void test_failed_allocation_takes_nothing(void **state)
{
    const struct machine_options options = {.frames = RAM_FRAMES_MAX};
    (void)state;
    machine_at_point = takes_turns;
    assert_int_equal(machine_run(fails_to_allocate, &options).value, 0);
    machine_at_point = NULL;
}

/* A file of `size` bytes, of which the first 8 are written. It is mapped at AREA, without a fault. */
static uint64_t mapped_file(const char *path, uint64_t size)
{
    uint64_t fd = (uint64_t)call_open(path, O_RDWR | O_CREAT, 0600);
    expect(8, sys(SYS_write, fd, S(1, "abcdefgh"), 8));
    expect(0, sys(SYS_ftruncate, fd, size));
    expect((long)AREA,
           sys(SYS_mmap, AREA, 4 * PAGE_SIZE, 3, 0x11, fd, 0)); /* MAP_SHARED, MAP_FIXED */
    return fd;
}

/* The fault of the copy changes how the file is held: a small one gets pages, a hole gets a page. */
PROGRAM_TEST(a_file_is_copied_from_and_to_its_own_mapping)
{
    uint64_t fd = mapped_file("/tmp/a", 8);
    expect(6, sys(SYS_pwrite64, fd, AREA, 6, 2));
    expect(8, sys(SYS_pread64, fd, RESULT, 8, 0));
    fd = mapped_file("/tmp/b", 40);
    expect(8, sys(SYS_pread64, fd, AREA + 16, 8, 0));
    expect(1, user_load(AREA + 16) == user_load(AREA));
    fd = mapped_file("/tmp/c", 8);
    expect(8, sys(SYS_pwrite64, fd, AREA, 8, 1000));
    expect(1, user_load(AREA + 1000) == user_load(AREA));
    fd = mapped_file("/tmp/d", 4 * PAGE_SIZE);
    expect((long)PAGE_SIZE, sys(SYS_pwrite64, fd, AREA + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE));
    user_store(AREA + PAGE_SIZE, 5);
    expect(8, sys(SYS_pread64, fd, RESULT, 8, PAGE_SIZE));
    expect(5, user_load(RESULT));
    expect((long)(2 * PAGE_SIZE), sys(SYS_pread64, fd, AREA + 2 * PAGE_SIZE, 2 * PAGE_SIZE, 0));
    expect(5, user_load(AREA + 3 * PAGE_SIZE));
}

static void sleeps_until_a_day(void)
{
    const uint64_t far[2] = {UINT64_C(1) << 40, 0};
    user_write(AT(41), far, sizeof(far));
    (void)sys(SYS_clock_nanosleep, 0, 1 /* TIMER_ABSTIME */, AT(41), 0);
}

PROGRAM_TEST(sleep_until_a_time_that_a_signal_ends)
{
    long pid = user_fork(sleeps_until_a_day, 0);
    for (unsigned i = 0; i < 3; i++)
        expect(0, sys(SYS_sched_yield));
    expect(0, sys(SYS_kill, (uint64_t)pid, 10));
    expect_signal(pid, 10);
}

PROGRAM_TEST(arguments_that_are_wrong)
{
    char name[252];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    expect(-EINVAL, sys(SYS_memfd_create, user_string(AT(42), name), 0));
    expect(-EINVAL, sys(SYS_getgroups, (uint64_t)-1, AT(42)));
    expect(-EFAULT, sys(SYS_setgroups, 2, 8));
    uint64_t gone = (uint64_t)sys(SYS_mmap, 0, 0x1000, 3, 0x22, UINT64_MAX, 0);
    expect(0, sys(SYS_munmap, gone, 0x1000));
    expect(0, sys(SYS_pipe2, AT(42), 0));
    expect(1, sys(SYS_write, user_load(AT(42)) >> 32, AT(41), 1));
    expect(-EFAULT, sys(SYS_write, user_load(AT(42)) >> 32, gone, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_descriptor_controls),
        cmocka_unit_test(test_scheduling),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_permitted_processes_are_not_slowed_down),
        cmocka_unit_test(test_priorities_of_several_processes),
        cmocka_unit_test(test_memory_that_ends),
        cmocka_unit_test(test_what_is_wrong_first),
        cmocka_unit_test(test_memory_is_refused),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_stops_for_the_debugger),
        cmocka_unit_test(test_failed_allocation_takes_nothing),
        cmocka_unit_test(test_a_file_is_copied_from_and_to_its_own_mapping),
        cmocka_unit_test(test_sleep_until_a_time_that_a_signal_ends),
        cmocka_unit_test(test_arguments_that_are_wrong),
    };
    return cmocka_run_group_tests_name("edges", tests, NULL, check_stacks);
}
