/*
 * Eva: elfparse_plan_make and elfparse_plan_diagnose, over a reader whose every answer is fresh,
 * for every file size and policy, some sizes of scratch and a capacity of up to RANGES. Their
 * parts have proofs of their own; here each is checked to be called in the states that it is
 * proved for, and does whatever it may do. Each CASE is a proof: its bits say whether pages are larger than 4 KiB, headers are
 * converted, and the call is elfparse_plan_diagnose.
 */
#include "eva_state.h"

#define HEADERS 2
#define SCRATCH (ELFPARSE_EHDR_SIZE + HEADERS * ELFPARSE_PHDR_SIZE + 24 + ELFP_VIEW)
#define RANGES  3

#ifndef CASE
#define CASE 0
#endif
#define LARGER    (CASE & 1)
#define CONVERTED (CASE & 2)
#define DIAGNOSE  (CASE & 4)

static uint8_t memory[SCRATCH];
static struct elfparse_range ranges[RANGES];
static struct elfparse_storage storage;

static uint8_t *scratch(void)
{
    return storage.scratch;
}

static uint32_t phnum, high; /* which case is at hand */

/* e_phnum: each number that the scratch may have room for, or all others as one state. */
static void split_phnum(uint8_t *ehdr)
{
    phnum = up_to(HEADERS + 2);
    //@ split phnum;
    if (phnum <= HEADERS) {
        ehdr[ELFP_E_PHNUM] = (uint8_t)phnum;
        ehdr[ELFP_E_PHNUM + 1] = 0;
    } else if (phnum == HEADERS + 1) {
        ehdr[ELFP_E_PHNUM] = (uint8_t)Frama_C_interval(HEADERS + 1, 255);
        ehdr[ELFP_E_PHNUM + 1] = 0;
    } else {
        ehdr[ELFP_E_PHNUM + 1] = (uint8_t)Frama_C_interval(1, 255);
    }
}

/* e_phoff: below 64, up to 255, or above, where some higher byte is not 0. */
static void split_phoff(uint8_t *ehdr)
{
    high = up_to(8);
    //@ split high;
    if (high == 0 || high == 8) {
        for (uint32_t byte = 1; byte < 8; byte++)
            ehdr[ELFP_E_PHOFF + byte] = 0;
        ehdr[ELFP_E_PHOFF] = (uint8_t)(high == 0 ? Frama_C_interval(0, ELFPARSE_EHDR_SIZE - 1)
                                                 : Frama_C_interval(ELFPARSE_EHDR_SIZE, 255));
    } else {
        ehdr[ELFP_E_PHOFF + high] = (uint8_t)Frama_C_interval(1, 255);
    }
}

static int read_unknown(void *ctx, uint64_t offset, void *buf, size_t len)
{
    uint8_t *bytes = buf;

    EXPECT(len != 0 && bytes >= scratch() && bytes + len <= memory + SCRATCH);
    Frama_C_make_unknown((char *)buf, len);
    if (bytes == scratch()) {
        split_phnum(bytes);
        split_phoff(bytes);
    }
    return Frama_C_interval(-1, 0);
}

static int report(void *ctx, const struct elfparse_error *error)
{
    return Frama_C_interval(0, 1);
}

static int stop_or_go_on(struct elfp_judge *judge)
{
    judge->error.code = ELFPARSE_EREAD;
    return judge->listener == NULL ||
           judge->listener->report(judge->listener->ctx, &judge->error) != 0;
}

int elfp_raise_stop(struct elfp_judge *judge, int code, uint64_t offset, uint64_t expected,
                    uint64_t found)
{
    stop_or_go_on(judge);
    return 1;
}

int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
               const uint8_t *header, const struct elfp_detail *detail)
{
    return faults != 0 && stop_or_go_on(judge);
}

int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header)
{
    judge->plan->traits |= traits;
    return (traits & judge->policy->refuse) != 0 && stop_or_go_on(judge);
}

/* What it finds has a proof of its own; this much is relied on where it goes on. */
int elfp_judge_ehdr(struct elfp_judge *judge)
{
    const uint8_t *ehdr = elfp_scratch(judge);
    uint32_t count = elfp_le16(ehdr + ELFP_E_PHNUM);

    if (CONVERTED) {
        judge->plan->elf_class = (uint8_t)Frama_C_interval(ELFPARSE_CLASS32, ELFPARSE_CLASS64);
        judge->plan->data = ELFPARSE_DATAMSB; /* any that is converted */
        judge->head = 0;
        judge->used = ELFPARSE_EHDR_SIZE;
        judge->rest_end = 0;
        if (ELFPARSE_EHDR_SIZE + count * ELFPARSE_PHDR_SIZE <= judge->room && up_to(1) == 1)
            judge->used = judge->room;
    }
    if (count == 0 || count > judge->policy->max_phnum ||
        elfp_le64(ehdr + ELFP_E_PHOFF) < ELFPARSE_EHDR_SIZE || up_to(1) == 1) {
        stop_or_go_on(judge);
        return 1;
    }
    return 0;
}

/* Of a converted Ehdr; has a proof of its own. */
int elfp_convert_table(struct elfp_judge *judge)
{
    size_t size = ELFPARSE_EHDR_SIZE + (size_t)judge->plan->phnum * ELFPARSE_PHDR_SIZE;

    EXPECT(judge->plan->phnum >= 1 && judge->head == 0);
    if (size > judge->room || up_to(1) == 1) {
        stop_or_go_on(judge);
        return 1;
    }
    EXPECT(judge->table == scratch() + ELFPARSE_EHDR_SIZE && judge->used == ELFPARSE_EHDR_SIZE);
    judge->used = size;
    return 0;
}

/* The table lies behind the Ehdr and before the view. */
int elfp_judge_headers(struct elfp_judge *judge, size_t size)
{
    EXPECT(judge->plan->phnum >= 1);
    EXPECT(size == (size_t)judge->plan->phnum * ELFPARSE_PHDR_SIZE);
    EXPECT(judge->table >= scratch() + ELFPARSE_EHDR_SIZE);
    EXPECT(judge->table + size <= memory + SCRATCH - ELFP_VIEW);
    EXPECT(scratch() + judge->room == memory + SCRATCH - ELFP_VIEW);
    EXPECT((judge->head >= ELFPARSE_EHDR_SIZE && judge->head <= judge->room) ||
           (judge->head == 0 && judge->plan->data == ELFPARSE_DATAMSB));
    if (!LARGER)
        EXPECT(judge->bounds.page == ELFPARSE_PAGE_SIZE);
    else
        EXPECT(judge->bounds.usual_end == 0 && (judge->bounds.page == 4 * ELFPARSE_PAGE_SIZE ||
                                                judge->bounds.page == 16 * ELFPARSE_PAGE_SIZE));
    EXPECT(judge->used >= ELFPARSE_EHDR_SIZE && judge->used <= judge->room);
    if (judge->ranges == ranges)
        EXPECT(judge->limit > ranges && judge->limit <= ranges + RANGES);
    else
        EXPECT(judge->ranges == &judge->spill && judge->limit == &judge->spill);
    EXPECT(judge->last_note == NULL && judge->spilled == 0);
    //@ merge phnum;
    //@ merge high;
    judge->first = judge->table + up_to(judge->plan->phnum - 1u) * ELFPARSE_PHDR_SIZE;
    judge->seen = up_to((1u << ELFP_SLOTS) - 1);
    judge->entry_found = up_to(1);
    judge->spilled = up_to(UINT32_MAX);
    judge->plan->start = any();
    judge->plan->end = any();
    judge->plan->memory = any();
    judge->plan->load_count = up_to(UINT32_MAX);
    judge->plan->range_count = up_to(UINT32_MAX);
    return up_to(1) == 1 && stop_or_go_on(judge);
}

int elfp_judge_sum(struct elfp_judge *judge)
{
    return up_to(1) == 1 && stop_or_go_on(judge);
}

int elfp_judge_others(struct elfp_judge *judge)
{
    return up_to(1) == 1 && stop_or_go_on(judge);
}

uint64_t elfp_find_table(const struct elfp_judge *judge)
{
    return any();
}

/* Too little for anything, for the Ehdr alone, for all headers and a part of another. */
static size_t scratch_size(void)
{
    switch (up_to(2)) {
    case 0:
        return up_to(ELFPARSE_EHDR_SIZE + ELFP_VIEW - 1);
    case 1:
        return ELFPARSE_EHDR_SIZE + ELFP_VIEW;
    default:
        return SCRATCH;
    }
}

int main(void)
{
    struct elfparse_reader reader = {read_unknown, NULL, 0};
    struct elfparse_policy policy;
    struct elfparse_plan plan;
    struct elfparse_error error;
    size_t size = scratch_size();

    reader.size = any();
    any_policy(&policy);
    if (!LARGER)
        policy.page_size = ELFPARSE_PAGE_SIZE;
    else
        policy.page_size =
            up_to(1) == 1 ? up_to(ELFPARSE_PAGE_SIZE - 1)
                          : ELFPARSE_PAGE_SIZE + 1 + up_to(UINT32_MAX - ELFPARSE_PAGE_SIZE - 1);
    storage.scratch = memory + SCRATCH - size; /* ends where its memory does */
    storage.scratch_size = size;
    storage.ranges = ranges;
    storage.range_capacity = up_to(RANGES);
    if (!DIAGNOSE)
        elfparse_plan_make(&reader, &policy, &storage, &plan, &error);
    else
        elfparse_plan_diagnose(&reader, &policy, &storage, &plan, report, NULL);
    return 0;
}
