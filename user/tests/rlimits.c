/*
 * The limits that a process has: RLIMIT_NOFILE for every call that makes a descriptor, RLIMIT_FSIZE
 * for every call that makes a file larger, RLIMIT_NPROC for every call that makes a process.
 */
#include "edge.h"
#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NR_FILES     40
#define FILE_LIMIT   10000

static char bytes[FILE_LIMIT + 1000];

static void set_limit(int resource, unsigned long value)
{
    struct rlimit limit;

    getrlimit(resource, &limit);
    limit.rlim_cur = value;
    is(setrlimit(resource, &limit), 0, "a limit of %lu for resource %d", value, resource);
}

/* The lowest descriptor that is free. */
static int lowest(void)
{
    int fd = dup(1);

    close(fd);
    return fd;
}

/* Makes every call that creates a descriptor while `left` more are allowed. */
static void test_no_files_left(int left)
{
    int ends[2] = {-7, -7}, free_before = lowest();

    is(RAW(SYS_pipe2, ends, 0), left >= 2 ? 0 : -EMFILE, "pipe with %d left", left);
    ok(left >= 2 || (ends[0] == -7 && ends[1] == -7), "it writes numbers only if it made them");
    if (left >= 2) {
        close(ends[0]);
        close(ends[1]);
    }
    is(lowest(), free_before, "it leaves nothing open");
    for (int i = 0; i < 3; i++) {
        long fd = i == 0   ? RAW(SYS_open, "/dev/null", O_RDONLY)
                  : i == 1 ? RAW(SYS_dup, 1)
                           : RAW(SYS_fcntl, 1, F_DUPFD, 0);
        const char *name = i == 0 ? "open" : i == 1 ? "dup" : "F_DUPFD";
        is(fd < 0 ? fd : 0, left > 0 ? 0 : -EMFILE, "%s with %d left", name, left);
        if (fd >= 0) {
            close((int)fd);
        }
    }
}

static void test_files(void)
{
    int high = fcntl(1, F_DUPFD, NR_FILES + 5);

    set_limit(RLIMIT_NOFILE, NR_FILES);
    is(result_of(dup2(1, NR_FILES)), -EBADF, "dup2 to the limit");
    is(RAW(SYS_dup3, 1, NR_FILES, O_CLOEXEC), -EBADF, "dup3 to the limit");
    is(result_of(dup2(1, NR_FILES - 1)), NR_FILES - 1, "dup2 to just below it");
    is(result_of(fcntl(1, F_DUPFD, NR_FILES)), -EINVAL, "F_DUPFD from the limit");
    is(result_of(fcntl(1, F_DUPFD, NR_FILES - 1)), -EMFILE, "F_DUPFD where only that was left");
    is(RAW(SYS_fcntl, 1, F_DUPFD, -1), -EINVAL, "F_DUPFD from -1");
    is(RAW(SYS_dup2, 1, 1 << 30), -EBADF, "dup2 to a huge number");
    is(RAW(SYS_dup2, 1, -1), -EBADF, "dup2 to -1");
    ok(write(high, "", 0) == 0, "a descriptor above the limit can be used");
    is(result_of(dup2(1, high)), -EBADF, "but not replaced");
    is(close(high), 0, "and can be closed");
    static struct pollfd polled[NR_FILES + 1];
    for (size_t i = 0; i < COUNT(polled); i++) {
        polled[i].fd = -1;
    }
    is(result_of(poll(polled, NR_FILES, 0)), 0, "poll of as many as the limit");
    is(result_of(poll(polled, NR_FILES + 1, 0)), -EINVAL, "poll of one more");
    while (dup(1) >= 0) {
    }
    is(errno, EMFILE, "dup until there is none left");
    test_no_files_left(0);
    close(20);
    test_no_files_left(1);
    close(25);
    test_no_files_left(2);
    for (int fd = 10; fd < NR_FILES; fd++) {
        close(fd);
    }
}

/* With the highest limit, the table itself becomes full. */
static void test_whole_table(void)
{
    struct rlimit limit;
    int count = 0, ends[2];

    getrlimit(RLIMIT_NOFILE, &limit);
    unsigned long wanted = limit.rlim_max < 5000 ? limit.rlim_max : 5000;
    set_limit(RLIMIT_NOFILE, wanted);
    while (dup(1) >= 0) {
        count++;
    }
    is(errno, EMFILE, "dup ends with EMFILE (%d made)", count);
    is(result_of(pipe(ends)), -EMFILE, "pipe too");
    close(20);
    is(result_of(pipe(ends)), -EMFILE, "pipe with one left");
    is(result_of(dup(1)), 20, "which is still free afterwards");
    for (int fd = 10; fd < 5000; fd++) {
        close(fd);
    }
}

/* A case makes a file of `start` bytes larger in some way, under a limit of FILE_LIMIT. */
static struct size_case {
    const char *name;
    long (*grow)(int fd);
    long start, result, size;
} *grown;

static long grow_write(int fd)
{
    return result_of(write(fd, bytes, 600));
}

static long grow_pwrite(int fd)
{
    return result_of(pwrite(fd, bytes, 600, FILE_LIMIT - 100));
}

static long grow_writev(int fd)
{
    struct iovec vector[2] = {{bytes, 300}, {bytes, 300}};

    return result_of(writev(fd, vector, 2));
}

static long grow_sendfile(int fd)
{
    int zero = open("source", O_RDONLY);

    return result_of(sendfile(fd, zero, NULL, 600));
}

static long grow_ftruncate(int fd)
{
    return result_of(ftruncate(fd, FILE_LIMIT + 1));
}

static long grow_ftruncate_inside(int fd)
{
    return result_of(ftruncate(fd, FILE_LIMIT));
}

static long grow_truncate(int fd)
{
    (void)fd;
    return result_of(truncate("grown", FILE_LIMIT + 1));
}

static long grow_fallocate(int fd)
{
    return RAW(SYS_fallocate, fd, 0, 0, FILE_LIMIT + 1);
}

static long grow_null(int fd)
{
    (void)fd;
    return result_of(write(open("/dev/null", O_WRONLY), bytes, sizeof bytes));
}

static long grow_pipe(int fd)
{
    int ends[2];

    (void)fd;
    return pipe(ends) != 0 ? -1 : result_of(write(ends[1], bytes, sizeof bytes));
}

static int grow(void *ignored)
{
    int fd = open("grown", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct rlimit limit = {FILE_LIMIT, FILE_LIMIT};

    if (write(fd, bytes, (size_t)grown->start) != grown->start) {
        return 98;
    }
    signal(SIGXFSZ, ignored != NULL ? SIG_IGN : SIG_DFL);
    setrlimit(RLIMIT_FSIZE, &limit);
    long got = grown->grow(fd);
    return got == grown->result && lseek(fd, 0, SEEK_END) == grown->size ? 0 : 1;
}

static long grow_reader(int fd)
{
    int reader = open("grown", O_RDONLY);
    (void)fd;
    return result_of(ftruncate(reader, 2 * FILE_LIMIT));
}

/* Whether the file may be written at all comes first. */
static long grow_refused(int fd)
{
    if (fchmod(fd, 0444) != 0 || seteuid(65534) != 0) {
        return 97;
    }
    return result_of(truncate("grown", 2 * FILE_LIMIT));
}

static void test_sizes(void)
{
    static struct size_case cases[] = {
        {"write below the limit", grow_write, FILE_LIMIT - 600, 600, FILE_LIMIT},
        {"write over the limit", grow_write, FILE_LIMIT - 100, 100, FILE_LIMIT},
        {"write at the limit", grow_write, FILE_LIMIT, -EFBIG, FILE_LIMIT},
        {"pwrite over the limit", grow_pwrite, 5, 100, FILE_LIMIT},
        {"writev over the limit", grow_writev, FILE_LIMIT - 400, 400, FILE_LIMIT},
        {"writev at the limit", grow_writev, FILE_LIMIT, -EFBIG, FILE_LIMIT},
        {"sendfile at the limit", grow_sendfile, FILE_LIMIT, -EFBIG, FILE_LIMIT},
        {"ftruncate to the limit", grow_ftruncate_inside, 5, 0, FILE_LIMIT},
        {"ftruncate over the limit", grow_ftruncate, 5, -EFBIG, 5},
        {"ftruncate of a reader over the limit", grow_reader, 5, -EINVAL, 5},
        {"truncate over the limit", grow_truncate, 5, -EFBIG, 5},
        {"truncate over the limit without permission", grow_refused, 5, -EACCES, 5},
        {"fallocate over the limit", grow_fallocate, 5, -EFBIG, 5},
        {"write to /dev/null", grow_null, 5, sizeof bytes, 5},
        {"write to a pipe", grow_pipe, 5, sizeof bytes, 5},
    };
    int source = open("source", O_RDWR | O_CREAT, 0600);

    ok(write(source, bytes, 1000) == 1000, "a file to send");
    for (size_t i = 0; i < COUNT(cases); i++) {
        grown = &cases[i];
        is(run_child(grow, grown, false), EXITED(0), "%s, SIGXFSZ ignored: the result and the size",
           grown->name);
        is(WITHOUT_CORE(run_child(grow, NULL, false)),
           grown->result == -EFBIG ? KILLED(SIGXFSZ) : EXITED(0), "%s: SIGXFSZ", grown->name);
    }
    close(source);
    unlink("source");
    unlink("grown");
}

#define LONELY 61234 /* a user that has no other processes */
#define ROOM   5     /* the processes that it may have */

static long fork_by(int way)
{
    long pid =
        way == 0 ? RAW(SYS_fork) : RAW(SYS_clone, way == 1 ? SIGCHLD : CLONE_FILES | SIGCHLD);

    if (pid == 0) {
        alarm(20);
        pause();
        _exit(0);
    }
    return pid;
}

/* Returns 0 if exactly as many processes as the limit allows can be made, and again after they have
 * ended. */
static int fork_until_refused(void *user)
{
    struct rlimit limit = {ROOM, ROOM};
    long pids[ROOM + 1];
    int made = 0;

    if (setgid(LONELY) != 0 || setuid(*(uid_t *)user) != 0 ||
        setrlimit(RLIMIT_NPROC, &limit) != 0) {
        return 98;
    }
    for (int round = 0; round < 3; round++) {
        made = 0;
        do {
            pids[made] = fork_by(round);
        } while (pids[made] > 0 && ++made <= ROOM);
        for (int i = 0; i < made; i++) {
            kill((pid_t)pids[i], SIGKILL);
            waitpid((pid_t)pids[i], NULL, 0);
        }
        if (*(uid_t *)user != 0 && (made != ROOM - 1 || pids[made] != -EAGAIN)) {
            return 10 + made;
        }
    }
    return made;
}

static void test_processes(void)
{
    uid_t user = LONELY, root = 0;

    if (!is_root()) {
        skip("needs root", "RLIMIT_NPROC of a user");
        return;
    }
    is(run_child(fork_until_refused, &user, false), EXITED(ROOM - 1),
       "RLIMIT_NPROC: a user's fork and clone end with EAGAIN, until its processes end");
    is(run_child(fork_until_refused, &root, false), EXITED(ROOM + 1), "it does not bind root");
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/rlimits.XXXXXX";

    tap_begin(argc, argv);
    ok(mkdtemp(directory) != NULL && chdir(directory) == 0, "an empty directory");
    test_files();
    test_whole_table();
    test_sizes();
    test_processes();
    rmdir(directory);
    return tap_end();
}
