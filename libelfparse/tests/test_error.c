/* Sentences and the collecting of all violations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"

static void format(const struct elfparse_error *error, const char *expected)
{
    char text[ELFPARSE_ERROR_MAX];

    assert_int_equal(elfparse_error_format(error, text, sizeof(text)), strlen(expected));
    assert_string_equal(text, expected);
}

static void sentences_name_rule_place_and_values(void **state)
{
    const struct elfparse_error shared = {
        ELFPARSE_ESHAREDPAGE, ELFPARSE_RULE_L7, 3, 2, 0xf8, 0x402000, 0x401000};
    const struct elfparse_error wx = {ELFPARSE_EWX, ELFPARSE_RULE_L8, 1, NONE, 0x7c, 0, 7};
    const struct elfparse_error zero = {ELFPARSE_EZEROPERM, ELFPARSE_RULE_L10, 1, NONE, 4, 6, 4};
    const struct elfparse_error reader = {ELFPARSE_EREAD, 0, NONE, NONE, 5, 0, (uint64_t)-5};
    const struct elfparse_error narrow = {ELFPARSE_ECLASS, ELFPARSE_RULE_E2, NONE, NONE, 4, 1, 2};

    format(&shared, "L7: segments 2 and 3 share the page 0x401000 but differ in permissions, file "
                    "page or zero tail: start segment 3 at 0x402000 or above (file offset 0xf8)");
    format(&wx,
           "L8: segment 1 is RWX, writable and executable: split it in two (file offset 0x7c)");
    format(&zero, "L10: segment 1 is R-- but goes on with zeros after its file bytes, which needs "
                  "RW- (file offset 0x4)");
    format(&narrow, "E2: not a 32-bit ELF file: EI_CLASS is 2, not 1 (file offset 0x4)");
    format(&reader, "the reader failed with -5");
}

/* What depends on the values, and what no program header is to blame for. */
static void sentences_say_which_side_of_a_limit(void **state)
{
    const struct elfparse_error low = {ELFPARSE_ERANGE, ELFPARSE_RULE_L9, NONE, NONE, 0, 0x1000, 0};
    const struct elfparse_error high = {ELFPARSE_ERANGE, ELFPARSE_RULE_L9, 2, NONE, 0xc0, 8, 9};
    const struct elfparse_error at = {ELFPARSE_ERANGE, ELFPARSE_RULE_L13, 2, NONE, 0xc0, 8, 8};
    const struct elfparse_error few = {ELFPARSE_EINTERPSIZE, ELFPARSE_RULE_O2, 1, NONE, 0, 2, 1};
    const struct elfparse_error many = {ELFPARSE_EINTERPSIZE, ELFPARSE_RULE_O2, 1, NONE, 0, 8, 9};
    const struct elfparse_error section = {ELFPARSE_EBOUNDS, 0, NONE, NONE, 0x40, 0x600, 0x610};
    const struct elfparse_error header = {ELFPARSE_EBOUNDS, ELFPARSE_RULE_O2, 4, NONE, 8, 8, 9};

    format(&low, "L9: address 0x0 is below 0x1000, the limit of what a program may map "
                 "(file offset 0x0)");
    format(&high,
           "L9: program header 2: address 0x9 is beyond 0x8, the limit of what a program may "
           "map (file offset 0xc0)");
    format(&at, "L13: program header 2: address 0x8 is not below 0x8, the limit of what a program "
                "may map (file offset 0xc0)");
    format(&few, "O2: PT_INTERP (header 1): the path takes 1 bytes, allowed are at least 2 "
                 "(file offset 0x0)");
    format(&many, "O2: PT_INTERP (header 1): the path takes 9 bytes, allowed are at most 8 "
                  "(file offset 0x0)");
    format(&section, "the contents end at 0x610, but the file ends at 0x600");
    format(&header, "O2: program header 4: the contents end at 0x9, but the file ends at 0x8 "
                    "(file offset 0x8)");
}

/* An expected address of 0 stands for none. */
static void sentences_do_not_say_that_0_is_an_address(void **state)
{
    const struct elfparse_error after = {ELFPARSE_ERELRO, ELFPARSE_RULE_O7, 3, NONE, 8, 64, 72};
    const struct elfparse_error none = {ELFPARSE_ERELRO, ELFPARSE_RULE_O7, 3, NONE, 8, 0, 72};

    const struct elfparse_error moved = {ELFPARSE_EPHDR, ELFPARSE_RULE_O3, 0, NONE, 0x50, 64, 72};
    const struct elfparse_error nowhere = {ELFPARSE_EPHDR, ELFPARSE_RULE_O3, 0, NONE, 0x50, 0, 0};

    format(&after, "O7: PT_GNU_RELRO (header 3): address 0x48 is not in a writable segment, whose "
                   "pages end at 0x40 (file offset 0x8)");
    format(&none,
           "O7: PT_GNU_RELRO (header 3): address 0x48 is not in a writable segment, and none "
           "begins before it (file offset 0x8)");
    format(&moved, "O3: PT_PHDR (header 0): p_vaddr is 0x48, but the program headers are loaded at "
                   "0x40 (file offset 0x50)");
    format(&nowhere, "O3: PT_PHDR (header 0): p_vaddr is 0x0, but no segment loads the program "
                     "headers (file offset 0x50)");
}

static void unknown_codes_and_rules_are_said_to_be(void **state)
{
    const struct elfparse_error unknown = {-999, 99, NONE, NONE, 0x10, 0, 0};

    format(&unknown, "unknown error (file offset 0x10)");
    assert_string_equal(elfparse_rule_name(ELFPARSE_RULE_COUNT), "-");
    assert_string_equal(elfparse_rule_text(ELFPARSE_RULE_COUNT), "");
    assert_string_equal(elfparse_rule_name(ELFPARSE_RULE_O10), "O10");
    assert_string_equal(elfparse_rule_text(ELFPARSE_RULE_E3), "EI_VERSION and e_version are 1");
}

/* Every code has a sentence, and no value makes one longer than promised. */
static void every_code_has_a_sentence_that_fits(void **state)
{
    char text[1000], shortest[32];
    int known = 0;

    for (int32_t code = -110; code <= 0; code++) {
        struct elfparse_error e = {code,       ELFPARSE_RULE_O10, UINT32_MAX,    UINT32_MAX,
                                   UINT64_MAX, UINT64_MAX / 2,    UINT64_MAX / 2};
        size_t length = elfparse_error_format(&e, text, sizeof(text));

        assert_true(length < ELFPARSE_ERROR_MAX);
        assert_null(strchr(text, '%'));
        known += strstr(text, "unknown error") == NULL;
        assert_int_equal(elfparse_error_format(&e, shortest, sizeof(shortest)),
                         sizeof(shortest) - 1);
        assert_memory_equal(text, shortest, sizeof(shortest) - 1);
    }
    assert_int_equal(known, 78);
}

static void short_buffers_are_not_overrun(void **state)
{
    const struct elfparse_error wx = {ELFPARSE_EWX, ELFPARSE_RULE_L8, 1, NONE, 0x7c, 0, 7};
    char text[4] = "abc";

    assert_int_equal(elfparse_error_format(&wx, text, 0), 0);
    assert_string_equal(text, "abc");
    assert_int_equal(elfparse_error_format(&wx, text, 1), 0);
    assert_string_equal(text, "");
    assert_int_equal(elfparse_error_format(&wx, text, 3), 2);
    assert_string_equal(text, "L8");
}

struct collected {
    uint32_t count;
    uint32_t stop_after;
    struct elfparse_error errors[32];
};

static int collect(void *ctx, const struct elfparse_error *error)
{
    struct collected *all = ctx;

    assert_true(all->count < 32);
    all->errors[all->count++] = *error;
    return all->count == all->stop_after;
}

static int diagnose(const uint8_t *image, size_t size, const struct elfparse_policy *policy,
                    struct collected *all)
{
    static uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
    static struct elfparse_range ranges[16];
    static const struct elfparse_plan cleared;
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, 16};
    struct elfparse_reader reader = elfparse_reader_memory(image, size);
    struct elfparse_plan plan;
    int code = elfparse_plan_diagnose(&reader, policy, &storage, &plan, collect, all);

    if (code != 0)
        assert_memory_equal(&plan, &cleared, sizeof(plan));
    else
        assert_int_equal(plan.entry, IMAGE_ENTRY);
    return code;
}

static const struct patch many[] = {
    {E_FLAGS, 4, 1},                    /* E6 */
    {E_EHSIZE, 2, 63},                  /* E7 */
    {PH(IMAGE_INTERP, FILESZ), 8, 1},   /* O2 */
    {PH(IMAGE_TEXT_X, FLAGS), 4, 7},    /* L8 */
    {PH(IMAGE_RODATA, ALIGN), 8, 3},    /* L5 */
    {PH(IMAGE_RODATA, MEMSZ), 8, 0x20}, /* L2 */
    {PH(IMAGE_STACK, FLAGS), 4, 7},     /* O6 */
};

static void all_violations_are_found_in_one_go(void **state)
{
    static const int32_t codes[] = {ELFPARSE_EEHSIZE,     ELFPARSE_EFLAGS, ELFPARSE_EWX,
                                    ELFPARSE_EFILESZ,     ELFPARSE_EALIGN, ELFPARSE_EENTRY,
                                    ELFPARSE_EINTERPSIZE, ELFPARSE_ESTACK};
    struct collected all = {0, 0, {{0}}};
    struct elfparse_policy policy = elfparse_policy_kernel;
    uint8_t image[IMAGE_MAX];

    policy.refuse |= ELFPARSE_TRAIT_EFLAGS;
    image_make(image);
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
        image_put(image, many[i].offset, many[i].value, many[i].bytes);
    assert_int_equal(diagnose(image, IMAGE_SIZE, &policy, &all), ELFPARSE_EEHSIZE);
    assert_int_equal(all.count, sizeof(codes) / sizeof(codes[0]));
    for (uint32_t i = 0; i < all.count; i++)
        assert_int_equal(all.errors[i].code, codes[i]);
}

static void the_collector_may_stop_anywhere(void **state)
{
    struct elfparse_policy policy = elfparse_policy_kernel;
    uint8_t image[IMAGE_MAX];

    policy.refuse |= ELFPARSE_TRAIT_EFLAGS;
    image_make(image);
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
        image_put(image, many[i].offset, many[i].value, many[i].bytes);
    for (uint32_t n = 1; n <= 8; n++) {
        struct collected all = {0, n, {{0}}};

        assert_int_equal(diagnose(image, IMAGE_SIZE, &policy, &all), ELFPARSE_EEHSIZE);
        assert_int_equal(all.count, n);
    }
}

/* Collecting finds for each case what the loader's call found first, and no file is judged twice.
 */
static void check_same_first(const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct elfparse_policy policy = case_policy(&cases[i]);
        struct collected all = {0, 0, {{0}}};
        uint8_t image[IMAGE_MAX];
        size_t size = case_make(&cases[i], image);
        uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
        struct elfparse_range ranges[16];
        struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, 16};
        struct elfparse_reader reader = elfparse_reader_memory(image, size);
        struct elfparse_plan plan, again;

        assert_int_equal(elfparse_plan_diagnose(&reader, &policy, &storage, &plan, collect, &all),
                         cases[i].expect.code);
        if (all.count != 0 && all.errors[0].offset != cases[i].expect.offset)
            fail_msg("%s: first found at %#llx", cases[i].name,
                     (unsigned long long)all.errors[0].offset);
        elfparse_plan_make(&reader, &policy, &storage, &again, NULL);
        assert_memory_equal(&plan, &again, sizeof(plan));
    }
}

static void diagnosis_agrees_with_the_loader(void **state)
{
    check_same_first(ehdr_cases, ehdr_case_count);
    check_same_first(load_cases, load_case_count);
    check_same_first(other_cases, other_case_count);
}

static int read_inside(void *ctx, uint64_t offset, void *buf, size_t len)
{
    assert_true(len <= IMAGE_SIZE && offset <= IMAGE_SIZE - len);
    memcpy(buf, (const uint8_t *)ctx + offset, len);
    return 0;
}

/* The first header is a PT_LOAD that was refused, and PT_DYNAMIC would lie in it. */
static void nothing_lies_in_a_segment_that_was_refused(void **state)
{
    static const int32_t codes[] = {ELFPARSE_EOFFSET, ELFPARSE_ENOLOAD, ELFPARSE_EOUTSIDE};
    struct elfparse_policy policy = elfparse_policy_linux_compat;
    struct collected all = {0, 0, {{0}}};
    uint8_t image[IMAGE_MAX], scratch[ELFPARSE_SCRATCH_USUAL];
    struct elfparse_storage storage = {scratch, sizeof(scratch), NULL, 0};
    struct elfparse_reader reader = {read_inside, image, IMAGE_SIZE};
    struct elfparse_plan plan;

    image_make(image);
    for (uint32_t i = IMAGE_PHDR; i < IMAGE_PHNUM; i++)
        image_put(image, PH(i, TYPE), i == IMAGE_PHDR ? 1 : i == IMAGE_DYNAMIC ? 2 : 0, 4);
    image_put(image, PH(IMAGE_PHDR, OFFSET), 0, 8);
    image_put(image, PH(IMAGE_PHDR, VADDR), 0x3000, 8);
    image_put(image, PH(IMAGE_PHDR, FILESZ), 0x1000, 8);
    image_put(image, PH(IMAGE_PHDR, MEMSZ), 0x1000, 8);
    image_put(image, PH(IMAGE_DYNAMIC, OFFSET), IMAGE_SIZE - 16, 8);
    image_put(image, PH(IMAGE_DYNAMIC, VADDR), 0x3000 + IMAGE_SIZE - 16, 8);
    image_put(image, PH(IMAGE_DYNAMIC, FILESZ), 32, 8);
    assert_int_equal(elfparse_plan_diagnose(&reader, &policy, &storage, &plan, collect, &all),
                     ELFPARSE_EOFFSET);
    assert_int_equal(all.count, sizeof(codes) / sizeof(codes[0]));
    for (uint32_t i = 0; i < all.count; i++)
        assert_int_equal(all.errors[i].code, codes[i]);
}

static void a_foreign_file_has_one_fault(void **state)
{
    struct collected all = {0, 0, {{0}}};
    uint8_t text[256];

    memset(text, 'x', sizeof(text));
    assert_int_equal(diagnose(text, sizeof(text), NULL, &all), ELFPARSE_EMAGIC);
    assert_int_equal(all.count, 3);
}

/* E9: its bytes 8 to 63 read as a PT_INTERP, whose path has no room in the scratch. */
static void a_table_over_the_ehdr_is_not_judged(void **state)
{
    struct elfparse_policy policy = elfparse_policy_linux_compat;
    struct collected all = {0, 0, {{0}}};
    size_t size = ELFPARSE_SCRATCH_SIZE(1, 0) - ELFPARSE_PHDR_SIZE;
    uint8_t *scratch = malloc(size), image[IMAGE_MAX] = {0};
    struct elfparse_storage storage = {scratch, size, NULL, 0};
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_plan plan;

    image_make(image);
    image_put(image, E_PHOFF, 8, 8);
    image_put(image, E_PHNUM, 1, 2);
    image_put(image, 8 + TYPE, ELFPARSE_PT_INTERP, 4);
    image_put(image, 8 + OFFSET + 2, 0, 6); /* e_machine, e_version */
    image_put(image, 8 + FILESZ, 200, 8);   /* e_shoff */
    assert_int_equal(elfparse_plan_diagnose(&reader, &policy, &storage, &plan, collect, &all),
                     ELFPARSE_EVERSION);
    assert_int_equal(all.count, 3);
    assert_int_equal(all.errors[2].code, ELFPARSE_EPHOFF);
    free(scratch);
}

/*
 * L1, O2, O3: no segment is there, and reading the path moves the table, wherever it was in the
 * first read, but not what stands for the first and the last segment.
 */
static void move_table_without_segments(size_t table)
{
    struct collected all = {0, 0, {{0}}};
    size_t size = ELFPARSE_SCRATCH_SIZE(2, 0x1c), by = table - PH(0, TYPE);
    uint8_t *scratch = malloc(size), image[IMAGE_MAX] = {0};
    struct elfparse_storage storage = {scratch, size, NULL, 0};
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_plan plan;

    image_make(image);
    memmove(image + table, image + PH(0, TYPE), 2 * (size_t)ELFPARSE_PHDR_SIZE);
    image_put(image, E_PHOFF, table, 8);
    image_put(image, E_PHNUM, 2, 2);
    image_put(image, by + PH(IMAGE_PHDR, OFFSET), table, 8);
    image_put(image, by + PH(IMAGE_PHDR, FILESZ), 2 * (uint64_t)ELFPARSE_PHDR_SIZE, 8);
    assert_int_equal(elfparse_plan_diagnose(&reader, &elfparse_policy_linux_compat, &storage, &plan,
                                            collect, &all),
                     ELFPARSE_ENOLOAD);
    assert_int_equal(all.errors[all.count - 1].code, ELFPARSE_EPHDR);
    free(scratch);
}

static void a_table_moves_without_segments(void **state)
{
    for (size_t table = ELFPARSE_EHDR_SIZE; table <= 64 + 24; table += 8)
        move_table_without_segments(table);
}

static void the_library_is_as_old_as_its_headers(void **state)
{
    (void)state;
    assert_true(elfparse_version() == ELFPARSE_VERSION);
    assert_true(ELFPARSE_VERSION_NUMBER(0, 2, 1) > ELFPARSE_VERSION_NUMBER(0, 2, 0));
    assert_true(ELFPARSE_VERSION_NUMBER(1, 0, 0) > ELFPARSE_VERSION_NUMBER(0, 999, 999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_name_rule_place_and_values),
        cmocka_unit_test(sentences_say_which_side_of_a_limit),
        cmocka_unit_test(sentences_do_not_say_that_0_is_an_address),
        cmocka_unit_test(unknown_codes_and_rules_are_said_to_be),
        cmocka_unit_test(every_code_has_a_sentence_that_fits),
        cmocka_unit_test(short_buffers_are_not_overrun),
        cmocka_unit_test(all_violations_are_found_in_one_go),
        cmocka_unit_test(the_collector_may_stop_anywhere),
        cmocka_unit_test(diagnosis_agrees_with_the_loader),
        cmocka_unit_test(nothing_lies_in_a_segment_that_was_refused),
        cmocka_unit_test(a_foreign_file_has_one_fault),
        cmocka_unit_test(a_table_over_the_ehdr_is_not_judged),
        cmocka_unit_test(a_table_moves_without_segments),
        cmocka_unit_test(the_library_is_as_old_as_its_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
