/* Relocation of hand-made objects of five machines; every way in which it must fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <elfparse/relocate.h>

#include "image.h"

#define BIAS  UINT64_C(0x40000000)
#define START (BIAS + 0x1000)
#define SIZE  0x3000u

/* Offsets in the object, whose memory begins at offset 0x1000. */
#define TEXT    0x1000u
#define DATA    0x2000u /* two ranges: a page, and one of zeros that goes on */
#define DYNAMIC 0x1100u
#define RELA    0x1200u
#define SYMTAB  0x1600u
#define HASH    0x1800u
#define RELR    0x1900u
#define PLT     0x1a00u

static uint8_t memory[SIZE], before[SIZE];

static const struct elfparse_range ranges[] = {
    {BIAS + TEXT, 0x1000, 0, 0x1000, ELFPARSE_PF_R | ELFPARSE_PF_X, 0, ELFPARSE_RANGE_FILE},
    {BIAS + DATA, 0x1000, 0x1000, 0x1000, ELFPARSE_PF_R | ELFPARSE_PF_W, 1, ELFPARSE_RANGE_FILE},
    {BIAS + DATA + 0x1000, 0x1000, 0, 0, ELFPARSE_PF_R | ELFPARSE_PF_W, 1, ELFPARSE_RANGE_ZERO},
};

/* The same, all of it bytes of the file: where tables are put behind the data. */
static const struct elfparse_range file_ranges[] = {
    {BIAS + TEXT, 0x1000, 0, 0x1000, ELFPARSE_PF_R | ELFPARSE_PF_X, 0, ELFPARSE_RANGE_FILE},
    {BIAS + DATA, 0x1000, 0x1000, 0x1000, ELFPARSE_PF_R | ELFPARSE_PF_W, 1, ELFPARSE_RANGE_FILE},
    {BIAS + DATA + 0x1000, 0x1000, 0x2000, 0x1000, ELFPARSE_PF_R | ELFPARSE_PF_W, 1,
     ELFPARSE_RANGE_FILE},
};

/* A machine: its word, and its types for absolute, relative, distance, IRELATIVE. */
static const struct machine {
    unsigned machine, word, absolute, relative, distance, irelative, none;
} machines[] = {
    {ELFPARSE_EM_X86_64, 8, 1, 8, 24, 37, 0}, {ELFPARSE_EM_AARCH64, 8, 257, 1027, 0, 1032, 256},
    {ELFPARSE_EM_RISCV, 8, 2, 3, 0, 58, 0},   {ELFPARSE_EM_386, 4, 1, 8, 2, 42, 0},
    {ELFPARSE_EM_ARM, 4, 2, 23, 3, 160, 0},
};

#define MACHINES (sizeof(machines) / sizeof(machines[0]))

static const struct machine *now = &machines[0];
static struct elfparse_image image;
static unsigned dynamics, handed, asked;
static int answer;
static struct elfparse_relocation last;

static void put(uint64_t offset, uint64_t value, unsigned size)
{
    image_put(memory, offset - TEXT, value, size);
}

static uint64_t get(uint64_t offset)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < now->word; i++)
        value |= (uint64_t)memory[offset - TEXT + i] << (8 * i);
    return value;
}

static void put_dynamic(uint64_t tag, uint64_t value)
{
    put(DYNAMIC + dynamics * 2 * now->word, tag, now->word);
    put(DYNAMIC + dynamics * 2 * now->word + now->word, value, now->word);
    dynamics++;
}

static void put_entry(uint64_t at, int addends, uint64_t offset, unsigned type, unsigned symbol,
                      uint64_t addend)
{
    put(at, offset, now->word);
    if (now->word == 8) {
        put(at + 8, type, 4);
        put(at + 12, symbol, 4);
    } else {
        put(at + 4, symbol << 8 | type, 4);
    }
    if (addends)
        put(at + 2 * now->word, addend, now->word);
}

static void put_rela(unsigned index, uint64_t offset, unsigned type, unsigned symbol,
                     uint64_t addend)
{
    put_entry(RELA + index * 3 * now->word, 1, offset, type, symbol, addend);
}

static void put_symbol(unsigned index, unsigned info, unsigned shndx, uint64_t value)
{
    uint64_t at = SYMTAB + index * (now->word == 8 ? 24u : 16u);

    put(at + (now->word == 8 ? 8 : 4), value, now->word);
    put(at + (now->word == 8 ? 16 : 8), 8, now->word);
    put(at + (now->word == 8 ? 4 : 12), info, 1);
    put(at + (now->word == 8 ? 6 : 14), shndx, 2);
}

static int take(void *ctx, const struct elfparse_relocation *relocation)
{
    last = *relocation;
    handed++;
    return answer;
}

static int resolve(void *ctx, uint32_t index, const struct elfparse_symbol *symbol, uint64_t *value)
{
    asked++;
    *value = 0x1234500 + index;
    return answer;
}

static int read_memory(void *ctx, uint64_t address, void *buf, size_t len)
{
    assert_true(address >= START && len <= SIZE && address - START <= SIZE - len);
    memcpy(buf, memory + (address - START), len);
    return answer;
}

static int write_memory(void *ctx, uint64_t address, const void *buf, size_t len)
{
    assert_true(address >= BIAS + DATA && len <= SIZE && address - START <= SIZE - len);
    memcpy(memory + (address - START), buf, len);
    return answer;
}

/* count entries of RELA; symbols: 1 is defined, 2 weak and 3 not defined, 4 absolute. */
static void make(unsigned machine, unsigned count)
{
    now = &machines[machine];
    memset(memory, 0, sizeof(memory));
    memset(&image, 0, sizeof(image));
    image.machine = now->machine;
    image.ranges = ranges;
    image.range_count = 3;
    image.bias = BIAS;
    image.dynamic = BIAS + DYNAMIC;
    image.memory = memory;
    image.start = START;
    image.size = SIZE;
    dynamics = handed = asked = 0;
    answer = 0;
    put_dynamic(ELFPARSE_DT_RELA, RELA);
    put_dynamic(ELFPARSE_DT_RELASZ, count * 3 * now->word);
    put_dynamic(9, 3 * now->word);
    put_dynamic(ELFPARSE_DT_SYMTAB, SYMTAB);
    put_dynamic(11, now->word == 8 ? 24 : 16);
    put_dynamic(ELFPARSE_DT_HASH, HASH);
    put(HASH + 4, 5, 4);
    put_symbol(1, 0x12, 1, DATA + 0x20);
    put_symbol(2, 0x22, 0, 0);
    put_symbol(3, 0x12, 0, 0);
    put_symbol(4, 0x12, 0xfff1, 0x777);
}

static int relocate(void)
{
    memcpy(before, memory, sizeof(memory));
    return elfparse_relocate(&image, NULL);
}

/* That code, and nothing was changed. */
static void expect_failure(int code)
{
    assert_int_equal(relocate(), code);
    assert_memory_equal(memory, before, sizeof(memory));
}

static void use_callbacks(void)
{
    image.memory = NULL;
    image.read = read_memory;
    image.write = write_memory;
}

static void every_machine_and_both_ways(void **state)
{
    for (unsigned i = 0; i < 2 * MACHINES; i++) {
        make(i / 2, 6);
        if (i % 2 == 1)
            use_callbacks();
        put_rela(0, DATA + 8, now->relative, 0, 0x1234);
        put_rela(1, DATA + 16, now->relative, 0, (uint64_t)-8);
        put_rela(2, DATA + 24, now->absolute, 1, 4);
        put_rela(3, DATA + 32, now->absolute, 2, 4);
        put_rela(4, DATA + 40, now->absolute, 4, 4);
        put_rela(5, DATA + 0x0ffc, now->relative, 0, 0x5678); /* in both ranges, or their last */
        assert_int_equal(relocate(), 0);
        assert_int_equal(get(DATA), 0);
        assert_int_equal(get(DATA + 8), BIAS + 0x1234);
        assert_int_equal(get(DATA + 16), BIAS - 8);
        assert_int_equal(get(DATA + 24), BIAS + DATA + 0x24);
        assert_int_equal(get(DATA + 32), 4);
        assert_int_equal(get(DATA + 40), 0x77b);
        assert_int_equal(get(DATA + 0x0ffc), BIAS + 0x5678);
        assert_int_equal(get(DATA + 0x0ffc + now->word), 0);
    }
}

static void tables_without_addends(void **state)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        make(i, 0);
        put_dynamic(ELFPARSE_DT_REL, RELA);
        put_dynamic(ELFPARSE_DT_RELSZ, 3 * 2 * now->word);
        put_dynamic(19, 2 * now->word);
        put_entry(RELA, 0, DATA + 8, now->relative, 0, 0);
        put_entry(RELA + 2 * now->word, 0, DATA + 16, now->absolute, 1, 0);
        put_entry(RELA + 4 * now->word, 0, DATA + 24, now->none, 0, 0);
        put(DATA + 8, 0x1000, now->word);
        put(DATA + 16, (uint64_t)-0x20, now->word);
        assert_int_equal(relocate(), 0);
        assert_int_equal(get(DATA + 8), BIAS + 0x1000);
        assert_int_equal(get(DATA + 16), BIAS + DATA);
        put_entry(RELA, 0, DATA + 0x2000 - now->word + 1, now->relative, 0, 0);
        expect_failure(ELFPARSE_ERELTARGET);
    }
}

/* gABI, "Relative Relocation Table": an address, then bitmaps of the words after it. */
static void relative_bitmaps(void **state)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        unsigned bits = 8 * machines[i].word - 1;

        make(i, 0);
        put_dynamic(ELFPARSE_DT_RELR, RELR);
        put_dynamic(ELFPARSE_DT_RELRSZ, 3 * now->word);
        put_dynamic(37, now->word);
        put(RELR, DATA, now->word);
        put(RELR + now->word, 1 | 1u << 1 | 1u << 3, now->word);
        put(RELR + 2 * now->word, 1 | 1u << 2, now->word);
        for (unsigned at = 0; at < 0x800; at += now->word)
            put(DATA + at, 0x10, now->word);
        assert_int_equal(relocate(), 0);
        for (unsigned word = 0; word < 2 * bits; word++)
            assert_int_equal(get(DATA + word * now->word),
                             word == 0 || word == 1 || word == 3 || word == bits + 2 ? BIAS + 0x10
                                                                                     : 0x10);
        put(RELR, TEXT, now->word);
        expect_failure(ELFPARSE_ERELTEXT);
        put(RELR, DATA + 0x2000 - now->word, now->word);
        expect_failure(ELFPARSE_ERELTARGET);
    }
}

/* The last entry is wrong, so that all others have been checked before it is found. */
static void what_is_wrong_changes_nothing(void **state)
{
    const struct {
        uint64_t offset;
        unsigned type, symbol;
        int code;
    } cases[] = {
        {DATA - 1, 8, 0, ELFPARSE_ERELTEXT},
        {TEXT, 8, 0, ELFPARSE_ERELTEXT},
        {TEXT - 8, 8, 0, ELFPARSE_ERELTARGET},
        {TEXT - 1, 8, 0, ELFPARSE_ERELTARGET},
        {DATA + 0x2000 - 7, 8, 0, ELFPARSE_ERELTARGET},
        {DATA + 0x2000, 8, 0, ELFPARSE_ERELTARGET},
        {UINT64_MAX, 8, 0, ELFPARSE_ERELTARGET},
        {0 - BIAS, 8, 0, ELFPARSE_ERELTARGET},
        {DATA, 9, 0, ELFPARSE_ERELTYPE},
        {DATA, 0x10008, 0, ELFPARSE_ERELTYPE},
        {DATA, 37, 0, ELFPARSE_ERELTYPE}, /* nobody handles it */
        {DATA, 1, 5, ELFPARSE_ERELSYMBOL},
        {DATA, 1, UINT32_MAX, ELFPARSE_ERELSYMBOL},
        {DATA, 8, 5, ELFPARSE_ERELSYMBOL},
        {DATA, 1, 3, ELFPARSE_ERELUNDEF},
        {DATA + 0x2000 - 4, 10, 4, 0},
        {DATA + 0x2000 - 4, 2, 1, 0},
        {DATA + 0x2000 - 4, 2, 4, 0},
        {DATA + 0x2000 - 8, 8, 0, 0},
    };

    for (unsigned way = 0; way < 2; way++) {
        for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            make(0, 3);
            if (way == 1)
                use_callbacks();
            put_rela(0, DATA + 8, 8, 0, 1);
            put_rela(1, DATA + 16, 1, 1, 1);
            put_rela(2, cases[i].offset, cases[i].type, cases[i].symbol, 0);
            if (cases[i].code != 0)
                expect_failure(cases[i].code);
            else
                assert_int_equal(relocate(), 0);
        }
    }
}

static void values_that_do_not_fit(void **state)
{
    make(0, 1);
    put_rela(0, DATA, 10, 4, 0xffffffff - 0x777);
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA), 0xffffffff);
    put_rela(0, DATA, 10, 4, UINT64_C(0x100000000) - 0x777);
    expect_failure(ELFPARSE_ERELVALUE);
    put_rela(0, DATA, 2, 1, 0x7fffffff - 0x20);
    assert_int_equal(relocate(), 0);
    put_rela(0, DATA, 2, 1, UINT64_C(0x80000000) - 0x20);
    expect_failure(ELFPARSE_ERELVALUE);
    put_rela(0, DATA, 2, 1, 0 - UINT64_C(0x80000000) - 0x20);
    assert_int_equal(relocate(), 0);
    put_rela(0, DATA, 2, 1, 0 - UINT64_C(0x80000001) - 0x20);
    expect_failure(ELFPARSE_ERELVALUE);
}

static void text_only_where_it_is_allowed(void **state)
{
    make(0, 1);
    put_rela(0, TEXT, 8, 0, 3);
    expect_failure(ELFPARSE_ERELTEXT);
    image.flags = ELFPARSE_RELOCATE_TEXT;
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(TEXT), BIAS + 3);
}

static void damaged_tables(void **state)
{
    static const struct {
        uint64_t tag, value;
    } cases[] = {
        {9, 23},
        {11, 25},
        {ELFPARSE_DT_RELASZ, 25},
        {ELFPARSE_DT_RELA, TEXT - 8},
        {19, 24},
        {37, 4},
        {ELFPARSE_DT_RELA, DATA + 0x2000 - 23},
        {23, 0x9000},
        {ELFPARSE_DT_HASH, DATA + 0x1ffc},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(0, 1);
        put_rela(0, DATA, 8, 0, 3);
        put_dynamic(2, 24); /* DT_PLTRELSZ */
        put_dynamic(20, 7);
        put_dynamic(23, RELA);
        put_dynamic(cases[i].tag, cases[i].value);
        expect_failure(ELFPARSE_ERELTABLE);
    }
    make(0, 1);
    image.dynamic = BIAS + DATA + 0x2000 - 8;
    expect_failure(ELFPARSE_ERELTABLE);
    image.dynamic = 0;
    assert_int_equal(relocate(), 0);
    image.size = SIZE - 1;
    expect_failure(ELFPARSE_EARGUMENT);
    image.machine = 8;
    expect_failure(ELFPARSE_ERELMACHINE);
    make(0, 1);
    image.dynamic = BIAS + DATA; /* never ends: no DT_NULL before the memory's end */
    memset(memory + (DATA - TEXT), 0x55, 0x2000);
    expect_failure(ELFPARSE_ERELTABLE);
    make(0, 0);
    put_dynamic(ELFPARSE_DT_RELRSZ, 7);
    expect_failure(ELFPARSE_ERELTABLE);
    make(0, 0);
    put_dynamic(ELFPARSE_DT_RELSZ, 15);
    expect_failure(ELFPARSE_ERELTABLE);
}

/* The symbols end with the last chain of DT_GNU_HASH where there is no DT_HASH. */
static void symbols_by_the_gnu_hash_table(void **state)
{
    static const uint32_t words[] = {2, 3, 1, 0, 0, 0, 0, 3, 0x10, 0x21};

    make(0, 1);
    put(DYNAMIC + 5 * 16, ELFPARSE_DT_GNU_HASH, 8);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put(HASH + 4 * i, words[i], 4);
    put_rela(0, DATA, 1, 4, 0);
    assert_int_equal(relocate(), 0);
    put_rela(0, DATA, 1, 5, 0);
    expect_failure(ELFPARSE_ERELSYMBOL);
    /* Both buckets are empty: undefined symbols, which no chain has, go on to where memory ends. */
    put(HASH + 28, 0, 4);
    put_rela(0, DATA, 1, 2, 0);
    assert_int_equal(relocate(), 0);
    put_rela(0, DATA, 1, 3, 0);
    expect_failure(ELFPARSE_ERELUNDEF);
    put_rela(0, DATA, 1, 0x10000, 0);
    expect_failure(ELFPARSE_ERELTABLE);
    put(HASH, 0xffffffff, 4);
    expect_failure(ELFPARSE_ERELTABLE);
    put(DYNAMIC + 5 * 16, 0x12345, 8); /* no hash table */
    put_rela(0, DATA, 1, 1, 0);
    expect_failure(ELFPARSE_ERELSYMBOL);
}

/* The table's memory ends after each of its first words, and within its chain. */
static void a_gnu_hash_table_is_cut_short(void **state)
{
    static const uint32_t words[] = {1, 0, 0, 0, 0, 0};

    for (unsigned left = 0; left <= 24; left += 4) {
        make(0, 1);
        image.ranges = file_ranges;
        put_rela(0, DATA, 1, 1, 0);
        put(DYNAMIC + 5 * 16, ELFPARSE_DT_GNU_HASH, 8);
        put(DYNAMIC + 5 * 16 + 8, DATA + 0x2000 - left, 8);
        for (unsigned i = 0; i < left / 4; i++)
            put(DATA + 0x2000 - left + 4 * i, words[i], 4);
        if (left < 20) {
            expect_failure(ELFPARSE_ERELTABLE);
            continue;
        }
        assert_int_equal(relocate(), 0); /* the bucket is empty */
        put(DATA + 0x2000 - left + 16, 2, 4);
        expect_failure(ELFPARSE_ERELTABLE);
        /* All symbols that there can be: no chain is read. */
        put(DATA + 0x2000 - left + 4, UINT32_MAX, 4);
        put(DATA + 0x2000 - left + 16, UINT32_MAX, 4);
        put_rela(0, DATA, 1, UINT32_MAX - 1, 0);
        expect_failure(ELFPARSE_ERELTABLE);
        put_rela(0, DATA, 1, 1, 0);
        assert_int_equal(relocate(), 0);
    }
}

/* Memory of any size whose words have all the value 1. */
static int read_ones(void *ctx, uint64_t address, void *buf, size_t len)
{
    (void)ctx;
    (void)address;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = i % 8 == 0;
    return 0;
}

static void more_dynamic_entries_than_linkers_write(void **state)
{
    static const struct elfparse_range large = {
        BIAS, 0x20000, 0, 0x20000, ELFPARSE_PF_R, 0, ELFPARSE_RANGE_FILE};
    struct elfparse_error error;

    make(0, 0);
    use_callbacks();
    image.read = read_ones;
    image.dynamic = BIAS;
    image.ranges = &large;
    image.range_count = 1;
    assert_int_equal(elfparse_relocate(&image, &error), ELFPARSE_ERELTABLE);
    assert_int_equal(error.expected, 4096);
}

static unsigned reads;

static int count_read(void *ctx, uint64_t address, void *buf, size_t len)
{
    if (address - START >= SIZE)
        memset(buf, 0, len);
    else
        memcpy(buf, memory + (address - START), len);
    return ++reads <= 32 ? 0 : -5;
}

/* No table lies in the zeros of a segment, of which a small file may have gigabytes: what is read is bounded by
 * the file. */
static void tables_lie_in_bytes_of_the_file(void **state)
{
    enum { LEFT = 0x800 }; /* bytes of the file in the second page */
    static const uint32_t words[] = {0x3fffff00, 1, 0, 0};
    struct elfparse_range own[3] = {ranges[0], ranges[1], ranges[2]};

    own[1].file_bytes = LEFT;
    own[2].size = UINT64_C(0x200000000);
    make(0, 4);
    use_callbacks();
    image.read = count_read;
    image.ranges = own;
    for (unsigned size = 24; size <= 0x1000; size += 24) { /* relocations */
        put(DYNAMIC + 8, DATA + LEFT - 72, 8);
        put(DYNAMIC + 24, size, 8);
        reads = 0;
        assert_int_equal(relocate(), size <= 72 ? 0 : ELFPARSE_ERELTABLE);
    }
    make(0, 1);
    use_callbacks();
    image.read = count_read;
    image.ranges = own;
    put_rela(0, DATA, 1, 1, 0);
    put(DYNAMIC + 5 * 16, ELFPARSE_DT_GNU_HASH, 8);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put(HASH + 4 * i, words[i], 4);
    put(HASH, 1, 4);
    put(HASH + 8, (LEFT - 4 + 0x2000 - HASH - 16) / 8,
        4); /* the bucket is the last word but one of the file */
    assert_int_equal(relocate(), 0);
    put(DATA + LEFT - 8, 2, 4); /* and its chain is in the zeros */
    reads = 0;
    expect_failure(ELFPARSE_ERELTABLE);
    put(HASH, words[0], 4); /* and so are more buckets */
    reads = 0;
    expect_failure(ELFPARSE_ERELTABLE);
}

/* Each of many ranges is found, and no gap between them. */
static void targets_in_any_of_many_ranges(void **state)
{
    struct elfparse_range own[18] = {ranges[0]};

    for (unsigned count = 2; count <= 18; count++) {
        for (unsigned i = 1; i < count; i++)
            own[i] = (struct elfparse_range){
                BIAS + DATA + i * 64, 32, 0, 32, ELFPARSE_PF_R | ELFPARSE_PF_W, 1,
                ELFPARSE_RANGE_FILE};
        for (unsigned i = 1; i <= count; i++) {
            make(0, 1);
            image.ranges = own;
            image.range_count = count;
            for (unsigned at = 0; at < 64; at += 8) {
                put_rela(0, DATA + i * 64 + at, 8, 0, 3);
                if (i < count && at < 32)
                    assert_int_equal(relocate(), 0);
                else
                    assert_int_equal(relocate(), ELFPARSE_ERELTARGET);
            }
        }
    }
}

/* A target goes on in the next range only if that is writable and follows without a hole. */
static void targets_at_the_end_of_a_range(void **state)
{
    struct elfparse_range own[3] = {ranges[0], ranges[1], ranges[2]};

    make(0, 1);
    image.ranges = own;
    put_rela(0, DATA + 0xffc, 8, 0, 3);
    assert_int_equal(relocate(), 0);
    own[2].prot = ELFPARSE_PF_R;
    expect_failure(ELFPARSE_ERELTEXT);
    own[2].prot |= ELFPARSE_PF_W;
    own[1].size -= 2;
    expect_failure(ELFPARSE_ERELTARGET);
    own[1].size = 4; /* smaller than a word: no entry after it is a usual one */
    put(DYNAMIC + 24, 48, 8);
    put_rela(0, DATA, 10, 4, 0);
    put_rela(1, DATA + 0x1000, 8, 0, 3);
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA), 0x777);
    assert_int_equal(get(DATA + 0x1000), BIAS + 3);
}

/* A copy of more bytes than a description counts; entries that ask for nothing, by callbacks. */
static void entries_without_a_usual_target(void **state)
{
    struct elfparse_range own[3] = {ranges[0], ranges[1], ranges[2]};

    make(0, 1);
    use_callbacks();
    image.special = take;
    image.ranges = own;
    put_rela(0, DATA, 5, 1, 0);
    own[2].size = UINT64_C(0x100001000);
    put(SYMTAB + 24 + 16, UINT32_MAX, 8);
    assert_int_equal(relocate(), 0);
    assert_int_equal(handed, 1);
    put(SYMTAB + 24 + 16, UINT64_C(0x100000000), 8);
    expect_failure(ELFPARSE_ERELTYPE);
    put_rela(0, DATA, 0, 0, 0);
    assert_int_equal(relocate(), 0);
}

static int bind_symbol(void *ctx, const struct elfparse_relocation *relocation, uint64_t *value)
{
    return resolve(ctx, relocation->index, &relocation->symbol, value);
}

/* A local symbol is the object's own, whatever the callback says. */
static void local_symbols_are_not_bound(void **state)
{
    make(0, 1);
    image.bind = bind_symbol;
    put_rela(0, DATA, 1, 1, 0);
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA), 0x1234501);
    put_symbol(1, 0x02, 1, DATA + 0x20);
    asked = 0;
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA), BIAS + DATA + 0x20);
    assert_int_equal(asked, 0);
}

static void the_callers_are_handed_over(void **state)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        make(i, 2);
        image.special = take;
        put_rela(0, DATA + 8, now->irelative, 0, 0x1234);
        put_rela(1, DATA + 16, now->relative, 0, 0x1234);
        assert_int_equal(relocate(), 0);
        assert_int_equal(handed, 1);
        assert_int_equal(last.kind, ELFPARSE_SPECIAL_IRELATIVE);
        assert_int_equal(last.address, BIAS + DATA + 8);
        assert_int_equal(last.addend, 0x1234);
        assert_int_equal(last.size, now->word);
        assert_int_equal(get(DATA + 8), 0);
        assert_int_equal(get(DATA + 16), BIAS + 0x1234);
        put_rela(0, DATA + 0x2000 - now->word + 1, now->irelative, 0, 0);
        expect_failure(ELFPARSE_ERELTARGET);
    }
    make(0, 1);
    image.special = take;
    put_rela(0, DATA + 0x2000 - 16, 36, 1, 0); /* two words */
    assert_int_equal(relocate(), 0);
    assert_int_equal(last.symbol.value, DATA + 0x20);
    assert_int_equal(last.index, 1);
    put_rela(0, DATA + 0x2000 - 15, 36, 1, 0);
    expect_failure(ELFPARSE_ERELTARGET);
    put_rela(0, DATA + 0x2000 - 8, 5, 1, 0); /* a copy of st_size bytes */
    assert_int_equal(relocate(), 0);
    assert_int_equal(last.size, 8);
    put_rela(0, DATA + 0x2000 - 7, 5, 1, 0);
    expect_failure(ELFPARSE_ERELTARGET);
    put_rela(0, DATA, 37, 0, 0);
    answer = -7;
    expect_failure(ELFPARSE_ERELCALL);
}

static void symbols_by_the_caller(void **state)
{
    make(0, 2);
    image.resolve = resolve;
    put_rela(0, DATA, 1, 3, 1);
    put_rela(1, DATA + 8, 6, 1, 1);
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA), 0x1234504);
    assert_int_equal(get(DATA + 8), 0x1234501);
    assert_int_equal(asked, 4);
    put_symbol(1, 2, 1, DATA); /* local */
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA + 8), BIAS + DATA);
    answer = -7;
    expect_failure(ELFPARSE_ERELCALL);
}

/* Some linkers count the PLT's table twice; each entry is applied once all the same. */
static void the_plt_table(void **state)
{
    make(0, 2);
    image.special = take;
    put_rela(0, DATA, 8, 0, 0x10);
    put_rela(1, DATA + 8, 37, 0, 0x10);
    put_dynamic(23, RELA + 24);
    put_dynamic(2, 24);
    put_dynamic(20, 7);
    assert_int_equal(relocate(), 0);
    assert_int_equal(handed, 1);
    put_dynamic(20, 17); /* without addends: it is no part of that table */
    put_dynamic(23, RELA + 32);
    put_dynamic(2, 16);
    put(RELA + 32, 0, 8);
    put(RELA + 40, 0, 8);
    assert_int_equal(relocate(), 0);
    make(3, 0);
    put_dynamic(23, PLT);
    put_dynamic(2, 8);
    put_dynamic(20, 17);
    put_entry(PLT, 0, DATA, 7, 1, 0);
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA), BIAS + DATA + 0x20);
}

/* The table's own entries are among the targets: an entry becomes another while it is applied. */
static void tables_that_change_write_nothing_outside(void **state)
{
    for (unsigned way = 0; way < 2; way++) {
        make(0, 2);
        if (way == 1)
            use_callbacks();
        put(DYNAMIC + 8, DATA + 0x100, 8);
        put_entry(DATA + 0x100, 1, DATA + 0x118, 8, 0, 0 - BIAS + 0x666);
        put_entry(DATA + 0x118, 1, DATA, 8, 0, 1);
        assert_int_equal(relocate(), way == 0 ? ELFPARSE_ERELCHANGED : 0);
        put_entry(DATA + 0x118, 1, DATA, 8, 0, 1);
        put_entry(DATA + 0x100, 1, DATA + 0x120, 8, 0, 0 - BIAS + 9);
        assert_int_equal(relocate(), way == 0 ? ELFPARSE_ERELCHANGED : 0);
        assert_int_equal(memory[0], before[0]);
    }
}

static uint64_t outside; /* a target */

/* As read_memory; the second time the third entry's target is the one outside. */
static int read_changing(void *ctx, uint64_t address, void *buf, size_t len)
{
    if (address == BIAS + RELA && asked++ == 1)
        put_rela(2, outside, 8, 0, 1);
    return read_memory(ctx, address, buf, len);
}

/* The words before it are written, as the interface says. */
static void a_run_of_words_ends_with_the_object(void **state)
{
    for (outside = DATA + 0x2000; outside <= DATA + 0x2008; outside += 8) {
        make(0, 3);
        use_callbacks();
        image.read = read_changing;
        for (unsigned i = 0; i < 3; i++)
            put_rela(i, DATA + 0x2000 - 16 + 8 * (i & 1), 8, 0, 1 + i);
        assert_int_equal(relocate(), ELFPARSE_ERELCHANGED);
        assert_int_equal(get(DATA + 0x2000 - 16), BIAS + 1);
        assert_int_equal(get(DATA + 0x2000 - 8), BIAS + 2);
    }
}

static int read_failing(void *ctx, uint64_t address, void *buf, size_t len)
{
    unsigned *countdown = ctx;

    memcpy(buf, memory + (address - START), len);
    return (*countdown)-- == 0 ? -5 : 0;
}

static int write_failing(void *ctx, uint64_t address, const void *buf, size_t len)
{
    unsigned *countdown = ctx;

    return (*countdown)-- == 0 ? -5 : 0;
}

static void every_callback_may_fail(void **state)
{
    int code = -1;

    for (unsigned n = 0; code != 0; n++) {
        unsigned countdown = n;

        make(3, 1);
        use_callbacks();
        image.read = read_failing;
        image.write = write_failing;
        image.ctx = &countdown;
        put_dynamic(ELFPARSE_DT_REL, RELA + 0x40);
        put_dynamic(ELFPARSE_DT_RELSZ, 8);
        put_dynamic(ELFPARSE_DT_RELR, RELR);
        put_dynamic(ELFPARSE_DT_RELRSZ, 4);
        put(RELR, DATA + 0x40, 4);
        put_rela(0, DATA + 8, now->absolute, 1, 0);
        put_entry(RELA + 0x40, 0, DATA + 16, now->relative, 0, 0);
        code = relocate();
        assert_true(code == 0 || code == ELFPARSE_ERELCALL);
        assert_true(n < 100);
    }
}

/* More entries than one read through the callback brings, with a gap and others among them. */
static void long_tables_through_callbacks(void **state)
{
    unsigned countdown;

    make(0, 100);
    use_callbacks();
    image.ranges = file_ranges;
    put(DYNAMIC + 8, DATA + 0x1000, 8); /* where there is room */
    for (unsigned i = 0; i < 100; i++)
        put_entry(DATA + 0x1000 + 24 * i, 1, DATA + 8 * i + (i > 20 ? 64 : 0), i == 7 ? 1 : 8,
                  i == 7, i);
    assert_int_equal(relocate(), 0);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(get(DATA + 8 * i + (i > 20 ? 64 : 0)),
                         BIAS + i + (i == 7 ? DATA + 0x20 : 0));
    image.ctx = &countdown;
    image.write = write_failing;
    for (unsigned n = 0; (countdown = n, relocate()) != 0; n++)
        assert_true(n < 100);
}

/* x86-64 has these too: targets of 4 bytes without addend, no symbol at all. */
static void short_targets_without_addend(void **state)
{
    make(0, 1);
    put_rela(0, DATA, 1, 0, 0x99);
    assert_int_equal(relocate(), 0);
    assert_int_equal(get(DATA), 0x99);
    make(0, 0);
    put_dynamic(ELFPARSE_DT_REL, RELA);
    put_dynamic(ELFPARSE_DT_RELSZ, 16);
    put_entry(RELA, 0, DATA + 0x2000 - 4, 10, 4, 0);
    put(DATA + 0x2000 - 4, 0x10, 4);
    assert_int_equal(relocate(), 0);
    assert_int_equal(memory[SIZE - 4] | memory[SIZE - 3] << 8, 0x787);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_machine_and_both_ways),
        cmocka_unit_test(tables_without_addends),
        cmocka_unit_test(relative_bitmaps),
        cmocka_unit_test(what_is_wrong_changes_nothing),
        cmocka_unit_test(values_that_do_not_fit),
        cmocka_unit_test(text_only_where_it_is_allowed),
        cmocka_unit_test(damaged_tables),
        cmocka_unit_test(symbols_by_the_gnu_hash_table),
        cmocka_unit_test(the_callers_are_handed_over),
        cmocka_unit_test(symbols_by_the_caller),
        cmocka_unit_test(the_plt_table),
        cmocka_unit_test(tables_that_change_write_nothing_outside),
        cmocka_unit_test(a_run_of_words_ends_with_the_object),
        cmocka_unit_test(every_callback_may_fail),
        cmocka_unit_test(long_tables_through_callbacks),
        cmocka_unit_test(short_targets_without_addend),
        cmocka_unit_test(a_gnu_hash_table_is_cut_short),
        cmocka_unit_test(tables_lie_in_bytes_of_the_file),
        cmocka_unit_test(targets_in_any_of_many_ranges),
        cmocka_unit_test(more_dynamic_entries_than_linkers_write),
        cmocka_unit_test(targets_at_the_end_of_a_range),
        cmocka_unit_test(entries_without_a_usual_target),
        cmocka_unit_test(local_symbols_are_not_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
