#include "judge.h"

/* Each judges the header of its type, and puts what it says into the plan. */

/* O2 */
static int judge_interp(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    struct elfp_finding finding = elfp_interp_check(&judge->table, judge->policy, header, index);
    struct elfparse_interp *interp = &judge->plan->interp;

    if (elfp_raise_traits(judge, finding.traits, index) != 0)
        return 1;
    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    interp->offset = elfp_le64(header + ELFP_P_OFFSET);
    interp->size = elfp_le64(header + ELFP_P_FILESZ);
    if ((judge->policy->contents & ELFPARSE_READ_INTERP) != 0)
        return elfp_contents_interp(judge, interp->offset, interp->size, index);
    return 0;
}

/* O3 */
static int judge_phdr(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    struct elfp_finding finding = elfp_phdr_check(&judge->table, header);

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    judge->plan->phdr_vaddr = elfp_le64(header + ELFP_P_VADDR);
    return 0;
}

/* O4 */
static int judge_dynamic(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    struct elfp_finding finding = elfp_dynamic_check(&judge->table, header);
    uint64_t size = elfp_le64(header + ELFP_P_FILESZ);

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    judge->plan->dynamic.vaddr = elfp_le64(header + ELFP_P_VADDR);
    judge->plan->dynamic.size = size;
    if ((judge->policy->contents & ELFPARSE_READ_DYNAMIC) != 0)
        return elfp_contents_dynamic(judge, elfp_le64(header + ELFP_P_OFFSET), size, index);
    return 0;
}

/* O5 */
static int judge_tls(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    struct elfp_finding finding = elfp_tls_check(&judge->table, judge->policy, header);
    struct elfparse_tls *tls = &judge->plan->tls;
    uint64_t align = elfp_le64(header + ELFP_P_ALIGN);

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    tls->vaddr = elfp_le64(header + ELFP_P_VADDR);
    tls->offset = elfp_le64(header + ELFP_P_OFFSET);
    tls->filesz = elfp_le64(header + ELFP_P_FILESZ);
    tls->memsz = elfp_le64(header + ELFP_P_MEMSZ);
    tls->align = align != 0 ? align : 1;
    return 0;
}

/* O6 */
static int judge_stack(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    uint32_t flags = elfp_le32(header + ELFP_P_FLAGS);

    judge->plan->stack_flags = flags;
    judge->plan->stack_size = elfp_le64(header + ELFP_P_MEMSZ);
    if (ELFP_RARE((flags & ELFPARSE_PF_X) != 0))
        return elfp_raise_traits(judge, ELFPARSE_TRAIT_EXEC_STACK, index);
    return 0;
}

/* O7; an empty one protects nothing */
static int judge_relro(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    uint64_t vaddr = elfp_le64(header + ELFP_P_VADDR);
    uint64_t size = elfp_le64(header + ELFP_P_MEMSZ);
    struct elfp_finding finding;
    uint64_t limit;

    if (ELFP_RARE(size == 0))
        return 0;
    finding = elfp_relro_check(&judge->table, header, &limit);
    if (ELFP_RARE(finding.faults != 0)) {
        struct elfp_detail detail = {0, limit, limit != 0 ? vaddr + size : vaddr};

        return elfp_raise_other(judge, finding.faults, index, &detail);
    }
    judge->plan->relro.vaddr = vaddr;
    judge->plan->relro.size = size;
    return 0;
}

/* O8 for a PT_NOTE or PT_GNU_PROPERTY */
static int judge_note(struct elfp_judge *judge, const uint8_t *header, uint32_t index,
                      int take_features)
{
    struct elfp_finding finding = elfp_note_check(&judge->table, judge->policy, header);

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    if ((judge->policy->contents & ELFPARSE_READ_NOTES) != 0)
        return elfp_contents_notes(judge, header, index, take_features);
    return 0;
}

static int judge_property(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    return judge_note(judge, header, index, 1);
}

/* PT_GNU_PROPERTY names the same bytes as the PT_NOTE at note: they were judged with it. */
static int same_as_property(const struct elfp_judge *judge, const uint8_t *note)
{
    uint32_t index = judge->loads.single[ELFP_PROPERTY];
    const uint8_t *property;

    if (index == ELFPARSE_NO_INDEX)
        return 0;
    property = elfp_table_entry(&judge->table, index);
    return elfp_le64(note + ELFP_P_OFFSET) == elfp_le64(property + ELFP_P_OFFSET) &&
           elfp_le64(note + ELFP_P_FILESZ) == elfp_le64(property + ELFP_P_FILESZ);
}

/* The PT_NOTEs. Their features count only where there is no PT_GNU_PROPERTY. */
static int judge_notes(struct elfp_judge *judge)
{
    int take_features = judge->loads.single[ELFP_PROPERTY] == ELFPARSE_NO_INDEX;
    uint32_t i;

    if (judge->loads.first_note == ELFPARSE_NO_INDEX)
        return 0;
    for (i = judge->loads.first_note; i <= judge->loads.last_note; i++) {
        const uint8_t *header = elfp_table_entry(&judge->table, i);

        if (elfp_le32(header) == ELFPARSE_PT_NOTE && !same_as_property(judge, header) &&
            judge_note(judge, header, i, take_features) != 0)
            return 1;
    }
    return 0;
}

/* Hands a header on to its judge where the file has it. */
static inline int hand_on(struct elfp_judge *judge, enum elfp_single which,
                          int (*judge_one)(struct elfp_judge *, const uint8_t *, uint32_t))
{
    uint32_t index = judge->loads.single[which];

    return index != ELFPARSE_NO_INDEX &&
           judge_one(judge, elfp_table_entry(&judge->table, index), index) != 0;
}

static int judge_contents(struct elfp_judge *judge)
{
    return hand_on(judge, ELFP_INTERP, judge_interp) || hand_on(judge, ELFP_PHDR, judge_phdr) ||
           hand_on(judge, ELFP_DYNAMIC, judge_dynamic) || hand_on(judge, ELFP_TLS, judge_tls) ||
           hand_on(judge, ELFP_STACK, judge_stack) || hand_on(judge, ELFP_RELRO, judge_relro) ||
           hand_on(judge, ELFP_PROPERTY, judge_property) || judge_notes(judge) != 0;
}

int elfp_judge_others(struct elfp_judge *judge)
{
    judge->plan->stack_flags = ELFPARSE_PF_R | ELFPARSE_PF_W;
    if (judge->policy->contents != 0 && judge_contents(judge))
        return 1;
    if (judge->loads.single[ELFP_PHDR] == ELFPARSE_NO_INDEX)
        judge->plan->phdr_vaddr = elfp_table_vaddr(&judge->table);
    return 0;
}
