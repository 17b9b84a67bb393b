#include "file/futex.h"

#include <umvfs/types.h>
#include <umvfs/vfs.h>

#include "dev/random.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/pagetable.h"
#include "mm/usercopy.h"
#include "mm/vma.h"
#include "task/process.h"
#include "task/sched.h"

/* A key names a word: by its offset in an inode, or by its address in an address space. */
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
static unsigned nr_waiters;

void futexes_init(void)
{
    nr_waiters = 0;
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

static int check_word(user_t word)
{
    if (word.value % sizeof(uint32_t) != 0)
        return -EINVAL;
    return user_range_is_valid(word, sizeof(uint32_t)) ? 0 : -EFAULT;
}

static uint64_t offset_in_file(const struct vma *vma, virt_t address)
{
    return vma_page_index(vma, address) * PAGE_SIZE + address.value % PAGE_SIZE;
}

/* Whether a mapped page belongs to the area's file. The words of other pages that the process cannot write never
 * change; Linux has no key for them. */
static bool shows_the_file(const struct aspace *as, const struct vma *vma, virt_t address)
{
    const pte_t *entry = pt_lookup(&as->pt, address);
    return (vma->flags & VMA_SHARED) || (entry && pte_frame(*entry)->kind == FRAME_FILE);
}

/* Stores the key of a word, for which hold() was not called yet, and its value, unless `value` is NULL. A word is
 * read once. */
static int get_key(user_t word, bool is_private, struct futex_key *out, uint32_t *value)
{
    struct aspace *as = current_process->aspace;
    uint32_t found;
    int error = check_word(word);
    if (error)
        return error;
    if ((value || !is_private) && copy_from_user(&found, word, sizeof(found)) != 0)
        return -EFAULT;
    if (value)
        *value = found;
    const struct vma *vma = is_private ? NULL : vma_find(&as->areas, virt(word.value));
    *out = (struct futex_key){as, NULL, word.value};
    if (!vma || (!(vma->flags & VMA_SHARED) && (vma->prot & PROT_WRITE)))
        return 0;
    if (!vma->inode || !shows_the_file(as, vma, virt(word.value)))
        return -EFAULT;
    *out = (struct futex_key){NULL, vma->inode, offset_in_file(vma, virt(word.value))};
    return 0;
}

/* The copy from user memory does not sleep: nobody changes or wakes the word before the thread waits. */
int futex_wait(user_t word, bool is_private, uint32_t expected, uint32_t bits, uint64_t deadline)
{
    struct futex_waiter waiter = {.bits = bits};
    uint32_t value;
    int error = bits ? get_key(word, is_private, &waiter.key, &value) : -EINVAL;
    if (error)
        return error;
    if (value != expected)
        return -EAGAIN;
    wait_queue_init(&waiter.queue);
    hold(&waiter.key);
    list_append(bucket_of(&waiter.key), &waiter.link);
    nr_waiters++;
    while (!waiter.is_woken && !error)
        error = sched_sleep(&waiter.queue, deadline);
    nr_waiters--;
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

static __attribute__((noinline)) long find_and_wake(user_t word, bool is_private, int count,
                                                    uint32_t bits)
{
    struct futex_key key;
    int error = get_key(word, is_private, &key, NULL);
    return error ? error : wake_some(&key, count, bits);
}

/* Programs wake more often than somebody waits. */
long futex_wake(user_t word, bool is_private, int count, uint32_t bits)
{
    if (bits == 0)
        return -EINVAL;
    return nr_waiters == 0 && is_private ? check_word(word)
                                         : find_and_wake(word, is_private, count, bits);
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

long futex_requeue(user_t from, user_t to, bool is_private, int count, int moved, uint64_t expected)
{
    struct futex_key key, new_key;
    bool is_any = expected == FUTEX_ANY_VALUE;
    uint32_t value;
    int error = count < 0 || moved < 0 ? -EINVAL : 0;
    if (!error && is_private) /* both are checked before a word is read */
        error = check_word(from);
    if (!error && is_private)
        error = check_word(to);
    if (!error)
        error = get_key(from, is_private, &key, is_any ? NULL : &value);
    if (!error && to.value == from.value)
        new_key = key;
    else if (!error)
        error = get_key(to, is_private, &new_key, NULL);
    if (error)
        return error;
    if (!is_any && value != expected)
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
#define ROBUST_CHUNK     64 /* entries between two scheduling points */
#define ROBUST_PI                                                                                  \
    1u /* bit of an entry's address: priority inheritance, which does not exist here */

/* The mutex of an entry, if the thread owns it. One that it was about to take or has just left is `pending`: then
 * somebody may have to be woken who would have been woken by the thread. Returns false for a bad address. */
static bool leave_mutex(uint64_t entry, uint64_t offset, bool is_pending)
{
    user_t word = user_ptr((entry & ~(uint64_t)ROBUST_PI) + offset);
    struct futex_key key;
    uint32_t value;
    if (get_key(word, false, &key, &value) != 0)
        return false;
    if (is_pending && value == 0)
        (void)wake_some(&key, 1, FUTEX_ALL_BITS);
    if ((value & MUTEX_OWNER) != (uint32_t)current_thread->tid)
        return true;
    uint32_t left = (value & MUTEX_WAITERS) | MUTEX_OWNER_DIED;
    if (copy_to_user(word, &left, sizeof(left)) != 0)
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
        if (n % (cmdline_options.chop ? 3 : ROBUST_CHUNK) == 2)
            (void)sched_point();
        /* the next one is read before the mutex is left: whoever gets it may take the entry out of his list */
        is_whole = copy_from_user(&list.entry, user_ptr(entry), sizeof(list.entry)) == 0;
        if (entry != (list.pending & ~(uint64_t)ROBUST_PI))
            is_whole = leave_mutex(entry, list.offset, false) && is_whole;
    }
    if (list.pending)
        (void)leave_mutex(list.pending, list.offset, true);
}
