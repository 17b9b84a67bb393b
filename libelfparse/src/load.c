#include <elfparse/plan.h>

#include "form.h"
#include "judge.h"

#define PF_MASKOS_MASKPROC 0xfff00000u /* gABI, "Segment Permissions" */

/* L2, L3: the file holds what the segment takes from it; an empty part may lie anywhere. */
/*@ requires \valid_read(bounds) && \valid_read(phdr);
    assigns \nothing;
    ensures in_file: \result == 0 ==> in_file(bounds, phdr);
    ensures bounded: \result <= ELFP_LOAD_FILESZ + ELFP_LOAD_OFFSET;
*/
static uint32_t check_file(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
{
    uint32_t faults = 0;

    if (phdr->filesz > phdr->memsz)
        faults += ELFP_LOAD_FILESZ;
    if (phdr->filesz > bounds->file_size)
        faults += ELFP_LOAD_OFFSET;
    else if (phdr->filesz != 0 && phdr->offset > bounds->file_size - phdr->filesz)
        faults += ELFP_LOAD_OFFSET;
    return faults;
}

/* L5: the unit that p_vaddr and p_offset must agree under is a page at least. */
/*@ requires \valid_read(bounds) && \valid_read(phdr);
    assigns \nothing;
    ensures limit: \result == 0 ==> phdr->align <= bounds->max_align;
    ensures bounded: \result <= ELFP_LOAD_CONGRUENT;
*/
static uint32_t check_align(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
{
    uint64_t unit = phdr->align > ELFP_PAGE(bounds) ? phdr->align : ELFP_PAGE(bounds);

    if ((phdr->align & (phdr->align - 1)) != 0)
        return ELFP_LOAD_ALIGN;
    if (phdr->align > bounds->max_align)
        return ELFP_LOAD_ALIGN_LIMIT;
    if (((phdr->vaddr - phdr->offset) & (unit - 1)) != 0)
        return ELFP_LOAD_CONGRUENT;
    return 0;
}

/*
 * L7: two segments may share a page only if each would map the very same page of the file there
 * with the same permissions: no zero tail of the one or the other may end up in it.
 */
/*@ requires \valid_read(last) && \valid_read(phdr);
    assigns \nothing;
    ensures equal: \result != 0 ==> shares(last, phdr);
*/
static int may_share(const struct elfp_phdr *last, const struct elfp_phdr *phdr, uint64_t last_end)
{
    return last->filesz == last->memsz && last->flags == phdr->flags &&
           last->vaddr - last->offset == phdr->vaddr - phdr->offset && phdr->filesz != 0 &&
           (phdr->filesz == phdr->memsz || phdr->vaddr + phdr->filesz >= last_end);
}

/* L6, L7: above the segment before it, and on pages of its own. */
/*@ requires \valid_read(bounds) && \valid_read(last) && \valid_read(phdr);
    requires is_page(bounds->page);
    assigns \nothing;
    ensures alone: \result == 0 ==> phdr->vaddr >= last_end || shares(last, phdr);
    ensures bounded: \result <= ELFP_LOAD_SHARED;
*/
static uint32_t check_order(const struct elfp_bounds *bounds, const struct elfp_phdr *last,
                            const struct elfp_phdr *phdr, uint64_t last_end)
{
    if (elfp_page_floor(phdr->vaddr, ELFP_PAGE(bounds)) >= last_end)
        return 0;
    if (phdr->vaddr < last->vaddr)
        return ELFP_LOAD_ORDER;
    if (phdr->vaddr < last->vaddr + last->memsz)
        return ELFP_LOAD_OVERLAP;
    if (!may_share(last, phdr, last_end))
        return ELFP_LOAD_SHARED;
    return 0;
}

/* A page holds both file bytes and zeros, and somebody has to write the zeros. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
*/
static int splits_page(const struct elfp_phdr *phdr, uint64_t page)
{
    return phdr->filesz != 0 && ((phdr->vaddr + phdr->filesz) & (page - 1)) != 0;
}

/* L8, L10; Linux as well runs a read-only segment whose zeros have pages of their own. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
    ensures no_wx: \result.faults == 0 ==> (phdr->flags & 3) != 3;
    ensures zeros: \result.faults == 0 && phdr->memsz > phdr->filesz ==>
            ((phdr->flags & 2) != 0 || (phdr->flags & 1) == 0);
    ensures bounded: \result.faults <= ELFP_LOAD_WX + ELFP_LOAD_FLAGS + ELFP_LOAD_ZEROPERM;
*/
static struct elfp_finding check_flags(const struct elfp_phdr *phdr, uint64_t page)
{
    struct elfp_finding finding = {0, 0};
    uint32_t flags = phdr->flags;

    if ((flags & (ELFPARSE_PF_W | ELFPARSE_PF_X)) == (ELFPARSE_PF_W | ELFPARSE_PF_X))
        finding.faults += ELFP_LOAD_WX;
    if ((flags & ~(7u | PF_MASKOS_MASKPROC)) != 0)
        finding.faults += ELFP_LOAD_FLAGS;
    if ((flags & PF_MASKOS_MASKPROC) != 0)
        finding.traits += ELFPARSE_TRAIT_SEGFLAGS;
    if ((flags & ELFPARSE_PF_R) == 0)
        finding.traits += ELFPARSE_TRAIT_UNREADABLE;
    if (phdr->memsz > phdr->filesz && (flags & ELFPARSE_PF_W) == 0) {
        if ((flags & ELFPARSE_PF_X) != 0 || splits_page(phdr, page))
            finding.faults += ELFP_LOAD_ZEROPERM;
        else
            finding.traits += ELFPARSE_TRAIT_ZERO_RO;
    }
    return finding;
}

/* L4, L9 */
/*@ requires \valid_read(bounds) && \valid_read(phdr);
    requires is_page(bounds->page);
    assigns \nothing;
    ensures in_range: \result == 0 ==> phdr->vaddr + phdr->memsz <= bounds->user_end;
    ensures bounded: \result <= ELFP_LOAD_HIGH;
*/
static uint32_t check_range(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr)
{
    const uint64_t last_page = UINT64_MAX - (ELFP_PAGE(bounds) - 1);

    if (phdr->vaddr > last_page || phdr->memsz > last_page - phdr->vaddr)
        return ELFP_LOAD_WRAP;
    if (phdr->vaddr + phdr->memsz > bounds->user_end)
        return ELFP_LOAD_HIGH;
    return 0;
}

/*@ requires \valid_read(bounds) && \valid_read(phdr) && \valid_read(last);
    requires is_page(bounds->page);
    assigns \nothing;
    ensures in_file: \result.faults == 0 ==> in_file(bounds, phdr);
    ensures in_range: \result.faults == 0 ==> phdr->vaddr + phdr->memsz <= bounds->user_end;
    ensures no_wx: \result.faults == 0 ==> (phdr->flags & 3) != 3;
    ensures alone: \result.faults == 0 ==> phdr->vaddr >= last_end || shares(last, phdr);
*/
ELFP_COLD struct elfp_finding elfp_load_check(const struct elfp_bounds *bounds,
                                              const struct elfp_phdr *phdr,
                                              const struct elfp_phdr *last, uint64_t last_end)
{
    struct elfp_finding finding = check_flags(phdr, ELFP_PAGE(bounds));

    finding.faults += check_file(bounds, phdr);
    finding.faults += check_align(bounds, phdr);
    finding.faults += check_order(bounds, last, phdr, last_end);
    finding.faults += check_range(bounds, phdr);
    return finding;
}

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

struct fault {
    int code;
    uint32_t rule;
    uint64_t expected;
    uint64_t found;
};

/* L4, L9: all that can be wrong with a bias. */
static int check_bias(const struct elfparse_plan *plan, const struct elfparse_policy *policy,
                      uint64_t bias, struct elfparse_error *error)
{
    uint64_t end = policy->user_end, first = plan->start + bias, last = plan->end + bias;
    struct fault fault;

    if (plan->elf_class == ELFPARSE_CLASS32 && end > ELFP_ADDRESS32_END)
        end = ELFP_ADDRESS32_END;
    if (plan->bias != 0)
        fault = (struct fault){ELFPARSE_EBIASTWICE, ELFPARSE_RULE_NONE, plan->bias, bias};
    else if (plan->type == ELFPARSE_ET_EXEC && bias != 0)
        fault = (struct fault){ELFPARSE_EBIASFIXED, ELFPARSE_RULE_NONE, 0, bias};
    else if ((bias & (plan->align - 1)) != 0)
        fault = (struct fault){ELFPARSE_EBIASALIGN, ELFPARSE_RULE_L5, plan->align, bias};
    else if (first >= last)
        fault = (struct fault){ELFPARSE_EWRAP, ELFPARSE_RULE_L4, last - first, first};
    else if (first < policy->user_min)
        fault = (struct fault){ELFPARSE_ERANGE, ELFPARSE_RULE_L9, policy->user_min, first};
    else if (last > end)
        fault = (struct fault){ELFPARSE_ERANGE, ELFPARSE_RULE_L9, end, last};
    else
        return 0;
    return elfp_fail(error, fault.code, fault.rule, 0, fault.expected, fault.found);
}

ELFP_COLD int elfparse_plan_apply_bias(struct elfparse_plan *plan,
                                       const struct elfparse_storage *storage,
                                       const struct elfparse_policy *policy, uint64_t bias,
                                       struct elfparse_error *error)
{
    uint32_t i;
    int code = check_bias(plan, policy != NULL ? policy : &elfparse_policy_kernel, bias, error);

    if (code != 0)
        return code;
    for (i = 0; i < plan->range_count; i++)
        storage->ranges[i].vaddr += bias;
    plan->start += bias;
    plan->end += bias;
    plan->bias = bias;
    /* 0 stands for none in these. */
    plan->entry += plan->entry != 0 ? bias : 0;
    plan->phdr_vaddr += plan->phdr_vaddr != 0 ? bias : 0;
    plan->tls.vaddr += plan->tls.memsz != 0 ? bias : 0;
    plan->relro.vaddr += plan->relro.size != 0 ? bias : 0;
    plan->dynamic.vaddr += plan->dynamic.size != 0 ? bias : 0;
    return 0;
}
