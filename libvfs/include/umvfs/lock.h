/* Advisory locks: POSIX record locks, locks of open file descriptions (OFD), and flock(2). This part
 * needs nothing of the others: files and owners are pointers that are compared and never followed.
 * It holds the state, finds deadlocks and says whom to wake; the caller brings the sleeping.
 *
 * A file without locks costs nothing, and one with n locks a tree of n nodes: an operation takes time
 * in log n, in the number of the owner's locks that it changes, and where other owners have locks in its range, in
 * the number of these. What changes locks on a file with waiters looks at all waiters. A search for a deadlock looks
 * at up to 10,000 waiters and passes about 1,000,000 locks. Serialised by the caller. */
#ifndef UMVFS_LOCK_H
#define UMVFS_LOCK_H

#include <umvfs/types.h>

UMVFS_BEGIN_DECLS

/* Record locks of both kinds conflict with each other; flock locks only among themselves. */
enum umvfs_lock_kind {
    UMVFS_LOCK_POSIX = 0, /* the owner is a process, or what shares its descriptors */
    UMVFS_LOCK_OFD = 1,   /* the owner is an open file description */
    UMVFS_LOCK_FLOCK = 2, /* likewise; start and end mean nothing */
};

enum umvfs_lock_type { /* the numbers of Linux's F_RDLCK, F_WRLCK and F_UNLCK */
                       UMVFS_LOCK_READ = 0,
                       UMVFS_LOCK_WRITE = 1,
                       UMVFS_LOCK_NONE = 2, /* unlocks */
};

#define UMVFS_LOCK_END   INT64_MAX /* the last byte of every file */
#define UMVFS_LOCK_FILES 256u      /* buckets of files with locks */

struct umvfs_lock {
    const void *file;
    const void *owner; /* owners of different kinds are different pointers */
    uint64_t start;    /* first and last byte, at most UMVFS_LOCK_END */
    uint64_t end;
    int32_t pid; /* kept for umvfs_lock_get() */
    enum umvfs_lock_kind kind;
    enum umvfs_lock_type type;
};

/* A request that waits, in storage of the caller. Private, except that `lock` may be read. */
struct umvfs_lock_waiter {
    struct umvfs_lock lock;
    struct umvfs_lock_waiter *next; /* order of arrival */
    struct umvfs_lock_waiter *prev;
    bool waits;
    uint8_t reached; /* during a search for deadlocks */
};

/* All callbacks are needed. */
struct umvfs_lock_config {
    void *(*alloc)(void *ctx, size_t size); /* may return NULL */
    void (*free)(void *ctx, void *object, size_t size);

    /* A waiter's request has no conflict any more. It does not wait now: its owner shall make the
     * request again, which may find that another came first. Must not call the library. */
    void (*wake)(void *ctx, struct umvfs_lock_waiter *waiter);
    void *ctx;
};

struct umvfs_lock_file;

/* An instance, in storage of the caller. Private. */
struct umvfs_locks {
    struct umvfs_lock_config config;
    struct umvfs_lock_file *file[UMVFS_LOCK_FILES];
    struct umvfs_lock_waiter *first; /* of all files */
    struct umvfs_lock_waiter *last;
    uint64_t count; /* of locks */
    uint64_t random;
};

#define UMVFS_LOCK_WAITS 1

/* The seed is for the shape of trees: anything that who makes locks does not know. */
void umvfs_locks_init(struct umvfs_locks *locks, const struct umvfs_lock_config *config,
                      uint64_t seed);

/* Locks, changes or unlocks a range, which replaces what the owner has there: fcntl(2) or flock(2).
 * On a conflict the result is -UMVFS_EAGAIN if waiter is NULL; else the request waits
 * (UMVFS_LOCK_WAITS) until it is woken or cancelled, or, if it is a POSIX lock whose wait would
 * never end, the result is -UMVFS_EDEADLK, unless more would have to be looked at than is said
 * above. -UMVFS_ENOLCK: no memory. After a negative result nothing has changed, but for one thing:
 * who changes the type of an flock lock loses the lock before the conflict is looked for, as on
 * Linux, also if it waits. A range must be in order and its numbers valid: these are not looked
 * at. */
int umvfs_lock_set(struct umvfs_locks *locks, const struct umvfs_lock *lock,
                   struct umvfs_lock_waiter *waiter);

/* Whether a lock would conflict, and with which one: the one that starts first. */
bool umvfs_lock_get(struct umvfs_locks *locks, const struct umvfs_lock *lock,
                    struct umvfs_lock *conflict);

/* Ends a wait. Nothing happens to a waiter that does not wait (any more). */
void umvfs_lock_cancel(struct umvfs_locks *locks, struct umvfs_lock_waiter *waiter);

/* Removes all locks of an owner on a file: when a descriptor (POSIX) or description is closed. */
void umvfs_lock_release(struct umvfs_locks *locks, const void *file, const void *owner,
                        enum umvfs_lock_kind kind);

/* Whether there is any lock: if not, there is nothing to release. */
static inline bool umvfs_locks_any(const struct umvfs_locks *locks)
{
    return locks->count != 0;
}

UMVFS_END_DECLS

#endif
