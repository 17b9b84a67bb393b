/* System calls of a whole kernel on the host, each with a successful and a failing use; then all of
 * them again with every call decoded on the console. */
#include "tests/kernel_test.h"

#include "proc/proc.h"

#define S(n, text) user_string(AT(40 + (n)), text)
#define RESULT     (USER_DATA + 0x8000)
#define AREA       0x10000000ull
#define AT_CWD     ((uint64_t)-100)

static uint32_t word_at(uint64_t at)
{
    uint32_t word;
    user_read(&word, at, sizeof(word));
    return word;
}

static void files(void)
{
    expect(3, sys(SYS_open, S(0, "/tmp/f"), O_RDWR | O_CREAT | O_EXCL, 0640));
    expect(-EEXIST, sys(SYS_open, S(0, "/tmp/f"), O_RDWR | O_CREAT | O_EXCL, 0640));
    expect(5, sys(SYS_write, 3, S(1, "hello"), 5));
    expect(3, sys(SYS_pwrite64, 3, S(1, "HEL"), 3, 0));
    expect(2, sys(SYS_pread64, 3, RESULT, 100, 3));
    expect(-EINVAL, sys(SYS_pread64, 3, RESULT, 100, (uint64_t)-1));
    expect(1, sys(SYS_lseek, 3, 1, 0));
    expect(-EINVAL, sys(SYS_lseek, 3, 1, 9));
    expect(0, sys(SYS_fstat, 3, RESULT));
    expect(0, sys(SYS_stat, S(0, "/tmp/f"), RESULT + 256));
    expect(user_load(RESULT + 8), user_load(RESULT + 256 + 8)); /* st_ino */
    expect(5, user_load(RESULT + 48));                          /* st_size */
    expect(0, sys(SYS_newfstatat, AT_CWD, S(0, "/tmp/f"), RESULT, 0));
    expect(-EINVAL, sys(SYS_newfstatat, AT_CWD, S(0, "/tmp/f"), RESULT, 1));
    expect(0, sys(SYS_statx, AT_CWD, S(0, "/tmp/f"), 0, 0x7ff, RESULT));
    expect(0, sys(SYS_truncate, S(0, "/tmp/f"), 10));
    expect(0, sys(SYS_ftruncate, 3, 4));
    expect(-EINVAL, sys(SYS_ftruncate, 3, (uint64_t)-1));
    expect(0, sys(SYS_fallocate, 3, 0, 0, 8192));
    expect(-EINVAL, sys(SYS_fallocate, 3, 0, 0, 0));
    expect(1, sys(SYS_fcntl, 3, 1034, 0)); /* F_GET_SEALS: F_SEAL_SEAL */
    expect(-EPERM, sys(SYS_fcntl, 3, 1033, 1));
    expect(-EINVAL, sys(SYS_fcntl, 3, 1033, 0x40));
    expect(4, sys(SYS_open, S(0, "/tmp/f"), O_RDONLY));
    expect(-EPERM, sys(SYS_fcntl, 4, 1033, 1));
    expect(0, call_close(4));
    expect(0, sys(SYS_syncfs, 3));
    expect(0, sys(SYS_fsync, 3));
    expect(0, sys(SYS_fdatasync, 3));
    expect(-EBADF, sys(SYS_fdatasync, 77));
    expect(0, sys(SYS_sync));
    expect(0, sys(SYS_fchmod, 3, 0600));
    expect(0, sys(SYS_chmod, S(0, "/tmp/f"), 0644));
    expect(0, sys(SYS_fchmodat, AT_CWD, S(0, "/tmp/f"), 0644));
    expect(0, sys(SYS_chown, S(0, "/tmp/f"), 1, 2));
    expect(0, sys(SYS_fchown, 3, 0, 0));
    expect(0, sys(SYS_lchown, S(0, "/tmp/f"), 0, 0));
    expect(0, sys(SYS_fchownat, AT_CWD, S(0, "/tmp/f"), 3, 3, 0x100));
    expect(0, sys(SYS_access, S(0, "/tmp/f"), 6));
    expect(0, sys(SYS_faccessat, AT_CWD, S(0, "/tmp/f"), 4));
    expect(-EINVAL, sys(SYS_faccessat2, AT_CWD, S(0, "/tmp/f"), 4, 1));
    expect(0, sys(SYS_utimensat, AT_CWD, S(0, "/tmp/f"), 0, 0));
    expect(0, sys(SYS_utimes, S(0, "/tmp/f"), 0));
    expect(0, sys(SYS_statfs, S(0, "/tmp/f"), RESULT));
    expect(0, sys(SYS_fstatfs, 3, RESULT));
    const uint64_t vectors[4] = {RESULT, 3, RESULT + 8, 5};
    user_write(AT(2), vectors, sizeof(vectors));
    expect(8, sys(SYS_writev, 3, AT(2), 2));
    expect(0, sys(SYS_lseek, 3, 0, 0));
    expect(8, sys(SYS_readv, 3, AT(2), 2));
    expect(-EINVAL, sys(SYS_readv, 3, AT(2), 1025));
    expect(8, sys(SYS_preadv, 3, AT(2), 2, 0));
    expect(8, sys(SYS_pwritev, 3, AT(2), 2, 0));
    expect(4, sys(SYS_open, S(1, "/tmp/g"), O_RDWR | O_CREAT, 0600));
    expect(100, sys(SYS_sendfile, 4, 3, 0, 100));
    long folder = call_open("/tmp", O_RDONLY, 0);
    expect(-EINVAL, sys(SYS_sendfile, 4, (uint64_t)folder, 0, 100));
    expect(0, call_close(folder));
    user_store(AT(3), 0);
    expect(50, sys(SYS_copy_file_range, 3, AT(3), 4, 0, 50, 0));
    user_store(AT(30), INT64_MAX);
    expect(-EFBIG, sys(SYS_copy_file_range, 3, AT(3), 4, AT(30), 0, 0));
    expect(8, sys(SYS_pwritev2, 3, AT(2), 2, UINT64_MAX, 0, 0x10)); /* RWF_APPEND */
    expect(8, sys(SYS_pwritev2, 3, AT(2), 2, 0, 0, 0x10));
    expect(-ESPIPE, sys(SYS_pread64, 0, RESULT, 1, 0));
    user_store(AT(60) + 8, 2000000);
    expect(-EINVAL, sys(SYS_utimes, S(0, "/tmp/f"), AT(60)));
    expect(0, sys(SYS_fadvise64, 3, 0, 0, 1));
    expect(0, sys(SYS_close_range, 3, 4, 0));
    expect(-EBADF, call_close(3));
}

static void names(void)
{
    char text[16] = "";
    expect(0, sys(SYS_mkdir, S(0, "/tmp/d"), 0755));
    expect(-EEXIST, sys(SYS_mkdirat, AT_CWD, S(0, "/tmp/d"), 0755));
    expect(0, sys(SYS_symlink, S(1, "target"), S(2, "/tmp/l")));
    expect(6, sys(SYS_readlink, S(2, "/tmp/l"), AT(3), 16));
    user_read(text, AT(3), 6);
    expect(0, strcmp(text, "target"));
    expect(-EINVAL, sys(SYS_readlinkat, AT_CWD, S(0, "/tmp/d"), AT(3), 16));
    expect(0, sys(SYS_symlinkat, S(1, "x"), AT_CWD, S(2, "/tmp/l2")));
    expect(0, sys(SYS_mknod, S(2, "/tmp/p"), 0010600, 0));
    expect(-EINVAL, sys(SYS_open, S(2, "/tmp/p"), 3));
    expect(0, sys(SYS_mknodat, AT_CWD, S(2, "/tmp/n"), 0100600, 0));
    expect(0, sys(SYS_link, S(1, "/tmp/n"), S(2, "/tmp/d/n")));
    expect(0, sys(SYS_linkat, AT_CWD, S(1, "/tmp/n"), AT_CWD, S(2, "/tmp/d/m"), 0));
    /* the old name is looked up before the new one's descriptor, which is bad */
    expect(-ENOENT, sys(SYS_linkat, AT_CWD, S(1, "/tmp/none"), 99, S(2, "x"), 0));
    expect(-EBADF, sys(SYS_linkat, AT_CWD, S(1, "/tmp/n"), 99, S(2, "x"), 0x400));
    expect(-ENOENT, sys(SYS_renameat, AT_CWD, S(1, "/none/n"), 99, S(2, "x")));
    expect(-EPERM, sys(SYS_mknod, S(2, "/tmp/dir"), 0040755, 0));
    const int64_t no_time[4] = {0, -5, 0, 0};
    user_write(AT(3), no_time, sizeof(no_time));
    expect(-ENOENT, sys(SYS_utimensat, AT_CWD, S(1, "/tmp/none"), AT(3), 0));
    expect(-EINVAL, sys(SYS_utimensat, AT_CWD, S(1, "/tmp/n"), AT(3), 0));
    expect(0, sys(SYS_rename, S(1, "/tmp/n"), S(2, "/tmp/o")));
    expect(-ENOENT, sys(SYS_renameat, AT_CWD, S(1, "/tmp/n"), AT_CWD, S(2, "/tmp/o")));
    expect(-EEXIST, sys(SYS_renameat2, AT_CWD, S(1, "/tmp/o"), AT_CWD, S(2, "/tmp/p"), 1));
    expect(3, sys(SYS_open, S(0, "/tmp/d"), O_RDONLY));
    expect(1, sys(SYS_getdents64, 3, RESULT, 4096) > 0);
    expect(0, sys(SYS_lseek, 3, 0, 0));
    expect(1, sys(SYS_getdents, 3, RESULT, 4096) > 0);
    expect(-ENOENT, sys(SYS_chroot, S(0, "/tmp/none")));
    expect(0, sys(SYS_fchdir, 3));
    expect(7, sys(SYS_getcwd, AT(3), 100));
    expect(-ERANGE, sys(SYS_getcwd, AT(3), 3));
    expect(0, sys(SYS_chdir, S(0, "..")));
    expect(-ENOTEMPTY, sys(SYS_rmdir, S(0, "/tmp/d")));
    expect(0, sys(SYS_unlink, S(1, "/tmp/d/n")));
    expect(0, sys(SYS_unlinkat, 3, S(1, "m"), 0));
    expect(0, sys(SYS_unlinkat, AT_CWD, S(1, "/tmp/d"), 0x200));
    expect(0, call_close(3));
    expect(0, sys(SYS_setxattr, S(1, "/tmp/o"), S(2, "user.a"), S(3, "value"), 5, 0));
    expect(5, sys(SYS_getxattr, S(1, "/tmp/o"), S(2, "user.a"), AT(3), 100));
    expect(7, sys(SYS_listxattr, S(1, "/tmp/o"), AT(3), 100));
    expect(0, sys(SYS_removexattr, S(1, "/tmp/o"), S(2, "user.a")));
    expect(-ENODATA, sys(SYS_getxattr, S(1, "/tmp/o"), S(2, "user.a"), AT(3), 100));
}

/* The options of a tmpfs as Linux 6.18 takes and refuses them. */
static void mount_options(void)
{
    static const char *const good[] = {
        "size=4M,nr_blocks=0x10,nr_inodes=1k,uid=7,gid=010,mode=1777",
        "size=50%",
        "inode64",
        "size=1P",
        "size=16e",
        "size=18446744073709551617%",
        "uid=4294967294",
    };
    static const char *const bad[] = {
        "size=",
        "size=-1",
        "size=1z",
        "size=9e100",
        "uid=",
        "uid=4294967295",
        "uid=1844674407370955161600",
        "gid=0xfffffffff",
        "mode=9",
        "mode=",
        "nr_blocks=x",
        "nr_inodes=1kk",
        "nr_blocks=8e",
        "sizes=1",
        "uid",
    };
    expect(0, sys(SYS_mkdir, S(0, "/tmp/o"), 0755));
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        expect(0, sys(SYS_mount, 0, S(0, "/tmp/o"), S(2, "tmpfs"), 0, S(3, good[i])));
        expect(0, sys(SYS_stat, S(0, "/tmp/o"), RESULT));
        if (i == 0) { /* mode and uid, gid */
            expect(UINT64_C(7) << 32 | 041777, user_load(RESULT + 24));
            expect(8, user_load(RESULT + 32) & 0xffffffff);
        }
        expect(0, sys(SYS_umount2, S(0, "/tmp/o"), 0));
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect(-EINVAL, sys(SYS_mount, 0, S(0, "/tmp/o"), S(2, "tmpfs"), 0, S(3, bad[i])));
    expect(-EFAULT, sys(SYS_mount, 0, S(0, "/tmp/o"), S(2, "tmpfs"), 0, 8));
    expect(-EFAULT, sys(SYS_mount, 0, 8, S(2, "tmpfs"), 0, 0));
    expect(-EFAULT, sys(SYS_mount, 0, S(0, "/tmp/o"), 8, 0, 0));
    expect(-EFAULT, sys(SYS_mount, 8, S(0, "/tmp/o"), S(2, "tmpfs"), 0, 0));
    expect(-EFAULT, sys(SYS_umount2, 8, 0));
}

static void mounts(void)
{
    expect(0, sys(SYS_mkdir, S(0, "/tmp/m"), 0755));
    expect(0, sys(SYS_mount, S(1, "none"), S(0, "/tmp/m"), S(2, "tmpfs"), 0,
                  S(3, "size=1m,mode=700")));
    expect(-EINVAL, sys(SYS_mount, S(1, "none"), S(0, "/tmp/m"), S(2, "tmpfs"), 0, S(3, "size=x")));
    expect(-ENODEV, sys(SYS_mount, S(1, "none"), S(0, "/tmp/m"), S(2, "ext4"), 0, 0));
    expect(-EINVAL, sys(SYS_mount, S(1, "none"), S(0, "/tmp/m"), 0, 0, 0));
    expect(0, sys(SYS_mkdir, S(3, "/tmp/m/y"), 0755));
    /* fewer inodes than there are: nothing changes */
    expect(-EINVAL, sys(SYS_mount, S(1, "none"), S(0, "/tmp/m"), 0, 32 | 1, S(3, "nr_inodes=1")));
    expect(0, sys(SYS_rmdir, S(3, "/tmp/m/y")));
    /* a writer: nothing changes either */
    expect(3, sys(SYS_open, S(3, "/tmp/m/y"), O_RDWR | O_CREAT, 0644));
    expect(-EBUSY, sys(SYS_mount, S(1, "none"), S(0, "/tmp/m"), 0, 32 | 1, S(3, "nr_inodes=2")));
    expect(0, sys(SYS_mkdir, S(3, "/tmp/m/z"), 0755));
    expect(0, call_close(3));
    expect(-EINVAL, sys(SYS_mount, 0, S(0, "/tmp/m/z"), 0, 32, S(3, "size=1m")));
    expect(0, sys(SYS_mount, S(1, "none"), S(0, "/tmp/m"), 0, 32 | 1, S(3, "size=50%")));
    expect(-EROFS, sys(SYS_mkdir, S(3, "/tmp/m/x"), 0755));
    expect(0, sys(SYS_mount, S(1, "/dev"), S(0, "/tmp/m"), 0, 4096, 0));
    expect(0, sys(SYS_mount, 0, S(0, "/tmp/m"), S(1, "devtmpfs"), 1, 0));
    expect(-EROFS, sys(SYS_mkdir, S(1, "/tmp/m/x"), 0755));
    expect(4, sys(SYS_read, (uint64_t)sys(SYS_open, S(1, "/tmp/m/zero"), 0), AT(3), 4));
    expect(0, sys(SYS_close, 3));
    expect(0, sys(SYS_umount2, S(0, "/tmp/m"), 0));
    expect(-ENOSPC, sys(SYS_mount, 0, S(0, "/tmp/m"), S(1, "devtmpfs"), 0, S(3, "nr_inodes=8")));
    expect(0, sys(SYS_mount, 0, S(0, "/tmp/m"), 0, 1u << 18, 0)); /* MS_PRIVATE */
    expect(-EINVAL, sys(SYS_mount, 0, S(0, "/tmp/m"), 0, 3u << 18, 0));
    expect(-EINVAL, sys(SYS_mount, 0, S(3, "/tmp"), 0, 1u << 18, 0));
    expect(0, sys(SYS_umount2, S(0, "/tmp/m"), 0));
    expect(0, sys(SYS_umount2, S(0, "/tmp/m"), 2));
    expect(-EINVAL, sys(SYS_umount2, S(0, "/tmp/m"), 0));
}

static void memory(void)
{
    expect(AREA, sys(SYS_mmap, AREA, 0x8000, 3, 0x32, UINT64_MAX, 0));
    expect(-EINVAL, sys(SYS_mmap, AREA, 0, 3, 0x32, UINT64_MAX, 0));
    expect(-EACCES, sys(SYS_mmap, AREA, 0x1000, 7, 0x32, UINT64_MAX, 0));
    user_store(AREA, 1);
    expect(0, sys(SYS_mprotect, AREA, 0x1000, 1));
    expect(-ENOMEM, sys(SYS_mprotect, AREA, 0x10000, 1));
    expect(0, sys(SYS_madvise, AREA + 0x1000, 0x1000, 4));
    expect(0, sys(SYS_mincore, AREA, 0x3000, AT(3)));
    expect(1, user_load(AT(3)) & 0xffffff);
    expect(0, sys(SYS_msync, AREA, 0x1000, 4));
    expect(1, sys(SYS_mremap, AREA + 0x1000, 0x2000, 0x20000, 1) > 0);
    expect(0, sys(SYS_munmap, AREA + 0x4000, 0x1000));
    expect(0, sys(SYS_madvise, AREA + 0x5000, 0x2000, 22)); /* MADV_POPULATE_READ */
    for (uint64_t advice = 10; advice < 25; advice++)
        (void)sys(SYS_madvise, AREA, 0x1000, advice);
    expect(0, sys(SYS_madvise, AREA, 0x1000, 10)); /* MADV_DONTFORK */
    expect(0, sys(SYS_madvise, AREA, 0x1000, 11));
    expect(-EINVAL, sys(SYS_madvise, AREA, 0x1000, 9999));
    expect(0, sys(SYS_mlockall, 2)); /* MCL_FUTURE: growth is populated */
    expect(0, sys(SYS_munlockall));
    long end = sys(SYS_brk, 0);
    expect(end + 0x3000, sys(SYS_brk, (uint64_t)end + 0x3000));
    expect(end, sys(SYS_brk, (uint64_t)end));
    expect(0, sys(SYS_prlimit64, 0, RLIMIT_DATA, 0, AT(2)));
    uint64_t data = user_load(AT(2));
    user_store(AT(2), 0);
    expect(0, sys(SYS_prlimit64, 0, RLIMIT_DATA, AT(2), 0));
    expect(end, sys(SYS_brk, (uint64_t)end + 0x1000)); /* a limit of 0 stops the heap only */
    user_store(AT(2), data);
    expect(0, sys(SYS_prlimit64, 0, RLIMIT_DATA, AT(2), 0));
}

static void identity(void)
{
    expect(0, sys(SYS_getuid) + sys(SYS_geteuid) + sys(SYS_getgid) + sys(SYS_getegid));
    expect(1, sys(SYS_getpid));
    expect(1, sys(SYS_gettid));
    expect(0, sys(SYS_getppid));
    expect(1, sys(SYS_getpgrp));
    expect(0, sys(SYS_getresuid, AT(2), AT(3), AT(4)));
    expect(0, sys(SYS_getresgid, AT(2), AT(3), AT(4)));
    const uint32_t groups[3] = {5, 6, 7};
    user_write(AT(5), groups, sizeof(groups));
    expect(0, sys(SYS_setgroups, 3, AT(5)));
    expect(3, sys(SYS_getgroups, 10, AT(6)));
    expect(7, word_at(AT(6) + 8));
    expect(-EINVAL, sys(SYS_getgroups, 1, AT(6)));
    expect(0, sys(SYS_setregid, 9, 9));
    expect(0, sys(SYS_setresgid, 8, 8, 8));
    expect(0, sys(SYS_setgid, 4));
    expect(0, sys(SYS_setfsgid, 4) < 0);
    expect(0, sys(SYS_setfsuid, 0));
    expect(022, sys(SYS_umask, 077));
    expect(0, sys(SYS_prctl, 15, S(0, "name")));
    expect(0, sys(SYS_prctl, 16, AT(3)));
    expect(0, sys(SYS_arch_prctl, 0x1002, AREA));
    expect(0, sys(SYS_arch_prctl, 0x1003, AT(3)));
    expect(AREA, user_load(AT(3)));
    expect(-EPERM, sys(SYS_arch_prctl, 0x1002, USER_END));
    expect(1, sys(SYS_set_tid_address, 0));
    expect(0, sys(SYS_set_robust_list, AREA, 24));
    expect(0, sys(SYS_getpriority, 0, 0) < 0);
    expect(0, sys(SYS_setreuid, 3, 3));
    expect(-EPERM, sys(SYS_setuid, 0));
    expect(-EPERM, sys(SYS_setresuid, 0, 0, 0));
    expect(-EPERM, sys(SYS_chroot, S(0, "/")));
}

static void times(void)
{
    const uint64_t later[2] = {1, 0}, timer[4] = {0, 10000, 0, 10000};
    user_write(AT(3), timer, sizeof(timer));
    expect(0, sys(SYS_rt_sigprocmask, 0, AT(7), 0, 8));
    expect(0, sys(SYS_setitimer, 1, AT(3), 0));
    expect(0, sys(SYS_setitimer, 2, AT(3), AT(4)));
    expect(0, sys(SYS_getitimer, 2, AT(4)));
    user_write(AT(3), (const uint64_t[4]){0}, sizeof(timer));
    expect(0, sys(SYS_setitimer, 1, AT(3), 0));
    expect(0, sys(SYS_setitimer, 2, AT(3), 0));
    expect(0, sys(SYS_gettimeofday, AT(2), 0));
    expect(1700000000, user_load(AT(2)));
    expect(1700000000, sys(SYS_time, AT(2)));
    for (uint64_t clock = 0; clock < 12; clock++) {
        (void)sys(SYS_clock_gettime, clock, AT(2));
        (void)sys(SYS_clock_getres, clock, AT(2));
    }
    expect(-EINVAL, sys(SYS_clock_gettime, 99, AT(2)));
    user_write(AT(3), later, sizeof(later));
    expect(0, sys(SYS_clock_nanosleep, 1, 1, AT(3), 0));
    expect(0, sys(SYS_clock_nanosleep, 0, 0, AT(3), 0));
    expect(0, sys(SYS_getrusage, 0, RESULT));
    expect(1, sys(SYS_times, RESULT) > 0);
    expect(0, sys(SYS_sysinfo, RESULT));
    expect(0, sys(SYS_uname, RESULT));
    expect(16, sys(SYS_getrandom, RESULT, 16, 0));
    expect(-EINVAL, sys(SYS_getrandom, RESULT, 16, 64));
    expect(0, sys(SYS_getrlimit, RLIMIT_NOFILE, AT(2)));
    expect(0, sys(SYS_prlimit64, 0, RLIMIT_STACK, 0, AT(2)));
    expect(-EINVAL, sys(SYS_prlimit64, 0, 99, 0, AT(2)));
    expect(0, sys(SYS_futex, AREA, 1, 1, 0, 0, 0) > 0);
    expect(0, sys(SYS_membarrier, 1, 0, 0));        /* MEMBARRIER_CMD_GLOBAL */
    expect(-EBADF, sys(SYS_waitid, 3, 1, 0, 4, 0)); /* P_PIDFD */
    expect(-EINVAL, sys(SYS_waitid, 3, (uint64_t)-1, 0, 4, 0));
    expect(-ENOSYS, sys(SYS_epoll_create, 1));
    static const unsigned of_sockets[] = {
        SYS_connect,     SYS_accept,      SYS_accept4,    SYS_bind,      SYS_listen,
        SYS_shutdown,    SYS_sendto,      SYS_sendmsg,    SYS_recvfrom,  SYS_recvmsg,
        SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt};
    for (unsigned i = 0; i < sizeof(of_sockets) / sizeof(of_sockets[0]); i++)
        expect(-ENOTSOCK, sys(of_sockets[i], 0, 0, 0));
    expect(-EBADF, sys(SYS_getsockopt, 99, 0, 0, 0, 0));
    expect(-EAFNOSUPPORT, sys(SYS_socket, 1, 1, 0));
    expect(-EAFNOSUPPORT, sys(SYS_socket, 46, 11, 0));
    expect(-EINVAL, sys(SYS_socket, 1, 11, 0));
    expect(-EINVAL, sys(SYS_socketpair, 1, 0x10, 0, AREA));
    expect(-ENOSYS, sys(511));
    expect(-ENOSYS, sys(100000));
}

/* Each sentence is printed once: in the first run of this program. */
static void absent(void)
{
    expect(-EINVAL, sys(SYS_clone, 0x10f00, 0, 0, 0, 0)); /* CLONE_THREAD and what it needs */
    expect(-EACCES, sys(SYS_mmap, 0, 4096, 7, 0x22, (uint64_t)-1, 0));
    expect(-EACCES, sys(SYS_mprotect, AREA, 4096, 7));
    expect(-EINVAL, sys(SYS_personality, 0x400000)); /* READ_IMPLIES_EXEC */
}

static void descriptors(void)
{
    const uint64_t limit[2] = {4, 1024}; /* descriptor 3 is left, and a pipe needs two */
    user_write(AT(2), limit, sizeof(limit));
    expect(0, sys(SYS_setrlimit, RLIMIT_NOFILE, AT(2)));
    expect(-EMFILE, sys(SYS_pipe, AT(3)));
    user_store(AT(2), 1024);
    expect(0, sys(SYS_setrlimit, RLIMIT_NOFILE, AT(2)));
    expect(3, sys(SYS_dup, 0));
    expect(9, sys(SYS_dup2, 0, 9));
    expect(9, sys(SYS_dup2, 9, 9));
    expect(-EINVAL, sys(SYS_dup3, 9, 9, 0));
    expect(8, sys(SYS_dup3, 9, 8, 02000000));
    expect(20, sys(SYS_fcntl, 0, 0, 20));
    expect(1, sys(SYS_fcntl, 8, 1, 0));
    expect(0, sys(SYS_fcntl, 8, 2, 0));
    expect(02, sys(SYS_fcntl, 0, 3, 0) & 3);
    expect(0, sys(SYS_fcntl, 0, 4, 04002));
    expect(-EINVAL, sys(SYS_fcntl, 0, 1000, 0));
    expect(-EAGAIN, sys(SYS_read, 0, AT(3), 1));
    expect(0, sys(SYS_pipe2, AT(3), 02000000));
    expect(-EINVAL, sys(SYS_pipe2, AT(3), 1));
    expect(0, sys(SYS_unshare, CLONE_FILES | CLONE_FS));
    expect(-EBADF, sys(SYS_read, 900, AT(3), 1));
    expect(-EFAULT, sys(SYS_pipe, 8));
}

/* Reads all files of /proc to the end. */
static void read_all(const char *path)
{
    long n, fd = call_open(path, O_RDONLY, 0);
    if (fd < 0)
        host_fail("open %s: %ld", path, fd);
    while ((n = sys(SYS_read, (uint64_t)fd, RESULT, 512)) > 0)
        ;
    expect(0, n);
    expect(0, call_close(fd));
}

static void lives(void)
{
    for (;;)
        sys(SYS_pause);
}

/* The files of /proc that take settings, and the folders of threads. */
/* Expects a line with that text in the file, or none. */
static void expect_text(const char *path, const char *text, bool is_there)
{
    static char content[4096];
    long fd = call_open(path, O_RDONLY, 0);
    long size = sys(SYS_read, (uint64_t)fd, AREA, sizeof(content) - 1);
    expect(1, size > 0);
    user_read(content, AREA, (size_t)size);
    content[size] = '\0';
    expect(is_there, strstr(content, text) != NULL);
    expect(0, call_close(fd));
}

static void has_a_root(void)
{
    expect(0, sys(SYS_chroot, S(0, "/tmp/a b")));
    (void)sys(SYS_pause);
}

/* Mounts as processes see them: of odd names, outside of a root, and on what has gone. */
static void seen_mounts(void)
{
    char text[32];
    expect((long)AREA, sys(SYS_mmap, AREA, 0x1000, 3, 0x32, UINT64_MAX, 0));
    expect(0, sys(SYS_mkdir, S(0, "/tmp/a b"), 0755));
    expect(0, sys(SYS_mount, 0, S(0, "/tmp/a b"), S(1, "tmpfs"), 0, 0));
    long pid = user_fork(has_a_root, 0);
    call_sleep_ms(10);
    expect_text("/proc/mounts", " /tmp/a\\040b tmpfs", true);
    sprintf(text, "/proc/%ld/mountinfo", pid);
    expect_text(text, " / / ", true);
    expect_text(text, "/tmp", false);
    sprintf(text, "/proc/%ld", pid);
    expect(0, sys(SYS_mount, 0, S(0, text), S(1, "tmpfs"), 0, 0));
    expect_text("/proc/mounts", text, true);
    expect(0, call_kill(pid, SIGKILL));
    expect_signal(pid, SIGKILL);
    expect_text("/proc/mounts", text, false);
    const uint32_t groups[2] = {7, 8};
    user_write(AT(2), groups, sizeof(groups));
    expect(0, sys(SYS_setgroups, 2, AT(2)));
    expect_text("/proc/self/status", "Groups:\t7 8 \n", true);
}

static void proc_settings(void)
{
    long fd = call_open("/proc/self/comm", O_RDWR, 0);
    expect(4, sys(SYS_write, (uint64_t)fd, S(1, "name"), 4));
    expect(-EFAULT, sys(SYS_pwrite64, (uint64_t)fd, 8, 4, 0));
    expect(-EINVAL, sys(SYS_pwrite64, (uint64_t)fd, S(1, "name"), 4, 3));
    expect(0, call_close(fd));
    fd = call_open("/proc/self/oom_score_adj", O_RDWR, 0);
    expect(5, sys(SYS_pwrite64, (uint64_t)fd, S(1, " 100\n"), 5, 0));
    expect(4, sys(SYS_pwrite64, (uint64_t)fd, S(1, "-500"), 4, 0));
    expect(-EINVAL, sys(SYS_pwrite64, (uint64_t)fd, S(1, "x"), 1, 0));
    expect(-EINVAL, sys(SYS_pwrite64, (uint64_t)fd, S(1, "1001"), 4, 0));
    expect(0, call_close(fd));
    read_all("/proc/self/task/1/status");
    expect(-ENOENT, call_open("/proc/self/task/99/status", O_RDONLY, 0));
    fd = call_open("/proc/self/task", O_RDONLY, 0);
    expect(1, sys(SYS_getdents64, (uint64_t)fd, RESULT, 4096) > 0);
    expect(0, call_close(fd));
    expect(1, sys(SYS_readlink, S(0, "/proc/thread-self"), RESULT, 100) > 0);
    expect(-ENOTDIR, call_open("/proc/self/comm/x", O_RDONLY, 0));
}

static const char *const proc_paths[] = {
    "/proc/self/maps",
    "/proc/self/status",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/cmdline",
    "/proc/self/comm",
    "/proc/self/environ",
    "/proc/self/limits",
    "/proc/self/mounts",
    "/proc/meminfo",
    "/proc/version",
    "/proc/uptime",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/mounts",
    "/proc/self/auxv",
    "/proc/cmdline",
    "/proc/devices",
    "/proc/swaps",
    "/proc/vmstat",
    "/proc/self/mountinfo",
    "/proc/self/oom_score",
    "/proc/self/oom_score_adj",
    "/proc/self/smaps",
    "/proc/sys/fs/nr_open",
    "/proc/sys/fs/inotify/max_user_watches",
    "/proc/sys/fs/inotify/max_queued_events",
    "/proc/sys/fs/inotify/max_user_instances",
    "/proc/sys/kernel/cap_last_cap",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/ngroups_max",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/randomize_va_space",
    "/proc/sys/vm/max_map_count",
    "/proc/sys/vm/mmap_min_addr",
};

static void proc_files(void)
{
    static const char *const links[] = {"/proc/self", "/proc/self/exe", "/proc/self/cwd",
                                        "/proc/self/root", "/proc/self/fd/0"};
    for (size_t i = 0; i < sizeof(proc_paths) / sizeof(proc_paths[0]); i++)
        read_all(proc_paths[i]);
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        expect(1, sys(SYS_readlink, user_string(AT(0), links[i]), RESULT, 100) > 0);
    long pid = user_fork(lives, 0);
    call_sleep_ms(10);
    expect(2, pid);
    read_all("/proc/2/maps");
    read_all("/proc/2/status");
    long fd = call_open("/proc/2/stat", O_RDONLY, 0);
    expect(0, call_kill(pid, SIGKILL));
    expect_signal(pid, SIGKILL);
    expect(-ESRCH, sys(SYS_read, (uint64_t)fd, RESULT, 100));
    expect(-ENOENT, call_open("/proc/2/stat", O_RDONLY, 0));
    long dir = call_open("/proc", O_RDONLY, 0);
    while (sys(SYS_getdents64, (uint64_t)dir, RESULT, 4096) > 0)
        ;
    dir = call_open("/proc/self/fd", O_RDONLY, 0);
    expect(1, sys(SYS_getdents64, (uint64_t)dir, RESULT, 4096) > 0);
    dir = call_open("/proc/self", O_RDONLY, 0);
    expect(1, sys(SYS_getdents64, (uint64_t)dir, RESULT, 4096) > 0);
}

static void signals(void)
{
    expect(0, sys(SYS_tgkill, 1, 1, 0));
    expect(0, sys(SYS_tkill, 1, 0));
    expect(-ESRCH, sys(SYS_tkill, 99, 0));
    expect(-EINVAL, sys(SYS_tgkill, 0, 1, 0));
    expect(-EINVAL, sys(SYS_kill, 1, 65));
    expect(-ESRCH, sys(SYS_kill, 99, 0));
    expect(0, sys(SYS_rt_sigprocmask, 0, 0, AT(3), 8));
    expect(-EINVAL, sys(SYS_rt_sigprocmask, 9, AT(3), 0, 8));
    expect(-EINVAL, sys(SYS_rt_sigaction, SIGKILL, AT(3), 0, 8));
    expect(0, sys(SYS_sigaltstack, 0, AT(3)));
    expect(0, sys(SYS_sched_yield));
}

/* A handler's counter, and the value that came with the last signal. */
#define SIGNALS AT(24)
#define VALUE   (AT(24) + 8)

static void notes_value(int signal, uint64_t info, uint64_t context)
{
    (void)signal, (void)context;
    user_store(SIGNALS, user_load(SIGNALS) + 1);
    user_store(VALUE, user_load(info + 24));
}

/* A siginfo of 128 bytes with that code and value, and a word in its last bytes. */
static uint64_t signal_info(int code, uint64_t value, uint64_t last)
{
    uint64_t info[16] = {0, (uint32_t)code, 0, value};
    info[15] = last;
    user_write(AT(25), info, sizeof(info));
    return AT(25);
}

static void sends_to_parent(void)
{
    expect(-EPERM, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(0, 1, 0)));  /* SI_USER */
    expect(-EPERM, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(-6, 1, 0))); /* SI_TKILL */
    expect(-EPERM, sys(SYS_rt_tgsigqueueinfo, 1, 1, SIGUSR1, signal_info(0, 1, 0)));
    expect(0, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(-1, 44, 0))); /* SI_QUEUE */
}

static void queued_signals(void)
{
    expect(0, user_on_signal(SIGUSR1, notes_value, 0, 0));
    user_store(SIGNALS, 0);
    expect(0, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(-1, 42, 0)));
    expect(42, user_load(VALUE));
    expect(0, sys(SYS_rt_tgsigqueueinfo, 1, 1, SIGUSR1, signal_info(-1, 43, 0)));
    expect(43, user_load(VALUE));
    expect_exit(user_fork(sends_to_parent, 0), 0);
    expect(44, user_load(VALUE));
    expect(0, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(0, 45, 0))); /* to itself */
    expect(0, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(-60, 46, 1)));
    expect(0, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(-1, 44, 0)));
    expect(0, user_on_signal(SIGSEGV, notes_value, 0, 0));
    expect(0, sys(SYS_rt_sigqueueinfo, 1, SIGSEGV, signal_info(1, 0, 0))); /* SEGV_MAPERR */
    user_store(SIGNALS, 5);
    expect(-E2BIG, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, signal_info(-8, 1, 1)));
    expect(0, sys(SYS_rt_sigqueueinfo, 1, 0, signal_info(-8, 1, 0)));
    expect(-EFAULT, sys(SYS_rt_sigqueueinfo, 1, SIGUSR1, 8));
    expect(-EFAULT, sys(SYS_rt_tgsigqueueinfo, 1, 1, SIGUSR1, 8));
    expect(-ESRCH, sys(SYS_rt_sigqueueinfo, 99, SIGUSR1, signal_info(-1, 1, 0)));
    expect(-EINVAL, sys(SYS_rt_sigqueueinfo, 1, 65, signal_info(-1, 1, 0)));
    expect(-EINVAL, sys(SYS_rt_tgsigqueueinfo, 0, 1, SIGUSR1, signal_info(-1, 1, 0)));
    expect(-EINVAL, sys(SYS_rt_tgsigqueueinfo, 1, 0, SIGUSR1, signal_info(-1, 1, 0)));
    expect(-ESRCH, sys(SYS_rt_tgsigqueueinfo, 1, 99, SIGUSR1, signal_info(-1, 1, 0)));
    expect(5, user_load(SIGNALS));
}

static void settings(void)
{
    enum {
        PDEATHSIG = 1,
        DUMPABLE = 3,
        KEEPCAPS = 7,
        CAPBSET = 23,
        SECUREBITS = 27,
        SLACK = 29,
        SUBREAPER = 36,
        NO_NEW_PRIVS = 38,
        AMBIENT = 47
    };
    expect(0, sys(SYS_prctl, PDEATHSIG, 9));
    expect(-EINVAL, sys(SYS_prctl, PDEATHSIG, 65));
    expect(0, sys(SYS_prctl, PDEATHSIG + 1, AT(3)));
    expect(9, word_at(AT(3)));
    expect(1, sys(SYS_prctl, DUMPABLE));
    expect(0, sys(SYS_prctl, DUMPABLE + 1, 0));
    expect(-EINVAL, sys(SYS_prctl, DUMPABLE + 1, 2));
    expect(0, sys(SYS_prctl, KEEPCAPS + 1, 1));
    expect(1, sys(SYS_prctl, KEEPCAPS));
    expect(-EINVAL, sys(SYS_prctl, KEEPCAPS + 1, 2));
    expect(1, sys(SYS_prctl, CAPBSET, 5));
    expect(0, sys(SYS_prctl, CAPBSET + 1, 5));
    expect(0, sys(SYS_prctl, CAPBSET, 5));
    expect(-EINVAL, sys(SYS_prctl, CAPBSET, 99));
    expect(-EINVAL, sys(SYS_prctl, CAPBSET + 1, 99));
    expect(0, sys(SYS_prctl, SECUREBITS + 1, 0x20)); /* KEEP_CAPS is locked */
    expect(0x20, sys(SYS_prctl, SECUREBITS));
    expect(-EPERM, sys(SYS_prctl, SECUREBITS + 1, 0));
    expect(-EPERM, sys(SYS_prctl, KEEPCAPS + 1, 1));
    expect(0, sys(SYS_prctl, SLACK, 7));
    expect(7, sys(SYS_prctl, SLACK + 1));
    expect(0, sys(SYS_prctl, SUBREAPER, 1));
    expect(0, sys(SYS_prctl, SUBREAPER + 1, AT(3)));
    expect(1, word_at(AT(3)));
    expect(0, sys(SYS_prctl, AMBIENT, 1, 3, 0, 0));
    expect(-EPERM, sys(SYS_prctl, AMBIENT, 2, 3, 0, 0));
    expect(0, sys(SYS_prctl, AMBIENT, 3, 3, 0, 0));
    expect(0, sys(SYS_prctl, AMBIENT, 4, 0, 0, 0));
    expect(-EINVAL, sys(SYS_prctl, AMBIENT, 9, 3, 0, 0));
    expect(-EINVAL, sys(SYS_prctl, AMBIENT, 1, 99, 0, 0));
    expect(-EINVAL, sys(SYS_prctl, NO_NEW_PRIVS, 2, 0, 0, 0));
    expect(0, sys(SYS_prctl, NO_NEW_PRIVS, 1, 0, 0, 0));
    expect(1, sys(SYS_prctl, NO_NEW_PRIVS + 1, 0, 0, 0, 0));
    expect(0, sys(SYS_prctl, 21));
    expect(-EINVAL, sys(SYS_prctl, 9999));
    expect(-EINVAL, sys(SYS_arch_prctl, 0x9999, 0));
}

static void schedules(void)
{
    const uint32_t attributes[12] = {48, 0, 0, 0, 5};
    user_store(AT(3), 1);
    expect(0, sys(SYS_sched_setaffinity, 0, 8, AT(3)));
    expect(-ESRCH, sys(SYS_sched_setaffinity, 99, 8, AT(3)));
    expect(8, sys(SYS_sched_getaffinity, 0, 8, AT(3)));
    expect(-EINVAL, sys(SYS_sched_getaffinity, 0, 0, AT(3)));
    expect(0, sys(SYS_sched_getscheduler, 0));
    expect(-EINVAL, sys(SYS_sched_getscheduler, (uint64_t)-1));
    user_store(AT(3), 0);
    expect(0, sys(SYS_sched_getparam, 0, AT(3)));
    expect(0, sys(SYS_sched_setparam, 0, AT(3)));
    expect(0, sys(SYS_sched_setscheduler, 0, 3, AT(3)));
    expect(-EINVAL, sys(SYS_sched_setscheduler, 0, 99, AT(3)));
    expect(99, sys(SYS_sched_get_priority_max, 1));
    expect(1, sys(SYS_sched_get_priority_min, 1));
    expect(-EINVAL, sys(SYS_sched_get_priority_min, 99));
    expect(0, sys(SYS_sched_rr_get_interval, 0, AT(4)));
    expect(-ESRCH, sys(SYS_sched_rr_get_interval, 99, AT(4)));
    user_write(RESULT, attributes, sizeof(attributes));
    expect(0, sys(SYS_sched_setattr, 0, RESULT, 0));
    expect(0, sys(SYS_sched_getattr, 0, RESULT, 48, 0));
    expect(5, word_at(RESULT + 16));
    user_store(RESULT, 8);
    expect(-E2BIG, sys(SYS_sched_setattr, 0, RESULT, 0));
    expect(-EINVAL, sys(SYS_sched_getattr, 0, RESULT, 8, 0));
    expect(0, sys(SYS_setpriority, 0, 0, 10));
    expect(10, sys(SYS_getpriority, 0, 0));
    expect(-EINVAL, sys(SYS_setpriority, 9, 0, 10));
    expect(-ESRCH, sys(SYS_getpriority, 0, 99));
    expect(0, sys(SYS_setpriority, 1, 0, 11));
    expect(0, sys(SYS_setpriority, 2, 0, 12));
    expect(0, sys(SYS_ioprio_set, 1, 0, 2 << 13 | 4));
    expect(2 << 13 | 4, sys(SYS_ioprio_get, 1, 0));
    expect(-EINVAL, sys(SYS_ioprio_get, 9, 0));
    expect(0, sys(SYS_ioprio_set, 1, 0, 3 << 13)); /* the idle class */
    expect(0, sys(SYS_ioprio_set, 1, 0, 0));
    const uint32_t clamps[16] = {56, 0, 0x20}; /* a flag of utilization */
    const uint32_t longer[16] = {64}, unknown[16] = {64, [15] = 1};
    user_write(RESULT, clamps, sizeof(clamps));
    expect(-EOPNOTSUPP, sys(SYS_sched_setattr, 0, RESULT, 0));
    user_write(RESULT, longer, sizeof(longer));
    expect(0, sys(SYS_sched_setattr, 0, RESULT, 0));
    user_write(RESULT, unknown, sizeof(unknown));
    expect(-E2BIG, sys(SYS_sched_setattr, 0, RESULT, 0));
    expect(56, word_at(RESULT)); /* the size that the kernel knows */
    expect(-EFAULT, sys(SYS_sched_setattr, 0, AREA, 0));
}

static void holds_locks(void)
{
    const uint64_t write_lock[4] = {1, 10, 20, 0};
    user_write(AT(5), write_lock, sizeof(write_lock));
    expect(0, sys(SYS_fcntl, 3, 6, AT(5)));
    expect(0, sys(SYS_flock, 4, 2));
    lives();
}

static void locks(void)
{
    enum { GET = 5, SET, SET_AND_WAIT, OWN_GET = 36, OWN_SET };
    const uint64_t all_of_it[4] = {1, 0, 0, 0};
    expect(3, sys(SYS_open, S(0, "/tmp/locked"), O_RDWR | O_CREAT, 0600));
    expect(4, sys(SYS_open, S(0, "/tmp/locked"), O_RDWR, 0));
    long pid = user_fork(holds_locks, 0);
    call_sleep_ms(10);
    user_write(AT(6), all_of_it, sizeof(all_of_it));
    expect(-EAGAIN, sys(SYS_fcntl, 3, SET, AT(6)));
    expect(-EAGAIN, sys(SYS_fcntl, 3, OWN_SET, AT(6)));
    expect(0, sys(SYS_fcntl, 3, GET, AT(6)));
    expect(1, user_load(AT(6)) & 0xffff);
    expect(10, user_load(AT(6) + 8));
    expect(20, user_load(AT(6) + 16));
    expect(pid, word_at(AT(6) + 24));
    expect(-EINVAL, sys(SYS_fcntl, 3, OWN_GET, AT(6))); /* the pid must be 0 */
    expect(0, sys(SYS_flock, 4, 8));
    long place = call_open("/tmp/locked", 010000000, 0); /* O_PATH: drops none */
    expect(0, call_close(place));
    expect(-EAGAIN, sys(SYS_fcntl, 3, SET, AT(6)));
    expect(-EINVAL, sys(SYS_flock, 3, 3));
    expect(-EBADF, sys(SYS_flock, 77, 1));
    expect(0, sys(SYS_flock, 3, 1));
    expect(-EAGAIN, sys(SYS_flock, 4, 2 | 4));
    expect(0, call_kill(pid, SIGKILL));
    expect_signal(pid, SIGKILL);
    user_write(AT(6), all_of_it, sizeof(all_of_it));
    expect(0, sys(SYS_fcntl, 3, SET_AND_WAIT, AT(6)));
    expect(0, sys(SYS_fcntl, 3, GET, AT(6)));
    expect(2, user_load(AT(6)) & 0xffff);
    expect(-EFAULT, sys(SYS_fcntl, 3, SET, 8));
    expect(20, sys(SYS_lseek, 3, 20, 0));
    const uint64_t forms[][4] = {
        {1 | 1 << 16, 0, 5, 0}, {1 | 2 << 16, 0, 5, 0}, {1, 10, (uint64_t)-5, 0}};
    const uint64_t wrong[][4] = {{1 | 1 << 16, (uint64_t)-21, 5, 0},
                                 {1 | 3 << 16, 0, 5, 0},
                                 {1, 10, (uint64_t)-11, 0},
                                 {1 | 1 << 16, INT64_MAX, 5, 0}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        user_write(AT(6), forms[i], sizeof(forms[i]));
        expect(0, sys(SYS_fcntl, 3, SET, AT(6)));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        user_write(AT(6), wrong[i], sizeof(wrong[i]));
        expect(1, sys(SYS_fcntl, 3, SET, AT(6)) < 0);
    }
    expect(0, sys(SYS_flock, 3, 32));
    user_write(AT(6), all_of_it, sizeof(all_of_it));
    user_store(AT(6), 7);
    expect(-EINVAL, sys(SYS_fcntl, 3, SET, AT(6)));
    expect(-EINVAL, sys(SYS_fcntl, 3, GET, AT(6)));
    expect(0, call_close(4));
}

static void lets_go(void)
{
    const uint64_t whole[4] = {1, 0, 0, 0};
    user_write(AT(5), whole, sizeof(whole));
    expect(0, sys(SYS_fcntl, 3, 6, AT(5)));
    call_sleep_ms(50);
    sys(SYS_exit_group, 0);
}

/* A lock that is waited for comes when its holder ends. */
static void waits_for_a_lock(void)
{
    const uint64_t whole[4] = {1, 0, 0, 0};
    expect(3, sys(SYS_open, S(0, "/tmp/locked"), O_RDWR | O_CREAT, 0600));
    long pid = user_fork(lets_go, 0);
    call_sleep_ms(10);
    user_write(AT(6), whole, sizeof(whole));
    expect(0, sys(SYS_fcntl, 3, 7, AT(6)));
    expect_exit(pid, 0);
}

static void watches(void)
{
    expect(0, sys(SYS_mkdir, S(0, "/tmp/w"), 0755));
    expect(3, sys(SYS_inotify_init1, 04000));
    expect(-EINVAL, sys(SYS_inotify_init1, 1));
    expect(1, sys(SYS_inotify_add_watch, 3, S(0, "/tmp/w"), 0xfff));
    expect(-EINVAL, sys(SYS_inotify_add_watch, 3, S(0, "/tmp/w"), 0));
    expect(-EINVAL, sys(SYS_inotify_add_watch, 0, S(0, "/tmp/w"), 0xfff));
    expect(-EAGAIN, sys(SYS_read, 3, RESULT, 512));
    expect(4, sys(SYS_open, S(1, "/tmp/w/file"), O_RDWR | O_CREAT, 0600));
    expect(3, sys(SYS_write, 4, S(2, "abc"), 3));
    expect(0, sys(SYS_lseek, 4, 0, 0));
    expect(3, sys(SYS_read, 4, RESULT, 3));
    expect(0, sys(SYS_ftruncate, 4, 1));
    expect(0, call_close(4));
    expect(0, sys(SYS_rename, S(1, "/tmp/w/file"), S(2, "/tmp/w/other")));
    expect(-EINVAL, sys(SYS_read, 3, RESULT, 8));
    user_store(AT(4), 3 | 1ull << 32); /* struct pollfd: POLLIN of 3 */
    expect(1, sys(SYS_poll, AT(4), 1, 0));
    expect(-EBADF, sys(SYS_inotify_add_watch, 77, S(0, "/tmp/w"), 0xfff));
    expect(-ENOTDIR,
           sys(SYS_inotify_add_watch, 3, S(0, "/tmp/w/other"), 0x1000fff)); /* IN_ONLYDIR */
    expect(2, sys(SYS_inotify_add_watch, 3, S(0, "/tmp/w/other"), 0xfff));
    expect(0, sys(SYS_unlink, S(2, "/tmp/w/other")));
    expect(1, sys(SYS_ioctl, 3, 0x541b, AT(3)) == 0 && word_at(AT(3)) > 0);
    expect(1, sys(SYS_read, 3, RESULT, 512) > 0);
    expect(1, word_at(RESULT));
    expect(0x100, word_at(RESULT + 4)); /* IN_CREATE */
    expect(0, sys(SYS_inotify_rm_watch, 3, 1));
    expect(-EINVAL, sys(SYS_inotify_rm_watch, 3, 1));
    expect(0x8000, (sys(SYS_read, 3, RESULT, 512), word_at(RESULT + 4))); /* IN_IGNORED */
    expect(4, sys(SYS_inotify_init));
    expect(0, call_close(4));
}

static void locked_memory(void)
{
    expect(AREA, sys(SYS_mmap, AREA, 0x8000, 3, 0x32, UINT64_MAX, 0));
    expect(0, sys(SYS_mlock, AREA, 0x2000));
    expect(-EBUSY, sys(SYS_msync, AREA, 0x1000, 2));
    expect(0, sys(SYS_munlock, AREA, 0x2000));
    expect(0, sys(SYS_mlock2, AREA, 0x2000, 1));
    expect(-EINVAL, sys(SYS_mlock2, AREA, 0x2000, 2));
    expect(-ENOMEM, sys(SYS_mlock, AREA + 0x7000, 0x2000));
    uint64_t heap = (uint64_t)sys(SYS_brk, 0);
    expect((long)heap + 0x1000, sys(SYS_brk, heap + 0x1000));
    expect(0, sys(SYS_mlockall, 3));
    expect((long)heap + 0x3000, sys(SYS_brk, heap + 0x3000));
    expect(0, sys(SYS_mincore, (heap + 0xfff) / 0x1000 * 0x1000, 0x3000, RESULT));
    expect(0x010101, user_load(RESULT) & 0x010101); /* there without a touch */
    expect((long)heap, sys(SYS_brk, heap));
    expect(-EINVAL, sys(SYS_mlockall, 0));
    expect(0, sys(SYS_munlockall));
    const uint64_t local[2] = {AREA, 16}, remote[2] = {AREA + 0x1000, 16};
    user_write(AT(2), local, sizeof(local));
    user_write(AT(3), remote, sizeof(remote));
    user_store(AREA + 0x1000, 99);
    expect(16, sys(SYS_process_vm_readv, 1, AT(2), 1, AT(3), 1, 0));
    expect(99, user_load(AREA));
    expect(16, sys(SYS_process_vm_writev, 1, AT(2), 1, AT(3), 1, 0));
    expect(-ESRCH, sys(SYS_process_vm_readv, 99, AT(2), 1, AT(3), 1, 0));
    expect(-EINVAL, sys(SYS_process_vm_readv, 1, AT(2), 1, AT(3), 1, 1));
    expect(1, sys(SYS_membarrier, 0, 0, 0) > 0);
    expect(0, sys(SYS_membarrier, 4, 0, 0)); /* MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED */
    expect(-EINVAL, sys(SYS_membarrier, 9999, 0, 0));
}

static void cannot_set_the_clock(void)
{
    user_store(RESULT, 1); /* ADJ_OFFSET */
    expect(0, sys(SYS_setresuid, 5, 5, 5));
    expect(-EPERM, sys(SYS_adjtimex, RESULT));
    user_store(RESULT, 0xa001); /* ADJ_OFFSET_SS_READ */
    expect(5, sys(SYS_adjtimex, RESULT));
}

static void clock_state(void)
{
    user_write(RESULT, (const uint64_t[26]){0}, 208);
    expect(5, sys(SYS_adjtimex, RESULT));  /* TIME_ERROR */
    expect(10000, user_load(RESULT + 88)); /* tick */
    expect(5, sys(SYS_clock_adjtime, 0, RESULT));
    expect(-EOPNOTSUPP, sys(SYS_clock_adjtime, 1, RESULT));
    expect(-EOPNOTSUPP, sys(SYS_clock_adjtime, (uint64_t)-6, RESULT));
    expect(-EINVAL, sys(SYS_clock_adjtime, 99, RESULT));
    expect(-EINVAL, sys(SYS_clock_adjtime, (uint64_t)-5, RESULT)); /* of a device */
    expect(-EFAULT, sys(SYS_clock_adjtime, 99, 8));
    expect(-EFAULT, sys(SYS_adjtimex, 8));
    user_store(RESULT, 1);
    expect(-EINVAL, sys(SYS_adjtimex, RESULT));
    expect_exit(user_fork(cannot_set_the_clock, 0), 0);
}

static void ends_with_7(void)
{
    sys(SYS_exit_group, 7);
}

static void waits_and_clocks(void)
{
    enum { P_ALL, P_PID, P_PGID };
    const uint64_t day[2] = {1800000000, 5};
    clock_state();
    long pid = user_fork(ends_with_7, 0);
    expect(0, sys(SYS_waitid, P_PID, (uint64_t)pid, RESULT, WEXITED | WNOWAIT, 0));
    expect(SIGCHLD, word_at(RESULT));
    expect(pid, word_at(RESULT + 16));
    expect(7, word_at(RESULT + 24));
    expect(-ECHILD, sys(SYS_waitid, P_PID, (uint64_t)pid, RESULT, WUNTRACED, 0)); /* it has ended */
    expect(0, sys(SYS_waitid, P_PGID, 0, RESULT, WEXITED, RESULT + 256));
    expect(-ECHILD, sys(SYS_waitid, P_ALL, 0, RESULT, WEXITED, 0));
    expect(-EINVAL, sys(SYS_waitid, P_ALL, 0, RESULT, 0, 0));
    expect(-EINVAL, sys(SYS_waitid, 9, 0, RESULT, WEXITED, 0));
    expect(-EINVAL, sys(SYS_waitid, P_PID, 0, RESULT, WEXITED, 0));
    user_write(AT(3), day, sizeof(day));
    expect(0, sys(SYS_clock_settime, 0, AT(3)));
    expect(0, sys(SYS_gettimeofday, AT(4), 0));
    expect(1800000000, user_load(AT(4)));
    expect(0, sys(SYS_settimeofday, AT(3), 0));
    expect(-EINVAL, sys(SYS_clock_settime, 1, AT(3)));
    expect(-EPERM, sys(SYS_clock_settime, (uint64_t)-6, AT(3)));
    expect(-EFAULT, sys(SYS_clock_settime, 0, 8));
    user_store(AT(3) + 8, (uint64_t)-1);
    expect(-EINVAL, sys(SYS_clock_settime, 0, AT(3)));
    expect(0, sys(SYS_clock_gettime, (uint64_t)-6, AT(4))); /* of this process, CPUCLOCK_SCHED */
    expect(-EINVAL, sys(SYS_clock_gettime, (uint64_t)(~99l * 8 + 2), AT(4)));
}

/* The last one's trace is looked at. */
static user_fn *const all[] = {
    absent,   files,     names,       mounts,     mount_options, queued_signals,   memory,
    times,    signals,   descriptors, proc_files, seen_mounts,   proc_settings,    waits_for_a_lock,
    settings, schedules, locks,       watches,    locked_memory, waits_and_clocks, identity};
static unsigned which;

static void runs_one(void)
{
    all[which]();
}

static void run_all(const char *cmdline)
{
    /* a trace reads the same bytes as the call */
    const struct machine_options options = {.check_calls = true,
                                            .cmdline = cmdline,
                                            .measure_stacks = KERNEL_STACK_BOUND > 0,
                                            .allow_refetch = *cmdline};
    for (which = 0; which < sizeof(all) / sizeof(all[0]); which++) {
        struct machine_end end = machine_run(runs_one, &options);
        assert_int_equal(end.verdict, VERDICT_EXIT);
        assert_int_equal(end.value, 0);
    }
}

static void test_calls(void **state)
{
    (void)state;
    const struct machine_options options = {.check_calls = true};
    (void)machine_run(absent, &options);
    const char *threads = strstr(console_text(), ": there are no threads here: EINVAL\n");
    const char *code =
        strstr(console_text(), ": memory is never both writable and executable here: ");
    assert_non_null(threads);
    assert_non_null(code);
    assert_non_null(strstr(code, ": there is no READ_IMPLIES_EXEC here: EINVAL\n"));
    assert_null(strstr(threads + 20, "no threads"));
    assert_null(strstr(code + 40, "executable"));
    run_all("");
}

static void test_traced_calls(void **state)
{
    (void)state;
    run_all("trace=all");
    assert_non_null(strstr(console_text(), "getresuid("));
    run_all("trace=1,read,write,openat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_traced_calls),
    };
    return cmocka_run_group_tests_name("calls", tests, NULL, check_stacks);
}
