/*
 * Eva: what the headers point to, from the file's first bytes in the scratch or through the fetch
 * layer from a reader whose every answer is fresh: the path of PT_INTERP, the end of PT_DYNAMIC,
 * the notes and their properties; whatever the header says, for every file size and policy, and any
 * part of the scratch in use. The scratch has ROOM bytes before the view, and ends where its memory
 * does.
 */
#include "eva_state.h"
#include "other.c"

#define ROOM (ELFPARSE_EHDR_SIZE + ELFPARSE_PHDR_SIZE + 12)

/* Which of several proofs this is: notes of so many bytes, up to one with a property; the place of
 * PT_INTERP's header behind the Ehdr. */
#ifndef SIZE
#define SIZE 24
#endif
#ifndef PLACE
#define PLACE 0
#endif

/* The e_machine of the file that has its notes among the first bytes. */
#ifdef OTHERS /* with and without features of their own */
#define MACHINE (uint16_t)Frama_C_interval(ELFPARSE_EM_X86_64 + 1, UINT16_MAX)
#else
#define MACHINE ELFPARSE_EM_X86_64
#endif

/* Faults of which elfp_raise has to be told more. */
#define NEED_DETAIL                                                                                \
    (ELFP_OTHER_INTERP_NUL | ELFP_OTHER_DYN_END | ELFP_OTHER_NOTE | ELFP_OTHER_PROPERTY)

static uint8_t scratch[ROOM + ELFP_VIEW];
static const uint8_t no_segment[ELFPARSE_PHDR_SIZE];

static int read_unknown(void *ctx, uint64_t offset, void *buf, size_t len)
{
    EXPECT(len != 0);
    Frama_C_make_unknown((char *)buf, len);
    return Frama_C_interval(-1, 0);
}

static int stop_or_go_on(struct elfp_judge *judge)
{
    judge->error.code = ELFPARSE_EREAD;
    return Frama_C_interval(0, 1);
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
    EXPECT(family == ELFP_OF_OTHER && (detail != NULL || (faults & NEED_DETAIL) == 0));
    EXPECT(header >= judge->table && header + ELFPARSE_PHDR_SIZE <= scratch + ROOM);
    return stop_or_go_on(judge);
}

int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header)
{
    EXPECT(header >= judge->table && header + ELFPARSE_PHDR_SIZE <= scratch + ROOM);
    return stop_or_go_on(judge);
}

int elfp_convert_table(struct elfp_judge *judge)
{
    EXPECT(0); /* nothing here reads a table */
    return 1;
}

static void put(uint8_t *field, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++)
        field[i] = (uint8_t)(value >> (8 * i));
}

/* p_filesz: most + 9 cases: each size up to most, and those above it by which byte shows that. */
static void put_filesz(uint8_t *header, uint32_t most, uint32_t size)
{
    if (size <= most)
        put(header + ELFP_P_FILESZ, size);
    else if (size == most + 1)
        put(header + ELFP_P_FILESZ, Frama_C_interval((int)most + 1, 255));
    else
        header[ELFP_P_FILESZ + size - most - 1] = (uint8_t)Frama_C_interval(1, 255);
}

/* The table, of this header alone, is there; it is the first segment, or there was none. */
static void interp(struct elfp_judge judge, uint8_t *header, uint32_t size, int none)
{
    Frama_C_make_unknown((char *)scratch, sizeof(scratch));
    put_filesz(header, ROOM, size);
    judge.table = judge.place[ELFP_INTERP] = header;
    judge.first = judge.last = none ? no_segment : header;
    judge.plan->load_count = none ? 0 : Frama_C_unsigned_int_interval(1, UINT32_MAX);
    judge_interp(&judge, header);
    EXPECT(judge.first == (none ? no_segment : judge.table) && judge.last == judge.first);
}

/* The header is at one of three places; each has a proof of its own, and they run side by side. */
static void interps(const struct elfp_judge *judge)
{
    //@ loop unroll ROOM + 10;
    for (uint32_t size = ROOM + 9; size-- > 0;)
        interp(*judge, scratch + ELFPARSE_EHDR_SIZE + PLACE, size, PLACE == 4);
}

/* The header is the PT_GNU_PROPERTY or a PT_NOTE. */
static void notes(struct elfp_judge judge, const uint8_t *header)
{
    elfp_judge_notes(&judge, up_to(1) == 1 ? header : NULL, header);
}

/* Notes of SIZE bytes, anywhere in the file's first bytes or outside; each size is a proof. */
static void near_notes(const struct elfp_judge *judge, uint8_t *header)
{
    put(header + ELFP_P_FILESZ, SIZE);
    notes(*judge, header);
}

int main(void)
{
    struct elfparse_reader reader = {read_unknown, NULL, any()};
    struct elfparse_policy policy;
    struct elfparse_storage storage = {scratch, sizeof(scratch), NULL, 0};
    struct elfparse_plan plan = {0};
    struct elfp_judge judge = {0};

    any_policy(&policy);
    Frama_C_make_unknown((char *)scratch, sizeof(scratch));
    judge.reader = &reader;
    judge.policy = &policy;
    judge.storage = &storage;
    judge.plan = &plan;
    judge.table = scratch + ELFPARSE_EHDR_SIZE;
    judge.first = judge.last = judge.table;
    judge.seen = PART < 2 ? 1u << ELFP_INTERP : up_to((1u << ELFP_SLOTS) - 1);
    judge.place[ELFP_PROPERTY] = judge.table;
    judge.room = ROOM;
    judge.head = (size_t)Frama_C_interval(ELFPARSE_EHDR_SIZE, ROOM);
    judge.used = (size_t)Frama_C_interval(ELFPARSE_EHDR_SIZE, ROOM);
    Frama_C_make_unknown((char *)&plan.build_id, sizeof(plan.build_id));
    plan.features = up_to(UINT32_MAX);
    /* Nobody looks at these here: so no two states differ in them. */
    plan.traits = ELFPARSE_TRAIT_NOTES;
    judge.bounds.page = ELFPARSE_PAGE_SIZE;
    plan.elf_class = ELFPARSE_CLASS64;
    plan.data = ELFPARSE_DATALSB;
    plan.machine = MACHINE;
    judge.error.code = ELFPARSE_EREAD;
    plan.phnum = 1;
    switch (PART) {
    case 0:
        interps(&judge);
        return 0;
    case 1:
        any_form(&plan);
        judge_dynamic(&judge, judge.table);
        return 0;
    case 2:
        judge.head = 0;
        judge.rest = (size_t)Frama_C_interval(ELFPARSE_EHDR_SIZE, ROOM);
        judge.rest_end = up_to(1) == 0 ? 0 : judge.used;
        any_form(&plan);
        notes(judge, judge.table);
        return 0;
    default:
        near_notes(&judge, scratch + ELFPARSE_EHDR_SIZE);
        return 0;
    }
}
