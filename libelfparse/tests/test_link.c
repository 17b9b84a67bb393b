/* Linking of a program with its library, made by hand, on each machine (pair.h). */
#include "links.h"

/* An offset from the thread pointer as a word. */
static uint64_t wrapped(uint64_t value)
{
    return pair.machine->word == 4 ? (uint32_t)value : value;
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
    pair.objects[0].name = NULL;
    assert_int_equal(link_all(), 0);
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

static int load_and_change(void *ctx, const struct elfparse_object *by, const char *needed,
                           struct elfparse_object *object)
{
    pair_put(entry(program, ELFPARSE_DT_NEEDED) + pair.machine->word,
             pair_get(symbol(program, PAIR_S_FUNC), 4), pair.machine->word);
    return load_with_name(ctx, by, needed, object);
}

/* A callback that makes the program need what is not there afterwards: the sort leaves that out. */
static void needed_objects_that_change(void **state)
{
    make(0, 0);
    pair.link.load = load_and_change;
    assert_int_equal(elfparse_link_load(&pair.link, &error), 0);
    assert_int_equal(pair.link.count, 2);
    assert_int_equal(pair.objects[0].order, 1);
    assert_int_equal(pair.objects[1].order, 0);
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
        cmocka_unit_test(debuggers_and_unwinders),
        cmocka_unit_test(loading_fails),
        cmocka_unit_test(relocations_fail),
        cmocka_unit_test(sentences_are_cut),
        cmocka_unit_test(copies_of_a_smaller_definition),
        cmocka_unit_test(blocks_of_threads),
        cmocka_unit_test(what_changes_meanwhile_is_an_error),
        cmocka_unit_test(names_of_objects),
        cmocka_unit_test(needed_objects_are_in_the_list),
        cmocka_unit_test(needed_objects_that_change),
        cmocka_unit_test(objects_that_need_each_other),
        cmocka_unit_test(dynamic_entries_without_a_value),
        cmocka_unit_test(addresses_above_4_gib),
        cmocka_unit_test(blocks_of_threads_in_gaps),
        cmocka_unit_test(symbolic_thread_local_storage),
        cmocka_unit_test(debuggers_see_no_more_than_the_list),
        cmocka_unit_test(a_list_is_sorted_again),
        cmocka_unit_test(copies_take_no_more_than_the_object),
        cmocka_unit_test(names_of_libraries_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
