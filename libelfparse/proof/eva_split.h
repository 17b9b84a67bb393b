/*
 * For the proof of the notes, handed to note.c with -include: Eva looks at the sizes that are read
 * there from bytes one by one where they are small, each or a few in a state of their own, so that
 * it can tell where the next note is. Values stay what they are.
 */
#ifndef EVA_SPLIT_H
#define EVA_SPLIT_H

#include "bytes.h"

#define MOST 24u

/* The value, known to lie in the unit numbers up to a multiple of unit, where it is not large. */
static uint32_t apart(uint32_t value, uint32_t unit)
{
    //@ loop unroll MOST + 1;
    for (uint32_t end = 0; end <= MOST; end += unit) {
        if (value <= end)
            return value;
    }
    return value;
}

/* Of a note bytes is n_namesz, bytes + 4 is n_descsz; of a property front + 4 is pr_datasz. */
static uint32_t le32_apart(const uint8_t *bytes, char first, char last)
{
    uint32_t value = elfp_le32(bytes);

    if (first == 'b')
        return last == 's' ? apart(value, 4) : last == '4' ? apart(value, 1) : value;
    return first == 'f' && last == '4' ? apart(value, 8) : value;
}

#define elfp_le32(from) le32_apart(from, (#from)[0], (#from)[sizeof(#from) - 2])

/* A note is measured as little-endian: those of other files were converted. */
#define elfp_get32(from, big) elfp_le32(from)

#include "headers.h"

#endif
