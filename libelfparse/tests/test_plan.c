/* What a plan says: ranges, everything a loader needs besides, storage, load bias, readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"

#define RANGES 16

static uint8_t image[IMAGE_MAX];
static uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
static struct elfparse_range ranges[RANGES];
static const struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES};
static struct elfparse_plan plan;
static struct elfparse_error error;

static int make(size_t size, const struct elfparse_policy *policy)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, size);

    memset(&plan, 0xa5, sizeof(plan));
    return elfparse_plan_make(&reader, policy, &storage, &plan, &error);
}

static void set_load(size_t index, uint64_t flags, uint64_t offset, uint64_t vaddr, uint64_t filesz,
                     uint64_t memsz)
{
    image_put(image, PH(index, TYPE), 1, 4);
    image_put(image, PH(index, FLAGS), flags, 4);
    image_put(image, PH(index, OFFSET), offset, 8);
    image_put(image, PH(index, VADDR), vaddr, 8);
    image_put(image, PH(index, FILESZ), filesz, 8);
    image_put(image, PH(index, MEMSZ), memsz, 8);
    image_put(image, PH(index, ALIGN), 0x1000, 8);
}

/* One data segment and the text that holds the entry; all other headers are PT_NULL. */
static void make_data(uint64_t offset, uint64_t vaddr, uint64_t filesz, uint64_t memsz)
{
    image_make(image);
    for (size_t i = 0; i < IMAGE_PHNUM; i++)
        image_put(image, PH(i, TYPE), 0, 4);
    set_load(0, 5, 0x480, 0x1480, 0x80, 0x80);
    set_load(1, 6, offset, vaddr, filesz, memsz);
}

static void assert_range(size_t i, uint32_t kind, uint64_t vaddr, uint64_t size, uint64_t offset,
                         uint64_t file_bytes, uint32_t prot, uint32_t segment)
{
    const struct elfparse_range *r = &plan.ranges[i];

    assert_int_equal(r->kind, kind);
    assert_int_equal(r->vaddr, vaddr);
    assert_int_equal(r->size, size);
    assert_int_equal(r->offset, offset);
    assert_int_equal(r->file_bytes, file_bytes);
    assert_int_equal(r->prot, prot);
    assert_int_equal(r->segment, segment);
}

/* A path of 9 bytes or more is looked at by words, and what the policy says of it holds as well. */
static void a_usual_path(void **state)
{
    struct elfparse_policy policy = elfparse_policy_linux_compat;
    const char path[] = "/lib/ld-linux.so";

    image_make(image);
    memcpy(image + IMAGE_INTERP_AT, path, sizeof(path));
    image_put(image, PH(IMAGE_INTERP, FILESZ), sizeof(path), 8);
    policy.max_interp = sizeof(path);
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    assert_string_equal(plan.interp.path, path);
    assert_int_equal(plan.interp.offset, IMAGE_INTERP_AT);
    assert_int_equal(plan.interp.size, sizeof(path));
    policy.max_interp--;
    assert_int_equal(make(IMAGE_SIZE, &policy), ELFPARSE_EINTERPSIZE);
    policy.max_interp++;
    policy.refuse |= ELFPARSE_TRAIT_INTERP;
    assert_int_equal(make(IMAGE_SIZE, &policy), ELFPARSE_EINTERP);
    policy.refuse -= ELFPARSE_TRAIT_INTERP;
    policy.contents -= ELFPARSE_READ_INTERP;
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    assert_null(plan.interp.path);
}

/* Longer than all that the first read brings; another path is in the scratch where it would be. */
static void a_long_path(void **state)
{
    static uint8_t large[4096];
    struct elfparse_storage room = {large, sizeof(large), ranges, RANGES};
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_MAX);

    image_make(image);
    memset(image + 0x800, '/', 0x4ff);
    memset(large + 0x800, 'a', 0x4ff);
    large[0x800] = '/';
    image_put(image, PH(IMAGE_INTERP, OFFSET), 0x800, 8);
    image_put(image, PH(IMAGE_INTERP, FILESZ), 0x500, 8);
    assert_int_equal(
        elfparse_plan_make(&reader, &elfparse_policy_linux_compat, &room, &plan, &error), 0);
    assert_memory_equal(plan.interp.path, image + 0x800, 0x500);
}

static void plan_of_the_image_is_whole(void **state)
{
    image_make(image);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.type, ELFPARSE_ET_DYN);
    assert_int_equal(plan.entry, IMAGE_ENTRY);
    assert_int_equal(plan.start, 0);
    assert_int_equal(plan.end, 0x6000);
    assert_int_equal(plan.align, 0x1000);
    assert_int_equal(plan.bias, 0);
    assert_int_equal(plan.memory, 0x2540);
    assert_int_equal(plan.phdr_vaddr, 64);
    assert_int_equal(plan.phnum, IMAGE_PHNUM);
    assert_int_equal(plan.load_count, 4);
    assert_int_equal(plan.traits, ELFPARSE_TRAIT_INTERP);
    assert_int_equal(plan.features, ELFPARSE_FEATURE_IBT | ELFPARSE_FEATURE_SHSTK);
    assert_int_equal(plan.stack_flags, 6);
    assert_int_equal(plan.stack_size, 0);
    assert_string_equal(plan.interp.path, "/lib64/ld-linux-x86-64.so.2");
    assert_int_equal(plan.interp.offset, IMAGE_INTERP_AT);
    assert_int_equal(plan.interp.size, 0x1c);
    assert_int_equal(plan.relro.vaddr, 0x3540);
    assert_int_equal(plan.relro.size, 0xac0);
    assert_int_equal(plan.dynamic.vaddr, 0x3560);
    assert_int_equal(plan.dynamic.size, 0x40);
    assert_int_equal(plan.build_id.offset, IMAGE_NOTE_AT + 48);
    assert_int_equal(plan.build_id.size, 20);
}

static void plan_of_the_image_has_its_tls(void **state)
{
    image_make(image);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.tls.vaddr, 0x3540);
    assert_int_equal(plan.tls.offset, 0x540);
    assert_int_equal(plan.tls.filesz, 0x10);
    assert_int_equal(plan.tls.memsz, 0x40);
    assert_int_equal(plan.tls.align, 16);
    image_put(image, PH(IMAGE_TLS, ALIGN), 0, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.tls.align, 1);
}

static void plan_of_the_image_has_its_ranges(void **state)
{
    image_make(image);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.range_count, 5);
    assert_range(0, ELFPARSE_RANGE_FILE, 0, 0x1000, 0, 0x600, 4, IMAGE_TEXT_R);
    assert_range(1, ELFPARSE_RANGE_FILE, 0x1000, 0x1000, 0, 0x600, 5, IMAGE_TEXT_X);
    assert_range(2, ELFPARSE_RANGE_FILE, 0x2000, 0x1000, 0, 0x600, 4, IMAGE_RODATA);
    assert_range(3, ELFPARSE_RANGE_SPLIT, 0x3000, 0x1000, 0, 0x600, 6, IMAGE_DATA);
    assert_range(4, ELFPARSE_RANGE_ZERO, 0x4000, 0x2000, 0, 0, 6, IMAGE_DATA);
}

/* R1, R6: the zero tail is zero although the file goes on, and need not lie in the file. */
static void l12_zero_tail_ignores_what_the_file_has_there(void **state)
{
    make_data(0x540, 0x3540, 0x40, 0x41);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.range_count, 2);
    assert_range(1, ELFPARSE_RANGE_SPLIT, 0x3000, 0x1000, 0, 0x580, 6, 1);
}

static void l12_file_bytes_that_end_with_a_page_need_no_split(void **state)
{
    make_data(0x540, 0x3540, 0xac0, 0xac1);
    assert_int_equal(make(IMAGE_MAX, NULL), 0);
    assert_int_equal(plan.range_count, 3);
    assert_range(1, ELFPARSE_RANGE_FILE, 0x3000, 0x1000, 0, 0x1000, 6, 1);
    assert_range(2, ELFPARSE_RANGE_ZERO, 0x4000, 0x1000, 0, 0, 6, 1);
}

static void l12_whole_pages_then_split_then_zero(void **state)
{
    make_data(0x540, 0x3540, 0xac1, 0x2000);
    assert_int_equal(make(IMAGE_MAX, NULL), 0);
    assert_int_equal(plan.range_count, 4);
    assert_range(1, ELFPARSE_RANGE_FILE, 0x3000, 0x1000, 0, 0x1000, 6, 1);
    assert_range(2, ELFPARSE_RANGE_SPLIT, 0x4000, 0x1000, 0x1000, 1, 6, 1);
    assert_range(3, ELFPARSE_RANGE_ZERO, 0x5000, 0x1000, 0, 0, 6, 1);
}

static void l12_split_page_that_is_the_last_one(void **state)
{
    make_data(0x540, 0x3540, 0xac1, 0x1ac0);
    assert_int_equal(make(IMAGE_MAX, NULL), 0);
    assert_int_equal(plan.range_count, 3);
    assert_range(2, ELFPARSE_RANGE_SPLIT, 0x4000, 0x1000, 0x1000, 1, 6, 1);
}

static void l12_bss_alone_has_no_file_bytes(void **state)
{
    make_data(0x99540, 0x3540, 0, 0x10);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_range(1, ELFPARSE_RANGE_ZERO, 0x3000, 0x1000, 0, 0, 6, 1);
    make_data(0x99540, 0x3540, 0,
              0x1ac1); /* as long as if it began with its page, and a byte more */
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_range(1, ELFPARSE_RANGE_ZERO, 0x3000, 0x3000, 0, 0, 6, 1);
}

static void l12_past_the_end_of_the_file_is_zero(void **state)
{
    make_data(0x540, 0x3540, 0xc0, 0xc0);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_range(1, ELFPARSE_RANGE_FILE, 0x3000, 0x1000, 0, 0x600, 6, 1);
    assert_int_equal(make(0x1000, NULL), 0);
    assert_range(1, ELFPARSE_RANGE_FILE, 0x3000, 0x1000, 0, 0x1000, 6, 1);
    assert_int_equal(make(IMAGE_MAX, NULL), 0);
    assert_range(1, ELFPARSE_RANGE_FILE, 0x3000, 0x1000, 0, 0x1000, 6, 1);
}

static void l7_shared_page_is_mapped_once(void **state)
{
    make_data(0x500, 0x1500, 0x1000, 0x1000);
    image_put(image, PH(1, FLAGS), 5, 4);
    assert_int_equal(make(IMAGE_MAX, NULL), 0);
    assert_int_equal(plan.range_count, 2);
    assert_range(0, ELFPARSE_RANGE_FILE, 0x1000, 0x1000, 0, 0x1000, 5, 0);
    assert_range(1, ELFPARSE_RANGE_FILE, 0x2000, 0x1000, 0x1000, 0x1000, 5, 1);
    make_data(0x500, 0x1500, 0x10, 0x10);
    image_put(image, PH(1, FLAGS), 5, 4);
    assert_int_equal(make(IMAGE_MAX, NULL), 0);
    assert_int_equal(plan.range_count, 1);
}

static void e9_table_elsewhere_is_found(void **state)
{
    image_make(image);
    memmove(image + 0x700, image + 64, IMAGE_PHNUM * 56);
    memset(image + 64, 0, IMAGE_PHNUM * 56);
    image_put(image, E_PHOFF, 0x700, 8);
    image_put(image, 0x700 + 8, 0x700, 8);
    image_put(image, 0x700 + 16, 0x700, 8);
    image_put(image, 0x700 + (PH(IMAGE_TEXT_R, FILESZ) - 64), 0xfff, 8);
    image_put(image, 0x700 + (PH(IMAGE_TEXT_R, MEMSZ) - 64), 0xfff, 8);
    assert_int_equal(make(0x1000, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 0x700);
    assert_int_equal(plan.range_count, 5);
}

static void o3_without_pt_phdr_the_table_is_looked_for(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_PHDR, TYPE), 0, 4);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 64);
    image_put(image, PH(IMAGE_TEXT_R, FILESZ), 735, 8);
    image_put(image, PH(IMAGE_TEXT_R, MEMSZ), 735, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 64);
    image_put(image, PH(IMAGE_TEXT_R, MEMSZ), 736, 8);
    image_put(image, PH(IMAGE_TEXT_R, FLAGS), 6, 4);
    image_put(image, PH(IMAGE_RODATA, TYPE), 0, 4);
    image_put(image, PH(IMAGE_RODATA, OFFSET), 0, 8);
    image_put(image, PH(IMAGE_RODATA, FILESZ), 0x600, 8);
    image_put(image, PH(IMAGE_RODATA, MEMSZ), 0x600, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 0);
    make_data(0x540, 0x3540, 0xc0, 0xc0);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.phdr_vaddr, 0);
}

/* Neither offset nor size of PT_DYNAMIC and PT_TLS decide: their bytes are those at p_vaddr. */
static void o4_o5_addresses_decide(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_TLS, OFFSET), 0x99999, 8);
    image_put(image, PH(IMAGE_DYNAMIC, OFFSET), 0x99999, 8);
    image_put(image, PH(IMAGE_DYNAMIC, FILESZ), 0x99999, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.tls.offset, 0x540);
    assert_int_equal(plan.dynamic.vaddr, 0x3560);
    assert_int_equal(plan.dynamic.size, 0x20); /* DT_NULL is the second entry */
    image_put(image, PH(IMAGE_DYNAMIC, FILESZ), 16, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.dynamic.size, 0x20);
}

/* What is not looked into has the size that its header says, as far as the file goes. */
static void o4_size_of_a_table_that_is_not_read(void **state)
{
    struct elfparse_policy policy = elfparse_policy_kernel;

    policy.contents = ELFPARSE_READ_NOTES;
    image_make(image);
    image_put(image, PH(IMAGE_DYNAMIC, OFFSET), 0x99999, 8);
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    assert_int_equal(plan.dynamic.size, 0x40);
    image_put(image, PH(IMAGE_DYNAMIC, FILESZ), 0x99999, 8);
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    assert_int_equal(plan.dynamic.size, 0xa0);
}

/* A build-id before the damage is kept; features are those of an undamaged header. */
static void o8_what_stands_before_the_damage_is_kept(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_PROPERTY, TYPE), 0, 4);
    image_put(image, PH(IMAGE_NOTE, FILESZ), 0x4f, 8); /* 11 bytes that are no note */
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.traits, ELFPARSE_TRAIT_INTERP | ELFPARSE_TRAIT_NOTES);
    assert_int_equal(plan.build_id.size, 20);
    assert_int_equal(plan.build_id.offset, IMAGE_NOTE_AT + 48);
    assert_int_equal(plan.features, 0);
    image_put(image, PH(IMAGE_PROPERTY, TYPE), ELFPARSE_PT_GNU_PROPERTY, 4);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.traits, ELFPARSE_TRAIT_INTERP | ELFPARSE_TRAIT_NOTES);
    assert_int_equal(plan.features, ELFPARSE_FEATURE_IBT | ELFPARSE_FEATURE_SHSTK);
    image_put(image, PH(IMAGE_PROPERTY, FILESZ), 0x1f, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.features, 0);
    image_put(image, PH(IMAGE_PROPERTY, OFFSET), 0x99999, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.traits, ELFPARSE_TRAIT_INTERP | ELFPARSE_TRAIT_NOTES);
    assert_int_equal(plan.features, 0);
    assert_int_equal(plan.build_id.size, 20);
}

/* O1: what names no entry leaves none in the plan. */
static void o1_an_entry_that_misses_is_none(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_INTERP, TYPE), 0, 4);
    image_put(image, E_ENTRY, 0x2500, 8);
    assert_int_equal(make(IMAGE_SIZE, &elfparse_policy_linux_compat), 0);
    assert_int_equal(plan.entry, 0);
    assert_int_equal(plan.traits, ELFPARSE_TRAIT_NO_ENTRY);
}

static void features_come_from_notes_where_there_is_no_property_header(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_PROPERTY, TYPE), 0, 4);
    image_put(image, IMAGE_NOTE_AT + 24, 0xff & ~2, 4);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.features, ELFPARSE_FEATURE_IBT);
    image_put(image, PH(IMAGE_NOTE, TYPE), 0, 4);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.features, 0);
    assert_int_equal(plan.build_id.size, 0);
}

static void notes_of_a_segment_do_not_override_the_property_header(void **state)
{
    image_make(image);
    memcpy(image + 0x440, image + IMAGE_NOTE_AT, 0x20);
    image_put(image, 0x440 + 24, 0, 4);
    image_put(image, PH(IMAGE_NOTE, OFFSET), 0x440, 8);
    image_put(image, PH(IMAGE_NOTE, FILESZ), 0x20, 8);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.features, ELFPARSE_FEATURE_IBT | ELFPARSE_FEATURE_SHSTK);
}

static void the_first_build_id_counts(void **state)
{
    image_make(image);
    image_put(image, PH(IMAGE_STACK, TYPE), 4, 4);
    image_put(image, PH(IMAGE_STACK, OFFSET), 0x500, 8);
    image_put(image, PH(IMAGE_STACK, FILESZ), 0x14, 8);
    image_put(image, PH(IMAGE_STACK, ALIGN), 4, 8);
    memcpy(image + 0x500, image + IMAGE_NOTE_AT + 32, 0x14);
    image_put(image, 0x504, 4, 4);
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_int_equal(plan.build_id.offset, IMAGE_NOTE_AT + 48);
}

static void too_few_ranges_say_how_many_are_needed(void **state)
{
    image_make(image);
    for (uint32_t capacity = 0; capacity < 7; capacity++) {
        struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
        struct elfparse_range *few = malloc(capacity * sizeof(*few) + 1);
        struct elfparse_storage small = {scratch, sizeof(scratch), few, capacity};
        int code = elfparse_plan_make(&reader, NULL, &small, &plan, &error);

        free(few);
        if (capacity >= 5) {
            assert_int_equal(code, 0);
            continue;
        }
        assert_int_equal(code, ELFPARSE_ERANGES);
        assert_int_equal(error.expected, 5);
        assert_int_equal(error.found, capacity);
    }
}

static void too_little_scratch_says_how_much_is_needed(void **state)
{
    size_t size = 0;

    image_make(image);
    for (int tries = 0; tries < 4; tries++) {
        struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
        uint8_t *little = malloc(size + 1);
        struct elfparse_storage small = {little, size, ranges, RANGES};
        int code = elfparse_plan_make(&reader, NULL, &small, &plan, &error);

        free(little);
        if (code == 0)
            break;
        assert_int_equal(code, ELFPARSE_ESCRATCH);
        assert_int_equal(error.found, size);
        assert_true(error.expected > size);
        size = (size_t)error.expected;
    }
    assert_int_equal(size, ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c));
}

/* Whatever it is given up to enough, the library stays in it (the sanitizer looks on). */
static void any_scratch_is_enough_or_refused(void **state)
{
    image_make(image);
    for (size_t size = 0; size <= ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c) + 200; size++) {
        struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);
        uint8_t *exact = malloc(size + (size == 0));
        struct elfparse_storage small = {exact, size, ranges, RANGES};
        int code = elfparse_plan_make(&reader, NULL, &small, &plan, &error);

        assert_int_equal(code,
                         size >= ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c) ? 0 : ELFPARSE_ESCRATCH);
        free(exact);
    }
}

struct failing {
    int countdown;
    int calls;
};

static int read_failing(void *ctx, uint64_t offset, void *buf, size_t len)
{
    struct failing *failing = ctx;

    assert_true(len > 0 && offset < IMAGE_SIZE && len <= IMAGE_SIZE - offset);
    failing->calls++;
    if (failing->countdown-- == 0)
        return -5;
    memcpy(buf, image + offset, len);
    return 0;
}

static void every_read_that_fails_is_reported(void **state)
{
    const size_t sizes[] = {ELFPARSE_SCRATCH_SIZE(IMAGE_PHNUM, 0x1c), ELFPARSE_SCRATCH_USUAL};

    image_make(image);
    image_put(image, IMAGE_DYNAMIC_AT + 0x30, 5, 8); /* DT_NULL is not the last entry */
    for (int s = 0; s < 2; s++) {
        struct elfparse_storage given = {scratch, sizes[s], ranges, RANGES};
        int code = -1;

        for (int n = 0; code != 0; n++) {
            struct failing failing = {n, 0};
            struct elfparse_reader reader = {read_failing, &failing, IMAGE_SIZE};

            code = elfparse_plan_make(&reader, NULL, &given, &plan, &error);
            if (code == 0) {
                assert_int_equal(failing.calls, n);
                assert_int_equal(n, s == 0 ? 10 : 4);
                break;
            }
            assert_int_equal(code, ELFPARSE_EREAD);
            assert_int_equal((int64_t)error.found, -5);
            assert_int_equal(plan.range_count, 0);
        }
    }
}

/* O10: a file whose headers read differently every time is judged and planned by one reading. */
static int read_once(void *ctx, uint64_t offset, void *buf, size_t len)
{
    uint8_t *seen = ctx;

    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)buf)[i] = seen[offset + i] ? 0xee : image[offset + i];
        seen[offset + i] = 1;
    }
    return 0;
}

static void o10_no_byte_is_needed_twice(void **state)
{
    uint8_t seen[IMAGE_SIZE] = {0};
    struct elfparse_reader reader = {read_once, seen, IMAGE_SIZE};

    image_make(image);
    assert_int_equal(elfparse_plan_make(&reader, NULL, &storage, &plan, &error), 0);
}

static void outputs_may_be_left_out(void **state)
{
    struct elfparse_reader reader = elfparse_reader_memory(image, IMAGE_SIZE);

    image_make(image);
    image[0] = 0;
    assert_int_equal(elfparse_plan_make(&reader, NULL, &storage, &plan, NULL), ELFPARSE_EMAGIC);
}

static void error_is_untouched_on_success(void **state)
{
    struct elfparse_error before;

    image_make(image);
    memset(&error, 0x5a, sizeof(error));
    before = error;
    assert_int_equal(make(IMAGE_SIZE, NULL), 0);
    assert_memory_equal(&error, &before, sizeof(error));
}

static void check_policy(uint64_t min, uint64_t end, int accepted)
{
    struct elfparse_policy policy = elfparse_policy_kernel;

    policy.user_min = min;
    policy.user_end = end;
    assert_int_equal(make(IMAGE_SIZE, &policy), accepted ? 0 : ELFPARSE_EARGUMENT);
    if (!accepted)
        assert_int_equal(error.rule, ELFPARSE_RULE_NONE);
}

static void policies_that_make_no_sense_are_refused(void **state)
{
    image_make(image);
    check_policy(0x1000, 0x10000, 1);
    check_policy(0, 0x10000, 0);
    check_policy(0xfff, 0x10000, 0);
    check_policy(0x1001, 0x10000, 0);
    check_policy(0x1000, 0x10001, 0);
    check_policy(0x1000, UINT64_C(1) << 56, 1);
    check_policy(0x1000, (UINT64_C(1) << 56) + 0x1000, 0);
    check_policy(0x11000, 0x10000, 0);
}

static void interpreter_needs_no_path_where_none_is_read(void **state)
{
    struct elfparse_policy policy = elfparse_policy_kernel;

    policy.contents = ELFPARSE_READ_DYNAMIC;
    image_make(image);
    image[IMAGE_INTERP_AT] = 0;
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    assert_null(plan.interp.path);
    assert_int_equal(plan.interp.size, 0x1c);
    assert_int_equal(plan.build_id.size, 0);
    policy.contents = ELFPARSE_READ_NOTES;
    image_put(image, IMAGE_DYNAMIC_AT + 0x10, 5, 8);
    image_put(image, IMAGE_DYNAMIC_AT + 0x20, 5, 8);
    image_put(image, IMAGE_DYNAMIC_AT + 0x30, 5, 8);
    assert_int_equal(make(IMAGE_SIZE, &policy), 0);
    assert_int_equal(plan.build_id.size, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usual_path),
        cmocka_unit_test(a_long_path),
        cmocka_unit_test(plan_of_the_image_is_whole),
        cmocka_unit_test(plan_of_the_image_has_its_tls),
        cmocka_unit_test(plan_of_the_image_has_its_ranges),
        cmocka_unit_test(l12_zero_tail_ignores_what_the_file_has_there),
        cmocka_unit_test(l12_file_bytes_that_end_with_a_page_need_no_split),
        cmocka_unit_test(l12_whole_pages_then_split_then_zero),
        cmocka_unit_test(l12_split_page_that_is_the_last_one),
        cmocka_unit_test(l12_bss_alone_has_no_file_bytes),
        cmocka_unit_test(l12_past_the_end_of_the_file_is_zero),
        cmocka_unit_test(l7_shared_page_is_mapped_once),
        cmocka_unit_test(e9_table_elsewhere_is_found),
        cmocka_unit_test(o3_without_pt_phdr_the_table_is_looked_for),
        cmocka_unit_test(o4_o5_addresses_decide),
        cmocka_unit_test(o4_size_of_a_table_that_is_not_read),
        cmocka_unit_test(o8_what_stands_before_the_damage_is_kept),
        cmocka_unit_test(o1_an_entry_that_misses_is_none),
        cmocka_unit_test(features_come_from_notes_where_there_is_no_property_header),
        cmocka_unit_test(notes_of_a_segment_do_not_override_the_property_header),
        cmocka_unit_test(the_first_build_id_counts),
        cmocka_unit_test(too_few_ranges_say_how_many_are_needed),
        cmocka_unit_test(too_little_scratch_says_how_much_is_needed),
        cmocka_unit_test(any_scratch_is_enough_or_refused),
        cmocka_unit_test(every_read_that_fails_is_reported),
        cmocka_unit_test(o10_no_byte_is_needed_twice),
        cmocka_unit_test(outputs_may_be_left_out),
        cmocka_unit_test(error_is_untouched_on_success),
        cmocka_unit_test(policies_that_make_no_sense_are_refused),
        cmocka_unit_test(interpreter_needs_no_path_where_none_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
