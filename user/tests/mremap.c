/*
 * mremap: shrinking, growing in place, moving, and the requests that are refused.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define RW             (PROT_READ | PROT_WRITE)

static unsigned char *map(size_t pages)
{
    unsigned char *area = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(area, 0x44, pages * PAGE);
    return area;
}

/* Maps pages with free room after them. */
static unsigned char *map_with_room(size_t pages, size_t room)
{
    unsigned char *area = map(pages + room);

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

static void test_moving(void)
{
    unsigned char *area = map(6);
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
    unsigned char *target = map(4);
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

static void test_refusals(void)
{
    unsigned char *area = map(4);

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

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_in_place();
    test_moving();
    test_shared();
    test_onto_itself();
    test_refusals();
    return tap_end();
}
