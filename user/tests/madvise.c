/*
 * madvise, mincore and msync.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define RW             (PROT_READ | PROT_WRITE)

static unsigned char *map(size_t pages)
{
    unsigned char *area = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(area, 0x55, pages * PAGE);
    return area;
}

static void test_dontneed(void)
{
    unsigned char *area = map(8);
    int fd = temporary_file(2 * PAGE);
    unsigned char *file = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

    is(madvise(area + 2 * PAGE, 3 * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED in the middle");
    ok(all_are(area + 2 * PAGE, 3 * PAGE, 0), "anonymous pages are zero afterwards");
    ok(all_are(area, 2 * PAGE, 0x55) && all_are(area + 5 * PAGE, 3 * PAGE, 0x55),
       "those outside are as they were");
    area[2 * PAGE] = 1;
    is(area[2 * PAGE], 1, "and they can be written again");
    file[0] = 0xaa;
    is(madvise(file, PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED of a private file page");
    is(file[0], file_byte(0), "gives the file's content again");
    munmap(area + PAGE, PAGE);
    is(ERROR_OF(madvise(area, 3 * PAGE, MADV_DONTNEED)), ENOMEM, "over a hole it is ENOMEM");
    is(area[0], 0, "but what is mapped was dropped");
    is(ERROR_OF(syscall(SYS_madvise, area + 1, PAGE, MADV_DONTNEED)), EINVAL,
       "an unaligned address is EINVAL");
    is(ERROR_OF(madvise(area, PAGE, 9999)), EINVAL, "an unknown advice is EINVAL");
    is(madvise(area, 0, MADV_DONTNEED), 0, "no bytes are fine");
    close(fd);
}

/* Discarded memory is freed: otherwise a heap would grow without end. */
static void test_memory_comes_back(void)
{
    unsigned char *area = map(256);
    long before = free_memory();

    madvise(area, 256 * PAGE, MADV_DONTNEED);
    if (on_linux()) {
        skip("others use the memory of this machine", "MADV_DONTNEED gives 256 pages back");
    } else {
        ok(free_memory() - before >= (long)(256 * PAGE), "MADV_DONTNEED gives 256 pages back");
    }
    munmap(area, 256 * PAGE);
}

static void test_others(void)
{
    unsigned char *area = map(4);

    is(madvise(area, 4 * PAGE, MADV_WILLNEED), 0, "MADV_WILLNEED");
    ok(all_are(area, 4 * PAGE, 0x55), "changes nothing");
    is(madvise(area, 4 * PAGE, MADV_NORMAL), 0, "MADV_NORMAL");
    is(madvise(area, 4 * PAGE, MADV_SEQUENTIAL), 0, "MADV_SEQUENTIAL");
    is(madvise(area, 4 * PAGE, 8 /* MADV_FREE */), 0, "MADV_FREE");
    ok(area[0] == 0x55 || area[0] == 0, "leaves the content, or zeros");
    area[0] = 7;
    is(area[0], 7, "what is written afterwards stays");
    munmap(area, 4 * PAGE);
}

static void test_mincore(void)
{
    unsigned char *area = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char resident[4] = {9, 9, 9, 9};

    is(mincore(area, 4 * PAGE, resident), 0, "mincore");
    ok(((resident[0] | resident[1] | resident[2] | resident[3]) & 1) == 0,
       "untouched pages are not there");
    area[PAGE] = 1;
    is(mincore(area, 3 * PAGE + 1, resident), 0, "mincore of three pages and a byte");
    ok((resident[0] & 1) == 0 && (resident[1] & 1) == 1 && (resident[3] & 1) == 0,
       "the one that was written is");
    is(ERROR_OF(mincore(area + 1, PAGE, resident)), EINVAL, "an unaligned address is EINVAL");
    munmap(area + PAGE, PAGE);
    is(ERROR_OF(mincore(area, 2 * PAGE, resident)), ENOMEM, "over a hole it is ENOMEM");
    munmap(area, 4 * PAGE);
}

static void test_msync(void)
{
    unsigned char *area = map(2);

    is(msync(area, 2 * PAGE, MS_SYNC), 0, "MS_SYNC");
    is(msync(area, 2 * PAGE, MS_ASYNC), 0, "MS_ASYNC");
    is(ERROR_OF(msync(area, PAGE, MS_SYNC | MS_ASYNC)), EINVAL, "both at once are EINVAL");
    is(ERROR_OF(msync(area, PAGE, 64)), EINVAL, "an unknown flag is EINVAL");
    is(ERROR_OF(msync(area + 1, PAGE, MS_SYNC)), EINVAL, "an unaligned address is EINVAL");
    munmap(area + PAGE, PAGE);
    is(ERROR_OF(msync(area, 2 * PAGE, MS_SYNC)), ENOMEM, "over a hole it is ENOMEM");
    munmap(area, PAGE);
}

/* What a child finds. Its exit status has a bit for each page that is as the parent made it. */
static void test_fork(void)
{
    unsigned char *area = map(4);
    int status = 0;

    is(madvise(area + PAGE, PAGE, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
    is(madvise(area + 2 * PAGE, PAGE, MADV_DONTFORK), 0, "MADV_DONTFORK");
    is(madvise(area + 3 * PAGE, PAGE, MADV_DONTFORK), 0, "again");
    is(madvise(area + 3 * PAGE, PAGE, MADV_DOFORK), 0, "MADV_DOFORK");
    pid_t child = fork();
    if (child == 0) {
        unsigned char resident = 0;
        int seen = (area[0] == 0x55) | (area[PAGE] == 0) << 1 | (area[3 * PAGE] == 0x55) << 3;
        seen |= (mincore(area + 2 * PAGE, PAGE, &resident) == -1 && errno == ENOMEM) << 2;
        _exit(seen);
    }
    waitpid(child, &status, 0);
    is(status >> 8, 15, "the child has a page, a page of zeros, none, and a page");
    ok(all_are(area, 4 * PAGE, 0x55), "the parent's are as they were");
    is(madvise(area, 2 * PAGE, MADV_KEEPONFORK), 0, "MADV_KEEPONFORK");
    child = fork();
    if (child == 0) {
        _exit(area[PAGE] == 0x55);
    }
    waitpid(child, &status, 0);
    is(status >> 8, 1, "then the child has it");
    munmap(area, 4 * PAGE);

    int fd = temporary_file(PAGE);
    void *file = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    is(ERROR_OF(madvise(file, PAGE, MADV_WIPEONFORK)), EINVAL, "not of a file's pages");
    munmap(file, PAGE);
    file = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    is(ERROR_OF(madvise(file, PAGE, MADV_WIPEONFORK)), EINVAL, "nor of shared ones");
    munmap(file, PAGE);
    close(fd);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_dontneed();
    test_memory_comes_back();
    test_others();
    test_mincore();
    test_msync();
    test_fork();
    return tap_end();
}
