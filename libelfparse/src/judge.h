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
    elfparse_diagnose_fn report; /* NULL: stop at the first violation */
    void *report_ctx;

    size_t room; /* bytes of scratch without the view at its end */
    size_t head; /* bytes at the front that are the file's first ones */
    size_t used; /* bytes at the front that must stay */

    const uint8_t *table;     /* the copied program headers, plan->phnum of them */
    uint64_t phoff;           /* where they lie in the file */
    const uint8_t *first;     /* of the PT_LOADs that were taken in; elfp_no_load before */
    const uint8_t *last;
    uint64_t usual_align;     /* p_align that needs no closer look */
    uint32_t entry_found;     /* 1: the entry lies in executable file bytes */
    uint32_t seen;            /* bits: the slots of which there is a header */
    const uint8_t *place[ELFP_SLOTS]; /* the first header of each; unspecified if not seen */
    const uint8_t *last_note; /* NULL: not more than one PT_NOTE */
    struct elfparse_range spill; /* what the storage has no room for */

    struct elfparse_error error; /* the first violation; only the code is set before */
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

/* fetch.c: the only place that calls the reader. */

/* Reads the start of the file: at least the Ehdr (E1), with luck all headers. */
int elfp_fetch_head(struct elfp_judge *judge);

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

/* Always stops. */
int elfp_raise_stop(struct elfp_judge *judge, int code, uint64_t offset, uint64_t expected,
                    uint64_t found);

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

/* sum.c: L1, O1, and what the segments say together. */
int elfp_judge_sum(struct elfp_judge *judge);

/* other.c: O2 to O8. */
int elfp_judge_others(struct elfp_judge *judge);

/* The address at which a PT_LOAD has the whole program header table; 0: none has. */
uint64_t elfp_table_vaddr(const struct elfp_judge *judge);

/* contents.c: what the headers point to. */

/* O2: the path of PT_INTERP. */
int elfp_contents_interp(struct elfp_judge *judge, const uint8_t *header);

/* O4: the end of PT_DYNAMIC. */
int elfp_contents_dynamic(struct elfp_judge *judge, const uint8_t *header);

/* note.c: O8 for one header; its features count only with take_features. */
int elfp_contents_notes(struct elfp_judge *judge, const uint8_t *header, int take_features);

#endif
