/* Advisory locks of open files (umvfs/lock.h), futexes, and the sleeping that both need. */
#ifndef UMBRA_FILE_LOCKS_H
#define UMBRA_FILE_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include <umvfs/lock.h>

#include "arch/phys.h"

struct file;
struct files;

/* A word of user memory that threads wait on. Threads mean the same word if it is at the same place of
 * a file or of shared memory, or at the same address of one address space. `is_private` tells that only
 * the latter counts, so that the word is not looked for. */
struct futex {
    user_t word;
    bool is_private;
};

#define FUTEX_ALL_BITS UINT32_MAX

/* Sleeps until futex_wake() with one of these bits, if the word has the expected value. -EAGAIN: it has
 * another; -ETIMEDOUT: the deadline has come (as sched_sleep()); -EINTR; -EINVAL: the address is not a
 * multiple of 4, or `bits` is 0; -EFAULT. */
int futex_wait(struct futex futex, uint32_t expected, uint32_t bits, uint64_t deadline);

/* Wakes the first `count` threads (at least one) that wait with one of these bits. Returns their number,
 * -EINVAL or -EFAULT. */
long futex_wake(struct futex futex, int count, uint32_t bits);

/* Wakes the first `count` threads, and lets the next `moved` wait for another word. Returns the number of
 * both, -EINVAL, -EFAULT, or -EAGAIN if the word does not have the value *expected, which may be NULL. */
long futex_requeue(struct futex from, struct futex to, int count, int moved,
                   const uint32_t *expected);

extern struct umvfs_locks file_locks;

/* Before any of the others. */
void locks_init(void);

/* Takes, changes or drops a lock. If `wait`, sleeps as long as another lock is in the way. -EAGAIN,
 * -EDEADLK, -ENOLCK, -ERESTARTSYS (a signal). The caller holds a reference on the file. */
int locks_set(const struct umvfs_lock *lock, bool wait);

/* Drops what goes with a description when it is freed, and the POSIX locks of a table on a file when
 * one of its descriptors is closed, unless it is one of O_PATH. */
void locks_drop_description(const struct file *file);
void locks_drop_descriptor(const struct files *files, const struct file *file);

static inline void locks_file_freed(const struct file *file)
{
    if (umvfs_locks_any(&file_locks))
        locks_drop_description(file);
}

static inline void locks_descriptor_closed(const struct files *files, const struct file *file)
{
    if (umvfs_locks_any(&file_locks))
        locks_drop_descriptor(files, file);
}

#endif
