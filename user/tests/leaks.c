/*
 * The structures that the kernel copies out. Each is copied into a buffer of one pattern and then
 * of another, after calls that left junk on the kernel's stack and heap. The kernel must write all
 * bytes of the structure and no others, and padding must be the same each time. Neither the junk,
 * nor the pattern of a kernel that fills its variables (0xfe or 0xaa), nor a kernel address may
 * appear.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define LEAK_SIZE 16384

/* Bytes inside the structure that the kernel need not write: padding (zero or unchanged), or input
 * of the caller, which is not compared. */
struct leak_gap {
    size_t start, end;
    bool input;
};

struct leak_case {
    const char *name;
    long (*make)(void *out);    /* returns the size of the output, or a negative errno value */
    long size;                  /* that size; 0: the call returns it */
    bool varies;                /* its values may differ from call to call */
    void (*prepare)(void *out); /* fills in the input of the call, or NULL */
    struct leak_gap gaps[4];
};

/* A call that writes `size` bytes at `out` if it returns 0 or more. */
#define WRITES(function, size, ...)                                                                \
    static long function(void *out)                                                                \
    {                                                                                              \
        long result = RAW(__VA_ARGS__);                                                            \
        return result < 0 ? result : (long)(size);                                                 \
    }

static int terminal = -1, pipe_ends[2];
static const struct itimerval no_timer;
static const struct timespec no_time;
static const unsigned long usr1 = 1UL << (SIGUSR1 - 1);

WRITES(do_stat, 144, SYS_stat, "/dev/null", out)
WRITES(do_stat_proc, 144, SYS_stat, "/proc/self/maps", out)
WRITES(do_lstat, 144, SYS_lstat, "/proc/self", out)
WRITES(do_fstat, 144, SYS_fstat, 1, out)
WRITES(do_fstat_pipe, 144, SYS_fstat, pipe_ends[0], out)
WRITES(do_newfstatat, 144, SYS_newfstatat, AT_FDCWD, "/tmp", out, 0)
WRITES(do_statx, 256, SYS_statx, AT_FDCWD, "/", 0, 0x7ff, out)
WRITES(do_statfs, 120, SYS_statfs, "/", out)
WRITES(do_statfs_proc, 120, SYS_statfs, "/proc", out)
WRITES(do_fstatfs_pipe, 120, SYS_fstatfs, pipe_ends[0], out)
WRITES(do_uname, 390, SYS_uname, out)
WRITES(do_sysinfo, 112, SYS_sysinfo, out)
WRITES(do_getrlimit, 16, SYS_getrlimit, RLIMIT_NOFILE, out)
WRITES(do_prlimit, 16, SYS_prlimit64, 0, RLIMIT_CORE, 0, out)
WRITES(do_getitimer, 32, SYS_getitimer, ITIMER_REAL, out)
WRITES(do_setitimer, 32, SYS_setitimer, ITIMER_REAL, &no_timer, out)
WRITES(do_sigaction, 32, SYS_rt_sigaction, SIGUSR2, 0, out, 8)
WRITES(do_sigprocmask, 8, SYS_rt_sigprocmask, 0, 0, out, 8)
WRITES(do_sigpending, 8, SYS_rt_sigpending, out, 8)
WRITES(do_sigaltstack, 24, SYS_sigaltstack, 0, out)
WRITES(do_clock_gettime, 16, SYS_clock_gettime, CLOCK_MONOTONIC, out)
WRITES(do_clock_getres, 16, SYS_clock_getres, CLOCK_REALTIME, out)
WRITES(do_gettimeofday, 16, SYS_gettimeofday, out, 0)
WRITES(do_timezone, 8, SYS_gettimeofday, 0, out)
WRITES(do_time, 8, SYS_time, out)
WRITES(do_times, 32, SYS_times, out)
WRITES(do_getrusage, 144, SYS_getrusage, RUSAGE_SELF, out)
WRITES(do_getrusage_children, 144, SYS_getrusage, RUSAGE_CHILDREN, out)
WRITES(do_getresuid, 4, SYS_getresuid, out, (char *)out, (char *)out)
WRITES(do_getresgid, 12, SYS_getresgid, out, (char *)out + 4, (char *)out + 8)
WRITES(do_pipe2, 8, SYS_pipe2, out, O_CLOEXEC)
WRITES(do_fionread, 4, SYS_ioctl, pipe_ends[0], FIONREAD, out)
WRITES(do_tcgets, 36, SYS_ioctl, terminal, TCGETS, out)
WRITES(do_tiocgwinsz, 8, SYS_ioctl, terminal, TIOCGWINSZ, out)
WRITES(do_tiocgpgrp, 4, SYS_ioctl, terminal, TIOCGPGRP, out)
WRITES(do_getcwd, result, SYS_getcwd, out, LEAK_SIZE)
WRITES(do_readlink, result, SYS_readlink, "/proc/self/exe", out, LEAK_SIZE)
WRITES(do_readlink_cut, 5, SYS_readlink, "/proc/self/exe", out, 5)
WRITES(do_readlink_pipe, result, SYS_readlink, "/proc/self/fd/1", out, LEAK_SIZE)
WRITES(do_getaffinity, result, SYS_sched_getaffinity, 0, 1024, out)
WRITES(do_getparam, 4, SYS_sched_getparam, 0, out)
WRITES(do_getcpu, 4, SYS_getcpu, out, 0, 0)
WRITES(do_getgroups, result * 4, SYS_getgroups, 64, out)
WRITES(do_prctl_name, 16, SYS_prctl, 16 /* PR_GET_NAME */, out)
WRITES(do_arch_prctl, 8, SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, out)
WRITES(do_getrandom, 24, SYS_getrandom, out, 24, 0)
WRITES(do_poll, 16, SYS_poll, out, 2, 0)
WRITES(do_ppoll, 16, SYS_ppoll, out, 2, &no_time, 0, 8)
WRITES(do_select, 8, SYS_select, 5, out, 0, 0, &no_time)
WRITES(do_select_wide, 16, SYS_select, 70, out, 0, 0, &no_time)

static long leak_getdents(void *out)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    long size = RAW(SYS_getdents64, fd, out, LEAK_SIZE);

    close(fd);
    return size;
}

/* A child that ends: its status and its resource usage. */
static long wait_for_child(int *status, void *usage)
{
    pid_t pid = (pid_t)RAW(SYS_fork);

    if (pid == 0) {
        RAW(SYS_exit_group, 3);
    }
    return RAW(SYS_wait4, pid, status, 0, usage);
}

static long do_wait_status(void *out)
{
    return wait_for_child(out, NULL) > 0 ? 4 : -1;
}

static long do_wait_usage(void *out)
{
    return wait_for_child(NULL, out) > 0 ? 144 : -1;
}

/* A signal to this process, received by sigtimedwait: its pid and uid are reported. */
static long do_sigtimedwait(void *out)
{
    RAW(SYS_rt_sigprocmask, SIG_BLOCK, &usr1, 0, 8);
    RAW(SYS_kill, getpid(), SIGUSR1);
    long got = RAW(SYS_rt_sigtimedwait, &usr1, out, &no_time, 8);
    RAW(SYS_rt_sigprocmask, SIG_UNBLOCK, &usr1, 0, 8);
    return got == SIGUSR1 ? 128 : -1;
}

static void ignore(int number)
{
    (void)number;
}

static long do_nanosleep(void *out)
{
    struct sigaction action;
    struct itimerval soon = {{0, 0}, {0, 20000}};
    struct timespec time = {5, 0};

    memset(&action, 0, sizeof action);
    action.sa_handler = ignore;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    return RAW(SYS_nanosleep, &time, out) == -EINTR ? 16 : -1;
}

static long do_mincore(void *out)
{
    static char pages[3 * 4096] __attribute__((aligned(4096)));

    pages[0] = pages[4096] = pages[8192] = 1;
    long result = RAW(SYS_mincore, pages, sizeof pages, out);
    return result < 0 ? result : 3;
}

static long do_capget(void *out)
{
    unsigned header[2] = {0x20080522, 0};
    long result = RAW(SYS_capget, header, out);

    return result < 0 ? result : 24;
}

static void give_polled(void *out)
{
    struct pollfd *polled = out;

    polled[0].fd = pipe_ends[0];
    polled[1].fd = -1;
    polled[0].events = polled[1].events = POLLIN;
}

static void give_sets(void *out)
{
    memset(out, 0, 16);
}

/* Creates the files, and a terminal if there is one, that the cases use. */
static void leak_begin(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    if (master >= 0 && unlockpt(master) == 0) {
        terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    }
    terminal = terminal >= 0 ? terminal : dup(0);
    if (pipe(pipe_ends) != 0) {
        _exit(98);
    }
}

/* clang-format off */
/* The last has no name. */
static const struct leak_case leak_cases[] = {
    {.name = "stat of a device", .make = do_stat, .size = 144, .varies = true},
    {.name = "stat of a file of /proc", .make = do_stat_proc, .size = 144, .varies = true},
    {.name = "lstat of a link", .make = do_lstat, .size = 144, .varies = true},
    {.name = "fstat", .make = do_fstat, .size = 144, .varies = true},
    {.name = "fstat of a pipe", .make = do_fstat_pipe, .size = 144, .varies = true},
    {.name = "newfstatat", .make = do_newfstatat, .size = 144, .varies = true},
    {.name = "statx", .make = do_statx, .size = 256, .varies = true},
    {.name = "statfs", .make = do_statfs, .size = 120, .varies = true},
    {.name = "statfs of /proc", .make = do_statfs_proc, .size = 120},
    {.name = "fstatfs of a pipe", .make = do_fstatfs_pipe, .size = 120},
    {.name = "uname", .make = do_uname, .size = 390},
    {.name = "sysinfo", .make = do_sysinfo, .size = 112, .varies = true},
    {.name = "getrlimit", .make = do_getrlimit, .size = 16},
    {.name = "prlimit64", .make = do_prlimit, .size = 16},
    {.name = "getitimer", .make = do_getitimer, .size = 32, .varies = true},
    {.name = "setitimer", .make = do_setitimer, .size = 32, .varies = true},
    {.name = "rt_sigaction", .make = do_sigaction, .size = 32},
    {.name = "rt_sigprocmask", .make = do_sigprocmask, .size = 8},
    {.name = "rt_sigpending", .make = do_sigpending, .size = 8},
    {.name = "sigaltstack", .make = do_sigaltstack, .size = 24},
    {.name = "rt_sigtimedwait", .make = do_sigtimedwait, .size = 128},
    {.name = "nanosleep, interrupted", .make = do_nanosleep, .size = 16, .varies = true},
    {.name = "clock_gettime", .make = do_clock_gettime, .size = 16, .varies = true},
    {.name = "clock_getres", .make = do_clock_getres, .size = 16},
    {.name = "gettimeofday", .make = do_gettimeofday, .size = 16, .varies = true},
    {.name = "gettimeofday, the zone", .make = do_timezone, .size = 8},
    {.name = "time", .make = do_time, .size = 8, .varies = true},
    {.name = "times", .make = do_times, .size = 32, .varies = true},
    {.name = "getrusage", .make = do_getrusage, .size = 144, .varies = true},
    {.name = "getrusage of children", .make = do_getrusage_children, .size = 144, .varies = true},
    {.name = "wait4, the status", .make = do_wait_status, .size = 4},
    {.name = "wait4, the usage", .make = do_wait_usage, .size = 144, .varies = true},
    {.name = "getresuid", .make = do_getresuid, .size = 4},
    {.name = "getresgid", .make = do_getresgid, .size = 12},
    {.name = "getgroups", .make = do_getgroups},
    {.name = "pipe2", .make = do_pipe2, .size = 8, .varies = true},
    {.name = "ioctl, FIONREAD", .make = do_fionread, .size = 4},
    {.name = "ioctl, TCGETS", .make = do_tcgets, .size = 36},
    {.name = "ioctl, TIOCGWINSZ", .make = do_tiocgwinsz, .size = 8},
    {.name = "ioctl, TIOCGPGRP", .make = do_tiocgpgrp, .size = 4},
    {.name = "getcwd", .make = do_getcwd},
    {.name = "readlink", .make = do_readlink},
    {.name = "readlink, cut", .make = do_readlink_cut, .size = 5},
    {.name = "readlink of a descriptor", .make = do_readlink_pipe},
    {.name = "getdents64", .make = leak_getdents, .gaps = {{0, LEAK_SIZE, true}}},
    {.name = "sched_getaffinity", .make = do_getaffinity},
    {.name = "sched_getparam", .make = do_getparam, .size = 4},
    {.name = "getcpu", .make = do_getcpu, .size = 4, .varies = true},
    {.name = "capget", .make = do_capget, .size = 24},
    {.name = "prctl, PR_GET_NAME", .make = do_prctl_name, .size = 16},
    {.name = "arch_prctl, ARCH_GET_FS", .make = do_arch_prctl, .size = 8},
    {.name = "getrandom", .make = do_getrandom, .size = 24, .varies = true},
    {.name = "mincore", .make = do_mincore, .size = 3},
    {.name = "poll", .make = do_poll, .size = 16, .prepare = give_polled,
     .gaps = {{0, 6, true}, {8, 14, true}}},
    {.name = "ppoll", .make = do_ppoll, .size = 16, .prepare = give_polled,
     .gaps = {{0, 6, true}, {8, 14, true}}},
    {.name = "select", .make = do_select, .size = 8, .prepare = give_sets,
     .gaps = {{8, 16, true}}},
    {.name = "select, two words", .make = do_select_wide, .size = 16, .prepare = give_sets},
    {0},
};

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
