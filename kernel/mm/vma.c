#include "mm/vma.h"

#include "lib/check.h"
#include "lib/variable.h"

#define DEPTH_MAX 48 /* an AVL tree this deep has more nodes than there are pages */

/* The links from the root to a node, which are rebalanced after a change below. */
struct path {
    struct vma **link[DEPTH_MAX];
    unsigned depth;
};

void vma_set_init(struct vma_set *set)
{
    *set = (struct vma_set){0};
    list_init(&set->list);
}

struct vma *vma_search(struct vma_set *set, virt_t address)
{
    struct vma *found = NULL;
    for (struct vma *v = set->root; v;) {
        if (address.value < v->end.value) {
            found = v;
            if (address.value >= v->start.value)
                break;
            v = v->child[0];
        } else {
            v = v->child[1];
        }
    }
    if (found)
        set->hint = found;
    return found;
}

static int height(const struct vma *vma)
{
    return vma ? vma->height : 0;
}

static uint64_t max_gap(const struct vma *vma)
{
    return vma ? vma->max_gap : 0;
}

static uint64_t largest_gap(const struct vma *v)
{
    uint64_t gap = v->gap;
    if (max_gap(v->child[0]) > gap)
        gap = max_gap(v->child[0]);
    if (max_gap(v->child[1]) > gap)
        gap = max_gap(v->child[1]);
    return gap;
}

static void update(struct vma *v)
{
    int left = height(v->child[0]), right = height(v->child[1]);
    v->height = (uint8_t)(1 + (left > right ? left : right));
    v->max_gap = largest_gap(v);
}

/* Lifts the child on `side` above v. */
static struct vma *rotate(struct vma *v, int side)
{
    struct vma *up = v->child[side];
    v->child[side] = up->child[!side];
    up->child[!side] = v;
    update(v);
    update(up);
    return up;
}

static struct vma *balance(struct vma *v)
{
    int lean = height(v->child[1]) - height(v->child[0]);
    if (lean >= -1 && lean <= 1) {
        update(v);
        return v;
    }
    int side = lean > 0;
    struct vma *heavy = v->child[side];
    if (height(heavy->child[!side]) > height(heavy->child[side]))
        v->child[side] = rotate(heavy, !side);
    return rotate(v, side);
}

/* Goes up the path until the values of a node do not change: then those above it do not change
 * either. `changed` is a node of the path whose own gap or position has changed, or NULL; it must
 * be passed. The last node of the path must be the parent of the subtree that changed, and still
 * have the old height and largest gap. */
static void rebalance(struct path *path, const struct vma *changed)
{
    while (path->depth > 0) {
        struct vma **link = path->link[--path->depth], *old = *link;
        uint64_t gap = old->max_gap;
        int height = old->height;
        *link = balance(old);
        if (old == changed)
            changed = NULL;
        if (!changed && *link == old && old->height == height && old->max_gap == gap)
            break;
    }
}

static void push(struct path *path, struct vma **link)
{
    CHECK(path->depth < DEPTH_MAX, "depth %u", path->depth);
    path->link[path->depth++] = link;
}

/* Descends to the link of an address: it leads to the node with that start, or is empty. */
static struct vma **descend(struct vma_set *set, virt_t start, struct path *path)
{
    struct vma **link = &set->root;
    path->depth = 0;
    for (struct vma *v; (v = *link) && v->start.value != start.value;
         link = &v->child[start.value > v->start.value])
        push(path, link);
    return link;
}

/* The next area after the end of a path that led to an empty link. */
static struct vma *above_path(const struct path *path, virt_t start)
{
    for (unsigned i = path->depth; i > 0; i--)
        if ((*path->link[i - 1])->start.value > start.value)
            return *path->link[i - 1];
    return NULL;
}

/* Where the gap above an area starts; NULL: the gap below the first area. */
static inline virt_t end_of(const struct vma *vma)
{
    return vma ? vma->end : virt(0);
}

/* Recomputes the gap below vma. Returns vma if it has changed, else NULL. */
static struct vma *set_gap(struct vma_set *set, struct vma *vma)
{
    const struct vma *prev = vma_prev(set, vma);
    uint64_t old = vma->gap;
    vma->gap = prev ? virt_distance(prev->end, vma->start) : vma->start.value;
    return vma->gap == old ? NULL : vma;
}

/* Recomputes the values that depend on the gap below vma, up to the first that does not change. */
static void refresh(struct vma_set *set, struct vma *vma)
{
    UNINITIALIZED struct path path; /* `depth` tells how many links are valid */
    set_gap(set, vma);
    uint64_t gap = largest_gap(vma);
    if (gap == vma->max_gap)
        return;
    vma->max_gap = gap;
    struct vma **link = descend(set, vma->start, &path);
    DEBUG_CHECK(*link == vma, "area %#lx", vma->start.value);
    (void)link;
    while (path.depth > 0) {
        struct vma *up = *path.link[--path.depth];
        gap = largest_gap(up);
        if (gap == up->max_gap)
            break;
        up->max_gap = gap;
    }
}

void vma_insert(struct vma_set *set, struct vma *vma)
{
    UNINITIALIZED struct path path; /* `depth` tells how many links are valid */
    struct vma **link = descend(set, vma->start, &path);
    struct vma *above = above_path(&path, vma->start);
    DEBUG_CHECK(!above || vma->end.value <= above->start.value, "%#lx-%#lx", vma->start.value,
                vma->end.value);
    list_insert_after(above ? above->link.prev : set->list.prev, &vma->link);
    vma->child[0] = vma->child[1] = NULL;
    set_gap(set, vma);
    update(vma);
    *link = vma;
    rebalance(&path, above ? set_gap(set, above) : NULL);
    set->count++;
    set->hint = vma;
}

/* Puts the lowest area of vma's right subtree, its heir, in vma's place. Returns the heir. */
static struct vma *put_heir(struct vma *vma, struct vma **link, struct path *path)
{
    push(path, link);
    unsigned at = path->depth;
    struct vma **least = &vma->child[1];
    while ((*least)->child[0]) {
        push(path, least);
        least = &(*least)->child[0];
    }
    struct vma *heir = *least;
    *least = heir->child[1];
    heir->child[0] = vma->child[0];
    heir->child[1] = vma->child[1];
    heir->height = vma->height; /* the old values, which rebalance() compares with */
    heir->max_gap = vma->max_gap;
    *link = heir;
    if (path->depth > at)
        path->link[at] = &heir->child[1];
    return heir;
}

/* The gap of the next area changes, unless the caller has moved an end for it before. The tree
 * changes in any case, so the path must not end early at a node whose values happen to be equal. */
void vma_remove(struct vma_set *set, struct vma *vma)
{
    UNINITIALIZED struct path path; /* `depth` tells how many links are valid */
    struct vma *above = vma_next(set, vma);
    struct vma **link = descend(set, vma->start, &path);
    struct vma *changed;
    list_remove(&vma->link);
    if (above)
        set_gap(set, above);
    if (vma->child[0] && vma->child[1]) {
        changed = put_heir(vma, link, &path); /* it is the next area */
    } else if (vma->child[1]) {
        *link = vma->child[1]; /* the next area, a leaf: no node below it needs balancing */
        update(*link);
        changed = NULL;
    } else {
        *link = vma->child[0];
        changed = above; /* an ancestor, or NULL */
    }
    rebalance(&path, changed);
    set->count--;
    if (set->hint == vma)
        set->hint = above;
}

void vma_end_moved(struct vma_set *set, struct vma *vma)
{
    struct vma *above = vma_next(set, vma);
    if (above)
        refresh(set, above);
}

void vma_moved(struct vma_set *set, struct vma *vma)
{
    refresh(set, vma);
    vma_end_moved(set, vma);
}

/* The highest area at or below `limit` with a large enough gap below it. Recursion: the tree's
 * height. */
static struct vma *highest_gap(struct vma *v, uint64_t size, virt_t limit)
{
    struct vma *found = NULL;
    if (!v || v->max_gap < size)
        return NULL;
    if (v->start.value <= limit.value) {
        found = highest_gap(v->child[1], size, limit);
        if (!found && v->gap >= size)
            found = v;
    }
    return found ? found : highest_gap(v->child[0], size, limit);
}

virt_t vma_find_gap(struct vma_set *set, uint64_t size, virt_t low, virt_t high)
{
    const struct vma *above = vma_find(set, virt_sub(high, 1));
    const struct vma *below = vma_below(set, above);
    virt_t top = above ? virt_min(above->start, high) : high;
    virt_t bottom = virt_max(end_of(below), low);
    if (top.value > bottom.value && virt_distance(bottom, top) >= size)
        return virt_sub(top, size);
    if (!below)
        return virt(0);
    const struct vma *found = highest_gap(set->root, size, below->start);
    if (!found || found->start.value < size)
        return virt(0);
    virt_t place = virt_sub(found->start, size);
    return place.value >= low.value ? place : virt(0);
}

/* A walk through the tree in address order, beside the list. */
struct check {
    const struct vma_set *set;
    const struct list *link; /* of the area that must come next */
    size_t count;
};

/* Checks the order of the walk, and that a search finds each area. */
static void check_area(struct check *check, const struct vma *vma)
{
    virt_t end = end_of(vma_prev(check->set, vma));
    CHECK(&vma->link == check->link, "%#lx is elsewhere in the list", vma->start.value);
    CHECK(vma->start.value >= end.value && vma->end.value > vma->start.value, "%#lx-%#lx",
          vma->start.value, vma->end.value);
    CHECK(vma->gap == virt_distance(end, vma->start), "%#lx: gap %#lx", vma->start.value, vma->gap);
    check->link = vma->link.next;
    check->count++;
}

/*
 * Recomputes and returns the height of the subtree. Recursion ends, since stored heights must
 * decrease.
 */
static int check_subtree(struct check *check, const struct vma *vma)
{
    if (!vma)
        return 0;
    for (unsigned side = 0; side < 2; side++)
        CHECK(height(vma->child[side]) < vma->height, "%#lx: height %u", vma->start.value,
              vma->height);
    int left = check_subtree(check, vma->child[0]);
    check_area(check, vma);
    int right = check_subtree(check, vma->child[1]);
    int real = 1 + (left > right ? left : right);
    CHECK(left - right >= -1 && left - right <= 1, "%#lx: lean %d", vma->start.value, right - left);
    CHECK(vma->height == real, "%#lx: height %u, really %d", vma->start.value, vma->height, real);
    CHECK(vma->max_gap == largest_gap(vma), "%#lx: max gap %#lx", vma->start.value, vma->max_gap);
    return real;
}

void vma_check(struct vma_set *set)
{
    struct check check = {.set = set, .link = set->list.next};
    struct vma *hint = set->hint;
    check_subtree(&check, set->root);
    CHECK(check.link == &set->list, "the list goes on after the last area of the tree");
    CHECK(check.count == set->count, "%zu areas, %zu counted", check.count, set->count);
    CHECK(!hint || vma_search(set, hint->start) == hint, "the hint %#lx is gone",
          hint->start.value);
    set->hint = hint;
}
