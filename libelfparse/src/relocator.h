/*
 * The state of a relocation, the memory of the object as it sees it, and what a relocation type asks
 * for. Internal.
 */
#ifndef ELFP_RELOCATOR_H
#define ELFP_RELOCATOR_H

#include <stdint.h>

#include <elfparse/relocate.h>

#include "bytes.h"

enum elfp_reloc_pass { ELFP_RELOC_CHECK, ELFP_RELOC_APPLY, ELFP_RELOC_HAND_OVER };

/* Contiguous memory of the ranges. */
struct elfp_reloc_region {
    uint64_t start;
    uint64_t size;
};

/* The tables in the order in which they are applied. */
enum { ELFP_RELOC_RELR, ELFP_RELOC_REL, ELFP_RELOC_RELA, ELFP_RELOC_PLT, ELFP_RELOC_TABLES };

struct elfp_reloc_table {
    uint64_t address; /* biased */
    uint64_t size;    /* bytes */
    uint32_t entry;   /* bytes of an entry */
    int addends;      /* RELA */
};

struct elfp_reloc_state {
    const struct elfparse_image *image;
    struct elfparse_error *error;
    enum elfp_reloc_pass pass;
    uint32_t word;                    /* bytes of a word */
    struct elfp_reloc_region targets; /* where the last target was */
    struct elfp_reloc_table tables[ELFP_RELOC_TABLES];
    uint64_t symtab;
    uint64_t hash;
    uint64_t gnu_hash;
    uint32_t symbols;    /* entries of symtab */
    uint64_t entry;      /* address of the entry that is looked at, for errors */
    uint8_t cache[1152]; /* whole entries of any size */
};

/* Machines whose relocations are known, by the bits of a word. */
#define ELFP_RELOC_64                                                                              \
    (ELFPARSE_MACHINES &                                                                           \
     (ELFPARSE_MACHINE_X86_64 | ELFPARSE_MACHINE_AARCH64 | ELFPARSE_MACHINE_RISCV64))
#define ELFP_RELOC_32 (ELFPARSE_MACHINES & (ELFPARSE_MACHINE_I386 | ELFPARSE_MACHINE_ARM))

/* state->word, known at compile time where all machines that are left have the same. */
static inline uint32_t elfp_reloc_bytes(const struct elfp_reloc_state *state)
{
    if (ELFP_RELOC_32 == 0)
        return 8;
    return ELFP_RELOC_64 == 0 ? 4 : state->word;
}

/* Addresses of machines with 32-bit words wrap there. */
static inline uint64_t elfp_reloc_wrap(const struct elfp_reloc_state *state, uint64_t address)
{
    return elfp_reloc_bytes(state) == 4 ? (uint32_t)address : address;
}

static inline uint64_t elfp_reloc_decode_word(const struct elfp_reloc_state *state,
                                              const uint8_t *bytes)
{
    return elfp_reloc_bytes(state) == 4 ? elfp_le32(bytes) : elfp_le64(bytes);
}

/* Fills the error and returns its code: after the first pass what is wrong was changed. */
int elfp_reloc_fail(const struct elfp_reloc_state *state, int code, uint64_t expected,
                    uint64_t found);

/*
 * The memory from the range on that has address, as far as ranges with that right follow each other
 * without a hole. 1, or 0 where there is none, or it has not that right.
 */
int elfp_reloc_find_region(const struct elfparse_range *range, uint32_t count, uint64_t address,
                           uint32_t prot, struct elfp_reloc_region *region);

/* 1 if the bytes lie in ranges. */
int elfp_reloc_readable(const struct elfp_reloc_state *state, uint64_t address, uint64_t size);

/* Reads bytes that lie in ranges. */
int elfp_reloc_read_bytes(const struct elfp_reloc_state *state, uint64_t address, void *to,
                          size_t size);

/* Reads bytes of any address; ELFPARSE_ERELTABLE where they do not lie in ranges and come from the file. */
int elfp_reloc_read_checked(const struct elfp_reloc_state *state, uint64_t address, void *to,
                            size_t size);

/* Writes a target that was checked. */
int elfp_reloc_write(const struct elfp_reloc_state *state, uint64_t address, const uint8_t *bytes,
                     size_t size);

/* Checks that a target lies in memory that relocations may change; state->targets becomes that. */
int elfp_reloc_check_target(struct elfp_reloc_state *state, uint64_t address, uint64_t size);

/* Finds the tables, and checks where they lie. */
int elfp_reloc_find_tables(struct elfp_reloc_state *state);

/* Checks that the ranges lie in the memory that they are said to be in. */
int elfp_reloc_check_memory(const struct elfp_reloc_state *state);

enum elfp_formula {
    ELFP_NONE = 0,     /* nothing is stored */
    ELFP_RELATIVE = 1, /* B + A */
    ELFP_ABSOLUTE = 2, /* S + A */
    ELFP_SYMBOL = 3,   /* S */
    ELFP_DISTANCE = 4, /* S + A - P */
    ELFP_SPECIAL = 5   /* the caller's: ELFP_SPECIAL + enum elfparse_special */
};

struct elfp_reloc_type {
    uint16_t type;
    uint8_t formula; /* enum elfp_formula */
    uint8_t size;    /* bytes of the target; 0: a word of the machine */
};

/* The type's description, or NULL where the machine has no such relocation for a loader. */
const struct elfp_reloc_type *elfp_reloc_type(uint32_t machine, uint32_t type);

/* Bytes of a word: 8 or 4; 0 for machines that are not known. */
uint32_t elfp_reloc_word(uint32_t machine);

/* The value that a formula gives, modulo 2^64. */
/*@ assigns \nothing;
    ensures formula == 1 ==> \result == (uint64_t)(bias + addend);
    ensures formula == 2 ==> \result == (uint64_t)(symbol + addend);
    ensures formula == 3 ==> \result == symbol;
    ensures formula == 4 ==> \result == (uint64_t)((uint64_t)(symbol + addend) - place);
*/
static inline uint64_t elfp_reloc_value(uint32_t formula, uint64_t symbol, uint64_t addend,
                                        uint64_t bias, uint64_t place)
{
    switch (formula) {
    case ELFP_RELATIVE:
        return bias + addend;
    case ELFP_ABSOLUTE:
        return symbol + addend;
    case ELFP_SYMBOL:
        return symbol;
    default:
        return symbol + addend - place;
    }
}

/* 1 if size bytes at address lie in the region of length bytes at start, and none of it wraps. */
/*@ requires start + length <= 0xffffffffffffffff;
    assigns \nothing;
    ensures \result == 1 ==> start <= address && address + size <= start + length;
    ensures \result == 0 ==> address < start || address + size > start + length;
*/
static inline int elfp_reloc_inside(uint64_t address, uint64_t size, uint64_t start,
                                    uint64_t length)
{
    return address >= start && size <= length && address - start <= length - size;
}

#endif
