#include "radix.h"

static size_t node_size(unsigned bits)
{
    return sizeof(struct umvfs_radix_node) + (sizeof(void *) << bits);
}

static int new_node(struct umvfs_sb *sb, unsigned bits, struct umvfs_radix_node **out)
{
    void *mem;
    int err = umvfs_obj_alloc(sb, node_size(bits), &mem);
    if (err)
        return err;
    memset(mem, 0, node_size(bits));
    *out = mem;
    return 0;
}

void *const *umvfs_radix_run(const struct umvfs_radix *tree, unsigned bits, uint64_t index,
                             size_t *count)
{
    struct umvfs_radix_node *leaf = umvfs_radix_leaf(tree, bits, index);
    size_t first = umvfs_radix_slot(bits, 0, index);
    if (!leaf)
        return NULL;
    *count = ((size_t)1 << bits) - first;
    return &leaf->slot[first];
}

/* Adds levels at the top until index fits. */
static int grow(struct umvfs_sb *sb, struct umvfs_radix *tree, unsigned bits, uint64_t index)
{
    if (!tree->root) {
        struct umvfs_radix_node *node;
        int err = new_node(sb, bits, &node);
        if (err)
            return err;
        tree->root = node;
        for (tree->height = 1; !umvfs_radix_fits(tree, bits, index);)
            tree->height++;
        return 0;
    }
    while (!umvfs_radix_fits(tree, bits, index)) {
        struct umvfs_radix_node *node;
        int err = new_node(sb, bits, &node);
        if (err)
            return err;
        node->slot[0] = tree->root;
        node->used = 1;
        tree->root = node;
        tree->height++;
    }
    return 0;
}

int umvfs_radix_reserve(struct umvfs_sb *sb, struct umvfs_radix *tree, unsigned bits,
                        uint64_t index)
{
    int err = grow(sb, tree, bits, index);
    struct umvfs_radix_node *node = tree->root;

    for (unsigned level = tree->height; !err && --level > 0;) {
        struct umvfs_radix_node *next = node->slot[umvfs_radix_slot(bits, level, index)];
        if (!next) {
            err = new_node(sb, bits, &next);
            if (err)
                break;
            node->slot[umvfs_radix_slot(bits, level, index)] = next;
            node->used++;
        }
        node = next;
    }
    if (err)
        umvfs_radix_clear(sb, tree, bits, index);
    return err;
}

void umvfs_radix_set(struct umvfs_radix *tree, unsigned bits, uint64_t index, void *ptr)
{
    struct umvfs_radix_node *leaf = umvfs_radix_leaf(tree, bits, index);
    void **slot = &leaf->slot[umvfs_radix_slot(bits, 0, index)];
    leaf->used += !*slot;
    *slot = ptr;
}

/* Drops levels at the top that hold nothing but their first slot. */
static void collapse(struct umvfs_sb *sb, struct umvfs_radix *tree, unsigned bits)
{
    struct umvfs_radix_node *node = tree->root;
    while (node && tree->height > 1 && node->used == 1 && node->slot[0]) {
        tree->root = node->slot[0];
        tree->height--;
        umvfs_obj_free(sb, node, node_size(bits));
        node = tree->root;
    }
}

void *umvfs_radix_clear(struct umvfs_sb *sb, struct umvfs_radix *tree, unsigned bits,
                        uint64_t index)
{
    struct umvfs_radix_node *way[64 / RADIX_DIR_BITS];
    struct umvfs_radix_node *node = tree->root;
    unsigned level = tree->height;
    void *old = NULL;
    if (!node || !umvfs_radix_fits(tree, bits, index)) {
        collapse(sb, tree, bits);
        return NULL;
    }
    while (node) {
        way[--level] = node;
        node = level > 0 ? node->slot[umvfs_radix_slot(bits, level, index)] : NULL;
    }
    if (level == 0) {
        old = way[0]->slot[umvfs_radix_slot(bits, 0, index)];
        way[0]->slot[umvfs_radix_slot(bits, 0, index)] = NULL;
        way[0]->used -= !!old;
    }
    for (; way[level]->used == 0; level++) {
        umvfs_obj_free(sb, way[level], node_size(bits));
        if (level + 1 == tree->height) {
            *tree = (struct umvfs_radix){0};
            return old;
        }
        way[level + 1]->slot[umvfs_radix_slot(bits, level + 1, index)] = NULL;
        way[level + 1]->used--;
    }
    collapse(sb, tree, bits);
    return old;
}

/* One descent: the first occupied slot at or after *index below the root, or *index moved past the
 * subtree that turned out to have none (0: past everything). */
static void *descend(const struct umvfs_radix *tree, unsigned bits, uint64_t *index)
{
    struct umvfs_radix_node *node = tree->root;
    for (unsigned level = tree->height - 1;; level--) {
        size_t fan = (size_t)1 << bits;
        size_t i = umvfs_radix_slot(bits, level, *index);
        size_t from = i;
        while (i < fan && !node->slot[i])
            i++;
        uint64_t base = *index >> level * bits;
        if (i != from)
            *index = (base - from + i) << level * bits;
        if (i == fan || level == 0)
            return i == fan ? NULL : node->slot[i];
        node = node->slot[i];
    }
}

void *umvfs_radix_next(const struct umvfs_radix *tree, unsigned bits, uint64_t *index)
{
    uint64_t at = *index;
    while (tree->root && umvfs_radix_fits(tree, bits, at)) {
        void *found = descend(tree, bits, &at);
        if (found) {
            *index = at;
            return found;
        }
        if (at <= *index)
            return NULL;
    }
    return NULL;
}

/* One descent: the last occupied slot at or before *index. NULL: the subtree that it came to has none, and
 * *index is the last one before it; *index is UINT64_MAX if there is none. */
static void *descend_back(const struct umvfs_radix *tree, unsigned bits, uint64_t *index)
{
    struct umvfs_radix_node *node = tree->root;
    for (unsigned level = tree->height - 1;; level--) {
        unsigned shift = level * bits;
        size_t from = umvfs_radix_slot(bits, level, *index), i = from;
        uint64_t start = *index >> shift >> bits << bits << shift; /* of the node */
        while (i > 0 && !node->slot[i])
            i--;
        if (!node->slot[i]) {
            *index = start - 1;
            return NULL;
        }
        if (i != from)
            *index = start + (((uint64_t)i + 1) << shift) - 1;
        if (level == 0)
            return node->slot[i];
        node = node->slot[i];
    }
}

void *umvfs_radix_prev(const struct umvfs_radix *tree, unsigned bits, uint64_t *index)
{
    uint64_t at = *index;
    void *found = NULL;
    if (!tree->root)
        return NULL;
    if (!umvfs_radix_fits(tree, bits, at))
        at = (UINT64_C(1) << tree->height * bits) - 1;
    do
        found = descend_back(tree, bits, &at);
    while (!found && at != UINT64_MAX);
    if (found)
        *index = at;
    return found;
}
