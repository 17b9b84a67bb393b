/*
 * mprotect of parts of mappings, over several of them, and over holes. W and X together are refused
 * with EACCES in any order of calls, as a rule of umbra; Linux grants them.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define RW             (PROT_READ | PROT_WRITE)
#define RX             (PROT_READ | PROT_EXEC)
#define RWX            (PROT_READ | PROT_WRITE | PROT_EXEC)
#define PRIVATE        (MAP_PRIVATE | MAP_ANONYMOUS)

static unsigned char *map(size_t pages, int protection)
{
    return mmap(NULL, pages * PAGE, protection, PRIVATE, -1, 0);
}

static void test_split(void)
{
    unsigned char *area = map(8, RW);

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
    unsigned char *page = map(1, RW);
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
    unsigned char *data = map(2, RW);
    unsigned char *code = map(1, RX);
    int fd = temporary_file(2 * PAGE);
    unsigned char *shared_data = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);

    refused((long)map(1, RWX), "mmap of anonymous memory, W and X");
    refused((long)mmap(NULL, PAGE, RWX, MAP_SHARED, fd, 0), "mmap of a file, shared, W and X");
    refused((long)mmap(NULL, PAGE, RWX, MAP_PRIVATE, fd, 0), "mmap of a file, private, W and X");
    refused((long)map(1, PROT_WRITE | PROT_EXEC), "mmap with W and X but not R");
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

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_split();
    test_back_and_forth();
    test_own_segments();
    test_write_and_execute();
    return tap_end();
}
