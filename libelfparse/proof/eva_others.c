/*
 * Eva: the judgement of the headers besides PT_LOAD, over every table of HEADERS headers,
 * wherever the walk found the segments, or none, and the others, every policy and every fault.
 * Contents have a proof of their own (eva_contents.c): here none are read, but for the notes, which
 * are checked to be asked for with headers of the table.
 */
#include "eva_state.h"
#include "other.h"

#define HEADERS 3

static uint8_t ehdr[ELFPARSE_EHDR_SIZE], table[HEADERS * ELFPARSE_PHDR_SIZE];
static const uint8_t no_segment[ELFPARSE_PHDR_SIZE];

static const uint8_t *header(uint32_t last)
{
    return table + Frama_C_interval(0, (int)last) * (int)ELFPARSE_PHDR_SIZE;
}

static void expect_header(const uint8_t *asked)
{
    EXPECT(asked >= table && asked + ELFPARSE_PHDR_SIZE <= table + sizeof(table));
    EXPECT((asked - table) % ELFPARSE_PHDR_SIZE == 0);
}

int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
               const uint8_t *asked, const struct elfp_detail *detail)
{
    EXPECT(family == ELFP_OF_OTHER);
    expect_header(asked);
    return Frama_C_interval(0, 1);
}

int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *asked)
{
    expect_header(asked);
    return Frama_C_interval(0, 1);
}

/* O8 */
int elfp_judge_notes(struct elfp_judge *judge, const uint8_t *property, const uint8_t *note)
{
    if (property != NULL)
        expect_header(property);
    expect_header(note);
    return Frama_C_interval(0, 1);
}

int main(void)
{
    struct elfparse_reader reader = {NULL, NULL, any()};
    struct elfparse_policy policy;
    struct elfparse_storage storage = {ehdr, sizeof(ehdr), NULL, 0};
    struct elfparse_plan plan = {0};
    struct elfp_judge judge = {0};
    uint32_t none = up_to(1);

    //@ split none;
    Frama_C_make_unknown((char *)ehdr, sizeof(ehdr));
    Frama_C_make_unknown((char *)table, sizeof(table));
    any_policy(&policy);
    policy.contents = 8; /* judges the headers, and reads nothing */
    judge.reader = &reader;
    judge.policy = &policy;
    judge.storage = &storage;
    judge.plan = &plan;
    judge.table = table;
    judge.phoff = any();
    judge.bounds.page = any_page();
    judge.bounds.user_end = any();
    any_form(&plan);
    judge.head = sizeof(ehdr);
    judge.seen = up_to((1u << ELFP_SLOTS) - 1);
    judge.first = none ? no_segment : header(HEADERS - 1); /* as load.c and the walk leave them */
    judge.last = none ? no_segment : header(HEADERS - 1);
    plan.load_count = none ? 0 : 1 + up_to(HEADERS - 1);
    for (uint32_t slot = 0; slot < ELFP_SLOTS; slot++)
        judge.place[slot] = header(HEADERS - 1);
    judge.last_note = up_to(1) == 1 ? NULL : header(HEADERS - 1);
    plan.phnum = (uint16_t)(1 + up_to(HEADERS - 1));
    plan.start = any();
    plan.end = any();
    plan.phdr_vaddr = elfp_table_vaddr(&judge);
    elfp_judge_others(&judge);
    return 0;
}
