#include <elfparse/plan.h>

#include "fail.h"
#include "load.h"

/* L4, L9: all that can be wrong with a bias. */
static ELFP_COLD int check_bias(const struct elfparse_plan *plan,
                                const struct elfparse_policy *policy, uint64_t bias,
                                struct elfparse_error *error)
{
    uint64_t end = policy->user_end;

    if (plan->elf_class == ELFPARSE_CLASS32 && end > ELFP_ADDRESS32_END)
        end = ELFP_ADDRESS32_END;
    if (plan->bias != 0)
        return elfp_fail(error, ELFPARSE_EBIASTWICE, ELFPARSE_RULE_NONE, 0, plan->bias, bias);
    if (plan->type == ELFPARSE_ET_EXEC && bias != 0)
        return elfp_fail(error, ELFPARSE_EBIASFIXED, ELFPARSE_RULE_NONE, 0, 0, bias);
    if ((bias & (plan->align - 1)) != 0)
        return elfp_fail(error, ELFPARSE_EBIASALIGN, ELFPARSE_RULE_L5, 0, plan->align, bias);
    if (plan->start + bias >= plan->end + bias)
        return elfp_fail(error, ELFPARSE_EWRAP, ELFPARSE_RULE_L4, 0, plan->end - plan->start,
                         plan->start + bias);
    if (plan->start + bias < policy->user_min)
        return elfp_fail(error, ELFPARSE_ERANGE, ELFPARSE_RULE_L9, 0, policy->user_min,
                         plan->start + bias);
    if (plan->end + bias > end)
        return elfp_fail(error, ELFPARSE_ERANGE, ELFPARSE_RULE_L9, 0, end, plan->end + bias);
    return 0;
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
