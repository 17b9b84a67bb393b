/* Operations that can be long. Their cost depends on the present pages, not on the span, and they
 * can be done in chunks. A span here has up to 2^35 pages: a loop over them would exceed the time
 * limit. */
#include "test.h"

#include "host/cpu.h"
#include "host/files.h"
#include "host/ram.h"
#include "lib/errno.h"
#include "mm/aspace_internal.h"
#include "tests/aspace_fixture.h"

#define BASE 0x10000000ull
#define HUGE ((uint64_t)0x400000000000) /* 64 TiB: two of them fit */

static int map_huge(virt_t start)
{
    const struct aspace_mapping m = {start, HUGE - 2 * BASE, RW, VMA_NORESERVE, NULL, 0};
    return aspace_map(as, &m, false);
}

/* Addresses far apart: each has its own tables. */
static const virt_t places[] = {{BASE},
                                {BASE + 511 * PAGE_SIZE},
                                {0x8000000000},
                                {0x20000000000 - PAGE_SIZE},
                                {HUGE - BASE - PAGE_SIZE}};
#define PLACES (sizeof(places) / sizeof(places[0]))

static void touch(void)
{
    for (size_t i = 0; i < PLACES; i++)
        write_word(places[i], i + 1);
}

static void huge_spans_cost_what_is_there(void **state)
{
    (void)state;
    virt_t to = virt(BASE + HUGE), end = virt(HUGE - BASE);
    assert_int_equal(map_huge(virt(BASE)), 0);
    touch();
    assert_int_equal(
        aspace_remap(as, virt(BASE), end.value - BASE, end.value - BASE, REMAP_FIXED, &to), 0);
    assert_int_equal(aspace_fault(as, virt(BASE), ACCESS_READ), -EFAULT);
    for (size_t i = 0; i < PLACES; i++)
        assert_int_equal(read_word(virt_add(to, places[i].value - BASE)), i + 1);
    tlb_check();
    assert_int_equal(aspace_protect(as, to, end.value - BASE, PROT_READ), 0);
    assert_int_equal(aspace_check_mapped(as, to, end.value - BASE), 0);
    assert_int_equal(aspace_check_mapped(as, to, end.value - BASE + PAGE_SIZE), -ENOMEM);
    assert_int_equal(aspace_discard(as, virt(0), USER_END), -ENOMEM);
    assert_int_equal(frame_count(FRAME_ANON), 0);
    assert_int_equal(as->pt.tables, 1);
    assert_int_equal(aspace_protect(as, to, end.value - BASE, 0), 0);
    assert_int_equal(aspace_populate(as, virt(0), USER_END), 0); /* nothing is allowed there */
    assert_int_equal(aspace_unmap(as, virt(0), USER_END), 0);
    assert_int_equal(as->areas.count, 0);
}

/* Another page of a file with a hole is freed; the file is mapped privately, over 2^30 pages. */
static void punching_a_huge_hole_costs_what_is_there(void **state)
{
    (void)state;
    struct umvfs_file file = make_file(4);
    const struct aspace_mapping m = {virt(BASE),    (uint64_t)1 << 42, RW,
                                     VMA_NORESERVE, file.inode,        0};
    assert_int_equal(aspace_map(as, &m, false), 0);
    write_word(virt(BASE), 7); /* a copy */
    assert_true(read_word(virt(BASE + PAGE_SIZE)) != 0);
    aspace_file_pages_gone(file.inode, 0, ((uint64_t)1 << 30) - 1);
    struct aspace_usage usage;
    aspace_usage(as, &usage);
    assert_int_equal(usage.anon, 1);
    assert_int_equal(usage.file, 0);
    assert_int_equal(read_word(virt(BASE)), 7);
    assert_int_equal(aspace_unmap(as, virt(BASE), m.size), 0);
    close_file(&file);
}

static int count_leaf(void *ctx, virt_t address, pte_t *entry)
{
    (void)address, (void)entry;
    ++*(size_t *)ctx;
    return 0;
}

static size_t leaves(const struct aspace *space, virt_t start, virt_t end)
{
    size_t count = 0;
    pt_walk(&space->pt, start, end, count_leaf, &count);
    return count;
}

/* `tables` times the pages of a table, densely, in one area. */
static void make_dense(unsigned tables)
{
    assert_int_equal(map(virt(BASE), tables * PT_ENTRIES, RW, 0), 0);
    assert_int_equal(aspace_populate(as, virt(BASE), tables * PT_ENTRIES * PAGE_SIZE), 0);
}

static void a_chunk_has_what_the_budget_pays_for(void **state)
{
    (void)state;
    make_dense(4);
    const virt_t end = virt(BASE + 4 * PT_ENTRIES * PAGE_SIZE);
    const size_t table = PT_ENTRIES + PT_TABLE_COST;
    const struct {
        size_t budget;
        unsigned tables;
    } cases[] = {{1, 1}, {table, 1}, {table + 1, 2}, {4 * table, 4}, {SIZE_MAX, 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        virt_t stop = aspace_chunk_end(as, virt(BASE), end, cases[i].budget);
        assert_int_equal(stop.value, BASE + cases[i].tables * PT_ENTRIES * PAGE_SIZE);
    }
    assert_int_equal(aspace_chunk_end(as, virt(0), virt(USER_END), SIZE_MAX).value, USER_END);
    assert_int_equal(aspace_chunk_end(as, end, virt(USER_END), 1).value, USER_END);
}

static void areas_use_up_a_budget(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(map(virt(BASE + i * 2 * PAGE_SIZE), 1, PROT_READ, 0), 0);
    unsigned chunks = 0;
    for (virt_t at = virt(0), stop; at.value < USER_END; at = stop, chunks++) {
        stop = aspace_chunk_end(as, at, virt(USER_END), 10 * ASPACE_AREA_COST);
        assert_true(stop.value > at.value);
        assert_int_equal(aspace_unmap(as, at, virt_distance(at, stop)), 0);
        vma_check(&as->areas);
    }
    assert_int_equal(chunks, 10);
    assert_int_equal(as->areas.count, 0);
}

/* In chunks, as callers do it. After each chunk the space is consistent, and the rest is mapped. */
static void unmapping_in_chunks(void **state)
{
    (void)state;
    make_dense(4);
    const virt_t start = virt(BASE + 3 * PAGE_SIZE),
                 end = virt(BASE + (4 * PT_ENTRIES - 3) * PAGE_SIZE);
    unsigned chunks = 0;
    for (virt_t at = start, stop; at.value < end.value; at = stop, chunks++) {
        size_t was = leaves(as, virt(0), virt(USER_END));
        stop = aspace_chunk_end(as, at, end, PT_ENTRIES);
        assert_int_equal(aspace_unmap(as, at, virt_distance(at, stop)), 0);
        vma_check(&as->areas);
        tlb_check();
        assert_true(was - leaves(as, virt(0), virt(USER_END)) <= PT_ENTRIES);
        assert_int_equal(leaves(as, stop, virt(USER_END)),
                         4 * PT_ENTRIES - (stop.value - BASE) / PAGE_SIZE);
        assert_int_equal(as->total, leaves(as, virt(0), virt(USER_END)) * PAGE_SIZE);
    }
    assert_int_equal(chunks, 4);
    assert_int_equal(leaves(as, virt(0), virt(USER_END)), 6);
    assert_int_equal(as->areas.count, 2);
}

/* Only the first chunk may need an allocation, an area for the rest below. */
static void only_the_first_chunk_of_unmapping_can_fail(void **state)
{
    (void)state;
    make_dense(2);
    const virt_t start = virt(BASE + PAGE_SIZE), middle = virt(BASE + PT_ENTRIES * PAGE_SIZE);
    const virt_t end = virt_add(middle, 9 * PAGE_SIZE);
    alloc_fail_at(1, true);
    assert_int_equal(aspace_unmap(as, start, virt_distance(start, middle)), -ENOMEM);
    alloc_fail_at(0, false);
    assert_int_equal(leaves(as, virt(0), virt(USER_END)), 2 * PT_ENTRIES);
    assert_int_equal(aspace_unmap(as, start, virt_distance(start, middle)), 0);
    alloc_fail_at(1, true);
    assert_int_equal(aspace_unmap(as, middle, virt_distance(middle, end)), 0);
    assert_int_equal(aspace_unmap(as, virt(BASE), PAGE_SIZE), 0);
    assert_int_equal(aspace_unmap(as, virt_add(end, PAGE_SIZE), PT_ENTRIES * PAGE_SIZE), 0);
    assert_int_equal(alloc_failed(), 0);
    alloc_fail_at(0, false);
    assert_int_equal(leaves(as, virt(0), virt(USER_END)), 1);
    assert_int_equal(as->total, PAGE_SIZE);
    vma_check(&as->areas);
}

static void a_growing_area_that_loses_its_lower_part_grows_no_more(void **state)
{
    (void)state;
    assert_int_equal(map(virt(BASE), 4, RW, VMA_GROWSDOWN), 0);
    assert_int_equal(as->data, 0);
    assert_int_equal(aspace_unmap(as, virt(BASE), PAGE_SIZE), 0);
    assert_int_equal(aspace_fault(as, virt(BASE), ACCESS_WRITE), -EFAULT);
    assert_int_equal(as->data, 3 * PAGE_SIZE);
    assert_int_equal(aspace_unmap(as, virt(BASE + 3 * PAGE_SIZE), PAGE_SIZE), 0);
    assert_int_equal(as->data, 2 * PAGE_SIZE);
}

static void freeing_in_chunks(void **state)
{
    (void)state;
    make_dense(4);
    assert_int_equal(map(virt(HUGE), 1, RW, 0), 0);
    write_word(virt(HUGE), 1);
    cpu_switch(NULL);
    unsigned chunks = 1;
    for (size_t was = frame_count(FRAME_ANON); aspace_free_some(as, PT_ENTRIES); chunks++) {
        assert_true(was - frame_count(FRAME_ANON) <= PT_ENTRIES);
        was = frame_count(FRAME_ANON);
    }
    assert_int_equal(chunks, 5);
    assert_int_equal(frame_count(FRAME_ANON), 0);
    assert_int_equal(aspace_create(&as), 0);
}

/* A file loses pages while a space that maps it is half freed. */
static void a_half_freed_space_follows_its_file(void **state)
{
    (void)state;
    struct umvfs_file file = make_file(96);
    struct aspace *other;
    assert_int_equal(aspace_create(&other), 0);
    cpu_switch(other);
    for (unsigned i = 0; i < 3; i++) {
        const struct aspace_mapping m = {virt(BASE + i * (PT_ENTRIES * PAGE_SIZE)),
                                         96 * PAGE_SIZE,
                                         PROT_READ,
                                         VMA_SHARED,
                                         file.inode,
                                         0};
        assert_int_equal(aspace_map(other, &m, false), 0);
        assert_int_equal(aspace_populate(other, m.start, m.size), 0);
    }
    cpu_switch(as);
    assert_true(aspace_free_some(other, 1));
    aspace_file_pages_gone(file.inode, 10, UINT64_MAX);
    assert_int_equal(leaves(other, virt(0), virt(USER_END)), 2 * 10);
    while (aspace_free_some(other, 1))
        aspace_file_pages_gone(file.inode, 5, UINT64_MAX);
    close_file(&file);
}

static void cloning_in_chunks(void **state)
{
    (void)state;
    make_dense(3);
    assert_int_equal(map(virt(HUGE), 2, RW, 0), 0);
    write_word(virt(BASE + 600 * PAGE_SIZE), 5);
    write_word(virt(HUGE), 6);
    struct aspace *child;
    unsigned chunks = 0;
    assert_int_equal(aspace_clone_begin(as, &child), 0);
    for (virt_t at = virt(0); at.value < USER_END; chunks++) {
        size_t was = leaves(child, virt(0), virt(USER_END));
        assert_int_equal(aspace_clone_some(as, child, &at, PT_ENTRIES), 0);
        assert_true(leaves(child, virt(0), virt(USER_END)) - was <= PT_ENTRIES + 1);
        vma_check(&child->areas);
        tlb_check();
    }
    assert_true(chunks >= 3);
    assert_int_equal(child->areas.count, 2);
    assert_int_equal(child->total, as->total);
    write_word(virt(BASE + 600 * PAGE_SIZE), 7);
    cpu_switch(child);
    assert_int_equal(read_word(virt(BASE + 600 * PAGE_SIZE)), 5);
    assert_int_equal(read_word(virt(HUGE)), 6);
    write_word(virt(HUGE), 8);
    cpu_switch(as);
    assert_int_equal(read_word(virt(HUGE)), 6);
    aspace_put(child);
}

static void cloning_in_chunks_may_fail_at_every_allocation(void **state)
{
    (void)state;
    make_dense(2);
    assert_int_equal(map(virt(HUGE), 2, RW, 0), 0);
    write_word(virt(HUGE), 6);
    bool failed = true;
    uint64_t n = 1;
    for (; failed; n++) {
        struct ram_counts was = ram_counts();
        struct aspace *child = NULL;
        alloc_fail_at(n, false);
        int error = aspace_clone_begin(as, &child);
        for (virt_t at = virt(0); at.value < USER_END && !error;)
            error = aspace_clone_some(as, child, &at, 1);
        failed = alloc_failed() > 0;
        alloc_fail_at(0, false);
        assert_int_equal(error, failed ? -ENOMEM : 0);
        if (child)
            aspace_put(child);
        struct ram_counts now = ram_counts();
        char text[128];
        assert_string_equal(ram_difference(&was, &now, text, sizeof(text)), "");
        write_word(virt(BASE), n);
        tlb_check();
    }
    assert_true(n > 10);
}

/* Between two chunks another process, which may look at the memory, makes the area grow that the next chunk begins
 * with. */
static void an_area_that_grows_meanwhile_is_cloned(void **state)
{
    (void)state;
    const virt_t below = virt(HUGE - PAGE_SIZE);
    uint64_t word = 8;
    struct aspace *child;
    assert_int_equal(map(virt(BASE), 1, RW, 0), 0);
    assert_int_equal(map(virt(HUGE), 2, RW, VMA_GROWSDOWN), 0);
    write_word(virt(BASE), 6);
    write_word(virt(HUGE), 7);
    virt_t at = virt(0);
    assert_int_equal(aspace_clone_begin(as, &child), 0);
    assert_int_equal(aspace_clone_some(as, child, &at, ASPACE_AREA_COST), 0);
    assert_int_equal(at.value, HUGE);
    assert_int_equal(aspace_write(as, below, &word, sizeof(word)), 0);
    while (at.value < USER_END)
        assert_int_equal(aspace_clone_some(as, child, &at, 1), 0);
    vma_check(&child->areas);
    assert_int_equal(child->areas.count, 2);
    assert_int_equal(child->total, as->total);
    cpu_switch(child);
    assert_int_equal(read_word(virt(HUGE)), 7);
    assert_int_equal(read_word(below), 8);
    cpu_switch(as);
    aspace_put(child);
}

/* ... or writes the first private page of a file, after the area was copied. */
static void an_area_that_gets_private_pages_meanwhile_is_cloned(void **state)
{
    (void)state;
    struct umvfs_file file = make_file(96);
    const virt_t start = virt(BASE - 48 * PAGE_SIZE), last = virt_add(start, 95 * PAGE_SIZE);
    uint64_t word = 8;
    struct aspace *child, *grandchild;
    assert_int_equal(map_file(start, 96, RW, 0, file.inode), 0);
    assert_true(read_word(start) != 0 && read_word(last) != 0);
    virt_t at = virt(0);
    assert_int_equal(aspace_clone_begin(as, &child), 0);
    assert_int_equal(aspace_clone_some(as, child, &at, 1), 0);
    assert_int_equal(at.value, BASE);
    assert_int_equal(aspace_write(as, last, &word, sizeof(word)), 0);
    while (at.value < USER_END)
        assert_int_equal(aspace_clone_some(as, child, &at, 1), 0);
    assert_int_equal(aspace_clone(child, &grandchild), 0);
    assert_int_equal(aspace_read(child, last, &word, sizeof(word)), 0);
    assert_int_equal(word, 8);
    assert_int_equal(aspace_read(grandchild, last, &word, sizeof(word)), 0);
    assert_int_equal(word, 8);
    aspace_put(grandchild);
    aspace_put(child);
    aspace_unmap(as, start, 96 * PAGE_SIZE);
    close_file(&file);
}

/* Between two chunks of a move another process looks at every page of both places. */
static void a_move_in_chunks_bears_who_looks_on(void **state)
{
    (void)state;
    const uint64_t pages = 3 * PT_ENTRIES, size = pages * PAGE_SIZE;
    const virt_t from = virt(BASE + PAGE_SIZE);
    virt_t to = virt(2 * BASE);
    struct aspace_move move;
    assert_int_equal(map(virt(BASE), pages + 2, RW, 0), 0);
    for (unsigned i = 0; i < 3; i += 2)
        write_word(virt_add(from, i * PT_ENTRIES * PAGE_SIZE), i + 1);
    assert_int_equal(aspace_move_begin(as, from, size, size, REMAP_FIXED, &to, &move), 0);
    while (aspace_move_some(as, &move, 1)) {
        if (move.stage < MOVE_PREPARE)
            continue;
        for (uint64_t i = 0; i + 3 < pages; i += 7) {
            uint64_t word = 9;
            assert_int_not_equal(
                aspace_write(as, virt_add(from, (i + 3) * PAGE_SIZE), &word, sizeof(word)), 0);
            assert_int_not_equal(
                aspace_write(as, virt_add(to, (i + 3) * PAGE_SIZE), &word, sizeof(word)), 0);
        }
        vma_check(&as->areas);
    }
    assert_int_equal(move.error, 0);
    assert_int_equal(as->areas.count, 3);
    assert_int_equal(as->data, size + 2 * PAGE_SIZE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(read_word(virt_add(to, i * PT_ENTRIES * PAGE_SIZE)), i == 1 ? 0 : i + 1);
}

/* ... or the file is cut, from one end to the other, in each stage of the move. */
static void a_move_in_chunks_bears_a_file_that_is_cut(void **state)
{
    (void)state;
    for (unsigned stage = MOVE_PREPARE; stage <= MOVE_UNMAP; stage++)
        for (unsigned shared = 0; shared < 2; shared++) {
            struct umvfs_file file = make_file(96);
            const virt_t from = virt(BASE - 48 * PAGE_SIZE);
            virt_t to = virt(2 * BASE - 40 * PAGE_SIZE);
            struct aspace_move move;
            assert_int_equal(map_file(from, 96, RW, shared ? VMA_SHARED : 0, file.inode), 0);
            for (unsigned i = 0; i < 96; i++)
                (void)read_word(virt_add(from, i * PAGE_SIZE));
            write_word(virt_add(from, 90 * PAGE_SIZE), 5);
            assert_int_equal(aspace_move_begin(as, from, 96 * PAGE_SIZE, 96 * PAGE_SIZE,
                                               REMAP_FIXED, &to, &move),
                             0);
            while (aspace_move_some(as, &move, 1))
                if (move.stage == stage)
                    aspace_file_pages_gone(file.inode, 2, 80);
            assert_int_equal(move.error, 0);
            assert_int_equal(read_word(virt_add(to, 90 * PAGE_SIZE)), 5);
            assert_true(read_word(virt_add(to, PAGE_SIZE)) != 0);
            assert_int_equal(as->areas.count, 1);
            assert_int_equal(aspace_unmap(as, to, 96 * PAGE_SIZE), 0);
            assert_int_equal(as->pt.tables, 1);
            close_file(&file);
        }
}

/* ... or a file beside the new place is cut, whose pages are the last in tables that the move will fill. */
static void a_move_in_chunks_bears_a_neighbour_that_is_cut(void **state)
{
    (void)state;
    for (unsigned stage = MOVE_PREPARE; stage <= MOVE_PAGES; stage++) {
        struct umvfs_file file = make_file(2);
        const virt_t from = virt(BASE - 48 * PAGE_SIZE);
        virt_t to = virt(2 * BASE - 40 * PAGE_SIZE);
        const virt_t before = virt_sub(to, PAGE_SIZE), after = virt_add(to, 96 * PAGE_SIZE);
        struct aspace_move move;
        assert_int_equal(map(from, 96, RW, 0), 0);
        assert_int_equal(map_file(before, 1, RW, VMA_SHARED, file.inode), 0);
        assert_int_equal(map_file(after, 1, RW, VMA_SHARED, file.inode), 0);
        for (unsigned i = 0; i < 96; i++)
            write_word(virt_add(from, i * PAGE_SIZE), i + 1);
        assert_true(read_word(before) != 0 && read_word(after) != 0);
        assert_int_equal(
            aspace_move_begin(as, from, 96 * PAGE_SIZE, 96 * PAGE_SIZE, REMAP_FIXED, &to, &move),
            0);
        while (aspace_move_some(as, &move, 1))
            if (move.stage == stage)
                aspace_file_pages_gone(file.inode, 0, UINT64_MAX);
        assert_int_equal(move.error, 0);
        for (unsigned i = 0; i < 96; i++)
            assert_int_equal(read_word(virt_add(to, i * PAGE_SIZE)), i + 1);
        assert_int_equal(aspace_unmap(as, before, 98 * PAGE_SIZE), 0);
        assert_int_equal(as->pt.tables, 1);
        close_file(&file);
    }
}

/* A process that is killed leaves a move in the middle. */
static void a_half_moved_area_can_be_freed(void **state)
{
    (void)state;
    for (unsigned stage = MOVE_MAP; stage <= MOVE_UNMAP; stage++) {
        struct umvfs_file file = make_file(96);
        const virt_t from = virt(BASE - 48 * PAGE_SIZE);
        virt_t to = virt(2 * BASE - 40 * PAGE_SIZE);
        struct aspace_move move;
        assert_int_equal(map_file(from, 96, RW, 0, file.inode), 0);
        write_word(virt_add(from, 90 * PAGE_SIZE), 5);
        (void)read_word(from);
        assert_int_equal(aspace_move_begin(as, virt_add(from, PAGE_SIZE), 94 * PAGE_SIZE,
                                           94 * PAGE_SIZE, REMAP_FIXED, &to, &move),
                         0);
        while (move.stage < stage)
            assert_true(aspace_move_some(as, &move, 1));
        aspace_file_pages_gone(file.inode, 0, UINT64_MAX);
        as->pt.keeps_tables = false; /* as aspace_free_some() does */
        assert_int_equal(aspace_unmap(as, virt(0), USER_END), 0);
        assert_int_equal(as->total, 0);
        assert_int_equal(as->data, 0);
        assert_int_equal(as->pt.tables, 1);
        close_file(&file);
    }
}

static void populating_in_chunks(void **state)
{
    (void)state;
    assert_int_equal(map(virt(BASE), 100, RW, 0), 0);
    assert_int_equal(map(virt(BASE + 100 * PAGE_SIZE), 50, 0, 0), 0);
    assert_int_equal(map(virt(BASE + 200 * PAGE_SIZE), 30, PROT_READ, 0), 0);
    virt_t at = virt(0);
    for (size_t pages = 40; at.value < USER_END; pages += 40) {
        assert_int_equal(aspace_populate_some(as, &at, virt(USER_END), 40), 0);
        assert_int_equal(leaves(as, virt(0), virt(USER_END)), pages < 130 ? pages : 130);
    }
    assert_int_equal(leaves(as, virt(0), virt(USER_END)), 130);
    at = virt(BASE); /* present pages count too */
    assert_int_equal(aspace_populate_some(as, &at, virt(USER_END), 7), 0);
    assert_int_equal(at.value, BASE + 7 * PAGE_SIZE);
    assert_int_equal(map(virt(BASE + 300 * PAGE_SIZE), 2, RW, 0), 0);
    alloc_fail_at(2, false);
    assert_int_equal(aspace_populate_some(as, &at, virt(USER_END), 1000), -ENOMEM);
    alloc_fail_at(0, false);
    assert_int_equal(at.value, BASE + 301 * PAGE_SIZE);
}

static void residence_of_pages(void **state)
{
    (void)state;
    struct umvfs_file file = make_file(4);
    uint8_t vec[16], wanted[16] = {0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0};
    assert_int_equal(map(virt(BASE), 4, RW, 0), 0);
    assert_int_equal(map(virt(BASE + 4 * PAGE_SIZE), 2, PROT_READ, 0), 0);
    assert_int_equal(map_file(virt(BASE + 6 * PAGE_SIZE), 6, RW, 0, file.inode), 0);
    assert_int_equal(map(virt(BASE + 12 * PAGE_SIZE), 4, RW, 0), 0);
    write_word(virt(BASE + PAGE_SIZE), 1);
    (void)read_word(virt(BASE + 3 * PAGE_SIZE));
    write_word(virt(BASE + 7 * PAGE_SIZE), 1);
    write_word(virt(BASE + 12 * PAGE_SIZE), 1);
    memset(vec, 0xa5, sizeof(vec));
    assert_int_equal(aspace_resident(as, virt(BASE), 16, vec), 16);
    assert_memory_equal(vec, wanted, sizeof(vec));
    assert_int_equal(aspace_resident(as, virt(BASE + 7 * PAGE_SIZE), 3, vec), 3);
    assert_memory_equal(vec, &wanted[7], 3);
    memset(vec, 0xa5, sizeof(vec));
    assert_int_equal(aspace_resident(as, virt(BASE + 15 * PAGE_SIZE), 2, vec), 1);
    assert_int_equal(vec[0], 0);
    assert_int_equal(aspace_resident(as, virt(BASE - PAGE_SIZE), 2, vec), 0);
    assert_int_equal(vec[1], 0xa5);
    aspace_unmap(as, virt(BASE), 16 * PAGE_SIZE);
    close_file(&file);
}

static void discarding_says_so_when_something_is_not_mapped(void **state)
{
    (void)state;
    assert_int_equal(map(virt(BASE), 1, RW, 0), 0);
    assert_int_equal(map(virt(BASE + 2 * PAGE_SIZE), 1, RW, 0), 0);
    write_word(virt(BASE + 2 * PAGE_SIZE), 1);
    assert_int_equal(aspace_discard(as, virt(BASE), 3 * PAGE_SIZE), -ENOMEM);
    assert_int_equal(leaves(as, virt(0), virt(USER_END)), 0);
    assert_int_equal(aspace_discard(as, virt(BASE), PAGE_SIZE), 0);
    assert_int_equal(aspace_discard(as, virt(0), PAGE_SIZE), -ENOMEM);
    assert_int_equal(aspace_discard(as, virt(USER_END), PAGE_SIZE), -ENOMEM);
    assert_int_equal(aspace_discard(as, virt(BASE), UINT64_MAX - BASE), -ENOMEM);
    assert_int_equal(map(virt(USER_END - PAGE_SIZE), 1, RW, 0), 0);
    assert_int_equal(aspace_discard(as, virt(USER_END - PAGE_SIZE), PAGE_SIZE), 0);
    assert_int_equal(aspace_discard(as, virt(USER_END - PAGE_SIZE), 2 * PAGE_SIZE), -ENOMEM);
}

static void low_places(void **state)
{
    (void)state;
    assert_int_equal(aspace_find_low_place(as, virt(0), PAGE_SIZE).value,
                     LOW_PLACE_END - PAGE_SIZE);
    assert_int_equal(aspace_find_low_place(as, virt(0x50000123), PAGE_SIZE).value, 0x50000000);
    assert_int_equal(aspace_find_low_place(as, virt(0x10000), PAGE_SIZE).value, 0x10000);
    assert_int_equal(
        aspace_find_low_place(as, virt(LOW_PLACE_END - PAGE_SIZE), 2 * PAGE_SIZE).value,
        LOW_PLACE_END - 2 * PAGE_SIZE);
    assert_int_equal(aspace_find_low_place(as, virt(HUGE), PAGE_SIZE).value,
                     LOW_PLACE_END - PAGE_SIZE);
    assert_int_equal(map(virt(LOW_PLACE_START + PAGE_SIZE), 0x3ffff, PROT_READ, 0), 0);
    assert_int_equal(aspace_find_low_place(as, virt(0x50000000), PAGE_SIZE).value, LOW_PLACE_START);
    assert_int_equal(map(virt(LOW_PLACE_START), 1, PROT_READ, 0), 0);
    assert_int_equal(aspace_find_low_place(as, virt(0), PAGE_SIZE).value, 0);
}

/* Random remapping, compared with an array of words. Every mapped page of the window has its own
 * word; a page that was not written reads as 0. */
#define WINDOW 700

static uint64_t word[WINDOW];
static bool mapped[WINDOW];

static uint64_t rng(uint64_t below)
{
    static uint64_t rng_state = 21;
    rng_state = rng_state * 6364136223846793005ull + 1442695040888963407ull;
    return (rng_state >> 33) % below;
}

static virt_t page_at(unsigned i)
{
    return virt(0x400000 - 100 * PAGE_SIZE + i * PAGE_SIZE); /* over the border of two tables */
}

/* In one piece, or in chunks: between two of them nobody gets at the new place. */
static int remap(virt_t from, uint64_t old, uint64_t new, virt_t to)
{
    struct aspace_move move;
    size_t budget = rng(2) ? ASPACE_WHOLE : 1 + rng(60);
    int error = aspace_move_begin(as, from, old, new, REMAP_FIXED, &to, &move);
    while (!error && aspace_move_some(as, &move, budget))
        if (move.stage > MOVE_PREPARE && move.stage < MOVE_DROP)
            assert_int_equal(aspace_fault(as, to, ACCESS_READ), -EACCES);
    return error ? error : move.error;
}

static void remap_at_random(void)
{
    unsigned from = (unsigned)rng(WINDOW), to = (unsigned)rng(WINDOW);
    unsigned old = 1 + (unsigned)rng(60), new = 1 + (unsigned)rng(60);
    if (from + old > WINDOW || to + new > WINDOW || (to < from + old && from < to + new))
        return;
    for (unsigned i = 0; i < old; i++)
        if (!mapped[from + i])
            return;
    alloc_fail_at(rng(3) ? 0 : 1 + rng(6), rng(2));
    int error = remap(page_at(from), old * PAGE_SIZE, new *PAGE_SIZE, page_at(to));
    bool starved = alloc_failed() > 0;
    alloc_fail_at(0, false);
    if (starved && error == -ENOMEM) {
        for (unsigned i = 0; i < new; i++) /* the old pages are removed, as on Linux */
            mapped[to + i] &=
                vma_find(&as->areas, page_at(to + i))->start.value <= page_at(to + i).value;
        return;
    }
    assert_int_equal(error, 0);
    uint64_t kept[60] = {0};
    for (unsigned i = 0; i < old; i++) {
        kept[i] = i < new ? word[from + i] : 0;
        mapped[from + i] = false;
    }
    for (unsigned i = 0; i < new; i++) {
        word[to + i] = kept[i];
        mapped[to + i] = true;
    }
}

static void fill_at_random(void)
{
    unsigned at = (unsigned)rng(WINDOW), pages = 1 + (unsigned)rng(80);
    if (at + pages > WINDOW)
        pages = WINDOW - at;
    const struct aspace_mapping m = {page_at(at), pages * PAGE_SIZE, RW, 0, NULL, 0};
    assert_int_equal(aspace_map(as, &m, true), 0);
    for (unsigned i = at; i < at + pages; i++) {
        word[i] = 0;
        mapped[i] = true;
        if (rng(2))
            write_word(page_at(i), word[i] = rng(1000) + 1);
    }
}

static void remapping_at_random_keeps_every_word(void **state)
{
    (void)state;
    assert_int_equal(map(virt(HUGE), 1, RW, 0), 0); /* so that there is an area above the window */
    for (unsigned round = 0; round < 3000; round++) {
        if (rng(8) == 0)
            fill_at_random();
        else
            remap_at_random();
        vma_check(&as->areas);
        if (round % 16 != 0)
            continue;
        tlb_check();
        for (unsigned i = 0; i < WINDOW; i++) {
            uint64_t value = 0;
            int error = aspace_read(as, page_at(i), &value, sizeof(value));
            assert_int_equal(error, mapped[i] ? 0 : -EFAULT);
            if (mapped[i])
                assert_int_equal(value, word[i]);
        }
    }
}

#define TEST_LARGE(name) cmocka_unit_test_setup_teardown(name, aspace_setup_large, aspace_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(huge_spans_cost_what_is_there),
        TEST(punching_a_huge_hole_costs_what_is_there),
        TEST_LARGE(a_chunk_has_what_the_budget_pays_for),
        TEST(areas_use_up_a_budget),
        TEST_LARGE(unmapping_in_chunks),
        TEST(only_the_first_chunk_of_unmapping_can_fail),
        TEST(a_growing_area_that_loses_its_lower_part_grows_no_more),
        TEST_LARGE(freeing_in_chunks),
        TEST(a_half_freed_space_follows_its_file),
        TEST_LARGE(cloning_in_chunks),
        TEST(cloning_in_chunks_may_fail_at_every_allocation),
        TEST(an_area_that_grows_meanwhile_is_cloned),
        TEST(an_area_that_gets_private_pages_meanwhile_is_cloned),
        TEST(a_move_in_chunks_bears_who_looks_on),
        TEST(a_move_in_chunks_bears_a_file_that_is_cut),
        TEST(a_move_in_chunks_bears_a_neighbour_that_is_cut),
        TEST(a_half_moved_area_can_be_freed),
        TEST(populating_in_chunks),
        TEST(residence_of_pages),
        TEST(discarding_says_so_when_something_is_not_mapped),
        TEST(low_places),
        TEST(remapping_at_random_keeps_every_word),
    };
    return cmocka_run_group_tests_name("aspace, long", tests, NULL, NULL);
}
