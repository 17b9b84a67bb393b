/* The load bias: every check just inside and just outside, and what moves with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"

#define RANGES 16
#define END    UINT64_C(0x7ffffffff000)

static uint8_t image[IMAGE_MAX];
static uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
static struct elfparse_range ranges[RANGES];
static const struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
static struct elfparse_plan plan;
static struct elfparse_error error;

static void make(void)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);

    assert_int_equal(elfparse_plan_make(&reader, NULL, &storage, &plan, &error), 0);
}

static void setup_image(void)
{
    image_make(image);
    make();
}

static void assert_refused(uint64_t bias, int code, uint32_t rule, uint64_t expected,
                           uint64_t found)
{
    struct elfparse_plan before = plan;
    struct elfparse_range ranges_before[RANGES];

    memcpy(ranges_before, ranges, sizeof(ranges));
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, bias, &error), code);
    assert_int_equal(error.code, code);
    assert_int_equal(error.rule, rule);
    assert_int_equal(error.expected, expected);
    assert_int_equal(error.found, found);
    assert_memory_equal(&plan, &before, sizeof(plan));
    assert_memory_equal(ranges, ranges_before, sizeof(ranges));
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, bias, NULL), code);
}

static void everything_moves(void **state)
{
    const uint64_t bias = UINT64_C(0x555555554000);

    setup_image();
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, bias, &error), 0);
    assert_int_equal(plan.bias, bias);
    assert_int_equal(plan.start, bias);
    assert_int_equal(plan.end, bias + 0x6000);
    assert_int_equal(plan.entry, bias + IMAGE_ENTRY);
    assert_int_equal(plan.phdr_vaddr, bias + 64);
    assert_int_equal(plan.tls.vaddr, bias + 0x3540);
    assert_int_equal(plan.relro.vaddr, bias + 0x3540);
    assert_int_equal(plan.dynamic.vaddr, bias + 0x3560);
    for (uint32_t i = 0; i < plan.range_count; i++)
        assert_int_equal(plan.ranges[i].vaddr, bias + i * 0x1000);
}

static void what_is_absent_does_not_move(void **state)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);

    image_make(image);
    image_put(image, E_ENTRY, 0, 8);
    for (size_t i = 0; i < IMAGE_PHNUM; i++) {
        if (i != IMAGE_TEXT_X)
            image_put(image, PH(i, TYPE), 0, 4);
    }
    assert_int_equal(
        elfparse_plan_make(&reader, &elfparse_policy_linux_compat, &storage, &plan, &error), 0);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, 0x10000, &error), 0);
    assert_int_equal(plan.entry, 0);
    assert_int_equal(plan.phdr_vaddr, 0);
    assert_int_equal(plan.tls.vaddr, 0);
    assert_int_equal(plan.relro.vaddr, 0);
    assert_int_equal(plan.dynamic.vaddr, 0);
}

static void user_range_bounds_the_span(void **state)
{
    setup_image();
    assert_refused(0, ELFPARSE_ERANGE, ELFPARSE_RULE_L9, 0x1000, 0);
    assert_refused(END - 0x5000, ELFPARSE_ERANGE, ELFPARSE_RULE_L9, END, END + 0x1000);
    assert_refused(UINT64_MAX - 0xfff, ELFPARSE_EWRAP, ELFPARSE_RULE_L4, 0x6000,
                   UINT64_MAX - 0xfff);
    assert_refused(UINT64_MAX - 0x5fff, ELFPARSE_EWRAP, ELFPARSE_RULE_L4, 0x6000,
                   UINT64_MAX - 0x5fff);
    assert_refused(UINT64_MAX - 0x6fff, ELFPARSE_ERANGE, ELFPARSE_RULE_L9, END, UINT64_MAX - 0xfff);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, END - 0x6000, &error), 0);
    setup_image();
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, 0x1000, &error), 0);
}

/* L4: a program that was linked above the place where it goes: the bias is negative. */
static void a_program_moves_down(void **state)
{
    const uint64_t high = UINT64_C(0x7ff000000000), base = UINT64_C(0x555555554000);

    image_make(image);
    for (size_t i = 0; i < IMAGE_PHNUM; i++)
        image_put(image, PH(i, VADDR) + 4, high >> 32, 4);
    image_put(image, E_ENTRY, high + IMAGE_ENTRY, 8);
    make();
    assert_int_equal(plan.start, high);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, base - high, &error), 0);
    assert_int_equal(plan.bias, base - high);
    assert_int_equal(plan.start, base);
    assert_int_equal(plan.end, base + 0x6000);
    assert_int_equal(plan.entry, base + IMAGE_ENTRY);
    assert_int_equal(plan.phdr_vaddr, base + 64);
    assert_int_equal(plan.dynamic.vaddr, base + 0x3560);
    assert_int_equal(plan.ranges[0].vaddr, base);
    make();
    assert_refused(0 - high, ELFPARSE_ERANGE, ELFPARSE_RULE_L9, 0x1000, 0);
    assert_refused(0 - high - 0x1000, ELFPARSE_EWRAP, ELFPARSE_RULE_L4, 0x6000, UINT64_MAX - 0xfff);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, 0x1000 - high, &error), 0);
}

static void alignment_bounds_the_bias(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_TEXT_R, ALIGN), 0x200000, 8);
    make();
    assert_int_equal(plan.align, 0x200000);
    assert_refused(0x1000, ELFPARSE_EBIASALIGN, ELFPARSE_RULE_L5, 0x200000, 0x1000);
    assert_refused(0x200001, ELFPARSE_EBIASALIGN, ELFPARSE_RULE_L5, 0x200000, 0x200001);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, 0x200000, &error), 0);
}

static void a_bias_is_applied_once(void **state)
{
    setup_image();
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, 0x10000, &error), 0);
    assert_refused(0x10000, ELFPARSE_EBIASTWICE, 0, 0x10000, 0x10000);
    assert_refused(0, ELFPARSE_EBIASTWICE, 0, 0x10000, 0);
}

static void fixed_programs_stay_where_they_are(void **state)
{
    image_make(image);
    image_put(image, E_TYPE, 2, 2);
    image_put(image, PH(IMAGE_TEXT_R, TYPE), 0, 4);
    image_put(image, PH(IMAGE_PHDR, TYPE), 0, 4);
    make();
    assert_refused(0x1000, ELFPARSE_EBIASFIXED, 0, 0, 0x1000);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, NULL, 0, &error), 0);
    assert_int_equal(
        elfparse_plan_apply_bias(&plan, &storage, &elfparse_policy_linux_compat, 0, &error), 0);
    assert_int_equal(plan.entry, IMAGE_ENTRY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_moves),
        cmocka_unit_test(what_is_absent_does_not_move),
        cmocka_unit_test(user_range_bounds_the_span),
        cmocka_unit_test(a_program_moves_down),
        cmocka_unit_test(alignment_bounds_the_bias),
        cmocka_unit_test(a_bias_is_applied_once),
        cmocka_unit_test(fixed_programs_stay_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
