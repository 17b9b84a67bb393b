/* Waiting for files: select(2), implemented with poll_until(). */
#include "file/devices.h"
#include "dev/timer.h"
#include "file/files.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/poll.h"
#include "task/process.h"
#include "syscall/times.h"
#include "syscall/user.h"
#include "task/sched.h"

#define FD_SET_BITS 1024

/* The three sets become one list of files. */
struct select_sets {
    uint64_t set[3][FD_SET_BITS / 64];
    struct pollfd fds[FD_SET_BITS];
};

/* A descriptor that another process closes meanwhile, or has reserved, is ready for everything, as on
 * Linux. */
static const int16_t wanted_events[3] = {POLLIN | POLLHUP | POLLERR | POLLNVAL,
                                         POLLOUT | POLLERR | POLLNVAL, POLLPRI | POLLNVAL};

static bool has_bit(const struct select_sets *s, unsigned which, unsigned fd)
{
    return s->set[which][fd / 64] >> (fd % 64) & 1;
}

/* Returns the number of files, or -EBADF. */
static int collect(struct select_sets *s, unsigned nr)
{
    int count = 0;
    for (unsigned fd = 0; fd < nr; fd++) {
        int16_t events = 0;
        for (unsigned which = 0; which < 3; which++)
            if (has_bit(s, which, fd))
                events = (int16_t)(events | wanted_events[which]);
        if (events && !files_peek(current_process->files, fd) &&
            !files_is_reserved(current_process->files, fd))
            return -EBADF;
        if (events)
            s->fds[count++] = (struct pollfd){(int32_t)fd, events, 0};
    }
    return count;
}

static long store(struct select_sets *s, unsigned count)
{
    uint64_t out[3][FD_SET_BITS / 64] = {{0}};
    long bits = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned fd = (unsigned)s->fds[i].fd;
        for (unsigned which = 0; which < 3; which++) {
            if (!has_bit(s, which, fd) || !(s->fds[i].revents & wanted_events[which]))
                continue;
            out[which][fd / 64] |= 1ull << (fd % 64);
            bits++;
        }
    }
    memcpy(s->set, out, sizeof(out));
    return bits;
}

static long do_select(int nfds, const user_t user[3], uint64_t deadline)
{
    unsigned nr = nfds < FD_SET_BITS ? (unsigned)nfds : FD_SET_BITS;
    size_t size = (size_t)(nr + 63) / 64 * 8;
    if (nfds < 0)
        return -EINVAL;
    struct select_sets *s = slab_alloc_zeroed(sizeof(*s));
    long result = s ? 0 : -ENOMEM;
    for (unsigned i = 0; i < 3 && !result; i++)
        if (!user_is_null(user[i]))
            result = copy_from_user(s->set[i], user[i], size);
    if (!result) {
        int count = collect(s, nr);
        result = count < 0 ? count : poll_until(s->fds, (unsigned)count, 0, deadline);
        if (result >= 0)
            result = store(s, (unsigned)count);
    }
    for (unsigned i = 0; i < 3 && result >= 0; i++)
        if (!user_is_null(user[i]) && copy_to_user(user[i], s->set[i], size) != 0)
            result = -EFAULT;
    slab_free(s);
    return result;
}

/* Seconds and microseconds are added up, and the latter may be more than a second. */
static int timeval_deadline(user_t user, uint64_t *deadline)
{
    struct timeval time;
    *deadline = SLEEP_FOREVER;
    if (user_is_null(user))
        return 0;
    if (copy_from_user(&time, user, sizeof(time)) != 0)
        return -EFAULT;
    int64_t carry = time.microseconds / 1000000;
    if (time.seconds < 0 || time.microseconds < 0 || time.seconds > INT64_MAX - carry)
        return -EINVAL;
    struct timespec sum = {time.seconds + carry, time.microseconds % 1000000 * 1000};
    *deadline = timer_monotonic_ns() + timespec_ns(&sum);
    return 0;
}

long sys_select(int nfds, user_t readfds, user_t writefds, user_t exceptfds, user_t timeout)
{
    uint64_t deadline;
    const user_t sets[3] = {readfds, writefds, exceptfds};
    int error = timeval_deadline(timeout, &deadline);
    if (error)
        return error;
    long result = do_select(nfds, sets, deadline);
    struct timeval left = timeval_of_ns(time_left(deadline));
    if (!user_is_null(timeout))
        (void)copy_to_user(timeout, &left, sizeof(left)); /* as Linux, which ignores an error */
    return result;
}

/* sigmask points to a pointer to the mask, and its size. */
long sys_pselect6(int nfds, user_t readfds, user_t writefds, user_t exceptfds, user_t timeout,
                  user_t sigmask)
{
    uint64_t deadline;
    struct {
        user_t mask;
        size_t size;
    } argument = {user_ptr(0), 0};
    const user_t sets[3] = {readfds, writefds, exceptfds};
    if (!user_is_null(sigmask) && copy_from_user(&argument, sigmask, sizeof(argument)) != 0)
        return -EFAULT;
    int error = deadline_from_user(timeout, &deadline);
    if (!error)
        error = mask_for_call(argument.mask, argument.size);
    if (error)
        return error;
    long result = do_select(nfds, sets, deadline);
    put_time_left(timeout, deadline);
    return result;
}
