/* Other machines, classes and byte orders than those of x86-64. */
#include "machines.h"

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

static int rank(const struct image_form *form, const struct image_form *accepted)
{
    return 2 * (accepted->machine == form->machine) + (accepted->elf_class == form->elf_class);
}

/*
 * Of two accepted machines, in their order, that which is most like the file is named: by
 * e_machine, then by class. To blame is the first of class, byte order and machine that no one of
 * them shares with the file; only those of its e_machine count if there is any.
 */
static void expect_best(const struct image_form *form, uint32_t a, uint32_t b)
{
    struct elfparse_policy policy = policy_of(machines[a].bit | machines[b].bit);
    const struct image_form *best = &machines[a].form, *other = &machines[b].form;
    int code = ELFPARSE_EMACHINE;
    uint64_t expected;

    if (rank(form, best) < rank(form, other)) {
        best = &machines[b].form;
        other = &machines[a].form;
    }
    expected = best->machine;
    if (best->elf_class != form->elf_class) {
        code = ELFPARSE_ECLASS;
        expected = best->elf_class;
    } else if (best->data != form->data &&
               (rank(form, other) != rank(form, best) || other->data != form->data)) {
        code = ELFPARSE_EDATA;
        expected = best->data;
    }
    assert_int_equal(judge(form, &policy, ELFPARSE_SCRATCH_USUAL), code);
    assert_int_equal(error.expected, expected);
}

static void the_accepted_machine_most_like_the_file_is_named(void **state)
{
    image_make(image);
    for (uint32_t file = 0; file < ELFPARSE_MACHINE_COUNT; file++) {
        for (uint32_t a = 0; a < ELFPARSE_MACHINE_COUNT; a++) {
            for (uint32_t b = a; b < ELFPARSE_MACHINE_COUNT; b++) {
                if (a != file && b != file)
                    expect_best(&machines[file].form, a, b);
            }
        }
    }
}

static void what_no_machine_has_is_to_blame(void **state)
{
    static const uint16_t unknown[] = {0, 4, 23, 50, 185, 300, 62, 8};

    image_make(image);
    for (uint32_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]) * 16; i++) {
        const struct image_form form = {(uint8_t)(i & 3), (uint8_t)(i >> 2 & 3), unknown[i >> 4]};

        for (uint32_t a = 0; a < ELFPARSE_MACHINE_COUNT; a++) {
            uint32_t b = (a * 7 + i) % ELFPARSE_MACHINE_COUNT;

            if (memcmp(&form, &machines[a].form, sizeof(form)) != 0 &&
                memcmp(&form, &machines[b].form, sizeof(form)) != 0)
                expect_best(&form, a < b ? a : b, a < b ? b : a);
        }
    }
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

/* Each of two wrong sizes is a fault of its own. */
static void sizes_of_the_class_are_judged_apart(void **state)
{
    static const struct image_form forms[] = {{2, 1, 62}, {1, 1, 3}};
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_ALL);

    for (unsigned wrong = 0; wrong < 8; wrong++) {
        const struct image_form *form = &forms[wrong & 1];
        uint32_t at = form->elf_class == ELFPARSE_CLASS32 ? 40 : 52;
        static uint8_t file[IMAGE_SIZE], scratch[ELFPARSE_SCRATCH_USUAL];
        struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
        struct elfparse_reader reader = elfparse_reader_memory(file, IMAGE_SIZE);
        unsigned faults = 0;

        image_make(image);
        assert_int_equal(image_re_encode(image, IMAGE_SIZE, form, file), 1);
        file[at] ^= (uint8_t)(wrong & 2);
        file[at + 2] ^= (uint8_t)(wrong & 4);
        (void)elfparse_plan_diagnose(&reader, &policy, &storage, &plan, count, &faults);
        assert_int_equal(faults, (wrong >> 1 & 1) + (wrong >> 2 & 1));
    }
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
    policy.user_end = 0xf0000000;
    assert_int_equal(judge(&machines[6].form, &policy, 4096), 0);
    assert_int_equal(elfparse_plan_apply_bias(&plan, &storage, &policy, 0xf0000000, &error),
                     ELFPARSE_ERANGE);
    assert_int_equal(error.expected, 0xf0000000);
    policy.user_end = UINT64_C(1) << 33;
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

/* What cannot be read, or has no room beside the converted headers. */
static void converted_headers_leave_no_room_or_are_not_read(void **state)
{
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_ARM_BE);
    size_t enough = ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c);

    image_make(image);
    assert_int_equal(judge(&machines[8].form, &policy, enough - 1), ELFPARSE_ESCRATCH);
    assert_int_equal(error.expected, enough);
    assert_int_equal(judge(&machines[8].form, &policy, enough), 0);
    memmove(image + 0x300, image + 64, IMAGE_PHNUM * 56);
    image_put(image, E_PHOFF, 0x300, 8);
    policy.contents = 0;
    last_read = 1;
    assert_int_equal(judge(&machines[8].form, &policy, ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0)),
                     ELFPARSE_EREAD);
    last_read = UINT_MAX;
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

/* The first read brings what the scratch has room for, which ends before the table does. */
static void a_table_that_is_read_later_is_converted(void **state)
{
    image_make(image);
    memmove(image + 0x300, image + 64, IMAGE_PHNUM * 56);
    image_put(image, E_PHOFF, 0x300, 8);
    for (size_t i = 0; i < ELFPARSE_MACHINE_COUNT; i++) {
        struct elfparse_policy policy = policy_of(machines[i].bit);

        policy.contents = 0;
        assert_int_equal(judge(&machines[i].form, &policy, ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0)),
                         0);
        assert_int_equal(reads, 2);
        assert_int_equal(plan.phdr_vaddr, 0x300);
        assert_int_equal(plan.range_count, 5);
    }
}

/* How often the file is read for a path at that place, whatever else is there. */
static unsigned reads_for_path(const struct image_form *form, uint64_t place)
{
    uint8_t *file = calloc(1, IMAGE_SIZE), scratch[ELFPARSE_SCRATCH_USUAL];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
    struct elfparse_reader reader = {read_counted, file, IMAGE_SIZE};
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_ALL);

    image_put(image, PH(IMAGE_INTERP, OFFSET), place, 8);
    image_put(image, PH(IMAGE_INTERP, FILESZ), 8, 8);
    assert_int_equal(image_re_encode(image, IMAGE_SIZE, form, file), 1);
    memcpy(file + place, "/lib/ld", 8);
    reads = 0;
    assert_int_equal(elfparse_plan_make(&reader, &policy, &storage, &plan, &error), 0);
    assert_string_equal(plan.interp.path, "/lib/ld");
    free(file);
    return reads;
}

/* O10: what the first read brought is not read again, unless it became something else. */
static void only_what_was_converted_is_read_again(void **state)
{
    const uint64_t end = 64 + IMAGE_PHNUM * 56, head = 1024;

    image_make(image);
    for (size_t i = 0; i < ELFPARSE_MACHINE_COUNT; i++) {
        const struct image_form *form = &machines[i].form;
        unsigned again = form->elf_class == 1 || form->data == 2 ? 2 : 1;

        assert_int_equal(reads_for_path(form, image_offset(form, PH(IMAGE_STACK, VADDR))), again);
        assert_int_equal(reads_for_path(form, end - 1), again); /* p_align of PT_GNU_RELRO */
        assert_int_equal(reads_for_path(form, end), 1);
        assert_int_equal(reads_for_path(form, head - 8), 1);
        assert_int_equal(reads_for_path(form, head - 7), 2);
        assert_int_equal(reads_for_path(form, head + 1), 2);
    }
}

/* The numbers of the build-id's note in the byte order of the file. */
static void swap_note(uint8_t *note)
{
    for (unsigned word = 0; word < 3; word++, note += 4) {
        uint8_t bytes[4] = {note[3], note[2], note[1], note[0]};

        memcpy(note, bytes, 4);
    }
}

/*
 * O10: a path that is read later goes after the table, which ELF32 makes longer than what was read,
 * and after what was read with it, where the note is.
 */
static void a_path_that_is_read_later_overwrites_nothing(void **state)
{
    enum { PATH = 0x500, SIZE = 0x100, NOTE = IMAGE_NOTE_AT + 0x20, LAST = 20 };

    for (size_t i = 0; i < ELFPARSE_MACHINE_COUNT; i++) {
        const struct image_form *form = &machines[i].form;
        uint8_t file[IMAGE_SIZE] = {0}, scratch[4096];
        struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
        struct elfparse_reader reader = {read_counted, file, IMAGE_SIZE};
        struct elfparse_policy policy = policy_of(machines[i].bit);

        policy.contents = ELFPARSE_READ_INTERP | ELFPARSE_READ_NOTES;
        image_make(image);
        image_put(image, PH(IMAGE_INTERP, OFFSET), PATH, 8);
        image_put(image, PH(IMAGE_INTERP, FILESZ), SIZE, 8);
        image_put(image, PH(IMAGE_PROPERTY, TYPE), 0, 4);
        image_put(image, PH(IMAGE_NOTE, OFFSET), NOTE, 8);
        image_put(image, PH(IMAGE_NOTE, FILESZ), 0x24, 8);
        memset(image + PATH, '/', SIZE - 1);
        image[PATH + SIZE - 1] = 0;
        assert_int_equal(image_re_encode(image, IMAGE_SIZE, form, file), 1);
        if (form->data == ELFPARSE_DATAMSB)
            swap_note(file + NOTE);
        if (form->elf_class == ELFPARSE_CLASS32) { /* up to where the image's table ended */
            memcpy(file + 64 + LAST * 32, file + 64 + IMAGE_NOTE * 32, 32);
            memset(file + 64 + IMAGE_NOTE * 32, 0, 32);
            file[44] = file[45] = 0;
            file[form->data == ELFPARSE_DATAMSB ? 45 : 44] = LAST + 1;
        }
        reads = 0;
        assert_int_equal(elfparse_plan_make(&reader, &policy, &storage, &plan, &error), 0);
        assert_memory_equal(plan.interp.path, file + PATH, SIZE);
        assert_int_equal(plan.build_id.offset, NOTE + 16);
        assert_int_equal(plan.build_id.size, 20);
        assert_int_equal(plan.traits & ELFPARSE_TRAIT_NOTES, 0);
        if (form->elf_class == ELFPARSE_CLASS64)
            assert_int_equal(reads, 2);
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

static int count_violation(void *ctx, const struct elfparse_error *found)
{
    (void)found;
    ++*(unsigned *)ctx;
    return 0;
}

/* L1, O1: without segments the entry of a shared object of PowerPC 64 is no descriptor. */
static void expect_no_segment(const struct elfparse_policy *policy)
{
    uint8_t file[IMAGE_SIZE] = {0}, scratch[4096];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
    struct elfparse_reader reader = elfparse_reader_memory(file, IMAGE_SIZE);
    unsigned count = 0;

    assert_int_equal(image_re_encode(image, IMAGE_SIZE, &machines[9].form, file), 1);
    assert_int_equal(
        elfparse_plan_diagnose(&reader, policy, &storage, &plan, count_violation, &count),
        ELFPARSE_ENOLOAD);
    assert_int_equal(count, 1);
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
    image_put(image, E_ENTRY, 0x3550, 8);
    image_put(image, PH(IMAGE_RODATA, TYPE), 0, 4); /* a gap among the segments */
    assert_int_equal(judge(&machines[9].form, &policy, 4096), 0);
    for (uint32_t i = 0; i < IMAGE_PHNUM; i++)
        image_put(image, PH(i, TYPE), 0, 4);
    assert_int_equal(judge(&machines[9].form, &policy, 4096), ELFPARSE_ENOLOAD);
    expect_no_segment(&policy);
}

static void an_error_has_the_offset_of_the_class(void **state)
{
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_X86_64 | ELFPARSE_MACHINE_I386);

    image_make(image);
    memmove(image + 66, image + 64, IMAGE_PHNUM * 56);
    image_put(image, E_PHOFF, 66, 8);
    assert_int_equal(judge(&machines[0].form, &policy, 4096), ELFPARSE_EPHOFF);
    assert_int_equal(error.offset, 32);
    assert_int_equal(error.expected, 8);
    assert_int_equal(judge(&machines[6].form, &policy, 4096), ELFPARSE_EPHOFF);
    assert_int_equal(error.offset, 28);
    assert_int_equal(error.expected, 4);
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

/* The image with one note of size bytes, the header of a GNU property note, in all of its notes. */
static void make_note(uint32_t size)
{
    image_make(image);
    image_put(image, PH(IMAGE_NOTE, FILESZ), 16 + size, 8);
    image_put(image, PH(IMAGE_PROPERTY, FILESZ), 16 + size, 8);
    image_put(image, IMAGE_NOTE_AT + 4, size, 4);
}

static void put_property(uint32_t at, uint32_t size, uint32_t value)
{
    image_put(image, IMAGE_NOTE_AT + at, 0xc0000000, 4);
    image_put(image, IMAGE_NOTE_AT + at + 4, size, 4);
    image_put(image, IMAGE_NOTE_AT + at + 8, value, 4);
}

static void properties_of_another_machine_are_walked_as_those_of_x86_64(void **state)
{
    static const struct image_form arm = {2, 1, 183};
    struct elfparse_policy policy = policy_of(ELFPARSE_MACHINE_ALL);

    policy.contents = ELFPARSE_READ_ALL;
    make_note(32);
    put_property(16, 4, 1);
    put_property(32, 4, 2);
    assert_int_equal(judge(&arm, &policy, 4096), 0);
    assert_int_equal(plan.features, 2); /* the last one counts */
    put_property(32, 8, 4);
    assert_int_equal(judge(&arm, &policy, 4096), 0);
    assert_int_equal(plan.features, 1); /* features have 4 bytes */
    image_put(image, PH(IMAGE_PROPERTY, FILESZ), 0, 8);
    assert_int_equal(judge(&arm, &policy, 4096), 0);
    assert_int_equal(plan.features, 0); /* PT_GNU_PROPERTY says that there are none */
    image_put(image, PH(IMAGE_PROPERTY, TYPE), 0, 4);
    assert_int_equal(judge(&arm, &policy, 4096), 0);
    assert_int_equal(plan.features, 1);
    make_note(20);
    put_property(16, 4, 1);
    assert_int_equal(judge(&arm, &policy, 4096), ELFPARSE_EPROPERTY);
    assert_int_equal(error.expected, 4);
    assert_int_equal(error.found, 8);
    make_note(4);
    assert_int_equal(judge(&arm, &policy, 4096), ELFPARSE_EPROPERTY);
    assert_int_equal(error.expected, 4);
    assert_int_equal(error.found, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_accepts_the_machines_that_it_names),
        cmocka_unit_test(another_machine_is_refused_by_what_differs),
        cmocka_unit_test(the_accepted_machine_most_like_the_file_is_named),
        cmocka_unit_test(what_no_machine_has_is_to_blame),
        cmocka_unit_test(sizes_of_the_class_are_judged_apart),
        cmocka_unit_test(a_byte_order_is_to_blame_only_if_no_accepted_file_has_it),
        cmocka_unit_test(programs_of_32_bits_end_at_4_gib),
        cmocka_unit_test(headers_of_32_bits_need_the_scratch_of_64),
        cmocka_unit_test(converted_headers_leave_no_room_or_are_not_read),
        cmocka_unit_test(a_table_that_lies_elsewhere_is_converted),
        cmocka_unit_test(a_table_that_is_read_later_is_converted),
        cmocka_unit_test(only_what_was_converted_is_read_again),
        cmocka_unit_test(a_path_that_is_read_later_overwrites_nothing),
        cmocka_unit_test(a_dynamic_table_ends_with_a_tag_of_the_class),
        cmocka_unit_test(a_function_descriptor_is_an_entry_of_powerpc_abi_1),
        cmocka_unit_test(an_error_has_the_offset_of_the_class),
        cmocka_unit_test(flags_are_a_trait_of_machines_that_have_none),
        cmocka_unit_test(aarch64_has_features_of_its_own_and_no_damaged_property),
        cmocka_unit_test(properties_of_another_machine_are_walked_as_those_of_x86_64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
