/*
 * The structures that the kernel copies out. Each is copied into a buffer of one pattern and then
 * of another, after calls that left junk on the kernel's stack and heap. The kernel must write all
 * bytes of the structure and no others, and padding must be the same each time. Neither the junk,
 * nor the pattern of a kernel that fills its variables (0xfe or 0xaa), nor a kernel address may
 * appear.
 */
#include "edge.h"
#include "leaks.h"
#include "probe.h"
#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const unsigned char fills[2] = {0x5a, 0xc3}, junks[2] = {0xe7, 0xd9};
static unsigned char outs[2][LEAK_SIZE] __attribute__((aligned(64)));

/* Leaves junk bytes wherever calls keep paths, sets, vectors and values. */
static void leave_junk(unsigned char junk)
{
    static char path[4096];
    static unsigned char sets[3][128];
    char *words[] = {path, path, NULL};
    struct timespec none = {0, 0};
    struct iovec vector[8];
    struct sigaction action;

    memset(path, junk, sizeof path - 1);
    path[255] = '/';
    RAW(SYS_open, path, O_RDONLY, 0);
    RAW(SYS_rename, path, path);
    RAW(SYS_mkdir, path, 0x7777);
    RAW(SYS_execve, path, words, words);
    RAW(SYS_readlink, path, path, 0x7fff);
    memset(sets, junk, sizeof sets);
    RAW(SYS_select, 1000, sets[0], sets[1], sets[2], &none);
    memset(vector, junk, sizeof vector);
    RAW(SYS_writev, 1, vector, 8);
    memset(&action, junk, sizeof action);
    RAW(SYS_rt_sigaction, 99, &action, 0, 8);
    int fd = open("/tmp/leaks.junk", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2];
    if (pipe(ends) != 0 || write(ends[1], path, sizeof path) != sizeof path ||
        write(fd, path, sizeof path) != sizeof path) {
        diag("no junk in pipes and files");
    }
    close(ends[0]);
    close(ends[1]);
    close(fd);
    unlink("/tmp/leaks.junk");
}

static bool is_written(size_t at)
{
    return outs[0][at] != fills[0] || outs[1][at] != fills[1];
}

static bool looks_like_kernel(uint64_t value)
{
    return value >= 0xffff800000000000UL && value < 0xfffffffffffff000UL;
}

/* The offset of a value that no program may see in the written bytes; -1 if there is none. */
static long find_secret(const unsigned char *bytes, size_t size)
{
    static const unsigned char patterns[] = {0xfe, 0xaa, 0xe7, 0xd9};
    size_t run = 0;

    for (size_t i = 0; i < size; i++) {
        run = i > 0 && bytes[i] == bytes[i - 1] && is_written(i) ? run + 1 : 0;
        if (run >= 3 && memchr(patterns, bytes[i], sizeof patterns) != NULL) {
            return (long)i;
        }
        uint64_t value = 0;
        if (i % 8 == 0 && i + 8 <= size && is_written(i) && is_written(i + 7)) {
            memcpy(&value, bytes + i, 8);
            if (looks_like_kernel(value)) {
                return (long)i;
            }
        }
    }
    return -1;
}

/* Makes the call twice. Returns the size that it reports, or a negative errno value. */
static long make_twice(const struct leak_case *c)
{
    long size = 0;

    for (int i = 0; i < 2; i++) {
        memset(outs[i], fills[i], LEAK_SIZE);
        if (c->prepare != NULL) {
            c->prepare(outs[i]);
        }
        leave_junk(junks[i]);
        size = c->make(outs[i]);
        if (size < 0) {
            return size;
        }
    }
    return size;
}

enum byte_kind { WRITTEN, PADDING, UNTOUCHED, INPUT };

static enum byte_kind kind_of(const struct leak_case *c, size_t at, long size)
{
    for (size_t i = 0; i < COUNT(c->gaps) && c->gaps[i].end != 0; i++) {
        if (at >= c->gaps[i].start && at < c->gaps[i].end) {
            return c->gaps[i].input ? INPUT : PADDING;
        }
    }
    return at < (size_t)size ? WRITTEN : UNTOUCHED;
}

/* The offsets of the first fault of each kind, -1 if there is none. */
struct findings {
    long size, unwritten, stray, unequal, secret;
};

static struct findings examine(const struct leak_case *c)
{
    struct findings found = {make_twice(c), -1, -1, -1, -1};

    for (size_t i = 0; found.size >= 0 && i < LEAK_SIZE; i++) {
        enum byte_kind kind = kind_of(c, i, found.size);
        bool written = is_written(i), equal = outs[0][i] == outs[1][i];
        if (kind == WRITTEN && !written) {
            found.unwritten = (long)i;
        } else if (kind == UNTOUCHED && written) {
            found.stray = (long)i;
        } else if (kind == PADDING && written && !(equal && outs[0][i] == 0)) {
            found.unequal = (long)i;
        } else if (kind == WRITTEN && !equal && !c->varies) {
            found.unequal = (long)i;
        }
    }
    found.secret = find_secret(outs[0], LEAK_SIZE);
    found.secret = found.secret >= 0 ? found.secret : find_secret(outs[1], LEAK_SIZE);
    return found;
}

static bool is_right(const struct findings *found)
{
    return found->unwritten < 0 && found->stray < 0 && found->unequal < 0 && found->secret < 0;
}

static void test_case(const struct leak_case *c)
{
    struct findings found = examine(c);

    /* Random bytes and times may equal the fill pattern by chance. */
    for (int i = 0; i < 2 && c->varies && !is_right(&found); i++) {
        found = examine(c);
    }
    if (found.size == -ENOSYS || found.size == -ENOTTY) {
        skip(found.size == -ENOSYS ? "no such call here" : "no terminal here", "%s", c->name);
        return;
    }
    ok(found.size >= 0 && (c->size == 0 || found.size == c->size), "%s: it succeeds", c->name);
    if (!ok(is_right(&found), "%s: writes its own bytes, all of them, nothing of the kernel's",
            c->name)) {
        diag("size %ld; at offset: not written %ld, stray %ld, unequal or padding %ld, secret %ld",
             found.size, found.unwritten, found.stray, found.unequal, found.secret);
    }
}

/* Directory records with names of each length: after the name's zero byte comes padding, which the
 * kernel writes as zero or does not write. */
static void test_names(void)
{
    char directory[] = "/tmp/leaks.XXXXXX", name[256];
    unsigned bad = 0, found = 0;

    ok(mkdtemp(directory) != NULL && chdir(directory) == 0, "an empty directory");
    for (size_t length = 1; length < 256; length++) {
        memset(name, 'n', length);
        name[length] = '\0';
        close(open(name, O_CREAT | O_WRONLY, 0600));
        static struct leak_case c = {.make = leak_getdents};
        long size = make_twice(&c);
        for (long at = 0; at < size;) {
            const unsigned char *record = outs[0] + at;
            size_t total = record[16] | (size_t)record[17] << 8;
            size_t end = 19 + strlen((const char *)record + 19) + 1;
            found += end == 20 + length && record[19] == 'n';
            for (size_t i = end; i < total; i++) {
                size_t place = (size_t)at + i;
                bad += is_written(place) && (outs[0][place] != 0 || outs[1][place] != 0);
            }
            at += (long)total;
        }
        bad += size <= 0 || find_secret(outs[0], LEAK_SIZE) >= 0;
        unlink(name);
    }
    ok(found == 255 && bad == 0, "getdents64 of names of 1 to 255 bytes leaks nothing");
    if (bad != 0) {
        diag("%u names found, %u bytes are not theirs", found, bad);
    }
    if (chdir("/") == 0) {
        rmdir(directory);
    }
}

static siginfo_t *frame_info;
static ucontext_t *frame_context;

static void note_frame(int number, siginfo_t *info, void *context)
{
    (void)number;
    frame_info = info;
    frame_context = context;
}

#define FRAME_INFO    128 /* bytes of siginfo */
#define FRAME_CONTEXT 304 /* bytes of the kernel's ucontext: 40, 256 and the mask */

/* Sends the signal to this process with no values of its own in the registers that are saved. */
static void send_with_clean_registers(int number)
{
    long pid = getpid(), call = SYS_kill;

    __asm__ volatile("xorl %%ebx, %%ebx; xorl %%r8d, %%r8d; xorl %%r9d, %%r9d;"
                     " xorl %%r10d, %%r10d; xorl %%r12d, %%r12d; xorl %%r13d, %%r13d;"
                     " xorl %%r14d, %%r14d; xorl %%r15d, %%r15d;"
                     " pxor %%xmm0, %%xmm0; pxor %%xmm1, %%xmm1; pxor %%xmm2, %%xmm2;"
                     " pxor %%xmm3, %%xmm3; pxor %%xmm4, %%xmm4; pxor %%xmm5, %%xmm5;"
                     " pxor %%xmm6, %%xmm6; pxor %%xmm7, %%xmm7; pxor %%xmm8, %%xmm8;"
                     " pxor %%xmm9, %%xmm9; pxor %%xmm10, %%xmm10; pxor %%xmm11, %%xmm11;"
                     " pxor %%xmm12, %%xmm12; pxor %%xmm13, %%xmm13; pxor %%xmm14, %%xmm14;"
                     " pxor %%xmm15, %%xmm15; syscall"
                     : "+a"(call)
                     : "D"(pid), "S"(number), "d"(0)
                     : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
                       "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory");
}

/* Signal frames, built on a stack of one pattern and then of another. */
static void test_frames(int number)
{
    static unsigned char stacks[LEAK_SIZE] __attribute__((aligned(64)));
    stack_t alternate = {.ss_sp = stacks, .ss_size = LEAK_SIZE}, off = {.ss_flags = SS_DISABLE};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = note_frame;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(number, &action, NULL);
    sigaltstack(&alternate, NULL);
    for (int i = 0; i < 2; i++) {
        memset(stacks, fills[i], LEAK_SIZE);
        leave_junk(junks[i]);
        send_with_clean_registers(number);
        memcpy(outs[i], stacks, LEAK_SIZE);
    }
    sigaltstack(&off, NULL);
    is(find_secret(outs[0], LEAK_SIZE), -1, "the frame of signal %d has nothing of the kernel's",
       number);
    is(find_secret(outs[1], LEAK_SIZE), -1, "nor has the next one");
    size_t info = (size_t)((unsigned char *)frame_info - stacks);
    size_t context = (size_t)((unsigned char *)frame_context - stacks);
    unsigned unwritten = 0, unequal = 0, reserved = 0;
    for (size_t i = 0; i < FRAME_INFO; i++) {
        unwritten += !is_written(info + i);
        unequal += outs[0][info + i] != outs[1][info + i];
        reserved += i >= 24 && outs[0][info + i] != 0;
    }
    is(unwritten, 0, "siginfo is written whole");
    is(unequal, 0, "and is the same both times");
    is(reserved, 0, "and zero after its fields");
    unequal = 0;
    for (size_t i = 0; i < FRAME_CONTEXT; i++) {
        bool equal = outs[0][context + i] == outs[1][context + i];
        unequal += is_written(context + i) && !equal;
        if (is_written(context + i) && !equal) {
            diag("offset %zu: 0x%x, 0x%x", i, outs[0][context + i], outs[1][context + i]);
        }
    }
    is(unequal, 0, "the context is the same, with its gaps zero or left alone");
}

static int dirty(void *unused)
{
    unsigned char *area =
        mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)unused;
    memset(area, 0xe7, 16 << 20);
    return 0;
}

/* Memory that another process has freed is zero in a new mapping of any kind. */
static void test_memory(void)
{
    int fd = temporary_file(0);

    for (int round = 0; round < 3; round++) {
        run_child(dirty, NULL, false);
        unsigned char *area =
            mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        area[0] = 0;
        for (size_t i = 0; i < 4 << 20; i += PAGE) {
            area[i] |= 0;
        }
        ok(all_are(area, 4 << 20, 0), "new memory is zero");
        munmap(area, 4 << 20);
        unsigned char *end = (unsigned char *)RAW(SYS_brk, 0);
        RAW(SYS_brk, end + (1 << 20));
        ok(all_are(end, 1 << 20, 0), "so is that of brk");
        memset(end, 0xe7, 1 << 20);
        RAW(SYS_brk, end);
        ok(ftruncate(fd, 0) == 0 && pwrite(fd, "\xe7\xe7\xe7", 3, 5000) == 3 &&
               ftruncate(fd, 5001) == 0 && ftruncate(fd, 20000) == 0,
           "a file that was shortened and made longer");
        unsigned char *file = mmap(NULL, 20480, PROT_READ, MAP_SHARED, fd, 0);
        ok(all_are(file, 5000, 0) && file[5000] == 0xe7 && all_are(file + 5001, 20480 - 5001, 0),
           "is zero where nothing was written, to the end of its last page");
        munmap(file, 20480);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    leak_begin();
    for (const struct leak_case *c = leak_cases; c->name != NULL; c++) {
        test_case(c);
    }
    test_names();
    test_frames(SIGUSR1);
    test_frames(40);
    test_memory();
    return tap_end();
}
