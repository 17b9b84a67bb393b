#include "syscall/poll.h"

#include "dev/timer.h"
#include "file/devices.h"
#include "file/files.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "task/process.h"
#include "task/sched.h"

/* Waiting for files: poll(2) and select(2). */

#define POLL_MAX 65536 /* entries, so that their records are one object */

/* One entry of a poll. It holds a reference on its file. */
struct polled {
    struct file *file; /* NULL: the descriptor is negative, or leads nowhere */
    struct waiter waiter;
};

/* Looks up all files and begins to wait for those that can change. */
static void begin_poll(struct polled *polled, const struct pollfd *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct file *file = NULL;
        if (fds[i].fd >= 0)
            file = files_find(current_process->files, (unsigned)fds[i].fd);
        polled[i].file = file;
        list_init(&polled[i].waiter.link);
        if (file && file->ops && file->ops->poll_queue && !(file->vfs.flags & UMVFS_O_PATH))
            wait_begin(file->ops->poll_queue(file), &polled[i].waiter);
    }
}

static void end_poll(struct polled *polled, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        wait_end(&polled[i].waiter);
        if (polled[i].file)
            file_put(polled[i].file);
    }
}

/* Counts the entries with something to report. A descriptor that another process has closed or
 * replaced meanwhile is reported in its new state, as on Linux. */
static unsigned scan(struct pollfd *fds, unsigned count, unsigned always)
{
    LENDING();
    unsigned ready = 0;
    for (unsigned i = 0; i < count; i++) {
        struct file *file = files_peek(current_process->files, (unsigned)fds[i].fd);
        unsigned events = fds[i].fd < 0 ? 0 : file ? file_poll(file) : POLLNVAL;
        fds[i].revents = (int16_t)(events & ((uint16_t)fds[i].events | always));
        ready += fds[i].revents != 0;
    }
    return ready;
}

long poll_until(struct pollfd *fds, unsigned count, unsigned always, uint64_t deadline)
{
    struct polled few[4], *polled = few;
    long result;
    if (count > sizeof(few) / sizeof(few[0]))
        polled = slab_alloc(count * sizeof(*polled));
    if (!polled)
        return -ENOMEM;
    begin_poll(polled, fds, count);
    while ((result = scan(fds, count, always)) == 0) {
        if (signal_is_pending(current_thread)) {
            result = -EINTR; /* also when the time is over */
            break;
        }
        if (timer_monotonic_ns() >= deadline)
            break;
        (void)sched_wait(deadline);
    }
    end_poll(polled, count);
    if (polled != few)
        slab_free(polled);
    return result;
}

static long poll_user(user_t user, unsigned count, uint64_t deadline)
{
    if (count > current_process->limits[RLIMIT_NOFILE].soft || count > POLL_MAX)
        return -EINVAL;
    size_t size = count * sizeof(struct pollfd);
    struct pollfd *fds = slab_alloc(size ? size : 1);
    if (!fds)
        return -ENOMEM;
    long result = copy_from_user(fds, user, size);
    if (!result)
        result = poll_until(fds, count, POLLERR | POLLHUP | POLLNVAL, deadline);
    bool stores = result >= 0 || result == -EINTR;
    if (stores && (!user_range_is_valid(user, size) || copy_to_user(user, fds, size) != 0))
        result = -EFAULT;
    slab_free(fds);
    return result;
}

long sys_poll(user_t fds, unsigned nfds, int timeout)
{
    uint64_t deadline = SLEEP_FOREVER;
    if (timeout >= 0)
        deadline = timer_monotonic_ns() + (uint64_t)timeout * 1000000;
    return poll_user(fds, nfds, deadline);
}

int mask_for_call(user_t mask, size_t size)
{
    uint64_t set;
    if (user_is_null(mask))
        return 0;
    if (size != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, mask, sizeof(set)) != 0)
        return -EFAULT;
    signal_set_blocked_for_call(set);
    return 0;
}

/* The end of a call with a time limit and perhaps a mask, which only a call that a signal ended keeps for the
 * handler; if there is none, since the signal is ignored, the call goes on. As on Linux, a signal that ends the process
 * and came meanwhile does so however the call ended; `was_due`: one was pending before. Stores the time that is
 * left; as on Linux, memory that cannot be written is not an error. */
static long end_wait(user_t user, uint64_t deadline, bool was_due, long result)
{
    struct timespec left = timespec_of_ns(time_left(deadline));
    if (result != -EINTR && (was_due || !signal_is_fatal(current_thread)))
        signal_restore_blocked();
    if (!user_is_null(user))
        (void)copy_to_user(user, &left, sizeof(left));
    return result == -EINTR ? -ERESTARTNOHAND : result;
}

long sys_ppoll(user_t fds, unsigned nfds, user_t timeout, user_t sigmask, size_t sigsetsize)
{
    uint64_t deadline;
    int error = deadline_from_user(timeout, &deadline);
    if (!error)
        error = mask_for_call(sigmask, sigsetsize);
    if (error)
        return error;
    bool was_due = !user_is_null(sigmask) && signal_is_fatal(current_thread);
    return end_wait(timeout, deadline, was_due, poll_user(fds, nfds, deadline));
}

/* Waiting for files: select(2), implemented with poll_until(). */

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
    return result == -EINTR ? -ERESTARTNOHAND : result;
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
    bool was_due = !user_is_null(argument.mask) && signal_is_fatal(current_thread);
    return end_wait(timeout, deadline, was_due, do_select(nfds, sets, deadline));
}
