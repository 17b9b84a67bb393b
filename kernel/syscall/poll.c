/* Waiting for files: poll(2). */
#include "syscall/poll.h"

#include "file/devices.h"
#include "file/files.h"
#include "dev/timer.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/times.h"
#include "syscall/user.h"
#include "task/process.h"

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
    if (result >= 0 && copy_to_user(user, fds, size) != 0)
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

void put_time_left(user_t user, uint64_t deadline)
{
    struct timespec left = timespec_of_ns(time_left(deadline));
    if (!user_is_null(user))
        (void)copy_to_user(user, &left, sizeof(left));
}

long sys_ppoll(user_t fds, unsigned nfds, user_t timeout, user_t sigmask, size_t sigsetsize)
{
    uint64_t deadline;
    int error = deadline_from_user(timeout, &deadline);
    if (!error)
        error = mask_for_call(sigmask, sigsetsize);
    if (error)
        return error;
    long result = poll_user(fds, nfds, deadline);
    put_time_left(timeout, deadline);
    return result;
}
