#include "judge.h"

/* O2 */
static int judge_interp(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    struct elfp_finding finding = elfp_interp_check(&judge->table, judge->policy, phdr, index);

    if (elfp_raise_traits(judge, finding.traits, index) != 0)
        return 1;
    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    judge->plan->interp.offset = phdr->offset;
    judge->plan->interp.size = phdr->filesz;
    if ((judge->policy->contents & ELFPARSE_READ_INTERP) != 0)
        return elfp_contents_interp(judge, phdr, index);
    return 0;
}

/* O3 */
static int judge_phdr(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    struct elfp_finding finding = elfp_phdr_check(&judge->table, phdr);

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    judge->plan->phdr_vaddr = phdr->vaddr;
    return 0;
}

/* O4 */
static int judge_dynamic(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    struct elfp_finding finding = elfp_dynamic_check(&judge->table, phdr);

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    judge->plan->dynamic.vaddr = phdr->vaddr;
    judge->plan->dynamic.size = phdr->filesz;
    if ((judge->policy->contents & ELFPARSE_READ_DYNAMIC) != 0)
        return elfp_contents_dynamic(judge, phdr, index);
    return 0;
}

/* O5 */
static int judge_tls(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    struct elfp_finding finding = elfp_tls_check(&judge->table, judge->policy, phdr);
    struct elfparse_tls *tls = &judge->plan->tls;

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    tls->vaddr = phdr->vaddr;
    tls->offset = phdr->offset;
    tls->filesz = phdr->filesz;
    tls->memsz = phdr->memsz;
    tls->align = phdr->align != 0 ? phdr->align : 1;
    return 0;
}

/* O6 */
static int judge_stack(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    judge->plan->stack_flags = phdr->flags;
    judge->plan->stack_size = phdr->memsz;
    if (ELFP_RARE((phdr->flags & ELFPARSE_PF_X) != 0))
        return elfp_raise_traits(judge, ELFPARSE_TRAIT_EXEC_STACK, index);
    return 0;
}

/* O7; an empty one protects nothing */
static int judge_relro(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    struct elfp_finding finding;
    uint64_t limit;

    if (ELFP_RARE(phdr->memsz == 0))
        return 0;
    finding = elfp_relro_check(&judge->table, phdr, &limit);
    if (ELFP_RARE(finding.faults != 0)) {
        struct elfp_detail detail = {0, limit, limit != 0 ? phdr->vaddr + phdr->memsz : phdr->vaddr};

        return elfp_raise_other(judge, finding.faults, index, &detail);
    }
    judge->plan->relro.vaddr = phdr->vaddr;
    judge->plan->relro.size = phdr->memsz;
    return 0;
}

/* O8 for a PT_NOTE or PT_GNU_PROPERTY */
static int judge_note(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index,
                      int take_features)
{
    struct elfp_finding finding = elfp_note_check(&judge->table, judge->policy, phdr);

    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_other(judge, finding.faults, index, NULL);
    if ((judge->policy->contents & ELFPARSE_READ_NOTES) != 0)
        return elfp_contents_notes(judge, phdr, index, take_features);
    return 0;
}

static int judge_single(struct elfp_judge *judge, enum elfp_single single)
{
    uint32_t index = judge->single[single];
    struct elfp_phdr phdr;

    if (index == ELFPARSE_NO_INDEX)
        return 0;
    elfp_phdr_decode(elfp_table_entry(&judge->table, index), &phdr);
    switch (single) {
    case ELFP_INTERP:
        return judge_interp(judge, &phdr, index);
    case ELFP_PHDR:
        return judge_phdr(judge, &phdr, index);
    case ELFP_DYNAMIC:
        return judge_dynamic(judge, &phdr, index);
    case ELFP_TLS:
        return judge_tls(judge, &phdr, index);
    case ELFP_STACK:
        return judge_stack(judge, &phdr, index);
    case ELFP_RELRO:
        return judge_relro(judge, &phdr, index);
    default:
        return judge_note(judge, &phdr, index, 1);
    }
}

/* PT_GNU_PROPERTY names the same bytes as the PT_NOTE at note: they were judged with it. */
static int same_as_property(const struct elfp_judge *judge, const struct elfp_phdr *note)
{
    uint32_t index = judge->single[ELFP_PROPERTY];
    const uint8_t *property;

    if (index == ELFPARSE_NO_INDEX)
        return 0;
    property = elfp_table_entry(&judge->table, index);
    return note->offset == elfp_le64(property + ELFP_P_OFFSET) &&
           note->filesz == elfp_le64(property + ELFP_P_FILESZ);
}

/* The PT_NOTEs. Their features count only where there is no PT_GNU_PROPERTY. */
static int judge_notes(struct elfp_judge *judge)
{
    int take_features = judge->single[ELFP_PROPERTY] == ELFPARSE_NO_INDEX;
    uint32_t i;

    if (judge->first_note == ELFPARSE_NO_INDEX)
        return 0;
    for (i = judge->first_note; i <= judge->last_note; i++) {
        const uint8_t *header = elfp_table_entry(&judge->table, i);
        struct elfp_phdr phdr;

        if (elfp_le32(header) != ELFPARSE_PT_NOTE)
            continue;
        elfp_phdr_decode(header, &phdr);
        if (!same_as_property(judge, &phdr) && judge_note(judge, &phdr, i, take_features) != 0)
            return 1;
    }
    return 0;
}

int elfp_judge_others(struct elfp_judge *judge)
{
    uint32_t single;

    judge->plan->stack_flags = ELFPARSE_PF_R | ELFPARSE_PF_W;
    for (single = 0; single < ELFP_SINGLES; single++) {
        if (judge_single(judge, (enum elfp_single)single) != 0)
            return 1;
    }
    if (judge_notes(judge) != 0)
        return 1;
    if (judge->single[ELFP_PHDR] == ELFPARSE_NO_INDEX)
        judge->plan->phdr_vaddr = elfp_table_vaddr(&judge->table);
    return 0;
}
