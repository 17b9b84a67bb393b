#include "judge.h"

/* Pages that do not have the usual size: each segment gets the closer look. */
static ELFP_COLD int check_page(struct elfp_judge *judge)
{
    const struct elfparse_policy *policy = judge->policy;
    uint64_t page = policy->page_size;

    if ((ELFPARSE_MACHINES & ELFP_MACHINES_PAGES) == 0)
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, ELFPARSE_PAGE_SIZE, page);
    if (page != 4 * ELFPARSE_PAGE_SIZE && page != 16 * ELFPARSE_PAGE_SIZE)
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, 0, page);
    if (((policy->user_min | policy->user_end) & (page - 1)) != 0)
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, policy->user_min, policy->user_end);
    judge->bounds.page = page;
    judge->bounds.usual_end = 0;
    judge->plan->align = page;
    return 0;
}

/*
 * The policy's range is page-aligned, leaves page 0 out and stays in the lower half; and pages have
 * a size that there is.
 */
static inline int check_policy(struct elfp_judge *judge)
{
    uint64_t min = judge->policy->user_min, end = judge->policy->user_end;

    if (ELFP_RARE(judge->policy->page_size != ELFPARSE_PAGE_SIZE) && check_page(judge) != 0)
        return 1;
    if (ELFP_RARE(((min | end) & (ELFPARSE_PAGE_SIZE - 1)) != 0) ||
        ELFP_RARE(end > ELFP_ADDRESS_END) || ELFP_RARE(min - 1 >= end)) /* 0, or above it */
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, min, end);
    return 0;
}

/* One read of this size brings in all headers of most files; the larger one the interpreter's path
 * and the notes as well. */
#define HEADERS_BYTES (ELFPARSE_EHDR_SIZE + 14 * ELFPARSE_PHDR_SIZE)
#define HEAD_BYTES    1024u

/* Reads the start of the file: at least the Ehdr (E1), with luck all headers. */
static inline int fetch_head(struct elfp_judge *judge)
{
    size_t given = judge->storage->scratch_size;
    uint64_t size = judge->reader->size;
    size_t head = judge->policy->contents != 0 ? HEAD_BYTES : HEADERS_BYTES;

    if (ELFP_RARE(given < ELFPARSE_EHDR_SIZE + ELFP_VIEW))
        return elfp_raise_stop(judge, ELFPARSE_ESCRATCH, 0, ELFPARSE_SCRATCH_SIZE(1, 0), given);
    if (ELFP_RARE(size < ELFPARSE_EHDR_SIZE))
        return elfp_raise_stop(judge, ELFPARSE_ETRUNCATED, 0, ELFPARSE_EHDR_SIZE, size);
    judge->room = given - ELFP_VIEW;
    if (judge->room < head)
        head = judge->room;
    if (size < head)
        head = (size_t)size;
    judge->head = head;
    judge->used = head;
    return elfp_fetch(judge, 0, judge->storage->scratch, head);
}

/* What nearly every Ehdr holds in these places, 8 bytes at once; ET_EXEC lacks the lowest bit. */
#define USUAL_IDENT UINT64_C(0x00010102464c457f) /* magic, class, data, version, OSABI SYSV */
#define USUAL_TYPE  UINT64_C(0x00000001003e0003) /* ET_DYN, EM_X86_64, e_version */
#define USUAL_SIZES UINT64_C(0x0038004000000000) /* e_flags, e_ehsize, e_phentsize */

/* E1 to E9, and the table came with the first read; elfp_judge_ehdr looks closely at the others. */
static inline int is_ordinary(const struct elfp_judge *judge, const uint8_t *ehdr)
{
    uint32_t phnum = elfp_le16(ehdr + ELFP_E_PHNUM);

    return elfp_le64(ehdr) == USUAL_IDENT && elfp_le64(ehdr + ELFP_EI_ABIVERSION) == 0 &&
           (elfp_le64(ehdr + ELFP_E_TYPE) | 1) == USUAL_TYPE &&
           (judge->policy->machines & ELFPARSE_MACHINES & ELFPARSE_MACHINE_X86_64) != 0 &&
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

    plan->machine = ELFPARSE_EM_X86_64;
    plan->elf_class = ELFPARSE_CLASS64;
    plan->data = ELFPARSE_DATALSB;
    if (ELFP_RARE(!ordinary) && elfp_judge_ehdr(judge) != 0)
        return 1;
    plan->entry = elfp_le64(ehdr + ELFP_E_ENTRY);
    plan->type = (uint16_t)elfp_le16(ehdr + ELFP_E_TYPE);
    plan->phnum = (uint16_t)elfp_le16(ehdr + ELFP_E_PHNUM);
    judge->phoff = ELFPARSE_EHDR_SIZE;
    judge->table = ehdr + ELFPARSE_EHDR_SIZE;
    if (ELFP_RARE(!ordinary)) {
        judge->phoff = elfp_le64(ehdr + ELFP_E_PHOFF);
        return elfp_fetch_table(judge);
    }
    if (plan->type == ELFPARSE_ET_EXEC) {
        plan->traits = ELFPARSE_TRAIT_FIXED;
        return ELFP_RARE((judge->policy->refuse & ELFPARSE_TRAIT_FIXED) != 0) &&
               elfp_raise_traits(judge, ELFPARSE_TRAIT_FIXED, NULL) != 0;
    }
    return 0;
}

/* L1, L9, L11, O1 */
static inline int judge_sum(struct elfp_judge *judge)
{
    const struct elfparse_policy *policy = judge->policy;
    const struct elfparse_plan *plan = judge->plan;

    if (ELFP_RARE(!judge->entry_found) || ELFP_RARE(plan->entry == 0) ||
        (ELFP_RARE(plan->start < policy->user_min) && plan->type == ELFPARSE_ET_EXEC) ||
        ELFP_RARE(plan->end - plan->start > judge->bounds.user_end - policy->user_min) ||
        ELFP_RARE(plan->memory > policy->max_memory) ||
        ELFP_RARE(plan->load_count > policy->max_loads))
        return elfp_judge_sum(judge);
    return 0;
}

/* Where the program header table is in memory; nearly always the first PT_LOAD has it. */
static inline uint64_t table_vaddr(const struct elfp_judge *judge, size_t size)
{
    const uint8_t *load = judge->first;

    if (ELFP_RARE(!elfp_holds(load, judge->phoff, size)))
        return elfp_find_table(judge); /* which may be smaller */
    return elfp_le64(load + ELFP_P_VADDR) + judge->phoff - elfp_le64(load + ELFP_P_OFFSET);
}

/* Everything, in the order in which violations are reported. */
static inline void judge_file(struct elfp_judge *judge)
{
    struct elfparse_plan *plan = judge->plan;
    size_t size;

    if (check_policy(judge) != 0 || fetch_head(judge) != 0 || judge_ehdr(judge) != 0)
        return;
    size = (size_t)plan->phnum * ELFPARSE_PHDR_SIZE;
    if (elfp_judge_headers(judge, size) != 0 || judge_sum(judge) != 0)
        return;
    plan->phdr_vaddr = table_vaddr(judge, size);
    if (judge->policy->contents != 0 && elfp_judge_others(judge) != 0)
        return;
    if (ELFP_RARE(judge->spilled != 0))
        elfp_raise_stop(judge, ELFPARSE_ERANGES, 0, plan->range_count,
                        judge->storage->range_capacity);
}

/* Sets what is looked at before it is found; the caller has set the rest. */
static inline void begin(struct elfp_judge *judge)
{
    const struct elfparse_policy *policy = judge->policy;
    const struct elfparse_storage *storage = judge->storage;
    struct elfparse_plan *plan = judge->plan;

    judge->last_note = NULL;
    judge->entry_found = 0;
    judge->seen = 0;
    judge->spilled = 0;
    judge->bounds.file_size = judge->reader->size;
    judge->bounds.user_end = policy->user_end;
    judge->bounds.usual_end = policy->user_end;
    if ((ELFPARSE_MACHINES & ELFP_MACHINES_PAGES) != 0)
        judge->bounds.page = ELFPARSE_PAGE_SIZE;
    judge->bounds.max_align = policy->max_align;
    judge->bounds.usual_align = ELFPARSE_PAGE_SIZE;
    if (ELFP_RARE(policy->max_align < ELFPARSE_PAGE_SIZE))
        judge->bounds.usual_align = 0;
    judge->ranges = &judge->spill;
    judge->limit = &judge->spill;
    if (storage->range_capacity != 0) {
        judge->ranges = storage->ranges;
        judge->limit = storage->ranges + storage->range_capacity;
    }
    judge->error.code = 0;
    memset(plan, 0, sizeof(*plan));
    plan->align = ELFPARSE_PAGE_SIZE;
    plan->ranges = storage->ranges;
    plan->stack_flags = ELFPARSE_PF_R | ELFPARSE_PF_W;
}

/* Says why there is no plan. */
static ELFP_COLD int refuse(const struct elfp_judge *judge, struct elfparse_error *error)
{
    memset(judge->plan, 0, sizeof(*judge->plan));
    if (error != NULL)
        *error = judge->error;
    return judge->error.code;
}

static ELFP_APART int make_plan(const struct elfparse_reader *reader,
                                const struct elfparse_policy *policy,
                                const struct elfparse_storage *storage, struct elfparse_plan *plan,
                                struct elfparse_error *error, const struct elfp_listener *listener)
{
    struct elfp_judge judge;

    judge.reader = reader;
    judge.policy = policy != NULL ? policy : &elfparse_policy_kernel;
    judge.storage = storage;
    judge.plan = plan;
    judge.listener = listener;
    begin(&judge);
    judge_file(&judge);
    if (ELFP_RARE(judge.error.code != 0))
        return refuse(&judge, error);
    return 0;
}

int elfparse_plan_make(const struct elfparse_reader *reader, const struct elfparse_policy *policy,
                       const struct elfparse_storage *storage, struct elfparse_plan *plan,
                       struct elfparse_error *error)
{
    return make_plan(reader, policy, storage, plan, error, NULL);
}

int elfparse_plan_diagnose(const struct elfparse_reader *reader,
                           const struct elfparse_policy *policy,
                           const struct elfparse_storage *storage, struct elfparse_plan *plan,
                           elfparse_diagnose_fn fn, void *ctx)
{
    struct elfp_listener listener = {fn, ctx};

    return make_plan(reader, policy, storage, plan, NULL, &listener);
}
