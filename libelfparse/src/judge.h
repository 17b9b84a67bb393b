/* The state of one judgement, from the first byte read to the finished plan. Internal. */
#ifndef ELFP_JUDGE_H
#define ELFP_JUDGE_H

#include <elfparse/plan.h>

#include "ehdr.h"
#include "load.h"
#include "other.h"

/* Bytes at the end of the scratch through which contents are looked at piece by piece. */
#define ELFP_VIEW 64u

/*
 * Headers are handed about as pointers into the copied table; only what an error or a range says of
 * them is an index.
 */
struct elfp_judge {
    const struct elfparse_reader *reader;
    const struct elfparse_policy *policy;
    const struct elfparse_storage *storage;
    struct elfparse_plan *plan;

    struct elfp_bounds bounds;    /* of the file and the policy */
    struct elfparse_range *limit; /* the end of the storage's ranges */
    const uint8_t *first;         /* of the PT_LOADs that were taken in; before: the table */
    const uint8_t *last;
    const uint8_t *table;         /* the copied program headers, plan->phnum of them */
    uint64_t phoff;               /* where they lie in the file */
    size_t head;                  /* bytes of scratch at the front that are the file's first */
    uint32_t entry_found;         /* 1: the entry lies in executable file bytes */
    uint32_t seen;                /* bits: the slots of which there is a header */

    size_t room;                  /* bytes of scratch without the view at its end */
    size_t used;                  /* bytes at the front that must stay */
    uint32_t spilled;             /* ranges that the storage had no room for */
    const uint8_t *last_note;     /* NULL: not more than one PT_NOTE */
    const uint8_t *place[ELFP_SLOTS]; /* the first header of each; unspecified if not seen */

    elfparse_diagnose_fn report;  /* NULL: stop at the first violation */
    void *report_ctx;
    struct elfparse_range spill;  /* nobody looks at it */
    struct elfparse_error error;  /* the first violation; only the code is set before */
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

    if (ELFP_RARE(answer < 0))
        return elfp_raise_stop(judge, ELFPARSE_EREAD, offset, 0, (uint64_t)(int64_t)answer);
    return 0;
}

/* fetch.c: what the first read, in plan.c, did not bring. */

/* Makes table point to the copied program headers at phoff; the Ehdr was judged. */
int elfp_fetch_table(struct elfp_judge *judge);

/*
 * Copies size bytes at offset, inside the file, to stay in the scratch; *bytes points to them.
 * Called once the table was walked: it may move, and nothing points into it afterwards but table.
 */
int elfp_fetch_keep(struct elfp_judge *judge, uint64_t offset, size_t size, const uint8_t **bytes);

/* As elfp_fetch_keep, but until the next call only, and at most ELFP_VIEW bytes. */
int elfp_fetch_view(struct elfp_judge *judge, uint64_t offset, size_t size, const uint8_t **bytes);

/* The bytes came with the first read, and stay. */
static inline int elfp_in_head(const struct elfp_judge *judge, uint64_t offset, uint64_t size)
{
    return size <= judge->head && offset <= judge->head - size;
}

static inline const uint8_t *elfp_scratch(const struct elfp_judge *judge)
{
    return judge->storage->scratch;
}

/* Points *bytes to them, by elfp_fetch_view where need be. */
static inline int elfp_view(struct elfp_judge *judge, uint64_t offset, size_t size,
                            const uint8_t **bytes)
{
    if (elfp_in_head(judge, offset, size)) {
        *bytes = elfp_scratch(judge) + offset;
        return 0;
    }
    return elfp_fetch_view(judge, offset, size, bytes);
}

/* raise.c: from faults to errors. */

/* Whose faults they are: enum elfp_ehdr_fault, elfp_load_fault, elfp_other_fault, the traits. */
enum elfp_family {
    ELFP_OF_EHDR,
    ELFP_OF_LOAD,
    ELFP_OF_OTHER,
    ELFP_OF_TRAITS
};

/*
 * Reports each fault, of which there may be none, of the program header (NULL: the Ehdr), in the
 * order of their bits. Not 0 to stop: always unless the caller asked for every violation. detail:
 * for the faults that need one.
 */
int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
               const uint8_t *header, const struct elfp_detail *detail);

/* Notes the traits in the plan and raises those that the policy refuses. */
int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header);

/* ehdr.c: E1 to E9 of the Ehdr at the front of the scratch, and the table's place. */
int elfp_judge_ehdr(struct elfp_judge *judge);

/* walk.c: the one walk over all program headers: L2 to L13, and where the others are. */
int elfp_judge_headers(struct elfp_judge *judge);

/* sum.c: a PT_LOAD that is not an ordinary one. Answers ELFP_TAKE where it can be loaded. */
enum elfp_verdict {
    ELFP_TAKE,
    ELFP_LEAVE,
    ELFP_STOP
};
enum elfp_verdict elfp_judge_load(struct elfp_judge *judge, const uint8_t *header);

/* sum.c: L1, L9, L11, O1: what the segments say together, where it is unusual. */
int elfp_judge_sum(struct elfp_judge *judge);

/* other.c: O2 to O8. */
int elfp_judge_others(struct elfp_judge *judge);

/* other.c: the address at which a PT_LOAD has the whole program header table; 0: none has. */
uint64_t elfp_table_vaddr(const struct elfp_judge *judge);

/* contents.c: what the headers point to. */

/* O2: the path of PT_INTERP. */
int elfp_contents_interp(struct elfp_judge *judge, const uint8_t *header);

/* O4: the end of PT_DYNAMIC. */
int elfp_contents_dynamic(struct elfp_judge *judge, const uint8_t *header);

/* note.c: O8 for one header; its features count only with take_features. */
int elfp_contents_notes(struct elfp_judge *judge, const uint8_t *header, int take_features);

#endif
