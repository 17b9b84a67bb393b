/* The layout of one note (gABI, "Note Section"; 8-byte padding: Linux gABI extensions). Internal.
 */
#ifndef ELFP_NOTE_H
#define ELFP_NOTE_H

#include "bytes.h"

#define ELFP_NHDR_SIZE 12u

/* Types of notes whose name is "GNU". */
#define ELFP_NT_GNU_BUILD_ID 3u
#define ELFP_NT_GNU_PROPERTY 5u

struct elfp_note {
    uint32_t type;
    uint32_t namesz;
    uint32_t descsz;
    uint64_t desc; /* offset of the descriptor from the note's start */
    uint64_t next; /* bytes of the whole note, its padding included */
};

/*
 * Measures the note whose 12 header bytes are at bytes, of a big-endian file if big is not 0; align
 * is 4 or 8. Sizes are 32 bits wide, so
 * nothing wraps. Returns the bytes that the note needs without the padding at its end.
 */
static inline uint64_t elfp_note_measure(const uint8_t *bytes, uint64_t align, uint32_t big,
                                         struct elfp_note *note)
{
    note->namesz = elfp_get32(bytes, big);
    note->descsz = elfp_get32(bytes + 4, big);
    note->type = elfp_get32(bytes + 8, big);
    note->desc = ((uint64_t)note->namesz + ELFP_NHDR_SIZE + align - 1) & (0 - align);
    note->next = (note->desc + note->descsz + align - 1) & (0 - align);
    return note->desc + note->descsz;
}

/* The padding of the notes in a header or section with that alignment: 8 or else 4. */
static inline uint64_t elfp_note_align(uint64_t align)
{
    return align == 8 ? 8 : 4;
}

#endif
