#include "file/pipe.h"

#include <stdbool.h>

#include <vfs/vfs.h>

#include "file/devices.h"
#include "file/files.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "task/process.h"

#define PIPE_SIZE   65536u    /* bytes, as on Linux */
#define PIPE_ATOMIC PAGE_SIZE /* PIPE_BUF: writes up to this are not interleaved */
#define PIPE_PAGES  (PIPE_SIZE / PAGE_SIZE + 1) /* the bytes may begin within a page */

#define FIONREAD 0x541b

/* A ring of pages that are there only while they hold bytes: those at the positions [start, end). As many
 * positions as a pipe can hold never lie in more than PIPE_PAGES pages, so each page has its own slot. */
struct pipe {
    struct frame *page[PIPE_PAGES];
    uint64_t start, end; /* positions: bytes ever read and written */
    unsigned readers, writers;
    uint64_t reader_opens, writer_opens; /* so that an open notices who came and went meanwhile */
    struct wait_queue changed;
    uint64_t number; /* in the file system of unnamed objects; 0: a FIFO, or removed already */
    bool is_unnamed;
    struct user *payer; /* charged for it and for its pages: who made it */
};

static struct pipe *pipe_new(void)
{
    struct pipe *pipe = slab_alloc_zeroed(sizeof(*pipe));
    if (!pipe)
        return NULL;
    wait_queue_init(&pipe->changed);
    pipe->payer = current_payer();
    user_charge(pipe->payer, sizeof(*pipe));
    return pipe;
}

static void pipe_free(struct pipe *pipe)
{
    if (!pipe)
        return;
    user_uncharge(pipe->payer, sizeof(*pipe));
    slab_free(pipe);
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

static void free_page(struct pipe *pipe, struct frame **page)
{
    frame_put(*page);
    *page = NULL;
    if (pipe->payer)
        pipe->payer->memory.pages--;
}

static bool make_page(struct pipe *pipe, struct frame **page)
{
    *page = frame_alloc(FRAME_ANON);
    if (!*page)
        return false;
    if (pipe->payer)
        pipe->payer->memory.pages++;
    return true;
}

/* All bytes are gone: the page that some of them were in goes, too. */
static void become_empty(struct pipe *pipe)
{
    struct frame **page = page_of(pipe, pipe->start);
    if (*page)
        free_page(pipe, page);
    pipe->start = pipe->end = 0;
}

static void discard_all(struct pipe *pipe)
{
    for (unsigned i = 0; i < PIPE_PAGES; i++)
        if (pipe->page[i])
            free_page(pipe, &pipe->page[i]);
    pipe->start = pipe->end = 0;
}

static int64_t take(struct pipe *pipe, struct user_iter *to)
{
    size_t done = 0;
    while (to->left > 0 && pipe->start < pipe->end) {
        uint64_t most = pipe->end - pipe->start;
        size_t n = chunk(pipe->start, most < to->left ? most : to->left);
        struct frame **page = page_of(pipe, pipe->start);
        const uint8_t *from = (const uint8_t *)frame_ptr(*page) + (pipe->start & PAGE_MASK);
        size_t copied = user_iter_put(to, from, n);
        done += copied;
        pipe->start += copied;
        if (copied > 0 && (pipe->start & PAGE_MASK) == 0)
            free_page(pipe, page);
        if (copied < n)
            break;
    }
    if (pipe->start == pipe->end)
        become_empty(pipe);
    return done > 0 ? (int64_t)done : -EFAULT;
}

static int64_t pipe_read(struct file *file, struct user_iter *to)
{
    struct pipe *pipe = file->private_data;
    if (to->left == 0)
        return 0;
    while (pipe->start == pipe->end) {
        if (pipe->writers == 0)
            return 0;
        if (file->vfs.flags & O_NONBLOCK)
            return -EAGAIN;
        if (sched_sleep(&pipe->changed, SLEEP_FOREVER) == -EINTR)
            return -ERESTARTSYS;
    }
    int64_t n = take(pipe, to);
    sched_wake_all(&pipe->changed);
    return n;
}

/* Moves what fits; 0: nothing does. */
static int64_t put(struct pipe *pipe, struct user_iter *from)
{
    size_t done = 0;
    while (from->left > 0 && pipe->end - pipe->start < PIPE_SIZE) {
        uint64_t room = PIPE_SIZE - (pipe->end - pipe->start);
        size_t n = chunk(pipe->end, room < from->left ? room : from->left);
        struct frame **page = page_of(pipe, pipe->end);
        if (!*page && !make_page(pipe, page))
            return done > 0 ? (int64_t)done : -ENOMEM;
        uint8_t *to = (uint8_t *)frame_ptr(*page) + (pipe->end & PAGE_MASK);
        size_t copied = user_iter_take(from, to, n);
        done += copied;
        pipe->end += copied;
        if (copied < n)
            break;
    }
    if (pipe->start == pipe->end)
        become_empty(pipe);
    return done > 0 || from->left == 0 ? (int64_t)done : -EFAULT;
}

static bool has_room(const struct pipe *pipe, size_t size)
{
    uint64_t room = PIPE_SIZE - (pipe->end - pipe->start);
    return room >= size || (size > PIPE_ATOMIC && room > 0);
}

/* Waits until more can be written. */
static int wait_for_room(const struct file *file, struct pipe *pipe)
{
    if (file->vfs.flags & O_NONBLOCK)
        return -EAGAIN;
    return sched_sleep(&pipe->changed, SLEEP_FOREVER) == -EINTR ? -ERESTARTSYS : 0;
}

static int64_t pipe_write(struct file *file, struct user_iter *from)
{
    struct pipe *pipe = file->private_data;
    int64_t done = 0;
    while (from->left > 0) {
        int64_t n;
        if (pipe->readers == 0) {
            (void)signal_send_thread(current_thread, SIGPIPE, NULL);
            n = -EPIPE;
        } else if (has_room(pipe, from->left)) {
            n = put(pipe, from);
            sched_wake_all(&pipe->changed);
        } else {
            n = wait_for_room(file, pipe);
        }
        if (n < 0)
            return done ? done : n;
        done += n;
    }
    return done;
}

static bool reads(const struct file *file)
{
    return (file->vfs.flags & VFS_O_ACCMODE) != VFS_O_WRONLY;
}

static bool writes(const struct file *file)
{
    return (file->vfs.flags & VFS_O_ACCMODE) != VFS_O_RDONLY;
}

/* Writers that had opened the FIFO before this description did do not count as having hung up. */
static bool has_hung_up(const struct file *file, const struct pipe *pipe)
{
    return pipe->writers == 0 &&
           (pipe->is_unnamed || pipe->writer_opens != (uint64_t)file->vfs.private_data);
}

static unsigned pipe_poll(struct file *file)
{
    const struct pipe *pipe = file->private_data;
    unsigned events = 0;
    if (reads(file)) {
        events |= pipe->start < pipe->end ? POLLIN | POLLRDNORM : 0;
        events |= has_hung_up(file, pipe) ? POLLHUP : 0;
    }
    if (writes(file)) {
        events |= has_room(pipe, PIPE_ATOMIC) ? POLLOUT | POLLWRNORM : 0;
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

static void detach(struct file *file)
{
    struct pipe *pipe = file->private_data;
    pipe->readers -= reads(file);
    pipe->writers -= writes(file);
    sched_wake_all(&pipe->changed);
    if (pipe->readers + pipe->writers > 0)
        return;
    discard_all(pipe);
    if (pipe->number) {
        unnamed_remove(pipe->number);
        pipe->number = 0;
    }
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .poll_queue = pipe_poll_queue,
    .close = detach,
};

static void attach(struct file *file, struct pipe *pipe)
{
    file->ops = &pipe_ops;
    file->private_data = pipe;
    file->vfs.private_data = (void *)pipe->writer_opens;
    pipe->readers += reads(file);
    pipe->writers += writes(file);
    pipe->reader_opens += reads(file);
    pipe->writer_opens += writes(file);
}

/* Opens both ends of the pipe with the number and connects them; the inode owns the pipe. */
static int open_ends(struct pipe *pipe, struct file *in, struct file *out)
{
    int error = unnamed_open(pipe->number, VFS_O_RDONLY, &in->vfs);
    if (error)
        return error;
    error = unnamed_open(pipe->number, VFS_O_WRONLY, &out->vfs);
    if (error)
        return error;
    vfs_inode_set_cookie(in->vfs.inode, pipe);
    attach(in, pipe);
    attach(out, pipe);
    return 0;
}

int pipe_create(struct file **read_end, struct file **write_end)
{
    struct pipe *pipe = pipe_new();
    struct file *in = file_create(), *out = file_create();
    int error = pipe && in && out ? 0 : -ENOMEM;
    if (!error)
        error = unnamed_create(VFS_S_IFIFO | 0600, 0, &pipe->number);
    if (!error) {
        pipe->is_unnamed = true;
        error = open_ends(pipe, in, out);
        if (error)
            unnamed_remove(pipe->number);
    }
    if (error) {
        if (in)
            file_put(in);
        if (out)
            file_put(out);
        pipe_free(pipe);
        return error;
    }
    *read_end = in;
    *write_end = out;
    return 0;
}

/* Waits until the other side has been opened since `before`, or is open. */
static int wait_for_other(struct pipe *pipe, const unsigned *count, const uint64_t *opens)
{
    uint64_t before = *opens;
    while (*count == 0 && *opens == before)
        if (sched_sleep(&pipe->changed, SLEEP_FOREVER) == -EINTR)
            return -ERESTARTSYS;
    return 0;
}

int fifo_open(struct file *file)
{
    struct pipe *pipe = vfs_inode_cookie(file->vfs.inode);
    if (!pipe) {
        pipe = pipe_new();
        if (!pipe)
            return -ENOMEM;
        vfs_inode_set_cookie(file->vfs.inode, pipe);
    }
    bool wait = !(file->vfs.flags & O_NONBLOCK) && !pipe->is_unnamed;
    if (!wait && !pipe->is_unnamed && !reads(file) && pipe->readers == 0)
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
    pipe_free(cookie);
}
