/* Waiting for files, and pipes. */
#include "file/devices.h"
#include "file/files.h"
#include "file/pipe.h"
#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/syscall.h"

#define FD_SET_BITS 1024
#define POLL_MAX    65536 /* entries, so that their records are one object */

struct pollfd {
    int32_t fd;
    int16_t events, revents;
};

static long make_pipe(uint64_t user, uint32_t flags)
{
    struct file *ends[2];
    int fd[2];
    struct files *files = current_process->files;
    uint64_t limit = descriptor_limit();
    if (flags & ~(uint32_t)(VFS_O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int error = pipe_create(&ends[0], &ends[1]);
    if (error)
        return error;
    for (unsigned i = 0; i < 2; i++) {
        ends[i]->vfs.flags |= flags & O_NONBLOCK;
        fd[i] = files_install(files, ends[i], 0, limit, flags & VFS_O_CLOEXEC);
        if (fd[i] < 0) {
            if (i == 1)
                files_close(files, (unsigned)fd[0]);
            else
                file_put(ends[0]);
            file_put(ends[1]);
            return fd[i];
        }
    }
    if (copy_to_user(user_ptr(user), fd, sizeof(fd)) != 0) {
        files_close(files, (unsigned)fd[0]);
        files_close(files, (unsigned)fd[1]);
        return -EFAULT;
    }
    return 0;
}

SYSCALL(pipe)
{
    return make_pipe(a, 0);
}

SYSCALL(pipe2)
{
    return make_pipe(a, (uint32_t)b);
}

/* What one entry of a poll waits for: its file is held. */
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
        if (file && file->ops && file->ops->poll_queue && !(file->vfs.flags & VFS_O_PATH))
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

/* Counts the entries with something to report. */
static unsigned scan(struct pollfd *fds, const struct polled *polled, unsigned count)
{
    unsigned ready = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned always = POLLERR | POLLHUP | POLLNVAL;
        unsigned events = fds[i].fd < 0 ? 0 : polled[i].file ? file_poll(polled[i].file) : POLLNVAL;
        fds[i].revents = (int16_t)(events & ((uint16_t)fds[i].events | always));
        ready += fds[i].revents != 0;
    }
    return ready;
}

static long poll_until(struct pollfd *fds, unsigned count, uint64_t deadline)
{
    struct polled few[4], *polled = few;
    long result;
    if (count > sizeof(few) / sizeof(few[0]))
        polled = slab_alloc(count * sizeof(*polled));
    if (!polled)
        return -ENOMEM;
    begin_poll(polled, fds, count);
    while ((result = scan(fds, polled, count)) == 0 && timer_monotonic_ns() < deadline) {
        if (sched_wait(deadline) == -EINTR) {
            result = -EINTR;
            break;
        }
    }
    end_poll(polled, count);
    if (polled != few)
        slab_free(polled);
    return result;
}

static long do_poll(uint64_t user, uint64_t count, uint64_t deadline)
{
    if (count > current_process->limits[RLIMIT_NOFILE].soft || count > POLL_MAX)
        return -EINVAL;
    size_t size = count * sizeof(struct pollfd);
    struct pollfd *fds = slab_alloc(size ? size : 1);
    if (!fds)
        return -ENOMEM;
    long result = copy_from_user(fds, user_ptr(user), size);
    if (!result)
        result = poll_until(fds, (unsigned)count, deadline);
    if (result >= 0 && copy_to_user(user_ptr(user), fds, size) != 0)
        result = -EFAULT;
    slab_free(fds);
    return result;
}

SYSCALL(poll)
{
    int milliseconds = (int)c;
    uint64_t deadline = SLEEP_FOREVER;
    if (milliseconds >= 0)
        deadline = timer_monotonic_ns() + (uint64_t)milliseconds * 1000000;
    return do_poll(a, (uint32_t)b, deadline);
}

static int deadline_of(uint64_t user, uint64_t *deadline)
{
    struct timespec time;
    *deadline = SLEEP_FOREVER;
    if (!user)
        return 0;
    int error = timespec_from_user(user, &time);
    if (!error)
        *deadline = timer_monotonic_ns() + timespec_ns(&time);
    return error;
}

SYSCALL(ppoll)
{
    uint64_t deadline, mask;
    int error = deadline_of(c, &deadline);
    if (error)
        return error;
    if (d && copy_from_user(&mask, user_ptr(d), sizeof(mask)) != 0)
        return -EFAULT;
    if (d)
        signal_set_blocked_for_call(mask);
    return do_poll(a, (uint32_t)b, deadline);
}

/* select by poll: the three sets become one list of files. */
struct select_sets {
    uint64_t set[3][FD_SET_BITS / 64];
    struct pollfd fds[FD_SET_BITS];
};

static const int16_t wanted_events[3] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, 2};

static bool has_bit(const struct select_sets *s, unsigned which, unsigned fd)
{
    return s->set[which][fd / 64] >> (fd % 64) & 1;
}

static unsigned collect(struct select_sets *s, unsigned nr)
{
    unsigned count = 0;
    for (unsigned fd = 0; fd < nr; fd++) {
        int16_t events = 0;
        for (unsigned which = 0; which < 3; which++)
            if (has_bit(s, which, fd))
                events = (int16_t)(events | wanted_events[which]);
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
        if (s->fds[i].revents & (int16_t)POLLNVAL)
            return -EBADF;
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

static long do_select(uint64_t nr, const uint64_t user[3], uint64_t deadline)
{
    if (nr > FD_SET_BITS)
        nr = FD_SET_BITS;
    size_t size = (nr + 63) / 64 * 8;
    struct select_sets *s = slab_alloc_zeroed(sizeof(*s));
    long result = s ? 0 : -ENOMEM;
    for (unsigned i = 0; i < 3 && !result; i++)
        if (user[i])
            result = copy_from_user(s->set[i], user_ptr(user[i]), size);
    if (!result) {
        unsigned count = collect(s, (unsigned)nr);
        result = poll_until(s->fds, count, deadline);
        if (result >= 0)
            result = store(s, count);
    }
    for (unsigned i = 0; i < 3 && result >= 0; i++)
        if (user[i] && copy_to_user(user_ptr(user[i]), s->set[i], size) != 0)
            result = -EFAULT;
    slab_free(s);
    return result;
}

SYSCALL(select)
{
    int64_t time[2];
    uint64_t deadline = SLEEP_FOREVER;
    const uint64_t sets[3] = {b, c, d};
    if ((int)a < 0)
        return -EINVAL;
    if (e && copy_from_user(time, user_ptr(e), sizeof(time)) != 0)
        return -EFAULT;
    if (e && (time[0] < 0 || time[1] < 0))
        return -EINVAL;
    if (e)
        deadline =
            timer_monotonic_ns() + (uint64_t)time[0] * NS_PER_SECOND + (uint64_t)time[1] * 1000;
    return do_select(a, sets, deadline);
}

SYSCALL(pselect6)
{
    uint64_t deadline, mask[2], set;
    const uint64_t sets[3] = {b, c, d};
    if ((int)a < 0)
        return -EINVAL;
    int error = deadline_of(e, &deadline);
    if (error)
        return error;
    if (f && copy_from_user(mask, user_ptr(f), sizeof(mask)) != 0)
        return -EFAULT;
    if (f && mask[0]) {
        if (copy_from_user(&set, user_ptr(mask[0]), sizeof(set)) != 0)
            return -EFAULT;
        signal_set_blocked_for_call(set);
    }
    return do_select(a, sets, deadline);
}
