#include "pair.h"

#include <string.h>

const struct pair_machine pair_machines[PAIR_MACHINES] = {
    {ELFPARSE_EM_X86_64, 8, 8, 6, 7, 5, 16, 17, 18, 36, 37},
    {ELFPARSE_EM_AARCH64, 8, 1027, 1025, 1026, 1024, 1028, 1029, 1030, 1031, 1032},
    {ELFPARSE_EM_RISCV, 8, 3, 2, 5, 4, 7, 9, 11, 12, 58},
    {ELFPARSE_EM_386, 4, 8, 6, 7, 5, 35, 36, 14, 41, 42},
    {ELFPARSE_EM_ARM, 4, 23, 21, 22, 20, 17, 18, 19, 13, 160},
};

struct symbol {
    const char *name;
    uint8_t info, other;
    uint16_t shndx, versym;
    uint64_t value, size;
};

/* Versions: 1 none, 2 V2, 3 V1; both are the library's. */
static const struct symbol program_symbols[] = {
    {"func", 0x12, 0, 0, 2, 0, 0},         {"gone", 0x20, 0, 0, 1, 0, 0},
    {"tls", 0x16, 0, 0, 1, 0, 0},          {"choose", 0x12, 0, 0, 1, 0, 0},
    {"data", 0x11, 0, 1, 1, PAIR_COPY, 8}, {"mine", 0x12, 0, 1, 1, 0x40, 0},
};
static const struct symbol library_symbols[] = {
    {"func", 0x12, 0, 1, 2, 0x100, 0},
    {"func", 0x12, 0, 1, 0x8003, 0x200, 0},
    {"tls", 0x16, 0, 1, 1, 4, 4},
    {"choose", 0x1a, 0, 1, 1, 0x300, 0},
    {"data", 0x11, 0, 1, 1, PAIR_TLS + 16, 8},
    {"prot", 0x12, 3, 1, 1, 0x400, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void pair_put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

uint64_t pair_get(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = size; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;

    while (*name != '\0')
        hash = hash * 33 + (uint8_t)*name++;
    return hash;
}

static uint32_t sysv_hash(const char *name)
{
    uint32_t hash = 0;

    while (*name != '\0') {
        hash = hash * 16 + (uint8_t)*name++;
        hash = (hash ^ ((hash >> 24) & 0xf0)) & 0x0fffffff;
    }
    return hash;
}

/* Appends a string and returns its offset; an equal one is used again. */
static uint32_t string(uint8_t *memory, const char *text)
{
    uint32_t at = 1;

    while (memory[PAIR_STRINGS + at] != '\0') {
        const char *there = (const char *)memory + PAIR_STRINGS + at;

        if (strcmp(there, text) == 0)
            return at;
        at += (uint32_t)strlen(there) + 1;
    }
    memcpy(memory + PAIR_STRINGS + at, text, strlen(text) + 1);
    return at;
}

static void put_symbol(uint8_t *memory, size_t word, size_t index, const struct symbol *symbol)
{
    uint8_t *at = memory + PAIR_SYMBOLS + index * (word == 8 ? 24 : 16);

    pair_put(at, string(memory, symbol->name), 4);
    pair_put(at + (word == 8 ? 8 : 4), symbol->value, word);
    pair_put(at + (word == 8 ? 16 : 8), symbol->size, word);
    at += word == 8 ? 4 : 12;
    at[0] = symbol->info;
    at[1] = symbol->other;
    pair_put(at + 2, symbol->shndx, 2);
    pair_put(memory + PAIR_VERSYM + 2 * index, symbol->versym, 2);
}

/* Symbols, both hash tables (one bucket each: all symbols from first on), strings. */
static void put_symbols(uint8_t *memory, size_t word, const struct symbol *symbols, size_t count,
                        size_t first)
{
    uint8_t *gnu = memory + PAIR_GNU_HASH, *sysv = memory + PAIR_SYSV_HASH;

    for (size_t i = 0; i < count; i++)
        put_symbol(memory, word, i + 1, &symbols[i]);
    pair_put(gnu, 1, 4);
    pair_put(gnu + 4, first, 4);
    pair_put(gnu + 8, 1, 4);
    gnu += 16 + word;
    pair_put(gnu, first, 4);
    pair_put(sysv, 1, 4);
    pair_put(sysv + 4, count + 1, 4);
    pair_put(sysv + 8, 1, 4);
    for (size_t i = 1; i <= count; i++) {
        uint32_t hash = gnu_hash(symbols[i - 1].name);

        if (i >= first)
            pair_put(gnu + 4 + 4 * (i - first), (hash & ~1u) | (i == count), 4);
        pair_put(sysv + 12 + 4 * i, i == count ? 0 : i + 1, 4);
    }
}

static void put_relocation(uint8_t *memory, size_t word, size_t number, uint64_t target,
                           uint64_t type, uint64_t symbol, uint64_t addend)
{
    uint8_t *at = memory + PAIR_RELOCATIONS + number * (word == 8 ? 24 : 8);

    pair_put(at, target, word);
    pair_put(at + word, word == 8 ? symbol << 32 | type : symbol << 8 | type, word);
    if (word == 8)
        pair_put(at + 16, addend, 8);
    else if (addend != 0)
        pair_put(memory + target, addend, 4);
}

static void put_entry(uint8_t **at, size_t word, uint64_t tag, uint64_t value)
{
    pair_put(*at, tag, word);
    pair_put(*at + word, value, word);
    *at += 2 * word;
}

static void put_tables(uint8_t *memory, const struct pair_machine *machine, size_t relocations,
                       int sysv, uint8_t **at)
{
    size_t word = machine->word;

    put_entry(at, word, ELFPARSE_DT_STRSZ, 0x100); /* sizes may come first */
    put_entry(at, word, ELFPARSE_DT_STRTAB, PAIR_STRINGS);
    put_entry(at, word, ELFPARSE_DT_SYMTAB, PAIR_SYMBOLS);
    if (!sysv)
        put_entry(at, word, ELFPARSE_DT_GNU_HASH, PAIR_GNU_HASH);
    put_entry(at, word, ELFPARSE_DT_HASH, PAIR_SYSV_HASH);
    put_entry(at, word, ELFPARSE_DT_VERSYM, PAIR_VERSYM);
    put_entry(at, word, word == 8 ? ELFPARSE_DT_RELA : ELFPARSE_DT_REL, PAIR_RELOCATIONS);
    put_entry(at, word, word == 8 ? ELFPARSE_DT_RELASZ : ELFPARSE_DT_RELSZ,
              (uint64_t)relocations * (word == 8 ? 24 : 8));
    put_entry(at, word, 25, PAIR_ARRAYS + 16); /* DT_INIT_ARRAY, DT_FINI_ARRAY and their sizes */
    put_entry(at, word, 27, (uint64_t)2 * word);
    put_entry(at, word, 26, PAIR_ARRAYS + 32);
    put_entry(at, word, 28, (uint64_t)2 * word);
    for (size_t i = 0; i < 6; i++)
        pair_put(memory + PAIR_ARRAYS + 16 * (i / 2) + word * (i % 2), 0x11 * (i + 1), word);
}

static void put_program(uint8_t *memory, const struct pair_machine *machine, int sysv)
{
    const struct {
        uint32_t type, symbol;
        uint64_t addend;
    } relocations[PAIR_PROGRAM_RELOCATIONS] = {
        {machine->absolute, PAIR_S_FUNC, 0}, {machine->call, PAIR_S_FUNC, 0},
        {machine->absolute, PAIR_S_GONE, 0}, {machine->copy, PAIR_S_DATA, 0},
        {machine->module, PAIR_S_TLS, 0},    {machine->offset, PAIR_S_TLS, 0},
        {machine->thread, PAIR_S_TLS, 0},    {machine->descriptor, PAIR_S_TLS, 0},
        {machine->irelative, 0, 0x44},       {machine->absolute, PAIR_S_CHOOSE, 0},
    };
    size_t word = machine->word;
    uint8_t *dynamic = memory + PAIR_DYNAMIC, *need = memory + PAIR_VERNEED;

    put_symbols(memory, word, program_symbols, COUNT(program_symbols), PAIR_S_DATA);
    for (size_t i = 0; i < PAIR_PROGRAM_RELOCATIONS; i++)
        put_relocation(memory, word, i, i == PAIR_COPIED ? PAIR_COPY : PAIR_TARGETS + 16 * i,
                       relocations[i].type, relocations[i].symbol, relocations[i].addend);
    pair_put(need, 1, 2);
    pair_put(need + 2, 1, 2);
    pair_put(need + 4, string(memory, "libb.so"), 4);
    pair_put(need + 8, 16, 4);
    pair_put(need + 16, sysv_hash("V2"), 4);
    pair_put(need + 22, 2, 2);
    pair_put(need + 24, string(memory, "V2"), 4);
    put_entry(&dynamic, word, ELFPARSE_DT_NEEDED, string(memory, "libb.so"));
    put_tables(memory, machine, PAIR_PROGRAM_RELOCATIONS, sysv, &dynamic);
    put_entry(&dynamic, word, ELFPARSE_DT_VERNEED, PAIR_VERNEED);
    put_entry(&dynamic, word, 32, PAIR_ARRAYS); /* DT_PREINIT_ARRAY and its size */
    put_entry(&dynamic, word, 33, (uint64_t)2 * word);
}

static void put_version(uint8_t *memory, size_t number, unsigned flags, size_t index,
                        const char *name)
{
    uint8_t *at = memory + PAIR_VERDEF + 28 * number;

    pair_put(at, 1, 2);
    pair_put(at + 2, flags, 2);
    pair_put(at + 4, index, 2);
    pair_put(at + 6, 1, 2);
    pair_put(at + 8, sysv_hash(name), 4);
    pair_put(at + 12, 20, 4);
    pair_put(at + 16, number < 2 ? 28 : 0, 4);
    pair_put(at + 20, string(memory, name), 4);
}

static void put_library(uint8_t *memory, const struct pair_machine *machine, int sysv)
{
    size_t word = machine->word;
    uint8_t *dynamic = memory + PAIR_DYNAMIC;

    put_symbols(memory, word, library_symbols, COUNT(library_symbols), 1);
    put_version(memory, 0, 1, 1, "libb.so");
    put_version(memory, 1, 0, 2, "V2");
    put_version(memory, 2, 0, 3, "V1");
    put_relocation(memory, word, PAIR_DATA, PAIR_TARGETS, machine->absolute, PAIR_S_DATA_B, 0);
    put_relocation(memory, word, PAIR_PROTECTED, PAIR_TARGETS + 16, machine->absolute, PAIR_S_PROT,
                   0);
    put_relocation(memory, word, PAIR_OLD, PAIR_TARGETS + 32, machine->call, PAIR_S_FUNC1, 0);
    put_relocation(memory, word, PAIR_RELATIVE, PAIR_TLS + 16, machine->relative, 0, 0x123);
    put_tables(memory, machine, PAIR_LIBRARY_RELOCATIONS, sysv, &dynamic);
    put_entry(&dynamic, word, ELFPARSE_DT_SONAME, string(memory, "libb.so"));
    put_entry(&dynamic, word, ELFPARSE_DT_VERDEF, PAIR_VERDEF);
    put_entry(&dynamic, word, 12, 0x500); /* DT_INIT, DT_FINI */
    put_entry(&dynamic, word, 13, 0x600);
}

void pair_fill(const struct pair_machine *machine, int sysv, uint8_t *program, uint8_t *library)
{
    memset(program, 0, PAIR_SIZE);
    memset(library, 0, PAIR_SIZE);
    put_program(program, machine, sysv);
    put_library(library, machine, sysv);
    for (size_t i = 0; i < 8; i++) {
        program[PAIR_TLS + i] = (uint8_t)(0xa0 + i);
        library[PAIR_TLS + i] = (uint8_t)(0xb0 + i);
    }
}

static int load(void *ctx, const struct elfparse_object *by, const char *needed,
                struct elfparse_object *object)
{
    struct pair *pair = ctx;

    (void)by;
    (void)needed;
    object->plan = &pair->plans[1];
    object->memory = pair->memory[1];
    return pair->load_answer;
}

static int call_ifunc(void *ctx, uint64_t place, uint64_t resolver, uint64_t *value)
{
    struct pair *pair = ctx;

    (void)place;
    pair->ifuncs++;
    *value = resolver + 0x1000;
    return pair->ifunc_answer;
}

static void make_plan(struct pair *pair, size_t i)
{
    struct elfparse_plan *plan = &pair->plans[i];
    uint64_t bias = PAIR_BIAS(i);

    pair->ranges[i][0] = (struct elfparse_range){
        bias, PAIR_PAGE, 0, PAIR_PAGE, ELFPARSE_PF_R | ELFPARSE_PF_X, 0, ELFPARSE_RANGE_FILE};
    pair->ranges[i][1] = (struct elfparse_range){
        bias + PAIR_PAGE,   PAIR_PAGE, PAIR_PAGE, PAIR_PAGE, ELFPARSE_PF_R | ELFPARSE_PF_W, 1,
        ELFPARSE_RANGE_FILE};
    plan->start = bias;
    plan->end = bias + PAIR_SIZE;
    plan->bias = bias;
    plan->ranges = pair->ranges[i];
    plan->range_count = 2;
    plan->phdr_vaddr = bias + 0x40;
    plan->phnum = 5;
    plan->dynamic = (struct elfparse_area){bias + PAIR_DYNAMIC, PAIR_PAGE - PAIR_DYNAMIC};
    plan->relro = (struct elfparse_area){bias + PAIR_PAGE, PAIR_PAGE};
    plan->tls = (struct elfparse_tls){bias + PAIR_TLS, PAIR_TLS, 8, 12 + 4 * i, 8};
}

void pair_make(struct pair *pair, const struct pair_machine *machine, uint8_t *program,
               uint8_t *library)
{
    memset(pair, 0, sizeof(*pair));
    pair->machine = machine;
    pair->memory[0] = program;
    pair->memory[1] = library;
    make_plan(pair, 0);
    make_plan(pair, 1);
    pair->objects[0].name = "program";
    pair->objects[0].plan = &pair->plans[0];
    pair->objects[0].memory = program;
    pair->link.machine = machine->machine;
    pair->link.objects = pair->objects;
    pair->link.capacity = 2;
    pair->link.count = 1;
    pair->link.load = load;
    pair->link.ifunc = call_ifunc;
    pair->link.ctx = pair;
    pair->link.tls_descriptor = 0x99;
}
