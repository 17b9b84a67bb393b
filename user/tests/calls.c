/*
 * System calls that do not exist, and the basic results of those that every program makes.
 */
#include "tap.h"
#include "proc.h"

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
#include <termios.h>
#include <time.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
    struct sysinfo info;

    tap_begin(argc, argv);
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
    return tap_end();
}
