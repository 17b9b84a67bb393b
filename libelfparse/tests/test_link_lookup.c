/* Linking: which definition a reference is bound to, and how many steps that may take. */
#include <stdbool.h>

#include "links.h"

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

/*
 * As dlvsym has it: where an object has no versions, any one is found; one beyond the table's end is
 * none. A definition may have the version that its object needs of another.
 */
static void expect_versions_of_objects(int sysv)
{
    struct elfparse_symbol found = {0};
    uint32_t object = 0;

    make(0, sysv);
    entry(library, ELFPARSE_DT_VERSYM)[0] = 0x7f; /* no such entry */
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(elfparse_link_lookup(&pair.link, "func", "NONE", &object, &found), 0);
    make(0, sysv);
    set_entry(library, ELFPARSE_DT_VERSYM, PAIR_SIZE - 2);
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(elfparse_link_lookup(&pair.link, "func", "V2", &object, &found),
                     ELFPARSE_LINK_EUNDEFINED);
    make(0, sysv);
    pair_put(program + VERSYM(PAIR_S_MINE), 2, 2);
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(elfparse_link_lookup(&pair.link, "mine", "V2", &object, &found), 0);
    assert_int_equal(object, 0);
}

static void look_up_among_versions(void **state)
{
    expect_default_versions(0);
    expect_default_versions(1);
    expect_versions_of_objects(0);
    expect_versions_of_objects(1);
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
     4 /* its own object: the name is equal to itself and begins as no other */)

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

/* Ten versions are needed, of a library that defines 89 with a name of 1221 bytes and the same hash. */
static void make_versions(size_t first_name)
{
    enum { NEEDED = 10, DEFINED = 89, SIZE = 1221, NAMES = 0x1300, RECORDS = 0x1800 };

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
    /* The record of the library; for each version its record, two names, the object before the library,
     * the library's name, and all that are defined. */
    const size_t fixed = 1 + 10 * (1 + 7 + 1 + 1 + 7 + 89 * (2 + 1221)) - 1;
    const size_t limit = ELFPARSE_LINK_STEPS + 10 * (size_t)ELFPARSE_LINK_STEPS_EACH;

    for (int i = -1; i <= 1; i++) {
        make(0, 0);
        make_versions(limit - fixed + (size_t)(ptrdiff_t)i);
        assert_int_equal(link_all(), i <= 0 ? 0 : ELFPARSE_LINK_EWORK);
    }
}

/*
 * The program in more memory, which needs the library by a name of that length. The program's own
 * name differs in the last byte.
 */
static void make_needed(size_t length)
{
    enum { LARGE = 0x10000, TABLE = PAIR_SIZE, NAMES = 0x8000 };
    static uint8_t large[LARGE];

    make(0, 0);
    memset(large, 0, LARGE);
    memcpy(large, program, PAIR_SIZE);
    pair.memory[0] = large;
    pair.objects[0].memory = large;
    pair.ranges[0][1].size = pair.ranges[0][1].file_bytes = LARGE - PAIR_PAGE;
    pair.plans[0].end = PAIR_BIAS(0) + LARGE;
    set_entry(large, ELFPARSE_DT_STRSZ, 0);
    set_entry(large, ELFPARSE_DT_NEEDED, NAMES - PAIR_STRINGS);
    add_entry(large, ELFPARSE_DT_SONAME, NAMES + length + 1 - PAIR_STRINGS);
    put_name(large, NAMES, length);
    put_name(large, NAMES + length + 1, length);
    large[NAMES + 2 * length] = 'b';
    memcpy(large + TABLE, large + PAIR_DYNAMIC, 0x180);
    pair.plans[0].dynamic = (struct elfparse_area){PAIR_BIAS(0) + TABLE, NAMES - TABLE};
}

/*
 * Each version that is needed takes its record, the library's name, its own, the program with all of
 * the name but the last byte, the library, and the three that it defines; and adds the steps of one.
 */
static void steps_for_name_of_library(size_t length, bool has_path)
{
    enum { RECORDS = 0xc000, NAMES = 0x8000 };
    const size_t each = 1 + length + 2 + (has_path ? 3 : 2) * length + 6;
    const size_t most = (ELFPARSE_LINK_STEPS - 1) / (each - ELFPARSE_LINK_STEPS_EACH);

    for (size_t count = most; count <= most + 1; count++) {
        uint8_t *large;

        make_needed(length);
        large = pair.memory[0];
        if (has_path)
            pair.objects[0].name = (const char *)large + NAMES + length + 1;
        memcpy(large + RECORDS, large + PAIR_VERNEED, 16);
        pair_put(large + RECORDS + 4, pair_get(entry(large, ELFPARSE_DT_NEEDED) + 8, 8), 4);
        for (size_t i = 0; i < count; i++) {
            uint8_t *part = large + RECORDS + 16 * (i + 1);

            memcpy(part, large + PAIR_VERNEED + 16, 16);
            pair_put(part, 0, 4); /* the hash of no version that the library has */
            pair_put(part + 4, ELFPARSE_VER_FLG_WEAK, 2);
            pair_put(part + 12, i + 1 < count ? 16 : 0, 4);
        }
        for (uint8_t *at = large + PAIR_SIZE;; at += 16) {
            if (pair_get(at, 8) == ELFPARSE_DT_VERNEED) {
                pair_put(at + 8, RECORDS, 8);
                break;
            }
        }
        pair_put(large + RELOCATION(0) + 8, 0, 8); /* the symbols of that version */
        pair_put(large + RELOCATION(1) + 8, 0, 8);
        assert_int_equal(link_all(), count == most ? 0 : ELFPARSE_LINK_EWORK);
        assert_int_equal(error.version.size, count == most ? 0 : 2);
    }
}

/* The last step is one too many while a name is read, and while the program's path is compared with it. */
static void steps_of_the_libraries_of_versions(void **state)
{
    steps_for_name_of_library(ELFPARSE_LINK_LIBRARY_MAX, false);
    steps_for_name_of_library(ELFPARSE_LINK_LIBRARY_MAX - 5, true);
}

/* A version of a library that is not in the list is nobody's matter. */
static void versions_of_libraries_that_are_not_there(void **state)
{
    make(0, 0);
    pair_put(program + PAIR_VERNEED + 4, pair_get(symbol(program, PAIR_S_FUNC), 4), 4);
    assert_int_equal(link_all(), 0);
}

/*
 * Each library that is needed is compared with all but the last byte of the program's name and takes a step,
 * and is the one that the first loaded. It adds the steps of one.
 */
static void steps_of_needed_libraries(void **state)
{
    enum { MOST = ELFPARSE_LINK_LIBRARY_MAX };
    const size_t most = (ELFPARSE_LINK_STEPS + 2 * MOST) / (2 * MOST - ELFPARSE_LINK_STEPS_EACH);

    for (size_t count = most; count <= most + 1; count++) {
        uint8_t *at, needed[16];

        make_needed(MOST);
        at = pair.memory[0] + PAIR_SIZE;
        memcpy(needed, entry(pair.memory[0], ELFPARSE_DT_NEEDED), sizeof(needed));
        while (pair_get(at, 8) != ELFPARSE_DT_NULL)
            at += 16;
        for (size_t i = 1; i < count; i++, at += 16)
            memcpy(at, needed, sizeof(needed));
        assert_int_equal(elfparse_link_load(&pair.link, &error),
                         count == most ? 0 : ELFPARSE_LINK_EWORK);
        assert_int_equal(pair.link.count, 2);
        if (count > most) {
            assert_int_equal(error.symbol.size, MOST);
            assert_int_equal(error.error.expected,
                             ELFPARSE_LINK_STEPS + count * ELFPARSE_LINK_STEPS_EACH);
        }
    }
}

/* An object goes by its path too, if it has one: by all of it. */
static void libraries_go_by_their_paths(void **state)
{
    static const char *const names[] = {NULL, "libb.so.1", "libb", "libb.so"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        make(0, 0);
        pair.objects[0].name = names[i];
        assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
        assert_int_equal(pair.link.count, i < 3 ? 2 : 1);
    }
}

/* The name of a symbol that is not used takes no steps: it is not looked at. */
static void an_indirect_function_has_no_symbol(void **state)
{
    make(0, 0);
    pair_put(program + RELOCATION(PAIR_IRELATIVE) + 12, PAIR_S_FUNC, 4);
    assert_int_equal(link_all(), 0);
    make(0, 0);
    pair_put(program + RELOCATION(PAIR_IRELATIVE) + 12, PAIR_S_FUNC, 4);
    pair.ifunc_answer = -3;
    pair_put(program + RELOCATION(PAIR_CHOSEN) + 8, 0, 4);
    assert_int_equal(link_all(), ELFPARSE_LINK_EIFUNC);
    assert_int_equal(error.place, PAIR_TARGETS + 16 * PAIR_IRELATIVE);
    assert_int_equal(error.symbol.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look_up),
        cmocka_unit_test(versions_fail),
        cmocka_unit_test(symbols_fail),
        cmocka_unit_test(sysv_tables_fail),
        cmocka_unit_test(symbolic),
        cmocka_unit_test(undefined_with_a_value),
        cmocka_unit_test(symbols_are_bound_as_their_fields_say),
        cmocka_unit_test(hash_tables_are_cut_short),
        cmocka_unit_test(look_up_among_versions),
        cmocka_unit_test(version_records_are_cut_short),
        cmocka_unit_test(unique_symbols),
        cmocka_unit_test(steps_of_a_look_up),
        cmocka_unit_test(steps_of_an_object),
        cmocka_unit_test(steps_of_a_long_name),
        cmocka_unit_test(steps_of_versions),
        cmocka_unit_test(steps_of_the_libraries_of_versions),
        cmocka_unit_test(steps_of_needed_libraries),
        cmocka_unit_test(versions_of_libraries_that_are_not_there),
        cmocka_unit_test(libraries_go_by_their_paths),
        cmocka_unit_test(an_indirect_function_has_no_symbol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
