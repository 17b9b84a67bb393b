/* Eva: the walk over the program headers, then what it remembers. */
#include "eva_state.h"
#include "other.c"
#include "walk.c"

#if PART == 0
/*
 * Eva: the walk over up to HEADERS program headers of any types, one path for each
 * sequence of types: wherever it says that a header was seen, it has set the place, in the table.
 * That is what the judgement of the others relies on (PART 1). Judging a segment has a
 * proof of its own (eva_core.c): here all are empty, and the answer may be anything.
 */
#define HEADERS 2
#define OTHERS  11
#define RANGES  2

static uint8_t ehdr[ELFPARSE_EHDR_SIZE], table[HEADERS * ELFPARSE_PHDR_SIZE];
static struct elfparse_range ranges[RANGES];

int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
               const uint8_t *header, const struct elfp_detail *detail)
{
    return Frama_C_interval(0, 1);
}

enum elfp_verdict elfp_judge_load(struct elfp_judge *judge, const uint8_t *header)
{
    elfp_phdr_decode(header, &judge->unusual);
    return (enum elfp_verdict)Frama_C_interval(ELFP_TAKE, ELFP_STOP);
}

/* One of the types that have a slot, or any other by its first byte, from the highest, that differs
 * from all of these. */
static void put_type(uint8_t *header)
{
    static const struct {
        uint8_t known;       /* bytes from the highest that are those of a type with a slot */
        uint8_t base[3];     /* their values, then */
        uint8_t least, most; /* of the next one */
    } types[] = {
        {3, {0, 0, 0}, 8, 255},
        {3, {0x64, 0x74, 0xe5}, 0, 0x4f},
        {3, {0x64, 0x74, 0xe5}, 0x54, 255},
        {0, {0}, 1, 0x63},
        {0, {0}, 0x65, 255},
        {1, {0}, 1, 255},
        {1, {0x64}, 0, 0x73},
        {1, {0x64}, 0x75, 255},
        {2, {0, 0}, 1, 255},
        {2, {0x64, 0x74}, 0, 0xe4},
        {2, {0x64, 0x74}, 0xe6, 255},
    };
    uint32_t kind;

    Frama_C_make_unknown((char *)header, 4);
    kind = up_to(ELFP_SLOTS + OTHERS - 1);

    //@ split kind;
    if (kind < ELFP_SLOTS) {
        uint32_t type =
            kind < ELFP_EH_FRAME ? kind : ELFPARSE_PT_GNU_EH_FRAME + kind - ELFP_EH_FRAME;

        for (uint32_t i = 0; i < 4; i++)
            header[i] = (uint8_t)(type >> (8 * i));
        return;
    }
    kind -= ELFP_SLOTS;
    for (uint32_t i = 0; i < types[kind].known; i++)
        header[3 - i] = types[kind].base[i];
    header[3 - types[kind].known] = (uint8_t)Frama_C_interval(types[kind].least, types[kind].most);
}

static void expect_header(const uint8_t *header, uint32_t count)
{
    EXPECT(header >= table && header <= table + (count - 1) * ELFPARSE_PHDR_SIZE);
    EXPECT((header - table) % ELFPARSE_PHDR_SIZE == 0);
}

int main(void)
{
    struct elfparse_policy policy;
    struct elfparse_storage storage = {ehdr, sizeof(ehdr), ranges, RANGES};
    struct elfparse_plan plan = {0};
    struct elfp_judge judge;
    uint32_t count = 1 + up_to(HEADERS - 1);

    //@ split count;
    any_policy(&policy);
    policy.contents = 1; /* with none of them no header is remembered */
    for (uint32_t i = 0; i < count; i++)
        put_type(table + i * ELFPARSE_PHDR_SIZE);
    judge.policy = &policy;
    judge.storage = &storage;
    judge.plan = &plan;
    judge.table = table;
    judge.bounds.file_size = any();
    judge.bounds.user_end = any();
    judge.bounds.usual_align = ELFPARSE_PAGE_SIZE;
    judge.bounds.usual_end = any();
    judge.bounds.page = ELFPARSE_PAGE_SIZE;
    judge.ranges = ranges;
    judge.limit = ranges + RANGES;
    judge.seen = judge.spilled = judge.entry_found = 0;
    judge.last_note = NULL;
    plan.phnum = (uint16_t)count;
    plan.entry = any();
    if (elfp_judge_headers(&judge, (size_t)count * ELFPARSE_PHDR_SIZE) != 0)
        return 0;
    expect_header(judge.first, count);
    expect_header(judge.last, count);
    if (judge.last_note != NULL)
        expect_header(judge.last_note, count);
    for (uint32_t slot = 0; slot < ELFP_SLOTS; slot++) {
        if ((judge.seen >> slot & 1u) != 0)
            expect_header(judge.place[slot], count);
    }
    return 0;
}
#endif

#if PART == 1
/*
 * Eva: the judgement of the headers besides PT_LOAD, over every table of HEADERS headers,
 * wherever the walk found the segments, or none, and the others, every policy and every fault.
 * Contents have a proof of their own (eva_contents.c): here none are read, but for the notes, which
 * are checked to be asked for with headers of the table.
 */
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
    plan.phdr_vaddr = elfp_find_table(&judge);
    elfp_judge_others(&judge);
    return 0;
}
#endif
