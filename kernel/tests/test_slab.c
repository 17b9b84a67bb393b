/* Kernel objects: every size, alignment, reuse, return of frames, double free. */
#include "test.h"

#include <sanitizer/asan_interface.h>

#include "host/ram.h"
#include "mm/slab.h"

/* Counts without the empty slabs that are kept. */
static size_t slab_frames(void)
{
    slab_trim();
    return frame_count(FRAME_SLAB);
}

static int setup(void **state)
{
    (void)state;
    ram_start(RAM_LINEAR, 4096);
    return 0;
}

static void every_size_is_given_aligned_and_returned(void **state)
{
    (void)state;
    size_t before = slab_frames();
    for (size_t size = 1; size <= 2200; size++) {
        uint8_t *a = slab_alloc(size), *b = slab_alloc(size);
        assert_non_null(a);
        assert_non_null(b);
        assert_true(a + size <= b || b + size <= a);
        assert_int_equal((uintptr_t)a % 16, 0);
        if (size % 64 == 0)
            assert_int_equal((uintptr_t)a % 64, 0);
        memset(a, 1, size);
        memset(b, 2, size);
        assert_int_equal(a[size - 1], 1);
        slab_free(a);
        slab_free(b);
        assert_int_equal(slab_frames(), before);
    }
}

static void large_sizes_are_whole_blocks(void **state)
{
    (void)state;
    static const struct {
        size_t size, frames;
    } cases[] = {
        {2048, 1}, {2049, 1}, {4095, 1},   {4096, 1},   {4097, 2},
        {8192, 2}, {8193, 4}, {65536, 16}, {65537, 32}, {SLAB_LIMIT / 4, 256},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t before = slab_frames();
        void *object = slab_alloc(cases[i].size);
        assert_non_null(object);
        assert_int_equal(frame_count(FRAME_SLAB) - before, cases[i].frames);
        slab_free(object);
        assert_int_equal(slab_frames(), before);
    }
    assert_null(slab_alloc(SLAB_LIMIT + 1));
    assert_null(slab_alloc(SIZE_MAX));
    void *largest = slab_alloc(SLAB_LIMIT);
    assert_non_null(largest);
    slab_free(largest);
}

static void freed_objects_are_used_again(void **state)
{
    (void)state;
    void *keep = slab_alloc(48), *object = slab_alloc(48);
    slab_free(object);
    assert_ptr_equal(slab_alloc(48), object);
    slab_free(object);
    slab_free(keep);
    slab_free(NULL);
}

/* Making a slab for each of many single objects would cost more than the objects. */
static void one_empty_slab_of_a_size_is_kept(void **state)
{
    (void)state;
    size_t before = slab_frames();
    void *objects[3];
    for (unsigned i = 0; i < 3; i++)
        objects[i] = slab_alloc(2048); /* two of them fill a slab */
    assert_int_equal(frame_count(FRAME_SLAB), before + 2);
    for (unsigned i = 0; i < 3; i++)
        slab_free(objects[i]);
    assert_int_equal(frame_count(FRAME_SLAB), before + 1);
    slab_free(slab_alloc(2048));
    assert_int_equal(frame_count(FRAME_SLAB), before + 1);
    void *object = slab_alloc(2048);
    slab_trim();
    assert_int_equal(frame_count(FRAME_SLAB), before + 1);
    slab_free(object);
    slab_trim();
    assert_int_equal(frame_count(FRAME_SLAB), before);
}

static void zeroed_objects_are_zero(void **state)
{
    (void)state;
    static const uint8_t zeros[4096];
    for (size_t size = 16; size <= 4096; size *= 2) {
        uint8_t *object = slab_alloc(size);
        memset(object, 0xff, size);
        slab_free(object);
        object = slab_alloc_zeroed(size);
        assert_memory_equal(object, zeros, size);
        slab_free(object);
    }
}

static void random_objects_keep_their_bytes(void **state)
{
    (void)state;
    static struct {
        uint8_t *at;
        size_t size;
    } live[1000];
    size_t before = slab_frames();
    uint64_t rng = 3;
    for (unsigned round = 0; round < 50000; round++) {
        rng = rng * 6364136223846793005ull + 1442695040888963407ull;
        unsigned slot = (unsigned)(rng >> 33) % 1000;
        uint8_t byte = (uint8_t)slot;
        if (live[slot].at) {
            assert_int_equal(live[slot].at[0], byte);
            assert_int_equal(live[slot].at[live[slot].size - 1], byte);
            slab_free(live[slot].at);
            live[slot].at = NULL;
            continue;
        }
        live[slot].size = 1 + (rng >> 20) % 1000;
        live[slot].at = slab_alloc(live[slot].size);
        assert_non_null(live[slot].at);
        memset(live[slot].at, byte, live[slot].size);
    }
    for (unsigned slot = 0; slot < 1000; slot++)
        slab_free(live[slot].at);
    assert_int_equal(slab_frames(), before);
    frame_check();
}

static void no_memory_gives_null(void **state)
{
    (void)state;
    alloc_fail_at(1, true);
    assert_null(slab_alloc(16));
    assert_null(slab_alloc_zeroed(16));
    assert_null(slab_alloc(5000));
    alloc_fail_at(2, false); /* the slab's frame */
    assert_null(slab_alloc(1344));
    alloc_fail_at(0, false);
}

static void free_twice(void *object)
{
    slab_free(object);
    slab_free(object);
}

static void a_double_free_is_a_check(void **state)
{
    (void)state;
    assert_fails(free_twice, slab_alloc(64), "not in use");
    alloc_track(false); /* and the allocator's own checks, also while the slab has other objects */
    void *other = slab_alloc(64);
    assert_fails(free_twice, slab_alloc(64), "freed twice");
    slab_free(other);
    assert_fails(free_twice, slab_alloc(2048), "does not hold");
    assert_fails(free_twice, slab_alloc(5000), "does not hold");
    struct frame *frame = frame_alloc(FRAME_ANON);
    assert_fails(free_twice, frame_ptr(frame), "does not hold");
    alloc_track(true);
}

static void write_and_alloc(void *object)
{
    slab_free(object);
    ((uint64_t *)object)[1] = 0;
    (void)slab_alloc(64);
}

static void a_write_to_a_freed_object_is_a_check(void **state)
{
    (void)state;
    alloc_track(false);
    void *other = slab_alloc(64);
    assert_fails(write_and_alloc, slab_alloc(64), "written to after it was freed");
    (void)other;
    alloc_track(true);
}

static size_t bytes_left(const uint8_t *freed, size_t from, size_t size)
{
    size_t left = 0;
    for (size_t i = from; i < size; i++)
        left += freed[i] == 0xa5;
    return left;
}

/* Of an object that was full when it was freed. A second one of its size keeps its slab. */
static size_t bytes_left_of(size_t size)
{
    void *kept = slab_alloc(size);
    uint8_t *object = slab_alloc(size);
    memset(object, 0xa5, size);
    slab_free(object);
    __asan_unpoison_memory_region(object, size);
    size_t left = bytes_left(object, size > SLAB_SMALL_MAX ? 0 : 16, size);
    slab_free(kept);
    return left;
}

static void freed_objects_are_wiped_if_that_is_asked_for(void **state)
{
    static const size_t sizes[] = {17, 32, 100, 449, 2048, 2049, 4096, 20000};
    (void)state;
    alloc_track(false);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        slab_wipe_freed(true);
        frame_wipe_freed(true);
        assert_int_equal(bytes_left_of(sizes[i]), 0);
        slab_wipe_freed(false);
        frame_wipe_freed(false);
        assert_true(bytes_left_of(sizes[i]) > 0);
    }
    slab_wipe_freed(true);
    void *other = slab_alloc(64);
    assert_fails(free_twice, slab_alloc(64), "freed twice");
    slab_wipe_freed(false);
    (void)other;
    alloc_track(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_size_is_given_aligned_and_returned, setup),
        cmocka_unit_test_setup(large_sizes_are_whole_blocks, setup),
        cmocka_unit_test_setup(freed_objects_are_used_again, setup),
        cmocka_unit_test_setup(one_empty_slab_of_a_size_is_kept, setup),
        cmocka_unit_test_setup(zeroed_objects_are_zero, setup),
        cmocka_unit_test_setup(random_objects_keep_their_bytes, setup),
        cmocka_unit_test_setup(no_memory_gives_null, setup),
        cmocka_unit_test_setup(a_double_free_is_a_check, setup),
        cmocka_unit_test_setup(a_write_to_a_freed_object_is_a_check, setup),
        cmocka_unit_test_setup(freed_objects_are_wiped_if_that_is_asked_for, setup),
    };
    return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
