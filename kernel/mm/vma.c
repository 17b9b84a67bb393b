#include "mm/vma.h"

#include "lib/check.h"

#define DEPTH_MAX 48 /* an AVL tree this deep has more nodes than there are pages */

/* The links from the root to a node: what must be rebalanced after a change below. */
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
        if (address < v->end) {
            found = v;
            if (address >= v->start)
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

/* Upwards past `changed`, a node of the path or NULL, until a node comes out as it was: then those
 * above it stay as they are. */
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

/* Descends to the place of an address; the last link is the node itself, or empty. */
static struct vma **descend(struct vma_set *set, virt_t start, struct path *path)
{
    struct vma **link = &set->root;
    path->depth = 0;
    for (struct vma *v; (v = *link) && v->start != start; link = &v->child[start > v->start])
        push(path, link);
    return link;
}

/* The lowest area above the end of a path that led to an empty place. */
static struct vma *above_path(const struct path *path, virt_t start)
{
    for (unsigned i = path->depth; i > 0; i--)
        if ((*path->link[i - 1])->start > start)
            return *path->link[i - 1];
    return NULL;
}

/* Measures the gap below vma; NULL if that is what it was, else vma. */
static struct vma *set_gap(struct vma_set *set, struct vma *vma)
{
    const struct vma *prev = vma_prev(set, vma);
    uint64_t old = vma->gap;
    vma->gap = vma->start - (prev ? prev->end : 0);
    return vma->gap == old ? NULL : vma;
}

/* Recomputes what depends on the gap below vma, from there as far up as it matters. */
static void refresh(struct vma_set *set, struct vma *vma)
{
    struct path path;
    set_gap(set, vma);
    uint64_t gap = largest_gap(vma);
    if (gap == vma->max_gap)
        return;
    vma->max_gap = gap;
    struct vma **link = descend(set, vma->start, &path);
    DEBUG_CHECK(*link == vma, "area %#lx", vma->start);
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
    struct path path;
    struct vma **link = descend(set, vma->start, &path);
    struct vma *above = above_path(&path, vma->start);
    DEBUG_CHECK(!above || vma->end <= above->start, "%#lx-%#lx", vma->start, vma->end);
    list_insert_after(above ? above->link.prev : set->list.prev, &vma->link);
    vma->child[0] = vma->child[1] = NULL;
    set_gap(set, vma);
    update(vma);
    *link = vma;
    rebalance(&path, above ? set_gap(set, above) : NULL);
    set->count++;
    set->hint = vma;
}

/* The area above is on the path always: an ancestor, or vma's only child, or its heir. */
void vma_remove(struct vma_set *set, struct vma *vma)
{
    struct path path;
    struct vma *above = vma_next(set, vma);
    struct vma **link = descend(set, vma->start, &path);
    if (vma->child[0] && vma->child[1]) {
        push(&path, link);
        unsigned at = path.depth;
        struct vma **least = &vma->child[1];
        while ((*least)->child[0]) {
            push(&path, least);
            least = &(*least)->child[0];
        }
        struct vma *heir = *least;
        *least = heir->child[1];
        heir->child[0] = vma->child[0];
        heir->child[1] = vma->child[1];
        heir->height = vma->height; /* what those above reckon with, until heir is updated */
        heir->max_gap = vma->max_gap;
        *link = heir;
        if (path.depth > at)
            path.link[at] = &heir->child[1];
    } else {
        *link = vma->child[vma->child[0] == NULL];
        if (vma->child[1])
            push(&path, link);
    }
    list_remove(&vma->link);
    rebalance(&path, above ? set_gap(set, above) : NULL);
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

/* The highest area at or below `limit` with enough room under it. The depth is the tree's. */
static struct vma *highest_gap(struct vma *v, uint64_t size, virt_t limit)
{
    struct vma *found = NULL;
    if (!v || v->max_gap < size)
        return NULL;
    if (v->start <= limit) {
        found = highest_gap(v->child[1], size, limit);
        if (!found && v->gap >= size)
            found = v;
    }
    return found ? found : highest_gap(v->child[0], size, limit);
}

virt_t vma_find_gap(struct vma_set *set, uint64_t size, virt_t low, virt_t high)
{
    const struct vma *above = vma_find(set, high - 1);
    const struct vma *below = vma_below(set, above);
    virt_t top = above && above->start < high ? above->start : high;
    virt_t bottom = below ? below->end : 0;
    if (bottom < low)
        bottom = low;
    if (top > bottom && top - bottom >= size)
        return top - size;
    if (!below)
        return 0;
    const struct vma *found = highest_gap(set->root, size, below->start);
    return found && found->start >= size && found->start - size >= low ? found->start - size : 0;
}

void vma_check(struct vma_set *set)
{
    size_t count = 0;
    virt_t end = 0;
    LIST_FOR_EACH (vma, &set->list, struct vma, link) {
        CHECK(vma->start >= end && vma->end > vma->start, "%#lx-%#lx", vma->start, vma->end);
        CHECK(vma->gap == vma->start - end, "%#lx: gap %#lx", vma->start, vma->gap);
        CHECK(vma_find(set, vma->start) == vma, "%#lx is not found", vma->start);
        int lean = height(vma->child[0]) - height(vma->child[1]);
        CHECK(lean >= -1 && lean <= 1, "%#lx: lean %d", vma->start, lean);
        uint64_t gap = vma->gap;
        for (int side = 0; side < 2; side++)
            if (max_gap(vma->child[side]) > gap)
                gap = max_gap(vma->child[side]);
        CHECK(gap == vma->max_gap, "%#lx: max gap %#lx", vma->start, vma->max_gap);
        end = vma->end;
        count++;
    }
    CHECK(count == set->count, "%zu areas, %zu counted", count, set->count);
}
