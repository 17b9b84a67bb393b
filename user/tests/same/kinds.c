/* Parameters that are numbers: descriptors, lengths, offsets, flags, modes, processes, signals. */
#include "call.h"
#include "world.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <time.h>

static const struct name open_modes[] = {
    {"O_RDONLY", O_RDONLY},
    {"O_WRONLY", O_WRONLY},
    {"O_RDWR", O_RDWR},
    {NULL, 0},
};
static const struct name open_flags[] = {
    {"O_CREAT", O_CREAT},         {"O_CREAT", O_CREAT},       {"O_CREAT", O_CREAT},
    {"O_EXCL", O_EXCL},           {"O_TRUNC", O_TRUNC},       {"O_APPEND", O_APPEND},
    {"O_NONBLOCK", O_NONBLOCK},   {"O_NONBLOCK", O_NONBLOCK}, {"O_DIRECTORY", O_DIRECTORY},
    {"O_NOFOLLOW", O_NOFOLLOW},   {"O_CLOEXEC", O_CLOEXEC},   {"O_CLOEXEC", O_CLOEXEC},
    {"O_PATH", O_PATH},           {"O_NOCTTY", O_NOCTTY},     {"O_SYNC", O_SYNC},
    {"O_LARGEFILE", O_LARGEFILE}, {"O_NOATIME", O_NOATIME},   {NULL, 0},
};
static const int odd_fds[] = {-1, INT_MIN, 200, 500, 1023, 1024, 65536, INT_MAX};
static const int64_t offsets[] = {0,     1,     100,    4095,   4096, 4097,  10000,    20000,
                                  65536, 70000, 100000, 262144, -1,   -4096, INT64_MIN};
static const size_t lengths[] = {0,     1,     2,     7,     8,           100,
                                 511,   512,   4095,  4096,  4097,        10000,
                                 65535, 65536, 65537, 70000, BUFFER_SIZE, SIZE_MAX};
static const unsigned modes[] = {0,    0400, 0444, 0600,  0644,  0666,  0700,  0755,
                                 0777, 0777, 0666, 01777, 02755, 04755, 07777, 0111};
static const int signals[] = {SIGHUP,    SIGINT,  SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM,
                              SIGTERM,   SIGCHLD, SIGCHLD, SIGCONT, SIGURG,  SIGWINCH,
                              SIGIO,     SIGABRT, SIGUSR1, SIGUSR1, SIGUSR2, SIGWINCH,
                              SIGVTALRM, SIGQUIT, 34,      64};
static const unsigned ids[] = {0, 1000, 1000, 1001, 1002, UINT_MAX, 65534, 77777};

#define COUNT(array)        ((unsigned)(sizeof(array) / sizeof(array)[0]))
#define PICK(random, array) ((array)[random_below((random), COUNT(array))])

uint64_t widen(struct random *random, uint64_t value)
{
    bool wide = random_once_in(random, 8);
    uint64_t upper = random_next(random) << 32;

    value &= UINT32_MAX;
    if (!wide || world->narrow || upper == 0) {
        return value;
    }
    random->widened = true;
    return value | upper;
}

int pick_fd(struct random *random)
{
    unsigned dice = random_below(random, 100);

    if (dice < 76) {
        return 3 + (int)random_below(random, 8);
    }
    if (dice < 84) {
        return 11 + (int)random_below(random, 6);
    }
    return dice < 93 ? (int)random_below(random, 3) : PICK(random, odd_fds);
}

size_t pick_length(struct random *random)
{
    return random_once_in(random, 3) ? random_below(random, 300) : PICK(random, lengths);
}

long pick_one(struct random *random, const struct name *names)
{
    unsigned count = 0;

    while (names[count].name != NULL) {
        count++;
    }
    return names[random_below(random, count)].value;
}

long pick_flags(struct random *random, const struct name *names)
{
    long value = 0;

    for (unsigned left = random_below(random, 4); left > 0; left--) {
        value |= pick_one(random, names);
    }
    return value;
}

int pick_signal(struct random *random)
{
    static const int odd[] = {0, 65, -1, 128, INT_MAX, SIGKILL};

    return random_once_in(random, 12) ? PICK(random, odd) : PICK(random, signals);
}

uint64_t pick_set(struct random *random)
{
    uint64_t set = 0;

    for (unsigned left = random_below(random, 5); left > 0; left--) {
        set |= (uint64_t)1 << (PICK(random, signals) - 1);
    }
    return random_once_in(random, 12) ? ~(uint64_t)0 : set;
}

/* Draws the pid of a slot (negative: its group), a number that names no process, or 0. */
long pick_pid(struct random *random)
{
    unsigned slot = random_below(random, SLOTS / 2);
    unsigned dice = random_below(random, 20);
    long pid = (int)slot < world->born ? world->slots[slot].pid : INT_MAX;

    if (dice == 0) {
        return random_once_in(random, 2) ? INT_MAX : -INT_MAX;
    }
    if (dice == 1) {
        return 0;
    }
    if (dice < 6) {
        return world->slots[own_slot].pid;
    }
    return dice == 6 ? -pid : pid;
}

static void set(struct call *call, int at, long value)
{
    call->arguments[at] = (uint64_t)value;
}

static int int_value(const struct call *call, int at)
{
    return (int)call->values[at];
}

static void make_fd(struct call *call, int at, const void *data)
{
    set(call, at, pick_fd(&call->random));
    (void)data;
}

static void make_directory(struct call *call, int at, const void *data)
{
    unsigned dice = random_below(&call->random, 20);

    set(call, at, dice < 13 ? AT_FDCWD : pick_fd(&call->random));
    (void)data;
}

static void show_int(struct call *call, int at, const void *data)
{
    say("%d", int_value(call, at));
    (void)data;
}

static void show_long(struct call *call, int at, const void *data)
{
    say("%ld", (long)call->values[at]);
    (void)data;
}

static void make_length(struct call *call, int at, const void *data)
{
    set(call, at, (long)pick_length(&call->random));
    (void)data;
}

static void make_offset(struct call *call, int at, const void *data)
{
    set(call, at, PICK(&call->random, offsets));
    (void)data;
}

static void make_mode(struct call *call, int at, const void *data)
{
    set(call, at, PICK(&call->random, modes));
    (void)data;
}

static void show_mode(struct call *call, int at, const void *data)
{
    say("0%o", (unsigned)call->values[at]);
    (void)data;
}

static void make_one(struct call *call, int at, const void *data)
{
    set(call, at, pick_one(&call->random, data));
}

static void show_one(struct call *call, int at, const void *data)
{
    say_one(data, int_value(call, at));
}

static void make_flags(struct call *call, int at, const void *data)
{
    set(call, at, pick_flags(&call->random, data));
}

static void show_flags(struct call *call, int at, const void *data)
{
    say_flags(data, (long)(uint32_t)call->values[at]);
}

static void make_open(struct call *call, int at, const void *data)
{
    long flags = random_once_in(&call->random, 40) ? 3 : pick_one(&call->random, open_modes);

    flags |= pick_flags(&call->random, open_flags);
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
        flags &= ~O_CREAT; /* what both mean together changed in Linux 6.4 */
    }
    set(call, at, flags);
    (void)data;
}

static void show_open(struct call *call, int at, const void *data)
{
    say_one(open_modes, (long)call->values[at] & O_ACCMODE);
    if ((call->values[at] & ~(uint64_t)O_ACCMODE) != 0) {
        say("|");
        say_flags(open_flags, (long)call->values[at] & ~O_ACCMODE);
    }
    (void)data;
}

static void make_pid(struct call *call, int at, const void *data)
{
    set(call, at, pick_pid(&call->random));
    (void)data;
}

static void show_pid(struct call *call, int at, const void *data)
{
    int pid = int_value(call, at);

    if (pid < 0 && pid > -INT_MAX) {
        say("-");
        pid = -pid;
    }
    say_pid(pid);
    (void)data;
}

static void make_signal(struct call *call, int at, const void *data)
{
    set(call, at, pick_signal(&call->random));
    (void)data;
}

static void make_set_size(struct call *call, int at, const void *data)
{
    set(call, at, random_once_in(&call->random, 30) ? 16 : 8);
    (void)data;
}

static void make_id(struct call *call, int at, const void *data)
{
    set(call, at, (long)PICK(&call->random, ids));
    (void)data;
}

static void make_null(struct call *call, int at, const void *data)
{
    set(call, at, (long)data);
}

static void make_device(struct call *call, int at, const void *data)
{
    set(call, at, 0x103); /* of /dev/null */
    (void)data;
}

const struct kind kind_fd = {make_fd, show_int, 0, true, false};
const struct kind kind_directory = {make_directory, show_int, 0, true, false};
const struct kind kind_length = {make_length, show_long, 0, false, false};
const struct kind kind_offset = {make_offset, show_long, 0, false, false};
const struct kind kind_mode = {make_mode, show_mode, 0, true, false};
const struct kind kind_one = {make_one, show_one, 0, true, false};
const struct kind kind_flags = {make_flags, show_flags, 0, true, false};
const struct kind kind_wide_flags = {make_flags, show_flags, 0, false, false};
const struct kind kind_open = {make_open, show_open, 0, true, false};
const struct kind kind_pid = {make_pid, show_pid, 0, true, false};
const struct kind kind_signal = {make_signal, show_int, 0, true, false};
const struct kind kind_set_size = {make_set_size, show_long, 0, false, false};
const struct kind kind_id = {make_id, show_int, 0, true, false};
const struct kind kind_null = {make_null, show_long, 0, false, false};
const struct kind kind_device = {make_device, show_long, 0, false, false};

/* Parameters that are pointers: to paths, buffers, structures. */

#define VECTORS 3

#define KINDS_MEMORY_PICK(random, array)                                                           \
    ((array)[random_below((random), sizeof(array) / sizeof(array)[0])])

static const uint64_t bad_pointers[] = {
    0, 1, 0x0fffffffe000, 0x7fffffffffff, 0x8000000000000000, 0xffff800000001000, UINT64_MAX - 7,
};
static const char *const components[] = {
    "a", "a", "a", "b", "b", "b", "c", "c", "d", "d",  "d", "d",
    "e", "e", "f", "g", "l", "l", "s", "x", ".", "..", "p", "t",
};
static const char *const directories[] = {"d", "d", "d", "l", "e", ".", "..", WORK_PATH};
static const struct timespec times[] = {
    {1000, 0},       {2000, 999999999}, {3000, 5}, {0, 1000000000}, {0, UTIME_NOW},
    {0, UTIME_OMIT}, {-5, 0},           {0, -1},   {0, 0},
};

static struct stat stat_buffer;
static struct statfs statfs_buffer;
static struct timespec times_buffer[2];
static struct iovec vectors[VECTORS];
static int pair_buffer[2];
static uint64_t set_buffers[2];
static unsigned ids_buffer[3];

uint64_t pick_bad_pointer(struct random *random)
{
    return bad_pointers[random_below(random, sizeof bad_pointers / sizeof bad_pointers[0])];
}

uint64_t pick_pointer(struct random *random, const void *pointer)
{
    uint64_t bad = pick_bad_pointer(random);

    if (!random_once_in(random, 30)) {
        return (uint64_t)pointer;
    }
    say(" bad:%#lx", (unsigned long)bad);
    return bad;
}

static void add_long(char *path, unsigned length)
{
    memset(path + strlen(path), 'n', length);
}

/* Draws a name that is probably free, in a directory that probably exists. */
const char *pick_new_path(struct random *random, int buffer)
{
    static const char *const fresh[] = {"f",   "g",   "h",   "i",     "d/f",
                                        "d/g", "e/f", "l/h", "d/e/f", "h/"};
    static char buffers[2][16];

    strcpy(buffers[buffer], fresh[random_below(random, sizeof fresh / sizeof fresh[0])]);
    return buffers[buffer];
}

/* Draws one or more components with `/` between them, sometimes at the limits of the lengths. */
const char *pick_path(struct random *random, int buffer)
{
    static char buffers[2][PATH_MAX + 300];
    char *path = buffers[buffer];
    unsigned count = 1 + random_below(random, 5) / 3 + random_below(random, 12) / 11;

    memset(path, 0, sizeof buffers[0]);
    if (random_once_in(random, 60)) {
        return path;
    }
    strcat(path, random_once_in(random, 8) ? WORK_PATH "/" : "");
    while (count-- > 0) {
        bool directory = count > 0 && !random_once_in(random, 4);
        strcat(path, directory ? KINDS_MEMORY_PICK(random, directories)
                               : KINDS_MEMORY_PICK(random, components));
        strcat(path, count == 0 ? "" : random_once_in(random, 8) ? "//" : "/");
    }
    if (random_once_in(random, 40)) {
        strcpy(path, random_once_in(random, 2) ? "/" : "/exe");
    } else if (random_once_in(random, 30)) {
        strcat(path, "/");
        add_long(path, 254 + random_below(random, 3));
    } else if (random_once_in(random, 60)) {
        while (strlen(path) < PATH_MAX - 8) {
            strcat(path, "/./");
        }
        strcat(path, "////////////" + random_below(random, 12));
    } else if (random_once_in(random, 12)) {
        strcat(path, "/");
    }
    return path;
}

/* Makes a path. The first path of a call is stored in the first buffer. */
static void make_path(struct call *call, int at, const void *data)
{
    bool second = false;

    for (int i = 0; i < at; i++) {
        second = second || call->op->parameters[i].kind == &kind_path;
    }
    bool fresh = data != NULL && !random_once_in(&call->random, 3);
    call->arguments[at] =
        (uint64_t)(fresh ? pick_new_path(&call->random, second) : pick_path(&call->random, second));
}

static void show_path(struct call *call, int at, const void *data)
{
    say_path((const char *)call->values[at]);
    (void)data;
}

static void make_in(struct call *call, int at, const void *data)
{
    random_fill(&call->random, in_buffer, 4096);
    for (unsigned i = 4096; i < BUFFER_SIZE; i += 4096) {
        memcpy(in_buffer + i, in_buffer, 4096);
        in_buffer[i] = (unsigned char)(i >> 12);
    }
    call->arguments[at] = (uint64_t)in_buffer;
    (void)data;
}

static void show_in(struct call *call, int at, const void *data)
{
    say("in");
    (void)call, (void)at, (void)data;
}

static void make_out(struct call *call, int at, const void *data)
{
    memset(out_buffer, 0xa5, sizeof out_buffer);
    call->arguments[at] = (uint64_t)out_buffer;
    (void)data;
}

static void show_out(struct call *call, int at, const void *data)
{
    say("out");
    (void)call, (void)at, (void)data;
}

/* Prints as many bytes as the result says, and whether the byte after them is unchanged. */
static void after_out(struct call *call, int at, const void *data)
{
    size_t size = (size_t)call->result;

    if (size <= BUFFER_SIZE) {
        say_bytes(out_buffer, size);
        say("%s", out_buffer[size] == 0xa5 ? "" : " and more");
    }
    (void)at, (void)data;
}

static void make_stat(struct call *call, int at, const void *data)
{
    memset(&stat_buffer, 0xa5, sizeof stat_buffer);
    call->arguments[at] = (uint64_t)&stat_buffer;
    (void)data;
}

/* Prints a time that a call has set, or "now" for a later one. */
static void say_time(const char *name, time_t seconds, long nanoseconds)
{
    if (seconds < 1000000) {
        say(" %s %ld.%09ld", name, (long)seconds, nanoseconds);
    } else {
        say(" %s now", name);
    }
}

static void after_stat(struct call *call, int at, const void *data)
{
    const struct stat *st = &stat_buffer;
    bool is_device = S_ISCHR(st->st_mode);

    if (is_device) {
        say("{device %#lx}", (unsigned long)st->st_rdev);
        return;
    }
    say("{%07o links %lu uid %u gid %u", st->st_mode, (unsigned long)st->st_nlink, st->st_uid,
        st->st_gid);
    if (!S_ISFIFO(st->st_mode)) { /* pipes share the inodes of a file system of their own */
        say(" inode %d", inode_ordinal(st->st_dev, st->st_ino));
    }
    if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode)) {
        say(" size %ld", (long)st->st_size);
    }
    say_time("atime", st->st_atim.tv_sec, st->st_atim.tv_nsec);
    say_time("mtime", st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    say("%s}", st->st_ctim.tv_sec > 1000000 ? "" : " ctime old");
    (void)call, (void)at, (void)data;
}

static void make_statfs(struct call *call, int at, const void *data)
{
    memset(&statfs_buffer, 0xa5, sizeof statfs_buffer);
    call->arguments[at] = (uint64_t)&statfs_buffer;
    (void)data;
}

static void after_statfs(struct call *call, int at, const void *data)
{
    if (statfs_buffer.f_type == 0x01021994) { /* tmpfs; others may count differently */
        say("{tmpfs block %ld name %ld}", (long)statfs_buffer.f_bsize,
            (long)statfs_buffer.f_namelen);
    }
    (void)call, (void)at, (void)data;
}

static void make_pair(struct call *call, int at, const void *data)
{
    pair_buffer[0] = pair_buffer[1] = -7;
    call->arguments[at] = (uint64_t)pair_buffer;
    (void)data;
}

static void after_pair(struct call *call, int at, const void *data)
{
    say("{%d, %d}", pair_buffer[0], pair_buffer[1]);
    (void)call, (void)at, (void)data;
}

static void make_times(struct call *call, int at, const void *data)
{
    for (int i = 0; i < 2; i++) {
        times_buffer[i] = times[random_below(&call->random, sizeof times / sizeof times[0])];
    }
    call->arguments[at] = random_once_in(&call->random, 8) ? 0 : (uint64_t)times_buffer;
    (void)data;
}

static void show_times(struct call *call, int at, const void *data)
{
    const struct timespec *time = (const struct timespec *)call->values[at];

    if (time == NULL) {
        say("now");
    } else {
        say("{%ld.%ld, %ld.%ld}", (long)time[0].tv_sec, time[0].tv_nsec, (long)time[1].tv_sec,
            time[1].tv_nsec);
    }
    (void)data;
}

/* Makes three vectors over adjacent parts of one buffer. */
static void make_vectors(struct call *call, int at, unsigned char *buffer)
{
    for (int i = 0; i < VECTORS; i++) {
        vectors[i].iov_base = buffer;
        vectors[i].iov_len =
            random_once_in(&call->random, 4) ? 0 : random_below(&call->random, 6000);
        buffer += vectors[i].iov_len;
        if (random_once_in(&call->random, 40)) {
            vectors[i].iov_base = (void *)pick_bad_pointer(&call->random);
        }
    }
    call->arguments[at] = (uint64_t)vectors;
}

static void make_vector_in(struct call *call, int at, const void *data)
{
    make_in(call, at, data);
    make_vectors(call, at, in_buffer);
}

static void make_vector_out(struct call *call, int at, const void *data)
{
    make_out(call, at, data);
    make_vectors(call, at, out_buffer);
}

static void show_vectors(struct call *call, int at, const void *data)
{
    say("{");
    for (int i = 0; i < VECTORS; i++) {
        const unsigned char *base = vectors[i].iov_base;
        bool is_own = (base >= in_buffer && base < in_buffer + BUFFER_SIZE) ||
                      (base >= out_buffer && base < out_buffer + BUFFER_SIZE);
        say("%s", i == 0 ? "" : ", ");
        if (!is_own) {
            say("bad:%#lx ", (unsigned long)base);
        }
        say("%zu", vectors[i].iov_len);
    }
    say("}");
    (void)call, (void)at, (void)data;
}

static void make_set_in(struct call *call, int at, const void *data)
{
    set_buffers[0] = pick_set(&call->random);
    call->arguments[at] = random_once_in(&call->random, 8) ? 0 : (uint64_t)&set_buffers[0];
    (void)data;
}

static void show_set_in(struct call *call, int at, const void *data)
{
    if (call->values[at] == 0) {
        say("null");
    } else {
        say("%#lx", (unsigned long)set_buffers[0]);
    }
    (void)data;
}

static void make_set_out(struct call *call, int at, const void *data)
{
    set_buffers[1] = 0xa5a5a5a5a5a5a5a5;
    call->arguments[at] = (uint64_t)&set_buffers[1];
    (void)data;
}

static void after_set_out(struct call *call, int at, const void *data)
{
    say("%#lx", (unsigned long)set_buffers[1]);
    (void)call, (void)at, (void)data;
}

static void make_ids_out(struct call *call, int at, const void *data)
{
    ids_buffer[at] = 4711;
    call->arguments[at] = (uint64_t)&ids_buffer[at];
    (void)data;
}

static void after_ids_out(struct call *call, int at, const void *data)
{
    say("%u", ids_buffer[at]);
    (void)call, (void)data;
}

const struct kind kind_path = {make_path, show_path, 0, false, true};
const struct kind kind_in = {make_in, show_in, 0, false, true};
const struct kind kind_out = {make_out, show_out, after_out, false, true};
const struct kind kind_stat = {make_stat, show_out, after_stat, false, true};
const struct kind kind_statfs = {make_statfs, show_out, after_statfs, false, true};
const struct kind kind_pair = {make_pair, show_out, after_pair, false, true};
const struct kind kind_times = {make_times, show_times, 0, false, true};
const struct kind kind_vector_in = {make_vector_in, show_vectors, 0, false, true};
const struct kind kind_vector_out = {make_vector_out, show_vectors, after_out, false, true};
const struct kind kind_set_in = {make_set_in, show_set_in, 0, false, true};
const struct kind kind_set_out = {make_set_out, show_out, after_set_out, false, true};
const struct kind kind_ids_out = {make_ids_out, show_out, after_ids_out, false, true};
