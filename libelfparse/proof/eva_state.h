/*
 * What the proofs of the loader's parts hand to each other: each part is proved over all states in
 * which its caller may call it, and is checked to leave what the next part relies on.
 */
#ifndef EVA_STATE_H
#define EVA_STATE_H

#include <string.h>

#include "judge.h"

#include "__fc_builtin.h"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            WRONG();                                                                               \
    } while (0)

static uint64_t any(void)
{
    return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

static uint32_t up_to(uint32_t most)
{
    return Frama_C_unsigned_int_interval(0, most);
}

/* Every limit, every set of traits and of contents. */
static void any_policy(struct elfparse_policy *policy)
{
    Frama_C_make_unknown((char *)policy, sizeof(*policy));
}

/* One of the page sizes. */
static uint64_t any_page(void)
{
    uint32_t which = up_to(2);

    //@ split which;
    return ELFPARSE_PAGE_SIZE << (2 * which);
}

/* Any class and byte order. */
static void any_form(struct elfparse_plan *plan)
{
    plan->elf_class = (uint8_t)Frama_C_interval(ELFPARSE_CLASS32, ELFPARSE_CLASS64);
    plan->data = (uint8_t)Frama_C_interval(ELFPARSE_DATALSB, ELFPARSE_DATAMSB);
    plan->machine = (uint16_t)up_to(UINT16_MAX);
    plan->flags = up_to(UINT32_MAX);
}

#endif
