/* A flat model of a few address spaces and files: an array of pages for each, without trees or
 * tables. Each operation of mm/aspace.h is made on both. The results must be equal, and
 * model_check() compares the view of the processor with the array. */
#ifndef UMBRA_TESTS_MODEL_H
#define UMBRA_TESTS_MODEL_H

#include <umvfs/file.h>

#include "mm/aspace.h"
#include "mm/aspace_internal.h"

#define MODEL_SPACES 3
#define MODEL_FILES  3
#define ZONES        3
#define ZONE_PAGES   32
#define MODEL_PAGES  (ZONES * ZONE_PAGES)
#define FILE_PAGES   16

/* One word of each page is modelled; user code and files write that word. */
#define WORD_OFFSET 1024

/* Limits of every modelled space, in pages, small enough to be reached. */
#define MODEL_TOTAL_MAX 80
#define MODEL_DATA_MAX  60
#define MODEL_STACK_MAX 24

struct model_page {
    bool mapped;
    bool own;      /* a private file page that was written */
    uint8_t prot;  /* PROT_* */
    uint8_t flags; /* VMA_SHARED, _GROWSDOWN, _NO_WRITE, _BRK */
    int8_t file;   /* -1: anonymous */
    uint8_t file_page;
    uint16_t area;  /* pages of one growing area have the same number, others 0 */
    uint64_t value; /* of anonymous pages and own copies */
};

struct model_space {
    struct aspace *as; /* NULL: none */
    virt_t brk_start, brk;
    struct model_page page[MODEL_PAGES];
};

struct model_file {
    struct umvfs_file file;
    uint64_t size; /* bytes */
    uint64_t value[FILE_PAGES];
};

struct model {
    struct model_space space[MODEL_SPACES];
    struct model_file file[MODEL_FILES];
    uint16_t areas; /* last number given to a growing area */
    size_t tables;  /* frames of tables that are not of a modelled space */
    size_t objects; /* slab objects at the start */
    struct model_space *running;
};

/* Starts with empty files and one empty space, which is running. model_stop() ends all of them and
 * checks that all frames of each kind and all objects are freed. Findings are host_fail()s. */
void model_start(struct model *model);
void model_stop(struct model *model);

/* The address of a modelled page. */
virt_t model_address(unsigned page);

/* Each makes the operation and compares its result with the model's. If the result is -ENOMEM
 * because of a failed allocation, nothing may have changed. */
void model_create(struct model *m, unsigned space);
void model_exit(struct model *m, unsigned space);
void model_run(struct model *m, unsigned space);
void model_clone(struct model *m, unsigned from, unsigned to);

struct model_mapping {
    unsigned first, pages; /* cut at the end of the zone */
    unsigned prot, flags;
    int file; /* -1: anonymous */
    unsigned file_page;
    bool replace;
};
void model_map(struct model *m, unsigned space, const struct model_mapping *mapping);
void model_unmap(struct model *m, unsigned space, unsigned first, unsigned pages);
void model_protect(struct model *m, unsigned space, unsigned first, unsigned pages, unsigned prot);
void model_discard(struct model *m, unsigned space, unsigned first, unsigned pages);
void model_populate(struct model *m, unsigned space, unsigned first, unsigned pages);
void model_brk(struct model *m, unsigned space, unsigned page, unsigned offset);
void model_find_place(struct model *m, unsigned space, unsigned hint, unsigned pages);

/* User code of the running space: reads, writes `value` or fetches. */
void model_access(struct model *m, unsigned page, unsigned access, uint64_t value);
/* The kernel on behalf of a space that need not be running. */
void model_kernel_access(struct model *m, unsigned space, unsigned page, bool write,
                         uint64_t value);

void model_file_write(struct model *m, unsigned file, unsigned page, uint64_t value);
void model_file_truncate(struct model *m, unsigned file, uint64_t size);
void model_file_punch(struct model *m, unsigned file, unsigned page, unsigned pages);

/* Compares everything. `whole` also walks all tables of all spaces, to find pages that must not be
 * mapped and to check the count of each table. */
void model_check(struct model *m, bool whole);

/* The value that a mapped page must show. */
uint64_t model_value(const struct model *m, const struct model_page *page);

/* Operations from bytes, four each, checked after each one: for random tests and the fuzzer. */
#define SCRIPT_OPS_MAX 256
void script_run(const uint8_t *data, size_t size);

#endif
