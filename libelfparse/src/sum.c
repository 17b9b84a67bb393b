#include "judge.h"

/*
 * What the walk asks where a segment is not an ordinary one, and what the segments say together.
 */

/* L13: an empty segment takes nothing from the file either, and lies where a program may map. */
static int judge_empty(struct elfp_judge *judge, const uint8_t *header)
{
    uint32_t faults = 0;

    if (elfp_le64(header + ELFP_P_FILESZ) != 0)
        faults += ELFP_LOAD_FILESZ;
    if (elfp_le64(header + ELFP_P_VADDR) >= judge->bounds.user_end)
        faults += ELFP_LOAD_EMPTY_HIGH;
    if (faults != 0)
        return elfp_raise(judge, ELFP_OF_LOAD, faults, header, NULL);
    return elfp_raise_traits(judge, ELFPARSE_TRAIT_EMPTY_LOAD, header);
}

ELFP_COLD enum elfp_verdict elfp_judge_load(struct elfp_judge *judge, const uint8_t *header)
{
    struct elfp_phdr *phdr = &judge->unusual, last;
    struct elfp_finding finding;

    elfp_phdr_decode(header, phdr);
    if (phdr->memsz == 0)
        return judge_empty(judge, header) != 0 ? ELFP_STOP : ELFP_LEAVE;
    elfp_phdr_decode(judge->last, &last);
    finding = elfp_load_check(&judge->bounds, phdr, &last, judge->plan->end);
    if (elfp_raise(judge, ELFP_OF_LOAD, finding.faults, header, NULL) != 0 ||
        elfp_raise_traits(judge, finding.traits, header) != 0)
        return ELFP_STOP;
    if (finding.faults != 0)
        return ELFP_LEAVE;
    if (phdr->align > judge->plan->align)
        judge->plan->align = phdr->align;
    return ELFP_TAKE;
}

/* L9, L11: the blame is on the first or the last of them. */
static int judge_totals(struct elfp_judge *judge)
{
    const struct elfparse_policy *policy = judge->policy;
    const struct elfparse_plan *plan = judge->plan;
    uint32_t faults = 0;

    if (plan->type == ELFPARSE_ET_EXEC && plan->start < policy->user_min &&
        elfp_raise(judge, ELFP_OF_LOAD, ELFP_LOAD_LOW, judge->first, NULL) != 0)
        return 1;
    if (plan->end - plan->start > judge->bounds.user_end - policy->user_min)
        faults += ELFP_LOAD_SPAN;
    if (plan->memory > policy->max_memory)
        faults += ELFP_LOAD_MEMORY;
    if (plan->load_count > policy->max_loads)
        faults += ELFP_LOAD_LIMIT;
    return elfp_raise(judge, ELFP_OF_LOAD, faults, judge->last, NULL);
}

/*
 * O1: a shared object's e_entry that is not one of its executable bytes. Linkers write the address
 * of an empty .text. What no load bias can bring into the user range is an error all the same.
 */
static int names_no_entry(const struct elfp_judge *judge)
{
    const struct elfparse_plan *plan = judge->plan;
    uint64_t end = judge->bounds.user_end;

    if (plan->type != ELFPARSE_ET_DYN)
        return 0;
    return plan->entry == 0 || (!judge->entry_found && (judge->seen >> ELFP_INTERP & 1u) == 0 &&
                                plan->entry - plan->start + end < 2 * end);
}

/*
 * O1: with ABI 1 of PowerPC 64 e_entry is the address of a function descriptor, in the file bytes
 * of any segment (64-bit PowerPC ELF ABI Supplement, "Function Descriptors").
 */
static int is_descriptor(const struct elfp_judge *judge)
{
    const struct elfparse_plan *plan = judge->plan;
    const uint8_t *load = judge->first;

    if ((ELFPARSE_MACHINES & (ELFPARSE_MACHINE_PPC64 | ELFPARSE_MACHINE_PPC64LE)) == 0 ||
        plan->machine != ELFPARSE_EM_PPC64 || (plan->flags & 3) == 2 || plan->load_count == 0)
        return 0;
    for (; load <= judge->last; load += ELFPARSE_PHDR_SIZE) {
        if (elfp_le32(load) == ELFPARSE_PT_LOAD &&
            plan->entry - elfp_le64(load + ELFP_P_VADDR) < elfp_le64(load + ELFP_P_FILESZ))
            return 1;
    }
    return 0;
}

/* O1 */
static int judge_entry(struct elfp_judge *judge)
{
    if (!judge->entry_found && is_descriptor(judge))
        return 0;
    if (names_no_entry(judge)) {
        judge->plan->entry = 0;
        return elfp_raise_traits(judge, ELFPARSE_TRAIT_NO_ENTRY, NULL);
    }
    if (!judge->entry_found)
        return elfp_raise(judge, ELFP_OF_EHDR, ELFP_EHDR_ENTRY, NULL, NULL);
    return 0;
}

/* Holds nothing; stands for the first and the last segment where none was taken in. */
static const uint8_t no_segment[ELFPARSE_PHDR_SIZE];

ELFP_COLD int elfp_judge_sum(struct elfp_judge *judge)
{
    if (judge->plan->load_count == 0) {
        judge->first = no_segment;
        judge->last = no_segment;
        if (elfp_raise(judge, ELFP_OF_EHDR, ELFP_EHDR_NOLOAD, NULL, NULL) != 0)
            return 1;
    } else if (judge_totals(judge) != 0) {
        return 1;
    }
    return judge_entry(judge);
}
