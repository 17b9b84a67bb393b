#include "leaks.h"
#include "edge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

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

long leak_getdents(void *out)
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

void leak_begin(void)
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
const struct leak_case leak_cases[] = {
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
