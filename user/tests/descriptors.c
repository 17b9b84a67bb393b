/*
 * Descriptors, and limits of descriptors, file sizes and processes.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/*
 * Descriptors that are not for reading or writing (O_PATH), devices that are, and the limits
 * RLIMIT_NOFILE, RLIMIT_FSIZE and RLIMIT_NPROC.
 */

#define P(object) ((unsigned long)(uintptr_t)(object))
#define FD        0x7eadbee1UL /* stands for the descriptor */
#define ZERO      0x7eadbee2UL /* stands for a descriptor of /dev/zero */
#define ANY       (-1000)      /* anything that is not an error */

static char bytes[8192];
static struct iovec vector[1] = {{bytes, 4}};
static struct flock lock = {.l_type = F_RDLCK};
static int zero_fd;

struct call {
    const char *name;
    long number;
    long result;
    unsigned long arguments[6];
};

static const struct call on_path[] = {
    {"read", SYS_read, -EBADF, {FD, P(bytes), 4}},
    {"read of nothing", SYS_read, -EBADF, {FD, P(bytes), 0}},
    {"write", SYS_write, -EBADF, {FD, P(bytes), 4}},
    {"readv", SYS_readv, -EBADF, {FD, P(vector), 1}},
    {"writev", SYS_writev, -EBADF, {FD, P(vector), 1}},
    {"pread64", SYS_pread64, -EBADF, {FD, P(bytes), 4, 0}},
    {"pwrite64", SYS_pwrite64, -EBADF, {FD, P(bytes), 4, 0}},
    {"lseek", SYS_lseek, -EBADF, {FD, 0, SEEK_CUR}},
    {"ftruncate", SYS_ftruncate, -EBADF, {FD, 0}},
    {"fallocate", SYS_fallocate, -EBADF, {FD, 0, 0, 100}},
    {"fsync", SYS_fsync, -EBADF, {FD}},
    {"fdatasync", SYS_fdatasync, -EBADF, {FD}},
    {"syncfs", SYS_syncfs, -EBADF, {FD}},
    {"fchmod", SYS_fchmod, -EBADF, {FD, 0600}},
    {"fchown", SYS_fchown, -EBADF, {FD, -1UL, -1UL}},
    {"futimens", SYS_utimensat, -EBADF, {FD, 0, 0, 0}},
    {"ioctl, TCGETS", SYS_ioctl, -EBADF, {FD, TCGETS, P(bytes)}},
    {"ioctl, FIONREAD", SYS_ioctl, -EBADF, {FD, FIONREAD, P(bytes)}},
    {"ioctl, FIOCLEX", SYS_ioctl, -EBADF, {FD, FIOCLEX, 0}},
    {"getdents64", SYS_getdents64, -EBADF, {FD, P(bytes), sizeof bytes}},
    {"mmap", SYS_mmap, -EBADF, {0, 4096, PROT_READ, MAP_PRIVATE, FD, 0}},
    {"sendfile from it", SYS_sendfile, -EBADF, {1, FD, 0, 1}},
    {"sendfile to it", SYS_sendfile, -EBADF, {FD, ZERO, 0, 1}},
    {"flock", SYS_flock, -EBADF, {FD, 8}},
    {"fgetxattr", SYS_fgetxattr, -EBADF, {FD, P("user.a"), 0, 0}},
    {"fadvise64", SYS_fadvise64, -EBADF, {FD, 0, 0, 0}},
    {"fcntl, F_SETFL", SYS_fcntl, -EBADF, {FD, F_SETFL, O_APPEND}},
    {"fcntl, F_GETOWN", SYS_fcntl, -EBADF, {FD, F_GETOWN}},
    {"fcntl, F_SETOWN", SYS_fcntl, -EBADF, {FD, F_SETOWN, 0}},
    {"fcntl, F_GETSIG", SYS_fcntl, -EBADF, {FD, F_GETSIG}},
    {"fcntl, F_GETLK", SYS_fcntl, -EBADF, {FD, F_GETLK, P(&lock)}},
    {"fcntl, F_SETLK", SYS_fcntl, -EBADF, {FD, F_SETLK, P(&lock)}},
    {"fcntl, F_SETLKW", SYS_fcntl, -EBADF, {FD, F_SETLKW, P(&lock)}},
    {"fcntl, F_GETPIPE_SZ", SYS_fcntl, -EBADF, {FD, F_GETPIPE_SZ}},
    {"fcntl, F_SETPIPE_SZ", SYS_fcntl, -EBADF, {FD, F_SETPIPE_SZ, 4096}},
    {"fcntl, an unknown command", SYS_fcntl, -EBADF, {FD, 9999}},
    {"fcntl, F_GETFD", SYS_fcntl, 0, {FD, F_GETFD}},
    {"fcntl, F_SETFD", SYS_fcntl, 0, {FD, F_SETFD, 0}},
    {"fcntl, F_DUPFD", SYS_fcntl, 50, {FD, F_DUPFD, 50}},
    {"fcntl, F_DUPFD_CLOEXEC", SYS_fcntl, 51, {FD, F_DUPFD_CLOEXEC, 51}},
    {"dup", SYS_dup, ANY, {FD}},
    {"dup2", SYS_dup2, 52, {FD, 52}},
    {"fstat", SYS_fstat, 0, {FD, P(bytes)}},
    {"fstatfs", SYS_fstatfs, 0, {FD, P(bytes)}},
    {"newfstatat, AT_EMPTY_PATH", SYS_newfstatat, 0, {FD, P(""), P(bytes), AT_EMPTY_PATH}},
    {"fchownat, AT_EMPTY_PATH", SYS_fchownat, 0, {FD, P(""), -1UL, -1UL, AT_EMPTY_PATH}},
};

static long make(const struct call *call, int fd)
{
    unsigned long arguments[6];

    for (size_t i = 0; i < 6; i++) {
        unsigned long value = call->arguments[i];
        arguments[i] = value == FD     ? (unsigned long)fd
                       : value == ZERO ? (unsigned long)zero_fd
                                       : value;
    }
    return raw_call((unsigned long)call->number, arguments);
}

static void test_path_calls(const char *path, const char *what, int flags)
{
    for (size_t i = 0; i < COUNT(on_path); i++) {
        const struct call *call = &on_path[i];
        int fd = open(path, O_PATH | flags);
        long got = make(call, fd);
        if (got == -ENOSYS) {
            skip("no such call here", "%s on O_PATH of %s", call->name, what);
        } else {
            is(call->result == ANY && got >= 0 ? ANY : got, call->result, "%s on O_PATH of %s",
               call->name, what);
        }
        close(50);
        close(51);
        close(52);
        is(result_of(close(fd)), 0, "then close");
    }
}

static int open_path_of_secret(void *unused)
{
    (void)unused;
    int fd = open("secret", O_PATH);
    return fd >= 0 && openat(fd, "", O_RDONLY) < 0 && open("secret", O_RDONLY) < 0 ? 0 : 1;
}

static void test_path_opens(void)
{
    struct stat status;
    char text[16];

    int fd = open("file", O_PATH | O_TRUNC | O_RDWR | O_APPEND);
    is(fcntl(fd, F_GETFL) & ~0100000 /* O_LARGEFILE */, O_PATH, "F_GETFL tells only O_PATH");
    is(fstat(fd, &status), 0, "fstat");
    is(status.st_size, 5, "O_PATH does not truncate");
    struct pollfd polled = {.fd = fd, .events = POLLIN | POLLOUT};
    is(poll(&polled, 1, 1000), 1, "poll does not wait");
    is(polled.revents, POLLNVAL, "and says POLLNVAL");
    fd_set set;
    FD_ZERO(&set);
    FD_SET((size_t)fd, &set);
    struct timeval none = {0, 0};
    is(select(fd + 1, &set, NULL, NULL, &none), 1, "select takes that for readable");
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY);
    is(read(again, text, sizeof text), 5, "opened again through /proc/self/fd it can be read");
    close(again);
    close(fd);
    alarm(5);
    fd = open("fifo", O_PATH);
    ok(fd >= 0, "O_PATH of a FIFO does not wait");
    alarm(0);
    close(fd);
    fd = open("link", O_PATH | O_NOFOLLOW);
    is(readlinkat(fd, "", text, sizeof text), 4, "O_PATH of a symbolic link leads to the link");
    is(result_of(open("link", O_RDONLY | O_NOFOLLOW)), -ELOOP, "which cannot be opened itself");
    close(fd);
    fd = open(".", O_PATH | O_DIRECTORY);
    is(fchdir(fd), 0, "fchdir to O_PATH of a directory");
    again = openat(fd, "file", O_RDONLY);
    ok(again >= 0, "openat from it");
    close(again);
    close(fd);
    is(result_of(open("file", O_PATH | O_DIRECTORY)), -ENOTDIR, "O_DIRECTORY counts");
    if (is_root()) {
        is(run_child(open_path_of_secret, NULL, true), EXITED(0),
           "O_PATH of a file without permissions gives no right to read");
    } else {
        skip("needs root", "O_PATH of a file without permissions gives no right to read");
    }
}

static void test_devices(void)
{
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    int both[2] = {null, zero};

    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "/dev/null" : "/dev/zero";
        is(lseek(both[i], 0, SEEK_CUR), 0, "lseek of %s", name);
        is(lseek(both[i], 100, SEEK_SET), 0, "stays at 0");
        is(lseek(both[i], 0, SEEK_END), 0, "also from the end");
        is(pwrite(both[i], bytes, 4, 1000), 4, "pwrite");
        is(write(both[i], bytes, 100), 100, "write");
        is(result_of(ftruncate(both[i], 0)), -EINVAL, "ftruncate");
    }
    memset(bytes, 0xa5, 8);
    is(pread(null, bytes, 4, 77), 0, "pread of /dev/null");
    is(pread(zero, bytes, 4, 77), 4, "pread of /dev/zero");
    ok(memcmp(bytes, "\0\0\0\0\xa5", 5) == 0, "gives zeros");
    is(read(null, bytes, 4), 0, "read of /dev/null");
    close(null);
    close(zero);
}

/* The file system that a file is in, and the names that /proc/self/maps gives to mappings. */
static void test_names(void)
{
    struct statfs status;
    char text[4096], directory[256], wanted[300];
    size_t size = 0;
    ssize_t got = 1;
    int ends[2];

    is(statfs("/proc", &status), 0, "statfs of /proc");
    ok(status.f_blocks == 0 && status.f_bavail == 0 && status.f_files == 0, "which has no blocks");
    is((long)status.f_type, 0x9fa0, "tells its type");
    ok(pipe(ends) == 0 && fstatfs(ends[0], &status) == 0 && status.f_type == 0x50495045,
       "fstatfs of a pipe tells that of pipes");
    ok(status.f_blocks == 0 && status.f_bfree == 0 && status.f_files == 0, "and no blocks");
    int fd = open("file", O_RDONLY), maps = open("/proc/self/maps", O_RDONLY);
    void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    while (got > 0 && size < sizeof text - 1) {
        got = read(maps, text + size, sizeof text - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    text[size] = '\0';
    snprintf(wanted, sizeof wanted, " %s/file\n", getcwd(directory, sizeof directory));
    ok(strstr(text, wanted) != NULL, "/proc/self/maps names a mapped file by its path");
    got = readlink("/proc/self/exe", directory, sizeof directory - 1);
    directory[got > 0 ? got : 0] = '\0';
    snprintf(wanted, sizeof wanted, " %s\n", directory);
    ok(strstr(text, wanted) != NULL, "and the program by its own");
    munmap(at, 4096);
    close(fd);
    close(maps);
}

static void test_descriptors(void)
{
    char directory[] = "/tmp/descriptors.XXXXXX";

    ok(mkdtemp(directory) != NULL && chmod(directory, 0755) == 0 && chdir(directory) == 0,
       "an empty directory");
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    int secret = open("secret", O_RDWR | O_CREAT, 0);
    ok(write(fd, "bytes", 5) == 5 && secret >= 0 && mkdir("dir", 0755) == 0 &&
           mkfifo("fifo", 0644) == 0 && symlink("file", "link") == 0,
       "one of each kind");
    close(fd);
    close(secret);
    zero_fd = open("/dev/zero", O_RDONLY);
    test_path_calls("file", "a file", 0);
    test_path_calls("dir", "a directory", O_DIRECTORY);
    test_path_calls("fifo", "a FIFO", 0);
    test_path_calls("/dev/null", "a device", 0);
    test_path_opens();
    test_devices();
    test_names();
    unlink("file");
    unlink("secret");
    unlink("fifo");
    unlink("link");
    rmdir("dir");
    rmdir(directory);
}

/*
 * The limits that a process has: RLIMIT_NOFILE for every call that makes a descriptor, RLIMIT_FSIZE
 * for every call that makes a file larger, RLIMIT_NPROC for every call that makes a process.
 */

#define NR_FILES   40
#define FILE_LIMIT 10000

static char bytes_of_rlimits[FILE_LIMIT + 1000];

static void set_limit(int resource, unsigned long value)
{
    struct rlimit limit;

    getrlimit(resource, &limit);
    limit.rlim_cur = value;
    is(setrlimit(resource, &limit), 0, "a limit of %lu for resource %d", value, resource);
}

/* The lowest descriptor that is free. */
static int lowest(void)
{
    int fd = dup(1);

    close(fd);
    return fd;
}

/* Makes every call that creates a descriptor while `left` more are allowed. */
static void test_no_files_left(int left)
{
    int ends[2] = {-7, -7}, free_before = lowest();

    is(RAW(SYS_pipe2, ends, 0), left >= 2 ? 0 : -EMFILE, "pipe with %d left", left);
    ok(left >= 2 || (ends[0] == -7 && ends[1] == -7), "it writes numbers only if it made them");
    if (left >= 2) {
        close(ends[0]);
        close(ends[1]);
    }
    is(lowest(), free_before, "it leaves nothing open");
    for (int i = 0; i < 3; i++) {
        long fd = i == 0   ? RAW(SYS_open, "/dev/null", O_RDONLY)
                  : i == 1 ? RAW(SYS_dup, 1)
                           : RAW(SYS_fcntl, 1, F_DUPFD, 0);
        const char *name = i == 0 ? "open" : i == 1 ? "dup" : "F_DUPFD";
        is(fd < 0 ? fd : 0, left > 0 ? 0 : -EMFILE, "%s with %d left", name, left);
        if (fd >= 0) {
            close((int)fd);
        }
    }
}

static void test_files(void)
{
    int high = fcntl(1, F_DUPFD, NR_FILES + 5);

    set_limit(RLIMIT_NOFILE, NR_FILES);
    is(result_of(dup2(1, NR_FILES)), -EBADF, "dup2 to the limit");
    is(RAW(SYS_dup3, 1, NR_FILES, O_CLOEXEC), -EBADF, "dup3 to the limit");
    is(result_of(dup2(1, NR_FILES - 1)), NR_FILES - 1, "dup2 to just below it");
    is(result_of(fcntl(1, F_DUPFD, NR_FILES)), -EINVAL, "F_DUPFD from the limit");
    is(result_of(fcntl(1, F_DUPFD, NR_FILES - 1)), -EMFILE, "F_DUPFD where only that was left");
    is(RAW(SYS_fcntl, 1, F_DUPFD, -1), -EINVAL, "F_DUPFD from -1");
    is(RAW(SYS_dup2, 1, 1 << 30), -EBADF, "dup2 to a huge number");
    is(RAW(SYS_dup2, 1, -1), -EBADF, "dup2 to -1");
    ok(write(high, "", 0) == 0, "a descriptor above the limit can be used");
    is(result_of(dup2(1, high)), -EBADF, "but not replaced");
    is(close(high), 0, "and can be closed");
    static struct pollfd polled[NR_FILES + 1];
    for (size_t i = 0; i < COUNT(polled); i++) {
        polled[i].fd = -1;
    }
    is(result_of(poll(polled, NR_FILES, 0)), 0, "poll of as many as the limit");
    is(result_of(poll(polled, NR_FILES + 1, 0)), -EINVAL, "poll of one more");
    while (dup(1) >= 0) {
    }
    is(errno, EMFILE, "dup until there is none left");
    test_no_files_left(0);
    close(20);
    test_no_files_left(1);
    close(25);
    test_no_files_left(2);
    for (int fd = 10; fd < NR_FILES; fd++) {
        close(fd);
    }
}

/* With the highest limit, the table itself becomes full. */
static void test_whole_table(void)
{
    struct rlimit limit;
    int count = 0, ends[2];

    getrlimit(RLIMIT_NOFILE, &limit);
    unsigned long wanted = limit.rlim_max < 5000 ? limit.rlim_max : 5000;
    set_limit(RLIMIT_NOFILE, wanted);
    while (dup(1) >= 0) {
        count++;
    }
    is(errno, EMFILE, "dup ends with EMFILE (%d made)", count);
    is(result_of(pipe(ends)), -EMFILE, "pipe too");
    close(20);
    is(result_of(pipe(ends)), -EMFILE, "pipe with one left");
    is(result_of(dup(1)), 20, "which is still free afterwards");
    for (int fd = 10; fd < 5000; fd++) {
        close(fd);
    }
}

/* A case makes a file of `start` bytes larger in some way, under a limit of FILE_LIMIT. */
static struct size_case {
    const char *name;
    long (*grow)(int fd);
    long start, result, size;
    bool is_told; /* SIGXFSZ, although bytes were written */
} *grown;

static long grow_write(int fd)
{
    return result_of(write(fd, bytes_of_rlimits, 600));
}

static long grow_pwrite(int fd)
{
    return result_of(pwrite(fd, bytes_of_rlimits, 600, FILE_LIMIT - 100));
}

static long grow_writev(int fd)
{
    struct iovec two[2] = {{bytes_of_rlimits, 300}, {bytes_of_rlimits, 300}};

    return result_of(writev(fd, two, 2));
}

static long grow_sendfile(int fd)
{
    int zero = open("source", O_RDONLY);

    return result_of(sendfile(fd, zero, NULL, 600));
}

static long grow_ftruncate(int fd)
{
    return result_of(ftruncate(fd, FILE_LIMIT + 1));
}

static long grow_ftruncate_inside(int fd)
{
    return result_of(ftruncate(fd, FILE_LIMIT));
}

static long grow_truncate(int fd)
{
    (void)fd;
    return result_of(truncate("grown", FILE_LIMIT + 1));
}

static long grow_fallocate(int fd)
{
    return RAW(SYS_fallocate, fd, 0, 0, FILE_LIMIT + 1);
}

static long grow_null(int fd)
{
    (void)fd;
    return result_of(write(open("/dev/null", O_WRONLY), bytes_of_rlimits, sizeof bytes_of_rlimits));
}

static long grow_pipe(int fd)
{
    int ends[2];

    (void)fd;
    return pipe(ends) != 0 ? -1
                           : result_of(write(ends[1], bytes_of_rlimits, sizeof bytes_of_rlimits));
}

static int grow(void *ignored)
{
    int fd = open("grown", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct rlimit limit = {FILE_LIMIT, FILE_LIMIT};

    if (write(fd, bytes_of_rlimits, (size_t)grown->start) != grown->start) {
        return 98;
    }
    signal(SIGXFSZ, ignored != NULL ? SIG_IGN : SIG_DFL);
    setrlimit(RLIMIT_FSIZE, &limit);
    long got = grown->grow(fd);
    return got == grown->result && lseek(fd, 0, SEEK_END) == grown->size ? 0 : 1;
}

static long grow_reader(int fd)
{
    int reader = open("grown", O_RDONLY);
    (void)fd;
    return result_of(ftruncate(reader, 2 * FILE_LIMIT));
}

/* Whether the file may be written at all comes first. */
static long grow_refused(int fd)
{
    if (fchmod(fd, 0444) != 0 || seteuid(65534) != 0) {
        return 97;
    }
    return result_of(truncate("grown", 2 * FILE_LIMIT));
}

static void test_sizes(void)
{
    static struct size_case cases[] = {
        {"write below the limit", grow_write, FILE_LIMIT - 600, 600, FILE_LIMIT, false},
        {"write over the limit", grow_write, FILE_LIMIT - 100, 100, FILE_LIMIT, false},
        {"write at the limit", grow_write, FILE_LIMIT, -EFBIG, FILE_LIMIT, false},
        {"pwrite over the limit", grow_pwrite, 5, 100, FILE_LIMIT, false},
        {"writev over the limit", grow_writev, FILE_LIMIT - 400, 400, FILE_LIMIT, false},
        {"writev at the limit", grow_writev, FILE_LIMIT, -EFBIG, FILE_LIMIT, false},
        {"sendfile up to the limit", grow_sendfile, FILE_LIMIT - 600, 600, FILE_LIMIT, false},
        {"sendfile over the limit", grow_sendfile, FILE_LIMIT - 100, 100, FILE_LIMIT, true},
        {"sendfile at the limit", grow_sendfile, FILE_LIMIT, -EFBIG, FILE_LIMIT, false},
        {"ftruncate to the limit", grow_ftruncate_inside, 5, 0, FILE_LIMIT, false},
        {"ftruncate over the limit", grow_ftruncate, 5, -EFBIG, 5, false},
        {"ftruncate of a reader over the limit", grow_reader, 5, -EINVAL, 5, false},
        {"truncate over the limit", grow_truncate, 5, -EFBIG, 5, false},
        {"truncate over the limit without permission", grow_refused, 5, -EACCES, 5, false},
        {"fallocate over the limit", grow_fallocate, 5, -EFBIG, 5, false},
        {"write to /dev/null", grow_null, 5, sizeof bytes_of_rlimits, 5, false},
        {"write to a pipe", grow_pipe, 5, sizeof bytes_of_rlimits, 5, false},
    };
    int source = open("source", O_RDWR | O_CREAT, 0600);

    ok(write(source, bytes_of_rlimits, 1000) == 1000, "a file to send");
    for (size_t i = 0; i < COUNT(cases); i++) {
        grown = &cases[i];
        is(run_child(grow, grown, false), EXITED(0), "%s, SIGXFSZ ignored: the result and the size",
           grown->name);
        is(WITHOUT_CORE(run_child(grow, NULL, false)),
           grown->result == -EFBIG || grown->is_told ? KILLED(SIGXFSZ) : EXITED(0), "%s: SIGXFSZ",
           grown->name);
    }
    close(source);
    unlink("source");
    unlink("grown");
}

#define LONELY 61234 /* a user that has no other processes */
#define ROOM   5     /* the processes that it may have */

static long fork_by(int way)
{
    long pid =
        way == 0 ? RAW(SYS_fork) : RAW(SYS_clone, way == 1 ? SIGCHLD : CLONE_FILES | SIGCHLD);

    if (pid == 0) {
        alarm(20);
        pause();
        _exit(0);
    }
    return pid;
}

/* Returns 0 if exactly as many processes as the limit allows can be made, and again after they have
 * ended. */
static int fork_until_refused(void *user)
{
    struct rlimit limit = {ROOM, ROOM};
    long pids[ROOM + 1];
    int made = 0;

    if (setgid(LONELY) != 0 || setuid(*(uid_t *)user) != 0 ||
        setrlimit(RLIMIT_NPROC, &limit) != 0) {
        return 98;
    }
    for (int round = 0; round < 3; round++) {
        made = 0;
        do {
            pids[made] = fork_by(round);
        } while (pids[made] > 0 && ++made <= ROOM);
        for (int i = 0; i < made; i++) {
            kill((pid_t)pids[i], SIGKILL);
            waitpid((pid_t)pids[i], NULL, 0);
        }
        if (*(uid_t *)user != 0 && (made != ROOM - 1 || pids[made] != -EAGAIN)) {
            return 10 + made;
        }
    }
    return made;
}

static void test_processes(void)
{
    uid_t user = LONELY, root = 0;

    if (!is_root()) {
        skip("needs root", "RLIMIT_NPROC of a user");
        return;
    }
    is(run_child(fork_until_refused, &user, false), EXITED(ROOM - 1),
       "RLIMIT_NPROC: a user's fork and clone end with EAGAIN, until its processes end");
    is(run_child(fork_until_refused, &root, false), EXITED(ROOM + 1), "it does not bind root");
}

static void test_rlimits(void)
{
    char directory[] = "/tmp/rlimits.XXXXXX";

    ok(mkdtemp(directory) != NULL && chdir(directory) == 0, "an empty directory");
    test_files();
    test_whole_table();
    test_sizes();
    test_processes();
    rmdir(directory);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_descriptors();
    test_rlimits();
    return tap_end();
}
