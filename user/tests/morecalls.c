/*
 * Calls that programs use often beside the basic ones: extended attributes, processor times,
 * vectors at an offset, statx, ranges of descriptors, copies, openat2, scheduling.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define BAD_POINTER ((void *)8)

/* linux/stat.h */
#define STATX_ALL      0x7ff
#define STATX_CREATION 0x800
struct statx_fields {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    struct {
        int64_t sec;
        uint32_t nsec, pad;
    } atime, btime, ctime, mtime;
    uint64_t rest[16];
};
_Static_assert(sizeof(struct statx_fields) == 256, "struct statx");

/* The result of a call: its value, or the negative errno value. */
static long result(long value)
{
    return value < 0 ? -errno : value;
}

#define CALL(...) result(syscall(__VA_ARGS__))

static char path[64], link_path[64];

static void check_creat(void)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    is(write(fd, "abc", 3), 3, "a file with three bytes");
    close(fd);
    fd = (int)CALL(SYS_creat, path, 0600);
    ok(fd >= 0, "creat opens it");
    is(lseek(fd, 0, SEEK_END), 0, "and it is empty");
    is(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY, "for writing only");
    is(CALL(SYS_creat, "/tmp", 0600), -EISDIR, "creat of a directory");
    close(fd);
}

static void check_attribute_errors(int fd)
{
    char name[300], out[8];
    memset(name, 'n', sizeof(name));
    memcpy(name, "user.", 5);
    name[256] = '\0';
    is(CALL(SYS_setxattr, "/tmp/none", "user.a", "v", 1, 0), -ENOENT, "no such path");
    is(CALL(SYS_setxattr, path, BAD_POINTER, "v", 1, 8), -EINVAL, "the flags come before the name");
    is(CALL(SYS_setxattr, path, BAD_POINTER, "v", 65537, 0), -EFAULT, "the name before the size");
    is(CALL(SYS_setxattr, path, "", "v", 65537, 0), -ERANGE, "an empty name");
    is(CALL(SYS_setxattr, path, name, "v", 1, 0), -ERANGE, "a name of 256 bytes");
    is(CALL(SYS_setxattr, path, "user.a", "v", 65537, 0), -E2BIG, "a value of 65537 bytes");
    is(CALL(SYS_setxattr, path, "user.a", BAD_POINTER, 1, 0), -EFAULT, "a value at a bad pointer");
    is(CALL(SYS_setxattr, path, "nothing.a", "v", 1, 0), -EOPNOTSUPP, "an unknown namespace");
    is(CALL(SYS_fgetxattr, fd, "user.none", out, sizeof(out)), -ENODATA, "no such attribute");
    is(CALL(SYS_fremovexattr, fd, "user.none"), -ENODATA, "none to remove");
    is(CALL(SYS_fgetxattr, -1, "user.none", out, sizeof(out)), -EBADF, "no such file");
}

/* A child without privileges, that owns nothing here. Its status is the number of wrong answers. */
static int wrong_for_others(void)
{
    char out[64];
    static const struct {
        const char *name;
        long set, get, remove;
    } cases[] = {{"trusted.a", -EPERM, -ENODATA, -EPERM},
                 {"security.a", -EPERM, 1, -EPERM},
                 {"security.capability", -EINVAL, -ENODATA, -EPERM},
                 {"system.a", -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP}};
    int wrong = 0;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wrong += CALL(SYS_setxattr, path, cases[i].name, "x", 1, 0) != cases[i].set;
        wrong += CALL(SYS_getxattr, path, cases[i].name, out, sizeof(out)) != cases[i].get;
        wrong += CALL(SYS_removexattr, path, cases[i].name) != cases[i].remove;
    }
    long length = CALL(SYS_listxattr, path, out, sizeof(out));
    return wrong + (length < 0 || memmem(out, (size_t)length, "trusted.a", 10) != NULL);
}

static void check_system_attributes(int fd)
{
    static const char capability[20] = {0, 0, 0, 2};
    char out[64];
    is(CALL(SYS_setxattr, path, "trusted.a", "x", 1, 0), 0, "a trusted attribute");
    is(CALL(SYS_setxattr, path, "security.a", "x", 1, 0), 0, "a security attribute");
    is(CALL(SYS_setxattr, path, "trusted.", "x", 1, 0), -EINVAL, "a prefix alone");
    is(CALL(SYS_setxattr, path, "system.a", "x", 1, 0), -EOPNOTSUPP, "no system attribute");
    is(CALL(SYS_lsetxattr, link_path, "trusted.a", "x", 1, 0), 0, "on a link itself");
    long length = CALL(SYS_flistxattr, fd, out, sizeof(out));
    ok(length == 21 && memmem(out, 21, "trusted.a", 10), "the superuser sees all");
    pid_t child = fork();
    if (child == 0)
        _exit(setgid(1000) || setuid(1000) ? 99 : wrong_for_others());
    int status = 0;
    waitpid(child, &status, 0);
    is(status, 0, "what others may do with them");
    is(CALL(SYS_setxattr, path, "security.capability", "x", 1, 0), -EINVAL, "no capabilities");
    is(CALL(SYS_setxattr, path, "security.capability", capability, 20, 0), 0, "capabilities");
    is(CALL(SYS_getxattr, path, "security.capability", out, sizeof(out)), 20, "are there");
    is(write(fd, "x", 1), 1, "a write");
    is(CALL(SYS_getxattr, path, "security.capability", out, sizeof(out)), -ENODATA, "takes them");
    is(CALL(SYS_removexattr, path, "trusted.a"), 0, "the trusted one is removed");
    is(CALL(SYS_removexattr, path, "security.a"), 0, "and the other");
}

static void check_attributes(void)
{
    char out[64];
    int fd = open(path, O_RDWR);
    if (on_linux() && setxattr(path, "user.probe", "p", 1, 0) != 0) {
        skip("this file system has no user attributes", "extended attributes");
        close(fd);
        return;
    }
    removexattr(path, "user.probe");
    check_attribute_errors(fd);
    if (geteuid() == 0)
        check_system_attributes(fd);
    is(CALL(SYS_setxattr, link_path, "user.one", "first", 5, XATTR_CREATE), 0, "through a link");
    is(CALL(SYS_setxattr, path, "user.one", "x", 1, XATTR_CREATE), -EEXIST, "XATTR_CREATE twice");
    is(CALL(SYS_setxattr, path, "user.two", "x", 1, XATTR_REPLACE), -ENODATA, "XATTR_REPLACE");
    is(CALL(SYS_fsetxattr, fd, "user.two", "", 0, 0), 0, "an empty one, by descriptor");
    is(CALL(SYS_getxattr, path, "user.one", NULL, 0), 5, "the length of a value");
    is(CALL(SYS_getxattr, path, "user.one", out, 4), -ERANGE, "a buffer that is too small");
    is(CALL(SYS_getxattr, path, "user.one", BAD_POINTER, 5), -EFAULT, "a bad buffer");
    is(CALL(SYS_fgetxattr, fd, "user.one", out, sizeof(out)), 5, "a value by descriptor");
    ok(memcmp(out, "first", 5) == 0, "is what was set");
    is(CALL(SYS_fgetxattr, fd, "user.two", out, sizeof(out)), 0, "the empty value");
    is(CALL(SYS_listxattr, path, NULL, 0), 18, "the length of the list");
    is(CALL(SYS_flistxattr, fd, out, 17), -ERANGE, "a list that does not fit");
    is(CALL(SYS_listxattr, link_path, out, sizeof(out)), 18, "the list");
    ok(memmem(out, 18, "user.one", 9) && memmem(out, 18, "user.two", 9), "has both names");
    is(CALL(SYS_lsetxattr, link_path, "user.one", "x", 1, 0), -EPERM, "none on a link itself");
    is(CALL(SYS_lremovexattr, path, "user.one"), 0, "one is removed");
    is(CALL(SYS_removexattr, path, "user.two"), 0, "and the other");
    is(CALL(SYS_llistxattr, path, out, sizeof(out)), 0, "none is left");
    close(fd);
}

static void spin(void)
{
    struct tms now, start;
    times(&start);
    do {
        times(&now);
    } while (now.tms_utime + now.tms_stime < start.tms_utime + start.tms_stime + 3);
}

static int spinning_child(void *argument)
{
    (void)argument;
    spin();
    return 0;
}

static long hundredths(struct timeval user, struct timeval system)
{
    return (user.tv_sec + system.tv_sec) * 100 + (user.tv_usec + system.tv_usec) / 10000;
}

static void check_times(void)
{
    struct rusage self, children, thread;
    struct tms all;
    is(in_child(spinning_child, NULL), 0, "a child uses 30 ms");
    spin();
    long before = times(&all);
    ok(before > 0 && result(times(NULL)) >= before, "times returns a time that does not go back");
    ok(all.tms_utime + all.tms_stime >= 3, "times counts the program's own ticks");
    ok(all.tms_cutime + all.tms_cstime >= 3, "and those of children");
    is(CALL(SYS_times, BAD_POINTER), -EFAULT, "times with a bad pointer");
    is(getrusage(RUSAGE_SELF, &self), 0, "getrusage of the program");
    is(getrusage(RUSAGE_CHILDREN, &children), 0, "of its children");
    is(getrusage(RUSAGE_THREAD, &thread), 0, "of the thread");
    ok(hundredths(self.ru_utime, self.ru_stime) >= 3, "its own time");
    ok(hundredths(children.ru_utime, children.ru_stime) >= 2, "the children's time");
    ok(self.ru_minflt > 0 && children.ru_minflt > 0, "page faults of both");
    ok(thread.ru_minflt > 0 && thread.ru_minflt <= self.ru_minflt + 8, "and of the thread");
    is(CALL(SYS_getrusage, 2, &self), -EINVAL, "getrusage of nobody");
    is(CALL(SYS_getrusage, 2, BAD_POINTER), -EINVAL, "which comes before the pointer");
    is(CALL(SYS_getrusage, 0, BAD_POINTER), -EFAULT, "a bad pointer");
}

static unsigned char work[8 << 20];

static void in_calls(void)
{
    int zero = open("/dev/zero", O_RDONLY);
    for (int i = 0; i < 256; i++)
        (void)result(read(zero, work, 64 << 10));
    close(zero);
}

static void in_faults(void)
{
    char *pages =
        mmap(NULL, sizeof(work), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t at = 0; at < sizeof(work); at += 4096)
        pages[at] = 1;
    munmap(pages, sizeof(work));
}

static void in_itself(void)
{
    for (volatile int i = 0; i < 1000000; i++)
        ;
}

/* Of 20 ticks. */
static long system_share(void (*use_time)(void))
{
    struct tms now, start;
    times(&start);
    do {
        use_time();
        times(&now);
    } while (now.tms_utime + now.tms_stime < start.tms_utime + start.tms_stime + 20);
    return 100 * (now.tms_stime - start.tms_stime) /
           (now.tms_utime + now.tms_stime - start.tms_utime - start.tms_stime);
}

/* Whose time a tick is. */
static void check_system_time(void)
{
    ok(system_share(in_calls) > 50, "the time of calls is system time");
    ok(system_share(in_faults) > 50, "the time of page faults is system time");
    ok(system_share(in_itself) < 50, "the time of the program is not");
}

static void check_vector_errors(int fd, struct iovec *vector)
{
    int ends[2];
    is(pipe(ends), 0, "a pipe");
    is(CALL(SYS_preadv, ends[0], vector, 2, 0, 0), -ESPIPE, "preadv of a pipe");
    is(CALL(SYS_preadv, ends[0], vector, 2, -1L, -1L), -EINVAL, "a negative offset comes first");
    is(CALL(SYS_preadv, -1, vector, 2, 0, 0), -EBADF, "no such file");
    is(CALL(SYS_pwritev, fd, vector, 1025, 0, 0), -EINVAL, "1025 parts");
    is(CALL(SYS_pwritev, fd, BAD_POINTER, 1, 0, 0), -EFAULT, "a bad vector");
    is(CALL(SYS_preadv2, fd, vector, 2, 0, 0, 0x4000), -EOPNOTSUPP, "an unknown flag");
    is(CALL(SYS_pwritev2, ends[1], vector, 1, -1L, -1L, 0), 3, "pwritev2 at a pipe's own offset");
    close(ends[0]);
    close(ends[1]);
}

static void check_vectors(void)
{
    char one[4] = "abc", two[5] = "defg";
    struct iovec vector[2] = {{one, 3}, {two, 4}};
    int fd = open(path, O_RDWR | O_TRUNC);
    is(CALL(SYS_pwritev, fd, vector, 2, 2, 0), 7, "pwritev at 2");
    is(lseek(fd, 0, SEEK_CUR), 0, "leaves the offset");
    memset(one, 0, sizeof(one));
    is(CALL(SYS_preadv, fd, vector, 1, 3, 0), 3, "preadv at 3");
    ok(memcmp(one, "bcd", 3) == 0, "reads what is there");
    lseek(fd, 4, SEEK_SET);
    is(CALL(SYS_preadv2, fd, vector, 1, -1L, -1L, 0), 3, "preadv2 at the offset of the file");
    ok(memcmp(one, "cde", 3) == 0, "reads from there");
    is(lseek(fd, 0, SEEK_CUR), 7, "and moves it");
    is(CALL(SYS_preadv2, fd, vector, 2, 9, 0, 0), 0, "preadv2 at the end");
    is(CALL(SYS_pwritev2, fd, vector, 1, 9, 0, 0), 3, "pwritev2 there");
    is(lseek(fd, 1, SEEK_SET), 1, "back to 1");
    is(CALL(SYS_pwritev2, fd, vector, 1, 0, 0, 0x10), 3, "pwritev2 with RWF_APPEND");
    is(lseek(fd, 0, SEEK_CUR), 1, "leaves the offset of the file");
    is(CALL(SYS_pwritev2, fd, vector, 1, -1L, -1L, 0x10), 3, "at that offset it does not write");
    is(lseek(fd, 0, SEEK_CUR), 18, "but at the end, where the offset then is");
    int reader = open(path, O_RDONLY);
    is(CALL(SYS_pwritev2, reader, vector, 1, -1L, -1L, 0x10), -EBADF, "not of a reader");
    is(lseek(reader, 0, SEEK_CUR), 0, "whose offset stays");
    close(reader);
    check_vector_errors(fd, vector);
    close(fd);
}

/* Leaves a character device 0:0 in the place of what moves. */
static void check_whiteout(void)
{
    struct stat stat;
    char moved[80];
    snprintf(moved, sizeof(moved), "%s.moved", path);
    is(CALL(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, moved, 6), -EINVAL, "whiteout and exchange");
    is(CALL(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, moved, 8), -EINVAL, "an unknown flag");
    int error = (int)CALL(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, moved, 4);
    if (error == -EINVAL && on_linux()) {
        skip("this file system has no whiteouts", "whiteout");
        return;
    }
    is(error, 0, "renameat2 with RENAME_WHITEOUT");
    is(lstat(path, &stat), 0, "the old name is there");
    is(stat.st_mode, S_IFCHR, "as a character device without permissions");
    is((long)stat.st_rdev, 0, "with number 0");
    is(CALL(SYS_renameat2, AT_FDCWD, moved, AT_FDCWD, path, 1), -EEXIST, "which is a name");
    is(rename(moved, path), 0, "and can be replaced");
}

static void check_statx(void)
{
    struct stat stat;
    struct statx_fields out;
    memset(&out, 0xff, sizeof(out));
    is(lstat(path, &stat), 0, "lstat");
    is(CALL(SYS_statx, AT_FDCWD, path, 0, STATX_ALL, &out), 0, "statx");
    is(out.mask & STATX_ALL, STATX_ALL, "has all fields");
    ok(out.ino == stat.st_ino && out.size == (uint64_t)stat.st_size, "inode and size");
    is(out.mode, stat.st_mode, "mode");
    is((long)out.nlink, (long)stat.st_nlink, "links");
    ok(out.mtime.sec == stat.st_mtim.tv_sec && out.mtime.nsec == (unsigned)stat.st_mtim.tv_nsec,
       "time of the last change");
    is(CALL(SYS_statx, AT_FDCWD, path, 0, STATX_ALL | STATX_CREATION, &out), 0,
       "with its creation");
    ok(on_linux() || out.mask & STATX_CREATION, "which is known");
    ok(!(out.mask & STATX_CREATION) ||
           (out.btime.sec > 1000000000 && out.btime.sec <= out.ctime.sec),
       "and no later than the last change");
    is(CALL(SYS_statx, AT_FDCWD, link_path, AT_SYMLINK_NOFOLLOW, STATX_ALL, &out), 0, "of a link");
    ok(S_ISLNK(out.mode), "which is one");
    is(CALL(SYS_statx, 1, "", AT_EMPTY_PATH, STATX_ALL, &out), 0, "of an open file");
    is(CALL(SYS_statx, -1, BAD_POINTER, 0, 0x80000000, &out), -EINVAL, "the mask comes first");
    is(CALL(SYS_statx, -1, BAD_POINTER, 0x6000, 0, &out), -EINVAL, "both ways of being in sync");
    is(CALL(SYS_statx, -1, "/none", 0x200, 0, &out), -EINVAL, "an unknown flag");
    is(CALL(SYS_statx, -1, "none", 0, 0, &out), -EBADF, "no such directory");
    is(CALL(SYS_statx, AT_FDCWD, path, 0, 0, BAD_POINTER), -EFAULT, "a bad buffer");
}

static void check_close_range(void)
{
    is(dup2(1, 20), 20, "descriptor 20");
    is(dup2(1, 22), 22, "descriptor 22");
    is(CALL(SYS_close_range, 20, 21, 4), 0, "close_range with CLOSE_RANGE_CLOEXEC");
    is(fcntl(20, F_GETFD), FD_CLOEXEC, "marks the descriptor");
    is(fcntl(22, F_GETFD), 0, "and not the next");
    is(CALL(SYS_close_range, 20, 22, 2), 0, "close_range with CLOSE_RANGE_UNSHARE");
    is(result(fcntl(20, F_GETFD)), -EBADF, "closes it");
    is(result(fcntl(22, F_GETFD)), -EBADF, "and the last one");
    is(CALL(SYS_close_range, 30, ~0u, 0), 0, "to the largest number");
    is(CALL(SYS_close_range, 31, 30, 0), -EINVAL, "backwards");
    is(CALL(SYS_close_range, 30, 31, 8), -EINVAL, "an unknown flag");
}

static void check_requests(int fd)
{
    int on = 1, left = 0;
    lseek(fd, 4, SEEK_SET);
    is(CALL(SYS_ioctl, fd, FIONREAD, &left), 0, "FIONREAD of a file");
    is(left, lseek(fd, 0, SEEK_END) - 4, "the bytes to its end");
    is(CALL(SYS_ioctl, fd, FIONBIO, &on), 0, "FIONBIO");
    ok(fcntl(fd, F_GETFL) & O_NONBLOCK, "sets O_NONBLOCK");
    is(CALL(SYS_ioctl, fd, FIONBIO, BAD_POINTER), -EFAULT, "FIONBIO with a bad pointer");
    is(CALL(SYS_ioctl, fd, FIOCLEX), 0, "FIOCLEX");
    is(fcntl(fd, F_GETFD), FD_CLOEXEC, "marks the descriptor");
    is(CALL(SYS_ioctl, fd, FIONCLEX), 0, "FIONCLEX");
    is(fcntl(fd, F_GETFD), 0, "takes the mark away");
    is(CALL(SYS_fcntl, fd, F_GETPIPE_SZ), -EBADF, "F_GETPIPE_SZ of a file");
    is(CALL(SYS_fcntl, fd, F_GETOWN), 0, "F_GETOWN");
    is(CALL(SYS_fadvise64, fd, 0L, 0L, 3), 0, "fadvise64");
    is(CALL(SYS_fadvise64, fd, 0L, 0L, 6), -EINVAL, "unknown advice");
    is(CALL(SYS_syncfs, fd), 0, "syncfs");
    is(CALL(SYS_syncfs, -1), -EBADF, "of no file");
}

static void check_old_times(void)
{
    struct stat stat;
    int64_t seconds[2] = {1000, 2000}, parts[4] = {3000, 5, 4000, 1000000};
    is(CALL(SYS_utime, path, seconds), 0, "utime");
    lstat(path, &stat);
    ok(stat.st_atime == 1000 && stat.st_mtime == 2000, "sets both times");
    is(CALL(SYS_futimesat, AT_FDCWD, path, parts), -EINVAL, "a million microseconds");
    parts[3] = 7;
    is(CALL(SYS_futimesat, AT_FDCWD, path, parts), 0, "futimesat");
    lstat(path, &stat);
    ok(stat.st_atime == 3000 && stat.st_mtim.tv_nsec == 7000, "sets them, too");
    is(CALL(SYS_utime, path, BAD_POINTER), -EFAULT, "utime with bad times");
}

static void check_copy(int fd)
{
    char out[8] = "";
    int64_t from = 1, to = 10, past = 1000;
    is(pwrite(fd, "abcdef", 6, 0), 6, "bytes to copy");
    is(CALL(SYS_copy_file_range, fd, &from, fd, &to, 4L, 0), 4, "copy_file_range");
    ok(from == 5 && to == 14, "moves both offsets");
    is(pread(fd, out, 4, 10), 4, "the copy");
    ok(memcmp(out, "bcde", 4) == 0, "is the same");
    is(CALL(SYS_copy_file_range, fd, &past, fd, &to, 4L, 0), 0, "past the end there is nothing");
    from = 0, to = 2;
    is(CALL(SYS_copy_file_range, fd, &from, fd, &to, 4L, 0), -EINVAL, "onto itself");
    is(CALL(SYS_copy_file_range, fd, &from, fd, &to, 4L, 1), -EINVAL, "unknown flags");
    is(CALL(SYS_copy_file_range, fd, BAD_POINTER, fd, &to, 4L, 1), -EFAULT, "a bad offset");
    is(CALL(SYS_copy_file_range, -1, BAD_POINTER, fd, &to, 4L, 1), -EBADF, "no such file");
}

#define SYS_OPENAT2 437
static void check_openat2(void)
{
    uint64_t how[4] = {O_RDONLY, 0, 0, 0};
    int fd = (int)CALL(SYS_OPENAT2, AT_FDCWD, path, how, 24L);
    ok(fd >= 0, "openat2");
    close(fd);
    is(CALL(SYS_OPENAT2, AT_FDCWD, BAD_POINTER, how, 23L), -EINVAL, "a size of 23");
    how[3] = 1;
    is(CALL(SYS_OPENAT2, AT_FDCWD, BAD_POINTER, how, 32L), -E2BIG, "a tail that is not 0");
    how[3] = 0, how[1] = 0600;
    is(CALL(SYS_OPENAT2, AT_FDCWD, path, how, 32L), -EINVAL, "a mode without O_CREAT");
    how[1] = 0, how[0] = 1UL << 40;
    is(CALL(SYS_OPENAT2, AT_FDCWD, path, how, 24L), -EINVAL, "an unknown flag");
    how[0] = 0, how[2] = 4;
    is(CALL(SYS_OPENAT2, AT_FDCWD, link_path, how, 24L), -ELOOP, "RESOLVE_NO_SYMLINKS");
    how[2] = 8;
    is(CALL(SYS_OPENAT2, AT_FDCWD, path, how, 24L), -EXDEV, "RESOLVE_BENEATH");
    how[2] = 0x18;
    is(CALL(SYS_OPENAT2, AT_FDCWD, path, how, 24L), -EINVAL, "and RESOLVE_IN_ROOT");
}

/* The descriptor, not the current directory, is the root also of a path that begins with a slash. */
static void check_in_root(void)
{
    uint64_t how[3] = {O_PATH, 0, 0x10 /* RESOLVE_IN_ROOT */};
    char directory[72], link[80];
    struct stat of_path, of_root;
    snprintf(directory, sizeof(directory), "%s.root", path);
    snprintf(link, sizeof(link), "%s/link", directory);
    ok(mkdir(directory, 0755) == 0 && symlink("/..", link) == 0, "a directory with a link");
    int root = open(directory, O_RDONLY | O_DIRECTORY);
    is(CALL(SYS_OPENAT2, root, path, how, 24L), -ENOENT, "RESOLVE_IN_ROOT: a path from the root");
    is(CALL(SYS_OPENAT2, -1, path, how, 24L), -EBADF, "RESOLVE_IN_ROOT: no such descriptor");
    fstat(root, &of_root);
    static const char *const up[] = {"/", "/..", "/link", "/link/../link/..", "../.."};
    for (unsigned i = 0; i < COUNT(up); i++) {
        int fd = (int)CALL(SYS_OPENAT2, root, up[i], how, 24L);
        ok(fd >= 0 && fstat(fd, &of_path) == 0 && of_path.st_ino == of_root.st_ino &&
               of_path.st_dev == of_root.st_dev,
           "RESOLVE_IN_ROOT: %s is the root", up[i]);
        close(fd);
    }
    close(root);
    root = open(path, O_RDONLY);
    is(CALL(SYS_OPENAT2, root, "/", how, 24L), -ENOTDIR, "RESOLVE_IN_ROOT: in a file");
    close(root);
    unlink(link);
    rmdir(directory);
}

/* The times that kernel/SYSCALLS.md says are kept: those of all years, as in tmpfs on Linux. */
static void check_far_times(void)
{
    struct timespec far[2] = {{253402300799, 5}, {-99999999999, 7}};
    struct stat stat;
    is(CALL(SYS_utimensat, AT_FDCWD, path, far, 0), 0, "times in the year 9999 and before 1677");
    lstat(path, &stat);
    if (on_linux() && stat.st_atim.tv_sec != far[0].tv_sec) {
        skip("this file system has no such times", "far times");
        return;
    }
    ok(stat.st_atim.tv_sec == far[0].tv_sec && stat.st_atim.tv_nsec == 5, "the late one is kept");
    ok(stat.st_mtim.tv_sec == far[1].tv_sec && stat.st_mtim.tv_nsec == 7, "and the early one");
}

/*
 * What kernel/SYSCALLS.md says that a call lacks: who adds it changes the text too. On Linux, where some of it depends
 * on the release, the calls are not made.
 */
static void check_missing_parts(void)
{
    static char page[2 * 4096] __attribute__((aligned(4096)));
    static char value[4096];
    struct iovec vector = {page, 1};
    int64_t fields[15]; /* struct statfs */
    if (on_linux()) {
        skip("Linux has them", "parts of calls that are missing");
        return;
    }
    int fd = open(path, O_RDWR);
    is(CALL(SYS_fallocate, fd, 8, 0L, 4096L), -EOPNOTSUPP, "no FALLOC_FL_COLLAPSE_RANGE");
    is(CALL(SYS_fallocate, fd, 32, 0L, 4096L), -EOPNOTSUPP, "no FALLOC_FL_INSERT_RANGE");
    is(CALL(SYS_preadv2, fd, &vector, 1, 0L, 0L, 8), -EOPNOTSUPP, "no RWF_NOWAIT");
    is(CALL(SYS_pwritev2, fd, &vector, 1, 0L, 0L, 8), -EOPNOTSUPP, "nor for writing");
    is(CALL(SYS_memfd_create, "sealed", 2), -EINVAL, "no seals");
    is(CALL(SYS_mremap, page, 4096L, 4096L, 5L, 0L), -EINVAL, "no MREMAP_DONTUNMAP");
    is(CALL(SYS_mprotect, page, 4096L, 0x1000001L), -EINVAL, "no PROT_GROWSDOWN");
    is(CALL(SYS_madvise, page, 4096L, 9), -EINVAL, "no MADV_REMOVE");
    is(CALL(SYS_madvise, page, 4096L, 12), -EINVAL, "no MADV_MERGEABLE");
    is(CALL(SYS_setxattr, path, "user.large", value, 3072L, 0), 0, "an attribute of 3072 bytes");
    is(CALL(SYS_setxattr, path, "user.large", value, 3073L, 0), -ENOSPC, "not of more");
    is(CALL(SYS_removexattr, path, "user.large"), 0, "is removed");
    is(CALL(SYS_arch_prctl, 0x1011, 0L), -EINVAL, "no ARCH_GET_CPUID");
    is(CALL(SYS_fcntl, fd, 1024, 0L), -EINVAL, "no leases");
    is(CALL(SYS_umount2, "/proc", 4), -EINVAL, "no MNT_EXPIRE");
    is(CALL(SYS_statfs, "/proc", fields), 0, "statfs of /proc");
    ok(fields[0] == 0x9fa0 && fields[7] == 0, "has its type, and no f_fsid");
    close(fd);
}

static void check_machine(void)
{
    unsigned cpu = 99, node = 99, header[2] = {0x20080522, 0}, words[6] = {0};
    is(CALL(SYS_getcpu, &cpu, &node, NULL), 0, "getcpu");
    ok(cpu != 99 && node != 99, "fills both");
    is(CALL(SYS_getcpu, BAD_POINTER, NULL, NULL), -EFAULT, "a bad pointer");
    is(CALL(SYS_personality, 0xffffffff), 0, "personality");
    is(CALL(SYS_personality, PER_LINUX32), 0, "as on 32 bits");
    struct utsname name;
    ok(uname(&name) == 0 && strcmp(name.machine, "i686") == 0,
       "uname tells of a machine of 32 bits");
    is(CALL(SYS_personality, 0), PER_LINUX32, "and back");
    ok(uname(&name) == 0 && strcmp(name.machine, "x86_64") == 0, "uname tells the truth");
    is(CALL(SYS_capget, header, words), 0, "capget");
    is(CALL(SYS_capset, header, words), 0, "capset of the same");
    header[0] = 1;
    is(CALL(SYS_capget, header, words), -EINVAL, "an unknown version");
    is((long)header[0], 0x20080522, "is answered with the known one");
    is(CALL(SYS_sethostname, BAD_POINTER, 65), geteuid() ? -EPERM : -EINVAL, "a long host name");
}

static int lower_priority(void *argument)
{
    (void)argument;
    return CALL(SYS_setpriority, 0, 0, 30) != 0 || CALL(SYS_getpriority, 0, 0) != 1;
}

static void check_scheduling(void)
{
    uint64_t mask[16] = {0}, none = 0;
    int zero = 0, real_time = 100, param = 9;
    struct timespec turn;
    long priority = CALL(SYS_getpriority, 0, 0);
    ok(priority >= 1 && priority <= 20, "getpriority, of a caller that may be nice");
    is(CALL(SYS_setpriority, 0, 0, 20 - priority), 0, "setpriority to the same");
    is(CALL(SYS_getpriority, 0, 0), priority, "changes nothing");
    is(CALL(SYS_getpriority, 3, 0), -EINVAL, "of an unknown kind");
    is(CALL(SYS_getpriority, 0, 99999999), -ESRCH, "of nobody");
    is(in_child(lower_priority, NULL), 0, "a child with nice 19");
    ok(CALL(SYS_sched_getaffinity, 0, sizeof(mask), mask) >= 8, "sched_getaffinity");
    ok(mask[0] != 0, "names a processor");
    is(CALL(SYS_sched_getaffinity, 0, 9, mask), -EINVAL, "an odd size");
    is(CALL(SYS_sched_setaffinity, 0, sizeof(mask), mask), 0, "sched_setaffinity");
    is(CALL(SYS_sched_setaffinity, 0, 8, &none), -EINVAL, "to no processor");
    is(CALL(SYS_sched_getscheduler, 0), 0, "sched_getscheduler");
    is(CALL(SYS_sched_getscheduler, -1), -EINVAL, "of pid -1");
    is(CALL(SYS_sched_getparam, 0, &param), 0, "sched_getparam");
    is(param, 0, "priority 0");
    is(CALL(SYS_sched_setscheduler, 0, 0, &zero), 0, "sched_setscheduler");
    is(CALL(SYS_sched_setscheduler, 0, 1, &real_time), -EINVAL, "a priority of 100");
    is(CALL(SYS_sched_setparam, 0, NULL), -EINVAL, "sched_setparam without one");
    is(CALL(SYS_sched_get_priority_max, 1), 99, "the highest priority");
    is(CALL(SYS_sched_get_priority_min, 2), 1, "the lowest");
    is(CALL(SYS_sched_get_priority_min, 4), -EINVAL, "of no policy");
    is(CALL(SYS_sched_rr_get_interval, 0, &turn), 0, "sched_rr_get_interval");
    is(CALL(SYS_ioprio_get, 0, 0), -EINVAL, "ioprio_get of an unknown kind");
    is(CALL(SYS_ioprio_get, 1, 99999999), -ESRCH, "of nobody");
    is(CALL(SYS_unshare, 0x600), 0, "unshare of files and places");
    is(CALL(SYS_unshare, 1), -EINVAL, "of something unknown");
}

/* True if the file begins with the text. */
static bool begins_with(const char *file, const char *text)
{
    char out[512] = "";
    int fd = open(file, O_RDONLY);
    ssize_t n = read(fd, out, sizeof(out) - 1);
    close(fd);
    return n > 0 && strncmp(out, text, strlen(text)) == 0;
}

/* What each read makes anew has no pages, and is no part of the test's file system. */
static void check_made_file(int fd)
{
    int made = open("/proc/self/maps", O_RDONLY);
    is(CALL(SYS_mmap, 0, 4096L, PROT_READ, MAP_PRIVATE, made, 0L), -ENODEV,
       "mmap of a file of /proc");
    is(CALL(SYS_mmap, 0, 4096L, PROT_READ, MAP_SHARED, made, 0L), -ENODEV, "likewise, shared");
    is(CALL(SYS_copy_file_range, made, 0, fd, 0, 4L, 0), -EXDEV, "copy_file_range from it");
    is(CALL(SYS_fsync, made), -EINVAL, "fsync of it");
    close(made);
}

static void check_proc(void)
{
    struct utsname names;
    char line[80], text[64] = "";
    long user, system, idle;
    uname(&names);
    snprintf(line, sizeof(line), "%s\n", names.nodename);
    ok(begins_with("/proc/sys/kernel/hostname", line), "hostname is that of uname");
    snprintf(line, sizeof(line), "%s\n", names.release);
    ok(begins_with("/proc/sys/kernel/osrelease", line), "osrelease too");
    FILE *file = fopen("/proc/sys/kernel/pid_max", "r");
    ok(file && fscanf(file, "%ld", &user) == 1 && user >= getpid(), "pid_max");
    if (file)
        fclose(file);
    file = fopen("/proc/stat", "r");
    ok(file && fscanf(file, "cpu %ld %*d %ld %ld", &user, &system, &idle) == 3 && user > 0,
       "/proc/stat counts the processor's time");
    if (file)
        fclose(file);
    file = fopen("/proc/loadavg", "r");
    ok(file && fscanf(file, "%*f %*f %*f %63s", text) == 1 && strchr(text, '/'), "/proc/loadavg");
    if (file)
        fclose(file);
    ok(begins_with("/proc/cpuinfo", "processor\t: 0\n"), "/proc/cpuinfo");
    ok(begins_with("/proc/filesystems", "nodev\t"), "/proc/filesystems");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    snprintf(path, sizeof(path), "/tmp/morecalls.%d", getpid());
    snprintf(link_path, sizeof(link_path), "/tmp/morecalls.%d.link", getpid());
    is(symlink(path, link_path), 0, "a link");
    check_creat();
    check_attributes();
    check_times();
    check_system_time();
    check_vectors();
    check_statx();
    check_whiteout();
    check_close_range();
    int fd = open(path, O_RDWR);
    check_requests(fd);
    check_copy(fd);
    check_made_file(fd);
    close(fd);
    check_old_times();
    check_openat2();
    check_in_root();
    check_far_times();
    check_missing_parts();
    check_machine();
    check_scheduling();
    check_proc();
    unlink(link_path);
    unlink(path);
    return tap_end();
}
