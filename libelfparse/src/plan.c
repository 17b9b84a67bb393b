#include "judge.h"
#include "memory.h"

/* The policy's range is page-aligned, leaves page 0 out and stays in the lower half. */
static int check_policy(struct elfp_judge *judge)
{
    const struct elfparse_policy *policy = judge->policy;

    if (ELFP_RARE(((policy->user_min | policy->user_end) & (ELFPARSE_PAGE_SIZE - 1)) != 0) ||
        ELFP_RARE(policy->user_min < ELFPARSE_PAGE_SIZE))
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, ELFPARSE_PAGE_SIZE,
                               policy->user_min);
    if (ELFP_RARE(policy->user_end > ELFP_ADDRESS_END) ||
        ELFP_RARE(policy->user_end < policy->user_min))
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, ELFP_ADDRESS_END, policy->user_end);
    return 0;
}

/* Everything, in the order in which violations are reported. */
static int judge_file(struct elfp_judge *judge, const struct elfparse_storage *storage)
{
    if (check_policy(judge) != 0 || elfp_fetch_head(judge, storage->scratch_size) != 0 ||
        elfp_judge_ehdr(judge) != 0 || elfp_fetch_table(judge) != 0)
        return 1;
    elfp_judge_bounds(judge, storage);
    if (elfp_judge_headers(judge) != 0 || elfp_judge_loads(judge) != 0 ||
        elfp_judge_others(judge) != 0)
        return 1;
    if (ELFP_RARE(judge->loads.range_count > storage->range_capacity))
        return elfp_raise_stop(judge, ELFPARSE_ERANGES, 0, judge->loads.range_count,
                               storage->range_capacity);
    return 0;
}

/* judge is zero but for its report. */
static int make_plan(struct elfp_judge *judge, const struct elfparse_reader *reader,
                     const struct elfparse_policy *policy, const struct elfparse_storage *storage,
                     struct elfparse_plan *plan)
{
    judge->reader = reader;
    judge->policy = policy != NULL ? policy : &elfparse_policy_kernel;
    judge->plan = plan;
    judge->scratch = storage->scratch;
    memset(plan, 0, sizeof(*plan));
    (void)judge_file(judge, storage);
    if (ELFP_RARE(judge->error.code != 0))
        memset(plan, 0, sizeof(*plan));
    return judge->error.code;
}

int elfparse_plan_make(const struct elfparse_reader *reader, const struct elfparse_policy *policy,
                       const struct elfparse_storage *storage, struct elfparse_plan *plan,
                       struct elfparse_error *error)
{
    struct elfp_judge judge;
    int code;

    memset(&judge, 0, sizeof(judge));
    code = make_plan(&judge, reader, policy, storage, plan);
    if (ELFP_RARE(code != 0) && error != NULL)
        *error = judge.error;
    return code;
}

int elfparse_plan_diagnose(const struct elfparse_reader *reader,
                           const struct elfparse_policy *policy,
                           const struct elfparse_storage *storage, struct elfparse_plan *plan,
                           elfparse_diagnose_fn fn, void *ctx)
{
    struct elfp_judge judge;

    memset(&judge, 0, sizeof(judge));
    judge.report = fn;
    judge.report_ctx = ctx;
    return make_plan(&judge, reader, policy, storage, plan);
}
