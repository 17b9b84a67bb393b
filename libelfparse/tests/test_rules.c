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

/* The notes' numbers in the file's byte order; in ELF32 properties are padded to 4. */
static void re_encode_notes(const struct image_form *form, uint8_t *image)
{
    static const uint8_t words[] = {0, 4, 8, 16, 20, 24, 32, 36, 40};

    if (form->elf_class == ELFPARSE_CLASS32 && image[IMAGE_NOTE_AT + 4] == 16 &&
        image[IMAGE_NOTE_AT + 20] == 4)
        image[IMAGE_NOTE_AT + 4] = 12;
    for (size_t i = 0; form->data == ELFPARSE_DATAMSB && i < sizeof(words); i++) {
        uint8_t *word = image + IMAGE_NOTE_AT + words[i];
        uint8_t bytes[4] = {word[3], word[2], word[1], word[0]};

        memcpy(word, bytes, 4);
    }
}

/* What is asked for depends on the class, or on bytes whose place or meaning does. */
static int depends_on_class(const struct test_case *test, const struct image_form *form)
{
    static const char *const names[] = {
        "E7 ",
        "E9 e_phoff ",
        "E9 the table ",
        "E9 a table ",
        "E1 64 bytes",
        "O3 just inside",
        "O3 in the rest",
        "O3 zeros in",
        "O4 15 bytes before",
        "O4 DT_NULL is the last",
        "O4 no DT_NULL",
        "O8 ",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(test->name, names[i], strlen(names[i])) == 0)
            return form->elf_class == ELFPARSE_CLASS32;
    }
    return strncmp(test->name, "E2 ", 3) == 0 || strncmp(test->name, "E6 ", 3) == 0;
}

/* The same program on another machine has the same error at the place where its file has the field,
 * or the same plan. 1 if it could be tried. */
static int re_encoded(const struct test_case *test, const struct image_form *form, uint32_t machine,
                      size_t scratch_size)
{
    uint8_t image[IMAGE_MAX], other[IMAGE_MAX];
    size_t size = case_make(test, image);
    struct elfparse_policy policy = case_policy(test);
    struct test_case expected = *test;
    struct outcome outcome, native;

    if (depends_on_class(test, form))
        return 0;
    judge(image, size, &policy, scratch_size, &native);
    re_encode_notes(form, image);
    if (!image_re_encode(image, size, form, other))
        return 0;
    memset(&outcome, 0xa5, sizeof(outcome));
    policy.machines = machine;
    judge(other, size, &policy, scratch_size, &outcome);
    if (test->expect.offset < PH(IMAGE_PHNUM, 0))
        expected.expect.offset = image_offset(form, test->expect.offset);
    if (test->expect.code != 0) {
        check_refused(&expected, &outcome);
        return 1;
    }
    check_accepted(&expected, &outcome);
    assert_int_equal(outcome.plan.machine, form->machine);
    assert_int_equal(outcome.plan.elf_class, form->elf_class);
    assert_int_equal(outcome.plan.data, form->data);
    assert_int_equal(outcome.plan.features,
                     form->machine == ELFPARSE_EM_386 ? native.plan.features : 0);
    outcome.plan.machine = native.plan.machine;
    outcome.plan.elf_class = native.plan.elf_class;
    outcome.plan.data = native.plan.data;
    outcome.plan.features = native.plan.features;
    outcome.plan.interp.path = native.plan.interp.path;
    outcome.plan.ranges = native.plan.ranges;
    if (form->elf_class == ELFPARSE_CLASS32) /* entries are half as large, the zeros as many */
        outcome.plan.dynamic.size = native.plan.dynamic.size;
    if (memcmp(&outcome.plan, &native.plan, sizeof(native.plan)) != 0)
        fail_msg("%s: another plan for machine %u", test->name, form->machine);
    assert_memory_equal(outcome.ranges, native.ranges,
                        native.plan.range_count * sizeof(native.ranges[0]));
    return 1;
}

static unsigned re_encoded_cases(const struct test_case *cases, size_t count,
                                 const struct image_form *form, uint32_t machine)
{
    unsigned tried = 0;

    for (size_t i = 0; i < count; i++) {
        tried += (unsigned)re_encoded(&cases[i], form, machine,
                                      ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x20));
        re_encoded(&cases[i], form, machine, ELFPARSE_SCRATCH_USUAL);
    }
    return tried;
}

static void every_class_and_byte_order_is_judged_alike(void **state)
{
    static const struct {
        struct image_form form;
        uint32_t machine;
        unsigned least; /* cases whose numbers have room */
    } forms[] = {
        {{ELFPARSE_CLASS64, ELFPARSE_DATAMSB, ELFPARSE_EM_S390}, ELFPARSE_MACHINE_S390X, 210},
        {{ELFPARSE_CLASS32, ELFPARSE_DATALSB, ELFPARSE_EM_386}, ELFPARSE_MACHINE_I386, 140},
        {{ELFPARSE_CLASS32, ELFPARSE_DATAMSB, ELFPARSE_EM_MIPS}, ELFPARSE_MACHINE_MIPS, 140},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        unsigned tried =
            re_encoded_cases(ehdr_cases, ehdr_case_count, &forms[i].form, forms[i].machine) +
            re_encoded_cases(load_cases, load_case_count, &forms[i].form, forms[i].machine) +
            re_encoded_cases(other_cases, other_case_count, &forms[i].form, forms[i].machine);

        if (tried < forms[i].least)
            fail_msg("only %u cases tried as machine %u", tried, forms[i].form.machine);
    }
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

/* The load bias: every check just inside and just outside, and what moves with it. */

#define END UINT64_C(0x7ffffffff000)

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
        cmocka_unit_test(ehdr_rules_have_their_exact_error),
        cmocka_unit_test(load_rules_have_their_exact_error),
        cmocka_unit_test(other_rules_have_their_exact_error),
        cmocka_unit_test(the_kernel_refuses_more_only_for_isolation),
        cmocka_unit_test(every_class_and_byte_order_is_judged_alike),
        cmocka_unit_test(every_rule_that_refuses_has_a_case),
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
