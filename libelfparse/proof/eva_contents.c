/*
 * Eva: what the headers point to, read through the fetch layer from a reader whose every answer
 * is fresh: the path of PT_INTERP, the end of PT_DYNAMIC, the notes and their properties;
 * whatever the header says, for every file size and amount of scratch in use, and four places of
 * the header. The scratch has ROOM bytes before the view, and ends where its memory does.
 */
#include "eva_state.h"

#define ROOM (ELFPARSE_EHDR_SIZE + ELFPARSE_PHDR_SIZE + 12)

static uint8_t scratch[ROOM + ELFP_VIEW];

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
    EXPECT(family == ELFP_OF_OTHER && detail != NULL);
    EXPECT(header >= judge->table && header + ELFPARSE_PHDR_SIZE <= scratch + ROOM);
    return stop_or_go_on(judge);
}

int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header)
{
    EXPECT(header >= judge->table && header + ELFPARSE_PHDR_SIZE <= scratch + ROOM);
    return stop_or_go_on(judge);
}

static void put(uint8_t *field, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++)
        field[i] = (uint8_t)(value >> (8 * i));
}

/* p_filesz: each size that may have room, or one of those that have none. */
static void put_filesz(uint8_t *header)
{
    uint32_t size = 1 + up_to(ROOM + 1);

    //@ split size;
    if (size <= ROOM) {
        put(header + ELFP_P_FILESZ, size);
    } else if (size == ROOM + 1) {
        put(header + ELFP_P_FILESZ, Frama_C_interval(ROOM + 1, 255));
    } else {
        uint32_t byte = 1 + up_to(6);

        //@ split byte;
        header[ELFP_P_FILESZ + byte] = (uint8_t)Frama_C_interval(1, 255);
    }
}

static void interp(struct elfp_judge *judge)
{
    uint32_t at = ELFPARSE_EHDR_SIZE + 4 * up_to(3);
    uint8_t *header;

    //@ split at;
    header = scratch + at;
    judge->table = judge->first = judge->last = judge->place[ELFP_INTERP] = header;
    put_filesz(header);
    elfp_contents_interp(judge, header);
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
    judge.seen = 1u << ELFP_INTERP;
    judge.room = ROOM;
    judge.head = (size_t)Frama_C_interval(ELFPARSE_EHDR_SIZE, ROOM);
    judge.used = (size_t)Frama_C_interval(ELFPARSE_EHDR_SIZE, ROOM);
    plan.phnum = 1;
    switch (PART) {
    case 0:
        interp(&judge);
        return 0;
    case 1:
        elfp_contents_dynamic(&judge, judge.table);
        return 0;
    default:
        elfp_contents_notes(&judge, judge.table, Frama_C_interval(0, 1));
        return 0;
    }
}
