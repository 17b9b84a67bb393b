/* Eva: one step on the way up, balance(), whose left subtree is HEIGHT_MIN to HEIGHT_MAX high: the
 * proof takes 0 to 22. A tree of VMA_COUNT_MAX areas is at most 22 high, for one of 23 has 75,024
 * or more. Every combination of heights is enumerated; the subtrees that no rotation opens are
 * opaque: a height, a largest gap, and pointers to nowhere.
 *
 * Proved: if both children of a node are balanced and differ by at most 2 in height, as they do
 * after one insertion or removal below it, then the node that comes out on top and both of its
 * children lean by at most 1 and have the right heights and largest gaps, the tree is as high as
 * its higher child or one more, the order of the areas is what it was, and nothing else was read or
 * written. By induction from below, a tree is balanced again when balance() was called on each node
 * above a change.
 *
 * Not proved: that rebalance() may end where a node comes out as it was, and vma_insert() and
 * vma_remove() as wholes: vma_loop.c proves those for few areas, kernel/tests/test_vma_tree.c tries
 * them on every tree of up to 5 levels. */
#include <stdlib.h>

#include <__fc_builtin.h>

#include "../mm/vma.c"

/* Reads address 0: an alarm, unless this statement cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

_Noreturn void check_failed(const char *file, int line, const char *condition, const char *fmt, ...)
{
    WRONG();
    exit(1);
}

/* Node 0 is the top, 1 and 2 its children, 2n + 1 and 2n + 2 those of node n, as in a heap. */
#define NODES 15

static struct vma node[NODES];
static int open[NODES]; /* its children are nodes, or it has none */

/* A node of the given height with opaque subtrees; NULL for 0. */
static struct vma *make(int n, int height)
{
    if (height == 0)
        return NULL;
    node[n].height = (uint8_t)height;
    node[n].child[0] = node[n].child[1] = (struct vma *)1;
    node[n].gap = 2;
    node[n].max_gap = 3;
    open[n] = 0;
    return &node[n];
}

/* Sets two subtrees of the node that fit its height, in one of the three possible ways. */
static void open_node(int n)
{
    int height = node[n].height, way = Frama_C_interval(0, 2);
    //@ split way;
    if (height < 2)
        way = 0;
    open[n] = 1;
    node[n].child[0] = make(2 * n + 1, way == 1 ? height - 2 : height - 1);
    node[n].child[1] = make(2 * n + 2, way == 2 ? height - 2 : height - 1);
}

static struct vma *order[NODES];
static int ordered;

static void visit(struct vma *v)
{
    order[ordered++] = v;
}

static int is_open(const struct vma *v)
{
    return open[v - node];
}

/* The nodes in address order, without recursion, which is too costly for Eva. */
#define WALK(name, below)                                                                          \
    static void name(struct vma *v)                                                                \
    {                                                                                              \
        if (!v)                                                                                    \
            return;                                                                                \
        if (is_open(v))                                                                            \
            below(v->child[0]);                                                                    \
        visit(v);                                                                                  \
        if (is_open(v))                                                                            \
            below(v->child[1]);                                                                    \
    }

static void too_deep(struct vma *v)
{
    if (v)
        WRONG();
}
WALK(walk_1, too_deep)
WALK(walk_2, walk_1)
WALK(walk_3, walk_2)
WALK(walk_4, walk_3)

static void check_node(const struct vma *v)
{
    if (!v || !is_open(v))
        return;
    int left = height(v->child[0]), right = height(v->child[1]);
    if (left - right > 1 || right - left > 1 || v->height != 1 + (left > right ? left : right))
        WRONG();
    if (v->max_gap != largest_gap(v))
        WRONG();
}

/* One of GAPS nodes that may come out elsewhere has the largest gap. */
static void set_gaps(int heavy, int middle)
{
    int largest = Frama_C_interval(0, GAPS - 1);
    //@ split largest;
    node[largest == 0 ? 0 : largest == 1 ? heavy : largest == 2 ? middle : NODES - 1].gap = 9;
    for (int n = NODES - 1; n >= 0; n--)
        if (open[n])
            node[n].max_gap = largest_gap(&node[n]);
}

static void step(int left, int right)
{
    struct vma *before[NODES];
    int side = right > left, heavy = 1 + side, middle = 2 * heavy + (side ? 1 : 2);
    for (int n = 0; n < NODES; n++)
        open[n] = 0;
    make(0, 1 + (left > right ? left : right));
    open[0] = 1;
    node[0].child[0] = make(1, left);
    node[0].child[1] = make(2, right);
    if (left - right == 2 || right - left == 2) {
        open_node(heavy);
        if (node[heavy].child[!side])
            open_node(middle);
        set_gaps(heavy, middle);
    }
    ordered = 0;
    walk_4(&node[0]);
    int nodes = ordered;
    for (int i = 0; i < nodes; i++)
        before[i] = order[i];

    struct vma *top = balance(&node[0]);

    check_node(top);
    check_node(top->child[0]);
    check_node(top->child[1]);
    int higher = left > right ? left : right;
    if (top->height < higher || top->height > higher + 1)
        WRONG();
    ordered = 0;
    walk_4(top);
    if (ordered != nodes)
        WRONG();
    for (int i = 0; i < nodes; i++)
        if (before[i] != order[i])
            WRONG();
}

int main(void)
{
    int left = Frama_C_interval(HEIGHT_MIN, HEIGHT_MAX);
    //@ split left;
    int more = Frama_C_interval(-2, 2);
    //@ split more;
    if (left + more >= 0)
        step(left, left + more);
    return 0;
}
