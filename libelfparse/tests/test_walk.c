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

/* Asked to stop at any of its reports a diagnosis makes no other; it answers with the first one. */
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

/* One header after another is wrong together with the last thing to be judged, a PT_NOTE. */
static void diagnosis_stops_between_two_headers(void **state)
{
    static const struct {
        uint32_t at, bytes;
        uint64_t value;
    } wrong[] = {
        {PH(IMAGE_INTERP, FILESZ), 8, 1},
        {PH(IMAGE_INTERP, FILESZ), 8, 5},
        {IMAGE_INTERP_AT, 1, 'l'},
        {PH(IMAGE_PHDR, VADDR), 8, 72},
        {PH(IMAGE_DYNAMIC, VADDR), 8, 0x9000},
        {IMAGE_DYNAMIC_AT + 0x30, 8, 5},
        {PH(IMAGE_TLS, ALIGN), 8, 3},
        {PH(IMAGE_STACK, FLAGS), 4, 7},
        {PH(IMAGE_RELRO, VADDR), 8, 0x100},
        {PH(IMAGE_RELRO, MEMSZ), 8, 0x8000},
        {PH(IMAGE_PROPERTY, OFFSET), 8, 0x10000},
        {PH(IMAGE_PROPERTY, FILESZ), 8, 0x1f},
    };
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_storage storage = {scratch, SCRATCH, ranges, RANGES};
    struct elfparse_policy policy = elfparse_policy_kernel;

    policy.refuse |= ELFPARSE_TRAIT_NOTES;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        for (unsigned stop = 0; stop <= 2; stop++) {
            struct listener listener = {0, stop, {0}};

            image_make(image);
            if (wrong[i].at == IMAGE_DYNAMIC_AT + 0x30)
                memset(image + IMAGE_DYNAMIC_AT, 5, 0xa0);
            image_put(image, wrong[i].at, wrong[i].value, wrong[i].bytes);
            image_put(image, PH(IMAGE_NOTE, OFFSET), 0x10000, 8);
            assert_int_not_equal(
                elfparse_plan_diagnose(&reader, &policy, &storage, &plan, listen, &listener), 0);
            assert_true(stop == 0 ? listener.calls >= 2 : listener.calls == stop);
        }
    }
}

static unsigned count_calls(const struct elfparse_policy *policy, unsigned stop)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_storage storage = {scratch, SCRATCH, ranges, RANGES};
    struct listener listener = {0, stop, {0}};

    assert_int_not_equal(
        elfparse_plan_diagnose(&reader, policy, &storage, &plan, listen, &listener), 0);
    return listener.calls;
}

static void diagnosis_of_policies_and_traits(void **state)
{
    struct elfparse_policy policy = elfparse_policy_kernel;

    image_make(image);
    image_put(image, PH(IMAGE_NOTE, OFFSET), 0x10000, 8);
    policy.refuse |= ELFPARSE_TRAIT_INTERP | ELFPARSE_TRAIT_NOTES;
    assert_int_equal(count_calls(&policy, 0), 2);
    assert_int_equal(count_calls(&policy, 1), 1);
    policy.user_min = 0;
    assert_int_equal(count_calls(&policy, 0), 1);
    policy.user_min = 0x1000;
    policy.user_end = 0;
    assert_int_equal(count_calls(&policy, 0), 1);
}

/* An Ehdr that is looked at closely: ET_EXEC with a trait. */
static void e5_unusual_program_at_a_fixed_address(void **state)
{
    image_make(image);
    image_put(image, 7, 3, 1); /* OSABI GNU */
    image_put(image, E_TYPE, ELFPARSE_ET_EXEC, 2);
    assert_int_equal(make(IMAGE_SIZE, &elfparse_policy_linux_compat), ELFPARSE_ERANGE);
    for (unsigned i = IMAGE_TEXT_R; i <= IMAGE_DATA; i++)
        image_put(image, PH(i, TYPE), i == IMAGE_TEXT_X ? 1 : 0, 4);
    for (unsigned i = IMAGE_DYNAMIC; i <= IMAGE_RELRO; i++)
        image_put(image, PH(i, TYPE), 0, 4);
    image_put(image, PH(IMAGE_PHDR, TYPE), 0, 4);
    assert_int_equal(make(IMAGE_SIZE, &elfparse_policy_linux_compat), 0);
    assert_int_equal(plan.traits, ELFPARSE_TRAIT_FIXED | ELFPARSE_TRAIT_INTERP);
    assert_int_equal(plan.type, ELFPARSE_ET_EXEC);
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

/* Of the segments that map the file's first bytes only the second shows the whole table. */
static void o3_table_in_a_later_segment(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_PHDR, TYPE), 0, 4);
    image_put(image, PH(IMAGE_TEXT_R, FILESZ), 735, 8);
    image_put(image, PH(IMAGE_TEXT_R, MEMSZ), 736, 8);
    image_put(image, PH(IMAGE_TEXT_R, FLAGS), 6, 4);
    image_put(image, PH(IMAGE_RODATA, OFFSET), 0, 8);
    image_put(image, PH(IMAGE_RODATA, VADDR), 0x2000, 8);
    image_put(image, PH(IMAGE_RODATA, FILESZ), 736, 8);
    image_put(image, PH(IMAGE_RODATA, MEMSZ), 736, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 0x2040);
    image_put(image, PH(IMAGE_RODATA, FILESZ), 735, 8);
    image_put(image, PH(IMAGE_RODATA, FLAGS), 6, 4);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 0);
}

/* Reading the path moves the copied table, and the other headers still find their segments. */
static void e9_a_table_that_moves_keeps_its_segments(void **state)
{
    size_t size = ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c);
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_storage little = {scratch, size, ranges, RANGES};

    for (size_t table = PH(0, TYPE); table <= PH(0, TYPE) + 24; table += 8) {
        image_make(image);
        memmove(image + table, image + PH(0, TYPE), IMAGE_PHNUM * (size_t)ELFPARSE_PHDR_SIZE);
        image_put(image, E_PHOFF, table, 8);
        image_put(image, table + PH(IMAGE_PHDR, VADDR) - PH(0, TYPE), table, 8);
        assert_int_equal(elfparse_plan_make(&reader, NULL, &little, &plan, &error), 0);
        assert_int_equal(plan.phdr_vaddr, table);
        assert_int_equal(plan.dynamic.size, 0x40);
        assert_int_equal(plan.tls.offset, 0x540);
        assert_int_equal(plan.relro.vaddr, 0x3540);
    }
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
    assert_int_equal(make(IMAGE_SIZE, NULL), 0); /* it ends beyond the segment, in its page */
    assert_int_equal(plan.dynamic.size, 16);
    image_put(image, PH(IMAGE_DYNAMIC, OFFSET), IMAGE_SIZE, 8);
    image_put(image, PH(IMAGE_DYNAMIC, VADDR), IMAGE_SIZE, 8);
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
    image_put(image, PH(IMAGE_RELRO, MEMSZ), 0xa00, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.relro.size, 0xa00);
    image_put(image, PH(IMAGE_RELRO, MEMSZ), 0x1aff, 8); /* is cut at the end of the page */
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.relro.size, 0xb00);
    image_put(image, PH(IMAGE_RELRO, MEMSZ), 0x1b00, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), ELFPARSE_ERELRO);
    assert_int_equal(error.expected, 0x3000);
    assert_int_equal(error.found, 0x4000);
}

/* Of four PT_NOTEs, with others between them, one after another is too short. */
static void check_every_note(uint32_t property_type)
{
    static const unsigned notes[] = {IMAGE_PHDR, IMAGE_NOTE, IMAGE_STACK, IMAGE_RELRO};
    struct elfparse_policy policy = elfparse_policy_kernel;

    policy.refuse |= ELFPARSE_TRAIT_NOTES;

    for (unsigned bad = 0; bad <= 4; bad++) {
        image_make(image);
        image_put(image, PH(IMAGE_PROPERTY, TYPE), property_type, 4);
        for (unsigned i = 0; i < 4; i++) {
            image_put(image, PH(notes[i], TYPE), 4, 4);
            image_put(image, PH(notes[i], OFFSET), IMAGE_NOTE_AT + 32, 8);
            image_put(image, PH(notes[i], FILESZ), i == bad ? 11 : 36, 8);
        }
        assert_int_equal(make(IMAGE_SIZE, &policy), bad == 4 ? 0 : ELFPARSE_ENOTE);
        if (bad != 4)
            assert_int_equal(error.phdr, notes[bad]);
    }
}

static void o8_every_note_is_looked_at(void **state)
{
    check_every_note(ELFPARSE_PT_GNU_PROPERTY);
    check_every_note(ELFPARSE_PT_NULL);
}

/* The usual layout: a PT_NOTE with the bytes of PT_GNU_PROPERTY, others, and one more PT_NOTE. */
static void o8_a_note_after_that_of_the_property(void **state)
{
    static const uint64_t sizes[] = {36, 11};
    struct elfparse_policy policy = elfparse_policy_kernel;

    policy.refuse |= ELFPARSE_TRAIT_NOTES;

    for (unsigned i = 0; i < 2; i++) {
        image_make(image);
        image_put(image, PH(IMAGE_NOTE, FILESZ), 0x20, 8);
        image_put(image, PH(IMAGE_TLS, TYPE), 0x60000000, 4);
        image_put(image, PH(IMAGE_TLS, FILESZ), 3, 8);
        image_put(image, PH(IMAGE_STACK, TYPE), 4, 4);
        image_put(image, PH(IMAGE_STACK, OFFSET), IMAGE_NOTE_AT + 32, 8);
        image_put(image, PH(IMAGE_STACK, FILESZ), sizes[i], 8);
        assert_int_equal(make(IMAGE_SIZE, &policy), i == 0 ? 0 : ELFPARSE_ENOTE);
        assert_int_equal(plan.build_id.size, i == 0 ? 20 : 0);
    }
}

/* What lies between two PT_NOTEs is none, also where there is no PT_GNU_PROPERTY. */
static void o8_other_headers_are_no_notes(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_PROPERTY, TYPE), 0x60000000, 4);
    image_put(image, PH(IMAGE_PROPERTY, FILESZ), 11, 8);
    image_put(image, PH(IMAGE_STACK, TYPE), 4, 4);
    image_put(image, PH(IMAGE_STACK, OFFSET), IMAGE_NOTE_AT + 32, 8);
    image_put(image, PH(IMAGE_STACK, FILESZ), 36, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.features, ELFPARSE_FEATURE_IBT | ELFPARSE_FEATURE_SHSTK);
}

/* Entry 0 is none, though executable bytes may lie there. */
static void o1_entry_0_in_an_executable_segment(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_TEXT_R, FLAGS), 5, 4);
    image_put(image, E_ENTRY, 0, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), ELFPARSE_ENOENTRY);
    assert_int_equal(make(IMAGE_SIZE, &elfparse_policy_linux_compat), 0);
    assert_int_equal(plan.traits, ELFPARSE_TRAIT_NO_ENTRY | ELFPARSE_TRAIT_INTERP);
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

    policy.refuse |= ELFPARSE_TRAIT_NOTES;
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

/* The path ends at its first NUL; there must be something before it, and one in the last byte. */
static void o2_the_first_nul_at_any_place(void **state)
{
    for (uint64_t size = 2; size <= 0x40; size++) {
        for (uint64_t nul = 0; nul <= size; nul++) {
            int code = nul == 0 || nul == size ? ELFPARSE_EINTERPNUL : 0;

            image_make(image);
            memset(image + 0x1000, '/', 0x40);
            image_put(image, PH(IMAGE_INTERP, OFFSET), 0x1000, 8);
            image_put(image, PH(IMAGE_INTERP, FILESZ), size, 8);
            image[0x1000 + size - 1] = 0;
            if (nul == size)
                image[0x1000 + size - 1] = '/';
            image[0x1000 + nul] = 0;
            assert_int_equal(make(0x1100, NULL), code);
            assert_int_equal(code == 0 ? plan.interp.size : error.expected, size - (code != 0));
            assert_int_equal(code == 0 ? strlen(plan.interp.path) : error.found, nul);
        }
    }
}

/* Table not at 64, path far away: with scratch of any size the plan is the same. */
static void move_headers(uint32_t stack_type)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, 0x1100);
    struct elfparse_plan whole;
    unsigned accepted = 0;

    image_make(image);
    image_put(image, PH(IMAGE_STACK, TYPE), stack_type, 4);
    image_put(image, PH(IMAGE_STACK, OFFSET), IMAGE_NOTE_AT + 32, 8);
    image_put(image, PH(IMAGE_STACK, FILESZ), 36, 8);
    memcpy(image + 0x1000, image + IMAGE_INTERP_AT, 0x1c);
    image_put(image, PH(IMAGE_INTERP, OFFSET), 0x1000, 8);
    image_put(image, PH(IMAGE_PHDR, OFFSET), 120, 8);
    image_put(image, PH(IMAGE_PHDR, VADDR), 120, 8);
    memmove(image + 120, image + 64, IMAGE_PHNUM * 56);
    image_put(image, E_PHOFF, 120, 8);
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

static void headers_may_move_in_the_scratch(void **state)
{
    move_headers(ELFPARSE_PT_GNU_STACK);
    move_headers(ELFPARSE_PT_NOTE);
}

/* Where the path took its place in the scratch a note is read again. */
static void what_the_path_overwrote_is_not_looked_at(void **state)
{
    static const uint8_t note[] = {4, 0, 0,   0,   4,   0, 0, 0, 3, 0,
                                   0, 0, 'G', 'N', 'U', 0, 1, 2, 3, 4};
    const uint32_t at = 64 + IMAGE_PHNUM * 56;
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_storage storage = {scratch, ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c), ranges,
                                       RANGES};

    image_make(image);
    memcpy(image + at, note, sizeof(note));
    image_put(image, PH(IMAGE_NOTE, OFFSET), at, 8);
    image_put(image, PH(IMAGE_NOTE, FILESZ), sizeof(note), 8);
    image_put(image, PH(IMAGE_PROPERTY, TYPE), 0, 4);
    assert_int_equal(elfparse_plan_make(&reader, NULL, &storage, &plan, &error), 0);
    assert_string_equal(plan.interp.path, "/lib64/ld-linux-x86-64.so.2");
    assert_int_equal(plan.build_id.offset, at + 16);
    assert_int_equal(plan.build_id.size, 4);
}

static int read_counted(void *ctx, uint64_t offset, void *buf, size_t len)
{
    ++*(unsigned *)ctx;
    memcpy(buf, image + offset, len);
    return 0;
}

/* What the first read brings is not read again, the end of PT_DYNAMIC neither. */
static void one_read_brings_all_that_is_near(void **state)
{
    for (unsigned null = 0; null < 2; null++) {
        unsigned reads = 0;
        struct elfparse_reader reader = {read_counted, &reads, IMAGE_SIZE};
        struct elfparse_storage storage = {scratch, SCRATCH, ranges, RANGES};

        image_make(image);
        image_put(image, PH(IMAGE_DYNAMIC, OFFSET), 0x3c0, 8);
        image_put(image, PH(IMAGE_DYNAMIC, VADDR), 0x3c0, 8);
        image[0x3f0] = (uint8_t)null;
        assert_int_equal(elfparse_plan_make(&reader, NULL, &storage, &plan, &error), 0);
        assert_int_equal(reads, 1);
    }
}

/* Several things wrong with one header are all reported. */
static void all_faults_of_one_header_are_found(void **state)
{
    static const struct {
        uint32_t index;
        uint64_t vaddr, filesz, memsz, align;
        unsigned calls;
    } wrong[] = {
        {IMAGE_DATA, 0x3540, 0xffff, 0x2000, 0x1000, 2},
        {IMAGE_RODATA, 0x7fffffffe500, 0x40, 0, 0x1000, 1},
        {IMAGE_RODATA, 0x7ffffffff500, 0x40, 0, 0x1000, 2},
        {IMAGE_TLS, 0x7ffffffff001, 0, 0x40, 3, 2},
        {IMAGE_TLS, 0x7ffffffff001, 0, 0x40, 0x80000000, 2},
        {IMAGE_TLS, 0x7ffffffff000, 0, 0x40, 0x80000000, 1},
        {IMAGE_TLS, 0x7ffffffff000, 0, 0x40, 3, 1},
        {IMAGE_TLS, 0x3540, 0x10, 0xf, 3, 2},
    };
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
    struct elfparse_storage storage = {scratch, SCRATCH, ranges, RANGES};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct listener listener = {0, 0, {0}};

        image_make(image);
        image_put(image, PH(wrong[i].index, VADDR), wrong[i].vaddr, 8);
        image_put(image, PH(wrong[i].index, FILESZ), wrong[i].filesz, 8);
        image_put(image, PH(wrong[i].index, MEMSZ), wrong[i].memsz, 8);
        image_put(image, PH(wrong[i].index, ALIGN), wrong[i].align, 8);
        if (wrong[i].index == IMAGE_DATA) { /* what lies in it is no subject here */
            image_put(image, PH(IMAGE_DYNAMIC, TYPE), 0, 4);
            image_put(image, PH(IMAGE_TLS, TYPE), 0, 4);
            image_put(image, PH(IMAGE_RELRO, TYPE), 0, 4);
        }
        elfparse_plan_diagnose(&reader, NULL, &storage, &plan, listen, &listener);
        assert_int_equal(listener.calls, wrong[i].calls);
    }
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

/* A file may be without any of the others. */
static void o9_each_header_may_be_missing(void **state)
{
    for (unsigned i = 0; i < IMAGE_PHNUM; i++) {
        if (i >= IMAGE_TEXT_R && i <= IMAGE_DATA)
            continue;
        image_make(image);
        image_put(image, PH(i, TYPE), 0, 4);
        assert_int_equal(make(IMAGE_SIZE, NULL), 0);
        assert_int_equal(plan.relro.size != 0, i != IMAGE_RELRO);
        assert_int_equal(plan.dynamic.size != 0, i != IMAGE_DYNAMIC);
        assert_int_equal(plan.interp.path != NULL, i != IMAGE_INTERP);
        assert_int_equal(plan.build_id.size != 0, i != IMAGE_NOTE);
        assert_int_equal(plan.stack_flags, 6);
        assert_int_equal(plan.phdr_vaddr, 64);
    }
}

/* Types next to those that the library knows are unknown, however many there are of them. */
static void o9_unknown_types_may_repeat(void **state)
{
    static const uint32_t types[] = {0,          5,          8,          9,
                                     0x6474e548, 0x6474e54e, 0x6474e54f, 0x6474e550,
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
        cmocka_unit_test(diagnosis_stops_between_two_headers),
        cmocka_unit_test(diagnosis_of_policies_and_traits),
        cmocka_unit_test(o8_a_note_after_that_of_the_property),
        cmocka_unit_test(o8_other_headers_are_no_notes),
        cmocka_unit_test(o1_entry_0_in_an_executable_segment),
        cmocka_unit_test(e5_unusual_program_at_a_fixed_address),
        cmocka_unit_test(l5_limit_below_a_page),
        cmocka_unit_test(o3_table_in_a_later_segment),
        cmocka_unit_test(e9_a_table_that_moves_keeps_its_segments),
        cmocka_unit_test(o4_dynamic_in_the_first_segment),
        cmocka_unit_test(o7_relro_in_an_earlier_segment),
        cmocka_unit_test(o8_every_note_is_looked_at),
        cmocka_unit_test(o8_notes_next_to_the_property),
        cmocka_unit_test(o2_the_first_nul_at_any_place),
        cmocka_unit_test(headers_may_move_in_the_scratch),
        cmocka_unit_test(what_the_path_overwrote_is_not_looked_at),
        cmocka_unit_test(one_read_brings_all_that_is_near),
        cmocka_unit_test(all_faults_of_one_header_are_found),
        cmocka_unit_test(ranges_beyond_the_capacity_are_counted_alone),
        cmocka_unit_test(no_ranges_at_all),
        cmocka_unit_test(o9_each_header_may_be_missing),
        cmocka_unit_test(o9_unknown_types_may_repeat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
