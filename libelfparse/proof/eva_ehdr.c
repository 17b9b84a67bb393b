/*
 * Eva: the judgement of the Ehdr, whatever its bytes, and what elfparse_plan_make relies on
 * (eva_plan.c) where it goes on: the number of headers is in its limits and they do not overlap the
 * Ehdr. The latter for every Ehdr whose first 18 bytes are right, of any class and byte order:
 * others are looked at no further. Converting has a proof of its own (eva_convert.c); here it
 * leaves an Ehdr of the same case.
 */
#include "eva_state.h"

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
