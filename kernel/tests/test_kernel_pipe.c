/* Pipes and FIFOs of a whole kernel on the host, against a queue of bytes; poll(2) and select(2). */
#include "tests/kernel_test.h"

#include "dev/random.h"
#include "file/devices.h"
#include "proc/proc.h"
#include "syscall/poll.h"

#define PIPE_MAX 65536u
#define BUFFER   (USER_DATA + 0x8000) /* of PIPE_MAX bytes */

static unsigned below(unsigned n)
{
    return (unsigned)(random_u64() % n);
}

/* The queue: bytes are consecutive numbers, so that a lost or repeated byte is detected. */
static struct {
    uint64_t written, read;
    int reader[4], writer[4]; /* descriptors, -1: none */
} model;

static uint8_t byte_at(uint64_t n)
{
    return (uint8_t)(n * 7 + n / 251);
}

static void fill_buffer(uint64_t from, unsigned size)
{
    static uint8_t bytes[PIPE_MAX];
    for (unsigned i = 0; i < size; i++)
        bytes[i] = byte_at(from + i);
    user_write(BUFFER, bytes, size);
}

static void check_buffer(uint64_t from, unsigned size)
{
    static uint8_t bytes[PIPE_MAX];
    user_read(bytes, BUFFER, size);
    for (unsigned i = 0; i < size; i++)
        if (bytes[i] != byte_at(from + i))
            host_fail("byte %u of a read is %#x, not %#x", i, bytes[i], byte_at(from + i));
}

static int open_end(const int fds[4])
{
    unsigned first = below(4);
    for (unsigned i = 0; i < 4; i++)
        if (fds[(first + i) % 4] >= 0)
            return fds[(first + i) % 4];
    return -1;
}

/* Sizes around the limits: bytes, pages, the whole pipe. */
static unsigned some_size(void)
{
    static const unsigned edges[] = {1, 2, 4095, 4096, 4097, 8192, 12287, 61440, 65535, 65536};
    return below(3) ? 1 + below(below(2) ? 300 : 9000) : edges[below(10)];
}

static void write_some(void)
{
    int fd = open_end(model.writer);
    unsigned size = some_size(), used = (unsigned)(model.written - model.read);
    if (fd < 0)
        return;
    fill_buffer(model.written, size);
    long n = sys(SYS_write, (uint64_t)fd, BUFFER, size);
    if (open_end(model.reader) < 0) {
        expect(-EPIPE, n);
        return;
    }
    if (n == -EAGAIN)
        expect(1, used > 0);
    else if (size <= 4096 || used == 0)
        expect(size, n);
    else
        expect(1, n > 0 && n <= (long)size);
    model.written += n > 0 ? (uint64_t)n : 0;
    expect(1, model.written - model.read <= PIPE_MAX);
}

static void read_some(void)
{
    int fd = open_end(model.reader);
    unsigned size = some_size(), used = (unsigned)(model.written - model.read);
    if (fd < 0)
        return;
    long n = sys(SYS_read, (uint64_t)fd, BUFFER, size);
    if (used == 0) {
        expect(open_end(model.writer) < 0 ? 0 : -EAGAIN, n);
        return;
    }
    expect(size < used ? size : used, n);
    check_buffer(model.read, (unsigned)n);
    model.read += (uint64_t)n;
}

static unsigned poll_one(int fd)
{
    const struct pollfd entry = {fd, POLLIN | POLLOUT, 0};
    struct pollfd out;
    user_write(AT(2), &entry, sizeof(entry));
    (void)sys(SYS_poll, AT(2), 1, 0);
    user_read(&out, AT(2), sizeof(out));
    return (unsigned)(uint16_t)out.revents;
}

static void check_events(void)
{
    bool has_bytes = model.written > model.read;
    int in = open_end(model.reader), out = open_end(model.writer);
    if (in >= 0)
        expect((has_bytes ? POLLIN : 0) | (out < 0 ? POLLHUP : 0), poll_one(in));
    if (out >= 0)
        expect(in < 0 ? POLLERR : 0, poll_one(out) & ~(unsigned)POLLOUT);
    if (out >= 0 && !has_bytes)
        expect(POLLOUT, poll_one(out) & POLLOUT);
    if (in < 0)
        return;
    expect(0, sys(SYS_ioctl, (uint64_t)in, 0x541b, AT(2))); /* FIONREAD */
    expect(model.written - model.read, user_load(AT(2)) & 0xffffffff);
}

/* Adds or closes a descriptor of a side. With `keep` the first of each side stays open. */
static void change_ends(int fds[4])
{
    unsigned i = 1 + below(3);
    if (fds[i] >= 0) {
        expect(0, call_close(fds[i]));
        fds[i] = -1;
    } else if (fds[0] >= 0) {
        fds[i] = (int)sys(SYS_dup, (uint64_t)fds[0]);
    }
}

static void open_model(const int fds[2])
{
    memset(&model, 0xff, sizeof(model));
    model.written = model.read = 0;
    model.reader[0] = fds[0];
    model.writer[0] = fds[1];
}

static void step(void)
{
    switch (below(8)) {
    case 0:
        change_ends(model.reader);
        break;
    case 1:
        change_ends(model.writer);
        break;
    case 2:
        check_events();
        break;
    case 3:
    case 4:
    case 5:
        write_some();
        break;
    default:
        read_some();
    }
}

static void close_side(int ends[4])
{
    for (unsigned i = 0; i < 4; i++)
        if (ends[i] >= 0)
            expect(0, call_close(ends[i]));
    memset(ends, 0xff, 4 * sizeof(ends[0]));
}

/* One side is closed first: the bytes in the pipe can still be read, or no byte can be written. */
static void run_model(const int fds[2])
{
    open_model(fds);
    for (unsigned i = 0; i < 400; i++)
        step();
    close_side(below(2) ? model.writer : model.reader);
    for (unsigned i = 0; i < 30; i++)
        step();
    close_side(model.reader);
    close_side(model.writer);
}

static void ignore_sigpipe(void)
{
    const uint64_t ignore[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    user_write(AT(2), ignore, sizeof(ignore));
    expect(0, sys(SYS_rt_sigaction, SIGPIPE, AT(2), 0, 8));
}

PROGRAM_TEST(pipe_is_a_queue)
{
    int fds[2];
    ignore_sigpipe();
    for (unsigned round = 0; round < 12; round++) {
        expect(0, sys(SYS_pipe2, AT(1), O_NONBLOCK));
        user_read(fds, AT(1), sizeof(fds));
        run_model(fds);
    }
}

PROGRAM_TEST(fifo_is_a_queue)
{
    int fds[2];
    ignore_sigpipe();
    expect(0, sys(SYS_mknod, user_string(AT(0), "/tmp/fifo"), 0010644, 0));
    for (unsigned round = 0; round < 6; round++) {
        expect(-ENXIO, call_open("/tmp/fifo", O_WRONLY | O_NONBLOCK, 0));
        fds[0] = (int)call_open("/tmp/fifo", O_RDONLY | O_NONBLOCK, 0);
        fds[1] = (int)call_open("/tmp/fifo", O_WRONLY | O_NONBLOCK, 0);
        run_model(fds);
    }
}

/* Several processes at both sides, which sleep. */
#define STREAM 300000u
static int stream[2];

static void writes_stream(void)
{
    expect(0, call_close(stream[0]));
    for (uint64_t at = 0; at < STREAM;) {
        unsigned size = some_size();
        if (size > STREAM - at)
            size = (unsigned)(STREAM - at);
        fill_buffer(at, size);
        expect(size, sys(SYS_write, (uint64_t)stream[1], BUFFER, size));
        at += size;
    }
}

PROGRAM_TEST(stream_between_processes)
{
    for (unsigned round = 0; round < 3; round++) {
        uint64_t at = 0;
        call_pipe(stream);
        long pid = user_fork(writes_stream, 0), n;
        expect(0, call_close(stream[1]));
        while ((n = sys(SYS_read, (uint64_t)stream[0], BUFFER, some_size())) > 0) {
            check_buffer(at, (unsigned)n);
            at += (uint64_t)n;
        }
        expect(0, n);
        expect(STREAM, at);
        expect_exit(pid, 0);
        expect(0, call_close(stream[0]));
    }
}

/* When the reader closes, the sleeping writer is ended by SIGPIPE. */
static void writes_for_ever(void)
{
    expect(0, call_close(stream[0]));
    for (;;)
        (void)sys(SYS_write, (uint64_t)stream[1], BUFFER, 5000);
}

PROGRAM_TEST(writer_ends_with_its_readers)
{
    call_pipe(stream);
    long pid = user_fork(writes_for_ever, 0);
    call_sleep_ms(20);
    expect(0, call_close(stream[0]));
    expect_signal(pid, SIGPIPE);
}

static void opens_to_write(void)
{
    long fd = call_open("/tmp/fifo", O_WRONLY, 0);
    expect(5, sys(SYS_write, (uint64_t)fd, user_string(BUFFER, "12345"), 5));
}

PROGRAM_TEST(fifo_open_waits_for_the_other_side)
{
    expect(0, sys(SYS_mknod, user_string(AT(0), "/tmp/fifo"), 0010644, 0));
    for (unsigned reader_first = 0; reader_first < 2; reader_first++) {
        long pid = user_fork(opens_to_write, 0);
        if (!reader_first)
            call_sleep_ms(20);
        long fd = call_open("/tmp/fifo", O_RDONLY, 0);
        expect(5, sys(SYS_read, (uint64_t)fd, BUFFER, 100));
        expect(0, sys(SYS_read, (uint64_t)fd, BUFFER, 100));
        expect_exit(pid, 0);
        expect(0, call_close(fd));
    }
}

/* Bad memory on either side loses no byte of the pipe. */
PROGRAM_TEST(bad_memory)
{
    int fds[2];
    call_pipe(fds);
    expect(-EFAULT, sys(SYS_write, (uint64_t)fds[1], 8, 10));
    expect(-EFAULT, sys(SYS_write, (uint64_t)fds[1], USER_DATA + USER_DATA_SIZE - 5, 10));
    expect(10, sys(SYS_write, (uint64_t)fds[1], user_string(BUFFER, "0123456789"), 10));
    expect(-EFAULT, sys(SYS_read, (uint64_t)fds[0], 8, 10));
    expect(-EFAULT, sys(SYS_read, (uint64_t)fds[0], USER_TEXT, 10));
    expect(10, sys(SYS_read, (uint64_t)fds[0], BUFFER, 100));
}

/* A page at the end of memory: a read takes all that was asked for of a page of the pipe, or nothing. The
 * guest test `piperules` shows the same on Linux. */
PROGRAM_TEST(read_at_the_end_of_memory)
{
    int fds[2];
    call_pipe(fds);
    fill_buffer(0, 4196);
    expect(4196, sys(SYS_write, (uint64_t)fds[1], BUFFER, 4196));
    expect(4096, sys(SYS_read, (uint64_t)fds[0], USER_DATA + USER_DATA_SIZE - 4136, 4196));
    expect(-EFAULT, sys(SYS_read, (uint64_t)fds[0], USER_DATA + USER_DATA_SIZE - 40, 100));
    expect(100, sys(SYS_read, (uint64_t)fds[0], BUFFER, 4196));
    check_buffer(4096, 100);
}

/* poll and select over several files, woken by the one that changes. */
static void writes_later(void)
{
    call_sleep_ms(50);
    expect(1, sys(SYS_write, user_argument(), USER_DATA, 1));
}

PROGRAM_TEST(poll_waits_for_any)
{
    struct pollfd fds[8];
    int pipes[8][2];
    for (int i = 0; i < 8; i++) {
        call_pipe(pipes[i]);
        fds[i] = (struct pollfd){pipes[i][0], POLLIN, 0};
    }
    for (int i = 0; i < 8; i++) {
        long pid = user_fork(writes_later, (uint64_t)pipes[i][1]);
        user_write(AT(2), fds, sizeof(fds));
        expect(1, sys(SYS_poll, AT(2), 8, (uint64_t)-1));
        struct pollfd out[8];
        user_read(out, AT(2), sizeof(out));
        expect(POLLIN, out[i].revents);
        expect(1, sys(SYS_read, (uint64_t)pipes[i][0], AT(3), 1));
        expect_exit(pid, 0);
    }
    expect(0, sys(SYS_poll, AT(2), 8, 30));
}

PROGRAM_TEST(select_waits_for_any)
{
    int fds[2];
    const uint64_t time[2] = {0, 30000};
    call_pipe(fds);
    user_store(AT(2), 1ull << fds[0]);
    user_write(AT(4), time, sizeof(time));
    expect(0, sys(SYS_select, 10, AT(2), 0, 0, AT(4)));
    expect(0, user_load(AT(2)));
    expect(0, user_load(AT(4)) + user_load(AT(4) + 8));
    long pid = user_fork(writes_later, (uint64_t)fds[1]);
    user_store(AT(2), 1ull << fds[0]);
    user_store(AT(3), 1ull << fds[1]);
    expect(1, sys(SYS_select, 10, AT(2), AT(3), 0, 0)); /* it can be written already */
    expect(1ull << fds[1], user_load(AT(3)));
    user_store(AT(2), 1ull << fds[0]);
    expect(1, sys(SYS_pselect6, 10, AT(2), 0, 0, 0, 0));
    expect(1ull << fds[0], user_load(AT(2)));
    user_store(AT(2), 1ull << 9);
    expect(-EBADF, sys(SYS_select, 10, AT(2), 0, 0, 0));
    expect_exit(pid, 0);
}

/* A process closes a descriptor of a shared table while the other sleeps in a call with it. */
static void closes_later(void)
{
    call_sleep_ms(50);
    expect(0, call_close((long)(user_argument() & 0xff)));
    expect(1, sys(SYS_write, user_argument() >> 8, USER_DATA, 1));
}

PROGRAM_TEST(close_while_another_reads_and_polls)
{
    for (unsigned polls = 0; polls < 2; polls++) {
        int fds[2];
        call_pipe(fds);
        const struct pollfd entry = {fds[0], POLLIN, 0};
        user_write(AT(2), &entry, sizeof(entry));
        uint64_t both = (uint64_t)fds[0] | (uint64_t)fds[1] << 8;
        long pid = user_clone(CLONE_FILES | SIGCHLD, 0, closes_later, both);
        /* only the call holds the read end then: it gets the byte, or poll reports the closed
         * end */
        long n = polls ? sys(SYS_poll, AT(2), 1, 1000) : sys(SYS_read, (uint64_t)fds[0], AT(3), 1);
        expect(1, n);
        expect_exit(pid, 0);
        expect(0, call_close(fds[1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipe_is_a_queue),
        cmocka_unit_test(test_fifo_is_a_queue),
        cmocka_unit_test(test_stream_between_processes),
        cmocka_unit_test(test_writer_ends_with_its_readers),
        cmocka_unit_test(test_fifo_open_waits_for_the_other_side),
        cmocka_unit_test(test_bad_memory),
        cmocka_unit_test(test_read_at_the_end_of_memory),
        cmocka_unit_test(test_poll_waits_for_any),
        cmocka_unit_test(test_select_waits_for_any),
        cmocka_unit_test(test_close_while_another_reads_and_polls),
    };
    return cmocka_run_group_tests_name("pipes", tests, NULL, check_stacks);
}
