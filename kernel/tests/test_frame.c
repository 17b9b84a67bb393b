/* The frame allocator: buddies, orders, counts, adoption, exhaustion. */
#include "test.h"

#include <sanitizer/asan_interface.h>

#include "host/ram.h"

#define FRAMES 2048

static struct frame_range all = {0, FRAMES *PAGE_SIZE};

static void start(const struct frame_range *reserved, size_t nr)
{
    ram_arena(FRAMES);
    assert_true(frame_init(&all, 1, reserved, nr, all.end));
    frame_check();
}

static unsigned rng(unsigned below)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

static void counts_add_up(void)
{
    size_t sum = 0;
    for (unsigned kind = 1; kind < FRAME_KINDS; kind++)
        sum += frame_count((enum frame_kind)kind);
    assert_int_equal(sum, frame_total());
    frame_check();
}

static void every_order_is_aligned_and_counted(void **state)
{
    (void)state;
    start(NULL, 0);
    for (unsigned order = 0; order <= 9; order++) {
        size_t before = frame_count(FRAME_FREE);
        struct frame *frame = frame_alloc_block(FRAME_STACK, order);
        assert_non_null(frame);
        assert_int_equal(frame_phys(frame).value % (PAGE_SIZE << order), 0);
        assert_int_equal(frame_count(FRAME_STACK), (size_t)1 << order);
        assert_int_equal(frame_count(FRAME_FREE), before - ((size_t)1 << order));
        counts_add_up();
        frame_put(frame);
        assert_int_equal(frame_count(FRAME_FREE), before);
        assert_int_equal(frame_count(FRAME_STACK), 0);
        counts_add_up();
    }
}

static void freed_frames_are_wiped_if_that_is_asked_for(void **state)
{
    (void)state;
    start(NULL, 0);
    for (unsigned order = 0; order <= 5; order++) {
        for (unsigned wipe = 0; wipe < 2; wipe++) {
            size_t size = PAGE_SIZE << order, left = 0;
            struct frame *frame = frame_alloc_block(FRAME_ANON, order);
            uint8_t *bytes = frame_ptr(frame);
            memset(bytes, 0xa5, size);
            frame_wipe_freed(wipe);
            frame_put(frame);
            frame_wipe_freed(false);
            __asan_unpoison_memory_region(bytes, size);
            for (size_t i = 0; i < size; i++)
                left += bytes[i] == 0xa5;
            assert_int_equal(left, wipe ? 0 : size);
            counts_add_up();
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct frame *const *p = a, *const *q = b;
    return *p < *q ? -1 : *p > *q;
}

/* Takes all blocks of an order; all frames of the last ones are distinct. */
static size_t exhaust(struct frame **out, unsigned order)
{
    size_t n = 0;
    while ((out[n] = frame_alloc_block(FRAME_ANON, order)))
        n++;
    return n;
}

static void freed_frames_merge_again(void **state)
{
    (void)state;
    static struct frame *blocks[FRAMES], *frames[FRAMES];
    start(NULL, 0);
    size_t whole = exhaust(blocks, 8);
    assert_true(whole >= 6);
    for (size_t i = 0; i < whole; i++)
        frame_put(blocks[i]);
    size_t singles = exhaust(frames, 0);
    assert_int_equal(frame_count(FRAME_FREE), 0);
    qsort(frames, singles, sizeof(frames[0]), compare);
    for (size_t i = 1; i < singles; i++)
        assert_true(frames[i - 1] < frames[i]);
    for (size_t i = singles; i > 1; i--) { /* in random order */
        size_t j = rng((unsigned)i);
        struct frame *swap = frames[i - 1];
        frames[i - 1] = frames[j];
        frames[j] = swap;
    }
    for (size_t i = 0; i < singles; i++) {
        frame_put(frames[i]);
        if (i % 128 == 0)
            counts_add_up();
    }
    assert_int_equal(exhaust(blocks, 8), whole);
    counts_add_up();
}

static void random_blocks_never_overlap(void **state)
{
    (void)state;
    static struct frame *live[256];
    static uint8_t owner[FRAMES]; /* the owner of the frame, 0: none */
    start(NULL, 0);
    size_t free_before = frame_count(FRAME_FREE);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned slot = rng(255) + 1;
        if (live[slot]) {
            size_t first = (size_t)(live[slot] - frame_records), n = 1u << live[slot]->order;
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(owner[first + i], slot);
                owner[first + i] = 0;
            }
            frame_put(live[slot]);
            live[slot] = NULL;
            continue;
        }
        unsigned order = rng(8) == 0 ? rng(6) : 0;
        struct frame *frame =
            order ? frame_alloc_block(FRAME_SLAB, order) : frame_alloc(FRAME_ANON);
        if (!frame)
            continue;
        assert_int_equal(frame->refs, 1);
        assert_int_equal(frame->order, order);
        size_t first = (size_t)(frame - frame_records);
        for (size_t i = 0; i < (size_t)1 << order; i++) {
            assert_int_equal(owner[first + i], 0);
            owner[first + i] = (uint8_t)slot;
        }
        live[slot] = frame;
        if (round % 512 == 0)
            counts_add_up();
    }
    for (unsigned slot = 0; slot < 256; slot++)
        if (live[slot])
            frame_put(live[slot]);
    assert_int_equal(frame_count(FRAME_FREE), free_before);
    counts_add_up();
}

static void reserved_and_adopted_ranges(void **state)
{
    (void)state;
    static struct frame *frames[FRAMES];
    const struct frame_range reserved[] = {
        {0x10000, 0x14000}, /* adopted as boot module */
        {0x20800, 0x21801}, /* unaligned: touches 0x20000 and 0x21000 */
        {0x30000, 0x30000}, /* empty */
        {0x40000, 0x40001}, /* never adopted */
    };
    start(reserved, 4);
    frame_adopt(reserved[0], FRAME_BOOT);
    frame_adopt(reserved[1], FRAME_BOOT);
    assert_int_equal(frame_count(FRAME_BOOT), 6);
    counts_add_up();
    size_t n = exhaust(frames, 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t at = frame_phys(frames[i]).value;
        assert_true(at != 0);
        for (unsigned r = 0; r < 4; r++)
            assert_false(at + PAGE_SIZE > reserved[r].start && at < reserved[r].end);
    }
    for (uint64_t at = reserved[0].start; at < reserved[0].end; at += PAGE_SIZE)
        frame_put(frame_of(phys(at)));
    assert_int_equal(frame_count(FRAME_BOOT), 2);
    assert_int_equal(frame_count(FRAME_FREE), 4);
    assert_non_null(frame_alloc_block(FRAME_ANON, 0));
    counts_add_up();
}

static void no_hole_for_the_records_is_an_answer(void **state)
{
    (void)state;
    const struct frame_range most = {PAGE_SIZE, all.end - PAGE_SIZE};
    ram_arena(FRAMES);
    assert_false(frame_init(&all, 1, &most, 1, all.end));
    assert_false(frame_init(&all, 1, NULL, 0, PAGE_SIZE));
    const struct frame_range tiny = {0, 2 * PAGE_SIZE};
    assert_true(frame_init(&tiny, 1, NULL, 0, tiny.end));
    assert_null(frame_alloc(FRAME_ANON));
    const struct frame_range odd[] = {{1, PAGE_SIZE + 1}, {PAGE_SIZE * 2 - 1, PAGE_SIZE * 8 + 5}};
    assert_true(frame_init(odd, 2, NULL, 0, all.end));
    assert_int_equal(frame_count(FRAME_FREE), 5); /* 2..7 less one for the records */
}

static void references_keep_a_block(void **state)
{
    (void)state;
    start(NULL, 0);
    size_t before = frame_count(FRAME_FREE);
    struct frame *frame = frame_alloc_block(FRAME_ANON, 2);
    frame_get(frame);
    frame_put(frame);
    assert_int_equal(frame_count(FRAME_ANON), 4);
    frame_put(frame);
    assert_int_equal(frame_count(FRAME_FREE), before);
}

static void put(void *frame)
{
    frame_put(frame);
}

static void a_double_put_is_a_check(void **state)
{
    (void)state;
    start(NULL, 0);
    struct frame *frame = frame_alloc(FRAME_ANON);
    frame_put(frame);
    assert_fails(put, frame, "does not hold");
    struct frame *block = frame_alloc_block(FRAME_ANON, 3);
    frame_put(block);
    assert_fails(put, block, "does not hold");
    assert_fails(put, &frame_records[0], "does not hold");
}

static void corrupt(void *frame)
{
    ((struct frame *)frame)->kind = FRAME_STACK;
    frame_check();
}

static void frame_check_sees_a_wrong_record(void **state)
{
    (void)state;
    start(NULL, 0);
    assert_fails(corrupt, frame_alloc(FRAME_ANON), "does not hold");
}

static void free_frames_are_poisoned(void **state)
{
    (void)state;
    ram_start(RAM_SPARSE, FRAMES);
    for (unsigned order = 0; order <= 3; order++) {
        struct frame *frame = frame_alloc_block(FRAME_ANON, order);
        uint8_t *at = frame_ptr(frame);
        assert_null(__asan_region_is_poisoned(at, PAGE_SIZE << order));
        if (order == 0 || order == 3)
            assert_true(__asan_address_is_poisoned(at + (PAGE_SIZE << order)));
        frame_put(frame);
        assert_true(__asan_address_is_poisoned(at));
    }
    frame_check();
}

static unsigned shortages;

static void count_shortage(void)
{
    shortages++;
}

static void the_floor_is_kept_free(void **state)
{
    (void)state;
    start(NULL, 0);
    size_t reserve = frame_reserve(), taken = 0;
    struct frame *last = NULL;
    assert_true(reserve >= frame_total() / 128 && reserve < frame_total() / 16);
    shortages = 0;
    frame_on_shortage = count_shortage;
    frame_floor = reserve;
    for (struct frame *frame; (frame = frame_alloc(FRAME_ANON)); taken++)
        last = frame;
    assert_int_equal(frame_count(FRAME_FREE), reserve);
    assert_int_equal(shortages, 1);
    assert_null(frame_alloc_block(FRAME_SLAB, 1));
    assert_int_equal(shortages, 2);
    frame_put(last);
    assert_null(frame_alloc_block(FRAME_SLAB, 1)); /* one is above the floor, two are not */
    last = frame_alloc(FRAME_ANON);
    assert_non_null(last);
    frame_floor = 0;
    assert_non_null(frame_alloc(FRAME_TABLE));
    frame_on_shortage = NULL;
    counts_add_up();
}

static void file_pages_are_charged_until_they_are_freed(void **state)
{
    (void)state;
    struct payer payer = {0, 0};
    start(NULL, 0);
    struct frame *charged = frame_alloc(FRAME_FILE), *free_of_charge = frame_alloc(FRAME_FILE);
    frame_charge(charged, &payer);
    assert_int_equal(payer.pages, 1);
    frame_get(charged);
    frame_put(charged);
    frame_put(free_of_charge);
    assert_int_equal(payer.pages, 1);
    frame_put(charged);
    assert_int_equal(payer.pages, 0);
    struct frame *again = frame_alloc(FRAME_FILE); /* the same one, which has no payer now */
    assert_ptr_equal(again, charged);
    frame_put(again);
    assert_int_equal(payer.pages, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_is_aligned_and_counted),
        cmocka_unit_test(freed_frames_are_wiped_if_that_is_asked_for),
        cmocka_unit_test(freed_frames_merge_again),
        cmocka_unit_test(random_blocks_never_overlap),
        cmocka_unit_test(reserved_and_adopted_ranges),
        cmocka_unit_test(no_hole_for_the_records_is_an_answer),
        cmocka_unit_test(references_keep_a_block),
        cmocka_unit_test(a_double_put_is_a_check),
        cmocka_unit_test(frame_check_sees_a_wrong_record),
        cmocka_unit_test(free_frames_are_poisoned),
        cmocka_unit_test(the_floor_is_kept_free),
        cmocka_unit_test(file_pages_are_charged_until_they_are_freed),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
