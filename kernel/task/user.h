/* What is kept for each user id: how many processes it has, and the memory that it is charged for. A
 * record is there as long as something is counted in it or charged to it, so that whatever is may keep a
 * plain pointer. */
#ifndef UMBRA_TASK_USER_H
#define UMBRA_TASK_USER_H

#include <stdint.h>

#include "lib/list.h"
#include "mm/frame.h"

struct process;

struct user {
    uint32_t uid;
    struct user *hash_next;
    struct list all;         /* in user_list */
    unsigned processes;      /* with this real user, zombies included (RLIMIT_NPROC) */
    unsigned payers;         /* processes that it pays for */
    unsigned queued_signals; /* sent to them (RLIMIT_SIGPENDING) */

    /* Pages of files and pipes; objects of file systems, open files and pipes. What its processes have is
     * not here: that is counted when it is asked for (file/charge.h). */
    struct payer memory;

    /* Of file/charge.c: what users_charge() found last. */
    size_t total;            /* bytes, all together */
    struct process *largest; /* that could be ended, lent; NULL: none */
    size_t largest_size;
};

extern struct list user_list;

/* Forgets all users. */
void users_init(void);

/* The user's record; NULL: memory is short. A new one is lent until something counts in it: the next call
 * may free it. */
struct user *user_find(uint32_t uid);

/* Something that counted in it has gone: frees the record if that was the last. */
void user_left(struct user *user);

/* The user's record, which is there: something is charged to it. Lent. */
struct user *user_peek(uint32_t uid);

/* Bytes of objects; user NULL: nobody pays for what boot made. */
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
