/*
 * Files that are mapped, and programs that cannot be written while they run.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Mappings of files: they show the pages that read and write use; only private ones are copied on
 * write; an access past the end of the file is SIGBUS; truncation removes the pages.
 */

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define RW             (PROT_READ | PROT_WRITE)

static int matches_file(const unsigned char *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (bytes[i] != file_byte(i)) {
            return 0;
        }
    }
    return 1;
}

static unsigned char byte_at(int fd, size_t offset)
{
    unsigned char byte = 0;

    return pread(fd, &byte, 1, (off_t)offset) == 1 ? byte : 0;
}

static void test_content(void)
{
    const size_t size = 3 * PAGE + 100;
    int fd = temporary_file(size);
    unsigned char *private = mmap(NULL, size, RW, MAP_PRIVATE, fd, 0);
    unsigned char *shared = mmap(NULL, size, RW, MAP_SHARED, fd, 0);
    unsigned char *second = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * (long)PAGE);

    ok(private != MAP_FAILED && shared != MAP_FAILED && second != MAP_FAILED, "mappings");
    ok(matches_file(private, 0, size), "a private mapping shows the file");
    ok(matches_file(shared, 0, size), "a shared one too");
    ok(all_are(shared + size, 4 * PAGE - size, 0), "the last page is zero behind the end");
    is(second[7], file_byte(2 * PAGE + 7), "an offset is honoured");
    shared[2 * PAGE + 7] = 0xee;
    is(byte_at(fd, 2 * PAGE + 7), 0xee, "read sees a write through the shared mapping");
    is(second[7], 0xee, "so does another mapping");
    is(pwrite(fd, "\xdd", 1, 5), 1, "a write to the file");
    is(shared[5], 0xdd, "is seen through the shared mapping");
    private[PAGE] = 0xbb;
    is(byte_at(fd, PAGE), file_byte(PAGE), "a write through the private one does not reach it");
    is(shared[PAGE], file_byte(PAGE), "nor the shared mapping");
    is(pwrite(fd, "\xaa", 1, (off_t)PAGE + 1), 1, "a write to the file");
    is(private[PAGE + 1], file_byte(PAGE + 1), "does not reach a page that was copied");
    shared[size + 1] = 0x99;
    struct stat file;
    fstat(fd, &file);
    is(file.st_size, (long)size, "a write behind the end does not make the file longer");
    unsigned char *third = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 3 * (long)PAGE);
    ok(third != MAP_FAILED, "a new mapping of the last page");
    is(third[101], 0x99, "shows what is behind the end");
    is(shared[size + 1], 0x99, "and does not change it");
    munmap(third, PAGE);
    is(futimens(fd, (struct timespec[2]){{1000, 0}, {1000, 0}}), 0, "old times");
    third = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    fstat(fd, &file);
    ok(third != MAP_FAILED && file.st_atime > 1000, "a mapping is an access");
    munmap(third, PAGE);
    close(fd);
    is(shared[5], 0xdd, "mappings outlive the descriptor and the name");
    is(munmap(shared, size) | munmap(private, size) | munmap(second, PAGE), 0, "munmap");
}

static int writes_shared(void *area)
{
    ((unsigned char *)area)[10] = 0x5a;
    return 0;
}

static int writes_private(void *area)
{
    ((unsigned char *)area)[10] = 0xa5;
    return 0;
}

static void test_fork(void)
{
    int fd = temporary_file(PAGE);
    unsigned char *shared = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    unsigned char *private = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);

    is(in_child(writes_shared, shared), EXITED(0), "a child writes to a shared file page");
    is(shared[10], 0x5a, "its parent sees it");
    is(byte_at(fd, 10), 0x5a, "the file has it");
    is(in_child(writes_private, private), EXITED(0), "a child writes to a private file page");
    is(private[10], 0x5a, "its parent does not see that");
    is(byte_at(fd, 10), 0x5a, "nor has the file it");
    close(fd);
}

static void test_past_the_end(void)
{
    int fd = temporary_file(PAGE + 1);
    unsigned char *area = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);

    is(read_signal(area + 2 * PAGE - 1), 0, "the last page of the file can be read to its end");
    is(read_signal(area + 2 * PAGE), SIGBUS, "read of a page past the end is SIGBUS");
    is(write_signal(area + 3 * PAGE), SIGBUS, "write too");
    is(ftruncate(fd, 3 * (long)PAGE), 0, "the file grows");
    is(read_signal(area + 2 * PAGE), 0, "then the page is there");
    is(area[2 * PAGE], 0, "and is zero");
    is(read_signal(area + 3 * PAGE), SIGBUS, "the next one is not");
    close(fd);
}

static void test_truncation(void)
{
    int fd = temporary_file(3 * PAGE);
    unsigned char *shared = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    unsigned char *private = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0);

    private[2 * PAGE] = 1;
    ok(matches_file(shared, 0, 3 * PAGE), "three pages are in use");
    is(ftruncate(fd, 100), 0, "the file is truncated to 100 bytes");
    is(read_signal(shared + PAGE), SIGBUS, "a page that is cut off is SIGBUS");
    is(read_signal(private + 2 * PAGE), SIGBUS, "a private copy of it too");
    ok(matches_file(shared, 0, 100), "what is left is as it was");
    ok(all_are(shared + 100, PAGE - 100, 0), "the rest of its page is zero");
    is(ftruncate(fd, 3 * (long)PAGE), 0, "the file grows again");
    ok(all_are(shared + 100, 3 * PAGE - 100, 0), "with zeros, not with what was there");
    close(fd);
}

static void test_holes(void)
{
    int fd = temporary_file(0);
    unsigned char byte = 7;

    ftruncate(fd, 4 * PAGE);
    unsigned char *private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
    unsigned char *shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    is(private[0] | private[PAGE] | private[2 * PAGE], 0, "holes read as zeros");
    private[PAGE + 1] = 9;
    pwrite(fd, &byte, 1, 0);
    pwrite(fd, &byte, 1, PAGE);
    shared[2 * PAGE] = 8;
    is(private[0], 7, "a hole that is written to shows that in a private mapping");
    is(private[PAGE], 0, "but not where it was copied before");
    is(private[2 * PAGE], 8, "written through a shared mapping");
    munmap(private, 4 * PAGE);
    munmap(shared, 4 * PAGE);
    close(fd);
}

/* A copy whose first access to the mapping changes how the file is held: a small file, and holes. */
static void test_copy_of_itself(void)
{
    for (int i = 0; i < 3; i++) {
        int fd = temporary_file(40);
        unsigned char *shared = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);

        if (i == 0) {
            is(pread(fd, shared + 30, 10, 0), 10, "a small file is read into its own mapping");
            ok(memcmp(shared + 30, shared, 10) == 0, "it gets the bytes");
        } else {
            long at = i == 1 ? 100 : 2 * (long)PAGE;
            unsigned char bytes[10] = {0};

            is(pwrite(fd, shared, 10, at), 10, "it is written from it, at %ld", at);
            is(pread(fd, bytes, 10, at), 10, "and read");
            ok(memcmp(shared, bytes, 10) == 0 && matches_file(bytes, 0, 10), "the bytes are there");
        }
        ok(matches_file(shared, 0, 30), "the others stay");
        munmap(shared, PAGE);
        close(fd);
    }
    int fd = temporary_file(0);

    ftruncate(fd, 4 * PAGE);
    unsigned char *shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    unsigned char *private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
    is(pwrite(fd, shared + PAGE, PAGE, PAGE), PAGE, "a hole is written from itself");
    shared[PAGE + 9] = 3;
    is(byte_at(fd, PAGE + 9), 3, "it is one page for all");
    is(pwrite(fd, private, 2 * PAGE, 0), 2 * PAGE, "holes are written from a private mapping");
    is(byte_at(fd, PAGE + 9), 3, "with what it shows");
    is(pread(fd, shared + 2 * PAGE, 2 * PAGE, 0), 2 * PAGE, "holes are read into");
    is(byte_at(fd, 3 * PAGE + 9), 3, "and are in the file");
    munmap(shared, 4 * PAGE);
    munmap(private, 4 * PAGE);
    close(fd);
}

static void test_permissions(void)
{
    int fd = open(beside("fixtures/data.bin"), O_RDONLY);
    unsigned char *private = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    unsigned char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

    ok(private != MAP_FAILED, "a private writable mapping of a file open for reading");
    private[0] = (unsigned char)~private[0];
    ok(byte_at(fd, 0) != private[0], "its writes stay its own");
    is(write_signal(shared), SIGSEGV, "a shared mapping of it cannot be written");
    is(ERROR_OF(mprotect(shared, PAGE, RW)), EACCES, "nor be made writable");
    close(fd);
}

/* The first write through a shared mapping sets the time of the file; msync does not. */
static void test_time(void)
{
    const struct timespec old[2] = {{2000, 0}, {3000, 0}};
    struct stat status;
    int fd = temporary_file(2 * PAGE);
    volatile char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    volatile char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    futimens(fd, old);
    private[0] = 1;
    msync((void *)shared, 2 * PAGE, MS_SYNC);
    fstat(fd, &status);
    is(status.st_mtime, 3000, "a private write and msync leave the time");
    shared[0] = 1;
    fstat(fd, &status);
    ok(status.st_mtime > 3000, "a shared write sets it");
    munmap((void *)shared, 2 * PAGE);
    munmap((void *)private, 2 * PAGE);
    close(fd);
}

static void test_filemap(void)
{
    test_content();
    test_holes();
    test_fork();
    test_past_the_end();
    test_truncation();
    test_copy_of_itself();
    test_permissions();
    test_time();
}

/*
 * A file that is being executed cannot be written, and a file open for writing cannot be executed.
 */

static char path[64];

static int copy_program(const char *from)
{
    char buffer[4096];
    ssize_t got = 0;
    int in = open(from, O_RDONLY);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof buffer)) > 0) {
        if (write(out, buffer, (size_t)got) != got) {
            got = -1;
            break;
        }
    }
    close(in);
    close(out);
    return out >= 0 && got == 0 ? 0 : -1;
}

static int exec_error(pid_t *pid)
{
    char *argv[] = {path, "sleep", "10000", NULL};

    return spawn(pid, path, argv, argv + 3);
}

static void test_textbusy(void)
{
    pid_t pid = 0;

    snprintf(path, sizeof path, "/tmp/umbra-textbusy-%d", getpid());
    is(copy_program(beside("child")), 0, "a copy of a program");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    is(exec_error(&pid), ETXTBSY, "open for writing, it cannot be executed");
    close(fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    is(exec_error(&pid), ETXTBSY, "nor while such a file is mapped");
    munmap(mapped, 4096);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    is(exec_error(&pid), 0, "open for reading, it can");
    close(fd);
    is(ERROR_OF(open(path, O_WRONLY)), ETXTBSY, "while it runs, it cannot be opened for writing");
    is(ERROR_OF(open(path, O_RDWR)), ETXTBSY, "nor for both");
    is(ERROR_OF(open(path, O_WRONLY | O_TRUNC)), ETXTBSY, "nor be truncated by open");
    is(ERROR_OF(truncate(path, 0)), ETXTBSY, "nor by truncate");
    fd = open(path, O_RDONLY);
    ok(fd >= 0, "it can be opened for reading");
    close(fd);
    is(kill(pid, SIGKILL), 0, "the program is ended");
    wait_for(pid);
    fd = open(path, O_WRONLY);
    ok(fd >= 0, "now it can be opened for writing");
    close(fd);
    is(unlink(path), 0, "and removed");
}

/* A mapping of /dev/zero is anonymous memory; of another device there is none. */
static void test_zero(void)
{
    int fd = open("/dev/zero", O_RDWR), readable = open("/dev/zero", O_RDONLY);
    int writable = open("/dev/zero", O_WRONLY), null = open("/dev/null", O_RDWR);
    volatile unsigned char *own = mmap(NULL, PAGE, RW, MAP_PRIVATE, readable, 5 * (long)PAGE);
    volatile unsigned char *shared = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    volatile unsigned char *other = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    volatile unsigned char *fixed =
        mmap((void *)(uintptr_t)own, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);

    ok(own != MAP_FAILED && fixed == own && own[7] == 0, "a private mapping of /dev/zero");
    own[7] = 1;
    is(own[7], 1, "it can be written");
    ok(shared != MAP_FAILED && other != MAP_FAILED && shared[PAGE] == 0, "shared ones");
    pid_t pid = fork();
    if (pid == 0) {
        own[7] = 2;
        shared[PAGE] = 3;
        _exit(0);
    }
    wait_for(pid);
    is(shared[PAGE], 3, "a child shares the memory");
    is(own[7], 1, "but not that of the private mapping");
    is(other[0], 0, "two mappings share nothing");
    munmap((void *)(uintptr_t)shared, 2 * PAGE);
    shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, readable, 0);
    ok(shared != MAP_FAILED && shared[0] == 0, "a shared mapping for reading");
    is(ERROR_OF(mprotect((void *)(uintptr_t)shared, PAGE, RW)), EACCES, "stays one");
    is(ERROR_OF((long)mmap(NULL, PAGE, RW, MAP_SHARED, readable, 0)), EACCES,
       "none for writing without the right");
    is(ERROR_OF((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writable, 0)), EACCES,
       "none without the right to read");
    is(ERROR_OF((long)mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0)), EINVAL,
       "none that grows");
    is(ERROR_OF((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0)), ENODEV,
       "none of /dev/null");
    close(fd), close(readable), close(writable), close(null);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_filemap();
    test_textbusy();
    test_zero();
    return tap_end();
}
