#include "judge.h"

/* p_type values, as far as the judge has something to say about them. */
static enum elfp_single single_of_type(uint32_t type)
{
    switch (type) {
    case ELFPARSE_PT_INTERP:
        return ELFP_INTERP;
    case ELFPARSE_PT_PHDR:
        return ELFP_PHDR;
    case ELFPARSE_PT_DYNAMIC:
        return ELFP_DYNAMIC;
    case ELFPARSE_PT_TLS:
        return ELFP_TLS;
    case ELFPARSE_PT_GNU_STACK:
        return ELFP_STACK;
    case ELFPARSE_PT_GNU_RELRO:
        return ELFP_RELRO;
    case ELFPARSE_PT_GNU_PROPERTY:
        return ELFP_PROPERTY;
    default:
        return ELFP_SINGLES;
    }
}

int elfp_judge_ehdr(struct elfp_judge *judge)
{
    const struct elfparse_policy *policy = judge->policy;
    const uint8_t *ehdr = judge->scratch;
    struct elfp_finding finding =
        elfp_ehdr_check(ehdr, judge->reader->size, policy->max_phnum);

    if (ELFP_RARE((finding.faults & ELFP_EHDR_FOREIGN) != 0)) {
        finding.faults &= ELFP_EHDR_FOREIGN;
        finding.traits = 0;
    }
    if (ELFP_RARE(finding.faults != 0) &&
        (elfp_raise_ehdr(judge, finding.faults) != 0 || (finding.faults & ELFP_EHDR_FATAL) != 0))
        return 1;
    if (finding.traits != 0 && elfp_raise_traits(judge, finding.traits, ELFPARSE_NO_INDEX) != 0)
        return 1;
    judge->entry = elfp_le64(ehdr + ELFP_E_ENTRY);
    judge->table.phoff = elfp_le64(ehdr + ELFP_E_PHOFF);
    judge->table.phnum = elfp_le16(ehdr + ELFP_E_PHNUM);
    judge->table.file_size = judge->reader->size;
    judge->plan->type = (uint16_t)elfp_le16(ehdr + ELFP_E_TYPE);
    judge->plan->phnum = (uint16_t)judge->table.phnum;
    return 0;
}

void elfp_judge_bounds(struct elfp_judge *judge, const struct elfparse_storage *storage)
{
    const struct elfparse_policy *policy = judge->policy;

    judge->bounds.file_size = judge->reader->size;
    judge->bounds.lowest = judge->plan->type == ELFPARSE_ET_EXEC ? policy->user_min : 0;
    judge->bounds.user_end = policy->user_end;
    judge->bounds.room = policy->user_end - policy->user_min;
    judge->bounds.max_memory = policy->max_memory;
    judge->bounds.max_align = policy->max_align;
    judge->bounds.max_loads = policy->max_loads;
    judge->loads.range_capacity = storage->range_capacity;
    judge->loads.ranges = storage->ranges;
    judge->loads.align = ELFPARSE_PAGE_SIZE;
}

/* L2 to L13 for one PT_LOAD; O1 as far as this one goes. */
static int judge_load(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    struct elfp_finding finding;
    struct elfp_phdr phdr;

    elfp_phdr_decode(header, &phdr);
    if (ELFP_RARE(phdr.memsz == 0)) {
        if (phdr.filesz != 0)
            return elfp_raise_load(judge, ELFP_LOAD_FILESZ, &phdr, index);
        return elfp_raise_traits(judge, ELFPARSE_TRAIT_EMPTY_LOAD, index);
    }
    finding = elfp_load_check(&judge->bounds, &judge->loads, &phdr);
    if (ELFP_RARE(finding.traits != 0) && elfp_raise_traits(judge, finding.traits, index) != 0)
        return 1;
    if (ELFP_RARE(finding.faults != 0))
        return elfp_raise_load(judge, finding.faults, &phdr, index);
    elfp_load_add(&judge->bounds, &judge->loads, &phdr, index);
    if ((phdr.flags & ELFPARSE_PF_X) != 0 && judge->entry - phdr.vaddr < phdr.filesz)
        judge->entry_found = 1;
    return 0;
}

/* Remembers where the header is that a file has once. */
static int note_single(struct elfp_judge *judge, enum elfp_single single, uint32_t index)
{
    if (ELFP_RARE(judge->single[single] != ELFPARSE_NO_INDEX))
        return elfp_raise_duplicate(judge, index, judge->single[single]);
    judge->single[single] = index;
    return 0;
}

int elfp_judge_headers(struct elfp_judge *judge)
{
    const uint8_t *header = judge->table.bytes;
    uint32_t i;
    int stop = 0;

    for (i = 0; i < ELFP_SINGLES; i++)
        judge->single[i] = ELFPARSE_NO_INDEX;
    judge->first_note = ELFPARSE_NO_INDEX;
    for (i = 0; i < judge->table.phnum && !stop; i++, header += ELFPARSE_PHDR_SIZE) {
        uint32_t type = elfp_le32(header);

        if (type == ELFPARSE_PT_LOAD) {
            stop = judge_load(judge, header, i);
        } else if (type == ELFPARSE_PT_NOTE) {
            if (judge->first_note == ELFPARSE_NO_INDEX)
                judge->first_note = i;
            judge->last_note = i;
        } else {
            enum elfp_single single = single_of_type(type);

            if (single != ELFP_SINGLES)
                stop = note_single(judge, single, i);
        }
    }
    return stop;
}

int elfp_judge_loads(struct elfp_judge *judge)
{
    struct elfparse_plan *plan = judge->plan;
    const struct elfp_loads *loads = &judge->loads;

    judge->table.first_load = loads->first_index;
    judge->table.last_load = loads->last_index;
    if (ELFP_RARE(loads->count == 0)) {
        judge->table.first_load = 1;
        judge->table.last_load = 0;
        if (elfp_raise_ehdr(judge, ELFP_EHDR_NOLOAD) != 0)
            return 1;
    }
    if (ELFP_RARE(judge->entry == 0) && plan->type == ELFPARSE_ET_DYN) {
        if (elfp_raise_traits(judge, ELFPARSE_TRAIT_NO_ENTRY, ELFPARSE_NO_INDEX) != 0)
            return 1;
    } else if (ELFP_RARE(!judge->entry_found)) {
        if (elfp_raise_ehdr(judge, ELFP_EHDR_ENTRY) != 0)
            return 1;
    }
    plan->entry = judge->entry;
    plan->start = loads->start;
    plan->end = loads->end;
    plan->align = loads->align;
    plan->memory = loads->memory;
    plan->ranges = loads->ranges;
    plan->range_count = loads->range_count;
    plan->load_count = loads->count;
    return 0;
}
