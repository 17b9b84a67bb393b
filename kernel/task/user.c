#include "task/user.h"

#include "lib/check.h"
#include "lib/string.h"
#include "mm/slab.h"

#define USER_HASH 64

struct list user_list;
static struct user *by_uid[USER_HASH]; /* chained through hash_next */
static struct user *found_last;

void users_init(void)
{
    list_init(&user_list);
    memset(by_uid, 0, sizeof(by_uid));
    found_last = NULL;
}

static struct user *search(uint32_t uid)
{
    struct user *user = found_last;
    if (user && user->uid == uid)
        return user;
    for (user = by_uid[uid % USER_HASH]; user && user->uid != uid; user = user->hash_next)
        ;
    if (user)
        found_last = user;
    return user;
}

struct user *user_peek(uint32_t uid)
{
    struct user *user = search(uid);
    CHECK(user, "user %u is charged and has no record", uid);
    return user;
}

static void free_record(struct user *user)
{
    struct user **link = &by_uid[user->uid % USER_HASH];
    while (*link != user)
        link = &(*link)->hash_next;
    *link = user->hash_next;
    if (found_last == user)
        found_last = NULL;
    list_remove(&user->all);
    slab_free(user);
}

void user_left(struct user *user)
{
    if (!user->processes && !user->payers && !user->queued_signals && !user->memory.pages &&
        !user->memory.bytes)
        free_record(user);
}

struct user *user_find(uint32_t uid)
{
    struct user *user = search(uid);
    if (user)
        return user;
    LIST_FOR_EACH (idle, &user_list, struct user, all)
        user_left(idle); /* freed pages and objects do not call user_left() */
    user = slab_alloc_zeroed(sizeof(*user));
    if (!user)
        return NULL;
    user->uid = uid;
    user->hash_next = by_uid[uid % USER_HASH];
    by_uid[uid % USER_HASH] = user;
    list_append(&user_list, &user->all);
    return user;
}
