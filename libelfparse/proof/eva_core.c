/*
 * Eva: the pure rules have no undefined behaviour, whatever the headers, the limits and the
 * storage. The table of program headers has a fixed number of unknown ones, each judged after the
 * others.
 */
#include <elfparse/elfparse.h>

#include "judge.h"
#include "headers.h"
#include "other.c"
#include "walk.c"

#include <string.h>

#include "__fc_builtin.h"

#define PHDRS  4
#define RANGES 5

static uint8_t scratch[64];
static uint8_t phdrs[PHDRS * 56];
static struct elfparse_range ranges[RANGES];
static struct elfparse_reader reader;
static struct elfparse_policy policy;
static struct elfparse_storage storage;
static struct elfparse_plan plan;

static uint64_t any(void)
{
    return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

/* Converting has a proof of its own; nothing here reaches it. */
int elfp_convert_ehdr(struct elfp_judge *judge)
{
    return Frama_C_interval(0, 1);
}

/* Raising has a proof of its own; here it stops the judgement or not. */
int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
               const uint8_t *header, const struct elfp_detail *detail)
{
    return Frama_C_interval(0, 1);
}

int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header)
{
    return Frama_C_interval(0, 1);
}

/*
 * A judgement of headers that were read, with nothing known of them; it goes on after violations.
 */
static void begin(struct elfp_judge *judge)
{
    judge->reader = &reader;
    judge->policy = &policy;
    judge->storage = &storage;
    judge->plan = &plan;
    judge->bounds.file_size = any();
    judge->bounds.user_end = any();
    judge->bounds.max_align = any();
    judge->bounds.usual_align = ELFPARSE_PAGE_SIZE;
    judge->bounds.usual_end = any();
    judge->bounds.page = ELFPARSE_PAGE_SIZE << (2 * Frama_C_interval(0, 2));
    judge->ranges = ranges;
    judge->limit = ranges + RANGES;
    judge->table = phdrs;
    judge->phoff = any();
    judge->head = sizeof(scratch);
    for (uint32_t slot = 0; slot < ELFP_SLOTS; slot++)
        judge->place[slot] = phdrs; /* Eva does not relate it to judge->seen */
    reader.size = judge->bounds.file_size;
    storage.scratch = scratch;
    storage.ranges = ranges;
    storage.range_capacity = RANGES;
    plan.ranges = ranges;
    plan.phnum = PHDRS;
    plan.entry = any();
    plan.elf_class = (uint8_t)Frama_C_interval(ELFPARSE_CLASS32, ELFPARSE_CLASS64);
    plan.machine = ELFPARSE_EM_PPC64; /* the only one that is judged otherwise */
    plan.flags = Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

static void headers(void)
{
    struct elfp_judge judge = {0};

    policy = elfparse_policy_linux_compat;
    policy.user_end = any();
    policy.max_align = any();
    policy.max_memory = any();
    policy.max_tls_size = any();
    policy.refuse = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    policy.contents = 8; /* judges the other headers, and reads nothing */
    begin(&judge);
    if (elfp_judge_headers(&judge, (size_t)plan.phnum * ELFPARSE_PHDR_SIZE) != 0)
        return;
    //@ split plan.load_count == 0;
    if (elfp_judge_sum(&judge) != 0)
        return;
    if (elfp_judge_others(&judge) == 0)
        elfp_find_table(&judge);
}

static void bias(void)
{
    struct elfparse_plan plan = {0};
    struct elfparse_storage storage = {0, 0, ranges, RANGES};
    struct elfparse_policy policy = elfparse_policy_kernel;
    struct elfparse_error error;

    Frama_C_make_unknown((char *)ranges, sizeof(ranges));
    plan.entry = any();
    plan.start = any();
    plan.end = any();
    plan.align = any();
    plan.bias = any();
    plan.elf_class = (uint8_t)Frama_C_interval(0, UINT8_MAX);
    plan.range_count = Frama_C_unsigned_int_interval(0, RANGES);
    policy.user_min = any();
    policy.user_end = any();
    elfparse_plan_apply_bias(&plan, &storage, &policy, any(), &error);
}

int main(void)
{
    struct elfp_note note;

    Frama_C_make_unknown((char *)scratch, sizeof(scratch));
    Frama_C_make_unknown((char *)phdrs, sizeof(phdrs));
    plan.elf_class = (uint8_t)Frama_C_interval(0, UINT8_MAX);
    elfp_ehdr_padding(scratch);
    elfp_note_measure(scratch, elfp_note_align(any()), Frama_C_interval(0, 1), &note);
    headers();
    bias();
    return 0;
}
