/*
 * Linking of a program with its library.
 *
 * Input: machine, what callbacks answer, rights and thread-local storage; the rest changes, by XOR, a
 * program and a library that are in order: symbols, both hash tables, versions, relocations,
 * dynamic entries.
 * Proves: nothing outside the objects' ranges is read or written, every walk ends, and a failure
 * changes nothing, whatever the tables say; a sentence ends in its buffer.
 * Does not prove: that the values are right (ld.so's own words are compared, programs are started).
 * Oracles: the objects before and after; AddressSanitizer around their memory; number of calls and of the
 * library's loads.
 * Rate: 2,000/s
 */
#include <stdlib.h>
#include <string.h>

#include "elfparse/invariants.h"
#include "pair.h"

/*
 * Loads of the library's code for one input. A hash chain that runs in circles takes the most: the
 * ELFPARSE_LINK_STEPS of its object, of some 42 loads each. That is 44 million, before it is an error.
 */
#define LOADS_MAX (UINT64_C(256) << 20)

static uint64_t loads;

/* What clang's trace-loads calls (fuzz/elfparse/meson.build); in other builds nothing is counted. */
void __sanitizer_cov_load1(const void *address);
void __sanitizer_cov_load2(const void *address);
void __sanitizer_cov_load4(const void *address);
void __sanitizer_cov_load8(const void *address);
void __sanitizer_cov_load16(const void *address);

static void count_load(void)
{
    HOLDS(++loads <= LOADS_MAX);
}

void __sanitizer_cov_load1(const void *address)
{
    (void)address;
    count_load();
}

void __sanitizer_cov_load2(const void *address)
{
    (void)address;
    count_load();
}

void __sanitizer_cov_load4(const void *address)
{
    (void)address;
    count_load();
}

void __sanitizer_cov_load8(const void *address)
{
    (void)address;
    count_load();
}

void __sanitizer_cov_load16(const void *address)
{
    (void)address;
    count_load();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Makes the objects' ranges, callbacks and thread-local storage what the input says. */
static void set_up(struct pair *pair, uint8_t how, uint8_t tls)
{
    pair->load_answer = (how & 1) != 0 ? -1 : 0;
    pair->ifunc_answer = (how & 2) != 0 ? -1 : 0;
    if ((how & 4) != 0)
        pair->link.ifunc = NULL;
    if ((how & 8) != 0)
        pair->ranges[1][0].prot |= ELFPARSE_PF_W; /* tables that relocations may change */
    if ((how & 16) != 0)
        pair->link.tls_descriptor = 0;
    if ((how & 32) != 0)
        pair->link.flags = ELFPARSE_RELOCATE_TEXT;
    if ((how & 64) != 0)
        pair->link.capacity = 1;
    pair->plans[tls & 1].tls.vaddr += tls >> 4;
    pair->plans[tls & 1].tls.align = UINT64_C(1) << (tls >> 1 & 7);
}

/* Uses what a link gives afterwards. */
static void use(struct pair *pair)
{
    struct elfparse_symbol symbol;
    struct elfparse_calls calls;
    struct elfparse_debug debug = {0};
    uint64_t address;
    uint32_t object, count = 0;
    void *block = malloc(pair->link.tls_size + 1);

    for (unsigned kind = ELFPARSE_CALLS_INIT; kind <= ELFPARSE_CALLS_FINI; kind++) {
        elfparse_link_calls_open(&pair->link, (enum elfparse_calls_kind)kind, &calls);
        while (elfparse_link_next_call(&calls, &address))
            HOLDS(++count <= 2 * 2 * PAIR_SIZE);
    }
    if (elfparse_link_lookup(&pair->link, "data", "V2", &object, &symbol) == 0)
        HOLDS(object < pair->link.count);
    if (elfparse_link_lookup(&pair->link, "func", NULL, &object, &symbol) == 0)
        HOLDS(object < pair->link.count);
    elfparse_link_fill_tls(&pair->link, block);
    elfparse_link_publish(&pair->link, ELFPARSE_DEBUG_CONSISTENT, &debug);
    free(block);
}

/* Links; on failure the objects are as they were, but for what cannot be known before. */
static void try_link(struct pair *pair, const uint8_t *before)
{
    struct elfparse_link_error error;
    char text[ELFPARSE_LINK_ERROR_MAX];
    int code = elfparse_link_load(&pair->link, &error);

    HOLDS(code != 0 || memcmp(pair->memory[0], before, PAIR_SIZE) == 0);
    if (code == 0)
        code = elfparse_link_relocate(&pair->link, &error);
    if (code == 0) {
        use(pair);
        return;
    }
    HOLDS(code == error.error.code);
    HOLDS(elfparse_link_error_format(&error, text, sizeof(text)) == strlen(text));
    /* Tables that relocation itself changes. */
    if (code == ELFPARSE_ERELCHANGED || (code == ELFPARSE_LINK_EIFUNC && pair->ifuncs != 0))
        return;
    HOLDS(memcmp(pair->memory[0], before, PAIR_SIZE) == 0);
    HOLDS(memcmp(pair->memory[1], before + PAIR_SIZE, PAIR_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t before[2 * PAIR_SIZE];
    static struct pair pair;
    uint8_t *memory[2];

    if (size < 3)
        return 0;
    loads = 0;
    memory[0] = malloc(PAIR_SIZE);
    memory[1] = malloc(PAIR_SIZE);
    pair_fill(&pair_machines[data[0] % PAIR_MACHINES], data[0] >> 7, memory[0], memory[1]);
    for (size_t i = 0; i < size - 3 && i < 2 * PAIR_PAGE; i++)
        memory[i / PAIR_PAGE][i % PAIR_PAGE] ^= data[3 + i];
    memcpy(before, memory[0], PAIR_SIZE);
    memcpy(before + PAIR_SIZE, memory[1], PAIR_SIZE);
    pair_make(&pair, &pair_machines[data[0] % PAIR_MACHINES], memory[0], memory[1]);
    set_up(&pair, data[1], data[2]);
    try_link(&pair, before);
    free(memory[0]);
    free(memory[1]);
    return 0;
}
