/*
 * Pipes against a queue of bytes. Thousands of operations from fixed seeds, with any sizes, from
 * both sides, by several descriptors that come and go: every byte that comes out is compared.
 * Then the rules one by one: PIPE_BUF, EPIPE, POLLHUP, FIONREAD, fstat, access modes, and pipes
 * opened again through /proc/self/fd.
 *
 * The kernel chooses how much room partly filled pages take. So a write of more than PIPE_BUF bytes
 * may be partial anywhere, a write of at most PIPE_BUF is whole or EAGAIN, and an empty pipe takes
 * 65536 bytes.
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
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY 65536
#define ENDS     4
#define LARGEST  (CAPACITY + 5000)

/* The queue. Its bytes come from one endless sequence, so two positions describe it completely. */
struct model {
    int readers[ENDS], writers[ENDS]; /* -1: closed */
    unsigned long written, read;
    uint64_t random;
    const char *complaint;
};

/* The sequence repeats after more bytes than a pipe and one more write hold. */
#define PERIOD 70001
static unsigned char sequence[PERIOD + LARGEST];
static unsigned char buffer[LARGEST];

static void make_sequence(void)
{
    uint64_t random = 7;

    for (size_t i = 0; i < sizeof sequence; i++) {
        sequence[i] = i < PERIOD ? (unsigned char)next_random(&random) : sequence[i - PERIOD];
    }
}

static unsigned char *bytes_at(unsigned long position)
{
    return sequence + position % PERIOD;
}

static size_t any_size(struct model *m)
{
    static const size_t edges[] = {0,    1,    2,     4095,  4096,  4097,
                                   8191, 8192, 12288, 65535, 65536, 65537};
    uint32_t kind = next_random(&m->random) % 8;

    if (kind < 2) {
        return edges[next_random(&m->random) % COUNT(edges)];
    }
    return next_random(&m->random) % (kind < 5 ? 300 : kind < 7 ? 9000 : LARGEST);
}

static int any_open(struct model *m, const int ends[ENDS])
{
    for (uint32_t i = 0, first = next_random(&m->random) % ENDS; i < ENDS; i++) {
        if (ends[(first + i) % ENDS] >= 0) {
            return ends[(first + i) % ENDS];
        }
    }
    return -1;
}

static void complain(struct model *m, bool wrong, const char *complaint)
{
    if (wrong && m->complaint == NULL) {
        m->complaint = complaint;
    }
}

/* Cuts `size` bytes into up to five parts, empty ones among them. */
static int cut(struct model *m, unsigned char *bytes, size_t size, struct iovec parts[5])
{
    int count = 1 + (int)(next_random(&m->random) % 5);
    size_t at = 0;

    for (int i = 0; i < count; i++) {
        size_t left = size - at;
        size_t length = i == count - 1 ? left : next_random(&m->random) % (left + 1);
        parts[i] = (struct iovec){bytes + at, length};
        at += length;
    }
    return count;
}

static void do_write(struct model *m)
{
    struct iovec parts[5];
    size_t size = any_size(m), held = m->written - m->read;
    int fd = any_open(m, m->writers);
    bool vector = next_random(&m->random) % 2;
    unsigned char *bytes = bytes_at(m->written);
    int count = cut(m, bytes, size, parts);

    long got = result_of(vector ? writev(fd, parts, count) : write(fd, bytes, size));
    if (size == 0) {
        complain(m, got != 0, "a write of nothing is not 0");
        return;
    }
    complain(m, got == 0 || got > (long)size || (got < 0 && got != -EAGAIN), "a strange write");
    complain(m, size <= PIPE_BUF && got > 0 && got != (long)size, "a small write is cut");
    complain(m, held == 0 && got != (long)(size < CAPACITY ? size : CAPACITY),
             "an empty pipe does not take 65536 bytes");
    m->written += got > 0 ? (unsigned long)got : 0;
    complain(m, m->written - m->read > CAPACITY, "the pipe holds more than its capacity");
}

static void do_read(struct model *m)
{
    struct iovec parts[5];
    size_t size = any_size(m), held = m->written - m->read;
    int fd = any_open(m, m->readers);
    bool vector = next_random(&m->random) % 2;
    int count = cut(m, buffer, size, parts);

    memset(buffer, 0xa5, size < held ? size : held + 64 < size ? held + 64 : size);
    long got = result_of(vector ? readv(fd, parts, count) : read(fd, buffer, size));
    long wanted = size == 0 ? 0 : held == 0 ? -EAGAIN : (long)(size < held ? size : held);
    complain(m, got != wanted, "a read does not give what is there");
    size_t taken = got > 0 ? (size_t)got : 0;
    complain(m, memcmp(buffer, bytes_at(m->read), taken) != 0, "a byte is wrong");
    for (size_t i = taken; i < size && i < taken + 64; i++) {
        complain(m, buffer[i] != 0xa5, "a byte after the last is written");
    }
    m->read += got > 0 ? (unsigned long)got : 0;
}

/* Duplicates an end or closes one; the last end of each side stays open. */
static void come_and_go(struct model *m)
{
    int *ends = next_random(&m->random) % 2 ? m->readers : m->writers;
    int *end = &ends[next_random(&m->random) % ENDS];
    int open_ends = 0;

    for (int i = 0; i < ENDS; i++) {
        open_ends += ends[i] >= 0;
    }
    if (*end < 0) {
        *end = dup(any_open(m, ends));
        complain(m, *end < 0, "dup of an end fails");
    } else if (open_ends > 1) {
        complain(m, close(*end) != 0, "close of an end fails");
        *end = -1;
    }
}

static void look(struct model *m)
{
    struct pollfd polled[2] = {{.fd = any_open(m, m->readers), .events = POLLIN},
                               {.fd = any_open(m, m->writers), .events = POLLOUT}};
    size_t held = m->written - m->read;
    int count = -1;

    ioctl(any_open(m, next_random(&m->random) % 2 ? m->readers : m->writers), FIONREAD, &count);
    complain(m, count != (int)held, "FIONREAD is not what is in the pipe");
    poll(polled, 2, 0);
    complain(m, polled[0].revents != (held > 0 ? POLLIN : 0), "poll of the read end is wrong");
    complain(m, held == 0 && polled[1].revents != POLLOUT, "an empty pipe has no room, says poll");
    complain(m, held == CAPACITY && polled[1].revents != 0, "a full pipe has room, says poll");
}

static void operate(struct model *m)
{
    uint32_t kind = next_random(&m->random) % 16;

    if (kind < 6) {
        do_write(m);
    } else if (kind < 12) {
        do_read(m);
    } else if (kind < 14) {
        come_and_go(m);
    } else {
        look(m);
    }
}

static void test_model(uint64_t seed, unsigned operations)
{
    struct model m = {{-1, -1, -1, -1}, {-1, -1, -1, -1}, 0, 0, seed, NULL};
    int ends[2];
    unsigned done = 0;

    complain(&m, pipe2(ends, O_NONBLOCK) != 0, "there is no pipe");
    m.readers[0] = ends[0];
    m.writers[0] = ends[1];
    while (done < operations && m.complaint == NULL) {
        operate(&m);
        done++;
    }
    ok(m.complaint == NULL, "%u random operations from seed %lu, every byte compared", operations,
       (unsigned long)seed);
    if (m.complaint != NULL) {
        diag("operation %u: %s; %lu written, %lu read", done, m.complaint, m.written, m.read);
    }
    for (int i = 0; i < ENDS; i++) {
        close(m.readers[i]);
        close(m.writers[i]);
    }
}

/* A writer that sleeps for room and a reader that sleeps for bytes, each with its own sizes. */
struct stream {
    int fd;
    uint64_t random;
    size_t largest;
};

#define STREAM_BYTES 600000UL

static int write_stream(void *argument)
{
    struct stream *s = argument;

    for (unsigned long at = 0; at < STREAM_BYTES;) {
        size_t size = 1 + next_random(&s->random) % s->largest;
        size = size < STREAM_BYTES - at ? size : STREAM_BYTES - at;
        if (write(s->fd, bytes_at(at), size) != (ssize_t)size) {
            return 1;
        }
        at += size;
    }
    return 0;
}

static void test_stream(size_t write_largest, size_t read_largest)
{
    int ends[2];
    unsigned long at = 0, wrong = 0;
    uint64_t random = read_largest;
    ssize_t got = 1;

    is(pipe(ends), 0, "a pipe between two processes");
    struct stream s = {ends[1], write_largest, write_largest};
    pid_t pid = begin(write_stream, &s);
    close(ends[1]);
    while (got > 0) {
        got = read(ends[0], buffer, 1 + next_random(&random) % read_largest);
        wrong += got > 0 && memcmp(buffer, bytes_at(at), (size_t)got) != 0;
        at += got > 0 ? (unsigned long)got : 0;
    }
    ok(finish_or_kill(pid, 10000) == EXITED(0) && at == STREAM_BYTES && wrong == 0,
       "%lu bytes, up to %zu a write and %zu a read", STREAM_BYTES, write_largest, read_largest);
    close(ends[0]);
}

/* Several blocking writers of records of PIPE_BUF or less: no record is torn. */
static int write_records(void *argument)
{
    struct stream *s = argument;
    unsigned char record[PIPE_BUF];

    for (unsigned i = 0; i < 60; i++) {
        size_t size = 3 + next_random(&s->random) % (PIPE_BUF - 2);
        memset(record, (int)s->largest, size);
        memcpy(record + 1, (const unsigned char[2]){size & 0xff, (unsigned char)(size >> 8)}, 2);
        struct iovec parts[3] = {{record, 1}, {record + 1, 2}, {record + 3, size - 3}};
        if (writev(s->fd, parts, 3) != (ssize_t)size) {
            return 1;
        }
    }
    return 0;
}

static bool read_whole(int fd, unsigned char *to, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(fd, to + at, size - at);
        if (got <= 0) {
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

static void test_records(void)
{
    int ends[2];
    pid_t pids[3];
    unsigned records = 0, torn = 0;

    is(pipe(ends), 0, "a pipe for three writers");
    for (size_t i = 0; i < 3; i++) {
        struct stream s = {ends[1], i + 1, 'a' + i};
        pids[i] = begin(write_records, &s);
    }
    close(ends[1]);
    while (torn == 0 && read_whole(ends[0], buffer, 3)) {
        size_t size = buffer[1] | (size_t)buffer[2] << 8;
        torn += size < 3 || size > PIPE_BUF || buffer[0] < 'a' || buffer[0] > 'c';
        torn += torn != 0 || !read_whole(ends[0], buffer + 3, size - 3) ||
                !all_are(buffer + 3, size - 3, buffer[0]);
        records++;
    }
    close(ends[0]);
    for (size_t i = 0; i < 3; i++) {
        finish_or_kill(pids[i], 5000);
    }
    ok(torn == 0 && records == 180, "writev of at most PIPE_BUF bytes is never torn");
}

/* Fills and empties a pipe so that its first byte moves through a page. */
static void test_wrap(void)
{
    struct model m = {{-1, -1, -1, -1}, {-1, -1, -1, -1}, 0, 0, 1, NULL};
    int ends[2];
    bool good = pipe2(ends, O_NONBLOCK) == 0;

    m.readers[0] = ends[0];
    m.writers[0] = ends[1];
    for (unsigned step = 0; step < 100 && good; step++) {
        ssize_t in = write(ends[1], bytes_at(m.written), LARGEST);
        ssize_t first = read(ends[0], buffer, 100);
        m.written += in > 0 ? (unsigned long)in : 0;
        ssize_t more = write(ends[1], bytes_at(m.written), 100);
        m.written += more > 0 ? (unsigned long)more : 0;
        ssize_t rest = read(ends[0], buffer + 100, LARGEST - 100);
        good = in == CAPACITY && first == 100 && 100 + rest == in + (more > 0 ? more : 0) &&
               memcmp(buffer, bytes_at(m.read), 100 + (size_t)rest) == 0;
        m.read = m.written;
        ssize_t odd = write(ends[1], buffer, 13 + step % 7); /* moves the start */
        good = good && odd > 0 && read(ends[0], buffer, 100) == odd;
    }
    ok(good, "100 times full, with bytes written after the first were read");
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    make_sequence();
    test_wrap();
    for (uint64_t seed = 1; seed <= 6; seed++) {
        test_model(seed, 1500);
    }
    test_stream(100, 60000);
    test_stream(70000, 777);
    test_stream(4096, 4096);
    test_stream(70000, 70000);
    test_records();
    return tap_end();
}
