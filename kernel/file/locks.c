#include "file/locks.h"

#include "dev/random.h"
#include "file/files.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/aspace.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "mm/vma.h"
#include "task/process.h"
#include "task/sched.h"
#include "task/user.h"

struct umvfs_locks file_locks;
static struct list futex_waiters;

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
    list_init(&futex_waiters);
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

/* Futexes. */

/* What identifies a word: its place in an inode, which the key holds, or in an address space. */
struct futex_key {
    const struct aspace *as; /* NULL: in the inode */
    struct umvfs_inode *inode;
    uint64_t at;
};

struct futex_waiter {
    struct list link; /* in futex_waiters, in the order of arrival */
    struct futex_key key;
    uint32_t bits;
    bool is_woken;
    struct wait_queue queue;
};

static void hold(const struct futex_key *key)
{
    if (key->inode)
        umvfs_inode_get(key->inode);
}

static void drop(const struct futex_key *key)
{
    if (key->inode)
        umvfs_inode_put(key->inode);
}

static bool is_same(const struct futex_key *a, const struct futex_key *b)
{
    return a->as == b->as && a->inode == b->inode && a->at == b->at;
}

/* Stores the key of a word, which does not hold the inode yet, and its value, unless `value` is NULL. A word is
 * read once. */
static int get_key(struct futex futex, struct futex_key *out, uint32_t *value)
{
    struct aspace *as = current_process->aspace;
    uint32_t found;
    if (futex.word.value % sizeof(found) != 0)
        return -EINVAL;
    if (!user_range_is_valid(futex.word, sizeof(found)))
        return -EFAULT;
    if ((value || !futex.is_private) && copy_from_user(&found, futex.word, sizeof(found)) != 0)
        return -EFAULT;
    if (value)
        *value = found;
    virt_t address = virt(futex.word.value);
    const struct vma *vma = futex.is_private ? NULL : vma_find(&as->areas, address);
    if (vma && (vma->flags & VMA_SHARED) && vma->inode)
        *out = (struct futex_key){NULL, vma->inode,
                                  vma_page_index(vma, address) * PAGE_SIZE +
                                      futex.word.value % PAGE_SIZE};
    else
        *out = (struct futex_key){as, NULL, futex.word.value};
    return 0;
}

/* The copy from user memory does not sleep: nobody changes or wakes the word before the thread waits. */
int futex_wait(struct futex futex, uint32_t expected, uint32_t bits, uint64_t deadline)
{
    struct futex_waiter waiter = {.bits = bits};
    uint32_t value;
    int error = bits ? get_key(futex, &waiter.key, &value) : -EINVAL;
    if (error)
        return error;
    if (value != expected)
        return -EAGAIN;
    wait_queue_init(&waiter.queue);
    hold(&waiter.key);
    list_append(&futex_waiters, &waiter.link);
    while (!waiter.is_woken && !error)
        error = sched_sleep(&waiter.queue, deadline);
    list_remove(&waiter.link);
    drop(&waiter.key);
    return waiter.is_woken ? 0 : error;
}

static void wake(struct futex_waiter *waiter)
{
    list_remove(&waiter->link);
    waiter->is_woken = true;
    sched_wake_all(&waiter->queue);
}

long futex_wake(struct futex futex, int count, uint32_t bits)
{
    struct futex_key key;
    int error = bits ? get_key(futex, &key, NULL) : -EINVAL;
    if (error)
        return error;
    long woken = 0;
    LIST_FOR_EACH (waiter, &futex_waiters, struct futex_waiter, link) {
        if (!is_same(&waiter->key, &key) || !(waiter->bits & bits))
            continue;
        wake(waiter);
        if (++woken >= count)
            break;
    }
    return woken;
}

/* It comes after those who wait for the new word already. */
static void move(struct futex_waiter *waiter, const struct futex_key *to)
{
    if (is_same(&waiter->key, to))
        return;
    hold(to);
    drop(&waiter->key);
    waiter->key = *to;
    list_remove(&waiter->link);
    list_append(&futex_waiters, &waiter->link);
}

long futex_requeue(struct futex from, struct futex to, int count, int moved,
                   const uint32_t *expected)
{
    struct futex_key key, new_key;
    uint32_t value;
    int error = count < 0 || moved < 0 ? -EINVAL : get_key(from, &key, expected ? &value : NULL);
    if (!error && to.word.value == from.word.value)
        new_key = key;
    else if (!error)
        error = get_key(to, &new_key, NULL);
    if (error)
        return error;
    if (expected && value != *expected)
        return -EAGAIN;
    long found = 0;
    LIST_FOR_EACH (waiter, &futex_waiters, struct futex_waiter, link) {
        if (found - count >= moved)
            break;
        if (!is_same(&waiter->key, &key))
            continue;
        if (++found <= count)
            wake(waiter);
        else
            move(waiter, &new_key);
    }
    return found;
}
