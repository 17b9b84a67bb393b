/* The state of a relocation, and the memory of the object as it sees it. Internal. */
#ifndef ELFP_RELOCATOR_H
#define ELFP_RELOCATOR_H

#include <elfparse/relocate.h>

#include "bytes.h"
#include "reloc.h"

enum elfp_reloc_pass { ELFP_RELOC_CHECK, ELFP_RELOC_APPLY, ELFP_RELOC_HAND_OVER };

/* Contiguous memory of the ranges. */
struct elfp_reloc_region {
    uint64_t start;
    uint64_t size;
};

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
    struct elfp_reloc_table relr;
    struct elfp_reloc_table rel;
    struct elfp_reloc_table rela;
    struct elfp_reloc_table plt;
    uint64_t symtab;
    uint64_t hash;
    uint64_t gnu_hash;
    uint32_t symbols;    /* entries of symtab */
    uint64_t entry;      /* address of the entry that is looked at, for errors */
    uint8_t cache[1152]; /* whole entries of any size */
};

/* Addresses of machines with 32-bit words wrap there. */
static inline uint64_t elfp_reloc_wrap(const struct elfp_reloc_state *state, uint64_t address)
{
    return state->word == 4 ? (uint32_t)address : address;
}

static inline uint64_t elfp_reloc_decode_word(const struct elfp_reloc_state *state,
                                              const uint8_t *bytes)
{
    return state->word == 4 ? elfp_le32(bytes) : elfp_le64(bytes);
}

/* Fills the error and returns its code: after the first pass what is wrong was changed. */
int elfp_reloc_fail(const struct elfp_reloc_state *state, int code, uint64_t expected,
                    uint64_t found);

/* 1 if the bytes lie in ranges. */
int elfp_reloc_readable(const struct elfp_reloc_state *state, uint64_t address, uint64_t size);

/* Reads bytes that lie in ranges. */
int elfp_reloc_read_bytes(const struct elfp_reloc_state *state, uint64_t address, void *to,
                          size_t size);

/* Reads bytes of any address; ELFPARSE_ERELTABLE where they do not lie in ranges. */
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

#endif
