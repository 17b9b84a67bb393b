/*
 * Calls of few lines: I/O priorities, membarrier, scheduling attributes, getrandom, readahead,
 * sync_file_range, getdents, memfd_create, process_vm_readv, timers and clocks of processor time,
 * setting the time of day, futexes of processes.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BAD ((void *)8)

static char own_bytes[8];

/* The first of the checks that does not hold, counted from 1; 0: all of them hold. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!(condition))                                                                          \
            return checks;                                                                         \
    } while (0)

#define CLASS(number) ((number) << 13)

static int io_priorities(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(RAW(SYS_ioprio_set, 1, 0, CLASS(2) | 3) == 0);
    CHECK(RAW(SYS_ioprio_get, 1, 0) == (CLASS(2) | 3));
    CHECK(RAW(SYS_ioprio_get, 1, getpid()) == (CLASS(2) | 3));
    CHECK(RAW(SYS_ioprio_set, 1, 0, CLASS(3)) == 0 && RAW(SYS_ioprio_get, 1, 0) == CLASS(3));
    CHECK(RAW(SYS_ioprio_set, 1, 0, CLASS(4)) == -EINVAL);
    CHECK(RAW(SYS_ioprio_set, 1, 0, 5) == -EINVAL);
    CHECK(RAW(SYS_ioprio_set, 4, 0, CLASS(2)) == -EINVAL && RAW(SYS_ioprio_get, 4, 0) == -EINVAL);
    CHECK(RAW(SYS_ioprio_set, 1, 1 << 22, CLASS(2)) == -ESRCH);
    CHECK(RAW(SYS_ioprio_set, 1, 0, CLASS(1) | 2) == -EPERM); /* real time is not for USER */
    CHECK(RAW(SYS_ioprio_set, 1, 1, CLASS(2)) == -EPERM);
    CHECK(RAW(SYS_ioprio_set, 1, 0, 1 << 16 | CLASS(2) | 3) ==
          0); /* above the class nothing counts */
    CHECK(RAW(SYS_ioprio_get, 1, 0) == (CLASS(2) | 3) && setpgid(0, 0) == 0);
    CHECK(RAW(SYS_ioprio_get, 2, 0) == (CLASS(2) | 3) && RAW(SYS_ioprio_set, 1, 0, 0) == 0);
    CHECK(RAW(SYS_ioprio_get, 1, 0) == 0); /* of several processes, the one that they have: */
    CHECK(setpriority(PRIO_PROCESS, 0, 11) == 0 && RAW(SYS_ioprio_get, 2, 0) == (CLASS(2) | 6));
    CHECK(RAW(SYS_ioprio_set, 1, 0, CLASS(2) | 3) == 0); /* which a zombie has not */
    siginfo_t info;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    CHECK(RAW(SYS_ioprio_get, 1, child) == 0 && RAW(SYS_ioprio_set, 1, child, CLASS(2) | 7) == 0);
    CHECK(RAW(SYS_ioprio_get, 1, child) == 0);
    return 0;
}

/* No bytes can be copied from and to anywhere; some calls look at the pointer even then. */
static int bytes_of_nothing(void *unused)
{
    void *kernel = (void *)0xffff800000001000;
    int checks = 0, null = open("/dev/null", O_RDWR);
    struct timespec now = {0, 0};

    (void)unused;
    CHECK(RAW(SYS_select, 0, kernel, 0, 0, &now) == 0);
    CHECK(RAW(SYS_sched_setaffinity, 0, 0, kernel) == -EINVAL);
    CHECK(RAW(SYS_write, null, kernel, 0) == -EFAULT);
    CHECK(RAW(SYS_getrandom, kernel, 0, 0) == -EFAULT);
    now.tv_nsec = 1000000;
    CHECK(RAW(SYS_ppoll, kernel, 0, &now, 0, 8) == -EFAULT && now.tv_nsec == 0); /* it has waited */
    CHECK(RAW(SYS_ppoll, 0, 0, &now, 0, 8) == 0);
    return 0;
}

/* Which error a call answers that is wrong in two ways. */
static int first_errors(void *unused)
{
    int checks = 0, reads = open("/dev/null", O_RDONLY), writes = open("/dev/null", O_WRONLY);
    struct iovec part = {own_bytes, 1};
    struct rlimit limit = {10, 0};
    struct timespec time = {0, -1};

    (void)unused;
    CHECK(RAW(SYS_pwritev2, reads, &part, 1, 0, 0, 1 << 30) == -EBADF);
    CHECK(RAW(SYS_preadv2, writes, &part, 1, -1L, 0, 1 << 30) == -EBADF);
    CHECK(RAW(SYS_preadv2, writes, &part, 1, 0, 0, 1 << 30) == -EBADF);
    CHECK(RAW(SYS_setrlimit, 99, BAD) == -EFAULT && RAW(SYS_setrlimit, 99, &limit) == -EINVAL);
    CHECK(RAW(SYS_prlimit64, 1 << 22, 99, BAD, 0) == -EFAULT);
    CHECK(RAW(SYS_getrlimit, 99, 0) == -EINVAL && RAW(SYS_getrlimit, 0, 0) == -EFAULT);
    CHECK(RAW(SYS_clock_settime, -5, BAD) == -EFAULT && RAW(SYS_clock_settime, 7, BAD) == -EINVAL);
    CHECK(RAW(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, BAD, 0) == -EOPNOTSUPP);
    CHECK(RAW(SYS_clock_nanosleep, -5, 0, &time, 0) == -EOPNOTSUPP); /* of a device */
    CHECK(RAW(SYS_clock_nanosleep, -6, 0, BAD, 0) == -EFAULT);
    CHECK(RAW(SYS_clock_nanosleep, -6, 0, &time, 0) == -EINVAL);
    CHECK(RAW(SYS_clock_nanosleep, 10, 0, BAD, 0) == -EINVAL);
    CHECK(RAW(SYS_sched_getaffinity, 0, 1 << 29, BAD) == -EINVAL); /* so many bits are none */
    CHECK(!is_root() || RAW(SYS_setgroups, 2, ((unsigned[2]){1, ~0u})) == -EINVAL);
    return 0;
}

/* mincore tells of the pages before a hole. */
static int pages_before_hole(void *unused)
{
    int checks = 0;
    unsigned char answers[4] = {9, 9, 9, 9};
    char *pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)unused;
    CHECK(pages != MAP_FAILED && munmap(pages + 2 * PAGE, PAGE) == 0);
    pages[PAGE] = 1;
    CHECK(RAW(SYS_mincore, pages, 4 * PAGE, answers) == -ENOMEM);
    CHECK(answers[1] == 1 && answers[2] == 9 && answers[3] == 9);
    CHECK(RAW(SYS_mincore, pages, 4 * PAGE, BAD) == -EFAULT);
    CHECK(RAW(SYS_mincore, pages + 2 * PAGE, PAGE, BAD) == -ENOMEM);
    CHECK(RAW(SYS_mincore, pages + 2 * PAGE, PAGE, USER_END) == -EFAULT);
    return 0;
}

/* statx tells what is the root of a mount. */
static int mount_roots(void *unused)
{
    static const struct {
        const char *path;
        bool is_root;
    } rows[] = {{"/proc", true}, {"/proc/self", false}, {"/proc/sys", false}};
    int checks = 0;
    uint64_t st[32];

    (void)unused;
    for (unsigned i = 0; i < 3; i++) {
        int fd = open(rows[i].path, O_PATH);
        CHECK(RAW(SYS_statx, AT_FDCWD, rows[i].path, 0, 0x7ff, st) == 0);
        CHECK((st[1] & 0x2000) == (rows[i].is_root ? 0x2000 : 0) && (st[7] & 0x2000) != 0);
        CHECK(RAW(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, st) == 0);
        CHECK((st[1] & 0x2000) == (rows[i].is_root ? 0x2000 : 0));
    }
    CHECK(RAW(SYS_statx, AT_FDCWD, "/nowhere", 0, 0x7ff, st) == -ENOENT);
    CHECK(RAW(SYS_statx, 99, "", AT_EMPTY_PATH, 0x7ff, st) == -EBADF);
    return 0;
}

static int wait_in_pipe(void *end)
{
    char byte;

    return (int)read(*(int *)end, &byte, 1);
}

/* A user may not change how a process of the same user runs if that has more capabilities. */
static int more_permitted(void *unused)
{
    uint32_t header[2] = {0x20080522, 0}, sets[6] = {0};
    struct attributes {
        uint32_t size, policy;
        uint64_t rest[6];
    } attributes = {.size = 48};
    int checks = 0, zero = 0, ends[2];
    uint64_t all[16];

    (void)unused;
    memset(all, 0xff, sizeof all);
    CHECK(pipe(ends) == 0);
    pid_t pid = begin(wait_in_pipe, ends);
    CHECK(falls_asleep(pid));
    CHECK(RAW(SYS_capget, header, sets) == 0);
    sets[0] &= ~1u << 23; /* CAP_SYS_NICE */
    sets[1] &= ~(1u | 1u << 23);
    sets[0] = sets[1];
    CHECK(RAW(SYS_capset, header, sets) == 0);
    CHECK(RAW(SYS_setpriority, PRIO_PROCESS, pid, 19) == -EPERM);
    CHECK(RAW(SYS_sched_setscheduler, pid, 3, &zero) == -EPERM);
    CHECK(RAW(SYS_sched_setparam, pid, &zero) == -EPERM);
    CHECK(RAW(SYS_sched_setattr, pid, &attributes, 0) == -EPERM);
    CHECK(RAW(SYS_sched_setaffinity, pid, sizeof all, all) == -EPERM);
    CHECK(RAW(SYS_ioprio_set, 1, pid, CLASS(2)) == -EPERM);
    CHECK(RAW(SYS_setpriority, PRIO_PROCESS, 0, 19) == 0);
    kill(pid, SIGKILL);
    return 0;
}

static int barriers(void *unused)
{
    int checks = 0;

    (void)unused;
    long all = RAW(SYS_membarrier, 0, 0, 0);
    CHECK(all > 0 && (all & 0x1f) == 0x1f);
    CHECK(RAW(SYS_membarrier, 0, 2, 0) == -EINVAL && RAW(SYS_membarrier, 1 << 20, 0, 0) == -EINVAL);
    CHECK(RAW(SYS_membarrier, 3, 0, 0) == -EINVAL);
    CHECK(RAW(SYS_membarrier, 1, 0, 0) == 0 && RAW(SYS_membarrier, 2, 0, 0) == 0);
    CHECK(RAW(SYS_membarrier, 8, 0, 0) == -EPERM);
    CHECK(RAW(SYS_membarrier, 16, 0, 0) == 0 && RAW(SYS_membarrier, 8, 0, 0) == 0);
    CHECK(RAW(SYS_membarrier, 4, 0, 0) == 0);
    CHECK((all & 0x40) == 0 || RAW(SYS_membarrier, 0x20, 0, 0) == -EPERM);
    CHECK((all & 0x40) == 0 || RAW(SYS_membarrier, 0x40, 0, 0) == 0);
    CHECK((all & 0x40) == 0 || RAW(SYS_membarrier, 0x20, 0, 0) == 0);
    return 0;
}

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least, most;
    uint64_t more[2];
};

static int attributes(void *unused)
{
    int checks = 0, zero = 0, nice = getpriority(PRIO_PROCESS, 0); /* it may be inherited */
    struct attributes a;

    (void)unused;
    memset(&a, 0xff, sizeof a);
    CHECK(RAW(SYS_sched_getattr, 0, &a, 48, 0) == 0 && a.size == 48 && a.policy == 0 &&
          a.nice == nice && a.priority == 0);
    CHECK(a.least == 0xffffffff);
    CHECK(RAW(SYS_sched_getattr, 0, &a, 56, 0) == 0 && a.size == 56);
    CHECK(RAW(SYS_sched_getattr, 0, &a, sizeof a, 0) == 0 && a.size >= 56);
    CHECK(RAW(SYS_sched_getattr, 0, &a, 47, 0) == -EINVAL);
    CHECK(RAW(SYS_sched_getattr, 0, &a, 48, 1) == -EINVAL);
    CHECK(RAW(SYS_sched_getattr, 0, 0, 48, 0) == -EINVAL);
    CHECK(RAW(SYS_sched_getattr, -1, &a, 48, 0) == -EINVAL);
    CHECK(RAW(SYS_sched_getattr, 0, BAD, 48, 0) == -EFAULT);
    CHECK(RAW(SYS_sched_getattr, 1 << 22, &a, 48, 0) == -ESRCH);
    a = (struct attributes){.size = 48, .policy = 3, .nice = nice + 1};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == 0);
    CHECK(RAW(SYS_sched_getscheduler, 0) == 3 && getpriority(PRIO_PROCESS, 0) == nice + 1);
    a = (struct attributes){.size = 0, .policy = 0, .nice = 50};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    a = (struct attributes){.size = 48, .policy = 0, .nice = 3};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -EPERM);
    a = (struct attributes){.size = 20};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -E2BIG && a.size >= 56);
    a = (struct attributes){.size = sizeof a, .more = {0, 1}};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -E2BIG);
    a = (struct attributes){.size = 48, .policy = 99};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -EINVAL);
    a = (struct attributes){.size = 48, .policy = 0, .priority = 1, .nice = 19};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -EINVAL);
    a = (struct attributes){.size = 48, .policy = 1, .priority = 1};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -EPERM); /* real time is not for USER */
    a = (struct attributes){.size = 48, .flags = 1ull << 40};
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -EINVAL);
    CHECK(RAW(SYS_sched_setattr, 1 << 22, &a, 0) == -ESRCH);         /* which comes first */
    a = (struct attributes){.size = 48, .policy = 3, .flags = 0x10}; /* keeps the policy, too */
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == 0 && RAW(SYS_sched_getscheduler, 0) == 0);
    a.priority = 1;
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == -EINVAL);
    CHECK(RAW(SYS_sched_setattr, 0, BAD, 0) == -EFAULT &&
          RAW(SYS_sched_setattr, 0, 0, 0) == -EINVAL);
    CHECK(RAW(SYS_sched_setscheduler, 0, 5, &zero) == 0 && RAW(SYS_sched_getscheduler, 0) == 5);
    a = (struct attributes){.size = 48, .policy = 5, .nice = -5}; /* the idle class has no nice */
    CHECK(RAW(SYS_sched_setattr, 0, &a, 0) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    CHECK(RAW(SYS_sched_setscheduler, 0, 0, &zero) == -EPERM); /* and is not left */
    CHECK(RAW(SYS_sched_setparam, 0, &zero) == 0 && RAW(SYS_sched_getscheduler, 0) == 5);
    CHECK(fork() != 0 || RAW(SYS_sched_getscheduler, 0) == 5);
    return 0;
}

#define MAY_NOT_RAISE 77

/* A user may have nice values down to 20 less the limit. */
static int nice_limit(void *unused)
{
    const struct rlimit limit = {25, 25}, none = {0, 0};
    int checks = 0, zero = 0;

    (void)unused;
    if (setrlimit(RLIMIT_NICE, &limit) != 0) {
        return MAY_NOT_RAISE;
    }
    CHECK(RAW(SYS_setuid, 65534) == 0 && setpriority(PRIO_PROCESS, 0, -5) == 0);
    CHECK(RAW(SYS_setpriority, PRIO_PROCESS, 0, -6) == -EACCES);
    CHECK(RAW(SYS_sched_setscheduler, 0, 5, &zero) == 0);
    CHECK(RAW(SYS_sched_setscheduler, 0, 0, &zero) == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && setrlimit(RLIMIT_NICE, &none) == 0);
    CHECK(RAW(SYS_setpriority, PRIO_PROCESS, 0, 4) == -EACCES);
    return 0;
}

static int random_numbers(void *unused)
{
    int checks = 0;
    static unsigned char bytes[100000];

    (void)unused;
    CHECK(RAW(SYS_getrandom, bytes, sizeof bytes, 0) == sizeof bytes);
    CHECK(RAW(SYS_getrandom, bytes, 16, 8) == -EINVAL);
    CHECK(RAW(SYS_getrandom, bytes, 16, 6) == -EINVAL); /* GRND_RANDOM and GRND_INSECURE */
    CHECK(RAW(SYS_getrandom, bytes, 16, 5) == 16 && RAW(SYS_getrandom, bytes, 16, 3) == 16);
    CHECK(RAW(SYS_getrandom, 0, 0, 0) == 0 && RAW(SYS_getrandom, BAD, 16, 0) == -EFAULT);
    return 0;
}

static int advice(void *unused)
{
    int checks = 0, ends[2];
    int fd = open("/proc/self/exe", O_RDONLY), folder = open("/tmp", O_RDONLY);

    (void)unused;
    CHECK(pipe(ends) == 0);
    CHECK(RAW(SYS_readahead, fd, 0, 4096) == 0);
    CHECK(RAW(SYS_readahead, -1, 0, 4096) == -EBADF && RAW(SYS_readahead, ends[1], 0, 1) == -EBADF);
    CHECK(RAW(SYS_readahead, ends[0], 0, 1) == -EINVAL);
    CHECK(RAW(SYS_readahead, folder, 0, 1) == -EINVAL);
    CHECK(RAW(SYS_readahead, fd, 0, SIZE_MAX) == -EINVAL);
    CHECK(RAW(SYS_sync_file_range, fd, 0, 0, 7) == 0 && RAW(SYS_sync_file_range, fd, 5, 6, 0) == 0);
    CHECK(RAW(SYS_sync_file_range, fd, 0, 0, 8) == -EINVAL);
    CHECK(RAW(SYS_sync_file_range, fd, -1, 0, 0) == -EINVAL);
    CHECK(RAW(SYS_sync_file_range, fd, 1, INT64_MAX, 0) == -EINVAL);
    CHECK(RAW(SYS_sync_file_range, ends[0], 0, 0, 0) == -ESPIPE);
    CHECK(RAW(SYS_sync_file_range, -1, 0, 0, 0) == -EBADF);
    return 0;
}

/* Transfers and mappings that go past the largest offset of a file. */
static int last_offsets(void *unused)
{
    int checks = 0, fd = memfd_create("file", 0), copy = memfd_create("copy", 0),
        zero = open("/dev/zero", O_RDWR);
    int64_t from = 0, to = INT64_MAX - 10;
    char bytes[10] = {0};
    struct iovec vector = {bytes, 10};

    (void)unused;
    CHECK(fd >= 0 && copy >= 0 && zero >= 0 && RAW(SYS_write, fd, bytes, 10) == 10);
    CHECK(RAW(SYS_pread64, fd, bytes, 10, INT64_MAX - 10) == 0);
    CHECK(RAW(SYS_pread64, fd, bytes, 10, INT64_MAX - 9) == -EINVAL);
    CHECK(RAW(SYS_pwrite64, fd, bytes, 10, INT64_MAX - 9) == -EINVAL);
    CHECK(RAW(SYS_pread64, fd, bytes, 0, INT64_MAX) == 0);
    CHECK(RAW(SYS_preadv, fd, &vector, 1, INT64_MAX - 9, 0) == -EINVAL);
    CHECK(RAW(SYS_pwritev, fd, &vector, 1, INT64_MAX, 0) == -EINVAL);
    CHECK(RAW(SYS_pread64, zero, bytes, 10, INT64_MAX - 10) == 10);
    CHECK(RAW(SYS_pread64, zero, bytes, 10, INT64_MAX - 9) == -EINVAL);
    from = -1;
    CHECK(RAW(SYS_copy_file_range, fd, &from, copy, NULL, 0, 0) == -EINVAL);
    CHECK(RAW(SYS_copy_file_range, fd, &from, copy, NULL, 1, 0) == -EOVERFLOW);
    from = 0;
    CHECK(RAW(SYS_copy_file_range, fd, &from, copy, &to, UINT64_MAX, 0) == -EOVERFLOW);
    from = 5, to = 0;
    CHECK(RAW(SYS_copy_file_range, fd, &from, copy, &to, INT64_MAX, 0) == 5 && from == 10 &&
          to == 5);
    CHECK(RAW(SYS_mmap, 0, 8192, PROT_READ, MAP_SHARED, fd, INT64_MAX & ~4095ll) == -EOVERFLOW);
    CHECK(RAW(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, (INT64_MAX & ~4095ll) - 4096) > 0);
    return 0;
}

/* What fits before the end of a mapping is filled, and counts. */
static int filled_in_part(void *unused)
{
    int checks = 0, zero = open("/dev/zero", O_RDONLY);
    char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
         last[16];
    char *end = area + 4096;
    struct iovec vectors[2] = {{end - 8, 16}, {last, 16}};

    (void)unused;
    CHECK(area != MAP_FAILED && munmap(end, 4096) == 0 && zero >= 0);
    memset(area, 1, 4096);
    CHECK(RAW(SYS_read, zero, end - 11, 64) == 11 && end[-12] == 1 && !end[-11] && !end[-1]);
    CHECK(RAW(SYS_readv, zero, vectors, 2) == 8 && RAW(SYS_read, zero, end, 1) == -EFAULT);
    CHECK(RAW(SYS_getrandom, end - 11, 64, 0) == 11 && RAW(SYS_getrandom, end, 1, 0) == -EFAULT);
    CHECK(RAW(SYS_getrandom, end - 300, 1000, 0) == 300);
    return 0;
}

/* PR_GET_NAME fills its 16 bytes with zeros after the name, whatever came after it in memory. */
static int own_name(void *unused)
{
    int checks = 0;
    static const char names[16] = "long name\0\0\0"
                                  "abc",
                      zeros[16];
    static const char long_name[] = "a name of more than 15 bytes";
    char got[16];

    (void)unused;
    CHECK(RAW(SYS_prctl, PR_GET_TIMING) == PR_TIMING_STATISTICAL);
    CHECK(RAW(SYS_prctl, PR_SET_NAME, names) == 0 && RAW(SYS_prctl, PR_GET_NAME, got) == 0);
    CHECK(memcmp(got, "long name", 9) == 0 && memcmp(got + 9, zeros, 7) == 0);
    CHECK(RAW(SYS_prctl, PR_SET_NAME, names + 7) == 0 && RAW(SYS_prctl, PR_GET_NAME, got) == 0);
    CHECK(memcmp(got, "me", 2) == 0 && memcmp(got + 2, zeros, 14) == 0);
    CHECK(RAW(SYS_prctl, PR_SET_NAME, long_name) == 0 && RAW(SYS_prctl, PR_GET_NAME, got) == 0);
    CHECK(memcmp(got, long_name, 15) == 0 && got[15] == 0);
    return 0;
}

/* The records of getdents: number, offset, size, name, and the type in the last byte. */
static int old_directories(void *unused)
{
    int checks = 0;
    static unsigned char records[8192];
    unsigned seen = 0;
    int fd = open("/proc/self", O_RDONLY | O_DIRECTORY);

    (void)unused;
    for (long got = 0; (got = RAW(SYS_getdents, fd, records, sizeof records)) > 0;) {
        for (long at = 0; at < got;) {
            uint16_t size = 0;
            memcpy(&size, records + at + 16, sizeof size);
            CHECK(size % 8 == 0 && at + size <= got);
            const char *name = (char *)records + at + 18;
            unsigned char type = records[at + size - 1];
            seen += strcmp(name, "status") == 0 && type == 8;
            seen += strcmp(name, "exe") == 0 && type == 10;
            seen += strcmp(name, "..") == 0 && type == 4;
            at += size;
        }
    }
    checks = 1000;
    CHECK(seen == 3);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && RAW(SYS_getdents, fd, records, 10) == -EINVAL);
    CHECK(RAW(SYS_getdents, -1, records, 100) == -EBADF);
    CHECK(RAW(SYS_getdents, fd, BAD, 100) == -EFAULT);
    return 0;
}

static int nameless_memory(void *unused)
{
    int checks = 0;
    char name[300], path[40], link[100] = "";
    struct stat info;
    int fd = (int)RAW(SYS_memfd_create, "some name", 1);

    (void)unused;
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fstat(fd, &info) == 0);
    CHECK(S_ISREG(info.st_mode) && (info.st_mode & 07777) == 0777 && info.st_size == 0);
    CHECK(info.st_uid == geteuid() && info.st_nlink == 0);
    CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    CHECK(write(fd, "abc", 3) == 3 && ftruncate(fd, 2 * PAGE) == 0);
    char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED && memcmp(at, "abc", 4) == 0);
    at[PAGE] = 'x';
    CHECK(pread(fd, name, 1, PAGE) == 1 && name[0] == 'x');
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(readlink(path, link, sizeof link - 1) == 26 &&
          strcmp(link, "/memfd:some name (deleted)") == 0);
    return 0;
}

static int nameless_memory_edges(void *unused)
{
    int checks = 0;
    char name[300];

    (void)unused;
    memset(name, 'n', sizeof name);
    name[249] = '\0';
    CHECK(RAW(SYS_memfd_create, name, 0) >= 0);
    CHECK(RAW(SYS_memfd_create, name, 0) >= 0); /* names may be equal */
    name[249] = 'n';
    name[250] = '\0';
    CHECK(RAW(SYS_memfd_create, name, 0) == -EINVAL);
    CHECK(RAW(SYS_memfd_create, "", 0) >= 0 && RAW(SYS_memfd_create, "a/b", 0) >= 0);
    CHECK(RAW(SYS_memfd_create, "a", 0x100) == -EINVAL);
    CHECK(RAW(SYS_memfd_create, BAD, 0) == -EFAULT);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    CHECK(RAW(SYS_memfd_create, "a", 0) == -EMFILE);
    return 0;
}

static char own[3 * PAGE], shared[3 * PAGE] = "of the parent";

static int copy_from(void *parent)
{
    int checks = 0;
    pid_t pid = *(pid_t *)parent;
    struct iovec to[2] = {{own + 5, 4}, {own + 100, 2 * PAGE}};
    struct iovec from[2] = {{shared, 8}, {shared + PAGE - 4, PAGE}};

    memset(shared, 'c', sizeof shared); /* the child's copy */
    CHECK(RAW(SYS_process_vm_readv, pid, to, 2, from, 2, 0) == PAGE + 8);
    CHECK(memcmp(own + 5, "of t", 4) == 0 && memcmp(own + 100, "he p", 4) == 0);
    CHECK(own[104] == 0 && own[100 + PAGE + 3] == 0);
    from[0] = (struct iovec){"written", 7};
    to[0] = (struct iovec){shared + PAGE - 3, 7};
    CHECK(RAW(SYS_process_vm_writev, pid, from, 1, to, 1, 0) == 7);
    from[0] = (struct iovec){shared, 100};
    from[1] = (struct iovec){BAD, 100};
    to[0] = (struct iovec){own, 200};
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, from, 2, 0) == 100);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, from + 1, 1, 0) == -EFAULT);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, from, 1, 1) == -EINVAL);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1025, from, 1, 0) == -EINVAL);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 0, from, 1, 0) == 0);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, from, 0, 0) == 0);
    CHECK(RAW(SYS_process_vm_readv, pid, BAD, 1, from, 1, 0) == -EFAULT);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, BAD, 1, 0) == -EFAULT);
    CHECK(RAW(SYS_process_vm_readv, 1 << 22, to, 1, from, 1, 0) == -ESRCH);
    from[0] = (struct iovec){(void *)(uintptr_t)copy_from, 4};
    CHECK(RAW(SYS_process_vm_writev, pid, to, 1, from, 1, 0) == -EFAULT); /* code, not writable */
    return 0;
}

/* Own memory that ends, or that is none; other memory that is written only; sums that overflow. */
static int copy_edges(void *parent)
{
    int checks = 0;
    pid_t pid = *(pid_t *)parent;
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec to[3] = {{pages + 1, 2 * PAGE}, {(void *)USER_END, 10}, {pages, 2}};
    struct iovec from[3] = {{shared, 3 * PAGE}, {shared, SIZE_MAX / 2}, {shared, SIZE_MAX / 2}};

    CHECK(pages != MAP_FAILED && munmap(pages + PAGE, PAGE) == 0);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, from, 1, 0) == PAGE - 1);
    CHECK(memcmp(pages + 1, shared, PAGE - 1) == 0);
    CHECK(RAW(SYS_process_vm_writev, pid, to, 1, from, 1, 0) == PAGE - 1);
    to[0].iov_len = 100;
    CHECK(RAW(SYS_process_vm_readv, pid, to, 2, from, 1, 0) == -EFAULT);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 2, BAD, 5000, 0) == -EFAULT);
    to[1].iov_len = SIZE_MAX;
    CHECK(RAW(SYS_process_vm_readv, pid, to, 2, from, 1, 0) == -EINVAL);
    from[0].iov_len = 2;
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, from + 1, 2, 0) == 100);
    CHECK(RAW(SYS_process_vm_readv, pid, to, 1, from, 3, 0) == 100);
    CHECK(mprotect(pages, PAGE, PROT_WRITE) == 0);
    from[0] = (struct iovec){pages, 8};
    to[0] = (struct iovec){own, 8};
    CHECK(RAW(SYS_process_vm_readv, getpid(), to, 1, from, 1, 0) == -EFAULT);
    CHECK(RAW(SYS_process_vm_writev, getpid(), to, 1, from, 1, 0) == 8);
    pid_t dead = fork();
    if (dead == 0) {
        _exit(0);
    }
    CHECK(waitid(P_PID, (id_t)dead, &(siginfo_t){0}, WEXITED | WNOWAIT) == 0);
    from[0] = (struct iovec){shared, 8};
    CHECK(RAW(SYS_process_vm_readv, dead, to, 1, from, 1, 0) == -ESRCH);
    drop_to_user();
    CHECK(RAW(SYS_process_vm_readv, dead, to, 1, from, 1, 0) == -ESRCH);
    return 0;
}

static int copy_from_stranger(void *parent)
{
    struct iovec to = {own, 4}, from = {shared, 4};

    drop_to_user();
    return (int)-RAW(SYS_process_vm_readv, *(pid_t *)parent, &to, 1, &from, 1, 0);
}

static void test_other_memory(void)
{
    pid_t self = getpid();

    is(run_child(copy_from, &self, false), EXITED(0), "process_vm_readv, process_vm_writev");
    ok(memcmp(shared + PAGE - 3, "written", 7) == 0, "what was written is here");
    is(run_child(copy_edges, &self, false), EXITED(0), "process_vm_readv: where memory ends");
    if (is_root()) {
        is(run_child(copy_from_stranger, &self, false), EXITED(EPERM),
           "not from another's process");
    }
}

static volatile sig_atomic_t ticked;

static void on_tick(int number)
{
    ticked = number;
}

static int processor_timers(void *unused)
{
    static const struct {
        int which, signal;
    } rows[] = {{ITIMER_VIRTUAL, SIGVTALRM}, {ITIMER_PROF, SIGPROF}};
    int checks = 0;
    struct itimerval value, zero = {{0, 0}, {0, 0}};

    (void)unused;
    for (unsigned i = 0; i < 2; i++) {
        int which = rows[i].which;
        signal(rows[i].signal, on_tick);
        value = (struct itimerval){{0, 20000}, {0, 30000}};
        ticked = 0;
        CHECK(setitimer(which, &value, NULL) == 0);
        sleep_ms(60);
        CHECK(ticked == 0); /* a process that sleeps uses no processor time */
        CHECK(getitimer(which, &value) == 0 && value.it_value.tv_usec > 0 &&
              value.it_interval.tv_usec == 20000);
        for (unsigned rounds = 0; rounds < 3; rounds++) {
            ticked = 0;
            while (!ticked) {
            }
            CHECK(ticked == rows[i].signal);
        }
        CHECK(run_child(io_priorities, NULL, false) != EXITED(99)); /* fork does not inherit it */
        CHECK(setitimer(which, &zero, &value) == 0 && value.it_interval.tv_usec == 20000);
        CHECK(getitimer(which, &value) == 0 && value.it_value.tv_usec == 0);
    }
    CHECK(RAW(SYS_setitimer, 3, &zero, 0) == -EINVAL && RAW(SYS_getitimer, 3, &zero) == -EINVAL);
    CHECK(RAW(SYS_setitimer, ITIMER_PROF, BAD, 0) == -EFAULT);
    value.it_value.tv_usec = 1000000;
    CHECK(RAW(SYS_setitimer, ITIMER_PROF, &value, 0) == -EINVAL);
    return 0;
}

/* What is kept of a timer, and how alarm(2) rounds: to the nearest second, but never to none. */
static int exact_timers(void *unused)
{
    static const struct {
        long seconds, microseconds, answer;
    } rows[] = {{1000, 200000, 1000}, {1000, 800000, 1001}, {0, 400000, 1}, {0, 0, 0}};
    static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
    int checks = 0;
    struct itimerval value;

    (void)unused;
    for (unsigned i = 0; i < 4; i++) {
        value = (struct itimerval){{0, 1}, {rows[i].seconds, rows[i].microseconds}};
        CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
        CHECK(RAW(SYS_alarm, 0) == rows[i].answer);
    }
    for (unsigned i = 0; i < 3; i++) {
        value = (struct itimerval){{0, 1234}, {1000, 0}};
        CHECK(RAW(SYS_setitimer, timers[i], &value, BAD) == -EFAULT); /* and it is set */
        CHECK(getitimer(timers[i], &value) == 0 && value.it_interval.tv_usec == 1234);
        CHECK(value.it_value.tv_sec >= 999);
    }
    value = (struct itimerval){{0, 0}, {INT64_MAX, 0}};
    CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
    long left = RAW(SYS_alarm, 0);
    CHECK(left >= 0 && left <= UINT32_MAX);
    return 0;
}

/* Timers that do not run, and those of more than 292 years. */
static int unusual_timers(void *unused)
{
    static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
    const struct itimerval zero = {{0, 0}, {0, 0}};
    int checks = 0;
    struct itimerval value;

    (void)unused;
    for (unsigned i = 0; i < 3; i++) {
        value = (struct itimerval){{10, 20}, {0, 0}};
        CHECK(setitimer(timers[i], &value, NULL) == 0);
        CHECK(setitimer(timers[i], &zero, &value) == 0 && value.it_value.tv_sec == 0 &&
              value.it_interval.tv_sec == (timers[i] == ITIMER_REAL ? 0 : 10));
        value = (struct itimerval){{0x1ffffffff, 20}, {0x1ffffffff, 40}};
        CHECK(RAW(SYS_setitimer, timers[i], &value, 0) == 0);
        CHECK(getitimer(timers[i], &value) == 0 && value.it_value.tv_sec >= 0x1fffffffe);
        CHECK(value.it_interval.tv_sec == 0x1ffffffff);
        value = (struct itimerval){{INT64_MAX, 0}, {INT64_MAX, 999999}};
        CHECK(RAW(SYS_setitimer, timers[i], &value, 0) == 0);
        CHECK(setitimer(timers[i], &zero, &value) == 0);
        CHECK(timers[i] != ITIMER_REAL || (value.it_value.tv_sec > 9000000000 &&
                                           value.it_interval.tv_sec == INT64_MAX / 1000000000));
        value = (struct itimerval){{0, 0}, {-1, 0}};
        CHECK(RAW(SYS_setitimer, timers[i], &value, 0) == -EINVAL);
    }
    return 0;
}

static int domain_names(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(RAW(SYS_setdomainname, "a", -1) == (is_root() ? -EINVAL : -EPERM));
    CHECK(RAW(SYS_setdomainname, "a", 65) == (is_root() ? -EINVAL : -EPERM));
    CHECK(RAW(SYS_setdomainname, BAD, 1) == (is_root() ? -EFAULT : -EPERM));
    return 0;
}

#define CPU_CLOCK(pid, kind) ((int)(~(unsigned)(pid) << 3 | (unsigned)(kind)))
#define OF_THREAD            4 /* a kind, with 0: all time, 1: in user mode, 2: all, exactly */

static long clock_of(pid_t pid, int kind)
{
    struct timespec time = {-1, -1};

    long error = RAW(SYS_clock_gettime, CPU_CLOCK(pid, kind), &time);
    return error ? error : time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int burn_and_wait(void *unused)
{
    (void)unused;
    while (clock() < CLOCKS_PER_SEC / 10) {
    }
    pause();
    return 0;
}

static int processor_clocks(void *unused)
{
    int checks = 0;
    struct timespec time = {0, 0};

    (void)unused;
    pid_t pid = begin(burn_and_wait, NULL), self = getpid();
    CHECK(falls_asleep(pid));
    CHECK(clock_of(pid, 0) >= 0 && clock_of(pid, 0) < 10000); /* in ticks, which may miss it */
    CHECK(clock_of(pid, 2) >= 90 && clock_of(pid, 1) >= 0 && clock_of(pid, 1) < 10000);
    kill(pid, SIGKILL);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(clock_of(pid, 2) >= 90); /* of a zombie */
    CHECK(waitpid(pid, NULL, 0) == pid && clock_of(pid, 2) == -EINVAL);
    long before = clock() / 1000, used = clock_of(0, 2);
    CHECK(used >= before && used <= clock() / 1000);
    CHECK(clock_of(0, 3) == -EINVAL && clock_of(self, 3) == -EINVAL); /* 3: of a descriptor */
    CHECK(clock_of(self, OF_THREAD | 2) >= 0 && clock_of(0, OF_THREAD | 2) >= 0);
    CHECK(clock_of(1, OF_THREAD | 2) == -EINVAL && clock_of(1, 2) >= 0);
    CHECK(RAW(SYS_clock_getres, CPU_CLOCK(1, 2), &time) == 0 && time.tv_nsec == 1);
    CHECK(RAW(SYS_clock_getres, CPU_CLOCK(1 << 27, 2), 0) == -EINVAL);
    CHECK(RAW(SYS_clock_getres, CPU_CLOCK(1, 1), &time) == 0 && time.tv_nsec >= 1000000);
    CHECK(RAW(SYS_clock_getres, CPU_CLOCK(1, 0), &time) == 0 && time.tv_nsec >= 1000000);
    CHECK(clock_getres(CLOCK_MONOTONIC_COARSE, &time) == 0 && time.tv_nsec >= 1000000);
    CHECK(clock_getres(CLOCK_REALTIME_COARSE, &time) == 0 && time.tv_nsec >= 1000000);
    time.tv_nsec = 0;
    CHECK(RAW(SYS_clock_nanosleep, CPU_CLOCK(0, OF_THREAD | 2), 0, &time, 0) == -EINVAL);
    CHECK(RAW(SYS_clock_settime, CPU_CLOCK(0, 2), &time) == -EPERM);
    CHECK(RAW(SYS_clock_settime, CPU_CLOCK(1 << 27, 2), &time) == -EINVAL);
    return 0;
}

static int refused_times(void *unused)
{
    int checks = 0;
    struct timespec now, wrong[] = {{-1, 0}, {1, -1}, {1, 1000000000}, {INT64_MAX / 1000000000, 0}};
    struct timeval odd[] = {{-1, 0}, {1, -1}, {1, 1000000}, {1, 1000001}};

    (void)unused;
    clock_gettime(CLOCK_REALTIME, &now);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(RAW(SYS_clock_settime, CLOCK_REALTIME, &wrong[i]) == -EINVAL);
        CHECK(RAW(SYS_settimeofday, &odd[i], 0) == -EINVAL);
    }
    CHECK(RAW(SYS_clock_settime, CLOCK_REALTIME, &now) == -EPERM);
    CHECK(RAW(SYS_clock_settime, CLOCK_REALTIME, BAD) == -EFAULT);
    CHECK(RAW(SYS_clock_settime, CLOCK_MONOTONIC, BAD) == -EINVAL);
    CHECK(RAW(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, BAD) == -EINVAL);
    CHECK(RAW(SYS_clock_settime, 99, &now) == -EINVAL);
    CHECK(RAW(SYS_settimeofday, BAD, 0) == -EFAULT && RAW(SYS_settimeofday, 0, BAD) == -EFAULT);
    CHECK(RAW(SYS_settimeofday, 0, 0) == -EPERM);
    return 0;
}

/* Programs go on with read if splice cannot move anything, but not for other errors. */
static int splices(void *unused)
{
    int checks = 0, ends[2], null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);
    char text[8];

    (void)unused;
    CHECK(pipe(ends) == 0 && write(ends[1], "hello", 5) == 5);
    CHECK(RAW(SYS_splice, ends[0], 0, null, 0, 0, 0) == 0);
    CHECK(RAW(SYS_splice, ends[0], 0, null, 0, 4, 0x10) == -EINVAL);
    CHECK(RAW(SYS_splice, -1, 0, null, 0, 4, 0) == -EBADF);
    CHECK(RAW(SYS_splice, ends[0], 0, 99, 0, 4, 0) == -EBADF);
    CHECK(RAW(SYS_splice, ends[1], 0, null, 0, 4, 0) == -EBADF);
    CHECK(RAW(SYS_splice, ends[0], 0, zero, 0, 4, 0) == -EBADF);
    CHECK(RAW(SYS_splice, zero, 0, null, 0, 4, 0) == -EINVAL); /* neither is a pipe */
    long moved = RAW(SYS_splice, ends[0], 0, null, 0, 4, 0);
    CHECK(moved == 4 || moved == -EINVAL);
    CHECK(read(ends[0], text, sizeof text) == (moved == 4 ? 1 : 5));
    return 0;
}

/* Without a family of protocols programs go on; with another error some do not. */
static int sockets(void *unused)
{
    int checks = 0, ends[2];

    (void)unused;
    CHECK(RAW(SYS_socket, AF_UNIX, 11, 0) == -EINVAL);
    CHECK(RAW(SYS_socket, AF_UNIX, SOCK_STREAM | 0x10, 0) == -EINVAL);
    CHECK(RAW(SYS_socket, -1, SOCK_STREAM | 0x10, 0) == -EINVAL);
    CHECK(RAW(SYS_socket, -1, 11, 0) == -EAFNOSUPPORT);
    CHECK(RAW(SYS_socket, 46, SOCK_STREAM, 0) == -EAFNOSUPPORT);
    CHECK(RAW(SYS_socketpair, AF_UNIX, SOCK_STREAM | 0x10, 0, ends) == -EINVAL);
    CHECK(RAW(SYS_socketpair, 46, SOCK_STREAM, 0, ends) == -EAFNOSUPPORT);
    for (int family = AF_UNIX; family <= AF_NETLINK; family++) {
        long fd = RAW(SYS_socket, family, SOCK_DGRAM, 0);
        if (fd >= 0) {
            close((int)fd);
        }
        CHECK(fd != -ENOSYS && fd != -EFAULT);
    }
    static const int calls[] = {SYS_connect,    SYS_accept,    SYS_accept4,     SYS_bind,
                                SYS_listen,     SYS_shutdown,  SYS_sendto,      SYS_sendmsg,
                                SYS_recvfrom,   SYS_recvmsg,   SYS_getsockname, SYS_getpeername,
                                SYS_getsockopt, SYS_setsockopt};
    int null = open("/dev/null", O_RDWR), path = open("/", O_PATH);
    CHECK(null >= 0 && path >= 0);
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        CHECK(RAW(calls[i], null, 0, 0, 0, 0, 0) == -ENOTSOCK);
        CHECK(RAW(calls[i], 99, 0, 0, 0, 0, 0) == -EBADF);
        CHECK(RAW(calls[i], path, 0, 0, 0, 0, 0) == -EBADF);
    }
    return 0;
}

static time_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static int sleep_until(void *time)
{
    return (int)RAW(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, time, 0);
}

/* The time goes forward past the end of a sleep that counts on it, and back. */
static int set_times(void *unused)
{
    int checks = 0;
    struct timespec before, later, end, early = {0, 0};
    struct timeval back;

    (void)unused;
    clock_gettime(CLOCK_REALTIME, &before);
    back = (struct timeval){before.tv_sec, 0};
    end = later = before;
    end.tv_sec += 1000;
    later.tv_sec += 2000;
    pid_t pid = begin(sleep_until, &end);
    CHECK(falls_asleep(pid));
    CHECK(RAW(SYS_clock_settime, CLOCK_REALTIME, &later) == 0);
    CHECK(finish(pid, 5000) == EXITED(0));
    CHECK(seconds() >= later.tv_sec && seconds() < later.tv_sec + 100);
    CHECK(RAW(SYS_time, 0) >= later.tv_sec);
    CHECK(RAW(SYS_clock_settime, CLOCK_REALTIME, &early) == -EINVAL); /* before the start */
    later.tv_sec += 1000;
    pid = begin(sleep_until, &later);
    CHECK(falls_asleep(pid));
    CHECK(RAW(SYS_settimeofday, &back, 0) == 0);
    CHECK(seconds() >= before.tv_sec && seconds() < before.tv_sec + 100);
    sleep_ms(50);
    CHECK(falls_asleep(pid)); /* it sleeps on, for more than before */
    kill(pid, SIGKILL);
    CHECK(finish(pid, 5000) == SIGKILL);
    return 0;
}

/* Futexes: words in memory that processes share. */

#define FUTEX_WAIT                                0
#define FUTEX_WAKE                                1
#define FUTEX_REQUEUE                             3
#define FUTEX_CMP_REQUEUE                         4
#define FUTEX_WAIT_BITSET                         9
#define FUTEX_WAKE_BITSET                         10
#define FUTEX_PRIVATE                             128
#define FUTEX_REALTIME                            256
#define FUTEX(word, op, value, time, other, bits) RAW(SYS_futex, word, op, value, time, other, bits)

static uint32_t *shared_words(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int futex_refusals(void *unused)
{
    char *constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int checks = 0;
    uint32_t *words = shared_words();
    const struct timespec soon = {0, 20000000}, bad = {0, 1000000000}, past = {1, 0};
    struct timespec begin, end;

    (void)unused;
    CHECK(FUTEX(words, FUTEX_WAIT, 1, 0, 0, 0) == -EAGAIN);
    CHECK(FUTEX((char *)words + 2, FUTEX_WAIT, 0, 0, 0, 0) == -EINVAL);
    CHECK(FUTEX((char *)words + 2, FUTEX_WAKE, 0, 0, 0, 0) == -EINVAL);
    CHECK(FUTEX(BAD, FUTEX_WAIT, 0, 0, 0, 0) == -EFAULT);
    CHECK(FUTEX(BAD, FUTEX_WAKE, 1, 0, 0, 0) == -EFAULT);
    CHECK(FUTEX(BAD, FUTEX_WAKE | FUTEX_PRIVATE, 1, 0, 0, 0) == 0); /* the word is not looked at */
    CHECK(FUTEX(BAD, FUTEX_WAIT | FUTEX_PRIVATE, 0, 0, 0, 0) == -EFAULT);
    CHECK(FUTEX(-4096L, FUTEX_WAKE | FUTEX_PRIVATE, 1, 0, 0, 0) == -EFAULT);
    CHECK(FUTEX(words, FUTEX_WAIT, 1, BAD, 0, 0) == -EFAULT);
    CHECK(FUTEX(words, FUTEX_WAIT, 1, &bad, 0, 0) == -EINVAL);
    CHECK(FUTEX(words, FUTEX_WAKE, 1, BAD, 0, 0) == 0);
    CHECK(FUTEX(words, FUTEX_WAIT_BITSET, 0, 0, 0, 0) == -EINVAL);
    CHECK(FUTEX(words, FUTEX_WAKE_BITSET, 1, 0, 0, 0) == -EINVAL);
    CHECK(FUTEX(words, FUTEX_WAKE | FUTEX_REALTIME, 1, 0, 0, 0) == -ENOSYS);
    CHECK(FUTEX(words, 99, 1, 0, 0, 0) == -ENOSYS);
    CHECK(FUTEX(words, FUTEX_REQUEUE, -1, 0, words + 1, 0) == -EINVAL);
    CHECK(FUTEX(words, FUTEX_REQUEUE, 0, -1, words + 1, 0) == -EINVAL);
    CHECK(FUTEX(words, FUTEX_REQUEUE, 0, 1, BAD, 0) == -EFAULT);
    CHECK(FUTEX(words, FUTEX_CMP_REQUEUE, 0, 1, words + 1, 7) == -EAGAIN);
    CHECK(FUTEX(words, FUTEX_CMP_REQUEUE, 0, 1, words + 1, 0) == 0);
    CHECK(FUTEX(BAD, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 0, 1, (char *)words + 2, 0) == -EINVAL);
    CHECK(FUTEX(constant, FUTEX_WAKE, 1, 0, 0, 0) == -EFAULT); /* nobody can change it */
    CHECK(FUTEX(constant, FUTEX_WAIT | FUTEX_PRIVATE, 1, 0, 0, 0) == -EAGAIN);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    CHECK(FUTEX(words, FUTEX_WAIT, 0, &soon, 0, 0) == -ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec >= soon.tv_nsec);
    CHECK(FUTEX(words, FUTEX_WAIT_BITSET, 0, &past, 0, 1) == -ETIMEDOUT);
    CHECK(FUTEX(words, FUTEX_WAIT_BITSET | FUTEX_REALTIME, 0, &past, 0, 1) == -ETIMEDOUT);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += end.tv_nsec < 900000000 ? 20000000 : 0;
    CHECK(FUTEX(words, FUTEX_WAIT_BITSET | FUTEX_REALTIME, 0, &end, 0, 1) == -ETIMEDOUT);
    return 0;
}

/* A child that waits; its status is the negative result. */
static pid_t futex_waiter(uint32_t *word, int op, uint32_t bits)
{
    pid_t child = fork();

    if (child == 0)
        _exit((int)-FUTEX(word, op, 0, 0, 0, bits));
    return falls_asleep(child) ? child : -1;
}

static int end_of(pid_t child)
{
    int status = -1;

    waitpid(child, &status, 0);
    return status;
}

static bool has_ended(pid_t child)
{
    int status;

    return waitpid(child, &status, WNOHANG) == child && status == 0;
}

static int futex_wakes(void *unused)
{
    int checks = 0;
    uint32_t *words = shared_words();
    pid_t child[4];

    (void)unused;
    for (int i = 0; i < 4; i++)
        child[i] = futex_waiter(words + i / 3, FUTEX_WAIT, 0);
    CHECK(FUTEX(words + 2, FUTEX_WAKE, 9, 0, 0, 0) == 0);
    CHECK(FUTEX(words, FUTEX_WAKE | FUTEX_PRIVATE, 9, 0, 0, 0) == 0); /* of this process */
    CHECK(FUTEX(words, FUTEX_WAKE, 2, 0, 0, 0) == 2);
    CHECK(end_of(child[0]) == 0 && end_of(child[1]) == 0); /* the first ones */
    CHECK(FUTEX(words, FUTEX_WAKE, 0, 0, 0, 0) == 1);      /* none is one */
    CHECK(end_of(child[2]) == 0 && !has_ended(child[3]));
    CHECK(FUTEX(words + 1, FUTEX_WAKE, -1, 0, 0, 0) == 1 && end_of(child[3]) == 0);
    child[0] = futex_waiter(words, FUTEX_WAIT_BITSET, 6);
    child[1] = futex_waiter(words, FUTEX_WAIT_BITSET, 2);
    child[2] = futex_waiter(words, FUTEX_WAIT, 0);
    CHECK(FUTEX(words, FUTEX_WAKE_BITSET, 9, 0, 0, 1) == 1 && end_of(child[2]) == 0);
    CHECK(FUTEX(words, FUTEX_WAKE_BITSET, 9, 0, 0, 4) == 1 && end_of(child[0]) == 0);
    CHECK(FUTEX(words, FUTEX_WAKE_BITSET, 9, 0, 0, 2) == 1 && end_of(child[1]) == 0);
    child[0] = futex_waiter(words, FUTEX_WAIT, 0);
    kill(child[0], SIGKILL);
    CHECK(end_of(child[0]) == SIGKILL && FUTEX(words, FUTEX_WAKE, 9, 0, 0, 0) == 0);
    return 0;
}

static int futex_moves(void *unused)
{
    int checks = 0;
    uint32_t *words = shared_words();
    pid_t child[4];

    (void)unused;
    for (int i = 0; i < 4; i++)
        child[i] = futex_waiter(words, FUTEX_WAIT, 0);
    CHECK(FUTEX(words, FUTEX_REQUEUE, 1, 2, words + 1, 0) == 3 && end_of(child[0]) == 0);
    CHECK(FUTEX(words, FUTEX_REQUEUE, 0, 5, words, 0) == 1); /* to itself */
    CHECK(FUTEX(words, FUTEX_WAKE, 9, 0, 0, 0) == 1 && end_of(child[3]) == 0);
    CHECK(FUTEX(words + 1, FUTEX_CMP_REQUEUE, 0, 9, words, 0) == 2);
    CHECK(FUTEX(words + 1, FUTEX_WAKE, 9, 0, 0, 0) == 0);
    CHECK(FUTEX(words, FUTEX_WAKE, 9, 0, 0, 0) == 2);
    CHECK(end_of(child[1]) == 0 && end_of(child[2]) == 0);
    return 0;
}

/* Which words are the same. */
static int futex_places(void *unused)
{
    int checks = 0, file = (int)RAW(SYS_memfd_create, "words", 0);
    uint32_t *one, *two, *copy, *mine;

    (void)unused;
    CHECK(file >= 0 && ftruncate(file, 8192) == 0);
    one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    two = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 4096);
    copy = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t child = futex_waiter(one + 1024, FUTEX_WAIT, 0);
    CHECK(FUTEX(one, FUTEX_WAKE, 9, 0, 0, 0) == 0 &&
          FUTEX(copy + 1024, FUTEX_WAKE, 9, 0, 0, 0) == 0);
    CHECK(FUTEX(two, FUTEX_WAKE, 9, 0, 0, 0) == 1 && end_of(child) == 0);
    child = futex_waiter(mine, FUTEX_WAIT, 0);
    CHECK(FUTEX(mine, FUTEX_WAKE, 9, 0, 0, 0) == 0); /* the child's is another */
    kill(child, SIGKILL);
    CHECK(end_of(child) == SIGKILL);
    child = futex_waiter(two, FUTEX_WAIT, 0);
    CHECK(munmap(two, 4096) == 0 && ftruncate(file, 0) == 0 && close(file) == 0);
    kill(child, SIGKILL);
    CHECK(end_of(child) == SIGKILL);
    return 0;
}

/* Mutexes of a process that ends or executes another program: an entry, and the word behind it. */
struct robust {
    uint64_t next;
    uint32_t word, unused;
};
struct robust_head {
    uint64_t first, offset, pending;
};

#define WAITERS    0x80000000u
#define OWNER_DIED 0x40000000u

/* Two mutexes in the list, the first with a waiter, and one that another owns; one that is about to be taken. */
static void owns_mutexes(struct robust *mutex, bool executes)
{
    static struct robust_head head;
    static char *const words[] = {"child", "exit", "0", NULL};
    uint32_t self = (uint32_t)getpid();

    head = (struct robust_head){(uint64_t)&mutex[0], sizeof(uint64_t), (uint64_t)&mutex[3]};
    mutex[0] = (struct robust){(uint64_t)&mutex[1], self | WAITERS, 0};
    mutex[1] = (struct robust){(uint64_t)&mutex[2] | 1, self, 0};
    mutex[2] = (struct robust){(uint64_t)&mutex[3], self + 1, 0};
    mutex[3] = (struct robust){(uint64_t)&head, self, 0};
    if (RAW(SYS_set_robust_list, &head, sizeof head) != 0)
        _exit(1);
    while (mutex[4].word == 0)
        sleep_ms(1);
    if (executes)
        execv(beside("child"), words);
    _exit(0);
}

static int futex_owners(void *unused)
{
    int checks = 0;
    struct robust *mutex = (struct robust *)shared_words();

    (void)unused;
    for (int executes = 0; executes < 2; executes++) {
        memset(mutex, 0, 5 * sizeof *mutex);
        pid_t child = fork();
        if (child == 0)
            owns_mutexes(mutex, executes);
        while (*(volatile uint32_t *)&mutex[3].word == 0)
            sleep_ms(1);
        uint32_t owner = (uint32_t)child;
        pid_t waiter = fork();
        if (waiter == 0)
            _exit((int)-FUTEX(&mutex[0].word, FUTEX_WAIT, owner | WAITERS, 0, 0, 0));
        CHECK(falls_asleep(waiter));
        mutex[4].word = 1;
        CHECK(end_of(child) == 0 && end_of(waiter) == 0);
        CHECK(mutex[0].word == (WAITERS | OWNER_DIED) && mutex[1].word == OWNER_DIED);
        CHECK(mutex[2].word == owner + 1 && mutex[3].word == OWNER_DIED);
    }
    CHECK(RAW(SYS_set_robust_list, 0, 23) == -EINVAL);
    return 0;
}

static void on_futex_signal(int number)
{
    (void)number;
}

static int futex_signals(void *unused)
{
    int checks = 0;
    uint32_t *words = shared_words();
    const struct timespec long_time = {100, 0};

    (void)unused;
    for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
        const struct sigaction action = {.sa_handler = on_futex_signal, .sa_flags = flags};
        for (int timed = 0; timed < 2; timed++) {
            pid_t child = fork();
            if (child == 0) {
                sigaction(SIGUSR1, &action, NULL);
                _exit((int)-FUTEX(words, FUTEX_WAIT, 0, timed ? &long_time : NULL, 0, 0));
            }
            CHECK(falls_asleep(child) && kill(child, SIGUSR1) == 0);
            if (flags && !timed) {
                CHECK(falls_asleep(child) && !has_ended(child));
                CHECK(FUTEX(words, FUTEX_WAKE, 1, 0, 0, 0) == 1 && end_of(child) == 0);
            } else {
                CHECK(end_of(child) == EXITED(EINTR));
            }
        }
    }
    return 0;
}

/* Files in memory are sealed against seals, unless memfd_create said otherwise; others cannot be sealed. */
static int seals(void *unused)
{
    const int add = 1033, get = 1034; /* F_ADD_SEALS, F_GET_SEALS */
    int checks = 0, file = (int)RAW(SYS_memfd_create, "sealed", 0), ends[2];
    int null = open("/dev/null", O_RDWR), place = open("/tmp", O_RDONLY);
    int state = open("/proc/self/status", O_RDONLY), path = open("/dev/null", O_PATH);
    char name[40];

    (void)unused;
    CHECK(file >= 0 && pipe(ends) == 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int read_only = open(name, O_RDONLY);
    CHECK(RAW(SYS_fcntl, file, get, 0) == 1 && RAW(SYS_fcntl, read_only, get, 7) == 1);
    CHECK(RAW(SYS_fcntl, file, add, 0) == -EPERM && RAW(SYS_fcntl, file, add, 15) == -EPERM);
    CHECK(RAW(SYS_fcntl, file, add, 0x1000) == -EINVAL);
    CHECK(RAW(SYS_fcntl, read_only, add, 0x1000) == -EPERM);
    CHECK(RAW(SYS_fcntl, null, get, 0) == -EINVAL && RAW(SYS_fcntl, null, add, 0) == -EINVAL);
    CHECK(RAW(SYS_fcntl, ends[1], get, 0) == -EINVAL && RAW(SYS_fcntl, ends[1], add, 1) == -EINVAL);
    CHECK(RAW(SYS_fcntl, place, get, 0) == -EINVAL && RAW(SYS_fcntl, place, add, 1) == -EPERM);
    CHECK(RAW(SYS_fcntl, state, get, 0) == -EINVAL);
    CHECK(RAW(SYS_fcntl, path, get, 0) == -EBADF && RAW(SYS_fcntl, path, add, 1) == -EBADF);
    return 0;
}

/* copy_file_range looks whether it could write a byte even if there is none to copy. */
static int copies_of_nothing(void *unused)
{
    const struct rlimit limit = {10, 10};
    int checks = 0, from = (int)RAW(SYS_memfd_create, "from", 0),
        to = (int)RAW(SYS_memfd_create, "to", 0);
    int64_t start = 0, last = INT64_MAX;

    (void)unused;
    CHECK(RAW(SYS_copy_file_range, from, &start, to, &last, 5, 0) == -EFBIG);
    CHECK(RAW(SYS_copy_file_range, from, &start, to, &last, 0, 0) == -EFBIG);
    CHECK(lseek(to, 10, SEEK_SET) == 10 && setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(signal(SIGXFSZ, SIG_IGN) == SIG_DFL);
    CHECK(RAW(SYS_copy_file_range, from, &start, to, 0, 5, 0) == -EFBIG);
    CHECK(RAW(SYS_copy_file_range, from, &start, to, 0, 0, 0) == -EFBIG);
    CHECK(lseek(to, 9, SEEK_SET) == 9);
    CHECK(RAW(SYS_copy_file_range, from, &start, to, 0, 5, 0) == 0);
    CHECK(RAW(SYS_write, to, own, 0) == 0 && lseek(to, 10, SEEK_SET) == 10);
    CHECK(RAW(SYS_write, to, own, 0) == 0);
    return 0;
}

static int sleeps_masked(void *selects)
{
    const uint64_t all = UINT64_MAX, none = 0;
    const struct {
        const uint64_t *mask;
        size_t size;
    } both = {&none, 8};
    struct timespec time = {100, 0};

    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
    return selects ? (int)-RAW(SYS_pselect6, 64, 0, 0, 0, &time, &both)
                   : (int)-RAW(SYS_ppoll, 0xffff800000001000, 0, &time, &none, 8);
}

/* A signal that ends the process does so also if the call has another error, and restores a mask that blocks it. */
static int masked_sleeps(void *unused)
{
    int checks = 0, selects = 1;

    (void)unused;
    for (int i = 0; i < 2; i++) {
        pid_t child = begin(sleeps_masked, i == 0 ? NULL : &selects);
        CHECK(falls_asleep(child) && kill(child, SIGALRM) == 0 && end_of(child) == SIGALRM);
    }
    /* one that was pending before stays so if the call does not wait */
    const uint64_t all = UINT64_MAX, none = 0;
    const struct {
        const uint64_t *mask;
        size_t size;
    } both = {&none, 8};
    uint64_t set = 1u << 20;
    struct timespec time = {0, 0};
    CHECK(RAW(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, 8) == 0 && raise(SIGALRM) == 0);
    CHECK(RAW(SYS_pselect6, 64, &set, 0, 0, &time, &both) == -EBADF);
    CHECK(RAW(SYS_ppoll, 0xffff800000001000, 1, &time, &none, 8) == -EFAULT);
    return 0;
}

/* mount and umount2 look for the place first. */
static int places_first(void *unused)
{
    const unsigned bind = 4096;
    int checks = 0;
    char link[] = "/tmp/nowhere.XXXXXX";

    (void)unused;
    CHECK(mkdtemp(link) != NULL && rmdir(link) == 0 && symlink("/nowhere", link) == 0);
    CHECK(RAW(SYS_mount, "x", "/nowhere", "nosuchfs", 0, 0) == -ENOENT);
    CHECK(RAW(SYS_mount, "x", "/nowhere", 0, 0, 0) == -ENOENT);
    CHECK(RAW(SYS_mount, "x", "/nowhere", "tmpfs", 0, "other") == -ENOENT);
    CHECK(RAW(SYS_mount, "/nowhere", "/dev/null/x", 0, bind, 0) == -ENOTDIR);
    CHECK(RAW(SYS_mount, "", link, 0, bind, 0) == -ENOENT);
    long got = RAW(SYS_mount, "x", "/", "", 0, 0);
    CHECK(got == (is_root() ? -ENODEV : -EPERM) || got == -EPERM);
    got = RAW(SYS_mount, "x", "/", 0, 0, 0);
    CHECK(got == (is_root() ? -EINVAL : -EPERM) || got == -EPERM);
    CHECK(RAW(SYS_umount2, link, 0) == -ENOENT);
    got = RAW(SYS_umount2, link, 8); /* UMOUNT_NOFOLLOW */
    CHECK(got == -EINVAL || got == -EPERM);
    CHECK(unlink(link) == 0);
    return 0;
}

/* A remount that fails leaves the flags as they were, and one that fails for the flags the size. */
static int failing_remounts(void *unused)
{
    int checks = 0, file;
    char place[] = "/tmp/remount.XXXXXX", name[40];

    (void)unused;
    if (!is_root() || (on_linux() && unshare(CLONE_NEWNS) != 0))
        return 0;
    CHECK(mkdtemp(place) != NULL);
    if (on_linux() && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return rmdir(place);
    snprintf(name, sizeof name, "%s/f", place);
    CHECK(mount("none", place, "tmpfs", 0, "size=64k") == 0);
    CHECK((file = open(name, O_RDWR | O_CREAT, 0600)) >= 0 && ftruncate(file, 20000) == 0);
    CHECK(write(file, own, 9000) == 9000);
    CHECK(RAW(SYS_mount, 0, place, 0, MS_REMOUNT | MS_RDONLY, "size=128k") == -EBUSY);
    CHECK(RAW(SYS_fallocate, file, 0, 0L, 100000L) == -ENOSPC);
    CHECK(close(file) == 0);
    CHECK(RAW(SYS_mount, 0, place, 0, MS_REMOUNT | MS_RDONLY, "size=4k") == -EINVAL);
    CHECK(RAW(SYS_mount, 0, place, 0, MS_REMOUNT | MS_RDONLY, "other") == -EINVAL);
    CHECK(unlink(name) == 0);
    CHECK(RAW(SYS_mount, 0, place, 0, MS_REMOUNT | MS_RDONLY, "size=4k") == 0);
    CHECK(mkdir(name, 0700) == -1 && errno == EROFS);
    CHECK(RAW(SYS_mount, 0, place, 0, MS_REMOUNT, "size=other") == -EINVAL);
    CHECK(mkdir(name, 0700) == -1 && errno == EROFS);
    CHECK(umount(place) == 0 && rmdir(place) == 0);
    return 0;
}

static void ignore_alarm(int number)
{
    (void)number;
}

static int burn(void *unused)
{
    (void)unused;
    for (volatile unsigned turns = 0;; turns++) {
    }
    return 0;
}

/* Sleeping by clocks of processor time: one's own stands meanwhile. */
static int processor_sleeps(void *unused)
{
    const struct sigaction action = {.sa_handler = ignore_alarm};
    const struct itimerval soon = {{0, 0}, {0, 50000}};
    const int clock = CLOCK_PROCESS_CPUTIME_ID;
    int checks = 0;
    struct timespec none = {0, 0}, short_time = {0, 30000000}, left = {7, 7};

    (void)unused;
    sigaction(SIGALRM, &action, NULL);
    CHECK(RAW(SYS_clock_nanosleep, clock, 0, &none, &left) == 0 && left.tv_sec == 7);
    CHECK(RAW(SYS_clock_nanosleep, clock, TIMER_ABSTIME, &none, 0) == 0);
    CHECK(RAW(SYS_clock_nanosleep, CPU_CLOCK(getpid(), 2), 0, &none, 0) == 0);
    CHECK(RAW(SYS_clock_nanosleep, CPU_CLOCK(0, OF_THREAD | 2), 0, &none, 0) == -EINVAL);
    CHECK(RAW(SYS_clock_nanosleep, CPU_CLOCK(1 << 27, 2), 0, &none, 0) == -EINVAL);
    setitimer(ITIMER_REAL, &soon, NULL);
    CHECK(RAW(SYS_clock_nanosleep, clock, 0, &short_time, &left) == -EINTR);
    CHECK(left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec <= 30000000);
    left.tv_sec = 7;
    short_time.tv_sec = 1000000;
    setitimer(ITIMER_REAL, &soon, NULL);
    CHECK(RAW(SYS_clock_nanosleep, clock, TIMER_ABSTIME, &short_time, &left) == -EINTR);
    CHECK(left.tv_sec == 7);
    pid_t child = begin(burn, NULL); /* by another's, which runs */
    short_time.tv_sec = 0;
    CHECK(RAW(SYS_clock_nanosleep, CPU_CLOCK(child, 2), 0, &short_time, &left) == 0);
    CHECK(clock_of(child, 2) >= 20);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    return 0;
}

/* The fields that adjtimex fills. */
static int clock_state(void *unused)
{
    uint64_t state[27]; /* struct timex, and a word behind it */
    int checks = 0;
    struct timespec now;

    (void)unused;
    memset(state, 0x5a, sizeof state);
    state[0] = 0;
    long got = RAW(SYS_adjtimex, state);
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK(got >= 0 && got <= 5);
    CHECK(state[6] > 0 && state[7] > 0);                             /* precision, tolerance */
    CHECK(now.tv_sec - (int64_t)state[9] <= 1 && state[11] >= 9000); /* time, tick */
    CHECK(state[26] == 0x5a5a5a5a5a5a5a5a);
    CHECK(RAW(SYS_clock_adjtime, CLOCK_REALTIME, state) == got);
    state[0] = 0xa001; /* ADJ_OFFSET_SS_READ */
    CHECK(RAW(SYS_adjtimex, state) == got);
    CHECK(RAW(SYS_clock_adjtime, CLOCK_MONOTONIC, state) == -EOPNOTSUPP);
    CHECK(RAW(SYS_clock_adjtime, 99, state) == -EINVAL);
    CHECK(RAW(SYS_clock_adjtime, CPU_CLOCK(0, 2), state) == -EOPNOTSUPP);
    CHECK(RAW(SYS_adjtimex, BAD) == -EFAULT && RAW(SYS_clock_adjtime, 99, BAD) == -EFAULT);
    state[0] = 0x4000; /* ADJ_TICK */
    CHECK(is_root() || RAW(SYS_adjtimex, state) == -EPERM);
    return 0;
}

static const struct {
    const char *name;
    int (*act)(void *unused);
    bool as_user;
} cases[] = {
    {"ioprio_set, ioprio_get", io_priorities, true},
    {"membarrier", barriers, false},
    {"sched_setattr, sched_getattr", attributes, true},
    {"getrandom", random_numbers, false},
    {"readahead, sync_file_range", advice, false},
    {"transfers and mappings past the last offset of a file", last_offsets, false},
    {"reads that fill memory up to the end of a mapping", filled_in_part, false},
    {"PR_SET_NAME, PR_GET_NAME, PR_GET_TIMING", own_name, false},
    {"getdents", old_directories, false},
    {"memfd_create", nameless_memory, false},
    {"memfd_create: names and errors", nameless_memory_edges, false},
    {"timers of processor time", processor_timers, false},
    {"unusual timers", unusual_timers, false},
    {"timers: what is kept, and alarm", exact_timers, false},
    {"no bytes at a bad address", bytes_of_nothing, false},
    {"the first of two errors", first_errors, false},
    {"mincore: pages before a hole", pages_before_hole, false},
    {"statx: roots of mounts", mount_roots, false},
    {"setdomainname", domain_names, false},
    {"splice", splices, false},
    {"sockets", sockets, false},
    {"clocks of processor time", processor_clocks, true},
    {"clock_settime, settimeofday: refusals", refused_times, true},
    {"futex: refusals and time limits", futex_refusals, false},
    {"futex: who is woken", futex_wakes, false},
    {"futex: who waits for another word", futex_moves, false},
    {"futex: words that are the same", futex_places, false},
    {"futex: owners that end", futex_owners, false},
    {"futex: signals", futex_signals, false},
    {"F_ADD_SEALS, F_GET_SEALS", seals, false},
    {"ppoll, pselect6: a signal that ends the process", masked_sleeps, false},
    {"copy_file_range of nothing", copies_of_nothing, false},
    {"mount, umount2: the first of two errors", places_first, false},
    {"mount: a remount that fails", failing_remounts, false},
    {"clock_nanosleep by processor time", processor_sleeps, false},
    {"adjtimex, clock_adjtime", clock_state, true},
};

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is(run_child(cases[i].act, NULL, cases[i].as_user && is_root()), EXITED(0), "%s",
           cases[i].name);
    }
    test_other_memory();
    if (is_root()) {
        is(run_child(more_permitted, NULL, false), EXITED(0), "processes that are permitted more");
    }
    int status = run_child(nice_limit, NULL, false);
    if (on_linux() && status == EXITED(MAY_NOT_RAISE)) {
        skip("the system does not let this program raise its limits", "RLIMIT_NICE");
    } else {
        is(status, EXITED(0), "RLIMIT_NICE");
    }
    if (on_linux() || !is_root()) {
        skip("other programs of this machine need the time", "clock_settime, settimeofday");
    } else {
        is(run_child(set_times, NULL, false), EXITED(0), "clock_settime, settimeofday");
    }
    return tap_end();
}
