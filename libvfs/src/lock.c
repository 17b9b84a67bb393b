/* The rules of fcntl(2) and flock(2) of Linux (fs/locks.c) on trees of locks. */
#include <umvfs/lock.h>

#include <umvfs/errno.h>

#include "lock_tree.h"
#include "memory.h"

/* In one search for a deadlock: of waiters, and of the locks that searches for what one of them holds pass. */
#define CHECKS_MAX 10000u
#define PASSED_MAX 1000000u

struct umvfs_lock_file {
    const void *file;
    struct umvfs_lock_file *next; /* of the bucket */
    struct lock_node *records;
    struct lock_node *flocks;
    uint64_t waiters;
};

void umvfs_locks_init(struct umvfs_locks *locks, const struct umvfs_lock_config *config,
                      uint64_t seed)
{
    *locks = (struct umvfs_locks){.config = *config, .random = seed};
}

static void *allocate(struct umvfs_locks *locks, size_t size)
{
    return locks->config.alloc(locks->config.ctx, size);
}

static struct umvfs_lock_file **bucket_of(struct umvfs_locks *locks, const void *file)
{
    uint64_t hash = (uint64_t)(uintptr_t)file * UINT64_C(0x9e3779b97f4a7c15);
    return &locks->file[hash >> 32 & (UMVFS_LOCK_FILES - 1u)];
}

static struct umvfs_lock_file *find_file(struct umvfs_locks *locks, const void *file)
{
    struct umvfs_lock_file *f = *bucket_of(locks, file);
    while (f && f->file != file)
        f = f->next;
    return f;
}

static struct umvfs_lock_file *make_file(struct umvfs_locks *locks, const void *file)
{
    struct umvfs_lock_file **bucket = bucket_of(locks, file);
    struct umvfs_lock_file *f = find_file(locks, file);
    if (!f && (f = allocate(locks, sizeof(*f)))) {
        *f = (struct umvfs_lock_file){.file = file, .next = *bucket};
        *bucket = f;
    }
    return f;
}

/* A file is known as long as it has locks or waiters. */
static void forget_file(struct umvfs_locks *locks, struct umvfs_lock_file *f)
{
    struct umvfs_lock_file **at = bucket_of(locks, f->file);
    if (f->records || f->flocks || f->waiters)
        return;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    locks->config.free(locks->config.ctx, f, sizeof(*f));
}

static struct lock_node **tree_of(struct umvfs_lock_file *f, enum umvfs_lock_kind kind)
{
    return kind == UMVFS_LOCK_FLOCK ? &f->flocks : &f->records;
}

static struct lock_node *make_node(struct umvfs_locks *locks)
{
    struct lock_node *node = allocate(locks, sizeof(*node));
    locks->random = locks->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    if (node)
        *node = (struct lock_node){.priority = (unsigned)(locks->random >> 36) & 0xfffffffu};
    return node;
}

static void free_node(struct umvfs_locks *locks, struct lock_node *node)
{
    if (node)
        locks->config.free(locks->config.ctx, node, sizeof(*node));
}

static void add(struct umvfs_locks *locks, struct lock_node **tree, struct lock_node *node)
{
    *tree = umvfs_lock_tree_add(*tree, node);
    locks->count++;
}

static void take(struct umvfs_locks *locks, struct lock_node **tree, struct lock_node *node)
{
    *tree = umvfs_lock_tree_remove(*tree, node);
    locks->count--;
}

/* The next lock that overlaps, in the order of the tree. */
static struct lock_node *next(struct lock_node *tree, struct lock_search *search)
{
    struct lock_node *node = umvfs_lock_tree_find(tree, search);
    if (node) {
        search->after = true;
        search->after_start = node->start;
        search->after_owner = node->owner;
    }
    return node;
}

/* The first lock of another owner, or of `by` alone if that is not NULL, that a request meets. */
static struct lock_node *find_conflict(struct umvfs_lock_file *f, const struct umvfs_lock *lock,
                                       const void *by, unsigned *passed)
{
    const struct lock_search search = {.start = lock->start,
                                       .end = lock->end,
                                       .writes = lock->type == UMVFS_LOCK_READ,
                                       .owner = by,
                                       .other_owner = lock->owner,
                                       .passed = passed};
    if (!f || lock->type == UMVFS_LOCK_NONE)
        return NULL;
    return umvfs_lock_tree_find(*tree_of(f, lock->kind), &search);
}

/* How far a search for deadlocks has come with a waiter. */
enum { NOT_REACHED, REACHED, FOLLOWED };

/* What a search for deadlocks has looked at. */
struct effort {
    unsigned checks;
    unsigned passed;
};

/* Marks the waiters that hold what a request wants, of the kinds up to `last`. False: too much to look at. */
static bool reach_holders(struct umvfs_locks *locks, const struct umvfs_lock *wanted,
                          enum umvfs_lock_kind last, struct effort *effort)
{
    struct umvfs_lock_file *f = find_file(locks, wanted->file);
    for (struct umvfs_lock_waiter *w = locks->first; w; w = w->next) {
        if (effort->checks++ >= CHECKS_MAX || effort->passed >= PASSED_MAX)
            return false;
        if (w->reached == NOT_REACHED && w->lock.kind <= last && w->lock.owner != wanted->owner &&
            find_conflict(f, wanted, w->lock.owner, &effort->passed))
            w->reached = REACHED;
    }
    return true;
}

static struct umvfs_lock_waiter *next_reached(struct umvfs_locks *locks)
{
    struct umvfs_lock_waiter *w = locks->first;
    while (w && w->reached != REACHED)
        w = w->next;
    return w;
}

/* Whether a holder of what the request wants waits for the request's owner, or for a holder that
 * does, and so on. As on Linux, only the first of these holders may be a description. Gives up, as
 * without a deadlock, if there are very many waiters and locks. */
static bool is_deadlock(struct umvfs_locks *locks, const struct umvfs_lock *lock)
{
    struct effort effort = {0};
    for (struct umvfs_lock_waiter *w = locks->first; w; w = w->next)
        w->reached = NOT_REACHED;
    if (!reach_holders(locks, lock, UMVFS_LOCK_OFD, &effort))
        return false;
    for (struct umvfs_lock_waiter *w; (w = next_reached(locks));) {
        w->reached = FOLLOWED;
        if (find_conflict(find_file(locks, w->lock.file), &w->lock, lock->owner, &effort.passed))
            return true;
        if (!reach_holders(locks, &w->lock, UMVFS_LOCK_POSIX, &effort))
            return false;
    }
    return false;
}

static int wait_for(struct umvfs_locks *locks, struct umvfs_lock_file *f,
                    const struct umvfs_lock *lock, struct umvfs_lock_waiter *waiter)
{
    if (!waiter)
        return -UMVFS_EAGAIN;
    if (lock->kind == UMVFS_LOCK_POSIX && is_deadlock(locks, lock))
        return -UMVFS_EDEADLK;
    *waiter = (struct umvfs_lock_waiter){.lock = *lock, .prev = locks->last, .waits = true};
    *(locks->last ? &locks->last->next : &locks->first) = waiter;
    locks->last = waiter;
    f->waiters++;
    return UMVFS_LOCK_WAITS;
}

static void unlink_waiter(struct umvfs_locks *locks, struct umvfs_lock_file *f,
                          struct umvfs_lock_waiter *waiter)
{
    *(waiter->prev ? &waiter->prev->next : &locks->first) = waiter->next;
    *(waiter->next ? &waiter->next->prev : &locks->last) = waiter->prev;
    waiter->waits = false;
    f->waiters--;
}

void umvfs_lock_cancel(struct umvfs_locks *locks, struct umvfs_lock_waiter *waiter)
{
    if (!waiter->waits)
        return;
    struct umvfs_lock_file *f = find_file(locks, waiter->lock.file);
    unlink_waiter(locks, f, waiter);
    forget_file(locks, f);
}

/* Locks of the file have gone: wakes who has no conflict any more, the first who came first. */
static void wake(struct umvfs_locks *locks, struct umvfs_lock_file *f)
{
    for (struct umvfs_lock_waiter *w = locks->first, *after; f->waiters > 0 && w; w = after) {
        after = w->next;
        if (w->lock.file != f->file || find_conflict(f, &w->lock, NULL, NULL))
            continue;
        unlink_waiter(locks, f, w);
        locks->config.wake(locks->config.ctx, w);
    }
}

/* The nodes that a change may need, made before anything changes. */
struct spare {
    struct lock_node *new;
    struct lock_node *rest; /* what is left behind the range of a lock that is divided */
};

static void set_node(struct lock_node *node, const struct umvfs_lock *lock, uint64_t start,
                     uint64_t end)
{
    node->owner = lock->owner;
    node->start = start;
    node->end = end;
    node->pid = lock->pid;
    node->kind = lock->kind & 3u;
    node->type = lock->type & 3u;
}

/* Cuts the range of `lock` out of one of the owner's locks of another type. */
static void cut(struct umvfs_locks *locks, struct lock_node **tree, struct lock_node *node,
                const struct umvfs_lock *lock, struct spare *spare)
{
    uint64_t end = node->end;
    bool before = node->start < lock->start;
    take(locks, tree, node);
    if (end > lock->end) {
        struct lock_node *rest = before ? spare->rest : node;
        if (before) {
            set_node(rest, lock, lock->end + 1u, end);
            rest->pid = node->pid;
            rest->type = node->type;
            spare->rest = NULL;
        }
        rest->start = lock->end + 1u;
        add(locks, tree, rest);
    }
    if (before) {
        node->end = lock->start - 1u;
        add(locks, tree, node);
    } else if (end <= lock->end) {
        free_node(locks, node);
    }
}

/* A search for what overlaps the range or touches it. */
static struct lock_search around(const struct umvfs_lock *lock)
{
    return (struct lock_search){.start = lock->start > 0 ? lock->start - 1u : 0,
                                .end = lock->end + 1u};
}

/* Makes room for the range among the owner's locks, and joins those of its type that overlap it or
 * touch it: *joined is the range with them. */
static void replace(struct umvfs_locks *locks, struct lock_node **tree,
                    const struct umvfs_lock *lock, struct spare *spare, struct umvfs_lock *joined)
{
    struct lock_search search = around(lock);
    search.owner = lock->owner;
    *joined = *lock;
    for (struct lock_node *node; (node = next(*tree, &search));) {
        if (node->type == lock->type) {
            joined->start = node->start < joined->start ? node->start : joined->start;
            joined->end = node->end > joined->end ? node->end : joined->end;
            take(locks, tree, node);
            free_node(locks, node);
        } else if (node->start <= lock->end && node->end >= lock->start) {
            cut(locks, tree, node, lock, spare);
        }
    }
}

/* What the owner has there already. Sets *divided if a lock of another type goes on at both ends;
 * true if the whole range is in one lock of the type. */
static bool is_held(struct lock_node *tree, const struct umvfs_lock *lock, bool *divided)
{
    const struct lock_search search = {
        .start = lock->start, .end = lock->end, .owner = lock->owner};
    const struct lock_node *node = umvfs_lock_tree_find(tree, &search);
    *divided = false;
    if (!node)
        return lock->type == UMVFS_LOCK_NONE;
    bool covers = node->start <= lock->start && node->end >= lock->end;
    if (node->type == lock->type)
        return covers;
    *divided = node->start < lock->start && node->end > lock->end;
    return false;
}

static int set_record(struct umvfs_locks *locks, struct umvfs_lock_file *f,
                      const struct umvfs_lock *lock)
{
    struct spare spare = {0};
    struct umvfs_lock joined;
    bool divided;
    if (is_held(f->records, lock, &divided))
        return 0;
    if (lock->type != UMVFS_LOCK_NONE && !(spare.new = make_node(locks)))
        return -UMVFS_ENOLCK;
    if (divided && !(spare.rest = make_node(locks))) {
        free_node(locks, spare.new);
        return -UMVFS_ENOLCK;
    }
    replace(locks, &f->records, lock, &spare, &joined);
    if (spare.new) {
        set_node(spare.new, lock, joined.start, joined.end);
        add(locks, &f->records, spare.new);
    }
    free_node(locks, spare.rest);
    wake(locks, f);
    return 0;
}

/* Adds a lock that meets and touches no other. */
static int add_apart(struct umvfs_locks *locks, struct umvfs_lock_file *f,
                     const struct umvfs_lock *lock)
{
    struct lock_node *node;
    if (lock->type == UMVFS_LOCK_NONE)
        return 0;
    if (!(node = make_node(locks)))
        return -UMVFS_ENOLCK;
    set_node(node, lock, lock->start, lock->end);
    add(locks, &f->records, node);
    return 0;
}

/* Unlocks a whole lock, or changes one that meets and touches no other. */
static int set_whole(struct umvfs_locks *locks, struct umvfs_lock_file *f,
                     const struct umvfs_lock *lock, struct lock_node *node)
{
    if (node->type == lock->type)
        return 0;
    take(locks, &f->records, node);
    if (lock->type == UMVFS_LOCK_NONE) {
        free_node(locks, node);
    } else {
        set_node(node, lock, lock->start, lock->end);
        add(locks, &f->records, node);
    }
    wake(locks, f);
    return 0;
}

/* Most requests meet nothing, or the very lock that they change: these are told apart by the first
 * lock that is near, so that a large tree is walked as few times as possible. */
static int request_record(struct umvfs_locks *locks, struct umvfs_lock_file *f,
                          const struct umvfs_lock *lock, struct umvfs_lock_waiter *waiter)
{
    struct lock_search search = around(lock);
    struct lock_node *node = next(f->records, &search);
    if (!node)
        return add_apart(locks, f, lock);
    if (node->owner == lock->owner && node->start == lock->start && node->end == lock->end &&
        (lock->type == UMVFS_LOCK_NONE || !next(f->records, &search)))
        return set_whole(locks, f, lock, node);
    if (find_conflict(f, lock, NULL, NULL))
        return wait_for(locks, f, lock, waiter);
    return set_record(locks, f, lock);
}

static struct lock_node *find_flock(struct umvfs_lock_file *f, const void *owner)
{
    const struct lock_search search = {.end = UMVFS_LOCK_END, .owner = owner};
    return umvfs_lock_tree_find(f->flocks, &search);
}

static int set_flock(struct umvfs_locks *locks, struct umvfs_lock_file *f,
                     const struct umvfs_lock *lock, struct umvfs_lock_waiter *waiter)
{
    struct lock_node *node = find_flock(f, lock->owner);
    if (node ? node->type == lock->type : lock->type == UMVFS_LOCK_NONE)
        return 0;
    if (node)
        take(locks, &f->flocks, node);
    bool waits = find_conflict(f, lock, NULL, NULL) != NULL;
    if (waits || lock->type == UMVFS_LOCK_NONE) {
        free_node(locks, node);
        wake(locks, f);
        return waits ? wait_for(locks, f, lock, waiter) : 0;
    }
    if (!node && !(node = make_node(locks)))
        return -UMVFS_ENOLCK;
    set_node(node, lock, lock->start, lock->end);
    add(locks, &f->flocks, node);
    wake(locks, f);
    return 0;
}

/* flock locks are of the whole file. */
static struct umvfs_lock normal(const struct umvfs_lock *lock)
{
    struct umvfs_lock normal = *lock;
    if (lock->kind == UMVFS_LOCK_FLOCK) {
        normal.start = 0;
        normal.end = UMVFS_LOCK_END;
    }
    return normal;
}

int umvfs_lock_set(struct umvfs_locks *locks, const struct umvfs_lock *request,
                   struct umvfs_lock_waiter *waiter)
{
    struct umvfs_lock lock = normal(request);
    bool unlocks = lock.type == UMVFS_LOCK_NONE;
    struct umvfs_lock_file *f = unlocks ? find_file(locks, lock.file) : make_file(locks, lock.file);
    int result;
    if (!f)
        return unlocks ? 0 : -UMVFS_ENOLCK;
    if (lock.kind == UMVFS_LOCK_FLOCK)
        result = set_flock(locks, f, &lock, waiter);
    else
        result = request_record(locks, f, &lock, waiter);
    forget_file(locks, f);
    return result;
}

bool umvfs_lock_get(struct umvfs_locks *locks, const struct umvfs_lock *request,
                    struct umvfs_lock *conflict)
{
    struct umvfs_lock lock = normal(request);
    const struct lock_node *node = find_conflict(find_file(locks, lock.file), &lock, NULL, NULL);
    if (!node)
        return false;
    *conflict = (struct umvfs_lock){.file = lock.file,
                                    .owner = node->owner,
                                    .start = node->start,
                                    .end = node->end,
                                    .pid = node->pid,
                                    .kind = (enum umvfs_lock_kind)node->kind,
                                    .type = (enum umvfs_lock_type)node->type};
    return true;
}

void umvfs_lock_release(struct umvfs_locks *locks, const void *file, const void *owner,
                        enum umvfs_lock_kind kind)
{
    struct lock_search search = {.end = UMVFS_LOCK_END, .owner = owner};
    struct umvfs_lock_file *f = umvfs_locks_any(locks) ? find_file(locks, file) : NULL;
    if (!f)
        return;
    struct lock_node **tree = tree_of(f, kind);
    for (struct lock_node *node; (node = next(*tree, &search));) {
        take(locks, tree, node);
        free_node(locks, node);
    }
    wake(locks, f);
    forget_file(locks, f);
}
