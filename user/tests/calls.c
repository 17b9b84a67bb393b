/*
 * The calls that every program makes: basic results, and bad pointers.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/*
 * System calls that do not exist, and the basic results of those that every program makes.
 */

/* The errno value of a call that should fail; 0 if it did not fail. */
#define ERROR_OF(call) ((call) == -1 ? errno : 0)

static void test_unknown(void)
{
    static const long numbers[] = {1000,      4095, 4096,     65536, 0x40000000L | SYS_write,
                                   INT32_MAX, -1,   INT32_MIN};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        is(ERROR_OF(syscall(numbers[i], 1, 2, 3, 4, 5, 6)), ENOSYS, "call %ld is ENOSYS",
           numbers[i]);
    }
    for (long number = 512; number < 560; number++) { /* the numbers of the x32 ABI */
        if (ERROR_OF(syscall(number, -1, 0, 0, 0, 0, 0)) != ENOSYS) {
            ok(false, "call %ld is ENOSYS", number);
            return;
        }
    }
    ok(true, "calls 512 to 559 are ENOSYS");
}

static void test_identity(void)
{
    struct utsname name;
    pid_t pid = getpid();

    ok(pid > 0, "getpid is positive");
    is(syscall(SYS_gettid), pid, "gettid of the only thread is its process id");
    ok(getppid() >= 0, "getppid");
    is(syscall(SYS_set_tid_address, &pid), getpid(), "set_tid_address gives the thread's id");
    is(uname(&name), 0, "uname");
    is(strcmp(name.machine, "x86_64"), 0, "uname: the machine is x86_64");
    ok(name.sysname[0] != '\0' && name.nodename[0] != '\0' && name.release[0] != '\0' &&
           name.version[0] != '\0',
       "uname: no field is empty");
    ok(name.release[0] >= '3' || name.release[1] != '.', "uname: glibc accepts the release number");
}

static long nanoseconds(clockid_t clock)
{
    struct timespec time = {0, 0};

    return clock_gettime(clock, &time) == 0 ? time.tv_sec * 1000000000L + time.tv_nsec : -1;
}

static void test_time(void)
{
    struct timespec bad = {0, 1000000000};
    struct timespec negative = {-1, 0};
    struct timespec short_time = {0, 2000000};
    long before = nanoseconds(CLOCK_MONOTONIC);

    ok(before >= 0, "CLOCK_MONOTONIC");
    ok(nanoseconds(CLOCK_REALTIME) >= 0, "CLOCK_REALTIME");
    is(ERROR_OF(syscall(SYS_nanosleep, &bad, NULL)), EINVAL, "nanosleep of 10^9 ns is EINVAL");
    is(ERROR_OF(syscall(SYS_nanosleep, &negative, NULL)), EINVAL, "a negative one is EINVAL");
    is(syscall(SYS_nanosleep, &short_time, NULL), 0, "nanosleep of 2 ms");
    ok(nanoseconds(CLOCK_MONOTONIC) - before >= 2000000, "at least 2 ms have passed");
    is(ERROR_OF(syscall(SYS_clock_gettime, 9999, &bad)), EINVAL, "an unknown clock is EINVAL");
}

static void test_memory_calls(void)
{
    char *start = (char *)syscall(SYS_brk, 0);
    char *grown = (char *)syscall(SYS_brk, start + 8192);

    ok(start != NULL && grown == start + 8192, "brk grows by 8192 bytes");
    ok(grown[-1] == 0 && start[4096] == 0, "what brk gives is zero");
    start[4096] = 1;
    is((long)syscall(SYS_brk, start), (long)start, "brk shrinks again");
    is((long)syscall(SYS_brk, 0xffff800000000000u), (long)start,
       "brk to a kernel address changes nothing");
    is((long)syscall(SYS_brk, 0x1000), (long)start, "brk below the start changes nothing");
    is((long)syscall(SYS_brk, start + 8192), (long)start + 8192, "brk grows once more");
    is(start[4096], 0, "and gives zeros again, not what was there before");
    char *map = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ok(map != MAP_FAILED && ((uintptr_t)map & 4095) == 0, "mmap of 10000 bytes");
    ok(map[0] == 0 && map[9999] == 0 && map[12287] == 0, "mmap gives zeros, up to the page's end");
    map[0] = map[12287] = 7;
    is(munmap(map, 10000), 0, "munmap");
    is(ERROR_OF((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), EINVAL,
       "mmap of no bytes is EINVAL");
    is(ERROR_OF(munmap(map + 1, 4096)), EINVAL, "munmap of an unaligned address is EINVAL");
    is(ERROR_OF(syscall(SYS_mprotect, map + 1, 4096, PROT_READ)), EINVAL,
       "mprotect of an unaligned address is EINVAL");
    is(ERROR_OF(mprotect(map, 4096, PROT_READ)), ENOMEM, "mprotect of nothing is ENOMEM");
}

static void test_random(void)
{
    unsigned char first[32] = {0};
    unsigned char second[32] = {0};

    is(getrandom(first, sizeof first, 0), sizeof first, "getrandom");
    is(getrandom(second, sizeof second, 0), sizeof second, "getrandom once more");
    ok(memcmp(first, second, sizeof first) != 0, "the bytes differ");
    is(ERROR_OF(getrandom(first, 1, 0x80)), EINVAL, "an unknown flag of getrandom is EINVAL");
}

static void test_terminal(void)
{
    struct termios terminal;
    struct winsize size;
    int fd = open(beside("fixtures/data.bin"), O_RDONLY);

    is(ERROR_OF(ioctl(fd, TCGETS, &terminal)), ENOTTY, "TCGETS of a file is ENOTTY");
    is(ERROR_OF(ioctl(fd, TIOCGWINSZ, &size)), ENOTTY, "TIOCGWINSZ of a file is ENOTTY");
    is(ERROR_OF(ioctl(-1, TCGETS, &terminal)), EBADF, "ioctl of no file is EBADF");
    close(fd);
}

static void test_limits(void)
{
    struct rlimit limit = {0, 0};
    struct rlimit wrong = {2, 1};

    is(getrlimit(RLIMIT_STACK, &limit), 0, "RLIMIT_STACK");
    ok(limit.rlim_cur >= 8192 && limit.rlim_cur <= limit.rlim_max, "it is two pages or more");
    is(ERROR_OF(syscall(SYS_prlimit64, 0, 99, NULL, &limit)), EINVAL, "no limit 99: EINVAL");
    is(ERROR_OF(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &wrong, NULL)), EINVAL,
       "a soft limit above the hard one is EINVAL");
}

static void test_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    struct sigaction old;
    sigset_t set;
    sigset_t now;

    is(sigaction(SIGUSR1, &action, NULL), 0, "SIGUSR1 is ignored");
    is(kill(getpid(), SIGUSR1), 0, "and sent");
    is(sigaction(SIGUSR1, NULL, &old), 0, "sigaction tells");
    ok(old.sa_handler == SIG_IGN, "what was set");
    is(ERROR_OF(syscall(SYS_rt_sigaction, SIGKILL, &action, NULL, 8)), EINVAL,
       "SIGKILL cannot be ignored");
    is(ERROR_OF(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8)), EINVAL, "there is no signal 65");
    is(ERROR_OF(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4)), EINVAL,
       "a signal set has 8 bytes");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    is(sigprocmask(SIG_BLOCK, &set, NULL), 0, "SIGUSR2 is blocked");
    is(sigprocmask(SIG_BLOCK, NULL, &now), 0, "sigprocmask tells");
    is(sigismember(&now, SIGUSR2), 1, "that it is");
    is(ERROR_OF(kill(getpid(), 65)), EINVAL, "kill with signal 65 is EINVAL");
    is(ERROR_OF(kill(0x3ffffff, 0)), ESRCH, "kill of no process is ESRCH");
    is(kill(getpid(), 0), 0, "kill with signal 0 only looks");
}

static void test_writing(void)
{
    struct iovec vector[2] = {{(char[]){"# writev: one line"}, 18},
                              {(char[]){" of two parts\n"}, 14}};

    is(writev(1, vector, 2), 32, "writev of two parts");
    is(writev(1, vector, 0), 0, "writev of none");
    is(ERROR_OF(writev(1, vector, 1025)), EINVAL, "writev of 1025 parts is EINVAL");
    is(ERROR_OF(writev(1, vector, -1)), EINVAL, "writev of -1 parts is EINVAL");
    vector[1].iov_len = (size_t)-1;
    is(ERROR_OF(writev(1, vector, 2)), EINVAL, "lengths that wrap are EINVAL");
    is(write(1, "", 0), 0, "write of nothing");
    is(ERROR_OF(write(77, "x", 1)), EBADF, "write to no file is EBADF");
}

static void test_calls(void)
{
    struct sysinfo info;

    test_unknown();
    test_identity();
    test_time();
    test_memory_calls();
    test_random();
    test_terminal();
    test_limits();
    test_signals();
    test_writing();
    is(sysinfo(&info), 0, "sysinfo");
    ok(info.totalram > info.freeram && info.freeram > 0 && info.mem_unit > 0,
       "sysinfo: memory is used, and some is free");
    ok(info.procs > 0, "sysinfo: this process counts");
}

/*
 * Every system call that takes a pointer, with every kind of bad pointer: the answer is EFAULT, and
 * both the caller and the kernel go on.
 */

#define TAIL 4u /* valid bytes before the end of the page, for a pointer that straddles it */

/* Placeholders in the table's arguments, which are filled in at run time. */
#define THE_POINTER  0x7001
#define THE_VECTOR   0x7002 /* the address of {pointer, length} */
#define FILE_FD      0x7003
#define DIRECTORY_FD 0x7004
#define THE_FILE     0x7005 /* a path */
#define THE_PROGRAM  0x7006 /* a path of a program */
#define THE_LINK     0x7007 /* a path of a symbolic link */
#define THE_BUFFER   0x7008 /* good memory, a page */

enum {
    OUT = 1, /* the kernel writes there: read-only memory is bad too */
    NULL_IS_FINE = 2,
    SHORT_IS_FINE = 4,  /* the bytes before the end of the memory may be transferred */
    NO_STRADDLE = 8,    /* the answer may be short enough to fit before the end */
    MAY_BE_ABSENT = 16, /* ENOSYS is accepted: simple programs do not need the call */
};

struct call {
    const char *name;
    long number;
    long arguments[4];
    unsigned how;
    long vector_length;
};

static const struct call calls[] = {
    {"read", SYS_read, {FILE_FD, THE_POINTER, 100}, OUT | SHORT_IS_FINE, 0},
    {"write", SYS_write, {1, THE_POINTER, 100}, SHORT_IS_FINE, 0},
    {"writev's vector", SYS_writev, {1, THE_POINTER, 1}, 0, 0},
    {"writev's buffer", SYS_writev, {1, THE_VECTOR, 1}, SHORT_IS_FINE, 100},
    {"open", SYS_open, {THE_POINTER, O_RDONLY}, 0, 0},
    {"openat", SYS_openat, {AT_FDCWD, THE_POINTER, O_RDONLY}, 0, 0},
    {"stat's path", SYS_stat, {THE_POINTER, THE_BUFFER}, 0, 0},
    {"stat's buffer", SYS_stat, {THE_FILE, THE_POINTER}, OUT, 0},
    {"lstat's path", SYS_lstat, {THE_POINTER, THE_BUFFER}, 0, 0},
    {"lstat's buffer", SYS_lstat, {THE_FILE, THE_POINTER}, OUT, 0},
    {"fstat", SYS_fstat, {FILE_FD, THE_POINTER}, OUT, 0},
    {"newfstatat's path", SYS_newfstatat, {AT_FDCWD, THE_POINTER, THE_BUFFER, 0}, NULL_IS_FINE, 0},
    {"newfstatat's buffer", SYS_newfstatat, {AT_FDCWD, THE_FILE, THE_POINTER, 0}, OUT, 0},
    {"getdents64", SYS_getdents64, {DIRECTORY_FD, THE_POINTER, PAGE}, OUT, 0},
    {"readlink's path", SYS_readlink, {THE_POINTER, THE_BUFFER, 100}, 0, 0},
    {"readlink's buffer", SYS_readlink, {THE_LINK, THE_POINTER, 100}, OUT, 0},
    {"readlinkat's path", SYS_readlinkat, {AT_FDCWD, THE_POINTER, THE_BUFFER, 100}, 0, 0},
    {"readlinkat's buffer", SYS_readlinkat, {AT_FDCWD, THE_LINK, THE_POINTER, 100}, OUT, 0},
    {"access", SYS_access, {THE_POINTER, R_OK}, 0, 0},
    {"chdir", SYS_chdir, {THE_POINTER}, 0, 0},
    {"getcwd", SYS_getcwd, {THE_POINTER, PAGE}, OUT | NO_STRADDLE, 0},
    {"uname", SYS_uname, {THE_POINTER}, OUT, 0},
    {"sysinfo", SYS_sysinfo, {THE_POINTER}, OUT, 0},
    {"getrandom", SYS_getrandom, {THE_POINTER, 100, 0}, OUT | SHORT_IS_FINE, 0},
    {"clock_gettime", SYS_clock_gettime, {0, THE_POINTER}, OUT, 0},
    {"nanosleep", SYS_nanosleep, {THE_POINTER, 0}, 0, 0},
    {"arch_prctl(ARCH_GET_FS)", SYS_arch_prctl, {0x1003, THE_POINTER}, OUT, 0},
    {"prlimit64's new limit", SYS_prlimit64, {0, RLIMIT_NOFILE, THE_POINTER, 0}, NULL_IS_FINE, 0},
    {"prlimit64's old limit",
     SYS_prlimit64,
     {0, RLIMIT_NOFILE, 0, THE_POINTER},
     OUT | NULL_IS_FINE,
     0},
    {"rt_sigaction's act", SYS_rt_sigaction, {SIGUSR1, THE_POINTER, 0, 8}, NULL_IS_FINE, 0},
    {"rt_sigaction's old act",
     SYS_rt_sigaction,
     {SIGUSR1, 0, THE_POINTER, 8},
     OUT | NULL_IS_FINE,
     0},
    {"rt_sigprocmask's set", SYS_rt_sigprocmask, {SIG_BLOCK, THE_POINTER, 0, 8}, NULL_IS_FINE, 0},
    {"rt_sigprocmask's old set",
     SYS_rt_sigprocmask,
     {SIG_BLOCK, 0, THE_POINTER, 8},
     OUT | NULL_IS_FINE,
     0},
    {"execve's path", SYS_execve, {THE_POINTER, 0, 0}, 0, 0},
    {"execve's argv", SYS_execve, {THE_PROGRAM, THE_POINTER, 0}, NULL_IS_FINE, 0},
    {"execve's argv[0]", SYS_execve, {THE_PROGRAM, THE_VECTOR, 0}, NULL_IS_FINE, 0},
    {"execve's envp", SYS_execve, {THE_PROGRAM, 0, THE_POINTER}, NULL_IS_FINE, 0},
    {"execve's envp[0]", SYS_execve, {THE_PROGRAM, 0, THE_VECTOR}, NULL_IS_FINE, 0},
    {"gettimeofday", SYS_gettimeofday, {THE_POINTER, 0}, OUT | NULL_IS_FINE | MAY_BE_ABSENT, 0},
    {"clock_getres", SYS_clock_getres, {0, THE_POINTER}, OUT | NULL_IS_FINE | MAY_BE_ABSENT, 0},
    {"time", SYS_time, {THE_POINTER}, OUT | NULL_IS_FINE | MAY_BE_ABSENT, 0},
    {"pread64",
     SYS_pread64,
     {FILE_FD, THE_POINTER, 100, 0},
     OUT | SHORT_IS_FINE | MAY_BE_ABSENT,
     0},
    {"readv's vector", SYS_readv, {FILE_FD, THE_POINTER, 1}, MAY_BE_ABSENT, 0},
    {"readv's buffer",
     SYS_readv,
     {FILE_FD, THE_VECTOR, 1},
     OUT | SHORT_IS_FINE | MAY_BE_ABSENT,
     100},
    {"pipe", SYS_pipe, {THE_POINTER}, OUT | MAY_BE_ABSENT, 0},
    {"pipe2", SYS_pipe2, {THE_POINTER, 0}, OUT | MAY_BE_ABSENT, 0},
    {"poll", SYS_poll, {THE_POINTER, 1, 0}, OUT | MAY_BE_ABSENT, 0},
    {"mkdir", SYS_mkdir, {THE_POINTER, 0700}, MAY_BE_ABSENT, 0},
    {"rmdir", SYS_rmdir, {THE_POINTER}, MAY_BE_ABSENT, 0},
    {"unlink", SYS_unlink, {THE_POINTER}, MAY_BE_ABSENT, 0},
    {"rename's old path", SYS_rename, {THE_POINTER, THE_FILE}, MAY_BE_ABSENT, 0},
    {"rename's new path", SYS_rename, {THE_FILE, THE_POINTER}, MAY_BE_ABSENT, 0},
    {"symlink's target", SYS_symlink, {THE_POINTER, THE_FILE}, MAY_BE_ABSENT, 0},
    {"symlink's path", SYS_symlink, {THE_FILE, THE_POINTER}, MAY_BE_ABSENT, 0},
    {"link", SYS_link, {THE_POINTER, THE_FILE}, MAY_BE_ABSENT, 0},
    {"chmod", SYS_chmod, {THE_POINTER, 0700}, MAY_BE_ABSENT, 0},
    {"truncate", SYS_truncate, {THE_POINTER, 0}, MAY_BE_ABSENT, 0},
    {"statfs's buffer", SYS_statfs, {THE_FILE, THE_POINTER}, OUT | MAY_BE_ABSENT, 0},
    {"sigaltstack", SYS_sigaltstack, {THE_POINTER, 0}, NULL_IS_FINE | MAY_BE_ABSENT, 0},
    {"rt_sigpending", SYS_rt_sigpending, {THE_POINTER, 8}, OUT | MAY_BE_ABSENT, 0},
    {"getitimer", SYS_getitimer, {0, THE_POINTER}, OUT | MAY_BE_ABSENT, 0},
    {"getrusage", SYS_getrusage, {0, THE_POINTER}, OUT | MAY_BE_ABSENT, 0},
    {"times", SYS_times, {THE_POINTER}, OUT | NULL_IS_FINE | MAY_BE_ABSENT, 0},
    {"futex",
     SYS_futex,
     {THE_POINTER, 0 /* FUTEX_WAIT */, 12345, 0},
     SHORT_IS_FINE | NO_STRADDLE | MAY_BE_ABSENT,
     0},
    {"mincore's vector",
     SYS_mincore,
     {THE_BUFFER, PAGE, THE_POINTER},
     OUT | NO_STRADDLE | MAY_BE_ABSENT,
     0},
};

/* The memory that the bad pointers point into. */
static unsigned char *area; /* writable, then nothing, then read-only, then no access at all */
/* Larger than the file, so that a kernel that reads the file after all overwrites nothing else. */
static unsigned char good_buffer[4 * PAGE] __attribute__((aligned(PAGE)));

struct pointer {
    const char *name;
    uintptr_t value;
};

static struct pointer pointers[] = {
    {"NULL", 0},
    {"in page 0", 8},
    {"in a hole", 0},
    {"without access", 0},
    {"straddling the end of the memory", 0},
    {"read-only", 0},
    {"at the user end", 0x00007ffffffff000u},
    {"straddling the canonical end", 0x00007ffffffffffcu},
    {"the first non-canonical", 0x0000800000000000u},
    {"the last non-canonical", 0xffff7ffffffffff0u},
    {"in the direct map", 0xffff800000100000u},
    {"in the kernel image", 0xffffffff80100000u},
    {"wrapping", 0xfffffffffffffffcu},
};

enum { IS_NULL = 0, IS_HOLE = 2, IS_NO_ACCESS = 3, IS_STRADDLING = 4, IS_READ_ONLY = 5 };

static bool prepare(void)
{
    area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) {
        return false;
    }
    memset(area, '\n', 4 * PAGE); /* written to the console, it does no harm */
    if (munmap(area + PAGE, PAGE) != 0 || mprotect(area + 2 * PAGE, PAGE, PROT_READ) != 0 ||
        mprotect(area + 3 * PAGE, PAGE, PROT_NONE) != 0) {
        return false;
    }
    pointers[IS_HOLE].value = (uintptr_t)area + PAGE + 128;
    pointers[IS_NO_ACCESS].value = (uintptr_t)area + 3 * PAGE + 128;
    pointers[IS_STRADDLING].value = (uintptr_t)area + PAGE - TAIL;
    pointers[IS_READ_ONLY].value = (uintptr_t)area + 2 * PAGE + 128;
    return true;
}

static bool applies(const struct call *call, size_t index)
{
    switch (index) {
    case IS_NULL:
        return (call->how & NULL_IS_FINE) == 0;
    case IS_STRADDLING:
        return (call->how & NO_STRADDLE) == 0;
    case IS_READ_ONLY:
        return (call->how & OUT) != 0;
    default:
        return true;
    }
}

static long fill_in(long argument, const uintptr_t vector[2])
{
    static int file = -1;
    static int directory = -1;

    if (file < 0) {
        file = open(beside("fixtures/data.bin"), O_RDONLY);
        directory = open(beside("fixtures"), O_RDONLY | O_DIRECTORY);
    }
    switch (argument) {
    case THE_POINTER:
        return (long)vector[0];
    case THE_VECTOR:
        return (long)vector;
    case FILE_FD:
        lseek(file, 0, SEEK_SET);
        return file;
    case DIRECTORY_FD:
        lseek(directory, 0, SEEK_SET);
        return directory;
    case THE_FILE:
        return (long)beside("fixtures/data.bin");
    case THE_PROGRAM:
        return (long)beside("child");
    case THE_LINK:
        return (long)beside("fixtures/link");
    case THE_BUFFER:
        return (long)good_buffer;
    default:
        return argument;
    }
}

/* Makes the call. Returns the kernel's result: a value, or a negative errno value. */
static long answer(const struct call *call, uintptr_t pointer)
{
    const uintptr_t vector[3] = {pointer, (uintptr_t)call->vector_length, 0};
    long arguments[4];

    memset(area, '\n', PAGE); /* an earlier call may have left zeros, which end a string */
    for (size_t i = 0; i < 4; i++) {
        arguments[i] = fill_in(call->arguments[i], vector);
    }
    long result = syscall(call->number, arguments[0], arguments[1], arguments[2], arguments[3]);
    return result == -1 ? -errno : result;
}

static void test_call(const struct call *call)
{
    const size_t count = sizeof pointers / sizeof pointers[0];
    bool good = true;

    for (size_t i = 0; i < count; i++) {
        if (!applies(call, i)) {
            continue;
        }
        long got = answer(call, pointers[i].value);
        if (got == -ENOSYS && (call->how & MAY_BE_ABSENT) != 0) {
            skip("the call is not there", "%s", call->name);
            return;
        }
        bool is_short =
            (call->how & SHORT_IS_FINE) != 0 && i == IS_STRADDLING && got > 0 && got <= (long)TAIL;
        if (got != -EFAULT && !is_short) {
            diag("%s, pointer %s: got %ld", call->name, pointers[i].name, got);
            good = false;
        }
    }
    ok(good, "%s: every bad pointer is EFAULT", call->name);
}

/* Good pointers with lengths that go past the end of the address space. */
static void test_lengths(void)
{
    int file = open(beside("fixtures/data.bin"), O_RDONLY);

    is(syscall(SYS_read, file, good_buffer, -1L) == -1 ? errno : 0, EFAULT,
       "read of 2^64-1 bytes is EFAULT");
    is(syscall(SYS_read, file, good_buffer, 1L << 62) == -1 ? errno : 0, EFAULT,
       "read of 2^62 bytes is EFAULT");
    is(syscall(SYS_write, 1, good_buffer, -1L) == -1 ? errno : 0, EFAULT,
       "write of 2^64-1 bytes is EFAULT");
    close(file);
}

/* wait4 uses the pointer only if there is a child to report. */
static void test_wait(void)
{
    pid_t pid = start("child", "exit", "3", NULL);

    is(syscall(SYS_wait4, pid, 0xffff800000100000u, 0, 0) == -1 ? errno : 0, EFAULT,
       "wait4's status: a kernel address is EFAULT");
    pid = start("child", "exit", "3", NULL);
    is(syscall(SYS_wait4, pid, 0, 0, 0xffffffff80100000u) == -1 ? errno : 0, EFAULT,
       "wait4's usage: a kernel address is EFAULT");
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

/* With a segment base in the kernel half, each access through it would be a kernel access. */
static void test_segment_base(void)
{
    is(syscall(SYS_arch_prctl, 0x1002, 0xffff800000000000u) == -1 ? errno : 0, EPERM,
       "arch_prctl(ARCH_SET_FS) refuses a kernel address");
    is(syscall(SYS_arch_prctl, 0x1001, 0x0100000000000000u) == -1 ? errno : 0, EPERM,
       "arch_prctl(ARCH_SET_GS) refuses a non-canonical address");
}

static void test_efault(void)
{
    if (!ok(prepare(), "memory with a hole, a read-only page and one without access")) {
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        test_call(&calls[i]);
    }
    test_lengths();
    test_wait();
    test_segment_base();
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_calls();
    test_efault();
    return tap_end();
}
