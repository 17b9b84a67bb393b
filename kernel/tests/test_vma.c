/* The set of areas compared with linear searches, and its balance with very many areas. */
#include "test.h"

#include "mm/vma.h"

static uint64_t rng_state = 5;

static uint64_t rng(uint64_t below)
{
    rng_state = rng_state * 6364136223846793005ull + 1442695040888963407ull;
    return (rng_state >> 16) % below;
}

#define AREAS 100000
static struct vma areas[AREAS];

static void place(struct vma_set *set, struct vma *vma, virt_t start, uint64_t size)
{
    *vma = (struct vma){.start = start, .end = virt_add(start, size)};
    vma_insert(set, vma);
}

static void stays_balanced_with_100000_areas(void **state)
{
    (void)state;
    static const char *const orders[] = {"ascending", "descending", "middle out", "random"};
    for (unsigned order = 0; order < 4; order++) {
        struct vma_set set;
        vma_set_init(&set);
        for (uint64_t i = 0; i < AREAS; i++) {
            uint64_t at = order == 0   ? i
                          : order == 1 ? AREAS - 1 - i
                          : order == 2 ? (i % 2 ? AREAS / 2 + i / 2 : AREAS / 2 - 1 - i / 2)
                                       : i * 7919 % AREAS; /* a prime: all of them, scattered */
            place(&set, &areas[i], virt(USER_MIN + at * 2 * PAGE_SIZE), PAGE_SIZE);
        }
        vma_check(&set);
        assert_int_equal(set.count, AREAS);
        if (set.root->height > 25) /* 1.44 log2(100001) is 23.9 */
            fail_msg("%s: height %u", orders[order], set.root->height);
        for (uint64_t i = 0; i < AREAS; i += 2)
            vma_remove(&set, &areas[i]);
        vma_check(&set);
        assert_int_equal(set.count, AREAS / 2);
        for (uint64_t i = 1; i < AREAS; i += 2)
            vma_remove(&set, &areas[i]);
        assert_null(set.root);
        assert_true(list_empty(&set.list));
    }
}

/* The naive model: areas in an array, one slot a page of a small window. */
#define WINDOW 200
#define BASE   (USER_MIN + 10 * PAGE_SIZE)

static struct vma *model[WINDOW]; /* the area of the page */

static virt_t page_at(unsigned i)
{
    return virt(BASE + i * PAGE_SIZE);
}

static const struct vma *naive_find(unsigned page)
{
    while (page < WINDOW && !model[page])
        page++;
    return page < WINDOW ? model[page] : NULL;
}

static virt_t naive_gap(uint64_t pages, unsigned low, unsigned high)
{
    for (unsigned end = high; end >= low + pages; end--) {
        unsigned n = 0;
        while (n < pages && !model[end - 1 - n])
            n++;
        if (n == pages)
            return page_at(end - (unsigned)pages);
    }
    return virt(0);
}

static void compare_with_model(struct vma_set *set)
{
    for (unsigned i = 0; i < WINDOW; i++)
        assert_ptr_equal(vma_find(set, virt_add(page_at(i), rng(PAGE_SIZE))), naive_find(i));
    assert_null(vma_find(set, page_at(WINDOW)));
    for (unsigned tries = 0; tries < 20; tries++) {
        unsigned low = (unsigned)rng(WINDOW / 2), high = low + 1 + (unsigned)rng(WINDOW - low);
        uint64_t pages = 1 + rng(rng(2) ? 6 : 40);
        if (high > WINDOW)
            high = WINDOW;
        virt_t got = vma_find_gap(set, pages * PAGE_SIZE, page_at(low), page_at(high));
        virt_t want = naive_gap(pages, low, high);
        if (got.value != want.value)
            fail_msg("%lu pages in %u-%u: %#lx instead of %#lx", pages, low, high, got.value,
                     want.value);
    }
}

/* Joins the area with the one that begins at its end, if there is one, as merges do it. */
static bool take_over_next(struct vma_set *set, struct vma *low, bool *used, const struct vma *pool)
{
    struct vma *high = vma_next(set, low);
    if (!high || high->start.value != low->end.value)
        return false;
    for (unsigned i = 0; i < WINDOW; i++)
        if (model[i] == high)
            model[i] = low;
    low->end = high->end;
    vma_remove(set, high);
    used[high - pool] = false;
    return true;
}

static void change(struct vma_set *set, struct vma *pool, bool *used)
{
    unsigned page = (unsigned)rng(WINDOW);
    struct vma *there = model[page];
    if (!there) {
        unsigned n = 1, slot = 0, most = 1 + (unsigned)rng(5);
        while (page + n < WINDOW && n < most && !model[page + n])
            n++;
        while (used[slot])
            slot++;
        used[slot] = true;
        place(set, &pool[slot], page_at(page), n * PAGE_SIZE);
        for (unsigned i = 0; i < n; i++)
            model[page + i] = &pool[slot];
        return;
    }
    if (rng(4) == 0 && take_over_next(set, there, used, pool))
        return;
    unsigned first = (unsigned)((there->start.value - BASE) / PAGE_SIZE);
    unsigned last = (unsigned)((there->end.value - BASE) / PAGE_SIZE) - 1;
    if (last > first && rng(2)) { /* the area shrinks at one end */
        bool top = rng(2);
        model[top ? last : first] = NULL;
        there->start.value += top ? 0 : PAGE_SIZE;
        there->end.value -= top ? PAGE_SIZE : 0;
        vma_moved(set, there);
        return;
    }
    for (unsigned i = first; i <= last; i++)
        model[i] = NULL;
    vma_remove(set, there);
    used[there - pool] = false;
}

static void finds_areas_and_gaps_as_a_naive_search_does(void **state)
{
    (void)state;
    static struct vma pool[WINDOW + 1];
    static bool used[WINDOW + 1];
    struct vma_set set;
    vma_set_init(&set);
    for (unsigned round = 0; round < 3000; round++) {
        change(&set, pool, used);
        vma_check(&set);
        if (round % 4 == 0)
            compare_with_model(&set);
    }
}

static void gaps_at_the_edges(void **state)
{
    (void)state;
    struct vma_set set;
    struct vma low, high;
    vma_set_init(&set);
    const uint64_t all = USER_END - USER_MIN;
    assert_int_equal(vma_find_gap(&set, all, virt(USER_MIN), virt(USER_END)).value, USER_MIN);
    assert_int_equal(vma_find_gap(&set, all + PAGE_SIZE, virt(USER_MIN), virt(USER_END)).value, 0);
    place(&set, &high, virt(USER_END - PAGE_SIZE), PAGE_SIZE);
    assert_int_equal(vma_find_gap(&set, PAGE_SIZE, virt(USER_MIN), virt(USER_END)).value,
                     USER_END - 2 * PAGE_SIZE);
    assert_int_equal(vma_find_gap(&set, all, virt(USER_MIN), virt(USER_END)).value, 0);
    assert_int_equal(vma_find_gap(&set, all - PAGE_SIZE, virt(USER_MIN), virt(USER_END)).value,
                     USER_MIN);
    place(&set, &low, virt(USER_MIN), PAGE_SIZE);
    assert_int_equal(vma_find_gap(&set, all - PAGE_SIZE, virt(USER_MIN), virt(USER_END)).value, 0);
    assert_int_equal(vma_find_gap(&set, all - 2 * PAGE_SIZE, virt(USER_MIN), virt(USER_END)).value,
                     USER_MIN + PAGE_SIZE);
    assert_int_equal(
        vma_find_gap(&set, UINT64_MAX & ~PAGE_MASK, virt(USER_MIN), virt(USER_END)).value, 0);
}

static void check(void *set)
{
    vma_check(set);
}

static void vma_check_sees_a_wrong_gap(void **state)
{
    (void)state;
    struct vma_set set;
    struct vma a, b;
    vma_set_init(&set);
    place(&set, &a, virt(0x10000), PAGE_SIZE);
    place(&set, &b, virt(0x20000), PAGE_SIZE);
    assert_null(fail_of(check, &set));
    a.end.value += PAGE_SIZE;
    assert_fails(check, &set, "gap");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_balanced_with_100000_areas),
        cmocka_unit_test(finds_areas_and_gaps_as_a_naive_search_does),
        cmocka_unit_test(gaps_at_the_edges),
        cmocka_unit_test(vma_check_sees_a_wrong_gap),
    };
    return cmocka_run_group_tests_name("vma", tests, NULL, NULL);
}
