#include "file/locks.h"

#include "dev/random.h"
#include "file/files.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/user.h"

struct umvfs_locks file_locks;

/* A request that sleeps. */
struct sleeper {
    struct umvfs_lock_waiter waiter;
    struct wait_queue queue;
};

#define NOBODY UINT32_MAX

/* A lock is charged to the user who takes it, whose id is stored after it. */
static void *lock_alloc(void *ctx, size_t size)
{
    struct user *payer = current_payer();
    uint32_t uid = payer ? payer->uid : NOBODY;
    uint8_t *object = slab_alloc(size + sizeof(uid));
    (void)ctx;
    if (!object)
        return NULL;
    __builtin_memcpy(object + size, &uid, sizeof(uid));
    user_charge(payer, size);
    return object;
}

static void lock_free(void *ctx, void *object, size_t size)
{
    uint32_t uid;
    (void)ctx;
    __builtin_memcpy(&uid, (const uint8_t *)object + size, sizeof(uid));
    if (uid != NOBODY)
        user_uncharge(user_peek(uid), size);
    slab_free(object);
}

static void lock_wake(void *ctx, struct umvfs_lock_waiter *waiter)
{
    (void)ctx;
    sched_wake_all(&((struct sleeper *)waiter)->queue);
}

_Static_assert(offsetof(struct sleeper, waiter) == 0, "a waiter is cast to its sleeper");

void locks_init(void)
{
    static const struct umvfs_lock_config config = {
        .alloc = lock_alloc, .free = lock_free, .wake = lock_wake};
    uint64_t seed;
    random_bytes(&seed, sizeof(seed));
    umvfs_locks_init(&file_locks, &config, seed);
}

int locks_set(const struct umvfs_lock *lock, bool wait)
{
    struct sleeper sleeper;
    if (!wait)
        return umvfs_lock_set(&file_locks, lock, NULL);
    wait_queue_init(&sleeper.queue);
    for (;;) {
        int result = umvfs_lock_set(&file_locks, lock, &sleeper.waiter);
        if (result != UMVFS_LOCK_WAITS)
            return result;
        int error = 0;
        while (!error && sleeper.waiter.waits)
            error = sched_sleep(&sleeper.queue, SLEEP_FOREVER);
        umvfs_lock_cancel(&file_locks, &sleeper.waiter);
        if (error)
            return -ERESTARTSYS;
    }
}

void locks_drop_description(const struct file *file)
{
    umvfs_lock_release(&file_locks, file->vfs.inode, file, UMVFS_LOCK_OFD);
    umvfs_lock_release(&file_locks, file->vfs.inode, file, UMVFS_LOCK_FLOCK);
}

void locks_drop_descriptor(const struct files *files, const struct file *file)
{
    if (file->vfs.flags & UMVFS_O_PATH)
        return;
    umvfs_lock_release(&file_locks, file->vfs.inode, files, UMVFS_LOCK_POSIX);
}
