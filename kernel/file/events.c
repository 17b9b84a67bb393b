#include "file/events.h"

#include "file/devices.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/user.h"

#define FIONREAD 0x541b

/* An open file of inotify(7). The first member is what umvfs/event.h knows. */
struct instance {
    struct umvfs_event_queue queue;
    struct wait_queue changed;
    struct user *user; /* has a charge for the instance, so that it stays */
};
_Static_assert(offsetof(struct instance, queue) == 0, "a queue is cast to its instance");

uint64_t events_watches;
static struct umvfs_events events;

static struct instance *instance_of(struct umvfs_event_queue *queue)
{
    return (struct instance *)queue;
}

static void *event_alloc(void *ctx, struct umvfs_event_queue *queue, size_t size)
{
    void *object = slab_alloc(size);
    (void)ctx;
    if (object)
        user_charge(instance_of(queue)->user, size);
    return object;
}

static void event_free(void *ctx, struct umvfs_event_queue *queue, void *object, size_t size)
{
    (void)ctx;
    user_uncharge(instance_of(queue)->user, size);
    slab_free(object);
}

static void event_wake(void *ctx, struct umvfs_event_queue *queue)
{
    (void)ctx;
    sched_wake_all(&instance_of(queue)->changed);
}

static void count_watches(struct user *user, int change)
{
    user->event_watches += (unsigned)change;
    events_watches += (uint64_t)(int64_t)change;
    files_tell_events(events_watches > 0);
}

static bool watch_begins(void *ctx, struct umvfs_event_queue *queue)
{
    struct user *user = instance_of(queue)->user;
    (void)ctx;
    if (user->event_watches >= EVENTS_WATCHES_MAX)
        return false;
    count_watches(user, 1);
    return true;
}

static void watch_ends(void *ctx, struct umvfs_event_queue *queue)
{
    (void)ctx;
    count_watches(instance_of(queue)->user, -1);
}

/* An inode of a foreign file system ends with its last reference, though the file is still there. */
static void watched(void *ctx, const void *object, bool is_watched)
{
    struct umvfs_inode *inode = (struct umvfs_inode *)(uintptr_t)object;
    (void)ctx;
    umvfs_inode_set_watched(inode, is_watched);
    if (!umvfs_inode_ops(inode))
        return;
    if (is_watched)
        umvfs_inode_get(inode);
    else
        umvfs_inode_put(inode);
}

void events_init(void)
{
    static const struct umvfs_event_config config = {
        .alloc = event_alloc,
        .free = event_free,
        .wake = event_wake,
        .watch_begins = watch_begins,
        .watch_ends = watch_ends,
        .watched = watched,
    };
    umvfs_events_init(&events, &config);
    events_watches = 0;
    files_tell_events(false);
}

void events_of_tree(void *ctx, const struct umvfs_event *event)
{
    (void)ctx;
    if (event->mask & (UMVFS_IN_DELETE_SELF | UMVFS_IN_UNMOUNT))
        umvfs_event_gone(&events, event->object, event->mask);
    else
        umvfs_event_tell(&events, event);
}

/* Waits for the first event. 0 or an error. */
static int wait_for_event(struct file *file, struct instance *instance)
{
    while (umvfs_event_size(&instance->queue) == 0) {
        if (file->vfs.flags & O_NONBLOCK)
            return -EAGAIN;
        if (sched_sleep(&instance->changed, SLEEP_FOREVER) == -EINTR)
            return -ERESTARTSYS;
    }
    return 0;
}

static int64_t instance_read(struct file *file, struct user_iter *to)
{
    struct instance *instance = file->private_data;
    uint8_t record[sizeof(struct umvfs_event_record) + UMVFS_NAME_MAX + 1];
    int64_t done = 0;
    size_t size;
    int error = wait_for_event(file, instance);
    if (error)
        return error;
    while ((size = umvfs_event_size(&instance->queue)) > 0 && size <= to->left) {
        umvfs_event_take(&events, &instance->queue, record);
        if (user_iter_put(to, record, size) != size)
            return -EFAULT; /* this event is lost, as on Linux */
        done += (int64_t)size;
    }
    return done ? done : -EINVAL;
}

static int instance_ioctl(struct file *file, unsigned request, uint64_t argument)
{
    const struct instance *instance = file->private_data;
    uint32_t bytes = (uint32_t)instance->queue.bytes;
    return request == FIONREAD ? copy_to_user(user_ptr(argument), &bytes, sizeof(bytes)) : -ENOTTY;
}

static unsigned instance_poll(struct file *file)
{
    const struct instance *instance = file->private_data;
    return instance->queue.count > 0 ? POLLIN | POLLRDNORM : 0;
}

static struct wait_queue *instance_poll_queue(struct file *file)
{
    struct instance *instance = file->private_data;
    return &instance->changed;
}

static void instance_free(struct instance *instance)
{
    struct user *user = instance->user;
    umvfs_event_queue_end(&events, &instance->queue);
    user->event_instances--;
    user_uncharge(user, sizeof(*instance));
    slab_free(instance);
}

static void instance_close(struct file *file)
{
    instance_free(file->private_data);
}

static const struct file_ops instance_ops = {
    .read = instance_read,
    .ioctl = instance_ioctl,
    .poll = instance_poll,
    .poll_queue = instance_poll_queue,
    .close = instance_close,
    .ignores_seek = true,
};

bool events_is_instance(const struct file *file)
{
    return file->ops == &instance_ops;
}

static int open_unnamed(struct file *file)
{
    uint64_t number;
    int error = unnamed_create(UMVFS_S_IFCHR | 0600, UNNAMED_INOTIFY, &number);
    if (error)
        return error;
    error = unnamed_open(number, UMVFS_O_RDONLY, &file->vfs);
    unnamed_remove(number);
    return error;
}

int events_create(struct file **out)
{
    struct user *user = current_process->payer;
    if (user->event_instances >= EVENTS_INSTANCES_MAX)
        return -EMFILE;
    struct instance *instance = slab_alloc(sizeof(*instance));
    if (!instance)
        return -ENOMEM;
    *instance = (struct instance){.user = user};
    umvfs_event_queue_init(&instance->queue, EVENTS_QUEUED_MAX);
    wait_queue_init(&instance->changed);
    user_charge(user, sizeof(*instance));
    user->event_instances++;
    struct file *file = file_create();
    int error = file ? open_unnamed(file) : -ENOMEM;
    if (error) {
        if (file)
            file_put(file);
        instance_free(instance);
        return error;
    }
    file->ops = &instance_ops;
    file->private_data = instance;
    *out = file;
    return 0;
}

int events_watch(const struct file *file, struct umvfs_inode *inode, uint32_t mask)
{
    struct instance *instance = file->private_data;
    return umvfs_event_watch(&events, &instance->queue, inode, mask);
}

int events_unwatch(const struct file *file, int32_t wd)
{
    struct instance *instance = file->private_data;
    return umvfs_event_unwatch(&events, &instance->queue, wd);
}
