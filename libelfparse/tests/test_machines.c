/* Other machines, classes, byte orders and page sizes than those of x86-64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"

#define RANGES 16

static const struct {
    uint32_t bit;
    struct image_form form;
} machines[] = {
    {ELFPARSE_MACHINE_X86_64, {2, 1, 62}},      {ELFPARSE_MACHINE_AARCH64, {2, 1, 183}},
    {ELFPARSE_MACHINE_AARCH64_BE, {2, 2, 183}}, {ELFPARSE_MACHINE_RISCV64, {2, 1, 243}},
    {ELFPARSE_MACHINE_RISCV32, {1, 1, 243}},    {ELFPARSE_MACHINE_LOONGARCH64, {2, 1, 258}},
    {ELFPARSE_MACHINE_I386, {1, 1, 3}},         {ELFPARSE_MACHINE_ARM, {1, 1, 40}},
    {ELFPARSE_MACHINE_ARM_BE, {1, 2, 40}},      {ELFPARSE_MACHINE_PPC64, {2, 2, 21}},
    {ELFPARSE_MACHINE_PPC64LE, {2, 1, 21}},     {ELFPARSE_MACHINE_S390X, {2, 2, 22}},
    {ELFPARSE_MACHINE_MIPS, {1, 2, 8}},         {ELFPARSE_MACHINE_MIPSLE, {1, 1, 8}},
    {ELFPARSE_MACHINE_MIPS64, {2, 2, 8}},       {ELFPARSE_MACHINE_MIPS64LE, {2, 1, 8}},
};

static uint8_t image[IMAGE_MAX];
static struct elfparse_range ranges[RANGES];
static struct elfparse_plan plan;
static struct elfparse_error error;
static unsigned reads; /* of the last file that was judged */

static int read_counted(void *ctx, uint64_t offset, void *buf, size_t len)
{
    reads++;
    memcpy(buf, (const uint8_t *)ctx + offset, len);
    return 0;
}

/* The image as another machine has it, once more in a block of its size; scratch likewise. */
static int judge(const struct image_form *form, const struct elfparse_policy *policy,
                 size_t scratch_size)
{
    uint8_t *file = calloc(1, IMAGE_SIZE), *scratch = malloc(scratch_size);
    struct elfparse_storage storage = {scratch, scratch_size, ranges, RANGES};
    struct elfparse_reader reader = {read_counted, file, IMAGE_SIZE};
    int code;

    reads = 0;
    assert_int_equal(image_re_encode(image, IMAGE_SIZE, form, file), 1);
    code = elfparse_plan_make(&reader, policy, &storage, &plan, &error);
    free(scratch);
    free(file);
    return code;
}

/* Without contents, whose byte order is that of x86-64. */
static struct elfparse_policy policy_of(uint32_t accepted)
{
    struct elfparse_policy policy = elfparse_policy_linux_compat;

    policy.machines = accepted;
    policy.contents = ELFPARSE_READ_INTERP;
    return policy;
}

static void a_policy_accepts_the_machines_that_it_names(void **state)
{
    image_make(image);
    assert_int_equal(sizeof(machines) / sizeof(machines[0]), ELFPARSE_MACHINE_COUNT);
    for (size_t i = 0; i < ELFPARSE_MACHINE_COUNT; i++) {
        const struct image_form *form = &machines[i].form;
        struct elfparse_policy alone = policy_of(machines[i].bit);
        struct elfparse_policy others = policy_of(ELFPARSE_MACHINE_ALL & ~machines[i].bit);

        assert_int_equal(machines[i].bit, 1u << i);
        assert_int_equal(judge(form, &alone, ELFPARSE_SCRATCH_USUAL), 0);
        assert_int_equal(plan.machine, form->machine);
        assert_int_equal(plan.elf_class, form->elf_class);
        assert_int_equal(plan.data, form->data);
        assert_int_not_equal(judge(form, &others, ELFPARSE_SCRATCH_USUAL), 0);
    }
}

static void expect(const struct image_form *form, uint32_t accepted, int code, uint64_t expected,
                   uint64_t found, const char *sentence)
{
    struct elfparse_policy policy = policy_of(accepted);
    char text[ELFPARSE_ERROR_MAX];

    assert_int_equal(judge(form, &policy, ELFPARSE_SCRATCH_USUAL), code);
    assert_int_equal(error.expected, expected);
    assert_int_equal(error.found, found);
    elfparse_error_format(&error, text, sizeof(text));
    assert_string_equal(text, sentence);
}

static void another_machine_is_refused_by_what_differs(void **state)
{
    static const struct image_form x32 = {1, 1, 62}, mipsle = {1, 1, 8}, riscv32 = {1, 1, 243},
                                   s390x = {2, 2, 22}, ia64 = {2, 1, 50}, arm = {1, 1, 40};

    image_make(image);
    expect(&x32, ELFPARSE_MACHINE_X86_64 | ELFPARSE_MACHINE_I386, ELFPARSE_ECLASS, 2, 1,
           "E2: not a 64-bit ELF file: EI_CLASS is 1, not 2 (file offset 0x4)");
    expect(&mipsle, ELFPARSE_MACHINE_MIPS | ELFPARSE_MACHINE_MIPS64LE, ELFPARSE_EDATA, 2, 1,
           "E2: not a big-endian ELF file: EI_DATA is 1, not 2 (file offset 0x5)");
    expect(&riscv32, ELFPARSE_MACHINE_RISCV64, ELFPARSE_ECLASS, 2, 1,
           "E2: not a 64-bit ELF file: EI_CLASS is 1, not 2 (file offset 0x4)");
    expect(&s390x, ELFPARSE_MACHINE_PPC64 | ELFPARSE_MACHINE_ARM, ELFPARSE_EMACHINE, 21, 22,
           "E6: made for machine 22 (s390x), not for 21 (PowerPC 64) (file offset 0x12)");
    expect(&ia64, ELFPARSE_MACHINE_AARCH64, ELFPARSE_EMACHINE, 183, 50,
           "E6: made for machine 50, not for 183 (AArch64) (file offset 0x12)");
    expect(&arm, ELFPARSE_MACHINE_RISCV32 | ELFPARSE_MACHINE_RISCV64, ELFPARSE_EMACHINE, 243, 40,
           "E6: made for machine 40 (ARM), not for 243 (RISC-V) (file offset 0x12)");
    expect(&arm, 0, ELFPARSE_ECLASS, 2, 1,
           "E2: not a 64-bit ELF file: EI_CLASS is 1, not 2 (file offset 0x4)");
}

static int count(void *ctx, const struct elfparse_error *found)
{
    ++*(unsigned *)ctx;
    return found->code == 0;
}

static void a_byte_order_is_to_blame_only_if_no_accepted_file_has_it(void **state)
{
    static const struct {
        struct image_form form;
        unsigned faults;
    } wrong[] = {{{1, 1, 62}, 1}, {{2, 2, 62}, 1}, {{1, 2, 62}, 2}};
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_X86_64);

    image_make(image);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        static uint8_t file[IMAGE_SIZE], scratch[ELFPARSE_SCRATCH_USUAL];
        struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
        struct elfparse_reader reader = elfparse_reader_memory(file, IMAGE_SIZE);
        unsigned faults = 0;

        assert_int_equal(image_re_encode(image, IMAGE_SIZE, &wrong[i].form, file), 1);
        assert_int_not_equal(
            elfparse_plan_diagnose(&reader, &policy, &storage, &plan, count, &faults), 0);
        assert_int_equal(faults, wrong[i].faults);
    }
}

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

static void programs_of_32_bits_end_at_4_gib(void **state)
{
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_I386);
    struct elfparse_storage storage = {NULL, 0, ranges, RANGES};

    image_make(image);
    image_put(image, PH(IMAGE_DATA, VADDR), 0xfffff540, 8);
    image_put(image, PH(IMAGE_DYNAMIC, VADDR), 0xfffff560, 8);
    image_put(image, PH(IMAGE_TLS, VADDR), 0xfffff540, 8);
    image_put(image, PH(IMAGE_RELRO, VADDR), 0xfffff540, 8);
    assert_int_equal(judge(&machines[6].form, &policy, 4096), ELFPARSE_ERANGE);
    assert_int_equal(error.expected, UINT64_C(1) << 32);
    assert_int_equal(error.found, 0x100001540);
    image_put(image, PH(IMAGE_DATA, MEMSZ), 0xac0, 8);
    assert_int_equal(judge(&machines[6].form, &policy, 4096), ELFPARSE_ERANGE); /* the span */
    image_make(image);
    assert_int_equal(judge(&machines[6].form, &policy, 4096), 0);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, &policy, 0xffffb000, &error),
                     ELFPARSE_ERANGE);
    assert_int_equal(error.expected, UINT64_C(1) << 32);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, &policy, 0xffffa000, &error), 0);
    policy.user_min = UINT64_C(1) << 32;
    assert_int_equal(judge(&machines[6].form, &policy, 4096), ELFPARSE_EARGUMENT);
}

static void headers_of_32_bits_need_the_scratch_of_64(void **state)
{
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_ARM_BE);
    size_t enough = ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0);

    image_make(image);
    policy.contents = 0;
    for (size_t size = 128; size < enough; size++) {
        assert_int_equal(judge(&machines[8].form, &policy, size), ELFPARSE_ESCRATCH);
        assert_int_equal(error.expected, enough);
        assert_int_equal(error.found, size);
    }
    assert_int_equal(judge(&machines[8].form, &policy, enough), 0);
}

/* Converted headers lie behind the Ehdr, wherever the file has them, and are read once. */
static void a_table_that_lies_elsewhere_is_converted(void **state)
{
    image_make(image);
    memmove(image + 128, image + 64, IMAGE_PHNUM * 56);
    image_put(image, E_PHOFF, 128, 8);
    image_put(image, 128 + OFFSET, 128, 8);
    image_put(image, 128 + VADDR, 128, 8);
    for (size_t i = 0; i < ELFPARSE_MACHINE_COUNT; i++) {
        struct elfparse_policy policy = policy_of(machines[i].bit);

        for (size_t more = 0; more < 400; more += 20) {
            size_t enough = ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c);

            assert_int_equal(judge(&machines[i].form, &policy, enough + more), 0);
            assert_int_equal(plan.range_count, 5);
            assert_int_equal(plan.phdr_vaddr, 128);
            assert_int_equal(plan.dynamic.size, 0x40);
            assert_int_equal(plan.tls.memsz, 0x40);
            assert_int_equal(plan.stack_flags, 6);
            assert_int_equal(plan.relro.size, 0xac0);
        }
        policy.contents = 0;
        assert_int_equal(judge(&machines[i].form, &policy, ELFPARSE_SCRATCH_USUAL), 0);
        assert_int_equal(reads, 1);
    }
}

/* Its tag has 8 bytes in ELF64, 4 in ELF32, and is all that matters. */
static void a_dynamic_table_ends_with_a_tag_of_the_class(void **state)
{
    static const struct image_form wide = {2, 1, 62}, narrow = {1, 1, 3};
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_ALL);

    policy.contents = ELFPARSE_READ_DYNAMIC;
    image_make(image);
    memset(image + IMAGE_DYNAMIC_AT, 5, IMAGE_SIZE - IMAGE_DYNAMIC_AT);
    assert_int_equal(judge(&narrow, &policy, 4096), ELFPARSE_EDYNEND);
    image_put(image, IMAGE_DYNAMIC_AT + 0x38, 0, 4);
    assert_int_equal(judge(&narrow, &policy, 4096), 0);
    image_put(image, IMAGE_DYNAMIC_AT + 0x30, 0, 4);
    assert_int_equal(judge(&wide, &policy, 4096), ELFPARSE_EDYNEND);
    image_put(image, IMAGE_DYNAMIC_AT + 0x34, 0, 4);
    assert_int_equal(judge(&wide, &policy, 4096), 0);
}

static void a_function_descriptor_is_an_entry_of_powerpc_abi_1(void **state)
{
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_PPC64 | ELFPARSE_MACHINE_S390X);

    image_make(image);
    image_put(image, E_ENTRY, 0x3550, 8); /* in the data */
    for (uint32_t abi = 0; abi <= 3; abi++) {
        image_put(image, E_FLAGS, abi, 4);
        assert_int_equal(judge(&machines[9].form, &policy, 4096), abi == 2 ? ELFPARSE_EENTRY : 0);
        if (abi != 2)
            assert_int_equal(plan.entry, 0x3550);
    }
    image_put(image, E_FLAGS, 0, 4);
    assert_int_equal(judge(&machines[11].form, &policy, 4096), ELFPARSE_EENTRY);
    image_put(image, E_ENTRY, 0x3600, 8); /* in the zeros after it */
    assert_int_equal(judge(&machines[9].form, &policy, 4096), ELFPARSE_EENTRY);
    image_put(image, E_ENTRY, 0x1490, 8);
    assert_int_equal(judge(&machines[9].form, &policy, 4096), 0);
}

static void flags_are_a_trait_of_machines_that_have_none(void **state)
{
    static const uint32_t without = ELFPARSE_MACHINE_X86_64 | ELFPARSE_MACHINE_I386 |
                                    ELFPARSE_MACHINE_S390X | ELFPARSE_MACHINE_AARCH64 |
                                    ELFPARSE_MACHINE_AARCH64_BE;

    image_make(image);
    image_put(image, E_FLAGS, 0x5000400, 4);
    for (size_t i = 0; i < ELFPARSE_MACHINE_COUNT; i++) {
        struct elfparse_policy policy = policy_of(machines[i].bit);

        assert_int_equal(judge(&machines[i].form, &policy, 4096), 0);
        assert_int_equal(plan.flags, 0x5000400);
        assert_int_equal((plan.traits & ELFPARSE_TRAIT_EFLAGS) != 0,
                         (without & machines[i].bit) != 0);
    }
}

static void aarch64_has_features_of_its_own_and_no_damaged_property(void **state)
{
    static const struct image_form arm = {2, 1, 183}, riscv = {2, 1, 243};
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_ALL);

    policy.contents = ELFPARSE_READ_ALL;
    image_make(image);
    assert_int_equal(judge(&arm, &policy, 4096), 0);
    assert_int_equal(plan.features, 0); /* the property is one of x86 */
    image_put(image, IMAGE_NOTE_AT + 16, 0xc0000000, 4);
    image_put(image, IMAGE_NOTE_AT + 24, 0xff, 4);
    assert_int_equal(judge(&arm, &policy, 4096), 0);
    assert_int_equal(plan.features,
                     ELFPARSE_FEATURE_BTI | ELFPARSE_FEATURE_PAC | ELFPARSE_FEATURE_GCS);
    assert_int_equal(judge(&machines[0].form, &policy, 4096), 0);
    assert_int_equal(plan.features, 0);
    image_put(image, IMAGE_NOTE_AT + 20, 9, 4); /* longer than its note */
    assert_int_equal(judge(&arm, &policy, 4096), ELFPARSE_EPROPERTY);
    assert_int_equal(judge(&riscv, &policy, 4096), 0);
    assert_int_equal(plan.traits & ELFPARSE_TRAIT_NOTES, ELFPARSE_TRAIT_NOTES);
    image_put(image, PH(IMAGE_PROPERTY, TYPE), 0, 4); /* only in a PT_NOTE */
    assert_int_equal(judge(&arm, &policy, 4096), 0);
    assert_int_equal(plan.traits & ELFPARSE_TRAIT_NOTES, ELFPARSE_TRAIT_NOTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_accepts_the_machines_that_it_names),
        cmocka_unit_test(another_machine_is_refused_by_what_differs),
        cmocka_unit_test(a_byte_order_is_to_blame_only_if_no_accepted_file_has_it),
        cmocka_unit_test(ranges_have_pages_of_the_size_that_the_policy_names),
        cmocka_unit_test(a_page_size_that_there_is_not_is_refused),
        cmocka_unit_test(segments_are_judged_by_the_page_size),
        cmocka_unit_test(programs_of_32_bits_end_at_4_gib),
        cmocka_unit_test(headers_of_32_bits_need_the_scratch_of_64),
        cmocka_unit_test(a_table_that_lies_elsewhere_is_converted),
        cmocka_unit_test(a_dynamic_table_ends_with_a_tag_of_the_class),
        cmocka_unit_test(a_function_descriptor_is_an_entry_of_powerpc_abi_1),
        cmocka_unit_test(flags_are_a_trait_of_machines_that_have_none),
        cmocka_unit_test(aarch64_has_features_of_its_own_and_no_damaged_property),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
