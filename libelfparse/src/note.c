#include "note.h"

#include "judge.h"

/* First 16 bytes of a note whose name is "GNU": the name follows the header. */
#define GNU_NAMESZ 4u
#define GNU_NAME   0x00554e47u
#define NOTE_FRONT 16u

/* psABI, "Program Property": entries of type, size and data padded to 8. */
#define PROPERTY_HEADER        8u
#define PROPERTY_FRONT         12u
#define X86_FEATURE_1_AND      0xc0000002u
#define X86_FEATURE_1_AND_MASK (ELFPARSE_FEATURE_IBT | ELFPARSE_FEATURE_SHSTK)

/* The notes of one header. */
struct walk {
    struct elfp_judge *judge;
    const uint8_t *header;
    uint64_t offset; /* in the file */
    uint64_t left;   /* bytes from there on; 0 after the last one and after damage */
    int take_features;
};

/* There are left bytes at offset, and something there needs more. */
static ELFP_COLD int raise_short(struct walk *walk, uint32_t fault, uint64_t offset, uint64_t left,
                                 uint64_t needed)
{
    struct elfp_detail detail = {offset, left, needed};

    walk->left = 0;
    return elfp_raise(walk->judge, ELFP_OF_OTHER, fault, walk->header, &detail);
}

/* The properties in the descriptor of size bytes at offset. */
static inline int walk_properties(struct walk *walk, uint64_t offset, uint64_t size)
{
    const uint8_t *front;
    uint64_t need;

    for (; size != 0; offset += need, size -= need) {
        need = PROPERTY_HEADER;
        if (ELFP_RARE(size < need))
            return raise_short(walk, ELFP_OTHER_PROPERTY, offset, size, need);
        if (elfp_view(walk->judge, offset,
                      size < PROPERTY_FRONT ? PROPERTY_HEADER : PROPERTY_FRONT, &front) != 0)
            return 1;
        need = ((uint64_t)elfp_le32(front + 4) + PROPERTY_HEADER + 7) & ~UINT64_C(7);
        if (ELFP_RARE(need > size))
            return raise_short(walk, ELFP_OTHER_PROPERTY, offset, size, need);
        if (elfp_le32(front) == X86_FEATURE_1_AND && elfp_le32(front + 4) == 4 &&
            walk->take_features)
            walk->judge->plan->features = elfp_le32(front + 8) & X86_FEATURE_1_AND_MASK;
    }
    return 0;
}

/* Looks into the notes that a loader knows; front is good for 16 bytes where namesz is not 0. */
static inline int look_into(struct walk *walk, const struct elfp_note *note, const uint8_t *front)
{
    struct elfparse_build_id *id = &walk->judge->plan->build_id;

    if (note->namesz != GNU_NAMESZ || elfp_le32(front + ELFP_NHDR_SIZE) != GNU_NAME)
        return 0;
    if (note->type == ELFP_NT_GNU_PROPERTY)
        return walk_properties(walk, walk->offset + note->desc, note->descsz);
    if (note->type == ELFP_NT_GNU_BUILD_ID && id->size == 0) {
        id->offset = walk->offset + note->desc;
        id->size = note->descsz;
    }
    return 0;
}

/* One note, and on to the next. */
static inline int walk_note(struct walk *walk, uint64_t align)
{
    uint64_t left = walk->left;
    uint64_t need = ELFP_NHDR_SIZE;
    struct elfp_note note;
    const uint8_t *front;

    if (ELFP_RARE(left < need))
        return raise_short(walk, ELFP_OTHER_NOTE, walk->offset, left, need);
    if (elfp_view(walk->judge, walk->offset, left < NOTE_FRONT ? ELFP_NHDR_SIZE : NOTE_FRONT,
                  &front) != 0)
        return 1;
    need = elfp_note_measure(front, align, &note);
    if (ELFP_RARE(need > left))
        return raise_short(walk, ELFP_OTHER_NOTE, walk->offset, left, need);
    walk->left = note.next < left ? left - note.next : 0;
    if (look_into(walk, &note, front) != 0)
        return 1;
    walk->offset += note.next;
    return 0;
}

int elfp_contents_notes(struct elfp_judge *judge, const uint8_t *header, int take_features)
{
    struct walk walk = {judge, header, elfp_le64(header + ELFP_P_OFFSET),
                        elfp_le64(header + ELFP_P_FILESZ), take_features};
    uint64_t align = elfp_note_align(elfp_le64(header + ELFP_P_ALIGN));

    while (walk.left != 0) {
        if (ELFP_RARE(walk_note(&walk, align) != 0))
            return 1;
    }
    return 0;
}
