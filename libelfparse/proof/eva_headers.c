/* Eva: the Ehdr and its conversion. */
#include "eva_state.h"

#if PART == 0
/*
 * Eva: the judgement of the Ehdr, whatever its bytes, and what elfparse_plan_make relies on
 * (eva_plan.c) where it goes on: the number of headers is in its limits and they do not overlap the
 * Ehdr. The latter for every Ehdr whose first 18 bytes are right, of any class and byte order:
 * others are looked at no further. Converting has a proof of its own (PART 1); here it
 * leaves an Ehdr of the same case.
 */
static uint8_t scratch[ELFPARSE_EHDR_SIZE];
static int which; /* case is at hand */
static uint32_t elf_class, data;

/* Always goes on, as a diagnosis may. */
int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
               const uint8_t *header, const struct elfp_detail *detail)
{
    return 0;
}

int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header)
{
    return 0;
}

static void right_ident(void)
{
    static const uint8_t ident[18] = {0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = ELFPARSE_ET_DYN};

    elf_class = 1 + up_to(1);
    data = 1 + up_to(1);
    //@ split elf_class;
    //@ split data;
    memcpy(scratch, ident, sizeof(ident));
    scratch[ELFP_EI_CLASS] = (uint8_t)elf_class;
    scratch[ELFP_EI_DATA] = (uint8_t)data;
}

static void put_phnum(uint32_t low, uint32_t high)
{
    scratch[ELFP_E_PHNUM] = (uint8_t)low;
    scratch[ELFP_E_PHNUM + 1] = (uint8_t)high;
}

static void put_case(uint32_t low)
{
    switch (which) {
    case 1:
        put_phnum(0, 0);
        break;
    case 2: /* some limit, and more than it */
        put_phnum(Frama_C_interval(255, 255), Frama_C_interval(0, 255));
        break;
    case 3:
        put_phnum(up_to(255), Frama_C_interval(1, 255));
        break;
    case 4:
        for (uint32_t i = 1; i < 8; i++)
            scratch[ELFP_E_PHOFF + i] = 0;
        scratch[ELFP_E_PHOFF] = (uint8_t)up_to(low - 1);
        break;
    default:
        break;
    }
}

int elfp_convert_ehdr(struct elfp_judge *judge)
{
    Frama_C_make_unknown((char *)scratch + ELFP_E_TYPE, sizeof(scratch) - ELFP_E_TYPE);
    put_case(elfp_ehdr_size(judge->plan));
    return Frama_C_interval(0, 1);
}

int main(void)
{
    struct elfparse_reader reader = {NULL, NULL, any()};
    struct elfparse_policy policy;
    struct elfparse_storage storage = {scratch, sizeof(scratch), NULL, 0};
    struct elfparse_plan plan = {.elf_class = ELFPARSE_CLASS64, .data = ELFPARSE_DATALSB};
    struct elfp_judge judge = {0};

    any_policy(&policy);
    judge.reader = &reader;
    judge.policy = &policy;
    judge.storage = &storage;
    judge.plan = &plan;
    Frama_C_make_unknown((char *)scratch, sizeof(scratch));
    which = Frama_C_interval(0, 4);
    //@ split which;
    if (which == 0) {
        elfp_judge_ehdr(&judge);
        elfp_ehdr_padding(scratch);
        return 0;
    }
    if (which == 2)
        policy.max_phnum = up_to(254);
    if (which == 3)
        policy.max_phnum = up_to(255);
    put_case(ELFPARSE_EHDR_SIZE);
    right_ident();
    EXPECT(elfp_judge_ehdr(&judge) != 0);
    return 0;
}
#endif

#if PART == 1
/*
 * Eva: the conversion of headers that are not both ELF64 and little-endian (convert.c): any Ehdr,
 * with each e_phnum up to HEADERS and all others, any part of the scratch filled; then the table,
 * read before or now. The scratch has ROOM bytes before the view, and ends where its memory does.
 */
#define HEADERS 2
#define ROOM    (ELFPARSE_EHDR_SIZE + HEADERS * ELFPARSE_PHDR_SIZE + 12)

static uint8_t scratch[ROOM + ELFP_VIEW];

static int read_unknown(void *ctx, uint64_t offset, void *buf, size_t len)
{
    EXPECT(len != 0);
    Frama_C_make_unknown((char *)buf, len);
    return Frama_C_interval(-1, 0);
}

int elfp_raise_stop(struct elfp_judge *judge, int code, uint64_t offset, uint64_t expected,
                    uint64_t found)
{
    return 1;
}

/* e_phnum: up to HEADERS, or one of two classes of others: by its low or its high byte. */
static void put_phnum(uint8_t *field, uint32_t big, uint32_t phnum)
{
    field[big ? 1 : 0] = (uint8_t)(phnum <= HEADERS ? phnum : Frama_C_interval(HEADERS + 1, 255));
    field[big ? 0 : 1] = 0;
    if (phnum == HEADERS + 2) {
        field[big ? 1 : 0] = (uint8_t)up_to(255);
        field[big ? 0 : 1] = (uint8_t)Frama_C_interval(1, 255);
    }
}

static void convert(struct elfp_judge judge, uint32_t phnum)
{
    uint32_t narrow = judge.plan->elf_class == ELFPARSE_CLASS32;
    uint32_t big = judge.plan->data == ELFPARSE_DATAMSB;
    size_t head = (size_t)Frama_C_interval(ELFPARSE_EHDR_SIZE, ROOM);

    Frama_C_make_unknown((char *)scratch, sizeof(scratch));
    put_phnum(scratch + (narrow ? 44 : ELFP_E_PHNUM), big, phnum);
    //@ split head;
    judge.head = judge.used = head;
    judge.table = scratch + ELFPARSE_EHDR_SIZE;
    if (elfp_convert_ehdr(&judge) != 0)
        return;
    EXPECT(judge.head == 0 && judge.used <= ROOM);
    if (judge.rest_end == 0)
        EXPECT(judge.used == ELFPARSE_EHDR_SIZE);
    else
        EXPECT(phnum <= HEADERS && judge.rest_end <= judge.used &&
               judge.rest == ELFPARSE_EHDR_SIZE + phnum * ELFPARSE_PHDR_SIZE &&
               judge.rest <= judge.used);
    EXPECT(!narrow || (judge.bounds.user_end <= ELFP_ADDRESS32_END &&
                       judge.bounds.usual_end <= ELFP_ADDRESS32_END));
    judge.plan->phnum = (uint16_t)elfp_le16(scratch + ELFP_E_PHNUM);
    judge.phoff = elfp_le64(scratch + ELFP_E_PHOFF);
    if (judge.plan->phnum == 0 || elfp_fetch_table(&judge) != 0)
        return;
    EXPECT(judge.plan->phnum <= HEADERS && judge.table == scratch + ELFPARSE_EHDR_SIZE);
    EXPECT(judge.used >= ELFPARSE_EHDR_SIZE + phnum * ELFPARSE_PHDR_SIZE);
    EXPECT(judge.rest_end <= judge.used && judge.used <= ROOM);
    EXPECT(judge.head == 0);
}

int main(void)
{
    static const uint8_t forms[][2] = {{ELFPARSE_CLASS32, ELFPARSE_DATALSB},
                                       {ELFPARSE_CLASS32, ELFPARSE_DATAMSB},
                                       {ELFPARSE_CLASS64, ELFPARSE_DATAMSB}};
    struct elfparse_reader reader = {read_unknown, NULL, any()};
    struct elfparse_policy policy;
    struct elfparse_storage storage = {scratch, sizeof(scratch), NULL, 0};
    struct elfparse_plan plan = {0};
    struct elfp_judge judge = {0};

    any_policy(&policy);
    judge.reader = &reader;
    judge.policy = &policy;
    judge.storage = &storage;
    judge.plan = &plan;
    judge.room = ROOM;
    judge.bounds.user_end = any();
    judge.bounds.usual_end = any();
    //@ loop unroll 3;
    for (uint32_t form = 0; form < 3; form++) {
        plan.elf_class = forms[form][0];
        plan.data = forms[form][1];
        //@ loop unroll HEADERS + 3;
        for (uint32_t phnum = 0; phnum <= HEADERS + 2; phnum++)
            convert(judge, phnum);
    }
    return 0;
}
#endif
