/* The record of each user id: the number of its processes, and the memory that it is charged for. A
 * record exists as long as something is counted in it or charged to it. So counted objects may keep
 * a plain pointer to it. */
#ifndef UMBRA_TASK_USER_H
#define UMBRA_TASK_USER_H

#include <stdint.h>

#include "lib/list.h"
#include "mm/frame.h"

struct process;

struct user {
    uint32_t uid;
    struct user *hash_next;
    struct list all;          /* in user_list */
    unsigned processes;       /* with this real user, zombies included (RLIMIT_NPROC) */
    unsigned payers;          /* processes that it pays for */
    unsigned queued_signals;  /* sent to them (RLIMIT_SIGPENDING) */
    unsigned event_instances; /* of inotify, and their watches: both are charged too */
    unsigned event_watches;

    /* Pages of files and pipes; objects of file systems, open files and pipes. The memory of
     * processes is not included: it is counted on demand (file/charge.h). */
    struct payer memory;

    /* For file/charge.c: the last results of users_charge(). */
    size_t total;            /* bytes, all together */
    struct process *largest; /* that could be ended, lent; NULL: none */
    int64_t largest_weight;  /* its size with its adjustment: /proc/PID/oom_score_adj */
    size_t largest_size;
};

extern struct list user_list;

/* Empties the table of users. */
void users_init(void);

/* Returns the user's record; NULL if memory is short. The next call may free a new record in which
 * nothing is counted yet. */
struct user *user_find(uint32_t uid);

/* Call it after a decrement: frees the record if nothing is counted in it any more. */
void user_left(struct user *user);

/* Returns the record of a user to whom something is charged, without taking a reference. */
struct user *user_peek(uint32_t uid);

/* Charges bytes of objects. user NULL: no user is charged, for objects that boot made. */
static inline void user_charge(struct user *user, size_t bytes)
{
    if (user)
        user->memory.bytes += bytes;
}

static inline void user_uncharge(struct user *user, size_t bytes)
{
    if (user)
        user->memory.bytes -= bytes;
}

#endif
