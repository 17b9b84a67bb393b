/*
 * The rules of pipes, one by one: the bytes that remain when one side is closed, PIPE_BUF, readv,
 * fstat, fcntl, capacities, and pipes that are opened again through /proc/self/fd. `pipes` checks the bytes.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CAPACITY 65536

static char bytes[CAPACITY];

static short poll_events(int fd, short events)
{
    struct pollfd polled = {.fd = fd, .events = events};

    return poll(&polled, 1, 0) < 0 ? -1 : polled.revents;
}

static int write_and_die(void *fd)
{
    signal(SIGPIPE, SIG_DFL);
    return write(*(int *)fd, "x", 1) == 1 ? 0 : 1;
}

static siginfo_t sent;

static void keep_info(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    sent = *info;
}

static void test_sender(void)
{
    struct sigaction action = {.sa_sigaction = keep_info, .sa_flags = SA_SIGINFO};
    int ends[2];

    is(pipe(ends), 0, "a pipe");
    close(ends[0]);
    sigaction(SIGPIPE, &action, NULL);
    is(result_of(write(ends[1], "x", 1)), -EPIPE, "without a reader, a write");
    is(sent.si_signo, SIGPIPE, "a handler gets SIGPIPE");
    is(sent.si_code, SI_USER, "as from a program");
    is(sent.si_pid, getpid(), "which is this one");
    is((long)sent.si_uid, (long)getuid(), "and its user");
    close(ends[1]);
}

static void test_no_reader(void)
{
    int ends[2];

    is(pipe(ends), 0, "a pipe");
    int more = dup(ends[0]);
    close(ends[0]);
    is(write(ends[1], "abc", 3), 3, "with one of two read ends closed, a write");
    close(more);
    signal(SIGPIPE, SIG_IGN);
    is(result_of(write(ends[1], "x", 1)), -EPIPE, "with both closed, a write");
    is(result_of(write(ends[1], "x", 0)), 0, "a write of nothing");
    is(poll_events(ends[1], POLLOUT), POLLOUT | POLLERR, "poll says POLLERR");
    is(poll_events(ends[1], 0), POLLERR, "which is not asked for");
    is(run_child(write_and_die, &ends[1], false), KILLED(SIGPIPE), "SIGPIPE ends the writer");
    close(ends[1]);
}

static void test_no_writer(void)
{
    int ends[2];
    char got[8];

    is(pipe(ends), 0, "a pipe");
    is(poll_events(ends[0], POLLIN), 0, "with a writer and no bytes, poll says nothing");
    is(write(ends[1], "abc", 3), 3, "three bytes");
    close(ends[1]);
    is(poll_events(ends[0], POLLIN), POLLIN | POLLHUP, "bytes and no writer");
    is(read(ends[0], got, sizeof got), 3, "the bytes can still be read");
    is(read(ends[0], got, sizeof got), 0, "then comes the end");
    is(read(ends[0], got, sizeof got), 0, "and comes again");
    is(poll_events(ends[0], POLLIN), POLLHUP, "no bytes and no writer");
    close(ends[0]);
}

static void wake(int number)
{
    (void)number;
}

/* Lets sleeping calls end with EINTR after so many seconds; 0 switches that off. */
static void limit_sleeps(unsigned seconds)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = wake;
    sigaction(SIGALRM, &action, NULL);
    alarm(seconds);
}

/* The writer closes between two parts: readv and read return the bytes so far, and do not wait. */
static void test_reads_what_is_there(void)
{
    int ends[2];
    char got[16];
    struct iovec parts[3] = {{got, 4}, {got + 4, 4}, {got + 8, 8}};

    is(pipe(ends), 0, "a pipe");
    is(write(ends[1], "abcd", 4), 4, "as many bytes as the first part has");
    limit_sleeps(2);
    is(readv(ends[0], parts, 3), 4, "readv gives them and does not wait for more");
    limit_sleeps(2);
    is(write(ends[1], "abcdef", 6), 6, "six bytes");
    is(readv(ends[0], parts, 3), 6, "readv gives six");
    ok(memcmp(got, "abcdef", 6) == 0, "in order");
    limit_sleeps(2);
    is(write(ends[1], "ab", 2) + write(ends[1], "cd", 2), 4, "two writes");
    is(read(ends[0], got, sizeof got), 4, "one read gives both");
    struct iovec empty[2] = {{got, 0}, {NULL, 0}};
    is(readv(ends[0], empty, 2), 0, "readv into nothing does not wait");
    is(read(ends[0], got, 0), 0, "nor does a read of nothing");
    limit_sleeps(0);
    close(ends[0]);
    close(ends[1]);
}

/* Of a page of a pipe a read takes what was asked for, or nothing if memory ends before. */
static void test_memory_that_ends(void)
{
    int ends[2], left = 0;
    char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const size_t size = PAGE + 100;

    munmap(memory + 2 * PAGE, PAGE);
    is(pipe2(ends, O_NONBLOCK), 0, "a pipe");
    is(write(ends[1], bytes, 100), 100, "100 bytes in a pipe");
    is(RAW(SYS_read, ends[0], memory + 2 * PAGE - 50, 100), -EFAULT,
       "50 that end in no memory are EFAULT");
    struct iovec parts[] = {{memory, 50}, {memory + 2 * PAGE, 50}};
    is(RAW(SYS_readv, ends[0], parts, 2), -EFAULT, "also as two parts");
    is(ioctl(ends[0], FIONREAD, &left) == 0 ? left : -1, 100, "and all stay in the pipe");
    is(read(ends[0], bytes, 100), 100, "for the next read");
    is(write(ends[1], bytes, size), size, "a page and 100 bytes");
    is(read(ends[0], memory + PAGE - 50, size), PAGE,
       "of which the page is read, if memory ends after 50 more");
    is(ioctl(ends[0], FIONREAD, &left) == 0 ? left : -1, 100, "and 100 stay");
    munmap(memory, 2 * PAGE);
    close(ends[0]);
    close(ends[1]);
}

/* select and pselect6 store the remaining time, and poll does not sleep past its timeout. */
static void test_time_left(void)
{
    struct timeval time = {20, 0};
    struct timespec precise = {20, 0};
    int ends[2];
    fd_set set;

    ok(pipe(ends) == 0 && write(ends[1], "x", 1) == 1, "a pipe with a byte");
    FD_ZERO(&set);
    FD_SET((size_t)ends[0], &set);
    is(RAW(SYS_select, ends[0] + 1, &set, 0, 0, &time), 1, "select ends at once");
    ok(time.tv_sec == 19 && time.tv_usec > 0, "and writes what was left of 20 seconds");
    is(RAW(SYS_pselect6, ends[0] + 1, &set, 0, 0, &precise, 0), 1, "pselect6 too");
    ok(precise.tv_sec == 19 && precise.tv_nsec > 0, "and writes it");
    time = (struct timeval){0, 30000};
    is(RAW(SYS_read, ends[0], bytes, 1), 1, "the byte is taken");
    is(RAW(SYS_select, ends[0] + 1, &set, 0, 0, &time), 0, "select to the end of its time");
    ok(time.tv_sec == 0 && time.tv_usec == 0, "leaves none");
    close(ends[0]);
    close(ends[1]);
}

/* Fills a non-blocking pipe except for `room` bytes, and then reads `room` bytes. */
static void test_atomic(size_t room)
{
    int ends[2];
    struct iovec parts[2] = {{bytes, room / 2 + 1}, {bytes, room / 2 + 1}};

    is(pipe2(ends, O_NONBLOCK), 0, "a pipe with room for %zu bytes", room);
    ok(write(ends[1], bytes, CAPACITY - 4096) == CAPACITY - 4096 &&
           write(ends[1], bytes, 4096 - room) == (ssize_t)(4096 - room),
       "filled");
    size_t size = parts[0].iov_len + parts[1].iov_len;
    long got = result_of(writev(ends[1], parts, 2));
    ok(got == (long)size || got == -EAGAIN, "writev of %zu bytes is whole or EAGAIN, not %ld", size,
       got);
    int count = 0;
    ioctl(ends[0], FIONREAD, &count);
    is(count, CAPACITY - (int)room + (got > 0 ? (int)got : 0), "and nothing else was written");
    while (write(ends[1], bytes, 1) == 1) {
    }
    is(errno, EAGAIN, "single bytes go in until it is full");
    is(result_of(write(ends[1], bytes, CAPACITY)), -EAGAIN, "then a large write is EAGAIN");
    close(ends[0]);
    close(ends[1]);
}

static void test_stat(void)
{
    int first[2], second[2];
    struct stat status[4];

    ok(pipe(first) == 0 && pipe(second) == 0, "two pipes");
    for (int i = 0; i < 2; i++) {
        is(fstat(first[i], &status[i]), 0, "fstat of end %d", i);
        is(S_ISFIFO(status[i].st_mode), 1, "it is a FIFO");
        is(status[i].st_mode & 07777, 0600, "its mode");
        is(fstat(second[i], &status[2 + i]), 0, "fstat of end %d of the other", i);
    }
    ok(status[0].st_ino == status[1].st_ino && status[0].st_dev == status[1].st_dev,
       "both ends are one file");
    ok(status[0].st_ino != status[2].st_ino, "two pipes are two");
    ok(status[0].st_uid == geteuid() && status[0].st_gid == getegid(), "its owner");
    is(status[0].st_size, 0, "its size");
    is(result_of(lseek(first[0], 0, SEEK_CUR)), -ESPIPE, "lseek");
    is(result_of(pread(first[0], bytes, 1, 0)), -ESPIPE, "pread");
    is(result_of(ftruncate(first[1], 0)), -EINVAL, "ftruncate");
    is(result_of(read(first[1], bytes, 1)), -EBADF, "read of the write end");
    is(result_of(write(first[0], bytes, 1)), -EBADF, "write to the read end");
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
}

static void test_flags(void)
{
    int ends[2];

    is(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0, "pipe2");
    is(fcntl(ends[0], F_GETFL), O_RDONLY | O_NONBLOCK, "F_GETFL of the read end");
    is(fcntl(ends[1], F_GETFL), O_WRONLY | O_NONBLOCK, "F_GETFL of the write end");
    is(fcntl(ends[0], F_GETFD) + fcntl(ends[1], F_GETFD), 2 * FD_CLOEXEC, "both close on exec");
    is(fcntl(ends[0], F_SETFL, 0), 0, "F_SETFL of one end");
    is(fcntl(ends[1], F_GETFL), O_WRONLY | O_NONBLOCK, "leaves the other");
    close(ends[0]);
    close(ends[1]);
    is(result_of(pipe2(ends, O_APPEND)), -EINVAL, "pipe2 with O_APPEND");
    is(RAW(SYS_pipe2, 8, 0), -EFAULT, "pipe2 to nowhere");
    is(RAW(SYS_dup, 0) == ends[0], 1, "takes no descriptors");
    close(ends[0]);
}

/* The magic link of a pipe leads to the pipe, and open makes a new description of it. */
static void test_reopened(void)
{
    int ends[2];
    char link[64], text[64], wanted[64], got[8];
    struct stat status, through;

    is(pipe(ends), 0, "a pipe to open again");
    snprintf(link, sizeof link, "/proc/self/fd/%d", ends[0]);
    fstat(ends[0], &status);
    ssize_t length = readlink(link, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    snprintf(wanted, sizeof wanted, "pipe:[%lu]", (unsigned long)status.st_ino);
    ok(strcmp(text, wanted) == 0, "readlink gives %s", wanted);
    is(stat(link, &through), 0, "stat follows the link");
    ok(S_ISFIFO(through.st_mode) && through.st_ino == status.st_ino, "to the pipe");
    int writer = open(link, O_WRONLY);
    is(fcntl(writer, F_GETFL) & O_ACCMODE, O_WRONLY, "the read end opened for writing");
    is(write(writer, "abc", 3), 3, "can be written to");
    int reader = open(link, O_RDONLY | O_NONBLOCK);
    is(read(reader, got, sizeof got), 3, "and another, opened for reading, reads that");
    is(result_of(read(reader, got, 1)), -EAGAIN, "has O_NONBLOCK");
    is(fcntl(ends[0], F_GETFL), O_RDONLY, "and the first has not");
    is(result_of(write(reader, "x", 1)), -EBADF, "does not write");
    int both = open(link, O_RDWR | O_NONBLOCK);
    is(write(both, "xy", 2), 2, "opened for both it writes");
    is(read(both, got, sizeof got), 2, "and reads");
    close(ends[1]);
    close(writer);
    is(result_of(read(reader, got, 1)), -EAGAIN, "while that is open there is a writer");
    close(both);
    is(read(reader, got, 1), 0, "afterwards there is none");
    close(ends[0]);
    close(reader);
}

/* Bytes that go into a pipe that does not block, in whole pages. */
static long fill_up(int fd)
{
    long sum = 0;
    ssize_t n;

    while ((n = write(fd, bytes, 4096)) > 0) {
        sum += n;
    }
    return sum;
}

static int grow_without_rights(void *fd)
{
    RAW(SYS_setresuid, 1000, 1000, 1000);
    return RAW(SYS_fcntl, *(int *)fd, F_SETPIPE_SZ, (1 << 20) + 1) == -EPERM &&
                   RAW(SYS_fcntl, *(int *)fd, F_SETPIPE_SZ, 1 << 20) == 1 << 20
               ? 0
               : 1;
}

static void test_capacity(void)
{
    static const struct {
        long asked, given;
    } sizes[] = {{0, 4096},          {1, 4096},       {4097, 8192},
                 {65536, 65536},     {65537, 131072}, {1 << 20, 1 << 20},
                 {5 << 12, 8 << 12}, {-1, -EINVAL},   {(1L << 31) + 1, -EINVAL},
                 {1L << 32, 4096}};
    char got[4096];
    int ends[2];

    is(pipe2(ends, O_NONBLOCK), 0, "a pipe to resize");
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        is(RAW(SYS_fcntl, ends[i % 2], F_SETPIPE_SZ, sizes[i].asked), sizes[i].given,
           "a capacity of %ld bytes is asked for", sizes[i].asked);
    }
    is(fcntl(ends[0], F_GETPIPE_SZ), 4096, "the last one stays");
    is(fill_up(ends[1]), 4096, "it holds a page");
    is(poll_events(ends[1], POLLOUT), 0, "and no more");
    is(fcntl(ends[1], F_SETPIPE_SZ, 4 * 4096), 4 * 4096, "four pages");
    ok(poll_events(ends[1], POLLOUT) == POLLOUT, "leave room");
    memset(bytes, 'b', 4096);
    is(write(ends[1], bytes, 4096), 4096, "for another");
    is(read(ends[0], got, 4096), 4096, "the first is read");
    memset(bytes, 'c', 4096);
    is(fill_up(ends[1]), 3 * 4096, "and three more fill it, in a ring");
    is(result_of(fcntl(ends[0], F_SETPIPE_SZ, 2 * 4096)), -EBUSY, "that cannot be two");
    is(fcntl(ends[0], F_SETPIPE_SZ, 64 * 4096), 64 * 4096, "and can be 64");
    is(read(ends[0], got, 4096), 4096, "the oldest");
    ok(got[0] == 'b' && got[4095] == 'b', "comes first");
    is(read(ends[0], got, 4096), 4096, "then the next");
    ok(got[0] == 'c' && got[4095] == 'c', "in order");
    is(fill_up(ends[1]), 62 * 4096, "and the pipe holds 64");
    is(result_of(fcntl(ends[0], F_SETPIPE_SZ, 65536)), -EBUSY,
       "the usual capacity is too small now");
    close(ends[0]);
    close(ends[1]);
}

static void test_who_may_have_capacity(void)
{
    char name[] = "/tmp/piperules.fifo";
    int ends[2];

    is(pipe2(ends, 0), 0, "another pipe");
    if (is_root()) {
        is(run_child(grow_without_rights, &ends[1], false), EXITED(0),
           "more than 1 MiB needs a capability");
        is(fcntl(ends[0], F_GETPIPE_SZ), 1 << 20, "1 MiB does not");
    } else {
        skip("needs root", "who may have a large pipe");
    }
    close(ends[0]);
    close(ends[1]);
    unlink(name);
    is(mkfifo(name, 0600), 0, "a FIFO");
    int fd = open(name, O_RDWR);
    is(fcntl(fd, F_SETPIPE_SZ, 8192), 8192, "of two pages");
    close(fd);
    fd = open(name, O_RDWR);
    is(fcntl(fd, F_GETPIPE_SZ), 65536, "opened again it is as new");
    close(fd);
    fd = open(name, O_PATH);
    is(result_of(fcntl(fd, F_SETPIPE_SZ, 8192)), -EBADF, "O_PATH");
    close(fd);
    unlink(name);
    fd = open("/dev/null", O_RDWR);
    is(result_of(fcntl(fd, F_GETPIPE_SZ)), -EBADF, "a device has none");
    close(fd);
}

int main(int argc, char **argv)
{
    static const size_t rooms[] = {1, 100, 1000, 2048, 4000};

    tap_begin(argc, argv);
    test_sender();
    test_no_reader();
    test_no_writer();
    test_reads_what_is_there();
    test_memory_that_ends();
    test_time_left();
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        test_atomic(rooms[i]);
    }
    test_stat();
    test_flags();
    test_reopened();
    test_capacity();
    test_who_may_have_capacity();
    return tap_end();
}
