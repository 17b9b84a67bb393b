#include "headers.h"

#include "judge.h"

/* First 16 bytes of a note whose name is "GNU": the name follows the header. */
#define GNU_NAMESZ 4u
#define GNU_NAME   0x00554e47u
#define NOTE_FRONT 16u

/* psABI, "Program Property": entries of type, size and data padded to 8, in ELF32 to 4. */
#define PROPERTY_HEADER        8u
#define X86_FEATURE_1_AND      0xc0000002u
#define X86_FEATURE_1_AND_MASK (ELFPARSE_FEATURE_IBT | ELFPARSE_FEATURE_SHSTK)
#define ARM_FEATURE_1_AND      0xc0000000u
#define ARM_FEATURE_1_AND_MASK (ELFPARSE_FEATURE_BTI | ELFPARSE_FEATURE_PAC | ELFPARSE_FEATURE_GCS)

/*
 * Puts the first bytes of a note, or of a property, into the view, where its three numbers become
 * little-endian; the name keeps its bytes. What lies after the bytes that were read is not looked
 * at.
 */
static inline const uint8_t *swap_numbers(const struct elfp_judge *judge, const uint8_t *bytes)
{
    uint8_t *view = (uint8_t *)judge->storage->scratch + judge->room;
    uint32_t name = elfp_load32(bytes + 12);

    elfp_put32(view, elfp_get32(bytes, 1));
    elfp_put32(view + 4, elfp_get32(bytes + 4, 1));
    elfp_put32(view + 8, elfp_get32(bytes + 8, 1));
    elfp_put32(view + 12, name);
    return view;
}

static ELFP_FOREIGN const uint8_t *fetch(struct elfp_judge *judge, uint64_t offset, uint64_t left)
{
    size_t size = left < NOTE_FRONT ? (size_t)left : NOTE_FRONT;
    const uint8_t *bytes = elfp_in_rest(judge, offset, size) ? elfp_scratch(judge) + offset
                                                             : elfp_view(judge, offset, size);

    if (bytes != NULL && elfp_is_big(judge->plan))
        return swap_numbers(judge, bytes);
    return bytes;
}

/*
 * The first 16 of the left bytes at offset, or all if they are fewer; NULL to stop. file: the
 * file's first bytes if they hold the whole header's notes, or NULL.
 */
static inline const uint8_t *look(struct elfp_judge *judge, const uint8_t *file, uint64_t offset,
                                  uint64_t left)
{
    return file != NULL ? file + offset : fetch(judge, offset, left);
}

/* Linux does not start an AArch64 program with a damaged property (parse_elf_properties). */
static int must_be_right(const struct elfp_judge *judge, const uint8_t *header)
{
    return (ELFPARSE_MACHINES & (ELFPARSE_MACHINE_AARCH64 | ELFPARSE_MACHINE_AARCH64_BE)) != 0 &&
           judge->plan->machine == ELFPARSE_EM_AARCH64 &&
           elfp_le32(header) == ELFPARSE_PT_GNU_PROPERTY;
}

/* Notes the trait, and raises the faults where the policy refuses it. */
static ELFP_COLD enum elfp_verdict raise_damage(struct elfp_judge *judge, const uint8_t *header,
                                                uint32_t faults, const struct elfp_detail *detail)
{
    judge->plan->traits |= ELFPARSE_TRAIT_NOTES;
    if (((judge->policy->refuse & ELFPARSE_TRAIT_NOTES) != 0 || must_be_right(judge, header)) &&
        elfp_raise(judge, ELFP_OF_OTHER, faults, header, detail) != 0)
        return ELFP_STOP;
    return ELFP_LEAVE;
}

/* There are left bytes at offset, and something there needs more: what follows is not judged. */
static ELFP_COLD enum elfp_verdict raise_short(struct elfp_judge *judge, const uint8_t *header,
                                               uint32_t fault, uint64_t offset, uint64_t left,
                                               uint64_t needed)
{
    struct elfp_detail detail = {offset, left, needed};

    return raise_damage(judge, header, fault, &detail);
}

/*
 * Properties of a machine: each is padded to unit; that of the type feature has features in mask.
 */
struct properties {
    uint64_t unit;
    uint32_t feature;
    uint32_t mask; /* 0: none has */
};

static const struct properties of_x86_64 = {8, X86_FEATURE_1_AND, X86_FEATURE_1_AND_MASK};

static struct properties properties_of(const struct elfparse_plan *plan)
{
    struct properties properties = {8, X86_FEATURE_1_AND, 0};

    if (elfp_is_narrow(plan))
        properties.unit = 4;
    if (plan->machine == ELFPARSE_EM_AARCH64) {
        properties.feature = ARM_FEATURE_1_AND;
        properties.mask = ARM_FEATURE_1_AND_MASK;
    } else if (plan->machine == ELFPARSE_EM_386) {
        properties.mask = X86_FEATURE_1_AND_MASK;
    }
    return properties;
}

/* The properties in the descriptor of size bytes at offset; features count where the mask says so.
 */
static ELFP_ALWAYS_INLINE enum elfp_verdict walk_as(struct elfp_judge *judge,
                                                    const struct properties *properties,
                                                    const uint8_t *header, const uint8_t *file,
                                                    uint64_t offset, uint64_t size)
{
    const uint64_t unit = properties->unit;
    const uint8_t *front;
    uint64_t need;

    for (; size != 0; offset += need, size -= need) {
        need = PROPERTY_HEADER;
        if (ELFP_RARE(size < need))
            return raise_short(judge, header, ELFP_OTHER_PROPERTY, offset, size, need);
        front = look(judge, file, offset, size);
        if (ELFP_RARE(front == NULL))
            return ELFP_STOP;
        need = ((uint64_t)elfp_le32(front + 4) + PROPERTY_HEADER + unit - 1) & (0 - unit);
        if (ELFP_RARE(need > size))
            return raise_short(judge, header, ELFP_OTHER_PROPERTY, offset, size, need);
        if (elfp_le32(front) == properties->feature && elfp_le32(front + 4) == 4 &&
            ((judge->seen >> ELFP_PROPERTY & 1u) == 0 || header == judge->place[ELFP_PROPERTY]))
            judge->plan->features = elfp_le32(front + 8) & properties->mask;
    }
    return ELFP_TAKE;
}

static ELFP_WARM enum elfp_verdict walk_other_notes(struct elfp_judge *judge, const uint8_t *header,
                                                    const uint8_t *file, uint64_t offset,
                                                    uint64_t size)
{
    const struct properties properties = properties_of(judge->plan);

    return walk_as(judge, &properties, header, file, offset, size);
}

static inline enum elfp_verdict walk_properties(struct elfp_judge *judge, const uint8_t *header,
                                                const uint8_t *file, uint64_t offset, uint64_t size)
{
    if (ELFP_RARE(!elfp_is_x86_64(judge->plan)))
        return walk_other_notes(judge, header, file, offset, size);
    return walk_as(judge, &of_x86_64, header, file, offset, size);
}

/* The notes in left bytes, not 0, at offset. */
static inline enum elfp_verdict walk_notes(struct elfp_judge *judge, const uint8_t *header,
                                           const uint8_t *file, uint64_t offset, uint64_t left,
                                           uint64_t align)
{
    struct elfparse_build_id *id = &judge->plan->build_id;
    struct elfp_note note;
    const uint8_t *front;
    uint64_t need;

    for (;; offset += note.next, left -= note.next) {
        if (ELFP_RARE(left < ELFP_NHDR_SIZE))
            return raise_short(judge, header, ELFP_OTHER_NOTE, offset, left, ELFP_NHDR_SIZE);
        front = look(judge, file, offset, left);
        if (ELFP_RARE(front == NULL))
            return ELFP_STOP;
        need = elfp_note_measure(front, align, 0, &note);
        if (ELFP_RARE(need > left))
            return raise_short(judge, header, ELFP_OTHER_NOTE, offset, left, need);
        if (note.namesz == GNU_NAMESZ && elfp_le32(front + ELFP_NHDR_SIZE) == GNU_NAME) {
            if (note.type == ELFP_NT_GNU_PROPERTY) {
                enum elfp_verdict verdict =
                    walk_properties(judge, header, file, offset + note.desc, note.descsz);

                if (ELFP_RARE(verdict != ELFP_TAKE))
                    return verdict;
            } else if (note.type == ELFP_NT_GNU_BUILD_ID && id->size == 0) {
                id->offset = offset + note.desc;
                id->size = note.descsz;
            }
        }
        if (note.next >= left)
            return ELFP_TAKE;
    }
}

/* O8 for one header: what was read before a damage is kept, but features are those of an undamaged
 * one. */
static inline int judge_note(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t offset = elfp_le64(header + ELFP_P_OFFSET);
    uint64_t filesz = elfp_le64(header + ELFP_P_FILESZ);
    const uint8_t *file = elfp_scratch(judge);
    uint32_t faults = 0, features = judge->plan->features;
    enum elfp_verdict verdict;

    if (ELFP_RARE(!elfp_in_head(judge, offset, filesz))) {
        file = NULL;
        faults = elfp_check_bounds(judge, header);
    }
    if (ELFP_RARE(filesz > judge->policy->max_note_bytes))
        faults += ELFP_OTHER_NOTE_LIMIT;
    if (ELFP_RARE(faults != 0))
        return raise_damage(judge, header, faults, NULL) == ELFP_STOP;
    if (filesz == 0 || (judge->policy->contents & ELFPARSE_READ_NOTES) == 0)
        return 0;
    verdict = walk_notes(judge, header, file, offset, filesz,
                         elfp_note_align(elfp_le64(header + ELFP_P_ALIGN)));
    if (ELFP_RARE(verdict != ELFP_TAKE))
        judge->plan->features = features;
    return verdict == ELFP_STOP;
}

/* The note's bytes are those of property, the PT_GNU_PROPERTY or NULL, and were judged with it. */
static inline int was_judged(const uint8_t *note, const uint8_t *property)
{
    return property != NULL &&
           elfp_le64(note + ELFP_P_OFFSET) == elfp_le64(property + ELFP_P_OFFSET) &&
           elfp_le64(note + ELFP_P_FILESZ) == elfp_le64(property + ELFP_P_FILESZ);
}

int elfp_judge_notes(struct elfp_judge *judge, const uint8_t *property, const uint8_t *note)
{
    const uint8_t *last = judge->last_note != NULL ? judge->last_note : note;
    const uint8_t *header = property;

    if (header == NULL) {
        header = note;
        note += ELFPARSE_PHDR_SIZE;
    }
    for (;;) {
        if (judge_note(judge, header) != 0)
            return 1;
        do {
            if (note > last)
                return 0;
            header = note;
            note += ELFPARSE_PHDR_SIZE;
        } while (elfp_le32(header) != ELFPARSE_PT_NOTE || was_judged(header, property));
    }
}
