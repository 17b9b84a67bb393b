/* The state of one judgement, from the first byte read to the finished plan. Internal. */
#ifndef ELFP_JUDGE_H
#define ELFP_JUDGE_H

#include <elfparse/plan.h>

#include "headers.h"

/* Machines whose files are ELF32, or big-endian. */
#define ELFP_MACHINES_NARROW                                                                       \
    (ELFPARSE_MACHINE_RISCV32 | ELFPARSE_MACHINE_I386 | ELFPARSE_MACHINE_ARM |                     \
     ELFPARSE_MACHINE_ARM_BE | ELFPARSE_MACHINE_MIPS | ELFPARSE_MACHINE_MIPSLE)
#define ELFP_MACHINES_BIG                                                                          \
    (ELFPARSE_MACHINE_AARCH64_BE | ELFPARSE_MACHINE_ARM_BE | ELFPARSE_MACHINE_PPC64 |              \
     ELFPARSE_MACHINE_S390X | ELFPARSE_MACHINE_MIPS | ELFPARSE_MACHINE_MIPS64)

/* Such files may come, and are converted. */
#define ELFP_CONVERTS ((ELFPARSE_MACHINES & (ELFP_MACHINES_NARROW | ELFP_MACHINES_BIG)) != 0)

/* 0 at compile time where no machine is left that has such files. */
static inline int elfp_is_narrow(const struct elfparse_plan *plan)
{
    return (ELFPARSE_MACHINES & ELFP_MACHINES_NARROW) != 0 && plan->elf_class == ELFPARSE_CLASS32;
}

static inline int elfp_is_big(const struct elfparse_plan *plan)
{
    return (ELFPARSE_MACHINES & ELFP_MACHINES_BIG) != 0 && plan->data == ELFPARSE_DATAMSB;
}

static inline int elfp_is_converted(const struct elfparse_plan *plan)
{
    return elfp_is_narrow(plan) || elfp_is_big(plan);
}

static inline int elfp_is_x86_64(const struct elfparse_plan *plan)
{
    return ELFPARSE_MACHINES == ELFPARSE_MACHINE_X86_64 || plan->machine == ELFPARSE_EM_X86_64;
}

/* Bytes of the file's Ehdr and of one program header there. */
static inline uint32_t elfp_ehdr_size(const struct elfparse_plan *plan)
{
    return elfp_is_narrow(plan) ? ELFPARSE_EHDR32_SIZE : ELFPARSE_EHDR_SIZE;
}

static inline uint32_t elfp_phdr_size(const struct elfparse_plan *plan)
{
    return elfp_is_narrow(plan) ? ELFPARSE_PHDR32_SIZE : ELFPARSE_PHDR_SIZE;
}

/* Bytes at the end of the scratch through which contents are looked at piece by piece. */
#define ELFP_VIEW 64u

/* What can be wrong with the other program headers (O2 to O8), in the order of reports. */
enum elfp_other_fault {
    ELFP_OTHER_BOUNDS = 1u << 0,       /* O2 to O8 */
    ELFP_OTHER_INTERP_LOW = 1u << 1,   /* O2 */
    ELFP_OTHER_INTERP_HIGH = 1u << 2,  /* O2 */
    ELFP_OTHER_INTERP_NUL = 1u << 3,   /* O2, in the path itself */
    ELFP_OTHER_PHDR = 1u << 4,         /* O3 */
    ELFP_OTHER_OUTSIDE = 1u << 5,      /* O4, O5 */
    ELFP_OTHER_DYN_END = 1u << 6,      /* O4, in the table itself */
    ELFP_OTHER_TLS_FILESZ = 1u << 7,   /* O5 */
    ELFP_OTHER_TLS_SIZE = 1u << 8,     /* O5 */
    ELFP_OTHER_TLS_ALIGN = 1u << 9,    /* O5 */
    ELFP_OTHER_TLS_LIMIT = 1u << 10,   /* O5 */
    ELFP_OTHER_TLS_RANGE = 1u << 11,   /* O5 */
    ELFP_OTHER_RELRO_START = 1u << 12, /* O7 */
    ELFP_OTHER_RELRO_END = 1u << 13,   /* O7 */
    ELFP_OTHER_NOTE_LIMIT = 1u << 14,  /* O8 */
    ELFP_OTHER_NOTE = 1u << 15,        /* O8, in a note itself */
    ELFP_OTHER_PROPERTY = 1u << 16     /* O8, in a property itself */
};

/* Who wants to know of every violation. */
struct elfp_listener {
    elfparse_diagnose_fn report;
    void *ctx;
};

/*
 * Headers are handed about as pointers into the copied table; only what an error or a range says of
 * them is an index.
 */
struct elfp_judge {
    const struct elfparse_reader *reader;
    const struct elfparse_policy *policy;
    const struct elfparse_storage *storage;
    struct elfparse_plan *plan;

    uint32_t spilled;     /* ranges that the storage had no room for */
    uint32_t seen;        /* bits: the slots of which there is a header */
    uint32_t entry_found; /* 1: the entry lies in executable file bytes */
    const uint8_t *first; /* of the PT_LOADs that were taken in; if none: nothing */
    const uint8_t *last;
    const uint8_t *table;          /* the copied program headers, plan->phnum of them */
    struct elfparse_range *ranges; /* those of the storage; spill if it has none */
    struct elfparse_range *limit;  /* their end */
    size_t head;                   /* bytes of scratch at the front that are the file's first */
    uint64_t phoff;                /* where the program headers lie in the file */

    /* From here on what the straight path seldom asks for: far fields make longer instructions. */
    size_t room;                      /* bytes of scratch without the view at its end */
    size_t used;                      /* bytes at the front that must stay */
    size_t rest;                      /* of a converted file: where the converted table ends, and */
    size_t rest_end;                  /* up to where its bytes follow as they were read first */
    const uint8_t *last_note;         /* NULL: not more than one PT_NOTE */
    struct elfp_bounds bounds;        /* of the file and the policy */
    const uint8_t *place[ELFP_SLOTS]; /* the first header of each; unspecified if not seen */

    const struct elfp_listener *listener; /* NULL: stop at the first violation */
    struct elfp_phdr unusual;             /* what is to be mapped of an unusual segment */
    struct elfparse_range spill;          /* nobody looks at it */
    struct elfparse_error error;          /* the first violation; only the code is set before */
};

/* What the header itself does not say; offset 0 stands for the field that is to blame. */
struct elfp_detail {
    uint64_t offset;
    uint64_t expected;
    uint64_t found;
};

/*
 * All functions that take a judge return 0 to go on and not 0 to stop; then judge->error holds the
 * first reason.
 */

/* Always stops. */
int elfp_raise_stop(struct elfp_judge *judge, int code, uint64_t offset, uint64_t expected,
                    uint64_t found);

/* The only place that calls the reader: size bytes, inside the file. */
static inline int elfp_fetch(struct elfp_judge *judge, uint64_t offset, void *to, size_t size)
{
    int answer = judge->reader->read(judge->reader->ctx, offset, to, size);

    if (ELFP_RARE(answer < 0)) {
        elfp_raise_stop(judge, ELFPARSE_EREAD, offset, 0, (uint64_t)(int64_t)answer);
        return 1;
    }
    return 0;
}

/*
 * walk.c: puts the segments and their ranges into the plan, and remembers the other headers. The
 * table has size bytes.
 */
int elfp_judge_headers(struct elfp_judge *judge, size_t size);

/* other.c: judges what the walk remembered, once all segments are known. */
int elfp_judge_others(struct elfp_judge *judge);

/*
 * other.c: the address at which a PT_LOAD shows the whole program header table, the rest of its last
 * page included; 0: none does.
 */
uint64_t elfp_find_table(const struct elfp_judge *judge);

/* fetch.c: what the first read, in plan.c, did not bring. */

/* Reads size bytes at offset into the scratch to stay there, or returns NULL to stop. */
uint8_t *elfp_fetch_append(struct elfp_judge *judge, uint64_t offset, size_t size);

/* Makes table point to the copied program headers at phoff; the Ehdr was judged. */
int elfp_fetch_table(struct elfp_judge *judge);

/*
 * Reads size bytes at offset into the scratch, where they stay, and returns a pointer to them, or
 * NULL to stop. The bytes lie inside the file, and not all of them among the bytes that the first
 * read brought. Call it after the walk over the program headers: the copied table may move, and
 * only the pointers of *judge are adjusted.
 */
const uint8_t *elfp_fetch_keep(struct elfp_judge *judge, uint64_t offset, size_t size);

/* Of a header in the table. */
static inline uint32_t elfp_index(const struct elfp_judge *judge, const uint8_t *header)
{
    return (uint32_t)(header - judge->table) / ELFPARSE_PHDR_SIZE;
}

/* The bytes came with the first read, and stay. */
static inline int elfp_in_head(const struct elfp_judge *judge, uint64_t offset, uint64_t size)
{
    return size <= judge->head && offset <= judge->head - size;
}

/* Of a converted file the bytes, not 0, came with the first read, and stay. */
static inline int elfp_in_rest(const struct elfp_judge *judge, uint64_t offset, uint64_t size)
{
    return elfp_is_converted(judge->plan) && size <= judge->rest_end && offset >= judge->rest &&
           offset <= judge->rest_end - size;
}

static inline const uint8_t *elfp_scratch(const struct elfp_judge *judge)
{
    return judge->storage->scratch;
}

/* As elfp_fetch_keep, but until the next call only, and at most ELFP_VIEW bytes. */
static inline const uint8_t *elfp_view_inlined(struct elfp_judge *judge, uint64_t offset,
                                               size_t size)
{
    uint8_t *to = (uint8_t *)judge->storage->scratch + judge->room;

    if (elfp_in_head(judge, offset, size))
        return elfp_scratch(judge) + offset;
    return elfp_fetch(judge, offset, to, size) == 0 ? to : NULL;
}

/* fetch.c: the same, not inlined. */
const uint8_t *elfp_fetch_view(struct elfp_judge *judge, uint64_t offset, size_t size);

/* The same, as small as may be where no other machine is left than x86-64. */
static inline const uint8_t *elfp_view(struct elfp_judge *judge, uint64_t offset, size_t size)
{
    if (!ELFP_CONVERTS)
        return elfp_fetch_view(judge, offset, size);
    return elfp_view_inlined(judge, offset, size);
}

/* raise.c: from faults to errors. */

/* Whose faults they are: enum elfp_ehdr_fault, elfp_load_fault, elfp_other_fault, the traits. */
enum elfp_family { ELFP_OF_EHDR, ELFP_OF_LOAD, ELFP_OF_OTHER, ELFP_OF_TRAITS };

/*
 * Reports each fault, of which there may be none, of the program header (NULL: the Ehdr), in the
 * order of their bits. Not 0 to stop: always unless the caller asked for every violation. detail:
 * for the faults that need one.
 */
int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
               const uint8_t *header, const struct elfp_detail *detail);

/* Notes the traits in the plan and raises those that the policy refuses. */
int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header);

/*
 * ehdr.c: E1 to E9 of the Ehdr at the front of the scratch. The plan's class and byte order become
 * those of the file.
 */
int elfp_judge_ehdr(struct elfp_judge *judge);

/*
 * convert.c: files that are not both ELF64 and little-endian. Once a header was converted, it is in
 * the scratch as an ELF64, little-endian file has it, the Ehdr at the front and the table after it;
 * fields that no rule reads hold anything. What was read after the table is the rest, and stays.
 */

/*
 * Converts the Ehdr, and the table if the first read brought it: then used is the end of the table
 * and the rest, else that of the Ehdr, and there is no rest.
 */
int elfp_convert_ehdr(struct elfp_judge *judge);

/* Reads the table, which is not there, behind the Ehdr and converts it. */
int elfp_convert_table(struct elfp_judge *judge);

/*
 * load.c: a PT_LOAD that is not an ordinary one, which is decoded into judge->unusual. Answers
 * ELFP_TAKE where it can be loaded.
 */
enum elfp_verdict { ELFP_TAKE, ELFP_LEAVE, ELFP_STOP };
enum elfp_verdict elfp_judge_load(struct elfp_judge *judge, const uint8_t *header);

/* load.c: L1, L9, L11, O1: what the segments say together, where it is unusual. */
int elfp_judge_sum(struct elfp_judge *judge);

/* The bytes that a header names lie outside the file; an empty part may lie anywhere. */
static inline uint32_t elfp_bounds_inlined(const struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t size = judge->reader->size;
    uint64_t filesz = elfp_le64(header + ELFP_P_FILESZ);

    if (ELFP_RARE(filesz > size) ||
        (ELFP_RARE(elfp_le64(header + ELFP_P_OFFSET) > size - filesz) && filesz != 0))
        return ELFP_OTHER_BOUNDS;
    return 0;
}

/* fetch.c: the same, not inlined. */
uint32_t elfp_fetch_bounds(const struct elfp_judge *judge, const uint8_t *header);

/* The same, chosen as in elfp_view. */
static inline uint32_t elfp_check_bounds(const struct elfp_judge *judge, const uint8_t *header)
{
    return ELFP_CONVERTS ? elfp_bounds_inlined(judge, header) : elfp_fetch_bounds(judge, header);
}

/*
 * note.c: checks rule O8. property is the PT_GNU_PROPERTY header, or NULL. The PT_NOTE headers are
 * looked for from note on, or from property on if note is NULL. A PT_NOTE that covers the same
 * bytes as property is checked only once. Properties in a PT_NOTE set the plan's features only if
 * there is no PT_GNU_PROPERTY.
 */
int elfp_judge_notes(struct elfp_judge *judge, const uint8_t *property, const uint8_t *note);

#endif
