/*
 * Calls of memory management at their edges: huge empty spans are not walked; ranges may be
 * mapped in part, wrap, or end at the end of memory; and MAP_32BIT.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RW        (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
#define TB        (1UL << 40)
#define AT        0x100000000000UL

static char *map_empty(size_t size)
{
    return mmap(NULL, size, PROT_NONE, ANONYMOUS, -1, 0);
}

/* Maps one page at each end of an otherwise empty span. */
static char *map_sparse(size_t size)
{
    char *at = mmap(NULL, size, RW, ANONYMOUS, -1, 0);

    if (at != MAP_FAILED) {
        at[0] = 1;
        at[size - 1] = 2;
    }
    return at;
}

/* The huge spans: each function returns 0 if the call did as it should. */

static long huge_munmap(void)
{
    return munmap(map_empty(32 * TB), 32 * TB);
}

static long huge_mprotect(void)
{
    char *at = map_empty(32 * TB);

    return mprotect(at, 32 * TB, PROT_READ) + munmap(at, 32 * TB);
}

static long huge_mremap(void)
{
    char *at = map_empty(32 * TB);
    char *to = mremap(at, 32 * TB, 32 * TB, MREMAP_MAYMOVE | MREMAP_FIXED, AT);

    return to == (char *)AT ? munmap(to, 32 * TB) : -errno;
}

static long huge_mremap_grow(void)
{
    char *at = map_empty(16 * TB);
    char *to = mremap(at, 16 * TB, 33 * TB, MREMAP_MAYMOVE);

    return to != MAP_FAILED ? munmap(to, 33 * TB) : -errno;
}

static long huge_mremap_shrink(void)
{
    char *at = map_empty(32 * TB);

    return mremap(at, 32 * TB, 4096, 0) == at ? munmap(at, 4096) : -errno;
}

static long huge_mremap_sparse(void)
{
    char *at = map_sparse(4 * TB);
    char *to = mremap(at, 4 * TB, 4 * TB, MREMAP_MAYMOVE | MREMAP_FIXED, AT);

    return to == (char *)AT && to[0] == 1 && to[4 * TB - 1] == 2 ? munmap(to, 4 * TB) : -errno;
}

static long huge_munmap_sparse(void)
{
    return munmap(map_sparse(4 * TB), 4 * TB);
}

static long huge_madvise(void)
{
    char *at = map_sparse(4 * TB);
    long result = madvise(at, 4 * TB, MADV_DONTNEED);

    return result == 0 && at[0] == 0 && at[4 * TB - 1] == 0 ? munmap(at, 4 * TB) : -1;
}

static long huge_madvise_unmapped(void)
{
    munmap(mmap((void *)AT, 4096, RW, ANONYMOUS | MAP_FIXED, -1, 0), 4096);
    return madvise((void *)AT, 32 * TB, MADV_DONTNEED) == -1 && errno == ENOMEM ? 0 : -1;
}

static long huge_msync(void)
{
    char *at = map_empty(32 * TB);

    return msync(at, 32 * TB, MS_ASYNC) + munmap(at, 32 * TB);
}

static long huge_msync_unmapped(void)
{
    return msync((void *)AT, 32 * TB, MS_ASYNC) == -1 && errno == ENOMEM ? 0 : -1;
}

static long huge_mincore(void)
{
    size_t size = 16UL << 30;
    char *at = map_sparse(size);
    unsigned char *pages = mmap(NULL, size / PAGE, RW, ANONYMOUS, -1, 0);
    long result = mincore(at, size, pages);

    if (result == 0 && (!(pages[0] & 1) || pages[1] & 1 || !(pages[size / PAGE - 1] & 1))) {
        return -2;
    }
    return result + munmap(at, size) + munmap(pages, size / PAGE);
}

static long huge_mincore_unmapped(void)
{
    static unsigned char pages[PAGE]; /* one byte a page, within user memory */

    return mincore((void *)AT, 32 * TB, pages) == -1 && errno == ENOMEM ? 0 : -1;
}

static long huge_fork(void)
{
    char *at = map_sparse(4 * TB);
    pid_t pid = fork();

    if (pid == 0) {
        _exit(at[0] == 1 && at[4 * TB - 1] == 2 ? 0 : 1);
    }
    return wait_for(pid) + munmap(at, 4 * TB);
}

static long huge_brk(void)
{
    unsigned long start = (unsigned long)RAW(SYS_brk, 0);

    return RAW(SYS_brk, start + 64 * TB) == (long)start && RAW(SYS_brk, -1UL) == (long)start &&
                   RAW(SYS_brk, 0x1000) == (long)start
               ? 0
               : -1;
}

struct huge {
    const char *name;
    long (*act)(void);
};

/* A walk over the span page by page would take hours; how quick these are, test/bound measures. */
static int before_the_alarm(void *act)
{
    alarm(30);
    return ((const struct huge *)act)->act() != 0;
}

static void test_huge(void)
{
    static const struct huge cases[] = {
        {"munmap of 32 TB", huge_munmap},
        {"mprotect of 32 TB", huge_mprotect},
        {"mremap of 32 TB", huge_mremap},
        {"mremap that grows to 33 TB", huge_mremap_grow},
        {"mremap that shrinks from 32 TB", huge_mremap_shrink},
        {"mremap of 4 TB with a page at each end", huge_mremap_sparse},
        {"munmap of 4 TB with a page at each end", huge_munmap_sparse},
        {"madvise of 4 TB with a page at each end", huge_madvise},
        {"madvise of 32 TB without a mapping", huge_madvise_unmapped},
        {"msync of 32 TB", huge_msync},
        {"msync of 32 TB without a mapping", huge_msync_unmapped},
        {"mincore of 16 GB with a page at each end", huge_mincore},
        {"mincore of 32 TB without a mapping", huge_mincore_unmapped},
        {"fork with 4 TB and a page at each end", huge_fork},
        {"brk to 64 TB, to the end and to almost nothing", huge_brk},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        is(run_child(before_the_alarm, (void *)(uintptr_t)&cases[i], false), EXITED(0),
           "%s: done, without a walk over it", cases[i].name);
    }
}

/* Unmaps all memory of the process, the running code included: the call itself succeeds. */
static int unmap_everything(void *unused)
{
    (void)unused;
    return RAW(SYS_munmap, 0, USER_END) == 0 ? 8 : 9;
}

static int unmap_too_much(void *unused)
{
    (void)unused;
    return RAW(SYS_munmap, 0, USER_END + PAGE) == -EINVAL &&
                   RAW(SYS_munmap, PAGE, USER_END) == -EINVAL &&
                   RAW(SYS_munmap, PAGE, -1UL) == -EINVAL && RAW(SYS_munmap, 0, 0) == -EINVAL &&
                   RAW(SYS_munmap, USER_END, PAGE) == -EINVAL && RAW(SYS_munmap, 1, PAGE) == -EINVAL
               ? 8
               : 9;
}

struct call {
    const char *name;
    long number, result;
    unsigned long arguments[6];
};

/* Maps four pages at AT but for the third. */
static void map_with_hole(void)
{
    mmap((void *)AT, 4 * PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
    memset((void *)AT, 7, 4 * PAGE);
    munmap((void *)(AT + 2 * PAGE), PAGE);
}

static void test_calls(void)
{
    static const struct call calls[] = {
        {"madvise over a hole", SYS_madvise, -ENOMEM, {AT, 4 * PAGE, MADV_DONTNEED}},
        {"madvise of a hole", SYS_madvise, -ENOMEM, {AT + 2 * PAGE, PAGE, MADV_NORMAL}},
        {"madvise of nothing", SYS_madvise, 0, {AT + 2 * PAGE, 0, MADV_DONTNEED}},
        {"madvise at an odd address", SYS_madvise, -EINVAL, {AT + 1, PAGE, MADV_DONTNEED}},
        {"madvise that is unknown", SYS_madvise, -EINVAL, {AT, PAGE, 9999}},
        {"madvise that wraps", SYS_madvise, -EINVAL, {AT, -PAGE, MADV_DONTNEED}},
        {"msync over a hole", SYS_msync, -ENOMEM, {AT, 4 * PAGE, MS_ASYNC}},
        {"msync, both ways", SYS_msync, -EINVAL, {AT, PAGE, MS_ASYNC | MS_SYNC}},
        {"msync at an odd address", SYS_msync, -EINVAL, {AT + 1, PAGE, MS_SYNC}},
        {"mincore over a hole", SYS_mincore, -ENOMEM, {AT, 4 * PAGE, AT}},
        {"mincore to nowhere", SYS_mincore, -EFAULT, {AT, PAGE, 8}},
        {"mincore at an odd address", SYS_mincore, -EINVAL, {AT + 1, PAGE, AT}},
        {"mprotect over a hole", SYS_mprotect, -ENOMEM, {AT, 4 * PAGE, RW}},
        {"mprotect of nothing", SYS_mprotect, 0, {AT + 2 * PAGE, 0, RW}},
        {"mprotect that wraps", SYS_mprotect, -ENOMEM, {AT, -PAGE, RW}},
        {"munmap over a hole", SYS_munmap, 0, {AT, 4 * PAGE}},
        {"munmap of a hole", SYS_munmap, 0, {AT + 2 * PAGE, PAGE}},
        {"mremap of a hole", SYS_mremap, -EFAULT, {AT + 2 * PAGE, PAGE, 2 * PAGE, 1}},
        {"mremap over a hole", SYS_mremap, -EFAULT, {AT, 4 * PAGE, 5 * PAGE, 1}},
        {"mremap to nothing", SYS_mremap, -EINVAL, {AT, PAGE, 0, 1}},
        {"mremap onto itself", SYS_mremap, -EINVAL, {AT, 2 * PAGE, PAGE, 3, AT + PAGE}},
        {"mremap to a fixed place, not moving", SYS_mremap, -EINVAL, {AT, PAGE, PAGE, 2, AT * 2}},
        {"mremap to an odd address", SYS_mremap, -EINVAL, {AT, PAGE, PAGE, 3, AT * 2 + 1}},
        {"mmap of nothing", SYS_mmap, -EINVAL, {0, 0, RW, ANONYMOUS, -1UL, 0}},
        {"mmap that wraps", SYS_mmap, -ENOMEM, {0, -1UL, RW, ANONYMOUS, -1UL, 0}},
        {"mmap of the end", SYS_mmap, -ENOMEM, {USER_END, PAGE, RW, ANONYMOUS | MAP_FIXED, -1UL}},
        {"mmap over the end",
         SYS_mmap,
         -ENOMEM,
         {USER_END - PAGE, 2 * PAGE, RW, ANONYMOUS | MAP_FIXED, -1UL, 0}},
        {"mmap at an odd address",
         SYS_mmap,
         -EINVAL,
         {AT + 1, PAGE, RW, ANONYMOUS | MAP_FIXED, -1UL}},
        {"mmap, neither shared nor private", SYS_mmap, -EINVAL, {0, PAGE, RW, MAP_ANONYMOUS, -1UL}},
        {"mmap of no file", SYS_mmap, -EBADF, {0, PAGE, PROT_READ, MAP_PRIVATE, -1UL, 0}},
        {"mmap over something, not replacing",
         SYS_mmap,
         -EEXIST,
         {AT, PAGE, RW, ANONYMOUS | 0x100000 /* MAP_FIXED_NOREPLACE */, -1UL, 0}},
    };
    for (size_t i = 0; i < COUNT(calls); i++) {
        map_with_hole();
        is(raw_call((unsigned long)calls[i].number, calls[i].arguments), calls[i].result, "%s",
           calls[i].name);
    }
    map_with_hole();
    is(RAW(SYS_madvise, AT, 4 * PAGE, MADV_DONTNEED), -ENOMEM,
       "madvise(MADV_DONTNEED) over a hole");
    ok(*(char *)AT == 0 && *(char *)(AT + 3 * PAGE) == 0, "is done on both sides of it");
    munmap((void *)AT, 4 * PAGE);
}

static void test_32_bit(void)
{
    bool low = true;

    for (int i = 0; i < 100; i++) {
        void *at = mmap(NULL, PAGE << (i % 8), RW, ANONYMOUS | MAP_32BIT, -1, 0);
        low = low && at != MAP_FAILED && (uintptr_t)at < 0x80000000UL;
    }
    ok(low, "MAP_32BIT gives addresses below 2 GB");
    char *at = mmap((void *)AT, PAGE, RW, ANONYMOUS | MAP_32BIT, -1, 0);
    ok((uintptr_t)at < 0x80000000UL, "also where the hint is above");
    is((long)mmap((void *)AT, PAGE, RW, ANONYMOUS | MAP_32BIT | MAP_FIXED, -1, 0), (long)AT,
       "but MAP_FIXED counts more");
    munmap((void *)AT, PAGE);
    is(RAW(SYS_mmap, 0, 0x80000000UL, PROT_NONE, ANONYMOUS | MAP_32BIT, -1, 0), -ENOMEM,
       "2 GB do not fit there");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_huge();
    is(WITHOUT_CORE(run_child(unmap_everything, NULL, false)), KILLED(SIGSEGV),
       "munmap of everything succeeds, and then there is nothing to go on with");
    is(run_child(unmap_too_much, NULL, false), EXITED(8), "munmap of more than that is EINVAL");
    test_calls();
    test_32_bit();
    return tap_end();
}
