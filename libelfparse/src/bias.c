#include <elfparse/plan.h>

#include "fail.h"
#include "load.h"

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
