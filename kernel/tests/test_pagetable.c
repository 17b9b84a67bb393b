/* Paging structures, checked by the independent walk. */
#include "test.h"

#include "arch/tlb.h"
#include "host/cpu.h"
#include "host/ram.h"
#include "host/walk.h"
#include "mm/pagetable.h"

#define RW (PTE_P | PTE_US | PTE_RW | PTE_XD)
#define RX (PTE_P | PTE_US)

static struct pagetable pt;
static struct ram_counts before;

static int setup(void **state)
{
    (void)state;
    ram_start(RAM_SPARSE, 4096);
    before = ram_counts();
    return pt_create(&pt);
}

static int teardown(void **state)
{
    (void)state;
    char text[128];
    pt_destroy(&pt);
    struct ram_counts after = ram_counts();
    frame_check();
    return strlen(ram_difference(&before, &after, text, sizeof(text))) != 0;
}

static struct frame *map(virt_t address, pte_t bits)
{
    struct frame *frame = frame_alloc(FRAME_ANON);
    pte_t *entry = pt_ensure(&pt, address);
    assert_non_null(frame);
    assert_non_null(entry);
    pt_set(&pt, entry, frame, bits);
    return frame;
}

static void unmap(virt_t start, virt_t end)
{
    struct pt_flush flush;
    pt_flush_begin(&flush, &pt);
    pt_unmap(&pt, start, end, &flush);
    pt_flush_end(&flush);
}

static const virt_t corners[] = {
    {USER_MIN},
    {0x1ff000}, /* the ends of a level-1, level-2 and level-3 table, and the pages after them */
    {0x200000},
    {0x3ffff000},
    {0x40000000},
    {0x7ffffff000},
    {0x8000000000},
    {STACK_TOP - PAGE_SIZE},
    {USER_END - PAGE_SIZE},
};
#define CORNERS (sizeof(corners) / sizeof(corners[0]))

static void a_leaf_is_what_the_walk_finds(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORNERS; i++) {
        struct frame *frame = map(corners[i], i % 2 ? RX : RW);
        struct walk_leaf leaf = walk_at(pt.root ? frame_phys(pt.root) : phys(0), corners[i]);
        assert_true(leaf.present && leaf.user);
        assert_int_equal(leaf.level, 1);
        assert_int_equal(leaf.frame, frame_phys(frame).value);
        assert_int_equal(leaf.writable, i % 2 == 0);
        assert_int_equal(leaf.executable, i % 2 == 1);
        assert_int_equal(walk_at(frame_phys(pt.root), virt_sub(corners[i], PAGE_SIZE)).present,
                         i > 0 && corners[i - 1].value == corners[i].value - PAGE_SIZE);
    }
    unmap(virt(0), virt(USER_END));
}

static void empty_tables_are_freed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORNERS; i++) {
        map(corners[i], RW);
        assert_true(pt.tables > 1);
        assert_int_equal(frame_count(FRAME_TABLE), before.of[FRAME_TABLE] + pt.tables);
        unmap(corners[i], virt_add(corners[i], PAGE_SIZE));
        assert_int_equal(pt.tables, 1);
        assert_int_equal(frame_count(FRAME_TABLE), before.of[FRAME_TABLE] + 1);
    }
    for (unsigned i = 0; i < 512; i++)
        map(virt(0x200000 + i * PAGE_SIZE), RW);
    unmap(virt(0x200000), virt(0x400000 - PAGE_SIZE));
    assert_int_equal(pt.tables, 4);
    unmap(virt(0x400000 - PAGE_SIZE), virt(0x400000));
    assert_int_equal(pt.tables, 1);
}

/* Each number of allocations that can fail for a leaf. */
static void ensure_changes_nothing_when_memory_is_short(void **state)
{
    (void)state;
    map(virt(0x1000), RW);
    static const struct {
        virt_t address;
        unsigned tables;
    } cases[] = {{{0x2000}, 0}, {{0x200000}, 1}, {{0x40000000}, 2}, {{0x8000000000}, 3}};
    for (size_t i = 0; i < 4; i++) {
        for (unsigned fail = 1; fail <= cases[i].tables; fail++) {
            struct ram_counts at = ram_counts();
            size_t tables = pt.tables;
            unsigned in_use = pt.root->in_use;
            char text[128];
            alloc_fail_at(fail, false);
            assert_null(pt_ensure(&pt, cases[i].address));
            alloc_fail_at(0, false);
            struct ram_counts now = ram_counts();
            assert_string_equal(ram_difference(&at, &now, text, sizeof(text)), "");
            assert_int_equal(pt.tables, tables);
            assert_int_equal(pt.root->in_use, in_use);
            assert_null(pt_lookup(&pt, cases[i].address));
        }
        alloc_fail_at(cases[i].tables + 1, true);
        assert_non_null(pt_ensure(&pt, cases[i].address));
        alloc_fail_at(0, false);
        map(cases[i].address, RX);
    }
    unmap(virt(0), virt(USER_END));
}

static void protect(virt_t start, virt_t end, pte_t bits)
{
    struct pt_flush flush;
    pt_flush_begin(&flush, &pt);
    pt_protect(&pt, start, end, bits, (struct pt_writable){FRAME_ANON, 1}, &flush);
    pt_flush_end(&flush);
}

static void protect_changes_exactly_the_range(void **state)
{
    (void)state;
    struct frame *frames[4];
    for (unsigned i = 0; i < 4; i++)
        frames[i] = map(virt(0x1fe000 + i * PAGE_SIZE), RW); /* over the border of two tables */
    protect(virt(0x1ff000), virt(0x201000), RX);
    for (unsigned i = 0; i < 4; i++) {
        struct walk_leaf leaf = walk_at(frame_phys(pt.root), virt(0x1fe000 + i * PAGE_SIZE));
        assert_int_equal(leaf.writable, i == 0 || i == 3);
        assert_int_equal(leaf.executable, i == 1 || i == 2);
    }
    protect(virt(0x1fe000), virt(0x202000), RX);
    frame_get(frames[1]);
    frames[2]->kind = FRAME_FILE;
    protect(virt(0x1fe000), virt(0x202000), RW); /* a frame with two holders, one of another kind */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(walk_at(frame_phys(pt.root), virt(0x1fe000 + i * PAGE_SIZE)).writable,
                         i == 0 || i == 3);
    frame_put(frames[1]);
    frames[2]->kind = FRAME_ANON;
    protect(virt(0x1fe000), virt(0x202000), 0);
    for (unsigned i = 0; i < 4; i++) {
        struct walk_leaf leaf = walk_at(frame_phys(pt.root), virt(0x1fe000 + i * PAGE_SIZE));
        assert_false(leaf.present);
        assert_true(leaf.entry != 0); /* the frame stays */
    }
    unmap(virt(0), virt(USER_END));
}

static void copy_shares_frames_and_takes_writing_from_both(void **state)
{
    (void)state;
    struct pagetable child;
    struct pt_flush flush;
    struct frame *frame = map(virt(0x1ff000), RW), *other = map(virt(0x200000), RX);
    assert_int_equal(pt_create(&child), 0);
    for (unsigned fail = 1; fail <= 4; fail++) {
        alloc_fail_at(fail, false);
        assert_int_equal(pt_copy_prepare(&child, &pt, virt(0x1ff000), virt(0x201000)), -12);
    }
    alloc_fail_at(0, false);
    assert_int_equal(pt_copy_prepare(&child, &pt, virt(0x1ff000), virt(0x201000)), 0);
    alloc_fail_at(1, true);
    pt_flush_begin(&flush, &pt);
    pt_copy(&child, &pt, virt(0x1ff000), virt(0x201000), true, &flush);
    pt_flush_end(&flush);
    alloc_fail_at(0, false);
    assert_int_equal(frame->refs, 2);
    assert_int_equal(other->refs, 2);
    assert_false(walk_at(frame_phys(pt.root), virt(0x1ff000)).writable);
    assert_false(walk_at(frame_phys(child.root), virt(0x1ff000)).writable);
    assert_int_equal(walk_at(frame_phys(child.root), virt(0x1ff000)).frame,
                     frame_phys(frame).value);
    assert_true(walk_at(frame_phys(child.root), virt(0x200000)).executable);
    unmap(virt(0), virt(USER_END));
    assert_int_equal(frame->refs, 1);
    pt_flush_begin(&flush, &child);
    pt_unmap(&child, virt(0), virt(USER_END), &flush);
    pt_flush_end(&flush);
    pt_destroy(&child);
}

static void copying_nothing_makes_no_table(void **state)
{
    (void)state;
    struct pagetable child;
    struct pt_flush flush;
    map(virt(0x200000), RW); /* the rest of its table is empty */
    assert_int_equal(pt_create(&child), 0);
    assert_int_equal(pt_copy_prepare(&child, &pt, virt(0x201000), virt(0x400000)), 0);
    assert_int_equal(child.tables, 1);
    pt_flush_begin(&flush, &pt);
    pt_copy(&child, &pt, virt(0x201000), virt(0x400000), true, &flush);
    pt_flush_end(&flush);
    assert_int_equal(child.tables, 1);
    pt_destroy(&child);
    unmap(virt(0), virt(USER_END));
}

static void batches_become_one_flush(void **state)
{
    (void)state;
    tlb_switch(frame_phys(pt.root));
    for (unsigned i = 0; i < 100; i++)
        map(virt(0x10000 + i * PAGE_SIZE), RW);
    struct tlb_counts start = tlb_counts();
    unmap(virt(0x10000), virt(0x10000 + 3 * PAGE_SIZE));
    assert_int_equal(tlb_counts().pages - start.pages, 3);
    assert_int_equal(tlb_counts().all - start.all, 0);
    unmap(virt(0x10000 + 3 * PAGE_SIZE), virt(0x10000 + 100 * PAGE_SIZE));
    assert_int_equal(tlb_counts().all - start.all, 1);
    tlb_switch(frame_phys(kernel_pagetable.root));
    map(virt(0x10000), RW);
    start = tlb_counts();
    unmap(virt(0x10000), virt(0x11000)); /* not in use: nothing to flush */
    assert_int_equal(tlb_counts().pages - start.pages, 0);
}

/* R15: without it the first interrupt after the switch would be the last. */
static void r15_every_page_table_has_the_kernel_half(void **state)
{
    (void)state;
    static const virt_t places[] = {
        {DIRECT_MAP}, {DIRECT_MAP + (3ull << 20)}, {KERNEL_BASE}, {KERNEL_BASE + 3 * PAGE_SIZE}};
    for (size_t i = 0; i < 4; i++) {
        struct walk_leaf leaf = walk_at(frame_phys(pt.root), places[i]);
        assert_true(leaf.present);
        assert_false(leaf.user);
        assert_false(leaf.writable && leaf.executable);
        assert_int_equal(leaf.frame, walk_at(frame_phys(kernel_pagetable.root), places[i]).frame);
    }
    const uint64_t *ours = frame_ptr(pt.root), *kernel = frame_ptr(kernel_pagetable.root);
    assert_memory_equal(ours + 256, kernel + 256, 2048);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(ours[i], 0);
}

static void kernel_mappings_use_the_largest_pages_that_fit(void **state)
{
    (void)state;
    static const struct {
        virt_t start;
        uint64_t size, base;
        bool huge;
        unsigned first, last; /* levels of the first and last page */
    } cases[] = {
        {{0xffff900000000000}, 3 * PAGE_SIZE, 0x1000, true, 1, 1},
        {{0xffff910000000000}, 2ull << 20, 0, true, 2, 2},
        {{0xffff920000000000}, (2ull << 20) + PAGE_SIZE, 0, true, 2, 1},
        {{0xffff930000001000}, 4ull << 20, 0x1000, true, 1, 1},
        {{0xffff940000000000}, 2ull << 20, 0x1000, true, 1, 1}, /* base not aligned */
        {{0xffff950000000000}, 1ull << 30, 0, true, 3, 3},
        {{0xffff960000000000}, 1ull << 30, 0, false, 2, 2},
        {{0xffff970000000000}, (1ull << 30) + (2ull << 20), 0, true, 3, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        virt_t end = virt_add(cases[i].start, cases[i].size);
        pt_map_kernel(cases[i].start, end, phys(cases[i].base), PTE_RW | PTE_XD, cases[i].huge);
        phys_t root = frame_phys(kernel_pagetable.root);
        struct walk_leaf first = walk_at(root, cases[i].start),
                         last = walk_at(root, virt_sub(end, 1));
        assert_int_equal(first.level, cases[i].first);
        assert_int_equal(last.level, cases[i].last);
        assert_int_equal(first.frame, cases[i].base);
        assert_int_equal(last.frame, cases[i].base + cases[i].size - PAGE_SIZE);
        assert_true(first.writable && !first.executable && !first.user);
        assert_false(walk_at(root, end).present);
    }
    before = ram_counts(); /* the kernel keeps its tables */
    before.of[FRAME_TABLE]--;
}

static void map_twice(void *ctx)
{
    (void)ctx;
    pt_map_kernel(virt(KERNEL_BASE), virt(KERNEL_BASE + PAGE_SIZE), phys(0x1000), PTE_G, false);
}

static void destroy_used(void *ctx)
{
    (void)ctx;
    pt_destroy(&pt);
}

static void misuse_is_a_check(void **state)
{
    (void)state;
    assert_fails(map_twice, NULL, "is mapped already");
    map(virt(0x1000), RW);
    assert_fails(destroy_used, NULL, "does not hold");
    unmap(virt(0), virt(USER_END));
}

struct seen {
    virt_t addresses[8];
    unsigned nr, stop_at;
};

static int see(void *ctx, virt_t address, pte_t *entry)
{
    struct seen *seen = ctx;
    assert_true(*entry != 0);
    seen->addresses[seen->nr++] = address;
    return seen->nr == seen->stop_at ? 7 : 0;
}

static void the_walk_visits_ascending_and_stops_when_told(void **state)
{
    (void)state;
    struct seen seen = {.stop_at = 0};
    for (unsigned i = 0; i < 4; i++)
        map(corners[3 + i], RW);
    assert_int_equal(pt_walk(&pt, corners[4], virt(USER_END), see, &seen), 0);
    assert_int_equal(seen.nr, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(seen.addresses[i].value, corners[4 + i].value);
    seen = (struct seen){.stop_at = 2};
    assert_int_equal(pt_walk(&pt, virt(0), virt(USER_END), see, &seen), 7);
    assert_int_equal(seen.nr, 2);
    unmap(virt(0), virt(USER_END));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_leaf_is_what_the_walk_finds),
        TEST(empty_tables_are_freed),
        TEST(ensure_changes_nothing_when_memory_is_short),
        TEST(protect_changes_exactly_the_range),
        TEST(copy_shares_frames_and_takes_writing_from_both),
        TEST(copying_nothing_makes_no_table),
        TEST(batches_become_one_flush),
        TEST(r15_every_page_table_has_the_kernel_half),
        TEST(kernel_mappings_use_the_largest_pages_that_fit),
        TEST(misuse_is_a_check),
        TEST(the_walk_visits_ascending_and_stops_when_told),
    };
    return cmocka_run_group_tests_name("pagetable", tests, NULL, NULL);
}
