/* Linking of a program with its library, made by hand, on each machine (pair.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <elfparse/version.h>

#include "pair.h"

static uint8_t program[PAIR_SIZE], library[PAIR_SIZE];
static uint8_t before[2][PAIR_SIZE];
static struct pair pair;
static struct elfparse_link_error error;

static void make(unsigned machine, int sysv)
{
    pair_fill(&pair_machines[machine], sysv, program, library);
    pair_make(&pair, &pair_machines[machine], program, library);
}

static int link_all(void)
{
    int code;

    memcpy(before[0], program, PAIR_SIZE);
    memcpy(before[1], library, PAIR_SIZE);
    memset(&error, 0, sizeof(error));
    code = elfparse_link_load(&pair.link, &error);
    return code == 0 ? elfparse_link_relocate(&pair.link, &error) : code;
}

static uint64_t word_at(const uint8_t *memory, unsigned offset)
{
    return pair_get(memory + offset, pair.machine->word);
}

/* An offset from the thread pointer as a word. */
static uint64_t wrapped(uint64_t value)
{
    return pair.machine->word == 4 ? (uint32_t)value : value;
}

static uint64_t target(unsigned number)
{
    return word_at(program, PAIR_TARGETS + 16 * number);
}

/* That code and that sentence, and no byte was changed. */
static void expect_failure(int code, const char *sentence)
{
    char text[ELFPARSE_LINK_ERROR_MAX];

    assert_int_equal(link_all(), code);
    assert_int_equal(error.error.code, code);
    assert_memory_equal(program, before[0], PAIR_SIZE);
    assert_memory_equal(library, before[1], PAIR_SIZE);
    assert_int_equal(elfparse_link_error_format(&error, text, sizeof(text)), strlen(sentence));
    assert_string_equal(text, sentence);
    make(0, 0);
}

/* The dynamic entry with that tag. */
static uint8_t *entry(uint8_t *memory, uint64_t tag)
{
    uint8_t *at = memory + PAIR_DYNAMIC;

    while (pair_get(at, pair.machine->word) != tag)
        at += 2 * pair.machine->word;
    return at;
}

static void set_entry(uint8_t *memory, uint64_t tag, uint64_t value)
{
    pair_put(entry(memory, tag) + pair.machine->word, value, pair.machine->word);
}

static void add_entry(uint8_t *memory, uint64_t tag, uint64_t value)
{
    uint8_t *at = entry(memory, ELFPARSE_DT_NULL);

    pair_put(at, tag, pair.machine->word);
    pair_put(at + pair.machine->word, value, pair.machine->word);
}

static uint8_t *symbol(uint8_t *memory, unsigned index)
{
    return memory + PAIR_SYMBOLS + (size_t)index * (pair.machine->word == 8 ? 24 : 16);
}

static void every_word_of_every_machine(void **state)
{
    for (unsigned i = 0; i < 2 * PAIR_MACHINES; i++) {
        uint64_t dtv, pointer, at;

        make(i / 2, i % 2);
        assert_int_equal(link_all(), 0);
        assert_int_equal(pair.link.count, 2);
        at = PAIR_BIAS(1);
        assert_int_equal(target(PAIR_POINTER), at + 0x100);
        assert_int_equal(target(PAIR_CALL), at + 0x100);
        assert_int_equal(target(PAIR_WEAK), 0);
        assert_int_equal(word_at(program, PAIR_COPY), at + 0x123);
        assert_int_equal(target(PAIR_MODULE), 2);
        dtv = pair.machine->machine == ELFPARSE_EM_RISCV ? (uint64_t)0 - 0x800 : 0;
        assert_int_equal(target(PAIR_OFFSET), wrapped(4 + dtv));
        pointer =
            pair.machine->machine == ELFPARSE_EM_X86_64 || pair.machine->machine == ELFPARSE_EM_386
                ? 4 - pair.objects[1].tls_offset
                : 4 + pair.objects[1].tls_offset;
        assert_int_equal(target(PAIR_THREAD), wrapped(pointer));
        if (pair.machine->machine == ELFPARSE_EM_ARM) {
            assert_int_equal(word_at(program, PAIR_TARGETS + 16 * PAIR_DESCRIPTOR + 4), 0x99);
            assert_int_equal(target(PAIR_DESCRIPTOR), wrapped(pointer));
        } else {
            assert_int_equal(target(PAIR_DESCRIPTOR), 0x99);
            assert_int_equal(
                word_at(program, PAIR_TARGETS + 16 * PAIR_DESCRIPTOR + pair.machine->word),
                wrapped(pointer));
        }
        assert_int_equal(target(PAIR_IRELATIVE), PAIR_BIAS(0) + 0x1044);
        assert_int_equal(target(PAIR_CHOSEN), at + 0x1300);
        assert_int_equal(word_at(library, PAIR_TARGETS), PAIR_BIAS(0) + PAIR_COPY);
        assert_int_equal(word_at(library, PAIR_TARGETS + 16), at + 0x400);
        assert_int_equal(word_at(library, PAIR_TARGETS + 32), at + 0x200);
        assert_int_equal(pair.ifuncs, 2);
    }
}

/* Blocks of 12 and 16 bytes, aligned to 8; the thread control block comes first in variant 1. */
static void thread_local_storage(void **state)
{
    static const uint64_t offsets[PAIR_MACHINES][3] = {
        {16, 32, 32}, {16, 32, 48}, {0, 16, 32}, {16, 32, 32}, {8, 24, 40}};
    uint8_t block[64];

    for (unsigned i = 0; i < PAIR_MACHINES; i++) {
        uint64_t start[2];

        make(i, 0);
        assert_int_equal(link_all(), 0);
        assert_int_equal(pair.objects[0].tls_offset, offsets[i][0]);
        assert_int_equal(pair.objects[1].tls_offset, offsets[i][1]);
        assert_int_equal(pair.link.tls_size, offsets[i][2]);
        assert_int_equal(pair.link.tls_align, 8);
        memset(block, 0x55, sizeof(block));
        elfparse_link_fill_tls(&pair.link, block);
        for (unsigned j = 0; j < 2; j++) {
            start[j] = i == 0 || i == 3 ? offsets[i][2] - offsets[i][j] : offsets[i][j];
            assert_memory_equal(block + start[j], pair.memory[j] + PAIR_TLS, 8);
            assert_int_equal(block[start[j] + 8], 0);
        }
        assert_int_equal(block[offsets[i][2]], 0x55);
    }
    make(0, 0);
    pair.plans[0].tls.align = 64; /* leaves a gap, into which the second one fits */
    assert_int_equal(link_all(), 0);
    assert_int_equal(pair.objects[0].tls_offset, 64);
    assert_int_equal(pair.objects[1].tls_offset, 16);
    assert_int_equal(pair.link.tls_size, 64);
    make(1, 0);
    pair.plans[0].tls.align = 64;
    assert_int_equal(link_all(), 0);
    assert_int_equal(pair.objects[1].tls_offset, 16);
    make(0, 0);
    pair.plans[0].tls.vaddr += 4; /* the block's start is off a multiple of the alignment by 4 */
    assert_int_equal(link_all(), 0);
    assert_int_equal(pair.objects[0].tls_offset, 12);
    make(1, 0);
    pair.plans[0].tls.vaddr += 4;
    assert_int_equal(link_all(), 0);
    assert_int_equal(pair.objects[0].tls_offset % 8, 4);
    pair.plans[1].tls.memsz = UINT64_C(0x80000000);
    assert_int_equal(elfparse_link_relocate(&pair.link, &error), ELFPARSE_LINK_ETLSSIZE);
    pair.plans[1].tls.memsz = 0x7ffffff0;
    assert_int_equal(elfparse_link_relocate(&pair.link, NULL), ELFPARSE_LINK_ETLSSIZE);
}

static void initialisers_and_finalisers(void **state)
{
    static const uint64_t init[] = {0x11, 0x22, 0, 0x33, 0x44, 0x33, 0x44};
    static const uint64_t fini[] = {0x66, 0x55, 0x66, 0x55, 0};
    struct elfparse_calls calls;
    uint64_t address;

    make(0, 0);
    assert_int_equal(link_all(), 0);
    elfparse_link_calls_open(&pair.link, ELFPARSE_CALLS_INIT, &calls);
    for (unsigned i = 0; i < sizeof(init) / sizeof(init[0]); i++) {
        assert_int_equal(elfparse_link_next_call(&calls, &address), 1);
        assert_int_equal(address, init[i] != 0 ? init[i] : PAIR_BIAS(1) + 0x500);
    }
    assert_int_equal(elfparse_link_next_call(&calls, &address), 0);
    elfparse_link_calls_open(&pair.link, ELFPARSE_CALLS_FINI, &calls);
    for (unsigned i = 0; i < sizeof(fini) / sizeof(fini[0]); i++) {
        assert_int_equal(elfparse_link_next_call(&calls, &address), 1);
        assert_int_equal(address, fini[i] != 0 ? fini[i] : PAIR_BIAS(1) + 0x600);
    }
    assert_int_equal(elfparse_link_next_call(&calls, &address), 0);
    pair.link.count = 0;
    elfparse_link_calls_open(&pair.link, ELFPARSE_CALLS_INIT, &calls);
    assert_int_equal(elfparse_link_next_call(&calls, &address), 0);
}

static void look_up(void **state)
{
    static const struct {
        const char *name, *version;
        int code;
        uint32_t object;
        uint64_t value;
    } cases[] = {
        {"func", NULL, 0, 1, 0x100},
        {"func", "V1", 0, 1, 0x200},
        {"func", "V2", 0, 1, 0x100},
        {"func", "V3", ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {"mine", NULL, 0, 0, 0x40},
        {"mine", "V1", ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {"gone", NULL, ELFPARSE_LINK_EUNDEFINED, 0, 0},
    };
    struct elfparse_symbol found = {0};
    uint32_t object = 0;

    for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned n = i / 2;

        make(0, i % 2);
        assert_int_equal(link_all(), 0);
        assert_int_equal(
            elfparse_link_lookup(&pair.link, cases[n].name, cases[n].version, &object, &found),
            cases[n].code);
        if (cases[n].code == 0) {
            assert_int_equal(object, cases[n].object);
            assert_int_equal(found.value, cases[n].value);
        }
    }
}

static void debuggers_and_unwinders(void **state)
{
    struct elfparse_phdr_info info;
    struct elfparse_debug debug = {0};
    struct elfparse_area area;

    make(0, 0);
    add_entry(program, 21, 0);
    assert_int_equal(link_all(), 0);
    elfparse_link_publish(&pair.link, ELFPARSE_DEBUG_ADD, &debug);
    assert_int_equal(word_at(entry(program, 21), 8), 0); /* not in a writable page */
    pair.ranges[0][0].prot |= ELFPARSE_PF_W;
    elfparse_link_publish(&pair.link, ELFPARSE_DEBUG_ADD, &debug);
    assert_int_equal(word_at(entry(program, 21), 8), (uintptr_t)&debug);
    assert_int_equal(debug.version, 1);
    assert_int_equal(debug.state, ELFPARSE_DEBUG_ADD);
    assert_ptr_equal(debug.objects, &pair.objects[0].map);
    assert_null(debug.objects->previous);
    assert_ptr_equal(debug.objects->next, &pair.objects[1].map);
    assert_ptr_equal(debug.objects->next->previous, debug.objects);
    assert_null(debug.objects->next->next);
    assert_string_equal(debug.objects->next->name, "libb.so");
    assert_int_equal(debug.objects->dynamic, PAIR_BIAS(0) + PAIR_DYNAMIC);
    assert_int_equal(elfparse_link_phdr_info(&pair.link, 1, &info), 0);
    assert_int_equal(info.bias, PAIR_BIAS(1));
    assert_int_equal(info.phdr, PAIR_BIAS(1) + 0x40);
    assert_int_equal(info.phnum, 5);
    assert_int_equal(info.tls_module, 2);
    assert_int_equal(info.tls_offset, (uint64_t)0 - 32);
    assert_int_equal(elfparse_link_phdr_info(&pair.link, 2, &info), ELFPARSE_ELINK);
    assert_int_equal(elfparse_link_relro(&pair.objects[0], &area), 1);
    assert_int_equal(area.vaddr, PAIR_BIAS(0) + PAIR_PAGE);
    assert_int_equal(area.size, PAIR_PAGE);
    /* The entry's value begins in a writable page and ends in one that is not. */
    pair.ranges[0][1].prot = ELFPARSE_PF_R;
    pair.plans[0].dynamic.vaddr = PAIR_BIAS(0) + PAIR_PAGE - 12;
    pair.objects[0].dynamic = (struct elfparse_view){program + PAIR_PAGE - 12, 32};
    pair_put(program + PAIR_PAGE - 12, 21, 8);
    pair_put(program + PAIR_PAGE - 4, 0, 8);
    elfparse_link_publish(&pair.link, ELFPARSE_DEBUG_ADD, &debug);
    assert_int_equal(word_at(program, PAIR_PAGE - 4), 0);
    pair.plans[0].relro.size--; /* ends inside its page, which stays writable */
    assert_int_equal(elfparse_link_relro(&pair.objects[0], &area), 0);
    pair.plans[0].relro.size = 0;
    assert_int_equal(elfparse_link_relro(&pair.objects[0], &area), 0);
    pair.link.count = 0;
    elfparse_link_publish(&pair.link, ELFPARSE_DEBUG_CONSISTENT, &debug);
    assert_null(debug.objects);
}

static void loading_fails(void **state)
{
    make(0, 0);
    pair.link.machine = 8;
    expect_failure(ELFPARSE_ERELMACHINE, "program: relocations of machine 8 are not known");
    pair.load_answer = -7;
    expect_failure(ELFPARSE_LINK_ELOAD,
                   "program: needs libb.so, which was not loaded: the callback returned -7");
    pair.link.capacity = 1;
    expect_failure(ELFPARSE_LINK_EFULL,
                   "program: needs libb.so, but the list has room for 1 objects only");
    set_entry(program, ELFPARSE_DT_NEEDED, 0x1000);
    expect_failure(ELFPARSE_LINK_ENAME,
                   "program: the name at 4096 does not end within the string table or, of a "
                   "library, within 4095 bytes");
    set_entry(library, ELFPARSE_DT_SONAME, 0x100);
    expect_failure(ELFPARSE_LINK_ENAME,
                   "libb.so: the name at 256 does not end within the string table or, of a "
                   "library, within 4095 bytes");
    set_entry(program, ELFPARSE_DT_SYMTAB, 0x4000);
    expect_failure(ELFPARSE_LINK_EDYNAMIC,
                   "program: the table of dynamic entry 0x6 is not in the object's memory");
    set_entry(program, 27, 0x4000);
    expect_failure(ELFPARSE_LINK_EDYNAMIC,
                   "program: the table of dynamic entry 0x1b is not in the object's memory");
    pair.plans[0].dynamic.size = 0; /* needs nothing, and has nothing to be relocated */
    assert_int_equal(link_all(), 0);
    assert_int_equal(pair.link.count, 1);
}

static void versions_fail(void **state)
{
    make(0, 0);
    program[PAIR_STRINGS + pair_get(program + PAIR_VERNEED + 24, 4)] = 'W';
    expect_failure(ELFPARSE_LINK_EVERSION,
                   "program: needs version libb.so@W2, which that library does not define");
    program[PAIR_STRINGS + pair_get(program + PAIR_VERNEED + 24, 4)] = 'W';
    pair_put(program + PAIR_VERNEED + 20, 2, 2); /* weak: only the symbol is missed */
    expect_failure(ELFPARSE_LINK_EUNDEFINED,
                   "program: at 0x1000: func@W2 is not defined by any object");
    pair_put(library + PAIR_VERDEF + 16, 0xffff, 4);
    expect_failure(ELFPARSE_LINK_EVERTABLE,
                   "program: looking for libb.so@V2: the table of versions does not end in "
                   "memory");
    pair_put(library + PAIR_VERDEF + 28 + 20, 0xffff, 4); /* its name */
    expect_failure(ELFPARSE_LINK_EVERTABLE,
                   "program: looking for libb.so@V2: the table of versions does not end in "
                   "memory");
    pair_put(program + PAIR_VERNEED + 4, 0xffff, 4);
    expect_failure(ELFPARSE_LINK_EVERTABLE, "program: looking for a symbol without name: the table "
                                            "of versions does not end in memory");
    pair_put(program + PAIR_VERNEED + 24, 0xffff, 4);
    assert_int_equal(link_all(), ELFPARSE_LINK_EVERTABLE);
    make(0, 0);
    pair_put(library + PAIR_VERDEF + 2 * 28 + 16, 0xffff, 4);
    pair_put(library + PAIR_VERSYM + 2, 9, 2); /* is looked for up to the end */
    assert_int_equal(link_all(), ELFPARSE_LINK_EVERTABLE);
    make(0, 0);
    program[PAIR_VERNEED + 2] = 0; /* a library of which nothing is needed */
    assert_int_equal(link_all(), 0);
    make(0, 0);
    pair_put(entry(library, ELFPARSE_DT_VERDEF), 0x70000000, 8);
    assert_int_equal(link_all(), 0); /* a library without versions has any */
    make(0, 0);
    pair_put(entry(library, ELFPARSE_DT_VERSYM), 0x70000000, 8);
    assert_int_equal(link_all(), 0);
    make(0, 0);
    pair_put(program + PAIR_VERNEED + 4, pair_get(program + PAIR_VERNEED + 24, 4), 4);
    assert_int_equal(link_all(), 0); /* of a library that is not in the list */
}

static void symbols_fail(void **state)
{
    make(0, 0);
    symbol(program, PAIR_S_GONE)[4] = 0x10;
    expect_failure(ELFPARSE_LINK_EUNDEFINED,
                   "program: at 0x1020: gone is not defined by any object");
    pair_put(symbol(program, PAIR_S_GONE), 0x5000, 4);
    expect_failure(ELFPARSE_LINK_ENAME,
                   "program: at 0x1020: the name at 20480 does not end within the string table or, "
                   "of a library, within 4095 bytes");
    pair_put(library + PAIR_GNU_HASH + 4, 2, 4);
    expect_failure(ELFPARSE_LINK_EHASH, "program: at 0x1000: looking for func@V2: the hash table "
                                        "names symbol 1, which is not there");
    pair_put(library + PAIR_GNU_HASH + 8, 0xfffff, 4);
    expect_failure(ELFPARSE_LINK_EHASH, "program: at 0x1000: looking for func@V2: the hash table "
                                        "names symbol 1, which is not there");
    set_entry(library, ELFPARSE_DT_GNU_HASH, PAIR_SIZE - 4);
    assert_int_equal(link_all(), ELFPARSE_LINK_EHASH);
    make(0, 0);
    pair_put(library + PAIR_GNU_HASH, 0, 4); /* no bucket: no symbol */
    assert_int_equal(link_all(), ELFPARSE_LINK_EUNDEFINED);
    make(0, 0);
    pair_put(library + PAIR_GNU_HASH + 24, 0, 4); /* the bucket is empty */
    assert_int_equal(link_all(), ELFPARSE_LINK_EUNDEFINED);
    make(0, 0);
    symbol(library, PAIR_S_FUNC2)[5] = 2; /* hidden */
    assert_int_equal(link_all(), ELFPARSE_LINK_EUNDEFINED);
    make(0, 0);
    symbol(library, PAIR_S_CHOOSE_B)[4] = 0x13; /* a section */
    assert_int_equal(link_all(), ELFPARSE_LINK_EUNDEFINED);
    make(0, 0);
    pair_put(entry(library, ELFPARSE_DT_GNU_HASH), 0x70000000, 8);
    pair_put(entry(library, ELFPARSE_DT_HASH), 0x70000001, 8);
    assert_int_equal(link_all(), ELFPARSE_LINK_EUNDEFINED);
}

static void sysv_tables_fail(void **state)
{
    static const struct {
        unsigned word;
        uint32_t value;
        int code;
    } cases[] = {
        {0, 0, ELFPARSE_LINK_EUNDEFINED}, {0, 0xffffff, ELFPARSE_LINK_EHASH},
        {2, 0, ELFPARSE_LINK_EUNDEFINED}, {2, 7, ELFPARSE_LINK_EHASH},
        {4, 0x100, ELFPARSE_LINK_EHASH},  {4, 1, 0},
        {5, 2, ELFPARSE_LINK_EHASH},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(0, 1);
        pair_put(library + PAIR_SYSV_HASH + (size_t)4 * cases[i].word, cases[i].value, 4);
        if (i != 5)
            assert_int_equal(link_all(), cases[i].code);
    }
    make(0, 1);
    set_entry(library, ELFPARSE_DT_HASH, PAIR_SIZE - 4);
    assert_int_not_equal(link_all(), 0);
}

static void relocations_fail(void **state)
{
    make(0, 0);
    pair.link.tls_descriptor = 0;
    expect_failure(ELFPARSE_LINK_ETLS,
                   "program: at 0x1070: tls is thread-local, but its object has no PT_TLS, or "
                   "nobody handles TLS descriptors");
    pair.plans[1].tls.memsz = 0;
    expect_failure(ELFPARSE_LINK_ETLS,
                   "program: at 0x1040: tls is thread-local, but its object has no PT_TLS, or "
                   "nobody handles TLS descriptors");
    pair_put(symbol(library, PAIR_S_DATA_B) + 8, PAIR_SIZE - 4, 8);
    expect_failure(ELFPARSE_LINK_ECOPY, "program: at 0x12c0: the contents of data, 8 bytes at "
                                        "0x1ffc, are not in its object's memory");
    pair_put(symbol(library, PAIR_S_DATA_B) + 8, 0x9000, 8);
    expect_failure(ELFPARSE_LINK_ECOPY, "program: at 0x12c0: the contents of data, 8 bytes at "
                                        "0x9000, are not in its object's memory");
    pair.link.ifunc = NULL;
    expect_failure(ELFPARSE_LINK_EIFUNC,
                   "program: at 0x1090: the indirect function choose was not called: the callback "
                   "returned 0 (0: there is none)");
    pair_put(program + PAIR_RELOCATIONS + 8, 0x7777, 4);
    expect_failure(ELFPARSE_ERELTYPE,
                   "program: at 0x500: relocation type 30583 is not known, or nobody handles it");
    pair.ifunc_answer = -3; /* the only failure that comes when something was written */
    assert_int_equal(link_all(), ELFPARSE_LINK_EIFUNC);
    assert_int_equal(error.error.found, (uint64_t)-3);
}

/* Of the library with DT_SYMBOLIC: its own data, although the program has a copy. */
static void symbolic(void **state)
{
    make(0, 0);
    add_entry(library, 30, 2);
    assert_int_equal(link_all(), 0);
    assert_int_equal(word_at(library, PAIR_TARGETS), PAIR_BIAS(1) + PAIR_TLS + 16);
    make(0, 0);
    add_entry(library, 16, 0);
    assert_int_equal(link_all(), 0);
    assert_int_equal(word_at(library, PAIR_TARGETS), PAIR_BIAS(1) + PAIR_TLS + 16);
}

/* An undefined function with a value takes pointers, but not calls; absolute symbols stay. */
static void bind_undefined_with_a_value(unsigned machine, uint8_t info)
{
    size_t word, st_info, hashes;

    make(machine, 0);
    word = pair.machine->word;
    st_info = word == 8 ? 4 : 12;
    hashes = PAIR_GNU_HASH + 16 + word + 4;
    symbol(program, PAIR_S_MINE)[st_info] = info;
    pair_put(symbol(program, PAIR_S_MINE) + st_info + 2, 0, 2);
    pair_put(symbol(program, PAIR_S_MINE), pair_get(symbol(program, PAIR_S_FUNC), 4), 4);
    pair_put(program + PAIR_VERSYM + 2 * PAIR_S_MINE, 2, 2);
    pair_put(program + hashes + 4, pair_get(library + hashes, 4) | 1, 4);
    pair_put(symbol(library, PAIR_S_CHOOSE_B) + st_info + 2, 0xfff1, 2);
    symbol(library, PAIR_S_CHOOSE_B)[st_info] = 0x11;
    assert_int_equal(link_all(), 0);
    assert_int_equal(target(PAIR_POINTER), PAIR_BIAS(0) + 0x40);
    assert_int_equal(target(PAIR_CALL), PAIR_BIAS(1) + 0x100);
    assert_int_equal(target(PAIR_CHOSEN), 0x300);
}

/* Nor is it called where it is an indirect function: that is its definition's matter. */
static void undefined_with_a_value(void **state)
{
    for (unsigned machine = 0; machine < PAIR_MACHINES; machine++) {
        bind_undefined_with_a_value(machine, 0x12);
        bind_undefined_with_a_value(machine, 0x1a);
    }
}

/* Names are cut, and shown without control characters; a buffer that is too small is filled. */
static void sentences_are_cut(void **state)
{
    static uint8_t name[400];
    char text[ELFPARSE_LINK_ERROR_MAX];
    struct elfparse_link_error wrong = {.error = {.code = ELFPARSE_LINK_EUNDEFINED}};

    memset(name, 'n', sizeof(name));
    name[1] = '\n';
    wrong.symbol = (struct elfparse_view){name, sizeof(name)};
    assert_int_equal(elfparse_link_error_format(&wrong, text, sizeof(text)),
                     255 + strlen(" is not defined by any object"));
    assert_int_equal(text[1], '?');
    assert_int_equal(elfparse_link_error_format(&wrong, text, 5), 4);
    assert_string_equal(text, "n?nn");
    assert_int_equal(elfparse_link_error_format(&wrong, text, 0), 0);
    memset(name + 2, 'n', sizeof(name) - 3);
    wrong.object = (const char *)name;
    assert_int_equal(elfparse_link_error_format(&wrong, text, sizeof(text)),
                     (size_t)510 + strlen(":  is not defined by any object"));
    wrong.error.code = ELFPARSE_LINK_ETLSSIZE;
    wrong.error.expected = 0x7fffffff;
    wrong.object = NULL;
    elfparse_link_error_format(&wrong, text, sizeof(text));
    assert_string_equal(text, "with this object thread-local storage takes 0x0 bytes, the limit is "
                              "0x7fffffff");
    wrong.error.code = ELFPARSE_ERELTYPE;
    wrong.symbol.size = 3;
    wrong.object = "";
    elfparse_link_error_format(&wrong, text, sizeof(text));
    assert_string_equal(text, "relocation type 0 is not known, or nobody handles it, for n?n");
}

/* Bytes of the program's (0) or the library's (1) memory that are changed. */
struct change {
    unsigned object;
    size_t offset, size;
    uint64_t value;
};

#define NAME(index)       (PAIR_SYMBOLS + 24 * (size_t)(index))
#define INFO(index)       (NAME(index) + 4)
#define OTHER(index)      (NAME(index) + 5)
#define SHNDX(index)      (NAME(index) + 6)
#define VALUE(index)      (NAME(index) + 8)
#define ST_SIZE(index)    (NAME(index) + 16)
#define VERSYM(index)     (PAIR_VERSYM + 2 * (size_t)(index))
#define RELOCATION(index) (PAIR_RELOCATIONS + 24 * (size_t)(index))
#define GNU(word)         (PAIR_GNU_HASH + 4 * (size_t)(word))
#define SYSV(word)        (PAIR_SYSV_HASH + 4 * (size_t)(word))

static void apply(const struct change *changes, size_t count)
{
    for (size_t i = 0; i < count && changes[i].size != 0; i++)
        pair_put(pair.memory[changes[i].object] + changes[i].offset, changes[i].value,
                 changes[i].size);
}

/* What a symbol's fields, versions and hash tables decide, on x86-64. */
static void symbols_are_bound_as_their_fields_say(void **state)
{
    enum { EITHER = 2 }; /* of both kinds of hash tables */
    const uint64_t at = PAIR_BIAS(1);
    const struct {
        int sysv;
        struct change changes[3];
        int code;
        unsigned target;
        uint64_t value;
    } cases[] = {
        /* a local, an internal, a hidden definition, one of another type, one without a value */
        {EITHER, {{1, INFO(PAIR_S_FUNC2), 1, 0x02}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {EITHER, {{1, OTHER(PAIR_S_FUNC2), 1, 1}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {EITHER, {{1, OTHER(PAIR_S_FUNC2), 1, 2}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {EITHER, {{1, OTHER(PAIR_S_FUNC2), 1, 3}}, 0, PAIR_POINTER, at + 0x100},
        {EITHER, {{1, INFO(PAIR_S_FUNC2), 1, 0x13}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {EITHER, {{1, VALUE(PAIR_S_FUNC2), 8, 0}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {EITHER,
         {{1, VALUE(PAIR_S_FUNC2), 8, 0}, {1, SHNDX(PAIR_S_FUNC2), 2, 0xfff1}},
         0,
         PAIR_POINTER,
         0},
        {EITHER, {{1, VALUE(PAIR_S_TLS_B), 8, 0}}, 0, PAIR_OFFSET, 0},
        {EITHER, {{1, SHNDX(PAIR_S_TLS_B), 2, 0}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        /* a name that its string table does not hold */
        {EITHER, {{1, NAME(PAIR_S_FUNC2), 4, 0xffff}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        /* a definition without a version does unless it is hidden; so does one with index 0 */
        {EITHER, {{1, VERSYM(PAIR_S_FUNC2), 2, 1}}, 0, PAIR_POINTER, at + 0x100},
        {EITHER, {{1, VERSYM(PAIR_S_FUNC2), 2, 0}}, 0, PAIR_POINTER, at + 0x100},
        {EITHER, {{1, VERSYM(PAIR_S_FUNC2), 2, 0x8001}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        /* the reference itself: without a symbol, local, hidden and undefined, weak */
        {EITHER, {{0, RELOCATION(PAIR_MODULE) + 12, 4, 0}}, 0, PAIR_MODULE, 1},
        {EITHER, {{0, INFO(PAIR_S_TLS), 1, 0x06}}, 0, PAIR_MODULE, 1},
        {EITHER, {{0, OTHER(PAIR_S_FUNC), 1, 2}}, 0, PAIR_POINTER, at + 0x100},
        {EITHER,
         {{0, INFO(PAIR_S_TLS), 1, 0x26}, {1, INFO(PAIR_S_TLS_B), 1, 0x06}},
         0,
         PAIR_MODULE,
         0},
        {EITHER, {{1, INFO(PAIR_S_TLS_B), 1, 0x06}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        /* a GNU hash table that leads outside its object */
        {0, {{1, GNU(6), 4, UINT32_MAX}}, ELFPARSE_LINK_EHASH, 0, 0},
        {0, {{1, GNU(1), 4, UINT32_MAX}, {1, GNU(6), 4, UINT32_MAX}}, ELFPARSE_LINK_EHASH, 0, 0},
        {0, {{1, GNU(1), 4, 2}, {1, GNU(6), 4, 1}}, ELFPARSE_LINK_EHASH, 0, 0},
        {0, {{1, GNU(6), 4, 0}}, ELFPARSE_LINK_EUNDEFINED, 0, 0},
        {0, {{1, GNU(2), 4, 0x10000}}, ELFPARSE_LINK_EHASH, 0, 0},
        {0, {{1, GNU(6), 4, 0x1000}}, ELFPARSE_LINK_EHASH, 0, 0},
        /* a thread-local symbol that is not defined, for a pointer */
        {EITHER,
         {{1, INFO(PAIR_S_FUNC2), 1, 0x16}, {1, SHNDX(PAIR_S_FUNC2), 2, 0}},
         ELFPARSE_LINK_EUNDEFINED,
         0,
         0},
        /* a symbol outside the table's memory; a chain outside it */
        {1, {{1, SYSV(1), 4, 0x10000}, {1, SYSV(2), 4, 0x1000}}, ELFPARSE_LINK_EHASH, 0, 0},
        {1, {{1, SYSV(0), 4, 0x10000}, {1, SYSV(1), 4, 0x10000}}, ELFPARSE_LINK_EHASH, 0, 0},
    };

    for (unsigned n = 0; n < 2 * sizeof(cases) / sizeof(cases[0]); n++) {
        unsigned i = n / 2;

        if (cases[i].sysv != EITHER && n % 2 != 0)
            continue;
        make(0, cases[i].sysv == EITHER ? (int)(n % 2) : cases[i].sysv);
        apply(cases[i].changes, 3);
        assert_int_equal(link_all(), cases[i].code);
        if (cases[i].code == 0)
            assert_int_equal(target(cases[i].target), cases[i].value);
    }
}

/* Tables that end with their object's memory. */
static void hash_tables_are_cut_short(void **state)
{
    static const struct {
        int sysv;
        unsigned left; /* bytes of the table */
        uint32_t words[3];
    } cases[] = {
        {0, 2, {0}}, {0, 4, {1}}, {0, 8, {1, 1}}, {0, 12, {1, 1, 1}},
        {1, 2, {0}}, {1, 4, {1}}, {1, 8, {1, 9}}, {1, 12, {1, 9, 2}},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t at = PAIR_SIZE - cases[i].left;

        make(0, cases[i].sysv);
        set_entry(library, cases[i].sysv ? ELFPARSE_DT_HASH : ELFPARSE_DT_GNU_HASH, at);
        for (unsigned n = 0; n < cases[i].left / 4; n++)
            pair_put(library + at + 4 * (size_t)n, cases[i].words[n], 4);
        assert_int_equal(link_all(), ELFPARSE_LINK_EHASH);
    }
}

/* dlsym takes no side between two default versions; a damaged table is no missing symbol. */
static void expect_default_versions(int sysv)
{
    struct elfparse_symbol found = {0};
    uint32_t object = 0;

    make(0, sysv);
    pair_put(library + VERSYM(PAIR_S_FUNC2), 4, 2);
    pair_put(library + VERSYM(PAIR_S_FUNC1), 3, 2);
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(elfparse_link_lookup(&pair.link, "func", NULL, &object, &found),
                     ELFPARSE_LINK_EUNDEFINED);
    pair_put(library + VERSYM(PAIR_S_FUNC1), 0x8003, 2);
    assert_int_equal(elfparse_link_lookup(&pair.link, "func", NULL, &object, &found), 0);
    assert_int_equal(found.value, 0x100);
    pair_put(library + VERSYM(PAIR_S_FUNC1), 3, 2);
    pair_put(library + VERSYM(PAIR_S_FUNC2), 0x8004, 2);
    assert_int_equal(elfparse_link_lookup(&pair.link, "func", NULL, &object, &found), 0);
    assert_int_not_equal(found.value, 0x100);
    assert_int_equal(elfparse_link_lookup(&pair.link, "func", "NONE", &object, &found),
                     ELFPARSE_LINK_EUNDEFINED);
    pair_put(library + (sysv ? SYSV(2) : GNU(6)), UINT32_MAX, 4);
    assert_int_equal(elfparse_link_lookup(&pair.link, "func", NULL, &object, &found),
                     ELFPARSE_LINK_EHASH);
}

static void look_up_among_versions(void **state)
{
    expect_default_versions(0);
    expect_default_versions(1);
}

/* The smaller of both sizes is copied, from another object although the program binds to itself. */
static void copies_of_a_smaller_definition(void **state)
{
    make(0, 0);
    add_entry(program, 16, 0);
    pair_put(library + ST_SIZE(PAIR_S_DATA_B), 4, 8);
    pair_put(program + PAIR_COPY, UINT64_MAX, 8);
    assert_int_equal(link_all(), 0);
    assert_int_equal(word_at(program, PAIR_COPY),
                     ((PAIR_BIAS(1) + 0x123) & UINT32_MAX) | UINT64_C(0xffffffff00000000));
}

static void blocks_of_threads(void **state)
{
    uint8_t block[128];

    for (unsigned machine = 0; machine < 2; machine++) {
        make(machine, 0); /* the gap has the size, but not where the alignment asks for it */
        pair.plans[0].tls.align = 64;
        pair.plans[1].tls.align = 64;
        assert_int_equal(link_all(), 0);
        assert_int_equal(pair.objects[0].tls_offset, 64);
        assert_int_equal(pair.objects[1].tls_offset, 128);
        assert_int_equal(pair.link.tls_align, 64);
    }
    make(0, 0); /* the block fits before the first multiple of its alignment */
    pair.plans[0].tls.vaddr += 4;
    pair.plans[0].tls.memsz = 2;
    assert_int_equal(link_all(), 0);
    assert_int_equal(pair.objects[0].tls_offset, 4);
    make(0, 0);
    pair.plans[0].tls.align = UINT64_C(1) << 31;
    assert_int_equal(link_all(), ELFPARSE_LINK_ETLSSIZE);
    for (unsigned i = 0; i < 3; i++) { /* no template, one outside, one larger than its block */
        make(0, 0);
        assert_int_equal(link_all(), 0);
        if (i == 0)
            pair.objects[0].tls_module = 0;
        else if (i == 1)
            pair.plans[0].tls.vaddr = PAIR_BIAS(0) + PAIR_SIZE - 4;
        else
            pair.plans[0].tls.memsz = pair.plans[0].tls.filesz - 1;
        memset(block, 0x55, sizeof(block));
        elfparse_link_fill_tls(&pair.link, block);
        assert_int_equal(block[32 - pair.objects[0].tls_offset], 0);
        assert_memory_equal(block + 32 - pair.objects[1].tls_offset, library + PAIR_TLS, 8);
    }
}

static struct change late;

/* Changes what was checked before. */
static int change_and_call(void *ctx, uint64_t place, uint64_t resolver, uint64_t *value)
{
    (void)ctx;
    (void)place;
    *value = resolver;
    apply(&late, 1);
    return 0;
}

static void what_changes_meanwhile_is_an_error(void **state)
{
    static const struct change changes[] = {
        {0, RELOCATION(PAIR_CHOSEN) + 8, 4, 0x7777}, /* a type that nobody knows */
        {0, NAME(PAIR_S_CHOOSE), 4, 0},              /* another name, of no definition */
        {0, RELOCATION(PAIR_CHOSEN), 8, 0x100000},   /* a target outside */
    };

    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        make(0, 0);
        late = changes[i];
        pair.link.ifunc = change_and_call;
        /* The library is written first. */
        pair_put(library + RELOCATION(PAIR_RELATIVE) + 8, pair.machine->irelative, 4);
        pair_put(symbol(library, PAIR_S_CHOOSE_B) + 4, 0x12, 1);
        assert_int_equal(link_all(), ELFPARSE_ERELCHANGED);
    }
    make(0, 0);
    pair_put(symbol(library, PAIR_S_CHOOSE_B) + 4, 0x12, 1);
    pair.link.ifunc = NULL; /* of a relocation without a symbol */
    assert_int_equal(link_all(), ELFPARSE_LINK_EIFUNC);
}

static void names_of_objects(void **state)
{
    struct elfparse_phdr_info info;
    struct elfparse_debug debug = {0};

    make(1, 0);
    assert_int_equal(link_all(), 0);
    pair.objects[0].name = NULL;
    elfparse_link_publish(&pair.link, ELFPARSE_DEBUG_CONSISTENT, &debug);
    assert_string_equal(debug.objects->name, "");
    assert_int_equal(elfparse_link_phdr_info(&pair.link, 0, &info), 0);
    assert_string_equal(info.name, "");
    assert_int_equal(info.tls_offset, pair.objects[0].tls_offset);
}

/* A name in DT_NEEDED stands for the object of that DT_SONAME or path. */
static void needed_objects_are_in_the_list(void **state)
{
    make(0, 0);
    pair.objects[0].name = "libb.so";
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(pair.link.count, 1);
    make(0, 0);
    add_entry(program, ELFPARSE_DT_SONAME, word_at(entry(program, ELFPARSE_DT_NEEDED), 8));
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(pair.link.count, 1);
    make(0, 0);
    add_entry(program, ELFPARSE_DT_NEEDED, word_at(entry(program, ELFPARSE_DT_NEEDED), 8));
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(pair.link.count, 2);
}

static int load_with_name(void *ctx, const struct elfparse_object *by, const char *needed,
                          struct elfparse_object *object)
{
    (void)ctx;
    (void)by;
    (void)needed;
    object->name = "/lib/libb.so";
    object->plan = &pair.plans[1];
    object->memory = library;
    return 0;
}

/* The library needs the program: what is visited first comes after what it needs. */
static void objects_that_need_each_other(void **state)
{
    make(0, 0);
    pair.link.load = load_with_name;
    pair.objects[0].name = "func";
    add_entry(library, ELFPARSE_DT_NEEDED, pair_get(library + NAME(PAIR_S_FUNC2), 4));
    assert_int_equal(link_all(), 0);
    assert_string_equal(pair.objects[1].name, "/lib/libb.so");
    assert_int_equal(pair.objects[0].order, 0);
    assert_int_equal(pair.objects[1].order, 1);
    make(0, 0);
    assert_int_equal(link_all(), 0);
    assert_int_equal(pair.objects[0].order, 1);
    assert_int_equal(pair.objects[1].order, 0);
}

/* Entries without a value are as good as none; an array of functions without a size calls none. */
static void dynamic_entries_without_a_value(void **state)
{
    static const uint64_t init[] = {0x33, 0x44};
    struct elfparse_calls calls;
    uint64_t address;

    make(0, 0);
    set_entry(library, 12, 0);
    set_entry(library, 13, 0);
    set_entry(library, 27, 0);
    set_entry(program, 33, 0);
    set_entry(library, ELFPARSE_DT_STRSZ, 0); /* nobody looks at it */
    add_entry(library, 30, 8);
    assert_int_equal(link_all(), 0);
    assert_int_equal(word_at(library, PAIR_TARGETS), PAIR_BIAS(0) + PAIR_COPY); /* not symbolic */
    elfparse_link_calls_open(&pair.link, ELFPARSE_CALLS_INIT, &calls);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(elfparse_link_next_call(&calls, &address), 1);
        assert_int_equal(address, init[i]);
    }
    assert_int_equal(elfparse_link_next_call(&calls, &address), 0);
    make(0, 0);
    pair_put(entry(library, 27), 0x6000000d, 8); /* no DT_INIT_ARRAYSZ, no DT_PREINIT_ARRAYSZ */
    pair_put(entry(program, 33), 0x6000000d, 8);
    set_entry(library, 12, 0);
    assert_int_equal(link_all(), 0);
    elfparse_link_calls_open(&pair.link, ELFPARSE_CALLS_INIT, &calls);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(elfparse_link_next_call(&calls, &address), 1);
        assert_int_equal(address, init[i]);
    }
    assert_int_equal(elfparse_link_next_call(&calls, &address), 0);
    make(0, 0); /* a hole in front of the second page */
    pair.ranges[1][1].vaddr += PAIR_PAGE;
    assert_int_equal(link_all(), ELFPARSE_LINK_EDYNAMIC);
}

/* Records that pass the end of their object's memory. */
static void version_records_are_cut_short(void **state)
{
    make(0, 0);
    set_entry(program, ELFPARSE_DT_VERNEED, PAIR_SIZE - 8);
    assert_int_equal(link_all(), ELFPARSE_LINK_EVERTABLE);
    make(0, 0);
    pair_put(program + PAIR_VERNEED + 8, PAIR_SIZE, 4);
    assert_int_equal(link_all(), ELFPARSE_LINK_EVERTABLE);
    make(0, 0); /* one that only the program's own references lead to */
    add_entry(program, ELFPARSE_DT_VERDEF, PAIR_SIZE - 8);
    assert_int_equal(link_all(), ELFPARSE_LINK_EVERTABLE);
}

/* As if the objects lay so much higher. */
static void move_up(uint64_t by)
{
    for (unsigned i = 0; i < 2; i++) {
        struct elfparse_plan *plan = &pair.plans[i];

        plan->start += by;
        plan->end += by;
        plan->bias += by;
        plan->phdr_vaddr += by;
        plan->dynamic.vaddr += by;
        plan->relro.vaddr += by;
        plan->tls.vaddr += by;
        pair.ranges[i][0].vaddr += by;
        pair.ranges[i][1].vaddr += by;
    }
}

/* Addresses that 32 bits do not hold, in objects whose tables go on over four ranges. */
static void addresses_above_4_gib(void **state)
{
    static const uint64_t ends[] = {0x60, 0x80, PAIR_PAGE, PAIR_SIZE};
    const uint64_t by = UINT64_C(0x5500000000), first = UINT64_C(0x112233445566);
    struct elfparse_range split[4];
    struct elfparse_calls calls;
    uint64_t address, expected[] = {0, first, 0x44, 0x33, 0x44};

    for (unsigned machine = 0; machine < 3; machine++) {
        make(machine, 0);
        pair_put(library + PAIR_ARRAYS + 16, first, 8);
        move_up(by);
        for (unsigned i = 0; i < 4; i++) {
            split[i] = pair.ranges[1][i == 3];
            split[i].vaddr = PAIR_BIAS(1) + by + (i == 0 ? 0 : ends[i - 1]);
            split[i].size = ends[i] - (i == 0 ? 0 : ends[i - 1]);
        }
        pair.plans[1].ranges = split;
        pair.plans[1].range_count = 4;
        assert_int_equal(link_all(), 0);
        assert_int_equal(target(PAIR_POINTER), PAIR_BIAS(1) + by + 0x100);
        assert_int_equal(target(PAIR_IRELATIVE), PAIR_BIAS(0) + by + 0x1044);
        assert_int_equal(word_at(library, PAIR_TARGETS), PAIR_BIAS(0) + by + PAIR_COPY);
        expected[0] = PAIR_BIAS(1) + by + 0x500;
        elfparse_link_calls_open(&pair.link, ELFPARSE_CALLS_INIT, &calls);
        for (unsigned i = 0; i < 7; i++) { /* after two of DT_PREINIT_ARRAY */
            assert_int_equal(elfparse_link_next_call(&calls, &address), 1);
            if (i >= 2)
                assert_int_equal(address, expected[i - 2]);
        }
        elfparse_link_calls_open(&pair.link, ELFPARSE_CALLS_FINI, &calls);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(elfparse_link_next_call(&calls, &address), 1);
        assert_int_equal(address, PAIR_BIAS(1) + by + 0x600);
    }
}

/* The lowest place in the gap after 0 where the second block can be; 0: nowhere. */
static uint64_t place_in_gap(void)
{
    const struct elfparse_tls *tls = &pair.plans[1].tls;
    uint64_t end = pair.objects[0].tls_offset - pair.plans[0].tls.memsz;

    for (uint64_t offset = tls->memsz; offset <= end; offset++) {
        if ((tls->vaddr + offset) % tls->align == 0)
            return offset;
    }
    return 0;
}

/* Variant 2: the second block is in the gap that the first one leaves, if that has the place. */
static void blocks_of_threads_in_gaps(void **state)
{
    unsigned used = 0;

    make(0, 0);
    assert_int_equal(link_all(), 0);
    for (unsigned i = 0; i < 5 * 5 * 8 * 8 * 24; i++) {
        uint64_t size = 1 + i / 1600 % 24, gap;

        pair.plans[0].tls.align = UINT64_C(2) << (i % 5);
        pair.plans[1].tls.align = UINT64_C(1) << (i / 5 % 5);
        pair.plans[0].tls.vaddr = PAIR_BIAS(0) + PAIR_TLS + i / 25 % 8;
        pair.plans[1].tls.vaddr = PAIR_BIAS(1) + PAIR_TLS + i / 200 % 8;
        pair.plans[0].tls.memsz = 3;
        pair.plans[1].tls.memsz = size;
        /* Tables were relocated already: only the layout counts. */
        (void)elfparse_link_relocate(&pair.link, NULL);
        gap = place_in_gap();
        used += gap != 0;
        if (gap != 0)
            assert_int_equal(pair.objects[1].tls_offset, gap);
        else
            assert_true(pair.objects[1].tls_offset >= pair.objects[0].tls_offset + size);
    }
    assert_in_range(used, 1000, 30000);
}

/* Thread-local symbols are looked for in all objects, or first in one that is DT_SYMBOLIC. */
static void symbolic_thread_local_storage(void **state)
{
    for (unsigned symbolic = 0; symbolic < 2; symbolic++) {
        make(0, 1);
        pair_put(program + SHNDX(PAIR_S_TLS), 1, 2);
        pair_put(library + RELOCATION(PAIR_DATA) + 8, pair.machine->module, 4);
        pair_put(library + RELOCATION(PAIR_DATA) + 12, PAIR_S_TLS_B, 4);
        if (symbolic)
            add_entry(library, 16, 0);
        assert_int_equal(link_all(), 0);
        assert_int_equal(word_at(library, PAIR_TARGETS), 1 + symbolic);
    }
}

/* The list of a debugger ends with the last object; DT_DEBUG may be in any writable range. */
static void debuggers_see_no_more_than_the_list(void **state)
{
    struct elfparse_link_map untouched;
    struct elfparse_debug debug = {0};

    make(0, 0);
    memset(&untouched, 0x55, sizeof(untouched));
    pair.objects[1].map = untouched;
    pair.plans[0].dynamic.vaddr = PAIR_BIAS(0) + PAIR_PAGE + 0x400;
    pair.objects[0].dynamic = (struct elfparse_view){program + PAIR_PAGE + 0x400, 32};
    pair_put(program + PAIR_PAGE + 0x400, 21, 8);
    elfparse_link_publish(&pair.link, ELFPARSE_DEBUG_ADD, &debug);
    assert_memory_equal(&pair.objects[1].map, &untouched, sizeof(untouched));
    assert_null(debug.objects->next);
    assert_int_equal(word_at(program, PAIR_PAGE + 0x408), (uintptr_t)&debug);
}

/* A unique symbol is that of the last object, although each refers to its own version of it. */
static void unique_symbols(void **state)
{
    static const uint8_t infos[] = {0x11, 0xa1};

    for (unsigned unique = 0; unique < 2; unique++) {
        make(0, 1);
        symbol(program, PAIR_S_DATA)[4] = infos[unique];
        symbol(library, PAIR_S_DATA_B)[4] = infos[unique];
        pair_put(library + VERSYM(PAIR_S_DATA_B), 2, 2);
        pair_put(program + VERSYM(PAIR_S_DATA), 4, 2);
        add_entry(program, ELFPARSE_DT_VERDEF, PAIR_VERDEF);
        memcpy(program + PAIR_VERDEF, library + PAIR_VERDEF + 28, 28);
        pair_put(program + PAIR_VERDEF + 4, 4, 2);
        pair_put(program + PAIR_VERDEF + 8, 0x12345, 4);
        pair_put(program + PAIR_VERDEF + 16, 0, 4);
        pair_put(program + PAIR_VERDEF + 20, pair_get(program + NAME(PAIR_S_MINE), 4), 4);
        pair_put(program + RELOCATION(PAIR_COPIED) + 8, 0, 4);
        pair_put(program + RELOCATION(PAIR_CHOSEN) + 12, PAIR_S_DATA, 4);
        assert_int_equal(link_all(), 0);
        assert_int_equal(word_at(library, PAIR_TARGETS), PAIR_BIAS(1) + PAIR_TLS + 16);
        assert_int_equal(target(PAIR_CHOSEN),
                         unique ? PAIR_BIAS(1) + PAIR_TLS + 16 : PAIR_BIAS(0) + PAIR_COPY);
    }
    make(0, 0); /* the old version of func, which no reference without a version finds */
    symbol(library, PAIR_S_FUNC1)[4] = 0xa2;
    program[PAIR_STRINGS + pair_get(program + PAIR_VERNEED + 24, 4) + 1] = '1';
    pair_put(program + PAIR_VERNEED + 16, pair_get(library + PAIR_VERDEF + 56 + 8, 4), 4);
    assert_int_equal(link_all(), 0);
    assert_int_equal(target(PAIR_POINTER), PAIR_BIAS(1) + 0x200);
    make(0, 0); /* both versions of func are unique, in the object that comes first */
    symbol(library, PAIR_S_FUNC1)[4] = symbol(library, PAIR_S_FUNC2)[4] = 0xa2;
    program[PAIR_STRINGS + pair_get(program + PAIR_VERNEED + 24, 4) + 1] = '1';
    pair_put(program + PAIR_VERNEED + 16, pair_get(library + PAIR_VERDEF + 56 + 8, 4), 4);
    pair.objects[1] = pair.objects[0];
    pair.objects[0] = (struct elfparse_object){.plan = &pair.plans[1], .memory = library};
    pair.link.count = 2;
    assert_int_equal(link_all(), 0);
    assert_int_equal(target(PAIR_POINTER), PAIR_BIAS(1) + 0x100);
    make(0, 0);
    symbol(library, PAIR_S_TLS_B)[4] = 0xa6; /* of the second of its tables of versions */
    pair_put(library + VERSYM(PAIR_S_TLS_B), 9, 2);
    pair_put(library + PAIR_VERDEF + 56 + 16, 0xffff, 4);
    assert_int_equal(link_all(), ELFPARSE_LINK_EVERTABLE);
    make(0, 0); /* that of the program is found before the library's table is looked at */
    symbol(program, PAIR_S_DATA)[4] = 0xa1;
    pair_put(program + RELOCATION(PAIR_POINTER) + 12, PAIR_S_DATA, 4);
    pair_put(library + GNU(6), UINT32_MAX, 4);
    assert_int_equal(link_all(), ELFPARSE_LINK_EHASH);
    make(0, 0);
    symbol(program, PAIR_S_DATA)[4] = 0xa1; /* a copy is made all the same */
    symbol(library, PAIR_S_DATA_B)[4] = 0xa1;
    assert_int_equal(link_all(), 0);
    assert_int_equal(word_at(program, PAIR_COPY), PAIR_BIAS(1) + 0x123);
}

/* A list can be sorted twice: the second sort ignores the numbers of the first. */
static void a_list_is_sorted_again(void **state)
{
    make(0, 0);
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    pair.objects[0].order = pair.objects[1].order = 9;
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(pair.objects[0].order, 1);
    assert_int_equal(pair.objects[1].order, 0);
}

/* Makes the chain of a symbol of four letters run in circles, at symbol 3 of three letters, for so many steps. */
static void make_circle(uint8_t *memory, uint64_t steps)
{
    pair_put(memory + SYSV(1), steps, 4);
    pair_put(memory + SYSV(2), 3, 4);
    pair_put(memory + SYSV(3 + 3), 3, 4);
}

/* A look-up of its own has the limit of an object, and of one symbol in each object that it asks. */
static void steps_of_a_look_up(void **state)
{
    const uint64_t limit = ELFPARSE_LINK_STEPS + ELFPARSE_LINK_STEPS_EACH;
    struct elfparse_symbol found;
    uint32_t object;

    for (int i = -1; i <= 1; i++) {
        make(0, 1);
        assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
        pair.link.count = 1;
        make_circle(program, limit + (uint64_t)(int64_t)i);
        assert_int_equal(elfparse_link_lookup(&pair.link, "none", NULL, &object, &found),
                         i <= 0 ? ELFPARSE_LINK_EHASH : ELFPARSE_LINK_EWORK);
    }
}

/* What binding the first symbol of the program takes besides the circle in its library. */
#define STEPS_BEFORE                                                                               \
    (4 /* its name */ + 2 + 2 /* two records, a name: its version */ + 6 +                         \
     4 * 4 /* its own object */)

static void steps_of_an_object(void **state)
{
    const uint64_t limit = ELFPARSE_LINK_STEPS + 3 * ELFPARSE_LINK_STEPS_EACH;

    for (int i = -1; i <= 1; i++) {
        make(0, 1);
        make_circle(library, limit - STEPS_BEFORE + (uint64_t)(int64_t)i);
        if (i <= 0)
            assert_int_equal(link_all(), ELFPARSE_LINK_EHASH);
        else
            expect_failure(
                ELFPARSE_LINK_EWORK,
                "program: at 0x1000: func@V2 takes more than the 1060864 steps that this "
                "object may take: a hash table with few buckets, or long names or copies");
    }
}

/* A name of the program that lies at that offset and has that many bytes. */
static void put_name(uint8_t *memory, size_t offset, size_t size)
{
    memset(memory + offset, 'a', size);
    memory[offset + size] = '\0';
}

/*
 * The program in more memory, its first symbol with a name of that size, and symbols 1 and up in one
 * chain of DT_GNU_HASH: 5000 other hashes after that of symbol 1.
 */
static void make_large(size_t size, uint32_t hash)
{
    enum { LARGE = 0x140000, TABLE = PAIR_SIZE, NAMES = 0x8000 };
    static const uint32_t words[] = {1, 1, 0, 0, 1};
    static uint8_t large[LARGE];

    make(0, 0);
    memset(large, 0, LARGE);
    memcpy(large, program, PAIR_SIZE);
    pair.memory[0] = large;
    pair.objects[0].memory = large;
    pair.ranges[0][1].size = LARGE - PAIR_PAGE;
    pair.plans[0].end = PAIR_BIAS(0) + LARGE;
    set_entry(large, ELFPARSE_DT_STRSZ, 0);
    set_entry(large, ELFPARSE_DT_GNU_HASH, TABLE);
    for (size_t i = 0; i < 5; i++)
        pair_put(large + TABLE + 4 * i, words[i], 4);
    pair_put(large + TABLE + 20, hash & ~1u, 4);
    pair_put(large + TABLE + 20 + (size_t)4 * 5000, 1, 4);
    pair_put(symbol(large, PAIR_S_FUNC), NAMES - PAIR_STRINGS, 4);
    put_name(large, NAMES, size);
}

/* A name alone takes the limit: the steps end at its bytes, a record of versions, and so on. */
static void steps_of_a_long_name(void **state)
{
    const uint32_t limit = ELFPARSE_LINK_STEPS + ELFPARSE_LINK_STEPS_EACH;
    uint32_t hash = 5381;

    for (uint32_t i = 0; i < limit - 8; i++)
        hash = hash * 33 + 'a';
    for (uint32_t size = limit - 3; size <= limit + 1; size++) {
        make_large(size, 0);
        assert_int_equal(link_all(), ELFPARSE_LINK_EWORK);
        assert_int_equal(error.version.size, 0); /* which was not read yet */
        assert_int_equal(error.error.expected, limit);
    }
    make_large(limit - 4 - 905, 0); /* 5001 steps of the chain, of 5001 */
    assert_int_equal(link_all(), ELFPARSE_LINK_EUNDEFINED);
    make_large(limit - 4 - 904, 0);
    assert_int_equal(link_all(), ELFPARSE_LINK_EWORK);
    assert_int_equal(error.error.expected, limit + ELFPARSE_LINK_STEPS_EACH);
    make_large(limit - 8, hash); /* the same name is compared with itself */
    assert_int_equal(link_all(), ELFPARSE_LINK_EWORK);
}

/* Ten versions are needed, of a library that defines 89 with a name of 1222 bytes and the same hash. */
static void make_versions(size_t first_name)
{
    enum { NEEDED = 10, DEFINED = 89, SIZE = 1222, NAMES = 0x1300, RECORDS = 0x1800 };

    set_entry(program, ELFPARSE_DT_VERNEED, RECORDS);
    set_entry(library, ELFPARSE_DT_VERDEF, RECORDS);
    set_entry(program, ELFPARSE_DT_STRSZ, 0);
    set_entry(library, ELFPARSE_DT_STRSZ, 0);
    put_name(program, NAMES, first_name);
    put_name(library, NAMES, SIZE);
    memcpy(program + RECORDS, program + PAIR_VERNEED, 16);
    for (size_t i = 0; i < NEEDED; i++) {
        uint8_t *part = program + RECORDS + 16 * (i + 1);

        pair_put(part + 4, ELFPARSE_VER_FLG_WEAK, 2);
        pair_put(part + 6, 20 + i, 2);
        pair_put(part + 8, NAMES - PAIR_STRINGS + (i == 0 ? 0 : first_name - 1), 4);
        pair_put(part + 12, i + 1 < NEEDED ? 16 : 0, 4);
    }
    for (size_t i = 0; i < DEFINED; i++) {
        uint8_t *record = library + RECORDS + 20 * i;

        pair_put(record + 12, 20 * (DEFINED - i), 4);
        pair_put(record + 16, i + 1 < DEFINED ? 20 : 0, 4);
    }
    pair_put(library + RECORDS + 20 * (size_t)DEFINED, NAMES - PAIR_STRINGS, 4);
}

static void steps_of_versions(void **state)
{
    /* The record of the library; for each version its record, two names, and all that are defined. */
    const size_t fixed = 1 + 10 * (1 + 7 + 1 + 89 * (2 + 1222)) - 1;
    const size_t limit = ELFPARSE_LINK_STEPS + 10 * (size_t)ELFPARSE_LINK_STEPS_EACH;

    for (int i = -1; i <= 1; i++) {
        make(0, 0);
        make_versions(limit - fixed + (size_t)(ptrdiff_t)i);
        assert_int_equal(link_all(), i <= 0 ? 0 : ELFPARSE_LINK_EWORK);
    }
}

/* A program has room for what it copies: copies that overlap are not in order. */
static void copies_take_no_more_than_the_object(void **state)
{
    static const struct {
        unsigned copies, size;
        int code;
    } cases[] = {{3, 2730, 0}, {2, 4096, 0}, {3, 2731, ELFPARSE_LINK_EWORK}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(0, 0);
        pair_put(program + ST_SIZE(PAIR_S_DATA), cases[i].size, 8);
        pair_put(library + ST_SIZE(PAIR_S_DATA_B), cases[i].size, 8);
        pair_put(library + VALUE(PAIR_S_DATA_B), 0x800, 8);
        for (unsigned n = 0; n < PAIR_PROGRAM_RELOCATIONS; n++) {
            pair_put(program + RELOCATION(n), PAIR_PAGE, 8);
            pair_put(program + RELOCATION(n) + 8, n < cases[i].copies ? 5 : 8, 4);
            pair_put(program + RELOCATION(n) + 12, n < cases[i].copies ? PAIR_S_DATA : 0, 4);
        }
        assert_int_equal(link_all(), cases[i].code);
    }
}

static void names_of_libraries_have_a_limit(void **state)
{
    for (size_t size = ELFPARSE_LINK_LIBRARY_MAX - 1; size <= ELFPARSE_LINK_LIBRARY_MAX + 1;
         size++) {
        size_t at = PAIR_SIZE - 1 - size;
        int code = size <= ELFPARSE_LINK_LIBRARY_MAX ? 0 : ELFPARSE_LINK_ENAME;

        make(0, 0);
        set_entry(program, ELFPARSE_DT_STRSZ, 0);
        set_entry(program, ELFPARSE_DT_NEEDED, at - PAIR_STRINGS);
        put_name(program, at, size);
        assert_int_equal(elfparse_link_load(&pair.link, &error), code);
        make(0, 0);
        set_entry(library, ELFPARSE_DT_STRSZ, 0);
        set_entry(library, ELFPARSE_DT_SONAME, at - PAIR_STRINGS);
        put_name(library, at, size);
        assert_int_equal(elfparse_link_load(&pair.link, &error), code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_every_machine),
        cmocka_unit_test(thread_local_storage),
        cmocka_unit_test(initialisers_and_finalisers),
        cmocka_unit_test(look_up),
        cmocka_unit_test(debuggers_and_unwinders),
        cmocka_unit_test(loading_fails),
        cmocka_unit_test(versions_fail),
        cmocka_unit_test(symbols_fail),
        cmocka_unit_test(sysv_tables_fail),
        cmocka_unit_test(relocations_fail),
        cmocka_unit_test(symbolic),
        cmocka_unit_test(undefined_with_a_value),
        cmocka_unit_test(sentences_are_cut),
        cmocka_unit_test(symbols_are_bound_as_their_fields_say),
        cmocka_unit_test(hash_tables_are_cut_short),
        cmocka_unit_test(look_up_among_versions),
        cmocka_unit_test(copies_of_a_smaller_definition),
        cmocka_unit_test(blocks_of_threads),
        cmocka_unit_test(what_changes_meanwhile_is_an_error),
        cmocka_unit_test(names_of_objects),
        cmocka_unit_test(needed_objects_are_in_the_list),
        cmocka_unit_test(objects_that_need_each_other),
        cmocka_unit_test(dynamic_entries_without_a_value),
        cmocka_unit_test(version_records_are_cut_short),
        cmocka_unit_test(addresses_above_4_gib),
        cmocka_unit_test(blocks_of_threads_in_gaps),
        cmocka_unit_test(symbolic_thread_local_storage),
        cmocka_unit_test(debuggers_see_no_more_than_the_list),
        cmocka_unit_test(a_list_is_sorted_again),
        cmocka_unit_test(unique_symbols),
        cmocka_unit_test(steps_of_a_look_up),
        cmocka_unit_test(steps_of_an_object),
        cmocka_unit_test(steps_of_a_long_name),
        cmocka_unit_test(steps_of_versions),
        cmocka_unit_test(copies_take_no_more_than_the_object),
        cmocka_unit_test(names_of_libraries_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
