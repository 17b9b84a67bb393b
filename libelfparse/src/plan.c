#include "judge.h"
#include "memory.h"

/* What stands for a segment before the first one: of type PT_NULL, so that nothing lies in it. */
static const uint8_t no_load[ELFPARSE_PHDR_SIZE];

/* The policy's range is page-aligned, leaves page 0 out and stays in the lower half. */
static int check_policy(struct elfp_judge *judge)
{
    uint64_t min = judge->policy->user_min, end = judge->policy->user_end;

    if (ELFP_RARE(((min | end) & (ELFPARSE_PAGE_SIZE - 1)) != 0) || ELFP_RARE(min == 0))
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, ELFPARSE_PAGE_SIZE, min);
    if (ELFP_RARE(end > ELFP_ADDRESS_END) || ELFP_RARE(end < min))
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, ELFP_ADDRESS_END, end);
    return 0;
}

/* Everything that nearly every Ehdr holds in these places, 8 bytes at once. */
#define USUAL_IDENT UINT64_C(0x00010102464c457f) /* magic, class, data, version, OSABI SYSV */
#define USUAL_TYPE  UINT64_C(0x00000001003e0003) /* ET_DYN, EM_X86_64, e_version */
#define USUAL_SIZES UINT64_C(0x0038004000000000) /* e_flags, e_ehsize, e_phentsize */

/* E1 to E9, and the table came with the first read; elfp_judge_ehdr looks closely at the others. */
static inline int is_ordinary(const struct elfp_judge *judge, const uint8_t *ehdr)
{
    uint32_t phnum = elfp_le16(ehdr + ELFP_E_PHNUM);

    return elfp_le64(ehdr) == USUAL_IDENT && elfp_le64(ehdr + ELFP_EI_ABIVERSION) == 0 &&
           elfp_le64(ehdr + ELFP_E_TYPE) == USUAL_TYPE &&
           elfp_le64(ehdr + ELFP_E_FLAGS) == USUAL_SIZES &&
           elfp_le64(ehdr + ELFP_E_PHOFF) == ELFPARSE_EHDR_SIZE && phnum != 0 &&
           phnum <= judge->policy->max_phnum &&
           ELFPARSE_EHDR_SIZE + (size_t)phnum * ELFPARSE_PHDR_SIZE <= judge->head;
}

static int judge_ehdr(struct elfp_judge *judge)
{
    const uint8_t *ehdr = elfp_scratch(judge);
    struct elfparse_plan *plan = judge->plan;
    int ordinary = is_ordinary(judge, ehdr);

    if (ELFP_RARE(!ordinary) && elfp_judge_ehdr(judge) != 0)
        return 1;
    plan->entry = elfp_le64(ehdr + ELFP_E_ENTRY);
    plan->type = (uint16_t)elfp_le16(ehdr + ELFP_E_TYPE);
    plan->phnum = (uint16_t)elfp_le16(ehdr + ELFP_E_PHNUM);
    judge->phoff = elfp_le64(ehdr + ELFP_E_PHOFF);
    judge->table = ehdr + ELFPARSE_EHDR_SIZE;
    return ELFP_RARE(!ordinary) && elfp_fetch_table(judge) != 0;
}

/* Everything, in the order in which violations are reported. */
static int judge_file(struct elfp_judge *judge)
{
    struct elfparse_plan *plan = judge->plan;

    if (check_policy(judge) != 0 || elfp_fetch_head(judge) != 0 || judge_ehdr(judge) != 0 ||
        elfp_judge_headers(judge) != 0 || elfp_judge_sum(judge) != 0 ||
        (judge->policy->contents != 0 && elfp_judge_others(judge) != 0))
        return 1;
    if (ELFP_RARE((judge->seen >> ELFP_PHDR & 1u) == 0))
        plan->phdr_vaddr = elfp_table_vaddr(judge);
    if (ELFP_RARE(plan->range_count > judge->storage->range_capacity))
        return elfp_raise_stop(judge, ELFPARSE_ERANGES, 0, plan->range_count,
                               judge->storage->range_capacity);
    return 0;
}

/* Fills in what the caller of make_plan has not; the rest is set before it is looked at. */
static inline int make_plan(struct elfp_judge *judge, const struct elfparse_policy *policy)
{
    struct elfparse_plan *plan = judge->plan;

    judge->policy = policy != NULL ? policy : &elfparse_policy_kernel;
    judge->first = no_load;
    judge->last = no_load;
    judge->last_note = NULL;
    judge->entry_found = 0;
    judge->seen = 0;
    judge->usual_align =
        judge->policy->max_align < ELFPARSE_PAGE_SIZE ? 0 : ELFPARSE_PAGE_SIZE;
    judge->error.code = 0;
    memset(plan, 0, sizeof(*plan));
    plan->align = ELFPARSE_PAGE_SIZE;
    plan->ranges = judge->storage->ranges;
    plan->stack_flags = ELFPARSE_PF_R | ELFPARSE_PF_W;
    (void)judge_file(judge);
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

    judge.reader = reader;
    judge.storage = storage;
    judge.plan = plan;
    judge.report = NULL;
    code = make_plan(&judge, policy);
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

    judge.reader = reader;
    judge.storage = storage;
    judge.plan = plan;
    judge.report = fn;
    judge.report_ctx = ctx;
    return make_plan(&judge, policy);
}
