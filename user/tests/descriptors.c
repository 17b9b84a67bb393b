/*
 * Descriptors that are not for reading or writing (O_PATH), devices that are, and the limits
 * RLIMIT_NOFILE, RLIMIT_FSIZE and RLIMIT_NPROC.
 */
#include "edge.h"
#include "proc.h"
#include "tap.h"

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
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define P(object)    ((unsigned long)(uintptr_t)(object))
#define FD           0x7eadbee1UL /* stands for the descriptor */
#define ZERO         0x7eadbee2UL /* stands for a descriptor of /dev/zero */
#define ANY          (-1000)      /* anything that is not an error */

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
    is((long)status.f_type, 0x9fa0, "tells its type");
    ok(pipe(ends) == 0 && fstatfs(ends[0], &status) == 0 && status.f_type == 0x50495045,
       "fstatfs of a pipe tells that of pipes");
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

int main(int argc, char **argv)
{
    char directory[] = "/tmp/descriptors.XXXXXX";

    tap_begin(argc, argv);
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
    return tap_end();
}
