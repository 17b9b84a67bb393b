#include "lock_tree.h"

static bool is_before(uint64_t start, const void *owner, const struct lock_node *node)
{
    return start != node->start ? start < node->start : (uintptr_t)owner < (uintptr_t)node->owner;
}

static void update(struct lock_node *node)
{
    node->past = node->end + 1u;
    node->past_write = node->type == UMVFS_LOCK_WRITE ? node->past : 0;
    const struct lock_node *const children[] = {node->left, node->right};
    for (unsigned i = 0; i < 2; i++) {
        const struct lock_node *child = children[i];
        if (child && child->past > node->past)
            node->past = child->past;
        if (child && child->past_write > node->past_write)
            node->past_write = child->past_write;
    }
}

static bool matches(const struct lock_node *node, const struct lock_search *search)
{
    return node->end >= search->start && (!search->writes || node->type == UMVFS_LOCK_WRITE);
}

/* Recurses as deep as the tree is, which is a small multiple of the logarithm of its size. */
struct lock_node *umvfs_lock_tree_find(struct lock_node *node, const struct lock_search *search)
{
    while (node && (search->writes ? node->past_write : node->past) > search->start) {
        bool counts = !search->after || is_before(search->after_start, search->after_owner, node);
        if (counts) {
            struct lock_node *found = umvfs_lock_tree_find(node->left, search);
            if (found)
                return found;
            if (node->start > search->end)
                return NULL;
            if (matches(node, search))
                return node;
        }
        node = node->right;
    }
    return NULL;
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
        update(node);
    }
}

struct lock_node *umvfs_lock_tree_add(struct lock_node *root, struct lock_node *node)
{
    if (!root || node->priority > root->priority) {
        split(root, node, &node->left, &node->right);
        update(node);
        return node;
    }
    if (is_before(node->start, node->owner, root))
        root->left = umvfs_lock_tree_add(root->left, node);
    else
        root->right = umvfs_lock_tree_add(root->right, node);
    update(root);
    return root;
}

static struct lock_node *join(struct lock_node *before, struct lock_node *rest)
{
    if (!before || !rest)
        return before ? before : rest;
    if (before->priority > rest->priority) {
        before->right = join(before->right, rest);
        update(before);
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
    if (is_before(node->start, node->owner, root))
        root->left = umvfs_lock_tree_remove(root->left, node);
    else
        root->right = umvfs_lock_tree_remove(root->right, node);
    update(root);
    return root;
}
