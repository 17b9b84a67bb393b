/*
 * The width of arguments: where Linux takes an int, an unsigned int, a uid_t or a umode_t, the
 * kernel must ignore the rest of the register in every call, and the upper half of RAX too. Where
 * Linux takes all 64 bits, the kernel must use all of them.
 *
 * Each case runs in a child of its own, in a directory that holds the same files each time. The
 * result of the call, what can be seen of the process and its files afterwards, and the status of
 * the child must be the same for the clean value and for each pattern in the upper bits.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The descriptors that each case finds, and the first that is free. */
enum { FD_FILE = 10, FD_DIR, FD_PIPE, FD_PIPE_END, FD_NULL, FD_FREE = 20 };

#define FILE_SIZE  100
#define PIPE_BYTES 8

/* Placeholders for the process id of the caller and of its child. */
#define SELF  0x7eadbee1UL
#define CHILD 0x7eadbee2UL

/* EXACT: the result is `wanted`. ANY: it is not an error. SAME: it equals the result for clean
 * values. OUTPUT: as EXACT, and width_out is compared too. */
enum width_kind { EXACT, ANY, SAME, OUTPUT };

struct width_case {
    const char *name;
    long number;
    unsigned narrow; /* bit i: argument i has 32 bits */
    unsigned half;   /* bit i: it has 16 */
    enum width_kind kind;
    long wanted;
    unsigned long arguments[6];
};

/* A call of which some argument has a bit above 31 that counts. */
struct wide_case {
    const char *name;
    long number;
    long wanted;
    unsigned long arguments[6];
};

#define P(object) ((unsigned long)(uintptr_t)(object))
#define HERE      ((unsigned long)AT_FDCWD)
#define GB4       0x100000000UL
#define TOP       0x8000000000000000UL

#define ARCH_GET_FS 0x1003
#define FUTEX_WAIT  0
#define FUTEX_WAKE  1

static char width_text[FILE_SIZE] = "eight bytes and more";
static unsigned char width_out[1024];

static char page[8192] __attribute__((aligned(4096)));
static struct pollfd polled = {.fd = FD_PIPE, .events = POLLIN};
static struct iovec vector[2] = {{width_out, 4}, {width_out + 4, 4}};
static fd_set readable = {{1UL << FD_PIPE}};
static struct timeval no_time = {0, 0};
static struct timespec no_timespec = {0, 0}, short_time = {0, 1000};
static struct itimerval second = {{0, 0}, {100, 0}};
static unsigned long ignore[4] = {1, 0, 0, 0}, usr2[1] = {1UL << (SIGUSR2 - 1)};
static struct rlimit limit = {4096, RLIM_INFINITY};
static gid_t groups[1] = {7};
static int word = 5;
static unsigned long area[4] __attribute__((aligned(32)));

/* The last has no name. */
static const struct width_case width_cases[] = {
    {"read", SYS_read, 1, 0, OUTPUT, 4, {FD_PIPE, P(width_out), 4}},
    {"write", SYS_write, 1, 0, EXACT, 4, {FD_FILE, P(width_text), 4}},
    {"open", SYS_open, 2, 4, EXACT, 3, {P("new"), O_CREAT | O_WRONLY, 0640}},
    {"close", SYS_close, 1, 0, EXACT, 0, {FD_PIPE}},
    {"fstat", SYS_fstat, 1, 0, EXACT, 0, {FD_FILE, P(width_out)}},
    {"poll", SYS_poll, 6, 0, EXACT, 1, {P(&polled), 1, 1000}},
    {"poll, a timeout", SYS_poll, 6, 0, EXACT, 0, {0, 0, 1}},
    {"lseek", SYS_lseek, 5, 0, EXACT, 50, {FD_FILE, 50, SEEK_SET}},
    {"mmap", SYS_mmap, 16, 0, ANY, 0, {0, 4096, PROT_READ, MAP_PRIVATE, FD_FILE, 0}},
    {"mmap, no file",
     SYS_mmap,
     16,
     0,
     ANY,
     0,
     {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1UL, 0}},
    {"rt_sigaction", SYS_rt_sigaction, 1, 0, EXACT, 0, {SIGUSR1, P(ignore), 0, 8}},
    {"rt_sigprocmask", SYS_rt_sigprocmask, 1, 0, EXACT, 0, {SIG_BLOCK, P(usr2), 0, 8}},
    {"ioctl", SYS_ioctl, 3, 0, OUTPUT, 0, {FD_PIPE, FIONREAD, P(width_out)}},
    {"pread64", SYS_pread64, 1, 0, OUTPUT, 4, {FD_FILE, P(width_out), 4, 2}},
    {"pwrite64", SYS_pwrite64, 1, 0, EXACT, 4, {FD_FILE, P(width_text), 4, 200}},
    {"readv", SYS_readv, 5, 0, OUTPUT, 8, {FD_PIPE, P(vector), 2}},
    {"writev", SYS_writev, 5, 0, EXACT, 8, {FD_FILE, P(vector), 2}},
    {"access", SYS_access, 2, 0, EXACT, 0, {P("file"), R_OK}},
    {"select", SYS_select, 1, 0, EXACT, 1, {FD_PIPE + 1, P(&readable), 0, 0, P(&no_time)}},
    {"msync", SYS_msync, 4, 0, EXACT, 0, {P(page), 4096, MS_ASYNC}},
    {"madvise", SYS_madvise, 4, 0, EXACT, 0, {P(page), 4096, MADV_NORMAL}},
    {"dup", SYS_dup, 1, 0, EXACT, 3, {FD_FILE}},
    {"dup2", SYS_dup2, 3, 0, EXACT, FD_FREE, {FD_FILE, FD_FREE}},
    {"dup2 of itself", SYS_dup2, 3, 0, EXACT, FD_FILE, {FD_FILE, FD_FILE}},
    {"dup3", SYS_dup3, 7, 0, EXACT, FD_FREE, {FD_FILE, FD_FREE, O_CLOEXEC}},
    {"getitimer", SYS_getitimer, 1, 0, EXACT, 0, {ITIMER_REAL, P(width_out)}},
    {"setitimer", SYS_setitimer, 1, 0, EXACT, 0, {ITIMER_REAL, P(&second), 0}},
    {"alarm", SYS_alarm, 1, 0, ANY, 0, {100}},
    {"sendfile", SYS_sendfile, 3, 0, EXACT, 9, {FD_PIPE_END, FD_FILE, 0, 9}},
    {"clone", SYS_clone, 1, 0, ANY, 0, {SIGCHLD, 0, 0, 0, 0}},
    {"exit", SYS_exit, 1, 0, SAME, 0, {3}},
    {"exit_group", SYS_exit_group, 1, 0, SAME, 0, {4}},
    {"wait4", SYS_wait4, 5, 0, EXACT, 0, {CHILD, 0, 1 /* WNOHANG */, 0}},
    {"waitid, any child",
     SYS_waitid,
     11,
     0,
     EXACT,
     -ECHILD,
     {0, 7, 0, 5 /* WNOHANG, WEXITED */, 0}},
    {"wait4, any child", SYS_wait4, 5, 0, EXACT, -ECHILD, {-1UL, 0, 1, 0}},
    {"kill", SYS_kill, 3, 0, EXACT, 0, {CHILD, 0}},
    {"kill of its own group", SYS_kill, 3, 0, EXACT, 0, {0, 0}},
    {"tkill", SYS_tkill, 3, 0, EXACT, 0, {SELF, 0}},
    {"tgkill", SYS_tgkill, 7, 0, EXACT, 0, {SELF, SELF, 0}},
    {"fcntl, F_GETFD", SYS_fcntl, 3, 0, EXACT, 0, {FD_FILE, F_GETFD}},
    {"fcntl, F_SETFD", SYS_fcntl, 7, 0, EXACT, 0, {FD_FILE, F_SETFD, FD_CLOEXEC}},
    {"fcntl, F_GETFL", SYS_fcntl, 3, 0, SAME, 0, {FD_FILE, F_GETFL}},
    {"fcntl, F_SETFL", SYS_fcntl, 7, 0, EXACT, 0, {FD_FILE, F_SETFL, O_APPEND | O_NONBLOCK}},
    {"fcntl, F_DUPFD", SYS_fcntl, 7, 0, EXACT, FD_FREE, {FD_FILE, F_DUPFD, FD_FREE}},
    {"fcntl, F_DUPFD_CLOEXEC",
     SYS_fcntl,
     7,
     0,
     EXACT,
     FD_FREE,
     {FD_FILE, F_DUPFD_CLOEXEC, FD_FREE}},
    {"fsync", SYS_fsync, 1, 0, EXACT, 0, {FD_FILE}},
    {"fdatasync", SYS_fdatasync, 1, 0, EXACT, 0, {FD_FILE}},
    {"ftruncate", SYS_ftruncate, 1, 0, EXACT, 0, {FD_FILE, 10}},
    {"fchdir", SYS_fchdir, 1, 0, EXACT, 0, {FD_DIR}},
    {"mkdir", SYS_mkdir, 0, 2, EXACT, 0, {P("new"), 0710}},
    {"readlink", SYS_readlink, 4, 0, SAME, 0, {P("/proc/self/cwd"), P(width_out), 100}},
    {"chmod", SYS_chmod, 0, 2, EXACT, 0, {P("file"), 0604}},
    {"fchmod", SYS_fchmod, 1, 2, EXACT, 0, {FD_FILE, 0604}},
    {"chown", SYS_chown, 6, 0, EXACT, 0, {P("file"), 5, 6}},
    {"chown, -1", SYS_chown, 6, 0, EXACT, 0, {P("file"), -1UL, -1UL}},
    {"fchown", SYS_fchown, 7, 0, EXACT, 0, {FD_FILE, 5, -1UL}},
    {"lchown", SYS_lchown, 6, 0, EXACT, 0, {P("file"), -1UL, 6}},
    {"umask", SYS_umask, 1, 0, EXACT, 022, {077}},
    {"getrlimit", SYS_getrlimit, 1, 0, EXACT, 0, {RLIMIT_CORE, P(width_out)}},
    {"setrlimit", SYS_setrlimit, 1, 0, EXACT, 0, {RLIMIT_CORE, P(&limit)}},
    {"prlimit64", SYS_prlimit64, 3, 0, EXACT, 0, {0, RLIMIT_CORE, P(&limit), 0}},
    {"setuid", SYS_setuid, 1, 0, EXACT, 0, {5}},
    {"setgid", SYS_setgid, 1, 0, EXACT, 0, {6}},
    {"setreuid", SYS_setreuid, 3, 0, EXACT, 0, {5, -1UL}},
    {"setregid", SYS_setregid, 3, 0, EXACT, 0, {-1UL, 6}},
    {"setresuid", SYS_setresuid, 7, 0, EXACT, 0, {5, -1UL, 6}},
    {"setresgid", SYS_setresgid, 7, 0, EXACT, 0, {-1UL, 6, 7}},
    {"setfsuid", SYS_setfsuid, 1, 0, SAME, 0, {5}},
    {"setfsgid", SYS_setfsgid, 1, 0, SAME, 0, {6}},
    {"getgroups", SYS_getgroups, 1, 0, ANY, 0, {0, 0}},
    {"setgroups", SYS_setgroups, 1, 0, EXACT, 0, {1, P(groups)}},
    {"setpgid", SYS_setpgid, 3, 0, EXACT, 0, {0, 0}},
    {"setpgid of a child", SYS_setpgid, 3, 0, EXACT, 0, {CHILD, CHILD}},
    {"getpgid", SYS_getpgid, 1, 0, SAME, 0, {0}},
    {"getpgid of a child", SYS_getpgid, 1, 0, SAME, 0, {CHILD}},
    {"getsid", SYS_getsid, 1, 0, SAME, 0, {CHILD}},
    {"mknod, a FIFO", SYS_mknod, 4, 2, EXACT, 0, {P("new"), S_IFIFO | 0640, 0}},
    {"mknod, a device", SYS_mknod, 4, 2, EXACT, 0, {P("new"), S_IFCHR | 0640, 0x103}},
    {"fstatfs", SYS_fstatfs, 1, 0, EXACT, 0, {FD_FILE, P(width_out)}},
    {"prctl", SYS_prctl, 1, 0, EXACT, 0, {PR_SET_NAME, P("name")}},
    {"arch_prctl", SYS_arch_prctl, 1, 0, EXACT, 0, {ARCH_GET_FS, P(width_out)}},
    {"umount2", SYS_umount2, 2, 0, EXACT, -ENOENT, {P("missing"), 0}},
    {"futex, FUTEX_WAKE", SYS_futex, 6, 0, EXACT, 0, {P(&word), FUTEX_WAKE, 1}},
    {"futex, another value", SYS_futex, 6, 0, EXACT, -EAGAIN, {P(&word), FUTEX_WAIT, 6, 0}},
    {"getdents64", SYS_getdents64, 5, 0, ANY, 0, {FD_DIR, P(width_out), 1000}},
    {"clock_gettime", SYS_clock_gettime, 1, 0, EXACT, 0, {CLOCK_MONOTONIC, P(width_out)}},
    {"clock_settime", SYS_clock_settime, 1, 0, EXACT, -EINVAL, {CLOCK_MONOTONIC, P(&short_time)}},
    {"clock_getres", SYS_clock_getres, 1, 0, EXACT, 0, {CLOCK_MONOTONIC, P(width_out)}},
    {"clock_nanosleep",
     SYS_clock_nanosleep,
     3,
     0,
     EXACT,
     0,
     {CLOCK_MONOTONIC, 0, P(&short_time), 0}},
    {"openat", SYS_openat, 5, 8, EXACT, 3, {FD_DIR, P("new"), O_CREAT | O_RDWR, 0604}},
    {"openat, AT_FDCWD", SYS_openat, 5, 8, EXACT, 3, {HERE, P("file"), O_RDONLY, 0}},
    {"mkdirat", SYS_mkdirat, 1, 4, EXACT, 0, {FD_DIR, P("new"), 0710}},
    {"mknodat", SYS_mknodat, 9, 4, EXACT, 0, {HERE, P("new"), S_IFIFO | 0640, 0}},
    {"fchownat", SYS_fchownat, 29, 0, EXACT, 0, {FD_DIR, P("file"), 5, 6, AT_SYMLINK_NOFOLLOW}},
    {"newfstatat",
     SYS_newfstatat,
     9,
     0,
     EXACT,
     0,
     {HERE, P("file"), P(width_out), AT_SYMLINK_NOFOLLOW}},
    {"unlinkat", SYS_unlinkat, 5, 0, EXACT, 0, {FD_DIR, P("file"), 0}},
    {"renameat", SYS_renameat, 5, 0, EXACT, 0, {FD_DIR, P("file"), HERE, P("new")}},
    {"renameat2", SYS_renameat2, 21, 0, EXACT, 0, {HERE, P("file"), FD_DIR, P("new"), 1}},
    {"linkat", SYS_linkat, 21, 0, EXACT, 0, {FD_DIR, P("file"), HERE, P("new"), AT_SYMLINK_FOLLOW}},
    {"symlinkat", SYS_symlinkat, 2, 0, EXACT, 0, {P("target"), FD_DIR, P("new")}},
    {"readlinkat", SYS_readlinkat, 9, 0, SAME, 0, {HERE, P("/proc/self/cwd"), P(width_out), 100}},
    {"fchmodat", SYS_fchmodat, 1, 4, EXACT, 0, {FD_DIR, P("file"), 0604}},
    {"fchmodat2", 452, 9, 4, EXACT, 0, {FD_DIR, P("file"), 0604, 0}},
    {"faccessat", SYS_faccessat, 5, 0, EXACT, 0, {FD_DIR, P("file"), W_OK}},
    {"faccessat2", SYS_faccessat2, 13, 0, EXACT, 0, {FD_DIR, P("file"), W_OK, AT_EACCESS}},
    {"pselect6",
     SYS_pselect6,
     1,
     0,
     EXACT,
     1,
     {FD_PIPE + 1, P(&readable), 0, 0, P(&no_timespec), 0}},
    {"ppoll", SYS_ppoll, 2, 0, EXACT, 1, {P(&polled), 1, P(&no_timespec), 0, 8}},
    {"utimensat", SYS_utimensat, 9, 0, EXACT, 0, {FD_DIR, P("file"), 0, AT_SYMLINK_NOFOLLOW}},
    {"fallocate", SYS_fallocate, 3, 0, EXACT, 0, {FD_FILE, 0, 0, 8192}},
    {"pipe2", SYS_pipe2, 2, 0, EXACT, 0, {P(width_out), O_NONBLOCK | O_CLOEXEC}},
    {"getrandom", SYS_getrandom, 4, 0, EXACT, 8, {P(width_out), 8, 1 /* GRND_NONBLOCK */}},
    {"rseq", SYS_rseq, 14, 0, EXACT, 0, {P(area), 32, 0, 0x53053053}},
    {0},
};

/* The last has no name. */
static const struct wide_case wide_cases[] = {
    {"read, the count", SYS_read, FILE_SIZE, {FD_FILE, P(page), GB4 + 4}},
    {"write, the count", SYS_write, 0x7ffff000, {FD_NULL, P(page), GB4 + 4}},
    {"pread64, the offset", SYS_pread64, 0, {FD_FILE, P(page), 4, GB4}},
    {"pread64, a negative offset", SYS_pread64, -EINVAL, {FD_FILE, P(page), 4, TOP}},
    {"pwrite64, a negative offset", SYS_pwrite64, -EINVAL, {FD_FILE, P(page), 4, TOP + 4}},
    {"lseek, the offset", SYS_lseek, GB4 + 7, {FD_FILE, GB4 + 7, SEEK_SET}},
    {"lseek, a negative offset", SYS_lseek, -EINVAL, {FD_FILE, TOP, SEEK_SET}},
    {"ftruncate, a negative size", SYS_ftruncate, -EINVAL, {FD_FILE, TOP + 10}},
    {"truncate, a negative size", SYS_truncate, -EINVAL, {P("file"), TOP + 10}},
    {"fallocate, a negative offset", SYS_fallocate, -EINVAL, {FD_FILE, 0, TOP, 10}},
    {"sendfile, the count", SYS_sendfile, FILE_SIZE, {FD_NULL, FD_FILE, 0, GB4 + 2}},
    {"mmap, the length",
     SYS_mmap,
     -ENOMEM,
     {0, (1UL << 47) + 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1UL, 0}},
    {"mmap, the offset", SYS_mmap, -EINVAL, {0, 4096, PROT_READ, MAP_PRIVATE, FD_FILE, GB4 + 1}},
    {"mprotect, prot", SYS_mprotect, -EINVAL, {P(page), 4096, GB4 + PROT_READ}},
    {"mprotect, the length", SYS_mprotect, -ENOMEM, {P(page), 1UL << 46, PROT_READ}},
    {"munmap, the length", SYS_munmap, -EINVAL, {P(page), TOP + 4096}},
    {"mremap, flags", SYS_mremap, -EINVAL, {P(page), 4096, 4096, GB4 + 1}},
    {"msync, the length", SYS_msync, -ENOMEM, {P(page), 1UL << 46, MS_ASYNC}},
    {"mincore, the length", SYS_mincore, -ENOMEM, {P(page), 1UL << 46, P(width_out)}},
    {"madvise, the length", SYS_madvise, -ENOMEM, {P(page), 1UL << 46, MADV_NORMAL}},
    {"rt_sigaction, the size", SYS_rt_sigaction, -EINVAL, {SIGUSR1, P(ignore), 0, GB4 + 8}},
    {"rt_sigprocmask, the size", SYS_rt_sigprocmask, -EINVAL, {0, P(usr2), 0, GB4 + 8}},
    {"rt_sigpending, the size", SYS_rt_sigpending, -EINVAL, {P(width_out), GB4 + 8}},
    {"rt_sigtimedwait, the size",
     SYS_rt_sigtimedwait,
     -EINVAL,
     {P(usr2), 0, P(&no_timespec), GB4 + 8}},
    {"rt_sigsuspend, the size", SYS_rt_sigsuspend, -EINVAL, {P(usr2), GB4 + 8}},
    {"ppoll, the size", SYS_ppoll, -EINVAL, {0, 0, P(&no_timespec), P(usr2), GB4 + 8}},
    {"set_robust_list, the size", SYS_set_robust_list, -EINVAL, {P(area), GB4 + 24}},
    {"getcwd, the size", SYS_getcwd, 19, {P(width_out), GB4 + 1}},
    {0},
};

static const unsigned long patterns[] = {0,         0xffffffff00000000, 1UL << 32,
                                         1UL << 63, 0x0000100000000000, 0xfffffffe00000000};
static const unsigned long half_patterns[] = {0xffff0000, 0x10000, 0xffffffffffff0000};

/* The results of one run, in memory that the child shares. */
struct outcome {
    long result;
    unsigned long seen;
    int status;
};

static struct outcome *shared;
static pid_t grandchild;

static void move_to(int fd, int wanted)
{
    if (fd < 0 || dup2(fd, wanted) != wanted) {
        _exit(98);
    }
    close(fd);
}

/* The files and descriptors that every case starts with. */
static void prepare(void)
{
    int ends[2];

    unlink("new");
    rmdir("new");
    unlink("file");
    umask(022);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    if (write(fd, width_text, FILE_SIZE) != FILE_SIZE || lseek(fd, 0, SEEK_SET) != 0) {
        _exit(98);
    }
    move_to(fd, FD_FILE);
    move_to(open(".", O_RDONLY | O_DIRECTORY), FD_DIR);
    if (pipe(ends) != 0 || write(ends[1], width_text, PIPE_BYTES) != PIPE_BYTES) {
        _exit(98);
    }
    move_to(ends[0], FD_PIPE);
    move_to(ends[1], FD_PIPE_END);
    move_to(open("/dev/null", O_RDWR), FD_NULL);
    memset(width_out, 0, sizeof width_out);
}

static unsigned long mix(unsigned long hash, unsigned long value)
{
    return (hash ^ value) * 0x100000001b3UL;
}

static unsigned long mix_file(unsigned long hash, const char *name)
{
    struct stat status;

    if (lstat(name, &status) != 0) {
        return mix(hash, (unsigned long)errno);
    }
    unsigned long size = S_ISDIR(status.st_mode) ? 0 : (unsigned long)status.st_size;
    hash = mix(mix(hash, status.st_mode), size);
    hash = mix(mix(hash, status.st_uid), status.st_gid);
    return mix(mix(hash, status.st_rdev), status.st_nlink);
}

/* A digest of the visible state of the process and its files. */
static unsigned long observe(bool output)
{
    unsigned long hash = 0xcbf29ce484222325UL;
    struct sigaction action;
    struct rlimit core;
    sigset_t mask;
    uid_t uids[3];
    gid_t gids[3];

    hash = mix_file(mix_file(hash, "file"), "new");
    for (int fd = FD_FILE; fd <= FD_FREE + 2; fd++) {
        hash = mix(hash, (unsigned long)fcntl(fd, F_GETFD));
        hash = mix(hash, (unsigned long)fcntl(fd, F_GETFL));
    }
    hash = mix(hash, (unsigned long)lseek(FD_FILE, 0, SEEK_CUR));
    hash = mix(hash, umask(022));
    getresuid(&uids[0], &uids[1], &uids[2]);
    getresgid(&gids[0], &gids[1], &gids[2]);
    for (int i = 0; i < 3; i++) {
        hash = mix(mix(hash, uids[i]), gids[i]);
    }
    hash = mix(hash, (unsigned long)(getpgid(0) == getpid()));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigaction(SIGUSR1, NULL, &action);
    hash = mix(mix(hash, (unsigned long)sigismember(&mask, SIGUSR2)),
               (unsigned long)action.sa_handler);
    getrlimit(RLIMIT_CORE, &core);
    hash = mix(mix(hash, core.rlim_cur), alarm(0) > 50);
    for (size_t i = 0; output && i < sizeof width_out; i++) {
        hash = mix(hash, width_out[i]);
    }
    return hash;
}

static unsigned long resolve(unsigned long value)
{
    return value == SELF    ? (unsigned long)getpid()
           : value == CHILD ? (unsigned long)grandchild
                            : value;
}

static void start_grandchild(void)
{
    grandchild = fork();
    if (grandchild == 0) {
        alarm(20);
        pause();
        _exit(0);
    }
}

/* Runs in the child. `arguments` still has its placeholders; one of its values gets the pattern. */
static void run_case(const struct width_case *c, unsigned place, unsigned long keep,
                     unsigned long pattern)
{
    unsigned long arguments[6], number = (unsigned long)c->number;
    pid_t self = getpid();

    alarm(10);
    prepare();
    if (c->arguments[0] == CHILD) {
        start_grandchild();
    }
    for (unsigned i = 0; i < 6; i++) {
        arguments[i] = resolve(c->arguments[i]);
    }
    if (place < 6) {
        arguments[place] = (arguments[place] & keep) | pattern;
    } else {
        number |= pattern;
    }
    long result = raw_call(number, arguments);
    if (getpid() != self) {
        _exit(0);
    }
    shared->result = c->kind == ANY && result >= 0 ? 0 : result;
    shared->seen = observe(c->kind == OUTPUT);
    if (grandchild > 0) {
        kill(grandchild, SIGKILL);
    }
    _exit(0);
}

static struct outcome outcome_of(const struct width_case *c, unsigned place, unsigned long keep,
                                 unsigned long pattern)
{
    *shared = (struct outcome){.result = 0x5e5e5e};
    pid_t pid = fork();
    if (pid == 0) {
        run_case(c, place, keep, pattern);
    }
    shared->status = pid > 0 ? wait_for(pid) : NOT_RUN;
    return *shared;
}

/* True if this pattern in the argument (6: the number of the call) changes nothing. */
static bool changes_nothing(const struct width_case *c, const struct outcome *clean, unsigned place,
                            unsigned long keep, unsigned long pattern)
{
    struct outcome got = outcome_of(c, place, keep, pattern);

    if (got.result == clean->result && got.seen == clean->seen && got.status == clean->status) {
        return true;
    }
    diag("%s, argument %u, pattern 0x%lx: %ld instead of %ld, status 0x%x, seen 0x%lx, 0x%lx",
         c->name, place, pattern, got.result, clean->result, (unsigned)got.status, got.seen,
         clean->seen);
    return false;
}

static void test_case(const struct width_case *c)
{
    struct outcome clean = outcome_of(c, 6, 0, 0);
    bool good = true;

    if (clean.result == -ENOSYS || (clean.result == -EPERM && !is_root())) {
        skip(clean.result == -ENOSYS ? "no such call here" : "needs root", "%s", c->name);
        return;
    }
    if (clean.result != c->wanted && c->kind != SAME) {
        is(clean.result, c->wanted, "%s: the result for clean values", c->name);
        return;
    }
    for (unsigned place = 0; place < 6; place++) {
        for (size_t i = 0; c->narrow >> place & 1 && i < COUNT(patterns); i++) {
            good = changes_nothing(c, &clean, place, 0xffffffff, patterns[i]) && good;
        }
        for (size_t i = 0; c->half >> place & 1 && i < COUNT(half_patterns); i++) {
            good = changes_nothing(c, &clean, place, 0xffff, half_patterns[i]) && good;
        }
    }
    for (size_t i = 0; i < COUNT(patterns); i++) {
        good = changes_nothing(c, &clean, 6, 0, patterns[i]) && good;
    }
    ok(good, "%s: the upper bits of narrow arguments and of RAX do not count", c->name);
}

/* All 64 bits count: the answer must be the one for the whole value. */
static void test_wide(const struct wide_case *c)
{
    struct width_case plain = {c->name, c->number, 0, 0, EXACT, c->wanted, {0}};

    memcpy(plain.arguments, c->arguments, sizeof plain.arguments);
    struct outcome got = outcome_of(&plain, 6, 0, 0);
    is(got.result, c->wanted, "%s: all 64 bits count", c->name);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/widths.XXXXXX";

    tap_begin(argc, argv);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!ok(shared != MAP_FAILED && mkdtemp(directory) != NULL && chdir(directory) == 0,
            "a page to share and an empty directory")) {
        return tap_end();
    }
    for (const struct width_case *c = width_cases; c->name != NULL; c++) {
        test_case(c);
    }
    for (const struct wide_case *c = wide_cases; c->name != NULL; c++) {
        test_wide(c);
    }
    is(RAW(0xffffffff00000000UL | 511), -ENOSYS, "an unknown number with its upper half set");
    is(RAW(0x80000000UL | SYS_getpid), -ENOSYS, "bit 31 of RAX counts");
    unlink("new");
    unlink("file");
    rmdir(directory);
    return tap_end();
}
