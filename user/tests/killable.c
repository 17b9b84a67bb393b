/*
 * SIGKILL ends a process soon: in every call that sleeps, in every call that a program can make
 * long, while stopped, with all signals blocked and ignored, and as a parent in vfork. The limit is
 * the test's own, far below the time that the call would take.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIFO     "/tmp/killable.fifo"
#define HOLE     "/tmp/killable.hole" /* a file of 1 GB without a byte */
#define NOT_HERE 77 /* the exit status of a victim where the kernel has no such call */

/* A victim calls `act` again and again, which sleeps, runs or stops the process. */
struct victim {
    const char *name;
    void (*act)(void);
    enum victim_kind { SLEEPS, RUNS, STOPS } kind;
};

/* The memory that a test shares with its children. */
struct victim_shared {
    volatile pid_t pid;
    volatile int done; /* set it to end the child of in_vfork */
    volatile int word; /* 7 when that child ends */
};

#define GB         (1UL << 30)
#define SPARSE     (8 * GB)
#define HOUR       3600
#define FUTEX_WAIT 0

static struct victim_shared *victim_shared;
static int victim_empty[2], victim_full[2]; /* two pipes, one of them full */
static char victim_bytes[65536];

static void in_pause(void)
{
    pause();
}

static void in_sigsuspend(void)
{
    sigset_t all;

    sigfillset(&all);
    sigsuspend(&all);
}

static void in_sigtimedwait(void)
{
    struct timespec time = {HOUR, 0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigtimedwait(&set, NULL, &time);
}

static void in_sigwaitinfo(void)
{
    sigset_t set;

    sigfillset(&set);
    sigwaitinfo(&set, NULL);
}

static void in_nanosleep(void)
{
    struct timespec time = {HOUR, 0};

    nanosleep(&time, NULL);
}

static void in_clock_nanosleep(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += HOUR;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void in_poll(void)
{
    struct pollfd polled = {.fd = victim_empty[0], .events = POLLIN};

    poll(&polled, 1, -1);
}

static void in_poll_of_nothing(void)
{
    poll(NULL, 0, HOUR * 1000);
}

static void in_ppoll(void)
{
    struct pollfd polled = {.fd = victim_full[1], .events = POLLOUT};

    ppoll(&polled, 1, NULL, NULL);
}

static void in_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET((size_t)victim_empty[0], &set);
    select(victim_empty[0] + 1, &set, NULL, NULL, NULL);
}

static void in_pselect(void)
{
    struct timespec time = {HOUR, 0};

    pselect(0, NULL, NULL, NULL, &time, NULL);
}

static void in_read(void)
{
    RAW(SYS_read, victim_empty[0], victim_bytes, 1);
}

static void in_readv(void)
{
    struct iovec vector = {victim_bytes, 10};

    RAW(SYS_readv, victim_empty[0], &vector, 1);
}

static void in_write(void)
{
    RAW(SYS_write, victim_full[1], victim_bytes, sizeof victim_bytes);
}

static void in_writev(void)
{
    struct iovec vector = {victim_bytes, 10};

    RAW(SYS_writev, victim_full[1], &vector, 1);
}

static void in_sendfile(void)
{
    int fd = open(HOLE, O_RDONLY);

    RAW(SYS_sendfile, victim_full[1], fd, 0, 100);
}

static void in_open_for_reading(void)
{
    RAW(SYS_open, FIFO, O_RDONLY, 0);
}

static void in_open_for_writing(void)
{
    RAW(SYS_open, FIFO, O_WRONLY, 0);
}

static void start_pausing_child(void)
{
    if (fork() == 0) {
        alarm(20);
        signal(SIGALRM, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        pause();
    }
}

static void in_wait(void)
{
    start_pausing_child();
    RAW(SYS_wait4, -1, 0, 0, 0);
}

static void in_waitid(void)
{
    start_pausing_child();
    RAW(SYS_waitid, P_ALL, 0, 0, WEXITED, 0);
}

static void in_futex(void)
{
    victim_shared->word = 0;
    if (RAW(SYS_futex, &victim_shared->word, FUTEX_WAIT, 0, 0) == -ENOSYS) {
        _exit(NOT_HERE);
    }
}

static void in_flock(void)
{
    int first = open(HOLE, O_RDWR), second = open(HOLE, O_RDWR);

    if (RAW(SYS_flock, first, LOCK_EX) != 0) {
        _exit(NOT_HERE);
    }
    RAW(SYS_flock, second, LOCK_EX);
}

static void in_terminal_read(void)
{
    int fd = open("/dev/tty", O_RDONLY);

    fd = fd < 0 && isatty(0) ? 0 : fd;
    if (fd < 0) {
        _exit(NOT_HERE);
    }
    RAW(SYS_read, fd, victim_bytes, sizeof victim_bytes);
}

/* The child of vfork outlives its parent and ends by itself. */
/* Sleeps as the parent in vfork. */
static void in_vfork(void)
{
    if (vfork() == 0) {
        for (int i = 0; i < 600 && !victim_shared->done; i++) {
            struct timespec time = {0, 5000000};
            RAW(SYS_nanosleep, &time, 0);
        }
        victim_shared->word = 7;
        RAW(SYS_exit_group, 0);
    }
}

/* Long calls, and loops of calls that succeed at once. */

static void in_read_of_a_hole(void)
{
    char *to = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open(HOLE, O_RDONLY);

    for (;;) {
        RAW(SYS_pread64, fd, to, 64 << 20, 0);
    }
}

static void in_sendfile_of_a_hole(void)
{
    int in = open(HOLE, O_RDONLY), out = open("/dev/null", O_WRONLY);
    long offset = 0;

    for (;;) {
        offset = 0;
        RAW(SYS_sendfile, out, in, &offset, GB);
    }
}

static void in_read_of_zeros(void)
{
    char *to = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/dev/zero", O_RDONLY);

    for (;;) {
        RAW(SYS_read, fd, to, 32 << 20);
    }
}

static void in_getrandom(void)
{
    char *to = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (;;) {
        RAW(SYS_getrandom, to, 16 << 20, 0);
    }
}

static void in_mappings(void)
{
    for (;;) {
        char *at = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (size_t i = 0; at != MAP_FAILED && i < 16 << 20; i += 4096) {
            at[i] = 1;
        }
        munmap(at, 16 << 20);
    }
}

static void in_empty_mappings(void)
{
    for (;;) {
        void *at =
            mmap(NULL, 512 * GB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        void *to = mremap(at, 512 * GB, 513 * GB, MREMAP_MAYMOVE);
        munmap(to == MAP_FAILED ? at : to, 513 * GB);
    }
}

/* One page in each page table. */
static char *sparse(void)
{
    char *at = mmap(NULL, SPARSE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    for (size_t i = 0; i < SPARSE; i += 2 << 20) {
        at[i] = 1;
    }
    return at;
}

static void in_sparse_moves(void)
{
    char *at = sparse();
    char *other = mmap(NULL, SPARSE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    for (;;) {
        RAW(SYS_mremap, at, SPARSE, SPARSE, MREMAP_MAYMOVE | MREMAP_FIXED, other);
        char *place = at;
        at = other;
        other = place;
    }
}

static void in_sparse_forks(void)
{
    sparse();
    for (;;) {
        pid_t pid = (pid_t)RAW(SYS_fork);
        if (pid == 0) {
            RAW(SYS_exit_group, 0);
        }
        RAW(SYS_wait4, pid, 0, 0, 0);
    }
}

static void in_truncations(void)
{
    int fd = open("/tmp/killable.long", O_RDWR | O_CREAT, 0600);

    RAW(SYS_unlink, "/tmp/killable.long");
    for (;;) {
        RAW(SYS_fallocate, fd, 0, 0, 64 << 20);
        RAW(SYS_ftruncate, fd, 0);
    }
}

static void in_removals(void)
{
    for (;;) {
        int fd = (int)RAW(SYS_open, "/tmp/killable.long", O_RDWR | O_CREAT, 0600);
        RAW(SYS_fallocate, fd, 0, 0, 64 << 20);
        RAW(SYS_unlink, "/tmp/killable.long");
        RAW(SYS_close, fd);
    }
}

static void in_long_arguments(void)
{
    static char *arguments[100000];

    for (size_t i = 0; i + 1 < sizeof arguments / sizeof arguments[0]; i++) {
        arguments[i] = "argument";
    }
    for (;;) {
        RAW(SYS_execve, "/no/such", arguments, arguments);
    }
}

static void in_getpid(void)
{
    for (;;) {
        RAW(SYS_getpid);
    }
}

static void in_ring_3(void)
{
    for (;;) {
        __asm__ volatile("pause");
    }
}

static void in_bad_calls(void)
{
    for (;;) {
        RAW(SYS_rt_sigprocmask, 0, 1, 0, 8);
    }
}

static void stopped(void)
{
    for (;;) {
        kill(getpid(), SIGSTOP);
    }
}

/* The last has no name. */
static const struct victim victims[] = {
    {"pause", in_pause, SLEEPS},
    {"sigsuspend", in_sigsuspend, SLEEPS},
    {"sigtimedwait", in_sigtimedwait, SLEEPS},
    {"sigwaitinfo for all signals", in_sigwaitinfo, SLEEPS},
    {"nanosleep", in_nanosleep, SLEEPS},
    {"clock_nanosleep", in_clock_nanosleep, SLEEPS},
    {"poll", in_poll, SLEEPS},
    {"poll of nothing", in_poll_of_nothing, SLEEPS},
    {"ppoll", in_ppoll, SLEEPS},
    {"select", in_select, SLEEPS},
    {"pselect", in_pselect, SLEEPS},
    {"read from a pipe", in_read, SLEEPS},
    {"readv from a pipe", in_readv, SLEEPS},
    {"write to a pipe", in_write, SLEEPS},
    {"writev to a pipe", in_writev, SLEEPS},
    {"sendfile to a pipe", in_sendfile, SLEEPS},
    {"open of a FIFO for reading", in_open_for_reading, SLEEPS},
    {"open of a FIFO for writing", in_open_for_writing, SLEEPS},
    {"wait4", in_wait, SLEEPS},
    {"waitid", in_waitid, SLEEPS},
    {"futex", in_futex, SLEEPS},
    {"flock", in_flock, SLEEPS},
    {"read of the terminal", in_terminal_read, SLEEPS},
    {"vfork, as its parent", in_vfork, SLEEPS},
    {"stopped", stopped, STOPS},
    {"reads of a hole of 64 MB", in_read_of_a_hole, RUNS},
    {"sendfile of a hole of 1 GB", in_sendfile_of_a_hole, RUNS},
    {"reads of /dev/zero", in_read_of_zeros, RUNS},
    {"getrandom of 16 MB", in_getrandom, RUNS},
    {"mappings that are filled and unmapped", in_mappings, RUNS},
    {"mappings of 512 GB that are moved", in_empty_mappings, RUNS},
    {"memory with a page in each table that is moved", in_sparse_moves, RUNS},
    {"memory with a page in each table that is copied", in_sparse_forks, RUNS},
    {"files of 64 MB that are cut off", in_truncations, RUNS},
    {"files of 64 MB that are removed", in_removals, RUNS},
    {"100000 arguments", in_long_arguments, RUNS},
    {"short calls", in_getpid, RUNS},
    {"calls that fail", in_bad_calls, RUNS},
    {"no calls", in_ring_3, RUNS},
    {0},
};

#define SOON 5000 /* milliseconds; the calls themselves would take an hour */

/* Blocks and ignores all signals that can be blocked or ignored. */
static __attribute__((noreturn)) int become_victim(void *argument)
{
    const struct victim *victim = argument;
    sigset_t all;

    for (int number = 1; number < 65; number++) {
        if (number != SIGCHLD) {
            signal(number, SIG_IGN);
        }
    }
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        victim->act();
    }
}

static bool settles(pid_t pid, const struct victim *victim)
{
    if (victim->kind == SLEEPS) {
        return falls_asleep(pid);
    }
    for (int i = 0; victim->kind == STOPS && i < 1000 && state_of(pid) != 'T'; i++) {
        sleep_ms(2);
    }
    sleep_ms(victim->kind == RUNS ? 30 : 0);
    return victim->kind == RUNS || state_of(pid) == 'T';
}

static void test_victim(const struct victim *victim)
{
    if (victim->kind == STOPS && !on_linux()) {
        skip("umbra has no job control", "SIGKILL ends what SIGSTOP has stopped");
        return;
    }
    memset(victim_shared, 0, sizeof *victim_shared);
    pid_t pid = begin(become_victim, (void *)(uintptr_t)victim);
    bool settled = settles(pid, victim);
    int status = 0;
    if (!settled && waitpid(pid, &status, WNOHANG) == pid && status == EXITED(NOT_HERE)) {
        skip("no such call or device here", "SIGKILL ends %s", victim->name);
        return;
    }
    ok(settled && kill(pid, SIGTERM) == 0 && waitpid(pid, NULL, WNOHANG) == 0,
       "%s: it goes on at a signal that it ignores", victim->name);
    kill(pid, SIGKILL);
    is(finish(pid, SOON), KILLED(SIGKILL), "%s: SIGKILL ends it", victim->name);
}

/* The child of a vfork whose parent was killed keeps running in memory that is still mapped. */
static void test_vfork_child(void)
{
    static const struct victim victim = {"vfork", in_vfork, SLEEPS};

    memset(victim_shared, 0, sizeof *victim_shared);
    pid_t pid = begin(become_victim, (void *)(uintptr_t)&victim);
    bool asleep = falls_asleep(pid);
    kill(pid, SIGKILL);
    ok(asleep && finish(pid, SOON) == KILLED(SIGKILL), "the parent of a vfork is ended");
    victim_shared->done = 1;
    for (int i = 0; i < 1000 && victim_shared->word != 7; i++) {
        sleep_ms(5);
    }
    is(victim_shared->word, 7, "its child goes on");
}

static int vfork_and_go_on(void *unused)
{
    (void)unused;
    if (vfork() == 0) {
        victim_shared->pid = (pid_t)RAW(SYS_getpid);
        for (;;) {
            RAW(SYS_pause);
        }
    }
    return 8;
}

static void test_vfork_parent(void)
{
    memset(victim_shared, 0, sizeof *victim_shared);
    pid_t pid = begin(vfork_and_go_on, NULL);
    for (int i = 0; i < 1000 && victim_shared->pid == 0; i++) {
        sleep_ms(2);
    }
    is(kill(victim_shared->pid, SIGKILL), 0, "the child of a vfork is ended");
    is(finish_or_kill(pid, SOON), EXITED(8), "its parent goes on");
}

static __attribute__((noreturn)) int pause_in_group(void *unused)
{
    (void)unused;
    setpgid(0, 0);
    for (int i = 0; i < 3 && fork() > 0; i++) {
    }
    for (;;) {
        pause();
    }
}

static void test_group(void)
{
    pid_t pid = begin(pause_in_group, NULL);

    falls_asleep(pid);
    is(kill(-pid, SIGKILL), 0, "SIGKILL for a group");
    is(finish(pid, SOON), KILLED(SIGKILL), "ends its leader");
    for (int i = 0; i < 1000 && kill(-pid, 0) == 0; i++) {
        sleep_ms(2);
    }
    is(kill(-pid, 0) == 0 ? 0 : errno, ESRCH, "and the others");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    victim_shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unlink(FIFO);
    int fd = open(HOLE, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ok(mkfifo(FIFO, 0600) == 0 && ftruncate(fd, 1L << 30) == 0 && pipe(victim_empty) == 0 &&
           pipe(victim_full) == 0 &&
           write(victim_full[1], victim_bytes, sizeof victim_bytes) == sizeof victim_bytes,
       "a FIFO, a hole, an empty pipe and a full one");
    close(fd);
    for (const struct victim *victim = victims; victim->name != NULL; victim++) {
        test_victim(victim);
    }
    test_vfork_child();
    test_vfork_parent();
    test_group();
    unlink(FIFO);
    unlink(HOLE);
    return tap_end();
}
