/* Bytes of files: reads, writes, sizes. */
#include "kinds.h"
#include "world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define VECTOR_IN  {&kind_vector_in, 0}
#define VECTOR_OUT {&kind_vector_out, 0}

static const struct name counts[] = {
    {"1", 1}, {"2", 2}, {"3", 3}, {"3", 3}, {"0", 0}, {"-1", -1}, {"1025", 1025}, {NULL, 0},
};
static const struct name sizes[] = {
    {"0", 0},         {"1", 1},           {"100", 100},   {"4095", 4095},
    {"4096", 4096},   {"4097", 4097},     {"5000", 5000}, {"10000", 10000},
    {"65536", 65536}, {"200000", 200000}, {"-1", -1},     {NULL, 0},
};
static const struct name keep_size[] = {
    {"0", 0}, {"FALLOC_FL_KEEP_SIZE", 1}, {"PUNCH_HOLE|KEEP_SIZE", 3}, {"PUNCH_HOLE", 2}, {NULL, 0},
};

static void make_size(struct call *call, int at, const void *data)
{
    call->arguments[at] = (uint64_t)pick_one(&call->random, data);
}

static void show_size(struct call *call, int at, const void *data)
{
    say("%ld", (long)call->values[at]);
    (void)data;
}

static const struct kind kind_size = {make_size, show_size, 0, false, false};

#define SIZE   {&kind_size, sizes}
#define COUNTS {&kind_size, counts}

/*
 * True if sendfile would put pages of a file into a pipe. On Linux a later write to the file then
 * changes what is in the pipe; sendfile(2) calls that undefined.
 */
static bool puts_pages_into_pipe(int out, int in)
{
    struct stat target, source;

    return fstat(out, &target) == 0 && fstat(in, &source) == 0 && S_ISFIFO(target.st_mode) &&
           S_ISREG(source.st_mode) && (fcntl(in, F_GETFL) & O_ACCMODE) != O_WRONLY;
}

/* sendfile between two descriptors; the source position is the pointer's or the descriptor's. */
static void op_sendfile(struct call *call)
{
    int out = pick_fd(&call->random), in = pick_fd(&call->random);
    int64_t offset = pick_one(&call->random, sizes);
    bool given = random_once_in(&call->random, 2);
    size_t length = pick_length(&call->random) & 0xffff;

    if (puts_pages_into_pipe(out, in)) {
        in = CONSTANT_FD;
    }
    say("sendfile(%d, %d, %ld, %zu)", out, in, given ? (long)offset : 0, length);
    say_result(RAW(SYS_sendfile, widen(&call->random, (uint64_t)out),
                   widen(&call->random, (uint64_t)in), given ? &offset : 0, length));
    if (given) {
        say(" %ld", (long)offset);
    }
}

const struct op ops_data[] = {
    {"read", 40, SYS_read, {FD, OUT, LENGTH}, 0, 0, OP_SETTLES},
    {"write", 50, SYS_write, {FD, IN, LENGTH}, 0, 0, OP_SETTLES},
    {"pread64", 22, SYS_pread64, {FD, OUT, LENGTH, OFFSET}, 0, 0, 0},
    {"pwrite64", 22, SYS_pwrite64, {FD, IN, LENGTH, OFFSET}, 0, 0, 0},
    {"readv", 12, SYS_readv, {FD, VECTOR_OUT, COUNTS}, 0, 0, OP_SETTLES},
    {"writev", 12, SYS_writev, {FD, VECTOR_IN, COUNTS}, 0, 0, OP_SETTLES},
    {"preadv", 3, SYS_preadv, {FD, VECTOR_OUT, COUNTS, OFFSET, ZERO}, 0, 0, 0},
    {"pwritev", 3, SYS_pwritev, {FD, VECTOR_IN, COUNTS, OFFSET, ZERO}, 0, 0, 0},
    {"truncate", 10, SYS_truncate, {PATH, SIZE}, 0, 0, 0},
    {"ftruncate", 18, SYS_ftruncate, {FD, SIZE}, 0, 0, 0},
    {"fallocate", 6, SYS_fallocate, {FD, ONE(keep_size), SIZE, SIZE}, 0, 0, 0},
    {"fsync", 2, SYS_fsync, {FD}, 0, 0, 0},
    {"fdatasync", 2, SYS_fdatasync, {FD}, 0, 0, 0},
    {"sendfile", 8, 0, {{0, 0}}, op_sendfile, 0, OP_SETTLES},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
