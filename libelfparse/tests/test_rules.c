/* Every rule of the README's table: cases just inside and just outside, with the exact error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"

#define RANGES 16

struct outcome {
    int code;
    struct elfparse_plan plan;
    struct elfparse_error error;
    struct elfparse_range ranges[RANGES];
};

/* Scratch and file lie in blocks of their exact sizes, so that a sanitizer sees the first byte
 * beyond. */
static void judge(const uint8_t *file, size_t size, const struct elfparse_policy *policy,
                  size_t scratch_size, struct outcome *outcome)
{
    uint8_t *copy = malloc(size);
    uint8_t *scratch = malloc(scratch_size);
    struct elfparse_storage storage = {scratch, scratch_size, outcome->ranges, RANGES};
    struct elfparse_reader reader;

    memcpy(copy, file, size);
    reader = elfparse_reader_memory(copy, size);
    outcome->code = elfparse_plan_make(&reader, policy, &storage, &outcome->plan, &outcome->error);
    if (outcome->plan.interp.path != NULL)
        assert_string_equal(outcome->plan.interp.path, copy + outcome->plan.interp.offset);
    free(scratch);
    free(copy);
}

static int same_error(const struct elfparse_error *error, const struct expectation *expect)
{
    return error->code == expect->code && error->rule == expect->rule &&
           error->phdr == expect->phdr && error->phdr2 == expect->phdr2 &&
           error->offset == expect->offset && error->expected == expect->expected &&
           error->found == expect->found;
}

static void check_accepted(const struct test_case *test, const struct outcome *outcome)
{
    if (outcome->code != 0) {
        char text[ELFPARSE_ERROR_MAX];

        elfparse_error_format(&outcome->error, text, sizeof(text));
        fail_msg("%s: refused: %s", test->name, text);
    }
    if ((outcome->plan.traits & ~ELFPARSE_TRAIT_INTERP) != test->traits)
        fail_msg("%s: traits %#x", test->name, outcome->plan.traits);
}

static void check_refused(const struct test_case *test, const struct outcome *outcome)
{
    static const struct elfparse_plan cleared;
    const struct elfparse_error *e = &outcome->error;
    char text[ELFPARSE_ERROR_MAX];

    if (outcome->code == 0)
        fail_msg("%s: accepted", test->name);
    assert_int_equal(outcome->code, e->code);
    elfparse_error_format(e, text, sizeof(text));
    if (!same_error(e, &test->expect))
        fail_msg(
            "%s: {%d, rule %u, phdr %d, phdr2 %d, offset %#llx, expected %#llx, found %#llx} %s",
            test->name, e->code, e->rule, (int)e->phdr, (int)e->phdr2,
            (unsigned long long)e->offset, (unsigned long long)e->expected,
            (unsigned long long)e->found, text);
    assert_memory_equal(&outcome->plan, &cleared, sizeof(cleared));
}

/* With roomy scratch one read brings in everything; with the least that does, each part is read
 * alone. */
static void run_case(const struct test_case *test, size_t scratch_size)
{
    uint8_t image[IMAGE_MAX];
    size_t size = case_make(test, image);
    struct elfparse_policy policy = case_policy(test);
    struct outcome outcome;

    memset(&outcome, 0xa5, sizeof(outcome));
    judge(image, size, &policy, scratch_size, &outcome);
    if (test->expect.code == 0)
        check_accepted(test, &outcome);
    else
        check_refused(test, &outcome);
}

static void run_cases(const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run_case(&cases[i], ELFPARSE_SCRATCH_USUAL);
        run_case(&cases[i], ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x20));
    }
}

static void ehdr_rules_have_their_exact_error(void **state)
{
    run_cases(ehdr_cases, ehdr_case_count);
}

static void load_rules_have_their_exact_error(void **state)
{
    run_cases(load_cases, load_case_count);
}

static void other_rules_have_their_exact_error(void **state)
{
    run_cases(other_cases, other_case_count);
}

/* What the kernel's policy refuses beyond linux-compat: three traits, and its limits. */
static int asks_for_isolation(int code)
{
    switch (code) {
    case ELFPARSE_ENOENTRY:
    case ELFPARSE_EINTERPPATH:
    case ELFPARSE_ESTACK:
    case ELFPARSE_EPHNUM:
    case ELFPARSE_EALIGNLIMIT:
    case ELFPARSE_EMEMORY:
    case ELFPARSE_ETLSSIZE:
    case ELFPARSE_ETLSLIMIT:
    case ELFPARSE_ELOADLIMIT:
        return 1;
    default:
        return 0;
    }
}

static void compare_policies(const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t image[IMAGE_MAX];
        size_t size = case_make(&cases[i], image);
        struct outcome kernel, linux_compat;

        judge(image, size, &elfparse_policy_kernel, ELFPARSE_SCRATCH_USUAL, &kernel);
        judge(image, size, &elfparse_policy_linux_compat, ELFPARSE_SCRATCH_USUAL, &linux_compat);
        if (kernel.code != linux_compat.code && !asks_for_isolation(kernel.code))
            fail_msg("%s: %d under kernel, %d under linux-compat", cases[i].name, kernel.code,
                     linux_compat.code);
    }
}

static void the_kernel_refuses_more_only_for_isolation(void **state)
{
    compare_policies(ehdr_cases, ehdr_case_count);
    compare_policies(load_cases, load_case_count);
    compare_policies(other_cases, other_case_count);
}

static int has_refusal(uint32_t rule, const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cases[i].expect.rule == rule)
            return 1;
    }
    return 0;
}

/* E10 is tested with the sections, L12 with the ranges, O10 with a changing file; O9 accepts. */
static void every_rule_that_refuses_has_a_case(void **state)
{
    for (uint32_t rule = 1; rule < ELFPARSE_RULE_COUNT; rule++) {
        if (rule == ELFPARSE_RULE_E10 || rule == ELFPARSE_RULE_L12 || rule == ELFPARSE_RULE_O9 ||
            rule == ELFPARSE_RULE_O10)
            continue;
        if (!has_refusal(rule, ehdr_cases, ehdr_case_count) &&
            !has_refusal(rule, load_cases, load_case_count) &&
            !has_refusal(rule, other_cases, other_case_count))
            fail_msg("no case of %s", elfparse_rule_name(rule));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ehdr_rules_have_their_exact_error),
        cmocka_unit_test(load_rules_have_their_exact_error),
        cmocka_unit_test(other_rules_have_their_exact_error),
        cmocka_unit_test(the_kernel_refuses_more_only_for_isolation),
        cmocka_unit_test(every_rule_that_refuses_has_a_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
