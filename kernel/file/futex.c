#include "file/futex.h"

#include <umvfs/types.h>
#include <umvfs/vfs.h>

#include "lib/errno.h"
#include "lib/list.h"
#include "mm/aspace.h"
#include "mm/usercopy.h"
#include "mm/vma.h"
#include "task/process.h"
#include "task/sched.h"

static struct list futex_waiters;

void futexes_init(void)
{
    list_init(&futex_waiters);
}

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
