/* Descriptors: open, close, copies, flags, positions. */
#include "kinds.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct name whences[] = {
    {"SEEK_SET", SEEK_SET},
    {"SEEK_CUR", SEEK_CUR},
    {"SEEK_END", SEEK_END},
    {"SEEK_SET", SEEK_SET},
    {"SEEK_SET", SEEK_SET},
    {"9", 9},
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

/* A file system chooses its own positions in directories, so only position 0 is used there. */
static void op_lseek(struct call *call)
{
    static const long offsets[] = {0, 0, 1, 100, 4096, 5000, 100000, -1, -100, -100000};
    int fd = pick_fd(&call->random);
    long offset = offsets[random_below(&call->random, 10)];
    long whence = pick_one(&call->random, whences);
    long is_directory = RAW(SYS_openat, fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (is_directory >= 0) {
        RAW(SYS_close, is_directory);
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
    say_result(RAW(SYS_close_range, first, last, flags));
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
