/* A program and its library in memory, made by hand, for the tests of linking on any machine. */
#ifndef PAIR_H
#define PAIR_H

#include <elfparse/link.h>

/* Objects are of two pages: tables, then data. Offsets of the tables are the same in both. */
#define PAIR_PAGE    ((size_t)4096)
#define PAIR_SIZE    (2 * PAIR_PAGE)
#define PAIR_BIAS(i) (UINT64_C(0x7000000) + UINT64_C(0x100000) * (i))

enum {
    PAIR_SYMBOLS = 0,
    PAIR_STRINGS = 0x180,
    PAIR_GNU_HASH = 0x280,
    PAIR_SYSV_HASH = 0x380,
    PAIR_VERSYM = 0x400,
    PAIR_VERDEF = 0x420,
    PAIR_VERNEED = 0x480,
    PAIR_RELOCATIONS = 0x500,
    PAIR_DYNAMIC = 0x780,
    PAIR_TARGETS = 0x1000, /* a word each, 16 bytes apart */
    PAIR_ARRAYS = 0x1200,  /* functions to call: preinit, init, fini, two words each */
    PAIR_TLS = 0x1280,     /* the template: 8 bytes */
    PAIR_COPY = 0x12c0     /* what the program has of the library's data */
};

/* Relocations of the program, in this order. */
enum {
    PAIR_POINTER, /* func */
    PAIR_CALL,    /* func */
    PAIR_WEAK,    /* gone, which nobody defines */
    PAIR_COPIED,  /* data, to PAIR_COPY */
    PAIR_MODULE,  /* tls */
    PAIR_OFFSET,
    PAIR_THREAD,
    PAIR_DESCRIPTOR,
    PAIR_IRELATIVE,
    PAIR_CHOSEN, /* choose, an indirect function */
    PAIR_PROGRAM_RELOCATIONS
};

/* Relocations of the library. */
enum { PAIR_DATA, PAIR_PROTECTED, PAIR_OLD, PAIR_RELATIVE, PAIR_LIBRARY_RELOCATIONS };

/* Indices of symbols. */
enum { PAIR_S_FUNC = 1, PAIR_S_GONE, PAIR_S_TLS, PAIR_S_CHOOSE, PAIR_S_DATA, PAIR_S_MINE };
enum { PAIR_S_FUNC2 = 1, PAIR_S_FUNC1, PAIR_S_TLS_B, PAIR_S_CHOOSE_B, PAIR_S_DATA_B, PAIR_S_PROT };

struct pair_machine {
    uint32_t machine;
    uint32_t word;
    uint32_t relative, absolute, call, copy, module, offset, thread, descriptor, irelative;
};

#define PAIR_MACHINES 5
extern const struct pair_machine pair_machines[PAIR_MACHINES];

struct pair {
    const struct pair_machine *machine;
    uint8_t *memory[2];
    struct elfparse_plan plans[2];
    struct elfparse_range ranges[2][2];
    struct elfparse_object objects[2];
    struct elfparse_link link;
    int32_t load_answer;
    int32_t ifunc_answer;
    unsigned ifuncs; /* calls */
};

/* Stores size bytes of value, the lowest first. */
void pair_put(uint8_t *at, uint64_t value, size_t size);
uint64_t pair_get(const uint8_t *at, size_t size);

/* Fills both memories, of PAIR_SIZE bytes. sysv: without DT_GNU_HASH. */
void pair_fill(const struct pair_machine *machine, int sysv, uint8_t *program, uint8_t *library);

/* Makes a link of them, with the program in its list; its callbacks return the pair's answers. */
void pair_make(struct pair *pair, const struct pair_machine *machine, uint8_t *program,
               uint8_t *library);

#endif
