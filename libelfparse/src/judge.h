/* The state of one judgement, from the first byte read to the finished plan. Internal. */
#ifndef ELFP_JUDGE_H
#define ELFP_JUDGE_H

#include <elfparse/plan.h>

#include "ehdr.h"
#include "load.h"
#include "other.h"

/* Bytes at the end of the scratch through which contents are looked at piece by piece. */
#define ELFP_VIEW 64u

struct elfp_judge {
    const struct elfparse_reader *reader;
    const struct elfparse_policy *policy;
    struct elfparse_plan *plan;
    struct elfparse_error error; /* the first violation */
    elfparse_diagnose_fn report; /* NULL: stop at the first */
    void *report_ctx;

    uint8_t *scratch;
    size_t room; /* bytes of scratch without the view at its end */
    size_t head; /* bytes at the front that are the file's first ones */
    size_t used; /* bytes at the front that must stay */

    struct elfp_table table;
    struct elfp_bounds bounds;
    struct elfp_loads loads;
};

/* Where in the contents of a header something is wrong; offset 0 stands for the header's own field.
 */
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
int elfp_fetch_head(struct elfp_judge *judge, size_t scratch_size);

/* Makes table.bytes point to the copied program headers; the Ehdr was judged. */
int elfp_fetch_table(struct elfp_judge *judge);

/*
 * Copies size bytes at offset, inside the file, to stay in the scratch; *bytes points to them.
 * Called once the table was walked: it may move.
 */
int elfp_fetch_keep(struct elfp_judge *judge, uint64_t offset, size_t size, const uint8_t **bytes);

/* As elfp_fetch_keep, but until the next call only, and at most ELFP_VIEW bytes. */
int elfp_fetch_view(struct elfp_judge *judge, uint64_t offset, size_t size, const uint8_t **bytes);

/* The bytes came with the first read, and stay. */
static inline int elfp_in_head(const struct elfp_judge *judge, uint64_t offset, size_t size)
{
    return size <= judge->head && offset <= judge->head - size;
}

/* Points *bytes to them, by elfp_fetch_view where need be. */
static inline int elfp_view(struct elfp_judge *judge, uint64_t offset, size_t size,
                            const uint8_t **bytes)
{
    if (elfp_in_head(judge, offset, size)) {
        *bytes = judge->scratch + offset;
        return 0;
    }
    return elfp_fetch_view(judge, offset, size, bytes);
}

/* raise.c: from faults to errors. */

/* Each stops the judgement unless the caller asked for every violation. faults may be 0. */
int elfp_raise_ehdr(struct elfp_judge *judge, uint32_t faults);
int elfp_raise_load(struct elfp_judge *judge, uint32_t faults, const struct elfp_phdr *phdr,
                    uint32_t index);

/* detail: what the header itself does not say, or NULL where the faults need none. */
int elfp_raise_other(struct elfp_judge *judge, uint32_t faults, uint32_t index,
                     const struct elfp_detail *detail);
int elfp_raise_duplicate(struct elfp_judge *judge, uint32_t index, uint32_t first);

/* Notes the traits in the plan and raises those that the policy refuses. */
int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, uint32_t index);

/* Always stops. */
int elfp_raise_stop(struct elfp_judge *judge, int code, uint64_t offset, uint64_t expected,
                    uint64_t found);

/* judge.c: the headers, one after another. */

/* E1 to E9 of the Ehdr at the front of the scratch. */
int elfp_judge_ehdr(struct elfp_judge *judge);

/* Sets what the segments are judged against. */
void elfp_judge_bounds(struct elfp_judge *judge, const struct elfparse_storage *storage);

/* The one walk over all program headers: L2 to L13, and where the others are. */
int elfp_judge_headers(struct elfp_judge *judge);

/* L1, O1, and what the segments say together. */
int elfp_judge_loads(struct elfp_judge *judge);

/* single.c: O2 to O8. */
int elfp_judge_others(struct elfp_judge *judge);

/* contents.c: what the headers point to. */

/* O2: the path of PT_INTERP. */
int elfp_contents_interp(struct elfp_judge *judge, uint64_t offset, uint64_t size, uint32_t index);

/* O4: the end of PT_DYNAMIC. */
int elfp_contents_dynamic(struct elfp_judge *judge, uint64_t offset, uint64_t size,
                          uint32_t index);

/* note.c: O8 for one header; its features count only with take_features. */
int elfp_contents_notes(struct elfp_judge *judge, const uint8_t *header, uint32_t index,
                        int take_features);

#endif
