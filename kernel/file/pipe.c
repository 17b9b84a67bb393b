#include "file/pipe.h"

#include <vfs/vfs.h>

#include <stdbool.h>

#include "file/devices.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "file/files.h"
#include "task/sched.h"
#include "task/task.h"

#define PIPE_SIZE   65536u    /* bytes, as on Linux */
#define PIPE_ATOMIC PAGE_SIZE /* PIPE_BUF: writes up to this are not interleaved */
#define PIPE_PAGES  (PIPE_SIZE / PAGE_SIZE)

#define FIONREAD 0x541b

/* A ring of pages that are there only while they hold bytes. */
struct pipe {
    struct frame *page[PIPE_PAGES];
    uint64_t start, end; /* bytes ever read and written */
    unsigned readers, writers;
    uint64_t reader_opens, writer_opens; /* so that an open notices who came and went meanwhile */
    struct wait_queue changed;
    bool is_fifo;
};

static struct pipe *pipe_new(void)
{
    struct pipe *pipe = slab_alloc_zeroed(sizeof(*pipe));
    if (pipe)
        wait_queue_init(&pipe->changed);
    return pipe;
}

static void free_pages(struct pipe *pipe)
{
    for (unsigned i = 0; i < PIPE_PAGES; i++) {
        if (pipe->page[i])
            frame_put(pipe->page[i]);
        pipe->page[i] = NULL;
    }
    pipe->start = pipe->end = 0;
}

/* The bytes at a position that lie in one page. */
static size_t chunk(uint64_t position, uint64_t most)
{
    uint64_t rest = PAGE_SIZE - (position & PAGE_MASK);
    return rest < most ? rest : most;
}

static struct frame **page_of(struct pipe *pipe, uint64_t position)
{
    return &pipe->page[position / PAGE_SIZE % PIPE_PAGES];
}

static int64_t take(struct pipe *pipe, virt_t buf, size_t size)
{
    size_t done = 0;
    while (done < size && pipe->start < pipe->end) {
        uint64_t most = pipe->end - pipe->start;
        size_t n = chunk(pipe->start, most < size - done ? most : size - done);
        struct frame **page = page_of(pipe, pipe->start);
        uint8_t *from = (uint8_t *)frame_ptr(*page) + (pipe->start & PAGE_MASK);
        size_t copied = copy_to_user_some(user_ptr(buf + done), from, n);
        done += copied;
        pipe->start += copied;
        if (copied > 0 && (pipe->start & PAGE_MASK) == 0) {
            frame_put(*page);
            *page = NULL;
        }
        if (copied < n)
            break;
    }
    if (pipe->start == pipe->end)
        free_pages(pipe);
    return done > 0 ? (int64_t)done : -EFAULT;
}

static int64_t pipe_read(struct file *file, virt_t buf, size_t size)
{
    struct pipe *pipe = file->private_data;
    if (size == 0)
        return 0;
    while (pipe->start == pipe->end) {
        if (pipe->writers == 0)
            return 0;
        if (file->vfs.flags & O_NONBLOCK)
            return -EAGAIN;
        if (sched_sleep(&pipe->changed, UINT64_MAX) == -EINTR)
            return -ERESTARTSYS;
    }
    int64_t n = take(pipe, buf, size);
    sched_wake_all(&pipe->changed);
    return n;
}

/* Moves what fits; 0: nothing does. */
static int64_t put(struct pipe *pipe, virt_t buf, size_t size)
{
    size_t done = 0;
    while (done < size && pipe->end - pipe->start < PIPE_SIZE) {
        uint64_t room = PIPE_SIZE - (pipe->end - pipe->start);
        size_t n = chunk(pipe->end, room < size - done ? room : size - done);
        struct frame **page = page_of(pipe, pipe->end);
        if (!*page && !(*page = frame_alloc(FRAME_ANON)))
            return done > 0 ? (int64_t)done : -ENOMEM;
        uint8_t *to = (uint8_t *)frame_ptr(*page) + (pipe->end & PAGE_MASK);
        size_t copied = copy_from_user_some(to, user_ptr(buf + done), n);
        done += copied;
        pipe->end += copied;
        if (copied < n)
            return done > 0 ? (int64_t)done : -EFAULT;
    }
    return (int64_t)done;
}

static bool has_room(const struct pipe *pipe, size_t size)
{
    uint64_t room = PIPE_SIZE - (pipe->end - pipe->start);
    return room >= size || (size > PIPE_ATOMIC && room > 0);
}

static int64_t pipe_write(struct file *file, virt_t buf, size_t size)
{
    struct pipe *pipe = file->private_data;
    size_t done = 0;
    while (done < size) {
        if (pipe->readers == 0) {
            signal_send(current_task, SIGPIPE, NULL);
            return done > 0 ? (int64_t)done : -EPIPE;
        }
        if (has_room(pipe, size - done)) {
            int64_t n = put(pipe, buf + done, size - done);
            sched_wake_all(&pipe->changed);
            if (n < 0)
                return done > 0 ? (int64_t)done : n;
            done += (size_t)n;
            continue;
        }
        if (file->vfs.flags & O_NONBLOCK)
            return done > 0 ? (int64_t)done : -EAGAIN;
        if (sched_sleep(&pipe->changed, UINT64_MAX) == -EINTR)
            return done > 0 ? (int64_t)done : -ERESTARTSYS;
    }
    return (int64_t)done;
}

static bool reads(const struct file *file)
{
    return (file->vfs.flags & VFS_O_ACCMODE) != VFS_O_WRONLY;
}

static bool writes(const struct file *file)
{
    return (file->vfs.flags & VFS_O_ACCMODE) != VFS_O_RDONLY;
}

static unsigned pipe_poll(struct file *file)
{
    const struct pipe *pipe = file->private_data;
    unsigned events = 0;
    if (reads(file)) {
        events |= pipe->start < pipe->end ? POLLIN : 0;
        events |= pipe->writers == 0 ? POLLHUP : 0;
    }
    if (writes(file)) {
        events |= has_room(pipe, PIPE_ATOMIC) ? POLLOUT : 0;
        events |= pipe->readers == 0 ? POLLERR : 0;
    }
    return events;
}

static struct wait_queue *pipe_poll_queue(struct file *file)
{
    struct pipe *pipe = file->private_data;
    return &pipe->changed;
}

static int pipe_ioctl(struct file *file, unsigned request, uint64_t argument)
{
    const struct pipe *pipe = file->private_data;
    uint32_t bytes = (uint32_t)(pipe->end - pipe->start);
    return request == FIONREAD ? copy_to_user(user_ptr(argument), &bytes, sizeof(bytes)) : -ENOTTY;
}

static void pipe_close(struct file *file)
{
    struct pipe *pipe = file->private_data;
    pipe->readers -= reads(file);
    pipe->writers -= writes(file);
    sched_wake_all(&pipe->changed);
    if (pipe->readers + pipe->writers > 0)
        return;
    free_pages(pipe);
    if (!pipe->is_fifo)
        slab_free(pipe);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .poll_queue = pipe_poll_queue,
    .close = pipe_close,
};

static void attach(struct file *file, struct pipe *pipe)
{
    file->ops = &pipe_ops;
    file->private_data = pipe;
    pipe->readers += reads(file);
    pipe->writers += writes(file);
    pipe->reader_opens += reads(file);
    pipe->writer_opens += writes(file);
}

int pipe_create(struct file **read_end, struct file **write_end)
{
    struct pipe *pipe = pipe_new();
    struct file *in = file_create(), *out = file_create();
    if (!pipe || !in || !out) {
        slab_free(pipe);
        slab_free(in);
        slab_free(out);
        return -ENOMEM;
    }
    in->vfs.flags = VFS_O_RDONLY;
    out->vfs.flags = VFS_O_WRONLY;
    attach(in, pipe);
    attach(out, pipe);
    *read_end = in;
    *write_end = out;
    return 0;
}

/* Waits until the other side has been opened since `before`, or is open. */
static int wait_for_other(struct pipe *pipe, const unsigned *count, const uint64_t *opens)
{
    uint64_t before = *opens;
    while (*count == 0 && *opens == before)
        if (sched_sleep(&pipe->changed, UINT64_MAX) == -EINTR)
            return -ERESTARTSYS;
    return 0;
}

int fifo_open(struct file *file)
{
    struct pipe *pipe = vfs_inode_cookie(file->vfs.inode);
    bool wait = !(file->vfs.flags & O_NONBLOCK);
    if (!pipe) {
        pipe = pipe_new();
        if (!pipe)
            return -ENOMEM;
        pipe->is_fifo = true;
        vfs_inode_set_cookie(file->vfs.inode, pipe);
    }
    if (!wait && writes(file) && !reads(file) && pipe->readers == 0)
        return -ENXIO;
    attach(file, pipe);
    sched_wake_all(&pipe->changed);
    if (!wait || (reads(file) && writes(file)))
        return 0;
    return reads(file) ? wait_for_other(pipe, &pipe->writers, &pipe->writer_opens)
                       : wait_for_other(pipe, &pipe->readers, &pipe->reader_opens);
}

void fifo_gone(void *cookie)
{
    slab_free(cookie);
}
