/*
 * Calls with two wrong arguments: which of the errors is the answer. Descriptors go before memory,
 * flags before paths, the first path before the second, and what a file allows before its memory.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD 0x7fffffffffffUL /* outside user memory */

/* Descriptors of the table. */
enum { READS = 20, WRITES, DIRECTORY, PIPE_READS, PIPE_WRITES, PIPE_FULL, NONE = 200 };

static const char file[] = "f", under_file[] = "f/x", missing[] = "missing/x", fifo[] = "p",
                  empty[] = "";
static const struct {
    int64_t seconds, nanoseconds;
} wrong_times[2] = {{0, -1}, {0, 0}};
static int64_t offset;

#define P(pointer) (unsigned long)(pointer)

static const struct row {
    const char *name;
    long number;
    unsigned long arguments[6];
    int error;
} rows[] = {
    {"read: mode before memory", SYS_read, {WRITES, BAD, 9}, EBADF},
    {"write: mode before memory", SYS_write, {READS, BAD, 9}, EBADF},
    {"write: memory", SYS_write, {WRITES, BAD, 9}, EFAULT},
    {"pread64: pipe before memory", SYS_pread64, {PIPE_READS, BAD, 9, 0}, ESPIPE},
    {"pwrite64: mode before memory", SYS_pwrite64, {READS, BAD, 9, 0}, EBADF},
    {"readv: mode before count", SYS_readv, {WRITES, BAD, 1025}, EBADF},
    {"readv: count before memory", SYS_readv, {READS, BAD, 1025}, EINVAL},
    {"writev: mode before vector", SYS_writev, {READS, BAD, 1}, EBADF},
    {"readv: nothing, of a directory", SYS_readv, {DIRECTORY, BAD, 0}, 0},
    {"sendfile: source before target", SYS_sendfile, {NONE, WRITES, 0, 9}, EBADF},
    {"sendfile: offset of a pipe", SYS_sendfile, {NONE, PIPE_READS, P(&offset), 9}, ESPIPE},
    {"sendfile: target before kind", SYS_sendfile, {READS, DIRECTORY, 0, 9}, EBADF},
    {"sendfile: count before target", SYS_sendfile, {NONE, READS, 0, -1UL}, EINVAL},
    {"utimensat: path before times",
     SYS_utimensat,
     {P(AT_FDCWD), P(missing), P(wrong_times), 0},
     ENOENT},
    {"utimensat: times", SYS_utimensat, {P(AT_FDCWD), P(file), P(wrong_times), 0}, EINVAL},
    {"utimensat: flags before path", SYS_utimensat, {NONE, BAD, 0, 1}, EINVAL},
    {"utimensat: descriptor before times", SYS_utimensat, {NONE, 0, P(wrong_times), 0}, EBADF},
    {"renameat2: flags before paths", SYS_renameat2, {NONE, BAD, NONE, BAD, 3}, EINVAL},
    {"rename: first path before second", SYS_rename, {P(under_file), BAD}, ENOTDIR},
    {"rename: second path", SYS_rename, {P(file), BAD}, EFAULT},
    {"link: first path before second", SYS_link, {P(under_file), BAD}, ENOTDIR},
    {"link: second path", SYS_link, {P(file), BAD}, EFAULT},
    {"linkat: flags before paths", SYS_linkat, {NONE, BAD, NONE, BAD, 1}, EINVAL},
    {"symlinkat: target before path", SYS_symlinkat, {P(empty), NONE, BAD}, ENOENT},
    {"faccessat2: flags before path", SYS_faccessat2, {NONE, BAD, 0, 1}, EINVAL},
    {"faccessat2: mode before path", SYS_faccessat2, {NONE, BAD, 8, 0}, EINVAL},
    {"fchownat: flags before path", SYS_fchownat, {NONE, BAD, 0, 0, 1}, EINVAL},
    {"fallocate: mode before the descriptor's", SYS_fallocate, {READS, 2, 0, 9}, EOPNOTSUPP},
    {"fallocate: unknown mode before the descriptor's",
     SYS_fallocate,
     {READS, 4, 0, 9},
     EOPNOTSUPP},
    {"mknod: mode before path", SYS_mknod, {BAD, S_IFDIR, 0}, EPERM},
    {"mknod: unknown mode before path", SYS_mknod, {BAD, S_IFMT, 0}, EINVAL},
    {"readlink: no path", SYS_readlink, {P(empty), BAD, 9}, ENOENT},
    {"sendfile: from a directory", SYS_sendfile, {WRITES, DIRECTORY, 0, 9}, EINVAL},
    {"sendfile: nothing from a directory", SYS_sendfile, {WRITES, DIRECTORY, 0, 0}, 0},
    {"sendfile: nothing from a pipe", SYS_sendfile, {WRITES, PIPE_READS, 0, 0}, EINVAL},
    {"sendfile: full pipe before kind", SYS_sendfile, {PIPE_FULL, DIRECTORY, 0, 9}, EAGAIN},
    {"open: a FIFO with access mode 3", SYS_open, {P(fifo), 3, 0}, EINVAL},
    {"truncate: a directory before the limit", SYS_truncate, {P("."), 4095}, EISDIR},
    {"prlimit64: process before limit", SYS_prlimit64, {0x3ffffff, 99, 0, 0}, ESRCH},
};

static const char pages[16 * PAGE]; /* as many as a pipe holds */

static bool prepare(void)
{
    char directory[] = "/tmp/orders.XXXXXX";
    int ends[2];

    return mkdtemp(directory) != NULL && chdir(directory) == 0 && mkfifo(fifo, 0600) == 0 &&
           dup2(open(file, O_RDWR | O_CREAT, 0600), READS) == READS &&
           dup2(open(file, O_RDONLY), READS) == READS &&
           dup2(open(file, O_WRONLY), WRITES) == WRITES &&
           dup2(open(".", O_RDONLY), DIRECTORY) == DIRECTORY && pipe(ends) == 0 &&
           dup2(ends[0], PIPE_READS) == PIPE_READS && dup2(ends[1], PIPE_WRITES) == PIPE_WRITES &&
           pipe2(ends, O_NONBLOCK) == 0 && dup2(ends[1], PIPE_FULL) == PIPE_FULL &&
           write(PIPE_FULL, pages, sizeof pages) == sizeof pages;
}

static int store(void *at)
{
    *(volatile char *)at = 1;
    return 0;
}

/* What lies before a hole is changed, and the answer is ENOMEM. */
static void test_hole(void)
{
    char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    is(munmap(at + PAGE, PAGE), 0, "mprotect over a hole");
    is(result_of(mprotect(at, 3 * PAGE, PROT_READ)), -ENOMEM, "is ENOMEM");
    is(WTERMSIG(finish(begin(store, at), 10000)), SIGSEGV, "the page before it is changed");
    is(finish(begin(store, at + 2 * PAGE), 10000), 0, "the page behind it is not");
}

/* sendfile to a pipe: a page of the file is a page of the pipe, and a full pipe ends the call. */
static void test_sendfile_to_pipe(void)
{
    int ends[2] = {-1, -1}, fd = open("pages", O_RDWR | O_CREAT, 0600);
    off_t at = 5000;

    is(ftruncate(fd, 100 * (long)PAGE) | pipe(ends), 0, "a file of 100 pages, and a pipe");
    is(sendfile(ends[1], fd, &at, 100 * PAGE), 17 * (long)PAGE - 5000, "16 pages of the file");
    is(at, 17 * (long)PAGE, "the position follows");
    is(read(ends[0], (char[17 * PAGE]){0}, 17 * PAGE), 17 * (long)PAGE - 5000, "they are read");
    at = 0;
    is(sendfile(ends[1], fd, &at, 1), 1, "a byte");
    is(result_of(fcntl(fd, F_SETFL, O_APPEND)), 0, "O_APPEND");
    is(result_of(sendfile(fd, fd, &at, 1)), -EINVAL, "sendfile does not append");
    int null = open("/dev/null", O_WRONLY | O_APPEND);
    is(result_of(sendfile(null, fd, &at, 1)), -EINVAL, "to a device neither");
    close(null);
    is(result_of(fchmod(fd, 06777)) | result_of(fcntl(fd, F_SETFL, 0)), 0, "set-user-id bits");
    is(sendfile(fd, fd, &at, 1), 1, "sendfile to the file");
    struct stat st;
    fstat(fd, &st);
    is(st.st_mode & 06000, geteuid() == 0 ? 06000 : 0, "only user 0 leaves them");
    is(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0, "without waiting");
    is(write(ends[1], pages, sizeof pages), 15 * (long)PAGE, "has a page of its own");
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

/* What changes a file of another user: each takes the set-user-id bits unless it is user 0 who does it. */
static long by_write(int fd)
{
    return write(fd, "x", 1) - 1;
}

static long by_pwrite(int fd)
{
    return pwrite(fd, "x", 1, 5) - 1;
}

static long by_writev(int fd)
{
    return writev(fd, &(struct iovec){(char *)"x", 1}, 1) - 1;
}

static long by_ftruncate(int fd)
{
    return ftruncate(fd, 3);
}

static long by_same_size(int fd)
{
    return ftruncate(fd, 9);
}

static long by_truncate(int fd)
{
    (void)fd;
    return truncate("set-id", 100000);
}

static long by_open(int fd)
{
    (void)fd;
    return close(open("set-id", O_WRONLY | O_TRUNC));
}

static long by_fallocate(int fd)
{
    return fallocate(fd, 0, 0, 10000);
}

static long by_punching(int fd)
{
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 5);
}

static long by_copy(int fd)
{
    off_t from = 0, to = 4;

    return copy_file_range(fd, &from, fd, &to, 1, 0) - 1;
}

static long by_sendfile(int fd)
{
    off_t from = 0;

    return sendfile(fd, fd, &from, 1) - 1;
}

static const struct {
    const char *name;
    long (*change)(int fd);
} changes[] = {
    {"write", by_write},          {"pwrite", by_pwrite},           {"writev", by_writev},
    {"ftruncate", by_ftruncate},  {"the same size", by_same_size}, {"truncate", by_truncate},
    {"O_TRUNC", by_open},         {"fallocate", by_fallocate},     {"a hole", by_punching},
    {"copy_file_range", by_copy}, {"sendfile", by_sendfile},
};

#define TMPFS_MAGIC 0x01021994

static int change_as(void *which)
{
    uintptr_t at = (uintptr_t)which % COUNT(changes);
    bool as_user = (uintptr_t)which >= COUNT(changes);
    int fd = open("set-id", O_RDWR);

    if (as_user && (setgroups(0, NULL) != 0 || setgid(USER) != 0 || setuid(USER) != 0)) {
        return 2;
    }
    return fd < 0 || changes[at].change(fd) != 0;
}

static void test_set_id_bits(void)
{
    struct stat st;

    if (geteuid() != 0) {
        skip("only user 0 may become another", "who leaves set-user-id bits");
        return;
    }
    is(chmod(".", 0755), 0, "the others may look up names here");
    for (uintptr_t i = 0; i < 2 * COUNT(changes); i++) {
        const char *name = changes[i % COUNT(changes)].name;
        bool as_user = i >= COUNT(changes);
        int fd = open("set-id", O_RDWR | O_CREAT | O_TRUNC, 0600);

        is(write(fd, "123456789", 9) | fchmod(fd, 06777), 9, "a file for %s", name);
        close(fd);
        is(finish(begin(change_as, (void *)i), 10000), 0, "%s", name);
        stat("set-id", &st);
        is(st.st_mode & 07777, as_user ? 0777 : 06777, "by user %d", as_user ? USER : 0);
    }
    unlink("set-id");
}

/* Access mode 3 asks for the rights to read and write, and opens for neither. */
static void test_mode_3(void)
{
    static const char *const paths[] = {"neither", "/dev/null", "/dev/zero"};
    char byte = 0;

    close(open("neither", O_RDWR | O_CREAT, 0600));
    for (size_t i = 0; i < COUNT(paths); i++) {
        int fd = open(paths[i], 3), other = open("neither", O_RDWR);
        off_t at = 0;

        if (!ok(fd >= 0, "%s with access mode 3", paths[i])) {
            continue;
        }
        is(fcntl(fd, F_GETFL) & O_ACCMODE, 3, "F_GETFL tells it");
        is(result_of(read(fd, &byte, 1)), -EBADF, "read");
        is(result_of(read(fd, &byte, 0)), -EBADF, "read of nothing");
        is(result_of(write(fd, &byte, 1)), -EBADF, "write");
        is(result_of(pread(fd, &byte, 1, 0)), -EBADF, "pread");
        is(result_of(writev(fd, &(struct iovec){&byte, 1}, 1)), -EBADF, "writev");
        is(result_of(sendfile(other, fd, &at, 0)), -EBADF, "sendfile from it");
        is(result_of(sendfile(fd, other, &at, 0)), -EBADF, "sendfile to it");
        is(result_of(fallocate(fd, 0, 0, 1)), -EBADF, "fallocate");
        is(result_of(ftruncate(fd, 0)), -EINVAL, "ftruncate");
        ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EACCES,
           "mmap is EACCES");
        is(result_of(lseek(fd, 0, SEEK_SET)), 0, "lseek");
        close(fd);
        close(other);
    }
    unlink("neither");
    int fd = open("/dev/null", O_RDWR | O_NOCTTY | O_NONBLOCK);
    is(fcntl(fd, F_GETFL) & (O_NOCTTY | O_NONBLOCK), O_NONBLOCK, "F_GETFL does not tell O_NOCTTY");
    close(fd);
}

/* sendfile of no bytes still sets the time of access of its source. */
static void test_sending_nothing(void)
{
    const struct timespec times[] = {{0, 0}, {5, 0}};
    int from = open("nothing", O_RDWR | O_CREAT, 0600), to = open("target", O_RDWR | O_CREAT, 0600);
    struct statfs fs;
    struct stat st;

    ok(from >= 0 && to >= 0 && futimens(from, times) == 0, "a file with times");
    is(sendfile(to, from, NULL, 0), 0, "sendfile of no bytes");
    if (fstatfs(from, &fs) == 0 && fs.f_type == TMPFS_MAGIC && fstat(from, &st) == 0) {
        ok(st.st_atime != 0, "the time of access is now");
    } else {
        skip("other file systems may be mounted without times of access", "sendfile of no bytes");
    }
    close(from);
    close(to);
    unlink("nothing");
    unlink("target");
}

/* RLIMIT_FSIZE bounds what is allocated behind the end of a file, too. */
static int allocates(void *mode)
{
    const struct rlimit limit = {5000, 5000};
    int fd = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600);

    signal(SIGXFSZ, SIG_IGN);
    if (fd < 0 || ftruncate(fd, 10) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 2;
    }
    return fallocate(fd, (int)(intptr_t)mode, 0, 10000) == 0 ? 0 : errno;
}

static void test_limit(void)
{
    is(finish(begin(allocates, (void *)0), 10000), EFBIG << 8, "fallocate beyond RLIMIT_FSIZE");
    struct statfs fs;

    if (statfs(".", &fs) == 0 && fs.f_type == TMPFS_MAGIC) {
        is(finish(begin(allocates, (void *)(intptr_t)FALLOC_FL_KEEP_SIZE), 10000), EFBIG << 8,
           "so it is with KEEP_SIZE");
    } else {
        skip("other file systems allow it", "fallocate with KEEP_SIZE beyond RLIMIT_FSIZE");
    }
    is(finish(begin(allocates, (void *)(intptr_t)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)),
              10000),
       0, "a hole may be there");
    unlink("limited");
}

/* A descriptor is taken before the folder of a path is looked at. */
static int opens_without_room(void *argument)
{
    const struct rlimit limit = {3, 3};

    (void)argument;
    for (int fd = 3; fd < 200; fd++) {
        close(fd);
    }
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || result_of(openat(150, "x", O_RDONLY)) != -EMFILE) {
        return 1;
    }
    return result_of(openat(150, (const char *)BAD, O_RDONLY)) == -EFAULT ? 0 : 2;
}

/* What sets the times of a file although nothing is moved, and what does not set them. */
static void test_times_of_failures(void)
{
    const struct timespec old[2] = {{5000, 0}, {3000, 0}};
    char *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char name[] = "/tmp/orders.XXXXXX", entries[4096];
    struct stat now;
    int fd = mkstemp(name);

    is(write(fd, "bytes", 5), 5, "a file");
    futimens(fd, (struct timespec[2]){{1000, 0}, {3000, 0}});
    is(RAW(SYS_pread64, fd, nowhere, 5, 0), -EFAULT, "a read into memory without access");
    fstat(fd, &now);
    ok(now.st_atime > 5000, "is an access");
    fchmod(fd, 04755);
    futimens(fd, old);
    is(RAW(SYS_pwrite64, fd, nowhere, 5, 0), -EFAULT, "a write from memory without access");
    fstat(fd, &now);
    ok(now.st_mtime > 5000 && now.st_size == 5, "sets the time of change, and not the size");
    close(fd);
    unlink(name);
    fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    is(fcntl(fd, F_GETFL) & O_NOFOLLOW, 0, "O_EXCL does not become O_NOFOLLOW");
    close(fd);
    unlink(name);

    mkdir(name, 0700);
    int plain = open(name, O_RDONLY | O_DIRECTORY);
    int quiet = open(name, O_RDONLY | O_DIRECTORY | O_NOATIME);
    utimensat(AT_FDCWD, name, (struct timespec[2]){{1000, 0}, {3000, 0}}, 0);
    ok(syscall(SYS_getdents64, quiet, entries, sizeof entries) > 0, "a listing with O_NOATIME");
    stat(name, &now);
    is(now.st_atime, 1000, "is no access");
    is(result_of(sendfile(WRITES, plain, NULL, 9)), -EINVAL, "sendfile from a directory");
    stat(name, &now);
    ok(now.st_atime > 5000, "is an access");
    utimensat(AT_FDCWD, name, (struct timespec[2]){{1000, 0}, {3000, 0}}, 0);
    ok(syscall(SYS_getdents64, plain, entries, sizeof entries) > 0, "a listing");
    stat(name, &now);
    ok(now.st_atime > 5000, "is one");
    close(plain);
    close(quiet);
    rmdir(name);
    munmap(nowhere, 4096);
}

/* Of a user without capabilities. */
static const struct row mounts[] = {
    {"mount: type before place", SYS_mount, {P("none"), P("/missing/x"), BAD, 0, 0}, EFAULT},
    {"mount: source before place", SYS_mount, {BAD, P("/missing/x"), P("tmpfs"), 0, 0}, EFAULT},
    {"mount: options before place",
     SYS_mount,
     {P("none"), P("/missing/x"), P("tmpfs"), 0, BAD},
     EFAULT},
    {"mount: place before capability",
     SYS_mount,
     {P("none"), P("/missing/x"), P("tmpfs"), 0, 0},
     ENOENT},
    {"mount: capability before type", SYS_mount, {P("none"), P("/"), P("none"), 0, 0}, EPERM},
    {"umount2: flags before place", SYS_umount2, {P("/missing/x"), 0x1000}, EINVAL},
    {"umount2: place before capability", SYS_umount2, {P("/missing/x"), 0}, ENOENT},
    {"umount2: capability before kind", SYS_umount2, {P("/"), 0}, EPERM},
};

/* Makes the calls. Returns the number of the first that has another result, or 0. */
static int make_mounts(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(mounts); i++) {
        if (raw_call((unsigned long)mounts[i].number, mounts[i].arguments) != -mounts[i].error) {
            return (int)i + 1;
        }
    }
    return 0;
}

static void test_mounts(void)
{
    int status = run_child(make_mounts, NULL, is_root());

    if (!is(status, EXITED(0), "mount and umount2: strings, flags, place, capability")) {
        diag("%s", mounts[WEXITSTATUS(status) - 1].name);
    }
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    if (!ok(prepare(), "files and pipes are prepared")) {
        return tap_end();
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        is(raw_call((unsigned long)rows[i].number, rows[i].arguments), -rows[i].error, "%s",
           rows[i].name);
    }
    test_mounts();
    test_hole();
    test_sendfile_to_pipe();
    test_sending_nothing();
    test_set_id_bits();
    test_mode_3();
    test_limit();
    is(finish(begin(opens_without_room, NULL), 10000), 0, "EMFILE goes before EBADF of openat");
    is(fcntl(WRITES, F_GETFL) & 0100000, 0100000, "F_GETFL tells O_LARGEFILE");
    test_times_of_failures();
    return tap_end();
}
