/* The AVL tree of areas. It builds every tree of up to MAX_HEIGHT levels, and tries every removal
 * and every insertion on it. So it covers the next step after any sequence of steps that leads to
 * such a tree. vma_check() recomputes heights and gaps after each one. */
#include "test.h"

#include "mm/vma.h"

#define MAX_HEIGHT 5
#define MAX_NODES  31 /* 2^MAX_HEIGHT - 1 */
#define BASE       USER_MIN

static uint64_t rng_state = 11;

static uint64_t rng(uint64_t below)
{
    rng_state = rng_state * 6364136223846793005ull + 1442695040888963407ull;
    return (rng_state >> 33) % below;
}

/* A tree that is being built: areas in address order, one page each, gap[i] pages below the
 * i-th. */
struct forest {
    struct vma_set set;
    struct vma area[MAX_NODES + 1]; /* one more for insertions */
    unsigned nr;
    uint8_t gap[MAX_NODES];
    virt_t end; /* of the last area */
};

/* The tree before each step, and its copy, from which it is restored at the same address, so that
 * its pointers stay valid. */
static struct forest forest, whole;

/* AVL trees of a height: both subtrees one lower, or one of them two lower. */
static uint64_t trees_of(unsigned height)
{
    if (height < 2)
        return 1;
    uint64_t low = trees_of(height - 1), lower = trees_of(height - 2);
    return low * low + 2 * low * lower;
}

static struct vma *add_node(struct forest *f, struct vma *left)
{
    struct vma *v = &f->area[f->nr];
    uint64_t gap = f->gap[f->nr++] * PAGE_SIZE;
    virt_t start = virt_add(f->end, gap);
    if (v == f->area) {
        gap += BASE;
        start.value += BASE;
    }
    *v = (struct vma){
        .start = start, .end = virt_add(start, PAGE_SIZE), .gap = gap, .child = {left}};
    f->end = v->end;
    list_append(&f->set.list, &v->link);
    f->set.count++;
    return v;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The index-th tree of the height, as trees_of() counts them. */
static struct vma *build(struct forest *f, unsigned height, uint64_t index)
{
    if (height == 0)
        return NULL;
    uint64_t low = trees_of(height - 1), lower = height > 1 ? trees_of(height - 2) : 0;
    unsigned left = height - 1, right = height - 1;
    if (index >= low * low) {
        index -= low * low;
        left = index < low * lower ? height - 1 : height - 2;
        right = index < low * lower ? height - 2 : height - 1;
        index %= low * lower;
    }
    uint64_t rights = trees_of(right);
    struct vma *v = add_node(f, build(f, left, index / rights));
    v->child[1] = build(f, right, index % rights);
    v->height = (uint8_t)height;
    v->max_gap = v->gap;
    for (unsigned side = 0; side < 2; side++)
        if (v->child[side])
            v->max_gap = larger(v->max_gap, v->child[side]->max_gap);
    return v;
}

static void start(unsigned height, uint64_t index)
{
    vma_set_init(&forest.set);
    forest.nr = 0;
    forest.end = virt(0);
    forest.set.root = build(&forest, height, index);
    memcpy(&whole, &forest, sizeof(whole));
}

static void restart(void)
{
    memcpy(&forest, &whole, sizeof(whole));
}

static void remove_each(void)
{
    for (unsigned i = 0; i < whole.nr; i++) {
        restart();
        vma_remove(&forest.set, &forest.area[i]);
        vma_check(&forest.set);
    }
}

/* As merges do it: the area below gets its end first, so that no gap changes. */
static void take_over_each(void)
{
    for (unsigned i = 1; i < whole.nr; i++) {
        if (whole.gap[i] > 0)
            continue;
        restart();
        forest.area[i - 1].end = forest.area[i].end;
        vma_remove(&forest.set, &forest.area[i]);
        vma_check(&forest.set);
    }
}

static void insert_at(virt_t at)
{
    struct vma *new = &forest.area[MAX_NODES];
    restart();
    *new = (struct vma){.start = at, .end = virt_add(at, PAGE_SIZE)};
    vma_insert(&forest.set, new);
    vma_check(&forest.set);
}

/* At the top and at the bottom of each gap, and above all areas. */
static void insert_each(void)
{
    for (unsigned i = 0; i < whole.nr; i++) {
        const struct vma *above = &whole.area[i];
        if (above->gap > 0)
            insert_at(virt_sub(above->start, PAGE_SIZE));
        if (above->gap > PAGE_SIZE)
            insert_at(virt_sub(above->start, above->gap));
    }
    insert_at(whole.end.value ? whole.end : virt(BASE));
    insert_at(virt_add(whole.end, PAGE_SIZE));
}

static void all_steps_on_all_trees(unsigned height, unsigned gaps)
{
    for (uint64_t index = 0, trees = trees_of(height); index < trees; index++) {
        for (unsigned i = 0; i < MAX_NODES; i++)
            forest.gap[i] = (uint8_t)rng(gaps);
        start(height, index);
        vma_check(&forest.set); /* the tree as built must be right */
        remove_each();
        take_over_each();
        insert_each();
    }
}

static void every_step_on_every_tree_up_to_height_4_keeps_it_balanced(void **state)
{
    (void)state;
    for (unsigned height = 0; height < MAX_HEIGHT; height++)
        for (unsigned gaps = 1; gaps < 20; gaps++)
            all_steps_on_all_trees(height, gaps % 5 + 1);
}

static void every_step_on_every_tree_of_height_5_keeps_it_balanced(void **state)
{
    (void)state;
    assert_int_equal(trees_of(MAX_HEIGHT), 108675);
    all_steps_on_all_trees(MAX_HEIGHT, 2);
}

static void place(struct vma_set *set, struct vma *vma, uint64_t first, uint64_t pages)
{
    virt_t at = virt(BASE + first * PAGE_SIZE);
    *vma = (struct vma){.start = at, .end = virt_add(at, pages * PAGE_SIZE)};
    vma_insert(set, vma);
}

/* b has the child c, and c the child d alone. When b takes c over, the gap below d is the same as
 * before, and so is all else of d: b must be balanced nevertheless. */
static void takes_over_the_parent_of_a_leaf_that_stays_the_same(void **state)
{
    (void)state;
    struct vma_set set;
    struct vma a, b, c, d;
    vma_set_init(&set);
    place(&set, &b, 1, 1);
    place(&set, &a, 0, 1);
    place(&set, &c, 2, 1);
    place(&set, &d, 3, 1);
    assert_ptr_equal(c.child[1], &d);
    b.end = c.end;
    vma_remove(&set, &c);
    assert_ptr_equal(set.root, &b);
    assert_int_equal(b.height, 2);
    vma_check(&set);
    place(&set, &c, 4, 1); /* the heights differed by 2 here */
    vma_remove(&set, &a);
    vma_check(&set);
}

#define MANY 4000

/* One random step on a row of `slots` pages, of which each may have an area. */
static void random_step(struct vma_set *set, struct vma *area, bool *used, unsigned slots)
{
    unsigned i = (unsigned)rng(slots);
    if (!used[i]) {
        place(set, &area[i], i, 1);
        used[i] = true;
        return;
    }
    struct vma *prev = vma_prev(set, &area[i]);
    if (prev && prev->end.value == area[i].start.value && rng(2)) {
        prev->end = area[i].end;
        vma_remove(set, &area[i]);
        used[i] = false;
        prev->end = virt_add(prev->start,
                             PAGE_SIZE); /* back to one page, so that each slot stays its own */
        vma_end_moved(set, prev);
        return;
    }
    vma_remove(set, &area[i]);
    used[i] = false;
}

static void random_steps_at_many_sizes(void **state)
{
    (void)state;
    static struct vma area[MANY];
    static bool used[MANY];
    static const unsigned sizes[] = {2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 377, 987, MANY};
    for (unsigned n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        struct vma_set set;
        unsigned slots = sizes[n], steps = 200000 / slots + 400;
        vma_set_init(&set);
        memset(used, 0, sizeof(used));
        for (unsigned i = 0; i < slots; i += 2)
            random_step(&set, area, used, slots);
        for (unsigned step = 0; step < steps; step++) {
            random_step(&set, area, used, slots);
            vma_check(&set);
        }
        for (unsigned i = 0; i < slots; i++)
            if (used[i])
                vma_remove(&set, &area[i]);
        assert_null(set.root);
        assert_int_equal(set.count, 0);
    }
}

static void check(void *set)
{
    vma_check(set);
}

static void vma_check_sees_a_wrong_height_and_a_lean(void **state)
{
    (void)state;
    struct vma_set set;
    struct vma area[4];
    vma_set_init(&set);
    for (unsigned i = 0; i < 3; i++)
        place(&set, &area[i], i, 1);
    assert_null(fail_of(check, &set));
    area[1].height = 3;
    assert_fails(check, &set, "height 3, really 2");
    area[1].height = 2;
    area[0].height = 2;
    assert_fails(check, &set, "height");
    area[0].height = 1;
    place(&set, &area[3], 3, 1);
    assert_null(fail_of(check, &set));
    vma_remove(&set, &area[0]); /* then the unbalanced tree is made by hand */
    vma_check(&set);
    place(&set, &area[0], 4, 1);
    vma_check(&set);
    set.root = &area[1];
    for (unsigned i = 0; i < 4; i++) {
        area[i].child[0] = area[i].child[1] = NULL;
        area[i].height = i == 0 ? 1 : (uint8_t)(4 - i + 1);
        area[i].max_gap = 0;
    }
    area[1].child[1] = &area[2];
    area[2].child[1] = &area[3];
    area[3].child[1] = &area[0];
    area[1].max_gap = area[1].gap;
    assert_fails(check, &set, "lean 2");
}

static void vma_check_sees_a_list_that_differs(void **state)
{
    (void)state;
    struct vma_set set;
    struct vma area[3];
    vma_set_init(&set);
    for (unsigned i = 0; i < 3; i++)
        place(&set, &area[i], 2 * i, 1);
    list_remove(&area[2].link);
    assert_fails(check, &set, "elsewhere in the list");
    list_append(&set.list, &area[2].link);
    assert_null(fail_of(check, &set));
    set.hint = &(struct vma){.start = virt(BASE)};
    assert_fails(check, &set, "the hint");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_over_the_parent_of_a_leaf_that_stays_the_same),
        cmocka_unit_test(every_step_on_every_tree_up_to_height_4_keeps_it_balanced),
        cmocka_unit_test(every_step_on_every_tree_of_height_5_keeps_it_balanced),
        cmocka_unit_test(random_steps_at_many_sizes),
        cmocka_unit_test(vma_check_sees_a_wrong_height_and_a_lean),
        cmocka_unit_test(vma_check_sees_a_list_that_differs),
    };
    return cmocka_run_group_tests_name("vma tree", tests, NULL, NULL);
}
