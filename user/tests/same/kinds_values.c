/* Parameters that are numbers: descriptors, lengths, offsets, flags, modes, processes, signals. */
#include "kinds.h"
#include "world.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>

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
static const int signals[] = {SIGHUP,  SIGINT,  SIGUSR1, SIGUSR2,  SIGPIPE,   SIGALRM, SIGTERM,
                              SIGCHLD, SIGCHLD, SIGCONT, SIGURG,   SIGWINCH,  SIGIO,   SIGABRT,
                              SIGUSR1, SIGUSR1, SIGUSR2, SIGWINCH, SIGVTALRM, SIGQUIT};
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
