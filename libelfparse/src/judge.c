#include "judge.h"

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
    judge->bounds.entry = elfp_le64(ehdr + ELFP_E_ENTRY);
    judge->table.phoff = elfp_le64(ehdr + ELFP_E_PHOFF);
    judge->table.phnum = elfp_le16(ehdr + ELFP_E_PHNUM);
    //@ split judge->table.phnum;
    judge->table.file_size = judge->reader->size;
    judge->plan->type = (uint16_t)elfp_le16(ehdr + ELFP_E_TYPE);
    judge->plan->phnum = (uint16_t)judge->table.phnum;
    return 0;
}

void elfp_judge_bounds(struct elfp_judge *judge, const struct elfparse_storage *storage)
{
    const struct elfparse_policy *policy = judge->policy;
    uint32_t i;

    judge->bounds.file_size = judge->reader->size;
    judge->bounds.user_end = policy->user_end;
    judge->bounds.max_align = policy->max_align;
    judge->loads.range_capacity = storage->range_capacity;
    judge->loads.ranges = storage->ranges;
    judge->loads.align = ELFPARSE_PAGE_SIZE;
    judge->loads.last = judge->table.bytes;
    judge->loads.want_others = policy->contents;
    judge->loads.first_note = ELFPARSE_NO_INDEX;
    for (i = 0; i < ELFP_SINGLES; i++)
        judge->loads.single[i] = ELFPARSE_NO_INDEX;
}

/* What the walk found at one header. */
static ELFP_COLD int raise_finding(struct elfp_judge *judge, struct elfp_finding finding,
                                   uint32_t index)
{
    const uint8_t *header = elfp_table_entry(&judge->table, index);
    struct elfp_phdr phdr;

    if (finding.faults == ELFP_LOAD_DUPLICATE)
        return elfp_raise_duplicate(
            judge, index, judge->loads.single[elfp_single_of_type(elfp_le32(header))]);
    elfp_phdr_decode(header, &phdr);
    if (elfp_raise_load(judge, finding.faults, &phdr, index) != 0)
        return 1;
    return elfp_raise_traits(judge, finding.traits, index);
}

int elfp_judge_headers(struct elfp_judge *judge)
{
    uint32_t phnum = judge->table.phnum;
    uint32_t i = 0;

    for (;;) {
        struct elfp_finding finding;

        i = elfp_load_scan(&judge->bounds, &judge->loads, judge->table.bytes, phnum, i, &finding);
        if (i == phnum)
            return 0;
        if (raise_finding(judge, finding, i) != 0)
            return 1;
        i++;
    }
}

/* L9, L11: what holds for all segments together; the blame is on the first or the last of them. */
static int judge_sum(struct elfp_judge *judge)
{
    const struct elfparse_policy *policy = judge->policy;
    const struct elfp_loads *loads = &judge->loads;
    uint32_t faults = 0;

    if (judge->plan->type == ELFPARSE_ET_EXEC && ELFP_RARE(loads->start < policy->user_min) &&
        elfp_raise_load(judge, ELFP_LOAD_LOW, NULL, loads->first_index) != 0)
        return 1;
    if (ELFP_RARE(loads->end - loads->start > policy->user_end - policy->user_min))
        faults += ELFP_LOAD_SPAN;
    if (ELFP_RARE(loads->memory > policy->max_memory))
        faults += ELFP_LOAD_MEMORY;
    if (ELFP_RARE(loads->count > policy->max_loads))
        faults += ELFP_LOAD_LIMIT;
    return ELFP_RARE(faults != 0) && elfp_raise_load(judge, faults, NULL, loads->last_index) != 0;
}

/* O1 */
static int judge_entry(struct elfp_judge *judge)
{
    if (ELFP_RARE(judge->bounds.entry == 0) && judge->plan->type == ELFPARSE_ET_DYN)
        return elfp_raise_traits(judge, ELFPARSE_TRAIT_NO_ENTRY, ELFPARSE_NO_INDEX);
    if (ELFP_RARE(!judge->loads.entry_found))
        return elfp_raise_ehdr(judge, ELFP_EHDR_ENTRY);
    return 0;
}

int elfp_judge_loads(struct elfp_judge *judge)
{
    struct elfparse_plan *plan = judge->plan;
    const struct elfp_loads *loads = &judge->loads;

    if (ELFP_RARE(loads->count == 0)) {
        judge->table.first_load = 1; /* so that nobody looks for a segment */
        judge->table.last_load = 0;
        if (elfp_raise_ehdr(judge, ELFP_EHDR_NOLOAD) != 0)
            return 1;
    } else {
        judge->table.first_load = loads->first_index;
        judge->table.last_load = loads->last_index;
        if (judge_sum(judge) != 0)
            return 1;
    }
    if (judge_entry(judge) != 0)
        return 1;
    plan->entry = judge->bounds.entry;
    plan->start = loads->start;
    plan->end = loads->end;
    plan->align = loads->align;
    plan->memory = loads->memory;
    plan->ranges = loads->ranges;
    plan->range_count = loads->range_count;
    plan->load_count = loads->count;
    return 0;
}
