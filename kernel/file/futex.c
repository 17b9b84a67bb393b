#include "file/futex.h"

#include <umvfs/types.h>
#include <umvfs/vfs.h>

#include "dev/random.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/aspace.h"
#include "mm/usercopy.h"
#include "mm/vma.h"
#include "task/process.h"
#include "task/sched.h"

/* What identifies a word: its place in an inode, which the key holds, or in an address space. */
struct futex_key {
    const struct aspace *as; /* NULL: in the inode */
    struct umvfs_inode *inode;
    uint64_t at;
};

struct futex_waiter {
    struct list link; /* in the bucket of its key, in the order of arrival */
    struct futex_key key;
    uint32_t bits;
    bool is_woken;
    struct wait_queue queue;
};

/* Those who wait, by a hash of the key whose secret nobody can know, so that nobody can make the lists long for others. */
#define BUCKET_BITS 8
static struct list buckets[1u << BUCKET_BITS];
static uint64_t secret[2];

void futexes_init(void)
{
    for (unsigned i = 0; i < 1u << BUCKET_BITS; i++)
        list_init(&buckets[i]);
    random_bytes(secret, sizeof(secret));
}

static struct list *bucket_of(const struct futex_key *key)
{
    uint64_t object = key->as ? (uint64_t)key->as : (uint64_t)key->inode;
    return &buckets[(object * (secret[0] | 1) + key->at * (secret[1] | 1)) >> (64 - BUCKET_BITS)];
}

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
    list_append(bucket_of(&waiter.key), &waiter.link);
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

static long wake_some(const struct futex_key *key, int count, uint32_t bits)
{
    long woken = 0;
    LIST_FOR_EACH (waiter, bucket_of(key), struct futex_waiter, link) {
        if (!is_same(&waiter->key, key) || !(waiter->bits & bits))
            continue;
        wake(waiter);
        if (++woken >= count)
            break;
    }
    return woken;
}

long futex_wake(struct futex futex, int count, uint32_t bits)
{
    struct futex_key key;
    int error = bits ? get_key(futex, &key, NULL) : -EINVAL;
    return error ? error : wake_some(&key, count, bits);
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
    list_append(bucket_of(to), &waiter->link);
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
    LIST_FOR_EACH (waiter, bucket_of(&key), struct futex_waiter, link) {
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

/* Robust lists: what a word is as a mutex, and how many entries are looked at, as on Linux. */
#define MUTEX_WAITERS    0x80000000u
#define MUTEX_OWNER_DIED 0x40000000u
#define MUTEX_OWNER      0x3fffffffu
#define ROBUST_MAX       2048
#define ROBUST_PI                                                                                  \
    1u /* bit of an entry's address: priority inheritance, which does not exist here */

/* The mutex of an entry, if the thread owns it. One that it was about to take or has just left is `pending`: then
 * somebody may have to be woken who would have been woken by the thread. Returns false for a bad address. */
static bool leave_mutex(uint64_t entry, uint64_t offset, bool is_pending)
{
    struct futex futex = {.word = user_ptr((entry & ~(uint64_t)ROBUST_PI) + offset)};
    struct futex_key key;
    uint32_t value;
    if (get_key(futex, &key, &value) != 0)
        return false;
    if (is_pending && value == 0)
        (void)wake_some(&key, 1, FUTEX_ALL_BITS);
    if ((value & MUTEX_OWNER) != (uint32_t)current_thread->tid)
        return true;
    uint32_t left = (value & MUTEX_WAITERS) | MUTEX_OWNER_DIED;
    if (copy_to_user(futex.word, &left, sizeof(left)) != 0)
        return false;
    if (value & MUTEX_WAITERS)
        (void)wake_some(&key, 1, FUTEX_ALL_BITS);
    return true;
}

void futex_leave_mutexes(void)
{
    uint64_t first = current_thread->robust_list.value;
    struct {
        uint64_t entry, offset, pending;
    } list;
    current_thread->robust_list = user_ptr(0);
    if (first == 0 || copy_from_user(&list, user_ptr(first), sizeof(list)) != 0)
        return;
    bool is_whole = true;
    for (unsigned n = 0; is_whole && n < ROBUST_MAX; n++) {
        uint64_t entry = list.entry & ~(uint64_t)ROBUST_PI;
        if (entry == first)
            break;
        /* the next one is read before the mutex is left: whoever gets it may take the entry out of his list */
        is_whole = copy_from_user(&list.entry, user_ptr(entry), sizeof(list.entry)) == 0;
        if (entry != (list.pending & ~(uint64_t)ROBUST_PI))
            is_whole = leave_mutex(entry, list.offset, false) && is_whole;
    }
    if (list.pending)
        (void)leave_mutex(list.pending, list.offset, true);
}
