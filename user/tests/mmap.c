/*
 * mmap and munmap: kinds of mappings, their addresses, and the requests that are refused.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static void test_leak(void)
{
    long before = free_memory();

    for (int i = 0; i < 50; i++) {
        unsigned char *area = map(NULL, 100 * PAGE, RW, PRIVATE);
        memset(area, 1, 100 * PAGE);
        mprotect(area + 10 * PAGE, 10 * PAGE, PROT_READ);
        munmap(area + 50 * PAGE, PAGE);
        munmap(area, 100 * PAGE);
    }
    if (on_linux()) {
        skip("others use the memory of this machine", "50 rounds leave the free memory as it was");
    } else {
        is(free_memory() - before, 0, "50 rounds leave the free memory as it was");
    }
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_placement();
    test_refusals();
    test_page_0();
    test_protections();
    test_flags();
    test_munmap();
    test_many();
    test_leak();
    return tap_end();
}
