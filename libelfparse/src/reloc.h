/* What a relocation type asks for, and the value that it stores. Internal. */
#ifndef ELFP_RELOC_H
#define ELFP_RELOC_H

#include <stdint.h>

#include <elfparse/relocate.h>

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
