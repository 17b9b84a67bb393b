/* multiboot2_parse(): every tag bounded, truncated, wrapping. */
#include "test.h"

#include "boot/multiboot2.h"
#include "lib/cmdline.h"

/* Boot information that a test builds. It is copied to the end of a heap block of its size before
 * it is parsed, so that a read beyond it is detected. */
struct info {
    uint8_t bytes[16384];
    uint32_t size;
};

static void put32(struct info *info, uint32_t value)
{
    memcpy(info->bytes + info->size, &value, sizeof(value));
    info->size += 4;
}

static void put64(struct info *info, uint64_t value)
{
    memcpy(info->bytes + info->size, &value, sizeof(value));
    info->size += 8;
}

static void begin(struct info *info)
{
    memset(info, 0, sizeof(*info));
    info->size = 8;
}

static void tag(struct info *info, uint32_t type, uint32_t size)
{
    info->size = (info->size + 7) & ~7u;
    put32(info, type);
    put32(info, size);
}

static void bytes(struct info *info, const void *data, size_t size)
{
    memcpy(info->bytes + info->size, data, size);
    info->size += (uint32_t)size;
}

static void finish(struct info *info)
{
    tag(info, 0, 8);
    memcpy(info->bytes, &info->size, 4);
}

static const char *parse(const struct info *info, size_t limit, struct boot_info *out)
{
    size_t size = info->size < limit ? info->size : limit;
    uint8_t *exact = calloc(1, size < 16 ? 16 : size); /* the fixed part is always there */
    assert_non_null(exact);
    memcpy(exact, info->bytes, size);
    static struct boot_info before;
    memset(out, 0x5a, sizeof(*out));
    before = *out;
    const char *error = multiboot2_parse(exact, limit, out);
    if (error)
        assert_memory_equal(out, &before, sizeof(before));
    free(exact);
    return error;
}

static void expect(const struct info *info, const char *wanted)
{
    struct boot_info out;
    const char *error = parse(info, BOOT_INFO_MAX, &out);
    if (!wanted) {
        if (error)
            fail_msg("refused: %s", error);
        return;
    }
    assert_non_null(error);
    assert_string_equal(error, wanted);
}

static void cmdline_tag(struct info *info, const char *text, size_t size)
{
    tag(info, 1, (uint32_t)(8 + size));
    bytes(info, text, size);
}

static void module_tag(struct info *info, uint32_t start, uint32_t end, const char *name,
                       size_t size)
{
    tag(info, 3, (uint32_t)(16 + size));
    put32(info, start);
    put32(info, end);
    bytes(info, name, size);
}

static void mmap_tag(struct info *info, uint32_t entry_size, unsigned count)
{
    tag(info, 6, 16 + entry_size * count);
    put32(info, entry_size);
    put32(info, 0);
}

static void mmap_entry(struct info *info, uint64_t start, uint64_t length, uint32_t type)
{
    put64(info, start);
    put64(info, length);
    put32(info, type);
    put32(info, 0);
}

static void whole_information_is_read(void **state)
{
    (void)state;
    static const char command[] = "init=/x \"a b\"";
    static uint8_t headers[64];
    struct info info;
    struct boot_info out;
    begin(&info);
    cmdline_tag(&info, command, sizeof(command));
    module_tag(&info, 0x1000, 0x3000, "symbols", 8);
    module_tag(&info, 0x5000, 0x9000, "initrd", 7);
    mmap_tag(&info, 24, 3);
    mmap_entry(&info, 0, 0x9f000, 1);
    mmap_entry(&info, 0x9f000, 0x1000, 2);
    mmap_entry(&info, 0x100000, 0x700000, 1);
    tag(&info, 9, 20 + 64);
    put32(&info, 1);
    put32(&info, 64);
    put32(&info, 0);
    bytes(&info, headers, 64);
    tag(&info, 4711, 8);
    finish(&info);
    uint8_t *copy = malloc(info.size);
    memcpy(copy, info.bytes, info.size);
    assert_null(multiboot2_parse(copy, BOOT_INFO_MAX, &out));
    assert_string_equal(out.cmdline, command);
    assert_int_equal(out.nr_modules, 2);
    assert_string_equal(out.initrd_name, "initrd");
    assert_int_equal(out.initrd.start, 0x5000);
    assert_int_equal(out.initrd.end, 0x9000);
    assert_int_equal(out.nr_ram, 2);
    assert_int_equal(out.ram[0].end, 0x9f000);
    assert_int_equal(out.ram[1].start, 0x100000);
    assert_int_equal(out.ram[1].end, 0x800000);
    assert_int_equal(out.sections.count, 1);
    assert_int_equal(out.size, info.size);
    free(copy);
}

static void first_module_is_the_initrd_if_none_is_named_so(void **state)
{
    (void)state;
    struct info info;
    struct boot_info out;
    begin(&info);
    module_tag(&info, 1, 2, "a", 2);
    module_tag(&info, 3, 4, "b", 2);
    finish(&info);
    uint8_t *copy = malloc(info.size);
    memcpy(copy, info.bytes, info.size);
    assert_null(multiboot2_parse(copy, info.size, &out));
    assert_int_equal(out.initrd.start, 1);
    assert_string_equal(out.initrd_name, "a");
    free(copy);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct info info;
    struct boot_info out;
    begin(&info);
    cmdline_tag(&info, "x", 2);
    module_tag(&info, 1, 2, "m", 2);
    mmap_tag(&info, 24, 1);
    mmap_entry(&info, 0, 4096, 1);
    finish(&info);
    for (uint32_t size = 0; size < info.size; size++) {
        struct info cut = info;
        cut.size = size;
        memcpy(cut.bytes, &size, 4); /* as short as it says */
        assert_non_null(parse(&cut, BOOT_INFO_MAX, &out));
        memcpy(cut.bytes, &info.size, 4); /* shorter than it says */
        assert_non_null(parse(&cut, size, &out));
    }
    assert_null(parse(&info, info.size, &out));
}

static void sizes_that_wrap_are_refused(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 7, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        static const uint32_t types[] = {0, 1, 3, 6, 9, 99};
        for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
            struct info info;
            begin(&info);
            tag(&info, types[t], sizes[i]);
            put64(&info, 0);
            put64(&info, 0);
            finish(&info);
            expect(&info, "boot information: a tag reaches beyond the end");
        }
    }
    struct info info;
    begin(&info);
    finish(&info);
    for (uint32_t total = 0; total < 16; total++) {
        memcpy(info.bytes, &total, 4);
        expect(&info, "boot information: its size is out of range");
    }
    uint32_t total = BOOT_INFO_MAX + 1;
    memcpy(info.bytes, &total, 4);
    expect(&info, "boot information: its size is out of range");
}

static void command_line_limits(void **state)
{
    (void)state;
    static char text[CMDLINE_MAX + 2];
    memset(text, 'x', sizeof(text));
    for (size_t length = CMDLINE_MAX - 2; length <= CMDLINE_MAX; length++) {
        struct info info;
        begin(&info);
        text[length] = '\0';
        cmdline_tag(&info, text, length + 1);
        finish(&info);
        expect(&info, length < CMDLINE_MAX ? NULL : "command line is too long");
        text[length] = 'x';
    }
    struct info info;
    begin(&info);
    cmdline_tag(&info, "abc", 3);
    info.bytes[info.size] = 'd'; /* the padding does not end the string either */
    finish(&info);
    expect(&info, "command line tag: the string does not end");
    begin(&info);
    tag(&info, 1, 8);
    finish(&info);
    expect(&info, "command line tag: the string does not end");
}

static void module_tags_are_bounded(void **state)
{
    (void)state;
    struct info info;
    begin(&info);
    tag(&info, 3, 16);
    put64(&info, 0);
    finish(&info);
    expect(&info, "module tag is too short");
    begin(&info);
    module_tag(&info, 2, 1, "m", 2);
    finish(&info);
    expect(&info, "module tag: the range is reversed or its name does not end");
    begin(&info);
    module_tag(&info, 1, 1, "mm", 2);
    finish(&info);
    expect(&info, "module tag: the range is reversed or its name does not end");
    begin(&info);
    module_tag(&info, 1, 1, "", 1);
    finish(&info);
    expect(&info, NULL);
}

static void memory_map_entries_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t entry_size;
        uint64_t start, length;
        const char *error;
        size_t ranges;
        uint64_t end;
    } cases[] = {
        {"usual", 24, 0x1000, 0x1000, NULL, 1, 0x2000},
        {"larger entries", 40, 0x1000, 0x1000, NULL, 1, 0x2000},
        {"entries too small", 23, 0x1000, 0x1000, "memory map tag: entries are too small", 0, 0},
        {"entries of size 0", 0, 0x1000, 0x1000, "memory map tag: entries are too small", 0, 0},
        {"empty", 24, 0x1000, 0, NULL, 0, 0},
        {"wraps", 24, UINT64_MAX, 2, "memory map tag: a range wraps", 0, 0},
        {"ends at 2^64", 24, UINT64_MAX, 1, "memory map tag: a range wraps", 0, 0},
        {"last byte", 24, UINT64_MAX - 1, 1, NULL, 0, 0},
        {"cut at the direct map", 24, 0, UINT64_MAX, NULL, 1, DIRECT_MAP_SIZE},
        {"beyond the direct map", 24, DIRECT_MAP_SIZE, 4096, NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct info info;
        struct boot_info out;
        begin(&info);
        mmap_tag(&info, cases[i].entry_size, 1);
        mmap_entry(&info, cases[i].start, cases[i].length, 1);
        for (uint32_t extra = 24; extra < cases[i].entry_size; extra++)
            info.size++;
        if (cases[i].entry_size < 24) /* the tag says less than what follows */
            info.size = info.size - 24 + cases[i].entry_size;
        finish(&info);
        const char *error = parse(&info, BOOT_INFO_MAX, &out);
        if (cases[i].error) {
            assert_non_null(error);
            assert_string_equal(error, cases[i].error);
            continue;
        }
        if (error)
            fail_msg("%s: %s", cases[i].name, error);
        assert_int_equal(out.nr_ram, cases[i].ranges);
        if (cases[i].ranges)
            assert_int_equal(out.ram[0].end, cases[i].end);
    }
}

static void memory_map_limit(void **state)
{
    (void)state;
    for (unsigned n = BOOT_RAM_MAX - 1; n <= BOOT_RAM_MAX + 1; n++) {
        struct info info;
        begin(&info);
        mmap_tag(&info, 24, n);
        for (unsigned i = 0; i < n; i++)
            mmap_entry(&info, i * 0x10000ull, 0x1000, 1);
        finish(&info);
        expect(&info, n <= BOOT_RAM_MAX
                          ? NULL
                          : "memory map tag: more ranges of RAM than this kernel keeps");
    }
}

static void sections_fit_their_tag(void **state)
{
    (void)state;
    static const struct {
        uint32_t count, entry_size, given;
        bool good;
    } cases[] = {
        {0, 64, 0, true},
        {1, 64, 64, true},
        {1, 64, 63, false},
        {1, 63, 64, false},
        {2, 64, 127, false},
        {2, 64, 128, true},
        {0x04000000, 64, 0, false},
        {0xffffffff, 64, 0, false},
        {BOOT_SECTIONS_MAX + 1, 64, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct info info;
        begin(&info);
        tag(&info, 9, 20 + cases[i].given);
        put32(&info, cases[i].count);
        put32(&info, cases[i].entry_size);
        put32(&info, 0);
        info.size += cases[i].given;
        finish(&info);
        expect(&info, cases[i].good ? NULL : "ELF sections tag: the headers do not fit");
    }
    for (unsigned n = BOOT_SECTIONS_MAX - 1; n <= BOOT_SECTIONS_MAX; n++) {
        static struct info info;
        begin(&info);
        memset(info.bytes, 0, sizeof(info.bytes));
        if (n * 64 + 64 > sizeof(info.bytes))
            break;
        tag(&info, 9, 20 + n * 64);
        put32(&info, n);
        put32(&info, 64);
        put32(&info, 0);
        info.size += n * 64;
        finish(&info);
        expect(&info, NULL);
    }
}

static void loaded_sections_are_reserved(void **state)
{
    (void)state;
    static const struct {
        uint64_t address, size;
        bool reserved;
    } cases[] = {
        {0, 100, false},           {0x200000, 0, false},      {0x200000, 100, true},
        {KERNEL_BASE, 100, false}, {UINT64_MAX, 100, false},  {0x200000, UINT64_MAX, false},
        {UINT32_MAX, 1, false},    {UINT32_MAX - 1, 1, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t header[64] = {0};
        struct frame_range out[BOOT_SECTIONS_MAX];
        struct boot_sections sections = {header, 1, 64, 0};
        memcpy(header + 16, &cases[i].address, 8);
        memcpy(header + 32, &cases[i].size, 8);
        assert_int_equal(boot_sections_reserve(&sections, out), cases[i].reserved);
        if (cases[i].reserved) {
            assert_int_equal(out[0].start, cases[i].address);
            assert_int_equal(out[0].end, cases[i].address + cases[i].size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_information_is_read),
        cmocka_unit_test(first_module_is_the_initrd_if_none_is_named_so),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(sizes_that_wrap_are_refused),
        cmocka_unit_test(command_line_limits),
        cmocka_unit_test(module_tags_are_bounded),
        cmocka_unit_test(memory_map_entries_are_judged),
        cmocka_unit_test(memory_map_limit),
        cmocka_unit_test(sections_fit_their_tag),
        cmocka_unit_test(loaded_sections_are_reserved),
    };
    return cmocka_run_group_tests_name("multiboot2", tests, NULL, NULL);
}
