/*
 * What a program says of its memory: advice about ranges, and pages that stay in memory.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * madvise, mincore and msync.
 */

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
        long back = (free_memory() - before) / (long)PAGE;
        if (!ok(back >= 256, "MADV_DONTNEED gives 256 pages back")) {
            diag("it gave %ld pages back", back);
        }
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

/* Advice is followed beyond holes, also in ranges of so many areas that the kernel divides them. */
static void test_holes(size_t pages)
{
    unsigned char *area = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *last = area + (pages - 1) * PAGE;

    area[0] = *last = 0x55;
    munmap(area + PAGE, PAGE);
    for (size_t i = 3; i < pages; i += 2) {
        mprotect(area + i * PAGE, PAGE, i + 1 < pages ? PROT_READ : RW);
    }
    is(ERROR_OF(madvise(area, pages * PAGE, MADV_WIPEONFORK)), ENOMEM,
       "MADV_WIPEONFORK of %zu pages over a hole", pages);
    pid_t child = fork();
    if (child == 0) {
        _exit(area[0] | *last);
    }
    int status = 1;
    waitpid(child, &status, 0);
    is(status, 0, "both ends are wiped");
    is(ERROR_OF(madvise(area, pages * PAGE, MADV_DONTNEED)), ENOMEM, "MADV_DONTNEED likewise");
    is(area[0] | *last, 0, "both ends are dropped");
    munmap(area, pages * PAGE);
}

static void test_shared(void)
{
    unsigned char *area = map(3);

    mmap(area + PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    area[PAGE] = 7;
    is(ERROR_OF(madvise(area, 3 * PAGE, 8 /* MADV_FREE */)), EINVAL, "MADV_FREE of shared memory");
    ok(area[PAGE] == 7 && area[2 * PAGE] == 0x55, "leaves it, and what is after it");
    is(ERROR_OF(mlock(area, PAGE)), 0, "mlock");
    is(ERROR_OF(madvise(area, 2 * PAGE, 20 /* MADV_COLD */)), EINVAL, "MADV_COLD of locked memory");
    munmap(area, 3 * PAGE);
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

static long present(unsigned char *area, size_t pages)
{
    unsigned char there[64];
    long sum = 0;

    memset(there, 0, sizeof there);
    mincore(area, pages * PAGE, there);
    for (size_t i = 0; i < pages; i++) {
        sum += there[i] & 1;
    }
    return sum;
}

/* Pages are made without an access by the program. */
static void test_populate(void)
{
    unsigned char *area = mmap(NULL, 64 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = temporary_file(2 * PAGE);
    unsigned char *file = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);

    is(madvise(area + PAGE, 30 * PAGE, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
    is(present(area, 64), 30, "makes the pages and no others");
    ok(all_are(area, 31 * PAGE, 0), "of zeros");
    memset(area, 0x55, 4 * PAGE);
    is(madvise(area, 8 * PAGE, MADV_POPULATE_WRITE), 0, "again");
    ok(all_are(area, 4 * PAGE, 0x55), "what is there stays");
    pid_t child = fork();
    if (child == 0) {
        int error = ERROR_OF(madvise(area, 4 * PAGE, MADV_POPULATE_WRITE));
        memset(area, 0x66, PAGE);
        _exit(error);
    }
    int status = 1;
    waitpid(child, &status, 0);
    is(status, 0, "a child makes its own pages");
    is(area[0], 0x55, "which are not the parent's");
    is(madvise(file, 2 * PAGE, MADV_POPULATE_READ), 0, "MADV_POPULATE_READ of a file");
    is(file[0], file_byte(0), "has the file's bytes");
    is(madvise(file, 2 * PAGE, MADV_POPULATE_WRITE), 0, "and MADV_POPULATE_WRITE");
    is(file[PAGE], file_byte(PAGE), "leaves them");
    is(ERROR_OF(madvise(file, 4 * PAGE, MADV_POPULATE_READ)), EFAULT,
       "past the end of the file it is EFAULT");
    is(ERROR_OF(madvise(file, 4 * PAGE, MADV_POPULATE_WRITE)), EFAULT, "for writing too");
    mprotect(area + 40 * PAGE, PAGE, PROT_READ);
    mprotect(area + 50 * PAGE, PAGE, PROT_NONE);
    is(ERROR_OF(madvise(area + 32 * PAGE, 32 * PAGE, MADV_POPULATE_WRITE)), EINVAL,
       "at a page to be read it is EINVAL");
    is(present(area + 32 * PAGE, 32), 8, "and the pages before it stay");
    is(ERROR_OF(madvise(area + 40 * PAGE, 20 * PAGE, MADV_POPULATE_READ)), EINVAL,
       "also for reading where nothing is allowed");
    mprotect(area + 60 * PAGE, PAGE, PROT_WRITE);
    is(ERROR_OF(madvise(area + 60 * PAGE, PAGE, MADV_POPULATE_READ)), EINVAL, "or only writing");
    munmap(area + 20 * PAGE, PAGE);
    is(ERROR_OF(madvise(area, 30 * PAGE, MADV_POPULATE_READ)), ENOMEM, "at a hole it is ENOMEM");
    is(madvise(area, 0, MADV_POPULATE_READ), 0, "no bytes are fine");
    munmap(area, 64 * PAGE);
    munmap(file, 4 * PAGE);
    close(fd);
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

static void test_madvise(void)
{
    test_dontneed();
    test_memory_comes_back();
    test_others();
    test_holes(4);
    test_holes(8192);
    test_shared();
    test_populate();
    test_mincore();
    test_msync();
    test_fork();
}

/*
 * mlock(2), mlock2(2), mlockall(2) and MAP_LOCKED: what is counted, the limit, and the pages that are made.
 */

#define LIMIT_PAGES 8
#define ANY         (MAP_PRIVATE | MAP_ANONYMOUS)
#define RDWR        (PROT_READ | PROT_WRITE)
#define LOCKED      0x2000
#define ON_FAULT    1

/* The first of the checks that does not hold, counted from 1; 0: all of them hold. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!(condition))                                                                          \
            return checks;                                                                         \
    } while (0)

/* The pages that are locked, of /proc/self/status. */
static long locked(void)
{
    char text[2048] = "";
    int fd = open("/proc/self/status", O_RDONLY);

    if (fd >= 0) {
        (void)!read(fd, text, sizeof text - 1);
        close(fd);
    }
    const char *line = strstr(text, "VmLck:");
    return line != NULL ? atol(line + 6) / 4 : -1;
}

static unsigned char *pages(int count, int prot, int flags)
{
    return mmap(NULL, (size_t)count * PAGE, prot, ANY | flags, -1, 0);
}

static long lock(const void *at, size_t size)
{
    return RAW(SYS_mlock, at, size);
}

static long unlock(const void *at, size_t size)
{
    return RAW(SYS_munlock, at, size);
}

static bool is_resident(void *at)
{
    unsigned char there = 0;

    return mincore(at, PAGE, &there) == 0 && (there & 1) != 0;
}

static int counting(void *unused)
{
    int checks = 0;
    unsigned char *at = pages(8, RDWR, 0);

    (void)unused;
    CHECK(munmap(at + 6 * PAGE, 2 * PAGE) == 0);
    CHECK(locked() == 0);
    CHECK(lock(at + PAGE, 2 * PAGE) == 0 && locked() == 2);
    CHECK(is_resident(at + PAGE) && is_resident(at + 2 * PAGE) && !is_resident(at));
    CHECK(lock(at + PAGE, 2 * PAGE) == 0 && locked() == 2);  /* locks do not add up */
    CHECK(lock(at + 3 * PAGE - 1, 2) == 0 && locked() == 3); /* parts of pages are pages */
    CHECK(unlock(at + 2 * PAGE + 5, 1) == 0 && locked() == 2);
    CHECK(unlock(at, 6 * PAGE) == 0 && locked() == 0);
    CHECK(unlock(at, 6 * PAGE) == 0);
    CHECK(lock(at, 0) == 0 && lock(at, (size_t)-1) == 0 && unlock(at, 0) == 0);
    CHECK(lock(at, 6 * PAGE) == 0 && munmap(at, 2 * PAGE) == 0 && locked() == 4);
    CHECK(lock(at, 6 * PAGE) == -ENOMEM && lock(at + PAGE, 2 * PAGE) == -ENOMEM);
    CHECK(mprotect(at + 3 * PAGE, PAGE, PROT_READ) == 0 && locked() == 4);
    CHECK(RAW(SYS_madvise, at + 3 * PAGE, PAGE, MADV_DONTNEED) == -EINVAL);
    CHECK(unlock(at + 4 * PAGE, 4 * PAGE) == -ENOMEM && locked() == 2);
    return 0;
}

static int before_a_hole(void *unused)
{
    int checks = 0;
    unsigned char *at = pages(5, RDWR, 0);

    (void)unused;
    CHECK(munmap(at + 2 * PAGE, PAGE) == 0);
    CHECK(lock(at, 5 * PAGE) == -ENOMEM && locked() == 2);
    CHECK(unlock(at, 5 * PAGE) == -ENOMEM && locked() == 0);
    return 0;
}

static int closed_pages(void *unused)
{
    int checks = 0;
    unsigned char *at = pages(4, RDWR, 0);
    int fd = memfd_create("mlock", 0);

    (void)unused;
    CHECK(mprotect(at + PAGE, PAGE, PROT_NONE) == 0);
    CHECK(lock(at, 4 * PAGE) == -ENOMEM && locked() == 4);
    CHECK(is_resident(at));
    if (fd >= 0) {
        CHECK(ftruncate(fd, PAGE) == 0);
        at = mmap(NULL, 2 * PAGE, RDWR, MAP_SHARED, fd, 0);
        CHECK(lock(at, PAGE) == 0);
        CHECK(lock(at, 2 * PAGE) == -ENOMEM); /* behind the end of the file */
    }
    return 0;
}

static int no_inheritance(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(locked() == 0);
    CHECK(RAW(SYS_mmap, 0, PAGE, RDWR, ANY, -1, 0) > 0 && locked() == 0);
    return 0;
}

static int all_memory(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(RAW(SYS_mlockall, 0) == -EINVAL && RAW(SYS_mlockall, 8) == -EINVAL);
    CHECK(RAW(SYS_mlockall, 4) == -EINVAL);
    CHECK(RAW(SYS_mlockall, MCL_FUTURE) == 0 && locked() == 0);
    unsigned char *at = pages(3, RDWR, 0);
    CHECK(locked() == 3 && is_resident(at + 2 * PAGE));
    CHECK(run_child(no_inheritance, NULL, false) == EXITED(0));
    CHECK(RAW(SYS_mlockall, MCL_CURRENT) == 0 && locked() > 20);
    long before = locked();
    at = pages(2, RDWR, 0);
    CHECK(locked() == before); /* this one did not ask for the future */
    CHECK(RAW(SYS_munlockall) == 0 && locked() == 0);
    return 0;
}

static int by_map(void *unused)
{
    int checks = 0;
    unsigned char *at = pages(4, RDWR, LOCKED);

    (void)unused;
    CHECK(at != MAP_FAILED && locked() == 4 && is_resident(at + 3 * PAGE));
    CHECK(mremap(at, 4 * PAGE, 2 * PAGE, 0) == at && locked() == 2);
    at = mremap(at, 2 * PAGE, 7 * PAGE, MREMAP_MAYMOVE);
    CHECK(at != MAP_FAILED && locked() == 7 && is_resident(at + 6 * PAGE));
    return 0;
}

static int on_fault(void *unused)
{
    int checks = 0;
    unsigned char *at = pages(4, RDWR, 0);

    (void)unused;
    CHECK(RAW(SYS_mlock2, at, 2 * PAGE, 2) == -EINVAL);
    CHECK(RAW(SYS_mlock2, at, 2 * PAGE, ON_FAULT) == 0 && locked() == 2 && !is_resident(at));
    CHECK(RAW(SYS_mlock2, at, 2 * PAGE, 0) == 0 && locked() == 2 && is_resident(at));
    return 0;
}

static bool set_limit(int count)
{
    struct rlimit limit = {(rlim_t)count * PAGE, (rlim_t)LIMIT_PAGES * PAGE};

    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

static int limited(void *unused)
{
    int checks = 0;
    unsigned char *at = pages(12, RDWR, 0);

    (void)unused;
    CHECK(set_limit(4));
    CHECK(lock(at, 4 * PAGE) == 0 && lock(at, 4 * PAGE) == 0);
    CHECK(lock(at + 4 * PAGE, PAGE) == -ENOMEM && lock(at, 5 * PAGE) == -ENOMEM && locked() == 4);
    CHECK(RAW(SYS_mmap, 0, PAGE, RDWR, ANY | LOCKED, -1, 0) == -EAGAIN);
    CHECK(RAW(SYS_mlockall, MCL_CURRENT) == -ENOMEM);
    CHECK(unlock(at, PAGE) == 0 && pages(1, RDWR, LOCKED) != MAP_FAILED && locked() == 4);
    CHECK(RAW(SYS_mremap, at + 3 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == -EAGAIN);
    CHECK(RAW(SYS_mlockall, MCL_FUTURE) == 0);
    CHECK(RAW(SYS_mmap, 0, PAGE, RDWR, ANY, -1, 0) == -EAGAIN);
    long heap = RAW(SYS_brk, 0);
    CHECK(RAW(SYS_brk, (unsigned long)heap + PAGE) == heap);
    CHECK(set_limit(0));
    CHECK(lock(at, PAGE) == -EPERM && RAW(SYS_mlockall, MCL_CURRENT) == -EPERM);
    CHECK(unlock(at, 4 * PAGE) == 0 && RAW(SYS_munlockall) == 0);
    CHECK(RAW(SYS_mmap, 0, PAGE, RDWR, ANY | LOCKED, -1, 0) == -EPERM);
    CHECK(set_limit(LIMIT_PAGES) && lock(at, (size_t)LIMIT_PAGES * PAGE) == 0);
    return 0;
}

static int invalidated(void *unused)
{
    int checks = 0;

    (void)unused;
    unsigned char *at = pages(4, RDWR, 0);
    CHECK(RAW(SYS_msync, at, 4 * PAGE, MS_INVALIDATE) == 0 && lock(at + 2 * PAGE, PAGE) == 0);
    CHECK(RAW(SYS_msync, at, 4 * PAGE, MS_INVALIDATE) == -EBUSY);
    CHECK(RAW(SYS_msync, at, 2 * PAGE + 1, MS_SYNC | MS_INVALIDATE) == -EBUSY);
    CHECK(RAW(SYS_msync, at, 2 * PAGE, MS_INVALIDATE) == 0);
    CHECK(RAW(SYS_msync, at + 3 * PAGE, PAGE, MS_INVALIDATE) == 0);
    CHECK(RAW(SYS_msync, at, 4 * PAGE, MS_SYNC) == 0);
    CHECK(munmap(at + PAGE, PAGE) == 0);
    CHECK(RAW(SYS_msync, at, 4 * PAGE, MS_INVALIDATE) == -EBUSY); /* also after a hole */
    CHECK(RAW(SYS_msync, at, 2 * PAGE, MS_INVALIDATE) == -ENOMEM);
    return 0;
}

static int privileged(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(set_limit(0));
    CHECK(pages(5, RDWR, LOCKED) != MAP_FAILED && locked() == 5);
    return 0;
}

static const struct {
    const char *name;
    int (*act)(void *unused);
    bool as_user;
} cases[] = {
    {"locked pages are there, and are counted once", counting, false},
    {"what lies before a hole is locked", before_a_hole, false},
    {"pages that cannot be there", closed_pages, false},
    {"mlockall", all_memory, false},
    {"MAP_LOCKED and mremap", by_map, false},
    {"MLOCK_ONFAULT", on_fault, false},
    {"msync with MS_INVALIDATE refuses locked pages", invalidated, false},
    {"RLIMIT_MEMLOCK", limited, true},
    {"does not bind CAP_IPC_LOCK", privileged, false},
};

static void test_mlock(void)
{
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].act == privileged && !is_root()) {
            skip("needs user 0", "%s", cases[i].name);
            continue;
        }
        is(run_child(cases[i].act, NULL, cases[i].as_user && is_root()), EXITED(0), "%s",
           cases[i].name);
    }
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_madvise();
    test_mlock();
    return tap_end();
}
