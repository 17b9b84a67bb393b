/*
 * Mappings: mmap, munmap and mprotect, and areas that mremap moves, grows and shrinks.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * mmap and munmap: kinds of mappings, their addresses, and the requests that are refused.
 */

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define RW             (PROT_READ | PROT_WRITE)
#define PRIVATE        (MAP_PRIVATE | MAP_ANONYMOUS)

static unsigned char *map(void *where, size_t size, int protection, int flags)
{
    return mmap(where, size, protection, flags, -1, 0);
}

static void test_placement(void)
{
    unsigned char *area = map(NULL, 8 * PAGE, RW, PRIVATE);

    memset(area, 0x11, 8 * PAGE);
    unsigned char *fixed = map(area + 2 * PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED);
    ok(fixed == area + 2 * PAGE, "MAP_FIXED lies where it is asked for");
    ok(all_are(fixed, 2 * PAGE, 0), "and is new");
    ok(all_are(area, 2 * PAGE, 0x11) && all_are(area + 4 * PAGE, 4 * PAGE, 0x11),
       "the mapping around it is as it was");
    is(ERROR_OF((long)map(area + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE)), EEXIST,
       "MAP_FIXED_NOREPLACE over a mapping is EEXIST");
    is(ERROR_OF((long)map(area - PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE)), EEXIST,
       "also where only its end overlaps");
    munmap(area + 3 * PAGE, PAGE);
    ok(map(area + 3 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE) == area + 3 * PAGE,
       "MAP_FIXED_NOREPLACE in a hole");
    munmap(area, 8 * PAGE);
    unsigned char *hinted = map(area, PAGE, RW, PRIVATE);
    ok(hinted == area, "a hint is followed where there is room");
    ok(map(area, PAGE, RW, PRIVATE) != area, "and not where there is none");
    ok(map(area + 16 * PAGE + 5, PAGE, RW, PRIVATE) != MAP_FAILED, "a hint need not be aligned");
}

static void test_refusals(void)
{
    int fd = open(beside("fixtures/data.bin"), O_RDONLY);
    const struct {
        const char *name;
        uintptr_t where;
        size_t size;
        int flags, fd;
        long offset;
        int error;
    } cases[] = {
        {"no bytes", 0, 0, PRIVATE, -1, 0, EINVAL},
        {"neither private nor shared", 0, PAGE, MAP_ANONYMOUS, -1, 0, EINVAL},
        {"an unaligned fixed address", 0x10000001, PAGE, PRIVATE | MAP_FIXED, -1, 0, EINVAL},
        {"an unaligned offset", 0, PAGE, MAP_PRIVATE, fd, 1, EINVAL},
        {"no file", 0, PAGE, MAP_PRIVATE, -1, 0, EBADF},
        {"2^64-1 bytes", 0, SIZE_MAX, PRIVATE, -1, 0, ENOMEM},
        {"the whole user half", 0, 1UL << 47, PRIVATE, -1, 0, ENOMEM},
        {"the kernel half", 0xffff800000000000, PAGE, PRIVATE | MAP_FIXED, -1, 0, ENOMEM},
        {"across the user end", USER_END - PAGE, 2 * PAGE, PRIVATE | MAP_FIXED, -1, 0, ENOMEM},
        {"the page at the user end", USER_END, PAGE, PRIVATE | MAP_FIXED, -1, 0, ENOMEM},
        {"an offset that wraps", 0, 2 * PAGE, MAP_PRIVATE, fd, -(long)PAGE, EOVERFLOW},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* not mmap(): a C library refuses some of these on its own */
        long got = syscall(SYS_mmap, cases[i].where, cases[i].size, RW, cases[i].flags, cases[i].fd,
                           cases[i].offset);
        is(ERROR_OF(got), cases[i].error, "mmap of %s", cases[i].name);
    }
    is(ERROR_OF((long)mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0)), EACCES,
       "a shared writable mapping of a file open for reading is EACCES");
    int directory = open("/", O_RDONLY);
    is(ERROR_OF((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0)), ENODEV,
       "mmap of a directory is ENODEV");
    close(directory);
    close(fd);
}

static void test_page_0(void)
{
    void *low = map(NULL, PAGE, RW, PRIVATE | MAP_FIXED);

    if (on_linux() && low != MAP_FAILED) {
        munmap(low, PAGE);
        skip("root may map page 0 here", "page 0 cannot be mapped");
        return;
    }
    ok(low == MAP_FAILED && (errno == EPERM || errno == EINVAL), "page 0 cannot be mapped");
}

static void test_protections(void)
{
    unsigned char *none = map(NULL, PAGE, PROT_NONE, PRIVATE);
    unsigned char *readable = map(NULL, PAGE, PROT_READ, PRIVATE);
    unsigned char *writable = map(NULL, PAGE, RW, PRIVATE);
    unsigned char *executable = map(NULL, PAGE, RW, PRIVATE);

    is(read_signal(none), SIGSEGV, "PROT_NONE: read");
    is(read_signal(readable), 0, "PROT_READ: read");
    is(write_signal(readable), SIGSEGV, "PROT_READ: write");
    is(call_signal(readable), SIGSEGV, "PROT_READ: call");
    is(write_signal(writable), 0, "PROT_WRITE: write");
    writable[0] = RET_INSTRUCTION;
    is(call_signal(writable), SIGSEGV, "PROT_READ | PROT_WRITE: call");
    executable[0] = RET_INSTRUCTION;
    is(mprotect(executable, PAGE, PROT_READ | PROT_EXEC), 0, "from writable to executable");
    is(call_signal(executable), 0, "PROT_EXEC: call");
    is(write_signal(executable), SIGSEGV, "PROT_EXEC: write");
    munmap(none, PAGE);
    is(read_signal(none), SIGSEGV, "after munmap: read");
}

static void test_flags(void)
{
    unsigned char *populated = map(NULL, 16 * PAGE, RW, PRIVATE | MAP_POPULATE);
    unsigned char resident[16] = {0};
    unsigned count = 0;

    ok(populated != MAP_FAILED, "MAP_POPULATE");
    is(mincore(populated, 16 * PAGE, resident), 0, "mincore");
    for (size_t i = 0; i < 16; i++) {
        count += resident[i] & 1;
    }
    is(count, 16, "says that all 16 pages are there");
    ok(all_are(populated, 16 * PAGE, 0), "and they are zero");
    unsigned char *reserved = map(NULL, 1UL << 30, RW, PRIVATE | MAP_NORESERVE);
    ok(reserved != MAP_FAILED, "MAP_NORESERVE of 1 GiB");
    reserved[1UL << 29] = 1;
    is(reserved[(1UL << 29) + 1], 0, "its pages come when they are touched");
    is(munmap(reserved, 1UL << 30), 0, "munmap of it");
    ok(map(NULL, PAGE, RW, PRIVATE | MAP_STACK) != MAP_FAILED, "MAP_STACK");
}

/* munmap in the middle, over holes, over several mappings at once. */
static void test_munmap(void)
{
    unsigned char *area = map(NULL, 9 * PAGE, RW, PRIVATE);

    memset(area, 0x22, 9 * PAGE);
    is(munmap(area + 3 * PAGE, PAGE), 0, "munmap in the middle");
    is(read_signal(area + 3 * PAGE), SIGSEGV, "that page is gone");
    ok(all_are(area, 3 * PAGE, 0x22) && all_are(area + 4 * PAGE, 5 * PAGE, 0x22),
       "the pages on both sides are there");
    is(munmap(area, PAGE), 0, "munmap at the start");
    is(munmap(area + 8 * PAGE, 1), 0, "munmap of one byte takes its page");
    is(read_signal(area + 8 * PAGE), SIGSEGV, "that page is gone too");
    is(munmap(area + 2 * PAGE, 4 * PAGE), 0, "munmap over a hole");
    ok(area[PAGE] == 0x22 && area[6 * PAGE] == 0x22, "leaves what is outside");
    is(munmap(area, 9 * PAGE), 0, "munmap of all that is left");
    is(munmap(area, 9 * PAGE), 0, "munmap of nothing succeeds");
    is(ERROR_OF(munmap(area, 0)), EINVAL, "munmap of no bytes is EINVAL");
    is(ERROR_OF(munmap((void *)0xffff800000000000, PAGE)), EINVAL,
       "munmap in the kernel half is EINVAL");
    is(ERROR_OF(munmap(area, SIZE_MAX - PAGE)), EINVAL, "munmap of all there is is EINVAL");
}

/* Many mappings with holes, in a mixed order: each keeps its own content. */
static void test_many(void)
{
    enum { COUNT = 1500 };
    unsigned char *area = map(NULL, 2 * COUNT * PAGE, PROT_NONE, PRIVATE);
    unsigned wrong = 0;

    munmap(area, 2 * COUNT * PAGE);
    for (size_t i = 0; i < COUNT; i++) {
        size_t slot = i * 7 % COUNT;
        unsigned char *page = map(area + 2 * slot * PAGE, PAGE, RW, PRIVATE | MAP_FIXED);
        *(size_t *)(void *)page = slot;
    }
    for (size_t i = 0; i < COUNT; i++) {
        wrong += *(size_t *)(void *)(area + 2 * i * PAGE) != i;
    }
    is(wrong, 0, "%d mappings with holes in between", COUNT);
    is(read_signal(area + PAGE), SIGSEGV, "the holes are holes");
    is(munmap(area, 2 * COUNT * PAGE), 0, "munmap of them all at once");
    is(read_signal(area + 2 * (COUNT - 1) * PAGE), SIGSEGV, "takes the last too");
}

static void map_and_unmap(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        unsigned char *area = map(NULL, 100 * PAGE, RW, PRIVATE);
        memset(area, 1, 100 * PAGE);
        mprotect(area + 10 * PAGE, 10 * PAGE, PROT_READ);
        munmap(area + 50 * PAGE, PAGE);
        munmap(area, 100 * PAGE);
    }
}

/* The free memory that 50 rounds take. A kernel with sanitizers keeps freed objects for a while, and a page more or
 * less with them: a leak is in each of several tries. */
static long taken_by_rounds(void)
{
    long taken = 1;

    for (int tries = 0; tries < 5 && taken != 0; tries++) {
        long before = free_memory();
        map_and_unmap(50);
        taken = on_linux() ? 0 : before - free_memory();
    }
    return taken;
}

static void test_leak(void)
{
    long taken = taken_by_rounds();

    if (on_linux()) {
        skip("others use the memory of this machine", "50 rounds leave the free memory as it was");
    } else {
        is(taken, 0, "50 rounds leave the free memory as it was");
    }
}

static void test_mmap(void)
{
    test_placement();
    test_refusals();
    test_page_0();
    test_protections();
    test_flags();
    test_munmap();
    test_many();
    test_leak();
}

/*
 * mprotect of parts of mappings, over several of them, and over holes. W and X together are refused
 * with EACCES in any order of calls, as a rule of umbra; Linux grants them.
 */

#define RX  (PROT_READ | PROT_EXEC)
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

static unsigned char *map_of_mprotect(size_t pages, int protection)
{
    return mmap(NULL, pages * PAGE, protection, PRIVATE, -1, 0);
}

static void test_split(void)
{
    unsigned char *area = map_of_mprotect(8, RW);

    memset(area, 0x33, 8 * PAGE);
    is(mprotect(area + 3 * PAGE, 2 * PAGE, PROT_READ), 0, "mprotect in the middle");
    is(write_signal(area + 3 * PAGE), SIGSEGV, "the first page there is read-only");
    is(write_signal(area + 5 * PAGE - 1), SIGSEGV, "up to the last byte");
    is(write_signal(area + 3 * PAGE - 1), 0, "the byte before is writable");
    is(write_signal(area + 5 * PAGE), 0, "the byte behind it too");
    ok(all_are(area, 8 * PAGE, 0x33), "the content has stayed");
    is(mprotect(area + 4 * PAGE, 1, PROT_NONE), 0, "mprotect of one byte takes its page");
    is(read_signal(area + 5 * PAGE - 1), SIGSEGV, "which cannot be read any more");
    is(mprotect(area, 8 * PAGE, RW), 0, "mprotect over all the parts");
    ok(all_are(area, 8 * PAGE, 0x33), "gives back what was there");
    is(write_signal(area + 4 * PAGE), 0, "for writing too");
    is(mprotect(area, 0, PROT_NONE), 0, "mprotect of no bytes does nothing");
    munmap(area + 4 * PAGE, PAGE);
    is(ERROR_OF(mprotect(area, 8 * PAGE, PROT_READ)), ENOMEM, "mprotect over a hole is ENOMEM");
    is(ERROR_OF(mprotect(area, (size_t)-1 & ~(PAGE - 1), PROT_READ)), ENOMEM,
       "mprotect of everything is ENOMEM");
    is(ERROR_OF(syscall(SYS_mprotect, area + 1, PAGE, PROT_READ)), EINVAL,
       "an unaligned address is EINVAL");
    is(ERROR_OF(syscall(SYS_mprotect, area, PAGE, 0x80)), EINVAL,
       "an unknown protection is EINVAL");
    is(ERROR_OF(syscall(SYS_mprotect, 0xffff800000000000u, PAGE, RW)), ENOMEM,
       "mprotect in the kernel half is ENOMEM");
    munmap(area, 8 * PAGE);
}

/* A page in memory is made read-only and writable again: stale TLB entries would show here. */
static void test_back_and_forth(void)
{
    unsigned char *page = map_of_mprotect(1, RW);
    int faults = 0;

    for (int i = 0; i < 10; i++) {
        page[0] = (unsigned char)i;
        mprotect(page, PAGE, PROT_READ);
        faults += write_signal(page) == SIGSEGV && page[0] == i;
        mprotect(page, PAGE, RW);
    }
    is(faults, 10, "a page changes from writable to read-only and back ten times");
    munmap(page, PAGE);
}

static const unsigned char constant[4096] __attribute__((aligned(4096))) = {7};
static unsigned char initialised[4096] __attribute__((aligned(4096))) = {8};

/* The program's own segments. */
static void test_own_segments(void)
{
    is(write_signal((unsigned char *)(uintptr_t)constant), SIGSEGV, "constants are read-only");
    is(mprotect((void *)(uintptr_t)constant, PAGE, RW), 0, "until mprotect says otherwise");
    *(volatile unsigned char *)(uintptr_t)constant = 9;
    is(*(const volatile unsigned char *)constant, 9, "then they can be written");
    is(mprotect(initialised, PAGE, PROT_READ), 0, "data can be made read-only");
    is(write_signal(initialised), SIGSEGV, "as RELRO asks for");
    is(run("child", "exit", "0", NULL), EXITED(0), "other programs are not affected");
}

/* A request that umbra refuses and Linux grants. */
static void refused(long result, const char *name)
{
    int error = ERROR_OF(result);

    if (on_linux() && error == 0) {
        skip("Linux is less strict", "%s is EACCES", name);
        return;
    }
    is(error, EACCES, "%s is EACCES", name);
}

static void test_write_and_execute(void)
{
    unsigned char *data = map_of_mprotect(2, RW);
    unsigned char *code = map_of_mprotect(1, RX);
    int fd = temporary_file(2 * PAGE);
    unsigned char *shared_data = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);

    refused((long)map_of_mprotect(1, RWX), "mmap of anonymous memory, W and X");
    refused((long)mmap(NULL, PAGE, RWX, MAP_SHARED, fd, 0), "mmap of a file, shared, W and X");
    refused((long)mmap(NULL, PAGE, RWX, MAP_PRIVATE, fd, 0), "mmap of a file, private, W and X");
    refused((long)map_of_mprotect(1, PROT_WRITE | PROT_EXEC), "mmap with W and X but not R");
    refused(mprotect(data, PAGE, RWX), "mprotect of writable memory to W and X");
    refused(mprotect(code, PAGE, RWX), "mprotect of executable memory to W and X");
    refused(mprotect(shared_data, PAGE, RWX), "mprotect of a shared file to W and X");
    refused(mprotect((void *)((uintptr_t)constant & ~(PAGE - 1)), PAGE, RWX),
            "mprotect of the program's constants to W and X");
    data[PAGE] = RET_INSTRUCTION;
    is(mprotect(data + PAGE, PAGE, RX), 0, "mprotect from W to X");
    is(call_signal(data + PAGE), 0, "the code runs");
    is(write_signal(data + PAGE), SIGSEGV, "and cannot be written");
    is(mprotect(data + PAGE, PAGE, RW), 0, "mprotect back to W");
    is(write_signal(data + PAGE), 0, "now it can be written");
    is(call_signal(data + PAGE), SIGSEGV, "and does not run");
    if (!on_linux()) {
        is(write_signal(data), 0, "after a refusal, writable memory is as it was");
        is(call_signal(data), SIGSEGV, "not executable");
    }
    close(fd);
}

static void test_mprotect(void)
{
    test_split();
    test_back_and_forth();
    test_own_segments();
    test_write_and_execute();
}

/*
 * mremap: shrinking, growing in place, moving, and the requests that are refused.
 */

static unsigned char *map_of_mremap(size_t pages)
{
    unsigned char *area = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(area, 0x44, pages * PAGE);
    return area;
}

/* Maps pages with free room after them. */
static unsigned char *map_with_room(size_t pages, size_t room)
{
    unsigned char *area = map_of_mremap(pages + room);

    munmap(area + pages * PAGE, room * PAGE);
    return area;
}

static void test_in_place(void)
{
    unsigned char *area = map_with_room(4, 4);

    ok(mremap(area, 4 * PAGE, 2 * PAGE, 0) == area, "mremap to a smaller size stays in place");
    is(read_signal(area + 2 * PAGE), SIGSEGV, "the rest is gone");
    ok(all_are(area, 2 * PAGE, 0x44), "what is left is as it was");
    ok(mremap(area, 2 * PAGE, 8 * PAGE, 0) == area, "it grows in place where there is room");
    ok(all_are(area, 2 * PAGE, 0x44) && all_are(area + 2 * PAGE, 6 * PAGE, 0),
       "with zeros behind the old content");
    ok(mremap(area, 8 * PAGE, 8 * PAGE, 0) == area, "the same size is no change");
    munmap(area, 8 * PAGE);
}

/* What is cut off in place may lie in other areas and in holes. A range that cannot be moved is left alone. */
static void test_cut(void)
{
    unsigned char *area = map_with_room(6, 2);

    munmap(area + 3 * PAGE, PAGE);
    ok(mremap(area, 8 * PAGE, 2 * PAGE, 0) == area, "mremap to a smaller size, over a hole");
    ok(all_are(area, 2 * PAGE, 0x44), "what is left is as it was");
    is(read_signal(area + 2 * PAGE), SIGSEGV, "the rest of the area is gone");
    is(read_signal(area + 4 * PAGE), SIGSEGV, "and what was after the hole");
    is(ERROR_OF(
           (long)mremap(area, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 3 * PAGE)),
       EINVAL, "a move onto itself, although the range is not one area");
    is(ERROR_OF((long)mremap(area, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE)), EFAULT,
       "a range that is not one area does not grow");
    munmap(area, 2 * PAGE);
}

static void test_moving(void)
{
    unsigned char *area = map_of_mremap(6);
    unsigned char *start = area;

    is(ERROR_OF((long)mremap(area, 2 * PAGE, 4 * PAGE, 0)), ENOMEM,
       "growing without room is ENOMEM");
    area[0] = 1;
    area[2 * PAGE - 1] = 2;
    unsigned char *moved = mremap(area, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    ok(moved != MAP_FAILED && moved != area, "unless it may move");
    ok(moved[0] == 1 && moved[1] == 0x44 && moved[2 * PAGE - 1] == 2 && moved[2 * PAGE] == 0,
       "the content has moved with it");
    is(read_signal(area), SIGSEGV, "the old place is free");
    is(read_signal(area + 2 * PAGE), 0, "and nothing else");
    unsigned char *target = map_of_mremap(4);
    unsigned char *fixed = mremap(moved, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    ok(fixed == target && fixed[0] == 1 && fixed[2 * PAGE - 1] == 2,
       "MREMAP_FIXED replaces what was there");
    is(read_signal(moved), SIGSEGV, "and leaves the old place");
    munmap(fixed, 4 * PAGE);
    munmap(start, 6 * PAGE);
}

static void test_shared(void)
{
    int fd = temporary_file(4 * PAGE);
    unsigned char *file = mmap(NULL, PAGE, RW, MAP_SHARED, fd, (long)PAGE);
    unsigned char byte = 0;

    file = mremap(file, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    ok(file != MAP_FAILED, "a file's mapping grows");
    ok(file[0] == file_byte(PAGE) && file[2 * PAGE + 5] == file_byte(3 * PAGE + 5),
       "and shows more of the file");
    file[2 * PAGE] = 0xee;
    is(pread(fd, &byte, 1, 3 * (long)PAGE), 1, "the file");
    is(byte, 0xee, "is still the same");
    munmap(file, 3 * PAGE);
    close(fd);
}

/* With an old size of 0 a shared area is mapped a second time: here at its own place. */
static void test_onto_itself(void)
{
    static const struct {
        size_t at, pages;
        const char *left; /* of five pages */
    } cases[] = {
        {0, 1, ".####"}, {1, 1, "#.###"}, {0, 4, "....#"}, {2, 2, "##..#"}, {0, 5, "....."}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char *area = mmap(NULL, 5 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        unsigned char *at = area + cases[i].at * PAGE;
        char left[6] = "";

        mprotect(area + 4 * PAGE, PAGE, PROT_READ); /* a second area */
        is(ERROR_OF((long)mremap(at, 0, cases[i].pages * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, at)),
           EFAULT, "a second mapping at the place of the first has nothing to map");
        for (size_t page = 0; page < 5; page++)
            left[page] = read_signal(area + page * PAGE) == 0 ? '#' : '.';
        ok(!strcmp(left, cases[i].left), "and the place is free: %s", left);
        munmap(area, 5 * PAGE);
    }
}

static void test_mremap_refusals(void)
{
    unsigned char *area = map_of_mremap(4);

    is(ERROR_OF((long)mremap(area + 1, PAGE, 2 * PAGE, 0)), EINVAL, "an unaligned address");
    is(ERROR_OF((long)mremap(area, PAGE, 0, 0)), EINVAL, "a new size of 0");
    is(ERROR_OF(syscall(SYS_mremap, area, PAGE, PAGE, 8, 0)), EINVAL, "an unknown flag");
    is(ERROR_OF(syscall(SYS_mremap, area, PAGE, PAGE, MREMAP_FIXED, area + 8 * PAGE)), EINVAL,
       "MREMAP_FIXED without MREMAP_MAYMOVE");
    is(ERROR_OF(syscall(SYS_mremap, area, 4 * PAGE, 4 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE,
                        area + 2 * PAGE)),
       EINVAL, "a new place that overlaps the old");
    is(ERROR_OF(syscall(SYS_mremap, area, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE,
                        0xffff800000000000u)),
       EINVAL, "a new place in the kernel half");
    munmap(area + PAGE, PAGE);
    is(ERROR_OF((long)mremap(area, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE)), EFAULT,
       "an old range with a hole");
    is(ERROR_OF((long)mremap(area + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE)), EFAULT,
       "an old range that is not mapped");
    int error = ERROR_OF((long)mremap(area, PAGE, 1UL << 47, MREMAP_MAYMOVE));
    ok(error == EINVAL || error == ENOMEM, /* depends on the release of Linux */
       "a size above the user half");
    ok(all_are(area, PAGE, 0x44) && all_are(area + 2 * PAGE, 2 * PAGE, 0x44),
       "a refusal changes nothing");
    munmap(area, 4 * PAGE);
}

static void test_mremap(void)
{
    test_in_place();
    test_cut();
    test_moving();
    test_shared();
    test_onto_itself();
    test_mremap_refusals();
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_mmap();
    test_mprotect();
    test_mremap();
    return tap_end();
}
