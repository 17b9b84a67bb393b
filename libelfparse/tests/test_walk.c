/* How a judgement goes on, stops, and finds its places: what one case of a rule does not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"

#define RANGES  16
#define SCRATCH 4096

static uint8_t image[IMAGE_MAX];
static uint8_t scratch[SCRATCH];
static struct elfparse_range ranges[RANGES + 1];
static struct elfparse_plan plan;
static struct elfparse_error error;

static int make(size_t size, const struct elfparse_policy *policy)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, size);
    struct elfparse_storage storage = {scratch, SCRATCH, ranges, RANGES};

    return elfparse_plan_make(&reader, policy, &storage, &plan, &error);
}

struct listener {
    unsigned calls;
    unsigned stop_at; /* 0: never */
    struct elfparse_error first;
};

static int listen(void *ctx, const struct elfparse_error *found)
{
    struct listener *listener = ctx;

    if (listener->calls++ == 0)
        listener->first = *found;
    return listener->calls == listener->stop_at;
}

/* Asked to stop at any of its reports a diagnosis makes no other, and answers with the first one. */
static void diagnose_case(const struct test_case *test, size_t scratch_size)
{
    size_t size = case_make(test, image);
    struct elfparse_policy policy = case_policy(test);
    struct elfparse_reader reader = elfparse_reader_memory(image, size);
    struct elfparse_storage storage = {scratch, scratch_size, ranges, RANGES};
    struct listener all = {0, 0, {0}};
    int code = elfparse_plan_make(&reader, &policy, &storage, &plan, &error);

    assert_int_equal(elfparse_plan_diagnose(&reader, &policy, &storage, &plan, listen, &all), code);
    if (code == 0) {
        assert_int_equal(all.calls, 0);
        return;
    }
    assert_memory_equal(&all.first, &error, sizeof(error));
    assert_int_equal(plan.phnum, 0);
    for (unsigned stop = 1; stop <= all.calls; stop++) {
        struct listener listener = {0, stop, {0}};

        assert_int_equal(
            elfparse_plan_diagnose(&reader, &policy, &storage, &plan, listen, &listener), code);
        assert_int_equal(listener.calls, stop);
    }
}

static void diagnose_cases(const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        diagnose_case(&cases[i], SCRATCH);
        diagnose_case(&cases[i], ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x20));
    }
}

static void diagnosis_stops_where_it_is_told(void **state)
{
    diagnose_cases(ehdr_cases, ehdr_case_count);
    diagnose_cases(load_cases, load_case_count);
    diagnose_cases(other_cases, other_case_count);
}

static void l5_limit_below_a_page(void **state)
{
    struct elfparse_policy policy = elfparse_policy_kernel;

    image_make(image);
    policy.max_align = 4096;
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    policy.max_align = 4095;
    assert_int_equal(make(IMAGE_SIZE, &policy), ELFPARSE_EALIGNLIMIT);
    assert_int_equal(error.expected, 4095);
    assert_int_equal(error.found, 4096);
    policy.max_align = 0;
    for (unsigned i = IMAGE_TEXT_R; i <= IMAGE_DATA; i++)
        image_put(image, PH(i, ALIGN), 0, 8);
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    assert_int_equal(plan.align, 4096);
}

/* Only the second segment that maps the file's first bytes has room for the whole table. */
static void o3_table_in_a_later_segment(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_PHDR, TYPE), 0, 4);
    image_put(image, PH(IMAGE_TEXT_R, FILESZ), 735, 8);
    image_put(image, PH(IMAGE_TEXT_R, MEMSZ), 735, 8);
    image_put(image, PH(IMAGE_RODATA, OFFSET), 0, 8);
    image_put(image, PH(IMAGE_RODATA, VADDR), 0x2000, 8);
    image_put(image, PH(IMAGE_RODATA, FILESZ), 736, 8);
    image_put(image, PH(IMAGE_RODATA, MEMSZ), 736, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 0x2040);
    image_put(image, PH(IMAGE_RODATA, FILESZ), 735, 8);
    image_put(image, PH(IMAGE_RODATA, MEMSZ), 735, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 0);
}

/* PT_PHDR, PT_DYNAMIC and PT_TLS are held by whichever segment it is. */
static void o4_dynamic_in_the_first_segment(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_DYNAMIC, OFFSET), 0x400, 8);
    image_put(image, PH(IMAGE_DYNAMIC, VADDR), 0x400, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.dynamic.vaddr, 0x400);
    image_put(image, PH(IMAGE_DYNAMIC, OFFSET), 0x440, 8);
    image_put(image, PH(IMAGE_DYNAMIC, VADDR), 0x440, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    image_put(image, PH(IMAGE_DYNAMIC, OFFSET), 0x450, 8);
    image_put(image, PH(IMAGE_DYNAMIC, VADDR), 0x450, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), ELFPARSE_EOUTSIDE);
}

static void o7_relro_in_an_earlier_segment(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_RODATA, FLAGS), 6, 4);
    image_put(image, PH(IMAGE_RELRO, VADDR), 0x2500, 8);
    image_put(image, PH(IMAGE_RELRO, MEMSZ), 0xb00, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.relro.vaddr, 0x2500);
    image_put(image, PH(IMAGE_RELRO, MEMSZ), 0xb01, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), ELFPARSE_ERELRO);
    assert_int_equal(error.expected, 0x3000);
    assert_int_equal(error.found, 0x3001);
}

/* Of four PT_NOTEs, with others between them, one after another is too short. */
static void o8_every_note_is_looked_at(void **state)
{
    static const unsigned notes[] = {IMAGE_PHDR, IMAGE_NOTE, IMAGE_STACK, IMAGE_RELRO};

    for (unsigned bad = 0; bad <= 4; bad++) {
        image_make(image);
        for (unsigned i = 0; i < 4; i++) {
            image_put(image, PH(notes[i], TYPE), 4, 4);
            image_put(image, PH(notes[i], OFFSET), IMAGE_NOTE_AT + 32, 8);
            image_put(image, PH(notes[i], FILESZ), i == bad ? 11 : 36, 8);
        }
        assert_int_equal(make(IMAGE_SIZE, NULL), bad == 4 ? 0 : ELFPARSE_ENOTE);
        if (bad != 4)
            assert_int_equal(error.phdr, notes[bad]);
    }
}

/* The bytes of a PT_NOTE are those of PT_GNU_PROPERTY if offset and size are the same. */
static void o8_notes_next_to_the_property(void **state)
{
    struct elfparse_policy policy = elfparse_policy_kernel;
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_storage storage = {scratch, SCRATCH, ranges, RANGES};
    static const struct {
        uint64_t offset, size;
        unsigned calls;
    } notes[] = {{IMAGE_NOTE_AT, 0x20, 1}, {IMAGE_NOTE_AT, 0x44, 2}, {IMAGE_NOTE_AT + 32, 0x20, 2}};

    for (unsigned i = 0; i < 3; i++) {
        struct listener listener = {0, 0, {0}};

        image_make(image);
        image_put(image, IMAGE_NOTE_AT, 100, 4);
        image_put(image, IMAGE_NOTE_AT + 32, 100, 4);
        image_put(image, PH(IMAGE_NOTE, OFFSET), notes[i].offset, 8);
        image_put(image, PH(IMAGE_NOTE, FILESZ), notes[i].size, 8);
        assert_int_equal(
            elfparse_plan_diagnose(&reader, &policy, &storage, &plan, listen, &listener),
            ELFPARSE_ENOTE);
        assert_int_equal(listener.calls, notes[i].calls);
    }
}

static void o2_a_nul_at_any_place_but_the_last(void **state)
{
    for (uint64_t size = 2; size <= 0x40; size++) {
        for (uint64_t nul = 0; nul <= size; nul++) {
            image_make(image);
            memset(image + 0x1000, '/', 0x40);
            image_put(image, PH(IMAGE_INTERP, OFFSET), 0x1000, 8);
            image_put(image, PH(IMAGE_INTERP, FILESZ), size, 8);
            image[0x1000 + nul] = 0;
            assert_int_equal(make(0x1100, NULL), nul == size - 1 ? 0 : ELFPARSE_EINTERPNUL);
            assert_int_equal(nul == size - 1 ? plan.interp.size : error.found,
                             nul == size - 1 ? size : nul);
        }
    }
}

/* Table not at 64, path far away, two notes: with scratch of any size the plan is the same. */
static void headers_may_move_in_the_scratch(void **state)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, 0x1100);
    struct elfparse_plan whole;
    unsigned accepted = 0;

    image_make(image);
    image_put(image, PH(IMAGE_STACK, TYPE), 4, 4);
    image_put(image, PH(IMAGE_STACK, OFFSET), IMAGE_NOTE_AT + 32, 8);
    image_put(image, PH(IMAGE_STACK, FILESZ), 36, 8);
    memcpy(image + 0x1000, image + IMAGE_INTERP_AT, 0x1c);
    image_put(image, PH(IMAGE_INTERP, OFFSET), 0x1000, 8);
    image_put(image, PH(IMAGE_PHDR, OFFSET), 72, 8);
    image_put(image, PH(IMAGE_PHDR, VADDR), 72, 8);
    memmove(image + 72, image + 64, IMAGE_PHNUM * 56);
    image_put(image, E_PHOFF, 72, 8);
    assert_int_equal(make(0x1100, NULL), 0);
    whole = plan;
    for (size_t size = 0; size < 1300; size++) {
        struct elfparse_storage storage = {scratch, size, ranges, RANGES};

        memset(scratch, 0xa5, sizeof(scratch));
        if (elfparse_plan_make(&reader, NULL, &storage, &plan, &error) != 0) {
            assert_int_equal(error.code, ELFPARSE_ESCRATCH);
            continue;
        }
        accepted++;
        assert_string_equal(plan.interp.path, "/lib64/ld-linux-x86-64.so.2");
        plan.interp.path = whole.interp.path;
        assert_memory_equal(&plan, &whole, sizeof(plan));
    }
    assert_int_equal(accepted, 1300 - ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c));
}

/* A segment of whole pages, a split and zeros, judged at once (p_align 4096) and closely (16). */
static void ranges_beyond_the_capacity_are_counted_alone(void **state)
{
    static const uint64_t aligns[] = {4096, 16};

    for (unsigned a = 0; a < 2; a++) {
        image_make(image);
        image_put(image, PH(IMAGE_DATA, ALIGN), aligns[a], 8);
        image_put(image, PH(IMAGE_DATA, FILESZ), 0xb00, 8);
        for (uint32_t capacity = 0; capacity <= 7; capacity++) {
            struct elfparse_reader reader = elfparse_reader_memory(image, 0x1100);
            struct elfparse_storage storage = {scratch, SCRATCH, ranges, capacity};
            struct elfparse_range untouched;
            int code;

            memset(ranges, 0x5a, sizeof(ranges));
            untouched = ranges[RANGES];
            code = elfparse_plan_make(&reader, NULL, &storage, &plan, &error);
            assert_int_equal(code, capacity < 6 ? ELFPARSE_ERANGES : 0);
            assert_int_equal(code == 0 ? plan.range_count : error.expected, 6);
            assert_memory_equal(&ranges[capacity], &untouched, sizeof(untouched));
        }
    }
}

/* Nothing of it is looked at where the capacity is 0. */
static void no_ranges_at_all(void **state)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_storage storage = {scratch, SCRATCH, NULL, 0};

    image_make(image);
    assert_int_equal(elfparse_plan_make(&reader, NULL, &storage, &plan, &error), ELFPARSE_ERANGES);
    assert_int_equal(error.expected, 5);
}

/* Types next to those that the library knows are unknown, however many there are of them. */
static void o9_unknown_types_may_repeat(void **state)
{
    static const uint32_t types[] = {0, 5, 8, 9, 0x6474e548, 0x6474e54e, 0x6474e54f, 0x6474e550,
                                     0x6474e554, 0x6474e555, 0xffffffff};

    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        image_make(image);
        image_put(image, PH(IMAGE_NOTE, TYPE), types[i], 4);
        image_put(image, PH(IMAGE_PROPERTY, TYPE), types[i], 4);
        image_put(image, PH(IMAGE_TLS, TYPE), types[i], 4);
        assert_int_equal(make(IMAGE_SIZE, NULL), 0);
        assert_int_equal(plan.tls.memsz, 0);
        assert_int_equal(plan.features, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diagnosis_stops_where_it_is_told),
        cmocka_unit_test(l5_limit_below_a_page),
        cmocka_unit_test(o3_table_in_a_later_segment),
        cmocka_unit_test(o4_dynamic_in_the_first_segment),
        cmocka_unit_test(o7_relro_in_an_earlier_segment),
        cmocka_unit_test(o8_every_note_is_looked_at),
        cmocka_unit_test(o8_notes_next_to_the_property),
        cmocka_unit_test(o2_a_nul_at_any_place_but_the_last),
        cmocka_unit_test(headers_may_move_in_the_scratch),
        cmocka_unit_test(ranges_beyond_the_capacity_are_counted_alone),
        cmocka_unit_test(no_ranges_at_all),
        cmocka_unit_test(o9_unknown_types_may_repeat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
