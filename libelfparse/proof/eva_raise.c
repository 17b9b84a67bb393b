/* Eva: from faults to errors, from errors to sentences. */
#include <elfparse/elfparse.h>
#include <string.h>

#include "judge.h"
#include "__fc_builtin.h"

#if PART == 0
/*
 * Eva: the making of errors has no undefined behaviour, whatever the fault, its header and what the
 * judgement knows. The Ehdr's faults are raised with a file's first bytes alone.
 */
#define PHDRS 2

static uint8_t scratch[64 + PHDRS * 56];
static struct elfparse_reader reader;
static struct elfparse_policy policy;
static struct elfparse_storage storage = {scratch, sizeof(scratch), 0, 0};
static struct elfparse_plan plan;

static uint64_t any(void)
{
    return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

static int report(void *ctx, const struct elfparse_error *error)
{
    return Frama_C_interval(0, 1);
}

static const struct elfp_listener listener = {report, 0};

/* Converting has a proof of its own; nothing here reaches it. */
int elfp_convert_ehdr(struct elfp_judge *judge)
{
    return Frama_C_interval(0, 1);
}

/* One bit after another, so that each reason is looked at alone. */
static void raise_all(struct elfp_judge *judge, enum elfp_family family, const uint8_t *header)
{
    struct elfp_detail detail = {any(), any(), any()};

    for (uint32_t bit = 0; bit < 32; bit++)
        elfp_raise(judge, family, 1u << bit, header, &detail);
}

int main(void)
{
    struct elfp_judge judge = {0};

    Frama_C_make_unknown((char *)scratch, sizeof(scratch));
    Frama_C_make_unknown((char *)&policy, sizeof(policy));
    plan.start = any();
    plan.end = any();
    plan.memory = any();
    plan.load_count = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    plan.phnum = PHDRS;
    reader.size = any();
    judge.reader = &reader;
    judge.policy = &policy;
    judge.storage = &storage;
    judge.plan = &plan;
    judge.listener = &listener;
    judge.table = scratch + 64;
    judge.phoff = any();
    judge.bounds.page = ELFPARSE_PAGE_SIZE;
    judge.bounds.user_end = any();
    plan.elf_class = (uint8_t)Frama_C_interval(ELFPARSE_CLASS32, ELFPARSE_CLASS64);
    judge.first = judge.table;
    judge.last = judge.table + 56;
    for (uint32_t slot = 0; slot < ELFP_SLOTS; slot++)
        judge.place[slot] = judge.table;
    raise_all(&judge, ELFP_OF_EHDR, NULL);
    scratch[64] = ELFPARSE_PT_TLS; /* a fault of twins is one of headers that have a slot */
    scratch[65] = scratch[66] = scratch[67] = 0;
    raise_all(&judge, ELFP_OF_LOAD, judge.table);
    raise_all(&judge, ELFP_OF_OTHER, judge.table + 56);
    raise_all(&judge, ELFP_OF_TRAITS, NULL);
    raise_all(&judge, ELFP_OF_TRAITS, judge.table);
    policy.refuse = UINT32_MAX;
    for (uint32_t bit = 0; bit < 32; bit++)
        elfp_raise_traits(&judge, 1u << bit, NULL);
    elfp_raise_stop(&judge, Frama_C_interval(-100, -1), any(), any(), any());
    return 0;
}
#endif

#if PART == 1
/*
 * Eva: the formatter and the names of rules, for every error, any code and any rule among them, and
 * buffers of up to ROOM bytes; and the reader over memory.
 */
#define ROOM 3

static char buf[ROOM];

int main(void)
{
    struct elfparse_error error;
    struct elfparse_reader reader;
    uint8_t data[ROOM], copy[ROOM];
    size_t size = (size_t)Frama_C_interval(0, ROOM), at, length;
    uint32_t rule = Frama_C_unsigned_int_interval(0, UINT32_MAX);

    //@ split size;
    Frama_C_make_unknown((char *)&error, sizeof(error));
    length = elfparse_error_format(&error, buf + ROOM - size, size);
    if (size == 0 ? length != 0 : length >= size)
        (void)*(volatile char *)0;
    if (*elfparse_rule_name(rule) == '\0' || *elfparse_rule_text(rule) < 0)
        (void)*(volatile char *)0;
    Frama_C_make_unknown((char *)data, sizeof(data));
    reader = elfparse_reader_memory(data, sizeof(data));
    at = (size_t)Frama_C_interval(0, ROOM - 1);
    //@ split at;
    reader.read(reader.ctx, at, copy, ROOM - at);
    return 0;
}
#endif
