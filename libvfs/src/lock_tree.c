#include "lock_tree.h"

static bool is_before(uint64_t start, const void *owner, const struct lock_node *node)
{
    return start != node->start ? start < node->start : (uintptr_t)owner < (uintptr_t)node->owner;
}

/* A lock is, or is to come, in the left subtree of the node. */
static void count_left(struct lock_node *node, uint64_t past, uint64_t past_write)
{
    if (past > node->past)
        node->past = past;
    if (past_write > node->past_write)
        node->past_write = past_write;
}

static uint64_t past_of(const struct lock_node *lock)
{
    return lock->end + 1u;
}

static uint64_t past_write_of(const struct lock_node *lock)
{
    return lock->type == UMVFS_LOCK_WRITE ? past_of(lock) : 0;
}

static void update(struct lock_node *node)
{
    node->past = 0;
    node->past_write = 0;
    for (const struct lock_node *child = node->left; child; child = child->right) {
        count_left(node, child->past, child->past_write);
        count_left(node, past_of(child), past_write_of(child));
    }
}

static bool overlaps(const struct lock_node *node, const struct lock_search *search)
{
    return node->end >= search->start && (!search->writes || node->type == UMVFS_LOCK_WRITE);
}

static bool matches(const struct lock_node *node, const struct lock_search *search)
{
    return overlaps(node, search) && (!search->owner || node->owner == search->owner) &&
           node->owner != search->other_owner;
}

static bool left_reaches(const struct lock_node *node, const struct lock_search *search)
{
    return (search->writes ? node->past_write : node->past) > search->start;
}

/* The first lock that overlaps, whoever its owner is. If a lock of the left subtree reaches the
 * start and does not overlap, it begins after the end, and so does all that follows it. */
static struct lock_node *find_first(struct lock_node *node, const struct lock_search *search)
{
    while (node) {
        __builtin_prefetch(node->left); /* which one is needed cannot be predicted */
        __builtin_prefetch(node->right);
        if (left_reaches(node, search))
            node = node->left;
        else if (node->start > search->end)
            return NULL;
        else if (overlaps(node, search))
            return node;
        else
            node = node->right;
    }
    return NULL;
}

/* Recurses as deep as the tree is, which is a small multiple of the logarithm of its size. */
static struct lock_node *find_match(struct lock_node *node, const struct lock_search *search)
{
    for (; node; node = node->right) {
        if (search->after && !is_before(search->after_start, search->after_owner, node))
            continue;
        if (left_reaches(node, search)) {
            struct lock_node *found = find_match(node->left, search);
            if (found)
                return found;
        }
        if (node->start > search->end)
            return NULL;
        if (search->passed)
            ++*search->passed;
        if (matches(node, search))
            return node;
    }
    return NULL;
}

struct lock_node *umvfs_lock_tree_find(struct lock_node *root, const struct lock_search *search)
{
    struct lock_node *first = search->after ? NULL : find_first(root, search);
    if (!search->after && (!first || matches(first, search)))
        return first;
    return find_match(root, search);
}

/* Divides a tree into what is before a place and what is not. */
static void split(struct lock_node *node, const struct lock_node *at, struct lock_node **before,
                  struct lock_node **rest)
{
    if (!node) {
        *before = NULL;
        *rest = NULL;
    } else if (is_before(at->start, at->owner, node)) {
        split(node->left, at, before, &node->left);
        *rest = node;
        update(node);
    } else {
        split(node->right, at, &node->right, rest);
        *before = node;
    }
}

struct lock_node *umvfs_lock_tree_add(struct lock_node *root, struct lock_node *node)
{
    struct lock_node **at = &root;
    while (*at && node->priority <= (*at)->priority) {
        if (is_before(node->start, node->owner, *at)) {
            count_left(*at, past_of(node), past_write_of(node));
            at = &(*at)->left;
        } else {
            at = &(*at)->right;
        }
    }
    split(*at, node, &node->left, &node->right);
    update(node);
    *at = node;
    return root;
}

static struct lock_node *join(struct lock_node *before, struct lock_node *rest)
{
    if (!before || !rest)
        return before ? before : rest;
    if (before->priority > rest->priority) {
        before->right = join(before->right, rest);
        return before;
    }
    rest->left = join(before, rest->left);
    update(rest);
    return rest;
}

struct lock_node *umvfs_lock_tree_remove(struct lock_node *root, struct lock_node *node)
{
    if (root == node)
        return join(node->left, node->right);
    if (is_before(node->start, node->owner, root)) {
        root->left = umvfs_lock_tree_remove(root->left, node);
        if (past_of(node) == root->past || past_of(node) == root->past_write)
            update(root);
    } else {
        root->right = umvfs_lock_tree_remove(root->right, node);
    }
    return root;
}
