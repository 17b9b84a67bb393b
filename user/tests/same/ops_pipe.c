/* Pipes, and waiting for descriptors. */
#include "kinds.h"
#include "world.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

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

const struct op ops_pipe[] = {
    {"pipe2", 16, SYS_pipe2, {PAIR, FLAGS(pipe_flags)}, 0, 0, 0},
    {"pipe", 6, SYS_pipe, {PAIR}, 0, 0, 0},
    {"poll", 24, 0, {{0, 0}}, op_poll, 0, 0},
    {"select", 8, 0, {{0, 0}}, op_select, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
