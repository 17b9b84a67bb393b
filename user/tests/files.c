/*
 * Files and directories, read only: the results and errors of open, read, lseek, stat, getdents64,
 * readlink, access and the working directory (POSIX; Linux where POSIX leaves a choice).
 */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define DATA_SIZE      10000
#define MANY_FILES     150

static unsigned char data_byte(long offset)
{
    return (unsigned char)(offset * 7 % 251);
}

static void test_reading(void)
{
    static unsigned char buffer[DATA_SIZE + 100];
    int fd = open(beside("fixtures/data.bin"), O_RDONLY);
    long wrong = 0;

    ok(fd >= 0, "open");
    is(read(fd, buffer, 0), 0, "read of no bytes");
    is(read(fd, buffer, 10), 10, "read of 10 bytes");
    is(read(fd, buffer, sizeof buffer), DATA_SIZE - 10, "read gives what is left");
    for (long i = 0; i < DATA_SIZE - 10; i++) {
        wrong += buffer[i] != data_byte(i + 10);
    }
    is(wrong, 0, "every byte is right");
    is(read(fd, buffer, 10), 0, "read at the end gives nothing");
    is(lseek(fd, 4090, SEEK_SET), 4090, "lseek SEEK_SET");
    is(read(fd, buffer, 12), 12, "read across a page's end");
    ok(buffer[0] == data_byte(4090) && buffer[11] == data_byte(4101), "both ends are right");
    is(lseek(fd, -2, SEEK_CUR), 4100, "lseek SEEK_CUR");
    is(lseek(fd, -1, SEEK_END), DATA_SIZE - 1, "lseek SEEK_END");
    is(read(fd, buffer, 10), 1, "one byte is left there");
    is(lseek(fd, 1L << 40, SEEK_SET), 1L << 40, "lseek past the end");
    is(read(fd, buffer, 10), 0, "where nothing can be read");
    is(ERROR_OF(lseek(fd, -1, SEEK_SET)), EINVAL, "lseek before the start is EINVAL");
    is(ERROR_OF(lseek(fd, LONG_MIN, SEEK_CUR)), EINVAL, "lseek far before it is EINVAL");
    is(ERROR_OF(lseek(fd, 0, 99)), EINVAL, "an unknown whence is EINVAL");
    is(lseek(fd, 0, SEEK_CUR), 1L << 40, "a failed lseek moves nothing");
    is(ERROR_OF(write(fd, "x", 1)), EBADF, "write to a file open for reading is EBADF");
    is(close(fd), 0, "close");
    is(ERROR_OF(close(fd)), EBADF, "closing it again is EBADF");
    is(ERROR_OF(read(fd, buffer, 1)), EBADF, "as is reading from it");
    fd = open(beside("fixtures/empty"), O_RDONLY);
    is(read(fd, buffer, 10), 0, "an empty file has nothing to read");
    close(fd);
}

static void test_descriptors(void)
{
    const char *path = beside("fixtures/data.bin");
    struct stat file;
    char byte = 1;
    int first = open(path, O_RDONLY);
    int second = open(path, O_RDONLY);

    is(second, first + 1, "open gives the lowest free descriptor");
    close(first);
    is(open(path, O_RDONLY), first, "also one that was free in between");
    is(read(first, &byte, 1), 1, "read from one");
    is(lseek(second, 0, SEEK_CUR), 0, "does not move the other's offset");
    is(ERROR_OF(read(-1, &byte, 1)), EBADF, "read from -1 is EBADF");
    is(ERROR_OF(read(INT_MAX, &byte, 1)), EBADF, "read from 2^31-1 is EBADF");
    is(ERROR_OF(fstat(9999, &file)), EBADF, "fstat of no file is EBADF");
    close(first);
    close(second);
}

static void test_open_errors(void)
{
    static char long_name[300] = "fixtures/";
    static char long_path[PATH_MAX + 8];
    static const struct {
        const char *path;
        int flags, error;
    } cases[] = {
        {"fixtures/nothing", O_RDONLY, ENOENT},
        {"fixtures/nothing/at/all", O_RDONLY, ENOENT},
        {"fixtures/data.bin/", O_RDONLY, ENOTDIR},
        {"fixtures/data.bin/x", O_RDONLY, ENOTDIR},
        {"fixtures/data.bin/..", O_RDONLY, ENOTDIR},
        {"fixtures/link/x", O_RDONLY, ENOTDIR},
        {"fixtures/dangling", O_RDONLY, ENOENT},
        {"fixtures/loop-a", O_RDONLY, ELOOP},
        {"fixtures/loop-a/x", O_RDONLY, ELOOP},
        {"fixtures/link", O_RDONLY | O_NOFOLLOW, ELOOP},
        {"fixtures/data.bin", O_RDONLY | O_DIRECTORY, ENOTDIR},
        {"fixtures/directory", O_WRONLY, EISDIR},
        {"fixtures/directory", O_RDWR, EISDIR},
        {"fixtures/data.bin", O_RDONLY, 0},
        {"fixtures/link", O_RDONLY, 0},
        {"fixtures/directory/", O_RDONLY, 0},
        {"fixtures/./directory/../data.bin", O_RDONLY, 0},
        {"fixtures//directory///file", O_RDONLY, 0},
        {"fixtures/link-to-directory/file", O_RDONLY, 0},
        {"fixtures/link-to-directory/up", O_RDONLY, 0},
        {"fixtures/link-to-directory/", O_RDONLY | O_DIRECTORY, 0},
        {"fixtures/chain-39", O_RDONLY, 0},
        {"fixtures/chain-40", O_RDONLY, ELOOP},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = open(beside(cases[i].path), cases[i].flags);
        is(ERROR_OF(fd), cases[i].error, "open of %s, flags 0x%x", cases[i].path,
           (unsigned)cases[i].flags);
        close(fd);
    }
    is(ERROR_OF(open("", O_RDONLY)), ENOENT, "an empty path is ENOENT");
    memset(long_name + 9, 'n', 256);
    is(ERROR_OF(open(beside(long_name), O_RDONLY)), ENAMETOOLONG, "a name of 256 bytes");
    long_name[9 + 255] = '\0';
    is(ERROR_OF(open(beside(long_name), O_RDONLY)), ENOENT, "a name of 255 bytes is not too long");
    memset(long_path, '/', PATH_MAX);
    is(ERROR_OF(open(long_path, O_RDONLY)), ENAMETOOLONG, "a path of 4096 bytes");
    long_path[PATH_MAX - 1] = '\0';
    int fd = open(long_path, O_RDONLY);
    ok(fd >= 0, "a path of 4095 bytes is not too long");
    close(fd);
}

static void test_openat(void)
{
    int directory = open(beside("fixtures/directory"), O_RDONLY | O_DIRECTORY);
    int file = openat(directory, "file", O_RDONLY);
    char word[3] = "";

    ok(file >= 0, "openat in an open directory");
    is(read(file, word, 2), 2, "read from it");
    is(memcmp(word, "in", 2), 0, "it is the right file");
    is(ERROR_OF(openat(directory, "nothing", O_RDONLY)), ENOENT, "openat of nothing is ENOENT");
    is(ERROR_OF(openat(file, "x", O_RDONLY)), ENOTDIR, "openat in a file is ENOTDIR");
    is(ERROR_OF(openat(-1, "x", O_RDONLY)), EBADF, "openat in no directory is EBADF");
    int absolute = openat(-1, "/", O_RDONLY);
    ok(absolute >= 0, "with an absolute path the directory does not matter");
    is(ERROR_OF(read(directory, word, 1)), EISDIR, "read of a directory is EISDIR");
    close(absolute);
    close(file);
    close(directory);
}

static void test_stat(void)
{
    struct stat file;
    struct stat again;

    is(stat(beside("fixtures/data.bin"), &file), 0, "stat");
    is(file.st_size, DATA_SIZE, "st_size");
    is((long)(file.st_mode & S_IFMT), S_IFREG, "st_mode says a regular file");
    is((long)(file.st_mode & 0777), 0644, "st_mode says rw-r--r--");
    is((long)file.st_nlink, 1, "st_nlink");
    ok(file.st_ino != 0 && file.st_blksize > 0, "st_ino and st_blksize");
    ok(file.st_blocks * 512 >= DATA_SIZE, "st_blocks counts 512-byte units");
    int fd = open(beside("fixtures/data.bin"), O_RDONLY);
    is(fstat(fd, &again), 0, "fstat");
    ok(again.st_ino == file.st_ino && again.st_dev == file.st_dev && again.st_size == DATA_SIZE,
       "says the same");
    is(fstatat(fd, "", &again, AT_EMPTY_PATH), 0, "fstatat with AT_EMPTY_PATH");
    ok(again.st_ino == file.st_ino, "says the same");
    is(ERROR_OF(fstatat(fd, "", &again, 0)), ENOENT, "without it, an empty path is ENOENT");
    close(fd);
    is(ERROR_OF(fstatat(fd, "", &again, 0)), ENOENT, "also where the descriptor is closed");
    is(ERROR_OF(openat(fd, "", O_RDONLY)), ENOENT, "so is openat");
    is(ERROR_OF(linkat(AT_FDCWD, "/", fd, "", 0)), ENOENT, "so is the second path of linkat");
    is(ERROR_OF(fchownat(fd, "", 0, 0, AT_EMPTY_PATH)), EBADF, "with AT_EMPTY_PATH it is EBADF");
    is(stat(beside("fixtures/link"), &again), 0, "stat of a link");
    ok(again.st_ino == file.st_ino, "is stat of what it points to");
    is(lstat(beside("fixtures/link"), &again), 0, "lstat of a link");
    is((long)(again.st_mode & S_IFMT), S_IFLNK, "says a link");
    is(again.st_size, 8, "with the length of its target");
    is(lstat(beside("fixtures/dangling"), &again), 0, "lstat of a dangling link");
    is(ERROR_OF(stat(beside("fixtures/dangling"), &again)), ENOENT, "but stat is ENOENT");
    is(lstat(beside("fixtures/link-to-directory/"), &again), 0, "lstat of a link with a slash");
    is((long)(again.st_mode & S_IFMT), S_IFDIR, "says the directory behind it");
    is(stat("/dev/null", &again), 0, "stat of /dev/null");
    is((long)(again.st_mode & S_IFMT), S_IFCHR, "says a character device");
    is((long)again.st_rdev, (1 << 8) | 3, "with numbers 1 and 3");
    is(ERROR_OF(fstatat(AT_FDCWD, "/", &again, 0x8000)), EINVAL, "an unknown flag is EINVAL");
}

struct listing {
    unsigned char seen[MANY_FILES];
    unsigned dots, others, duplicates, wrong_types;
    long calls;
};

static void note(struct listing *listing, const char *name, unsigned char type)
{
    int number = -1;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        listing->dots++;
        listing->wrong_types += type != DT_DIR;
    } else if (sscanf(name, "%3d-", &number) == 1 && number < MANY_FILES &&
               strlen(name) == 4 + (size_t)number % 40) {
        listing->duplicates += listing->seen[number]++ != 0;
        listing->wrong_types += type != DT_REG;
    } else {
        listing->others++;
    }
}

/* Lists the directory with a buffer of that size. Returns 0 or a positive errno value. */
static int list(int fd, size_t size, struct listing *listing)
{
    static unsigned char buffer[65536] __attribute__((aligned(8)));
    long got = 0;

    memset(listing, 0, sizeof *listing);
    while ((got = syscall(SYS_getdents64, fd, buffer, size)) > 0) {
        listing->calls++;
        for (long at = 0; at < got;) {
            struct dirent entry;
            memcpy(&entry, buffer + at, offsetof(struct dirent, d_name));
            if (entry.d_reclen % 8 != 0 || entry.d_reclen < 24 || at + entry.d_reclen > got) {
                return ERANGE;
            }
            note(listing, (char *)buffer + at + offsetof(struct dirent, d_name), entry.d_type);
            at += entry.d_reclen;
        }
    }
    return got == 0 ? 0 : errno;
}

static bool complete(const struct listing *listing)
{
    unsigned files = 0;

    for (size_t i = 0; i < MANY_FILES; i++) {
        files += listing->seen[i];
    }
    return files == MANY_FILES && listing->dots == 2 && listing->others == 0 &&
           listing->duplicates == 0 && listing->wrong_types == 0;
}

static void test_directories(void)
{
    struct listing listing;
    int fd = open(beside("fixtures/many"), O_RDONLY | O_DIRECTORY);
    int file = open(beside("fixtures/data.bin"), O_RDONLY);

    is(list(fd, 65536, &listing), 0, "getdents64 with a large buffer");
    ok(complete(&listing), "lists %d files, each once, and . and ..", MANY_FILES);
    is(list(fd, 65536, &listing), 0, "once more");
    is(listing.calls, 0, "there is nothing left");
    is(lseek(fd, 0, SEEK_SET), 0, "lseek to the start");
    is(list(fd, 100, &listing), 0, "getdents64 with a buffer of 100 bytes");
    ok(complete(&listing) && listing.calls > 50, "lists them all too, in many calls");
    lseek(fd, 0, SEEK_SET);
    is(list(fd, 8, &listing), EINVAL, "a buffer for no entry is EINVAL");
    is(list(file, 4096, &listing), ENOTDIR, "getdents64 of a file is ENOTDIR");
    is(list(-1, 4096, &listing), EBADF, "getdents64 of nothing is EBADF");
    close(file);
    close(fd);
}

static void test_links(void)
{
    char target[64];

    memset(target, '#', sizeof target);
    is(readlink(beside("fixtures/link"), target, sizeof target), 8, "readlink");
    is(memcmp(target, "data.bin#", 9), 0, "gives the target, and adds nothing");
    memset(target, '#', sizeof target);
    is(readlink(beside("fixtures/link"), target, 4), 4, "readlink into 4 bytes");
    is(memcmp(target, "data#", 5), 0, "gives the first four");
    is(ERROR_OF(readlink(beside("fixtures/data.bin"), target, 64)), EINVAL,
       "readlink of a file is EINVAL");
    is(ERROR_OF(syscall(SYS_readlink, beside("fixtures/link"), target, 0)), EINVAL,
       "readlink into no bytes is EINVAL");
    is(ERROR_OF(readlink(beside("fixtures/nothing"), target, 64)), ENOENT,
       "readlink of nothing is ENOENT");
}

static void test_working_directory(void)
{
    static char start[PATH_MAX];
    static char now[PATH_MAX];
    struct stat file;

    ok(getcwd(start, sizeof start) != NULL && start[0] == '/', "getcwd");
    is((long)syscall(SYS_getcwd, now, sizeof now), (long)strlen(start) + 1,
       "the call gives the length with the NUL");
    is(ERROR_OF(syscall(SYS_getcwd, now, 1)), ERANGE, "getcwd into one byte is ERANGE");
    is(ERROR_OF(chdir(beside("fixtures/data.bin"))), ENOTDIR, "chdir to a file is ENOTDIR");
    is(ERROR_OF(chdir(beside("fixtures/nothing"))), ENOENT, "chdir to nothing is ENOENT");
    is(chdir(beside("fixtures/link-to-directory")), 0, "chdir through a link");
    ok(getcwd(now, sizeof now) != NULL, "getcwd there");
    ok(strcmp(now + strlen(now) - 19, "/fixtures/directory") == 0, "names the real directory");
    is(stat("file", &file), 0, "relative paths start there");
    is(stat("../data.bin", &file), 0, "and .. leads up");
    is(chdir("/"), 0, "chdir to the root");
    is(stat("../../..", &file), 0, "where .. leads nowhere else");
    ok(getcwd(now, sizeof now) != NULL && strcmp(now, "/") == 0, "getcwd of the root");
    is(chdir(start), 0, "chdir back");
}

static void test_access(void)
{
    is(access(beside("fixtures/data.bin"), F_OK), 0, "access F_OK");
    is(access(beside("fixtures/data.bin"), R_OK), 0, "access R_OK");
    is(ERROR_OF(access(beside("fixtures/data.bin"), X_OK)), EACCES,
       "access X_OK of a file that nobody may execute");
    is(access(beside("child"), X_OK), 0, "access X_OK of a program");
    is(ERROR_OF(access(beside("fixtures/nothing"), F_OK)), ENOENT, "access of nothing");
    is(ERROR_OF(access(beside("child"), 8)), EINVAL, "an unknown mode is EINVAL");
}

static void test_devices(void)
{
    unsigned char bytes[100];
    unsigned char any = 0;
    int null = open("/dev/null", O_RDWR);
    int zero = open("/dev/zero", O_RDONLY);

    ok(null >= 0 && zero >= 0, "open of /dev/null and /dev/zero");
    is(write(null, bytes, sizeof bytes), sizeof bytes, "/dev/null takes everything");
    is(read(null, bytes, sizeof bytes), 0, "and gives nothing");
    memset(bytes, 1, sizeof bytes);
    is(read(zero, bytes, sizeof bytes), sizeof bytes, "/dev/zero gives what is asked for");
    for (size_t i = 0; i < sizeof bytes; i++) {
        any |= bytes[i];
    }
    is(any, 0, "all zero");
    close(null);
    close(zero);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_reading();
    test_descriptors();
    test_open_errors();
    test_openat();
    test_stat();
    test_directories();
    test_links();
    test_working_directory();
    test_access();
    test_devices();
    return tap_end();
}
