#include "file/pipe.h"

#include <stdbool.h>

#include <umvfs/vfs.h>

#include "file/devices.h"
#include "file/files.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "task/process.h"

#define PIPE_SLOTS 16 /* as on Linux: 65536 bytes in whole pages */

#define FIONREAD 0x541b

/* A page, and the range of its bytes that are not read yet. */
struct pipe_slot {
    struct frame *page;
    unsigned start, size;
    bool is_full; /* a write never adds to it */
};

/* A ring of pages. A write puts bytes into the last page only if the rest of the write after whole
 * pages fits there completely. So a write of up to a page, which is PIPE_BUF, is made at once or
 * not at all. */
struct pipe {
    struct pipe_slot usual[PIPE_SLOTS];
    struct pipe_slot *slot; /* these, or others that are charged */
    unsigned slots;         /* a power of two */
    unsigned first, used;   /* the oldest slot; how many are in use */
    unsigned readers, writers;
    uint64_t reader_opens, writer_opens; /* so that a sleeping open notices opens meanwhile */
    struct wait_queue changed;
    uint64_t number; /* in the file system of unnamed objects; 0: a FIFO, or removed already */
    bool is_unnamed;
    struct user *payer; /* the user who created it, charged for it and its pages */
};

static struct pipe *pipe_new(void)
{
    struct pipe *pipe = slab_alloc_zeroed(sizeof(*pipe));
    if (!pipe)
        return NULL;
    wait_queue_init(&pipe->changed);
    pipe->slot = pipe->usual;
    pipe->slots = PIPE_SLOTS;
    pipe->payer = current_process->payer;
    user_charge(pipe->payer, sizeof(*pipe));
    return pipe;
}

/* Takes other slots, into which what is in use was copied. */
static void set_slots(struct pipe *pipe, struct pipe_slot *slot, unsigned slots)
{
    if (pipe->slot != pipe->usual) {
        user_uncharge(pipe->payer, pipe->slots * sizeof(pipe->slot[0]));
        slab_free(pipe->slot);
    }
    if (slot != pipe->usual)
        user_charge(pipe->payer, slots * sizeof(slot[0]));
    pipe->slot = slot;
    pipe->slots = slots;
    pipe->first = 0;
}

static void pipe_free(struct pipe *pipe)
{
    if (!pipe)
        return;
    set_slots(pipe, pipe->usual, PIPE_SLOTS);
    user_uncharge(pipe->payer, sizeof(*pipe));
    slab_free(pipe);
}

static struct pipe_slot *slot_at(struct pipe *pipe, unsigned index)
{
    return &pipe->slot[(pipe->first + index) & (pipe->slots - 1)];
}

static void free_first(struct pipe *pipe)
{
    frame_put(slot_at(pipe, 0)->page);
    pipe->first = (pipe->first + 1) & (pipe->slots - 1);
    pipe->used--;
    pipe->payer->memory.pages--;
}

static void discard_all(struct pipe *pipe)
{
    while (pipe->used > 0)
        free_first(pipe);
}

/* As on Linux, a slot whose bytes do not all reach the program keeps them. */
static int64_t take(struct pipe *pipe, struct user_iter *to)
{
    int64_t done = 0;
    while (to->left > 0 && pipe->used > 0) {
        struct pipe_slot *slot = slot_at(pipe, 0);
        size_t wanted = slot->size < to->left ? slot->size : to->left;
        const uint8_t *bytes = (const uint8_t *)frame_ptr(slot->page) + slot->start;
        if (user_iter_put(to, bytes, wanted) < wanted)
            break;
        done += (int64_t)wanted;
        slot->start += (unsigned)wanted;
        slot->size -= (unsigned)wanted;
        if (slot->size == 0)
            free_first(pipe);
    }
    return done ? done : -EFAULT;
}

static int64_t pipe_read(struct file *file, struct user_iter *to)
{
    struct pipe *pipe = file->private_data;
    if (to->left == 0)
        return 0;
    while (pipe->used == 0) {
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

/* Appends to a slot: all of it, or nothing if user memory faults. */
static int64_t fill(struct pipe_slot *slot, struct user_iter *from, size_t size)
{
    uint8_t *to = (uint8_t *)frame_ptr(slot->page) + slot->start + slot->size;
    if (user_iter_take(from, to, size) < size)
        return -EFAULT;
    slot->size += (unsigned)size;
    return (int64_t)size;
}

/* Puts the rest after whole pages into the last page, if it fits. */
static int64_t fill_last(struct pipe *pipe, struct user_iter *from)
{
    size_t rest = from->left & PAGE_MASK;
    if (rest == 0 || pipe->used == 0)
        return 0;
    struct pipe_slot *last = slot_at(pipe, pipe->used - 1);
    bool fits = !last->is_full && last->start + last->size + rest <= PAGE_SIZE;
    return fits ? fill(last, from, rest) : 0;
}

static void take_slot(struct pipe *pipe)
{
    pipe->used++;
    pipe->payer->memory.pages++;
}

static int64_t fill_new(struct pipe *pipe, struct user_iter *from)
{
    struct pipe_slot *slot = slot_at(pipe, pipe->used);
    *slot = (struct pipe_slot){.page = frame_alloc(FRAME_ANON)};
    if (!slot->page)
        return -ENOMEM;
    int64_t n = fill(slot, from, from->left < PAGE_SIZE ? from->left : PAGE_SIZE);
    if (n < 0)
        frame_put(slot->page);
    else
        take_slot(pipe);
    return n;
}

/* Waits until more can be written. */
static int wait_for_room(const struct file *file, struct pipe *pipe)
{
    if (file->vfs.flags & O_NONBLOCK)
        return -EAGAIN;
    return sched_sleep(&pipe->changed, SLEEP_FOREVER) == -EINTR ? -ERESTARTSYS : 0;
}

static int check_readers(const struct pipe *pipe)
{
    if (pipe->readers > 0)
        return 0;
    signal_send_self(SIGPIPE);
    return -EPIPE;
}

int pipe_wait_for_room(const struct file *file)
{
    struct pipe *pipe = file->private_data;
    for (;;) {
        int error = check_readers(pipe);
        if (error || pipe->used < pipe->slots)
            return error;
        error = wait_for_room(file, pipe);
        if (error)
            return error;
    }
}

/* Makes the next step of a write. Returns the bytes moved, 0 after waiting, or an error. */
static int64_t write_step(const struct file *file, struct pipe *pipe, struct user_iter *from)
{
    int error = check_readers(pipe);
    if (error)
        return error;
    if (pipe->used == pipe->slots)
        return wait_for_room(file, pipe);
    int64_t n = fill_new(pipe, from);
    sched_wake_all(&pipe->changed);
    return n;
}

static int64_t pipe_write(struct file *file, struct user_iter *from)
{
    struct pipe *pipe = file->private_data;
    int64_t done = 0;
    if (from->left > 0 && pipe->readers > 0) {
        done = fill_last(pipe, from);
        if (done < 0)
            return done;
        if (done > 0)
            sched_wake_all(&pipe->changed);
    }
    while (from->left > 0) {
        int64_t n = write_step(file, pipe, from);
        if (n < 0)
            return done ? done : n;
        done += n;
    }
    return done;
}

int64_t pipe_put_page(struct file *file, const void *bytes, size_t size)
{
    struct pipe *pipe = file->private_data;
    if (pipe->readers == 0 || pipe->used == pipe->slots)
        return 0;
    struct user_iter iter = user_iter_from_kernel(bytes, size);
    int64_t n = fill_new(pipe, &iter);
    if (n > 0)
        slot_at(pipe, pipe->used - 1)->is_full = true;
    sched_wake_all(&pipe->changed);
    return n;
}

/* A FIFO has hung up if it has no writer and had one after this description was opened. */
static bool has_hung_up(const struct file *file, const struct pipe *pipe)
{
    return pipe->writers == 0 &&
           (pipe->is_unnamed || pipe->writer_opens != (uint64_t)file->vfs.private_data);
}

static unsigned pipe_poll(struct file *file)
{
    const struct pipe *pipe = file->private_data;
    unsigned events = 0;
    if (file_may_read(file)) {
        events |= pipe->used > 0 ? POLLIN | POLLRDNORM : 0;
        events |= has_hung_up(file, pipe) ? POLLHUP : 0;
    }
    if (file_may_write(file)) {
        events |= pipe->used < pipe->slots ? POLLOUT | POLLWRNORM : 0;
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
    struct pipe *pipe = file->private_data;
    uint32_t bytes = 0;
    for (unsigned i = 0; i < pipe->used; i++)
        bytes += slot_at(pipe, i)->size;
    return request == FIONREAD ? copy_to_user(user_ptr(argument), &bytes, sizeof(bytes)) : -ENOTTY;
}

static void detach(struct file *file)
{
    struct pipe *pipe = file->private_data;
    pipe->readers -= file_may_read(file);
    pipe->writers -= file_may_write(file);
    sched_wake_all(&pipe->changed);
    if (pipe->readers + pipe->writers > 0)
        return;
    discard_all(pipe);
    set_slots(pipe, pipe->usual, PIPE_SLOTS); /* a FIFO that is opened again is as new */
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

bool pipe_is(const struct file *file)
{
    return file->ops == &pipe_ops;
}

int64_t pipe_capacity(const struct file *file)
{
    const struct pipe *pipe = file->private_data;
    return pipe_is(file) ? (int64_t)(pipe->slots * PAGE_SIZE) : -EBADF;
}

/* The capacity that a program gets for the one that it asks for; 0: none. */
static uint64_t round_capacity(uint32_t size)
{
    uint64_t capacity = PAGE_SIZE;
    if (size > 1u << 31)
        return 0;
    while (capacity < size)
        capacity *= 2;
    return capacity;
}

int64_t pipe_set_capacity(struct file *file, uint32_t size)
{
    struct pipe *pipe = file->private_data;
    uint64_t capacity = round_capacity(size);
    unsigned slots = (unsigned)(capacity >> PAGE_SHIFT);
    if (!pipe_is(file))
        return -EBADF;
    if (capacity == 0)
        return -EINVAL;
    if (slots > pipe->slots && capacity > PIPE_CAPACITY_MAX && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (slots < pipe->used)
        return -EBUSY;
    if (slots == pipe->slots)
        return (int64_t)capacity;
    struct pipe_slot *slot = pipe->usual;
    if (slots != PIPE_SLOTS)
        slot = slab_alloc(slots * sizeof(slot[0]));
    if (!slot)
        return -ENOMEM;
    for (unsigned i = 0; i < pipe->used; i++)
        slot[i] = *slot_at(pipe, i);
    set_slots(pipe, slot, slots);
    sched_wake_all(&pipe->changed);
    return (int64_t)capacity;
}

static void attach(struct file *file, struct pipe *pipe)
{
    file->ops = &pipe_ops;
    file->private_data = pipe;
    file->vfs.private_data = (void *)pipe->writer_opens;
    pipe->readers += file_may_read(file);
    pipe->writers += file_may_write(file);
    pipe->reader_opens += file_may_read(file);
    pipe->writer_opens += file_may_write(file);
}

/* Opens both ends of the pipe with the number and connects them; the inode owns the pipe. */
static int open_ends(struct pipe *pipe, struct file *in, struct file *out)
{
    int error = unnamed_open(pipe->number, UMVFS_O_RDONLY, &in->vfs);
    if (error)
        return error;
    error = unnamed_open(pipe->number, UMVFS_O_WRONLY, &out->vfs);
    if (error)
        return error;
    umvfs_inode_set_cookie(in->vfs.inode, pipe);
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
        error = unnamed_create(UMVFS_S_IFIFO | 0600, 0, &pipe->number);
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
    struct pipe *pipe = umvfs_inode_cookie(file->vfs.inode);
    if ((file->vfs.flags & UMVFS_O_ACCMODE) == UMVFS_O_ACCMODE)
        return -EINVAL;
    if (!pipe) {
        pipe = pipe_new();
        if (!pipe)
            return -ENOMEM;
        umvfs_inode_set_cookie(file->vfs.inode, pipe);
    }
    bool wait = !(file->vfs.flags & O_NONBLOCK) && !pipe->is_unnamed;
    if (!wait && !pipe->is_unnamed && !file_may_read(file) && pipe->readers == 0)
        return -ENXIO;
    attach(file, pipe);
    sched_wake_all(&pipe->changed);
    if (!wait || (file_may_read(file) && file_may_write(file)))
        return 0;
    return file_may_read(file) ? wait_for_other(pipe, &pipe->writers, &pipe->writer_opens)
                               : wait_for_other(pipe, &pipe->readers, &pipe->reader_opens);
}

void fifo_gone(void *cookie)
{
    pipe_free(cookie);
}

#if __STDC_HOSTED__
bool pipe_counts_of(const struct file *file, struct pipe_counts *out)
{
    const struct pipe *pipe = file->private_data;
    if (file->ops != &pipe_ops)
        return false;
    *out = (struct pipe_counts){pipe, pipe->readers, pipe->writers, pipe->used};
    return true;
}
#endif
