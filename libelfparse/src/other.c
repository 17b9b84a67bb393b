#include "judge.h"

/* Each function judges the header of its type, and puts what it says into the plan. */

static inline uint64_t field(const uint8_t *header, uint32_t at)
{
    return elfp_le64(header + at);
}

/* The bytes that a header names lie outside the file; an empty part may lie anywhere. */
static inline uint32_t check_bounds(const struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t size = judge->reader->size;
    uint64_t filesz = field(header, ELFP_P_FILESZ);

    if (ELFP_RARE(filesz > size) ||
        (ELFP_RARE(field(header, ELFP_P_OFFSET) > size - filesz) && filesz != 0))
        return ELFP_OTHER_BOUNDS;
    return 0;
}

/* The load's file bytes hold size bytes at offset. */
static inline int holds(const uint8_t *load, uint64_t offset, uint64_t size)
{
    uint64_t into = offset - field(load, ELFP_P_OFFSET);
    uint64_t filesz = field(load, ELFP_P_FILESZ);

    return into <= filesz && size <= filesz - into && elfp_le32(load) == ELFPARSE_PT_LOAD;
}

/* They hold all that the header names, at the same place in file and memory. */
static inline int holds_header(const uint8_t *load, const uint8_t *header)
{
    uint64_t offset = field(header, ELFP_P_OFFSET);

    return holds(load, offset, field(header, ELFP_P_FILESZ)) &&
           offset - field(load, ELFP_P_OFFSET) ==
               field(header, ELFP_P_VADDR) - field(load, ELFP_P_VADDR);
}

/* One PT_LOAD holds it; likely is tried first. */
static uint32_t check_inside(const struct elfp_judge *judge, const uint8_t *header,
                             const uint8_t *likely)
{
    const uint8_t *load;

    if (holds_header(likely, header))
        return 0;
    for (load = judge->first; load <= judge->last; load += ELFPARSE_PHDR_SIZE) {
        if (holds_header(load, header))
            return 0;
    }
    return ELFP_OTHER_OUTSIDE;
}

static inline int raise_faults(struct elfp_judge *judge, uint32_t faults, const uint8_t *header)
{
    return ELFP_RARE(faults != 0) && elfp_raise(judge, ELFP_OF_OTHER, faults, header, NULL) != 0;
}

/* O2 */
static inline int judge_interp(struct elfp_judge *judge, const uint8_t *header)
{
    const struct elfparse_policy *policy = judge->policy;
    uint32_t faults = check_bounds(judge, header);
    uint32_t traits = ELFPARSE_TRAIT_INTERP;
    uint64_t filesz = field(header, ELFP_P_FILESZ);

    if (ELFP_RARE(filesz < 2))
        faults += ELFP_OTHER_INTERP_LOW;
    if (ELFP_RARE(filesz > policy->max_interp))
        faults += ELFP_OTHER_INTERP_HIGH;
    if (judge->plan->load_count != 0 && ELFP_RARE(header > judge->first))
        traits += ELFPARSE_TRAIT_INTERP_LATE;
    judge->plan->traits |= traits;
    if (ELFP_RARE((policy->refuse & traits) != 0) &&
        elfp_raise_traits(judge, traits, header) != 0)
        return 1;
    judge->plan->interp.offset = field(header, ELFP_P_OFFSET);
    judge->plan->interp.size = filesz;
    if (ELFP_RARE(faults != 0))
        return raise_faults(judge, faults, header);
    return (policy->contents & ELFPARSE_READ_INTERP) != 0 &&
           elfp_contents_interp(judge, header) != 0;
}

/* O3 */
static inline int judge_phdr(struct elfp_judge *judge, const uint8_t *header)
{
    uint32_t faults = check_inside(judge, header, judge->first);

    if (ELFP_RARE(field(header, ELFP_P_OFFSET) != judge->phoff))
        faults += ELFP_OTHER_PHDR_OFFSET;
    if (ELFP_RARE(field(header, ELFP_P_FILESZ) !=
                  (uint64_t)judge->plan->phnum * ELFPARSE_PHDR_SIZE))
        faults += ELFP_OTHER_PHDR_SIZE;
    judge->plan->phdr_vaddr = field(header, ELFP_P_VADDR);
    return raise_faults(judge, faults, header);
}

/* O4 */
static inline int judge_dynamic(struct elfp_judge *judge, const uint8_t *header)
{
    uint32_t faults = 0;
    uint64_t filesz = field(header, ELFP_P_FILESZ);

    if (ELFP_RARE(!holds_header(judge->last, header))) /* which lies in the file */
        faults = check_bounds(judge, header) + check_inside(judge, header, judge->last);
    if (ELFP_RARE(filesz == 0) || ELFP_RARE((filesz & 15) != 0))
        faults += ELFP_OTHER_DYN_SIZE;
    judge->plan->dynamic.vaddr = field(header, ELFP_P_VADDR);
    judge->plan->dynamic.size = filesz;
    if (ELFP_RARE(faults != 0))
        return raise_faults(judge, faults, header);
    return (judge->policy->contents & ELFPARSE_READ_DYNAMIC) != 0 &&
           elfp_contents_dynamic(judge, header) != 0;
}

/* O5 */
static ELFP_COLD int judge_tls(struct elfp_judge *judge, const uint8_t *header)
{
    const struct elfparse_policy *policy = judge->policy;
    struct elfparse_tls *tls = &judge->plan->tls;
    uint32_t faults = check_bounds(judge, header);

    tls->vaddr = field(header, ELFP_P_VADDR);
    tls->offset = field(header, ELFP_P_OFFSET);
    tls->filesz = field(header, ELFP_P_FILESZ);
    tls->memsz = field(header, ELFP_P_MEMSZ);
    tls->align = field(header, ELFP_P_ALIGN);
    if (tls->filesz != 0)
        faults += check_inside(judge, header, judge->last);
    if (tls->filesz > tls->memsz)
        faults += ELFP_OTHER_TLS_FILESZ;
    if (tls->memsz > policy->max_tls_size)
        faults += ELFP_OTHER_TLS_SIZE;
    if ((tls->align & (tls->align - 1)) != 0)
        faults += ELFP_OTHER_TLS_ALIGN;
    else if (tls->align > policy->max_tls_align)
        faults += ELFP_OTHER_TLS_LIMIT;
    if (tls->vaddr > policy->user_end)
        faults += ELFP_OTHER_TLS_RANGE;
    if (tls->align == 0)
        tls->align = 1;
    return elfp_raise(judge, ELFP_OF_OTHER, faults, header, NULL);
}

/* O6 */
static inline int judge_stack(struct elfp_judge *judge, const uint8_t *header)
{
    uint32_t flags = elfp_le32(header + ELFP_P_FLAGS);

    judge->plan->stack_flags = flags;
    judge->plan->stack_size = field(header, ELFP_P_MEMSZ);
    return ELFP_RARE((flags & ELFPARSE_PF_X) != 0) &&
           elfp_raise_traits(judge, ELFPARSE_TRAIT_EXEC_STACK, header) != 0;
}

/* O7: the end of the writable load that holds vaddr, rounded up to its page; 0: it does not. */
static inline uint64_t relro_limit(const uint8_t *load, uint64_t vaddr)
{
    uint64_t start = field(load, ELFP_P_VADDR), memsz = field(load, ELFP_P_MEMSZ);

    if (vaddr - start >= memsz || elfp_le32(load) != ELFPARSE_PT_LOAD ||
        (elfp_le32(load + ELFP_P_FLAGS) & ELFPARSE_PF_W) == 0)
        return 0;
    return elfp_page_ceil(start + memsz);
}

/* The limit in any of them. */
static ELFP_COLD uint64_t find_limit(const struct elfp_judge *judge, uint64_t vaddr)
{
    const uint8_t *load = judge->first;
    uint64_t limit = 0;

    for (; limit == 0 && load <= judge->last; load += ELFPARSE_PHDR_SIZE)
        limit = relro_limit(load, vaddr);
    return limit;
}

/* O7; an empty one protects nothing */
static inline int judge_relro(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t vaddr = field(header, ELFP_P_VADDR), size = field(header, ELFP_P_MEMSZ);
    uint64_t limit = relro_limit(judge->last, vaddr);

    if (ELFP_RARE(size == 0))
        return 0;
    if (ELFP_RARE(limit == 0))
        limit = find_limit(judge, vaddr);
    judge->plan->relro.vaddr = vaddr;
    judge->plan->relro.size = size;
    if (ELFP_RARE(limit == 0) || ELFP_RARE(size > limit - vaddr)) {
        struct elfp_detail detail = {0, limit, limit != 0 ? vaddr + size : vaddr};

        return elfp_raise(judge, ELFP_OF_OTHER,
                          limit != 0 ? ELFP_OTHER_RELRO_END : ELFP_OTHER_RELRO_START, header,
                          &detail);
    }
    return 0;
}

/* O8 for a PT_NOTE or PT_GNU_PROPERTY */
static int judge_note(struct elfp_judge *judge, const uint8_t *header, int take_features)
{
    uint32_t faults = check_bounds(judge, header);

    if (ELFP_RARE(field(header, ELFP_P_FILESZ) > judge->policy->max_note_bytes))
        faults += ELFP_OTHER_NOTE_LIMIT;
    if (ELFP_RARE(faults != 0))
        return raise_faults(judge, faults, header);
    return (judge->policy->contents & ELFPARSE_READ_NOTES) != 0 &&
           elfp_contents_notes(judge, header, take_features) != 0;
}

/*
 * The PT_NOTEs, after property, the PT_GNU_PROPERTY, or NULL: what names the same bytes was judged
 * with it, and features count only where there is none.
 */
static int judge_notes(struct elfp_judge *judge, const uint8_t *property)
{
    const uint8_t *note = judge->place[ELFP_NOTE];
    const uint8_t *last = judge->last_note != NULL ? judge->last_note : note;

    do {
        if (elfp_le32(note) == ELFPARSE_PT_NOTE &&
            (property == NULL ||
             field(note, ELFP_P_OFFSET) != field(property, ELFP_P_OFFSET) ||
             field(note, ELFP_P_FILESZ) != field(property, ELFP_P_FILESZ)) &&
            judge_note(judge, note, property == NULL) != 0)
            return 1;
        note += ELFPARSE_PHDR_SIZE;
    } while (note <= last);
    return 0;
}

static inline int has(const struct elfp_judge *judge, enum elfp_slot slot)
{
    return (judge->seen >> slot & 1u) != 0;
}

int elfp_judge_others(struct elfp_judge *judge)
{
    const uint8_t *const *place = judge->place;
    const uint8_t *property = NULL;

    if ((has(judge, ELFP_INTERP) && judge_interp(judge, place[ELFP_INTERP]) != 0) ||
        (has(judge, ELFP_PHDR) && judge_phdr(judge, place[ELFP_PHDR]) != 0) ||
        (has(judge, ELFP_DYNAMIC) && judge_dynamic(judge, place[ELFP_DYNAMIC]) != 0) ||
        (has(judge, ELFP_TLS) && judge_tls(judge, place[ELFP_TLS]) != 0) ||
        (has(judge, ELFP_STACK) && judge_stack(judge, place[ELFP_STACK]) != 0) ||
        (has(judge, ELFP_RELRO) && judge_relro(judge, place[ELFP_RELRO]) != 0))
        return 1;
    if (has(judge, ELFP_PROPERTY)) {
        property = place[ELFP_PROPERTY];
        if (judge_note(judge, property, 1) != 0)
            return 1;
    }
    return has(judge, ELFP_NOTE) && judge_notes(judge, property) != 0;
}

uint64_t elfp_table_vaddr(const struct elfp_judge *judge)
{
    uint64_t size = (uint64_t)judge->plan->phnum * ELFPARSE_PHDR_SIZE;
    const uint8_t *load = judge->first;

    do {
        if (holds(load, judge->phoff, size))
            return field(load, ELFP_P_VADDR) + judge->phoff - field(load, ELFP_P_OFFSET);
        load += ELFPARSE_PHDR_SIZE;
    } while (load <= judge->last);
    return 0;
}
