/*
 * Eva: the pure rules have no undefined behaviour, whatever the headers, the limits and the
 * storage. The table of program headers has a fixed number of unknown ones, each judged after the
 * others.
 */
#include <elfparse/elfparse.h>

#include "ehdr.h"
#include "load.h"
#include "note.h"
#include "other.h"

#include "__fc_builtin.h"

#define PHDRS  4
#define RANGES 5

static uint8_t ehdr[64];
static uint8_t phdrs[PHDRS * 56];
static struct elfparse_range ranges[RANGES];

static uint64_t any(void)
{
    return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

static void scan(void)
{
    struct elfp_bounds bounds = {any(), any(), any(), any()};
    struct elfp_loads loads = {0};
    struct elfp_finding finding;
    uint32_t i = 0;

    loads.last = phdrs;
    loads.ranges = ranges;
    loads.range_capacity = Frama_C_unsigned_int_interval(0, RANGES);
    loads.want_others = Frama_C_unsigned_int_interval(0, 1);
    for (uint32_t k = 0; k < ELFP_SINGLES; k++)
        loads.single[k] = ELFPARSE_NO_INDEX;
    while (i < PHDRS) {
        i = elfp_load_scan(&bounds, &loads, phdrs, PHDRS, i, &finding);
        //@ assert stays_in: i <= PHDRS;
        i++;
    }
}

static void others(void)
{
    struct elfp_table table = {phdrs, any(), any(), PHDRS, 0, PHDRS - 1};
    struct elfparse_policy policy = elfparse_policy_kernel;
    uint64_t limit;

    policy.user_end = any();
    policy.max_tls_size = any();
    for (uint32_t i = 0; i < PHDRS; i++) {
        const uint8_t *header = elfp_table_entry(&table, i);

        elfp_interp_check(&table, &policy, header, i);
        elfp_phdr_check(&table, header);
        elfp_dynamic_check(&table, header);
        elfp_tls_check(&table, &policy, header);
        elfp_relro_check(&table, header, &limit);
        elfp_note_check(&table, &policy, header);
    }
    elfp_table_vaddr(&table);
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
    plan.range_count = Frama_C_unsigned_int_interval(0, RANGES);
    policy.user_min = any();
    policy.user_end = any();
    elfparse_plan_apply_bias(&plan, &storage, &policy, any(), &error);
}

int main(void)
{
    struct elfp_note note;

    Frama_C_make_unknown((char *)ehdr, sizeof(ehdr));
    Frama_C_make_unknown((char *)phdrs, sizeof(phdrs));
    elfp_ehdr_check(ehdr, any(), Frama_C_unsigned_int_interval(0, UINT32_MAX));
    elfp_ehdr_padding(ehdr);
    elfp_note_measure(ehdr, elfp_note_align(any()), &note);
    scan();
    others();
    bias();
    return 0;
}
