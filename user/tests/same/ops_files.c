/* Calls about files, their data, names and attributes, and pipes. */
#include "call.h"
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Descriptors: open, close, copies, flags, positions. */

static const struct name whences[] = {
    {"SEEK_SET", SEEK_SET},
    {"SEEK_CUR", SEEK_CUR},
    {"SEEK_END", SEEK_END},
    {"SEEK_SET", SEEK_SET},
    {"SEEK_DATA", 3},
    {"SEEK_DATA", 3},
    {"SEEK_HOLE", 4},
    {"SEEK_HOLE", 4},
    {"5", 5},
    {NULL, 0},
};
static const struct name dup3_flags[] = {
    {"0", 0},
    {"O_CLOEXEC", O_CLOEXEC},
    {"O_NONBLOCK", O_NONBLOCK},
    {NULL, 0},
};
static const struct name fcntl_commands[] = {
    {"F_DUPFD", F_DUPFD},
    {"F_DUPFD_CLOEXEC", F_DUPFD_CLOEXEC},
    {"F_GETFD", F_GETFD},
    {"F_SETFD", F_SETFD},
    {"F_GETFL", F_GETFL},
    {"F_SETFL", F_SETFL},
    {"F_SETFL", F_SETFL},
    {"F_SETPIPE_SZ", 1031},
    {"F_GETPIPE_SZ", 1032},
    {"F_ADD_SEALS", 1033},
    {"F_GET_SEALS", 1034},
    {"9999", 9999},
    {NULL, 0},
};
static const struct name status_flags[] = {
    {"O_APPEND", O_APPEND}, {"O_NONBLOCK", O_NONBLOCK}, {"O_NONBLOCK", O_NONBLOCK},
    {"O_RDWR", O_RDWR},     {"O_CREAT", O_CREAT},       {NULL, 0},
};
static const struct name requests[] = {
    {"FIOCLEX", FIOCLEX},       {"FIONCLEX", FIONCLEX}, {"TCGETS", TCGETS},
    {"TIOCGWINSZ", TIOCGWINSZ}, {"0x1234", 0x1234},     {NULL, 0},
};
static const struct name range_flags[] = {
    {"0", 0},
    {"CLOSE_RANGE_CLOEXEC", 4},
    {"CLOSE_RANGE_UNSHARE", 2},
    {"CLOSE_RANGE_UNSHARE|CLOSE_RANGE_CLOEXEC", 6},
    {"1024", 1024},
    {NULL, 0},
};

/* The kind of fcntl's third argument depends on the command. */
static void op_fcntl(struct call *call)
{
    static const int minimums[] = {0, 5, 12, 30, 1023, 1024, -1};
    int fd = pick_fd(&call->random);
    long command = pick_one(&call->random, fcntl_commands);
    long argument = 0;

    say("fcntl(%d, ", fd);
    say_one(fcntl_commands, command);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        argument = minimums[random_below(&call->random, 7)];
        say(", %ld)", argument);
    } else if (command == 1031) {
        /* More than 1 MiB takes a capability that containers take away. */
        static const long room[] = {0, 1, 4096, 4097, 65536, 200000, 1 << 20, -1};
        argument = room[random_below(&call->random, 8)];
        say(", %ld)", argument);
    } else if (command == 1033) {
        static const long seals[] = {0, 1, 8, 15, 0x40, -1};
        argument = seals[random_below(&call->random, 6)];
        say(", %ld)", argument);
    } else if (command == F_SETFL) {
        argument = pick_flags(&call->random, status_flags);
        say(", ");
        say_flags(status_flags, argument);
        say(")");
    } else {
        argument = random_below(&call->random, 2);
        say(", %ld)", argument);
    }
    uint64_t wide_fd = widen(&call->random, (uint64_t)fd);
    uint64_t wide_command = widen(&call->random, (uint64_t)command);
    say_result(RAW(SYS_fcntl, wide_fd, wide_command, argument));
}

static bool is_directory(int fd)
{
    struct stat st;

    return RAW(SYS_fstat, fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A file system chooses its own positions in directories, so only position 0 is used there. */
static void op_lseek(struct call *call)
{
    static const long offsets[] = {0,     0,  1,    100,     4095,  4096,  5000,
                                   10000, -1, -100, -100000, 65536, 65537, 100000};
    int fd = pick_fd(&call->random);
    long offset = offsets[random_below(&call->random, 14)];
    long whence = pick_one(&call->random, whences);

    if (is_directory(fd)) {
        offset = whence = 0;
    }
    say("lseek(%d, %ld, ", fd, offset);
    say_one(whences, whence);
    say(")");
    say_result(RAW(SYS_lseek, widen(&call->random, (uint64_t)fd), offset,
                   widen(&call->random, (uint64_t)whence)));
}

static void op_close_range(struct call *call)
{
    unsigned first = 3 + random_below(&call->random, 12);
    unsigned last = first + random_below(&call->random, 4) - 1;
    long flags = pick_one(&call->random, range_flags);

    say("close_range(%u, %u, ", first, last);
    say_one(range_flags, flags);
    say(")");
    uint64_t wide_first = widen(&call->random, first), wide_last = widen(&call->random, last);
    say_result(RAW(SYS_close_range, wide_first, wide_last, widen(&call->random, (uint64_t)flags)));
}

/* openat2, whose structure may be longer than the one that the kernel knows. */
static void op_openat2(struct call *call)
{
    static const struct name scopes[] = {
        {"0", 0},       {"NO_XDEV", 1},  {"NO_MAGICLINKS", 2}, {"NO_SYMLINKS", 4},
        {"BENEATH", 8}, {"IN_ROOT", 16}, {"0x40", 0x40},       {NULL, 0},
    };
    static const size_t lengths[] = {24, 24, 24, 24, 32, 64, 23, 0, 4096, 4097, SIZE_MAX};
    static uint64_t how[513];
    struct parameter directory = DIRECTORY, flags = OPENFLAGS, mode = MODE;
    const char *path = pick_path(&call->random, 0);
    size_t size = lengths[random_below(&call->random, 11)];
    long resolve = random_once_in(&call->random, 3) ? 0 : pick_flags(&call->random, scopes);
    bool has_more = random_once_in(&call->random, 4), has_mode = random_once_in(&call->random, 8);

    directory.kind->make(call, 0, NULL);
    flags.kind->make(call, 1, NULL);
    mode.kind->make(call, 2, NULL);
    how[0] = call->arguments[1] | (random_once_in(&call->random, 20) ? 1ull << 40 : 0);
    how[1] = how[0] & O_CREAT || has_mode ? call->arguments[2] & 0777 : 0;
    how[2] = (uint64_t)resolve;
    how[3] = has_more;
    call->values[1] = how[0];
    say("openat2(%d, ", (int)call->arguments[0]);
    say_path(path);
    say(", ");
    flags.kind->show(call, 1, NULL);
    say(", 0%lo, ", (unsigned long)how[1]);
    say_flags(scopes, resolve);
    say("%s, %zu", has_more ? " and more" : "", size);
    uint64_t at = pick_pointer(&call->random, how), path_at = pick_pointer(&call->random, path);
    say(")");
    say_result(RAW(SYS_openat2, widen(&call->random, call->arguments[0]), path_at, at, size));
}

/* FIONREAD returns the number of bytes that can be read now. */
static void op_fionread(struct call *call)
{
    int fd = pick_fd(&call->random);
    int count = -7;

    say("ioctl(%d, FIONREAD)", fd);
    say_result(RAW(SYS_ioctl, widen(&call->random, (uint64_t)fd), FIONREAD, &count));
    say(" %d", count);
}

static void op_fionbio(struct call *call)
{
    int fd = pick_fd(&call->random);
    int on = (int)random_below(&call->random, 2);

    say("ioctl(%d, FIONBIO, %d)", fd, on);
    say_result(RAW(SYS_ioctl, fd, FIONBIO, &on));
}

const struct op ops_files[] = {
    {"open", 40, SYS_open, {PATH, OPENFLAGS, MODE}, 0, 0, OP_SETTLES},
    {"openat", 30, SYS_openat, {DIRECTORY, PATH, OPENFLAGS, MODE}, 0, 0, OP_SETTLES},
    {"openat2", 14, 0, {{0, 0}}, op_openat2, 0, OP_SETTLES},
    {"creat", 3, SYS_creat, {NEW_PATH, MODE}, 0, 0, OP_SETTLES},
    {"close", 28, SYS_close, {FD}, 0, 0, OP_SETTLES},
    {"dup", 8, SYS_dup, {FD}, 0, 0, 0},
    {"dup2", 14, SYS_dup2, {FD, FD}, 0, 0, OP_SETTLES},
    {"dup3", 8, SYS_dup3, {FD, FD, ONE(dup3_flags)}, 0, 0, OP_SETTLES},
    {"fcntl", 24, 0, {{0, 0}}, op_fcntl, 0, 0},
    {"lseek", 24, 0, {{0, 0}}, op_lseek, 0, 0},
    {"ioctl", 5, SYS_ioctl, {FD, ONE(requests), {&kind_out, 0}}, 0, 0, 0},
    {"fionread", 8, 0, {{0, 0}}, op_fionread, 0, 0},
    {"fionbio", 3, 0, {{0, 0}}, op_fionbio, 0, 0},
    {"close_range", 3, 0, {{0, 0}}, op_close_range, 0, OP_SETTLES},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Bytes of files: reads, writes, sizes. */

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

/* copy_file_range; each position is a pointer's or the descriptor's. */
static void op_copy_range(struct call *call)
{
    int in = pick_fd(&call->random), out = pick_fd(&call->random);
    int64_t from = pick_one(&call->random, sizes), to = pick_one(&call->random, sizes);
    bool has_from = random_once_in(&call->random, 2), has_to = random_once_in(&call->random, 2);
    size_t length = pick_length(&call->random);
    unsigned flags = random_once_in(&call->random, 20);

    say("copy_file_range(%d, ", in);
    say(has_from ? "%ld" : "-", (long)from);
    say(", %d, ", out);
    say(has_to ? "%ld" : "-", (long)to);
    say(", %zu, %u", length, flags);
    uint64_t from_at = pick_pointer(&call->random, has_from ? &from : NULL);
    uint64_t to_at = pick_pointer(&call->random, has_to ? &to : NULL);
    say(")");
    long got =
        RAW_SIX(SYS_copy_file_range, widen(&call->random, (uint64_t)in), from_at,
                widen(&call->random, (uint64_t)out), to_at, length, widen(&call->random, flags));
    say_result(got);
    if (got >= 0 && has_from) {
        say(" from %ld", (long)from);
    }
    if (got >= 0 && has_to) {
        say(" to %ld", (long)to);
    }
}

static const struct name advices[] = {
    {"0", 0}, {"1", 1}, {"2", 2}, {"3", 3}, {"4", 4}, {"5", 5}, {"6", 6}, {"-1", -1}, {NULL, 0},
};
static const struct name sync_ranges[] = {
    {"0", 0}, {"1", 1}, {"7", 7}, {"8", 8}, {"-1", -1}, {NULL, 0},
};
static const struct name vector_flags[] = {
    {"0", 0}, {"0", 0}, {"0", 0}, {"0x40000000", 0x40000000}, {NULL, 0},
};

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
    {"copy_file_range", 10, 0, {{0, 0}}, op_copy_range, 0, 0},
    {"preadv2",
     4,
     SYS_preadv2,
     {FD, VECTOR_OUT, COUNTS, OFFSET, ZERO, ONE(vector_flags)},
     0,
     0,
     OP_SETTLES},
    {"pwritev2",
     4,
     SYS_pwritev2,
     {FD, VECTOR_IN, COUNTS, OFFSET, ZERO, ONE(vector_flags)},
     0,
     0,
     OP_SETTLES},
    {"fadvise64", 4, SYS_fadvise64, {FD, SIZE, SIZE, ONE(advices)}, 0, 0, 0},
    {"readahead", 2, SYS_readahead, {FD, SIZE, SIZE}, 0, 0, 0},
    {"sync_file_range", 4, SYS_sync_file_range, {FD, SIZE, SIZE, ONE(sync_ranges)}, 0, 0, 0},
    {"syncfs", 1, SYS_syncfs, {FD}, 0, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Metadata of files: stat, modes, owners, times, access. */

#define TIMES  {&kind_times, 0}
#define ID     {&kind_id, 0}
#define STATFS {&kind_statfs, 0}

static const struct name stat_flags[] = {
    {"0", 0},
    {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
    {"AT_EMPTY_PATH", AT_EMPTY_PATH},
    {"AT_NO_AUTOMOUNT", AT_NO_AUTOMOUNT},
    {"0x1", 1},
    {NULL, 0},
};
static const struct name owner_flags[] = {
    {"0", 0},
    {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
    {"AT_EMPTY_PATH", AT_EMPTY_PATH},
    {"0x1", 1},
    {NULL, 0},
};
static const struct name time_flags[] = {
    {"0", 0},
    {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
    {"0x1", 1},
    {NULL, 0},
};
static const struct name access_modes[] = {
    {"F_OK", F_OK}, {"R_OK", R_OK}, {"W_OK", W_OK}, {"X_OK", X_OK}, {"RWX", 7}, {"8", 8}, {NULL, 0},
};
static const struct name access_flags[] = {
    {"0", 0},  {"AT_EACCESS", AT_EACCESS}, {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW}, {"0x1", 1},
    {NULL, 0},
};

/* utime, utimes and futimesat, whose times have seconds or microseconds. */
static void op_utimes(struct call *call)
{
    static const long parts[] = {0, 5, 999999, 1000000, -1, (1L << 30) - 1, (1L << 30) - 2};
    static const char *const texts[] = {"utime", "utimes", "futimesat"};
    unsigned which = random_below(&call->random, 3), dice = random_below(&call->random, 20);
    int fd = dice < 13 ? AT_FDCWD : pick_fd(&call->random);
    const char *path = pick_path(&call->random, 0);
    bool no_path = which == 2 && random_once_in(&call->random, 6);
    bool is_now = random_once_in(&call->random, 4);
    long times[4];

    for (int i = 0; i < 4; i++) {
        times[i] = which == 0 || i % 2 == 0 ? (long)random_below(&call->random, 3) * 1000 - 5
                                            : parts[random_below(&call->random, 7)];
    }
    say("%s(", texts[which]);
    if (which == 2) {
        say("%d, ", fd);
    }
    if (no_path) {
        say("null");
    } else {
        say_path(path);
    }
    if (!is_now) {
        say(", {%ld %ld %ld %ld}", times[0], times[1], which == 0 ? 0 : times[2],
            which == 0 ? 0 : times[3]);
    }
    uint64_t path_at = pick_pointer(&call->random, no_path ? NULL : path);
    uint64_t at = pick_pointer(&call->random, is_now ? NULL : times);
    say(")");
    say_result(which == 2   ? RAW(SYS_futimesat, widen(&call->random, (uint64_t)fd), path_at, at)
               : which == 1 ? RAW(SYS_utimes, path_at, at)
                            : RAW(SYS_utime, path_at, at));
}

/* struct statx, up to the times. */
struct extended {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, pad;
    uint64_t inode, size, blocks, attributes_mask;
    struct {
        int64_t seconds;
        uint32_t nanoseconds, pad;
    } accessed, born, changed, modified;
    uint64_t rest[32];
};

static void op_statx(struct call *call)
{
    static const struct name flags[] = {
        {"0", 0},
        {"0", 0},
        {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
        {"AT_NO_AUTOMOUNT", AT_NO_AUTOMOUNT},
        {"AT_STATX_FORCE_SYNC", 0x2000},
        {"AT_STATX_DONT_SYNC", 0x4000},
        {"0x6000", 0x6000},
        {"0x1", 1},
        {NULL, 0},
    };
    static const unsigned masks[] = {0x7ff, 0x7ff, 0, 1, 0x20000, 0x80000000};
    struct parameter directory = DIRECTORY;
    struct extended st;
    const char *path = pick_path(&call->random, 0);
    long flag = pick_one(&call->random, flags);
    unsigned mask = masks[random_below(&call->random, 6)];

    memset(&st, 0xa5, sizeof st);
    directory.kind->make(call, 0, NULL);
    say("statx(%d, ", (int)call->arguments[0]);
    say_path(path);
    say(", ");
    say_one(flags, flag);
    say(", %#x", mask);
    uint64_t path_at = pick_pointer(&call->random, path), at = pick_pointer(&call->random, &st);
    say(")");
    long got = RAW(SYS_statx, widen(&call->random, call->arguments[0]), path_at,
                   widen(&call->random, (uint64_t)flag), widen(&call->random, mask), at);
    say_result(got);
    if (got != 0 || at != (uint64_t)&st || S_ISCHR(st.mode)) {
        return;
    }
    /* Linux since 6.13 leaves out times that the mask does not ask for. */
    say(" {%#x %07o links %u uid %u gid %u root %d", st.mask & 0x73f, st.mode, st.links, st.uid,
        st.gid, (st.attributes & 0x2000) != 0);
    if (S_ISREG(st.mode) || S_ISLNK(st.mode)) {
        say(" size %ld", (long)st.size);
    }
    say("}");
}

static void op_memfd(struct call *call)
{
    static const unsigned flags[] = {0, 0, 1, 0x80000000, 0x40000};
    static const unsigned lengths[] = {0, 1, 248, 249, 250, 251, 300};
    char name[304];
    unsigned flag = flags[random_below(&call->random, 5)];
    unsigned length = lengths[random_below(&call->random, 7)];

    memset(name, 'n', sizeof name);
    name[length] = '\0';
    say("memfd_create(%u, %#x", length, flag);
    uint64_t at = pick_pointer(&call->random, name);
    say(")");
    say_result(RAW(SYS_memfd_create, at, widen(&call->random, flag)));
}

const struct op ops_meta[] = {
    {"stat", 16, SYS_stat, {PATH, STAT}, 0, 0, 0},
    {"lstat", 14, SYS_lstat, {PATH, STAT}, 0, 0, 0},
    {"fstat", 20, SYS_fstat, {FD, STAT}, 0, 0, 0},
    {"newfstatat", 10, SYS_newfstatat, {DIRECTORY, PATH, STAT, FLAGS(stat_flags)}, 0, 0, 0},
    {"statfs", 3, SYS_statfs, {PATH, STATFS}, 0, 0, 0},
    {"fstatfs", 3, SYS_fstatfs, {FD, STATFS}, 0, 0, 0},
    {"chmod", 10, SYS_chmod, {PATH, MODE}, 0, 0, 0},
    {"fchmod", 8, SYS_fchmod, {FD, MODE}, 0, 0, 0},
    {"fchmodat", 5, SYS_fchmodat, {DIRECTORY, PATH, MODE}, 0, 0, 0},
    {"chown", 6, SYS_chown, {PATH, ID, ID}, 0, 0, 0},
    {"lchown", 4, SYS_lchown, {PATH, ID, ID}, 0, 0, 0},
    {"fchown", 5, SYS_fchown, {FD, ID, ID}, 0, 0, 0},
    {"fchownat", 4, SYS_fchownat, {DIRECTORY, PATH, ID, ID, FLAGS(owner_flags)}, 0, 0, 0},
    {"utimensat", 14, SYS_utimensat, {DIRECTORY, PATH, TIMES, ONE(time_flags)}, 0, 0, 0},
    {"futimens", 8, SYS_utimensat, {FD, ZERO, TIMES, ZERO}, 0, 0, 0},
    {"utimes", 10, 0, {{0, 0}}, op_utimes, 0, 0},
    {"statx", 8, 0, {{0, 0}}, op_statx, 0, 0},
    {"memfd_create", 3, 0, {{0, 0}}, op_memfd, 0, 0},
    {"faccessat", 4, SYS_faccessat, {DIRECTORY, PATH, ONE(access_modes)}, 0, 0, 0},
    {"access", 8, SYS_access, {PATH, ONE(access_modes)}, 0, 0, 0},
    {"faccessat2",
     6,
     SYS_faccessat2,
     {DIRECTORY, PATH, ONE(access_modes), FLAGS(access_flags)},
     0,
     0,
     0},
    {"umask", 5, SYS_umask, {MODE}, 0, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Names: directories, links, moves, and the entries of a directory. */

#define MAX_ENTRIES 200
#define DEVICE      {&kind_device, 0}

static const struct name unlink_flags[] = {
    {"0", 0},
    {"AT_REMOVEDIR", AT_REMOVEDIR},
    {"0x4000", 0x4000},
    {NULL, 0},
};
static const struct name link_flags[] = {
    {"0", 0}, {"0", 0}, {"AT_SYMLINK_FOLLOW", AT_SYMLINK_FOLLOW}, {"0x1", 1}, {NULL, 0},
};
static const struct name rename_flags[] = {
    {"0", 0}, {"RENAME_NOREPLACE", 1}, {"RENAME_EXCHANGE", 2}, {"3", 3}, {"0x80", 0x80}, {NULL, 0},
};
static const struct name node_modes[] = {
    {"S_IFIFO|0666", S_IFIFO | 0666},
    {"S_IFIFO|0666", S_IFIFO | 0666},
    {"S_IFREG|0640", S_IFREG | 0640},
    {"S_IFCHR|0666", S_IFCHR | 0666},
    {"S_IFSOCK|0700", S_IFSOCK | 0700},
    {"S_IFDIR|0755", S_IFDIR | 0755},
    {"0600", 0600},
    {"0170000", 0170000},
    {NULL, 0},
};

struct raw_entry {
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a + 1, *(const char *const *)b + 1);
}

/*
 * Collects names, each after a character for its type. Returns the count or a negative errno value.
 */
static long collect(long fd, size_t size, char **names, char *store)
{
    long count = 0, got;

    while ((got = RAW(SYS_getdents64, fd, out_buffer, size)) > 0) {
        for (long at = 0; at < got && count < MAX_ENTRIES;) {
            const struct raw_entry *entry = (const struct raw_entry *)(out_buffer + at);
            names[count++] = store;
            *store++ = (char)('0' + entry->type);
            strcpy(store, entry->name);
            store += strlen(store) + 1;
            at += entry->size;
        }
    }
    return got < 0 ? got : count;
}

/* Prints all entries of a directory, sorted, read through a buffer of random size. */
static void op_list(struct call *call)
{
    static char store[MAX_ENTRIES * 264];
    static const unsigned lengths[] = {8192, 300, 32, 24, 4096, 1};
    char *names[MAX_ENTRIES];
    const char *path = pick_path(&call->random, 0);
    unsigned size = lengths[random_below(&call->random, 6)];
    long fd = RAW(SYS_open, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long count = fd < 0 ? fd : collect(fd, size, names, store);

    say("list(");
    say_path(path);
    say(", %u)", size);
    say_result(count);
    if (fd >= 0) {
        RAW(SYS_close, fd);
    }
    if (count > 0) {
        qsort(names, (size_t)count, sizeof names[0], compare_names);
        say(" {");
        for (long i = 0; i < count; i++) {
            say("%s", i == 0 ? "" : " ");
            say(strlen(names[i]) > 40 ? "%.9s.." : "%s", names[i]);
        }
        say("}");
    }
}

static void op_getdents(struct call *call)
{
    int fd = pick_fd(&call->random);
    bool old = random_once_in(&call->random, 3);

    say("%s(%d", old ? "getdents" : "getdents64", fd);
    uint64_t at = pick_pointer(&call->random, out_buffer);
    say(")");
    long got =
        RAW(old ? SYS_getdents : SYS_getdents64, widen(&call->random, (uint64_t)fd), at, 8192);
    say_result(got > 0 ? 1 : got);
}

/*
 * A directory outside of the root directory has its path from that of the machine. If Linux's program runs in a chroot
 * itself, the way there is cut out. Returns the length with the NUL.
 */
static long without_way_to_base(char *path)
{
    static const char unreachable[] = "(unreachable)";
    char *way = path + sizeof unreachable - 1;
    char *base = strstr(path, BASE_PATH);

    if (strncmp(path, unreachable, sizeof unreachable - 1) == 0 && base != NULL) {
        memmove(way, base, strlen(base) + 1);
    }
    return (long)strlen(path) + 1;
}

static void op_getcwd(struct call *call)
{
    size_t size = random_once_in(&call->random, 4) ? random_below(&call->random, 6) : 4096;
    long got = RAW(SYS_getcwd, out_buffer, size);

    if (got > 0) {
        got = without_way_to_base((char *)out_buffer);
    }
    say("getcwd(%zu)", size);
    say_result(got);
    if (got > 0) {
        say(" ");
        say_path((const char *)out_buffer);
    }
}

const struct op ops_tree[] = {
    {"mkdir", 18, SYS_mkdir, {NEW_PATH, MODE}, 0, 0, 0},
    {"mkdirat", 6, SYS_mkdirat, {DIRECTORY, NEW_PATH, MODE}, 0, 0, 0},
    {"rmdir", 6, SYS_rmdir, {PATH}, 0, 0, 0},
    {"unlink", 14, SYS_unlink, {PATH}, 0, 0, 0},
    {"unlinkat", 8, SYS_unlinkat, {DIRECTORY, PATH, ONE(unlink_flags)}, 0, 0, 0},
    {"link", 16, SYS_link, {PATH, NEW_PATH}, 0, 0, 0},
    {"linkat", 10, SYS_linkat, {DIRECTORY, PATH, DIRECTORY, NEW_PATH, ONE(link_flags)}, 0, 0, 0},
    {"symlink", 12, SYS_symlink, {PATH, NEW_PATH}, 0, 0, 0},
    {"symlinkat", 5, SYS_symlinkat, {PATH, DIRECTORY, NEW_PATH}, 0, 0, 0},
    {"rename", 22, SYS_rename, {PATH, NEW_PATH}, 0, 0, 0},
    {"renameat", 4, SYS_renameat, {DIRECTORY, PATH, DIRECTORY, NEW_PATH}, 0, 0, 0},
    {"renameat2",
     14,
     SYS_renameat2,
     {DIRECTORY, PATH, DIRECTORY, NEW_PATH, ONE(rename_flags)},
     0,
     0,
     0},
    {"readlink", 10, SYS_readlink, {PATH, OUT, LENGTH}, 0, 0, 0},
    {"readlinkat", 5, SYS_readlinkat, {DIRECTORY, PATH, OUT, LENGTH}, 0, 0, 0},
    {"mknod", 8, SYS_mknod, {NEW_PATH, ONE(node_modes), DEVICE}, 0, 0, 0},
    {"mknodat", 3, SYS_mknodat, {DIRECTORY, NEW_PATH, ONE(node_modes), DEVICE}, 0, 0, 0},
    {"chdir", 4, SYS_chdir, {PATH}, 0, 0, 0},
    {"chroot", 1, SYS_chroot, {PATH}, 0, 0, 0},
    {"fchdir", 3, SYS_fchdir, {FD}, 0, 0, 0},
    {"list", 16, 0, {{0, 0}}, op_list, 0, 0},
    {"getdents64", 5, 0, {{0, 0}}, op_getdents, 0, 0},
    {"getcwd", 6, 0, {{0, 0}}, op_getcwd, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Mounts. The base, which all episodes share, and the root of an episode's file system stay where they are. */

static const struct name mount_flags[] = {
    {"MS_RDONLY", MS_RDONLY},   {"MS_NOSUID", MS_NOSUID},
    {"MS_NODEV", MS_NODEV},     {"MS_NOEXEC", MS_NOEXEC},
    {"MS_NOATIME", MS_NOATIME}, {"MS_NOSYMFOLLOW", 256},
    {"MS_NOATIME", MS_NOATIME}, {NULL, 0},
};
static const struct name mount_kinds[] = {
    {"new", 0},
    {"new", 0},
    {"MS_BIND", MS_BIND},
    {"MS_BIND", MS_BIND},
    {"MS_BIND|MS_REC", MS_BIND | MS_REC},
    {"MS_MOVE", MS_MOVE},
    {"MS_REMOUNT", MS_REMOUNT},
    {"MS_REMOUNT|MS_BIND", MS_REMOUNT | MS_BIND},
    {"MS_PRIVATE", MS_PRIVATE},
    {"MS_PRIVATE|MS_REC", MS_PRIVATE | MS_REC},
    {NULL, 0},
};
static const struct name umount_flags[] = {
    {"0", 0},
    {"0", 0},
    {"MNT_DETACH", MNT_DETACH},
    {"MNT_DETACH", MNT_DETACH},
    {"UMOUNT_NOFOLLOW", UMOUNT_NOFOLLOW},
    {"MNT_DETACH|UMOUNT_NOFOLLOW", MNT_DETACH | UMOUNT_NOFOLLOW},
    {"0x10", 0x10},
    {NULL, 0},
};

static bool must_stay(const char *path)
{
    struct stat st;

    if (RAW(SYS_stat, path, &st) != 0) {
        return false;
    }
    bool is_root = st.st_dev == world->work_device && st.st_ino == world->work_inode;
    return is_root || st.st_dev == world->base_device;
}

/* The path, or another one if it leads to what must stay. */
static const char *spare_base(const char *path)
{
    return !must_stay(path) ? path : !must_stay("d") ? "d" : "none";
}

static void op_mount(struct call *call)
{
    static const char *const types[] = {"tmpfs", "tmpfs", "tmpfs", "tmpfs", "nosuchfs", ""};
    static const char *const options[] = {"",
                                          "",
                                          "",
                                          "size=64k",
                                          "size=20k",
                                          "nr_inodes=5",
                                          "mode=700",
                                          "mode=1777,uid=1000",
                                          "size=x",
                                          "other",
                                          "uid=1,gid=2",
                                          "mode=9"};
    long kind = pick_one(&call->random, mount_kinds);
    long flags = pick_flags(&call->random, mount_flags);
    const char *source = pick_path(&call->random, 0), *target = pick_path(&call->random, 1);
    const char *type = types[random_below(&call->random, 6)];
    const char *option = options[random_below(&call->random, 12)];

    target = spare_base(target);
    source = kind == MS_MOVE ? spare_base(source) : source;
    if ((kind & (MS_MOVE | MS_PRIVATE)) != 0) {
        flags = 0;
    }
    say("mount(");
    say_path(kind == 0 ? "none" : source);
    say(", ");
    say_path(target);
    say(", %s, ", type);
    say_one(mount_kinds, kind);
    say(" ");
    say_flags(mount_flags, flags);
    say(", %s", option);
    uint64_t source_at = pick_pointer(&call->random, source);
    uint64_t target_at = pick_pointer(&call->random, target);
    say(")");
    say_result(RAW(SYS_mount, source_at, target_at, type, kind | flags, option));
}

static void op_umount(struct call *call)
{
    const char *target = spare_base(pick_path(&call->random, 0));
    long flags = pick_one(&call->random, umount_flags);

    say("umount2(");
    say_path(target);
    say(", ");
    say_one(umount_flags, flags);
    uint64_t at = pick_pointer(&call->random, target);
    say(")");
    say_result(RAW(SYS_umount2, at, widen(&call->random, (uint64_t)flags)));
}

const struct op ops_mounts[] = {
    {"mount", 16, 0, {{0, 0}}, op_mount, 0, OP_SETTLES},
    {"umount2", 8, 0, {{0, 0}}, op_umount, 0, OP_SETTLES},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Watches, by one descriptor that the first process opens and all others inherit. */

static const struct name watch_flags[] = {
    {"ACCESS", IN_ACCESS},
    {"MODIFY", IN_MODIFY},
    {"ATTRIB", IN_ATTRIB},
    {"OPEN", IN_OPEN},
    {"MOVED_FROM", IN_MOVED_FROM},
    {"MOVED_TO", IN_MOVED_TO},
    {"CREATE", IN_CREATE},
    {"DELETE", IN_DELETE},
    {"DELETE_SELF", IN_DELETE_SELF},
    {"MOVE_SELF", IN_MOVE_SELF},
    {"UNMOUNT", IN_UNMOUNT},
    {"Q_OVERFLOW", IN_Q_OVERFLOW},
    {"IGNORED", IN_IGNORED},
    {"ISDIR", IN_ISDIR},
    {"ONLYDIR", IN_ONLYDIR},
    {"DONT_FOLLOW", IN_DONT_FOLLOW},
    {"EXCL_UNLINK", IN_EXCL_UNLINK},
    {"MASK_ADD", IN_MASK_ADD},
    {"MASK_CREATE", IN_MASK_CREATE},
    {"ONESHOT", (long)IN_ONESHOT},
    {NULL, 0},
};

/* The last close of a file is left out: on Linux its mappings keep it open. */
#define IN_COMPARED (IN_ALL_EVENTS & ~(unsigned)IN_CLOSE)

static void op_watch(struct call *call)
{
    const char *path = pick_path(&call->random, 0);
    long mask = random_once_in(&call->random, 2) ? IN_COMPARED : 0;

    mask |= random_once_in(&call->random, 2) ? pick_flags(&call->random, watch_flags) : 0;
    say("inotify_add_watch(");
    say_path(path);
    say(", ");
    say_flags(watch_flags, mask);
    say(")");
    say_result(
        RAW(SYS_inotify_add_watch, WATCH_FD, path, widen(&call->random, (uint64_t)(uint32_t)mask)));
}

static void op_unwatch(struct call *call)
{
    int watch = (int)random_below(&call->random, 12);

    say("inotify_rm_watch(%d)", watch);
    say_result(RAW(SYS_inotify_rm_watch, WATCH_FD, widen(&call->random, (uint64_t)watch)));
}

/* Cookies are counted by all of Linux; which events have the same one is what is to be compared. */
static void op_events(struct call *call)
{
    static const size_t rooms[] = {4096, 4096, 4096, 64, 32, 16, 4};
    size_t size = rooms[random_below(&call->random, 7)];
    long got = RAW(SYS_read, WATCH_FD, out_buffer, size);
    const struct inotify_event *event;
    uint32_t cookie = 0;
    unsigned cookies = 0;

    say("events(%zu)", size);
    say_result(got);
    for (long at = 0; at < got; at += (long)(sizeof *event + event->len)) {
        event = (const struct inotify_event *)(out_buffer + at);
        cookies += event->cookie != 0 && event->cookie != cookie;
        cookie = event->cookie != 0 ? event->cookie : cookie;
        say(" %d:", event->wd);
        say_flags(watch_flags, event->mask);
        say(event->cookie != 0 ? "/%u" : "", cookies);
        if (event->len > 0) {
            say(" ");
            say_path(event->name);
        }
    }
}

const struct op ops_watches[] = {
    {"inotify_add_watch", 20, 0, {{0, 0}}, op_watch, 0, 0},
    {"inotify_rm_watch", 3, 0, {{0, 0}}, op_unwatch, 0, 0},
    {"events", 20, 0, {{0, 0}}, op_events, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Pipes, and waiting for descriptors. */

#define PAIR     {&kind_pair, 0}
#define MAX_POLL 3

static const struct name pipe_flags[] = {
    {"O_NONBLOCK", O_NONBLOCK}, {"O_NONBLOCK", O_NONBLOCK},
    {"O_CLOEXEC", O_CLOEXEC},   {"0", 0},
    {"O_APPEND", O_APPEND},     {NULL, 0},
};
static const struct name poll_events[] = {
    {"POLLIN", POLLIN}, {"POLLOUT", POLLOUT}, {"POLLPRI", POLLPRI}, {"POLLRDNORM", POLLRDNORM},
    {NULL, 0},
};
static const struct name poll_answers[] = {
    {"POLLIN", POLLIN},         {"POLLOUT", POLLOUT},       {"POLLPRI", POLLPRI},
    {"POLLRDNORM", POLLRDNORM}, {"POLLERR", POLLERR},       {"POLLHUP", POLLHUP},
    {"POLLNVAL", POLLNVAL},     {"POLLWRNORM", POLLWRNORM}, {NULL, 0},
};

/* Draws a timeout: 0 does not wait, 1 is a millisecond, -1 waits without limit. */
static int pick_timeout(struct random *random)
{
    unsigned dice = random_below(random, 12);

    return dice == 0 ? -1 : dice == 1 ? 1 : 0;
}

static void op_poll(struct call *call)
{
    struct pollfd fds[MAX_POLL];
    unsigned count = random_below(&call->random, MAX_POLL + 1);
    int timeout = pick_timeout(&call->random);

    say("poll({");
    for (unsigned i = 0; i < count; i++) {
        fds[i].fd = pick_fd(&call->random);
        fds[i].events = (short)pick_flags(&call->random, poll_events);
        fds[i].revents = 0x5a5a;
        say("%s%d ", i == 0 ? "" : ", ", fds[i].fd);
        say_flags(poll_events, fds[i].events);
    }
    say("}, %d)", timeout);
    world->slots[own_slot].timed = timeout > 0;
    long got =
        RAW(SYS_poll, fds, widen(&call->random, count), widen(&call->random, (uint64_t)timeout));
    world->slots[own_slot].timed = false;
    say_result(got);
    for (unsigned i = 0; got >= 0 && i < count; i++) {
        say(" ");
        say_flags(poll_answers, fds[i].revents);
    }
}

static void say_fds(const char *name, uint64_t set)
{
    say(" %s", name);
    for (unsigned fd = 0; fd < 32; fd++) {
        if ((set >> fd & 1) != 0) {
            say(" %u", fd);
        }
    }
}

static void op_select(struct call *call)
{
    static const int limits[] = {0, 5, 10, 20, 32, 64, -1};
    int64_t timeout[2] = {0, 0};
    uint64_t sets[2] = {0, 0};
    int limit = limits[random_below(&call->random, 7)];
    bool waits = random_once_in(&call->random, 16);

    for (unsigned left = random_below(&call->random, 4); left > 0; left--) {
        int fd = pick_fd(&call->random);
        if (fd >= 0 && fd < 32) {
            sets[random_below(&call->random, 2)] |= (uint64_t)1 << fd;
        }
    }
    say("select(%d,", limit);
    say_fds("read", sets[0]);
    say_fds("write", sets[1]);
    say(", %s)", waits ? "null" : "0");
    long got = RAW(SYS_select, widen(&call->random, (uint64_t)limit), &sets[0], &sets[1], 0,
                   waits ? 0 : timeout);
    say_result(got);
    if (got >= 0) {
        say_fds("read", sets[0]);
        say_fds("write", sets[1]);
    }
}

/* ppoll and pselect6: a mask for the duration of the call, and what is left of the time. */
static void op_wait_masked(struct call *call)
{
    static const struct timespec times[] = {
        {0, 0},  {0, 0},  {0, 0},          {0, 0},    {0, 1000000},           {0, 1000000},
        {0, -1}, {-1, 0}, {0, 1000000000}, {5000, 0}, {INT64_MAX, 999999999}, {0, 1},
    };
    static const int limits[] = {0, 5, 10, 20, 32, 64, -1, 1024, INT_MAX};
    struct timespec time = times[random_below(&call->random, 12)], left = time;
    struct pollfd fds[MAX_POLL];
    uint64_t sets[2] = {0, 0}, mask = pick_set(&call->random);
    bool selects = random_once_in(&call->random, 2), is_timed = !random_once_in(&call->random, 12);
    bool masks = random_once_in(&call->random, 2);
    unsigned count = random_below(&call->random, MAX_POLL + 1);
    int limit = limits[random_below(&call->random, 9)];
    bool too_many = random_once_in(&call->random, 30);
    size_t size = random_once_in(&call->random, 20) ? 16 : 8;
    static uint64_t wide_sets[2][16];

    say("%s(%s", selects ? "pselect6" : "ppoll", too_many && !selects ? "too many, " : "");
    for (unsigned i = 0; i < count; i++) {
        fds[i] = (struct pollfd){pick_fd(&call->random),
                                 (short)pick_flags(&call->random, poll_events), 0x5a5a};
        if (fds[i].fd >= 0 && fds[i].fd < 32) {
            sets[i % 2] |= (uint64_t)1 << fds[i].fd;
        }
        if (!selects) {
            say("%d ", fds[i].fd);
            say_flags(poll_events, fds[i].events);
            say(", ");
        }
    }
    if (selects) {
        say("%d", limit);
        say_fds("read", sets[0]);
        say_fds("write", sets[1]);
    }
    if (is_timed) {
        say(", %ld.%ld", (long)time.tv_sec, time.tv_nsec);
    }
    if (masks) {
        say(", mask %#lx %zu", (unsigned long)mask, size);
    }
    uint64_t mask_at = masks ? pick_pointer(&call->random, &mask) : 0;
    uint64_t time_at = is_timed ? pick_pointer(&call->random, &left) : 0;
    uint64_t fds_at = pick_pointer(&call->random, selects ? (void *)wide_sets[0] : (void *)fds);
    const uint64_t both[2] = {mask_at, size};
    uint64_t both_at = pick_pointer(&call->random, masks ? both : NULL);
    say(")");
    wide_sets[0][0] = sets[0];
    wide_sets[1][0] = sets[1];
    world->slots[own_slot].timed = is_timed && time.tv_sec == 0 && time.tv_nsec > 0;
    long got = selects ? RAW_SIX(SYS_pselect6, widen(&call->random, (uint64_t)limit), fds_at,
                                 wide_sets[1], 0, time_at, both_at)
                       : RAW(SYS_ppoll, fds_at, too_many ? UINT_MAX : widen(&call->random, count),
                             time_at, mask_at, size);
    world->slots[own_slot].timed = false;
    say_result(got);
    if (selects && got >= 0) {
        say_fds("read", wide_sets[0][0]);
        say_fds("write", wide_sets[1][0]);
    }
    for (unsigned i = 0; !selects && got >= 0 && i < count; i++) {
        say(" ");
        say_flags(poll_answers, fds[i].revents);
    }
    if (is_timed && time_at == (uint64_t)&left && (got == 0 || time.tv_sec > 0)) {
        say(" left %s", left.tv_sec == time.tv_sec && left.tv_nsec == time.tv_nsec ? "all"
                        : left.tv_sec == 0 && left.tv_nsec == 0                    ? "none"
                                                                                   : "some");
    }
}

const struct op ops_pipe[] = {
    {"pipe2", 16, SYS_pipe2, {PAIR, FLAGS(pipe_flags)}, 0, 0, 0},
    {"pipe", 6, SYS_pipe, {PAIR}, 0, 0, 0},
    {"poll", 24, 0, {{0, 0}}, op_poll, 0, 0},
    {"select", 8, 0, {{0, 0}}, op_select, 0, 0},
    {"ppoll", 16, 0, {{0, 0}}, op_wait_masked, 0, OP_SETTLES},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Locks of files and of ranges of bytes. */

static const struct name flock_operations[] = {
    {"LOCK_SH", LOCK_SH},
    {"LOCK_SH|LOCK_NB", LOCK_SH | LOCK_NB},
    {"LOCK_EX", LOCK_EX},
    {"LOCK_EX|LOCK_NB", LOCK_EX | LOCK_NB},
    {"LOCK_EX|LOCK_NB", LOCK_EX | LOCK_NB},
    {"LOCK_UN", LOCK_UN},
    {"LOCK_NB", LOCK_NB},
    {"LOCK_UN|LOCK_NB", LOCK_UN | LOCK_NB},
    {"3", 3},
    {"32", 32},
    {"256", 256},
    {NULL, 0},
};
static const struct name lock_commands[] = {
    {"F_GETLK", F_GETLK}, {"F_SETLK", F_SETLK},
    {"F_SETLK", F_SETLK}, {"F_SETLKW", F_SETLKW},
    {"F_OFD_GETLK", 36},  {"F_OFD_SETLK", 37},
    {"F_OFD_SETLK", 37},  {"F_OFD_SETLKW", 38},
    {"F_GETLK", F_GETLK}, {NULL, 0},
};
static const struct name lock_types[] = {
    {"F_RDLCK", F_RDLCK},
    {"F_WRLCK", F_WRLCK},
    {"F_WRLCK", F_WRLCK},
    {"F_UNLCK", F_UNLCK},
    {"3", 3},
    {NULL, 0},
};

static void say_lock(const struct flock *lock)
{
    say("{");
    say_one(lock_types, lock->l_type);
    say(" ");
    say_one(whences, lock->l_whence);
    say(" %ld %ld ", (long)lock->l_start, (long)lock->l_len);
    say_pid(lock->l_pid);
    say("}");
}

static void op_lock(struct call *call)
{
    static const long numbers[] = {0, 0, 0, 1, 10, 20, 100, 4096, -1, -10, INT64_MAX, INT64_MIN};
    int fd = pick_fd(&call->random);
    long command = pick_one(&call->random, lock_commands);
    bool asks_ofd = command == 36; /* for any lock, by F_UNLCK, since Linux 6.6 */
    struct flock lock = {.l_type = asks_ofd ? F_WRLCK : (short)pick_one(&call->random, lock_types),
                         .l_whence = (short)pick_one(&call->random, whences),
                         .l_start = numbers[random_below(&call->random, 12)],
                         .l_len = numbers[random_below(&call->random, 12)],
                         .l_pid = random_once_in(&call->random, 12)};

    if (is_directory(fd)) { /* which have sizes and positions of their own */
        lock.l_whence = SEEK_SET;
    }
    say("fcntl(%d, ", fd);
    say_one(lock_commands, command);
    say(", ");
    say_lock(&lock);
    uint64_t at = pick_pointer(&call->random, &lock);
    say(")");
    long got = RAW(SYS_fcntl, widen(&call->random, (uint64_t)fd),
                   widen(&call->random, (uint64_t)command), at);
    say_result(got);
    if (got == 0 && (command == F_GETLK || command == 36) && at == (uint64_t)&lock) {
        say(" ");
        say_lock(&lock);
    }
}

const struct op ops_locks[] = {
    {"flock", 10, SYS_flock, {FD, ONE(flock_operations)}, 0, 0, OP_SETTLES},
    {"lock", 22, 0, {{0, 0}}, op_lock, 0, OP_SETTLES},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
