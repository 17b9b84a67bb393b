/* Address spaces: cases that the random operations of test_aspace_model.c reach seldom, limits, and
 * every allocation failing in turn. */
#include "test.h"

#include <umvfs/page.h>
#include <umvfs/tree.h>

#include "host/cpu.h"
#include "host/files.h"
#include "host/ram.h"
#include "host/walk.h"
#include "lib/errno.h"
#include "mm/aspace_internal.h"
#include "mm/usercopy.h"
#include "tests/aspace_fixture.h"

static void ranges_at_the_edges_of_user_memory(void **state)
{
    (void)state;
    static const struct {
        virt_t start;
        uint64_t size;
        int map, unmap, protect;
    } cases[] = {
        {{0}, PAGE_SIZE, -EINVAL, 0, -ENOMEM},
        {{0}, USER_END, -EINVAL, 0, -ENOMEM},
        {{0}, USER_END + PAGE_SIZE, -EINVAL, -EINVAL, -ENOMEM},
        {{USER_MIN}, PAGE_SIZE, 0, 0, -ENOMEM},
        {{USER_END - PAGE_SIZE}, PAGE_SIZE, 0, 0, -ENOMEM},
        {{USER_END - PAGE_SIZE}, 2 * PAGE_SIZE, -EINVAL, -EINVAL, -ENOMEM},
        {{USER_END}, PAGE_SIZE, -EINVAL, -EINVAL, -ENOMEM},
        {{USER_MIN}, USER_END - USER_MIN, 0, 0, -ENOMEM},
        {{USER_MIN}, USER_END - USER_MIN + PAGE_SIZE, -EINVAL, -EINVAL, -ENOMEM},
        {{0x10000}, 0, -EINVAL, -EINVAL, -ENOMEM},
        {{0x10000}, UINT64_MAX - 0xffff, -EINVAL, -EINVAL, -ENOMEM},
        {{0x10000}, UINT64_MAX & ~PAGE_MASK, -EINVAL, -EINVAL, -ENOMEM},
        {{DIRECT_MAP}, PAGE_SIZE, -EINVAL, -EINVAL, -ENOMEM},
        {{UINT64_MAX & ~PAGE_MASK}, PAGE_SIZE, -EINVAL, -EINVAL, -ENOMEM},
        {{0x10001}, PAGE_SIZE, -EINVAL, 0, -ENOMEM},
        {{0x10000}, PAGE_SIZE + 1, -EINVAL, 0, -ENOMEM},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct aspace_mapping m = {cases[i].start, cases[i].size, PROT_READ, 0, NULL, 0};
        assert_int_equal(aspace_protect(as, m.start, m.size, PROT_READ), cases[i].protect);
        int error = aspace_map(as, &m, false);
        if (error != cases[i].map)
            fail_msg("case %zu: map %d", i, error);
        if ((m.start.value | m.size) & PAGE_MASK)
            continue; /* callers of unmap align it */
        assert_int_equal(aspace_unmap(as, m.start, m.size), cases[i].unmap);
    }
    assert_int_equal(as->areas.count, 0);
}

static void the_kernel_half_is_out_of_reach(void **state)
{
    (void)state;
    static const virt_t places[] = {
        {USER_END},    {0x800000000000},       {DIRECT_MAP},    {DIRECT_MAP + 0x1000},
        {KERNEL_BASE}, {KERNEL_BASE + 0x1000}, {UINT64_MAX - 7}};
    uint64_t word = 0x4142434445464748;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_int_equal(aspace_write(as, places[i], &word, sizeof(word)), -EFAULT);
        assert_int_equal(aspace_read(as, places[i], &word, sizeof(word)), -EFAULT);
        assert_int_equal(aspace_fault(as, places[i], ACCESS_READ), -EFAULT);
        assert_int_equal(copy_to_user(user_ptr(places[i].value), &word, sizeof(word)), -EFAULT);
    }
    assert_int_equal(map(virt(USER_END - PAGE_SIZE), 1, RW, 0), 0);
    assert_int_equal(aspace_write(as, virt(USER_END - 4), &word, sizeof(word)), -EFAULT);
    assert_int_equal(aspace_write(as, virt(USER_END - 8), &word, sizeof(word)), 0);
}

static void limits_are_met_exactly(void **state)
{
    (void)state;
    as->limits =
        (struct aspace_limits){10 * PAGE_SIZE, 4 * PAGE_SIZE, 6 * PAGE_SIZE, UINT64_MAX, false};
    assert_int_equal(map(virt(0x10000), 5, RW, 0), -ENOMEM);
    assert_int_equal(map(virt(0x10000), 4, RW, 0), 0);
    assert_int_equal(map(virt(0x20000), 1, RW, 0), -ENOMEM);
    assert_int_equal(map(virt(0x20000), 7, PROT_READ, 0), -ENOMEM);
    assert_int_equal(map(virt(0x20000), 6, PROT_READ, 0), 0);
    assert_int_equal(map(virt(0x40000), 1, PROT_READ, 0), -ENOMEM);
    const struct aspace_mapping over = {virt(0x11000), 2 * PAGE_SIZE, RW, 0, NULL, 0};
    assert_int_equal(aspace_map(as, &over, true), 0); /* replaces as many bytes as it adds */
    assert_int_equal(aspace_protect(as, virt(0x20000), PAGE_SIZE, RW), -ENOMEM);
    assert_int_equal(aspace_protect(as, virt(0x10000), PAGE_SIZE, PROT_READ), 0);
    assert_int_equal(aspace_protect(as, virt(0x20000), PAGE_SIZE, RW), 0);
    assert_int_equal(aspace_protect(as, virt(0x20000), PAGE_SIZE, RW), 0); /* counts once */
    as->limits.total = UINT64_MAX;
    assert_int_equal(map(virt(0x7f0000000000), 1, RW, VMA_GROWSDOWN), 0);
    assert_int_equal(aspace_fault(as, virt(0x7f0000000000 - 6 * PAGE_SIZE), ACCESS_WRITE), -EFAULT);
    assert_int_equal(aspace_fault(as, virt(0x7f0000000000 - 5 * PAGE_SIZE), ACCESS_WRITE), 0);
}

static void the_gap_below_a_growing_area_is_kept(void **state)
{
    (void)state;
    const virt_t low = virt(0x10000000),
                 stack = virt_add(low, PAGE_SIZE + STACK_GUARD_GAP + PAGE_SIZE);
    assert_int_equal(map(low, 1, PROT_READ, 0), 0);
    assert_int_equal(map(stack, 1, RW, VMA_GROWSDOWN), 0);
    assert_int_equal(aspace_fault(as, virt_sub(stack, 1), ACCESS_WRITE), 0);
    assert_int_equal(aspace_fault(as, virt_sub(stack, PAGE_SIZE + 1), ACCESS_WRITE), -EFAULT);
    assert_int_equal(aspace_unmap(as, low, PAGE_SIZE), 0);
    assert_int_equal(aspace_fault(as, virt_sub(stack, PAGE_SIZE + 1), ACCESS_EXEC), -EACCES);
    assert_int_equal(as->total, 2 * PAGE_SIZE); /* it did not grow for that */
    assert_int_equal(aspace_fault(as, virt_sub(stack, PAGE_SIZE + 1), ACCESS_READ), 0);
}

static void number_of_areas_is_limited(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < VMA_COUNT_MAX - 1; i++)
        assert_int_equal(map(virt(0x10000 + i * 2 * PAGE_SIZE), 1, PROT_READ, 0), 0);
    virt_t last = virt(0x10000 + (VMA_COUNT_MAX - 1) * 2 * PAGE_SIZE),
           next = virt_add(last, 4 * PAGE_SIZE);
    assert_int_equal(map(last, 3, PROT_READ, 0), 0);
    assert_int_equal(as->areas.count, VMA_COUNT_MAX);
    assert_int_equal(map(next, 1, PROT_READ, 0), -ENOMEM);
    assert_int_equal(aspace_unmap(as, virt_add(last, PAGE_SIZE), PAGE_SIZE),
                     -ENOMEM); /* makes two of one */
    assert_int_equal(aspace_protect(as, last, PAGE_SIZE, RW), -ENOMEM);
    assert_int_equal(aspace_unmap(as, virt_add(last, 2 * PAGE_SIZE), PAGE_SIZE), 0);
    assert_int_equal(aspace_unmap(as, last, PAGE_SIZE), 0);
    assert_int_equal(map(virt(0x11000), 1, PROT_READ, 0), 0); /* joins two others */
    assert_int_equal(as->areas.count, VMA_COUNT_MAX - 1);
    vma_check(&as->areas);
}

static void a_copy_is_made_once_and_only_where_written(void **state)
{
    (void)state;
    struct aspace *child;
    assert_int_equal(map(virt(0x10000), 3, RW, 0), 0);
    write_word(virt(0x10000), 1);
    write_word(virt(0x11000), 2);
    assert_int_equal(read_word(virt(0x12000)), 0);
    assert_int_equal(aspace_clone(as, &child), 0);
    assert_int_equal(frame_count(FRAME_ANON), 2);
    write_word(virt(0x10000), 3); /* case 8 */
    assert_int_equal(frame_count(FRAME_ANON), 3);
    cpu_switch(child);
    assert_int_equal(read_word(virt(0x10000)), 1);
    write_word(virt(0x10000), 4); /* case 9: the last reference */
    assert_int_equal(frame_count(FRAME_ANON), 3);
    cpu_switch(as);
    assert_int_equal(read_word(virt(0x10000)), 3);
    aspace_put(child);
    assert_int_equal(frame_count(FRAME_ANON), 2);
    write_word(virt(0x11000), 5);
    assert_int_equal(frame_count(FRAME_ANON), 2);
    struct aspace_usage usage;
    aspace_usage(as, &usage);
    assert_int_equal(usage.anon, 2);
    assert_int_equal(usage.zero, 1);
    assert_int_equal(usage.tables, 4);
}

static void inaccessible_pages_keep_their_contents(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_int_equal(map(virt(0x10000), 1, RW, 0), 0);
    write_word(virt(0x10008), 77);
    assert_int_equal(aspace_protect(as, virt(0x10000), PAGE_SIZE, 0), 0);
    assert_int_equal(cpu_access(virt(0x10008), ACCESS_READ, &value), -EACCES);
    assert_int_equal(aspace_read(as, virt(0x10008), &value, 8), -EACCES);
    assert_int_equal(aspace_protect(as, virt(0x10000), PAGE_SIZE, PROT_READ), 0);
    assert_int_equal(read_word(virt(0x10008)), 77);
    assert_int_equal(cpu_access(virt(0x10008), ACCESS_WRITE, &value), -EACCES);
}

static void write_and_execute_never_together(void **state)
{
    (void)state;
    assert_int_equal(map(virt(0x10000), 1, PROT_ALL, 0), -EACCES);
    assert_int_equal(map(virt(0x10000), 1, PROT_WRITE | PROT_EXEC, 0), -EACCES);
    assert_int_equal(map(virt(0x10000), 1, RW, 0), 0);
    write_word(virt(0x10000), 1);
    assert_int_equal(aspace_protect(as, virt(0x10000), PAGE_SIZE, PROT_ALL), -EACCES);
    assert_int_equal(aspace_protect(as, virt(0x10000), PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
    struct walk_leaf leaf = walk_at(frame_phys(as->pt.root), virt(0x10000));
    assert_true(leaf.executable && !leaf.writable);
}

static void remapping_moves_pages(void **state)
{
    (void)state;
    virt_t to = virt(0);
    assert_int_equal(map(virt(0x100000), 4, RW, 0), 0);
    for (unsigned page = 0; page < 4; page++)
        write_word(virt(0x100000 + page * PAGE_SIZE), page + 1);
    assert_int_equal(map(virt(0x104000), 1, PROT_READ, 0), 0);
    assert_int_equal(aspace_remap(as, virt(0x100000), 0x4000, 0x8000, REMAP_STAY, &to), -ENOMEM);
    assert_int_equal(aspace_remap(as, virt(0x100000), 0x4000, 0x8000, REMAP_MOVE, &to), 0);
    for (unsigned page = 0; page < 8; page++)
        assert_int_equal(read_word(virt_add(to, page * PAGE_SIZE)), page < 4 ? page + 1 : 0);
    assert_int_equal(aspace_fault(as, virt(0x100000), ACCESS_READ), -EFAULT);
    virt_t fixed = virt(0x8000000000 - PAGE_SIZE);
    assert_int_equal(aspace_remap(as, to, 0x8000, 0x3000, REMAP_FIXED, &fixed), 0);
    assert_int_equal(read_word(virt_add(fixed, 0x2000)), 3);
    assert_int_equal(aspace_fault(as, virt_add(fixed, 0x3000), ACCESS_READ), -EFAULT);
    tlb_check();
    vma_check(&as->areas);
}

/* Everything that must be the same after an operation that failed. */
struct snapshot {
    struct ram_counts counts;
    size_t objects, areas, tables;
    uint64_t total, data;
};

static struct snapshot snapshot(void)
{
    return (struct snapshot){ram_counts(),  alloc_objects(), as->areas.count,
                             as->pt.tables, as->total,       as->data};
}

static void assert_same(const struct snapshot *was, const char *name, uint64_t n)
{
    struct snapshot now = snapshot();
    char text[128] = "";
    ram_difference(&was->counts, &now.counts, text, sizeof(text));
    if (*text || was->objects != now.objects || was->areas != now.areas ||
        was->tables != now.tables || was->total != now.total || was->data != now.data)
        fail_msg("%s, allocation %lu: %s; objects %zu %zu, areas %zu %zu, total %#lx %#lx", name, n,
                 text, was->objects, now.objects, was->areas, now.areas, was->total, now.total);
}

static struct umvfs_file failing_file;

static int do_map(void)
{
    return map(virt(0x40000000), 4, RW, 0);
}

static int do_map_over(void)
{
    const struct aspace_mapping m = {virt(0x11000), PAGE_SIZE, PROT_READ, 0, NULL, 0};
    return aspace_map(as, &m, true);
}

static int do_map_file(void)
{
    return map_file(virt(0x40000000), 4, PROT_READ, 0, failing_file.inode);
}

static int do_unmap(void)
{
    return aspace_unmap(as, virt(0x11000), PAGE_SIZE);
}

static int do_protect(void)
{
    return aspace_protect(as, virt(0x11000), PAGE_SIZE, PROT_READ);
}

static int do_fault(void)
{
    return aspace_fault(as, virt(0x600000000000), ACCESS_WRITE);
}

static int do_read_fault(void)
{
    return aspace_fault(as, virt(0x600000000000), ACCESS_READ);
}

static int do_file_fault(void)
{
    return aspace_fault(as, virt(0x500000000000), ACCESS_READ);
}

static int do_file_copy(void)
{
    return aspace_fault(as, virt(0x500000000000), ACCESS_WRITE);
}

static int do_grow(void)
{
    return aspace_fault(as, virt(0x7f0000000000 - 3 * PAGE_SIZE), ACCESS_WRITE);
}

static int do_brk(void)
{
    virt_t end = virt_add(as->brk, 0x5000);
    return aspace_brk(as, end).value == end.value ? 0 : -ENOMEM;
}

static int do_clone(void)
{
    struct aspace *child;
    int error = aspace_clone(as, &child);
    if (!error)
        aspace_put(child);
    return error;
}

static int do_remap(void)
{
    virt_t to = virt(0x300000000000);
    return aspace_remap(as, virt(0x10000), 0x4000, 0x4000, REMAP_FIXED, &to);
}

static int do_remap_part(void)
{
    virt_t to = virt(0x300000000000);
    return aspace_remap(as, virt(0x11000), 0x1000, 0x3000, REMAP_FIXED, &to);
}

static int do_remap_below(void)
{
    virt_t to = virt(0xe000); /* joins the area it comes from */
    return aspace_remap(as, virt(0x11000), 0x1000, 0x2000, REMAP_FIXED, &to);
}

static void prepare(void)
{
    uint64_t word = 1;
    assert_int_equal(aspace_create(&as), 0);
    cpu_switch(as);
    as->brk_start = as->brk = virt(0x20000000);
    failing_file = make_file(4);
    assert_int_equal(map(virt(0x10000), 4, RW, 0), 0);
    assert_int_equal(map(virt(0x600000000000), 4, RW, 0), 0);
    assert_int_equal(map(virt(0x7f0000000000), 1, RW, VMA_GROWSDOWN), 0);
    assert_int_equal(map_file(virt(0x500000000000), 4, RW, 0, failing_file.inode), 0);
    for (unsigned page = 0; page < 4; page++)
        assert_int_equal(cpu_access(virt(0x10000 + page * PAGE_SIZE), ACCESS_WRITE, &word), 0);
}

static void undo(void)
{
    cpu_switch(NULL);
    aspace_put(as);
    close_file(&failing_file);
}

static void every_allocation_failing_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*run)(void);
    } cases[] = {
        {"map", do_map},
        {"map over", do_map_over},
        {"map a file", do_map_file},
        {"unmap", do_unmap},
        {"protect", do_protect},
        {"fault", do_fault},
        {"read", do_read_fault},
        {"file fault", do_file_fault},
        {"file copy", do_file_copy},
        {"grow", do_grow},
        {"brk", do_brk},
        {"clone", do_clone},
        {"remap", do_remap},
        {"remap a part", do_remap_part},
        {"remap beside itself", do_remap_below},
    };
    cpu_switch(NULL);
    aspace_put(as);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned after = 0; after < 2; after++) {
            bool failed = true;
            for (uint64_t n = 1; failed; n++) {
                prepare();
                struct snapshot was = snapshot();
                alloc_fail_at(n, after);
                int error = cases[i].run();
                failed = alloc_failed() > 0;
                alloc_fail_at(0, false);
                if (error) {
                    assert_int_equal(error, -ENOMEM);
                    assert_true(failed);
                    assert_same(&was, cases[i].name, n);
                }
                vma_check(&as->areas);
                tlb_check();
                undo();
            }
        }
    }
    assert_int_equal(aspace_create(&as), 0);
}

static void put(void *space)
{
    aspace_put(space);
}

static void freeing_the_space_in_use_is_a_check(void **state)
{
    (void)state;
    assert_fails(put, as, "in use is freed");
    as->refs = REF_ONE;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ranges_at_the_edges_of_user_memory),
        TEST(the_kernel_half_is_out_of_reach),
        TEST(limits_are_met_exactly),
        TEST(the_gap_below_a_growing_area_is_kept),
        cmocka_unit_test_setup_teardown(number_of_areas_is_limited, aspace_setup_large,
                                        aspace_teardown),
        TEST(a_copy_is_made_once_and_only_where_written),
        TEST(inaccessible_pages_keep_their_contents),
        TEST(write_and_execute_never_together),
        TEST(remapping_moves_pages),
        TEST(every_allocation_failing_changes_nothing),
        TEST(freeing_the_space_in_use_is_a_check),
    };
    return cmocka_run_group_tests_name("aspace", tests, NULL, NULL);
}
