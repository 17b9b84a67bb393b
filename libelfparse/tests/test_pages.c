/* Pages of other sizes than 4 KiB. */
#include "machines.h"

/* The image with its segments on pages of 64 KiB. */
static void make_wide(void)
{
    static const struct {
        uint32_t index;
        uint64_t vaddr;
    } moved[] = {{IMAGE_TEXT_X, 0x10480},  {IMAGE_RODATA, 0x20500}, {IMAGE_DATA, 0x30540},
                 {IMAGE_DYNAMIC, 0x30560}, {IMAGE_TLS, 0x30540},    {IMAGE_RELRO, 0x30540}};

    image_make(image);
    for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
        image_put(image, PH(moved[i].index, VADDR), moved[i].vaddr, 8);
    image_put(image, E_ENTRY, 0x10490, 8);
    image_put(image, PH(IMAGE_DATA, MEMSZ), 0x24000, 8);
}

static void check_range(uint32_t index, const struct elfparse_range *range)
{
    if (memcmp(&ranges[index], range, sizeof(*range)) != 0)
        fail_msg("range %u: %#llx, %#llx bytes, offset %#llx, %#llx of the file", index,
                 (unsigned long long)ranges[index].vaddr, (unsigned long long)ranges[index].size,
                 (unsigned long long)ranges[index].offset,
                 (unsigned long long)ranges[index].file_bytes);
}

static void ranges_have_pages_of_the_size_that_the_policy_names(void **state)
{
    static const struct elfparse_range wide[] = {
        {0, 0x10000, 0, IMAGE_SIZE, 4, IMAGE_TEXT_R, ELFPARSE_RANGE_FILE},
        {0x10000, 0x10000, 0, IMAGE_SIZE, 5, IMAGE_TEXT_X, ELFPARSE_RANGE_FILE},
        {0x20000, 0x10000, 0, IMAGE_SIZE, 4, IMAGE_RODATA, ELFPARSE_RANGE_FILE},
        {0x30000, 0x10000, 0, IMAGE_SIZE, 6, IMAGE_DATA, ELFPARSE_RANGE_SPLIT},
        {0x40000, 0x20000, 0, 0, 6, IMAGE_DATA, ELFPARSE_RANGE_ZERO},
    };

    make_wide();
    for (uint32_t page = 4096; page <= 65536; page *= 4) {
        for (size_t form = 0; form < ELFPARSE_MACHINE_COUNT; form++) {
            struct elfparse_policy policy = policy_of(machines[form].bit);

            policy.page_size = page;
            policy.user_min = page;
            policy.user_end = UINT64_C(1) << 40;
            assert_int_equal(judge(&machines[form].form, &policy, ELFPARSE_SCRATCH_USUAL), 0);
            assert_int_equal(plan.align, page);
            assert_int_equal(plan.range_count, 5);
            for (uint32_t i = 0; i < 5; i++) {
                struct elfparse_range range = wide[i];

                if (i < 4)
                    range.size = page;
                else
                    range.vaddr = 0x30000 + page;
                range.size = i < 4 ? page : (0x54540 + page - 1) / page * page - range.vaddr;
                check_range(i, &range);
            }
        }
    }
}

/* The image, and zeros behind it. */
static int read_sparse(void *ctx, uint64_t offset, void *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = offset + i < IMAGE_SIZE ? image[offset + i] : 0;
    return 0;
}

/* Whole pages of the file, that of the split, and zeros. */
static void a_segment_of_many_pages_has_three_ranges(void **state)
{
    static const struct elfparse_range parts[] = {
        {0x30000, 0x8000, 0, 0x8000, 6, IMAGE_DATA, ELFPARSE_RANGE_FILE},
        {0x38000, 0x4000, 0x8000, 0x540, 6, IMAGE_DATA, ELFPARSE_RANGE_SPLIT},
        {0x3c000, 0x8000, 0, 0, 6, IMAGE_DATA, ELFPARSE_RANGE_ZERO},
    };
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_X86_64);
    uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
    struct elfparse_reader reader = {read_sparse, NULL, 0x9000};

    make_wide();
    image_put(image, PH(IMAGE_DATA, FILESZ), 0x8000, 8);
    image_put(image, PH(IMAGE_DATA, MEMSZ), 0x10000, 8);
    policy.page_size = 16384;
    policy.user_min = 16384;
    policy.user_end = UINT64_C(1) << 40;
    assert_int_equal(elfparse_plan_make(&reader, &policy, &storage, &plan, &error), 0);
    assert_int_equal(plan.range_count, 6);
    for (uint32_t i = 0; i < 3; i++)
        check_range(3 + i, &parts[i]);
    storage.range_capacity = 3;
    assert_int_equal(elfparse_plan_make(&reader, &policy, &storage, &plan, &error),
                     ELFPARSE_ERANGES);
    assert_int_equal(error.expected, 6);
}

static void a_page_size_that_there_is_not_is_refused(void **state)
{
    static const uint32_t sizes[] = {0, 1, 4095, 8192, 32768, 131072};
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_X86_64);

    make_wide();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        policy.page_size = sizes[i];
        assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_EARGUMENT);
        assert_int_equal(error.found, sizes[i]);
    }
    policy.page_size = 65536; /* 4096 is not the start of a page then */
    assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_EARGUMENT);
    policy.user_min = 65536;
    policy.user_end = 0x7ffffffff000;
    assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_EARGUMENT);
    policy.user_end = 0x7ffffff00000;
    assert_int_equal(judge(&machines[0].form, &policy, 4096), 0);
}

/* What a smaller page separates a larger one brings together, or cannot map at all. */
static void segments_are_judged_by_the_page_size(void **state)
{
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_X86_64);

    image_make(image);
    policy.page_size = 16384;
    policy.user_min = 16384;
    policy.user_end = UINT64_C(1) << 40;
    assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_ECONGRUENT);
    make_wide();
    image_put(image, PH(IMAGE_TEXT_X, VADDR), 0x4480, 8);
    image_put(image, E_ENTRY, 0x4490, 8);
    assert_int_equal(judge(&machines[0].form, &policy, 4096), 0);
    policy.page_size = 65536;
    policy.user_min = 65536;
    assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_ECONGRUENT);
    image_put(image, PH(IMAGE_TEXT_X, OFFSET), 0x4480, 8);
    assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_EOFFSET);
    image_put(image, PH(IMAGE_TEXT_X, FILESZ), 0, 8);
    assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_ESHAREDPAGE);
    assert_int_equal(error.expected, 0x10000);
    assert_int_equal(error.found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_have_pages_of_the_size_that_the_policy_names),
        cmocka_unit_test(a_segment_of_many_pages_has_three_ranges),
        cmocka_unit_test(a_page_size_that_there_is_not_is_refused),
        cmocka_unit_test(segments_are_judged_by_the_page_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
