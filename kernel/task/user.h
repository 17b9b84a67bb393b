/* What is kept for each user id: how many processes it has, and the memory that it is charged for. A
 * record is there as long as somebody holds it or something is charged to it, so that what was charged
 * may keep a plain pointer. */
#ifndef UMBRA_TASK_USER_H
#define UMBRA_TASK_USER_H

#include <stdint.h>

#include "lib/list.h"
#include "lib/ref.h"
#include "mm/frame.h"

struct process;

struct user {
    struct ref refs; /* one for being listed; the others are holders */
    uint32_t uid;
    struct user *hash_next;
    struct list all;         /* in user_list */
    unsigned processes;      /* with this real user, zombies included (RLIMIT_NPROC) */
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

/* The user's record, held; NULL: memory is short. */
struct user *user_find(uint32_t uid);

static inline struct user *user_get(struct user *user)
{
    ref_get(&user->refs);
    return user;
}
void user_put(struct user *user);

/* The user's record, which is there: something is charged to it, or somebody holds it. Lent. */
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
